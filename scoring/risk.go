package scoring

import (
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Risk is one line of the risk register: a weakness that does not knock out, or of which nobody knows whether it is there.
type Risk struct {
	Title       string
	Measurement Measurement     // FAIL or PART: it is there; DNF or MISS: not known
	Radius      audit.Fact[int] // deployed components that would be hit, the project itself included
	Mitigations []Mitigation    // what lessens it, of the kinds that help
	Helps       []string        // kinds of mitigations that help, as the profile lists them
	Source      string          // where it comes from that this is a risk
}

// Known reports whether the risk is there, as opposed to not known.
func (r Risk) Known() bool { return r.Measurement.Outcome.Decided() }

// Accepted reports whether an accepted mitigation is among them.
func (r Risk) Accepted() bool { return accepted(r.Mitigations) }

// Mitigation is what lessens a risk. What the catalogue or a foundation shows is accepted; what only the operator says is
// not, until somebody accepts it.
type Mitigation struct {
	Kind       string       `json:"kind"` // alternative, foundation, support, own-maintainers
	Text       string       `json:"text"`
	Source     string       `json:"source,omitempty"` // public address that shows it
	Declared   bool         `json:"declared,omitempty"`
	AcceptedBy string       `json:"accepted_by,omitempty"` // who accepted what is only declared; an organisation or role, no person
	Origin     audit.Origin `json:"origin,omitzero"`
}

// Accepted reports whether the mitigation counts.
func (m Mitigation) Accepted() bool { return !m.Declared || m.AcceptedBy != "" }

func accepted(ms []Mitigation) bool { return slices.ContainsFunc(ms, Mitigation.Accepted) }

// Risks returns the risk register of a project by the profile, sorted by indicator: the risks that are there, and those of
// which nobody knows. A risk that was looked for and is not there, or cannot be, is left out.
func Risks(s ProjectScore, g audit.Fact[Governance], prof audit.Profile) []Risk {
	out := make([]Risk, 0, len(prof.Risks))
	for _, m := range s.Measurements {
		rule, ok := prof.Risks[m.Indicator]
		if !ok || m.Outcome == audit.NA || m.Outcome.Decided() && !slices.Contains(rule.Outcomes, m.Outcome) {
			continue
		}
		out = append(out, Risk{
			Title: rule.Title, Measurement: m, Radius: radius(s.Project), Mitigations: mitigations(s.Project, g, rule.Mitigations),
			Helps: rule.Mitigations, Source: rule.Source,
		})
	}
	return out
}

// mostAlternatives bounds the alternatives shown for one risk; the project lists all.
const mostAlternatives = 3

// mitigations lists what is known to lessen a risk, by the order of kinds.
func mitigations(p Project, g audit.Fact[Governance], kinds []string) []Mitigation {
	var out []Mitigation
	for _, kind := range kinds {
		switch kind {
		case audit.MitigationAlternative:
			alternatives, _ := p.Alternatives.Get()
			for _, a := range alternatives[:min(len(alternatives), mostAlternatives)] {
				out = append(out, alternative(p, a))
			}
		case audit.MitigationFoundation:
			out = append(out, foundation(p, g)...)
		}
		for _, m := range p.Mitigations {
			if m.Kind == kind {
				m.Declared = true
				out = append(out, m)
			}
		}
	}
	return out
}

func alternative(p Project, a Alternative) Mitigation {
	text := a.Name
	if len(a.Standards) > 0 {
		text += ", which speaks " + strings.Join(a.Standards, ", ")
	}
	m := Mitigation{Kind: audit.MitigationAlternative, Text: text, Source: a.Source, Origin: audit.Origin{Source: "catalogue", Path: p.ID}}
	if len(p.Alternatives.Origins) > 0 {
		m.Origin = p.Alternatives.Origins[0]
	}
	return m
}

// foundation is the home that a foundation gives. A project that it does not list, marks inactive or has archived gets none.
func foundation(p Project, g audit.Fact[Governance]) []Mitigation {
	name, origin := p.Foundation, audit.Origin{Source: "catalogue", Path: p.ID}
	if records, known := g.Get(); known {
		listed, said := records.Listed.Get()
		inactive, _ := records.Inactive.Get()
		level, _ := records.Level.Get()
		if said && !listed || inactive || level == "archived" {
			return nil
		}
		if records.Foundation != "" && len(g.Origins) > 0 {
			name, origin = records.Foundation, g.Origins[0]
		}
	}
	if name == "" || name == "none" {
		return nil
	}
	return []Mitigation{{Kind: audit.MitigationFoundation, Text: "hosted by " + name, Origin: origin}}
}
