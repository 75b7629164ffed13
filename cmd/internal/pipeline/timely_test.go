package pipeline

import (
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func TestARecordingSpeaksNeitherFromTheFutureNorOfALongGonePast(t *testing.T) {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	recorded := func(day time.Time) scoring.Evidence {
		return scoring.Evidence{
			Project: "town", AssessedAt: day, Revision: "abc",
			History: audit.Known(scoring.History{}).Graded(audit.GradeRecord, day, audit.Month),
			Rules:   audit.Known(scoring.Rules{}).Graded(audit.GradeForge, day, audit.Month),
			Badge:   audit.Known(scoring.Badge{}), // of a recording that says nothing about when
		}
	}
	for _, tt := range []struct {
		what     string
		recorded time.Time
		at       time.Time
		want     bool
	}{
		{"the same day", now, now, true},
		{"a month before", now.AddDate(0, 0, -30), now, true},
		{"a clock that is an hour ahead", now.Add(time.Hour), now, true},
		{"the next century", now.AddDate(100, 0, 0), now, false},
		{"next week", now.AddDate(0, 0, 7), now, false},
		{"three weeks after the day that is judged", now, now.AddDate(0, 0, -21), true},
		{"half a year after the day that is judged", now, now.AddDate(0, 0, -180), false},
	} {
		e := timely(recorded(tt.recorded), tt.at, now)
		for _, collector := range []string{"git", "forge", "thirdparty"} {
			if got := e.Has(collector); got != tt.want {
				t.Errorf("recorded %s: facts of %s are taken: %v, want %v", tt.what, collector, got, tt.want)
			}
		}
		if tt.want == (e.Revision == "") {
			t.Errorf("recorded %s: revision %q", tt.what, e.Revision)
		}
	}
	future := recorded(now)
	future.History.ObservedAt = now.AddDate(0, 2, 0)
	if e := timely(future, now, now); e.Has("git") || !e.Has("forge") {
		t.Error("a history that was observed in the future is believed, or other facts are not")
	}
}
