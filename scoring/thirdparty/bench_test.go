package thirdparty_test

import (
	"archive/zip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// largeDump writes a zip file with n records of some 3 kB about n/10 packages.
func largeDump(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "all.zip")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := zip.NewWriter(f)
	details := make([]byte, 2000)
	for i := range details {
		details[i] = byte('a' + i*7%26)
	}
	for i := range n {
		e, err := w.Create(fmt.Sprintf("PYSEC-2026-%d.json", i))
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(e, `{"id": "PYSEC-2026-%d", "modified": "2026-06-20T00:00:00Z", "published": "2026-03-01T00:00:00Z", "aliases": ["CVE-2026-%d"], "details": "%s",
			"references": [{"type": "WEB", "url": "https://example.org/%d"}], %s, "affected": [{"package": {"ecosystem": "PyPI", "name": "package-%d"},
			"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "%d.2.2"}]}], "versions": ["1.0", "1.1", "1.2", "1.2.1"]}]}`,
			i, i, details, i, critical, i%(n/10), i%20)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkMatching5000ProjectsWith50000Advisories reads a dump of 50,000 records for 5,000 projects. The memory that stays
// is that of the index; it does not grow with the projects.
func BenchmarkMatching5000ProjectsWith50000Advisories(b *testing.B) {
	path := largeDump(b, 50_000)
	b.ReportAllocs()
	for b.Loop() {
		c, err := thirdparty.New(thirdparty.Options{At: today, Dump: path})
		if err != nil {
			b.Fatal(err)
		}
		held := func() float64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return float64(m.HeapAlloc) / 1e6
		}
		for i := range 5000 {
			p := scoring.Project{ID: "p", Repo: fmt.Sprintf("https://git.example.org/p/%d", i), Packages: []string{fmt.Sprintf("pkg:pypi/package-%d", i)}, Versions: []string{"5.0"}}
			e, err := c.Collect(context.Background(), p, scoring.Evidence{})
			if err != nil {
				b.Fatal(err)
			}
			if a, known := e.Advisories.Get(); !known || a.Published24m != 10 {
				b.Fatalf("project %d: got %+v", i, e.Advisories)
			}
			if i == 0 {
				b.ReportMetric(held(), "MB-after-1")
			}
		}
		b.ReportMetric(held(), "MB-after-5000")
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
