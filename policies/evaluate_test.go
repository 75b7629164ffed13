package policies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// with returns the full sample with one subject of a kind changed.
func with(kind string, change func(*Subject)) []Subject {
	out := full()
	for i := range out {
		if out[i].Ref.Kind == kind {
			change(&out[i])
			break
		}
	}
	return out
}

func without(subjects []Subject, kind string) []Subject {
	return slices.DeleteFunc(subjects, func(s Subject) bool { return s.Ref.Kind == kind })
}

func verdictOf(t *testing.T, r Result, scope string) Verdict {
	t.Helper()
	for _, v := range r.Verdicts {
		if v.Scope == scope {
			return v
		}
	}
	t.Fatalf("no verdict about %s", scope)
	return Verdict{}
}

func findingOf(t *testing.T, r Result, id string) audit.Finding {
	t.Helper()
	var ids []string
	for _, f := range r.Findings {
		if f.ID == id {
			return f
		}
		ids = append(ids, f.ID)
	}
	t.Fatalf("no finding %q among\n%s", id, strings.Join(ids, "\n"))
	return audit.Finding{}
}

func TestAVerdictFollowsFromItsMusts(t *testing.T) {
	redis := Subject{
		Ref:    audit.SubjectRef{Kind: KindProduct, ID: "redis@7.4.2", Name: "Redis 7.4.2", Tiers: []string{"ops"}},
		Record: Product{Name: "Redis", Version: "7.4.2", Licence: "LicenseRef-RSALv2 OR SSPL-1.0", LicenceClass: "restricted"}, Area: "database",
	}
	functional := redis
	functional.Ref.Tiers = []string{"functional"}
	unplaced := redis
	unplaced.Ref.Tiers, unplaced.Area = nil, ""
	container := functional
	container.Area = "container"
	type want struct {
		scope, outcome string
		limiting       []string
	}
	const bad = "product-licence-osi/redis@7.4.2"
	tests := []struct {
		name     string
		subjects []Subject
		want     []want
	}{
		{"a restricted licence in operations leaves SCS-open alone and decides SCS-sovereign", append(full(), redis), []want{
			{"scs-open-iaas", Eligible, nil}, {"scs-sovereign-iaas", NotEligible, []string{bad}}, {"scs-sovereign-kaas", NotEligible, []string{bad}},
		}},
		{"a restricted licence in the functional stack decides both levels", append(full(), functional), []want{
			{"scs-open-iaas", NotEligible, []string{bad}},
			{"scs-sovereign-iaas", NotEligible, []string{bad, "prerequisite-held/scs-open-iaas"}},
		}},
		{"a part of the container layer counts for KaaS only", append(full(), container), []want{
			{"scs-open-iaas", Eligible, nil}, {"scs-open-kaas", NotEligible, []string{bad}},
		}},
		{"what has no place in the stack counts everywhere", append(full(), unplaced), []want{
			{"scs-open-iaas", NotEligible, []string{bad}}, {"scs-open-kaas", NotEligible, []string{bad}},
		}},
		{"one missing fact leaves it undetermined", with(KindProduct, func(s *Subject) {
			s.Unknown = []UnknownField{{Field: "openCore"}}
		}), []want{
			{"scs-open-iaas", Undetermined, []string{"product-not-open-core/keystone@26.0.1"}},
			{"scs-sovereign-iaas", Undetermined, []string{"product-not-open-core/keystone@26.0.1", "prerequisite-held/scs-open-iaas"}},
		}},
		{"a failed should blocks nothing", with(KindOperator, func(s *Subject) {
			o := s.Record.(Operator)
			o.SecurityContact, o.SBOMPublished = false, false
			s.Record = o
		}), []want{{"scs-open-iaas", Eligible, nil}, {"scs-sovereign-iaas", Eligible, nil}}},
		{"a declared answer is tentative: the scope stays undetermined", with(KindOperator, func(s *Subject) {
			o := s.Record.(Operator)
			o.Contributes, o.ContributesUpstream = false, false
			s.Record, s.Declared = o, map[string]bool{"sharesKnowledge": true}
		}), []want{{"scs-sovereign-iaas", Undetermined, []string{"open-operations-contribution/operator"}}}},
		{"what was measured needs no word of the operator", with(KindOperator, func(s *Subject) {
			s.Declared = map[string]bool{"sharesKnowledge": true}
		}), []want{{"scs-sovereign-iaas", Eligible, nil}}},
		{"the level below is not held", with(KindPrerequisite, func(s *Subject) {
			s.Record = Prerequisite{Scope: "scs-compatible-iaas"}
		}), []want{
			{"scs-open-iaas", NotEligible, []string{"prerequisite-held/scs-compatible-iaas"}},
			{"scs-sovereign-iaas", NotEligible, []string{"prerequisite-held/scs-open-iaas"}},
			{"scs-open-kaas", Eligible, nil},
		}},
		{"nobody said whether the level below is held", without(full(), KindPrerequisite), []want{
			{"scs-open-iaas", Undetermined, []string{"prerequisite-held/scs-compatible-iaas"}},
			{"scs-sovereign-iaas", Undetermined, []string{"prerequisite-held/scs-open-iaas"}},
		}},
		{"no upstream project was seen", without(full(), KindProject), []want{
			{"scs-open-iaas", Undetermined, []string{
				"project-no-knock-out/none in scs-open-iaas", "project-maintained/none in scs-open-iaas",
				"four-opens-source/none in scs-open-iaas", "four-opens-community/none in scs-open-iaas",
				"four-opens-development/none in scs-open-iaas", "four-opens-design/none in scs-open-iaas"}},
		}},
	}
	p := builtIn(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := evaluate(t, p, tt.subjects)
			for _, w := range tt.want {
				v := verdictOf(t, r, w.scope)
				if v.Outcome != w.outcome || !slices.Equal(v.Limiting, w.limiting) {
					t.Errorf("%s:\nwant %s %q\ngot  %s %q", w.scope, w.outcome, w.limiting, v.Outcome, v.Limiting)
				}
			}
		})
	}
}

func TestAReasonNamesTheValuesThatDecided(t *testing.T) {
	r := evaluate(t, builtIn(t), with(KindProduct, func(s *Subject) {
		s.Ref.Name = "Redis 7.4.2"
		s.Record = Product{Name: "Redis", Version: "7.4.2", Licence: "LicenseRef-RSALv2 OR SSPL-1.0", LicenceClass: "restricted"}
		s.Origins = map[string][]audit.Origin{"licence": {{Source: "git", Path: "LICENSE.txt"}}, "": {{Source: "osism"}}}
	}))
	f := findingOf(t, r, "product-licence-osi/keystone@26.0.1")
	if want := "Redis 7.4.2: licence LicenseRef-RSALv2 OR SSPL-1.0 is restricted, not approved by the OSI"; f.Reason != want {
		t.Errorf("reason:\nwant %s\ngot  %s", want, f.Reason)
	}
	if want := []audit.Origin{{Source: "git", Path: "LICENSE.txt"}, {Source: "osism"}}; !slices.Equal(f.Origins, want) {
		t.Errorf("origins: want %v, got %v", want, f.Origins)
	}
	if f.Owner != "operator" || f.Remedy == "" || f.Severity != Must {
		t.Errorf("owner, remedy or severity missing: %+v", f)
	}
}

func TestAReasonFromOutsideStaysOnOneLine(t *testing.T) {
	r := evaluate(t, builtIn(t), with(KindProduct, func(s *Subject) {
		s.Ref.Name = "evil\n\x1b[2Jname"
		s.Record = Product{Licence: "MIT\nPASS", LicenceClass: "restricted"}
		s.Unknown = []UnknownField{{Field: "openCore", Looked: true, Reason: "no\r\nreason\u202e" + strings.Repeat("x", 5000)}}
	}))
	for _, f := range r.Findings {
		if strings.ContainsAny(f.Reason, "\n\r\x1b\u202e") || len(f.Reason) > 2000 {
			t.Errorf("reason of %d bytes: %q", len(f.Reason), f.Reason)
		}
	}
}

func TestAScoreThatIsKnownInPartSaysWhatWouldSettleIt(t *testing.T) {
	r := evaluate(t, builtIn(t), with(KindProject, func(s *Subject) {
		p := s.Record.(Project)
		p.OpenDesign, p.Coverage = audit.Between(3150, 9050), map[string]int64{"open-source": 10000, "open-community": 10000,
			"open-development": 10000, "open-design": 4100, "security": 10000, "activity": 10000}
		s.Record = p
		s.Settle = map[string][]string{"openDesign": {"read the governance page"}}
	}), "scs-open-iaas")
	f := findingOf(t, r, "four-opens-design/keystone")
	if f.Outcome != audit.DNF || !slices.Equal(f.Settle, []string{"read the governance page"}) || !slices.Equal(f.Missing, []string{"project.openDesign"}) {
		t.Errorf("want DNF that names project.openDesign and how to settle it, got %+v", f)
	}
	if want := "Keystone: not known: open design (known to be 31..91 of 100, which is not enough to tell: 60 of 100 is needed with 60 % of the weight known, and 41 % are)"; f.Reason != want {
		t.Errorf("reason:\nwant %s\ngot  %s", want, f.Reason)
	}
}

func TestARequirementAndASubjectAreCountedOnceHoweverManyScopesAsk(t *testing.T) {
	r := evaluate(t, builtIn(t), full())
	f := findingOf(t, r, "product-licence-osi/keystone@26.0.1")
	if want := []string{"scs-open-iaas", "scs-open-kaas", "scs-sovereign-iaas", "scs-sovereign-kaas"}; !slices.Equal(f.Scopes, want) {
		t.Errorf("scopes: want %q, got %q", want, f.Scopes)
	}
	n := 0
	for _, f := range r.Findings {
		n += one(f.Requirement == "four-opens-source")
	}
	if n != 1 {
		t.Errorf("the gates of both levels are the same, so one finding is wanted, got %d", n)
	}
}

func TestALevelWithOtherGatesAsksItsOwnQuestion(t *testing.T) {
	p := builtIn(t)
	in := Input{Subjects: with(KindProject, func(s *Subject) {
		project := s.Record.(Project)
		project.OpenSource = audit.Between(7000, 7500)
		s.Record = project
	}), Scopes: []string{"scs-sovereign-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}
	in.Profile.Gates["scs-sovereign"][rolePlatform]["open-source"] = audit.Gate{Low: 8000, Coverage: 8000}
	r, err := p.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]audit.Outcome{"four-opens-source/keystone": audit.PASS, "four-opens-source@scs-sovereign/keystone": audit.FAIL} {
		if f := findingOf(t, r, id); f.Outcome != want {
			t.Errorf("%s: want %s, got %s", id, want, f.Outcome)
		}
	}
	if v := verdictOf(t, r, "scs-open-iaas"); v.Outcome != Eligible {
		t.Errorf("scs-open-iaas: want eligible, got %s", v.Outcome)
	}
}

func TestAReleaseHasNoOperator(t *testing.T) {
	p := builtIn(t)
	in := Input{Subjects: full(), Scopes: []string{"scs-sovereign-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24"), ReleaseWithoutOperator: true}
	for _, subjects := range [][]Subject{full(), without(without(full(), KindOperator), KindPrerequisite)} {
		in.Subjects = subjects
		r, err := p.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"status-page/operator", "open-operations-contribution/operator", "prerequisite-held/scs-compatible-iaas"} {
			if f := findingOf(t, r, id); f.Outcome != audit.MISS || !strings.Contains(f.Reason, "a release has no operator") {
				t.Errorf("%s: want MISS because a release has no operator, got %s: %s", id, f.Outcome, f.Reason)
			}
		}
		if f := findingOf(t, r, "prerequisite-held/scs-open-iaas"); f.Outcome != audit.DNF {
			t.Errorf("the verdict about SCS-open is undetermined: want DNF, got %s", f.Outcome)
		}
	}
}

func TestEvidenceStopsToCountAtTheEndOfItsLifetime(t *testing.T) {
	p := builtIn(t)
	observed := func(d string) []Subject {
		return with(KindProject, func(s *Subject) { s.Observed = day(t, d) })
	}
	t.Run("fresh evidence holds until the first of the month after next", func(t *testing.T) {
		r := evaluate(t, p, observed("2026-10-02"), "scs-open-iaas")
		if f := findingOf(t, r, "project-maintained/keystone"); f.Outcome != audit.PASS || !f.ValidUntil.Equal(day(t, "2026-12-01")) {
			t.Errorf("want PASS until 2026-12-01, got %s until %s", f.Outcome, f.ValidUntil)
		}
		v := verdictOf(t, r, "scs-open-iaas")
		if !v.ValidUntil.Equal(day(t, "2026-12-01")) || !strings.Contains(v.Ends, "evidence of Keystone") {
			t.Errorf("want 2026-12-01 because of Keystone, got %s because of %q", v.ValidUntil, v.Ends)
		}
	})
	t.Run("old evidence decides nothing, neither way", func(t *testing.T) {
		for _, maintained := range []bool{true, false} {
			subjects := observed("2026-09-02")
			project := subjects[4].Record.(Project)
			project.Maintained = maintained
			subjects[4].Record = project
			f := findingOf(t, evaluate(t, p, subjects, "scs-open-iaas"), "project-maintained/keystone")
			if want := "Keystone: the evidence is of 2026-09-02 and counted until 2026-11-01"; f.Outcome != audit.DNF || f.Reason != want {
				t.Errorf("maintained %v: want DNF, %s; got %s, %s", maintained, want, f.Outcome, f.Reason)
			}
		}
	})
}

func TestLifetimesEndWithThePeriodAfterTheCurrentOne(t *testing.T) {
	tests := []struct{ observed, period, want string }{
		{"2026-11-24", "day", "2026-11-26"},
		{"2026-11-24", "week", "2026-12-07"}, // a Tuesday
		{"2026-11-23", "week", "2026-12-07"}, // a Monday
		{"2026-11-22", "week", "2026-11-30"}, // a Sunday
		{"2026-11-24", "month", "2027-01-01"},
		{"2026-12-31", "month", "2027-02-01"},
		{"2026-11-24", "quarter", "2027-04-01"},
		{"2026-01-01", "quarter", "2026-07-01"},
		{"2026-11-24", "year", "2028-01-01"},
		{"2026-01-31", "year", "2027-03-01"},
	}
	for _, tt := range tests {
		if got, ok := audit.Lifetime(tt.period).End(day(t, tt.observed)); !ok || !got.Equal(day(t, tt.want)) {
			t.Errorf("%s, one %s: want %s, got %s", tt.observed, tt.period, tt.want, got)
		}
	}
	if _, ok := audit.Lifetime("fortnight").End(day(t, "2026-11-24")); ok {
		t.Error("a fortnight is no period")
	}
}

func TestARequirementThatIsNotEffectiveYetOnlyWarns(t *testing.T) {
	files := builtIn(t).Files()
	for i, f := range files {
		if f.Name == "modules/publication.yaml" {
			text := strings.Replace(string(f.Data), "severity: should", "severity: must\n  effective_on: 2027-01-01", 1)
			files[i].Data = []byte(text)
		}
	}
	p, err := FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	subjects := with(KindOperator, func(s *Subject) {
		o := s.Record.(Operator)
		o.SBOMPublished = false
		s.Record = o
	})
	for when, want := range map[string]string{"2026-12-31": Eligible, "2027-01-01": NotEligible} {
		r, err := p.Evaluate(Input{Subjects: subjects, Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, when)})
		if err != nil {
			t.Fatal(err)
		}
		if v := verdictOf(t, r, "scs-open-iaas"); v.Outcome != want {
			t.Errorf("on %s: want %s, got %s", when, want, v.Outcome)
		}
	}
}

func TestPackagesThatPassAreFoldedAndOthersAreListedUpToABound(t *testing.T) {
	subjects := without(full(), KindPackage)
	add := func(n int, artifact, class string) {
		for i := range n {
			id := fmt.Sprintf("pkg:deb/%s-%s-%04d", artifact, class, i)
			subjects = append(subjects, Subject{
				Ref:    audit.SubjectRef{Kind: KindPackage, ID: id, Name: fmt.Sprintf("%s%04d 1", class, i), Tiers: []string{"functional"}},
				Record: Package{Artifact: "image:" + artifact, Licence: "LicenseRef-x", LicenceClass: class, Identified: true},
			})
		}
	}
	add(700, "keystone", "osi")
	add(450, "keystone", "restricted")
	add(3, "nova", "unknown")
	r := evaluate(t, builtIn(t), subjects, "scs-open-iaas")

	pass := findingOf(t, r, "package-licence-free/packages of image:keystone/pass")
	if pass.Count != 700 || pass.Subject.Name != "keystone" || pass.Reason != "keystone: 700 packages pass" {
		t.Errorf("want one line for 700 packages of keystone, got %+v", pass)
	}
	folded := findingOf(t, r, "package-licence-free/packages of image:keystone/fail")
	if folded.Count != 250 || !strings.Contains(folded.Reason, "restricted0200 1, ") || !strings.HasSuffix(folded.Reason, "and 200 more") {
		t.Errorf("want the 250 that are not listed, by count and first names, got %d: %s", folded.Count, folded.Reason)
	}
	single := map[audit.Outcome]int{}
	for _, f := range r.Findings {
		if f.Requirement == "package-licence-free" && f.Count == 0 {
			single[f.Outcome]++
		}
	}
	if single[audit.FAIL] != mostSingle || single[audit.DNF] != 3 {
		t.Errorf("listed one by one: want %d FAIL and 3 DNF, got %v", mostSingle, single)
	}
	v := verdictOf(t, r, "scs-open-iaas")
	var all Counts
	for _, f := range r.Findings {
		all.add(f.Outcome, max(1, f.Count))
	}
	if v.Counts != all || v.Counts.Fail != 450 || v.Counts.DNF != 3 {
		t.Errorf("folded findings are counted in full: want 450 FAIL and 3 DNF of %+v, got %+v", all, v.Counts)
	}
}

func TestInputThatContradictsItselfIsAnError(t *testing.T) {
	p := builtIn(t)
	tests := []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"an unknown scope", func(in *Input) { in.Scopes = []string{"scs-open-iass"} }, `unknown scope "scs-open-iass"; did you mean "scs-open-iaas"?`},
		{"no scope", func(in *Input) { in.Scopes = nil }, "no scope is requested"},
		{"a subject given twice", func(in *Input) { in.Subjects = append(in.Subjects, in.Subjects[1]) }, `subject "image:keystone" of kind artifact is given twice`},
		{"a record of another kind", func(in *Input) { in.Subjects[0].Record = Project{} }, `kind "stack" does not fit a record of type policies.Project`},
		{"no record", func(in *Input) { in.Subjects[0].Record = nil }, `does not fit a record of type <nil>`},
		{"an unknown field", func(in *Input) { in.Subjects[0].Unknown = []UnknownField{{Field: "bomm"}} }, `stack has no field "bomm"; its fields are name, kind`},
		{"a verdict from outside about a scope that is judged here", func(in *Input) {
			in.Scopes = []string{"scs-sovereign-iaas"}
			in.Subjects = append(in.Subjects, Subject{Ref: audit.SubjectRef{Kind: KindPrerequisite, ID: "scs-open-iaas"}, Record: Prerequisite{Held: true}})
		}, "its verdict comes from here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Subjects: full(), Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}
			tt.change(&in)
			if _, err := p.Evaluate(in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want an error with %q, got %v", tt.want, err)
			}
		})
	}
}

func TestAFactLongerThanItsBoundIsNotJudged(t *testing.T) {
	long := make([]string, mostItems+1)
	r := evaluate(t, builtIn(t), with(KindProject, func(s *Subject) {
		p := s.Record.(Project)
		p.KnockOuts = long
		p.Coverage = map[string]int64{}
		for i := range mostItems + 1 {
			p.Coverage[fmt.Sprint(i)] = 10000
		}
		s.Record = p
	}), "scs-open-iaas")
	if f := findingOf(t, r, "four-opens-source/keystone"); f.Outcome != audit.DNF || !strings.Contains(f.Reason, "the value has 201 entries; at most 200 are judged") {
		t.Errorf("want DNF because the coverage is too long, got %s: %s", f.Outcome, f.Reason)
	}
}

func TestAProfileWithoutAGateOrALifetimeDecidesNothing(t *testing.T) {
	p := builtIn(t)
	in := Input{Subjects: full(), Scopes: []string{"scs-open-iaas"}, AssessedAt: day(t, "2026-11-24")}
	r, err := p.Evaluate(in) // the zero profile
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Outcome == audit.PASS || f.Outcome == audit.FAIL {
			t.Errorf("%s: want no decision, got %s", f.ID, f.Outcome)
		}
	}
}
