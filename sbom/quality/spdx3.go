package quality

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// spdx3 reads the elements of an SPDX 3.0 document in JSON-LD into facts. Packages are the components; a file that a package
// names as its distribution artifact states the fields of files for it, and other files count if they are said to be
// executable or an archive. What elements say of each other is kept in short form until all were read.
type spdx3 struct {
	cyclonedx // the scanner and the readers of lists
	seen      bool
	made      chunked[relation] // component to node of who made or supplies it
	relations chunked[relation] // node to node
	roots     []uint32          // of SBOMs
	docRoots  []uint32          // of the document
	authors   []uint32
	tools     []uint32
	toolNames map[uint32]string
}

type relation struct {
	kind     relationKind
	from, to uint32
}

type relationKind uint8

const (
	originatedBy relationKind = iota
	suppliedBy
	concludedLicence
	declaredLicence
	effectiveLicence
	distributionArtifact
	generates
)

// edges3 are the relationships that say that the first needs or holds the second. Source: SPDX 3.0.1 RelationshipType.
var edges3 = []string{
	"dependsOn", "contains", "hasDynamicLink", "hasStaticLink", "hasOptionalComponent", "hasOptionalDependency", "hasProvidedDependency", "hasPrerequisite",
}

var relationKinds = map[string]relationKind{
	"hasConcludedLicense": concludedLicence, "hasDeclaredLicense": declaredLicence, "hasEffectiveLicense": effectiveLicence,
	"hasDistributionArtifact": distributionArtifact, "generates": generates,
}

// element3 is what is read of one element, whatever its type.
type element3 struct {
	typ, id, name                   []byte
	version, purl, expression       []byte
	created, relation, completeness []byte
	from, purpose, comment          []byte
	cpe                             []byte
	to, roots, originated, supplied []uint32
	createdBy, createdUsing         []uint32
	toNone, toUnknown               bool
	purposes                        []string
	swid, email, address            bool
	hash, sha512                    state
	download                        state
	source                          bool
	logical, file, group            bool
}

func (p *spdx3) graph() error {
	p.seen = true
	return p.items("@graph", p.element)
}

func (p *spdx3) element() error {
	var e element3
	if err := p.members(func(key []byte) error { return p.elementMember(&e, key) }); err != nil {
		return err
	}
	switch typ := string(e.typ); {
	case typ == "CreationInfo":
		p.creation(&e)
	case typ == "software_Package" || typ == "software_File":
		return p.artifact(&e)
	case typ == "Relationship" || typ == "LifecycleScopedRelationship":
		return p.relationship(&e)
	case strings.HasPrefix(typ, "security_"):
		p.f.vulnerabilities++
	case typ == "SpdxDocument":
		p.docRoots = append(p.docRoots, e.roots...)
		if p.f.serial = wrong; validURI(string(e.id)) {
			p.f.serial, p.f.doc.SerialNumber = given, string(clip(e.id, 200))
		}
	case typ == "software_Sbom" || typ == "Bom" || typ == "Bundle":
		p.roots = append(p.roots, e.roots...)
	}
	if len(e.id) > 0 {
		p.note(&e)
	}
	return nil
}

// note keeps what others may say about an element by its identifier.
func (p *spdx3) note(e *element3) {
	n := p.f.intern(e.id)
	at := p.f.nodes.at(n)
	at.flags |= nodeMeta
	switch string(e.typ) {
	case "Person", "Organization", "Agent":
		at.flags |= nodeAgentName
		if e.email || e.address {
			at.flags |= nodeAgent
		}
	case "Tool", "SoftwareAgent":
		if len(p.toolNames) < keepFaults {
			p.toolNames[n] = string(clip(e.name, maxLabel))
		}
	}
	if len(e.expression) > 0 {
		at.flags |= licenceFlag(p.f.licence(e.expression))
	} else if bytes.HasPrefix(e.typ, []byte("expandedlicensing_")) {
		at.flags |= licenceFlag(p.f.licence(clip(e.name, 1000)))
	}
}

func licenceFlag(v licenceVerdict) nodeFlags {
	return [...]nodeFlags{nodeNoAssertion, nodeText, nodeRefNoList, nodeExpression}[v]
}

func (p *spdx3) elementMember(e *element3, key []byte) error {
	keep := func(to *[]byte) error {
		return p.text(func(v []byte) { *to = append([]byte(nil), clip(v, 2048)...) })
	}
	switch string(key) {
	case "type", "@type":
		return keep(&e.typ)
	case "spdxId", "@id":
		return keep(&e.id)
	case "name":
		return keep(&e.name)
	case "specVersion":
		return p.text(func(v []byte) { p.f.doc.SpecVersion = string(clip(v, 20)) })
	case "created":
		return keep(&e.created)
	case "createdBy":
		return p.links(&e.createdBy, e)
	case "createdUsing":
		return p.links(&e.createdUsing, e)
	case "rootElement":
		return p.links(&e.roots, e)
	case "software_sbomType":
		return p.each(p.f.inContext)
	case "software_packageVersion":
		return keep(&e.version)
	case "software_packageUrl":
		return keep(&e.purl)
	case "software_downloadLocation":
		return p.text(func(v []byte) { e.download = placeState(string(v), validURI) })
	case "software_primaryPurpose":
		return keep(&e.purpose)
	case "software_additionalPurpose":
		return p.each(func(v []byte) {
			if len(e.purposes) < 40 {
				e.purposes = append(e.purposes, string(clip(v, 40)))
			}
		})
	case "simplelicensing_licenseExpression":
		return keep(&e.expression)
	case "comment":
		return keep(&e.comment)
	case "originatedBy":
		return p.links(&e.originated, e)
	case "suppliedBy":
		return p.links(&e.supplied, e)
	case "from":
		return keep(&e.from)
	case "to":
		return p.links(&e.to, e)
	case "relationshipType":
		return keep(&e.relation)
	case "completeness":
		return keep(&e.completeness)
	case "verifiedUsing":
		return p.each3(func() error { return p.hash(e) })
	case "externalIdentifier":
		return p.each3(func() error { return p.identifier(e) })
	case "externalRef":
		return p.each3(func() error { return p.reference(e) })
	case "import":
		return p.each3(p.imported)
	case "extension":
		return p.each3(func() error { return p.extension(e) })
	}
	return p.skip()
}

// each hands over one text or a list of them, for JSON-LD allows both.
func (p *spdx3) each(use func(v []byte)) error {
	return p.each3(func() error { return p.text(use) })
}

// each3 reads one value or a list of them.
func (p *spdx3) each3(item func() error) error {
	next, err := p.peek()
	if err != nil {
		return err
	}
	if next == '[' {
		return p.list(item)
	}
	return item()
}

// links reads references to elements. The individuals of the model that mean "none" and "nobody says" are no elements.
func (p *spdx3) links(to *[]uint32, e *element3) error {
	return p.each(func(v []byte) {
		switch {
		case bytes.HasSuffix(v, []byte("/Core/NoneElement")) || string(v) == "NoneElement":
			e.toNone = true
		case bytes.HasSuffix(v, []byte("/Core/NoAssertionElement")) || string(v) == "NoAssertionElement":
			e.toUnknown = true
		case len(*to) <= p.f.limits.edges:
			n := p.f.intern(v)
			p.known(n, v)
			*to = append(*to, n)
		}
	})
}

// known marks what may be pointed to without being listed: licences of the SPDX list and individuals of the model.
func (p *spdx3) known(n uint32, ref []byte) {
	at := p.f.nodes.at(n)
	for _, prefix := range []string{"https://spdx.org/licenses/", "http://spdx.org/licenses/"} {
		if id, ok := bytes.CutPrefix(ref, []byte(prefix)); ok {
			at.flags |= nodeMeta | licenceFlag(p.f.licence(id))
		}
	}
	if bytes.HasSuffix(ref, []byte("NoneLicense")) || bytes.HasSuffix(ref, []byte("NoAssertionLicense")) {
		at.flags |= nodeMeta | nodeNoAssertion
	}
}

func (p *spdx3) hash(e *element3) error {
	var algorithm string
	var value []byte
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "algorithm":
			return p.text(func(v []byte) { algorithm = plainAlgorithm(v) })
		case "hashValue":
			return p.text(func(v []byte) { value = append([]byte(nil), v...) })
		}
		return p.skip()
	})
	s := validHash(algorithm, value)
	e.hash = better(e.hash, s)
	if algorithm == "sha512" {
		e.sha512 = better(e.sha512, min(s, wrong))
	}
	return err
}

func (p *spdx3) identifier(e *element3) error {
	var kind string
	var value []byte
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "externalIdentifierType":
			return p.text(func(v []byte) { kind = string(clip(v, 40)) })
		case "identifier":
			return p.text(func(v []byte) { value = append([]byte(nil), clip(v, 2048)...) })
		}
		return p.skip()
	})
	switch kind {
	case "email":
		e.email = e.email || validEmail(string(value))
	case "urlScheme":
		e.address = e.address || validURL(string(value))
	case "packageUrl":
		e.purl = value
	case "cpe22", "cpe23":
		e.cpe = value
	case "swid", "swhid", "gitoid":
		e.swid = e.swid || len(value) > 0
	}
	return err
}

func (p *spdx3) reference(e *element3) error {
	var kind string
	valid := false
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "externalRefType":
			return p.text(func(v []byte) { kind = string(clip(v, 60)) })
		case "locator":
			return p.each(func(v []byte) { valid = valid || validURI(string(v)) })
		}
		return p.skip()
	})
	switch strings.ToLower(kind) {
	case "sourceartifact":
		e.source = valid
	case "securityadvisory", "vulnerabilitydisclosurereport", "vulnerabilityexploitabilityassessment":
		// a link to data that is published apart is what the guideline wants
	}
	return err
}

// imported notes an element of another document, which references may name.
func (p *spdx3) imported() error {
	return p.members(func(key []byte) error {
		if string(key) != "externalSpdxId" {
			return p.skip()
		}
		return p.text(func(v []byte) { p.f.nodes.at(p.f.intern(v)).flags |= nodeMeta })
	})
}

// extension reads the properties that SPDX 3 took over from CycloneDX.
func (p *spdx3) extension(e *element3) error {
	return p.members(func(key []byte) error {
		if string(key) != "extension_cdxProperty" {
			return p.skip()
		}
		return p.each3(func() error {
			var name, value string
			err := p.members(func(key []byte) error {
				switch string(key) {
				case "extension_cdxPropName":
					return p.text(func(v []byte) { name = string(clip(v, 80)) })
				case "extension_cdxPropValue":
					return p.text(func(v []byte) { value = string(clip(v, 80)) })
				}
				return p.skip()
			})
			if name == propertyKind {
				e.logical, e.file, e.group = value == "logical", value == "file", value == "group"
			}
			return err
		})
	})
}

func (p *spdx3) creation(e *element3) {
	if p.f.timestamp == absent {
		p.f.timestamp, p.f.whyTimestamp = timestampState(e.created)
	}
	p.authors = append(p.authors, e.createdBy...)
	p.tools = append(p.tools, e.createdUsing...)
}

// artifact reads a package or a file.
func (p *spdx3) artifact(e *element3) error {
	id, err := p.f.newComponent(none)
	if err != nil {
		return err
	}
	c := p.f.components.at(id)
	file := string(e.typ) == "software_File"
	st := stated{id: id, ref: e.id, name: e.name, version: e.version, purl: e.purl, cpe: e.cpe, swid: e.swid, hash: e.hash}
	if string(e.purpose) == "operatingSystem" || string(e.purpose) == "platform" {
		st.typ = []byte(string(e.purpose))
		if st.typ[0] == 'o' {
			st.typ = []byte("operating-system")
		}
	}
	switch {
	case e.logical:
		st.kind.add([]byte("logical"))
	case e.group:
		st.kind.add([]byte("group"))
	}
	if e.file || file {
		st.typ = []byte("file")
	}
	if file {
		p.fileFields(c, e)
	} else if e.download != absent {
		c.set(fieldDeployableURI, e.download)
	}
	p.f.judge(&st)
	switch {
	case string(e.purpose) == "source":
		c.kind = kindNone
		if n := p.f.nodes.at(c.node); e.source || e.download == given || len(e.purl) > 0 {
			n.flags |= nodeSource
		}
	case file && !slices.Contains(e.purposes, "executable") && !slices.Contains(e.purposes, "archive") && string(e.purpose) != "executable" && string(e.purpose) != "archive":
		c.kind = kindNone
	}
	for _, n := range e.originated {
		p.made.add(relation{originatedBy, id, n})
	}
	for _, n := range e.supplied {
		p.made.add(relation{suppliedBy, id, n})
	}
	if p.made.n > p.f.limits.edges {
		return fmt.Errorf("more than %d makers of components; check its parts one by one", p.f.limits.edges)
	}
	return nil
}

// fileFields are what a file says about itself. SPDX has words for executable and archive only; a comment that names the
// guideline makes a missing word a no. Source: BSI TR-03183-2 v2.1.0, mapping to SPDX 3.0.1.
func (p *spdx3) fileFields(c *component, e *element3) {
	has := func(purpose string) bool {
		return string(e.purpose) == purpose || slices.Contains(e.purposes, purpose)
	}
	explained := bytes.Contains(e.comment, []byte("TR-03183-2"))
	if len(e.name) > 0 {
		c.set(fieldFilename, filenameState(e.name))
	}
	if has("executable") || explained {
		c.set(fieldExecutable, given)
	}
	if has("archive") || explained {
		c.set(fieldArchive, given)
	}
	switch container, firmware := has("container"), has("firmware"); {
	case container && firmware:
		c.set(fieldStructured, wrong)
	case container || firmware:
		c.set(fieldStructured, given)
	}
	c.set(fieldDeployableHash, e.sha512)
	c.set(fieldDeployableURI, e.download)
}

func (p *spdx3) relationship(e *element3) error {
	if len(e.from) == 0 {
		return nil
	}
	from := p.f.intern(e.from)
	kind, special := relationKinds[string(e.relation)]
	isEdge := slices.Contains(edges3, string(e.relation))
	switch {
	case string(e.relation) == "describes":
		p.docRoots = append(p.docRoots, e.to...)
		return nil
	case isEdge:
		p.stateEdges(from, e)
	case !special:
		return nil
	}
	for _, to := range e.to {
		if special && p.relations.n < p.f.limits.edges {
			p.relations.add(relation{kind, from, to})
		}
		if isEdge || kind == distributionArtifact && special {
			if err := p.f.link(from, to); err != nil {
				return err
			}
		}
	}
	if special && p.relations.n >= p.f.limits.edges {
		return fmt.Errorf("more than %d relationships; check its parts one by one", p.f.limits.edges)
	}
	return nil
}

// stateEdges notes that something says what it needs or holds, and how completely.
func (p *spdx3) stateEdges(from uint32, e *element3) {
	at := p.f.nodes.at(from)
	at.flags |= nodeEntry
	switch string(e.completeness) {
	case "complete", "incomplete", "noAssertion":
		at.flags |= nodeComplete
	case "":
	default:
		at.flags |= nodeAggregate
	}
	if e.toUnknown {
		at.flags |= nodeComplete // said to be unknown
	}
}

// resolve draws together what elements say of each other.
func (p *spdx3) resolve() {
	for _, n := range p.authors {
		flags := p.f.nodes.at(n).flags
		if flags&nodeAgentName != 0 {
			p.f.author = given
			p.f.creator = better(p.f.creator, validState(flags&nodeAgent != 0))
		}
	}
	for _, n := range p.tools {
		p.f.toolNamed(p.toolNames[n], "")
	}
	for _, n := range slices.Concat(p.roots, p.docRoots) {
		if p.f.nodes.at(n).component != none {
			p.f.described = append(p.f.described, n)
		}
	}
	for _, chunk := range p.made.chunks {
		for _, r := range chunk {
			p.maker(r)
		}
	}
	// licences of files first, so that a package may be joined with a file that says what it does not
	for _, chunk := range p.relations.chunks {
		for _, r := range chunk {
			p.relate(r)
		}
	}
	p.join()
}

func (p *spdx3) maker(r relation) {
	c, flags := p.f.components.at(r.from), p.f.nodes.at(r.to).flags
	if flags&nodeAgentName == 0 {
		return
	}
	c.set(fieldSupplier, given)
	switch {
	case r.kind == originatedBy:
		c.set(fieldCreator, validState(flags&nodeAgent != 0))
	case flags&nodeAgent != 0:
		c.set(fieldCreator, wrong+1)
	}
}

func (p *spdx3) relate(r relation) {
	from := p.f.nodes.at(r.from).component
	to := p.f.nodes.at(r.to)
	if r.kind == generates {
		if to.component != none {
			p.f.components.at(to.component).set(fieldSourceURI, validState(p.f.nodes.at(r.from).flags&nodeSource != 0))
		}
		return
	}
	if from == none || r.kind == distributionArtifact {
		return
	}
	verdict, known := verdictOf(to.flags)
	if !known {
		return
	}
	c := p.f.components.at(from)
	switch r.kind {
	case concludedLicence:
		p.f.judgeLicence(c, acknowledged{verdict: verdict, as: "concluded"})
	case declaredLicence:
		p.f.judgeLicence(c, acknowledged{verdict: verdict, as: "declared"})
	case effectiveLicence:
		c.set(fieldEffectiveLicence, validState(verdict >= licenceUnlistedID))
	}
}

func verdictOf(flags nodeFlags) (licenceVerdict, bool) {
	switch {
	case flags&nodeExpression != 0:
		return licenceExpression, true
	case flags&nodeRefNoList != 0:
		return licenceUnlistedID, true
	case flags&nodeText != 0:
		return licenceName, true
	case flags&nodeNoAssertion != 0:
		return licenceNone, true
	}
	return licenceNone, false
}

// join gives packages the fields of the file that they are distributed as; that file is no component of its own.
func (p *spdx3) join() {
	for _, chunk := range p.relations.chunks {
		for _, r := range chunk {
			from, to := p.f.nodes.at(r.from).component, p.f.nodes.at(r.to).component
			if r.kind != distributionArtifact || from == none || to == none || from == to {
				continue
			}
			whole, file := p.f.components.at(from), p.f.components.at(to)
			if !file.file || whole.file && whole.kind == kindNone {
				continue
			}
			for _, f := range []field{fieldFilename, fieldExecutable, fieldArchive, fieldStructured, fieldDeployableHash, fieldDeployableURI, fieldHash} {
				whole.set(f, file.get(f))
			}
			file.kind = kindNone
			if whole.kind == kindLogical && whole.get(fieldFilename) != absent {
				whole.kind = kindFile
			}
		}
	}
}
