// Package separation measures how well a number tells two groups apart, and how sure that is. Values in, values out: no
// clock, no files, and the same values give the same answer in any order.
package separation

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Estimate is the area under the ROC curve (AUC): the probability that a value of the good group is above one of the bad
// group, ties counted half (Mann and Whitney 1947; Hanley and McNeil 1982). The zero value compares nothing.
type Estimate struct {
	Won   int // twice the pairs in which the good value is above, plus the pairs that tie
	Pairs int // bad values times good values
	// Low and High hold 95 % of the bootstrap, in basis points, rounded outward.
	Low, High int
}

// BP is the area in basis points, rounded to the nearest: 10000 tells the groups apart, 5000 is a coin, 0 is the wrong way
// round. Without a pair it is 5000.
func (e Estimate) BP() int { return basisPoints(e.Won, e.Pairs) }

// Gap is by how much one number tells two groups apart better than another, in basis points, with 95 % of the bootstrap.
type Gap struct {
	BP, Low, High int
}

const (
	full = 10000
	// replicates is how often the bootstrap draws: Efron and Tibshirani 1993, section 14.3, ask for at least 1,000 for 95 %.
	replicates = 2000
	// tail is how many replicates lie outside on each side: 2.5 %.
	tail = replicates / 40
	// seed makes the draws the same in each run. It stands for nothing.
	seed = 0x7065_6765_6c
)

// Of compares two groups. Each group is drawn from separately (a stratified percentile bootstrap), because how many of each
// there are was our choice.
func Of(bad, good []int) Estimate {
	bad, good = slices.Sorted(slices.Values(bad)), slices.Sorted(slices.Values(good))
	won := wins(bad, good)
	e := Estimate{Won: total(won), Pairs: len(bad) * len(good), Low: 0, High: full}
	if e.Pairs == 0 {
		return e
	}
	drawn := make([]int, 0, replicates)
	draw(len(bad), len(good), func(bads, goods []int) {
		drawn = append(drawn, sum(won, bads, goods))
	})
	e.Low, e.High = ends(drawn, e.Pairs, 0)
	return e
}

// Area is BP of the same groups without the interval, which is what costs.
func Area(bad, good []int) int { return basisPoints(total(wins(bad, good)), len(bad)*len(good)) }

// Between compares two numbers of the same projects: the first of each pair with the second. The same projects are drawn for
// both, so that what is hard for both does not widen the interval.
func Between(bad, good [][2]int) Gap {
	bad, good = slices.SortedFunc(slices.Values(bad), byValues), slices.SortedFunc(slices.Values(good), byValues)
	pairs := len(bad) * len(good)
	if pairs == 0 {
		return Gap{Low: -full, High: full}
	}
	first, second := wins(column(bad, 0), column(good, 0)), wins(column(bad, 1), column(good, 1))
	for i := range first {
		for j := range first[i] {
			first[i][j] -= second[i][j]
		}
	}
	drawn := make([]int, 0, replicates)
	draw(len(bad), len(good), func(bads, goods []int) {
		drawn = append(drawn, sum(first, bads, goods))
	})
	g := Gap{BP: nearest(total(first)*full, 2*pairs)}
	g.Low, g.High = ends(drawn, pairs, -full)
	return g
}

func byValues(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }

func column(rows [][2]int, i int) []int {
	out := make([]int, len(rows))
	for k, r := range rows {
		out[k] = r[i]
	}
	return out
}

// wins says of each pair whether the good value is above (2), the same (1) or below (0).
func wins(bad, good []int) [][]int {
	out := make([][]int, len(bad))
	for i, b := range bad {
		out[i] = make([]int, len(good))
		for j, g := range good {
			out[i][j] = 1 + cmp.Compare(g, b)
		}
	}
	return out
}

func total(won [][]int) int {
	n := 0
	for _, row := range won {
		for _, w := range row {
			n += w
		}
	}
	return n
}

// draw calls use with the places of each group that a replicate draws, with replacement.
func draw(bad, good int, use func(bads, goods []int)) {
	random := rand.New(rand.NewPCG(seed, seed))
	bads, goods := make([]int, bad), make([]int, good)
	for range replicates {
		for i := range bads {
			bads[i] = random.IntN(bad)
		}
		for i := range goods {
			goods[i] = random.IntN(good)
		}
		use(bads, goods)
	}
}

func sum(won [][]int, bads, goods []int) int {
	n := 0
	for _, i := range bads {
		row := won[i]
		for _, j := range goods {
			n += row[j]
		}
	}
	return n
}

// ends are the ends of the middle 95 % of the replicates, in basis points and no less than least.
func ends(drawn []int, pairs, least int) (low, high int) {
	slices.Sort(drawn)
	low, high = floor(drawn[tail]*full, 2*pairs), -floor(-drawn[len(drawn)-1-tail]*full, 2*pairs)
	return max(low, least), min(high, full)
}

func basisPoints(won, pairs int) int {
	if pairs == 0 {
		return full / 2
	}
	return nearest(won*full, 2*pairs)
}

// nearest divides and rounds to the nearest, halves up; b is positive.
func nearest(a, b int) int { return floor(2*a+b, 2*b) }

// floor divides and rounds down; b is positive.
func floor(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Median is the middle value, of an even number the lower middle one; ok is false of none.
func Median(values []int) (median int, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2], true
}
