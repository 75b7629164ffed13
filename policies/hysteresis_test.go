package policies

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// after evaluates subjects with the last result as the one before, as a stack file with previous: does.
func after(t *testing.T, p *Policy, subjects []Subject, last *Result, audits int) Result {
	t.Helper()
	profile := p.Profile()
	profile.Hysteresis.Audits = audits
	in := Input{Subjects: subjects, Scopes: p.ScopeIDs(), Profile: profile, AssessedAt: day(t, "2026-11-24")}
	if last != nil {
		in.Previous = &Previous{AssessedAt: day(t, "2026-08-24"), Eligible: map[string]bool{}, Met: map[string]bool{}, Below: map[string]int{}}
		for _, v := range last.Verdicts {
			in.Previous.Eligible[v.Scope] = v.Outcome == Eligible
		}
		for _, f := range last.Findings {
			in.Previous.Met[f.ID] = f.Outcome == audit.PASS
			if f.Probation > 0 {
				in.Previous.Below[f.ID] = f.Probation
			}
		}
	}
	r, err := p.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestALevelSurvivesOneQuietAuditAndNotTwo(t *testing.T) {
	p := builtIn(t)
	project := func(change func(*Project)) []Subject {
		return with(KindProject, func(s *Subject) {
			r := s.Record.(Project)
			r.Coverage = map[string]int64{}
			for _, a := range aspects() {
				r.Coverage[a] = 10000
			}
			change(&r)
			s.Record = r
		})
	}
	good := full()
	quiet := project(func(r *Project) { r.Activity = audit.Between(4000, 4900) })
	unclear := project(func(r *Project) { r.Activity = audit.Between(4000, 9000) })
	other := project(func(r *Project) { r.Security = audit.Between(4000, 4900) })
	blind := project(func(r *Project) { r.Activity, r.Coverage["activity"] = audit.Between(4000, 9000), 7999 })
	unread := with(KindProject, func(s *Subject) {
		s.Unknown = append(s.Unknown, UnknownField{Field: "activity", Looked: true, Reason: "no clone"})
	})
	knocked := project(func(r *Project) { r.Activity, r.KnockOut, r.KnockOuts = audit.Exactly(0), true, []string{"AC-01"} })
	stranger := slices.Clone(quiet)
	for i, s := range stranger {
		if s.Ref.Kind == KindProject {
			stranger[i].Ref.ID, stranger[i].Ref.Name = "nova", "Nova"
		}
	}
	for name, c := range map[string]struct {
		row    [][]Subject
		audits int
		want   string // e: eligible, +: eligible on probation, n: not eligible, u: undetermined
	}{
		"one quiet audit":                         {[][]Subject{good, quiet, good}, 2, "e+e"},
		"two in a row":                            {[][]Subject{good, quiet, quiet}, 2, "e+n"},
		"lost, and not held again":                {[][]Subject{good, quiet, quiet, quiet, good}, 2, "e+nne"},
		"quiet at first":                          {[][]Subject{quiet, good, quiet}, 2, "ne+"},
		"an interval that spans the gate":         {[][]Subject{good, unclear, unclear}, 2, "e+u"},
		"first unclear, then missed":              {[][]Subject{good, unclear, quiet}, 2, "e+n"},
		"another gate in the next audit":          {[][]Subject{good, quiet, other}, 2, "e++"},
		"too little known counts at once":         {[][]Subject{good, blind}, 2, "eu"},
		"a score that was not read, too":          {[][]Subject{good, unread}, 2, "eu"},
		"a knock-out counts at once":              {[][]Subject{good, knocked}, 2, "en"},
		"a project that was not there before":     {[][]Subject{good, stranger}, 2, "en"},
		"three audits, if the profile says so":    {[][]Subject{good, quiet, quiet, quiet}, 3, "e++n"},
		"a profile without hysteresis holds none": {[][]Subject{good, quiet}, 1, "en"},
		"a profile that says nothing, neither":    {[][]Subject{good, quiet}, 0, "en"},
		"no audit before":                         {[][]Subject{quiet}, 2, "n"},
	} {
		got := ""
		var last *Result
		for _, subjects := range c.row {
			r := after(t, p, subjects, last, c.audits)
			v := verdictOf(t, r, "scs-sovereign-iaas")
			switch {
			case v.Outcome == Eligible && len(v.Probation) > 0:
				got += "+"
			default:
				got += v.Outcome[:1]
			}
			if (len(v.Probation) > 0) != slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Probation > 0 }) {
				t.Errorf("%s: verdict and findings disagree about probation: %v", name, v.Probation)
			}
			last = &r
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	first := after(t, p, good, nil, 2)
	f := findingOf(t, after(t, p, quiet, &first, 2), "project-activity/keystone")
	if k := findingOf(t, after(t, p, knocked, &first, 2), "project-activity/keystone"); k.Probation != 0 {
		t.Errorf("what is knocked out is on probation: %s", k.Reason)
	}
	if f.Outcome != audit.FAIL || !strings.Contains(f.Reason, "on probation: 1 audit after the audit of 2026-08-24") {
		t.Errorf("what lies below a gate must not look as if it did not: %s %s", f.Outcome, f.Reason)
	}
}

func TestALastAuditThatReachedNothingHoldsNothing(t *testing.T) {
	p := builtIn(t)
	quiet := with(KindProject, func(s *Subject) {
		r := s.Record.(Project)
		r.Activity = audit.Between(4000, 4900)
		s.Record = r
	})
	last := after(t, p, without(full(), KindOperator), nil, 2)
	r := after(t, p, quiet, &last, 2)
	if v := verdictOf(t, r, "scs-sovereign-iaas"); v.Outcome != NotEligible {
		t.Errorf("a level that was never reached is held: %+v", v)
	}
}

// A report of others may hold any number of audits; none of them holds a level for longer.
func TestAnAbsurdNumberOfAuditsHoldsNothing(t *testing.T) {
	p := builtIn(t)
	quiet := with(KindProject, func(s *Subject) {
		r := s.Record.(Project)
		r.Activity = audit.Between(4000, 4900)
		s.Record = r
	})
	last := after(t, p, full(), nil, 2)
	for i := range last.Findings {
		last.Findings[i].Outcome, last.Findings[i].Probation = audit.FAIL, math.MaxInt
	}
	r := after(t, p, quiet, &last, 2)
	if v := verdictOf(t, r, "scs-sovereign-iaas"); v.Outcome != NotEligible || findingOf(t, r, "project-activity/keystone").Probation != 0 {
		t.Errorf("got %+v", v)
	}
}
