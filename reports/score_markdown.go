package reports

import (
	"cmp"
	"fmt"
	"strings"
)

// ScoreMarkdown writes scores as Markdown (CommonMark with tables), for issues and wikis: of each project the card with
// every missing point and a link to what was read. Nothing from a project becomes markup.
func ScoreMarkdown(projects []Project, opt Options) ([]byte, error) {
	projects = shown(projects)
	var m markdown
	if opt.Compare && len(projects) == 2 {
		m.compare(projects[0], projects[1])
		return []byte(m.b.String()), nil
	}
	if len(projects) != 1 {
		m.table(projects)
	}
	for _, p := range projects {
		m.card(p, opt.Only)
	}
	return []byte(m.b.String()), nil
}

// markdown writes lines.
type markdown struct{ b strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

// mdText makes data harmless: no character of it is markup, mentions anybody or ends a table cell.
func mdText(s string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@': // a mention calls somebody
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_{}[]!|~$^", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return atStart(b.String())
}

// atStart escapes what is markup only where a line begins: headings, lists and rules.
func atStart(s string) string {
	digits := strings.TrimLeft(s, "0123456789")
	switch {
	case s == "":
		return s
	case strings.ContainsRune("-+=#", rune(s[0])):
		return "\\" + s
	case len(digits) < len(s) && (strings.HasPrefix(digits, ". ") || strings.HasPrefix(digits, ") ")):
		return s[:len(s)-len(digits)] + "\\" + digits
	}
	return s
}

// mdLink writes a link, or the text alone where a browser may not open the address.
func mdLink(words, address string) string {
	if address == "" {
		return mdText(words)
	}
	address = strings.NewReplacer("<", "%3C", ">", "%3E", "(", "%28", ")", "%29", " ", "%20", "\\", "%5C", "`", "%60", "|", "%7C", "\"", "%22", "\n", "%0A").Replace(address)
	return "[" + mdText(words) + "](" + address + ")"
}

func (m *markdown) table(projects []Project) {
	m.line("# Scores of upstream projects\n")
	if len(projects) == 0 {
		m.line("No project was scored.")
		return
	}
	m.line("| Project | Verdict | %s | Knocked out by |", strings.Join(aspectCodes[:], " | "))
	m.line("|---|---|%s---|", strings.Repeat("---|", len(aspectCodes)))
	for _, p := range projects {
		s := projectSign(p.Verdict)
		var cells, out []string
		for _, id := range aspectOrder {
			a, ok := aspectOf(p, id)
			if !ok {
				cells = append(cells, "–")
				continue
			}
			cells, out = append(cells, inShort(a)), append(out, a.KnockOuts...)
		}
		m.line("| %s | %s %s | %s | %s |", mdLink(p.Name, webURL(p.Repo)), s.Mark, s.Word, strings.Join(cells, " | "), mdText(strings.Join(out, ", ")))
	}
	if days := daysSentence(projects); days != "" {
		m.line("\n%s", days)
	}
	m.line("\n%s Points of 100: 60-84 is at least 60 and at most 84, ? is not known, 0! is knocked out. The order says nothing about quality. %s %s\n",
		aspectLegend, tally(projects), mdText(scoreProposal(projects[0])))
}

func (m *markdown) card(p Project, only []string) {
	s := projectSign(p.Verdict)
	m.line("# %s: %s %s\n", mdText(p.Name), s.Mark, s.Word)
	m.line("%s\n", mdText(projectSentence(p)))
	plain := p
	plain.Repo = ""
	m.line("%s %s\n", mdLink(p.Repo, webURL(p.Repo)), mdText(evaluated(plain)))
	if words := failureText(p); words != "" {
		m.line("%s\n", mdText(words))
	}
	if len(p.Aspects) > 0 {
		m.line("| Aspect | Points of 100 | Known | Knock-outs |\n|---|---|---|---|")
		for _, a := range p.Aspects {
			m.line("| %s | %s | %s | %s |", aspectTitle(a.Aspect), points(a.Low, a.High), percent(a.Coverage, 10000), mdText(list(titled(p, a.KnockOuts))))
		}
		m.line("")
	}
	m.parts(p)
	for _, a := range losses(p, only) {
		m.line("## %s\n", mdText(a.head()))
		for _, l := range a.Lost {
			m.loss(l)
		}
		m.line("")
	}
	if g := reasonsOf(p); len(g.Pass) > 0 {
		m.line("%s\n", mdText(sentence(plural(len(g.Pass), "question holds", "questions hold")+": "+list(titlesOf(g.Pass)))))
	}
	m.line("%s\n", mdText(scoreProposal(p)))
}

// parts are gates, lock-in, risks and quarters.
func (m *markdown) parts(p Project) {
	if len(p.Gates) > 0 {
		m.line("## Gates of the levels (proposals)\n")
		for _, g := range p.Gates {
			s, words := gateLine(g)
			m.line("- %s %s: %s", s.Mark, s.Word, mdText(stop(words)))
		}
		m.line("")
	}
	if p.LockIn != nil {
		s := classSign(p.LockIn.Risk)
		m.line("## Risk of being locked in: %s %s\n", s.Mark, s.Word)
		m.line("- That it fails its users: %s.\n- What that would do: %s.\n", mdText(axisSentence(p.LockIn.Probability)), mdText(axisSentence(p.LockIn.Effect)))
	}
	if len(p.Risks) > 0 {
		m.line("## Risk register\n")
		for _, r := range p.Risks {
			m.line("- %s %s", outcomeSign(r.Outcome).Mark, mdText(riskText(r)))
		}
		m.line("")
	}
	if len(p.Quarters) > 0 {
		m.line("## At past quarter ends\n\n| Quarter end | Verdict | %s |\n|---|---|%s", strings.Join(aspectCodes[:], " | "), strings.Repeat("---|", len(aspectCodes)))
		for _, q := range p.Quarters {
			m.line("| %s | %s %s | %s |", day(q.End), projectSign(q.Verdict).Mark, projectSign(q.Verdict).Word, strings.Join(quarterCells(q), " | "))
		}
		m.line("")
	}
}

func (m *markdown) loss(l loss) {
	m.line("- %s **%s** (%s), %s: %s", l.Sign.Mark, mdText(cmp.Or(l.Indicator.Title, l.Indicator.ID)), mdText(l.Indicator.ID), l.Sign.Word, mdText(sentence(l.Indicator.Reason)))
	m.line("  - %s", mdText(sentence(l.Cost)))
	for _, r := range l.Reads {
		note := ""
		if r.Note != "" {
			note = " (" + mdText(r.Note) + ")"
		}
		m.line("  - Read: %s%s", mdLink(r.Text, r.Link), note)
	}
	for _, row := range []struct{ words, value string }{
		{"Evidence", l.Grade}, {"Threshold", l.Threshold}, {"To raise it", l.Raise}, {"Would settle it", strings.Join(l.Settle, "; ")},
		{"Serves scs-0008", strings.Join(l.Indicator.Clauses, ", ")},
	} {
		if row.value != "" {
			m.line("  - %s: %s", row.words, mdText(row.value))
		}
	}
	if l.Contested != "" {
		m.line("  - %s", mdText(l.Contested))
	}
}

func (m *markdown) compare(a, b Project) {
	c := compareProjects(a, b)
	m.line("# %s and %s\n", mdText(a.Name), mdText(b.Name))
	for _, p := range []Project{a, b} {
		m.line("- %s %s %s", projectSign(p.Verdict).Mark, mdText(projectSentence(p)), mdText(evaluated(p)))
	}
	if c.Apart != "" {
		m.line("\n%s", mdText(c.Apart))
	}
	m.line("\n| Aspect | %s | %s | |\n|---|---|---|---|", mdText(a.Name), mdText(b.Name))
	for _, v := range c.Aspects {
		m.line("| %s | %s | %s | %s |", v.Title, mdText(v.A), mdText(v.B), mdText(v.Word))
	}
	for _, part := range []struct {
		title string
		rows  []versus
	}{{"Certain differences", c.Certain}, {"Differences that cannot be told: not comparable", c.Open}} {
		if len(part.rows) == 0 {
			continue
		}
		m.line("\n## %s\n", part.title)
		for _, v := range part.rows {
			m.line("- **%s** (%s): %s", mdText(v.Title), mdText(v.ID), mdText(v.Word))
			m.line("  - %s %s %s: %s", v.SignA.Mark, mdText(a.Name), v.SignA.Word, mdText(sentence(v.A)))
			m.line("  - %s %s %s: %s", v.SignB.Mark, mdText(b.Name), v.SignB.Word, mdText(sentence(v.B)))
		}
	}
	m.line("\n%s the same. %s", plural(c.Same, "answer is", "answers are"), mdText(scoreProposal(a)))
}
