// Package thirdparty asks indexes that neither the project nor its forge keeps: advisories of OSV and of OpenStack, the
// badges of the OpenSSF Best Practices programme, Repology, deps.dev, ecosyste.ms and the results that the OpenSSF
// Scorecard project computed. What they say is graded C, dated, and limited in time. A service that is not switched on is
// not asked: nobody looked. One that was asked in vain, or that does not know the project, leaves an unknown with its
// reason; "not in the index" is an answer only where an index lists all there is (the badge programme).
//
// No name, login or address of a person is kept: of each answer only the fields that facts are drawn from pass.
package thirdparty

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Service is an index that can be switched on.
type Service string

// The services.
const (
	OSV        Service = "osv"        // advisories: from Options.Dump, else api.osv.dev
	Badges     Service = "badges"     // www.bestpractices.dev
	Repology   Service = "repology"   // repology.org
	DepsDev    Service = "depsdev"    // api.deps.dev
	Scorecard  Service = "scorecard"  // api.scorecard.dev
	Ecosystems Service = "ecosystems" // packages.ecosyste.ms
)

// Services returns all services, sorted.
func Services() []Service {
	return []Service{Badges, DepsDev, Ecosystems, OSV, Repology, Scorecard}
}

// Options say which services are asked and how. The zero value asks none.
type Options struct {
	// Client sends requests. Its transport redacts answers as scoring.WithRedact says; nil: no service on the net is asked.
	Client *http.Client
	At     time.Time // moment of assessment; windows count back from here
	// Services are the indexes that may be asked. A local dump is read whether or not OSV is among them.
	Services []Service
	// Dump is a local copy of osv.dev: a zip file, or a directory of zip files or JSON files, at any depth up to three, such
	// as ECOSYSTEM/all.zip. Empty: advisories come from the API, if OSV is switched on.
	Dump string
	// DumpAt is when the dump was fetched, until when it can speak. Zero: the last change of any of its records.
	DumpAt time.Time
	// OSSA is a directory with the advisories of OpenStack as YAML files (directory ossa of openstack/ossa). Empty: not read.
	OSSA string
	// TagTime returns when the tag of a version was made. Nil: the tags in the evidence of git are all there is.
	TagTime func(ctx context.Context, p scoring.Project, version string) (time.Time, bool)
	// Includes reports whether the tag of a version contains a commit; known is false if that cannot be told. It is asked
	// for advisories that name commits and no version. Nil: it cannot be told.
	Includes func(ctx context.Context, p scoring.Project, commit, version string) (included, known bool)
	// Sleep waits before a request to a service that allows one in a second; nil waits by the clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now is the clock by which requests are spaced; nil is the clock of the machine. No fact depends on it.
	Now func() time.Time
	// Bases replace the addresses of services, for tests and mirrors.
	Bases map[Service]string
}

// Collector asks the services. It is safe for concurrent use.
type Collector struct {
	options Options
	pace    map[Service]*pace
	dump    *dump // nil without one
	ossa    *ossa // nil without one
}

// New makes a collector. A dump is opened here, so that a wrong path is told at once, and read when it is first needed.
func New(options Options) (*Collector, error) {
	if options.At.IsZero() {
		return nil, errors.New("a collector of third-party facts needs the moment of assessment")
	}
	c := &Collector{options: options, pace: paces(options)}
	var err error
	if options.Dump != "" {
		if c.dump, err = openDump(options.Dump); err != nil {
			return nil, err
		}
	}
	if options.OSSA != "" {
		if c.ossa, err = openOSSA(options.OSSA); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Close closes the files of a dump.
func (c *Collector) Close() error {
	if c.dump == nil {
		return nil
	}
	return c.dump.close()
}

// Name returns "thirdparty".
func (c *Collector) Name() string { return "thirdparty" }

var _ scoring.Collector = (*Collector)(nil)

// Collect fills Advisories, Badge, Packaging, Dependents and Scorecard.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	e := known
	a := &asker{c: c, people: &scoring.People{}}
	e.Advisories = c.advisories(ctx, a, p, known)
	e.Badge = keep(known.Badge, asOf(c.options.At, c.badge(ctx, a, p)))
	e.Packaging = keep(known.Packaging, asOf(c.options.At, c.packaging(ctx, a, p)))
	e.Dependents = keep(known.Dependents, asOf(c.options.At, c.dependents(ctx, a, p)))
	e.Scorecard = keep(known.Scorecard, asOf(c.options.At, c.scorecard(ctx, a, p)))
	if err := ctx.Err(); err != nil {
		return known, err
	}
	return e, nil
}

// keep returns what is already known where nobody looked now.
func keep[T any](before, now audit.Fact[T]) audit.Fact[T] {
	if now.Unknown() == audit.MISS && before.Unknown() != audit.MISS {
		return before
	}
	return now
}

// presentFor is how long after the moment of assessment an answer still tells of it: as long as these facts count.
const presentFor = 30 * 24 * time.Hour

// asOf leaves a fact unknown that tells how things are long after the moment of assessment: indexes show the present.
func asOf[T any](at time.Time, f audit.Fact[T]) audit.Fact[T] {
	if f.Value == nil || f.ObservedAt.Sub(at) <= presentFor {
		return f
	}
	return vain[T]("collect it in time, and keep the bundle", "the index tells how it is on "+f.ObservedAt.Format(time.DateOnly)+", not how it was on "+at.Format(time.DateOnly), f.Origins...)
}

// on reports whether a service may be asked.
func (c *Collector) on(s Service) bool {
	return c.options.Client != nil && slices.Contains(c.options.Services, s)
}

// off is the fact of a service that is not switched on: nobody looked.
func off[T any](services ...string) audit.Fact[T] {
	settle := "switch on the service " + services[0]
	for _, s := range services[1:] {
		settle += " or " + s
	}
	return audit.Fact[T]{Settle: settle}
}

// graded gives a fact the grade of third parties.
func graded[T any](f audit.Fact[T], at time.Time) audit.Fact[T] {
	return f.Graded(audit.GradeThirdParty, at, audit.Month)
}

// vain is a fact that a service was asked for in vain.
func vain[T any](settle string, reason string, origins ...audit.Origin) audit.Fact[T] {
	f := audit.Failed[T](reason, origins...)
	f.Settle = settle
	return f
}
