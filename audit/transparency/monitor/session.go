package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// session is one look at one monitor.
type session struct {
	ctx      context.Context
	ask      audit.Ask
	target   transparency.Target
	at       time.Time // the moment that is judged
	base     *url.URL  // nil if the address cannot be read
	artifact *transparency.Artifact
	left     int // requests that may still be made
}

func newSession(ctx context.Context, t transparency.Target, w transparency.World) *session {
	s := &session{ctx: ctx, ask: w.Ask, target: t, at: w.At.UTC(), left: mostAsks, artifact: &transparency.Artifact{Target: t}}
	if u, err := url.Parse(t.URL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		u.Fragment, u.RawFragment = "", ""
		s.base = u
	}
	return s
}

// from is the begin of the first day that is asked for.
func (s *session) from() time.Time {
	return s.at.Truncate(24*time.Hour).AddDate(0, 0, 1-reachDays)
}

// to is the end of what is asked for.
func (s *session) to() time.Time { return s.at.Add(ahead).Truncate(time.Second) }

// visit sends one request and writes down the look.
func (s *session) visit(r audit.Request) audit.Answer {
	if s.left <= 0 {
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Trouble: &audit.Trouble{
			Kind: audit.TroubleTooLarge, Text: fmt.Sprintf("more than %d questions would be needed", mostAsks), Settle: "name one dashboard instead of the whole server",
		}}}
	}
	s.left--
	if r.Limit == 0 {
		r.Limit = bodyLimit
	}
	a := s.ask(s.ctx, r)
	s.artifact.Seen = append(s.artifact.Seen, a.Seen)
	if a.Handed != "" {
		s.artifact.Handed = true
	}
	return a
}

// get asks for a JSON document at a path below a base.
func (s *session) get(base *url.URL, path string, query url.Values) audit.Answer {
	u := *base
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+path, ""
	u.RawQuery = query.Encode()
	return s.visit(audit.Request{URL: u.String(), Accept: "application/json", Redact: redact})
}

// post sends a JSON question to a path below a base.
func (s *session) post(base *url.URL, path string, body any) audit.Answer {
	u := *base
	u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(u.Path, "/")+path, "", ""
	data, err := json.Marshal(body)
	if err != nil {
		return audit.Answer{Seen: audit.Seen{URL: u.String(), Trouble: unreadable("the question cannot be written as JSON")}}
	}
	return s.visit(audit.Request{
		Method: http.MethodPost, URL: u.String(), Accept: "application/json", Body: data, ContentType: "application/json", Redact: redact,
	})
}

// decode reads a JSON answer.
func decode(a audit.Answer, into any) *audit.Trouble {
	if a.Trouble != nil {
		return a.Trouble
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return unreadable("the answer is no JSON of the expected shape")
	}
	return nil
}

func unreadable(text string) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleContent, Text: text, Settle: "look at the kept answer, and name the software under adapter:"}
}

// note writes down what a reader has to know, once.
func (s *session) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(s.artifact.Notes, text) {
		s.artifact.Notes = append(s.artifact.Notes, text)
	}
}

// clean makes a stranger's text fit to show: no control or format characters, bounded.
func clean(text string, most int) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
