package upstream

import (
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Home is where a project works, and how that was found.
type Home struct {
	Repo  string         // the authoritative repository
	Steps []scoring.Step // from the address that the evidence is about to Repo; none: they are the same
}

// TrueHome returns where a project works, by what was read about the repository that evidence was gathered from: its
// .gitreview file, the forge's word that it is a mirror, the catalogue, and the table of mirrors and moves. Evidence that
// says nothing leaves the address as it is. A repository that says of itself that it is a mirror of a third one is
// followed once: that third one must be evaluated before more is believed.
func (c *Catalogue) TrueHome(p scoring.Project, e scoring.Evidence) Home {
	h := Home{Repo: e.Repo}
	if h.Repo == "" {
		h.Repo = p.Repo
	}
	if c.table == nil {
		return h
	}
	if at, origin, ok := c.table.gitreview(e); ok {
		h.step(at, ".gitreview", origin)
	} else if at, origin, ok := c.table.mirrorOf(e); ok {
		h.step(at, stepMirror, origin)
	}
	l := c.settled(scoring.Link{Repo: h.Repo})
	h.Steps = append(h.Steps, l.Steps...)
	h.Repo = l.Repo
	return h
}

func (h *Home) step(at place, what string, origin audit.Origin) {
	if !sameRepo(at.repo, h.Repo) {
		h.Steps = append(h.Steps, scoring.Step{What: what, Name: h.Repo, Origin: origin})
		h.Repo = at.repo
	}
}

// gitreview returns the repository behind the review server that a .gitreview file names.
func (t *table) gitreview(e scoring.Evidence) (at place, origin audit.Origin, ok bool) {
	tree, known := e.Tree.Get()
	host, project, cut := strings.Cut(tree.GerritProject, "/")
	row, served := t.gerrits[strings.ToLower(host)]
	if !known || !cut || !served {
		return place{}, origin, false
	}
	at, ok = t.repository(row.Repo+strings.TrimSuffix(project, ".git"), true)
	return at, audit.Origin{Source: "git", URL: e.Repo, Commit: e.Revision, Path: ".gitreview"}, ok
}

// mirrorOf returns the repository that the forge says this one is a mirror of.
func (t *table) mirrorOf(e scoring.Evidence) (at place, origin audit.Origin, ok bool) {
	home, known := e.Home.Get()
	address, mirror := home.MirrorOf.Get()
	if !known || !mirror || address == "" {
		return place{}, origin, false
	}
	if at, ok = t.repository(address, true); !ok {
		return place{}, origin, false
	}
	if len(home.MirrorOf.Origins) > 0 {
		origin = home.MirrorOf.Origins[0]
	} else if u, err := url.Parse(e.Repo); err == nil {
		origin = audit.Origin{Source: home.Forge, URL: u.String()}
	}
	return at, origin, true
}
