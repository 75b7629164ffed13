package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// outagesExplained compares the errors that the public monitors show with the entries of all status pages. An outage of at
// least "outage_minutes" in which at least "outage_share_bp" of calls failed has an entry if an incident or a maintenance
// overlaps it, with "slack_minutes" before and after; which component it names does not matter. An entry whose end is not known
// counts for "unended_hours". No entry explains more than "entry_days" from its begin: one that stays open for ever, or a maintenance
// of a year, tells nobody about an outage. What the pages do not reach back to, and the last "publish_hours", are not asked about.
func outagesExplained(q Question) Measurement {
	entries, reach, sure := pageEntries(q)
	var asked, unsure int
	var open []string
	read := false
	var origins []audit.Origin
	for _, a := range q.Evidence.Of(KindMonitor) {
		if a.Trouble != nil || !a.Monitor.showsErrors() {
			continue
		}
		read = true
		origins = append(origins, a.Origins()...)
		until := a.Observed().Add(-time.Duration(q.Rule.Numbers["publish_hours"]) * time.Hour)
		for _, o := range a.Monitor.Outages {
			if !outageCounts(o, q.Rule) || o.End.After(until) {
				continue
			}
			asked++
			switch {
			case hasEntry(o, entries, q.Rule):
			case !sure || o.Begin.Before(reach):
				unsure++
			default:
				open = append(open, outageSpan(o))
			}
		}
	}
	if !read {
		return monitorUnread(q)
	}
	for _, a := range q.Artifacts {
		origins = append(origins, a.Origins()...)
	}
	value := int64(len(open))
	m := Measurement{Value: &value, Unit: "outages", Origins: origins}
	switch {
	case len(open) > 0:
		shown := open[:min(len(open), 5)]
		m.Outcome = audit.FAIL
		m.Reason = fmt.Sprintf("%d of %d spans of errors in the monitor have no entry on the status page: %s", len(open), asked, strings.Join(shown, "; "))
		m.Settle = []string{"add an entry for each, or say why the monitor was wrong"}
	case unsure > 0:
		m.Outcome, m.Value = audit.DNF, nil
		m.Reason = fmt.Sprintf("of %d of %d spans of errors in the monitor it cannot be read whether the status page has an entry", unsure, asked)
		m.Settle = []string{"let the status page show its whole history"}
	case !slices.ContainsFunc(q.Artifacts, func(a Artifact) bool { return !a.StatusPage.empty() }):
		m.Outcome, m.Value, m.Reason = audit.DNF, nil, "the status page is empty: nobody can tell whether entries would stand there"
		m.Settle = []string{"show the components of the cloud on the status page"}
	case len(unseenRegions(q.Evidence.Of(KindMonitor))) > 0:
		return monitorUnread(q)
	case asked == 0:
		m.Outcome, m.Reason = audit.PASS, "the monitor shows no errors that ask for an entry"
	default:
		m.Outcome, m.Reason = audit.PASS, fmt.Sprintf("each of %d spans of errors in the monitor has an entry on the status page", asked)
	}
	return m
}

// pageEntries gathers the entries of all status pages, and from when on they show everything. sure is false where a page
// does not tell how far back it goes, or where an entry without readable begin could be any.
func pageEntries(q Question) (entries []Incident, reach time.Time, sure bool) {
	sure = true
	for _, a := range q.Artifacts {
		page := a.StatusPage
		from := page.HistoryFrom
		if page.Complete {
			from = a.Observed().AddDate(-10, 0, 0) // all that there was
		}
		if len(page.Incidents) < page.IncidentsSeen && len(page.Incidents) > 0 { // older ones were not kept
			if oldest := page.Incidents[len(page.Incidents)-1].Begin; oldest.After(from) {
				from = oldest
			}
		}
		if sure = sure && !from.IsZero(); from.After(reach) {
			reach = from
		}
		for _, i := range page.Incidents {
			if i.Begin.IsZero() {
				sure = sure && !slices.Contains(i.Unread, PartBegin)
				continue
			}
			entries = append(entries, i)
		}
	}
	return entries, reach, sure
}

func hasEntry(o Outage, entries []Incident, rule audit.TransparencyRule) bool {
	slack := time.Duration(rule.Numbers["slack_minutes"]) * time.Minute
	unended := time.Duration(rule.Numbers["unended_hours"]) * time.Hour
	return slices.ContainsFunc(entries, func(i Incident) bool {
		end := i.End
		if end.IsZero() {
			if end = i.Begin.Add(unended); i.Open {
				end = o.End
			}
		}
		if last := i.Begin.AddDate(0, 0, rule.Numbers["entry_days"]); rule.Numbers["entry_days"] > 0 && end.After(last) {
			end = last
		}
		return !i.Begin.Add(-slack).After(o.End) && !end.Add(slack).Before(o.Begin)
	})
}

func outageSpan(o Outage) string {
	s := fmt.Sprintf("%s to %s", o.Begin.UTC().Format(time.RFC3339), o.End.UTC().Format(time.RFC3339))
	if o.What != "" {
		s += " (" + o.What + ")"
	}
	return s
}

// monitorUnread says why there is nothing to compare with.
func monitorUnread(q Question) Measurement {
	m := Measurement{Reason: "nobody said where the public monitor is, so there is nothing to compare with", Settle: []string{"name it under transparency: " + Key(KindMonitor)}}
	monitors := q.Evidence.Of(KindMonitor)
	if unseen := unseenRegions(monitors); len(unseen) > 0 {
		monitors = unseen
	}
	for _, a := range monitors {
		switch {
		case a.Trouble != nil && (a.Trouble.Kind != audit.TroubleNotNamed || a.Handed):
			m.Reason, m.Settle = "the public monitor could not be read: "+a.Trouble.Text, nil
			if m.Outcome = a.Trouble.Outcome(); m.Outcome == audit.FAIL {
				m.Outcome = audit.MISS // that the monitor is not public is a finding of its own
			}
			if a.Trouble.Settle != "" {
				m.Settle = []string{a.Trouble.Settle}
			}
		case a.Trouble == nil:
			m.Outcome, m.Reason = audit.DNF, "the public monitor shows no error rates to compare with"
			m.Settle = []string{"let the public monitor show error rates"}
		}
	}
	return m
}
