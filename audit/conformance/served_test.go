package conformance

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// judged is the moment that the tests of evidence judge.
func judged() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// served answers over HTTP as a visitor does: status, login, limit, redaction.
func served(t testing.TB, handler http.Handler) (World, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	ask := func(ctx context.Context, r audit.Request) audit.Answer {
		a := audit.Answer{Seen: audit.Seen{URL: r.URL, At: judged()}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil || !strings.HasPrefix(r.URL, server.URL) {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "no server answers at that address"}
			return a
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "no server answers at that address"}
			return a
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		a.Status = res.StatusCode
		switch {
		case res.StatusCode == 404:
			a.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "there is nothing at that address (404)"}
		case res.StatusCode == 401, bytes.Contains(body, []byte("type=password")):
			a.Trouble = &audit.Trouble{Kind: audit.TroubleLogin, Text: "the page asks for a login"}
		}
		return taken(a, r, body)
	}
	return World{Ask: ask, At: judged()}, server.URL
}

// handed answers from files, by the last element of the address.
func handed(files map[string]string) World {
	return World{At: judged(), Ask: func(_ context.Context, r audit.Request) audit.Answer {
		a := audit.Answer{Seen: audit.Seen{URL: r.URL, At: judged()}}
		name := path.Base(r.URL)
		body, ok := files[name]
		if !ok {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleNotHanded, Text: name + " is not among the files that were handed over", Settle: "hand it over"}
			return a
		}
		a.Handed = name
		return taken(a, r, []byte(body))
	}}
}

func taken(a audit.Answer, r audit.Request, body []byte) audit.Answer {
	if a.Trouble != nil {
		return a
	}
	original := body
	if r.Limit > 0 && int64(len(body)) > r.Limit {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleTooLarge, Text: "the answer is longer than is read"}
		return a
	}
	if r.Redact != nil {
		var err error
		if body, err = r.Redact(body); err != nil {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer cannot be read: " + err.Error()}
			return a
		}
	}
	a.Body, a.Digest, a.Size = body, audit.DigestOf(body), int64(len(body))
	if !bytes.Equal(original, body) {
		a.Original = audit.DigestOf(original)
	}
	return a
}

// folder serves files by path.
func folder(files map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // as raw.githubusercontent.com
		io.WriteString(w, body)
	})
}

// wants checks an answer.
func wants(t *testing.T, got Answer, outcome audit.Outcome, words ...string) {
	t.Helper()
	if got.Outcome != outcome {
		t.Errorf("outcome: want %v, got %v (%s)", outcome, got.Outcome, got.Reason)
	}
	for _, w := range words {
		if !strings.Contains(got.Reason, w) {
			t.Errorf("reason: want %q in it, got %q", w, got.Reason)
		}
	}
	if outcome != audit.PASS && len(got.Settle) == 0 {
		t.Errorf("an answer that is not PASS must say what would settle it: %q", got.Reason)
	}
}
