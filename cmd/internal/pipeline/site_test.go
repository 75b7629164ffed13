package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func smallSite(ids ...string) reports.Site {
	s := reports.Site{Day: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for _, id := range ids {
		s.Projects = append(s.Projects, reports.Project{ID: id, Name: id, Verdict: "undetermined", At: s.Day, Tiers: []string{}, Aspects: []reports.Aspect{}, Indicators: []reports.Indicator{}})
	}
	return s
}

func filesBelow(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASiteIsWrittenTwiceAlikeAndForgetsOnlyItsOwnOldPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "site")
	if n, err := WriteSite(t.Context(), dir, smallSite("a", "b")); err != nil || n != 11 {
		t.Fatalf("got %d files, %v", n, err)
	}
	first := filesBelow(t, dir)
	if _, err := WriteSite(t.Context(), dir, smallSite("b", "a")); err != nil {
		t.Fatal(err)
	}
	if second := filesBelow(t, dir); !maps.Equal(first, second) {
		t.Error("the same projects gave other files")
	}
	theirs := map[string]string{"CNAME": "health.example.org", "p/notes.txt": "mine", "p/a.json": "changed by hand"}
	for name, text := range theirs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := WriteSite(t.Context(), dir, smallSite("b")); err != nil {
		t.Fatal(err)
	}
	after := filesBelow(t, dir)
	for name, text := range theirs {
		if after[name] != text {
			t.Errorf("%s: got %q, want %q: it is not ours to remove", name, after[name], text)
		}
	}
	if after["p/a.html"] != "" || after["p/b.html"] == "" || strings.Contains(after["index.html"], "p/a.html") {
		t.Error("a page of a project that is gone is still there, or one that stays is not")
	}
	for name := range after {
		if strings.Contains(name, siteStaging) {
			t.Errorf("%s is left behind", name)
		}
	}
}

func TestASiteNeverReplacesWhatItDidNotWrite(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := WriteSite(t.Context(), dir, smallSite("a"))
	if _, usage := err.(*UsageError); !usage || !strings.Contains(err.Error(), `"index.html" is there`) {
		t.Errorf("got %v, want wrong usage that names the file", err)
	}
	if got := filesBelow(t, dir); len(got) != 1 || got["index.html"] != "mine" {
		t.Errorf("the directory changed: %v", slices.Collect(maps.Keys(got)))
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "x.html"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]audit.Digest{
		"a name that climbs": {"../x.html": audit.DigestOf([]byte("mine"))},
		"a hidden file":      {".git": ""},
		"a deeper file":      {"a/b/c.html": ""},
	} {
		into := filepath.Join(outside, "site")
		if err := os.MkdirAll(into, 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(siteFiles{Schema: siteManifestSchema, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(into, siteManifest), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteSite(t.Context(), into, smallSite("a")); err == nil {
			t.Errorf("%s: the list was believed", name)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "x.html")); err != nil {
		t.Error("a file outside the site was removed")
	}
	linked := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(linked, "p")); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteSite(t.Context(), linked, smallSite("a")); err == nil {
		t.Error("a link out of the directory was followed")
	}
	if _, err := os.Stat(filepath.Join(linked, siteManifest)); err == nil {
		t.Error("a site that was refused left its list behind")
	}
}

// What --site wrote may have been replaced since: by a directory, which no file can take the place of, or by a link.
func TestASiteThatWasChangedSinceIsRefusedBeforeAnythingIsReplaced(t *testing.T) {
	for _, name := range []string{"site.css", siteManifest} {
		dir := t.TempDir()
		if _, err := WriteSite(t.Context(), dir, smallSite("a")); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		before := filesBelow(t, dir)
		_, err := WriteSite(t.Context(), dir, smallSite("b"))
		if _, usage := err.(*UsageError); !usage || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want wrong usage that names the file", name, err)
		}
		if got := filesBelow(t, dir); !maps.Equal(got, before) {
			t.Errorf("%s: the directory changed: %v", name, slices.Sorted(maps.Keys(got)))
		}
	}
}

func TestAnInterruptedSiteIsWrittenWholeByTheNextRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := WriteSite(t.Context(), dir, smallSite("a")); err != nil {
		t.Fatal(err)
	}
	before := filesBelow(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := WriteSite(ctx, dir, smallSite("a", "b")); err == nil {
		t.Fatal("an ended context wrote a site")
	}
	if !maps.Equal(before, filesBelow(t, dir)) {
		t.Error("an interrupted run changed the site")
	}
	// Killed while files were put in place: the list has both, and some are there.
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w := siteWriter{root: root, dir: dir}
	if w.old, err = readSiteManifest(root); err != nil {
		t.Fatal(err)
	}
	if err := w.stage(t.Context(), smallSite("a", "b")); err != nil {
		t.Fatal(err)
	}
	maps.Copy(w.old.Files, w.new.Files)
	w.old.Schema = siteManifestSchema
	if err := w.list(w.old); err != nil {
		t.Fatal(err)
	}
	if err := root.Rename(siteStaging+"/p/b.html", "p/b.html"); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteSite(t.Context(), dir, smallSite("a", "b")); err != nil {
		t.Fatal(err)
	}
	whole := filesBelow(t, dir)
	if whole["p/b.html"] == "" || whole["p/b.json"] == "" || len(whole) != 12 {
		t.Errorf("got %d files", len(whole))
	}
}

// corpusRows are the projects of the corpus as reports show them.
func corpusRows(t testing.TB) []reports.Project {
	t.Helper()
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	said, err := corrections(catalogue, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	found := evidenceIn(t, corpusDir)
	var rows []reports.Project
	for _, id := range slices.Sorted(maps.Keys(found)) {
		p := catalogueProject(catalogue, id)
		p.Versions = versionsIn(found[id])
		e := stated(found[id], p, said)
		rows = append(rows, projectRow(judge(p, e, profile), e, profile, e.AssessedAt))
	}
	return rows
}

// The site of all recorded projects: every lost point has its reason, its numbers with a source, and evidence or what would
// settle it; no page is larger than a browser shows at once; and no person is named.
func TestTheSiteOfTheCorpusLeavesNoPointUnexplained(t *testing.T) {
	site, err := SiteOf(corpusRows(t), Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	total, pages := 0, 0
	for f, err := range site.Files() {
		if err != nil {
			t.Fatal(err)
		}
		total += len(f.Data)
		if strings.HasSuffix(f.Name, ".html") && strings.HasPrefix(f.Name, "p/") {
			pages++
			if len(f.Data) > 200<<10 {
				t.Errorf("%s has %d bytes", f.Name, len(f.Data))
			}
			text := string(f.Data)
			if n, sources := strings.Count(text, `<tr id="`), strings.Count(text, "ource: "); n != 89 || sources < 89 {
				t.Errorf("%s: %d questions with %d sources, want 89 of each", f.Name, n, sources)
			}
		}
	}
	if pages != len(site.Projects) || pages < 80 {
		t.Errorf("%d pages of %d projects", pages, len(site.Projects))
	}
	t.Logf("%d projects: %d bytes", pages, total)
	if most := pages * 160 << 10; total > most {
		t.Errorf("the site has %d bytes, want at most %d", total, most)
	}
}

// BenchmarkSite writes the corpus, and thousands of projects of its kind, to a directory.
func BenchmarkSite(b *testing.B) {
	rows := corpusRows(b)
	for _, n := range []int{len(rows), 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var many []reports.Project
			for i := range n {
				p := rows[i%len(rows)]
				if i >= len(rows) {
					p.ID, p.Name = fmt.Sprintf("%s-%d", p.ID, i), fmt.Sprintf("%s %d", p.Name, i)
				}
				many = append(many, p)
			}
			site, err := SiteOf(many, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := WriteSite(b.Context(), filepath.Join(b.TempDir(), "site"), site); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
