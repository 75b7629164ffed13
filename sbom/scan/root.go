package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	stereofile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/stereoscope/pkg/filetree"
	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/file"
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
	h := &host{root: root, limits: s.limits, tree: filetree.New(), index: filetree.NewIndex()}
	if err := h.read(ctx); err != nil {
		return sbom.Packages{}, err
	}
	return s.catalogue(ctx, h)
}

// host is a root directory as a source of syft. Paths are resolved in its own index; files are opened through os.Root.
type host struct {
	root    *os.Root
	limits  Limits
	tree    *filetree.FileTree
	index   filetree.Index
	search  filetree.Searcher
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
	h.search = filetree.NewSearchContext(h.tree, h.index)
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
	m := stereofile.Metadata{FileInfo: info, Path: "/" + name, Type: stereofile.TypeFromMode(info.Mode())}
	if m.Type == stereofile.TypeSymLink {
		target, err := h.root.Readlink(name)
		if err != nil {
			return nil //nolint:nilerr // it changed meanwhile
		}
		m.LinkDestination = target
	}
	if info.Mode().IsRegular() && maybeExecutable(name, info) {
		m.MIMEType = h.mimeType(name)
	}
	if _, err := filetree.NewBuilder(h.tree, h.index).Add(m); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// maybeExecutable says whether catalogers may ask for the file by its type: only programs and libraries are asked for so.
func maybeExecutable(name string, info fs.FileInfo) bool {
	return info.Size() > 64 && (info.Mode().Perm()&0o111 != 0 || strings.Contains(path.Base(name), ".so"))
}

func (h *host) mimeType(name string) string {
	f, err := h.root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	return stereofile.MIMEType(f)
}

// Methods of source.Source.

func (h *host) ID() artifact.ID { return "host" }
func (h *host) Close() error    { return nil }
func (h *host) Describe() source.Description {
	return source.Description{ID: "host", Name: "host", Metadata: source.DirectoryMetadata{Path: "/"}}
}
func (h *host) FileResolver(source.Scope) (file.Resolver, error) { return hostResolver{h}, nil }

// hostResolver answers syft's questions about the files of a host. Links are followed within the index only.
type hostResolver struct{ *host }

func (h hostResolver) location(found *stereofile.Resolution, access string) (file.Location, bool) {
	if found == nil || !found.HasReference() {
		return file.Location{}, false
	}
	entry, err := h.index.Get(*found.Reference)
	if err != nil || entry.Type != stereofile.TypeRegular {
		return file.Location{}, false
	}
	return file.NewVirtualLocationFromDirectory(string(found.RealPath), access, *found.Reference), true
}

// FilesByPath returns the regular files that the paths lead to.
func (h hostResolver) FilesByPath(paths ...string) ([]file.Location, error) {
	var out []file.Location
	for _, p := range paths {
		found, err := h.search.SearchByPath(path.Clean("/"+p), filetree.FollowBasenameLinks)
		if err != nil {
			continue // a broken link or a loop leads to no file
		}
		if l, ok := h.location(found, path.Clean("/"+p)); ok {
			out = append(out, l)
		}
	}
	return out, nil
}

// FilesByGlob returns the regular files that match, each of them once.
func (h hostResolver) FilesByGlob(patterns ...string) ([]file.Location, error) {
	var out []file.Location
	seen := stereofile.NewFileReferenceSet()
	for _, pattern := range patterns {
		found, err := h.search.SearchByGlob(pattern, filetree.FollowBasenameLinks)
		if err != nil {
			return nil, err
		}
		out = h.collect(out, seen, found)
	}
	return out, nil
}

// FilesByMIMEType returns the regular files of these types.
func (h hostResolver) FilesByMIMEType(types ...string) ([]file.Location, error) {
	found, err := h.search.SearchByMIMEType(types...)
	if err != nil {
		return nil, err
	}
	return h.collect(nil, stereofile.NewFileReferenceSet(), found), nil
}

func (h hostResolver) collect(out []file.Location, seen stereofile.ReferenceSet, found []stereofile.Resolution) []file.Location {
	for _, r := range found {
		l, ok := h.location(&r, string(r.RequestPath))
		if !ok || seen.Contains(*r.Reference) {
			continue
		}
		seen.Add(*r.Reference)
		out = append(out, l)
	}
	return out
}

// HasPath reports whether the path is there.
func (h hostResolver) HasPath(p string) bool {
	return h.tree.HasPath(stereofile.Path(path.Clean("/" + p)))
}

// RelativeFileByPath returns the file at the path: a host has one layer.
func (h hostResolver) RelativeFileByPath(_ file.Location, p string) *file.Location {
	found, err := h.FilesByPath(p)
	if err != nil || len(found) == 0 {
		return nil
	}
	return &found[0]
}

// FileContentsByLocation opens the file below the root.
func (h hostResolver) FileContentsByLocation(l file.Location) (io.ReadCloser, error) {
	f, err := h.root.OpenFile(strings.TrimPrefix(l.RealPath, "/"), os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("reading %s: it is no regular file", l.RealPath), f.Close())
	}
	return f, nil
}

// FileMetadataByLocation returns what was noted about the file.
func (h hostResolver) FileMetadataByLocation(l file.Location) (file.Metadata, error) {
	entry, err := h.index.Get(l.Reference())
	if err != nil {
		return file.Metadata{}, fmt.Errorf("reading %s: %w", l.RealPath, fs.ErrNotExist)
	}
	return entry.Metadata, nil
}

// AllLocations sends every file, sorted by path, until the context ends.
func (h hostResolver) AllLocations(ctx context.Context) <-chan file.Location {
	refs := h.tree.AllFiles(stereofile.AllTypes()...)
	slices.SortFunc(refs, func(a, b stereofile.Reference) int { return strings.Compare(string(a.RealPath), string(b.RealPath)) })
	out := make(chan file.Location)
	go func() {
		defer close(out)
		for _, ref := range refs {
			select {
			case <-ctx.Done():
				return
			case out <- file.NewLocationFromDirectory(string(ref.RealPath), "", ref):
			}
		}
	}()
	return out
}
