package monitor

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"
	"time"
)

// testdata/frames-sdk.json was written by the encoder of grafana/grafana-plugin-sdk-go v0.298.0 from values of ours: null, NaN
// and a query that failed among them.
func TestFramesAsGrafanaWritesThemAreRead(t *testing.T) {
	data, err := os.ReadFile("testdata/frames-sdk.json")
	if err != nil {
		t.Fatal(err)
	}
	var answer framesAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatal(err)
	}
	lines := answer.lines()
	if len(lines) != 2 || len(lines[0]) != 1 || len(lines[1]) != 3 {
		t.Fatalf("lines: %v", lines)
	}
	if got := lines[0][0]; got.value != 0.25 || !got.at.Truncate(time.Second).Equal(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("first value: %v", got)
	}
	if failed := answer.failures(); len(failed) != 1 || failed[0] != "bad gateway" {
		t.Errorf("failures: %v", failed)
	}
}

func TestTitlesSayWhatAPanelShows(t *testing.T) {
	for title, want := range map[string]kind{
		"API errors": errorRate, "API success rate": errorRate, "Fehlerrate": errorRate, "Verfügbarkeit der APIs": errorRate, "Taux d'erreur": errorRate,
		"Disponibilité": errorRate, "Failed requests": errorRate, "Error latency": errorRate,
		"API response times": responseTime, "Antwortzeiten": responseTime, "Latenz": responseTime, "Temps de réponse": responseTime, "Durée des appels": responseTime, "Request duration": responseTime,
		"API calls": callCount, "ssh conns": callCount, "Aufrufe": callCount,
		"Volumes": unknownKind, "": unknownKind, "Terror": unknownKind, "Relationships": unknownKind, "CPU load": unknownKind,
	} {
		if got := meaningOfTitle(title, "short"); got != want {
			t.Errorf("%q: got %d, want %d", title, got, want)
		}
	}
	if got := meaningOfTitle("Receive errors", "Bps"); got != unknownKind {
		t.Errorf("bytes are taken for errors: %d", got)
	}
}

// The addresses are those that SCS lists in its overview (standards: compliance-monitor/templates/overview.md.j2), by their form.
func TestAddressesOfGrafana(t *testing.T) {
	tests := []struct{ address, base, token, uid string }{
		{"https://apimon.example.org/public-dashboards/17cf094a47404398a5b8e35a4a3968d4?orgId=1&refresh=5m", "https://apimon.example.org", "17cf094a47404398a5b8e35a4a3968d4", ""},
		{"https://healthmon.example.net/d/9ltTEmlnk/openstack-health-monitor?var-mycloud=nsc", "https://healthmon.example.net", "", "9ltTEmlnk"},
		{"https://health.example.com:3000/d/9ltTEmlnk/openstack-health-monitor2?orgId=1&var-mycloud=plus-pco", "https://health.example.com:3000", "", "9ltTEmlnk"},
		{"https://ohm.example.org/", "https://ohm.example.org", "", ""},
		{"https://www.example.org/grafana/d/abc", "https://www.example.org/grafana", "", "abc"},
		{"https://www.example.org/grafana/login", "https://www.example.org/grafana", "", ""},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		p := grafanaPlaceOf(u)
		if p.base.String() != tt.base || p.token != tt.token || p.uid != tt.uid {
			t.Errorf("%s: got %s %q %q", tt.address, p.base, p.token, p.uid)
		}
	}
}

func TestAddressesOfPrometheus(t *testing.T) {
	for address, want := range map[string]string{
		"https://prom.example.org": "https://prom.example.org", "https://prom.example.org/graph?g0.expr=up": "https://prom.example.org",
		"https://example.org/prometheus/graph": "https://example.org/prometheus", "https://example.org/select/0/prometheus/vmui/": "https://example.org/select/0/prometheus",
		"https://example.org/p/api/v1/query_range?query=up": "https://example.org/p", "https://example.org/prometheus": "https://example.org/prometheus",
		"https://example.org/queryable": "https://example.org/queryable",
	} {
		u, _ := url.Parse(address)
		if got := promBase(u).String(); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestNamesAreQuotedForInfluxDB(t *testing.T) {
	if got := identifier("a\"; DROP DATABASE x\\\n"); got != `"a\"; DROP DATABASE x\\\n"` {
		t.Errorf("got %s", got)
	}
}
