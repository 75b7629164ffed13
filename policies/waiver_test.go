package policies

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

const aWaiver = `schema: pegel/waiver/v1
by: Example Assessors
date: 2026-11-20
waivers:
- {requirement: project-no-knock-out, subject: harbor, reason: "The upgrade is planned for January.", until: 2027-01-31}
`

// waived is a full sample in which one project is knocked out, and a waiver of that.
func waived(t *testing.T) (subjects []Subject, w Waiver) {
	t.Helper()
	subjects = full()
	for i, s := range subjects {
		if p, ok := s.Record.(Project); ok {
			p.KnockOut, p.KnockOuts = true, []string{"MA-02"}
			subjects[i].Record = p
			w = Waiver{Requirement: "project-no-knock-out", Subject: s.Ref.ID, Reason: "the upgrade is planned", By: "Example Assessors", Key: "SHA256:a",
				From: day(t, "2026-11-20"), Until: endOfDay(day(t, "2027-01-31"))}
		}
	}
	return subjects, w
}

func withWaivers(t *testing.T, p *Policy, subjects []Subject, waivers ...Waiver) Result {
	t.Helper()
	result, err := p.Evaluate(Input{Subjects: subjects, Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24"), Waivers: waivers})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func firstOf(r Result, requirement string) audit.Finding {
	i := slices.IndexFunc(r.Findings, func(f audit.Finding) bool { return f.Requirement == requirement })
	return r.Findings[i]
}

func TestAWaivedFailureStaysAFailureAndBlocksUnlessThePolicySaysOtherwise(t *testing.T) {
	subjects, w := waived(t)
	plain := withWaivers(t, builtIn(t), subjects)
	if got := plain.Verdicts[0]; got.Outcome != NotEligible || len(got.Waived) != 0 {
		t.Fatalf("without a waiver: %+v", got)
	}
	blocked := withWaivers(t, builtIn(t), subjects, w)
	f := firstOf(blocked, "project-no-knock-out")
	if f.Outcome != audit.FAIL || f.Waived == nil || f.Waived.By != "Example Assessors" || !f.Waived.Until.Equal(w.Until) {
		t.Errorf("the finding: want a FAIL that is waived, got %+v", f)
	}
	if got := blocked.Verdicts[0]; got.Outcome != NotEligible || !slices.Equal(got.Waived, []string{f.ID}) || !slices.Contains(got.Limiting, f.ID) {
		t.Errorf("by default a waived must blocks: %+v", got)
	}
	lenient, err := FromFiles(swapped(t, "policy.yaml", "waivedMustBlocks:\n    on: true", "waivedMustBlocks:\n    on: false"))
	if err != nil {
		t.Fatal(err)
	}
	got := withWaivers(t, lenient, subjects, w)
	if v := got.Verdicts[0]; v.Outcome != Eligible || !slices.Equal(v.Waived, []string{f.ID}) || v.ValidUntil.After(w.Until) {
		t.Errorf("switched off it does not, and the verdict ends with the waiver at the latest: %+v", v)
	}
	if f := firstOf(got, "project-no-knock-out"); f.Outcome != audit.FAIL {
		t.Errorf("even then the finding is a FAIL: %+v", f)
	}
}

func TestAWaiverThatDoesNotFitChangesNothingAndSaysWhy(t *testing.T) {
	subjects, good := waived(t)
	want := withWaivers(t, builtIn(t), subjects)
	for name, c := range map[string]struct {
		change func(*Waiver)
		why    string
	}{
		"unsigned":            {func(w *Waiver) { w.Key = "" }, "not signed"},
		"over":                {func(w *Waiver) { w.Until = endOfDay(day(t, "2026-11-23")) }, "it ended on 2026-11-23"},
		"of tomorrow":         {func(w *Waiver) { w.From = day(t, "2026-11-25") }, "it counts from 2026-11-25 on"},
		"no such requirement": {func(w *Waiver) { w.Requirement = "project-knock-out" }, "no such requirement"},
		"another subject":     {func(w *Waiver) { w.Subject = "nova" }, "nothing of that name"},
		"what passes":         {func(w *Waiver) { w.Requirement = "project-maintained" }, "the answer is PASS"},
		"the level below":     {func(w *Waiver) { w.Requirement, w.Subject = "prerequisite-held", "scs-compatible-iaas" }, "cannot be waived"},
	} {
		w := good
		c.change(&w)
		got := withWaivers(t, builtIn(t), subjects, w)
		if len(got.Unused) != 1 || !strings.Contains(got.Unused[0].Why, c.why) {
			t.Errorf("%s: want %q, got %+v", name, c.why, got.Unused)
		}
		got.Unused = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: it changed the result", name)
		}
	}
	if last := withWaivers(t, builtIn(t), subjects, good); firstOf(last, "project-no-knock-out").Waived == nil {
		t.Error("the good one counts")
	}
}

// A waiver never makes anything better than it would be with the failure repaired, and never hides one.
func TestWaiversNeverTurnAnAnswerOver(t *testing.T) {
	subjects, w := waived(t)
	var all []Waiver
	for _, f := range withWaivers(t, builtIn(t), subjects).Findings {
		one := w
		one.Requirement, one.Subject = f.Requirement, f.Subject.ID
		all = append(all, one)
	}
	before, after := withWaivers(t, builtIn(t), subjects), withWaivers(t, builtIn(t), subjects, all...)
	for i := range before.Findings {
		if before.Findings[i].ID != after.Findings[i].ID || before.Findings[i].Outcome != after.Findings[i].Outcome {
			t.Errorf("%s: %s became %s", before.Findings[i].ID, before.Findings[i].Outcome, after.Findings[i].Outcome)
		}
	}
	slices.Reverse(all)
	if again := withWaivers(t, builtIn(t), subjects, all...); !reflect.DeepEqual(after, again) {
		t.Error("the order of waivers matters")
	}
}

func TestFilesOfWaiversAreReadStrictly(t *testing.T) {
	list, err := ParseWaivers("waivers.yaml", []byte(aWaiver))
	if err != nil || len(list) != 1 || list[0].By != "Example Assessors" || list[0].Key != "" || list[0].Until.Format(time.RFC3339) != "2027-01-31T23:59:59Z" {
		t.Fatalf("a good file: %+v %v", list, err)
	}
	for from, c := range map[string]struct{ to, want string }{
		"reason: ":                             {"reazon: ", `unknown key "reazon"; did you mean "reason"?`},
		"until: 2027-01-31":                    {"until: soon", "a day such as"},
		", until: 2027-01-31":                  {"", `"until" is missing`},
		"2027-01-31":                           {"2026-11-01", "ends before the day of the file"},
		"until: 2027-01":                       {"until: 2029-01", "at most 1 year"},
		"by: Example Assessors":                {"by: somebody@example.org", "may name a person"},
		"pegel/waiver/v1":                      {"pegel/waiver/v2", "is not one of pegel/waiver/v1"},
		"subject: harbor":                      {"subject: \"\"", `"subject" is missing`},
		"date: 2026-11-20":                     {"", `"date" is missing`},
		"- {requirement: project-no-knock-out": {"- {requirement: Project", "is not made of"},
	} {
		text := strings.Replace(aWaiver, from, c.to, 1)
		_, err := ParseWaivers("waivers.yaml", []byte(text))
		var bad *LoadError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", from, c.want, err)
		}
	}
	twice := aWaiver + strings.SplitAfter(aWaiver, "waivers:\n")[1]
	if _, err := ParseWaivers("waivers.yaml", []byte(twice)); err == nil || !strings.Contains(err.Error(), "waived twice") {
		t.Errorf("twice: %v", err)
	}
}

func FuzzParseWaivers(f *testing.F) {
	f.Add([]byte(aWaiver))
	f.Add([]byte("schema: pegel/waiver/v1\nwaivers: [{}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseWaivers("w", data)
		if err != nil && len(list) > 0 {
			t.Error("waivers beside an error")
		}
		for _, w := range list {
			if w.Key != "" || w.Until.Before(w.From) || w.Until.After(w.From.AddDate(1, 0, 2)) || w.Reason == "" || w.By == "" {
				t.Errorf("a waiver without an end, a reason or an issuer: %+v", w)
			}
		}
	})
}

func TestAWaiverOfAnArtifactDoesNotReachAFoldedPackage(t *testing.T) {
	subjects := without(full(), KindPackage)
	for i := range mostSingle + 1 {
		id := fmt.Sprintf("pkg:deb/x-%04d", i)
		subjects = append(subjects, Subject{
			Ref:    audit.SubjectRef{Kind: KindPackage, ID: id, Name: id, Tiers: []string{"functional"}},
			Record: Package{Artifact: "image:x", Licence: "LicenseRef-x", LicenceClass: "restricted", Identified: true},
		})
	}
	_, w := waived(t)
	w.Requirement, w.Subject = "package-licence-free", "image:x"
	r := withWaivers(t, builtIn(t), subjects, w)
	if f := findingOf(t, r, "package-licence-free/packages of image:x/fail"); f.Count != 1 || f.Waived != nil || len(r.Unused) != 1 {
		t.Errorf("want one folded package that is not waived, got %+v and unused %+v", f, r.Unused)
	}
}
