package forge

import (
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// takeIssues begins the tallies of issues and makes the facts of the sample of the last three months.
func (r *repository) takeIssues(n *graphRepository, at time.Time) {
	f := scoring.Issues{Tracker: r.service}
	r.issuesOff = n.HasIssuesEnabled != nil && !*n.HasIssuesEnabled
	var public *bool
	if n.HasIssuesEnabled != nil && n.IsPrivate != nil && n.IsArchived != nil {
		open := *n.HasIssuesEnabled && !*n.IsPrivate && !*n.IsArchived
		public = &open
	}
	f.Public = state(r, at, "hasIssuesEnabled", public)
	var open *int
	if n.Open != nil {
		open = n.Open.TotalCount
		r.open.add(listOpen, *n.Open, at)
	}
	f.Open = state(r, at, "open", open)
	if n.Touched != nil {
		r.touched.add(listTouched, *n.Touched, at)
	}
	r.sampleIssues(&f, n.Newest, at)
	r.issueFacts = f
}

// sampleIssues looks at the newest issues of people of three months for their first answer.
func (r *repository) sampleIssues(f *scoring.Issues, l *graphList[graphIssue], at time.Time) {
	if kind, broken := r.trouble.of("newest"); l == nil || broken {
		f.Answered, f.Unanswered, f.FirstResponse = r.silent(because(kind), "run again")
		return
	}
	s := responses{}
	oldest := time.Time{}
	for _, n := range l.all() {
		oldest = n.CreatedAt
		if !within(n.CreatedAt, at, 3) || n.Author.machine() {
			continue
		}
		var remarks []remark
		for _, c := range n.Comments.all() {
			remarks = append(remarks, c.remark())
		}
		s.add(n.CreatedAt, at, n.Author.name(), remarks, n.Comments.TotalCount == nil || *n.Comments.TotalCount > len(n.Comments.Nodes))
	}
	f.Sample = len(s.waits) + s.unanswered
	f.Whole = len(l.Nodes) < issueSample || !oldest.After(since(at, 3))
	f.Answered, f.Unanswered, f.FirstResponse = r.responses(s, f.Whole, "issues")
}

// finishIssues fills in the counts of 12 months and the median age.
func (r *repository) finishIssues(at time.Time) {
	f := &r.issueFacts
	const year = 2 // of windowMonths
	if t := &r.touched; t.started && t.complete {
		f.Opened12m, f.Closed12m = fact(r, t.opened[year]), fact(r, t.closed[year])
	} else {
		reason := t.trouble
		if kind, ok := r.trouble.of("touched"); ok || reason == "" {
			reason = because(kind)
		}
		f.Opened12m, f.Closed12m = unread[int](r, reason, "run again"), unread[int](r, reason, "run again")
	}
	f.MedianAge = state[int64](r, at, "open", nil)
	if t := &r.open; t.started && r.past(at) == "" {
		age, ok := t.medianAge(at)
		switch {
		case ok:
			f.MedianAge = fact(r, age)
		case t.trouble != "":
			f.MedianAge = unread[int64](r, t.trouble, "read the dates of all open issues")
		case t.total == 0:
			f.MedianAge = unread[int64](r, "no issue is open", "")
		}
	}
}
