package thirdparty_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestFixturesFollowTheSchemaOfOSV holds our records against the schema that the Go module of the OSV project brings.
func TestFixturesFollowTheSchemaOfOSV(t *testing.T) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/ossf/osv-schema@v1.9.0")
	cmd.Dir = t.TempDir() // outside our module, which does not need it
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	answer, err := cmd.Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(answer, &module)
	}
	if err != nil || module.Dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the module github.com/ossf/osv-schema cannot be had: %v", err)
		}
		t.Skipf("the module github.com/ossf/osv-schema cannot be had: %v", err)
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(module.Dir, "validation", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range fixtures() {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
