package forge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// readAll reads a body and puts it back.
func readAll(resp *http.Response) string {
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}

// openStack is a project whose mirror is anywhere and whose changes are on OpenDev.
func openStack() (scoring.Project, scoring.Evidence) {
	p := scoring.Project{ID: "town", Repo: "https://opendev.org/openstack/town"}
	return p, scoring.Evidence{Tree: audit.Known(scoring.Tree{GerritProject: "review.opendev.org/openstack/town.git"})}
}

// openDev are the fakes of OpenDev's services with the tale.
func openDev() forgetest.Hosts {
	x := tale()
	return forgetest.Hosts{
		"review.opendev.org": &forgetest.Gerrit{Tale: x, Project: "openstack/town", Limit: 2, Expression: "label:Code-Review=MAX,user=non_uploader"},
		"zuul.opendev.org":   &forgetest.Zuul{Tale: x, Tenant: "openstack", Project: "openstack/town", Limit: 2},
		"api.launchpad.net":  &forgetest.Launchpad{Tale: x, Project: "town"},
		"opendev.org":        &forgetest.Gitea{Tale: x, Project: "openstack/town"},
	}
}

func TestGerritReviewsCountAsReviews(t *testing.T) {
	p, known := openStack()
	e, seen := collect(t, openDev(), p, known, nil)
	c := value(t, "changes", e.Changes)
	if c.Forge != "gerrit" || value(t, "open", c.Open) != 1 {
		t.Errorf("forge %s with %d open changes, want gerrit with 1", c.Forge, value(t, "open", c.Open))
	}
	w := c.Windows[2]
	got := fmt.Sprint(w.Months, w.Sample, w.Whole, value(t, "opened", w.Opened), value(t, "merged", w.Merged), value(t, "closed", w.Closed), value(t, "reviewed", w.Reviewed),
		value(t, "self-merged", w.SelfMerged), value(t, "gated", w.Gated), value(t, "approvers", w.Approvers), value(t, "mergers", w.Mergers))
	if want := "12 3 true 6 4 5 2 1 2 2 2"; got != want { // renovate's change counts as merged, not as one of a human
		t.Errorf("12 months: months, sample, whole, opened, merged, closed, reviewed, self-merged, gated, approvers, mergers\n got %s\nwant %s", got, want)
	}
	if low, high := value(t, "top low", w.TopApproverOrgLowBP), value(t, "top high", w.TopApproverOrgHighBP); low != 5000 || high != 5000 {
		t.Errorf("approvals of one organisation are %d..%d of 10000, want half: bob of One and cyd of Two", low, high)
	}
	if a, u, s := value(t, "answered", w.Answered), value(t, "unanswered", w.Unanswered), value(t, "first response", w.FirstResponse); a != 3 || u != 2 || s != 2*86400 {
		t.Errorf("answered %d, unanswered %d, first response %d s; want 3, 2 and two days", a, u, s)
	}
	if e.Changes.Grade != audit.GradeRecord || e.Changes.Lifetime != audit.Month || !e.Changes.ObservedAt.Equal(taleAt()) {
		t.Errorf("changes are graded %q, %q, %v", e.Changes.Grade, e.Changes.Lifetime, e.Changes.ObservedAt)
	}
	noSecrets(t, e, seen)
}

// noSecrets fails if anything of a person or free text passed the redaction.
func noSecrets(t *testing.T, e scoring.Evidence, seen string) {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"SECRET", "@", "\"ada\"", "\"bob\"", "\"cyd\"", "\"dee\"", "Example", "/ada", "~dee", "person:"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the evidence holds %q", secret)
		}
		if i := strings.Index(seen, secret); i >= 0 {
			t.Errorf("a redacted answer holds %q: ...%s", secret, seen[max(0, i-80):min(len(seen), i+60)])
		}
	}
}

func TestAServersLimitIsPagedOver(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	whole, _ := collect(t, hosts, p, known, nil)
	hosts["review.opendev.org"].(*forgetest.Gerrit).Limit = 500
	once, _ := collect(t, hosts, p, known, nil)
	a, _ := json.Marshal(value(t, "changes", whole.Changes).Windows)
	b, _ := json.Marshal(value(t, "changes", once.Changes).Windows)
	if x, y := stripped(a), stripped(b); x != y {
		t.Errorf("two at a time:\n%s\nall at once:\n%s", x, y)
	}
}

// stripped cuts origins out of facts, which differ with pages.
func stripped(b []byte) string {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return ""
	}
	var cut func(any)
	cut = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "origins")
			for _, x := range v {
				cut(x)
			}
		case []any:
			for _, x := range v {
				cut(x)
			}
		}
	}
	cut(v)
	out, _ := json.Marshal(v)
	return string(out)
}

func TestAProjectThatGerritDoesNotKnowIsNotOneWithoutChanges(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	hosts["review.opendev.org"].(*forgetest.Gerrit).Project = "openstack/village"
	e, _ := collect(t, hosts, p, known, nil)
	for what, o := range map[string]audit.Outcome{"changes": e.Changes.Unknown(), "rules": e.Rules.Unknown(), "team": e.Team.Unknown()} {
		if o != audit.DNF {
			t.Errorf("%s: %v, want DNF", what, o)
		}
	}
	if e.Changes.Settle == "" || !strings.Contains(e.Changes.Failure, "openstack/town") {
		t.Errorf("reason %q, settle %q", e.Changes.Failure, e.Changes.Settle)
	}
}

func TestAccessRulesSayWhatIsProtectedAndWhoMayApprove(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	g := hosts["review.opendev.org"].(*forgetest.Gerrit)
	e, seen := collect(t, hosts, p, known, nil)
	r, team := value(t, "rules", e.Rules), value(t, "team", e.Team)
	if value(t, "force", r.ForcePush) || !value(t, "review", r.ReviewRequired) || !value(t, "checks", r.ChecksRequired) {
		t.Errorf("rules %+v, want no forced push, review and checks", r)
	}
	if value(t, "members", team.Members) != 3 || value(t, "organisations", team.Organisations) != [2]int{2, 2} || value(t, "top", team.TopOrgBP) != [2]int{6666, 6667} || e.Team.Lifetime != audit.Year {
		t.Errorf("team %+v", team)
	}
	noSecrets(t, e, seen)

	g.Force = true
	if e, _ = collect(t, hosts, p, known, nil); !value(t, "force", value(t, "rules", e.Rules).ForcePush) {
		t.Error("a parent project lets somebody push by force, which was not seen")
	}
	g.Hidden, g.Expression = true, ""
	e, _ = collect(t, hosts, p, known, nil)
	r = value(t, "rules", e.Rules)
	for what, f := range map[string]audit.Fact[bool]{"forced push": r.ForcePush, "review": r.ReviewRequired, "checks": r.ChecksRequired} {
		if f.Unknown() != audit.DNF || f.Settle == "" {
			t.Errorf("%s behind hidden rules: %v, settle %q; want DNF with a way to settle it", what, f.Unknown(), f.Settle)
		}
	}
	if value(t, "members", value(t, "team", e.Team).Members) != 3 {
		t.Error("the group town-core was not asked for its members")
	}
	g.Hidden, g.Expression = false, "label:Code-Review=MAX"
	e, _ = collect(t, hosts, p, known, nil)
	if f := value(t, "rules", e.Rules).ReviewRequired; f.Unknown() != audit.DNF {
		t.Errorf("a vote of the author may count, so that a required review is %v, want DNF", f.Unknown())
	}
}

func TestOrganisationsThatNobodyKnowsWidenTheShare(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	x := hosts["review.opendev.org"].(*forgetest.Gerrit).Tale
	x.Core = append(x.Core, "dee")
	x.Proposals[1].Approvals[0].By = "dee"
	e, _ := collect(t, hosts, p, known, nil)
	w := value(t, "changes", e.Changes).Windows[2]
	if low, high := value(t, "low", w.TopApproverOrgLowBP), value(t, "high", w.TopApproverOrgHighBP); low != 5000 || high != 10000 {
		t.Errorf("share %d..%d, want 5000..10000: dee may be of One or not", low, high)
	}
	team := value(t, "team", e.Team)
	if value(t, "organisations", team.Organisations) != [2]int{2, 3} || value(t, "top", team.TopOrgBP) != [2]int{5000, 7500} {
		t.Errorf("team %v %v", team.Organisations.Value, team.TopOrgBP.Value)
	}
	e, _ = collect(t, hosts, p, known, func(o *Options) { o.Affiliate = nil })
	if f := value(t, "changes", e.Changes).Windows[2].TopApproverOrgLowBP; f.Unknown() != audit.DNF {
		t.Errorf("without a table of organisations the share is %v, want DNF", f.Unknown())
	}
}

func TestALeftoverGitreviewFileDoesNotHideWhereChangesAre(t *testing.T) {
	_, known := openStack()
	p := scoring.Project{ID: "town", Repo: "https://gitlab.example.org/example/town"}
	hosts := openDev()
	hosts["gitlab.example.org"] = &forgetest.GitLab{Tale: tale(), Project: "example/town"}
	e, _ := collect(t, hosts, p, known, nil)
	if c := value(t, "changes", e.Changes); c.Forge != "gerrit" {
		t.Errorf("a project that lives in Gerrit and is mirrored on GitLab has changes from %s", c.Forge)
	}
	empty := *tale()
	empty.Proposals, empty.Builds = nil, nil
	hosts["review.opendev.org"] = &forgetest.Gerrit{Tale: &empty, Project: "openstack/town"}
	hosts["zuul.opendev.org"] = &forgetest.Zuul{Tale: &empty, Tenant: "openstack", Project: "openstack/town"}
	e, _ = collect(t, hosts, p, known, nil)
	if c, r := value(t, "changes", e.Changes), value(t, "runs", e.Runs); c.Forge != "gitlab" || r.System != "gitlab-ci" {
		t.Errorf("nothing happened in Gerrit for two years, but changes come from %s and runs from %s", c.Forge, r.System)
	}
	hosts["review.opendev.org"].(*forgetest.Gerrit).Project = "openstack/village"
	e, _ = collect(t, hosts, p, known, nil)
	if c := value(t, "changes", e.Changes); c.Forge != "gitlab" {
		t.Errorf("Gerrit does not know the project, but changes come from %s", c.Forge)
	}
	hosts["review.opendev.org"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	e, _ = collect(t, hosts, p, known, nil)
	if e.Changes.Unknown() != audit.DNF {
		t.Errorf("Gerrit is down, so that nobody knows; got %v", e.Changes.Unknown())
	}
	openstack, _ := openStack()
	hosts["review.opendev.org"] = &forgetest.Gerrit{Tale: &empty, Project: "openstack/town"}
	e, _ = collect(t, hosts, openstack, known, nil)
	if n := value(t, "opened", value(t, "changes", e.Changes).Windows[3].Opened); n != 0 {
		t.Errorf("%d changes opened", n)
	}
}

func TestNamesThatWouldBecomeSearchesAreRefused(t *testing.T) {
	for _, name := range []string{`review.opendev.org/x" OR project:"y`, "review.opendev.org/a b", "review.opendev.org/../x", "review.opendev.org/", "review.opendev.org", "user@review.opendev.org/x", "review.opendev.org/a{b}", "-x/y"} {
		g := gerrit{newServices(Options{})}
		if host, project, ok := g.place(scoring.Project{}, scoring.Evidence{Tree: audit.Known(scoring.Tree{GerritProject: name})}); ok {
			t.Errorf("%q became %s at %s", name, project, host)
		}
	}
}
