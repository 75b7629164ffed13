package indicator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

// rounds is how many random projects each law is held against.
const rounds = 200

// random makes a project with evidence of any kind: good or bad, old or young, whole or cut off. Each fact is known.
func random(r *rand.Rand) sample {
	s := sampleWith()
	chance := func(percent int) bool { return r.IntN(100) < percent }
	pick := func(options ...string) string { return options[r.IntN(len(options))] }
	s.p.Foundation = pick("", "none", "OpenInfra")
	s.p.Versions = [][]string{nil, {"9.2.1"}, {"9.2.1", "8.0"}}[r.IntN(3)]
	if chance(20) {
		s.p.Links = nil
	}
	licence := func() string {
		return pick("Apache-2.0", "MIT", "SSPL-1.0", "", "CC-BY-4.0", "MIT OR SSPL-1.0", "WTFPL")
	}
	parts := func() (list []scoring.SubLicence) {
		for range r.IntN(3) {
			list = append(list, scoring.SubLicence{Document: docs(pick("ee/LICENSE", "vendor/a/LICENSE", "b/COPYING"))[0],
				Expression: licence(), Vendored: chance(70), Product: chance(10)})
		}
		return list
	}
	head := parts()
	facts := func(version, commit string, parts []scoring.SubLicence) audit.Fact[scoring.LicenceFacts] {
		return audit.Known(scoring.LicenceFacts{Version: version, Commit: commit, Expression: licence(), Files: docs("LICENSE"), Parts: audit.Known(parts)})
	}
	s.e.Licences = map[string]audit.Fact[scoring.LicenceFacts]{
		"": facts("", revision, head), "9.2.1": facts("9.2.1", tagged, parts()), "8.0": facts("8.0", tagged, parts()),
	}
	var list []scoring.LicenceState
	for i := range r.IntN(5) {
		list = append(list, scoring.LicenceState{From: ago(1900 - 300*i - r.IntN(200)), Commit: fmt.Sprint(i), Expression: licence()})
	}
	s.e.LicenceHistory = audit.Known(list)
	randomHistory(r, chance)(&s)
	releases(func(rel *scoring.Releases) {
		rel.Releases24m = r.IntN(5)
		rel.Signed24m = r.IntN(rel.Releases24m + 1)
		rel.LastRelease = ago(r.IntN(900))
		if chance(50) {
			rel.EOLTags = []string{pick("9.2-eol", "8-eom", "7-eol", "v8.0-em"), "train-eol"}
		}
		for i := range rel.StableBranches {
			rel.StableBranches[i].Last = ago(r.IntN(200))
		}
		if chance(30) {
			rel.StableBranches = nil
		}
	})(&s)
	if chance(60) {
		// A project that has tagged the end of a series has a calendar that says so too.
		releases(func(rel *scoring.Releases) {
			rel.EOLTags = slices.DeleteFunc(slices.Clone(rel.EOLTags), func(tag string) bool { return tag == "9.2-eol" })
		})(&s)
		var list []scoring.Cycle
		for _, prefix := range []string{"9.2", "9", "8"} {
			end := ago(r.IntN(600) - 300)
			c := scoring.Cycle{Name: prefix, Prefix: prefix, EndLow: end, EndHigh: end.AddDate(0, 0, r.IntN(100)), Status: pick("maintained", "maintained", "unmaintained", "development", ""), Estimate: chance(20)}
			if chance(20) {
				c.EndLow = time.Time{}
			}
			if chance(20) {
				c.EndHigh = time.Time{}
			}
			list = append(list, c)
		}
		cycles(list...)(&s)
	}
	tree(func(t *scoring.Tree) {
		for _, m := range []map[string][]scoring.Document{t.Documents, t.Tools} {
			for _, topic := range slices.Sorted(maps.Keys(m)) {
				if chance(40) {
					delete(m, topic)
				}
			}
		}
		if chance(50) {
			t.Documents["contributing"] = marked("CONTRIBUTING.md", pick("", "cla", "dco"))
		}
		if chance(30) {
			t.Documents["cla"] = marked("CLA.md", pick("", "assignment"))
		}
		t.SourceFiles = r.IntN(400)
		t.TestFiles = r.IntN(200)
		lines := r.IntN(t.SourceFiles + 1)
		t.SPDXHeaders, t.LicenceNotices = audit.Known(lines), audit.Known(min(t.SourceFiles, 2*lines))
		t.REUSE = chance(10)
		proposals := r.IntN(5)
		t.ProposalsChanged12m, t.ProposalsReviewed12m = audit.Known(proposals), audit.Known(r.IntN(proposals+1))
		t.ReadmePages = [][]string{nil, {"docs.example.org/security"}}[r.IntN(2)]
		t.RoadmapChanged = audit.Known(ago(r.IntN(800)))
		t.BinaryCount = r.IntN(5)
		t.SubLicences = head
		if chance(50) {
			t.ReadmeLinks = []string{pick("lists.example.org", "docs.example.org"), "example.org"}
		}
		t.GerritProject = pick("", "", "review.example.com/x")
		if chance(10) {
			t.LicenceFiles = nil
		}
	})(&s)
	randomPlaces(r, &s)
	s.p.Expected = expectedAsRead(s)
	return s
}

// expectedAsRead is a catalogue that agrees with the licences that were read: evidence of one world does not contradict itself.
func expectedAsRead(s sample) audit.Fact[map[string][]scoring.Edition] {
	rows := map[string][]scoring.Edition{}
	versions := s.p.Versions
	if len(versions) == 0 && len(s.p.Links) == 0 {
		versions = []string{""}
	}
	for _, version := range versions {
		facts, _ := s.e.Licences[version].Get()
		rows[version] = []scoring.Edition{{Licence: facts.Expression, Open: facts.Expression != "SSPL-1.0", Source: "example"}}
	}
	return audit.Known(rows, audit.Origin{Source: "catalogue", Path: "example"})
}

func randomHistory(r *rand.Rand, chance func(int) bool) change {
	return history(func(h *scoring.History) {
		h.FirstCommit = ago([]int{30, 200, 500, 900, 4000}[r.IntN(5)])
		h.Shallow = chance(25)
		h.Human90d = []int{0, 5, 12, 13, 400}[r.IntN(5)]
		h.LastHumanCommit = ago(r.IntN(600))
		h.Newcomers12m = r.IntN(5)
		h.AuthorsYear2 = r.IntN(10)
		h.Retained = r.IntN(h.AuthorsYear2 + 1)
		for i := range h.Quarters {
			h.Quarters[i].Authors = r.IntN(12)
		}
		for i := range h.Windows {
			h.Windows[i] = randomWindow(r, h.Windows[i].Months)
		}
	})
}

func randomWindow(r *rand.Rand, months int) scoring.Window {
	w := scoring.Window{Months: months}
	if r.IntN(6) == 0 {
		return w
	}
	w.HumanCommits = 1 + r.IntN(200)
	w.Commits = w.HumanCommits + r.IntN(20)
	w.Reverts = r.IntN(w.Commits/5*1 + 1)
	w.SignedOff, w.Reviewed = r.IntN(w.HumanCommits+1), r.IntN(w.HumanCommits+1)
	w.Committers, w.BusFactor50, w.ActiveMonths, w.OffsetBands = r.IntN(5), 1+r.IntN(4), 1+r.IntN(months), 1+r.IntN(3)
	w.TopAuthorBP = r.IntN(10001)
	w.TopOrgLowBP = r.IntN(10001)
	w.TopOrgHighBP = w.TopOrgLowBP + r.IntN(10001-w.TopOrgLowBP)
	w.TopTwoLowBP = w.TopOrgLowBP + r.IntN(10001-w.TopOrgLowBP)
	w.TopTwoHighBP = w.TopTwoLowBP + r.IntN(10001-w.TopTwoLowBP)
	w.ElephantLow = 1 + r.IntN(3)
	w.ElephantHigh = w.ElephantLow + r.IntN(3)
	w.OutsideAuthorsLow = r.IntN(15)
	w.OutsideAuthorsHigh = w.OutsideAuthorsLow + r.IntN(10)
	return w
}

// knockOut is one fact that can be taken away. in vain: somebody looked for it in vain.
type knockOut struct {
	name string
	take func(s *sample, vain bool)
}

func lost[T any](vain bool) audit.Fact[T] {
	if vain {
		return audit.Failed[T]("could not be read")
	}
	return audit.Fact[T]{}
}

func knockOuts() []knockOut {
	licences := func(name string, f func(e map[string]audit.Fact[scoring.LicenceFacts], vain bool)) knockOut {
		return knockOut{name, func(s *sample, vain bool) {
			s.e.Licences = maps.Clone(s.e.Licences)
			f(s.e.Licences, vain)
		}}
	}
	list := []knockOut{
		{"history", func(s *sample, vain bool) { s.e.History = lost[scoring.History](vain) }},
		{"releases", func(s *sample, vain bool) { s.e.Releases = lost[scoring.Releases](vain) }},
		{"tree", func(s *sample, vain bool) { s.e.Tree = lost[scoring.Tree](vain) }},
		{"licence history", func(s *sample, vain bool) { s.e.LicenceHistory = lost[[]scoring.LicenceState](vain) }},
		{"SPDX lines", func(s *sample, vain bool) {
			if s.e.Tree.Value != nil {
				tree(func(t *scoring.Tree) { t.SPDXHeaders = lost[int](vain) })(s)
			}
		}},
		{"licence notices", func(s *sample, vain bool) {
			if s.e.Tree.Value != nil {
				tree(func(t *scoring.Tree) { t.LicenceNotices = lost[int](vain) })(s)
			}
		}},
		{"changes of proposals", func(s *sample, vain bool) {
			if s.e.Tree.Value != nil {
				tree(func(t *scoring.Tree) { t.ProposalsChanged12m = lost[int](vain) })(s)
			}
		}},
		{"reviews of proposals", func(s *sample, vain bool) {
			if s.e.Tree.Value != nil {
				tree(func(t *scoring.Tree) { t.ProposalsReviewed12m = lost[int](vain) })(s)
			}
		}},
		{"calendar", func(s *sample, vain bool) { s.e.Cycles = lost[scoring.Cycles](vain) }},
		{"change of the roadmap", func(s *sample, vain bool) {
			if s.e.Tree.Value != nil {
				tree(func(t *scoring.Tree) {
					t.RoadmapChanged.Value, t.RoadmapChanged.Failure = nil, map[bool]string{true: "in vain"}[vain]
				})(s)
			}
		}},
		{"foundation", func(s *sample, _ bool) { s.p.Foundation = "" }},
		{"expected licences", func(s *sample, vain bool) { s.p.Expected = lost[map[string][]scoring.Edition](vain) }},
	}
	list = append(list, placeKnockOuts()...)
	for _, version := range []string{"", "8.0", "9.2.1"} {
		list = append(list,
			licences("licence "+version, func(e map[string]audit.Fact[scoring.LicenceFacts], vain bool) {
				e[version] = lost[scoring.LicenceFacts](vain)
			}),
			licences("parts "+version, func(e map[string]audit.Fact[scoring.LicenceFacts], vain bool) {
				if l, known := e[version].Get(); known {
					l.Parts = lost[[]scoring.SubLicence](vain)
					e[version] = audit.Known(l)
				}
			}))
	}
	return list
}

func measure(t testing.TB, s sample, prof audit.Profile) map[string]scoring.Measurement {
	t.Helper()
	out := map[string]scoring.Measurement{}
	for _, m := range indicator.Measure(s.e, s.p, prof) {
		if why := incoherent(m); why != "" {
			t.Fatalf("%s: %+v", why, m)
		}
		out[m.Indicator] = m
	}
	return out
}

func TestTakingAFactAwayOnlyWidens(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		s := random(r)
		full := measure(t, s, prof)
		score := scoring.Score(s.p, indicator.Measure(s.e, s.p, prof), prof)
		for range 4 { // take facts away one after the other
			k := knockOuts()[r.IntN(len(knockOuts()))]
			k.take(&s, r.IntN(2) == 0)
			less := measure(t, s, prof)
			for id, m := range less {
				before := full[id]
				if m.Outcome == audit.PASS && before.Outcome != audit.PASS {
					t.Fatalf("%s without %s: %v became PASS (%s; before %s)", id, k.name, before.Outcome, m.Reason, before.Reason)
				}
				if before.Outcome != audit.NA && !before.Interval.Within(m.Interval) {
					t.Fatalf("%s without %s: %v [%v] became %v [%v] (%s; before %s)", id, k.name, before.Outcome, before.Interval, m.Outcome, m.Interval, m.Reason, before.Reason)
				}
				if m.Outcome == audit.NA && before.Outcome != audit.NA {
					t.Fatalf("%s without %s: %v became NA", id, k.name, before.Outcome)
				}
			}
			after := scoring.Score(s.p, indicator.Measure(s.e, s.p, prof), prof)
			for i, a := range after.Aspects {
				b := score.Aspects[i]
				if !b.Interval.Within(a.Interval) || a.Coverage > b.Coverage {
					t.Fatalf("%s without %s: [%v] covered %d became [%v] covered %d", a.Aspect, k.name, b.Interval, b.Coverage, a.Interval, a.Coverage)
				}
				if len(a.KnockOuts) > len(b.KnockOuts) {
					t.Fatalf("%s without %s: knock-outs %v became %v", a.Aspect, k.name, b.KnockOuts, a.KnockOuts)
				}
			}
			full, score = less, after
		}
	}
}

func TestNothingKnownDecidesNothing(t *testing.T) {
	prof := profile(t)
	for name, e := range map[string]scoring.Evidence{"zero evidence": {}, "dated but empty evidence": {AssessedAt: today, Repo: "https://git.example.org/x", Revision: revision}} {
		ms := indicator.Measure(e, scoring.Project{}, prof)
		for _, m := range ms {
			if m.Outcome != audit.MISS || m.Interval.Known() {
				t.Errorf("%s: %s: got %v [%v], want MISS of everything", name, m.Indicator, m.Outcome, m.Interval)
			}
		}
		for _, a := range scoring.Score(scoring.Project{}, ms, prof).Aspects {
			if a.Interval.Known() || a.Coverage != 0 || len(a.KnockOuts) > 0 {
				t.Errorf("%s: %s: got [%v] covered %d, want the unknown", name, a.Aspect, a.Interval, a.Coverage)
			}
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) []T {
	out := slices.Clone(list)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestTheOrderOfEvidenceDoesNotMatter(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(3, 4))
	for range rounds {
		s := random(r)
		s.p.Versions = []string{"9.2.1", "8.0"}
		tree(func(t *scoring.Tree) {
			t.Documents["security"] = append(marked("doc/x.md", "days:3"), marked("SECURITY.md", "days:3", "private-channel")...)
			t.Documents["contributing"] = append(docs("b/HACKING"), docs("a/HACKING", "HACKING")...)
		})(&s)
		other := s
		other.p.Versions = shuffle(r, s.p.Versions)
		history(func(h *scoring.History) { h.Windows, h.Quarters = shuffle(r, h.Windows), shuffle(r, h.Quarters) })(&other)
		releases(func(rel *scoring.Releases) {
			rel.EOLTags, rel.StableBranches = shuffle(r, rel.EOLTags), shuffle(r, rel.StableBranches)
		})(&other)
		tree(func(t *scoring.Tree) {
			for _, m := range []map[string][]scoring.Document{t.Documents, t.Tools} {
				for topic := range m {
					m[topic] = shuffle(r, m[topic])
				}
			}
			t.ReadmePages = shuffle(r, t.ReadmePages)
			t.ReadmeLinks, t.SubLicences = shuffle(r, t.ReadmeLinks), shuffle(r, t.SubLicences)
		})(&other)
		other.e.Statements = shuffle(r, s.e.Statements)
		if c, ok := s.e.Cycles.Get(); ok {
			cycles(shuffle(r, c.Cycles)...)(&other)
		}
		list, _ := s.e.LicenceHistory.Get()
		other.e.LicenceHistory = audit.Known(shuffle(r, list))
		want, got := indicator.Measure(s.e, s.p, prof), indicator.Measure(other.e, other.p, prof)
		if !reflect.DeepEqual(got, want) {
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("another order changes %s:\n got %+v\nwant %+v", want[i].Indicator, got[i], want[i])
				}
			}
		}
		if a, b := scoring.Score(s.p, want, prof), scoring.Score(s.p, shuffle(r, want), prof); !reflect.DeepEqual(a, b) {
			t.Fatal("another order of measurements changes the score")
		}
	}
}

// improvement makes one fact better.
type improvement struct {
	name string
	make change
}

func improvements() []improvement {
	w := func(f func(*scoring.Window)) change {
		return windows(func(w *scoring.Window) {
			if w.HumanCommits > 0 {
				f(w)
			}
		})
	}
	document := func(topic string) improvement {
		return improvement{"a document on " + topic, tree(func(t *scoring.Tree) {
			t.Documents[topic] = append(slices.Clone(t.Documents[topic]), marked("z/"+topic, "private-channel", "days:14", "organisations:9", "sponsors:9", "link")...)
			if topic == "dco" || topic == "notice" {
				t.Documents[topic] = docs("z/" + topic)
			}
		})}
	}
	list := []improvement{
		{"more commits in 90 days", history(func(h *scoring.History) { h.Human90d += 7 })},
		{"another author last quarter", history(func(h *scoring.History) { h.Quarters[11].Authors++ })},
		{"another newcomer", history(func(h *scoring.History) { h.Newcomers12m++ })},
		{"another author who stayed", history(func(h *scoring.History) { h.Retained = min(h.Retained+1, h.AuthorsYear2) })},
		{"a commit today", history(func(h *scoring.History) { h.LastHumanCommit = today })},
		{"a larger bus factor", w(func(w *scoring.Window) { w.BusFactor50++ })},
		{"a smaller top author", w(func(w *scoring.Window) { w.TopAuthorBP /= 2 })},
		{"a smaller top organisation", w(func(w *scoring.Window) { w.TopOrgLowBP, w.TopOrgHighBP = w.TopOrgLowBP/2, w.TopOrgHighBP/2 })},
		{"smaller top two", w(func(w *scoring.Window) { w.TopTwoLowBP, w.TopTwoHighBP = w.TopTwoLowBP/2, w.TopTwoHighBP/2 })},
		{"another organisation", w(func(w *scoring.Window) { w.ElephantLow++; w.ElephantHigh++ })},
		{"more authors outside", w(func(w *scoring.Window) { w.OutsideAuthorsLow += 3; w.OutsideAuthorsHigh += 3 })},
		{"more reviews", w(func(w *scoring.Window) { w.Reviewed = w.HumanCommits })},
		{"more sign-offs", w(func(w *scoring.Window) { w.SignedOff = w.HumanCommits })},
		{"no reverts", w(func(w *scoring.Window) { w.Reverts = 0 })},
		{"another merger", w(func(w *scoring.Window) { w.Committers++ })},
		{"every month active", w(func(w *scoring.Window) { w.ActiveMonths = w.Months })},
		{"another release today", releases(func(r *scoring.Releases) { r.Releases24m++; r.Signed24m++; r.LastRelease = today })},
		{"a fix on a stable branch", releases(func(r *scoring.Releases) {
			r.StableBranches = append(slices.Clone(r.StableBranches), scoring.Branch{Name: "stable/z", Last: today})
		})},
		{"a year more of maintenance", func(s *sample) {
			c, ok := s.e.Cycles.Get()
			if !ok {
				return
			}
			later := slices.Clone(c.Cycles)
			for i := range later {
				for _, end := range []*time.Time{&later[i].EndLow, &later[i].EndHigh} {
					if !end.IsZero() {
						*end = end.AddDate(1, 0, 0)
					}
				}
			}
			cycles(later...)(s)
		}},
		{"no end-of-life tags", releases(func(r *scoring.Releases) { r.EOLTags = nil })},
		{"REUSE", tree(func(t *scoring.Tree) { t.REUSE = true })},
		{"a test for each file", tree(func(t *scoring.Tree) { t.TestFiles = t.SourceFiles })},
		{"no binaries", tree(func(t *scoring.Tree) { t.BinaryCount = 0 })},
		{"a licence file", tree(func(t *scoring.Tree) { t.LicenceFiles = append(docs("LICENSE"), t.LicenceFiles...) })},
		{"more proposals", tree(func(t *scoring.Tree) { t.ProposalsChanged12m, t.ProposalsReviewed12m = audit.Known(9), audit.Known(9) })},
		{"a new roadmap", tree(func(t *scoring.Tree) { t.RoadmapChanged = audit.Known(today) })},
	}
	list = append(list, placeImprovements()...)
	for _, topic := range []string{"governance", "code-of-conduct", "contributing", "security", "changelog", "adopters", "notice", "funding", "sbom", "deprecation", "maintenance-policy", "secure-coding"} {
		list = append(list, document(topic))
	}
	for _, topic := range []string{"ci", "gate", "sast", "dependency-update", "fuzzing", "conformance"} {
		list = append(list, improvement{"a tool for " + topic, tree(func(t *scoring.Tree) { t.Tools[topic] = append(slices.Clone(t.Tools[topic]), docs("z/"+topic)...) })})
	}
	return list
}

func TestBetterEvidenceNeverWorsensAnAnswer(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(5, 6))
	for range rounds {
		s := random(r)
		before := measure(t, s, prof)
		for _, i := range improvements() {
			better := s
			i.make(&better)
			for id, m := range measure(t, better, prof) {
				b := before[id]
				if b.Outcome == audit.NA || m.Outcome == audit.NA {
					if b.Outcome != m.Outcome {
						t.Fatalf("%s: %s turns %v into %v", id, i.name, b.Outcome, m.Outcome)
					}
					continue
				}
				// AC-05 is a slope: an author more lifts the slope but also the mean that it is measured by.
				if id == "AC-05" {
					continue
				}
				if m.Interval.Low() < b.Interval.Low() || m.Interval.High() < b.Interval.High() {
					t.Fatalf("%s: %s turns %v [%v] into %v [%v] (%s; before %s)", id, i.name, b.Outcome, b.Interval, m.Outcome, m.Interval, m.Reason, b.Reason)
				}
			}
		}
	}
}

func TestAHistoryThatIsCutOffOrShortNeverFails(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(7, 8))
	fromHistory := []string{"AC-01", "AC-02", "AC-03", "AC-04", "AC-05", "LR-01", "LR-02", "LR-03", "MA-05", "MA-14", "OC-01", "OC-02", "OC-03", "OC-11", "OV-01", "OV-02", "OV-03"}
	for range rounds {
		for name, c := range map[string]change{"cut off": shallow(), "shorter than any window": young(r.IntN(80))} {
			s := random(r)
			c(&s)
			home(func(h *scoring.Home) { h.Archived = audit.Known(false) })(&s) // what the forge says is no history
			ms := measure(t, s, prof)
			for _, id := range fromHistory {
				if ms[id].Outcome == audit.FAIL {
					t.Fatalf("%s fails by a history that is %s: %s", id, name, ms[id].Reason)
				}
			}
		}
	}
}

func TestMeasuringChangesNoEvidenceAndRepeats(t *testing.T) {
	prof := profile(t)
	r := rand.New(rand.NewPCG(9, 10))
	for range 50 {
		s := random(r)
		before, err := json.Marshal(s.e)
		if err != nil {
			t.Fatal(err)
		}
		first := indicator.Measure(s.e, s.p, prof)
		second := indicator.Measure(s.e, s.p, prof)
		after, err := json.Marshal(s.e)
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Fatal("measuring changed the evidence")
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatal("the same evidence gave two answers")
		}
	}
}

// FuzzMeasure holds against evidence from strangers that every answer is coherent, and that taking the history away turns
// nothing into PASS.
func FuzzMeasure(f *testing.F) {
	for _, s := range []sample{sampleWith(), random(rand.New(rand.NewPCG(11, 12))), {}} {
		data, err := json.Marshal(s.e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "none")
		f.Add(data, "OpenInfra")
	}
	f.Add([]byte(`{"history":{"value":{"human_90d":-5,"quarters":[{"authors":9223372036854775807}],"windows":[{"months":12,"human_commits":1,"signed_off":9}]}},"assessed_at":"2026-07-01T00:00:00Z"}`), "")
	f.Add([]byte(`{"tree":{"value":{"source_files":-1,"test_files":9223372036854775807,"spdx_headers":{"value":-3}}}}`), "none")
	prof := profile(f)
	f.Fuzz(func(t *testing.T, data []byte, home string) {
		var e scoring.Evidence
		if json.Unmarshal(data, &e) != nil {
			return
		}
		s := sample{e, healthyProject()}
		s.p.Foundation = home
		before := measure(t, s, prof)
		s.e.History = audit.Fact[scoring.History]{}
		for id, m := range measure(t, s, prof) {
			if m.Outcome == audit.PASS && before[id].Outcome != audit.PASS {
				t.Fatalf("%s: %v became PASS without the history", id, before[id].Outcome)
			}
		}
	})
}

// BenchmarkMeasureAndScore5000Projects is the health check of a large stack (design section 7 allows 2 CPU-s for all rules).
func BenchmarkMeasureAndScore5000Projects(b *testing.B) {
	prof := profile(b)
	r := rand.New(rand.NewPCG(13, 14))
	samples := make([]sample, 5000)
	for i := range samples {
		samples[i] = random(r)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range samples {
			scoring.Score(s.p, indicator.Measure(s.e, s.p, prof), prof)
		}
	}
}
