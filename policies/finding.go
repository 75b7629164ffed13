package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// finding writes the line about one subject: in plain words, with the values that decided.
func (e *evaluation) finding(q question, s *opened, scopes scopeSet, a answered) audit.Finding {
	f := audit.Finding{
		ID: q.id + "/" + s.id, Subject: s.Ref, Requirement: q.ID, Scopes: e.ids(scopes), Severity: q.Severity, Outcome: a.outcome,
		Declared: a.declared && a.outcome != audit.MISS, Reason: clip(s.Ref.Name) + ": " + e.reason(q, s, a), Origins: originsOf(q, s),
		ValidUntil: a.until, Settle: a.settle,
	}
	for _, i := range a.unknown {
		f.Missing = append(f.Missing, q.rule.path(i))
		f.Settle = appendNew(f.Settle, s.settles(q.rule.schema[i].name, s.facts[i])...)
	}
	if a.outcome != audit.PASS && a.outcome != audit.NA {
		f.Remedy, f.Owner = q.Remedy["en"], q.Owner
	}
	if len(f.Settle) == 0 && (a.outcome == audit.MISS || a.outcome == audit.DNF) {
		f.Settle = settlesOtherwise(q, a)
	}
	e.explain(&f, q, s, a)
	return f
}

// settlesOtherwise says what would settle an answer for which nobody named anything.
func settlesOtherwise(q question, a answered) []string {
	if a.fault != "" {
		return []string{"whoever keeps the policy corrects the rule or the profile"}
	}
	var names []string
	for _, i := range a.unknown {
		names = append(names, q.rule.schema[i].name)
	}
	if a.outcome == audit.MISS {
		return []string{"give a source that shows " + words(names)}
	}
	return []string{"look again for " + words(names)}
}

// explain adds the tree and the facts behind an answer, where they were asked for. The origins must be those of f.
func (e *evaluation) explain(f *audit.Finding, q question, s *opened, a answered) {
	if a.ruled != a.outcome && (a.ruled == audit.PASS || a.ruled == audit.FAIL) {
		f.Overruled = a.ruled.String()
	}
	if e.in.Explain {
		f.Tree, f.Grounds = a.tree, grounds(q, s, f.Origins)
	}
}

// settles lists what would settle a field, cheapest first.
func (s *opened) settles(name string, f fact) []string {
	if f.unknown != nil && len(f.unknown.Settle) > 0 {
		return f.unknown.Settle
	}
	return s.Settle[name]
}

func (e *evaluation) reason(q question, s *opened, a answered) string {
	switch {
	case a.fault != "":
		return a.fault
	case a.reason != "":
		return a.reason
	case len(a.unknown) > 0:
		return missingWords(q, s, a)
	}
	return e.known(q, s, a) + saysWords(q, s, a)
}

// known says what the rule found, in the words of the requirement.
func (e *evaluation) known(q question, s *opened, a answered) string {
	word := map[audit.Outcome]string{audit.PASS: "pass", audit.FAIL: "fail", audit.NA: "na"}[a.outcome]
	if t := q.rule.because[word]; t != nil {
		return t.fill(s.facts, a.gates)
	}
	switch a.outcome {
	case audit.PASS:
		return "yes"
	case audit.NA:
		return "does not apply"
	}
	return "no"
}

// saysWords puts the facts that decided into words, where the subject has words for them: those that the rule reads, and those
// that are shown with it. Of a FAIL only those that are not so; what makes up a score is said of a FAIL only.
func saysWords(q question, s *opened, a answered) string {
	var parts []string
	for i, f := range q.rule.schema {
		if !slices.Contains(q.rule.reads, i) && !slices.Contains(q.Evidence, q.rule.path(i)) {
			continue
		}
		text := s.Says[f.name]
		yes, isBool := s.facts[i].value.(bool)
		if text == "" || s.facts[i].unknown != nil || isBool && yes && a.outcome == audit.FAIL || f.typ == intervalType && a.outcome != audit.FAIL {
			continue
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + clip(strings.Join(parts, "; "))
}

// missingWords names what is not known, and why: fields with the same reason together.
func missingWords(q question, s *opened, a answered) string {
	var reasons []string
	fields := map[string][]string{}
	for _, i := range a.unknown {
		f := q.rule.schema[i]
		why := ""
		switch u := s.facts[i].unknown; {
		case u != nil:
			why = clip(u.Reason)
		case f.typ == intervalType:
			why = "known to be " + shown(s.facts[i]) + ", which is not enough to tell" + gateWords(q, s, a, kebab(f.name))
		}
		if fields[why] == nil {
			reasons = append(reasons, why)
		}
		fields[why] = append(fields[why], f.name)
	}
	parts := make([]string, len(reasons))
	for i, why := range reasons {
		parts[i] = words(fields[why])
		if why != "" {
			parts[i] += " (" + why + ")"
		}
	}
	return "not known: " + strings.Join(parts, "; ")
}

// gateWords says what a score would have to reach.
func gateWords(q question, s *opened, a answered, aspect string) string {
	g, ok := a.gates[aspect]
	if p, isProject := s.Record.(Project); ok && isProject && slices.Contains(q.rule.aspects, aspect) {
		return fmt.Sprintf(": %s is needed with %d %% of the weight known, and %d %% are", outOfHundred(g.Low, g.Low), g.Coverage/100, p.Coverage[aspect]/100)
	}
	return ""
}

// words writes field names for people: "licenceClass" becomes "licence class".
func words(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ReplaceAll(kebab(n), "-", " ")
	}
	return strings.Join(out, ", ")
}

// originsOf lists the evidence behind the fields that the requirement shows, each once. The loader makes sure that those which
// the rules read are among them.
func originsOf(q question, s *opened) []audit.Origin {
	var out []audit.Origin
	for _, path := range q.Evidence {
		for _, o := range s.originsOf(strings.TrimPrefix(path, variable(q.ForEach)+".")) {
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}

func appendNew(list []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// clip makes a name or a reason from outside fit for one line; reasons are longer than values.
func clip(s string) string {
	const most = 600
	r := []rune(s)
	if len(r) <= 200 {
		return clean(s)
	}
	var b strings.Builder
	for i := 0; i < min(len(r), most); i += 200 {
		b.WriteString(clean(string(r[i:min(i+200, len(r), most)])))
	}
	if len(r) > most {
		b.WriteString("...")
	}
	return b.String()
}
