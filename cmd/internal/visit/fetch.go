package visit

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// fetch asks for a page, once in a run for each address, media type and limit. What is posted is asked each time.
func (v *Visitor) fetch(ctx context.Context, r audit.Request, address *url.URL) fetched {
	if r.Method == http.MethodPost {
		return v.follow(ctx, r, address)
	}
	key := address.String() + "\n" + r.Accept + "\n" + strconv.FormatInt(v.limit(r), 10)
	f, ok := v.memo.do(ctx, key, func() (fetched, bool) {
		f := v.follow(ctx, r, address)
		if f.trouble != nil && f.trouble.Kind == audit.TroubleInterrupted {
			return f, false
		}
		return f, v.size.take(int64(len(f.body)) + mostURL)
	})
	if !ok {
		f.trouble = interrupted()
	}
	return f
}

// follow asks for a page and goes after its redirects, each of which is checked like the first address.
func (v *Visitor) follow(ctx context.Context, r audit.Request, address *url.URL) fetched {
	f := fetched{final: address, at: v.now()}
	method, body := http.MethodGet, []byte(nil)
	if r.Method == http.MethodPost {
		method, body = r.Method, r.Body
	}
	passed := map[string]bool{}
	for range mostRedirects + 1 {
		delay, trouble := v.permitted(ctx, f.final)
		if trouble != nil {
			f.trouble = trouble
			return f
		}
		passed[f.final.String()] = true
		e := v.exchange(ctx, question{method: method, address: f.final, accept: r.Accept, body: body, contentType: r.ContentType,
			limit: v.limit(r), delay: delay})
		f.status, f.header, f.at, f.body, f.trouble = e.status, e.header, e.at, e.body, e.trouble
		location := e.header.Get("Location")
		if f.trouble != nil || !redirects(e.status) || location == "" {
			return f
		}
		next, trouble := redirected(f.final, location)
		if trouble == nil && passed[next.String()] && (method == http.MethodGet || e.status >= http.StatusTemporaryRedirect) {
			trouble = &audit.Trouble{Kind: audit.TroubleRedirects, Text: "the redirects lead in a circle; it may be a page that wants cookies",
				Settle: "make the page readable without cookies"}
		}
		if trouble != nil {
			f.trouble = trouble
			return f
		}
		f.final = next
		if e.status < http.StatusTemporaryRedirect { // 301, 302 and 303 go on with GET, as browsers do
			method, body = http.MethodGet, nil
		}
	}
	f.trouble = &audit.Trouble{Kind: audit.TroubleRedirects, Text: "more than " + strconv.Itoa(mostRedirects) + " redirects follow each other",
		Settle: "name the address that they lead to"}
	return f
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirected returns the address that a redirect leads to, or why nobody goes there.
func redirected(from *url.URL, location string) (*url.URL, *audit.Trouble) {
	next, err := from.Parse(location)
	if err != nil {
		return nil, &audit.Trouble{Kind: audit.TroubleRedirects, Text: "it redirects to an address that cannot be read"}
	}
	if from.Scheme == "https" && next.Scheme == "http" {
		return nil, &audit.Trouble{Kind: audit.TroubleRedirects, Text: "it redirects from https to http, where anybody on the way could change the page",
			Settle: "redirect to https"}
	}
	if who, ok := loginAddress(next, from); ok {
		return nil, &audit.Trouble{Kind: audit.TroubleLogin, Text: "it redirects to a login (" + who + ")", Settle: settleLogin}
	}
	to, trouble := parse(next.String())
	if trouble != nil {
		trouble.Text = "it redirects to an address that is not asked: " + trouble.Text
		trouble.Settle = "redirect to a public page"
	}
	return to, trouble
}

// question is one exchange with one server.
type question struct {
	method      string
	address     *url.URL
	accept      string
	body        []byte
	contentType string
	limit       int64
	cut         bool          // what is longer than the limit is cut there
	delay       time.Duration // since the last one with this host
}

// exchange asks one server one thing, when its turn comes. Redirects are not followed.
func (v *Visitor) exchange(ctx context.Context, q question) (f fetched) {
	f = fetched{final: q.address, at: v.now()}
	h := v.hosts.of(q.address.Hostname())
	if err := h.take(ctx, q.delay); err != nil {
		f.trouble = interrupted()
		return f
	}
	defer h.leave()
	if f.at = v.now(); f.at.Before(h.until) {
		f.trouble = &audit.Trouble{Kind: audit.TroubleServer, Text: "the server asked to come back later (429), so it was not asked again",
			Settle: "run it again after " + h.until.Format(time.RFC3339)}
		return f
	}
	if h.slow >= mostSlow {
		f.trouble = &audit.Trouble{Kind: audit.TroubleTimeout, Settle: "run it again",
			Text: fmt.Sprintf("%s gave no whole answer in time for %d pages in a row, so it was not asked again", q.address.Hostname(), mostSlow)}
		return f
	}
	limited, cancel := context.WithTimeout(ctx, v.opt.Timeout)
	defer cancel()
	defer func() { h.note(f.trouble) }()
	req, err := http.NewRequestWithContext(limited, q.method, q.address.String(), bytes.NewReader(q.body))
	if err != nil {
		f.trouble = &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address cannot be asked"}
		return f
	}
	if q.method == http.MethodGet {
		req.Body, req.ContentLength, req.GetBody = nil, 0, nil
	} else if q.contentType != "" {
		req.Header.Set("Content-Type", q.contentType)
	}
	req.Header.Set("User-Agent", v.opt.Agent)
	req.Header.Set("Accept", orAny(q.accept))
	req.Header.Set("Accept-Encoding", "gzip") // named, so that package http leaves the unpacking to us
	resp, err := v.client.Do(req)
	if err != nil {
		f.trouble = v.failed(ctx, err, q.address)
		v.opt.Log.Debug("asked in vain", "url", masked(q.address), "trouble", f.trouble.Kind)
		return f
	}
	defer resp.Body.Close()
	f.status, f.header = resp.StatusCode, resp.Header
	v.opt.Log.Debug("asked", "url", masked(q.address), "status", f.status)
	if f.status == http.StatusTooManyRequests {
		h.until = f.at.Add(pause(resp.Header, f.at))
	}
	if redirects(f.status) && resp.Header.Get("Location") != "" {
		return f
	}
	switch f.trouble = refused(f.status, resp.Header); {
	case f.trouble != nil: // what it says beside is kept if it is short
		if body, trouble := unpacked(resp, min(q.limit, mostRefusal), false); trouble == nil {
			f.body = body
		}
	default:
		f.body, f.trouble = unpacked(resp, q.limit, q.cut)
		if f.trouble == nil {
			break
		}
		if why := ctx.Err(); why != nil {
			f.trouble = interrupted()
		} else if limited.Err() != nil {
			f.trouble = v.slow(q.address)
		}
	}
	return f
}

func orAny(accept string) string {
	if accept == "" {
		return "*/*"
	}
	return accept
}
