package transparency

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// pageCurrent asks whether the newest event or the page's own date is at most "days" old at the moment of the look, by the clock
// of the server itself. A moment that lies ahead of it by more than "skew_minutes" proves nothing. An explicit "all is well" of an older page counts
// if the monitor shows no errors in these days, or if there is no monitor to ask. An empty page proves nothing.
func pageCurrent(q Question, a Artifact) Measurement {
	page, days := a.StatusPage, q.Rule.Numbers["days"]
	now := pageLookedAt(a)
	updated := page.UpdatedAt
	partly := len(page.Components) == 0 && slices.Contains(page.Hides, PartComponents) // a feed cannot say that all is well
	settle := []string{"keep the status page up to date: say in an entry that it is still looked after"}
	switch {
	case now.IsZero() || days <= 0:
		return Measurement{Outcome: audit.DNF, Reason: "nobody knows when it was looked at"}
	case page.empty():
		m := Measurement{Outcome: audit.FAIL, Reason: "the page is empty: it names no components and shows no entries, so its date proves nothing", Settle: settle}
		if partly {
			m.Outcome, m.Reason = audit.DNF, "what was read is empty, and only a part of the page: "+pageOr(page.Shows, "it cannot show components")
		}
		return m
	case updated.After(now.Add(time.Duration(q.Rule.Numbers["skew_minutes"]) * time.Minute)):
		return Measurement{
			Outcome: audit.DNF, Settle: []string{"set the clock of the status page"},
			Reason: fmt.Sprintf("it dates itself %s, which lies ahead of the clock of its own server (%s)", updated.Format(time.RFC3339), now.Format(time.RFC3339)),
		}
	}
	m := Measurement{Unit: "days"}
	if !updated.IsZero() {
		age := max(int64(now.Sub(updated)/(24*time.Hour)), 0)
		m.Value = &age
	}
	if !updated.IsZero() && !updated.Before(now.AddDate(0, 0, -days)) {
		m.Outcome, m.Reason = audit.PASS, fmt.Sprintf("its newest date is %s, at most %d days are asked for", updated.Format(time.DateOnly), days)
		return m
	}
	old := "nothing on it has a date"
	if !updated.IsZero() {
		old = "its newest date is " + updated.Format(time.DateOnly)
	}
	if !page.SaysNone {
		m.Outcome, m.Reason, m.Settle = audit.FAIL, fmt.Sprintf("%s, at most %d days are asked for, and it does not say that all is well", old, days), settle
		if partly {
			m.Outcome, m.Reason = audit.DNF, old+", and what was read cannot say whether all is well: "+pageOr(page.Shows, "only a part of the page")
		}
		if slices.ContainsFunc(page.Incidents, func(i Incident) bool { return slices.Contains(i.Unread, PartBegin) }) {
			m.Outcome, m.Reason = audit.DNF, m.Reason+"; but not every date on it can be read"
		}
		return m
	}
	agrees, why := monitorAgrees(q, now.AddDate(0, 0, -days), now)
	m.Outcome, m.Reason = agrees, fmt.Sprintf("%s, and it says that all is well; %s", old, why)
	if agrees != audit.PASS {
		m.Settle = settle
	}
	return m
}

// pageLookedAt is when a page was looked at, by the clock of its server where that is ahead of ours: then its dates are ahead too.
// A date in the past makes no page newer, because a stored answer looks the same.
func pageLookedAt(a Artifact) time.Time {
	at := a.Observed()
	for _, s := range a.Seen {
		if s.Trouble != nil || s.Handed != "" || s.At.IsZero() {
			continue
		}
		date, err := http.ParseTime(s.Headers["date"])
		if err != nil {
			continue
		}
		if age, err := strconv.Atoi(s.Headers["age"]); err == nil && age > 0 && age < 1<<31 {
			date = date.Add(time.Duration(age) * time.Second)
		}
		return at.Add(max(date.Sub(s.At).Truncate(time.Second), 0))
	}
	return at
}

// monitorAgrees asks the public monitor whether there was an error between two moments. PASS: it shows none, or no monitor is
// there to ask. FAIL: it shows one. Otherwise it is there and does not tell.
func monitorAgrees(q Question, from, to time.Time) (audit.Outcome, string) {
	asked := false
	for _, a := range q.Evidence.Of(KindMonitor) {
		switch {
		case a.Trouble != nil && a.Trouble.Kind == audit.TroubleNotNamed:
			continue
		case a.Trouble != nil || a.Monitor == nil:
			return audit.DNF, "the monitor that could confirm it cannot be read"
		}
		asked = true
		for _, o := range a.Monitor.Outages {
			if outageCounts(o, q.Rule) && o.End.After(from) && o.Begin.Before(to) {
				return audit.FAIL, fmt.Sprintf("the monitor shows errors from %s to %s", o.Begin.UTC().Format(time.RFC3339), o.End.UTC().Format(time.RFC3339))
			}
		}
		if !a.Monitor.showsErrors() || !a.Monitor.Errors.To.After(from) {
			return audit.DNF, "the monitor shows no error rate of that time"
		}
	}
	if !asked {
		return audit.PASS, "no monitor is there to ask"
	}
	return audit.PASS, "the monitor shows no errors"
}

// showsErrors reports whether a monitor shows error rates at all: then none in its outages means that there was none.
func (m *Monitor) showsErrors() bool { return m != nil && (m.Errors.Values > 0 || m.Errors.Days > 0) }

// outageCounts reports whether an outage is long and broad enough to be asked about ("outage_minutes", "outage_share_bp").
func outageCounts(o Outage, rule audit.TransparencyRule) bool {
	return o.Share >= rule.Numbers["outage_share_bp"] && o.End.Sub(o.Begin) >= time.Duration(rule.Numbers["outage_minutes"])*time.Minute
}
