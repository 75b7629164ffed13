package bundle

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// AddResult attaches a result to the bundle in dir, or replaces the one of the same kind and name. The inputs, and so the
// identity, stay as they are. The kind must be one of ResultKinds. index.json changes last; two processes must not attach
// to one bundle at the same time. A process that dies here leaves the old results in force and files that Verify calls
// stray; the next AddResult removes them.
func AddResult(dir, kind, name string, data []byte) error {
	if err := addResult(dir, kind, name, data); err != nil {
		return fmt.Errorf("attaching %s %q to bundle %q: %w", kind, name, dir, err)
	}
	return nil
}

func addResult(dir, kind, name string, data []byte) error {
	b, err := Open(dir)
	if err != nil {
		return err
	}
	e := tidy(Entry{Kind: kind, Name: name, Digest: audit.DigestOf(data), Size: int64(len(data)), MediaType: mediaTypeOf(name)})
	if err := checkResult(e); err != nil {
		return err
	}
	m, err := canonical(resultManifest(e, b.inputs))
	if err != nil {
		return err
	}
	results := slices.DeleteFunc(slices.Clone(b.results), func(r result) bool {
		return r.entry.Kind == e.Kind && r.entry.Name == e.Name
	})
	if len(results) >= maxResults {
		return fmt.Errorf("the bundle has %d results already, the most it can have", maxResults)
	}
	results = append(results, result{entry: e, manifest: describeBytes(manifestType, m)})
	slices.SortFunc(results, func(x, y result) int { return compare(x.entry, y.entry) })
	return b.attach(results, e, data, m)
}

// attach writes the new files, then the index, and then removes what no longer belongs to the bundle.
func (b *Bundle) attach(results []result, e Entry, data, manifestData []byte) error {
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	err = errors.Join(putBlob(root, e.Digest, data), putBlob(root, audit.DigestOf(manifestData), manifestData))
	if err != nil {
		return err
	}
	inputs := b.inputs
	inputs.ArtifactType = bundleType
	manifests := []descriptor{inputs}
	for _, r := range results {
		d := r.manifest
		d.ArtifactType = resultType(r.entry.Kind)
		d.Annotations = map[string]string{titleKey: title(map[string]bool{}, r.entry)}
		manifests = append(manifests, d)
	}
	if err := putIndex(root, manifests); err != nil {
		return err
	}
	after := *b
	after.results = results
	kept := map[audit.Digest]bool{}
	for d := range after.files() {
		kept[d] = true
	}
	return sweep(root, kept)
}

// Result returns the bytes of one result of the bundle in dir, checked against their digest. If there is none, the error
// is ErrNoResult.
func Result(dir, kind, name string) ([]byte, error) {
	b, err := Open(dir)
	if err != nil {
		return nil, err
	}
	for _, r := range b.results {
		if r.entry.Kind == kind && r.entry.Name == name {
			return b.Read(r.entry.Digest)
		}
	}
	return nil, fmt.Errorf("%w: %s %q", ErrNoResult, kind, name)
}

func mediaTypeOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return "application/json"
	case ".html":
		return "text/html"
	case ".txt", ".md":
		return "text/plain"
	}
	return "application/octet-stream"
}
