package sbom

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/pegel-audit/pegel/audit"
)

// MediaType is the media type of the documents written here, in the newest version.
const MediaType = "application/vnd.cyclonedx+json; version=1.7"

// Versions of CycloneDX that are written.
const (
	CycloneDX17 = "1.7" // the default
	CycloneDX16 = "1.6" // with a loss that the document states; see lower
)

// Names of properties of components. The reader takes them back.
const (
	propertyType          = "pegel:package:type"
	propertyArch          = "pegel:package:arch"
	propertySource        = "pegel:package:source"
	propertySourceVersion = "pegel:package:source-version"
	propertySupplier      = "pegel:package:supplier" // as the package says it; the field supplier may be derived
	propertySection       = "pegel:package:section"
	propertyLayer         = "pegel:package:layer"
	propertyCreatorRule   = "pegel:creator:rule"    // by which rule the address of the creator was found
	propertyOwnedBy       = "pegel:owned-by"        // bom-ref of the package of the distribution that brings it
	propertyOwnedEdge     = "pegel:owned-by:needed" // the owner also depends on it
	propertyKind          = "pegel:bsi:kind"        // "logical": an installed package, not a file (BSI TR-03183-2 section 3.2.2)
	propertyClass         = "pegel:licence:class"
	propertyJudged        = "pegel:licence:decided-by"
	propertyNote          = "pegel:licence:note"
	propertyProvenance    = "pegel:licence:provenance"
	propertyPath          = "pegel:licence:path"
	propertyLine          = "pegel:licence:line"
	propertyWeight        = "pegel:licence:weight"
	propertyAbout         = "pegel:licence:files"
	propertyFailure       = "pegel:packages:failure"
	propertySettle        = "pegel:packages:settle"
	propertyUnread        = "pegel:packages:unread"   // nobody looked
	propertyStated        = "pegel:packages:declared" // somebody's statement, not read from the contents
	propertyDepth         = "pegel:files:depth"
	propertyPlaced        = "pegel:artifact:placed"
	propertyUnpinned      = "pegel:artifact:unpinned"
	propertyDeclared      = "pegel:artifact:declared"
	propertyExcluded      = "pegel:artifact:excluded"
	propertyReference     = "pegel:artifact:reference"
	propertyPlatform      = "pegel:artifact:platform"
	propertyScanner       = "pegel:scanner"
	propertyLabel         = "pegel:label:"          // and the key of the OCI label
	propertyCount         = "pegel:packages:count:" // and the type of package
	propertyForm          = "pegel:form"            // of the document: full or public
	propertyHidden        = "pegel:form:hidden"     // what the public form leaves out on purpose
	propertyFilePath      = "pegel:file:path"
	propertyFileSize      = "pegel:file:size"
	propertyFileTime      = "pegel:file:modified"
	propertyFileKind      = "pegel:file:kind"
	propertyFileOwner     = "pegel:file:owner" // "unknown": no package says that it brings the file
)

// Names of properties in the taxonomy of BSI TR-03183-2 v2.1.0 (table of component fields; spelling of the taxonomy).
const (
	bsiFilename   = "bsi:component:filename"
	bsiExecutable = "bsi:component:executable"
	bsiArchive    = "bsi:component:archive"
	bsiStructured = "bsi:component:structured"
	bsiEffective  = "bsi:component:effectiveLicence"
)

// logical marks components that are no files.
const logical = "logical"

// heading marks what only puts components together: the stack, its tiers and services. Nothing is delivered under its name, so
// that it has no licence and no contents of its own.
const heading = "group"

// Limits of CycloneDX 1.7 that hostile input could break.
const maxVersion = 1024

// BOMOptions are what a document needs beside its contents. All may be empty but At.
type BOMOptions struct {
	At          time.Time // assessed_at: the timestamp of the document, no part of its serial number
	ToolVersion string    // of Pegel
	Creator     string    // organisation that makes the document
	CreatorURL  string    // and its address (BSI TR-03183-2 section 5.2.1: creator of the SBOM)
	// Licences judges the licences of a component; nil judges none.
	Licences func(Component) Licensing
	// Internal marks a document with internal names as not for the public (TLP AMBER). Without it the document is marked
	// CLEAR, so give artifacts that went through a PublicForm.
	Internal bool
	// Counts replaces the packages by their number for each type, for a public form that shall not list them.
	Counts bool
	// SpecVersion is CycloneDX17 (also if empty) or CycloneDX16.
	SpecVersion string
}

// Document is a CycloneDX document in JSON.
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

// Written says what was written to a stream.
type Written struct {
	BOMRef
	Components int // without the root
}

// FileDigest returns the digest by which the bundle knows the document.
func (d Document) FileDigest() audit.Digest { return audit.DigestOf(d.Data) }

// Ref returns what another document needs to point to this one.
func (d Document) Ref() BOMRef {
	sums := newSums()
	sums.Write(d.Data)
	return sums.ref(d.SerialNumber)
}

// ImageBOM is WriteImageBOM into memory.
func ImageBOM(a Artifact, p Packages, opt BOMOptions) (Document, error) {
	return inMemory(func(w io.Writer) (Written, error) { return WriteImageBOM(w, a, p, opt) })
}

func inMemory(write func(io.Writer) (Written, error)) (Document, error) {
	var out bytes.Buffer
	written, err := write(&out)
	if err != nil {
		return Document{}, err
	}
	return Document{SerialNumber: written.SerialNumber, Components: written.Components, Data: out.Bytes()}, nil
}

// WriteImageBOM writes the document of one image, host or other artifact: the artifact is the root, its packages are the
// components, nested below them are the files that they bring and the packages that lie in these (OwnedBy), and every
// component can be reached from the root by dependencies. Packages that could not be read give a document whose root says
// so. The same input in any order gives the same bytes. Components are made and written one by one.
//
// An error means that the packages contradict themselves (a ref that is empty, occurs twice, or is named and missing; a
// path that occurs twice), or that w could not be written; nothing was written in the first case.
func WriteImageBOM(w io.Writer, a Artifact, p Packages, opt BOMOptions) (Written, error) {
	iw, err := newImageWriter(a, p, opt)
	if err != nil {
		return Written{}, fmt.Errorf("writing SBOM of %q: %w", a.ID, err)
	}
	phase := cdx.LifecyclePhasePostBuild
	if a.Kind == KindHost {
		phase = cdx.LifecyclePhaseOperations
	}
	doc := document{
		head: newBOM(&iw.root, phase, p.Tool, opt), components: iw.components, dependencies: dependencies(iw.edges),
		compositions: iw.compositions(),
	}
	return doc.write(w, opt)
}

// imageWriter holds what the parts of one document share. Components stay as they came until they are written.
type imageWriter struct {
	opt    BOMOptions
	pkgs   Packages
	root   cdx.Component
	system *cdx.Component // the operating system, if it is known
	list   []Component    // sorted by Ref
	judged []Licensing    // of each in list
	files  []File         // sorted by Path
	refs   []string       // bom-ref of each of files
	edges  map[string][]string
	// address is where the artifact itself can be had; empty if that is not known.
	address string

	top   []int            // places in list of what is nested in nothing
	under map[string][]int // places in list of what is nested in a component, by its ref
	has   map[string][]int // places in files, by the ref of the owner; "" of those without one
}

func newImageWriter(a Artifact, p Packages, opt BOMOptions) (*imageWriter, error) {
	iw := &imageWriter{opt: opt, pkgs: p, address: manifestAddress(a), under: map[string][]int{}, has: map[string][]int{}}
	iw.list, _ = p.Components.Get()
	iw.list = slices.Clone(iw.list)
	iw.files = slices.Clone(p.Files)
	counts := countTypes(iw.list)
	if opt.Counts {
		iw.list, iw.files = nil, nil
	}
	slices.SortFunc(iw.list, func(x, y Component) int { return cmp.Compare(x.Ref, y.Ref) })
	slices.SortFunc(iw.files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	var err error
	if iw.edges, err = checkRefs(iw.list); err != nil {
		return nil, err
	}
	if err := iw.nest(); err != nil {
		return nil, err
	}
	for _, c := range iw.list {
		iw.judged = append(iw.judged, licensingOf(c, opt))
	}
	if p.OS != "" && !opt.Counts {
		system := osComponent(p.OS)
		system.Licenses = expressions(Licensing{Concluded: together(iw.judged, iw.ofDistribution)})
		system.BOMRef = freeRef(system.BOMRef, iw.edges)
		iw.system, iw.edges[system.BOMRef] = &system, nil
	}
	iw.root = rootComponent(a, p, iw.judged, opt)
	if opt.Counts {
		iw.root.Properties = sortedProperties(append(deref(iw.root.Properties), countProperties(counts)...))
	}
	iw.root.BOMRef = freeRef(cmp.Or(a.ID, "root"), iw.edges)
	iw.edges[iw.root.BOMRef] = nil
	iw.edges[iw.root.BOMRef] = entryPoints(iw.root.BOMRef, iw.edges)
	return iw, nil
}

// ofDistribution reports whether a package, by its place in the list, belongs to the distribution: the operating system is
// what these make together.
func (iw *imageWriter) ofDistribution(place int) bool {
	switch iw.list[place].Type {
	case "deb", "rpm", "apk":
		return true
	}
	return false
}

func licensingOf(c Component, opt BOMOptions) Licensing {
	if opt.Licences == nil {
		return Licensing{}
	}
	return opt.Licences(c)
}

// nest finds what stands below what: files below the package that brings them, packages in the files of another below
// the outermost of these. It adds the edges by which they are reached.
func (iw *imageWriter) nest() error {
	owners := make(map[string]string, len(iw.list))
	for _, c := range iw.list {
		owners[c.Ref] = c.OwnedBy
	}
	for i, c := range iw.list {
		outer, err := outermost(c.Ref, owners)
		if err != nil {
			return err
		}
		if outer == c.Ref {
			iw.top = append(iw.top, i)
			continue
		}
		iw.under[outer] = append(iw.under[outer], i)
		iw.edges[c.OwnedBy] = sortedUnion(iw.edges[c.OwnedBy], []string{c.Ref})
	}
	for i, f := range iw.files {
		if _, known := owners[f.Owner]; f.Owner != "" && !known {
			return fmt.Errorf("file %q belongs to %q, which is not listed", f.Path, f.Owner)
		}
		if !strings.HasPrefix(f.Path, "/") || i > 0 && iw.files[i-1].Path == f.Path {
			return fmt.Errorf("file %q occurs twice, or its path does not begin with /", f.Path)
		}
		ref := freeRef("file:"+f.Path, iw.edges)
		iw.refs, iw.edges[ref] = append(iw.refs, ref), nil
		iw.has[f.Owner] = append(iw.has[f.Owner], i)
	}
	for owner, files := range iw.has {
		if owner != "" {
			iw.edges[owner] = sortedUnion(iw.edges[owner], pick(iw.refs, files))
		}
	}
	return nil
}

// maxOwners bounds chains of owners; a real one has two links: a class file's jar lies in a deb.
const maxOwners = 16

// outermost follows the owners of a component up to one that nobody owns.
func outermost(ref string, owners map[string]string) (string, error) {
	at := ref
	for range maxOwners {
		owner, known := owners[at]
		switch {
		case !known:
			return "", fmt.Errorf("component %q is owned by %q, which is not listed", ref, at)
		case owner == "":
			return at, nil
		}
		at = owner
	}
	return "", fmt.Errorf("component %q is owned by itself, or through more than %d others", ref, maxOwners)
}

func pick[T any](list []T, places []int) []T {
	out := make([]T, 0, len(places))
	for _, i := range places {
		out = append(out, list[i])
	}
	return out
}

// components makes the components one by one, sorted by bom-ref, nested ones inside their parent.
func (iw *imageWriter) components(yield func(cdx.Component) bool) {
	loose := iw.has[""]
	top := iw.top
	system := iw.system
	for len(top) > 0 || len(loose) > 0 || system != nil {
		var next string
		take := func(ref string) {
			if next == "" || ref < next {
				next = ref
			}
		}
		if len(top) > 0 {
			take(iw.list[top[0]].Ref)
		}
		if len(loose) > 0 {
			take(iw.refs[loose[0]])
		}
		if system != nil {
			take(system.BOMRef)
		}
		var c cdx.Component
		switch {
		case len(top) > 0 && iw.list[top[0]].Ref == next:
			c, top = iw.component(top[0]), top[1:]
		case len(loose) > 0 && iw.refs[loose[0]] == next:
			c, loose = fileComponent(iw.files[loose[0]], next, nil, iw.address), loose[1:]
		default:
			c, system = *system, nil
		}
		if !yield(c) {
			return
		}
	}
}

// component makes one package with everything below it.
func (iw *imageWriter) component(place int) cdx.Component {
	p := iw.list[place]
	var owner *Component
	if p.OwnedBy != "" {
		i, _ := slices.BinarySearchFunc(iw.list, p.OwnedBy, func(x Component, ref string) int { return cmp.Compare(x.Ref, ref) })
		owner = &iw.list[i]
	}
	c := packageComponent(p, owner, iw.judged[place])
	if owner != nil && slices.Contains(owner.DependsOn, p.Ref) {
		c.Properties = sortedProperties(append(deref(c.Properties), cdx.Property{Name: propertyOwnedEdge, Value: "yes"}))
	}
	var below []cdx.Component
	for _, i := range iw.has[p.Ref] {
		below = append(below, fileComponent(iw.files[i], iw.refs[i], &c, iw.address))
	}
	for _, i := range iw.under[p.Ref] {
		below = append(below, iw.component(i))
	}
	slices.SortFunc(below, func(x, y cdx.Component) int { return cmp.Compare(x.BOMRef, y.BOMRef) })
	c.Components = listOf(below)
	return c
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

// dependencies gives one entry for each ref, in order; a leaf has an entry without edges.
func dependencies(edges map[string][]string) iter.Seq[cdx.Dependency] {
	refs := make([]string, 0, len(edges))
	for ref := range edges {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return func(yield func(cdx.Dependency) bool) {
		for _, ref := range refs {
			to := slices.DeleteFunc(slices.Clone(edges[ref]), func(to string) bool { return to == ref })
			if !yield(cdx.Dependency{Ref: ref, Dependencies: listOf(to)}) {
				return
			}
		}
	}
}

// compositions says how complete the document is (BSI TR-03183-2 section 5.2.2: completeness of the dependencies). The
// list of parts is complete only if it was read from the contents with every executable file; edges are as complete as
// the reader of each ecosystem says. What a file needs was not read.
func (iw *imageWriter) compositions() []cdx.Composition {
	root := cdx.BOMReference(iw.root.BOMRef)
	assemblies, edges := map[cdx.CompositionAggregate][]cdx.BOMReference{}, map[cdx.CompositionAggregate][]cdx.BOMReference{}
	whole := cdx.CompositionAggregateIncomplete
	_, known := iw.pkgs.Components.Get()
	switch {
	case !known:
		whole = cdx.CompositionAggregateUnknown
	case iw.pkgs.Depth == DepthAll && !iw.pkgs.Declared && !iw.opt.Counts:
		whole = cdx.CompositionAggregateComplete
	}
	assemblies[whole] = append(assemblies[whole], root)
	edges[whole] = append(edges[whole], root)
	for _, c := range iw.list {
		as := aggregate(c.Dependencies)
		edges[as] = append(edges[as], cdx.BOMReference(c.Ref))
		if len(iw.has[c.Ref]) > 0 {
			assemblies[whole] = append(assemblies[whole], cdx.BOMReference(c.Ref))
		}
	}
	unread := edges[cdx.CompositionAggregateUnknown]
	if iw.system != nil {
		unread = append(unread, cdx.BOMReference(iw.system.BOMRef))
	}
	for _, ref := range iw.refs {
		unread = append(unread, cdx.BOMReference(ref))
	}
	edges[cdx.CompositionAggregateUnknown] = unread
	return sortedCompositions(assemblies, edges)
}

func aggregate(dependencies string) cdx.CompositionAggregate {
	switch dependencies {
	case DependenciesComplete:
		return cdx.CompositionAggregateComplete
	case DependenciesIncomplete:
		return cdx.CompositionAggregateIncomplete
	}
	return cdx.CompositionAggregateUnknown
}

// sortedCompositions writes one entry for each aggregate that has refs.
func sortedCompositions(assemblies, edges map[cdx.CompositionAggregate][]cdx.BOMReference) []cdx.Composition {
	var out []cdx.Composition
	for _, as := range []cdx.CompositionAggregate{cdx.CompositionAggregateComplete, cdx.CompositionAggregateIncomplete, cdx.CompositionAggregateUnknown} {
		if len(assemblies[as])+len(edges[as]) > 0 {
			out = append(out, cdx.Composition{Aggregate: as, Assemblies: listOf(sortedUnion(nil, assemblies[as])), Dependencies: listOf(sortedUnion(nil, edges[as]))})
		}
	}
	return out
}
