package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SCSStandard writes a scope as a draft in the template of SCS's standards (standards: Standards/scs-XXXX-vN-standard-template.md,
// scs-0001-v1, "Document format" and "Sections"; front matter as Tests/chk_adrs.py checks it, track and type as scs-0502-v1). The
// lint rules of that repository forbid HTML (.markdownlint-cli2.jsonc, MD033), so that the heading of a requirement is the id of
// its test case: its anchor is that id and never changes.
func SCSStandard(s SCSScope) ([]byte, error) {
	if len(s.Timeline) == 0 {
		return nil, fmt.Errorf("writing scope %q as a standard: the policy has no timeline; add it to policy.yaml, such as timeline: [{date: 2026-11-26, state: draft}]", s.ID)
	}
	var d standard
	d.front(s)
	d.introduction(s)
	d.considerations(s)
	d.requirements(s)
	d.related(s)
	d.conformance(s)
	return []byte(strings.TrimRight(d.b.String(), "\n") + "\n"), nil
}

// standard writes Markdown that the lint rules of SCS accept: blank lines around headings, lists and tables, one at a time.
type standard struct{ b strings.Builder }

func (d *standard) heading(level int, text string) {
	d.para(strings.Repeat("#", level) + " " + text)
}

func (d *standard) para(format string, args ...any) {
	fmt.Fprintf(&d.b, format+"\n\n", args...)
}

func (d *standard) item(format string, args ...any) { fmt.Fprintf(&d.b, "- "+format+"\n", args...) }
func (d *standard) end()                            { d.b.WriteByte('\n') }

// front matter; the words of YAML are quoted, so that no title can become a key.
func (d *standard) front(s SCSScope) {
	d.para("---\ntitle: %s\ntype: Standard\ntrack: Scopes\nstatus: Draft\ndescription: |\n  Proposal of the criteria for the certificate scope %s, not adopted by SCS.\n---",
		quoted(s.Title), scsText(s.Title))
}

func (d *standard) introduction(s SCSScope) {
	title, layer := scsText(s.Title), scsText(s.Layer)
	d.heading(2, "Introduction")
	d.para("This document is a proposal by the Pegel project. Nobody has adopted it, and nothing can be certified by it. It writes down what the "+
		"certificate scope _%s_ could demand of a cloud on the layer %s, with a source and a test for each demand.", title, layer)
	d.para("It was written from the policy `%s` in version %s, digest `%s`. Each requirement has an id that does not change; the id is also that of its "+
		"test case and the heading that it stands under.", inCode(s.Policy.ID), scsText(s.Policy.Version), inCode(string(s.Policy.Digest)))
	d.heading(2, "Terminology")
	d.para("The keywords \"MUST\" and \"SHOULD\" in this document are to be interpreted as described in [RFC 2119](https://datatracker.ietf.org/doc/html/rfc2119).")
	d.item("Stack: everything that is deployed to run the cloud, with what it consists of.")
	d.item("Artifact, product, package, project: an image or host; a component in it at its deployed version; a package of a distribution; the upstream project behind a component.")
	d.item("Operator: whoever runs the cloud.")
	d.item("Declaration: what only the operator says. It is tentative until an assessor accepts it.")
	d.end()
	d.heading(2, "Motivation")
	d.para("SCS names the level of this scope, and its documents state what it is about, but no document states criteria that could be tested. " +
		"Users ask for them, and operators have to know what is expected before they invest. This proposal is complete enough to be contested " +
		"line by line: every requirement names the words that it rests on.")
}

func (d *standard) considerations(s SCSScope) {
	d.heading(2, "Design Considerations")
	d.para("A requirement is one question about one subject, answered from evidence. What nobody looked at and what could not be decided is neither a pass nor a failure.")
	d.heading(3, "Options considered")
	if len(s.Refused) == 0 {
		d.para("Every demand of the sources is served by a requirement.")
	} else {
		d.para("Demands of the sources that this proposal does not take up, and why:")
		for _, r := range s.Refused {
			d.item("%s: %s Not taken up: %s", scsLink(r.Source), scsSentence(r.Says), scsSentence(r.Why))
		}
		d.end()
	}
	d.heading(3, "Open questions")
	if len(s.Questions) == 0 {
		d.para("None.")
		return
	}
	d.para("Questions that nobody has answered yet, and the answer that this proposal takes:")
	for _, q := range s.Questions {
		answer := "no"
		if q.On {
			answer = "yes"
		}
		d.item("`%s`: %s Answer: %s. Source: %s.", inCode(q.Name), scsSentence(q.Title), answer, scsLinks(q.Sources))
	}
	d.end()
}

func (d *standard) requirements(s SCSScope) {
	d.heading(2, "Requirements")
	if s.Requires.Name != "" {
		d.para("The subject MUST hold a valid certificate of the scope %s of the same layer.", scsLink(SCSSource{Words: s.Requires.Name, Address: s.Requires.URL}))
	}
	var modules []string
	for _, t := range s.Tests {
		if !slices.Contains(modules, t.Module) {
			modules = append(modules, t.Module)
		}
	}
	for _, module := range modules {
		first := slices.IndexFunc(s.Tests, func(t SCSTest) bool { return t.Module == module })
		d.heading(3, scsHeading(s.Tests[first].ModuleTitle))
		for _, t := range s.Tests {
			if t.Module == module {
				d.requirement(t)
			}
		}
	}
}

func (d *standard) requirement(t SCSTest) {
	d.heading(4, SCSTestCase(t.Requirement))
	keyword := "SHOULD"
	if t.Must {
		keyword = "MUST"
	}
	d.para("%s, the following %s hold: %s", forEach(t.ForEach), keyword, scsSentence(t.Title))
	d.item("Rationale: %s", scsSentence(t.Rationale))
	d.item("Source: %s.", scsLinks(t.Sources))
	d.item("Test: %s", testWords(t))
	if !t.From.IsZero() {
		d.item("From %s on a failure counts; before that day it is a warning.", t.From.Format(time.DateOnly))
	}
	d.end()
}

// testWords says how a requirement is decided and how long the answer counts.
func testWords(t SCSTest) string {
	words := "automated"
	if t.Manual {
		words = "manual, by an assessor"
	}
	words += "; the rule is `" + inCode(t.Pass) + "`"
	if t.Applies != "" {
		words += ", where `" + inCode(t.Applies) + "`"
	}
	if t.Lifetime != "" {
		words += "; a result counts for a " + t.Lifetime
	}
	if t.DeclaredOK {
		words += "; a declaration may serve, tentatively"
	}
	return words + "."
}

// forEach says about what a requirement speaks.
func forEach(kind string) string {
	switch kind {
	case "stack":
		return "Of the stack as a whole"
	case "operator":
		return "Of the operator"
	case "prerequisite":
		return "Of the level below"
	}
	return "Of each " + scsText(kind) + " of the scope"
}

func (d *standard) related(s SCSScope) {
	d.heading(2, "Related Documents")
	var seen []string
	note := func(sources []SCSSource) {
		for _, src := range sources {
			if src.Address != "" && !slices.Contains(seen, src.Document) {
				seen = append(seen, src.Document)
				page, _, _ := strings.Cut(src.Address, "#")
				d.item("%s", scsLink(SCSSource{Words: src.Document, Address: page}))
			}
		}
	}
	for _, t := range s.Tests {
		note(t.Sources)
	}
	d.item("%s", scsLink(SCSSource{Words: "Policy reference of Pegel", Address: scsURL(s.ID)}))
	d.end()
}

func (d *standard) conformance(s SCSScope) {
	d.heading(2, "Conformance Tests")
	d.para("The scope file `%s.yaml` (uuid `%s`) has a test case of the same id for each requirement. The check script `pegel check` answers them, "+
		"and `pegel policy scope` writes the file.", inCode(s.ID), SCSScopeUUID(s.Policy.ID, s.ID))
	d.heading(3, "Validity")
	d.para("| Version | From | State |\n| --- | --- | --- |\n%s", strings.Join(d.states(s), "\n"))
}

func (d *standard) states(s SCSScope) (rows []string) {
	for _, state := range s.Timeline {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", scsText(s.Policy.Version), state.From.Format(time.DateOnly), scsText(state.State)))
	}
	return rows
}

// scsText makes data fit for prose under the lint rules of SCS: no markup, no curly quotes, no double hyphen as a dash.
func scsText(s string) string {
	s = strings.NewReplacer("“", "\"", "”", "\"", "‘", "'", "’", "'").Replace(oneLine(s))
	return strings.ReplaceAll(mdText(s), " -- ", " — ")
}

// scsHeading is scsText without the punctuation that a heading may not end with (MD026).
func scsHeading(s string) string { return strings.TrimRight(scsText(s), ".,;:!。，；：！") }

// scsSentence is scsText that ends like a sentence.
func scsSentence(s string) string {
	s = scsText(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// code makes data fit for a code span.
func inCode(s string) string { return strings.ReplaceAll(oneLine(s), "`", "'") }

// quoted is a double-quoted word of YAML.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}

func scsLink(s SCSSource) string {
	words := strings.NewReplacer("“", "\"", "”", "\"", "‘", "'", "’", "'", " -- ", " — ").Replace(oneLine(s.Words))
	if !strings.HasPrefix(s.Address, "https://") {
		return mdText(words)
	}
	return mdLink(words, s.Address)
}

func scsLinks(sources []SCSSource) string {
	out := make([]string, len(sources))
	for i, s := range sources {
		out[i] = scsLink(s)
	}
	return strings.Join(out, "; ")
}
