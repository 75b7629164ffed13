package disclosure_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// askBy is a plain way to ask; the guards of the real one are tested where it lives.
func askBy(client *http.Client) audit.Ask {
	return func(ctx context.Context, r audit.Request) audit.Answer {
		a := audit.Answer{Seen: audit.Seen{URL: r.URL, At: now, Headers: map[string]string{}}}
		fail := func(kind, text string) audit.Answer {
			a.Trouble = &audit.Trouble{Kind: kind, Text: text}
			return a
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil {
			return fail(audit.TroubleAddress, err.Error())
		}
		answer, err := client.Do(req)
		if err != nil {
			return fail(audit.TroubleUnreachable, "no connection")
		}
		defer answer.Body.Close()
		if final := answer.Request.URL.String(); final != r.URL {
			a.Final = final
		}
		a.Status = answer.StatusCode
		a.Headers["content-type"] = answer.Header.Get("Content-Type")
		switch {
		case a.Status == http.StatusNotFound || a.Status == http.StatusGone:
			return fail(audit.TroubleNotFound, "there is nothing at this address")
		case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
			return fail(audit.TroubleLogin, "it asks for a login")
		case a.Status != http.StatusOK:
			return fail(audit.TroubleServer, "the server answers "+answer.Status)
		}
		body, err := io.ReadAll(io.LimitReader(answer.Body, r.Limit))
		if err != nil {
			return fail(audit.TroubleUnreachable, "broken off")
		}
		if strings.Contains(string(body), `type="password"`) {
			return fail(audit.TroubleLogin, "the page asks for a login")
		}
		if r.Redact != nil {
			if body, err = r.Redact(body); err != nil {
				return fail(audit.TroubleContent, err.Error())
			}
		}
		a.Body, a.Digest, a.Size = body, audit.DigestOf(body), int64(len(body))
		return a
	}
}

// served is what a test server answers: by path, "CONTENT-TYPE\nBODY"; a path that begins with -> leads elsewhere, =403 is a status.
type served map[string]string

func (s served) start(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := s[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(text, "->"):
			http.Redirect(w, r, strings.TrimPrefix(text, "->"), http.StatusFound)
		case text == "=403":
			w.WriteHeader(http.StatusForbidden)
		case text == "=500":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			kind, body, _ := strings.Cut(text, "\n")
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, strings.ReplaceAll(body, "HERE", "http://"+r.Host))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func world(server *httptest.Server) transparency.World {
	return transparency.World{Ask: askBy(server.Client()), At: now}
}

// repository is one in memory.
func repository(files map[string]string) func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
	return func(_ context.Context, url string) (*transparency.Repository, *audit.Trouble) {
		r := &transparency.Repository{URL: url, Commit: strings.Repeat("a", 40), CommitAt: now, Close: func() error { return nil }}
		for _, path := range sortedKeys(files) {
			r.Files = append(r.Files, transparency.File{Path: path, ID: path, Size: int64(len(files[path]))})
		}
		r.Read = func(_ context.Context, id string, limit int64) ([]byte, error) {
			return []byte(files[id][:min(int64(len(files[id])), limit)]), nil
		}
		return r, nil
	}
}

type ctx = context.Context

func asJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
