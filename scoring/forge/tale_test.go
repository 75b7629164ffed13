package forge

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// taleAt is the moment of assessment of the tale.
func taleAt() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// daysBefore is a moment of the tale.
func daysBefore(n float64) time.Time {
	return taleAt().Add(-time.Duration(n * 24 * float64(time.Hour)))
}

// tale is a project of three people of two organisations, one of nobody's organisation, and two machines. Of the changes
// merged in 12 months two of three were approved by somebody else, and one was merged by its author unseen.
func tale() *forgetest.Tale {
	said := func(by string, days float64) []forgetest.Said {
		return []forgetest.Said{{By: by, At: daysBefore(days)}}
	}
	return &forgetest.Tale{
		At:     taleAt(),
		Labels: []string{"bug", "good-first-issue"},
		Core:   []string{"ada", "bob", "cyd"},
		Proposals: []forgetest.Proposal{
			{Number: 101, Author: "ada", Merger: "bob", Opened: daysBefore(10), Closed: daysBefore(8), Merged: true, Approvals: said("bob", 9), Remarks: said("zuul", 9.9), Tested: true},
			{Number: 102, Author: "bob", Merger: "cyd", Opened: daysBefore(20), Closed: daysBefore(15), Merged: true, Approvals: said("cyd", 17), Tested: true},
			{Number: 103, Author: "cyd", Merger: "cyd", Opened: daysBefore(200), Closed: daysBefore(199), Merged: true, Approvals: said("cyd", 199.5)}, // approved by nobody else
			{Number: 104, Author: "renovate-bot", Merger: "ada", Opened: daysBefore(30), Closed: daysBefore(29), Merged: true, Tested: true},
			{Number: 105, Author: "dee", Opened: daysBefore(40), Closed: daysBefore(5)}, // given up, nobody answered
			{Number: 106, Author: "dee", Opened: daysBefore(3), Remarks: said("ada", 1)},
			{Number: 107, Author: "bob", Merger: "ada", Opened: daysBefore(500), Closed: daysBefore(490), Merged: true, Approvals: said("ada", 495), Tested: true},
		},
		Tickets: []forgetest.Ticket{
			{Number: 1, Author: "dee", Opened: daysBefore(400), Closed: daysBefore(100)},
			{Number: 2, Author: "dee", Opened: daysBefore(300)},
			{Number: 3, Author: "ada", Opened: daysBefore(60), Remarks: said("bob", 58)},
			{Number: 4, Author: "dee", Opened: daysBefore(6), Remarks: said("zuul", 5)}, // only a machine answered
		},
		Builds: []forgetest.Build{
			{Ended: daysBefore(8), Result: "SUCCESS"}, {Ended: daysBefore(15), Result: "FAILURE"}, {Ended: daysBefore(29), Result: "SUCCESS"},
			{Ended: daysBefore(30), Result: "ABORTED"}, {Ended: daysBefore(200), Result: "FAILURE"},
		},
		Releases: []forgetest.Release{{Tag: "v1.1.0", At: daysBefore(30), Files: []string{"town.tar.gz", "town.tar.gz.asc", "town.spdx.json", "SHA256SUMS"}}, {Tag: "v1.0.0", At: daysBefore(400)}},
	}
}

// affiliate knows organisations by the host of an address.
func affiliate(address string, _ time.Time) (string, bool) {
	_, host, _ := strings.Cut(address, "@")
	switch host {
	case "one.example":
		return "One", true
	case "two.example":
		return "Two", true
	}
	return "", false
}

// collect asks hosts about a project and returns the evidence, and everything that passed the redaction.
func collect(t *testing.T, hosts forgetest.Hosts, p scoring.Project, known scoring.Evidence, change func(*Options)) (scoring.Evidence, string) {
	t.Helper()
	client := hosts.Client(t)
	var seen strings.Builder
	client.Transport = recording{scoring.Redacting{Next: client.Transport, Names: scoring.NewPseudonymiser([]byte("key of this test")), Now: taleAt}, &seen}
	o := Options{Client: client, At: taleAt(), Affiliate: affiliate, Now: taleAt, Services: services4tests()}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	known.AssessedAt = taleAt()
	e, err := c.Collect(t.Context(), p, known)
	if err != nil {
		t.Fatal(err)
	}
	return e, seen.String()
}

// services4tests are hosts that no table knows.
func services4tests() map[string]string {
	return map[string]string{"gitlab.example.org": "gitlab", "git.example.org": "gitea", "review.example.org": "gerrit"}
}

// recording keeps what came out of the redaction.
type recording struct {
	next http.RoundTripper
	seen *strings.Builder
}

func (r recording) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if resp != nil {
		body := readAll(resp)
		r.seen.WriteString(body + "\n")
	}
	return resp, err
}

// value returns what is known, or ends the test with the reason.
func value[T any](t *testing.T, what string, f audit.Fact[T]) T {
	t.Helper()
	v, ok := f.Get()
	if !ok {
		t.Fatalf("%s is not known: %s (%s)", what, f.Failure, f.Settle)
	}
	return v
}
