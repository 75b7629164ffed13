package conformance

import (
	"context"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// now is the moment that the tests judge: a Wednesday.
var now = time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)

// askOf answers as a visitor does: over HTTP, or from files by the last element of the address.
func askOf(t testing.TB, files map[string]string) audit.Ask {
	t.Helper()
	return func(ctx context.Context, r audit.Request) audit.Answer {
		a := audit.Answer{Seen: audit.Seen{URL: r.URL, At: now, Headers: map[string]string{}}}
		var body []byte
		if name, handed := strings.CutPrefix(r.URL, handedBase); handed {
			name, _, _ = strings.Cut(path.Base(name), "?")
			text, has := files[name]
			if a.Handed = name; !has {
				a.Handed, a.Trouble = "", &audit.Trouble{Kind: audit.TroubleNotHanded, Text: name + " is not among the files that were handed over"}
				return a
			}
			body = []byte(text)
		} else if body = overHTTP(t, ctx, r, &a); a.Trouble != nil {
			return a
		}
		if r.Redact != nil {
			redacted, err := r.Redact(body)
			if err != nil {
				a.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: err.Error()}
				return a
			}
			body = redacted
		}
		if r.Limit > 0 && int64(len(body)) > r.Limit {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleTooLarge, Text: "the answer is too large"}
			return a
		}
		a.Body, a.Digest, a.Size = body, audit.DigestOf(body), int64(len(body))
		return a
	}
}

func overHTTP(t testing.TB, ctx context.Context, r audit.Request, a *audit.Answer) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "*/*")
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleUnreachable, Text: "nobody answers there"}
		return nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a.Status = res.StatusCode
	a.Headers["date"] = res.Header.Get("Date")
	html := strings.Contains(res.Header.Get("Content-Type"), "html")
	switch {
	case res.StatusCode == 401 || res.StatusCode == 403 || html && strings.Contains(string(body), "password"):
		a.Trouble = &audit.Trouble{Kind: audit.TroubleLogin, Text: "the page asks for a login"}
	case res.StatusCode == 404:
		a.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "there is nothing at this address"}
	case res.StatusCode != 200:
		a.Trouble = &audit.Trouble{Kind: audit.TroubleServer, Text: "the server answers " + res.Status}
	case html && r.Accept != "":
		a.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer is a page, not what was asked for"}
	}
	return body
}
