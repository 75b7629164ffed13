package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// monitorIndicators ask whether everybody can see how well the cloud works. They never ask whether it works well: errors that
// a monitor shows lower nothing.
func monitorIndicators() []Indicator {
	return []Indicator{
		{ID: "HM-01", Kind: KindMonitor, Question: "Does a monitor that everybody can see show how the cloud is now?", Measure: monitorFresh},
		{ID: "HM-02", Kind: KindMonitor, Question: "Does the public monitor show error rates and response times over a month?", Measure: monitorSeries},
	}
}

// monitorFresh compares the age of the newest sample, at the moment of the look, with freshness_hours. future_seconds is how far
// a sample may lie ahead before nobody can trust the clocks. Serves scs.md section 8, "newest sample <= 24 h". It misleads where
// a monitor repeats an old value with a new time; the collector leaves out what it can recognise as that.
func monitorFresh(q Question) Measurement {
	fresh, ok1 := q.Rule.Numbers["freshness_hours"]
	future, ok2 := q.Rule.Numbers["future_seconds"]
	if !ok1 || !ok2 {
		return monitorWithoutNumbers("freshness_hours and future_seconds")
	}
	return monitorByRegion(q, func(a Artifact) Measurement {
		m := *a.Monitor
		value, unit := (*int64)(nil), "hours"
		if m.Newest.IsZero() {
			return monitorWithoutSample(m)
		}
		age := monitorAge(a)
		hours := int64(age / time.Hour)
		value = &hours
		switch {
		case age < -time.Duration(future)*time.Second:
			return Measurement{Outcome: audit.DNF, Unit: unit,
				Reason: fmt.Sprintf("the newest sample lies %s in the future: a clock is wrong, so nobody can tell how old it is%s", monitorSpan(-age), monitorSkewed(m)),
				Settle: []string{"set the clock of the monitor"}}
		case age > time.Duration(fresh)*time.Hour:
			return Measurement{Outcome: audit.FAIL, Value: value, Unit: unit,
				Reason: fmt.Sprintf("the newest sample is from %s, %s before the look; at most %d hours are asked for%s", m.Newest.Format("2006-01-02 15:04 UTC"), monitorSpan(age), fresh, monitorSkewed(m)),
				Settle: []string{"let the monitor run"}}
		}
		return Measurement{Outcome: audit.PASS, Value: value, Unit: unit,
			Reason: fmt.Sprintf("the newest sample is from %s, %s before the look; at most %d hours are asked for%s", m.Newest.Format("2006-01-02 15:04 UTC"), monitorSpan(max(age, 0)), fresh, monitorSkewed(m))}
	})
}

// monitorWithoutSample answers where a monitor was read and showed nothing.
func monitorWithoutSample(m Monitor) Measurement {
	switch {
	case m.Failed > 0:
		return Measurement{Outcome: audit.DNF, Unit: "hours", Reason: fmt.Sprintf("the monitor answers, and %d of its panels or queries could not be read; the others show no sample whose age can be told", m.Failed),
			Settle: []string{"look at the kept answers; let an outsider read the panels"}}
	case m.Errors.Values+m.Latency.Values > 0:
		return Measurement{Outcome: audit.DNF, Unit: "hours", Reason: "all values that the monitor shows are constant or made up by its queries: nobody can tell how old they are",
			Settle: []string{"show a series of response times"}}
	case len(m.Unknown) > 0:
		return Measurement{Outcome: audit.DNF, Unit: "hours", Reason: "the monitor shows series, and nobody can tell what they mean: " + strings.Join(m.Unknown[:min(3, len(m.Unknown))], ", "),
			Settle: []string{"name the panels by what they show, such as error rate and response time"}}
	}
	return Measurement{Outcome: audit.FAIL, Unit: "hours", Reason: "the monitor answers, and shows no sample: its panels are empty",
		Settle: []string{"let the monitor run; check that the address names the right cloud"}}
}

// monitorSeries asks that error rates and response times are shown on at least days_with_samples of the last window_days days,
// and since at least window_days days ago. Serves scs.md section 8, "error rate and API latency over >= 30 d". How many errors
// there were does not matter. It misleads where titles of panels do not say what they show: then it stays open.
func monitorSeries(q Question) Measurement {
	window, ok1 := q.Rule.Numbers["window_days"]
	least, ok2 := q.Rule.Numbers["days_with_samples"]
	if !ok1 || !ok2 {
		return monitorWithoutNumbers("window_days and days_with_samples")
	}
	return monitorByRegion(q, func(a Artifact) Measurement {
		m := *a.Monitor
		if m.Reach < window {
			return Measurement{Outcome: audit.DNF, Unit: "days", Reason: fmt.Sprintf("%d days were looked at and %d are asked for", m.Reach, window), Settle: []string{"ask for a shorter window in the profile"}}
		}
		looked := monitorLooked(a)
		if looked.IsZero() {
			return Measurement{Outcome: audit.DNF, Unit: "days", Reason: "nobody wrote down when the monitor was looked at", Settle: []string{"look at it again"}}
		}
		first := looked.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-window)
		errors := monitorSeriesOf("error rates", m, m.Errors, first, window, least)
		latency := monitorSeriesOf("response times", m, m.Latency, first, window, least)
		worst := errors
		if audit.Worst(errors.Outcome, latency.Outcome) != errors.Outcome {
			worst = latency
		}
		worst.Reason = errors.Reason + "; " + latency.Reason
		worst.Settle = append(slices.Clone(errors.Settle), latency.Settle...)
		if errors.Value != nil && latency.Value != nil {
			days := min(*errors.Value, *latency.Value)
			worst.Value = &days
		}
		return worst
	})
}

func monitorSeriesOf(what string, m Monitor, s Series, first time.Time, window, least int) Measurement {
	switch {
	case s.Values > 0:
	case s.Failed > 0 || m.Failed > 0:
		return Measurement{Outcome: audit.DNF, Unit: "days", Reason: what + " could not be read", Settle: []string{"let an outsider read the panels with " + what}}
	case len(m.Unknown) > 0:
		return Measurement{Outcome: audit.DNF, Unit: "days", Reason: fmt.Sprintf("series were found, and nobody can tell whether they are %s: %s", what, strings.Join(m.Unknown[:min(3, len(m.Unknown))], ", ")),
			Settle: []string{"name the panels by what they show, such as error rate and response time"}}
	default:
		return Measurement{Outcome: audit.FAIL, Unit: "days", Reason: "no " + what + " are shown", Settle: []string{"show " + what + " in the public monitor"}}
	}
	missing := 0
	for _, day := range s.Missing {
		if day >= first.Format(time.DateOnly) {
			missing++
		}
	}
	days := int64(window - missing)
	out := Measurement{Outcome: audit.PASS, Value: &days, Unit: "days",
		Reason: fmt.Sprintf("%s on %d of the last %d days, since %s; at least %d days are asked for", what, days, window, s.From.Format(time.DateOnly), least)}
	if began := s.From.UTC().Truncate(24 * time.Hour); days < int64(least) || began.After(first) {
		out.Outcome = audit.FAIL
		out.Settle = []string{fmt.Sprintf("keep and show %s for at least %d days; where visitors cannot choose the time, let the dashboard show that span", what, window)}
	}
	return out
}

// monitorByRegion asks the monitors of each region; the best one of a region counts, and the worst region decides and is named.
func monitorByRegion(q Question, measure func(Artifact) Measurement) Measurement {
	var regions []string
	best := map[string]Measurement{}
	for _, a := range q.Evidence.Of(KindMonitor) {
		m := monitorOf(q, a, measure)
		old, seen := best[a.Region]
		if !seen {
			regions = append(regions, a.Region)
		}
		if !seen || monitorBetter(m, old) {
			best[a.Region] = m
		}
	}
	if len(regions) == 0 { // asked about artifacts alone
		for _, a := range q.Artifacts {
			m := monitorOf(q, a, measure)
			if old, seen := best[""]; !seen || monitorBetter(m, old) {
				best[""] = m
			}
		}
		return best[""]
	}
	worst := regions[0]
	for _, r := range regions[1:] {
		if monitorBetter(best[worst], best[r]) {
			worst = r
		}
	}
	out := best[worst]
	if worst != "" {
		out.Reason = "region " + worst + ": " + out.Reason
	}
	return out
}

// monitorOf measures one monitor; one that was not seen in public, or not at all, answers with why.
func monitorOf(q Question, a Artifact, measure func(Artifact) Measurement) Measurement {
	counts := slices.ContainsFunc(q.Artifacts, func(o Artifact) bool { return o.Monitor == a.Monitor && a.Monitor != nil })
	var m Measurement
	switch {
	case counts:
		m = measure(a)
	case a.Trouble != nil:
		m = Measurement{Outcome: a.Trouble.Outcome(), Reason: a.Trouble.Text}
		if a.Trouble.Settle != "" {
			m.Settle = []string{a.Trouble.Settle}
		}
	default:
		m = Measurement{Reason: "it was handed over as a file, and nobody saw it in public", Settle: []string{"publish the monitor"}}
	}
	m.Origins, m.Observed = a.Origins(), a.Observed()
	return m
}

func monitorBetter(a, b Measurement) bool {
	return a.Outcome != b.Outcome && audit.Worst(a.Outcome, b.Outcome) == b.Outcome
}

// monitorAge is how old the newest sample was at the look. A server whose clock is ahead stamps its samples ahead, so that its
// own clock tells their age; one whose date lies in the past gains nothing, because a stored answer looks the same.
func monitorAge(a Artifact) time.Duration {
	return monitorLooked(a).Add(time.Duration(max(a.Monitor.Skew, 0)) * time.Second).Sub(a.Monitor.Newest)
}

// monitorLooked is the moment of the look that showed the samples.
func monitorLooked(a Artifact) time.Time {
	if a.Monitor.Looked.IsZero() {
		return a.Observed()
	}
	return a.Monitor.Looked
}

// monitorSkewed says so where the clocks of server and auditor differ by more than a minute.
func monitorSkewed(m Monitor) string {
	switch {
	case m.Skew > 60:
		return fmt.Sprintf(" (the server's clock is %s ahead)", monitorSpan(time.Duration(m.Skew)*time.Second))
	case m.Skew < -60:
		return fmt.Sprintf(" (the server's clock is %s behind, or the answer was stored)", monitorSpan(time.Duration(-m.Skew)*time.Second))
	}
	return ""
}

// monitorSpan writes a span of time for people.
func monitorSpan(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

func monitorWithoutNumbers(names string) Measurement {
	return Measurement{Reason: "the profile does not say " + names, Settle: []string{"judge by a profile with these numbers"}}
}
