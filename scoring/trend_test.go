package scoring_test

import (
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func points(values ...int) []scoring.Point {
	var out []scoring.Point
	for i, v := range values {
		out = append(out, scoring.Point{At: i, Value: v})
	}
	return out
}

func TestTheSlopeOfASeriesIsTheMedianOfItsPairs(t *testing.T) {
	for name, c := range map[string]struct {
		series []scoring.Point
		want   int
		ok     bool
	}{
		"nothing":                    {nil, 0, false},
		"one value":                  {points(5), 0, false},
		"two values":                 {points(5, 8), 12, true},
		"equal values":               {points(7, 7, 7, 7, 7), 0, true},
		"zeros":                      {points(0, 0, 0, 0), 0, true},
		"one a quarter":              {points(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 4, true},
		"one quiet quarter":          {points(10, 10, 10, 10, 10, 10, 10, 0, 10, 10, 10, 10), 0, true},
		"a wild end":                 {points(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1000), 0, true},
		"most pairs are ties":        {points(3, 3, 3, 3, 9), 0, true},
		"an even number of slopes":   {points(0, 1, 3), 6, true}, // slopes 1, 2 and 3/2
		"four values, median of two": {points(0, 0, 1, 1), 1, true},
		"rounded towards zero":       {points(0, 0, 0, 1, 1, 1, 1), 0, true},
		"and so downwards":           {points(1, 1, 1, 1, 0, 0, 0), 0, true},
		"a quarter is missing":       {[]scoring.Point{{At: 0, Value: 0}, {At: 1, Value: 10}, {At: 3, Value: 30}, {At: 4, Value: 40}}, 40, true},
		"the largest that can be":    {points(0, 10000, 0, 10000), 6666, true},
		"falling":                    {points(10000, 9000, 8000, 7000), -4000, true},
		"two values for one quarter": {[]scoring.Point{{At: 0, Value: 1}, {At: 0, Value: 9}}, 0, false},
	} {
		if got, ok := scoring.Slope(c.series, 4); got != c.want || ok != c.ok {
			t.Errorf("%s: got %d, %v; want %d, %v", name, got, ok, c.want, c.ok)
		}
		backwards := slices.Clone(c.series)
		slices.Reverse(backwards)
		if got, _ := scoring.Slope(backwards, 4); got != c.want {
			t.Errorf("%s: the order of the points matters: %d", name, got)
		}
	}
}

func TestOneQuietQuarterDoesNotFlipAVerdict(t *testing.T) {
	pass, below := scoring.Standing{Verdict: scoring.Passed}, scoring.Standing{Verdict: scoring.Almost, Below: true}
	unclear := scoring.Standing{Verdict: scoring.Undetermined, Below: true} // the interval spans the gate, enough is known
	blind, out := scoring.Standing{Verdict: scoring.Undetermined}, scoring.Standing{Verdict: scoring.Showstopper}
	for name, c := range map[string]struct {
		row    []scoring.Standing
		audits int
		want   string // p: passed, +: on probation, a, u, s
	}{
		"one quiet quarter":                 {[]scoring.Standing{pass, below, pass, pass}, 2, "p+pp"},
		"two quiet quarters":                {[]scoring.Standing{pass, below, below, pass}, 2, "p+ap"},
		"again and again":                   {[]scoring.Standing{pass, below, pass, below, pass}, 2, "p+p+p"},
		"never passed":                      {[]scoring.Standing{below, below, pass}, 2, "aap"},
		"lost, and not held again":          {[]scoring.Standing{pass, below, below, below}, 2, "p+aa"},
		"an interval that spans the gate":   {[]scoring.Standing{pass, unclear, unclear}, 2, "p+u"},
		"one that does and one that misses": {[]scoring.Standing{pass, unclear, below}, 2, "p+a"},
		"a knock-out counts at once":        {[]scoring.Standing{pass, out, pass}, 2, "psp"},
		"a knock-out on probation":          {[]scoring.Standing{pass, below, out}, 2, "p+s"},
		"missing evidence counts at once":   {[]scoring.Standing{pass, blind, pass}, 2, "pup"},
		"nothing is held after it":          {[]scoring.Standing{pass, blind, below}, 2, "pua"},
		"a profile with three audits":       {[]scoring.Standing{pass, below, below, below}, 3, "p++a"},
		"a profile without hysteresis":      {[]scoring.Standing{pass, below}, 1, "pa"},
		"a profile that says nothing":       {[]scoring.Standing{pass, below}, 0, "pa"},
		"no evaluation":                     {nil, 2, ""},
	} {
		got := ""
		for _, h := range scoring.Hold(c.row, c.audits) {
			letter := map[string]string{scoring.Passed: "p", scoring.Almost: "a", scoring.Undetermined: "u", scoring.Showstopper: "s"}[h.Verdict]
			if h.Probation {
				if h.Verdict != scoring.Passed {
					t.Errorf("%s: on probation with verdict %s", name, h.Verdict)
				}
				letter = "+"
			}
			got += letter
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestMissingEvidenceIsNotBelowAGate(t *testing.T) {
	prof := audit.Profile{Gates: map[string]map[string]map[string]audit.Gate{"scs-open": {
		"platform":       {"activity": {Low: 5000, Coverage: 6000}, "security": {Low: 6000, Coverage: 6000}},
		"building-block": {},
	}}}
	aspect := func(low, high, coverage int) scoring.AspectScore {
		return scoring.AspectScore{Interval: audit.Between(low, high), Coverage: coverage}
	}
	for name, c := range map[string]struct {
		activity, security scoring.AspectScore
		role               string
		want               bool
	}{
		"both reached":                   {aspect(5000, 9000, 7000), aspect(6000, 9000, 7000), "", false},
		"one certainly missed":           {aspect(4000, 4900, 7000), aspect(6000, 9000, 7000), "", true},
		"one spans the gate":             {aspect(4000, 9000, 7000), aspect(6000, 9000, 7000), "platform", true},
		"one missed, too little known":   {aspect(4000, 4900, 5999), aspect(6000, 9000, 7000), "", false},
		"one missed, the other not seen": {aspect(4000, 4900, 7000), aspect(0, 10000, 0), "", false},
		"a building block":               {aspect(0, 100, 9000), aspect(0, 100, 9000), "building-block", false},
		"a knock-out":                    {scoring.AspectScore{Interval: audit.Exactly(0), Coverage: 9000, KnockOuts: []string{"AC-01"}}, aspect(6000, 9000, 7000), "", false},
		"a knock-out that may be":        {scoring.AspectScore{Interval: audit.Between(0, 9000), Coverage: 9000, Open: []string{"AC-01"}}, aspect(6000, 9000, 7000), "", false},
	} {
		c.activity.Aspect, c.security.Aspect = "activity", "security"
		s := scoring.ProjectScore{Project: scoring.Project{Role: c.role}, Aspects: []scoring.AspectScore{c.activity, c.security}}
		if got := scoring.Below(s, prof); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if scoring.Below(scoring.ProjectScore{}, prof) {
		t.Error("a score without aspects is below")
	}
}
