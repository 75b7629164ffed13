package upstream

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// Kinds of parts, each with the rule that it is matched by.
const (
	PartImage    = "image"    // Name is an image reference
	PartChart    = "chart"    // Name is a Helm chart, Version the application's version
	PartDeb      = "deb"      // Name is a Debian or Ubuntu package
	PartPURL     = "purl"     // Name is a package URL
	PartSoftware = "software" // Name comes from a deployment manifest
)

// Part is one deployed thing, as the stack's inventory or SBOM names it.
type Part struct {
	Subject string   // artifact id or purl: what Link.Subject will say
	Kind    string   // one of the kinds above; any other kind is matched by nothing
	Name    string   // reference, chart, package, purl or manifest name
	Version string   // deployed version as far as known
	Tiers   []string // tiers of the stack it serves; empty: those of the catalogue
	Area    string   // empty: that of the catalogue, as where the parts of one project disagree
	Assign  string   // catalogue id that the operator assigned; overrides the rules
	Source  string   // source package that it was built from, where the distribution names one
	Claims  []Claim  // what it says about where it comes from
}

// Resolution is what a stack's parts lead to.
type Resolution struct {
	Projects  []scoring.Project // sorted by id; one per catalogue entry
	Unmatched []Part            // parts that lead to no catalogue entry, in the order given: each is a finding
}

// Match returns the catalogue entries of one part by the rule of its kind; an assignment overrides the rules. It returns
// nil for a part that nothing matches, and for an assignment to an id that the catalogue does not have.
func (c *Catalogue) Match(p Part) []Match {
	if p.Assign != "" {
		if k, ok := c.Get(p.Assign); ok {
			return []Match{{ID: k.ID, Rule: RuleAssign, Confidence: High, Detail: "assigned in the stack file", Versioned: true}}
		}
		return nil
	}
	switch p.Kind {
	case PartImage:
		return c.MatchImage(p.Name)
	case PartChart:
		return c.MatchChart(p.Name)
	case PartDeb:
		return c.MatchPackage("deb", p.Name)
	case PartPURL:
		return c.MatchPURL(p.Name)
	case PartSoftware:
		return c.MatchSoftware(p.Name)
	}
	return nil
}

// Placement says where in a stack a part stands.
type Placement struct {
	Tiers    []string // sorted union over its components
	Area     string   // of the component that matched best
	Service  string   // of the same
	Projects []string // catalogue ids, the best match first
	Rule     string   // how it was decided, for people
}

// Place returns where a part stands by the catalogue. ok is false, and the placement empty, for a part that nothing
// matches. Tiers and Area of the part itself are not looked at.
func (c *Catalogue) Place(p Part) (place Placement, ok bool) {
	found := c.Match(p)
	if len(found) == 0 {
		return Placement{}, false
	}
	best := found[0]
	k := c.components[c.byID[best.ID]]
	place = Placement{Area: k.Area, Service: k.Service(), Rule: fmt.Sprintf("catalogue, %s rule, %s confidence: %s", best.Rule, best.Confidence, best.Detail)}
	for _, m := range found {
		place.Tiers = append(place.Tiers, c.components[c.byID[m.ID]].Tiers...)
		place.Projects = append(place.Projects, m.ID)
	}
	place.Tiers = unique(place.Tiers, strings.Compare)
	return place, true
}

// Resolve leads the parts of a stack to projects. The order of the parts does not matter to the projects. The parts are
// not changed.
func (c *Catalogue) Resolve(parts []Part) Resolution {
	var res Resolution
	projects := make(map[string]*scoring.Project)
	areas := make(map[string][]string)
	for _, part := range parts {
		found := c.Match(part)
		if len(found) == 0 {
			res.Unmatched = append(res.Unmatched, part)
		}
		for _, m := range found {
			p := projects[m.ID]
			if p == nil {
				p = c.project(m.ID)
				projects[m.ID] = p
			}
			c.add(p, part, m)
			areas[m.ID] = append(areas[m.ID], part.Area)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(projects)) {
		p := finished(*projects[id], areas[id])
		p.Editions = known(c, id, c.components[c.byID[id]].editions(p.Versions), false)
		p.Expected = c.expectedLicences(id, p.Versions)
		res.Projects = append(res.Projects, p)
	}
	return res
}

// project starts a project from its catalogue entry, without tiers, versions and links.
func (c *Catalogue) project(id string) *scoring.Project {
	k := c.components[c.byID[id]]
	var places []string
	for _, p := range k.Places {
		places = append(places, p.Repo)
	}
	return &scoring.Project{
		ID: k.ID, Name: k.Name, Repo: k.Repo, Mirror: k.Mirror, Role: k.Role, Area: k.Area, Foundation: k.Governance.Foundation,
		Model: k.Governance.Model, Registry: c.registryName(k), Packages: slices.Sorted(slices.Values(k.PURLs)),
		Alternatives: known(c, k.ID, c.replacements(k), len(k.Standards) > 0), Standards: known(c, k.ID, c.offered(k), false),
		Places:  places,
		Profile: k.Profile, ProfileReason: k.ProfileReason,
	}
}

// registryName is the name under which the foundation keeps a project: the team in OpenStack's projects.yaml, or the name in
// the CNCF landscape, which for a part of a project is that of the whole. It is empty where no registry is known.
func (c *Catalogue) registryName(k Component) string {
	for range len(c.components) {
		if k.Governance.ProjectTeam != "" {
			return k.Governance.ProjectTeam
		}
		whole, ok := c.Get(k.Governance.PartOf)
		if !ok {
			break
		}
		k = whole
	}
	if k.Governance.Foundation == "CNCF" {
		return k.Name
	}
	return ""
}

func (c *Catalogue) add(p *scoring.Project, part Part, m Match) {
	tiers := part.Tiers
	if len(tiers) == 0 {
		tiers = c.components[c.byID[m.ID]].Tiers
	}
	p.Tiers = append(p.Tiers, tiers...)
	if v := deployedVersion(part, m); v != "" {
		p.Versions = append(p.Versions, v)
	}
	p.Links = append(p.Links, scoring.Link{Subject: part.Subject, Rule: m.Rule, Confidence: m.Confidence, Origin: c.Origin(m.ID), Rivals: c.rivals(part)})
}

// deployedVersion returns the version of the component that a part shows, or "" if it shows none.
func deployedVersion(part Part, m Match) string {
	if !m.Versioned {
		return ""
	}
	kind := part.Kind
	if kind == PartPURL && strings.HasPrefix(part.Name, "pkg:deb/") {
		kind = PartDeb
	}
	return UpstreamVersion(kind, part.Version)
}

// finished sorts what was gathered, so that the order of the parts leaves no trace.
func finished(p scoring.Project, areas []string) scoring.Project {
	if areas = unique(areas, strings.Compare); len(areas) == 1 && areas[0] != "" {
		p.Area = areas[0]
	}
	p.Tiers = unique(p.Tiers, strings.Compare)
	p.Versions = unique(p.Versions, compareVersions)
	slices.SortFunc(p.Links, compareLinks)
	p.Links = slices.CompactFunc(p.Links, func(a, b scoring.Link) bool { return compareLinks(a, b) == 0 })
	return p
}

func unique(list []string, compare func(a, b string) int) []string {
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}

// compareVersions orders by number, then by text, so that 1.9 stands before 1.10.
func compareVersions(a, b string) int {
	va, _ := parseVersion(a)
	vb, _ := parseVersion(b)
	if c := compareParts(va.parts, vb.parts); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func compareLinks(a, b scoring.Link) int {
	if c := strings.Compare(a.Subject, b.Subject); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Rule, b.Rule), weakness(a.Confidence)-weakness(b.Confidence), slices.CompareFunc(a.Rivals, b.Rivals, compareRivals))
}

func compareRivals(a, b scoring.Link) int {
	return cmp.Or(strings.Compare(a.Repo, b.Repo), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Confidence, b.Confidence),
		strings.Compare(a.Path, b.Path), strings.Compare(a.Origin.Path, b.Origin.Path), strings.Compare(a.Origin.URL, b.Origin.URL))
}
