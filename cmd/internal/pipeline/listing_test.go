package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
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

func TestTheInventoryFileOfAHostIsReadBackByACentralRun(t *testing.T) {
	dir := tree(t, map[string]string{
		"root/etc/os-release":      "ID=debian\nVERSION_ID=\"12\"\n",
		"root/var/lib/dpkg/status": debian("bash", "5.2.15-2+b8")["var/lib/dpkg/status"],
	})
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	text := "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nsources:\n- host: {root: ./root, name: ctl-01}\n"
	stack := must(ParseStack([]byte(text), "stack.yaml"))(t)
	stack.Dir = dir
	g := must(prepare(stack, Options{Now: truthNow, At: at, Offline: true, TempDir: t.TempDir()}))(t)
	written := must(g.host(t.Context(), nil))(t)
	validate(t, "inventory", written.JSON)
	if err := os.WriteFile(filepath.Join(dir, "ctl-01.json"), written.JSON, 0o644); err != nil {
		t.Fatal(err)
	}
	r := judgeStack(t, "sources:\n- inventory: {file: ./ctl-01.json}\n", func(d string) {
		data := must(os.ReadFile(filepath.Join(dir, "ctl-01.json")))(t)
		if err := os.WriteFile(filepath.Join(d, "ctl-01.json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	})
	if len(r.Artifacts) == 0 || r.Artifacts[0].Name != "ctl-01" || r.Artifacts[0].Packages == nil || *r.Artifacts[0].Packages != 1 {
		t.Errorf("artifacts %+v, want the host with one package", r.Artifacts)
	}
}

func TestAHostReadsTheContentsOfItsImagesOnlyIfItIsAsked(t *testing.T) {
	inv := sbom.Inventory{Artifacts: []sbom.Artifact{{ID: "host:h", Kind: sbom.KindHost}, {ID: "image:x", Kind: sbom.KindImage}}}
	for images, want := range map[bool]int{false: 1, true: 2} {
		g := &gatherer{opt: Options{HostImages: images}}
		if got := g.ofInterest(inv).Artifacts; len(got) != want || got[0].ID != "host:h" {
			t.Errorf("images %v: got %d artifacts, want %d", images, len(got), want)
		}
	}
	if len(inv.Artifacts) != 2 {
		t.Error("the inventory that was given changed")
	}
}
