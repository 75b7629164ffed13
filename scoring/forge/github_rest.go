package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v66/github"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// What a query cannot answer is asked by single calls: workflow runs, and, where the query found none, the code of conduct
// of the community profile and whether private reports of vulnerabilities are taken.

// runWindow is the period of MA-08, and runPage how many runs one call reads. GitHub gives up to 100, but describes each run
// with two repositories and a commit: 50 are already the largest answer of all.
const (
	runWindow = 90 * 24 * time.Hour
	runPage   = 50
)

// read fills in the facts about a project on GitHub.
func (g *gitHub) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	a, ok := g.served(p)
	if !ok || g.options.Client == nil {
		return nil
	}
	s, err := g.site(a.host)
	if err != nil {
		nothing(e, &repository{at: a, failure: err.Error(), settle: "correct the settings of " + a.host})
		return nil
	}
	if s.anonymous {
		return g.readAnonymous(ctx, s, a, e)
	}
	r, err := g.repository(ctx, s, a)
	if err != nil {
		return err
	}
	if r.failure != "" {
		nothing(e, r)
		return nil
	}
	home := r.home
	if now, ok := nameOf(r); ok {
		a.owner, a.name = now.owner, now.name // a moved repository is asked where it is
	}
	if home.CodeOfConduct.Unknown() == audit.MISS {
		home.CodeOfConduct = g.codeOfConduct(ctx, s, r, a)
	}
	if shown, ok := home.Security.Get(); !ok || !shown {
		home.Security = g.privateReports(ctx, s, r, a)
	}
	put(&e.Home, fact(r, home))
	put(&e.Changes, fact(r, r.changeFacts))
	put(&e.Issues, r.issues())
	put(&e.Rules, r.rules)
	if e.Runs.Value == nil {
		put(&e.Runs, g.runs(ctx, s, r, a))
	}
	return ctx.Err()
}

// put keeps what another service has answered, and the first reason why none could.
func put[T any](to *audit.Fact[T], f audit.Fact[T]) {
	if to.Value == nil && (f.Value != nil || to.Failure == "") {
		*to = f
	}
}

// nothing says of every fact why it could not be read.
func nothing(e *scoring.Evidence, r *repository) {
	put(&e.Home, unread[scoring.Home](r, r.failure, r.settle))
	put(&e.Changes, unread[scoring.Changes](r, r.failure, r.settle))
	put(&e.Issues, unread[scoring.Issues](r, r.failure, r.settle))
	put(&e.Rules, unread[scoring.Rules](r, r.failure, r.settle))
	put(&e.Runs, unread[scoring.Runs](r, r.failure, r.settle))
}

// issues returns the facts of the tracker, if there is one.
func (r *repository) issues() audit.Fact[scoring.Issues] {
	if r.issuesOff {
		return unread[scoring.Issues](r, "the project has switched issues off at GitHub: its tracker is elsewhere", "name its tracker in the catalogue")
	}
	return fact(r, r.issueFacts)
}

// nameOf returns where a repository lives now.
func nameOf(r *repository) (address, bool) {
	owner, name, ok := cutLast(r.home.Name)
	return address{r.at.host, owner, name}, ok && ownerName.MatchString(owner) && repositoryName.MatchString(name)
}

// cutLast cuts owner/name.
func cutLast(full string) (owner, name string, ok bool) {
	for i, c := range full {
		if c == '/' {
			return full[:i], full[i+1:], true
		}
	}
	return "", "", false
}

// repository returns what Prefetch loaded, or asks for this one alone.
func (g *gitHub) repository(ctx context.Context, s *site, a address) (*repository, error) {
	g.mu.Lock()
	r, ok := g.loaded[a.key()]
	g.mu.Unlock()
	if ok {
		return r, nil
	}
	if err := g.load(ctx, s, []address{a}); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.loaded[a.key()], nil
}

// call asks for one thing by REST; origin is where the answer came from. A status that is no success is an error.
func (g *gitHub) call(ctx context.Context, s *site, name, path string, shape *shape, into any) (audit.Origin, error) {
	origin := audit.Origin{Source: g.name(), URL: s.rest.BaseURL.String() + path}
	ctx = scoring.WithRedact(ctx, scoring.Redact{Name: "github " + name, Do: shape.redact}, &scoring.People{})
	req, err := s.rest.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return origin, err
	}
	resp, err := s.rest.Do(ctx, req, into)
	if resp != nil && resp.Response != nil {
		asked := origin.URL
		origin = scoring.OriginOf(g.name(), resp.Response)
		if origin.URL == "" {
			origin.URL = asked
		}
	}
	var refused *github.ErrorResponse
	var limit *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	var accepted *github.AcceptedError
	switch {
	case errors.As(err, &refused):
		return origin, &statusError{s.api, refused.Response.StatusCode}
	case errors.As(err, &limit), errors.As(err, &abuse):
		return origin, &spentError{until: g.options.Now().Add(pauseDefault)}
	case errors.As(err, &accepted):
		return origin, errors.New("GitHub is still working out the answer")
	}
	return origin, err
}

// from returns the repository as another answer tells of it.
func (r *repository) from(o audit.Origin) *repository {
	return &repository{at: r.at, service: r.service, origin: o}
}

// codeOfConduct asks the community profile, which also finds texts that GitHub does not recognise. Forks have none.
func (g *gitHub) codeOfConduct(ctx context.Context, s *site, r *repository, a address) audit.Fact[bool] {
	var profile struct {
		Files *struct {
			Code *struct{} `json:"code_of_conduct"`
			File *struct{} `json:"code_of_conduct_file"`
		} `json:"files"`
	}
	// Nothing of the two objects is kept but that they are there.
	keep := newShape(nil, "files.code_of_conduct.key", "files.code_of_conduct_file.none")
	o, err := g.call(ctx, s, "community profile", "repos/"+a.owner+"/"+a.name+"/community/profile", keep, &profile)
	switch {
	case err != nil:
		reason, settle := reasonOf(err)
		return unread[bool](r.from(o), reason, settle)
	case profile.Files == nil:
		return unread[bool](r.from(o), because(""), "run again")
	}
	return fact(r.from(o), profile.Files.Code != nil || profile.Files.File != nil)
}

// privateReports asks whether anybody may report a vulnerability in private. Where there is no policy either, the answer no
// is known only if both were answered.
func (g *gitHub) privateReports(ctx context.Context, s *site, r *repository, a address) audit.Fact[bool] {
	var answer struct {
		Enabled *bool `json:"enabled"`
	}
	o, err := g.call(ctx, s, "private reports", "repos/"+a.owner+"/"+a.name+"/private-vulnerability-reporting", newShape(nil, "enabled"), &answer)
	switch {
	case err != nil:
		reason, settle := reasonOf(err)
		return unread[bool](r.from(o), "no security policy is shown; whether private reports are taken: "+reason, settle)
	case answer.Enabled == nil:
		return unread[bool](r.from(o), because(""), "run again")
	case !*answer.Enabled && r.home.Security.Value == nil:
		return r.home.Security
	}
	return fact(r.from(o), *answer.Enabled)
}

// runAnswer is a page of workflow runs.
type runAnswer struct {
	TotalCount *int `json:"total_count"`
	Runs       []struct {
		Conclusion string    `json:"conclusion"`
		Event      string    `json:"event"`
		CreatedAt  time.Time `json:"created_at"`
	} `json:"workflow_runs"`
}

// runs asks how the newest workflow runs on the default branch ended. Runs for pull requests are left out: a branch of a
// fork may have the same name.
func (g *gitHub) runs(ctx context.Context, s *site, r *repository, a address) audit.Fact[scoring.Runs] {
	if r.branch == "" {
		return unread[scoring.Runs](r, "the repository has no default branch that is known", "")
	}
	at := g.options.At
	from := at.Add(-runWindow)
	q := url.Values{
		"branch": {r.branch}, "status": {"completed"}, "exclude_pull_requests": {"true"}, "per_page": {fmt.Sprint(runPage)},
		"created": {from.UTC().Format(time.DateOnly) + ".." + at.UTC().Format(time.DateOnly)},
	}
	keep := newShape(nil, "total_count", "workflow_runs.conclusion", "workflow_runs.event", "workflow_runs.created_at")
	var answer runAnswer
	o, err := g.call(ctx, s, "workflow runs", "repos/"+a.owner+"/"+a.name+"/actions/runs?"+q.Encode(), keep, &answer)
	there := r.from(o)
	switch {
	case err != nil:
		reason, settle := reasonOf(err)
		return unread[scoring.Runs](there, reason, settle)
	case answer.TotalCount == nil:
		return unread[scoring.Runs](there, because(""), "run again")
	}
	runs := scoring.Runs{System: "github-actions", Where: r.branch, Whole: *answer.TotalCount <= len(answer.Runs)}
	oldest := at
	for _, run := range answer.Runs {
		if run.CreatedAt.Before(from) || run.CreatedAt.After(at) || !ofBranch(run.Event) {
			continue
		}
		switch run.Conclusion {
		case "success":
			runs.Succeeded++
		case "failure", "timed_out", "startup_failure":
		default:
			continue // skipped, cancelled, neutral: they say nothing
		}
		runs.Sample++
		if run.CreatedAt.Before(oldest) {
			oldest = run.CreatedAt
		}
	}
	if runs.Sample == 0 {
		return unread[scoring.Runs](there, fmt.Sprintf("no workflow ended on branch %q in 90 days: CI may run elsewhere", r.branch), "name the project's CI system in the catalogue")
	}
	days := int(at.Sub(oldest)/(24*time.Hour)) + 1
	if runs.Whole {
		days = int(runWindow / (24 * time.Hour))
	}
	runs.Days = fact(there, min(days, int(runWindow/(24*time.Hour))))
	return fact(there, runs)
}

// ofBranch says that an event is one of the branch itself.
func ofBranch(event string) bool {
	switch event {
	case "push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group", "workflow_run", "release", "dynamic":
		return true
	}
	return false
}

// What a token would settle, where there is none.
const (
	needsToken = "GitHub answers this only to a token"
	giveToken  = "give a token for GitHub; it needs no rights"
)

// restRepository is a repository as REST tells of it.
type restRepository struct {
	FullName      string    `json:"full_name"`
	Archived      *bool     `json:"archived"`
	Fork          *bool     `json:"fork"`
	Private       *bool     `json:"private"`
	MirrorURL     string    `json:"mirror_url"`
	CreatedAt     time.Time `json:"created_at"`
	DefaultBranch string    `json:"default_branch"`
	Stars         *int      `json:"stargazers_count"`
	Forks         *int      `json:"forks_count"`
	HasIssues     *bool     `json:"has_issues"`
	License       *struct {
		SPDX string `json:"spdx_id"`
	} `json:"license"`
	Owner *struct {
		Type string `json:"type"`
	} `json:"owner"`
}

// readAnonymous asks for what one call without a token tells. GitHub allows 60 of them an hour.
func (g *gitHub) readAnonymous(ctx context.Context, s *site, a address, e *scoring.Evidence) error {
	keep := newShape(nil, "full_name", "archived", "fork", "private", "mirror_url", "created_at", "default_branch", "stargazers_count", "forks_count", "has_issues", "license.spdx_id", "owner.type")
	var answer restRepository
	o, err := g.call(ctx, s, "repository", "repos/"+a.owner+"/"+a.name, keep, &answer)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r := &repository{at: a, service: g.name(), origin: o}
	var status *statusError
	switch {
	case errors.As(err, &status) && status.status == http.StatusNotFound:
		r.failure, r.settle = because("NOT_FOUND"), "correct the address of the repository, or give a token that may read it"
	case err != nil:
		r.failure, r.settle = reasonOf(err)
		if _, spent := errors.AsType[*spentError](err); spent {
			r.settle = giveToken + "; without one GitHub takes 60 calls an hour"
		}
	case answer.FullName == "":
		r.failure, r.settle = "GitHub's answer names no repository", "run again"
	}
	if r.failure != "" {
		nothing(e, r)
		return nil
	}
	put(&e.Home, fact(r, r.anonymousHome(answer, g.options.At)))
	issues := unread[scoring.Issues](r, needsToken, giveToken)
	if answer.HasIssues != nil && !*answer.HasIssues {
		r.issuesOff = true
		issues = r.issues()
	}
	put(&e.Issues, issues)
	put(&e.Changes, unread[scoring.Changes](r, needsToken, giveToken))
	put(&e.Rules, unread[scoring.Rules](r, needsToken, giveToken))
	put(&e.Runs, unread[scoring.Runs](r, "not asked: without a token GitHub takes only 60 calls an hour", giveToken))
	return nil
}

// anonymousHome makes the facts of a repository that need no token.
func (r *repository) anonymousHome(n restRepository, at time.Time) scoring.Home {
	g := graphRepository{CreatedAt: n.CreatedAt, MirrorURL: n.MirrorURL}
	mirror := n.MirrorURL != ""
	g.IsMirror = &mirror
	if n.License != nil {
		g.LicenseInfo = &struct {
			SPDX string `json:"spdxId"`
		}{n.License.SPDX}
	}
	if n.Owner != nil {
		g.Owner = &struct {
			Kind string `json:"__typename"`
		}{n.Owner.Type}
	}
	h := scoring.Home{Forge: r.service, Name: n.FullName}
	h.Archived, h.Fork = state(r, at, "archived", n.Archived), state(r, at, "fork", n.Fork)
	h.Stars, h.Forks = state(r, at, "stargazers_count", n.Stars), state(r, at, "forks_count", n.Forks)
	h.MirrorOf, h.Licence, h.OwnerKind = r.mirror(&g, at), r.licence(&g, at), r.ownerKind(&g)
	h.Created = unread[time.Time](r, because(""), "")
	if !n.CreatedAt.IsZero() {
		h.Created = fact(r, n.CreatedAt.UTC())
	}
	var branch *string
	if n.DefaultBranch != "" {
		branch = &n.DefaultBranch
	}
	h.DefaultBranch = state(r, at, "default_branch", branch)
	h.CodeOfConduct, h.Security = unread[bool](r, needsToken, giveToken), unread[bool](r, needsToken, giveToken)
	h.Newcomers, h.Funding = unread[int](r, needsToken, giveToken), unread[int](r, needsToken, giveToken)
	h.Releases = unread[[]scoring.Published](r, needsToken, giveToken)
	return h
}
