package audit

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestTheZeroValuesAreHonest(t *testing.T) {
	if got := Outcome(0); got != MISS {
		t.Errorf("zero outcome: got %v, want MISS", got)
	}
	if i := (Interval{}); i.Low() != 0 || i.High() != Full || i.Known() {
		t.Errorf("zero interval: got %v, want the unknown 0..10000", i)
	}
	var f Fact[int]
	if _, known := f.Get(); known || f.Unknown() != MISS {
		t.Errorf("zero fact: got %v, want MISS", f.Unknown())
	}
	if f := Failed[int]("no answer"); f.Unknown() != DNF {
		t.Errorf("failed fact: got %v, want DNF", f.Unknown())
	}
	if v, known := Known(0).Get(); !known || v != 0 {
		t.Error("a known zero is a known value")
	}
}

func TestTheWorstOutcomeDecidesInTheOrderOfTheStandard(t *testing.T) {
	for _, c := range []struct {
		parts []Outcome
		want  Outcome
	}{
		{nil, MISS},
		{[]Outcome{NA}, MISS},
		{[]Outcome{PASS, NA}, PASS},
		{[]Outcome{PASS, PART}, PART},
		{[]Outcome{PASS, DNF}, DNF},
		{[]Outcome{DNF, MISS, PASS}, MISS},
		{[]Outcome{MISS, FAIL, DNF}, FAIL},
	} {
		if got := Worst(c.parts...); got != c.want {
			t.Errorf("Worst(%v): got %v, want %v", c.parts, got, c.want)
		}
	}
}

func TestAnIntervalPassesAGateOnlyAsAWhole(t *testing.T) {
	for _, c := range []struct {
		i              Interval
		gate           int
		holds, decided bool
	}{
		{Between(6000, 8000), 6000, true, true},
		{Between(5999, 8000), 6000, false, false},
		{Between(2000, 6000), 6000, false, false},
		{Between(2000, 5999), 6000, false, true},
		{Interval{}, 1, false, false},
		{Interval{}, 0, true, true},
	} {
		if holds, decided := c.i.AtLeast(c.gate); holds != c.holds || decided != c.decided {
			t.Errorf("%v at least %d: got %v, %v, want %v, %v", c.i, c.gate, holds, decided, c.holds, c.decided)
		}
	}
}

func TestNarrowingAnIntervalNeverTurnsADecisionOver(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		outer := Between(r.IntN(Full+1), r.IntN(Full+1))
		low := outer.Low() + r.IntN(outer.Width()+1)
		inner := Between(low, low+r.IntN(outer.High()-low+1))
		gate := r.IntN(Full + 1)
		if !inner.Within(outer) {
			t.Fatalf("%v is not within %v", inner, outer)
		}
		before, decided := outer.AtLeast(gate)
		after, still := inner.AtLeast(gate)
		if decided && (!still || before != after) {
			t.Fatalf("%v decides %v at %d, %v within it decides %v (%v)", outer, before, gate, inner, after, still)
		}
		before, decided = outer.AtMost(gate)
		if after, still = inner.AtMost(gate); decided && (!still || before != after) {
			t.Fatalf("%v decides %v at most %d, %v within it decides %v (%v)", outer, before, gate, inner, after, still)
		}
	}
}

func TestAnIntervalIsReadBackAsItWasWritten(t *testing.T) {
	for _, i := range []Interval{{}, Exactly(0), Exactly(Full), Between(1, 9999), Between(-5, 20000)} {
		data, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		var back Interval
		if err := json.Unmarshal(data, &back); err != nil || back != i {
			t.Errorf("%s: got %v, %v, want %v", data, back, err, i)
		}
	}
	for _, text := range []string{`{"low":5,"high":4}`, `{"low":-1,"high":4}`, `{"low":1,"high":10001}`, `7`} {
		if err := json.Unmarshal([]byte(text), new(Interval)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func TestDigestsHaveOneForm(t *testing.T) {
	want := DigestOf(nil)
	for _, text := range []string{string(want), want.Hex()} {
		if got, err := ParseDigest(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "sha256:", "sha512:" + want.Hex(), strings.ToUpper(want.Hex()), want.Hex()[1:], strings.Repeat("g", 64)} {
		if got, err := ParseDigest(text); err == nil {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func TestOutcomesAreWords(t *testing.T) {
	for _, o := range []Outcome{MISS, DNF, PASS, PART, FAIL, NA} {
		var back Outcome
		text, err := o.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != o {
			t.Errorf("%v: written %q, read %v", o, text, back)
		}
	}
	if err := new(Outcome).UnmarshalText([]byte("pass")); err == nil {
		t.Error("a word in lower case is accepted")
	}
}

func TestAFactOfWhichNobodyCanTellHowLongItCountsIsNotFresh(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name     string
		observed time.Time
		lifetime Lifetime
		want     Outcome
	}{
		{"no end was set", time.Time{}, "", PASS},
		{"observed last month", at.AddDate(0, -1, 0), Month, PASS},
		{"observed last year", at.AddDate(-1, 0, 0), Month, DNF},
		{"observed nobody knows when", time.Time{}, Month, DNF},
		{"for as long as a stranger likes", at.AddDate(-9, 0, 0), "forever", DNF},
	} {
		f := Known(1).Graded(GradeRecord, row.observed, row.lifetime).Fresh(at)
		if got := f.Unknown(); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}
