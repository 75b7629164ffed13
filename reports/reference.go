package reports

import (
	"fmt"
	"strings"
)

// Reference is a policy as its reference page shows it: everything that it demands, with sources, in one language at a time.
type Reference struct {
	ID, Version, Digest string
	Title               Words
	Scopes              []ReferenceScope
	Requirements        []ReferenceRequirement // sorted by id
	Documents           []ReferenceDocument    // sorted by id
	Switches            []ReferenceSwitch
	Frameworks          []Framework // states are not shown: a policy has no findings
	Glossary            []ReferenceTerm
}

// ReferenceScope is a level in a layer.
type ReferenceScope struct {
	ID, Title, Requires, Selects string
	Level                        int
	Requirements                 []string // ids, in the order of the scope
	Gates                        []ReferenceGate
}

// ReferenceGate is a score that upstream projects need.
type ReferenceGate struct {
	Role, Aspect  string
	Low, Coverage int // basis points
	Source        string
}

// ReferenceRequirement is one demand with all that the policy says about it.
type ReferenceRequirement struct {
	ID, Module, Severity, Subject, Owner, Applies, Pass, Lifetime, Duration, EffectiveOn string
	Title, Rationale, Remedy                                                             Words
	Passes, Fails                                                                        string // the words of a finding
	Evidence                                                                             []string
	DeclaredOK                                                                           bool
	Clauses                                                                              []string // ids
	Cases                                                                                []string // names, with what each expects
	Supports                                                                             []string // criteria of other frameworks
}

// ReferenceDocument is a source with its clauses.
type ReferenceDocument struct {
	ID, Title, Status, URL string
	Clauses                []ReferenceClause
}

// ReferenceClause is one demand of a document, and who answers it.
type ReferenceClause struct {
	ID, At, Quote, URL string
	Says, Refused      Words
	Serving            []string // requirements and switches
}

// ReferenceSwitch is an open question with the answer that the policy takes.
type ReferenceSwitch struct {
	Name    string
	On      bool
	Title   Words
	Clauses []string
}

// ReferenceTerm is a word of the glossary with its meaning.
type ReferenceTerm struct {
	ID            string
	Word, Meaning Words
}

// ReferencePage writes a policy as Markdown in a language. Its first line says that it is a proposal. Every requirement, scope,
// document, clause and term has an anchor that stays: its id.
func ReferencePage(p Reference, lang string) []byte {
	w := &referenceWriter{lang: lang, clauses: map[string]ReferenceClause{}, titles: map[string]Words{}}
	for _, d := range p.Documents {
		for _, c := range d.Clauses {
			w.clauses[c.ID] = c
		}
	}
	for _, q := range p.Requirements {
		w.titles[q.ID] = q.Title
	}
	w.head(p)
	w.scopes(p)
	for _, q := range p.Requirements {
		w.requirement(q, p)
	}
	w.documents(p)
	w.switches(p)
	w.frameworks(p)
	w.glossary(p)
	return []byte(w.b.String())
}

type referenceWriter struct {
	b       strings.Builder
	lang    string
	clauses map[string]ReferenceClause
	titles  map[string]Words
}

func (w *referenceWriter) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// say writes a label of the page.
func (w *referenceWriter) say(id string) string {
	for _, p := range referencePhrases {
		if p.id == id {
			return p.in(w.lang)
		}
	}
	return id
}

// text is a text in the language of the page; where nobody has written it yet, the English one, marked.
func (w *referenceWriter) text(t Words) string {
	if s := t[w.lang]; s != "" {
		return escapeMarkdown(s)
	}
	if t["en"] == "" {
		return ""
	}
	return escapeMarkdown(t["en"]) + " (en)"
}

// cell is text inside of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

// escapeMarkdown keeps the texts of a policy from being read as Markdown or HTML.
func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(printable(strings.Join(strings.Fields(s), " ")))
}

func code(s string) string {
	return "`" + strings.ReplaceAll(printable(strings.Join(strings.Fields(s), " ")), "`", "'") + "`"
}

// anchorOf is a clause or criterion id as an anchor: letters, digits and hyphens.
func anchorOf(id string) string { return strings.NewReplacer("/", "--", " ", "-").Replace(id) }

func (w *referenceWriter) head(p Reference) {
	w.line("**%s** %s %s, %s.", w.say("first"), escapeMarkdown(p.ID), escapeMarkdown(p.Version), code(p.Digest))
	w.line("")
	w.line("# %s", w.text(p.Title))
	w.line("")
	w.line("%s", w.say("intro"))
	w.line("")
	w.line("[English](policy.en.md) · [Deutsch](policy.de.md) · [Français](policy.fr.md)")
	w.line("")
}

func (w *referenceWriter) scopes(p Reference) {
	w.line("## %s", w.say("scopes"))
	for _, s := range p.Scopes {
		w.line("")
		w.line("<a id=\"%s\"></a>", s.ID)
		w.line("### %s", escapeMarkdown(s.Title))
		w.line("")
		w.line("%s", fillIn(w.say("scope-line"), "id", code(s.ID), "level", fmt.Sprint(s.Level), "requires", code(s.Requires), "selects", code(s.Selects)))
		w.line("")
		w.line("| %s | %s | %s |", w.say("requirement"), w.say("severity"), w.say("subject"))
		w.line("|---|---|---|")
		for _, id := range s.Requirements {
			for _, q := range p.Requirements {
				if q.ID == id {
					w.line("| [%s](#%s) | %s | %s |", cell(w.text(q.Title)), q.ID, w.say(q.Severity), q.Subject)
				}
			}
		}
		w.gates(s)
	}
}

func (w *referenceWriter) gates(s ReferenceScope) {
	if len(s.Gates) == 0 {
		return
	}
	w.line("")
	w.line("%s", w.say("gates"))
	w.line("")
	w.line("| %s | %s | %s | %s | %s |", w.say("role"), w.say("aspect"), w.say("low"), w.say("coverage"), w.say("source"))
	w.line("|---|---|---|---|---|")
	for _, g := range s.Gates {
		w.line("| %s | %s | %d | %d %% | %s |", g.Role, g.Aspect, g.Low/100, g.Coverage/100, cell(escapeMarkdown(g.Source)))
	}
}

func (w *referenceWriter) requirement(q ReferenceRequirement, p Reference) {
	w.line("")
	if p.Requirements[0].ID == q.ID {
		w.line("## %s", w.say("requirements"))
		w.line("")
	}
	w.line("<a id=\"%s\"></a>", q.ID)
	w.line("### %s: %s", q.ID, w.text(q.Title))
	w.line("")
	w.line("%s", w.text(q.Rationale))
	w.line("")
	item := func(id, text string) {
		if text != "" {
			w.line("- **%s:** %s", w.say(id), text)
		}
	}
	item("severity", w.say(q.Severity))
	var scopes []string
	for _, s := range p.Scopes {
		for _, id := range s.Requirements {
			if id == q.ID {
				scopes = append(scopes, fmt.Sprintf("[%s](#%s)", escapeMarkdown(s.Title), s.ID))
			}
		}
	}
	item("counts", strings.Join(scopes, ", "))
	item("subject", q.Subject)
	if q.Applies != "" {
		item("applies", code(q.Applies))
	}
	item("rule", code(q.Pass))
	if q.Passes != "" {
		item("passes", escapeMarkdown(q.Passes)+w.english())
	}
	if q.Fails != "" {
		item("fails", escapeMarkdown(q.Fails)+w.english())
	}
	var facts []string
	for _, f := range q.Evidence {
		facts = append(facts, code(f))
	}
	item("evidence", strings.Join(facts, ", "))
	item("lifetime", strings.Trim(q.Lifetime+", "+q.Duration, ", "))
	item("declared", w.say(map[bool]string{true: "declared-yes", false: "no"}[q.DeclaredOK]))
	if q.EffectiveOn == "" {
		item("effective", w.say("always"))
	} else {
		item("effective", q.EffectiveOn)
	}
	item("remedy", w.text(q.Remedy)+" ("+w.say("owner-"+q.Owner)+")")
	w.line("- **%s:**", w.say("sources"))
	for _, id := range q.Clauses {
		w.line("  - %s", w.source(w.clauses[id]))
	}
	if len(q.Cases) > 0 {
		w.line("- **%s:** %s", w.say("cases"), escapeMarkdown(strings.Join(q.Cases, "; ")))
	}
	if len(q.Supports) > 0 {
		w.line("- **%s:** %s", w.say("supports"), escapeMarkdown(strings.Join(q.Supports, "; ")))
	}
}

// english marks what a policy says in English only.
func (w *referenceWriter) english() string {
	if w.lang == "en" {
		return ""
	}
	return " (en)"
}

func (w *referenceWriter) source(c ReferenceClause) string {
	s := fmt.Sprintf("[%s](#%s)", escapeMarkdown(c.ID), anchorOf(c.ID))
	if c.At != "" {
		s += ", " + escapeMarkdown(c.At)
	}
	if c.Quote != "" {
		s += ": “" + escapeMarkdown(c.Quote) + "”"
	}
	if strings.HasPrefix(c.URL, "https://") {
		s += " ([" + w.say("address") + "](<" + strings.NewReplacer("<", "%3C", ">", "%3E").Replace(printable(c.URL)) + ">))"
	}
	return s
}

func (w *referenceWriter) documents(p Reference) {
	w.line("")
	w.line("## %s", w.say("clauses"))
	w.line("")
	w.line("%s", w.say("clauses-intro"))
	for _, d := range p.Documents {
		w.line("")
		w.line("<a id=\"%s\"></a>", anchorOf("document-"+d.ID))
		w.line("### %s (%s)", escapeMarkdown(d.Title), escapeMarkdown(d.Status))
		w.line("")
		w.line("| %s | %s | %s |", w.say("clause"), w.say("says"), w.say("answered"))
		w.line("|---|---|---|")
		for _, c := range d.Clauses {
			w.line("| <a id=\"%s\"></a>%s | %s | %s |", anchorOf(c.ID), cell(w.source(c)), cell(w.text(c.Says)), cell(w.answered(c)))
		}
	}
}

func (w *referenceWriter) answered(c ReferenceClause) string {
	if len(c.Refused) > 0 {
		return w.say("refused") + ": " + w.text(c.Refused)
	}
	var out []string
	for _, id := range c.Serving {
		if _, ok := w.titles[id]; ok {
			out = append(out, fmt.Sprintf("[%s](#%s)", id, id))
			continue
		}
		out = append(out, fmt.Sprintf("[%s](#switch-%s)", escapeMarkdown(id), id))
	}
	return strings.Join(out, ", ")
}

func (w *referenceWriter) switches(p Reference) {
	if len(p.Switches) == 0 {
		return
	}
	w.line("")
	w.line("## %s", w.say("switches"))
	w.line("")
	w.line("%s", w.say("switches-intro"))
	w.line("")
	w.line("| %s | %s | %s | %s |", w.say("switch"), w.say("question"), w.say("default"), w.say("sources"))
	w.line("|---|---|---|---|")
	for _, s := range p.Switches {
		var sources []string
		for _, id := range s.Clauses {
			sources = append(sources, fmt.Sprintf("[%s](#%s)", escapeMarkdown(id), anchorOf(id)))
		}
		w.line("| <a id=\"switch-%s\"></a>%s | %s | %s | %s |", s.Name, code(s.Name), cell(w.text(s.Title)), w.say(map[bool]string{true: "yes", false: "no"}[s.On]), strings.Join(sources, ", "))
	}
}

func (w *referenceWriter) frameworks(p Reference) {
	if len(p.Frameworks) == 0 {
		return
	}
	w.line("")
	w.line("## %s", label(w.lang, "frameworks"))
	w.line("")
	w.line("%s", label(w.lang, "frameworks-note"))
	for _, f := range p.Frameworks {
		title := w.text(f.Title)
		if !f.Verified {
			title += " (" + label(w.lang, "unverified") + ")"
		}
		w.line("")
		w.line("<a id=\"framework-%s\"></a>", f.ID)
		w.line("### %s", title)
		w.line("")
		w.line("%s, %s; %s. %s", escapeMarkdown(f.Version), escapeMarkdown(f.Date), escapeMarkdown(f.Status), w.text(f.Note))
		w.line("")
		w.line("| %s | %s | %s | %s | %s |", label(w.lang, "criterion"), label(w.lang, "asks"), label(w.lang, "gives"), label(w.lang, "strength"), w.say("requirements"))
		w.line("|---|---|---|---|---|")
		for _, c := range f.Criteria {
			var ids []string
			for _, id := range c.Requirements {
				ids = append(ids, fmt.Sprintf("[%s](#%s)", id, id))
			}
			w.line("| %s | %s | %s | %s | %s |", cell(escapeMarkdown(c.ID)), cell(w.text(c.Asks)), cell(w.text(c.Gives)), label(w.lang, "strength-"+c.Strength), strings.Join(ids, ", "))
		}
	}
}

func (w *referenceWriter) glossary(p Reference) {
	if len(p.Glossary) == 0 {
		return
	}
	w.line("")
	w.line("## %s", w.say("glossary"))
	w.line("")
	w.line("| %s | en | de | fr |", w.say("meaning"))
	w.line("|---|---|---|---|")
	for _, t := range p.Glossary {
		w.line("| <a id=\"term-%s\"></a>%s | %s | %s | %s |", t.ID, cell(w.text(t.Meaning)), cell(escapeMarkdown(t.Word["en"])), cell(escapeMarkdown(t.Word["de"])), cell(escapeMarkdown(t.Word["fr"])))
	}
}

// fillIn replaces {name}; names and values alternate.
func fillIn(s string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(s)
}
