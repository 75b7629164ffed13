package scan

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/anchore/stereoscope/pkg/image"
	"github.com/anchore/syft/syft/source/stereoscopesource"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/sbom"
)

// scanImage unpacks one image into a directory of its own, which is gone when it returns, and reads its packages.
func (s *Scanner) scanImage(ctx context.Context, t sbom.Target) (p sbom.Packages, err error) {
	l, err := openLayout(t)
	if err != nil {
		return p, err
	}
	defer l.Close()
	chosen, err := selectImage(l, t.Artifact.Digest)
	if err != nil {
		return p, err
	}
	dir, err := s.work.scratch()
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := s.checkSpace(chosen, dir); err != nil {
		return p, err
	}
	u := unpacker{limits: s.limits, dir: dir}
	layers, err := u.layers(ctx, l, chosen)
	if err != nil {
		return p, err
	}
	img, err := readTrees(chosen, layers, dir)
	if err != nil {
		return p, err
	}
	p, err = s.catalogue(ctx, stereoscopesource.New(img, stereoscopesource.ImageConfig{Reference: chosen.digest.String()}))
	if err != nil {
		return p, err
	}
	sum := sha512.Sum512(chosen.rawManifest)
	p.SHA512 = hex.EncodeToString(sum[:])
	p.Labels = labels(chosen.config.Config.Labels, chosen.manifest.Annotations)
	return p, nil
}

func openLayout(t sbom.Target) (layout, error) {
	if t.Form == FormOCIArchive {
		return openLayoutArchive(t.Path)
	}
	return openLayoutDir(t.Path)
}

// spaceFactor is how much larger layers are when unpacked: 2.5 to 3 times for Debian and kolla images, and some room.
const spaceFactor = 4

// checkSpace refuses to start where the unpacked layers cannot fit, rather than filling the disk.
func (s *Scanner) checkSpace(chosen selected, dir string) error {
	var compressed int64
	for _, d := range chosen.manifest.Layers {
		if d.Size < 0 || d.Size > s.limits.Bytes {
			return fmt.Errorf("reading manifest %s: layer %s has size %d, the limit is %d", chosen.digest, d.Digest, d.Size, s.limits.Bytes)
		}
		compressed += d.Size
	}
	free, err := s.freeSpace(dir)
	if err != nil {
		return fmt.Errorf("asking for free space in the temporary directory: %w", withoutPath(err))
	}
	if need := uint64(compressed) * spaceFactor; need > free {
		return fmt.Errorf("the temporary directory has %d MB free, about %d MB are needed: make room or choose another one by TMPDIR",
			free>>20, need>>20)
	}
	return nil
}

// readTrees lets stereoscope index the unpacked layers and squash them into the visible file system.
func readTrees(chosen selected, layers []v1.Layer, dir string) (img *image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading the file tree: %v", r)
		}
	}()
	base, err := partial.CompressedToImage(imageCore{chosen})
	if err != nil {
		return nil, fmt.Errorf("reading the image: %w", err)
	}
	img = image.New(verifiedImage{Image: base, layers: layers}, nil, dir,
		image.WithManifestDigest(chosen.digest.String()), image.WithManifest(chosen.rawManifest))
	if err := img.Read(); err != nil {
		return nil, fmt.Errorf("reading the file tree: %w", err)
	}
	return img, nil
}

// verifiedImage is an image whose layers are unpacked already.
type verifiedImage struct {
	v1.Image
	layers []v1.Layer
}

func (i verifiedImage) Layers() ([]v1.Layer, error) { return i.layers, nil }

// imageCore serves the verified manifest and configuration.
type imageCore struct{ selected }

func (c imageCore) RawManifest() ([]byte, error)   { return c.rawManifest, nil }
func (c imageCore) RawConfigFile() ([]byte, error) { return c.rawConfig, nil }
func (c imageCore) MediaType() (types.MediaType, error) {
	if c.manifest.MediaType != "" {
		return c.manifest.MediaType, nil
	}
	return types.OCIManifestSchema1, nil
}
func (c imageCore) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	return nil, fmt.Errorf("layer %s is kept unpacked only", h)
}

// keptLabels are the labels and annotations that bear on licence, version or source. Authors, maintainers
// and vendors are not among them: they may name people.
func keptLabel(key string) bool {
	if rest, ok := strings.CutPrefix(key, "org.opencontainers.image."); ok {
		switch rest {
		case "licenses", "version", "source", "revision", "title", "url", "documentation", "base.name", "base.digest", "ref.name":
			return true
		}
		return false
	}
	if rest, ok := strings.CutPrefix(key, "org.label-schema."); ok {
		switch rest {
		case "license", "version", "vcs-url", "vcs-ref", "name", "url":
			return true
		}
		return false
	}
	switch key {
	case "name", "version", "license", "kolla_version", "kolla_distro_base", "kolla_distro_base_version":
		return true
	}
	return strings.HasPrefix(key, "de.osism.")
}

// maxLabel bounds a label; SPDX expressions and URLs stay far below.
const maxLabel = 512

// labels returns the labels of the configuration that count, and annotations of the manifest where no label says it.
func labels(sources ...map[string]string) map[string]string {
	var kept map[string]string
	for _, source := range sources {
		for k, v := range source {
			if _, known := kept[k]; known || !keptLabel(k) || v == "" || len(v) > maxLabel || hasAddress(v) {
				continue
			}
			if kept == nil {
				kept = map[string]string{}
			}
			kept[k] = v
		}
	}
	return kept
}
