package policies

import (
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// hysteresisMost bounds the audits that a level may survive below its gate: a year of quarters.
const hysteresisMost = 4

// profileHysteresis reads after how many audits below a score gate a level is lost.
func (r *reader) profileHysteresis(n *yaml.Node, present bool) audit.Hysteresis {
	if !present {
		r.problem(n, `"hysteresis" is missing: after how many audits below a score gate a level is lost`)
		return audit.Hysteresis{}
	}
	m := r.mapping(n, "audits", "source")
	if m == nil {
		return audit.Hysteresis{}
	}
	if m["audits"] == nil {
		r.problem(n, `"audits" is missing; 1 loses the level at once`)
	}
	return audit.Hysteresis{Audits: r.integer(m["audits"], 1, hysteresisMost), Source: r.profileText(n, m, "source")}
}
