package sbom

import (
	"cmp"
	"strings"
)

// compareVersions orders two versions part by part. known is false where their order cannot be told: parts that differ
// and are no numbers, a pre-release against another, a date against a number, a commit, and a version of one or two parts
// against a longer one that begins with it, because 3.0 may name a series that 3.0.5 belongs to. Leading v, a Debian epoch
// that only one of them has, and build metadata after + do not count.
func compareVersions(a, b string) (order int, known bool) {
	epochA, a := cutEpoch(a)
	epochB, b := cutEpoch(b)
	if isCommit(a) || isCommit(b) {
		return 0, a == b
	}
	if epochA != "" && epochB != "" && epochA != epochB {
		return compareNumbers(epochA, epochB), true
	}
	x, y := versionParts(a), versionParts(b)
	if len(x) == 0 || len(y) == 0 {
		return 0, a == b
	}
	for i := range max(len(x), len(y)) {
		p, q := part(x, i), part(y, i)
		switch {
		case p == q:
			continue
		case !digits(p) || !digits(q), isDate(p) != isDate(q), i == 0 && isYear(p) != isYear(q):
			return 0, false
		}
		if order := compareNumbers(p, q); order != 0 {
			shorter := min(len(x), len(y))
			return order, i < shorter || shorter > 2
		}
	}
	return 0, true
}

func cutEpoch(v string) (epoch, rest string) {
	epoch, rest, ok := strings.Cut(v, ":")
	if !ok || !digits(epoch) {
		epoch, rest = "", v
	}
	if len(rest) > 1 && (rest[0] == 'v' || rest[0] == 'V') && isDigit(rest[1]) {
		rest = rest[1:]
	}
	return epoch, rest
}

// compareNumbers compares decimal numbers of any length.
func compareNumbers(p, q string) int {
	p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
	return cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q))
}

func versionParts(v string) []string {
	v, _, _ = strings.Cut(v, "+")
	return strings.FieldsFunc(v, func(r rune) bool { return r == '.' || r == '-' || r == '_' || r == '~' })
}

func part(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "0"
}

// isDate and isYear recognise versions that count days, which no number of another scheme compares with.
func isDate(p string) bool { return len(p) == 8 && strings.HasPrefix(p, "20") }
func isYear(p string) bool { return len(p) == 4 && strings.HasPrefix(p, "20") || isDate(p) }
