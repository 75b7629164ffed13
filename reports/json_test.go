package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
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
		{"null in place of a list", func(m map[string]any) { m["drift"] = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := parsed(t, render(t, "json", releaseSample(24, 4))).(map[string]any)
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
	for name, typ := range map[string]reflect.Type{"report": reflect.TypeFor[Report](), "score": reflect.TypeFor[Scores]()} {
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
		if objects < 3 {
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
		if err == nil || !strings.Contains(err.Error(), "known are inventory, report, score") {
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
