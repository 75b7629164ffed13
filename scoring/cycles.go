package scoring

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Of returns the cycle that a deployed version belongs to: the one with the longest Prefix that the version begins with, part
// by part, or the one that the version names. An epoch and a leading v do not count. ok is false if none is listed.
func (c Cycles) Of(version string) (cycle Cycle, ok bool) {
	v := bare(version)
	if v == "" {
		return Cycle{}, false
	}
	longest := -1
	for _, candidate := range c.Cycles {
		name, _, _ := strings.Cut(candidate.Name, " ")
		switch prefix := bare(candidate.Prefix); {
		case begins(v, prefix) && len(prefix) > longest:
			cycle, ok, longest = candidate, true, len(prefix)
		case longest < 0 && v == bare(name):
			cycle, ok, longest = candidate, true, 0
		}
	}
	return cycle, ok
}

// bare cuts the epoch of a distribution and a leading v.
func bare(version string) string {
	v := strings.ToLower(strings.TrimSpace(version))
	if epoch, rest, found := strings.Cut(v, ":"); found && strings.Trim(epoch, "0123456789") == "" {
		v = rest
	}
	return strings.TrimPrefix(v, "v")
}

// begins reports whether a version begins with a prefix, and not within a number: 1.30.2 does not begin with 1.3.
func begins(version, prefix string) bool {
	rest, ok := strings.CutPrefix(version, prefix)
	return ok && prefix != "" && (rest == "" || rest[0] < '0' || rest[0] > '9')
}

// CompareVersions orders versions by their numbers; what is no number comes by its text.
func CompareVersions(a, b string) int {
	x, y := strings.Split(bare(a), "."), strings.Split(bare(b), ".")
	for i := range min(len(x), len(y)) {
		m, errM := strconv.Atoi(x[i])
		n, errN := strconv.Atoi(y[i])
		order := cmp.Compare(x[i], y[i])
		if errM == nil && errN == nil {
			order = cmp.Compare(m, n)
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(x), len(y))
}

// Sorted returns the cycles newest first.
func (c Cycles) Sorted() Cycles {
	c.Cycles = slices.Clone(c.Cycles)
	slices.SortStableFunc(c.Cycles, func(a, b Cycle) int { return CompareVersions(b.Prefix, a.Prefix) })
	return c
}
