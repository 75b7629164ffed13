package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// CaseView is one case of a requirement, for readers.
type CaseView struct {
	Name    string
	Facts   []string // "licenceClass = osi", "openCore: nobody looked", in the order of the kind's fields
	Expect  audit.Outcome
	Because []string
	Place   string // file and line
}

// Of lists the cases of a requirement, in the order of the file.
func (c Cases) Of(requirement string) []CaseView {
	var out []CaseView
	for _, one := range c.rules {
		if one.requirement == requirement {
			out = append(out, CaseView{Name: one.name, Facts: one.facts.words(), Expect: one.expect, Because: one.because, Place: fmt.Sprintf("%s:%d", one.spot.File, one.spot.Line)})
		}
	}
	return out
}

// words writes a sheet, sorted by name.
func (s factSheet) words() []string {
	var out []string
	for _, name := range sortedKeys(s.fields) {
		g := s.fields[name]
		switch {
		case g.value.IsValid():
			text := name + " = " + shown(fact{value: g.value.Interface()})
			if g.declared {
				text += " (only the operator says so)"
			}
			out = append(out, text)
		case g.looked:
			out = append(out, name+": looked in vain")
		default:
			out = append(out, name+": nobody looked")
		}
	}
	if s.intent {
		out = append(out, "declared to run, not seen")
	}
	return out
}

// StackView is one state of a whole stack with what is expected of it, for readers and for comparisons with real stacks.
type StackView struct {
	Name     string
	Step     string // empty: as it is at first
	Verdicts map[string]string
	Findings map[string]audit.Outcome
}

// Stacks lists the stacks with each of their steps.
func (c Cases) Stacks() []StackView {
	var out []StackView
	for _, s := range c.stacks {
		for _, step := range s.steps {
			v := StackView{Name: s.name, Step: step.name, Verdicts: map[string]string{}, Findings: map[string]audit.Outcome{}}
			for _, w := range step.verdicts {
				v.Verdicts[w.scope] = w.outcome
			}
			for _, w := range step.findings {
				v.Findings[w.id] = w.outcome
			}
			out = append(out, v)
		}
	}
	return out
}

// Digest names a requirement by what it says: two with the same digest ask the same with the same words and sources.
func (q Requirement) Digest() audit.Digest {
	data, err := json.Marshal(q)
	if err != nil {
		return "" // plain data, which can always be written
	}
	return audit.DigestOf(data)
}

// ScopeDigest names all that decides a scope: its own file, its requirements, the gates, lifetimes and switches. It is empty
// for a scope that the policy does not have.
func (p *Policy) ScopeDigest(id string) audit.Digest {
	s, ok := p.Scope(id)
	if !ok {
		return ""
	}
	profile := p.profiles.Main()
	head, err := json.Marshal([]any{s, profile.Gates[s.Gates], profile.Lifetimes, profile.Indicators, profile.Licences, profile.Hysteresis})
	if err != nil {
		return ""
	}
	list := []string{string(head)}
	for _, w := range p.switches {
		list = append(list, fmt.Sprintf("switch %s %t", w.Name, w.On))
	}
	for _, id := range slices.Sorted(slices.Values(s.Include)) {
		q, _ := p.Requirement(id)
		list = append(list, id+" "+string(q.Digest()))
	}
	return audit.DigestOf([]byte(strings.Join(list, "\n")))
}
