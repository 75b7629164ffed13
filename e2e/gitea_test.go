package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	giteaapi "code.gitea.io/sdk/gitea"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge"
)

// giteaServer is a real Gitea on loopback with SQLite, and people who may ask it.
type giteaServer struct {
	url  string
	as   map[string]*giteaapi.Client
	auth map[string]string
}

// startGitea builds Gitea from its own module and starts it; it ends with the test.
func startGitea(t *testing.T, people ...string) *giteaServer {
	t.Helper()
	for _, tool := range []string{"gcc", "git"} { // Gitea 1.26 has SQLite by cgo
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool+" is not installed: apt-get install "+tool)
		}
	}
	dir := t.TempDir()
	binary, config, port := buildGitea(t, dir), filepath.Join(dir, "app.ini"), freePort(t)
	s := &giteaServer{url: "http://127.0.0.1:" + port, as: map[string]*giteaapi.Client{}, auth: map[string]string{}}
	static := output(t, "gitea", "go", "list", "-m", "-f", "{{.Dir}}", "code.gitea.io/gitea")
	ini := fmt.Sprintf(`I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
RUN_MODE = prod
WORK_PATH = %[1]s
[server]
STATIC_ROOT_PATH = %[2]s
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[3]s
ROOT_URL = http://127.0.0.1:%[3]s/
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %[1]s/gitea.db
[security]
INSTALL_LOCK = true
[log]
LEVEL = Error
[cron.update_checker]
ENABLED = false
`, dir, static, port)
	if err := os.WriteFile(config, []byte(ini), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, binary, "web", "--config", config)
	await(t, "Gitea", func() bool {
		resp, err := http.Get(s.url + "/api/v1/version")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	for _, who := range people {
		text := output(t, dir, binary, "admin", "user", "create", "--config", config, "--admin", "--username", who, "--password", "only-for-this-test-1", "--email", who+"@example.org",
			"--must-change-password=false", "--access-token")
		fields := strings.Fields(text)
		s.auth[who] = fields[len(fields)-1]
		client, err := giteaapi.NewClient(s.url, giteaapi.SetToken(s.auth[who]))
		if err != nil {
			t.Fatal(err)
		}
		s.as[who] = client
	}
	return s
}

// buildGitea builds the server.
func buildGitea(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(dir, "gitea")
	cmd := exec.Command("go", "build", "-tags", "sqlite sqlite_unlock_notify", "-ldflags", "-s -w -X main.Version=1.26.0", "-o", out, "code.gitea.io/gitea")
	cmd.Dir, cmd.Env = "gitea", append(os.Environ(), "CGO_ENABLED=1")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building Gitea: %v\n%s", err, text)
	}
	return out
}

// output runs a command and returns what it said.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", filepath.Base(name), args[0], err)
	}
	return strings.TrimSpace(string(text))
}

// must ends the test on an error and returns the value.
func must[T any](t *testing.T) func(T, *giteaapi.Response, error) T {
	return func(v T, _ *giteaapi.Response, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// loopback sends requests for a host to a server on loopback. Readers ask by https only.
type loopback struct{ url string }

func (l loopback) RoundTrip(req *http.Request) (*http.Response, error) {
	target, err := url.Parse(l.url)
	if err != nil {
		return nil, err
	}
	c := req.Clone(req.Context())
	c.URL.Scheme, c.URL.Host, c.Host = target.Scheme, target.Host, target.Host
	resp, err := http.DefaultTransport.RoundTrip(c)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// propose makes a branch with one file and a pull request of it.
func (s *giteaServer) propose(t *testing.T, who, file string) *giteaapi.PullRequest {
	t.Helper()
	must[*giteaapi.FileResponse](t)(s.as[who].CreateFile("example", "town", file, giteaapi.CreateFileOptions{
		FileOptions: giteaapi.FileOptions{Message: "add " + file, BranchName: "main", NewBranchName: file}, Content: "dG93bgo="}))
	return must[*giteaapi.PullRequest](t)(s.as[who].CreatePullRequest("example", "town", giteaapi.CreatePullRequestOption{Head: file, Base: "main", Title: file}))
}

// merge waits until Gitea knows that a pull request can be merged, and merges it.
func (s *giteaServer) merge(t *testing.T, who string, number int64) {
	t.Helper()
	await(t, "the merge", func() bool {
		ok, _, err := s.as[who].MergePullRequest("example", "town", number, giteaapi.MergePullRequestOption{Style: giteaapi.MergeStyleMerge})
		return ok && err == nil
	})
}

// history has people work on a project.
func (s *giteaServer) history(t *testing.T) {
	t.Helper()
	ada := s.as["ada"]
	must[*giteaapi.Organization](t)(ada.CreateOrg(giteaapi.CreateOrgOption{Name: "example"}))
	must[*giteaapi.Repository](t)(ada.CreateOrgRepo("example", giteaapi.CreateRepoOption{Name: "town", AutoInit: true, DefaultBranch: "main", License: "Apache-2.0"}))
	must[*giteaapi.Label](t)(ada.CreateLabel("example", "town", giteaapi.CreateLabelOption{Name: "good first issue", Color: "#00ff00"}))

	first := s.propose(t, "bob", "first") // reviewed by cyd, tested, merged by ada
	must[*giteaapi.Status](t)(ada.CreateStatus("example", "town", first.Head.Sha, giteaapi.CreateStatusOption{State: giteaapi.StatusSuccess, Context: "unit"}))
	must[*giteaapi.PullReview](t)(s.as["cyd"].CreatePullReview("example", "town", first.Index, giteaapi.CreatePullReviewOptions{State: giteaapi.ReviewStateApproved, Body: "fine"}))
	s.merge(t, "ada", first.Index)
	second := s.propose(t, "ada", "second") // merged by its author unseen
	s.merge(t, "ada", second.Index)
	third := s.propose(t, "bob", "third") // given up after a remark
	must[*giteaapi.Comment](t)(ada.CreateIssueComment("example", "town", third.Index, giteaapi.CreateIssueCommentOption{Body: "not like this"}))
	closed := giteaapi.StateClosed
	must[*giteaapi.PullRequest](t)(s.as["bob"].EditPullRequest("example", "town", third.Index, giteaapi.EditPullRequestOption{State: &closed}))
	s.propose(t, "cyd", "fourth") // open, nobody said anything

	cyd := s.as["cyd"]
	one := must[*giteaapi.Issue](t)(cyd.CreateIssue("example", "town", giteaapi.CreateIssueOption{Title: "one"}))
	must[*giteaapi.Comment](t)(s.as["bob"].CreateIssueComment("example", "town", one.Index, giteaapi.CreateIssueCommentOption{Body: "seen"}))
	two := must[*giteaapi.Issue](t)(cyd.CreateIssue("example", "town", giteaapi.CreateIssueOption{Title: "two"}))
	must[*giteaapi.Issue](t)(cyd.EditIssue("example", "town", two.Index, giteaapi.EditIssueOption{State: &closed}))
	must[*giteaapi.Issue](t)(s.as["bob"].CreateIssue("example", "town", giteaapi.CreateIssueOption{Title: "three"}))

	release := must[*giteaapi.Release](t)(ada.CreateRelease("example", "town", giteaapi.CreateReleaseOption{TagName: "v1.0.0", Target: "main", Title: "one"}))
	must[*giteaapi.Attachment](t)(ada.CreateReleaseAttachment("example", "town", release.ID, strings.NewReader("{}"), "town.spdx.json"))
	must[*giteaapi.BranchProtection](t)(ada.CreateBranchProtection("example", "town", giteaapi.CreateBranchProtectionOption{RuleName: "main", RequiredApprovals: 1}))
}

// known returns what a fact says, or ends the test.
func known[T any](t *testing.T, what string, f audit.Fact[T]) T {
	t.Helper()
	v, ok := f.Get()
	if !ok {
		t.Fatalf("%s is not known: %s", what, f.Failure)
	}
	return v
}

func TestARealGiteaIsReadAsItIs(t *testing.T) {
	s := startGitea(t, "ada", "bob", "cyd")
	s.history(t)
	at := time.Now().Add(time.Minute)
	redacting := scoring.Redacting{Next: loopback{s.url}, Names: scoring.NewPseudonymiser(nil), Now: time.Now}
	for _, token := range []string{"", s.auth["bob"]} {
		t.Run(map[bool]string{true: "anonymous", false: "with a token"}[token == ""], func(t *testing.T) {
			c, err := forge.New(forge.Options{Client: &http.Client{Transport: redacting}, At: at, Services: map[string]string{"git.example.org": "gitea"}, Tokens: func(string) []string {
				if token == "" {
					return nil
				}
				return []string{token}
			}})
			if err != nil {
				t.Fatal(err)
			}
			e, err := c.Collect(t.Context(), scoring.Project{ID: "town", Repo: "https://git.example.org/example/town"}, scoring.Evidence{AssessedAt: at})
			if err != nil {
				t.Fatal(err)
			}
			compareGitea(t, e)
		})
	}
}

func compareGitea(t *testing.T, e scoring.Evidence) {
	t.Helper()
	h := known(t, "home", e.Home)
	releases := known(t, "releases", h.Releases)
	got := fmt.Sprint(h.Name, known(t, "archived", h.Archived), known(t, "fork", h.Fork), known(t, "mirror", h.MirrorOf) == "", known(t, "branch", h.DefaultBranch), known(t, "licence", h.Licence),
		known(t, "owner", h.OwnerKind), known(t, "newcomers", h.Newcomers), len(releases), releases[0].Tag, releases[0].Assets)
	if want := fmt.Sprint("example/town", false, false, true, "main", "Apache-2.0", "organisation", 1, 1, "v1.0.0", map[string]int{"sbom": 1}); got != want {
		t.Errorf("home\n got %s\nwant %s", got, want)
	}
	c := known(t, "changes", e.Changes)
	w := c.Windows[0]
	got = fmt.Sprint(known(t, "open", c.Open), known(t, "opened", w.Opened), known(t, "merged", w.Merged), known(t, "closed", w.Closed), w.Sample, w.Whole, known(t, "reviewed", w.Reviewed),
		known(t, "self-merged", w.SelfMerged), known(t, "gated", w.Gated), known(t, "answered", w.Answered), known(t, "unanswered", w.Unanswered), known(t, "approvers", w.Approvers), known(t, "mergers", w.Mergers))
	if want := "1 4 2 3 2 true 1 1 1 2 2 1 1"; got != want {
		t.Errorf("changes: open, opened, merged, closed, sample, whole, reviewed, self-merged, gated, answered, unanswered, approvers, mergers\n got %s\nwant %s", got, want)
	}
	i := known(t, "issues", e.Issues)
	got = fmt.Sprint(known(t, "public", i.Public), known(t, "open", i.Open), known(t, "opened", i.Opened12m), known(t, "closed", i.Closed12m), i.Sample, i.Whole, known(t, "answered", i.Answered), known(t, "unanswered", i.Unanswered))
	if want := "true 2 3 1 3 true 1 2"; got != want {
		t.Errorf("issues: public, open, opened, closed, sample, whole, answered, unanswered\n got %s\nwant %s", got, want)
	}
	if age := known(t, "median age", i.MedianAge); age < 0 || age > 3600 {
		t.Errorf("median age of open issues is %d s", age)
	}
	r := known(t, "rules", e.Rules)
	if !known(t, "review", r.ReviewRequired) || known(t, "checks", r.ChecksRequired) || r.ForcePush.Unknown() != audit.DNF {
		t.Errorf("rules %+v", r)
	}
	if e.Runs.Unknown() != audit.DNF || e.Runs.Settle == "" {
		t.Errorf("no CI ever ran, so that runs are unknown; got %v, %q", e.Runs.Unknown(), e.Runs.Failure)
	}
}
