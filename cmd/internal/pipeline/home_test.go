package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// cloneAt makes a clone below dir as hosts/owner/name keep them, of the remote, with one file and one commit.
func cloneAt(t *testing.T, dir, remote, file, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"remote", "add", "origin", remote}, {"add", "."}, {"commit", "--quiet", "--message=first"}, {"tag", "1.0.0"},
	} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.org"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-08-20T10:00:00Z", "GIT_COMMITTER_DATE=2026-08-20T10:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

func TestAMirrorIsLeftForTheTrueHomeOnceAndTheStepsAreKept(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	const mirror, home = "https://github.com/example/automaton-mirror", "https://opendev.org/openstack/automaton"
	p := scoring.Project{ID: "x", Name: "x", Repo: mirror, Links: []scoring.Link{{Subject: "image:1"}}}
	both, only := t.TempDir(), t.TempDir()
	for _, dir := range []string{both, only} {
		cloneAt(t, filepath.Join(dir, "automaton-mirror"), mirror, ".gitreview", "[gerrit]\nhost=review.opendev.org\nport=29418\nproject=openstack/automaton.git\n")
	}
	// The home says in turn that it is a mirror: that is not followed.
	cloneAt(t, filepath.Join(both, "automaton"), home, ".gitreview", "[gerrit]\nhost=review.opendev.org\nport=29418\nproject=openstack/automaton-again.git\n")

	read := func(dir string, rec recording) (scoring.Evidence, []scoring.Project) {
		g := &gatherer{opt: collectOptions(t, dir), at: judged, catalogue: catalogue}
		all := g.evidence(t.Context(), []scoring.Project{p}, rec)
		return all[0], atHome([]scoring.Project{p}, all)
	}
	e, projects := read(both, recording{})
	if e.Repo != home || !e.Has("git") || e.MirrorOf.Unknown() == audit.PASS || len(e.Steps) != 1 || e.Steps[0].What != ".gitreview" || e.Steps[0].Name != mirror || e.Steps[0].Origin.Commit == "" {
		t.Errorf("evidence of %s, known %v, steps %+v, mirror %+v", e.Repo, e.Has("git"), e.Steps, e.MirrorOf)
	}
	if got := projects[0]; got.Repo != home || got.Mirror != mirror || len(got.Links[0].Steps) != 1 || len(p.Links[0].Steps) != 0 {
		t.Errorf("the project is %+v", got)
	}
	// A recording of the home is one of the project, and is not asked where it leads.
	rec := recording{evidence: map[string]scoring.Evidence{"x": e}}
	taken, projects := read(t.TempDir(), rec)
	if taken.Repo != home || !taken.Has("git") || projects[0].Repo != home {
		t.Errorf("taken from %s, known %v; project at %s", taken.Repo, taken.Has("git"), projects[0].Repo)
	}
	e, projects = read(only, recording{})
	if of, ok := e.MirrorOf.Get(); !ok || of != home || e.Repo != mirror || !e.Has("git") || len(e.Steps) != 0 || projects[0].Repo != mirror {
		t.Errorf("a mirror that cannot be left: %s is a mirror of %+v, steps %+v", e.Repo, e.MirrorOf, e.Steps)
	}
}

func TestNoProjectOfTheCatalogueStandsAtAMirror(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	// Retired: what is left of it stands where mirrors of OpenStack stand, and its home is asked for first.
	retired := []string{"networking-infoblox"}
	var wrong []string
	for _, c := range catalogue.Components() {
		if home := catalogue.TrueHome(scoring.Project{ID: c.ID, Repo: c.Repo}, scoring.Evidence{Repo: c.Repo}); !sameRepository(home.Repo, c.Repo) && !slices.Contains(retired, c.ID) {
			wrong = append(wrong, c.ID+": "+home.Repo)
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		t.Errorf("the catalogue names other homes: %q", wrong)
	}
}
