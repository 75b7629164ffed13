package reports

import (
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// operatorMarkdown writes what was seen of an operator for issues and wikis. Nothing from a server becomes markup.
func operatorMarkdown(v OperatorView) string {
	v = shown(v)
	var m markdown
	m.line("# %s\n", mdText(strings.TrimSuffix(operatorTitle(v), ".")))
	m.line("**%s** %s\n", notCertificate, howSeen(v.Operator))
	for _, k := range operatorKinds(v.Operator) {
		m.line("## %s\n", mdText(capital(k.Title)))
		for _, a := range k.Artifacts {
			s := artifactSign(a)
			m.line("- %s %s: %s", s.Mark, s.Word, mdLink(artifactLine(a), webURL(a.URL)))
			for _, f := range append(append([]string{}, a.Facts...), a.Notes...) {
				m.line("  - %s", mdText(f))
			}
		}
		if len(k.Artifacts) == 0 {
			m.line("- ? nobody looked: no address was named")
		}
		if len(k.Answers) > 0 {
			m.line("\n| Question | Answer | Reason | Evidence |\n|---|---|---|---|")
		}
		for _, a := range k.Answers {
			s := answerSign(a.Outcome, a.Declared)
			reason := mdText(sentence(a.Reason))
			if len(a.Settle) > 0 && a.Outcome != audit.PASS && a.Outcome != audit.NA {
				reason += " To do: " + mdText(strings.Join(a.Settle, "; "))
			}
			m.line("| %s%s (%s) | %s %s | %s | %s |", mdText(a.Title), severityWords(a), mdText(a.ID), s.Mark, s.Word, reason, mdOrigins(a.Origins))
		}
		m.line("")
	}
	for _, s := range v.Operator.Standings {
		m.line("## Level 2, SCS-compatible %s\n\n%s", mdText(layerTitle(s.Layer)), mdText(s.Words))
		m.line("\n- tests: %s. %s\n- certificate: %s. %s\n", answerSign(s.Tests.Outcome, s.Tests.Declared).Word, mdText(sentence(s.Tests.Reason)),
			answerSign(s.Certificate.Outcome, s.Certificate.Declared).Word, mdText(sentence(s.Certificate.Reason)))
	}
	if len(v.Operator.NotSeen) > 0 {
		m.line("## What an outsider could not see\n")
	}
	for _, u := range v.Operator.NotSeen {
		m.line("- %s: %s", mdText(u.What), mdText(u.Reason+settleWords(u.Settle)+namesWords(u.Names)))
	}
	m.line("\nEvidence: `%s`. Criteria: %s %s, `%s`.", v.Evidence.Digest, mdText(v.Policy.ID), mdText(v.Policy.Version), v.Policy.Digest)
	return m.b.String()
}

// mdOrigins links the first places that an answer was read at.
func mdOrigins(origins []audit.Origin) string {
	const most = 3
	var out []string
	for _, o := range origins {
		if len(out) == most {
			out = append(out, "…")
			break
		}
		text := o.URL
		if text == "" {
			text = o.Path
		}
		if hex := o.Digest.Hex(); len(hex) > 12 {
			text += " (" + hex[:12] + ")"
		}
		if text != "" {
			out = append(out, mdLink(text, webURL(o.URL)))
		}
	}
	return strings.Join(out, ", ")
}
