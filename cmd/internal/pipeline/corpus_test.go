package pipeline

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// The corpus is the recorded evidence of real projects: examples/community-evidence. What the built-in profile concludes
// from it stands in testdata/corpus.txt, one project a paragraph, so that a changed rule shows whom it concerns. After a
// change that is meant: go test ./cmd/internal/pipeline -run Corpus -update, and read the difference.
var update = flag.Bool("update", false, "write the golden files anew")

const corpusDir = "../../../examples/community-evidence"

func corpus(t *testing.T) map[string]scoring.Evidence {
	t.Helper()
	found := evidenceIn(t, corpusDir)
	if len(found) < 80 {
		t.Fatalf("the corpus has %d projects, want at least 80", len(found))
	}
	return found
}

func TestFindingsOfTheCorpus(t *testing.T) {
	profiles, err := policies.DefaultProfiles()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := corpus(t)
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(found)) {
		p := catalogueProject(catalogue, id)
		p.Versions = versionsIn(found[id])
		score := judge(p, found[id], profiles.For(p.Profile))
		fmt.Fprintf(&b, "%s at %s\n", id, found[id].Revision[:12])
		for _, a := range score.Aspects {
			fmt.Fprintf(&b, "  %s [%d, %d] coverage %d%s\n", a.Aspect, a.Interval.Low(), a.Interval.High(), a.Coverage, knockedOut(a.KnockOuts))
		}
		by := map[audit.Outcome][]string{}
		for _, m := range score.Measurements {
			by[m.Outcome] = append(by[m.Outcome], m.Indicator)
		}
		for _, o := range []audit.Outcome{audit.FAIL, audit.PART, audit.PASS, audit.NA} {
			if len(by[o]) > 0 {
				fmt.Fprintf(&b, "  %s: %s\n", o, strings.Join(by[o], " "))
			}
		}
	}
	name := filepath.Join("testdata", "corpus.txt")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("findings of the corpus (-recorded +now):\n%s", diff)
	}
}

func knockedOut(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " knocked out by " + strings.Join(ids, " ")
}

func versionsIn(e scoring.Evidence) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(e.Licences)), func(v string) bool { return v == "" })
}

// What is known from their own evidence about projects whose state nobody disputes.
func TestTheCorpusShowsWhatIsKnownAboutItsProjects(t *testing.T) {
	found := corpus(t)
	for id, forges := range map[string]string{"keystone": "review.opendev.org", "nova": "review.opendev.org"} {
		tree, ok := found[id].Tree.Get()
		if !ok || !strings.HasPrefix(tree.GerritProject, forges) {
			t.Errorf("%s: Gerrit %q, want %s", id, tree.GerritProject, forges)
		}
		h, _ := found[id].History.Get()
		if w, ok := h.Window(12); !ok || w.Reviewed*10 < w.HumanCommits*9 {
			t.Errorf("%s: %d of %d changes reviewed: Gerrit's reviews count", id, w.Reviewed, w.HumanCommits)
		}
	}
	if changes, ok := found["ovn"].Changes.Get(); !ok || changes.Forge != "mail" {
		t.Errorf("ovn: changes of %q, want those of a mailing list", changes.Forge)
	}
	for id, e := range found {
		if e.Failure != "" || e.Revision == "" || e.RevisionAt.IsZero() {
			t.Errorf("%s: failure %q, revision %q", id, e.Failure, e.Revision)
		}
		for _, s := range e.States() {
			if s.Outcome == audit.PASS && (s.Grade == "" || s.ObservedAt.IsZero()) {
				t.Errorf("%s: %s is known without grade or moment", id, s.Fact)
			}
		}
	}
}

var (
	mailLike = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}`)
	pathLike = regexp.MustCompile(`"(/(home|root|tmp|usr|work|var)/[^"]*)"`)
)

func TestTheCorpusHoldsNoAddressesAndNoPathsOfAMachine(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpusDir, "blobs", "sha256", "*"))
	if err != nil || len(files) < 80 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(mailLike.FindAllString(string(data), 3), pathLike.FindAllString(string(data), 3)...) {
			t.Errorf("%s: %q", filepath.Base(name)[:12], m)
		}
	}
}
