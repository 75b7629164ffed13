package forgetest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Zuul is a fake of Zuul's web server with one tenant. Its answers were built from Zuul's description of its interface
// (web/public/openapi.yaml), with booleans where servers write booleans though the description says text.
type Zuul struct {
	Tale            *Tale
	Tenant, Project string
	Limit           int // the most builds the server gives at a time; 0: as many as are asked for
}

// ServeHTTP answers.
func (z *Zuul) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/tenant/"+z.Tenant+"/builds" {
		http.Error(w, freeText, http.StatusNotFound)
		return
	}
	q := r.URL.Query()
	builds := slices.Clone(z.Tale.Builds)
	slices.SortStableFunc(builds, func(a, b Build) int { return b.Ended.Compare(a.Ended) })
	skip, _ := strconv.Atoi(q.Get("skip"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	if z.Limit > 0 {
		limit = min(limit, z.Limit)
	}
	answer := []object{}
	if q.Get("project") == z.Project && q.Get("pipeline") == "gate" {
		builds = builds[min(skip, len(builds)):]
		for _, b := range builds[:min(limit, len(builds))] {
			answer = append(answer, object{"_id": "1", "uuid": strings.Repeat("c", 32), "job_name": "unit", "result": b.Result, "voting": !b.NonVoting, "held": false,
				"start_time": b.Ended.UTC().Add(-time.Minute).Format("2006-01-02T15:04:05"), "end_time": b.Ended.UTC().Format("2006-01-02T15:04:05"), "duration": 60.0,
				"log_url": "https://logs.example.org/", "nodeset": "small", "error_detail": nil, "final": true, "artifacts": []object{}, "provides": []object{},
				"ref": object{"project": z.Project, "branch": "main", "change": 7, "patchset": "1", "ref": "refs/changes/07/7/1", "newrev": nil, "oldrev": nil, "ref_url": "https://review.example.org/7"}})
		}
	}
	write(w, answer)
}

// Launchpad is a fake of Launchpad's web service with one project. Its answers were built from what clients of the
// service read (fourdollars/lp-api: launchpad/references) and from its WADL description's names; no description that a
// test could load is published.
type Launchpad struct {
	Tale    *Tale
	Project string
}

// ServeHTTP answers.
func (l *Launchpad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.URL.Path != "/1.0/"+l.Project || q.Get("ws.op") != "searchTasks" {
		http.Error(w, "Object: <"+freeText+">", http.StatusNotFound)
		return
	}
	list := l.found(q)
	if q.Get("ws.show") == "total_size" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, len(list))
		return
	}
	size := 75
	if n, err := strconv.Atoi(q.Get("ws.size")); err == nil {
		size = n
	}
	start, _ := strconv.Atoi(q.Get("ws.start"))
	answer := object{"start": start, "total_size": len(list), "entries": []object{}}
	if start+size < len(list) {
		next := *r.URL
		next.Scheme, next.Host = "https", r.Host
		answer["next_collection_link"] = next.String()
	}
	list = list[min(start, len(list)):]
	entries := []object{}
	for _, t := range list[:min(size, len(list))] {
		entries = append(entries, object{"bug_link": fmt.Sprintf("https://api.launchpad.net/1.0/bugs/%d", t.Number), "date_created": rfc(t.Opened), "date_closed": rfc(t.Closed), "title": freeText,
			"owner_link": "https://api.launchpad.net/1.0/~" + t.Author, "assignee_link": nil, "is_complete": !t.Closed.IsZero(), "importance": "Medium", "resource_type_link": "https://api.launchpad.net/1.0/#bug_task"})
	}
	answer["entries"] = entries
	write(w, answer)
}

// found returns the tasks that a search finds, by date of creation.
func (l *Launchpad) found(q url.Values) []Ticket {
	var list []Ticket
	for _, t := range l.Tale.Tickets {
		status := "New"
		if !t.Closed.IsZero() {
			status = "Fix Released"
		}
		ok := slices.Contains(q["status"], status)
		if since, err := time.Parse(time.RFC3339, q.Get("created_since")); err == nil {
			ok = ok && !t.Opened.Before(since)
		}
		if since, err := time.Parse(time.RFC3339, q.Get("modified_since")); err == nil {
			ok = ok && !t.touched().Before(since)
		}
		if ok {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b Ticket) int { return a.Opened.Compare(b.Opened) })
	return list
}

// StoryBoard is a fake of StoryBoard with one project. Its answers were built from its source (openstack-infra/storyboard:
// storyboard/api/v1/stories.py, projects.py, wmodels.py); no description for machines is published.
type StoryBoard struct {
	Tale    *Tale
	Project string
	Limit   int // the most stories at a time; 0: 100
}

// ServeHTTP answers.
func (s *StoryBoard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch r.URL.Path {
	case "/api/v1/projects":
		write(w, []object{{"id": 17, "name": s.Project + "-specs", "description": freeText, "is_active": true}, {"id": 42, "name": s.Project, "description": freeText, "is_active": true}})
	case "/api/v1/stories":
		if q.Get("project_id") != "42" {
			write(w, []object{})
			return
		}
		list := slices.Clone(s.Tale.Tickets)
		slices.SortFunc(list, func(a, b Ticket) int { return b.Number - a.Number })
		if marker, err := strconv.Atoi(q.Get("marker")); err == nil {
			list = slices.DeleteFunc(list, func(t Ticket) bool { return t.Number >= marker })
		}
		limit, _ := strconv.Atoi(q.Get("limit"))
		if s.Limit > 0 {
			limit = min(limit, s.Limit)
		}
		w.Header().Set("X-Total", strconv.Itoa(len(s.Tale.Tickets)))
		answer := []object{}
		for _, t := range list[:min(limit, len(list))] {
			status := "active"
			if !t.Closed.IsZero() {
				status = "merged"
			}
			answer = append(answer, object{"id": t.Number, "created_at": t.Opened.UTC().Format("2006-01-02T15:04:05+00:00"), "updated_at": rfc(t.touched()), "title": freeText, "description": freeText,
				"creator_id": 5, "is_bug": true, "status": status, "task_statuses": []object{{"key": "todo", "count": 1}}, "tags": []string{}, "private": false})
		}
		write(w, answer)
	default:
		http.Error(w, freeText, http.StatusNotFound)
	}
}
