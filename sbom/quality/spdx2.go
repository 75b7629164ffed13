package quality

import (
	"bytes"
	"slices"
	"strings"
)

// spdx2 reads the parts of an SPDX 2.2 or 2.3 document in JSON into facts. Packages are the components; files, which most
// writers list without saying which of them are executable, are not.
type spdx2 struct {
	cyclonedx // the scanner and the readers of lists
}

// member reads one key of the document; it reports whether the key belongs to the format.
func (p spdx2) member(key []byte) (bool, error) {
	switch string(key) {
	case "spdxVersion":
		return true, p.text(func(v []byte) {
			p.f.doc.SpecVersion = strings.TrimPrefix(string(clip(v, 20)), "SPDX-")
		})
	case "documentNamespace":
		return true, p.text(func(v []byte) {
			if p.f.serial = wrong; validURI(string(v)) {
				p.f.serial, p.f.doc.SerialNumber = given, string(clip(v, 200))
			}
		})
	case "creationInfo":
		return true, p.creation()
	case "documentDescribes":
		return true, p.items("documentDescribes", func() error { return p.text(p.describe) })
	case "packages":
		return true, p.items("packages", p.pack)
	case "files", "snippets":
		return true, p.items("files", p.other)
	case "relationships":
		return true, p.items("relationships", p.relationship)
	}
	return false, nil
}

func (p spdx2) describe(ref []byte) {
	if len(p.f.described) < p.f.limits.components {
		p.f.described = append(p.f.described, p.f.intern(ref))
	}
}

func (p spdx2) creation() error {
	return p.members(func(key []byte) error {
		switch string(key) {
		case "created":
			return p.text(func(v []byte) { p.f.timestamp, p.f.whyTimestamp = timestampState(v) })
		case "creators":
			return p.items("creators", func() error { return p.text(p.creator) })
		}
		return p.skip()
	})
}

// creator reads "Tool: name", "Organization: name (e-mail)" or "Person: name (e-mail)".
func (p spdx2) creator(v []byte) {
	if name, ok := bytes.CutPrefix(v, []byte("Tool:")); ok {
		p.f.toolNamed(string(clip(bytes.TrimSpace(name), maxLabel)), "")
		return
	}
	e := spdxEntity(v)
	p.f.author = max(p.f.author, e.named())
	p.f.creator = better(p.f.creator, e.contact())
}

// spdxEntity reads an organisation or person, with the address in parentheses behind it.
func spdxEntity(v []byte) entity {
	kind, rest, ok := bytes.Cut(v, []byte(":"))
	if k := string(bytes.TrimSpace(kind)); !ok || k != "Organization" && k != "Person" {
		return entity{}
	}
	name, address, _ := bytes.Cut(rest, []byte("("))
	address = bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(address), []byte(")")))
	name = bytes.TrimSpace(name)
	return entity{present: true, name: len(name) > 0 && !saysNothing(name), email: validEmail(string(address)), url: validURL(string(address))}
}

// other reads a file or snippet: something that references may name, but no component.
func (p spdx2) other() error {
	return p.members(func(key []byte) error {
		if string(key) != "SPDXID" {
			return p.skip()
		}
		return p.text(func(v []byte) { p.f.nodes.at(p.f.intern(v)).flags |= nodeMeta })
	})
}

func (p spdx2) pack() error {
	id, err := p.f.newComponent(none)
	if err != nil {
		return err
	}
	st := stated{id: id}
	co := p.f.components.at(id)
	err = p.members(func(key []byte) error {
		keep := func(to *[]byte) error {
			return p.text(func(v []byte) { *to = append([]byte(nil), clip(v, 2048)...) })
		}
		switch string(key) {
		case "SPDXID":
			return keep(&st.ref)
		case "name":
			return keep(&st.name)
		case "versionInfo":
			return keep(&st.version)
		case "supplier":
			return p.text(func(v []byte) { st.supplier = spdxEntity(v) })
		case "originator":
			return p.text(func(v []byte) { st.manufacturer = spdxEntity(v) })
		case "packageFileName":
			return p.text(func(v []byte) { co.set(fieldFilename, filenameState(v)) })
		case "downloadLocation":
			return p.text(func(v []byte) {
				if s := string(v); s != "NOASSERTION" && s != "NONE" {
					co.set(fieldDeployableURI, placeState(s, validURI))
				}
			})
		case "licenseConcluded":
			return p.text(func(v []byte) {
				st.licences = append(st.licences, acknowledged{verdict: p.f.licence(v), as: "concluded"})
			})
		case "licenseDeclared":
			return p.text(func(v []byte) {
				st.licences = append(st.licences, acknowledged{verdict: p.f.licence(v), as: "declared"})
			})
		case "checksums":
			return p.checksums(&st, co)
		case "externalRefs":
			return p.items("externalRefs", func() error { return p.externalRef(&st) })
		case "primaryPackagePurpose":
			return p.text(func(v []byte) {
				if string(v) == "OPERATING-SYSTEM" {
					st.typ = []byte("operating-system")
				}
			})
		case "hasFiles": // until 2.2
			return p.items("hasFiles", func() error {
				return p.text(func(v []byte) { p.f.nodes.at(p.f.intern(v)).flags |= nodeMeta })
			})
		}
		return p.skip()
	})
	if err != nil {
		return err
	}
	if st.manufacturer.contact() != given && st.supplier.contact() == given {
		st.manufacturer = st.supplier // SPDX 2 has no better place: the supplier may be the creator
	}
	p.f.judge(&st)
	return nil
}

func (p spdx2) checksums(st *stated, co *component) error {
	return p.items("checksums", func() error {
		var algorithm string
		var value []byte
		err := p.members(func(key []byte) error {
			switch string(key) {
			case "algorithm":
				return p.text(func(v []byte) { algorithm = plainAlgorithm(v) })
			case "checksumValue":
				return p.text(func(v []byte) { value = append(value, v...) })
			}
			return p.skip()
		})
		s := validHash(algorithm, value)
		st.hash = better(st.hash, s)
		if algorithm == "sha512" { // of the package as it is distributed
			co.set(fieldDeployableHash, min(s, wrong))
		}
		return err
	})
}

func (p spdx2) externalRef(st *stated) error {
	var typ string
	var locator []byte
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "referenceType":
			return p.text(func(v []byte) { typ = string(clip(v, 80)) })
		case "referenceLocator":
			return p.text(func(v []byte) { locator = append([]byte(nil), clip(v, 2048)...) })
		}
		return p.skip()
	})
	switch typ {
	case "purl":
		st.purl = locator
	case "cpe22Type", "cpe23Type":
		st.cpe = locator
	case "swh", "gitoid", "swid":
		st.swid = len(locator) > 0
	case "advisory", "fix":
		p.f.vulnerabilities++
	}
	return err
}

// relations2 are the relationships that say that the first needs or holds the second, and whether they are written the
// other way round. Source: SPDX 2.3 clause 11.
var relations2 = map[string]bool{
	"DEPENDS_ON": false, "CONTAINS": false, "HAS_PREREQUISITE": false, "DYNAMIC_LINK": false, "STATIC_LINK": false,
	"DEPENDENCY_OF": true, "CONTAINED_BY": true, "PREREQUISITE_FOR": true, "RUNTIME_DEPENDENCY_OF": true, "BUILD_DEPENDENCY_OF": true, "DEV_DEPENDENCY_OF": true,
	"OPTIONAL_DEPENDENCY_OF": true, "PROVIDED_DEPENDENCY_OF": true, "TEST_DEPENDENCY_OF": true, "PACKAGE_OF": true, "OPTIONAL_COMPONENT_OF": true,
}

func (p spdx2) relationship() error {
	var from, to []byte
	var typ string
	err := p.members(func(key []byte) error {
		switch string(key) {
		case "spdxElementId":
			return p.text(func(v []byte) { from = append([]byte(nil), v...) })
		case "relatedSpdxElement":
			return p.text(func(v []byte) { to = append([]byte(nil), v...) })
		case "relationshipType":
			return p.text(func(v []byte) { typ = string(clip(v, 60)) })
		}
		return p.skip()
	})
	if err != nil || len(from) == 0 || len(to) == 0 {
		return err
	}
	switch typ {
	case "DESCRIBES":
		p.describe(to)
		return nil
	case "DESCRIBED_BY":
		p.describe(from)
		return nil
	}
	backwards, known := relations2[typ]
	if !known {
		return nil
	}
	if backwards {
		from, to = to, from
	}
	return p.relate(from, to)
}

func (p spdx2) relate(from, to []byte) error {
	n := p.f.intern(from)
	p.f.nodes.at(n).flags |= nodeEntry
	if none := string(to) == "NONE"; none || string(to) == "NOASSERTION" {
		p.f.nodes.at(n).flags |= nodeComplete // said to be none, or said to be unknown
		return nil
	}
	m := p.f.intern(to)
	for _, ref := range []struct {
		text []byte
		n    uint32
	}{{from, n}, {to, m}} {
		if bytes.HasPrefix(ref.text, []byte("DocumentRef-")) || string(ref.text) == "SPDXRef-DOCUMENT" {
			p.f.nodes.at(ref.n).flags |= nodeMeta
		}
	}
	return p.f.link(n, m)
}

// versions2 are the versions of SPDX 2 that are read.
var versions2 = []string{"2.2", "2.3"}

func knownSPDX2(version string) bool { return slices.Contains(versions2, version) }
