package sbom_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// No package of the registries that tests may use carries the JSON schema of SPDX 3.0.1, and it is not ours to commit. So
// every document that a test writes is held against the table below, which lists what the model 3.0.1 says of the classes
// that are written here (which properties, how often, of which range), and against laws of the graph that no schema can
// say. Who has the schema (https://spdx.org/schema/3.0.1/spdx-json-schema.json) gives its file in PEGEL_SPDX_SCHEMA; then
// it is used as well.
const schemaVariable = "PEGEL_SPDX_SCHEMA"

func TestDocumentsAreHeldAgainstThePublishedSchemaOfSPDXWhereItIsAtHand(t *testing.T) {
	if os.Getenv(schemaVariable) == "" {
		t.Skipf("the JSON schema of SPDX 3.0.1 is in no package that tests can fetch; give its file in %s. The table of fields of the model was checked instead", schemaVariable)
	}
	data, _ := imageSPDX(t, keystone(), fullPackages(), options())
	bad := bytes.Replace(data, []byte(`"completeness":"complete"`), []byte(`"completeness":"perhaps"`), 1)
	schema, err := spdxSchema()
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(mustJSON(t, bad)) == nil {
		t.Error("the schema accepts a word that is in no vocabulary, so it checks nothing")
	}
}

var spdxSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	data, err := os.ReadFile(os.Getenv(schemaVariable))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(withoutLookahead)
	if err := c.AddResource("spdx.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("spdx.json")
})

// withoutLookahead compiles patterns; the one of the schema that Go's engine has no words for ("any IRI but a blank node")
// is matched by hand.
func withoutLookahead(pattern string) (jsonschema.Regexp, error) {
	if pattern == `^(?!_:).+:.+` {
		return anyIRI{regexp.MustCompile(`^.+:.+`)}, nil
	}
	return regexp.Compile(pattern)
}

type anyIRI struct{ *regexp.Regexp }

func (r anyIRI) MatchString(s string) bool {
	return !strings.HasPrefix(s, "_:") && r.Regexp.MatchString(s)
}

func mustJSON(t *testing.T, data []byte) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// field is what the model says of a property: how often it may stand, and what of.
type field struct {
	least int
	many  bool           // a list in JSON
	text  *regexp.Regexp // of a text or an address
	node  string         // class of an object written in place
	to    []string       // classes of the element that an address names; nil: any address
}

var (
	text     = regexp.MustCompile(`(?s)^.*$`)
	address  = regexp.MustCompile(`^(https?|urn):[^ "<>\\^{|}` + "`" + `]+$`)
	location = regexp.MustCompile(`^(https?|pkg|file):[^ "<>]+$`)
	stamp    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

func oneOf(words string) *regexp.Regexp {
	return regexp.MustCompile("^(" + strings.ReplaceAll(words, " ", "|") + ")$")
}

func one(least int, r *regexp.Regexp) field  { return field{least: least, text: r} }
func list(least int, r *regexp.Regexp) field { return field{least: least, many: true, text: r} }
func nodes(class string) field               { return field{many: true, node: class} }
func link(least int, many bool, to ...string) field {
	return field{least: least, many: many, text: address, to: to}
}

var (
	agents   = []string{"Organization", "SoftwareAgent"}
	licences = []string{"simplelicensing_LicenseExpression"}
	purposes = oneOf("application archive bom configuration container data device deviceDriver diskImage documentation evidence executable file filesystemImage firmware framework " +
		"install library manifest model module operatingSystem other patch platform requirement source specification test")
)

// model is the part of SPDX 3.0.1 that is written here: spdx-3-model at its tag 3.0.1, model/{Core,Software,SimpleLicensing,
// Extension}/Classes, and serialization/jsonld.
var model = map[string]map[string]field{
	"CreationInfo": {"@id": one(1, regexp.MustCompile(`^_:.+`)), "specVersion": one(1, oneOf("3.0.1")), "created": one(1, stamp), "createdBy": link(1, true, agents...), "createdUsing": link(0, true, "Tool")},
	"Organization": element(nil), "SoftwareAgent": element(nil), "Tool": element(nil),
	"SpdxDocument":  element(collection(map[string]field{"import": nodes("ExternalMap")})),
	"software_Sbom": element(collection(map[string]field{"software_sbomType": list(0, oneOf("design source build deployed runtime analyzed"))})),
	"software_Package": element(artifact(map[string]field{"name": one(1, text), "software_packageVersion": one(0, text), "software_homePage": one(0, address), "software_downloadLocation": one(0, location),
		"software_packageUrl": one(0, regexp.MustCompile(`^pkg:`))})),
	"software_File": element(artifact(map[string]field{"name": one(1, text)})),
	"Relationship": element(map[string]field{"from": link(1, false), "to": link(1, true), "completeness": one(0, oneOf("complete incomplete noAssertion")),
		"relationshipType": one(1, oneOf("contains dependsOn describes generates hasConcludedLicense hasDeclaredLicense hasDistributionArtifact other"))}),
	"simplelicensing_LicenseExpression":   element(map[string]field{"simplelicensing_licenseExpression": one(1, text), "simplelicensing_customIdToUri": nodes("DictionaryEntry")}),
	"simplelicensing_SimpleLicensingText": element(map[string]field{"simplelicensing_licenseText": one(1, text)}),
	"Hash":                                {"algorithm": one(1, oneOf("sha256 sha512")), "hashValue": one(1, regexp.MustCompile(`^([0-9a-f]{64}|[0-9a-f]{128})$`))},
	"ExternalIdentifier":                  {"externalIdentifierType": one(1, oneOf("cpe22 cpe23 email urlScheme")), "identifier": one(1, text)},
	"ExternalRef":                         {"externalRefType": one(0, oneOf("license other sourceArtifact")), "locator": list(0, address), "contentType": one(0, regexp.MustCompile(`^[^/]+/[^/]+$`))},
	"ExternalMap":                         {"externalSpdxId": one(1, address), "locationHint": one(0, address), "verifiedUsing": nodes("Hash")},
	"DictionaryEntry":                     {"key": one(1, regexp.MustCompile(`^(LicenseRef|AdditionRef)-[A-Za-z0-9.-]+$`)), "value": link(0, false, "simplelicensing_SimpleLicensingText")},
	"extension_CdxPropertiesExtension":    {"extension_cdxProperty": {least: 1, many: true, node: "extension_CdxPropertyEntry"}},
	"extension_CdxPropertyEntry":          {"extension_cdxPropName": one(1, text), "extension_cdxPropValue": one(0, text)},
}

func element(more map[string]field) map[string]field {
	return extend(more, map[string]field{"spdxId": one(1, address), "creationInfo": one(1, regexp.MustCompile(`^_:.+`)), "name": one(0, text), "description": one(0, text),
		"comment": one(0, text), "verifiedUsing": nodes("Hash"), "externalRef": nodes("ExternalRef"), "externalIdentifier": nodes("ExternalIdentifier"), "extension": nodes("extension_CdxPropertiesExtension")})
}

func collection(more map[string]field) map[string]field {
	return extend(more, map[string]field{"element": link(0, true), "rootElement": link(0, true), "profileConformance": list(0, oneOf("core software simpleLicensing extension"))})
}

func artifact(more map[string]field) map[string]field {
	return extend(more, map[string]field{"originatedBy": link(0, true, agents...), "suppliedBy": link(0, false, agents...), "software_primaryPurpose": one(0, purposes),
		"software_additionalPurpose": list(0, purposes)})
}

func extend(more, base map[string]field) map[string]field {
	for name, f := range more {
		base[name] = f
	}
	return base
}

// graph is a document as a test looks at it.
type graph struct {
	*testing.T
	elements []map[string]any
	class    map[string]string // by identifier
	imported map[string]bool
}

const terms = "https://spdx.org/rdf/3.0.1/terms/"

var individuals = map[string]string{terms + "Core/NoneElement": "none", terms + "Core/NoAssertionElement": "none", terms + "ExpandedLicensing/NoAssertionLicense": "simplelicensing_LicenseExpression"}

// checkGraph holds a document against the model, against the laws of a graph, and against the schema if it is at hand.
func checkGraph(t *testing.T, data []byte) graph {
	t.Helper()
	if os.Getenv(schemaVariable) != "" && len(data) < 1<<20 {
		schema, err := spdxSchema()
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(mustJSON(t, data)); err != nil {
			t.Errorf("the document breaks the schema of SPDX 3.0.1: %v", err)
		}
	}
	var doc struct {
		Context string           `json:"@context"`
		Graph   []map[string]any `json:"@graph"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.Context != "https://spdx.org/rdf/3.0.1/spdx-context.jsonld" {
		t.Errorf("@context = %q", doc.Context)
	}
	g := graph{T: t, elements: doc.Graph, class: map[string]string{}, imported: map[string]bool{}}
	for _, e := range g.elements {
		g.enter(e)
	}
	for _, e := range g.elements {
		g.object(e, fmt.Sprint(e["spdxId"]))
	}
	g.laws()
	return g
}

func (g graph) enter(e map[string]any) {
	g.Helper()
	id, _ := e["spdxId"].(string)
	if e["type"] == "CreationInfo" {
		id, _ = e["@id"].(string)
	}
	if g.class[id] != "" {
		g.Errorf("%s stands twice", id)
	}
	g.class[id], _ = e["type"].(string)
	imports, _ := e["import"].([]any)
	for _, i := range imports {
		g.imported[i.(map[string]any)["externalSpdxId"].(string)] = true
	}
}

// object checks one object against its class.
func (g graph) object(o map[string]any, where string) {
	g.Helper()
	class, _ := o["type"].(string)
	fields, ok := model[class]
	if !ok {
		g.Errorf("%s: class %q is not one that is written", where, class)
		return
	}
	for name, f := range fields {
		if _, ok := o[name]; !ok && f.least > 0 {
			g.Errorf("%s: %s has no %s", where, class, name)
		}
	}
	for name, value := range o {
		f, ok := fields[name]
		switch values, many := value.([]any); {
		case name == "type":
		case !ok:
			g.Errorf("%s: %s has no property %s", where, class, name)
		case many != f.many:
			g.Errorf("%s: %s is a list: %v, want %v", where, name, many, f.many)
		case many && len(values) == 0:
			g.Errorf("%s: %s is an empty list", where, name)
		case many:
			for _, v := range values {
				g.value(f, v, where+" "+name)
			}
		default:
			g.value(f, value, where+" "+name)
		}
	}
}

func (g graph) value(f field, value any, where string) {
	g.Helper()
	if f.node != "" {
		o, _ := value.(map[string]any)
		if o["type"] != f.node {
			g.Errorf("%s: holds %v, want a %s", where, value, f.node)
			return
		}
		g.object(o, where)
		return
	}
	s, ok := value.(string)
	if !ok || !f.text.MatchString(s) {
		g.Errorf("%s: %v does not fit %s", where, value, f.text)
	}
	if len(f.to) > 0 && !slices.Contains(f.to, g.class[s]) {
		g.Errorf("%s: %q is a %q, want one of %q", where, s, g.class[s], f.to)
	}
}

// laws checks what no schema says: every address leads somewhere, everything is reached from the root, every component
// says what it depends on, and licences that are on no list are explained.
func (g graph) laws() {
	g.Helper()
	reached, next := map[string]bool{}, map[string][]string{}
	dependencies := map[string]int{}
	for _, e := range g.elements {
		id := fmt.Sprint(e["spdxId"])
		for _, name := range []string{"from", "to", "rootElement", "element"} {
			for _, to := range texts(e[name]) {
				if g.class[to] == "" && individuals[to] == "" && !g.imported[to] {
					g.Errorf("%s: %s leads to %q, which is not there", id, name, to)
				}
			}
		}
		switch e["type"] {
		case "SpdxDocument", "software_Sbom":
			next["document"] = append(next["document"], texts(e["rootElement"])...)
			next["document"] = append(next["document"], id)
			if len(texts(e["rootElement"])) == 0 {
				g.Errorf("%s has no root", id)
			}
		case "Relationship":
			g.related(e, next, dependencies)
		case "simplelicensing_LicenseExpression":
			g.explained(e)
		}
	}
	for stack := []string{"document"}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !reached[at] {
			reached[at] = true
			stack = append(stack, next[at]...)
		}
	}
	for id, class := range g.class {
		if strings.HasPrefix(class, "software_") && !reached[id] {
			g.Errorf("%s is not reached from the root", id)
		}
		if _, name, _ := strings.Cut(id, "#"); strings.HasPrefix(name, "package:") && dependencies[id] != 1 {
			g.Errorf("%s has %d relationships that say what it depends on", id, dependencies[id])
		}
	}
}

func (g graph) related(e map[string]any, next map[string][]string, dependencies map[string]int) {
	g.Helper()
	from, to := e["from"].(string), texts(e["to"])
	for _, id := range to {
		if individuals[id] != "" && len(to) > 1 {
			g.Errorf("%s: %s stands beside others", e["spdxId"], id)
		}
	}
	switch e["relationshipType"] {
	case "contains", "hasDistributionArtifact":
		next[from] = append(next[from], to...)
	case "generates", "describes":
		for _, id := range to {
			next[id] = append(next[id], from)
		}
	case "dependsOn":
		dependencies[from]++
	case "hasConcludedLicense", "hasDeclaredLicense":
		if class := cmpOr(g.class[to[0]], individuals[to[0]]); len(to) != 1 || !slices.Contains(licences, class) {
			g.Errorf("%s: leads to %q of class %q, want one licence", e["spdxId"], to, class)
		}
	}
	if duplicates(to) {
		g.Errorf("%s: a target stands twice", e["spdxId"])
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func duplicates(list []string) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) != len(list)
}

func (g graph) explained(e map[string]any) {
	g.Helper()
	var keys []string
	custom, _ := e["simplelicensing_customIdToUri"].([]any)
	for _, c := range custom {
		keys = append(keys, c.(map[string]any)["key"].(string))
	}
	for _, word := range strings.FieldsFunc(e["simplelicensing_licenseExpression"].(string), func(r rune) bool { return strings.ContainsRune(" ()", r) }) {
		if (strings.HasPrefix(word, "LicenseRef-") || strings.HasPrefix(word, "AdditionRef-")) && !slices.Contains(keys, word) {
			g.Errorf("%s: %s is explained nowhere", e["spdxId"], word)
		}
	}
}

func texts(value any) []string {
	if s, ok := value.(string); ok {
		return []string{s}
	}
	var out []string
	many, _ := value.([]any)
	for _, v := range many {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
