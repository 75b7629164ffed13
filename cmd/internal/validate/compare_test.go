package main

import (
	"slices"
	"strings"
	"testing"
)

// sample is a comparison of three projects that are gone with three that are here, and what they scored.
func sample() (comparison, outcomes, split, results) {
	c := comparison{ID: "c", Question: "Told?", Bad: "gone", Good: "here", Matched: true, Aspects: []string{"activity"}}
	o := outcomes{Months: []int{12}, Comparisons: []comparison{c}}
	s := split{Halves: map[string]string{}}
	r := results{Questions: map[string]asked{"AC-01": {"activity", "maintained"}, "AC-03": {"activity", "retention"}, "SE-01": {"security", "contact"}}}
	add := func(name, kind, matches, half, state string, low int) {
		x := outcome{Name: name, Outcome: kind, Matches: matches, Repo: "https://example.org/x/" + name}
		o.Outcomes = append(o.Outcomes, x)
		s.Halves[splitKey(x.Repo)] = half
		r.Cases = append(r.Cases, judged{
			ID: x.id(), Months: 12, State: state, Verdict: "undetermined", Aspects: map[string]score{"activity": {Low: low, High: 10000}},
			Indicators: map[string][3]int{"AC-01": {low, low, 3}, "AC-03": {0, 5000, 1}, "SE-01": {10000, 10000, 2}},
			Baselines:  map[string]int{byCommits: 100 - low},
		})
	}
	add("a", "gone", "", validation, read, 1000)
	add("b", "gone", "", development, read, 9000)
	add("c", "gone", "", validation, read, 2000)
	add("d", "here", "a", validation, read, 8000)
	add("e", "here", "b", development, read, 7000)
	add("f", "here", "c", validation, noClone, 0)
	return c, o, s, r
}

func names(js []judged) (out []string) {
	for _, j := range js {
		out = append(out, j.ID)
	}
	return out
}

func TestAMatchedCaseCountsOnlyWithItsPartner(t *testing.T) {
	c, o, s, r := sample()
	g := groupsOf(c, o, s, r, 12, "")
	if got := names(g.bad); !slices.Equal(got, []string{"gone/a", "gone/b"}) {
		t.Errorf("gone: %v; c has a control that was not read", got)
	}
	if got := names(g.good); !slices.Equal(got, []string{"here/d", "here/e"}) {
		t.Errorf("here: %v", got)
	}
	c.Matched = false
	if got := names(groupsOf(c, o, s, r, 12, "").bad); len(got) != 3 {
		t.Errorf("not matched: %v, want all three", got)
	}
	if got := names(groupsOf(c, o, s, r, 12, development).bad); !slices.Equal(got, []string{"gone/b"}) {
		t.Errorf("development half: %v", got)
	}
	if g := groupsOf(c, o, s, r, 6, ""); len(g.bad)+len(g.good) != 0 {
		t.Errorf("another day has %v", g)
	}
}

func TestTheLowEndIsComparedTheRightWayRound(t *testing.T) {
	c, o, s, r := sample()
	g := groupsOf(c, o, s, r, 12, "")
	if got := g.separation(low("activity")).BP(); got != 5000 {
		t.Errorf("one of two pairs each way: %d, want 5000", got)
	}
	if got := g.separation(baseline(byCommits)).BP(); got != 5000 {
		t.Errorf("baseline: %d", got)
	}
	g.bad = g.bad[:1]
	if got := g.separation(low("activity")).BP(); got != 10000 {
		t.Errorf("a low project that is gone: %d, want 10000", got)
	}
	if got := g.gap(low("activity"), baseline(byCommits)).BP; got != 10000 {
		t.Errorf("against a number that is the wrong way round: %d, want 10000", got)
	}
	if got := g.estimate(low("security")); got != "the same for all" {
		t.Errorf("an aspect that is 0 everywhere: %q", got)
	}
}

func TestMistakesAreNamedWithTheIndicatorsThatMisled(t *testing.T) {
	c, o, s, r := sample()
	c.Matched = false
	g := groupsOf(c, o, s, r, 12, "")
	wrong := g.mistakes("activity", func(id string) bool { return strings.HasPrefix(id, "AC") })
	if len(wrong) != 1 || wrong[0].ID != "gone/b" || !wrong[0].bad || !slices.Equal(wrong[0].by, []string{"AC-01"}) {
		t.Errorf("got %+v, want gone/b because of AC-01", wrong)
	}
	table := c.mistakesTable(g, r, s, o)
	if !strings.Contains(table, "| b | gone | development |") || !strings.Contains(table, "answers well: AC-01 maintained") {
		t.Errorf("the table does not say so:\n%s", table)
	}
}

func TestAnIndicatorIsShownOnlyWhereEnoughIsDecided(t *testing.T) {
	var g groups
	for i := range fewestDecided {
		g.bad = append(g.bad, judged{Indicators: map[string][3]int{"AC-01": {0, 0, 3}, "AC-03": {0, 100 * i, 1}}})
		g.good = append(g.good, judged{Indicators: map[string][3]int{"AC-01": {10000, 10000, 3}, "AC-03": {i, i, 1}}})
	}
	if got := g.questions(); len(got) != 1 || got[0].id != "AC-01" || got[0].area != 10000 {
		t.Errorf("got %+v, want AC-01 alone", got)
	}
}

func TestNumbersAreRoundedOutward(t *testing.T) {
	for bp, want := range map[int][3]string{8949: {"0.89", "0.89", "0.90"}, 10000: {"1.00", "1.00", "1.00"}, -151: {"-0.02", "-0.02", "-0.01"}, 0: {"0.00", "0.00", "0.00"}} {
		if got := [3]string{hundredths(bp), down(bp), up(bp)}; got != want {
			t.Errorf("%d: %v, want %v", bp, got, want)
		}
	}
}
