package pipeline

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// crew makes clones of catalogue projects that the same people write: three of them, and one more in the first.
func crew(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, n := range names {
		repo := filepath.Join(dir, n)
		if err := os.MkdirAll(repo, 0o755); err != nil {
			t.Fatal(err)
		}
		git := func(who string, args ...string) {
			cmd := exec.Command("git", append([]string{"-c", "user.name=Canary " + who, "-c", "user.email=canary." + strings.ToLower(who) + "@example.org"}, args...)...)
			cmd.Dir = repo
			cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-08-20T10:00:00Z", "GIT_COMMITTER_DATE=2026-08-20T10:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
		}
		git("Ann", "init", "--quiet", "--initial-branch=main")
		for k, who := range []string{"Ann", "Bob", "Cleo", "Ann", "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus"}[:10-3*i] {
			git(who, "commit", "--quiet", "--allow-empty", fmt.Sprintf("--message=change %d", k))
		}
	}
	return dir
}

func TestPeopleInCommonAreCountedAndNobodyIsNamed(t *testing.T) {
	ids := []string{"memcached", "haproxy"}
	opt := collectOptions(t, crew(t, ids...))
	if _, err := CollectCatalogue(t.Context(), ids, nil, opt); err != nil {
		t.Fatal(err)
	}
	all := evidenceIn(t, opt.Bundle)
	for _, id := range ids {
		s, ok := all[id].Shared.Get()
		want := scoring.SharedBy{Projects: []string{"haproxy", "memcached"}, People: 0, Few: true}
		other := ids[(slices.Index(ids, id)+1)%2]
		if !ok || s.Projects != 2 || len(s.Critical) != 1 || !slices.Equal(s.Critical[0].Projects, want.Projects) || s.Critical[0].People+2*one(s.Critical[0].Few) < 2 || s.Authors[other] < 3 {
			t.Errorf("%s: got %+v, %v; want one set of both projects, and at least 3 authors in common", id, s, ok)
		}
	}
	nobody(t, opt.Bundle)
	nobody(t, opt.CacheDir)

	// An interrupted run that goes on reads again who the people are, and counts the same.
	again := opt
	again.Bundle = filepath.Join(t.TempDir(), "bundle")
	g := &gatherer{opt: again, at: judged}
	g.resume()
	if err := os.MkdirAll(filepath.Dir(again.Bundle), 0o700); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		if round == 1 { // as if it had been killed before the bundle was written
			g.git = nil
		}
		catalogue := []scoring.Project{}
		for _, id := range ids {
			catalogue = append(catalogue, scoring.Project{ID: id, Name: id, Repo: all[id].Repo})
		}
		found := g.evidence(t.Context(), catalogue, recording{})
		for i, id := range ids {
			was, _ := all[id].Shared.Get()
			is, ok := found[i].Shared.Get()
			if !ok || digestOfJSON(was) != digestOfJSON(is) {
				t.Errorf("round %d, %s: got %+v, want %+v", round, id, is, was)
			}
		}
	}
	if g.journal.resumed != 2 {
		t.Errorf("%d projects were resumed, so that nothing is tested", g.journal.resumed)
	}
	nobody(t, g.journal.dir)

	// Taken from a recording: what its collection counted stays.
	taken := collectOptions(t)
	taken.Evidence = []string{opt.Bundle}
	if _, err := CollectCatalogue(t.Context(), ids[:1], nil, taken); err != nil {
		t.Fatal(err)
	}
	if s, ok := evidenceIn(t, taken.Bundle)["memcached"].Shared.Get(); !ok || len(s.Critical) != 1 {
		t.Errorf("taken: %+v, %v", s, ok)
	}
}

// nobody refuses names, addresses and their parts in every file below a directory.
func nobody(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, word := range []string{"canary", "Canary", "example.org>"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s holds %q", path, word)
			}
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func TestWhatSeveralComponentsHangOnIsOneSectionOfTheReport(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	evidence := func(org string, low int, sets ...scoring.SharedBy) scoring.Evidence {
		return scoring.Evidence{
			History: audit.Known(scoring.History{Windows: []scoring.Window{{Months: 12, HumanCommits: 100, TopOrg: org, TopOrgLowBP: low, TopOrgHighBP: low + 500}}}),
			Shared:  audit.Known(scoring.Shared{Projects: 9, Critical: sets}),
		}
	}
	ab := scoring.SharedBy{Projects: []string{"a", "b"}, Few: true}
	abx := scoring.SharedBy{Projects: []string{"a", "b", "x"}, People: 4} // x is not deployed
	ax := scoring.SharedBy{Projects: []string{"a", "x"}, People: 7}
	d := &dossier{
		profiles: policies.ProfilesOf(profile, nil),
		projects: projectsDocument{Projects: []scoring.Project{{ID: "a"}, {ID: "b"}, {ID: "c"}}},
		evidence: map[string]scoring.Evidence{
			"a": evidence("Example GmbH", 6000, abx, ab, ax), "b": evidence("Example GmbH", 5001, abx, ab), "c": evidence("Example GmbH", 5000),
		},
	}
	want := reports.Critical{
		Projects: 3, Attributed: 3,
		People: []reports.CriticalPeople{{Projects: []string{"a", "b"}, People: 4}},
		Organisations: []reports.CriticalOrganisation{{Name: "Example GmbH", Projects: []reports.CriticalShare{
			{Project: "a", Low: 6000, High: 6500}, {Project: "b", Low: 5001, High: 5501}}}},
	}
	if got := d.critical(); got == nil || digestOfJSON(*got) != digestOfJSON(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	text, err := reports.Text(reports.Report{Critical: d.critical(), Projects: []reports.Project{{ID: "a", Name: "Alpha"}}}, reports.Options{Width: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Critical in several components at once", "Example GmbH wrote most of Alpha (60 to 65 %) and b (50 to 56 %).", "4 people are among the fewest who wrote half of each of 2 projects: Alpha and b."} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	d.evidence = nil
	if got := d.critical(); got != nil {
		t.Errorf("without evidence: %+v", got)
	}
}
