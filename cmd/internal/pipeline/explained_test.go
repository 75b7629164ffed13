package pipeline

import (
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
)

// scoredCorpus scores the whole catalogue on the recorded evidence, as pegel score --catalogue all --offline does.
func scoredCorpus(t testing.TB, targets ...string) []reports.Project {
	t.Helper()
	if len(targets) == 0 {
		ids, err := CatalogueTier("all")
		if err != nil {
			t.Fatal(err)
		}
		targets = ids
	}
	rows, err := Score(context.Background(), targets, false, Options{
		Version: "test", Now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), Offline: true, Evidence: []string{corpusDir}, CacheDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A maintainer can follow every point that a project lacks to what was read, sees what would raise or settle it, and finds
// no number without a source. The law holds for each project of the corpus and each of the catalogue without evidence.
func TestEveryPointThatIsMissingCanBeFollowed(t *testing.T) {
	known := 0
	for _, p := range scoredCorpus(t) {
		if p.Head != "" {
			known++
		}
		if p.ProfileVersion == "" || p.Profile == "" {
			t.Fatalf("%s: judged by no profile", p.ID)
		}
		for _, i := range p.Indicators {
			for _, wrong := range unexplained(i) {
				t.Errorf("%s %s (%s): %s", p.ID, i.ID, i.Outcome, wrong)
			}
		}
		for _, g := range p.Gates {
			if g.Source == "" {
				t.Errorf("%s: the gate of %s for %s has no source", p.ID, g.Level, g.Aspect)
			}
		}
		for _, a := range p.Aspects {
			for _, id := range a.KnockOuts {
				if !slices.ContainsFunc(p.Indicators, func(i reports.Indicator) bool { return i.ID == id && i.Outcome == audit.FAIL && i.KnockOut }) {
					t.Errorf("%s: %s knocks out %s and is no failed knock-out", p.ID, id, a.Aspect)
				}
			}
		}
	}
	if known < 140 {
		t.Errorf("%d projects with evidence, want at least 140", known)
	}
}

// unexplained says what a reader of an indicator would miss.
func unexplained(i reports.Indicator) []string {
	var out []string
	miss := func(wrong bool, what string) {
		if wrong {
			out = append(out, what)
		}
	}
	miss(i.Title == "", "no title")
	miss(i.Source == "" || i.Rule == nil, "no source of its thresholds")
	if i.Low == audit.Full || i.Outcome == audit.PASS {
		return out
	}
	miss(i.Reason == "", "no reason")
	switch i.Outcome {
	case audit.FAIL, audit.PART:
		miss(!slices.ContainsFunc(i.Origins, leadsSomewhere), "nothing leads to what was read")
	case audit.MISS, audit.DNF:
		miss(len(i.Settle) == 0, "nothing says what would settle it")
		miss(slices.Contains(i.Settle, ""), "an empty remedy")
	}
	for _, o := range i.Origins {
		miss(o.URL != "" && !isWeb(o.URL), "an address that no browser opens: "+o.URL)
	}
	return out
}

// leadsSomewhere says that people can look at a place: a page or repository, or an entry of the catalogue.
func leadsSomewhere(o audit.Origin) bool {
	return isWeb(o.URL) || o.Source == "catalogue" && o.Path != ""
}

func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func TestTheLawOfExplanationsCanFail(t *testing.T) {
	good := reports.Indicator{ID: "X", Title: "t", Source: "s", Rule: &reports.Rule{}, Reason: "r", Outcome: audit.FAIL, Origins: []audit.Origin{{Source: "git", URL: "https://example.org/x"}}}
	if wrong := unexplained(good); len(wrong) > 0 {
		t.Fatalf("a good one: %v", wrong)
	}
	for name, bad := range map[string]func(*reports.Indicator){
		"no source": func(i *reports.Indicator) { i.Source = "" }, "no rule": func(i *reports.Indicator) { i.Rule = nil }, "no reason": func(i *reports.Indicator) { i.Reason = "" },
		"no origin": func(i *reports.Indicator) { i.Origins = nil }, "a path": func(i *reports.Indicator) { i.Origins = []audit.Origin{{Source: "git", URL: "/root/x"}} },
		"no remedy": func(i *reports.Indicator) { i.Outcome = audit.MISS },
	} {
		i := good
		bad(&i)
		if len(unexplained(i)) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}

func TestWhatWasReadIsShownAtTheCommitThatWasRead(t *testing.T) {
	for _, p := range scoredCorpus(t) {
		for _, i := range p.Indicators {
			for _, o := range i.Origins {
				if o.Source == "git" && sameRepository(o.URL, p.Repo) && o.Commit == "" {
					t.Errorf("%s %s: %s without a commit", p.ID, i.ID, o.URL)
				}
			}
		}
	}
}

// The scores of a recording are those of the day it was made for; on a day long after, what was read has expired.
func TestARecordingIsJudgedOnItsOwnDayAndExpires(t *testing.T) {
	day := scoredCorpus(t, "etcd")[0]
	if day.At.IsZero() || day.At.After(time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("judged as of %s", day.At)
	}
	rows, err := Score(context.Background(), []string{"etcd"}, false, Options{
		Version: "test", Now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), At: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), Offline: true, Evidence: []string{corpusDir}, CacheDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, a := range rows[0].Aspects {
		if a.Low > day.Aspects[n].Low || a.Coverage > day.Aspects[n].Coverage {
			t.Errorf("%s: %d known of expired evidence, %d of fresh", a.Aspect, a.Coverage, day.Aspects[n].Coverage)
		}
	}
	fresh, expired := tellable(day), tellable(rows[0])
	if expired >= fresh {
		t.Errorf("%d answers of expired evidence, %d of fresh", expired, fresh)
	}
}

func tellable(p reports.Project) int {
	n := 0
	for _, i := range p.Indicators {
		if i.Outcome.Decided() {
			n++
		}
	}
	return n
}

func BenchmarkScoreTheCatalogue(b *testing.B) {
	for b.Loop() {
		scoredCorpus(b)
	}
}
