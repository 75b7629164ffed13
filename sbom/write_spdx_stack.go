package sbom

import (
	"fmt"
	"io"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// WriteStackSPDX writes the one document of a stack as SPDX 3.0.1 in JSON-LD, with the same tree as WriteStackBOM: root,
// tiers, services and artifacts, joined by contains relationships. An artifact with an SPDX document of its own (boms, by
// artifact ID) is identified here and described there: an SBOM element refers to that document and has its root as
// element, and the document imports that root with the hashes of the file. Failures of the inventory become packages of
// unknown contents.
//
// The spdxIds depend on the contents and on the names of the documents referred to, not on their hashes, because these
// hold a time. An error means that opt.At is missing, that an artifact has no id, one of another or a reserved one, or
// that w could not be written.
func WriteStackSPDX(w io.Writer, inv Inventory, boms map[string]BOMRef, opt StackOptions) (Written, error) {
	fail := func(err error) (Written, error) {
		return Written{}, fmt.Errorf("writing stack SPDX document of %q: %w", opt.Name, err)
	}
	s := stackGraph{stackWriter: newStackWriter(boms, opt), complete: opt.Complete && len(inv.Failures) == 0}
	var err error
	if s.parts, err = s.tree(inv); err != nil {
		return fail(err)
	}
	s.document = s.head(inv)
	ref, err := writeGraph(w, opt.At, s.write)
	if err != nil {
		return fail(err)
	}
	return Written{BOMRef: ref, Components: len(s.edges) - 1}, nil
}

// stackGraph is the document of a stack, ordered but not written.
type stackGraph struct {
	*stackWriter
	document *cdx.BOM
	parts    []cdx.Component
	complete bool
}

func (s *stackGraph) write(g *graphWriter) {
	kind := "deployed"
	if !slices.ContainsFunc(s.artifacts, Artifact.Seen) {
		kind = "design" // planned to be used: nothing was seen running
	}
	g.head(s.document, s.id(g, stackRef), kind, s.opt.BOMOptions, s.imports())
	s.part(g, *s.document.Metadata.Component)
	s.walk(g, s.parts)
}

func (s *stackGraph) walk(g *graphWriter, parts []cdx.Component) {
	for _, c := range parts {
		s.part(g, c)
		if c.Components != nil {
			s.walk(g, *c.Components)
		}
	}
}

func (s *stackGraph) id(g *graphWriter, ref string) string { return g.id("part", ref) }

// part writes a part of the stack with what is in it. Where another document describes it, this one says nothing about
// that; where none does, nothing is known.
func (s *stackGraph) part(g *graphWriter, c cdx.Component) {
	n := g.describe(s.id(g, c.BOMRef), c)
	g.put(n)
	var to []string
	for _, ref := range sortedUnion(nil, s.edges[c.BOMRef]) {
		to = append(to, s.id(g, ref))
	}
	_, described := s.other(c.BOMRef)
	switch {
	case described:
		s.refer(g, c, n.ID)
	case to == nil:
		g.relate(n.ID, relationContains, completenessUnknown, "", spdxNoAssertion)
	case s.complete:
		g.relate(n.ID, relationContains, completenessFull, "", to...)
	default:
		g.relate(n.ID, relationContains, completenessPart, "", to...)
	}
}

// refer writes the SBOM that describes a part in another document.
func (s *stackGraph) refer(g *graphWriter, c cdx.Component, part string) {
	other, _ := s.other(c.BOMRef)
	kind := "analyzed"
	if strings.HasPrefix(c.BOMRef, KindHost+":") {
		kind = "deployed"
	}
	bom := graphCollection{graphCore: g.core("software_Sbom", g.id("bom", c.BOMRef), "SBOM of "+c.Name),
		Elements: []string{other + "#root"}, Roots: []string{other + "#root"}, SbomType: []string{kind}}
	bom.References = []graphReference{{Type: "ExternalRef", Kind: "other", Locators: []string{other + "#document"}, ContentType: MediaTypeSPDX}}
	if g.final {
		bom.Hashes = graphHashes(s.boms[c.BOMRef].SHA256, s.boms[c.BOMRef].SHA512)
	}
	g.put(bom)
	g.relate(bom.ID, relationDescribes, "", "", part)
}

// other returns the name of the document that describes an artifact.
func (s *stackGraph) other(artifact string) (string, bool) {
	ref, ok := s.boms[artifact]
	return ref.SerialNumber, ok && strings.HasPrefix(ref.SerialNumber, "urn:uuid:")
}

// imports are the elements of other documents that this one refers to.
func (s *stackGraph) imports() []graphExternalMap {
	var out []graphExternalMap
	for _, a := range s.artifacts {
		if other, ok := s.other(a.ID); ok {
			ref := s.boms[a.ID]
			out = append(out, graphExternalMap{Type: "ExternalMap", ID: other + "#root", Hashes: graphHashes(ref.SHA256, ref.SHA512)})
		}
	}
	return out
}
