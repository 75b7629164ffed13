package pipeline

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// projects leads artifacts, and packages that the catalogue names, to upstream projects.
func (g *gatherer) projects(inv sbom.Inventory, pkgs []sbom.Packages) projectsDocument {
	return g.projectsIn(inv, pkgs, "")
}

// projectsIn is projects for one region, with the corrections that count there; "" is the whole stack.
func (g *gatherer) projectsIn(inv sbom.Inventory, pkgs []sbom.Packages, region string) projectsDocument {
	doc := projectsDocument{Schema: projectsSchema, Catalogue: g.catalogue.Digest(), Products: []product{}, Unmatched: []string{}}
	var parts, sources []upstream.Part
	inside := map[string]sbom.Packages{}
	for _, p := range pkgs {
		inside[p.Artifact] = p
	}
	for _, a := range inv.Artifacts {
		if a.Excluded != "" {
			continue
		}
		found := g.productsOf(a, inside[a.ID], g.assigned(a, region))
		if len(found) == 0 && a.Kind != sbom.KindHost {
			doc.Unmatched = append(doc.Unmatched, a.ID)
		}
		doc.Products = append(doc.Products, found...)
		for _, p := range found {
			parts = append(parts, upstream.Part{Subject: a.ID, Version: p.Version, Tiers: a.Tiers, Area: a.Area, Assign: p.Project})
		}
		sources = append(sources, g.sourceParts(a)...)
	}
	packages := packageParts(inv, pkgs)
	doc.Projects = g.linked(g.catalogue.Resolve(append(parts, packages...)).Projects, inv, region)
	doc.Sources = g.catalogue.Survey(append(sources, upstream.WithLookups(packages, g.lookups)...))
	slices.Sort(doc.Unmatched)
	slices.SortFunc(doc.Products, func(a, b product) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Version, b.Version))
	})
	return doc
}

// productsOf leads an artifact to catalogue components by every name it was seen under and by the operator's word; names
// that contradict each other are all judged. Where the contents hold a package of the component, its version counts and
// not the one in the name.
func (g *gatherer) productsOf(a sbom.Artifact, contents sbom.Packages, assigned string) []product {
	var out []product
	add := func(m upstream.Match, version string) {
		versions := g.measured(m.ID, contents)
		measured := len(versions) > 0
		if !measured {
			versions = []string{version}
		}
		for _, v := range versions {
			p := g.product(a, m, v)
			p.Measured = measured
			if !slices.ContainsFunc(out, func(o product) bool {
				return o.Project == p.Project && o.Version == p.Version && o.Edition == p.Edition
			}) {
				out = append(out, p)
			}
		}
	}
	for _, part := range nameParts(a) {
		for _, m := range g.catalogue.Match(part) {
			version := ""
			if m.Versioned {
				version = part.Version
			}
			add(m, version)
		}
	}
	if id := assigned; id != "" && !slices.ContainsFunc(out, func(p product) bool { return p.Project == id }) {
		for _, m := range g.catalogue.Match(upstream.Part{Assign: id}) {
			add(m, a.Version)
		}
		for i := range out {
			out[i].Assigned = out[i].Assigned || out[i].Project == id
		}
	}
	return out
}

// nameParts are the names that an artifact was seen under, each with the version in it.
func nameParts(a sbom.Artifact) []upstream.Part {
	parts := []upstream.Part{artifactPart(a)}
	for _, alias := range a.Aliases {
		ref, err := sbom.ParseReference(alias)
		if err != nil {
			continue
		}
		part := artifactPart(a)
		part.Name, part.Version = alias, sbom.ParseTag(ref.Tag).Version
		parts = append(parts, part)
	}
	return parts
}

// measured returns the versions of a component's own packages in the contents: packages that the catalogue names for it.
func (g *gatherer) measured(id string, contents sbom.Packages) []string {
	components, _ := contents.Components.Get()
	var out []string
	if contents.Declared {
		return nil
	}
	for _, c := range components {
		for _, m := range g.catalogue.MatchPURL(c.PURL) {
			if v := upstream.UpstreamVersion(c.Type, c.Version); m.ID == id && m.Confidence == upstream.High && m.Versioned && v != "" && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return out
}

// linked writes into each link by which rule an artifact was led to the project.
func (g *gatherer) linked(projects []scoring.Project, inv sbom.Inventory, region string) []scoring.Project {
	artifacts := map[string]sbom.Artifact{}
	for _, a := range inv.Artifacts {
		artifacts[a.ID] = a
	}
	for i := range projects {
		for j, l := range projects[i].Links {
			a, ok := artifacts[l.Subject]
			if !ok || g.assigned(a, region) == projects[i].ID {
				continue
			}
			for _, part := range nameParts(a) {
				for _, m := range g.catalogue.Match(part) {
					if m.ID == projects[i].ID {
						projects[i].Links[j].Rule, projects[i].Links[j].Confidence = m.Rule, m.Confidence
					}
				}
			}
		}
	}
	return projects
}

// assigned returns the upstream that the operator named for the artifact.
func (g *gatherer) assigned(a sbom.Artifact, region string) string {
	id := ""
	for _, rule := range g.stack.Assign {
		if rule.Upstream != "" && rule.applies(a, region) {
			id = rule.Upstream
		}
	}
	return id
}

// packageParts are packages of scanned artifacts: the catalogue may know one as a project of its own.
func packageParts(inv sbom.Inventory, pkgs []sbom.Packages) []upstream.Part {
	place := map[string]sbom.Artifact{}
	for _, a := range inv.Artifacts {
		place[a.ID] = a
	}
	var parts []upstream.Part
	for _, p := range pkgs {
		components, _ := p.Components.Get()
		a := place[p.Artifact]
		if a.Excluded != "" {
			continue
		}
		for _, c := range components {
			if c.PURL != "" {
				parts = append(parts, upstream.Part{
					Subject: c.PURL, Kind: upstream.PartPURL, Name: c.PURL, Version: c.Version, Tiers: a.Tiers, Area: a.Area, Source: c.Source, Claims: claimsOf(a, c),
				})
			}
		}
	}
	return parts
}

// claimsOf is what a package says about where it comes from, each claim with the file that says so.
func claimsOf(a sbom.Artifact, c sbom.Component) []upstream.Claim {
	origin := func(file string) audit.Origin { return audit.Origin{Source: "package", Path: file, Digest: a.Digest} }
	var out []upstream.Claim
	if c.Homepage != "" {
		file := ""
		if len(c.Locations) > 0 {
			file = c.Locations[0]
		}
		out = append(out, upstream.Claim{Kind: upstream.ClaimHomepage, Value: c.Homepage, Origin: origin(file)})
	}
	for _, u := range c.Upstream {
		out = append(out, upstream.Claim{Kind: u.Kind, Value: u.URL, Path: u.Folder, Origin: origin(u.Path)})
	}
	return out
}

// labelSource is the label by which a builder names a repository (OCI image specification, annotations). It often names
// that of the build.
const labelSource = "org.opencontainers.image.source"

// sourceParts is an artifact as something that comes from a repository. A host comes from none.
func (g *gatherer) sourceParts(a sbom.Artifact) []upstream.Part {
	if a.Kind == sbom.KindHost {
		return nil
	}
	part := artifactPart(a)
	part.Assign = g.assigned(a, "")
	if source := a.Labels[labelSource]; source != "" {
		part.Claims = []upstream.Claim{{Kind: upstream.ClaimLabel, Value: source, Origin: audit.Origin{Source: "label", Path: labelSource, Digest: a.Digest}}}
	}
	return []upstream.Part{part}
}

// product asks the catalogue for the licence of a component at the deployed version and edition.
func (g *gatherer) product(a sbom.Artifact, m upstream.Match, version string) product {
	c, _ := g.catalogue.Get(m.ID)
	p := product{Artifact: a.ID, Project: m.ID, Name: c.Name, Version: version, Edition: cmp.Or(a.Edition, m.Edition), Confidence: m.Confidence}
	origin := g.catalogue.Origin(m.ID)
	found, ok := c.LicenceAt(p.Version, p.Edition)
	if !ok {
		p.Licence = audit.Failed[string](found.Reason, origin)
		p.Licence.Settle = "read the licence file of " + c.Repo + " at the deployed version"
		return p
	}
	if found.Source != "" {
		origin.URL = found.Source
	}
	p.Licence, p.Class, p.Checked = audit.Known(found.Expression, origin), string(found.Class), found.Checked
	if p.Edition != "" {
		p.VendorBuild = audit.Known(!found.OSI, origin)
	}
	return p
}

// contactsOf says what reading the projects would ask, project by project, without asking.
func contactsOf(p scoring.Project, offline bool) []audit.Contact {
	if offline || p.Repo == "" {
		return nil
	}
	contacts := []audit.Contact{{Host: hostOf(p.Repo), Address: p.Repo, Right: "anonymous read", Purpose: "git history and files of " + p.Name}}
	for _, place := range p.Places {
		contacts = append(contacts, audit.Contact{Host: hostOf(place), Address: place, Right: "anonymous read", Purpose: "rules and plans of " + p.Name})
	}
	return contacts
}

func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "local"
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	return host
}
