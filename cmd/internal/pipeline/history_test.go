package pipeline

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// grown makes a clone with a commit every ten days, from so many days before the day judged.
func grown(t *testing.T, days int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sample")
	var stream strings.Builder
	for n := days; n > 0; n -= 10 {
		when := judged.AddDate(0, 0, -n).Unix()
		fmt.Fprintf(&stream, "commit refs/heads/main\nauthor Ann <ann@example.org> %d +0000\ncommitter Ann <ann@example.org> %d +0000\ndata 6\nchange\nM 100644 inline LICENSE\ndata 2\nx\n\n", when, when)
	}
	for _, c := range []struct{ stdin, args string }{{"", "init --quiet --bare --initial-branch=main " + dir}, {stream.String(), "--git-dir=" + dir + " fast-import --quiet"}} {
		cmd := exec.Command("git", strings.Fields(c.args)...)
		cmd.Stdin, cmd.Env = strings.NewReader(c.stdin), append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", c.args, err, out)
		}
	}
	return dir
}

func TestEachQuarterIsWhatAScoreOfThatDayWouldHaveSaid(t *testing.T) {
	dir := grown(t, 500)
	opt := collectOptions(t)
	rows, err := ScoreHistory(t.Context(), []string{dir}, false, 8, opt)
	if err != nil {
		t.Fatal(err)
	}
	row := rows[0]
	if len(row.Quarters) != 8 || len(row.Years) != 12 {
		t.Fatalf("%d quarters and %d years, want 8 and 12", len(row.Quarters), len(row.Years))
	}
	for i, q := range row.Quarters {
		end := judged.Add(-time.Duration(7-i) * quarterLength)
		then := opt
		then.At = end
		alone, err := Score(t.Context(), []string{dir}, false, then)
		if err != nil {
			t.Fatal(err)
		}
		if !q.End.Equal(end) || q.Head != alone[0].Head || q.Failure != alone[0].Failure {
			t.Errorf("quarter %d: got %s, %s, %q; alone %s, %s, %q", i, q.End, q.Head, q.Failure, end, alone[0].Head, alone[0].Failure)
		}
		if q.Failure == "" && (q.Verdict != alone[0].Verdict || i < 7 && digestOfJSON(q.Aspects) != digestOfJSON(alone[0].Aspects)) {
			t.Errorf("quarter %d is not what a score of that day says", i)
		}
	}
	if first, last := row.Quarters[0], row.Quarters[7]; first.Failure == "" || last.Failure != "" || last.Head != row.Head {
		t.Errorf("the project did not exist in the first quarter: %+v; the last is the row itself: %+v", first, last)
	}
	for _, a := range row.Aspects {
		if a.Trend == nil || a.Trend.Quarters != 6 {
			t.Errorf("%s: trend %+v, want one over the 6 quarters with commits", a.Aspect, a.Trend)
		}
	}
	text := reports.HistoryText(rows, reports.Options{Width: 120})
	for _, want := range []string{"8 quarters from 2024-11-", "Activity", "steady", "Verdicts: no evidence until 2025-02-", "No evidence at 2024-11-", "12 months at the end of each quarter, from recorded evidence"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

func TestAHistoryOfARevisionOrOfTooManyQuartersIsWrongUsage(t *testing.T) {
	for name, c := range map[string]struct {
		target   string
		quarters int
	}{"a revision": {"./x@v1.0", 12}, "thirteen quarters": {"keystone", 13}, "one quarter": {"keystone", 1}} {
		_, err := ScoreHistory(t.Context(), []string{c.target}, false, c.quarters, collectOptions(t))
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "--history") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATrendIsOneOnlyIfBothEndsGoTheSameWay(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	series := func(low, high func(int) int, quarters int) []reports.Quarter {
		var out []reports.Quarter
		for i := range quarters {
			out = append(out, reports.Quarter{Aspects: []reports.Aspect{{Aspect: "activity", Low: low(i), High: high(i)}}})
		}
		return out
	}
	flat, up := func(int) int { return 5000 }, func(i int) int { return 3000 + 200*i }
	down := func(i int) int { return 9000 - 200*i }
	dip := func(i int) int { return 5000 - 4000*one(i == 10) }
	for name, c := range map[string]struct {
		low, high func(int) int
		quarters  int
		want      string
	}{
		"both rise":         {up, func(i int) int { return up(i) + 1000 }, 12, rises},
		"both fall":         {func(i int) int { return down(i) - 1000 }, down, 12, falls},
		"nothing changes":   {flat, func(int) int { return 8000 }, 12, steady},
		"one quiet quarter": {dip, func(i int) int { return dip(i) + 1000 }, 12, steady},
		"more is known":     {up, down, 12, unclear},
		"only one end":      {up, func(int) int { return 9000 }, 12, unclear},
		"three quarters":    {up, up, 3, ""},
	} {
		got := trendOf(series(c.low, c.high, c.quarters), "activity", profile)
		if c.want == "" && got != nil || c.want != "" && (got == nil || got.Word != c.want) {
			t.Errorf("%s: got %+v, want %q", name, got, c.want)
		}
	}
}

func TestAProjectOnProbationStillCountsAsPassed(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	row := func(activity int) reports.Project {
		p := reports.Project{ID: "a", Role: scoring.RolePlatform, Verdict: scoring.Passed}
		for _, name := range scoring.Aspects {
			p.Aspects = append(p.Aspects, reports.Aspect{Aspect: name, Low: 9000, High: audit.Full, Coverage: 9000})
		}
		if activity < 5000 {
			p.Verdict = scoring.Almost
			p.Aspects[6].Low, p.Aspects[6].High = activity, activity
		}
		return p
	}
	got := ""
	for _, q := range withQuarters(row(4000), []reports.Project{row(9000), row(4000), row(9000), row(4000)}, profile).Quarters {
		got += q.Held[:1]
		if q.Probation {
			got += "+"
		}
	}
	if got != "pp+pp+a" {
		t.Errorf("got %s, want pp+pp+a: one quiet quarter is held, two are not", got)
	}
}
