package pipeline

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pegel-audit/pegel/reports"
)

// validate checks a document against the schema that Pegel publishes for it.
func validate(t *testing.T, name string, data []byte) {
	t.Helper()
	raw := must(reports.SchemaOf(name))(t)
	schema := must(jsonschema.UnmarshalJSON(bytes.NewReader(raw)))(t)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled := must(c.Compile("schema.json"))(t)
	doc := must(jsonschema.UnmarshalJSON(bytes.NewReader(data)))(t)
	if err := compiled.Validate(doc); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// exampleCloud is the example in which documents and machines do not agree.
func exampleCloud(t *testing.T) Stack {
	t.Helper()
	return must(ReadStack(filepath.Join("..", "..", "..", "examples", "cloud", "stack.yaml")))(t)
}

func TestWhatInventoryAndDriftWriteFitsThePublishedSchemas(t *testing.T) {
	opt := Options{Now: truthNow, Offline: true}
	list := must(Inventory(t.Context(), exampleCloud(t), opt, ListingOptions{Sample: 2, Seed: "x"}))(t)
	validate(t, "inventory", list.JSON)
	drift := must(Drift(t.Context(), exampleCloud(t).Name, opt))(t)
	validate(t, "drift", drift.JSON)
	if list.Drifts != drift.Drifts || drift.Drifts == 0 {
		t.Errorf("certain differences: the inventory has %d, the drift %d, want the same and some", list.Drifts, drift.Drifts)
	}
	empty := exampleCloud(t)
	empty.Sources = empty.Sources[:1] // nothing runs, no host is known
	nothing := must(Inventory(t.Context(), empty, opt, ListingOptions{Sample: 2, Seed: "x"}))(t)
	validate(t, "inventory", nothing.JSON)
}

func TestTheExampleOfACloudShowsEachKindOfDifferenceOnceItWasMadeFor(t *testing.T) {
	var doc struct {
		Drift []struct{ Kind, Name, Open string }
	}
	drift := must(Drift(t.Context(), exampleCloud(t).Name, Options{Now: truthNow, Offline: true}))(t)
	if err := json.Unmarshal(drift.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, d := range doc.Drift {
		got[d.Kind+" "+d.Name] = true
	}
	for _, want := range []string{"contents glance-api", "older neutron-server", "older kubelet", "not-declared tools", "not-running skyline-apiserver", "unpinned tools", "end-of-life kubelet"} {
		if !got[want] {
			t.Errorf("no row %q in %v", want, got)
		}
	}
	for _, never := range []string{"older keystone", "contents keystone", "not-running keystone", "not-declared nova-api", "not-running cilium"} {
		if got[never] {
			t.Errorf("row %q, although it runs as declared", never)
		}
	}
}
