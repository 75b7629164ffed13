package forge

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// times repeats an account.
func times(n int, w forgetest.Who) []forgetest.Who {
	all := make([]forgetest.Who, n)
	for i := range all {
		all[i] = w
	}
	return all
}

func TestASampleOfMergesHasNoGapsThoughGitHubSortsByTheLastTouch(t *testing.T) {
	r := busy("sampled", 40)
	r.Pulls = append(r.Pulls, forgetest.Pull{Created: ago(301), Merged: ago(300), Updated: ago(0), Author: ada, MergedBy: ada})
	changes, _ := newStand(t, forgetest.NewGitHub(t, r), []string{"token"}, nil).collect(t, "example/sampled").Changes.Get()
	w := changes.Windows[2]
	if w.Sample != mergedSample-1 || w.Whole {
		t.Errorf("the sample is %d (whole: %v), want the newest %d: an old merge that somebody touched today is none of them", w.Sample, w.Whole, mergedSample-1)
	}
	is(t, "reviewed", w.Reviewed, mergedSample-1)
}

func TestWhatWasNotReadToItsEndCountsNeitherWay(t *testing.T) {
	said := make([]forgetest.Remark, 0, remarkLimit+1)
	for range remarkLimit {
		said = append(said, forgetest.Remark{At: ago(4), By: ada})
	}
	r := &forgetest.Repo{
		Owner: "example", Name: "long", Branch: "main", Labels: make([]string, labelLimit+50),
		Pulls: []forgetest.Pull{
			{Created: ago(5), Merged: ago(4), Author: ada, MergedBy: ada, Approvals: append(times(approvalLimit, robot), bob)},
			{Created: ago(6), Merged: ago(5), Author: ada, MergedBy: bob, Approvals: []forgetest.Who{bob}},
		},
		Issues: []forgetest.Issue{{Created: ago(5), Author: ada, Comments: append(said, forgetest.Remark{At: ago(3), By: bob})}, {Created: ago(6), Author: ada}},
	}
	e := newStand(t, forgetest.NewGitHub(t, r), []string{"token"}, nil).collect(t, "example/long")
	changes, _ := e.Changes.Get()
	if w := changes.Windows[0]; w.Sample != 1 || w.Whole {
		t.Errorf("the sample is %d (whole: %v), want 1 and not whole: the eleventh approval was not read", w.Sample, w.Whole)
	}
	is(t, "reviewed", changes.Windows[0].Reviewed, 1)
	issues, _ := e.Issues.Get()
	is(t, "answered", issues.Answered, 0)
	is(t, "unanswered", issues.Unanswered, 1)
	home, _ := e.Home.Get()
	unknown(t, "newcomers", home.Newcomers, "there are more")
	open := tally{total: 10, created: []int64{1, 2}}
	if age, ok := open.medianAge(today()); ok {
		t.Errorf("of two of ten open issues the median age is %d", age)
	}
}

func TestAnAnswerAfterTheAssessmentIsNone(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, func(o *Options) { o.At = ago(4) })
	issues, _ := s.collect(t, "example/rich").Issues.Get()
	is(t, "answered", issues.Answered, 0)
	is(t, "unanswered", issues.Unanswered, 2)
}

func TestAMergeWhoseAuthorWasDeletedIsNotCalledSelfMerged(t *testing.T) {
	r := &forgetest.Repo{Owner: "example", Name: "ghosts", Branch: "main", Pulls: []forgetest.Pull{{Created: ago(5), Merged: ago(4), Author: ghost, MergedBy: ghost}}}
	changes, _ := newStand(t, forgetest.NewGitHub(t, r), []string{"token"}, nil).collect(t, "example/ghosts").Changes.Get()
	unknown(t, "self-merged", changes.Windows[0].SelfMerged, "does not say who")
	is(t, "reviewed", changes.Windows[0].Reviewed, 0)
}

func TestNumbersOfPeopleDifferFromProjectToProject(t *testing.T) {
	one := func(name string) *forgetest.Repo {
		return &forgetest.Repo{Owner: "example", Name: name, Branch: "main", Issues: []forgetest.Issue{{Created: ago(5), Author: ada}}}
	}
	s := newStand(t, forgetest.NewGitHub(t, one("a"), one("b")), []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), []scoring.Project{project("example/a"), project("example/b")}); err != nil {
		t.Fatal(err)
	}
	if kept := s.kept.String(); !strings.Contains(kept, `"p1"`) || !strings.Contains(kept, `"p2"`) {
		t.Error("what is kept shows that one person works on both projects")
	}
}

func TestPrivateReportsAreKnownOnlyIfGitHubSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		said   string
		broken []string
		want   string // empty: known
		value  bool
	}{
		"yes": {`{"enabled":true}`, nil, "", true}, "no": {`{"enabled":false}`, nil, "", false},
		"nothing": {`{}`, nil, "did not answer", false}, "no, but the policy is unknown": {`{"enabled":false}`, []string{"isSecurityPolicyEnabled"}, "did not answer", false},
	} {
		g := forgetest.NewGitHub(t, &forgetest.Repo{Owner: "example", Name: "x", Branch: "main", Broken: c.broken})
		g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			return strings.HasSuffix(r.URL.Path, "/private-vulnerability-reporting") && say(w, 200, c.said)
		}
		home, _ := newStand(t, g, []string{"token"}, nil).collect(t, "example/x").Home.Get()
		if c.want == "" {
			is(t, name, home.Security, c.value)
		} else {
			unknown(t, name, home.Security, c.want)
		}
	}
}

func TestAMovedRepositoryIsNotAskedByItsOldName(t *testing.T) {
	r := rich()
	r.MovedFrom = "old/place"
	g := forgetest.NewGitHub(t, r)
	newStand(t, g, []string{"token"}, nil).collect(t, "old/place")
	if n := g.Counts().REST; n != 1 {
		t.Errorf("%d calls were made, want 1: the new name is known from the query", n)
	}
}

func TestBudgetsAreCountedByThePoolAndNotByTheLibrary(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	s := newStand(t, g, []string{"first", "second"}, func(o *Options) { o.At = today() })
	s.now = time.Now().UTC() // go-github reads the wall clock
	g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !isGraph(r) && r.Header.Get("Authorization") == "Bearer first" {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		}
		return false
	}
	for range 2 {
		if e := s.collect(t, "example/rich"); e.Runs.Value == nil {
			t.Errorf("runs are unknown though a token has budget: %s", e.Runs.Failure)
		}
	}
	if tokens := strings.Join(g.Counts().Tokens, " "); tokens != "first first second" {
		t.Errorf("the tokens used were %s, want first (query), first (call), second (call)", tokens)
	}
}

func TestABudgetThatEndsInDaysIsAMistake(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	g.Before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(today().AddDate(9, 0, 0).Unix(), 10))
		return false
	}
	s := newStand(t, g, []string{"token"}, nil)
	for range 2 {
		if e := s.collect(t, "example/rich"); e.Runs.Value == nil {
			t.Errorf("runs are unknown: %s", e.Runs.Failure)
		}
	}
}

func TestTheSameQuestionsAreAskedAllDayInWhateverOrderProjectsCome(t *testing.T) {
	asked := func(at time.Time, projects ...scoring.Project) string {
		g := forgetest.NewGitHub(t)
		var all []string
		g.Before = func(_ http.ResponseWriter, _ *http.Request, body []byte) bool {
			all = append(all, string(body))
			return false
		}
		s := newStand(t, g, []string{"token"}, func(o *Options) { o.At = at })
		if err := s.Prefetch(context.Background(), projects); err != nil {
			t.Fatal(err)
		}
		return strings.Join(all, "\n")
	}
	a, b := project("example/a"), project("example/b")
	first := asked(today(), a, b)
	if first == "" || first != asked(today().Add(3*time.Hour), b, a, b) {
		t.Error("a second run asks otherwise: what the first one kept cannot answer it")
	}
}

func TestTroubleInsideAFieldIsTroubleOfIt(t *testing.T) {
	r := troubles{"merged.nodes.reviews": "timeout"}
	for name, want := range map[string]bool{"merged": true, "merged.nodes.reviews.nodes": true, "mergedBy": false, "opened": false} {
		if _, ok := r.of(name); ok != want {
			t.Errorf("trouble of %q: %v, want %v", name, ok, want)
		}
	}
	if _, ok := r.of("merged", "reviews"); ok {
		t.Error("an exception is none")
	}
}
