package forgetest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// notFound is GitHub's answer about what it does not show.
func notFound(a *answer) {
	a.status, a.body = http.StatusNotFound, map[string]any{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
}

// rest answers the calls that collectors need. The shapes are those of GitHub's OpenAPI description (api.github.com).
func (g *GitHub) rest(r *http.Request, a *answer) {
	parts := strings.Split(strings.TrimPrefix(strings.Trim(r.URL.Path, "/"), "api/v3/"), "/")
	g.mu.Lock()
	defer g.mu.Unlock()
	var repo *Repo
	switch {
	case len(parts) >= 2 && parts[0] == "repositories":
		repo, parts = g.byID[parts[1]], parts[2:]
	case len(parts) >= 3 && parts[0] == "repos":
		name := strings.ToLower(parts[1] + "/" + parts[2])
		if to := g.moved[name]; to != nil {
			a.status = http.StatusMovedPermanently
			to := "https://api.github.com/repositories/" + strconv.Itoa(to.id) + strings.TrimPrefix(r.URL.Path, "/repos/"+parts[1]+"/"+parts[2])
			a.header.Set("Location", to)
			a.body = map[string]any{"message": "Moved Permanently", "url": to, "documentation_url": "https://docs.github.com/rest"}
			return
		}
		repo, parts = g.repos[name], parts[3:]
	}
	if repo == nil || r.Method != http.MethodGet {
		notFound(a)
		return
	}
	switch strings.Join(parts, "/") {
	case "":
		a.body = repo.rest()
	case "community/profile":
		if repo.Fork {
			notFound(a)
			return
		}
		a.body = repo.profile()
	case "private-vulnerability-reporting":
		if repo.PrivateReports == nil {
			notFound(a)
			return
		}
		a.body = map[string]any{"enabled": *repo.PrivateReports}
	case "actions/runs":
		a.body = repo.runs(r)
	default:
		notFound(a)
	}
}

// account is a simple user of the OpenAPI description.
func restAccount(login, kind string) map[string]any {
	u := "https://api.github.com/users/" + login
	return map[string]any{
		"login": login, "id": 7, "node_id": "U_7", "avatar_url": "https://example.org/a.png", "gravatar_id": "", "url": u, "html_url": "https://github.com/" + login,
		"followers_url": u, "following_url": u, "gists_url": u, "starred_url": u, "subscriptions_url": u, "organizations_url": u, "repos_url": u,
		"events_url": u, "received_events_url": u, "type": kind, "site_admin": false, "email": login + "@example.org",
	}
}

// minimal is a minimal repository of the OpenAPI description.
func (r *Repo) minimal() map[string]any {
	kind := "User"
	if r.Organisation {
		kind = "Organization"
	}
	u := "https://api.github.com/repos/" + r.full()
	m := map[string]any{
		"id": r.id, "node_id": "R_1", "name": r.Name, "full_name": r.full(), "owner": restAccount(r.Owner, kind), "private": r.Private,
		"html_url": "https://github.com/" + r.full(), "description": secret, "fork": r.Fork, "url": u,
	}
	for _, name := range strings.Fields("archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees") {
		m[name+"_url"] = u + "/" + name
	}
	return m
}

// rest is the repository as GET /repos/{owner}/{repo} shows it.
func (r *Repo) rest() map[string]any {
	r.node() // fills in what was not given
	m := r.minimal()
	u := "https://github.com/" + r.full()
	branch := r.Branch
	if branch == "" {
		branch = "main"
	}
	for key, value := range map[string]any{
		"clone_url": u + ".git", "git_url": "git://github.com/" + r.full() + ".git", "ssh_url": "ssh://git@github.com/" + r.full() + ".git", "svn_url": u,
		"mirror_url": orNil(r.Mirror), "homepage": nil, "language": nil, "forks_count": r.Forks, "forks": r.Forks, "stargazers_count": r.Stars,
		"watchers_count": r.Stars, "watchers": r.Stars, "size": 1, "default_branch": branch, "open_issues_count": len(r.Issues), "open_issues": len(r.Issues),
		"has_issues": !r.IssuesOff, "has_projects": true, "has_wiki": false, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"archived": r.Archived, "disabled": false, "pushed_at": date(r.Created), "created_at": date(r.Created), "updated_at": date(r.Created),
		"license": nil, "subscribers_count": 0, "network_count": 0, "permissions": map[string]any{"admin": false, "pull": true, "push": false},
	} {
		m[key] = value
	}
	if r.Licence != "" {
		m["license"] = map[string]any{"key": strings.ToLower(r.Licence), "name": r.Licence, "spdx_id": r.Licence, "url": nil, "node_id": "L_1"}
	}
	return m
}

// profile is the community profile.
func (r *Repo) profile() map[string]any {
	files := map[string]any{"code_of_conduct": nil, "code_of_conduct_file": nil, "license": nil, "contributing": nil, "readme": nil, "issue_template": nil, "pull_request_template": nil}
	if r.CodeOfConduct != "" || r.OtherConduct {
		u := "https://api.github.com/repos/" + r.full() + "/contents/CODE_OF_CONDUCT.md"
		files["code_of_conduct"] = map[string]any{"url": u, "key": "other", "name": "Other", "html_url": nil}
		files["code_of_conduct_file"] = map[string]any{"url": u, "html_url": u}
	}
	return map[string]any{"health_percentage": 50, "description": secret, "documentation": nil, "files": files, "updated_at": nil}
}

// runs is a page of workflow runs that fit the question.
func (r *Repo) runs(req *http.Request) map[string]any {
	q := req.URL.Query()
	limit, err := strconv.Atoi(q.Get("per_page"))
	if err != nil {
		limit = 30
	}
	from, to, _ := strings.Cut(q.Get("created"), "..")
	list, total := []any{}, 0
	for i, run := range r.Runs {
		day := run.Created.UTC().Format(time.DateOnly)
		if q.Get("branch") != r.Branch || from != "" && day < from || to != "" && day > to {
			continue
		}
		if total++; len(list) < limit {
			list = append(list, r.run(i, run))
		}
	}
	return map[string]any{"total_count": max(total, r.RunsShown), "workflow_runs": list}
}

// run is a workflow run of the OpenAPI description.
func (r *Repo) run(i int, run Run) map[string]any {
	u := "https://api.github.com/repos/" + r.full() + "/actions/runs/" + strconv.Itoa(i)
	commit := map[string]any{
		"id": strings.Repeat("a", 40), "tree_id": strings.Repeat("b", 40), "message": secret, "timestamp": date(run.Created),
		"author": map[string]any{"name": "Ada", "email": "ada@example.org"}, "committer": map[string]any{"name": "Ada", "email": "ada@example.org"},
	}
	return map[string]any{
		"id": i + 1, "name": "build", "node_id": "W_1", "head_branch": r.Branch, "head_sha": strings.Repeat("a", 40), "path": ".github/workflows/build.yml",
		"run_number": i + 1, "event": run.Event, "display_title": secret, "status": "completed", "conclusion": run.Conclusion, "workflow_id": 1,
		"url": u, "html_url": u, "pull_requests": []any{}, "created_at": date(run.Created), "updated_at": date(run.Created), "jobs_url": u, "logs_url": u,
		"check_suite_url": u, "artifacts_url": u, "cancel_url": u, "rerun_url": u, "workflow_url": u, "actor": restAccount("ada", "User"),
		"head_commit": commit, "repository": r.minimal(), "head_repository": r.minimal(),
	}
}
