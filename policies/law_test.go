package policies

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// allUnknown is a subject of a kind about which nobody knows anything.
func allUnknown(kind, id string, looked bool) Subject {
	s := Subject{Ref: audit.SubjectRef{Kind: kind, ID: id, Name: id}}
	for _, k := range kinds() {
		if kindOf(k) == kind {
			s.Record = k
		}
	}
	for _, f := range FieldsOf(kind) {
		s.Unknown = append(s.Unknown, UnknownField{Field: f, Looked: looked, Reason: "nothing is known"})
	}
	return s
}

// full is one subject of each kind that meets every requirement of every scope.
func full() []Subject {
	score := audit.Between(9000, 10000)
	coverage := map[string]int64{}
	for _, a := range aspects() {
		coverage[a] = 10000
	}
	tiers := []string{"functional", "iam", "ops"}
	return []Subject{
		{Ref: audit.SubjectRef{Kind: KindStack, ID: "stack", Name: "Example"}, Record: Stack{Name: "Example", Kind: "cloud", Artifacts: 1, BOM: true,
			DigestShare: score, ScannedShare: score, PlacedShare: score, ResolvedShare: score, SBOMBSI: true, SBOMShare: score, SBOMOpen: "nothing"}},
		{Ref: audit.SubjectRef{Kind: KindArtifact, ID: "image:keystone", Name: "keystone", Tiers: tiers}, Record: Artifact{
			Name: "keystone", Kind: "image", Reference: "registry.example.org/keystone:26.0.1", Version: "26.0.1",
			Pinned: true, Digest: true, Identified: true, Seen: true, BOM: true, Packages: 1, VersionKnown: true, AsDeclared: true, Supported: true,
			SBOMBSI: true, SBOMShare: score, SBOMOpen: "nothing", BuilderBSI: true, BuilderShare: score, BuilderOpen: "nothing"}},
		{Ref: audit.SubjectRef{Kind: KindProduct, ID: "keystone@26.0.1", Name: "Keystone 26.0.1", Tiers: tiers}, Record: Product{
			Name: "Keystone", Artifact: "image:keystone", Version: "26.0.1", Licence: "Apache-2.0", LicenceClass: "osi", LicenceChecked: true}},
		{Ref: audit.SubjectRef{Kind: KindPackage, ID: "pkg:deb/bash", Name: "bash 5.2", Tiers: tiers}, Record: Package{
			Name: "bash", Version: "5.2", Type: "deb", Artifact: "image:keystone", Licence: "GPL-3.0-or-later", LicenceClass: "osi", Identified: true}},
		{Ref: audit.SubjectRef{Kind: KindProject, ID: "keystone", Name: "Keystone", Tiers: tiers}, Record: Project{
			Name: "Keystone", Role: "platform", OpenSource: score, OpenCommunity: score, OpenDevelopment: score, OpenDesign: score,
			Maturity: score, Security: score, Activity: score, LockIn: score, LockInRisk: "low", Coverage: coverage, Maintained: true}},
		{Ref: audit.SubjectRef{Kind: KindOperator, ID: "operator", Name: "Example GmbH"}, Record: Operator{
			StatusPage: true, StatusCurrent: true, IncidentHistory: true, IncidentDetails: true, MaintenanceAnnounced: true, ErrorsExplained: true,
			IncidentReports: true, ReportsComplete: true, ReportsTimely: true, HealthMonitor: true, MonitorHistory: true,
			RunbooksOpen: true, Runbooks: true, RunbooksCurrent: true, NoSecrets: true, ConfigurationOpen: true, ConfigurationClean: true,
			ManifestoSigned: true, Contributes: true, ContributesUpstream: true, SharesKnowledge: true,
			SBOMPublished: true, SBOMStates: true, SBOMMatches: true, SecurityContact: true, SecuritySigned: true,
			Advisories: true, AdvisoriesTimely: true, AdvisoriesComplete: true, Imprint: true, CertificatePage: true,
			PatchesPublic: true, PatchesLinked: true, IdentityFederation: true, UpgradesTested: true,
			SkillsBuilt: true, ExchangeChannels: true, CommunitiesConnected: true, Blameless: true, FeedbackWelcome: true}},
		{Ref: audit.SubjectRef{Kind: KindPrerequisite, ID: "scs-compatible-iaas", Name: "SCS-compatible IaaS"}, Record: Prerequisite{Scope: "scs-compatible-iaas", Held: true, TestsPass: true}},
		{Ref: audit.SubjectRef{Kind: KindPrerequisite, ID: "scs-compatible-kaas", Name: "SCS-compatible KaaS"}, Record: Prerequisite{Scope: "scs-compatible-kaas", Held: true, TestsPass: true}},
		{Ref: audit.SubjectRef{Kind: KindArtifact, ID: "host:ctl-01", Name: "ctl-01", Tiers: tiers}, Record: Artifact{
			Name: "ctl-01", Kind: "host", Version: "12", Pinned: true, Identified: true, Seen: true, BOM: true, Packages: 1, VersionKnown: true, Supported: true,
			SBOMBSI: true, SBOMShare: score, SBOMOpen: "nothing"}},
	}
}

func evaluate(t testing.TB, p *Policy, subjects []Subject, scopes ...string) Result {
	t.Helper()
	if len(scopes) == 0 {
		scopes = p.ScopeIDs()
	}
	r, err := p.Evaluate(Input{Subjects: subjects, Scopes: scopes, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAFullSampleIsEligibleForEverything(t *testing.T) {
	r := evaluate(t, builtIn(t), full())
	for _, v := range r.Verdicts {
		if v.Outcome != Eligible || len(v.Limiting) != 0 {
			t.Errorf("%s: want eligible, got %s because of %q", v.Scope, v.Outcome, v.Limiting)
		}
	}
	passed := map[string]bool{}
	for _, f := range r.Findings {
		passed[f.Requirement] = passed[f.Requirement] || f.Outcome == audit.PASS
		if f.Outcome != audit.PASS && f.Outcome != audit.NA {
			t.Errorf("%s: want PASS, or NA for a kind of artifact that it is not about, got %s: %s", f.ID, f.Outcome, f.Reason)
		}
	}
	for _, q := range builtIn(t).Requirements() {
		if !passed[q.ID] {
			t.Errorf("%s: no subject of the full sample passes", q.ID)
		}
	}
}

func TestEmptyEvidenceGivesOnlyMISS(t *testing.T) {
	p := builtIn(t)
	var unknown []Subject
	for _, s := range full() {
		unknown = append(unknown, allUnknown(s.Ref.Kind, s.Ref.ID, false))
	}
	for name, subjects := range map[string][]Subject{"no subject at all": nil, "subjects without a fact": unknown} {
		t.Run(name, func(t *testing.T) {
			r := evaluate(t, p, subjects)
			if len(r.Findings) < 20 {
				t.Errorf("only %d findings: requirements were dropped silently", len(r.Findings))
			}
			for _, f := range r.Findings {
				// A prerequisite that is judged here was looked at: it is undetermined.
				if f.Outcome != audit.MISS && !(f.Subject.Kind == KindPrerequisite && f.Outcome == audit.DNF) {
					t.Errorf("%s: want MISS, got %s: %s", f.ID, f.Outcome, f.Reason)
				}
			}
			for _, v := range r.Verdicts {
				if v.Outcome != Undetermined || len(v.Limiting) == 0 {
					t.Errorf("%s: want undetermined with its reasons, got %s, %d reasons", v.Scope, v.Outcome, len(v.Limiting))
				}
			}
		})
	}
}

// Knocking a fact out never makes an answer better: what did not pass does not pass, and nothing new fails.
func TestKnockingOutAnyFactNeverMakesAPassOrAFail(t *testing.T) {
	p := builtIn(t)
	for _, c := range builtInCases(t, p).rules {
		if len(c.switches) > 0 {
			continue // by other rules than these
		}
		q, _ := p.Requirement(c.requirement)
		scope, _ := p.asking(q.ID)
		before := judge(t, p, q, c.subject(q, scope)).Outcome
		for _, names := range knockOuts(q) {
			for _, looked := range []bool{false, true} {
				s := c.subject(q, scope)
				s.Unknown = slices.DeleteFunc(s.Unknown, func(u UnknownField) bool { return slices.Contains(names, u.Field) })
				for _, name := range names {
					s.Unknown = append(s.Unknown, UnknownField{Field: name, Looked: looked})
				}
				after := judge(t, p, q, s).Outcome
				if after != before && (after == audit.PASS || after == audit.FAIL || after == audit.NA) {
					t.Errorf("%s, %q without %s: %s became %s", q.ID, c.name, names, before, after)
				}
			}
		}
	}
}

// knockOuts lists what a requirement is tried without: each fact that its rules read, and all the others at once.
func knockOuts(q Requirement) [][]string {
	var out [][]string
	others := FieldsOf(q.ForEach)
	for _, i := range q.rule.reads {
		name := q.rule.schema[i].name
		out = append(out, []string{name})
		others = slices.DeleteFunc(others, func(o string) bool { return o == name })
	}
	return append(out, others)
}

func TestEveryFactThatARuleReadsIsNeededForAPass(t *testing.T) {
	p := builtIn(t)
	for _, s := range full() {
		for _, q := range p.Requirements() {
			if q.ForEach != s.Ref.Kind {
				continue
			}
			if judge(t, p, q, s).Outcome == audit.NA {
				continue // about another kind of artifact
			}
			for _, i := range q.rule.reads {
				name := q.rule.schema[i].name
				worse := s
				worse.Unknown = []UnknownField{{Field: name}}
				// A rule with alternatives can do without one of them.
				if f := judge(t, p, q, worse); f.Outcome != audit.MISS && !(f.Outcome == audit.PASS && strings.Contains(q.Pass, "||")) {
					t.Errorf("%s without %s: want MISS, got %s", q.ID, name, f.Outcome)
				}
			}
			blind := s
			blind.Unknown = nil
			for _, i := range q.rule.reads {
				blind.Unknown = append(blind.Unknown, UnknownField{Field: q.rule.schema[i].name})
			}
			if f := judge(t, p, q, blind); f.Outcome != audit.MISS {
				t.Errorf("%s with nothing known: want MISS, got %s", q.ID, f.Outcome)
			}
		}
	}
}

func TestWhatIsOnlyDeclaredNeverPasses(t *testing.T) {
	p := builtIn(t)
	subjects := full()
	for i := range subjects {
		subjects[i].Intent = true
	}
	for _, f := range evaluate(t, p, subjects, "scs-open-iaas").Findings {
		if f.Outcome != audit.MISS && f.Outcome != audit.NA {
			t.Errorf("%s: want MISS, or NA for a kind of artifact that it is not about, got %s", f.ID, f.Outcome)
		}
	}
}

// mixed makes many subjects with known, unknown, failing and unplaced facts.
func mixed(r *rand.Rand, n int) []Subject {
	out := []Subject{full()[0], full()[5], full()[6]}
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	for i := range n {
		id := string(rune('a'+i%26)) + string(rune('0'+i/26%10)) + string(rune('A'+i/260))
		s := full()[1+r.IntN(4)]
		s.Ref.ID += id
		s.Ref.Tiers = []string{pick("functional", "iam", "ops", "base")}
		s.Area = pick("", "iaas", "container", "storage")
		s.Intent = r.IntN(4) == 0
		switch v := s.Record.(type) {
		case Product:
			v.LicenceClass = pick("osi", "restricted", "unknown")
			s.Record = v
		case Package:
			v.LicenceClass = pick("osi", "restricted", "unknown", "docs-data")
			v.Artifact = pick("image:a", "image:b")
			s.Record = v
		case Project:
			v.OpenSource = audit.Between(r.IntN(10000), r.IntN(10000))
			v.Role = pick("platform", "building-block")
			s.Record = v
		}
		if r.IntN(3) == 0 {
			fields := FieldsOf(s.Ref.Kind)
			s.Unknown = []UnknownField{{Field: fields[r.IntN(len(fields))], Looked: r.IntN(2) == 0, Reason: "reason " + id}}
		}
		out = append(out, s)
	}
	return out
}

func TestTheOrderOfSubjectsAndScopesNeverMatters(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		subjects := mixed(r, 120)
		want := evaluate(t, p, subjects)
		r.Shuffle(len(subjects), func(i, j int) { subjects[i], subjects[j] = subjects[j], subjects[i] })
		scopes := p.ScopeIDs()
		r.Shuffle(len(scopes), func(i, j int) { scopes[i], scopes[j] = scopes[j], scopes[i] })
		if got := evaluate(t, p, subjects, scopes...); !reflect.DeepEqual(want, got) {
			t.Fatalf("seed %d: another order gives another result", seed)
		}
	}
}

func TestFindingIDsAreUniqueAndLimitingFindingsExist(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(10) {
		result := evaluate(t, p, mixed(rand.New(rand.NewPCG(seed, 2)), 150))
		seen := map[string]audit.Finding{}
		for _, f := range result.Findings {
			if _, twice := seen[f.ID]; twice {
				t.Errorf("seed %d: finding %q stands there twice", seed, f.ID)
			}
			seen[f.ID] = f
		}
		for _, v := range result.Verdicts {
			for _, id := range v.Limiting {
				if f, ok := seen[id]; !ok || !slices.Contains(f.Scopes, v.Scope) {
					t.Errorf("seed %d: %s is limited by %q, which is no finding of it", seed, v.Scope, id)
				}
			}
		}
	}
}

// Narrowing a score can settle an answer but never turn it over.
func TestABetterKnownScoreNeverTurnsAnAnswerOver(t *testing.T) {
	p := builtIn(t)
	q, _ := p.Requirement("four-opens-source")
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		a, b := r.IntN(10001), r.IntN(10001)
		low, high := min(a, b), max(a, b)
		inner := audit.Between(low+r.IntN(high-low+1), high)
		inner = audit.Between(inner.Low(), inner.Low()+r.IntN(high-inner.Low()+1))
		answer := func(i audit.Interval) audit.Outcome {
			s := full()[4]
			project := s.Record.(Project)
			project.OpenSource = i
			s.Record = project
			return judge(t, p, q, s).Outcome
		}
		before, after := answer(audit.Between(low, high)), answer(inner)
		if (before == audit.PASS || before == audit.FAIL) && after != before {
			t.Errorf("%d..%d gives %s, but %s within it gives %s", low, high, before, inner, after)
		}
	}
}
