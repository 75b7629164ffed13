package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gitClone makes a repository below dir with commits on the first of each month from January 2019, by someone at example.org.
type gitClone struct {
	t    *testing.T
	path string
}

func newClone(t *testing.T, dir, name string) gitClone {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git is not on PATH")
		}
		t.Skip("git is not on PATH")
	}
	g := gitClone{t, filepath.Join(dir, name)}
	g.run("", "init", "--quiet", "--initial-branch=main", g.path)
	return g
}

func (g gitClone) run(date string, args ...string) {
	g.t.Helper()
	cmd := exec.Command("git", args...)
	if _, err := os.Stat(g.path); err == nil {
		cmd.Dir = g.path
	}
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date,
		"GIT_AUTHOR_NAME=Someone", "GIT_AUTHOR_EMAIL=someone@example.org", "GIT_COMMITTER_NAME=Someone", "GIT_COMMITTER_EMAIL=someone@example.org")
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (g gitClone) commit(day, file, text string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.path, file), []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
	date := day + "T12:00:00Z"
	g.run(date, "add", "--all")
	g.run(date, "commit", "--quiet", "--message", "Change "+file)
}

// bench is a directory with the two files and with clones: of a, which went on until its event; of b, which began too late; and
// none of c.
func bench(t *testing.T) (args []string, clones string, results string) {
	t.Helper()
	dir := t.TempDir()
	clones = filepath.Join(dir, "clones")
	a, b := newClone(t, clones, "x+a"), newClone(t, clones, "x+b")
	for _, day := range []string{"2019-02-01", "2019-03-01", "2019-04-01"} {
		a.commit(day, "main.go", "package main // "+day)
	}
	b.commit("2019-12-01", "main.go", "package main")
	text := strings.Replace(sound, "minutes}\n", "minutes}\n", 1) +
		"  - {name: c, repo: \"https://example.org/x/c\", outcome: gone, event: 2020-06-01, source: minutes}\n"
	halves := "schema: pegel/split/v1\nrule: by hash\nhalves:\n"
	for _, name := range []string{"a", "b", "c"} {
		halves += "  example.org/x/" + name + ": " + halfOf("https://example.org/x/"+name) + "\n"
	}
	results = filepath.Join(dir, "results.json")
	for name, content := range map[string]string{"outcomes.yaml": text, "split.yaml": halves, "out.md": "# Title\n" + beginMark + "\nold\n" + endMark + "\nend\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"-outcomes", filepath.Join(dir, "outcomes.yaml"), "-split", filepath.Join(dir, "split.yaml"), "-results", results,
		"-clones", clones, "-out", filepath.Join(dir, "out.md"), "-jobs", "2"}, clones, results
}

var today = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

func TestProjectsAreJudgedOnTheDayBeforeWhateverHappenedLater(t *testing.T) {
	args, clones, results := bench(t)
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"gone/a","months":12,"at":"2019-06-02T00:00:00Z","state":"read"`, `"human commits of 12 months":3`, `"here/b","months":12,"at":"2019-06-02T00:00:00Z","state":"failed"`, `"gone/c","months":12,"at":"2019-06-02T00:00:00Z","state":"no-clone"`} {
		if !bytes.Contains(first, []byte(want)) {
			t.Errorf("the results lack %s:\n%s", want, first)
		}
	}
	// What the project does after that day, and what it becomes, must not show.
	a := gitClone{t, filepath.Join(clones, "x+a")}
	a.commit("2019-08-01", "LICENSE", "All rights reserved. This project is archived.")
	a.commit("2020-05-01", "SECURITY.md", "Write to security@example.org.")
	a.run("2020-05-02T00:00:00Z", "tag", "v1.0.0")
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(again)); diff != "" {
		t.Errorf("later commits changed what was known before (-before +after):\n%s", diff)
	}
}

func TestTheDocumentComesFromTheResultsAlone(t *testing.T) {
	args, _, _ := bench(t)
	out := args[9]
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(first, []byte("# Title\n"+beginMark+"\nRun of 2026-11-26")) || !bytes.HasSuffix(first, []byte(endMark+"\nend\n")) {
		t.Errorf("the text around the markers changed:\n%s", first)
	}
	without := append(append([]string{}, args[:6]...), args[8:]...) // no -clones
	if err := run(t.Context(), without, today.AddDate(1, 0, 0), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(out); err != nil || !bytes.Equal(first, again) {
		t.Errorf("a year later without clones: %v\n%s", err, again)
	}
}

func TestMissingClonesAreNamedWithTheCommandsThatMakeThem(t *testing.T) {
	args, clones, results := bench(t)
	var stderr bytes.Buffer
	if err := run(t.Context(), args, today, io.Discard, &stderr); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stderr.String(), "1 of 3 projects have no clone") || !strings.Contains(stderr.String(), "git clone --bare https://example.org/x/c.git x+c.git") {
		t.Errorf("standard error says:\n%s", stderr.String())
	}
	if err := os.RemoveAll(clones); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "git clone --bare https://example.org/x/a.git x+a.git") {
		t.Errorf("no directory: got %v, want the commands", err)
	}
	if err := os.MkdirAll(clones, 0o755); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "no clone was found") {
		t.Errorf("an empty directory: got %v", err)
	}
	if after, err := os.ReadFile(results); err != nil || !bytes.Equal(before, after) {
		t.Error("the results of the last run were overwritten by a run that read nothing")
	}
}

func TestARunThatIsInterruptedWritesNothing(t *testing.T) {
	args, _, results := bench(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, args, today, io.Discard, io.Discard); err == nil {
		t.Error("an interrupted run ends well")
	}
	if _, err := os.Stat(results); err == nil {
		t.Error("an interrupted run wrote results")
	}
}

func TestResultsOfOtherOutcomesAreRefused(t *testing.T) {
	args, _, results := bench(t)
	if err := run(t.Context(), args, today, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	o, err := readOutcomes(args[1])
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSplit(args[3], o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readResults(results, o, s); err != nil {
		t.Fatal(err)
	}
	o.digest = "sha256:00"
	if _, err := readResults(results, o, s); err == nil || !strings.Contains(err.Error(), "other outcomes") {
		t.Errorf("got %v, want an error about other outcomes", err)
	}
}
