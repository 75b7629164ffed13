package scan

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/source"
)

// view is a tree as a source of syft, and answers the questions of its catalogers and of our own readers. It is asked from
// many goroutines. What was asked is noted, so that the answer for one image can serve for another (see trace).
type view struct {
	tree  *tree
	globs *globs
	mimes map[string][]*node
	desc  source.Description
	// contents opens the contents of a regular file; mute machine code is never asked for.
	contents func(*node) (io.ReadCloser, error)
	// name of the layer of a node, what syft calls the file system
	layerID func(*node) string
	trace   *trace
	// unsure says that a file could not be read, perhaps only now: what was found is no result to keep.
	unsure bool
	// evidence is how large a file may be that is read as a whole, under whatever name it is asked for.
	evidence int64
	// owned are files of debs, and classifiers the patterns of syft's classifiers of binaries: what
	// they find in an owned file is that package, so it is not looked for.
	owned       map[*entry]*deb
	classifiers map[string]bool
}

func newView(t *tree) *view {
	v := &view{tree: t, globs: newGlobs(t), mimes: map[string][]*node{}, trace: newTrace()}
	seen := map[*entry]bool{}
	t.walk(func(n *node) {
		if n.isRegular() && n.entry.mime != "" && !n.entry.mute && !seen[n.entry] {
			seen[n.entry] = true
			v.mimes[n.entry.mime] = append(v.mimes[n.entry.mime], n)
		}
	})
	return v
}

// Methods of source.Source.

func (v *view) ID() artifact.ID                                  { return artifact.ID(v.desc.ID) }
func (v *view) Close() error                                     { return nil }
func (v *view) Describe() source.Description                     { return v.desc }
func (v *view) FileResolver(source.Scope) (file.Resolver, error) { return v, nil }

func (v *view) location(n *node, access string) file.Location {
	return file.NewVirtualLocationFromCoordinates(file.Coordinates{RealPath: n.path, FileSystemID: v.layerID(n)}, access)
}

// HasPath reports whether a path leads to anything.
func (v *view) HasPath(p string) bool {
	v.trace.path(p)
	return v.tree.find(p, true) != nil
}

// FilesByPath returns the regular files that the paths lead to, each once.
func (v *view) FilesByPath(paths ...string) ([]file.Location, error) {
	var out []file.Location
	seen := map[*node]bool{}
	for _, p := range paths {
		v.trace.path(p)
		if n := v.tree.find(p, true); n != nil && n.isRegular() && !seen[n] {
			seen[n] = true
			out = append(out, v.location(n, path.Clean("/"+p)))
		}
	}
	return out, nil
}

// FilesByGlob returns the regular files that match, each once, under the name that tells most of it.
func (v *view) FilesByGlob(patterns ...string) ([]file.Location, error) {
	var order []*node
	access := map[*node]string{}
	for _, pattern := range patterns {
		v.trace.glob(pattern)
		classifies := v.classifiers[pattern]
		err := v.globs.match(pattern, func(name string, n *node) {
			if classifies && v.owned[n.entry] != nil {
				return
			}
			if name != n.path {
				v.trace.path(name) // found through a link: another file at its end would be another answer
			}
			before, ok := access[n]
			if !ok {
				order = append(order, n)
			}
			if !ok || better(name, before, n) {
				access[n] = name
			}
		})
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	out := make([]file.Location, 0, len(order))
	for _, n := range order {
		out = append(out, v.location(n, access[n]))
	}
	return out, nil
}

// better reports whether one name of a file tells more than another. The cataloger of Java takes a version from the name, and
// Debian's jars have it in a link only; else the file's own path is the best, then the first in order.
func better(a, b string, n *node) bool {
	if va, vb := versioned(a), versioned(b); va != vb {
		return va
	}
	if (a == n.path) != (b == n.path) {
		return a == n.path
	}
	return a < b
}

func versioned(name string) bool {
	base := path.Base(name)
	if ext := path.Ext(base); ext != ".jar" && ext != ".war" && ext != ".ear" {
		return false
	}
	_, rest, ok := strings.Cut(base, "-")
	return ok && strings.ContainsAny(rest, "0123456789")
}

// FilesByMIMEType returns machine code of these types that may hold evidence. Nothing else is known by type.
func (v *view) FilesByMIMEType(types ...string) ([]file.Location, error) {
	var found []*node
	for _, t := range types {
		found = append(found, v.mimes[t]...)
	}
	slices.SortFunc(found, func(a, b *node) int { return strings.Compare(a.path, b.path) })
	out := make([]file.Location, 0, len(found))
	for _, n := range slices.Compact(found) {
		out = append(out, v.location(n, n.path))
	}
	return out, nil
}

// RelativeFileByPath returns the file at a path: a squashed image has one root.
func (v *view) RelativeFileByPath(_ file.Location, p string) *file.Location {
	found, err := v.FilesByPath(p)
	if err != nil || len(found) == 0 {
		return nil
	}
	return &found[0]
}

// FileContentsByLocation opens the file.
func (v *view) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	n := v.tree.find(l.RealPath, true)
	if n == nil {
		return nil, fmt.Errorf("reading %s: %w", l.RealPath, fs.ErrNotExist)
	}
	if !n.isRegular() {
		return nil, fmt.Errorf("reading %s: it is no regular file", l.RealPath)
	}
	if v.evidence > 0 && n.entry.size > v.evidence && (isEvidence(path.Base(l.AccessPath)) || isEvidence(path.Base(l.RealPath))) {
		return nil, fmt.Errorf("reading %s: it has %d bytes, the limit for such a file is %d", l.RealPath, n.entry.size, v.evidence)
	}
	return v.contents(n)
}

// FileMetadataByLocation returns what is known about the file.
func (v *view) FileMetadataByLocation(l file.Location) (file.Metadata, error) {
	n := v.tree.find(l.RealPath, false)
	if n == nil || n.entry == nil {
		return file.Metadata{}, fmt.Errorf("reading %s: %w", l.RealPath, fs.ErrNotExist)
	}
	e := n.entry
	return file.Metadata{
		FileInfo: fileInfo{path.Base(n.path), e}, Path: n.path, LinkDestination: e.link, UserID: int(e.uid), GroupID: int(e.gid),
		Type: stereofile.TypeFromTarType(e.typ), MIMEType: e.mime,
	}, nil
}

// nixStore is where Nix keeps its packages, one directory each. Its cataloger looks at every path for it.
const nixStore = "/nix/store"

// hasNix reports whether a store of Nix is anywhere in the tree.
func (v *view) hasNix() bool {
	v.trace.glob("**" + nixStore + "/**")
	found := false
	v.tree.walk(func(n *node) { found = found || n.isDir() && strings.HasSuffix(n.path, nixStore) })
	return found
}

// AllLocations sends every path, directories too, until the context ends.
func (v *view) AllLocations(ctx context.Context) <-chan file.Location {
	v.trace.everything()
	out := make(chan file.Location)
	go func() {
		defer close(out)
		v.tree.walk(func(n *node) {
			if ctx.Err() != nil {
				return
			}
			select {
			case <-ctx.Done():
			case out <- v.location(n, n.path):
			}
		})
	}()
	return out
}

// section is a part of a file that is read as a file of its own. It can also be read at any place, which keeps readers of
// machine code from copying it into memory.
type section struct{ *io.SectionReader }

// Close does nothing: the file belongs to the layer.
func (section) Close() error { return nil }

// layerContents reads contents that the store kept, and gets those that it did not keep from the layer again.
type layerContents struct {
	layers []*layer
	whole  func(i int) (*layer, error) // layer i with all contents

	mu   sync.Mutex
	full map[int]*layer
}

func (c *layerContents) open(n *node) (io.ReadCloser, error) {
	if n.entry.size == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	if n.entry.offset != notKept {
		return section{io.NewSectionReader(c.layers[n.layer].data, n.entry.offset, n.entry.size)}, nil
	}
	l, err := c.read(n.layer)
	if err != nil {
		return nil, err
	}
	for i := range l.entries {
		if e := &l.entries[i]; e.sha256 == n.entry.sha256 && e.isRegular() && e.offset != notKept {
			return section{io.NewSectionReader(l.data, e.offset, e.size)}, nil
		}
	}
	return nil, fmt.Errorf("reading %s: its layer gives other contents the second time", n.path)
}

func (c *layerContents) read(i int) (*layer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.full[i]; l != nil {
		return l, nil
	}
	l, err := c.whole(i)
	if err != nil {
		return nil, fmt.Errorf("reading a layer again: %w", err)
	}
	if c.full == nil {
		c.full = map[int]*layer{}
	}
	c.full[i] = l
	return l, nil
}

// close removes what was read again.
func (c *layerContents) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.full {
		discard(l.data)
	}
	c.full = nil
	return nil
}
