package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
)

const poorBOM = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","version":"1"},{"type":"library","name":"b"}]}`

func TestTheQualityOfAnSBOMIsAFactOfItsArtifact(t *testing.T) {
	a := runningImage("image:x")
	for _, c := range []struct {
		name  string
		q     []documentQuality
		bsi   bool
		share int
		open  string
		why   string // of what is not known
	}{
		{"all is stated", []documentQuality{{Artifact: a.ID, Quality: sbom.Quality{Fulfilled: true, Components: 3, Complete: 3}}}, true, 10000, "nothing", ""},
		{"all but one is not all", []documentQuality{{Artifact: a.ID, Quality: sbom.Quality{Components: 20_001, Complete: 20_000, Open: []sbom.OpenField{{Rule: "creator", Field: "Component creator", Missing: 1, Of: 20_001}}}}},
			false, 9999, "component creator (1 of 20001)", ""},
		{"nobody checked it", nil, false, 0, "", "no SBOM of it was checked"},
		{"another artifact was checked", []documentQuality{{Artifact: "image:y", Quality: sbom.Quality{Fulfilled: true, Components: 1, Complete: 1}}}, false, 0, "", "no SBOM of it was checked"},
		{"it could not be read", []documentQuality{{Artifact: a.ID, Quality: sbom.Quality{Failure: "broken"}}}, false, 0, "", "the SBOM could not be checked: broken"},
		{"it is empty", []documentQuality{{Artifact: a.ID}}, false, 0, "", "the SBOM lists no component"},
	} {
		d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}})
		d.quality.Documents = c.q
		var r policies.Artifact
		var sub policies.Subject
		d.artifactQuality(a, &sub, &r)
		if c.why == "" && (sub.Unknown[0].Field != "builderBSI" || r.SBOMBSI != c.bsi || r.SBOMShare.Low() != c.share || r.SBOMShare.High() != c.share || r.SBOMOpen != c.open) {
			t.Errorf("%s: got %v, %v, %q, unknown %+v; want %v, %d, %q", c.name, r.SBOMBSI, r.SBOMShare, r.SBOMOpen, sub.Unknown, c.bsi, c.share, c.open)
		}
		if c.why != "" && (len(sub.Unknown) != 6 || sub.Unknown[0].Field != "sbomBSI" || sub.Unknown[0].Reason != c.why) {
			t.Errorf("%s: got unknown %+v, want three fields because %q", c.name, sub.Unknown, c.why)
		}
	}
}

func TestTheQualityOfAnSBOMSaysNoMoreThanItsContents(t *testing.T) {
	a := runningImage("image:x")
	a.ByName = true
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}})
	d.inside[a.ID] = sbom.Packages{Artifact: a.ID, Components: audit.Known([]sbom.Component{{Ref: "a", Name: "a"}})}
	d.quality.Documents = []documentQuality{{Artifact: a.ID, Quality: sbom.Quality{Fulfilled: true, Components: 1, Complete: 1}}}
	unknown := map[string]bool{}
	for _, u := range d.artifactSubject(a).Unknown {
		unknown[u.Field] = true
	}
	if unknown["bom"] != unknown["sbomBSI"] {
		t.Errorf("bom not known: %v, sbomBSI not known: %v; want the same", unknown["bom"], unknown["sbomBSI"])
	}
}

func TestADocumentByOthersIsCheckedItself(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bom.json")
	if err := os.WriteFile(file, []byte(poorBOM), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &gatherer{}
	g.foreign.add(measureFile("bom:x", file))
	got := g.quality([]Document{{Artifact: "bom:x", Data: []byte(`{}`)}, {Data: []byte(poorBOM)}, {Artifact: "image:broken", Data: []byte(`{`)}}).Documents
	if q := got[0]; !q.ByOthers || q.Components != 2 || q.Complete != 0 || q.Fulfilled || q.Document != "" {
		t.Errorf("got %+v, want the check of the file by others", q)
	}
	if q := got[1]; q.ByOthers || q.Components != 2 || q.Document != audit.DigestOf([]byte(poorBOM)) || len(q.Open) == 0 {
		t.Errorf("got %+v, want the check of our document with its digest", q)
	}
	if q := got[2]; !strings.Contains(q.Failure, "ends too early") {
		t.Errorf("got %+v, want a failure", q)
	}
}

func TestOfSeveralSBOMsByBuildersTheBestCounts(t *testing.T) {
	a := runningImage("image:x")
	poor := sbom.Quality{Components: 4, Complete: 1}
	for _, c := range []struct {
		name  string
		given []*sbom.Quality
		bsi   bool
		share int
		known bool
	}{
		{"none", nil, false, 0, false},
		{"one that nobody checked", []*sbom.Quality{nil}, false, 0, false},
		{"one that is broken", []*sbom.Quality{{Failure: "broken"}}, false, 0, false},
		{"a poor one beside a broken one", []*sbom.Quality{{Failure: "broken"}, &poor}, false, 2500, true},
		{"a good one beside a poor one", []*sbom.Quality{&poor, {Fulfilled: true, Components: 1, Complete: 1}, &poor}, true, 10000, true},
	} {
		var attested []sbom.Attested
		for _, q := range c.given {
			attested = append(attested, sbom.Attested{Artifact: a.ID, Quality: q}, sbom.Attested{Artifact: "image:y", Quality: &sbom.Quality{Fulfilled: true, Components: 1, Complete: 1}})
		}
		d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}, Attested: attested})
		var r policies.Artifact
		unknown := d.builderQuality(a, qualityFacts{"builder", &r.BuilderBSI, &r.BuilderShare, &r.BuilderOpen})
		if (unknown == nil) != c.known || r.BuilderBSI != c.bsi || c.known && r.BuilderShare.Low() != c.share {
			t.Errorf("%s: got known %v, %v, %v; want %v, %v, %d", c.name, unknown == nil, r.BuilderBSI, r.BuilderShare, c.known, c.bsi, c.share)
		}
	}
}
