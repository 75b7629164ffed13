package forgetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Description returns a published description of a service's interface, as make descriptions fetches it. Where it was not
// fetched the test is skipped by name; under CI=true it fails.
func Description(t testing.TB, file string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, ".descriptions", file))
	if err == nil {
		return data
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: run make descriptions (%v)", file, err)
	}
	t.Skipf("%s is missing: run make descriptions, which needs npm", file)
	return nil
}
