package gitlog

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockSlack is how much earlier than the window a path-limited log starts, so that commits with a wrong clock do not end
// the walk too soon; what is outside the window is dropped afterwards.
const clockSlack = 90 * 24 * time.Hour

// oldRun ends a walk back in time. One commit with a wrong clock must not: behind it may lie what the walk is for.
type oldRun int

// oldInRow is how many commits in a row must be too old. Git itself asks for five (revision.c, SLOP).
const oldInRow = 32

// after returns errStop when enough commits in a row were too old.
func (n *oldRun) after(tooOld bool) error {
	if *n++; !tooOld {
		*n = 0
	}
	if *n < oldInRow {
		return nil
	}
	return errStop
}

// from returns where a walk of git back to a moment may start to leave out commits: at none where clocks were wrong, since
// git leaves out what is behind an old commit too.
func (v *view) from(t time.Time) time.Time {
	if v.skewed {
		return time.Time{}
	}
	return t.Add(-clockSlack)
}

// literal makes pathspecs that match exactly these paths and what is below them.
func literal(names []string) []string {
	specs := make([]string, len(names))
	for i, n := range names {
		specs[i] = ":(top,literal)" + n
	}
	return specs
}

// proposalsChanged counts distinct proposal files that non-merge commits of the last 12 months touched.
func (v *view) proposalsChanged(ctx context.Context, s *survey, commit string, at time.Time) (int, error) {
	var dirs []string
	for dir := range s.dirs["proposals"] {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	since := at.Add(-yearSeconds * time.Second)
	args := []string{
		"log", "-z", "--no-mailmap", "--no-merges", "--no-renames", "--name-only", "--no-color", "--no-show-signature", "--no-notes",
		"--since=" + gitDate(v.from(since)), "--format=%x1f%ct", "--end-of-options", commit, "--",
	}
	if err := v.needRange(ctx, commit, v.from(since), withBelow); err != nil {
		return 0, err
	}
	changed := map[string]bool{}
	err := v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		tokens := bufio.NewScanner(r)
		tokens.Buffer(make([]byte, 0, 64<<10), 1<<20)
		tokens.Split(splitNUL)
		inside := false
		for tokens.Scan() {
			token := tokens.Text()
			if text, ok := strings.CutPrefix(strings.TrimPrefix(token, "\n"), "\x1f"); ok {
				committed, err := strconv.ParseInt(text, 10, 64)
				inside = err == nil && committed >= since.Unix() && committed <= at.Unix()
				continue
			}
			if _, ok := proposalDirectory(newFile(entry{path: strings.TrimPrefix(token, "\n")})); ok && inside {
				changed[token] = true
			}
		}
		return tokens.Err()
	}, append(args, literal(dirs)...)...)
	return len(changed), err
}

// lastChange returns the committer time of the newest commit that touched one of the files. It looks at 24 months first,
// so that a partial clone rarely needs the trees of the whole history.
func (v *view) lastChange(ctx context.Context, files []file, commit string, at time.Time) (time.Time, error) {
	names, filter := make([]string, len(files)), alone
	for i, f := range files {
		names[i] = f.path
		if f.depth() > 0 {
			filter = withBelow
		}
	}
	for _, since := range []time.Time{v.from(at.Add(-2 * yearSeconds * time.Second)), {}} {
		if err := v.needRange(ctx, commit, since, filter); err != nil {
			return time.Time{}, err
		}
		if last, err := v.lastSince(ctx, names, commit, since, at); err != nil || !last.IsZero() {
			return last, err
		}
	}
	return time.Time{}, nil
}

func (v *view) lastSince(ctx context.Context, names []string, commit string, since, at time.Time) (time.Time, error) {
	args := []string{"log", "--no-mailmap", "--no-color", "--no-show-signature", "--no-notes", "--format=%ct"}
	if !since.IsZero() {
		args = append(args, "--since="+gitDate(since))
	}
	var last int64
	err := v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			committed, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err == nil && committed <= at.Unix() {
				last = committed
				return errStop
			}
		}
		return lines.Err()
	}, append(append(args, "--end-of-options", commit, "--"), literal(names)...)...)
	return moment(last), err
}

// gitDate writes a moment in the one form that git reads without guessing.
func gitDate(t time.Time) string { return "@" + strconv.FormatInt(max(0, t.Unix()), 10) + " +0000" }
