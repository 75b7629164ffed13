package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
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
	for _, a := range inv.Artifacts {
		if a.Excluded != "" {
			continue
		}
		part := artifactPart(a)
		if id := g.assigned(a); id != "" {
			part.Assign = id
		}
		matches := g.catalogue.Match(part)
		if len(matches) == 0 && a.Kind != sbom.KindHost {
			doc.Unmatched = append(doc.Unmatched, a.ID)
		}
		for _, m := range matches {
			doc.Products = append(doc.Products, g.product(a, m))
		}
		parts = append(parts, part)
	}
	parts = append(parts, packageParts(inv, pkgs)...)
	doc.Projects = g.catalogue.Resolve(parts).Projects
	slices.Sort(doc.Unmatched)
	slices.SortFunc(doc.Products, func(a, b product) int {
		return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Project, b.Project))
	})
	return doc
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
func (g *gatherer) product(a sbom.Artifact, m upstream.Match) product {
	c, _ := g.catalogue.Get(m.ID)
	p := product{Artifact: a.ID, Project: m.ID, Name: c.Name, Edition: cmp.Or(a.Edition, m.Edition), Confidence: m.Confidence}
	if m.Versioned {
		p.Version = a.Version
	}
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

func (rec *recording) read(dir string) error {
	b, err := bundle.Open(dir)
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
		if e, ok := rec.evidence[p.ID]; ok {
			out[i] = e
			done <- struct{}{}
			continue
		}
		group.Go(func() error {
			defer func() { done <- struct{}{}; g.opt.progress("reading projects", len(done), len(projects)) }()
			if err == nil {
				var collectErr error
				if out[i], collectErr = collector.Collect(ctx, p); collectErr == nil {
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
