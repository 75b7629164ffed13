package gitlog

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/scoring"
)

// counted is a history in which each commit was chosen to move one number.
func counted() *repo {
	r := newRepo()
	r.commit(testCommit{when: at(2000), author: ben, files: map[string]string{
		".mailmap": "Ana Ito <ana@redhat.com> <ana@old.example.com>\n", "README": "sample\n", ".gitreview": "[gerrit]\nhost=review.example.org\nproject=sample/sample.git\n",
	}})
	r.commit(testCommit{when: at(600), author: dina})
	r.commit(testCommit{when: at(500), author: "A. Ito <ana@old.example.com>"})
	r.commit(testCommit{when: at(400), author: ben})
	r.commit(testCommit{when: at(365), author: ben, message: "Exactly a year ago\n\nSigned-off-by: Ben Oku <ben@suse.com>\n"})
	r.commit(testCommit{when: at(300), author: cleo, committer: ana, offset: "-0800", message: "Fix a thing\n\nReviewed-by: Ana Ito <ana@redhat.com>\n"})
	r.commit(testCommit{when: at(200), author: ana, offset: "+0530", message: "Fix another\n\nReviewed-by: Ana Ito <ana@redhat.com>\nAcked-by: Ana Ito <other@example.com>\n"})
	r.commit(testCommit{when: at(100), author: bot, message: "Update a dependency (#12)\n"})
	side := r.commit(testCommit{branch: "topic", from: r.tips["master"], when: at(95), author: ana, message: "Part of a request\n"})
	r.commit(testCommit{when: at(94), author: ben, committer: "GitHub <noreply@github.com>", message: "Merge pull request #7 from sample/topic\n", merge: []int{side}})
	r.commit(testCommit{when: at(89), author: ana, message: "Revert \"Fix a thing\"\n\nThis reverts commit 0123.\n"})
	r.commit(testCommit{when: at(30), author: ana, message: "Squashed (#13)\n\nAssisted-By: a model\nChange-Id: I0123\n"})
	r.commit(testCommit{when: at(-5), author: cleo, message: "After the moment of assessment"})
	return r
}

func TestTheHistoryOfAKnownRepositoryIsCountedAsTheTableSays(t *testing.T) {
	e := collect(t, counted())
	h := historyOf(t, e)
	if got, want := e.RevisionAt, time.Unix(at(30), 0).UTC(); !got.Equal(want) {
		t.Errorf("evaluated revision is of %s, want %s", got, want)
	}
	w, _ := h.Window(12)
	w3, _ := h.Window(3)
	w24, _ := h.Window(24)
	for _, row := range []struct {
		what      string
		got, want any
	}{
		{"first commit", h.FirstCommit.Unix(), at(2000)},
		{"last commit", h.LastCommit.Unix(), at(30)},
		{"last human commit", h.LastHumanCommit.Unix(), at(30)},
		{"commits ever, without the merge and the future", h.CommitsEver, 11},
		{"authors ever, without the bot, two spellings as one", h.AuthorsEver, 4},
		{"root commits", h.RootCommits, 1},
		{"human commits in 90 days", h.Human90d, 2},
		{"newcomers: only Cleo", h.Newcomers12m, 1},
		{"authors of the year before", h.AuthorsYear2, 3},
		{"retained: Ana and Ben", h.Retained, 2},
		{"commits in 12 months, the border included", w.Commits, 7},
		{"human commits", w.HumanCommits, 6},
		{"merges", w.Merges, 1},
		{"authors", w.Authors, 3},
		{"committers: Ana for Cleo, Ben for the merge", w.Committers, 2},
		{"signed off", w.SignedOff, 1},
		{"reviewed by somebody else: Cleo's; Ana's own name does not count", w.Reviewed, 1},
		{"change ids", w.ChangeID, 1},
		{"pull requests: the merged one and the squashed one", w.PullRequest, 2},
		{"reverts", w.Reverts, 1},
		{"assisted", w.AIAssisted, 1},
		{"bus factor: Ana has 4 of 6", w.BusFactor50, 1},
		{"top author", w.TopAuthorBP, 6667},
		{"active months", w.ActiveMonths, 6},
		{"bands: -8, 0, +5:30", w.OffsetBands, 3},
		{"top organisation: Red Hat is part of IBM", w.TopOrg, "IBM"},
		{"top share low, rounded down", w.TopOrgLowBP, 6666},
		{"top share high, rounded up", w.TopOrgHighBP, 8334},
		{"top two low", w.TopTwoLowBP, 8333},
		{"top two high", w.TopTwoHighBP, 10000},
		{"unknown", w.UnknownOrgBP, 1667},
		{"elephant low", w.ElephantLow, 1},
		{"elephant high", w.ElephantHigh, 1},
		{"outside authors low: Ben", w.OutsideAuthorsLow, 1},
		{"outside authors high: and Cleo", w.OutsideAuthorsHigh, 2},
		{"commits in 3 months", w3.Commits, 2},
		{"merges in 3 months: 94 days are outside", w3.Merges, 0},
		{"commits in 24 months", w24.Commits, 10},
		{"authors in 24 months", w24.Authors, 4},
		{"quarters", len(h.Quarters), 12},
		{"end of the last quarter", h.Quarters[11].End.Unix(), now.Unix()},
		{"authors in the last quarter", h.Quarters[11].Authors, 1},
		{"commits in the last quarter", h.Quarters[11].Commits, 2},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %v, want %v", row.what, row.got, row.want)
		}
	}
}

func TestEveryChangeCountsAsReviewedOnlyBehindGerrit(t *testing.T) {
	for _, row := range []struct {
		name   string
		gerrit bool
		ids    int // of 10 commits
		want   int
	}{
		{"a .gitreview and change ids on 8 of 10", true, 8, 8},
		{"a .gitreview and change ids on 7 of 10", true, 7, 0},
		{"change ids without a .gitreview", false, 10, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRepo()
			files := map[string]string{"README": "x"}
			if row.gerrit {
				files[".gitreview"] = "[gerrit]\nhost=r.example.org\nproject=a/b.git\n"
			}
			for i := range 10 {
				message := "Change\n"
				if i < row.ids {
					message += fmt.Sprintf("\nChange-Id: I%d\n", i)
				}
				r.commit(testCommit{when: at(20 - i), message: message, files: files})
				files = nil
			}
			w, _ := historyOf(t, collect(t, r)).Window(12)
			if w.Reviewed != row.want {
				t.Errorf("got %d reviewed, want %d", w.Reviewed, row.want)
			}
		})
	}
}

func TestReviewNotesCountVotesOfOthers(t *testing.T) {
	r := newRepo()
	first := r.commit(testCommit{when: at(9), files: map[string]string{"a": "1"}})
	second := r.commit(testCommit{when: at(8), files: map[string]string{"a": "2"}})
	third := r.commit(testCommit{when: at(7), files: map[string]string{"a": "3"}})
	r.stream.WriteString(fmt.Sprintf("commit refs/notes/review\nmark :99\ncommitter %s %d +0000\ndata 1\nx\n", ana, at(1)))
	for mark, note := range map[int]string{
		first:  "Code-Review+2: Ben Oku <ben@suse.com>\nVerified+1: CI <ci@example.org>\n",
		second: "Code-Review+2: Ana Ito <ana@redhat.com>\nWorkflow+1: Ben Oku <ben@suse.com>\n",
		third:  "Verified+2: CI <ci@example.org>\n",
	} {
		fmt.Fprintf(&r.stream, "N inline :%d\ndata %d\n%s\n", mark, len(note), note)
	}
	w, _ := historyOf(t, collect(t, r)).Window(12)
	if w.Reviewed != 1 {
		t.Errorf("got %d reviewed, want 1: only the first has a vote by somebody else", w.Reviewed)
	}
}

// random builds a history with many authors, merges and trailers from a fixed seed.
func random(seed uint64, commits int) *repo {
	g := rand.New(rand.NewPCG(seed, 7))
	people := []string{ana, ben, cleo, dina, bot,
		"Eve One <eve@acme-widgets.io>", "Ed Two <ed@acme-widgets.io>", "CI Bot <ci-bot@example.org>", "Fay <FAY@suse.com>", "fay <fay@SUSE.com>",
		"Gil <gil@qq.com>", "Hoa <hoa@users.noreply.github.com>", "Ann Old <ann@old.example.com>"}
	trailers := []string{"", "", "\n\nSigned-off-by: X <x@example.org>\n", "\n\nReviewed-by: Rey <rey@example.org>\n", "\n\nChange-Id: I1\nSigned-off-by: X <x@example.org>\n", "\n\nAcked-by: Ben Oku <ben@suse.com>\n"}
	subjects := []string{"Fix a bug", "Revert \"Fix a bug\"", "Add (#42)", "Improve\n\nThis reverts commit 1.", "Change"}
	r := newRepo()
	files := map[string]string{".mailmap": "Ana Ito <ana@redhat.com> <ann@old.example.com>\n"}
	when := at(1500)
	for i := range commits {
		step := int64(1400*86400) / int64(commits)
		when += step/2 + g.Int64N(step)
		c := testCommit{when: min(when, at(0)), author: people[g.IntN(len(people))], message: subjects[g.IntN(len(subjects))] + trailers[g.IntN(len(trailers))], files: files,
			offset: []string{"+0000", "-0700", "+0900", "+0200"}[g.IntN(4)]}
		if g.IntN(3) == 0 {
			c.committer = people[g.IntN(len(people))]
		}
		files = nil
		if i > 0 && g.IntN(10) == 0 {
			base := r.tips["master"]
			side := r.commit(testCommit{branch: "side" + strconv.Itoa(i), from: base, when: c.when, author: c.author, message: "Side\n"})
			c.merge, c.message = []int{side}, "Merge something\n"
		}
		r.commit(c)
	}
	return r
}

// naive counts the same history again, from another git command, with other data structures and no shared code but the
// organisation table.
func naive(t *testing.T, dir string, e int64) (w scoring.Window, h scoring.History) {
	t.Helper()
	out, err := exec.Command("git", "--git-dir="+dir, "-c", "mailmap.blob=HEAD:.mailmap", "log", "--use-mailmap", "-z",
		"--format=%ct%n%p%n%aE%n%aN%n%cE%n%cN%n%ad%n%B", "--date=format:%z", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	bots := []string{"[bot]", "bot@", "noreply@github.com", "renovate"}
	isBot := func(address, name string) bool {
		for _, b := range bots {
			if strings.Contains(strings.ToLower(address+" "+name), b) && !strings.Contains(address, "users.noreply") {
				return true
			}
		}
		return false
	}
	const year = 31536000
	w.Months = 12
	counts, first, y1, y2, committers, months := map[string]int{}, map[string]int64{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[int64]bool{}
	for _, text := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		f := strings.SplitN(text, "\n", 8)
		ct, _ := strconv.ParseInt(f[0], 10, 64)
		parents := len(strings.Fields(f[1]))
		who, committer := strings.ToLower(f[2]), strings.ToLower(f[4])
		inside := ct >= e-year && ct <= e
		if parents > 1 {
			if inside {
				w.Merges++
				if !isBot(f[4], f[5]) {
					committers[committer] = true
				} else if !isBot(f[2], f[3]) {
					committers[who] = true
				}
			}
			continue
		}
		h.CommitsEver++
		human := !isBot(f[2], f[3])
		if human {
			if old, ok := first[who]; !ok || ct < old {
				first[who] = ct
			}
			y1[who] = y1[who] || ct >= e-year
			y2[who] = y2[who] || ct >= e-2*year && ct < e-year
			if ct >= e-90*86400 {
				h.Human90d++
			}
		}
		if !inside {
			continue
		}
		w.Commits++
		body := f[7]
		if strings.HasPrefix(body, "Revert") || strings.Contains(body, "This reverts commit") {
			w.Reverts++
		}
		if committer != who && !isBot(f[4], f[5]) {
			committers[committer] = true
		}
		if !human {
			continue
		}
		w.HumanCommits++
		counts[who]++
		months[min((e-ct)/2628000, 11)] = true
		count(&w.SignedOff, strings.Contains(body, "\nSigned-off-by:"))
		count(&w.ChangeID, strings.Contains(body, "\nChange-Id:"))
		count(&w.Reviewed, strings.Contains(body, "\nReviewed-by:") || strings.Contains(body, "\nAcked-by: Ben") && who != "ben@suse.com")
		count(&w.PullRequest, strings.HasPrefix(body, "Add (#42)"))
	}
	w.Authors, w.Committers, w.ActiveMonths = len(counts), len(committers), len(months)
	var sorted []int
	for _, n := range counts {
		sorted = append(sorted, n)
	}
	sort.Sort(sort.Reverse(sort.IntSlice(sorted)))
	for i, sum := 0, 0; i < len(sorted) && sum*2 < w.HumanCommits; i++ {
		sum += sorted[i]
		w.BusFactor50 = i + 1
	}
	h.AuthorsEver = len(first)
	for who, ct := range first {
		count(&h.Newcomers12m, ct >= e-year)
		count(&h.AuthorsYear2, y2[who])
		count(&h.Retained, y1[who] && y2[who])
	}
	return w, h
}

func count(n *int, holds bool) {
	if holds {
		*n++
	}
}

func TestTheStreamingPassAgreesWithANaiveCount(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := random(seed, 300)
			mirrors := r.mirror(t)
			c := newCollector(t, Options{Mirrors: []string{mirrors}, Offline: true, AtHead: true})
			e := mustCollect(t, c)
			got := historyOf(t, e)
			gotW, _ := got.Window(12)
			wantW, want := naive(t, filepath.Join(mirrors, "sample+sample", "repo"), e.AssessedAt.Unix())
			type pair struct{ Ever, Authors, New, Year2, Retained, Recent int }
			if diff := cmp.Diff(pair{want.CommitsEver, want.AuthorsEver, want.Newcomers12m, want.AuthorsYear2, want.Retained, want.Human90d},
				pair{got.CommitsEver, got.AuthorsEver, got.Newcomers12m, got.AuthorsYear2, got.Retained, got.Human90d}); diff != "" {
				t.Errorf("history differs (-want +got):\n%s", diff)
			}
			counts := func(w scoring.Window) []int {
				return []int{w.Commits, w.HumanCommits, w.Merges, w.Authors, w.Committers, w.SignedOff, w.Reviewed, w.ChangeID, w.PullRequest, w.Reverts, w.BusFactor50, w.ActiveMonths}
			}
			if diff := cmp.Diff(counts(wantW), counts(gotW)); diff != "" {
				t.Errorf("12 months differ (-want +got), in the order of the fields:\n%s", diff)
			}
		})
	}
}

func TestTheLimitsOfOrganisationSharesFollowFromTheUnknownAuthors(t *testing.T) {
	for _, row := range []struct {
		name             string
		byOrg, unknown   []int
		low, high        int
		twoLow, twoHigh  int
		elephLow, elephU int
		top              string
	}{
		{"all known", []int{6, 3, 1}, nil, 6000, 6000, 9000, 9000, 1, 1, "a"},
		{"unknown work may be the top organisation's", []int{4, 3}, []int{2, 1}, 4000, 7000, 7000, 10000, 1, 2, "a"},
		{"unknown people may be an organisation each", []int{2}, []int{2, 2, 2, 2}, 2000, 10000, 2000, 10000, 1, 3, "a"},
		{"nobody is known", []int{0}, []int{5, 5}, 0, 10000, 0, 10000, 1, 1, ""},
		{"equals are ordered by name", []int{5, 5}, nil, 5000, 5000, 10000, 10000, 1, 1, "a"},
		{"thirds are rounded outward", []int{1, 1, 1}, nil, 3333, 3334, 6666, 6667, 2, 2, "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var w scoring.Window
			for _, n := range row.byOrg {
				w.HumanCommits += n
			}
			for _, n := range row.unknown {
				w.HumanCommits += n
			}
			fillOrganisations(&w, []string{"a", "b", "c"}[:len(row.byOrg)], row.byOrg, row.unknown)
			got := []any{w.TopOrgLowBP, w.TopOrgHighBP, w.TopTwoLowBP, w.TopTwoHighBP, w.ElephantLow, w.ElephantHigh, w.TopOrg}
			want := []any{row.low, row.high, row.twoLow, row.twoHigh, row.elephLow, row.elephU, row.top}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLearningAnEmployerOnlyNarrowsTheShares(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		byOrg := []int{g.IntN(20), g.IntN(20), g.IntN(20)}
		unknown := []int{1 + g.IntN(9), 1 + g.IntN(9), 1 + g.IntN(9)}
		total := 0
		for _, n := range append(append([]int{}, byOrg...), unknown...) {
			total += n
		}
		before := scoring.Window{HumanCommits: total}
		fillOrganisations(&before, []string{"a", "b", "c"}, byOrg, unknown)
		known := append([]int{}, byOrg...)
		known[g.IntN(3)] += unknown[0]
		after := scoring.Window{HumanCommits: total}
		fillOrganisations(&after, []string{"a", "b", "c"}, known, unknown[1:])
		if after.TopOrgLowBP < before.TopOrgLowBP || after.TopOrgHighBP > before.TopOrgHighBP {
			t.Fatalf("%v %v: share went from [%d, %d] to [%d, %d]", byOrg, unknown, before.TopOrgLowBP, before.TopOrgHighBP, after.TopOrgLowBP, after.TopOrgHighBP)
		}
		if after.ElephantHigh > before.ElephantHigh && after.ElephantHigh > 0 {
			t.Fatalf("%v %v: elephant high went from %d to %d", byOrg, unknown, before.ElephantHigh, after.ElephantHigh)
		}
	}
}

func TestBandsOfOffsetsLieFourHoursApart(t *testing.T) {
	for _, row := range []struct {
		name    string
		offsets []int
		want    int
	}{
		{"none", nil, 0},
		{"one", []int{0}, 1},
		{"summer time is no second band", []int{60, 120}, 1},
		{"Europe and India", []int{60, 330}, 2},
		{"three hours apart", []int{0, 180}, 1},
		{"around the world", []int{-480, -300, 60, 120, 330, 540}, 3},
		{"clocks that cannot be right say nothing", []int{9999, -9999, 0}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var w tally
			for _, o := range row.offsets {
				w.addOffset(o)
			}
			if got := w.bands(); got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
		})
	}
}

// BenchmarkHistory compares the pass over a log with the floor: the bare git log of the same format, its output dropped.
// It reads a synthetic history of 5,000 commits, and each clone that PEGEL_HISTORIES names. Both sides are measured in
// turns, CPU of this process and of git together; "ratio" is the quotient of the least of each, since what else the machine
// does can only add. The target is at most 1.3 (design section 7).
func BenchmarkHistory(b *testing.B) {
	dirs := append([]string{""}, histories()...)
	for _, dir := range dirs {
		name := "synthetic"
		if dir != "" {
			name = nameOf(dir)
		}
		b.Run(name, func(b *testing.B) {
			c, v, commit, when := benchmarkView(b, dir)
			ours, floor := time.Hour, time.Hour
			var last scoring.History
			b.ResetTimer()
			for range b.N {
				floor = min(floor, cpu(b, func() error { return c.git.command(b.Context(), v.dir, false, logArgs(commit)...).Run() }))
				ours = min(ours, cpu(b, func() error {
					h, _, err := v.history(b.Context(), commit, when, true, c.rules)
					last = h
					return err
				}))
			}
			b.ReportMetric(float64(ours)/float64(floor), "ratio")
			b.ReportMetric(ours.Seconds(), "cpu-s")
			b.ReportMetric(float64(last.CommitsEver), "commits")
			b.ReportMetric(float64(len(asJSON(b, last))), "fact-bytes")
		})
	}
}

// cpu runs f and returns the processor time that this process and the programs it waited for took.
func cpu(b *testing.B, f func() error) time.Duration {
	b.Helper()
	before := usage(b)
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return usage(b) - before
}

func benchmarkView(b *testing.B, dir string) (*Collector, *view, string, time.Time) {
	b.Helper()
	c, when := newCollector(b, Options{Offline: true}), now
	if dir == "" {
		dir = random(1, 5000).build(b, filepath.Join(b.TempDir(), "r.git"))
	} else {
		when = latest(b, dir)
	}
	found, err := findClone(dir)
	if err != nil {
		b.Fatal(err)
	}
	v, err := c.git.openView(found, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	if err := v.evaluate(v.state.headID); err != nil {
		b.Fatal(err)
	}
	return c, v, v.state.headID, when
}
