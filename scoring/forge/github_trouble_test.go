package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// isGraph says that a request is a query.
func isGraph(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/graphql") }

// say answers with a status, headers and a body.
func say(w http.ResponseWriter, status int, body string, headers ...string) bool {
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
	return true
}

// nothingKnown holds that every fact was looked for in vain, for a reason.
func nothingKnown(t *testing.T, e scoring.Evidence, reason string) {
	t.Helper()
	unknown(t, "home", e.Home, reason)
	unknown(t, "changes", e.Changes, reason)
	unknown(t, "issues", e.Issues, reason)
	unknown(t, "rules", e.Rules, reason)
	unknown(t, "runs", e.Runs, reason)
	if e.Home.Settle == "" {
		t.Error("nothing says what would settle it")
	}
}

func TestAnswersThatAreNoneLeaveEveryFactUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w http.ResponseWriter, r *http.Request, body []byte) bool
		reason string
	}{
		"garbage": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 200, "\x00\xffnonsense") }, "the answer is no JSON"},
		"a page to log in": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			return say(w, 200, "<html>Ada, log in</html>")
		}, "the answer is no JSON"},
		"nothing":         {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 200, "") }, "the answer is no JSON"},
		"an empty object": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 200, "{}") }, "no data"},
		"no data":         {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 200, `{"data":{"r0":{}}}`) }, "names no repository"},
		"another shape": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			return say(w, 200, `{"data":{"r0":{"nameWithOwner":"a/b","stargazerCount":"many"}}}`)
		}, "another shape"},
		"a list": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 200, `[1,2]`) }, "another shape"},
		"null": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			return say(w, 200, `{"data":{"r0":null}}`)
		}, "did not answer"},
		"a prohibition": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			return say(w, 403, `{"message":"Ada may not"}`)
		}, "status 403"},
		"a legal block": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { return say(w, 451, `{}`) }, "status 451"},
		"an error that ends": {func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			return say(w, 200, `{"errors":[{"message":"Ada broke it"}]}`)
		}, "no data"},
	} {
		t.Run(name, func(t *testing.T) {
			g := forgetest.NewGitHub(t, rich())
			g.Before = c.before
			e := newStand(t, g, []string{"token"}, nil).collect(t, "example/rich")
			nothingKnown(t, e, c.reason)
			if raw, _ := json.Marshal(e); strings.Contains(string(raw), "Ada") {
				t.Error("a reason repeats what the answer said")
			}
		})
	}
}

func TestARepositoryThatIsNotThereIsUnknownAndSpoilsNoBatch(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), []scoring.Project{project("example/none"), project("example/rich")}); err != nil {
		t.Fatal(err)
	}
	nothingKnown(t, s.collect(t, "example/none"), "shows no such repository")
	if e := s.collect(t, "example/rich"); e.Home.Unknown() != audit.PASS {
		t.Errorf("its neighbour in the batch is unknown: %s", e.Home.Failure)
	}
	if n := g.Counts().Queries; n != 1 {
		t.Errorf("%d queries were sent, want 1", n)
	}
}

func TestAMovedRepositoryIsKnownByItsNewName(t *testing.T) {
	r := rich()
	r.MovedFrom, r.CodeOfConduct, r.OtherConduct = "old/place", "", true
	g := forgetest.NewGitHub(t, r)
	for _, tokens := range [][]string{{"token"}, nil} { // by GraphQL, and by a redirect of REST
		e := newStand(t, g, tokens, nil).collect(t, "old/place")
		home, ok := e.Home.Get()
		if !ok || home.Name != "example/rich" {
			t.Errorf("with tokens %v home is %q: %s", tokens, home.Name, e.Home.Failure)
		}
		if tokens != nil {
			is(t, "code of conduct", home.CodeOfConduct, true)
		}
	}
}

func TestABrokenFieldIsUnknownAndItsNeighboursAreNot(t *testing.T) {
	r := rich()
	r.Broken = []string{"labels", "codeOfConduct", "fundingLinks", "stargazerCount", "defaultBranchRef", "isSecurityPolicyEnabled"}
	home, ok := newStand(t, forgetest.NewGitHub(t, r), []string{"token"}, nil).collect(t, "example/rich").Home.Get()
	if !ok {
		t.Fatal("home is unknown")
	}
	unknown(t, "newcomers", home.Newcomers, "did not answer")
	unknown(t, "funding", home.Funding, "did not answer")
	unknown(t, "stars", home.Stars, "did not answer")
	unknown(t, "branch", home.DefaultBranch, "did not answer")
	unknown(t, "security", home.Security, "private reports")
	is(t, "forks", home.Forks, 30)
	is(t, "code of conduct, asked once more", home.CodeOfConduct, true)
}

func TestAnEmptyRepositoryHasNoZeroThatShouldBeUnknown(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, &forgetest.Repo{Owner: "example", Name: "bare", IssuesOff: true}), []string{"token"}, nil)
	e := s.collect(t, "example/bare")
	home, _ := e.Home.Get()
	unknown(t, "licence", home.Licence, "detected no licence")
	unknown(t, "branch", home.DefaultBranch, "empty")
	unknown(t, "security", home.Security, "status 404")
	is(t, "code of conduct", home.CodeOfConduct, false)
	is(t, "newcomers", home.Newcomers, 0)
	unknown(t, "rules", e.Rules, "empty")
	unknown(t, "runs", e.Runs, "no default branch")
	unknown(t, "issues", e.Issues, "switched issues off")
	changes, _ := e.Changes.Get()
	w := changes.Windows[0]
	is(t, "merged", w.Merged, 0)
	is(t, "reviewed", w.Reviewed, 0)
	unknown(t, "first response", w.FirstResponse, "no changes of people")
	if !w.Whole || w.Sample != 0 {
		t.Errorf("the sample is %d (whole: %v), want none of none", w.Sample, w.Whole)
	}
}

func TestBranchesWithoutPublicRulesAreUnknownNotUnprotected(t *testing.T) {
	r := rich()
	r.Classic, r.Rules = nil, []forgetest.Rule{{Type: "DELETION"}}
	rules, _ := newStand(t, forgetest.NewGitHub(t, r), []string{"token"}, nil).collect(t, "example/rich").Rules.Get()
	unknown(t, "force push", rules.ForcePush, "classic branch protection")
	unknown(t, "review", rules.ReviewRequired, "classic branch protection")
	unknown(t, "checks", rules.ChecksRequired, "classic branch protection")
}

func TestThePastIsNotToldByThePresent(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, func(o *Options) { o.At = ago(200) })
	e := s.collect(t, "example/rich")
	home, _ := e.Home.Get()
	unknown(t, "archived", home.Archived, "not how it was on 2026-05-08")
	unknown(t, "stars", home.Stars, "not how it was")
	unknown(t, "rules", e.Rules, "not how it was")
	is(t, "created", home.Created, ago(2000))
	issues, _ := e.Issues.Get()
	unknown(t, "open issues", issues.Open, "not how it was")
	unknown(t, "median age", issues.MedianAge, "not how it was")
	is(t, "opened before", issues.Opened12m, 0)
	changes, _ := e.Changes.Get()
	is(t, "closed before", changes.Windows[2].Closed, 1)
	is(t, "merged before", changes.Windows[2].Merged, 0)
}

func TestListsThatAreTooLongAreNotCounted(t *testing.T) {
	tall := tally{}
	page := graphList[dated]{Nodes: []*dated{{CreatedAt: ago(1), UpdatedAt: ago(1)}}}
	page.PageInfo.HasNextPage, page.PageInfo.EndCursor = true, "next"
	for range maxPages {
		if tall.enough {
			t.Fatal("ended early")
		}
		tall.add(listChanges, page, today())
	}
	if !tall.enough || tall.trouble == "" || tall.covers(today(), 3) {
		t.Errorf("after %d pages the list goes on: %+v", maxPages, tall)
	}
	many := 5000
	page.TotalCount = &many
	open := tally{}
	open.add(listOpen, page, today())
	if !open.enough || !strings.Contains(open.trouble, "5000 issues are open") {
		t.Errorf("a list of 5,000 open issues is read: %+v", open)
	}
}

func TestAWindowIsCountedOnlyAsFarAsItWasRead(t *testing.T) {
	g := forgetest.NewGitHub(t, busy("long", 350))
	pages := 0
	g.Before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if isGraph(r) && strings.Contains(string(body), "query pages") {
			if pages++; pages > 1 {
				return say(w, 400, "{}")
			}
		}
		return false
	}
	changes, _ := newStand(t, g, []string{"token"}, nil).collect(t, "example/long").Changes.Get()
	is(t, "merged in 3 months", changes.Windows[0].Merged, 92)
	is(t, "merged in 6 months", changes.Windows[1].Merged, 183)
	unknown(t, "merged in 12 months", changes.Windows[2].Merged, "status 400")
	unknown(t, "opened in 12 months", changes.Windows[2].Opened, "status 400")
	if w := changes.Windows[0]; w.Whole || w.Sample != mergedSample-1 && w.Sample != mergedSample {
		t.Errorf("the sample is %d (whole: %v), want the newest %d", w.Sample, w.Whole, mergedSample)
	}
	if len(changes.Windows) != 3 {
		t.Errorf("%d windows, want 3: nobody read back 24 months", len(changes.Windows))
	}
}

func TestA502HalvesTheBatch(t *testing.T) {
	var repos []*forgetest.Repo
	var projects []scoring.Project
	for i := range 25 {
		r := busy(fmt.Sprintf("r%d", i), 2)
		repos, projects = append(repos, r), append(projects, project("example/"+r.Name))
	}
	g := forgetest.NewGitHub(t, repos...)
	var sizes []int
	g.Before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		n := strings.Count(string(body), ": repository(")
		sizes = append(sizes, n)
		return isGraph(r) && n > 7 && say(w, 502, "<html>Unicorn!</html>")
	}
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	if want := []int{25, 13, 7, 6, 12, 6, 6}; !slices.Equal(sizes, want) {
		t.Errorf("batches of %v were asked for, want %v", sizes, want)
	}
	for _, p := range projects {
		if e := s.collect(t, p.ID); e.Home.Value == nil {
			t.Errorf("%s: %s", p.ID, e.Home.Failure)
		}
	}
}

func TestAQueryThatTimesOutInsideAnAnswerIsHalvedToo(t *testing.T) {
	g := forgetest.NewGitHub(t, busy("a", 2), busy("b", 2))
	g.Before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		return strings.Contains(string(body), "r1: repository(") && say(w, 200, `{"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout."}]}`)
	}
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), []scoring.Project{project("example/a"), project("example/b")}); err != nil {
		t.Fatal(err)
	}
	if e := s.collect(t, "example/b"); e.Home.Value == nil {
		t.Errorf("home is unknown: %s", e.Home.Failure)
	}
}

func TestAServiceThatIsDownIsNotAskedForever(t *testing.T) {
	var projects []scoring.Project
	for i := range 500 {
		projects = append(projects, project(fmt.Sprintf("example/r%d", i)))
	}
	g := forgetest.NewGitHub(t)
	asked := 0
	g.Before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool { asked++; return say(w, 502, "") }
	s := newStand(t, g, []string{"token"}, nil)
	if err := s.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	if asked > 12 {
		t.Errorf("a service that answers nothing but 502 was asked %d times", asked)
	}
	nothingKnown(t, s.collect(t, "example/r499"), "failed 3 times in a row")
}

func TestASpentTokenGivesWayToTheNextAndThenNothingIsAsked(t *testing.T) {
	var repos []*forgetest.Repo
	var projects []scoring.Project
	for i := range 100 {
		r := busy(fmt.Sprintf("r%02d", i), 2)
		repos, projects = append(repos, r), append(projects, project("example/"+r.Name))
	}
	g := forgetest.NewGitHub(t, repos...)
	g.Limit, g.Reset = 30, today().Add(40*time.Minute) // one batch for each token
	s := newStand(t, g, []string{"first", "second"}, nil)
	if err := s.Prefetch(context.Background(), projects); err != nil {
		t.Fatal(err)
	}
	if e := s.collect(t, "example/r30"); e.Home.Value == nil {
		t.Errorf("the second token was not used: %s", e.Home.Failure)
	}
	e := s.collect(t, "example/r60")
	nothingKnown(t, e, "rate limit until 2026-11-24 12:40 UTC; run again to continue")
	if n := len(g.Counts().Tokens); n > 10 {
		t.Errorf("%d requests were sent; want the asking to stop once every token is spent", n)
	}
	if len(s.waits) != 0 {
		t.Errorf("it waited for %v, want no wait for a budget of an hour", s.waits)
	}
	for _, secret := range []string{"first", "second"} {
		if strings.Contains(fmt.Sprint(e), secret) {
			t.Error("a token is in the evidence")
		}
	}
	// The next run, an hour later, reads the rest.
	s.now = today().Add(time.Hour)
	later := newStand(t, g, []string{"first", "second"}, nil)
	later.now = today().Add(time.Hour)
	if e := later.collect(t, "example/r60"); e.Home.Value == nil {
		t.Errorf("after the reset: %s", e.Home.Failure)
	}
}

func TestARefusedTokenIsUsedNoMore(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		return r.Header.Get("Authorization") == "Bearer revoked" && say(w, 401, `{"message":"Bad credentials"}`)
	}
	s := newStand(t, g, []string{"revoked", "good"}, nil)
	if e := s.collect(t, "example/rich"); e.Home.Value == nil {
		t.Errorf("home is unknown: %s", e.Home.Failure)
	}
	if tokens := g.Counts().Tokens; slices.Index(tokens[1:], "revoked") >= 0 {
		t.Errorf("the tokens used were %v", tokens)
	}
	e := newStand(t, g, []string{"revoked"}, nil).collect(t, "example/rich")
	nothingKnown(t, e, "no token is accepted")
	if strings.Contains(fmt.Sprint(e), "revoked") {
		t.Error("a token is in the evidence")
	}
}

func TestASecondaryLimitIsWaitedForAsLongAsItAsks(t *testing.T) {
	const slow = `{"message":"You have exceeded a secondary rate limit, Ada.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
	for name, c := range map[string]struct {
		status  int
		body    string
		headers []string
		want    []time.Duration
	}{
		"seconds":           {403, slow, []string{"Retry-After", "17"}, []time.Duration{17 * time.Second}},
		"a date":            {429, "{}", []string{"Retry-After", today().Add(90 * time.Second).Format(http.TimeFormat)}, []time.Duration{90 * time.Second}},
		"no time":           {403, slow, nil, []time.Duration{time.Minute}},
		"429 without words": {429, "", nil, []time.Duration{time.Minute}},
		"within an answer":  {200, `{"errors":[{"message":"You have exceeded a secondary rate limit."}]}`, nil, []time.Duration{time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			g := forgetest.NewGitHub(t, rich())
			asked := 0
			g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				if !isGraph(r) {
					return false
				}
				asked++
				return asked == 1 && say(w, c.status, c.body, c.headers...)
			}
			s := newStand(t, g, []string{"token"}, nil)
			if e := s.collect(t, "example/rich"); e.Home.Value == nil {
				t.Errorf("home is unknown: %s", e.Home.Failure)
			}
			if !slices.Equal(s.waits, c.want) {
				t.Errorf("it waited for %v, want %v", s.waits, c.want)
			}
		})
	}
}

func TestALongSecondaryLimitEndsTheAsking(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	g.Before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		return say(w, 403, "{}", "Retry-After", "3600")
	}
	s := newStand(t, g, []string{"token"}, nil)
	nothingKnown(t, s.collect(t, "example/rich"), "rate limit until 2026-11-24 13:00 UTC")
	if len(s.waits) != 0 || len(g.Counts().Tokens) != 1 {
		t.Errorf("it waited %v and asked %d times", s.waits, len(g.Counts().Tokens))
	}
}

func TestAStumblingServiceIsAskedAgainAFewTimes(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	calls := 0
	g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if !strings.Contains(r.URL.Path, "/actions/runs") {
			return false
		}
		calls++
		return calls < 3 && say(w, 503, "")
	}
	s := newStand(t, g, []string{"token"}, nil)
	if e := s.collect(t, "example/rich"); e.Runs.Value == nil {
		t.Errorf("runs are unknown: %s", e.Runs.Failure)
	}
	calls = -1000
	if e := s.collect(t, "example/rich"); e.Runs.Value != nil || calls > -990 {
		t.Errorf("a service that is down was asked %d times", calls+1000)
	}
}

func TestATimeOutAndAHugeAnswerLeaveFactsUnknown(t *testing.T) {
	stop := make(chan struct{})
	g := forgetest.NewGitHub(t, rich())
	g.Before = func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return true
	}
	s := newStand(t, g, []string{"token"}, func(o *Options) { o.Client.Timeout = 50 * time.Millisecond })
	e := s.collect(t, "example/rich")
	close(stop)
	nothingKnown(t, e, "asking GitHub")

	g = forgetest.NewGitHub(t, rich()) // the first one may still be answering
	g.Before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		chunk := []byte(`"` + strings.Repeat("a", 1<<20) + `",`)
		_, _ = w.Write([]byte(`{"data":[`))
		for range 70 {
			_, _ = w.Write(chunk)
		}
		return true
	}
	nothingKnown(t, newStand(t, g, []string{"token"}, nil).collect(t, "example/rich"), "answered more than")
}

func TestTheEndOfTheContextIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := forgetest.NewGitHub(t, rich())
	g.Before = func(http.ResponseWriter, *http.Request, []byte) bool { cancel(); return false }
	s := newStand(t, g, []string{"token"}, nil)
	known := scoring.Evidence{Project: "x"}
	if e, err := s.Collect(ctx, project("example/rich"), known); !errors.Is(err, context.Canceled) || e.Home.Failure != "" {
		t.Errorf("got %v with home %+v, want the error of the context and nothing more", err, e.Home)
	}
}

func TestWithoutATokenOneCallTellsALittleAndTheRestSaysWhatATokenWouldSettle(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	g.Anonymous, g.Reset = 2, today().Add(30*time.Minute)
	s := newStand(t, g, nil, nil)
	if err := s.Prefetch(context.Background(), []scoring.Project{project("example/rich")}); err != nil {
		t.Fatal(err)
	}
	e := s.collect(t, "example/rich")
	home, _ := e.Home.Get()
	is(t, "archived", home.Archived, false)
	is(t, "mirror", home.MirrorOf, "")
	is(t, "stars", home.Stars, 120)
	is(t, "licence", home.Licence, "Apache-2.0")
	is(t, "owner", home.OwnerKind, "organisation")
	unknown(t, "code of conduct", home.CodeOfConduct, needsToken)
	unknown(t, "releases", home.Releases, needsToken)
	unknown(t, "changes", e.Changes, needsToken)
	unknown(t, "issues", e.Issues, needsToken)
	unknown(t, "rules", e.Rules, needsToken)
	if !strings.Contains(e.Changes.Settle, "give a token") {
		t.Errorf("what would settle it is %q", e.Changes.Settle)
	}
	if c := g.Counts(); c.REST != 1 || c.Queries != 0 {
		t.Errorf("it took %d calls and %d queries, want one call", c.REST, c.Queries)
	}
	s.collect(t, "example/none")
	nothingKnown(t, s.collect(t, "example/rich"), "rate limit until 2026-11-24 12:30 UTC")
}

func TestNobodyIsAskedWithoutAClientOrForOtherHosts(t *testing.T) {
	c, err := New(Options{At: today()})
	if err != nil {
		t.Fatal(err)
	}
	g := forgetest.NewGitHub(t, rich())
	s := newStand(t, g, []string{"token"}, nil)
	for _, repo := range []string{"https://code.example.org/a/b", "https://gitlab.com", "", "::", "https://github.com/only", "https://github.com/a/..", "https://github.com/a b/c", "https://github.com.example.org/a/b"} {
		for _, one := range []*Collector{c, s.Collector} {
			e, err := one.Collect(context.Background(), scoring.Project{Repo: repo}, scoring.Evidence{})
			if err != nil || e.Home.Unknown() != audit.MISS {
				t.Errorf("%q: %v, home %+v", repo, err, e.Home)
			}
		}
	}
	e, err := c.Collect(context.Background(), project("example/rich"), scoring.Evidence{})
	if err != nil || e.Home.Unknown() != audit.MISS {
		t.Errorf("without a client: %v, home %+v", err, e.Home)
	}
	if n := len(g.Counts().Tokens); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestWhatAnotherServiceAnsweredIsLeftAlone(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, nil)
	known := scoring.Evidence{Issues: audit.Known(scoring.Issues{Tracker: "launchpad"}), Runs: audit.Known(scoring.Runs{System: "zuul"})}
	e, err := s.Collect(context.Background(), project("example/rich"), known)
	if err != nil || e.Issues.Value.Tracker != "launchpad" || e.Runs.Value.System != "zuul" || e.Home.Value == nil {
		t.Errorf("got %v: %+v", err, e)
	}
}

func TestAnEnterpriseHostIsAskedAtItsOwnAddress(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	hosts := map[string]bool{}
	g.Before = func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		hosts[r.Host+r.URL.Path] = true
		return false
	}
	s := newStand(t, g, []string{"token"}, func(o *Options) { o.Services = map[string]string{"git.example.org": "github"} })
	e, err := s.Collect(context.Background(), scoring.Project{Repo: "https://git.example.org/example/rich.git"}, scoring.Evidence{})
	if err != nil || e.Home.Value == nil || e.Runs.Value == nil {
		t.Fatalf("got %v: %s", err, e.Home.Failure)
	}
	if !hosts["git.example.org/api/graphql"] || !hosts["git.example.org/api/v3/repos/example/rich/actions/runs"] || len(hosts) != 2 {
		t.Errorf("asked were %v", hosts)
	}
}

func TestATokenNeverGoesToAnotherHost(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	seen := map[string]string{}
	g.Before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		seen[r.Host] = r.Header.Get("Authorization")
		return r.Host == "api.github.com" && strings.Contains(r.URL.Path, "actions/runs") && say(w, 302, "", "Location", "https://elsewhere.example.org/runs")
	}
	newStand(t, g, []string{"token"}, nil).collect(t, "example/rich")
	if got, ok := seen["elsewhere.example.org"]; !ok || got != "" {
		t.Errorf("the other host was asked: %v, with %q", ok, got)
	}
}

func TestTokensThatCannotBeOnesAreRefusedWithoutRepeatingThem(t *testing.T) {
	for _, token := range []string{"", "two words", "line\nbreak", "ümlaut"} {
		e := newStand(t, forgetest.NewGitHub(t, rich()), []string{"good", token}, nil).collect(t, "example/rich")
		nothingKnown(t, e, "token 2 is empty or holds characters")
		if token != "" && strings.Contains(fmt.Sprint(e), token) {
			t.Error("a token is in the evidence")
		}
	}
}

// caching answers a request that may only be answered from what was kept.
type caching struct{ next http.RoundTripper }

func (c caching) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Cache-Control") == "only-if-cached" {
		return &http.Response{StatusCode: http.StatusGatewayTimeout, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	}
	return c.next.RoundTrip(req)
}

func TestOnceEverythingIsSpentOnlyACacheIsAsked(t *testing.T) {
	g := forgetest.NewGitHub(t, rich())
	g.Limit, g.Reset = 1, today().Add(time.Hour)
	only := 0
	s := newStand(t, g, []string{"token"}, func(o *Options) {
		o.Cached = true
		next := o.Client.Transport
		o.Client.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.Header.Get("Cache-Control") == "only-if-cached" {
				only++
			}
			return caching{next}.RoundTrip(req)
		})
	})
	s.collect(t, "example/rich")
	sent := len(g.Counts().Tokens)
	nothingKnown(t, s.collect(t, "example/none"), "rate limit until")
	if len(g.Counts().Tokens) != sent || only == 0 {
		t.Errorf("%d requests were sent and the cache was asked %d times", len(g.Counts().Tokens)-sent, only)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
