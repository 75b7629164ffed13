package pipeline

import (
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// frameworks turns the crosswalk of a policy into the form of reports; what the findings say about it is added there.
func frameworks(p *policies.Policy) []reports.Framework {
	var out []reports.Framework
	for _, f := range p.Crosswalk() {
		row := reports.Framework{
			ID: f.ID, Title: inAll(f.Title), Version: f.Version, Date: f.Date, Status: f.Status, URL: f.URL, Verified: f.Verified, Note: noteOf(f.Note),
			Criteria: []reports.Criterion{},
		}
		for _, c := range f.Criteria {
			row.Criteria = append(row.Criteria, reports.Criterion{
				ID: c.ID, Asks: inAll(c.Asks), Gives: inAll(c.Gives), Strength: c.Strength, Note: noteOf(c.Note), Requirements: c.Requirements,
			})
		}
		out = append(out, row)
	}
	return out
}

// texts lists what findings of a report say in all languages of the policy.
func texts(p *policies.Policy, findings []reports.Finding) []reports.RequirementText {
	used := map[string]bool{}
	for _, f := range findings {
		used[f.Requirement] = true
	}
	var out []reports.RequirementText
	for _, q := range p.Requirements() {
		if used[q.ID] {
			out = append(out, reports.RequirementText{ID: q.ID, Title: inAll(q.Title), Rationale: inAll(q.Rationale), Remedy: inAll(q.Remedy)})
		}
	}
	return out
}

// glossaryWords lists those of the policy's glossary that reports use for outcomes and verdicts.
func glossaryWords(p *policies.Policy) []reports.Term {
	var out []reports.Term
	for _, id := range []string{"eligible", "not-eligible", "undetermined", "pass", "fail", "miss", "dnf", "not-applicable"} {
		if t, ok := p.Term(id); ok {
			out = append(out, reports.Term{ID: t.ID, Word: reports.Words{En: t.Words["en"].Word, De: t.Words["de"].Word, Fr: t.Words["fr"].Word}})
		}
	}
	return out
}

func inAll(t policies.Text) reports.Words {
	return reports.Words{En: t["en"], De: t["de"], Fr: t["fr"]}
}

func noteOf(t policies.Text) *reports.Words {
	if t == nil {
		return nil
	}
	w := inAll(t)
	return &w
}
