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
	"time"

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

// scs-0218 compared registries by the health check and gave a word to each (reference: scs-0212-v1 and scs-0218-v1). The same
// words come out of the evidence of that day, by the questions that SCS asked. Project Quay was doubtful, since no list of its
// maintainers was public: it is undetermined here for the same reason.
func TestTheWordsThatScs0218GaveComeOutOfTheEvidenceOfThatDay(t *testing.T) {
	const dir = "../../../examples/scs-0218"
	profiles, err := Profiles(filepath.Join(dir, "profile.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := evidenceIn(t, filepath.Join(dir, "evidence"))
	for id, want := range map[string]struct{ verdict, because string }{
		"harbor": {scoring.Passed, ""}, "quay": {scoring.Undetermined, ""}, "kraken": {scoring.Showstopper, "AC-01"}, "nexus": {scoring.Showstopper, "OS-04"},
	} {
		e := found[id]
		if day := e.AssessedAt.Format("2006-01-02"); day != "2024-02-13" {
			t.Fatalf("%s: evidence of %s", id, day)
		}
		p := catalogueProject(catalogue, id)
		profile := profiles.For(p.Profile)
		score := judge(p, e, profile)
		if got := scoring.Verdict(score, profile); got != want.verdict {
			t.Errorf("%s: %s, scs-0218 says %s", id, got, want.verdict)
		}
		for _, m := range score.Measurements {
			if m.Indicator == want.because && m.Outcome != audit.FAIL {
				t.Errorf("%s: %s is %s (%s), and should be the reason", id, m.Indicator, m.Outcome, m.Reason)
			}
		}
		if without := scoring.Verdict(judge(p, scoring.Evidence{}, profile), profile); id != "nexus" && without != scoring.Undetermined {
			t.Errorf("%s without evidence: %s, want undetermined", id, without)
		}
	}
}

// A project of which nothing is known is undetermined in every aspect and at every gate, by every profile.
func TestAProjectWithoutEvidenceIsUndeterminedEverywhere(t *testing.T) {
	profiles, err := Profiles("")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range profiles.IDs() {
		profile := profiles.For(id)
		for _, role := range []string{"platform", "building-block", ""} {
			row := projectRow(judge(scoring.Project{ID: "x", Role: role}, scoring.Evidence{}, profile), scoring.Evidence{}, profile, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			if row.Verdict != scoring.Undetermined || row.LockIn.Risk != scoring.Undetermined {
				t.Errorf("%s, %s: verdict %s, lock-in %s", id, role, row.Verdict, row.LockIn.Risk)
			}
			for _, a := range row.Aspects {
				if a.Low != 0 || a.High != audit.Full || a.Coverage != 0 || a.Confidence != 0 {
					t.Errorf("%s, %s: %s [%d, %d], coverage %d", id, role, a.Aspect, a.Low, a.High, a.Coverage)
				}
			}
			for _, g := range row.Gates {
				if g.Outcome != audit.DNF {
					t.Errorf("%s, %s: gate of %s is %s", id, role, g.Aspect, g.Outcome)
				}
			}
			for _, r := range row.Risks {
				if r.Outcome.Decided() {
					t.Errorf("%s, %s: risk %s is %s", id, role, r.Indicator, r.Outcome)
				}
			}
		}
	}
}

// OpenStack reviews on Gerrit and keeps its rules beside the code. None of it may cost a point that a project on GitHub keeps.
func TestServicesOfOpenStackAreNotPunishedForLivingOnGerrit(t *testing.T) {
	profiles, err := Profiles("")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for id, e := range corpus(t) {
		if tree, _ := e.Tree.Get(); !strings.HasPrefix(tree.GerritProject, "review.opendev.org/") {
			continue
		}
		p := catalogueProject(catalogue, id)
		score := judge(p, e, profiles.For(p.Profile))
		seen++
		for _, m := range score.Measurements {
			switch m.Indicator {
			case "OV-02", "OV-08", "OC-06", "OC-09", "SE-01", "OS-07", "MA-07", "OV-09":
				if m.Outcome == audit.FAIL {
					t.Errorf("%s: %s fails: %s", id, m.Indicator, m.Reason)
				}
			}
		}
	}
	if seen < 25 {
		t.Errorf("%d projects on Gerrit in the corpus", seen)
	}
}
