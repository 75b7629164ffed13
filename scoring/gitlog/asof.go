package gitlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// What a clone shows of a moment before it was made. Commits carry their time, and what lies on the first-parent line is cut
// there. Refs carry none: tags count by their own date, branches by their commits. A lightweight tag that was set later on an
// older commit, and a tag or branch that was moved or deleted since, cannot be told from one that was always so.

// seenTags leaves out tags that were made after the moment of assessment: an evaluation of the past must not know them. Where
// each clone is judged at its own head, a tag is often a little younger than the commit it names, and all count.
func (c *Collector) seenTags(all []tag, at time.Time) []tag {
	if c.options.AtHead {
		return all
	}
	return slices.DeleteFunc(all, func(t tag) bool { return t.created > at.Unix() || t.committed > at.Unix() })
}

// ownBranches leaves out branches whose newest commit lies on the line of the evaluated revision. How far that line was
// remembered is enough for branches that end there; only of those that go on after the moment of assessment, and may have
// begun after it, the rest of the line is asked.
func (v *view) ownBranches(ctx context.Context, all []branch) ([]branch, error) {
	foreign := map[string]bool{}
	oldest := int64(0)
	for _, b := range all {
		if b.cut && !v.mainline[b.commit] {
			foreign[b.commit] = true
			if oldest == 0 || b.committed < oldest {
				oldest = b.committed
			}
		}
	}
	shared := map[string]bool{}
	if len(foreign) > 0 && v.revision != "" {
		var end oldRun
		err := v.firstParents(ctx, v.revision, func(id string, committed int64) error {
			if foreign[id] {
				shared[id] = true
			}
			if len(shared) == len(foreign) {
				return errStop
			}
			return end.after(committed < oldest)
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(all, func(b branch) bool { return v.mainline[b.commit] || shared[b.commit] }), nil
}

// seenNotes returns the commit of the review notes as they were at a moment; empty if there were none.
func (v *view) seenNotes(ctx context.Context, at time.Time) (commit string, err error) {
	i, ok := slices.BinarySearchFunc(v.state.refs, notesRef, func(r ref, name string) int { return strings.Compare(r.name, name) })
	if !ok {
		return "", nil
	}
	err = v.firstParents(ctx, v.state.refs[i].id, func(id string, committed int64) error {
		if committed > at.Unix() {
			return nil
		}
		commit = id
		return errStop
	})
	return commit, err
}

// errLater says that a revision that a person gave did not exist on the day that is judged.
type errLater struct {
	rev      string
	made, at time.Time
}

func (e errLater) Error() string {
	return fmt.Sprintf("revision %q was made on %s, after %s, the day that is judged; give an earlier revision, a later day, or no day: then it is judged on its own",
		clip(printable(e.rev), 80), e.made.Format(time.DateOnly), e.at.Format(time.DateOnly))
}

// checkRevision refuses a tag or commit that was made after the day that is judged. A branch is cut there.
func (v *view) checkRevision(ctx context.Context, rev, tip, branch string, at time.Time) error {
	if rev == "" || branch != "" && !strings.HasPrefix(branch, "refs/tags/") || at.IsZero() {
		return nil
	}
	return v.firstParents(ctx, tip, func(_ string, committed int64) error {
		if committed > at.Unix() {
			return errLater{rev, time.Unix(committed, 0).UTC(), at}
		}
		return errStop
	})
}

// endsAt returns until when the line of a revision that a person gave can speak. Where the default branch had another newest
// commit at the moment of assessment, the work went on there, and what the line of the revision does not show nobody saw.
func (v *view) endsAt(ctx context.Context, e scoring.Evidence) (time.Time, error) {
	if v.state.headID == "" {
		return e.RevisionAt, nil
	}
	head := ""
	err := v.firstParents(ctx, v.state.headID, func(id string, committed int64) error {
		if committed > e.AssessedAt.Unix() {
			return nil
		}
		head = id
		return errStop
	})
	if err != nil {
		return time.Time{}, err
	}
	if head == e.Revision {
		return e.SeenUntil, nil
	}
	return e.RevisionAt, nil
}

// otherLine says that the line of a revision ends too long before the moment of assessment to tell how the project fares.
func otherLine(e scoring.Evidence, until time.Time) error {
	if e.AssessedAt.Sub(until) <= clonesLast {
		return nil
	}
	return fmt.Errorf("the line of the revision ends on %s, and the project went on elsewhere; what it did in the %d days until the day that is judged was not read",
		until.Format(time.DateOnly), int(e.AssessedAt.Sub(until).Hours()/24))
}
