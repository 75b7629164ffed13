package main

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// floorJob reads each unique layer of the layouts once: unpack, walk the tar, hash every file. args: "sha512" or "both",
// then the layouts. No scanner that hashes every file can cost less.
func floorJob(ctx context.Context, args []string) ([]phase, error) {
	p, err := timed("floor", func() error {
		done := map[string]bool{}
		for _, dir := range args[1:] {
			layers, err := layersOf(dir)
			if err != nil {
				return err
			}
			for _, file := range layers {
				if done[filepath.Base(file)] {
					continue
				}
				done[filepath.Base(file)] = true
				if err := walkLayer(file, args[0] == "both"); err != nil {
					return fmt.Errorf("reading layer %s: %w", filepath.Base(file), err)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return []phase{p}, err
}

// layersOf returns the blobs of the layers of the one image in a layout, from the lowest.
func layersOf(dir string) ([]string, error) {
	var index v1.IndexManifest
	if err := readJSON(filepath.Join(dir, "index.json"), &index); err != nil {
		return nil, err
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("%q has %d images, the testbed has one in each layout", dir, len(index.Manifests))
	}
	var m v1.Manifest
	if err := readJSON(blobFile(dir, index.Manifests[0].Digest), &m); err != nil {
		return nil, err
	}
	var files []string
	for _, l := range m.Layers {
		files = append(files, blobFile(dir, l.Digest))
	}
	return files, nil
}

func blobFile(dir string, h v1.Hash) string { return filepath.Join(dir, "blobs", h.Algorithm, h.Hex) }

func readJSON(name string, into any) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func walkLayer(file string, both bool) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := unpacked(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return err
	}
	defer plain.Close()
	buffer := make([]byte, 1<<16)
	for r := tar.NewReader(plain); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		var sums io.Writer = sha512.New()
		if both {
			sums = io.MultiWriter(sums, hash.Hash(sha256.New()))
		}
		if _, err := io.CopyBuffer(onlyWriter{sums}, r, buffer); err != nil {
			return err
		}
	}
}

// onlyWriter hides every method but Write, so that the one buffer is used.
type onlyWriter struct{ io.Writer }

func unpacked(r *bufio.Reader) (io.ReadCloser, error) {
	magic, err := r.Peek(4)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(magic), "\x1f\x8b"):
		return gzip.NewReader(r)
	case string(magic) == "\x28\xb5\x2f\xfd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}
