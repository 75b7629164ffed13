package monitor_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Grafana is in no registry that the tests reach, so that this server answers in its place. Its shapes are those of
// grafana/grafana: pkg/services/publicdashboards (api/query.go, service/query.go), pkg/api (dtos.DashboardFullWithMeta, search,
// frontendsettings, ds/query), and of grafana/grafana-plugin-sdk-go: data/frame_json.go. The dashboards in testdata are ours;
// titles, units, queries and variables are those of SovereignCloudStack/openstack-health-monitor at 7581540c (dashboard/) and
// SovereignCloudStack/scs-health-monitor at c9bc299f.

const token = "17cf094a47404398a5b8e35a4a3968d4"

// grafana is a Grafana. The zero value lets nobody in.
type grafana struct {
	public    string // file of the public dashboard; empty: 404
	anonymous string // file of the dashboard that anonymous viewers see; empty: 401
	empty     func(panel string) bool
	broken    func(panel string) bool
	noQuery   bool // POST /api/ds/query is refused
	proxy     http.Handler
	shows     series
	constant  bool
	bodies    []string
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (g *grafana) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, status int, text string) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
	viewer := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if g.anonymous == "" {
				answer(w, 401, `{"extra":null,"message":"Unauthorized","messageId":"auth.unauthorized","statusCode":401,"traceID":""}`)
				return
			}
			h(w, r)
		}
	}
	mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, "{\n  \"database\": \"ok\",\n  \"version\": \"11.2.0\",\n  \"commit\": \"abc\"\n}")
	})
	mux.HandleFunc("GET /api/public/dashboards/{token}", func(w http.ResponseWriter, r *http.Request) {
		if g.public == "" || r.PathValue("token") != token {
			answer(w, 404, `{"statusCode":404,"messageId":"publicdashboards.notFound","message":"Public dashboard not found"}`)
			return
		}
		answer(w, 200, string(fixture(t, g.public)))
	})
	mux.HandleFunc("POST /api/public/dashboards/{token}/panels/{id}/query", func(w http.ResponseWriter, r *http.Request) {
		var question struct {
			IntervalMs, MaxDataPoints int64
			TimeRange                 struct{ From, To string }
		}
		if json.NewDecoder(r.Body).Decode(&question) != nil || question.IntervalMs == 0 || question.TimeRange.From == "" {
			answer(w, 400, `{"message":"bad request data"}`)
			return
		}
		title := map[string]string{"2": "errors", "3": "latency"}[r.PathValue("id")]
		answer(w, 200, g.frames(title, "A"))
	})
	mux.HandleFunc("GET /api/search", viewer(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `[{"id":1,"uid":"9ltTEmlnk","title":"OpenStack-Health-Monitor2","uri":"db/x","url":"/d/9ltTEmlnk/x","type":"dash-db","tags":[]}]`)
	}))
	mux.HandleFunc("GET /api/dashboards/uid/{uid}", viewer(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, string(fixture(t, g.anonymous))) }))
	mux.HandleFunc("GET /api/frontend/settings", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"buildInfo":{"version":"11.2.0"},"defaultDatasource":"InfluxDB","datasources":{
			"InfluxDB":{"id":1,"uid":"i1","type":"influxdb","name":"InfluxDB","isDefault":true},"Prometheus":{"id":2,"uid":"p1","type":"prometheus","name":"Prometheus"}}}`)
	})
	mux.HandleFunc("POST /api/ds/query", viewer(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.bodies = append(g.bodies, string(body))
		if g.noQuery {
			answer(w, 403, `{"message":"Access denied"}`)
			return
		}
		what := ""
		for _, pair := range [][2]string{{`"params":["duration"]`, "latency"}, {"response_time", "latency"}, {`"type":"count"`, "calls"}, {`"type":"sum"`, "errors"}, {"SELECT ((count", "rate"}, {"> 0", "errors"}, {`sum({__name__=~`, "calls"}} {
			if what == "" && strings.Contains(unescape(string(body)), pair[0]) {
				what = pair[1]
			}
		}
		answer(w, 200, g.frames(what, "A"))
	}))
	mux.HandleFunc("GET /api/datasources/proxy/uid/p1/", viewer(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/api/datasources/proxy/uid/p1", g.proxy).ServeHTTP(w, r)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			answer(w, 404, `{"message":"Not found"}`)
			return
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func unescape(s string) string { return strings.ReplaceAll(s, `\u003e`, ">") }

// frames answers a query hour by hour: calls are 60, errors none or half of them, latency goes up and down.
func (g *grafana) frames(what, refID string) string {
	if g.broken != nil && g.broken(what) {
		return `{"results":{"` + refID + `":{"error":"Post \"http://influx.internal\": connection refused","errorSource":"downstream","status":502,"frames":[]}}}`
	}
	var times []int64
	var values []any
	from := at().Truncate(24*time.Hour).AddDate(0, 0, -34)
	if what == "rate" { // InfluxDB gives one number for the whole span, at its begin
		times, values = []int64{from.UnixMilli()}, []any{0.99}
	}
	if what != "rate" && what != "" && (g.empty == nil || !g.empty(what)) {
		s := g.shows
		s.every = time.Hour
		for i, moment := range s.times() {
			if moment.Before(from) {
				continue
			}
			bad := s.outage != nil && s.outage(moment)
			var v any
			switch what {
			case "latency":
				v = 20 + i%7
			case "calls":
				v = 60 + i%2
			case "errors":
				v = 0
				if bad {
					v = 30
				}
			}
			if g.constant {
				v = 0
			}
			times, values = append(times, moment.UnixMilli()), append(values, v)
		}
		times, values = append(times, at().UnixMilli()), append(values, nil) // a step without a value
	}
	data, _ := json.Marshal(map[string]any{"results": map[string]any{refID: map[string]any{"status": 200, "frames": []any{map[string]any{
		"schema": map[string]any{"refId": refID, "name": what, "fields": []any{
			map[string]any{"name": "Time", "type": "time", "typeInfo": map[string]any{"frame": "time.Time"}},
			map[string]any{"name": "Value", "type": "number", "typeInfo": map[string]any{"frame": "float64", "nullable": true}, "labels": map[string]any{"cmd": "nova"}},
		}},
		"data": map[string]any{"values": []any{times, values}},
	}}}}})
	return string(data)
}

func TestAPublicDashboardIsRead(t *testing.T) {
	for _, file := range []string{"public.json", "elements.json"} {
		g := &grafana{public: file, shows: samples("", 3*time.Minute)}
		if file == "public.json" {
			g.shows.outage = func(m time.Time) bool { return outage(m) }
		}
		k := &asker{}
		a := collect(t, k, transparency.Target{URL: g.start(t) + "/public-dashboards/" + token + "?orgId=1&refresh=5m"})
		if a.Trouble != nil {
			t.Fatalf("%s: %s; %v", file, a.Trouble.Text, k.asked)
		}
		equal(t, "software", a.Monitor.Software, "grafana 11.2.0")
		equal(t, "newest", a.Monitor.Newest, at().Add(-3*time.Minute))
		equal(t, "days with errors", a.Monitor.Errors.Days, a.Monitor.Reach-3)
		equal(t, "days with latency", a.Monitor.Latency.Days, a.Monitor.Reach-3)
		equal(t, "outages", len(a.Monitor.Outages), 1)
	}
}

func TestAPublicDashboardWithoutChoiceOfTimeSaysSo(t *testing.T) {
	g := &grafana{public: "public.json", shows: series{days: 2}}
	base := g.start(t)
	dashboard := strings.Replace(string(fixture(t, "public.json")), `"hidden": false`, `"hidden": true`, 1)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/public/dashboards/"+token {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, dashboard)
			return
		}
		forward(w, r, base)
	}))
	defer front.Close()
	a := collect(t, &asker{}, transparency.Target{URL: front.URL + "/public-dashboards/" + token})
	if a.Trouble != nil {
		t.Fatal(a.Trouble.Text)
	}
	equal(t, "days", a.Monitor.Latency.Days, 3)
	if !strings.Contains(strings.Join(a.Notes, "\n"), "cannot choose the time: it shows now-2d to now only") {
		t.Errorf("notes: %q", a.Notes)
	}
}

// forward passes a request on to another server of the test.
func forward(w http.ResponseWriter, r *http.Request, base string) {
	req, _ := http.NewRequest(r.Method, base+r.URL.RequestURI(), r.Body)
	req.Header = r.Header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.WriteHeader(502)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, resp.Body)
}

func TestTheDashboardOfTheOpenStackHealthMonitorIsReadByAnonymousViewers(t *testing.T) {
	g := &grafana{anonymous: "openstack-health.json", shows: samples("", 3*time.Minute)}
	base := g.start(t)
	for _, address := range []string{"/d/9ltTEmlnk/openstack-health-monitor2?orgId=1&var-mycloud=plus-pco&from=now-2d", "/"} {
		g.bodies = nil
		k := &asker{}
		a := collect(t, k, transparency.Target{URL: base + address, Name: "plus-pco"})
		complete(t, a, k, 3*time.Minute)
		asked := strings.Join(g.bodies, "\n")
		if !strings.Contains(asked, `"measurement":"/^plus-pco$/"`) || !strings.Contains(asked, `"value":"/^.*$/"`) || !strings.Contains(asked, `"uid":"i1"`) {
			t.Errorf("variables were not put in: %s", asked)
		}
		if strings.Contains(asked, "$my") || strings.Contains(asked, "{my") {
			t.Errorf("a variable is left: %s", asked)
		}
		if !strings.Contains(asked, "$timeFilter") || !strings.Contains(asked, "$__interval") {
			t.Errorf("what Grafana itself fills in is gone: %s", asked)
		}
	}
	t.Run("whose history is short, beside one number for the whole span", func(t *testing.T) {
		g := &grafana{anonymous: "openstack-health.json", shows: series{days: 10}}
		a := collect(t, &asker{}, transparency.Target{URL: g.start(t) + "/d/9ltTEmlnk/x?var-mycloud=plus-pco"})
		equal(t, "first day with errors", a.Monitor.Errors.From.Format(time.DateOnly), "2026-11-10")
	})
	t.Run("that stops to answer", func(t *testing.T) {
		k := &asker{}
		a := collectWith(t, k, func(a audit.Answer) audit.Answer {
			if strings.HasSuffix(a.URL, "/api/ds/query") {
				a.Body, a.Trouble = nil, &audit.Trouble{Kind: audit.TroubleTimeout, Text: "too slow"}
			}
			return a
		}, transparency.Target{URL: base + "/d/9ltTEmlnk/x", Name: "plus-pco"})
		equal(t, "questions that were not asked again", len(k.asked), 4)
		equal(t, "panels that could not be read", a.Monitor.Failed, 4)
	})
	t.Run("whose cloud nobody named", func(t *testing.T) {
		a := collect(t, &asker{}, transparency.Target{URL: base + "/d/9ltTEmlnk/x"})
		equal(t, "trouble", a.Trouble.Kind, audit.TroubleNotNamed)
	})
}

func TestTheDashboardOfTheSCSHealthMonitorIsRead(t *testing.T) {
	for name, noErrors := range map[string]bool{"with errors": false, "where the panel of errors is empty because there were none": true} {
		t.Run(name, func(t *testing.T) {
			g := &grafana{anonymous: "scs-health.json", shows: samples("", 3*time.Minute)}
			if noErrors {
				g.shows.outage = nil
				g.empty = func(panel string) bool { return panel == "errors" }
			}
			k := &asker{}
			a := collect(t, k, transparency.Target{URL: g.start(t) + "/d/bdguj02c3mt4wf/scs-health-monitor"})
			if a.Trouble != nil {
				t.Fatal(a.Trouble.Text, k.asked)
			}
			equal(t, "days with errors shown", a.Monitor.Errors.Days, a.Monitor.Reach-3)
			asked := strings.Join(g.bodies, "\n")
			for _, want := range []string{`cloud=\"plus\"`, `"uid":"p1"`, `"instant":false`} {
				if !strings.Contains(asked, want) {
					t.Errorf("%s is missing in %s", want, asked)
				}
			}
			if strings.Contains(asked, "node_load1") || strings.Contains(asked, "exemplar") {
				t.Errorf("too much was asked: %s", asked)
			}
		})
	}
}

func TestWhatGrafanaDoesNotShowDoesNotCount(t *testing.T) {
	all := func(string) bool { return true }
	tests := []struct {
		name    string
		grafana grafana
		path    string
		trouble string // kind; empty: the monitor was read
		says    string // in the trouble or a note
		check   func(t *testing.T, m *transparency.Monitor)
	}{
		{name: "no anonymous viewer", path: "/d/9ltTEmlnk/x", trouble: audit.TroubleLogin, says: "grafana 11.2.0 answers, but the dashboard asks for a login"},
		{name: "no anonymous viewer on the start page", path: "/", trouble: audit.TroubleLogin, says: "its list of dashboards asks for a login"},
		{name: "panels that nobody may ask", grafana: grafana{anonymous: "scs-health.json", noQuery: true, proxy: http.NotFoundHandler()}, path: "/d/bdguj02c3mt4wf/x", trouble: audit.TroubleLogin, says: "every panel asks for a login"},
		{name: "no such public dashboard", path: "/public-dashboards/" + token, trouble: audit.TroubleNotFound},
		{name: "empty panels", grafana: grafana{public: "public.json", empty: all}, path: "/public-dashboards/" + token, says: `panel "Antwortzeiten" is empty`,
			check: func(t *testing.T, m *transparency.Monitor) {
				equal(t, "newest", m.Newest.IsZero(), true)
				equal(t, "failed", m.Failed, 0)
				equal(t, "names", len(m.Errors.Names)+len(m.Latency.Names), 0)
			}},
		{name: "panels with an error", grafana: grafana{public: "public.json", broken: all}, path: "/public-dashboards/" + token, says: "shows an error instead of values",
			check: func(t *testing.T, m *transparency.Monitor) {
				equal(t, "newest", m.Newest.IsZero(), true)
				equal(t, "errors failed", m.Errors.Failed, 1)
				equal(t, "latency failed", m.Latency.Failed, 1)
			}},
		{name: "a value that never changes", grafana: grafana{public: "public.json", constant: true}, path: "/public-dashboards/" + token, says: "a value that never changes",
			check: func(t *testing.T, m *transparency.Monitor) { equal(t, "newest", m.Newest.IsZero(), true) }},
		{name: "stale data", grafana: grafana{public: "public.json", shows: series{age: 5 * 24 * time.Hour}}, path: "/public-dashboards/" + token,
			check: func(t *testing.T, m *transparency.Monitor) { equal(t, "newest", m.Newest, at().Add(-5*24*time.Hour)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := collect(t, &asker{}, transparency.Target{URL: tt.grafana.start(t) + tt.path})
			said := strings.Join(a.Notes, "\n")
			kind := ""
			if a.Trouble != nil {
				kind, said = a.Trouble.Kind, said+a.Trouble.Text
			}
			equal(t, "trouble", kind, tt.trouble)
			if !strings.Contains(said, tt.says) {
				t.Errorf("said %q, want %q", said, tt.says)
			}
			if tt.check != nil && a.Monitor != nil {
				tt.check(t, a.Monitor)
			}
			if a.Trouble != nil && a.Monitor != nil || a.Trouble == nil && a.Monitor == nil {
				t.Error("facts and trouble do not go together")
			}
		})
	}
}

func TestAPrometheusBehindGrafanaIsReadThroughItsProxy(t *testing.T) {
	g := &grafana{anonymous: "scs-health.json", noQuery: true, proxy: prometheusDouble(samples("plus", 3*time.Minute))}
	k := &asker{}
	a := collect(t, k, transparency.Target{URL: g.start(t) + "/d/bdguj02c3mt4wf/x"})
	if a.Trouble != nil {
		t.Fatal(a.Trouble.Text)
	}
	equal(t, "newest", a.Monitor.Newest, at().Add(-3*time.Minute))
	if a.Monitor.Latency.Days == 0 || a.Monitor.Errors.Days == 0 {
		t.Errorf("nothing was read: %+v; %v", a.Monitor, k.asked)
	}
}

// prometheusDouble answers as the API of Prometheus does (prometheus/prometheus: docs/querying/api.md), for tests that do not
// look at Prometheus itself.
func prometheusDouble(s series) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		newest := at().Add(-s.age).Unix()
		switch {
		case strings.HasSuffix(r.URL.Path, "/status/buildinfo"):
			io.WriteString(w, `{"status":"success","data":{"version":"3.5.0","revision":"x"}}`)
		case strings.HasSuffix(r.URL.Path, "/__name__/values"):
			io.WriteString(w, `{"status":"success","data":["openstack_http_requests_total","openstack_http_response_time_sum","up"]}`)
		case strings.HasSuffix(r.URL.Path, "/cloud/values"):
			io.WriteString(w, `{"status":"success","data":["plus"]}`)
		case strings.HasSuffix(r.URL.Path, "/query"):
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%d,"%d"]}]}}`, newest, newest)
		case strings.HasSuffix(r.URL.Path, "/query_range"):
			s := s
			s.every = time.Hour
			var values []string
			for _, m := range s.times() {
				values = append(values, fmt.Sprintf(`[%d,"0.1"]`, m.Truncate(time.Hour).Add(time.Hour).Unix()))
			}
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[%s]}]}}`, strings.Join(values, ","))
		default:
			w.WriteHeader(404)
			io.WriteString(w, `{"status":"error"}`)
		}
	})
}

func TestWhoWroteADashboardIsNotKept(t *testing.T) {
	g := &grafana{anonymous: "openstack-health.json", shows: samples("", 0)}
	var kept []string
	k := &asker{}
	ask := func(r audit.Answer) audit.Answer { kept = append(kept, string(r.Body)); return r }
	base := g.start(t)
	collectWith(t, k, ask, transparency.Target{URL: base + "/d/9ltTEmlnk/x", Name: "plus-pco"})
	for _, body := range kept {
		if strings.Contains(body, "jane") {
			t.Errorf("a person is named in %s", body)
		}
	}
	if len(kept) < 5 {
		t.Fatalf("%d answers", len(kept))
	}
}
