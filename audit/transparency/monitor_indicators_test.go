package transparency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

func monitorLook() time.Time { return time.Date(2026, 11, 20, 12, 20, 0, 0, time.UTC) }

// monitorArtifact is a monitor that shows everything, seen three minutes after its newest sample.
func monitorArtifact(change func(*transparency.Monitor)) transparency.Artifact {
	series := transparency.Series{Names: []string{"api"}, From: monitorLook().AddDate(0, 0, -34), To: monitorLook(), Days: 35, Values: 800}
	m := transparency.Monitor{
		Software: "grafana 11.2.0", Panels: 4, Newest: monitorLook().Add(-3 * time.Minute), Looked: monitorLook(), Reach: 35, Errors: series, Latency: series,
	}
	if change != nil {
		change(&m)
	}
	return transparency.Artifact{
		Target: transparency.Target{Kind: transparency.KindMonitor}, Seen: []audit.Seen{{URL: "https://monitor.example.org", At: monitorLook()}}, Monitor: &m,
	}
}

func monitorRules() audit.TransparencyRules {
	return audit.TransparencyRules{
		Public: map[string][]string{"public": {transparency.KindMonitor}},
		Indicators: map[string]audit.TransparencyRule{
			"HM-01": {Numbers: map[string]int{"freshness_hours": 24, "future_seconds": 300}},
			"HM-02": {Numbers: map[string]int{"window_days": 30, "days_with_samples": 27}},
		},
	}
}

func judgeMonitors(artifacts ...transparency.Artifact) map[string]transparency.Result {
	e := transparency.Evidence{Exposure: "public", AssessedAt: monitorLook(), Artifacts: artifacts}
	out := map[string]transparency.Result{}
	for _, r := range transparency.Judge(e, transparency.Context{}, monitorRules()) {
		out[r.Indicator.ID] = r
	}
	return out
}

func missingDays(n int) []string {
	var out []string
	for i := range n {
		out = append(out, monitorLook().AddDate(0, 0, -i).Format(time.DateOnly))
	}
	return out
}

func TestMonitorIndicators(t *testing.T) {
	trouble := func(kind string) transparency.Artifact {
		a := monitorArtifact(nil)
		a.Monitor, a.Trouble = nil, &audit.Trouble{Kind: kind, Text: "the page asks for a login", Settle: "open it"}
		return a
	}
	region := func(name string, a transparency.Artifact) transparency.Artifact { a.Region = name; return a }
	tests := []struct {
		name   string
		given  []transparency.Artifact
		hm01   audit.Outcome
		hm02   audit.Outcome
		reason string // in the reason of HM-01 or HM-02
	}{
		{"a monitor that shows everything", []transparency.Artifact{monitorArtifact(nil)}, audit.PASS, audit.PASS, "3 minutes before the look"},
		{"nobody named one", nil, audit.MISS, audit.MISS, "nobody said where it is"},
		{"a login page", []transparency.Artifact{trouble(audit.TroubleLogin)}, audit.FAIL, audit.FAIL, "login"},
		{"a server that did not answer", []transparency.Artifact{trouble(audit.TroubleTimeout)}, audit.DNF, audit.DNF, ""},
		{"a newest sample of 24 hours", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().Add(-24 * time.Hour) })}, audit.PASS, audit.PASS, "24 hours before the look"},
		{"a newest sample a second older", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().Add(-24*time.Hour - time.Second) })}, audit.FAIL, audit.PASS, "at most 24 hours"},
		{"a stale monitor", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().AddDate(0, 0, -5) })}, audit.FAIL, audit.PASS, "5 days before the look"},
		{"a sample five minutes ahead", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().Add(5 * time.Minute) })}, audit.PASS, audit.PASS, ""},
		{"a sample six minutes ahead", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().Add(6 * time.Minute) })}, audit.DNF, audit.PASS, "in the future"},
		{"a server two hours ahead with samples of its clock", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest, m.Skew = monitorLook().Add(2*time.Hour), 7200 })}, audit.PASS, audit.PASS, "2 hours ahead"},
		{"a stored answer of five days ago gains nothing by its date", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest, m.Skew = monitorLook().AddDate(0, 0, -5), -5*86400 })}, audit.FAIL, audit.PASS, "5 days behind, or the answer was stored"},
		{"empty panels", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) {
			m.Newest, m.Errors, m.Latency = time.Time{}, transparency.Series{}, transparency.Series{}
		})}, audit.FAIL, audit.FAIL, "its panels are empty"},
		{"panels that could not be read", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) {
			m.Newest, m.Errors, m.Latency, m.Failed = time.Time{}, transparency.Series{}, transparency.Series{}, 2
		})}, audit.DNF, audit.DNF, "could not be read"},
		{"series of unknown meaning", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) {
			m.Errors, m.Latency, m.Unknown = transparency.Series{}, transparency.Series{}, []string{"Panel 1"}
		})}, audit.PASS, audit.DNF, "Panel 1"},
		{"errors without response times", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Latency = transparency.Series{} })}, audit.PASS, audit.FAIL, "no response times are shown"},
		{"response times without errors", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Errors = transparency.Series{} })}, audit.PASS, audit.FAIL, "no error rates are shown"},
		{"values that never change", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = time.Time{} })}, audit.DNF, audit.PASS, "constant"},
		{"three days without a sample", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Errors.Missing = missingDays(3) })}, audit.PASS, audit.PASS, "on 27 of the last 30 days"},
		{"four days without a sample", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Errors.Missing = missingDays(4) })}, audit.PASS, audit.FAIL, "on 26 of the last 30 days"},
		{"days without a sample before the window", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) {
			m.Errors.Missing = []string{"2026-10-17", "2026-10-18", "2026-10-19", "2026-10-20", "2026-10-21"}
		})}, audit.PASS, audit.PASS, "on 30 of the last 30 days"},
		{"a history of 28 days", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Latency.From = monitorLook().AddDate(0, 0, -27) })}, audit.PASS, audit.FAIL, "since 2026-10-24"},
		{"a store of exactly thirty days", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Latency.From = monitorLook().AddDate(0, 0, -30) })}, audit.PASS, audit.PASS, ""},
		{"two monitors of one cloud, one stale", []transparency.Artifact{monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().AddDate(0, 0, -5) }), monitorArtifact(nil)}, audit.PASS, audit.PASS, ""},
		{"two regions, one stale", []transparency.Artifact{region("north", monitorArtifact(nil)), region("south", monitorArtifact(func(m *transparency.Monitor) { m.Newest = monitorLook().AddDate(0, 0, -5) }))}, audit.FAIL, audit.PASS, "region south: "},
		{"two regions, one behind a login", []transparency.Artifact{region("north", monitorArtifact(nil)), region("south", trouble(audit.TroubleLogin))}, audit.FAIL, audit.FAIL, "region south: "},
		{"two regions, one not named", []transparency.Artifact{region("north", monitorArtifact(nil)), region("south", trouble(audit.TroubleNotNamed))}, audit.MISS, audit.MISS, "region south: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judgeMonitors(tt.given...)
			for id, want := range map[string]audit.Outcome{"HM-01": tt.hm01, "HM-02": tt.hm02} {
				r := got[id]
				if r.Outcome != want {
					t.Errorf("%s: got %v (%s), want %v", id, r.Outcome, r.Reason, want)
				}
				if r.Reason == "" || r.Outcome != audit.PASS && len(r.Settle) == 0 {
					t.Errorf("%s: reason %q, what would settle it %q", id, r.Reason, r.Settle)
				}
				if len(tt.given) > 0 && (len(r.Origins) == 0 || r.Observed.IsZero()) {
					t.Errorf("%s: nobody can follow it: %+v", id, r)
				}
			}
			if both := got["HM-01"].Reason + "\n" + got["HM-02"].Reason; !strings.Contains(both, tt.reason) {
				t.Errorf("reasons %q, want %q", both, tt.reason)
			}
		})
	}
}

func TestErrorsThatAMonitorShowsLowerNothing(t *testing.T) {
	quiet := judgeMonitors(monitorArtifact(nil))
	loud := judgeMonitors(monitorArtifact(func(m *transparency.Monitor) {
		for i := range 100 {
			m.Outages = append(m.Outages, transparency.Outage{Begin: monitorLook().Add(-time.Duration(i) * time.Hour), End: monitorLook(), Share: 10000})
		}
	}))
	for _, id := range []string{"HM-01", "HM-02"} {
		if quiet[id].Outcome != loud[id].Outcome || quiet[id].Reason != loud[id].Reason {
			t.Errorf("%s: %v without errors, %v with errors", id, quiet[id], loud[id])
		}
	}
}

// Taking a fact away never makes an answer better than it was.
func TestTakingAFactOfAMonitorAwayNeverPassesWhatDidNotPass(t *testing.T) {
	knock := map[string]func(*transparency.Monitor){
		"newest":  func(m *transparency.Monitor) { m.Newest = time.Time{} },
		"errors":  func(m *transparency.Monitor) { m.Errors = transparency.Series{} },
		"latency": func(m *transparency.Monitor) { m.Latency = transparency.Series{} },
		"reach":   func(m *transparency.Monitor) { m.Reach = 0 },
		"looked":  func(m *transparency.Monitor) { m.Looked = time.Time{} },
	}
	worse := map[string]func(*transparency.Monitor){
		"stale":  func(m *transparency.Monitor) { m.Newest = monitorLook().AddDate(0, 0, -5) },
		"future": func(m *transparency.Monitor) { m.Newest = monitorLook().AddDate(0, 0, 5) },
		"gaps":   func(m *transparency.Monitor) { m.Errors.Missing, m.Latency.Missing = missingDays(20), missingDays(20) },
		"failed": func(m *transparency.Monitor) { m.Errors, m.Errors.Failed = transparency.Series{Failed: 1}, 1 },
	}
	for bad, spoil := range worse {
		before := judgeMonitors(monitorArtifact(spoil))
		for fact, take := range knock {
			after := judgeMonitors(monitorArtifact(func(m *transparency.Monitor) { spoil(m); take(m) }))
			for _, id := range []string{"HM-01", "HM-02"} {
				if before[id].Outcome != audit.PASS && after[id].Outcome == audit.PASS {
					t.Errorf("%s: %s is %v with %s and passes without", id, bad, before[id].Outcome, fact)
				}
			}
		}
	}
}
