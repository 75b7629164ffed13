package sbom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"
)

// Names of properties that only SPDX documents need, because CycloneDX has fields for them.
const (
	propertyClaim    = "pegel:licence:claim" // a LicenceClaim as JSON
	propertyLocation = "pegel:location"
)

// Values of propertyKind, beside logical, for packages that are no components by themselves.
const (
	kindFile   = "file"   // stands for one executable file or archive
	kindSource = "source" // what others were built from
)

// filePurposes explains the purposes of a file, because SPDX has no words for two of the three.
const filePurposes = "BSI TR-03183-2: purposes executable and archive as named; container means structured, firmware unstructured"

// WriteImageSPDX writes the document of one image, host or other artifact as SPDX 3.0.1 in JSON-LD: the same contents as
// WriteImageBOM in another form (docs/spdx.md has the table). Installed packages are packages; each file that counts as a
// component is a package with its file as distribution artifact. Each component has one dependsOn relationship, to
// NoneElement or NoAssertionElement where there is no dependency, with the completeness that is known. What SPDX has no
// field for stands in the properties extension under the names that CycloneDX documents use.
//
// The document is written element by element and never held as a whole. The same input in any order gives the same bytes;
// spdxIds depend on the contents, not on the time. An error means that opt.At is missing, that the packages contradict
// themselves (as for WriteImageBOM), or that w could not be written; nothing was written in the first two cases.
func WriteImageSPDX(w io.Writer, a Artifact, p Packages, opt BOMOptions) (Written, error) {
	iw, err := newImageWriter(a, p, opt)
	if err != nil {
		return Written{}, fmt.Errorf("writing SPDX document of %q: %w", a.ID, err)
	}
	s := imageGraph{imageWriter: iw, artifact: a, owned: map[string][]string{}, sources: map[sourceKey][]string{}}
	s.collect()
	count := len(iw.list) + len(iw.files)
	if iw.system != nil {
		count++
	}
	ref, err := writeGraph(w, opt.At, s.write)
	if err != nil {
		return Written{}, fmt.Errorf("writing SPDX document of %q: %w", a.ID, err)
	}
	return Written{BOMRef: ref, Components: count}, nil
}

// imageGraph is the document of an artifact, ordered but not written.
type imageGraph struct {
	*imageWriter
	artifact Artifact
	owned    map[string][]string    // refs of components by the ref of their owner
	sources  map[sourceKey][]string // refs of components by what they were built from
}

// sourceKey tells source packages apart.
type sourceKey struct{ name, version, purl, address string }

func (s *imageGraph) collect() {
	for _, c := range s.list {
		if c.OwnedBy != "" {
			s.owned[c.OwnedBy] = append(s.owned[c.OwnedBy], c.Ref)
		}
		if key := sourceOf(c); key != (sourceKey{}) {
			s.sources[key] = append(s.sources[key], c.Ref)
		}
	}
}

// sourceOf returns what a component was built from, if its name or its address is known. Without a name of its own it has
// that of the component, and so for the version.
func sourceOf(c Component) sourceKey {
	purl := parsedPURL(c)
	address, _ := addressesOf(c, purl)
	if c.Source == "" && address == "" {
		return sourceKey{}
	}
	key := sourceKey{name: cmp.Or(c.Source, c.Name), version: cmp.Or(c.SourceVersion, c.Version), address: address}
	if purl.Type == packageurl.TypeDebian {
		qualifiers := packageurl.QualifiersFromMap(map[string]string{"arch": "source"})
		key.purl = packageurl.NewPackageURL(purl.Type, purl.Namespace, key.name, key.version, qualifiers, "").ToString()
	}
	return key
}

func (s *imageGraph) write(g *graphWriter) {
	kind := "analyzed"
	if s.artifact.Kind == KindHost {
		kind = "deployed"
	}
	g.head(newBOM(&s.root, "", s.pkgs.Tool, s.opt), g.id("root", ""), kind, s.opt, nil)
	s.whole(g)
	for i := range s.list {
		s.packageOf(g, i)
	}
	for _, i := range s.has[""] {
		s.file(g, s.files[i], nil)
	}
	keys := slices.SortedFunc(maps.Keys(s.sources), func(x, y sourceKey) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.version, y.version), cmp.Compare(x.purl, y.purl), cmp.Compare(x.address, y.address))
	})
	for _, key := range keys {
		s.source(g, key)
	}
}

// whole writes the artifact itself, what it contains, and the file that it is distributed as.
func (s *imageGraph) whole(g *graphWriter) {
	root := g.describe(g.id("root", ""), s.root)
	g.put(root)
	g.licensed(root.ID, s.root, s.opt)
	if s.system != nil {
		system := g.describe(g.id("os", ""), *s.system)
		g.put(system)
		g.relate(system.ID, relationDependsOn, completenessUnknown, "", spdxNoAssertion)
	}
	if isHex(s.pkgs.SHA512, 128) {
		name := cmp.Or(property(s.root.Properties, bsiFilename), root.Name)
		file := graphArtifact{graphCore: g.core("software_File", g.id("deployable", ""), name), Purpose: purposeFile,
			Purposes: []string{purposeArchive, purposeContainer}}
		file.Comment, file.Hashes = filePurposes, graphHashes(s.artifact.Digest.Hex(), s.pkgs.SHA512)
		g.put(file)
		g.relate(root.ID, relationDistribution, completenessFull, "", file.ID)
	}
	s.contents(g, root.ID)
}

// contents relates the root to everything in it. Files that are no components are not listed, so it is never complete.
func (s *imageGraph) contents(g *graphWriter, root string) {
	if _, known := s.pkgs.Components.Get(); !known || s.opt.Counts {
		g.relate(root, relationContains, completenessUnknown, "", spdxNoAssertion)
		return
	}
	to := make([]string, 0, len(s.list)+len(s.has[""])+1)
	if s.system != nil {
		to = append(to, g.id("os", ""))
	}
	for _, c := range s.list {
		to = append(to, g.id("package", c.Ref))
	}
	for _, i := range s.has[""] {
		to = append(to, g.id("executable", s.files[i].Path))
	}
	if len(to) == 0 {
		to = append(to, spdxNone)
	}
	g.relate(root, relationContains, completenessPart, "", to...)
}

// packageOf writes one installed package with its relationships and the files that it brings.
func (s *imageGraph) packageOf(g *graphWriter, i int) {
	p := s.list[i]
	if strings.Contains(p.Supplier, "@") { // an address: it may be a person's
		p.Supplier = ""
	}
	c := packageComponent(p, s.owner(p), s.judged[i])
	n := g.describe(g.id("package", p.Ref), c)
	var pairs []string
	for _, location := range p.Locations {
		pairs = append(pairs, propertyLocation, location)
	}
	for _, claim := range p.Licences {
		pairs = append(pairs, propertyClaim, claimText(claim))
	}
	n.add(pairs...)
	g.put(n)
	s.dependencies(g, n.ID, p)
	var brought []string
	for _, ref := range s.owned[p.Ref] {
		brought = append(brought, g.id("package", ref))
	}
	for _, j := range s.has[p.Ref] {
		brought = append(brought, g.id("executable", s.files[j].Path))
	}
	g.relate(n.ID, relationContains, completenessPart, "", brought...)
	g.licensed(n.ID, c, s.opt)
	for _, j := range s.has[p.Ref] {
		s.file(g, s.files[j], &c)
	}
}

// owner returns the component in whose files another lies, or nil.
func (s *imageGraph) owner(c Component) *Component {
	if c.OwnedBy == "" {
		return nil
	}
	i, _ := slices.BinarySearchFunc(s.list, c.OwnedBy, func(x Component, ref string) int { return cmp.Compare(x.Ref, ref) })
	return &s.list[i]
}

// dependencies writes what a component depends on; every component has the relationship, so that nothing to depend on can
// be told from nothing known.
func (s *imageGraph) dependencies(g *graphWriter, id string, c Component) {
	var to []string
	for _, ref := range sortedUnion(nil, c.DependsOn) {
		to = append(to, g.id("package", ref))
	}
	completeness := completenessUnknown
	switch c.Dependencies {
	case DependenciesComplete:
		completeness = completenessFull
	case DependenciesIncomplete:
		completeness = completenessPart
	}
	switch {
	case to == nil && completeness == completenessFull:
		to = []string{spdxNone}
	case to == nil:
		to = []string{spdxNoAssertion}
	}
	g.relate(id, relationDependsOn, completeness, "", to...)
}

// file writes one file that counts as a component: a package with name, version, maker and licences of what brings it,
// and the file itself with its hashes. owner is nil for a file that no package claims.
func (s *imageGraph) file(g *graphWriter, f File, owner *cdx.Component) {
	c := fileComponent(f, "", owner, s.address)
	about := c.Properties
	c.Properties = properties(propertyKind, kindFile, bsiEffective, property(about, bsiEffective))
	c.Hashes = nil
	n := g.describe(g.id("executable", f.Path), c)
	g.put(n)
	content := graphArtifact{graphCore: g.core("software_File", g.id("file", f.Path), path.Base(f.Path)), Purpose: purposeFile, Purposes: purposesOf(f)}
	content.Comment, content.Hashes = filePurposes, graphHashes(f.SHA256, f.SHA512)
	content.take(about)
	g.put(content)
	g.relate(n.ID, relationDistribution, completenessFull, "", content.ID)
	g.relate(n.ID, relationDependsOn, completenessUnknown, "", spdxNoAssertion)
	g.licensed(n.ID, c, s.opt)
}

// purposesOf says the three things that BSI TR-03183-2 asks of a file.
func purposesOf(f File) []string {
	var out []string
	if f.Archive {
		out = append(out, purposeArchive)
	}
	if f.Executable {
		out = append(out, purposeExecutable)
	}
	if f.Structured {
		return append(out, purposeContainer)
	}
	return append(out, purposeFirmware)
}

// source writes what components were built from, and where it can be had.
func (s *imageGraph) source(g *graphWriter, key sourceKey) {
	name := cmp.Or(key.purl, url.QueryEscape(key.name)+"@"+url.QueryEscape(key.version))
	id := g.id("source", strings.TrimSpace(name+" "+key.address))
	n := graphArtifact{graphCore: g.core("software_Package", id, key.name), Purpose: purposeSource, Version: key.version, PURL: key.purl}
	if key.address != "" {
		n.References = []graphReference{{Type: "ExternalRef", Kind: "sourceArtifact", Locators: []string{key.address}}}
	}
	n.add(propertyKind, kindSource)
	g.put(n)
	var to []string
	for _, ref := range s.sources[key] {
		to = append(to, g.id("package", ref))
	}
	g.relate(id, relationGenerates, completenessUnknown, "", to...)
}

// claimText writes a claim about a licence as it was found; a claim that says nothing is left out.
func claimText(l LicenceClaim) string {
	if l.Value == "" {
		return ""
	}
	text, err := json.Marshal(l)
	if err != nil { // a LicenceClaim is made of texts and a time
		return ""
	}
	return string(text)
}
