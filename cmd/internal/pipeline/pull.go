package pipeline

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
)

// registryPrefix marks a bundle that a registry holds: oci:registry.example.org/evidence:2026-08.
const registryPrefix = "oci:"

// pulled returns the directory of a bundle of recorded evidence; one in a registry is copied into the cache first. A
// copy is found again by the digest of its manifest; a tag is resolved anew by each run that may ask.
func (g *gatherer) pulled(ctx context.Context, where string) (string, error) {
	text, ok := strings.CutPrefix(where, registryPrefix)
	if !ok {
		return where, nil
	}
	if info, err := os.Stat(text); err == nil && info.IsDir() {
		return text, nil // an OCI layout on this machine, as in oci:./evidence
	}
	wrong := func(err error) (string, error) { return "", fmt.Errorf("reading recorded evidence %q: %w", where, err) }
	ref, err := name.ParseReference(text)
	if err != nil {
		return "", usagef("give a directory, or oci:REGISTRY/NAME:TAG", "reading recorded evidence %q: %w", where, err)
	}
	if g.opt.CacheDir == "" {
		return wrong(fmt.Errorf("a bundle of a registry needs a cache directory"))
	}
	if digest, ok := ref.(name.Digest); ok {
		if dir := g.pulledDir(digest.DigestStr()); opensAsBundle(dir) {
			return dir, nil
		}
	}
	if g.client == nil {
		return wrong(fmt.Errorf("the run is offline, and there is no copy; name it by digest, or pull it before"))
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(g.client.Transport)}
	found, err := remote.Get(ref, options...)
	if err != nil {
		return wrong(err)
	}
	dir := g.pulledDir(found.Digest.String())
	if opensAsBundle(dir) {
		return dir, nil
	}
	fetch := func(d audit.Digest, size int64) ([]byte, error) {
		hash, err := v1.NewHash(string(d))
		if err != nil {
			return nil, err
		}
		layer, err := remote.Layer(ref.Context().Digest(hash.String()), options...)
		if err != nil {
			return nil, err
		}
		body, err := layer.Compressed()
		if err != nil {
			return nil, err
		}
		defer body.Close()
		return io.ReadAll(io.LimitReader(body, size+1))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return wrong(fmt.Errorf("the cache directory cannot be written"))
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), ".pull-*")
	if err != nil {
		return wrong(fmt.Errorf("the cache directory cannot be written"))
	}
	defer os.RemoveAll(part)
	if err := bundle.Import(filepath.Join(part, "bundle"), found.Manifest, fetch); err != nil {
		return wrong(err)
	}
	if err := os.Rename(filepath.Join(part, "bundle"), dir); err != nil && !opensAsBundle(dir) {
		return wrong(fmt.Errorf("the cache directory cannot be written"))
	}
	return dir, nil
}

func (g *gatherer) pulledDir(digest string) string {
	return filepath.Join(g.opt.CacheDir, "bundles", strings.ReplaceAll(digest, ":", "-"))
}

func opensAsBundle(dir string) bool {
	_, err := bundle.Open(dir)
	return err == nil
}
