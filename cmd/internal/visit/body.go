package visit

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// unpacked reads the body of an answer, at most limit bytes of it as they are after unpacking. A body that is small on its
// way and large when unpacked ends at the limit. With cut, what is longer is cut there and is no trouble.
func unpacked(resp *http.Response, limit int64, cut bool) ([]byte, *audit.Trouble) {
	const slack = 1 << 16 // of gzip: what packs badly is a little larger than before
	wire := &counted{r: resp.Body, left: limit + limit/100 + slack}
	var plain io.Reader = wire
	switch coding := strings.ToLower(strings.TrimSpace(strings.Join(resp.Header.Values("Content-Encoding"), ","))); coding {
	case "", "identity":
		if resp.ContentLength > limit && !cut {
			return nil, tooLarge(limit)
		}
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(wire)
		if errors.Is(err, io.EOF) { // no body at all
			return nil, nil
		}
		if err != nil {
			return nil, wire.broken(err, limit)
		}
		plain = z
	default:
		return nil, &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer is packed in a way that was not asked for", Settle: "answer plainly or packed with gzip"}
	}
	parts, n, err := inParts(io.LimitReader(plain, limit+1))
	switch {
	case n > limit && cut:
		return bytes.Join(parts, nil)[:limit], nil
	case n > limit:
		return nil, tooLarge(limit)
	case err != nil:
		return nil, wire.broken(err, limit)
	case n == 0:
		return nil, nil
	}
	return bytes.Join(parts, nil), nil
}

// inParts reads to the end. A buffer that doubles would hold three times the bytes of what is thrown away in the end because
// it is too large.
func inParts(r io.Reader) (parts [][]byte, n int64, err error) {
	const smallest, largest = 8 << 10, 4 << 20
	for size := smallest; ; size = min(2*size, largest) {
		part := make([]byte, 0, size)
		for len(part) < size && err == nil {
			var got int
			got, err = r.Read(part[len(part):size])
			part = part[:len(part)+got]
		}
		parts, n = append(parts, part), n+int64(len(part))
		if err == io.EOF {
			return parts, n, nil
		}
		if err != nil {
			return parts, n, err
		}
	}
}

func tooLarge(limit int64) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleTooLarge, Text: fmt.Sprintf("the answer has more than %d bytes, which is more than is read of such a page", limit)}
}

// broken says why a body cannot be read to its end.
func (c *counted) broken(err error, limit int64) *audit.Trouble {
	switch {
	case errors.Is(err, errLong):
		return tooLarge(limit)
	case c.whole, errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), strings.HasPrefix(err.Error(), "flate: "):
		return &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer says that it is packed with gzip, and cannot be unpacked"}
	}
	return &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "the connection broke off in the middle of the answer", Settle: "run it again"}
}

var errLong = errors.New("more bytes came than may")

// counted ends with errLong after a number of bytes.
type counted struct {
	r     io.Reader
	left  int64
	whole bool // the server sent all that it said it would
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errLong
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.whole = c.whole || err == io.EOF
	return n, err
}
