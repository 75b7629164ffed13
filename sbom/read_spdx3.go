package sbom

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of licences that are written as sets of elements: each may hold others.
const (
	maxLicenceDepth  = 32
	maxLicenceLength = 16 << 10
	maxLicenceVisits = 1_000_000 // of elements, in one document
)

// graphElement is one element of a graph: what is read of any type.
type graphElement struct {
	Type         string                     `json:"type"`
	ID           string                     `json:"spdxId"`
	BlankID      string                     `json:"@id"`
	Name         string                     `json:"name"`
	SpecVersion  string                     `json:"specVersion"`
	Created      string                     `json:"created"`
	CreatedUsing graphLinks                 `json:"createdUsing"`
	Creation     json.RawMessage            `json:"creationInfo"`
	Root         graphLinks                 `json:"rootElement"`
	Version      string                     `json:"software_packageVersion"`
	PURL         string                     `json:"software_packageUrl"`
	Homepage     string                     `json:"software_homePage"`
	Purpose      string                     `json:"software_primaryPurpose"`
	Purposes     graphLinks                 `json:"software_additionalPurpose"`
	SuppliedBy   graphLinks                 `json:"suppliedBy"`
	OriginatedBy graphLinks                 `json:"originatedBy"`
	Identifiers  graphList[graphIdentifier] `json:"externalIdentifier"`
	Hashes       graphList[graphHash]       `json:"verifiedUsing"`
	Extensions   graphList[graphExtension]  `json:"extension"`
	Expression   string                     `json:"simplelicensing_licenseExpression"`
	Members      graphLinks                 `json:"expandedlicensing_member"`
	Extendable   string                     `json:"expandedlicensing_subjectExtendableLicense"`
	Addition     string                     `json:"expandedlicensing_subjectAddition"`
	OrLater      string                     `json:"expandedlicensing_subjectLicense"`
	From         string                     `json:"from"`
	To           graphLinks                 `json:"to"`
	Relationship string                     `json:"relationshipType"`
	Completeness string                     `json:"completeness"`
}

// graphLinks are references to other elements: one or a list. Elements that are written in place are left out.
type graphLinks []string

// UnmarshalJSON reads one reference or a list of them.
func (l *graphLinks) UnmarshalJSON(data []byte) error {
	return eachOf(data, func(one string) {
		if one != "" {
			*l = append(*l, one)
		}
	})
}

// graphList is a list whose entries may also be references to entries elsewhere; these are left out.
type graphList[T any] []T

// UnmarshalJSON reads the entries that are written in place.
func (l *graphList[T]) UnmarshalJSON(data []byte) error {
	return eachOf(data, func(one T) { *l = append(*l, one) })
}

// eachOf calls take for each entry of a list, or for the one that stands there without a list, if it has the type.
func eachOf[T any](data []byte, take func(T)) error {
	var many []json.RawMessage
	if json.Unmarshal(data, &many) != nil {
		many = []json.RawMessage{data}
	}
	for _, raw := range many {
		var one T
		if json.Unmarshal(raw, &one) == nil {
			take(one)
		}
	}
	return nil
}

// graphReader collects what is read of a graph, until all its elements are known.
type graphReader struct {
	doc       spdxDocument
	document  string              // identifier of the document
	roots     map[string][]string // root elements by document or SBOM
	described []string
	names     map[string]string // of organisations
	tools     map[string]string
	using     []string // tools of the creation
	licences  map[string]graphElement
	visits    int
	packages  map[string]int         // places in doc.Packages
	aside     map[string]bool        // packages that stand for a file
	sources   map[string]spdxPackage // what others were built from
	files     map[string]int         // places in list
	list      []File
	holder    map[string]string              // what contains a file or the package that stands for one
	sha512    map[string]string              // of packages and files
	about     map[string]map[string][]string // properties that are no component's, by package
	later     []graphRelation
}

// graphRelation is a relationship that is used when all elements are known.
type graphRelation struct {
	from, kind, completeness string
	to                       []string
}

// parseGraph reads SPDX 3 into the words of version 2, and what version 2 has no words for beside them.
func parseGraph(data []byte) (spdxDocument, error) {
	g := graphReader{
		doc: spdxDocument{ID: "SPDXRef-DOCUMENT"}, roots: map[string][]string{}, names: map[string]string{}, tools: map[string]string{},
		licences: map[string]graphElement{}, packages: map[string]int{}, aside: map[string]bool{}, sources: map[string]spdxPackage{},
		files: map[string]int{}, holder: map[string]string{}, sha512: map[string]string{}, about: map[string]map[string][]string{},
	}
	if err := g.elements(data); err != nil {
		return spdxDocument{}, err
	}
	if !strings.HasPrefix(g.doc.Version, "3.") {
		return spdxDocument{}, fmt.Errorf("specVersion is %q, want a version 3 of SPDX in an element CreationInfo", g.doc.Version)
	}
	g.finish()
	return g.doc, nil
}

// elements reads the graph element by element, so that the whole is never held twice.
func (g *graphReader) elements(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return jsonMessage(data, err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return jsonMessage(data, err)
		}
		if key != "@graph" {
			if err := skipValue(dec); err != nil {
				return jsonMessage(data, err)
			}
			continue
		}
		if open, err := dec.Token(); err != nil || open != json.Delim('[') {
			return fmt.Errorf("line %d: @graph is no list of elements", lineAt(data, dec.InputOffset()))
		}
		for dec.More() {
			start := dec.InputOffset()
			var e graphElement
			if err := dec.Decode(&e); err != nil {
				return elementMessage(data, start, err)
			}
			g.element(e)
		}
		if _, err := dec.Token(); err != nil {
			return jsonMessage(data, err)
		}
	}
	return nil
}

func elementMessage(data []byte, start int64, err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("line %d: @graph.%s holds a %s, want another type", lineAt(data, start+wrongType.Offset), wrongType.Field, wrongType.Value)
	}
	return jsonMessage(data, err)
}

func (g *graphReader) element(e graphElement) {
	e.ID = cmp.Or(e.ID, e.BlankID)
	if g.doc.Version == "" && len(e.Creation) > 0 && e.Creation[0] == '{' { // written in place
		var c graphElement
		if json.Unmarshal(e.Creation, &c) == nil {
			g.creation(c)
		}
	}
	switch e.Type {
	case "CreationInfo":
		g.creation(e)
	case "Organization":
		g.names[e.ID] = e.Name
	case "Tool":
		g.tools[e.ID] = e.Name
	case "SpdxDocument":
		g.document = cmp.Or(g.document, e.ID)
		g.roots[e.ID] = append(g.roots[e.ID], e.Root...)
	case "software_Sbom", "Bom", "Bundle":
		g.roots[e.ID] = append(g.roots[e.ID], e.Root...)
	case "software_Package", "ai_AIPackage", "dataset_DatasetPackage":
		g.pack(e)
	case "software_File":
		g.file(e)
	case "Relationship", "LifecycleScopedRelationship":
		g.relationship(e)
	default:
		if e.Expression != "" || strings.HasPrefix(e.Type, "expandedlicensing_") || e.Type == "simplelicensing_SimpleLicensingText" {
			g.licences[e.ID] = graphElement{Type: e.Type, ID: e.ID, Name: e.Name, Expression: e.Expression, Members: e.Members,
				Extendable: e.Extendable, Addition: e.Addition, OrLater: e.OrLater}
		}
	}
}

func (g *graphReader) creation(e graphElement) {
	g.doc.Version = cmp.Or(g.doc.Version, e.SpecVersion)
	g.doc.Creation.Created = cmp.Or(g.doc.Creation.Created, e.Created)
	g.using = append(g.using, e.CreatedUsing...)
}

// pack takes a package as a component, unless it stands for a file or for what others were built from.
func (g *graphReader) pack(e graphElement) {
	about := e.properties()
	g.hashed(e)
	p := spdxPackage{ID: e.ID, Name: e.Name, Version: e.Version, Homepage: e.Homepage, Organisations: slices.Concat(e.SuppliedBy, e.OriginatedBy)}
	switch first(about[propertyKind]) {
	case kindFile:
		g.aside[e.ID] = true
		return
	case kindSource:
		g.sources[e.ID] = p
		return
	}
	switch e.Purpose {
	case purposeContainer:
		p.Purpose = "CONTAINER"
	case purposeOS:
		p.Purpose = "OPERATING-SYSTEM"
	case purposeSource:
		g.sources[e.ID] = p
	}
	if e.PURL != "" {
		p.External = append(p.External, spdxExternal{Type: "purl", Locator: e.PURL})
	}
	for _, x := range e.Identifiers {
		kind := x.Kind
		if kind == "packageUrl" {
			kind = "purl"
		}
		p.External = append(p.External, spdxExternal{Type: kind, Locator: x.Identifier})
	}
	if len(about[propertyType]) > 0 {
		p.Own = ownComponent(about)
	} else if about != nil {
		g.about[e.ID] = about
	}
	if _, twice := g.packages[e.ID]; !twice {
		g.packages[e.ID] = len(g.doc.Packages)
	}
	g.doc.Packages = append(g.doc.Packages, p)
}

// properties returns the values of the properties that an element carries as an extension.
func (e graphElement) properties() map[string][]string {
	var out map[string][]string
	for _, x := range e.Extensions {
		for _, p := range x.Properties {
			if out == nil {
				out = map[string][]string{}
			}
			out[p.Name] = append(out[p.Name], p.Value)
		}
	}
	return out
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// ownComponent takes back what our own documents say about a component by properties.
func ownComponent(about map[string][]string) *Component {
	c := &Component{
		Type: first(about[propertyType]), Arch: first(about[propertyArch]), Source: first(about[propertySource]),
		SourceVersion: first(about[propertySourceVersion]), Supplier: first(about[propertySupplier]), Section: first(about[propertySection]),
		Layer: digestOrNone(first(about[propertyLayer])), OwnedBy: first(about[propertyOwnedBy]),
	}
	c.Locations = sortedUnion(nil, about[propertyLocation])
	c.Locations = c.Locations[:min(len(c.Locations), maxLocations)]
	for _, text := range about[propertyClaim] {
		var claim LicenceClaim
		if json.Unmarshal([]byte(text), &claim) == nil && claim.Value != "" {
			c.Licences = append(c.Licences, claim)
		}
	}
	slices.SortStableFunc(c.Licences, compareClaims)
	return c
}

// file takes a file that is executable or an archive. Others are no components (BSI TR-03183-2 section 3.2.2).
func (g *graphReader) file(e graphElement) {
	about := e.properties()
	purposes := append(slices.Clone(e.Purposes), e.Purpose)
	f := File{
		Path: first(about[propertyFilePath]), Kind: first(about[propertyFileKind]), Layer: digestOrNone(first(about[propertyLayer])),
		SHA256: hashOf(e.Hashes, "sha256", 64), SHA512: hashOf(e.Hashes, "sha512", 128),
		Executable: slices.Contains(purposes, purposeExecutable), Archive: slices.Contains(purposes, purposeArchive),
		Structured: slices.Contains(e.Purposes, purposeContainer),
	}
	g.hashed(e)
	if f.Path == "" {
		f.Path = path.Clean("/" + e.Name)
		if !f.Executable && !f.Archive || e.Name == "" {
			return
		}
	}
	if !strings.HasPrefix(f.Path, "/") {
		f.Path = path.Clean("/" + f.Path)
	}
	if size, err := strconv.ParseInt(first(about[propertyFileSize]), 10, 64); err == nil && size > 0 {
		f.Size = size
	}
	if t, err := time.Parse(time.RFC3339Nano, first(about[propertyFileTime])); err == nil {
		f.Modified = t.UTC()
	}
	g.files[e.ID] = len(g.list)
	g.list = append(g.list, f)
}

func (g *graphReader) hashed(e graphElement) {
	if hash := hashOf(e.Hashes, "sha512", 128); hash != "" {
		g.sha512[e.ID] = hash
	}
}

// hashOf returns the first well-formed hash of an algorithm.
func hashOf(hashes []graphHash, algorithm string, length int) string {
	for _, h := range hashes {
		if value := strings.ToLower(h.Value); h.Type == "Hash" && h.Algorithm == algorithm && isHex(value, length) {
			return value
		}
	}
	return ""
}

func (g *graphReader) relationship(e graphElement) {
	switch e.Relationship {
	case relationDescribes:
		g.described = append(g.described, e.To...)
	case relationContains, relationDistribution, relationGenerates, relationDeclared, relationConcluded,
		relationDependsOn, "hasDynamicLink", "hasStaticLink":
		g.later = append(g.later, graphRelation{from: e.From, kind: e.Relationship, completeness: e.Completeness, to: e.To})
	}
}

// finish puts together what belongs together, now that all elements are known.
func (g *graphReader) finish() {
	for _, tool := range g.using {
		if name := g.tools[tool]; name != "" && name != "pegel" && !strings.HasPrefix(name, "pegel ") { // the writer, not what read the packages
			g.doc.Creation.Creators = append(g.doc.Creation.Creators, "Tool: "+name)
		}
	}
	if name, ok := strings.CutSuffix(g.document, "#document"); ok && strings.HasPrefix(name, "urn:uuid:") {
		g.doc.Serial = name
	}
	for i := range g.doc.Packages {
		p := &g.doc.Packages[i]
		for _, id := range p.Organisations {
			p.Organisation = cmp.Or(p.Organisation, g.names[id])
		}
		if key, ok := strings.CutPrefix(p.ID, g.doc.Serial+"#package:"); ok && g.doc.Serial != "" {
			p.Ref, _ = url.PathUnescape(key) // empty if it is none of ours
		}
	}
	g.doc.Describes = g.rootElements()
	distributes := map[string]string{}
	for _, r := range g.later {
		g.relate(r, distributes)
	}
	g.own(distributes)
}

// rootElements are the packages that the document names as its roots, itself or by the SBOMs in it. A graph without a
// document has the roots of all its SBOMs, and what anything describes.
func (g *graphReader) rootElements() []string {
	var out []string
	take := func(ids []string) {
		for _, id := range ids {
			if _, ok := g.packages[id]; ok {
				out = append(out, id)
			}
		}
	}
	for _, id := range g.roots[g.document] {
		take([]string{id})
		take(g.roots[id])
	}
	if out != nil {
		return out
	}
	for _, ids := range g.roots {
		take(ids)
	}
	take(g.described)
	slices.Sort(out)
	return slices.Compact(out)
}

// relate uses one relationship. Those that say which file a package is distributed as are collected.
func (g *graphReader) relate(r graphRelation, distributes map[string]string) {
	i, known := g.packages[r.from]
	switch r.kind {
	case relationDeclared, relationConcluded:
		if known {
			g.licensed(&g.doc.Packages[i], r)
		}
		return
	case relationGenerates:
		g.generates(r)
		return
	case relationDistribution:
		for _, to := range r.to {
			distributes[to] = r.from
		}
		return
	}
	kind := map[string]string{relationDependsOn: "DEPENDS_ON", relationContains: "CONTAINS", "hasDynamicLink": "DYNAMIC_LINK", "hasStaticLink": "STATIC_LINK"}[r.kind]
	for _, to := range r.to {
		if _, file := g.files[to]; file || g.aside[to] {
			if r.kind == relationContains {
				g.holder[to] = r.from
			}
			continue
		}
		g.doc.Relationships = append(g.doc.Relationships, spdxRelationship{From: r.from, To: to, Type: kind, Completeness: r.completeness})
	}
}

// licensed notes what is said about the licence of a package; each of the two is said once.
func (g *graphReader) licensed(p *spdxPackage, r graphRelation) {
	for _, to := range r.to {
		text := g.licence(to, 0)
		if len(text) > maxLicenceLength {
			text = ""
		}
		if r.kind == relationDeclared {
			p.Declared = cmp.Or(p.Declared, text)
		} else {
			p.Concluded = cmp.Or(p.Concluded, text)
		}
	}
}

// generates names the source package of what was built from it.
func (g *graphReader) generates(r graphRelation) {
	source, ok := g.sources[r.from]
	if !ok {
		return
	}
	for _, to := range r.to {
		if i, ok := g.packages[to]; ok && g.doc.Packages[i].Source == "" {
			g.doc.Packages[i].Source, g.doc.Packages[i].SourceVersion = source.Name, source.Version
		}
	}
}

// own takes what the root says about the whole, and gives the files their owners.
func (g *graphReader) own(distributes map[string]string) {
	root := ""
	if len(g.doc.Describes) == 1 {
		root = g.doc.Describes[0]
	}
	g.doc.SHA512 = g.sha512[root]
	about := g.about[root]
	g.doc.Failure, g.doc.Settle, g.doc.Unread = first(about[propertyFailure]), first(about[propertySettle]), first(about[propertyUnread]) != ""
	g.doc.Stated = first(about[propertyStated]) != ""
	if depth := first(about[propertyDepth]); depth == DepthEntries || depth == DepthAll {
		g.doc.Depth = depth
	}
	for name, values := range about {
		if key, ok := strings.CutPrefix(name, propertyLabel); ok && key != "" {
			if g.doc.Labels == nil {
				g.doc.Labels = map[string]string{}
			}
			g.doc.Labels[key] = values[0]
		}
	}
	g.doc.Reference = first(about[propertyReference])
	whole := map[int]bool{} // files that the root as a whole is distributed as
	for _, file := range slices.Sorted(maps.Keys(distributes)) {
		if root == "" || distributes[file] != root {
			continue
		}
		g.doc.SHA512 = cmp.Or(g.doc.SHA512, g.sha512[file])
		if i, ok := g.files[file]; ok {
			whole[i] = true
		}
	}
	for id, i := range g.files {
		f := &g.list[i]
		f.Owner = cmp.Or(g.holder[id], g.holder[distributes[id]])
		if f.Owner == root {
			f.Owner = ""
		}
	}
	for i, f := range g.list {
		if !whole[i] {
			g.doc.Files = append(g.doc.Files, f)
		}
	}
	slices.SortStableFunc(g.doc.Files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
}

// licence returns the expression behind a reference: of an element, or of the list of SPDX by its address. What holds too
// many others gives nothing.
func (g *graphReader) licence(id string, depth int) string {
	if g.visits++; depth > maxLicenceDepth || g.visits > maxLicenceVisits {
		g.doc.Notes = []string{fmt.Sprintf("licences hold each other more than %d deep or %d times; some are not read", maxLicenceDepth, maxLicenceVisits)}
		return ""
	}
	e, ok := g.licences[id]
	if !ok {
		return listedLicence(id)
	}
	switch e.Type {
	case "expandedlicensing_ConjunctiveLicenseSet":
		return g.joined(e.Members, " AND ", depth)
	case "expandedlicensing_DisjunctiveLicenseSet":
		return g.joined(e.Members, " OR ", depth)
	case "expandedlicensing_WithAdditionOperator":
		return g.joined([]string{e.Extendable, e.Addition}, " WITH ", depth)
	case "expandedlicensing_OrLaterOperator":
		if base := g.licence(e.OrLater, depth+1); base != "" {
			return base + "+"
		}
		return ""
	}
	return cmp.Or(e.Expression, listedLicence(id), e.Name)
}

// joined returns the licences of a set; one that is not known makes the whole unknown.
func (g *graphReader) joined(ids []string, operator string, depth int) string {
	var parts []string
	length := 0
	for _, id := range ids {
		part := g.licence(id, depth+1)
		if length += len(part) + len(operator); part == "" || length > maxLicenceLength {
			return ""
		}
		if strings.Contains(part, " ") && operator != " WITH " {
			part = "(" + part + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, operator)
}

// listedLicence returns the licence or exception that an address names.
func listedLicence(id string) string {
	for _, prefix := range []string{"https://spdx.org/licenses/", "http://spdx.org/licenses/"} {
		if name, ok := strings.CutPrefix(id, prefix); ok {
			return name
		}
	}
	return ""
}
