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
			ID: f.ID, Title: reports.Words(f.Title), Version: f.Version, Date: f.Date, Status: f.Status, URL: f.URL, Verified: f.Verified, Note: reports.Words(f.Note),
			Criteria: []reports.Criterion{},
		}
		for _, c := range f.Criteria {
			row.Criteria = append(row.Criteria, reports.Criterion{
				ID: c.ID, Asks: reports.Words(c.Asks), Gives: reports.Words(c.Gives), Strength: c.Strength, Note: reports.Words(c.Note), Requirements: c.Requirements,
			})
		}
		out = append(out, row)
	}
	return out
}

// glossaryWords lists those of the policy's glossary that reports use for outcomes and verdicts.
func glossaryWords(p *policies.Policy) []reports.Term {
	var out []reports.Term
	for _, id := range []string{"eligible", "not-eligible", "undetermined", "pass", "fail", "miss", "dnf", "not-applicable"} {
		if t, ok := p.Term(id); ok {
			out = append(out, reports.Term{ID: t.ID, Word: reports.Words{"en": t.In("en"), "de": t.In("de"), "fr": t.In("fr")}})
		}
	}
	return out
}
