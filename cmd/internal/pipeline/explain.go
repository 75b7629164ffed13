package pipeline

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// ExplainOptions say which finding of a bundle is explained, and how.
type ExplainOptions struct {
	AssessOptions
	Finding string // its id, or what only one id begins or ends with
	Full    bool   // show internal names
}

// Explain decides a bundle and returns all that the report says about one finding: what is demanded, how the rule came to its
// answer, and the facts with the evidence behind each.
func Explain(dir string, opt ExplainOptions) (reports.Explanation, error) {
	full, shown, err := assessForReader(dir, opt)
	if err != nil {
		return reports.Explanation{}, err
	}
	at, err := findingAt(full, shown, opt.Finding)
	if err != nil {
		return reports.Explanation{}, err
	}
	return reports.Explain(shown, at), nil
}

// Limiting decides a bundle and lists the findings that decide its verdicts, worst first.
func Limiting(dir string, opt ExplainOptions) ([]reports.Finding, error) {
	_, shown, err := assessForReader(dir, opt)
	if err != nil {
		return nil, err
	}
	return reports.LimitingFindings(shown), nil
}

// assessForReader returns the report in full, and as the reader sees it. Both list the same findings in the same order.
func assessForReader(dir string, opt ExplainOptions) (full, shown reports.Report, err error) {
	full, err = Assess(dir, opt.AssessOptions)
	if err != nil {
		return full, full, err
	}
	shown = full
	if !opt.Full {
		shown = reports.Redact(full)
	}
	return full, shown, nil
}

// findingAt finds a finding by its id, as the public report or the full one writes it, or by a beginning or an end that only one
// id has.
func findingAt(full, shown reports.Report, asked string) (int, error) {
	for _, fits := range []func(id string) bool{
		func(id string) bool { return id == asked },
		func(id string) bool { return asked != "" && strings.HasPrefix(id, asked) },
		func(id string) bool { return asked != "" && strings.HasSuffix(id, asked) },
	} {
		var found []int
		for i := range full.Findings {
			if fits(full.Findings[i].ID) || fits(shown.Findings[i].ID) {
				found = append(found, i)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return 0, usagef("give more of it: "+strings.Join(quotedIDs(shown, found), ", "), "%d findings fit %q", len(found), asked)
		}
	}
	return 0, usagef(nearest(shown, asked), "no finding %q in this bundle", asked)
}

// mostSuggested bounds the ids that a message names.
const mostSuggested = 5

func quotedIDs(r reports.Report, at []int) []string {
	var out []string
	for _, i := range at[:min(len(at), mostSuggested)] {
		out = append(out, fmt.Sprintf("%q", r.Findings[i].ID))
	}
	if more := len(at) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// nearest suggests the id that looks most like the one that was asked for: that which shares most pairs of letters with it.
func nearest(r reports.Report, asked string) string {
	const list = "pegel explain BUNDLE lists the findings that decide"
	want := pairs(asked)
	best, most := "", 0
	for _, f := range r.Findings {
		// What was asked for may be a beginning: the id is read only as far as that.
		got := pairs(f.ID[:min(len(f.ID), len(asked)+2)])
		shared := 0
		for pair, n := range want {
			shared += min(n, got[pair])
		}
		if shared > most || shared == most && shared > 0 && cmp.Or(len(f.ID)-len(best), strings.Compare(f.ID, best)) < 0 {
			best, most = f.ID, shared
		}
	}
	if 2*most < len(asked) { // less than half of it
		return list
	}
	return fmt.Sprintf("did you mean %q? %s", best, list)
}

// pairs counts the pairs of letters of a text.
func pairs(text string) map[string]int {
	text = strings.ToLower(text)
	out := map[string]int{}
	for i := range max(0, len(text)-1) {
		out[text[i:i+2]]++
	}
	return out
}

// requirementRows lists the requirements that findings answer, with all that the policy says about them.
func (d *dossier) requirementRows(findings []reports.Finding) []reports.Requirement {
	asked := map[string]bool{}
	for _, f := range findings {
		asked[f.Requirement] = true
	}
	var out []reports.Requirement
	for _, q := range d.policy.Requirements() { // sorted by id
		if !asked[q.ID] {
			continue
		}
		row := reports.Requirement{
			ID: q.ID, Title: reports.Words(q.Title), Severity: q.Severity, Rationale: reports.Words(q.Rationale), Remedy: reports.Words(q.Remedy),
			Owner: q.Owner, Applies: q.Applies, Pass: q.Pass, Sources: []reports.ClauseSource{},
		}
		for _, c := range q.Sources {
			row.Sources = append(row.Sources, clauseRow(c))
		}
		out = append(out, row)
	}
	return out
}

func clauseRow(c policies.Clause) reports.ClauseSource {
	return reports.ClauseSource{
		ID: c.ID, Document: c.Document.Title, At: c.At, Status: c.Document.Status, URL: c.Address(), Quote: c.Quote, Says: reports.Words(c.Says),
	}
}
