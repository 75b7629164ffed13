package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// What findings say about a criterion of another framework.
const (
	Supports    = "supports"         // every requirement that it rests on is known to hold, and not by the operator's word alone
	NotSupports = "does-not-support" // at least one is known to fail
	NotDecided  = "not-decided"      // none fails, and one is not known
	NoFinding   = "no-finding"       // no requirement speaks to it, or none applies
)

// Framework is another set of criteria, with what the findings of this audit support in it. It never says that anybody meets
// the framework.
type Framework struct {
	ID       string      `json:"id"`
	Title    Words       `json:"title"`
	Version  string      `json:"version"`
	Date     string      `json:"date"`
	Status   string      `json:"status"`
	URL      string      `json:"url,omitempty"`
	Verified bool        `json:"verified"` // ids and demands were read in the framework itself
	Note     Words       `json:"note,omitempty"`
	Criteria []Criterion `json:"criteria"`
}

// Criterion is one demand of a framework.
type Criterion struct {
	ID           string   `json:"id"` // as the framework writes it
	Asks         Words    `json:"asks"`
	Gives        Words    `json:"gives"`
	Strength     string   `json:"strength"` // E direct evidence, P part of it, C context only
	Note         Words    `json:"note,omitempty"`
	Requirements []string `json:"requirements"`
	State        string   `json:"state"`              // supports, does-not-support, not-decided, no-finding
	Fails        []string `json:"fails,omitempty"`    // of the requirements, those that fail
	Open         []string `json:"open,omitempty"`     // those that are not known, or that this audit did not ask about
	Declared     []string `json:"declared,omitempty"` // those that only the operator's word supports
}

// Crosswalk says of each criterion what the findings give to it. Frameworks come with criteria and requirements; states and
// lists are worked out here. The order of the findings does not matter.
func Crosswalk(frameworks []Framework, findings []Finding) []Framework {
	answers := map[string]*answer{}
	for _, f := range findings {
		a := answers[f.Requirement]
		if a == nil {
			a = &answer{}
			answers[f.Requirement] = a
		}
		a.add(f)
	}
	out := slices.Clone(frameworks)
	for i, f := range out {
		out[i].Criteria = slices.Clone(f.Criteria)
		for j := range out[i].Criteria {
			out[i].Criteria[j].judge(answers)
		}
	}
	return out
}

// answer is what all findings of one requirement say together.
type answer struct{ fails, open, declared, holds bool }

func (a *answer) add(f Finding) {
	switch {
	case f.Outcome == audit.FAIL:
		a.fails = true
	case f.Outcome == audit.MISS, f.Outcome == audit.DNF, f.Outcome == audit.PART:
		a.open = true
	case f.Outcome == audit.PASS && f.Declared:
		a.declared = true
	case f.Outcome == audit.PASS:
		a.holds = true
	}
}

func (c *Criterion) judge(answers map[string]*answer) {
	c.Fails, c.Open, c.Declared = nil, nil, nil
	holds := false
	c.Requirements = append([]string{}, c.Requirements...)
	for _, id := range c.Requirements {
		switch a := answers[id]; {
		case a == nil || !a.fails && a.open:
			c.Open = append(c.Open, id)
		case a.fails:
			c.Fails = append(c.Fails, id)
		case a.declared:
			c.Declared = append(c.Declared, id)
		case a.holds:
			holds = true
		}
	}
	switch {
	case len(c.Fails) > 0:
		c.State = NotSupports
	case len(c.Open) > 0 || len(c.Declared) > 0:
		c.State = NotDecided
	case holds:
		c.State = Supports
	default:
		c.State = NoFinding
	}
}

func supportSign(state, lang string) sign {
	switch state {
	case Supports:
		return sign{"✓", label(lang, Supports), good}
	case NotSupports:
		return sign{"✗", label(lang, NotSupports), bad}
	case NoFinding:
		return sign{"–", label(lang, NoFinding), neutral}
	}
	return sign{"?", label(lang, NotDecided), unsure}
}

// why says which requirements keep a criterion from being supported, by their titles.
func (c Criterion) why(lang string, titles map[string]string) string {
	var parts []string
	add := func(id string, requirements []string) {
		if len(requirements) == 0 {
			return
		}
		names := make([]string, len(requirements))
		for i, q := range requirements {
			if names[i] = titles[q]; names[i] == "" {
				names[i] = q
			}
		}
		const most = 4
		text := strings.Join(names[:min(most, len(names))], "; ")
		if rest := len(names) - most; rest > 0 {
			text += fmt.Sprintf("; + %d", rest)
		}
		parts = append(parts, fill(lang, id, "titles", text))
	}
	add("support-fails", c.Fails)
	add("support-open", c.Open)
	add("support-declared", c.Declared)
	return strings.Join(parts, ". ")
}

// requirementTitles leads from requirements to their titles in the language of the report.
func requirementTitles(r Report, lang string) map[string]string {
	out := map[string]string{}
	for _, f := range r.Findings {
		out[f.Requirement] = f.Title
	}
	for _, t := range r.Requirements {
		out[t.ID] = t.Title.In(lang)
	}
	return out
}

// crosswalk shows frameworks of which some criterion is supported, one line each.
func (t *terminal) crosswalk(r Report, lang string) {
	if len(r.Crosswalk) == 0 {
		return
	}
	t.heading(label(lang, "frameworks"))
	rest := 0
	for _, f := range r.Crosswalk {
		n := map[string]int{}
		for _, c := range f.Criteria {
			n[c.State]++
		}
		if n[Supports] == 0 {
			rest++
			continue
		}
		name := f.Title.In(lang)
		if !f.Verified {
			name += " (" + label(lang, "unverified") + ")"
		}
		t.signed("  ", supportSign(Supports, lang), fill(lang, "support-count", "name", name, "yes", fmt.Sprint(n[Supports]),
			"all", fmt.Sprint(len(f.Criteria)), "open", fmt.Sprint(n[NotDecided]+n[NoFinding]), "no", fmt.Sprint(n[NotSupports])))
	}
	switch {
	case rest == len(r.Crosswalk):
		t.para("  ", fill(lang, "support-none", "n", fmt.Sprint(rest)))
	case rest > 0:
		t.para("  ", fill(lang, "support-rest", "n", fmt.Sprint(rest)))
	}
}

// crosswalkView is the section of other frameworks as the page shows it.
type crosswalkView struct {
	Lang, Title, Note                            string
	Criterion, Asks, Gives, Strength, AnswerWord string
	Frameworks                                   []frameworkView
}

type frameworkView struct {
	Title, About, Link, Unverified, Note string
	Rows                                 []criterionView
}

type criterionView struct {
	ID, Asks, Gives, Strength, Why, Note string
	Sign                                 sign
}

func crosswalkViewOf(r Report, lang string) *crosswalkView {
	if len(r.Crosswalk) == 0 {
		return nil
	}
	if lang == "" {
		lang = "en"
	}
	v := &crosswalkView{
		Lang: lang, Title: label(lang, "frameworks"), Note: label(lang, "frameworks-note"), Criterion: label(lang, "criterion"),
		Asks: label(lang, "asks"), Gives: label(lang, "gives"), Strength: label(lang, "strength"), AnswerWord: label(lang, "answer"),
	}
	titles := requirementTitles(r, lang)
	for _, f := range r.Crosswalk {
		row := frameworkView{Title: f.Title.In(lang), About: f.Version + ", " + f.Date + "; " + f.Status}
		if strings.HasPrefix(f.URL, "https://") {
			row.Link = f.URL
		}
		if !f.Verified {
			row.Unverified = label(lang, "unverified")
		}
		row.Note = f.Note.In(lang)
		for _, c := range f.Criteria {
			line := criterionView{
				ID: c.ID, Asks: c.Asks.In(lang), Gives: c.Gives.In(lang), Strength: label(lang, "strength-"+c.Strength),
				Why: c.why(lang, titles), Sign: supportSign(c.State, lang),
			}
			line.Note = c.Note.In(lang)
			row.Rows = append(row.Rows, line)
		}
		v.Frameworks = append(v.Frameworks, row)
	}
	return v
}
