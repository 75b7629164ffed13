package scan

import (
	"archive/tar"
	"fmt"
	"path"
	"slices"
	"strings"
)

// tree is the file system that the layers of an image leave visible, as an OCI runtime unpacks them (OCI image layer
// specification; containerd archive.Apply): deletions of a layer before its additions; links in the parents of a path are
// followed inside the root; a directory over a directory merges, anything else replaces with all that was below; a hard link
// is another name of the file that has the name at that moment. Names that differ in case are different.
type tree struct {
	root   *node
	layers []*layer
	hidden map[string][]hiddenNode // what a later layer took away, for the paths of hides
	// changes is what each layer did to those below.
	changes []changes
	implied int // directories that no layer lists
}

// changes of one layer.
type changes struct {
	rough bool    // it removed something, or replaced anything but a plain file by a file, or brought links or devices
	added []*node // what it brought, without directories that it only lists again; of small layers only
}

// node is one name in a tree.
type node struct {
	path     string
	entry    *entry // of a hard link, that of the file; nil for a directory that no layer lists
	layer    int    // where the entry and the contents come from; -1 for a directory that no layer lists
	children map[string]*node
}

// hiddenNode is a file that the layer `by` took away.
type hiddenNode struct {
	*node
	by int
}

func (n *node) isDir() bool     { return n.entry == nil || n.entry.isDir() }
func (n *node) isRegular() bool { return n.entry != nil && n.entry.isRegular() }
func (n *node) isLink() bool    { return n.entry != nil && n.entry.typ == tar.TypeSymlink }

// maxLinks is how many links are followed on one path, as Linux does (path_resolution(7)).
const maxLinks = 40

// Bounds of what links can make of the entries of a layer, which are bounded themselves.
const (
	maxSteps   = 4000    // parts of a path and of the links on it
	maxImplied = 300_000 // directories that no layer lists
	maxDepth   = 512     // directories above a file; entries may lie half as deep by their own names
)

func newDir(p string) *node { return &node{path: p, layer: -1, children: map[string]*node{}} }

// newTree squashes the layers, the lowest first. An error means that no runtime could unpack them.
func newTree(layers []*layer) (*tree, error) {
	t := &tree{root: newDir("/"), layers: layers, hidden: map[string][]hiddenNode{}, changes: make([]changes, len(layers))}
	for i, l := range layers {
		for j := range l.entries {
			if e := &l.entries[j]; e.mark != adds {
				t.remove(e, i)
			}
		}
		for j := range l.entries {
			if e := &l.entries[j]; e.mark == adds {
				if err := t.add(e, i); err != nil {
					return nil, fmt.Errorf("unpacking layer %d of %d: %w", i+1, len(layers), err)
				}
			}
		}
	}
	return t, nil
}

// remove carries out a whiteout or an opaque mark of layer i.
func (t *tree) remove(e *entry, i int) {
	if e.mark == opaque {
		if dir := t.find(e.path, true); dir != nil && dir.isDir() {
			for name, child := range dir.children {
				t.changes[i].rough = true
				t.hide(child, i)
				delete(dir.children, name)
			}
		}
		return
	}
	dir := t.find(path.Dir(e.path), true)
	if dir == nil || !dir.isDir() {
		return
	}
	if child := dir.children[path.Base(e.path)]; child != nil {
		t.changes[i].rough = true
		t.hide(child, i)
		delete(dir.children, path.Base(e.path))
	}
}

// add carries out an entry of layer i.
func (t *tree) add(e *entry, i int) error {
	if e.path == "/" {
		if e.isDir() {
			t.root.entry, t.root.layer = e, i
		}
		return nil
	}
	parent, err := t.parent(e.path, i)
	if err != nil {
		return err
	}
	base := path.Base(e.path)
	n := &node{path: path.Join(parent.path, base), entry: e, layer: i}
	if strings.Count(n.path, "/") > maxDepth {
		return fmt.Errorf("%.200q lies deeper than %d directories", n.path, maxDepth)
	}
	if e.typ == tar.TypeLink {
		if to := t.find(e.link, false); to != nil && !to.isDir() {
			n.entry, n.layer = to.entry, to.layer
		}
	}
	before := parent.children[base]
	switch {
	case before != nil && before.isDir() && n.isDir():
		before.entry, before.layer = e, i
		return nil
	case before != nil:
		t.hide(before, i)
		t.changes[i].rough = t.changes[i].rough || !before.isRegular() || !n.isRegular() || before.entry.kind != other
	}
	if n.isDir() {
		n.children = map[string]*node{}
	}
	parent.children[base] = n
	t.note(n, i)
	return nil
}

// note remembers what a layer brought.
func (t *tree) note(n *node, i int) {
	c := &t.changes[i]
	c.rough = c.rough || !n.isDir() && n.entry.typ != tar.TypeReg
	if len(t.layers[i].entries) <= mostAdded {
		c.added = append(c.added, n)
	}
}

// parent returns the directory in which an entry lies, made if no layer lists it.
func (t *tree) parent(p string, i int) (*node, error) {
	dir := path.Dir(p)
	if n := t.plain(dir); n != nil {
		return n, nil
	}
	at, links := t.root, 0
	for rest := strings.TrimPrefix(dir, "/"); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		next := at.children[name]
		switch {
		case isStep(name):
			at = t.step(at, name)
			continue
		case next == nil:
			if t.implied++; t.implied > maxImplied {
				return nil, fmt.Errorf("more than %d directories that no layer lists", maxImplied)
			}
			next = newDir(path.Join(at.path, name))
			if strings.Count(next.path, "/") > maxDepth {
				return nil, fmt.Errorf("%.200q lies deeper than %d directories", next.path, maxDepth)
			}
			at.children[name] = next
		case next.isLink():
			if links++; links > maxLinks {
				return nil, fmt.Errorf("%.200q lies behind more than %d links: no container engine could unpack the image", p, maxLinks)
			}
			at, rest = t.follow(at, next, rest)
			continue
		case !next.isDir():
			return nil, fmt.Errorf("%.200q lies below %.200q, which is no directory: no container engine could unpack the image", p, next.path)
		}
		at = next
	}
	return at, nil
}

// linkTarget is where a symbolic link leads by its text, as an absolute path inside the root.
func linkTarget(n *node) string {
	if path.IsAbs(n.entry.link) {
		return path.Clean(n.entry.link)
	}
	return path.Join(path.Dir(n.path), n.entry.link)
}

// follow returns where a link begins to lead that lies in the directory at, and what is left to walk from there. Its target
// is walked part by part and never shortened before: "..", after another link, is the parent of what that one leads to.
func (t *tree) follow(at, link *node, rest string) (*node, string) {
	if path.IsAbs(link.entry.link) {
		at = t.root
	}
	if rest == "" {
		return at, link.entry.link
	}
	return at, link.entry.link + "/" + rest
}

// isStep reports whether a part of a path is no name: empty, the directory itself, or the one above.
func isStep(name string) bool { return name == "" || name == "." || name == ".." }

// step takes such a part. Above the root is the root.
func (t *tree) step(at *node, name string) *node {
	if name == ".." {
		return t.plain(path.Dir(at.path))
	}
	return at
}

// plain returns the directory at a path without links in it, or nil.
func (t *tree) plain(dir string) *node {
	at := t.root
	for rest := strings.TrimPrefix(dir, "/"); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if at = at.children[name]; at == nil || !at.isDir() {
			return nil
		}
	}
	return at
}

// find returns what a path leads to, links in its parents followed, and with last also a link at its end. It is nil where
// nothing is, and behind loops. Links never lead out of the root.
func (t *tree) find(p string, last bool) *node {
	at, links := t.root, 0
	steps := 0
	for rest := strings.TrimPrefix(path.Clean("/"+p), "/"); rest != ""; {
		if steps++; steps > maxSteps {
			return nil
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if isStep(name) {
			at = t.step(at, name)
			continue
		}
		next := at.children[name]
		if next == nil {
			return nil
		}
		if next.isLink() && (last || rest != "") {
			if links++; links > maxLinks {
				return nil
			}
			at, rest = t.follow(at, next, rest)
			continue
		}
		if rest != "" && !next.isDir() {
			return nil
		}
		at = next
	}
	return at
}

// hides reports whether hidden files of a path are remembered: those that tell the licence of a package of Debian.
func hides(p string) bool {
	return p == dpkgStatus || strings.HasPrefix(p, "/usr/share/doc/") && (path.Base(p) == "copyright" || strings.Count(p, "/") == 4)
}

// hide remembers a node and what is below it as taken away by layer i, where that may count later.
func (t *tree) hide(n *node, i int) {
	if hides(n.path) && !n.isDir() {
		t.hidden[n.path] = append(t.hidden[n.path], hiddenNode{n, i})
	}
	if n.path == "/" || strings.HasPrefix("/usr/share/doc/", n.path+"/") || strings.HasPrefix(n.path, "/usr/share/doc/") ||
		strings.HasPrefix(dpkgStatus, n.path+"/") {
		for _, child := range n.children {
			t.hide(child, i)
		}
	}
}

// walk calls f for every node but the root, directories before what is in them, sorted by path within each directory.
func (t *tree) walk(f func(*node)) { t.root.walk(f) }

func (n *node) walk(f func(*node)) {
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := n.children[name]
		f(child)
		if child.isDir() {
			child.walk(f)
		}
	}
}
