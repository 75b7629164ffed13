// Package reference writes the pages that show a policy to people: everything that it demands, with sources, in each of its
// languages. Comes in: a policy and the names of its cases. Goes out: Markdown. It reads nothing and decides nothing.
package reference

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// Page writes the reference page of a policy with its cases in a language.
func Page(p *policies.Policy, cases policies.Cases, lang string) []byte {
	return reports.ReferencePage(parts(p, cases), lang)
}

// names lists the cases of a requirement with what each expects.
func names(cases []policies.CaseView) []string {
	var out []string
	for _, c := range cases {
		out = append(out, c.Name+" → "+c.Expect.String())
	}
	return out
}

// parts turns a policy into the flat form of reports.
func parts(p *policies.Policy, cases policies.Cases) reports.Reference {
	profile := p.Profile()
	out := reports.Reference{
		ID: p.ID(), Version: p.Version(), Digest: string(p.Digest()), Title: reports.Words(p.Title()), Frameworks: frameworks(p),
	}
	for _, s := range p.Scopes() {
		out.Scopes = append(out.Scopes, reports.ReferenceScope{
			ID: s.ID, Title: s.Title, Requires: s.Requires, Selects: selects(s.Select), Level: s.Number, Requirements: s.Include, Gates: gates(profile, s.Gates),
		})
	}
	for _, q := range p.Requirements() {
		row := reports.ReferenceRequirement{
			ID: q.ID, Module: q.Module, Severity: q.Severity, Subject: q.ForEach, Owner: q.Owner, Applies: q.Applies, Pass: q.Pass,
			Lifetime: q.Lifetime, Duration: profile.Lifetimes[q.Lifetime], Title: reports.Words(q.Title), Rationale: reports.Words(q.Rationale),
			Remedy: reports.Words(q.Remedy), Passes: q.Because["pass"], Fails: q.Because["fail"], Evidence: q.Evidence, DeclaredOK: q.DeclaredOK,
			Cases: names(cases.Of(q.ID)), Supports: p.Supporting(q.ID),
		}
		if !q.EffectiveOn.IsZero() {
			row.EffectiveOn = q.EffectiveOn.Format(time.DateOnly)
		}
		for _, c := range q.Sources {
			row.Clauses = append(row.Clauses, c.ID)
		}
		out.Requirements = append(out.Requirements, row)
	}
	out.Documents = documents(p)
	for _, s := range p.Switches() {
		row := reports.ReferenceSwitch{Name: s.Name, On: s.On, Title: reports.Words(s.Title)}
		for _, c := range s.Sources {
			row.Clauses = append(row.Clauses, c.ID)
		}
		out.Switches = append(out.Switches, row)
	}
	for _, t := range p.Glossary() {
		row := reports.ReferenceTerm{ID: t.ID, Word: reports.Words{}, Meaning: reports.Words{}}
		for lang, w := range t.Words {
			row.Word[lang], row.Meaning[lang] = w.Word, w.Meaning
		}
		out.Glossary = append(out.Glossary, row)
	}
	return out
}

func documents(p *policies.Policy) []reports.ReferenceDocument {
	var out []reports.ReferenceDocument
	for _, c := range p.Clauses() { // sorted by id, and an id begins with that of its document
		if n := len(out); n == 0 || out[n-1].ID != c.Document.ID {
			out = append(out, reports.ReferenceDocument{ID: c.Document.ID, Title: c.Document.Title, Status: c.Document.Status, URL: c.Document.URL})
		}
		row := reports.ReferenceClause{
			ID: c.ID, At: c.At, Quote: c.Quote, URL: c.Address(), Says: reports.Words(c.Says), Refused: reports.Words(c.Refused), Serving: p.Serving(c.ID),
		}
		for _, s := range p.Switches() {
			if slices.ContainsFunc(s.Sources, func(o policies.Clause) bool { return o.ID == c.ID }) {
				row.Serving = append(row.Serving, s.Name)
			}
		}
		last := &out[len(out)-1]
		last.Clauses = append(last.Clauses, row)
	}
	return out
}

func frameworks(p *policies.Policy) []reports.Framework {
	var out []reports.Framework
	for _, f := range p.Crosswalk() {
		row := reports.Framework{ID: f.ID, Title: reports.Words(f.Title), Version: f.Version, Date: f.Date, Status: f.Status, URL: f.URL, Verified: f.Verified, Note: reports.Words(f.Note)}
		for _, c := range f.Criteria {
			row.Criteria = append(row.Criteria, reports.Criterion{
				ID: c.ID, Asks: reports.Words(c.Asks), Gives: reports.Words(c.Gives), Strength: c.Strength, Requirements: c.Requirements,
			})
		}
		out = append(out, row)
	}
	return out
}

// gates lists the gates of a level by role and aspect.
func gates(profile audit.Profile, level string) []reports.ReferenceGate {
	var out []reports.ReferenceGate
	for role, aspects := range profile.Gates[level] {
		for aspect, g := range aspects {
			out = append(out, reports.ReferenceGate{Role: role, Aspect: aspect, Low: g.Low, Coverage: g.Coverage, Source: g.Source})
		}
	}
	slices.SortFunc(out, func(a, b reports.ReferenceGate) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Aspect, b.Aspect))
	})
	return out
}

// selects says which parts of a stack a scope looks at.
func selects(list []policies.Selector) string {
	var out []string
	for _, s := range list {
		var parts []string
		for name, values := range map[string][]string{"tiers": s.Tiers, "areas": s.Areas, "kinds": s.Kinds} {
			if len(values) > 0 {
				parts = append(parts, name+": "+strings.Join(values, ", "))
			}
		}
		slices.Sort(parts)
		slices.Reverse(parts)
		out = append(out, strings.Join(parts, "; "))
	}
	return strings.Join(out, " | ")
}
