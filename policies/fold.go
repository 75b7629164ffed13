package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of what is listed one by one. Nothing is dropped: what is folded keeps its count, and its first names.
const (
	mostSingle = 200 // packages of one artifact with the same outcome that get a line of their own
	mostNames  = 50  // names in the reason of a folded line
)

// folder gathers the answers about packages: there are a hundred thousand of them, and a reader wants those that do not
// pass. PASS and NA become one line for each requirement and artifact; others are listed up to mostSingle, the rest folded.
type folder struct {
	e      *evaluation
	q      question
	groups map[foldKey]*foldGroup
}

type foldKey struct {
	artifact string
	outcome  audit.Outcome
	scopes   scopeSet
	declared bool
	in       regionSet
}

type foldGroup struct {
	count  int // all of them
	single int
	names  []string // of those that are folded, at most mostNames
	until  time.Time
	reason string // of the first folded one
	ref    audit.SubjectRef
	first  *opened // the one that stands for all in an explanation
	answer answered
}

func newFolder(e *evaluation, q question) *folder {
	return &folder{e: e, q: q, groups: map[foldKey]*foldGroup{}}
}

// add takes one answer; subjects come sorted by id, so which ones get a line of their own does not depend on their order.
func (f *folder) add(s *opened, scopes scopeSet, a answered) {
	artifact := s.Record.(Package).Artifact
	key := foldKey{artifact, a.outcome, scopes, a.declared, s.in}
	g := f.groups[key]
	if g == nil {
		g = &foldGroup{ref: audit.SubjectRef{Kind: KindArtifact, ID: artifact, Name: artifact, Tiers: s.Ref.Tiers}}
		if name := f.e.names[artifact]; name != "" {
			g.ref.Name = name
		}
		f.groups[key] = g
	}
	if a.outcome != audit.PASS && a.outcome != audit.NA && g.single < mostSingle {
		g.single++
		f.e.addIn(f.e.finding(f.q, s, scopes, a), f.q.Requirement, s.in)
		return
	}
	g.count++
	if g.count == 1 {
		g.first, g.answer = s, a
	}
	if g.count == 1 && a.outcome != audit.PASS {
		g.reason = f.e.reason(f.q, s, a)
	}
	if len(g.names) < mostNames {
		g.names = append(g.names, clean(s.Ref.Name))
	}
	if g.until.IsZero() || !a.until.IsZero() && a.until.Before(g.until) {
		g.until = a.until
	}
}

// flush writes one line for each group.
func (f *folder) flush() {
	keys := make([]foldKey, 0, len(f.groups))
	for k, g := range f.groups {
		if g.count > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b foldKey) int {
		return cmp.Or(cmp.Compare(a.artifact, b.artifact), cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.scopes, b.scopes), cmp.Compare(one(a.declared), one(b.declared)), cmp.Compare(a.in, b.in))
	})
	used, where := map[string]int{}, map[string]regionSet{} // of artifacts: the regions of the first line, all if lines differ
	for _, k := range keys {
		if in, known := where[k.artifact]; known && in != k.in {
			where[k.artifact] = 0
		} else {
			where[k.artifact] = k.in
		}
	}
	for _, k := range keys {
		id := f.q.id + "/packages of " + k.artifact + "/" + strings.ToLower(k.outcome.String())
		if where[k.artifact] == 0 {
			id += f.e.suffix(k.in)
		}
		if used[id]++; used[id] > 1 {
			id += fmt.Sprintf("-%d", used[id])
		}
		f.e.addIn(f.line(id, k, f.groups[k]), f.q.Requirement, k.in)
	}
}

func (f *folder) line(id string, k foldKey, g *foldGroup) audit.Finding {
	out := audit.Finding{
		ID: id, Subject: g.ref, Requirement: f.q.ID, Scopes: f.e.ids(k.scopes), Severity: f.q.Severity, Outcome: k.outcome,
		Declared: k.declared && k.outcome != audit.MISS, Count: g.count, ValidUntil: g.until, Reason: f.words(k, g),
	}
	if k.outcome != audit.PASS && k.outcome != audit.NA {
		out.Remedy, out.Owner = f.q.Remedy["en"], f.q.Owner
		out.Settle = f.e.finding(f.q, g.first, k.scopes, g.answer).Settle
	}
	if f.e.in.Explain {
		out.Origins, out.Example = originsOf(f.q, g.first), &g.first.Ref
		f.e.explain(&out, f.q, g.first, g.answer)
	}
	return out
}

func (f *folder) words(k foldKey, g *foldGroup) string {
	name := clip(g.ref.Name)
	switch k.outcome {
	case audit.PASS:
		return fmt.Sprintf("%s: %s pass", name, packages(g.count))
	case audit.NA:
		return fmt.Sprintf("%s: does not apply to %s", name, packages(g.count))
	}
	list := strings.Join(g.names, ", ")
	if more := g.count - len(g.names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s: %s besides those listed one by one, the first because of: %s. They are: %s", name, packages(g.count), g.reason, list)
}

func packages(n int) string {
	if n == 1 {
		return "1 package"
	}
	return fmt.Sprintf("%d packages", n)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
