// Package web is the one guarded way out: every connection to a server is opened here. An address is checked after its
// name was resolved and again for each connection, so that a name, a redirect or an answer that changes between two
// look-ups cannot lead into a private network. Proxy and certificate authorities come from the administrator alone; the
// environment is not read. It never listens, keeps no cookies and stores nothing.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Limits of one request.
const (
	defaultTimeout = 5 * time.Minute // a request with its body: a large image layer over a slow line
	connectTimeout = 10 * time.Second
	headerTimeout  = 30 * time.Second
	maxHeader      = 1 << 20
	maxRedirects   = 5
)

// Options say where connections may lead. The zero value reaches public addresses directly and trusts the authorities of
// the system.
type Options struct {
	// Allow lists addresses that may be reached although they belong to no public network.
	Allow []netip.Prefix
	// Proxy is the address of an HTTP proxy, e.g. http://proxy.example:3128; empty: none. Its host and port are allowed.
	// Behind a proxy names are resolved by the proxy, so that it has to refuse private addresses behind names itself.
	Proxy string
	// CAFile is a PEM file of certificate authorities that are trusted beside those of the system; empty: none.
	CAFile string
	// Timeout bounds one request of Client with its body; 0: five minutes.
	Timeout time.Duration
}

// Guard opens connections. It may be used from several goroutines.
type Guard struct {
	allow     []netip.Prefix
	proxy     *url.URL
	proxyAddr string // host:port of the proxy, as package http dials it
	roots     *x509.CertPool
	dialer    net.Dialer
	client    http.Client
}

// New checks the options and returns a guard. The file of authorities is read here; nothing is contacted.
func New(opt Options) (*Guard, error) {
	if opt.Timeout < 0 {
		return nil, fmt.Errorf("reading network options: the time limit %s is negative", opt.Timeout)
	}
	g := &Guard{dialer: net.Dialer{Timeout: connectTimeout}}
	for _, p := range opt.Allow {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("reading network options: allow: %q is no network such as 10.0.0.0/8 or fd00::/8", p)
		}
		g.allow = append(g.allow, p.Masked())
	}
	var err error
	if g.proxy, g.proxyAddr, err = parseProxy(opt.Proxy); err != nil {
		return nil, fmt.Errorf("reading network options: proxy: %w", err)
	}
	if g.roots, err = readRoots(opt.CAFile); err != nil {
		return nil, fmt.Errorf("reading certificate authorities %q: %w", filepath.Base(opt.CAFile), err)
	}
	g.client = g.newClient(opt.Timeout)
	return g, nil
}

// Dial opens a TCP connection. Every address that the name stands for is checked when it is connected to; the error for
// one that may not be reached says why and what to write into the stack file if it is meant.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("connecting to %q: network %q is not tcp", address, network)
	}
	d := g.dialer
	if g.proxyAddr == "" || !strings.EqualFold(address, g.proxyAddr) {
		d.Control = g.control
	}
	conn, err := d.DialContext(ctx, network, address)
	if r := (refusal{}); errors.As(err, &r) {
		return nil, r
	}
	return conn, err
}

// Local opens a connection to a Unix socket of this machine. Only absolute paths are taken, which leaves out the abstract
// names of Linux.
func (g *Guard) Local(ctx context.Context, path string) (net.Conn, error) {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return nil, fmt.Errorf("connecting to socket %q: the path is not absolute; write it as /run/NAME.sock", path)
	}
	return g.dialer.DialContext(ctx, "unix", path)
}

// Proxy returns the proxy for a request, or nil if there is none; it has the form that http.Transport wants. A proxy is
// not asked for a literal address that may not be reached, nor for a number that only some resolvers take for an address.
func (g *Guard) Proxy(req *http.Request) (*url.URL, error) {
	if g.proxy == nil {
		return nil, nil
	}
	if err := g.checkHost(req.URL); err != nil {
		return nil, err
	}
	return g.proxy, nil
}

// Roots returns the authorities of the system and those of CAFile, or nil, which stands for those of the system alone.
// The caller may not add to it.
func (g *Guard) Roots() *x509.CertPool { return g.roots }

// Client returns an HTTP client whose every connection is guarded. It follows at most five redirects and none from https
// to http, sends no cookies, and bounds headers and time; bounding bodies, and naming a user agent, is left to the caller.
func (g *Guard) Client() *http.Client {
	c := g.client
	return &c
}

func (g *Guard) newClient(timeout time.Duration) http.Client {
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return http.Client{
		Timeout:       timeout,
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			Proxy:                  g.Proxy,
			DialContext:            g.Dial,
			TLSClientConfig:        &tls.Config{RootCAs: g.roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  min(headerTimeout, timeout),
			MaxResponseHeaderBytes: maxHeader,
			IdleConnTimeout:        time.Minute,
			MaxIdleConns:           64,
		},
	}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if last := via[len(via)-1]; last.URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("a redirect from https to %s", req.URL.Scheme)
	}
	return nil
}

// control checks the address of a connection that is about to be made.
func (g *Guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return refusal{address: address, why: "cannot be read as an address"}
	}
	return g.check(ap)
}

// check returns a refusal for an address that belongs to no public network and was not allowed.
func (g *Guard) check(ap netip.AddrPort) error {
	addr := ap.Addr().Unmap().WithZone("")
	for _, p := range g.allow {
		if p.Contains(addr) {
			return nil
		}
	}
	if why := special(addr); why != "" {
		return refusal{address: netip.AddrPortFrom(addr, ap.Port()).String(), why: why, remedy: netip.PrefixFrom(addr, addr.BitLen()).String()}
	}
	return nil
}

// refusal says that an address may not be reached.
type refusal struct {
	address, why, remedy string
}

// Error says why, and what to write if the address is meant.
func (r refusal) Error() string {
	text := r.address + " " + r.why
	if r.remedy != "" {
		text += fmt.Sprintf("; if it is meant, add %q under network: allow: in the stack file", r.remedy)
	}
	return text
}

// Refused says why an error of a connection is the guard's own refusal of an address, without the address; ok is false for
// any other error.
func Refused(err error) (why string, ok bool) {
	var r refusal
	if !errors.As(err, &r) {
		return "", false
	}
	return r.why, true
}
