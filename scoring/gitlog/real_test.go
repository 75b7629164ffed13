package gitlog

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// histories are the clones on this machine that PEGEL_HISTORIES names, as paths with ":" between them: real projects for
// benchmarks and for the comparison of clones. Tests must not need them.
func histories() []string {
	return filepath.SplitList(os.Getenv("PEGEL_HISTORIES"))
}

// nameOf names a clone after its directory, or after the one above if that is only called repo.
func nameOf(dir string) string {
	if base := filepath.Base(dir); base != "repo" && base != ".git" {
		return base
	}
	return filepath.Base(filepath.Dir(dir))
}

// kib returns the space that the files below a directory take.
func kib(t testing.TB, dir string) float64 {
	t.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return float64(sum) / 1024
}

// latest returns the committer time at the tip of a clone.
func latest(t testing.TB, dir string) time.Time {
	t.Helper()
	c := newCollector(t, Options{Offline: true, AtHead: true})
	e, err := c.Repository(context.Background(), dir, "")
	if err != nil || e.Failure != "" {
		t.Fatalf("reading %s: %v %s", dir, err, e.Failure)
	}
	return e.RevisionAt
}

// BenchmarkClones serves real histories by git http-backend and reports what our own clone takes on disk when all facts
// are known, and how many HTTP requests it took. It fails if the facts differ from those of the whole repository.
func BenchmarkClones(b *testing.B) {
	if len(histories()) == 0 {
		b.Skip("PEGEL_HISTORIES names no clones")
	}
	for _, dir := range histories() {
		b.Run(nameOf(dir), func(b *testing.B) {
			when := latest(b, dir)
			for range b.N {
				s := serveClone(b, dir)
				cache := b.TempDir()
				o := Options{CacheDir: cache, Protocols: []string{"http"}, At: when}
				got := facts(b, newCollector(b, o), s.url, s.url)
				b.ReportMetric(kib(b, filepath.Join(cache, "git")), "KiB")
				b.ReportMetric(float64(s.requests.Load()), "requests")
				if want := facts(b, newCollector(b, Options{Offline: true, At: when}), dir, "local clone"); got != want {
					b.Errorf("the facts of the partial clone differ:\n%s", difference(got, want))
				}
			}
		})
	}
}

// facts returns evidence as text in which the address and what only whole clones can tell are left out.
func facts(t testing.TB, c *Collector, address, shown string) string {
	t.Helper()
	e, err := c.Repository(context.Background(), address, "")
	if err != nil || e.Failure != "" {
		t.Fatalf("reading %s: %v %s", address, err, e.Failure)
	}
	e.SeenUntil = time.Time{}
	return strings.ReplaceAll(asJSON(t, wholeOnly(e)), shown, "X")
}

// wholeOnly takes away what a partial clone does not tell.
func wholeOnly(e scoring.Evidence) scoring.Evidence {
	if h, ok := e.History.Get(); ok {
		h.CodeDrop = audit.Fact[scoring.CodeDrop]{}
		e.History.Value = &h
	}
	return e
}

// difference shows where two texts part.
func difference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, i-100)
	return " got " + got[from:min(len(got), i+200)] + "\nwant " + want[from:min(len(want), i+200)]
}
