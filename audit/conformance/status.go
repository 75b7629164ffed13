package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Status is what an SCS compliance monitor says about a subject in one scope (standards: compliance-monitor/monitor.py,
// get_status, commit 077174d9). The monitor runs or receives the tests itself, so this is not the operator's word.
type Status struct {
	Scope    string          `json:"scope"` // id
	Group    string          `json:"group,omitempty"`
	Subjects []SubjectStatus `json:"subjects"` // one; of a group: all its members, by name
}

// SubjectStatus is one subject. One that the monitor knows nothing about, or nothing that still counts, has no versions.
type SubjectStatus struct {
	Subject  string          `json:"subject"`
	Scope    string          `json:"scope,omitempty"`    // name of the scope
	Versions []StatusVersion `json:"versions,omitempty"` // those that the timeline of the scope names, newest first
	Tests    []TestCase      `json:"tests,omitempty"`    // of the main targets of these versions, by id
	Results  []Result        `json:"results,omitempty"`  // of these test cases, by id
}

// StatusVersion is one version of the scope, as the monitor judges it.
type StatusVersion struct {
	Version  string        `json:"version"`
	Validity string        `json:"validity"` // on the day of the answer
	Main     []string      `json:"main"`     // test cases that decide
	Outcome  audit.Outcome `json:"outcome"`  // of the monitor; recomputed before it counts
}

const (
	maxStatus     = 32 << 20 // one scope of 25 subjects has about 1.5 MB (2026-08)
	maxDetails    = 4 << 20
	maxSubjects   = 2_000
	groupPrefix   = "group-"
	settleMonitor = "upload test reports to the SCS compliance monitor and name the subject as it stands there"
)

// monitorBase cuts the address of any page of a compliance monitor down to the address of the monitor.
func monitorBase(address string) string {
	if address == "" {
		return handedBase
	}
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.RawQuery, u.Fragment = "", ""
	for _, page := range []string{"/status", "/page", "/markdown", "/fragment"} {
		if i := strings.Index(u.Path+"/", page+"/"); i >= 0 {
			u.Path = u.Path[:i]
			break
		}
	}
	u.RawPath = ""
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	return u.String()
}

// monitorPage reports whether an address is one of the pages of a compliance monitor.
func monitorPage(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	for _, view := range []string{"/page/", "/markdown/", "/fragment/"} {
		if _, rest, ok := strings.Cut(u.Path, view); ok {
			what, _, _ := strings.Cut(rest, "/")
			return slices.Contains([]string{"table", "table_full", "detail", "detail_full"}, what)
		}
	}
	return false
}

func collectStatus(ctx context.Context, t Target, w World) Entry {
	l := &look{entry: Entry{Target: t}, ask: w.Ask}
	uuid, alias := scopeOf(t.Layer)
	if uuid == "" {
		return l.stop(audit.TroubleNotNamed, fmt.Sprintf("there is no SCS-compatible scope for layer %q", plain(t.Layer)), "name layer iaas or kaas")
	}
	if t.Subject == "" {
		return l.stop(audit.TroubleNotNamed, "nobody said what the cloud is called in the compliance monitor", "name its subject, e.g. as in the address of its page there")
	}
	base := monitorBase(t.URL)
	query := url.Values{"subject": {t.Subject}, "scopeuuid": {uuid}}
	group := strings.HasPrefix(t.Subject, groupPrefix)
	if group {
		query.Del("subject") // the monitor resolves groups on its pages only
	}
	a := l.get(ctx, audit.Request{URL: base + "status?" + query.Encode(), Accept: "application/json", Limit: maxStatus})
	if a.Trouble != nil {
		return l.fail(*a.Trouble, settleMonitor)
	}
	all, err := ParseStatus(a.Body)
	if err != nil {
		return l.stop(audit.TroubleContent, "the answer of the compliance monitor cannot be read: "+err.Error(), "ask who runs the monitor")
	}
	l.clockNote(a.Seen)
	status := Status{Scope: uuid}
	members := []string{t.Subject}
	if group {
		status.Group = plain(t.Subject)
		page := l.get(ctx, audit.Request{URL: base + "markdown/detail/" + url.PathEscape(t.Subject) + "/" + alias, Accept: "text/markdown", Limit: maxDetails})
		switch {
		case page.Trouble == nil:
			members = groupMembers(page.Body)
		case t.URL == "" && page.Trouble.Kind == audit.TroubleNotHanded:
			members = slices.Sorted(maps.Keys(all))
			l.note("which subjects are in %s was not handed over: every subject of the file counts", status.Group)
		default:
			return l.fail(*page.Trouble, settleMonitor)
		}
	}
	for _, name := range members {
		status.Subjects = append(status.Subjects, subjectStatus(all, name, uuid))
	}
	l.entry.Status = &status
	return l.entry
}

// subjectStatus picks one subject in one scope; one that the answer does not have stays without versions.
func subjectStatus(all map[string]map[string]SubjectStatus, name, uuid string) SubjectStatus {
	s := all[name][uuid]
	s.Subject = plain(name)
	return s
}

// clockNote says so if the clock of the server is far from ours: its answer leaves out what is too old by its own clock.
func (l *look) clockNote(s audit.Seen) {
	server, err := time.Parse(time.RFC1123, s.Headers["date"])
	if err != nil || s.At.IsZero() {
		return
	}
	if d := server.Sub(s.At); d > mostSkew || d < -mostSkew {
		l.note("the clock of the server says %s where ours says %s; results count by ours", server.UTC().Format(time.RFC3339), s.At.Format(time.RFC3339))
	}
}

// groupMembers reads the subjects of a group from the page of details, where each has a heading "## subject: scope"
// (compliance-monitor/templates/details.md.j2).
func groupMembers(page []byte) []string {
	var out []string
	for line := range strings.Lines(string(page)) {
		heading, ok := strings.CutPrefix(strings.TrimSpace(line), "## ")
		i := strings.LastIndex(heading, ": ")
		if !ok || i <= 0 || len(out) == maxSubjects {
			continue
		}
		if name := heading[:i]; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// statusAnswer is the answer of /status: subject -> scope -> this. Other keys are not needed: buckets, passed and result are
// drawn from the results by the monitor, where "passed" also has versions that have not been tested to the end.
type statusAnswer struct {
	Name      string                 `json:"name"`
	TestCases map[string]statusTest  `json:"testcases"`
	Results   map[string]statusCheck `json:"results"`
	Versions  map[string]statusScore `json:"versions"`
}

type statusTest struct {
	Lifetime    string `json:"lifetime"`
	Description string `json:"description"`
}

type statusCheck struct {
	Result    *int   `json:"result"`
	CheckedAt string `json:"checked_at"`
	Report    string `json:"report"`
}

type statusScore struct {
	Index    int    `json:"_idx"`
	Result   *int   `json:"result"`
	Validity string `json:"validity"`
	Targets  map[string]struct {
		TestCases []string `json:"testcases"`
	} `json:"targets"`
}

// ParseStatus reads the answer of /status: subject, then id of the scope. An empty answer is none of an unknown subject only:
// the monitor leaves out subjects without any result that still counts.
func ParseStatus(data []byte) (map[string]map[string]SubjectStatus, error) {
	if len(data) > maxStatus {
		return nil, fmt.Errorf("%d bytes, but at most %d are read", len(data), maxStatus)
	}
	var answer map[string]map[string]statusAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, errors.New(plain(err.Error()))
	}
	if answer == nil {
		return nil, errors.New("it is null")
	}
	if len(answer) > maxSubjects {
		return nil, fmt.Errorf("%d subjects, but at most %d are read", len(answer), maxSubjects)
	}
	out := map[string]map[string]SubjectStatus{}
	for subject, scopes := range answer {
		out[subject] = map[string]SubjectStatus{}
		for uuid, a := range scopes {
			s, err := a.read()
			if err != nil {
				return nil, fmt.Errorf("subject %q, scope %q: %w", plain(subject), plain(uuid), err)
			}
			s.Subject = plain(subject)
			out[subject][uuid] = s
		}
	}
	return out, nil
}

func (a statusAnswer) read() (SubjectStatus, error) {
	s := SubjectStatus{Scope: plain(a.Name)}
	if len(a.Versions) > maxVersions || len(a.Results) > maxTests || len(a.TestCases) > maxTests {
		return s, fmt.Errorf("more than %d versions or %d test cases", maxVersions, maxTests)
	}
	names := slices.SortedFunc(maps.Keys(a.Versions), func(x, y string) int {
		return cmp.Or(cmp.Compare(a.Versions[x].Index, a.Versions[y].Index), cmp.Compare(x, y))
	})
	needed := map[string]bool{}
	for _, name := range names {
		v := a.Versions[name]
		outcome, err := outcomeOf(v.Result)
		if err != nil {
			return s, fmt.Errorf("version %q: %w", plain(name), err)
		}
		main := slices.Compact(slices.Sorted(slices.Values(v.Targets[TargetMain].TestCases)))
		s.Versions = append(s.Versions, StatusVersion{Version: plain(name), Validity: plain(v.Validity), Main: plainAll(main), Outcome: outcome})
		for _, id := range main {
			needed[id] = true
		}
	}
	return s, a.readTests(&s, slices.Sorted(maps.Keys(needed)))
}

func (a statusAnswer) readTests(s *SubjectStatus, needed []string) error {
	for _, id := range needed {
		life, err := lifetime(a.TestCases[id].Lifetime)
		if err != nil {
			return fmt.Errorf("test case %q: %w", plain(id), err)
		}
		// The answer has no scripts; the description of a test case without a script begins like this in both scopes.
		manual := strings.HasPrefix(strings.TrimSpace(a.TestCases[id].Description), "Manual check")
		s.Tests = append(s.Tests, TestCase{ID: plain(id), Lifetime: life, Manual: manual})
		check, ok := a.Results[id]
		if !ok {
			continue
		}
		outcome, err := outcomeOf(check.Result)
		if err != nil {
			return fmt.Errorf("test case %q: %w", plain(id), err)
		}
		at, naive, err := moment(check.CheckedAt)
		if err != nil {
			return fmt.Errorf("test case %q: %w", plain(id), err)
		}
		s.Results = append(s.Results, Result{ID: plain(id), Outcome: outcome, CheckedAt: at, Naive: naive, Report: plain(check.Report)})
	}
	slices.SortFunc(s.Tests, func(x, y TestCase) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

func plainAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = plain(n)
	}
	return out
}

// outcomeOf reads a result code of SCS (TESTCASE_VERDICTS in scs_cert_lib.py).
func outcomeOf(code *int) (audit.Outcome, error) {
	switch {
	case code == nil:
		return audit.MISS, nil
	case *code == 1:
		return audit.PASS, nil
	case *code == 0:
		return audit.DNF, nil
	case *code == -1:
		return audit.FAIL, nil
	}
	return audit.MISS, fmt.Errorf("unknown result %d; known are 1, 0 and -1", *code)
}

// moment reads a time as SCS writes it: str() or isoformat() of a Python datetime, mostly without a zone. One without a zone
// is read as UTC.
func moment(text string) (at time.Time, naive bool, err error) {
	text = strings.TrimSpace(text)
	iso := strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, iso); err == nil {
			return t.UTC().Truncate(time.Second), false, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, iso); err == nil {
			return t.Truncate(time.Second), true, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is no time", plain(text))
}
