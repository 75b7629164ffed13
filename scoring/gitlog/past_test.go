package gitlog

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/scoring"
)

// TestThePastIsWhatTheWindowsOfThatDayWouldHaveShown reads the same history once at each quarter end. Organisations are
// compared at the newest end only: who counts as one is judged by all that is known today.
func TestThePastIsWhatTheWindowsOfThatDayWouldHaveShown(t *testing.T) {
	for seed := range uint64(2) {
		r := random(seed, 300)
		r.commit(testCommit{when: at(2)})
		dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
		today := historyOf(t, mustRepository(t, newCollector(t, Options{Offline: true}), dir, ""))
		if len(today.Past) != 12 {
			t.Fatalf("got %d ends, want 12", len(today.Past))
		}
		compared := 0
		for _, got := range today.Past {
			e := mustRepository(t, newCollector(t, Options{Offline: true, At: got.End}), dir, "")
			h, ok := e.History.Get()
			if !ok {
				continue // the clone of that day would have been too old, or empty
			}
			compared++
			w, _ := h.Window(12)
			want := scoring.Past{
				End: got.End, Commits: w.Commits, HumanCommits: w.HumanCommits, Authors: w.Authors, Reviewed: w.Reviewed, Reverts: w.Reverts,
				BusFactor50: w.BusFactor50, TopAuthorBP: w.TopAuthorBP, TopOrgLowBP: got.TopOrgLowBP, TopOrgHighBP: got.TopOrgHighBP,
				ElephantLow: got.ElephantLow, ElephantHigh: got.ElephantHigh,
				Newcomers: h.Newcomers12m, AuthorsYear2: h.AuthorsYear2, Retained: h.Retained,
			}
			if got.End.Equal(now) {
				want.TopOrgLowBP, want.TopOrgHighBP, want.ElephantLow, want.ElephantHigh = w.TopOrgLowBP, w.TopOrgHighBP, w.ElephantLow, w.ElephantHigh
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("seed %d, %s (-want +got):\n%s", seed, got.End.Format(time.DateOnly), diff)
			}
		}
		if compared < 8 {
			t.Errorf("seed %d: only %d ends could be compared", seed, compared)
		}
	}
}

func TestTheLastEndOfThePastIsTheWindowOfTwelveMonthsToTheSecond(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(366), author: ben})
	r.commit(testCommit{when: at(365)})
	r.commit(testCommit{when: at(0), author: cleo})
	h := historyOf(t, collect(t, r))
	w, _ := h.Window(12)
	last := h.Past[11]
	if last.HumanCommits != 2 || w.HumanCommits != 2 || last.Authors != w.Authors || last.Newcomers != h.Newcomers12m {
		t.Errorf("got %+v, want the numbers of %+v", last, w)
	}
}

func TestBehindGerritThePastCountsReviewsByTheShareOfThatDay(t *testing.T) {
	r := newRepo()
	for i := range 30 { // before the move to Gerrit
		r.commit(testCommit{when: at(1150 - i)})
	}
	r.commit(testCommit{when: at(700), files: map[string]string{".gitreview": "[gerrit]\nhost=review.example.org\nproject=a/b\n"}})
	for i := range 30 {
		r.commit(testCommit{when: at(600 - i*20), message: "B\n\nChange-Id: I2"})
	}
	h := historyOf(t, collect(t, r))
	if first, last := h.Past[0], h.Past[11]; first.HumanCommits == 0 || first.Reviewed != 0 || last.Reviewed != last.HumanCommits || last.Reviewed == 0 {
		t.Errorf("got %+v first and %+v last, want none reviewed before and all now", first, last)
	}
}

func TestGroupsOfFewerThanThreePeopleAreNotCounted(t *testing.T) {
	r := newRepo()
	for i, author := range []string{
		"A <a@redhat.com>", "B <b@redhat.com>", "C <c@redhat.com>", "C <c@redhat.com>", "D <d@suse.com>", "E <e@suse.com>", "F <f@gmail.com>",
		"G <g@intel.com>",
	} {
		r.commit(testCommit{when: at(30 - i), author: author})
	}
	r.commit(testCommit{when: at(5), author: bot})
	q := historyOf(t, collect(t, r)).Quarters[11]
	if q.Authors != 7 || q.Named != 3 || len(q.Organisations) != 1 || len(q.Few) != 2 || !slices.IsSorted(q.Few) {
		t.Errorf("got %+v, want 7 authors, one organisation counted and two named only", q)
	}
	for name, n := range q.Organisations {
		if n != 3 {
			t.Errorf("%s has %d authors, want 3", name, n)
		}
	}
}

func TestTracesOfReviewsAreToldApart(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(60), message: "Base"})
	side := r.commit(testCommit{branch: "s", from: 1, when: at(59), author: ben, message: "On a branch"})
	r.commit(testCommit{when: at(58), merge: []int{side}, message: "Merge branch 's' into 'master'\n\nAdd a thing\n\nSee merge request a/b!7"})
	for i, message := range []string{
		"Squash (#12)",
		"By mail\n\nReviewed-by: B <b@example.org>\nAcked-by: Ana Ito <ana@redhat.com>\nTested-by: C <c@example.org>\nMessage-Id: <1@example.org>",
		"Archived\n\nLink: https://lore.kernel.org/r/1@example.org\nSigned-off-by: Ana Ito <ana@redhat.com>",
		"A bug\n\nLink: https://bugs.example.org/1",
		"Gate\n\nChange-Id: I1\nDepends-On: https://review.example.org/2",
		"With help\n\nCo-Authored-By: Claude <noreply@anthropic.com>",
		"In a pair\n\nCo-authored-by: Ben Oku <ben@suse.com>",
		"Node\n\nPR-URL: https://github.com/a/b/pull/3",
	} {
		r.commit(testCommit{when: at(50 - i), message: message})
	}
	r.commit(testCommit{when: at(10), author: cleo, committer: ana, message: "Applied"})
	w, _ := historyOf(t, collect(t, r)).Window(3)
	want := scoring.Forms{PullRequest: 2, MergeRequest: 1, Gerrit: 1, Mail: 2, ReviewedBy: 1, TestedBy: 1, Applied: 1, DependsOn: 1}
	if diff := cmp.Diff(want, w.Forms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.AIAssisted != 1 || w.PullRequest != 3 || w.Reviewed != 1 {
		t.Errorf("got %d assisted, %d by request, %d reviewed; want 1, 3, 1", w.AIAssisted, w.PullRequest, w.Reviewed)
	}
}

func TestAssistantsAreToldFromPeople(t *testing.T) {
	list, err := parseAssistants(builtinAssistants)
	if err != nil {
		t.Fatal(err)
	}
	for signature, want := range map[string]bool{
		"Claude <noreply@anthropic.com>": true, "Copilot <175728472+Copilot@users.noreply.github.com>": true, "aider (gpt-4o) <aider@aider.chat>": true,
		"Cursor <cursoragent@cursor.com>": true, "Claudette Roe <claudette@example.org>": false, "Claude Debussy <c@example.org>": false,
		"Devin Oku <devin@example.org>": false, "Ana <ana@redhat.com>": false, "": false,
	} {
		if got := list.match(signature); got != want {
			t.Errorf("%q: got %v, want %v", signature, got, want)
		}
	}
	for _, text := range []string{"schema: pegel/assistants/v2\n", "schema: pegel/assistants/v1\npatterns: ['(']\n", "pattern: []\n"} {
		if _, err := parseAssistants([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// mailed is a project whose patches come by mail.
func mailed() *repo {
	r := newRepo()
	for i := range 12 {
		r.commit(testCommit{when: at(100 - i), author: ben, committer: ana, message: "One\n\nSigned-off-by: Ben Oku <ben@suse.com>\nAcked-by: Cleo Pax <cleo@gmail.com>"})
	}
	r.commit(testCommit{when: at(8), message: "Own\n\nSigned-off-by: Ana Ito <ana@redhat.com>"})
	return r
}

func TestAMailingListProjectIsComparedLineByLine(t *testing.T) {
	e := collect(t, mailed())
	c, ok := e.Changes.Get()
	if !ok || c.Forge != "mail" || len(c.Windows) != 4 {
		t.Fatalf("got %+v, want the changes of a mailing list", e.Changes)
	}
	w := c.Windows[2]
	got := map[string]string{}
	line := func(name string, known bool, failure, settle string, value any) {
		switch {
		case known:
			got[name] = fmt.Sprint(value)
		case failure == "" || settle == "":
			got[name] = "unknown without a reason or a remedy"
		default:
			got[name] = "unknown"
		}
	}
	number := func(v *int) any {
		if v == nil {
			return nil
		}
		return *v
	}
	line("open", c.Open.Value != nil, c.Open.Failure, c.Open.Settle, number(c.Open.Value))
	line("opened", w.Opened.Value != nil, w.Opened.Failure, w.Opened.Settle, number(w.Opened.Value))
	line("merged", w.Merged.Value != nil, w.Merged.Failure, w.Merged.Settle, number(w.Merged.Value))
	line("closed", w.Closed.Value != nil, w.Closed.Failure, w.Closed.Settle, number(w.Closed.Value))
	line("reviewed", w.Reviewed.Value != nil, w.Reviewed.Failure, w.Reviewed.Settle, number(w.Reviewed.Value))
	line("self-merged", w.SelfMerged.Value != nil, w.SelfMerged.Failure, w.SelfMerged.Settle, number(w.SelfMerged.Value))
	line("gated", w.Gated.Value != nil, w.Gated.Failure, w.Gated.Settle, number(w.Gated.Value))
	line("answered", w.Answered.Value != nil, w.Answered.Failure, w.Answered.Settle, number(w.Answered.Value))
	line("unanswered", w.Unanswered.Value != nil, w.Unanswered.Failure, w.Unanswered.Settle, number(w.Unanswered.Value))
	line("first response", w.FirstResponse.Value != nil, w.FirstResponse.Failure, w.FirstResponse.Settle, nil)
	line("approvers", w.Approvers.Value != nil, w.Approvers.Failure, w.Approvers.Settle, number(w.Approvers.Value))
	line("mergers", w.Mergers.Value != nil, w.Mergers.Failure, w.Mergers.Settle, number(w.Mergers.Value))
	line("top organisation, low", w.TopApproverOrgLowBP.Value != nil, w.TopApproverOrgLowBP.Failure, w.TopApproverOrgLowBP.Settle, number(w.TopApproverOrgLowBP.Value))
	line("top organisation, high", w.TopApproverOrgHighBP.Value != nil, w.TopApproverOrgHighBP.Failure, w.TopApproverOrgHighBP.Settle, number(w.TopApproverOrgHighBP.Value))
	want := map[string]string{
		"open": "unknown", "opened": "unknown", "merged": "13", "closed": "unknown", "reviewed": "12", "self-merged": "unknown", "gated": "unknown",
		"answered": "unknown", "unanswered": "unknown", "first response": "unknown", "approvers": "2", "mergers": "1",
		"top organisation, low": "5000", "top organisation, high": "10000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !w.Whole || w.Sample != 13 {
		t.Errorf("got a sample of %d, whole %v; want all 13", w.Sample, w.Whole)
	}
}

func TestOtherProjectsAreNotTakenForMailingLists(t *testing.T) {
	signed := "\n\nSigned-off-by: Ana Ito <ana@redhat.com>"
	for name, message := range map[string]string{
		"requests with sign-offs": "A (#1)" + signed + "\nReviewed-by: B <b@example.org>",
		"no reviewers":            "A" + signed,
		"no sign-offs":            "A\n\nReviewed-by: B <b@example.org>",
	} {
		r := newRepo()
		for i := range 20 {
			r.commit(testCommit{when: at(100 - i), message: message})
		}
		if e := collect(t, r); e.Changes.Value != nil || e.Changes.Failure != "" {
			t.Errorf("%s: got changes of %q", name, e.Changes.Value.Forge)
		}
	}
}

func TestWhatAForgeSaidAboutChangesStays(t *testing.T) {
	c := newCollector(t, Options{Mirrors: []string{mailed().mirror(t)}, Offline: true})
	var known scoring.Evidence
	known.Changes.Failure = "asked in vain"
	e, err := c.Collect(context.Background(), scoring.Project{ID: "sample", Repo: sampleURL}, known)
	if err != nil || e.Changes.Value != nil {
		t.Errorf("got %+v, %v; want the answer of before", e.Changes, err)
	}
}

func TestCodeDropsAreSeenInTheLinesOfAWholeClone(t *testing.T) {
	lines := func(n int) string {
		var b []byte
		for i := range n {
			b = fmt.Appendf(b, "line %d\n", i)
		}
		return string(b)
	}
	r := newRepo()
	r.commit(testCommit{when: at(500), files: map[string]string{"old.c": lines(5000)}})
	r.commit(testCommit{when: at(200), files: map[string]string{
		"drop.c": lines(900), "picture.c": "\x00\x01" + lines(3000), "vendor/other.c": lines(4000), "www/index.html": lines(4000), "big.c": lines(200_000),
	}})
	for i := range 10 {
		r.commit(testCommit{when: at(100 - i), files: map[string]string{fmt.Sprint("f", i, ".c"): lines(10)}})
	}
	r.commit(testCommit{when: at(9), files: map[string]string{"old.c": "", "moved.c": lines(5000)}})
	d, ok := historyOf(t, collect(t, r)).CodeDrop.Get()
	want := scoring.CodeDrop{Commits: 11, Lines: 1000, TopThreeBP: 9200}
	if !ok || d != want {
		t.Errorf("got %+v, %v; want %+v", d, ok, want)
	}
}

func TestFilesAreNamedAtTheDeployedTagToo(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(300), files: map[string]string{"GOVERNANCE.md": "x", ".travis.yml": "x", "a.go": "package a", "specs/one.rst": "x"}})
	r.commit(testCommit{when: at(20), files: map[string]string{"GOVERNANCE.md": "", "SECURITY.md": "Report vulnerabilities."}})
	r.tag("v1.0.0", one, at(299), true)
	e := collect(t, r, "1.0.0", "7.7.7")
	got, ok := e.Versions["1.0.0"].Get()
	want := scoring.TreeAt{
		Tag: "v1.0.0", Commit: got.Commit, Files: 4, SourceFiles: 1,
		Documents: map[string]string{"governance": "GOVERNANCE.md"}, Tools: map[string]string{"ci": ".travis.yml", "proposals": "specs"},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("known %v (-want +got):\n%s", ok, diff)
	}
	if f := e.Versions["7.7.7"]; f.Value != nil || f.Failure == "" {
		t.Errorf("an unknown version: %+v, want a reason", f)
	}
}

func TestEveryFactIsGraded(t *testing.T) {
	r := mailed()
	r.tag("v1.0.0", 1, at(99), true)
	e := collect(t, r, "1.0.0")
	for name, grade := range map[string]string{
		"history": fmt.Sprint(e.History.Grade, e.History.Lifetime, e.History.ObservedAt), "releases": fmt.Sprint(e.Releases.Grade, e.Releases.Lifetime, e.Releases.ObservedAt),
		"tree": fmt.Sprint(e.Tree.Grade, e.Tree.Lifetime, e.Tree.ObservedAt), "licences": fmt.Sprint(e.Licences[""].Grade, e.Licences[""].Lifetime, e.Licences[""].ObservedAt),
		"licence history": fmt.Sprint(e.LicenceHistory.Grade, e.LicenceHistory.Lifetime, e.LicenceHistory.ObservedAt),
		"version":         fmt.Sprint(e.Versions["1.0.0"].Grade, e.Versions["1.0.0"].Lifetime, e.Versions["1.0.0"].ObservedAt),
		"changes":         fmt.Sprint(e.Changes.Grade, e.Changes.Lifetime, e.Changes.ObservedAt),
	} {
		if want := fmt.Sprint("A", "month", e.SeenUntil); grade != want {
			t.Errorf("%s: got %q, want %q", name, grade, want)
		}
	}
}
