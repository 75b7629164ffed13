package scan

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/anchore/syft/syft/source"

	"github.com/pegel-audit/pegel/sbom"
)

// scanRoot reads the packages of a host. Only the places where software is installed are looked at: no home directories,
// no data, no mounted file systems of containers, which are artifacts of their own.
func (s *Scanner) scanRoot(ctx context.Context, t sbom.Target) (sbom.Packages, error) {
	root, err := os.OpenRoot(t.Path)
	if err != nil {
		return sbom.Packages{}, fmt.Errorf("opening the root directory: %w", withoutPath(err))
	}
	defer root.Close()
	h := &host{root: root, limits: s.limits, keep: s.store.keep, linked: map[[2]uint64]*entry{}, tree: &tree{root: newDir("/"), layers: []*layer{{}}, changes: make([]changes, 1)}}
	if err := h.read(ctx); err != nil {
		return sbom.Packages{}, err
	}
	v := newView(h.tree)
	v.contents = h.open
	v.layerID = func(*node) string { return "" }
	v.desc = source.Description{ID: "host", Name: "host", Metadata: source.DirectoryMetadata{Path: "/"}}
	return s.catalogue(ctx, v)
}

// host is a root directory on its way to a tree. Links are followed within the tree only; files are opened through os.Root.
type host struct {
	root    *os.Root
	limits  Limits
	keep    keeper
	tree    *tree
	linked  map[[2]uint64]*entry // files that have more than one name
	entries int
}

// softwareDirs are the directories below the root that are walked. Links among them, as merged /usr has them, are noted
// as links.
var softwareDirs = []string{
	"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "opt",
	"var/lib/dpkg", "var/lib/rpm", "var/lib/pacman/local", "var/lib/kolla", "var/db/pkg", "lib/apk",
}

// skippedDirs hold no evidence of packages, or only of packages that dpkg or rpm lists, in very many files.
var skippedDirs = map[string]bool{
	"usr/share/man": true, "usr/share/locale": true, "usr/share/info": true, "usr/share/i18n": true, "usr/share/zoneinfo": true,
	"usr/share/icons": true, "usr/share/fonts": true, "usr/src": true, "usr/include": true,
	"usr/lib/modules": true, "usr/lib/firmware": true, "lib/modules": true, "lib/firmware": true,
}

// releaseFiles tell the distribution.
var releaseFiles = []string{
	"etc/os-release", "etc/lsb-release", "etc/system-release-cpe", "etc/redhat-release", "etc/debian_version", "etc/alpine-release",
	"lib/apk/db/installed",
}

func (h *host) read(ctx context.Context) error {
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "usr", "opt", "var", "var/lib", "var/db", "var/lib/pacman"} {
		if err := h.addOne(name); err != nil {
			return err
		}
	}
	for _, name := range releaseFiles {
		if err := h.addOne(name); err != nil {
			return err
		}
	}
	for _, dir := range softwareDirs {
		if err := h.walk(ctx, dir); err != nil {
			return err
		}
	}
	if h.entries == 0 {
		return errors.New("it has none of the directories of a system: name the root directory of a host")
	}
	h.tree.changes[0] = changes{}
	return nil
}

// addOne notes one path without what is below it. A path that is not there is no error.
func (h *host) addOne(name string) error {
	info, err := h.root.Lstat(name)
	if err != nil {
		return nil //nolint:nilerr // not there, or behind a link that leaves the root: then it is none of this host
	}
	return h.add(name, info)
}

func (h *host) walk(ctx context.Context, dir string) error {
	info, err := h.root.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil //nolint:nilerr // not there, or a link: what it leads to is walked under its own name
	}
	err = fs.WalkDir(h.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && errors.Is(err, fs.ErrPermission) && !strings.HasPrefix(name, "var/lib/"):
			return fs.SkipDir // installed software can be read by everyone; what cannot is private data
		case err != nil:
			return fmt.Errorf("reading %s: %w", name, withoutPath(err))
		case d.IsDir() && skippedDirs[name]:
			return fs.SkipDir
		case unwanted(name, d):
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a running system changes
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, withoutPath(err))
		}
		return h.add(name, info)
	})
	return err
}

// unwanted leaves out what /usr/share/doc has besides copyright files, and everything that is no file, directory or link.
func unwanted(name string, d fs.DirEntry) bool {
	if !d.IsDir() && d.Type() != 0 && d.Type() != fs.ModeSymlink {
		return true
	}
	return strings.HasPrefix(name, "usr/share/doc/") && d.Type().IsRegular() && path.Base(name) != "copyright"
}

func (h *host) add(name string, info fs.FileInfo) error {
	if h.entries++; h.entries > h.limits.Entries {
		return fmt.Errorf("it has more than %d files", h.limits.Entries)
	}
	if strings.Count(name, "/") > h.limits.PathDepth || len(name) > h.limits.PathLength {
		return fmt.Errorf("%.200q lies too deep: at most %d directories and %d bytes", name, h.limits.PathDepth, h.limits.PathLength)
	}
	if info.Mode().IsRegular() && isEvidence(path.Base(name)) && info.Size() > h.limits.EvidenceFile {
		return fmt.Errorf("reading %s: it has %d bytes, the limit for such a file is %d", name, info.Size(), h.limits.EvidenceFile)
	}
	e := &entry{path: "/" + name, offset: notKept, size: info.Size(), mtime: info.ModTime().Unix(), mode: int64(info.Mode().Perm()), typ: tar.TypeReg}
	switch {
	case info.IsDir():
		e.typ, e.size = tar.TypeDir, 0
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := h.root.Readlink(name)
		if err != nil {
			return nil //nolint:nilerr // it changed meanwhile
		}
		e.typ, e.link, e.size = tar.TypeSymlink, to, 0
	case maybeExecutable(name, info):
		h.look(name, e)
	}
	if key, linked := inode(info); linked && e.isRegular() {
		if first := h.linked[key]; first != nil {
			e = &entry{path: e.path, link: first.path, typ: tar.TypeLink, offset: notKept} // another name of it
		} else {
			h.linked[key] = e
		}
	}
	if err := h.tree.add(e, 0); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// maybeExecutable says whether the first bytes of a file are looked at: those of programs, libraries and archives.
func maybeExecutable(name string, info fs.FileInfo) bool {
	base := path.Base(name)
	switch path.Ext(base) {
	case ".jar", ".war", ".ear", ".whl", ".egg", ".deb", ".rpm", ".zip", ".tar", ".tgz":
		return true
	}
	return info.Mode().Perm()&0o111 != 0 || strings.Contains(base, ".so") || strings.Contains(base, ".tar.")
}

// look tells the kind of a file by its first bytes, and of machine code whether there is evidence in it.
func (h *host) look(name string, e *entry) {
	f, err := h.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, _ := io.ReadFull(f, head) // a short file is short
	e.kind = kindOf(e.path, head[:n])
	e.mime = mimeOf(e.kind, head[:n])
	e.mute = e.kind == machineELF && !h.keep.program(e.path) && isMute(f, e.size)
}

// open opens a file below the root.
func (h *host) open(n *node) (io.ReadCloser, error) {
	f, err := h.root.OpenFile(strings.TrimPrefix(n.path, "/"), os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("reading %s: it is no regular file", n.path), f.Close())
	}
	return f, nil
}
