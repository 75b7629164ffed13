package sbom

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// MediaTypeSPDX is the media type of the SPDX documents written here (registered for SPDX 2; SPDX 3 names no other).
const MediaTypeSPDX = "application/spdx+json"

// spdxContext is the one context that documents of SPDX 3.0.1 may name (JSON schema of 3.0.1, "@context").
const (
	spdxContext = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
	spdxVersion = "3.0.1"
)

// Individuals of the model, which stand for "there is none" and "nobody can say" (model 3.0.1, Core and
// ExpandedLicensing, Individuals).
const (
	spdxNone            = "https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"
	spdxNoAssertion     = "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"
	spdxNoLicenceStated = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
)

// Words of the vocabularies of SPDX 3.0.1 that are written here.
const (
	relationContains     = "contains"
	relationDependsOn    = "dependsOn"
	relationDescribes    = "describes"
	relationGenerates    = "generates"
	relationOther        = "other"
	relationConcluded    = "hasConcludedLicense"
	relationDeclared     = "hasDeclaredLicense"
	relationDistribution = "hasDistributionArtifact"

	completenessFull    = "complete"
	completenessPart    = "incomplete"
	completenessUnknown = "noAssertion"

	purposeApplication = "application"
	purposeArchive     = "archive"
	purposeContainer   = "container" // on a file: structured (BSI TR-03183-2)
	purposeExecutable  = "executable"
	purposeFile        = "file"
	purposeFirmware    = "firmware" // on a file: not structured (BSI TR-03183-2)
	purposeLibrary     = "library"
	purposeOS          = "operatingSystem"
	purposePlatform    = "platform"
	purposeSource      = "source"
)

// graphCore is what every element has.
type graphCore struct {
	Type        string            `json:"type"`
	ID          string            `json:"spdxId"`
	Creation    string            `json:"creationInfo"`
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Comment     string            `json:"comment,omitempty"`
	Hashes      []graphHash       `json:"verifiedUsing,omitempty"`
	Identifiers []graphIdentifier `json:"externalIdentifier,omitempty"`
	References  []graphReference  `json:"externalRef,omitempty"`
	Extensions  []graphExtension  `json:"extension,omitempty"`
}

type graphHash struct {
	Type      string `json:"type"` // Hash
	Algorithm string `json:"algorithm"`
	Value     string `json:"hashValue"`
}

type graphIdentifier struct {
	Type       string `json:"type"` // ExternalIdentifier
	Kind       string `json:"externalIdentifierType"`
	Identifier string `json:"identifier"`
}

type graphReference struct {
	Type        string   `json:"type"` // ExternalRef
	Kind        string   `json:"externalRefType"`
	Locators    []string `json:"locator"`
	ContentType string   `json:"contentType,omitempty"`
}

// graphExtension carries properties, by the names that CycloneDX documents have them under.
type graphExtension struct {
	Type       string                   `json:"type"` // extension_CdxPropertiesExtension
	Properties graphList[graphProperty] `json:"extension_cdxProperty"`
}

type graphProperty struct {
	Type  string `json:"type"` // extension_CdxPropertyEntry
	Name  string `json:"extension_cdxPropName"`
	Value string `json:"extension_cdxPropValue"`
}

// graphCreation is the one element that is no Element: it has a blank node for an identifier.
type graphCreation struct {
	Type         string   `json:"type"` // CreationInfo
	ID           string   `json:"@id"`
	SpecVersion  string   `json:"specVersion"`
	Created      string   `json:"created"`
	CreatedBy    []string `json:"createdBy"`
	CreatedUsing []string `json:"createdUsing,omitempty"`
}

// graphCollection is the document or an SBOM in it.
type graphCollection struct {
	graphCore
	Elements []string           `json:"element,omitempty"`
	Roots    []string           `json:"rootElement,omitempty"`
	Profiles []string           `json:"profileConformance,omitempty"`
	Imports  []graphExternalMap `json:"import,omitempty"`
	SbomType []string           `json:"software_sbomType,omitempty"`
}

// graphExternalMap says where an element of another document is defined.
type graphExternalMap struct {
	Type     string      `json:"type"` // ExternalMap
	ID       string      `json:"externalSpdxId"`
	Location string      `json:"locationHint,omitempty"`
	Hashes   []graphHash `json:"verifiedUsing,omitempty"`
}

// graphArtifact is a package or a file.
type graphArtifact struct {
	graphCore
	OriginatedBy []string `json:"originatedBy,omitempty"`
	SuppliedBy   string   `json:"suppliedBy,omitempty"`
	Purpose      string   `json:"software_primaryPurpose,omitempty"`
	Purposes     []string `json:"software_additionalPurpose,omitempty"`
	Version      string   `json:"software_packageVersion,omitempty"`
	PURL         string   `json:"software_packageUrl,omitempty"`
	Homepage     string   `json:"software_homePage,omitempty"`
	Download     string   `json:"software_downloadLocation,omitempty"`
}

type graphRelationship struct {
	graphCore
	From         string   `json:"from"`
	Relation     string   `json:"relationshipType"`
	Completeness string   `json:"completeness,omitempty"`
	To           []string `json:"to"`
}

type graphLicence struct {
	graphCore
	Expression string       `json:"simplelicensing_licenseExpression"`
	Custom     []graphEntry `json:"simplelicensing_customIdToUri,omitempty"`
}

type graphEntry struct {
	Type  string `json:"type"` // DictionaryEntry
	Key   string `json:"key"`
	Value string `json:"value"`
}

type graphText struct {
	graphCore
	Text string `json:"simplelicensing_licenseText"`
}

// graphWriter writes elements, one a line. It runs twice over a document: first to find the name of its contents, then to
// write them under that name.
type graphWriter struct {
	out       io.Writer
	lines     *json.Encoder
	namespace string // urn:uuid:...; empty while the name is sought
	created   string // empty while the name is sought
	final     bool   // the second time
	elements  int
	seen      map[string]bool // identifiers of elements that were written at their first use
	err       error
}

const creationID = "_:creation"

// writeGraph writes the document that emit describes and returns what other documents need to point to it. The name of the
// document, and with it every spdxId, is the UUIDv5 of all its elements without the time and without the hashes of other
// documents, because those hold times too.
func writeGraph(w io.Writer, at time.Time, emit func(*graphWriter)) (BOMRef, error) {
	if at.IsZero() {
		return BOMRef{}, errors.New("an SPDX document needs the time of its making; give the time of the assessment")
	}
	name := nameHash()
	first := newGraphWriter(name)
	if err := first.run(emit); err != nil {
		return BOMRef{}, err
	}
	serial, sums := serialNumber(name), newSums()
	buffer := bufio.NewWriterSize(io.MultiWriter(w, sums), 64<<10)
	second := newGraphWriter(buffer)
	second.namespace, second.created, second.final = serial, at.UTC().Format("2006-01-02T15:04:05Z"), true
	if err := second.run(emit); err != nil {
		return BOMRef{}, err
	}
	if err := buffer.Flush(); err != nil {
		return BOMRef{}, fmt.Errorf("writing SPDX: %w", err)
	}
	return sums.ref(serial), nil
}

func newGraphWriter(w io.Writer) *graphWriter {
	g := &graphWriter{out: w, lines: json.NewEncoder(w), seen: map[string]bool{}}
	g.lines.SetEscapeHTML(false)
	return g
}

func (g *graphWriter) run(emit func(*graphWriter)) error {
	g.text(`{"@context":"` + spdxContext + `","@graph":[` + "\n")
	emit(g)
	g.text("]}\n")
	if g.err != nil {
		return fmt.Errorf("writing SPDX: %w", g.err)
	}
	return nil
}

func (g *graphWriter) text(s string) {
	if g.err == nil {
		_, g.err = io.WriteString(g.out, s)
	}
}

// put writes one element.
func (g *graphWriter) put(element any) {
	if g.elements > 0 {
		g.text(",")
	}
	g.elements++
	if g.err == nil {
		g.err = g.lines.Encode(element)
	}
}

// core returns what every element has.
func (g *graphWriter) core(kind, id, name string) graphCore {
	return graphCore{Type: kind, ID: id, Creation: creationID, Name: name}
}

// id returns the identifier of an element of this document: the kind of thing and what tells it from others of its kind.
func (g *graphWriter) id(kind, key string) string {
	if key == "" {
		return g.namespace + "#" + kind
	}
	return g.namespace + "#" + kind + ":" + escapeFragment(key)
}

// relate writes one relationship; one to nothing is left out. Its identifier comes from its kind and its source, so each
// element can have one of each kind.
func (g *graphWriter) relate(from, relation, completeness, comment string, to ...string) {
	if len(to) == 0 {
		return
	}
	_, local, _ := strings.Cut(from, "#")
	r := graphRelationship{graphCore: g.core("Relationship", g.namespace+"#"+relation+":"+local, ""),
		From: from, Relation: relation, Completeness: completeness, To: to}
	r.Comment = comment
	g.put(r)
}

// once reports whether an element that several others refer to has still to be written.
func (g *graphWriter) once(id string) bool {
	if g.seen[id] {
		return false
	}
	g.seen[id] = true
	return true
}

// head writes who made the document, with what and when, the document itself, and the SBOM in it.
func (g *graphWriter) head(bom *cdx.BOM, root, sbomType string, opt BOMOptions, imports []graphExternalMap) {
	m := bom.Metadata
	by := g.organisation(m.Manufacturer)
	if by == "" {
		by = g.id("agent", "pegel")
		g.put(g.core("SoftwareAgent", by, "pegel"))
	}
	using := []string{g.id("tool", "pegel")}
	g.put(g.core("Tool", using[0], strings.TrimSpace("pegel "+opt.ToolVersion)))
	for _, tool := range deref(m.Tools.Components) {
		if scanner := property(tool.Properties, propertyScanner); scanner != "" {
			using = append(using, g.id("tool", "scanner"))
			g.put(g.core("Tool", using[1], scanner))
		}
	}
	g.put(graphCreation{Type: "CreationInfo", ID: creationID, SpecVersion: spdxVersion, Created: g.created, CreatedBy: []string{by}, CreatedUsing: using})
	for i := range imports {
		if !g.final {
			imports[i].Hashes = nil // they change with the time that the other document holds
		}
	}
	doc := graphCollection{graphCore: g.core("SpdxDocument", g.id("document", ""), m.Component.Name), Roots: []string{g.id("sbom", "")},
		Profiles: []string{"core", "software", "simpleLicensing", "extension"}, Imports: imports}
	doc.Comment = "TLP:" + string(m.DistributionConstraints.TLP)
	doc.take(m.Properties)
	g.put(doc)
	g.put(graphCollection{graphCore: g.core("software_Sbom", g.id("sbom", ""), m.Component.Name), Roots: []string{root}, SbomType: []string{sbomType}})
}

// organisation returns the identifier of an organisation, which it writes at its first use; empty for none. What looks
// like the address of a person is none.
func (g *graphWriter) organisation(e *cdx.OrganizationalEntity) string {
	if e == nil || strings.Contains(e.Name, "@") {
		return ""
	}
	address := strings.Join(deref(e.URL), " ")
	id := g.id("organisation", strings.TrimSpace(e.Name+" "+address))
	if g.once(id) {
		core := g.core("Organization", id, cmp.Or(e.Name, address))
		for _, u := range deref(e.URL) {
			core.Identifiers = append(core.Identifiers, graphIdentifier{"ExternalIdentifier", "urlScheme", u})
		}
		g.put(core)
	}
	return id
}

// purposeOf says in the words of SPDX what kind of thing a component is.
func purposeOf(kind cdx.ComponentType) string {
	switch kind {
	case cdx.ComponentTypeContainer:
		return purposeContainer
	case cdx.ComponentTypePlatform:
		return purposePlatform
	case cdx.ComponentTypeOS:
		return purposeOS
	case cdx.ComponentTypeFile:
		return purposeFile
	case cdx.ComponentTypeLibrary:
		return purposeLibrary
	}
	return purposeApplication
}

// describe returns the package that says what a component of CycloneDX says. Licences, edges and evidence are for the
// caller.
func (g *graphWriter) describe(id string, c cdx.Component) graphArtifact {
	n := graphArtifact{graphCore: g.core("software_Package", id, cmp.Or(c.Name, c.BOMRef)), Purpose: purposeOf(c.Type), Version: c.Version}
	n.Description = c.Description
	if by := g.organisation(c.Manufacturer); by != "" {
		n.OriginatedBy = []string{by}
	}
	n.SuppliedBy = g.organisation(c.Supplier)
	if strings.HasPrefix(c.PackageURL, "pkg:") {
		n.PURL = c.PackageURL
	}
	if c.CPE != "" {
		n.Identifiers = []graphIdentifier{{"ExternalIdentifier", cpeType(c.CPE), c.CPE}}
	}
	for _, h := range deref(c.Hashes) {
		switch h.Algorithm {
		case cdx.HashAlgoSHA256:
			n.Hashes = append(n.Hashes, graphHashes(h.Value, "")...)
		case cdx.HashAlgoSHA512:
			n.Hashes = append(n.Hashes, graphHashes("", h.Value)...)
		}
	}
	for _, r := range deref(c.ExternalReferences) {
		switch r.Type {
		case cdx.ERTypeWebsite:
			n.Homepage = cmp.Or(n.Homepage, r.URL)
		case cdx.ERTypeDistribution:
			n.Download = cmp.Or(n.Download, r.URL)
		case cdx.ERTypeSourceDistribution:
			n.References = append(n.References, graphReference{Type: "ExternalRef", Kind: "sourceArtifact", Locators: []string{r.URL}})
		}
	}
	n.take(c.Properties)
	return n
}

// take adds the properties of a component of CycloneDX, without those that SPDX has words for.
func (n *graphCore) take(list *[]cdx.Property) {
	var pairs []string
	for _, p := range deref(list) {
		switch p.Name {
		case bsiFilename, bsiExecutable, bsiArchive, bsiStructured:
		default:
			pairs = append(pairs, p.Name, p.Value)
		}
	}
	n.add(pairs...)
}

// add adds properties; names and values come in turn.
func (n *graphCore) add(pairs ...string) {
	for _, e := range n.Extensions {
		for _, p := range e.Properties {
			pairs = append(pairs, p.Name, p.Value)
		}
	}
	n.Extensions = extension(pairs...)
}

func cpeType(cpe string) string {
	if strings.HasPrefix(cpe, "cpe:2.3:") {
		return "cpe23"
	}
	return "cpe22"
}

// licensed writes the distribution licence as concluded, the original licence as declared and the effective licence as
// another relationship (BSI TR-03183-2). A licence that was looked for in vain says so; where nobody judged there is no
// relationship.
func (g *graphWriter) licensed(id string, c cdx.Component, opt BOMOptions) {
	if opt.Licences == nil {
		return
	}
	said := map[cdx.LicenseAcknowledgement]string{}
	if c.Licenses != nil {
		for _, l := range *c.Licenses {
			if l.Acknowledgement != nil {
				said[*l.Acknowledgement] = l.Expression
			}
		}
	}
	g.relate(id, relationConcluded, "", "", g.licence(said[cdx.LicenseAcknowledgementConcluded]))
	g.relate(id, relationDeclared, "", "", g.licence(said[cdx.LicenseAcknowledgementDeclared]))
	if effective := property(c.Properties, bsiEffective); effective != "" {
		g.relate(id, relationOther, "", "hasEffectiveLicense", g.licence(effective))
	}
}

// licence returns the identifier of the element that holds an expression, which it writes at its first use. What the
// expression refers to beside the list of SPDX is mapped to elements of this document, as simplelicensing_customIdToUri
// demands.
func (g *graphWriter) licence(expression string) string {
	if expression == "" {
		return spdxNoLicenceStated
	}
	sum := sha256.Sum256([]byte(expression))
	id := g.id("licence", hex.EncodeToString(sum[:16]))
	if !g.once(id) {
		return id
	}
	n := graphLicence{graphCore: g.core("simplelicensing_LicenseExpression", id, ""), Expression: expression}
	for _, ref := range sortedUnion(nil, customLicence.FindAllString(expression, -1)) {
		n.Custom = append(n.Custom, graphEntry{"DictionaryEntry", ref, g.customLicence(ref)})
	}
	g.put(n)
	return id
}

// customLicence finds references to licences and exceptions that are not on the list of SPDX (SPDX 3.0.1, annex on licence
// expressions, license-ref and addition-ref).
var customLicence = regexp.MustCompile(`\b(?:LicenseRef|AdditionRef)-[A-Za-z0-9.-]+`)

// customLicence returns the identifier of the element behind a reference, which it writes at its first use. The text
// itself is kept with the evidence, so the element says where a public list has it, if one does.
func (g *graphWriter) customLicence(ref string) string {
	id := g.id("licence-text", ref)
	if !g.once(id) {
		return id
	}
	n := graphText{graphCore: g.core("simplelicensing_SimpleLicensingText", id, ref), Text: "The text of " + ref + " is not part of this document."}
	if key, ok := strings.CutPrefix(ref, "LicenseRef-scancode-"); ok {
		n.References = []graphReference{{Type: "ExternalRef", Kind: "license", Locators: []string{"https://scancode-licensedb.aboutcode.org/" + key}}}
	}
	g.put(n)
	return id
}

// extension returns properties as an extension; none give none. Names and values come in turn, empty values are left out.
func extension(pairs ...string) []graphExtension {
	var list []graphProperty
	for _, p := range deref(properties(pairs...)) {
		list = append(list, graphProperty{"extension_CdxPropertyEntry", p.Name, p.Value})
	}
	if list == nil {
		return nil
	}
	return []graphExtension{{"extension_CdxPropertiesExtension", list}}
}

// graphHashes returns the hashes that are well-formed.
func graphHashes(short, long string) []graphHash {
	var out []graphHash
	if isHex(short, 64) {
		out = append(out, graphHash{"Hash", "sha256", short})
	}
	if isHex(long, 128) {
		out = append(out, graphHash{"Hash", "sha512", long})
	}
	return out
}

// escapeFragment writes any text as the fragment of an address (RFC 3986 section 3.5), so that unescapeFragment gives it
// back.
func escapeFragment(s string) string {
	const plain = "-._~!$&'()*+,;=:@/?"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(plain, c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
