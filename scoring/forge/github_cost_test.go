package forge

import (
	"context"
	"fmt"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// busy is a repository with n pull requests and n issues, one of each a day, all of them merged or open.
func busy(name string, n int) *forgetest.Repo {
	r := &forgetest.Repo{Owner: "example", Name: name, Organisation: true, Created: ago(3000), Branch: "main", Licence: "MIT", CodeOfConduct: "other", SecurityPolicy: true}
	for i := range n {
		author := forgetest.Who{Login: fmt.Sprintf("person-%d", i%17)}
		reviewer := forgetest.Who{Login: fmt.Sprintf("person-%d", (i+1)%17)}
		said := []forgetest.Remark{{At: ago(i), By: reviewer, Review: true}}
		r.Pulls = append(r.Pulls, forgetest.Pull{Created: ago(i + 1), Merged: ago(i), Author: author, MergedBy: reviewer, Approvals: []forgetest.Who{reviewer}, Remarks: said, Checks: "SUCCESS"})
		r.Issues = append(r.Issues, forgetest.Issue{Created: ago(i + 1), Updated: ago(i), Author: author, Comments: []forgetest.Remark{{At: ago(i), By: reviewer}}})
	}
	for i := range min(n, 100) {
		r.Runs = append(r.Runs, forgetest.Run{Conclusion: "success", Event: "push", Created: ago(i)})
	}
	return r
}

func TestAQueryForTwentyFiveRepositoriesCostsAtMostOnePointEach(t *testing.T) {
	q := batchQuery(addresses(batchSize), ago(365))
	points, requests, err := forgetest.Cost(q.Query, q.Variables)
	if err != nil {
		t.Fatal(err)
	}
	if points > batchSize*2/3 {
		t.Errorf("a batch of %d costs %d points, want at most two thirds of one each: the rest is for pages of long lists", batchSize, points)
	}
	t.Logf("%d repositories: %d requests behind the query, %d points", batchSize, requests, points)
	pages := make([]page, pagesPerQuery)
	for i := range pages {
		pages[i] = allPages()[i%3]
	}
	q = pagesQuery(pages, ago(365))
	if points, _, err := forgetest.Cost(q.Query, q.Variables); err != nil || points != 1 {
		t.Errorf("%d further pages cost %d points, %v; want 1", pagesPerQuery, points, err)
	}
}

func TestTheFormulaOfCostsIsThatOfGitHubsDocumentation(t *testing.T) {
	// The example of "Rate limits and query limits for the GraphQL API": 1 + 100 + 100*50 requests are 51 points.
	const text = `query { viewer { repositories(first: 100) { edges { node { issues(first: 50) { totalCount edges { node { labels(first: 60) { nodes { name } } } } } } } } } }`
	points, requests, err := forgetest.Cost(text, nil)
	if err != nil || points != 51 || requests != 5101 {
		t.Errorf("got %d points for %d requests, %v; want 51 for 5101", points, requests, err)
	}
}

func TestPrefetchingSharesQueriesAndPagesAmongProjects(t *testing.T) {
	var repos []*forgetest.Repo
	var projects []scoring.Project
	for i := range 60 {
		r := busy(fmt.Sprintf("r%d", i), 10)
		if i == 7 || i == 50 {
			r = busy(r.Name, 450)
		}
		repos, projects = append(repos, r), append(projects, project("example/"+r.Name))
	}
	g := forgetest.NewGitHub(t, repos...)
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	if c := g.Counts(); c.Points > 60 || c.Queries > 8 || c.REST != 0 {
		t.Errorf("60 projects took %d queries, %d points and %d calls; want three batches and a few rounds of pages", c.Queries, c.Points, c.REST)
	}
	before := g.Counts().Queries
	for _, name := range []string{"example/r7", "example/r8"} {
		e := s.collect(t, name)
		changes, _ := e.Changes.Get()
		issues, _ := e.Issues.Get()
		want := 366
		if name == "example/r8" {
			want = 10
		}
		is(t, name+" merged", changes.Windows[2].Merged, min(want, 365))
		is(t, name+" opened issues", issues.Opened12m, min(want, 364))
	}
	if c := g.Counts(); c.Queries != before || c.REST != 2 {
		t.Errorf("collecting took %d further queries and %d calls; want none and one each for workflow runs", c.Queries-before, c.REST)
	}
	if spent := s.Spent(); spent.Points != g.Counts().Points || spent.Queries != g.Counts().Queries {
		t.Errorf("spent %+v, the server charged %+v", spent, g.Counts())
	}
}
