package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// services is what the readers of all services but GitHub share: how to ask a server politely, and what it answered before.
type services struct {
	options Options

	mu    sync.Mutex
	until map[string]time.Time // per host: nothing is asked before
}

func newServices(o Options) *services {
	return &services{options: o, until: map[string]time.Time{}}
}

const (
	// maxWait is how long a reader waits for a server that asks for patience. GitLab's limits are per minute (GitLab
	// documentation, "Rate limits"); whoever wants more than twice that is asked again in another run.
	maxWait = 2 * time.Minute
	// maxTries bounds how often one request is sent.
	maxTries = 3
	// defaultWait is taken where a server asks for patience without a number.
	defaultWait = time.Minute
)

// busy returns until when a host wants to be left alone.
func (s *services) busy(host string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until[host]
}

// leave notes that a host wants to be left alone for a while.
func (s *services) leave(host string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.until[host]) {
		s.until[host] = until
	}
}

// desk asks one server about one project, one question at a time. It is the transport of whatever client the service has:
// it adds the token for its own host only, obeys the server's limits, and remembers where the last answer came from.
type desk struct {
	*services
	source string // name of the reader
	base   string // scheme and host
	host   string
	scheme string // of the Authorization header: Bearer, token; empty: the service is asked without one
	people *scoring.People
	next   http.RoundTripper

	last   audit.Origin // of the last answer
	status int          // of the last answer; 0: there was none
	header http.Header  // of the last answer
	seen   []audit.Origin
}

// desk opens one at a server, which is asked by https only.
func (s *services) desk(source, scheme, host string) *desk {
	d := &desk{services: s, source: source, scheme: scheme, host: host, base: "https://" + host, people: &scoring.People{}}
	if d.next = s.options.Client.Transport; d.next == nil {
		d.next = http.DefaultTransport
	}
	return d
}

// client is the given client with the desk as its transport.
func (d *desk) client() *http.Client {
	c := *d.options.Client
	c.Transport = d
	return &c
}

// RoundTrip sends a request as often as politeness allows.
func (d *desk) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Private-Token")
	req.Header.Del("Authorization")
	if tokens := d.options.Tokens; tokens != nil && d.scheme != "" && req.URL.Host == d.host && req.URL.Scheme == "https" {
		if t := tokens(d.host); len(t) > 0 {
			req.Header.Set("Authorization", d.scheme+" "+t[0])
		}
	}
	for try := 1; ; try++ {
		if err := d.await(req.Context(), req.URL.Host); err != nil {
			return nil, err
		}
		d.last, d.status, d.header = audit.Origin{Source: d.source, URL: anonymous(req.URL)}, 0, nil
		resp, err := d.next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		d.last, d.status, d.header = scoring.OriginOf(d.source, resp), resp.StatusCode, resp.Header
		if d.last.URL == "" {
			d.last.URL = anonymous(req.URL)
		}
		pause, limited := patience(resp, d.options.Now())
		if pause > 0 {
			d.leave(req.URL.Host, d.options.Now().Add(pause))
		}
		if !limited || try == maxTries || pause > maxWait {
			return resp, nil
		}
		resp.Body.Close()
	}
}

// await waits until a host may be asked, or says that this takes too long.
func (d *desk) await(ctx context.Context, host string) error {
	until := d.busy(host)
	pause := until.Sub(d.options.Now())
	if pause <= 0 {
		return nil
	}
	if pause > maxWait {
		return &trouble{reason: fmt.Sprintf("%s takes no more requests until %s", host, until.UTC().Format(time.RFC3339)),
			settle: "run again then, it goes on where it stopped; or give a token for " + host}
	}
	return d.options.Wait(ctx, pause)
}

// patience returns how long a server wants to be left alone after an answer, and whether that answer is but a refusal to
// be asked again later. GitLab's headers: RateLimit-Remaining, RateLimit-Reset, Retry-After.
func patience(resp *http.Response, now time.Time) (pause time.Duration, limited bool) {
	h := resp.Header
	spent := h.Get("RateLimit-Remaining") == "0" || h.Get("X-RateLimit-Remaining") == "0"
	limited = resp.StatusCode == http.StatusTooManyRequests ||
		resp.StatusCode == http.StatusServiceUnavailable && h.Get("Retry-After") != "" ||
		resp.StatusCode == http.StatusForbidden && spent
	if !limited && !spent {
		return 0, false
	}
	if after := h.Get("Retry-After"); after != "" {
		if n, err := strconv.Atoi(after); err == nil && n >= 0 {
			return max(time.Duration(min(n, 1<<30))*time.Second, time.Second), limited
		}
		if at, err := http.ParseTime(after); err == nil {
			return max(at.Sub(now), time.Second), limited
		}
	}
	for _, name := range []string{"RateLimit-Reset", "X-RateLimit-Reset"} {
		if n, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil && n > 0 {
			return max(time.Unix(n, 0).Sub(now), time.Second), limited
		}
	}
	if limited {
		return defaultWait, true
	}
	return 0, false
}

// anonymous is an address without credentials.
func anonymous(u *url.URL) string {
	c := *u
	c.User = nil
	return c.String()
}

// trouble says why something could not be read, and what would settle it.
type trouble struct {
	reason, settle string
	origins        []audit.Origin
	status         int // of the answer; 0: there was none
}

func (t *trouble) Error() string { return t.reason }

// failed makes the fact of a trouble.
func failed[T any](err error) audit.Fact[T] {
	var t *trouble
	if !errors.As(err, &t) {
		t = &trouble{reason: err.Error(), settle: "run again"}
	}
	f := audit.Failed[T](t.reason, t.origins...)
	f.Settle = t.settle
	return f
}

// notTold is a fact that a service does not tell.
func notTold[T any](reason, settle string, origins ...audit.Origin) audit.Fact[T] {
	f := audit.Failed[T](reason, origins...)
	f.Settle = settle
	return f
}

// call asks one question by whatever client works over the desk. What names it in messages, e.g. the project.
func (d *desk) call(ctx context.Context, what string, rule scoring.Redact, ask func(context.Context) error) error {
	d.last, d.status, d.header = audit.Origin{Source: d.source, URL: d.base}, 0, nil
	err := ask(scoring.WithRedact(ctx, rule, d.people))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		d.seen = append(d.seen, d.last)
		return nil
	}
	return d.trouble(what, err)
}

// trouble puts into words what went wrong with the last question. It repeats nothing of an answer.
func (d *desk) trouble(what string, err error) error {
	var t *trouble
	if errors.As(err, &t) {
		if t.origins == nil {
			t.origins = []audit.Origin{d.last}
		}
		return t
	}
	t = &trouble{origins: []audit.Origin{d.last}, status: d.status, settle: "run again"}
	host := d.host
	switch {
	case d.status == http.StatusUnauthorized || d.status == http.StatusForbidden:
		t.reason = fmt.Sprintf("%s shows %s only to those with more rights (status %d)", host, what, d.status)
		t.settle = "give a token for " + host + " that may read it"
	case d.status == http.StatusNotFound || d.status == http.StatusGone:
		t.reason = fmt.Sprintf("%s has no %s, or does not show it (status %d)", host, what, d.status)
		t.settle = "correct the repository's address in the catalogue, or give a token for " + host + " if it is private"
	case d.status == http.StatusTooManyRequests:
		t.reason = host + " takes no more requests for now (status 429)"
		t.settle = "run again later, it goes on where it stopped; or give a token for " + host
	case d.status == 0:
		t.reason = fmt.Sprintf("asking %s for %s: %s", host, what, plainly(err))
		t.settle = "run again; if it stays so, see whether " + host + " still offers this service"
	case d.status >= 200 && d.status <= 299:
		t.reason = fmt.Sprintf("%s answers, but not with %s: it may be a page to log in", host, what)
		t.settle = "see whether " + host + " still offers this service, and correct the catalogue if not"
	default:
		t.reason = fmt.Sprintf("%s answers status %d when asked for %s", host, d.status, what)
	}
	return t
}

// plainly shortens the error of a request to what happened, without its address.
func plainly(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		err = u.Err
	}
	text := err.Error()
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	if len(text) > 200 {
		text = text[:200]
	}
	return text
}

// observed is when the last answer was given.
func (d *desk) observed() time.Time {
	if d.last.At.IsZero() {
		return d.options.At
	}
	return d.last.At
}

// origins returns where everything asked so far came from, at most the first ten.
func (d *desk) origins() []audit.Origin { return d.seen[:min(len(d.seen), maxOrigins)] }

// maxOrigins is how many addresses a fact lists: enough to ask again, pages of lists differ by number only.
const maxOrigins = 10
