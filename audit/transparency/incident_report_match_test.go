package transparency

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func day(d, hour int) time.Time { return time.Date(2026, 5, d, hour, 0, 0, 0, time.UTC) }

func TestReportsAreMatchedByAddressThenIdThenTimeAndComponent(t *testing.T) {
	incidents := []Incident{
		{ID: "a1", URL: "https://status.example.org/incidents/a1", Begin: day(1, 8), End: day(1, 10), Components: []string{"Compute"}},
		{ID: "b2", Begin: day(2, 8), End: day(2, 10), Components: []string{"Compute"}, Report: "https://www.example.org/blog/b2/"},
		{ID: "c3", Begin: day(3, 8), End: day(3, 10), Components: []string{"Block storage"}},
		{ID: "d4", Begin: day(3, 9), End: day(3, 11), Components: []string{"Network"}},
		{ID: "e5", Begin: day(5, 8), End: day(5, 10)},
		{ID: "m6", Begin: day(6, 8), End: day(6, 10), Maintenance: true},
	}
	for _, c := range []struct {
		name   string
		report IncidentReport
		want   int
		by     string
	}{
		{"address in the report", IncidentReport{URL: "https://x.example.org/1", Incident: "http://status.example.org/incidents/a1/?x=1"}, 0, "address"},
		{"address on the page", IncidentReport{URL: "https://example.org/blog/b2"}, 1, "address"},
		{"id", IncidentReport{URL: "https://x.example.org/2", Incident: "#B2"}, 1, "id"},
		{"id at the end of another address", IncidentReport{URL: "https://x.example.org/2", Incident: "https://old-status.example.org/i/c3"}, 2, "id"},
		{"time and component", IncidentReport{URL: "https://x.example.org/3", Begin: day(3, 8), End: day(3, 10), Components: []string{"block storage (volumes)"}}, 2, "date and component"},
		{"time and component in the title", IncidentReport{URL: "https://x.example.org/4", Title: "Network failure", Begin: day(3, 9), End: day(3, 11)}, 3, "date and component"},
		{"time alone", IncidentReport{URL: "https://x.example.org/5", Begin: day(5, 0)}, 4, "date"},
		{"another zone", IncidentReport{URL: "https://x.example.org/5", Begin: day(5, 12), End: day(5, 13)}, 4, "date"},
		{"two at the same time", IncidentReport{URL: "https://x.example.org/6", Begin: day(3, 9), End: day(3, 10)}, -1, ""},
		{"another component", IncidentReport{URL: "https://x.example.org/7", Begin: day(1, 8), End: day(1, 9), Components: []string{"Images"}}, -1, ""},
		{"a maintenance", IncidentReport{URL: "https://x.example.org/8", Begin: day(6, 8), End: day(6, 9)}, -1, ""},
		{"no time", IncidentReport{URL: "https://x.example.org/9"}, -1, ""},
	} {
		m := Match(incidents, []IncidentReport{c.report})
		got, by := -1, ""
		if len(m.Matches) == 1 {
			got, by = m.Matches[0].Incident, m.Matches[0].By
		}
		if got != c.want || by != c.by {
			t.Errorf("%s: got %d by %q, want %d by %q", c.name, got, by, c.want, c.by)
		}
		if unclear := c.name == "two at the same time"; unclear != (len(m.Unclear) == 1) {
			t.Errorf("%s: got unclear %v", c.name, m.Unclear)
		}
	}
}

func TestAnAmbiguousReportIsSettledByTheOthers(t *testing.T) {
	incidents := []Incident{{ID: "1", Begin: day(3, 8), End: day(3, 10)}, {ID: "2", Begin: day(3, 9), End: day(3, 11)}}
	open := IncidentReport{URL: "https://x.example.org/open", Begin: day(3, 9), End: day(3, 10)}
	if m := Match(incidents, []IncidentReport{open}); len(m.Matches) != 0 || !slices.Equal(m.Unclear[0].Incidents, []int{0, 1}) {
		t.Fatalf("got %+v", m)
	}
	m := Match(incidents, []IncidentReport{open, {URL: "https://x.example.org/1", Incident: "1"}})
	if len(m.Matches) != 2 || len(m.Unclear) != 0 || m.Matches[1].Report != 0 {
		t.Errorf("got %+v", m)
	}
}

// Laws: nothing is matched twice, what is matched is not unclear, and the order of the reports changes nothing where every
// report names its incident.
func TestMatchingLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var incidents []Incident
		var reports []IncidentReport
		for i := range 1 + random.IntN(8) {
			begin := day(1+random.IntN(4), random.IntN(24))
			incidents = append(incidents, Incident{ID: fmt.Sprint("i", i), Begin: begin, End: begin.Add(time.Duration(random.IntN(5)) * time.Hour), Components: []string{[]string{"Compute", "Network"}[random.IntN(2)]}})
		}
		for i := range random.IntN(8) {
			r := IncidentReport{URL: fmt.Sprint("https://x.example.org/", i), Begin: day(1+random.IntN(4), random.IntN(24))}
			if random.IntN(3) == 0 {
				r.Incident = fmt.Sprint("i", random.IntN(8))
			}
			reports = append(reports, r)
		}
		m := Match(incidents, reports)
		usedIncident, usedReport := map[int]bool{}, map[int]bool{}
		for _, match := range m.Matches {
			if usedIncident[match.Incident] || usedReport[match.Report] || match.By == "" {
				t.Fatalf("matched twice or for no reason: %+v", m)
			}
			usedIncident[match.Incident], usedReport[match.Report] = true, true
		}
		for _, u := range m.Unclear {
			if usedReport[u.Report] || len(u.Incidents) < 2 || slices.ContainsFunc(u.Incidents, func(i int) bool { return usedIncident[i] }) {
				t.Fatalf("unclear and matched: %+v", m)
			}
		}
	}
}

func TestDelayIsCountedInWholeDays(t *testing.T) {
	end := day(1, 16)
	for _, c := range []struct {
		incident *Incident
		report   IncidentReport
		days     int
		known    bool
	}{
		{nil, IncidentReport{End: end, Published: day(1, 0)}, 0, true},
		{nil, IncidentReport{End: end, Published: day(4, 15)}, 2, true},
		{&Incident{Begin: day(2, 1), End: day(2, 2)}, IncidentReport{End: end, Published: day(4, 15)}, 2, true},
		{nil, IncidentReport{End: end}, 0, false},
		{nil, IncidentReport{Published: end}, 0, false},
		{nil, IncidentReport{Begin: day(9, 0), End: day(9, 1), Published: day(1, 0)}, 0, false},
	} {
		if days, known := DelayDays(c.incident, c.report); days != c.days || known != c.known {
			t.Errorf("%+v: got %d %v, want %d %v", c.report, days, known, c.days, c.known)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	var incidents []Incident
	var reports []IncidentReport
	for i := range 100_000 {
		begin := day(1, 0).Add(-time.Duration(i) * time.Hour)
		incidents = append(incidents, Incident{ID: fmt.Sprint(i), Begin: begin, End: begin.Add(time.Hour), Components: []string{"Compute"}})
	}
	for i := range 200 {
		reports = append(reports, IncidentReport{URL: fmt.Sprint("https://x.example.org/", i), Begin: day(1, 0).Add(-time.Duration(i*500) * time.Hour)})
	}
	for b.Loop() {
		Match(incidents, reports)
	}
}
