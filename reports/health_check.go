package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// HealthCheck writes the bullets of scs-0008 about projects in the order of that record, each with mark, values, reasons
// and links to the evidence, as Markdown for a Decision Record. The marks are those of scs-0218, with words beside them. A
// bullet that no indicator serves is there too, and says that a person has to judge.
func HealthCheck(projects []Project, _ Options) ([]byte, error) {
	var m markdown
	for i, p := range shown(projects) {
		if i > 0 {
			m.line("")
		}
		m.healthCheck(p)
	}
	if len(projects) == 0 {
		m.line("No project was scored.")
	}
	return []byte(m.b.String()), nil
}

func (m *markdown) healthCheck(p Project) {
	m.line("# Open source health check: %s\n", mdText(p.Name))
	s := recordVerdict(p.Verdict)
	m.line("%s %s\n", s.Mark, mdText(sentence(s.Word)))
	plain := p
	plain.Repo = ""
	m.line("%s %s\n", mdLink(p.Repo, webURL(p.Repo)), mdText(evaluated(plain)))
	if words := failureText(p); words != "" {
		m.line("%s\n", mdText(words))
	}
	m.line("The bullets are those of [scs-0008](%s), in its order; their numbers are Pegel's. ✔ holds, ❓ partly or not known, ✘ fails. %s", healthCheck, mdText(scoreProposal(p)))
	title, part := "", ""
	served := map[string]bool{}
	for _, g := range clauseGroups() {
		if g.Title != title {
			title, part = g.Title, ""
			m.line("\n## %s\n", title)
		}
		indent := ""
		if g.Part != "" {
			indent = "  "
			if g.Part != part {
				part = g.Part
				m.line("- %s", part)
			}
		}
		for _, c := range g.Clauses {
			m.clause(p, c, indent, served)
		}
	}
	m.beyond(p, served)
}

// recordVerdict gives a verdict in the marks of scs-0218.
func recordVerdict(verdict string) sign {
	switch verdict {
	case "passed":
		return sign{"✔", "passed: every health check of its role holds", good}
	case "almost":
		return sign{"❓", "almost: no showstopper, but some health checks are missed", unsure}
	case "showstopper":
		return sign{"✘", "showstopper: a knock-out was found", bad}
	}
	return sign{"❓", "undetermined: too little is known to decide", unsure}
}

func (m *markdown) clause(p Project, c clause, indent string, served map[string]bool) {
	var inds []Indicator
	for _, i := range p.Indicators {
		if slices.Contains(i.Clauses, c.ID) {
			inds = append(inds, i)
			served[i.ID] = true
		}
	}
	s := clauseSign(inds)
	m.line("%s- %s **%s** (%s): %s", indent, s.Mark, c.Words, c.ID, s.Word)
	for _, i := range inds {
		m.answer(p, indent+"  ", i)
	}
}

// answer is one indicator under a bullet.
func (m *markdown) answer(p Project, indent string, i Indicator) {
	s := recordSign(i.Outcome)
	value := ""
	if i.Value != "" {
		value = " " + mdText(strings.TrimSpace(i.Value+" "+i.Unit)) + " –"
	}
	var links []string
	const most = 3
	for n, o := range i.Origins {
		if n == most {
			links = append(links, fmt.Sprintf("and %d more", len(i.Origins)-most))
			break
		}
		links = append(links, mdLink(originText(o), pageURL(o, p.Repo)))
	}
	evidence := ""
	if len(links) > 0 {
		evidence = " (" + strings.Join(links, ", ") + ")"
	}
	m.line("%s- %s %s (%s), %s:%s %s%s", indent, s.Mark, mdText(cmp.Or(i.Title, i.ID)), mdText(i.ID), s.Word, value, mdText(sentence(i.Reason)), evidence)
	if !i.Outcome.Decided() && i.Outcome != audit.NA && len(i.Settle) > 0 {
		m.line("%s  - Would settle it: %s", indent, mdText(stop(strings.Join(i.Settle, "; "))))
	}
	if i.Contested != nil {
		m.line("%s  - %s", indent, mdText(contestedText(i.Contested)))
	}
}

// recordSign is the mark of scs-0218 for one answer.
func recordSign(o audit.Outcome) sign {
	s := outcomeSign(o)
	switch o {
	case audit.PASS:
		s.Mark = "✔"
	case audit.FAIL:
		s.Mark = "✘"
	default:
		s.Mark = "❓"
	}
	return s
}

// clauseSign sums up the answers under one bullet: it holds if all that apply hold, it fails if all fail or a knock-out
// does; what is mixed or not known is a question mark.
func clauseSign(inds []Indicator) sign {
	counts := map[audit.Outcome]int{}
	for _, i := range inds {
		if i.Outcome == audit.FAIL && i.KnockOut {
			return sign{"✘", "fails, a showstopper", bad}
		}
		counts[i.Outcome]++
	}
	apply := len(inds) - counts[audit.NA]
	unknown := counts[audit.MISS] + counts[audit.DNF]
	switch {
	case len(inds) == 0:
		return sign{"❓", "nothing measures it, a person has to judge", unsure}
	case apply == 0:
		return sign{"❓", "does not apply", unsure}
	case counts[audit.PASS] == apply:
		return sign{"✔", "holds", good}
	case counts[audit.FAIL] == apply:
		return sign{"✘", "fails", bad}
	case unknown == apply:
		return sign{"❓", "not known", unsure}
	case counts[audit.FAIL]+counts[audit.PART] == 0:
		return sign{"❓", "holds as far as it is known", unsure}
	}
	return sign{"❓", "partly", unsure}
}

// beyond lists answers that serve no bullet.
func (m *markdown) beyond(p Project, served map[string]bool) {
	first := true
	for _, i := range p.Indicators {
		if served[i.ID] {
			continue
		}
		if first {
			m.line("\n## Beyond scs-0008\n")
			first = false
		}
		m.answer(p, "", i)
	}
}
