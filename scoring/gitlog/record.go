package gitlog

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
)

// logFormat is the one format of the history pass. Numbers come first and free text last, so that no name or message can
// move another field; the message is the last field and may contain anything but NUL. Dates are raw: seconds and offset.
const logFormat = "%H%x1f%P%x1f%ad%x1f%ct%x1f%aE%x1f%aN%x1f%cE%x1f%cN%x1f" + trailerFormat + "%x1f%B"

// trailerFormat asks for the trailers that kindOf knows. All are ASCII.
const trailerFormat = "%(trailers:key=Signed-off-by,key=Reviewed-by,key=Acked-by,key=Tested-by,key=Change-Id,key=Assisted-By,key=Generated-By," +
	"key=Co-authored-by,key=Depends-On,key=Link,key=Message-Id,key=Submitted-at,key=Patchwork,key=PR-URL,unfold=true,separator=%x1e)"

const (
	fieldSeparator   = 0x1f
	trailerSeparator = 0x1e
	recordFields     = 10
	// maxRecord bounds one commit; of a longer one the rest of the message is dropped.
	maxRecord = 1 << 20
)

// logArgs is the command line of the history pass.
func logArgs(commit string) []string {
	return []string{
		"log", "-z", "--no-color", "--no-decorate", "--no-show-signature", "--no-notes", "--use-mailmap", "--date=raw",
		"--format=" + logFormat, "--end-of-options", commit, "--",
	}
}

// record is one commit of the log. All slices point into the reader's buffer and are valid until the next record.
type record struct {
	hash      []byte
	parents   []byte // ids with spaces between
	offset    int    // of the author's clock from UTC, in minutes
	committed int64  // committer time, seconds
	author    []byte // address, separator, name; after mailmap
	committer []byte
	trailers  []byte
	message   []byte
}

// parseRecord splits one record of logFormat. ok is false for anything that is not such a record.
func parseRecord(line []byte) (r record, ok bool) {
	var fields [recordFields][]byte
	rest := line
	for i := range recordFields - 1 {
		end := bytes.IndexByte(rest, fieldSeparator)
		if end < 0 {
			return record{}, false
		}
		fields[i], rest = rest[:end], rest[end+1:]
	}
	fields[recordFields-1] = rest
	r = record{
		hash: fields[0], parents: fields[1], author: join(fields[4], fields[5]), committer: join(fields[6], fields[7]),
		trailers: fields[8], message: fields[9],
	}
	var err error
	if r.committed, err = strconv.ParseInt(string(fields[3]), 10, 64); err != nil {
		return record{}, false
	}
	r.offset = offsetOf(fields[2])
	return r, len(r.hash) >= 40
}

// join returns the bytes from the start of a to the end of b, two neighbouring fields of one record.
func join(a, b []byte) []byte { return a[: len(a)+1+len(b) : len(a)+1+len(b)] }

// offsetOf reads the offset of a raw date, "1700000000 +0530", in minutes.
func offsetOf(date []byte) int {
	i := bytes.LastIndexByte(date, ' ')
	n, err := strconv.Atoi(string(date[i+1:]))
	if i < 0 || err != nil {
		return 0
	}
	return n/100*60 + n%100
}

// recordReader cuts a stream at NUL bytes.
type recordReader struct {
	r     *bufio.Reader
	spill []byte
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{r: bufio.NewReaderSize(r, 512<<10)}
}

// next returns the next record without its NUL, cut to maxRecord bytes; io.EOF at the end. The bytes are valid until the
// next call.
func (r *recordReader) next() ([]byte, error) {
	line, err := r.r.ReadSlice(0)
	if err == nil {
		return line[:len(line)-1], nil
	}
	r.spill = r.spill[:0]
	for {
		r.spill = append(r.spill, line[:min(len(line), maxRecord-len(r.spill))]...)
		if err != bufio.ErrBufferFull {
			break
		}
		line, err = r.r.ReadSlice(0)
	}
	switch {
	case err == nil:
		return bytes.TrimSuffix(r.spill, []byte{0}), nil
	case err == io.EOF && len(r.spill) > 0:
		return r.spill, nil
	}
	return nil, err
}
