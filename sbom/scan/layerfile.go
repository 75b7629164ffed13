package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pegel-audit/pegel/audit"
)

// A layer is kept on disk as two files: the kept contents one after the other, and the index: a line that names the
// format, the fields of the layer, its entries, and the SHA-256 of all that. Entries hold the SHA-256 of their contents, so
// that a damaged pair is never used.

// layerFormat changes whenever the same layer would be indexed or kept in another way; what is kept depends on syft.
const layerFormat = "pegel layer 1 " + Tool + "\n"

var errDamaged = errors.New("the index of a layer is damaged")

// layerIndex is what the index file holds beside the entries.
type layerIndex struct {
	layer
	blobs []string // digests of blobs that were seen to unpack to this layer
	kept  int64    // bytes of the kept contents
}

func (x layerIndex) encode() []byte {
	b := []byte(layerFormat)
	b = appendText(b, string(x.diffID))
	b = binary.AppendVarint(b, x.bytes)
	b = binary.AppendVarint(b, x.kept)
	b = binary.AppendUvarint(b, uint64(len(x.blobs)))
	for _, blob := range x.blobs {
		b = appendText(b, blob)
	}
	b = binary.AppendUvarint(b, uint64(len(x.entries)))
	for i := range x.entries {
		b = x.entries[i].append(b)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func (e *entry) append(b []byte) []byte {
	b = appendText(b, e.path)
	b = appendText(b, e.link)
	b = appendText(b, e.mime)
	for _, n := range []int64{e.offset, e.size, e.mtime, e.mode, int64(e.uid), int64(e.gid)} {
		b = binary.AppendVarint(b, n)
	}
	mute := byte(0)
	if e.mute {
		mute = 1
	}
	b = append(b, e.typ, byte(e.mark), byte(e.kind), mute)
	if e.isRegular() && e.mark == adds {
		b = append(b, e.sha256[:]...)
		b = append(b, e.sha512[:]...)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeLayer reads an index. Anything that is not exactly what encode wrote is errDamaged.
func decodeLayer(raw []byte) (x layerIndex, err error) {
	if len(raw) < len(layerFormat)+sha256.Size || string(raw[:len(layerFormat)]) != layerFormat {
		return x, errDamaged
	}
	body, want := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], want) {
		return x, errDamaged
	}
	d := decoder{rest: string(body[len(layerFormat):]), mimes: map[string]string{}}
	x.diffID = audit.Digest(d.text())
	x.bytes = d.number()
	x.kept = d.number()
	for range d.count() {
		x.blobs = append(x.blobs, d.text())
	}
	n := d.count()
	if d.failed {
		return layerIndex{}, errDamaged
	}
	x.entries = make([]entry, n)
	for i := range x.entries {
		d.entry(&x.entries[i])
	}
	if d.failed || d.rest != "" {
		return layerIndex{}, errDamaged
	}
	return x, nil
}

// decoder takes values from the front of a text. Paths stay parts of that text, so that they need no memory of their own.
type decoder struct {
	rest   string
	mimes  map[string]string
	failed bool
}

func (d *decoder) entry(e *entry) {
	e.path, e.link = d.text(), d.text()
	if mime := d.text(); mime != "" {
		if _, ok := d.mimes[mime]; !ok {
			d.mimes[mime] = mime
		}
		e.mime = d.mimes[mime]
	}
	e.offset, e.size, e.mtime, e.mode = d.number(), d.number(), d.number(), d.number()
	e.uid, e.gid = int32(d.number()), int32(d.number())
	flags := d.take(4)
	if d.failed {
		return
	}
	e.typ, e.mark, e.kind, e.mute = flags[0], mark(flags[1]), kind(flags[2]), flags[3] == 1
	if e.isRegular() && e.mark == adds {
		copy(e.sha256[:], d.take(len(e.sha256)))
		copy(e.sha512[:], d.take(len(e.sha512)))
	}
}

func (d *decoder) take(n int) string {
	if d.failed || n < 0 || n > len(d.rest) {
		d.failed = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) text() string { return d.take(d.count()) }

// count is a number that cannot be larger than what is left, because everything counted takes at least a byte.
func (d *decoder) count() int {
	n, size := binary.Uvarint([]byte(d.rest[:min(len(d.rest), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(d.rest)) {
		d.failed = true
		return 0
	}
	d.take(size)
	return int(n)
}

func (d *decoder) number() int64 {
	n, size := binary.Varint([]byte(d.rest[:min(len(d.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		d.failed = true
		return 0
	}
	d.take(size)
	return n
}

// verify compares the kept contents with the digests of the entries.
func (x layerIndex) verify(data io.ReaderAt) error {
	h, buf := sha256.New(), make([]byte, 256<<10)
	for i := range x.entries {
		e := &x.entries[i]
		if e.offset == notKept {
			continue
		}
		if e.offset < 0 || e.size < 0 || e.offset > x.kept-e.size {
			return fmt.Errorf("%w: %q lies outside the contents", errDamaged, e.path)
		}
		h.Reset()
		n, err := io.CopyBuffer(h, onlyReader{io.NewSectionReader(data, e.offset, e.size)}, buf)
		if err != nil || n != e.size || !bytes.Equal(h.Sum(nil), e.sha256[:]) {
			return fmt.Errorf("%w: the contents of %q are others", errDamaged, e.path)
		}
	}
	return nil
}
