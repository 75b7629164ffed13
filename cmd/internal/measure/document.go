package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// document is the generated part of docs/benchmarks.md.
func (s *session) document(ctx context.Context) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d images of %s.\n\n", time.Now().UTC().Format(time.DateOnly), len(s.images), machine(ctx))
	b.WriteString(scansTable(s.rows))
	if len(s.memory) > 0 {
		b.WriteString("\n" + memoryTable(s.memory))
	}
	if len(s.notes) > 0 {
		b.WriteString("\n")
		for _, n := range s.notes {
			b.WriteString("- " + n + "\n")
		}
	}
	return b.String()
}

// scansTable compares every row with both floors.
func scansTable(rows []row) string {
	floors := map[string]float64{}
	for _, r := range rows {
		floors[r.What] = r.CPU
	}
	var b strings.Builder
	b.WriteString("| What | Images | CPU-s | × floor | × floor with SHA-256 too | Peak memory, MB |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range rows {
		what := r.What
		if len(r.Failed) > 0 {
			what += fmt.Sprintf(" (**no document** for %s)", strings.Join(r.Failed, ", "))
		}
		fmt.Fprintf(&b, "| %s | %d | %.2f | %s | %s | %d |\n", what, r.Images, r.CPU, times(r.CPU, floors[floor512]), times(r.CPU, floors[floorBoth]), r.Peak>>20)
	}
	return b.String()
}

func times(value, floor float64) string {
	if floor == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", value/floor)
}

func memoryTable(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| Images, each with %d of %d shared layers and one of its own | CPU-s | CPU-s per image | Peak memory, MB |\n| ---: | ---: | ---: | ---: |\n",
		layersPerImage, sharedLayers)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %d | %.1f | %.2f | %d |\n", r.Images, r.CPU, r.CPU/float64(r.Images), r.Peak>>20)
	}
	return b.String()
}

// machine describes where the measuring was done. The load tells whether the machine had other work.
func machine(ctx context.Context) string {
	model := "unknown processor"
	for line := range strings.Lines(fileText("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("the large testbed on %s, %d cores, Linux %s, %s, syft library %s; load at the end %s", model, runtime.NumCPU(),
		strings.TrimSpace(fileText("/proc/sys/kernel/osrelease")), runtime.Version(), moduleVersion(ctx, "github.com/anchore/syft"),
		strings.Join(firstFields(fileText("/proc/loadavg"), 1), ""))
}

func fileText(name string) string {
	raw, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(raw)
}

func firstFields(s string, n int) []string {
	fields := strings.Fields(s)
	return fields[:min(n, len(fields))]
}

func moduleVersion(ctx context.Context, module string) string {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", module).Output()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}
