package disclosure

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPeopleAreDroppedAndOrganisationsStay(t *testing.T) {
	for _, c := range []struct {
		name   string
		redact func([]byte) ([]byte, error)
		in     string
		gone   []string
		stays  []string
	}{
		{"CycloneDX in JSON", withoutAuthors, `{"bomFormat":"CycloneDX","metadata":{"authors":[{"name":"Jane Doe","email":"jane@example.org"}],"manufacturer":{"name":"Example GmbH","contact":[{"name":"Jane Doe","email":"jane@example.org"}]}},` +
			`"components":[{"name":"a","purl":"pkg:npm/%40x/a@1.0.0","author":"Jane Doe","publisher":"Jane Doe <jane@example.org>","supplier":{"name":"Org","contact":[{"name":"Jane Doe","phone":"+49 30 99"}]}}]}`,
			[]string{"Jane", "jane", "99"}, []string{"Example GmbH", "@example.org", "pkg:npm/%40x/a@1.0.0", `"name":"Org"`}},
		{"SPDX in JSON", withoutAuthors, `{"spdxVersion":"SPDX-2.3","creationInfo":{"creators":["Person: Jane Doe (jane@example.org)","Organization: Example (jane@example.org)","Tool: syft"]},"packages":[{"supplier":"Person: Jane Doe","name":"a"}]}`,
			[]string{"Jane", "jane@"}, []string{"Organization: Example", "Tool: syft", "@example.org"}},
		{"SPDX in lines", withoutAuthors, "SPDXVersion: SPDX-2.3\nCreator: Person: Jane Doe (jane@example.org)\nCreator: Organization: Example ()\nPackageSupplier: Person: Jane Doe\n", []string{"Jane", "jane@"}, []string{"Organization: Example", "@example.org"}},
		{"CycloneDX in XML", withoutAuthors, `<bom><metadata><authors><author><name>Jane Doe</name></author></authors><supplier><name>Org</name><contact><name>Jane Doe</name><email>jane@example.org</email></contact></supplier></metadata><components><component><author>Jane Doe</author><name>a</name></component></components></bom>`,
			[]string{"Jane", "jane@"}, []string{"<name>Org</name>", "@example.org", "<name>a</name>"}},
		{"an advisory in Markdown", withoutReporters, "---\nauthors:\n  - Jane Doe\n  - name: Jane Doe\n    url: x\ntitle: t\n---\n| Reporter | Jane Doe (Example) |\n**Credits:** Jane Doe\nReported by: Jane Doe\nGemeldet von: Jane Doe\ntext of jane@example.org\n",
			[]string{"Jane", "jane@"}, []string{"title: t", "| Reporter |"}},
		{"an advisory in HTML", withoutReporters, "<table><tr><td><b>Reporter</b></td><td>Jane <i>Doe</i></td></tr><tr><td>CVE</td><td>CVE-2026-1</td></tr></table><p>Reported by: Jane Doe</p>", []string{"Jane"}, []string{"CVE-2026-1"}},
		{"JSON with people deep inside", withoutReporters, `{"id":"X","credits":[{"name":"Jane","contact":["mailto:jane@example.org",["Jane"]]}],"author":{"login":"Jane"},"n":1e400,"a":{"reporter":"Jane"}}`, []string{"Jane", "jane"}, []string{`"n":1e400`}},
		{"security.txt", withoutContactPersons, "# Jane\nContact: mailto:jane@example.org\nContact: tel:+49 30 99\n", []string{"Jane", "jane", "99"}, []string{"example.org", "tel:"}},
		{"an imprint", imprintWithoutPersons, "<html><head><title>Impressum</title></head><body><p>Example GmbH<br>Jane-Doe-Straße 1<br>12345 Berlin</p><p>Geschäftsführerin: Jane Doe, jane@example.org, Tel. +49 30 1234567</p><p>HRB 99 B</p></body></html>", []string{"Jane", "jane", "Berlin", "1234567"}, []string{"part: company", "part: address", "part: contact", "part: register"}},
		{"another page", imprintWithoutPersons, "<html><body><h1>Welcome</h1><p>jane@example.org</p></body></html>", []string{"jane"}, []string{"Welcome", "@example.org"}},
	} {
		out, err := c.redact([]byte(c.in))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, word := range c.gone {
			if strings.Contains(string(out), word) {
				t.Errorf("%s: %q is still there: %s", c.name, word, out)
			}
		}
		for _, word := range c.stays {
			if !strings.Contains(string(out), word) {
				t.Errorf("%s: %q is gone: %s", c.name, word, out)
			}
		}
		if looksLikeJSON([]byte(c.in)) && !json.Valid(out) {
			t.Errorf("%s: no JSON any more: %s", c.name, out)
		}
	}
}

func FuzzDroppingPeopleFromJSON(f *testing.F) {
	for _, seed := range []string{`{"author":"x","a":[{"authors":[1]}]}`, `[{"credits":{"a":{}}}]`, `{"a":{"author":}}`, `[]{}`, `{"author":1,"author":2}`, "{\"\\u0061uthor\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := withoutReporters(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := withoutAuthors(data); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			return
		}
		if _, ok := rewriteJSON(data, func(string) bool { return false }, nil); looksLikeJSON(data) && !ok {
			t.Errorf("valid JSON is refused: %q", data)
		}
		if looksLikeJSON(data) && !json.Valid(out) {
			t.Errorf("no JSON any more: %q became %q", data, out)
		}
	})
}
