package source

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of archives. The largest archive of the reference stack has 2 GB and 40 entries.
const (
	maxArchiveEntries = 100_000
	maxArchiveBytes   = 256 << 30 // unpacked
	maxArchiveKept    = 64 << 20  // documents held in memory
	maxRatio          = 100       // unpacked to packed, of a gzip archive; layers in it are packed already
	freeRatio         = 64 << 20  // bytes before the ratio counts
)

// copyAgain is the remedy for contents that are not what their digests say.
const copyAgain = "copy the image again, e.g. with skopeo copy"

// layout gives access to the documents and blobs of an OCI image layout.
type layout interface {
	// document returns a file at the top of the layout.
	document(name string) ([]byte, error)
	// blob returns a small blob whose size and digest are as described.
	blob(d v1.Descriptor) ([]byte, error)
	// verify checks size and digest of a blob of any size.
	verify(ctx context.Context, d v1.Descriptor) error
	close()
}

// checkVersion reads the file oci-layout, which marks a layout.
func checkVersion(data []byte) error {
	var mark struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := json.Unmarshal(data, &mark); err != nil {
		return fmt.Errorf("oci-layout: %s", plain(err))
	}
	if mark.Version != "1.0.0" {
		return fmt.Errorf("oci-layout: version %q is not known, want 1.0.0", mark.Version)
	}
	return nil
}

// wrongSize and wrongDigest are what verification finds.
func wrongSize(got, want int64) error {
	return fmt.Errorf("it has %d bytes, the manifest says %d", got, want)
}

var errWrongDigest = errors.New("its contents do not match its digest")

// layoutDir is a layout in a directory.
type layoutDir struct {
	root    *os.Root
	checked map[v1.Hash]error // blobs that were read in full: layers are shared
}

func openDir(dir string) (layout, error) {
	root, err := rootOf(dir)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	l := layoutDir{root: root, checked: map[v1.Hash]error{}}
	mark, err := l.document("oci-layout")
	if err != nil {
		l.close()
		return nil, fmt.Errorf("oci-layout: %s; this is no OCI image layout", reason(err))
	}
	if err := checkVersion(mark); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l layoutDir) close() { _ = l.root.Close() } // opened for reading only

func (l layoutDir) document(name string) ([]byte, error) { return readIn(l.root, name, maxDocument) }

func (l layoutDir) blob(d v1.Descriptor) ([]byte, error) {
	data, err := readIn(l.root, blobName(d.Digest), maxDocument)
	if err != nil {
		return nil, err
	}
	return data, matches(data, d)
}

func (l layoutDir) verify(ctx context.Context, d v1.Descriptor) error {
	if err, ok := l.checked[d.Digest]; ok {
		return err
	}
	err := l.hash(ctx, d)
	if ctx.Err() == nil {
		l.checked[d.Digest] = err
	}
	return err
}

func (l layoutDir) hash(ctx context.Context, d v1.Descriptor) error {
	name := blobName(d.Digest)
	info, err := l.root.Stat(name)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	case info.Size() != d.Size:
		return wrongSize(info.Size(), d.Size)
	}
	f, err := l.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != d.Digest.Hex {
		return errWrongDigest
	}
	return nil
}

// blobName returns the path of a blob. The digest was parsed, so it holds hexadecimal digits only.
func blobName(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }

func matches(data []byte, d v1.Descriptor) error {
	if int64(len(data)) != d.Size {
		return wrongSize(int64(len(data)), d.Size)
	}
	if string(audit.DigestOf(data)) != d.Digest.String() {
		return errWrongDigest
	}
	return nil
}

// layoutArchive is a layout in a tar archive, read once from start to end. Documents are held in memory, of other blobs
// only size and digest.
type layoutArchive struct {
	documents map[string][]byte
	blobs     map[string]blobSeen
	small     bool // small blobs of any kind are documents too
}

type blobSeen struct {
	size   int64
	digest string // of the contents
}

func openArchive(ctx context.Context, name string) (layout, error) {
	return openArchiveAs(ctx, name, layoutArchive{documents: map[string][]byte{}, blobs: map[string]blobSeen{}})
}

// openSmallArchive also holds small layers in memory, for an image whose contents are one small file.
func openSmallArchive(ctx context.Context, name string) (layout, error) {
	return openArchiveAs(ctx, name, layoutArchive{documents: map[string][]byte{}, blobs: map[string]blobSeen{}, small: true})
}

func openArchiveAs(ctx context.Context, name string, l layoutArchive) (layout, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, errors.New(reason(err))
	case info.IsDir():
		return nil, errors.New("it is a directory; for a layout directory write oci:DIRECTORY")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	defer f.Close()
	if err := readTar(ctx, f, l.entries); err != nil {
		return nil, err
	}
	mark, err := l.document("oci-layout")
	if err != nil {
		if _, ok := l.documents["manifest.json"]; ok {
			return nil, errors.New("this is an archive of docker save; write docker-archive:FILE")
		}
		return nil, errors.New("it holds no oci-layout: this is no archive of an OCI image layout")
	}
	if err := checkVersion(mark); err != nil {
		return nil, err
	}
	return l, nil
}

// readTar goes through an archive once, which may be packed with gzip, up to the limits of unpacking.
func readTar(ctx context.Context, f io.Reader, entries func(*tar.Reader) error) error {
	packed := &counter{r: reader{ctx, f}}
	buffered := bufio.NewReaderSize(packed, 1<<16)
	unpacked := &counter{r: buffered, limit: maxArchiveBytes}
	switch magic, _ := buffered.Peek(6); {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("gzip: %s; %s", err, copyAgain)
		}
		unpacked.r, unpacked.packed = z, packed
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}), bytes.HasPrefix(magic, []byte{0xfd, '7', 'z', 'X', 'Z'}):
		return errors.New("it is compressed with zstd or xz; unpack it first, tar and gzip are read")
	}
	err := entries(tar.NewReader(unpacked))
	if err == nil {
		_, err = io.Copy(io.Discard, unpacked) // the checksum of gzip stands at the end
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, tar.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("the archive is cut off or damaged (%s); %s", strings.TrimPrefix(err.Error(), "archive/tar: "), copyAgain)
	}
	return err
}

func (l layoutArchive) entries(t *tar.Reader) error {
	seen := map[string]bool{}
	kept := 0
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if len(seen) >= maxArchiveEntries {
			return fmt.Errorf("more than %d entries", maxArchiveEntries)
		}
		name, err := entryName(h)
		if err != nil {
			return err
		}
		if seen[name] && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("entry %q occurs twice", name)
		}
		seen[name] = true
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, blob, err := readEntry(t, h.Size, l.small)
		if err != nil {
			return err
		}
		if kept += len(data); kept > maxArchiveKept {
			return fmt.Errorf("its documents have more than %d bytes", maxArchiveKept)
		}
		l.blobs[name] = blob
		if data != nil {
			l.documents[name] = data
		}
	}
}

// entryName checks the name and type of an entry. Nothing is unpacked, but a name that leads out or a link is a sign that
// the archive was made to harm whoever unpacks it.
func entryName(h *tar.Header) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	default:
		return "", fmt.Errorf("entry %q is a link or device; an OCI image layout has only files and directories", h.Name)
	}
	if name == "" || name == "." {
		return ".", nil
	}
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("entry %q is no path inside the archive", h.Name)
	}
	return name, nil
}

// readEntry hashes an entry and keeps it if it is a document: small, and JSON by its first byte or any is wanted.
func readEntry(t io.Reader, size int64, anything bool) ([]byte, blobSeen, error) {
	h := sha256.New()
	r := bufio.NewReader(io.TeeReader(t, h))
	first, _ := r.Peek(1)
	var data []byte
	if size <= maxDocument && len(first) == 1 && (anything || first[0] == '{') {
		var err error
		if data, err = io.ReadAll(r); err != nil {
			return nil, blobSeen{}, err
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, blobSeen{}, err
	}
	return data, blobSeen{size: size, digest: hex.EncodeToString(h.Sum(nil))}, nil
}

func (layoutArchive) close() {}

func (l layoutArchive) document(name string) ([]byte, error) {
	data, ok := l.documents[name]
	if !ok {
		return nil, errors.New("it is not there, or no JSON object")
	}
	return data, nil
}

func (l layoutArchive) blob(d v1.Descriptor) ([]byte, error) {
	if err := l.verify(context.Background(), d); err != nil {
		return nil, err
	}
	return l.document(blobName(d.Digest))
}

func (l layoutArchive) verify(_ context.Context, d v1.Descriptor) error {
	seen, ok := l.blobs[blobName(d.Digest)]
	switch {
	case !ok:
		return errors.New("it is not there")
	case seen.size != d.Size:
		return wrongSize(seen.size, d.Size)
	case seen.digest != d.Digest.Hex:
		return errWrongDigest
	}
	return nil
}

// reader stops when the context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// counter counts what is read and stops at a limit, or where unpacked bytes outgrow the packed ones.
type counter struct {
	r      io.Reader
	n      int64
	limit  int64    // 0: none
	packed *counter // of compressed input
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.limit > 0 && c.n > c.limit {
		return n, fmt.Errorf("it unpacks to more than %d bytes", c.limit)
	}
	if c.packed != nil && c.n > freeRatio && c.n/maxRatio > c.packed.n {
		return n, fmt.Errorf("it unpacks to more than %d times its size", maxRatio)
	}
	return n, err
}
