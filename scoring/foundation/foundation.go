// Package foundation collects what the foundations that host upstream projects say about them in records of their own: who
// leads a project, how far it has come, what it inherits from its team and its foundation. In goes a project; out comes
// scoring.Governance, with every step of an inheritance. The records name people; names, logins and addresses are
// dropped while parsing and are in no fact, error or cache.
package foundation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Options of a collector.
type Options struct {
	Read scoring.ReadFile // reads the registries that are kept in git repositories
	At   time.Time        // moment of assessment; what happened later is not used
	// Client asks foundations that answer on the web only (Eclipse). Its transport redacts. Nil: they are not asked.
	Client  *http.Client
	Eclipse string // address of the Eclipse projects service; empty: https://projects.eclipse.org
	Homes   []byte // table pegel/foundations/v1; nil: the built-in one
}

// Collector reads registries of foundations, each of them once for all projects. It is safe for concurrent use.
type Collector struct {
	options    Options
	homes      []home
	registries []registry
	books      []shelf // by index of registries
}

// shelf keeps a registry that was read.
type shelf struct {
	mu   sync.Mutex
	read bool
	book book
	err  error
}

// New returns a collector.
func New(options Options) (*Collector, error) {
	if options.Read == nil || options.At.IsZero() {
		return nil, errors.New("a collector of governance needs a reader of files and the moment of assessment")
	}
	table := options.Homes
	if table == nil {
		table = builtinHomes
	}
	homes, err := parseHomes(table)
	if err != nil {
		return nil, err
	}
	c := &Collector{options: options, homes: homes, registries: registries()}
	c.books = make([]shelf, len(c.registries))
	return c, nil
}

// Name returns the name of the collector.
func (*Collector) Name() string { return "foundation" }

// Collect adds what is known about the governance of the project.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	g, err := c.governance(ctx, p)
	if ctx.Err() != nil {
		return known, ctx.Err()
	}
	if err != nil {
		return known, err
	}
	known.Governance = g
	return known, nil
}

// governance asks every registry for the project, that of the foundation that the catalogue names first.
func (c *Collector) governance(ctx context.Context, p scoring.Project) (audit.Fact[scoring.Governance], error) {
	own, named := homeOf(c.homes, p.Foundation)
	asked := inquiry{project: p, at: c.options.At, client: c.options.Client, eclipse: c.options.Eclipse}
	for _, mine := range []bool{true, false} {
		for i, r := range c.registries {
			if (named && r.home == own.id) != mine || !mine && !r.about(p) {
				continue
			}
			answer, err := c.ask(ctx, i, asked)
			if ctx.Err() != nil {
				return audit.Fact[scoring.Governance]{}, ctx.Err()
			}
			switch {
			case err != nil:
				asked.failed = append(asked.failed, failure{r, err})
			case answer.listed:
				return c.listed(r, answer), nil
			case answer.complete, answer.searched:
				asked.absent = append(asked.absent, absence{r, answer.origins, answer.complete})
			}
		}
	}
	return c.unlisted(p, own, named, asked), nil
}

// ask looks a project up in a registry, which is read when it is first needed.
func (c *Collector) ask(ctx context.Context, i int, asked inquiry) (answer, error) {
	s := &c.books[i]
	s.mu.Lock()
	if !s.read {
		book, err := c.registries[i].load(ctx, c.options.Read, c.options.At)
		if ctx.Err() != nil { // another run of the caller may read it
			s.mu.Unlock()
			return answer{}, ctx.Err()
		}
		s.read, s.book, s.err = true, book, err
	}
	book, err := s.book, s.err
	s.mu.Unlock()
	if err != nil {
		return answer{}, err
	}
	return book(ctx, asked)
}

// listed completes the answer of a registry by what the foundation lends to all of its projects.
func (c *Collector) listed(r registry, a answer) audit.Fact[scoring.Governance] {
	own, _ := homeOf(c.homes, r.home)
	g := a.governance
	g.Foundation = own.name
	if a.lent {
		lent := own.lend(g)
		if g.SecurityTeam.Unknown() != audit.MISS {
			lent.SecurityTeam = g.SecurityTeam
		}
		g = lent
	}
	g.Listed = known(true, c.options.At, a.origins...)
	g.Steps = append(g.Steps, scoring.Step{What: "foundation", Name: own.name, Origin: first(a.origins)})
	return known(g, c.options.At, a.origins...)
}

// unlisted says what is known about a project that no registry lists.
func (c *Collector) unlisted(p scoring.Project, own home, named bool, asked inquiry) audit.Fact[scoring.Governance] {
	none := strings.EqualFold(strings.TrimSpace(p.Foundation), "none")
	for _, f := range asked.failed {
		if named && f.registry.home != own.id {
			continue // the catalogue says where to look, and this is not the place
		}
		fact := audit.Failed[scoring.Governance](fmt.Sprintf("%s could not be read: %v", f.registry.name, f.err), whence(f.registry))
		fact.Settle = "make " + f.registry.address + " available and collect again"
		return fact
	}
	for _, a := range asked.absent {
		if named && a.registry.home == own.id && a.complete {
			g := scoring.Governance{Foundation: own.name, Steps: []scoring.Step{projectStep(p)}, Listed: known(false, c.options.At, a.origins...)}
			return known(g, c.options.At, a.origins...)
		}
	}
	switch {
	case named && !registered(c.registries, own.id):
		return declared(p, own, c.options.At)
	case named:
		fact := audit.Failed[scoring.Governance]("the records of "+own.name+" that were read do not list "+clip(p.Name)+", and do not claim to list every repository", absentOrigins(asked)...)
		fact.Settle = "say in the catalogue under which name the foundation lists it"
		return fact
	case none && len(asked.absent) > 0:
		origins := absentOrigins(asked)
		g := scoring.Governance{Foundation: "none", Steps: []scoring.Step{projectStep(p)}, Listed: known(false, c.options.At, origins...)}
		fact := known(g, c.options.At, origins...) // that there is no other foundation only the catalogue says
		fact.Grade, fact.Origins = audit.GradeDeclared, append([]audit.Origin{{Source: "catalogue", Path: p.ID}}, origins...)
		return fact
	case p.Foundation != "" && !none:
		fact := audit.Failed[scoring.Governance]("nothing is known about the foundation "+clip(p.Foundation), audit.Origin{Source: "catalogue", Path: p.ID})
		fact.Settle = "add it to the table of foundations"
		return fact
	}
	fact := audit.Failed[scoring.Governance]("none of the foundations whose records were read lists it: "+names(c.registries), absentOrigins(asked)...)
	fact.Settle = "name its foundation in the catalogue, or none"
	return fact
}

// declared is what the catalogue says of a project whose foundation keeps no records that can be read.
func declared(p scoring.Project, own home, at time.Time) audit.Fact[scoring.Governance] {
	origin := audit.Origin{Source: "catalogue", Path: p.ID, At: at}
	g := own.lend(scoring.Governance{Foundation: own.name, Steps: []scoring.Step{projectStep(p), {What: "foundation", Name: own.name, Origin: origin}}})
	return audit.Known(g, origin).Graded(audit.GradeDeclared, at, audit.Year)
}

// absentOrigins are the records that were searched in vain.
func absentOrigins(asked inquiry) []audit.Origin {
	var origins []audit.Origin
	for _, a := range asked.absent {
		origins = append(origins, a.origins...)
	}
	return origins
}

// whence is the origin of what could not be read.
func whence(r registry) audit.Origin { return audit.Origin{Source: "foundation", URL: r.address} }

// Repositories lists the repositories that Options.Read is asked for, so that they can be had before a run.
func Repositories() []string {
	return []string{openStackGovernance, openStackReleases, landscapeRepo, apacheRepo}
}

// Needs lists the repositories that Options.Read may be asked for about a project, and the Eclipse service if it would be
// asked. Nobody is asked.
func (c *Collector) Needs(p scoring.Project) []string {
	own, named := homeOf(c.homes, p.Foundation)
	var out []string
	for _, r := range c.registries {
		if !(named && r.home == own.id) && !r.about(p) {
			continue
		}
		out = append(out, r.address)
		if r.address == openStackGovernance {
			out = append(out, openStackReleases)
		}
	}
	return out
}

func projectStep(p scoring.Project) scoring.Step {
	return scoring.Step{What: "project", Name: p.Name, Origin: audit.Origin{Source: "catalogue", Path: p.ID}}
}
