package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
)

// PublicForm makes the form of an inventory and of packages that may be published. Both functions must be given: what is
// public is decided by the same rules as in reports.
type PublicForm struct {
	Registry func(host string) bool    // the name of this registry tells nothing about who uses it
	Address  func(address string) bool // anybody can reach this web address
}

// Of returns what may be published of a stack; what it is given stays as it is. Gone are: names of hosts ("host 1"),
// namespaces, workloads and places where artifacts were seen; internal registries; names of images, documents and
// software that lead to no known project and are known only inside ("internal image 1"); services that only the operator
// named so; paths of files and packages inside artifacts, unless a package of the distribution brings the file; labels
// but the licence; addresses that only insiders reach; the reasons of failures; lists for cross-checks. Kept are digests,
// versions, licences, and names of packages: whoever must hide these asks for counts (BOMOptions.Counts).
//
// Labels are numbered in the order of what they stand for, so that the same input in any order gives the same form.
func (f PublicForm) Of(inv Inventory, pkgs []Packages) (Inventory, []Packages) {
	out := Inventory{Schema: inv.Schema, Failures: publicFailures(inv.Failures)}
	ids := map[string]string{}
	artifacts := slices.Clone(inv.Artifacts)
	slices.SortFunc(artifacts, func(x, y Artifact) int { return cmp.Compare(x.ID, y.ID) })
	names := f.hiddenNames(artifacts)
	taken := map[string][]string{}
	for _, a := range artifacts {
		public := f.artifact(a, names[a.ID])
		public.ID = freeRef(public.ID, taken)
		taken[public.ID] = nil
		ids[a.ID] = public.ID
		out.Artifacts = append(out.Artifacts, public)
	}
	slices.SortFunc(out.Artifacts, func(x, y Artifact) int { return cmp.Compare(x.ID, y.ID) })
	var contents []Packages
	for _, p := range pkgs {
		if id, known := ids[p.Artifact]; known {
			contents = append(contents, f.packages(p, id))
		}
	}
	slices.SortFunc(contents, func(x, y Packages) int { return cmp.Compare(x.Artifact, y.Artifact) })
	return out, contents
}

// hiddenNames returns what stands for the names of artifacts that may not be shown, by ID.
func (f PublicForm) hiddenNames(artifacts []Artifact) map[string]string {
	byKind := map[string][]string{}
	for _, a := range artifacts {
		if kind := f.hidden(a); kind != "" {
			byKind[kind] = append(byKind[kind], a.ID)
		}
	}
	out := map[string]string{}
	for kind, list := range byKind {
		digits := len(strconv.Itoa(len(list)))
		for i, id := range list {
			out[id] = fmt.Sprintf("%s %0*d", kind, digits, i+1)
		}
	}
	return out
}

// hidden says as what an artifact is shown whose name is not, or nothing if the name may be shown.
func (f PublicForm) hidden(a Artifact) string {
	known := len(a.Projects) > 0
	switch {
	case a.Kind == KindHost:
		return "host"
	case known:
		return ""
	case a.Kind == KindImage:
		if r, err := ParseReference(a.Reference); err == nil && (r.Registry == "" || f.Registry(r.Registry)) {
			return ""
		}
		return "internal image"
	case a.Kind == KindBOM:
		return "document"
	}
	return "internal software"
}

// artifact returns the public form of one artifact; hidden is the name that it gets, or empty if it keeps its own.
func (f PublicForm) artifact(a Artifact, hidden string) Artifact {
	out := Artifact{
		ID: a.ID, Kind: a.Kind, Name: cmp.Or(hidden, a.Name), Version: a.Version, Edition: a.Edition, Digest: a.Digest,
		Digests: slices.Clone(a.Digests), Config: a.Config, Tiers: slices.Clone(a.Tiers), Area: a.Area, Projects: slices.Clone(a.Projects),
		Replicas: a.Replicas, ByName: a.ByName, Support: a.Support, Labels: publicLabels(a.Labels),
	}
	if a.Kind != KindImage || a.Platform != "" && strings.Count(a.Platform, "/") > 0 {
		out.Platform = a.Platform
	}
	if a.Unpinned != "" {
		out.Unpinned = "it may mean something else tomorrow"
	}
	if a.Excluded != "" {
		out.Excluded = "left out by the operator"
	}
	if strings.HasPrefix(a.Placed, "catalogue") && len(a.Projects) > 0 { // not the operator's own words
		out.Placed, out.Service = a.Placed, a.Service
	}
	for _, s := range a.Sightings {
		seen := Sighting{Source: sourceKind(s.Source), Declared: s.Declared, State: s.State, Digest: s.Digest}
		if !slices.ContainsFunc(out.Sightings, func(x Sighting) bool {
			return x.Source == seen.Source && x.Declared == seen.Declared && x.State == seen.State && x.Digest == seen.Digest
		}) {
			out.Sightings = append(out.Sightings, seen)
		}
	}
	if hidden != "" {
		out.ID = a.Kind + ":" + hidden
	}
	if a.Kind == KindImage {
		out.Reference = f.reference(a.Reference, hidden)
		for _, alias := range a.Aliases {
			if r := f.reference(alias, hidden); r != "" && r != out.Reference {
				out.Aliases = append(out.Aliases, r)
			}
		}
		out.Aliases = sortedUnion(nil, out.Aliases)
		switch {
		case a.Digest != "":
			out.ID = "image:" + string(a.Digest)
		case hidden == "" && out.Reference != "":
			out.ID = "image:" + out.Reference
		}
	}
	return out
}

// reference leaves out an internal registry, and everything where the name is hidden too.
func (f PublicForm) reference(text, hidden string) string {
	r, err := ParseReference(text)
	if err != nil || hidden != "" {
		return ""
	}
	if r.Registry != "" && !f.Registry(r.Registry) {
		r.Registry, r.Path = "", r.Name() // the path of an internal registry tells how the operator sorts things
	}
	return r.String()
}

// sourceKind returns the kind of a source without its address.
func sourceKind(source string) string {
	kind, _, _ := strings.Cut(source, " ")
	return kind
}

func publicLabels(labels map[string]string) map[string]string {
	const key = "org.opencontainers.image.licenses"
	if labels[key] == "" {
		return nil
	}
	return map[string]string{key: labels[key]}
}

// publicFailures keeps which kinds of sources could not be read: an incomplete list must not look complete.
func publicFailures(failures []Failure) []Failure {
	kinds := map[string]bool{}
	for _, f := range failures {
		kinds[sourceKind(f.Source)] = true
	}
	var out []Failure
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, Failure{Source: kind, Reason: "a part could not be read"})
	}
	return out
}

func (f PublicForm) packages(p Packages, id string) Packages {
	out := Packages{
		Schema: p.Schema, Artifact: id, OS: p.OS, Tool: p.Tool, SHA512: p.SHA512, Labels: publicLabels(p.Labels), Declared: p.Declared, Depth: p.Depth,
	}
	list, known := p.Components.Get()
	if !known {
		if p.Components.Failure != "" {
			out.Components = audit.Failed[[]Component]("the contents could not be read")
		}
		return out
	}
	refs := f.publicRefs(list)
	public := make([]Component, 0, len(list))
	for _, c := range list {
		public = append(public, f.component(c, refs))
	}
	slices.SortFunc(public, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	out.Components = audit.Known(public)
	types := map[string]string{}
	for _, c := range list {
		types[c.Ref] = c.Type
	}
	for _, file := range p.Files {
		if kind := types[file.Owner]; kind == "deb" || kind == "rpm" || kind == "apk" {
			file.Owner = refs[file.Owner]
			out.Files = append(out.Files, file)
		}
	}
	if len(out.Files) < len(p.Files) && out.Depth == DepthAll {
		out.Depth = DepthEntries // no longer every file
	}
	return out
}

// publicRefs returns the refs of the public form by those of the full one: a ref holds the purl and, where one purl occurs
// twice, a path.
func (f PublicForm) publicRefs(list []Component) map[string]string {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	refs, taken := map[string]string{}, map[string][]string{}
	hidden := 0
	for _, c := range sorted {
		ref := cmp.Or(f.purl(c), c.Type+":"+c.Name+"@"+c.Version)
		if f.internalModule(c) {
			hidden++
			ref = fmt.Sprintf("internal module %d", hidden)
		}
		ref = freeRef(ref, taken)
		taken[ref], refs[c.Ref] = nil, ref
	}
	return refs
}

func (f PublicForm) component(c Component, refs map[string]string) Component {
	out := Component{
		Ref: refs[c.Ref], Type: c.Type, Name: c.Name, Version: c.Version, PURL: f.purl(c), CPE: c.CPE, Arch: c.Arch,
		Source: c.Source, SourceVersion: c.SourceVersion, Supplier: c.Supplier, Section: c.Section,
		Dependencies: c.Dependencies, OwnedBy: refs[c.OwnedBy], Layer: c.Layer,
	}
	if c.Homepage != "" && f.Address(c.Homepage) {
		out.Homepage = c.Homepage
	}
	for _, to := range c.DependsOn {
		out.DependsOn = append(out.DependsOn, refs[to])
	}
	slices.Sort(out.DependsOn)
	for _, l := range c.Licences {
		claim := LicenceClaim{Value: l.Value, Provenance: l.Provenance, Weight: l.Weight}
		if l.Origin.URL != "" && f.Address(l.Origin.URL) {
			claim.Origin = l.Origin
			claim.Origin.Path = path.Base(cmp.Or(l.Origin.Path, "."))
		}
		out.Licences = append(out.Licences, claim)
	}
	out.Licences = sortedClaims(out.Licences)
	if f.internalModule(c) {
		out.Name, out.PURL, out.CPE, out.Source, out.Supplier = out.Ref, "", "", "", ""
	}
	return out
}

// internalModule reports whether the name of a package is an address that only insiders reach, as a Go module from an
// internal forge has.
func (f PublicForm) internalModule(c Component) bool {
	if c.Type != "go-module" {
		return false
	}
	host, _, nested := strings.Cut(c.Name, "/")
	return nested && strings.Contains(host, ".") && !f.Address("https://"+host+"/")
}

// purl keeps of the qualifiers those that say which package it is, not where somebody got it from.
func (f PublicForm) purl(c Component) string {
	p, err := packageurl.FromString(c.PURL)
	if err != nil || f.internalModule(c) {
		return ""
	}
	var kept packageurl.Qualifiers
	for _, q := range p.Qualifiers {
		switch q.Key {
		case "arch", "distro", "epoch", "upstream", "type", "classifier":
			kept = append(kept, q)
		}
	}
	p.Qualifiers, p.Subpath = kept, ""
	return p.ToString()
}
