//go:build unix

package pipeline

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// budget is what collecting may cost per project beyond git itself, in seconds of processor time.
const budget = 0.5

// estate is what is collected: projects of the catalogue, each with a clone below a directory.
type estate struct {
	mirror   string
	ids      []string
	deployed map[string][]string
	at       time.Time
}

// BenchmarkCollect collects offline, with all collectors, for 200 generated clones (40 with -short), or for the clones below
// the directory that PEGEL_CLONES names, judged at PEGEL_CLONES_AT. "quarter" and "all" are whole runs of pegel collect
// --catalogue: memory is flat if their peaks are alike. "collectors" asks the same collectors one after the other, to tell
// what each costs. git is a program of its own; "own" is this process.
func BenchmarkCollect(b *testing.B) {
	all := collectable(b)
	quarter := all
	quarter.ids = nil
	for i := 0; i < len(all.ids); i += 4 {
		quarter.ids = append(quarter.ids, all.ids[i])
	}
	b.Run("quarter", func(b *testing.B) { collectEstate(b, quarter) })
	b.Run("all", func(b *testing.B) { collectEstate(b, all) })
	b.Run("collectors", func(b *testing.B) { askCollectors(b, all) })
}

func collectEstate(b *testing.B, s estate) {
	resetPeak()
	var spent spending
	for range b.N {
		opt := s.options(b)
		before := spentUntilNow(b)
		found, err := CollectCatalogue(b.Context(), s.ids, s.deployed, opt)
		spent.add(spentUntilNow(b).since(before))
		if err != nil {
			b.Fatal(err)
		}
		// A run that reads nothing is cheap, so everything must be known that a clone can tell.
		for _, f := range found.Facts {
			if f.Collector == "git" && f.Fact == "tree" && f.Known < len(s.ids) {
				b.Fatalf("the files of only %d of %d projects were read: %v", f.Known, len(s.ids), f.Reasons)
			}
			if f.Collector == "openssf" && f.Known < len(s.ids)*9/10 {
				b.Fatalf("the checks of only %d of %d projects were run: %v", f.Known, len(s.ids), f.Reasons)
			}
		}
	}
	n := float64(b.N * len(s.ids))
	own := spent.own.Seconds() / n
	b.ReportMetric(own, "own-cpu-s/project")
	b.ReportMetric(spent.git.Seconds()/n, "git-cpu-s/project")
	b.ReportMetric(float64(len(s.ids)), "projects")
	if peak := peakMB(); peak > 0 {
		b.ReportMetric(peak, "peak-MB")
	}
	if own > budget && len(s.ids) >= 40 { // what a run pays once weighs too much in fewer
		b.Errorf("collecting takes %.2f CPU-s per project beyond git, want at most %.1f", own, budget)
	}
}

func askCollectors(b *testing.B, s estate) {
	spent := map[string]*spending{}
	var dearest []string
	for range b.N {
		catalogue, err := upstream.Load()
		if err != nil {
			b.Fatal(err)
		}
		projects, err := catalogueProjects(catalogue, s.ids, s.deployed)
		if err != nil {
			b.Fatal(err)
		}
		g, err := prepareProjects(Stack{Name: "catalogue"}, s.options(b), catalogue)
		if err != nil {
			b.Fatal(err)
		}
		before, asked := spentUntilNow(b), "making"
		next := func(name string) {
			now := spentUntilNow(b)
			if spent[asked] == nil {
				spent[asked] = &spending{}
			}
			spent[asked].add(now.since(before))
			before, asked = now, name
		}
		c := g.collecting(b.Context(), projects, recording{})
		type cost struct {
			id  string
			own time.Duration
		}
		var costs []cost
		for _, p := range projects {
			started := spentUntilNow(b)
			c.project(b.Context(), p, next)
			next("making")
			costs = append(costs, cost{p.ID, spentUntilNow(b).since(started).own})
		}
		g.close()
		slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.own, a.own) })
		dearest = nil
		for _, c := range costs[:min(8, len(costs))] {
			dearest = append(dearest, c.id+" "+c.own.Round(10*time.Millisecond).String())
		}
	}
	n := float64(b.N * len(s.ids))
	for name, s := range spent {
		b.ReportMetric(s.own.Seconds()*1e3/n, name+"-own-ms/project")
		b.ReportMetric(s.git.Seconds()*1e3/n, name+"-git-ms/project")
	}
	b.Logf("most of this process: %s", strings.Join(dearest, ", "))
}

// options are those of an offline run with nothing kept from before.
func (s estate) options(b *testing.B) Options {
	dir := b.TempDir()
	return Options{
		Version: "benchmark", Now: s.at.Add(time.Hour), At: s.at, Offline: true, Bundle: filepath.Join(dir, "bundle"), Mirrors: []string{s.mirror},
		CacheDir: filepath.Join(dir, "cache"), Getenv: func(string) string { return "" },
	}
}

// spending is processor time: of this process, and of the programs that it waited for.
type spending struct{ own, git time.Duration }

func (s *spending) add(more spending) { s.own, s.git = s.own+more.own, s.git+more.git }

func (s spending) since(before spending) spending {
	return spending{own: s.own - before.own, git: s.git - before.git}
}

func spentUntilNow(b *testing.B) spending {
	read := func(who int) time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return spending{own: read(syscall.RUSAGE_SELF), git: read(syscall.RUSAGE_CHILDREN)}
}

// resetPeak makes the kernel forget the largest resident set so far (proc_pid_clear_refs(5), value 5). Elsewhere than on Linux
// the peak is not reported.
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

func peakMB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	kb, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil {
		return 0
	}
	return float64(kb) / 1024
}

// collectable is what the benchmark collects.
func collectable(b *testing.B) estate {
	catalogue, err := upstream.Load()
	if err != nil {
		b.Fatal(err)
	}
	projects, err := catalogueProjects(catalogue, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if dir := os.Getenv("PEGEL_CLONES"); dir != "" {
		return realEstate(b, dir, projects)
	}
	n := 200
	if testing.Short() {
		n = 40
	}
	return generatedEstate(b, projects, n)
}

// realEstate is every project of the catalogue of which somebody put a clone into the directory, each deployed at its newest tag.
func realEstate(b *testing.B, dir string, projects []scoring.Project) estate {
	s := estate{mirror: dir, deployed: map[string][]string{}, at: judged}
	if day := os.Getenv("PEGEL_CLONES_AT"); day != "" {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			b.Fatal(err)
		}
		s.at = at
	}
	for _, p := range projects {
		clone := filepath.Join(dir, folderOf(p.Repo), "repo")
		if _, err := os.Stat(clone); err != nil || p.Repo == "" {
			continue
		}
		s.ids = append(s.ids, p.ID)
		if tag := strings.TrimSpace(runGit(b, clone, nil, "for-each-ref", "--sort=-creatordate", "--count=1", "--format=%(refname:strip=2)", "refs/tags")); tag != "" {
			s.deployed[p.ID] = []string{strings.TrimPrefix(tag, "v")}
		}
	}
	if len(s.ids) == 0 {
		b.Fatalf("PEGEL_CLONES: no clone of a project of the catalogue; they are named OWNER+NAME/repo")
	}
	return s
}

// folderOf names the directory of a clone as OWNER+NAME.
func folderOf(repo string) string {
	_, rest, _ := strings.Cut(repo, "://")
	_, path, _ := strings.Cut(rest, "/")
	return strings.ReplaceAll(strings.TrimSuffix(strings.Trim(path, "/"), ".git"), "/", "+")
}

func runGit(b *testing.B, dir string, in []byte, args ...string) string {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null"), bytes.NewReader(in)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("git %s: %v\n%s", args[0], err, errs.Bytes())
	}
	return string(out)
}
