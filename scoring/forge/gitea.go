package forge

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	giteaapi "code.gitea.io/sdk/gitea"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// gitea reads Gitea and Forgejo by their REST interface, version 1 (go-gitea/gitea: templates/swagger/v1_json.tmpl). Of
// OpenDev's Gitea it reads the repository only: changes are proposed in Gerrit there.
type gitea struct{ *services }

func (gitea) name() string { return serviceGitea }

// read fills Home, Changes, Issues, Runs and Rules.
func (g gitea) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	host, path, ok := locate(p.Repo)
	service := hostedBy(g.options, p.Repo)
	owner, name, two := strings.Cut(path, "/")
	if g.options.Client == nil || !ok || !two || strings.Contains(name, "/") || service != serviceGitea && service != serviceOpenDev {
		return nil
	}
	if service == serviceOpenDev && e.Home.Unknown() != audit.MISS {
		return nil
	}
	d := g.desk(g.name(), "token", host)
	api, err := giteaapi.NewClient(d.base, giteaapi.SetHTTPClient(d.client()), giteaapi.SetGiteaVersion("")) // asks for no version
	if err != nil {
		return err
	}
	r := giteaReading{desk: d, api: api, owner: owner, repo: name, path: path}
	repo, err := r.repository(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && validPath(repo.FullName) && strings.Count(repo.FullName, "/") == 1 { // it may have moved
		r.path = repo.FullName
		r.owner, r.repo, _ = strings.Cut(repo.FullName, "/")
	}
	switch {
	case err != nil && service == serviceOpenDev:
		e.Home = failed[scoring.Home](err)
	case err != nil:
		failAll(e, err)
	case service == serviceOpenDev:
		e.Home = r.home(ctx, repo, r.last)
	default:
		return r.read(ctx, repo, e)
	}
	return ctx.Err()
}

// giteaReading asks one Gitea about one repository.
type giteaReading struct {
	*desk
	api         *giteaapi.Client
	owner, repo string
	path        string
}

// ask asks one question by Gitea's client.
func (r giteaReading) ask(ctx context.Context, what string, rule scoring.Redact, question func() error) error {
	return r.call(ctx, what+" of "+r.path, rule, func(ctx context.Context) error {
		r.api.SetContext(ctx)
		return question()
	})
}

// machinePrefix marks in a redacted answer of Gitea the login of a program. Its client knows accounts as objects with a
// login only.
const machinePrefix = "machine:"

// giteaShape makes a shape in which user objects at the given keys are replaced.
func (r giteaReading) giteaShape(people []string, paths ...string) *shape {
	for _, at := range people {
		paths = append(paths, at+"@", at+".login", at+".full_name", at+".id")
	}
	return newShape(func(_ []string, value any, _ map[string]any, person func(string) string) any {
		user, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		login, _ := user["login"].(string)
		display, _ := user["full_name"].(string)
		switch {
		case login == "" || strings.EqualFold(login, "ghost"): // who left: nobody knows
			return nil
		case machineName(login, display):
			return map[string]any{"login": machinePrefix + login}
		}
		return map[string]any{"login": person(r.host + "/" + strings.ToLower(login))}
	}, paths...)
}

// whoIs returns somebody in a redacted answer.
func whoIs(u *giteaapi.User) (who string, machine bool) {
	if u == nil {
		return "", false
	}
	login, machine := strings.CutPrefix(u.UserName, machinePrefix)
	return login, machine
}

// repository asks for the repository. Its record has to have the fields that are read as false where they are missing.
func (r giteaReading) repository(ctx context.Context) (repo *giteaapi.Repository, err error) {
	rule := ruleOf("gitea repository", newShape(nil, "full_name", "archived", "mirror", "original_url", "fork", "created_at", "default_branch", "stars_count", "forks_count",
		"licenses", "has_issues", "has_pull_requests", "open_issues_count", "open_pr_counter", "private", "internal"),
		"full_name", "archived", "mirror", "fork", "default_branch", "stars_count", "forks_count", "has_issues", "open_issues_count")
	err = r.ask(ctx, "record", rule, func() (err error) { repo, _, err = r.api.GetRepo(r.owner, r.repo); return err })
	return repo, err
}

// read fills what is not answered yet. Each fact is asked for by itself, so that one refusal spoils one fact.
func (r giteaReading) read(ctx context.Context, repo *giteaapi.Repository, e *scoring.Evidence) error {
	about := r.last
	if e.Home.Unknown() == audit.MISS {
		e.Home = r.home(ctx, repo, about)
	}
	if e.Changes.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Changes = r.changes(ctx, repo, about)
	}
	if e.Issues.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Issues = r.issues(ctx, repo, about)
	}
	if e.Runs.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Runs = r.runs(ctx, repo)
	}
	if e.Rules.Unknown() == audit.MISS && ctx.Err() == nil {
		e.Rules = r.rules(ctx, repo)
	}
	return ctx.Err()
}

// home says what the repository's record says, with requests more for the owner and the releases.
func (r giteaReading) home(ctx context.Context, repo *giteaapi.Repository, from audit.Origin) audit.Fact[scoring.Home] {
	h := scoring.Home{Forge: serviceGitea, Name: repo.FullName, Archived: audit.Known(repo.Archived, from), Fork: audit.Known(repo.Fork, from),
		DefaultBranch: audit.Known(repo.DefaultBranch, from), Stars: audit.Known(repo.Stars, from), Forks: audit.Known(repo.Forks, from)}
	switch {
	case !repo.Mirror:
		h.MirrorOf = audit.Known("", from)
	case repo.OriginalURL != "":
		h.MirrorOf = audit.Known(withoutUser(repo.OriginalURL), from)
	default:
		h.MirrorOf = notTold[string]("it is a mirror, but Gitea does not tell of what", "the catalogue", from)
	}
	h.Created = notTold[time.Time]("the forge does not tell", "the first commit", from)
	if !repo.Created.IsZero() {
		h.Created = audit.Known(repo.Created.UTC(), from)
	}
	h.Licence = notTold[string]("Gitea recognised no single licence", "the repository's files", from)
	if len(repo.Licenses) == 1 {
		h.Licence = audit.Known(repo.Licenses[0], from)
	}
	const untold = "Gitea does not tell"
	h.CodeOfConduct, h.Security = notTold[bool](untold, "the repository's files", from), notTold[bool](untold, "the repository's files", from)
	h.Funding = notTold[int](untold, "the repository's files", from)
	h.OwnerKind, h.Releases, h.Newcomers = r.ownerKind(ctx), r.releases(ctx), r.newcomers(ctx)
	return audit.Known(h, from).Graded(audit.GradeForge, r.timeOf(from), audit.Month)
}

// timeOf is when an answer was given.
func (d *desk) timeOf(o audit.Origin) time.Time {
	if o.At.IsZero() {
		return d.options.At
	}
	return o.At
}

// ownerKind asks whether the owner is an organisation: there is no such organisation if it is a person.
func (r giteaReading) ownerKind(ctx context.Context) audit.Fact[string] {
	rule := ruleOf("gitea organisation", newShape(nil, "visibility"), "visibility")
	err := r.ask(ctx, "owner", rule, func() error { _, _, err := r.api.GetOrg(r.owner); return err })
	switch {
	case err == nil:
		return audit.Known("organisation", r.last)
	case r.status == http.StatusNotFound:
		return audit.Known("person", r.last)
	}
	return failed[string](err)
}

// releases reads the newest 20 releases.
func (r giteaReading) releases(ctx context.Context) audit.Fact[[]scoring.Published] {
	var list []*giteaapi.Release
	rule := ruleOf("gitea releases", newShape(nil, "tag_name", "published_at", "prerelease", "draft", "assets.name"), "tag_name", "published_at", "prerelease")
	err := r.ask(ctx, "releases", rule, func() (err error) {
		list, _, err = r.api.ListReleases(r.owner, r.repo, giteaapi.ListReleasesOptions{ListOptions: giteaapi.ListOptions{Page: 1, PageSize: 20}})
		return err
	})
	if err != nil {
		return failed[[]scoring.Published](err)
	}
	releases := []scoring.Published{}
	for _, l := range list {
		if l == nil || l.IsDraft {
			continue
		}
		p := scoring.Published{Tag: l.TagName, At: l.PublishedAt.UTC(), Prerelease: l.IsPrerelease}
		for _, a := range l.Attachments {
			if a != nil {
				p.Assets = counted(p.Assets, a.Name)
			}
		}
		releases = append(releases, p)
	}
	return audit.Known(releases, r.last)
}

// newcomers counts the labels that invite newcomers.
func (r giteaReading) newcomers(ctx context.Context) audit.Fact[int] {
	var list []*giteaapi.Label
	rule := ruleOf("gitea labels", newShape(nil, "name"), "name")
	err := r.ask(ctx, "labels", rule, func() (err error) {
		list, _, err = r.api.ListRepoLabels(r.owner, r.repo, giteaapi.ListLabelsOptions{ListOptions: giteaapi.ListOptions{Page: 1, PageSize: giteaPage}})
		return err
	})
	if err != nil {
		return failed[int](err)
	}
	n := 0
	for _, l := range list {
		if l != nil && invites(l.Name) {
			n++
		}
	}
	if total, ok := r.totalCount(); n == 0 && (!ok || total > len(list)) && len(list) > 0 {
		return notTold[int]("none of the first labels invites newcomers", "a reader of more labels", r.last)
	}
	return audit.Known(n, r.last)
}

const (
	giteaPage  = 50 // the most that a Gitea gives at a time by default (MAX_RESPONSE_ITEMS)
	giteaPages = 100
)

// totalCount returns how many the last list has in all, if the server said so.
func (d *desk) totalCount() (int, bool) {
	n, err := strconv.Atoi(d.header.Get("X-Total-Count"))
	return n, err == nil && n >= 0
}

// paged asks for pages until one is empty or so many were had as there are: a server may give fewer than asked for. More
// is called with the number of the page and returns how many it brought, and whether enough was read.
func (r giteaReading) paged(more func(page int) (n int, enough bool, err error)) (whole bool, err error) {
	had := 0
	for page := 1; page <= giteaPages; page++ {
		n, enough, err := more(page)
		if err != nil {
			return false, err
		}
		had += n
		if total, ok := r.totalCount(); n == 0 || enough || ok && had >= total {
			return true, nil
		}
	}
	return false, nil
}

// changes reads the pull requests touched in 24 months, those last touched first, and looks at some one by one.
func (r giteaReading) changes(ctx context.Context, repo *giteaapi.Repository, about audit.Origin) audit.Fact[scoring.Changes] {
	at := r.options.At
	r.seen = nil
	l := log{forge: serviceGitea, at: at, organisations: &trouble{reason: "Gitea shows no addresses, by which organisations are known", settle: "affiliations by login", origins: []audit.Origin{about}}}
	rule := ruleOf("gitea pull requests", r.giteaShape([]string{"user", "merged_by"}, "number", "state", "merged", "merged_at", "closed_at", "created_at", "updated_at", "comments", "head.sha"),
		"number", "state", "merged", "created_at", "updated_at", "user")
	heads := map[int64]string{}
	var oldest time.Time
	whole, err := r.paged(func(page int) (n int, enough bool, err error) {
		var list []*giteaapi.PullRequest
		err = r.ask(ctx, "pull requests", rule, func() (err error) {
			list, _, err = r.api.ListRepoPullRequests(r.owner, r.repo, giteaapi.ListPullRequestsOptions{ListOptions: giteaapi.ListOptions{Page: page, PageSize: giteaPage},
				State: giteaapi.StateAll, Sort: "recentupdate"})
			return err
		})
		for _, pr := range list {
			if pr == nil || pr.Created == nil || pr.Updated == nil {
				continue
			}
			l.list = append(l.list, giteaProposal(pr))
			if pr.Head != nil {
				heads[pr.Index] = pr.Head.Sha
			}
			oldest = *pr.Updated
			enough = oldest.Before(since(at, 24))
		}
		return len(list), enough, err
	})
	if err != nil {
		return failed[scoring.Changes](err)
	}
	if !whole {
		l.since = oldest
	}
	listed := r.observed()
	l.open = audit.Known(repo.OpenPulls, about)
	r.look(ctx, &l, heads)
	l.origins = r.origins()
	return audit.Known(l.changes(), l.origins...).Graded(audit.GradeForge, listed, audit.Month)
}

// giteaProposal turns a pull request into what all forges have.
func giteaProposal(pr *giteaapi.PullRequest) proposal {
	p := proposal{number: pr.Index, opened: *pr.Created, merged: pr.HasMerged, open: pr.State == giteaapi.StateOpen}
	p.author, p.machine = whoIs(pr.Poster)
	p.merger, p.mergerMachine = whoIs(pr.MergedBy)
	switch {
	case p.merged && pr.Merged != nil:
		p.closed = *pr.Merged
	case !p.open && pr.Closed != nil:
		p.closed = *pr.Closed
	case !p.open:
		p.closed = *pr.Updated
	}
	return p
}

// look reads reviews, comments and tests of a sample.
func (r giteaReading) look(ctx context.Context, l *log, heads map[int64]string) {
	for _, i := range sampled(l.list, l.at) {
		p := &l.list[i]
		if l.reviews == nil {
			var reviews []remark
			p.approvals, reviews, l.reviews = r.reviews(ctx, p.number)
			p.remarks, p.partial = append(p.remarks, reviews...), len(reviews) >= giteaPage
		}
		if l.answers == nil {
			comments, partial, err := r.comments(ctx, p.number)
			p.remarks, p.partial, l.answers = append(p.remarks, comments...), p.partial || partial, err
		}
		if l.gates == nil && p.merged {
			p.gated, l.gates = r.gated(ctx, heads[p.number])
		}
		if l.mergers == nil && p.merged && p.merger == "" { // Gitea's list does not say who merged
			p.merger, p.mergerMachine, l.mergers = r.merger(ctx, p.number)
		}
		if ctx.Err() != nil {
			return
		}
		p.looked = true
	}
	if l.answers == nil {
		l.answers = l.reviews // a review is an answer too
	}
}

// reviews reads who approved a pull request, and when anybody reviewed it.
func (r giteaReading) reviews(ctx context.Context, number int64) (approvals []approval, remarks []remark, err error) {
	var list []*giteaapi.PullReview
	rule := ruleOf("gitea reviews", r.giteaShape([]string{"user"}, "state", "submitted_at", "dismissed"), "state", "submitted_at", "user")
	err = r.ask(ctx, "reviews of a pull request", rule, func() (err error) {
		list, _, err = r.api.ListPullReviews(r.owner, r.repo, number, giteaapi.ListPullReviewsOptions{ListOptions: giteaapi.ListOptions{Page: 1, PageSize: giteaPage}})
		return err
	})
	for _, v := range list {
		if v == nil {
			continue
		}
		who, machine := whoIs(v.Reviewer)
		switch {
		case v.State == giteaapi.ReviewStateRequestReview || v.State == giteaapi.ReviewStatePending:
			continue // somebody was asked, or has not sent it yet
		case v.State == giteaapi.ReviewStateApproved && !v.Dismissed:
			approvals = append(approvals, approval{who: who, machine: machine})
		}
		remarks = append(remarks, remark{at: v.Submitted, who: who, machine: machine})
	}
	return approvals, remarks, err
}

// merger asks who merged a pull request.
func (r giteaReading) merger(ctx context.Context, number int64) (who string, machine bool, err error) {
	var pr *giteaapi.PullRequest
	rule := ruleOf("gitea pull request", r.giteaShape([]string{"merged_by"}, "merged"), "merged", "merged_by")
	err = r.ask(ctx, "pull request", rule, func() (err error) { pr, _, err = r.api.GetPullRequest(r.owner, r.repo, number); return err })
	if err == nil {
		who, machine = whoIs(pr.MergedBy)
	}
	return who, machine, err
}

// comments reads what was said about a pull request or an issue, oldest first. Partial says that there may be more.
func (r giteaReading) comments(ctx context.Context, number int64) (remarks []remark, partial bool, err error) {
	var list []*giteaapi.Comment
	rule := ruleOf("gitea comments", r.giteaShape([]string{"user"}, "created_at"), "created_at", "user")
	err = r.ask(ctx, "comments", rule, func() (err error) {
		list, _, err = r.api.ListIssueComments(r.owner, r.repo, number, giteaapi.ListIssueCommentOptions{ListOptions: giteaapi.ListOptions{Page: 1, PageSize: giteaPage}})
		return err
	})
	for _, c := range list {
		if c != nil {
			who, machine := whoIs(c.Poster)
			remarks = append(remarks, remark{at: c.Created, who: who, machine: machine})
		}
	}
	total, told := r.totalCount()
	return remarks, told && total > len(list) || !told && len(list) == giteaPage, err
}

// gated says whether tests of the last commit of a pull request passed.
func (r giteaReading) gated(ctx context.Context, sha string) (bool, error) {
	if sha == "" {
		return false, &trouble{reason: "Gitea does not tell which commit was merged", settle: "a newer version of the service", origins: []audit.Origin{r.last}}
	}
	var status *giteaapi.CombinedStatus
	rule := ruleOf("gitea status", newShape(nil, "state", "total_count"), "state", "total_count")
	err := r.ask(ctx, "tests of a commit", rule, func() (err error) {
		status, _, err = r.api.GetCombinedStatus(r.owner, r.repo, sha)
		return err
	})
	return err == nil && status.TotalCount > 0 && status.State == giteaapi.StatusSuccess, err
}

// issues reads the issues touched in 12 months, and what was said about the newest.
func (r giteaReading) issues(ctx context.Context, repo *giteaapi.Repository, about audit.Origin) audit.Fact[scoring.Issues] {
	if !repo.HasIssues {
		return notTold[scoring.Issues]("the repository has switched Gitea's issues off", "the tracker's address in the catalogue", about)
	}
	at := r.options.At
	r.seen = nil
	out := scoring.Issues{Tracker: serviceGitea, Public: audit.Known(!repo.Private && !repo.Internal, about), Open: audit.Known(repo.OpenIssues, about)}
	rule := ruleOf("gitea issues", r.giteaShape([]string{"user"}, "number", "state", "created_at", "closed_at", "comments"), "number", "state", "created_at", "closed_at", "comments", "user")
	t := tickets{at: at}
	opened, closed := 0, 0
	whole, err := r.paged(func(page int) (n int, enough bool, err error) {
		list, err := r.issuePage(ctx, rule, giteaapi.ListIssueOption{ListOptions: giteaapi.ListOptions{Page: page, PageSize: giteaPage},
			State: giteaapi.StateAll, Type: giteaapi.IssueTypeIssue, Since: since(at, 12)})
		for _, i := range list {
			who, machine := whoIs(i.Poster)
			t.list = append(t.list, ticket{number: i.Index, author: who, machine: machine, opened: i.Created, silent: i.Comments == 0})
			if within(i.Created, at, 12) {
				opened++
			}
			if i.Closed != nil && within(*i.Closed, at, 12) {
				closed++
			}
		}
		return len(list), false, err
	})
	if err != nil {
		return failed[scoring.Issues](err)
	}
	listed := r.observed()
	t.origin, t.whole = r.last, whole
	out.Opened12m, out.Closed12m = audit.Known(opened, r.last), audit.Known(closed, r.last)
	if !whole {
		why := &trouble{reason: "more issues were touched in 12 months than were listed", settle: "a reader of more pages", origins: []audit.Origin{r.last}}
		out.Opened12m, out.Closed12m = failed[int](why), failed[int](why)
	}
	out.MedianAge = r.medianAge(ctx, rule, repo.OpenIssues)
	t.answers(&out, func(number int64) ([]remark, bool, error) { return r.comments(ctx, number) })
	return audit.Known(out, r.origins()...).Graded(audit.GradeForge, listed, audit.Month)
}

// issuePage asks for a page of issues.
func (r giteaReading) issuePage(ctx context.Context, rule scoring.Redact, opt giteaapi.ListIssueOption) (list []*giteaapi.Issue, err error) {
	err = r.ask(ctx, "issues", rule, func() (err error) {
		list, _, err = r.api.ListRepoIssues(r.owner, r.repo, opt)
		return err
	})
	kept := list[:0]
	for _, i := range list {
		if i != nil {
			kept = append(kept, i)
		}
	}
	return kept, err
}

// medianAge finds the open issue in the middle of all, which are listed by date of creation.
func (r giteaReading) medianAge(ctx context.Context, rule scoring.Redact, open int) audit.Fact[int64] {
	if open == 0 {
		return notTold[int64]("no issue is open", "", r.last)
	}
	list, err := r.issuePage(ctx, rule, giteaapi.ListIssueOption{ListOptions: giteaapi.ListOptions{Page: (open + 1) / 2, PageSize: 1}, State: giteaapi.StateOpen, Type: giteaapi.IssueTypeIssue})
	if err != nil {
		return failed[int64](err)
	}
	if len(list) == 0 {
		return notTold[int64]("the issue in the middle was not shown", "run again", r.last)
	}
	return audit.Known(max(0, int64(r.options.At.Sub(list[0].Created)/time.Second)), r.last)
}

// runs reads the runs of Gitea's own CI on the default branch (Gitea 1.25 and newer).
func (r giteaReading) runs(ctx context.Context, repo *giteaapi.Repository) audit.Fact[scoring.Runs] {
	at := r.options.At
	r.seen = nil
	runs := scoring.Runs{System: "gitea-actions", Where: repo.DefaultBranch}
	rule := ruleOf("gitea runs", newShape(nil, "total_count", "workflow_runs.status", "workflow_runs.conclusion", "workflow_runs.completed_at"), "total_count", "workflow_runs")
	oldest, had := at, 0
	whole, err := r.paged(func(page int) (n int, enough bool, err error) {
		var answer *giteaapi.ActionWorkflowRunsResponse
		err = r.ask(ctx, "runs", rule, func() (err error) {
			answer, _, err = r.api.ListRepoActionRuns(r.owner, r.repo, giteaapi.ListRepoActionRunsOptions{ListOptions: giteaapi.ListOptions{Page: page, PageSize: giteaPage}, Branch: repo.DefaultBranch})
			return err
		})
		if err != nil {
			return 0, false, err
		}
		for _, run := range answer.WorkflowRuns {
			if run == nil || run.Status != "completed" || run.CompletedAt.After(at) {
				continue
			}
			if run.CompletedAt.Before(at.AddDate(0, 0, -runsDays)) {
				enough = true // newest first
				continue
			}
			if run.CompletedAt.Before(oldest) {
				oldest = run.CompletedAt
			}
			switch run.Conclusion {
			case "success":
				runs.Succeeded, runs.Sample = runs.Succeeded+1, runs.Sample+1
			case "failure":
				runs.Sample++
			}
		}
		had += len(answer.WorkflowRuns)
		return len(answer.WorkflowRuns), enough || had >= int(answer.TotalCount), nil
	})
	if err != nil {
		return failed[scoring.Runs](err)
	}
	if runs.Whole = whole; runs.Sample == 0 {
		return notTold[scoring.Runs]("no run on the default branch ended in 90 days", "the address of the project's CI in the catalogue", r.last)
	}
	runs.Days = audit.Known(daysOf(oldest, at, whole), r.last)
	return audit.Known(runs, r.origins()...).Graded(audit.GradeForge, r.observed(), audit.Month)
}

// rules reads what everybody may know of the protection of the default branch.
func (r giteaReading) rules(ctx context.Context, repo *giteaapi.Repository) audit.Fact[scoring.Rules] {
	var branch *giteaapi.Branch
	rule := ruleOf("gitea branch", newShape(nil, "name", "protected", "required_approvals", "enable_status_check"), "name", "protected", "required_approvals", "enable_status_check")
	err := r.ask(ctx, "default branch", rule, func() (err error) {
		branch, _, err = r.api.GetRepoBranch(r.owner, r.repo, repo.DefaultBranch)
		return err
	})
	if err != nil {
		return failed[scoring.Rules](err)
	}
	out := scoring.Rules{ForcePush: audit.Known(true, r.last), // who may write to a branch without protection may do so by force
		ReviewRequired: audit.Known(branch.Protected && branch.RequiredApprovals > 0, r.last), // Gitea refuses to let authors approve
		ChecksRequired: audit.Known(branch.Protected && branch.EnableStatusCheck, r.last)}
	if branch.Protected {
		out.ForcePush = notTold[bool]("the branch is protected, but whether forced pushes are allowed is shown to administrators only", "a token of an administrator", r.last)
	}
	return audit.Known(out, r.last).Graded(audit.GradeForge, r.observed(), audit.Month)
}

// withoutUser removes credentials from an address that a forge shows.
func withoutUser(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end] // some hosts take tokens there
	}
	authority, path, slash := strings.Cut(rest, "/")
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if slash {
		path = "/" + path
	}
	return scheme + "://" + authority + path
}
