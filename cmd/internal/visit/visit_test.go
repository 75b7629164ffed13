package visit_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/cmd/internal/web"
)

// kept collects what was kept as evidence.
type kept struct {
	mu    sync.Mutex
	blobs []audit.Blob
}

func (k *kept) keep(_ context.Context, b audit.Blob) (audit.Digest, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.blobs = append(k.blobs, b)
	return audit.DigestOf(b.Data), nil
}

func client(t *testing.T, opt web.Options, allow ...string) *http.Client {
	t.Helper()
	for _, a := range allow {
		opt.Allow = append(opt.Allow, netip.MustParsePrefix(a))
	}
	g, err := web.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return g.Client()
}

// visitor asks addresses of this machine.
func visitor(t *testing.T, change func(*visit.Options)) *visit.Visitor {
	t.Helper()
	opt := visit.Options{Client: client(t, web.Options{}, "127.0.0.0/8"), Now: time.Now, Timeout: time.Minute}
	if change != nil {
		change(&opt)
	}
	return visit.New(opt)
}

// serve answers on an address of this machine; robots.txt is not there unless the handler itself has it.
func serve(t *testing.T, host string, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Skipf("this machine gives no listener on %s: %v", host, err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// pages answers paths with bodies; a path that ends in a type, such as "/a application/json", is served as that.
func pages(t *testing.T, bodies map[string]string) string {
	t.Helper()
	return serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		for key, body := range bodies {
			path, media, _ := strings.Cut(key, " ")
			if path == r.URL.Path {
				w.Header()["Content-Type"] = nil
				if media != "" {
					w.Header().Set("Content-Type", media)
				}
				io.WriteString(w, body)
				return
			}
		}
		http.NotFound(w, r)
	})
}

func get(t *testing.T, v *visit.Visitor, address string) audit.Answer {
	t.Helper()
	return v.Ask(t.Context(), audit.Request{URL: address})
}

// wantTrouble fails unless the answer has that kind of trouble, words of the sentence in it, no body, and nothing that looks
// like a message of a library.
func wantTrouble(t *testing.T, a audit.Answer, kind string, words ...string) {
	t.Helper()
	if a.Trouble == nil {
		t.Fatalf("no trouble, want %s; body %.100q", kind, a.Body)
	}
	if a.Trouble.Kind != kind || a.Body != nil {
		t.Errorf("trouble %q (%s), body %.60q, want %q and no body", a.Trouble.Kind, a.Trouble.Text, a.Body, kind)
	}
	for _, w := range words {
		if !strings.Contains(a.Trouble.Text, w) {
			t.Errorf("the sentence is %q, want %q in it", a.Trouble.Text, w)
		}
	}
	for _, bad := range []string{"Get \"", "dial tcp", "x509", "context deadline", "EOF", "token=s3cret", "/tmp"} {
		if strings.Contains(a.Trouble.Text+a.Trouble.Settle, bad) {
			t.Errorf("the sentence %q repeats %q", a.Trouble.Text, bad)
		}
	}
}

func TestAPublicPageIsReadAndKept(t *testing.T) {
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v2/summary.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("ETag", `"abc"`)
		w.Header().Set("Set-Cookie", "id=s3cret")
		io.WriteString(w, `{"page":{"name":"Example"}}`)
	})
	var k kept
	v := visitor(t, func(o *visit.Options) { o.Keep = k.keep })
	a := v.Ask(t.Context(), audit.Request{URL: address + "/api/v2/summary.json?token=s3cret&x=1", Accept: "application/json"})
	if a.Trouble != nil || string(a.Body) != `{"page":{"name":"Example"}}` {
		t.Fatalf("trouble %+v, body %q", a.Trouble, a.Body)
	}
	if a.Status != 200 || a.Headers["etag"] != `"abc"` || a.Headers["date"] == "" || a.Headers["set-cookie"] != "" || a.Original != "" || a.Final != "" ||
		a.At.IsZero() || a.At.Nanosecond() != 0 || a.Size != int64(len(a.Body)) || a.URL != address+"/api/v2/summary.json?token=HIDDEN&x=1" {
		t.Errorf("seen %+v", a.Seen)
	}
	if len(k.blobs) != 1 {
		t.Fatalf("%d blobs were kept, want 1", len(k.blobs))
	}
	b := k.blobs[0]
	if b.Kind != "raw" || b.Name != "127.0.0.1/api/v2/summary.json" || b.MediaType != "application/json" || b.Source != a.URL || b.Origin.Source != "visit" ||
		b.Origin.URL != a.URL || audit.DigestOf(b.Data) != a.Digest || !b.Origin.At.Equal(a.At) {
		t.Errorf("blob %+v", b)
	}
}

func TestAServerLearnsWhoAsksAndNothingElse(t *testing.T) {
	var last atomic.Pointer[http.Request]
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		last.Store(r.Clone(context.Background()))
		w.Header().Set("Set-Cookie", "id=1; Path=/")
		io.WriteString(w, "here")
	})
	c := client(t, web.Options{}, "127.0.0.0/8")
	c.Jar, _ = cookiejar.New(nil)
	v := visit.New(visit.Options{Client: c, Now: time.Now, Agent: "Pegel/1.2 (+https://github.com/pegel-audit/pegel)"})
	for _, path := range []string{"/a", "/b"} {
		if a := get(t, v, address+path+"#part"); a.Trouble != nil {
			t.Fatal(a.Trouble.Text)
		}
		r := last.Load()
		if r.URL.Path != path || r.UserAgent() != "Pegel/1.2 (+https://github.com/pegel-audit/pegel)" || r.Header.Get("Cookie") != "" ||
			r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s: headers %v", path, r.Header)
		}
	}
	if c.Jar == nil {
		t.Error("the client of the caller was changed")
	}
	get(t, visitor(t, nil), address+"/c")
	if got := last.Load().UserAgent(); got != "Pegel (+https://github.com/pegel-audit/pegel)" {
		t.Errorf("without a word of the caller, the agent is %q", got)
	}
}

func TestEachStatusHasItsTrouble(t *testing.T) {
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
		if status != 204 {
			io.WriteString(w, "short words")
		}
	})
	for status, want := range map[int]string{
		204: audit.TroubleContent, 304: audit.TroubleServer, 300: audit.TroubleServer, 302: audit.TroubleServer, 400: audit.TroubleServer,
		401: audit.TroubleLogin, 403: audit.TroubleLogin, 404: audit.TroubleNotFound, 407: audit.TroubleUnreachable, 410: audit.TroubleNotFound,
		418: audit.TroubleServer, 500: audit.TroubleServer, 502: audit.TroubleServer, 503: audit.TroubleServer, 504: audit.TroubleTimeout,
	} {
		a := get(t, visitor(t, nil), fmt.Sprintf("%s/%d", address, status))
		wantTrouble(t, a, want)
		if a.Status != status {
			t.Errorf("status %d was seen as %d", status, a.Status)
		}
	}
}

func TestARefusalIsKeptAsEvidence(t *testing.T) {
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "nothing here, ask jane.doe@example.org")
	})
	var k kept
	a := get(t, visitor(t, func(o *visit.Options) { o.Keep = k.keep }), address+"/gone")
	wantTrouble(t, a, audit.TroubleNotFound, "no such page (404)")
	if len(k.blobs) != 1 || string(k.blobs[0].Data) != "nothing here, ask removed@example.org" || a.Digest != audit.DigestOf(k.blobs[0].Data) || a.Original == "" {
		t.Errorf("kept %+v, seen %+v", k.blobs, a.Seen)
	}
}

func TestAServerThatAsksToComeBackLaterIsLeftAlone(t *testing.T) {
	var asked atomic.Int64
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		asked.Add(1)
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	v := visitor(t, nil)
	wantTrouble(t, get(t, v, address+"/a"), audit.TroubleServer, "asks to come back later (429)")
	a := get(t, v, address+"/b")
	wantTrouble(t, a, audit.TroubleServer, "not asked again")
	if asked.Load() != 1 || !strings.HasPrefix(a.Trouble.Settle, "run it again after 20") {
		t.Errorf("asked %d times, settle %q", asked.Load(), a.Trouble.Settle)
	}
}

func TestOnlyPublicPagesOfTheWebAreAsked(t *testing.T) {
	v := visitor(t, func(o *visit.Options) { o.Client = client(t, web.Options{}) })
	for _, address := range []string{
		"file:///etc/passwd", "gopher://example.org/", "unix:///run/x.sock", "data:text/html,x", "ftp://example.org/", "javascript:alert(1)", "//example.org/",
		"example.org", "", "http://", "http:///x", "http://example.org:0/", "http://example.org:99999/", "http://exa mple.org/", "http://2130706433/",
		"http://0x7f000001/", "http://0177.1/", "http://127.1/", "http://a..b./", "http://[::1", "http://\x00/", "https://user:s3cret@example.org/", "https:example.org",
		"http://xn--a/", "https://example.org/" + strings.Repeat("a", 5000),
	} {
		a := get(t, v, address)
		wantTrouble(t, a, audit.TroubleAddress)
		if strings.Contains(a.URL, "s3cret") {
			t.Errorf("%s: seen as %s", address, a.URL)
		}
	}
	for _, address := range []string{"http://127.0.0.1:1/", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://localhost:1/"} {
		a := get(t, v, address)
		wantTrouble(t, a, audit.TroubleAddress, "no outsider gets there")
		if !strings.Contains(a.Trouble.Settle, "network: allow:") {
			t.Errorf("%s: settle %q", address, a.Trouble.Settle)
		}
	}
	wantTrouble(t, v.Ask(t.Context(), audit.Request{Method: "DELETE", URL: "https://example.org/"}), audit.TroubleAddress, "only GET and POST")
}

func TestNobodyIsAskedOfflineOrAboutThePast(t *testing.T) {
	wantTrouble(t, get(t, visit.New(visit.Options{Now: time.Now}), "https://status.example.org/"), audit.TroubleOffline, "may not ask")
	wantTrouble(t, get(t, visit.New(visit.Options{}), "https://status.example.org/"), audit.TroubleOffline)
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var asked atomic.Int64
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) { asked.Add(1); io.WriteString(w, "here") })
	at := func(d time.Duration) *visit.Visitor {
		return visitor(t, func(o *visit.Options) { o.Now = func() time.Time { return now }; o.At = now.Add(-d) })
	}
	wantTrouble(t, get(t, at(25*time.Hour), address), audit.TroublePast, "2026-11-25")
	if asked.Load() != 0 {
		t.Errorf("the server was asked %d times", asked.Load())
	}
	if a := get(t, at(23*time.Hour), address); a.Trouble != nil {
		t.Errorf("a run of the same day: %s", a.Trouble.Text)
	}
}

func TestRedirectsAreFollowedAndBounded(t *testing.T) {
	private := serve(t, "127.0.0.3", func(http.ResponseWriter, *http.Request) { t.Error("the private server was reached") })
	var address string
	address = serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		var n int
		switch fmt.Sscanf(r.URL.Path, "/down/%d", &n); {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case n > 0:
			http.Redirect(w, r, fmt.Sprintf("/down/%d", n-1), http.StatusFound)
		case r.URL.Path == "/circle":
			http.Redirect(w, r, "/circle?again", http.StatusFound)
		case r.URL.Path == "/endless":
			http.Redirect(w, r, "/endless?"+r.URL.RawQuery+"x", http.StatusFound)
		case r.URL.Path == "/private":
			http.Redirect(w, r, private, http.StatusFound)
		case r.URL.Path == "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/user":
			w.Header().Set("Location", "http://u:s3cret@"+r.Host+"/")
			w.WriteHeader(http.StatusFound)
		default:
			io.WriteString(w, "at last")
		}
	})
	v := visit.New(visit.Options{Client: client(t, web.Options{}, "127.0.0.1/32"), Now: time.Now})
	a := get(t, v, address+"/down/5")
	if a.Trouble != nil || string(a.Body) != "at last" || a.URL != address+"/down/5" || a.Final != address+"/down/0" {
		t.Errorf("trouble %+v, seen %+v", a.Trouble, a.Seen)
	}
	wantTrouble(t, get(t, v, address+"/down/6"), audit.TroubleRedirects, "more than 5 redirects")
	wantTrouble(t, get(t, v, address+"/circle"), audit.TroubleRedirects, "in a circle")
	wantTrouble(t, get(t, v, address+"/endless"), audit.TroubleRedirects, "more than 5 redirects")
	a = get(t, v, address+"/private")
	wantTrouble(t, a, audit.TroubleAddress, "is an address of this machine, and no outsider gets there")
	wantTrouble(t, get(t, v, address+"/file"), audit.TroubleAddress, "redirects to an address that is not asked")
	a = get(t, v, address+"/user")
	wantTrouble(t, a, audit.TroubleAddress)
	if strings.Contains(fmt.Sprintf("%+v", a), "s3cret") {
		t.Errorf("the password is in %+v", a)
	}
}

// TestANameThatChangesItsAddressIsCheckedEachTime plays DNS rebinding: robots.txt is asked at an allowed address, and the page
// after it at another.
func TestANameThatChangesItsAddressIsCheckedEachTime(t *testing.T) {
	good := serve(t, "127.0.0.2", http.NotFound)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(good, "http://"))
	g, err := web.New(web.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int64
	c := g.Client()
	transport := c.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return g.Dial(ctx, network, "127.0.0.2:"+port)
		}
		return g.Dial(ctx, network, "127.0.0.3:"+port)
	}
	c.Transport = transport
	wantTrouble(t, get(t, visit.New(visit.Options{Client: c, Now: time.Now}), "http://rebind.example:"+port+"/"), audit.TroubleAddress, "rebind.example")
	if dials.Load() != 2 {
		t.Errorf("%d connections, want 2", dials.Load())
	}
}

func packed(t *testing.T, write func(io.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	write(z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAGzipBombEndsAtTheLimitWithLittleMemory(t *testing.T) {
	member := packed(t, func(w io.Writer) { w.Write(make([]byte, 16<<20)) })
	bomb := bytes.Repeat(member, 64) // 1 GiB of zeros in about 1 MB
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb)
	})
	v := visitor(t, nil)
	get(t, v, address+"/warm")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := v.Ask(t.Context(), audit.Request{URL: address, Limit: 1 << 20})
	runtime.ReadMemStats(&after)
	wantTrouble(t, a, audit.TroubleTooLarge, "more than 1048576 bytes")
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes were allocated for a limit of 1 MiB", used)
	} else {
		t.Logf("%d bytes packed, 1 GiB unpacked, limit 1 MiB: %d bytes allocated in all", len(bomb), used)
	}
}

func TestBodiesAreUnpackedOrRefused(t *testing.T) {
	good := packed(t, func(w io.Writer) { io.WriteString(w, `{"a":1}`) })
	coding := map[string]string{"/gzip": "gzip", "/x": "x-gzip", "/none": "identity", "/lie": "gzip", "/br": "br", "/twice": "gzip, gzip", "/cut": "gzip", "/nothing": "gzip"}
	body := map[string][]byte{"/gzip": good, "/x": good, "/none": []byte(`{"a":1}`), "/lie": []byte(`{"a":1}`), "/br": good, "/twice": good,
		"/cut": good[:len(good)-6], "/nothing": nil}
	var sent atomic.Int64
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/endless":
			chunk := make([]byte, 64<<10)
			for {
				n, err := w.Write(chunk)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		case r.URL.Path == "/stated":
			w.Header().Set("Content-Length", "99999999999")
			io.WriteString(w, "{")
		case r.URL.Path == "/short":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
		case coding[r.URL.Path] != "":
			w.Header().Set("Content-Encoding", coding[r.URL.Path])
			w.Write(body[r.URL.Path])
		default:
			http.NotFound(w, r)
		}
	})
	v := visitor(t, nil)
	for _, path := range []string{"/gzip", "/x", "/none"} {
		if a := get(t, v, address+path); a.Trouble != nil || string(a.Body) != `{"a":1}` {
			t.Errorf("%s: trouble %+v, body %q", path, a.Trouble, a.Body)
		}
	}
	wantTrouble(t, get(t, v, address+"/lie"), audit.TroubleContent, "cannot be unpacked")
	wantTrouble(t, get(t, v, address+"/br"), audit.TroubleContent, "packed in a way that was not asked for")
	wantTrouble(t, get(t, v, address+"/twice"), audit.TroubleContent, "packed in a way")
	wantTrouble(t, get(t, v, address+"/cut"), audit.TroubleContent, "cannot be unpacked")
	wantTrouble(t, get(t, v, address+"/nothing"), audit.TroubleContent, "empty")
	wantTrouble(t, get(t, v, address+"/short"), audit.TroubleUnreachable, "broke off")
	wantTrouble(t, get(t, v, address+"/stated"), audit.TroubleTooLarge)
	wantTrouble(t, get(t, v, address+"/endless"), audit.TroubleTooLarge, "more than 8388608 bytes")
	if sent.Load() > 64<<20 {
		t.Errorf("the endless body came to %d bytes", sent.Load())
	}
}

func TestASlowBodyIsATimeoutAndAnEndOfTheRunIsNot(t *testing.T) {
	release := make(chan struct{})
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == "/drip" {
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	v := visitor(t, func(o *visit.Options) { o.Timeout = 100 * time.Millisecond })
	wantTrouble(t, get(t, v, address+"/drip"), audit.TroubleTimeout, "no whole answer within 100ms")
	wantTrouble(t, get(t, v, address+"/silent"), audit.TroubleTimeout, "no whole answer within 100ms")
	ctx, cancel := context.WithCancel(t.Context())
	patient := visitor(t, nil)
	time.AfterFunc(50*time.Millisecond, cancel)
	wantTrouble(t, patient.Ask(ctx, audit.Request{URL: address + "/drip"}), audit.TroubleInterrupted)
	wantTrouble(t, patient.Ask(ctx, audit.Request{URL: address + "/later"}), audit.TroubleInterrupted)
}

func TestServersThatCannotBeReachedAreNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	v := visitor(t, nil)
	wantTrouble(t, get(t, v, closed), audit.TroubleUnreachable, "127.0.0.1 refuses the connection")
	wantTrouble(t, get(t, v, "https://no-such-name.invalid/"), audit.TroubleUnreachable, "no-such-name.invalid")
	raw := func(answer string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				http.ReadRequest(bufio.NewReader(c))
				io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String() + "/"
	}
	wantTrouble(t, get(t, v, raw("SSH-2.0-OpenSSH_9.9\r\n")), audit.TroubleServer, "does not answer in HTTP")
	wantTrouble(t, get(t, v, raw("")), audit.TroubleUnreachable, "broke off")
	wantTrouble(t, get(t, v, raw("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 2<<20))), audit.TroubleTooLarge, "headers")
}

func TestOneRequestAtATimeReachesAHost(t *testing.T) {
	var now, most, all atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		all.Add(1)
		time.Sleep(2 * time.Millisecond)
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, "here")
	}
	address, other := serve(t, "127.0.0.1", handler), serve(t, "127.0.0.1", handler) // two ports of one host
	v := visitor(t, nil)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			base := address
			if i%2 == 0 {
				base = other
			}
			if a := v.Ask(t.Context(), audit.Request{URL: fmt.Sprintf("%s/%d", base, i%20)}); a.Trouble != nil || string(a.Body) != "here" {
				t.Errorf("%+v", a.Trouble)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 || all.Load() != 22 { // 20 different addresses and robots.txt of both servers
		t.Errorf("%d requests at once, %d in all; want 1 and 22", most.Load(), all.Load())
	}
}

func TestTheSameQuestionIsAskedOnceAndAPostEachTime(t *testing.T) {
	var asked atomic.Int64
	var body, contentType atomic.Value
	address := serve(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "User-agent: Pegel\nDisallow: /private\n")
			return
		}
		data, _ := io.ReadAll(r.Body)
		body.Store(string(data))
		contentType.Store(r.Header.Get("Content-Type"))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"n":%d}`, asked.Add(1))
	})
	v := visitor(t, nil)
	first := v.Ask(t.Context(), audit.Request{URL: address + "/a"})
	again := v.Ask(t.Context(), audit.Request{URL: address + "/a#other"})
	if string(first.Body) != `{"n":1}` || string(again.Body) != `{"n":1}` || !first.At.Equal(again.At) {
		t.Errorf("bodies %q and %q", first.Body, again.Body)
	}
	post := audit.Request{Method: http.MethodPost, URL: address + "/a", Body: []byte(`{"q":1}`), ContentType: "application/json", Accept: "application/json"}
	for want := 2; want < 4; want++ {
		a := v.Ask(t.Context(), post)
		if string(a.Body) != fmt.Sprintf(`{"n":%d}`, want) || a.Method != "POST" || body.Load() != `{"q":1}` || contentType.Load() != "application/json" {
			t.Errorf("body %q, method %q, sent %q as %q", a.Body, a.Method, body.Load(), contentType.Load())
		}
	}
	post.URL = address + "/private/query"
	wantTrouble(t, v.Ask(t.Context(), post), audit.TroubleRobots, "line 2: Disallow: /private")
}

func TestAnAnswerBelongsToItsCaller(t *testing.T) {
	address := pages(t, map[string]string{"/a application/json": `{"author":"Jane Doe"}`})
	v := visitor(t, nil)
	redact := func(b []byte) ([]byte, error) { return bytes.ReplaceAll(b, []byte("Jane Doe"), []byte("-")), nil }
	a := v.Ask(t.Context(), audit.Request{URL: address + "/a", Redact: redact})
	if string(a.Body) != `{"author":"-"}` || a.Original != audit.DigestOf([]byte(`{"author":"Jane Doe"}`)) {
		t.Errorf("body %q, original %q", a.Body, a.Original)
	}
	clear(a.Body)
	if a = get(t, v, address+"/a"); string(a.Body) != `{"author":"Jane Doe"}` {
		t.Errorf("a second caller sees %q", a.Body)
	}
	clear(a.Body)
	if a = get(t, v, address+"/a"); string(a.Body) != `{"author":"Jane Doe"}` {
		t.Errorf("a third caller sees %q: what a caller changes reached the next one", a.Body)
	}
}

func TestWhatCannotBeRedactedIsNotKept(t *testing.T) {
	address := pages(t, map[string]string{"/a application/json": `{"author":"Jane Doe"`})
	var k kept
	v := visitor(t, func(o *visit.Options) { o.Keep = k.keep })
	a := v.Ask(t.Context(), audit.Request{URL: address + "/a", Accept: "application/json", Redact: func([]byte) ([]byte, error) { return nil, io.ErrUnexpectedEOF }})
	if a.Trouble == nil || a.Trouble.Kind != audit.TroubleContent || a.Body != nil {
		t.Errorf("trouble %+v, body %q", a.Trouble, a.Body)
	}
	if len(k.blobs) != 1 || k.blobs[0].Withheld == "" {
		t.Errorf("kept %+v, want only a digest", k.blobs)
	}
}

func TestAnAnswerThatCannotBeKeptDoesNotCount(t *testing.T) {
	address := pages(t, map[string]string{"/a text/plain": "here"})
	v := visitor(t, func(o *visit.Options) {
		o.Keep = func(context.Context, audit.Blob) (audit.Digest, error) { return "", io.ErrShortWrite }
	})
	wantTrouble(t, get(t, v, address+"/a"), audit.TroubleInterrupted, "could not be kept")
}

func TestAddressesStandInEvidenceWithoutSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@status.example.org/a?b=1#c":                                         "https://status.example.org/a?b=1",
		"https://h.example/?api_key=1&state=opened&X-Amz-Signature=2&page=3&token":       "https://h.example/?api_key=HIDDEN&state=opened&X-Amz-Signature=HIDDEN&page=3&token",
		"https://h.example/?q=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc&access%5Ftoken=1": "https://h.example/?q=HIDDEN&access%5Ftoken=HIDDEN",
		"https://h.example/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc/x":                   "https://h.example/HIDDEN/x",
		"https://h.example/a?author=1&monkey=2&keyboard=3":                               "https://h.example/a?author=1&monkey=2&keyboard=3",
		"https://h.example/%zz": "(an address that cannot be read)",
	} {
		if got := visit.Masked(in); got != want {
			t.Errorf("Masked(%s) = %s, want %s", in, got, want)
		}
	}
}

func FuzzAMaskedAddressShowsNoSecret(f *testing.F) {
	f.Add("https://u:s3cret@example.org/a", "x")
	f.Add("https://example.org/?token=", "token")
	f.Fuzz(func(t *testing.T, base, name string) {
		const secret = "s3cr3tv4lue"
		if strings.Contains(base+name, secret[:4]) {
			return
		}
		u, err := url.Parse(base)
		if err != nil || u.Opaque != "" {
			return
		}
		u.User = url.UserPassword("someone", secret)
		u.Fragment = secret
		u.RawQuery = url.Values{"access_token": {secret}, name: {"1"}}.Encode()
		if got := visit.Masked(u.String()); strings.Contains(got, secret) {
			t.Errorf("Masked(%s) = %s", u, got)
		}
	})
}
