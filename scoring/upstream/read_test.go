package upstream

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"go.yaml.in/yaml/v3"
)

// small is a catalogue of two components that is right in full.
const small = `schema: pegel/catalogue/v1
components:
- id: alpha
  name: Alpha
  role: platform
  tiers: [functional]
  area: iaas
  repo: https://git.example.org/alpha
  licence: Apache-2.0
  governance: {foundation: none}
  images: [alpha, example/alpha-worker]
- id: beta
  name: Beta
  role: building-block
  tiers: [ops, iam]
  area: database
  repo: https://git.example.org/beta
  licence: NOASSERTION
  licence_by_version:
  - {versions: "<2.0", edition: core, licence: MIT, osi: true, source: LICENSE}
  - {versions: ">=2.0", edition: core, licence: BUSL-1.1, osi: false, source: LICENSE}
  - {versions: "*", edition: build, licence: LicenseRef-Beta, osi: false, source: LICENSE}
  governance: {foundation: none, part_of: alpha}
  images: [beta, vendor/beta]
  editions:
  - {images: [vendor/beta], edition: build, source: Containerfile}
`

func TestACatalogueThatIsRightIsRead(t *testing.T) {
	c, err := Read([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if got := short(c.MatchImage("vendor/beta:1")); got != "beta high [build]" {
		t.Errorf("got %q, want beta with its edition", got)
	}
}

func TestErrorsOfACatalogueNameTheLineAndSayWhatWouldBeRight(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"an unknown key", "  area: iaas", "  aera: iaas", `line 7: unknown key "aera"; did you mean "area"?`},
		{"an unknown key of governance", "{foundation: none}", "{fundation: none}", `line 10: unknown key "fundation"; did you mean "foundation"?`},
		{"an unknown key of a row", "versions: \"*\"", "version: \"*\"", `line 22: unknown key "version"; did you mean "versions"?`},
		{"a key far from all", "  area: iaas", "  xxxxxxxxxxxx: iaas", `line 7: unknown key "xxxxxxxxxxxx"; known are alternatives, area, editions`},
		{"a foreign spelling", "  licence: Apache-2.0", "  license: Apache-2.0", `line 9: unknown key "license"; did you mean "licence"?`},
		{"a key twice", "  area: iaas", "  area: iaas\n  area: iaas", `line 8: key "area" stands twice`},
		{"an id twice", "- id: beta", "- id: alpha", `line 12: id "alpha" stands at line 3 already`},
		{"an id with capitals", "- id: beta", "- id: Beta", `line 12: component "Beta": id:`},
		{"another schema", "pegel/catalogue/v1", "pegel/catalogue/v2", `line 1: schema "pegel/catalogue/v2" is not "pegel/catalogue/v1"`},
		{"a role that is none", "role: platform", "role: plattform", `line 5: component "alpha": role: "plattform" is not one of`},
		{"a missing role", "  role: platform\n", "", `component "alpha": role: "" is not one of`},
		{"a tier that is none", "[functional]", "[paas]", `line 6: component "alpha": tiers: "paas" is not one of`},
		{"no tier", "[functional]", "[]", `line 6: component "alpha": tiers: is missing`},
		{"an address without scheme", "https://git.example.org/alpha", "git.example.org/alpha", `line 8: component "alpha": repo: "git.example.org/alpha" is not an https address`},
		{"an address with a user", "https://git.example.org/alpha", "https://user:secret@git.example.org/alpha", `line 8: component "alpha": repo:`},
		{"a licence that is none", "Apache-2.0", "Apache 2", `line 9: component "alpha": licence: "Apache 2" is neither`},
		{"a licence beyond all bounds", "Apache-2.0", "MIT" + strings.Repeat(" OR MIT", 100), `line 9: component "alpha": licence: expression of`},
		{"a constraint that cannot be read", "\"<2.0\"", "\"=<2.0\"", `component "beta": licence_by_version: version constraint "=<2.0" is not * or bounds`},
		{"rows that overlap", "\">=2.0\"", "\">=1.9\"", `versions "<2.0" and ">=1.9" overlap`},
		{"a row that contradicts the list of licences", "licence: MIT, osi: true", "licence: MIT, osi: false", `says osi: false, but MIT is of class osi`},
		{"a row without source", "osi: true, source: LICENSE", "osi: true", `row "<2.0" has no source`},
		{"no rows", "licence: Apache-2.0", "licence: NOASSERTION", `component "alpha": licence_by_version: is empty while licence is NOASSERTION`},
		{"rows beside a licence", "licence: NOASSERTION", "licence: MIT", `is filled while licence is "MIT"`},
		{"governance of nobody", "part_of: alpha", "part_of: gamma", `component "beta": governance: part_of "gamma" is no other component`},
		{"an image with a tag", "[alpha,", "[\"alpha:1\",", `line 11: component "alpha": images: "alpha:1" is not an image name`},
		{"an image twice", "[alpha, example/alpha-worker]", "[alpha, alpha]", `line 11: component "alpha": images: "alpha" stands twice`},
		{"an edition without row", "edition: build, source: Containerfile", "edition: bild, source: Containerfile", `editions: edition "bild" has no row`},
		{"an edition of no image", "{images: [vendor/beta]", "{images: [vendor/gamma]", `image "vendor/gamma" of edition "build" is not listed`},
		{"a list where a value belongs", "  area: iaas", "  area: [iaas]", "line 7: want a single value"},
		{"a value where a list belongs", "tiers: [functional]", "tiers: functional", "line 6: want a list"},
		{"a value where keys belong", "governance: {foundation: none}", "governance: none", "line 10: want keys with values"},
		{"a null", "  area: iaas", "  area:", "line 7: want a single value"},
		{"a wrong type", "osi: true", "osi: perhaps", "line 20: cannot unmarshal"},
		{"an alias", "[functional]", "&t [functional]", "line 6: anchors and aliases are not allowed"},
		{"a profile without a reason", "  area: iaas", "  area: iaas\n  profile: library", `line 8: component "alpha": profile: is "library", but profile_reason does not say why`},
		{"a profile with a word for a reason", "  area: iaas", "  area: iaas\n  profile: library\n  profile_reason: it is quiet", `line 9: component "alpha": profile_reason: has fewer than 5 words`},
		{"a profile with a page for a reason", "  area: iaas", "  area: iaas\n  profile: library\n  profile_reason: " + strings.Repeat("because ", 100), `line 9: component "alpha": profile_reason: has 799 bytes`},
		{"a reason without a profile", "  area: iaas", "  area: iaas\n  profile_reason: it is a library that others load", `component "alpha": profile_reason: is filled, but no profile is chosen`},
		{"the usual profile", "  area: iaas", "  area: iaas\n  profile: service\n  profile_reason: it is what all the others are", `component "alpha": profile: "service" is what judges without this key; leave it out`},
		{"a profile that is no id", "  area: iaas", "  area: iaas\n  profile: My Own\n  profile_reason: it is what all the others are", `component "alpha": profile: "My Own" is not the id of a profile`},
		{"a second document", "  - {images: [vendor/beta], edition: build, source: Containerfile}\n", "---\na: 1\n", "want exactly one YAML document"},
		{"broken YAML", "[functional]", "[functional", "line "},
	} {
		if !strings.Contains(small, tt.old) {
			t.Fatalf("%s: %q is not part of the catalogue", tt.name, tt.old)
		}
		_, err := Read([]byte(strings.Replace(small, tt.old, tt.new, 1)))
		if err == nil {
			t.Errorf("%s: got no error, want %q", tt.name, tt.want)
		} else if got := err.Error(); !strings.HasPrefix(got, "reading catalogue: ") || !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
			t.Errorf("%s:\n got %q\nwant %q in one line", tt.name, got, tt.want)
		}
	}
}

func TestWhatIsNoCatalogueIsAnError(t *testing.T) {
	for name, data := range map[string]string{
		"nothing": "", "a comment": "# only\n", "a number": "1\n", "a list": "- 1\n", "no components": "schema: pegel/catalogue/v1\ncomponents: []\n",
		"binary": "\x00\x01\x02", "too much": strings.Repeat("#", maxCatalogue+1),
		"deep": "components: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		if _, err := Read([]byte(data)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestOnlySPDXExpressionsAreLicences(t *testing.T) {
	for s, want := range map[string]bool{
		"MIT": true, "Apache-2.0 OR GPL-2.0-only": true, "GPL-2.0-only WITH Linux-syscall-note": true, "(MIT OR ISC) AND BSD-3-Clause": true,
		"LicenseRef-RSALv2 OR SSPL-1.0": true, "GPL-2.0+": true, "((MIT))": true, "NOASSERTION": true,
		"": false, "Apache 2": false, "MIT OR": false, "OR MIT": false, "MIT AND AND ISC": false, "(MIT": false, "MIT)": false, "()": false, "(": false,
		"((((": false, "MIT WITH": false, "WITH": false, "MIT WITH MIT": false, "MIT ISC": false, "NOASSERTION OR MIT": false, "MIT+ +": false, "AND": false,
	} {
		if got := expression(s) == nil; got != want {
			t.Errorf("%q: got %t, want %t", s, got, want)
		}
	}
}

// The law: what was read can be written and read again, and is the same; its names lead back to it.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(strings.Replace(small, "platform", "building-block", 1)))
	f.Add([]byte("schema: pegel/catalogue/v1\ncomponents: [{id: a, name: \"A\\n\", role: platform, tiers: [base], area: x, repo: 'https://h/p', licence: MIT, governance: {foundation: f}}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(strings.Replace(small, "Apache-2.0", "(MIT OR (ISC", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Read(data)
		if err != nil {
			return
		}
		if c.Digest() != audit.DigestOf(data) {
			t.Errorf("digest: got %s", c.Digest())
		}
		again, err := yaml.Marshal(file{Schema, c.Standards(), c.Components()})
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(again)
		if err != nil {
			t.Fatalf("written and read again: %v\n%s", err, again)
		}
		for i, k := range d.Components() {
			if !reflect.DeepEqual(plain(k), plain(c.Components()[i])) {
				t.Errorf("got %+v, want %+v", k, c.Components()[i])
			}
			for _, name := range k.Images {
				if len(d.MatchImage(name)) == 0 {
					t.Errorf("image %q of %q matches nothing", name, k.ID)
				}
			}
		}
	})
}

// plain folds lists without items, which are written alike.
func plain(k Component) Component {
	v := reflect.ValueOf(&k).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
	return k
}
