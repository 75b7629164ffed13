package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// RuleChange is one requirement, scope or switch that differs between two policies.
type RuleChange struct {
	Kind   string       `json:"kind"` // requirement, scope, switch
	ID     string       `json:"id"`
	Change string       `json:"change"` // added, removed, changed
	Fields []FieldMove  `json:"fields,omitempty"`
	Digest audit.Digest `json:"digest,omitempty"` // of a requirement, as the second policy has it
}

// FieldMove is one part of it that differs: pass, severity, include, ...
type FieldMove struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// FindingMove is an answer about one subject that changes, and why.
type FindingMove struct {
	ID          string   `json:"id"`
	Requirement string   `json:"requirement"`
	Subject     string   `json:"subject"`
	Severity    string   `json:"severity"`
	Scopes      []string `json:"scopes"`
	From        string   `json:"from"` // outcome; "none": the first rules did not ask
	To          string   `json:"to"`
	Was         string   `json:"was,omitempty"` // reason by the first rules
	Is          string   `json:"is,omitempty"`  // reason by the second
	Rules       []int    `json:"rules,omitempty"`
	Why         string   `json:"why"` // in words: what differs
}

// mostOfGroup bounds the findings of one requirement that the text names.
const mostOfGroup = 5

func (t *terminal) ruleChanges(list []RuleChange) {
	if len(list) == 0 {
		return
	}
	t.heading("Requirements, scopes and switches that differ")
	for _, c := range list {
		t.para("  ", fmt.Sprintf("%s %s: %s", c.Kind, c.ID, c.Change))
		for _, f := range c.Fields {
			t.para("    ", f.line())
		}
	}
}

func (f FieldMove) line() string {
	switch {
	case f.From == "":
		return fmt.Sprintf("%s: %s (new)", f.Field, f.To)
	case f.To == "":
		return fmt.Sprintf("%s: was %s, is gone", f.Field, f.From)
	}
	return fmt.Sprintf("%s: was %s, is %s", f.Field, f.From, f.To)
}

// findingMoves groups answers by requirement and by how they change.
func (t *terminal) findingMoves(list []FindingMove, more int) {
	if len(list) == 0 {
		return
	}
	t.heading("Answers that change")
	var order []string
	groups := map[string][]FindingMove{}
	for _, m := range list {
		key := strings.Join([]string{m.Requirement, m.From, m.To, m.Why}, "\x00")
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], m)
	}
	for _, key := range order {
		g := groups[key]
		t.para("  ", fmt.Sprintf("%s (%s): %s → %s for %s: %s", g[0].Requirement, g[0].Severity, g[0].From, g[0].To, plural(len(g), "subject", "subjects"), g[0].Why))
		for _, m := range g[:min(len(g), mostOfGroup)] {
			reason := m.Is
			if reason == "" {
				reason = m.Was
			}
			t.para("    ", reason)
		}
		if len(g) > mostOfGroup {
			t.para("    ", fmt.Sprintf("and %d more", len(g)-mostOfGroup))
		}
	}
	if more > 0 {
		t.para("  ", fmt.Sprintf("and %s", plural(more, "further answer", "further answers")))
	}
}
