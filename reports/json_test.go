package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	data, err := SchemaOf(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	url := "https://schema.invalid/" + name
	if err := c.AddResource(url, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parsed(t testing.TB, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEverySampleIsValidByThePublishedSchema(t *testing.T) {
	report, score := compiled(t, "report"), compiled(t, "score")
	for _, s := range samples() {
		if err := report.Validate(parsed(t, render(t, "json", s.report))); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		data, err := ScoreJSON(s.report.Projects)
		if err != nil {
			t.Fatal(err)
		}
		if err := score.Validate(parsed(t, data)); err != nil {
			t.Errorf("scores of %s: %v", s.name, err)
		}
	}
}

func TestTheSchemaRefusesWhatAReportIsNot(t *testing.T) {
	schema := compiled(t, "report")
	for _, c := range []struct {
		name   string
		change func(map[string]any)
	}{
		{"an unknown key at the top", func(m map[string]any) { m["surprise"] = 1 }},
		{"an unknown key in a finding", func(m map[string]any) { first(m, "findings")["surprise"] = 1 }},
		{"an unknown key in an origin", func(m map[string]any) {
			first(first(m, "artifacts"), "sightings")["origin"].(map[string]any)["surprise"] = 1
		}},
		{"an unknown fact", func(m map[string]any) { withFacts(m)["stars"] = 12 }},
		{"a fact of the wrong type", func(m map[string]any) { withFacts(m)["commits_12m"] = "many" }},
		{"a share beyond 10000", func(m map[string]any) {
			withFacts(m)["top_org_share"] = map[string]any{"low": 0, "high": 10001}
		}},
		{"a missing key at the top", func(m map[string]any) { delete(m, "policy") }},
		{"a missing outcome", func(m map[string]any) { delete(first(m, "findings"), "outcome") }},
		{"a missing count", func(m map[string]any) { delete(first(m, "verdicts")["counts"].(map[string]any), "dnf") }},
		{"another schema", func(m map[string]any) { m["schema"] = "pegel/report/v2" }},
		{"a word that is no outcome", func(m map[string]any) { first(m, "findings")["outcome"] = "GOOD" }},
		{"a score beyond 10000", func(m map[string]any) { first(first(m, "projects"), "aspects")["high"] = 10001 }},
		{"a fraction as a score", func(m map[string]any) { first(first(m, "projects"), "aspects")["low"] = 0.5 }},
		{"a digest that is none", func(m map[string]any) { m["evidence"].(map[string]any)["digest"] = "sha256:abc" }},
		{"a time that is none", func(m map[string]any) { m["assessed_at"] = "yesterday" }},
		{"a difference as a string", func(m map[string]any) { m["drift"] = []any{"x runs"} }},
		{"an unknown kind of difference", func(m map[string]any) { first(m, "drift")["kind"] = "odd" }},
		{"an unknown key in a side", func(m map[string]any) { first(m, "drift")["declared"].(map[string]any)["surprise"] = 1 }},
		{"a difference without detail", func(m map[string]any) { delete(first(m, "drift"), "detail") }},
		{"a missing count of coverage", func(m map[string]any) { delete(m["coverage"].(map[string]any), "running") }},
		{"null in place of a list", func(m map[string]any) { m["drift"] = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := releaseSample(24, 4)
			r.Drift = cloudSample().Drift
			v := parsed(t, render(t, "json", r)).(map[string]any)
			if err := schema.Validate(v); err != nil {
				t.Fatalf("the sample itself: %v", err)
			}
			c.change(v)
			if err := schema.Validate(v); err == nil {
				t.Error("got valid, want an error")
			}
		})
	}
}

func first(m map[string]any, key string) map[string]any { return m[key].([]any)[0].(map[string]any) }

func withFacts(m map[string]any) map[string]any {
	for _, p := range m["projects"].([]any) {
		if facts, ok := p.(map[string]any)["facts"].(map[string]any); ok {
			return facts
		}
	}
	panic("no project of the sample has facts")
}

// TestStructsAndSchemasNameTheSameKeys walks the Go types and the schema side by side.
func TestStructsAndSchemasNameTheSameKeys(t *testing.T) {
	for name, typ := range map[string]reflect.Type{
		"report": reflect.TypeFor[Report](), "score": reflect.TypeFor[Scores](), "operator": reflect.TypeFor[OperatorView](),
		"providers-table": reflect.TypeFor[Providers](), "explanation": reflect.TypeFor[Explanation](),
	} {
		data, err := SchemaOf(name)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		w := walker{t: t, defs: root["$defs"].(map[string]any), seen: map[reflect.Type]bool{}}
		w.compare(name, typ, root)
		if len(w.seen) < 5 {
			t.Errorf("%s: only %d types were compared", name, len(w.seen))
		}
	}
}

type walker struct {
	t    *testing.T
	defs map[string]any
	seen map[reflect.Type]bool
}

func (w walker) compare(at string, typ reflect.Type, schema map[string]any) {
	if ref, ok := schema["$ref"].(string); ok {
		w.compare(at, typ, w.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
		return
	}
	switch typ.Kind() {
	case reflect.Pointer:
		w.compare(at, typ.Elem(), schema)
		return
	case reflect.Slice:
		if schema["type"] != "array" {
			w.t.Errorf("%s: a list in Go, %v in the schema", at, schema["type"])
			return
		}
		w.compare(at+"[]", typ.Elem(), schema["items"].(map[string]any))
		return
	case reflect.Struct:
	default:
		return
	}
	if typ == reflect.TypeFor[time.Time]() || w.seen[typ] {
		return
	}
	w.seen[typ] = true
	props, _ := schema["properties"].(map[string]any)
	var keys, required []string
	for i := range typ.NumField() {
		tag := strings.Split(typ.Field(i).Tag.Get("json"), ",")
		keys = append(keys, tag[0])
		if len(tag) == 1 {
			required = append(required, tag[0])
		}
		if prop, ok := props[tag[0]].(map[string]any); ok {
			w.compare(at+"."+tag[0], typ.Field(i).Type, prop)
		}
	}
	same(w.t, at+": keys", keys, slices.Collect(maps.Keys(props)))
	var named []string
	for _, r := range schema["required"].([]any) {
		named = append(named, r.(string))
	}
	same(w.t, at+": required keys", required, named)
	if schema["additionalProperties"] != false {
		w.t.Errorf("%s: the schema allows unknown keys", at)
	}
}

// TestTheInventoryAndItsSchemaNameTheSameKeys reads the types from their source, since package reports may import neither
// package sbom nor the pipeline.
func TestTheInventoryAndItsSchemaNameTheSameKeys(t *testing.T) {
	types := structsOf(t, "../sbom/sbom.go", "../sbom/drift.go", "../sbom/completeness.go", "../sbom/repository.go", "../cmd/internal/pipeline/listing.go")
	data, err := SchemaOf("inventory")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	for typ, def := range map[string]string{
		"inventoryDocument": "", "Artifact": "artifact", "Sighting": "sighting", "Support": "support", "Expected": "expected", "Omission": "omission", "Failure": "failure",
		"Packages": "packages", "Drift": "drift", "Side": "drift_side", "Completeness": "completeness", "CrossChecked": "cross_checked", "Missing": "missing", "Sample": "sample",
		"Attested": "attested", "Quality": "quality", "OpenField": "open_field", "Repository": "repository",
	} {
		schema := root
		if def != "" {
			schema = defs[def].(map[string]any)
		}
		fields := types[typ]
		if len(fields) == 0 {
			t.Fatalf("type %s is not found", typ)
		}
		var keys, required []string
		for key, always := range fields {
			keys = append(keys, key)
			if always {
				required = append(required, key)
			}
		}
		props := schema["properties"].(map[string]any)
		same(t, typ+": keys", keys, slices.Collect(maps.Keys(props)))
		for _, name := range schema["required"].([]any) {
			if !slices.Contains(required, name.(string)) {
				t.Errorf("%s: the schema requires %s, which may be absent", typ, name)
			}
		}
		if schema["additionalProperties"] != false {
			t.Errorf("%s: the schema allows unknown keys", typ)
		}
	}
	coverage := structsOf(t, "report.go")["Coverage"]
	same(t, "Coverage: keys", slices.Collect(maps.Keys(coverage)), slices.Collect(maps.Keys(defs["coverage"].(map[string]any)["properties"].(map[string]any))))
}

// structsOf reads the JSON keys of each struct in Go files, with whether the key is always written; embedded structs are
// part of the outer one.
func structsOf(t *testing.T, files ...string) map[string]map[string]bool {
	t.Helper()
	out, embedded := map[string]map[string]bool{}, map[string][]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			typ, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			out[spec.Name.Name] = map[string]bool{}
			for _, field := range typ.Fields.List {
				if sel, ok := field.Type.(*ast.SelectorExpr); ok && len(field.Names) == 0 {
					embedded[spec.Name.Name] = append(embedded[spec.Name.Name], sel.Sel.Name)
				}
				if field.Tag == nil {
					continue
				}
				tag := strings.Split(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
				if tag[0] != "-" && tag[0] != "" {
					out[spec.Name.Name][tag[0]] = len(tag) == 1
				}
			}
			return true
		})
	}
	for outer, inner := range embedded {
		for _, name := range inner {
			maps.Copy(out[outer], out[name])
		}
	}
	return out
}

func TestAnInventoryOfEveryKindOfContentsIsValid(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	schema := compiled(t, "inventory")
	origin := `{"source":"containers","path":"ctl01.json","line":3,"digest":"` + digest + `","at":"2026-11-23T00:00:00Z"}`
	valid := `{"schema":"pegel/inventory/v1",
"artifacts":[{"id":"image:` + digest + `","kind":"image","name":"keystone","digest":"` + digest + `","digests":["` + digest + `"],"config":"` + digest + `","replicas":3,"by_name":true,
  "support":{"cycle":"OpenStack 2024.2","ends":"2026-04-01","source":"releases.openstack.org"},
  "sightings":[{"source":"containers","where":"ctl01.json","state":"running","hosts":["ctl01"],"namespace":"n","workload":"w","replicas":1,"origin":` + origin + `}]}],
"expected":[{"kind":"service","name":"nova","groups":["enabled"],"list":"configuration","where":"a.yml","known":true,"origin":` + origin + `}],
"omitted":[{"source":"kubernetes east","what":"pods","why":"namespaces that match customer-*","count":41}],
"packages":[{"schema":"pegel/packages/v1","artifact":"host:ctl01","os":"debian 12","tool":"pegel","components":{"value":[{"ref":"pkg:deb/a@1","type":"deb","name":"a","version":"1","a_key_of_tomorrow":1}]}},
  {"schema":"pegel/packages/v1","artifact":"host:ctl02","components":{"failure":"no answer","settle":"read it"}}],
"attested":[{"artifact":"image:x","format":"CycloneDX 1.6","components":2,"purls":["pkg:deb/a@1"],"origin":` + origin + `}],
"repositories":[{"host":"ctl01","kind":"apt","address":"https://ftp.debian.org/debian","suite":"bookworm","areas":["main"],"vendor":"distribution (Debian)","origin":` + origin + `}],
"failures":[{"source":"containers x.json","reason":"line 3"}],
"drift":[{"kind":"older","artifact":"image:x","name":"x","detail":"x runs","open":"2 hosts were not read","declared":{"where":["a"],"origins":[` + origin + `]},"running":{"artifact":"image:x","version":"1","where":["b"]}}],
"undecided":"nothing was seen running",
"completeness":{"hosts":{"lists":["Ansible inventory"],"expected":2,"seen":1,"missing":[{"name":"ctl02","list":"Ansible inventory","where":"hosts.yml"}]},"services":{"expected":0,"seen":0},"ignored":["x"]},
"sample":{"seed":"a","of":2,"hosts":["ctl01"]}}`
	if err := schema.Validate(parsed(t, []byte(valid))); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a difference as a string":   {`"drift":[{`, `"drift":["x runs",{`},
		"a kind that is none":        {`"kind":"older"`, `"kind":"odd"`},
		"a state that is none":       {`"state":"running"`, `"state":"dancing"`},
		"an unknown key of a side":   {`"where":["b"]`, `"where":["b"],"surprise":1`},
		"an expected thing":          {`"kind":"service"`, `"kind":"thing"`},
		"packages of another schema": {`"pegel/packages/v1","artifact":"host:ctl02"`, `"pegel/packages/v2","artifact":"host:ctl02"`},
		"a component without a name": {`"name":"a",`, ``},
		"a count below nothing":      {`"count":41`, `"count":-1`},
		"a sample without its seed":  {`"seed":"a",`, ``},
	} {
		text := strings.Replace(valid, change[0], change[1], 1)
		if text == valid {
			t.Fatalf("%s: nothing was changed", name)
		}
		if schema.Validate(parsed(t, []byte(text))) == nil {
			t.Errorf("%s: got valid, want an error", name)
		}
	}
}

func same(t *testing.T, what string, goKeys, schemaKeys []string) {
	t.Helper()
	slices.Sort(goKeys)
	slices.Sort(schemaKeys)
	if !slices.Equal(goKeys, schemaKeys) {
		t.Errorf("%s: Go has %v, the schema has %v", what, goKeys, schemaKeys)
	}
}

func TestEverySchemaObjectRefusesUnknownKeys(t *testing.T) {
	for _, name := range SchemaNames() {
		data, err := SchemaOf(name)
		if err != nil {
			t.Fatal(err)
		}
		var root any
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		objects := 0
		eachObject(root, func(o map[string]any) {
			objects++
			if o["additionalProperties"] == nil {
				t.Errorf("%s: an object allows unknown keys: %v", name, o["description"])
			}
		})
		if objects < 2 {
			t.Errorf("%s: only %d objects found", name, objects)
		}
		compiled(t, name)
	}
}

func eachObject(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if v["type"] == "object" {
			f(v)
		}
		for _, inner := range v {
			eachObject(inner, f)
		}
	case []any:
		for _, inner := range v {
			eachObject(inner, f)
		}
	}
}

func TestASchemaIsFoundByEachOfItsNames(t *testing.T) {
	want, err := SchemaOf("report")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report.v1", "pegel/report/v1"} {
		got, err := SchemaOf(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got another file or an error: %v", name, err)
		}
	}
	for _, name := range []string{"", "reports", "../report", "pegel/report/v2", "."} {
		_, err := SchemaOf(name)
		if err == nil || !strings.Contains(err.Error(), "known are calibration, drift, explanation, inventory, limiting, operator, policy-diff, providers-table, report, sbom-check, score") {
			t.Errorf("%q: got %v, want an error that lists the known names", name, err)
		}
	}
}

func TestDecodingAndEncodingAReportGivesTheSameBytes(t *testing.T) {
	for _, s := range samples() {
		want := render(t, "json", s.report)
		var back Report
		dec := json.NewDecoder(bytes.NewReader(want))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&back); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := render(t, "json", back); !bytes.Equal(got, want) {
			t.Errorf("%s: the bytes differ after decoding and encoding", s.name)
		}
	}
}

func TestTimesAreWrittenInUTC(t *testing.T) {
	r := emptySample()
	r.AssessedAt = time.Date(2026, 11, 23, 1, 0, 0, 0, time.FixedZone("east", 3600))
	if got := string(render(t, "json", r)); !strings.Contains(got, `"assessed_at":"2026-11-23T00:00:00Z"`) {
		t.Errorf("got %s", got)
	}
}

func FuzzAnyNameSurvivesJSON(f *testing.F) {
	for _, s := range []string{"keystone", "</script>", "\x1b[2J", "a\u2028b", "\xff", `"\u0000`, "☃", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := emptySample()
		r.Subject.Name = s
		r.Drift = []Drift{{Kind: "older", Artifact: s, Name: s, Detail: s, Running: &DriftSide{Where: []string{s}}}}
		data := render(t, "json", r)
		var back Report
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("decoding: %v", err)
		}
		want := strings.ToValidUTF8(s, "\uFFFD")
		if fmt.Sprint(len([]rune(back.Subject.Name))) != fmt.Sprint(len([]rune(s))) || want == s && back.Subject.Name != s {
			t.Errorf("got %q, want %q", back.Subject.Name, s)
		}
		if again := render(t, "json", back); !bytes.Equal(again, data) {
			t.Errorf("encoding again differs: %s, want %s", again, data)
		}
	})
}
