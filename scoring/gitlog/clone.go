package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// ErrTooLarge says that a file has more bytes than the caller wants to read.
var ErrTooLarge = errors.New("the file is larger than the limit")

// ErrAbsent says that the clone lacks a file, and that no server could give it.
var ErrAbsent = errors.New("the clone lacks the file")

// Bounds of what is handed to other collectors.
const (
	maxHanded        = 10_000   // commits
	maxHandedMessage = 64 << 10 // bytes of one message
)

// Clone is one repository at one revision, open for collectors that need more than the facts: its files, contents, commits
// and tags. It is safe for concurrent use, and it ends with the context that opened it. Close removes what it made.
type Clone struct {
	Repo       string    // address, never a path of this machine
	Revision   string    // commit
	RevisionAt time.Time // its committer time
	AssessedAt time.Time
	// Local says that the clone lies on this machine: nobody asked the server of the repository.
	Local bool

	collector *Collector
	view      *view
	source    source
	contents  reading

	tagging sync.Mutex
	tagged  []tag // nil until somebody asks
}

// Open finds the clone of a project like Collect does, and opens it at a revision: a branch, tag or commit id; empty for
// the newest commit of the default branch at the moment of assessment.
func (c *Collector) Open(ctx context.Context, p scoring.Project, revision string) (*Clone, error) {
	name := orText(publicURL(p.Repo), p.ID)
	s, err := c.find(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("opening the repository of %q: %w", name, err)
	}
	e := scoring.Evidence{Repo: name}
	if !c.options.AtHead {
		e.AssessedAt = c.options.At.UTC()
	}
	v, _, err := c.openAt(ctx, s, revision, &e)
	if err == nil {
		err = v.needTrees(ctx, e.Revision)
	}
	if err != nil {
		if v != nil {
			v.close()
		}
		return nil, fmt.Errorf("opening the repository of %q: %w", name, err)
	}
	clone := &Clone{Repo: name, Revision: e.Revision, RevisionAt: e.RevisionAt, AssessedAt: e.AssessedAt, Local: s.ours == "", collector: c, view: v, source: s}
	clone.contents.start = func() (*exec.Cmd, error) {
		cmd := v.git.command(ctx, v.dir, false, "cat-file", "--batch-command")
		return cmd, nil
	}
	return clone, nil
}

// openAt makes a view of a clone and moves it to a revision. The view is returned also with an error about the revision.
func (c *Collector) openAt(ctx context.Context, s source, rev string, e *scoring.Evidence) (v *view, branch string, err error) {
	parent := os.TempDir()
	if c.options.CacheDir != "" {
		parent = filepath.Join(c.options.CacheDir, "views")
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return nil, "", errors.New("the cache directory cannot be written")
		}
	}
	c.swept.Do(func() { sweep(parent) })
	if v, err = c.git.openView(s.clone, parent); err != nil {
		return nil, "", err
	}
	v.promise = c.fetchObjects(s)
	tip, branch, err := v.resolve(rev)
	if err == nil {
		err = v.checkRevision(ctx, rev, tip, branch, e.AssessedAt)
	}
	if err != nil {
		return v, "", err
	}
	return v, branch, c.settleRevision(ctx, v, e, tip)
}

// Close ends git and removes the view.
func (c *Clone) Close() error {
	err := c.contents.close()
	c.view.close()
	return err
}

// Files lists the regular files at the revision in the order of git. Symbolic links and submodules are left out. Paths are
// valid UTF-8, so read files by their id.
func (c *Clone) Files(ctx context.Context) ([]scoring.File, error) {
	var files []scoring.File
	err := c.view.listLong(ctx, c.Revision, maxFiles, func(e entry) error {
		if e.regular() {
			files = append(files, scoring.File{
				Path: strings.ToValidUTF8(e.path, "\uFFFD"), ID: e.id, Size: e.size, Executable: e.mode == "100755",
			})
		}
		return nil
	})
	return files, err
}

// Fetch asks the server of a partial clone for the files that it lacks, all in one request, so that Read need not ask for
// them one by one. It does nothing for a clone of somebody else and where the run is offline.
func (c *Clone) Fetch(ctx context.Context, ids []string) error {
	if c.view.promise == nil || len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		if !isObjectID(id) {
			return fmt.Errorf("fetching files: %q is no object id", clip(printable(id), 80))
		}
	}
	_, missing, err := c.view.sizes(ctx, ids, 0)
	if err != nil || len(missing) == 0 {
		return err
	}
	return c.view.want(ctx, alone, missing)
}

// Read returns the contents of a file by object id. It fails with ErrTooLarge before anything is unpacked if there are more
// than limit bytes, and with ErrAbsent if a partial clone lacks the file. All reads share one git process.
func (c *Clone) Read(ctx context.Context, id string, limit int64) ([]byte, error) {
	if !isObjectID(id) {
		return nil, fmt.Errorf("reading a file: %q is no object id", clip(printable(id), 80))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := c.contents.read(id, limit)
	if errors.Is(err, ErrAbsent) && c.view.promise != nil && !c.collector.options.Offline {
		if err := c.view.want(ctx, alone, []string{id}); err != nil {
			return nil, err
		}
		data, err = c.contents.read(id, limit)
	}
	return data, err
}

// Tags lists the tags that lead to a commit of the clone, in the order of their names: those made until the moment of
// assessment, or all where every clone is judged at its own head.
func (c *Clone) Tags(ctx context.Context) ([]scoring.Tag, error) {
	all, err := c.view.tags(ctx)
	if err != nil {
		return nil, err
	}
	all = c.collector.seenTags(all, c.AssessedAt)
	out := make([]scoring.Tag, len(all))
	for i, t := range all {
		out[i] = scoring.Tag{Name: t.name, Commit: t.commit, At: moment(t.created)}
	}
	return out, nil
}

// Commits returns the newest commits, merges included, newest first: at most n, and none after the moment of assessment.
// Reviewed follows the rules of the history (see the comment of the package).
func (c *Clone) Commits(ctx context.Context, n int) ([]scoring.Commit, error) {
	n = min(n, maxHanded)
	if err := c.view.fetchMailmap(ctx, c.Revision); err != nil {
		return nil, err
	}
	gerrit, err := c.view.holds(ctx, c.Revision, ".gitreview")
	if err != nil {
		return nil, err
	}
	p := newPass(c.AssessedAt, c.collector.rules)
	if err := c.view.loadNotes(ctx, p); err != nil {
		return nil, err
	}
	h := handed{pass: p, limit: n, gerrit: gerrit}
	if err := c.view.git.stream(ctx, c.view.dir, nil, h.read, logArgs(c.Revision)...); err != nil {
		return nil, err
	}
	return h.settle(ctx, c.view)
}

// handed collects commits for other collectors.
type handed struct {
	pass      *pass
	limit     int
	gerrit    bool // the tree has a .gitreview file
	commits   []scoring.Commit
	changeIDs []bool // of commits: it has a Change-Id
	notes     []notedCommit
	noted     []int // of notes: the index in commits

	humans, withID int // human commits of 24 months, and those with a Change-Id
}

// read stops when it has enough; behind Gerrit it reads on for 24 months, because the share of Change-Ids decides.
func (h *handed) read(r io.Reader) error {
	records := newRecordReader(r)
	whole := spanSeconds(len(spans) - 1)
	for {
		line, err := records.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
		c, ok := parseRecord(line)
		age := h.pass.at - c.committed
		if !ok || age < 0 {
			continue
		}
		if len(h.commits) >= h.limit && (!h.gerrit || age > whole+int64(clockSlack/time.Second)) {
			return errStop
		}
		h.add(c, age <= whole)
	}
}

func (h *handed) add(c record, inside bool) {
	author := h.pass.people.lookup(c.author)
	merge := bytes.IndexByte(c.parents, ' ') >= 0
	var f features
	if !author.bot && !merge {
		f = h.pass.features(c, author)
		h.humans += one(inside)
		h.withID += one(inside && f.changeID)
	}
	if len(h.commits) >= h.limit {
		return
	}
	if note := h.pass.notes[string(c.hash)]; note != "" && !author.bot && !merge && !f.reviewed {
		h.notes, h.noted = append(h.notes, notedCommit{note: note, author: author.person}), append(h.noted, len(h.commits))
	}
	h.changeIDs = append(h.changeIDs, f.changeID)
	h.commits = append(h.commits, scoring.Commit{
		ID: string(c.hash), Committed: moment(c.committed), Merge: merge, AuthorIsBot: author.bot, Reviewed: f.reviewed,
		Message: strings.ToValidUTF8(string(c.message[:min(len(c.message), maxHandedMessage)]), "\uFFFD"),
		Author:  addressIn(c.author), Committer: addressIn(c.committer),
	})
}

// addressIn returns the address of "address, separator, name" in lower case.
func addressIn(spelling []byte) string {
	address, _, _ := bytes.Cut(spelling, []byte{fieldSeparator})
	return strings.ToLower(strings.ToValidUTF8(string(address), "\uFFFD"))
}

// settle adds the reviews that are known only at the end.
func (h *handed) settle(ctx context.Context, v *view) ([]scoring.Commit, error) {
	if h.gerrit && h.humans > 0 && h.withID*100 >= gerritShare*h.humans {
		for i := range h.commits {
			h.commits[i].Reviewed = h.commits[i].Reviewed || h.changeIDs[i]
		}
	}
	ids := make([]string, len(h.notes))
	for i, n := range h.notes {
		ids[i] = n.note
	}
	texts, err := v.blobs(ctx, ids, maxNoteSize)
	for i, n := range h.notes {
		if h.pass.approved(texts[n.note], n.author) {
			h.commits[h.noted[i]].Reviewed = true
		}
	}
	return h.commits, err
}

// reading reads objects through one git cat-file process, one at a time.
type reading struct {
	mu     sync.Mutex
	start  func() (*exec.Cmd, error)
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	broken error // why nothing more can be read
}

// read asks for the size first, so that a large object is never unpacked.
func (c *reading) read(id string, limit int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.run(); err != nil {
		return nil, err
	}
	o, err := c.ask("info", id, 0)
	switch {
	case err != nil:
		return nil, err
	case o.missing:
		return nil, ErrAbsent
	case o.kind != "blob":
		return nil, fmt.Errorf("reading a file: object %s is a %s", id, o.kind)
	case o.size > limit:
		return nil, ErrTooLarge
	case o.size == 0:
		return []byte{}, nil
	}
	o, err = c.ask("contents", id, o.size)
	if err == nil && o.missing {
		err = ErrAbsent
	}
	return o.data, err
}

// ask sends one command and reads its answer; after a failure nothing more is read, since the answers may be out of step.
func (c *reading) ask(command, id string, limit int64) (object, error) {
	_, err := io.WriteString(c.in, command+" "+id+"\n")
	var o object
	if err == nil {
		o, err = readObject(c.out, limit)
	}
	if err != nil {
		c.broken = fmt.Errorf("reading files: %w", err)
		return object{}, c.broken
	}
	return o, nil
}

func (c *reading) run() error {
	if c.broken != nil || c.cmd != nil {
		return c.broken
	}
	cmd, err := c.start()
	if err == nil {
		c.in, err = cmd.StdinPipe()
	}
	var out io.ReadCloser
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.broken = fmt.Errorf("starting git: %w", err)
		return c.broken
	}
	c.cmd, c.out = cmd, bufio.NewReaderSize(out, 64<<10)
	return nil
}

// close ends the process by closing its input.
func (c *reading) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = errors.New("reading files: the repository was closed")
	}
	if c.cmd == nil {
		return nil
	}
	_ = c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		c.cmd = nil
		return fmt.Errorf("ending git: %w", err)
	}
	c.cmd = nil
	return nil
}
