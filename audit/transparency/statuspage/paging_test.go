package statuspage

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// listOf writes n elements of a JSON list.
func listOf(n int, element func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(i))
	}
	return "[" + b.String() + "]"
}

func hoursAgo(n int) string { return at.Add(-time.Duration(n) * time.Hour).Format(time.RFC3339) }

func TestPagesAreReadToTheirBoundAndThenTheOldest(t *testing.T) {
	const pages = 60
	a := answers{"/v2/components": `[{"id":1,"name":"Compute","attributes":[]}]`}
	for n := 1; n <= pages; n++ {
		events := listOf(stackmonPage, func(i int) string {
			return fmt.Sprintf(`{"id":%d,"title":"E","impact":1,"components":[1],"start_date":%q,"end_date":%q,"type":"incident","updates":[{"id":0,"status":"resolved","timestamp":%q}],"status":"resolved"}`,
				n*1000+i, hoursAgo(n*240+1), hoursAgo(n*240), hoursAgo(n*240))
		})
		a[fmt.Sprintf("/v2/events?page=%d&limit=50", n)] = fmt.Sprintf(`{"data":%s,"pagination":{"totalPages":%d}}`, events, pages)
	}
	artifact := collect(t, a, "", "stackmon")
	page := page1(t, artifact)
	if page.Complete || page.IncidentsSeen != (mostPages+1)*stackmonPage {
		t.Errorf("complete=%v, %d read", page.Complete, page.IncidentsSeen)
	}
	if want := day(hoursAgo(pages*240 + 1)); !page.HistoryFrom.Equal(want) {
		t.Errorf("history from %v, want %v", page.HistoryFrom, want)
	}
	if !strings.Contains(strings.Join(artifact.Notes, " "), "there are more") {
		t.Errorf("notes %q", artifact.Notes)
	}
}

func TestAllPagesOfCachetAreReadAndAnEndlessOneStops(t *testing.T) {
	a := answers{"/api/v1/components": `{"data":[{"id":1,"name":"API","status":1}]}`, "/api/v1/schedules": `{"data":[]}`}
	endless := func(pages int) string {
		return fmt.Sprintf(`{"meta":{"pagination":{"total_pages":%d}},"data":[{"id":1,"name":"A","status":4,"occurred_at":"2026-01-01 00:00:00"}]}`, pages)
	}
	a["/api/v1/incidents"] = endless(1 << 30)
	artifact := collect(t, a, "", "")
	if page := page1(t, artifact); page.IncidentsSeen != 1 || page.Complete || len(artifact.Seen) > mostTried+mostAddresses {
		t.Errorf("%d read, complete=%v, %d looks", page.IncidentsSeen, page.Complete, len(artifact.Seen))
	}
	a["/api/v1/incidents"] = endless(3)
	artifact = collect(t, a, "", "")
	asked := 0
	for _, s := range artifact.Seen {
		if strings.Contains(s.URL, "/api/v1/incidents") {
			asked++
		}
	}
	if page := page1(t, artifact); !page.Complete || asked != 3 {
		t.Errorf("complete=%v after %d pages", page.Complete, asked)
	}
}

func TestIncidentsBeyondTheNewestFiftyOfStatuspageAreListed(t *testing.T) {
	a, _ := recorded(t, "statuspage")
	newest := listOf(statuspageList, func(i int) string {
		return fmt.Sprintf(`{"id":"n%d","name":"N","status":"resolved","impact":"minor","created_at":%q,"resolved_at":%q,"components":[{"name":"Compute"}],"incident_updates":[{"status":"resolved","created_at":%q}]}`,
			i, hoursAgo(i*24+2), hoursAgo(i*24+1), hoursAgo(i*24+1))
	})
	a["/api/v2/incidents.json"] = `{"incidents":` + newest + `}`
	a["/history.json?page=1"] = `{"components":[],"months":[{"name":"November","year":2026,"incidents":[{"code":"n1","name":"N","message":"","impact":"minor","timestamp":"Nov <var data-var='date'>24</var>, <var data-var='time'>05:00</var> UTC"}]},{"name":"June","year":2025,"incidents":[{"code":"old","name":"Old","message":"","impact":"major","timestamp":"Jun <var data-var='date'> 3</var>, <var data-var='time'>05:00</var> - <var data-var='time'>07:00</var> CEST"}]}]}`
	a["/history.json?page=2"] = `{"components":[],"months":[]}`
	artifact := collect(t, a, "", "")
	page := page1(t, artifact)
	if page.Complete || page.HistoryFrom != day("2025-06-03T05:00:00Z") {
		t.Errorf("complete=%v history from %v", page.Complete, page.HistoryFrom)
	}
	last := page.Incidents[len(page.Incidents)-1]
	if last.ID != "old" || !last.Listed || !strings.HasSuffix(last.URL, "/incidents/old") {
		t.Errorf("last %+v", last)
	}
	delete(a, "/history.json?page=1")
	artifact = collect(t, a, "", "")
	if page := page1(t, artifact); page.Complete || !strings.Contains(strings.Join(artifact.Notes, " "), "history of older incidents") {
		t.Errorf("complete=%v notes %q", page.Complete, artifact.Notes)
	}
}

func TestOnlyTheNewestMaintenancesOfSCSAreAskedWhenTheyWereAnnounced(t *testing.T) {
	a, _ := recorded(t, "scs")
	list := listOf(scsAnnounced+5, func(i int) string {
		a[fmt.Sprintf("/incidents/m%d/updates", i)] = fmt.Sprintf(`{"data":[{"order":0,"createdAt":%q}]}`, hoursAgo(i*48+200))
		return fmt.Sprintf(`{"id":"m%d","displayName":"M","beganAt":%q,"endedAt":%q,"affects":[{"reference":"7fecf595-6352-4906-a0d8-b3243ee62ec8","severity":0}],"updates":[0]}`, i, hoursAgo(i*48+2), hoursAgo(i*48+1))
	})
	for ref := range a {
		if strings.HasPrefix(ref, "/incidents?") {
			a[ref] = `{"data":` + list + `}`
		}
	}
	artifact := collect(t, a, "", "")
	page := page1(t, artifact)
	announced, listed := 0, 0
	for _, i := range page.Incidents {
		if !i.Announced.IsZero() {
			announced++
		}
		if i.Listed {
			listed++
		}
	}
	if announced != scsAnnounced || listed != 5 || len(artifact.Seen) > scsAnnounced+10 {
		t.Errorf("%d announced, %d listed, %d looks", announced, listed, len(artifact.Seen))
	}
}

func TestSCSIsAskedForBothEndsOfItsWindow(t *testing.T) {
	a, _ := recorded(t, "scs")
	artifact := collect(t, a, "", "")
	for _, s := range artifact.Seen {
		u, err := url.Parse(s.URL)
		if err == nil && u.Path == "/incidents" {
			start, end := u.Query().Get("start"), u.Query().Get("end")
			if day(start) != at.AddDate(0, -24, 0) || !day(end).After(at) {
				t.Errorf("from %s to %s", start, end)
			}
			return
		}
	}
	t.Error("incidents were not asked for")
}

func TestWhatStatuspalShowsInItsSummaryIsReadWhereTheListIsClosed(t *testing.T) {
	a, _ := recorded(t, "statuspal")
	for ref := range a {
		if strings.Contains(ref, "/incidents") {
			delete(a, ref)
		}
	}
	a["/api/v2/status_pages/example/summary"] = strings.Replace(a["/api/v2/status_pages/example/summary"], `"incidents":[]`,
		`"incidents":[{"id":9,"title":"Now","type":"minor","url":"{{base}}/incidents/9","starts_at":"2026-11-26T07:00:00","ends_at":null,"service_ids":[12],"updates":[{"posted_at":"2026-11-26T07:01:00"}]}]`, 1)
	page := page1(t, collect(t, a, "/api/v2/status_pages/example/summary", ""))
	if page.Complete || len(page.Incidents) != 1 || page.Incidents[0].Components[0] != "Zone A DNS" || page.SaysNone {
		t.Errorf("%+v", page)
	}
}

func TestAFeedIsFoundByItsLinkAndAtTheUsualPlaces(t *testing.T) {
	a, _ := recorded(t, "rss")
	feed := a["/history.rss"]
	for ref, a := range map[string]answers{
		"/history.rss": {"/": "<!doctype html>", "/history.rss": feed},
		"/feed":        {"/": "<!doctype html>", "/feed": feed},
		"/x/y.xml":     {"/": `<!doctype html><LINK href='/x/y.xml' type="application/rss+xml" rel=alternate>`, "/x/y.xml": feed},
		"/":            {"/": feed},
	} {
		artifact := collect(t, a, "", "")
		page := page1(t, artifact)
		found := false
		for _, s := range artifact.Seen {
			u, _ := url.Parse(s.URL)
			found = found || s.Trouble == nil && ("/"+strings.TrimPrefix(u.Path, "/")) == ref
		}
		if page.Software != "feed" || page.IncidentsSeen != 1 || !found {
			t.Errorf("%s: %s with %d entries, found=%v", ref, page.Software, page.IncidentsSeen, found)
		}
	}
}

func TestAnEndOfTheRunEndsTheLook(t *testing.T) {
	a, _ := recorded(t, "statuspage")
	s := serve(t, a)
	plain := ask(s.Client())
	artifact := Collect(t.Context(), transparency.Target{URL: s.URL}, transparency.World{At: at, Ask: func(_ context.Context, r audit.Request) audit.Answer {
		answer := plain(t.Context(), r)
		answer.Body = nil
		answer.Trouble = &audit.Trouble{Kind: audit.TroubleInterrupted, Text: "the run ended"}
		return answer
	}})
	if artifact.Trouble == nil || artifact.Trouble.Kind != audit.TroubleInterrupted || len(artifact.Seen) != 1 {
		t.Errorf("%+v after %d looks", artifact.Trouble, len(artifact.Seen))
	}
}
