package sbom

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// WriteFlatBOM writes a whole stack into one document without links to others: the tree of WriteStackBOM, then each
// package once, however many artifacts hold it. An artifact depends on every package in it; each package says in
// evidence.occurrences in which artifacts it lies and where. What several artifacts say about one package is put
// together: claims, places, and edges, which are complete only if each artifact says so. Files are left out; the document
// of each artifact has them.
//
// Packages are made and written one by one; beside the packages that are given, memory holds one small entry for each of
// their occurrences.
func WriteFlatBOM(w io.Writer, inv Inventory, pkgs []Packages, opt StackOptions) (Written, error) {
	fail := func(err error) (Written, error) {
		return Written{}, fmt.Errorf("writing flat SBOM of %q: %w", opt.Name, err)
	}
	boms, contents := map[string]BOMRef{}, map[string]Packages{}
	for _, p := range pkgs {
		if _, known := p.Components.Get(); known {
			boms[p.Artifact], contents[p.Artifact] = BOMRef{}, p // described here: no link, but not unknown either
		}
	}
	s := newStackWriter(boms, opt)
	s.contents = contents
	tree, err := s.tree(inv)
	if err != nil {
		return fail(err)
	}
	f, err := flatten(s, pkgs)
	if err != nil {
		return fail(err)
	}
	doc := document{
		head: s.head(inv), compositions: s.compositions(inv, f.completeness(pkgs)), dependencies: f.dependencies(s.edges),
		components: func(yield func(cdx.Component) bool) {
			for _, c := range tree {
				if !yield(c) {
					return
				}
			}
			for i := range f.list {
				if !yield(f.component(i, opt.BOMOptions)) {
					return
				}
			}
		},
	}
	return doc.write(w, opt.BOMOptions)
}

// flat is all packages of a stack, each once.
type flat struct {
	pkgs   []Packages
	list   []flatPackage // sorted by ref
	within []within      // by place in pkgs
	judged []*Licensing  // by place in list; the document is made twice
}

// flatPackage is one package and where it occurs.
type flatPackage struct {
	key         string
	ref         string
	occurrences []occurrence // sorted by artifact, then ref
}

type occurrence struct{ artifact, component int32 } // places in pkgs and in its components

// within leads from the refs of one artifact to places in the list of all packages.
type within map[string]int32

// identity tells packages apart across artifacts: the purl with its qualifiers, or what is known instead.
func identity(c Component) string {
	if c.PURL != "" {
		return c.PURL
	}
	return c.Type + ":" + c.Name + "@" + c.Version + " " + c.Arch
}

func flatten(s *stackWriter, pkgs []Packages) (*flat, error) {
	f := &flat{pkgs: slices.Clone(pkgs)}
	slices.SortStableFunc(f.pkgs, func(x, y Packages) int { return cmp.Compare(x.Artifact, y.Artifact) })
	places := map[string]int32{}
	for i, p := range f.pkgs {
		if !s.taken[p.Artifact] || i > 0 && f.pkgs[i-1].Artifact == p.Artifact {
			return nil, fmt.Errorf("packages of artifact %q are there twice, or it is not in the inventory", p.Artifact)
		}
		list, _ := p.Components.Get()
		if _, err := checkRefs(list); err != nil {
			return nil, fmt.Errorf("artifact %q: %w", p.Artifact, err)
		}
		for j, c := range list {
			place, known := places[identity(c)]
			if !known {
				place = int32(len(f.list))
				places[identity(c)] = place
				f.list = append(f.list, flatPackage{key: identity(c)})
			}
			f.list[place].occurrences = append(f.list[place].occurrences, occurrence{int32(i), int32(j)})
		}
	}
	f.order(s)
	return f, nil
}

// order sorts the packages, gives each a ref that no part of the stack has, and remembers where refs lead.
func (f *flat) order(s *stackWriter) {
	slices.SortFunc(f.list, func(x, y flatPackage) int { return cmp.Compare(x.key, y.key) })
	f.within, f.judged = make([]within, len(f.pkgs)), make([]*Licensing, len(f.list))
	for i, p := range f.pkgs {
		list, _ := p.Components.Get()
		f.within[i] = make(within, len(list))
	}
	for place := range f.list {
		x := &f.list[place]
		key := x.key
		if strings.HasPrefix(key, "urn:cdx:") {
			key = "package:" + key
		}
		x.ref = freeRef(key, s.edges)
		s.edges[x.ref] = nil
		slices.SortFunc(x.occurrences, func(a, b occurrence) int {
			return cmp.Or(cmp.Compare(a.artifact, b.artifact), cmp.Compare(f.at(a).Ref, f.at(b).Ref))
		})
		for _, o := range x.occurrences {
			f.within[o.artifact][f.at(o).Ref] = int32(place)
		}
	}
}

func (f *flat) at(o occurrence) *Component {
	return &(*f.pkgs[o.artifact].Components.Value)[o.component]
}

// merged puts together what all occurrences say.
func (f *flat) merged(place int) Component {
	x := f.list[place]
	c := *f.at(x.occurrences[0])
	c.Ref, c.DependsOn, c.OwnedBy = x.ref, nil, ""
	for _, o := range x.occurrences[1:] {
		other := f.at(o)
		if !slices.Equal(c.Licences, other.Licences) {
			c.Licences = sortedClaims(append(slices.Clone(c.Licences), other.Licences...))
		}
		if c.Layer != other.Layer {
			c.Layer = ""
		}
		c.Supplier, c.Homepage = cmp.Or(c.Supplier, other.Supplier), cmp.Or(c.Homepage, other.Homepage)
		c.Section, c.CPE = cmp.Or(c.Section, other.Section), cmp.Or(c.CPE, other.CPE)
		c.Source, c.SourceVersion = cmp.Or(c.Source, other.Source), cmp.Or(c.SourceVersion, other.SourceVersion)
	}
	return c
}

// owner returns the package in whose files another lies in the first artifact that has it, or nil if it lies in none there.
func (f *flat) owner(place int) *Component {
	first := f.list[place].occurrences[0]
	owner, ok := f.within[first.artifact][f.at(first).OwnedBy]
	if !ok {
		return nil
	}
	c := f.merged(int(owner))
	return &c
}

// component makes one package with the places where it occurs.
func (f *flat) component(place int, opt BOMOptions) cdx.Component {
	p := f.merged(place)
	p.Locations = nil
	if f.judged[place] == nil {
		l := licensingOf(p, opt)
		f.judged[place] = &l
	}
	c := packageComponent(p, f.owner(place), *f.judged[place])
	if c.Evidence == nil {
		c.Evidence = &cdx.Evidence{}
	}
	var occurrences []cdx.EvidenceOccurrence
	var owners []string
	for _, o := range f.list[place].occurrences {
		at, artifact := f.at(o), f.pkgs[o.artifact].Artifact
		for _, path := range sortedUnion(nil, at.Locations) {
			occurrences = append(occurrences, cdx.EvidenceOccurrence{Location: artifact, AdditionalContext: path})
		}
		if len(at.Locations) == 0 {
			occurrences = append(occurrences, cdx.EvidenceOccurrence{Location: artifact})
		}
		if owner, ok := f.within[o.artifact][at.OwnedBy]; ok {
			owners = append(owners, f.list[owner].ref)
		}
	}
	props := deref(c.Properties)
	for _, owner := range sortedUnion(nil, owners) {
		props = append(props, cdx.Property{Name: propertyOwnedBy, Value: owner})
	}
	c.Properties = sortedProperties(props)
	c.Evidence.Occurrences = listOf(slices.Compact(occurrences))
	return c
}

// dependencies adds the edges from artifacts to packages and between packages to those of the stack, in order.
func (f *flat) dependencies(stack map[string][]string) func(func(cdx.Dependency) bool) {
	artifacts := make(map[string]int, len(f.pkgs))
	for i, p := range f.pkgs {
		artifacts[p.Artifact] = i
	}
	packages := make(map[string]int, len(f.list))
	for i, x := range f.list {
		packages[x.ref] = i
	}
	return func(yield func(cdx.Dependency) bool) {
		for d := range dependencies(stack) {
			if i, ok := artifacts[d.Ref]; ok {
				d.Dependencies = listOf(f.refs(f.everything(i)))
			} else if i, ok := packages[d.Ref]; ok {
				d.Dependencies = listOf(f.refs(f.needs(i)))
			}
			if !yield(d) {
				return
			}
		}
	}
}

// everything returns the places of the packages in one artifact, sorted.
func (f *flat) everything(artifact int) []int32 {
	var out []int32
	for _, place := range f.within[artifact] {
		out = append(out, place)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// needs returns the places of what a package depends on in any artifact, sorted.
func (f *flat) needs(place int) []int32 {
	var out []int32
	for _, o := range f.list[place].occurrences {
		for _, ref := range f.at(o).DependsOn {
			if to := f.within[o.artifact][ref]; int(to) != place {
				out = append(out, to)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (f *flat) refs(places []int32) []string {
	var out []string
	for _, place := range places {
		out = append(out, f.list[place].ref)
	}
	slices.Sort(out)
	return out
}

// completeness returns the refs of packages and artifacts by how complete their edges are: as the worst artifact says.
func (f *flat) completeness(pkgs []Packages) map[cdx.CompositionAggregate][]cdx.BOMReference {
	out := map[cdx.CompositionAggregate][]cdx.BOMReference{}
	for place, x := range f.list {
		as := cdx.CompositionAggregateComplete
		for _, o := range x.occurrences {
			as = worse(as, aggregate(f.at(o).Dependencies))
		}
		out[as] = append(out[as], cdx.BOMReference(f.list[place].ref))
	}
	for _, p := range pkgs {
		if _, known := p.Components.Get(); known { // the files are left out
			out[cdx.CompositionAggregateIncomplete] = append(out[cdx.CompositionAggregateIncomplete], cdx.BOMReference(p.Artifact))
		}
	}
	return out
}

func worse(x, y cdx.CompositionAggregate) cdx.CompositionAggregate {
	for _, as := range []cdx.CompositionAggregate{cdx.CompositionAggregateUnknown, cdx.CompositionAggregateIncomplete} {
		if x == as || y == as {
			return as
		}
	}
	return cdx.CompositionAggregateComplete
}

// CountPackages counts the packages of each artifact by type, for StackOptions.PackageCounts.
func CountPackages(pkgs []Packages) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, p := range pkgs {
		if list, known := p.Components.Get(); known {
			out[p.Artifact] = countTypes(list)
		}
	}
	return out
}
