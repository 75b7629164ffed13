package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

const (
	siteManifest       = "pegel-site.json"
	siteManifestSchema = "pegel/site-files/v1"
	siteStaging        = ".pegel-site-new"
	maxSiteManifest    = 64 << 20 // 5,000 projects need 2 MB
	mostSiteFiles      = 1_000_000
)

// siteFiles is the list of what WriteSite wrote, by name with digest. Nothing else in the directory is ever touched.
type siteFiles struct {
	Schema string                  `json:"schema"`
	Files  map[string]audit.Digest `json:"files"`
}

// SiteOf is the site about scored projects: as of the run's day, by the built-in policy, with the profile that the run was given.
func SiteOf(projects []reports.Project, opt Options) (reports.Site, error) {
	policy, err := policies.Default()
	if err != nil {
		return reports.Site{}, fmt.Errorf("loading the built-in policy: %w", err)
	}
	profiles, err := Profiles(opt.Profile)
	if err != nil {
		return reports.Site{}, err
	}
	profile := profiles.Main()
	day := opt.At
	var recordings []audit.Digest
	for _, p := range projects {
		recordings = append(recordings, p.Recordings...)
	}
	slices.Sort(recordings)
	recordings = slices.Compact(recordings)
	for _, p := range projects { // projects that are judged at their newest commit have days of their own
		if opt.At.IsZero() && p.At.After(day) {
			day = p.At
		}
	}
	return reports.Site{
		Day: day, Tool: reports.Tool{Version: opt.Version}, Recordings: recordings, Projects: projects,
		Policy: reports.Policy{ID: policy.ID(), Version: policy.Version(), Digest: policy.Digest(), Status: policy.Status(), Profile: profile.ID + " " + profile.Version},
	}, nil
}

// WriteSite writes a site below a directory, which is made if it is not there, and returns how many files it has. All files are
// made before the first is put in place, each by renaming, so that nobody sees half a page. Files of an earlier site that the
// new one does not have are removed if they are as they were written; a file that WriteSite did not write is never replaced.
func WriteSite(ctx context.Context, dir string, site reports.Site) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, usagef("name a directory, or a place where one can be made", "writing the site to %q: no directory can be made there", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("writing the site to %q: %w", dir, err)
	}
	defer root.Close()
	w := siteWriter{root: root, dir: dir}
	if info, err := root.Lstat("p"); err == nil && !info.IsDir() {
		return 0, usagef("name an empty directory, or move it away", "writing the site to %q: \"p\" is there and is no directory", dir)
	}
	if w.old, err = readSiteManifest(root); err != nil {
		return 0, usagef("name an empty directory, a new one, or one that --site wrote", "writing the site to %q: %w", dir, err)
	}
	if err := root.RemoveAll(siteStaging); err != nil { // of a run that was killed
		return 0, fmt.Errorf("writing the site to %q: %w", dir, err)
	}
	defer root.RemoveAll(siteStaging)
	if err := w.stage(ctx, site); err != nil {
		return 0, err
	}
	return len(w.new.Files), w.place()
}

// siteWriter puts the files of one site in place.
type siteWriter struct {
	root     *os.Root
	dir      string
	old, new siteFiles
}

// readSiteManifest reads which files an earlier run wrote; none if there was none.
func readSiteManifest(root *os.Root) (siteFiles, error) {
	m := siteFiles{Files: map[string]audit.Digest{}}
	info, err := root.Lstat(siteManifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, nil
	case err != nil:
		return m, err
	case !info.Mode().IsRegular(): // a pipe would be waited for without end
		return m, fmt.Errorf("%q is no regular file", siteManifest)
	case info.Size() > maxSiteManifest:
		return m, fmt.Errorf("%q has %d bytes, at most %d are read", siteManifest, info.Size(), maxSiteManifest)
	}
	data, err := fs.ReadFile(root.FS(), siteManifest)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Schema != siteManifestSchema || len(m.Files) > mostSiteFiles {
		return m, fmt.Errorf("%q does not list the files of a site", siteManifest)
	}
	for name := range m.Files {
		if !siteName(name) {
			return m, fmt.Errorf("%q lists %q, which no site has", siteManifest, name)
		}
	}
	return m, nil
}

// siteName says that a site may have a file of this name: one at the root, or one below p/.
func siteName(name string) bool {
	return fs.ValidPath(name) && (path.Dir(name) == "." || path.Dir(name) == "p") && !strings.HasPrefix(path.Base(name), ".") &&
		slices.Contains([]string{".html", ".json", ".svg", ".css"}, path.Ext(name))
}

// stage makes all files in a directory of their own. It refuses to go on if one would replace a file of somebody else.
func (w *siteWriter) stage(ctx context.Context, site reports.Site) error {
	w.new = siteFiles{Schema: siteManifestSchema, Files: map[string]audit.Digest{}}
	if err := w.root.MkdirAll(siteStaging+"/p", 0o755); err != nil {
		return fmt.Errorf("writing the site to %q: %w", w.dir, err)
	}
	for f, err := range site.Files() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if _, ours := w.old.Files[f.Name]; w.there(f.Name, ours) {
			return usagef("name an empty directory, or move that file away", "writing the site to %q: %q is there and was not written by --site", w.dir, f.Name)
		}
		if err := w.root.WriteFile(siteStaging+"/"+f.Name, f.Data, 0o644); err != nil {
			return fmt.Errorf("writing the site to %q: %w", w.dir, err)
		}
		w.new.Files[f.Name] = audit.DigestOf(f.Data)
	}
	return nil
}

// there says that something of this name is there that must not be replaced: anything but a file that --site wrote.
func (w *siteWriter) there(name string, ours bool) bool {
	info, err := w.root.Lstat(name)
	return err == nil && !(ours && info.Mode().IsRegular())
}

// place moves the files to where they belong. The list of what is ours is written first with old and new names, so that a run
// that is killed in between leaves nothing that the next one takes for somebody else's.
func (w *siteWriter) place() error {
	both := siteFiles{Schema: siteManifestSchema, Files: maps.Clone(w.old.Files)}
	maps.Copy(both.Files, w.new.Files)
	if err := w.list(both); err != nil {
		return err
	}
	if err := w.root.MkdirAll("p", 0o755); err != nil {
		return fmt.Errorf("writing the site to %q: %w", w.dir, err)
	}
	for _, name := range slices.Sorted(maps.Keys(w.new.Files)) {
		if err := w.root.Rename(siteStaging+"/"+name, name); err != nil {
			return fmt.Errorf("writing the site to %q: %w", w.dir, err)
		}
	}
	for name, digest := range w.old.Files {
		if _, stays := w.new.Files[name]; stays {
			continue
		}
		if data, err := fs.ReadFile(w.root.FS(), name); err == nil && audit.DigestOf(data) == digest {
			if err := w.root.Remove(name); err != nil {
				return fmt.Errorf("writing the site to %q: %w", w.dir, err)
			}
		}
	}
	return w.list(w.new)
}

// list writes which files are ours.
func (w *siteWriter) list(files siteFiles) error {
	data, err := canonical(files)
	if err != nil {
		return err
	}
	next := siteStaging + "/" + siteManifest
	if err := w.root.WriteFile(next, data, 0o644); err != nil {
		return fmt.Errorf("writing the site to %q: %w", w.dir, err)
	}
	if err := w.root.Rename(next, siteManifest); err != nil {
		return fmt.Errorf("writing the site to %q: %w", w.dir, err)
	}
	return nil
}
