package openops

import (
	"context"
	"io"
	"net/http"
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
		seen := audit.Seen{URL: r.URL, At: judged}
		request, _ := http.NewRequestWithContext(ctx, "GET", r.URL, nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "the server cannot be reached"}
			return audit.Answer{Seen: seen}
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, r.Limit))
		switch {
		case response.StatusCode == http.StatusNotFound:
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the server says that there is nothing"}
			return audit.Answer{Seen: seen}
		case strings.Contains(string(body), `type="password"`):
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleLogin, Text: "the page asks for a login"}
			return audit.Answer{Seen: seen}
		}
		seen.Original = audit.DigestOf(body)
		body, _ = r.Redact(body)
		seen.Digest = audit.DigestOf(body)
		return audit.Answer{Seen: seen, Body: body}
	}
}

// signed is the list of the manifesto: the shape of _data/organizations.yml of SovereignCloudStack/open-operations-manifesto,
// with organisations and people of our own.
const signed = `founding:
  - name: Example
    logo: /assets/example.png
    url: "https://www.example.org"
    contributors:
      - name: Maria Muster
        role: Head of Operations
      - name: Jean Dupont
        role: CTO
supporting:
  - name: Second Cloud
    logo: /assets/second.png
    url: "https://cloud.second.example"
`

// opened is the world's repositories by address.
func opened(files map[string]string, counts map[string]transparency.Contributions, asked *[]string) func(context.Context, string) (*transparency.Repository, *audit.Trouble) {
	return func(_ context.Context, url string) (*transparency.Repository, *audit.Trouble) {
		if strings.HasSuffix(url, "/gone") {
			return nil, &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the server says that there is no such repository"}
		}
		if strings.HasSuffix(url, "/away") {
			return nil, &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "give a clone with --mirror"}
		}
		if asked != nil {
			*asked = append(*asked, url)
		}
		r := &transparency.Repository{URL: url, Commit: strings.Repeat("b", 40), SeenUntil: judged, Close: func() error { return nil }}
		for name := range files {
			r.Files = append(r.Files, transparency.File{Path: name, ID: name, Size: int64(len(files[name]))})
		}
		r.Read = func(_ context.Context, id string, _ int64) ([]byte, error) { return []byte(files[id]), nil }
		r.Contributions = func(context.Context, []string) (transparency.Contributions, error) { return counts[url], nil }
		return r, nil
	}
}
