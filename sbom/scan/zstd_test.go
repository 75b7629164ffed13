package scan

import (
	"bytes"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// compressed is a layer of which compressed and plain bytes are given.
type compressedLayer struct {
	packed, plain []byte
}

func zstdLayer(t *testing.T, plain []byte) v1.Layer {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return compressedLayer{packed: w.EncodeAll(plain, nil), plain: plain}
}

func sha(b []byte) (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(b))
	return h, err
}

func (l compressedLayer) Digest() (v1.Hash, error)            { return sha(l.packed) }
func (l compressedLayer) DiffID() (v1.Hash, error)            { return sha(l.plain) }
func (l compressedLayer) Size() (int64, error)                { return int64(len(l.packed)), nil }
func (l compressedLayer) MediaType() (types.MediaType, error) { return types.OCILayerZStd, nil }
func (l compressedLayer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.packed)), nil
}
func (l compressedLayer) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.plain)), nil
}
