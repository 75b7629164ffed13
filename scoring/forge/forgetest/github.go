// Package forgetest answers as forges do, in the same process, from fixtures that tests make. Nothing in it was copied
// from a real project: the shapes are those of the services' published descriptions, which tests check where they can be
// had, and all people live at example.org.
package forgetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// GitHub is a fake of github.com: its GraphQL and the REST calls that collectors need, budgets, and failures on demand.
type GitHub struct {
	// Limit is how many points, and how many calls, each token has until Reset; 0: as many as it likes. Anonymous callers
	// have Anonymous calls.
	Limit, Anonymous int
	Reset            time.Time
	// Now is the server's clock; budgets are full again once it has passed Reset.
	Now func() time.Time
	// Before may answer in place of the server; it says whether it did. Body is what was asked.
	Before func(w http.ResponseWriter, r *http.Request, body []byte) bool
	// After may look at every answer: what was asked, its status, and what was said.
	After func(r *http.Request, asked []byte, status int, said []byte)

	mu     sync.Mutex
	repos  map[string]*Repo // by owner/name in lower case
	moved  map[string]*Repo
	byID   map[string]*Repo
	used   map[string]int // by token and resource
	counts Counts
	server *httptest.Server
}

// Counts is what a fake was asked.
type Counts struct {
	Queries, Points int
	REST            int
	Bytes           int64    // of all answers, as they would be without compression
	Tokens          []string // in the order of requests, "" if none
}

// NewGitHub starts a fake with repositories; it ends with the test.
func NewGitHub(t testing.TB, repos ...*Repo) *GitHub {
	t.Helper()
	g := &GitHub{Now: time.Now, repos: map[string]*Repo{}, moved: map[string]*Repo{}, byID: map[string]*Repo{}, used: map[string]int{}}
	for i, r := range repos {
		r.id = i + 1
		g.repos[strings.ToLower(r.full())] = r
		g.byID[strconv.Itoa(r.id)] = r
		if r.MovedFrom != "" {
			g.moved[strings.ToLower(r.MovedFrom)] = r
		}
	}
	g.server = httptest.NewServer(http.HandlerFunc(g.serve))
	t.Cleanup(g.server.Close)
	return g
}

// Counts returns what was asked so far.
func (g *GitHub) Counts() Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts
}

// Transport leads requests for every host to the fake.
func (g *GitHub) Transport() http.RoundTripper { return leading{g.server.URL} }

// leading sends requests to a server in this process, whatever host they are for.
type leading struct{ to string }

func (l leading) RoundTrip(req *http.Request) (*http.Response, error) {
	to, err := url.Parse(l.to)
	if err != nil {
		return nil, err
	}
	clone := req.Clone(req.Context())
	clone.Host = req.URL.Host
	clone.URL.Scheme, clone.URL.Host = to.Scheme, to.Host
	resp, err := http.DefaultTransport.RoundTrip(clone)
	if err == nil {
		resp.Request = req
	}
	return resp, err
}

// answer is written once it is whole.
type answer struct {
	status int
	header http.Header
	body   any
}

func (g *GitHub) serve(w http.ResponseWriter, r *http.Request) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.mu.Lock()
	g.counts.Tokens = append(g.counts.Tokens, token)
	if !strings.HasSuffix(r.URL.Path, "/graphql") {
		g.counts.REST++
	}
	g.mu.Unlock()
	if g.Before != nil && g.Before(w, r, asked) {
		return
	}
	a := g.answer(r, asked, token)
	said, err := json.Marshal(a.body)
	if err != nil {
		panic(err)
	}
	g.mu.Lock()
	g.counts.Bytes += int64(len(said))
	g.mu.Unlock()
	if g.After != nil {
		g.After(r, asked, a.status, said)
	}
	for key, values := range a.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(said)
}

func (g *GitHub) answer(r *http.Request, asked []byte, token string) answer {
	if strings.HasSuffix(r.URL.Path, "/graphql") {
		return g.graph(r, asked, token)
	}
	a := answer{status: http.StatusOK, header: http.Header{}}
	if !g.charge(token, "core", 1, a.header) {
		a.status, a.body = http.StatusForbidden, map[string]any{
			"message": "API rate limit exceeded for user ID 7, said " + secret, "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}
		return a
	}
	g.rest(r, &a)
	return a
}

// charge takes from a token's budget and writes what is left; false: there was not enough.
func (g *GitHub) charge(token, resource string, cost int, h http.Header) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	limit := g.Limit
	if token == "" {
		limit = g.Anonymous
	}
	if limit == 0 {
		return true
	}
	if !g.Now().Before(g.Reset) {
		g.Reset = g.Now().Add(time.Hour).Truncate(time.Second)
		clear(g.used)
	}
	key := token + " " + resource
	enough := g.used[key]+cost <= limit
	if enough {
		g.used[key] += cost
	}
	left := limit - g.used[key]
	if !enough {
		left = 0
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Used", strconv.Itoa(limit-left))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(g.Reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", resource)
	return enough
}

// graph answers a GraphQL query.
func (g *GitHub) graph(r *http.Request, asked []byte, token string) answer {
	a := answer{status: http.StatusOK, header: http.Header{}}
	if token == "" {
		a.status, a.body = http.StatusUnauthorized, map[string]any{"message": "This endpoint requires you to be authenticated."}
		return a
	}
	var q struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if r.Method != http.MethodPost || json.Unmarshal(asked, &q) != nil {
		a.status, a.body = http.StatusBadRequest, map[string]any{"message": "Problems parsing JSON"}
		return a
	}
	doc, perr := parser.ParseQuery(&ast.Source{Input: q.Query})
	cost, requests, err := Cost(q.Query, q.Variables)
	if perr != nil || err != nil {
		a.body = map[string]any{"errors": []any{map[string]any{"message": fmt.Sprint(perr, err)}}}
		return a
	}
	if !g.charge(token, "graphql", cost, a.header) {
		a.body = map[string]any{"errors": []any{map[string]any{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 7."}}}
		return a
	}
	g.mu.Lock()
	g.counts.Queries, g.counts.Points = g.counts.Queries+1, g.counts.Points+cost
	g.mu.Unlock()
	e := &run{variables: q.Variables, fragments: doc.Fragments}
	data := map[string]any{}
	for _, s := range doc.Operations[0].SelectionSet {
		f, ok := s.(*ast.Field)
		if !ok {
			continue
		}
		if f.Name == "rateLimit" {
			remaining, err := strconv.Atoi(a.header.Get("X-RateLimit-Remaining"))
			if err != nil {
				remaining = 5000
			}
			data[f.Alias] = pick(map[string]any{"cost": cost, "remaining": remaining, "limit": g.Limit, "nodeCount": requests, "resetAt": date(g.Now().Add(time.Hour))}, f.SelectionSet)
			continue
		}
		data[f.Alias] = g.repository(e, f)
	}
	body := map[string]any{"data": data}
	if len(e.errors) > 0 {
		body["errors"] = e.errors
	}
	a.body = body
	return a
}

// repository answers one repository of a query.
func (g *GitHub) repository(e *run, f *ast.Field) any {
	args := e.arguments(f)
	name := strings.ToLower(fmt.Sprintf("%v/%v", args["owner"], args["name"]))
	g.mu.Lock()
	defer g.mu.Unlock()
	repo := g.repos[name]
	if repo == nil {
		repo = g.moved[name] // GraphQL follows renames by itself
	}
	if repo == nil {
		e.fail("NOT_FOUND", "Could not resolve to a Repository with the name '"+name+"'.", []any{f.Alias})
		return nil
	}
	return e.object(repo.node(), f.SelectionSet, []any{f.Alias})
}
