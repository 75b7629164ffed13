package scoring_test

import (
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func TestWhatHasEndedStaysSoWhenACalendarIsOld(t *testing.T) {
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	calendar := scoring.Cycles{Source: "test", Cycles: []scoring.Cycle{
		{Name: "3", Prefix: "3", EndLow: day("2027-01-01"), EndHigh: day("2027-01-01")},
		{Name: "2", Prefix: "2", EndLow: day("2026-04-29"), EndHigh: day("2026-04-29")},
		{Name: "1", Prefix: "1", Ended: true},
		{Name: "0", Prefix: "0", EndLow: day("2026-01-01"), EndHigh: day("2026-01-01"), Estimate: true},
	}}
	e := scoring.Evidence{Cycles: audit.Known(calendar).Graded(audit.GradeRecord, day("2026-07-17"), audit.Month)}
	for at, want := range map[string]int{"2026-08-01": 4, "2026-11-26": 2} {
		got, ok := e.Fresh(day(at)).Cycles.Get()
		if !ok || len(got.Cycles) != want {
			t.Errorf("at %s: %d cycles are known, want %d", at, len(got.Cycles), want)
		}
	}
	got, _ := e.Fresh(day("2026-11-26")).Cycles.Get()
	if _, ok := got.Of("3.1"); ok {
		t.Error("a cycle that was maintained then is known to be so now")
	}
	calendar.Cycles = calendar.Cycles[:1]
	e.Cycles = audit.Known(calendar).Graded(audit.GradeRecord, day("2026-07-17"), audit.Month)
	if f := e.Fresh(day("2026-11-26")).Cycles; f.Value != nil || f.Failure == "" {
		t.Errorf("nothing had ended, and it is known: %+v", f)
	}
}

func TestZerosBeforeANumberDoNotCount(t *testing.T) {
	c := scoring.Cycles{Cycles: []scoring.Cycle{{Name: "24.09", Prefix: "24.09"}, {Name: "24.9", Prefix: "24.9"}, {Name: "23.03", Prefix: "23.03"}, {Name: "2.0", Prefix: "2.0"}}}
	for version, want := range map[string]string{"24.9.2": "24.9", "23.3.1": "23.03", "24.09.2": "24.09", "24.90": "", "2.0.1": "2.0", "2.00.1": "2.0", "20.1": ""} {
		got, ok := c.Of(version)
		if ok != (want != "") || got.Name != want {
			t.Errorf("%s: cycle %q, want %q", version, got.Name, want)
		}
	}
}
