package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// thresholdText says in words by which numbers an indicator was judged, or "" if the report does not hold them.
func thresholdText(i Indicator) string {
	if i.Rule == nil {
		return ""
	}
	r := *i.Rule
	var parts []string
	switch {
	case r.Scale == "information":
		parts = append(parts, "shown for information, it does not count")
	case r.Pass != nil && r.Fail != nil && r.Scale == "linear":
		parts = append(parts, fmt.Sprintf("no points at %s, all at %s, a line between", quantity(*r.Fail, r.Unit), quantity(*r.Pass, r.Unit)))
	case r.Pass != nil && r.Fail != nil:
		parts = append(parts, fmt.Sprintf("holds at %s, fails at %s", quantity(*r.Pass, r.Unit), quantity(*r.Fail, r.Unit)))
	case r.Pass != nil:
		parts = append(parts, "holds at "+quantity(*r.Pass, r.Unit)+map[bool]string{true: " or less", false: " or more"}[r.Less])
	case r.Fail != nil:
		parts = append(parts, "fails at "+quantity(*r.Fail, r.Unit))
	case r.Scale == "steps":
		parts = append(parts, "holds, partly or fails; there is no number")
	default:
		parts = append(parts, "holds or fails; there is no number")
	}
	if r.Window > 0 {
		parts = append(parts, fmt.Sprintf("over %d days", r.Window))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Numbers)) {
		words, unit := name, r.Unit
		if text, suffix, ok := cutLast(name, "_"); ok && ownUnit(suffix) != "" {
			words, unit = text, ownUnit(suffix)
		}
		parts = append(parts, strings.ReplaceAll(words, "_", " ")+" "+quantity(r.Numbers[name], unit))
	}
	if i.KnockOut {
		parts = append(parts, "a failure knocks out the whole aspect")
	}
	return strings.Join(parts, "; ")
}

// ownUnit is the unit that the last word of a number's name says; "" if it says none: then the number has that of its rule.
func ownUnit(word string) string {
	switch word {
	case "bp":
		return "basis-points"
	case "days", "months", "quarters", "years":
		return word
	}
	return ""
}

// cutLast cuts s at the last sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// raiseText says at which value the indicator would have all its points. Where one number does not say it, the indicator
// itself named what a known answer lacks.
func raiseText(i Indicator) string {
	name := cmp.Or(i.Title, i.ID)
	r := i.Rule
	if i.Outcome.Decided() && i.Low == i.High && len(i.Settle) > 0 {
		return strings.Join(i.Settle, "; ")
	}
	if r == nil || r.Pass == nil {
		return "the question would have to hold: " + name
	}
	how := "at least"
	if r.Less || r.Fail != nil && *r.Fail > *r.Pass {
		how = "at most"
	}
	text := fmt.Sprintf("%s %s gives all points", how, quantity(*r.Pass, r.Unit))
	if r.Window > 0 {
		text += fmt.Sprintf(", counted over %d days", r.Window)
	}
	return text
}

// quantity writes a number of a rule with its unit: "90 %", "13 commits", "10 days".
func quantity(n int, unit string) string {
	switch unit {
	case "basis-points":
		return share(n) + " %"
	case "basis-points-per-year":
		return share(n) + " % a year"
	case "boolean", "none", "terms", "":
		return fmt.Sprint(n)
	case "powers-of-ten":
		if n < 0 || n > 9 {
			return fmt.Sprintf("10 to the power of %d", n)
		}
		return thousands(int(math.Pow10(n)))
	}
	unit = strings.ReplaceAll(unit, "-", " ")
	if n == 1 {
		unit = singular(unit)
	}
	return thousands(n) + " " + unit
}

// singular is the word for one: of commits, people, parties.
func singular(unit string) string {
	switch {
	case unit == "people":
		return "person"
	case strings.HasSuffix(unit, "ies"):
		return strings.TrimSuffix(unit, "ies") + "y"
	}
	return strings.TrimSuffix(unit, "s")
}

// share writes basis points as percent, with decimals only where there are some.
func share(bp int) string {
	sign := ""
	if bp < 0 {
		sign, bp = "-", -bp
	}
	text := fmt.Sprintf("%s%d", sign, bp/100)
	if rest := bp % 100; rest > 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%02d", rest), "0")
	}
	return text
}
