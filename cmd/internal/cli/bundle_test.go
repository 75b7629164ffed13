package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/cmd/internal/cli"
	"github.com/pegel-audit/pegel/reports"
)

// run calls the program in this process.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cache := t.TempDir()
	code = cli.Main(args, cli.World{
		Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string { return map[string]string{"PEGEL_CACHE_DIR": cache}[name] },
		Now:    func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	})
	return code, out.String(), errs.String()
}

// smallStack writes a stack whose bundle has every kind of blob that this version gathers.
func smallStack(t *testing.T) (stack string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"stack.yaml": `schema: pegel/stack/v1
subject: {name: small, kind: release, exposure: public}
scopes: [scs-open-iaas, scs-sovereign-iaas]
at: 2026-07-01
sources:
  - osism: {release: ./release/1.0.0}
  - sbom: {file: ./vendor.cdx.json, tier: functional}
`,
		"release/1.0.0/base.yml": "docker_images:\n  redis: 7.4.2-alpine\n",
		"vendor.cdx.json": `{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
			"metadata": {"component": {"type": "application", "name": "portal", "version": "1.0", "bom-ref": "root"}},
			"components": [{"type": "library", "bom-ref": "a", "name": "left", "version": "1", "purl": "pkg:npm/left@1", "licenses": [{"expression": "MIT"}]}]}`,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "stack.yaml")
}

func TestAChangedByteInAnyKindOfBlobEndsWithExitCode4AndNamesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	if code, _, errs := run(t, "audit", smallStack(t), "--offline", "--bundle", dir, "-o", "json="+filepath.Join(t.TempDir(), "r.json")); code != 1 {
		t.Fatalf("audit: exit code %d, want 1\n%s", code, errs)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries := append(slices.Clone(b.Evidence().Blobs), b.Results()...)
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Kind] || e.Withheld != "" {
			continue
		}
		seen[e.Kind] = true
		file := filepath.Join(dir, "blobs", "sha256", e.Digest.Hex())
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(whole)
		changed[len(changed)/2] ^= 1
		if err := os.WriteFile(file, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, _ := run(t, "verify", dir)
		if code != 4 || !strings.Contains(out, e.Kind) || !strings.Contains(out, e.Digest.Hex()) {
			t.Errorf("%s: verify ended with %d and said %q; want 4, kind and digest", e.Kind, code, out)
		}
		if decides := e.Kind != "report"; decides {
			code, _, errs := run(t, "evaluate", dir)
			if code != 4 || !strings.Contains(errs, e.Kind) {
				t.Errorf("%s: evaluate ended with %d and said %q; want 4 and the kind", e.Kind, code, errs)
			}
		}
		if err := os.WriteFile(file, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"stack", "inventory", "packages", "projects", "project-evidence", "policy", "sbom", "raw", "report"} {
		if !seen[kind] {
			t.Errorf("the bundle has no blob of kind %q to change", kind)
		}
	}
	if code, out, _ := run(t, "verify", dir); code != 0 {
		t.Errorf("restored bundle: verify ended with %d and said %q", code, out)
	}
}

func TestTwoRunsGiveTheSameBundleAndTheSameReportWhereverTheyRun(t *testing.T) {
	one, two := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "other", "b")
	first, second := smallStack(t), smallStack(t)
	if err := os.MkdirAll(filepath.Dir(two), 0o755); err != nil {
		t.Fatal(err)
	}
	_, idOne, _ := run(t, "collect", first, "--offline", "--bundle", one)
	_, idTwo, _ := run(t, "collect", second, "--offline", "--bundle", two)
	if a, b, _ := strings.Cut(idOne, " "); a == "" || !strings.HasPrefix(idTwo, a+" ") {
		t.Errorf("identities differ: %q and %q (%s)", idOne, idTwo, b)
	}
	_, reportOne, _ := run(t, "evaluate", one, "-o", "json=-")
	_, reportTwo, _ := run(t, "evaluate", two, "-o", "json=-")
	if reportOne == "" || reportOne != reportTwo {
		t.Error("the reports of two equal bundles differ")
	}
	for _, path := range []string{filepath.Dir(first), filepath.Dir(one)} {
		err := filepath.WalkDir(one, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			if bytes.Contains(data, []byte(path)) {
				t.Errorf("%s holds the path %s of this machine", name, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatThePipelineWritesFitsThePublishedSchemas(t *testing.T) {
	stack := smallStack(t)
	dir := filepath.Join(t.TempDir(), "b")
	run(t, "collect", stack, "--offline", "--bundle", dir)
	_, public, _ := run(t, "evaluate", dir, "-o", "json=-")
	_, full, _ := run(t, "evaluate", dir, "-o", "json=-", "--full")
	_, inventory, _ := run(t, "inventory", stack, "-o", "json=-")
	for name, c := range map[string]struct{ schema, text string }{
		"public report": {"report", public}, "full report": {"report", full}, "inventory": {"inventory", inventory},
	} {
		if err := validate(t, c.schema, c.text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := strings.Replace(public, `"assessed_at"`, `"assessed_on"`, 1)
	if validate(t, "report", broken) == nil {
		t.Error("the schema accepts a report with a wrong key")
	}
}

func validate(t *testing.T, name, text string) error {
	t.Helper()
	raw, err := reports.SchemaOf(name)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s is no JSON: %v", name, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}
