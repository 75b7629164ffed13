package forge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The answers of GitHub, as far as graphShape keeps them. Pointers tell what was not answered from what is zero.

type graphAnswer struct {
	Data   map[string]json.RawMessage `json:"data"`
	Errors []graphError               `json:"errors"`
	Kind   string                     `json:"message"` // of a refusal
}

type graphError struct {
	Type string            `json:"type"`
	Path []json.RawMessage `json:"path"`
	Kind string            `json:"message"`
}

type graphRate struct {
	Cost      int       `json:"cost"`
	Remaining *int      `json:"remaining"`
	ResetAt   time.Time `json:"resetAt"`
}

type count struct {
	TotalCount *int `json:"totalCount"`
}

// account is an author or reviewer; nil where the account was deleted.
type account struct {
	Login string `json:"login"`
}

func (a *account) name() string {
	if a == nil {
		return ""
	}
	return a.Login
}

func (a *account) machine() bool { return a != nil && strings.HasPrefix(a.Login, "bot:") }

// person says that it is known to be a human being.
func (a *account) person() bool { return a != nil && a.Login != "" && !a.machine() }

type graphList[T any] struct {
	TotalCount *int `json:"totalCount"`
	PageInfo   struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	} `json:"pageInfo"`
	Nodes []*T `json:"nodes"`
}

// all returns the nodes that could be read.
func (l graphList[T]) all() []T {
	nodes := make([]T, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		if n != nil {
			nodes = append(nodes, *n)
		}
	}
	return nodes
}

type dated struct {
	CreatedAt time.Time `json:"createdAt"`
	MergedAt  time.Time `json:"mergedAt"`
	ClosedAt  time.Time `json:"closedAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

type graphRepository struct {
	NameWithOwner           string    `json:"nameWithOwner"`
	IsArchived              *bool     `json:"isArchived"`
	IsMirror                *bool     `json:"isMirror"`
	MirrorURL               string    `json:"mirrorUrl"`
	IsFork                  *bool     `json:"isFork"`
	IsPrivate               *bool     `json:"isPrivate"`
	CreatedAt               time.Time `json:"createdAt"`
	StargazerCount          *int      `json:"stargazerCount"`
	ForkCount               *int      `json:"forkCount"`
	HasIssuesEnabled        *bool     `json:"hasIssuesEnabled"`
	IsSecurityPolicyEnabled *bool     `json:"isSecurityPolicyEnabled"`
	Owner                   *struct {
		Kind string `json:"__typename"`
	} `json:"owner"`
	LicenseInfo *struct {
		SPDX string `json:"spdxId"`
	} `json:"licenseInfo"`
	CodeOfConduct *struct {
		Key string `json:"key"`
	} `json:"codeOfConduct"`
	FundingLinks *[]json.RawMessage `json:"fundingLinks"`
	Labels       *graphList[struct {
		Kind string `json:"name"`
	}] `json:"labels"`
	Releases         *graphList[graphRelease] `json:"releases"`
	Filed            *graphList[graphRelease] `json:"filed"`
	DefaultBranchRef *graphBranch             `json:"defaultBranchRef"`
	OpenChanges      *count                   `json:"openChanges"`
	Changes          *graphList[dated]        `json:"changes"`
	Merged           *graphList[graphMerged]  `json:"merged"`
	Opened           *graphList[graphOpened]  `json:"opened"`
	Open             *graphList[dated]        `json:"open"`
	Touched          *graphList[dated]        `json:"touched"`
	Newest           *graphList[graphIssue]   `json:"newest"`
}

type graphRelease struct {
	TagName       string    `json:"tagName"`
	PublishedAt   time.Time `json:"publishedAt"`
	IsPrerelease  bool      `json:"isPrerelease"`
	IsDraft       bool      `json:"isDraft"`
	ReleaseAssets graphList[struct {
		Name string `json:"name"`
	}] `json:"releaseAssets"`
}

type graphBranch struct {
	Name          string `json:"name"`
	RefUpdateRule *struct {
		AllowsForcePushes            *bool     `json:"allowsForcePushes"`
		RequiredApprovingReviewCount *int      `json:"requiredApprovingReviewCount"`
		RequiredStatusCheckContexts  []*string `json:"requiredStatusCheckContexts"`
	} `json:"refUpdateRule"`
	Rules *graphList[struct {
		Type       string `json:"type"`
		Parameters *struct {
			RequiredApprovingReviewCount *int `json:"requiredApprovingReviewCount"`
		} `json:"parameters"`
	}] `json:"rules"`
}

type graphMerged struct {
	MergedAt          time.Time `json:"mergedAt"`
	UpdatedAt         time.Time `json:"updatedAt"`
	Author            *account  `json:"author"`
	MergedBy          *account  `json:"mergedBy"`
	StatusCheckRollup *struct {
		State string `json:"state"`
	} `json:"statusCheckRollup"`
	Reviews graphList[struct {
		Author *account `json:"author"`
	}] `json:"reviews"`
}

type graphOpened struct {
	CreatedAt     time.Time `json:"createdAt"`
	MergedAt      time.Time `json:"mergedAt"`
	Author        *account  `json:"author"`
	MergedBy      *account  `json:"mergedBy"`
	TimelineItems struct {
		FilteredCount int            `json:"filteredCount"`
		Nodes         []*graphRemark `json:"nodes"`
	} `json:"timelineItems"`
}

type graphIssue struct {
	CreatedAt time.Time              `json:"createdAt"`
	Author    *account               `json:"author"`
	Comments  graphList[graphRemark] `json:"comments"`
}

type graphRemark struct {
	CreatedAt   time.Time `json:"createdAt"`
	SubmittedAt time.Time `json:"submittedAt"`
	Author      *account  `json:"author"`
}

// remark returns what was said, by whom and when.
func (r graphRemark) remark() remark {
	at := r.CreatedAt
	if at.IsZero() {
		at = r.SubmittedAt
	}
	return remark{at: at, who: r.Author.name(), machine: r.Author.machine()}
}

// troubles are the fields of one repository that GitHub could not answer, as paths without the places in lists, each with
// the kind of its error; the path "" stands for the repository itself.
type troubles map[string]string

// of returns the kind of trouble with a field, with one that holds it or with one that it holds, but for the exceptions.
func (t troubles) of(name string, except ...string) (kind string, ok bool) {
	for path, kind := range t {
		touches := path == "" || path == name || strings.HasPrefix(path, name+".") || strings.HasPrefix(name, path+".")
		if touches && !slices.ContainsFunc(except, func(e string) bool { return strings.HasSuffix(path, "."+e) }) {
			return kind, true
		}
	}
	return "", false
}

// troubles returns the errors by alias; "" is the alias of those that belong to the whole answer.
func (a graphAnswer) troubles() map[string]troubles {
	all := map[string]troubles{}
	for _, e := range a.Errors {
		kind := e.Kind
		if e.Type != "" {
			kind = e.Type
		}
		var names []string
		for _, part := range e.Path {
			var name string
			if json.Unmarshal(part, &name) == nil {
				names = append(names, name)
			}
		}
		alias := ""
		if len(names) > 0 {
			alias, names = names[0], names[1:]
		}
		if all[alias] == nil {
			all[alias] = troubles{}
		}
		all[alias][strings.Join(names, ".")] = kind
	}
	return all
}

// passingGraph says that an answer, although a success, is a plea to ask less or lacks what GitHub could not work out in
// time: asked again it may be whole. That a repository is not there or not shown is an answer that lasts.
func passingGraph(_ int, body []byte) bool {
	var a struct {
		Errors []graphError `json:"errors"`
	}
	if json.Unmarshal(body, &a) != nil {
		return true
	}
	return slices.ContainsFunc(a.Errors, func(e graphError) bool {
		switch e.Type {
		case "NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES":
			return false
		}
		return e.Kind != "forbidden"
	})
}

// because says for people why GitHub did not answer.
func because(kind string) string {
	switch kind {
	case "NOT_FOUND":
		return "GitHub shows no such repository: it was removed, renamed without a trace, or is private"
	case "FORBIDDEN", "forbidden", "INSUFFICIENT_SCOPES":
		return "GitHub does not show this to the token"
	case "timeout":
		return "GitHub ran out of time"
	case "RATE_LIMITED", "limit", "secondary":
		return "GitHub's rate limit was reached"
	}
	return "GitHub did not answer this field"
}

// limited says that the whole answer is a plea to ask less.
func (a graphAnswer) limited() bool {
	if a.Kind == "limit" || a.Kind == "secondary" {
		return true
	}
	return slices.ContainsFunc(a.Errors, func(e graphError) bool {
		return e.Type == "RATE_LIMITED" || len(e.Path) == 0 && (e.Kind == "limit" || e.Kind == "secondary")
	})
}

// tooMuch says that GitHub could not work out the answer in time.
func (a graphAnswer) tooMuch() bool {
	return slices.ContainsFunc(a.Errors, func(e graphError) bool {
		return len(e.Path) == 0 && (e.Kind == "timeout" || e.Type == "MAX_NODE_LIMIT_EXCEEDED" || e.Type == "RESOURCE_LIMITS_EXCEEDED")
	})
}

// statusError says that a service answered with a status that is no success.
type statusError struct {
	host   string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered with status %d", e.host, e.status)
}
