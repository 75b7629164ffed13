package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// Replacement is one change of a what-if: a component of the catalogue runs in place of another one.
type Replacement struct {
	From, To string // catalogue ids
	Version  string // of To; empty: not known
}

// ParseReplacement reads "replace=A:B" or "replace=A:B@VERSION".
func ParseReplacement(text string) (Replacement, error) {
	const hint = "write --what-if replace=redis:valkey@8.1.0, with ids of the catalogue"
	change, ok := strings.CutPrefix(text, "replace=")
	from, to, both := strings.Cut(change, ":")
	to, version, _ := strings.Cut(to, "@")
	if !ok || !both || from == "" || to == "" {
		return Replacement{}, usagef(hint, "what-if %q is no replacement of one component by another", text)
	}
	if from == to && version == "" {
		return Replacement{}, usagef(hint, "what-if %q replaces a component by itself", text)
	}
	return Replacement{From: from, To: to, Version: version}, nil
}

// replaced returns a copy of the dossier in which other components run. What takes their place was not seen by anyone, so that
// every fact about it is unknown unless evidence of its project is there: a what-if never passes what nobody looked at.
func (d *dossier) replaced(changes []Replacement, evidence []string) (*dossier, error) {
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	out := *d
	out.actual = d
	out.evidence = map[string]scoring.Evidence{}
	for id, e := range d.evidence {
		out.evidence[id] = e
	}
	if err := out.lend(evidence); err != nil {
		return nil, err
	}
	out.regions = slices.Clone(d.regions)
	for _, c := range changes {
		if err := out.replace(c, catalogue); err != nil {
			return nil, err
		}
		for i, r := range out.regions {
			if !slices.ContainsFunc(r.Products, func(p product) bool { return p.Project == c.From }) {
				continue
			}
			here := out.in(r)
			if err := here.replace(c, catalogue); err != nil {
				return nil, err
			}
			out.regions[i].Inventory, out.regions[i].Projects, out.regions[i].Products = here.inventory, here.projects.Projects, here.projects.Products
		}
	}
	out.index()
	out.compare()
	return &out, nil
}

// lend adds recorded evidence of projects that the bundle knows nothing about.
func (d *dossier) lend(dirs []string) error {
	rec := recording{evidence: map[string]scoring.Evidence{}}
	for _, dir := range dirs {
		if err := rec.read(dir); err != nil {
			return err
		}
	}
	for id, e := range rec.evidence {
		if _, known := d.evidence[id]; !known {
			d.evidence[id] = timely(e, d.stack.AssessedAt, d.stack.AssessedAt).Fresh(d.stack.AssessedAt)
		}
	}
	return nil
}

func (d *dossier) replace(c Replacement, catalogue *upstream.Catalogue) error {
	known := make([]string, 0, len(catalogue.Components()))
	for _, k := range catalogue.Components() {
		known = append(known, k.ID)
	}
	to, ok := catalogue.Get(c.To)
	if !ok {
		return usagef("ids of the catalogue are like: "+alikeIDs(c.To, known), "what-if replace=%s:%s: the catalogue has no component %q", c.From, c.To, c.To)
	}
	var deployed []string
	for _, p := range d.projects.Products {
		if !slices.Contains(deployed, p.Project) {
			deployed = append(deployed, p.Project)
		}
	}
	if !slices.Contains(deployed, c.From) {
		return usagef("deployed are: "+alikeIDs(c.From, deployed), "what-if replace=%s:%s: %q is not deployed", c.From, c.To, c.From)
	}
	var parts []upstream.Part
	gone := map[string]bool{} // artifacts that hold nothing else
	for _, p := range d.projects.Products {
		gone[p.Artifact] = true
	}
	for _, p := range d.projects.Products {
		if p.Project != c.From {
			gone[p.Artifact] = false
		}
	}
	var products []product
	for _, p := range d.projects.Products {
		if p.Project != c.From {
			products = append(products, p)
			continue
		}
		a := d.artifacts[p.Artifact]
		next := catalogueProduct(catalogue, to, p.Artifact, c.Version)
		if !slices.ContainsFunc(products, func(o product) bool {
			return o.Artifact == next.Artifact && o.Project == next.Project && o.Version == next.Version
		}) {
			products = append(products, next)
		}
		parts = append(parts, upstream.Part{Subject: p.Artifact, Version: c.Version, Tiers: a.Tiers, Area: a.Area, Assign: c.To})
	}
	d.projects.Products = products
	d.projects.Projects = swapProject(d.projects.Projects, c.From, catalogue.Resolve(parts).Projects)
	d.forget(c, to, gone)
	return nil
}

// catalogueProduct is what the catalogue expects of a component; nothing of it was read.
func catalogueProduct(catalogue *upstream.Catalogue, k upstream.Component, artifact, version string) product {
	p := product{Artifact: artifact, Project: k.ID, Name: k.Name, Version: version, Confidence: upstream.High}
	origin := catalogue.Origin(k.ID)
	found, ok := k.LicenceAt(version, "")
	if !ok || version == "" {
		p.Licence = audit.Failed[string](cmp.Or(found.Reason, "the version is not known"), origin)
		p.Licence.Settle = "name the version: --what-if replace=...:" + k.ID + "@VERSION"
		return p
	}
	if found.Source != "" {
		origin.URL = found.Source
	}
	p.Licence, p.Class, p.Checked = audit.Known(found.Expression, origin), string(found.Class), found.Checked
	return p
}

// swapProject takes a project out and puts others in; one that is there already keeps its place.
func swapProject(list []scoring.Project, from string, put []scoring.Project) []scoring.Project {
	var out []scoring.Project
	for _, p := range list {
		if p.ID != from {
			out = append(out, p)
		}
	}
	for _, p := range put {
		if i := slices.IndexFunc(out, func(o scoring.Project) bool { return o.ID == p.ID }); i >= 0 {
			out[i].Tiers = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(out[i].Tiers), p.Tiers...))))
			continue
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b scoring.Project) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// forget drops what was seen of artifacts that something else would run in place of: their contents, versions and digests.
func (d *dossier) forget(c Replacement, to upstream.Component, gone map[string]bool) {
	holds := map[string]bool{}
	for _, p := range d.projects.Products {
		holds[p.Artifact] = holds[p.Artifact] || p.Project == c.To
	}
	d.inventory.Artifacts = slices.Clone(d.inventory.Artifacts)
	d.thought = maps.Clone(d.thought)
	if d.thought == nil {
		d.thought = map[string]bool{}
	}
	for i, a := range d.inventory.Artifacts {
		d.thought[a.ID] = d.thought[a.ID] || gone[a.ID] && holds[a.ID]
		if !gone[a.ID] || !holds[a.ID] {
			continue
		}
		d.inventory.Artifacts[i] = sbom.Artifact{
			ID: a.ID, Kind: a.Kind, Name: to.Name + " in place of " + a.Name, Version: c.Version, Tiers: a.Tiers, Area: a.Area, Service: a.Service,
			Projects: []string{c.To},
		}
	}
	d.packages = slices.DeleteFunc(slices.Clone(d.packages), func(p sbom.Packages) bool { return gone[p.Artifact] && holds[p.Artifact] })
}

// alikeIDs lists the ids that a word may have meant: those that begin alike, else the first few.
func alikeIDs(word string, known []string) string {
	const most = 8
	slices.Sort(known)
	var near []string
	for _, k := range known {
		if len(word) >= 2 && strings.HasPrefix(k, word[:2]) {
			near = append(near, k)
		}
	}
	if len(near) == 0 {
		near = known
	}
	if len(near) > most {
		return strings.Join(near[:most], ", ") + ", ..."
	}
	return strings.Join(near, ", ")
}

// whatIf compares a thought with what was judged.
func whatIf(changes []Replacement, before, after policies.Result, title func(audit.Finding) string) *reports.WhatIf {
	w := &reports.WhatIf{Changes: []reports.WhatIfChange{}}
	for _, c := range changes {
		w.Changes = append(w.Changes, reports.WhatIfChange{From: c.From, To: c.To, Version: c.Version})
	}
	for i, v := range after.Verdicts {
		w.Verdicts = append(w.Verdicts, reports.WhatIfVerdict{Scope: v.Scope, Before: before.Verdicts[i].Outcome, After: v.Outcome})
	}
	lines := func(from, without policies.Result) []reports.WhatIfLine {
		had := map[string]audit.Outcome{}
		for _, f := range without.Findings {
			had[f.ID] = f.Outcome
		}
		out := []reports.WhatIfLine{}
		for _, f := range from.Findings {
			old, known := had[f.ID]
			if f.Severity != policies.Must || f.Outcome == audit.PASS || f.Outcome == audit.NA || known && old == f.Outcome {
				continue
			}
			out = append(out, reports.WhatIfLine{Finding: f.ID, Title: title(f), Subject: f.Subject, Outcome: f.Outcome, Settle: f.Settle})
		}
		return out
	}
	w.Gone, w.New = lines(before, after), lines(after, before)
	return w
}
