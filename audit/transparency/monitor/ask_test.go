package monitor_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// at is the moment that the tests judge. All series end near it.
func at() time.Time { return time.Date(2026, 11, 20, 12, 20, 0, 0, time.UTC) }

// asker asks over a plain client, and tells the troubles of a visitor that matter here.
type asker struct {
	offset  time.Duration // of the server's clock, as its date header says; where noDate is false
	noDate  bool
	asked   []string
	largest int
}

func (k *asker) ask(ctx context.Context, r audit.Request) audit.Answer {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	k.asked = append(k.asked, method+" "+r.URL)
	a := audit.Answer{Seen: audit.Seen{URL: r.URL, Method: method, At: at(), Headers: map[string]string{}}}
	trouble := func(kind, text string) audit.Answer {
		a.Trouble = &audit.Trouble{Kind: kind, Text: text}
		return a
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return trouble(audit.TroubleAddress, err.Error())
	}
	req.Header.Set("Accept", r.Accept)
	req.Header.Set("Content-Type", r.ContentType)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return trouble(audit.TroubleUnreachable, "nobody answers")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.Limit+1))
	if err != nil {
		return trouble(audit.TroubleUnreachable, "the answer ended early")
	}
	a.Status = resp.StatusCode
	k.largest = max(k.largest, len(body))
	a.Headers["content-type"] = resp.Header.Get("Content-Type")
	if !k.noDate {
		a.Headers["date"] = at().Add(k.offset).Format(http.TimeFormat)
	}
	html := strings.Contains(resp.Header.Get("Content-Type"), "html")
	switch {
	case int64(len(body)) > r.Limit:
		return trouble(audit.TroubleTooLarge, "the answer is too large")
	case resp.StatusCode/100 == 3:
		return trouble(audit.TroubleLogin, "the page sends visitors to a login")
	case resp.StatusCode == 404:
		return trouble(audit.TroubleNotFound, "there is nothing at this address")
	case resp.StatusCode == 401 || resp.StatusCode == 403:
		return trouble(audit.TroubleLogin, "the page asks for a login")
	case resp.StatusCode >= 300:
		return trouble(audit.TroubleServer, "the server answers "+resp.Status)
	case html && bytes.Contains(body, []byte(`type="password"`)):
		return trouble(audit.TroubleLogin, "the page asks for a login")
	case html && r.Accept == "application/json", r.Accept == "application/json" && strings.HasPrefix(resp.Header.Get("Content-Type"), "image/"):
		return trouble(audit.TroubleContent, "another kind of document came than was asked for")
	}
	if r.Redact != nil {
		if body, err = r.Redact(body); err != nil {
			return trouble(audit.TroubleContent, err.Error())
		}
	}
	a.Body, a.Size = body, int64(len(body))
	a.Digest = audit.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(body)))
	return a
}

// equal fails the test if two values differ.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
