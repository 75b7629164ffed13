package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// publishedStack is a stack of five images, a host and what a release only offers.
func publishedStack() (sbom.Inventory, []sbom.Packages) {
	image := func(name, version string, project ...string) sbom.Artifact {
		d := audit.DigestOf([]byte(name))
		return sbom.Artifact{
			ID: "image:" + string(d), Kind: sbom.KindImage, Name: name, Version: version, Digest: d, Projects: project,
			Reference: "registry.example.org/kolla/release/" + name + ":" + version + ".20260101",
			Sightings: []sbom.Sighting{{Source: "containers", State: sbom.StateRunning}},
		}
	}
	internal := image("billing", "3.1")
	internal.Reference = "registry.corp.internal/team-blue/billing:3.1"
	rolling := image("nova-api", "", "nova")
	rolling.Reference = "registry.example.org/kolla/nova-api:2025.2"
	offered := image("sahara", "1.0", "sahara")
	offered.Sightings[0].State = sbom.StateOffered
	excluded := image("netbox", "4.1", "netbox")
	excluded.Excluded = "lab only"
	host := sbom.Artifact{ID: "host:node-1", Kind: sbom.KindHost, Name: "node-1"}
	inv := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{
		image("keystone", "26.0.1", "keystone"), image("redis", "7.4.10", "redis"), rolling, internal, offered, excluded, host,
	}}
	pkgs := []sbom.Packages{{Schema: sbom.PackagesSchema, Artifact: rolling.ID, Components: audit.Known([]sbom.Component{
		{Ref: "pkg:pypi/nova@32.0.0", Type: "python", Name: "nova", Version: "32.0.0", PURL: "pkg:pypi/nova@32.0.0"},
	})}}
	return inv, pkgs
}

func checked(t *testing.T, document string) transparency.SBOMFacts {
	t.Helper()
	inv, pkgs := publishedStack()
	facts, err := (&gatherer{}).checkPublished(inv, pkgs)(t.Context(), []byte(document))
	if err != nil {
		t.Fatalf("%.200s: %v", document, err)
	}
	return facts
}

// cdxOf is a CycloneDX document with components in JSON.
func cdxOf(components string) string {
	return `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-20T10:00:00Z"},"components":[` + components + `]}`
}

func TestAPublishedSBOMIsComparedWithWhatIsDeployed(t *testing.T) {
	inv, _ := publishedStack()
	digest := func(i int) string { return string(inv.Artifacts[i].Digest) }
	for _, c := range []struct {
		name, document        string
		named, unsure, hidden int
		missing               string
		extra                 []string
	}{
		{"by digest in purls", cdxOf(fmt.Sprintf(`{"type":"container","name":"a","purl":"pkg:oci/a@%s"},{"type":"container","name":"b","version":"%s"}`, strings.ReplaceAll(digest(0), ":", "%3A"), digest(3))), 2, 0, 0, "redis 7.4.10 nova-api", nil},
		{"by name and version of another builder", cdxOf(`{"type":"container","name":"quay.io/other/keystone:26.0.1","version":""},{"type":"library","name":"redis","version":"5:7.4.10-0ubuntu1"},{"type":"library","name":"Nova","version":"v32.0.0"},{"type":"application","name":"billing","version":"3.1"}`), 4, 0, 0, "", nil},
		{"by the purl of the package inside", cdxOf(`{"type":"library","name":"x","version":"32.0.0","purl":"pkg:pypi/nova@32.0.0?vcs=x"}`), 1, 0, 0, "keystone 26.0.1 redis 7.4.10", nil},
		{"another version", cdxOf(`{"type":"library","name":"keystone","version":"25.0.0"}`), 0, 0, 0, "keystone 26.0.1 redis 7.4.10 nova-api", nil},
		{"no version", cdxOf(`{"type":"library","name":"keystone"}`), 0, 1, 0, "keystone 26.0.1", nil},
		{"what is not deployed", cdxOf(`{"type":"container","name":"magnum","version":"1","purl":"pkg:oci/magnum@sha256%3A` + strings.Repeat("0", 64) + `"},{"type":"library","name":"left-pad","version":"1"}`), 0, 0, 0, "keystone", []string{"magnum 1"}},
		{"hidden names", cdxOf(`{"type":"container","name":"internal image 1","version":"3.1"},{"type":"container","name":"internal image 2","version":"` + digest(1) + `"}`), 1, 0, 1, "keystone", nil},
		{"SPDX in lines", "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: x\nDocumentNamespace: https://example.org/x\nCreator: Tool: x\nCreated: 2026-11-20T10:00:00Z\n\nPackageName: keystone\nSPDXID: SPDXRef-a\nPackageVersion: 26.0.1\nPackageDownloadLocation: NOASSERTION\n", 1, 0, 0, "redis", nil},
		{"CycloneDX in XML", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><metadata><timestamp>2026-11-20T10:00:00Z</timestamp></metadata><components><component type="library"><name>keystone</name><version>26.0.1</version></component></components></bom>`, 1, 0, 0, "redis", nil},
	} {
		f := checked(t, c.document)
		if f.Deployed != 4 || f.Named != c.named || f.Unsure != c.unsure || f.Hidden != c.hidden || !strings.Contains(strings.Join(f.Missing, " "), c.missing) || !slices.Equal(f.Extra, c.extra) {
			t.Errorf("%s: got named %d, unsure %d, hidden %d of %d, missing %q, extra %q; want %d, %d, %d of 4, %q, %q", c.name, f.Named, f.Unsure, f.Hidden, f.Deployed, f.Missing, f.Extra, c.named, c.unsure, c.hidden, c.missing, c.extra)
		}
		if f.Created.IsZero() || f.Components == 0 || f.Format == "" || f.BSI {
			t.Errorf("%s: got %+v, want a time, components, a format, and fields that lack", c.name, f)
		}
		if text := strings.Join(f.Missing, " "); strings.Contains(text, "billing") || strings.Contains(text, "corp") {
			t.Errorf("%s: an internal name is shown: %q", c.name, text)
		}
		if measured := !strings.HasPrefix(c.document, "SPDXVersion"); measured != (f.Unmeasured == "") {
			t.Errorf("%s: got unmeasured %q", c.name, f.Unmeasured)
		}
	}
}

func TestOurOwnPublicFormNamesEverything(t *testing.T) {
	inv, pkgs := publishedStack()
	public := sbom.PublicForm{Registry: reports.PublicRegistry, Address: reports.PublicAddress}
	shown, _ := public.Of(inv, pkgs)
	var out bytes.Buffer
	if _, err := sbom.WriteStackBOM(&out, shown, nil, sbom.StackOptions{Name: "x", BOMOptions: sbom.BOMOptions{At: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}}); err != nil {
		t.Fatal(err)
	}
	f := checked(t, out.String())
	if f.Named != f.Deployed || !f.Redacted || f.Hidden > 1 { // the excluded and the offered part are in it as well
		t.Errorf("got %d of %d named, redacted %v, hidden %d, missing %q; want all", f.Named, f.Deployed, f.Redacted, f.Hidden, f.Missing)
	}
}

func TestWhatIsNoSBOMIsAnError(t *testing.T) {
	inv, pkgs := publishedStack()
	check := (&gatherer{}).checkPublished(inv, pkgs)
	for _, text := range []string{"", "{", "[]", "<html></html>", `{"bomFormat":"CycloneDX","specVersion":"9.9"}`} {
		if f, err := check(t.Context(), []byte(text)); err == nil {
			t.Errorf("%q: got %+v, want an error", text, f)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := check(ended, []byte(cdxOf(""))); err == nil {
		t.Error("got no error after the end of the run")
	}
}

func TestWithoutAnInventoryAnSBOMIsReadAndNotCompared(t *testing.T) {
	f, err := (&gatherer{}).checkPublished(sbom.Inventory{}, nil)(t.Context(), []byte(cdxOf(`{"type":"library","name":"a","version":"1"}`)))
	if err != nil || f.Deployed != 0 || f.Components != 1 {
		t.Errorf("got %+v, %v", f, err)
	}
}

// A stack of 3,000 images and a document of 100,000 components.
func BenchmarkPublishedSBOM(b *testing.B) {
	var inv sbom.Inventory
	for i := range 3000 {
		name := fmt.Sprintf("service-%d", i)
		inv.Artifacts = append(inv.Artifacts, sbom.Artifact{ID: "image:" + name, Kind: sbom.KindImage, Name: name, Version: "1.2.3", Digest: audit.DigestOf([]byte(name)), Reference: "quay.io/x/" + name + ":1.2.3"})
	}
	var list []string
	for i := range 100_000 {
		list = append(list, fmt.Sprintf(`{"type":"library","bom-ref":"r%d","name":"service-%d","version":"1.2.3","purl":"pkg:pypi/service-%d@1.2.3"}`, i, i, i))
	}
	document := []byte(cdxOf(strings.Join(list, ",")))
	check := (&gatherer{}).checkPublished(inv, nil)
	for b.Loop() {
		if f, err := check(b.Context(), document); err != nil || f.Named != 3000 {
			b.Fatalf("got %d named, %v", f.Named, err)
		}
	}
}
