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

// proposalFormat begins each commit of the log of proposals: no field but the last can hold the separator.
const proposalFormat = "%x1f%ct%x1f%aE%x1f%aN%x1f" + trailerFormat

// proposalsChanged counts the proposal files that changed in 12 months, and those of which every change was reviewed by its
// trailers, or by a Change-Id where Gerrit takes all changes of proposals. It is one log over the directories of proposals.
func (v *view) proposalsChanged(ctx context.Context, s *survey, commit string, at time.Time, r rules) (changed, reviewed int, err error) {
	var dirs []string
	for dir := range s.dirs["proposals"] {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	since := at.Add(-yearSeconds * time.Second)
	args := []string{
		"log", "-z", "--no-mailmap", "--no-merges", "--no-renames", "--name-only", "--no-color", "--no-show-signature", "--no-notes",
		"--since=" + gitDate(v.from(since)), "--format=" + proposalFormat, "--end-of-options", commit, "--",
	}
	if err := v.needRange(ctx, commit, v.from(since), withBelow); err != nil {
		return 0, 0, err
	}
	t := proposalLog{pass: newPass(at, r), since: since.Unix(), at: at.Unix(), files: map[string]proposalChanges{}}
	err = v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		tokens := bufio.NewScanner(r)
		tokens.Buffer(make([]byte, 0, 64<<10), maxRecord)
		tokens.Split(splitNUL)
		for tokens.Scan() {
			t.token(strings.TrimPrefix(tokens.Text(), "\n"))
		}
		return tokens.Err()
	}, append(args, literal(dirs)...)...)
	return len(t.files), t.reviewed(s.gitreview != nil), err
}

// proposalLog gathers the changes of each proposal from the log of their directories.
type proposalLog struct {
	pass      *pass
	since, at int64
	inside    bool // the commit that is being read lies in the window
	now       features
	commits   int // in the window
	withID    int // of these, with a Change-Id
	files     map[string]proposalChanges
}

// proposalChanges counts the changes of one proposal that nobody reviewed by trailers; waiting are those with a Change-Id.
type proposalChanges struct{ waiting, unreviewed int }

// token takes the head of a commit, or the name of a file that it changed.
func (t *proposalLog) token(token string) {
	if head, ok := strings.CutPrefix(token, "\x1f"); ok {
		fields := strings.SplitN(head, "\x1f", 4)
		committed, err := strconv.ParseInt(fields[0], 10, 64)
		t.inside = err == nil && len(fields) == 4 && committed >= t.since && committed <= t.at
		if t.inside {
			author := []byte(fields[1] + "\x1f" + fields[2])
			t.now = t.pass.features(record{author: author, trailers: []byte(fields[3])}, identity{})
			t.commits++
			t.withID += one(t.now.changeID)
		}
		return
	}
	if _, ok := proposalDirectory(newFile(entry{path: token})); !ok || !t.inside {
		return
	}
	f := t.files[token]
	switch {
	case t.now.reviewed:
	case t.now.changeID:
		f.waiting++
	default:
		f.unreviewed++
	}
	t.files[token] = f
}

// reviewed counts the proposals of which every change was reviewed.
func (t *proposalLog) reviewed(gerrit bool) int {
	gerrit = gerrit && t.withID*100 >= gerritShare*t.commits
	n := 0
	for _, f := range t.files {
		n += one(f.unreviewed == 0 && (gerrit || f.waiting == 0))
	}
	return n
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
