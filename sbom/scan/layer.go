package scan

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/pegel-audit/pegel/audit"
)

// layer is the index of one layer, and those of its contents that are worth keeping.
type layer struct {
	diffID  audit.Digest
	bytes   int64 // unpacked
	entries []entry
	data    *os.File // kept contents, one after the other
}

// layerReader reads one layer in one pass: it unpacks, verifies both digests, indexes and hashes.
type layerReader struct {
	limits Limits
	keep   keeper
	all    bool // keep all contents, for a layer of which more was asked than had been kept

	entries []entry
	holes   int64 // size of all sparse files
	most    int64 // that the files may have together
	out     *bufio.Writer
	written int64
	copy    []byte // for one read
	program []byte // contents of the machine code at hand
	short   hash.Hash
	long    hash.Hash
}

// wholeProgram is up to which size machine code is held in memory until its sections are known; larger is always kept.
const wholeProgram = 64 << 20

func newLayerReader(limits Limits, keep keeper) *layerReader {
	return &layerReader{limits: limits, keep: keep, copy: make([]byte, 256<<10), short: sha256.New(), long: sha512.New()}
}

// read reads the layer that the descriptor names and writes what is worth keeping to data.
func (r *layerReader) read(ctx context.Context, l layout, d v1.Descriptor, diffID v1.Hash, data *os.File) (*layer, error) {
	blob, err := openBlob(l, d, diffID)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	r.out = bufio.NewWriterSize(data, 256<<10)
	compressed := &hashing{r: contextReader{ctx, blob}, sum: sha256.New()}
	plain, err := r.unpack(compressed, d.Size, diffID)
	if err != nil {
		return nil, explainWrite(err)
	}
	if err := r.out.Flush(); err != nil {
		return nil, explainWrite(err)
	}
	if _, err := io.Copy(io.Discard, compressed); err != nil { // what follows the compressed stream belongs to the blob
		return nil, err
	}
	if compressed.hex() != d.Digest.Hex {
		return nil, fmt.Errorf("the contents have digest sha256:%s: the image is damaged or was changed, copy it again", compressed.hex())
	}
	return &layer{diffID: audit.Digest(diffID.String()), bytes: plain, entries: r.entries, data: data}, nil
}

// openBlob opens the blob of a layer, if it can be verified and has the size that the manifest says.
func openBlob(l layout, d v1.Descriptor, diffID v1.Hash) (io.ReadCloser, error) {
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
	if size != d.Size {
		return nil, errors.Join(fmt.Errorf("it has %d bytes, the manifest says %d: the image is cut off or was changed, copy it again", size, d.Size), blob.Close())
	}
	return blob, nil
}

// unpack reads the uncompressed layer and returns its size. The digest is compared also where the tar cannot be read,
// because damage explains that.
func (r *layerReader) unpack(compressed io.Reader, size int64, diffID v1.Hash) (int64, error) {
	plain, err := decompress(compressed)
	if err != nil {
		return 0, err
	}
	defer plain.Close()
	b := &bounded{r: plain, limit: r.limits.Bytes, why: fmt.Sprintf("the layers unpack to more than %d bytes", r.limits.Bytes)}
	if byRatio := max(size*r.limits.Ratio, ratioFloor); byRatio < b.limit {
		b.limit, b.why = byRatio, fmt.Sprintf("it unpacks to more than %d times its size", r.limits.Ratio)
	}
	sum := &hashing{r: b, sum: sha256.New()}
	r.most = b.limit
	broken := r.index(sum)
	if broken == nil || !isFinal(broken) {
		if _, err := io.CopyBuffer(io.Discard, onlyReader{sum}, r.copy); err != nil && broken == nil {
			broken = err
		}
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case broken != nil && isFinal(broken):
		return 0, broken
	case sum.hex() != diffID.Hex:
		return 0, fmt.Errorf("the unpacked contents have digest sha256:%s, the configuration says %s: the image is damaged or was changed, copy it again",
			sum.hex(), diffID)
	case broken != nil:
		return 0, fmt.Errorf("it is no readable tar file: %w", broken)
	}
	return b.n, nil
}

// onlyReader hides what else a reader can do, so that io.CopyBuffer uses the buffer.
type onlyReader struct{ io.Reader }

// final is an error that no look at the rest of a layer explains better.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

func isFinal(err error) bool {
	return errors.As(err, &final{}) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// bounded stops a reader that gives more than a real layer has. Read errors are those of the compressed data.
type bounded struct {
	r     io.Reader
	n     int64
	limit int64
	why   string
	err   error // set once, and said in place of what others make of it
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.n += int64(n)
	switch {
	case b.n > b.limit:
		b.err = errors.New(b.why + ", which no real layer does")
	case err != nil && !errors.Is(err, io.EOF):
		b.err = explainRead(err)
	default:
		return n, err
	}
	return n, b.err
}

// index walks the tar. Limits are checked before anything is kept in memory.
func (r *layerReader) index(plain io.Reader) error {
	r.entries = nil
	for t := tar.NewReader(plain); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(r.entries) >= r.limits.Entries {
			return final{fmt.Errorf("the layers have more than %d entries", r.limits.Entries)}
		}
		if err := r.limits.checkEntry(h); err != nil {
			return final{fmt.Errorf("entry %.200q: %w", h.Name, err)}
		}
		e, ok := entryOf(h)
		if !ok {
			continue
		}
		if isSparse(h) {
			if r.holes += e.size; r.holes > r.most {
				return final{fmt.Errorf("entry %.200q: a sparse file of %d bytes, which is more than a layer of this size may hold", h.Name, h.Size)}
			}
		}
		if e.isRegular() && e.mark == adds {
			if err := r.contents(t, &e); err != nil {
				return err
			}
		}
		r.entries = append(r.entries, e)
	}
}

// isSparse reports whether a file has holes, so that reading it gives more bytes than the layer has.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (l Limits) checkEntry(h *tar.Header) error {
	switch {
	case len(h.Name) > l.PathLength || len(h.Linkname) > l.PathLength:
		return fmt.Errorf("its path is longer than %d bytes", l.PathLength)
	case strings.Count(path.Clean(h.Name), "/") > l.PathDepth:
		return fmt.Errorf("it lies deeper than %d directories", l.PathDepth)
	case isEvidence(path.Base(h.Name)) && h.Size > l.EvidenceFile:
		return fmt.Errorf("it has %d bytes, the limit for such a file is %d", h.Size, l.EvidenceFile)
	}
	return nil
}

// contents hashes one file and keeps it if somebody may ask for it. Machine code is kept only if there is something to
// read in it, which shows in its last bytes.
func (r *layerReader) contents(t io.Reader, e *entry) error {
	r.short.Reset()
	r.long.Reset()
	piece, err := readPiece(t, r.copy)
	if err != nil {
		return err
	}
	head := piece[:min(len(piece), headSize)]
	e.kind = kindOf(e.path, head)
	e.mime = mimeOf(e.kind, head)
	if e.kind == machineELF && !r.all && e.size <= wholeProgram && !r.keep.program(e.path) {
		return r.judge(t, e, piece)
	}
	start, keep := r.written, r.all || e.kind != other && e.kind != script || r.keep.file(e.path)
	for len(piece) > 0 {
		r.hash(piece)
		if keep {
			if err := r.write(piece); err != nil {
				return err
			}
		}
		if piece, err = readPiece(t, r.copy); err != nil {
			return err
		}
	}
	r.sums(e)
	if keep {
		e.offset = start
	}
	return nil
}

// judge hashes machine code, of which the first piece was read, and keeps it only if it is not mute.
func (r *layerReader) judge(t io.Reader, e *entry, piece []byte) error {
	if int64(cap(r.program)) < e.size {
		r.program = make([]byte, 0, e.size)
	}
	program := append(r.program[:0], piece...)
	r.hash(piece)
	for int64(len(program)) < e.size {
		next, err := readPiece(t, program[len(program):min(e.size, int64(len(program)+len(r.copy)))])
		if err != nil {
			return err
		}
		if len(next) == 0 {
			return io.ErrUnexpectedEOF
		}
		r.hash(next)
		program = program[:len(program)+len(next)]
	}
	r.sums(e)
	if e.mute = isMute(bytes.NewReader(program), int64(len(program))); e.mute {
		return nil
	}
	e.offset = r.written
	return r.write(program)
}

// readPiece fills the buffer as far as there is something to read; nothing at the end.
func readPiece(t io.Reader, buf []byte) ([]byte, error) {
	n, err := io.ReadFull(t, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		err = nil // a layer that is cut off says so at the next header, and its digest does not match
	}
	return buf[:n], err
}

func (r *layerReader) hash(piece []byte) {
	r.short.Write(piece)
	r.long.Write(piece)
}

func (r *layerReader) sums(e *entry) {
	r.short.Sum(e.sha256[:0])
	r.long.Sum(e.sha512[:0])
}

func (r *layerReader) write(p []byte) error {
	n, err := r.out.Write(p)
	r.written += int64(n)
	if err != nil {
		return final{err}
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
	buffered := bufio.NewReaderSize(r, 1<<18)
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
