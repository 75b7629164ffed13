package scan

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/sbom"
)

// trace is everything that was asked of a view while its packages were read: patterns and paths, whatever the answer. What
// changes none of the answers cannot change the packages.
type trace struct {
	mu    sync.Mutex
	globs map[string]bool
	paths map[string]bool
	all   bool // every path was asked for
}

func newTrace() *trace { return &trace{globs: map[string]bool{}, paths: map[string]bool{}} }

func (t *trace) glob(pattern string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.globs[normal(pattern)] = true
}

func (t *trace) path(p string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paths[p] = true
}

func (t *trace) everything() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = true
}

// result is what was read of the packages of one chain of layers, with what tells whether it holds for a longer one.
type result struct {
	Globs    []string            `json:"globs"`
	Paths    []string            `json:"paths"`
	All      bool                `json:"all,omitempty"`
	Aliases  map[string][]string `json:"aliases"` // directories that links lead to, and these links
	Broken   []string            `json:"broken"`  // links that lead nowhere
	Packages sbom.Packages       `json:"packages"`
}

func resultOf(v *view, p sbom.Packages) result {
	r := result{All: v.trace.all, Aliases: v.globs.aliases, Broken: v.globs.broken, Packages: p}
	for pattern := range v.trace.globs {
		r.Globs = append(r.Globs, pattern)
	}
	for asked := range v.trace.paths {
		r.Paths = append(r.Paths, asked)
	}
	slices.Sort(r.Globs)
	slices.Sort(r.Paths)
	return r
}

// memo keeps results by the chain of layers, the way of reading and the version of syft: in memory for this process, and
// beside the layers.
type memo struct {
	store *store
	depth string

	mu      sync.Mutex
	results map[string]*result
	order   []string
}

// mostResults is how many results stay in memory; one of a large image has about 3 MB.
const mostResults = 32

// resultFormat changes with the form of a result. What is in it changes with every change of this program, so results of
// one build never serve another.
const resultFormat = "pegel result 1 " + Tool

// program names this build: by the revision that it was built from, or by the file that runs where the revision does not tell
// (a build of changed sources, a test).
var program = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	settings := map[string]string{}
	if ok {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	if settings["vcs.revision"] != "" && settings["vcs.modified"] == "false" {
		return settings["vcs.revision"]
	}
	if ok && info.Main.Version != "" && info.Main.Version != "(devel)" && settings["vcs.modified"] != "true" {
		return info.Main.Version
	}
	name, err := os.Executable()
	if err != nil {
		return "unknown " + rand.Text()
	}
	file, err := os.Stat(name)
	if err != nil {
		return "unknown " + rand.Text()
	}
	return fmt.Sprint("file ", file.Size(), " ", file.ModTime().UnixNano())
})

// key names the result of the lowest n layers.
func (m *memo) key(layers []*layer, n int) string {
	h := sha256.New()
	fmt.Fprintln(h, resultFormat, program(), m.depth)
	for _, l := range layers[:n] {
		fmt.Fprintln(h, l.diffID)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// image returns the packages of an image that was read before, by the digest of its manifest: then even its layers need not be
// taken from the store.
func (m *memo) image(manifest v1.Hash) (sbom.Packages, bool) {
	raw, err := os.ReadFile(m.imageFile(manifest))
	if err != nil || len(raw) != sha256.Size*2 || strings.Trim(string(raw), "0123456789abcdef") != "" {
		return sbom.Packages{}, false
	}
	r := m.load(string(raw))
	if r == nil {
		return sbom.Packages{}, false
	}
	return r.Packages, true
}

// saveImage notes under which key the result of an image lies, which holds for n of its layers.
func (m *memo) saveImage(manifest v1.Hash, layers []*layer, n int) {
	if os.MkdirAll(filepath.Dir(m.imageFile(manifest)), 0o700) == nil {
		_ = m.store.work.publish(m.imageFile(manifest), []byte(m.key(layers, n))) // only a saving of time
	}
}

func (m *memo) imageFile(manifest v1.Hash) string {
	sum := sha256.Sum256(fmt.Appendln(nil, resultFormat, program(), m.depth, manifest))
	return filepath.Join(m.store.dir, "images", hex.EncodeToString(sum[:]))
}

// find returns the packages of the layers of a tree, if they were read before, or those of fewer layers if the others
// bring nothing that was asked for, and how many layers that are.
func (m *memo) find(t *tree) (p sbom.Packages, layers int, ok bool) {
	for n := len(t.layers); n > 0; n-- {
		if n < len(t.layers) && !t.gentle(n) {
			return sbom.Packages{}, 0, false
		}
		if r := m.load(m.key(t.layers, n)); r != nil && (n == len(t.layers) || r.holds(t, n, m.depth)) {
			return r.Packages, n, true
		}
	}
	return sbom.Packages{}, 0, false
}

// mostAdded is how many entries a layer may have to be compared with a trace: beyond it, reading anew is as good.
const mostAdded = 2000

// gentle reports whether layer n, counted from 0, only adds directories and files or replaces files by files.
func (t *tree) gentle(n int) bool {
	return !t.changes[n].rough && len(t.layers[n].entries) <= mostAdded
}

// holds reports whether none of the answers in the trace is another one with the layers from n on.
func (r *result) holds(t *tree, n int, depth string) bool {
	if r.All {
		return false
	}
	added := map[*node]bool{}
	g := globs{tree: t, aliases: r.Aliases}
	g.left.Store(mostNames)
	for _, c := range t.changes[n:] {
		for _, node := range c.added {
			added[node] = true
			if node.isDir() && !strings.Contains(node.path, nixStore) {
				continue
			}
			if !node.isRegular() || node.entry.mime != "" || fileKind(node, depth) != "" {
				return false
			}
			matched := false
			g.names(node.path, 2, func(name string) { matched = matched || r.asksFor(name) })
			if matched {
				return false
			}
		}
	}
	return !slices.ContainsFunc(r.Broken, func(p string) bool { return t.find(p, true) != nil }) &&
		!slices.ContainsFunc(r.Paths, func(p string) bool { return added[t.find(p, true)] })
}

func (r *result) asksFor(name string) bool {
	return slices.ContainsFunc(r.Globs, func(pattern string) bool {
		ok, err := doublestar.Match(pattern, name)
		return ok || err != nil
	})
}

func (m *memo) load(key string) *result {
	m.mu.Lock()
	r := m.results[key]
	m.mu.Unlock()
	if r != nil {
		return r
	}
	raw, err := os.ReadFile(m.file(key))
	if err != nil {
		return nil
	}
	sum, body, ok := strings.Cut(string(raw), "\n")
	if have := sha256.Sum256([]byte(body)); !ok || hex.EncodeToString(have[:]) != sum {
		return nil
	}
	r = new(result)
	if json.Unmarshal([]byte(body), r) != nil {
		return nil
	}
	touch(m.file(key))
	m.remember(key, r)
	return r
}

func (m *memo) remember(key string, r *result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.results[key]; !ok {
		m.order = append(m.order, key)
	}
	m.results[key] = r
	if len(m.order) > mostResults {
		delete(m.results, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memo) file(key string) string { return filepath.Join(m.store.dir, "results", key+".json") }

// save keeps a result. It is only a saving of time: what cannot be written is read anew next time.
func (m *memo) save(layers []*layer, r result) {
	key := m.key(layers, len(layers))
	m.remember(key, &r)
	body, err := json.Marshal(r)
	if err != nil {
		return
	}
	sum := sha256.Sum256(body)
	if os.MkdirAll(filepath.Dir(m.file(key)), 0o700) != nil {
		return
	}
	if m.store.work.publish(m.file(key), append([]byte(hex.EncodeToString(sum[:])+"\n"), body...)) == nil {
		m.store.evict(key)
	}
}
