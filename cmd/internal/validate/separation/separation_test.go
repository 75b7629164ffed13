package separation

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAreasOfKnownTables(t *testing.T) {
	for _, c := range []struct {
		name      string
		bad, good []int
		want      int
	}{
		{"told apart", []int{1, 2, 3}, []int{4, 5}, 10000},
		{"the wrong way round", []int{4, 5}, []int{1, 2, 3}, 0},
		{"all the same", []int{7, 7}, []int{7, 7, 7}, 5000},
		{"one tie of four pairs", []int{1, 2}, []int{2, 3}, 8750},
		{"nothing to compare", nil, []int{1}, 5000},
		{"a third", []int{2, 2, 2}, []int{1, 3, 1}, 3333},
		// The ratings of 58 normal and 51 abnormal images in table I of Hanley and McNeil 1982, whose area is 0.893.
		{"the ratings of Hanley and McNeil", ratings(33, 6, 6, 11, 2), ratings(3, 2, 2, 11, 33), 8932},
	} {
		if got := Of(c.bad, c.good).BP(); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// ratings gives each rating from 1 as often as it was given.
func ratings(counts ...int) (out []int) {
	for rating, n := range counts {
		out = append(out, slices.Repeat([]int{rating + 1}, n)...)
	}
	return out
}

func TestTheIntervalOfHanleyAndMcNeilsRatingsIsTheirs(t *testing.T) {
	// They give the standard error 0.032: 0.893 +- 1.96 * 0.032 is 0.830 to 0.956.
	e := Of(ratings(33, 6, 6, 11, 2), ratings(3, 2, 2, 11, 33))
	if e.Low < 8150 || e.Low > 8450 || e.High < 9400 || e.High > 9700 {
		t.Errorf("got [%d, %d], want about [8300, 9560]", e.Low, e.High)
	}
}

func TestTheIntervalHoldsTheAreaAndNarrowsWithMoreProjects(t *testing.T) {
	bad, good := []int{1, 2, 3, 4, 5, 6}, []int{3, 5, 6, 7, 8, 9}
	few := Of(bad, good)
	many := Of(slices.Repeat(bad, 10), slices.Repeat(good, 10))
	if few.BP() != many.BP() {
		t.Errorf("ten times the same projects: %d, want %d", many.BP(), few.BP())
	}
	for _, e := range []Estimate{few, many} {
		if e.Low > e.BP() || e.High < e.BP() {
			t.Errorf("the interval [%d, %d] does not hold %d", e.Low, e.High, e.BP())
		}
	}
	if few.High-few.Low <= many.High-many.Low {
		t.Errorf("few projects give [%d, %d], many [%d, %d]", few.Low, few.High, many.Low, many.High)
	}
	if e := Of(nil, good); e.Low != 0 || e.High != 10000 {
		t.Errorf("nothing to compare gives [%d, %d], want all", e.Low, e.High)
	}
}

func TestExchangingTheGroupsGivesTheComplement(t *testing.T) {
	each(t, func(bad, good []int) {
		a, b := Of(bad, good), Of(good, bad)
		if got := Area(bad, good); got != a.BP() {
			t.Errorf("%v against %v: the area without interval is %d, want %d", bad, good, got, a.BP())
		}
		if a.Won+b.Won != 2*a.Pairs {
			t.Errorf("%v against %v: %d and %d of %d", bad, good, a.Won, b.Won, 2*a.Pairs)
		}
	})
}

func TestTheOrderOfProjectsDoesNotMatter(t *testing.T) {
	each(t, func(bad, good []int) {
		want := Of(bad, good)
		b, g := slices.Clone(bad), slices.Clone(good)
		slices.Reverse(b)
		slices.Reverse(g)
		if got := Of(b, g); got != want {
			t.Errorf("reversed: got %v, want %v", got, want)
		}
	})
}

func TestOnlyTheOrderOfValuesMatters(t *testing.T) {
	each(t, func(bad, good []int) {
		stretched := func(values []int) (out []int) {
			for _, v := range values {
				out = append(out, v*v*v+7*v-3)
			}
			return out
		}
		if got, want := Of(stretched(bad), stretched(good)), Of(bad, good); got != want {
			t.Errorf("stretched: got %v, want %v", got, want)
		}
	})
}

func TestAGapIsTheDifferenceOfTheAreas(t *testing.T) {
	each(t, func(bad, good []int) {
		zip := func(a []int) (out [][2]int) {
			for i, v := range a {
				out = append(out, [2]int{v, a[len(a)-1-i] + i})
			}
			return out
		}
		b, g := zip(bad), zip(good)
		gap := Between(b, g)
		first, second := Of(column(b, 0), column(g, 0)), Of(column(b, 1), column(g, 1))
		if want := first.BP() - second.BP(); gap.BP < want-1 || gap.BP > want+1 {
			t.Errorf("gap %d, want %d", gap.BP, want)
		}
		if gap.Low > gap.BP || gap.High < gap.BP {
			t.Errorf("the interval [%d, %d] does not hold %d", gap.Low, gap.High, gap.BP)
		}
		same := func(rows [][2]int) (out [][2]int) {
			for _, r := range rows {
				out = append(out, [2]int{r[0], r[0]})
			}
			return out
		}
		if got := Between(same(b), same(g)); got != (Gap{}) {
			t.Errorf("a number against itself: %v, want none", got)
		}
	})
}

// each runs a law on groups of small numbers, so that there are ties.
func each(t *testing.T, law func(bad, good []int)) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	some := func() []int {
		out := make([]int, 3+random.IntN(12))
		for i := range out {
			out[i] = random.IntN(9)
		}
		return out
	}
	for range 25 {
		law(some(), some())
	}
}

func TestMediansAreValuesThatOccur(t *testing.T) {
	for _, c := range []struct {
		values []int
		want   int
		ok     bool
	}{{nil, 0, false}, {[]int{5}, 5, true}, {[]int{9, 1}, 1, true}, {[]int{3, 1, 2}, 2, true}, {[]int{4, 1, 3, 2}, 2, true}} {
		if got, ok := Median(c.values); got != c.want || ok != c.ok {
			t.Errorf("Median(%v) = %d, %v; want %d, %v", c.values, got, ok, c.want, c.ok)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	bad, good := make([]int, 28), make([]int, 76)
	for i := range bad {
		bad[i] = i * 7 % 31
	}
	for i := range good {
		good[i] = i * 11 % 47
	}
	for b.Loop() {
		Of(bad, good)
	}
}
