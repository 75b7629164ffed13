package scan

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestABlobHasANameOnlyIfItsDigestIsOne(t *testing.T) {
	hex64 := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		h    v1.Hash
		want string
	}{
		"SHA-256":                {v1.Hash{Algorithm: "sha256", Hex: hex64}, "blobs/sha256/" + hex64},
		"SHA-512":                {v1.Hash{Algorithm: "sha512", Hex: hex64 + hex64}, "blobs/sha512/" + hex64 + hex64},
		"a path in the digits":   {v1.Hash{Algorithm: "sha256", Hex: "../../etc/passwd"}, ""},
		"a path in the name":     {v1.Hash{Algorithm: "../sha256", Hex: hex64}, ""},
		"too short":              {v1.Hash{Algorithm: "sha256", Hex: "aa"}, ""},
		"another algorithm":      {v1.Hash{Algorithm: "md5", Hex: hex64[:32]}, ""},
		"the zero value":         {v1.Hash{}, ""},
		"digits of another kind": {v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("z", 64)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := blobName(c.h)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q and error %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestAnArchiveWithOneNameTwiceIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(name, tarOf(t, []tarEntry{{name: "index.json", text: "{}"}, {name: "./index.json", text: "[]"}}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openLayoutArchive(name); err == nil || !strings.Contains(err.Error(), `two files "index.json"`) {
		t.Errorf("got error %v, want that there are two", err)
	}
}

// FuzzIndexArchive holds the law that what the index gives for a name is what reading the tar from its start gives, and
// that every name is clean and relative.
func FuzzIndexArchive(f *testing.F) {
	seed := func(entries ...tarEntry) []byte {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, e := range entries {
			_ = w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.text)), Mode: 0o600, Typeflag: tar.TypeReg})
			_, _ = io.WriteString(w, e.text)
		}
		_ = w.Close()
		return buf.Bytes()
	}
	f.Add(seed(tarEntry{name: "oci-layout", text: "{}"}, tarEntry{name: "blobs/sha256/aa", text: strings.Repeat("x", 600)}))
	f.Add(seed(tarEntry{name: "../../out", text: "y"}, tarEntry{name: "/abs", text: ""}))
	f.Add([]byte("no tar"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		name := filepath.Join(t.TempDir(), "a.tar")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := openLayoutArchive(name)
		if err != nil {
			return
		}
		defer l.Close()
		for r := tar.NewReader(bytes.NewReader(raw)); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("the index accepts what cannot be read: %v", err)
			}
			if h.Typeflag != tar.TypeReg {
				continue
			}
			clean := path.Clean("/" + h.Name)[1:]
			if strings.HasPrefix(clean, "../") || path.IsAbs(clean) {
				t.Fatalf("name %q is not clean", clean)
			}
			want, err := io.ReadAll(r)
			if err != nil {
				return // sparse or cut off inside: the size of the entry is not that of its bytes
			}
			got, err := readAll(l, clean, int64(len(raw)))
			if err != nil {
				t.Fatalf("%q: %v", clean, err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%q: got %q, want %q", clean, got, want)
			}
		}
	})
}
