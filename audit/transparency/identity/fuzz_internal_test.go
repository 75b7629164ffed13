package identity

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzReadDiscovery checks that what is kept reads as what came, and that keeping it again changes nothing.
func FuzzReadDiscovery(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(providerJSON, "%[1]s", "https://id.example.org")))
	f.Add([]byte(`{"issuer":"a\u202e","response_types_supported":["code",1,null]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, err := reduceDiscovery(data)
		if err != nil {
			return
		}
		one, _ := readDiscovery(data)
		two, err := readDiscovery(kept)
		again, _ := reduceDiscovery(kept)
		if err != nil || one.Issuer != two.Issuer || !bytes.Equal(kept, again) {
			t.Errorf("%v: %s\n%s\n%+v\n%+v", err, kept, again, one, two)
		}
	})
}

// FuzzReadSAML checks that what is kept reads as what came, that keeping it again changes nothing, and that no contact is kept.
func FuzzReadSAML(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(serviceXML, "%[1]s", "https://id.example.org")))
	f.Add([]byte(strings.ReplaceAll(idpXML, "%[1]s", "https://id.example.org")))
	f.Add([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="x"><EntityDescriptor entityID="&#x9;a&#10;&lt;"/></EntitiesDescriptor>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><EntityDescriptor/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, err := reduceSAML(data)
		if err != nil {
			return
		}
		one, _ := readSAML(data)
		two, err := readSAML(kept)
		again, _ := reduceSAML(kept)
		if err != nil || !reflect.DeepEqual(one.entities, two.entities) || one.validUntil != two.validUntil || !bytes.Equal(kept, again) || !isMetadata(kept) {
			t.Errorf("%v: %s\n%+v\n%+v", err, kept, one, two)
		}
		if bytes.Contains(kept, []byte("ContactPerson>")) {
			t.Errorf("a contact is kept: %s", kept)
		}
	})
}

// FuzzReducePage checks that what is kept of a page is a text without addresses of mail, and no metadata.
func FuzzReducePage(f *testing.F) {
	f.Add([]byte(guide))
	f.Add([]byte("<p>&lt;EntityDescriptor> SAML jane@x.example"))
	f.Add([]byte("{ OIDC"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := reducePage(data)
		first := bytes.TrimSpace(kept)
		if !utf8.Valid(kept) || isMetadata(kept) || bytes.HasPrefix(first, []byte("{")) || bytes.HasPrefix(first, []byte("<")) || mail.Match(kept) {
			t.Errorf("kept %q", kept)
		}
		if p := pageOf(kept); len(p.Protocols) > len(protocols) || len(p.Federation) > len(federation) {
			t.Errorf("got %+v", p)
		}
	})
}
