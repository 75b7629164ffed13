package runbook

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// judged is the moment of all tests.
var judged = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// asking is a plain client: the guarded one belongs to a package that this one may not import.
func asking() audit.Ask {
	return func(ctx context.Context, r audit.Request) audit.Answer {
		seen := audit.Seen{URL: r.URL, At: judged, Headers: map[string]string{}}
		request, err := http.NewRequestWithContext(ctx, "GET", r.URL, nil)
		if err != nil {
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address cannot be asked"}
			return audit.Answer{Seen: seen}
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "the server cannot be reached"}
			return audit.Answer{Seen: seen}
		}
		defer response.Body.Close()
		for _, name := range []string{"Content-Type", "Last-Modified", "Date"} {
			seen.Headers[strings.ToLower(name)] = response.Header.Get(name)
		}
		seen.Status = response.StatusCode
		body, _ := io.ReadAll(io.LimitReader(response.Body, max(r.Limit, 1)))
		switch {
		case response.StatusCode == http.StatusNotFound:
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the server says that there is nothing"}
		case response.StatusCode == http.StatusUnauthorized, strings.Contains(string(body), `type="password"`):
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleLogin, Text: "the page asks for a login"}
		}
		if r.Redact != nil && seen.Trouble == nil {
			body, _ = r.Redact(body)
		}
		seen.Digest, seen.Size = audit.DigestOf(body), int64(len(body))
		if seen.Trouble != nil {
			body = nil
		}
		return audit.Answer{Seen: seen, Body: body}
	}
}

// repositoryOf is a repository of these files at a moment.
func repositoryOf(files map[string]string) *transparency.Repository {
	r := &transparency.Repository{
		URL: "https://git.example.org/ops/runbooks", Commit: strings.Repeat("a", 40), CommitAt: judged.AddDate(0, 0, -3), SeenUntil: judged,
		LastHuman: audit.Known(judged.AddDate(0, 0, -3)), Licence: audit.Known("Apache-2.0"), Close: func() error { return nil },
	}
	for name, text := range files {
		r.Files = append(r.Files, transparency.File{Path: name, ID: name, Size: int64(len(text))})
	}
	r.Read = func(_ context.Context, id string, limit int64) ([]byte, error) {
		if int64(len(files[id])) > limit {
			return nil, transparency.ErrTooLarge
		}
		return []byte(files[id]), nil
	}
	return r
}

func opening(r *transparency.Repository, trouble *audit.Trouble) func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
	return func(context.Context, string) (*transparency.Repository, *audit.Trouble) { return r, trouble }
}

func addressForTest(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	return u
}
