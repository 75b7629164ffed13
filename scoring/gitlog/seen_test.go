package gitlog

import (
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

func TestACloneThatEndsMoreThanAMonthBeforeTheDayJudgedLeavesTheHistoryOpen(t *testing.T) {
	day := time.Date(2026, 7, 22, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		before time.Duration
		open   bool
	}{
		"fetched on the day":       {0, false},
		"a month before":           {31 * 24 * time.Hour, false},
		"a month and a second":     {31*24*time.Hour + time.Second, true},
		"nobody fetched for years": {900 * 24 * time.Hour, true},
	} {
		e := scoring.Evidence{AssessedAt: day, SeenUntil: day.Add(-c.before)}
		if err := tooOld(e); (err != nil) != c.open {
			t.Errorf("%s: got %v, want open %v", name, err, c.open)
		}
	}
}
