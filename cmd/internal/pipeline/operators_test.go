//go:build unix

package pipeline

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/reports"
)

// The three operators of examples/operators, served on the loopback as the public would see them on this day.
var operatorsDay = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

const operatorsDir = "../../../examples/operators"

// operatorsServer serves the public files of each operator below its name, git addresses that anybody can open, the monitors,
// the compliance monitor, and whatever else a server of an opaque operator does.
func operatorsServer(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		for _, candidate := range []string{rest, rest + ".json", rest + ".xml", rest + ".html", path.Join(rest, "index.html")} {
			data, err := fs.ReadFile(os.DirFS(filepath.Join(operatorsDir, name, "public")), path.Clean(candidate))
			if err == nil {
				w.Header().Set("Content-Type", map[string]string{".json": "application/json", ".xml": "application/xml", ".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8"}[path.Ext(candidate)])
				w.Header().Set("Last-Modified", operatorsDay.AddDate(0, -1, 0).Format(http.TimeFormat))
				w.Write(data)
				return
			}
		}
		http.NotFound(w, r)
	})
	for _, repo := range []string{"exemplary/git/runbooks", "exemplary/git/configuration", "exemplary/git/tools", "exemplary/git/manifesto", "average/git/runbooks"} {
		mux.HandleFunc("/"+repo, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, "<!DOCTYPE html><html><title>%s</title><body><h1>%s</h1><p>README.md LICENSE docs</p></body></html>", repo, repo)
		})
	}
	mux.HandleFunc("/exemplary/prometheus/", func(w http.ResponseWriter, r *http.Request) { promServer(w, r, operatorsDay) })
	mux.HandleFunc("/average/prometheus/", func(w http.ResponseWriter, r *http.Request) {
		promServer(w, r, operatorsDay.Add(-72*time.Hour)) // nobody restarted it after the weekend
	})
	mux.HandleFunc("/opaque/health", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/opaque/auth/realms/cloud/protocol/openid-connect/auth?client_id=grafana", http.StatusFound)
	})
	mux.HandleFunc("/opaque/auth/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		http.ServeFile(w, r, filepath.Join(operatorsDir, "opaque", "public", "login.html"))
	})
	mux.HandleFunc("/opaque/sbom", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "for customers", http.StatusUnauthorized) })
	mux.HandleFunc("/compliance/status", complianceStatus)
	mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "User-agent: *\nDisallow: /admin/") })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// promServer answers like the read API of Prometheus 2.42 (web/api/v1): two series over forty days that end at newest.
func promServer(w http.ResponseWriter, r *http.Request, newest time.Time) {
	w.Header().Set("Content-Type", "application/json")
	answer := func(data any) { json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}) }
	switch path.Base(r.URL.Path) {
	case "buildinfo":
		answer(map[string]string{"version": "2.42.0"})
	case "values":
		answer([]string{"api_error_rate", "api_request_duration_seconds"})
	case "query_range":
		var start, end, step float64
		for key, into := range map[string]*float64{"start": &start, "end": &end, "step": &step} {
			text := r.FormValue(key)
			if at, err := time.Parse(time.RFC3339, text); err == nil {
				*into = float64(at.Unix())
			} else if d, err := time.ParseDuration(text); err == nil {
				*into = d.Seconds()
			} else if _, err := fmt.Sscanf(text, "%g", into); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		oldest := float64(newest.Add(-40 * 24 * time.Hour).Unix())
		var series []any
		for name, value := range map[string]string{"api_error_rate": "0", "api_request_duration_seconds": "0.42"} {
			if !strings.Contains(r.FormValue("query"), name) && !strings.Contains(r.FormValue("query"), "__name__") {
				continue
			}
			var values [][2]any
			for at := start; at <= end && len(values) < 11000; at += step {
				if at >= oldest && at <= float64(newest.Unix()) {
					values = append(values, [2]any{at, value})
				}
			}
			if len(values) > 0 {
				series = append(series, map[string]any{"metric": map[string]string{"__name__": name, "cloud": "exemplary"}, "values": values})
			}
		}
		answer(map[string]any{"resultType": "matrix", "result": series})
	default:
		http.NotFound(w, r)
	}
}

// complianceStatus answers like GET /status of the SCS compliance monitor (standards: compliance-monitor/monitor.py).
func complianceStatus(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	const iaas = "50393e6f-2ae1-4c5c-a62c-3b75f2abef3f"
	w.Header().Set("Content-Type", "application/json")
	subject := r.FormValue("subject")
	out := map[string]any{}
	if subject == "exemplary-cloud" && (r.FormValue("scopeuuid") == "" || r.FormValue("scopeuuid") == iaas) {
		out[subject] = map[string]any{iaas: map[string]any{
			"name": "SCS-compatible IaaS", "testcases": map[string]any{}, "results": map[string]any{},
			"versions": map[string]any{"v5.1": map[string]any{"result": 1, "validity": "effective", "targets": map[string]any{"main": map[string]any{"result": 1}}}},
			"relevant": []string{"v5.1"}, "passed": []string{"v5.1"}, "best_passed": "v5.1", "result": 1, "validity": "effective",
		}}
	}
	json.NewEncoder(w).Encode(out)
}

// operatorsMirror makes clones of what each operator publishes, as they were on their days.
func operatorsMirror(t *testing.T, server string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is needed")
	}
	dir := t.TempDir()
	licence, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		owner, name, from, mail, day string
		files                        map[string]string
	}{
		{"exemplary", "runbooks", "exemplary/runbooks", "ops@exemplary.example", "2026-10-21T10:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"exemplary", "configuration", "exemplary/configuration", "ops@exemplary.example", "2026-11-10T23:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"exemplary", "tools", "exemplary/tools", "ops@exemplary.example", "2026-08-03T10:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"exemplary", "manifesto", "exemplary/manifesto", "somebody@founders.example", "2026-11-20T10:00:00Z", nil},
		{"average", "runbooks", "average/runbooks", "admin@average.example", "2024-05-01T10:00:00Z", map[string]string{
			"scripts/openrc.sh": "export OS_USERNAME=admin\nexport OS_PASSWORD=" + strings.Join([]string{"q7Rk2v", "Xn8Lw4", "Tz9Pm3"}, "") + "\n"}},
	} {
		work := filepath.Join(dir, r.owner+"+"+r.name)
		if err := os.CopyFS(work, os.DirFS(filepath.Join(operatorsDir, r.from))); err != nil {
			t.Fatal(err)
		}
		for name, text := range r.files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{
			{"init", "-q", "-b", "main"}, {"remote", "add", "origin", server + "/" + r.owner + "/git/" + r.name}, {"add", "-A"}, {"commit", "-q", "-m", "Describe how we work"},
		} {
			cmd := exec.Command("git", args...)
			cmd.Dir = work
			cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Operator", "GIT_COMMITTER_NAME=Operator",
				"GIT_AUTHOR_EMAIL="+r.mail, "GIT_COMMITTER_EMAIL="+r.mail, "GIT_AUTHOR_DATE="+r.day, "GIT_COMMITTER_DATE="+r.day)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v: %s", args, err, out)
			}
		}
	}
	return dir
}

// operatorStack is the stack file of one of the three, with addresses of the server.
func operatorStack(name, server string) string {
	s := server + "/" + name
	head := fmt.Sprintf(`schema: pegel/stack/v1
subject: {name: %[1]s-cloud, kind: cloud, exposure: public, operator: {name: %[2]s Cloud, domains: [%[1]s.example]}}
scopes: [scs-sovereign-iaas]
sources: [{containers: {ps: ./none.json}}]
network: {allow: [127.0.0.0/8]}
at: 2026-11-24T06:00:00Z
`, name, strings.ToUpper(name[:1])+name[1:])
	switch name {
	case "exemplary":
		return head + fmt.Sprintf(`transparency:
  status_page: %[1]s/status
  incident_reports: %[1]s/blog/feed.xml
  monitor: {url: "%[1]s/prometheus", name: exemplary}
  runbooks: {repositories: ["%[1]s/git/runbooks"]}
  configuration: {repositories: ["%[1]s/git/configuration"]}
  open_operations:
    url: %[1]s/git/manifesto
    repositories: ["%[1]s/git/tools"]
    links: [{kind: talk, title: How we upgrade, url: "%[1]s/talk", date: 2026-07-09}]
  sbom: %[1]s/sbom.cdx.json
  security_txt: %[1]s
  advisories: %[1]s/security/advisories
  imprint: %[1]s
  certificate_page: %[1]s
conformance:
  scs_compatible:
    - {monitor: "%[2]s/compliance", subject: exemplary-cloud}
    - {certificate: "%[1]s/certificate", subject: exemplary-cloud, version: v5.1, issuer: Forum SCS-Standards, issued: 2026-05-04, layer: iaas}
`, s, server)
	case "average":
		return head + fmt.Sprintf(`transparency:
  status_page: %[1]s/status
  incident_reports: %[1]s/blog/feed.xml
  monitor: {url: "%[1]s/prometheus", name: average}
  runbooks: {repositories: ["%[1]s/git/runbooks"]}
  open_operations: {url: "%[2]s/exemplary/git/manifesto", repositories: ["%[2]s/exemplary/git/tools"]}
  sbom: %[1]s/sbom
  security_txt: %[1]s
  imprint: %[1]s
conformance:
  scs_compatible: {monitor: "%[2]s/compliance", subject: average-cloud}
`, s, server)
	}
	return head + fmt.Sprintf(`transparency:
  status_page: %[1]s/status
  incident_reports: %[1]s/reports
  monitor: %[1]s/health
  runbooks: %[1]s/runbooks
  open_operations: {url: "%[2]s/exemplary/git/manifesto"}
  sbom: %[1]s/sbom
  security_txt: %[1]s
  imprint: %[1]s
`, s, server)
}

func lookAtOperator(t *testing.T, name, server, mirror string) (reports.OperatorView, string) {
	t.Helper()
	stack, err := ParseStack([]byte(operatorStack(name, server)), name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = t.TempDir()
	opt := Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: filepath.Join(t.TempDir(), "bundle"), Mirrors: []string{mirror}}
	view, err := Transparency(context.Background(), stack, opt)
	if err != nil {
		t.Fatal(err)
	}
	return view, opt.Bundle
}

// operatorTable is what the test promises: a line for each question, a mark for each operator.
func operatorTable(views map[string]reports.OperatorView, names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-6s %s\n", "", strings.Join(names, " "))
	for i, a := range views[names[0]].Operator.Answers {
		fmt.Fprintf(&b, "%-6s", a.ID)
		for _, n := range names {
			o := views[n].Operator.Answers[i]
			mark := o.Outcome.String()
			if o.Declared {
				mark += "*"
			}
			fmt.Fprintf(&b, " %-9s", mark)
		}
		b.WriteString("\n")
	}
	for _, part := range []string{"tests", "certificate"} {
		fmt.Fprintf(&b, "%s", part)
		for _, n := range names {
			s := views[n].Operator.Standings[0]
			a := s.Tests
			if part == "certificate" {
				a = s.Certificate
			}
			fmt.Fprintf(&b, " %s%s", a.Outcome, map[bool]string{true: "*"}[a.Declared])
		}
		b.WriteString("\n")
	}
	return b.String()
}

var updateOperators = flag.Bool("update-operators", false, "write the table of the three operators")

func TestTheTableOfThreeOperatorsIsRightInEveryCellAndEachCellOpensItsEvidence(t *testing.T) {
	server := operatorsServer(t)
	mirror := operatorsMirror(t, server.URL)
	names := []string{"exemplary", "average", "opaque"}
	views := map[string]reports.OperatorView{}
	for _, name := range names {
		view, dir := lookAtOperator(t, name, server.URL, mirror)
		views[name] = view
		checkEvidence(t, name, view, dir)
	}
	got := operatorTable(views, names)
	const file = "testdata/operators.txt"
	if *updateOperators {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("the table differs (%v); got\n%s\nwant\n%s", err, got, want)
		for _, n := range names {
			for _, a := range views[n].Operator.Answers {
				t.Logf("%s %s %s: %s", n, a.ID, a.Outcome, a.Reason)
			}
		}
	}
}

// checkEvidence follows each decided cell to its bytes.
func checkEvidence(t *testing.T, name string, view reports.OperatorView, dir string) {
	t.Helper()
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	have := map[audit.Digest]bool{}
	for _, e := range b.Evidence().Blobs {
		have[e.Digest] = true
	}
	for _, a := range view.Operator.Answers {
		if a.Reason == "" {
			t.Errorf("%s %s has no reason", name, a.ID)
		}
		if a.Outcome != audit.PASS && a.Outcome != audit.FAIL && a.Outcome != audit.DNF {
			if a.Outcome == audit.MISS && len(a.Settle) == 0 {
				t.Errorf("%s %s: nobody looked, and nothing says what would settle it", name, a.ID)
			}
			continue
		}
		opens := slices.ContainsFunc(a.Origins, func(o audit.Origin) bool { return o.Commit != "" || have[o.Digest] })
		looked := slices.ContainsFunc(a.Origins, func(o audit.Origin) bool { return o.URL != "" && !o.At.IsZero() })
		if !opens && !looked {
			t.Errorf("%s %s is %s and leads to no evidence: %+v", name, a.ID, a.Outcome, a.Origins)
		}
		if a.Outcome == audit.PASS && !opens {
			t.Errorf("%s %s passes without bytes: %+v", name, a.ID, a.Origins)
		}
	}
	again, err := OperatorOf(dir, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := reports.RenderOperator("json", view, reports.Options{})
	two, _ := reports.RenderOperator("json", again, reports.Options{})
	if string(one) != string(two) {
		t.Errorf("%s: the bundle gives other answers than the run", name)
	}
}
