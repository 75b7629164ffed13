package thirdparty

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// mostPages bounds the pages of one question; a page of the API has up to 1,000 records.
const mostPages = 20

// osvQuery asks for all advisories of a package, whatever the version.
// Source: POST /v1/query of the OSV API; repositories are packages of the ecosystem GIT there.
type osvQuery struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	PageToken string `json:"page_token,omitempty"`
}

type osvAnswer struct {
	Vulns []record `json:"vulns"`
	Next  string   `json:"next_page_token,omitempty"`
}

// query asks the API of OSV for the records of packages and repositories.
func (c *Collector) query(ctx context.Context, a *asker, wanted []wish) (found, error) {
	out := found{}
	for _, w := range wanted {
		var q osvQuery
		q.Package.Name, q.Package.Ecosystem = w.name, w.ecosystem
		for page := 0; ; page++ {
			v, ans, err := ask[osvAnswer](ctx, a, OSV, http.MethodPost, "/v1/query", q)
			if errors.Is(err, errNoSuchEntry) {
				out.gaps = append(out.gaps, w.ecosystem+" "+w.name+", which OSV does not know")
				break
			}
			if err != nil {
				return found{}, err
			}
			out.observed = earlier(out.observed, a.at(ans.origin))
			if len(out.origins) < mostOrigins {
				out.origins = append(out.origins, ans.origin)
			}
			for _, r := range v.Vulns {
				if r.plausible() {
					out.records = append(out.records, r)
				} else {
					out.gaps = append(out.gaps, "record "+clip(r.ID)+", which nobody could read")
				}
			}
			if q.PageToken = v.Next; q.PageToken == "" {
				break
			}
			if page+1 == mostPages {
				out.gaps = append(out.gaps, "further pages about "+w.name)
				break
			}
		}
	}
	return out, nil
}

// earlier is the earlier of two moments; the zero moment is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
