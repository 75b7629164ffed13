package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/scan"
)

// Shape of the synthetic stack: every image has the lowest shared layer, nine other shared ones, and one of its own.
const (
	sharedLayers   = 50
	layersPerImage = 10
	packagesEach   = 8       // debs that a layer brings
	libraryBytes   = 1 << 20 // of machine code in a layer: random, so that it does not compress away
)

// syntheticJob makes a stack of images below a temporary directory and scans it in one process. args: number of images.
// The phases are "making" and "scanning".
func syntheticJob(ctx context.Context, args []string) (phases []phase, err error) {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "pegel-measure-synthetic-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	var layouts []string
	made, err := timed("making", func() (err error) {
		layouts, err = syntheticStack(temp, count)
		return err
	})
	if err != nil {
		return nil, err
	}
	scanned, err := timed("scanning", func() error {
		s, err := scan.New(scan.Options{TempDir: temp, Depth: sbom.DepthEntries})
		if err != nil {
			return err
		}
		return errors.Join(scanAll(ctx, s, layouts), s.Close())
	})
	return []phase{made, scanned}, err
}

// layer is one packed layer.
type layer struct {
	packages []int // numbers of the debs that it brings
	blob     v1.Descriptor
	diffID   v1.Hash
	file     string
}

// syntheticStack writes count layouts below dir and returns their directories. Blobs of shared layers are hard links.
func syntheticStack(dir string, count int) ([]string, error) {
	shared := make([]layer, sharedLayers)
	for i := range shared {
		var err error
		if shared[i], err = writeLayer(dir, i, nil); err != nil {
			return nil, err
		}
	}
	var layouts []string
	for i := range count {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		chosen := []layer{shared[0]}
		for _, n := range random.Perm(sharedLayers - 1)[:layersPerImage-1] {
			chosen = append(chosen, shared[n+1])
		}
		own, err := writeLayer(dir, sharedLayers+i, chosen)
		if err != nil {
			return nil, err
		}
		layout := filepath.Join(dir, fmt.Sprintf("image-%03d", i))
		if err := writeLayout(layout, append(chosen, own)); err != nil {
			return nil, err
		}
		layouts = append(layouts, layout)
	}
	return layouts, nil
}

// writeLayer writes layer number n. Its dpkg status lists its own debs and those of the layers below.
func writeLayer(dir string, n int, below []layer) (layer, error) {
	l := layer{file: filepath.Join(dir, fmt.Sprintf("layer-%03d", n))}
	random := rand.New(rand.NewPCG(uint64(n), 2))
	for i := range packagesEach {
		l.packages = append(l.packages, n*packagesEach+i)
	}
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	put := func(name string, mode int64, data []byte) error {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	var status strings.Builder
	for _, b := range append(below, l) {
		for _, p := range b.packages {
			fmt.Fprintf(&status, "Package: package-%d\nStatus: install ok installed\nMaintainer: Example Packagers <packagers@lists.example.org>\n"+
				"Architecture: amd64\nVersion: 1.%d-1\nSection: libs\nDescription: synthetic\n\n", p, p)
		}
	}
	library := make([]byte, libraryBytes)
	for i := 0; i < len(library); i += 8 {
		copy(library[i:], fmt.Appendf(nil, "%08x", random.Uint32()))
	}
	copy(library, "\x7fELF\x02\x01\x01")
	err := errors.Join(
		put("etc/os-release", 0o644, []byte("ID=debian\nVERSION_ID=\"12\"\n")),
		put("var/lib/dpkg/status", 0o644, []byte(status.String())),
		put(fmt.Sprintf("usr/lib/library-%d.so", n), 0o755, library))
	for _, p := range l.packages {
		err = errors.Join(err,
			put(fmt.Sprintf("usr/share/doc/package-%d/copyright", p), 0o644, fmt.Appendf(nil,
				"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: Example Organisation %d\nLicense: Expat\n", p)),
			put(fmt.Sprintf("var/lib/dpkg/info/package-%d.list", p), 0o644, fmt.Appendf(nil, "/.\n/usr/lib/library-%d.so\n", n)))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return l, err
	}
	return l, l.pack(plain.Bytes())
}

// pack writes the compressed layer and notes both digests.
func (l *layer) pack(plain []byte) error {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := z.Write(plain); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	l.diffID = digestOf(plain)
	l.blob = v1.Descriptor{MediaType: types.OCILayer, Size: int64(packed.Len()), Digest: digestOf(packed.Bytes())}
	return os.WriteFile(l.file, packed.Bytes(), 0o600)
}

func digestOf(data []byte) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(data))}
}

// writeLayout writes an OCI layout with one image of the layers.
func writeLayout(dir string, layers []layer) error {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		return err
	}
	config := v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for _, l := range layers {
		if err := os.Link(l.file, blobFile(dir, l.blob.Digest)); err != nil {
			return err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		manifest.Layers = append(manifest.Layers, l.blob)
	}
	var err error
	if manifest.Config, err = writeBlob(dir, types.OCIConfigJSON, config); err != nil {
		return err
	}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	d, err := writeBlob(dir, types.OCIManifestSchema1, manifest)
	if err != nil {
		return err
	}
	index.Manifests = []v1.Descriptor{d}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "index.json"), raw, 0o600),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
}

func writeBlob(dir string, media types.MediaType, value any) (v1.Descriptor, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d := v1.Descriptor{MediaType: media, Size: int64(len(raw)), Digest: digestOf(raw)}
	return d, os.WriteFile(blobFile(dir, d.Digest), raw, 0o600)
}
