package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// published writes a small bundle and returns its inputs manifest and blobs, as a registry would hold them.
func published(t *testing.T) (inputs []byte, identity audit.Digest, fetch func(audit.Digest, int64) ([]byte, error)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	w, err := Create(dir, time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nova", "memcached"} {
		if _, err := w.Add(audit.Blob{Kind: "project-evidence", Name: name, MediaType: "application/json", Data: []byte(`{"project":"` + name + `"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if identity, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := AddResult(dir, "report", "report.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	read := func(d audit.Digest, _ int64) ([]byte, error) { return os.ReadFile(filepath.Join(dir, fileOf(d))) }
	inputs, err = read(b.inputs.Digest, 0)
	if err != nil {
		t.Fatal(err)
	}
	return inputs, identity, read
}

func TestABundleOfARegistryIsTheSameBundle(t *testing.T) {
	inputs, identity, fetch := published(t)
	dir := filepath.Join(t.TempDir(), "copy")
	if err := Import(dir, inputs, fetch); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.Identity() != identity || len(b.Blobs("project-evidence")) != 2 {
		t.Errorf("identity %s, want %s; %d documents", b.Identity(), identity, len(b.Blobs("project-evidence")))
	}
	if problems, err := Verify(dir); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v, %v", problems, err)
	}
	if err := Import(dir, inputs, fetch); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("a second import: %v", err)
	}
}

func TestWhatIsNoBundleIsNotImported(t *testing.T) {
	inputs, _, fetch := published(t)
	other := strings.ReplaceAll(string(inputs), bundleType, "application/vnd.example.chart")
	changed := func(d audit.Digest, n int64) ([]byte, error) {
		data, err := fetch(d, n)
		return append(data, ' '), err
	}
	absent := func(audit.Digest, int64) ([]byte, error) { return nil, errors.New("404") }
	for name, tt := range map[string]struct {
		inputs string
		fetch  func(audit.Digest, int64) ([]byte, error)
	}{
		"other artifact": {other, fetch}, "changed bytes": {string(inputs), changed}, "missing blob": {string(inputs), absent},
		"no json": {"<html>", fetch}, "empty": {"{}", fetch}, "path as digest": {strings.ReplaceAll(string(inputs), "sha256:", "sha256:../../"), fetch},
	} {
		dir := filepath.Join(t.TempDir(), "copy")
		if err := Import(dir, []byte(tt.inputs), tt.fetch); err == nil {
			t.Errorf("%s: imported", name)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the directory is still there", name)
		}
	}
}

func TestNothingIsFetchedOfABundleThatFillsTheDisk(t *testing.T) {
	layer := `{"mediaType":"application/json","digest":"sha256:` + strings.Repeat("a", 64) + `","size":1073741824}`
	inputs := `{"schemaVersion":2,"mediaType":"` + manifestType + `","artifactType":"` + bundleType + `","config":` + layer +
		`,"layers":[` + layer + strings.Repeat(","+layer, 16) + `]}`
	fetched := false
	dir := filepath.Join(t.TempDir(), "copy")
	err := Import(dir, []byte(inputs), func(audit.Digest, int64) ([]byte, error) { fetched = true; return nil, errors.New("offline") })
	if err == nil || fetched || !strings.Contains(err.Error(), "together") {
		t.Errorf("got %v, fetched %v; want an error before anything is fetched", err, fetched)
	}
}
