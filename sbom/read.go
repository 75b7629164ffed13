package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of documents by others. The largest image of the reference stack gives 40 MB with every file listed.
const (
	MaxBOMFile       = 256 << 20
	maxBOMComponents = 500_000
	maxBOMDepth      = 256 // of JSON; each nested component takes two
	maxBOMEdges      = 5_000_000
	maxLocations     = 5
)

// BOMMeta is what a document says about itself and about the thing it describes.
type BOMMeta struct {
	Format       string       // FormatCycloneDX or FormatSPDX
	SpecVersion  string       // 1.4 to 1.7 of CycloneDX; 2.2, 2.3 or 3.x of SPDX
	SerialNumber string       // urn:uuid:..., or empty
	Timestamp    time.Time    // zero if the document has none
	Kind         string       // KindImage if the root is a container image, else KindBOM
	Name         string       // of the root; empty if there is none
	Version      string       // of the root, without packaging
	Reference    string       // of an image
	Digest       audit.Digest // of an image, from its purl or version; empty if the document does not say
	Public       bool         // it says of itself that names which only insiders know are left out (PublicForm)
	Notes        []string     // what was wrong with the document and how it was read nevertheless, sorted
}

// ReadCycloneDX reads a CycloneDX document in JSON, version 1.4 to 1.7, made by anybody. Nested components are listed
// flat; the operating system becomes Packages.OS; files that Pegel wrote become Packages.Files; licences, locations,
// dependencies and what is said about their completeness are taken over as they stand;
// vulnerabilities, persons and texts are not. A double bom-ref is made unique and dependencies on nothing are dropped,
// both with a note. Double JSON keys, deep nesting, other formats and documents beyond the limits are errors.
//
// Packages.Artifact is left empty: the caller knows which artifact it is about.
func ReadCycloneDX(data []byte) (Packages, BOMMeta, error) {
	fail := func(err error) (Packages, BOMMeta, error) {
		return Packages{}, BOMMeta{}, fmt.Errorf("reading CycloneDX: %w", err)
	}
	if len(data) > MaxBOMFile {
		return fail(fmt.Errorf("the document is larger than %d bytes", MaxBOMFile))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	head, err := checkJSON(data)
	if err != nil {
		return fail(err)
	}
	if err := head.check(); err != nil {
		return fail(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return fail(jsonMessage(data, err))
	}
	r := bomReader{
		used: map[string]bool{}, notes: map[string]bool{}, names: map[string][]int{}, paths: map[string]bool{}, owned: map[string]bool{},
	}
	meta := BOMMeta{Format: FormatCycloneDX, SpecVersion: head.specVersion, SerialNumber: bom.SerialNumber, Kind: KindBOM}
	if bom.Metadata != nil {
		r.metadata(bom.Metadata, &meta)
	}
	if err := r.components(deref(bom.Components), ""); err != nil {
		return fail(err)
	}
	r.owners()
	if err := r.dependencies(deref(bom.Dependencies)); err != nil {
		return fail(err)
	}
	r.completeness(deref(bom.Compositions))
	for note := range r.notes {
		meta.Notes = append(meta.Notes, note)
	}
	slices.Sort(meta.Notes)
	return r.packages(), meta, nil
}

func (r *bomReader) packages() Packages {
	slices.SortFunc(r.list, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	slices.SortFunc(r.files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	if r.list == nil {
		r.list = []Component{}
	}
	p := Packages{Schema: PackagesSchema, OS: r.os, Tool: r.tool, SHA512: r.sha512, Labels: r.labels, Files: r.files}
	p.Components = audit.Known(r.list)
	p.Declared = property(r.about, propertyStated) != ""
	if depth := property(r.about, propertyDepth); depth == DepthEntries || depth == DepthAll {
		p.Depth = depth
	}
	failure, unread := property(r.about, propertyFailure), property(r.about, propertyUnread)
	if len(r.list) == 0 && failure+unread != "" { // our own document says that nothing could be read
		p.Components = audit.Fact[[]Component]{Failure: failure, Settle: property(r.about, propertySettle)}
	}
	return p
}

// bomReader collects components while the tree is walked.
type bomReader struct {
	list   []Component
	names  map[string][]int // bom-ref as written to places in list
	used   map[string]bool  // refs given out
	root   string           // bom-ref of the root
	os     string
	tool   string
	sha512 string
	labels map[string]string
	notes  map[string]bool
	files  []File
	paths  map[string]bool // of files
	about  *[]cdx.Property // of the root
	owned  map[string]bool // refs that their owner also depends on
}

func (r *bomReader) note(format string, args ...any) { r.notes[fmt.Sprintf(format, args...)] = true }

func (r *bomReader) metadata(m *cdx.Metadata, meta *BOMMeta) {
	if t, err := time.Parse(time.RFC3339, m.Timestamp); err == nil {
		meta.Timestamp = t.UTC()
	}
	r.tool = toolName(m.Tools)
	meta.Public = property(m.Properties, propertyForm) == "public"
	if m.Component == nil {
		return
	}
	root := *m.Component
	r.root, r.about = root.BOMRef, root.Properties
	meta.Name = root.Name
	meta.Reference = property(root.Properties, propertyReference)
	for _, p := range deref(root.Properties) {
		if key, ok := strings.CutPrefix(p.Name, propertyLabel); ok && key != "" {
			if r.labels == nil {
				r.labels = map[string]string{}
			}
			r.labels[key] = p.Value
		}
	}
	identifyRoot(meta, root.Name, root.Version, root.PackageURL, root.Type == cdx.ComponentTypeContainer)
	for _, h := range deref(root.Hashes) {
		if h.Algorithm == cdx.HashAlgoSHA512 && isHex(strings.ToLower(h.Value), 128) {
			r.sha512 = strings.ToLower(h.Value)
		}
	}
}

// identifyRoot says what the thing is that a document describes: an image if it is called one or has the purl of one.
func identifyRoot(meta *BOMMeta, name, version, purlText string, isImage bool) {
	purl, err := packageurl.FromString(purlText)
	if err == nil && (purl.Type == "oci" || purl.Type == "docker") {
		isImage = true
		meta.Digest = digestOrNone(purl.Version)
		meta.Reference = cmp.Or(meta.Reference, purlReference(purl))
	}
	if isImage {
		meta.Kind = KindImage
		if d := digestOrNone(version); d != "" { // syft writes the digest here
			meta.Digest, version = cmp.Or(meta.Digest, d), ""
		}
		if ref, err := ParseReference(name); err == nil && (ref.Registry != "" || ref.Tag != "") {
			meta.Name, meta.Reference = ref.Name(), cmp.Or(meta.Reference, name)
		}
		if ref, err := ParseReference(meta.Reference); err == nil {
			version = cmp.Or(version, ParseTag(ref.Tag).Version)
		}
	}
	meta.Version = UpstreamVersion(version)
}

// components reads a list and what is nested in it; owner is the ref of the package that the list stands below.
func (r *bomReader) components(list []cdx.Component, owner string) error {
	for _, c := range list {
		if len(r.list)+len(r.files) >= maxBOMComponents {
			return fmt.Errorf("more than %d components", maxBOMComponents)
		}
		below := owner
		switch {
		case c.Type == cdx.ComponentTypeOS && r.os == "":
			r.os = strings.TrimSpace(c.Name + " " + c.Version)
			r.used[c.BOMRef] = true
		case c.Type == cdx.ComponentTypeFile && property(c.Properties, propertyFilePath) != "":
			r.file(c, owner)
		default:
			below = r.component(c)
		}
		if err := r.components(deref(c.Components), below); err != nil {
			return err
		}
	}
	return nil
}

// file reads a file that we wrote; files in documents by others stay components.
func (r *bomReader) file(c cdx.Component, owner string) {
	f := File{
		Path: property(c.Properties, propertyFilePath), Owner: owner, Kind: property(c.Properties, propertyFileKind),
		Executable: property(c.Properties, bsiExecutable) == "executable", Archive: property(c.Properties, bsiArchive) == "archive",
		Structured: property(c.Properties, bsiStructured) == "structured", Layer: digestOrNone(property(c.Properties, propertyLayer)),
	}
	if r.paths[f.Path] || !strings.HasPrefix(f.Path, "/") {
		r.note("file %q occurs more than once, or has no whole path", f.Path)
		return
	}
	r.paths[f.Path] = true
	if size, err := strconv.ParseInt(property(c.Properties, propertyFileSize), 10, 64); err == nil && size >= 0 {
		f.Size = size
	}
	if t, err := time.Parse(time.RFC3339Nano, property(c.Properties, propertyFileTime)); err == nil {
		f.Modified = t.UTC()
	}
	for _, h := range deref(c.Hashes) {
		value := strings.ToLower(h.Value)
		switch {
		case h.Algorithm == cdx.HashAlgoSHA256 && isHex(value, 64):
			f.SHA256 = value
		case h.Algorithm == cdx.HashAlgoSHA512 && isHex(value, 128):
			f.SHA512 = value
		}
	}
	r.used[r.ref(c)] = true
	r.files = append(r.files, f)
}

// owners turns the bom-refs in OwnedBy into refs. One that is not listed, or that leads in a circle, is dropped.
func (r *bomReader) owners() {
	above := make(map[string]string, len(r.list))
	for i := range r.list {
		c := &r.list[i]
		if c.OwnedBy != "" {
			places := r.names[c.OwnedBy]
			if len(places) == 0 {
				r.note("%q is owned by %q, which is not listed", c.Ref, c.OwnedBy)
				c.OwnedBy = ""
			} else {
				c.OwnedBy = r.list[places[0]].Ref
			}
		}
		above[c.Ref] = c.OwnedBy
	}
	for i := range r.list {
		c := &r.list[i]
		if c.OwnedBy == "" {
			continue
		}
		if _, err := outermost(c.Ref, above); err != nil {
			r.note("%q is owned by itself, or through too many others", c.Ref)
			c.OwnedBy, above[c.Ref] = "", ""
		}
	}
}

// completeness reads how complete the dependencies of each component are. Every degree between complete and unknown
// counts as incomplete.
func (r *bomReader) completeness(list []cdx.Composition) {
	for _, c := range list {
		as := DependenciesIncomplete
		switch c.Aggregate {
		case cdx.CompositionAggregateComplete:
			as = DependenciesComplete
		case cdx.CompositionAggregateUnknown, cdx.CompositionAggregateNotSpecified:
			continue
		}
		for _, ref := range deref(c.Dependencies) {
			for _, i := range r.names[string(ref)] {
				if r.list[i].Dependencies != DependenciesIncomplete { // the lesser claim of two holds
					r.list[i].Dependencies = as
				}
			}
		}
	}
}

// component reads one package and returns its ref.
func (r *bomReader) component(c cdx.Component) string {
	p := Component{Name: c.Name, Version: c.Version, CPE: c.CPE}
	purl, err := packageurl.FromString(c.PackageURL)
	switch {
	case err == nil:
		p.PURL = c.PackageURL
		if own := property(c.Properties, propertyType); own == "" { // ours say it by property
			qualifiers := purl.Qualifiers.Map()
			p.Arch = qualifiers["arch"]
			p.Source, p.SourceVersion, _ = strings.Cut(qualifiers["upstream"], "@")
		}
	case c.PackageURL != "":
		r.note("component %q: purl %q cannot be read", c.Name, c.PackageURL)
	}
	p.Type = cmp.Or(property(c.Properties, propertyType), property(c.Properties, "syft:package:type"), packageType(purl.Type), string(c.Type), string(cdx.ComponentTypeLibrary))
	p.Arch = cmp.Or(property(c.Properties, propertyArch), p.Arch)
	p.Source = cmp.Or(property(c.Properties, propertySource), p.Source)
	p.SourceVersion = cmp.Or(property(c.Properties, propertySourceVersion), p.SourceVersion)
	p.Section = property(c.Properties, propertySection)
	p.Layer = digestOrNone(property(c.Properties, propertyLayer))
	p.OwnedBy = property(c.Properties, propertyOwnedBy)
	if property(c.Properties, propertyType) != "" { // ours: the field may hold what was derived
		p.Supplier = property(c.Properties, propertySupplier)
	} else if c.Supplier != nil && !strings.Contains(c.Supplier.Name, "@") { // a name with an address is a person
		p.Supplier = c.Supplier.Name
	}
	for _, ref := range deref(c.ExternalReferences) {
		switch {
		case ref.Type == cdx.ERTypeWebsite && webAddress(ref.URL) && p.Homepage == "":
			p.Homepage = ref.URL
		case ref.Type == cdx.ERTypeVCS && vcsAddress(ref.URL) && len(p.Upstream) < MaxUpstream:
			p.Upstream = append(p.Upstream, UpstreamClaim{Kind: UpstreamRepository, URL: ref.URL})
		}
	}
	p.Licences = claims(c)
	p.Locations = locations(c)
	p.Ref = r.ref(c)
	r.owned[p.Ref] = property(c.Properties, propertyOwnedEdge) != ""
	r.names[c.BOMRef] = append(r.names[c.BOMRef], len(r.list))
	r.list = append(r.list, p)
	return p.Ref
}

// ref returns the bom-ref, or what can stand for it, made unique.
func (r *bomReader) ref(c cdx.Component) string {
	ref := c.BOMRef
	if ref == "" || strings.HasPrefix(ref, "urn:cdx:") {
		ref = cmp.Or(c.PackageURL, c.Name+"@"+c.Version)
	}
	unique := ref
	for n := 2; r.used[unique] || unique == r.root && r.root != ""; n++ {
		unique = fmt.Sprintf("%s#%d", ref, n)
	}
	if unique != ref && c.BOMRef != "" {
		r.note("bom-ref %q occurs more than once", ref)
	}
	r.used[unique] = true
	return unique
}

// dependencies adds the edges between components. An edge of a double bom-ref counts for each that has it.
func (r *bomReader) dependencies(list []cdx.Dependency) error {
	edges := 0
	for _, d := range list {
		from, known := r.names[d.Ref]
		for _, target := range deref(d.Dependencies) {
			to, ok := r.names[target]
			switch {
			case !ok && !r.used[target] && target != r.root:
				r.note("%q depends on %q, which is not listed", d.Ref, target)
			case known && ok:
				if edges += len(from) * len(to); edges > maxBOMEdges {
					return fmt.Errorf("more than %d dependencies", maxBOMEdges)
				}
				r.connect(from, to)
			}
		}
		if len(r.notes) > 100 {
			return errors.New("more than 100 faults in its references; the document is broken")
		}
	}
	for i := range r.list {
		r.list[i].DependsOn = sortedUnion(nil, r.list[i].DependsOn)
	}
	return nil
}

func (r *bomReader) connect(from, to []int) {
	for _, f := range from {
		for _, t := range to {
			if target := r.list[t]; target.OwnedBy == r.list[f].Ref && !r.owned[target.Ref] {
				continue // it only leads to what is nested
			}
			r.list[f].DependsOn = append(r.list[f].DependsOn, r.list[t].Ref)
		}
	}
}

// claims returns the statements about the licence: of our own documents as they were found, of others as they stand.
func claims(c cdx.Component) []LicenceClaim {
	var own, out []LicenceClaim
	if c.Evidence != nil && c.Evidence.Licenses != nil {
		for _, l := range *c.Evidence.Licenses {
			if l.License != nil && l.License.Name != "" {
				if provenance := property(l.License.Properties, propertyProvenance); provenance != "" {
					props := l.License.Properties
					line, _ := strconv.Atoi(property(props, propertyLine)) // 0 where it says none
					own = append(own, LicenceClaim{
						Value: l.License.Name, Provenance: provenance, Path: property(props, propertyPath), Line: max(0, line),
						Weight: property(props, propertyWeight), Files: property(props, propertyAbout), Origin: originOf(props),
					})
				}
			}
		}
	}
	if own != nil {
		return sortedClaims(own)
	}
	if c.Licenses != nil {
		for _, l := range *c.Licenses {
			value := l.Expression
			if l.License != nil {
				value = cmp.Or(value, l.License.ID, l.License.Name)
			}
			out = append(out, LicenceClaim{Value: value, Provenance: "sbom"})
		}
	}
	if out = sortedClaims(out); len(out) == 0 {
		return nil
	}
	return out
}

func locations(c cdx.Component) []string {
	var out []string
	if c.Evidence != nil {
		for _, o := range deref(c.Evidence.Occurrences) {
			out = append(out, o.Location)
		}
	}
	for _, p := range deref(c.Properties) {
		if strings.HasPrefix(p.Name, "syft:location:") && strings.HasSuffix(p.Name, ":path") {
			out = append(out, p.Value)
		}
	}
	out = sortedUnion(nil, out)
	return out[:min(len(out), maxLocations)]
}

func toolName(tools *cdx.ToolsChoice) string {
	if tools == nil {
		return ""
	}
	var names []string
	for _, c := range deref(tools.Components) {
		if c.Name == "pegel" { // the writer, not what read the packages
			return property(c.Properties, propertyScanner)
		}
		names = append(names, strings.TrimSpace(c.Name+" "+c.Version))
	}
	for _, t := range deref(tools.Tools) {
		names = append(names, strings.TrimSpace(t.Name+" "+t.Version))
	}
	return strings.Join(sortedUnion(nil, names), ", ")
}

func property(list *[]cdx.Property, name string) string {
	if list == nil {
		return ""
	}
	for _, p := range *list {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// packageType maps a purl type to the name that the scanner uses.
func packageType(purlType string) string {
	switch purlType {
	case "pypi":
		return "python"
	case "golang":
		return "go-module"
	case "maven":
		return "java-archive"
	case "cargo":
		return "rust-crate"
	}
	return purlType
}

func purlReference(p packageurl.PackageURL) string {
	q := p.Qualifiers.Map()
	name := p.Name
	if p.Namespace != "" {
		name = p.Namespace + "/" + name
	}
	r := cmp.Or(q["repository_url"], name)
	if tag := q["tag"]; tag != "" {
		r += ":" + tag
	}
	if _, err := ParseReference(r); err != nil {
		return ""
	}
	return r
}

func digestOrNone(s string) audit.Digest {
	if !strings.HasPrefix(s, "sha256:") {
		return ""
	}
	d, err := audit.ParseDigest(s)
	if err != nil {
		return ""
	}
	return d
}

// bomHead is what tells formats apart, found while the keys are checked.
type bomHead struct {
	format, specVersion, spdx string
	graph                     bool // JSON-LD, as SPDX 3 is written
}

func (h bomHead) check() error {
	switch {
	case h.spdx != "":
		return fmt.Errorf("this is %s; convert it to CycloneDX JSON, version 1.4 to 1.7", h.spdx)
	case h.format != "CycloneDX":
		return fmt.Errorf("bomFormat is %q, want \"CycloneDX\"", h.format)
	case !slices.Contains([]string{"1.4", "1.5", "1.6", "1.7"}, h.specVersion):
		return fmt.Errorf("specVersion is %q, want 1.4, 1.5, 1.6 or 1.7", h.specVersion)
	}
	return nil
}

// checkJSON reads the document once as tokens. It refuses what encoding/json would accept in silence: a key that stands
// twice in one object, and nesting without end.
func checkJSON(data []byte) (bomHead, error) {
	var head bomHead
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if len(trimmed) == 0 {
		return head, errors.New("the document is empty")
	}
	if trimmed[0] == '<' {
		return head, errors.New("this is XML; convert it to CycloneDX JSON, version 1.4 to 1.7")
	}
	if trimmed[0] != '{' {
		return head, errors.New("this is no JSON object")
	}
	if !utf8.Valid(data) {
		return head, errors.New("the document is not UTF-8")
	}
	w := keyWalker{dec: json.NewDecoder(bytes.NewReader(data)), data: data, head: &head}
	w.dec.UseNumber()
	if err := w.value(0); err != nil {
		return head, jsonMessage(data, err)
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return head, fmt.Errorf("line %d: something follows the document", lineAt(data, w.dec.InputOffset()))
	}
	return head, nil
}

type keyWalker struct {
	dec  *json.Decoder
	data []byte
	head *bomHead
}

func (w *keyWalker) value(depth int) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	return w.rest(token, depth)
}

// rest reads what belongs to a token: nothing, or the inside of an object or list.
func (w *keyWalker) rest(token json.Token, depth int) error {
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth >= maxBOMDepth {
		return fmt.Errorf("line %d: nested more than %d deep", lineAt(w.data, w.dec.InputOffset()), maxBOMDepth)
	}
	if open == '{' {
		if err := w.object(depth); err != nil {
			return err
		}
	} else {
		for w.dec.More() {
			if err := w.value(depth + 1); err != nil {
				return err
			}
		}
	}
	_, err := w.dec.Token()
	return err
}

func (w *keyWalker) object(depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		// encoding/json also matches keys that differ in case only, so these count as the same.
		if folded := strings.ToLower(key); seen[folded] {
			return fmt.Errorf("line %d: key %q stands twice in one object", lineAt(w.data, w.dec.InputOffset()), key)
		} else {
			seen[folded] = true
		}
		value, err := w.dec.Token()
		if err != nil {
			return err
		}
		if depth == 0 {
			w.note(key, value)
		}
		if err := w.rest(value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *keyWalker) note(key string, value json.Token) {
	s, _ := value.(string)
	switch key {
	case "bomFormat":
		w.head.format = s
	case "specVersion":
		w.head.specVersion = s
	case "spdxVersion":
		w.head.spdx = cmp.Or(s, "SPDX")
	case "@context":
		w.head.spdx, w.head.graph = "SPDX 3 or other JSON-LD", true
	}
}

// jsonMessage puts the line before an error of encoding/json.
func jsonMessage(data []byte, err error) error {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the document ends too early; fetch it again")
	case errors.As(err, &syntax):
		if syntax.Offset >= int64(len(data)) {
			return errors.New("the document ends too early; fetch it again")
		}
		return fmt.Errorf("line %d: %s", lineAt(data, syntax.Offset), strings.TrimPrefix(syntax.Error(), "json: "))
	case errors.As(err, &wrongType):
		return fmt.Errorf("line %d: %s holds a %s, want another type", lineAt(data, wrongType.Offset), wrongType.Field, wrongType.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

func lineAt(data []byte, offset int64) int {
	offset = max(0, min(offset, int64(len(data))))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// vcsAddress reports whether a text can be the address of a repository: one word, with no user in it but git.
func vcsAddress(s string) bool {
	return s != "" && len(s) <= maxUpstreamURL && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"", r) }) &&
		strings.Count(s, "@") == strings.Count(s, "git@")
}
