package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v66/github"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// gitHub reads repositories of github.com and of GitHub Enterprise hosts that Options.Services names: one query for many
// repositories, and single calls for what a query cannot answer.
type gitHub struct {
	options Options
	shape   *shape

	mu     sync.Mutex
	sites  map[string]*site
	loaded map[string]*repository // by address.key
}

func newGitHub(o Options) *gitHub {
	return &gitHub{options: o, shape: graphShape(), sites: map[string]*site{}, loaded: map[string]*repository{}}
}

func (g *gitHub) name() string { return "github" }

// address is a repository on a host.
type address struct{ host, owner, name string }

func (a address) key() string { return strings.ToLower(a.host + "/" + a.owner + "/" + a.name) }

// Names as GitHub allows them, a little wider: they become variables of a query and parts of a path.
var (
	ownerName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

// served returns where on a GitHub host a project lives; ok is false if it does not.
func (g *gitHub) served(p scoring.Project) (a address, ok bool) {
	u, err := url.Parse(strings.TrimPrefix(p.Repo, "git+"))
	if err != nil || u.Host == "" {
		return address{}, false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	if host != "github.com" && g.options.Services[host] != "github" {
		return address{}, false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return address{}, false
	}
	a = address{host, parts[0], strings.TrimSuffix(parts[1], ".git")}
	return a, ownerName.MatchString(a.owner) && repositoryName.MatchString(a.name) && strings.Trim(a.name, ".") != ""
}

// site is one GitHub host.
type site struct {
	host      string // as in addresses of repositories
	api       string // host of the API
	graphURL  string
	pool      *pool
	client    *http.Client // sends through the pool
	rest      *github.Client
	anonymous bool

	mu    sync.Mutex
	fails int // queries in a row that failed with one repository
	pages int // further pages in one query; 0: pagesPerQuery
	spent Spent
}

// Spent says what asking GitHub has cost so far.
type Spent struct {
	Queries int // in GraphQL
	Points  int // that GitHub charged for them
	Calls   int // requests of every kind, retries included
}

// Spent returns what GitHub hosts were asked so far, for progress and plans.
func (c *Collector) Spent() Spent {
	var all Spent
	for _, r := range c.readers {
		g, ok := r.(*gitHub)
		if !ok {
			continue
		}
		g.mu.Lock()
		for _, s := range g.sites {
			s.mu.Lock()
			all.Queries, all.Points = all.Queries+s.spent.Queries, all.Points+s.spent.Points
			s.mu.Unlock()
			s.pool.mu.Lock()
			all.Calls += s.pool.calls
			s.pool.mu.Unlock()
		}
		g.mu.Unlock()
	}
	return all
}

// site returns the host, made on first use.
func (g *gitHub) site(host string) (*site, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s, ok := g.sites[host]; ok {
		return s, nil
	}
	s := &site{host: host, api: "api.github.com", graphURL: "https://api.github.com/graphql"}
	base := "https://api.github.com/"
	if host != "github.com" {
		s.api, s.graphURL, base = host, "https://"+host+"/api/graphql", "https://"+host+"/api/v3/"
	}
	o := g.options
	next := o.Client.Transport
	if next == nil {
		return nil, errors.New("the client has no transport that redacts answers")
	}
	s.pool = &pool{next: next, host: s.api, now: o.Now, wait: o.Wait, cached: o.Cached, limited: func(body []byte) bool {
		var a graphAnswer
		return json.Unmarshal(body, &a) == nil && a.limited()
	}}
	var secrets []string
	if o.Tokens != nil {
		secrets = o.Tokens(host)
	}
	for i, secret := range secrets {
		if err := checkToken(secret, i); err != nil {
			return nil, fmt.Errorf("tokens for %s: %w", host, err)
		}
		s.pool.tokens = append(s.pool.tokens, &token{get: fixed(secret)})
	}
	if o.Apps != nil {
		for _, app := range o.Apps(host) {
			i := &installed{app: app, base: base, client: o.Client, now: o.Now}
			s.pool.tokens = append(s.pool.tokens, &token{get: i.token})
		}
	}
	if len(s.pool.tokens) == 0 {
		s.anonymous = true
		s.pool.tokens = []*token{{}}
	}
	client := *o.Client
	client.Transport = s.pool
	s.client, s.rest = &client, github.NewClient(&client)
	s.rest.UserAgent = "pegel"
	var err error
	if s.rest.BaseURL, err = url.Parse(base); err != nil {
		return nil, fmt.Errorf("host %q of a GitHub Enterprise server: %w", host, err)
	}
	g.sites[host] = s
	return s, nil
}

// Prefetch asks for many projects at once what one query can answer for up to 25 of them; Collect then takes it from
// there. Projects on other services are left alone. What cannot be asked stays for Collect to say. The error is that of
// the context.
func (c *Collector) Prefetch(ctx context.Context, projects []scoring.Project) error {
	for _, r := range c.readers {
		if g, ok := r.(*gitHub); ok {
			if err := g.prefetch(ctx, projects); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gitHub) prefetch(ctx context.Context, projects []scoring.Project) error {
	if g.options.Client == nil {
		return nil
	}
	byHost := map[string][]address{}
	seen := map[string]bool{}
	for _, p := range projects {
		if a, ok := g.served(p); ok && !seen[a.key()] {
			seen[a.key()] = true
			byHost[a.host] = append(byHost[a.host], a)
		}
	}
	hosts := make([]string, 0, len(byHost))
	for host := range byHost {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	for _, host := range hosts {
		s, err := g.site(host)
		if err != nil || s.anonymous {
			continue // Collect says so
		}
		// Batches do not depend on the order of projects, so that what an earlier run kept can answer them.
		repos := byHost[host]
		slices.SortFunc(repos, func(a, b address) int { return strings.Compare(a.key(), b.key()) })
		if err := g.load(ctx, s, repos); err != nil {
			return err
		}
	}
	return nil
}

// load asks for repositories and reads their lists to the end.
func (g *gitHub) load(ctx context.Context, s *site, repos []address) error {
	var all []*repository
	for batch := range slices.Chunk(repos, batchSize) {
		loaded, err := g.batch(ctx, s, batch)
		if err != nil {
			return err
		}
		all = append(all, loaded...)
	}
	if err := g.pages(ctx, s, all); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range all {
		r.finish(g.options.At)
		g.loaded[r.at.key()] = r
	}
	return nil
}

// maxFails is after how many single repositories in a row that GitHub could not answer it is asked no more.
const maxFails = 3

// batch asks for some repositories; where that is too much for GitHub, for half of them at a time.
func (g *gitHub) batch(ctx context.Context, s *site, repos []address) ([]*repository, error) {
	answer, origin, err := s.ask(ctx, g, "github facts", batchQuery(repos, g.since()))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && len(repos) > 1 && tooMuch(err) && !s.down() {
		half := (len(repos) + 1) / 2
		first, err := g.batch(ctx, s, repos[:half])
		if err != nil {
			return nil, err
		}
		second, err := g.batch(ctx, s, repos[half:])
		return append(first, second...), err
	}
	s.count(err, len(repos))
	loaded := make([]*repository, len(repos))
	var trouble map[string]troubles
	if err == nil {
		trouble = answer.troubles()
	}
	for i, a := range repos {
		r := &repository{at: a, origin: origin, service: g.name()}
		loaded[i] = r
		if err != nil {
			r.failure, r.settle = reasonOf(err)
			continue
		}
		alias := fmt.Sprintf("r%d", i)
		r.trouble = trouble[alias]
		r.take(answer.Data[alias], g.options.At)
	}
	return loaded, nil
}

// pages reads further pages of the lists of repositories, one round after the other, until each tells enough.
func (g *gitHub) pages(ctx context.Context, s *site, repos []*repository) error {
	for {
		var due []page
		for _, r := range repos {
			due = append(due, r.due(g.since())...)
		}
		if len(due) == 0 {
			return nil
		}
		for len(due) > 0 {
			some := due[:min(len(due), s.pagesAtOnce())]
			due = due[len(some):]
			if err := g.somePages(ctx, s, some); err != nil {
				return err
			}
		}
	}
}

// somePages reads some pages in one query; a page that cannot be had ends its list.
func (g *gitHub) somePages(ctx context.Context, s *site, some []page) error {
	answer, _, err := s.ask(ctx, g, "github pages", pagesQuery(some, g.since()))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && len(some) > 1 && tooMuch(err) && !s.down() {
		half := (len(some) + 1) / 2
		s.fewerPages(half)
		if err := g.somePages(ctx, s, some[:half]); err != nil {
			return err
		}
		return g.somePages(ctx, s, some[half:])
	}
	s.count(err, len(some))
	for i, p := range some {
		if err != nil {
			reason, _ := reasonOf(err)
			p.repo.stop(p.list, reason)
			continue
		}
		p.repo.takePage(p.list, answer.Data[fmt.Sprintf("r%d", i)], g.options.At)
	}
	return nil
}

// since is from when on issues are counted. It is cut to the day, so that the same question is asked all day long.
func (g *gitHub) since() time.Time { return since(g.options.At, 12).UTC().Truncate(24 * time.Hour) }

// count keeps track of queries that fail however little they ask for.
func (s *site) count(err error, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.fails = 0
	case size == 1:
		s.fails++
	}
}

// down says that asking for less does not help.
func (s *site) down() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fails >= maxFails
}

// pagesAtOnce is how many pages one query asks for.
func (s *site) pagesAtOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages == 0 {
		return pagesPerQuery
	}
	return s.pages
}

// fewerPages lowers it for the rest of the run.
func (s *site) fewerPages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = n
}

// errDown says that GitHub is asked no more in this run.
var errDown = fmt.Errorf("GitHub failed %d times in a row", maxFails)

// errTooMuch says that GitHub could not work out an answer in time.
var errTooMuch = errors.New("GitHub ran out of time")

// tooMuch says that a smaller question may be answered. GitHub gives up after about ten seconds with a 502.
func tooMuch(err error) bool {
	var status *statusError
	return errors.Is(err, errTooMuch) || errors.As(err, &status) && status.status >= 500
}

// ask sends one query. Its answer's people are numbered within it.
func (s *site) ask(ctx context.Context, g *gitHub, name string, q query) (graphAnswer, audit.Origin, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return graphAnswer{}, audit.Origin{}, err
	}
	if s.down() {
		return graphAnswer{}, audit.Origin{Source: g.name(), URL: s.graphURL}, errDown
	}
	rule := scoring.Redact{Name: name, Do: g.shape.redact, Passing: passingGraph}
	origin := audit.Origin{Source: g.name(), URL: s.graphURL}
	for attempt := 0; ; attempt++ {
		used := &use{}
		ctx := context.WithValue(scoring.WithRedact(ctx, rule, &scoring.People{}), useKey{}, used)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.graphURL, bytes.NewReader(body))
		if err != nil {
			return graphAnswer{}, origin, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "pegel")
		resp, err := s.client.Do(req)
		if err != nil {
			return graphAnswer{}, origin, err
		}
		answer, err := s.read(resp, used)
		origin = scoring.OriginOf(g.name(), resp)
		origin.URL = s.graphURL
		if err == nil && answer.limited() && attempt < len(s.pool.tokens)+maxAttempts {
			s.exhausted(used, resp)
			continue
		}
		switch {
		case err == nil && answer.limited():
			err = &spentError{until: g.options.Now().Add(pauseDefault)}
		case err == nil && answer.tooMuch():
			err = errTooMuch
		case err == nil && answer.Data == nil:
			err = errors.New("GitHub answered no data")
		}
		return answer, origin, err
	}
}

// exhausted sets aside a token of which GitHub says in an answer that it is spent, until the time it names or for a while.
func (s *site) exhausted(used *use, resp *http.Response) {
	if b := s.pool.budgetOf(used.token, "graphql"); b.known && b.remaining == 0 && s.pool.now().Before(b.reset) {
		return
	}
	pause := retryAfter(resp.Header.Get("Retry-After"), s.pool.now())
	if pause == 0 {
		pause = pauseDefault
	}
	s.pool.set(used.token, "graphql", 0, s.pool.now().Add(pause))
}

// read decodes an answer and notes what it cost.
func (s *site) read(resp *http.Response, used *use) (graphAnswer, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, scoring.MaxAnswer))
	if err != nil {
		return graphAnswer{}, err
	}
	var answer graphAnswer
	if resp.StatusCode != http.StatusOK {
		return answer, &statusError{s.api, resp.StatusCode}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return answer, errors.New("GitHub's answer has another shape")
	}
	var rate graphRate
	if raw, ok := answer.Data["rateLimit"]; ok && json.Unmarshal(raw, &rate) == nil {
		s.mu.Lock()
		s.spent.Queries, s.spent.Points = s.spent.Queries+1, s.spent.Points+rate.Cost
		s.mu.Unlock()
		if rate.Remaining != nil && s.pool.now().Before(rate.ResetAt) && resp.Header.Get("X-RateLimit-Remaining") == "" {
			s.pool.set(used.token, "graphql", *rate.Remaining, rate.ResetAt)
		}
	}
	return answer, nil
}

// reasonOf turns an error into the reason of unknown facts and what would settle them.
func reasonOf(err error) (reason, settle string) {
	var spent *spentError
	var status *statusError
	var link *url.Error
	switch {
	case errors.As(err, &spent) && spent.until.IsZero():
		return spent.Error(), "give a token that GitHub accepts"
	case errors.As(err, &spent):
		return spent.Error(), "run again after that, or give more tokens"
	case errors.As(err, &status), errors.Is(err, errTooMuch):
		return err.Error(), "run again"
	case errors.As(err, &link):
		err = link.Err
	}
	return "asking GitHub: " + err.Error(), "run again when GitHub can be reached"
}
