package transparency

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// ReportMatch says which report belongs to which incident.
type ReportMatch struct {
	Incident int    // place among the incidents
	Report   int    // place among the reports
	By       string // address, id, date and component, date
}

// Matching is what can be told of reports and incidents together.
type Matching struct {
	Matches []ReportMatch // in the order of the incidents; each incident and each report at most once
	// Unclear lists reports that may belong to more than one incident, with these incidents. Whether one of these has a
	// report is not known.
	Unclear []UnclearReport
}

// UnclearReport is a report that fits more than one incident.
type UnclearReport struct {
	Report    int
	Incidents []int
}

// Numbers of the matching.
const (
	// reportSlack is how far the times of a report and of its incident may lie apart: people write local times without the zone, and
	// status pages open late. The zones of Europe are at most three hours from UTC.
	reportSlack = 3 * time.Hour
	// incidentOpenEnd is how long an incident without an end is taken to last.
	incidentOpenEnd = 24 * time.Hour
)

// Match finds the report of each incident: first by the address or id that one of the two names, then by overlapping times
// where the components do not contradict. A report that fits several incidents equally well is no report of any: it is unclear.
func Match(incidents []Incident, reports []IncidentReport) Matching {
	m := reportMatcher{incidents: incidents, reports: reports, incident: map[int]int{}, report: map[int]ReportMatch{}}
	m.named()
	unclear := m.dated()
	out := Matching{Unclear: unclear}
	for _, match := range m.report {
		out.Matches = append(out.Matches, match)
	}
	slices.SortFunc(out.Matches, func(a, b ReportMatch) int { return a.Incident - b.Incident })
	return out
}

type reportMatcher struct {
	incidents []Incident
	reports   []IncidentReport
	incident  map[int]int         // report of an incident
	report    map[int]ReportMatch // match of a report
}

func (m *reportMatcher) join(incident, report int, by string) {
	m.incident[incident] = report
	m.report[report] = ReportMatch{Incident: incident, Report: report, By: by}
}

// named joins what names each other. Where one report is named for several incidents, it belongs to the one whose times fit
// best; the order of the incidents decides between equals.
func (m *reportMatcher) named() {
	addresses, ids := m.index()
	for r, report := range m.reports {
		best, by := -1, ""
		for _, i := range m.candidates(report, addresses, ids) {
			if _, taken := m.incident[i]; taken {
				continue
			}
			if best < 0 || reportDistance(m.incidents[i], report) < reportDistance(m.incidents[best], report) {
				best, by = i, matchedBy(m.incidents[i], report)
			}
		}
		if best >= 0 {
			m.join(best, r, by)
		}
	}
}

// index lists the incidents by their addresses and ids, so that matching costs no more than reading both lists.
func (m *reportMatcher) index() (addresses, ids map[string][]int) {
	addresses, ids = map[string][]int{}, map[string][]int{}
	for i, incident := range m.incidents {
		for _, address := range []string{incident.URL, incident.Report} {
			if a := bareAddress(address); a != "" && !slices.Contains(addresses[a], i) {
				addresses[a] = append(addresses[a], i)
			}
		}
		if id := strings.ToLower(incident.ID); id != "" {
			ids[id] = append(ids[id], i)
		}
	}
	return addresses, ids
}

func (m *reportMatcher) candidates(r IncidentReport, addresses, ids map[string][]int) []int {
	found := slices.Concat(addresses[bareAddress(r.URL)], addresses[bareAddress(r.Incident)], ids[strings.ToLower(strings.TrimPrefix(r.Incident, "#"))])
	if last := lastOfAddress(r.Incident); last != "" {
		found = append(found, ids[strings.ToLower(last)]...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func matchedBy(i Incident, r IncidentReport) string {
	if a := bareAddress(r.URL); a != "" && (a == bareAddress(i.URL) || a == bareAddress(i.Report)) {
		return "address"
	}
	if a := bareAddress(r.Incident); a != "" && (a == bareAddress(i.URL) || a == bareAddress(i.Report)) {
		return "address"
	}
	return "id"
}

// bareAddress is an address without what does not tell pages apart: scheme, www, query, fragment, last slash.
func bareAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimRight(u.EscapedPath(), "/")
}

// lastOfAddress is the last part of the path of an address, which status pages use as id; "" if it is no address.
func lastOfAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.TrimRight(u.Path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// dated joins by time and component what nothing names. Among the incidents that overlap with a report in time, those win
// whose components it names; a report left with several is unclear.
func (m *reportMatcher) dated() []UnclearReport {
	order := make([]int, 0, len(m.incidents))
	for i, incident := range m.incidents {
		if _, taken := m.incident[i]; !taken && !incident.Begin.IsZero() && !incident.Maintenance {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return m.incidents[a].Begin.Compare(m.incidents[b].Begin) })
	longest := time.Duration(0)
	for _, i := range order {
		_, end := incidentSpan(m.incidents[i])
		longest = max(longest, end.Sub(m.incidents[i].Begin))
	}
	fits := map[int][]int{}
	by := map[int]string{}
	var open []int // reports, in their order
	for r, report := range m.reports {
		if _, done := m.report[r]; done || report.Begin.IsZero() {
			continue
		}
		fit, agree := m.overlapping(order, longest, report)
		by[r] = "date"
		if len(agree) > 0 {
			fit, by[r] = agree, "date and component"
		}
		fits[r] = fit
		open = append(open, r)
	}
	return m.settle(open, fits, by)
}

// settle joins every report that fits one incident only, as long as that leaves another with one only.
func (m *reportMatcher) settle(open []int, fits map[int][]int, by map[int]string) []UnclearReport {
	for joined := true; joined; {
		joined = false
		var rest []int
		for _, r := range open {
			fits[r] = slices.DeleteFunc(fits[r], func(i int) bool { _, taken := m.incident[i]; return taken })
			switch len(fits[r]) {
			case 0:
			case 1:
				m.join(fits[r][0], r, by[r])
				joined = true
			default:
				rest = append(rest, r)
			}
		}
		open = rest
	}
	var unclear []UnclearReport
	for _, r := range open {
		slices.Sort(fits[r])
		unclear = append(unclear, UnclearReport{Report: r, Incidents: fits[r]})
	}
	return unclear
}

// overlapping returns the incidents whose times overlap with those of a report, and those of them whose components agree.
// Incidents with other components than the report names are left out.
func (m *reportMatcher) overlapping(order []int, longest time.Duration, r IncidentReport) (fit, agree []int) {
	begin, end := r.Begin.Add(-reportSlack), reportEnd(r).Add(reportSlack)
	first, _ := slices.BinarySearchFunc(order, begin.Add(-longest), func(i int, t time.Time) int { return m.incidents[i].Begin.Compare(t) })
	for _, i := range order[first:] {
		ib, ie := incidentSpan(m.incidents[i])
		if ib.After(end) {
			break
		}
		if ie.Before(begin) {
			continue
		}
		switch said, same := reportNames(m.incidents[i], r); {
		case same:
			fit, agree = append(fit, i), append(agree, i)
		case !said:
			fit = append(fit, i)
		}
	}
	return fit, agree
}

func incidentSpan(i Incident) (begin, end time.Time) {
	if i.End.IsZero() || i.End.Before(i.Begin) {
		return i.Begin, i.Begin.Add(incidentOpenEnd)
	}
	return i.Begin, i.End
}

// reportEnd is the end that a report says; a report that names a day only may mean any hour of it.
func reportEnd(r IncidentReport) time.Time {
	if !r.End.IsZero() {
		return r.End
	}
	if r.Begin.Equal(r.Begin.Truncate(24 * time.Hour)) {
		return r.Begin.Add(24 * time.Hour)
	}
	return r.Begin
}

// reportDistance is how far the begins lie apart.
func reportDistance(i Incident, r IncidentReport) time.Duration {
	if i.Begin.IsZero() || r.Begin.IsZero() {
		return 1<<63 - 1
	}
	return i.Begin.Sub(r.Begin).Abs()
}

// reportNames says whether both name components, and whether one of them is the same. A component that stands in the title
// of the report counts as named.
func reportNames(i Incident, r IncidentReport) (said, same bool) {
	title := reportWords(r.Title)
	for _, c := range i.Components {
		name := reportWords(c)
		if name == "" {
			continue
		}
		if strings.Contains(" "+title+" ", " "+name+" ") {
			return true, true
		}
		for _, other := range r.Components {
			o := reportWords(other)
			if o != "" && (o == name || strings.Contains(" "+o+" ", " "+name+" ") || strings.Contains(" "+name+" ", " "+o+" ")) {
				return true, true
			}
		}
	}
	return len(i.Components) > 0 && len(r.Components) > 0, false
}

// reportWords is text in lower case with single spaces in place of everything but letters and digits.
func reportWords(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80
	}), " ")
}

// DelayDays is how many whole days after the end of the incident the report was published, counted from 0; false if one of
// the two is not known or the report is older than the incident that it tells of.
func DelayDays(i *Incident, r IncidentReport) (int, bool) {
	end, begin := r.End, r.Begin
	if i != nil && !i.End.IsZero() {
		end, begin = i.End, i.Begin
	}
	if end.IsZero() || r.Published.IsZero() || !begin.IsZero() && r.Published.Before(begin.Add(-24*time.Hour)) {
		return 0, false
	}
	return max(0, int(r.Published.Sub(end)/(24*time.Hour))), true
}
