package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// seenFromOutside heads everything that was looked at without the operator's help.
const seenFromOutside = "Seen from outside, as somebody without rights sees it."

// howSeen says whether artifacts were looked at in public, or what somebody handed over.
func howSeen(o Operator) string {
	public, handed := 0, 0
	if len(o.Searched) > 0 {
		public++
	}
	for _, a := range o.Artifacts {
		switch {
		case a.Handed != "":
			handed++
		case len(a.Looks) > 0:
			public++
		}
	}
	switch {
	case public == 0 && handed == 0:
		return "Nobody looked at anything."
	case public == 0:
		return "Nothing was seen in public: all of it was handed over as files."
	case handed == 0:
		return seenFromOutside
	}
	return "What is marked was handed over as files; the rest was seen from outside, as somebody without rights sees it."
}

// answerSign marks an answer. A declared one is never good yet.
func answerSign(o audit.Outcome, declared bool) sign {
	switch {
	case o == audit.PASS && declared:
		return sign{"~", "declared (tentative)", unsure}
	case o == audit.PASS:
		return sign{"✓", "yes", good}
	case o == audit.FAIL:
		return sign{"✗", "no", bad}
	case o == audit.PART:
		return sign{"~", "in part", unsure}
	case o == audit.DNF:
		return sign{"?", "could not tell", unsure}
	case o == audit.NA:
		return sign{"–", "does not apply", neutral}
	}
	return sign{"?", "nobody looked", neutral}
}

// artifactSign marks a row of the table of artifacts.
func artifactSign(a OperatorArtifact) sign {
	switch {
	case a.Outcome == audit.PASS && a.Handed != "":
		return sign{"~", "handed over", unsure}
	case a.Outcome == audit.PASS:
		return sign{"✓", "seen", good}
	case a.Outcome == audit.FAIL:
		return sign{"✗", "not to be seen", bad}
	case a.Outcome == audit.DNF:
		return sign{"?", "could not be read", unsure}
	}
	return sign{"?", "nobody looked", neutral}
}

// age writes how old what an artifact shows was when it was looked at.
func age(a OperatorArtifact) string {
	if a.Newest.IsZero() || a.Observed.IsZero() {
		return ""
	}
	return agoWords(a.Observed.Sub(a.Newest))
}

func agoWords(d time.Duration) string {
	switch {
	case d < 0:
		return "newest: now"
	case d < 2*time.Hour:
		return "newest: " + plural(int(d/time.Minute), "minute", "minutes") + " old"
	case d < 48*time.Hour:
		return "newest: " + plural(int(d/time.Hour), "hour", "hours") + " old"
	}
	return "newest: " + plural(int(d/(24*time.Hour)), "day", "days") + " old"
}

func operatorText(v OperatorView, opt Options) string {
	v = shown(v)
	t := newTerminal(opt)
	t.para("", operatorTitle(v))
	t.b.WriteByte('\n')
	t.para("", notCertificate+" "+howSeen(v.Operator))
	t.operator(v.Operator)
	t.b.WriteByte('\n')
	t.para("", fmt.Sprintf("Evidence: %s, %d pieces. Criteria: %s %s (%s), %s.", v.Evidence.Digest, v.Evidence.Blobs, v.Policy.ID, v.Policy.Version, v.Policy.Status, v.Policy.Digest))
	return t.b.String()
}

func operatorTitle(v OperatorView) string {
	name := v.Subject.Name
	if v.Subject.Operator != "" && v.Subject.Operator != name {
		name += " (" + v.Subject.Operator + ")"
	}
	return name + " on " + day(v.AssessedAt) + ": " + answersInWords(v.Operator.Answers) + "."
}

// answersInWords counts the answers that a requirement reads; what is asked for information does not count.
func answersInWords(answers []OperatorAnswer) string {
	yes, no, open, na := 0, 0, 0, 0
	for _, a := range answers {
		switch {
		case a.Severity == "": // information
		case a.Outcome == audit.NA:
			na++
		case a.Outcome == audit.PASS && !a.Declared:
			yes++
		case a.Outcome == audit.FAIL:
			no++
		default:
			open++
		}
	}
	text := fmt.Sprintf("%d of %d questions answered yes, %d no, %d open", yes, yes+no+open, no, open)
	if na > 0 {
		text += "; " + plural(na, "does not apply", "do not apply")
	}
	return text
}

// operator writes what was seen: the artifacts with their answers, the levels, and what is missing.
func (t *terminal) operator(o Operator) {
	kinds := operatorKinds(o)
	for _, kind := range kinds {
		t.heading(capital(kind.Title))
		for _, a := range kind.Artifacts {
			t.signed("  ", artifactSign(a), artifactLine(a))
			for _, f := range a.Facts {
				t.para("      ", f)
			}
			for _, n := range a.Notes {
				t.para("      note: ", n)
			}
			if s := shortDigests(a.Looks); s != "" {
				t.para("      evidence: ", s)
			}
		}
		if len(kind.Artifacts) == 0 {
			t.signed("  ", sign{"?", "nobody looked", neutral}, "nobody looked: no address was named")
		}
		for _, a := range kind.Answers {
			s := answerSign(a.Outcome, a.Declared)
			t.signed("    ", s, a.ID+" "+a.Title+severityWords(a)+" "+capital(s.Word)+". "+sentence(a.Reason))
			if len(a.Settle) > 0 && a.Outcome != audit.PASS && a.Outcome != audit.NA {
				t.para("        to do: ", strings.Join(a.Settle, "; "))
			}
		}
	}
	t.standings(o)
	if len(o.NotSeen) > 0 {
		t.heading("What an outsider could not see")
		for _, u := range o.NotSeen {
			t.para("  - ", u.What+": "+u.Reason+settleWords(u.Settle)+namesWords(u.Names))
		}
	}
}

// shortDigests names the evidence of an artifact as --show takes it.
func shortDigests(looks []Look) string {
	const most, digits = 6, 12
	var out []string
	for _, l := range looks {
		if hex := l.Digest.Hex(); len(hex) > digits && !slices.Contains(out, hex[:digits]) {
			out = append(out, hex[:digits])
		}
	}
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return strings.Join(out, ", ")
}

// severityWords says what does not decide a level.
func severityWords(a OperatorAnswer) string {
	switch a.Severity {
	case "must":
		return ""
	case "should":
		return " (recommended)"
	}
	return " (for information)"
}

func namesWords(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

func settleWords(s string) string {
	if s == "" {
		return ""
	}
	return " (would settle it: " + s + ")"
}

func artifactLine(a OperatorArtifact) string {
	parts := []string{}
	switch {
	case a.Handed != "":
		parts = append(parts, "file "+a.Handed+" (handed over, not seen in public)")
	case a.URL != "":
		parts = append(parts, a.URL)
	}
	if a.Region != "" {
		parts = append(parts, "region "+a.Region)
	}
	if a.Adapter != "" {
		parts = append(parts, a.Adapter)
	}
	if s := age(a); s != "" {
		parts = append(parts, s)
	}
	line := strings.Join(parts, ", ")
	if a.Trouble != "" {
		line += ": " + a.Trouble + settleWords(a.Settle)
	}
	return line
}

func (t *terminal) standings(o Operator) {
	if len(o.Standings) > 0 {
		t.heading("Level 2, SCS-compatible")
	}
	for _, s := range o.Standings {
		t.para("  ", layerTitle(s.Layer)+": "+s.Words)
		for _, part := range []struct {
			name string
			a    StandingAnswer
		}{{"tests", s.Tests}, {"certificate", s.Certificate}} {
			mark := answerSign(part.a.Outcome, part.a.Declared)
			text := part.name + ": " + mark.Word + ". " + sentence(part.a.Reason)
			if !part.a.ValidUntil.IsZero() {
				text += " Valid until " + day(part.a.ValidUntil) + "."
			}
			t.signed("    ", mark, text)
		}
	}
	if len(o.Documents) > 0 {
		t.heading("Level 1, legal: shown, not judged")
	}
	for _, d := range o.Documents {
		t.para("  - ", documentLine(d))
	}
	if len(o.Declarations) > 0 {
		t.heading("Declared by the operator")
	}
	for _, d := range o.Declarations {
		s := declarationSign(d)
		t.signed("  ", s, fmt.Sprintf("%s: %s, said by %s on %s: %s (%s)", d.ID, s.Word, d.Who, day(d.Date), d.Statement, d.Reason))
		for _, n := range d.Notes {
			t.para("      note: ", n)
		}
	}
}

// declarationSign marks a declaration: tentative until somebody accepted it.
func declarationSign(d Declaration) sign {
	if d.Outcome == audit.PASS && d.Accepted != "" {
		return sign{"✓", "declared, accepted by " + d.Accepted, good}
	}
	return answerSign(d.Outcome, true)
}

func documentLine(d LegalDocument) string {
	line := d.Title
	if d.Issuer != "" {
		line += ", issued by " + d.Issuer
	}
	if !d.Issued.IsZero() {
		line += ", " + day(d.Issued)
	}
	if !d.ValidUntil.IsZero() {
		line += ", valid until " + day(d.ValidUntil)
	}
	if d.State != "" {
		line += ": " + d.State
	}
	return line
}

// operatorKind is one kind of artifact with what was seen and answered about it.
type operatorKind struct {
	Kind, Title string
	Artifacts   []OperatorArtifact
	Answers     []OperatorAnswer
}

// operatorKinds groups artifacts and answers by kind, in the order in which they come.
func operatorKinds(o Operator) []operatorKind {
	var out []operatorKind
	at := func(kind string) int {
		i := slices.IndexFunc(out, func(k operatorKind) bool { return k.Kind == kind })
		if i < 0 {
			out = append(out, operatorKind{Kind: kind, Title: strings.ReplaceAll(kind, "-", " ")})
			i = len(out) - 1
		}
		return i
	}
	for _, a := range o.Answers { // every kind is asked about, also those of which nothing was named
		i := at(a.Kind)
		out[i].Answers = append(out[i].Answers, a)
	}
	for _, a := range o.Artifacts {
		i := at(a.Kind)
		out[i].Title = a.Title
		out[i].Artifacts = append(out[i].Artifacts, a)
	}
	return out
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
