package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
)

// MediaType is the media type of the documents written here.
const MediaType = "application/vnd.cyclonedx+json; version=1.7"

// Names of properties of components. The reader takes them back.
const (
	propertyType          = "pegel:package:type"
	propertyArch          = "pegel:package:arch"
	propertySource        = "pegel:package:source"
	propertySourceVersion = "pegel:package:source-version"
	propertySection       = "pegel:package:section"
	propertyLayer         = "pegel:package:layer"
	propertyKind          = "pegel:bsi:kind" // "logical": an installed package, not a file (BSI TR-03183-2 section 3.2.2)
	propertyClass         = "pegel:licence:class"
	propertyProvenance    = "pegel:licence:provenance"
	propertyPath          = "pegel:licence:path"
	propertyFailure       = "pegel:packages:failure"
	propertyPlaced        = "pegel:artifact:placed"
	propertyUnpinned      = "pegel:artifact:unpinned"
	propertyDeclared      = "pegel:artifact:declared"
	propertyExcluded      = "pegel:artifact:excluded"
	propertyReference     = "pegel:artifact:reference"
	propertyPlatform      = "pegel:artifact:platform"
	propertyScanner       = "pegel:scanner"
	propertyLabel         = "pegel:label:" // and the key of the OCI label
)

// Limits of CycloneDX 1.7 that hostile input could break.
const maxVersion = 1024

// BOMOptions are what a document needs beside its contents. All may be empty but At.
type BOMOptions struct {
	At          time.Time // assessed_at: the timestamp of the document, no part of its serial number
	ToolVersion string    // of Pegel
	Creator     string    // organisation that makes the document
	CreatorURL  string    // and its address
	// Licences judges the licences of a component; nil judges none.
	Licences func(Component) Licensing
	// Internal marks a document with internal names as not for the public (TLP AMBER). Without it the document is marked
	// CLEAR, so give artifacts that went through Public.
	Internal bool
}

// Document is a CycloneDX 1.7 document in JSON.
type Document struct {
	SerialNumber string // urn:uuid:...; the same contents have the same one, whatever the timestamp
	Components   int    // without the root
	Data         []byte
}

// BOMRef points from one document to another.
type BOMRef struct {
	SerialNumber string // urn:uuid:...
	Version      int
	SHA256       string // of the file, hexadecimal
	SHA512       string
}

// Ref returns what another document needs to point to this one.
func (d Document) Ref() BOMRef {
	short, long := sha256.Sum256(d.Data), sha512.Sum512(d.Data)
	return BOMRef{SerialNumber: d.SerialNumber, Version: 1, SHA256: hex.EncodeToString(short[:]), SHA512: hex.EncodeToString(long[:])}
}

// ImageBOM writes the document of one image, host or other artifact: the artifact is the root, its packages are the
// components, and every component can be reached from the root by dependencies. Packages that could not be read give a
// document whose root says so. The same input in any order gives the same bytes. An error means that the packages
// contradict themselves: a ref that is empty, occurs twice, or is depended upon and missing.
func ImageBOM(a Artifact, p Packages, opt BOMOptions) (Document, error) {
	components, _ := p.Components.Get()
	components = slices.Clone(components)
	slices.SortFunc(components, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	edges, err := checkRefs(components)
	if err != nil {
		return Document{}, fmt.Errorf("writing SBOM of %q: %w", a.ID, err)
	}
	phase := cdx.LifecyclePhasePostBuild
	if a.Kind == KindHost {
		phase = cdx.LifecyclePhaseOperations
	}
	root := rootComponent(a, p)
	root.BOMRef = freeRef(cmp.Or(a.ID, "root"), edges)
	edges[root.BOMRef] = nil
	list := make([]cdx.Component, 0, len(components)+1)
	for _, c := range components {
		list = append(list, packageComponent(c, opt.Licences))
	}
	if p.OS != "" {
		system := osComponent(p.OS)
		system.BOMRef = freeRef(system.BOMRef, edges)
		list = append(list, system)
		edges[system.BOMRef] = nil
		slices.SortFunc(list, func(x, y cdx.Component) int { return cmp.Compare(x.BOMRef, y.BOMRef) })
	}
	edges[root.BOMRef] = entryPoints(root.BOMRef, edges)

	bom := newBOM(&root, phase, p.Tool, opt)
	bom.Components = listOf(list)
	bom.Dependencies = dependencies(edges)
	bom.Compositions = imageCompositions(root.BOMRef, p, components)
	return encode(bom, nil, len(list))
}

// newBOM returns a document with everything in the metadata but the timestamp, which encode adds.
func newBOM(root *cdx.Component, phase cdx.LifecyclePhase, scanner string, opt BOMOptions) *cdx.BOM {
	bom := cdx.NewBOM()
	pegel := cdx.Component{Type: cdx.ComponentTypeApplication, Name: "pegel", Version: clip(opt.ToolVersion)}
	if scanner != "" {
		pegel.Properties = properties(propertyScanner, scanner)
	}
	distribution := cdx.TLPClassificationClear
	if opt.Internal {
		distribution = cdx.TLPClassificationAmber
	}
	bom.Metadata = &cdx.Metadata{
		Lifecycles:              &[]cdx.Lifecycle{{Phase: phase}},
		Tools:                   &cdx.ToolsChoice{Components: &[]cdx.Component{pegel}},
		Component:               root,
		DistributionConstraints: &cdx.DistributionConstraints{TLP: distribution},
	}
	if !opt.At.IsZero() {
		bom.Metadata.Timestamp = opt.At.UTC().Format(time.RFC3339)
	}
	if opt.Creator != "" || opt.CreatorURL != "" {
		entity := &cdx.OrganizationalEntity{Name: opt.Creator}
		if webAddress(opt.CreatorURL) {
			entity.URL = &[]string{opt.CreatorURL}
		}
		bom.Metadata.Manufacturer = entity
	}
	return bom
}

// encode gives the document its serial number, which is the UUIDv5 of the document without timestamp and serial number,
// and writes it. late, if given, adds what the serial number must not depend on.
func encode(bom *cdx.BOM, late func(), components int) (Document, error) {
	timestamp := bom.Metadata.Timestamp
	bom.Metadata.Timestamp = ""
	name := nameHash()
	if err := encodeTo(name, bom, false); err != nil {
		return Document{}, err
	}
	bom.SerialNumber, bom.Metadata.Timestamp = serialNumber(name), timestamp
	if late != nil {
		late()
	}
	var out bytes.Buffer
	if err := encodeTo(&out, bom, true); err != nil {
		return Document{}, err
	}
	return Document{SerialNumber: bom.SerialNumber, Components: components, Data: out.Bytes()}, nil
}

func encodeTo(w io.Writer, bom *cdx.BOM, pretty bool) error {
	if err := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetEscapeHTML(false).SetPretty(pretty).Encode(bom); err != nil {
		return fmt.Errorf("encoding CycloneDX: %w", err)
	}
	return nil
}

// checkRefs returns the edges between components and refuses refs that the document could not carry.
func checkRefs(components []Component) (map[string][]string, error) {
	edges := make(map[string][]string, len(components)+2)
	for _, c := range components {
		switch _, twice := edges[c.Ref]; {
		case c.Ref == "":
			return nil, fmt.Errorf("component %q has no ref", c.Name)
		case strings.HasPrefix(c.Ref, "urn:cdx:"):
			return nil, fmt.Errorf("ref %q begins like a BOM-Link", c.Ref)
		case twice:
			return nil, fmt.Errorf("ref %q occurs twice", c.Ref)
		}
		edges[c.Ref] = sortedUnion(nil, c.DependsOn)
	}
	for _, c := range components {
		for _, to := range edges[c.Ref] {
			if _, ok := edges[to]; !ok {
				return nil, fmt.Errorf("component %q depends on %q, which is not listed", c.Ref, to)
			}
		}
	}
	return edges, nil
}

// freeRef returns the ref, numbered if a component by strangers already has it.
func freeRef(ref string, taken map[string][]string) string {
	free := ref
	for n := 2; ; n++ {
		if _, ok := taken[free]; !ok {
			return free
		}
		free = fmt.Sprintf("%s#%d", ref, n)
	}
}

// entryPoints returns the refs that the root must point to so that everything can be reached: what nothing else depends
// on, and the first of each circle that is left.
func entryPoints(root string, edges map[string][]string) []string {
	refs := make([]string, 0, len(edges))
	incoming := map[string]bool{}
	for from, list := range edges {
		refs = append(refs, from)
		for _, to := range list {
			incoming[to] = incoming[to] || to != from
		}
	}
	slices.Sort(refs)
	reached := map[string]bool{root: true}
	var entries []string
	enter := func(ref string) {
		entries = append(entries, ref)
		for stack := []string{ref}; len(stack) > 0; {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !reached[at] {
				reached[at] = true
				stack = append(stack, edges[at]...)
			}
		}
	}
	for _, ref := range refs {
		if ref != root && !incoming[ref] {
			enter(ref)
		}
	}
	for _, ref := range refs {
		if !reached[ref] {
			enter(ref)
		}
	}
	slices.Sort(entries)
	return entries
}

func dependencies(edges map[string][]string) *[]cdx.Dependency {
	out := make([]cdx.Dependency, 0, len(edges))
	for ref, list := range edges {
		out = append(out, cdx.Dependency{Ref: ref, Dependencies: listOf(slices.DeleteFunc(slices.Clone(list), func(to string) bool { return to == ref }))})
	}
	slices.SortFunc(out, func(x, y cdx.Dependency) int { return cmp.Compare(x.Ref, y.Ref) })
	return &out
}

// imageCompositions says how complete the document is. Packages are listed, files that belong to none are not, so the
// list is never called complete. Edges are complete for packages of a dpkg database whose dependencies were read.
func imageCompositions(root string, p Packages, components []Component) *[]cdx.Composition {
	if _, known := p.Components.Get(); !known {
		refs := &[]cdx.BOMReference{cdx.BOMReference(root)}
		return &[]cdx.Composition{{Aggregate: cdx.CompositionAggregateUnknown, Assemblies: refs, Dependencies: refs}}
	}
	resolved := slices.ContainsFunc(components, func(c Component) bool { return c.Type == "deb" && len(c.DependsOn) > 0 })
	var complete []cdx.BOMReference
	incomplete := []cdx.BOMReference{cdx.BOMReference(root)}
	for _, c := range components {
		if c.Type == "deb" && resolved {
			complete = append(complete, cdx.BOMReference(c.Ref))
		} else {
			incomplete = append(incomplete, cdx.BOMReference(c.Ref))
		}
	}
	out := []cdx.Composition{{
		Aggregate:    cdx.CompositionAggregateIncomplete,
		Assemblies:   &[]cdx.BOMReference{cdx.BOMReference(root)},
		Dependencies: &incomplete,
	}}
	if len(complete) > 0 {
		out = append(out, cdx.Composition{Aggregate: cdx.CompositionAggregateComplete, Dependencies: &complete})
	}
	return &out
}

func rootComponent(a Artifact, p Packages) cdx.Component {
	c := artifactComponent(a)
	if p.SHA512 != "" && isHex(p.SHA512, 128) {
		hashes := append(deref(c.Hashes), cdx.Hash{Algorithm: cdx.HashAlgoSHA512, Value: p.SHA512})
		c.Hashes = &hashes
	}
	props := deref(c.Properties)
	for key, value := range p.Labels {
		if value != "" {
			props = append(props, cdx.Property{Name: propertyLabel + key, Value: value})
		}
	}
	if p.Components.Value == nil && p.Components.Failure != "" {
		props = append(props, cdx.Property{Name: propertyFailure, Value: p.Components.Failure})
	}
	c.Properties = sortedProperties(props)
	return c
}

// artifactComponent describes an artifact itself, as root of its own document or as part of a stack.
func artifactComponent(a Artifact) cdx.Component {
	c := cdx.Component{
		BOMRef: a.ID, Type: artifactType(a.Kind), Name: cmp.Or(a.Name, a.Reference, a.ID),
		Version: clip(a.Version), PackageURL: artifactPURL(a),
	}
	var props []cdx.Property
	add := func(name, value string) {
		if value != "" {
			props = append(props, cdx.Property{Name: name, Value: value})
		}
	}
	add(propertyReference, a.Reference)
	for _, alias := range a.Aliases {
		add(propertyReference, alias)
	}
	add(propertyPlatform, a.Platform)
	add(propertyUnpinned, a.Unpinned)
	if len(a.Sightings) > 0 && !a.Seen() {
		add(propertyDeclared, "declared, not seen running")
	}
	c.Properties = sortedProperties(props)
	if a.Digest != "" && isHex(a.Digest.Hex(), 64) {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: a.Digest.Hex()}}
	}
	return c
}

func artifactType(kind string) cdx.ComponentType {
	switch kind {
	case KindImage:
		return cdx.ComponentTypeContainer
	case KindHost:
		return cdx.ComponentTypePlatform
	}
	return cdx.ComponentTypeApplication
}

// artifactPURL returns the purl of an image whose digest is known (pkg:oci), or nothing: a tag is no identity.
func artifactPURL(a Artifact) string {
	if a.Kind != KindImage || a.Digest == "" {
		return ""
	}
	name, qualifiers := a.Name, map[string]string{}
	if r, err := ParseReference(a.Reference); err == nil {
		name = r.Name()
		if r.Registry != "" {
			qualifiers["repository_url"] = r.Repository()
		}
		if r.Tag != "" {
			qualifiers["tag"] = r.Tag
		}
	}
	if name == "" {
		return ""
	}
	return packageurl.NewPackageURL("oci", "", strings.ToLower(name), string(a.Digest), packageurl.QualifiersFromMap(qualifiers), "").ToString()
}

func osComponent(system string) cdx.Component {
	name, version, _ := strings.Cut(system, " ")
	return cdx.Component{BOMRef: "os:" + system, Type: cdx.ComponentTypeOS, Name: name, Version: clip(version)}
}

func packageComponent(p Component, licences func(Component) Licensing) cdx.Component {
	c := cdx.Component{
		BOMRef: p.Ref, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: clip(p.Version),
		PackageURL: p.PURL, CPE: p.CPE,
	}
	kind := "logical"
	if p.Type == "file" {
		c.Type, kind = cdx.ComponentTypeFile, ""
	}
	if p.Supplier != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: p.Supplier}
	}
	if webAddress(p.Homepage) {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeWebsite, URL: p.Homepage}}
	}
	var judged Licensing
	if licences != nil {
		judged = licences(p)
	}
	c.Licenses = expressions(judged)
	c.Properties = properties(
		propertyType, p.Type, propertyArch, p.Arch, propertySource, p.Source, propertySourceVersion, p.SourceVersion,
		propertySection, p.Section, propertyLayer, string(p.Layer), propertyKind, kind, propertyClass, judged.Class)
	c.Evidence = evidence(p)
	return c
}

// expressions writes the concluded licence first, then the declared one (BSI TR-03183-2: distribution and original
// licences).
func expressions(l Licensing) *cdx.Licenses {
	var out cdx.Licenses
	for _, e := range []struct {
		expression string
		as         cdx.LicenseAcknowledgement
	}{{l.Concluded, cdx.LicenseAcknowledgementConcluded}, {l.Declared, cdx.LicenseAcknowledgementDeclared}} {
		if e.expression != "" {
			out = append(out, cdx.LicenseChoice{Expression: e.expression, Acknowledgement: &e.as})
		}
	}
	if out == nil {
		return nil
	}
	return &out
}

// evidence writes what was found, as it was found: where the component lies, and each statement about its licence.
func evidence(p Component) *cdx.Evidence {
	var occurrences []cdx.EvidenceOccurrence
	for _, path := range sortedUnion(nil, p.Locations) {
		occurrences = append(occurrences, cdx.EvidenceOccurrence{Location: path})
	}
	var claims cdx.Licenses
	for _, l := range sortedClaims(p.Licences) {
		claims = append(claims, cdx.LicenseChoice{License: &cdx.License{
			Name: l.Value, Properties: properties(propertyProvenance, l.Provenance, propertyPath, l.Path)}})
	}
	if occurrences == nil && claims == nil {
		return nil
	}
	e := &cdx.Evidence{Occurrences: listOf(occurrences)}
	if claims != nil {
		e.Licenses = &claims
	}
	return e
}

func sortedClaims(claims []LicenceClaim) []LicenceClaim {
	out := slices.DeleteFunc(slices.Clone(claims), func(l LicenceClaim) bool { return l.Value == "" })
	slices.SortFunc(out, compareClaims)
	return slices.Compact(out)
}

func compareClaims(x, y LicenceClaim) int {
	return cmp.Or(cmp.Compare(x.Value, y.Value), cmp.Compare(x.Provenance, y.Provenance), cmp.Compare(x.Path, y.Path))
}

// properties takes names and values in turn and leaves out the empty ones.
func properties(pairs ...string) *[]cdx.Property {
	var out []cdx.Property
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, cdx.Property{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return sortedProperties(out)
}

func sortedProperties(list []cdx.Property) *[]cdx.Property {
	slices.SortFunc(list, func(x, y cdx.Property) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Value, y.Value)) })
	return listOf(slices.Compact(list))
}

// listOf returns nil for an empty list, because CycloneDX forbids null and readers stumble over it.
func listOf[T any](list []T) *[]T {
	if len(list) == 0 {
		return nil
	}
	return &list
}

func deref[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return slices.Clone(*list)
}

// webAddress reports whether a text is an address that a document may carry: http or https, a host, no credentials.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && !strings.ContainsAny(s, " \t\r\n<>\"")
}

func clip(version string) string {
	if len(version) <= maxVersion {
		return version
	}
	return strings.ToValidUTF8(version[:maxVersion], "")
}

func isHex(s string, length int) bool {
	return len(s) == length && strings.Trim(s, "0123456789abcdef") == ""
}

// FileDigest returns the digest by which the bundle knows the document.
func (d Document) FileDigest() audit.Digest { return audit.DigestOf(d.Data) }
