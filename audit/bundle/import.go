package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pegel-audit/pegel/audit"
)

// maxImport bounds the bytes of all blobs of a bundle that is taken from a registry; the recorded evidence of 147 projects has 5 MB.
const maxImport = 16 << 30

// Import writes the inputs of a bundle that a registry holds into a new directory, so that Open reads it. In comes the
// inputs manifest as the registry has it, and a function that fetches a blob by digest and size. Bytes that do not match
// their digest are refused, and so is a manifest of anything else. The directory must not exist; after an error it does
// not exist either. Results attached to the bundle are not fetched: whoever needs one reads it by itself.
func Import(dir string, inputs []byte, fetch func(d audit.Digest, size int64) ([]byte, error)) (err error) {
	var m manifest
	if len(inputs) > maxManifest {
		return fmt.Errorf("the manifest has more than %d bytes", maxManifest)
	}
	if err := checkShape(inputs); err != nil {
		return fmt.Errorf("reading the manifest of a bundle: %w", err)
	}
	if err := json.Unmarshal(inputs, &m); err != nil {
		return fmt.Errorf("reading the manifest of a bundle: %w", err)
	}
	if m.ArtifactType != bundleType || len(m.Layers) == 0 {
		return fmt.Errorf("%w: the artifact has type %q, a bundle of evidence has %q", ErrNoBundle, m.ArtifactType, bundleType)
	}
	if len(m.Layers) > maxEntries {
		return fmt.Errorf("the manifest lists more than %d blobs", maxEntries)
	}
	var all int64
	for _, d := range m.Layers {
		if d.Size < 0 || d.Size > MaxBlob {
			break // importBlob says which
		}
		if all += d.Size; all > maxImport {
			return fmt.Errorf("the manifest lists blobs of more than %d bytes together", int64(maxImport))
		}
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is in the way", filepath.Base(dir))
	}
	if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(blobDir)), 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, root.Close()); err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	for _, d := range append([]descriptor{m.Config}, m.Layers...) {
		if err := importBlob(root, d, fetch); err != nil {
			return err
		}
	}
	if err := putBlob(root, audit.DigestOf(inputs), inputs); err != nil {
		return err
	}
	if err := putFile(root, layoutFile, []byte(`{"imageLayoutVersion":"`+layoutVersion+`"}`)); err != nil {
		return err
	}
	if err := putFile(root, verifyFile, howToVerify(m.Layers[0].Digest)); err != nil {
		return err
	}
	return putIndex(root, []descriptor{inIndex(m, inputs)})
}

func importBlob(root *os.Root, d descriptor, fetch func(audit.Digest, int64) ([]byte, error)) error {
	if _, err := audit.ParseDigest(string(d.Digest)); err != nil || d.Size < 0 || d.Size > MaxBlob {
		return fmt.Errorf("the manifest names a blob %q of %d bytes, which no bundle has", clipName(string(d.Digest)), d.Size)
	}
	if string(d.Digest) == string(audit.DigestOf([]byte(emptyConfig))) {
		return putBlob(root, d.Digest, []byte(emptyConfig))
	}
	data, err := fetch(d.Digest, d.Size)
	if err != nil {
		return fmt.Errorf("fetching blob %s: %w", d.Digest, err)
	}
	if int64(len(data)) != d.Size || audit.DigestOf(data) != d.Digest {
		return fmt.Errorf("fetching blob %s: the bytes do not match the digest", d.Digest)
	}
	return putBlob(root, d.Digest, data)
}

func clipName(s string) string { return s[:min(len(s), 80)] }
