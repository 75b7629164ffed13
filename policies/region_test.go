package policies

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func evaluateRegions(t testing.TB, p *Policy, regions []string, subjects []Subject, scopes ...string) Result {
	t.Helper()
	if len(scopes) == 0 {
		scopes = p.ScopeIDs()
	}
	r, err := p.Evaluate(Input{Subjects: subjects, Regions: regions, Scopes: scopes, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shared are the subjects of the full sample that no region has for itself.
func shared() []Subject {
	return slices.DeleteFunc(full(), func(s Subject) bool { return placed(s.Ref.Kind) })
}

// ownOf are the subjects of the full sample that are deployed, as those of some regions.
func ownOf(regions ...string) []Subject {
	out := slices.DeleteFunc(full(), func(s Subject) bool { return !placed(s.Ref.Kind) })
	for i := range out {
		out[i].Regions = regions
	}
	return out
}

// restricted turns the licence of the product into one that no level allows.
func restricted(subjects []Subject) []Subject {
	out := slices.Clone(subjects)
	for i, s := range out {
		if p, ok := s.Record.(Product); ok {
			p.LicenceClass = "restricted"
			out[i].Record = p
		}
	}
	return out
}

func regionOf(t *testing.T, v Verdict, region string) RegionVerdict {
	t.Helper()
	for _, r := range v.Regions {
		if r.Region == region {
			return r
		}
	}
	t.Fatalf("%s: no verdict about region %q", v.Scope, region)
	return RegionVerdict{}
}

func TestWithoutRegionsNothingIsSaidAboutRegions(t *testing.T) {
	r := evaluate(t, builtIn(t), full())
	for _, v := range r.Verdicts {
		if v.Regions != nil || v.Worst != nil {
			t.Errorf("%s: want no regions, got %v and %q", v.Scope, v.Regions, v.Worst)
		}
	}
	for _, f := range r.Findings {
		if f.Regions != nil {
			t.Errorf("%s: want no regions, got %q", f.ID, f.Regions)
		}
	}
}

func TestTheGroupTakesTheWorstRegionAndNamesIt(t *testing.T) {
	open := slices.Clone(ownOf("muc"))
	for i, s := range open {
		if s.Ref.Kind == KindProduct {
			open[i].Unknown = []UnknownField{{Field: "licenceClass", Looked: true, Reason: "nobody read the file"}}
		}
	}
	tests := []struct {
		name     string
		fra, muc []Subject
		want     string
		worst    []string
	}{
		{"both are eligible", ownOf("fra"), ownOf("muc"), Eligible, nil},
		{"one fails", restricted(ownOf("fra")), ownOf("muc"), NotEligible, []string{"fra"}},
		{"one is undetermined", ownOf("fra"), open, Undetermined, []string{"muc"}},
		{"one fails and one is undetermined", restricted(ownOf("fra")), open, NotEligible, []string{"fra"}},
		{"both fail", restricted(ownOf("fra")), restricted(ownOf("muc")), NotEligible, []string{"fra", "muc"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := evaluateRegions(t, builtIn(t), []string{"muc", "fra"}, slices.Concat(shared(), tt.fra, tt.muc))
			for _, scope := range []string{"scs-open-iaas", "scs-sovereign-iaas"} {
				v := verdictOf(t, r, scope)
				if v.Outcome != tt.want || !slices.Equal(v.Worst, tt.worst) {
					t.Errorf("%s: want %s by %q, got %s by %q", scope, tt.want, tt.worst, v.Outcome, v.Worst)
				}
				for _, region := range tt.worst {
					if got := regionOf(t, v, region); len(got.Limiting) == 0 {
						t.Errorf("%s in %s: %s, and no finding says why", scope, region, got.Outcome)
					}
				}
			}
		})
	}
}

func TestAFindingSaysInWhichRegionsItCounts(t *testing.T) {
	r := evaluateRegions(t, builtIn(t), []string{"fra", "muc"}, slices.Concat(shared(), restricted(ownOf("fra")), ownOf("muc")))
	bad := findingOf(t, r, "product-licence-osi/keystone@26.0.1 in fra")
	good := findingOf(t, r, "product-licence-osi/keystone@26.0.1 in muc")
	if bad.Outcome != audit.FAIL || !slices.Equal(bad.Regions, []string{"fra"}) || good.Outcome != audit.PASS || !slices.Equal(good.Regions, []string{"muc"}) {
		t.Errorf("want FAIL in fra and PASS in muc, got %s in %q and %s in %q", bad.Outcome, bad.Regions, good.Outcome, good.Regions)
	}
	v := verdictOf(t, r, "scs-open-iaas")
	if !slices.Equal(v.Limiting, []string{bad.ID}) {
		t.Errorf("want the group limited by %q, got %q", bad.ID, v.Limiting)
	}
	held := findingOf(t, r, "prerequisite-held/scs-open-iaas in muc")
	if held.Outcome != audit.PASS || findingOf(t, r, "prerequisite-held/scs-open-iaas in fra").Outcome != audit.FAIL {
		t.Errorf("want level 3 held in muc and not in fra, got %s in muc: %s", held.Outcome, held.Reason)
	}
	if got := regionOf(t, verdictOf(t, r, "scs-sovereign-iaas"), "muc"); got.Outcome != Eligible {
		t.Errorf("want muc eligible for level 4, got %s because of %q", got.Outcome, got.Limiting)
	}
	if f := findingOf(t, r, "prerequisite-held/scs-compatible-iaas"); f.Regions != nil {
		t.Errorf("want one line where all regions agree, got one for %q", f.Regions)
	}
}

func TestARegionWithoutAnythingOfItsOwnIsUndeterminedByName(t *testing.T) {
	// Everything that is deployed is shared: enough for a stack, nothing of the region.
	r := evaluateRegions(t, builtIn(t), []string{"fra", "muc"}, slices.Concat(full(), nil), "scs-open-iaas")
	v := verdictOf(t, r, "scs-open-iaas")
	if v.Outcome != Undetermined || !slices.Equal(v.Worst, []string{"fra", "muc"}) {
		t.Fatalf("want undetermined by fra and muc, got %s by %q", v.Outcome, v.Worst)
	}
	own := slices.DeleteFunc(full(), func(s Subject) bool { return s.Ref.Kind != KindArtifact })
	for i := range own {
		own[i].Regions, own[i].Ref.ID = []string{"muc"}, own[i].Ref.ID+"-of-muc"
	}
	r = evaluateRegions(t, builtIn(t), []string{"fra", "muc"}, slices.Concat(full(), own), "scs-open-iaas")
	v = verdictOf(t, r, "scs-open-iaas")
	fra := regionOf(t, v, "fra")
	if fra.Outcome != Undetermined || fra.Reason == "" || regionOf(t, v, "muc").Outcome != Eligible || !slices.Equal(v.Worst, []string{"fra"}) {
		t.Fatalf("want fra undetermined with a reason and muc eligible, got %+v", v.Regions)
	}
	f := findingOf(t, r, fra.Limiting[0])
	if f.Outcome != audit.MISS || !strings.Contains(f.Reason, "region fra") || !strings.Contains(f.Settle[0], "fra") {
		t.Errorf("want a finding that names the region and what to do, got %s: %s %q", f.Outcome, f.Reason, f.Settle)
	}
}

func TestAddingARegionNeverImproves(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		names := []string{"ber", "fra", "muc"}
		var subjects []Subject
		before := map[string]string{}
		for n := range names {
			subjects = append(subjects, regionalMix(r, names[n], n == 0)...)
			for _, v := range evaluateRegions(t, p, names[:n+1], subjects).Verdicts {
				if was, ok := before[v.Scope]; ok && outcomeRank(v.Outcome) > outcomeRank(was) {
					t.Errorf("seed %d, %s: region %s turned %s into %s", seed, v.Scope, names[n], was, v.Outcome)
				}
				before[v.Scope] = v.Outcome
			}
		}
	}
}

// A region is judged as if there were no other: its verdict is that of a stack of its own subjects and the shared ones.
func TestOneRegionNeverLeaksIntoAnother(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 8))
		names := []string{"fra", "muc"}
		fra, muc := regionalMix(r, "fra", true), regionalMix(r, "muc", false)
		if seed%2 == 0 {
			fra, muc = slices.Concat(shared(), ownOf("fra")), restricted(ownOf("muc"))
		}
		both := evaluateRegions(t, p, names, slices.Concat(fra, muc))
		common := slices.DeleteFunc(slices.Clone(fra), func(s Subject) bool { return s.Regions != nil })
		for name, subjects := range map[string][]Subject{"fra": fra, "muc": slices.Concat(common, muc)} {
			alone := slices.Clone(subjects)
			for i := range alone {
				alone[i].Regions = nil
			}
			for _, want := range evaluate(t, p, alone).Verdicts {
				got := regionOf(t, verdictOf(t, both, want.Scope), name)
				var limiting []string
				for _, id := range got.Limiting {
					limiting = append(limiting, strings.TrimSuffix(id, " in "+name))
				}
				if got.Outcome != want.Outcome || got.Counts != want.Counts || !got.ValidUntil.Equal(want.ValidUntil) || !slices.Equal(limiting, want.Limiting) {
					t.Errorf("seed %d, %s in %s:\nalone    %s %+v %v %q\ntogether %s %+v %v %q", seed, want.Scope, name,
						want.Outcome, want.Counts, want.ValidUntil, want.Limiting, got.Outcome, got.Counts, got.ValidUntil, limiting)
				}
			}
		}
	}
}

// regionalMix makes subjects of one region, with an artifact that is in order; with the shared ones of the sample for the first.
func regionalMix(r *rand.Rand, region string, first bool) []Subject {
	var out []Subject
	if first {
		out = shared()
	}
	out = append(out, ownOf(region)...)
	for _, s := range mixed(r, 40)[3:] {
		s.Regions = []string{region}
		if s.Ref.Kind == KindPackage {
			s.Ref.ID += fmt.Sprint(" of ", region)
		}
		out = append(out, s)
	}
	return out
}

func TestTheOrderOfRegionsNeverMatters(t *testing.T) {
	p := builtIn(t)
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		regions := []string{"ber", "fra", "muc"}
		subjects := slices.Concat(regionalMix(r, "ber", true), regionalMix(r, "fra", false), regionalMix(r, "muc", false))
		everybody := full()[4]
		everybody.Ref.ID, everybody.Regions = "nova", []string{"muc", "ber"}
		want := evaluateRegions(t, p, regions, append(subjects, everybody))
		everybody.Regions = []string{"ber", "muc"}
		subjects = append(subjects, everybody)
		r.Shuffle(len(subjects), func(i, j int) { subjects[i], subjects[j] = subjects[j], subjects[i] })
		r.Shuffle(len(regions), func(i, j int) { regions[i], regions[j] = regions[j], regions[i] })
		if got := evaluateRegions(t, p, regions, subjects); !reflect.DeepEqual(want, got) {
			t.Fatalf("seed %d: another order gives another result", seed)
		}
		seen := map[string]bool{}
		for _, f := range want.Findings {
			if seen[f.ID] {
				t.Errorf("seed %d: finding %q stands there twice", seed, f.ID)
			}
			seen[f.ID] = true
		}
	}
}

func TestARegionIsHeldOnlyIfItWasReachedThere(t *testing.T) {
	p := builtIn(t)
	low := ownOf("fra")
	for i, s := range low {
		if project, ok := s.Record.(Project); ok {
			project.OpenSource = audit.Between(100, 200)
			low[i].Record = project
		}
	}
	in := Input{Subjects: slices.Concat(shared(), low, ownOf("muc")), Regions: []string{"fra", "muc"}, Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}
	for _, tt := range []struct {
		name    string
		regions map[string]map[string]bool
		want    string
	}{
		{"it was", map[string]map[string]bool{"fra": {"scs-open-iaas": true}}, Eligible},
		{"only another was", map[string]map[string]bool{"muc": {"scs-open-iaas": true}}, NotEligible},
		{"the last report knew no regions", nil, Eligible},
	} {
		in.Previous = &Previous{AssessedAt: day(t, "2026-08-24"), Eligible: map[string]bool{"scs-open-iaas": true}, Regions: tt.regions,
			Met: map[string]bool{"four-opens-source/keystone in fra": true}}
		r, err := p.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		v := verdictOf(t, r, "scs-open-iaas")
		if got := regionOf(t, v, "fra"); got.Outcome != tt.want {
			t.Errorf("%s: want %s, got %s because of %q", tt.name, tt.want, got.Outcome, got.Limiting)
		}
	}
}

func TestRegionsThatContradictThemselvesAreRefused(t *testing.T) {
	p := builtIn(t)
	many := make([]string, MostRegions+1)
	for i := range many {
		many[i] = fmt.Sprintf("r%03d", i)
	}
	for _, tt := range []struct {
		name string
		in   Input
		want string
	}{
		{"twice", Input{Regions: []string{"fra", "fra"}, Subjects: full()}, `region "fra" is given twice`},
		{"too many", Input{Regions: many, Subjects: full()}, "65 regions are given"},
		{"no name", Input{Regions: []string{""}, Subjects: full()}, "want a name"},
		{"unknown", Input{Regions: []string{"fra"}, Subjects: ownOf("muc")}, `unknown region "muc"`},
		{"none", Input{Subjects: ownOf("muc")}, `unknown region "muc"`},
		{"empty", Input{Regions: []string{"fra"}, Subjects: ownOf()}, ""},
		{"overlapping", Input{Regions: []string{"fra", "muc"}, Subjects: slices.Concat(ownOf("fra", "muc"), ownOf("muc"))}, "is given twice"},
		{"shared and own", Input{Regions: []string{"fra"}, Subjects: slices.Concat(full(), ownOf("fra"))}, "is given twice"},
	} {
		tt.in.Scopes, tt.in.Profile, tt.in.AssessedAt = []string{"scs-open-iaas"}, p.Profile(), day(t, "2026-11-24")
		_, err := p.Evaluate(tt.in)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
		}
	}
	if _, err := p.Evaluate(Input{Regions: many[:MostRegions], Subjects: full(), Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}); err != nil {
		t.Errorf("want %d regions judged, got %v", MostRegions, err)
	}
}

func TestTheWorklistKeepsWhatBlocksInOneRegionAndIsHeldInAnother(t *testing.T) {
	p := builtIn(t)
	low := ownOf("fra", "muc")
	for i, s := range low {
		if project, ok := s.Record.(Project); ok {
			project.OpenSource = audit.Between(100, 200)
			low[i].Record = project
		}
	}
	const id = "four-opens-source/keystone"
	in := Input{Subjects: slices.Concat(shared(), low), Regions: []string{"fra", "muc"}, Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}
	for _, tt := range []struct {
		name    string
		reached map[string]map[string]bool
		want    bool
	}{
		{"held in both", map[string]map[string]bool{"fra": {"scs-open-iaas": true}, "muc": {"scs-open-iaas": true}}, false},
		{"held in one", map[string]map[string]bool{"fra": {"scs-open-iaas": true}}, true},
	} {
		in.Previous = &Previous{AssessedAt: day(t, "2026-08-24"), Regions: tt.reached, Met: map[string]bool{id: true}}
		r, err := p.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		blocks := slices.Contains(verdictOf(t, r, "scs-open-iaas").Limiting, id)
		o := p.Outlook(r, in.AssessedAt)[0]
		listed := slices.ContainsFunc(o.Tasks, func(task Task) bool { return slices.Contains(task.Findings, id) })
		if blocks != tt.want || listed != tt.want {
			t.Errorf("%s: want %v, it limits the verdict %v, and the worklist names it %v", tt.name, tt.want, blocks, listed)
		}
		if wantOwn := map[bool]string{false: "scs-open-iaas"}[tt.want]; o.Own != wantOwn {
			t.Errorf("%s: want %q reachable by the operator alone, got %q", tt.name, wantOwn, o.Own)
		}
	}
}
