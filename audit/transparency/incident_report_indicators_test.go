package transparency

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func reportRule() audit.TransparencyRule {
	return audit.TransparencyRule{Numbers: map[string]int{"severity": 34, "after_days": 30, "window_months": 12, "share_bp": 8000, "parts": 4, "days": 30}}
}

func reportIndicator(t *testing.T, id string) Indicator {
	t.Helper()
	for _, i := range incidentReportIndicators() {
		if i.ID == id {
			return i
		}
	}
	t.Fatalf("there is no indicator %s", id)
	return Indicator{}
}

// cloud is a status page and reports, judged on 1 July 2026.
func cloud(page *StatusPage, reports ...IncidentReport) Question {
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	if reports == nil {
		reports = []IncidentReport{}
	}
	own := Artifact{Target: Target{Kind: KindIncidentReports}, Seen: []audit.Seen{{URL: "https://example.org/reports", At: at}}, IncidentReports: &IncidentReports{Reports: reports}}
	e := Evidence{AssessedAt: at, Artifacts: []Artifact{own}}
	if page != nil {
		e.Artifacts = append(e.Artifacts, Artifact{Target: Target{Kind: KindStatusPage}, Seen: []audit.Seen{{URL: "https://status.example.org", At: at}}, StatusPage: page})
	}
	return Question{Artifacts: []Artifact{own}, Evidence: e, Rule: reportRule()}
}

func incident(n, day int, severity int) Incident {
	begin := time.Date(2026, 4, day, 8, 0, 0, 0, time.UTC)
	i := Incident{ID: fmt.Sprint("i", n), URL: fmt.Sprint("https://status.example.org/incidents/i", n), Begin: begin, End: begin.Add(time.Hour)}
	if severity >= 0 {
		i.Severity = &severity
	}
	return i
}

func whole(n int) IncidentReport {
	return IncidentReport{
		URL: fmt.Sprint("https://example.org/reports/", n), Incident: fmt.Sprint("i", n), Parts: []string{"summary", "impact", "timeline", "root-cause"},
		Begin: time.Date(2026, 4, n, 8, 0, 0, 0, time.UTC), End: time.Date(2026, 4, n, 9, 0, 0, 0, time.UTC), Published: time.Date(2026, 4, n+5, 9, 0, 0, 0, time.UTC),
	}
}

func page(incidents ...Incident) *StatusPage {
	return &StatusPage{Incidents: incidents, Complete: true, HistoryFrom: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func TestGraveIncidentsNeedAReport(t *testing.T) {
	part := page(incident(1, 1, 10))
	part.Complete, part.HistoryFrom = false, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	named := incident(2, 2, 100)
	named.Report = "https://example.org/unread"
	words := incident(1, 1, -1)
	words.Impact = "major"
	fresh := incident(9, 1, 100)
	fresh.Begin, fresh.End = time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 20, 1, 0, 0, 0, time.UTC)
	open := incident(9, 1, 100)
	open.Open, open.End = true, time.Time{}
	old := incident(9, 1, 100)
	old.Begin, old.End = old.Begin.AddDate(-2, 0, 0), old.End.AddDate(-2, 0, 0)
	shared := IncidentReport{URL: "https://example.org/reports/shared", Begin: incident(1, 1, 0).Begin}
	together := incident(2, 1, 100)
	for _, c := range []struct {
		name string
		q    Question
		want audit.Outcome
		says string
	}{
		{"all have one", cloud(page(incident(1, 1, 100), incident(2, 2, 66)), whole(1), whole(2)), audit.PASS, "2 of 2 incidents"},
		{"one of two has none", cloud(page(incident(1, 1, 100), incident(2, 2, 66)), whole(1)), audit.FAIL, "1 of 2 incidents"},
		{"none has one", cloud(page(incident(1, 1, 100))), audit.FAIL, "0 of 1"},
		{"a small one needs none", cloud(page(incident(1, 1, 33))), audit.NA, "there was no incident of severity 34"},
		{"a maintenance needs none", cloud(page(incident(1, 1, 0))), audit.NA, "there was no incident"},
		{"one that is over for ten days needs none yet", cloud(page(fresh)), audit.NA, "no incident"},
		{"an open one needs none yet", cloud(page(open)), audit.NA, "no incident"},
		{"one of two years ago is forgotten", cloud(page(old)), audit.NA, "no incident"},
		{"no incident at all", cloud(page()), audit.NA, "no incident"},
		{"no incident on a page that shows a part", cloud(part), audit.DNF, "only a part"},
		{"the words of Statuspage say how grave", cloud(page(words), whole(1)), audit.PASS, "1 of 1"},
		{"nobody says how grave, no report", cloud(page(incident(1, 1, -1))), audit.DNF, "nobody states the severity"},
		{"nobody says how grave, but it has one", cloud(page(incident(1, 1, -1)), whole(1)), audit.PASS, "1 of them have a report"},
		{"one of unknown severity cannot spoil many", cloud(page(incident(1, 1, 100), incident(2, 2, 100), incident(3, 3, 100), incident(4, 4, 100), incident(5, 5, -1)), whole(1), whole(2), whole(3), whole(4)), audit.PASS, "4 of 4"},
		{"one of unknown severity cannot mend many", cloud(page(incident(1, 1, 100), incident(2, 2, 100), incident(5, 5, -1)), whole(5)), audit.FAIL, "0 of 2"},
		{"the page names a report that could not be read", cloud(page(named)), audit.DNF, "cannot be told"},
		{"one report fits two incidents, one of which has none then", cloud(page(incident(1, 1, 100), together), shared), audit.FAIL, "of 2 it cannot be told"},
		{"no status page", cloud(nil, whole(1)), audit.DNF, "no status page"},
	} {
		m := reportIndicator(t, "IR-01").Measure(c.q)
		if m.Outcome != c.want || !strings.Contains(m.Reason, c.says) {
			t.Errorf("%s: got %v, %q; want %v with %q", c.name, m.Outcome, m.Reason, c.want, c.says)
		}
		if (m.Outcome == audit.FAIL || m.Outcome == audit.DNF) && len(m.Settle) == 0 {
			t.Errorf("%s: nothing says what would settle it", c.name)
		}
		if len(m.Origins) == 0 {
			t.Errorf("%s: no origin", c.name)
		}
	}
}

func TestReportsAreCompleteWithPartsTimesAndIncident(t *testing.T) {
	few, endless, nameless, by := whole(2), whole(3), whole(4), whole(5)
	few.Parts = few.Parts[:3]
	endless.End = time.Time{}
	nameless.Incident = ""
	by.Incident = ""
	linked := incident(5, 5, 100)
	linked.Report = by.URL
	for _, c := range []struct {
		name string
		q    Question
		want audit.Outcome
		says string
	}{
		{"whole ones", cloud(page(), whole(1), whole(2)), audit.PASS, "2 of 2"},
		{"without a status page", cloud(nil, whole(1)), audit.PASS, "1 of 1"},
		{"too few parts", cloud(page(), few), audit.FAIL, "too few parts"},
		{"no end", cloud(page(), endless), audit.FAIL, "began and ended"},
		{"no incident", cloud(page(), nameless), audit.FAIL, "do not name the incident"},
		{"matched by time is not named", cloud(page(incident(4, 4, 100)), nameless), audit.FAIL, "do not name the incident"},
		{"the status page names it", cloud(page(linked), by), audit.PASS, "1 of 1"},
		{"none, and nothing happened", cloud(page()), audit.NA, "no incident"},
		{"none, and something happened", cloud(page(incident(1, 1, 100))), audit.NA, "IR-01"},
		{"none, and no status page", cloud(nil), audit.DNF, "no status page"},
	} {
		m := reportIndicator(t, "IR-02").Measure(c.q)
		if m.Outcome != c.want || !strings.Contains(m.Reason, c.says) {
			t.Errorf("%s: got %v, %q; want %v with %q", c.name, m.Outcome, m.Reason, c.want, c.says)
		}
	}
}

func TestReportsComeSoon(t *testing.T) {
	late, undated, future := whole(2), whole(3), whole(4)
	late.Published = late.End.AddDate(0, 0, 40)
	undated.Published = time.Time{}
	future.Published = time.Date(2026, 7, 1, 13, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		q    Question
		want audit.Outcome
		says string
	}{
		{"soon", cloud(page(), whole(1)), audit.PASS, "1 of 1"},
		{"late", cloud(page(), late), audit.FAIL, "the slowest took 40 days"},
		{"no date", cloud(page(), undated), audit.DNF, "not known"},
		{"a date in the future is not believed", cloud(page(), future), audit.DNF, "not known"},
		{"one of two late", cloud(page(), whole(1), late), audit.FAIL, "1 of 2"},
		{"none", cloud(nil), audit.DNF, "no status page"},
	} {
		m := reportIndicator(t, "IR-03").Measure(c.q)
		if m.Outcome != c.want || !strings.Contains(m.Reason, c.says) {
			t.Errorf("%s: got %v, %q; want %v with %q", c.name, m.Outcome, m.Reason, c.want, c.says)
		}
	}
}

// The number of incidents never lowers a result: where every incident has its report, one or a thousand make no difference.
func TestTheNumberOfIncidentsNeverLowers(t *testing.T) {
	var incidents []Incident
	var reports []IncidentReport
	for n := range 1000 {
		i := incident(n, 1, 100)
		i.Begin, i.End = i.Begin.Add(-time.Duration(n)*time.Hour), i.End.Add(-time.Duration(n)*time.Hour)
		r := whole(1)
		r.URL, r.Incident, r.Begin, r.End, r.Published = fmt.Sprint("https://example.org/reports/", n), i.ID, i.Begin, i.End, i.End.Add(time.Hour)
		incidents, reports = append(incidents, i), append(reports, r)
	}
	for _, i := range incidentReportIndicators() {
		if m := i.Measure(cloud(page(incidents...), reports...)); m.Outcome != audit.PASS {
			t.Errorf("%s: got %v, %q", i.ID, m.Outcome, m.Reason)
		}
	}
}

// Taking a fact away never turns an answer into PASS, and a rule without its numbers passes nothing.
func TestLessKnownNeverPasses(t *testing.T) {
	for _, i := range incidentReportIndicators() {
		bare := cloud(page(incident(1, 1, 100)), whole(1))
		if m := i.Measure(bare); m.Outcome != audit.PASS {
			t.Fatalf("%s: got %v, %q", i.ID, m.Outcome, m.Reason)
		}
		for name := range reportRule().Numbers {
			q := bare
			q.Rule = reportRule()
			delete(q.Rule.Numbers, name)
			if m := i.Measure(q); m.Outcome == audit.PASS && slices.Contains(numbersOf(i.ID), name) {
				t.Errorf("%s passes without the number %s", i.ID, name)
			}
		}
	}
	for what, q := range map[string]Question{
		"report":   cloud(page(incident(1, 1, 100))),
		"severity": cloud(page(incident(1, 1, -1))),
	} {
		for _, i := range incidentReportIndicators() {
			if m := i.Measure(q); m.Outcome == audit.PASS {
				t.Errorf("%s passes without %s", i.ID, what)
			}
		}
	}
}

func numbersOf(id string) []string {
	return map[string][]string{"IR-01": {"severity", "after_days", "window_months", "share_bp"}, "IR-02": {"parts", "share_bp", "window_months"}, "IR-03": {"days", "share_bp", "window_months"}}[id]
}
