package disclosure_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

const home = "text/html\n<!doctype html><html><head><title>Example Cloud</title></head><body><h1>Cloud</h1><p>Example GmbH, 12345 Berlin</p><footer>"

func TestAnImprintIsFoundByItsLinkAndItsParts(t *testing.T) {
	imprint := func(title, body string) string {
		return "text/html\n<html><head><title>" + title + "</title></head><body>" + body + "</body></html>"
	}
	full := "<p>Example Cloud GmbH<br>Weg 1<br>12345 Berlin</p><p>Telefon: +49 30 1234567<br>info[at]example[dot]org</p><p>Amtsgericht Charlottenburg, HRB 12345 B</p><p>Geschäftsführerin: Jane Doe</p>"
	all := []string{"company", "address", "contact", "register"}
	for _, c := range []struct {
		name string
		s    served
		path string
		want []string
		kind string
	}{
		{"German, behind a link", served{"/": home + `<a href="/de/impressum">Impressum</a>`, "/de/impressum": imprint("Impressum", full)}, "/", all, ""},
		{"named itself", served{"/x": imprint("Impressum – Example", full)}, "/x", all, ""},
		{"English, by the path", served{"/": home + `<a href="/imprint/">§</a>`, "/imprint/": imprint("x", "<h2>Legal notice</h2><p>Example Ltd, 1 Road, London SW1A 1AA. Phone: +44 20 1234 5678. Registered in England, company number 123.</p>")}, "/", all, ""},
		{"French", served{"/": home + `<a href="/ml">Mentions légales</a>`, "/ml": imprint("Mentions légales", "<p>Exemple SAS, 1 rue X, 75001 Paris. Courriel : contact@example.org. RCS Paris 123 456 789</p>")}, "/", all, ""},
		{"an association, as text", served{"/i": "text/plain\n# Impressum\n\nBeispiel e.V.\nPflasterstraße 6a, 10117 Berlin, Germany\nVR 39675 B, AG Charlottenburg\nMail: info[at]example[dot]com\n"}, "/i", all, ""},
		{"half of it", served{"/": imprint("Impressum", "<p>Example GmbH</p><a href='mailto:x@example.org'>write</a>")}, "/", []string{"company", "contact"}, ""},
		{"nothing of it", served{"/": imprint("Impressum", "<p>We are nice.</p>")}, "/", []string{}, ""},
		{"no link", served{"/": home + `<a href="/about">About</a>`}, "/", nil, audit.TroubleNotFound},
		{"a page that a script makes", served{"/": "text/html\n<html><body><script>go()</script></body></html>"}, "/", nil, audit.TroubleContent},
		{"a link to nothing", served{"/": home + `<a href="/impressum">Impressum</a>`}, "/", nil, audit.TroubleNotFound},
		{"a link to a page that is none", served{"/": home + `<a href="/impressum">Impressum</a>`, "/impressum": home + `<a href="/">home</a>`}, "/", nil, audit.TroubleNotFound},
		{"a login form", served{"/": `text/html` + "\n" + `<title>Impressum</title><input type="password">`}, "/", nil, audit.TroubleLogin},
	} {
		server := c.s.start(t)
		a := disclosure.CollectImprint(t.Context(), transparency.Target{Kind: transparency.KindImprint, URL: server.URL + c.path}, world(server))
		if (a.Trouble == nil) != (c.kind == "") || a.Trouble != nil && a.Trouble.Kind != c.kind {
			t.Errorf("%s: got trouble %+v, want %q", c.name, a.Trouble, c.kind)
			continue
		}
		if a.Imprint != nil && !slices.Equal(a.Imprint.Found, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, a.Imprint.Found, c.want)
		}
		if strings.Contains(asJSON(a), "Jane") {
			t.Errorf("%s: a person is kept", c.name)
		}
	}
}
