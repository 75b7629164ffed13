package policies

import (
	"cmp"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// verdict decides a scope: a FAIL of an effective must makes it not eligible; else a must that is not known, or that only
// the operator's word supports, leaves it undetermined; else it is eligible. A scope that found nothing to judge is
// undetermined. What lies below a score gate and is held by the last audit does not count against the scope (Previous). A
// waived FAIL stays one; whether it counts against the scope is a switch of the policy.
func (e *evaluation) verdict(scope int) Verdict {
	if len(e.regions) > 0 {
		return e.worstOf(scope)
	}
	return e.decide(scope, e.everywhere())
}

// decide is verdict for what counts in some regions.
func (e *evaluation) decide(scope int, in regionSet) Verdict {
	s := e.scopes[scope]
	v := Verdict{Scope: s.ID}
	var failed, open, held, waived []*audit.Finding
	decided := false
	for i := range e.findings {
		f := &e.findings[i]
		if e.counts[i]&in == 0 || !slices.Contains(f.Scopes, s.ID) {
			continue
		}
		v.Counts.add(f.Outcome, max(1, f.Count))
		if !e.must[i] {
			continue
		}
		switch {
		case e.holds(*f, s.ID, in):
			held = append(held, f)
		case f.Outcome == audit.FAIL && f.Waived != nil:
			waived = append(waived, f)
			if e.policy.WaivedMustBlocks() {
				failed = append(failed, f)
			} else if v.ValidUntil.IsZero() || f.Waived.Until.Before(v.ValidUntil) {
				v.ValidUntil, v.Ends = f.Waived.Until, "the waiver of "+clip(f.Subject.Name)+" ("+f.Requirement+")"
			}
		case f.Outcome == audit.FAIL:
			failed = append(failed, f)
		case f.Outcome == audit.MISS, f.Outcome == audit.DNF, f.Outcome == audit.PASS && f.Declared:
			open = append(open, f)
		}
		if f.Outcome == audit.PASS || f.Outcome == audit.FAIL {
			decided = true
			v.ends(*f, e.policy)
		}
	}
	v.Probation, v.Waived = limiting(s, held), limiting(s, waived)
	switch {
	case len(failed) > 0:
		v.Outcome, v.Limiting = NotEligible, limiting(s, failed)
	case len(open) > 0 || !decided:
		v.Outcome, v.Limiting = Undetermined, limiting(s, open)
	default:
		v.Outcome = Eligible
	}
	return v
}

// ends keeps the earliest end of the evidence, and its name.
func (v *Verdict) ends(f audit.Finding, p *Policy) {
	if f.ValidUntil.IsZero() || !v.ValidUntil.IsZero() && !f.ValidUntil.Before(v.ValidUntil) {
		return
	}
	q, _ := p.Requirement(f.Requirement)
	v.ValidUntil, v.Ends = f.ValidUntil.UTC().Truncate(time.Second), q.Lifetime+" evidence of "+clip(f.Subject.Name)+" ("+f.Requirement+")"
}

// limiting orders findings by what a reader should see first: FAIL before MISS before DNF before what is only declared,
// then in the order in which the scope includes its requirements, then by id.
func limiting(s Scope, list []*audit.Finding) []string {
	slices.SortFunc(list, func(a, b *audit.Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Outcome), rank(b.Outcome)),
			cmp.Compare(slices.Index(s.Include, a.Requirement), slices.Index(s.Include, b.Requirement)), cmp.Compare(a.ID, b.ID))
	})
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.ID
	}
	return out
}
