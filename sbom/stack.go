package sbom

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/pegel-audit/pegel/audit"
)

// stackRef is the bom-ref of the root of every stack document.
const stackRef = "stack"

// unplaced is the layer of artifacts that have no tier.
const unplaced = "unplaced"

// StackOptions are what the document of a stack needs beside its contents.
type StackOptions struct {
	BOMOptions
	Name     string // of the stack, e.g. example-cloud
	Operator string // who runs it; empty for a release
	// PackageCounts are numbers of packages by artifact ID and type, for a form that shall not list them; see CountPackages.
	PackageCounts map[string]map[string]int
	// Complete says that the list of artifacts was read from what runs and that no part was out of sight. A list from
	// manifests or from hand-picked images is never complete.
	Complete bool
}

// StackBOM is WriteStackBOM into memory.
func StackBOM(inv Inventory, boms map[string]BOMRef, opt StackOptions) (Document, error) {
	return inMemory(func(w io.Writer) (Written, error) { return WriteStackBOM(w, inv, boms, opt) })
}

// WriteStackBOM writes the one document of a stack: root, then tier, service and artifact, nested and as dependencies. An
// artifact of two tiers is nested in the first and depended upon by both. Artifacts with a document of their own (boms,
// by artifact ID) point to it by BOM-Link and the hashes of the file; what they contain is not repeated. Excluded
// artifacts stay listed with scope "excluded". Failures of the inventory become components marked unknown.
//
// The serial number depends on the contents and on the serial numbers of the documents pointed to, not on their hashes,
// because these hold a timestamp.
func WriteStackBOM(w io.Writer, inv Inventory, boms map[string]BOMRef, opt StackOptions) (Written, error) {
	s := newStackWriter(boms, opt)
	tree, err := s.tree(inv)
	if err != nil {
		return Written{}, fmt.Errorf("writing stack SBOM of %q: %w", opt.Name, err)
	}
	doc := document{
		head: s.head(inv), components: slices.Values(tree), dependencies: dependencies(s.edges),
		compositions: s.compositions(inv, nil), late: s.addHashes,
	}
	return doc.write(w, opt.BOMOptions)
}

func newStackWriter(boms map[string]BOMRef, opt StackOptions) *stackWriter {
	return &stackWriter{
		boms: boms, opt: opt, edges: map[string][]string{stackRef: nil}, taken: map[string]bool{stackRef: true},
		operator: entityOf(cmp.Or(opt.Operator, opt.Creator), opt.CreatorURL),
	}
}

// tree returns the components of the stack from the tiers down to the artifacts, and what could not be seen.
func (s *stackWriter) tree(inv Inventory) ([]cdx.Component, error) {
	s.artifacts = slices.Clone(inv.Artifacts)
	slices.SortFunc(s.artifacts, func(x, y Artifact) int { return cmp.Compare(x.ID, y.ID) })
	layers, err := s.layers(s.artifacts)
	if err != nil {
		return nil, err
	}
	s.unseen = s.unseenParts(inv.Failures)
	return append(layers, s.unseen...), nil
}

func (s *stackWriter) head(inv Inventory) *cdx.BOM {
	name := cmp.Or(s.opt.Name, "stack")
	if s.opt.Operator != "" {
		name += " at " + s.opt.Operator
	}
	root := cdx.Component{
		BOMRef: stackRef, Type: cdx.ComponentTypePlatform, Name: name, Version: contentVersion(s.artifacts),
		Manufacturer: s.operator, Supplier: s.operator, Properties: properties(propertyKind, heading),
	}
	phase := cdx.LifecyclePhaseOperations
	if !slices.ContainsFunc(s.artifacts, Artifact.Seen) {
		phase = cdx.LifecyclePhaseDesign // planned to be used: nothing was seen running
	}
	return newBOM(&root, phase, "", s.opt.BOMOptions)
}

// contentVersion is the version of a group of artifacts that has no other: it follows from what they are, so that a
// group with another member is another version (BSI TR-03183-2 section 5.1).
func contentVersion(artifacts []Artifact) string {
	var parts []string
	for _, a := range artifacts {
		parts = append(parts, a.ID+" "+string(a.Digest)+" "+a.Version)
	}
	slices.Sort(parts)
	return "content-" + audit.DigestOf([]byte(strings.Join(parts, "\n"))).Hex()[:12]
}

// stackWriter collects the edges while the tree of components is built.
type stackWriter struct {
	boms    map[string]BOMRef
	edges   map[string][]string // bom-ref to what it depends on
	taken   map[string]bool     // bom-refs in use
	grouped []string            // refs of layers and services

	opt       StackOptions
	operator  *cdx.OrganizationalEntity
	artifacts []Artifact
	unseen    []cdx.Component
	contents  map[string]Packages // by artifact, where they are described here and not in a document of their own
}

// layers returns the layer components in the order functional, iam, ops, base, unplaced.
func (s *stackWriter) layers(artifacts []Artifact) ([]cdx.Component, error) {
	byTier := map[string][]Artifact{}
	for _, a := range artifacts {
		if a.ID == "" {
			return nil, fmt.Errorf("artifact %q has no id", a.Name)
		}
		if s.taken[a.ID] || strings.HasPrefix(a.ID, "urn:cdx:") || strings.HasPrefix(a.ID, "layer:") || strings.HasPrefix(a.ID, "service:") {
			return nil, fmt.Errorf("artifact id %q occurs twice or is reserved", a.ID)
		}
		s.taken[a.ID] = true
		s.edges[a.ID] = nil
		for _, tier := range tiersOf(a) {
			byTier[tier] = append(byTier[tier], a)
		}
	}
	tiers := sortTiers(slices.Collect(maps.Keys(byTier)))
	var out []cdx.Component
	for _, tier := range tiers {
		layer, err := s.layer(tier, byTier[tier])
		if err != nil {
			return nil, err
		}
		out = append(out, layer)
		s.edges[stackRef] = append(s.edges[stackRef], layer.BOMRef)
	}
	return out, nil
}

func (s *stackWriter) layer(tier string, artifacts []Artifact) (cdx.Component, error) {
	c := s.group(cdx.ComponentTypePlatform, "layer:"+tier, tier, contentVersion(artifacts))
	byService := map[string][]Artifact{}
	for _, a := range artifacts {
		byService[a.Service] = append(byService[a.Service], a)
	}
	s.grouped = append(s.grouped, c.BOMRef)
	var children []cdx.Component
	for _, service := range slices.Sorted(maps.Keys(byService)) {
		members := byService[service]
		if service == "" {
			children = append(children, s.members(c.BOMRef, tier, members)...)
			continue
		}
		version := cmp.Or(clip(commonVersion(members)), contentVersion(members))
		child := s.group(cdx.ComponentTypeApplication, "service:"+tier+"/"+service, service, version)
		s.grouped = append(s.grouped, child.BOMRef)
		s.edges[c.BOMRef] = append(s.edges[c.BOMRef], child.BOMRef)
		child.Components = listOf(s.members(child.BOMRef, tier, members))
		children = append(children, child)
	}
	slices.SortFunc(children, func(x, y cdx.Component) int { return cmp.Compare(x.BOMRef, y.BOMRef) })
	slices.Sort(s.edges[c.BOMRef])
	c.Components = listOf(children)
	return c, nil
}

// group is a part of the stack that is no artifact: a heading, put together by the operator.
func (s *stackWriter) group(kind cdx.ComponentType, ref, name, version string) cdx.Component {
	return cdx.Component{
		BOMRef: ref, Type: kind, Name: name, Version: version,
		Manufacturer: s.operator, Supplier: s.operator, Properties: properties(propertyKind, heading),
	}
}

// members adds the edges from parent to the artifacts and returns the components of those whose first tier this is.
func (s *stackWriter) members(parent, tier string, artifacts []Artifact) []cdx.Component {
	var out []cdx.Component
	for _, a := range artifacts {
		s.edges[parent] = append(s.edges[parent], a.ID)
		if tiersOf(a)[0] == tier {
			out = append(out, s.artifact(a))
		}
	}
	return out
}

func (s *stackWriter) artifact(a Artifact) cdx.Component {
	c := artifactComponent(a)
	link, linked := bomLink(s.boms[a.ID])
	kind := logical
	switch {
	case a.Kind == KindImage && linked: // described elsewhere: no more than creator, name, version (BSI TR-03183-2 section 3.2)
		c.Version, kind = clip(imageVersion(a)), ""
	case a.Kind == KindImage:
		describeImage(&c, a, s.contents[a.ID])
		c.Licenses, kind = imageLicences(s.contents[a.ID], s.licences(a.ID), s.opt.BOMOptions), ""
	case a.Kind == KindHost:
		c.Version = clip(cmp.Or(a.Version, a.Platform))
	}
	props := append(deref(c.Properties), deref(properties(propertyPlaced, a.Placed, propertyExcluded, a.Excluded, propertyKind, kind))...)
	c.Properties = sortedProperties(append(props, countProperties(s.opt.PackageCounts[a.ID])...))
	c.Manufacturer, c.Supplier = makerOfArtifact(a, a.Labels, s.opt.BOMOptions)
	if a.Excluded != "" {
		c.Scope = cdx.ScopeExcluded
	}
	if _, here := s.contents[a.ID]; a.Kind == KindHost && !here {
		c.IsExternal = cdx.Bool(true) // identified here, described in its own document (BSI TR-03183-2 section 3.2)
	}
	if linked {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeBOM, URL: link}}
	}
	return c
}

// licences judges every package of an artifact that is described here.
func (s *stackWriter) licences(artifact string) []Licensing {
	list, _ := s.contents[artifact].Components.Get()
	out := make([]Licensing, 0, len(list))
	for _, c := range list {
		out = append(out, licensingOf(c, s.opt.BOMOptions))
	}
	return out
}

// addHashes completes the references to other documents; it runs after the serial number is made.
func (s *stackWriter) addHashes(c *cdx.Component) {
	if c.Components != nil {
		for i := range *c.Components {
			s.addHashes(&(*c.Components)[i])
		}
	}
	ref, ok := s.boms[c.BOMRef]
	if !ok || c.ExternalReferences == nil {
		return
	}
	var hashes []cdx.Hash
	if isHex(ref.SHA256, 64) {
		hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgoSHA256, Value: ref.SHA256})
	}
	if isHex(ref.SHA512, 128) {
		hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgoSHA512, Value: ref.SHA512})
	}
	if first := &(*c.ExternalReferences)[0]; first.Type == cdx.ERTypeBOM {
		first.Hashes = listOf(hashes)
	}
}

// unseenParts makes one component of each failure, so that what could not be seen is not forgotten.
func (s *stackWriter) unseenParts(failures []Failure) []cdx.Component {
	reasons := make([]string, 0, len(failures))
	for _, f := range failures {
		reasons = append(reasons, f.Source+": "+f.Reason)
	}
	var out []cdx.Component
	for i, reason := range sortedUnion(nil, reasons) {
		c := cdx.Component{BOMRef: "unseen:" + strconv.Itoa(i+1), Type: cdx.ComponentTypePlatform, Name: "not seen", Description: reason}
		s.edges[c.BOMRef] = nil
		s.edges[stackRef] = append(s.edges[stackRef], c.BOMRef)
		out = append(out, c)
	}
	return out
}

// compositions says how complete the stack is. more are the parts that another document would describe and this one holds
// itself, by aggregate of their edges.
func (s *stackWriter) compositions(inv Inventory, more map[cdx.CompositionAggregate][]cdx.BOMReference) []cdx.Composition {
	assemblies, edges := map[cdx.CompositionAggregate][]cdx.BOMReference{}, map[cdx.CompositionAggregate][]cdx.BOMReference{}
	whole, unknown := cdx.CompositionAggregateIncomplete, cdx.CompositionAggregateUnknown
	if s.opt.Complete && len(inv.Failures) == 0 {
		whole = cdx.CompositionAggregateComplete
	}
	for _, ref := range append([]string{stackRef}, s.grouped...) {
		assemblies[whole] = append(assemblies[whole], cdx.BOMReference(ref))
	}
	for _, a := range s.artifacts {
		if _, ok := s.boms[a.ID]; !ok {
			assemblies[unknown] = append(assemblies[unknown], cdx.BOMReference(a.ID))
		}
	}
	for _, c := range s.unseen {
		assemblies[unknown] = append(assemblies[unknown], cdx.BOMReference(c.BOMRef))
	}
	for as, refs := range assemblies {
		edges[as] = slices.Clone(refs)
	}
	for as, refs := range more {
		edges[as] = append(edges[as], refs...)
	}
	return sortedCompositions(assemblies, edges)
}

func tiersOf(a Artifact) []string {
	if tiers := sortTiers(a.Tiers); len(tiers) > 0 {
		return tiers
	}
	return []string{unplaced}
}

// commonVersion returns the version that all members have, or nothing if they differ or one has none.
func commonVersion(members []Artifact) string {
	version := members[0].Version
	for _, a := range members[1:] {
		if a.Version != version {
			return ""
		}
	}
	return version
}

// bomLink returns urn:cdx:<uuid>/<version>.
func bomLink(ref BOMRef) (string, bool) {
	id, ok := strings.CutPrefix(ref.SerialNumber, "urn:uuid:")
	if !ok || id == "" || ref.Version < 1 {
		return "", false
	}
	return "urn:cdx:" + id + "/" + strconv.Itoa(ref.Version), true
}
