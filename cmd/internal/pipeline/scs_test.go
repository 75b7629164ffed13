package pipeline

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

func TestScopeFileStandardAndCheckScriptNameTheSameTestCases(t *testing.T) {
	p, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	scopes, err := SCSScopes(PolicyChoice{}, nil)
	if err != nil || len(scopes) != len(p.ScopeIDs()) {
		t.Fatalf("%d scopes, %v", len(scopes), err)
	}
	uuids := map[string]bool{conformance.ScopeIaaS: true, conformance.ScopeKaaS: true}
	for _, s := range scopes {
		file, err := reports.SCSScopeYAML(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := reports.SCSScopeYAML(s)
		if err != nil || !bytes.Equal(file, again) {
			t.Errorf("%s: written twice it differs", s.ID)
		}
		read, err := conformance.ParseScope(file)
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if uuids[read.UUID] || !strings.HasPrefix(read.Name, "Pegel proposal for SCS-") {
			t.Errorf("%s: uuid %s is taken, or the name %q does not say that it is a proposal", s.ID, read.UUID, read.Name)
		}
		uuids[read.UUID] = true
		scope, _ := p.Scope(s.ID)
		var want, must []string
		for _, id := range scope.Include {
			want = append(want, reports.SCSTestCase(id))
			if q, _ := p.Requirement(id); q.Severity == policies.Must && q.EffectiveOn.IsZero() {
				must = append(must, reports.SCSTestCase(id))
			}
		}
		slices.Sort(want)
		slices.Sort(must)
		var got []string
		for _, c := range read.Tests {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: test cases %v, want %v", s.ID, got, want)
		}
		if oldest := read.Versions[len(read.Versions)-1]; !slices.Equal(oldest.Targets[conformance.TargetMain], must) {
			t.Errorf("%s: %v decide, want the requirements that must hold: %v", s.ID, oldest.Targets[conformance.TargetMain], must)
		}
		for _, period := range read.Timeline {
			for version, word := range period.Versions {
				if word != conformance.ValidDraft && word != conformance.ValidDeprecated {
					t.Errorf("%s: version %s is %s: a proposal is in effect", s.ID, version, word)
				}
			}
		}
		standard, err := reports.SCSStandard(s)
		if err != nil {
			t.Fatal(err)
		}
		var headings []string
		for _, m := range regexp.MustCompile(`(?m)^#### (\S+)$`).FindAllStringSubmatch(string(standard), -1) {
			headings = append(headings, m[1])
		}
		slices.Sort(headings)
		if !slices.Equal(headings, want) {
			t.Errorf("%s: the standard has %v, want %v", s.ID, headings, want)
		}
		if !strings.Contains(string(standard), read.UUID) || !strings.Contains(string(file), "args: check {stack} --scope "+s.ID) {
			t.Errorf("%s: the standard names another scope, or no check script answers it", s.ID)
		}
	}
}

// TestSCSToolsTakeWhatPegelWrites loads and runs the scope files with SCS's own tools, from a checkout of
// SovereignCloudStack/standards that PEGEL_SCS_STANDARDS names; it needs python3 with PyYAML. Without it the rules stand in
// conformance.ParseScope.
func TestSCSToolsTakeWhatPegelWrites(t *testing.T) {
	checkout := os.Getenv("PEGEL_SCS_STANDARDS")
	if checkout == "" {
		t.Skip("PEGEL_SCS_STANDARDS names no checkout of the SCS standards")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is missing")
	}
	dir := t.TempDir()
	scopes, err := SCSScopes(PolicyChoice{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scopes {
		file, err := reports.SCSScopeYAML(s)
		if err != nil {
			t.Fatal(err)
		}
		scope := filepath.Join(dir, s.ID+".yaml")
		if err := os.WriteFile(scope, file, 0o644); err != nil {
			t.Fatal(err)
		}
		// A check script that passes everything: what is tested here is the scope file.
		script := "#!/bin/sh\nwhile [ \"$1\" != -t ]; do shift; done; shift\nfor t; do echo \"$t: PASS\"; done\n"
		if err := os.WriteFile(filepath.Join(dir, "pegel"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, filepath.Join(checkout, "Tests", "scs-compliance-check.py"), "-s", "example", "-d", "2026-12-01", "-a", "stack=stack.yaml", scope)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "- main: PASS") {
			t.Errorf("%s: %v\n%s", s.ID, err, out)
		}
	}
}
