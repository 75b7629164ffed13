package scan

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// unpacker writes the layers of one image, uncompressed, into a directory, counting what all of them cost together.
type unpacker struct {
	limits  Limits
	dir     string
	bytes   int64
	entries int
}

// layers unpacks every layer once and returns them in the order of the image.
func (u *unpacker) layers(ctx context.Context, l layout, s selected) ([]v1.Layer, error) {
	if n := len(s.manifest.Layers); n > u.limits.Layers {
		return nil, fmt.Errorf("the image has %d layers, the limit is %d", n, u.limits.Layers)
	}
	done := map[v1.Hash]v1.Layer{}
	var all []v1.Layer
	for i, d := range s.manifest.Layers {
		diffID := s.config.RootFS.DiffIDs[i]
		layer, ok := done[diffID]
		if !ok {
			var err error
			if layer, err = u.layer(ctx, l, d, diffID); err != nil {
				return nil, fmt.Errorf("reading layer %d of %d, %s: %w", i+1, len(s.manifest.Layers), d.Digest, err)
			}
			done[diffID] = layer
		}
		all = append(all, layer)
	}
	return all, nil
}

func (u *unpacker) layer(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash) (v1.Layer, error) {
	name, err := blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	if _, err := blobName(diffID); err != nil || diffID.Algorithm != "sha256" || d.Digest.Algorithm != "sha256" {
		return nil, fmt.Errorf("digests %q and %q: only sha256 is verified", d.Digest, diffID)
	}
	if strings.Contains(string(d.MediaType), "encrypted") {
		return nil, fmt.Errorf("it is encrypted (%s): give an image that was decrypted", d.MediaType)
	}
	blob, size, err := l.open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	defer blob.Close()
	if size != d.Size {
		return nil, fmt.Errorf("it has %d bytes, the manifest says %d: the image is cut off or was changed, copy it again", size, d.Size)
	}
	// stereoscope takes a file of this name for the unpacked layer, so nothing is written twice
	file := filepath.Join(u.dir, diffID.String())
	if err := u.unpack(ctx, blob, size, d.Digest, diffID, file); err != nil {
		return nil, err
	}
	if err := u.checkTar(ctx, file); err != nil {
		return nil, err
	}
	return unpackedLayer{digest: d.Digest, diffID: diffID, file: file}, nil
}

// unpack writes the uncompressed layer and verifies both digests.
func (u *unpacker) unpack(ctx context.Context, blob io.Reader, size int64, digest, diffID v1.Hash, file string) error {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	compressed := &hashing{r: contextReader{ctx, blob}, sum: sha256.New()}
	n, err := u.copy(out, compressed, size, diffID)
	if err := errors.Join(err, out.Close()); err != nil {
		return explainWrite(err)
	}
	u.bytes += n
	if _, err := io.Copy(io.Discard, compressed); err != nil { // what follows the compressed stream belongs to the blob
		return err
	}
	if compressed.hex() != digest.Hex {
		return fmt.Errorf("the contents have digest sha256:%s: the image is damaged or was changed, copy it again", compressed.hex())
	}
	return nil
}

func (u *unpacker) copy(out io.Writer, compressed io.Reader, size int64, diffID v1.Hash) (int64, error) {
	plain, err := decompress(compressed)
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	limit, why := u.limits.Bytes-u.bytes, fmt.Sprintf("the layers unpack to more than %d bytes", u.limits.Bytes)
	if byRatio := max(size*u.limits.Ratio, ratioFloor); byRatio < limit {
		limit, why = byRatio, fmt.Sprintf("it unpacks to more than %d times its size", u.limits.Ratio)
	}
	sum := &hashing{r: plain, sum: sha256.New()}
	n, err := io.Copy(out, io.LimitReader(sum, limit+1))
	switch {
	case err != nil:
		return n, explainRead(err)
	case n > limit:
		return n, errors.New(why + ", which no real layer does")
	case sum.hex() != diffID.Hex:
		return n, fmt.Errorf("the unpacked contents have digest sha256:%s, the configuration says %s: the image is damaged or was changed, copy it again",
			sum.hex(), diffID)
	}
	return n, nil
}

// checkTar walks the headers of an unpacked layer before any library keeps them in memory.
func (u *unpacker) checkTar(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("it is no readable tar file: %w", err)
		}
		if u.entries++; u.entries > u.limits.Entries {
			return fmt.Errorf("the layers have more than %d entries", u.limits.Entries)
		}
		if err := u.checkEntry(h); err != nil {
			return fmt.Errorf("entry %.200q: %w", h.Name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (u *unpacker) checkEntry(h *tar.Header) error {
	switch {
	case len(h.Name) > u.limits.PathLength || len(h.Linkname) > u.limits.PathLength:
		return fmt.Errorf("its path is longer than %d bytes", u.limits.PathLength)
	case strings.Count(path.Clean(h.Name), "/") > u.limits.PathDepth:
		return fmt.Errorf("it lies deeper than %d directories", u.limits.PathDepth)
	case isEvidence(path.Base(h.Name)) && h.Size > u.limits.EvidenceFile:
		return fmt.Errorf("it has %d bytes, the limit for such a file is %d", h.Size, u.limits.EvidenceFile)
	}
	return nil
}

// compressionOf tells how bytes are compressed by their first four: "gzip", "zstd", or "" for anything else.
func compressionOf(magic []byte) string {
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		return "gzip"
	case len(magic) >= 4 && string(magic[:4]) == "\x28\xb5\x2f\xfd":
		return "zstd"
	}
	return ""
}

// decompress looks at the bytes, not at the media type, as container engines do.
func decompress(r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch compressionOf(magic) {
	case "gzip":
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, explainRead(err)
		}
		return z, nil
	case "zstd":
		z, err := zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, explainRead(err)
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(buffered), nil
}

// explainRead says what helps against damaged compressed data.
func explainRead(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return fmt.Errorf("unpacking: %w; the image is damaged, copy it again", withoutPath(err))
}

func explainWrite(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errors.New("the temporary directory is full: make room or choose another one by TMPDIR")
	}
	return err
}

// contextReader ends when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// hashing sums what is read through it.
type hashing struct {
	r   io.Reader
	sum hash.Hash
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.sum.Write(p[:n])
	return n, err
}

func (h *hashing) hex() string { return hex.EncodeToString(h.sum.Sum(nil)) }

// unpackedLayer shows a layer that was unpacked and verified to stereoscope.
type unpackedLayer struct {
	digest, diffID v1.Hash
	file           string
}

func (l unpackedLayer) Digest() (v1.Hash, error)             { return l.digest, nil }
func (l unpackedLayer) DiffID() (v1.Hash, error)             { return l.diffID, nil }
func (l unpackedLayer) MediaType() (types.MediaType, error)  { return types.OCIUncompressedLayer, nil }
func (l unpackedLayer) Uncompressed() (io.ReadCloser, error) { return os.Open(l.file) }
func (l unpackedLayer) Compressed() (io.ReadCloser, error) {
	return nil, errors.New("only the unpacked layer is kept")
}
func (l unpackedLayer) Size() (int64, error) {
	info, err := os.Stat(l.file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
