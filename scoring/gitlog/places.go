package gitlog

import (
	"context"
	"errors"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Bounds of the further repositories of one project.
const (
	maxSisters = 20 // addresses remembered of a README
	maxPlaces  = 4  // repositories read
)

// placeName matches the names of repositories in which projects keep rules and plans: goharbor/community,
// kubernetes/enhancements, openstack/nova-specs, etcd-io/.github. A README often names many others of its owner, which are
// not read.
var placeName = regexp.MustCompile(`^(?:community|governance|steering(?:-committee)?|toc|tsc|enhancements?|proposals?|rfcs?|design(?:-proposals|-docs)?|roadmap|security|\.github|.*-(?:community|governance|specs|rfcs|proposals|enhancements))$`)

// sister returns the address of another repository of the same owner that a link leads into; empty if it leads elsewhere.
func sister(own string, link *url.URL) string {
	home, err := url.Parse(own)
	if err != nil || link.Scheme != "https" || !strings.EqualFold(home.Host, link.Host) || link.Port() != "" {
		return ""
	}
	owner, name := path.Split(strings.TrimSuffix(strings.Trim(home.Path, "/"), ".git"))
	parts := strings.Split(strings.Trim(link.Path, "/"), "/")
	depth := strings.Count(owner, "/")
	if owner == "" || len(parts) <= depth || !strings.EqualFold(strings.Join(parts[:depth], "/")+"/", owner) {
		return ""
	}
	other := strings.TrimSuffix(parts[depth], ".git")
	if other == "" || strings.EqualFold(other, name) || !repoName.MatchString(other) {
		return ""
	}
	return "https://" + strings.ToLower(link.Host) + "/" + owner + other
}

var repoName = regexp.MustCompile(`^\.?[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// placesOf lists the further repositories of a project that are read, those of the catalogue first.
func placesOf(p scoring.Project, e scoring.Evidence) []scoring.Place {
	var out []scoring.Place
	add := func(repo, named string) {
		same := func(o scoring.Place) bool { return strings.EqualFold(o.Repo, repo) }
		if public := publicURL(repo); public != "" && !strings.EqualFold(public, e.Repo) && len(out) < maxPlaces && !slices.ContainsFunc(out, same) {
			out = append(out, scoring.Place{Repo: public, Named: named})
		}
	}
	for _, repo := range p.Places {
		add(repo, "catalogue")
	}
	tree, _ := e.Tree.Get()
	for _, repo := range tree.ReadmeRepos {
		if placeName.MatchString(strings.ToLower(path.Base(repo))) {
			add(repo, "readme")
		}
	}
	return out
}

// places reads what the further repositories of a project say, as of the day that the project is judged at. One that cannot
// be read is listed with the reason.
func (c *Collector) places(ctx context.Context, p scoring.Project, e scoring.Evidence) []scoring.Place {
	out := placesOf(p, e)
	for i := range out {
		if ctx.Err() != nil {
			return out
		}
		c.info("reading a place", "project", e.Project, "repo", out[i].Repo)
		c.place(ctx, &out[i], e)
	}
	return out
}

// place reads one of them.
func (c *Collector) place(ctx context.Context, to *scoring.Place, of scoring.Evidence) {
	origin := audit.Origin{Source: c.Name(), URL: to.Repo}
	fail := func(err error) {
		if errors.Is(err, ErrOffline) { // nobody looked
			to.Tree.Settle = "give a local clone of " + to.Repo + ", or let the run contact its server"
			return
		}
		to.Tree = audit.Failed[scoring.Tree](presentable(err.Error()), origin)
		to.Tree.Settle = "give a local clone of " + to.Repo + ", or let the run contact its server"
	}
	s, err := c.find(ctx, scoring.Project{Repo: to.Repo})
	if err != nil {
		fail(err)
		return
	}
	e := scoring.Evidence{Project: of.Project, Repo: to.Repo, AssessedAt: of.AssessedAt}
	v, _, err := c.openAt(ctx, s, "", &e)
	if v != nil {
		defer v.close()
	}
	if err != nil {
		fail(err)
		return
	}
	to.Revision, to.RevisionAt = e.Revision, e.RevisionAt
	origin.Commit, origin.At = e.Revision, e.RevisionAt
	v.origin = origin
	seen, err := c.seenUntil(ctx, s, v, e.AssessedAt)
	if err == nil {
		err = v.needTrees(ctx, e.Revision)
	}
	var files *survey
	if err == nil {
		files, err = v.survey(ctx, e.Revision)
	}
	var tree audit.Fact[scoring.Tree]
	if err == nil {
		tree, err = c.tree(ctx, v, files, e, origin)
	}
	if err != nil {
		fail(err)
		return
	}
	if seen.IsZero() {
		seen = e.RevisionAt
	}
	whole, _ := tree.Get()
	said := rulesAndPlans(whole)
	e.SeenUntil = seen
	if err := tooOld(e); err != nil { // what stands there stands there, but nobody saw what changed since
		said.ProposalsChanged12m, said.RoadmapChanged = failure[int](err, origin), failure[time.Time](err, origin)
		said.ProposalsChanged12m.Settle = "fetch the clone of " + to.Repo
		said.RoadmapChanged.Settle = said.ProposalsChanged12m.Settle
	}
	to.Tree = audit.Known(said, origin).Graded(audit.GradeRecord, seen, audit.Year) // governance, not code
}

// rulesAndPlans keeps of a tree what a place speaks for.
func rulesAndPlans(t scoring.Tree) scoring.Tree {
	return scoring.Tree{
		Files: t.Files, Documents: among(t.Documents), Tools: among(t.Tools),
		ProposalsChanged12m: t.ProposalsChanged12m, RoadmapChanged: t.RoadmapChanged,
	}
}

func among(docs map[string][]scoring.Document) map[string][]scoring.Document {
	out := map[string][]scoring.Document{}
	for _, topic := range scoring.PlaceTopics {
		if len(docs[topic]) > 0 {
			out[topic] = docs[topic]
		}
	}
	return out
}
