package indicator

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// withPlaces returns the evidence with what further repositories of the project say added to its own files: a project that
// keeps its governance in a repository beside the code has a governance. Evidence without such repositories comes back as it
// is; what could not be read of them is left to unread.
func withPlaces(e scoring.Evidence) scoring.Evidence {
	own, ok := e.Tree.Get()
	if !ok || e.Tree.Declared || !slices.ContainsFunc(e.Places, read) {
		return e
	}
	own.Documents, own.Tools = maps.Clone(own.Documents), maps.Clone(own.Tools)
	for _, p := range e.Places {
		if !read(p) {
			continue
		}
		t, _ := p.Tree.Get()
		if len(t.Tools["proposals"]) > 0 {
			own.ProposalsReviewed12m = sumOf(own.ProposalsReviewed12m, len(own.Tools["proposals"]) > 0, t.ProposalsReviewed12m)
			own.ProposalsChanged12m = sumOf(own.ProposalsChanged12m, len(own.Tools["proposals"]) > 0, t.ProposalsChanged12m)
		}
		own.Documents, own.Tools = joined(own.Documents, t.Documents, p), joined(own.Tools, t.Tools, p)
		own.RoadmapChanged = newestOf(own.RoadmapChanged, t.RoadmapChanged)
	}
	e.Tree.Value = &own
	return e
}

func read(p scoring.Place) bool {
	_, ok := p.Tree.Get()
	return ok && !p.Tree.Declared
}

// joined adds the documents of a place, each with where it stands, to those that are known.
func joined(own, more map[string][]scoring.Document, p scoring.Place) map[string][]scoring.Document {
	for topic, docs := range more {
		if !slices.Contains(scoring.PlaceTopics, topic) {
			continue
		}
		all := slices.Clone(own[topic])
		for _, d := range docs {
			d.Repo, d.Commit = p.Repo, p.Revision
			all = append(all, d)
		}
		if own == nil {
			own = map[string][]scoring.Document{}
		}
		own[topic] = all
	}
	return own
}

// sumOf adds the proposals that changed in two places; one that could not be counted leaves the sum open.
func sumOf(own audit.Fact[int], has bool, more audit.Fact[int]) audit.Fact[int] {
	if !has {
		return more
	}
	a, knownA := own.Get()
	b, knownB := more.Get()
	switch {
	case !knownA:
		return own
	case !knownB:
		return more
	}
	own.Value = new(int)
	*own.Value = a + b
	return own
}

// newestOf is the later of two moments; one that is not known does not count.
func newestOf(a, b audit.Fact[time.Time]) audit.Fact[time.Time] {
	x, knownA := a.Get()
	y, knownB := b.Get()
	if knownB && (!knownA || y.After(x)) {
		return b
	}
	return a
}

// unreadPlaces names the further repositories that could not be read.
func (in *input) unreadPlaces() []string {
	var out []string
	for _, p := range in.e.Places {
		if !read(p) {
			out = append(out, "the repository "+clip(p.Repo))
		}
	}
	return out
}

// proposalsBeside reports whether proposals were found in a further repository that could be read.
func (in *input) proposalsBeside() bool {
	return slices.ContainsFunc(in.e.Places, func(p scoring.Place) bool {
		t, _ := p.Tree.Get()
		return read(p) && len(t.Tools["proposals"]) > 0
	})
}

// shown is the path of a document as people read it, with its repository where that is another one.
func shown(d scoring.Document) string {
	if d.Repo == "" {
		return d.Path
	}
	return fmt.Sprintf("%s of %s", d.Path, path.Base(d.Repo))
}

// standing is the origin of a document, in whatever repository it stands.
func (in *input) standing(d scoring.Document) audit.Origin {
	o := in.at(d.Path)
	if d.Repo != "" {
		o.URL, o.Commit, o.At = d.Repo, d.Commit, time.Time{}
		if i := slices.IndexFunc(in.e.Places, func(p scoring.Place) bool { return p.Repo == d.Repo }); i >= 0 {
			o.At = in.e.Places[i].RevisionAt
		}
	}
	o.Digest = d.Digest
	return o
}
