package scan

import (
	"context"
	"syscall"
	"testing"

	"github.com/pegel-audit/pegel/sbom"
)

// cpuSeconds is what the process has used, user and system.
func cpuSeconds() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// BenchmarkColdScan reads all testbed images with an empty store, as a process does, and reports CPU seconds.
func BenchmarkColdScan(b *testing.B) {
	images := []string{"base", "haproxy", "keystone", "keystone-nodocs"}
	var dirs []string
	for _, image := range images {
		dirs = append(dirs, testbedImage(b, image))
	}
	if _, err := classifier(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := newWith(Options{TempDir: b.TempDir(), Depth: sbom.DepthEntries}, classifier)
		if err != nil {
			b.Fatal(err)
		}
		for i, dir := range dirs {
			start := cpuSeconds()
			if _, err := s.Scan(context.Background(), target(FormOCIDir, dir)); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(cpuSeconds()-start, "cpu-s/"+images[i])
		}
		if s.store.reread > 0 {
			b.Errorf("%d layers were read twice", s.store.reread)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
