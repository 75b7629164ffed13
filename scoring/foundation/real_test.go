package foundation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// realClones reads the real registries from clones that somebody made: PEGEL_REGISTRIES names a directory that holds them
// as owner+name/repo, bare. Without it the test is skipped: what the registries say today is no matter of this repository.
func realClones(t *testing.T) (scoring.ReadFile, time.Time) {
	dir := os.Getenv("PEGEL_REGISTRIES")
	if dir == "" {
		t.Skip("PEGEL_REGISTRIES names no directory with clones of the registries")
	}
	at := time.Now()
	return func(ctx context.Context, repo, path string) ([]byte, audit.Origin, error) {
		parts := strings.Split(repo, "/")
		bare := filepath.Join(dir, strings.Join(parts[len(parts)-2:], "+"), "repo")
		head, err := exec.CommandContext(ctx, "git", "--git-dir="+bare, "log", "-1", "--format=%H %cI").Output()
		if err != nil {
			return nil, audit.Origin{}, errors.New("no clone")
		}
		commit, when, _ := strings.Cut(strings.TrimSpace(string(head)), " ")
		moment, err := time.Parse(time.RFC3339, when)
		if err != nil {
			return nil, audit.Origin{}, err
		}
		data, err := exec.CommandContext(ctx, "git", "--git-dir="+bare, "show", commit+":"+path).Output()
		if err != nil {
			return nil, audit.Origin{}, fmt.Errorf("no such file: %w", fs.ErrNotExist)
		}
		return data, audit.Origin{Source: "git", URL: repo, Commit: commit, Path: path, Digest: audit.DigestOf(data), At: moment.UTC()}, nil
	}, at
}

func TestTheRealRegistriesAreRead(t *testing.T) {
	read, at := realClones(t)
	c, err := New(Options{Read: read, At: at})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, tt := range []struct{ repo, foundation, team, level string }{
		{"https://opendev.org/openstack/nova", "OpenInfra", "nova", "official"},
		{"https://opendev.org/openstack/kolla-ansible", "OpenInfra", "kolla", "official"},
		{"https://opendev.org/openstack/ironic", "OpenInfra", "ironic", "official"},
		{"https://opendev.org/openstack/monasca-api", "OpenInfra", "", "retired"},
		{"https://github.com/kubernetes/kubernetes", "CNCF", "Kubernetes", "graduated"},
		{"https://github.com/rook/rook", "CNCF", "Rook", "graduated"},
		{"https://github.com/keycloak/keycloak", "CNCF", "Keycloak", "incubating"},
		{"https://github.com/prometheus/prometheus", "CNCF", "Prometheus", "graduated"},
		{"https://github.com/apache/zookeeper", "ASF", "Apache ZooKeeper", "top-level"},
	} {
		e, err := c.Collect(t.Context(), scoring.Project{Name: tt.repo, Repo: tt.repo, Foundation: tt.foundation}, scoring.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		g, ok := e.Governance.Get()
		level, _ := g.Level.Get()
		if !ok || g.Team != tt.team || level != tt.level {
			t.Errorf("%s: team %q, level %q, %q; want %q, %q", tt.repo, g.Team, level, e.Governance.Failure, tt.team, tt.level)
		}
		lead, _ := g.Leadership.Get()
		t.Logf("%s: %s; led: %s%s; vacancies %v; since %v; audit %v", tt.repo, steps(g), lead, g.Leadership.Failure, g.Vacancies.Value, g.LevelSince.Value, g.LastAudit.Value)
	}
	t.Logf("nine projects in %s", time.Since(began).Round(time.Millisecond))
}

// TestTheRealRegistriesKnowTheCatalogue shows for how many components of the catalogue each registry says something.
func TestTheRealRegistriesKnowTheCatalogue(t *testing.T) {
	read, at := realClones(t)
	c, err := New(Options{Read: read, At: at})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../upstream/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root, err := scoring.ReadYAML(data)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for x := range root.Get("components").Items() {
		names[x.Get("id").Text()] = x.Get("name").Text()
	}
	counts := map[string]int{}
	for x := range root.Get("components").Items() {
		g := x.Get("governance")
		p := scoring.Project{ID: x.Get("id").Text(), Name: x.Get("name").Text(), Repo: x.Get("repo").Text(), Mirror: x.Get("mirror").Text(), Foundation: g.Get("foundation").Text()}
		if p.Registry = g.Get("project_team").Text(); p.Registry == "" {
			p.Registry = names[g.Get("part_of").Text()]
		}
		e, err := c.Collect(t.Context(), p, scoring.Evidence{})
		if err != nil {
			t.Fatal(err)
		}
		known, ok := e.Governance.Get()
		listed, told := known.Listed.Get()
		switch {
		case !ok:
			counts[p.Foundation+": unknown"]++
			t.Logf("%s (%s): %s", p.ID, p.Foundation, e.Governance.Failure)
		case !told:
			counts[p.Foundation+": catalogue only"]++
		case !listed:
			counts[p.Foundation+": not listed"]++
			if p.Foundation != "none" {
				t.Logf("%s (%s, %s): not listed", p.ID, p.Foundation, p.Repo)
			}
		default:
			counts[p.Foundation+": listed by "+known.Foundation]++
			if p.Foundation == "none" {
				t.Logf("%s: listed by %s, the catalogue says none", p.ID, known.Foundation)
			}
		}
	}
	for what, n := range counts {
		t.Logf("%3d %s", n, what)
	}
}
