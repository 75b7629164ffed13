package thirdparty

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of a dump. osv.dev had some 600,000 records in 2026, two thirds of them about malicious packages.
const (
	mostRecords = 5_000_000
	dumpDepth   = 3
)

// dump is a local copy of OSV. It is indexed once, by package and by repository, and its records are read again when a
// project asks for them: memory grows with the number of records, not with their size or the number of projects.
type dump struct {
	path  string
	files []*dumpFile // sorted by name

	once sync.Once
	err  error

	refs       []ref
	index      map[string][]int32 // key of a package, or "git host/path", to refs
	ecosystems map[string]bool    // of which the dump has records
	newest     time.Time          // last change of any record: until when the dump can speak
	unreadable int                // records that nobody could read
}

// dumpFile is one zip file, or one directory of JSON files.
type dumpFile struct {
	name    string // relative to the dump, with slashes
	path    string // on this machine; never shown
	zip     *zip.ReadCloser
	entries []string // JSON files of a directory
	digest  audit.Digest
}

// ref is where a record lies.
type ref struct{ file, entry int32 }

// openDump finds the files of a dump and opens its zip files.
func openDump(path string) (*dump, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening the dump of OSV: %w", err)
	}
	d := &dump{path: path}
	if !info.IsDir() {
		err = d.addZip(path, filepath.Base(path))
	} else {
		err = d.walk()
	}
	if err == nil && len(d.files) == 0 {
		err = fmt.Errorf("no zip file and no JSON file in %q: give the directory that holds ECOSYSTEM/all.zip", filepath.Base(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the dump of OSV: %w", err), d.close())
	}
	return d, nil
}

func (d *dump) walk() error {
	loose := map[string]*dumpFile{}
	err := filepath.WalkDir(d.path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(d.path, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case entry.IsDir():
			if strings.Count(rel, "/") >= dumpDepth || rel != "." && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
		case !entry.Type().IsRegular():
		case strings.HasSuffix(rel, ".zip"):
			return d.addZip(path, rel)
		case strings.HasSuffix(rel, ".json"):
			dir := filepath.ToSlash(filepath.Dir(rel))
			if loose[dir] == nil {
				loose[dir] = &dumpFile{name: dir, path: filepath.Dir(path)}
				d.files = append(d.files, loose[dir])
			}
			loose[dir].entries = append(loose[dir].entries, entry.Name())
		}
		return nil
	})
	slices.SortFunc(d.files, func(a, b *dumpFile) int { return cmp.Compare(a.name, b.name) })
	return err
}

func (d *dump) addZip(path, name string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("reading %q: %w; fetch it again from osv.dev", name, err)
	}
	d.files = append(d.files, &dumpFile{name: name, path: path, zip: z})
	return nil
}

func (d *dump) close() error {
	var errs []error
	for _, f := range d.files {
		if f.zip != nil {
			errs = append(errs, f.zip.Close())
		}
	}
	return errors.Join(errs...)
}

// count is the number of entries of a file.
func (f *dumpFile) count() int {
	if f.zip != nil {
		return len(f.zip.File)
	}
	return len(f.entries)
}

// entry is the name of an entry.
func (f *dumpFile) entry(i int) string {
	if f.zip != nil {
		return f.zip.File[i].Name
	}
	return f.entries[i]
}

// read returns the bytes of an entry, at most as many as a record may have.
func (d *dump) read(f *dumpFile, i int) ([]byte, error) {
	var r io.ReadCloser
	var err error
	if f.zip != nil {
		r, err = f.zip.File[i].Open()
	} else {
		r, err = os.Open(filepath.Join(f.path, f.entries[i]))
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, mostRecord+1))
	if err == nil && len(data) > mostRecord {
		err = fmt.Errorf("%s has more than %d bytes", f.entry(i), mostRecord)
	}
	return data, err
}

// header is what the index needs of a record.
type header struct {
	Modified time.Time `json:"modified"`
	Affected []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Repo string `json:"repo"`
		} `json:"ranges"`
	} `json:"affected"`
}

// build reads the whole dump once.
func (d *dump) build(ctx context.Context) error {
	d.index, d.ecosystems = map[string][]int32{}, map[string]bool{}
	for i, f := range d.files {
		if f.zip != nil {
			digest, err := digestFile(f.path)
			if err != nil {
				return err
			}
			f.digest = digest
		}
		for j := range f.count() {
			if err := ctx.Err(); err != nil {
				return err
			}
			name := f.entry(j)
			if !strings.HasSuffix(name, ".json") || malicious(name[strings.LastIndexByte(name, '/')+1:]) {
				continue
			}
			if len(d.refs) == mostRecords {
				return fmt.Errorf("the dump has more than %d records", mostRecords)
			}
			data, err := d.read(f, j)
			var h header
			if err != nil || json.Unmarshal(data, &h) != nil {
				d.unreadable++
				continue
			}
			d.add(h, ref{int32(i), int32(j)})
		}
	}
	return nil
}

// digestFile is the digest of a file.
func digestFile(path string) (audit.Digest, error) {
	r, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return audit.Digest(fmt.Sprintf("sha256:%x", h.Sum(nil))), nil
}

func (d *dump) add(h header, at ref) {
	n := int32(len(d.refs))
	keys := map[string]bool{}
	for _, a := range h.Affected {
		ecosystem := registryOf(a.Package.Ecosystem)
		if hasOrder(ecosystem) {
			d.ecosystems[ecosystem] = true
			keys[key(ecosystem, a.Package.Name)] = true
			if ecosystem == "Go" {
				if repo := goRepository(a.Package.Name); repo != "" {
					keys[gitKey(repo)] = true
				}
			}
		}
		for _, g := range a.Ranges {
			if repo := repository(g.Repo); g.Repo != "" && repo != "" {
				d.ecosystems[gitEcosystem] = true
				keys[gitKey(repo)] = true
			}
		}
	}
	if h.Modified.After(d.newest) {
		d.newest = h.Modified
	}
	if len(keys) == 0 {
		return
	}
	d.refs = append(d.refs, at)
	for k := range keys {
		d.index[k] = append(d.index[k], n)
	}
}

// gitEcosystem is how OSV calls records that name repositories.
const gitEcosystem = "GIT"

func gitKey(repo string) string { return "git " + repo }

// goRepository is the repository of a Go module whose path is one on a common host; empty for other paths.
func goRepository(module string) string {
	parts := strings.SplitN(strings.ToLower(module), "/", 4)
	if len(parts) < 3 {
		return ""
	}
	switch parts[0] {
	case "github.com", "gitlab.com", "codeberg.org", "bitbucket.org":
		return strings.Join(parts[:3], "/")
	}
	return ""
}

// found is what a feed has about a project.
type found struct {
	records  []record
	origins  []audit.Origin
	observed time.Time
	covers   map[string]bool // ecosystems that the feed has; nil: all
	gaps     []string
}

// mostOrigins bounds the origins of one fact.
const mostOrigins = 20

// find returns the records under any of the keys. The index is built at the first call; a context that ends then leaves
// the dump unusable, as the run ends too.
func (d *dump) find(ctx context.Context, keys []string) (found, error) {
	d.once.Do(func() { d.err = d.build(ctx) })
	if d.err != nil {
		return found{}, fmt.Errorf("reading the dump of OSV: %w", withoutPath(d.err))
	}
	out := found{observed: d.newest, covers: d.ecosystems}
	var hits []int32
	for _, k := range keys {
		hits = append(hits, d.index[k]...)
	}
	slices.Sort(hits)
	files := map[int32]bool{}
	for _, n := range slices.Compact(hits) {
		at := d.refs[n]
		f := d.files[at.file]
		data, err := d.read(f, int(at.entry))
		if err != nil {
			return found{}, fmt.Errorf("reading the dump of OSV: %s: %w", f.place(int(at.entry)), withoutPath(err))
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil || !r.plausible() {
			out.gaps = append(out.gaps, "record "+clip(f.entry(int(at.entry)))+", which nobody could read")
			continue
		}
		out.records = append(out.records, r)
		files[at.file] = true
		if len(out.origins) < mostOrigins {
			out.origins = append(out.origins, audit.Origin{Source: string(OSV), URL: "https://osv.dev/vulnerability/" + r.ID, Path: f.place(int(at.entry)), Digest: audit.DigestOf(data), At: r.Modified})
		}
	}
	for i, f := range d.files {
		if f.digest != "" && (files[int32(i)] || len(out.records) == 0) && len(out.origins) < 2*mostOrigins {
			out.origins = append(out.origins, audit.Origin{Source: string(OSV), Path: f.name, Digest: f.digest, At: d.newest})
		}
	}
	if d.unreadable > 0 {
		out.gaps = append(out.gaps, fmt.Sprintf("%d records of the dump, which nobody could read", d.unreadable))
	}
	return out, nil
}

// withoutPath is an error of a file without the path of this machine.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// place names an entry within the dump.
func (f *dumpFile) place(i int) string {
	if f.zip != nil {
		return f.name + "!" + f.entry(i)
	}
	return strings.TrimPrefix(f.name+"/"+f.entry(i), "./")
}
