package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The indicators about status pages. None of them counts incidents against an operator: an incident that is well described
// can only help, and a page without any proves nothing by itself. Their numbers are in the profile.
func statusPageIndicators() []Indicator {
	return []Indicator{
		{ID: "SP-01", Kind: KindStatusPage, Question: "Is there a status page that names the components of the cloud?", Measure: perPage(false, namesComponents)},
		{ID: "SP-02", Kind: KindStatusPage, Question: "Does the history of the status page reach back far enough?", Measure: perPage(false, historyReaches)},
		{ID: "SP-03", Kind: KindStatusPage, Contents: true, Question: "Do incidents have begin, end, affected component, updates and a permanent address?", Measure: perPage(true, incidentsComplete)},
		{ID: "SP-04", Kind: KindStatusPage, Contents: true, Question: "Is maintenance announced in advance?", Measure: perPage(true, maintenanceAnnounced)},
		{ID: "SP-05", Kind: KindStatusPage, Question: "Is the status page current?", Measure: perPage(false, pageCurrent)},
		{ID: "SP-06", Kind: KindStatusPage, Contents: true, Question: "Does every error that the public monitor shows have an entry on the status page?", Measure: outagesExplained},
	}
}

// perPage answers for every status page of the operator: the worst answer counts, and names its page where there are more.
// SP-01 to SP-05 are about one page each: a cloud with a page for each region owes the same for all, also for a region whose
// pages cannot be seen. contents is Indicator.Contents.
func perPage(contents bool, measure func(Question, Artifact) Measurement) func(Question) Measurement {
	return func(q Question) Measurement {
		pages := append(slices.Clone(q.Artifacts), unseenRegions(q.Evidence.Of(KindStatusPage))...)
		var worst Measurement
		for i, a := range pages {
			m := Measurement{}
			if a.Trouble != nil {
				m = unread(a.Kind, []Artifact{a})
				if contents && m.Outcome == audit.FAIL {
					m.Outcome = audit.MISS
				}
			} else {
				m = measure(q, a)
			}
			m.Origins, m.Observed = a.Origins(), a.Observed()
			if len(pages) > 1 && a.URL+a.Region != "" {
				m.Reason = pageOr(a.URL, "region "+a.Region) + ": " + m.Reason
			}
			if i == 0 || weighsMore(m.Outcome, worst.Outcome) {
				worst = m
			}
		}
		return worst
	}
}

// unseenRegions returns one artifact for each region of which none could be read.
func unseenRegions(artifacts []Artifact) []Artifact {
	var out []Artifact
	for _, a := range artifacts {
		same := func(o Artifact) bool { return o.Region == a.Region }
		if a.Trouble != nil && !slices.ContainsFunc(artifacts, func(o Artifact) bool { return same(o) && o.Trouble == nil }) && !slices.ContainsFunc(out, same) {
			out = append(out, a)
		}
	}
	return out
}

// weighsMore reports whether an outcome weighs more than another; one that does not apply weighs least.
func weighsMore(a, b audit.Outcome) bool {
	if b == audit.NA {
		return a != audit.NA
	}
	return a != b && a != audit.NA && audit.Worst(a, b) == a
}

// namesComponents asks for the least number of named components ("components"). A feed cannot show them: not known then.
func namesComponents(q Question, a Artifact) Measurement {
	page, least := a.StatusPage, q.Rule.Numbers["components"]
	named := 0
	for _, c := range page.Components {
		if strings.TrimSpace(c.Name) != "" {
			named++
		}
	}
	value := int64(named)
	m := Measurement{Value: &value, Unit: "components"}
	switch {
	case named >= max(least, 1):
		m.Outcome, m.Reason = audit.PASS, fmt.Sprintf("it names %d components", named)
	case named == 0 && slices.Contains(page.Hides, PartComponents):
		m.Outcome, m.Value = audit.DNF, nil
		m.Reason = "what was read cannot show components: " + pageOr(page.Shows, "only a part of the page")
		m.Settle = []string{"name the API of the status page as url of transparency: status_page"}
	default:
		m.Outcome = audit.FAIL
		m.Reason = fmt.Sprintf("it names %d components, at least %d are asked for", named, max(least, 1))
		m.Settle = []string{"show on the status page which components the cloud has"}
	}
	return m
}

// historyReaches asks whether the history reaches back by "months". It reaches as far as its oldest entry, or, if the software
// shows everything that there was, as far as the page exists. A page that says of itself that it is younger fails, with its
// date. Where older entries may only be hidden, or where nobody tells whether there were any, nothing is decided: a cloud
// without old incidents must not be worse off than one with many.
func historyReaches(q Question, a Artifact) Measurement {
	page, months := a.StatusPage, q.Rule.Numbers["months"]
	from := a.Observed().AddDate(0, -months, 0)
	reach := page.HistoryFrom
	if page.Complete && !page.Since.IsZero() && (reach.IsZero() || page.Since.Before(reach)) {
		reach = page.Since
	}
	m := Measurement{Unit: "months", Settle: []string{fmt.Sprintf("let the status page show its incidents of the last %d months, or hand its history over", months)}}
	if !reach.IsZero() {
		value := int64(pageMonths(reach, a.Observed()))
		m.Value = &value
	}
	switch {
	case a.Observed().IsZero() || months <= 0:
		m.Outcome, m.Reason = audit.DNF, "nobody knows when it was looked at"
	case page.empty():
		m.Outcome, m.Value, m.Reason = audit.DNF, nil, "the page is empty: it names no components and shows no entries"
	case !reach.IsZero() && !reach.After(from):
		m.Outcome, m.Settle = audit.PASS, nil
		m.Reason = fmt.Sprintf("it reaches back to %s, %d months are asked for", reach.Format(time.DateOnly), months)
	case page.Complete && page.Since.After(from):
		m.Outcome = audit.FAIL
		m.Reason = fmt.Sprintf("the page shows everything and exists since %s only, %d months are asked for", page.Since.Format(time.DateOnly), months)
		m.Settle = []string{"wait until " + page.Since.AddDate(0, months, 0).Format(time.DateOnly) + ", or publish the history of the page before it"}
	case reach.IsZero():
		m.Outcome, m.Reason = audit.DNF, "it shows no entry from which one could tell how far back it reaches"
	case page.Complete:
		m.Outcome = audit.DNF
		m.Reason = fmt.Sprintf("its oldest entry is of %s, and nothing says whether there were none before, or no page", reach.Format(time.DateOnly))
	default:
		m.Outcome = audit.DNF
		m.Reason = fmt.Sprintf("the oldest entry that was read is of %s, and only a part could be read: %s", reach.Format(time.DateOnly), pageOr(page.Shows, "the newest entries"))
	}
	return m
}

func pageMonths(from, to time.Time) int {
	n := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	if from.AddDate(0, n, 0).After(to) {
		n--
	}
	return max(n, 0)
}

// incidentsComplete asks for the share of incidents of the last "months" that have all parts, at least "share_bp". A part that
// cannot be read counts as unknown: the share is an interval, and only its low end passes. Without incidents there is nothing
// to judge, if the page says that there were none and the monitor does not contradict.
func incidentsComplete(q Question, a Artifact) Measurement {
	page, least := a.StatusPage, q.Rule.Numbers["share_bp"]
	from := a.Observed().AddDate(0, -q.Rule.Numbers["months"], 0)
	var all, good, unknown, listed int
	lacking := map[string]int{}
	for _, i := range page.Incidents {
		if i.Maintenance || !incidentSince(i, from) {
			continue
		}
		if i.Listed {
			listed++
			continue
		}
		all++
		missing, unsure := incidentLacks(i, page.Hides)
		for _, part := range missing {
			lacking[part]++
		}
		switch {
		case len(missing) > 0:
		case unsure:
			unknown++
		default:
			good++
		}
	}
	if all == 0 {
		return noIncidents(q, a, listed)
	}
	low, high := int64(good)*10000/int64(all), int64(good+unknown)*10000/int64(all)
	m := Measurement{Value: &low, Unit: "basis-points"}
	text := fmt.Sprintf("%d of %d incidents of the last %d months have begin, end, component, update and address", good, all, q.Rule.Numbers["months"])
	if listed > 0 {
		text += fmt.Sprintf(" (%d older ones are only listed)", listed)
	}
	switch {
	case low >= int64(least):
		m.Outcome, m.Reason = audit.PASS, text
	case high < int64(least):
		m.Outcome, m.Reason = audit.FAIL, text+"; "+lackingParts(lacking)
		m.Settle = []string{"add to incidents what they lack: " + lackingParts(lacking)}
	default:
		m.Outcome, m.Value = audit.DNF, nil
		m.Reason = fmt.Sprintf("%s; of %d it cannot be read whether they do", text, unknown)
		m.Settle = []string{"name the API of the status page as url of transparency: status_page, or hand its answers over"}
	}
	return m
}

// incidentLacks lists the parts that an incident does not have. unsure says that it may lack one that cannot be read.
func incidentLacks(i Incident, hides []string) (missing []string, unsure bool) {
	part := func(name string, there bool) {
		switch {
		case there:
		case slices.Contains(hides, name) || slices.Contains(i.Unread, name):
			unsure = true
		default:
			missing = append(missing, name)
		}
	}
	part(PartBegin, !i.Begin.IsZero())
	part(PartEnd, !i.End.IsZero() || i.Open)
	part(PartComponents, len(i.Components) > 0)
	part(PartUpdates, i.Updates > 0)
	part(PartURL, i.URL != "")
	return missing, unsure
}

// lackingParts says in a fixed order how many incidents lack what.
func lackingParts(lacking map[string]int) string {
	words := map[string]string{PartBegin: "begin", PartEnd: "end", PartComponents: "affected component", PartUpdates: "update", PartURL: "permanent address"}
	var out []string
	for _, name := range []string{PartBegin, PartEnd, PartComponents, PartUpdates, PartURL} {
		if n := lacking[name]; n > 0 {
			out = append(out, fmt.Sprintf("%d without %s", n, words[name]))
		}
	}
	return strings.Join(out, ", ")
}

// noIncidents answers where no incident is shown that could be judged.
func noIncidents(q Question, a Artifact, listed int) Measurement {
	m := Measurement{Outcome: audit.DNF, Settle: []string{"name the API of the status page as url of transparency: status_page, or hand its answers over"}}
	agrees, why := monitorAgrees(q, a.Observed().AddDate(0, -q.Rule.Numbers["months"], 0), a.Observed())
	switch {
	case listed > 0:
		m.Reason = fmt.Sprintf("its %d incidents are only listed", listed)
	case !a.StatusPage.SaysNone || a.StatusPage.empty():
		m.Reason = "it shows no incident and does not say that there was none"
	case agrees != audit.PASS:
		m.Reason = "it shows no incident, but " + why
	default:
		m.Outcome, m.Settle = audit.NA, nil
		m.Reason = fmt.Sprintf("there is nothing to judge: it shows no incident in %d months and says that all is well; %s", q.Rule.Numbers["months"], why)
	}
	return m
}

func incidentSince(i Incident, from time.Time) bool {
	return i.Begin.IsZero() || !i.Begin.Before(from) || !i.End.IsZero() && !i.End.Before(from) || i.Open
}

// maintenanceAnnounced asks for the share of maintenances of the last "months" that were published at least "ahead_hours" before
// they began, at least "share_bp".
func maintenanceAnnounced(q Question, a Artifact) Measurement {
	page, least := a.StatusPage, q.Rule.Numbers["share_bp"]
	ahead := time.Duration(q.Rule.Numbers["ahead_hours"]) * time.Hour
	from := a.Observed().AddDate(0, -q.Rule.Numbers["months"], 0)
	var all, good, unknown int
	for _, i := range page.Incidents {
		if !i.Maintenance || i.Listed || !incidentSince(i, from) {
			continue
		}
		all++
		switch {
		case !i.Announced.IsZero() && !i.Begin.IsZero():
			if !i.Announced.Add(ahead).After(i.Begin) {
				good++
			}
		case i.Begin.IsZero() || slices.Contains(page.Hides, PartAnnounced) || slices.Contains(i.Unread, PartAnnounced):
			unknown++
		}
	}
	if all == 0 {
		m := Measurement{Outcome: audit.NA, Reason: fmt.Sprintf("it shows everything of %d months, and no maintenance among it", q.Rule.Numbers["months"])}
		if !page.Complete && !page.AllMaintenances || slices.Contains(page.Hides, PartMaintenance) || page.empty() {
			m.Outcome, m.Reason = audit.DNF, "it shows no maintenance, which does not mean that there was none: "+pageOr(page.Shows, "it does not tell maintenances")
			m.Settle = []string{"announce maintenances on the status page, or hand over an announcement"}
		}
		return m
	}
	low, high := int64(good)*10000/int64(all), int64(good+unknown)*10000/int64(all)
	m := Measurement{Value: &low, Unit: "basis-points"}
	text := fmt.Sprintf("%d of %d maintenances of the last %d months were announced at least %d hours before", good, all, q.Rule.Numbers["months"], q.Rule.Numbers["ahead_hours"])
	switch {
	case low >= int64(least):
		m.Outcome, m.Reason = audit.PASS, text
	case high < int64(least):
		m.Outcome, m.Reason = audit.FAIL, text
		m.Settle = []string{"announce maintenances earlier"}
	default:
		m.Outcome, m.Value = audit.DNF, nil
		m.Reason = fmt.Sprintf("%s; of %d it cannot be read when they were", text, unknown)
		m.Settle = []string{"hand over the announcements of maintenances"}
	}
	return m
}

// empty reports whether a page shows nothing: neither components nor entries. Nothing is concluded from such a page.
func (p *StatusPage) empty() bool {
	return len(p.Components) == 0 && len(p.Incidents) == 0 && p.IncidentsSeen == 0
}

func pageOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
