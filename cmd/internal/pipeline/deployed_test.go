package pipeline

import (
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func claim(expression string) []sbom.LicenceClaim {
	return []sbom.LicenceClaim{{Value: expression, Provenance: sbom.FromMetadata}}
}

// stackOf is a stack of two images: a service built on a client library and the base system, and one of which only the name
// is known.
func stackOf(licenceOfHelper string) *dossier {
	component := func(kind, name, licence string, needs ...string) sbom.Component {
		purl := "pkg:" + kind + "/" + name + "@1"
		return sbom.Component{Ref: purl, Type: kind, Name: name, Version: "1", PURL: purl, Licences: claim(licence), DependsOn: needs}
	}
	d := &dossier{artifacts: map[string]sbom.Artifact{"image:a": {ID: "image:a"}, "image:b": {ID: "image:b"}}}
	d.stack.AssessedAt = truthNow
	d.packages = []sbom.Packages{{Artifact: "image:a", Components: audit.Known([]sbom.Component{
		component("pypi", "service", "Apache-2.0", "pkg:pypi/client@1"),
		component("pypi", "client", "Apache-2.0", "pkg:deb/base@1"),
		component("pypi", "helper", licenceOfHelper),
		component("deb", "base", "GPL-2.0-only"),
		component("deb", "firmware", "LicenseRef-Proprietary-Firmware"),
	})}}
	link := func(subject string) []scoring.Link { return []scoring.Link{{Subject: subject}} }
	d.projects.Projects = []scoring.Project{
		{ID: "service", Links: append(link("image:a"), link("pkg:pypi/service@1")...)}, {ID: "client", Links: link("pkg:pypi/client@1")},
		{ID: "other", Links: link("image:b")},
	}
	d.projects.Products = []product{{Artifact: "image:a", Project: "service", Confidence: upstream.High}, {Artifact: "image:b", Project: "other", Confidence: upstream.High}}
	return d
}

func deployedOf(t *testing.T, d *dossier, id string) scoring.Deployed {
	t.Helper()
	v, ok := d.deployedFacts()[id].Get()
	if !ok {
		t.Fatalf("nothing is known about %s", id)
	}
	return v
}

func TestTheStackSaysWhatAProjectBringsAlongAndWhatHangsOnIt(t *testing.T) {
	d := stackOf("MIT")
	// client, helper and base; the firmware is there because of the base system
	if got := deployedOf(t, d, "service"); got.Dependencies != 3 || got.Unread != 0 || len(got.Closed) != 0 || got.Radius != 2 {
		t.Errorf("service: %+v, want 3 open dependencies and a radius of image and package", got)
	}
	if got := deployedOf(t, d, "client"); got.Radius != 2 || !slices.Equal(got.Dependants, []string{"service"}) {
		t.Errorf("client: %+v, want that service depends on it", got)
	}
}

func TestARestrictedDependencyIsNamedAndAnUnreadOneCounted(t *testing.T) {
	if got := deployedOf(t, stackOf("BUSL-1.1"), "service"); !slices.Equal(got.Closed, []string{"pkg:pypi/helper@1"}) {
		t.Errorf("%+v, want the helper named", got)
	}
	if got := deployedOf(t, stackOf("terms of our own"), "service"); got.Unread != 1 || len(got.Closed) != 0 {
		t.Errorf("%+v, want one licence that is not known", got)
	}
	if got := deployedOf(t, stackOf("MIT"), "other"); got.Unread != 1 || got.Dependencies != 1 || got.Radius != 1 {
		t.Errorf("%+v, want contents that nobody read counted as one unread dependency", got)
	}
}

func TestADocumentOfOthersProvesNoOpenDependencies(t *testing.T) {
	d := stackOf("MIT")
	d.packages[0].Declared = true
	if got := deployedOf(t, d, "service"); got.Unread != 1 {
		t.Errorf("%+v, want it open", got)
	}
	d.artifacts["image:a"] = sbom.Artifact{ID: "image:a", Excluded: "a test"}
	if _, ok := d.deployedFacts()["service"]; ok {
		t.Error("what was left out of the stack counts")
	}
}
