package forge

import (
	"fmt"
	"strings"
	"time"
)

// How much of a repository one query reads. By GitHub's formula a query costs the number of requests that its connections
// need, divided by 100: 25 repositories with these numbers cost 16 points (a test holds that), which
// leaves nine for further pages of long lists.
const (
	batchSize     = 25  // repositories in one query
	listSize      = 100 // entries of a list that is counted, the most GitHub gives
	mergedSample  = 25  // newest merged pull requests, with their approvals
	approvalLimit = 10  // approvals read of each
	openedSample  = 12  // newest pull requests, with what was said about them
	issueSample   = 12  // newest issues, with what was said about them
	remarkLimit   = 10  // remarks read of each
	releaseSample = 20  // newest releases
	filedReleases = 5   // of these, newest, with their files; Scorecard looks at five too
	assetLimit    = 20  // files read of each
	ruleLimit     = 50  // rules of the default branch
	labelLimit    = 100 // labels
	pagesPerQuery = 40  // further pages of lists in one query; fewer once GitHub ran out of time
)

// factsFragment is what is asked of each repository. What it says of people is their login, and only to tell them apart.
const factsFragment = `fragment who on Actor { __typename login }
fragment facts on Repository {
nameWithOwner isArchived isMirror mirrorUrl isFork isPrivate createdAt stargazerCount forkCount hasIssuesEnabled isSecurityPolicyEnabled
owner { __typename }
licenseInfo { spdxId }
codeOfConduct { key }
fundingLinks { platform }
labels(first: %[1]d) { totalCount nodes { name } }
releases(first: %[2]d, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { tagName publishedAt isPrerelease isDraft } }
filed: releases(first: %[11]d, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { tagName releaseAssets(first: %[3]d) { totalCount nodes { name } } } }
defaultBranchRef { name
refUpdateRule { allowsForcePushes requiredApprovingReviewCount requiredStatusCheckContexts }
rules(first: %[4]d) { totalCount nodes { type parameters { ... on PullRequestParameters { requiredApprovingReviewCount } } } } }
openChanges: pullRequests(states: OPEN) { totalCount }
changes: pullRequests(first: %[5]d, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt mergedAt closedAt updatedAt } }
merged: pullRequests(first: %[6]d, states: MERGED, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { mergedAt updatedAt author { ...who } mergedBy { ...who } statusCheckRollup { state } reviews(first: %[7]d, states: APPROVED) { totalCount nodes { author { ...who } } } } }
opened: pullRequests(first: %[8]d, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { createdAt mergedAt author { ...who } mergedBy { ...who } timelineItems(first: %[9]d, itemTypes: [ISSUE_COMMENT, PULL_REQUEST_REVIEW]) { filteredCount nodes { ... on IssueComment { createdAt author { ...who } } ... on PullRequestReview { submittedAt author { ...who } } } } } }
open: issues(first: %[5]d, states: OPEN, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt } }
touched: issues(first: %[5]d, orderBy: {field: UPDATED_AT, direction: DESC}, filterBy: {since: $since}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt closedAt } }
newest: issues(first: %[10]d, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { createdAt author { ...who } comments(first: %[9]d) { totalCount nodes { createdAt author { ...who } } } } }
}
`

// query is one question in GraphQL.
type query struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`
}

// batchQuery asks for the facts of repositories, under the aliases r0, r1, ...
func batchQuery(repos []address, from time.Time) query {
	var head, body strings.Builder
	variables := map[string]any{"since": from.Format(time.RFC3339)}
	for i, r := range repos {
		fmt.Fprintf(&head, ", $o%[1]d: String!, $n%[1]d: String!", i)
		fmt.Fprintf(&body, "r%[1]d: repository(owner: $o%[1]d, name: $n%[1]d) { ...facts }\n", i)
		variables[fmt.Sprintf("o%d", i)], variables[fmt.Sprintf("n%d", i)] = r.owner, r.name
	}
	text := "query batch($since: DateTime!" + head.String() + ") {\nrateLimit { cost remaining resetAt }\n" + body.String() + "}\n" +
		fmt.Sprintf(factsFragment, labelLimit, releaseSample, assetLimit, ruleLimit, listSize, mergedSample, approvalLimit, openedSample, remarkLimit, issueSample, filedReleases)
	return query{text, variables}
}

// list is one of the lists that are read to their end, or until enough is known.
type list string

const (
	listChanges list = "changes"
	listTouched list = "touched"
	listOpen    list = "open"
)

// selection is the part of the query that reads a page of a list.
func (l list) selection() string {
	switch l {
	case listChanges:
		return "pullRequests(first: %d, after: $c%d, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt mergedAt closedAt updatedAt } }"
	case listTouched:
		return "issues(first: %d, after: $c%d, orderBy: {field: UPDATED_AT, direction: DESC}, filterBy: {since: $since}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt closedAt } }"
	}
	return "issues(first: %d, after: $c%d, states: OPEN, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount pageInfo { hasNextPage endCursor } nodes { createdAt } }"
}

// page is the next part of a list of a repository.
type page struct {
	repo  *repository
	list  list
	after string
}

// pagesQuery asks for pages, under the aliases r0, r1, ...
func pagesQuery(pages []page, from time.Time) query {
	var head, body strings.Builder
	variables := map[string]any{}
	for i, p := range pages {
		if p.list == listTouched {
			variables["since"] = from.Format(time.RFC3339)
		}
		fmt.Fprintf(&head, ", $o%[1]d: String!, $n%[1]d: String!, $c%[1]d: String!", i)
		fmt.Fprintf(&body, "r%[1]d: repository(owner: $o%[1]d, name: $n%[1]d) { %[2]s: ", i, p.list)
		fmt.Fprintf(&body, p.list.selection()+" }\n", listSize, i)
		variables[fmt.Sprintf("o%d", i)], variables[fmt.Sprintf("n%d", i)], variables[fmt.Sprintf("c%d", i)] = p.repo.at.owner, p.repo.at.name, p.after
	}
	declared := strings.TrimPrefix(head.String(), ", ")
	if _, ok := variables["since"]; ok {
		declared = "$since: DateTime!, " + declared
	}
	return query{"query pages(" + declared + ") {\nrateLimit { cost remaining resetAt }\n" + body.String() + "}\n", variables}
}

// graphShape is what is kept of the answers to both queries. Messages of errors may name people; only their kind is kept.
func graphShape() *shape {
	return newShape(nameOnGitHub,
		"message@", // of a refusal
		"data.rateLimit.cost", "data.rateLimit.remaining", "data.rateLimit.resetAt",
		"errors.type", "errors.path", "errors.message@",
		"data.*.nameWithOwner", "data.*.isArchived", "data.*.isMirror", "data.*.mirrorUrl", "data.*.isFork", "data.*.isPrivate", "data.*.createdAt",
		"data.*.stargazerCount", "data.*.forkCount", "data.*.hasIssuesEnabled", "data.*.isSecurityPolicyEnabled",
		"data.*.owner.__typename", "data.*.licenseInfo.spdxId", "data.*.codeOfConduct.key", "data.*.fundingLinks.platform",
		"data.*.labels.totalCount", "data.*.labels.nodes.name@",
		"data.*.releases.nodes.tagName", "data.*.releases.nodes.publishedAt", "data.*.releases.nodes.isPrerelease", "data.*.releases.nodes.isDraft",
		"data.*.filed.nodes.tagName", "data.*.filed.nodes.releaseAssets.totalCount", "data.*.filed.nodes.releaseAssets.nodes.name",
		"data.*.defaultBranchRef.name", "data.*.defaultBranchRef.refUpdateRule.allowsForcePushes",
		"data.*.defaultBranchRef.refUpdateRule.requiredApprovingReviewCount", "data.*.defaultBranchRef.refUpdateRule.requiredStatusCheckContexts",
		"data.*.defaultBranchRef.rules.totalCount", "data.*.defaultBranchRef.rules.nodes.type",
		"data.*.defaultBranchRef.rules.nodes.parameters.requiredApprovingReviewCount",
		"data.*.openChanges.totalCount",
		"data.*.changes.totalCount", "data.*.changes.pageInfo.hasNextPage", "data.*.changes.pageInfo.endCursor",
		"data.*.changes.nodes.createdAt", "data.*.changes.nodes.mergedAt", "data.*.changes.nodes.closedAt", "data.*.changes.nodes.updatedAt",
		"data.*.merged.totalCount", "data.*.merged.nodes.mergedAt", "data.*.merged.nodes.updatedAt",
		"data.*.merged.nodes.author.__typename", "data.*.merged.nodes.author.login@",
		"data.*.merged.nodes.mergedBy.__typename", "data.*.merged.nodes.mergedBy.login@",
		"data.*.merged.nodes.statusCheckRollup.state", "data.*.merged.nodes.reviews.totalCount",
		"data.*.merged.nodes.reviews.nodes.author.__typename", "data.*.merged.nodes.reviews.nodes.author.login@",
		"data.*.opened.nodes.createdAt", "data.*.opened.nodes.mergedAt",
		"data.*.opened.nodes.author.__typename", "data.*.opened.nodes.author.login@",
		"data.*.opened.nodes.mergedBy.__typename", "data.*.opened.nodes.mergedBy.login@",
		"data.*.opened.nodes.timelineItems.filteredCount", "data.*.opened.nodes.timelineItems.nodes.createdAt",
		"data.*.opened.nodes.timelineItems.nodes.submittedAt",
		"data.*.opened.nodes.timelineItems.nodes.author.__typename", "data.*.opened.nodes.timelineItems.nodes.author.login@",
		"data.*.open.totalCount", "data.*.open.pageInfo.hasNextPage", "data.*.open.pageInfo.endCursor", "data.*.open.nodes.createdAt",
		"data.*.touched.totalCount", "data.*.touched.pageInfo.hasNextPage", "data.*.touched.pageInfo.endCursor",
		"data.*.touched.nodes.createdAt", "data.*.touched.nodes.closedAt",
		"data.*.newest.nodes.createdAt", "data.*.newest.nodes.author.__typename", "data.*.newest.nodes.author.login@",
		"data.*.newest.nodes.comments.totalCount", "data.*.newest.nodes.comments.nodes.createdAt",
		"data.*.newest.nodes.comments.nodes.author.__typename", "data.*.newest.nodes.comments.nodes.author.login@",
	)
}

// nameOnGitHub replaces logins: bots keep theirs, people get a pseudonym that differs from repository to repository, so that
// a kept answer does not show who works on several. A message is replaced by its kind.
func nameOnGitHub(path []string, value any, beside map[string]any, person func(string) string) any {
	text, _ := value.(string)
	switch {
	case path[len(path)-1] == "message":
		return kindOfMessage(text)
	case len(path) > 2 && path[2] == "labels":
		return kindOfLabel(text)
	}
	if text == "" {
		return nil
	}
	if kind := beside["__typename"]; kind == "Bot" || isMachine(text) {
		return "bot:" + strings.ToLower(text)
	}
	return person("github " + path[1] + " " + strings.ToLower(text))
}

// kindOfLabel tells the labels that invite newcomers from all others.
func kindOfLabel(name string) string {
	name = strings.NewReplacer("-", " ", "_", " ", "/", " ", ":", " ").Replace(strings.ToLower(name))
	for _, invitation := range [...]string{"good first", "first timer", "first bug", "first contribution", "newcomer", "beginner", "help wanted", "low hanging fruit", "easy fix", "starter", "up for grabs", "mentored"} {
		if strings.Contains(name, invitation) {
			return "newcomers"
		}
	}
	return "other"
}

// kindOfMessage sorts the messages of refusals and errors.
func kindOfMessage(message string) string {
	message = strings.ToLower(message)
	switch {
	case strings.Contains(message, "secondary rate limit"), strings.Contains(message, "abuse detection"):
		return "secondary"
	case strings.Contains(message, "rate limit"):
		return "limit"
	case strings.Contains(message, "timeout"), strings.Contains(message, "timed out"), strings.Contains(message, "something went wrong"):
		return "timeout"
	case strings.Contains(message, "not accessible"), strings.Contains(message, "saml"), strings.Contains(message, "ip allow list"):
		return "forbidden"
	}
	return "other"
}
