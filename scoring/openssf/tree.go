package openssf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pegel-audit/pegel/scoring"
)

// tree is the files of a revision and their contents, read when they are needed. It is safe for concurrent use.
type tree struct {
	source Source
	paths  []string // sorted
	files  map[string]scoring.File

	mu      sync.Mutex
	cache   map[string][]byte // by object id
	order   []string          // of cache, oldest first
	cached  int64             // bytes in cache
	fetched bool
}

func newTree(ctx context.Context, source Source) (*tree, error) {
	files, err := source.Files(ctx)
	if err != nil {
		return nil, err
	}
	if len(files) > maxFiles {
		return nil, fmt.Errorf("there are %d files, more than %d", len(files), maxFiles)
	}
	t := &tree{source: source, files: make(map[string]scoring.File, len(files)), cache: map[string][]byte{}}
	for _, f := range files {
		f.Path = t.free(strings.ToValidUTF8(f.Path, "\uFFFD"))
		t.files[f.Path] = f
		t.paths = append(t.paths, f.Path)
	}
	slices.Sort(t.paths)
	return t, nil
}

// free returns the path, or one beside it if two paths differ only in bytes that are not UTF-8: neither may hide the other.
func (t *tree) free(name string) string {
	dir, base := path.Split(name)
	for i := 2; ; i++ {
		if _, taken := t.files[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s%d-%s", dir, i, base)
	}
}

// any reports whether a path satisfies the condition.
func (t *tree) any(is func(string) bool) bool { return slices.ContainsFunc(t.paths, is) }

// errLarge says that a file which a check would have to judge is too large.
var errLarge = errors.New("is too large or too deep to be judged")

// view says what a check does with files.
type view int

const (
	words   view = iota // looks for words in them, and parses workflows and container files
	heads               // looks at their first bytes
	scripts             // parses workflows, container files and shell scripts
)

// contents returns what a check may see of a file: all of it, or nothing of one that could not change its answer. It fails
// for a file that could, and that is too large or too deep for the parsers of the library.
func (t *tree) contents(ctx context.Context, name string, v view) ([]byte, error) {
	f, ok := t.files[name]
	if !ok {
		return nil, fmt.Errorf("%q is not a file of the revision", shown(name))
	}
	if err := t.fetch(ctx); err != nil {
		return nil, fmt.Errorf("fetching files: %w", err)
	}
	// Bytes that are no text let the library go by the name of what is too large to be unpacked.
	data := make([]byte, 8)
	if f.Size <= maxHead {
		var err error
		if data, err = t.read(ctx, f.ID); err != nil {
			return nil, fmt.Errorf("reading %q: %w", shown(name), err)
		}
	}
	large := f.Size > maxText || len(data) > maxText
	switch {
	case v == heads:
		return data[:min(len(data), headBytes)], nil
	case isParsed(name):
		if large || tooDeep(data) {
			return nil, fmt.Errorf("%q %w", shown(name), errLarge)
		}
	case v == scripts:
		if !isShell(name, data) || !large && !downloads.Match(data) {
			return nil, nil
		}
		if large || tooDeep(data) {
			return nil, fmt.Errorf("script %q %w", shown(name), errLarge)
		}
	case large:
		return nil, nil
	}
	return data, nil
}

// isParsed reports whether the library parses files of that name: workflows, container files, settings of NuGet.
func isParsed(name string) bool {
	base := strings.ToLower(path.Base(name))
	return isWorkflow(name) || strings.Contains(base, "dockerfile") || strings.HasSuffix(base, ".props") ||
		strings.HasSuffix(base, ".csproj")
}

// isShell covers what the library takes for a shell script.
func isShell(name string, data []byte) bool {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.HasPrefix(first, []byte("#!")) && bytes.Contains(bytes.ToLower(first), []byte("sh")) ||
		strings.HasSuffix(name, ".sh") || strings.HasSuffix(name, ".bash") || strings.HasSuffix(name, ".mksh")
}

// downloads covers the commands by which the library knows downloads and installations
// (checks/raw/shell_download_validate.go): a script without them has nothing that could be pinned.
var downloads = regexp.MustCompile(`(?i)curl|wget|gsutil|aws|npm|choco|nuget|dotnet|msbuild|pip|\bgo\b`)

// The parser of shell scripts calls itself for each bracket and operator, with up to 4 KiB of stack for each, and Go ends
// a program whose stack passes 512 MiB. These bounds keep it below 300 MiB; no counting of brackets that open and close
// could, since quotes hide them.
const (
	maxScript = 256 << 10
	maxSigns  = 48 << 10 // bytes that may open a level
)

func tooDeep(data []byte) bool {
	if len(data) > maxScript {
		return true
	}
	signs := 0
	for _, c := range data {
		if strings.IndexByte("([{$`\"'!-+~?=*/%<>&|^,:", c) >= 0 {
			signs++
		}
	}
	return signs > maxSigns
}

// read returns an object, or more than maxText bytes of its beginning, from the cache if it can.
func (t *tree) read(ctx context.Context, id string) ([]byte, error) {
	t.mu.Lock()
	data, ok := t.cache[id]
	t.mu.Unlock()
	if ok {
		return data, nil
	}
	data, err := t.source.Read(ctx, id, maxHead)
	if err != nil {
		return nil, err
	}
	if len(data) > maxText {
		data = bytes.Clone(data[:maxText+1])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.cache[id]; !ok {
		t.cache[id] = data
		t.order = append(t.order, id)
		t.cached += int64(len(data))
	}
	for t.cached > maxCache && len(t.order) > 1 {
		t.cached -= int64(len(t.cache[t.order[0]]))
		delete(t.cache, t.order[0])
		t.order = t.order[1:]
	}
	return data, nil
}

// fetch gets all contents that a partial clone lacks in one request, before the first is read.
func (t *tree) fetch(ctx context.Context) error {
	source, ok := t.source.(fetcher)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !ok || t.fetched {
		return nil
	}
	var ids []string
	for _, name := range t.paths {
		if f := t.files[name]; f.Size < 0 {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) > 0 {
		if err := source.Fetch(ctx, ids); err != nil {
			return err
		}
	}
	t.fetched = true
	return nil
}

// lazy reads a file when its first byte is asked for: one check opens every file and reads only those called pom.xml.
type lazy struct {
	open func() ([]byte, error)
	data *bytes.Reader
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.data == nil {
		data, err := l.open()
		if err != nil {
			return 0, err
		}
		l.data = bytes.NewReader(data)
	}
	return l.data.Read(p)
}

func (l *lazy) Close() error { return nil }

var _ io.ReadCloser = (*lazy)(nil)

// isWorkflow matches what the library takes for a workflow of GitHub.
func isWorkflow(name string) bool {
	dir, base := path.Split(strings.ToLower(name))
	return dir == ".github/workflows/" && (strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml"))
}
