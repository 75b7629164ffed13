package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// incidentReportIndicators ask for reports about incidents that are over (Open Operations Manifesto: "we are transparent about
// our incidents"). None of them counts how many incidents there were, and whether a report blames somebody is not tested.
func incidentReportIndicators() []Indicator {
	return []Indicator{
		{
			ID: "IR-01", Kind: KindIncidentReports,
			Question: "Has every grave incident that is over for some time a public report?",
			// Reports are joined to the incidents of the status pages (Match). Numbers: severity (scale of the SCS status page
			// API), after_days, window_months, share_bp. Misleads where the status page leaves incidents out: SP and HM ask that.
			Measure: measureReported,
		},
		{
			ID: "IR-02", Kind: KindIncidentReports, Contents: true,
			Question: "Do the reports say what others need to learn from them: enough of the seven parts, begin and end, and the incident?",
			// Numbers: parts, share_bp, window_months. Misleads where a report is told in free prose: its parts are then known
			// by single sentences only (docs/incident-reports.md has the measured error).
			Measure: measureComplete,
		},
		{
			ID: "IR-03", Kind: KindIncidentReports, Contents: true,
			Question: "Are the reports published soon after the end of the incident?",
			// Numbers: days, share_bp, window_months. A report without a date of publication leaves it open.
			Measure: measureTimely,
		},
	}
}

// numberMissing returns the first number that a rule lacks; "" if it has all.
func numberMissing(rule audit.TransparencyRule, names ...string) string {
	for _, name := range names {
		if _, ok := rule.Numbers[name]; !ok {
			return name
		}
	}
	return ""
}

// withoutNumber answers where the profile lacks a number: without a threshold nothing passes.
func withoutNumber(name string) Measurement {
	return Measurement{Reason: fmt.Sprintf("the profile lacks the number %q", name), Settle: []string{"judge by a profile that states " + name}}
}

// reported is what the three indicators look at.
type reported struct {
	pages     []StatusPage
	incidents []Incident
	reports   []IncidentReport
	matching  Matching
	report    map[int]ReportMatch // by report
	incident  map[int]ReportMatch // by incident
	origins   []audit.Origin
	at        time.Time
	from      time.Time // begin of the window
}

func gatherReported(q Question) reported {
	r := reported{report: map[int]ReportMatch{}, incident: map[int]ReportMatch{}, at: q.Evidence.AssessedAt}
	r.from = r.at.AddDate(0, -q.Rule.Numbers["window_months"], 0)
	seen := map[string]bool{}
	for _, a := range q.Artifacts {
		r.origins = append(r.origins, a.Origins()...)
		if a.IncidentReports == nil {
			continue
		}
		for _, report := range a.IncidentReports.Reports {
			if !seen[report.URL] {
				seen[report.URL] = true
				r.reports = append(r.reports, report)
			}
		}
	}
	for _, a := range q.Evidence.Of(KindStatusPage) {
		if a.Trouble == nil && a.StatusPage != nil {
			r.pages = append(r.pages, *a.StatusPage)
			r.incidents = append(r.incidents, a.StatusPage.Incidents...)
			r.origins = append(r.origins, a.Origins()...)
		}
	}
	r.matching = Match(r.incidents, r.reports)
	for _, m := range r.matching.Matches {
		r.report[m.Report], r.incident[m.Incident] = m, m
	}
	return r
}

// wholeWindow says whether the status pages show the whole time that is asked about.
func (r reported) wholeWindow() bool {
	return !slices.ContainsFunc(r.pages, func(p StatusPage) bool {
		return !p.Complete && (p.HistoryFrom.IsZero() || p.HistoryFrom.After(r.from))
	})
}

// over returns when an incident ended, and whether it lies in the window and is over for so many days.
func (r reported) over(i Incident, days int) bool {
	if i.Open || i.Begin.IsZero() {
		return false
	}
	_, end := incidentSpan(i)
	return !end.Before(r.from) && !end.After(r.at.AddDate(0, 0, -days))
}

// reportTally counts incidents by what is known of their report.
type reportTally struct{ yes, maybe, no int }

func (t reportTally) all() int { return t.yes + t.maybe + t.no }

// graves counts the incidents that need a report: those known to be grave enough, and those whose severity nobody states.
func (r reported) grave(least, days int) (known, unknown reportTally, without []Incident) {
	unclear := map[int]bool{}
	for _, u := range r.matching.Unclear {
		for _, i := range u.Incidents {
			unclear[i] = true
		}
	}
	for n, i := range r.incidents {
		severity, stated := incidentSeverity(i)
		if stated && severity < least || !r.over(i, days) {
			continue
		}
		t := &known
		if !stated {
			t = &unknown
		}
		_, has := r.incident[n]
		switch {
		case has:
			t.yes++
		case unclear[n], i.Report != "": // the page names a report that could not be read as one
			t.maybe++
			without = append(without, i)
		default:
			t.no++
			without = append(without, i)
		}
	}
	return known, unknown, without
}

func measureReported(q Question) Measurement {
	if name := numberMissing(q.Rule, "severity", "after_days", "window_months", "share_bp"); name != "" {
		return withoutNumber(name)
	}
	r := gatherReported(q)
	n := q.Rule.Numbers
	m := Measurement{Origins: r.origins, Unit: "bp"}
	if len(r.pages) == 0 {
		m.Outcome = audit.DNF
		m.Reason = fmt.Sprintf("%s can be read, but no status page says which incidents there were", count(len(r.reports), "report", "reports"))
		m.Settle = []string{"name a status page that can be read, under transparency: " + Key(KindStatusPage)}
		return m
	}
	known, unknown, without := r.grave(n["severity"], n["after_days"])
	window := fmt.Sprintf("of the last %d months that ended %d days ago or longer", n["window_months"], n["after_days"])
	if known.all()+unknown.all() == 0 {
		return r.noneGrave(m, n["severity"], window)
	}
	low, high := r.reportedShare(known, unknown)
	m.Outcome = reportShareOutcome(low, high, n["share_bp"])
	m.Value = reportShareValue(low, high)
	m.Reason = fmt.Sprintf("%d of %d incidents %s and are of severity %d or more have a public report; asked for are %s",
		known.yes, known.all(), window, n["severity"], reportPercent(n["share_bp"]))
	if unknown.all() > 0 {
		m.Reason += fmt.Sprintf("; of %d more nobody states the severity, %d of them have a report", unknown.all(), unknown.yes)
	}
	if maybe := known.maybe + unknown.maybe; maybe > 0 {
		m.Reason += fmt.Sprintf("; of %d it cannot be told whether a report is theirs", maybe)
	}
	if !r.wholeWindow() {
		m.Reason += "; the status page shows only a part of that time"
	}
	if m.Outcome != audit.PASS {
		m.Settle = settleReported(m.Outcome, unknown, without)
	}
	return m
}

// noneGrave answers where no incident needs a report: it does not apply, if the status pages show all of the time.
func (r reported) noneGrave(m Measurement, severity int, window string) Measurement {
	m.Outcome = audit.NA
	m.Reason = fmt.Sprintf("there was no incident of severity %d or more %s", severity, window)
	if !r.wholeWindow() {
		m.Outcome = audit.DNF
		m.Reason = fmt.Sprintf("the status page shows no incident of severity %d or more, but only a part of the time that is asked about", severity)
		m.Settle = []string{"show the whole history on the status page"}
	}
	return m
}

// reportedShare is the share of grave incidents with a report, in basis points, at the worst and at the best: those of
// unknown severity count or do not count, those of which it cannot be told have a report or have none.
func (r reported) reportedShare(known, unknown reportTally) (low, high int) {
	low, high = 10000, 10000
	if den := known.all() + unknown.maybe + unknown.no; den > 0 {
		low = 10000 * known.yes / den
	}
	yes := known.yes + known.maybe + unknown.yes + unknown.maybe
	if den := known.all() + unknown.yes + unknown.maybe; den > 0 {
		high = (10000*min(yes, known.yes+unknown.yes+r.undecided()) + den - 1) / den
	}
	return low, high
}

// undecided is how many incidents can at most still turn out to have a report: one for each report that fits several, and
// one for each that the page names and that could not be read.
func (r reported) undecided() int {
	n := len(r.matching.Unclear)
	for i, incident := range r.incidents {
		if _, has := r.incident[i]; !has && incident.Report != "" {
			n++
		}
	}
	return n
}

func settleReported(outcome audit.Outcome, unknown reportTally, without []Incident) []string {
	var out []string
	for _, i := range without[:min(3, len(without))] {
		name := i.URL
		if name == "" {
			name = strings.TrimSpace(i.ID + " " + i.Title)
		}
		out = append(out, "publish a report that names the incident "+name)
	}
	if outcome == audit.DNF && unknown.all() > 0 {
		out = append(out, "state the severity of every incident on the status page")
	}
	return out
}

// recent returns the reports of the window, by place. One without any time counts.
func (r reported) recent() []int {
	var out []int
	for n, report := range r.reports {
		at := report.Published
		if at.IsZero() {
			at = report.End
		}
		if at.IsZero() {
			at = report.Begin
		}
		if at.IsZero() || !at.Before(r.from) {
			out = append(out, n)
		}
	}
	return out
}

// noReports answers where there is no report to judge.
func (r reported) noReports(m Measurement, n map[string]int) Measurement {
	m.Reason = fmt.Sprintf("there is no report of the last %d months to judge", n["window_months"])
	switch {
	case len(r.pages) == 0 || !r.wholeWindow():
		m.Outcome = audit.DNF
		m.Reason += ", and no status page shows whether there was an incident to report"
		m.Settle = []string{"name a status page that shows the whole time, under transparency: " + Key(KindStatusPage)}
	case slices.ContainsFunc(r.incidents, func(i Incident) bool { return !i.Maintenance && r.over(i, 0) }):
		m.Outcome = audit.NA
		m.Reason += "; whether incidents needed one, IR-01 says"
	default:
		m.Outcome = audit.NA
		m.Reason += ", and there was no incident"
	}
	return m
}

func measureComplete(q Question) Measurement {
	if name := numberMissing(q.Rule, "parts", "share_bp", "window_months"); name != "" {
		return withoutNumber(name)
	}
	r := gatherReported(q)
	n := q.Rule.Numbers
	m := Measurement{Origins: r.origins, Unit: "bp"}
	recent := r.recent()
	if len(recent) == 0 {
		return r.noReports(m, n)
	}
	good, lacks := 0, map[string]int{}
	for _, i := range recent {
		missing := r.lacking(i, n["parts"])
		if len(missing) == 0 {
			good++
		}
		for _, l := range missing {
			lacks[l]++
		}
	}
	share := 10000 * good / len(recent)
	m.Outcome, m.Value = reportShareOutcome(share, share, n["share_bp"]), reportShareValue(share, share)
	m.Reason = fmt.Sprintf("%d of %d reports have at least %d of the seven parts, begin and end, and name their incident; asked for are %s",
		good, len(recent), n["parts"], reportPercent(n["share_bp"]))
	for _, l := range []string{lackParts, lackTimes, lackIncident} {
		if lacks[l] > 0 {
			m.Reason += fmt.Sprintf("; %d %s", lacks[l], l)
		}
	}
	if m.Outcome != audit.PASS {
		m.Settle = []string{"give each report summary, impact, timeline, root cause, resolution, actions and lessons, begin and end, and a link to the incident on the status page"}
	}
	return m
}

// What a report may lack.
const (
	lackParts    = "have too few parts"
	lackTimes    = "say not when the incident began and ended"
	lackIncident = "do not name the incident"
)

func (r reported) lacking(report, parts int) []string {
	var out []string
	i := r.reports[report]
	if len(i.Parts) < parts {
		out = append(out, lackParts)
	}
	if i.Begin.IsZero() || i.End.IsZero() {
		out = append(out, lackTimes)
	}
	if by := r.report[report].By; i.Incident == "" && by != "address" && by != "id" {
		out = append(out, lackIncident)
	}
	return out
}

func measureTimely(q Question) Measurement {
	if name := numberMissing(q.Rule, "days", "share_bp", "window_months"); name != "" {
		return withoutNumber(name)
	}
	r := gatherReported(q)
	n := q.Rule.Numbers
	m := Measurement{Origins: r.origins, Unit: "bp"}
	recent := r.recent()
	if len(recent) == 0 {
		return r.noReports(m, n)
	}
	soon, late, open, longest := 0, 0, 0, 0
	for _, i := range recent {
		days, known := r.delay(i)
		switch {
		case !known:
			open++
		case days <= n["days"]:
			soon++
		default:
			late++
		}
		longest = max(longest, days)
	}
	all := soon + late + open
	low, high := 10000*soon/all, (10000*(soon+open)+all-1)/all
	m.Outcome, m.Value = reportShareOutcome(low, high, n["share_bp"]), reportShareValue(low, high)
	m.Reason = fmt.Sprintf("%d of %d reports were published within %d days after the end; asked for are %s", soon, all, n["days"], reportPercent(n["share_bp"]))
	if open > 0 {
		m.Reason += fmt.Sprintf("; of %d the date of publication or the end of the incident is not known", open)
	}
	if late > 0 {
		m.Reason += fmt.Sprintf("; the slowest took %d days", longest)
	}
	if m.Outcome != audit.PASS {
		m.Settle = []string{"publish reports soon, and state in each the day of publication and the end of the incident"}
	}
	return m
}

// delay is that of one report; a publication that lies in the future is not believed.
func (r reported) delay(report int) (int, bool) {
	i := r.reports[report]
	if i.Published.After(r.at.Add(reportSkew)) {
		return 0, false
	}
	if match, ok := r.report[report]; ok {
		return DelayDays(&r.incidents[match.Incident], i)
	}
	return DelayDays(nil, i)
}

// reportSkew is how far clocks of servers may be ahead.
const reportSkew = 5 * time.Minute

// reportShareOutcome compares a share, known between two bounds, with the share asked for.
func reportShareOutcome(low, high, want int) audit.Outcome {
	switch {
	case low >= want:
		return audit.PASS
	case high < want:
		return audit.FAIL
	}
	return audit.DNF
}

// reportShareValue is a share that is known; nil if it is not.
func reportShareValue(low, high int) *int64 {
	if low != high {
		return nil
	}
	v := int64(low)
	return &v
}

func reportPercent(bp int) string {
	if bp%100 == 0 {
		return fmt.Sprintf("%d %%", bp/100)
	}
	return fmt.Sprintf("%d.%02d %%", bp/100, bp%100)
}
