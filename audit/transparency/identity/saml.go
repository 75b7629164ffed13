package identity

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Names of SAML 2.0 (Metadata for the OASIS Security Assertion Markup Language V2.0, section 2).
const (
	metadataSpace = "urn:oasis:names:tc:SAML:2.0:metadata"
	samlProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
)

// Bounds of one document.
const (
	maxDepth     = 64
	maxTokens    = 1_000_000
	maxEntities  = 10_000
	maxConsumers = 50
	maxAttribute = 2_000
	maxShown     = 50 // entities that are kept as facts
)

// entity is what counts of one EntityDescriptor.
type entity struct {
	id         string
	validUntil string
	provider   bool // it has an IDPSSODescriptor
	service    bool // it has an SPSSODescriptor
	protocol   bool // of which one speaks SAML 2.0
	consumers  []string
}

// metadata is what counts of one document.
type metadata struct {
	validUntil string // of the whole
	entities   []entity
}

// isMetadata reports whether bytes are SAML metadata, by the first element.
func isMetadata(body []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(body[:min(len(body), 64<<10)]))
	for range 100 {
		token, err := d.RawToken()
		if err != nil {
			return false
		}
		switch x := token.(type) {
		case xml.StartElement:
			return x.Name.Local == "EntityDescriptor" || x.Name.Local == "EntitiesDescriptor"
		case xml.CharData: // a text that shows such an element begins with words
			if len(bytes.TrimSpace(bytes.TrimPrefix(x, []byte("\ufeff")))) > 0 {
				return false
			}
		}
	}
	return false
}

// readSAML reads a document as a stream. A document type is refused: metadata have none, and it could define entities.
func readSAML(body []byte) (metadata, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	r := samlReader{}
	for tokens := 0; ; tokens++ {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && r.rooted && r.depth == 0:
			return r.found, nil
		case err != nil:
			return metadata{}, errors.New("it is no XML that can be read")
		case tokens > maxTokens:
			return metadata{}, fmt.Errorf("it has more than %d parts", maxTokens)
		}
		switch x := token.(type) {
		case xml.Directive:
			return metadata{}, errors.New("it has a document type, which metadata have not")
		case xml.StartElement:
			err = r.start(x)
		case xml.EndElement:
			r.end(x)
		}
		if err != nil {
			return metadata{}, err
		}
	}
}

// samlReader holds the entity that is being read.
type samlReader struct {
	found   metadata
	depth   int
	rooted  bool
	current *entity
	at      int  // depth of current
	service bool // inside an SPSSODescriptor
}

func (r *samlReader) start(e xml.StartElement) error {
	r.depth++
	if r.depth > maxDepth {
		return fmt.Errorf("it is deeper than %d levels", maxDepth)
	}
	ours := e.Name.Space == metadataSpace
	if !r.rooted {
		if !ours || e.Name.Local != "EntityDescriptor" && e.Name.Local != "EntitiesDescriptor" {
			return errors.New("it is no SAML 2.0 metadata")
		}
		r.rooted = true
		if e.Name.Local == "EntitiesDescriptor" {
			r.found.validUntil = value(e, "validUntil")
		}
	}
	switch {
	case !ours:
	case e.Name.Local == "EntityDescriptor" && r.current == nil:
		if len(r.found.entities) == maxEntities {
			return fmt.Errorf("it has more than %d entities", maxEntities)
		}
		r.current, r.at = &entity{id: value(e, "entityID"), validUntil: value(e, "validUntil")}, r.depth
	case r.current == nil:
	case e.Name.Local == "IDPSSODescriptor" && r.depth == r.at+1:
		r.current.provider = true
	case e.Name.Local == "SPSSODescriptor" && r.depth == r.at+1:
		r.service, r.current.service = true, true
		if slices.Contains(strings.Fields(value(e, "protocolSupportEnumeration")), samlProtocol) {
			r.current.protocol = true
		}
	case e.Name.Local == "AssertionConsumerService" && r.service && r.depth == r.at+2 && len(r.current.consumers) < maxConsumers:
		if where := value(e, "Location"); where != "" {
			r.current.consumers = append(r.current.consumers, where)
		}
	}
	return nil
}

func (r *samlReader) end(xml.EndElement) {
	if r.current != nil {
		switch r.depth {
		case r.at:
			r.found.entities = append(r.found.entities, *r.current)
			r.current = nil
		case r.at + 1:
			r.service = false
		}
	}
	r.depth--
}

// value returns an attribute that stands in no namespace; longer ones than anybody needs are none.
func value(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name && len(a.Value) <= maxAttribute {
			return strings.TrimSpace(plain(a.Value))
		}
	}
	return ""
}

// reduceSAML writes the document anew with what counts: no contacts, no organisations, no keys, no extensions.
func reduceSAML(body []byte) ([]byte, error) {
	m, err := readSAML(body)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	attribute := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, ` %s="`, name)
			_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
			b.WriteByte('"')
		}
	}
	b.WriteString(`<EntitiesDescriptor xmlns="` + metadataSpace + `"`)
	attribute("validUntil", m.validUntil)
	b.WriteString(">\n")
	for _, e := range m.entities {
		b.WriteString("<EntityDescriptor")
		attribute("entityID", e.id)
		attribute("validUntil", e.validUntil)
		b.WriteString(">\n")
		if e.provider {
			b.WriteString("<IDPSSODescriptor/>\n")
		}
		if e.service {
			b.WriteString("<SPSSODescriptor")
			if e.protocol {
				attribute("protocolSupportEnumeration", samlProtocol)
			}
			b.WriteString(">\n")
			for _, c := range e.consumers {
				b.WriteString("<AssertionConsumerService")
				attribute("Location", c)
				b.WriteString("/>\n")
			}
			b.WriteString("</SPSSODescriptor>\n")
		}
		b.WriteString("</EntityDescriptor>\n")
	}
	b.WriteString("</EntitiesDescriptor>\n")
	return b.Bytes(), nil
}

// takeSAML takes the service providers at hosts of the cloud.
func (l *looker) takeSAML(body []byte) {
	m, err := readSAML(body)
	if err != nil {
		l.refuse("the metadata cannot be read: "+err.Error(), "name the address of SAML 2.0 metadata")
		return
	}
	s := &transparency.SAMLMetadata{}
	for _, e := range m.entities {
		if e.provider {
			s.Providers++
		}
		if !e.service {
			continue
		}
		hosts, ours := hostsOf(e.consumers), false
		if len(hosts) > 0 {
			ours = !slices.ContainsFunc(hosts, func(h string) bool { return !l.ours(h) })
		}
		if !ours || len(s.Entities) == maxShown {
			s.Others++
			continue
		}
		s.Entities = append(s.Entities, transparency.SAMLEntity{ID: e.id, Protocol: e.protocol, Consumers: hosts, ValidUntil: earliest(m.validUntil, e.validUntil)})
	}
	l.artifact.Identity = &transparency.Identity{SAML: s}
}

// hostsOf lists the hosts of addresses, each once. An address without a host is one of nobody.
func hostsOf(addresses []string) []string {
	var out []string
	for _, raw := range addresses {
		host := "?"
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			host = strings.ToLower(u.Hostname())
		}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// earliest returns the first end of what counts; zero if none is set. An end that cannot be read is the beginning of time: who
// cannot read it may not trust the metadata.
func earliest(all ...string) time.Time {
	var out time.Time
	for _, s := range all {
		if s == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			at = time.Unix(0, 0)
		}
		if out.IsZero() || at.Before(out) {
			out = at.UTC()
		}
	}
	return out
}
