package copyright

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// miss is why a question has no answer. Its text never holds anything that a server wrote.
type miss struct {
	absent bool // the place answers, and knows nothing of the package
	lasts  bool // asking again now would not help
	reason string
	settle string
}

func (m *miss) Error() string { return m.reason }

func failed(settle, format string, args ...any) *miss {
	return &miss{reason: fmt.Sprintf(format, args...), settle: settle}
}

func absent(format string, args ...any) *miss {
	return &miss{absent: true, lasts: true, reason: fmt.Sprintf(format, args...)}
}

// useless is an answer that came and cannot be trusted.
func useless(format string, args ...any) *miss {
	return &miss{lasts: true, reason: fmt.Sprintf(format, args...), settle: "ask again later, or leave the place out of the stack file"}
}

// asMiss returns the miss in an error; any other error becomes one.
func asMiss(err error) (*miss, bool) {
	if err == nil {
		return nil, false
	}
	var m *miss
	if errors.As(err, &m) {
		return m, true
	}
	return failed("", "%s", shorten(err.Error())), true
}

var errOffline = errors.New("the run is offline")

// asker asks servers, with good manners: few requests at once, pauses where a server asks for them, and no more questions
// to a server that keeps failing.
type asker struct {
	client  *http.Client // nil: offline
	wait    func(context.Context, time.Duration) error
	limits  Limits
	at      time.Time
	tempDir string

	mu    sync.Mutex
	hosts map[string]*host
	poms  map[string]*pomOnce
}

// host is what is known about one server.
type host struct {
	slots chan struct{} // one for each request that is under way

	mu     sync.Mutex
	failed int   // questions in a row without an answer
	gone   *miss // why it is asked no more
}

func newAsker(opt Options) *asker {
	a := &asker{wait: opt.Wait, limits: opt.Limits, at: opt.At, tempDir: opt.TempDir, hosts: map[string]*host{}, poms: map[string]*pomOnce{}}
	if a.wait == nil {
		a.wait = pause
	}
	if opt.Client != nil {
		c := *opt.Client
		c.CheckRedirect = sameHost(opt.Client.CheckRedirect)
		c.Jar = nil
		a.client = &c
	}
	return a
}

// pause waits, or ends early with the error of the context.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// elsewhere is the key under which a request's context says that other hosts may serve the answer, as mirrors do.
type elsewhere struct{}

const maxRedirects = 5

// sameHost refuses redirects to another host, because that is how a login page answers, and those that the client refuses.
func sameHost(inner func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		switch {
		case len(via) > maxRedirects:
			return useless("it redirects more than %d times", maxRedirects)
		case first.Scheme == "https" && req.URL.Scheme != "https":
			return useless("it redirects from https to %s", "an address without encryption")
		case req.URL.Host != first.Host && req.Context().Value(elsewhere{}) == nil:
			return useless("it redirects to another host, perhaps a login page")
		case inner != nil:
			return inner(req, via)
		}
		return nil
	}
}

// wanted says what kind of answer is expected.
type wanted struct {
	accept  string // media types to ask for
	archive bool   // a package or module archive: large, and other hosts may serve it
}

// get returns an answer as a whole.
func (a *asker) get(ctx context.Context, address string, want wanted) (data []byte, err error) {
	err = a.open(ctx, address, want, func(body io.Reader) error {
		data, err = io.ReadAll(io.LimitReader(body, a.limits.Document+1))
		if err == nil && int64(len(data)) > a.limits.Document {
			return useless("its answer is longer than %d bytes", a.limits.Document)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// open asks for an address and hands the body to read; a question whose answer breaks off is asked again. The error is a
// *miss, or that of the context.
func (a *asker) open(ctx context.Context, address string, want wanted, read func(io.Reader) error) error {
	u, err := url.Parse(address)
	if err != nil {
		return failed("", "its address cannot be read")
	}
	h := a.host(u.Host)
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return a.ended(ctx)
	}
	if m := h.whyGone(); m != nil {
		return m
	}
	err = a.attempts(ctx, address, want, read)
	if ctx.Err() != nil {
		return a.ended(ctx) // says nothing about the server
	}
	h.count(err, a.limits.Failures)
	return err
}

// ended says why the time was up.
func (a *asker) ended(ctx context.Context) *miss {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failed("ask again later", "no answer within the time limit")
	}
	return failed("run again; what was learnt so far is kept", "the run was interrupted")
}

const maxAttempts = 3

// attempts asks up to three times, with growing pauses or those that the server asks for.
func (a *asker) attempts(ctx context.Context, address string, want wanted, read func(io.Reader) error) error {
	backOff := time.Second
	for attempt := 1; ; attempt++ {
		wait, err := a.attempt(ctx, address, want, read)
		m, missed := asMiss(err)
		if !missed || m.lasts || attempt == maxAttempts {
			return err
		}
		if ctx.Err() != nil {
			return a.ended(ctx)
		}
		if wait > a.limits.Patience {
			return failed("run again later", "it asks to wait %s, longer than %s", wait.Round(time.Second), a.limits.Patience)
		}
		if wait == 0 {
			wait, backOff = backOff, 2*backOff
		}
		if err := a.wait(ctx, wait); err != nil {
			return a.ended(ctx)
		}
	}
}

// attempt asks once. The duration is how long the server asks to wait, 0 if it does not.
func (a *asker) attempt(ctx context.Context, address string, want wanted, read func(io.Reader) error) (time.Duration, error) {
	patience := a.limits.Timeout
	if want.archive {
		ctx, patience = context.WithValue(ctx, elsewhere{}, true), a.limits.Transfer
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, failed("", "its address cannot be read")
	}
	req.Header.Set("User-Agent", "pegel (+https://github.com/pegel-audit/pegel)")
	if want.accept != "" {
		req.Header.Set("Accept", want.accept)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, a.connection(ctx, err)
	}
	defer resp.Body.Close()
	if wait, err := status(resp); err != nil {
		return wait, err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" || kind == "application/xhtml+xml" {
		return 0, useless("it answers with a web page, perhaps a login")
	}
	err = read(resp.Body)
	if m := (*miss)(nil); err == nil || errors.As(err, &m) {
		return 0, err
	}
	return 0, a.connection(ctx, err)
}

// status sorts what a server answers.
func status(resp *http.Response) (time.Duration, error) {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return 0, nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return 0, absent("it does not have the package in this version")
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return retryAfter(resp.Header), failed("run again later", "it answers with status %d (too many questions, or not available)", code)
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		return 0, useless("it answers with status %d: a login or a right is missing", code)
	case code >= 500:
		return 0, failed("run again later", "it answers with status %d", code)
	default:
		return 0, useless("it answers with status %d", code)
	}
}

// retryAfter reads how long a server asks to wait: seconds, or a date beside its own clock (RFC 9110 section 10.2.3).
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	now, nowErr := http.ParseTime(h.Get("Date"))
	if err != nil || nowErr != nil {
		return 0
	}
	return max(0, until.Sub(now))
}

// connection says what went wrong with a connection, without addresses and without what the server wrote. The words of
// our own guard, which name the remedy, are shown.
func (a *asker) connection(ctx context.Context, err error) error {
	var (
		m       *miss
		op      *net.OpError
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		verify  *tls.CertificateVerificationError
		inURL   *url.Error
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &m):
		return m
	case ctx.Err() != nil:
		return a.ended(ctx)
	case errors.As(err, &unknown) || errors.As(err, &verify):
		return useless("its certificate is not trusted; name its authority under network: ca: in the stack file")
	case errors.As(err, &dns):
		return failed("check the address and the network", "its name cannot be resolved")
	case errors.As(err, &timeout) && timeout.Timeout():
		return failed("ask again later", "no answer within the time limit")
	case errors.As(err, &op):
		return failed("check the address and the network", "the connection failed: %s", shorten(op.Err.Error()))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return failed("ask again later", "its answer breaks off")
	case errors.As(err, &inURL):
		if errors.As(inURL.Err, &m) {
			return m
		}
		return &miss{lasts: true, reason: "the connection failed: " + shorten(inURL.Err.Error())}
	}
	return failed("ask again later", "reading its answer failed")
}

func shorten(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	return text[:min(len(text), most)]
}

func (a *asker) host(name string) *host {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.hosts[name]
	if h == nil {
		h = &host{slots: make(chan struct{}, perHost)}
		a.hosts[name] = h
	}
	return h
}

func (h *host) whyGone() *miss {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gone
}

// count notes whether a question was answered. A server that failed too often in a row is asked no more.
func (h *host) count(err error, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, missed := asMiss(err)
	if !missed || m.absent {
		h.failed = 0
		return
	}
	if h.failed++; h.failed >= most && h.gone == nil {
		h.gone = &miss{lasts: true, reason: fmt.Sprintf("not asked: it failed %d times in a row, the last time: %s", h.failed, m.reason), settle: m.settle}
	}
}

// originOf says where bytes were read.
func (a *asker) originOf(p Place, address, path string, data []byte) audit.Origin {
	return audit.Origin{Source: p.kind.word, URL: address, Path: path, Digest: audit.DigestOf(data), At: a.at}
}
