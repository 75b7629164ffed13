package scan

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
)

// Sizes of the JSON parts of a layout; registries refuse manifests above 4 MiB.
const (
	maxManifest       = 4 << 20
	maxConfig         = 16 << 20
	maxArchiveEntries = 100_000
	maxIndexDepth     = 3
)

// layout is an OCI image layout, whatever holds it.
type layout interface {
	// open returns the file of the layout, by its slash-separated name, and its size.
	open(name string) (io.ReadCloser, int64, error)
	io.Closer
}

// layoutDir is a layout in a directory. Links that leave the directory are refused by os.Root.
type layoutDir struct{ root *os.Root }

func openLayoutDir(dir string) (layout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, withoutPath(err)
	}
	return layoutDir{root}, nil
}

func (l layoutDir) open(name string) (io.ReadCloser, int64, error) {
	f, err := l.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.Join(errors.New("it is not a regular file"), f.Close())
	}
	return f, info.Size(), nil
}

func (l layoutDir) Close() error { return l.root.Close() }

// layoutArchive is a layout in a tar file: nothing is unpacked, files are read where they lie.
type layoutArchive struct {
	file  *os.File
	files map[string]*io.SectionReader
}

func openLayoutArchive(name string) (layout, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, withoutPath(err)
	}
	files, err := indexArchive(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return layoutArchive{file: f, files: files}, nil
}

func (l layoutArchive) open(name string) (io.ReadCloser, int64, error) {
	r, ok := l.files[name]
	if !ok {
		return nil, 0, errors.New("no such file in the archive")
	}
	return io.NopCloser(io.NewSectionReader(r, 0, r.Size())), r.Size(), nil
}

func (l layoutArchive) Close() error { return l.file.Close() }

// indexArchive notes where each regular file of the tar lies. Links are left out: a layout has none.
func indexArchive(f *os.File) (map[string]*io.SectionReader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if err := refuseCompressed(f); err != nil {
		return nil, err
	}
	files := map[string]*io.SectionReader{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the archive after %d files: %w; it is damaged or no tar file, copy it again", len(files), err)
		}
		if len(files) >= maxArchiveEntries {
			return nil, fmt.Errorf("the archive has more than %d files", maxArchiveEntries)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, fmt.Errorf("the archive has a sparse file %.200q: pack it without --sparse", h.Name)
			}
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		name := path.Clean("/" + h.Name)[1:]
		if _, twice := files[name]; twice {
			return nil, fmt.Errorf("the archive has two files %q", name)
		}
		if offset+h.Size > info.Size() {
			return nil, fmt.Errorf("reading the archive: %q: it ends after %d of %d bytes; the archive is cut off, copy it again",
				name, max(info.Size()-offset, 0), h.Size)
		}
		files[name] = io.NewSectionReader(f, offset, h.Size)
	}
	if len(files) == 0 {
		return nil, errors.New("the archive is empty")
	}
	return files, nil
}

// refuseCompressed names the remedy for a compressed archive: random access needs a plain tar.
func refuseCompressed(f *os.File) error {
	magic := make([]byte, 4)
	if _, err := f.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return withoutPath(err)
	}
	switch compressionOf(magic) {
	case "gzip":
		return errors.New(`the archive is compressed with gzip: unpack it with "gunzip" first`)
	case "zstd":
		return errors.New(`the archive is compressed with zstd: unpack it with "zstd -d" first`)
	}
	return nil
}

// selected is one image of a layout: verified manifest and configuration.
type selected struct {
	manifest    *v1.Manifest
	rawManifest []byte
	digest      v1.Hash
	config      *v1.ConfigFile
	rawConfig   []byte
}

// selectImage finds the image in the layout. With a digest, of a manifest or of an index, that one; else the only one, or
// the one for linux/amd64 where an index offers several platforms.
func selectImage(l layout, want audit.Digest) (selected, error) {
	if err := checkLayoutVersion(l); err != nil {
		return selected{}, err
	}
	raw, err := readAll(l, "index.json", maxManifest)
	if err != nil {
		return selected{}, err
	}
	var index v1.IndexManifest
	if err := decode(raw, &index); err != nil {
		return selected{}, fmt.Errorf("reading index.json: %w", err)
	}
	found, err := imagesOf(l, index.Manifests, want, want == "", maxIndexDepth)
	if err != nil {
		return selected{}, err
	}
	d, err := chooseImage(found, want)
	if err != nil {
		return selected{}, err
	}
	return readImage(l, d)
}

func checkLayoutVersion(l layout) error {
	raw, err := readAll(l, "oci-layout", 4<<10)
	if err != nil {
		return fmt.Errorf("it is no OCI image layout: %w", err)
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := decode(raw, &version); err != nil {
		return fmt.Errorf("reading oci-layout: %w", err)
	}
	if !strings.HasPrefix(version.Version, "1.") {
		return fmt.Errorf("reading oci-layout: imageLayoutVersion %q is not known, want 1.x", version.Version)
	}
	return nil
}

// imagesOf lists the image manifests, those in nested indexes too. Only what is or lies below the wanted digest counts.
func imagesOf(l layout, list []v1.Descriptor, want audit.Digest, inside bool, depth int) ([]v1.Descriptor, error) {
	if depth == 0 {
		return nil, fmt.Errorf("indexes are nested deeper than %d", maxIndexDepth)
	}
	var found []v1.Descriptor
	for _, d := range list {
		counts := inside || d.Digest.String() == string(want)
		switch {
		case d.MediaType.IsIndex():
			raw, err := readBlob(l, d, maxManifest)
			if err != nil {
				return nil, fmt.Errorf("reading index %s: %w", d.Digest, err)
			}
			var index v1.IndexManifest
			if err := decode(raw, &index); err != nil {
				return nil, fmt.Errorf("reading index %s: %w", d.Digest, err)
			}
			below, err := imagesOf(l, index.Manifests, want, counts, depth-1)
			if err != nil {
				return nil, err
			}
			found = append(found, below...)
		case counts && (d.MediaType.IsImage() || d.MediaType == "") && !isAttestation(d):
			found = append(found, d)
		}
	}
	return found, nil
}

// isAttestation recognises what BuildKit puts beside images: manifests without a file system.
func isAttestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] != "" || (d.Platform != nil && d.Platform.OS == "unknown")
}

func chooseImage(found []v1.Descriptor, want audit.Digest) (v1.Descriptor, error) {
	slices.SortStableFunc(found, func(a, b v1.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	found = slices.CompactFunc(found, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest })
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && want != "":
		return v1.Descriptor{}, fmt.Errorf("the layout has no image %s", want)
	case len(found) == 0:
		return v1.Descriptor{}, errors.New("the layout has no image")
	}
	var names []string
	for _, d := range found {
		if d.Platform != nil && d.Platform.OS == "linux" && d.Platform.Architecture == "amd64" && d.Platform.Variant == "" {
			return d, nil
		}
		names = append(names, d.Digest.String())
	}
	return v1.Descriptor{}, fmt.Errorf("the layout has %d images and none is for linux/amd64: name one by its digest: %s",
		len(found), strings.Join(names[:min(len(names), 8)], ", "))
}

func readImage(l layout, d v1.Descriptor) (selected, error) {
	raw, err := readBlob(l, d, maxManifest)
	if err != nil {
		return selected{}, fmt.Errorf("reading manifest %s: %w", d.Digest, err)
	}
	m := new(v1.Manifest)
	if err := decode(raw, m); err != nil {
		return selected{}, fmt.Errorf("reading manifest %s: %w", d.Digest, err)
	}
	rawConfig, err := readBlob(l, m.Config, maxConfig)
	if err != nil {
		return selected{}, fmt.Errorf("reading configuration %s: %w", m.Config.Digest, err)
	}
	if m.Config.MediaType != types.OCIConfigJSON && m.Config.MediaType != types.DockerConfigJSON {
		return selected{}, fmt.Errorf("reading manifest %s: it is no container image but a %q", d.Digest, m.Config.MediaType)
	}
	config := new(v1.ConfigFile)
	if err := decode(rawConfig, config); err != nil {
		return selected{}, fmt.Errorf("reading configuration %s: %w", m.Config.Digest, err)
	}
	if len(config.RootFS.DiffIDs) != len(m.Layers) {
		return selected{}, fmt.Errorf("reading configuration %s: it names %d layers, the manifest %d",
			m.Config.Digest, len(config.RootFS.DiffIDs), len(m.Layers))
	}
	return selected{manifest: m, rawManifest: raw, digest: d.Digest, config: config, rawConfig: rawConfig}, nil
}

// blobName is the file of a blob. Only SHA-256 and SHA-512 digests of the right form have one.
func blobName(h v1.Hash) (string, error) {
	length, known := map[string]int{"sha256": 64, "sha512": 128}[h.Algorithm]
	if _, err := hex.DecodeString(h.Hex); err != nil || !known || len(h.Hex) != length {
		return "", fmt.Errorf("digest %q is neither sha256 nor sha512", h.String())
	}
	return "blobs/" + h.Algorithm + "/" + h.Hex, nil
}

func readBlob(l layout, d v1.Descriptor, limit int64) ([]byte, error) {
	name, err := blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	raw, err := readAll(l, name, limit)
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(raw); d.Digest.Algorithm != "sha256" || hex.EncodeToString(got[:]) != d.Digest.Hex {
		return nil, errors.New("the contents do not match the digest: the image is damaged or was changed, copy it again")
	}
	return raw, nil
}

func readAll(l layout, name string, limit int64) ([]byte, error) {
	r, _, err := l.open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, withoutPath(err))
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("reading %s: it is larger than %d bytes", name, limit)
	}
	return raw, nil
}

// decode reads one JSON value. Unknown keys are allowed: annotations and extensions are part of the OCI formats.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

// withoutPath drops the path of this machine from a file error; the caller names the file in the target's own words.
func withoutPath(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
