package gitlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// now is the moment of assessment of all tests.
var now = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// at returns a moment so many days before now.
func at(days int) int64 { return now.Unix() - int64(days)*86400 }

// needGit skips a test by name where git is missing; a build server must have it.
func needGit(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("git is not installed")
	}
	t.Skip("git is not installed")
}

// runGit runs git with a clean environment and returns its output.
func runGit(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "TZ=UTC", "GIT_ALLOW_PROTOCOL=file",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org",
		fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", at(1)), fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", at(1)),
	}
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

// repo builds a repository commit by commit through git fast-import, so that every byte and date is chosen by the test.
type repo struct {
	stream bytes.Buffer
	marks  int
	tips   map[string]int
}

func newRepo() *repo { return &repo{tips: map[string]int{}} }

// change is one commit of a test.
type testCommit struct {
	branch    string // default master
	when      int64
	author    string // "Name <address>"; default ana
	committer string // default: the author
	offset    string // default +0000
	message   string
	files     map[string]string // path to contents; "" removes; "->x" makes a symbolic link; "@" a submodule
	modes     map[string]string
	merge     []int // marks of further parents
	from      int   // mark of the first parent; default: the tip of the branch; -1: none
}

const (
	ana  = "Ana Ito <ana@redhat.com>"
	ben  = "Ben Oku <ben@suse.com>"
	cleo = "Cleo Pax <cleo@gmail.com>"
	dina = "Dina Roe <dina@vanity-dina.ch>"
	bot  = "renovate[bot] <bot@renovate.example.org>"
)

// commit adds a commit and returns its mark.
func (r *repo) commit(c testCommit) int {
	if c.branch == "" {
		c.branch = "master"
	}
	if c.author == "" {
		c.author = ana
	}
	if c.committer == "" {
		c.committer = c.author
	}
	if c.offset == "" {
		c.offset = "+0000"
	}
	if c.message == "" {
		c.message = "Change something"
	}
	r.marks++
	fmt.Fprintf(&r.stream, "commit refs/heads/%s\nmark :%d\nauthor %s %d %s\ncommitter %s %d %s\ndata %d\n%s\n",
		c.branch, r.marks, c.author, c.when, c.offset, c.committer, c.when, c.offset, len(c.message), c.message)
	parent := c.from
	if parent == 0 {
		parent = r.tips[c.branch]
	}
	if parent > 0 {
		fmt.Fprintf(&r.stream, "from :%d\n", parent)
	}
	for _, m := range c.merge {
		fmt.Fprintf(&r.stream, "merge :%d\n", m)
	}
	r.files(c)
	r.tips[c.branch] = r.marks
	return r.marks
}

func (r *repo) files(c testCommit) {
	var names []string
	for name := range c.files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		text, mode := c.files[name], "100644"
		if m := c.modes[name]; m != "" {
			mode = m
		}
		target, link := strings.CutPrefix(text, "->")
		switch {
		case text == "":
			fmt.Fprintf(&r.stream, "D %q\n", name)
		case text == "@":
			fmt.Fprintf(&r.stream, "M 160000 %s %q\n", strings.Repeat("1", 40), name)
		case link:
			fmt.Fprintf(&r.stream, "M 120000 inline %q\ndata %d\n%s\n", name, len(target), target)
		default:
			fmt.Fprintf(&r.stream, "M %s inline %s\ndata %d\n%s\n", mode, quotePath(name), len(text), text)
		}
	}
	r.stream.WriteString("\n")
}

// quotePath quotes a path for fast-import, byte by byte.
func quotePath(name string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		if c := name[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03o", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + `"`
}

// tag adds an annotated tag; signed ones carry a signature block.
func (r *repo) tag(name string, mark int, when int64, signed bool) {
	text := "version " + name + "\n"
	if signed {
		text += "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
	}
	fmt.Fprintf(&r.stream, "tag %s\nfrom :%d\ntagger %s %d +0000\ndata %d\n%s\n", name, mark, ana, when, len(text), text)
}

// ref points a ref at a commit, e.g. a lightweight tag.
func (r *repo) ref(name string, mark int) {
	fmt.Fprintf(&r.stream, "reset %s\nfrom :%d\n\n", name, mark)
}

// build writes a bare repository at dir.
func (r *repo) build(t testing.TB, dir string) string {
	t.Helper()
	needGit(t)
	runGit(t, "", "init", "--quiet", "--bare", "--initial-branch=master", "--template=", dir)
	runGit(t, r.stream.String(), "--git-dir="+dir, "fast-import", "--quiet", "--date-format=raw-permissive")
	return dir
}

// mirror writes the repository below a mirror directory, where https://git.example.org/sample/sample is looked for.
func (r *repo) mirror(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	r.build(t, filepath.Join(dir, "sample+sample", "repo"))
	return dir
}

const sampleURL = "https://git.example.org/sample/sample"

// classify recognises the licences of tests by their first word.
func classify(text []byte) (string, int, bool) {
	word, _, _ := strings.Cut(string(text), " ")
	switch word {
	case "MIT", "Apache-2.0", "BUSL-1.1":
		return word, 100, true
	}
	return "", 0, false
}

func newCollector(t testing.TB, o Options) *Collector {
	t.Helper()
	needGit(t)
	if o.At.IsZero() && !o.AtHead {
		o.At = now
	}
	if o.Classify == nil {
		o.Classify = classify
	}
	c, err := New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return c
}

// collect builds a mirror of r and collects the sample project.
func collect(t testing.TB, r *repo, versions ...string) scoring.Evidence {
	t.Helper()
	c := newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true})
	return mustCollect(t, c, versions...)
}

func mustCollect(t testing.TB, c *Collector, versions ...string) scoring.Evidence {
	t.Helper()
	e, err := c.Collect(context.Background(), scoring.Project{ID: "sample", Repo: sampleURL, Versions: versions}, scoring.Evidence{})
	if err != nil {
		t.Fatalf("Collect: %v", err)
	}
	return e
}

func historyOf(t testing.TB, e scoring.Evidence) scoring.History {
	t.Helper()
	h, ok := e.History.Get()
	if !ok {
		t.Fatalf("history is unknown: %s %s", e.Failure, e.History.Failure)
	}
	return h
}

func treeOf(t testing.TB, e scoring.Evidence) scoring.Tree {
	t.Helper()
	tree, ok := e.Tree.Get()
	if !ok {
		t.Fatalf("tree is unknown: %s %s", e.Failure, e.Tree.Failure)
	}
	return tree
}

func releasesIn(t testing.TB, e scoring.Evidence) scoring.Releases {
	t.Helper()
	r, ok := e.Releases.Get()
	if !ok {
		t.Fatalf("releases are unknown: %s %s", e.Failure, e.Releases.Failure)
	}
	return r
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("Marshal: %v", err)
	}
	return string(b)
}
