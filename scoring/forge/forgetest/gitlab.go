package forgetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GitLab is a fake of GitLab with one public project. Its answers were built from GitLab's documentation of its REST
// interface and the entities of its source (gitlab-org/gitlab: lib/api/entities). GitLab publishes no description in a
// package that tests could fetch; they hold the answers against the types of GitLab's own Go client instead.
type GitLab struct {
	Tale    *Tale
	Project string
	Token   string // callers with this token are maintainers and see everything; all others are anonymous
	// Before may answer in place of the server; it says whether it did.
	Before func(w http.ResponseWriter, r *http.Request) bool
	Asked  []string // tokens that were sent, "" if none
}

// write answers with JSON.
func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err) // never happens: fixtures are plain values
	}
}

// ServeHTTP answers.
func (g *GitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.Asked = append(g.Asked, token+r.Header.Get("Private-Token"))
	if g.Before != nil && g.Before(w, r) {
		return
	}
	member := g.Token != "" && token == g.Token
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v4/projects/"+g.Project)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		write(w, object{"message": "404 Project Not Found"})
		return
	}
	q := r.URL.Query()
	number, _ := strconv.Atoi(q.Get("page"))
	size := 20
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = n
	}
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case rest == "":
		write(w, g.project(member))
	case rest == "/releases":
		write(w, g.releases())
	case rest == "/labels":
		labels := []object{}
		for i, l := range g.Tale.Labels {
			labels = append(labels, object{"id": i + 1, "name": l, "color": "#0000ff", "description": freeText})
		}
		write(w, labels)
	case rest == "/merge_requests":
		list := g.Tale.proposals(func(p Proposal) bool { return q.Get("state") != "opened" || p.Closed.IsZero() })
		w.Header().Set("X-Total", strconv.Itoa(len(list)))
		answer := []object{}
		for _, p := range page(list, number, size) {
			answer = append(answer, g.merge(p))
		}
		write(w, answer)
	case len(parts) >= 2 && parts[0] == "merge_requests":
		g.one(w, parts)
	case rest == "/issues_statistics":
		write(w, object{"statistics": object{"counts": object{"all": len(g.Tale.Tickets), "closed": 0, "opened": len(g.tickets("opened"))}}})
	case rest == "/issues":
		list := g.tickets(q.Get("state"))
		if q.Get("order_by") == "created_at" && q.Get("sort") == "asc" {
			slices.SortStableFunc(list, func(a, b Ticket) int { return a.Opened.Compare(b.Opened) })
		}
		w.Header().Set("X-Total", strconv.Itoa(len(list)))
		answer := []object{}
		for _, t := range page(list, number, size) {
			answer = append(answer, g.issue(t))
		}
		write(w, answer)
	case len(parts) == 3 && parts[0] == "issues" && parts[2] == "notes":
		for _, t := range g.Tale.Tickets {
			if strconv.Itoa(t.Number) == parts[1] {
				write(w, g.notes(t.Remarks, t.Author, t.Opened))
			}
		}
	case rest == "/pipelines":
		answer := []object{}
		for i, b := range page(g.Tale.Builds, number, size) {
			status := map[string]string{"SUCCESS": "success", "FAILURE": "failed", "ABORTED": "canceled"}[b.Result]
			answer = append(answer, object{"id": i + 1, "iid": i + 1, "status": status, "source": "push", "ref": "main", "sha": strings.Repeat("d", 40), "web_url": "https://gitlab.example.org/", "created_at": rfc(b.Ended), "updated_at": rfc(b.Ended)})
		}
		write(w, answer)
	case !member && (parts[0] == "protected_branches" || parts[0] == "approvals" || parts[0] == "approval_rules"):
		w.WriteHeader(http.StatusUnauthorized)
		write(w, object{"message": "401 Unauthorized"})
	case rest == "/protected_branches/main":
		write(w, object{"id": 1, "name": "main", "allow_force_push": false, "push_access_levels": []object{{"access_level": 40, "access_level_description": "Maintainers"}}})
	case rest == "/approvals":
		write(w, object{"approvals_before_merge": 0, "merge_requests_author_approval": false})
	case rest == "/approval_rules":
		write(w, []object{{"id": 1, "name": "All Members", "approvals_required": 1}})
	default:
		w.WriteHeader(http.StatusNotFound)
		write(w, object{"message": "404 Not Found"})
	}
}

// project is the long form of a project for members, the short one for anybody else.
func (g *GitLab) project(member bool) object {
	p := object{"id": 1, "description": freeText, "name": "Town", "path": "town", "path_with_namespace": g.Project, "created_at": rfc(g.Tale.At.AddDate(-4, 0, 0)), "default_branch": "main",
		"topics": []string{}, "web_url": "https://gitlab.example.org/" + g.Project, "forks_count": 2, "star_count": 3, "license": object{"key": "apache-2.0", "name": "Apache License 2.0"},
		"namespace": object{"id": 2, "name": "Example", "path": "example", "kind": "group", "full_path": "example"}}
	if member {
		for key, v := range (object{"archived": false, "mirror": false, "visibility": "public", "issues_access_level": "enabled", "only_allow_merge_if_pipeline_succeeds": true}) {
			p[key] = v
		}
	}
	return p
}

func (g *GitLab) releases() []object {
	list := []object{}
	for _, r := range g.Tale.Releases {
		links := []object{}
		for i, f := range r.Files {
			links = append(links, object{"id": i + 1, "name": f, "url": "https://files.example.org/" + f, "link_type": "other"})
		}
		list = append(list, object{"tag_name": r.Tag, "name": freeText, "description": freeText, "created_at": rfc(r.At), "released_at": rfc(r.At), "upcoming_release": false,
			"author": g.user("ada"), "assets": object{"count": len(links), "links": links}})
	}
	return list
}

// user is the short form of a user.
func (g *GitLab) user(who string) any {
	if who == "" {
		return nil
	}
	return object{"id": len(who) + 10, "username": who, "name": strings.ToUpper(who[:1]) + who[1:] + " Example", "state": "active", "web_url": "https://gitlab.example.org/" + who}
}

func (g *GitLab) merge(p Proposal) object {
	m := object{"id": 1000 + p.Number, "iid": p.Number, "project_id": 1, "title": freeText, "description": freeText, "state": "opened", "created_at": rfc(p.Opened), "updated_at": rfc(p.touched()),
		"merged_at": nil, "closed_at": nil, "author": g.user(p.Author), "merge_user": nil, "merged_by": nil, "user_notes_count": len(p.Remarks), "source_branch": "topic", "target_branch": "main", "draft": false}
	switch {
	case p.Merged:
		m["state"], m["merged_at"], m["merge_user"], m["merged_by"] = "merged", rfc(p.Closed), g.user(p.Merger), g.user(p.Merger)
	case !p.Closed.IsZero():
		m["state"], m["closed_at"] = "closed", rfc(p.Closed)
	}
	return m
}

// one answers about one merge request.
func (g *GitLab) one(w http.ResponseWriter, parts []string) {
	for _, p := range g.Tale.Proposals {
		if strconv.Itoa(p.Number) != parts[1] {
			continue
		}
		switch {
		case len(parts) == 2:
			m := g.merge(p)
			if m["head_pipeline"] = any(nil); p.Tested {
				m["head_pipeline"] = object{"id": 5, "status": "success", "ref": "topic", "sha": strings.Repeat("e", 40)}
			}
			write(w, m)
		case parts[2] == "approvals":
			by := []object{}
			for _, a := range p.Approvals {
				by = append(by, object{"user": g.user(a.By)})
			}
			write(w, object{"id": 1000 + p.Number, "iid": p.Number, "state": "merged", "title": freeText, "approved_by": by})
		case parts[2] == "notes":
			write(w, g.notes(slices.Concat(p.Remarks, p.Approvals), p.Author, p.Opened))
		}
	}
}

// notes are remarks, after one that the system wrote.
func (g *GitLab) notes(said []Said, author string, opened time.Time) []object {
	note := func(by string, at time.Time, system bool) object {
		return object{"id": 1, "body": freeText, "author": g.user(by), "created_at": rfc(at), "updated_at": rfc(at), "system": system, "noteable_type": "MergeRequest", "internal": false}
	}
	list := []object{note(author, opened, true)}
	for _, s := range said {
		list = append(list, note(s.By, s.At, false))
	}
	return list
}

func (g *GitLab) tickets(state string) []Ticket {
	list := slices.Clone(g.Tale.Tickets)
	if state == "opened" {
		list = slices.DeleteFunc(list, func(t Ticket) bool { return !t.Closed.IsZero() })
	}
	slices.SortStableFunc(list, func(a, b Ticket) int { return b.touched().Compare(a.touched()) })
	return list
}

func (g *GitLab) issue(t Ticket) object {
	i := object{"id": 2000 + t.Number, "iid": t.Number, "project_id": 1, "title": freeText, "description": freeText, "state": "opened", "created_at": rfc(t.Opened), "updated_at": rfc(t.touched()),
		"closed_at": rfc(t.Closed), "author": g.user(t.Author), "user_notes_count": len(t.Remarks), "labels": []string{}}
	if !t.Closed.IsZero() {
		i["state"] = "closed"
	}
	return i
}
