package pipeline

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// scoredProjects is how many projects BenchmarkScore judges: a large stack (design section 7).
const scoredProjects = 5000

// BenchmarkScore judges 5,000 projects of evidence: measurements, scores, verdicts, risk registers and lock-in matrices. The
// evidence is that of the corpus, given other ids until there is enough; what one project concludes is dropped before the
// next, as pegel audit keeps it only as a row of the report. The target is 1 CPU-s and 300 MB.
func BenchmarkScore(b *testing.B) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		b.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		b.Fatal(err)
	}
	all := evidenceIn(b, corpusDir)
	ids := slices.Sorted(maps.Keys(all))
	projects := make([]scoring.Project, scoredProjects)
	evidence := make([]scoring.Evidence, scoredProjects)
	for i := range projects {
		id := ids[i%len(ids)]
		p := catalogueProject(catalogue, id)
		p.Versions = versionsIn(all[id])
		p.ID = fmt.Sprintf("%s-%d", id, i/len(ids))
		e := all[id]
		e.Project = p.ID
		projects[i], evidence[i] = p, e
	}
	b.ReportAllocs()
	runtime.GC()
	stop := peakHeap(b)
	start := cpuTime()
	words := map[string]int{}
	for b.Loop() {
		scores := make([]scoring.ProjectScore, 0, scoredProjects) // pegel audit holds them all until the report is written
		for i, p := range projects {
			s := judge(p, evidence[i], profile)
			words[scoring.Verdict(s, profile)]++
			if len(scoring.Risks(s, evidence[i].Governance, profile)) < 0 || scoring.Matrix(s, evidence[i].Governance, profile).Risk == "" {
				b.Fatal("no matrix")
			}
			scores = append(scores, s)
		}
		runtime.KeepAlive(scores)
	}
	b.ReportMetric((cpuTime()-start).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(stop())/1e6, "peak-MB")
	if words[scoring.Undetermined] == 0 {
		b.Errorf("verdicts %v: the corpus has none that is undetermined", words)
	}
}

// peakHeap watches the heap in use, evidence included, until the function that it returns is called. It does not stop the
// world, so that it costs next to nothing.
func peakHeap(b *testing.B) func() uint64 {
	b.Helper()
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

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
