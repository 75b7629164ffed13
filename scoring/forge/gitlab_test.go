package forge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gitlabapi "gitlab.com/gitlab-org/api/client-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

func gitlabTown() (scoring.Project, *forgetest.GitLab, forgetest.Hosts) {
	g := &forgetest.GitLab{Tale: tale(), Project: "example/group/town", Token: "glpat-canary"}
	return scoring.Project{ID: "town", Repo: "https://gitlab.example.org/example/group/town.git"}, g, forgetest.Hosts{"gitlab.example.org": g}
}

// numbers of a window as one line, to compare forges by.
func numbers(t *testing.T, w scoring.ChangeWindow) string {
	t.Helper()
	return fmt.Sprint(w.Months, w.Sample, w.Whole, value(t, "opened", w.Opened), value(t, "merged", w.Merged), value(t, "closed", w.Closed), value(t, "reviewed", w.Reviewed),
		value(t, "self-merged", w.SelfMerged), value(t, "gated", w.Gated), value(t, "approvers", w.Approvers), value(t, "mergers", w.Mergers))
}

func TestGitLabTellsTheSameTale(t *testing.T) {
	p, _, hosts := gitlabTown()
	e, seen := collect(t, hosts, p, scoring.Evidence{}, func(o *Options) { o.Tokens = func(string) []string { return []string{"glpat-canary"} } })
	c := value(t, "changes", e.Changes)
	if got, want := numbers(t, c.Windows[2]), "12 3 true 6 4 5 2 1 2 2 2"; got != want {
		t.Errorf("12 months\n got %s\nwant %s", got, want)
	}
	w := c.Windows[0]
	if a, u, s := value(t, "answered", w.Answered), value(t, "unanswered", w.Unanswered), value(t, "first response", w.FirstResponse); a != 3 || u != 1 || s != 2*86400 {
		t.Errorf("3 months: answered %d, unanswered %d, first response %d s", a, u, s)
	}
	if value(t, "open", c.Open) != 1 || c.Windows[2].TopApproverOrgLowBP.Unknown() != audit.DNF {
		t.Errorf("open %v, organisations %v", c.Open, c.Windows[2].TopApproverOrgLowBP.Unknown())
	}
	h := value(t, "home", e.Home)
	if value(t, "archived", h.Archived) || value(t, "fork", h.Fork) || value(t, "mirror", h.MirrorOf) != "" || value(t, "licence", h.Licence) != "Apache-2.0" ||
		value(t, "owner", h.OwnerKind) != "organisation" || value(t, "newcomers", h.Newcomers) != 1 {
		t.Errorf("home %+v", h)
	}
	if got := fmt.Sprint(value(t, "releases", h.Releases)[0].Assets); got != "map[checksum:1 other:1 sbom:1 signature:1]" {
		t.Errorf("files of the newest release: %s", got)
	}
	r := value(t, "rules", e.Rules)
	if value(t, "force", r.ForcePush) || !value(t, "review", r.ReviewRequired) || !value(t, "checks", r.ChecksRequired) {
		t.Errorf("rules %+v", r)
	}
	checkTickets(t, value(t, "issues", e.Issues))
	checkRuns(t, value(t, "runs", e.Runs))
	noSecrets(t, e, seen)
	if strings.Contains(seen, "canary") {
		t.Error("the token is in an answer")
	}
}

// checkTickets compares what forges tell about the tickets of the tale.
func checkTickets(t *testing.T, i scoring.Issues) {
	t.Helper()
	got := fmt.Sprint(value(t, "public", i.Public), value(t, "open", i.Open), value(t, "opened", i.Opened12m), value(t, "closed", i.Closed12m), value(t, "age", i.MedianAge)/86400, i.Sample, i.Whole,
		value(t, "first response", i.FirstResponse)/86400, value(t, "answered", i.Answered), value(t, "unanswered", i.Unanswered))
	if want := "true 3 3 1 60 2 true 2 1 1"; got != want {
		t.Errorf("issues: public, open, opened, closed, age, sample, whole, first response, answered, unanswered\n got %s\nwant %s", got, want)
	}
}

// checkRuns compares what CI systems tell about the builds of the tale.
func checkRuns(t *testing.T, r scoring.Runs) {
	t.Helper()
	if got, want := fmt.Sprint(r.Sample, r.Succeeded, r.Whole, value(t, "days", r.Days)), "3 2 true 90"; got != want {
		t.Errorf("runs: sample, succeeded, whole, days: got %s, want %s (one was cut short, one is too old)", got, want)
	}
}

func TestWhatGitLabHidesFromStrangersIsUnknownNotFalse(t *testing.T) {
	p, _, hosts := gitlabTown()
	e, _ := collect(t, hosts, p, scoring.Evidence{}, nil)
	h, r := value(t, "home", e.Home), value(t, "rules", e.Rules)
	for what, o := range map[string]audit.Outcome{"archived": h.Archived.Unknown(), "fork": h.Fork.Unknown(), "mirror": h.MirrorOf.Unknown(), "force push": r.ForcePush.Unknown(),
		"review": r.ReviewRequired.Unknown(), "checks": r.ChecksRequired.Unknown()} {
		if o != audit.DNF {
			t.Errorf("%s: %v, want DNF", what, o)
		}
	}
	if !strings.Contains(r.ReviewRequired.Failure, "paid") || r.ReviewRequired.Settle == "" {
		t.Errorf("reason %q, settle %q", r.ReviewRequired.Failure, r.ReviewRequired.Settle)
	}
	if stars := value(t, "stars", h.Stars); stars != 3 {
		t.Errorf("%d stars", stars)
	}
	checkTickets(t, value(t, "issues", e.Issues))
}

func TestOneRefusalSpoilsOneFact(t *testing.T) {
	p, g, hosts := gitlabTown()
	for path, spoilt := range map[string]func(scoring.Evidence) audit.Outcome{
		"/approvals": func(e scoring.Evidence) audit.Outcome { return e.Changes.Value.Windows[0].Reviewed.Unknown() },
		"/notes":     func(e scoring.Evidence) audit.Outcome { return e.Changes.Value.Windows[0].Answered.Unknown() },
		"/pipelines": func(e scoring.Evidence) audit.Outcome { return e.Runs.Unknown() },
		"/releases":  func(e scoring.Evidence) audit.Outcome { return e.Home.Value.Releases.Unknown() },
	} {
		g.Before = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, path) {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			return false
		}
		e, _ := collect(t, hosts, p, scoring.Evidence{}, nil)
		if o := spoilt(e); o != audit.DNF {
			t.Errorf("%s refused: %v, want DNF", path, o)
		}
		if n := value(t, "merged", value(t, "changes", e.Changes).Windows[2].Merged); n != 4 {
			t.Errorf("%s refused: %d merged, want 4 all the same", path, n)
		}
	}
}

func TestTokensAreSentToTheirHostOnly(t *testing.T) {
	p, g, hosts := gitlabTown()
	other := &forgetest.GitLab{Tale: tale(), Project: "example/group/town"}
	hosts["login.example.org"] = other
	g.Before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://login.example.org"+r.URL.Path, http.StatusFound)
		return true
	}
	collect(t, hosts, p, scoring.Evidence{}, func(o *Options) { o.Tokens = func(string) []string { return []string{"glpat-canary"} } })
	if len(g.Asked) == 0 || g.Asked[0] != "glpat-canary" {
		t.Errorf("the host was asked with %q", g.Asked)
	}
	if len(other.Asked) == 0 || strings.Join(other.Asked, "") != "" {
		t.Errorf("another host was asked with %q, want no token", other.Asked)
	}
}

// GitLab publishes no description of its interface in a package that a test could fetch (health check reference 5.5):
// the fixtures are held against the types of GitLab's own client instead, which refuse what they do not know.
func TestGitLabFixturesAreWhatItsOwnClientKnows(t *testing.T) {
	_, g, _ := gitlabTown()
	for path, into := range map[string]any{
		"": new(gitlabapi.Project), "/merge_requests": new([]*gitlabapi.BasicMergeRequest), "/merge_requests/101": new(gitlabapi.MergeRequest),
		"/merge_requests/101/notes": new([]*gitlabapi.Note), "/merge_requests/101/approvals": new(gitlabapi.MergeRequestApprovals), "/issues": new([]*gitlabapi.Issue),
		"/issues_statistics": new(gitlabapi.IssuesStatistics), "/releases": new([]*gitlabapi.Release), "/labels": new([]*gitlabapi.Label), "/pipelines": new([]*gitlabapi.PipelineInfo),
		"/protected_branches/main": new(gitlabapi.ProtectedBranch), "/approvals": new(gitlabapi.ProjectApprovals), "/approval_rules": new([]*gitlabapi.ProjectApprovalRule),
	} {
		req := httptest.NewRequest(http.MethodGet, "/api/v4/projects/example/group/town"+path, nil)
		req.Header.Set("Authorization", "Bearer glpat-canary")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, req)
		dec := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: status %d: %v", path, w.Code, err)
		}
	}
}

func TestWhereMoreWasSaidThanWasReadNobodyIsBlamed(t *testing.T) {
	p, g, hosts := gitlabTown()
	for range remarksPage + 5 { // a machine talks and talks, before anybody else does
		g.Tale.Proposals[5].Remarks = append([]forgetest.Said{{By: "zuul", At: daysBefore(2.5)}}, g.Tale.Proposals[5].Remarks...)
		g.Tale.Tickets[2].Remarks = append([]forgetest.Said{{By: "zuul", At: daysBefore(59)}}, g.Tale.Tickets[2].Remarks...)
	}
	g.Before = func(w http.ResponseWriter, r *http.Request) bool { // as many notes as a page has
		if !strings.HasSuffix(r.URL.Path, "/106/notes") && !strings.HasSuffix(r.URL.Path, "/3/notes") {
			return false
		}
		notes := []map[string]any{}
		for range remarksPage {
			notes = append(notes, map[string]any{"author": map[string]any{"username": "zuul"}, "created_at": "2026-02-27T00:00:00Z", "system": false})
		}
		_ = json.NewEncoder(w).Encode(notes)
		return true
	}
	e, _ := collect(t, hosts, p, scoring.Evidence{}, nil)
	w, i := value(t, "changes", e.Changes).Windows[0], value(t, "issues", e.Issues)
	if a, u := value(t, "answered", w.Answered), value(t, "unanswered", w.Unanswered); a != 2 || u != 1 {
		t.Errorf("changes: answered %d, unanswered %d; want 2, 1, and one of which nobody knows", a, u)
	}
	if a, u := value(t, "answered", i.Answered), value(t, "unanswered", i.Unanswered); a != 0 || u != 1 {
		t.Errorf("issues: answered %d, unanswered %d; want 0, 1, and one of which nobody knows", a, u)
	}
}

func TestAMovedProjectIsFollowed(t *testing.T) {
	p, g, hosts := gitlabTown()
	p.Repo = "https://gitlab.example.org/old/town"
	g.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v4/projects/old/town"); ok {
			http.Redirect(w, r, "/api/v4/projects/example%2Fgroup%2Ftown"+rest, http.StatusMovedPermanently)
			return true
		}
		return false
	}
	e, _ := collect(t, hosts, p, scoring.Evidence{}, nil)
	if h := value(t, "home", e.Home); h.Name != "example/group/town" {
		t.Errorf("home is %q", h.Name)
	}
	if n := value(t, "merged", value(t, "changes", e.Changes).Windows[2].Merged); n != 4 {
		t.Errorf("%d merged", n)
	}
}
