// Package forge asks the services around a repository: the forge that hosts it, the review system, the CI system and the
// tracker. Every service fills the same facts (scoring.Home, Changes, Issues, Runs, Rules, Team), so that a project on
// Gerrit, GitHub, GitLab or a mailing list is compared line by line. What a service does not tell, or tells only to those
// with more rights, stays unknown with its reason.
package forge

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// Options say how services are reached. The zero value reaches none: every fact is then one that nobody looked for.
type Options struct {
	// Client sends requests. Its transport redacts answers as scoring.WithRedact says; nil: nobody may be asked.
	Client *http.Client
	At     time.Time // moment of assessment; windows count back from here
	// Tokens returns the access tokens for a host, best first; nil or none: anonymous. They never reach logs or errors.
	Tokens func(host string) []string
	// Affiliate returns the organisation behind an address on a day; ok is false where it is not known. It is called
	// while answers are redacted, the only moment at which addresses exist. Nil: organisations stay unknown.
	Affiliate func(address string, at time.Time) (organisation string, ok bool)
	// Services adds to the built-in table which service runs at a host: "gitlab", "gitea", ... by host name.
	Services map[string]string
	Log      *slog.Logger // progress and warnings; nil: silence
	// Apps returns the GitHub Apps that may ask a host, besides tokens. Nil: none.
	Apps func(host string) []App
	// Cached says that Client's transport keeps answers and honours "Cache-Control: only-if-cached" (504 where it has none):
	// once every budget is spent, only such requests are sent.
	Cached bool
	Now    func() time.Time                           // clock for budgets; nil: the real one
	Wait   func(context.Context, time.Duration) error // pauses when a service asks for it; nil: the real one
}

// Collector asks all services of a project. It is safe for concurrent use.
type Collector struct {
	options Options
	readers []reader
}

// reader asks one kind of service.
type reader interface {
	// name is the Origin.Source of its facts.
	name() string
	// read adds to e the facts that this service can tell about the project; it leaves alone what another reader has
	// answered. It does nothing if the service does not serve the project. The error is that of the context.
	read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error
}

// New makes a collector.
func New(options Options) (*Collector, error) {
	if options.At.IsZero() {
		return nil, errors.New("a forge collector needs the moment of assessment")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Wait == nil {
		options.Wait = sleep
	}
	c := &Collector{options: options}
	c.readers = all(c)
	return c, nil
}

// Name returns "forge".
func (c *Collector) Name() string { return "forge" }

// Collect asks every service of the project.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	e := known
	for _, r := range c.readers {
		if err := r.read(ctx, p, &e); err != nil {
			return known, err
		}
	}
	return asOf(c.options.At, known, e), nil
}

var _ scoring.Collector = (*Collector)(nil)
