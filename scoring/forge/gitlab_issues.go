package forge

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// gitlabIssue is an issue as it was redacted.
type gitlabIssue struct {
	IID     int64         `json:"iid"`
	Created time.Time     `json:"created_at"`
	Updated time.Time     `json:"updated_at"`
	Closed  *time.Time    `json:"closed_at"`
	Author  gitlabAccount `json:"author"`
	Notes   *int          `json:"user_notes_count"`
}

// issues reads the issues touched in 12 months, those last touched first, and what was said about the newest.
func (r gitlabReading) issues(ctx context.Context, p gitlabProject, about audit.Origin) audit.Fact[scoring.Issues] {
	at := r.options.At
	r.seen = nil
	out := scoring.Issues{Tracker: serviceGitLab}
	if p.IssuesLevel != nil && *p.IssuesLevel == "disabled" {
		return notTold[scoring.Issues]("the project has switched GitLab's issues off", "the tracker's address in the catalogue", about)
	}
	list, from, err := r.issueList(ctx, at)
	if err != nil {
		return failed[scoring.Issues](err)
	}
	listed, last := r.observed(), r.last
	out.Public = r.public(p, last)
	out.Open = r.openIssues(ctx)
	out.Opened12m, out.Closed12m = audit.Known(countIssues(list, at, true), last), audit.Known(countIssues(list, at, false), last)
	if from.After(since(at, 12)) {
		why := &trouble{reason: "only the issues touched since " + from.Format(time.DateOnly) + " were listed", settle: "a token, which may list more", origins: []audit.Origin{last}}
		out.Opened12m, out.Closed12m = failed[int](why), failed[int](why)
	}
	out.MedianAge = r.medianAge(ctx, at, out.Open)
	t := tickets{at: at, whole: !from.After(since(at, 3)), origin: last}
	for _, i := range list {
		t.list = append(t.list, ticket{number: i.IID, author: i.Author.Who, machine: i.Author.Machine, opened: i.Created, silent: i.Notes != nil && *i.Notes == 0})
	}
	t.answers(&out, func(number int64) ([]remark, bool, error) {
		return r.remarks(ctx, "/issues/"+strconv.FormatInt(number, 10))
	})
	return audit.Known(out, r.origins()...).Graded(audit.GradeForge, listed, audit.Month)
}

// issueList reads the list. From is since when it is whole.
func (r gitlabReading) issueList(ctx context.Context, at time.Time) (all []gitlabIssue, from time.Time, err error) {
	rule := ruleOf("gitlab issues", r.gitlabShape([]string{"author"}, "iid", "created_at", "updated_at", "closed_at", "user_notes_count"), "iid", "created_at", "updated_at", "author", "closed_at")
	q := url.Values{"scope": {"all"}, "state": {"all"}, "order_by": {"updated_at"}, "sort": {"desc"}, "per_page": {strconv.Itoa(gitlabPage)},
		"updated_after": {since(at, 12).UTC().Format(time.RFC3339)}}
	for page := 1; page <= gitlabPages; page++ {
		q.Set("page", strconv.Itoa(page))
		var list []gitlabIssue
		if err := r.get(ctx, "issues of "+r.path, rule, "/issues", q, &list); err != nil {
			return nil, time.Time{}, err
		}
		if all = append(all, list...); len(list) < gitlabPage {
			return all, time.Time{}, nil
		}
		from = list[len(list)-1].Updated
	}
	return all, from, nil
}

func countIssues(list []gitlabIssue, at time.Time, opened bool) (n int) {
	for _, i := range list {
		if opened && within(i.Created, at, 12) || !opened && i.Closed != nil && within(*i.Closed, at, 12) {
			n++
		}
	}
	return n
}

// public says whether anybody may open an issue. Where the answer does not tell, a list that was read without a token
// shows it.
func (r gitlabReading) public(p gitlabProject, from audit.Origin) audit.Fact[bool] {
	if p.Visibility != nil && p.IssuesLevel != nil {
		return audit.Known(*p.Visibility == "public" && *p.IssuesLevel == "enabled", from)
	}
	if r.options.Tokens == nil || len(r.options.Tokens(r.host)) == 0 {
		return audit.Known(true, from)
	}
	return told[bool](nil, "who may open issues", from)
}

// openIssues asks for the statistics, or else for the total of a list.
func (r gitlabReading) openIssues(ctx context.Context) audit.Fact[int] {
	var answer struct {
		Statistics struct {
			Counts struct {
				Opened *int `json:"opened"`
			} `json:"counts"`
		} `json:"statistics"`
	}
	rule := ruleOf("gitlab issue statistics", newShape(nil, "statistics.counts.opened"), "statistics")
	err := r.get(ctx, "issue statistics of "+r.path, rule, "/issues_statistics", url.Values{"scope": {"all"}}, &answer)
	if n := answer.Statistics.Counts.Opened; err == nil && n != nil {
		return audit.Known(*n, r.last)
	}
	return r.total(ctx, "open issues of "+r.path, "/issues", url.Values{"scope": {"all"}, "state": {"opened"}, "per_page": {"1"}})
}

// medianAge finds the open issue in the middle of all by date of creation.
func (r gitlabReading) medianAge(ctx context.Context, at time.Time, open audit.Fact[int]) audit.Fact[int64] {
	n, ok := open.Get()
	if !ok {
		return audit.Fact[int64]{Failure: open.Failure, Settle: open.Settle, Origins: open.Origins}
	}
	if n == 0 {
		return notTold[int64]("no issue is open", "", r.last)
	}
	var list []gitlabIssue
	rule := ruleOf("gitlab issue in the middle", newShape(nil, "iid", "created_at"), "iid", "created_at")
	q := url.Values{"scope": {"all"}, "state": {"opened"}, "order_by": {"created_at"}, "sort": {"asc"}, "per_page": {"1"}, "page": {strconv.Itoa((n + 1) / 2)}}
	if err := r.get(ctx, "age of issues of "+r.path, rule, "/issues", q, &list); err != nil {
		return failed[int64](err)
	}
	if len(list) == 0 {
		return notTold[int64]("the issue in the middle was not shown", "run again", r.last)
	}
	return audit.Known(max(0, int64(at.Sub(list[0].Created)/time.Second)), r.last)
}
