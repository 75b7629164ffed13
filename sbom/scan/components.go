package scan

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	syftsbom "github.com/anchore/syft/syft/sbom"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// maxLocations is how many paths of a component are kept, as sbom.Component says.
const maxLocations = 5

// maxName bounds names, versions and purls; Go modules with pseudo-versions have the longest, about 200 bytes.
const maxName = 2048

// mapping turns what syft found, and what this package read itself, into components.
type mapping struct {
	found    *syftsbom.SBOM
	resolver file.Resolver
	debs     map[debKey]deb
}

// component is a component on its way, with what is needed to make its Ref unique and to find it again.
type component struct {
	sbom.Component
	ids  []artifact.ID // of syft, more than one if syft lists the same thing twice
	path string        // the path that shows it best
	// copyright is where a deb's copyright file should be
	copyright string
	requires  []string // Requires-Dist of a Python package, as written
}

// components returns all packages, sorted by Ref. Every installed deb of every dpkg database must be among them: a package
// that the cataloger lost is an error, because a component that nobody sees is not judged.
func (m mapping) components(ctx context.Context) ([]sbom.Component, error) {
	var all []component
	seen := map[debKey]bool{}
	for p := range m.found.Artifacts.Packages.Enumerate() {
		if p.Type == pkg.RpmPkg && p.Name == rpmPublicKey {
			continue // the key of a signer
		}
		c := m.component(p)
		if n := max(len(c.Name), len(c.Version), len(c.PURL)); n > maxName {
			return nil, fmt.Errorf("reading %s: a name or version of %d bytes, the limit is %d", c.path, n, maxName)
		}
		if entry, ok := p.Metadata.(pkg.DpkgDBEntry); ok {
			key := debKey{entry.Package, entry.Version, entry.Architecture}
			d, present := m.debs[key]
			if !present {
				continue // its files are gone, only a record is left
			}
			seen[key] = true
			d.into(&c.Component)
			c.copyright = path.Join(d.root, "usr/share/doc", d.name, "copyright")
		}
		all = append(all, c)
	}
	if err := m.complete(seen); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all = unique(all)
	if err := m.readLicences(ctx, all); err != nil {
		return nil, err
	}
	m.connect(all)
	out := make([]sbom.Component, len(all)) // never nil: an empty target is known to be empty
	for i, c := range all {
		out[i] = c.Component
	}
	return out, nil
}

// complete compares syft's debs with our own reading of the dpkg databases.
func (m mapping) complete(seen map[debKey]bool) error {
	var lost []string
	for key := range m.debs {
		if !seen[key] {
			lost = append(lost, key.name+" "+key.version)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return fmt.Errorf("reading packages: dpkg lists %d packages, %d of them were not found by syft, the first is %s", len(m.debs), len(lost), lost[0])
}

func (m mapping) component(p pkg.Package) component {
	c := component{
		Component: sbom.Component{
			Type:    string(p.Type),
			Name:    p.Name,
			Version: p.Version,
			PURL:    p.PURL,
		},
		ids: []artifact.ID{p.ID()},
	}
	if p.Version == "UNKNOWN" { // syft's word for a missing version
		c.Version = ""
	}
	primary := primaryLocation(p)
	c.path = primary.RealPath
	c.Layer = layerOf(primary)
	for _, l := range p.Locations.ToSlice() {
		c.Locations = append(c.Locations, l.RealPath)
		if p.Type == pkg.DebPkg && isInfoFile(l.RealPath) {
			c.Layer = layerOf(l) // the status file is rewritten by every layer, the package's own files are not
		}
	}
	c.Locations = shortest(c.Locations)
	for _, l := range p.Licenses.ToSlice() {
		c.Licences = append(c.Licences, claimsOf(l)...)
	}
	c.Licences = sortClaims(c.Licences)
	origins(p, &c.Component)
	if python, ok := p.Metadata.(pkg.PythonPackage); ok {
		c.requires = append([]string{}, python.RequiresDist...) // not nil: this package says what it requires
	}
	return c
}

// origins adds what the databases of rpm and apk say about the source of a package.
func origins(p pkg.Package, c *sbom.Component) {
	switch m := p.Metadata.(type) {
	case pkg.RpmDBEntry:
		c.Arch = m.Arch
		c.Source, c.SourceVersion = sourceOfRPM(m.SourceRpm)
		c.Supplier = organisation(m.Vendor)
	case pkg.ApkDBEntry:
		c.Arch = m.Architecture
		c.Source, c.SourceVersion = cmp.Or(m.OriginPackage, m.Package), m.Version
		c.Homepage, c.Supplier = homepage(m.URL), organisation(m.Maintainer)
	}
}

// into adds what dpkg knows and syft drops.
func (d deb) into(c *sbom.Component) {
	c.Arch = d.arch
	c.Source, c.SourceVersion = d.source, d.sourceVersion
	c.Section, c.Homepage, c.Supplier = d.section, d.homepage, d.supplier
	if d.layer != "" {
		c.Layer = layerDigest(d.layer)
	}
}

// primaryLocation is the first place that syft calls primary evidence, by path; else the first place.
func primaryLocation(p pkg.Package) file.Location {
	locations := p.Locations.ToSlice()
	slices.SortStableFunc(locations, func(a, b file.Location) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.RealPath, b.RealPath), strings.Compare(a.FileSystemID, b.FileSystemID))
	})
	if len(locations) == 0 {
		return file.Location{}
	}
	return locations[0]
}

func rank(l file.Location) int {
	if l.Annotations[pkg.EvidenceAnnotationKey] == pkg.PrimaryEvidenceAnnotation {
		return 0
	}
	return 1
}

func isInfoFile(p string) bool {
	if !strings.HasSuffix(path.Dir(p), "/var/lib/dpkg/info") {
		return false
	}
	ext := path.Ext(p)
	return ext == ".list" || ext == ".md5sums"
}

func layerOf(l file.Location) audit.Digest { return layerDigest(l.FileSystemID) }

func layerDigest(id string) audit.Digest {
	d, err := audit.ParseDigest(id)
	if err != nil {
		return ""
	}
	return d
}

// shortest sorts the paths, drops repetitions and keeps as many as a component may have.
func shortest(paths []string) []string {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return slices.Clip(paths[:min(len(paths), maxLocations)])
}

// unique gives every component a Ref: its purl, with #path where one purl occurs twice. What has the same purl and the
// same path is one component.
func unique(all []component) []component {
	slices.SortStableFunc(all, func(a, b component) int {
		return cmp.Or(strings.Compare(key(a.Component), key(b.Component)), strings.Compare(a.path, b.path),
			strings.Compare(a.Type, b.Type), slices.Compare(a.Locations, b.Locations), strings.Compare(string(a.ids[0]), string(b.ids[0])))
	})
	count := map[string]int{}
	var out []component
	for _, c := range all {
		last := len(out) - 1
		if last >= 0 && key(out[last].Component) == key(c.Component) && out[last].path == c.path {
			out[last].merge(c)
			continue
		}
		count[key(c.Component)]++
		out = append(out, c)
	}
	for i := range out {
		out[i].Ref = key(out[i].Component)
		if count[out[i].Ref] > 1 {
			out[i].Ref += "#" + out[i].path
		}
	}
	slices.SortFunc(out, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return out
}

// key is the purl, or the coordinates where syft knows none, for instance for a deb of an unknown distribution.
func key(c sbom.Component) string {
	if c.PURL != "" {
		return c.PURL
	}
	return c.Type + ":" + c.Name + "@" + c.Version
}

func (c *component) merge(other component) {
	c.ids = append(c.ids, other.ids...)
	c.requires = append(c.requires, other.requires...)
	c.Licences = sortClaims(append(c.Licences, other.Licences...))
	c.Locations = shortest(append(c.Locations, other.Locations...))
}

// connect fills in DependsOn from syft's relations; those between Python packages are read anew (requirements), because of
// a package that is there twice syft takes now one copy and now the other. A component never depends on itself.
func (m mapping) connect(all []component) {
	byID := map[artifact.ID]*component{}
	for i := range all {
		for _, id := range all[i].ids {
			byID[id] = &all[i]
		}
	}
	for _, r := range m.found.Relationships {
		if r.Type != artifact.DependencyOfRelationship || r.From == nil || r.To == nil {
			continue
		}
		dependency, dependent := byID[r.From.ID()], byID[r.To.ID()]
		if dependency != nil && dependent != nil && dependency != dependent && dependent.requires == nil {
			dependent.DependsOn = append(dependent.DependsOn, dependency.Ref)
		}
	}
	requirements(all)
	for i := range all {
		slices.Sort(all[i].DependsOn)
		all[i].DependsOn = slices.Compact(all[i].DependsOn)
	}
}

// osName is ID and VERSION_ID of os-release, e.g. "debian 12".
func osName(found *syftsbom.SBOM) string {
	release := found.Artifacts.LinuxDistribution
	if release == nil {
		return ""
	}
	return strings.TrimSpace(release.ID + " " + release.VersionID)
}
