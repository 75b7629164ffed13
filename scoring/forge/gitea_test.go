package forge

import (
	"fmt"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

func giteaTown() (scoring.Project, *forgetest.Gitea, forgetest.Hosts) {
	g := &forgetest.Gitea{Tale: tale(), Project: "example/town", Limit: 3}
	return scoring.Project{ID: "town", Repo: "https://git.example.org/example/town"}, g, forgetest.Hosts{"git.example.org": g}
}

func TestGiteaTellsTheSameTale(t *testing.T) {
	p, _, hosts := giteaTown()
	e, seen := collect(t, hosts, p, scoring.Evidence{}, nil)
	c := value(t, "changes", e.Changes)
	if got, want := numbers(t, c.Windows[2]), "12 3 true 6 4 5 2 1 2 2 2"; got != want {
		t.Errorf("12 months\n got %s\nwant %s", got, want)
	}
	if a, u := value(t, "answered", c.Windows[0].Answered), value(t, "unanswered", c.Windows[0].Unanswered); a != 3 || u != 1 || value(t, "open", c.Open) != 1 {
		t.Errorf("answered %d, unanswered %d, open %v; want 3, 1, 1: who was asked for a review has not answered", a, u, c.Open.Value)
	}
	h := value(t, "home", e.Home)
	if value(t, "archived", h.Archived) || value(t, "mirror", h.MirrorOf) != "" || value(t, "licence", h.Licence) != "Apache-2.0" || value(t, "owner", h.OwnerKind) != "organisation" || value(t, "newcomers", h.Newcomers) != 1 {
		t.Errorf("home %+v", h)
	}
	if got := fmt.Sprint(value(t, "releases", h.Releases)[0].Assets); got != "map[checksum:1 other:1 sbom:1 signature:1]" {
		t.Errorf("files of the newest release: %s", got)
	}
	r := value(t, "rules", e.Rules)
	if r.ForcePush.Unknown() != audit.DNF || !value(t, "review", r.ReviewRequired) || !value(t, "checks", r.ChecksRequired) {
		t.Errorf("rules %+v", r)
	}
	checkTickets(t, value(t, "issues", e.Issues))
	checkRuns(t, value(t, "runs", e.Runs))
	noSecrets(t, e, seen)
}

func TestAMirrorAndAPersonsRepositoryAreSeen(t *testing.T) {
	p, g, hosts := giteaTown()
	g.Mirror, g.Person = "https://token:secret@code.example.org/town.git", true
	e, _ := collect(t, hosts, p, scoring.Evidence{}, nil)
	h := value(t, "home", e.Home)
	if m := value(t, "mirror", h.MirrorOf); m != "https://code.example.org/town.git" || value(t, "owner", h.OwnerKind) != "person" {
		t.Errorf("mirror of %q, owner %v", m, h.OwnerKind.Value)
	}
}

func TestOpenDevsGiteaTellsAboutTheRepositoryOnly(t *testing.T) {
	p, known := openStack()
	e, _ := collect(t, openDev(), p, known, nil)
	if h := value(t, "home", e.Home); h.Forge != "gitea" || h.Name != "openstack/town" {
		t.Errorf("home %+v", h)
	}
	if c, i, r := value(t, "changes", e.Changes), value(t, "issues", e.Issues), value(t, "runs", e.Runs); c.Forge != "gerrit" || i.Tracker != "launchpad" || r.System != "zuul" {
		t.Errorf("changes from %s, issues from %s, runs from %s", c.Forge, i.Tracker, r.System)
	}
}
