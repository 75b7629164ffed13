package gitlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const (
	// maxDiffed bounds the commits whose lines are counted: 5,000 a year are more than any project of the catalogue but the
	// largest makes, and take git some seconds.
	maxDiffed = 5_000
	// diffedSize is up to which size git compares two files line by line.
	diffedSize = "core.bigFileThreshold=1m"
	dropPart   = 3 // scoring.CodeDrop.TopThreeBP
)

// errTooMany says that counting lines would take too long.
var errTooMany = fmt.Errorf("more than %d commits in 12 months", maxDiffed)

// codeDrop counts the changed lines of 12 months. It reads the contents of files, so it asks only clones that have them. The
// history says how many commits there are: git does not show those behind one with a wrong clock.
func (v *view) codeDrop(ctx context.Context, commit string, at time.Time, h scoring.History, origin audit.Origin) audit.Fact[scoring.CodeDrop] {
	if v.promise != nil {
		f := audit.Failed[scoring.CodeDrop]("line counts need the contents of files, which a partial clone lacks", origin)
		f.Settle = "give a complete local clone of the repository"
		return f
	}
	if h.Shallow { // its last commits look as if they had added everything before them
		return failure[scoring.CodeDrop](errors.New("the clone does not reach back to the first commit"), origin)
	}
	lines, seen, err := v.changedLines(ctx, commit, at)
	if year, ok := h.Window(12); err == nil && ok && seen != year.Commits {
		f := audit.Failed[scoring.CodeDrop](fmt.Sprintf("the clock of a commit is wrong, so that lines of %d of %d commits were seen", seen, year.Commits), origin)
		f.Settle = "count the changed lines of each commit"
		return f
	}
	if errors.Is(err, errTooMany) {
		f := audit.Failed[scoring.CodeDrop](err.Error()+": too many to count their lines", origin)
		f.Settle = "count the changed lines of each commit"
		return f
	}
	if err != nil {
		return failure[scoring.CodeDrop](err, origin)
	}
	slices.SortFunc(lines, func(a, b int64) int { return int(max(-1, min(1, b-a))) })
	d := scoring.CodeDrop{Commits: len(lines)}
	var top int64
	for i, n := range lines {
		d.Lines += n
		if i < dropPart {
			top += n
		}
	}
	if d.Lines > 0 {
		d.TopThreeBP = int(top * 10000 / d.Lines)
	}
	return audit.Known(d, origin)
}

// changedLines returns the added and removed lines of each non-merge commit of 12 months that has any, and how many commits
// it saw.
func (v *view) changedLines(ctx context.Context, commit string, at time.Time) (lines []int64, count int, err error) {
	since := at.Add(-yearSeconds * time.Second)
	inside, sum := false, int64(0)
	flush := func() {
		if inside && sum > 0 {
			lines = append(lines, sum)
		}
		sum = 0
	}
	err = v.git.streamWith(ctx, v.dir, []string{diffedSize}, func(r io.Reader) error {
		tokens := bufio.NewScanner(r)
		tokens.Buffer(make([]byte, 0, 64<<10), 1<<20)
		tokens.Split(splitNUL)
		for tokens.Scan() {
			token := strings.TrimPrefix(tokens.Text(), "\n")
			text, head := strings.CutPrefix(token, "\x1f")
			if !head {
				sum += linesOf(token)
				continue
			}
			flush()
			committed, err := strconv.ParseInt(text, 10, 64)
			inside = err == nil && committed >= since.Unix() && committed <= at.Unix()
			if count += one(inside); count > maxDiffed {
				return errTooMany
			}
		}
		flush()
		return tokens.Err()
	}, "log", "-z", "--no-merges", "--numstat", "--find-renames=100%", "--no-textconv", "--no-ext-diff", "--no-mailmap", "--no-color",
		"--no-show-signature", "--no-notes", "--since="+gitDate(since.Add(-clockSlack)), "--format=%x1f%ct", "--end-of-options", commit, "--")
	return lines, count, err
}

// linesOf reads "<added>\t<removed>\t<path>"; a binary has dashes, and the names of a rename have no tabs. Only source files
// of the project itself count: a new web site or an updated copy of somebody else's code is no code drop.
func linesOf(token string) int64 {
	fields := strings.SplitN(token, "\t", 3)
	if len(fields) != 3 {
		return 0
	}
	if f := newFile(entry{path: fields[2]}); f.vendored || !sourceExtensions[path.Ext(f.base)] {
		return 0
	}
	added, err := strconv.ParseInt(fields[0], 10, 32)
	if err != nil {
		return 0
	}
	removed, err := strconv.ParseInt(fields[1], 10, 32)
	if err != nil {
		return 0
	}
	return added + removed
}
