package gitlog

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pegel-audit/pegel/scoring"
)

// errShallow says that a clone cannot tell because its history is cut off.
var errShallow = errors.New("the clone does not reach back to the root")

// TagOf returns the tag that names a version exactly, such as v1.2.0 for 1.2.0; ok is false if none does.
func (c *Clone) TagOf(ctx context.Context, version string) (t scoring.Tag, ok bool, err error) {
	c.tagging.Lock()
	defer c.tagging.Unlock()
	if c.tagged == nil {
		if c.tagged, err = c.view.tags(ctx); err != nil {
			return scoring.Tag{}, false, err
		}
		c.tagged = c.collector.seenTags(c.tagged, c.AssessedAt)
	}
	found, ok := tagOf(c.tagged, version)
	if !ok {
		return scoring.Tag{}, false, nil
	}
	return scoring.Tag{Name: found.name, Commit: found.commit, At: moment(found.created)}, true, nil
}

// Contains reports whether a commit is another one or an ancestor of it, both by full object id. It needs no trees and
// asks no server. A commit that the clone lacks is no ancestor of one that it has, unless the clone is shallow: then it
// cannot be told, which is an error.
func (c *Clone) Contains(ctx context.Context, tip, commit string) (bool, error) {
	for _, id := range []string{tip, commit} {
		if !isObjectID(id) {
			return false, fmt.Errorf("looking for a commit: %q is no object id", clip(printable(id), 80))
		}
	}
	var present [2]bool
	err := c.view.objects(ctx, []string{tip, commit}, 0, func(i int, o object) error {
		present[i] = !o.missing && o.kind == "commit"
		return nil
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("looking for a commit: %w", err)
	case !present[0]:
		return false, fmt.Errorf("looking for a commit: %w", ErrAbsent)
	case !present[1] && len(c.view.state.shallow) > 0:
		return false, fmt.Errorf("looking for a commit: %w", errShallow)
	case !present[1]:
		return false, nil
	}
	outside := false
	err = c.view.git.stream(ctx, c.view.dir, nil, func(r io.Reader) error {
		var one [1]byte
		n, err := io.ReadFull(r, one[:])
		outside = n > 0
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return err
	}, "rev-list", "--max-count=1", "--end-of-options", commit, "^"+tip, "--")
	if err != nil {
		return false, fmt.Errorf("looking for a commit: %w", err)
	}
	if outside && len(c.view.state.shallow) > 0 {
		return false, fmt.Errorf("looking for a commit: %w", errShallow)
	}
	return !outside, nil
}
