package forge

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// launchpad reads bugs by Launchpad's web service (api.launchpad.net/1.0, operation searchTasks; description: the WADL of
// Launchpad's apidoc). It serves projects whose tracker is known to be there.
type launchpad struct{ gerrit }

func (launchpad) name() string { return "launchpad" }

// read fills Issues.
func (l launchpad) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	review, project, placed := l.place(p, *e)
	if !placed {
		review, project = "", ""
	}
	service, name, ok := trackerOf(p, review, project)
	if l.options.Client == nil || !ok || service != "launchpad" || e.Issues.Unknown() != audit.MISS {
		return nil
	}
	r := launchpadReading{desk: l.desk(l.name(), "", "api.launchpad.net"), project: name}
	issues, err := r.issues(ctx, l.options.At)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		e.Issues = failed[scoring.Issues](err)
		return nil
	}
	e.Issues = audit.Known(issues, r.origins()...).Graded(audit.GradeForge, r.observed(), audit.Month)
	return nil
}

type launchpadReading struct {
	*desk
	project string
}

// launchpadTasks is a page of bug tasks as it was redacted.
type launchpadTasks struct {
	Next    string `json:"next_collection_link"`
	Entries []struct {
		Created time.Time  `json:"date_created"`
		Closed  *time.Time `json:"date_closed"`
	} `json:"entries"`
}

// openStatuses and closedStatuses are what a bug task can have (Launchpad's BugTaskStatus). "Deferred" and "Does Not
// Exist", which came in 2023 for distributions, are left out: older servers refuse a search that names them.
func openStatuses() []string {
	return []string{"New", "Incomplete", "Confirmed", "Triaged", "In Progress", "Fix Committed"}
}

func closedStatuses() []string {
	return []string{"Fix Released", "Invalid", "Won't Fix", "Expired", "Opinion"}
}

const (
	launchpadPage  = 300 // the most that the service gives at a time
	launchpadPages = 40
)

// search is the address of a search for bug tasks.
func (r launchpadReading) search(q url.Values, statuses []string) string {
	q.Set("ws.op", "searchTasks")
	q["status"] = statuses
	return "/1.0/" + url.PathEscape(r.project) + "?" + q.Encode()
}

// issues reads the counts; a count of tasks is asked for as such and needs no list.
func (r launchpadReading) issues(ctx context.Context, at time.Time) (scoring.Issues, error) {
	i := scoring.Issues{Tracker: "launchpad"}
	open, err := r.count(ctx, url.Values{}, openStatuses())
	if err != nil {
		return i, err
	}
	i.Open, i.Public = audit.Known(open, r.last), audit.Known(true, r.last) // it was read without an account, and anybody may have one
	year := since(at, 12)
	if opened, err := r.count(ctx, url.Values{"created_since": {year.Format(time.RFC3339)}}, append(openStatuses(), closedStatuses()...)); err != nil {
		i.Opened12m = failed[int](err)
	} else if later, err := r.later(ctx, at); err != nil {
		i.Opened12m = failed[int](err)
	} else {
		i.Opened12m = audit.Known(max(0, opened-later), r.last)
	}
	i.Closed12m = r.closed(ctx, at)
	i.MedianAge = r.age(ctx, at, open)
	const why, settle = "Launchpad tells what was said about a bug only bug by bug", "a reader of each bug's messages"
	i.FirstResponse, i.Answered, i.Unanswered = notTold[int64](why, settle, r.last), notTold[int](why, settle, r.last), notTold[int](why, settle, r.last)
	return i, ctx.Err()
}

// later counts the tasks made since the moment of assessment: a search has a begin, and no end. None is asked for if that
// was today.
func (r launchpadReading) later(ctx context.Context, at time.Time) (int, error) {
	if r.observed().Sub(at) < 24*time.Hour {
		return 0, nil
	}
	return r.count(ctx, url.Values{"created_since": {at.UTC().Format(time.RFC3339)}}, append(openStatuses(), closedStatuses()...))
}

// count asks how many tasks a search finds. The answer is a number, no document.
func (r launchpadReading) count(ctx context.Context, q url.Values, statuses []string) (int, error) {
	q.Set("ws.show", "total_size")
	rule := scoring.Redact{Name: "launchpad count", Do: func(status int, body []byte, _ func(string) string) ([]byte, error) {
		if status < 200 || status > 299 {
			return []byte("null"), nil
		}
		n, err := strconv.ParseUint(string(trimmed(body)), 10, 31)
		if err != nil {
			return nil, fmt.Errorf("the answer is no number")
		}
		return []byte(strconv.FormatUint(n, 10)), nil
	}}
	n := 0
	err := r.get(ctx, "bugs of "+r.project, rule, r.search(q, statuses), &n)
	return n, err
}

// trimmed cuts an answer to what can be a number.
func trimmed(body []byte) []byte {
	for len(body) > 0 && (body[len(body)-1] == '\n' || body[len(body)-1] == '\r' || body[len(body)-1] == ' ') {
		body = body[:len(body)-1]
	}
	return body[:min(len(body), 32)]
}

// tasks asks for a page of tasks.
func (r launchpadReading) tasks(ctx context.Context, address string) (page launchpadTasks, err error) {
	rule := ruleOf("launchpad tasks", newShape(nil, "next_collection_link", "entries.date_created", "entries.date_closed"), "entries")
	return page, r.get(ctx, "bugs of "+r.project, rule, address, &page)
}

// closed counts the tasks closed in the last 12 months: those touched since, by the date they were closed.
func (r launchpadReading) closed(ctx context.Context, at time.Time) audit.Fact[int] {
	q := url.Values{"modified_since": {since(at, 12).Format(time.RFC3339)}, "ws.size": {strconv.Itoa(launchpadPage)}}
	n, start := 0, 0
	for range launchpadPages {
		q.Set("ws.start", strconv.Itoa(start))
		page, err := r.tasks(ctx, r.search(q, closedStatuses()))
		if err != nil {
			return failed[int](err)
		}
		for _, t := range page.Entries {
			if t.Closed != nil && within(*t.Closed, at, 12) {
				n++
			}
		}
		if page.Next == "" || len(page.Entries) == 0 {
			return audit.Known(n, r.last)
		}
		start += len(page.Entries)
	}
	return notTold[int](fmt.Sprintf("more than %d bugs were touched in 12 months", start), "a reader of more pages", r.last)
}

// age finds the median age of the open tasks: the one in the middle of all by date of creation.
func (r launchpadReading) age(ctx context.Context, at time.Time, open int) audit.Fact[int64] {
	if open == 0 {
		return notTold[int64]("no bug is open", "", r.last)
	}
	q := url.Values{"order_by": {"datecreated"}, "ws.start": {strconv.Itoa((open - 1) / 2)}, "ws.size": {strconv.Itoa(2 - open%2)}}
	page, err := r.tasks(ctx, r.search(q, openStatuses()))
	if err != nil {
		return failed[int64](err)
	}
	var ages []int64
	for _, t := range page.Entries {
		if !t.Created.IsZero() {
			ages = append(ages, max(0, int64(at.Sub(t.Created)/time.Second)))
		}
	}
	m, ok := median(ages)
	if !ok {
		return notTold[int64]("the bug in the middle was not shown", "run again", r.last)
	}
	return audit.Known(m, r.last)
}
