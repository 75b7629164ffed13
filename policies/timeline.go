package policies

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// What a version of the criteria is good for from a day on, in the words of scs-0003-v1 ("Timeline entry").
const (
	StateDraft      = "draft"      // may be tested against, nothing is certified by it
	StateEffective  = "effective"  // counts
	StateWarn       = "warn"       // counts, and is about to end
	StateDeprecated = "deprecated" // may still be tested against
)

// State says what this version of the policy is good for from a day on, until the next state begins.
type State struct {
	From  time.Time
	State string
}

// Timeline lists the states of this version of the policy, newest first; none if the policy has no timeline.
func (p *Policy) Timeline() []State { return slices.Clone(p.timeline) }

// Stabilized is the day on which this version became stable; zero as long as it is a draft.
func (p *Policy) Stabilized() time.Time { return p.stabilized }

// mostStates bounds a timeline.
const mostStates = 64

// states reads the timeline of the manifest. A proposal is a draft or deprecated: nobody has adopted it, so nothing can be
// certified by it. What is in effect has to be stable when that begins (scs-0003-v1, "Timeline entry").
func (l *loader) states(r *reader, n *yaml.Node) (out []State) {
	for _, e := range r.entries(n) {
		m := r.mapping(e, "date", "state")
		if m == nil {
			continue
		}
		s := State{From: r.day(m["date"]), State: r.oneOf(e, m, "state", StateDraft, StateEffective, StateWarn, StateDeprecated)}
		inEffect := s.State == StateEffective || s.State == StateWarn
		switch stable := l.policy.stabilized; {
		case m["date"] == nil:
			r.problem(e, `"date" is missing: the day from which on the state holds`)
			continue
		case slices.ContainsFunc(out, func(o State) bool { return o.From.Equal(s.From) }):
			r.problem(e, "the day %s stands here twice", s.From.Format(time.DateOnly))
			continue
		case len(out) == mostStates:
			r.problem(e, "more than %d states", mostStates)
			return out
		case inEffect && l.policy.status == "proposal":
			r.problem(e, "a proposal is draft or deprecated, never %s: nobody has adopted it", s.State)
		case inEffect && (stable.IsZero() || stable.After(s.From)):
			r.problem(e, `what is %s has to be stable: name the day under "stabilized", not later than this one`, s.State)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b State) int { return b.From.Compare(a.From) })
	return out
}
