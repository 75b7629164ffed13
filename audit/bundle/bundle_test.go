package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/pegel-audit/pegel/audit"
)

var day = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// sample has one blob of every kind, one of them twice, and a withheld one.
func sample() []audit.Blob {
	var out []audit.Blob
	for i, kind := range InputKinds() {
		out = append(out, audit.Blob{
			Kind: kind, Name: fmt.Sprintf("%s-%d.json", kind, i), MediaType: "application/json", Data: fmt.Appendf(nil, `{"n":%d}`, i),
			Source: "https://example.org/" + kind, Origin: audit.Origin{Source: "test", Commit: strings.Repeat("ab", 20), Path: "a/b", At: day.Add(-time.Hour)},
		})
	}
	return append(out,
		audit.Blob{Kind: "raw", Name: "LICENSE", Data: []byte("text of a stranger"), Withheld: "third-party text", Source: "https://example.org/repo"},
		audit.Blob{Kind: "raw", Name: "../../etc/passwd", Data: []byte("hostile name")},
		audit.Blob{Kind: "raw", Name: "readme", Data: []byte("same bytes")},
		audit.Blob{Kind: "raw", Name: "README", Data: []byte("same bytes")},
		audit.Blob{Kind: "raw", Name: "readme", Data: []byte("other bytes")},
	)
}

func write(t *testing.T, dir string, blobs []audit.Blob) audit.Digest {
	t.Helper()
	w, err := Create(dir, day)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if _, err := w.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	id, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sampleBundle is a bundle with two results.
func sampleBundle(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	write(t, dir, sample())
	for kind, name := range map[string]string{"report": "report.json", "findings": "findings.json", "log": "collection.json"} {
		if err := AddResult(dir, kind, name, []byte(`{"of":"`+kind+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree returns every file below dir with its bytes.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func problems(t *testing.T, dir string) []Problem {
	t.Helper()
	p, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatIsAddedIsReadBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	id := write(t, dir, sample())
	if p := problems(t, dir); len(p) > 0 {
		t.Fatalf("a new bundle has problems: %v", p)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b.Identity() != id {
		t.Errorf("identity: got %s, want %s", b.Identity(), id)
	}
	if got := b.Evidence().AssessedAt; !got.Equal(day) {
		t.Errorf("assessed_at: got %s, want %s", got, day)
	}
	for _, want := range sample() {
		e := find(b.Blobs(want.Kind), want)
		if e.Digest == "" {
			t.Errorf("%s %q is not listed", want.Kind, want.Name)
			continue
		}
		if want.Source != "" && (e.Source != want.Source || e.Commit != want.Origin.Commit || !e.ObservedAt.Equal(want.Origin.At)) {
			t.Errorf("%s %q: got origin %+v, want %+v", want.Kind, want.Name, e, want.Origin)
		}
		got, err := b.Read(e.Digest)
		if want.Withheld != "" {
			if err == nil || errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), want.Withheld) {
				t.Errorf("%s %q: got error %v, want one that says why it is withheld", want.Kind, want.Name, err)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, want.Data) {
			t.Errorf("%s %q: got %q, %v, want %q", want.Kind, want.Name, got, err, want.Data)
		}
	}
}

func find(entries []Entry, b audit.Blob) Entry {
	for _, e := range entries {
		if e.Name == b.Name && e.Digest == audit.DigestOf(b.Data) {
			return e
		}
	}
	return Entry{}
}

func TestBytesOfAWithheldBlobAreNowhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	write(t, dir, sample())
	for name, data := range tree(t, dir) {
		if strings.Contains(data, "text of a stranger") {
			t.Errorf("%s holds the withheld text", name)
		}
	}
}

func TestOrderAndTimeOfCollectingDoNotChangeAByte(t *testing.T) {
	parent := t.TempDir()
	first, second := filepath.Join(parent, "first"), filepath.Join(parent, "second")
	a := write(t, first, sample())
	shuffled := append(sample(), sample()[3])
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	w, err := Create(second, day.In(time.FixedZone("", 7200)).Add(123*time.Nanosecond))
	if err != nil {
		t.Fatal(err)
	}
	keep := w.Keep()
	var group sync.WaitGroup
	for _, blob := range shuffled {
		group.Go(func() {
			if _, err := keep(context.Background(), blob); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	b, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Errorf("identities differ: %s and %s", a, b)
	}
	one, two := tree(t, first), tree(t, second)
	if len(one) != len(two) {
		t.Errorf("got %d files, want %d", len(two), len(one))
	}
	for name, want := range one {
		if got := two[name]; got != want {
			t.Errorf("%s differs: got %q, want %q", name, got, want)
		}
	}
}

func TestABundleIsAnOCIImageLayout(t *testing.T) {
	dir := sampleBundle(t)
	path, err := ocilayout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	im, err := ix.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(im.Manifests) != 4 {
		t.Fatalf("got %d manifests, want the inputs and three results", len(im.Manifests))
	}
	for i, d := range im.Manifests {
		img, err := path.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := img.RawManifest()
		if err != nil {
			t.Fatal(err)
		}
		m, err := v1.ParseManifest(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if config, err := img.RawConfigFile(); err != nil || string(config) != "{}" {
			t.Errorf("config: got %q, %v, want {}", config, err)
		}
		for _, l := range m.Layers {
			if _, err := path.Blob(l.Digest); err != nil {
				t.Errorf("manifest %d names a blob that is not there: %v", i, err)
			}
			if name := l.Annotations["org.opencontainers.image.title"]; name == "" || !filepath.IsLocal(name) || strings.Count(name, "/") > 1 {
				t.Errorf("title %q is no safe file name", name)
			}
		}
		if isResult := m.Subject != nil; isResult != (i > 0) {
			t.Errorf("manifest %d: has a subject is %v", i, isResult)
		} else if isResult && m.Subject.Digest != im.Manifests[0].Digest {
			t.Errorf("manifest %d is attached to %s, want the inputs manifest", i, m.Subject.Digest)
		}
	}
}

func TestTitlesAreUniqueOnEveryFileSystem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	write(t, dir, append(sample(), audit.Blob{Kind: "raw", Name: "Readme", Data: []byte("third")}, audit.Blob{Kind: "raw", Name: "...", Data: []byte("dots")}))
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range inputsManifest(b.Evidence(), descriptor{Digest: b.Identity()}).Layers {
		key := strings.ToLower(d.Annotations[titleKey])
		if seen[key] {
			t.Errorf("title %q is given twice", key)
		}
		seen[key] = true
	}
}

func TestAddRefusesWhatABundleMayNotHold(t *testing.T) {
	for name, tc := range map[string]struct {
		blob audit.Blob
		want string
	}{
		"an unknown kind":         {audit.Blob{Kind: "secrets", Name: "x"}, "none of"},
		"a result kind":           {audit.Blob{Kind: "report", Name: "x"}, "none of"},
		"no name":                 {audit.Blob{Kind: "raw"}, "no name"},
		"a path of a machine":     {audit.Blob{Kind: "raw", Name: "x", Source: "/srv/images/a.tar"}, "path of a machine"},
		"a file URL":              {audit.Blob{Kind: "raw", Name: "x", Source: "file:///srv/a"}, "path of a machine"},
		"a URL with credentials":  {audit.Blob{Kind: "raw", Name: "x", Source: "https://me:pw@example.org/a"}, "credentials"},
		"a URL with a token":      {audit.Blob{Kind: "raw", Name: "x", Source: "https://token@example.org/a"}, "credentials"},
		"a name that is endless":  {audit.Blob{Kind: "raw", Name: strings.Repeat("x", 5000)}, "more than"},
		"a second stack document": {audit.Blob{Kind: "stack", Name: "stack.json", Data: []byte("2")}, "another blob"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Create(filepath.Join(t.TempDir(), "b"), day)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Add(audit.Blob{Kind: "stack", Name: "stack.json", Data: []byte("1")}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Add(tc.blob); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestEntriesOfAnotherBundleKeepDigestAndSize(t *testing.T) {
	parent := t.TempDir()
	write(t, filepath.Join(parent, "one"), sample())
	from, err := Open(filepath.Join(parent, "one"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := Create(filepath.Join(parent, "two"), day)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range from.Evidence().Blobs {
		var data []byte
		if e.Withheld == "" {
			if data, err = from.Read(e.Digest); err != nil {
				t.Fatal(err)
			}
			if err := w.AddEntry(e, append(data, 'x')); err == nil {
				t.Error("bytes that are not the entry's were taken")
			}
		}
		if err := w.AddEntry(e, data); err != nil {
			t.Fatal(err)
		}
	}
	id, err := w.Close()
	if err != nil || id != from.Identity() {
		t.Errorf("got identity %s, %v, want %s", id, err, from.Identity())
	}
}

func TestAnInterruptedWriteIsNoBundleAndCanBeContinued(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	w, err := Create(dir, day)
	if err != nil {
		t.Fatal(err)
	}
	first := sample()[0]
	d, err := w.Add(first)
	if err != nil {
		t.Fatal(err)
	}
	// The process dies here, in the middle of another file.
	half := filepath.Join(dir+unfinished, filepath.FromSlash(fileOf(audit.DigestOf([]byte("lost")))))
	if err := os.WriteFile(half, []byte("lo"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half+".0.tmp", []byte("l"), 0o644); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(dir+unfinished, filepath.FromSlash(fileOf(d)))
	before, err := os.Stat(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, dir + unfinished} {
		if _, err := Open(name); !errors.Is(err, ErrNoBundle) || errors.Is(err, ErrIntegrity) {
			t.Errorf("opening %q: got %v, want ErrNoBundle", filepath.Base(name), err)
		}
	}
	write(t, dir, append(sample(), audit.Blob{Kind: "raw", Name: "lost", Data: []byte("lost")}))
	after, err := os.Stat(filepath.Join(dir, filepath.FromSlash(fileOf(d))))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the blob of the first attempt was written again: %v", err)
	}
	if p := problems(t, dir); len(p) > 0 {
		t.Errorf("the bundle has problems: %v", p)
	}
	if _, err := os.Stat(dir + unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the working directory is still there: %v", err)
	}
}

func TestABundleStaysAsItIsUntilTheNextOneIsComplete(t *testing.T) {
	dir := sampleBundle(t)
	before := tree(t, dir)
	w, err := Create(dir, day.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add(audit.Blob{Kind: "stack", Name: "new", Data: []byte("new")}); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != len(before) || got[indexFile] != before[indexFile] {
		t.Error("the old bundle changed before the new one was complete")
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil || len(b.Evidence().Blobs) != 1 || len(b.Results()) != 0 {
		t.Errorf("the new bundle is not in place: %v", err)
	}
	if _, err := w.Add(audit.Blob{Kind: "raw", Name: "late"}); err == nil {
		t.Error("a closed bundle took another blob")
	}
}

func TestADirectoryThatIsNoBundleIsNeverReplaced(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"a directory with somebody's file": func(d string) error {
			return errors.Join(os.Mkdir(d, 0o755), os.WriteFile(filepath.Join(d, "thesis.tex"), nil, 0o644))
		},
		"a bundle with somebody's file": func(d string) error {
			w, err := Create(d, day)
			if err != nil {
				return err
			}
			_, err = w.Close()
			return errors.Join(err, os.WriteFile(filepath.Join(d, "notes.txt"), nil, 0o644))
		},
		"a file":          func(d string) error { return os.WriteFile(d, nil, 0o644) },
		"a symbolic link": func(d string) error { return os.Symlink(filepath.Dir(d), d) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bundle")
			if err := make(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Create(dir, day); err == nil {
				t.Error("the directory was taken")
			}
		})
	}
}

func TestAnEmptyDirectoryBecomesABundle(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, sample())
	if p := problems(t, dir); len(p) > 0 {
		t.Errorf("got problems %v", p)
	}
}

func TestResultsAreReplacedAndLeaveTheIdentityAlone(t *testing.T) {
	dir := sampleBundle(t)
	before, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []byte(`{"second":true}`)
	if err := AddResult(dir, "report", "report.json", want); err != nil {
		t.Fatal(err)
	}
	got, err := Result(dir, "report", "report.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	after, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if after.Identity() != before.Identity() || len(after.Results()) != 3 {
		t.Errorf("got identity %s with %d results, want %s with 3", after.Identity(), len(after.Results()), before.Identity())
	}
	if p := problems(t, dir); len(p) > 0 {
		t.Errorf("got problems %v", p)
	}
	files := tree(t, dir)
	if err := AddResult(dir, "report", "report.json", want); err != nil {
		t.Fatal(err)
	}
	for name, data := range tree(t, dir) {
		if files[name] != data {
			t.Errorf("attaching the same result again changed %s", name)
		}
	}
	if _, err := Result(dir, "report", "other.json"); !errors.Is(err, ErrNoResult) {
		t.Errorf("got %v, want ErrNoResult", err)
	}
	if err := AddResult(dir, "stack", "stack.json", want); err == nil {
		t.Error("an input was attached as a result")
	}
}

// TestEveryFlippedByteIsFound flips a bit at several places of every file and asks Verify, and Open
// or Read, which must name the file.
func TestEveryFlippedByteIsFound(t *testing.T) {
	dir := sampleBundle(t)
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for file, data := range tree(t, dir) {
		path := filepath.Join(dir, filepath.FromSlash(file))
		info := os.FileMode(0o644)
		for i, at := range places(file, len(data)) {
			mask := []byte{0x01, 0x20}[i%2]
			changed := []byte(data)
			changed[at] ^= mask
			if err := os.WriteFile(path, changed, info); err != nil {
				t.Fatal(err)
			}
			found := problems(t, dir)
			i := slices.IndexFunc(found, func(p Problem) bool { return p.File == file })
			if i < 0 {
				t.Fatalf("%s: byte %d ^ %#x: got problems %v, want one for the file", file, at, mask, found)
			}
			kinds[found[i].Kind] = true
			if err := useAll(dir, b); needed(file) && !errors.Is(err, ErrIntegrity) {
				t.Fatalf("%s: byte %d ^ %#x: reading the bundle gave %v, want ErrIntegrity", file, at, mask, err)
			}
		}
		if err := os.WriteFile(path, []byte(data), info); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range append(InputKinds(), "evidence", "manifest", "index", "layout", "report", "findings", "log") {
		if !kinds[kind] {
			t.Errorf("no flipped byte was named as kind %s", kind)
		}
	}
	if p := problems(t, dir); len(p) > 0 {
		t.Errorf("the restored bundle has problems: %v", p)
	}
}

// needed reports whether an evaluation reads the file; the instructions and the empty config are for others.
func needed(file string) bool {
	return file != verifyFile && file != fileOf(audit.DigestOf([]byte(emptyConfig)))
}

// places are a spread over a file, close together in the two files that no digest protects.
func places(file string, n int) []int {
	step := max(1, n/4)
	if file == indexFile || file == layoutFile {
		step = 5
	}
	var out []int
	for i := 0; i < n; i += step {
		out = append(out, i)
	}
	return append(out, n-1)
}

// useAll reads everything the way an evaluation does.
func useAll(dir string, known *Bundle) error {
	b, err := Open(dir)
	if err != nil {
		return err
	}
	for _, e := range append(known.Evidence().Blobs, known.Results()...) {
		if e.Withheld == "" {
			if _, err := b.Read(e.Digest); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestDamageIsNamed(t *testing.T) {
	victim := audit.DigestOf([]byte(`{"n":4}`)) // the packages blob
	for name, tc := range map[string]struct {
		damage func(dir string) error
		want   []string
	}{
		"a blob is missing": {
			func(d string) error { return os.Remove(filepath.Join(d, filepath.FromSlash(fileOf(victim)))) },
			[]string{`packages "packages-4.json"`, victim.Hex(), "missing"},
		},
		"a blob grew": {
			func(d string) error {
				return os.WriteFile(filepath.Join(d, filepath.FromSlash(fileOf(victim))), []byte(`{"n":3} `), 0o644)
			},
			[]string{`packages "packages-4.json"`, "digest"},
		},
		"a blob became a link to its own bytes": {
			func(d string) error {
				path := filepath.Join(d, filepath.FromSlash(fileOf(victim)))
				return errors.Join(os.Rename(path, filepath.Join(d, "..", "elsewhere")), os.Symlink(filepath.Join(d, "..", "elsewhere"), path))
			},
			[]string{`packages "packages-4.json"`, "not a regular file"},
		},
		"the blob directory became a link": {
			func(d string) error {
				return errors.Join(os.Rename(filepath.Join(d, "blobs"), filepath.Join(d, "hidden")), os.Symlink("hidden", filepath.Join(d, "blobs")))
			},
			[]string{"not a directory"},
		},
		"a stray blob": {
			func(d string) error {
				return os.WriteFile(filepath.Join(d, filepath.FromSlash(fileOf(audit.DigestOf(nil)))), nil, 0o644)
			},
			[]string{"stray", "belongs to nothing"},
		},
		"a stray file": {
			func(d string) error { return os.WriteFile(filepath.Join(d, "extra"), nil, 0o644) },
			[]string{"stray (extra)"},
		},
		"the layout file is missing": {
			func(d string) error { return os.Remove(filepath.Join(d, layoutFile)) },
			[]string{"layout (oci-layout)"},
		},
		"a result lost its entry in the index": {
			func(d string) error { return rewriteIndex(d, func(ix *index) { ix.Manifests = ix.Manifests[:1] }) },
			[]string{"stray", "belongs to nothing"},
		},
		"the index names a manifest twice": {
			func(d string) error {
				return rewriteIndex(d, func(ix *index) { ix.Manifests = append(ix.Manifests, ix.Manifests[1]) })
			},
			[]string{"index (index.json)", "twice"},
		},
		"the index lost the inputs": {
			func(d string) error { return rewriteIndex(d, func(ix *index) { ix.Manifests = ix.Manifests[1:] }) },
			[]string{"index (index.json)", "instead of one"},
		},
		"a digest in the index is a path": {
			func(d string) error {
				return rewriteIndex(d, func(ix *index) { ix.Manifests[0].Digest = "sha256:../../../../etc/passwd" })
			},
			[]string{"index (index.json)", "hexadecimal"},
		},
		"a size in the index is huge": {
			func(d string) error { return rewriteIndex(d, func(ix *index) { ix.Manifests[0].Size = 1 << 50 }) },
			[]string{"index (index.json)", "not within"},
		},
		"a size in the index is too small": {
			func(d string) error { return rewriteIndex(d, func(ix *index) { ix.Manifests[0].Size-- }) },
			[]string{"index (index.json)", "bytes instead of"},
		},
		"the index has a key twice": {
			func(d string) error { return editIndex(d, `"schemaVersion":2`, `"schemaVersion":2,"schemaVersion":2`) },
			[]string{"index (index.json)", "twice"},
		},
		"the index has an unknown key": {
			func(d string) error { return editIndex(d, `"schemaVersion":2`, `"schemaVersion":2,"urls":[]`) },
			[]string{"index (index.json)", "unknown field"},
		},
		"the index is nested without end": {
			func(d string) error {
				return os.WriteFile(filepath.Join(d, indexFile), bytes.Repeat([]byte("["), 100_000), 0o644)
			},
			[]string{"index (index.json)", "deeper"},
		},
		"the index is larger than any index": {
			func(d string) error { return os.Truncate(filepath.Join(d, indexFile), maxIndex+1) },
			[]string{"index (index.json)", "more than"},
		},
		"the instructions were changed": {
			func(d string) error {
				return os.WriteFile(filepath.Join(d, verifyFile), []byte("all is well\n"), 0o644)
			},
			[]string{"verify.txt"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := sampleBundle(t)
			if err := tc.damage(dir); err != nil {
				t.Fatal(err)
			}
			found := problems(t, dir)
			if !slices.ContainsFunc(found, func(p Problem) bool { return containsAll(p.String(), tc.want) }) {
				t.Errorf("got problems %v, want one with %q", found, tc.want)
			}
		})
	}
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

func rewriteIndex(dir string, change func(*index)) error {
	data, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		return err
	}
	var ix index
	if err := decodeStrict(data, &ix); err != nil {
		return err
	}
	change(&ix)
	if data, err = canonical(ix); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, indexFile), data, 0o644)
}

func editIndex(dir, old, replacement string) error {
	data, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, indexFile), bytes.Replace(data, []byte(old), []byte(replacement), 1), 0o644)
}

// forge writes a bundle by hand around an evidence.json of somebody else's making.
func forge(t *testing.T, evidence []byte, change func(*manifest)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	var ev Evidence
	_ = decodeStrict(evidence, &ev) // a forger need not write what can be read
	m := inputsManifest(ev, describeBytes(evidenceType, evidence))
	if change != nil {
		change(&m)
	}
	data, err := canonical(m)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		fileOf(audit.DigestOf(evidence)): evidence, fileOf(audit.DigestOf(data)): data,
		fileOf(audit.DigestOf([]byte("{}"))): []byte("{}"), layoutFile: []byte(`{"imageLayoutVersion":"1.0.0"}`),
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ix, err := canonical(index{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{inIndex(m, data)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, indexFile), ix, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestForgedEvidenceIsRefused(t *testing.T) {
	entry := func(digest, kind, name string) string {
		return `{"digest":"` + digest + `","kind":"` + kind + `","media_type":"a/b","name":"` + name + `","size":0,"withheld":"w"}`
	}
	zero := "sha256:" + strings.Repeat("0", 64)
	doc := func(entries ...string) string {
		return `{"assessed_at":"2026-07-01T00:00:00Z","blobs":[` + strings.Join(entries, ",") + `],"schema":"pegel/evidence/v1"}`
	}
	for name, tc := range map[string]struct {
		evidence  string
		change    func(*manifest)
		want      string
		integrity bool
	}{
		"sound":                       {evidence: doc(entry(zero, "raw", "a"))},
		"a digest that is a path":     {evidence: doc(entry("sha256:../../etc/passwd", "raw", "a")), want: "hexadecimal", integrity: true},
		"an unknown kind":             {evidence: doc(entry(zero, "gossip", "a")), want: "none of", integrity: true},
		"entries out of order":        {evidence: doc(entry(zero, "raw", "b"), entry(zero, "raw", "a")), want: "out of order", integrity: true},
		"an entry twice":              {evidence: doc(entry(zero, "raw", "a"), entry(zero, "raw", "a")), want: "out of order", integrity: true},
		"a key twice":                 {evidence: strings.Replace(doc(), `"blobs":[]`, `"blobs":[],"blobs":[]`, 1), want: "twice", integrity: true},
		"an unknown key":              {evidence: strings.Replace(doc(), `"blobs":[]`, `"blobs":[],"x":1`, 1), want: "unknown field", integrity: true},
		"a key in another case":       {evidence: strings.Replace(doc(), `"blobs"`, `"Blobs"`, 1), want: "format demands", integrity: true},
		"spaces":                      {evidence: strings.Replace(doc(), `:[]`, `: []`, 1), want: "canonical", integrity: true},
		"a second document behind it": {evidence: doc() + "{}", want: "follows", integrity: true},
		"a form of the future":        {evidence: strings.Replace(doc(), "v1", "v9", 1), want: `"pegel/evidence/v9"`},
		"a manifest that hides a blob": {
			evidence: doc(), change: func(m *manifest) { m.Layers = append(m.Layers, m.Layers[0]) }, want: "does not list", integrity: true,
		},
		"a manifest without layers": {evidence: doc(), change: func(m *manifest) { m.Layers = []descriptor{} }, want: "no blob", integrity: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(forge(t, []byte(tc.evidence), tc.change))
			if tc.want == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, ErrIntegrity) != tc.integrity {
				t.Errorf("got error %v (integrity %v), want one with %q (integrity %v)", err, errors.Is(err, ErrIntegrity), tc.want, tc.integrity)
			}
		})
	}
}

func TestALayoutCopiedByOtherToolsIsRead(t *testing.T) {
	dir := sampleBundle(t)
	err := rewriteIndex(dir, func(ix *index) {
		ix.MediaType = ""
		slices.Reverse(ix.Manifests)
		for i := range ix.Manifests {
			ix.Manifests[i].ArtifactType = ""
			ix.Manifests[i].Annotations = map[string]string{refNameKey: "latest"}
		}
	})
	if err = errors.Join(err, os.Remove(filepath.Join(dir, verifyFile))); err != nil {
		t.Fatal(err)
	}
	if p := problems(t, dir); len(p) > 0 {
		t.Errorf("got problems %v, want none", p)
	}
}

func TestADirectoryWithoutABundleIsToldFromADamagedOne(t *testing.T) {
	for name, dir := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "empty": t.TempDir()} {
		if _, err := Open(dir); !errors.Is(err, ErrNoBundle) || errors.Is(err, ErrIntegrity) {
			t.Errorf("%s: Open gave %v, want ErrNoBundle", name, err)
		}
		if _, err := Verify(dir); !errors.Is(err, ErrNoBundle) {
			t.Errorf("%s: Verify gave %v, want ErrNoBundle", name, err)
		}
	}
}

func TestKeepStopsWithItsContext(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "b"), day)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Keep()(ctx, sample()[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestTheInstructionsFindAChangedFile runs the first two commands of verify.txt as a reader would.
func TestTheInstructionsFindAChangedFile(t *testing.T) {
	for _, tool := range []string{"sh", "sha256sum", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is needed: %v", tool, err)
			}
			t.Skipf("%s is needed: %v", tool, err)
		}
	}
	dir := sampleBundle(t)
	text, err := os.ReadFile(filepath.Join(dir, verifyFile))
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "   ") {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	run := func(command string) (string, error) {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = dir
		out, err := cmd.Output()
		return string(out), err
	}
	if out, err := run(commands[0]); err != nil || out != "" {
		t.Errorf("a sound bundle: got %q, %v, want nothing", out, err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(commands[1]); err != nil || !strings.HasPrefix(out, b.Identity().Hex()) {
		t.Errorf("the identity: got %q, %v, want %s", out, err, b.Identity().Hex())
	}
	victim := b.Blobs("inventory")[0].Digest
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(fileOf(victim))), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(commands[0]); err == nil || out != "changed: "+victim.Hex()+"\n" {
		t.Errorf("a changed blob: got %q, %v, want its name and a failure", out, err)
	}
}

// FuzzOpen puts foreign bytes in the place of evidence.json. Law: whatever Open accepts, a Writer given the same entries
// would write with the same identity.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"assessed_at":"2026-07-01T00:00:00Z","blobs":[],"schema":"pegel/evidence/v1"}`))
	f.Add([]byte(`{"assessed_at":"2026-07-01T00:00:00Z","blobs":[{"digest":"sha256:` + strings.Repeat("0", 64) +
		`","kind":"raw","media_type":"a/b","name":"n","size":7,"withheld":"w"}],"schema":"pegel/evidence/v1"}`))
	f.Add([]byte(`{"Schema":"pegel/evidence/v1"}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, evidence []byte) {
		b, err := Open(forge(t, evidence, nil))
		if err != nil {
			return
		}
		again, err := canonical(b.Evidence())
		if err != nil || audit.DigestOf(again) != b.Identity() || !bytes.Equal(again, evidence) {
			t.Errorf("accepted %q, which would be written as %q", evidence, again)
		}
	})
}

// FuzzStrictJSON has the law that what is accepted says nothing but the value: written again, it is the same document.
func FuzzStrictJSON(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"manifests":[]}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"d","size":1,"annotations":{"a":"b"}}]}`))
	f.Add([]byte(`{"schemaVersion":2,"SchemaVersion":3,"manifests":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second index
		if decodeStrict(data, &first) != nil {
			return
		}
		again, err := canonical(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeStrict(again, &second); err != nil {
			t.Fatalf("%q was accepted, but written again as %q it is not: %v", data, again, err)
		}
		if third, _ := canonical(second); !bytes.Equal(again, third) {
			t.Errorf("%q: written as %q and then as %q", data, again, third)
		}
	})
}
