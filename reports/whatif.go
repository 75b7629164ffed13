package reports

import (
	"cmp"
	"fmt"

	"github.com/pegel-audit/pegel/audit"
)

// WhatIf says that a report is a thought: other components run in it than those that were seen.
type WhatIf struct {
	Changes  []WhatIfChange  `json:"changes"`
	Verdicts []WhatIfVerdict `json:"verdicts"`
	Gone     []WhatIfLine    `json:"gone"` // what fails or is open now, and would not be then
	New      []WhatIfLine    `json:"new"`  // what would fail or be open then, and is not now
}

// WhatIfChange is one component in place of another.
type WhatIfChange struct {
	From    string `json:"from"` // catalogue ids
	To      string `json:"to"`
	Version string `json:"version,omitempty"`
}

// WhatIfVerdict is a scope as it is and as it would be.
type WhatIfVerdict struct {
	Scope  string `json:"scope"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// WhatIfLine is a must that changes.
type WhatIfLine struct {
	Finding string           `json:"finding"`
	Title   string           `json:"title"`
	Subject audit.SubjectRef `json:"subject"`
	Outcome audit.Outcome    `json:"outcome"` // where it stands: FAIL, MISS or DNF
	Settle  []string         `json:"settle,omitempty"`
}

// Sentences say what a what-if changes; none if the report is no thought.
func (w *WhatIf) Sentences(titles map[string]string) []string {
	if w == nil {
		return nil
	}
	var changes []string
	for _, c := range w.Changes {
		to := c.To
		if c.Version != "" {
			to += " " + c.Version
		}
		changes = append(changes, c.From+" replaced by "+to)
	}
	out := []string{"What if: " + list(changes) + ". This is a thought and no verdict: nothing of the replacement was seen running."}
	for _, v := range w.Verdicts {
		text := fmt.Sprintf("%s would be %s, as it is now.", cmp.Or(titles[v.Scope], v.Scope), outcomeWords(v.After))
		if v.Before != v.After {
			text = fmt.Sprintf("%s would be %s; it is %s now.", cmp.Or(titles[v.Scope], v.Scope), outcomeWords(v.After), outcomeWords(v.Before))
		}
		out = append(out, text)
	}
	out = append(out, lineWords(w.Gone, "Would no longer fail", "%s that nobody has now would not be needed any more.")...)
	return append(out, lineWords(w.New, "Would fail then", "%s would have to be gathered about the replacement; until then they are open.")...)
}

func outcomeWords(outcome string) string {
	switch outcome {
	case "eligible":
		return "eligible"
	case "not-eligible":
		return "not eligible"
	}
	return "undetermined"
}

// mostWhatIf bounds the failures that a sentence names.
const mostWhatIf = 12

// lineWords names the failures, and counts what is only open.
func lineWords(lines []WhatIfLine, fails, open string) []string {
	var parts []string
	more, unknown := 0, 0
	for _, l := range lines {
		switch {
		case l.Outcome != audit.FAIL:
			unknown++
		case len(parts) == mostWhatIf:
			more++
		default:
			parts = append(parts, fmt.Sprintf("“%s” (%s)", l.Title, cmp.Or(l.Subject.Name, l.Subject.ID)))
		}
	}
	if more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	out := []string{fails + ": " + list(parts) + "."}
	if unknown > 0 {
		out = append(out, fmt.Sprintf(open, plural(unknown, "answer", "answers")))
	}
	return out
}
