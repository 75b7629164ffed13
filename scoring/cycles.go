package scoring

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Of returns the cycle that a deployed version belongs to: the one with the longest Prefix that the version begins with, part
// by part, or the one that the version names. An epoch and a leading v do not count, and where no cycle fits as it is written,
// zeros before a number do not either: packages write 24.9.2 for 24.09.2. ok is false if none is listed.
func (c Cycles) Of(version string) (cycle Cycle, ok bool) {
	v := bare(version)
	if v == "" {
		return Cycle{}, false
	}
	if cycle, ok := c.fitting(v, func(s string) string { return s }); ok {
		return cycle, true
	}
	return c.fitting(v, plainNumbers)
}

// fitting finds the cycle of a version, both as written by the given function.
func (c Cycles) fitting(v string, written func(string) string) (cycle Cycle, ok bool) {
	v = written(v)
	longest := -1
	for _, candidate := range c.Cycles {
		name, _, _ := strings.Cut(candidate.Name, " ")
		switch prefix := written(bare(candidate.Prefix)); {
		case begins(v, prefix) && len(prefix) > longest:
			cycle, ok, longest = candidate, true, len(prefix)
		case longest < 0 && v == written(bare(name)):
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

// plainNumbers drops the zeros before the numbers of a version.
func plainNumbers(version string) string {
	parts := strings.Split(version, ".")
	for i, p := range parts {
		if plain := strings.TrimLeft(p, "0"); plain != "" && plain[0] >= '0' && plain[0] <= '9' {
			parts[i] = plain
		} else if plain == "" && p != "" {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, ".")
}

// over keeps of a calendar whose observation does not count any more the cycles that had ended then: what has ended stays so.
// What was still maintained may have ended since, and is not known.
func over(f audit.Fact[Cycles], at time.Time) audit.Fact[Cycles] {
	fresh := f.Fresh(at)
	if f.Value == nil || fresh.Value != nil || f.ObservedAt.IsZero() {
		return fresh
	}
	ended := Cycles{Source: f.Value.Source}
	for _, c := range f.Value.Cycles {
		if c.Ended || !c.Estimate && !c.EndHigh.IsZero() && c.EndHigh.Before(f.ObservedAt) {
			ended.Cycles = append(ended.Cycles, c)
		}
	}
	if len(ended.Cycles) == 0 {
		return fresh
	}
	kept := f
	kept.Value = &ended
	return kept
}
