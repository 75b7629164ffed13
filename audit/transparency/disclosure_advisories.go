package transparency

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// ownAdvisoryNumber is how organisations number their own advisories: SEC-2026-001, EX-17. The last part of an address is no
// number, so that a list of news does not pass for one of advisories.
var ownAdvisoryNumber = regexp.MustCompile(`^[A-Za-z]{2,12}(?:[-_]?[A-Za-z]{2,12})?[-_ ]\d{2,6}(?:[-_:.]\d{1,6})*$`)

// advisoriesPublished answers AD-01: at least complete_bp of the advisories have an identifier and a date. A date after the
// moment of the look does not count. It misleads where a page lists only what is new; AD-03 asks what is missing.
func advisoriesPublished(q Question) Measurement {
	all, complete, affected := 0, 0, 0
	newest := time.Time{}
	for _, p := range publishedAdvisories(q.Artifacts) {
		all++
		if p.Affected {
			affected++
		}
		if (len(p.IDs) > 0 || ownAdvisoryNumber.MatchString(p.ID)) && !p.Published.IsZero() {
			complete++
			if p.Published.After(newest) {
				newest = p.Published
			}
		}
	}
	if all == 0 {
		return Measurement{Outcome: audit.DNF, Reason: "no advisory was recognised; a page without any shows nothing", Settle: []string{"list the advisories with identifier and date"}}
	}
	threshold := q.Rule.Numbers["complete_bp"]
	m := Measurement{Value: new(int64(all)), Unit: "advisories", Reason: fmt.Sprintf("%d of %s have an identifier and a date, %d name what is affected", complete, count(all, "advisory", "advisories"), affected)}
	if !newest.IsZero() {
		m.Reason += "; the newest is of " + onDay(newest)
	}
	switch {
	case complete*audit.Full >= threshold*all:
		m.Outcome = audit.PASS
	case complete > 0:
		m.Outcome, m.Settle = audit.PART, []string{"give every advisory an identifier and a date"}
	default:
		m.Outcome, m.Settle = audit.FAIL, []string{"give every advisory an identifier and a date"}
	}
	return m
}

// advisoriesInTime answers AD-02: of the known advisories about deployed components that the operator mentions with the day on
// which the cloud was mended, at least in_time_bp were mended within the time for their severity (scs-0124-v1). The time runs
// from the publication of the known advisory. Dates are often days: a time that may lie on either side of the limit is open,
// not late. Advisories older than the operator's oldest do not count. When a notice was published says nothing about when the
// cloud was mended, and is no substitute.
func advisoriesInTime(q Question) Measurement {
	known, unknown := countedAdvisories(q, nil)
	if unknown != nil {
		return *unknown
	}
	mentions := mentionedAdvisories(q.Artifacts)
	inTime, open, silent := 0, 0, 0
	var late []string
	for _, k := range known {
		p, ok := mentions.of(k)
		if !ok {
			continue
		}
		switch advisoryReaction(k, p, q) {
		case audit.PASS:
			inTime++
		case audit.FAIL:
			late = append(late, k.ID)
		case audit.MISS:
			silent++
		default:
			open++
		}
	}
	all := inTime + open + silent + len(late)
	if all == 0 {
		return Measurement{Outcome: audit.DNF, Reason: fmt.Sprintf("none of %s about deployed components is mentioned with a severity that is known", count(len(known), "known advisory", "known advisories")),
			Settle: []string{"mention them, with the day on which the cloud was mended"}}
	}
	threshold := q.Rule.Numbers["in_time_bp"]
	m := Measurement{Value: new(int64(inTime * audit.Full / all)), Unit: "bp"}
	m.Reason = fmt.Sprintf("of %s that are mentioned, %d were mended within the times of scs-0124, %d later", count(all, "advisory", "advisories"), inTime, len(late))
	if silent > 0 {
		m.Reason += fmt.Sprintf(", %d do not say when the cloud was mended", silent)
	}
	if open > 0 {
		m.Reason += fmt.Sprintf(", and of %d the dates are not exact enough", open)
	}
	if len(late) > 0 {
		m.Reason += "; late: " + someOf(late, 5)
	}
	switch {
	case inTime*audit.Full >= threshold*all:
		m.Outcome = audit.PASS
	case (inTime+open+silent)*audit.Full < threshold*all:
		m.Outcome, m.Settle = audit.FAIL, []string{"mend within the times of scs-0124"}
	default:
		m.Outcome, m.Settle = audit.DNF, []string{"say in each advisory when the cloud was mended, with hour and time zone where hours count"}
	}
	return m
}

// advisoriesCover answers AD-03: of the known critical and high advisories about deployed components that are due, at least
// covered_bp are mentioned. One is due when the time for its severity is over at the moment of the look. An advisory of the
// operator without any identifier may be about any of them.
func advisoriesCover(q Question) Measurement {
	known, unknown := countedAdvisories(q, []string{"critical", "high"})
	if unknown != nil {
		return *unknown
	}
	mentions := mentionedAdvisories(q.Artifacts)
	at, due, covered := observed(q.Artifacts), 0, 0
	var missing []string
	for _, k := range known {
		end, ok := advisoryDeadline(k, k.publishedUntil(), q.Rule)
		if !ok || at.IsZero() || !end.Before(at) {
			continue
		}
		due++
		if _, ok := mentions.of(k); ok {
			covered++
		} else {
			missing = append(missing, k.ID)
		}
	}
	if due == 0 {
		return Measurement{Outcome: audit.NA, Reason: "no critical or high advisory about a deployed component became due since the oldest advisory of the operator"}
	}
	high, threshold := min(due, covered+mentions.nameless), q.Rule.Numbers["covered_bp"]
	m := Measurement{Value: new(int64(covered * audit.Full / due)), Unit: "bp"}
	m.Reason = fmt.Sprintf("%d of %s about deployed components are mentioned, and %s are asked for", covered, count(due, "critical or high advisory", "critical or high advisories"), inPercent(threshold))
	if len(missing) > 0 {
		m.Reason += "; not mentioned: " + someOf(missing, 5)
	}
	switch {
	case covered*audit.Full >= threshold*due:
		m.Outcome = audit.PASS
	case high*audit.Full < threshold*due:
		m.Outcome, m.Settle = audit.FAIL, []string{"publish what these mean for the cloud, also where it is not affected"}
	default:
		m.Outcome = audit.DNF
		m.Reason += fmt.Sprintf("; %s of the operator name no identifier", count(mentions.nameless, "advisory", "advisories"))
		m.Settle = []string{"name the identifiers in each advisory"}
	}
	return m
}

// countedAdvisories are the known advisories of some severities (nil: any that is known), each once, that were published since
// the operator's oldest; or why there are none.
func countedAdvisories(q Question, severities []string) ([]KnownAdvisory, *Measurement) {
	if q.Context.Advisories == nil {
		return nil, &Measurement{Reason: "nothing is known about advisories of the deployed components", Settle: []string{"run a whole audit of the stack"}}
	}
	since := oldestAdvisory(publishedAdvisories(q.Artifacts))
	if since.IsZero() {
		return nil, &Measurement{Outcome: audit.DNF, Reason: "no advisory of the operator has a date, so that nobody can tell since when there are any", Settle: []string{"date the advisories"}}
	}
	seen := map[string]bool{}
	var out []KnownAdvisory
	for _, k := range q.Context.Advisories {
		wanted := severities == nil && k.Severity != ""
		for _, s := range severities {
			wanted = wanted || s == k.Severity
		}
		if !wanted || seen[k.ID] || k.Published.Before(since) || k.Published.After(q.Evidence.AssessedAt) && !q.Evidence.AssessedAt.IsZero() {
			continue
		}
		seen[k.ID] = true
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, &Measurement{Outcome: audit.NA, Reason: "no advisory of such severity about a deployed component was published since the operator's oldest, of " + onDay(since)}
	}
	return out, nil
}

// publishedAdvisories are the advisories of the operator; dates after the look are left out.
func publishedAdvisories(artifacts []Artifact) []Advisory {
	var out []Advisory
	for _, a := range artifacts {
		if a.Advisories == nil {
			continue
		}
		at := a.Observed()
		for _, p := range a.Advisories.Advisories {
			if p.Published.After(dayEnd(at.Add(lookSkew), p.Days)) {
				p.Published = time.Time{}
			}
			if p.Fixed.After(dayEnd(at.Add(lookSkew), p.Days)) {
				p.Fixed = time.Time{}
			}
			out = append(out, p)
		}
	}
	return out
}

func oldestAdvisory(list []Advisory) time.Time {
	var first time.Time
	for _, p := range list {
		if !p.Published.IsZero() && (first.IsZero() || p.Published.Before(first)) {
			first = p.Published
		}
	}
	return first
}

// advisoryMentions are the operator's advisories by what they name.
type advisoryMentions struct {
	by       map[string]Advisory
	nameless int // without any identifier that others use
}

func mentionedAdvisories(artifacts []Artifact) advisoryMentions {
	out := advisoryMentions{by: map[string]Advisory{}}
	for _, p := range publishedAdvisories(artifacts) {
		if len(p.IDs) == 0 {
			out.nameless++
		}
		for _, id := range append([]string{p.ID}, p.IDs...) {
			if id = strings.ToUpper(id); id == "" {
				continue
			}
			if have, known := out.by[id]; !known || have.Fixed.IsZero() || !p.Fixed.IsZero() && p.Fixed.Before(have.Fixed) {
				out.by[id] = p
			}
		}
	}
	return out
}

func (m advisoryMentions) of(k KnownAdvisory) (Advisory, bool) {
	best, found := Advisory{}, false
	for _, id := range append([]string{k.ID}, k.Aliases...) {
		if p, ok := m.by[strings.ToUpper(id)]; ok && (!found || best.Fixed.IsZero()) {
			best, found = p, true
		}
	}
	return best, found
}

// advisoryReaction says whether a cloud was mended in time: MISS if nobody says when, DNF if the dates are not exact enough.
func advisoryReaction(k KnownAdvisory, p Advisory, q Question) audit.Outcome {
	if p.Fixed.IsZero() {
		return audit.MISS
	}
	first, ok := advisoryDeadline(k, k.Published, q.Rule)
	if !ok {
		return audit.DNF
	}
	last, _ := advisoryDeadline(k, k.publishedUntil(), q.Rule)
	switch {
	case !dayEnd(p.Fixed, p.Days).After(first):
		return audit.PASS
	case dayBegin(p.Fixed, p.Days).After(last):
		return audit.FAIL
	}
	return audit.DNF
}

// advisoryDeadline is the end of the time that a profile gives for a severity.
func advisoryDeadline(k KnownAdvisory, from time.Time, rule audit.TransparencyRule) (time.Time, bool) {
	hours, hasHours := rule.Numbers[k.Severity+"_hours"]
	days, hasDays := rule.Numbers[k.Severity+"_days"]
	months, hasMonths := rule.Numbers[k.Severity+"_months"]
	if k.Severity == "" || !hasHours && !hasDays && !hasMonths {
		return time.Time{}, false
	}
	return from.AddDate(0, months, days).Add(time.Duration(hours) * time.Hour), true
}

// A day without a time zone begins in the zone furthest east, 14 hours before UTC, and ends in the one furthest west, 12 hours
// after it (IANA time zones Etc/GMT-14 and Etc/GMT+12).
const (
	furthestEast = 14 * time.Hour
	furthestWest = 12 * time.Hour
)

// publishedUntil is the end of the time in which a known advisory was published. The databases write a day as its midnight, in
// UTC.
func (k KnownAdvisory) publishedUntil() time.Time {
	if k.Published.Equal(k.Published.Truncate(24 * time.Hour)) {
		return k.Published.Add(24 * time.Hour)
	}
	return k.Published
}

func dayBegin(t time.Time, day bool) time.Time {
	if day {
		return t.Add(-furthestEast)
	}
	return t
}

func dayEnd(t time.Time, day bool) time.Time {
	if day {
		return t.Add(24*time.Hour + furthestWest)
	}
	return t
}
