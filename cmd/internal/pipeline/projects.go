package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/copyright"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// parallelCollects bounds how many repositories are read at once.
const parallelCollects = 2

// projects leads artifacts, and packages that the catalogue names, to upstream projects.
func (g *gatherer) projects(inv sbom.Inventory, pkgs []sbom.Packages) projectsDocument {
	doc := projectsDocument{Schema: projectsSchema, Catalogue: g.catalogue.Digest(), Products: []product{}, Unmatched: []string{}}
	var parts []upstream.Part
	inside := map[string]sbom.Packages{}
	for _, p := range pkgs {
		inside[p.Artifact] = p
	}
	for _, a := range inv.Artifacts {
		if a.Excluded != "" {
			continue
		}
		found := g.productsOf(a, inside[a.ID])
		if len(found) == 0 && a.Kind != sbom.KindHost {
			doc.Unmatched = append(doc.Unmatched, a.ID)
		}
		doc.Products = append(doc.Products, found...)
		for _, p := range found {
			parts = append(parts, upstream.Part{Subject: a.ID, Version: p.Version, Tiers: a.Tiers, Area: a.Area, Assign: p.Project})
		}
	}
	parts = append(parts, packageParts(inv, pkgs)...)
	doc.Projects = g.linked(g.catalogue.Resolve(parts).Projects, inv)
	slices.Sort(doc.Unmatched)
	slices.SortFunc(doc.Products, func(a, b product) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Version, b.Version))
	})
	return doc
}

// productsOf leads an artifact to catalogue components by every name it was seen under and by the operator's word; names
// that contradict each other are all judged. Where the contents hold a package of the component, its version counts and
// not the one in the name.
func (g *gatherer) productsOf(a sbom.Artifact, contents sbom.Packages) []product {
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
	if id := g.assigned(a); id != "" && !slices.ContainsFunc(out, func(p product) bool { return p.Project == id }) {
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
func (g *gatherer) linked(projects []scoring.Project, inv sbom.Inventory) []scoring.Project {
	artifacts := map[string]sbom.Artifact{}
	for _, a := range inv.Artifacts {
		artifacts[a.ID] = a
	}
	for i := range projects {
		for j, l := range projects[i].Links {
			a, ok := artifacts[l.Subject]
			if !ok || g.assigned(a) == projects[i].ID {
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
func (g *gatherer) assigned(a sbom.Artifact) string {
	id := ""
	for _, rule := range g.stack.Assign {
		if rule.Upstream != "" && rule.matches(a) {
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
				parts = append(parts, upstream.Part{Subject: c.PURL, Kind: upstream.PartPURL, Name: c.PURL, Version: c.Version, Tiers: a.Tiers, Area: a.Area})
			}
		}
	}
	return parts
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

// recording is evidence that was gathered before: documents by project, and the names of the raw bytes behind them.
type recording struct {
	evidence map[string]scoring.Evidence
	licences []copyright.Record
	raw      []bundle.Entry
}

// recorded reads the bundles that the stack file and the flags name. A bundle that is not there or does not match its
// digests is an error: recorded evidence is never half used.
func (g *gatherer) recorded() (recording, error) {
	rec := recording{evidence: map[string]scoring.Evidence{}}
	dirs := slices.Clone(g.opt.Evidence)
	for _, dir := range g.stack.Evidence {
		dirs = append(dirs, relativeTo(g.stack.Dir, dir))
	}
	for _, dir := range dirs {
		if err := rec.read(dir); err != nil {
			return recording{}, err
		}
	}
	return rec, nil
}

// of returns the recorded evidence of a project if it is about the repository that the catalogue names: evidence of a fork
// says nothing about the project.
func (rec recording) of(p scoring.Project) (scoring.Evidence, bool) {
	e, ok := rec.evidence[p.ID]
	return e, ok && (sameRepository(e.Repo, p.Repo) || sameRepository(e.Repo, p.Mirror))
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
			rec.evidence[e.Project] = e
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

// evidence gathers what is known about every project: recorded evidence first, then the collectors. A project of which
// nothing could be read still has a document that says why.
func (g *gatherer) evidence(ctx context.Context, projects []scoring.Project, rec recording) []scoring.Evidence {
	collector, err := gitlog.New(g.gitOptions())
	out := make([]scoring.Evidence, len(projects))
	var group errgroup.Group
	group.SetLimit(parallelCollects)
	done := make(chan struct{}, len(projects))
	for i, p := range projects {
		if e, ok := rec.of(p); ok {
			out[i] = e
			done <- struct{}{}
			continue
		}
		group.Go(func() error {
			defer func() { done <- struct{}{}; g.opt.progress("reading projects", len(done), len(projects)) }()
			if err == nil {
				var collectErr error
				if out[i], collectErr = collector.Collect(ctx, p, scoring.Evidence{}); collectErr == nil {
					return nil
				}
				out[i] = g.nothing(p, collectErr)
				return nil
			}
			out[i] = g.nothing(p, err)
			return nil
		})
	}
	_ = group.Wait() // errors are kept as the failure of each project's evidence
	g.opt.progress("reading projects", len(projects), len(projects))
	return out
}

func (g *gatherer) gitOptions() gitlog.Options {
	return gitlog.Options{
		CacheDir: g.opt.CacheDir, Mirrors: g.opt.Mirrors, Offline: g.opt.Offline, At: g.at, Keep: g.keep,
		Classify: licence.Detect, Log: g.opt.logger(),
	}
}

// nothing is the evidence of a project that could not be read at all.
func (g *gatherer) nothing(p scoring.Project, err error) scoring.Evidence {
	return scoring.Evidence{
		Schema: scoring.EvidenceSchema, Project: p.ID, Repo: p.Repo, AssessedAt: g.at,
		Failure: err.Error(), Settle: "make " + p.Repo + " readable, or give a local clone with --mirror",
	}
}

// contactsOf says what reading the projects would ask, project by project, without asking.
func contactsOf(p scoring.Project, offline bool) []audit.Contact {
	if offline || p.Repo == "" {
		return nil
	}
	return []audit.Contact{{Host: hostOf(p.Repo), Address: p.Repo, Right: "anonymous read", Purpose: "git history and files of " + p.Name}}
}

func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "local"
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}
