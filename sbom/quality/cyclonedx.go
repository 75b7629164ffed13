package quality

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom"
)

// cyclonedx reads the parts of a CycloneDX document in JSON, versions 1.4 to 1.7, into facts.
type cyclonedx struct {
	*scanner
	f *facts
}

// Names of properties. Source: BSI property taxonomy for CycloneDX v0.1.2; pegel:bsi:kind is a name of ours.
const (
	propertyFilename   = "bsi:component:filename"
	propertyExecutable = "bsi:component:executable"
	propertyArchive    = "bsi:component:archive"
	propertyStructured = "bsi:component:structured"
	propertyEffective  = "bsi:component:effectiveLicence"
	propertyKind       = "pegel:bsi:kind"
)

// member reads one key of the document; it reports whether the key belongs to the format.
func (c cyclonedx) member(key []byte) (bool, error) {
	switch string(key) {
	case "specVersion":
		return true, c.text(func(v []byte) { c.f.doc.SpecVersion = string(clip(v, 20)) })
	case "serialNumber":
		return true, c.text(func(v []byte) {
			if c.f.serial = wrong; serialForm.Match(v) {
				c.f.serial, c.f.doc.SerialNumber = given, string(v)
			}
		})
	case "metadata":
		return true, c.metadata()
	case "components":
		return true, c.components(none)
	case "services":
		return true, c.items("services", func() error { return c.service() })
	case "dependencies":
		return true, c.dependencies()
	case "compositions":
		return true, c.items("compositions", c.composition)
	case "vulnerabilities":
		return true, c.items("vulnerabilities", func() error { c.f.vulnerabilities++; return c.skip() })
	}
	return false, nil
}

// text reads a string and hands it over; anything else is passed over.
func (s *scanner) text(use func(v []byte)) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != '"' {
		return s.skip()
	}
	v, err := s.string()
	if err == nil {
		use(v)
	}
	return err
}

// members reads an object; anything else is passed over.
func (s *scanner) members(member func(key []byte) error) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != '{' {
		return s.skip()
	}
	return s.object(member)
}

// items reads a list. null in its place is a fault of the document that its readers stumble over.
func (c cyclonedx) items(name string, item func() error) error {
	next, err := c.peek()
	if err != nil {
		return err
	}
	if next != '[' {
		c.f.nulls.add(name, keepFaults)
		return c.skip()
	}
	return c.list(item)
}

func (c cyclonedx) metadata() error {
	return c.members(func(key []byte) error {
		switch string(key) {
		case "timestamp":
			return c.text(func(v []byte) { c.f.timestamp, c.f.whyTimestamp = timestampState(v) })
		case "component":
			return c.rootComponent()
		case "manufacturer":
			e, err := c.entity()
			c.f.creator = e.contact()
			c.f.author = max(c.f.author, e.named())
			return err
		case "authors":
			return c.items("authors", func() error {
				e, err := c.entity()
				c.f.author = max(c.f.author, e.named())
				return err
			})
		case "supplier", "manufacture":
			e, err := c.entity()
			c.f.author = max(c.f.author, e.named())
			return err
		case "tools":
			return c.tools()
		case "lifecycles":
			return c.items("lifecycles", func() error {
				return c.members(func(key []byte) error {
					if k := string(key); k != "phase" && k != "name" {
						return c.skip()
					}
					return c.text(func(v []byte) {
						c.f.inContext(v)
					})
				})
			})
		}
		return c.skip()
	})
}

// tools reads a list of tools, as until 1.4, or an object with components and services.
func (c cyclonedx) tools() error {
	next, err := c.peek()
	if err != nil {
		return err
	}
	if next == '[' {
		return c.items("tools", c.tool)
	}
	return c.members(func(key []byte) error {
		if k := string(key); k == "components" || k == "services" {
			return c.items("tools", c.tool)
		}
		return c.skip()
	})
}

func (c cyclonedx) tool() error {
	var name, version string
	err := c.members(func(key []byte) error {
		switch string(key) {
		case "name":
			return c.text(func(v []byte) { name = string(clip(v, maxLabel)) })
		case "version":
			return c.text(func(v []byte) { version = string(clip(v, maxLabel)) })
		}
		return c.skip()
	})
	c.f.toolNamed(name, version)
	return err
}

// inContext notes when in the life cycle the document was made.
func (f *facts) inContext(phase []byte) {
	f.context = given
	if len(f.doc.Context) < keepFaults {
		f.doc.Context = append(f.doc.Context, string(clip(phase, 40)))
	}
}

// toolNamed notes a tool that made the document.
func (f *facts) toolNamed(name, version string) {
	if name == "" || saysNothing([]byte(name)) {
		return
	}
	f.tool = given
	if len(f.doc.Tools) < keepFaults {
		f.doc.Tools = append(f.doc.Tools, strings.TrimSpace(name+" "+version))
	}
}

// entity is an organisation, or a person, as far as it is judged. Names are not kept: they may be those of people.
type entity struct {
	present, name, email, url bool
}

func (e entity) contact() state {
	switch {
	case e.email || e.url:
		return given
	case e.present:
		return wrong
	}
	return absent
}

func (e entity) named() state {
	if e.name || e.email || e.url {
		return given
	}
	return absent
}

func (c cyclonedx) entity() (entity, error) {
	var e entity
	address := func(v []byte) {
		if len(v) > 0 {
			e.url = e.url || validURL(string(v))
		}
	}
	mailbox := func(v []byte) { e.email = e.email || validEmail(string(v)) }
	err := c.members(func(key []byte) error {
		e.present = true
		switch string(key) {
		case "name":
			return c.text(func(v []byte) { e.name = len(v) > 0 && !saysNothing(v) })
		case "email": // of an author, who is a contact
			return c.text(mailbox)
		case "url":
			return c.items("url", func() error { return c.text(address) })
		case "contact":
			return c.items("contact", func() error {
				return c.members(func(key []byte) error {
					if string(key) == "email" {
						return c.text(mailbox)
					}
					return c.skip()
				})
			})
		}
		return c.skip()
	})
	return e, err
}

func (c cyclonedx) rootComponent() error {
	id, err := c.component(none)
	if err != nil || id == none {
		return err
	}
	c.f.root = id
	c.f.components.at(id).root = true
	c.f.doc.Root = c.f.labels.text(c.f.components.at(id).label)
	return nil
}

func (c cyclonedx) components(parent uint32) error {
	return c.items("components", func() error {
		_, err := c.component(parent)
		return err
	})
}

// stated is what one component says, collected until all of it is known.
type stated struct {
	id                                uint32
	ref, typ, group, name, version    []byte
	purl, cpe                         []byte
	swid, external, referenced        bool
	manufacturer, supplier, elsewhere entity
	licences                          []acknowledged
	hash                              state
	sha512                            bool
	filename, executable, archive     property
	structured, effective, kind       property
}

// property is a property that may stand once.
type property struct {
	value string
	count int
}

func (p *property) add(v []byte) {
	p.count++
	p.value = string(clip(v, 400))
}

// choice returns the state of a property with a closed list of values.
func (p property) choice(values ...string) state {
	switch {
	case p.count == 0:
		return absent
	case p.count > 1:
		return wrong + 1
	case slices.Contains(values, p.value):
		return given
	}
	return wrong
}

type acknowledged struct {
	verdict    licenceVerdict
	as         string // concluded, declared, or nothing
	expression bool
}

// component reads one component and those nested in it, and returns its number.
func (c cyclonedx) component(parent uint32) (uint32, error) {
	if next, err := c.peek(); err != nil || next != '{' {
		if err == nil {
			c.f.nulls.add("component", keepFaults)
			err = c.skip()
		}
		return none, err
	}
	id, err := c.f.newComponent(parent)
	if err != nil {
		return none, err
	}
	st := stated{id: id}
	if err := c.object(func(key []byte) error { return c.componentMember(&st, key) }); err != nil {
		return none, err
	}
	c.f.judge(&st)
	return id, nil
}

func (c cyclonedx) componentMember(st *stated, key []byte) error {
	keep := func(to *[]byte) error {
		return c.text(func(v []byte) { *to = append([]byte(nil), clip(v, 2048)...) })
	}
	switch string(key) {
	case "type":
		return keep(&st.typ)
	case "bom-ref":
		return keep(&st.ref)
	case "group":
		return keep(&st.group)
	case "name":
		return keep(&st.name)
	case "version":
		return keep(&st.version)
	case "purl":
		return keep(&st.purl)
	case "cpe":
		return keep(&st.cpe)
	case "swid":
		st.swid = true
		return c.skip()
	case "isExternal":
		word, err := c.scalar()
		st.external = word == "true"
		return err
	case "manufacturer":
		return c.entityTo(&st.manufacturer)
	case "supplier":
		return c.entityTo(&st.supplier)
	case "authors":
		return c.items("authors", func() error { return c.entityTo(&st.elsewhere) })
	case "publisher", "author":
		return c.text(func(v []byte) { st.elsewhere.present = st.elsewhere.present || len(v) > 0 })
	case "components":
		return c.components(st.id)
	case "licenses":
		return c.licenses(st)
	case "hashes":
		return c.hashes(func(algorithm string, s state) {
			st.hash = better(st.hash, s)
			st.sha512 = st.sha512 || algorithm == "sha512" && s == given
		})
	case "externalReferences":
		return c.items("externalReferences", func() error { return c.externalReference(st) })
	case "properties":
		return c.items("properties", func() error { return c.property(st) })
	}
	return c.skip()
}

func (c cyclonedx) entityTo(to *entity) error {
	e, err := c.entity()
	to.present, to.name, to.email, to.url = to.present || e.present, to.name || e.name, to.email || e.email, to.url || e.url
	return err
}

// scalar reads a literal; anything else is passed over.
func (s *scanner) scalar() (string, error) {
	c, err := s.peek()
	if err != nil {
		return "", err
	}
	if c == '"' || c == '{' || c == '[' {
		return "", s.skip()
	}
	return s.literal()
}

// better keeps a valid value, and of others the first.
func better(have, now state) state {
	if now == given || have == absent {
		return now
	}
	return have
}

func (c cyclonedx) hashes(each func(algorithm string, s state)) error {
	return c.items("hashes", func() error {
		var algorithm string
		var value []byte
		err := c.members(func(key []byte) error {
			switch string(key) {
			case "alg":
				return c.text(func(v []byte) { algorithm = plainAlgorithm(v) })
			case "content":
				return c.text(func(v []byte) { value = append(value, v...) })
			}
			return c.skip()
		})
		if err == nil {
			each(algorithm, validHash(algorithm, value))
		}
		return err
	})
}

func (c cyclonedx) licenses(st *stated) error {
	return c.items("licenses", func() error {
		if len(st.licences) >= maxLicences {
			return c.skip()
		}
		var l acknowledged
		seen := false
		note := func(v []byte) {
			if verdict := c.f.licence(v); !seen || verdict > l.verdict {
				l.verdict, seen = verdict, true
			}
		}
		acknowledge := func(v []byte) { l.as = string(clip(v, 20)) }
		err := c.members(func(key []byte) error {
			switch string(key) {
			case "expression":
				l.expression = true
				return c.text(note)
			case "acknowledgement":
				return c.text(acknowledge)
			case "license":
				return c.members(func(key []byte) error {
					switch string(key) {
					case "id":
						return c.text(note)
					case "name":
						return c.text(func(v []byte) {
							if verdict := c.f.licence(v); verdict == licenceNone && !seen {
								seen = true
							} else if !seen {
								l.verdict, seen = licenceName, true // a name is no identifier, whatever it says
							}
						})
					case "acknowledgement":
						return c.text(acknowledge)
					}
					return c.skip()
				})
			}
			return c.skip()
		})
		if seen {
			st.licences = append(st.licences, l)
		}
		return err
	})
}

// maxLicences is how many licences of one component are judged; more change nothing that is not said by these.
const maxLicences = 256

func (c cyclonedx) externalReference(st *stated) error {
	var typ, address string
	hash, sha512 := absent, false
	err := c.members(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(func(v []byte) { typ = string(clip(v, 40)) })
		case "url":
			return c.text(func(v []byte) { address = string(v) })
		case "hashes":
			return c.hashes(func(algorithm string, s state) {
				hash = better(hash, s)
				sha512 = sha512 || algorithm == "sha512" && s == given
			})
		}
		return c.skip()
	})
	if err != nil {
		return err
	}
	co := c.f.components.at(st.id)
	switch typ {
	case "distribution":
		co.set(fieldDeployableURI, placeState(address, validURI))
		switch {
		case sha512:
			co.set(fieldDeployableHash, given)
		case hash == given:
			co.set(fieldDeployableHash, wrong+2)
		case hash != absent:
			co.set(fieldDeployableHash, wrong)
		}
		if hash != absent {
			st.hash = better(st.hash, hash)
		}
	case "source-distribution":
		co.set(fieldSourceURI, placeState(address, validURL))
		if hash != absent {
			co.set(fieldSourceHash, min(hash, wrong))
		}
	case "rfc-9116":
		co.set(fieldSecurityContact, validState(validURL(address)))
	case "bom":
		st.referenced = true
		link := strings.HasPrefix(address, "urn:cdx:")
		co.set(fieldBOMLink, validState(link && bomLink.MatchString(address) || !link && validURL(address)))
	}
	return nil
}

func validState(valid bool) state {
	if valid {
		return given
	}
	return wrong
}

func (c cyclonedx) property(st *stated) error {
	var name string
	var value []byte
	err := c.members(func(key []byte) error {
		switch string(key) {
		case "name":
			return c.text(func(v []byte) { name = string(clip(v, 80)) })
		case "value":
			return c.text(func(v []byte) { value = append(value[:0], v...) })
		}
		return c.skip()
	})
	switch name {
	case propertyFilename:
		st.filename.add(value)
	case propertyExecutable:
		st.executable.add(value)
	case propertyArchive:
		st.archive.add(value)
	case propertyStructured:
		st.structured.add(value)
	case propertyEffective:
		st.effective.add(value)
	case propertyKind:
		st.kind.add(value)
	}
	return err
}

// judge turns what a component says into states.
func (f *facts) judge(st *stated) {
	c := f.components.at(st.id)
	f.name(st.id, st.ref, labelOf(st.group, st.name, st.version))
	c.file = string(st.typ) == "file"
	c.kind = kindOf(st)
	if len(st.ref) == 0 {
		c.set(fieldDependencies, wrong)
	}
	c.set(fieldCreator, creatorState(st))
	c.set(fieldSupplier, supplierState(st))
	switch {
	case len(st.name) == 0:
	case saysNothing(st.name):
		c.set(fieldName, wrong)
	default:
		c.set(fieldName, given)
	}
	c.set(fieldVersion, versionState(st.version, c.file && len(st.purl) == 0))
	c.set(fieldIdentifier, identifierState(st.purl, st.cpe, st.swid))
	c.set(fieldHash, st.hash)
	if st.hash != absent {
		c.set(fieldDeployableHash, hashElsewhere(st.sha512))
	}
	if st.filename.count == 1 {
		c.set(fieldFilename, filenameState([]byte(st.filename.value)))
	} else if st.filename.count > 1 {
		c.set(fieldFilename, wrong+1)
	}
	c.set(fieldExecutable, st.executable.choice("executable", "non-executable"))
	c.set(fieldArchive, st.archive.choice("archive", "no archive"))
	c.set(fieldStructured, st.structured.choice("structured", "unstructured"))
	f.judgeLicences(c, st)
}

func hashElsewhere(sha512 bool) state {
	if sha512 {
		return wrong + 1
	}
	return wrong + 2
}

func creatorState(st *stated) state {
	if s := st.manufacturer.contact(); s != absent {
		return s
	}
	if st.supplier.contact() == given || st.elsewhere.present {
		return wrong + 1
	}
	return absent
}

// supplierState says whether the organisation is named that makes or delivers the component. Source: NTIA minimum elements
// 2021, supplier name: the entity that creates, defines and identifies components. Authors and publishers of a package need
// not be that entity.
func supplierState(st *stated) state {
	switch {
	case st.supplier.named() == given || st.manufacturer.named() == given:
		return given
	case st.elsewhere.present:
		return wrong
	case st.supplier.present || st.manufacturer.present:
		return wrong + 1
	}
	return absent
}

func identifierState(purl, cpe []byte, swid bool) state {
	switch {
	case len(purl) > 0 && sbom.BarePURL(string(purl)) == "":
		return wrong
	case len(cpe) > 0 && !cpeForm.Match(cpe):
		return wrong + 1
	case len(purl) > 0 || len(cpe) > 0 || swid:
		return given
	}
	return absent
}

// distributionTypes are the purl types of packages that an installer spreads over the file system: no single file of the
// product is the package.
var distributionTypes = []string{"pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/"}

// kindOf says which demands hold. A component that says nothing about itself is judged like a file: whoever leaves the
// fields of files out must say that there is no file.
func kindOf(st *stated) kind {
	fileFields := st.filename.count+st.executable.count+st.archive.count+st.structured.count > 0
	switch {
	case st.external:
		return kindExternal
	case st.referenced && !fileFields:
		return kindReferenced
	case st.kind.value == "logical" && !fileFields:
		return kindLogical
	case st.kind.value == "group" && !fileFields && len(st.purl) == 0 && len(st.cpe) == 0:
		return kindHeading
	case fileFields || string(st.typ) == "file":
		return kindFile
	case string(st.typ) == "operating-system" || string(st.typ) == "platform":
		return kindLogical
	case slices.ContainsFunc(distributionTypes, func(t string) bool { return bytes.HasPrefix(st.purl, []byte(t)) }):
		return kindLogical
	}
	return kindFile
}

func (f *facts) judgeLicences(c *component, st *stated) {
	expressions := 0
	for _, l := range st.licences {
		f.judgeLicence(c, l)
		if l.expression {
			expressions++
		}
	}
	if len(st.licences) > 0 {
		c.set(fieldLicenceForm, validState(expressions == 0 || len(st.licences) == 1))
	}
	switch {
	case st.effective.count > 1:
		c.set(fieldEffectiveLicence, wrong+1)
	case st.effective.count == 1:
		c.set(fieldEffectiveLicence, validState(f.licence([]byte(st.effective.value)) >= licenceUnlistedID))
	}
}

func (f *facts) judgeLicence(c *component, l acknowledged) {
	switch l.verdict {
	case licenceExpression, licenceUnlistedID:
		c.set(fieldLicence, given)
	case licenceNone:
		c.set(fieldLicence, wrong+1)
	default:
		c.set(fieldLicence, wrong)
	}
	switch l.as {
	case "concluded":
		c.set(fieldDistributionLicence, [...]state{wrong + 2, wrong, wrong + 3, given}[l.verdict])
	case "declared":
		c.set(fieldOriginalLicence, [...]state{absent, wrong, wrong + 1, given}[l.verdict]) // NOASSERTION: no data exists
	default:
		c.set(fieldDistributionLicence, wrong+1)
	}
}

// labelOf is how a component is named to people.
func labelOf(group, name, version []byte) []byte {
	var b []byte
	if len(group) > 0 {
		b = append(append(b, clip(group, 60)...), '/')
	}
	b = append(b, clip(name, 80)...)
	if len(version) > 0 {
		b = append(append(b, '@'), clip(version, 60)...)
	}
	if len(b) == 0 {
		b = []byte("(no name)")
	}
	return b
}

// service notes a service, so that references to it are not taken for dangling ones. Services are no components.
func (c cyclonedx) service() error {
	return c.members(func(key []byte) error {
		switch string(key) {
		case "bom-ref":
			return c.text(func(v []byte) { c.f.nodes.at(c.f.intern(v)).flags |= nodeMeta })
		case "services":
			return c.items("services", c.service)
		}
		return c.skip()
	})
}

func (c cyclonedx) dependencies() error {
	return c.items("dependencies", func() error {
		from, targets := none, []uint32(nil)
		hold := func(keep bool) func() error {
			return func() error {
				return c.text(func(v []byte) {
					if n := c.f.intern(v); keep && len(targets) <= c.f.limits.edges {
						targets = append(targets, n)
					}
				})
			}
		}
		err := c.members(func(key []byte) error {
			switch string(key) {
			case "ref":
				return c.text(func(v []byte) { from = c.f.intern(v) })
			case "dependsOn":
				return c.items("dependsOn", hold(true))
			case "provides":
				return c.items("provides", hold(false))
			}
			return c.skip()
		})
		if err != nil || from == none {
			return err
		}
		return c.f.entry(from, targets)
	})
}

// entry notes what one component depends on; more than MaxEdges in all are an error.
func (f *facts) entry(from uint32, targets []uint32) error {
	n := f.nodes.at(from)
	if n.flags&nodeEntry != 0 {
		f.doubleEntries.add(f.labels.text(n.label), keepFaults)
	}
	n.flags |= nodeEntry
	slices.Sort(targets)
	for i, to := range targets {
		if i > 0 && to == targets[i-1] {
			f.doubleEdges.add(f.labels.text(n.label)+" -> "+f.labels.text(f.nodes.at(to).label), keepFaults)
			continue
		}
		if err := f.link(from, to); err != nil {
			return err
		}
	}
	return nil
}

// aggregates are the values that say how complete a list is. Source: CycloneDX 1.7 schema, aggregateType, without
// not_specified, which says nothing.
var aggregates = []string{
	"complete", "incomplete", "incomplete_first_party_only", "incomplete_first_party_proprietary_only", "incomplete_first_party_opensource_only",
	"incomplete_third_party_only", "incomplete_third_party_proprietary_only", "incomplete_third_party_opensource_only", "unknown",
}

func (c cyclonedx) composition() error {
	var aggregate string
	var about []uint32
	name := func() error {
		return c.text(func(v []byte) {
			if n := c.f.intern(v); len(about) < c.f.limits.nodes {
				about = append(about, n)
			}
		})
	}
	err := c.members(func(key []byte) error {
		switch string(key) {
		case "aggregate":
			return c.text(func(v []byte) { aggregate = string(clip(v, 80)) })
		case "assemblies", "dependencies":
			return c.items("compositions", name)
		}
		return c.skip()
	})
	flag := nodeComplete
	if !slices.Contains(aggregates, aggregate) {
		flag = nodeAggregate
	}
	for _, n := range about {
		c.f.nodes.at(n).flags |= flag
	}
	return err
}
