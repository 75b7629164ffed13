package sbom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// spdxGraph is a document of SPDX 3 in JSON-LD.
type spdxGraph struct {
	Graph []spdxElement `json:"@graph"`
}

// spdxElement is one element of a graph: what is read of any type.
type spdxElement struct {
	Type          string         `json:"type"`
	ID            string         `json:"spdxId"`
	BlankID       string         `json:"@id"`
	Name          string         `json:"name"`
	SpecVersion   string         `json:"specVersion"`
	Created       string         `json:"created"`
	CreatedUsing  spdxLinks      `json:"createdUsing"`
	Root          spdxLinks      `json:"rootElement"`
	Version       string         `json:"software_packageVersion"`
	PURL          string         `json:"software_packageUrl"`
	Homepage      string         `json:"software_homePage"`
	Purpose       string         `json:"software_primaryPurpose"`
	SuppliedBy    spdxLinks      `json:"suppliedBy"`
	External      []spdxExternID `json:"externalIdentifier"`
	Expression    string         `json:"simplelicensing_licenseExpression"`
	From          string         `json:"from"`
	To            spdxLinks      `json:"to"`
	Relationship  string         `json:"relationshipType"`
	LicenceSource string         `json:"expandedlicensing_licenseId"`
}

type spdxExternID struct {
	Type       string `json:"externalIdentifierType"`
	Identifier string `json:"identifier"`
}

// spdxLinks are references to other elements: one or a list. Elements that are written in place are left out.
type spdxLinks []string

// UnmarshalJSON reads one reference or a list of them.
func (l *spdxLinks) UnmarshalJSON(data []byte) error {
	var many []json.RawMessage
	if json.Unmarshal(data, &many) != nil {
		many = []json.RawMessage{data}
	}
	for _, raw := range many {
		var one string
		if json.Unmarshal(raw, &one) == nil && one != "" {
			*l = append(*l, one)
		}
	}
	return nil
}

// parseGraph reads SPDX 3 into the words of version 2.
func parseGraph(data []byte) (spdxDocument, error) {
	var g spdxGraph
	if err := json.Unmarshal(data, &g); err != nil {
		return spdxDocument{}, jsonMessage(data, err)
	}
	names, doc := g.names(), spdxDocument{ID: "SPDXRef-DOCUMENT"}
	licences := g.licences(names)
	for _, e := range g.Graph {
		switch e.Type {
		case "CreationInfo":
			doc.Version = cmp.Or(doc.Version, e.SpecVersion)
			doc.Creation.Created = cmp.Or(doc.Creation.Created, e.Created)
			for _, tool := range e.CreatedUsing {
				doc.Creation.Creators = append(doc.Creation.Creators, "Tool: "+names.tools[tool])
			}
		case "software_Package":
			doc.Packages = append(doc.Packages, e.pack(names, licences))
		case "Relationship", "LifecycleScopedRelationship":
			doc.Relationships = append(doc.Relationships, e.relationships()...)
		}
	}
	doc.Describes = g.roots(doc.Packages)
	if !strings.HasPrefix(doc.Version, "3.") {
		return spdxDocument{}, fmt.Errorf("specVersion is %q, want a version 3 of SPDX in an element CreationInfo", doc.Version)
	}
	return doc, nil
}

// spdxNames are the names of elements that others refer to.
type spdxNames struct {
	organisations, tools, expressions map[string]string
}

func (g spdxGraph) names() spdxNames {
	n := spdxNames{organisations: map[string]string{}, tools: map[string]string{}, expressions: map[string]string{}}
	for _, e := range g.Graph {
		switch {
		case e.Type == "Organization":
			n.organisations[e.ID] = e.Name
		case e.Type == "Tool":
			n.tools[e.ID] = e.Name
		case e.Expression != "":
			n.expressions[e.ID] = e.Expression
		case strings.HasPrefix(e.Type, "expandedlicensing_") && e.Name != "":
			n.expressions[e.ID] = e.Name
		}
	}
	return n
}

// licence returns the expression behind a reference: of an element, or of the list of SPDX by its address.
func (n spdxNames) licence(id string) string {
	if text := n.expressions[id]; text != "" {
		return text
	}
	for _, prefix := range []string{"https://spdx.org/licenses/", "http://spdx.org/licenses/"} {
		if name, ok := strings.CutPrefix(id, prefix); ok {
			return name
		}
	}
	switch path.Base(id) {
	case "NoneLicense", "NoAssertionLicense", "expandedlicensing_NoneLicense", "expandedlicensing_NoAssertionLicense":
		return "NOASSERTION"
	}
	return ""
}

// spdxLicensed is what relationships say about the licence of a package.
type spdxLicensed struct{ declared, concluded string }

func (g spdxGraph) licences(names spdxNames) map[string]spdxLicensed {
	out := map[string]spdxLicensed{}
	for _, e := range g.Graph {
		for _, to := range e.To {
			l := out[e.From]
			switch e.Relationship {
			case "hasDeclaredLicense":
				l.declared = cmp.Or(l.declared, names.licence(to))
			case "hasConcludedLicense":
				l.concluded = cmp.Or(l.concluded, names.licence(to))
			}
			out[e.From] = l
		}
	}
	return out
}

func (e spdxElement) pack(names spdxNames, licences map[string]spdxLicensed) spdxPackage {
	p := spdxPackage{ID: cmp.Or(e.ID, e.BlankID), Name: e.Name, Version: e.Version, Homepage: e.Homepage,
		Declared: licences[e.ID].declared, Concluded: licences[e.ID].concluded}
	switch e.Purpose {
	case "container":
		p.Purpose = "CONTAINER"
	case "operatingSystem":
		p.Purpose = "OPERATING-SYSTEM"
	}
	if e.PURL != "" {
		p.External = append(p.External, spdxExternal{Type: "purl", Locator: e.PURL})
	}
	for _, x := range e.External {
		kind := x.Type
		if kind == "packageUrl" {
			kind = "purl"
		}
		p.External = append(p.External, spdxExternal{Type: kind, Locator: x.Identifier})
	}
	for _, id := range e.SuppliedBy {
		if name := names.organisations[id]; name != "" {
			p.Supplier = cmp.Or(p.Supplier, "Organization: "+name)
		}
	}
	return p
}

// relationships returns one relationship of version 2 for each target.
func (e spdxElement) relationships() []spdxRelationship {
	kind := map[string]string{"dependsOn": "DEPENDS_ON", "contains": "CONTAINS", "hasDynamicLink": "DYNAMIC_LINK", "hasStaticLink": "STATIC_LINK"}[e.Relationship]
	if kind == "" {
		return nil
	}
	var out []spdxRelationship
	for _, to := range e.To {
		out = append(out, spdxRelationship{From: e.From, To: to, Type: kind})
	}
	return out
}

// roots are the packages that documents and SBOMs of the graph name as their roots. A document that names an SBOM means
// the root of that.
func (g spdxGraph) roots(packages []spdxPackage) []string {
	isPackage := map[string]bool{}
	for _, p := range packages {
		isPackage[p.ID] = true
	}
	var out []string
	for _, e := range g.Graph {
		for _, id := range e.Root {
			if isPackage[id] {
				out = append(out, id)
			}
		}
		if e.Relationship == "describes" {
			for _, id := range e.To {
				if isPackage[id] {
					out = append(out, id)
				}
			}
		}
	}
	return out
}
