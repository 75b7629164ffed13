package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Waiver says that somebody lives with a failure for a while. It stays a failure.
type Waiver struct {
	Requirement string       `json:"requirement"`
	Subject     string       `json:"subject"` // id
	By          string       `json:"by"`
	Reason      string       `json:"reason"`
	From        time.Time    `json:"from"`
	Until       time.Time    `json:"until"`
	Key         string       `json:"key,omitempty"`     // fingerprint of the key that signed it; absent: nobody who may
	File        audit.Digest `json:"file"`              // digest of the file that holds it
	Finding     string       `json:"finding,omitempty"` // id of the finding that it is about; absent: it changes nothing
	Unused      string       `json:"unused,omitempty"`  // why it changes nothing
}

// Outlook is the distance of one layer to its levels: what is to be done, by whom, and how far the operator gets alone.
type Outlook struct {
	Layer   string `json:"layer"`
	Reached string `json:"reached,omitempty"` // highest scope whose criteria are met
	Next    string `json:"next,omitempty"`    // lowest scope whose criteria are not met
	Own     string `json:"own,omitempty"`     // highest scope that the operator's own work can reach
	OwnOpen int    `json:"own_open,omitempty"`
	Tasks   []Task `json:"tasks"`             // lower levels first, most urgent first
	Remains []Task `json:"remains,omitempty"` // what the scope above Own needs from others
}

// Task is all that blocks for one requirement in the same hands.
type Task struct {
	Requirement string   `json:"requirement"`
	Title       string   `json:"title"`
	Kind        string   `json:"kind"`  // fix, settle, accept
	Owner       string   `json:"owner"` // operator, upstream, distribution, assessor
	Scopes      []string `json:"scopes"`
	Findings    []string `json:"findings"` // ids, worst first; count tells how many subjects are behind them
	Count       int      `json:"count"`
	Remedy      string   `json:"remedy,omitempty"`
	Settle      []string `json:"settle,omitempty"`
}

// alone says for each layer how far the operator gets by own work, and what then remains with others.
func alone(r Report) []string {
	titles := scopeTitles(r)
	var out []string
	for _, o := range r.Worklist {
		if o.Next != "" {
			out = append(out, o.sentence(titles))
		}
	}
	return out
}

func (o Outlook) sentence(titles map[string]string) string {
	var b strings.Builder
	layer := layerTitle(o.Layer)
	switch {
	case o.Own == "":
		fmt.Fprintf(&b, "%s: the operator's own work alone reaches none of the levels that were judged", layer)
	case o.OwnOpen > 0:
		fmt.Fprintf(&b, "%s: the operator's own work can reach %s, if %s out well", layer, titles[o.Own], plural(o.OwnOpen, "answer that is not known yet turns", "answers that are not known yet turn"))
	default:
		fmt.Fprintf(&b, "%s: the operator's own work can reach %s", layer, titles[o.Own])
	}
	if len(o.Remains) == 0 {
		return b.String() + "."
	}
	count := 0
	var names []string
	for _, t := range o.Remains {
		count += t.Count
		names = append(names, "“"+t.Title+"”")
	}
	scope := o.Remains[0].Scopes[0]
	for _, s := range o.Remains[0].Scopes {
		if s != o.Own && titles[s] != "" {
			scope = s
			break
		}
	}
	fmt.Fprintf(&b, ". What then remains for %s lies with upstream projects and distributions: %s (%s)", titles[scope], list(names), plural(count, "subject", "subjects"))
	b.WriteString(". Or replace what fails there: pegel evaluate BUNDLE --what-if replace=A:B shows the effect")
	return b.String() + "."
}

func scopeTitles(r Report) map[string]string {
	titles := map[string]string{}
	for _, v := range r.Verdicts {
		titles[v.Scope] = v.Title
	}
	return titles
}

// saidOf is the reason of a finding, with the waiver that it has.
func saidOf(f Finding) string {
	if w := waivedWords(f.Waived); w != "" {
		return reasonOf(f) + " (" + w + ")"
	}
	return reasonOf(f)
}

// waivedIn counts the failures of the scopes that are waived.
func waivedIn(r Report, scopes []string) int {
	var ids []string
	for _, v := range r.Verdicts {
		if slices.Contains(scopes, v.Scope) {
			ids = append(ids, v.Waived...)
		}
	}
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

// waivedWords says of a finding that it is waived; "" if it is not.
func waivedWords(w *audit.Waived) string {
	if w == nil {
		return ""
	}
	return fmt.Sprintf("waived until %s by %s: %s", day(w.Until), w.By, w.Reason)
}

// unusedWaivers says of each waiver that changes nothing why.
func unusedWaivers(r Report) []string {
	var out []string
	for _, w := range r.Waivers {
		if w.Unused != "" {
			out = append(out, fmt.Sprintf("The waiver of %s for %s changes nothing: %s.", w.Requirement, w.Subject, w.Unused))
		}
	}
	return out
}
