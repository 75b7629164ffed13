//go:build live

package forge

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// TestTheRealGitHubAnswersAsTheFakeDoes asks github.com about a few projects: go test -tags live ./scoring/forge -run Real -v.
// PEGEL_GITHUB_TOKEN may hold a token; without one only the anonymous call is made.
func TestTheRealGitHubAnswersAsTheFakeDoes(t *testing.T) {
	var tokens []string
	if token := os.Getenv("PEGEL_GITHUB_TOKEN"); token != "" {
		tokens = []string{token}
	}
	transport := scoring.Redacting{Next: &http.Transport{Proxy: http.ProxyFromEnvironment}, Names: scoring.NewPseudonymiser(nil), Now: time.Now}
	c, err := New(Options{Client: &http.Client{Transport: transport, Timeout: time.Minute}, At: time.Now().UTC(), Tokens: func(string) []string { return tokens }})
	if err != nil {
		t.Fatal(err)
	}
	projects := []scoring.Project{project("kubernetes/kubernetes"), project("memcached/memcached"), project("ovn-org/ovn"), project("goharbor/harbor")}
	if err := c.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	for _, p := range projects {
		e, err := c.Collect(context.Background(), p, scoring.Evidence{})
		if err != nil || e.Home.Value == nil {
			t.Errorf("%s: %v %s", p.ID, err, e.Home.Failure)
			continue
		}
		t.Logf("%s: changes %q, runs %q, rules %q", p.ID, e.Changes.Failure, e.Runs.Failure, e.Rules.Failure)
	}
	t.Logf("spent: %+v", c.Spent())
}
