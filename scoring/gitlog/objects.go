package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// object is one answer of git cat-file.
type object struct {
	id      string
	kind    string // blob, tree, commit, tag
	size    int64
	data    []byte // at most the limit that was asked for
	missing bool   // git does not have it, or the name leads nowhere
}

// objects reads the named objects with one git process and calls yield for each, in order. A spec is an object id, with
// ":" behind it for the root tree of a commit, or ":path" for a tree below. At most limit bytes of each are kept; limit 0
// reads sizes only.
func (v *view) objects(ctx context.Context, specs []string, limit int64, yield func(i int, o object) error) error {
	if len(specs) == 0 {
		return nil
	}
	for _, spec := range specs {
		if strings.ContainsAny(spec, "\n\x00") {
			return errors.New("an object name with a line break cannot be asked for")
		}
	}
	mode := "--batch"
	if limit == 0 {
		mode = "--batch-check"
	}
	stdin := strings.NewReader(strings.Join(specs, "\n") + "\n")
	return v.git.stream(ctx, v.dir, stdin, func(r io.Reader) error {
		buffered := bufio.NewReaderSize(r, 64<<10)
		for i := range specs {
			o, err := readObject(buffered, limit)
			if err != nil {
				return fmt.Errorf("reading objects: %w", err)
			}
			if err := yield(i, o); err != nil {
				return err
			}
		}
		return nil
	}, "cat-file", mode)
}

// readObject reads one answer: "<id> <type> <size>\n<data>\n", "<id> <type> <size>\n" or "<spec> missing\n".
func readObject(r *bufio.Reader, limit int64) (object, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return object{}, fmt.Errorf("git ended early: %w", err)
	}
	fields := strings.Fields(line)
	if len(fields) < 3 || strings.HasSuffix(line, " missing\n") || strings.HasSuffix(line, " ambiguous\n") {
		return object{missing: true}, nil
	}
	o := object{id: fields[0], kind: fields[1]}
	if o.size, err = strconv.ParseInt(fields[2], 10, 64); err != nil || o.size < 0 || !isObjectID(o.id) {
		return object{}, fmt.Errorf("unexpected answer %q", clip(line, 80))
	}
	if limit == 0 {
		return o, nil
	}
	o.data = make([]byte, min(o.size, limit))
	if _, err := io.ReadFull(r, o.data); err != nil {
		return object{}, fmt.Errorf("git ended early: %w", err)
	}
	if _, err := io.CopyN(io.Discard, r, o.size-int64(len(o.data))+1); err != nil {
		return object{}, fmt.Errorf("git ended early: %w", err)
	}
	return o, nil
}

// blobs reads files by object id: sizes first, so that nothing larger than limit is ever unpacked. The result has no
// entry for blobs that are missing or too large. Blobs that our own partial clone lacks are fetched in one request.
func (v *view) blobs(ctx context.Context, ids []string, limit int64) (map[string][]byte, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, missing, err := v.sizes(ctx, ids, limit)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 && v.promise != nil {
		if err := v.want(ctx, alone, missing); err != nil {
			return nil, err
		}
		if found, _, err = v.sizes(ctx, ids, limit); err != nil {
			return nil, err
		}
	}
	out := make(map[string][]byte, len(found))
	err = v.objects(ctx, found, limit, func(_ int, o object) error {
		if !o.missing && o.kind == "blob" {
			out[o.id] = o.data
		}
		return nil
	})
	return out, err
}

// sizes splits ids into blobs within the limit and missing ones; larger blobs are in neither.
func (v *view) sizes(ctx context.Context, ids []string, limit int64) (found, missing []string, err error) {
	err = v.objects(ctx, ids, 0, func(i int, o object) error {
		switch {
		case o.missing:
			missing = append(missing, ids[i])
		case o.kind == "blob" && o.size <= limit:
			found = append(found, ids[i])
		}
		return nil
	})
	return found, missing, err
}

// treeEntry is one line of a tree object.
type treeEntry struct{ mode, name, id string }

// parseTree reads the binary form of a tree: "<mode> <name>\0<id>", repeated. What follows a damaged entry is left out.
func parseTree(data []byte, idBytes int) []treeEntry {
	var out []treeEntry
	for e := range treeEntries(data, idBytes) {
		out = append(out, treeEntry{mode: string(e.mode), name: string(e.name), id: hex.EncodeToString(e.id)})
	}
	return out
}

// rawEntry is an entry of a tree object, as parts of its bytes.
type rawEntry struct{ mode, name, id []byte }

// treeEntries goes through a tree object without copying, until it ends or is damaged.
func treeEntries(data []byte, idBytes int) iter.Seq[rawEntry] {
	return func(yield func(rawEntry) bool) {
		for len(data) > 0 {
			space := bytes.IndexByte(data, ' ')
			end := bytes.IndexByte(data, 0)
			if space <= 0 || end <= space || len(data) < end+1+idBytes {
				return
			}
			if !yield(rawEntry{data[:space], data[space+1 : end], data[end+1 : end+1+idBytes]}) {
				return
			}
			data = data[end+1+idBytes:]
		}
	}
}

// header is the part of a commit or tag object before its message.
type header struct {
	target, targetKind string // of a tag
	when               int64  // committer or tagger date, seconds
	signed             bool   // a tag: carries a signature (not verified)
}

var signatures = [][]byte{
	[]byte("-----BEGIN PGP SIGNATURE-----"), []byte("-----BEGIN SSH SIGNATURE-----"), []byte("-----BEGIN SIGNED MESSAGE-----"),
	[]byte("-----BEGIN PGP MESSAGE-----"),
}

// parseHeader reads the raw form of a commit or tag. ok is false if the date or the target is missing.
func parseHeader(kind string, data []byte) (h header, ok bool) {
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	dated := false
	for line := range bytes.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch {
		case kind == "tag" && key == "object":
			h.target = value
		case kind == "tag" && key == "type":
			h.targetKind = value
		case kind == "tag" && key == "tagger", kind == "commit" && key == "committer":
			h.when, dated = dateOf(value)
		}
	}
	for _, mark := range signatures {
		if kind == "tag" && (bytes.HasPrefix(body, mark) || bytes.Contains(body, append([]byte("\n"), mark...))) {
			h.signed = true
		}
	}
	if kind == "tag" {
		return h, isObjectID(h.target) // very old tags have no date; their commit's counts
	}
	return h, dated
}

// dateOf reads the seconds of "name <address> seconds offset".
func dateOf(ident string) (int64, bool) {
	fields := strings.Fields(ident[strings.LastIndexByte(ident, '>')+1:])
	if len(fields) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	return n, err == nil
}
