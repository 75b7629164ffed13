package reports

import (
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// ExplanationSchema names the JSON form of Explanation; its JSON Schema is in reports/schema.
const ExplanationSchema = "pegel/explanation/v1"

// Explanation is all that a report says about one finding, in one value: what is demanded and by whom, how the rule came to
// its answer, the facts with the evidence behind each, and what to do.
type Explanation struct {
	Schema      string      `json:"schema"`
	Subject     Subject     `json:"subject"` // what was audited
	AssessedAt  time.Time   `json:"assessed_at"`
	Policy      Policy      `json:"policy"`
	Evidence    Evidence    `json:"evidence"`
	Requirement Requirement `json:"requirement"`
	Finding     Finding     `json:"finding"` // its number of a tree means nothing here
	Tree        audit.Tree  `json:"tree,omitempty"`
	Limits      []string    `json:"limits,omitempty"` // scopes whose verdict this finding decides
}

// Explain takes what a report says about one of its findings, by its place in the list.
func Explain(r Report, at int) Explanation {
	f := r.Findings[at]
	x := Explanation{
		Schema: ExplanationSchema, Subject: r.Subject, AssessedAt: r.AssessedAt, Policy: r.Policy, Evidence: r.Evidence, Finding: f,
		Requirement: Requirement{
			ID: f.Requirement, Title: Words{"en": f.Title}, Severity: f.Severity, Rationale: Words{"en": f.Rationale}, Remedy: Words{"en": f.Remedy}, Owner: f.Owner,
		},
	}
	if q, ok := requirementOf(r, f.Requirement); ok {
		x.Requirement = q
	}
	x.Tree, x.Finding.Tree = treeOf(r, f), 0
	for _, v := range r.Verdicts {
		if slices.Contains(v.Limiting, f.ID) {
			x.Limits = append(x.Limits, v.Scope)
		}
	}
	return x
}

func requirementOf(r Report, id string) (Requirement, bool) {
	at, ok := slices.BinarySearchFunc(r.Requirements, id, func(q Requirement, id string) int { return strings.Compare(q.ID, id) })
	if !ok {
		return Requirement{}, false
	}
	return r.Requirements[at], true
}

// treeOf returns the explanation tree of a finding; nil if no rule was asked.
func treeOf(r Report, f Finding) audit.Tree {
	if f.Tree < 1 || f.Tree > len(r.Trees) {
		return nil
	}
	return r.Trees[f.Tree-1]
}

// LimitingFindings lists the findings that decide a verdict, worst first, each once: those of lower levels before those of
// higher ones.
func LimitingFindings(r Report) []Finding {
	index := map[string]Finding{}
	for _, f := range r.Findings {
		index[f.ID] = f
	}
	var out []Finding
	had := map[string]bool{}
	for _, v := range r.Verdicts {
		for _, id := range v.Limiting {
			if f, ok := index[id]; ok && !had[id] {
				had[id] = true
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return slices.Index(severities[:], a.Outcome) - slices.Index(severities[:], b.Outcome)
	})
	return out
}

// ExplanationJSON writes an explanation as canonical JSON (RFC 8785).
func ExplanationJSON(x Explanation) ([]byte, error) { return canonical(x) }

// Languages are those in which an explanation speaks.
func Languages() []string { return []string{"en", "de", "fr"} }

// LimitingList is the JSON form of the findings that decide.
type LimitingList struct {
	Schema   string            `json:"schema"`
	Findings []LimitingFinding `json:"findings"` // worst first
}

// LimitingFinding is one of them, in short.
type LimitingFinding struct {
	ID      string        `json:"id"`
	Outcome audit.Outcome `json:"outcome"`
	Reason  string        `json:"reason"`
}

// LimitingJSON writes the findings that decide as canonical JSON.
func LimitingJSON(list []Finding) ([]byte, error) {
	out := LimitingList{Schema: "pegel/limiting/v1", Findings: []LimitingFinding{}}
	for _, f := range list {
		out.Findings = append(out.Findings, LimitingFinding{f.ID, f.Outcome, f.Reason})
	}
	return canonical(out)
}
