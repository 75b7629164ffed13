package scan

import (
	"cmp"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/anchore/syft/syft/source"
	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/sbom"
)

// scanImage reads the packages of one image from the layers of the store, which are read from the image where they are not
// known yet.
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
	p, err = s.packagesOf(ctx, l, chosen)
	if err != nil {
		return p, err
	}
	sum := sha512.Sum512(chosen.rawManifest)
	p.SHA512 = hex.EncodeToString(sum[:])
	p.Labels = labels(chosen.config.Config.Labels, chosen.manifest.Annotations)
	return p, nil
}

// packagesOf returns what is known of the packages of an image, or reads them.
func (s *Scanner) packagesOf(ctx context.Context, l layout, chosen selected) (sbom.Packages, error) {
	if p, known := s.memo.image(chosen.digest); known {
		for i, d := range chosen.manifest.Layers {
			if err := checkSize(l, d); err != nil {
				return p, fmt.Errorf("reading layer %d of %d, %s: %w", i+1, len(chosen.manifest.Layers), d.Digest, err)
			}
		}
		return p, nil
	}
	layers, release, err := s.layers(ctx, l, chosen)
	if err != nil {
		return sbom.Packages{}, err
	}
	defer release()
	tree, err := newTree(layers)
	if err != nil {
		return sbom.Packages{}, err
	}
	p, n, known := s.memo.find(tree)
	if !known {
		if p, err = s.readImage(ctx, l, chosen, tree); err != nil {
			return p, err
		}
		n = len(layers)
	}
	s.memo.saveImage(chosen.digest, layers, n)
	return p, nil
}

// layers returns the layers of an image, the lowest first, and what has to be called when they are needed no more. Layers
// that nobody read yet are read side by side.
func (s *Scanner) layers(ctx context.Context, l layout, chosen selected) (_ []*layer, release func(), err error) {
	descriptors, diffIDs := chosen.manifest.Layers, chosen.config.RootFS.DiffIDs
	if n := len(descriptors); n > s.limits.Layers {
		return nil, nil, fmt.Errorf("the image has %d layers, the limit is %d", n, s.limits.Layers)
	}
	if err := s.checkSpace(chosen); err != nil {
		return nil, nil, err
	}
	layers, releases := make([]*layer, len(descriptors)), make([]func(), len(descriptors))
	release = func() {
		for _, f := range releases {
			if f != nil {
				f()
			}
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	errs := make([]error, len(descriptors))
	for i, d := range descriptors {
		group.Go(func() error {
			if layers[i], releases[i], errs[i] = s.store.layer(ctx, l, d, diffIDs[i]); errs[i] != nil {
				errs[i] = fmt.Errorf("reading layer %d of %d, %s: %w", i+1, len(descriptors), d.Digest, errs[i])
			}
			return nil
		})
	}
	_ = group.Wait() // errors are kept by place, so that the lowest layer's is said whatever came first
	err = cmp.Or(errs...)
	if err == nil {
		err = s.checkSum(layers)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return layers, release, nil
}

// checkSum holds the layers of one image together to the limits that each was held to alone.
func (s *Scanner) checkSum(layers []*layer) error {
	var bytes int64
	entries := 0
	for _, l := range layers {
		bytes += l.bytes
		entries += len(l.entries)
	}
	switch {
	case bytes > s.limits.Bytes:
		return fmt.Errorf("the layers unpack to more than %d bytes, which no real layer does", s.limits.Bytes)
	case entries > s.limits.Entries:
		return fmt.Errorf("the layers have more than %d entries", s.limits.Entries)
	}
	return nil
}

// readImage reads the packages of a tree and keeps the result for the next image with the same layers.
func (s *Scanner) readImage(ctx context.Context, l layout, chosen selected, t *tree) (p sbom.Packages, err error) {
	contents := &layerContents{layers: t.layers, whole: func(i int) (*layer, error) {
		return s.store.whole(ctx, l, chosen.manifest.Layers[i], chosen.config.RootFS.DiffIDs[i])
	}}
	defer func() { err = errors.Join(err, contents.close()) }()
	v := newView(t)
	v.contents = contents.open
	v.layerID = func(n *node) string {
		if n.layer < 0 {
			return ""
		}
		return string(t.layers[n.layer].diffID)
	}
	v.desc = source.Description{ID: chosen.digest.String(), Name: "image", Metadata: source.ImageMetadata{
		ID: chosen.manifest.Config.Digest.String(), ManifestDigest: chosen.digest.String(), OS: chosen.config.OS, Architecture: chosen.config.Architecture,
	}}
	if p, err = s.catalogue(ctx, v); err != nil {
		return p, err
	}
	if !v.unsure {
		s.memo.save(t.layers, resultOf(v, p))
	}
	return p, nil
}

func openLayout(t sbom.Target) (layout, error) {
	if t.Form == FormOCIArchive {
		return openLayoutArchive(t.Path)
	}
	return openLayoutDir(t.Path)
}

// spaceFactor is how much room the kept contents of layers may need, as a multiple of the compressed layers: about one for
// Debian and kolla images, and as much again for layers of which more is asked than was kept.
const spaceFactor = 2

// checkSpace refuses to start where the contents of the layers that are not known yet cannot fit, rather than filling the disk.
func (s *Scanner) checkSpace(chosen selected) error {
	var compressed int64
	for i, d := range chosen.manifest.Layers {
		if d.Size < 0 || d.Size > s.limits.Bytes {
			return fmt.Errorf("reading manifest %s: layer %s has size %d, the limit is %d", chosen.digest, d.Digest, d.Size, s.limits.Bytes)
		}
		if !s.store.has(chosen.config.RootFS.DiffIDs[i]) {
			compressed += d.Size
		}
	}
	if compressed == 0 {
		return nil
	}
	free, err := s.freeSpace(s.work.dir)
	if err != nil {
		return fmt.Errorf("asking for free space in the temporary directory: %w", withoutPath(err))
	}
	if need := uint64(compressed) * spaceFactor; need > free {
		return fmt.Errorf("the temporary directory has %d MB free, about %d MB are needed: make room or choose another one by TMPDIR",
			free>>20, need>>20)
	}
	return nil
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
