package policies

import (
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Previous is what the last audit of the same subject by the same policy decided. It lets a level that was reached survive
// one quiet quarter; it can never make one be reached.
type Previous struct {
	AssessedAt time.Time
	Eligible   map[string]bool // scopes that were eligible
	// Regions are the scopes that were eligible in each region; none if that audit judged no regions.
	Regions map[string]map[string]bool
	Met     map[string]bool // findings about score gates that were PASS, by id
	Below   map[string]int  // findings that were held then, by id: for how many audits in a row they lay below their gate
}

// probation returns for how many audits in a row, this one included, an answer to a question about a score gate lies below it
// while the level is still held; 0 if it is not held. Held is only what fails or spans the gate with the coverage that the
// gate asks for: missing evidence counts at once, and so does a knock-out, which is a question of its own.
func (e *evaluation) probation(q question, s *opened, a answered) int {
	before := e.in.Previous
	if before == nil || len(q.rule.aspects) == 0 || a.fault != "" || a.reason != "" || a.outcome != audit.FAIL && a.outcome != audit.DNF {
		return 0
	}
	p, ok := s.Record.(Project)
	if !ok || p.KnockOut {
		return 0
	}
	for _, i := range a.unknown {
		if s.facts[i].unknown != nil {
			return 0 // not a score that is too low, but none
		}
	}
	for _, aspect := range q.rule.aspects {
		if g, gated := a.gates[aspect]; !gated || p.Coverage[aspect] < int64(g.Coverage) {
			return 0
		}
	}
	id := q.id + "/" + s.id
	audits := 0
	switch {
	case before.Met[id]:
		audits = 1
	case before.Below[id] > 0:
		audits = min(before.Below[id], e.in.Profile.Hysteresis.Audits) + 1 // a report of others may hold any number
	}
	if audits >= e.in.Profile.Hysteresis.Audits {
		return 0
	}
	return audits
}

// onProbation says what being held means.
func (e *evaluation) onProbation(audits int) string {
	left := e.in.Profile.Hysteresis.Audits - audits
	return fmt.Sprintf("; on probation: %s after the audit of %s, in which a level was reached, and %s below the gate in a row would lose it",
		count(audits, "audit"), e.in.Previous.AssessedAt.UTC().Format(time.DateOnly), count(left, "more audit"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// holds reports whether a finding is held for a scope in some regions: it is on probation, and the scope was eligible there.
func (e *evaluation) holds(f audit.Finding, scope string, in regionSet) bool {
	return f.Probation > 0 && e.in.Previous != nil && e.in.Previous.heldBefore(scope, e.named(in))
}
