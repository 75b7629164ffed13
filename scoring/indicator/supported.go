package indicator

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// supported (MA-02, scs-0008 MA-2) asks: is the deployed version still supported? Knock-out.
// Measured: the days until the end of the release cycle that each deployed version belongs to; the last day still counts. Where
// sources differ the earlier day decides whether the answer is PASS, and only when the latest has passed it is FAIL. An
// estimate that has passed ends nothing, and a cycle that goes on without a stated end is at least PART. A -eol tag of the
// series is FAIL whatever a calendar says: the project set it. Without a calendar tags alone never pass: that nobody set
// such a tag proves nothing; an -eom or -em tag (maintenance ended or extended) shows that full support is over. A project
// with rolling releases maintains the newest alone: that one is at least PART, and PASS is out of reach for it, because its
// end comes with the next release, on a day that nobody states; one that a newer release has replaced is judged by that day.
// Misleads: what a distribution maintains beyond the end of its upstream; series with names instead of numbers have no tags that match.
func supported(in *input) scoring.Measurement {
	if len(in.p.Versions) == 0 {
		return missed("the deployed version is not known", "find out the deployed version")
	}
	r, m, tagged := in.releases()
	late := ""
	if tagged {
		for _, v := range in.versions() {
			tag, marker := endOfLife(v, r.EOLTags)
			switch {
			case marker == "eol":
				return failed("0", fmt.Sprintf("version %s is at its end of life: tag %s", clip(v), clip(tag)), in.at(""))
			case marker != "" && late == "":
				late = fmt.Sprintf("full maintenance of version %s is over: tag %s", clip(v), clip(tag))
			}
		}
	}
	cycles, why, known := take(in, in.e.Cycles, "the release calendar")
	switch {
	case known && !in.e.AssessedAt.IsZero():
		m := in.scheduled(cycles)
		if late != "" && m.Outcome == audit.DNF {
			m.Interval, m.Reason = audit.Between(m.Interval.Low(), max(m.Interval.Low(), min(m.Interval.High(), half))), m.Reason+"; "+late
			if m.Interval.Width() == 0 { // maintained by the calendar, and not in full by the tag
				m.Outcome, m.Settle = audit.PART, nil
			}
		}
		return m
	case !tagged && in.e.Cycles.Failure != "" && m.Outcome == audit.MISS:
		return why
	case !tagged:
		return m
	case late != "":
		m := untold(late+"; no end of life is recorded", "end-of-life data, e.g. the release calendar of the project")
		m.Interval = audit.Between(0, half)
		return m
	case in.e.Cycles.Failure != "":
		return why
	}
	return untold("no tag says until when "+names(in.versions())+" is supported", "end-of-life data, e.g. the release calendar of the project")
}

// scheduled judges every deployed version by the calendar; the worst answer counts, and the ends of all bound it.
func (in *input) scheduled(cycles scoring.Cycles) scoring.Measurement {
	var worst scoring.Measurement
	low, high := audit.Full, audit.Full
	for i, v := range in.versions() {
		m := in.until(v, cycles)
		low, high = min(low, m.Interval.Low()), min(high, m.Interval.High())
		if i == 0 || severity(m.Outcome) > severity(worst.Outcome) {
			worst = m
		}
	}
	worst.Interval = audit.Between(low, high)
	if worst.Outcome == audit.DNF && worst.Interval.Width() == 0 { // each version leaves another end open
		worst.Outcome, worst.Settle = audit.PART, nil
	}
	return worst
}

func severity(o audit.Outcome) int {
	switch o {
	case audit.FAIL:
		return 3
	case audit.PASS:
		return 0
	case audit.PART:
		return 1
	}
	return 2
}

// until judges one version by the cycle it belongs to.
func (in *input) until(version string, cycles scoring.Cycles) scoring.Measurement {
	c, ok := cycles.Of(version)
	if !ok {
		return in.open(0, audit.Full, fmt.Sprintf("version %s belongs to no cycle that %s lists", clip(version), clip(cycles.Source)), "find out which release the version is of")
	}
	cycle := fmt.Sprintf("version %s belongs to %s", clip(version), clip(c.Name))
	said := " (" + clip(cmp.Or(c.Source, cycles.Source)) + ")"
	switch {
	case c.Status == "development":
		return in.open(0, audit.Full, cycle+", which is in development"+said, "deploy a release")
	case c.Status == "unmaintained" || c.Status == "extended":
		return in.open(0, half, cycle+", whose full maintenance is over; no end of life is stated"+said, "the day of its end of life")
	case c.Ended:
		return failed("0", cycle+", which is at its end of life"+said, in.calendar()...)
	case c.EndLow.IsZero() && c.EndHigh.IsZero() && c.Status == "maintained":
		behind := ""
		if c.Latest != "" && scoring.CompareVersions(version, c.Latest) < 0 {
			behind = ", and its newest release is " + clip(c.Latest)
		}
		return in.open(half, audit.Full, cycle+", which is maintained; no end is stated"+behind+said, "a stated end of its maintenance; where releases are rolling, deploy each as it comes")
	case c.EndLow.IsZero() && (c.EndHigh.IsZero() || in.left(c.EndHigh) >= 0):
		return in.open(0, audit.Full, cycle+", for which no end is stated"+said, "a stated end of its maintenance")
	case c.EndLow.IsZero():
		c.EndLow = c.EndHigh
	}
	return in.ends(c, cycle, said)
}

// ends judges a cycle by the days until its stated ends.
func (in *input) ends(c scoring.Cycle, cycle, said string) scoring.Measurement {
	earliest, latest := in.left(c.EndLow), in.left(c.EndHigh)
	if !c.EndHigh.IsZero() && c.EndHigh.Before(c.EndLow) {
		return in.open(0, audit.Full, cycle+", whose stated ends contradict each other"+said, "collect the evidence again")
	}
	if earliest < 0 {
		switch {
		case c.EndHigh.IsZero():
			return in.open(0, half, cycle+", whose maintenance usually ended on "+day(c.EndLow)+said, "a stated end of its maintenance")
		case c.Estimate:
			return in.open(0, half, cycle+", whose end was estimated for "+day(c.EndHigh)+" and is not announced"+said, "the announced end of its maintenance")
		case latest >= 0:
			return in.open(0, half, cycle+", whose maintenance ends between "+day(c.EndLow)+" and "+day(c.EndHigh)+said, "a source that settles the day")
		}
		return judge(whole(min(-1, latest)), in.rule, more).answer(fmt.Sprint(latest), cycle+", whose maintenance ended on "+day(c.EndHigh)+said, in.calendar()...)
	}
	shown, when := fmt.Sprint(earliest), "on "+day(c.EndLow)
	if latest > earliest {
		shown, when = fmt.Sprintf("%d..%d", earliest, latest), "between "+day(c.EndLow)+" and "+day(c.EndHigh)
	}
	if c.Estimate {
		when += ", as estimated"
	}
	return judge(whole(max(1, earliest)), in.rule, more).answer(shown, fmt.Sprintf("%s, whose maintenance ends %s, in %s%s%s", cycle, when, plural(earliest, "day"), said, in.needed(more)), in.calendar()...)
}

// open is an answer of which only the ends are known.
func (in *input) open(low, high int, reason, settle string) scoring.Measurement {
	m := untold(reason, settle)
	m.Interval, m.Origins = audit.Between(low, high), in.calendar()
	return m
}

// calendar names the files that the release cycles come from.
func (in *input) calendar() []audit.Origin {
	origins := in.e.Cycles.Origins
	return origins[:min(len(origins), mostNames):min(len(origins), mostNames)]
}

// left returns the days from the day of assessment to a last day; negative if it has passed.
func (in *input) left(last time.Time) int {
	today := in.e.AssessedAt.UTC().Truncate(24 * time.Hour)
	return int(math.Floor(last.UTC().Truncate(24*time.Hour).Sub(today).Hours() / 24))
}
