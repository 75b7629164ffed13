package openssf_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/openssf"
)

// refusing is the default transport of all tests here: nothing may be dialled.
type refusing struct{ tried atomic.Int32 }

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.tried.Add(1)
	return nil, fmt.Errorf("nobody may dial %s", req.URL.Host)
}

func TestMain(m *testing.M) {
	r := &refusing{}
	http.DefaultTransport, http.DefaultClient.Transport = r, r
	code := m.Run()
	if n := r.tried.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "the library tried to dial %d times\n", n)
		code = 1
	}
	os.Exit(code)
}

// memory is a Source that holds its files.
type memory struct {
	files   map[string]string // by path
	listed  []scoring.File    // instead of files, with contents by id
	data    map[string][]byte
	commits []scoring.Commit
	unread  error // of commits
	panics  string

	mu    sync.Mutex
	reads map[string]int
	open  int
}

func (m *memory) Files(context.Context) ([]scoring.File, error) {
	if m.listed != nil {
		return m.listed, nil
	}
	var out []scoring.File
	for path, text := range m.files {
		out = append(out, scoring.File{Path: path, ID: idOf(path), Size: int64(len(text))})
	}
	return out, nil
}

func idOf(path string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(path)))[:40] }

func (m *memory) Read(_ context.Context, id string, limit int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reads == nil {
		m.reads = map[string]int{}
	}
	m.reads[id]++
	if id == m.panics && id != "" {
		panic("the source broke")
	}
	data, ok := m.data[id]
	for path, text := range m.files {
		if idOf(path) == id {
			data, ok = []byte(text), true
		}
	}
	if !ok {
		return nil, errors.New("no such object")
	}
	if int64(len(data)) > limit {
		return nil, errors.New("the file is larger than the limit")
	}
	return data, nil
}

func (m *memory) Commits(_ context.Context, n int) ([]scoring.Commit, error) {
	return m.commits[:min(n, len(m.commits))], m.unread
}

func (m *memory) Close() error { m.open--; return nil }

var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const revision = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// commits makes n commits, one a day back from the moment of assessment.
func commits(n int, change func(i int, c *scoring.Commit)) []scoring.Commit {
	out := make([]scoring.Commit, n)
	for i := range out {
		out[i] = scoring.Commit{
			ID: fmt.Sprintf("%040x", i+1), Committed: at.AddDate(0, 0, -i), Message: "Change\n", Author: "a@example.org", Committer: "b@example.org",
		}
		if change != nil {
			change(i, &out[i])
		}
	}
	return out
}

func reviewed(_ int, c *scoring.Commit) { c.Reviewed = true }

const workflow = `on: push
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
      - run: go test ./...
`

// tidy is a repository that does what the checks on files ask for; the shapes follow docs/checks.md of the library.
func tidy() map[string]string {
	return map[string]string{
		".github/workflows/ci.yml": workflow,
		".github/workflows/codeql.yml": workflow + `      - uses: github/codeql-action/analyze@4e828ff8d448a8a6e532957b1811f387a63867e8
`,
		".github/dependabot.yml": "version: 2\n",
		"LICENSE":                "MIT License\n",
		"SECURITY.md":            "Report vulnerabilities to https://example.org/report. We answer within 14 days and disclose after 90 days.\n",
		"main.go":                "package main\n",
		"main_test.go":           "package main\n\nfunc FuzzMain(f *testing.F) {}\n",
		"Dockerfile":             "FROM example.org/base@sha256:4b825dc642cb6eb9a060e54bf8d69288fbee49044b825dc642cb6eb9a060e54b\n",
	}
}

// bare is a repository that does nothing of it.
func bare() map[string]string {
	return map[string]string{"README": "A program.\n", "main.py": "print()\n"}
}

// observed is a fact of a forge.
func observed[T any](v T) audit.Fact[T] {
	return audit.Known(v, audit.Origin{Source: "forge", URL: "https://forge.example.org/"}).Graded(audit.GradeForge, at, audit.Month)
}

// onlyGit is evidence of a repository that was cloned and of which nothing else is known.
func onlyGit(repo string) scoring.Evidence {
	return scoring.Evidence{Repo: repo, Revision: revision, RevisionAt: at, AssessedAt: at}
}

// good is evidence of a project that does everything, with every fact known.
func good(repo, forge string) scoring.Evidence {
	e := onlyGit(repo)
	e.Home = observed(scoring.Home{
		Forge: forge, Archived: audit.Known(false), Created: audit.Known(at.AddDate(-5, 0, 0)), Security: audit.Known(false),
		DefaultBranch: audit.Known("main"),
		Releases: audit.Known([]scoring.Published{
			{Tag: "v2", At: at, Assets: map[string]int{"other": 2, "signature": 2, "provenance": 1}},
			{Tag: "v1", At: at, Assets: map[string]int{"other": 2, "provenance": 1}},
		}),
	})
	e.Changes = observed(scoring.Changes{Forge: forge, Windows: []scoring.ChangeWindow{
		{Months: 12, Sample: 50, Reviewed: audit.Known(50), Gated: audit.Known(50)},
	}})
	e.Issues = observed(scoring.Issues{Answered: audit.Known(5), Sample: 5, Whole: true})
	e.Rules = observed(scoring.Rules{ForcePush: audit.Known(false), ReviewRequired: audit.Known(true), ChecksRequired: audit.Known(true)})
	e.Badge = observed(scoring.Badge{Level: "passing", Percent: 100, Project: 1})
	e.Advisories = observed(scoring.Advisories{Feed: "osv", Deployed: map[string][]scoring.Advisory{"1.0": {{ID: "EXAMPLE-1", Fixed: "1.1"}}}})
	e.History = observed(scoring.History{FirstCommit: at.AddDate(-6, 0, 0), Windows: []scoring.Window{
		{Months: 24, HumanCommits: 900, TopOrg: "Example", ElephantLow: 3, OutsideAuthorsLow: 9},
	}})
	e.Team = observed(scoring.Team{Members: audit.Known(5)})
	return e
}

const (
	onGitHub = "https://github.com/example/project"
	onGerrit = "https://opendev.org/example/project"
)

// collect runs all checks.
func collect(t testing.TB, m *memory, e scoring.Evidence, change func(*openssf.Options)) scoring.Evidence {
	t.Helper()
	o := openssf.Options{Source: func(context.Context, scoring.Project, string) (openssf.Source, error) { m.open++; return m, nil }}
	if change != nil {
		change(&o)
	}
	c, err := openssf.New(o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Collect(t.Context(), scoring.Project{ID: "example", Repo: e.Repo, Versions: []string{"1.0"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checksOf(t testing.TB, e scoring.Evidence) scoring.Checks {
	t.Helper()
	c, ok := e.Checks.Get()
	if !ok {
		t.Fatalf("the checks are not known: %s", e.Checks.Failure)
	}
	return c
}

// scores returns the score of each check; a skipped one has none.
func scores(c scoring.Checks) map[string]int {
	out := map[string]int{}
	for _, r := range c.Results {
		out[r.Name] = r.Score
	}
	return out
}

func fuzzed(v bool) func(*openssf.Options) {
	return func(o *openssf.Options) {
		o.OSSFuzz = func(context.Context, scoring.Project) audit.Fact[bool] { return observed(v) }
	}
}

func names(c scoring.Checks) []string {
	var out []string
	for _, r := range c.Results {
		out = append(out, r.Name)
	}
	for name := range c.Skipped {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
