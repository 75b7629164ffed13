package forgetest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// Tale is the little history of a project that all fakes but GitHub's can tell: what differs between their answers is
// what the services differ in. All people are made up and live at example.org hosts.
type Tale struct {
	At        time.Time // the moment of assessment
	Proposals []Proposal
	Tickets   []Ticket
	Builds    []Build
	Releases  []Release
	Labels    []string
	Core      []string // who may approve
}

// Proposal is a proposed change. Machines are "zuul", "renovate-bot" and the like.
type Proposal struct {
	Number         int
	Author, Merger string
	Opened, Closed time.Time // Closed is zero while it is open
	Merged         bool
	Approvals      []Said
	Remarks        []Said
	Tested         bool
}

// Ticket is an issue.
type Ticket struct {
	Number         int
	Author         string
	Opened, Closed time.Time
	Remarks        []Said
}

// Said is something somebody said.
type Said struct {
	By string
	At time.Time
}

// Build is a run of CI that ended.
type Build struct {
	Ended     time.Time
	Result    string // SUCCESS, FAILURE, ABORTED
	NonVoting bool
}

// freeText stands in every fixture where a service puts free text. It must never be seen behind the redaction.
const freeText = "SECRET free text with ada@one.example in it"

// FreeText is the text in all titles, comments and failures of the tale.
func FreeText() string { return freeText }

// touched is when a proposal was last changed.
func (p Proposal) touched() time.Time {
	last := p.Opened
	for _, s := range slices.Concat(p.Approvals, p.Remarks) {
		if s.At.After(last) {
			last = s.At
		}
	}
	if p.Closed.After(last) {
		last = p.Closed
	}
	return last
}

func (t Ticket) touched() time.Time {
	last := t.Opened
	for _, s := range t.Remarks {
		if s.At.After(last) {
			last = s.At
		}
	}
	if t.Closed.After(last) {
		last = t.Closed
	}
	return last
}

// proposals returns those that are wanted, those last touched first.
func (t *Tale) proposals(want func(Proposal) bool) []Proposal {
	var list []Proposal
	for _, p := range t.Proposals {
		if want(p) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b Proposal) int { return b.touched().Compare(a.touched()) })
	return list
}

// page cuts a list as services with numbered pages do.
func page[T any](list []T, number, size int) []T {
	if number < 1 {
		number = 1
	}
	from := min((number-1)*size, len(list))
	return list[from:min(from+size, len(list))]
}

// Address is the made-up address of somebody.
func Address(who string) string {
	switch who {
	case "ada", "bob":
		return who + "@one.example"
	case "cyd":
		return who + "@two.example"
	}
	return who + "@mail.example" // nobody's organisation
}

// Machine says whether an account of the tale is a program.
func Machine(who string) bool { return who == "zuul" || strings.HasSuffix(who, "bot") }

// Hosts are servers by host name, in one process.
type Hosts map[string]http.Handler

// Client returns a client that reaches the servers by their names, whatever the scheme, and no other host.
func (h Hosts) Client(t testing.TB) *http.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handler, ok := h[r.Host]; ok {
			handler.ServeHTTP(w, r)
			return
		}
		http.Error(w, "no such host", http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	return &http.Client{Transport: towards(server.URL)}
}

// towards sends every request to one server, which finds the host that was meant in the request.
type towards string

// RoundTrip sends a request.
func (to towards) RoundTrip(req *http.Request) (*http.Response, error) {
	target, err := url.Parse(string(to))
	if err != nil {
		return nil, err
	}
	c := req.Clone(req.Context())
	c.Host, c.URL.Scheme, c.URL.Host = req.URL.Host, target.Scheme, target.Host
	resp, err := http.DefaultTransport.RoundTrip(c)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// object is a JSON object.
type object = map[string]any

// rfc writes a time as most services do; nil for none.
func rfc(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// GitHub tells the tale as a repository of the fake GitHub.
func (t *Tale) GitHub(owner, name string) *Repo {
	who := func(login string) Who { return Who{Login: login, Bot: Machine(login)} }
	r := &Repo{Owner: owner, Name: name, Organisation: true, Branch: "main", Licence: "Apache-2.0", Labels: t.Labels, Releases: t.Releases, Stars: 3, Forks: 2, Created: t.At.AddDate(-4, 0, 0),
		Rules: []Rule{{Type: "NON_FAST_FORWARD"}, {Type: "PULL_REQUEST", Approvals: 1}, {Type: "REQUIRED_STATUS_CHECKS"}}}
	for _, p := range t.Proposals {
		pull := Pull{Created: p.Opened, Updated: p.touched(), Author: who(p.Author)}
		if p.Merged {
			pull.Merged, pull.MergedBy = p.Closed, who(p.Merger)
		} else {
			pull.Closed = p.Closed
		}
		for _, a := range p.Approvals {
			pull.Approvals = append(pull.Approvals, who(a.By))
			pull.Remarks = append(pull.Remarks, Remark{At: a.At, By: who(a.By), Review: true})
		}
		for _, s := range p.Remarks {
			pull.Remarks = append(pull.Remarks, Remark{At: s.At, By: who(s.By)})
		}
		if p.Tested {
			pull.Checks = "SUCCESS"
		}
		r.Pulls = append(r.Pulls, pull)
	}
	for _, k := range t.Tickets {
		issue := Issue{Created: k.Opened, Updated: k.touched(), Closed: k.Closed, Author: who(k.Author)}
		for _, s := range k.Remarks {
			issue.Comments = append(issue.Comments, Remark{At: s.At, By: who(s.By)})
		}
		r.Issues = append(r.Issues, issue)
	}
	for _, b := range t.Builds {
		conclusion := map[string]string{"SUCCESS": "success", "FAILURE": "failure", "ABORTED": "cancelled"}[b.Result]
		r.Runs = append(r.Runs, Run{Conclusion: conclusion, Event: "push", Created: b.Ended})
	}
	return r
}

// Handler serves the fake GitHub under the names of its hosts.
func (g *GitHub) Handler() http.Handler { return http.HandlerFunc(g.serve) }
