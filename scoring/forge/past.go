package forge

import (
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// asOf leaves of what was read now only what tells of the moment of assessment. What is dated, such as changes and
// releases, was counted up to there. Of what forges show without a date, such as that a repository is archived, nobody
// knows how it was long before it was read.
func asOf(at time.Time, known, e scoring.Evidence) scoring.Evidence {
	if h, ok := e.Home.Get(); ok && known.Home.Value == nil {
		p := past{at, e.Home.ObservedAt}
		h.Releases = p.releases(h.Releases)
		if p.long() {
			forget(p, &h.Archived)
			forget(p, &h.Fork)
			forget(p, &h.MirrorOf)
			forget(p, &h.DefaultBranch)
			forget(p, &h.Licence)
			forget(p, &h.Stars)
			forget(p, &h.Forks)
			forget(p, &h.CodeOfConduct)
			forget(p, &h.Security)
			forget(p, &h.Newcomers)
			forget(p, &h.Funding)
		}
		e.Home.Value = &h
	}
	if c, ok := e.Changes.Get(); ok && known.Changes.Value == nil {
		if p := (past{at, e.Changes.ObservedAt}); p.long() {
			forget(p, &c.Open)
			e.Changes.Value = &c
		}
	}
	if i, ok := e.Issues.Get(); ok && known.Issues.Value == nil {
		if p := (past{at, e.Issues.ObservedAt}); p.long() {
			forget(p, &i.Public)
			forget(p, &i.Open)
			forget(p, &i.MedianAge)
			e.Issues.Value = &i
		}
	}
	if p := (past{at, e.Rules.ObservedAt}); known.Rules.Value == nil && p.long() {
		forget(p, &e.Rules)
	}
	if p := (past{at, e.Team.ObservedAt}); known.Team.Value == nil && p.long() {
		forget(p, &e.Team)
	}
	return e
}

// past is a moment of assessment and the one at which a forge was asked.
type past struct{ at, seen time.Time }

func (p past) long() bool { return p.seen.Sub(p.at) > presentFor }

// forget turns a known fact into an unknown one.
func forget[T any](p past, f *audit.Fact[T]) {
	if f.Value != nil {
		*f = notTold[T](fmt.Sprintf("the forge tells how it is on %s, not how it was on %s", p.seen.Format(time.DateOnly), p.at.Format(time.DateOnly)), "collect it in time, and keep the bundle", f.Origins...)
	}
}

// releases drops those made later. The forge shows the newest only: if all of them came later, there may be older ones.
func (p past) releases(f audit.Fact[[]scoring.Published]) audit.Fact[[]scoring.Published] {
	all, ok := f.Get()
	if !ok {
		return f
	}
	kept := []scoring.Published{}
	for _, r := range all {
		if !r.At.After(p.at) {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 && len(all) > 0 {
		return notTold[[]scoring.Published]("all releases that the forge lists were made after "+p.at.Format(time.DateOnly), "the repository's tags", f.Origins...)
	}
	f.Value = &kept
	return f
}
