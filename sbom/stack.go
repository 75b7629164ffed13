package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
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
	// Complete says that the list of artifacts was read from what runs and that no part was out of sight. A list from
	// manifests or from hand-picked images is never complete.
	Complete bool
}

// StackBOM writes the one document of a stack: root, then tier, service and artifact, nested and as dependencies. An
// artifact of two tiers is nested in the first and depended upon by both. Artifacts with a document of their own (boms,
// by artifact ID) point to it by BOM-Link and the hashes of the file; what they contain is not repeated. Excluded
// artifacts stay listed with scope "excluded". Failures of the inventory become components marked unknown.
//
// The serial number depends on the contents and on the serial numbers of the documents pointed to, not on their hashes,
// because these hold a timestamp.
func StackBOM(inv Inventory, boms map[string]BOMRef, opt StackOptions) (Document, error) {
	s := stackWriter{boms: boms, edges: map[string][]string{stackRef: nil}, taken: map[string]bool{stackRef: true}}
	artifacts := slices.Clone(inv.Artifacts)
	slices.SortFunc(artifacts, func(x, y Artifact) int { return cmp.Compare(x.ID, y.ID) })
	layers, err := s.layers(artifacts)
	if err != nil {
		return Document{}, fmt.Errorf("writing stack SBOM of %q: %w", opt.Name, err)
	}
	if opt.Complete && len(inv.Failures) > 0 {
		opt.Complete = false
	}
	unseen := s.unseen(inv.Failures)
	name := cmp.Or(opt.Name, "stack")
	if opt.Operator != "" {
		name += " at " + opt.Operator
	}
	root := cdx.Component{BOMRef: stackRef, Type: cdx.ComponentTypePlatform, Name: name}
	phase := cdx.LifecyclePhaseOperations
	if !slices.ContainsFunc(artifacts, Artifact.Seen) {
		phase = cdx.LifecyclePhaseDesign // planned to be used: nothing was seen running
	}
	bom := newBOM(&root, phase, "", opt.BOMOptions)
	bom.Components = listOf(append(layers, unseen...))
	bom.Dependencies = dependencies(s.edges)
	bom.Compositions = s.compositions(artifacts, unseen, opt.Complete)
	return encode(bom, func() { s.addHashes(deref(bom.Components)) }, len(s.edges)-1)
}

// stackWriter collects the edges while the tree of components is built.
type stackWriter struct {
	boms    map[string]BOMRef
	edges   map[string][]string // bom-ref to what it depends on
	taken   map[string]bool     // bom-refs in use
	grouped []string            // refs of layers and services
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
	c := cdx.Component{BOMRef: "layer:" + tier, Type: cdx.ComponentTypePlatform, Name: tier}
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
		child := cdx.Component{BOMRef: "service:" + tier + "/" + service, Type: cdx.ComponentTypeApplication,
			Name: service, Version: clip(commonVersion(members))}
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
	props := append(deref(c.Properties), deref(properties(propertyPlaced, a.Placed, propertyExcluded, a.Excluded))...)
	c.Properties = sortedProperties(props)
	if a.Excluded != "" {
		c.Scope = cdx.ScopeExcluded
	}
	if a.Kind == KindHost {
		c.IsExternal = cdx.Bool(true) // identified here, described in its own document (BSI TR-03183-2 section 3.2)
	}
	if ref, ok := s.boms[a.ID]; ok {
		if link, ok := bomLink(ref); ok {
			c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeBOM, URL: link}}
		}
	}
	return c
}

// addHashes completes the references to other documents; it runs after the serial number is made.
func (s *stackWriter) addHashes(components []cdx.Component) {
	for i := range components {
		c := &components[i]
		if c.Components != nil {
			s.addHashes(*c.Components)
		}
		ref, ok := s.boms[c.BOMRef]
		if !ok || c.ExternalReferences == nil {
			continue
		}
		var hashes []cdx.Hash
		if isHex(ref.SHA256, 64) {
			hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgoSHA256, Value: ref.SHA256})
		}
		if isHex(ref.SHA512, 128) {
			hashes = append(hashes, cdx.Hash{Algorithm: cdx.HashAlgoSHA512, Value: ref.SHA512})
		}
		(*c.ExternalReferences)[0].Hashes = listOf(hashes)
	}
}

// unseen makes one component of each failure, so that what could not be seen is not forgotten.
func (s *stackWriter) unseen(failures []Failure) []cdx.Component {
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

func (s *stackWriter) compositions(artifacts []Artifact, unseen []cdx.Component, complete bool) *[]cdx.Composition {
	aggregate := cdx.CompositionAggregateIncomplete
	if complete {
		aggregate = cdx.CompositionAggregateComplete
	}
	listed := []cdx.BOMReference{stackRef}
	for _, ref := range slices.Sorted(slices.Values(s.grouped)) {
		listed = append(listed, cdx.BOMReference(ref))
	}
	out := []cdx.Composition{{Aggregate: aggregate, Assemblies: &listed, Dependencies: &listed}}
	var unknown []cdx.BOMReference
	for _, a := range artifacts {
		if _, ok := s.boms[a.ID]; !ok {
			unknown = append(unknown, cdx.BOMReference(a.ID))
		}
	}
	for _, c := range unseen {
		unknown = append(unknown, cdx.BOMReference(c.BOMRef))
	}
	if len(unknown) > 0 {
		out = append(out, cdx.Composition{Aggregate: cdx.CompositionAggregateUnknown, Assemblies: &unknown, Dependencies: &unknown})
	}
	return &out
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
