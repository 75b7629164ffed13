package conformance

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"time"
)

// Results is what junit_01.xml of a Kubernetes e2e run says. Counts of the body are ours, Declared is what its header says.
type Results struct {
	Declared    Counts     `json:"declared"`
	Cases       int        `json:"cases"`                  // test cases in the body
	Skipped     int        `json:"skipped"`                // of these, not run
	Setup       int        `json:"setup,omitempty"`        // run, but nodes of the suite and no tests: [SynchronizedBeforeSuite], ...
	Conformance int        `json:"conformance"`            // different tests marked [Conformance] that were run
	Others      int        `json:"others,omitempty"`       // run without that mark
	LeftOut     int        `json:"left_out,omitempty"`     // tests marked [Conformance] that were not run
	Failures    int        `json:"failures"`               // conformance tests that failed, and no exception names them
	Failed      []string   `json:"failed,omitempty"`       // examples of these
	Exceptions  int        `json:"exceptions,omitempty"`   // failed, and an exception names them
	Excepted    []Excepted `json:"excepted,omitempty"`     // examples of these
	OtherFailed int        `json:"other_failed,omitempty"` // anything else that failed: tests without that mark, nodes of the suite
	Properties  bool       `json:"properties,omitempty"`   // the suite says how it was run; junit of Kubernetes before 1.25 does not
	Succeeded   string     `json:"succeeded,omitempty"`    // SuiteSucceeded
	Reason      string     `json:"reason,omitempty"`       // SpecialSuiteFailureReason
	Focus       string     `json:"focus,omitempty"`        // FocusStrings
	Skip        string     `json:"skip,omitempty"`         // SkipStrings
	Narrowed    []string   `json:"narrowed,omitempty"`     // other properties that leave tests out
	Retries     int        `json:"retries,omitempty"`      // FlakeAttempts
	DryRun      bool       `json:"dry_run,omitempty"`      // nothing was tested
	RanAt       time.Time  `json:"ran_at,omitzero"`        // start of the run; the file has no time zone, it is read as UTC
}

// Counts is the header of a junit file. Skipped is the number that its writer gives; -1: none.
type Counts struct {
	Tests    int `json:"tests"`
	Skipped  int `json:"skipped"`
	Failures int `json:"failures"`
	Errors   int `json:"errors"`
}

// Excepted is a test that failed and may.
type Excepted struct {
	Test   string `json:"test"`
	Reason string `json:"reason"` // why, by the file of exceptions
}

// Limits of a junit file. The largest suite of 2025 had 7353 cases.
const (
	mostCases  = 2_000_000
	mostNested = 16
)

// markConformance is the mark that makes a test one of conformance (cncf/k8s-conformance, instructions.md).
const markConformance = "[Conformance]"

// readJUnit reads a junit file of a Kubernetes e2e run as a stream, in memory that does not depend on its length.
func readJUnit(data []byte, allowed []exception) (Results, error) {
	r := junitReader{allowed: allowed, tests: map[uint64]struct{}{}, left: map[uint64]struct{}{}}
	r.Declared.Skipped = -1
	err := readCases(data, &r)
	if err == nil && !r.suite {
		err = errors.New("there is no test suite in it")
	}
	r.Conformance, r.LeftOut = len(r.tests), 0
	for h := range r.left {
		if _, ran := r.tests[h]; !ran {
			r.LeftOut++
		}
	}
	return r.Results, err
}

type junitReader struct {
	Results
	allowed []exception
	suite   bool
	headers int
	tests   map[uint64]struct{} // conformance tests that were run, by hash
	left    map[uint64]struct{} // that were not
}

// junitCase is one case of any junit file.
type junitCase struct {
	name, class, status string
	skipped, failed     bool
}

// caseSink takes what readCases finds.
type caseSink interface {
	header(name string, attributes map[string]string)
	property(name, value string)
	junitCase(junitCase)
}

// readCases walks over a junit file. Unknown elements are skipped; text is not looked at.
func readCases(data []byte, sink caseSink) error {
	if looksLikeHTML(data) {
		return errors.New("a web page came instead of the results")
	}
	d := xml.NewDecoder(&tagsOf{data: data})
	var open []string
	var current *junitCase
	cases := 0
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			if len(open) > 0 {
				return fmt.Errorf("the file ends inside %q", oneLine(open[len(open)-1]))
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) >= mostNested {
				return errors.New("elements are nested too deeply")
			}
			open = append(open, t.Name.Local)
			switch t.Name.Local {
			case "testsuites", "testsuite":
				sink.header(t.Name.Local, attributes(t))
			case "property":
				a := attributes(t)
				sink.property(a["name"], a["value"])
			case "testcase":
				if cases++; cases > mostCases {
					return fmt.Errorf("there are more than %d test cases", mostCases)
				}
				a := attributes(t)
				current = &junitCase{name: a["name"], class: a["classname"], status: strings.ToLower(a["status"])}
			case "skipped":
				if current != nil {
					current.skipped = true
				}
			case "failure", "error":
				if current != nil {
					current.failed = true
				}
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != t.Name.Local {
				return fmt.Errorf("the end of %q stands where none begins", oneLine(t.Name.Local))
			}
			open = open[:len(open)-1]
			if t.Name.Local == "testcase" && current != nil {
				sink.junitCase(current.settled())
				current = nil
			}
		}
	}
}

// settled applies the status that newer writers add (ginkgo v2 types.SpecState): whichever of the two is worse counts.
func (c junitCase) settled() junitCase {
	switch c.status {
	case "failed", "panicked", "aborted", "interrupted", "timedout", "timed out", "error":
		c.failed = true
	case "skipped", "pending", "disabled", "notrun":
		c.skipped = true
	}
	if c.failed {
		c.skipped = false
	}
	return c
}

func attributes(e xml.StartElement) map[string]string {
	m := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		if len(m) < 32 {
			m[a.Name.Local] = a.Value
		}
	}
	return m
}

func (r *junitReader) header(name string, a map[string]string) {
	r.suite = true
	if t, err := time.Parse("2006-01-02T15:04:05", a["timestamp"]); err == nil && (r.RanAt.IsZero() || t.Before(r.RanAt)) {
		r.RanAt = t
	}
	if name == "testsuite" && r.headers > 0 {
		return // the counts of all suites stand at the root
	}
	r.headers++
	r.Declared = Counts{Tests: count(a["tests"]), Failures: count(a["failures"]), Errors: count(a["errors"]), Skipped: -1}
	for _, key := range []string{"skipped", "disabled"} {
		if v, ok := a[key]; ok {
			r.Declared.Skipped = max(r.Declared.Skipped, count(v))
		}
	}
}

func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (r *junitReader) property(name, value string) {
	value = oneLine(value)
	switch name {
	case "SuiteSucceeded":
		r.Properties = true
		if r.Succeeded == "" || value != "true" {
			r.Succeeded = value
		}
	case "SpecialSuiteFailureReason":
		r.Reason = value
	case "FocusStrings":
		r.Properties = true
		r.Focus = value
	case "SkipStrings":
		r.Skip = value
	case "LabelFilter", "SemVerFilter", "FocusFiles", "SkipFiles":
		if value != "" {
			r.Narrowed = example(r.Narrowed, name+" "+value)
		}
	case "SuiteHasProgrammaticFocus":
		if value == "true" {
			r.Narrowed = example(r.Narrowed, name)
		}
	case "FlakeAttempts":
		r.Retries = count(value)
	case "DryRun":
		r.DryRun = r.DryRun || value == "true"
	}
}

func (r *junitReader) junitCase(c junitCase) {
	r.Cases++
	name := testName(c.name)
	conformance := strings.Contains(name, markConformance)
	switch {
	case c.skipped && conformance:
		r.left[hashed(name)] = struct{}{}
		r.Skipped++
	case c.skipped:
		r.Skipped++
	case conformance:
		r.tests[hashed(name)] = struct{}{}
	case suiteNode(name):
		r.Setup++
	default:
		r.Others++
	}
	if !c.failed {
		return
	}
	if reason, ok := exceptionFor(r.allowed, c.name); ok {
		r.Exceptions++
		if len(r.Excepted) < mostExamples {
			r.Excepted = append(r.Excepted, Excepted{Test: oneLine(name), Reason: reason})
		}
		return
	}
	if !conformance {
		r.OtherFailed++
		return
	}
	r.Failures++
	r.Failed = example(r.Failed, name)
}

// testName is the name of a test without the mark of its node.
func testName(s string) string { return strings.TrimPrefix(s, "[It] ") }

// suiteNode tells the nodes of a suite from its tests (ginkgo v2 types.NodeType).
func suiteNode(name string) bool {
	for _, node := range []string{"[BeforeSuite]", "[AfterSuite]", "[SynchronizedBeforeSuite]", "[SynchronizedAfterSuite]",
		"[ReportBeforeSuite]", "[ReportAfterSuite]", "[DeferCleanup (Suite)]", "[CleanupAfterSuite]"} {
		if strings.HasPrefix(name, node) {
			return true
		}
	}
	return name == "BeforeSuite" || name == "AfterSuite"
}

func hashed(s string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, s)
	return h.Sum64()
}

// tagsOf passes on the tags of a junit file without text, comments and CDATA: the logs of tests stand there, which may be hundreds
// of megabytes in one piece. Control bytes that XML forbids become blanks.
type tagsOf struct {
	data  []byte
	in    bool // inside a tag
	quote byte // the quotation mark that an attribute began with; 0: none is open
	long  int  // bytes of the tag so far
	err   error
}

// longestTag is the longest tag that is read, in bytes: messages of failures stand in attributes.
const longestTag = 1 << 20

// Read passes on the next tags.
func (r *tagsOf) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && len(r.data) > 0 {
		if !r.in && !r.next() {
			break
		}
		if r.err != nil {
			return n, r.err
		}
		b := r.data[0]
		r.data = r.data[1:]
		if r.long++; r.long > longestTag {
			return n, fmt.Errorf("a tag is longer than %d bytes", longestTag)
		}
		switch {
		case r.quote == 0 && (b == '"' || b == '\''):
			r.quote = b
		case b == r.quote:
			r.quote = 0
		case r.quote == 0 && b == '>':
			r.in = false
		case b < ' ' && b != '\t' && b != '\n' && b != '\r':
			b = ' '
		}
		p[n] = b
		n++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next goes to the next tag; false: there is none. Any other declaration than a comment or CDATA is an error, above all a document
// type, so that no entity can be declared.
func (r *tagsOf) next() bool {
	for {
		i := bytes.IndexByte(r.data, '<')
		if i < 0 {
			r.data = nil
			return false
		}
		r.data = r.data[i:]
		end := -1
		for begin, stop := range map[string]string{"<!--": "-->", "<![CDATA[": "]]>"} {
			if bytes.HasPrefix(r.data, []byte(begin)) {
				if end = bytes.Index(r.data[len(begin):], []byte(stop)); end >= 0 {
					end += len(begin) + len(stop)
				}
			}
		}
		if end < 0 && bytes.HasPrefix(r.data, []byte("<!")) {
			r.err = errors.New("a document type is declared, or a comment has no end: a result of tests has no need for either")
		}
		if end < 0 {
			r.in, r.quote, r.long = true, 0, 0
			return true
		}
		r.data = r.data[end:]
	}
}

// redactJUnit keeps of a junit file the counts, how it was run, and name and result of each case. Messages and logs of tests
// name machines and addresses; nobody needs them here.
func redactJUnit(body []byte) ([]byte, error) {
	w := junitWriter{}
	w.b.WriteString(xml.Header)
	if err := readCases(body, &w); err != nil {
		return nil, err
	}
	w.close()
	return w.b.Bytes(), nil
}

type junitWriter struct {
	b     bytes.Buffer
	open  []string
	props bool
}

func (w *junitWriter) header(name string, a map[string]string) {
	w.endProperties()
	if name == "testsuite" && len(w.open) > 0 && w.open[len(w.open)-1] == "testsuite" {
		w.end()
	}
	w.open = append(w.open, name)
	w.start(name, a, "name", "tests", "skipped", "disabled", "errors", "failures", "time", "timestamp")
	w.b.WriteString(">\n")
}

func (w *junitWriter) property(name, value string) {
	if !w.props {
		w.b.WriteString("<properties>\n")
		w.props = true
	}
	w.start("property", map[string]string{"name": name, "value": value}, "name", "value")
	w.b.WriteString("/>\n")
}

func (w *junitWriter) junitCase(c junitCase) {
	w.endProperties()
	w.start("testcase", map[string]string{"name": c.name, "classname": c.class, "status": c.status}, "name", "classname", "status")
	switch {
	case c.failed:
		w.b.WriteString("><failure/></testcase>\n")
	case c.skipped:
		w.b.WriteString("><skipped/></testcase>\n")
	default:
		w.b.WriteString("/>\n")
	}
}

func (w *junitWriter) start(name string, a map[string]string, keys ...string) {
	w.b.WriteString("<" + name)
	for _, key := range keys {
		if v, ok := a[key]; ok && (v != "" || key == "value") {
			w.b.WriteString(" " + key + `="`)
			xml.EscapeText(&w.b, []byte(v))
			w.b.WriteByte('"')
		}
	}
}

func (w *junitWriter) endProperties() {
	if w.props {
		w.b.WriteString("</properties>\n")
		w.props = false
	}
}

func (w *junitWriter) end() {
	last := len(w.open) - 1
	w.b.WriteString("</" + w.open[last] + ">\n")
	w.open = w.open[:last]
}

func (w *junitWriter) close() {
	w.endProperties()
	for len(w.open) > 0 {
		w.end()
	}
}
