package web_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/cmd/internal/web"
)

func guard(t *testing.T, opt web.Options) *web.Guard {
	t.Helper()
	g, err := web.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func allow(prefixes ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// refused reports whether an error says that an address is not public, which no failed connection does.
func refused(err error, want string) bool {
	return err != nil && strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "connection refused")
}

func TestAnAddressThatIsNotPublicIsRefusedBeforeItIsContacted(t *testing.T) {
	g := guard(t, web.Options{})
	for address, want := range map[string]string{
		"10.1.2.3:6443":             `10.1.2.3:6443 is an address of a private network; if it is meant, add "10.1.2.3/32" under network: allow: in the stack file`,
		"172.16.0.1:80":             "private network",
		"192.168.1.1:80":            "private network",
		"127.0.0.1:80":              "this machine",
		"127.255.0.9:80":            "this machine",
		"0.0.0.0:80":                "this machine",
		"0.1.2.3:80":                "this machine",
		"169.254.169.254:80":        `link-local address; if it is meant, add "169.254.169.254/32"`,
		"100.64.0.1:80":             "shared behind a provider",
		"100.127.255.255:80":        "shared behind a provider",
		"192.0.0.192:80":            "reserved",
		"198.19.0.1:80":             "measurements",
		"224.0.0.1:80":              "multicast",
		"255.255.255.255:80":        "reserved",
		"240.0.0.1:80":              "reserved",
		"[::1]:80":                  `[::1]:80 is an address of this machine; if it is meant, add "::1/128"`,
		"[::]:80":                   "this machine",
		"[fd00::1]:80":              "private network",
		"[fec0::1]:80":              "private network",
		"[fe80::1%lo]:80":           "link-local",
		"[ff02::1]:80":              "multicast",
		"[::ffff:10.0.0.1]:80":      `10.0.0.1:80 is an address of a private network; if it is meant, add "10.0.0.1/32"`,
		"[::ffff:7f00:1]:80":        "this machine",
		"[::10.0.0.1]:80":           "carries an IPv4 address",
		"[64:ff9b::10.0.0.1]:80":    "carries an IPv4 address",
		"[64:ff9b:1::a00:1]:80":     "carries an IPv4 address",
		"[2002:a00:1::1]:80":        "carries an IPv4 address",
		"[2001:0:a00:1::1]:80":      "carries an IPv4 address",
		"[::ffff:0:a00:1]:80":       "carries an IPv4 address",
		"localhost:80":              "this machine",
		"[0:0:0:0:0:ffff:7f00:1]:1": "this machine",
	} {
		conn, err := g.Dial(t.Context(), "tcp", address)
		if conn != nil {
			conn.Close()
		}
		if !refused(err, want) {
			t.Errorf("Dial %s: error = %v\nwant one with %s", address, err, want)
		}
	}
}

func TestNumbersAndOtherFormsOfAnAddressDoNotLeadPastTheGuard(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	g := guard(t, web.Options{})
	for _, host := range []string{"2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "①②⑦.0.0.1"} {
		if conn, err := g.Dial(t.Context(), "tcp", net.JoinHostPort(host, port)); err == nil {
			conn.Close()
			t.Errorf("Dial %s: no error", host)
		}
		if resp, err := g.Client().Get("http://" + net.JoinHostPort(host, port)); err == nil {
			resp.Body.Close()
			t.Errorf("Get %s: no error", host)
		}
	}
}

func TestAPublicAddressPassesTheGuard(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing leaves the machine
	g := guard(t, web.Options{})
	for _, address := range []string{"9.9.9.9:443", "192.0.2.1:443", "203.0.113.7:443", "100.63.255.255:1", "100.128.0.1:1", "[2620:fe::fe]:443", "[2001:db8::1]:443"} {
		if _, err := g.Dial(ctx, "tcp", address); err == nil || strings.Contains(err.Error(), "network: allow:") {
			t.Errorf("Dial %s: error = %v, want only the one of the cancelled context", address, err)
		}
	}
}

func TestAnAllowedPrivateAddressIsReached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	defer server.Close()
	resp, err := guard(t, web.Options{Allow: allow("127.0.0.1/32")}).Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "here" {
		t.Errorf("body = %q", body)
	}
	mapped := "http://[::ffff:127.0.0.1]:" + server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	if resp, err := guard(t, web.Options{Allow: allow("127.0.0.0/8")}).Client().Get(mapped); err != nil {
		t.Errorf("the mapped form of an allowed address: %v", err)
	} else {
		resp.Body.Close()
	}
	if _, err := guard(t, web.Options{Allow: allow("127.0.0.2/32")}).Client().Get(server.URL); !refused(err, "this machine") {
		t.Errorf("error = %v, want a refusal: a neighbour was allowed", err)
	}
}

func TestOnlyTCPIsSpokenToServers(t *testing.T) {
	for _, network := range []string{"udp", "unix", "ip", ""} {
		if _, err := guard(t, web.Options{}).Dial(t.Context(), network, "9.9.9.9:53"); err == nil || !strings.Contains(err.Error(), "is not tcp") {
			t.Errorf("Dial %q: error = %v", network, err)
		}
	}
}

func TestARedirectIntoAPrivateNetworkIsRefused(t *testing.T) {
	var reached atomic.Bool
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer inside.Close()
	outside := loopback(t, "127.0.0.2", http.RedirectHandler(inside.URL, http.StatusFound))
	_, err := guard(t, web.Options{Allow: allow("127.0.0.2/32")}).Client().Get(outside)
	if !refused(err, "this machine") || reached.Load() {
		t.Errorf("error = %v, reached %v, want a refusal of 127.0.0.1", err, reached.Load())
	}
}

func TestRedirectsAreCountedAndNeverLeaveTLS(t *testing.T) {
	requests := 0
	loop := loopback(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	g := guard(t, web.Options{Allow: allow("127.0.0.0/8")})
	if _, err := g.Client().Get(loop); err == nil || !strings.Contains(err.Error(), "more than 5 redirects") || requests != 6 {
		t.Errorf("error = %v after %d requests, want more than 5 redirects after 6", err, requests)
	}
	server, ca := withOwnCA(t, http.RedirectHandler(loop, http.StatusFound))
	g = guard(t, web.Options{Allow: allow("127.0.0.0/8"), CAFile: ca})
	if _, err := g.Client().Get(server.URL); err == nil || !strings.Contains(err.Error(), "a redirect from https to http") {
		t.Errorf("error = %v, want a refusal of the step to http", err)
	}
}

// TestANameThatChangesItsAddressIsCheckedEachTime plays DNS rebinding: the first answer is allowed, later ones are not.
func TestANameThatChangesItsAddressIsCheckedEachTime(t *testing.T) {
	server := loopback(t, "0.0.0.0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	port := server[strings.LastIndexByte(server, ':')+1:]
	var answers atomic.Int64
	dns := nameServer(t, func() [4]byte {
		if answers.Add(1) == 1 {
			return [4]byte{127, 0, 0, 2}
		}
		return [4]byte{127, 0, 0, 3}
	})
	g := guard(t, web.Options{Allow: allow("127.0.0.2/32")})
	g.SetResolver(dns)
	client := g.Client()
	resp, err := client.Get("http://rebind.example:" + port)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	client.CloseIdleConnections()
	if _, err := client.Get("http://rebind.example:" + port); !refused(err, `127.0.0.3:`+port+` is an address of this machine; if it is meant, add "127.0.0.3/32"`) {
		t.Errorf("second request: error = %v, want a refusal of 127.0.0.3", err)
	}
}

func TestASocketIsReachedByItsAbsolutePathOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "web") // short: a socket path holds about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "engine.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := guard(t, web.Options{})
	conn, err := g.Local(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, bad := range []string{"engine.sock", "@engine", "", "\x00engine", "/run/a\x00b"} {
		if _, err := g.Local(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "not absolute") {
			t.Errorf("Local %q: error = %v", bad, err)
		}
	}
}

func TestAServerWithItsOwnAuthorityIsTrustedOnlyIfTheAuthorityIsNamed(t *testing.T) {
	server, ca := withOwnCA(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	resp, err := guard(t, web.Options{Allow: allow("127.0.0.0/8"), CAFile: ca}).Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	g := guard(t, web.Options{Allow: allow("127.0.0.0/8")})
	if _, err := g.Client().Get(server.URL); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("error = %v, want an unknown authority", err)
	}
	if g.Roots() != nil {
		t.Error("roots without a file of authorities, want nil: those of the system")
	}
}

func TestAnHTTPSRequestGoesThroughTheProxyOfTheAdministrator(t *testing.T) {
	server, ca := withOwnCA(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	p := newProxy(t, server.Listener.Addr().String())
	t.Setenv("HTTPS_PROXY", "http://127.0.0.9:1")
	g := guard(t, web.Options{Proxy: p.url, CAFile: ca})
	resp, err := g.Client().Get("https://registry.example/v2/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "here" || p.last.Load() != "CONNECT registry.example:443" {
		t.Errorf("body %q, the proxy saw %v", body, p.last.Load())
	}
	if _, err := g.Dial(t.Context(), "tcp", server.Listener.Addr().String()); !refused(err, "this machine") {
		t.Errorf("error = %v: the address beside the proxy's must stay refused", err)
	}
}

func TestAProxyIsNotAskedForPrivateAddresses(t *testing.T) {
	p := newProxy(t, "")
	client := guard(t, web.Options{Proxy: p.url, Allow: allow("10.0.0.5/32")}).Client()
	for _, u := range []string{"https://10.1.2.3/", "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://2130706433/",
		"http://0x7f000001/", "http://0177.1/", "http://localhost/", "http://a.localhost./", "http://127.0.0.1./", "https://169.254.169.254/latest"} {
		if resp, err := client.Get(u); err == nil {
			resp.Body.Close()
			t.Errorf("Get %s: no error", u)
		}
		if seen := p.last.Load(); seen != nil {
			t.Fatalf("Get %s: the proxy was asked: %v", u, seen)
		}
	}
	if resp, err := client.Get("http://10.0.0.5/"); err == nil {
		resp.Body.Close()
	}
	if seen := p.last.Load(); seen != "GET 10.0.0.5" {
		t.Errorf("the proxy saw %v, want GET 10.0.0.5, which is allowed", seen)
	}
}

func TestOptionsThatAreWrongAreRefusedWithoutRepeatingSecrets(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, ca := withOwnCA(t, http.NotFoundHandler())
	good, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		opt  web.Options
		want string
	}{
		{"a proxy of another kind", web.Options{Proxy: "socks5://u:secret@p.example:1"}, `proxy: scheme "socks5" is neither http nor https`},
		{"a proxy without a scheme", web.Options{Proxy: "p.example:3128"}, `proxy: `},
		{"a proxy with a path", web.Options{Proxy: "http://u:secret@p.example/x"}, "not like http://proxy.example:3128"},
		{"a proxy with a broken port", web.Options{Proxy: "http://u:secret@p.example:99999"}, "not like"},
		{"a proxy that cannot be read", web.Options{Proxy: "http://u:secret@p.example:x"}, "not like"},
		{"a proxy name beyond ASCII", web.Options{Proxy: "http://pröxy.example:1"}, "not written in ASCII"},
		{"a network without a value", web.Options{Allow: []netip.Prefix{{}}}, "is no network such as 10.0.0.0/8"},
		{"a mapped network", web.Options{Allow: allow("::ffff:10.0.0.0/104")}, "is no network such as"},
		{"a negative time", web.Options{Timeout: -1}, "negative"},
		{"no file of authorities", web.Options{CAFile: filepath.Join(dir, "gone.pem")}, `reading certificate authorities "gone.pem": no such file`},
		{"a directory", web.Options{CAFile: dir}, "it is no regular file"},
		{"an empty file", web.Options{CAFile: file("empty.pem", "")}, "no PEM certificate"},
		{"a key", web.Options{CAFile: file("key.pem", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")}, "part 1 is a PRIVATE KEY, want certificates only"},
		{"a certificate that is none", web.Options{CAFile: file("bad.pem", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n")}, "certificate 1: "},
		{"a file that is cut off", web.Options{CAFile: file("cut.pem", string(good)+string(good[:len(good)/2]))}, "cut off or damaged after certificate 1"},
		{"a file that is too large", web.Options{CAFile: file("large.pem", strings.Repeat("x", 4<<20+1))}, "larger than 4194304 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := web.New(tt.opt)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), dir+"/") {
				t.Errorf("error = %v\nwant one with %s and no secret or path", err, tt.want)
			}
		})
	}
}

func TestAServerThatSaysNothingIsLeftInTime(t *testing.T) {
	release := make(chan struct{})
	server := loopback(t, "127.0.0.1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	client := guard(t, web.Options{Allow: allow("127.0.0.0/8"), Timeout: 50 * time.Millisecond}).Client()
	if _, err := client.Get(server); err == nil || !strings.Contains(strings.ToLower(err.Error()), "timeout") {
		t.Errorf("error = %v, want one about time", err)
	}
}

func FuzzAnAddressThatIsNotPublicNeverPasses(f *testing.F) {
	for _, s := range []string{"10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::1", "100.64.0.1", "8.8.8.8", "fe80::1%eth0"} {
		f.Add(s)
	}
	g, err := web.New(web.Options{Proxy: "http://proxy.example:3128"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host string) {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return
		}
		a := addr.Unmap()
		_, err = g.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: net.JoinHostPort(host, "443")}})
		if inside := !a.IsGlobalUnicast() || a.IsPrivate(); inside && err == nil {
			t.Errorf("%s passes", host)
		}
	})
}

// loopback serves on an address of 127.0.0.0/8 and returns the URL.
func loopback(t *testing.T, host string, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Skipf("this machine gives no listener on %s: %v", host, err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// nameServer answers every question for an IPv4 address with what answer returns, and every other with nothing.
func nameServer(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			pc.WriteTo(dnsAnswer(buf[:n], answer), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func dnsAnswer(question []byte, answer func() [4]byte) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the zero, type and class
	out := append([]byte(nil), question[:end]...)
	out[2], out[3] = 0x84, 0 // answer, authoritative
	binary.BigEndian.PutUint64(out[4:], 0x0001_0000_0000_0000)
	if binary.BigEndian.Uint16(question[end-4:]) != 1 {
		return out
	}
	out[7] = 1
	ip := answer()
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(out, ip[:]...)
}

// withOwnCA serves TLS for registry.example and 127.0.0.1 with a certificate of an authority of its own, whose file it returns.
func withOwnCA(t *testing.T, h http.Handler) (*httptest.Server, string) {
	t.Helper()
	caKey, key := newKey(t), newKey(t)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"registry.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server, path
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proxy is an HTTP proxy that leads every tunnel to one address and remembers what it was asked for.
type proxy struct {
	url  string
	last atomic.Value
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{}
	p.url = loopback(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.last.Store(r.Method + " " + r.Host)
		if r.Method != http.MethodConnect {
			return
		}
		back, err := net.Dial("tcp", target)
		if err != nil {
			http.Error(w, "no way", http.StatusBadGateway)
			return
		}
		defer back.Close()
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n\r\n")
		tunnel(conn, rw.Reader, back)
	}))
	return p
}

func tunnel(conn net.Conn, in *bufio.Reader, back net.Conn) {
	go func() {
		io.Copy(back, in)
		back.Close()
	}()
	io.Copy(conn, back)
}
