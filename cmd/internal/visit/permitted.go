package visit

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// permitted says whether robots.txt of a server lets us ask for an address, and how long to wait between two requests. The
// file is fetched once for each server.
func (v *Visitor) permitted(ctx context.Context, u *url.URL) (time.Duration, *audit.Trouble) {
	server := u.Scheme + "://" + u.Host
	rules, ok := v.robots.do(ctx, server, func() (robots, bool) {
		r := v.fetchRobots(ctx, u)
		return r, r.trouble == nil || r.trouble.Kind != audit.TroubleInterrupted
	})
	if !ok {
		return 0, interrupted()
	}
	if rules.trouble != nil {
		return 0, rules.trouble
	}
	if rule, denied := rules.denied(u.RequestURI()); denied {
		return 0, &audit.Trouble{Kind: audit.TroubleRobots,
			Text:   fmt.Sprintf("robots.txt of %s asks programs to stay away from there (line %d: Disallow: %s)", u.Hostname(), rule.line, line(rule.text, 200)),
			Settle: "allow it to the user agent Pegel in robots.txt, or hand the page over as a file"}
	}
	return rules.delay, nil
}

// fetchRobots asks for robots.txt by RFC 9309, section 2.3: what is not there allows everything, also if a redirect leads
// nowhere; a server that fails allows nothing. The trouble is that of the server.
func (v *Visitor) fetchRobots(ctx context.Context, u *url.URL) robots {
	address := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	for range mostRedirects + 1 {
		f := v.exchange(ctx, question{method: http.MethodGet, address: address, accept: "text/plain, */*;q=0.1", limit: mostRobots, cut: true})
		if f.trouble == nil && redirects(f.status) {
			next, trouble := redirected(address, f.header.Get("Location"))
			if trouble != nil {
				return robots{}
			}
			address = next
			continue
		}
		return robotsOf(f)
	}
	return robots{}
}

func robotsOf(f fetched) robots {
	switch {
	case f.trouble == nil:
		return parseRobots(f.body)
	case f.status >= 500 || f.status == http.StatusTooManyRequests:
		f.trouble = &audit.Trouble{Kind: audit.TroubleServer,
			Text:   fmt.Sprintf("%s answers %d when asked for robots.txt, and until that can be read, programs stay away", f.final.Hostname(), f.status),
			Settle: "run it again when the server is mended"}
		return robots{fetched: f}
	case f.status >= 300 && f.status < 500, f.trouble.Kind == audit.TroubleContent:
		return robots{}
	}
	return robots{fetched: f}
}
