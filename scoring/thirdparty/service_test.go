package thirdparty_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// fake stands for all services: answers by path and query, in the form of the service. Its answers are our own; what they
// were built from stands beside each.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string // method, path and query to body
	status  map[string]int
	headers http.Header
	asked   []string
}

func newFake(t testing.TB, answers map[string]string) *fake {
	t.Helper()
	f := &fake{answers: answers, status: map[string]int{}, headers: http.Header{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	key := r.Method + " " + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		key += "?" + r.URL.RawQuery
	}
	if len(body) > 0 {
		key += " " + string(body)
	}
	f.asked = append(f.asked, key)
	if r.Header.Get("User-Agent") == "" || !strings.Contains(r.Header.Get("User-Agent"), "github.com/pegel-audit/pegel") {
		http.Error(w, "say who you are", http.StatusForbidden)
		return
	}
	answer, known := f.answers[key]
	for k, v := range f.headers {
		w.Header()[k] = v
	}
	switch {
	case f.status[key] != 0:
		w.WriteHeader(f.status[key])
		_, _ = io.WriteString(w, answer)
	case !known:
		http.Error(w, "<html>Erika Mustermann has no such page</html>", http.StatusNotFound)
	case strings.HasPrefix(answer, "/"):
		http.Redirect(w, r, answer, http.StatusFound)
	default:
		_, _ = io.WriteString(w, answer)
	}
}

// options reach the fake for every service, without a wait.
func (f *fake) options(services ...thirdparty.Service) thirdparty.Options {
	bases := map[thirdparty.Service]string{}
	for _, s := range thirdparty.Services() {
		bases[s] = f.URL
	}
	return thirdparty.Options{
		Client:   &http.Client{Transport: scoring.Redacting{Next: http.DefaultTransport, Names: scoring.NewPseudonymiser([]byte("key")), Now: func() time.Time { return today }}},
		Services: services, Bases: bases,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
}

// badgeAnswer has the shape of /projects.json of coreinfrastructure/best-practices-badge (docs/api.md, db/schema.rb).
const badgeAnswer = `[{"id": 7, "user_id": 12, "user_display_name": "Erika Mustermann", "name": "Example", "description": "text that is not kept",
	"homepage_url": "https://example.org", "repo_url": "https://git.example.org/team/example", "badge_level": "passing", "tiered_percentage": 140,
	"badge_percentage_0": 100, "badge_percentage_1": 40, "badge_percentage_2": 20, "badge_percentage_baseline_1": 100, "badge_percentage_baseline_2": 30,
	"badge_percentage_baseline_3": null, "updated_at": "2026-05-01T10:00:00.000Z"}]`

const badgePath = "GET /projects.json?url=https%3A%2F%2Fgit.example.org%2Fteam%2Fexample"

func TestABadge(t *testing.T) {
	e := collect(t, newFake(t, map[string]string{badgePath: badgeAnswer}).options(thirdparty.Badges), project(), scoring.Evidence{})
	want := scoring.Badge{Level: "passing", Percent: 140, Baseline: 1, Updated: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), Project: 7}
	if b, known := e.Badge.Get(); !known || b != want {
		t.Errorf("got %+v, want %+v", e.Badge, want)
	}
	if f := e.Badge; f.Grade != audit.GradeThirdParty || f.Lifetime != audit.Month || !f.ObservedAt.Equal(today) || len(f.Origins) != 1 || f.Origins[0].Digest != audit.DigestOf([]byte(badgeAnswer)) {
		t.Errorf("got %+v, want grade C for a month with the digest of the answer as it came", f)
	}
	private(t, e)
}

func TestALevelOfTheBaselineStandsInForABadge(t *testing.T) {
	answer := strings.Replace(strings.Replace(badgeAnswer, `"passing"`, `"in_progress"`, 1), `"badge_percentage_baseline_2": 30`, `"badge_percentage_baseline_2": 100`, 1)
	e := collect(t, newFake(t, map[string]string{badgePath: answer}).options(thirdparty.Badges), project(), scoring.Evidence{})
	if b, _ := e.Badge.Get(); b.Level != "baseline-2" || b.Baseline != 2 {
		t.Errorf("got %+v, want baseline-2", e.Badge)
	}
}

func TestAProjectThatTheBadgeProgrammeDoesNotListHasNone(t *testing.T) {
	for name, answer := range map[string]string{"an empty list": "[]", "another project": strings.ReplaceAll(badgeAnswer, "git.example.org", "git.example.com")} {
		e := collect(t, newFake(t, map[string]string{badgePath: answer}).options(thirdparty.Badges), project(), scoring.Evidence{})
		if b, known := e.Badge.Get(); !known || b != (scoring.Badge{}) {
			t.Errorf("%s: got %+v, want a known none", name, e.Badge)
		}
	}
}

// repologyAnswer has the shape of /api/v1/project/NAME (repology.org/api).
const repologyAnswer = `[
	{"repo": "debian_unstable", "srcname": "example", "visiblename": "example", "version": "9.3.0", "status": "newest", "maintainers": ["erika@example.org"], "summary": "text that is not kept"},
	{"repo": "ubuntu_24_04", "srcname": "example", "version": "9.3.0", "status": "newest"},
	{"repo": "fedora_42", "srcname": "example", "version": "9.2.0", "status": "outdated"},
	{"repo": "alpine_edge", "srcname": "example", "version": "9.3.0", "status": "newest"},
	{"repo": "gentoo", "srcname": "net/example", "version": "9999", "status": "rolling"},
	{"repo": "gentoo_ovl_science", "srcname": "net/example", "version": "9.3.0", "status": "newest"},
	{"repo": "nix_unstable", "version": "99", "status": "ignored"},
	{"repo": "pypi", "visiblename": "example", "version": "9.3.0", "status": "newest"},
	{"repo": "aur", "version": "9.3.0", "status": "newest"}]`

const repologyPath = "GET /tools/project-by?name=example&name_type=srcname&repo=pypi&target_page=api_v1_project"

func TestWhereDistributionsShipAProject(t *testing.T) {
	f := newFake(t, map[string]string{repologyPath: "/api/v1/project/python:example", "GET /api/v1/project/python:example": repologyAnswer})
	e := collect(t, f.options(thirdparty.Repology), project(), scoring.Evidence{})
	want := scoring.Packaging{Families: 4, Current: 2, Newest: "9.3.0", Project: "python:example"}
	if p, known := e.Packaging.Get(); !known || p != want {
		t.Errorf("got %+v, want %+v: Debian and Ubuntu are one family; overlays and registries none", e.Packaging, want)
	}
	private(t, e)
}

func TestThatRepologyDoesNotKnowANameProvesNothing(t *testing.T) {
	for name, answers := range map[string]map[string]string{"no such package": nil, "an empty project": {repologyPath: "[]"}} {
		e := collect(t, newFake(t, answers).options(thirdparty.Repology), project(), scoring.Evidence{})
		if e.Packaging.Unknown() != audit.DNF || e.Packaging.Settle == "" {
			t.Errorf("%s: got %+v, want DNF", name, e.Packaging)
		}
	}
	p := project()
	p.Packages = nil
	f := newFake(t, nil)
	if e := collect(t, f.options(thirdparty.Repology), p, scoring.Evidence{}); e.Packaging.Unknown() != audit.MISS || len(f.asked) != 0 {
		t.Errorf("without a package: got %+v after %d requests, want that nobody looked under a guessed name", e.Packaging, len(f.asked))
	}
	p.Links = []scoring.Link{{Subject: "pkg:deb/debian/example-bin@1", Confidence: "high"}, {Subject: "pkg:deb/debian/guess@1", Confidence: "low"}}
	_ = collect(t, f.options(thirdparty.Repology), p, scoring.Evidence{})
	if want := []string{"GET /tools/project-by?name=example-bin&name_type=binname&repo=debian_unstable&target_page=api_v1_project"}; !slices.Equal(f.asked, want) {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
}

// depsAnswers have the shapes of deps.dev/api/v3 and v3alpha: Package, Version, Dependents.
func depsAnswers() map[string]string {
	return map[string]string{
		"GET /v3/systems/PYPI/packages/example": `{"packageKey": {"system": "PYPI", "name": "example"}, "versions": [
			{"versionKey": {"system": "PYPI", "name": "example", "version": "9.3.0"}, "isDefault": true}, {"versionKey": {"version": "10.0.0rc1"}}]}`,
		"GET /v3alpha/systems/PYPI/packages/example/versions/9.3.0:dependents": `{"dependentCount": 42, "directDependentCount": 12, "indirectDependentCount": 31}`,
		"GET /v3/systems/PYPI/packages/example/versions/9.3.0": `{"versionKey": {"version": "9.3.0"}, "links": [{"label": "HOMEPAGE", "url": "https://example.org"},
			{"label": "SOURCE_REPO", "url": "git+https://git.example.org/team/Example.git"}], "relatedProjects": [{"projectKey": {"id": "git.example.org/team/issues"}, "relationType": "ISSUE_TRACKER"}]}`,
		"GET /v3/systems/NPM/packages/@example%2Fx/versions/1.0.0": `{"relatedProjects": [{"projectKey": {"id": "github.com/example/x"}, "relationProvenance": "UNVERIFIED_METADATA", "relationType": "SOURCE_REPO"}]}`,
	}
}

// ecosystemsAnswer has the shape of /api/v1/packages/lookup of packages.ecosyste.ms.
const ecosystemsAnswer = `[{"name": "example", "ecosystem": "pypi", "repository_url": "https://github.com/example/mirror", "dependent_packages_count": 17,
	"maintainers": [{"login": "erika", "email": "erika@example.org", "name": "Erika Mustermann"}], "description": "text that is not kept"}]`

const ecosystemsPath = "GET /api/v1/packages/lookup?purl=pkg%3Apypi%2Fexample"

func TestDependents(t *testing.T) {
	both := depsAnswers()
	both[ecosystemsPath] = ecosystemsAnswer
	for name, c := range map[string]struct {
		answers  map[string]string
		services []thirdparty.Service
		want     scoring.Dependents
	}{
		"deps.dev":                        {both, thirdparty.Services(), scoring.Dependents{Index: "api.deps.dev", Packages: 1, Count: 42}},
		"ecosyste.ms where it is alone":   {both, []thirdparty.Service{thirdparty.Ecosystems}, scoring.Dependents{Index: "packages.ecosyste.ms", Packages: 1, Count: 17}},
		"ecosyste.ms where it knows more": {map[string]string{ecosystemsPath: ecosystemsAnswer}, thirdparty.Services(), scoring.Dependents{Index: "packages.ecosyste.ms", Packages: 1, Count: 17}},
	} {
		e := collect(t, newFake(t, c.answers).options(c.services...), project(), scoring.Evidence{})
		if d, known := e.Dependents.Get(); !known || d != c.want {
			t.Errorf("%s: got %+v, want %+v", name, e.Dependents, c.want)
		}
		private(t, e)
	}
	if e := collect(t, newFake(t, nil).options(thirdparty.DepsDev), project(), scoring.Evidence{}); e.Dependents.Unknown() != audit.DNF {
		t.Errorf("a package that no index knows: got %+v, want DNF and never 0", e.Dependents)
	}
}

// scorecardResult has the shape of ScorecardResult in openapi.yaml of ossf/scorecard-webapp.
const scorecardResult = `{"date": "2026-06-22T00:00:00Z", "repo": {"name": "github.com/example/x", "commit": "1111111111111111111111111111111111111111"},
	"scorecard": {"version": "v5.5.0", "commit": "2222222222222222222222222222222222222222"}, "score": 6.4, "checks": [
	{"name": "Maintained", "score": 10, "reason": "30 commits", "details": ["Erika Mustermann wrote one"], "documentation": {"short": "s", "url": "https://example.org"}},
	{"name": "Code-Review", "score": 3, "reason": "3 of 10", "details": null}, {"name": "Signed-Releases", "score": -1, "reason": "no releases found"}]}`

func TestAPrecomputedScorecard(t *testing.T) {
	p := scoring.Project{ID: "x", Repo: "https://github.com/example/x"}
	e := collect(t, newFake(t, map[string]string{"GET /projects/github.com/example/x": scorecardResult}).options(thirdparty.Scorecard), p, scoring.Evidence{})
	c, known := e.Scorecard.Get()
	if !known || len(c.Results) != 2 || c.Results[0].Name != "Code-Review" || c.Skipped["Signed-Releases"] == "" || c.Commit[0] != '1' || c.Version != "v5.5.0" {
		t.Errorf("got %+v, want two checks by name, one skipped, the commit that was looked at", e.Scorecard)
	}
	if f := e.Scorecard; !f.ObservedAt.Equal(time.Date(2026, 6, 22, 0, 0, 0, 0, time.UTC)) || f.Grade != audit.GradeThirdParty || f.Fresh(today.AddDate(0, 2, 0)).Unknown() != audit.DNF {
		t.Errorf("got %+v, want grade C from the date of the result on, for a month", f)
	}
	private(t, e)
	if e := collect(t, newFake(t, nil).options(thirdparty.Scorecard), p, scoring.Evidence{}); e.Scorecard.Unknown() != audit.DNF {
		t.Errorf("without a result: got %+v, want DNF", e.Scorecard)
	}
	if e := collect(t, newFake(t, nil).options(thirdparty.Scorecard), project(), scoring.Evidence{}); e.Scorecard.Unknown() != audit.MISS {
		t.Errorf("on another forge: got %+v, want that nobody looked", e.Scorecard)
	}
}

// osvQuery is the body of a question to /v1/query of api.osv.dev.
func osvQuery(ecosystem, name, token string) string {
	q := fmt.Sprintf(`POST /v1/query {"package":{"name":%q,"ecosystem":%q}`, name, ecosystem)
	if token != "" {
		q += fmt.Sprintf(`,"page_token":%q`, token)
	}
	return q + "}"
}

func TestTheAPIOfOSVSaysTheSameAsADump(t *testing.T) {
	files := fixtures()
	delete(files, "Debian/DSA-1-1.json")
	list := func(prefix string, leave ...string) string {
		var out []string
		for name, text := range files {
			if strings.HasPrefix(name, prefix) && !slices.Contains(leave, name) {
				out = append(out, text)
			}
		}
		slices.Sort(out)
		return strings.Join(out, ",")
	}
	const first = "PyPI/GHSA-aaaa-bbbb-cccc.json"
	f := newFake(t, map[string]string{
		osvQuery("PyPI", "example", ""):                             fmt.Sprintf(`{"vulns": [%s], "next_page_token": "more"}`, files[first]),
		osvQuery("PyPI", "example", "more"):                         fmt.Sprintf(`{"vulns": [%s]}`, list("PyPI/", first, "PyPI/PYSEC-2026-4.json")),
		osvQuery("GIT", "https://git.example.org/team/example", ""): fmt.Sprintf(`{"vulns": [%s]}`, list("GIT/")),
	})
	p := project()
	p.Packages = []string{"pkg:pypi/Example"}
	e := collect(t, f.options(thirdparty.OSV), p, scoring.Evidence{})
	got := advisories(t, e)
	want := advisories(t, collect(t, thirdparty.Options{Dump: directory(t, fixtures())}, p, scoring.Evidence{}))
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("the API gives\n%s\nand the dump\n%s", a, b)
	}
	if len(e.Advisories.Origins) != 3 {
		t.Errorf("got %d origins, want one for each of 3 answers", len(e.Advisories.Origins))
	}
	private(t, e)
}

// everything is a project that every service is asked about.
func everything() scoring.Project {
	return scoring.Project{ID: "x", Repo: "https://github.com/example/x", Packages: []string{"pkg:pypi/example"}, Versions: []string{"1.0"}}
}

func TestAServiceThatDoesNotAnswerLeavesDNF(t *testing.T) {
	spoil := map[string]func(*fake){
		"garbage":              func(f *fake) { f.spoil(http.StatusOK, "<html>Erika Mustermann</html>") },
		"another form of JSON": func(f *fake) { f.spoil(http.StatusOK, `"Erika Mustermann"`) },
		"an error":             func(f *fake) { f.spoil(http.StatusInternalServerError, "Erika Mustermann broke it") },
		"a limit for long":     func(f *fake) { f.headers.Set("Retry-After", "90000"); f.spoil(http.StatusTooManyRequests, "") },
		"nobody listening":     func(f *fake) { f.CloseClientConnections(); f.Close() },
	}
	for name, do := range spoil {
		f := newFake(t, nil)
		do(f)
		e := collect(t, f.options(thirdparty.Services()...), everything(), scoring.Evidence{})
		for fact, o := range map[string]struct {
			outcome         audit.Outcome
			failure, settle string
		}{
			"advisories": {e.Advisories.Unknown(), e.Advisories.Failure, e.Advisories.Settle}, "badge": {e.Badge.Unknown(), e.Badge.Failure, e.Badge.Settle},
			"packaging": {e.Packaging.Unknown(), e.Packaging.Failure, e.Packaging.Settle}, "dependents": {e.Dependents.Unknown(), e.Dependents.Failure, e.Dependents.Settle},
			"scorecard": {e.Scorecard.Unknown(), e.Scorecard.Failure, e.Scorecard.Settle},
		} {
			if o.outcome != audit.DNF || !strings.HasPrefix(o.failure, "asking ") || o.settle == "" || len(o.failure) > 400 {
				t.Errorf("%s: %s: got %v, %q, settle %q; want DNF with the service that was asked", name, fact, o.outcome, o.failure, o.settle)
			}
		}
		private(t, e)
	}
}

// spoil makes every answer the same.
func (f *fake) spoil(status int, body string) {
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range f.headers {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestAContextThatEndsEndsTheCollection(t *testing.T) {
	f := newFake(t, nil)
	o := f.options(thirdparty.Services()...)
	o.At = today
	c, err := thirdparty.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	known := scoring.Evidence{Project: "x"}
	if e, err := c.Collect(ctx, everything(), known); !errors.Is(err, context.Canceled) || e.Badge.Unknown() != audit.MISS {
		t.Errorf("got %v and %+v, want the error of the context and the evidence as it was", err, e.Badge)
	}
}

func TestFactsOfAnotherRunStayWhereAServiceIsOff(t *testing.T) {
	known := scoring.Evidence{Badge: audit.Known(scoring.Badge{Level: "gold", Project: 3}), Advisories: audit.Known(scoring.Advisories{Feed: "osv"})}
	e := collect(t, thirdparty.Options{}, project(), known)
	if b, _ := e.Badge.Get(); b.Level != "gold" || e.Advisories.Unknown() != audit.PASS {
		t.Errorf("got %+v and %+v, want what was known", e.Badge, e.Advisories)
	}
}

// clock is a clock that sleeping moves on.
type clock struct {
	now   time.Time
	slept []time.Duration
}

func (c *clock) sleep(_ context.Context, d time.Duration) error {
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return nil
}

func TestRequestsToAServiceThatAllowsOneInASecondAreKeptApart(t *testing.T) {
	c := &clock{now: today}
	f := newFake(t, map[string]string{badgePath: "[]"})
	o := f.options(thirdparty.Badges)
	o.Sleep, o.Now, o.At = c.sleep, func() time.Time { return c.now }, today
	o.Client.Transport = scoring.Redacting{Next: http.DefaultTransport, Names: scoring.NewPseudonymiser(nil), Now: o.Now}
	collector, err := thirdparty.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := collector.Collect(context.Background(), project(), scoring.Evidence{}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []time.Duration{time.Second, time.Second}; !slices.Equal(c.slept, want) {
		t.Errorf("slept %v for three requests at one moment, want %v", c.slept, want)
	}
	// A cache answers with the moment of the first answer.
	o.Client.Transport = scoring.Redacting{Next: http.DefaultTransport, Names: scoring.NewPseudonymiser(nil), Now: func() time.Time { return today.AddDate(0, 0, -3) }}
	c.slept, c.now = nil, c.now.Add(time.Hour)
	for range 3 {
		if _, err := collector.Collect(context.Background(), project(), scoring.Evidence{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.slept) != 0 {
		t.Errorf("slept %v for answers of a cache, want no wait", c.slept)
	}
}

func TestAServiceThatAsksToWaitIsAskedOnceMore(t *testing.T) {
	c := &clock{now: today}
	f := newFake(t, map[string]string{badgePath: badgeAnswer})
	asked := 0
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		f.ServeHTTP(w, r)
	})
	o := f.options(thirdparty.Badges)
	o.Sleep, o.Now = c.sleep, func() time.Time { return c.now }
	e := collect(t, o, project(), scoring.Evidence{})
	if _, known := e.Badge.Get(); !known || !slices.Contains(c.slept, 30*time.Second) {
		t.Errorf("got %+v after %v, want the badge after 30 seconds", e.Badge, c.slept)
	}
}

func TestTheRepositoryOfAPackage(t *testing.T) {
	answers := depsAnswers()
	answers[ecosystemsPath] = ecosystemsAnswer
	answers["GET /api/v1/packages/lookup?purl=pkg%3Agem%2Fother"] = `[{"repository_url": "not an address"}]`
	answers["GET /tools/project-by?name=python-example&name_type=srcname&repo=debian_unstable&target_page=api_v1_project"] = "/api/v1/project/python:example"
	answers["GET /api/v1/project/python:example"] = repologyAnswer
	for name, c := range map[string]struct {
		purl     string
		services []thirdparty.Service
		want     string
	}{
		"by deps.dev, in the version that is installed by default": {"pkg:pypi/example", thirdparty.Services(), "https://git.example.org/team/example"},
		"by deps.dev, in a version":                                {"pkg:npm/%40example/x@1.0.0", thirdparty.Services(), "https://github.com/example/x"},
		"by ecosyste.ms":                                           {"pkg:pypi/example", []thirdparty.Service{thirdparty.Ecosystems}, "https://github.com/example/mirror"},
		"by Repology and deps.dev":                                 {"pkg:deb/debian/python-example@9.3.0-1", thirdparty.Services(), "https://git.example.org/team/example"},
		"by nobody":                                                {"pkg:pypi/unheard-of", thirdparty.Services(), ""},
		"no address":                                               {"pkg:gem/other", thirdparty.Services(), ""},
		"no purl":                                                  {"example", thirdparty.Services(), ""},
		"nobody may be asked":                                      {"pkg:pypi/example", nil, ""},
	} {
		o := newFake(t, answers).options(c.services...)
		o.At = today
		collector, err := thirdparty.New(o)
		if err != nil {
			t.Fatal(err)
		}
		repo, origin, ok := collector.Repository(context.Background(), c.purl)
		if repo != c.want || ok != (c.want != "") || ok && origin.Digest == "" {
			t.Errorf("%s: got %q %v by %+v, want %q", name, repo, ok, origin, c.want)
		}
	}
}
