package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of talking to a registry.
const (
	maxRegistryRedirects = 5
	maxRegistryHeader    = 256 << 10
	maxRegistryRetries   = 2 // after 429
)

// registryPatience says how long a registry may take.
type registryPatience struct {
	document time.Duration // for a login and one document, in all
	silence  time.Duration // between two pieces of a layer
	retry    time.Duration // the longest wait that it may ask for (Retry-After)
}

func usualPatience() registryPatience {
	return registryPatience{document: time.Minute, silence: time.Minute, retry: 20 * time.Second}
}

// registryRefusal is why a registry did not give what was asked for. Its text never holds anything that the server wrote:
// an error page may repeat the Authorization header.
type registryRefusal struct {
	status int // 0 if there was no answer
	reason string
	settle string
}

func (r *registryRefusal) Error() string { return r.reason }

func refusal(settle, format string, args ...any) *registryRefusal {
	return &registryRefusal{reason: fmt.Sprintf(format, args...), settle: settle}
}

// errRegistryScheme refuses a request over plain HTTP to a registry that is not marked insecure, and over TLS to one that is.
var errRegistryScheme = errors.New("plain HTTP is not allowed")

// registryDialError marks what our own dialer said, which may be shown.
type registryDialError struct{ err error }

func (e *registryDialError) Error() string { return e.err.Error() }
func (e *registryDialError) Unwrap() error { return e.err }

// bodyLimit is the key under which a context says how long an answer may be; without it an answer is a document.
type bodyLimit struct{}

// registryGuard is the transport below the login: it decides which addresses may be asked in clear, bounds every answer,
// and waits where the registry says so.
type registryGuard struct {
	inner    http.RoundTripper
	host     string // of the registry
	plain    bool
	patience registryPatience
}

func (g registryGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !g.plain || req.URL.Scheme == "https" && g.plain && req.URL.Host == g.host {
		return nil, errRegistryScheme
	}
	for attempt := 0; ; attempt++ {
		resp, err := g.inner.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: bodyLimitOf(req.Context())}
		wait := retryAfter(resp.Header)
		if resp.StatusCode != http.StatusTooManyRequests || attempt == maxRegistryRetries || req.Body != nil || wait > g.patience.retry {
			return resp, nil
		}
		_ = resp.Body.Close() // only the status was wanted
		if err := pause(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

func bodyLimitOf(ctx context.Context) int64 {
	if n, ok := ctx.Value(bodyLimit{}).(int64); ok {
		return n
	}
	return maxDocument
}

// retryAfter reads how long a registry asks to wait: seconds, or a date beside its own clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	now, nowErr := http.ParseTime(h.Get("Date"))
	if err != nil || nowErr != nil {
		return time.Second
	}
	return max(0, until.Sub(now))
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

// boundedBody ends with an error where an answer is longer than allowed.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, refusal("", "its answer is longer than allowed")
	}
	return n, err
}

// registryClient asks one registry. Logins are kept for each repository while it lives.
type registryClient struct {
	host     string // as the API is reached, e.g. index.docker.io for docker.io
	plain    bool
	opt      Options
	patience registryPatience
	guard    http.RoundTripper

	mu       sync.Mutex
	sessions map[string]*http.Client        // by repository
	logins   map[string]registryCredentials // by repository
}

func newRegistryClient(host string, plain bool, opt Options, patience registryPatience) *registryClient {
	if host == "docker.io" || host == "registry-1.docker.io" {
		host = name.DefaultRegistry
	}
	c := &registryClient{host: host, plain: plain, opt: opt, patience: patience, sessions: map[string]*http.Client{}, logins: map[string]registryCredentials{}}
	c.guard = transport.NewUserAgent(registryGuard{inner: c.http(), host: host, plain: plain, patience: patience}, "pegel")
	return c
}

// http is the transport of this client alone. It knows no default of the process, not even for proxies.
func (c *registryClient) http() *http.Transport {
	return &http.Transport{
		Proxy: c.opt.Network.Proxy,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := c.opt.Network.Dial(ctx, network, address)
			if err != nil {
				return nil, &registryDialError{err}
			}
			return conn, nil
		},
		TLSClientConfig:        &tls.Config{RootCAs: c.opt.Network.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    c.patience.document,
		ResponseHeaderTimeout:  c.patience.document,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: maxRegistryHeader,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// credentials are looked up once for each repository.
func (c *registryClient) credentials(repo string) registryCredentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.logins[repo]
	if !ok {
		found = registryLogin(c.opt, c.host, repo)
		c.logins[repo] = found
	}
	return found
}

// session returns the client that is logged in for pulling from a repository.
func (c *registryClient) session(ctx context.Context, repo string) (*http.Client, error) {
	if c.opt.Network.Dial == nil {
		return nil, refusal("run with network access, or give the image as oci-archive:FILE", "%s", errOffline)
	}
	login := c.credentials(repo).login
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sessions[repo]; s != nil {
		return s, nil
	}
	var opts []name.Option
	if c.plain {
		opts = append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(c.host, opts...)
	if err != nil {
		return nil, refusal("correct the reference", "%q is no address of a registry", c.host)
	}
	t, err := transport.NewWithContext(ctx, reg, login, c.guard, []string{"repository:" + repo + ":pull"})
	if err != nil {
		return nil, err
	}
	s := &http.Client{Transport: t, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRegistryRedirects {
			return refusal("", "it redirects more than %d times", maxRegistryRedirects)
		}
		return nil
	}}
	c.sessions[repo] = s
	return s, nil
}

// address is the URL of something in a repository.
func (c *registryClient) address(repo, path string) string {
	u := url.URL{Scheme: "https", Host: c.host, Path: "/v2/" + repo + "/" + path}
	if c.plain {
		u.Scheme = "http"
	}
	return u.String()
}

// get asks for something in a repository. Every error is a *registryRefusal or that of the context.
func (c *registryClient) get(ctx context.Context, repo, path, accept string) (*http.Response, error) {
	session, err := c.session(ctx, repo)
	if err != nil {
		return nil, c.explain(err, repo)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(repo, path), nil)
	if err != nil {
		return nil, refusal("correct the reference", "it has no address that can be asked")
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := session.Do(req)
	if err != nil {
		return nil, c.explain(err, repo)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // only the status is of use
		return nil, c.explainStatus(resp.StatusCode, resp.Header, repo)
	}
	return resp, nil
}

// document reads something small within the patience for one document.
func (c *registryClient) document(ctx context.Context, repo, path, accept string, limit int64) ([]byte, http.Header, error) {
	timed, cancel := context.WithTimeout(context.WithValue(ctx, bodyLimit{}, limit), c.patience.document)
	defer cancel()
	resp, err := c.get(timed, repo, path, accept)
	if err != nil {
		return nil, nil, c.orCancelled(ctx, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.ContentLength >= 0 && int64(len(data)) != resp.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, nil, c.orCancelled(ctx, c.explain(err, repo))
	}
	return data, resp.Header, nil
}

// orCancelled returns the end of the run rather than what it led to.
func (c *registryClient) orCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// small reads a blob whose size and digest are as described.
func (c *registryClient) small(ctx context.Context, repo string, d v1.Descriptor, limit int64) ([]byte, error) {
	if d.Digest.Algorithm != "sha256" || d.Size < 0 || d.Size > limit {
		return nil, refusal("", "its size %d or its digest is not one that can be read", d.Size)
	}
	data, _, err := c.document(ctx, repo, "blobs/"+d.Digest.String(), "", d.Size+1)
	if err != nil {
		return nil, err
	}
	if err := matches(data, d); err != nil {
		return nil, refusal(askRegistry, "%s", err)
	}
	return data, nil
}

// askRegistry is the remedy for contents that are not what was asked for.
const askRegistry = "ask whoever runs the registry or the mirror: its contents are not what its digests say"

// explain turns an error of net/http and of the login into a reason that is safe to show.
func (c *registryClient) explain(err error, repo string) error {
	var (
		refused  *registryRefusal
		answered *transport.Error
		dial     *registryDialError
		timed    net.Error
	)
	switch {
	case errors.As(err, &answered):
		return c.explainStatus(answered.StatusCode, nil, repo)
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &dial):
		return refusal("check address, port and firewall", "it cannot be reached: %s", dialReason(dial.err))
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, new(tls.RecordHeaderError)):
		return refusal("insecure: true asks a test registry without TLS", "it does not speak TLS")
	case errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(x509.HostnameError)):
		return refusal("make its certificate authority known to this run", "its certificate cannot be verified%s", certificateReason(err))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return refusal("run again when the registry is well", "it gave no answer within %s", c.patience.document)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return refusal("run again when the registry is well", "it closed the connection in the middle of its answer")
	case errors.Is(err, errRegistryScheme):
		return refusal("insecure: true asks a test registry without TLS", "it wants plain HTTP, which is not allowed")
	}
	return refusal("check that the address is that of a registry", "its answer is not that of a registry")
}

func dialReason(err error) string {
	var op *net.OpError
	if errors.As(err, new(*net.DNSError)) {
		return "the host name cannot be resolved"
	}
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

func certificateReason(err error) string {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return ": it is signed by an unknown authority"
	case errors.As(err, &host):
		return ": it is for another host name"
	}
	return ""
}

// explainStatus says what a status means and what to do about it.
func (c *registryClient) explainStatus(status int, h http.Header, repo string) error {
	r := &registryRefusal{status: status}
	host, used := c.host, c.credentials(repo)
	switch {
	case status == http.StatusUnauthorized && used.login == authn.Anonymous:
		r.reason, r.settle = "it asks for a login (401)", "store credentials for "+host+" with docker login or podman login"
	case status == http.StatusUnauthorized:
		r.reason, r.settle = "it does not accept the stored credentials (401)", "renew the credentials for "+host+" with docker login or podman login"
	case status == http.StatusForbidden:
		r.reason, r.settle = "it refuses access (403)", "use credentials for "+host+" that may pull "+repo
	case status == http.StatusNotFound:
		r.reason, r.settle = "it has no such image (404)", "check name and tag; some registries answer so without a login, too"
	case status == http.StatusTooManyRequests:
		r.reason, r.settle = "it has been asked too often (429)", "wait, then run again; a login or a mirror raises the limit"
		if wait := retryAfter(h); h.Get("Retry-After") != "" {
			r.reason = fmt.Sprintf("it has been asked too often (429) and wants a pause of %s", wait)
		}
	case status >= 500:
		r.reason, r.settle = fmt.Sprintf("it has an error of its own (%d)", status), "run again when the registry is well"
	default:
		r.reason, r.settle = fmt.Sprintf("it answers with status %d", status), "check that the address is that of a registry"
	}
	if used.note != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound) {
		r.reason += "; " + used.note
	}
	return r
}

// registryDocument is a manifest or an index as it was received.
type registryDocument struct {
	raw       []byte
	mediaType string
	digest    audit.Digest
	url       string
}

// acceptManifests lists what is understood as a manifest.
const acceptManifests = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
	"application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"

// manifest reads a manifest by tag or digest. Bytes that do not have the digest that was asked for, or the one that the
// registry names, are refused.
func (c *registryClient) manifest(ctx context.Context, repo, ref string) (registryDocument, error) {
	raw, header, err := c.document(ctx, repo, "manifests/"+ref, acceptManifests, maxDocument)
	if err != nil {
		return registryDocument{}, err
	}
	d := registryDocument{raw: raw, digest: audit.DigestOf(raw), url: c.address(repo, "manifests/"+ref)}
	d.mediaType, _, _ = strings.Cut(header.Get("Content-Type"), ";")
	d.mediaType = strings.TrimSpace(d.mediaType)
	if strings.HasPrefix(ref, "sha256:") && string(d.digest) != ref {
		return registryDocument{}, refusal(askRegistry, "it answered with contents of another digest than the one asked for, %s", ref)
	}
	if said := header.Get("Docker-Content-Digest"); strings.HasPrefix(said, "sha256:") && said != string(d.digest) {
		return registryDocument{}, refusal(askRegistry, "the digest that it names for %s is not that of the contents", ref)
	}
	return d, nil
}
