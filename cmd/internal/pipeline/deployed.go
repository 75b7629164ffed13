package pipeline

import (
	"maps"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// This file says of each project what only the stack shows: what it brings along, and what hangs on it. It is computed from
// the packages of the bundle and stored nowhere.

// mostClosed is how many packages under a restricted licence are named.
const mostClosed = 20

// distributed are the types of packages that a distribution brings: they are there because of the base system, unless the
// graph says that the project needs them.
var distributed = map[string]bool{"deb": true, "rpm": true, "apk": true, "alpm": true, "portage": true}

// contents are the packages of one artifact as a graph.
type contents struct {
	components []sbom.Component
	at         map[string]int // by ref
	dependants [][]int        // by component: what depends on it
	owners     [][]string     // by component: the projects it belongs to
	declared   bool           // only a document of others lists the packages
}

// deployedFacts answers for all projects of the stack.
func (d *dossier) deployedFacts() map[string]audit.Fact[scoring.Deployed] {
	owners := map[string][]string{} // by purl
	for _, p := range d.projects.Projects {
		for _, l := range p.Links {
			owners[l.Subject] = append(owners[l.Subject], p.ID)
		}
	}
	graphs := map[string]*contents{}
	facts := map[string]*stackFacts{}
	of := func(id string) *stackFacts {
		if facts[id] == nil {
			facts[id] = &stackFacts{seen: map[string]bool{}, hit: map[string]bool{}, dependants: map[string]bool{}}
		}
		return facts[id]
	}
	for _, p := range d.packages {
		if a, ok := d.artifacts[p.Artifact]; !ok || a.Excluded != "" {
			continue
		}
		if components, known := p.Components.Get(); known {
			graphs[p.Artifact] = graphOf(components, owners, p.Declared)
			graphs[p.Artifact].hits(of)
		}
	}
	for _, p := range d.projects.Products {
		if a := d.artifacts[p.Artifact]; a.Excluded != "" || p.Confidence == upstream.Low {
			continue
		}
		of(p.Project).hold(p.Artifact, p.Project, graphs[p.Artifact], d.judge)
	}
	origin := audit.Origin{Source: "sbom", Path: "stack.cdx.json", Digest: d.stack.StackBOM}
	out := make(map[string]audit.Fact[scoring.Deployed], len(facts))
	for id, f := range facts {
		out[id] = audit.Known(f.deployed(), origin).Graded(audit.GradeRecord, d.stack.AssessedAt, "")
	}
	return out
}

func graphOf(components []sbom.Component, owners map[string][]string, declared bool) *contents {
	g := &contents{
		components: components, at: make(map[string]int, len(components)), dependants: make([][]int, len(components)),
		owners: make([][]string, len(components)), declared: declared,
	}
	for i, c := range components {
		g.at[c.Ref] = i
		if c.PURL != "" {
			g.owners[i] = owners[c.PURL]
		}
	}
	for i, c := range components {
		for _, ref := range c.DependsOn {
			if j, ok := g.at[ref]; ok {
				g.dependants[j] = append(g.dependants[j], i)
			}
		}
	}
	return g
}

// ownedBy lists the components of a project.
func (g *contents) ownedBy(id string) []int {
	var out []int
	for i, owners := range g.owners {
		if slices.Contains(owners, id) {
			out = append(out, i)
		}
	}
	return out
}

// reach returns what can be reached from some components, themselves included.
func reach(from []int, next func(int) []int) map[int]bool {
	seen := map[int]bool{}
	for queue := slices.Clone(from); len(queue) > 0; queue = queue[1:] {
		if i := queue[0]; !seen[i] {
			seen[i] = true
			queue = append(queue, next(i)...)
		}
	}
	return seen
}

func (g *contents) needs(i int) []int {
	var out []int
	for _, ref := range g.components[i].DependsOn {
		if j, ok := g.at[ref]; ok {
			out = append(out, j)
		}
	}
	return out
}

// hits adds, for each project with packages in the artifact, what depends on them.
func (g *contents) hits(of func(string) *stackFacts) {
	packages := map[string][]int{}
	for i, owners := range g.owners {
		for _, id := range owners {
			packages[id] = append(packages[id], i)
		}
	}
	for id, from := range packages {
		f := of(id)
		for i := range reach(from, func(i int) []int { return g.dependants[i] }) {
			f.hit[g.components[i].Ref] = true
			for _, other := range g.owners[i] {
				if other != id {
					f.dependants[other] = true
				}
			}
		}
	}
}

// stackFacts gathers what the artifacts of a stack show of one project.
type stackFacts struct {
	seen       map[string]bool // dependencies by ref
	closed     []string
	unread     int
	hit        map[string]bool // by ref or artifact id
	dependants map[string]bool
}

// hold takes one artifact that holds the project: a version of it counts as one component that would be hit. Contents that
// nobody read, or that only a document of others lists, count as one dependency whose licence is not known.
func (f *stackFacts) hold(artifact, project string, g *contents, judge sbom.Judge) {
	f.hit[artifact] = true
	if g == nil || g.declared {
		if !f.seen[artifact] {
			f.seen[artifact] = true
			f.unread++
		}
	}
	if g == nil {
		return
	}
	for _, i := range g.brought(project) {
		c := g.components[i]
		if f.seen[c.Ref] {
			continue
		}
		f.seen[c.Ref] = true
		switch class := judge.Of(c).Class; licence.Class(class) {
		case licence.Restricted:
			f.closed = append(f.closed, orText(c.PURL, c.Name))
		case licence.OSI, licence.FreeNotOSI, licence.DocsData:
		default:
			f.unread++
		}
	}
}

// brought lists what the project brings along into the artifact: all that the graph says it needs, and the packages that no
// distribution brings. Packages of the project itself are left out, their licence is the project's (OS-01).
func (g *contents) brought(project string) []int {
	own := g.ownedBy(project)
	needed := reach(own, g.needs)
	var out []int
	for i, c := range g.components {
		if !slices.Contains(own, i) && (needed[i] || !distributed[c.Type] && c.OwnedBy == "" && c.PURL != "") {
			out = append(out, i)
		}
	}
	return out
}

func (f *stackFacts) deployed() scoring.Deployed {
	slices.Sort(f.closed)
	closed := slices.Compact(f.closed)
	return scoring.Deployed{
		Dependants: slices.Sorted(maps.Keys(f.dependants)), Radius: len(f.hit),
		Closed: closed[:min(mostClosed, len(closed))], Unread: f.unread, Dependencies: len(f.seen),
	}
}
