package answers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// serve answers with what handle writes and counts the requests.
func serve(t *testing.T, handle http.HandlerFunc) (address string, asked *int) {
	asked = new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/x", asked
}

// send asks with headers given as name, value.
func send(t *testing.T, tr *Transport, r scoring.Redact, address string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(scoring.WithRedact(t.Context(), r, &scoring.People{}), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

var plainRule = scoring.Redact{Name: "plain/1", Do: func(_ int, body []byte, _ func(string) string) ([]byte, error) { return body, nil }}

func TestALimitThatIsToldAsASuccessIsNeitherCachedNorKept(t *testing.T) {
	texts := []string{`{"errors":[{"type":"RATE_LIMITED"}]}`, `{"data":{"stars":1}}`}
	at := -1
	address, asked := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		at++
		_, _ = io.WriteString(w, texts[min(at, 1)])
	})
	rule := plainRule
	rule.Passing = func(_ int, body []byte) bool { return strings.Contains(string(body), "RATE_LIMITED") }
	kept := 0
	c := &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: c.Now, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept++
		return audit.DigestOf(b.Data), nil
	}})
	for i, want := range []string{texts[0], texts[1], texts[1]} {
		if _, got := send(t, tr, rule, address); got != want {
			t.Errorf("answer %d is %s, want %s", i+1, got, want)
		}
	}
	if *asked != 2 || kept != 2 {
		t.Errorf("asked %d times and kept %d answers, want 2 and 2: the refusal is no evidence", *asked, kept)
	}
}

func TestOnlyTheCacheIsAskedWhereNothingElseMayBe(t *testing.T) {
	address, asked := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	c := &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: c.Now})
	if status, _ := send(t, tr, plainRule, address, "Cache-Control", "only-if-cached"); status != http.StatusGatewayTimeout || *asked != 0 {
		t.Errorf("an empty cache answers %d after %d requests, want 504 after none", status, *asked)
	}
	send(t, tr, plainRule, address)
	c.now = c.now.AddDate(0, 0, 3)
	if status, _ := send(t, tr, plainRule, address, "Cache-Control", "only-if-cached"); status != http.StatusOK || *asked != 1 {
		t.Errorf("an old answer is given with %d after %d requests, want 200 after the first one", status, *asked)
	}
}

func TestWhatAStrangerWasToldIsNoAnswerForATokenButTheOtherWayRound(t *testing.T) {
	address, asked := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, `{}`)
	})
	c := &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: c.Now})
	var got []int
	for _, headers := range [][]string{nil, nil, {"Authorization", "Bearer x"}, nil} {
		status, _ := send(t, tr, plainRule, address, headers...)
		got = append(got, status)
	}
	if want := [4]int{404, 404, 200, 200}; [4]int(got) != want || *asked != 2 {
		t.Errorf("statuses %v after %d requests, want %v after 2", got, *asked, want)
	}
}

func TestANotFoundOfAProxyIsNotCached(t *testing.T) {
	text := "<html>no upstream</html>"
	address, asked := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, text)
	})
	c := &clock{time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)}
	tr := newTransport(t, Options{Next: http.DefaultTransport, Dir: t.TempDir(), Now: c.Now})
	send(t, tr, plainRule, address)
	text = `{"message":"not found"}`
	send(t, tr, plainRule, address)
	send(t, tr, plainRule, address)
	if *asked != 2 {
		t.Errorf("asked %d times, want 2: a page is asked for again, the service's own answer is not", *asked)
	}
}
