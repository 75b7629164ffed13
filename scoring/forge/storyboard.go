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

// storyboard reads stories by StoryBoard's REST interface (openstack-infra/storyboard: storyboard/api/v1/stories.py). It
// serves OpenStack's projects that are listed as using it.
type storyboard struct{ gerrit }

func (storyboard) name() string { return "storyboard" }

// storyboardHost serves all of OpenStack's stories.
const storyboardHost = "storyboard.openstack.org"

// read fills Issues.
func (s storyboard) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	review, project, placed := s.place(p, *e)
	if !placed {
		review, project = "", ""
	}
	service, name, ok := trackerOf(p, review, project)
	if s.options.Client == nil || !ok || service != "storyboard" || e.Issues.Unknown() != audit.MISS {
		return nil
	}
	r := storyboardReading{desk: s.desk(s.name(), "", storyboardHost), project: name}
	issues, err := r.issues(ctx, s.options.At)
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

type storyboardReading struct {
	*desk
	project string // name or number
}

// story is a story as it was redacted.
type story struct {
	ID      int64     `json:"id"`
	Created storyTime `json:"created_at"`
	Status  string    `json:"status"` // active, merged, invalid
}

// storyTime reads times with and without a zone; those without are UTC.
type storyTime struct{ time.Time }

// UnmarshalJSON leaves the zero time where the text is none.
func (t *storyTime) UnmarshalJSON(b []byte) error {
	text, err := strconv.Unquote(string(b))
	if err != nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if v, err := time.Parse(layout, text); err == nil {
			t.Time = v.UTC()
			return nil
		}
	}
	return nil
}

const (
	storyPage  = 100
	storyPages = 60
)

// issues reads all stories of a project: the interface has no search by date.
func (r storyboardReading) issues(ctx context.Context, at time.Time) (scoring.Issues, error) {
	i := scoring.Issues{Tracker: "storyboard"}
	id, err := r.number(ctx)
	if err != nil {
		return i, err
	}
	list, whole, err := r.stories(ctx, id)
	if err != nil {
		return i, err
	}
	i.Public = audit.Known(true, r.last) // it was read without an account, and anybody may have one
	var ages []int64
	open, opened := 0, 0
	for _, s := range list {
		if s.Status == "active" {
			open++
			ages = append(ages, max(0, int64(at.Sub(s.Created.Time)/time.Second)))
		}
		if within(s.Created.Time, at, 12) {
			opened++
		}
	}
	i.Open, i.Opened12m = audit.Known(open, r.last), audit.Known(opened, r.last)
	if !whole {
		const why = "the project has more stories than were read"
		i.Open, i.MedianAge = notTold[int](why, "a reader of more pages", r.last), notTold[int64](why, "a reader of more pages", r.last)
		if len(list) > 0 && within(list[len(list)-1].Created.Time, at, 12) {
			i.Opened12m = notTold[int](why, "a reader of more pages", r.last)
		}
	} else if m, ok := median(ages); ok {
		i.MedianAge = audit.Known(m, r.last)
	} else {
		i.MedianAge = notTold[int64]("no story is open", "", r.last)
	}
	const why = "StoryBoard does not tell when a story was closed"
	i.Closed12m = notTold[int](why, "its time line, story by story", r.last)
	const why2, settle = "StoryBoard tells what was said about a story only story by story", "a reader of each story's comments"
	i.FirstResponse, i.Answered, i.Unanswered = notTold[int64](why2, settle, r.last), notTold[int](why2, settle, r.last), notTold[int](why2, settle, r.last)
	return i, nil
}

// number finds the project's number by its name.
func (r storyboardReading) number(ctx context.Context) (int64, error) {
	if n, err := strconv.ParseInt(r.project, 10, 64); err == nil {
		return n, nil
	}
	var list []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	rule := ruleOf("storyboard projects", newShape(nil, "id", "name"), "id", "name")
	if err := r.get(ctx, "project "+r.project, rule, "/api/v1/projects?"+url.Values{"name": {r.project}}.Encode(), &list); err != nil {
		return 0, err
	}
	for _, p := range list {
		if p.Name == r.project { // the search finds parts of names too
			return p.ID, nil
		}
	}
	return 0, &trouble{reason: fmt.Sprintf("%s has no project %s", r.host, r.project), settle: "correct the table of trackers", origins: []audit.Origin{r.last}}
}

// stories reads the stories of a project, newest first.
func (r storyboardReading) stories(ctx context.Context, project int64) (list []story, whole bool, err error) {
	rule := ruleOf("storyboard stories", newShape(nil, "id", "created_at", "status"), "id", "created_at", "status")
	for range storyPages {
		q := url.Values{"project_id": {strconv.FormatInt(project, 10)}, "limit": {strconv.Itoa(storyPage)}, "sort_field": {"id"}, "sort_dir": {"desc"}}
		if len(list) > 0 {
			q.Set("marker", strconv.FormatInt(list[len(list)-1].ID, 10))
		}
		var page []story
		if err := r.get(ctx, "stories of "+r.project, rule, "/api/v1/stories?"+q.Encode(), &page); err != nil {
			return nil, false, err
		}
		list = append(list, page...)
		if len(page) == 0 {
			return list, true, nil
		}
	}
	return list, false, nil
}
