package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
)

// Formats of documents by others, as BOMMeta.Format names them.
const (
	FormatCycloneDX = "CycloneDX"
	FormatSPDX      = "SPDX"
)

// ReadDocument reads an SBOM by anybody, in whichever of the formats of ReadCycloneDX and ReadSPDX it is. A document that
// is neither gives the error of ReadCycloneDX.
func ReadDocument(data []byte) (Packages, BOMMeta, error) {
	if looksLikeSPDX(data) {
		return ReadSPDX(data)
	}
	return ReadCycloneDX(data)
}

// looksLikeSPDX looks at the keys at the top of a document, or at the first tag.
func looksLikeSPDX(data []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) > 0 && text[0] == '{' {
		return topKey(text, func(key string) bool { return key == "spdxVersion" || key == "@context" || key == "bomFormat" }) != "bomFormat"
	}
	return isTagValue(text)
}

// topKey returns the first key at the top of a JSON object that is looked for; "bomFormat" if there is none.
func topKey(data []byte, wanted func(string) bool) string {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return "bomFormat"
	}
	for dec.More() {
		token, err := dec.Token()
		key, _ := token.(string)
		if err != nil {
			break
		}
		if wanted(key) {
			return key
		}
		if err := skipValue(dec); err != nil {
			break
		}
	}
	return "bomFormat"
}

// skipValue reads one value of any depth as tokens.
func skipValue(dec *json.Decoder) error {
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// ReadSPDX reads an SPDX document by anybody: version 2.2 or 2.3 in JSON or as tag-value text, or version 3 in JSON-LD.
// Packages become components; of a licence what was declared and what was concluded are both taken over as they stand,
// without NONE and NOASSERTION; suppliers only if they are organisations; relationships that mean dependency or contents
// become DependsOn. Of version 3 also files that are executable or archives, source packages, and how complete the
// dependencies are; of our own documents everything that WriteImageSPDX wrote. Files of version 2, snippets, annotations
// and persons are not read. The one package that the document describes is its root and no component. A double identifier
// is made unique, relationships to nothing and owners that are not listed are dropped, all with a note. Double JSON keys,
// deep nesting, other formats and documents beyond the limits are errors.
//
// Packages.Artifact is left empty: the caller knows which artifact it is about.
func ReadSPDX(data []byte) (Packages, BOMMeta, error) {
	doc, err := parseSPDX(data)
	if err != nil {
		return Packages{}, BOMMeta{}, fmt.Errorf("reading SPDX: %w", err)
	}
	r := spdxReader{doc: doc, places: map[string][]int{}, used: map[string]bool{}, notes: map[string]bool{}, said: map[int]string{}}
	packages, meta, err := r.read()
	if err != nil {
		return Packages{}, BOMMeta{}, fmt.Errorf("reading SPDX: %w", err)
	}
	return packages, meta, nil
}

// spdxDocument is what is read of a document, in the words of version 2.
type spdxDocument struct {
	Version       string             `json:"spdxVersion"`
	ID            string             `json:"SPDXID"`
	Namespace     string             `json:"documentNamespace"`
	Creation      spdxCreation       `json:"creationInfo"`
	Describes     []string           `json:"documentDescribes"`
	Packages      []spdxPackage      `json:"packages"`
	Relationships []spdxRelationship `json:"relationships"`
	Licences      []spdxLicence      `json:"hasExtractedLicensingInfos"`

	// What only version 3 says, and only by elements and properties that our own documents have.
	Serial    string            `json:"-"` // urn:uuid:..., the name of the document
	Files     []File            `json:"-"` // with the identifiers of their owners
	SHA512    string            `json:"-"`
	Labels    map[string]string `json:"-"`
	Reference string            `json:"-"` // of the image
	Depth     string            `json:"-"`
	Stated    bool              `json:"-"` // the list is somebody's statement
	Failure   string            `json:"-"` // why the packages are not known
	Settle    string            `json:"-"` // what would settle it
	Unread    bool              `json:"-"` // nobody looked for packages
	Notes     []string          `json:"-"` // what was wrong with it
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID        string         `json:"SPDXID"`
	Name      string         `json:"name"`
	Version   string         `json:"versionInfo"`
	Supplier  string         `json:"supplier"`
	Homepage  string         `json:"homepage"`
	Declared  string         `json:"licenseDeclared"`
	Concluded string         `json:"licenseConcluded"`
	Purpose   string         `json:"primaryPackagePurpose"`
	External  []spdxExternal `json:"externalRefs"`

	// What only version 3 says.
	Ref           string     `json:"-"` // Component.Ref, of our own documents
	Organisations []string   `json:"-"` // identifiers of who supplied or made it
	Organisation  string     `json:"-"` // the name of the first that is an organisation
	Source        string     `json:"-"`
	SourceVersion string     `json:"-"`
	Own           *Component `json:"-"` // what our own documents say by properties
}

type spdxExternal struct {
	Type    string `json:"referenceType"`
	Locator string `json:"referenceLocator"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	To   string `json:"relatedSpdxElement"`
	Type string `json:"relationshipType"`

	Completeness string `json:"-"` // in the words of version 3
}

type spdxLicence struct {
	ID   string `json:"licenseId"`
	Name string `json:"name"`
}

// parseSPDX reads a document of any version and form into the words of version 2.
func parseSPDX(data []byte) (spdxDocument, error) {
	if len(data) > MaxBOMFile {
		return spdxDocument{}, fmt.Errorf("the document is larger than %d bytes", MaxBOMFile)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(text) > 0 && text[0] == '{':
		return parseSPDXJSON(data)
	case isTagValue(text):
		return parseTagValue(data)
	case len(text) > 0 && text[0] == '<':
		return spdxDocument{}, errors.New("this is XML; convert it to SPDX JSON")
	}
	return spdxDocument{}, errors.New("this is neither SPDX JSON nor SPDX tag-value; convert it to SPDX 2.3 JSON")
}

func parseSPDXJSON(data []byte) (spdxDocument, error) {
	head, err := checkJSON(data)
	if err != nil {
		return spdxDocument{}, err
	}
	if head.graph {
		return parseGraph(data)
	}
	var doc spdxDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return spdxDocument{}, jsonMessage(data, err)
	}
	return doc, checkSPDXVersion(doc.Version)
}

func checkSPDXVersion(version string) error {
	if version != "SPDX-2.2" && version != "SPDX-2.3" {
		return fmt.Errorf("spdxVersion is %q, want SPDX-2.2, SPDX-2.3, or version 3 as JSON-LD; convert it", version)
	}
	return nil
}

// spdxReader collects components.
type spdxReader struct {
	doc    spdxDocument
	list   []Component
	places map[string][]int // identifier to places in list
	used   map[string]bool  // refs given out
	root   string           // identifier of the root; empty if there is none
	os     string
	notes  map[string]bool
	said   map[int]string // of each component with dependencies, how much of them is listed
}

func (r *spdxReader) note(format string, args ...any) { r.notes[fmt.Sprintf(format, args...)] = true }

func (r *spdxReader) read() (Packages, BOMMeta, error) {
	if len(r.doc.Packages) > maxBOMComponents {
		return Packages{}, BOMMeta{}, fmt.Errorf("more than %d packages", maxBOMComponents)
	}
	meta := BOMMeta{Format: FormatSPDX, SpecVersion: strings.TrimPrefix(r.doc.Version, "SPDX-"), SerialNumber: r.doc.Serial, Kind: KindBOM,
		Reference: r.doc.Reference}
	if t, err := time.Parse(time.RFC3339, r.doc.Creation.Created); err == nil {
		meta.Timestamp = t.UTC()
	}
	r.findRoot()
	licences := map[string]string{}
	for _, l := range r.doc.Licences {
		if name := saidSPDX(l.Name); name != "" {
			licences[l.ID] = name
		}
	}
	for _, p := range r.doc.Packages {
		r.pack(p, licences, &meta)
	}
	r.owners()
	if err := r.relate(); err != nil {
		return Packages{}, BOMMeta{}, err
	}
	meta.Notes = r.doc.Notes
	for note := range r.notes {
		meta.Notes = append(meta.Notes, note)
	}
	slices.Sort(meta.Notes)
	slices.SortFunc(r.list, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	if r.list == nil {
		r.list = []Component{}
	}
	p := Packages{Schema: PackagesSchema, OS: r.os, Tool: spdxTools(r.doc.Creation.Creators), SHA512: r.doc.SHA512, Labels: r.doc.Labels,
		Declared: r.doc.Stated, Depth: r.doc.Depth, Files: r.doc.Files, Components: audit.Known(r.list)}
	if (r.doc.Failure != "" || r.doc.Unread) && len(r.list) == 0 {
		p.Components = audit.Fact[[]Component]{Failure: r.doc.Failure, Settle: r.doc.Settle}
	}
	return p, meta, nil
}

// owners puts refs in the place of identifiers, and takes out owners that are not listed and files that stand twice.
func (r *spdxReader) owners() {
	owners := make(map[string]string, len(r.list))
	for _, c := range r.list {
		owners[c.Ref] = c.OwnedBy
	}
	for i := range r.list {
		c := &r.list[i]
		if _, err := outermost(c.Ref, owners); err != nil {
			r.note("%v", err)
			c.OwnedBy, owners[c.Ref] = "", ""
		}
	}
	for i := range r.doc.Files {
		f := &r.doc.Files[i]
		owner := f.Owner
		f.Owner = ""
		if places := r.places[owner]; len(places) > 0 {
			f.Owner = r.list[places[0]].Ref
		}
	}
	r.doc.Files = slices.CompactFunc(r.doc.Files, func(x, y File) bool {
		if x.Path == y.Path {
			r.note("file %q stands twice", x.Path)
		}
		return x.Path == y.Path
	})
}

// findRoot takes the one package that the document describes as its root. A document that describes several describes
// none of them alone.
func (r *spdxReader) findRoot() {
	described := map[string]bool{}
	for _, id := range r.doc.Describes {
		described[id] = true
	}
	document := cmp.Or(r.doc.ID, "SPDXRef-DOCUMENT")
	for _, rel := range r.doc.Relationships {
		switch {
		case rel.Type == "DESCRIBES" && rel.From == document:
			described[rel.To] = true
		case rel.Type == "DESCRIBED_BY" && rel.To == document:
			described[rel.From] = true
		}
	}
	var found []string
	for _, p := range r.doc.Packages {
		if described[p.ID] {
			found = append(found, p.ID)
		}
	}
	if len(found) == 1 && len(described) == 1 {
		r.root = found[0]
	}
}

// pack adds one package: as root, as operating system, or as component.
func (r *spdxReader) pack(p spdxPackage, licences map[string]string, meta *BOMMeta) {
	purl, cpe := p.references()
	switch {
	case r.root != "" && p.ID == r.root:
		meta.Name = p.Name
		identifyRoot(meta, p.Name, p.Version, purl, p.Purpose == "CONTAINER")
		return
	case p.Purpose == "OPERATING-SYSTEM" || p.Purpose == "OPERATING_SYSTEM":
		if r.os == "" {
			r.os = strings.TrimSpace(p.Name + " " + saidSPDX(p.Version))
			r.used[p.ID] = true
			return
		}
	}
	c := Component{Name: p.Name, Version: saidSPDX(p.Version), CPE: cpe, Supplier: spdxOrganisation(p.Supplier)}
	if !strings.Contains(p.Organisation, "@") {
		c.Supplier = cmp.Or(p.Organisation, c.Supplier)
	}
	if parsed, err := packageurl.FromString(purl); err == nil {
		c.PURL, c.Type = purl, packageType(parsed.Type)
		qualifiers := parsed.Qualifiers.Map()
		c.Arch = qualifiers["arch"]
		c.Source, c.SourceVersion, _ = strings.Cut(qualifiers["upstream"], "@")
	} else if purl != "" {
		r.note("package %q: purl %q cannot be read", p.Name, purl)
	}
	c.Type = cmp.Or(c.Type, "library")
	if c.Source == "" {
		c.Source, c.SourceVersion = p.Source, p.SourceVersion
	}
	if webAddress(p.Homepage) {
		c.Homepage = p.Homepage
	}
	if p.Own != nil {
		c = own(c, p)
	} else {
		c.Licences = spdxClaims(licences, p.Declared, p.Concluded)
	}
	c.Ref = r.ref(p, c)
	r.places[p.ID] = append(r.places[p.ID], len(r.list))
	r.list = append(r.list, c)
}

// own returns the component as our own documents have it: what they say by properties is not guessed from the purl.
func own(c Component, p spdxPackage) Component {
	o := *p.Own
	o.Name, o.Version, o.PURL, o.CPE, o.Homepage = c.Name, p.Version, c.PURL, c.CPE, c.Homepage
	if strings.Contains(o.Supplier, "@") { // a name with an address is a person
		o.Supplier = ""
	}
	return o
}

// references returns the first purl and the first CPE.
func (p spdxPackage) references() (purl, cpe string) {
	for _, ref := range p.External {
		switch ref.Type {
		case "purl":
			purl = cmp.Or(purl, ref.Locator)
		case "cpe23Type", "cpe22Type", "cpe23", "cpe22":
			cpe = cmp.Or(cpe, ref.Locator)
		}
	}
	return purl, cpe
}

// ref returns the identifier, or what can stand for it, made unique.
func (r *spdxReader) ref(p spdxPackage, c Component) string {
	ref := cmp.Or(p.Ref, p.ID)
	if ref == "" || strings.HasPrefix(ref, "urn:cdx:") { // the latter would read as a reference to another document
		ref = cmp.Or(c.PURL, c.Name+"@"+c.Version)
	}
	unique := ref
	for n := 2; r.used[unique] || unique == r.root && r.root != ""; n++ {
		unique = fmt.Sprintf("%s#%d", ref, n)
	}
	if unique != ref && p.ID != "" {
		r.note("identifier %q occurs more than once", ref)
	}
	r.used[unique] = true
	return unique
}

// spdxClaims returns what was declared and concluded about the licence.
func spdxClaims(licences map[string]string, texts ...string) []LicenceClaim {
	var out []LicenceClaim
	for _, text := range texts {
		if text = saidSPDX(text); text != "" {
			out = append(out, LicenceClaim{Value: cmp.Or(licences[text], text), Provenance: "sbom"})
		}
	}
	if out = sortedClaims(out); len(out) == 0 {
		return nil
	}
	return out
}

// saidSPDX returns a value, or nothing where the document says that it says nothing.
func saidSPDX(text string) string {
	if text = strings.TrimSpace(text); text == "NOASSERTION" || text == "NONE" {
		return ""
	}
	return text
}

// spdxOrganisation returns the name of a supplier that is an organisation, without its address.
func spdxOrganisation(text string) string {
	name, ok := strings.CutPrefix(strings.TrimSpace(text), "Organization:")
	if !ok {
		return ""
	}
	if i := strings.LastIndexByte(name, '('); i >= 0 && strings.HasSuffix(strings.TrimSpace(name), ")") {
		name = name[:i]
	}
	if name = saidSPDX(name); strings.Contains(name, "@") {
		return ""
	}
	return name
}

func spdxTools(creators []string) string {
	var out []string
	for _, c := range creators {
		if tool, ok := strings.CutPrefix(c, "Tool:"); ok {
			out = append(out, strings.TrimSpace(tool))
		}
	}
	return strings.Join(sortedUnion(nil, out), ", ")
}

// relate adds the edges between components.
func (r *spdxReader) relate() error {
	edges := 0
	for _, rel := range r.doc.Relationships {
		from, to := rel.From, rel.To
		switch rel.Type {
		case "DEPENDS_ON", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK":
		case "DEPENDENCY_OF", "CONTAINED_BY", "RUNTIME_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF":
			from, to = to, from
		default:
			continue
		}
		sources, targets := r.places[from], r.places[to]
		if len(sources) > 0 && len(targets) == 0 && r.missing(to) {
			r.note("%q depends on %q, which is not listed", from, to)
		}
		for _, s := range sources {
			r.complete(s, rel)
		}
		if len(r.notes) > 100 {
			return errors.New("more than 100 faults in its references; the document is broken")
		}
		if edges += len(sources) * len(targets); edges > maxBOMEdges {
			return fmt.Errorf("more than %d dependencies", maxBOMEdges)
		}
		for _, s := range sources {
			for _, t := range targets {
				if rel.Type == "CONTAINS" && r.list[t].OwnedBy == r.list[s].Ref { // not a dependency
					continue
				}
				r.list[s].DependsOn = append(r.list[s].DependsOn, r.list[t].Ref)
			}
		}
	}
	for i := range r.list {
		r.list[i].DependsOn = sortedUnion(nil, r.list[i].DependsOn)
	}
	return nil
}

// complete notes how much of the dependencies of a component a relationship says that it holds; of several the one that
// says least counts.
func (r *spdxReader) complete(place int, rel spdxRelationship) {
	if rel.Type != "DEPENDS_ON" {
		return
	}
	says := map[string]string{completenessFull: DependenciesComplete, completenessPart: DependenciesIncomplete}[rel.Completeness]
	c := &r.list[place]
	if before, ok := r.said[place]; ok && (before == "" || says == DependenciesComplete) {
		says = before
	}
	r.said[place], c.Dependencies = says, says
}

// missing reports whether an identifier should name a package of this document: files and other documents are not read.
func (r *spdxReader) missing(id string) bool {
	return id != r.root && !r.used[id] && saidSPDX(id) != "" && strings.HasPrefix(id, "SPDXRef-Package")
}

// isTagValue reports whether a text begins as an SPDX tag-value document, perhaps after comments.
func isTagValue(text []byte) bool {
	for len(text) > 0 && text[0] == '#' {
		_, rest, _ := bytes.Cut(text, []byte("\n"))
		text = bytes.TrimLeft(rest, " \t\r\n")
	}
	return bytes.HasPrefix(text, []byte("SPDXVersion:"))
}

// parseTagValue reads the tag-value form of version 2, line by line. Texts over several lines are skipped.
func parseTagValue(data []byte) (spdxDocument, error) {
	if !utf8.Valid(data) {
		return spdxDocument{}, errors.New("the document is not UTF-8")
	}
	p := tagParser{}
	inText := 0 // the line where a text began
	for n, line := range strings.Split(string(data), "\n") {
		if inText > 0 {
			if strings.Contains(line, "</text>") {
				inText = 0
			}
			continue
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		tag, value, ok := strings.Cut(line, ":")
		if !ok {
			return spdxDocument{}, fmt.Errorf("line %d: this is no tag and value", n+1)
		}
		value = strings.TrimSpace(value)
		if strings.HasPrefix(value, "<text>") && !strings.Contains(value, "</text>") {
			inText = n + 1
			continue
		}
		if err := p.tag(strings.TrimSpace(tag), strings.TrimSuffix(strings.TrimPrefix(value, "<text>"), "</text>")); err != nil {
			return spdxDocument{}, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	if inText > 0 {
		return spdxDocument{}, fmt.Errorf("line %d: a text has no end; fetch the document again", inText)
	}
	return p.doc, checkSPDXVersion(p.doc.Version)
}

// tagParser knows which element the tags belong to.
type tagParser struct {
	doc     spdxDocument
	element string // "", package, file, licence
}

func (p *tagParser) tag(tag, value string) error {
	switch tag {
	case "SPDXVersion":
		p.doc.Version = value
	case "Creator":
		p.doc.Creation.Creators = append(p.doc.Creation.Creators, value)
	case "Created":
		p.doc.Creation.Created = value
	case "PackageName":
		p.element = "package"
		p.doc.Packages = append(p.doc.Packages, spdxPackage{Name: value})
	case "FileName", "SnippetSPDXID":
		p.element = "file"
	case "LicenseID":
		p.element = "licence"
		p.doc.Licences = append(p.doc.Licences, spdxLicence{ID: value})
	case "SPDXID":
		p.identifier(value)
	case "Relationship":
		parts := strings.Fields(value)
		if len(parts) != 3 {
			return errors.New("a relationship is an element, a type and an element")
		}
		p.doc.Relationships = append(p.doc.Relationships, spdxRelationship{From: parts[0], Type: parts[1], To: parts[2]})
	case "LicenseName":
		if p.element == "licence" {
			p.doc.Licences[len(p.doc.Licences)-1].Name = value
		}
	default:
		if p.element == "package" {
			return p.packageTag(&p.doc.Packages[len(p.doc.Packages)-1], tag, value)
		}
	}
	return nil
}

func (p *tagParser) identifier(value string) {
	switch p.element {
	case "":
		p.doc.ID = value
	case "package":
		p.doc.Packages[len(p.doc.Packages)-1].ID = value
	}
}

func (p *tagParser) packageTag(pack *spdxPackage, tag, value string) error {
	switch tag {
	case "PackageVersion":
		pack.Version = value
	case "PackageSupplier":
		pack.Supplier = value
	case "PackageHomePage":
		pack.Homepage = value
	case "PackageLicenseDeclared":
		pack.Declared = value
	case "PackageLicenseConcluded":
		pack.Concluded = value
	case "PrimaryPackagePurpose":
		pack.Purpose = value
	case "ExternalRef":
		parts := strings.Fields(value)
		if len(parts) != 3 {
			return errors.New("an external reference is a category, a type and a locator")
		}
		pack.External = append(pack.External, spdxExternal{Type: parts[1], Locator: parts[2]})
	}
	return nil
}
