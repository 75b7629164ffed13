package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// junitOf makes a junit file of the shape that ginkgo v2 writes for Kubernetes since 1.25, after the header of
// cncf/k8s-conformance v1.31/plusserver-pske/junit_01.xml (f26f196f) and with names of our own.
type junitOf struct {
	tests, leftOut, others int
	failed                 []string // names of further conformance tests that failed
	properties             map[string]string
	header                 map[string]int // overrides
	timestamp              string
	text                   string // of failures
}

func (j junitOf) String() string {
	props := map[string]string{"SuiteSucceeded": "true", "FocusStrings": `\[Conformance\]`, "SkipStrings": "", "DryRun": "false", "FlakeAttempts": "2"}
	if len(j.failed) > 0 {
		props["SuiteSucceeded"] = "false"
	}
	for k, v := range j.properties {
		props[k] = v
	}
	var b strings.Builder
	skippedCases := 3 + j.leftOut
	counts := map[string]int{"tests": 2 + j.tests + j.others + len(j.failed) + skippedCases, "disabled": skippedCases, "failures": len(j.failed)}
	for k, v := range j.header {
		counts[k] = v
	}
	if j.timestamp == "" {
		j.timestamp = "2026-09-30T14:58:33"
	}
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
  <testsuites tests="%d" disabled="%d" errors="0" failures="%d" time="6355.4">
      <testsuite name="Kubernetes e2e suite" package="/usr/local/bin" tests="%d" disabled="0" skipped="%d" errors="0" failures="%d" timestamp="%s" hostname="node-1.internal">
          <properties>
`, counts["tests"], counts["disabled"], counts["failures"], counts["tests"], counts["disabled"], counts["failures"], j.timestamp)
	for _, k := range sortedKeys(props) {
		fmt.Fprintf(&b, "<property name=\"%s\" value=\"%s\"></property>\n", k, props[k])
	}
	b.WriteString("</properties>\n")
	one := func(name, status, child string) {
		fmt.Fprintf(&b, `<testcase name="%s" classname="Kubernetes e2e suite" status="%s" time="0.1">%s</testcase>`+"\n", name, status, child)
	}
	one("[SynchronizedBeforeSuite]", "passed", "")
	one("[ReportAfterSuite] Kubernetes e2e suite report", "passed", "")
	for i := range 3 {
		one(fmt.Sprintf("[It] [sig-example] Thing %d should not be asked for", i), "skipped", `<skipped message="skipped"></skipped>`)
	}
	for i := range j.leftOut {
		one(fmt.Sprintf("[It] [sig-example] Left out %d [Conformance]", i), "skipped", `<skipped message="skipped"></skipped>`)
	}
	for i := range j.tests {
		one(fmt.Sprintf("[It] [sig-example] Thing&#39;s number %d should work [Conformance]", i), "passed", "")
	}
	for i := range j.others {
		one(fmt.Sprintf("[It] [sig-example] Other %d", i), "passed", "")
	}
	for _, name := range j.failed {
		one("[It] "+name, "failed", `<failure message="x" type="failed">`+j.text+`</failure><system-err>dial tcp 10.0.0.7:443 on node-1.internal</system-err>`)
	}
	b.WriteString("</testsuite>\n</testsuites>\n")
	return b.String()
}

// files is a folder as it stands in cncf/k8s-conformance.
func (j junitOf) files(version string) map[string]string {
	return map[string]string{
		"PRODUCT.yaml": productYAML, "junit_01.xml": j.String(), "README.md": "# How to reproduce\n",
		"e2e.log": "Running Suite: Kubernetes e2e suite\nSep 30 14:58:35.1: INFO: kube-apiserver version: " + version + ".2\n" +
			"Sep 30 14:59:00.0: INFO: node-1.internal has address 10.0.0.7\n" +
			fmt.Sprintf("\x1b[1mRan %d of 99 Specs in 6355.4 seconds\x1b[0m\n", j.tests+j.others+len(j.failed)) +
			fmt.Sprintf("%s -- \x1b[32m%d Passed\x1b[0m | \x1b[31m%d Failed\x1b[0m | 0 Pending | 5 Skipped\n", map[bool]string{true: "SUCCESS!", false: "FAIL!"}[len(j.failed) == 0], j.tests+j.others, len(j.failed)),
	}
}

const productYAML = `vendor: "Example Cloud GmbH"
name: "Example Kubernetes Engine"
version: v1.18.1
website_url: "https://www.example.org/kubernetes"
documentation_url: https://docs.example.org/
type: "hosted platform"
description: "Kubernetes by example"
contact_email_address : jane.doe@example.org
`

func kubernetesAt(t *testing.T, version string, files map[string]string, more Target) Entry {
	t.Helper()
	w, base := served(t, http.StripPrefix("/conformance/"+version+"/example/", folder(files)))
	more.Kind, more.Layer, more.URL = KindKubernetes, "kaas", base+"/conformance/"+version+"/example"
	return collectKubernetes(t.Context(), more, w)
}

func TestAFolderWithAllTestsPassedIsAPass(t *testing.T) {
	e := kubernetesAt(t, "v1.36", junitOf{tests: 446}.files("v1.36"), Target{Subject: "example cloud"})
	if e.Trouble != nil {
		t.Fatal(e.Trouble)
	}
	got := JudgeKubernetes(e, judged())
	wants(t, got, audit.PASS, "446 conformance tests of Kubernetes v1.36", "Example Kubernetes Engine", "none failed")
	if want := dayOf(2027, 11, 1); !got.ValidUntil.Equal(want) {
		t.Errorf("valid until: want %v, got %v", want, got.ValidUntil)
	}
	r := e.Kubernetes
	if r.Version != "v1.36" || r.Folder != "example" || r.Results.Setup != 2 || r.Results.Retries != 2 || r.Log.Passed != 446 {
		t.Errorf("facts are wrong: %+v", r)
	}
	if len(r.Problems) != 0 || len(r.Missing) != 0 {
		t.Errorf("want no problem, got %q and %q", r.Problems, r.Missing)
	}
	if r.Listed || !strings.Contains(r.Certification(judged()), "no certification") {
		t.Errorf("a folder elsewhere is no certification: %s", r.Certification(judged()))
	}
}

func TestWhatIsWrongWithARunIsSaid(t *testing.T) {
	log := func(files map[string]string, text string) map[string]string { files["e2e.log"] = text; return files }
	product := func(files map[string]string, text string) map[string]string {
		files["PRODUCT.yaml"] = text
		return files
	}
	set := func(name, value string) junitOf {
		return junitOf{tests: 446, properties: map[string]string{name: value}}
	}
	for _, test := range []struct {
		name    string
		files   map[string]string
		target  Target
		outcome audit.Outcome
		words   string
	}{
		{"a test failed", junitOf{tests: 445, failed: []string{"[sig-example] DNS should work [Conformance]"}}.files("v1.36"), Target{},
			audit.FAIL, "1 conformance test failed: [sig-example] DNS should work [Conformance]"},
		{"a failure of another product", junitOf{tests: 445, failed: []string{"x [Conformance]"}}.files("v1.36"), Target{Subject: "Another Cloud"}, audit.DNF, `not of "Another Cloud"`},
		{"another product", junitOf{tests: 446}.files("v1.36"), Target{Subject: "Another Cloud"}, audit.DNF, `not of "Another Cloud"`},
		{"no name of the product", product(junitOf{tests: 446}.files("v1.36"), "vendor: Example\nversion: 1\n"), Target{}, audit.DNF, "does not say which product"},
		{"another focus", set("FocusStrings", "sig-network").files("v1.36"), Target{}, audit.DNF, "sig-network"},
		{"tests left out", set("SkipStrings", "DNS").files("v1.36"), Target{}, audit.DNF, `left out by "DNS"`},
		{"a label filter", set("LabelFilter", "!Slow").files("v1.36"), Target{}, audit.DNF, "LabelFilter !Slow"},
		{"a dry run", set("DryRun", "true").files("v1.36"), Target{}, audit.DNF, "only listed (DryRun)"},
		{"a suite that did not succeed", set("SuiteSucceeded", "false").files("v1.36"), Target{}, audit.DNF, "did not succeed"},
		{"a conformance test was skipped", junitOf{tests: 446, leftOut: 1}.files("v1.36"), Target{}, audit.DNF, "1 conformance test was left out"},
		{"too few tests", junitOf{tests: 440}.files("v1.36"), Target{}, audit.DNF, "440 conformance tests were run; Kubernetes v1.36 has at least 444"},
		{"none at all", junitOf{tests: 0, others: 5}.files("v1.36"), Target{}, audit.DNF, "no test marked [Conformance]"},
		{"a header that counts otherwise", junitOf{tests: 446, header: map[string]int{"tests": 7353}}.files("v1.36"), Target{}, audit.DNF, "counts 7353 tests"},
		{"failures in the header alone", junitOf{tests: 446, header: map[string]int{"failures": 2}}.files("v1.36"), Target{}, audit.DNF, "2 failed"},
		{"another version in the log", junitOf{tests: 446}.files("v1.35"), Target{}, audit.DNF, "e2e.log speaks of Kubernetes v1.35.2, the folder of v1.36"},
		{"another count in the log", log(junitOf{tests: 446}.files("v1.36"), "Ran 446 of 9 Specs in 1 seconds\nFAIL! -- 440 Passed | 6 Failed | 0 Pending\n"), Target{}, audit.DNF, "440 passed and 6 failed"},
		{"a run of tomorrow", junitOf{tests: 446, timestamp: "2026-11-27T00:00:00"}.files("v1.36"), Target{}, audit.DNF, "in the future"},
		{"a run of long ago", junitOf{tests: 446, timestamp: "2025-09-30T00:00:00"}.files("v1.36"), Target{}, audit.MISS, "counted until 2026-11-01"},
		{"no log", func() map[string]string { f := junitOf{tests: 446}.files("v1.36"); delete(f, "e2e.log"); return f }(), Target{}, audit.PASS, "446"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := kubernetesAt(t, "v1.36", test.files, test.target)
			if e.Trouble != nil {
				t.Fatal(e.Trouble)
			}
			wants(t, JudgeKubernetes(e, judged()), test.outcome, test.words)
		})
	}
}

func TestFoldersThatCannotBeReadAreNoFailure(t *testing.T) {
	good := junitOf{tests: 446}.files("v1.36")
	with := func(name, text string) map[string]string {
		files := map[string]string{}
		for k, v := range good {
			files[k] = v
		}
		if text == "" {
			delete(files, name)
		} else {
			files[name] = text
		}
		return files
	}
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><testsuites><testsuite><testcase name="&b;"/></testsuite></testsuites>`
	for _, test := range []struct {
		name  string
		files map[string]string
		kind  string
		words string
	}{
		{"nothing there", map[string]string{}, audit.TroubleNotFound, "404"},
		{"no results", with("junit_01.xml", ""), audit.TroubleNotFound, "404"},
		{"a login page", with("junit_01.xml", `<html><form><input type=password></form></html>`), audit.TroubleLogin, "login"},
		{"a web page", with("PRODUCT.yaml", "<!DOCTYPE html>\n<html>It is a page: yes</html>"), audit.TroubleContent, "a web page came instead of PRODUCT.yaml"},
		{"an entity bomb", with("junit_01.xml", bomb), audit.TroubleContent, "document type"},
		{"an unknown entity", with("junit_01.xml", `<testsuites><testsuite><testcase name="&b;"/></testsuite></testsuites>`), audit.TroubleContent, "entity"},
		{"cut off", with("junit_01.xml", good["junit_01.xml"][:5000]), audit.TroubleContent, "cannot be read"},
		{"nested deeply", with("junit_01.xml", strings.Repeat("<a>", 100)), audit.TroubleContent, "nested too deeply"},
		{"tags that do not match", with("junit_01.xml", "<testsuites></testsuite>"), audit.TroubleContent, "where none begins"},
		{"no suite", with("junit_01.xml", "<rss/>"), audit.TroubleContent, "no test suite"},
		{"text instead of a product", with("PRODUCT.yaml", "just some words"), audit.TroubleContent, "PRODUCT.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := kubernetesAt(t, "v1.36", test.files, Target{})
			if e.Trouble == nil || e.Kubernetes != nil {
				t.Fatalf("want trouble and no facts, got %+v", e.Kubernetes)
			}
			if e.Trouble.Kind != test.kind || !strings.Contains(e.Trouble.Text, test.words) {
				t.Errorf("want %s with %q, got %+v", test.kind, test.words, *e.Trouble)
			}
			if got := JudgeKubernetes(e, judged()); got.Outcome != audit.DNF {
				t.Errorf("want DNF: what cannot be read says nothing about the tests; got %v", got.Outcome)
			}
		})
	}
}

func TestNobodyIsAskedWithoutATargetOrANetwork(t *testing.T) {
	for _, e := range []Entry{
		collectKubernetes(t.Context(), Target{Kind: KindKubernetes}, World{}),
		collectKubernetes(t.Context(), Target{Kind: KindKubernetes, URL: "https://example.org/v1.36/x"}, World{}),
		collectKubernetes(t.Context(), Target{Kind: KindKubernetes, File: "x"}, handed(nil)),
	} {
		got := JudgeKubernetes(e, judged())
		if got.Outcome != audit.MISS || got.Reason == "" {
			t.Errorf("want MISS with a reason, got %v %q", got.Outcome, got.Reason)
		}
	}
	if got := JudgeKubernetes(Entry{}, judged()); got.Outcome != audit.MISS {
		t.Errorf("nothing known is MISS, got %v", got.Outcome)
	}
}

func TestAFolderHandedOverIsReadAndMarked(t *testing.T) {
	e := collectKubernetes(t.Context(), Target{Kind: KindKubernetes, File: "results"}, handed(junitOf{tests: 446}.files("v1.36")))
	if !e.Handed || e.Kubernetes == nil || e.Kubernetes.Version != "v1.36" {
		t.Fatalf("want a run of v1.36 by its log, handed over; got %+v, trouble %+v", e.Kubernetes, e.Trouble)
	}
	wants(t, JudgeKubernetes(e, judged()), audit.PASS, "v1.36")
}

// The shape is that of ginkgo v1: cncf/k8s-conformance v1.20/stackit-kubernetes-engine, v1.10/metakube.
func TestOldResultsAreReadAndProveNothing(t *testing.T) {
	files := junitOf{}.files("v1.20")
	files["junit_01.xml"] = `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Kubernetes e2e suite" tests="2" failures="0" errors="0" time="5462.064">
<testcase name="[sig-a] one  [Conformance]" classname="Kubernetes e2e suite" time="13.1"></testcase>
<testcase name="[sig-a] two [Conformance]" classname="Kubernetes e2e suite" time="1"></testcase>
<testcase name="[sig-a] three" classname="Kubernetes e2e suite" time="0"><skipped></skipped></testcase>
</testsuite>`
	e := kubernetesAt(t, "v1.20", files, Target{})
	if r := e.Kubernetes; r == nil || r.Results.Conformance != 2 || r.Results.Skipped != 1 || r.Results.Properties {
		t.Fatalf("want 2 tests and 1 skipped, got %+v", e)
	}
	wants(t, JudgeKubernetes(e, judged()), audit.DNF, "too old")
}

const exceptionsYAML = `okToFail:
# as in the file of SCS
- regex: Netpol NetworkPolicy between server and client should allow
  reason: Flaky test
- regex: should.enforce.except.clause
  reason: https://example.org/issues/9209
`

func TestTestsThatMayFailAreToleratedAndNamed(t *testing.T) {
	files := junitOf{tests: 445, failed: []string{"[sig-network] Netpol NetworkPolicy between server and client should allow ingress [Conformance]"}}.files("v1.36")
	files["okToFail.yaml"] = exceptionsYAML
	w, base := served(t, http.StripPrefix("/v1.36/example/", folder(files)))
	target := Target{Kind: KindKubernetes, URL: base + "/v1.36/example/"}
	wants(t, JudgeKubernetes(collectKubernetes(t.Context(), target, w), judged()), audit.FAIL, "Netpol")
	target.Config = base + "/v1.36/example/okToFail.yaml"
	e := collectKubernetes(t.Context(), target, w)
	wants(t, JudgeKubernetes(e, judged()), audit.PASS, "1 test failed and may: [sig-network] Netpol", "(Flaky test)")
	if e.Kubernetes.Exceptions != 2 || e.Kubernetes.Results.Exceptions != 1 {
		t.Errorf("want 2 rules and 1 use of them, got %+v", e.Kubernetes)
	}
	files["okToFail.yaml"] = "okToFail:\n- regex: Netpol\n"
	e = collectKubernetes(t.Context(), target, w)
	wants(t, JudgeKubernetes(e, judged()), audit.FAIL, "Netpol")
	if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "regex and reason must both be given") {
		t.Errorf("want a note about the file, got %q", e.Notes)
	}
}

func TestAFileOfExceptionsIsReadAsStrictlyAsSCSReadsIt(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{exceptionsYAML, ""},
		{"okToFail: []", ""},
		{"okToPass: []", "not found"},
		{"okToFail: [{regex: a, reason: b, extra: c}]", "not found"},
		{"okToFail: [{regex: '', reason: b}]", "must both be given"},
		{"okToFail: [{regex: '(?=a)b', reason: b}]", "RE2"},
		{"okToFail: [{regex: '" + strings.Repeat("a", 600) + "', reason: b}]", "600 characters"},
		{"okToFail: [" + strings.Repeat("{regex: a, reason: b},", 1001) + "]", "at most 1000"},
		{"okToFail: x", "cannot unmarshal"},
		{"a: &a [x,x]\nb: &b [*a,*a]\nokToFail: *b", "not found"},
	} {
		_, err := readExceptions([]byte(test.text))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%.40q: want error with %q, got %v", test.text, test.want, err)
		}
	}
}

func TestAProductSheetIsCheckedAsTheCNCFChecksIt(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{productYAML, ""},
		{productYAML + "version: v2\n", `"version" stands there twice`},
		{"vendor: Example\nname: x\nversion: 1\ntype: cluster\n", `type "cluster" is none of`},
		{strings.Replace(productYAML, "https://docs.example.org/", "docs.example.org", 1), "documentation_url is no address"},
		{strings.Replace(productYAML, "https://docs.example.org/", "javascript:alert(1)", 1), "documentation_url is no address"},
		{strings.Replace(productYAML, "contact_email_address", "contact", 1), "contact_email_address is missing"},
		{"vendor: Example\nname: Engine\nversion: 1\ndescription: many things: a load balancer\n", "read line by line"},
		{"vendor: &a Example\nname: *a\nversion: {x: [1,2]}\n", "name is missing"},
	} {
		s, err := readProduct([]byte(test.text))
		if err != nil {
			t.Errorf("%.30q: %v", test.text, err)
		}
		if test.want == "" && len(s.problems) > 0 || test.want != "" && !strings.Contains(strings.Join(s.problems, "\n"), test.want) {
			t.Errorf("%.40q: want a problem with %q, got %q", test.text, test.want, s.problems)
		}
	}
}

func TestTheWorseOfStatusAndChildrenCounts(t *testing.T) {
	for text, want := range map[string][3]int{ // run, left out, failed
		`status="passed"`:                 {1, 0, 0},
		`status="timedout"`:               {1, 0, 1},
		`status="panicked"`:               {1, 0, 1},
		`status="failed"`:                 {1, 0, 1},
		`status="pending"`:                {0, 1, 0},
		`status="passed"><failure/><a b`:  {1, 0, 1},
		`status="skipped"><failure/><a b`: {1, 0, 1},
		`status="passed"><skipped/><a b`:  {0, 1, 0},
	} {
		element := "<testcase name=\"x [Conformance]\" " + text + "/>"
		if strings.Contains(text, ">") {
			element = strings.TrimSuffix(strings.TrimSuffix(element, "/>"), "<a b") + "</testcase>"
		}
		r, err := readJUnit([]byte("<testsuite>"+element+"</testsuite>"), nil)
		if got := [3]int{r.Conformance, r.LeftOut, r.Failures}; err != nil || got != want {
			t.Errorf("%s: want %v, got %v (%v)", element, want, got, err)
		}
	}
}

func TestProductsAreKnownByTheirNames(t *testing.T) {
	p := Product{Vendor: "PlusServer GmbH", Name: "plusserver Kubernetes Engine (PSKE)"}
	for name, want := range map[string]bool{"plusserver": true, "PlusServer": true, "PSKE": true, "plusserver Kubernetes Engine": true,
		"plus": false, "server": false, "GmbH": false, "": false, "Kubernetes Engine of somebody": false} {
		if got := p.Names(name); got != want {
			t.Errorf("%q: want %v, got %v", name, want, got)
		}
	}
}

func TestAddressesInRepositoriesAreReadAsFiles(t *testing.T) {
	for folder, want := range map[string]string{
		"https://github.com/cncf/k8s-conformance/tree/master/v1.31/plusserver-pske":              "https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.31/plusserver-pske/PRODUCT.yaml",
		"https://github.com/cncf/k8s-conformance/blob/master/v1.31/plusserver-pske/junit_01.xml": "https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.31/plusserver-pske/PRODUCT.yaml",
		"https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.33/ZStack%20Cube/":     "https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.33/ZStack%20Cube/PRODUCT.yaml",
		"https://git.example.org/a/b/-/tree/main/v1.31/x":                                        "https://git.example.org/a/b/-/raw/main/v1.31/x/PRODUCT.yaml",
		"file:///results": "file:///results/PRODUCT.yaml",
	} {
		got, err := below(folder, fileProduct)
		if err != nil || got != want {
			t.Errorf("%s: want %s, got %s (%v)", folder, want, got, err)
		}
	}
	if f, v := folderNames("https://github.com/cncf/k8s-conformance/tree/master/v1.31/plusserver-pske/"); f != "plusserver-pske" || v != "v1.31" {
		t.Errorf("want plusserver-pske of v1.31, got %q of %q", f, v)
	}
	for address, want := range map[string]bool{
		"https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.31/x/PRODUCT.yaml":            true,
		"https://raw.githubusercontent.com/cncf/k8s-conformance/refs/heads/master/v1.31/x/PRODUCT.yaml": true,
		"https://raw.githubusercontent.com/example/k8s-conformance/master/v1.31/x/PRODUCT.yaml":         false,
		"https://raw.githubusercontent.com/cncf/k8s-conformance/my-branch/v1.31/x/PRODUCT.yaml":         false,
		"http://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.31/x/PRODUCT.yaml":             false,
	} {
		if got := listed(audit.Seen{URL: address}); got != want {
			t.Errorf("%s: want listed %v, got %v", address, want, got)
		}
	}
	if listed(audit.Seen{URL: "https://raw.githubusercontent.com/cncf/k8s-conformance/master/v1.31/x/PRODUCT.yaml", Handed: "x"}) {
		t.Error("a file handed over was not seen at the CNCF")
	}
}

func TestACertificationLapsesByTheTermsOfTheCNCF(t *testing.T) {
	for version, want := range map[string]time.Time{
		"v1.31": dayOf(2025, time.September, 11), // 9 months after 1.32
		"v1.34": dayOf(2026, time.September, 17), // 9 months after 1.35 of 2025-12-17
		"v1.36": dayOf(2027, time.May, 26),       // 9 months after 1.37
	} {
		r := KubernetesRun{Version: version, Listed: true}
		got, ok := r.Lapses()
		if !ok || !got.Equal(want) {
			t.Errorf("%s: want %v, got %v, %v", version, want, got, ok)
		}
		before, after := r.Certification(want.AddDate(0, 0, -1)), r.Certification(want)
		if !strings.Contains(before, "on its own until") || !strings.Contains(after, "lapsed on") {
			t.Errorf("%s: got %q and %q", version, before, after)
		}
	}
	for _, version := range []string{"v1.37", "v1.99", "", "v2.1"} {
		if _, ok := (KubernetesRun{Version: version}).Lapses(); ok {
			t.Errorf("%s: its end is not known", version)
		}
	}
	list := releases()
	for i := 1; i < len(list); i++ {
		if list[i].minor != list[i-1].minor+1 || !list[i].released.After(list[i-1].released) {
			t.Errorf("releases stand out of order at 1.%d", list[i].minor)
		}
	}
}

func TestNothingAboutMachinesAndPeopleIsKept(t *testing.T) {
	files := junitOf{tests: 3, failed: []string{"x [Conformance]"}, text: "node-1.internal is not ready"}.files("v1.36")
	for name, redact := range map[string]func([]byte) ([]byte, error){"junit_01.xml": redactJUnit, "e2e.log": redactLog, "PRODUCT.yaml": redactProduct} {
		kept, err := redact([]byte(files[name]))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"node-1.internal", "10.0.0.7", "jane.doe"} {
			if bytes.Contains(kept, []byte(secret)) {
				t.Errorf("%s: %q is kept: %s", name, secret, kept)
			}
		}
	}
	if s, err := readProduct([]byte(strings.Replace(productYAML, "jane.doe", "somebody", 1))); err != nil || len(s.problems) > 0 {
		t.Errorf("a redacted sheet must still pass: %v %q", err, s.problems)
	}
}

func TestATestMoreThatFailsNeverHelps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rank := []audit.Outcome{audit.PASS, audit.DNF, audit.MISS, audit.FAIL}
	for range 200 {
		j := junitOf{tests: 440 + random.IntN(12), leftOut: random.IntN(2), others: random.IntN(2)}
		if random.IntN(3) == 0 {
			j.properties = map[string]string{"DryRun": "true"}
		}
		judge := func(j junitOf) audit.Outcome {
			x, err := readJUnit([]byte(j.String()), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := KubernetesRun{Version: "v1.36", Product: Product{Vendor: "a", Name: "b"}, Results: x}
			o, _, _ := r.judge(judged())
			return o
		}
		before := judge(j)
		j.failed = append(j.failed, "further [Conformance]")
		if after := judge(j); slices.Index(rank, after) < slices.Index(rank, before) {
			t.Fatalf("%+v: %v became %v", j, before, after)
		}
	}
}

func FuzzJUnit(f *testing.F) {
	f.Add([]byte(junitOf{tests: 3, leftOut: 1, others: 1, failed: []string{"x [Conformance]"}}.String()))
	f.Add([]byte(`<testsuite tests="1"><testcase name="a &lt;[Conformance]" status="timedout"><skipped/><error/></testcase></testsuite>`))
	f.Add([]byte("<a\x1b/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := readJUnit(data, nil)
		kept, redactErr := redactJUnit(data)
		if err != nil {
			return
		}
		if redactErr != nil {
			t.Fatalf("it can be read but not be redacted: %v", redactErr)
		}
		got, err := readJUnit(kept, nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("what is kept says something else:\n%+v\n%+v %v\n%s", want, got, err, kept)
		}
	})
}

func FuzzLog(f *testing.F) {
	f.Add([]byte(junitOf{tests: 3}.files("v1.36")["e2e.log"]))
	f.Fuzz(func(t *testing.T, data []byte) {
		want := readLog(data)
		kept, err := redactLog(data)
		if err != nil || !reflect.DeepEqual(readLog(kept), want) {
			t.Fatalf("what is kept says something else: %+v %v\n%s", want, err, kept)
		}
	})
}

func FuzzProduct(f *testing.F) {
	f.Add([]byte(productYAML))
	f.Add([]byte("a: &a [*a]\nvendor: x: y\nname: z\nversion: 1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readProduct(data)
		if err == nil && (len(s.Vendor) > longText || strings.ContainsAny(s.Name+s.Vendor, "\x1b\n\u202e")) {
			t.Fatalf("hostile text came through: %+v", s)
		}
		readExceptions(data)
	})
}

func TestLogsOfTestsCostNoMemory(t *testing.T) {
	allocated := func(log string) uint64 {
		data := bytes.ReplaceAll([]byte(junitOf{tests: 500}.String()), []byte("</testcase>"), []byte(log+"</testcase>"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := readJUnit(data, nil)
		runtime.ReadMemStats(&after)
		if err != nil || r.Conformance != 500 {
			t.Fatal(err, r)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	without := allocated("")
	with := allocated("<system-err>" + strings.Repeat("a line of a log\n", 4096) + "</system-err><system-out><![CDATA[" + strings.Repeat("<b>", 1000) + "]]></system-out>")
	if with > 2*without {
		t.Errorf("33 MB of logs took %d bytes of memory, none took %d", with, without)
	}
	long := `<testsuite><testcase name="` + strings.Repeat("x", 2<<20) + `"/></testsuite>`
	if _, err := readJUnit([]byte(long), nil); err == nil || !strings.Contains(err.Error(), "a tag is longer") {
		t.Errorf("want an error about a tag that is too long, got %v", err)
	}
}

// A junit file of 10^5 cases with messages, 212 MB.
func BenchmarkJUnit(b *testing.B) {
	data := []byte(junitOf{tests: 500, others: 99_500}.String())
	data = bytes.ReplaceAll(data, []byte("</testcase>"), append(bytes.Repeat([]byte("log "), 500), "</testcase>"...))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := readJUnit(data, nil)
		if err != nil || r.Conformance != 500 || r.Others != 99_500 {
			b.Fatal(err, r.Conformance)
		}
	}
}
