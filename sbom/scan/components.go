package scan

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/anchore/packageurl-go"
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

// mapping turns what syft found, and what this package read itself, into components and files.
type mapping struct {
	found *syftsbom.SBOM
	view  *view
	debs  []deb
	depth string

	copyrights *copyrights
}

// component is a component on its way, with what is needed to make its Ref unique and to find it again.
type component struct {
	sbom.Component
	ids       []artifact.ID // of syft, more than one if syft lists the same thing twice; none of a deb
	path      string        // the path that shows it best
	deb       *deb
	copyright string       // where a deb's copyright file should be
	requires  []string     // Requires-Dist of a Python package, as written
	npm       []string     // names under dependencies of a package.json
	files     []string     // paths of its files, where its own record says so
	isProgram bool         // the program itself among the modules that are built into it
	record    *pkg.Package // as syft found it
}

// components returns all packages, sorted by Ref, and the files that belong to them.
func (m mapping) components(ctx context.Context) ([]sbom.Component, []sbom.File, error) {
	var all []component
	for p := range m.found.Artifacts.Packages.Enumerate() {
		if p.Type == pkg.RpmPkg && p.Name == rpmPublicKey {
			continue // the key of a signer
		}
		all = append(all, m.component(p))
	}
	for i := range m.debs {
		all = append(all, m.debComponent(&m.debs[i]))
	}
	for _, c := range all {
		if n := max(len(c.Name), len(c.Version), len(c.PURL)); n > maxName {
			return nil, nil, fmt.Errorf("reading %s: a name or version of %d bytes, the limit is %d", c.path, n, maxName)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	all = unique(all)
	owned, err := m.ownership(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	all = owned.nest(m, all)
	if err := m.readLicences(ctx, all); err != nil {
		return nil, nil, err
	}
	m.connect(all)
	files, err := m.files(ctx, all, owned)
	if err != nil {
		return nil, nil, err
	}
	out := make([]sbom.Component, len(all)) // never nil: an empty target is known to be empty
	for i, c := range all {
		out[i] = c.Component
	}
	return sbom.InheritLicences(out), files, nil
}

// debComponent is the component of a deb, with the purl that syft would give it.
func (m mapping) debComponent(d *deb) component {
	c := component{
		Component: sbom.Component{
			Type: string(pkg.DebPkg), Name: d.name, Version: d.version, PURL: m.debPURL(d), Arch: d.arch,
			Source: d.source, SourceVersion: d.sourceVersion, Section: d.section, Homepage: d.homepage, Supplier: d.supplier,
			Layer: layerOf(d.status), Locations: []string{d.status.RealPath},
		},
		path: d.status.RealPath, deb: d, copyright: path.Join(d.root, "usr/share/doc", d.name, "copyright"),
	}
	for _, ext := range []string{".md5sums", ".list"} {
		if at := m.debInfo(d, ext); at != nil {
			c.Layer = layerOf(*at) // the status file is rewritten by every layer, the package's own files are not
			c.Locations = append(c.Locations, at.RealPath)
			break
		}
	}
	c.Locations = shortest(c.Locations)
	return c
}

// debInfo finds one of the files that dpkg keeps about a package.
func (m mapping) debInfo(d *deb, ext string) *file.Location {
	dir := path.Join(d.root, "var/lib/dpkg/info")
	if d.perFile {
		dir = path.Dir(d.status.RealPath)
	}
	for _, name := range []string{d.name + ":" + d.arch, d.name} {
		if at := m.view.RelativeFileByPath(d.status, path.Join(dir, name+ext)); at != nil {
			return at
		}
	}
	return nil
}

// debPURL is the purl of a deb of a distribution that is Debian or built on it; of others nothing is known.
func (m mapping) debPURL(d *deb) string {
	release := m.found.Artifacts.LinuxDistribution
	if release == nil || release.ID != "debian" && !slices.Contains(release.IDLike, "debian") {
		return ""
	}
	qualifiers := map[string]string{pkg.PURLQualifierArch: d.arch}
	if d.upstream != "" {
		qualifiers[pkg.PURLQualifierUpstream] = d.upstream
	}
	return packageurl.NewPackageURL(packageurl.TypeDebian, release.ID, d.name, d.version, pkg.PURLQualifiers(qualifiers, release), "").ToString()
}

func (m mapping) component(p pkg.Package) component {
	c := component{
		Component: sbom.Component{
			Type:    string(p.Type),
			Name:    p.Name,
			Version: p.Version,
			PURL:    p.PURL,
		},
		ids: []artifact.ID{p.ID()}, record: &p,
	}
	if p.Version == "UNKNOWN" { // syft's word for a missing version
		c.Version = ""
	}
	primary := primaryLocation(p)
	c.path = primary.RealPath
	c.Layer = layerOf(primary)
	for _, l := range p.Locations.ToSlice() {
		c.Locations = append(c.Locations, l.RealPath)
	}
	c.Locations = shortest(c.Locations)
	for _, l := range p.Licenses.ToSlice() {
		c.Licences = append(c.Licences, claimsOf(l)...)
	}
	c.Licences = sortClaims(c.Licences)
	origins(p, &c.Component)
	c.details(p)
	return c
}

// details takes over what only some kinds of packages say about their files and about what they need.
func (c *component) details(p pkg.Package) {
	switch m := p.Metadata.(type) {
	case pkg.PythonPackage:
		c.requires = append([]string{}, m.RequiresDist...) // not nil: this package says what it requires
		for _, f := range m.Files {
			c.files = append(c.files, path.Join("/", m.SitePackagesRootPath, f.Path))
		}
	case pkg.RpmDBEntry:
		for _, f := range m.Files {
			c.files = append(c.files, f.Path)
		}
	case pkg.ApkDBEntry:
		for _, f := range m.Files {
			c.files = append(c.files, f.Path)
		}
	case pkg.NpmPackage:
		c.npm = []string{}
	case pkg.GolangBinaryBuildinfoEntry:
		c.isProgram = m.MainModule == p.Name
		if c.isProgram {
			c.Dependencies = sbom.DependenciesIncomplete // build information is flat: it does not say which module needs which
		}
	}
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
			strings.Compare(a.Type, b.Type), slices.Compare(a.Locations, b.Locations), strings.Compare(a.firstID(), b.firstID()))
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

// firstID is the name that syft gave, to put in order what cannot be told apart otherwise.
func (c component) firstID() string {
	if len(c.ids) == 0 {
		return ""
	}
	return string(c.ids[0])
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
	c.files = append(c.files, other.files...)
	c.isProgram = c.isProgram || other.isProgram
	c.Licences = sortClaims(append(c.Licences, other.Licences...))
	c.Locations = shortest(append(c.Locations, other.Locations...))
}

// osName is ID and VERSION_ID of os-release, e.g. "debian 12".
func osName(found *syftsbom.SBOM) string {
	release := found.Artifacts.LinuxDistribution
	if release == nil {
		return ""
	}
	return strings.TrimSpace(release.ID + " " + release.VersionID)
}
