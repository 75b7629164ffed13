package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
)

// This file holds ways in which somebody could make what fails look as if it passed, or what was not seen as if it was.

func runningImage(id string) sbom.Artifact {
	return sbom.Artifact{ID: id, Kind: sbom.KindImage, Name: "nova-api", Reference: "evil.example/nova-api:1", Digest: audit.DigestOf([]byte(id)), Projects: []string{"nova"},
		Sightings: []sbom.Sighting{{Source: "containers", Where: "h", State: sbom.StateRunning, Hosts: []string{"h"}, Replicas: 1, Reference: "evil.example/nova-api:1"}}}
}

func dossierOf(inv sbom.Inventory) *dossier {
	d := &dossier{inventory: inv, artifacts: map[string]sbom.Artifact{}, inside: map[string]sbom.Packages{}}
	d.stack.AssessedAt = truthNow
	d.compare()
	return d
}

func TestWhatARuleLeavesOutKeepsTheScopeOpen(t *testing.T) {
	r := judgeStack(t, "sources:\n  - containers: {ps: ps.json, host: ctl-1, exclude: ['nova*']}\n", func(dir string) {
		lines := `{"ID":"aaaaaaaaaaaa","Image":"quay.io/coreos/etcd:v3.5.1","Names":"etcd","State":"running"}` + "\n" +
			`{"ID":"bbbbbbbbbbbb","Image":"evil.example/nova:1","Names":"nova_api","State":"running"}` + "\n"
		if err := os.WriteFile(filepath.Join(dir, "ps.json"), []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	expect(t, r, "corrections-accepted", "", audit.DNF)
	for _, f := range r.Findings {
		if f.Requirement == "corrections-accepted" && (!strings.Contains(f.Reason, "1 containers of containers") || strings.Contains(f.Reason, "nova*")) {
			t.Errorf("reason %q, want how many were left out, and no name", f.Reason)
		}
	}
}

func TestASwitchedOnServiceDoesNotMakeAnybodysImageTheDeclaredOne(t *testing.T) {
	a := runningImage("image:x")
	on := sbom.Expected{Kind: sbom.ExpectedService, Name: "nova", Groups: []string{"enabled"}, Known: true, List: "configuration", Where: "globals.yml"}
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}, Expected: []sbom.Expected{on}})
	var r policies.Artifact
	if u := d.asDeclared(a, &r); u == nil || r.AsDeclared || !strings.Contains(u.Reason, "which image shall serve it no source says") {
		t.Errorf("as declared %v, %+v, want it open", r.AsDeclared, u)
	}
}

func TestAnOpenDifferenceNeitherPassesNorFails(t *testing.T) {
	a := runningImage("image:x")
	other := sbom.Artifact{ID: "image:y", Kind: sbom.KindImage, Name: "keystone", Reference: "quay.io/x/keystone:1",
		Sightings: []sbom.Sighting{{Source: "osism", Where: "r", State: sbom.StateOffered, Declared: true, Reference: "quay.io/x/keystone:1"}}}
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a, other}, Failures: []sbom.Failure{{Source: "osism x", Reason: "y"}}})
	var r policies.Artifact
	if u := d.asDeclared(a, &r); u == nil || !u.Looked || r.AsDeclared || r.Drift != "" {
		t.Errorf("as declared %v, drift %q, %+v, want it open", r.AsDeclared, r.Drift, u)
	}
}

func TestWithoutAListOfHostsNothingIsSaidToBeMissingNone(t *testing.T) {
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{runningImage("image:x")}})
	var r policies.Stack
	var open []string
	for _, u := range d.stackCoverage(&r) {
		open = append(open, u.Field)
	}
	if !slices.Contains(open, "hostsMissing") || !slices.Contains(open, "servicesMissing") {
		t.Errorf("open fields %q, want hosts and services", open)
	}
}

func TestADigestThatOnlyTheNameGivesIsNotKnown(t *testing.T) {
	a := runningImage("image:x")
	if !digestKnown(a) {
		t.Error("a digest that was seen is not known")
	}
	if a.ByName = true; digestKnown(a) {
		t.Error("a digest that only the name gives is known")
	}
}

func TestABuildersListOfWhichLittleCanBeComparedProvesNothing(t *testing.T) {
	a := runningImage("image:x")
	purl := "pkg:deb/debian/a@1"
	found := sbom.Packages{Artifact: a.ID, Components: audit.Known([]sbom.Component{{Ref: purl, Name: "a", PURL: purl + "?arch=all"}})}
	for _, c := range []struct {
		name       string
		components int
		purls      []string
		declared   bool
		want       bool // known
		only       int64
	}{
		{"all of it is inside", 1, []string{purl}, false, true, 0},
		{"one is not inside", 2, []string{purl, "pkg:deb/debian/b@1"}, false, true, 1},
		{"most have no package URL", 500, []string{purl}, false, false, 0},
		{"most have no package URL and one is not inside", 500, []string{"pkg:deb/debian/b@1"}, false, true, 1},
		{"no package URL at all", 5, nil, false, false, 0},
		{"the contents are somebody's statement too", 1, []string{purl}, true, false, 0},
	} {
		d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}, Attested: []sbom.Attested{{Artifact: a.ID, Format: "SPDX-2.3", Components: c.components, PURLs: c.purls}}})
		found.Declared = c.declared
		d.inside[a.ID] = found
		d.statements()
		var r policies.Artifact
		if u := d.builderFacts(a, &r); (u == nil) != c.want || r.AttestedOnly != c.only {
			t.Errorf("%s: only there %d, open %+v", c.name, r.AttestedOnly, u)
		}
	}
}

func TestRepositoriesOfOneHostSayNothingOfAnother(t *testing.T) {
	host := func(name string) sbom.Artifact {
		return sbom.Artifact{ID: "host:" + name, Kind: sbom.KindHost, Name: name}
	}
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{host("a"), host("b")}, Repositories: []sbom.Repository{{Host: "a", Kind: "apt", Address: "https://x.example", Vendor: sbom.UnknownVendor}}})
	var r policies.Artifact
	if u := d.repositoryFacts(host("a"), &r); u != nil || r.UnknownRepositories != 1 {
		t.Errorf("host a: %d unknown, open %+v", r.UnknownRepositories, u)
	}
	r = policies.Artifact{}
	if u := d.repositoryFacts(host("b"), &r); len(u) != 2 || r.UnknownRepositories != 0 {
		t.Errorf("host b: %d unknown, open %+v, want both fields open", r.UnknownRepositories, u)
	}
}

func TestAnOldInventoryFileCountsFromTheDayItWasWritten(t *testing.T) {
	a := runningImage("image:x")
	d := dossierOf(sbom.Inventory{Artifacts: []sbom.Artifact{a}})
	if got := d.artifactSubject(a).Observed; !got.IsZero() {
		t.Errorf("observed %s, want the day of the audit", got)
	}
	written := truthNow.AddDate(-2, 0, 0)
	a.Sightings = append(slices.Clone(a.Sightings), sbom.Sighting{Source: "osism", Declared: true, Origin: audit.Origin{At: truthNow.Add(-time.Hour)}})
	a.Sightings[0].Origin.At = written
	if got := d.artifactSubject(a).Observed; !got.Equal(written) {
		t.Errorf("observed %s, want %s", got, written)
	}
}

// withContents is a source that has contents of everything.
type withContents struct {
	told
	form string
}

func (s withContents) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{Artifact: a, Form: s.form, Packages: &sbom.Packages{Artifact: a.ID, Components: audit.Known([]sbom.Component{{Ref: s.form}})}}, nil
}

func TestContentsUnderANameAloneCountAsAStatementAndADocumentIsTheLastResort(t *testing.T) {
	a := runningImage("image:x")
	g := &gatherer{sources: []sbom.Source{withContents{form: formDocument}, withContents{form: formPackages}}, shownBy: map[string][]int{a.ID: {0, 1}}}
	if target, err := g.open(t.Context(), a); err != nil || target.Form != formPackages {
		t.Fatalf("opened %+v, %v, want the contents", target, err)
	}
	if p := g.read(t.Context(), a, &lazyScanner{}); p.Declared {
		t.Error("contents of what runs count as a statement")
	}
	a.ByName = true
	if p := g.read(t.Context(), a, &lazyScanner{}); !p.Declared {
		t.Error("contents under a name alone count as those of what runs")
	}
}

func TestAnOfflineRunHasNoWayOut(t *testing.T) {
	for _, offline := range []bool{true, false} {
		way, err := guard(Stack{})
		if err != nil {
			t.Fatal(err)
		}
		n := network(way, offline)
		if (n.Dial == nil) != offline || n.Local == nil || offline && n.Proxy != nil {
			t.Errorf("offline %v: way out %v", offline, n.Dial != nil)
		}
	}
}

func TestInitLeavesSecretsAloneAndSurvivesHostileNames(t *testing.T) {
	dir := t.TempDir()
	inventory := `{"schema": "pegel/inventory/v1"}`
	for _, name := range []string{"secrets.json", "vault.json", "a\x1b[31m.json", "b\nc.json", "d\xff.json", "good one.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(inventory), 0o644); err != nil {
			t.Skipf("this file system does not take the name %q: %v", name, err)
		}
	}
	kube := filepath.Join(dir, "kube")
	if err := os.WriteFile(kube, []byte("users: [{token: s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Detect(t.Context(), DetectOptions{Dir: dir, Root: t.TempDir(), Getenv: func(name string) string { return map[string]string{"KUBECONFIG": kube}[name] }})
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.StackFile()
	if err != nil {
		t.Fatal(err)
	}
	text := string(data) + d.Text()
	if !strings.Contains(text, `"./good one.json"`) || strings.Contains(text, "\x1b") || strings.Contains(text, "s3cr3t") || strings.Contains(text, "secrets.json") || strings.Contains(text, "vault.json") {
		t.Errorf("stack file and text:\n%s", text)
	}
	if got := strings.Count(d.Text(), "has a name that cannot stand in a stack file"); got != 3 {
		t.Errorf("%d names are told, want 3:\n%s", got, d.Text())
	}
}

func TestANameCannotMakeALineOfATable(t *testing.T) {
	a := runningImage("image:x")
	a.Name = "x\nhost ctl-1 seen"
	var b strings.Builder
	table(&b, artifactHead, []sbom.Artifact{a}, artifactLine)
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("%d lines, want 2:\n%s", got, b.String())
	}
}

func TestContentsUnderANameAloneAreNoContentsOfWhatRuns(t *testing.T) {
	const ref = "registry.example.org/kolla/haproxy:2.6.12"
	for runs, want := range map[string]audit.Outcome{
		`{"ID":"aaaaaaaaaaaa","Image":"` + ref + `","Names":"haproxy","State":"running"}`:        audit.DNF,  // docker ps alone: any image may go by that name
		`{"ID":"aaaaaaaaaaaa","Image":"` + ref + `@DIGEST","Names":"haproxy","State":"running"}`: audit.PASS, // the container names the digest of the layout
	} {
		r := judgeStack(t, "sources:\n- containers: {ps: ps.json, host: ctl-1}\n- image: {ref: \"oci:./layout\"}\n", func(dir string) {
			digest := image(t, filepath.Join(dir, "layout"), ref, debian("haproxy", "2.6.12-1"))
			line := strings.ReplaceAll(runs, "DIGEST", digest) + "\n"
			if err := os.WriteFile(filepath.Join(dir, "ps.json"), []byte(line), 0o644); err != nil {
				t.Fatal(err)
			}
		})
		expect(t, r, "artifact-bom", "haproxy", want)
		for _, f := range r.Findings {
			if want != audit.PASS && f.Requirement == "package-licence-free" && f.Outcome == audit.PASS && !f.Declared {
				t.Errorf("%s: a package of contents that may be others passes: %s", runs, f.Reason)
			}
		}
	}
}
