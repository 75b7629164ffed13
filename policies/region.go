package policies

import (
	"cmp"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// This file decides region by region. A region is judged on its own subjects and on those that all regions share, never on
// those of another one; the scope's verdict is the worst of its regions.

// MostRegions bounds the regions of one evaluation.
const MostRegions = 64

// RegionVerdict is the decision about one scope in one region.
type RegionVerdict struct {
	Region     string
	Outcome    string   // eligible, not-eligible, undetermined
	Reason     string   // why it is undetermined although no finding is open; empty otherwise
	Limiting   []string // ids of the findings that decide here, most important first
	Probation  []string
	Waived     []string
	Counts     Counts
	ValidUntil time.Time
	Ends       string
}

// nothingOfItsOwn is why a region without a subject of its own is undetermined: what all share says nothing about it.
const nothingOfItsOwn = "nothing of its own was seen there, only what all regions share"

// regionSet is a set of regions, as bits by index in evaluation.regions. Without regions the whole is one nameless region.
type regionSet = uint64

// regional sorts the names of the regions and refuses names that cannot tell regions apart.
func (e *evaluation) regional(names []string) error {
	if len(names) > MostRegions {
		return fmt.Errorf("%d regions are given; at most %d are judged at once", len(names), MostRegions)
	}
	e.regions = slices.Sorted(slices.Values(names))
	for i, name := range e.regions {
		if name == "" || clean(name) != name || strings.Contains(name, "+") {
			return fmt.Errorf("region %q: want a name in plain letters", clean(name))
		}
		if i > 0 && e.regions[i-1] == name {
			return fmt.Errorf("region %q is given twice", name)
		}
	}
	return nil
}

// everywhere is the set of all regions.
func (e *evaluation) everywhere() regionSet {
	return 1<<max(1, len(e.regions)) - 1 // a shift by 64 gives 0, and 0 less 1 is all bits
}

// where is the set of regions that a subject belongs to: all, if it names none.
func (e *evaluation) where(s Subject) (regionSet, error) {
	if s.Regions == nil {
		return e.everywhere(), nil
	}
	var out regionSet
	for _, name := range s.Regions {
		i, ok := slices.BinarySearch(e.regions, name)
		if !ok {
			return 0, fmt.Errorf("subject %q of kind %s: unknown region %q", s.Ref.ID, s.Ref.Kind, clean(name))
		}
		out |= 1 << i
	}
	if out == 0 {
		return 0, fmt.Errorf("subject %q of kind %s belongs to no region", s.Ref.ID, s.Ref.Kind)
	}
	return out, nil
}

// tellApart gives each subject of a sorted list the id that its findings carry. One id may stand for several subjects if
// they belong to different regions; then the id says which.
func (e *evaluation) tellApart(kind string, list []opened) error {
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && list[to].Ref.ID == list[from].Ref.ID {
			to++
		}
		var taken regionSet
		for i := from; i < to; i++ {
			if taken&list[i].in != 0 {
				return fmt.Errorf("subject %q of kind %s is given twice", list[i].Ref.ID, kind)
			}
			taken |= list[i].in
			list[i].id = list[i].Ref.ID
			if to-from > 1 {
				list[i].id += e.suffix(list[i].in)
			}
		}
		from = to
	}
	return nil
}

// suffix names regions at the end of an id: " in fra+muc".
func (e *evaluation) suffix(in regionSet) string {
	return " in " + strings.Join(e.named(in), "+")
}

// named lists the regions of a set by name; nil without regions.
func (e *evaluation) named(in regionSet) []string {
	var out []string
	for i, name := range e.regions {
		if in&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// limitedTo is what a finding says about where it counts: nil if everywhere.
func (e *evaluation) limitedTo(in regionSet) []string {
	if in == e.everywhere() {
		return nil
	}
	return e.named(in)
}

// sights notes in which regions a question found something to judge, by scope. A question about what is deployed has to find
// something that is the region's own.
type sights struct {
	e       *evaluation
	ownOnly bool
	seen    []regionSet // by scope
}

func (e *evaluation) newSights(q question) *sights {
	return &sights{e: e, ownOnly: len(e.regions) > 0 && q.ForEach == KindArtifact, seen: make([]regionSet, len(e.scopes))}
}

func (v *sights) note(s *opened, asked scopeSet) {
	if v.ownOnly && (s.Regions == nil || s.Shared) {
		return
	}
	for ; asked != 0; asked &= asked - 1 {
		v.seen[bits.TrailingZeros64(asked)] |= s.in
	}
}

// missing writes one finding for each scope that asks and for the regions in which nothing was found.
func (v *sights) missing(q question) {
	for i, s := range v.e.scopes {
		in := v.e.everywhere() &^ v.seen[i]
		if q.asked&(1<<i) == 0 || in == 0 {
			continue
		}
		ref := audit.SubjectRef{Kind: q.ForEach, ID: "none in " + s.ID, Name: "no " + q.ForEach}
		reason, settle := "nothing of this kind was seen for "+s.Title, "name sources that show each "+q.ForEach
		names := v.e.limitedTo(in)
		if len(v.e.regions) > 0 && names == nil {
			names = v.e.regions
		}
		if names != nil {
			ref.ID += v.e.suffix(in)
			reason += " in " + regionWords(names)
			if v.ownOnly {
				reason += " that is not shared by all regions"
			}
			settle = "name sources that show each " + q.ForEach + " under regions:, for " + strings.Join(names, ", ")
		}
		v.e.addIn(v.e.unanswered(q, ref, 1<<i, reason, settle), q.Requirement, in)
	}
}

func regionWords(names []string) string {
	if len(names) == 1 {
		return "region " + names[0]
	}
	return "regions " + strings.Join(names, ", ")
}

// prerequisite answers for each region whether the level below is held there. Regions with the same answer share a finding.
func (e *evaluation) prerequisite(scope int, verdicts []Verdict) {
	s := e.scopes[scope]
	for _, id := range s.Include {
		q, _ := e.policy.Requirement(id)
		if q.ForEach != KindPrerequisite || s.Requires == "" {
			continue
		}
		ask := question{Requirement: q, id: q.ID, gates: e.in.Profile.Gates[s.Gates], asked: 1 << scope}
		type answer struct {
			finding audit.Finding
			in      regionSet
		}
		var answers []answer
		for r := range max(1, len(e.regions)) {
			f := e.below(ask, scope, r, verdicts)
			at := slices.IndexFunc(answers, func(a answer) bool { return reflect.DeepEqual(a.finding, f) })
			if at < 0 {
				at = len(answers)
				answers = append(answers, answer{finding: f})
			}
			answers[at].in |= 1 << r
		}
		for _, a := range answers {
			if len(answers) > 1 {
				a.finding.ID += e.suffix(a.in)
			}
			e.addIn(a.finding, q, a.in)
		}
	}
}

// region returns the verdict of a region; without regions it is that of the whole.
func (v Verdict) region(i int) RegionVerdict {
	if len(v.Regions) == 0 {
		return RegionVerdict{Outcome: v.Outcome, Limiting: v.Limiting, ValidUntil: v.ValidUntil}
	}
	return v.Regions[i]
}

// worstOf decides a scope by its regions: the worst outcome counts, and the regions that have it are named.
func (e *evaluation) worstOf(scope int) Verdict {
	s := e.scopes[scope]
	v := Verdict{Scope: s.ID, Outcome: Eligible}
	for i, name := range e.regions {
		d := e.decide(scope, 1<<i)
		r := RegionVerdict{
			Region: name, Outcome: d.Outcome, Limiting: d.Limiting, Probation: d.Probation, Waived: d.Waived, Counts: d.Counts, ValidUntil: d.ValidUntil, Ends: d.Ends,
		}
		if e.own&(1<<i) == 0 && r.Outcome != NotEligible {
			r.Outcome, r.Reason = Undetermined, nothingOfItsOwn
		}
		v.Regions = append(v.Regions, r)
		if outcomeRank(r.Outcome) < outcomeRank(v.Outcome) {
			v.Outcome = r.Outcome
		}
		if !r.ValidUntil.IsZero() && (v.ValidUntil.IsZero() || r.ValidUntil.Before(v.ValidUntil)) {
			v.ValidUntil, v.Ends = r.ValidUntil, r.Ends
		}
	}
	decides, held, waives := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range v.Regions {
		for _, id := range r.Probation {
			held[id] = true
		}
		for _, id := range r.Waived {
			waives[id] = true
		}
		if r.Outcome != v.Outcome || r.Outcome == Eligible {
			continue
		}
		v.Worst = append(v.Worst, r.Region)
		for _, id := range r.Limiting {
			decides[id] = true
		}
	}
	var deciding, holding, waived []*audit.Finding
	for i := range e.findings {
		f := &e.findings[i]
		if slices.Contains(f.Scopes, s.ID) {
			v.Counts.add(f.Outcome, max(1, f.Count))
		}
		if decides[f.ID] {
			deciding = append(deciding, f)
		}
		if held[f.ID] {
			holding = append(holding, f)
		}
		if waives[f.ID] {
			waived = append(waived, f)
		}
	}
	v.Probation, v.Waived = limiting(s, holding), limiting(s, waived)
	if len(deciding) > 0 {
		v.Limiting = limiting(s, deciding)
	}
	return v
}

// outcomeRank orders outcomes, worst first.
func outcomeRank(outcome string) int {
	return slices.Index([]string{NotEligible, Undetermined, Eligible}, outcome)
}

// heldBefore reports whether the last audit found a scope eligible in all the regions of a set. A report without regions
// spoke of all of them.
func (p *Previous) heldBefore(scope string, regions []string) bool {
	if len(p.Regions) == 0 {
		return p.Eligible[scope]
	}
	return len(regions) > 0 && !slices.ContainsFunc(regions, func(r string) bool { return !p.Regions[r][scope] })
}

func compareOpened(a, b opened) int {
	return cmp.Or(cmp.Compare(a.Ref.ID, b.Ref.ID), slices.Compare(a.Regions, b.Regions))
}
