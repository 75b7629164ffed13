package forge

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// How far lists are read. A page costs a hundredth of a point, so the longest list costs as much as a query for 25
// repositories; what is longer is not counted, and says so.
const (
	maxPages     = 100 // of changes, or of issues, that were touched in 12 months
	maxOpenPages = 20  // of open issues, for their median age: half of them are read
)

// tally counts one list while its pages come in.
type tally struct {
	started  bool
	total    int
	read     int
	pages    int
	next     string // cursor of the next page
	complete bool   // read to its end
	enough   bool   // no further page is needed, or none is to be had
	trouble  string // why reading ended early
	oldest   time.Time
	opened   [4]int // by window
	merged   [4]int
	closed   [4]int
	created  []int64 // of open issues, in seconds
}

// add counts a page.
func (t *tally) add(l list, p graphList[dated], at time.Time) {
	t.started = true
	t.pages++
	if p.TotalCount != nil {
		t.total = *p.TotalCount
	}
	for _, n := range p.all() {
		t.read++
		if t.oldest.IsZero() || !n.UpdatedAt.IsZero() && n.UpdatedAt.Before(t.oldest) {
			t.oldest = n.UpdatedAt
		}
		if l == listOpen {
			t.created = append(t.created, n.CreatedAt.Unix())
			continue
		}
		for i, months := range windowMonths() {
			t.opened[i] += one(within(n.CreatedAt, at, months))
			t.merged[i] += one(within(n.MergedAt, at, months))
			t.closed[i] += one(within(n.ClosedAt, at, months))
		}
	}
	t.complete = !p.PageInfo.HasNextPage
	t.next = p.PageInfo.EndCursor
	t.judge(l, at)
}

// judge decides whether a further page is worth asking for.
func (t *tally) judge(l list, at time.Time) {
	switch {
	case t.complete, t.next == "":
		t.enough = true
		if !t.complete {
			t.trouble = "GitHub named no next page"
		}
	case l == listChanges && t.covers(at, 12), l == listOpen && t.read > t.total/2:
		t.enough = true
	case l == listOpen && t.total/2 >= maxOpenPages*listSize, l == listOpen && t.pages >= maxOpenPages:
		t.enough, t.trouble = true, fmt.Sprintf("%d issues are open; half of at most %d are read", t.total, 2*maxOpenPages*listSize)
	case l == listTouched && t.total > maxPages*listSize:
		t.enough, t.trouble = true, fmt.Sprintf("%d issues were touched in 12 months; at most %d are counted", t.total, maxPages*listSize)
	case t.pages >= maxPages:
		t.enough, t.trouble = true, fmt.Sprintf("more than %d were touched; the newest of them are counted", t.read)
	}
}

// covers says that everything of a window was read, of a list that begins with what was touched last.
func (t *tally) covers(at time.Time, months int) bool {
	return t.complete || !t.oldest.IsZero() && !t.oldest.After(since(at, months))
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// tallyOf returns the tally of a list.
func (r *repository) tallyOf(l list) *tally {
	switch l {
	case listChanges:
		return &r.changes
	case listTouched:
		return &r.touched
	}
	return &r.open
}

// due returns the pages of a repository that are to be asked for next.
func (r *repository) due(time.Time) []page {
	var due []page
	for _, l := range [...]list{listChanges, listTouched, listOpen} {
		if t := r.tallyOf(l); t.started && !t.enough {
			due = append(due, page{r, l, t.next})
		}
	}
	return due
}

// stop ends a list early.
func (r *repository) stop(l list, reason string) {
	t := r.tallyOf(l)
	t.enough, t.trouble = true, reason
}

// takePage counts a further page of a list.
func (r *repository) takePage(l list, raw json.RawMessage, at time.Time) {
	var lists map[list]*graphList[dated]
	if json.Unmarshal(raw, &lists) != nil || lists[l] == nil {
		r.stop(l, "GitHub did not answer a further page")
		return
	}
	r.tallyOf(l).add(l, *lists[l], at)
}

// medianAge returns the median age of open issues, which were read from the newest on. Those opened after the moment of
// assessment do not count.
func (t *tally) medianAge(at time.Time) (seconds int64, ok bool) {
	ages := make([]int64, 0, t.total)
	later := 0
	for _, created := range t.created {
		if age := at.Unix() - created; age >= 0 {
			ages = append(ages, age)
		} else {
			later++
		}
	}
	slices.Sort(ages)
	n := t.total - later
	if t.complete {
		n = len(ages)
	}
	if n <= 0 || n/2 >= len(ages) {
		return 0, false
	}
	low, high := ages[(n-1)/2], ages[n/2]
	return low + (high-low)/2, true
}
