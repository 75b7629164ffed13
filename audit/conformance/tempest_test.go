package conformance

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// A list of the shape of scs-0128 (standards: Tests/iaas/scs_0128_e2e_testing/tempest-tests-non-admin.lst), with tests of our own.
const listOfTests = `tempest.api.example.test_a.ATest.test_one[id-00000000-0000-4000-8000-000000000001,smoke]
tempest.api.example.test_a.ATest.test_two[id-00000000-0000-4000-8000-000000000002]
tempest.api.example.test_b.BTest.test_three[id-00000000-0000-4000-8000-000000000003,network]
`

// subunitStream makes a stream of subunit version 2, by the description in README.rst of testing-cabal/subunit.
func subunitStream(tests ...[2]string) string {
	status := map[string]uint16{"exists": 1, "inprogress": 2, "success": 3, "uxsuccess": 4, "skip": 5, "fail": 6, "xfail": 7}
	var out []byte
	for i, t := range tests {
		body := binary.BigEndian.AppendUint32(nil, uint32(time.Date(2026, 11, 24, 8, 0, i, 0, time.UTC).Unix()))
		body = append(body, 0) // nanoseconds
		body = append(body, 0x40|byte(len(t[0])>>8), byte(len(t[0])))
		body = append(body, t[0]...)
		packet := []byte{subunitSignature}
		packet = binary.BigEndian.AppendUint16(packet, subunitVersion|subunitTestID|subunitTime|status[t[1]])
		length := len(packet) + 2 + len(body) + 4
		packet = append(packet, 0x40|byte(length>>8), byte(length))
		packet = append(packet, body...)
		out = append(out, binary.BigEndian.AppendUint32(packet, crc32.ChecksumIEEE(packet))...)
	}
	return string(out)
}

// The same run in each format: one and three passed, two failed.
func formats() map[string]string {
	one, two, three := "tempest.api.example.test_a.ATest.test_one", "tempest.api.example.test_a.ATest.test_two", "tempest.api.example.test_b.BTest.test_three"
	id := func(n int) string { return fmt.Sprintf("[id-00000000-0000-4000-8000-00000000000%d,smoke]", n) }
	return map[string]string{
		"subunit": subunitStream([2]string{one + id(1), "exists"}, [2]string{one + id(1), "inprogress"}, [2]string{one + id(1), "success"},
			[2]string{two + id(2), "fail"}, [2]string{three + id(3), "success"}),
		// openstack/stestr prints names without their tags.
		"stestr": "INFO something\n{0} " + one + " [0.412345s] ... ok\n{1} " + two + " [3.000000s] ... \x1b[31mFAILED\x1b[0m\n\nCaptured traceback:\n~~~\n    {x\n{0} " +
			three + " [1.5s +3.00%] ... ok\n\n======\nTotals\n======\nRan: 3 tests in 5.0 sec.\n - Passed: 2\n",
		"junit": `<testsuite errors="0" failures="1" name="" tests="3" time="5.0">
<testcase classname="tempest.api.example.test_a.ATest" name="test_one[id-00000000-0000-4000-8000-000000000001,smoke]" time="0.4"></testcase>
<testcase classname="tempest.api.example.test_a.ATest" name="test_two[id-00000000-0000-4000-8000-000000000002]" time="3"><failure type="testtools">Traceback at 10.0.0.7</failure></testcase>
<testcase classname="tempest.api.example.test_b.BTest" name="test_three[id-00000000-0000-4000-8000-000000000003]" time="3"/></testsuite>`,
	}
}

func tempestFrom(t *testing.T, results, list string) Entry {
	t.Helper()
	w, base := served(t, folder(map[string]string{"results": results, "list": list}))
	return collectTempest(t.Context(), Target{Kind: KindTempest, Layer: "iaas", URL: base + "/results", Config: base + "/list"}, w)
}

func TestOneRunSaysTheSameInEachFormat(t *testing.T) {
	for format, text := range formats() {
		t.Run(format, func(t *testing.T) {
			e := tempestFrom(t, text, listOfTests)
			if e.Trouble != nil {
				t.Fatal(*e.Trouble)
			}
			want := Tally{All: 3, Passed: 2, Failed: 1, FailedTests: []string{"tempest.api.example.test_a.ATest.test_two"}}
			if e.Tempest.Format != format || !reflect.DeepEqual(e.Tempest.Required, want) {
				t.Errorf("want %s %+v, got %s %+v", format, want, e.Tempest.Format, e.Tempest.Required)
			}
			wants(t, JudgeTempest(e, judged()), audit.FAIL, "1 of 3 tests of the list of scs-0128 failed", "test_two")
			passing := strings.NewReplacer("FAILED", "ok", "<failure", "<system-out", "</failure", "</system-out").Replace(text)
			if format == "subunit" {
				passing = subunitStream([2]string{"tempest.api.example.test_a.ATest.test_one[id-00000000-0000-4000-8000-000000000001]", "success"},
					[2]string{"tempest.api.example.renamed.ATest.test_two[id-00000000-0000-4000-8000-000000000002]", "success"},
					[2]string{"tempest.api.example.test_b.BTest.test_three", "xfail"})
			}
			e = tempestFrom(t, passing, listOfTests)
			wants(t, JudgeTempest(e, judged()), audit.PASS, "all 3 tests of the list of scs-0128 passed")
		})
	}
}

func refStack(t *testing.T, ids ...int) string {
	t.Helper()
	type one struct {
		Name string `json:"name"`
		UUID string `json:"uuid,omitempty"`
	}
	var list []one
	for _, n := range ids {
		list = append(list, one{fmt.Sprintf("tempest.api.example.any.Test.test_%d", n), fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n)})
	}
	data, err := json.Marshal(map[string]any{"cpid": "0123abcd", "duration_seconds": 1234, "results": list})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAResultOfRefStackShowsWhatPassedOnly(t *testing.T) {
	wants(t, JudgeTempest(tempestFrom(t, refStack(t, 1, 2, 3), listOfTests), judged()), audit.PASS, "all 3")
	e := tempestFrom(t, refStack(t, 1, 3), listOfTests)
	got := JudgeTempest(e, judged())
	wants(t, got, audit.MISS, "1 of 3 tests", "test_two", "passed only")
	if !strings.Contains(strings.Join(got.Settle, " "), "stestr last --subunit") {
		t.Errorf("want the stream of the run as the way out, got %q", got.Settle)
	}
}

func TestResultsThatProveNothingAreNoPass(t *testing.T) {
	line := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	one, two, three := "{0} tempest.api.example.test_a.ATest.test_one [1s] ... ok", "{0} tempest.api.example.test_a.ATest.test_two [1s] ... ok",
		"{0} tempest.api.example.test_b.BTest.test_three [1s] ... ok"
	for _, test := range []struct {
		name, text string
		outcome    audit.Outcome
		words      string
	}{
		{"one is missing", line(one, three), audit.MISS, "1 of 3 tests of the list of scs-0128 are not among the results: tempest.api.example.test_a.ATest.test_two"},
		{"one was skipped", line(one, strings.Replace(two, "ok", "SKIPPED: no second network", 1), three), audit.DNF, "1 of 3 tests of the list of scs-0128 were skipped"},
		{"the set-up of a class failed", line("{0} setUpClass (tempest.api.example.test_a.ATest) [0.0s] ... FAILED", three), audit.FAIL, "2 of 3"},
		{"the set-up of a class was skipped", line("{0} setUpClass (tempest.api.example.test_a.ATest) ... SKIPPED: x", three), audit.DNF, "2 of 3"},
		{"the end of a class failed", line(one, two, three, "{0} tearDownClass (tempest.api.example.test_b.BTest) [0.0s] ... FAILED"), audit.FAIL, "1 of 3"},
		{"a retry after a failure", line(strings.Replace(one, "ok", "FAILED", 1), one, two, three), audit.FAIL, "test_one"},
		{"an unexpected word", line(strings.Replace(one, "ok", "lost", 1), two, three), audit.FAIL, "test_one"},
		{"another test failed", line(one, two, three, "{0} tempest.api.example.test_c.CTest.test_admin [1s] ... FAILED"), audit.PASS, "of the tests that nobody requires failed: tempest.api.example.test_c.CTest.test_admin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := tempestFrom(t, test.text, listOfTests)
			if e.Trouble != nil {
				t.Fatal(*e.Trouble)
			}
			wants(t, JudgeTempest(e, judged()), test.outcome, test.words)
		})
	}
	t.Run("another test of the same name", func(t *testing.T) {
		e := tempestFrom(t, subunitStream([2]string{"tempest.api.example.test_a.ATest.test_one[id-ffffffff-0000-4000-8000-000000000001]", "success"}), listOfTests)
		if got := e.Tempest.Required; got.Missing != 3 {
			t.Errorf("a test with another id is another test; got %+v", got)
		}
	})
}

func TestARunOfTempestCountsForAWeekAndNotAhead(t *testing.T) {
	e := tempestFrom(t, subunitStream([2]string{"tempest.api.example.test_a.ATest.test_one", "success"},
		[2]string{"tempest.api.example.test_a.ATest.test_two", "success"}, [2]string{"tempest.api.example.test_b.BTest.test_three", "success"}), listOfTests)
	got := JudgeTempest(e, judged())
	wants(t, got, audit.PASS)
	if want := dayOf(2026, 12, 7); !got.ValidUntil.Equal(want) {
		t.Errorf("valid until: want %v, got %v", want, got.ValidUntil)
	}
	wants(t, JudgeTempest(e, dayOf(2026, 12, 8)), audit.MISS, "the run of 2026-11-24 counted until 2026-12-07")
	wants(t, JudgeTempest(e, dayOf(2026, 11, 23)), audit.DNF, "in the future")
}

func TestResultsOrListsThatCannotBeReadAreTrouble(t *testing.T) {
	good := formats()["stestr"]
	for _, test := range []struct{ name, results, list, words string }{
		{"empty results", " ", listOfTests, "the file is empty"},
		{"no test in it", "hello\nworld\n", listOfTests, "no test is named"},
		{"broken JSON", `{"cpid": "x", "results": [`, listOfTests, "unexpected end"},
		{"other JSON", `{"a": 1}`, listOfTests, "want a result of RefStack"},
		{"a cut stream", formats()["subunit"][:100], listOfTests, "cut off"},
		{"a changed stream", strings.Replace(formats()["subunit"], "test_two", "test_fin", 1), listOfTests, "check sum"},
		{"version 1", "\xb3\x10\x00\x08\x00\x00\x00\x00", listOfTests, "version 1 of subunit"},
		{"a web page as results", "<!doctype html><html><body>Not here</body></html>", listOfTests, "a web page came instead"},
		{"a web page as list", good, "<!doctype html><html>list</html>", "a web page came"},
		{"no list", good, "\n# nothing\n", "names no test"},
		{"prose as list", good, "Run all of these tests, please", "line 1 is no name of a test"},
		{"a guideline of another schema", good, `{"schema": "9.0"}`, `schema "9.0"`},
		{"a guideline without tests", good, `{"schema": "1.6", "components": {}, "capabilities": {}}`, "requires no test"},
		{"a guideline with odd tests", good, `{"schema": "1.6", "components": {"compute": {"required": ["a"]}}, "capabilities": {"a": {"tests": 5}}}`, "neither a list"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := tempestFrom(t, test.results, test.list)
			if e.Trouble == nil || e.Trouble.Kind != audit.TroubleContent || !strings.Contains(e.Trouble.Text, test.words) {
				t.Fatalf("want trouble with %q, got %+v and %+v", test.words, e.Trouble, e.Tempest)
			}
			wants(t, JudgeTempest(e, judged()), audit.DNF)
		})
	}
}

func wants404(t *testing.T, e Entry, words string) {
	t.Helper()
	if e.Trouble == nil || !strings.Contains(e.Trouble.Text, words) {
		t.Errorf("want trouble with %q, got %+v", words, e.Trouble)
	}
}

func TestResultsNeedNoPublicAddress(t *testing.T) {
	files := map[string]string{"last.subunit": formats()["subunit"], "tempest-tests-non-admin.lst": listOfTests}
	e := collectTempest(t.Context(), Target{Kind: KindTempest, File: "last.subunit", Config: "tempest-tests-non-admin.lst"}, handed(files))
	if !e.Handed || e.Tempest == nil || e.Tempest.Ran != 3 {
		t.Fatalf("got %+v, trouble %+v", e.Tempest, e.Trouble)
	}
	// Without a list, that of SCS is looked for by its own address, which may be among the files too.
	e = collectTempest(t.Context(), Target{Kind: KindTempest, File: "last.subunit"}, handed(files))
	if e.Tempest == nil || e.Seen[1].URL != listSCS {
		t.Errorf("want a look at the list of SCS, got %+v", e.Seen)
	}
	delete(files, "tempest-tests-non-admin.lst")
	wants404(t, collectTempest(t.Context(), Target{Kind: KindTempest, File: "last.subunit"}, handed(files)), "the list of required tests cannot be read")
	wants404(t, collectTempest(t.Context(), Target{Kind: KindTempest}, handed(files)), "nobody named")
	w, base := served(t, http.NotFoundHandler())
	wants404(t, collectTempest(t.Context(), Target{Kind: KindTempest, URL: base + "/x"}, w), "404")
}

// Guidelines of the shapes of openstack/interop 5f7a8cf9: 2015.03.json (1.2), 2016.08.json (1.6) and 2020.06.json (2.0).
func guidelines() map[string]string {
	ids := func(n int) string { return fmt.Sprintf("id-00000000-0000-4000-8000-00000000000%d", n) }
	return map[string]string{
		"1.2": `{"id": "2015.03", "schema": "1.2", "status": "superseded", "components": {"compute": {"required": ["a", "b"]}, "object": {"required": ["c"]}},
 "capabilities": {"a": {"tests": ["tempest.api.example.test_a.ATest.test_one", "tempest.api.example.test_a.ATest.test_flagged"],
  "flagged": ["tempest.api.example.test_a.ATest.test_flagged"]}, "b": {"tests": ["tempest.api.example.test_a.ATest.test_two"]}, "c": {"tests": ["x.y"]}}}`,
		"1.6": `{"id": "2016.08", "schema": "1.6", "status": "approved", "components": {"compute": {"required": ["a", "b"]}},
 "capabilities": {"a": {"tests": {"tempest.api.example.test_a.ATest.test_one": {"idempotent_id": "` + ids(1) + `"},
  "tempest.api.example.test_a.ATest.test_flagged": {"idempotent_id": "` + ids(9) + `", "flagged": {"date": "2015-05-06", "reason": "x", "action": "y"}}}},
  "b": {"tests": {"tempest.api.example.test_old.ATest.test_two": {"idempotent_id": "` + ids(2) + `"}}}}}`,
		"2.0": `{"metadata": {"id": "2020.06", "schema": "2.0", "source": "x", "os_trademark_approval": {"status": "approved"}},
 "platforms": {"OpenStack Powered Compute": {"components": [{"name": "os_powered_compute"}]}},
 "components": {"os_powered_compute": {"capabilities": {"required": ["a", "b"], "advisory": ["c"]}}, "os_powered_storage": {"capabilities": {"required": ["c"]}}},
 "capabilities": {"a": {"tests": {"tempest.api.example.test_a.ATest.test_one": {"idempotent_id": "` + ids(1) + `"},
   "tempest.api.example.test_a.ATest.test_flagged": {"flagged": {"reason": "x"}}}},
  "b": {"tests": {"tempest.api.example.test_new.ATest.test_two": {"aliases": ["tempest.api.example.test_a.ATest.test_two"]}}}, "c": {"tests": {"x.y": {}}}}}`,
	}
}

func TestGuidelinesOfOpenInfraAreReadInEachSchema(t *testing.T) {
	for schema, text := range guidelines() {
		t.Run(schema, func(t *testing.T) {
			passing := subunitStream([2]string{"tempest.api.example.test_a.ATest.test_one[id-00000000-0000-4000-8000-000000000001]", "success"})
			if schema == "1.6" {
				passing += subunitStream([2]string{"tempest.api.example.test_a.ATest.test_two[id-00000000-0000-4000-8000-000000000002]", "success"})
			} else {
				passing += subunitStream([2]string{"tempest.api.example.test_a.ATest.test_two", "success"})
			}
			e := tempestFrom(t, passing, text)
			if e.Trouble != nil {
				t.Fatal(*e.Trouble)
			}
			if want := (Tally{All: 2, Passed: 2, Flagged: 1}); !reflect.DeepEqual(e.Tempest.Required, want) {
				t.Errorf("want %+v, got %+v", want, e.Tempest.Required)
			}
			if g := e.Tempest.Guideline; g.Schema != schema || g.Capabilities != 2 || len(g.Components) != 1 || g.Status == "" {
				t.Errorf("guideline: got %+v", g)
			}
			wants(t, JudgeTempest(e, judged()), audit.PASS, "all 2 tests of the guideline 20", "retired in September 2025")
			if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "scs-0128") {
				t.Errorf("want a note about the programme, got %q", e.Notes)
			}
		})
	}
}

func TestAFailureOfARetiredGuidelineFailsNothingOfSCS(t *testing.T) {
	failing := "{0} tempest.api.example.test_a.ATest.test_one [1s] ... FAILED\n{0} tempest.api.example.test_a.ATest.test_two [1s] ... ok\n"
	e := tempestFrom(t, failing, guidelines()["2.0"])
	wants(t, JudgeTempest(e, judged()), audit.DNF, "1 of 2 tests of the guideline 2020.06 failed", "retired")
	wants(t, JudgeTempest(e, dayOf(2025, time.June, 1)), audit.FAIL, "1 of 2 tests of the guideline 2020.06 failed")
}

func TestOfResultsOnlyNamesAndOutcomesAreKept(t *testing.T) {
	for format, text := range formats() {
		kept, err := redactResults([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(kept), "10.0.0.7") || strings.Contains(string(kept), "Traceback") || strings.Contains(string(kept), "Captured") {
			t.Errorf("%s: logs are kept: %s", format, kept)
		}
		want, _ := readResults([]byte(text))
		got, err := readResults(kept)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: what is kept says something else:\n%+v\n%+v %v", format, want, got, err)
		}
	}
}

func FuzzResults(f *testing.F) {
	for _, text := range formats() {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"cpid":"x","results":[{"name":"a.b","uuid":"c"}]}`))
	f.Add([]byte("{0} setUpClass (a.b) ... SKIPPED: x"))
	list, err := readList([]byte(listOfTests))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readResults(data)
		if err != nil {
			return
		}
		run := compare(r, list)
		if x := run.Required; x.Passed+x.Failed+x.Skipped+x.Missing != x.All || x.All != 3 {
			t.Fatalf("the counts do not add up: %+v", x)
		}
		kept, err := redactResults(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readResults(kept)
		if err != nil || len(again.tests) > len(r.tests) {
			t.Fatalf("what is kept cannot be read: %v\n%s", err, kept)
		}
		if o, _, _ := run.judge(judged()); o == audit.PASS && run.Required.Passed != 3 {
			t.Fatalf("PASS though not all passed: %+v", run.Required)
		}
	})
}

func FuzzRequirements(f *testing.F) {
	f.Add([]byte(listOfTests))
	for _, text := range guidelines() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readRequirements(data)
		if err == nil && (len(r.tests) == 0 || len(r.tests) > mostRequired) {
			t.Fatalf("%d tests", len(r.tests))
		}
		if o, _, _ := compare(results{}, r).judge(judged()); err == nil && o != audit.MISS {
			t.Fatalf("without results nothing is known, got %v", o)
		}
	})
}

func BenchmarkTempest(b *testing.B) {
	var list, text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&list, "tempest.api.example.test_a.ATest.test_%d[id-%032d]\n", i, i)
		fmt.Fprintf(&text, "{0} tempest.api.example.test_a.ATest.test_%d [1.0s] ... ok\n", i)
	}
	if _, err := readList([]byte(list.String())); err == nil {
		b.Fatal("a list of 10^5 tests is no list of SCS")
	}
	list.Reset()
	list.WriteString(listOfTests)
	required, _ := readList([]byte(list.String()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := readResults([]byte(text.String()))
		if err != nil || compare(r, required).Ran != 100_000 {
			b.Fatal(err)
		}
	}
}
