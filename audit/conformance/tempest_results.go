package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// result is how a test ended. The zero value: the results do not name it.
type result uint8

const (
	absent result = iota
	passed
	skipped
	failed
)

// testResult is one test of tempest, by its name without tags and, where known, by its idempotent id.
type testResult struct {
	name   string
	id     string // UUID in lower case; empty: none
	result result
}

// results are the results of one run, in any format.
type results struct {
	format     string
	at         time.Time
	passedOnly bool
	tests      []testResult
}

// mostTests is the most tests that are read of one run; all of tempest with all plugins has some thousands.
const mostTests = 500_000

// readResults finds out the format and reads it.
func readResults(data []byte) (results, error) {
	r, err := parseResults(data)
	if err == nil && len(r.tests) == 0 {
		err = errors.New("no test is named")
	}
	return r, err
}

func parseResults(data []byte) (results, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(head) == 0:
		return results{}, errors.New("the file is empty")
	case head[0] == subunitSignature:
		return readSubunit(head)
	case head[0] == '<':
		return readTempestJUnit(head)
	case beginsObject(head):
		return readRefStack(head)
	}
	return readStestr(head)
}

// beginsObject tells JSON from a line of stestr, which begins with the number of a worker: {0} tempest...
func beginsObject(head []byte) bool {
	rest, ok := bytes.CutPrefix(head, []byte("{"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return ok && (len(rest) == 0 || rest[0] == '"' || rest[0] == '}')
}

// readRefStack reads a result of RefStack (openstack/refstack 0af3a46e, refstack/api/validators.py): tests that passed, and no
// others.
func readRefStack(data []byte) (results, error) {
	var file struct {
		CPID    string `json:"cpid"`
		Results []struct {
			Name string `json:"name"`
			UUID string `json:"uuid"`
		} `json:"results"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return results{}, err
	}
	if file.CPID == "" || file.Results == nil {
		return results{}, errors.New("want a result of RefStack with cpid and results")
	}
	r := results{format: "refstack", passedOnly: true}
	for _, t := range file.Results {
		if err := r.add(t.Name, passed); err != nil {
			return r, err
		}
		if last := len(r.tests) - 1; last >= 0 && r.tests[last].id == "" {
			r.tests[last].id = strings.ToLower(strings.TrimPrefix(t.UUID, "id-"))
		}
	}
	return r, nil
}

// readTempestJUnit reads what subunit2junitxml writes: class and method of a test in two attributes, tags in the name.
func readTempestJUnit(data []byte) (results, error) {
	r := tempestJUnit{results: results{format: "junit"}}
	err := readCases(data, &r)
	if err == nil {
		err = r.err
	}
	return r.results, err
}

type tempestJUnit struct {
	results
	err error
}

func (r *tempestJUnit) header(_ string, a map[string]string) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999999", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, a["timestamp"]); err == nil && r.at.IsZero() {
			r.at = t.UTC().Truncate(time.Second)
		}
	}
}

func (r *tempestJUnit) property(string, string) {}

func (r *tempestJUnit) junitCase(c junitCase) {
	name := c.name
	if c.class != "" && !strings.HasPrefix(name, c.class+".") && !fixture(name) {
		name = c.class + "." + name
	}
	outcome := passed
	switch {
	case c.failed:
		outcome = failed
	case c.skipped:
		outcome = skipped
	}
	if r.err == nil {
		r.err = r.add(name, outcome)
	}
}

// stestrLine is a line of what stestr prints for a test (mtreinish/stestr 0fb2228a, stestr/subunit_trace.py, show_outcome).
func stestrLine() *regexp.Regexp {
	return regexp.MustCompile(`^\{[0-9]{1,4}\} (.+?)(?: \[[0-9., +%s-]{1,40}\])? \.\.\. (ok|FAILED|SKIPPED|[a-z]{1,12})(?:$|[: ])`)
}

// readStestr reads what stestr last or stestr run print. Lines that are none of a test are logs, and left out.
func readStestr(data []byte) (results, error) {
	r := results{format: "stestr"}
	line, colour := stestrLine(), regexp.MustCompile(`\x1b\[[0-9;]*m`)
	kept := regexp.MustCompile(`^` + regexp.QuoteMeta(keptOf) + ` \((junit|stestr|subunit)(?:, run at ([0-9TZ:-]{20}))?\)`)
	for text := range bytes.Lines(data) {
		if len(text) > longestLine {
			text = text[:longestLine]
		}
		text = colour.ReplaceAll(bytes.TrimRight(text, "\r\n"), nil)
		if k := kept.FindSubmatch(text); k != nil && len(r.tests) == 0 {
			r.format = string(k[1])
			r.at, _ = time.Parse(time.RFC3339, string(k[2]))
		}
		m := line.FindSubmatch(text)
		if m == nil {
			continue
		}
		outcome := failed
		switch string(m[2]) {
		case "ok":
			outcome = passed
		case "SKIPPED":
			outcome = skipped
		case "inprogress", "exists":
			continue
		}
		if err := r.add(string(m[1]), outcome); err != nil {
			return r, err
		}
	}
	return r, nil
}

// add takes a test by its name as the runner writes it: with tags, among them the idempotent id.
func (r *results) add(name string, outcome result) error {
	if len(r.tests) >= mostTests {
		return fmt.Errorf("there are more than %d tests", mostTests)
	}
	base, id := splitTest(name)
	if base == "" || base == "process-returncode" {
		return nil
	}
	r.tests = append(r.tests, testResult{base, id, outcome})
	return nil
}

// splitTest splits tempest.api.x.Y.test_z[id-UUID,smoke](scenario) into the name without tags and the id.
func splitTest(s string) (name, id string) {
	s = strings.TrimSpace(s)
	if fixture(s) {
		return s, ""
	}
	begin := strings.IndexByte(s, '[')
	if begin < 0 {
		return s, ""
	}
	end := strings.IndexByte(s[begin:], ']')
	if end < 0 {
		return s, ""
	}
	for tag := range strings.SplitSeq(s[begin+1:begin+end], ",") {
		if uuid, ok := strings.CutPrefix(strings.TrimSpace(tag), "id-"); ok {
			id = strings.ToLower(uuid)
		}
	}
	return s[:begin] + s[begin+end+1:], id
}

// fixture tells the steps around the tests of a class: "setUpClass (tempest.api.x.Y)". When one fails or is skipped, the tests of
// the class do not appear at all.
func fixture(name string) bool { return classOf(name) != "" }

func classOf(name string) string {
	for _, step := range []string{"setUpClass (", "tearDownClass (", "setUpModule (", "tearDownModule ("} {
		if class, ok := strings.CutPrefix(name, step); ok {
			return strings.TrimSuffix(class, ")")
		}
	}
	return ""
}

// indexed finds results by id, by name, and by class for fixtures.
type indexed struct {
	results    results
	ids, names map[string]int
	classes    map[string]int
}

func index(r results) indexed {
	x := indexed{results: r, ids: map[string]int{}, names: map[string]int{}, classes: map[string]int{}}
	for i, t := range r.tests {
		if class := classOf(t.name); class != "" {
			x.keep(x.classes, class, i)
			continue
		}
		x.keep(x.names, t.name, i)
		if t.id != "" {
			x.keep(x.ids, t.id, i)
		}
	}
	return x
}

// keep takes of two results of one test the worse: a retry does not undo a failure.
func (x indexed) keep(m map[string]int, key string, i int) {
	if old, again := m[key]; !again || x.results.tests[i].result > x.results.tests[old].result {
		m[key] = i
	}
}

// of returns how a required test ended and where that stands; -1: nowhere.
func (x indexed) of(t required) (result, int) {
	at := -1
	for _, id := range t.ids {
		if i, ok := x.ids[id]; ok {
			at = i
		}
	}
	if at < 0 {
		for _, name := range append([]string{t.name}, t.aliases...) {
			// A name with another id is another test.
			if i, ok := x.names[name]; ok && (x.results.tests[i].id == "" || len(t.ids) == 0) {
				at = i
			}
		}
	}
	outcome := absent
	if at >= 0 {
		outcome = x.results.tests[at].result
	}
	if i, ok := x.classes[classPart(t.name)]; ok {
		if step := x.results.tests[i].result; step == failed || step == skipped && outcome == absent {
			return step, i
		}
	}
	return outcome, at
}

// classPart is the class of a test.
func classPart(name string) string {
	if i := strings.IndexByte(name, '('); i > 0 {
		name = name[:i]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i]
	}
	return name
}

// redactResults keeps name and result of each test: logs of tests name projects, users and addresses. A format that has nothing
// else stays as it is.
func redactResults(body []byte) ([]byte, error) {
	r, err := parseResults(body)
	if err != nil {
		return nil, err
	}
	if r.format == "refstack" {
		return body, nil
	}
	return r.text(), nil
}

// keptOf begins what is kept of results.
const keptOf = "Only name and result of each test are kept of this file"

// text writes results in the form of stestr, with the id kept as a tag.
func (r results) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s (%s", keptOf, r.format)
	if !r.at.IsZero() {
		fmt.Fprintf(&b, ", run at %s", r.at.Format(time.RFC3339))
	}
	b.WriteString(").\n")
	words := map[result]string{passed: "ok", skipped: "SKIPPED", failed: "FAILED"}
	for _, t := range r.tests {
		name := oneLine(t.name)
		if t.id != "" {
			name += "[id-" + oneLine(t.id) + "]"
		}
		fmt.Fprintf(&b, "{0} %s ... %s\n", name, words[t.result])
	}
	return b.Bytes()
}
