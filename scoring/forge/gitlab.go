package forge

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gitlabapi "gitlab.com/gitlab-org/api/client-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// gitlab reads GitLab by its REST interface, version 4 (gitlab-org/gitlab: doc/api). Anonymous callers get a short form of
// most answers: a field that is missing there is unknown, not false.
type gitlab struct{ *services }

func (gitlab) name() string { return serviceGitLab }

// read fills Home, Changes, Issues, Runs and Rules.
func (g gitlab) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	host, path, ok := locate(p.Repo)
	if g.options.Client == nil || !ok || hostedBy(g.options, p.Repo) != serviceGitLab {
		return nil
	}
	d := g.desk(g.name(), "Bearer", host)
	// Retries and limits are the desk's business. The token is added there as well, for this host only.
	client, err := gitlabapi.NewAuthSourceClient(gitlabapi.Unauthenticated{}, gitlabapi.WithBaseURL(d.base), gitlabapi.WithHTTPClient(d.client()),
		gitlabapi.WithoutRetries(), gitlabapi.WithCustomLimiter(unlimited{}))
	if err != nil {
		return err
	}
	r := gitlabReading{desk: d, api: client, path: path}
	project, err := r.project(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failAll(e, err)
		return nil
	}
	if project.Path != nil && validPath(*project.Path) {
		r.path = *project.Path // it may have moved
	}
	return r.read(ctx, project, e)
}

// unlimited leaves all limiting to the desk.
type unlimited struct{}

// Wait returns at once.
func (unlimited) Wait(context.Context) error { return nil }

// failAll says of every fact of a forge that nobody else answered why it is not known.
func failAll(e *scoring.Evidence, err error) {
	if e.Home.Unknown() == audit.MISS {
		e.Home = failed[scoring.Home](err)
	}
	if e.Changes.Unknown() == audit.MISS {
		e.Changes = failed[scoring.Changes](err)
	}
	if e.Issues.Unknown() == audit.MISS {
		e.Issues = failed[scoring.Issues](err)
	}
	if e.Runs.Unknown() == audit.MISS {
		e.Runs = failed[scoring.Runs](err)
	}
	if e.Rules.Unknown() == audit.MISS {
		e.Rules = failed[scoring.Rules](err)
	}
}

// gitlabReading asks one GitLab about one project.
type gitlabReading struct {
	*desk
	api  *gitlabapi.Client
	path string
}

// get asks by GitLab's client, into a form of our own in which what is missing is nil.
func (r gitlabReading) get(ctx context.Context, what string, rule scoring.Redact, path string, q url.Values, into any) error {
	return r.call(ctx, what, rule, func(ctx context.Context) error {
		opts := []gitlabapi.RequestOptionFunc{gitlabapi.WithContext(ctx)}
		path = "projects/" + gitlabapi.PathEscape(r.path) + path
		req, err := r.api.NewRequest(http.MethodGet, path, nil, opts)
		if err != nil {
			return err
		}
		req.URL.RawQuery = q.Encode()
		_, err = r.api.Do(req, into)
		return err
	})
}

// gitlabAccount is somebody in a redacted answer of GitLab.
type gitlabAccount struct {
	Who     string `json:"who"`
	Machine bool   `json:"machine"`
}

// gitlabShape makes a shape in which user objects at the given keys are replaced.
func (r gitlabReading) gitlabShape(people []string, paths ...string) *shape {
	for _, at := range people {
		paths = append(paths, at+"@", at+".username", at+".name", at+".bot")
	}
	return newShape(func(_ []string, value any, _ map[string]any, person func(string) string) any {
		user, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		login, _ := user["username"].(string)
		display, _ := user["name"].(string)
		bot, _ := user["bot"].(bool)
		switch {
		case login == "" || login == "ghost": // who left: nobody knows
			return nil
		case bot || machineName(login, display):
			return map[string]any{"who": login, "machine": true}
		}
		return map[string]any{"who": person(r.host + "/" + strings.ToLower(login))}
	}, paths...)
}

// gitlabProject is a project as it was redacted.
type gitlabProject struct {
	Path          *string    `json:"path_with_namespace"`
	Visibility    *string    `json:"visibility"`
	Archived      *bool      `json:"archived"`
	Mirror        *bool      `json:"mirror"`
	Created       *time.Time `json:"created_at"`
	DefaultBranch *string    `json:"default_branch"`
	Stars         *int       `json:"star_count"`
	Forks         *int       `json:"forks_count"`
	IssuesLevel   *string    `json:"issues_access_level"`
	Pipeline      *bool      `json:"only_allow_merge_if_pipeline_succeeds"`
	License       *struct {
		Key string `json:"key"`
	} `json:"license"`
	Namespace struct {
		Kind string `json:"kind"`
	} `json:"namespace"`
	ForkedFrom *struct {
		Path string `json:"path_with_namespace"`
	} `json:"forked_from_project"`
}

// project asks for the project itself.
func (r gitlabReading) project(ctx context.Context) (p gitlabProject, err error) {
	rule := ruleOf("gitlab project", newShape(nil, "path_with_namespace", "visibility", "archived", "mirror", "created_at", "default_branch", "star_count", "forks_count",
		"issues_access_level", "only_allow_merge_if_pipeline_succeeds", "license.key", "namespace.kind", "forked_from_project.path_with_namespace"), "path_with_namespace")
	return p, r.get(ctx, "project "+r.path, rule, "", url.Values{"license": {"true"}}, &p)
}

// read fills what is not answered yet. Each fact is asked for by itself, so that one refusal spoils one fact.
func (r gitlabReading) read(ctx context.Context, p gitlabProject, e *scoring.Evidence) error {
	about := r.last
	if e.Home.Unknown() == audit.MISS {
		e.Home = r.home(ctx, p, about)
	}
	if e.Changes.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Changes = r.changes(ctx)
	}
	if e.Issues.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Issues = r.issues(ctx, p, about)
	}
	if e.Runs.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Runs = r.runs(ctx, p)
	}
	if e.Rules.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Rules = r.rules(ctx, p, about)
	}
	return ctx.Err()
}

// told makes a fact of a field that may be missing.
func told[T any](v *T, what string, from audit.Origin) audit.Fact[T] {
	if v == nil {
		return notTold[T]("the forge does not tell anonymous callers "+what, "a token that may read the project", from)
	}
	return audit.Known(*v, from)
}

// home says what the project's own record says, with two requests more for releases and labels.
func (r gitlabReading) home(ctx context.Context, p gitlabProject, from audit.Origin) audit.Fact[scoring.Home] {
	h := scoring.Home{Forge: serviceGitLab, Name: r.path}
	if p.Path != nil && *p.Path != "" {
		h.Name = *p.Path
	}
	h.Archived, h.Created = told(p.Archived, "whether the project is archived", from), told(p.Created, "when the project was created", from)
	h.DefaultBranch = told(p.DefaultBranch, "the default branch", from)
	h.Stars, h.Forks = told(p.Stars, "the number of stars", from), told(p.Forks, "the number of forks", from)
	switch {
	case p.Mirror == nil:
		h.MirrorOf = told[string](nil, "whether the project is a mirror", from)
	case *p.Mirror:
		h.MirrorOf = notTold[string]("it is a mirror, but of what GitLab tells only to its maintainers", "the catalogue", from)
	default:
		h.MirrorOf = audit.Known("", from)
	}
	switch {
	case p.ForkedFrom != nil:
		h.Fork = audit.Known(true, from)
	case p.Archived != nil: // the long form of the answer names what a fork comes from
		h.Fork = audit.Known(false, from)
	default:
		h.Fork = told[bool](nil, "whether the project is a fork", from)
	}
	h.Licence = notTold[string]("GitLab recognised no licence", "the repository's files", from)
	if p.License != nil { // GitLab writes SPDX identifiers in lower case
		if e, err := licence.Parse(p.License.Key); err == nil && p.License.Key != "other" {
			h.Licence = audit.Known(e.String(), from)
		}
	}
	switch p.Namespace.Kind {
	case "group":
		h.OwnerKind = audit.Known("organisation", from)
	case "user":
		h.OwnerKind = audit.Known("person", from)
	default:
		h.OwnerKind = told[string](nil, "whose the project is", from)
	}
	const untold = "GitLab does not tell"
	h.CodeOfConduct, h.Security = notTold[bool](untold, "the repository's files", from), notTold[bool](untold, "the repository's files", from)
	h.Funding = notTold[int](untold, "the repository's files", from)
	h.Releases, h.Newcomers = r.releases(ctx), r.newcomers(ctx)
	return audit.Known(h, from).Graded(audit.GradeForge, from.At, audit.Month)
}

// releases reads the newest 20 releases.
func (r gitlabReading) releases(ctx context.Context) audit.Fact[[]scoring.Published] {
	var list []struct {
		Tag      string    `json:"tag_name"`
		At       time.Time `json:"released_at"`
		Upcoming bool      `json:"upcoming_release"`
		Assets   struct {
			Links []struct {
				Name string `json:"name"`
			} `json:"links"`
		} `json:"assets"`
	}
	rule := ruleOf("gitlab releases", newShape(nil, "tag_name", "released_at", "upcoming_release", "assets.links.name"), "tag_name", "released_at")
	if err := r.get(ctx, "releases of "+r.path, rule, "/releases", url.Values{"per_page": {"20"}}, &list); err != nil {
		return failed[[]scoring.Published](err)
	}
	releases := []scoring.Published{}
	for _, l := range list {
		p := scoring.Published{Tag: l.Tag, At: l.At.UTC(), Prerelease: l.Upcoming}
		for _, a := range l.Assets.Links {
			p.Assets = counted(p.Assets, a.Name)
		}
		releases = append(releases, p)
	}
	return audit.Known(releases, r.last)
}

// newcomers counts the labels that invite newcomers.
func (r gitlabReading) newcomers(ctx context.Context) audit.Fact[int] {
	var list []struct {
		Name string `json:"name"`
	}
	rule := ruleOf("gitlab labels", newShape(nil, "name"), "name")
	if err := r.get(ctx, "labels of "+r.path, rule, "/labels", url.Values{"per_page": {"100"}}, &list); err != nil {
		return failed[int](err)
	}
	n := 0
	for _, l := range list {
		if invites(l.Name) {
			n++
		}
	}
	if n == 0 && len(list) == 100 {
		return notTold[int]("none of the first hundred labels invites newcomers", "a reader of more labels", r.last)
	}
	return audit.Known(n, r.last)
}

// gitlabMerge is a merge request as it was redacted.
type gitlabMerge struct {
	IID     int64         `json:"iid"`
	State   string        `json:"state"`
	Created time.Time     `json:"created_at"`
	Updated time.Time     `json:"updated_at"`
	Merged  *time.Time    `json:"merged_at"`
	Closed  *time.Time    `json:"closed_at"`
	Author  gitlabAccount `json:"author"`
	User    gitlabAccount `json:"merge_user"`
	By      gitlabAccount `json:"merged_by"` // the older name of merge_user
}

const (
	gitlabPage  = 100 // the most that GitLab gives at a time
	gitlabPages = 60
	remarksPage = 50 // remarks on one change or issue that are looked at, oldest first
)

// changes reads the merge requests touched in 24 months, those last touched first, and looks at some one by one.
func (r gitlabReading) changes(ctx context.Context) audit.Fact[scoring.Changes] {
	at := r.options.At
	r.seen = nil
	l := log{forge: serviceGitLab, at: at, organisations: &trouble{reason: "GitLab shows no addresses, by which organisations are known", settle: "affiliations by login"}}
	rule := ruleOf("gitlab merge requests", r.gitlabShape([]string{"author", "merge_user", "merged_by"}, "iid", "state", "created_at", "updated_at", "merged_at", "closed_at"),
		"iid", "state", "created_at", "updated_at", "author")
	q := url.Values{"scope": {"all"}, "state": {"all"}, "order_by": {"updated_at"}, "sort": {"desc"}, "per_page": {strconv.Itoa(gitlabPage)},
		"updated_after": {since(at, 24).UTC().Format(time.RFC3339)}}
	for page := 1; ; page++ {
		q.Set("page", strconv.Itoa(page))
		var list []gitlabMerge
		if err := r.get(ctx, "merge requests of "+r.path, rule, "/merge_requests", q, &list); err != nil {
			return failed[scoring.Changes](err)
		}
		for _, m := range list {
			l.list = append(l.list, m.proposal())
		}
		if len(list) < gitlabPage {
			break
		}
		if page == gitlabPages {
			l.since = list[len(list)-1].Updated
			break
		}
	}
	listed := r.observed()
	l.open = r.total(ctx, "open merge requests of "+r.path, "/merge_requests", url.Values{"scope": {"all"}, "state": {"opened"}, "per_page": {"1"}})
	r.look(ctx, &l)
	l.origins = r.origins()
	return audit.Known(l.changes(), l.origins...).Graded(audit.GradeForge, listed, audit.Month)
}

// total asks how many a list has; GitLab leaves that out where there are more than 10,000.
func (r gitlabReading) total(ctx context.Context, what, path string, q url.Values) audit.Fact[int] {
	var list []struct{}
	if err := r.get(ctx, what, ruleOf("gitlab total", newShape(nil, "iid"), "iid"), path, q, &list); err != nil {
		return failed[int](err)
	}
	n, err := strconv.Atoi(r.header.Get("X-Total"))
	if err != nil || n < 0 {
		return notTold[int](r.host+" does not say how many there are", "a smaller period", r.last)
	}
	return audit.Known(n, r.last)
}

// proposal turns a merge request into what all forges have.
func (m gitlabMerge) proposal() proposal {
	p := proposal{number: m.IID, author: m.Author.Who, machine: m.Author.Machine, opened: m.Created, merged: m.State == "merged", open: m.State == "opened"}
	if m.User.Who == "" {
		m.User = m.By
	}
	p.merger, p.mergerMachine = m.User.Who, m.User.Machine
	switch {
	case p.merged && m.Merged != nil:
		p.closed = *m.Merged
	case p.merged: // merged by pushing its commits
		p.closed = m.Updated
	case !p.open && m.Closed != nil:
		p.closed = *m.Closed
	case !p.open:
		p.closed = m.Updated
	}
	return p
}

// look reads approvals, remarks and tests of a sample.
func (r gitlabReading) look(ctx context.Context, l *log) {
	for _, i := range sampled(l.list, l.at) {
		p := &l.list[i]
		at := "/merge_requests/" + strconv.FormatInt(p.number, 10)
		if l.reviews == nil && p.merged {
			p.approvals, l.reviews = r.approvals(ctx, at)
		}
		if l.gates == nil && p.merged {
			p.gated, l.gates = r.gated(ctx, at)
		}
		if l.answers == nil {
			p.remarks, p.partial, l.answers = r.remarks(ctx, at)
		}
		if ctx.Err() != nil {
			return
		}
		p.looked = true
	}
}

// approvals reads who approved a merge request.
func (r gitlabReading) approvals(ctx context.Context, at string) ([]approval, error) {
	var answer struct {
		By []struct {
			User gitlabAccount `json:"user"`
		} `json:"approved_by"`
	}
	rule := ruleOf("gitlab approvals", r.gitlabShape([]string{"approved_by.user"}), "approved_by")
	if err := r.get(ctx, "approvals of "+r.path, rule, at+"/approvals", nil, &answer); err != nil {
		return nil, err
	}
	var list []approval
	for _, b := range answer.By {
		list = append(list, approval{who: b.User.Who, machine: b.User.Machine})
	}
	return list, nil
}

// gated says whether the last pipeline of a merge request passed.
func (r gitlabReading) gated(ctx context.Context, at string) (bool, error) {
	var answer struct {
		Head *struct {
			Status string `json:"status"`
		} `json:"head_pipeline"`
	}
	rule := ruleOf("gitlab merge request", newShape(nil, "head_pipeline.status"), "head_pipeline")
	if err := r.get(ctx, "pipeline of a merge request of "+r.path, rule, at, nil, &answer); err != nil {
		return false, err
	}
	return answer.Head != nil && answer.Head.Status == "success", nil
}

// remarks reads what was said about a merge request or an issue, oldest first. Notes of the system say what was done to it.
// Partial says that there may be more.
func (r gitlabReading) remarks(ctx context.Context, at string) (remarks []remark, partial bool, err error) {
	var list []struct {
		Author  gitlabAccount `json:"author"`
		Created time.Time     `json:"created_at"`
		System  bool          `json:"system"`
	}
	rule := ruleOf("gitlab notes", r.gitlabShape([]string{"author"}, "created_at", "system"), "author", "created_at", "system")
	q := url.Values{"sort": {"asc"}, "order_by": {"created_at"}, "per_page": {strconv.Itoa(remarksPage)}}
	if err := r.get(ctx, "notes of "+r.path, rule, at+"/notes", q, &list); err != nil {
		return nil, false, err
	}
	for _, n := range list {
		remarks = append(remarks, remark{at: n.Created, who: n.Author.Who, machine: n.Author.Machine || n.System})
	}
	return remarks, len(list) >= remarksPage, nil
}

// runs reads the pipelines of the default branch in the last 90 days.
func (r gitlabReading) runs(ctx context.Context, p gitlabProject) audit.Fact[scoring.Runs] {
	if p.DefaultBranch == nil {
		return failed[scoring.Runs](&trouble{reason: "the default branch is not known", settle: "a token that may read the project", origins: []audit.Origin{r.last}})
	}
	at := r.options.At
	r.seen = nil
	runs := scoring.Runs{System: "gitlab-ci", Where: *p.DefaultBranch, Whole: true}
	rule := ruleOf("gitlab pipelines", newShape(nil, "status", "created_at"), "status", "created_at")
	q := url.Values{"ref": {*p.DefaultBranch}, "updated_after": {at.AddDate(0, 0, -runsDays).UTC().Format(time.RFC3339)}, "per_page": {strconv.Itoa(gitlabPage)}}
	oldest := at
	for page := 1; ; page++ {
		q.Set("page", strconv.Itoa(page))
		var list []struct {
			Status  string    `json:"status"`
			Created time.Time `json:"created_at"`
		}
		if err := r.get(ctx, "pipelines of "+r.path, rule, "/pipelines", q, &list); err != nil {
			return failed[scoring.Runs](err)
		}
		for _, run := range list {
			if run.Created.After(at) || run.Created.Before(at.AddDate(0, 0, -runsDays)) {
				continue
			}
			if run.Created.Before(oldest) {
				oldest = run.Created
			}
			switch run.Status {
			case "success":
				runs.Succeeded, runs.Sample = runs.Succeeded+1, runs.Sample+1
			case "failed":
				runs.Sample++
			}
		}
		if len(list) < gitlabPage {
			break
		}
		if page == 10 {
			runs.Whole = false
			break
		}
	}
	if runs.Sample == 0 {
		return notTold[scoring.Runs]("no pipeline of the default branch ended in 90 days that anybody may see", "the address of the project's CI in the catalogue", r.last)
	}
	runs.Days = audit.Known(daysOf(oldest, at, runs.Whole), r.last)
	return audit.Known(runs, r.origins()...).Graded(audit.GradeForge, r.observed(), audit.Month)
}

// rules reads what protects the default branch.
func (r gitlabReading) rules(ctx context.Context, p gitlabProject, about audit.Origin) audit.Fact[scoring.Rules] {
	r.seen = nil
	out := scoring.Rules{ChecksRequired: told(p.Pipeline, "whether a merge needs a passed pipeline", about)}
	out.ForcePush = r.forcePush(ctx, p)
	out.ReviewRequired = r.reviewRequired(ctx)
	return audit.Known(out, append([]audit.Origin{about}, r.origins()...)...).Graded(audit.GradeForge, about.At, audit.Month)
}

// forcePush reads the protection of the default branch. GitLab answers "not found" for a branch without one, and for a
// caller who may not know, so that only a protection that is shown says anything.
func (r gitlabReading) forcePush(ctx context.Context, p gitlabProject) audit.Fact[bool] {
	if p.DefaultBranch == nil {
		return told[bool](nil, "the default branch", r.last)
	}
	var branch struct {
		Force *bool `json:"allow_force_push"`
	}
	rule := ruleOf("gitlab protected branch", newShape(nil, "name", "allow_force_push"), "name")
	err := r.get(ctx, "protection of the default branch of "+r.path, rule, "/protected_branches/"+url.PathEscape(*p.DefaultBranch), nil, &branch)
	if err != nil {
		return failed[bool](err)
	}
	return told(branch.Force, "whether forced pushes are allowed", r.last)
}

// reviewRequired reads the approval rules, which only paid editions have and only members see.
func (r gitlabReading) reviewRequired(ctx context.Context) audit.Fact[bool] {
	var settings struct {
		Author *bool `json:"merge_requests_author_approval"`
	}
	rule := ruleOf("gitlab approval settings", newShape(nil, "merge_requests_author_approval"), "merge_requests_author_approval")
	err := r.get(ctx, "approval settings of "+r.path, rule, "/approvals", nil, &settings)
	if err != nil {
		return failed[bool](paid(err))
	}
	var rules []struct {
		Required int `json:"approvals_required"`
	}
	rule = ruleOf("gitlab approval rules", newShape(nil, "approvals_required"), "approvals_required")
	if err := r.get(ctx, "approval rules of "+r.path, rule, "/approval_rules", url.Values{"per_page": {"100"}}, &rules); err != nil {
		return failed[bool](paid(err))
	}
	for _, x := range rules {
		if x.Required > 0 && settings.Author != nil {
			return audit.Known(x.Required > 1 || !*settings.Author, r.last)
		}
	}
	return audit.Known(false, r.last)
}

// paid explains why approval rules are rarely seen.
func paid(err error) error {
	var t *trouble
	if !errors.As(err, &t) || t.status < 400 || t.status > 499 || t.status == http.StatusTooManyRequests {
		return err
	}
	c := *t
	c.reason += "; approval rules are part of GitLab's paid editions and shown to members"
	return &c
}
