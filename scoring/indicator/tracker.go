package indicator

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const secondsADay = 24 * 60 * 60

// mostSeconds bounds durations: a century.
const mostSeconds = 100 * 366 * secondsADay

// issues returns what the tracker says.
func (in *input) issues() (i scoring.Issues, m scoring.Measurement, ok bool) {
	i, m, ok = take(in, in.e.Issues, "the tracker")
	if ok && !plausible(i.Sample) {
		return i, untold("the recorded issues contradict themselves", "collect the evidence again"), false
	}
	return i, m, ok
}

// changes returns the window of proposed changes that the rule asks for.
func (in *input) changes() (c scoring.Changes, w scoring.ChangeWindow, m scoring.Measurement, ok bool) {
	c, m, ok = take(in, in.e.Changes, "the proposed changes")
	if !ok {
		return c, w, m, false
	}
	months := monthsOf(in.rule.Window)
	for _, w := range c.Windows {
		if w.Months != months {
			continue
		}
		if !plausible(w.Sample) {
			return c, w, untold("the recorded changes contradict themselves", "collect the evidence again"), false
		}
		return c, w, m, true
	}
	return c, w, untold(fmt.Sprintf("the changes of %s could not be seen", plural(in.rule.Window, "day")), "read the changes on the forge again"), false
}

// takeCount is take for a number of things; a number that no collector can write is no evidence.
func takeCount(in *input, f audit.Fact[int], what string) (n int, m scoring.Measurement, ok bool) {
	n, m, ok = take(in, f, what)
	if ok && !plausible(n) {
		return n, untold(what+" cannot be so many", "collect the evidence again"), false
	}
	return n, m, ok
}

// ciHealth (MA-08, scs-0008 MA-6) asks: does CI succeed?
// Measured: runs on the default branch, or in the gate, that succeeded, of all that ended in the window. Where only the
// newest runs could be seen, the rest of the window may have been all good or all bad.
// Misleads: a gate that stops bad changes fails often, and should.
func ciHealth(in *input) scoring.Measurement {
	r, m, ok := take(in, in.e.Runs, "the results of CI")
	switch {
	case !ok:
		return m
	case !plausible(r.Sample, r.Succeeded) || r.Succeeded > r.Sample:
		return untold("the recorded runs contradict themselves", "collect the evidence again")
	case r.Sample == 0:
		return untold(fmt.Sprintf("no run of %s ended in %s", clip(r.System), plural(in.rule.Window, "day")), "new runs")
	}
	reason := fmt.Sprintf("%d of %s of %s succeeded", r.Succeeded, plural(r.Sample, "run"), clip(r.System))
	origins := firstOrigins(in.e.Runs)
	if r.Whole {
		return in.ratio(r.Succeeded, r.Sample, more, reason, origins...)
	}
	days, m, ok := takeCount(in, r.Days, "the days that the runs cover")
	if !ok {
		return m
	}
	days = min(days, in.rule.Window)
	low := int(int64(audit.Full) * int64(r.Succeeded) * int64(days) / (int64(r.Sample) * int64(max(in.rule.Window, 1))))
	high := low + audit.Full*(in.rule.Window-days)/max(in.rule.Window, 1) + 1
	return in.between(low, min(high, audit.Full), more, decimal, fmt.Sprintf("%s, which cover %d of %s", reason, days, plural(in.rule.Window, "day")),
		"read older runs", origins...)
}

// issuesClosed (MA-09, scs-0008 MA-4) asks: does the backlog of the tracker move?
// Measured: issues closed in the window, whenever opened, of those opened in it.
// Misleads: robots close old issues; a tracker holds wishes as well as mistakes.
func issuesClosed(in *input) scoring.Measurement {
	i, m, ok := in.issues()
	if !ok {
		return m
	}
	opened, m, ok := takeCount(in, i.Opened12m, "the issues opened in 12 months")
	if !ok {
		return m
	}
	closed, m, ok := takeCount(in, i.Closed12m, "the issues closed in 12 months")
	switch {
	case !ok:
		return m
	case opened == 0:
		return untold(fmt.Sprintf("no issue was opened in %s", plural(in.rule.Window, "day")), "new issues")
	}
	return in.ratio(closed, opened, more, fmt.Sprintf("%d closed for %d opened in %s (%s)", closed, opened, plural(in.rule.Window, "day"), clip(i.Tracker)),
		firstOrigins(in.e.Issues)...)
}

// issueAge (MA-10, scs-0008 MA-4) asks: how old do open issues grow?
// Measured: the median age of the open issues; a tracker without open issues passes.
// Misleads: as MA-09.
func issueAge(in *input) scoring.Measurement {
	i, m, ok := in.issues()
	if !ok {
		return m
	}
	if open, known := i.Open.Get(); known && open == 0 && !i.Open.Declared {
		return passed("0", "no open issue in "+clip(i.Tracker), firstOrigins(in.e.Issues)...)
	}
	age, m, ok := take(in, i.MedianAge, "the age of the open issues")
	switch {
	case !ok:
		return m
	case age < 0 || age > mostSeconds:
		return untold("the age of the open issues is not plausible", "collect the evidence again")
	}
	days := int(age / secondsADay)
	return in.count(days, less, fmt.Sprintf("half of the open issues of %s are older than %s", clip(i.Tracker), plural(days, "day")), firstOrigins(in.e.Issues)...)
}

// openIntake (OD-05, scs-0008 FO-4.3, FO-3.3) asks: may anybody ask for something?
// Measured: a tracker in which anybody with an account may open an issue. A tracker that is closed proves nothing: the
// project may take requests elsewhere.
// Misleads: being able to write is not being heard.
func openIntake(in *input) scoring.Measurement {
	i, m, ok := in.issues()
	if !ok {
		return m
	}
	public, m, ok := take(in, i.Public, "whether anybody may write to the tracker")
	switch {
	case !ok:
		return m
	case !public:
		return untold("nobody may open an issue in "+clip(i.Tracker)+"; not read: other trackers and lists", "find out where the project takes requests")
	}
	return passed("yes", "anybody may open an issue in "+clip(i.Tracker), firstOrigins(in.e.Issues)...)
}

// newcomersWelcome (OV-05, scs-0008 FO-3.2) asks: does the project mark work for beginners?
// Measured: open issues or labels of that kind on the forge. Without any, a document on mentoring may still exist.
// Misleads: labels grow old.
func newcomersWelcome(in *input) scoring.Measurement {
	h, m, ok := take(in, in.e.Home, "the forge")
	if !ok {
		return m
	}
	n, m, ok := takeCount(in, h.Newcomers, "the labels for newcomers")
	switch {
	case !ok:
		return m
	case n == 0:
		return untold("no label or issue for newcomers on "+clip(h.Forge)+"; not read: documents on mentoring", "read the documentation")
	}
	return passed("yes", plural(n, "label or issue")+" for newcomers on "+clip(h.Forge), firstOrigins(in.e.Home)...)
}

// answers are the first answers in one place.
type answers struct {
	median  int64
	missing bool // more were left without an answer than got one
	whole   bool
}

// firstAnswer (OV-06, scs-0008 FO-3.2) asks: how long does one wait for an answer?
// Measured: the median time to the first human answer by somebody else, on issues and on changes of the window; with both,
// the median of all lies between the two. Where most got no answer, the median is not known upwards; where only the newest
// could be seen, the answer may pass but not fail.
// Misleads: what never got an answer does not count as long as most did.
func firstAnswer(in *input) scoring.Measurement {
	var list []answers
	var places []string
	var unknown scoring.Measurement
	add := func(place string, median audit.Fact[int64], answered, unanswered audit.Fact[int], whole bool) {
		v, m, ok := take(in, median, "the time to the first answer on "+place)
		if ok && (v < 0 || v > mostSeconds) {
			m, ok = untold("the time to the first answer on "+place+" is not plausible", "collect the evidence again"), false
		}
		if !ok {
			if unknown.Reason == "" || unknown.Outcome == audit.MISS {
				unknown = m
			}
			return
		}
		a, known := answered.Get()
		u, counted := unanswered.Get()
		list = append(list, answers{v, !known || !counted || u > a, whole})
		places = append(places, fmt.Sprintf("%s on %s", plural(int(v/secondsADay), "day"), place))
	}
	_, w, changes, ok := in.changes()
	if ok {
		add("changes", w.FirstResponse, w.Answered, w.Unanswered, w.Whole)
	}
	i, issues, both := in.issues()
	if both {
		add("issues", i.FirstResponse, i.Answered, i.Unanswered, i.Whole)
	}
	for _, m := range []scoring.Measurement{changes, issues} {
		if m.Outcome == audit.DNF && (unknown.Reason == "" || unknown.Outcome == audit.MISS) || unknown.Reason == "" && m.Reason != "" {
			unknown = m
		}
	}
	if len(list) == 0 {
		return unknown
	}
	return in.judgeAnswers(list, strings.Join(places, ", "), unknown)
}

// judgeAnswers judges the first answers of the places that could be read; unknown is what could not.
func (in *input) judgeAnswers(list []answers, reason string, unknown scoring.Measurement) scoring.Measurement {
	best, worst, whole := list[0].median, list[0].median, true
	missing := false
	for _, a := range list {
		best, worst = min(best, a.median), max(worst, a.median)
		whole, missing = whole && a.whole, missing || a.missing
	}
	if len(list) == 1 {
		// The other place may be faster or slower.
		best, missing = 0, true
	}
	low, high := value{best, secondsADay}, value{worst, secondsADay}
	shown := fmt.Sprintf("%d..%d", best/secondsADay, worst/secondsADay)
	if best == worst {
		shown = fmt.Sprint(best / secondsADay)
	}
	if missing {
		high = value{unbounded, 1}
		shown = fmt.Sprintf("%d or more", best/secondsADay)
	}
	origins := append(firstOrigins(in.e.Changes), firstOrigins(in.e.Issues)...)
	m := judgeBetween(low, high, in.rule, less).answer(shown, "half got a first answer within: "+reason+in.needed(less), origins...)
	if m.Outcome == audit.DNF {
		m.Reason += "; the rest is not known"
		m.Settle = []string{"read the answers on changes and issues"}
		if len(unknown.Settle) > 0 {
			m.Settle = unknown.Settle
		}
	}
	if !whole && m.Outcome != audit.PASS {
		return lowerBound(m, "only the newest could be seen", "read all of the window")
	}
	return m
}

// changesClosed (OV-07) asks: are proposed changes dealt with?
// Measured: changes merged or abandoned in the window, of those opened in it.
// Misleads: robots abandon old changes.
func changesClosed(in *input) scoring.Measurement {
	c, w, m, ok := in.changes()
	if !ok {
		return m
	}
	opened, m, ok := takeCount(in, w.Opened, "the changes opened")
	if !ok {
		return m
	}
	closed, m, ok := takeCount(in, w.Closed, "the changes closed")
	switch {
	case !ok:
		return m
	case opened == 0:
		return untold(fmt.Sprintf("no change was opened in %s", plural(in.rule.Window, "day")), "new changes")
	}
	return in.ratio(closed, opened, more, fmt.Sprintf("%d closed for %d opened in %s (%s)", closed, opened, plural(in.rule.Window, "day"), clip(c.Forge)),
		firstOrigins(in.e.Changes)...)
}
