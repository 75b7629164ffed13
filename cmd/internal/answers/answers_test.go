package answers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const login = "jane-canary"

// server answers with a login in the body and an ETag, and counts.
type server struct {
	*httptest.Server
	asked, unchanged atomic.Int32
	status           atomic.Int32
	tag              atomic.Value
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.status.Store(http.StatusOK)
	s.tag.Store(`"one"`)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		tag := s.tag.Load().(string)
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			s.unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.WriteHeader(int(s.status.Load()))
		_, _ = io.WriteString(w, `{"author":"`+login+`","reviewer":"john-canary","etag":`+tag+`}`)
	}))
	t.Cleanup(s.Close)
	return s
}

var canary = regexp.MustCompile(`[a-z]+-canary`)

// rule replaces the logins of server.
var rule = scoring.Redact{Name: "test/1", Do: func(_ int, body []byte, person func(string) string) ([]byte, error) {
	return canary.ReplaceAllFunc(body, func(m []byte) []byte { return []byte(person(string(m))) }), nil
}}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newTransport(t *testing.T, o Options) *Transport {
	t.Helper()
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func get(t *testing.T, tr *Transport, url string) (string, *http.Response, error) {
	t.Helper()
	ctx := scoring.WithRedact(t.Context(), rule, &scoring.People{})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return string(data), resp, err
}

func TestAnAnswerIsKeptWithoutPeopleAndGivenAgain(t *testing.T) {
	s, c, dir := newServer(t), &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}, t.TempDir()
	var mu sync.Mutex
	var blobs []audit.Blob
	keep := func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		mu.Lock()
		defer mu.Unlock()
		blobs = append(blobs, b)
		return audit.DigestOf(b.Data), nil
	}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: dir, Now: c.Now, Keep: keep})
	want := `{"author":"p1","reviewer":"p2","etag":"one"}`
	for range 2 {
		got, resp, err := get(t, tr, s.URL+"/x")
		if err != nil || got != want {
			t.Fatalf("got %q, %v", got, err)
		}
		original := audit.DigestOf([]byte(`{"author":"` + login + `","reviewer":"john-canary","etag":"one"}`))
		o := scoring.OriginOf("test", resp)
		if o.Digest != original || !o.At.Equal(c.now) || o.URL != s.URL+"/x" {
			t.Errorf("origin = %+v", o)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the server was asked %d times within a day", n)
	}
	if len(blobs) != 2 || string(blobs[0].Data) != want || blobs[0].Origin.At != c.now {
		t.Errorf("kept %+v", blobs)
	}
	if got := tr.Count(); got.Asked != 1 || got.Cached != 1 || got.Bytes == 0 {
		t.Errorf("count = %+v", got)
	}
	noCanary(t, dir)

	// A day later it is asked whether it changed; then it changed.
	c.now = c.now.Add(25 * time.Hour)
	if got, resp, err := get(t, tr, s.URL+"/x"); err != nil || got != want || !scoring.OriginOf("", resp).At.Equal(c.now) {
		t.Errorf("unchanged: %q, %v", got, err)
	}
	if s.unchanged.Load() != 1 || tr.Count().Unchanged != 1 {
		t.Error("the tag was not used")
	}
	c.now = c.now.Add(25 * time.Hour)
	s.tag.Store(`"two"`)
	if got, _, err := get(t, tr, s.URL+"/x"); err != nil || !strings.Contains(got, "two") {
		t.Errorf("changed: %q, %v", got, err)
	}

	// Offline the cache speaks for itself, of any age.
	c.now = c.now.AddDate(1, 0, 0)
	off := newTransport(t, Options{Dir: dir, Now: c.Now})
	if got, resp, err := get(t, off, s.URL+"/x"); err != nil || !strings.Contains(got, "two") || !scoring.OriginOf("", resp).At.Before(c.now.AddDate(0, -11, 0)) {
		t.Errorf("offline: %q, %v", got, err)
	}
	if _, _, err := get(t, off, s.URL+"/y"); !errors.Is(err, ErrOffline) {
		t.Errorf("offline and unknown: %v", err)
	}
}

// noCanary looks for people in every file.
func noCanary(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(name)
		if canary.Match(data) {
			t.Errorf("%s holds a person: %s", name, data)
		}
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
}

func TestARequestWithoutARuleIsNotSent(t *testing.T) {
	s := newServer(t)
	tr := newTransport(t, Options{Next: http.DefaultTransport, Now: time.Now})
	_, err := (&http.Client{Transport: tr}).Get(s.URL)
	if !errors.Is(err, scoring.ErrNotRedacted) || s.asked.Load() != 0 {
		t.Errorf("err = %v, asked %d times", err, s.asked.Load())
	}
}

func TestARefusalIsAskedForAgain(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests, http.StatusBadGateway} {
		s := newServer(t)
		kept := 0
		tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: time.Now, Keep: func(context.Context, audit.Blob) (audit.Digest, error) {
			kept++
			return "", nil
		}})
		s.status.Store(int32(status))
		if _, resp, err := get(t, tr, s.URL); err != nil || resp.StatusCode != status {
			t.Fatalf("%d: %v", status, err)
		}
		s.status.Store(http.StatusOK)
		if _, resp, err := get(t, tr, s.URL); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("after %d: %v, %v", status, resp, err)
		}
		if kept != 1 {
			t.Errorf("%d: %d answers were kept, want the good one", status, kept)
		}
	}
}

func TestADamagedFileIsNoAnswer(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: dir, Now: time.Now})
	if _, _, err := get(t, tr, s.URL); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "answers", "*", "*.json"))
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	data, _ := os.ReadFile(files[0])
	for name, damaged := range map[string][]byte{"cut": data[:len(data)-1], "changed": append(data[:len(data)-2:len(data)-2], "x}"...), "empty": nil, "no line": []byte("{}")} {
		if err := os.WriteFile(files[0], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		before := s.asked.Load()
		if got, _, err := get(t, tr, s.URL); err != nil || !strings.Contains(got, "p1") || s.asked.Load() != before+1 {
			t.Errorf("%s: %q, %v, asked %d times more", name, got, err, s.asked.Load()-before)
		}
	}
}

func TestWhoAsksTheCacheOnlyIsNotSentOut(t *testing.T) {
	s := newServer(t)
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: time.Now})
	ask := func() int {
		ctx := scoring.WithRedact(t.Context(), rule, &scoring.People{})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cache-Control", "only-if-cached")
		resp, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask(); got != http.StatusGatewayTimeout || s.asked.Load() != 0 {
		t.Errorf("without an answer: status %d, asked %d times", got, s.asked.Load())
	}
	if _, _, err := get(t, tr, s.URL); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != http.StatusOK || s.asked.Load() != 1 {
		t.Errorf("with an answer: status %d, asked %d times", got, s.asked.Load())
	}
}

func TestTheSameQuestionIsAskedOnce(t *testing.T) {
	s := newServer(t)
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: time.Now})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := get(t, tr, s.URL); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPeopleAreTheSameWithinOneInstallationOnly(t *testing.T) {
	dir := t.TempDir()
	one, two := newTransport(t, Options{Dir: dir, Now: time.Now}), newTransport(t, Options{Dir: dir, Now: time.Now})
	other := newTransport(t, Options{Dir: t.TempDir(), Now: time.Now})
	if one.names.Name(login) != two.names.Name(login) {
		t.Error("the key of the cache is not used again")
	}
	if one.names.Name(login) == other.names.Name(login) {
		t.Error("two installations give the same pseudonym")
	}
	info, err := os.Stat(filepath.Join(dir, "people.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v, %v", info, err)
	}
}

func TestAnAnswerThatMayNotBeStoredIsNowhere(t *testing.T) {
	s, dir, kept := newServer(t), t.TempDir(), 0
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: dir, Now: time.Now, Keep: func(context.Context, audit.Blob) (audit.Digest, error) {
		kept++
		return "", nil
	}})
	ask := func(control string) int {
		ctx := scoring.WithRedact(t.Context(), rule, &scoring.People{})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/token", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cache-Control", control)
		resp, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for range 2 {
		if status := ask("max-age=0, No-Store"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "answers", "*", "*"))
	if err != nil || len(files) != 0 || kept != 0 || s.asked.Load() != 2 {
		t.Errorf("%d files, %d kept, asked %d times, %v", len(files), kept, s.asked.Load(), err)
	}
	if status := ask("only-if-cached"); status != http.StatusGatewayTimeout {
		t.Errorf("it was cached: status %d", status)
	}
	if ask("max-age=0"); kept != 1 {
		t.Errorf("an ordinary answer was kept %d times", kept)
	}
}

func TestAnOldAnswerServesWhereNobodyMayBeAsked(t *testing.T) {
	s, c := newServer(t), &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: c.Now})
	if _, _, err := get(t, tr, s.URL+"/x"); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(48 * time.Hour)
	req, err := http.NewRequestWithContext(scoring.WithRedact(t.Context(), rule, &scoring.People{}), http.MethodGet, s.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cache-Control", "only-if-cached")
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil || resp.StatusCode != http.StatusOK || s.asked.Load() != 1 {
		t.Errorf("%v, %v, asked %d times", resp, err, s.asked.Load())
	}
}
