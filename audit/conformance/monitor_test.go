package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// monitor is a server with the answers of an SCS compliance monitor, built from its source: get_status,
// convert_result_rows_to_dict2 and _evaluate_scope of compliance-monitor/monitor.py and the templates overview.md.j2 and
// details.md.j2 (standards, commit 077174d9).
type monitor struct {
	scope   Scope
	results map[string]map[string]monitorResult // subject -> test case
	groups  map[string][]string
	at      time.Time
	table   string
}

type monitorResult struct {
	code int
	at   string // as a naive Python datetime
}

func (m monitor) start(t testing.TB) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", m.status)
	mux.HandleFunc("GET /markdown/table", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		fmt.Fprint(w, m.table)
	})
	mux.HandleFunc("GET /markdown/detail/{subject}/{scope}", m.details)
	mux.HandleFunc("GET /page/detail/{subject}/{scope}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<html><head><title>x</title><style>p{}</style></head><body><h2>%s: %s</h2><script>var other='x'</script></body></html>", r.PathValue("subject"), m.scope.Name)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func (m monitor) status(w http.ResponseWriter, r *http.Request) {
	if accept := r.Header.Get("Accept"); !strings.Contains(accept, "application/json") && !strings.Contains(accept, "*/*") {
		w.WriteHeader(http.StatusNotAcceptable)
		fmt.Fprint(w, `{"detail":"client needs to accept application/json"}`)
		return
	}
	answer := map[string]any{}
	for subject := range m.results {
		if want := r.URL.Query().Get("subject"); want != "" && want != subject {
			continue
		}
		if want := r.URL.Query().Get("scopeuuid"); want != "" && want != m.scope.UUID {
			continue
		}
		if a := m.subject(subject); a != nil {
			answer[subject] = map[string]any{m.scope.UUID: a}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

// subject is _evaluate_scope: like the original it calls a version passed that has not failed, and leaves out results that
// are too old by its own clock.
func (m monitor) subject(name string) map[string]any {
	results, values := map[string]any{}, map[string]Result{}
	for id, r := range m.results[name] {
		tc, _ := testCase(m.scope.Tests, id)
		at, _, _ := moment(r.at)
		if end, _ := tc.Lifetime.End(at); !m.at.Before(end) {
			continue
		}
		results[id] = map[string]any{"result": r.code, "checked_at": strings.Replace(r.at, " ", "T", 1), "report": "0b1f7a1e-5c1e-4a53-9b55-2f3c7c4a9b10"}
		o, _ := outcomeOf(&r.code)
		values[id] = Result{ID: id, Outcome: o, CheckedAt: at}
	}
	if len(results) == 0 {
		return nil
	}
	tests := map[string]any{}
	for _, tc := range m.scope.Tests {
		about := "Something holds."
		if tc.Manual {
			about = "Manual check: documentation is there."
		}
		tests[tc.ID] = map[string]any{"id": tc.ID, "lifetime": string(tc.Lifetime), "description": about, "attn": 1}
	}
	versions := map[string]any{}
	passed := []string{}
	for i, v := range m.scope.Versions {
		word, listed := m.scope.Validity(v.Version, m.at)
		if !listed {
			continue
		}
		o := score(versionTests{main: v.Targets[TargetMain]}, m.scope.Tests, values, m.at).outcome
		var code any = map[audit.Outcome]any{audit.PASS: 1, audit.FAIL: -1, audit.DNF: 0}[o]
		if o != audit.FAIL && word != ValidDraft {
			passed = append(passed, v.Version)
		}
		targets := map[string]any{}
		for target, ids := range v.Targets {
			targets[target] = map[string]any{"testcases": ids, "result": code}
		}
		versions[v.Version] = map[string]any{"_idx": i, "result": code, "targets": targets, "tc_target": map[string]string{}, "validity": word}
	}
	return map[string]any{
		"name": m.scope.Name, "testcases": tests, "results": results, "versions": versions, "passed": passed, "relevant": passed,
		"buckets": map[string][]string{"1": {}, "null": {}}, "result": nil, "passed_str": strings.Join(passed, ", "), "best_passed": 0, "validity": "effective",
	}
}

func (m monitor) details(w http.ResponseWriter, r *http.Request) {
	members := []string{r.PathValue("subject")}
	if group, ok := strings.CutPrefix(members[0], "group-"); ok {
		members = m.groups[group]
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	fmt.Fprint(w, "Version numbers are suffixed by a symbol depending on state:\n\n")
	for _, name := range members {
		fmt.Fprintf(w, "<a name=%q></a>\n## %s: %s\n\n- [spec overview](/page/scope/x)\n\n", name, name, m.scope.Name)
	}
}

func fixtureScope(t testing.TB) Scope {
	t.Helper()
	data, err := os.ReadFile("testdata/scope-iaas.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseScope(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// passing are results with which version v3 of the fixture passes at the moment that the tests judge.
func passing() map[string]monitorResult {
	return map[string]monitorResult{
		"scs-9001-alpha":  {1, "2026-06-08 06:12:44.103992"},
		"scs-9002-daily":  {1, "2026-06-10 05:00:00"},
		"scs-9003-yearly": {1, "2025-09-30 10:00:00"},
	}
}

func with(results map[string]monitorResult, id string, code int, at string) map[string]monitorResult {
	results[id] = monitorResult{code, at}
	return results
}

func without(results map[string]monitorResult, id string) map[string]monitorResult {
	delete(results, id)
	return results
}

func TestTheComplianceMonitorIsReadByItsOwnResults(t *testing.T) {
	scope := fixtureScope(t)
	m := monitor{
		scope: scope, at: now,
		groups: map[string][]string{"good": {"pass", "also-1.35"}, "mixed": {"pass", "miss", "fail"}, "quiet": {"pass", "unheard"}},
		results: map[string]map[string]monitorResult{
			"pass": passing(), "also-1.35": passing(),
			"fail":     with(passing(), "scs-9001-alpha", -1, "2026-06-09 01:00:00"),
			"aborted":  with(passing(), "scs-9001-alpha", 0, "2026-06-09 01:00:00"),
			"miss":     without(passing(), "scs-9003-yearly"),
			"stale":    with(passing(), "scs-9002-daily", 1, "2026-06-07 05:00:00"),
			"all-old":  {"scs-9002-daily": {1, "2026-06-01 05:00:00"}},
			"tomorrow": with(passing(), "scs-9002-daily", 1, "2026-06-12 05:00:00"),
			"older": {"scs-9001-alpha": {1, "2026-06-09 01:00:00"}, "scs-9001-beta": {1, "2026-06-09 01:00:00"}, "scs-9002-daily": {-1, "2026-06-10 01:00:00"},
				"scs-9003-yearly": {1, "2026-06-09 01:00:00"}},
			"extra-fails": with(passing(), "scs-9004-extra", -1, "2026-06-09 01:00:00"),
		},
	}
	base := m.start(t)
	for _, c := range []struct {
		subject string
		want    audit.Outcome
		says    string
	}{
		{"pass", audit.PASS, "version v3 has 3 of 3 test cases passed"},
		{"extra-fails", audit.PASS, "version v3"}, // not in the target that decides
		{"fail", audit.FAIL, "failed: scs-9001-alpha"},
		{"aborted", audit.DNF, "not finished or not clear: scs-9001-alpha"},
		{"miss", audit.MISS, "1 not tested"}, // the monitor calls such a version passed
		{"stale", audit.MISS, "1 not tested"},
		{"all-old", audit.MISS, "not known there, or the last tests are too long ago"},
		{"unknown", audit.MISS, `subject "unknown"`},
		{"tomorrow", audit.DNF, "of the future: 2026-06-12"},
		{"older", audit.PASS, "version v2 has 2 of 2 test cases passed; this version is about to expire"},
		{"group-good", audit.PASS, `"also-1.35"`},
		{"group-mixed", audit.FAIL, `on "fail"`},
		{"group-quiet", audit.MISS, `subject "unheard"`},
		{"group-nobody", audit.MISS, `no subject of "group-nobody"`},
	} {
		for _, address := range []string{base, base + "/page/table", base + "/status?subject=other", base + "/page/detail/x/scs-compatible-iaas"} {
			e := Look(t.Context(), Target{Kind: KindStatus, Layer: "iaas", URL: address, Subject: c.subject}, World{Ask: askOf(t, nil), At: now})
			if e.Trouble != nil {
				t.Fatalf("%s: %+v", c.subject, e.Trouble)
			}
			got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now)
			if got.Tests.Outcome != c.want || !strings.Contains(got.Tests.Reason, c.says) || len(got.Tests.Origins) == 0 || got.Tests.Declared {
				t.Errorf("%s at %s: got %s %q, want %s %q", c.subject, address, got.Tests.Outcome, got.Tests.Reason, c.want, c.says)
			}
			if c.want != audit.PASS && len(got.Tests.Settle) == 0 {
				t.Errorf("%s: nothing says what would settle it", c.subject)
			}
			if other := Judge(Evidence{Entries: []Entry{e}}, "kaas", now); other.Tests.Outcome != audit.MISS {
				t.Errorf("%s: a result of layer iaas answers for kaas: %+v", c.subject, other.Tests)
			}
		}
	}
}

func TestATestIsValidUntilTheFirstOfItsResultsEnds(t *testing.T) {
	m := monitor{scope: fixtureScope(t), at: now, results: map[string]map[string]monitorResult{"pass": passing()}}
	e := Look(t.Context(), Target{Kind: KindStatus, Layer: "iaas", URL: m.start(t), Subject: "pass"}, World{Ask: askOf(t, nil), At: now})
	day := func(d int) time.Time { return time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		at   time.Time
		want audit.Outcome
	}{
		{now, audit.PASS},
		{day(12).Add(-time.Second), audit.PASS},
		{day(12), audit.DNF}, // the moment came without a time zone
		{day(13).Add(-time.Second), audit.DNF},
		{day(13), audit.MISS},
	} {
		got := Judge(Evidence{Entries: []Entry{e}}, "iaas", c.at).Tests
		if got.Outcome != c.want {
			t.Errorf("at %s: got %s (%s), want %s", c.at, got.Outcome, got.Reason, c.want)
		}
		if c.want == audit.PASS && !got.ValidUntil.Equal(day(12)) {
			t.Errorf("at %s: valid until %s", c.at, got.ValidUntil)
		}
	}
}

func TestWhatIsNoAnswerOfAMonitorCountsForNothing(t *testing.T) {
	for name, c := range map[string]struct {
		kind, body string
		status     int
		trouble    string
	}{
		"login form with 200":  {"text/html", `<form><input type="password"></form>`, 200, audit.TroubleLogin},
		"another page":         {"text/html", `<p>welcome</p>`, 200, audit.TroubleContent},
		"login asked for":      {"application/json", `{}`, 401, audit.TroubleLogin},
		"gone":                 {"application/json", `{}`, 404, audit.TroubleNotFound},
		"overloaded":           {"application/json", `{}`, 503, audit.TroubleServer},
		"broken JSON":          {"application/json", `{"pass": {`, 200, audit.TroubleContent},
		"a list":               {"application/json", `[]`, 200, audit.TroubleContent},
		"null":                 {"application/json", `null`, 200, audit.TroubleContent},
		"nothing":              {"application/json", ``, 200, audit.TroubleContent},
		"unknown result":       {"application/json", `{"pass":{"` + ScopeIaaS + `":{"versions":{"v3":{"result":2}}}}}`, 200, audit.TroubleContent},
		"unknown lifetime":     {"application/json", `{"pass":{"x":{"testcases":{"a":{"lifetime":"forever"}},"versions":{"v":{"targets":{"main":{"testcases":["a"]}}}}}}}`, 200, audit.TroubleContent},
		"result without a day": {"application/json", `{"pass":{"x":{"results":{"a":{"result":1}},"versions":{"v":{"targets":{"main":{"testcases":["a"]}}}}}}}`, 200, audit.TroubleContent},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		e := Look(t.Context(), Target{Kind: KindStatus, Layer: "iaas", URL: s.URL, Subject: "pass"}, World{Ask: askOf(t, nil), At: now})
		s.Close()
		if e.Trouble == nil || e.Trouble.Kind != c.trouble || e.Status != nil {
			t.Errorf("%s: got %+v, want trouble %s", name, e.Trouble, c.trouble)
			continue
		}
		if got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now); got.Tests.Outcome != audit.DNF || got.Tests.Reason == "" {
			t.Errorf("%s: got %s %q", name, got.Tests.Outcome, got.Tests.Reason)
		}
	}
}

func TestASourceThatNamesTooLittleIsNotAsked(t *testing.T) {
	for name, target := range map[string]Target{
		"no subject":   {Kind: KindStatus, Layer: "iaas", URL: "http://127.0.0.1:1"},
		"no layer":     {Kind: KindStatus, Subject: "x", URL: "http://127.0.0.1:1"},
		"other layer":  {Kind: KindStatus, Layer: "paas", Subject: "x", URL: "http://127.0.0.1:1"},
		"unknown kind": {Kind: "dream", Layer: "iaas"},
		"no signers":   {Kind: KindReport, Layer: "iaas", Subject: "x", Scope: "scope.yaml"},
		"no scope":     {Kind: KindReport, Layer: "iaas", Subject: "x", Signers: "allowed"},
		"certificate":  {Kind: KindCertificate, Layer: "iaas"},
	} {
		e := Look(t.Context(), target, World{Ask: askOf(t, nil), At: now})
		if e.Trouble == nil || e.Trouble.Kind != audit.TroubleNotNamed || e.Trouble.Settle == "" || len(e.Seen) > 0 {
			t.Errorf("%s: got %+v", name, e)
		}
	}
	e := Look(t.Context(), Target{Kind: KindStatus, Layer: "iaas", Subject: "x"}, World{})
	if e.Trouble == nil || e.Trouble.Kind != audit.TroubleOffline {
		t.Errorf("without anybody to ask: got %+v", e.Trouble)
	}
}

func TestAStatusThatWasHandedOverIsJudgedByItsDates(t *testing.T) {
	m := monitor{scope: fixtureScope(t), at: now, results: map[string]map[string]monitorResult{"pass": passing()}}
	text, err := json.Marshal(map[string]any{"pass": map[string]any{ScopeIaaS: m.subject("pass")}})
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Kind: KindStatus, Layer: "iaas", File: "status", Subject: "pass"}
	e := Look(t.Context(), target, World{Ask: askOf(t, map[string]string{"status": string(text)}), At: now})
	got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now).Tests
	if got.Outcome != audit.PASS || !got.Handed || got.Origins[0].Path != "status" {
		t.Errorf("fresh: got %+v", got)
	}
	target.Subject = "group-all" // whose members nobody handed over
	group := Look(t.Context(), target, World{Ask: askOf(t, map[string]string{"status": string(text)}), At: now})
	if got = Judge(Evidence{Entries: []Entry{group}}, "iaas", now).Tests; got.Outcome != audit.PASS || len(group.Notes) != 1 {
		t.Errorf("a group: got %+v, %q", got, group.Notes)
	}
	got = Judge(Evidence{Entries: []Entry{e}}, "iaas", now.AddDate(0, 3, 0)).Tests
	if got.Outcome != audit.MISS || !strings.Contains(got.Reason, "too old: scs-9001-alpha of 2026-06-08, which counted for a week") {
		t.Errorf("three months later: got %s %q", got.Outcome, got.Reason)
	}
}

func TestAClockThatIsWrongIsNamed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", now.Add(-72*time.Hour).Format(http.TimeFormat))
		fmt.Fprint(w, "{}")
	}))
	defer s.Close()
	e := Look(t.Context(), Target{Kind: KindStatus, Layer: "iaas", URL: s.URL, Subject: "pass"}, World{Ask: askOf(t, nil), At: now})
	if !slices.ContainsFunc(e.Notes, func(n string) bool { return strings.Contains(n, "2026-06-07T12:00:00Z") }) {
		t.Errorf("got notes %q", e.Notes)
	}
}

func TestTheOverviewListsEverySubjectWithItsResults(t *testing.T) {
	m := monitor{
		scope: fixtureScope(t), at: now, groups: map[string][]string{"blue": {"blue-1", "blue-2"}},
		results: map[string]map[string]monitorResult{
			"green": passing(), "blue-1": passing(), "blue-2": with(passing(), "scs-9001-alpha", -1, "2026-06-09 01:00:00"), "hidden": passing(),
		},
		table: `### Certified SCS-compatible IaaS

These environments are officially certified.

| Name  | Description  | Operator  | SCS-compatible IaaS  | HealthMon  |
|-------|--------------|-----------|----------------------|:----------:|
| [Green&amp;Co](https://example.org/green/) | Public cloud (1 SCS region) | Green GmbH | [✅ v3](/page/detail/green/scs-compatible-iaas) | [HM](https://health.example.org/) |

### Certified SCS-compatible KaaS

| Name  | Description  | Operator  | SCS-compatible KaaS  |
|-------|--------------|-----------|----------------------|
| [Red](https://example.com/) | Public KaaS cloud | Red AG | [🛑 –](/page/detail/red/scs-compatible-kaas) |

### Non-certified environments

| Name  | Description  | Operator  | SCS-compatible IaaS  | HealthMon  |
|-------|--------------|-----------|----------------------|:----------:|
| [Blue](https://example.net/) | Public cloud (2 SCS regions) | Blue GmbH | [🛑 –](/page/detail/group-blue/scs-compatible-iaas) | (soon) |
| broken row | without a link | x | y | z |
`,
	}
	got, trouble := Overview(t.Context(), askOf(t, nil), m.start(t)+"/page/table")
	if trouble != nil {
		t.Fatal(trouble)
	}
	for key, want := range map[string]Listing{
		"iaas/green":      {Name: "Green&Co", Operator: "Green GmbH", Regions: 1, Certified: true, Tests: Answer{Outcome: audit.PASS}},
		"iaas/group-blue": {Name: "Blue", Operator: "Blue GmbH", Regions: 2, Tests: Answer{Outcome: audit.FAIL}},
		"kaas/red":        {Name: "Red", Operator: "Red AG", Certified: true, Tests: Answer{Outcome: audit.MISS}},
		"iaas/hidden":     {Tests: Answer{Outcome: audit.PASS}},
	} {
		l := got[key]
		if l.Name != want.Name || l.Operator != want.Operator || l.Regions != want.Regions || l.Certified != want.Certified || l.Tests.Outcome != want.Tests.Outcome {
			t.Errorf("%s: got %+v", key, l)
		}
	}
	if len(got) != 4 || !slices.Equal(got["iaas/green"].Monitors, []string{"https://health.example.org/"}) {
		t.Errorf("got %d lines, %q", len(got), got["iaas/green"].Monitors)
	}
	if _, trouble = Overview(t.Context(), askOf(t, nil), "http://127.0.0.1:1/"); trouble == nil || trouble.Kind != audit.TroubleUnreachable {
		t.Errorf("nobody there: got %+v", trouble)
	}
}

// FuzzParseOverview holds that a line of the overview names a subject and a known scope, in text that can be shown to people.
func FuzzParseOverview(f *testing.F) {
	f.Add("### Certified SCS-compatible IaaS\n| Name | Description | Operator | SCS-compatible IaaS |\n| [G](https://example.org) | x (1 SCS region) | G | [ok](/page/detail/green/scs-compatible-iaas) | [HM](https://example.org) |\n")
	f.Add("| Name | a | b | SCS-compatible KaaS |\n| x | y | z | [ok](/page/detail/a%20b/scs-compatible-kaas) |\n## green: SCS\n")
	f.Fuzz(func(t *testing.T, page string) {
		for _, l := range parseOverview(page) {
			if l.Subject == "" || layerOf(l.Scope) == "" || l.Name != plain(l.Name) || l.Operator != plain(l.Operator) || l.Subject != plain(l.Subject) || l.Regions < 0 {
				t.Fatalf("got %+v", l)
			}
		}
		if members := groupMembers([]byte(page)); len(members) > maxSubjects || !slices.IsSorted(members) {
			t.Fatalf("got %q", members)
		}
	})
}
