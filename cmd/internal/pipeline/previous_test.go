package pipeline

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// smallStack writes a stack of one image, with more keys, and returns it.
func smallStack(t *testing.T, dir, more string) Stack {
	t.Helper()
	release := filepath.Join(dir, "release", "1.0.0")
	if err := os.MkdirAll(release, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(release, "sbom-openstack-2024.2.yml"), "images:\n  - digest: sha256:de0c88772986187e51431927c73d14fb40375ea01f2a08227c2213c2bc53d257\n    image: registry.osism.tech/kolla/release/keystone:26.0.1.20250408\n")
	write(filepath.Join(dir, "stack.yaml"), "schema: pegel/stack/v1\nsubject: {name: small, kind: cloud}\nscopes: [scs-open-iaas]\nsources:\n  - osism: {release: ./release/1.0.0}\n"+more)
	s, err := ReadStack(filepath.Join(dir, "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func auditedAt(t *testing.T, s Stack, at time.Time) (reports.Report, Options, error) {
	t.Helper()
	opt := Options{Version: "test", Now: at.Add(time.Hour), At: at, Offline: true, Bundle: filepath.Join(t.TempDir(), "bundle")}
	r, _, err := Audit(t.Context(), s, opt)
	return r, opt, err
}

func TestTheLastReportIsPartOfTheEvidence(t *testing.T) {
	dir := t.TempDir()
	first, _, err := auditedAt(t, smallStack(t, dir, ""), judged)
	if err != nil || first.Previous != nil {
		t.Fatalf("the first audit: %v, %+v", err, first.Previous)
	}
	data, err := reports.Render("json", first, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	last := filepath.Join(dir, "last.json")
	if err := os.WriteFile(last, data, 0o600); err != nil {
		t.Fatal(err)
	}
	second, opt, err := auditedAt(t, smallStack(t, dir, "previous: last.json\n"), judged.AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	if p := second.Previous; p == nil || !p.AssessedAt.Equal(judged) || p.Digest != audit.DigestOf(data) || p.Unused != "" {
		t.Errorf("the report names as its last: %+v", p)
	}
	for _, u := range second.NotSeen {
		if strings.Contains(u.What, "previous") {
			t.Errorf("the last report was read, and is not seen: %+v", u)
		}
	}
	if err := os.Remove(last); err != nil { // the bundle stands alone
		t.Fatal(err)
	}
	if same, _, err := Replay(opt.Bundle, AssessOptions{}); err != nil || !same {
		t.Errorf("replayed: the same bytes %v, %v", same, err)
	}
}

func TestALastReportThatDoesNotFitIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, _, err := auditedAt(t, smallStack(t, dir, ""), judged)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*reports.Report)
		want   string
	}{
		"another subject":       {func(r *reports.Report) { r.Subject.Name = "large" }, `is about the cloud "large", not about the cloud "small"`},
		"a release":             {func(r *reports.Report) { r.Subject.Kind = "release" }, `is about the release "small"`},
		"a later day":           {func(r *reports.Report) { r.AssessedAt = judged.AddDate(1, 0, 0) }, "judges 2027-08-22T00:00:00Z, which is not before 2026-11-22T00:00:00Z"},
		"the same day":          {func(r *reports.Report) { r.AssessedAt = judged.AddDate(0, 3, 0) }, "which is not before"},
		"no day":                {func(r *reports.Report) { r.AssessedAt = time.Time{} }, "which is not before"},
		"another policy":        {func(r *reports.Report) { r.Policy.ID = "mild" }, `was decided by the policy "mild"`},
		"another document":      {func(r *reports.Report) { r.Schema = "pegel/score/v1" }, `has the schema "pegel/score/v1"`},
		"a verdict made better": {func(r *reports.Report) { r.Verdicts[0].Outcome = policies.Eligible }, "contradicts itself: scs-open-iaas is eligible although"},
		"a region made better": {func(r *reports.Report) {
			r.Verdicts[0].Regions = []reports.RegionVerdict{{Region: "fra", Outcome: policies.Eligible}}
		}, "contradicts itself: scs-open-iaas is eligible in region fra although"},
		"a what-if": {func(r *reports.Report) {
			r.WhatIf = &reports.WhatIf{Changes: []reports.WhatIfChange{{From: "redis", To: "valkey"}}}
		}, "what would be if something else ran"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := reports.Render("json", first, reports.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var r reports.Report
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			c.change(&r)
			if data, err = json.Marshal(r); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "last.json"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, opt, err := auditedAt(t, smallStack(t, dir, "previous: last.json\n"), judged.AddDate(0, 3, 0))
			var usage *UsageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) || usage.Hint == "" {
				t.Errorf("got %v, want %q with a hint", err, c.want)
			}
			if _, err := os.Stat(opt.Bundle); err == nil {
				t.Error("a bundle was begun")
			}
		})
	}
	for name, want := range map[string]string{"gone.json": "no such file", "release": "no regular file", "stack.yaml": "is no report"} {
		if _, _, err := auditedAt(t, smallStack(t, dir, "previous: "+name+"\n"), judged); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestALastReportByOtherRulesHoldsNothingAndSaysSo(t *testing.T) {
	policy, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	rules := reports.Policy{ID: policy.ID(), Version: "0.0.1", Digest: audit.DigestOf([]byte("older"))}
	d := &dossier{policy: policy, previous: &previousDocument{Policy: rules, Eligible: []string{"scs-open-iaas"}}}
	if d.before() != nil || !strings.Contains(d.previousRow().Unused, "it was decided by other rules: "+policy.ID()+" 0.0.1") {
		t.Errorf("got %+v, %+v", d.before(), d.previousRow())
	}
	d.previous.Policy.Digest = policy.Digest()
	if b := d.before(); b == nil || !b.Eligible["scs-open-iaas"] {
		t.Errorf("a report by the same rules holds nothing: %+v", b)
	}
}

func TestFindingsAboutProjectsAreKeptOfALastReport(t *testing.T) {
	project := audit.SubjectRef{Kind: policies.KindProject, ID: "keystone"}
	r := reports.Report{
		Verdicts: []reports.Verdict{{Scope: "b", Outcome: policies.Eligible}, {Scope: "a", Outcome: policies.Eligible}, {Scope: "c", Outcome: policies.Undetermined}},
		Findings: []reports.Finding{
			{ID: "project-activity/keystone", Subject: project, Outcome: audit.PASS},
			{ID: "project-security/keystone", Subject: project, Outcome: audit.FAIL, Probation: 1},
			{ID: "project-open-design/keystone", Subject: project, Outcome: audit.DNF},
			{ID: "artifact-pinned/x", Subject: audit.SubjectRef{Kind: policies.KindArtifact, ID: "x"}, Outcome: audit.PASS},
		},
	}
	got := condensed(r, "sha256:x")
	if strings.Join(got.Eligible, " ") != "a b" || strings.Join(got.Met, " ") != "project-activity/keystone" || len(got.Below) != 1 || got.Below["project-security/keystone"] != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestALastReportThatLivesWithAFailureIsNoContradictionWhereThePolicyAllowsIt(t *testing.T) {
	strict, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	lenient, err := strict.Turned(map[string]bool{"waivedMustBlocks": false})
	if err != nil {
		t.Fatal(err)
	}
	r := reports.Report{
		Schema: reports.Schema, Subject: reports.Subject{Name: "x", Kind: "cloud"}, AssessedAt: judged, Policy: reports.Policy{ID: strict.ID(), Digest: strict.Digest()},
		Verdicts: []reports.Verdict{{Scope: "scs-open-iaas", Outcome: policies.Eligible}},
		Findings: []reports.Finding{{ID: "project-no-knock-out/redis", Requirement: "project-no-knock-out", Scopes: []string{"scs-open-iaas"}, Severity: policies.Must, Outcome: audit.FAIL,
			Waived: &audit.Waived{By: "Example Assessors", Until: judged.AddDate(0, 6, 0)}}},
	}
	var stack Stack
	stack.Subject.Name, stack.Subject.Kind = "x", "cloud"
	if err := fits(r, stack, judged.AddDate(0, 3, 0), lenient); err != nil {
		t.Errorf("a waiver that does not block: %v", err)
	}
	if err := fits(r, stack, judged.AddDate(0, 3, 0), strict); err == nil {
		t.Error("a waiver that blocks: want a contradiction")
	}
	r.Findings[0].Waived = nil
	if err := fits(r, stack, judged.AddDate(0, 3, 0), lenient); err == nil {
		t.Error("a failure that nobody waived: want a contradiction")
	}
}
