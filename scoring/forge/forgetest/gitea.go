package forgetest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Gitea is a fake of Gitea with one public repository. Its answers were built from Gitea's own description of its
// interface (go-gitea/gitea: templates/swagger/v1_json.tmpl), which a test checks them against, and compared with a real
// server behind make e2e.
type Gitea struct {
	Tale    *Tale
	Project string // owner/name
	Person  bool   // the owner is a person
	Mirror  string // address the repository mirrors; empty: it is no mirror
	Limit   int    // the most elements of a list at a time; 0: 50
	// After may look at every answer: the path that was asked, and what was said.
	After func(path string, said any)
}

// ServeHTTP answers.
func (g *Gitea) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	owner, _, _ := strings.Cut(g.Project, "/")
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/repos/"+g.Project)
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	q := r.URL.Query()
	number, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("limit"))
	if most := max(g.Limit, 0); most > 0 {
		size = min(size, most)
	}
	size = min(size, 50)
	switch {
	case r.URL.Path == "/api/v1/orgs/"+owner && !g.Person:
		g.say(w, "/orgs/{org}", object{"id": 3, "name": owner, "full_name": "Example", "email": "", "avatar_url": "", "description": freeText, "website": "", "location": "", "visibility": "public", "username": owner, "repo_admin_change_team_access": false})
	case !ok:
		g.missing(w)
	case rest == "":
		g.say(w, "/repos/{owner}/{repo}", g.repository())
	case rest == "/releases":
		g.say(w, "/repos/{owner}/{repo}/releases", g.releases())
	case rest == "/labels":
		labels := []object{}
		for i, l := range g.Tale.Labels {
			labels = append(labels, object{"id": i + 1, "name": l, "color": "0000ff", "description": freeText, "url": "https://git.example.org/", "exclusive": false, "is_archived": false})
		}
		w.Header().Set("X-Total-Count", strconv.Itoa(len(labels)))
		g.say(w, "/repos/{owner}/{repo}/labels", page(labels, number, size))
	case rest == "/pulls":
		list := g.Tale.proposals(func(Proposal) bool { return true })
		answer := []object{}
		for _, p := range page(list, number, size) {
			listed := g.pull(p)
			listed["merged_by"] = nil // as real servers do: only the pull request itself says who merged it
			answer = append(answer, listed)
		}
		w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
		g.say(w, "/repos/{owner}/{repo}/pulls", answer)
	case len(parts) == 2 && parts[0] == "pulls":
		for _, p := range g.Tale.Proposals {
			if strconv.Itoa(p.Number) == parts[1] {
				g.say(w, "/repos/{owner}/{repo}/pulls/{index}", g.pull(p))
			}
		}
	case len(parts) == 3 && parts[0] == "pulls" && parts[2] == "reviews":
		g.reviews(w, parts[1])
	case rest == "/issues":
		list := g.tickets(q.Get("state"), q.Get("since"))
		answer := []object{}
		for _, t := range page(list, number, size) {
			answer = append(answer, g.issue(t))
		}
		w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
		g.say(w, "/repos/{owner}/{repo}/issues", answer)
	case len(parts) == 3 && parts[0] == "issues" && parts[2] == "comments":
		g.comments(w, parts[1])
	case len(parts) == 3 && parts[0] == "commits" && parts[2] == "status":
		state, n := "pending", 0
		for _, p := range g.Tale.Proposals {
			if sha(p.Number) == parts[1] && p.Tested {
				state, n = "success", 1
			}
		}
		statuses := []object{}
		if n > 0 {
			statuses = append(statuses, object{"id": 1, "status": state, "context": "unit", "description": freeText, "target_url": "", "url": "", "created_at": rfc(g.Tale.At), "updated_at": rfc(g.Tale.At), "creator": g.user("ada")})
		}
		g.say(w, "/repos/{owner}/{repo}/commits/{ref}/status", object{"state": state, "sha": parts[1], "total_count": n, "statuses": statuses, "commit_url": "", "url": ""})
	case rest == "/actions/runs":
		g.runs(w, number, size)
	case rest == "/branches/main":
		g.say(w, "/repos/{owner}/{repo}/branches/{branch}", object{"name": "main", "protected": true, "required_approvals": 1, "enable_status_check": true, "status_check_contexts": []string{"unit"}, "user_can_push": false, "user_can_merge": false,
			"effective_branch_protection_name": "", "commit": object{"id": strings.Repeat("f", 40), "message": freeText, "timestamp": rfc(g.Tale.At)}})
	default:
		g.missing(w)
	}
}

func (g *Gitea) say(w http.ResponseWriter, path string, v any) {
	if g.After != nil {
		g.After(path, v)
	}
	write(w, v)
}

func (g *Gitea) missing(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	write(w, object{"message": "The target couldn't be found.", "url": "https://git.example.org/api/swagger", "errors": []string{}})
}

// sha is the made-up head of a pull request.
func sha(number int) string {
	text := strconv.Itoa(number)
	return strings.Repeat("0", 40-len(text)) + text
}

func (g *Gitea) repository() object {
	open, pulls := 0, 0
	for _, t := range g.Tale.Tickets {
		if t.Closed.IsZero() {
			open++
		}
	}
	for _, p := range g.Tale.Proposals {
		if p.Closed.IsZero() {
			pulls++
		}
	}
	owner, name, _ := strings.Cut(g.Project, "/")
	return object{"id": 1, "owner": g.user(owner), "name": name, "full_name": g.Project, "description": freeText, "empty": false, "private": false, "internal": false, "fork": false, "template": false,
		"mirror": g.Mirror != "", "original_url": g.Mirror, "size": 10, "language": "Go", "html_url": "https://git.example.org/" + g.Project, "stars_count": 3, "forks_count": 2, "watchers_count": 1,
		"open_issues_count": open, "open_pr_counter": pulls, "release_counter": len(g.Tale.Releases), "default_branch": "main", "archived": false, "archived_at": "1970-01-01T00:00:00Z",
		"created_at": rfc(g.Tale.At.AddDate(-4, 0, 0)), "updated_at": rfc(g.Tale.At), "has_issues": true, "has_pull_requests": true, "licenses": []string{"Apache-2.0"}, "topics": []string{}}
}

// user is a user as anonymous callers see one.
func (g *Gitea) user(who string) any {
	if who == "" {
		return nil
	}
	return object{"id": len(who) + 10, "login": who, "login_name": "", "source_id": 0, "full_name": strings.ToUpper(who[:1]) + who[1:] + " Example", "email": who + "@noreply.git.example.org", "avatar_url": "", "language": "", "is_admin": false,
		"last_login": "0001-01-01T00:00:00Z", "created": rfc(g.Tale.At.AddDate(-4, 0, 0)), "restricted": false, "active": false, "prohibit_login": false, "location": "", "website": "", "description": "", "visibility": "public"}
}

func (g *Gitea) releases() []object {
	list := []object{}
	for i, r := range g.Tale.Releases {
		assets := []object{}
		for j, f := range r.Files {
			assets = append(assets, object{"id": j + 1, "name": f, "size": 5, "download_count": 0, "created_at": rfc(r.At), "uuid": "", "browser_download_url": ""})
		}
		list = append(list, object{"id": i + 1, "tag_name": r.Tag, "target_commitish": "main", "name": freeText, "body": freeText, "draft": false, "prerelease": false, "created_at": rfc(r.At), "published_at": rfc(r.At), "author": g.user("ada"), "assets": assets})
	}
	return list
}

func (g *Gitea) pull(p Proposal) object {
	pr := object{"id": 1000 + p.Number, "number": p.Number, "user": g.user(p.Author), "title": freeText, "body": freeText, "state": "open", "draft": false, "is_locked": false, "comments": len(p.Remarks), "merged": p.Merged,
		"merged_at": nil, "closed_at": rfc(p.Closed), "merged_by": nil, "created_at": rfc(p.Opened), "updated_at": rfc(p.touched()), "base": object{"label": "main", "ref": "main", "sha": strings.Repeat("f", 40), "repo_id": 1},
		"head": object{"label": "topic", "ref": "topic", "sha": sha(p.Number), "repo_id": 1}}
	if !p.Closed.IsZero() {
		pr["state"] = "closed"
	}
	if p.Merged {
		pr["merged_at"], pr["merged_by"] = rfc(p.Closed), g.user(p.Merger)
	}
	return pr
}

func (g *Gitea) reviews(w http.ResponseWriter, number string) {
	list := []object{}
	for _, p := range g.Tale.Proposals {
		if strconv.Itoa(p.Number) != number {
			continue
		}
		list = append(list, object{"id": 1, "user": g.user("cyd"), "state": "REQUEST_REVIEW", "body": "", "commit_id": sha(p.Number), "stale": false, "official": true, "dismissed": false, "comments_count": 0, "submitted_at": rfc(p.Opened), "updated_at": rfc(p.Opened)})
		for i, a := range p.Approvals {
			list = append(list, object{"id": i + 2, "user": g.user(a.By), "state": "APPROVED", "body": freeText, "commit_id": sha(p.Number), "stale": false, "official": true, "dismissed": false, "comments_count": 0, "submitted_at": rfc(a.At), "updated_at": rfc(a.At)})
		}
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
	g.say(w, "/repos/{owner}/{repo}/pulls/{index}/reviews", list)
}

func (g *Gitea) comments(w http.ResponseWriter, number string) {
	list := []object{}
	add := func(said []Said) {
		for i, s := range said {
			list = append(list, object{"id": i + 1, "body": freeText, "user": g.user(s.By), "created_at": rfc(s.At), "updated_at": rfc(s.At), "html_url": "", "issue_url": "", "pull_request_url": ""})
		}
	}
	for _, p := range g.Tale.Proposals {
		if strconv.Itoa(p.Number) == number {
			add(p.Remarks)
		}
	}
	for _, t := range g.Tale.Tickets {
		if strconv.Itoa(t.Number) == number {
			add(t.Remarks)
		}
	}
	g.say(w, "/repos/{owner}/{repo}/issues/{index}/comments", list)
}

// tickets returns issues, the last opened first.
func (g *Gitea) tickets(state, since string) []Ticket {
	after, _ := time.Parse(time.RFC3339, since)
	list := slices.DeleteFunc(slices.Clone(g.Tale.Tickets), func(t Ticket) bool {
		return state == "open" && !t.Closed.IsZero() || t.touched().Before(after)
	})
	slices.SortStableFunc(list, func(a, b Ticket) int { return b.Opened.Compare(a.Opened) })
	return list
}

func (g *Gitea) issue(t Ticket) object {
	i := object{"id": 2000 + t.Number, "number": t.Number, "user": g.user(t.Author), "title": freeText, "body": freeText, "state": "open", "is_locked": false, "comments": len(t.Remarks), "created_at": rfc(t.Opened), "updated_at": rfc(t.touched()),
		"closed_at": rfc(t.Closed), "due_date": nil, "pull_request": nil, "labels": []object{}, "repository": object{"id": 1, "name": "town", "owner": "example", "full_name": g.Project}}
	if !t.Closed.IsZero() {
		i["state"] = "closed"
	}
	return i
}

// runs answers with the runs of Gitea's own CI.
func (g *Gitea) runs(w http.ResponseWriter, number, size int) {
	builds := slices.Clone(g.Tale.Builds)
	slices.SortStableFunc(builds, func(a, b Build) int { return b.Ended.Compare(a.Ended) })
	list := []object{}
	for i, b := range page(builds, number, size) {
		conclusion := map[string]string{"SUCCESS": "success", "FAILURE": "failure", "ABORTED": "cancelled"}[b.Result]
		list = append(list, object{"id": i + 1, "display_title": freeText, "event": "push", "head_branch": "main", "head_sha": sha(i), "path": "unit.yaml@refs/heads/main", "run_attempt": 1, "run_number": i + 1, "status": "completed", "conclusion": conclusion,
			"url": "", "html_url": "", "started_at": rfc(b.Ended), "completed_at": rfc(b.Ended), "actor": g.user("ada"), "repository_id": 1})
	}
	g.say(w, "/repos/{owner}/{repo}/actions/runs", object{"total_count": len(builds), "workflow_runs": list})
}
