package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/sbom/copyright"
	"github.com/pegel-audit/pegel/scoring"
)

// recording is evidence that was gathered before: documents by project, and the names of the raw bytes behind them.
type recording struct {
	evidence map[string]scoring.Evidence
	licences []copyright.Record
	raw      []bundle.Entry
}

// recorded reads the bundles that the stack file and the flags name. A bundle that is not there or does not match its
// digests is an error: recorded evidence is never half used.
func (g *gatherer) recorded(ctx context.Context) (recording, error) {
	rec := recording{evidence: map[string]scoring.Evidence{}}
	names := slices.Clone(g.opt.Evidence)
	for _, name := range g.stack.Evidence {
		if !strings.HasPrefix(name, registryPrefix) {
			name = relativeTo(g.stack.Dir, name)
		}
		names = append(names, name)
	}
	for _, name := range names {
		dir, err := g.pulled(ctx, name)
		if err != nil {
			return recording{}, err
		}
		if err := rec.read(dir); err != nil {
			return recording{}, err
		}
	}
	for id, e := range rec.evidence {
		rec.evidence[id] = timely(e, g.at, g.opt.Now)
	}
	return rec, nil
}

const (
	// clockSkew is how far the clocks of two machines may differ.
	clockSkew = 24 * time.Hour
	// recordedLater is how long after the moment that is judged a recording still tells of it: as long as files and activity
	// count at least.
	recordedLater = 30 * 24 * time.Hour
)

// timely drops the facts of a recording that cannot speak about the moment that is judged: those from a future that nobody
// has seen, which would never grow old, and those that were observed long after it. Their collectors are asked anew.
func timely(e scoring.Evidence, at, now time.Time) scoring.Evidence {
	last := at.Add(recordedLater)
	if seen := now.Add(clockSkew); seen.Before(last) && !now.IsZero() {
		last = seen
	}
	late := map[string]bool{}
	for _, s := range e.States() {
		observed := s.ObservedAt
		if observed.IsZero() || s.Collector == "git" && e.AssessedAt.After(observed) {
			observed = e.AssessedAt // windows end there
		}
		if s.Outcome == audit.PASS && observed.After(last) {
			late[s.Collector] = true
		}
	}
	for _, name := range collectorNames() {
		if late[name] {
			e = e.Without(name)
		}
	}
	return e
}

// of returns the recorded evidence of a project if it is about the repository that the catalogue names, or was found from
// there: evidence of a fork says nothing about the project.
func (rec recording) of(p scoring.Project) (scoring.Evidence, bool) {
	e, ok := rec.evidence[p.ID]
	found := len(e.Steps) > 0 && sameRepository(e.Steps[0].Name, p.Repo)
	return e, ok && (sameRepository(e.Repo, p.Repo) || sameRepository(e.Repo, p.Mirror) || found)
}

func (rec *recording) read(dir string) error {
	b, err := bundle.Open(dir)
	if errors.Is(err, bundle.ErrNoBundle) {
		return usagef("recorded evidence is a bundle that pegel collect wrote", "reading recorded evidence %q: no bundle is there", dir)
	}
	if err != nil {
		return fmt.Errorf("reading recorded evidence %q: %w", dir, err)
	}
	for _, entry := range b.Blobs("project-evidence") {
		data, err := b.Read(entry.Digest)
		if err != nil {
			return fmt.Errorf("reading recorded evidence %q: %w", dir, err)
		}
		var e scoring.Evidence
		if err := decodeStrict(data, &e); err != nil {
			return fmt.Errorf("reading recorded evidence %q: %s: %w", dir, entry.Name, err)
		}
		if _, ok := rec.evidence[e.Project]; !ok && e.Revision != "" { // a recorded failure is no evidence: try again
			rec.evidence[e.Project] = takenFrom(e, b)
		}
	}
	for _, entry := range b.Blobs(copyright.RecordKind) {
		data, err := b.Read(entry.Digest)
		if err != nil {
			return fmt.Errorf("reading recorded evidence %q: %w", dir, err)
		}
		r, err := copyright.ParseRecord(data)
		if err != nil {
			return fmt.Errorf("reading recorded evidence %q: %s: %w", dir, entry.Name, err)
		}
		rec.licences = append(rec.licences, r)
	}
	for _, entry := range b.Blobs("raw") {
		if entry.Withheld != "" && entry.Source != "" { // what evidence of a project rests on; input files are read again
			rec.raw = append(rec.raw, entry)
		}
	}
	return nil
}

// takenFrom notes for each collector whose facts are there which recording they come from; what that took from another
// recording stays with the first.
func takenFrom(e scoring.Evidence, b *bundle.Bundle) scoring.Evidence {
	taken := map[string]scoring.Taken{}
	for _, name := range collectorNames() {
		if before, ok := e.Taken[name]; ok {
			before.Signer = "" // a recording cannot vouch for the signature of another
			taken[name] = before
		} else if e.Has(name) {
			taken[name] = scoring.Taken{Bundle: b.Identity(), RecordedAt: b.Evidence().AssessedAt}
		}
	}
	e.Taken = taken
	return e
}
