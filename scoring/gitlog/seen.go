package gitlog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// clonesLast is how old a clone may be at the moment of assessment: 31 days, the lifetime "month" of activity evidence
// (scs-0003). A clone that nobody updated shows a living project as abandoned, and "no human commit in twelve months"
// knocks a project out.
const clonesLast = 31 * 24 * time.Hour

// seenUntil returns until when a clone can speak: the moment we fetched it (or it was made, if the options say that its files
// tell), else the newest commit on its default branch, and never later than the moment of assessment. A commit that is younger than the files of the clone has a wrong clock: it
// does not make an old clone speak for today.
func (c *Collector) seenUntil(ctx context.Context, s source, v *view, assessed time.Time) (time.Time, error) {
	newest, err := v.newest(ctx, time.Time{})
	if err == nil && s.ours == "" && newest.After(assessed) && s.clone.touched().Before(assessed) {
		newest, err = v.newest(ctx, assessed)
	}
	if err != nil {
		return time.Time{}, err
	}
	if made := s.clone.touched(); c.options.Dated && s.ours == "" && made.After(newest) {
		newest = made
	}
	if s.ours != "" {
		if info, err := os.Stat(filepath.Join(s.ours, fetchedStamp)); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if newest.After(assessed) {
		return assessed, nil
	}
	return newest.UTC().Truncate(time.Second), nil
}

// touched returns when the refs of the clone were written last.
func (c clone) touched() (last time.Time) {
	for _, name := range []string{filepath.Join(c.dir, "HEAD"), filepath.Join(c.dir, "FETCH_HEAD"), filepath.Join(c.common, "packed-refs"),
		filepath.Join(c.common, "refs", "heads"), filepath.Join(c.common, "objects", "pack")} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// newest returns the committer time at the tip of the default branch, or of its newest commit that is not later than a
// moment, if one is given.
func (v *view) newest(ctx context.Context, until time.Time) (tip time.Time, err error) {
	if v.state.headID == "" {
		return time.Time{}, nil
	}
	err = v.firstParents(ctx, v.state.headID, func(_ string, committed int64) error {
		if tip = time.Unix(committed, 0); !until.IsZero() && tip.After(until) {
			tip = time.Time{}
			return nil
		}
		return errStop
	})
	return tip, err
}

// tooOld says that the time between the end of the clone and the moment of assessment is too long to be left out.
func tooOld(e scoring.Evidence) error {
	if e.AssessedAt.Sub(e.SeenUntil) <= clonesLast {
		return nil
	}
	return fmt.Errorf("the clone reaches only until %s; what happened in the %d days after it was not seen",
		e.SeenUntil.Format(time.DateOnly), int(e.AssessedAt.Sub(e.SeenUntil).Hours()/24))
}
