package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// today is when tests assess.
func today() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// ago is so many days before.
func ago(days int) time.Time { return today().AddDate(0, 0, -days) }

// stand is a collector before a fake GitHub, with a clock that only moves when somebody waits.
type stand struct {
	*Collector
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
	kept  bytes.Buffer // what a bundle would hold
}

// newStand makes one; adjust may change the options.
func newStand(t testing.TB, g *forgetest.GitHub, tokens []string, adjust func(*Options)) *stand {
	t.Helper()
	s := &stand{now: today()}
	clock := func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now }
	g.Now = clock
	redacting := scoring.Redacting{Next: g.Transport(), Names: scoring.NewPseudonymiser([]byte("key")), Now: clock}
	o := Options{
		Client: &http.Client{Transport: keeping{redacting, s}}, At: today(), Now: clock,
		Tokens: func(string) []string { return tokens },
		Wait: func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.now = s.now.Add(d)
			s.waits = append(s.waits, d)
			return ctx.Err()
		},
	}
	if adjust != nil {
		adjust(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Collector = c
	return s
}

// keeping notes what a transport hands over after redaction.
type keeping struct {
	next http.RoundTripper
	s    *stand
}

func (k keeping) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	k.s.mu.Lock()
	k.s.kept.Write(body)
	k.s.mu.Unlock()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func project(name string) scoring.Project {
	return scoring.Project{ID: name, Repo: "https://github.com/" + name}
}

// collect asks for one project.
func (s *stand) collect(t testing.TB, name string) scoring.Evidence {
	t.Helper()
	e, err := s.Collect(context.Background(), project(name), scoring.Evidence{Project: name})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// is holds that a fact is known and has a value.
func is[T comparable](t *testing.T, what string, f audit.Fact[T], want T) {
	t.Helper()
	if got, ok := f.Get(); !ok || got != want {
		t.Errorf("%s = %v (known: %v, %q), want %v", what, got, ok, f.Failure, want)
	}
}

// unknown holds that a fact was looked for in vain, with a reason.
func unknown[T any](t *testing.T, what string, f audit.Fact[T], reason string) {
	t.Helper()
	if f.Unknown() != audit.DNF || !strings.Contains(f.Failure, reason) {
		v, _ := f.Get()
		t.Errorf("%s: value %v, reason %q; want unknown because %q", what, v, f.Failure, reason)
	}
}

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

var (
	ada    = forgetest.Who{Login: "Ada"}
	bob    = forgetest.Who{Login: "bob"}
	cleo   = forgetest.Who{Login: "cleo"}
	ghost  = forgetest.Who{}
	robot  = forgetest.Who{Login: "merge-train", Bot: true}
	listed = forgetest.Who{Login: "k8s-ci-robot"}
)

// rich is a repository with something of everything.
func rich() *forgetest.Repo {
	two := 2
	return &forgetest.Repo{
		Owner: "example", Name: "rich", Organisation: true, Created: ago(2000), Stars: 120, Forks: 30, SecurityPolicy: true, Licence: "Apache-2.0",
		CodeOfConduct: "contributor_covenant", Sponsors: []string{"https://example.org/give"}, Labels: []string{"bug", "Good First Issue", "area/help-wanted"},
		Branch: "main", Classic: &forgetest.Classic{Approvals: &two, Checks: []string{"build"}},
		Rules: []forgetest.Rule{{Type: "NON_FAST_FORWARD"}, {Type: "PULL_REQUEST", Approvals: 1}},
		Releases: []forgetest.Release{
			{Tag: "v1.1.0", At: ago(20), Files: []string{"rich.tar.gz", "rich.tar.gz.asc", "rich.spdx.json", "SHA256SUMS", "multiple.intoto.jsonl"}},
			{Tag: "v1.1.0-rc1", At: ago(30), Prerelease: true},
		},
		Pulls: []forgetest.Pull{
			{Created: ago(10), Merged: ago(8), Author: ada, MergedBy: bob, Approvals: []forgetest.Who{bob, cleo, robot}, Checks: "SUCCESS", Remarks: []forgetest.Remark{{At: ago(9), By: bob, Review: true}}},
			{Created: ago(20), Merged: ago(20), Author: bob, MergedBy: bob, Approvals: []forgetest.Who{robot, bob, listed}, Checks: "FAILURE", Remarks: []forgetest.Remark{{At: ago(20), By: bob}, {At: ago(19), By: robot}}},
			{Created: ago(30), Merged: ago(29), Author: robot, MergedBy: ada, Approvals: []forgetest.Who{ada}, Checks: "SUCCESS"},
			{Created: ago(150), Merged: ago(140), Author: cleo, MergedBy: listed, Approvals: []forgetest.Who{ada}},
			{Created: ago(400), Closed: ago(300), Author: cleo},
			{Created: ago(40), Author: cleo},
		},
		Issues: []forgetest.Issue{
			{Created: ago(5), Author: cleo, Comments: []forgetest.Remark{{At: ago(5), By: robot}, {At: ago(5), By: cleo}, {At: ago(3), By: ada}}},
			{Created: ago(6), Author: bob, Comments: []forgetest.Remark{{At: ago(5), By: bob}}},
			{Created: ago(7), Author: robot, Comments: []forgetest.Remark{{At: ago(6), By: bob}}},
			{Created: ago(700), Closed: ago(100), Author: ada},
			{Created: ago(100), Closed: ago(50), Author: ada},
		},
		Runs: []forgetest.Run{{Conclusion: "success", Event: "push", Created: ago(1)}, {Conclusion: "failure", Event: "schedule", Created: ago(2)}, {Conclusion: "skipped", Event: "push", Created: ago(3)}, {Conclusion: "success", Event: "pull_request", Created: ago(4)}, {Conclusion: "success", Event: "push", Created: ago(5)}},
	}
}

func TestGitHubTellsWhatItKnowsOfARepository(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, nil)
	e := s.collect(t, "example/rich")
	home, ok := e.Home.Get()
	if !ok {
		t.Fatalf("home is unknown: %s", e.Home.Failure)
	}
	if home.Forge != "github" || home.Name != "example/rich" {
		t.Errorf("home is %s at %s", home.Name, home.Forge)
	}
	is(t, "archived", home.Archived, false)
	is(t, "mirror", home.MirrorOf, "")
	is(t, "fork", home.Fork, false)
	is(t, "created", home.Created, ago(2000))
	is(t, "branch", home.DefaultBranch, "main")
	is(t, "licence", home.Licence, "Apache-2.0")
	is(t, "owner", home.OwnerKind, "organisation")
	is(t, "stars", home.Stars, 120)
	is(t, "forks", home.Forks, 30)
	is(t, "code of conduct", home.CodeOfConduct, true)
	is(t, "security", home.Security, true)
	is(t, "newcomers", home.Newcomers, 2)
	is(t, "funding", home.Funding, 1)
	releases, _ := home.Releases.Get()
	if got := fmt.Sprint(releases[0].Assets); len(releases) != 2 || got != "map[checksum:1 other:1 provenance:1 sbom:1 signature:1]" || !releases[1].Prerelease {
		t.Errorf("releases are %v", releases)
	}
	rules, _ := e.Rules.Get()
	is(t, "force push", rules.ForcePush, false)
	is(t, "review required", rules.ReviewRequired, true)
	is(t, "checks required", rules.ChecksRequired, true)
	runs, _ := e.Runs.Get()
	if runs.Sample != 3 || runs.Succeeded != 2 || !runs.Whole || runs.Where != "main" {
		t.Errorf("runs are %+v", runs)
	}
	is(t, "days of runs", runs.Days, 90)
}

func TestGitHubChangesAreCountedOverWindowsAndSampled(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, nil)
	changes, _ := s.collect(t, "example/rich").Changes.Get()
	is(t, "open", changes.Open, 1)
	if len(changes.Windows) != 4 {
		t.Fatalf("windows are %+v, want all four: the list was read to its end", changes.Windows)
	}
	for i, want := range []struct{ opened, merged, closed, sample, reviewed, self, approvers, mergers int }{
		{4, 3, 3, 2, 1, 1, 2, 1}, {5, 4, 4, 3, 2, 1, 3, 1}, {5, 4, 5, 3, 2, 1, 3, 1}, {6, 4, 5, 3, 2, 1, 3, 1},
	} {
		w := changes.Windows[i]
		name := fmt.Sprintf("%d months: ", w.Months)
		is(t, name+"opened", w.Opened, want.opened)
		is(t, name+"merged", w.Merged, want.merged)
		is(t, name+"closed", w.Closed, want.closed)
		if w.Sample != want.sample || !w.Whole {
			t.Errorf("%ssample of %d (whole: %v), want all %d", name, w.Sample, w.Whole, want.sample)
		}
		is(t, name+"reviewed", w.Reviewed, want.reviewed)
		is(t, name+"self-merged", w.SelfMerged, want.self)
		is(t, name+"gated", w.Gated, 1)
		is(t, name+"approvers", w.Approvers, want.approvers)
		is(t, name+"mergers", w.Mergers, want.mergers)
		unknown(t, name+"organisation", w.TopApproverOrgLowBP, "no organisations")
	}
	w := changes.Windows[0]
	is(t, "answered", w.Answered, 1) // a merge by the author himself is no answer
	is(t, "unanswered", w.Unanswered, 2)
	is(t, "first response", w.FirstResponse, int64(24*3600))
}

func TestGitHubIssuesAreCountedAndSampled(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, nil)
	issues, _ := s.collect(t, "example/rich").Issues.Get()
	is(t, "public", issues.Public, true)
	is(t, "open", issues.Open, 3)
	is(t, "opened", issues.Opened12m, 4)
	is(t, "closed", issues.Closed12m, 2)
	is(t, "median age", issues.MedianAge, int64(6*24*3600))
	is(t, "answered", issues.Answered, 1)
	is(t, "unanswered", issues.Unanswered, 1)
	is(t, "first response", issues.FirstResponse, int64(2*24*3600))
	if issues.Sample != 2 || !issues.Whole {
		t.Errorf("sample of %d (whole: %v), want both issues of people", issues.Sample, issues.Whole)
	}
}

func TestEveryKnownFactOfGitHubHasOriginGradeAndLifetime(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich()), []string{"token"}, nil)
	raw, err := json.Marshal(s.collect(t, "example/rich"))
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	if n := checkFacts(t, "", tree); n < 50 {
		t.Errorf("only %d known facts were found", n)
	}
}

// checkFacts walks over evidence and counts known facts.
func checkFacts(t *testing.T, path string, v any) (known int) {
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			known += checkFacts(t, fmt.Sprintf("%s[%d]", path, i), one)
		}
	case map[string]any:
		if _, ok := v["value"]; ok {
			known++
			origins, _ := v["origins"].([]any)
			if len(origins) == 0 || v["grade"] != "B" || v["lifetime"] != "month" || v["observed_at"] == nil {
				t.Errorf("%s lacks origin, grade, moment or lifetime", path)
			} else if o := origins[0].(map[string]any); o["url"] == nil || o["digest"] == nil || o["at"] == nil {
				t.Errorf("%s has the origin %v", path, o)
			}
		}
		for key, one := range v {
			known += checkFacts(t, path+"."+key, one)
		}
	}
	return known
}

func TestNothingKeptOfGitHubNamesAnybody(t *testing.T) {
	s := newStand(t, forgetest.NewGitHub(t, rich(), &forgetest.Repo{Owner: "example", Name: "broken", Branch: "main", Broken: []string{"labels"}}), []string{"canary-token"}, nil)
	evidence := ""
	for _, name := range []string{"example/rich", "example/broken", "example/none"} {
		raw, err := json.Marshal(s.collect(t, name))
		if err != nil {
			t.Fatal(err)
		}
		evidence += string(raw)
	}
	for _, kept := range []string{evidence, s.kept.String()} {
		for _, secret := range []string{"Ada", "ada", "bob", "cleo", "example.org/", forgetest.Secret(), "@example.org", "canary-token"} {
			if i := strings.Index(kept, secret); i >= 0 {
				t.Errorf("what is kept holds %q: ...%s...", secret, kept[max(0, i-60):min(len(kept), i+60)])
			}
		}
	}
	if !strings.Contains(s.kept.String(), `"p1"`) || !strings.Contains(s.kept.String(), "bot:merge-train") {
		t.Error("the kept answers number no people, or name no machines: nothing was checked")
	}
}
