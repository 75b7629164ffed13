package monitor_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

const loginForm = `<!doctype html><html><head><title>Grafana</title></head><body><form method="post"><input name="user"><input type="password" name="password"></form></body></html>`

// page answers every path alike.
func page(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// only answers one path as a front page and nothing else.
func only(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		page(200, contentType, body)(w, r)
	}
}

func TestWhatIsNoMonitorGetsItsOwnSentence(t *testing.T) {
	var many strings.Builder
	many.WriteString(`{"status":"success","data":["metric_0"`)
	for i := range 100_000 {
		fmt.Fprintf(&many, `,"metric_%d"`, i+1)
	}
	many.WriteString("]}")
	tests := []struct {
		name    string
		handler http.HandlerFunc
		path    string
		adapter string
		trouble string
		says    string
		asks    int // most questions
	}{
		{name: "a login form with status 200", handler: page(200, "text/html", loginForm), trouble: audit.TroubleLogin, says: "login", asks: 6},
		{name: "a redirect to an identity provider", handler: http.RedirectHandler("https://id.example.org/realms/ops/protocol/openid-connect/auth", 302).ServeHTTP, trouble: audit.TroubleLogin, says: "login", asks: 6},
		{name: "a password asked for by the server", handler: page(401, "text/plain", "Unauthorized"), trouble: audit.TroubleLogin, says: "login", asks: 6},
		{name: "a picture", handler: page(200, "image/png", "\x89PNG\r\n\x1a\n"), trouble: audit.TroubleNotFound, says: "a picture is no monitor", asks: 7},
		{name: "a page with a picture of a monitor", handler: only("text/html", `<h1>Status</h1><img src="https://grafana.example.org/render/d-solo/abc/x?panelId=2">`), trouble: audit.TroubleNotFound, says: "picture of a monitor", asks: 7},
		{name: "an ordinary page", handler: only("text/html", `<h1>Welcome</h1><img src="logo.png">`), trouble: audit.TroubleContent, says: "no monitor that can be read", asks: 7},
		{name: "nothing at all", handler: http.NotFound, trouble: audit.TroubleNotFound, asks: 7},
		{name: "a server that is broken", handler: page(500, "text/plain", "oops"), trouble: audit.TroubleServer, asks: 7},
		{name: "broken JSON", handler: page(200, "application/json", `{"status":"success","data":[`), adapter: "prometheus", trouble: audit.TroubleContent, says: "no JSON of the expected shape", asks: 3},
		{name: "JSON of another shape", handler: page(200, "application/json", `[1,2,3]`), trouble: audit.TroubleContent, asks: 7},
		{name: "a refusal with status 200", handler: page(200, "application/json", `{"status":"error","error":"forbidden\u001b[31m by proxy"}`), adapter: "prometheus", trouble: audit.TroubleServer, says: "forbidden [31m by proxy", asks: 3},
		{name: "InfluxDB that wants to know who asks", handler: page(401, "application/json", `{"error":"unable to parse authentication credentials"}`), adapter: "influxdb", trouble: audit.TroubleLogin, asks: 3},
		{name: "InfluxDB that refuses a statement", handler: page(200, "application/json", `{"results":[{"statement_id":0,"error":"not authorized"}]}`), adapter: "influxdb", trouble: audit.TroubleServer, says: "not authorized", asks: 3},
		{name: "an adapter that there is not", handler: http.NotFound, adapter: "nagios", trouble: audit.TroubleNotNamed, says: "nagios", asks: 0},
		{name: "CloudMon without a service", handler: page(200, "application/json", `{"name":"v1"}`), adapter: "cloudmon", trouble: audit.TroubleNotNamed, says: "service", asks: 1},
		{name: "a public dashboard that is a login page", handler: page(200, "text/html", loginForm), path: "/public-dashboards/" + token, trouble: audit.TroubleLogin, says: "login", asks: 3},
		{name: "an answer beyond the limit", handler: page(200, "application/json", `{"database":"`+strings.Repeat("x", 9<<20)), trouble: audit.TroubleTooLarge, asks: 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(tt.handler)
			defer s.Close()
			k := &asker{}
			a := collect(t, k, transparency.Target{URL: s.URL + tt.path, Adapter: tt.adapter})
			if a.Trouble == nil {
				t.Fatalf("it counts as a monitor: %+v", a.Monitor)
			}
			equal(t, "trouble", a.Trouble.Kind, tt.trouble)
			if !strings.Contains(a.Trouble.Text, tt.says) {
				t.Errorf("said %q, want %q", a.Trouble.Text, tt.says)
			}
			if strings.ContainsFunc(a.Trouble.Text+a.Trouble.Settle, func(r rune) bool { return r < ' ' }) {
				t.Errorf("a control character is shown: %q", a.Trouble.Text)
			}
			if len(k.asked) > tt.asks {
				t.Errorf("%d questions, want at most %d: %v", len(k.asked), tt.asks, k.asked)
			}
		})
	}
	t.Run("100000 names of metrics that say nothing", func(t *testing.T) {
		s := httptest.NewServer(page(200, "application/json", many.String()))
		defer s.Close()
		a := collect(t, &asker{}, transparency.Target{URL: s.URL, Adapter: "prometheus"})
		if a.Trouble != nil {
			t.Fatal(a.Trouble.Text)
		}
		equal(t, "newest", a.Monitor.Newest.IsZero(), true)
		equal(t, "unknown", len(a.Monitor.Unknown), 20)
	})
}

func TestNobodyIsAskedWhereNobodyMayBe(t *testing.T) {
	a := collect(t, &asker{}, transparency.Target{})
	equal(t, "nothing named", a.Trouble.Kind, audit.TroubleNotNamed)
	k := &asker{}
	a = collect(t, k, transparency.Target{URL: "gopher://example.org/"})
	equal(t, "another protocol", a.Trouble.Kind, audit.TroubleAddress)
	a = collect(t, k, transparency.Target{URL: "http://127.0.0.1:1/"})
	equal(t, "nobody there", a.Trouble.Kind, audit.TroubleUnreachable)
	equal(t, "questions to a server that does not answer", len(k.asked), 1)
	offline := offlineArtifact()
	equal(t, "offline", offline.Trouble.Kind, audit.TroubleOffline)
}

func TestADashboardInAFrameIsRead(t *testing.T) {
	g := &grafana{public: "public.json", shows: samples("", time.Minute)}
	base := g.start(t)
	s := httptest.NewServer(only("text/html", `<iframe width=100% src="`+base+`/public-dashboards/`+token+`?orgId=1&amp;theme=light"></iframe>`))
	defer s.Close()
	a := collect(t, &asker{}, transparency.Target{URL: s.URL})
	if a.Trouble != nil {
		t.Fatal(a.Trouble.Text)
	}
	equal(t, "newest", a.Monitor.Newest, at().Add(-time.Minute))
	if !strings.Contains(strings.Join(a.Notes, " "), "in a frame") {
		t.Errorf("notes: %v", a.Notes)
	}
}

func TestTheClockOfTheServerIsWrittenDown(t *testing.T) {
	s := httptest.NewServer(prometheusDouble(series{cloud: "plus", age: -2 * time.Hour}))
	defer s.Close()
	a := collect(t, &asker{offset: 2 * time.Hour}, transparency.Target{URL: s.URL})
	equal(t, "skew", a.Monitor.Skew, int64(7200))
	equal(t, "newest", a.Monitor.Newest, at().Add(2*time.Hour))
	a = collect(t, &asker{noDate: true}, transparency.Target{URL: s.URL})
	equal(t, "skew without a date", a.Monitor.Skew, int64(0))
	equal(t, "looked", a.Monitor.Looked, at())
}

func TestCloudMonShowsFlagsAndNoResponseTimes(t *testing.T) {
	// stackmon/metrics-processor at 97af11b0: src/types.rs (objects), doc/api/endpoints.md (one list for each region), and the
	// pairs that it wrote before.
	forms := map[string]string{
		"objects": `{"name":"ecs","service_category":"compute","environment":"eu-de","metrics":[%s]}`,
		"pairs":   `{"name":"ecs","service_category":"compute","environment":"eu-de","metrics":[%s]}`,
		"regions": `{"name":"ecs","category":"compute","environment":"eu-de","metrics":[{"region":"eu-de-01","datapoints":[%s]}]}`,
	}
	for form, envelope := range forms {
		t.Run(form, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				q := r.URL.Query()
				if r.URL.Path == "/api/v1/" {
					io.WriteString(w, `{"name":"v1"}`)
					return
				}
				if r.URL.Path != "/api/v1/health" || q.Get("service") != "ecs" || q.Get("environment") != "eu-de" || q.Get("max_data_points") == "" {
					w.WriteHeader(409)
					io.WriteString(w, `{"message":"Service not supported"}`)
					return
				}
				if _, err := time.Parse(time.RFC3339, q.Get("from")); err != nil {
					w.WriteHeader(400)
					return
				}
				var points []string
				show := samples("", 5*time.Minute)
				show.every = time.Hour
				for _, m := range show.times() {
					weight := 0
					if outage(m) {
						weight = 2
					}
					pair := fmt.Sprintf("[%d,%d]", m.Unix(), weight)
					if form == "objects" {
						pair = fmt.Sprintf(`{"timestamp":%d,"weight":%d,"metric_states":{"ecs.api-down":false},"matched_expression":null,"triggered_metric_details":[]}`, m.Unix(), weight)
					}
					points = append(points, pair)
				}
				fmt.Fprintf(w, envelope, strings.Join(points, ","))
			}))
			defer s.Close()
			k := &asker{}
			a := collect(t, k, transparency.Target{URL: s.URL + "/api/v1/health?environment=eu-de&service=ecs&service=evs&from=x"})
			if a.Trouble != nil {
				t.Fatal(a.Trouble.Text, k.asked)
			}
			equal(t, "newest", a.Monitor.Newest, at().Add(-5*time.Minute))
			equal(t, "days", a.Monitor.Errors.Days, a.Monitor.Reach-3)
			equal(t, "latency", a.Monitor.Latency.Days, 0)
			equal(t, "outages", len(a.Monitor.Outages), 1)
			equal(t, "share", a.Monitor.Outages[0].Share, 10000)
			equal(t, "services that could not be read", a.Monitor.Errors.Failed, 1)
		})
	}
}

func TestOneMonitorIsAskedFewQuestions(t *testing.T) {
	s := httptest.NewServer(page(409, "application/json", `{"message":"Service not supported"}`))
	defer s.Close()
	k := &asker{}
	a := collect(t, k, transparency.Target{URL: s.URL + "/api/v1/health?environment=x" + strings.Repeat("&service=a", 1000), Adapter: "cloudmon"})
	equal(t, "questions", len(k.asked), 20)
	equal(t, "trouble", a.Trouble.Kind, audit.TroubleServer)
	equal(t, "notes", strings.Join(a.Notes, " "), "the first 20 of 1000 services were read")
}

func TestAnswersThatWereHandedOverAreRead(t *testing.T) {
	stamp := func(i int) int64 { return at().Add(-time.Duration(i) * 24 * time.Hour).Unix() }
	var prom, lines []string
	for i := 31; i >= 0; i-- {
		prom = append(prom, fmt.Sprintf(`[%d,"1"]`, stamp(i)))
		lines = append(lines, fmt.Sprintf(`[%d,2,0.5]`, stamp(i)))
	}
	tests := map[string]string{
		"prometheus": fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"openstack_http_requests_total","status_code":"503"},"values":[%[1]s]},{"metric":{"__name__":"openstack_http_response_time_sum"},"values":[%[1]s]}]}}`, strings.Join(prom, ",")),
		"influxdb":   fmt.Sprintf(`{"results":[{"statement_id":0,"series":[{"name":"plus-pco","columns":["time","return_code","duration"],"values":[%s]}]}]}`, strings.Join(lines, ",")),
		"grafana":    strings.ReplaceAll((&grafana{shows: series{days: 31}}).frames("errors", "A"), `}}}`, `}}}`),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			a := handed(t, body)
			if a.Trouble != nil {
				t.Fatal(a.Trouble.Text)
			}
			equal(t, "handed", a.Handed, true)
			equal(t, "newest", a.Monitor.Newest.Format(time.DateOnly), "2026-11-20")
			if a.Monitor.Errors.Days < 31 || name != "grafana" && a.Monitor.Latency.Days < 31 {
				t.Errorf("days: %d, %d", a.Monitor.Errors.Days, a.Monitor.Latency.Days)
			}
		})
	}
	a := handed(t, "# not JSON")
	equal(t, "no JSON", a.Trouble.Kind, audit.TroubleContent)
}
