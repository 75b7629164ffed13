package forgetest

import "time"

// Who is an account. The zero value is a deleted one, of which GitHub says nothing.
type Who struct {
	Login string
	Bot   bool
}

func (w Who) node() any {
	if w.Login == "" {
		return nil
	}
	kind := "User"
	if w.Bot {
		kind = "Bot"
	}
	return node{"__typename": kind, "login": w.Login, "email": w.Login + "@example.org"}
}

// Remark is a comment or a review.
type Remark struct {
	At     time.Time
	By     Who
	Review bool
}

func (r Remark) node() node {
	if r.Review {
		return node{"__typename": "PullRequestReview", "submittedAt": date(r.At), "createdAt": date(r.At), "author": r.By.node(), "body": secret}
	}
	return node{"__typename": "IssueComment", "createdAt": date(r.At), "author": r.By.node(), "body": secret}
}

// Pull is a pull request.
type Pull struct {
	Created, Updated, Merged, Closed time.Time
	Author, MergedBy                 Who
	Approvals                        []Who // current ones
	Remarks                          []Remark
	Checks                           string // state of the checks of its last commit; empty: it has none
}

func (p Pull) node() node {
	n := node{
		"__typename": "PullRequest", "createdAt": date(p.Created), "updatedAt": date(latest(p.Updated, p.Created, p.Merged, p.Closed)), "mergedAt": date(p.Merged),
		"closedAt": date(latest(p.Closed, p.Merged)), "author": p.Author.node(), "mergedBy": p.MergedBy.node(), "title": secret, "state": "OPEN",
	}
	switch {
	case !p.Merged.IsZero():
		n["state"] = "MERGED"
	case !p.Closed.IsZero():
		n["state"] = "CLOSED"
	}
	if n["statusCheckRollup"] = any(nil); p.Checks != "" {
		n["statusCheckRollup"] = node{"state": p.Checks}
	}
	reviews, timeline := []node{}, []node{}
	for _, w := range p.Approvals {
		reviews = append(reviews, node{"__typename": "PullRequestReview", "state": "APPROVED", "author": w.node()})
	}
	for _, r := range p.Remarks {
		timeline = append(timeline, r.node())
	}
	n["reviews"], n["timelineItems"] = reviews, timeline
	return n
}

// Issue is an issue.
type Issue struct {
	Created, Updated, Closed time.Time
	Author                   Who
	Comments                 []Remark
}

func (i Issue) node() node {
	n := node{
		"__typename": "Issue", "createdAt": date(i.Created), "updatedAt": date(latest(i.Updated, i.Created, i.Closed)), "closedAt": date(i.Closed),
		"author": i.Author.node(), "state": "OPEN", "title": secret,
	}
	if !i.Closed.IsZero() {
		n["state"] = "CLOSED"
	}
	comments := []node{}
	for _, c := range i.Comments {
		comments = append(comments, c.node())
	}
	n["comments"] = comments
	return n
}

// Release is a release with the names of its files.
type Release struct {
	Tag        string
	At         time.Time
	Prerelease bool
	Files      []string
}

func (r Release) node() node {
	files := []node{}
	for _, name := range r.Files {
		files = append(files, node{"__typename": "ReleaseAsset", "name": name})
	}
	return node{"__typename": "Release", "tagName": r.Tag, "createdAt": date(r.At), "publishedAt": date(r.At), "isPrerelease": r.Prerelease, "isDraft": r.At.IsZero(), "releaseAssets": files}
}

// Rule is an active rule of the default branch.
type Rule struct {
	Type      string // of GraphQL's RepositoryRuleType
	Approvals int    // of PULL_REQUEST
}

func (r Rule) node() node {
	n := node{"__typename": "RepositoryRule", "type": r.Type, "parameters": any(nil)}
	if r.Type == "PULL_REQUEST" {
		n["parameters"] = node{"__typename": "PullRequestParameters", "requiredApprovingReviewCount": r.Approvals}
	}
	return n
}

// Classic is the part of classic branch protection that everybody sees.
type Classic struct {
	ForcePushes bool
	Approvals   *int
	Checks      []string
}

// Run is a workflow run that ended.
type Run struct {
	Conclusion, Event string
	Created           time.Time
}

// Repo is a repository of the fake GitHub. The zero value of each field is what a new repository of a person has.
type Repo struct {
	Owner, Name    string
	Organisation   bool
	Archived, Fork bool
	Private        bool
	Mirror         string
	Created        time.Time
	Stars, Forks   int
	IssuesOff      bool
	SecurityPolicy bool
	Licence        string // SPDX id
	CodeOfConduct  string // key
	OtherConduct   bool   // the community profile shows a text that GitHub does not recognise
	PrivateReports *bool  // nil: the answer is 404
	Sponsors       []string
	Labels         []string
	Releases       []Release
	Branch         string // default; empty: the repository is empty
	Classic        *Classic
	Rules          []Rule
	Pulls          []Pull
	Issues         []Issue
	Runs           []Run
	RunsShown      int      // how many runs there are said to be; 0: as many as there are
	Broken         []string // fields that GraphQL answers with null and an error
	MovedFrom      string   // owner/name that leads here too
	id             int
	resolved       node
}

func (r *Repo) full() string { return r.Owner + "/" + r.Name }

// node is the repository as GraphQL sees it.
func (r *Repo) node() node {
	if r.resolved != nil {
		return r.resolved
	}
	if r.Created.IsZero() {
		r.Created = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	owner := "User"
	if r.Organisation {
		owner = "Organization"
	}
	n := node{
		"__typename": "Repository", "nameWithOwner": r.full(), "isArchived": r.Archived, "isMirror": r.Mirror != "", "mirrorUrl": orNil(r.Mirror),
		"isFork": r.Fork, "isPrivate": r.Private, "createdAt": date(r.Created), "stargazerCount": r.Stars, "forkCount": r.Forks,
		"hasIssuesEnabled": !r.IssuesOff, "isSecurityPolicyEnabled": r.SecurityPolicy, "owner": node{"__typename": owner, "login": r.Owner},
		"licenseInfo": any(nil), "codeOfConduct": any(nil), "defaultBranchRef": any(nil), "description": secret,
	}
	if r.Licence != "" {
		n["licenseInfo"] = node{"__typename": "License", "spdxId": r.Licence}
	}
	if r.CodeOfConduct != "" {
		n["codeOfConduct"] = node{"__typename": "CodeOfConduct", "key": r.CodeOfConduct}
	}
	if r.Branch != "" {
		n["defaultBranchRef"] = r.branchNode()
	}
	links := []any{}
	for _, s := range r.Sponsors {
		links = append(links, node{"__typename": "FundingLink", "platform": "GITHUB", "url": s})
	}
	n["fundingLinks"] = links
	n["labels"] = nodes(r.Labels, func(l string) node { return node{"__typename": "Label", "name": l} })
	n["releases"] = nodes(r.Releases, Release.node)
	n["pullRequests"] = nodes(r.Pulls, Pull.node)
	n["issues"] = nodes(r.Issues, Issue.node)
	for _, field := range r.Broken {
		n[field] = broken{}
	}
	r.resolved = n
	return n
}

func (r *Repo) branchNode() node {
	b := node{"__typename": "Ref", "name": r.Branch, "refUpdateRule": any(nil), "rules": nodes(r.Rules, Rule.node)}
	if c := r.Classic; c != nil {
		approvals := any(nil)
		if c.Approvals != nil {
			approvals = *c.Approvals
		}
		checks := []any{}
		for _, name := range c.Checks {
			checks = append(checks, name)
		}
		b["refUpdateRule"] = node{"__typename": "RefUpdateRule", "allowsForcePushes": c.ForcePushes, "requiredApprovingReviewCount": approvals, "requiredStatusCheckContexts": checks}
	}
	return b
}

// secret stands where real answers have texts that people wrote. It must never be kept.
const secret = "text by ada@example.org"

// Secret is the text in all titles and comments of the fakes, which no evidence may hold.
func Secret() string { return secret }

func nodes[T any](all []T, of func(T) node) []node {
	list := make([]node, 0, len(all))
	for _, one := range all {
		list = append(list, of(one))
	}
	return list
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func date(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func latest(all ...time.Time) (last time.Time) {
	for _, t := range all {
		if t.After(last) {
			last = t
		}
	}
	return last
}
