package pipeline

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// Score measures upstream projects by name: the URL of a repository, the path of a local clone, or a catalogue id, each
// with an optional revision after the last @ that follows the last slash. A project that cannot be read is still in the
// result, with the reason; a target that is neither is wrong usage.
func Score(ctx context.Context, targets []string, atHead bool, opt Options) ([]reports.Project, error) {
	profiles, err := Profiles(opt.Profile)
	if err != nil {
		return nil, err
	}
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	g := &gatherer{opt: opt, at: opt.Now.UTC().Truncate(1e9)}
	if !opt.At.IsZero() {
		g.at = opt.At
	}
	options, done, err := g.gitOptions()
	if err != nil {
		return nil, err
	}
	defer done()
	rows := make([]reports.Project, 0, len(targets))
	for i, target := range targets {
		opt.progress("reading projects", i, len(targets))
		name, rev := splitRevision(target)
		// A revision is judged on its own day unless another is asked for: today it would look abandoned.
		options.AtHead = atHead || rev != "" && opt.At.IsZero()
		collector, err := gitlog.New(options)
		if err != nil {
			return nil, err
		}
		p, e, err := readRepository(ctx, collector, catalogue, name, rev)
		if err != nil {
			return nil, err
		}
		profile := profiles.For(p.Profile)
		score := judge(p, e, profile)
		rows = append(rows, projectRow(score, e, profile, e.AssessedAt))
	}
	opt.progress("reading projects", len(targets), len(targets))
	return rows, nil
}

func readRepository(ctx context.Context, c *gitlog.Collector, catalogue *upstream.Catalogue, name, rev string) (scoring.Project, scoring.Evidence, error) {
	if entry, ok := catalogue.Get(name); ok {
		p := catalogueProject(catalogue, entry.ID)
		if rev != "" {
			e, err := c.Repository(ctx, entry.Repo, rev)
			if err == nil && e.Failure != "" && entry.Mirror != "" {
				return readMirror(ctx, c, p, e, entry.Mirror, rev)
			}
			return p, e, err
		}
		e, err := c.Collect(ctx, p, scoring.Evidence{})
		return p, e, err
	}
	if !strings.Contains(name, "://") && !exists(name) {
		return scoring.Project{}, scoring.Evidence{}, usagef("give the URL of a repository, the path of a local clone, or a catalogue id such as keystone",
			"scoring %q: no such directory, and the catalogue does not know the name", publicAddress(name))
	}
	e, err := c.Repository(ctx, name, rev)
	if err != nil {
		return scoring.Project{}, e, usagef("a clone is a directory made by git clone; a bare one serves too", "scoring %q: %w", publicAddress(name), err)
	}
	tree, _ := e.Tree.Get()
	for _, entry := range catalogue.Components() {
		if sameRepository(entry.Repo, e.Repo) || sameRepository(entry.Mirror, e.Repo) || sameGerrit(entry.Repo, tree.GerritProject) {
			return catalogueProject(catalogue, entry.ID), e, nil
		}
	}
	return scoring.Project{ID: e.Project, Name: orText(e.Repo, e.Project), Repo: e.Repo}, e, nil
}

// readMirror reads a revision from the second address of a project where the first cannot be read.
func readMirror(ctx context.Context, c *gitlog.Collector, p scoring.Project, failed scoring.Evidence, mirror, rev string) (scoring.Project, scoring.Evidence, error) {
	e, err := c.Repository(ctx, mirror, rev)
	if err == nil && e.Failure != "" {
		return p, failed, nil
	}
	return p, e, err
}

// sameGerrit compares an address with host/project of a .gitreview file: review.opendev.org serves what opendev.org shows.
func sameGerrit(repo, gerrit string) bool {
	project, ok := strings.CutPrefix(gerrit, "review.opendev.org/")
	return ok && sameRepository(repo, "https://opendev.org/"+project)
}

// catalogueProject is a project as the catalogue describes it, without any deployment.
func catalogueProject(c *upstream.Catalogue, id string) scoring.Project {
	found := c.Resolve([]upstream.Part{{Subject: id, Assign: id}}).Projects
	if len(found) == 0 {
		return scoring.Project{ID: id}
	}
	found[0].Links = nil
	return found[0]
}

// sameRepository compares two addresses; scheme, case of the host, a final slash and .git do not matter.
func sameRepository(a, b string) bool {
	plain := func(s string) string {
		_, rest, ok := strings.Cut(s, "://")
		if !ok {
			return ""
		}
		host, path, _ := strings.Cut(rest, "/")
		return strings.ToLower(host) + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
	}
	return plain(a) != "" && plain(a) == plain(b)
}

// publicAddress is what may be shown of an address: everything but the credentials in it.
func publicAddress(name string) string {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return name
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return scheme + "://" + host + "/" + path
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// splitRevision cuts REPO@REV at the last @ after the last slash (design section 5).
func splitRevision(target string) (repo, rev string) {
	slash := strings.LastIndexByte(target, '/')
	at := strings.LastIndexByte(target, '@')
	if at <= slash || at == 0 || exists(target) {
		return target, ""
	}
	return target[:at], target[at+1:]
}
