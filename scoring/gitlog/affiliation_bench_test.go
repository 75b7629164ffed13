//go:build unix

package gitlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// cpuSeconds is what this process has used so far.
func cpuSeconds(b testing.TB) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// gitdmLike writes a file of so many bytes in the form of cncf/gitdm, about 140 bytes and two addresses a person.
func gitdmLike(b testing.TB, path string, size int) {
	b.Helper()
	var w bytes.Buffer
	for i := 0; w.Len() < size; i++ {
		fmt.Fprintf(&w, "login-%d: person.%d!users.noreply.github.com, person.%d!gmail.com\n\tCompany %d Inc. until 2019-07-01\n\tCompany %d LLC from 2019-07-01\n", i, i, i, i%5000, i%7000)
	}
	if err := os.WriteFile(path, w.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoadAffiliations reads 60 MB of people, nine times what cncf/gitdm had in 2023 (6.5 MB in seven files). The
// file is never in memory as a whole: "live-B/addr" is what stays per address after loading, "heap-MB" what the heap
// ever took.
func BenchmarkLoadAffiliations(b *testing.B) {
	path := filepath.Join(b.TempDir(), "developers_affiliations.txt")
	gitdmLike(b, path, 60<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.SetBytes(60 << 20)
	start := cpuSeconds(b)
	b.ResetTimer()
	var a *Affiliation
	for b.Loop() {
		a = nil
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if a, err = NewAffiliation(nil, []AffiliationFile{{Name: "big", Data: f}}, nil); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapSys)/(1<<20), "heap-MB")
	runtime.GC()
	runtime.ReadMemStats(&after)
	people := len(a.sources[0].people)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(people), "live-B/addr")
	b.ReportMetric(float64(people), "addr")
	b.ReportMetric((cpuSeconds(b)-start)/float64(b.N), "cpu-s/op")
}
