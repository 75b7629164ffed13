package sbom

import (
	"cmp"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
)

// maxAggregate bounds the expression of a whole image; one of 64 KiB is read by nobody.
const maxAggregate = 64 << 10

// rootComponent describes the artifact as root of its own document. An image is an archive in the sense of BSI
// TR-03183-2 and gets every field; its licence is that of all its parts together, if each part has one.
func rootComponent(a Artifact, p Packages, judged []Licensing, opt BOMOptions) cdx.Component {
	c := artifactComponent(a)
	props := deref(c.Properties)
	add := func(name, value string) {
		if value != "" {
			props = append(props, cdx.Property{Name: name, Value: value})
		}
	}
	for key, value := range p.Labels {
		add(propertyLabel+key, value)
	}
	add(propertyDepth, p.Depth)
	if p.Declared {
		add(propertyStated, "yes")
	}
	if p.Components.Value == nil {
		add(propertyFailure, p.Components.Failure)
		add(propertySettle, p.Components.Settle)
		if p.Components.Failure == "" {
			add(propertyUnread, "nobody looked")
		}
	}
	c.Properties = listOf(props)
	c.Manufacturer, c.Supplier = makerOfArtifact(a, p.Labels, opt)
	if a.Kind == KindImage {
		describeImage(&c, a, p)
		c.Licenses = imageLicences(p, judged, opt)
	} else {
		c.Properties = sortedProperties(append(props, cdx.Property{Name: propertyKind, Value: logical}))
	}
	return c
}

// describeImage adds what stands for the archive: hashes of the manifest, which holds the digests of everything else, and
// where image and source can be had.
func describeImage(c *cdx.Component, a Artifact, p Packages) {
	c.Version = clip(imageVersion(a))
	var sum *[]cdx.Hash
	if isHex(p.SHA512, 128) {
		sum = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA512, Value: p.SHA512}}
		hashes := append(deref(c.Hashes), (*sum)[0])
		c.Hashes = &hashes
	}
	var refs []cdx.ExternalReference
	if address := cmp.Or(manifestAddress(a), c.PackageURL); address != "" {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: address, Hashes: sum})
	}
	if source := p.Labels["org.opencontainers.image.source"]; webAddress(source) {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeSourceDistribution, URL: source})
	}
	if site := p.Labels["org.opencontainers.image.url"]; webAddress(site) {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeWebsite, URL: site})
	}
	c.ExternalReferences = sortedReferences(refs)
	c.Properties = sortedProperties(append(deref(c.Properties), fileProperties(a.Digest.Hex(), File{Archive: true, Structured: true})...))
}

// imageVersion is the upstream version, else the tag, else the digest, so that another image is another version (BSI
// TR-03183-2 section 5.1: a changed component is a new version).
func imageVersion(a Artifact) string {
	if a.Version != "" {
		return a.Version
	}
	if r, err := ParseReference(a.Reference); err == nil && r.Tag != "" {
		return r.Tag
	}
	return string(a.Digest)
}

// manifestAddress is where a registry serves the manifest (OCI distribution specification, section "pulling manifests").
// A reference that names no registry gives none: which one is meant is known to the engine only.
func manifestAddress(a Artifact) string {
	r, err := ParseReference(a.Reference)
	if err != nil || r.Registry == "" || a.Digest == "" {
		return ""
	}
	return "https://" + r.Registry + "/v2/" + r.Path + "/manifests/" + string(a.Digest)
}

// imageLicences: concluded is the AND of what is concluded of every package, or nothing if one is not known; declared is
// what the label of the image says.
func imageLicences(p Packages, judged []Licensing, opt BOMOptions) *cdx.Licenses {
	var all []string
	for _, l := range judged {
		if !asserted(l.Concluded) {
			all = nil
			break
		}
		all = append(all, l.Concluded)
	}
	var out Licensing
	if all = sortedUnion(nil, all); len(all) > 0 {
		if out.Concluded = licence.Join(all); len(out.Concluded) > maxAggregate {
			out.Concluded = ""
		}
	}
	if label := p.Labels["org.opencontainers.image.licenses"]; label != "" {
		out.Declared = licensingOf(Component{Type: KindImage, Licences: []LicenceClaim{{Value: label, Provenance: FromLabel}}}, opt).Declared
	}
	return expressions(out)
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
	c := cdx.Component{BOMRef: "os:" + system, Type: cdx.ComponentTypeOS, Name: name, Version: clip(version), Properties: properties(propertyKind, logical)}
	c.Manufacturer = entityOf(distributionMaker(name))
	c.Supplier = c.Manufacturer
	if part := systemCPE[name]; part != "" && version != "" && strings.Trim(version, "0123456789.") == "" {
		c.CPE = "cpe:2.3:o:" + part + ":" + clip(version) + ":*:*:*:*:*:*:*"
	}
	return c
}

// systemCPE holds vendor and product of operating systems in the CPE dictionary of the NVD, by ID of os-release(5).
var systemCPE = map[string]string{
	"alpine": "alpinelinux:alpine_linux",
	"debian": "debian:debian_linux",
	"fedora": "fedoraproject:fedora",
	"rhel":   "redhat:enterprise_linux",
	"ubuntu": "canonical:ubuntu_linux",
}

// packageComponent describes an installed package: a logical component, which has no file of its own. owner is the package
// in whose files it lies, or nil.
func packageComponent(p Component, owner *Component, judged Licensing) cdx.Component {
	c := cdx.Component{
		BOMRef: p.Ref, Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: clip(p.Version),
		PackageURL: p.PURL, CPE: p.CPE,
	}
	kind := logical
	if p.Type == "file" {
		c.Type, kind = cdx.ComponentTypeFile, ""
	}
	purl := parsedPURL(p)
	if purl.Type == packageurl.TypeMaven {
		c.Group = purl.Namespace // many artifacts of different groups are called alike
	}
	maker := makerOf(p, purl, owner)
	c.Manufacturer = entityOf(maker.name, maker.address)
	if c.Supplier = c.Manufacturer; p.Supplier != "" {
		c.Supplier = entityOf(p.Supplier, "")
	}
	c.ExternalReferences = packageReferences(p, purl, owner != nil)
	c.Licenses = expressions(judged)
	effective := ""
	if asserted(judged.Effective) {
		effective = judged.Effective
	}
	c.Properties = properties(
		propertyType, p.Type, propertyArch, p.Arch, propertySource, p.Source, propertySourceVersion, p.SourceVersion,
		propertySupplier, p.Supplier, propertySection, p.Section, propertyLayer, string(p.Layer), propertyOwnedBy, p.OwnedBy,
		propertyCreatorRule, maker.rule, propertyKind, kind, propertyClass, judged.Class, propertyJudged, judged.Provenance,
		propertyNote, judged.Note, bsiEffective, effective)
	c.Evidence = evidence(p)
	return c
}

// packageReferences are the addresses of a package; one that is owned is deployed with its owner.
func packageReferences(p Component, purl packageurl.PackageURL, owned bool) *[]cdx.ExternalReference {
	var refs []cdx.ExternalReference
	if webAddress(p.Homepage) {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeWebsite, URL: p.Homepage})
	}
	source, deployable := addressesOf(p, purl)
	if source != "" {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeSourceDistribution, URL: source})
	}
	if deployable != "" && !owned {
		refs = append(refs, cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: deployable})
	}
	return sortedReferences(refs)
}

func sortedReferences(refs []cdx.ExternalReference) *[]cdx.ExternalReference {
	slices.SortStableFunc(refs, func(x, y cdx.ExternalReference) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.URL, y.URL))
	})
	return listOf(refs)
}

// fileComponent describes one executable file or archive with every field that BSI TR-03183-2 section 5.2.2 asks of a
// component that is not logical. Creator and licences are those of the package that brings it; owner is nil for a file
// that no package claims, whose creator and licence nobody knows. archive is where the image that holds it can be had, or
// empty.
func fileComponent(f File, ref string, owner *cdx.Component, archive string) cdx.Component {
	c := cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeFile, Name: path.Base(f.Path)}
	props := fileProperties(path.Base(f.Path), f)
	add := func(name, value string) { props = append(props, cdx.Property{Name: name, Value: value}) }
	modified := ""
	if !f.Modified.IsZero() {
		modified = f.Modified.UTC().Format(time.RFC3339Nano)
		add(propertyFileTime, modified)
		c.Version = f.Modified.UTC().Format(time.RFC3339)
	}
	if owner != nil {
		c.Manufacturer, c.Supplier, c.Licenses = owner.Manufacturer, owner.Supplier, owner.Licenses
		c.Version = cmp.Or(owner.Version, c.Version)
		c.PackageURL = withSubpath(owner.PackageURL, f.Path)
		if effective := property(owner.Properties, bsiEffective); effective != "" {
			add(bsiEffective, effective)
		}
	} else {
		add(propertyFileOwner, "unknown")
	}
	add(propertyFilePath, f.Path)
	add(propertyFileSize, strconv.FormatInt(f.Size, 10))
	if f.Kind != "" {
		add(propertyFileKind, f.Kind)
	}
	if f.Layer != "" {
		add(propertyLayer, string(f.Layer))
	}
	c.Properties = sortedProperties(props)
	var hashes []cdx.Hash
	if isHex(f.SHA256, 64) {
		hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgoSHA256, Value: f.SHA256})
	}
	if isHex(f.SHA512, 128) {
		long := cdx.Hash{Algorithm: cdx.HashAlgoSHA512, Value: f.SHA512}
		hashes = append(hashes, long)
		address := cmp.Or(withSubpath(archive, f.Path), c.PackageURL, (&url.URL{Scheme: "file", Path: f.Path}).String())
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: address, Hashes: &[]cdx.Hash{long}}}
	}
	c.Hashes = listOf(hashes)
	return c
}

// fileProperties are the four that BSI's taxonomy wants exactly once on a component that is a file. An image counts as an
// archive that is not executable itself.
func fileProperties(name string, f File) []cdx.Property {
	either := func(yes bool, a, b string) string {
		if yes {
			return a
		}
		return b
	}
	out := []cdx.Property{
		{Name: bsiExecutable, Value: either(f.Executable, "executable", "non-executable")},
		{Name: bsiArchive, Value: either(f.Archive, "archive", "no archive")},
		{Name: bsiStructured, Value: either(f.Structured, "structured", "unstructured")},
	}
	if name != "" {
		out = append(out, cdx.Property{Name: bsiFilename, Value: name})
	}
	return out
}

// withSubpath adds the path of a file to the purl or address of what holds it, e.g. pkg:deb/debian/bash@5.2?arch=amd64#bin/bash.
// It returns nothing where that cannot be done.
func withSubpath(whole, file string) string {
	if whole == "" || strings.ContainsAny(whole, "# \t\r\n<>\"") {
		return ""
	}
	if _, err := url.Parse(whole); err != nil {
		return ""
	}
	return whole + "#" + escaped(strings.Trim(file, "/"))
}

// asserted reports whether an expression says something (BSI TR-03183-2 section 6.1: NONE, NOASSERTION and names do not
// replace an identifier).
func asserted(expression string) bool {
	return expression != "" && expression != "NONE" && !strings.Contains(expression, "NOASSERTION")
}

// expressions writes the concluded licence first, then the declared one (BSI TR-03183-2: distribution and original
// licences). What is not known stays absent.
func expressions(l Licensing) *cdx.Licenses {
	var out cdx.Licenses
	for _, e := range []struct {
		expression string
		as         cdx.LicenseAcknowledgement
	}{{l.Concluded, cdx.LicenseAcknowledgementConcluded}, {l.Declared, cdx.LicenseAcknowledgementDeclared}} {
		if asserted(e.expression) {
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
		props := deref(properties(propertyProvenance, cmp.Or(l.Provenance, "unknown"), propertyPath, l.Path,
			propertyLine, lineText(l.Line), propertyWeight, l.Weight, propertyAbout, l.Files))
		claims = append(claims, cdx.LicenseChoice{License: &cdx.License{
			Name: l.Value, Properties: sortedProperties(append(props, originProperties(l.Origin)...))}})
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

// lineText writes the line of a claim; nothing where the whole file says it.
func lineText(line int) string {
	if line <= 0 {
		return ""
	}
	return strconv.Itoa(line)
}

// propertyOrigin begins the names of the properties that say where a claim was read; the rest is the JSON key of the
// field of audit.Origin.
const propertyOrigin = "pegel:licence:origin:"

func originProperties(o audit.Origin) []cdx.Property {
	if o == (audit.Origin{}) {
		return nil
	}
	var out []cdx.Property
	var fields map[string]any
	data, err := json.Marshal(o)
	if err != nil || json.Unmarshal(data, &fields) != nil {
		return nil
	}
	for key, value := range fields {
		text, ok := value.(string)
		if !ok {
			text = strconv.Itoa(o.Line)
		}
		if text != "" {
			out = append(out, cdx.Property{Name: propertyOrigin + key, Value: text})
		}
	}
	return out
}

func originOf(props *[]cdx.Property) audit.Origin {
	fields := map[string]any{}
	for _, p := range deref(props) {
		if key, ok := strings.CutPrefix(p.Name, propertyOrigin); ok {
			fields[key] = p.Value
		}
	}
	if len(fields) == 0 {
		return audit.Origin{}
	}
	if line, ok := fields["line"].(string); ok {
		fields["line"], _ = strconv.Atoi(line)
	}
	var o audit.Origin
	data, err := json.Marshal(fields)
	if err != nil || json.Unmarshal(data, &o) != nil {
		return audit.Origin{}
	}
	return o
}

func sortedClaims(claims []LicenceClaim) []LicenceClaim {
	out := slices.DeleteFunc(slices.Clone(claims), func(l LicenceClaim) bool { return l.Value == "" })
	slices.SortFunc(out, compareClaims)
	return slices.Compact(out)
}

func compareClaims(x, y LicenceClaim) int {
	return cmp.Or(cmp.Compare(x.Value, y.Value), cmp.Compare(x.Provenance, y.Provenance), cmp.Compare(x.Path, y.Path),
		cmp.Compare(x.Line, y.Line), cmp.Compare(x.Weight, y.Weight), cmp.Compare(x.Files, y.Files), cmp.Compare(x.Origin.URL, y.Origin.URL),
		cmp.Compare(x.Origin.Source, y.Origin.Source), cmp.Compare(x.Origin.Path, y.Origin.Path), cmp.Compare(x.Origin.Digest, y.Origin.Digest),
		cmp.Compare(x.Origin.Commit, y.Origin.Commit), cmp.Compare(x.Origin.Line, y.Origin.Line), x.Origin.At.Compare(y.Origin.At))
}

// countTypes counts packages by type.
func countTypes(list []Component) map[string]int {
	counts := map[string]int{}
	for _, c := range list {
		counts[cmp.Or(c.Type, "other")]++
	}
	return counts
}

func countProperties(counts map[string]int) []cdx.Property {
	var out []cdx.Property
	for kind, n := range counts {
		out = append(out, cdx.Property{Name: propertyCount + kind, Value: strconv.Itoa(n)})
	}
	return out
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
