package pipeline

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of a folder that was handed over.
const (
	mostFolderFiles = 20_000
	mostFolderDepth = 32
	maxFolderFile   = 1 << 20 // of a file that is listed with its digest; larger ones by size alone
)

// openFolder reads a folder that was handed over instead of a repository: all regular files below it, never through a link. Of
// the files a list with their digests is kept as evidence. nil: the name is no folder.
func (g *gatherer) openFolder(ctx context.Context, name string) func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
	clean := filepath.ToSlash(filepath.Clean(name))
	base, err := os.OpenRoot(orText(g.stack.Dir, "."))
	if err != nil {
		return nil
	}
	defer base.Close()
	if info, err := base.Stat(clean); err != nil || !info.IsDir() || !fs.ValidPath(clean) {
		return nil
	}
	return func(ctx context.Context, _ string) (*transparency.Repository, *audit.Trouble) {
		base, err := os.OpenRoot(orText(g.stack.Dir, "."))
		if err != nil {
			return nil, unreadableFolder(err)
		}
		root, err := base.OpenRoot(clean)
		base.Close()
		if err != nil {
			return nil, unreadableFolder(err)
		}
		r := &transparency.Repository{URL: "file:///", Local: true, SeenUntil: g.at, CommitAt: g.at, Close: root.Close}
		r.Read = func(_ context.Context, id string, limit int64) ([]byte, error) { return readBelow(root, id, limit) }
		if r.Files, err = folderFiles(root); err != nil {
			root.Close()
			return nil, unreadableFolder(err)
		}
		origin := audit.Origin{Source: "files", Path: clean, At: g.at}
		r.LastHuman.Settle = "give the repository with --mirror, or name its address"
		r.LastHuman.Failure = "a folder of files does not say when a person changed it"
		r.Licence = folderLicence(root, r.Files, origin)
		r.Look = audit.Seen{Handed: clean, At: g.at, Headers: map[string]string{"content-type": "text/plain; charset=utf-8"}}
		sums := sumsOf(root, r.Files)
		r.Look.Digest, r.Look.Size = audit.DigestOf(sums), int64(len(sums))
		if keep := g.keptBy(); keep != nil {
			if _, err := keep(ctx, audit.Blob{Kind: "raw", Name: path.Base(clean) + "/SHA256SUMS", MediaType: "text/plain", Data: sums, Origin: origin}); err != nil {
				root.Close()
				return nil, unreadableFolder(err)
			}
		}
		return r, nil
	}
}

func unreadableFolder(err error) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "the folder that was handed over cannot be read: " + plainPath("", err).Error(), Settle: "hand it over again"}
}

// folderFiles lists the regular files of a folder, sorted; what git keeps for itself is left out.
func folderFiles(root *os.Root) ([]transparency.File, error) {
	var out []transparency.File
	err := fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == ".git" || strings.Count(name, "/") > mostFolderDepth):
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		case len(out) == mostFolderFiles:
			return fmt.Errorf("it has more than %d files", mostFolderFiles)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		out = append(out, transparency.File{Path: name, ID: name, Size: info.Size()})
		return nil
	})
	return out, err
}

func readBelow(root *os.Root, name string, limit int64) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, plainPath(path.Base(name), err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file", path.Base(name))
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, plainPath(path.Base(name), err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = transparency.ErrTooLarge
	}
	return data, err
}

// folderLicence is the licence of the files at the root of a folder, as of a repository.
func folderLicence(root *os.Root, files []transparency.File, origin audit.Origin) audit.Fact[string] {
	var found []licence.Expression
	for _, f := range files {
		if !isLicenceFile(f.Path) {
			continue
		}
		text, err := readBelow(root, f.ID, maxLicenceFile)
		if err != nil {
			return audit.Failed[string](f.Path+" could not be read", origin)
		}
		expression, _, ok := licence.Detect(text)
		e, err := licence.Parse(expression)
		if !ok || err != nil {
			return audit.Failed[string](f.Path+" holds no licence text that is known", origin)
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return audit.Failed[string]("there is no licence file at its root", origin)
	}
	return audit.Known(licence.And(found...).Sorted().String(), origin)
}

// sumsOf writes digests and names as sha256sum does, so that anybody can compare the folder; a large file is named by its size.
func sumsOf(root *os.Root, files []transparency.File) []byte {
	lines := make([]string, 0, len(files))
	for _, f := range files {
		data, err := readBelow(root, f.ID, maxFolderFile)
		if err != nil {
			lines = append(lines, fmt.Sprintf("# %d bytes, not read: %q", f.Size, f.Path))
			continue
		}
		lines = append(lines, audit.DigestOf(data).Hex()+"  "+strings.ToValidUTF8(f.Path, "\uFFFD"))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n")
}
