package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// pool is the transport of one API host: it lends each request a token that has budget left, learns budgets from the
// answers, waits where a service asks for a short pause, and stops asking when everything is spent. Requests to other
// hosts, where a redirect may point, get no token.
type pool struct {
	next    http.RoundTripper
	host    string // that tokens are for
	now     func() time.Time
	wait    func(context.Context, time.Duration) error
	cached  bool                   // next honours Cache-Control: only-if-cached
	limited func(body []byte) bool // whether a redacted refusal says that requests came too fast

	mu     sync.Mutex
	tokens []*token
	calls  int
	why    string // no token is taken
}

// token is one right to ask. Its budgets are per resource, as the service counts them.
type token struct {
	get     func(context.Context) (string, error) // nil: anonymous
	budgets map[string]budget
	bad     bool // refused by the service
}

// budget is what is left of one resource; the zero value says that nobody knows.
type budget struct {
	known     bool
	remaining int
	reset     time.Time
}

// Limits of patience. GitHub asks to wait at least a minute after a secondary limit that names no time
// (docs.github.com, "Best practices for using the REST API"); a pause longer than two minutes ends the asking.
const (
	pauseDefault = time.Minute
	pauseLongest = 2 * time.Minute
	maxAttempts  = 4
	retryFirst   = time.Second
)

// spentError says that no token has budget left.
type spentError struct {
	until time.Time
	why   string // if it is not the limit
}

func (e *spentError) Error() string {
	if e.until.IsZero() {
		return "no token is accepted: " + e.why
	}
	return "rate limit until " + e.until.UTC().Format("2006-01-02 15:04 MST") + "; run again to continue"
}

// use says which token served a request.
type use struct{ token *token }

type useKey struct{}

// RoundTrip sends a request with a token that has budget left.
func (p *pool) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != p.host || req.URL.Scheme != "https" {
		return p.next.RoundTrip(req)
	}
	resource := "core"
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		resource = "graphql"
	}
	backoff := retryFirst
	for attempt := 1; ; attempt++ {
		last := attempt >= maxAttempts+len(p.tokens)
		t, err := p.choose(resource)
		if err != nil {
			if wait := err.until.Sub(p.now()); !last && !err.until.IsZero() && wait <= pauseLongest {
				if err := p.wait(req.Context(), wait); err != nil {
					return nil, err
				}
				continue
			}
			return p.fromCache(req, err)
		}
		resp, again, sent := p.try(req, t, resource)
		if again == never || last || req.Context().Err() != nil || sent != nil && attempt > 1 {
			return resp, sent
		}
		if resp != nil {
			resp.Body.Close()
		}
		if again == later {
			if err := p.wait(req.Context(), backoff); err != nil {
				return nil, err
			}
			backoff *= 2
		}
	}
}

// retry says whether and when a request is worth sending again.
type retry int

const (
	never retry = iota
	later       // the service stumbled
	next        // the token was refused or is spent: another may do
)

// try sends a request once.
func (p *pool) try(req *http.Request, t *token, resource string) (*http.Response, retry, error) {
	resp, err := p.send(req, t)
	switch {
	case errors.Is(err, scoring.ErrNotRedacted):
		return nil, never, err
	case err != nil:
		return nil, later, err
	}
	return resp, p.learn(t, resource, resp), nil
}

// fromCache answers a request that may not be sent any more with what was kept of an earlier run.
func (p *pool) fromCache(req *http.Request, spent error) (*http.Response, error) {
	if !p.cached {
		return nil, spent
	}
	clone := req.Clone(req.Context())
	clone.Header.Set("Cache-Control", "only-if-cached")
	resp, err := p.next.RoundTrip(clone)
	if err != nil {
		return nil, spent
	}
	if resp.StatusCode == http.StatusGatewayTimeout {
		resp.Body.Close()
		return nil, spent
	}
	return resp, nil
}

// choose returns the first token with budget, or says until when there is none.
func (p *pool) choose(resource string) (*token, *spentError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var until time.Time
	for _, t := range p.tokens {
		b := t.budgets[resource]
		switch {
		case t.bad:
		case !b.known || b.remaining > 0 || !p.now().Before(b.reset):
			return t, nil
		case until.IsZero() || b.reset.Before(until):
			until = b.reset
		}
	}
	return nil, &spentError{until, p.why}
}

// send sends the request once.
func (p *pool) send(req *http.Request, t *token) (*http.Response, error) {
	clone := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		clone.Body = body
	}
	if t.get != nil {
		secret, err := t.get(req.Context())
		if err != nil {
			if req.Context().Err() == nil {
				p.drop(t, err.Error())
			}
			return nil, err
		}
		clone.Header.Set("Authorization", "Bearer "+secret)
	}
	if u, ok := req.Context().Value(useKey{}).(*use); ok {
		u.token = t
	}
	resp, err := p.next.RoundTrip(clone)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if err == nil {
		resp.Header.Set("X-From-Cache", "1") // go-github keeps no count of its own: it knows one token and the wall clock only
	}
	return resp, err
}

// learn takes the budget from an answer and says whether the request is to be sent again.
func (p *pool) learn(t *token, resource string, resp *http.Response) retry {
	p.headers(t, resource, resp)
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized && t.get != nil:
		p.drop(t, p.host+" refused it (401)")
		return next
	case status == http.StatusForbidden || status == http.StatusTooManyRequests:
		return p.refusal(t, resource, resp)
	case status >= 500 && resource != "graphql": // a query is asked again in smaller parts
		return later
	}
	return never
}

// drop lends a token no more.
func (p *pool) drop(t *token, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.bad, p.why = true, why
}

// headers takes the budget from the headers of an answer that was given now; a kept answer tells of the past.
func (p *pool) headers(t *token, resource string, resp *http.Response) {
	if seen, err := time.Parse(time.RFC3339, resp.Header.Get(scoring.HeaderObserved)); err == nil && p.now().Sub(seen) > time.Minute {
		return
	}
	remaining, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || err2 != nil {
		return
	}
	p.set(t, resource, remaining, time.Unix(reset, 0).UTC())
}

// budgetOf returns what is known of a token.
func (p *pool) budgetOf(t *token, resource string) budget {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t == nil {
		return budget{}
	}
	return t.budgets[resource]
}

// set records what is left of a token. A reset that lies more than a day ahead is a mistake of the service.
func (p *pool) set(t *token, resource string, remaining int, reset time.Time) {
	if t == nil || reset.After(p.now().Add(24*time.Hour)) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.budgets == nil {
		t.budgets = map[string]budget{}
	}
	t.budgets[resource] = budget{true, remaining, reset}
}

// refusal tells a spent budget and a plea for a pause from a plain prohibition.
func (p *pool) refusal(t *token, resource string, resp *http.Response) retry {
	pause := retryAfter(resp.Header.Get("Retry-After"), p.now())
	if pause == 0 {
		if resp.Header.Get("X-RateLimit-Remaining") == "0" && p.budgetOf(t, resource).known {
			return next
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil || resp.StatusCode == http.StatusForbidden && !p.limited(body) {
			return never
		}
		pause = pauseDefault
	}
	p.set(t, resource, 0, p.now().Add(pause))
	return next
}

// retryAfter reads a Retry-After header: seconds or a date; 0 if there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(value); err == nil && s >= 0 && s < 1<<24 {
		return max(time.Duration(s)*time.Second, time.Second)
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(t.Sub(now), time.Second)
	}
	return 0
}

// fixed returns a token source for a token that does not change.
func fixed(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// checkToken refuses what cannot be a token, without repeating it.
func checkToken(secret string, n int) error {
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("token %d is empty or holds characters that no token has; write it without quotes and line breaks", n+1)
	}
	return nil
}
