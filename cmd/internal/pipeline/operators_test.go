//go:build unix

package pipeline

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// The three operators of examples/operators, served on the loopback as the public would see them on this day.
var operatorsDay = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

const operatorsDir = "../../../examples/operators"

// operatorServer serves the public files of one operator at the root of a host of its own, its monitor, and whatever else a
// server of an opaque operator does.
func operatorServer(t *testing.T, name string) *httptest.Server {
	t.Helper()
	public := os.DirFS(filepath.Join(operatorsDir, name, "public"))
	types := map[string]string{".json": "application/json", ".xml": "application/xml", ".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8"}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		asked := strings.Trim(r.URL.Path, "/")
		for _, candidate := range []string{asked, asked + ".json", asked + ".xml", asked + ".html", path.Join(asked, "index.html")} {
			data, err := fs.ReadFile(public, path.Clean(candidate))
			if err != nil || types[path.Ext(candidate)] == "" {
				continue
			}
			w.Header().Set("Content-Type", types[path.Ext(candidate)])
			w.Header().Set("Date", operatorsDay.Format(http.TimeFormat))
			w.Header().Set("Last-Modified", operatorsDay.AddDate(0, -1, 0).Format(http.TimeFormat))
			w.Write(data)
			return
		}
		http.NotFound(w, r)
	})
	mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "User-agent: *\nDisallow: /admin/") })
	newest := map[string]time.Time{"exemplary": operatorsDay, "average": operatorsDay.Add(-72 * time.Hour)} // average: nobody restarted it after the weekend
	if at, ok := newest[name]; ok {
		mux.HandleFunc("/prometheus/", func(w http.ResponseWriter, r *http.Request) { promServer(w, r, at) })
	}
	mux.HandleFunc("/realms/cloud/", func(w http.ResponseWriter, r *http.Request) { signInServer(w, r, name) })
	if name == "opaque" {
		mux.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/auth/realms/cloud/protocol/openid-connect/auth?client_id=grafana", http.StatusFound)
		})
		mux.HandleFunc("/auth/", func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, filepath.Join(operatorsDir, "opaque", "public", "login.html"))
		})
		mux.HandleFunc("/sbom", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "for customers", http.StatusUnauthorized) })
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// signInServer answers as Keycloak 26 does (services: OIDCWellKnownProvider, SAMLEndpoint): OpenID Connect Discovery of a realm and,
// for the exemplary cloud, the metadata of the service provider by which it takes users of a partner.
func signInServer(w http.ResponseWriter, r *http.Request, name string) {
	realm := "http://" + r.Host + "/realms/cloud"
	switch {
	case name != "opaque" && r.URL.Path == "/realms/cloud/.well-known/openid-configuration":
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": realm, "authorization_endpoint": realm + "/protocol/openid-connect/auth", "token_endpoint": realm + "/protocol/openid-connect/token",
			"jwks_uri": realm + "/protocol/openid-connect/certs", "response_types_supported": []string{"code", "none", "id_token"},
			"subject_types_supported": []string{"public", "pairwise"}, "id_token_signing_alg_values_supported": []string{"PS384", "RS384", "EdDSA", "ES384", "RS256"},
		})
	case name == "exemplary" && r.URL.Path == "/realms/cloud/broker/partner/endpoint/descriptor":
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%[1]s"><md:SPSSODescriptor AuthnRequestsSigned="true" `+
			`protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:names:tc:SAML:1.1:protocol"><md:AssertionConsumerService isDefault="true" index="1" `+
			`Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%[1]s/broker/partner/endpoint"/></md:SPSSODescriptor></md:EntityDescriptor>`, realm)
	default:
		http.NotFound(w, r)
	}
}

// othersServer serves what is no operator's: the compliance monitor, and a forge with the repositories below root.
func othersServer(t *testing.T, root string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/compliance/status", complianceStatus)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal("git is needed")
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Root: "/", Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		owner, rest, repository := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
		name, file, _ := strings.Cut(rest, "/")
		if !repository {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/" + owner + "+" + name + "/.git/" + file
		backend.ServeHTTP(w, r)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// promServer answers like the read API of Prometheus 2.42 (web/api/v1), with the metrics of scs-health-monitor (docs/Metric_List.md)
// over forty days that end at newest.
func promServer(w http.ResponseWriter, r *http.Request, newest time.Time) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", operatorsDay.Format(http.TimeFormat))
	answer := func(data any) { json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}) }
	query := r.FormValue("query")
	switch p := r.URL.Path; {
	case strings.HasSuffix(p, "/status/buildinfo"):
		answer(map[string]string{"version": "2.42.0"})
	case strings.HasSuffix(p, "/__name__/values"):
		answer([]string{"openstack_http_requests_total", "openstack_http_response_time_sum", "up"})
	case strings.HasSuffix(p, "/cloud/values"):
		answer([]string{"exemplary", "average"})
	case strings.HasSuffix(p, "/query"):
		answer(map[string]any{"resultType": "vector", "result": []any{map[string]any{"metric": map[string]string{}, "value": []any{newest.Unix(), fmt.Sprint(newest.Unix())}}}})
	case strings.HasSuffix(p, "/query_range"):
		start, err1 := strconv.ParseInt(r.FormValue("start"), 10, 64)
		end, err2 := strconv.ParseInt(r.FormValue("end"), 10, 64)
		if err1 != nil || err2 != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var values [][2]any
		for at := max(start, newest.AddDate(0, 0, -40).Unix()); at <= min(end, newest.Unix()); at += 3600 {
			value := 0.40 + float64(at/3600%5)/100 // response times
			if strings.Contains(query, "requests_total") {
				value = float64(at/3600%7) / 10000 // a few calls fail now and then
			}
			values = append(values, [2]any{at, fmt.Sprint(value)})
		}
		answer(map[string]any{"resultType": "matrix", "result": []any{map[string]any{"metric": map[string]string{}, "values": values}}})
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
			"name":      "SCS-compatible IaaS",
			"testcases": map[string]any{"image-metadata-check": map[string]any{"id": "image-metadata-check", "lifetime": "week", "description": "Images say what they are."}},
			"results":   map[string]any{"image-metadata-check": map[string]any{"result": 1, "checked_at": "2026-11-23T04:00:00", "report": "0b1f7a1e-0000-4000-8000-000000000001"}},
			"versions": map[string]any{"v5.1": map[string]any{"result": 1, "validity": "effective", "targets": map[string]any{
				"main": map[string]any{"result": 1, "testcases": []string{"image-metadata-check"}}}}},
			"relevant": []string{"v5.1"}, "passed": []string{"v5.1"}, "best_passed": "v5.1", "result": 1, "validity": "effective",
		}}
	}
	json.NewEncoder(w).Encode(out)
}

// operatorsMirror makes clones of what each operator publishes, as they were on their days.
func operatorsMirror(t *testing.T) string {
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
		{"exemplary", "images", "exemplary/images", "ops@exemplary.example", "2026-11-18T10:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"average", "images", "average/images", "admin@average.example", "2026-09-02T10:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"exemplary", "tools", "exemplary/tools", "ops@exemplary.example", "2026-08-03T10:00:00Z", map[string]string{"LICENSE": string(licence)}},
		{"SovereignCloudStack", "open-operations-manifesto", "exemplary/manifesto", "somebody@founders.example", "2026-11-20T10:00:00Z", nil},
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
			{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "Describe how we work"},
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

// operatorStack is the stack file of one of the three: its own host, and that of the others.
func operatorStack(name, own, others string) string {
	head := fmt.Sprintf(`schema: pegel/stack/v1
subject: {name: %[1]s-cloud, kind: cloud, exposure: public, operator: {name: %[2]s Cloud, domains: [%[1]s.example]}}
scopes: [scs-sovereign-iaas]
sources: [{containers: {ps: ./none.json}}]
network: {allow: [127.0.0.0/8]}
at: 2026-11-24T06:00:00Z
`, name, strings.ToUpper(name[:1])+name[1:])
	body := map[string]string{
		"exemplary": `transparency:
  status_page: OWN/status
  incident_reports: OWN/blog/feed.xml
  monitor: {url: "OWN/prometheus", name: exemplary}
  runbooks: {repositories: ["OTHERS/exemplary/runbooks"]}
  configuration: {repositories: ["OTHERS/exemplary/configuration"]}
  open_operations:
    repositories: ["OTHERS/exemplary/tools"]
    links: [{kind: talk, title: How we upgrade, url: "OWN/talk", date: 2026-07-09}]
  sbom: OWN/sbom.cdx.json
  security_txt: OWN
  advisories: OWN/security/advisories
  imprint: OWN
  certificate_page: OWN
  patches: {url: "OTHERS/exemplary/images", path: patches/2025.1}
  identity: [OWN/realms/cloud, "OWN/realms/cloud/broker/partner/endpoint/descriptor"]
conformance:
  scs_compatible:
    - {monitor: "OTHERS/compliance", subject: exemplary-cloud}
    - {certificate: "OWN/certificate", subject: exemplary-cloud, version: v5.1, issuer: Forum SCS-Standards, issued: 2026-05-04, layer: iaas}
`,
		"average": `transparency:
  status_page: OWN/status
  incident_reports: OWN/blog/feed.xml
  monitor: {url: "OWN/prometheus", name: average}
  runbooks: {repositories: ["OTHERS/average/runbooks"]}
  open_operations: {repositories: ["OTHERS/exemplary/tools"]}
  sbom: OWN/sbom
  security_txt: OWN
  imprint: OWN
  patches: {url: "OTHERS/average/images", path: patches}
  identity: OWN/realms/cloud
conformance:
  scs_compatible: {monitor: "OTHERS/compliance", subject: average-cloud}
`,
		"opaque": `transparency:
  status_page: OWN/status
  incident_reports: OWN/reports
  monitor: OWN/health
  runbooks: OWN/runbooks
  open_operations: {repositories: ["OTHERS/exemplary/tools"]}
  sbom: OWN/sbom
  security_txt: OWN
  imprint: OWN
`,
	}[name]
	return head + strings.NewReplacer("OWN", own, "OTHERS", others).Replace(body)
}

func lookAtOperator(t *testing.T, name, own, others, mirror string) (reports.OperatorView, string) {
	t.Helper()
	stack, err := ParseStack([]byte(operatorStack(name, own, others)), name+".yaml")
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
	mirror := operatorsMirror(t)
	others := othersServer(t, mirror).URL
	names := []string{"exemplary", "average", "opaque"}
	views := map[string]reports.OperatorView{}
	for _, name := range names {
		view, dir := lookAtOperator(t, name, operatorServer(t, name).URL, others, mirror)
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
			for _, s := range views[n].Operator.Standings {
				t.Logf("%s %s tests %s: %s; certificate %s: %s", n, s.Words, s.Tests.Outcome, s.Tests.Reason, s.Certificate.Outcome, s.Certificate.Reason)
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

func TestAnAuditComparesThePublishedSBOMAndPutsLevelTwoOnTheLadder(t *testing.T) {
	mirror := operatorsMirror(t)
	text := operatorStack("exemplary", operatorServer(t, "exemplary").URL, othersServer(t, mirror).URL)
	sources := `sources:
  - osism: {release: ./release/9.0.0}
  - containers: {ps: ./ps/*.json, images: ./images/*.json}
  - kubernetes: {pods: ./pods.json, nodes: ./nodes.json, objects: ./replicasets.json, cluster: prod, exclude: [customer-*]}
`
	stack, err := ParseStack([]byte(strings.Replace(text, "sources: [{containers: {ps: ./none.json}}]\n", sources, 1)+"collect: {forges: false}\n"), "exemplary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = "../../../examples/cloud"
	dir := filepath.Join(t.TempDir(), "bundle")
	g, err := prepare(stack, Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: dir, Mirrors: []string{mirror}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	inventory := g.inventory(ctx)
	seen := g.operator(ctx, g.visitor(), inventory, g.packages(ctx, inventory), nil)
	facts := seen.Of("sbom")[0].SBOM
	if facts == nil || facts.Deployed == 0 || facts.Named == 0 || facts.Named > facts.Deployed {
		t.Fatalf("the published SBOM was not compared with what runs: %+v", facts)
	}
	d := dossier{operator: seen, levels: g.levels(ctx, g.visitor()), profiles: g.policy.Profiles(), policy: g.policy}
	d.stack.AssessedAt, d.stack.Subject, d.stack.Scopes = operatorsDay, stack.Subject, stack.Scopes
	for _, r := range d.operatorResults() {
		if r.Indicator.ID == "SB-03" && r.Outcome == audit.MISS {
			t.Errorf("SB-03: %s", r.Reason)
		}
	}
	if state, reason := d.levelRung("iaas"); state != "undetermined" || !strings.Contains(reason, "certified by the operator's word") {
		t.Errorf("level 2 is %s: %s; want undetermined, since only the operator names a certificate", state, reason)
	}
	if state, _ := d.levelRung("kaas"); state == "reached" || state == "undetermined" {
		t.Errorf("tests of IaaS serve KaaS: %s", state)
	}
}

func TestPassingTestsWithoutACertificateAreTechnicallyMetOnly(t *testing.T) {
	mirror := operatorsMirror(t)
	text := operatorStack("exemplary", operatorServer(t, "exemplary").URL, othersServer(t, mirror).URL)
	before, _, _ := strings.Cut(text, "    - {certificate:")
	stack, err := ParseStack([]byte(before), "exemplary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	view, err := Transparency(context.Background(), stack, Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: dir, Mirrors: []string{mirror}})
	if err != nil {
		t.Fatal(err)
	}
	s := view.Operator.Standings[0]
	if s.Tests.Outcome != audit.PASS || s.Certificate.Outcome == audit.PASS || s.Words != "technically met, not certified" {
		t.Errorf("%s: tests %s, certificate %s", s.Words, s.Tests.Outcome, s.Certificate.Outcome)
	}
	d, err := openDossier(dir, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sub := d.compatibleSubject("iaas")
	if p := sub.Record.(policies.Prerequisite); p.Held || !p.TestsPass {
		t.Errorf("the record is %+v", p)
	}
	if len(sub.Unknown) != 1 || sub.Unknown[0].Field != "held" || !strings.Contains(sub.Unknown[0].Reason, "technically met, not certified") {
		t.Errorf("what is not known: %+v", sub.Unknown)
	}
}

func TestEveryIndicatorAboutAnOperatorHasNumbersAndAFact(t *testing.T) {
	policy, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	rules := policy.Profile().Transparency
	fields := policies.FieldsOf(policies.KindOperator)
	answered := map[string]bool{"notApplicable": true}
	for _, i := range transparency.All() {
		if _, ok := rules.Indicators[i.ID]; !ok {
			t.Errorf("%s has no rule in the profile", i.ID)
		}
		field, ok := operatorFields()[i.ID]
		if !ok || !slices.Contains(fields, field) {
			t.Errorf("%s answers no fact of rules: %q", i.ID, field)
		}
		if answered[field] {
			t.Errorf("two indicators answer %s", field)
		}
		answered[field] = true
		if !slices.Contains(transparency.Kinds(), i.Kind) || operatorCollectors()[i.Kind] == nil {
			t.Errorf("%s asks about %s, at which nobody looks", i.ID, i.Kind)
		}
	}
	if len(rules.Indicators) != len(transparency.All()) {
		t.Errorf("the profile has %d rules for %d indicators", len(rules.Indicators), len(transparency.All()))
	}
	for _, f := range fields {
		if !answered[f] && !slices.Contains(operatorDeclared(), f) {
			t.Errorf("no indicator answers %s", f)
		}
	}
	for exposure, kinds := range rules.Public {
		for _, kind := range kinds {
			if !slices.Contains(transparency.Kinds(), kind) {
				t.Errorf("%s: %s is no kind of artifact", exposure, kind)
			}
		}
	}
}

func TestFromTheAddressOfAnOperatorItsArtifactsAreFound(t *testing.T) {
	server := operatorServer(t, "exemplary")
	stack, err := OutsideStack(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stack.Network.Allow = []string{"127.0.0.0/8"}
	view, err := Transparency(context.Background(), stack, Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: filepath.Join(t.TempDir(), "b")})
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]audit.Outcome{}
	for _, a := range view.Operator.Answers {
		outcomes[a.ID] = a.Outcome
	}
	for _, id := range []string{"SP-01", "SB-01", "SC-01", "AD-01", "IM-01", "CP-01"} {
		if outcomes[id] != audit.PASS {
			t.Errorf("%s is %s from the address alone", id, outcomes[id])
		}
	}
	if outcomes["RB-01"] != audit.MISS || outcomes["HM-01"] != audit.MISS {
		t.Errorf("what no page links to is %s and %s, want MISS", outcomes["RB-01"], outcomes["HM-01"])
	}
}
