package forge

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// busyTale is a project with a thousand changes and a thousand issues in the last year, each answered.
func busyTale() *forgetest.Tale {
	x := tale()
	x.Proposals, x.Tickets = nil, nil
	people := []string{"ada", "bob", "cyd", "dee"}
	for i := range 1000 {
		opened := 360 - float64(i)*0.35
		author, other := people[i%4], people[(i+1)%4]
		x.Proposals = append(x.Proposals, forgetest.Proposal{Number: 1000 + i, Author: author, Merger: other, Opened: daysBefore(opened), Closed: daysBefore(opened - 2), Merged: i%10 != 0, Tested: true,
			Approvals: []forgetest.Said{{By: other, At: daysBefore(opened - 1)}}, Remarks: []forgetest.Said{{By: "zuul", At: daysBefore(opened - 0.5)}, {By: other, At: daysBefore(opened - 0.7)}}})
		x.Tickets = append(x.Tickets, forgetest.Ticket{Number: i + 1, Author: author, Opened: daysBefore(opened), Remarks: []forgetest.Said{{By: other, At: daysBefore(opened - 1)}}})
	}
	return x
}

// BenchmarkBusyProject reports what a project with a thousand changes and issues a year costs on each forge, fakes included:
// requests, bytes of answers, time. docs/forges.md has the numbers.
func BenchmarkBusyProject(b *testing.B) {
	x := busyTale()
	openstack, known := openStack()
	for name, c := range map[string]struct {
		project scoring.Project
		known   scoring.Evidence
		hosts   forgetest.Hosts
	}{
		"OpenDev": {openstack, known, forgetest.Hosts{
			"review.opendev.org": &forgetest.Gerrit{Tale: x, Project: "openstack/town"}, "zuul.opendev.org": &forgetest.Zuul{Tale: x, Tenant: "openstack", Project: "openstack/town"},
			"api.launchpad.net": &forgetest.Launchpad{Tale: x, Project: "town"}, "opendev.org": &forgetest.Gitea{Tale: x, Project: "openstack/town"}}},
		"GitLab": {scoring.Project{Repo: "https://gitlab.example.org/example/town"}, scoring.Evidence{}, forgetest.Hosts{"gitlab.example.org": &forgetest.GitLab{Tale: x, Project: "example/town"}}},
		"Gitea":  {scoring.Project{Repo: "https://git.example.org/example/town"}, scoring.Evidence{}, forgetest.Hosts{"git.example.org": &forgetest.Gitea{Tale: x, Project: "example/town"}}},
	} {
		b.Run(name, func(b *testing.B) {
			var calls, bytes atomic.Int64
			client := c.hosts.Client(b)
			client.Transport = scoring.Redacting{Next: counting{client.Transport, &calls, &bytes}, Names: scoring.NewPseudonymiser([]byte("key")), Now: taleAt}
			b.ReportAllocs()
			for b.Loop() {
				collector, err := New(Options{Client: client, At: taleAt(), Affiliate: affiliate, Services: services4tests()})
				if err != nil {
					b.Fatal(err)
				}
				e, err := collector.Collect(b.Context(), c.project, c.known)
				if w, ok := e.Changes.Get(); err != nil || !ok || w.Windows[2].Sample == 0 {
					b.Fatal(err, e.Changes.Failure)
				}
			}
			b.ReportMetric(float64(calls.Load())/float64(b.N), "requests/op")
			b.ReportMetric(float64(bytes.Load())/float64(b.N)/1e6, "MB-of-answers/op")
		})
	}
}

// counting counts requests and the bytes of their answers.
type counting struct {
	next         http.RoundTripper
	calls, bytes *atomic.Int64
}

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	c.calls.Add(1)
	if resp != nil {
		c.bytes.Add(int64(len(readAll(resp))))
	}
	return resp, err
}
