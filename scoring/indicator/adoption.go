package indicator

import (
	"fmt"
	"math"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// packaged (AC-08, scs-0008 AC-5) asks: do distributions ship it?
// Measured: families of distributions that ship the newest version, by Repology; derivatives count with their origin.
// Misleads: services of a cloud are rarely packaged; a distribution may lag by days.
func packaged(in *input) scoring.Measurement {
	v, m, ok := take(in, in.e.Packaging, "the distributions that ship it")
	switch {
	case !ok:
		return m
	case !plausible(v.Families, v.Current) || v.Current > v.Families:
		return untold("the recorded distributions contradict themselves", "collect the evidence again")
	}
	return in.count(v.Current, more, fmt.Sprintf("%s of distributions ship %s in its newest version, of %d that ship it",
		plurals(v.Current, "family", "families"), clip(v.Project), v.Families), firstOrigins(in.e.Packaging)...)
}

// dependents (AC-09, scs-0008 AC-5) asks: do other projects build on it?
// Measured: the decimal logarithm of the number of packages that depend on it, by an index. The index sees public packages,
// and those that depend on one version, so that the number is a lower bound.
// Misleads: programs that nobody imports, such as services, have no dependents.
func dependents(in *input) scoring.Measurement {
	v, m, ok := take(in, in.e.Dependents, "the number of dependents")
	switch {
	case !ok:
		return m
	case !plausible(v.Count, v.Packages):
		return untold("the recorded dependents contradict themselves", "collect the evidence again")
	}
	power := tenThousandths(v.Count)
	m = judge(value{int64(power), 10_000}, in.rule, more).answer(decimalPlaces(power),
		fmt.Sprintf("at least %s by %s%s", plural(v.Count, "dependent package"), clip(v.Index), in.needed(more)), firstOrigins(in.e.Dependents)...)
	if m.Outcome == audit.PASS || m.Outcome == audit.DNF {
		return m
	}
	return lowerBound(m, "packages that depend on other versions, or are not public, were not counted", "a declaration of who depends on it")
}

// tenThousandths is the decimal logarithm of n in steps of 1/10000, rounded down; 0 for none.
func tenThousandths(n int) int {
	if n < 1 {
		return 0
	}
	return int(math.Floor(math.Log10(float64(n))*10_000 + 1e-6)) // the logarithm of a power of ten is not exact
}

// decimalPlaces writes ten-thousandths with two digits.
func decimalPlaces(n int) string { return fmt.Sprintf("%d.%02d", n/10_000, n%10_000/100) }
