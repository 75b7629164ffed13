package visit

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// answer judges what a server sent, drops what it says about persons and keeps the rest.
func (v *Visitor) answer(ctx context.Context, r audit.Request, seen audit.Seen, f fetched) audit.Answer {
	seen.At, seen.Status, seen.Headers, seen.Trouble = f.at, f.status, mattering(f.header), f.trouble
	if final := masked(f.final); final != seen.URL {
		seen.Final = final
	}
	media := mediaType(f.header.Get("Content-Type"))
	if seen.Trouble == nil {
		seen.Trouble = readable(r.Accept, media, f.body, f.final)
	}
	seen.Trouble = copied(seen.Trouble)
	return keeper{keep: v.opt.Keep, log: v.opt.Log}.kept(ctx, r, seen, f.body, audit.Blob{
		Kind: "raw", Name: line(f.final.Hostname()+pathOf(seen), 300), MediaType: mediaOr(media, f.body), Source: shown(seen),
		Origin: audit.Origin{Source: "visit", URL: shown(seen), At: f.at},
	})
}

// copied returns a trouble of its own for each answer, since answers are given again.
func copied(t *audit.Trouble) *audit.Trouble {
	if t == nil {
		return nil
	}
	c := *t
	return &c
}

func shown(s audit.Seen) string {
	if s.Final != "" {
		return s.Final
	}
	return s.URL
}

// pathOf is the path of an address as it may be shown.
func pathOf(s audit.Seen) string {
	u, err := url.Parse(shown(s))
	if err != nil {
		return ""
	}
	return u.Path
}

// readable says why a success is not what was asked for: nothing came, a login came, or another kind of document.
func readable(accept, media string, body []byte, at *url.URL) *audit.Trouble {
	if len(strings.TrimSpace(string(body[:min(len(body), 4096)]))) == 0 && len(body) <= 4096 {
		return &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer is empty", Settle: "show something there"}
	}
	if isHTML(media, body) {
		if t := loginPage(body, at); t != nil {
			return t
		}
	}
	return wrongKind(accept, media, body)
}

// mattering are the headers that stand in evidence. Cookies never do.
func mattering(header http.Header) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"Content-Type", "Content-Encoding", "Date", "Last-Modified", "Etag", "Age", "Expires", "Link", "Location", "Retry-After"} {
		value := header.Get(name)
		if value == "" {
			continue
		}
		if name == "Location" {
			value = Masked(value)
		}
		if name == "Link" {
			value = linkTarget.ReplaceAllStringFunc(value, func(s string) string { return "<" + Masked(s[1:len(s)-1]) + ">" })
		}
		out[strings.ToLower(name)] = line(value, 1000)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// mediaOr is the type under which bytes are kept.
func mediaOr(media string, body []byte) string {
	if media != "" {
		return media
	}
	switch sniffed(body) {
	case formHTML:
		return "text/html"
	case formJSON:
		return "application/json"
	case formXML:
		return "application/xml"
	}
	return "application/octet-stream"
}
