// Package lifecycle collects the release cycles of upstream projects and until when each of them is maintained. In goes a
// project; out comes scoring.Cycles, from the best places that say something: data of the project itself, then
// endoflife.date, then the project's written policy over its version tags, then the table of the catalogue. Where two of
// them give different days for one cycle, both are kept.
package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Options of a collector.
type Options struct {
	Read scoring.ReadFile // reads calendars that are kept in git repositories
	At   time.Time        // moment of assessment; what happened later is not used
	// Tags returns the tags of the project's repository, in any order, with the moment each was made. Policies are rules over
	// them. Nil: they stay unknown.
	Tags func(ctx context.Context, p scoring.Project) ([]scoring.Tag, error)
	// Support looks a version up in the table of the catalogue: cycle, last day as 2026-02-28, and source. It is asked only for
	// versions that no other place knows. Nil: there is no table.
	Support func(id, version string) (cycle, ends, source string, ok bool)
	Table   []byte // table pegel/lifecycles/v1; nil: the built-in one
}

// Collector reads calendars of releases; those that several projects share are read once. It is safe for concurrent use.
type Collector struct {
	options Options
	table   table
	shared  sync.Map // *page by repository and path
}

// page is a shared file that was read.
type page struct {
	mu     sync.Mutex
	read   bool
	data   scoring.YAML
	origin audit.Origin
	err    error
}

// New returns a collector.
func New(options Options) (*Collector, error) {
	if options.Read == nil || options.At.IsZero() {
		return nil, errors.New("a collector of release cycles needs a reader of files and the moment of assessment")
	}
	data := options.Table
	if data == nil {
		data = builtinTable
	}
	t, err := parseTable(data)
	if err != nil {
		return nil, err
	}
	return &Collector{options: options, table: t}, nil
}

// Name returns the name of the collector.
func (*Collector) Name() string { return "lifecycle" }

// calendar is what one place says.
type calendar struct {
	name    string // as shown in Cycles.Source
	grade   audit.Grade
	cycles  []scoring.Cycle
	origins []audit.Origin
	seen    time.Time // until when it can speak
}

// Collect adds the release cycles of the project. Without any place that could state them nothing is added.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	var found []calendar
	var failed *source
	reason := ""
	for _, s := range sources() {
		if !s.serves(c, p) {
			continue
		}
		got, err := s.read(ctx, c, p, known)
		if ctx.Err() != nil {
			return known, ctx.Err()
		}
		switch {
		case err != nil && reason == "":
			reason, failed = s.name+": "+err.Error(), &s
		case err == nil && len(got.cycles) > 0:
			got.name, got.grade = s.name, s.grade
			found = append(found, got)
		}
	}
	found = append(found, c.tabled(p, found)...)
	switch {
	case len(found) > 0:
		known.Cycles = c.fact(found)
	case failed != nil:
		known.Cycles = audit.Failed[scoring.Cycles](reason, audit.Origin{Source: "lifecycle", URL: failed.address(p)})
		known.Cycles.Settle = failed.settle
	}
	return known, nil
}

// Repositories lists the repositories that Options.Read is asked for, so that they can be had before a run.
func Repositories() []string { return []string{openStackRepo, cephRepo, kubernetesRepo, indexRepo} }

// Needs lists the repositories that Options.Read may be asked for about a project. Nobody is asked.
func (c *Collector) Needs(p scoring.Project) []string {
	var out []string
	for _, s := range sources() {
		if s.repo != "" && s.serves(c, p) {
			out = append(out, s.repo)
		}
	}
	return out
}

// mostCycles bounds the cycles of one project.
const mostCycles = 1000

// fact joins what several places say, the best of them first.
func (c *Collector) fact(found []calendar) audit.Fact[scoring.Cycles] {
	var joined []scoring.Cycle
	var sources []string
	var origins []audit.Origin
	seen := c.options.At
	for _, f := range found {
		named := slices.Clone(f.cycles)
		for j := range named {
			named[j].Source = f.name
		}
		joined = join(joined, named)
		sources = append(sources, f.name)
		origins = append(origins, f.origins...)
		if !f.seen.IsZero() && f.seen.Before(seen) {
			seen = f.seen
		}
	}
	value := scoring.Cycles{Source: strings.Join(sources, "; "), Cycles: joined}.Sorted()
	if len(value.Cycles) > mostCycles {
		value.Cycles = value.Cycles[:mostCycles]
	}
	return audit.Known(value, origins...).Graded(found[0].grade, seen, audit.Month)
}

// join adds the cycles of a lesser place. The days that both give for one cycle are kept as a span; a day that only the lesser
// one gives is taken as the earliest where the better one says that maintenance goes on.
func join(better, lesser []scoring.Cycle) []scoring.Cycle {
	at := make(map[string]int, len(better))
	out := append([]scoring.Cycle{}, better...)
	for i, b := range out {
		at[b.Prefix] = i
	}
	for _, l := range lesser {
		i, ok := at[l.Prefix]
		if !ok {
			out = append(out, l)
			continue
		}
		b := &out[i]
		if b.Latest == "" {
			b.Latest = l.Latest
		}
		if b.Released.IsZero() {
			b.Released = l.Released
		}
		switch {
		case l.EndLow.IsZero() || b.Ended:
		case b.EndLow.IsZero() && b.EndHigh.IsZero():
			b.EndLow, b.EndHigh, b.Source = l.EndLow, l.EndHigh, l.Source
			if b.Status == "maintained" { // the better one says so: the lesser one alone cannot end it
				b.EndHigh = time.Time{}
			}
		case !l.EndLow.Equal(b.EndLow) || !l.EndHigh.Equal(b.EndHigh):
			span(b, l)
			b.Source += "; " + l.Source
		}
	}
	return out
}

// span widens the end of b to cover that of l.
func span(b *scoring.Cycle, l scoring.Cycle) {
	if b.EndLow.IsZero() || l.EndLow.Before(b.EndLow) {
		b.EndLow = l.EndLow
	}
	if !b.EndHigh.IsZero() && l.EndHigh.After(b.EndHigh) {
		b.EndHigh = l.EndHigh
	}
}

// file reads and parses a file that several projects share. An ended context is not remembered.
func (c *Collector) file(ctx context.Context, repo, path string, cut func([]byte) ([]byte, error)) (scoring.YAML, audit.Origin, error) {
	v, _ := c.shared.LoadOrStore(repo+" "+path, &page{})
	p := v.(*page)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read {
		return p.data, p.origin, p.err
	}
	data, origin, err := c.parse(ctx, repo, path, cut)
	if ctx.Err() != nil {
		return scoring.YAML{}, origin, ctx.Err()
	}
	p.read, p.data, p.origin, p.err = true, data, origin, err
	return data, origin, err
}

// parse reads and parses a file; cut takes the YAML out of it, nil: it is all YAML.
func (c *Collector) parse(ctx context.Context, repo, path string, cut func([]byte) ([]byte, error)) (scoring.YAML, audit.Origin, error) {
	data, origin, err := c.options.Read(ctx, repo, path)
	if err == nil && cut != nil {
		data, err = cut(data)
	}
	if err != nil {
		return scoring.YAML{}, origin, fmtPath(path, err)
	}
	y, err := scoring.ReadYAML(data)
	if err != nil {
		return scoring.YAML{}, origin, fmtPath(path, err)
	}
	return y, origin, nil
}
