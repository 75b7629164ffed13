package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The words of people for the words of machines. Every mark stands beside its word: nothing is said by shape or colour
// alone.

// tone says how a mark is coloured.
type tone string

const (
	good    tone = "good"
	bad     tone = "bad"
	unsure  tone = "unsure"
	neutral tone = "neutral"
)

// sign is a state as people see it.
type sign struct {
	Mark string
	Word string
	Tone tone
}

func outcomeSign(o audit.Outcome) sign {
	switch o {
	case audit.PASS:
		return sign{"✓", "holds", good}
	case audit.PART:
		return sign{"~", "partly", unsure}
	case audit.FAIL:
		return sign{"✗", "fails", bad}
	case audit.DNF:
		return sign{"?", "looked, could not tell", unsure}
	case audit.NA:
		return sign{"–", "does not apply", neutral}
	}
	return sign{"?", "not looked at", unsure}
}

func verdictSign(outcome string) sign {
	switch outcome {
	case "eligible":
		return sign{"✓", "eligible", good}
	case "not-eligible":
		return sign{"✗", "not eligible", bad}
	}
	return sign{"?", "undetermined", unsure}
}

func rungSign(state string) sign {
	switch state {
	case "reached":
		return sign{"✓", "reached", good}
	case "failed":
		return sign{"✗", "not reached", bad}
	case "undetermined":
		return sign{"?", "undetermined", unsure}
	}
	return sign{"–", "not assessed", neutral}
}

// projectSign translates the verdict words of scs-0218.
func projectSign(verdict string) sign {
	switch verdict {
	case "passed":
		return sign{"✓", "passed", good}
	case "almost":
		return sign{"~", "almost", unsure}
	case "showstopper":
		return sign{"✗", "showstopper", bad}
	}
	return sign{"?", "undetermined", unsure}
}

func licenceSign(class string) sign {
	switch class {
	case "osi":
		return sign{"✓", "OSI-approved", good}
	case "free-not-osi":
		return sign{"~", "free, not OSI-approved", unsure}
	case "docs-data":
		return sign{"~", "for documents or data", unsure}
	case "restricted":
		return sign{"✗", "restricted, not open source", bad}
	}
	return sign{"?", "not known", unsure}
}

// owners say who can act, in the order of reports.
var owners = [...]struct{ id, words string }{
	{"operator", "The operator can act"},
	{"upstream", "The upstream project can act; the operator can choose another version or component"},
	{"distribution", "The distribution or packager can act"},
	{"assessor", "Whoever runs this audit can act"},
}

func ownerWords(id string) string {
	for _, o := range owners {
		if o.id == id {
			return o.words
		}
	}
	if id == "" {
		return "Nobody is named who can act"
	}
	return id + " can act"
}

func ownerRank(id string) int {
	for i, o := range owners {
		if o.id == id {
			return i
		}
	}
	return len(owners)
}

// noun names subjects of a kind; ok is false for kinds of which there is only one, which are not counted.
func noun(kind string) (one, many string, ok bool) {
	switch kind {
	case "artifact", "package", "product", "component", "project":
		return kind, kind + "s", true
	}
	return "subject", "subjects", false
}

func countOf(kind string, n int) string {
	one, many, ok := noun(kind)
	if !ok && n == 1 {
		return ""
	}
	return plural(n, one, many)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(thousands(n), " ", many)
}

// thousands writes 12345 as "12,345".
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// list joins with commas and "and".
func list(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}

// some names the first few and counts the rest: "keystone, nova-api and 137 more". total may be larger than the list.
func some(items []string, most, total int) string {
	total = max(total, len(items))
	if len(items) > most {
		items = items[:most]
	}
	if rest := total - len(items); rest > 0 {
		if len(items) == 0 {
			return fmt.Sprint(thousands(rest))
		}
		return strings.Join(items, ", ") + " and " + thousands(rest) + " more"
	}
	return list(items)
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// points writes an interval in basis points as whole points, rounded outward: "60 to 84", "75", "not known".
func points(low, high int) string {
	if low <= 0 && high >= audit.Full {
		return "not known"
	}
	from, to := max(0, low)/100, (min(audit.Full, high)+99)/100
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d to %d", from, to)
}

// percent rounds down, so that nothing is called complete that is not.
func percent(part, whole int) string {
	if whole <= 0 {
		return "none"
	}
	return fmt.Sprintf("%d %%", part*100/whole)
}

// sentence starts a text with a capital, unless its first word is a name, and ends it with a full stop.
func sentence(s string) string {
	s = stop(s)
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	if word, _, _ := strings.Cut(s, " "); strings.ContainsAny(strings.TrimRight(word, ",:;."), "-._/:0123456789") {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// stop ends a text with a full stop.
func stop(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// short cuts a digest or commit to its first twelve digits.
func short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}
