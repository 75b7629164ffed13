package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// ExplanationText writes an explanation for people in one of Languages. What stands in the evidence is shown as it stands there.
func ExplanationText(x Explanation, lang string) string {
	t := explaining{lang: lang}
	t.head(printableAll(x))
	return t.b.String()
}

// printableAll returns a copy in which every string is printable.
func printableAll[T any](v T) T {
	return copyOf(copier{text: func(_, s string) string { return printable(s) }}, v)
}

type explaining struct {
	b    strings.Builder
	lang string
}

func (t *explaining) line(indent int, label phrase, value string) {
	if value != "" {
		fmt.Fprintf(&t.b, "%s%s%s %s\n", strings.Repeat("  ", indent), label.in(t.lang), colon(t.lang), value)
	}
}

func (t *explaining) heading(label phrase) { fmt.Fprintf(&t.b, "\n%s\n", label.in(t.lang)) }

func (t *explaining) head(x Explanation) {
	f, q := x.Finding, x.Requirement
	fmt.Fprintf(&t.b, "%s\n", q.Title.In(t.lang))
	t.line(0, labelAnswer, fmt.Sprintf("%s (%s)", outcomePhrase(f.Outcome).in(t.lang), f.Outcome))
	t.line(0, labelSubject, subjectLine(f))
	t.line(0, labelReason, f.Reason)
	t.line(0, labelWaived, waivedWords(f.Waived))
	if f.Overruled != "" {
		t.line(0, labelOverruled, f.Overruled)
	}
	if !f.EffectiveOn.IsZero() {
		t.line(0, labelWarns, day(f.EffectiveOn))
	}
	t.line(0, labelFinding, f.ID)
	t.line(0, labelRequired, fmt.Sprintf("%s (%s)", q.ID, severityPhrase(q.Severity).in(t.lang)))
	t.line(0, labelScopes, strings.Join(f.Scopes, ", "))
	t.line(0, labelDecides, strings.Join(x.Limits, ", "))
	t.line(0, labelValid, day(f.ValidUntil))
	t.line(0, labelRationale, q.Rationale.In(t.lang))
	t.sources(q)
	t.heading(labelRule)
	t.tree(x)
	t.heading(labelFacts)
	if f.Example != nil {
		t.line(1, labelExample, f.Example.Kind+" "+f.Example.Name)
	}
	for _, g := range f.Grounds {
		t.ground(f, g)
	}
	if f.Outcome != audit.PASS && f.Outcome != audit.NA {
		t.b.WriteByte('\n')
		t.line(0, labelRemedy, q.Remedy.In(t.lang))
		t.line(0, labelOwner, ownerPhrase(q.Owner).in(t.lang))
		t.line(0, labelSettle, strings.Join(f.Settle, "; "))
	}
	t.b.WriteByte('\n')
	t.line(0, labelPolicy, fmt.Sprintf("%s %s %s", x.Policy.ID, x.Policy.Version, x.Policy.Digest))
	if x.Policy.Status == "proposal" {
		fmt.Fprintf(&t.b, "%s\n", labelProposal.in(t.lang))
	}
}

func subjectLine(f Finding) string {
	s := f.Subject.Kind + " " + f.Subject.Name
	if f.Count > 1 {
		s += fmt.Sprintf(" (%s)", thousands(f.Count))
	}
	return s
}

func (t *explaining) sources(q Requirement) {
	if len(q.Sources) == 0 {
		return
	}
	t.heading(labelSources)
	for _, c := range q.Sources {
		where := c.Document
		if c.At != "" {
			where += ", " + c.At
		}
		fmt.Fprintf(&t.b, "  %s\n", where)
		if c.Quote != "" {
			fmt.Fprintf(&t.b, "    “%s”\n", c.Quote)
		}
		if says := c.Says.In(t.lang); says != "" {
			fmt.Fprintf(&t.b, "    %s\n", says)
		}
		if c.URL != "" {
			fmt.Fprintf(&t.b, "    %s\n", c.URL)
		}
	}
}

func (t *explaining) tree(x Explanation) {
	if len(x.Tree) == 0 {
		fmt.Fprintf(&t.b, "  %s\n", labelNoRule.in(t.lang))
		return
	}
	for i, rule := range x.Tree {
		label := labelHoldsIt
		if x.Requirement.Applies != "" && i == 0 {
			label = labelApplies
		}
		fmt.Fprintf(&t.b, "  %s\n", label.in(t.lang))
		t.node(rule, 2)
	}
}

func (t *explaining) node(x audit.Explanation, depth int) {
	fmt.Fprintf(&t.b, "%s%s = %s\n", strings.Repeat("  ", depth), x.Text, valueIn(x.Value, t.lang))
	for _, p := range x.Parts {
		t.node(p, depth+1)
	}
}

func (t *explaining) ground(f Finding, g audit.Ground) {
	fmt.Fprintf(&t.b, "  %s = %s (%s)\n", g.Fact, factIn(g, t.lang), strings.Join(groundWords(g, t.lang), ", "))
	t.line(2, labelSeen, g.Says)
	t.line(2, labelWhyUnknown, g.Reason)
	if !g.Known {
		t.line(2, labelSettle, strings.Join(g.Settle, "; "))
	}
	for _, o := range groundOrigins(f, g) {
		t.line(2, labelOrigin, originLine(o))
	}
	if len(g.Origins) == 0 && g.Known {
		t.line(2, labelOrigin, labelNotNamed.in(t.lang))
	}
	for _, p := range g.Places {
		t.line(2, labelInBundle, placeLine(p, t.lang))
	}
}

// groundWords say how a fact is known, since when and until when.
func groundWords(g audit.Ground, lang string) []string {
	var out []string
	switch {
	case g.Declared:
		out = append(out, labelDeclared.in(lang))
	case g.Known:
		out = append(out, labelMeasured.in(lang))
	case g.Looked:
		out = append(out, wordDNF.in(lang))
	default:
		out = append(out, wordMiss.in(lang))
	}
	if !g.ObservedAt.IsZero() {
		out = append(out, labelObserved.in(lang)+" "+day(g.ObservedAt))
	}
	if !g.Until.IsZero() {
		out = append(out, labelUntil.in(lang)+" "+day(g.Until))
	}
	return out
}

func groundOrigins(f Finding, g audit.Ground) []audit.Origin {
	var out []audit.Origin
	for _, i := range g.Origins {
		if i >= 0 && i < len(f.Origins) {
			out = append(out, f.Origins[i])
		}
	}
	return out
}

// originLine names a place that was read, on one line.
func originLine(o audit.Origin) string {
	parts := []string{o.Source}
	if link := originURL(o); link != "" {
		parts = append(parts, link)
	} else if o.URL != "" {
		parts = append(parts, originText(audit.Origin{URL: o.URL}))
	}
	if o.Commit != "" && !strings.Contains(strings.Join(parts, " "), o.Commit) {
		parts = append(parts, "@"+o.Commit)
	}
	if o.Path != "" {
		path := o.Path
		if o.Line > 0 {
			path += fmt.Sprintf(":%d", o.Line)
		}
		parts = append(parts, path)
	}
	if o.Digest != "" {
		parts = append(parts, string(o.Digest))
	}
	if !o.At.IsZero() {
		parts = append(parts, day(o.At))
	}
	return strings.Join(parts, " ")
}

// placeLine says where bytes lie in the bundle.
func placeLine(p audit.Place, lang string) string {
	at := "blobs/sha256/" + p.Digest.Hex()
	if p.Name != "" {
		at += " (" + strings.TrimSpace(p.Kind+" "+p.Name) + ")"
	}
	switch {
	case p.Withheld != "":
		return at + " " + labelWithheld.in(lang) + colon(lang) + " " + p.Withheld
	case p.To > 0:
		return at + fmt.Sprintf(" %s %d-%d", labelBytes.in(lang), p.From, p.To-1)
	}
	return at + " " + labelPointer.in(lang) + " " + p.Pointer
}

// LimitingText lists findings by their ids, with the answer and the reason of each.
func LimitingText(list []Finding, lang string) string {
	if len(list) == 0 {
		return labelNoLimiting.in(lang) + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", labelLimiting.in(lang))
	for _, f := range list {
		f = printableAll(f)
		fmt.Fprintf(&b, "  %-4s %s\n       %s\n", f.Outcome, f.ID, f.Reason)
	}
	return b.String()
}

// colon is the colon behind a label; French has a space before it that does not break.
func colon(lang string) string {
	if lang == "fr" {
		return "\u00a0:"
	}
	return ":"
}
