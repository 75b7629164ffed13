package visit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// HandedOptions name evidence that somebody handed over as files.
type HandedOptions struct {
	Dir  string // of the stack file; nothing outside of it is read
	Name string // of a file or directory below it, e.g. evidence/status
	At   time.Time
	Keep audit.Keep // nil: nobody keeps what is read
	// Limit is the most bytes of a file for which the request sets none; 0: 8 MiB.
	Limit int64
}

// Handed returns a function that answers from a file or a directory instead of asking anybody. A directory answers by the
// longest end of the path of an address that names a file in it: for /api/v2/summary.json that file below it, or
// summary.json; for an address without a last part index.html, index.json and the like. A single file answers the address
// that is asked first, and any with the same last part. Since a file cannot tell two questions apart, it answers only the
// query that it was asked first with, unless its name ends with that query: query_range?query=up. What was handed over only as
// something else is not handed over. The error names what is wrong with the name, and no path of this machine.
func Handed(opt HandedOptions) (audit.Ask, error) {
	fail := func(why string) (audit.Ask, error) {
		return nil, fmt.Errorf("reading handed-over evidence %q: %s", line(opt.Name, 200), why)
	}
	name := path.Clean(strings.ReplaceAll(opt.Name, "\\", "/"))
	if opt.Name == "" || !fs.ValidPath(name) {
		return fail("it is no name below the directory of the stack file; write it like evidence/status.json")
	}
	root, err := os.OpenRoot(orHere(opt.Dir))
	if err != nil {
		return fail("the directory of the stack file cannot be read")
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("no such file")
	case err != nil:
		return fail("it cannot be read, or leads out of the directory of the stack file")
	case !info.IsDir() && !info.Mode().IsRegular():
		return fail("it is neither a regular file nor a directory")
	}
	if opt.Limit <= 0 {
		opt.Limit = defaultLimit
	}
	opt.Name = name
	h := &handed{opt: opt, single: !info.IsDir(), bound: map[string]string{}}
	return h.ask, nil
}

func orHere(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

type handed struct {
	opt    HandedOptions
	single bool

	mu    sync.Mutex
	first string            // of a single file: last part of the address that was asked first
	bound map[string]string // file to the query that it answers
}

func (h *handed) ask(ctx context.Context, r audit.Request) audit.Answer {
	seen := audit.Seen{URL: Masked(r.URL), Handed: h.opt.Name, At: h.opt.At.UTC().Truncate(time.Second)}
	if r.Method != "" && r.Method != http.MethodGet {
		seen.Method = r.Method
	}
	fail := func(t *audit.Trouble) audit.Answer {
		seen.Trouble = t
		return audit.Answer{Seen: seen}
	}
	if ctx.Err() != nil {
		return fail(interrupted())
	}
	u, err := url.Parse(r.URL)
	if err != nil || len(r.URL) > mostURL {
		return fail(&audit.Trouble{Kind: audit.TroubleAddress, Text: "the address cannot be read"})
	}
	root, err := os.OpenRoot(orHere(h.opt.Dir))
	if err != nil {
		return fail(unreadable(h.opt.Name))
	}
	defer root.Close()
	names := h.candidates(u)
	if seen.Method != "" {
		names = nil
	}
	for _, name := range names {
		data, err := readFile(root, name, h.limit(r))
		if errors.Is(err, errNoFile) {
			continue
		}
		seen.Handed = name
		switch {
		case errors.Is(err, errTooLong):
			return fail(tooLarge(h.limit(r)))
		case err != nil:
			return fail(unreadable(name))
		case !h.bind(name, u):
			continue
		}
		return h.answer(ctx, r, seen, data, u)
	}
	seen.Handed = h.opt.Name
	return fail(&audit.Trouble{Kind: audit.TroubleNotHanded, Text: "it is not among the files that were handed over (" + line(h.opt.Name, 200) + ")",
		Settle: "hand over as a file what " + seen.URL + " shows"})
}

func unreadable(name string) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleContent, Text: "the handed-over file " + line(name, 200) + " cannot be read", Settle: "hand it over as a regular file"}
}

func (h *handed) limit(r audit.Request) int64 {
	if r.Limit <= 0 {
		return h.opt.Limit
	}
	return min(r.Limit, mostBytes)
}

func (h *handed) answer(ctx context.Context, r audit.Request, seen audit.Seen, data []byte, u *url.URL) audit.Answer {
	media, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(seen.Handed)))
	if known, ok := extensions[strings.ToLower(path.Ext(seen.Handed))]; ok {
		media = known // the tables of machines differ
	} else if err != nil {
		media = ""
	}
	seen.Headers = map[string]string{"content-type": mediaOr(media, data)}
	seen.Trouble = readable(r.Accept, media, data, u)
	return keeper{keep: h.opt.Keep, log: silence()}.kept(ctx, r, seen, data, audit.Blob{
		Kind: "raw", Name: line(seen.Handed, 300), MediaType: mediaOr(media, data),
		Origin: audit.Origin{Source: "handed", Path: seen.Handed, At: seen.At},
	})
}

// extensions are the media types of the documents that operators hand over.
var extensions = map[string]string{
	".json": "application/json", ".xml": "application/xml", ".rss": "application/rss+xml", ".atom": "application/atom+xml", ".html": "text/html",
	".htm": "text/html", ".md": "text/markdown", ".markdown": "text/markdown", ".txt": "text/plain", ".asc": "text/plain", ".yaml": "application/yaml",
	".yml": "application/yaml", ".csv": "text/csv", ".pdf": "application/pdf", ".log": "text/plain",
}

// candidates are the files that may answer an address, best first.
func (h *handed) candidates(u *url.URL) []string {
	parts := elements(u)
	if h.single {
		return h.singleFor(last(parts))
	}
	var out []string
	for i := range parts {
		end := path.Join(parts[i:]...)
		if u.RawQuery != "" {
			out = append(out, end+"?"+u.RawQuery)
		}
		out = append(out, end)
		for _, ext := range []string{".json", ".html", ".xml"} { // an API has names without an extension
			if path.Ext(end) == "" {
				out = append(out, end+ext)
			}
		}
		out = append(out, indexes(end)...)
	}
	if len(parts) == 0 {
		out = indexes("")
	}
	for i, name := range out {
		out[i] = path.Join(h.opt.Name, name)
	}
	return out
}

func indexes(dir string) []string {
	var out []string
	for _, ext := range []string{"html", "json", "xml", "md"} {
		out = append(out, path.Join(dir, "index."+ext))
	}
	return out
}

func (h *handed) singleFor(end string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end == path.Base(h.opt.Name) {
		return []string{h.opt.Name}
	}
	if h.first == "" {
		h.first = "/" + end
	}
	if h.first == "/"+end {
		return []string{h.opt.Name}
	}
	return nil
}

// bind reports whether a file may answer the query of an address: the one that it was asked first with, or the one in its name.
func (h *handed) bind(name string, u *url.URL) bool {
	if u.RawQuery != "" && strings.HasSuffix(name, "?"+u.RawQuery) {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	query, ok := h.bound[name]
	if !ok {
		h.bound[name] = u.RawQuery
		return true
	}
	return query == u.RawQuery
}

// elements are the parts of the path of an address that may be names of files; file:NAME has the name alone.
func elements(u *url.URL) []string {
	text := u.Path
	if u.Opaque != "" {
		if plain, err := url.PathUnescape(u.Opaque); err == nil {
			text = plain
		}
	}
	var out []string
	for part := range strings.SplitSeq(text, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\\") {
			continue
		}
		out = append(out, part)
	}
	if len(out) > 32 { // nobody nests so deep
		out = out[len(out)-32:]
	}
	return out
}

func last(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

var (
	errNoFile  = errors.New("there is no such file")
	errTooLong = errors.New("the file is longer than is read")
)

// readFile reads a regular file below a directory. Symbolic links lead nowhere outside of it; a pipe is not waited for.
func readFile(root *os.Root, name string, limit int64) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil || info.IsDir() {
		return nil, errNoFile
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, errTooLong
	}
	return data, err
}
