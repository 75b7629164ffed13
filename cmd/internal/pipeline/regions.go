package pipeline

import (
	"slices"
	"sync"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
)

// regionSchema names the form of a regionDocument.
const regionSchema = "pegel/region/v1"

// regionDocument is what one region shows, together with what all regions share: the same as if the other regions were no part
// of the stack. The documents of the whole stack hold the evidence of all regions.
type regionDocument struct {
	Schema    string            `json:"schema"`
	Name      string            `json:"name"`
	Subject   string            `json:"monitor_subject,omitempty"` // name of the region at the compliance monitor
	Inventory sbom.Inventory    `json:"inventory"`
	Projects  []scoring.Project `json:"projects"`
	Products  []product         `json:"products"`
	// Elsewhere are artifacts whose contents were found in another region under their name alone; here they are not known.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// own is a host of a region: the id that its source gave it, and whose sources know it.
type own struct{ id, region string }

// sourceRegion is the region of a source by its place; empty: it counts for every region.
func (g *gatherer) sourceRegion(i int) string {
	if i < len(g.regionOf) {
		return g.regionOf[i]
	}
	return ""
}

// regional settles each region by its own sources and those that count for all, and puts the regions side by side.
func (g *gatherer) regional(found []sbom.Inventory) sbom.Inventory {
	g.regions, g.renamed = nil, map[string]own{}
	for _, name := range g.stack.regionNames() {
		var here []sbom.Inventory
		for i, inv := range found {
			if of := g.sourceRegion(i); of == "" || of == name {
				here = append(here, inv)
			}
		}
		inv, before := sbom.Apart(g.settled(sbom.Merge(here...), name), name)
		for id, was := range before {
			g.renamed[id] = own{was, name}
		}
		g.regions = append(g.regions, sbom.Region{Name: name, Inventory: inv})
	}
	return sbom.Unite(g.regions)
}

// shownAs is the id that the sources gave an artifact.
func (g *gatherer) shownAs(a sbom.Artifact) string {
	if host, ok := g.renamed[a.ID]; ok {
		return host.id
	}
	return a.ID
}

// mayShow reports whether a source may be asked for the contents of an artifact: a machine of one region is not that of
// another with the same name.
func (g *gatherer) mayShow(source int, a sbom.Artifact) bool {
	host, ok := g.renamed[a.ID]
	of := g.sourceRegion(source)
	return of == "" || a.Kind != sbom.KindHost || ok && of == host.region
}

// contentSources notes which region the contents of each artifact come from; artifacts are read side by side.
type contentSources struct {
	mu sync.Mutex
	of map[string]string
}

func (c *contentSources) note(artifact, region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]string{}
	}
	c.of[artifact] = region
}

func (c *contentSources) get(artifact string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[artifact]
}

// regionDocuments writes down each region by itself.
func (g *gatherer) regionDocuments(pkgs []sbom.Packages) []regionDocument {
	var out []regionDocument
	for i, r := range g.regions {
		doc := regionDocument{Schema: regionSchema, Name: r.Name, Subject: g.stack.Regions[i].MonitorSubject, Inventory: r.Inventory}
		here := map[string]bool{}
		for _, a := range r.Inventory.Artifacts {
			from := g.contents.get(a.ID)
			here[a.ID] = a.Digest != "" || from == "" || from == r.Name
			if !here[a.ID] {
				doc.Elsewhere = append(doc.Elsewhere, a.ID)
			}
		}
		inside := slices.DeleteFunc(slices.Clone(pkgs), func(p sbom.Packages) bool { return !here[p.Artifact] })
		projects := g.projectsIn(r.Inventory, inside, r.Name)
		doc.Projects, doc.Products = projects.Projects, projects.Products
		out = append(out, doc)
	}
	return out
}

// matchesAny reports whether a correction changes anything where it counts.
func (g *gatherer) matchesAny(rule Assign, inv sbom.Inventory) bool {
	if rule.Region == "" {
		return slices.ContainsFunc(inv.Artifacts, rule.matches)
	}
	return slices.ContainsFunc(g.regions, func(r sbom.Region) bool {
		return r.Name == rule.Region && slices.ContainsFunc(r.Inventory.Artifacts, rule.matches)
	})
}
