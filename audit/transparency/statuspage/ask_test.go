package statuspage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// at is the moment that every test judges.
var at = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// answers are what a server of a test says: by path, with the query if there is one.
type answers map[string]string

// serve starts a server on loopback. What starts with "<" is HTML, other texts JSON; "login" redirects to a login form.
func serve(t *testing.T, a answers) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.Path
		if r.URL.RawQuery != "" {
			key += "?" + r.URL.RawQuery
		}
		body, ok := a[key]
		if !ok {
			body, ok = a[r.URL.Path]
		}
		body = strings.ReplaceAll(body, "{{base}}", "http://"+r.Host)
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(body, "<?xml"):
			w.Header().Set("Content-Type", "application/rss+xml")
			fmt.Fprint(w, body)
		case strings.HasPrefix(body, "<"):
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, body)
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// ask is a plain visitor: what the guarded one does beyond it has its own tests.
func ask(client *http.Client) audit.Ask {
	return func(ctx context.Context, r audit.Request) audit.Answer {
		answer := audit.Answer{Seen: audit.Seen{URL: r.URL, At: at}}
		trouble := func(kind, text string) audit.Answer {
			answer.Trouble = &audit.Trouble{Kind: kind, Text: text}
			return answer
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil {
			return trouble(audit.TroubleAddress, err.Error())
		}
		response, err := client.Do(request)
		if err != nil {
			return trouble(audit.TroubleUnreachable, "no connection")
		}
		defer response.Body.Close()
		answer.Status = response.StatusCode
		body, err := io.ReadAll(io.LimitReader(response.Body, r.Limit+1))
		switch {
		case err != nil:
			return trouble(audit.TroubleTimeout, err.Error())
		case response.StatusCode == http.StatusNotFound:
			return trouble(audit.TroubleNotFound, "there is nothing (404)")
		case response.StatusCode == http.StatusUnauthorized, bytes.Contains(body, []byte(`type="password"`)):
			return trouble(audit.TroubleLogin, "the page asks for a login")
		case response.StatusCode != http.StatusOK:
			return trouble(audit.TroubleServer, fmt.Sprintf("the server says %d", response.StatusCode))
		case int64(len(body)) > r.Limit:
			return trouble(audit.TroubleTooLarge, "too large")
		case r.Accept == typeJSON && strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"):
			return trouble(audit.TroubleContent, "a web page came where JSON was asked for")
		}
		if r.Redact != nil {
			if body, err = r.Redact(body); err != nil {
				return trouble(audit.TroubleContent, err.Error())
			}
		}
		answer.Body, answer.Size, answer.Digest = body, int64(len(body)), audit.DigestOf(body)
		return answer
	}
}

// files answers from files that were handed over, by the last elements of the path.
func files(dir string) audit.Ask {
	return func(_ context.Context, r audit.Request) audit.Answer {
		path, _, _ := strings.Cut(strings.TrimPrefix(r.URL, "file:///"), "?")
		answer := audit.Answer{Seen: audit.Seen{URL: r.URL, At: at}}
		for ; path != ""; _, path, _ = strings.Cut(path, "/") {
			if body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path))); err == nil {
				answer.Handed, answer.Body = path, body
				return answer
			}
		}
		answer.Trouble = &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "it is not among the files"}
		return answer
	}
}

// collect reads what a server says, with the adapter detected, and checks that every look is kept in order.
func collect(t *testing.T, a answers, path, adapter string) transparency.Artifact {
	t.Helper()
	s := serve(t, a)
	target := transparency.Target{Kind: transparency.KindStatusPage, URL: s.URL + path, Adapter: adapter}
	artifact := Collect(t.Context(), target, transparency.World{Ask: ask(s.Client()), At: at})
	if artifact.Trouble != nil && artifact.StatusPage != nil {
		t.Errorf("there are facts beside a trouble: %+v", artifact.Trouble)
	}
	return artifact
}

func page1(t *testing.T, artifact transparency.Artifact) *transparency.StatusPage {
	t.Helper()
	if artifact.Trouble != nil {
		t.Fatalf("trouble %s: %s", artifact.Trouble.Kind, artifact.Trouble.Text)
	}
	return artifact.StatusPage
}

func day(s string) time.Time {
	t, ok := moment(s)
	if !ok || t.IsZero() {
		panic("no moment: " + s)
	}
	return t
}
