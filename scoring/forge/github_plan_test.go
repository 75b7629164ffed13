package forge

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

var update = flag.Bool("update", false, "write docs/forge-plan.md anew")

// kinds are the sizes of projects that the plan is made for, and how many of a hundred are of each: most components of a
// cloud are libraries. Changes and issues are per year.
var kinds = []struct {
	name        string
	share, year int
}{{"quiet", 60, 20}, {"middling", 30, 300}, {"busy", 8, 1200}, {"huge", 2, 4000}}

// crowd makes a hundred projects of these kinds.
func crowd() (repos []*forgetest.Repo, projects []scoring.Project) {
	for _, k := range kinds {
		for i := range k.share {
			r := yearly(fmt.Sprintf("%s-%d", k.name, i), k.year)
			repos, projects = append(repos, r), append(projects, project("example/"+r.Name))
		}
	}
	return repos, projects
}

// yearly is a repository with n changes and n issues in the last year, a tenth of the issues still open, without a code of
// conduct and a security policy, so that every call for gaps is made.
func yearly(name string, n int) *forgetest.Repo {
	r := busy(name, 0)
	r.CodeOfConduct, r.SecurityPolicy, r.PrivateReports = "", false, no()
	for i := range n {
		at := today().Add(-time.Duration(i) * 365 * 24 * time.Hour / time.Duration(n))
		author, reviewer := forgetest.Who{Login: fmt.Sprintf("person-%d", i%23)}, forgetest.Who{Login: fmt.Sprintf("person-%d", (i+1)%23)}
		said := []forgetest.Remark{{At: at, By: reviewer, Review: true}, {At: at, By: robot}, {At: at, By: author}}
		r.Pulls = append(r.Pulls, forgetest.Pull{Created: at.Add(-time.Hour), Merged: at, Author: author, MergedBy: reviewer, Approvals: []forgetest.Who{reviewer}, Remarks: said, Checks: "SUCCESS"})
		issue := forgetest.Issue{Created: at.Add(-time.Hour), Closed: at, Author: author, Comments: said}
		if i%10 == 0 {
			issue.Closed = time.Time{}
		}
		r.Issues = append(r.Issues, issue)
	}
	for i := range min(n, 100) {
		r.Runs = append(r.Runs, forgetest.Run{Conclusion: "success", Event: "push", Created: today().Add(-time.Duration(i) * time.Hour)})
	}
	for i := range min(n/10, 20) {
		r.Releases = append(r.Releases, forgetest.Release{Tag: fmt.Sprintf("v1.%d.0", i), At: ago(i), Files: []string{"a.tar.gz", "a.tar.gz.asc", "SHA256SUMS"}})
	}
	return r
}

// measured is what a hundred projects took.
type measured struct {
	counts forgetest.Counts
	pages  [][]int // further pages of each list that has some, by project
}

// scaled is what n projects of the same mix take in queries and points. Pages are asked for in rounds: in each, one of
// every list that goes on.
func (m measured) scaled(t *testing.T, n int) (queries, points int) {
	t.Helper()
	for left := n; left > 0; left -= batchSize {
		q := batchQuery(addresses(min(left, batchSize)), ago(365))
		cost, _, err := forgetest.Cost(q.Query, q.Variables)
		if err != nil {
			t.Fatal(err)
		}
		queries, points = queries+1, points+cost
	}
	for round := 1; ; round++ {
		due := 0
		for i := range n {
			for _, pages := range m.pages[i%len(m.pages)] {
				due += one(pages >= round)
			}
		}
		if due == 0 {
			return queries, points
		}
		some := (due + pagesPerQuery - 1) / pagesPerQuery
		queries, points = queries+some, points+some
	}
}

// planText is docs/forge-plan.md.
func planText(t *testing.T, m measured) string {
	var b strings.Builder
	c := m.counts
	b.WriteString("# What asking GitHub costs\n\nThis page is generated: `go test ./scoring/forge -run TestThePlan -update`.\n\n")
	fmt.Fprintf(&b, "Pegel asks GitHub for %d repositories in one GraphQL query, reads long lists on in pages that many repositories share, and makes\nup to three REST calls per repository for what a query cannot answer. The numbers below are measured against the fake GitHub of\nthe tests (`scoring/forge/forgetest`), which charges by the formula of GitHub's documentation; the real GitHub may charge less.\n\n", batchSize)
	b.WriteString("Measured on a hundred made-up projects:\n\n| projects | changes a year | issues a year |\n|---:|---:|---:|\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %d %s | %d | %d |\n", k.share, k.name, k.year, k.year)
	}
	fmt.Fprintf(&b, "\nThey took %d queries, %d points, %d REST calls and %.1f MB of answers, uncompressed. More projects share the queries for\npages, so that the points per project fall:\n\n", c.Queries, c.Points, c.REST, float64(c.Bytes)/1e6)
	b.WriteString("| projects | tokens | queries | points | points per project | REST calls | GB of answers | hours of waiting for budgets | hours of asking, at most |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range []int{200, 1000, 5000} {
		queries, points := m.scaled(t, n)
		rest := c.REST * n / 100
		for _, tokens := range []int{1, 3, 10} {
			waiting := (max(points, rest) - 1) / (5000 * tokens)
			asking := float64(queries)*10/3600 + float64(rest)/900/60
			fmt.Fprintf(&b, "| %d | %d | %d | %d | %.2f | %d | %.2f | %d | %.1f |\n", n, tokens, queries, points, float64(points)/float64(n), rest, float64(c.Bytes)*float64(n)/100/1e9, waiting, asking)
		}
	}
	b.WriteString(`
How the hours are reckoned: a token has 5,000 points and 5,000 REST calls an hour. When every token is spent Pegel stops, says until
when, and a second run goes on from what was kept. Asking is reckoned with ten seconds for every query, one at a time (GitHub gives
up after that; most queries take far less), and 900 REST calls a minute. More tokens do not make it faster, they only spare the
waiting. A second run within the lifetime of the answers costs nothing where a cache keeps them; a REST call that GitHub answers with
304 is not charged.

Without a token Pegel makes one REST call per project, of which GitHub takes 60 an hour, and says what a token would settle.

Clones are not part of this table: git needs no token.
`)
	return b.String()
}

func TestThePlanIsWhatWasMeasured(t *testing.T) {
	repos, projects := crowd()
	g := forgetest.NewGitHub(t, repos...)
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		if e := s.collect(t, p.ID); e.Home.Value == nil || e.Changes.Value == nil || e.Runs.Value == nil {
			t.Fatalf("%s: %s%s%s", p.ID, e.Home.Failure, e.Changes.Failure, e.Runs.Failure)
		}
	}
	m := measured{counts: g.Counts(), pages: make([][]int, len(projects))}
	for _, r := range s.readers {
		if hub, ok := r.(*gitHub); ok {
			for i, p := range projects {
				a, _ := hub.served(p)
				loaded := hub.loaded[a.key()]
				m.pages[i] = []int{loaded.changes.pages - 1, loaded.touched.pages - 1, loaded.open.pages - 1}
			}
		}
	}
	// The arithmetic agrees with what was measured where it was measured, but for batches that failed: none here.
	if queries, points := m.scaled(t, len(projects)); queries != m.counts.Queries || points != m.counts.Points {
		t.Errorf("%d queries and %d points are reckoned, %d and %d were measured", queries, points, m.counts.Queries, m.counts.Points)
	}
	for _, n := range []int{200, 1000, 5000} {
		if _, points := m.scaled(t, n); points > n {
			t.Errorf("%d projects take %d points, want at most one each", n, points)
		}
	}
	const file = "../../docs/forge-plan.md"
	want := planText(t, m)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("docs/forge-plan.md is not what was measured (%v); run go test ./scoring/forge -run TestThePlan -update\n%s", err, want)
	}
}

// replaying answers each question as it was answered before.
type replaying struct {
	next http.RoundTripper
	mu   *sync.Mutex
	kept map[string]recorded
}

type recorded struct {
	status int
	header http.Header
	body   []byte
}

func (r replaying) RoundTrip(req *http.Request) (*http.Response, error) {
	var asked []byte
	if req.Body != nil {
		asked, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(asked))
	}
	key := req.URL.String() + string(asked)
	r.mu.Lock()
	old, ok := r.kept[key]
	r.mu.Unlock()
	if !ok {
		resp, err := r.next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		old = recorded{resp.StatusCode, resp.Header, body}
		r.mu.Lock()
		r.kept[key] = old
		r.mu.Unlock()
	}
	return &http.Response{StatusCode: old.status, Header: old.header.Clone(), Body: io.NopCloser(bytes.NewReader(old.body)), ContentLength: int64(len(old.body)), Request: req}, nil
}

// BenchmarkGitHub measures what a hundred projects cost on our side of the wire: asking, redacting, counting. The answers of
// the fake are replayed.
func BenchmarkGitHub(b *testing.B) {
	repos, projects := crowd()
	g := forgetest.NewGitHub(b, repos...)
	replay := replaying{g.Transport(), &sync.Mutex{}, map[string]recorded{}}
	now := func() time.Time { return today() }
	all := func() {
		c, err := New(Options{
			Client: &http.Client{Transport: scoring.Redacting{Next: replay, Names: scoring.NewPseudonymiser([]byte("key")), Now: now}},
			At:     today(), Now: now, Tokens: func(string) []string { return []string{"token"} },
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Prefetch(context.Background(), projects); err != nil {
			b.Fatal(err)
		}
		for _, p := range projects {
			if e, err := c.Collect(context.Background(), p, scoring.Evidence{}); err != nil || e.Home.Value == nil {
				b.Fatal(err, e.Home.Failure)
			}
		}
	}
	all()
	c := g.Counts()
	b.ResetTimer()
	for b.Loop() {
		all()
	}
	n := float64(len(projects))
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/n, "ms/project")
	b.ReportMetric(float64(c.Points)/n, "points/project")
	b.ReportMetric(float64(c.Queries+c.REST)/n, "calls/project")
	b.ReportMetric(float64(c.Bytes)/n/1000, "kB/project")
}
