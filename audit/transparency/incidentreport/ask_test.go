package incidentreport

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// at is the moment that the tests judge.
var at = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// ask is a simple Ask over a client, enough for servers of our own.
func ask(client *http.Client) audit.Ask {
	return func(ctx context.Context, r audit.Request) audit.Answer {
		seen := audit.Seen{URL: r.URL, At: at}
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil {
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: err.Error()}
			return audit.Answer{Seen: seen}
		}
		q.Header.Set("Accept", r.Accept)
		resp, err := client.Do(q)
		if err != nil {
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: err.Error()}
			return audit.Answer{Seen: seen}
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, r.Limit))
		seen.Status, seen.Headers = resp.StatusCode, map[string]string{"content-type": resp.Header.Get("Content-Type")}
		switch {
		case resp.StatusCode == http.StatusNotFound:
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "there is nothing at this address"}
			return audit.Answer{Seen: seen}
		case strings.Contains(string(body), `type="password"`):
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleLogin, Text: "the page asks for a login"}
			return audit.Answer{Seen: seen}
		}
		if r.Redact != nil {
			body, _ = r.Redact(body)
		}
		return audit.Answer{Seen: seen, Body: body}
	}
}
