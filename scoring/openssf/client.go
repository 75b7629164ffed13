package openssf

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ossf/scorecard/v5/clients"
)

// client is what one check may see: the files, and the facts that were found for it. Everything else is a feature that is
// not supported, as the library calls it. It is safe for concurrent use.
type client struct {
	ctx   context.Context
	tree  *tree
	shows func(path string) bool // nil: all files
	reads view
	repo  repo
	broke *failure // first failure to read a file

	archived     *bool
	created      *time.Time
	branch       *clients.BranchRef
	commits      []clients.Commit  // nil: not known
	issues       []clients.Issue   // nil: not known
	contributors []clients.User    // nil: not known
	releases     []clients.Release // nil: not known
	tested       map[string]bool   // by head of a change; nil: not known
	byBot        []clients.Commit  // commits of an update bot; nil: not known
}

var _ clients.RepoClient = (*client)(nil)

// known returns the value, or that the client does not support the question.
func known[T any](v T, ok bool) (T, error) {
	if !ok {
		var none T
		return none, clients.ErrUnsupportedFeature
	}
	return v, nil
}

func pointed[T any](v *T) (T, error) {
	if v == nil {
		return known(*new(T), false)
	}
	return *v, nil
}

func (c *client) InitRepo(clients.Repo, string, int) error { return nil }
func (c *client) URI() string                              { return c.repo.URI() }
func (c *client) Close() error                             { return nil }

// LocalPath is empty: there is no work tree.
func (c *client) LocalPath() (string, error) { return "", nil }

func (c *client) ListFiles(wanted func(string) (bool, error)) ([]string, error) {
	var out []string
	for _, name := range c.tree.paths {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		if c.shows != nil && !c.shows(name) {
			continue
		}
		ok, err := wanted(name)
		if err != nil {
			return nil, fmt.Errorf("matching %q: %w", shown(name), err)
		}
		if ok {
			out = append(out, name)
		}
	}
	return out, nil
}

func (c *client) GetFileReader(name string) (io.ReadCloser, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	if _, ok := c.tree.files[name]; !ok || c.shows != nil && !c.shows(name) {
		return nil, fmt.Errorf("%q is not a file of the revision", shown(name))
	}
	return &lazy{open: func() ([]byte, error) {
		data, err := c.tree.contents(c.ctx, name, c.reads)
		c.broke.keep(err)
		return data, err
	}}, nil
}

// failure keeps the first error: some checks go on without a file that could not be read, and know less than they say.
type failure struct {
	mu  sync.Mutex
	err error
}

func (f *failure) keep(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *failure) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (c *client) IsArchived() (bool, error)        { return pointed(c.archived) }
func (c *client) GetCreatedAt() (time.Time, error) { return pointed(c.created) }
func (c *client) GetDefaultBranch() (*clients.BranchRef, error) {
	return known(c.branch, c.branch != nil)
}
func (c *client) ListCommits() ([]clients.Commit, error) { return known(c.commits, c.commits != nil) }
func (c *client) ListIssues() ([]clients.Issue, error)   { return known(c.issues, c.issues != nil) }
func (c *client) ListContributors() ([]clients.User, error) {
	return known(c.contributors, c.contributors != nil)
}

func (c *client) SearchCommits(clients.SearchCommitsOptions) ([]clients.Commit, error) {
	return known(c.byBot, c.byBot != nil)
}

// ListStatuses says of a change that a machine tested it, in a word that the library knows (probes/testsRunInCI).
func (c *client) ListStatuses(head string) ([]clients.Status, error) {
	if c.tested[head] {
		return []clients.Status{{State: "success", Context: "test"}}, nil
	}
	return known[[]clients.Status](nil, c.tested != nil)
}

// ListCheckRunsForRef has nothing to add to ListStatuses.
func (c *client) ListCheckRunsForRef(string) ([]clients.CheckRun, error) {
	return known[[]clients.CheckRun](nil, c.tested != nil)
}

// ListProgrammingLanguages answers "all": the library then looks for the fuzz targets of every language it knows.
func (c *client) ListProgrammingLanguages() ([]clients.Language, error) {
	return []clients.Language{{Name: clients.All}}, nil
}

func (c *client) GetDefaultBranchName() (string, error) {
	if c.branch == nil || c.branch.Name == nil {
		return known("", false)
	}
	return *c.branch.Name, nil
}

func (c *client) GetBranch(string) (*clients.BranchRef, error) {
	return known[*clients.BranchRef](nil, false)
}
func (c *client) ListLicenses() ([]clients.License, error) {
	return known[[]clients.License](nil, false)
}
func (c *client) ListReleases() ([]clients.Release, error) {
	return known(c.releases, c.releases != nil)
}
func (c *client) ListWebhooks() ([]clients.Webhook, error) {
	return known[[]clients.Webhook](nil, false)
}
func (c *client) GetOrgRepoClient(context.Context) (clients.RepoClient, error) {
	return known[clients.RepoClient](nil, false)
}

func (c *client) ListSuccessfulWorkflowRuns(string) ([]clients.WorkflowRun, error) {
	return known[[]clients.WorkflowRun](nil, false)
}

func (c *client) Search(clients.SearchRequest) (clients.SearchResponse, error) {
	return known(clients.SearchResponse{}, false)
}

// repo names the repository to the library. Its type is empty: any other would make the library drop checks.
type repo struct{ host, path string }

var _ clients.Repo = repo{}

func (r repo) Path() string             { return r.path }
func (r repo) Host() string             { return r.host }
func (r repo) URI() string              { return r.host + "/" + r.path }
func (r repo) String() string           { return r.URI() }
func (r repo) IsValid() error           { return nil }
func (r repo) Metadata() []string       { return nil }
func (r repo) AppendMetadata(...string) {}
func (r repo) Type() clients.RepoType   { return "" }

// The clients of other services answer from facts too.

type badgeClient struct{ level clients.BadgeLevel }

func (b badgeClient) GetBadgeLevel(context.Context, string) (clients.BadgeLevel, error) {
	return b.level, nil
}

type advisoryClient struct{ ids []string }

func (a advisoryClient) ListUnfixedVulnerabilities(context.Context, string, string) (clients.VulnerabilitiesResponse, error) {
	var r clients.VulnerabilitiesResponse
	for _, id := range a.ids {
		r.Vulnerabilities = append(r.Vulnerabilities, clients.Vulnerability{ID: id})
	}
	return r, nil
}

// fuzzClient answers the one question that is asked of OSS-Fuzz.
type fuzzClient struct {
	client
	listed bool
}

func (f *fuzzClient) Search(clients.SearchRequest) (clients.SearchResponse, error) {
	if f.listed {
		return clients.SearchResponse{Hits: 1}, nil
	}
	return clients.SearchResponse{}, nil
}
