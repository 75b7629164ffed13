package monitor_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/monitor"
)

func collect(t *testing.T, k *asker, target transparency.Target) transparency.Artifact {
	t.Helper()
	target.Kind = transparency.KindMonitor
	return monitor.Collect(context.Background(), target, transparency.World{Ask: k.ask, At: at()})
}

// outage is six hours of trouble nine days ago.
func outage(moment time.Time) bool {
	begin := time.Date(2026, 11, 11, 6, 0, 0, 0, time.UTC)
	return !moment.Before(begin) && moment.Before(begin.Add(6*time.Hour))
}

// sunday is true on three days within the reach.
func maintenance(moment time.Time) bool {
	day := moment.Format(time.DateOnly)
	return day == "2026-11-01" || day == "2026-11-02" || day == "2026-10-30"
}

// complete checks what a monitor with forty days of samples, three days of silence and one outage has to show.
func complete(t *testing.T, a transparency.Artifact, k *asker, age time.Duration) {
	t.Helper()
	if a.Trouble != nil {
		t.Fatalf("trouble %s: %s; looks %v", a.Trouble.Kind, a.Trouble.Text, k.asked)
	}
	m := a.Monitor
	if got := at().Add(-age).Sub(m.Newest); got < 0 || got > time.Minute {
		t.Errorf("newest sample: got %v, want %v", m.Newest, at().Add(-age))
	}
	for name, s := range map[string]transparency.Series{"errors": m.Errors, "latency": m.Latency} {
		equal(t, name+": days", s.Days, m.Reach-3)
		equal(t, name+": days without", strings.Join(s.Missing, " "), "2026-10-30 2026-11-01 2026-11-02")
		if s.From.After(at().AddDate(0, 0, 1-m.Reach)) {
			t.Errorf("%s begin at %v", name, s.From)
		}
	}
	if len(m.Outages) != 1 {
		t.Fatalf("outages: got %v, want one", m.Outages)
	}
	o := m.Outages[0]
	if begin := time.Date(2026, 11, 11, 6, 0, 0, 0, time.UTC); o.Begin.Sub(begin).Abs() > time.Hour || o.End.Sub(begin.Add(6*time.Hour)).Abs() > time.Hour {
		t.Errorf("outage from %v to %v, want six hours from %v", o.Begin, o.End, begin)
	}
	equal(t, "share at the worst", o.Share, 5000)
	if len(k.asked) > 12 || k.largest > 200_000 {
		t.Errorf("%d questions, largest answer %d bytes; want few and small", len(k.asked), k.largest)
	}
	if len(a.Seen) != len(k.asked) {
		t.Errorf("%d looks written down, %d made", len(a.Seen), len(k.asked))
	}
}

func samples(cloud string, age time.Duration) series {
	return series{cloud: cloud, age: age, without: maintenance, outage: outage}
}

func TestAPrometheusOfDebianIsRead(t *testing.T) {
	base := startPrometheus(t, samples("plus", 3*time.Minute).healthMonitor(false))
	for _, address := range []string{base, base + "/graph?g0.expr=up", base + "/api/v1/query?query=up"} {
		k := &asker{}
		a := collect(t, k, transparency.Target{URL: address})
		complete(t, a, k, 3*time.Minute)
		if !strings.HasPrefix(a.Monitor.Software, "prometheus API 2.") {
			t.Errorf("software: got %q", a.Monitor.Software)
		}
	}
	t.Run("a cloud that it does not know is not found", func(t *testing.T) {
		a := collect(t, &asker{}, transparency.Target{URL: base, Name: "other"})
		equal(t, "trouble", a.Trouble.Kind, audit.TroubleNotFound)
	})
}

func TestAPushgatewayThatRepeatsTheLastRunIsNotFresh(t *testing.T) {
	dead := at().Add(-5 * 24 * time.Hour)
	s := samples("plus", 3*time.Minute)
	s.pushed = func(shown time.Time) time.Time {
		if shown.After(dead) {
			return dead
		}
		return shown.Add(-time.Minute)
	}
	k := &asker{}
	a := collect(t, k, transparency.Target{URL: startPrometheus(t, s.healthMonitor(false))})
	if a.Trouble != nil {
		t.Fatal(a.Trouble.Text)
	}
	equal(t, "newest", a.Monitor.Newest, dead)
	equal(t, "errors: last day", a.Monitor.Errors.Missing[len(a.Monitor.Errors.Missing)-1], "2026-11-20")
}

func TestAVictoriaMetricsOfDebianIsRead(t *testing.T) {
	// Another cloud beside it is fresher and was never silent: it must not be taken for this one.
	base := startVictoria(t, samples("plus", 3*time.Minute).healthMonitor(true)+series{cloud: "other"}.healthMonitor(true))
	k := &asker{}
	complete(t, collect(t, k, transparency.Target{URL: base, Name: "plus"}), k, 3*time.Minute)
}

func TestAnInfluxDBOfDebianIsRead(t *testing.T) {
	lines := samples("plus-pco", 3*time.Minute).lineProtocol()
	base := startInflux(t, lines+"cpu,host=a usage_idle=3 1700000000\n")
	k := &asker{}
	a := collect(t, k, transparency.Target{URL: base})
	complete(t, a, k, 3*time.Minute)
	equal(t, "others", strings.Join(a.Monitor.Unknown, " "), "cicd.cpu")
	k = &asker{}
	complete(t, collect(t, k, transparency.Target{URL: base + "/query?db=cicd", Adapter: "influxdb", Name: "plus-pco"}), k, 3*time.Minute)

	t.Run("of several clouds one has to be named", func(t *testing.T) {
		send(t, base+"/write?db=cicd&precision=s", "text/plain", []byte("gx-scs,cmd=nova,method=list duration=1,return_code=0 1700000000\n"))
		a := collect(t, &asker{}, transparency.Target{URL: base})
		equal(t, "trouble", a.Trouble.Kind, audit.TroubleNotNamed)
		if !strings.Contains(a.Trouble.Settle, "gx-scs") {
			t.Errorf("what would settle it: %s", a.Trouble.Settle)
		}
	})
	t.Run("nothing was written", func(t *testing.T) {
		for _, address := range k.asked {
			if !strings.HasPrefix(address, http.MethodGet) {
				t.Errorf("asked by %s", address)
			}
		}
	})
}

// collectWith collects and shows each answer to see.
func collectWith(t *testing.T, k *asker, see func(audit.Answer) audit.Answer, target transparency.Target) transparency.Artifact {
	t.Helper()
	target.Kind = transparency.KindMonitor
	return monitor.Collect(context.Background(), target, transparency.World{At: at(), Ask: func(ctx context.Context, r audit.Request) audit.Answer {
		return see(k.ask(ctx, r))
	}})
}

func offlineArtifact() transparency.Artifact {
	return monitor.Collect(context.Background(), transparency.Target{Kind: transparency.KindMonitor, URL: "https://monitor.example.org"}, transparency.World{At: at()})
}

// handed collects from one file, as the visitor hands it over: the first question gets it, all others nothing.
func handed(t *testing.T, body string) transparency.Artifact {
	t.Helper()
	asked := 0
	return monitor.Collect(context.Background(), transparency.Target{Kind: transparency.KindMonitor, File: "monitor.json"}, transparency.World{At: at(), Ask: func(_ context.Context, r audit.Request) audit.Answer {
		a := audit.Answer{Seen: audit.Seen{URL: r.URL, Handed: "monitor.json", At: at()}}
		if asked++; asked > 1 {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "not among the files"}
			return a
		}
		a.Body = []byte(body)
		return a
	}})
}
