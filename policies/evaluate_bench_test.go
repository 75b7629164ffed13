package policies

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// largeStack is a large audit: 100,000 packages in 300 artifacts, 5,000 products and as many projects, an operator and both
// prerequisites, with the evidence behind each fact. Of each twentieth package the licence is not known, of each sixtieth it is
// restricted; scores of projects differ, and each seventh project was never looked at.
func largeStack(t testing.TB) []Subject {
	t.Helper()
	sample := full()
	out := []Subject{sample[0], sample[5], sample[6], sample[7]}
	seen := day(t, "2026-11-24")
	tiers := func(i int) []string { return []string{[]string{"functional", "functional", "iam", "ops", "base"}[i%5]} }
	for i := range 300 {
		s := sample[1]
		s.Ref.ID, s.Ref.Name, s.Ref.Tiers, s.Area = fmt.Sprintf("image:%03d", i), fmt.Sprintf("image %03d", i), tiers(i), "iaas"
		s.Origins = map[string][]audit.Origin{"": {{Source: "osism", URL: "https://example.org/release.git", Path: "versions.yml", Line: i + 1}}}
		if i%10 == 0 {
			s.Unknown = []UnknownField{{Field: "supported", Reason: "nobody says until when it is maintained", Settle: []string{"read the policy of its upstream"}}}
		}
		out = append(out, s)
	}
	for i := range 100_000 {
		class, licence := "osi", []string{"MIT", "GPL-2.0-or-later", "Apache-2.0", "BSD-3-Clause"}[i%4]
		artifact := fmt.Sprintf("image:%03d", i%300)
		s := Subject{
			Ref:     audit.SubjectRef{Kind: KindPackage, ID: fmt.Sprintf("pkg:deb/debian/p%06d@1.0 in %s", i, artifact), Name: fmt.Sprintf("p%06d 1.0", i), Tiers: tiers(i % 300)},
			Area:    "iaas",
			Origins: map[string][]audit.Origin{"": {{Source: "image", Path: fmt.Sprintf("usr/share/doc/p%06d/copyright", i), Digest: audit.DigestOf([]byte(artifact))}}},
		}
		switch {
		case i%20 == 0:
			for _, field := range []string{"licence", "licenceClass"} {
				s.Unknown = append(s.Unknown, UnknownField{Field: field, Looked: true, Reason: "no licence is named", Settle: []string{"read its copyright file"}})
			}
		case i%60 == 1:
			class, licence = "restricted", "LicenseRef-proprietary"
		}
		s.Record = Package{Name: fmt.Sprintf("p%06d", i), Version: "1.0", Type: "deb", Artifact: artifact, Licence: licence, LicenceClass: class, Identified: i%50 > 0}
		out = append(out, s)
	}
	for i := range 5_000 {
		name := fmt.Sprintf("project-%04d", i)
		p := sample[2]
		p.Ref.ID, p.Ref.Name, p.Ref.Tiers, p.Area = name+"@1.0 in image:000", name+" 1.0", tiers(i), "iaas"
		p.Observed = seen
		p.Origins = map[string][]audit.Origin{"": {{Source: "git", URL: "https://example.org/" + name, Commit: fmt.Sprintf("%040d", i), Path: "LICENSE"}}}
		record := sample[2].Record.(Product)
		record.Name, record.Artifact = name, "image:000"
		p.Record = record
		if i%9 == 0 {
			p.Unknown = []UnknownField{{Field: "openCore", Reason: "nobody looked at the repository"}}
		}
		s := sample[4]
		s.Ref.ID, s.Ref.Name, s.Ref.Tiers, s.Area, s.Observed = name, name, tiers(i), "iaas", seen
		s.Origins = map[string][]audit.Origin{"": {{Source: "git", URL: "https://example.org/" + name, Commit: fmt.Sprintf("%040d", i)}}}
		project := s.Record.(Project)
		project.Name = name
		project.OpenSource, project.OpenDesign = audit.Between(i%6000, 6000+i%4000), audit.Between(i%7001, min(10000, i%7001+1500))
		project.Coverage = map[string]int64{}
		for n, a := range aspects() {
			project.Coverage[a] = int64((i*37+n*911)%4001 + 6000)
		}
		if i%7 == 0 {
			for _, f := range FieldsOf(KindProject) {
				if f != "name" && f != "role" {
					s.Unknown = append(s.Unknown, UnknownField{Field: f, Reason: "no evidence was gathered", Settle: []string{"collect with the network"}})
				}
			}
		}
		s.Record = project
		out = append(out, p, s)
	}
	return out
}

// BenchmarkEvaluate100kComponents judges a large stack in all scopes with all requirements, without and with explanations.
// The target of design section 7 is 2 CPU-s and 500 MB. CPU is that of the process, garbage collection included; peak-MB is the
// heap in use, the input included.
func BenchmarkEvaluate100kComponents(b *testing.B) {
	for _, explain := range []bool{false, true} {
		b.Run(fmt.Sprintf("explain=%v", explain), func(b *testing.B) {
			p := builtIn(b)
			in := Input{Subjects: largeStack(b), Scopes: p.ScopeIDs(), Profile: p.Profile(), AssessedAt: day(b, "2026-11-24"), Explain: explain}
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			stop, start := watchHeap(), processorTime()
			for b.Loop() {
				r, err := p.Evaluate(in)
				if err != nil {
					b.Fatal(err)
				}
				if len(r.Findings) < 20_000 || explain != (len(r.Trees) > 0) {
					b.Fatalf("%d findings and %d trees", len(r.Findings), len(r.Trees))
				}
				b.ReportMetric(float64(len(r.Findings)), "findings")
				b.ReportMetric(float64(len(r.Trees)), "trees")
			}
			b.ReportMetric((processorTime()-start).Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(stop())/1e6, "peak-MB")
			b.ReportMetric(float64(before.HeapAlloc)/1e6, "input-MB")
			runtime.KeepAlive(in)
		})
	}
}

// watchHeap watches the heap in use until the function that it returns is called. It does not stop the world.
func watchHeap() func() uint64 {
	var peak uint64
	done, ended := make(chan struct{}), sync.WaitGroup{}
	ended.Go(func() {
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(heap)
			peak = max(peak, heap[0].Value.Uint64()+heap[1].Value.Uint64())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 {
		close(done)
		ended.Wait()
		return peak
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
