//go:build unix

package openssf_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/openssf"
)

// thousands is a repository of 1,500 files as a service of a cloud has them: most of it source of 2 to 20 kB, tests, some
// scripts that download, workflows, pictures.
func thousands() map[string]string {
	r := rand.New(rand.NewPCG(3, 4))
	source := func(line string) string { return strings.Repeat(line, 60+r.IntN(500)) }
	files := tidy()
	for i := 0; len(files) < 1500; i++ {
		switch {
		case i%100 == 0:
			files[fmt.Sprintf(".github/workflows/w%d.yml", i)] = strings.Replace(workflow, "go test", "pip install x && go test", 1)
		case i%50 == 1:
			block := "if [ -n \"$x\" ]; then\n  echo $(basename \"$x\") || exit 1\nfi\n"
			files[fmt.Sprintf("tools/t%d.sh", i)] = "#!/bin/bash\n" + strings.Repeat(block, 10+r.IntN(90)) +
				"curl -o x https://example.org/x\nbash x\npip install y\n"
		case i%50 == 2:
			files[fmt.Sprintf("images/i%d/Dockerfile", i)] = "FROM example.org/base:1\n" + strings.Repeat("RUN apt-get install -y x && npm ci && pip install y\n", 1+r.IntN(6))
		case i%50 == 3:
			files[fmt.Sprintf("doc/p%d.png", i)] = "\x89PNG\r\n\x1a\n" + source("\x00\x01\x02\x03\x04\x05\x06\x07")
		case i%10 == 4:
			files[fmt.Sprintf("pkg/a%d/x_test.go", i)] = source("func TestSomething(t *testing.T) { t.Log(1) }\n")
		case i%10 == 5:
			files[fmt.Sprintf("ui/a%d.ts", i)] = source("import { something } from './there' // a line of a script\n")
		case i%10 < 8:
			files[fmt.Sprintf("lib/a%d.py", i)] = source("    self.value = compute(self.other, key='name')\n")
		default:
			files[fmt.Sprintf("src/a%d.c", i)] = source("static int compute(int a) { return a + 1; }\n")
		}
	}
	return files
}

func cpu() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

func measure(b *testing.B, dir string) {
	e := good(cmp.Or(os.Getenv("PEGEL_BENCH_REPO"), onGitHub), "github")
	counter := openGit(b, dir)
	files, err := counter.Files(b.Context())
	if err != nil || counter.Close() != nil {
		b.Fatal(err)
	}
	start := cpu()
	for b.Loop() {
		source := openGit(b, dir)
		out := collect(b, nil, e, func(o *openssf.Options) {
			o.Source = func(context.Context, scoring.Project, string) (openssf.Source, error) { return source, nil }
		})
		if n := len(checksOf(b, out).Results); n < 8 {
			b.Fatalf("only %d checks were scored: %v", n, checksOf(b, out).Skipped)
		}
	}
	b.ReportMetric(float64(cpu()-start)/float64(time.Second)/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(len(files)), "files")
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		b.ReportMetric(float64(u.Maxrss)/1024, "peak-MB")
	}
}

// Target: at most 1 CPU second for 1,500 files, git included.
func BenchmarkARepositoryOf1500Files(b *testing.B) { measure(b, repository(b, thousands())) }

// PEGEL_BENCH_CLONE names a clone to measure instead, PEGEL_BENCH_REPO its address.
func BenchmarkAClone(b *testing.B) {
	dir := os.Getenv("PEGEL_BENCH_CLONE")
	if dir == "" {
		b.Skip("PEGEL_BENCH_CLONE is not set")
	}
	measure(b, dir)
}
