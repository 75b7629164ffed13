package openops

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

//go:embed data/repositories.yaml
var listed []byte

// Bounds of one target.
const (
	maxRepositories = 40
	maxUpstreams    = 200
)

// Collect looks at what an operator gives to others.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	a := transparency.Artifact{Target: t}
	l := looker{artifact: &a, world: w}
	o := &transparency.OpenOperations{Domains: w.Operator.Domains, AskedUpstreams: len(t.Upstreams) > 0}
	o.Signed = l.manifesto(ctx)
	repositories := t.Repositories
	if len(repositories) == 0 {
		repositories = defaultRepositories()
	}
	o.Repositories = l.contributed(ctx, repositories, maxRepositories, "Open Operations repositories")
	o.Upstreams = l.contributed(ctx, t.Upstreams, maxUpstreams, "repositories of deployed projects")
	o.Links = l.links(ctx)
	if l.nothing(o) {
		a.Trouble = l.first
		return a
	}
	a.OpenOperations = o
	return a
}

// defaultRepositories is the list that is read where a target names none.
func defaultRepositories() []string {
	var f struct {
		Repositories []struct {
			URL string `yaml:"url"`
		} `yaml:"repositories"`
	}
	if yaml.Unmarshal(listed, &f) != nil {
		return nil // a test holds the file to its form
	}
	var out []string
	for _, r := range f.Repositories {
		out = append(out, r.URL)
	}
	return out
}

// looker looks for one artifact.
type looker struct {
	artifact *transparency.Artifact
	world    transparency.World
	first    *audit.Trouble // that a look met
	opened   int            // repositories that could be read
}

// nothing reports that there is nothing to judge. Links that do not answer are something: the operator named them.
func (l *looker) nothing(o *transparency.OpenOperations) bool {
	return l.opened == 0 && len(o.Links) == 0 && l.first != nil
}

// open opens a repository and notes the look.
func (l *looker) open(ctx context.Context, address string) (*transparency.Repository, *audit.Trouble) {
	var r *transparency.Repository
	trouble := &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run can read no repositories", Settle: "run without --offline, or give clones with --mirror"}
	if l.world.Open != nil {
		r, trouble = l.world.Open(ctx, address)
	}
	if trouble != nil {
		if l.first == nil {
			l.first = trouble
		}
		if len(l.artifact.Seen) < maxRepositories+maxUpstreams {
			l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: address, At: l.world.At, Trouble: trouble})
		}
		return nil, trouble
	}
	l.opened++
	l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: r.URL, At: r.SeenUntil})
	return r, nil
}

// troubled is a fact that was not read: not known where somebody asked, nobody's where nobody could.
func troubled[T any](t *audit.Trouble) audit.Fact[T] {
	if t.Outcome() == audit.MISS {
		return audit.Fact[T]{Settle: t.Settle}
	}
	f := audit.Failed[T](t.Text)
	f.Settle = t.Settle
	return f
}

// contributed counts what came from the operator's mail domains. Without a domain nobody is asked: nobody could be counted.
func (l *looker) contributed(ctx context.Context, repositories []string, limit int, what string) []transparency.Contributed {
	if len(repositories) > limit {
		l.artifact.Notes = append(l.artifact.Notes, fmt.Sprintf("the first %d of %d %s were read", limit, len(repositories), what))
		repositories = repositories[:limit]
	}
	var out []transparency.Contributed
	seen := map[string]bool{}
	for _, address := range repositories {
		key := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(address, "/"), ".git"))
		if seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, l.counted(ctx, address))
	}
	return out
}

func (l *looker) counted(ctx context.Context, address string) transparency.Contributed {
	c := transparency.Contributed{URL: address}
	if len(l.world.Operator.Domains) == 0 {
		c.Count.Settle = "name the operator's mail domains under subject: operator: domains"
		return c
	}
	r, trouble := l.open(ctx, address)
	if trouble != nil {
		c.Count = troubled[transparency.Contributions](trouble)
		return c
	}
	defer r.Close()
	c.URL, c.Commit, c.SeenUntil = r.URL, r.Commit, r.SeenUntil
	origin := audit.Origin{Source: "git", URL: r.URL, Commit: r.Commit, At: r.SeenUntil}
	count, err := r.Contributions(ctx, l.world.Operator.Domains)
	if err != nil {
		c.Count = audit.Failed[transparency.Contributions](err.Error(), origin)
		return c
	}
	c.Count = audit.Known(count, origin)
	return c
}
