package scan

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// extracted is one entry of a file system as a container sees it. Hard links are the files that they name.
type extracted struct {
	Kind   byte // type flag of tar; a hard link has that of what it names
	Mode   int64
	Size   int64
	Link   string // target of a symbolic link
	SHA256 string // of a regular file
}

// extraction is a file system by path, without a slash at either end; the root itself is left out.
type extraction map[string]extracted

// extract is the reference: it applies layers as the OCI image specification says (layer.md, "Applying Changesets"), in
// memory, one entry after the other. Deletions of a layer come before its additions and concern the layers below.
func extract(t testing.TB, layers [][]byte) extraction {
	t.Helper()
	tree := extraction{}
	for _, layer := range layers {
		tree.delete(t, layer)
		for r := tar.NewReader(bytes.NewReader(layer)); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if name := cleaned(h.Name); name != "." && !strings.HasPrefix(path.Base(name), ".wh.") {
				tree.add(t, name, h, r)
			}
		}
	}
	return tree
}

func cleaned(name string) string { return path.Clean(strings.TrimPrefix(path.Clean("/"+name), "/")) }

// delete applies the whiteouts of a layer to what lies below.
func (e extraction) delete(t testing.TB, layer []byte) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		real, _, ok := e.resolve(cleaned(h.Name))
		if !ok {
			continue
		}
		dir, base := path.Split(real)
		switch name, whiteout := strings.CutPrefix(base, ".wh."); {
		case base == ".wh..wh..opq":
			e.removeBelow(path.Clean(dir))
		case whiteout:
			e.remove(path.Join(dir, name))
		}
	}
}

func (e extraction) remove(name string) {
	delete(e, name)
	e.removeBelow(name)
}

func (e extraction) removeBelow(dir string) {
	for name := range e {
		if dir == "." || strings.HasPrefix(name, dir+"/") {
			delete(e, name)
		}
	}
}

// resolve follows the symbolic links in the directories of a path inside the root, as a system call of a process that has
// changed its root does. It returns the path without links, and the links; false if a file or too many links are in the way,
// or if the way leads up again from what is not there.
func (e extraction) resolve(name string) (real string, links []string, ok bool) {
	at, missing := ".", false
	for rest := strings.Split(path.Dir(name), "/"); len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		next := path.Join(at, part)
		switch below, there := e[next]; {
		case part == "" || part == ".":
		case part == ".." && missing:
			return "", nil, false
		case part == "..":
			at = path.Dir(at)
		case !there || below.Kind == tar.TypeDir:
			at, missing = next, !there
		case below.Kind != tar.TypeSymlink || len(links) == 20:
			return "", nil, false
		default:
			links = append(links, next)
			rest = append(strings.Split(below.Link, "/"), rest...)
			if path.IsAbs(below.Link) {
				at = "."
			}
		}
	}
	return path.Join(at, path.Base(name)), links, true
}

func (e extraction) add(t testing.TB, name string, h *tar.Header, contents io.Reader) {
	t.Helper()
	name, _, ok := e.resolve(name)
	if !ok {
		t.Fatalf("%q lies below something that is no directory", h.Name)
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := e[dir]; !ok {
			e[dir] = extracted{Kind: tar.TypeDir, Mode: 0o755}
		}
	}
	n := extracted{Kind: h.Typeflag, Mode: h.Mode & 0o7777}
	switch h.Typeflag {
	case tar.TypeReg:
		raw, err := io.ReadAll(contents)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		n.Size, n.SHA256 = int64(len(raw)), hex.EncodeToString(sum[:])
	case tar.TypeLink:
		real, _, _ := e.resolve(cleaned(h.Linkname))
		target, ok := e[real]
		if !ok {
			t.Fatalf("%q is a hard link to %q, which is not there", name, h.Linkname)
		}
		n = target
	case tar.TypeSymlink:
		n.Link, n.Mode = h.Linkname, 0o777 // the mode of a symbolic link is never used
	}
	if below, ok := e[name]; ok && (below.Kind != tar.TypeDir || n.Kind != tar.TypeDir) {
		e.remove(name)
	}
	e[name] = n
}

// stack makes random layers that meet each other often: few names, each as everything that it can be.
type stack struct {
	random *rand.Rand
	// strict leaves out what container engines refuse or do differently: two entries of one name in a layer, a name that one
	// layer both deletes and has, and entries whose directory is in no layer.
	strict bool
}

var oddNames = []string{"a", "b", "A", "usr", "lib", "x y", "ä", "\u0065\u0301", "-", "..a", "a\nb", "wh.a", "\xff", "*?[",
	strings.Repeat("long-", 20), strings.Repeat("n", 120), strings.Repeat("m", 200)}

func (s stack) pick(names []string) string { return names[s.random.IntN(len(names))] }

func (s stack) path() string {
	parts := []string{s.pick(oddNames[:8])}
	for s.random.IntN(3) > 0 && len(parts) < 5 {
		parts = append(parts, s.pick(oddNames))
	}
	return strings.Join(parts, "/")
}

// layers returns uncompressed tar files.
func (s stack) layers(t testing.TB, count, changes int) [][]byte {
	t.Helper()
	var all [][]byte
	below := extraction{}
	for range count {
		l := layerWriter{t: t, stack: s, written: map[string]byte{}, deleted: map[string]bool{}, modes: map[string]int64{}}
		l.format = []tar.Format{tar.FormatUnknown, tar.FormatPAX, tar.FormatGNU}[s.random.IntN(3)]
		l.tar = tar.NewWriter(&l.out)
		for range s.random.IntN(changes) + 1 {
			l.change(below)
		}
		if err := l.tar.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, l.out.Bytes())
		below = extract(t, all)
	}
	return all
}

type layerWriter struct {
	t       testing.TB
	stack   stack
	format  tar.Format
	out     bytes.Buffer
	tar     *tar.Writer
	written map[string]byte  // paths that the layer has, with their type flags
	deleted map[string]bool  // paths that it deletes
	files   []string         // regular files that it has, as targets of hard links
	modes   map[string]int64 // of them
}

// change writes one random change: something new or changed, or, if there is anything below, a deletion.
func (l *layerWriter) change(below extraction) {
	if len(below) > 0 && l.stack.random.IntN(4) == 0 {
		l.deletion(below)
		return
	}
	name := l.stack.path()
	if below := below.links(); len(below) > 0 && l.stack.random.IntN(6) == 0 {
		name = path.Join(l.stack.pick(below), l.stack.pick(oddNames))
	}
	if l.stack.strict && (l.written[name] != 0 || !l.free(name)) {
		return
	}
	behind := l.behindLinks(name, below)
	if !behind {
		l.parents(name, below)
	}
	h := tar.Header{Name: name, Mode: int64(l.stack.random.IntN(0o10000)) | 0o400, Typeflag: tar.TypeReg}
	text := ""
	switch kind := l.stack.random.IntN(10); {
	case kind < 4:
		text = strings.Repeat(fmt.Sprintf("%d ", l.stack.random.Uint32()), l.stack.random.IntN(400))
	case kind < 6:
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case kind < 8:
		h.Typeflag, h.Linkname = tar.TypeSymlink, l.stack.pick([]string{"a", "../b", "/usr/lib", "lib/../usr", "nowhere/at all", "../../../../etc", l.stack.path(), strings.Repeat("d/", 90)})
	case kind < 9 && len(l.files) > 0:
		h.Typeflag, h.Linkname = tar.TypeLink, l.stack.pick(l.files)
		if h.Linkname == name || strings.HasPrefix(h.Linkname, name+"/") {
			return // it would replace what it names
		}
		h.Mode = l.modes[h.Linkname] // as every builder writes it: it is the same file
	default:
		h.Typeflag = tar.TypeFifo
	}
	l.write(h, text)
	if !behind && h.Typeflag == tar.TypeReg {
		l.files = append(l.files, name)
		l.modes[name] = h.Mode
	}
}

// links returns the symbolic links, sorted.
func (e extraction) links() []string {
	var names []string
	for name, n := range e {
		if n.Kind == tar.TypeSymlink {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// behindLinks reports whether a path leads through symbolic links to a directory of the layers below. The layer may then
// have it without the directories in between: what is on the way is taken as written, so that nothing changes it later.
func (l *layerWriter) behindLinks(name string, below extraction) bool {
	real, links, ok := below.resolve(name)
	if !ok || len(links) == 0 || below[path.Dir(real)].Kind != tar.TypeDir || l.writtenBelow(real) || !l.free(real) {
		return false
	}
	for _, link := range links {
		if l.written[link] != 0 || !l.free(link) {
			return false
		}
	}
	for _, link := range links {
		l.written[link] = tar.TypeSymlink
	}
	l.written[real] = tar.TypeReg
	return true
}

// free reports whether the layer can still have the path: it deletes nothing on the way, and what it has there are directories.
func (l *layerWriter) free(name string) bool {
	if l.deleted[name] {
		return false
	}
	for p := path.Dir(name); p != "."; p = path.Dir(p) {
		if l.deleted[p] || l.written[p] != 0 && l.written[p] != tar.TypeDir {
			return false
		}
	}
	return true
}

func (l *layerWriter) writtenBelow(name string) bool {
	for w := range l.written {
		if w == name || strings.HasPrefix(w, name+"/") {
			return true
		}
	}
	return false
}

// deletion writes a whiteout of something below, or one that empties its directory.
func (l *layerWriter) deletion(below extraction) {
	name := l.stack.pick(slices.Sorted(maps.Keys(below)))
	if l.stack.strict && (l.writtenBelow(name) || !l.free(name)) {
		return
	}
	marker := path.Join(path.Dir(name), ".wh."+path.Base(name))
	if l.stack.random.IntN(4) == 0 {
		marker = path.Join(path.Dir(name), ".wh..wh..opq")
	}
	if l.stack.strict && l.written[marker] != 0 {
		return
	}
	l.deleted[name] = l.deleted[name] || path.Base(marker) != ".wh..wh..opq"
	l.parents(name, below)
	l.write(tar.Header{Name: marker, Typeflag: tar.TypeReg, Mode: 0o600}, "")
}

// parents writes the directories above, as every builder does; where tests are not strict, some that are directories anyway
// are left out.
func (l *layerWriter) parents(name string, below extraction) {
	var dirs []string
	plain := true
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
		was, there := below[dir]
		plain = plain && (!there || was.Kind == tar.TypeDir) && (l.written[dir] == 0 || l.written[dir] == tar.TypeDir)
	}
	for _, dir := range dirs {
		if l.stack.strict && l.written[dir] != 0 || !l.stack.strict && plain && l.stack.random.IntN(5) == 0 {
			continue
		}
		l.write(tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755}, "")
	}
}

func (l *layerWriter) write(h tar.Header, text string) {
	l.t.Helper()
	h.Size, h.Format = int64(len(text)), l.format
	if l.stack.random.IntN(3) == 0 {
		h.Name = "./" + h.Name
	}
	if err := l.tar.WriteHeader(&h); err != nil {
		l.t.Fatal(err)
	}
	if _, err := io.WriteString(l.tar, text); err != nil {
		l.t.Fatal(err)
	}
	name := cleaned(h.Name)
	l.written[name] = h.Typeflag
	l.files = without(l.files, name, h.Typeflag == tar.TypeDir)
}

// without drops what an entry of this name replaces: itself, and what lies below unless it is a directory too.
func without(files []string, name string, isDir bool) []string {
	var kept []string
	for _, f := range files {
		if f != name && (isDir || !strings.HasPrefix(f, name+"/")) {
			kept = append(kept, f)
		}
	}
	return kept
}

// unpackedBy reads a directory that a container engine unpacked.
func unpackedBy(t *testing.T, dir string) extraction {
	t.Helper()
	tree := extraction{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		h, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		n := extracted{Kind: h.Typeflag, Mode: h.Mode & 0o7777}
		switch h.Typeflag {
		case tar.TypeReg:
			raw, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(raw)
			n.Size, n.SHA256 = int64(len(raw)), hex.EncodeToString(sum[:])
		case tar.TypeSymlink:
			if n.Link, err = os.Readlink(p); err != nil {
				return err
			}
			n.Mode = 0o777
		}
		name, err := filepath.Rel(dir, p)
		tree[filepath.ToSlash(name)] = n
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// awkwardLayers are what random layers may miss.
func awkwardLayers(t *testing.T) [][]byte {
	t.Helper()
	dir := func(name string) tarEntry { return tarEntry{name: name, typ: tar.TypeDir} }
	return [][]byte{
		tarOf(t, []tarEntry{dir("a/"), dir("a/b/"), dir("a/x/"), {name: "a/x/old", text: "old"}, dir("x/"), {name: "usr", link: "a/b"},
			{name: "up", link: "usr/../x"}, {name: "loop", link: "loop"}, {name: "abs", link: "/a/x"}, {name: "a/b/f", text: "f"}, dir("gone/"), {name: "gone/f", text: "f"}}),
		// usr leads to a/b, so that usr/../x is a/x and not x
		tarOf(t, []tarEntry{{name: "up/through", text: "through a link"}, {name: "abs/absolute", text: "through an absolute one"}, {name: "usr/.wh.f"}, {name: ".wh.gone"}}),
		tarOf(t, []tarEntry{{name: "loop", text: "no link any more"}, dir("abs/"), {name: "abs/new", text: "the link is a directory now"}, dir("a/"), dir("a/x/"), {name: "a/x/.wh..wh..opq"},
			{name: "a/x/kept", text: "of the same layer"}}),
	}
}

func TestTheReferenceExtractionIsThatOfARealContainerEngine(t *testing.T) {
	p := sourcetest.StartPodman(t)
	for seed := range uint64(6) {
		layers := stack{random: rand.New(rand.NewPCG(seed, 4)), strict: true}.layers(t, 5, 60)
		want := unpackedByPodman(t, p, layers)
		if d := cmp.Diff(want, extract(t, layers)); d != "" {
			t.Errorf("seed %d (-podman +reference):\n%s", seed, d)
		}
		if len(want) < 20 {
			t.Errorf("seed %d: %d entries are too few to show anything", seed, len(want))
		}
	}
	layers := awkwardLayers(t)
	if d := cmp.Diff(unpackedByPodman(t, p, layers), extract(t, layers)); d != "" {
		t.Errorf("awkward layers (-podman +reference):\n%s", d)
	}
}

func unpackedByPodman(t *testing.T, p sourcetest.Podman, layers [][]byte) extraction {
	t.Helper()
	loaded := p.Run("load", "--quiet", "--input", archiveOf(t, layoutOf(t, layers)))
	id := strings.TrimSpace(loaded[strings.LastIndex(strings.TrimSpace(loaded), ":")+1:])
	defer p.Run("image", "unmount", id)
	return unpackedBy(t, strings.TrimSpace(p.Run("image", "mount", id)))
}

// layoutOf writes a layout with one image of the uncompressed layers.
func layoutOf(t *testing.T, layers [][]byte) string {
	t.Helper()
	var packed []v1.Layer
	for _, raw := range layers {
		packed = append(packed, layerOfTar(t, raw))
	}
	return writeLayout(t, makeImage(t, packed...))
}

// visible is what the scanner takes to be the file system of an image of the layers.
func visible(t *testing.T, s *Scanner, layers [][]byte) extraction {
	t.Helper()
	l, err := openLayoutDir(layoutOf(t, layers))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	chosen, err := selectImage(l, "")
	if err != nil {
		t.Fatal(err)
	}
	read, release, err := s.layers(t.Context(), l, chosen)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	squashed, err := newTree(read)
	if err != nil {
		t.Fatal(err)
	}
	found := extraction{}
	squashed.walk(func(n *node) { found[strings.TrimPrefix(n.path, "/")] = asExtracted(n) })
	return found
}

func asExtracted(n *node) extracted {
	if n.entry == nil {
		return extracted{Kind: tar.TypeDir, Mode: 0o755}
	}
	x := extracted{Kind: n.entry.typ, Mode: n.entry.mode & 0o7777}
	switch {
	case n.isRegular():
		x.Size, x.SHA256 = n.entry.size, hex.EncodeToString(n.entry.sha256[:])
	case n.isLink():
		x.Link, x.Mode = n.entry.link, 0o777
	}
	return x
}

func TestAnyStackOfLayersGivesTheFileTreeOfAReferenceExtraction(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	for seed := range uint64(150) {
		layers := stack{random: rand.New(rand.NewPCG(seed, 5)), strict: seed%2 == 0}.layers(t, int(seed%6)+1, 60)
		if d := cmp.Diff(extract(t, layers), visible(t, s, layers)); d != "" {
			t.Fatalf("seed %d (-reference +scanner):\n%s", seed, d)
		}
	}
	layers := awkwardLayers(t)
	if d := cmp.Diff(extract(t, layers), visible(t, s, layers)); d != "" {
		t.Errorf("awkward layers (-reference +scanner):\n%s", d)
	}
}
