package gitlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func TestADatedCloneSpeaksUntilItsFilesWereWritten(t *testing.T) {
	for name, row := range map[string]struct {
		dated   bool
		written time.Time
		want    time.Time
	}{
		"not dated":                 {false, now.AddDate(0, 1, 0), time.Unix(at(400), 0)},
		"made after the day":        {true, now.AddDate(0, 1, 0), now},
		"made before the day":       {true, now.AddDate(0, -3, 0), now.AddDate(0, -3, 0)},
		"older than its own commit": {true, now.AddDate(-3, 0, 0), time.Unix(at(400), 0)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo()
			r.commit(testCommit{when: at(400), files: map[string]string{"a.go": "x"}})
			dir := r.build(t, filepath.Join(t.TempDir(), "x.git"))
			err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Chtimes(path, row.written, row.written))
			})
			if err != nil {
				t.Fatal(err)
			}
			e := mustRepository(t, newCollector(t, Options{Offline: true, Dated: row.dated}), dir, "")
			if !e.SeenUntil.Equal(row.want) {
				t.Errorf("it speaks until %v, want %v", e.SeenUntil, row.want.UTC())
			}
		})
	}
}
