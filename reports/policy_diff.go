package reports

import (
	"fmt"
	"strings"
)

// PolicyDiffSchema names the JSON form of pegel policy diff.
const PolicyDiffSchema = "pegel/policy-diff/v1"

// PolicyDiff says whose verdict changes from one set of rules to another, on the same evidence, and by which number.
type PolicyDiff struct {
	Schema   string         `json:"schema"`
	From     string         `json:"from"` // what the rules call themselves: profile service 0.1.0
	To       string         `json:"to"`
	Evidence string         `json:"evidence"` // digest of the bundle
	Projects int            `json:"projects"` // judged by both
	Scopes   int            `json:"scopes"`
	Settings []PolicyChange `json:"settings"` // all that differs between the rules
	Verdicts []VerdictMove  `json:"verdicts"` // projects and scopes that change
	Gates    []VerdictMove  `json:"gates"`    // gates of projects that change
	Idle     []int          `json:"idle"`     // indices of Settings that change nothing by themselves and are part of no cause
	Combined bool           `json:"combined"` // some change needs several settings at once
	Note     string         `json:"note,omitempty"`
	Rules    []RuleChange   `json:"rules,omitempty"`    // what differs in requirements, scopes and switches
	Findings []FindingMove  `json:"findings,omitempty"` // answers about single subjects that change
	More     int            `json:"more,omitempty"`     // answers beyond those listed
}

// PolicyChange is one setting that differs.
type PolicyChange struct {
	Path     string   `json:"path"` // as in the profile, for example AC-01.pass; a file of the policy where rules differ
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Profiles []string `json:"profiles,omitempty"` // in which profiles, where not in all
}

// VerdictMove is one verdict that changes.
type VerdictMove struct {
	Kind string `json:"kind"`           // project, gate, scope
	ID   string `json:"id"`             // of the project or scope
	What string `json:"what,omitempty"` // of a gate: level and aspect
	From string `json:"from"`
	To   string `json:"to"`
	// Alone lists the settings, as indices, each of which is enough for the change. Together is a smallest set that is enough
	// where none is enough alone: without any one of them the change does not come about.
	Alone    []int `json:"alone,omitempty"`
	Together []int `json:"together,omitempty"`
}

// RenderPolicyDiff writes the comparison as text or json.
func RenderPolicyDiff(format string, d PolicyDiff, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(policyDiffText(d, opt)), nil
	case "json":
		return canonical(d)
	}
	return nil, fmt.Errorf("unknown format %q of a comparison of policies; there are text and json", format)
}

func policyDiffText(d PolicyDiff, opt Options) string {
	d = shown(d)
	t := newTerminal(opt)
	t.para("", fmt.Sprintf("From %s to %s: %s differ, tried on %s.", d.From, d.To, plural(len(d.Settings), "setting", "settings"), d.triedOn()))
	if d.Note != "" {
		t.para("", d.Note)
	}
	t.moves("Verdicts that change", d.Verdicts, d)
	t.moves("Gates of projects that change", d.Gates, d)
	t.findingMoves(d.Findings, d.More)
	t.ruleChanges(d.Rules)
	if len(d.Verdicts)+len(d.Gates) == 0 && len(d.Settings) > 0 {
		t.para("", "No verdict and no gate changes.")
	}
	if len(d.Idle) > 0 {
		t.heading("Settings that differ and change nothing here")
		for _, i := range d.Idle {
			t.para("  ", d.Settings[i].line())
		}
	}
	return t.b.String()
}

func (d PolicyDiff) triedOn() string {
	s := plural(d.Projects, "project", "projects")
	if d.Scopes > 0 {
		s += " and " + plural(d.Scopes, "scope", "scopes")
	}
	return s
}

func (t *terminal) moves(title string, moves []VerdictMove, d PolicyDiff) {
	if len(moves) == 0 {
		return
	}
	t.heading(title)
	for _, m := range moves {
		what := m.ID
		if m.What != "" {
			what += ", " + m.What
		}
		t.para("  ", fmt.Sprintf("%s %s: %s → %s", m.Kind, what, m.From, m.To))
		for _, i := range m.Alone {
			t.para("    ", "by "+d.Settings[i].line())
		}
		if len(m.Together) > 0 {
			t.para("    ", "only by all of these together:")
			for _, i := range m.Together {
				t.para("      ", d.Settings[i].line())
			}
		}
	}
}

func (c PolicyChange) line() string {
	from, to := c.From, c.To
	if from == "" {
		from = "not set"
	}
	if to == "" {
		to = "not set"
	}
	s := fmt.Sprintf("%s %s → %s", c.Path, from, to)
	if len(c.Profiles) > 0 {
		s += " (" + strings.Join(c.Profiles, ", ") + ")"
	}
	return s
}
