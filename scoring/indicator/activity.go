package indicator

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// maintained (AC-01, scs-0008 AC-1) asks: do people still work on it? Knock-out: FAIL if nobody did for a year, if the
// repository is archived, or if it sleeps.
// Measured: whether the forge has archived the repository, where that is the home of the project and not a mirror; human
// non-merge commits of the window (90 days, or 182, 365 or 730); without any, whether there was one in the last year. A commit
// of that year on a release branch counts as one of the year if it is a person's, which nobody looked at; while nobody has read
// the release branches an idle default branch does not fail. A project sleeps if a whole year saw fewer human commits than are
// asked of the window, and a project that once made releases has made none for years: then no fix reaches its users.
// Misleads: a finished project needs few commits; where the forge was not asked an archived repository looks alive for a
// while, and what it says then overturns the count of commits; a clone that was not updated looks abandoned; so does a
// default branch that the project left for another.
func maintained(in *input) scoring.Measurement {
	if m, archived := in.archived(); archived {
		return m
	}
	h, m, ok := in.history()
	if !ok {
		return m
	}
	dormant, m, ok := in.number("dormant_days")
	if !ok {
		return m
	}
	commits, m, ok := in.humanCommits(h)
	if !ok {
		return m
	}
	if commits > 0 {
		m = in.count(commits, more, fmt.Sprintf("%s in %s", plural(commits, "human commit"), plural(in.rule.Window, "day")))
		if m.Outcome == audit.FAIL { // a profile may ask for more; some commits are no harm
			m = partly(m.Value, m.Reason)
		}
		return in.sleeping(h, in.bounded(h, m), dormant)
	}
	worth, m, ok := in.number("dormant_value_bp")
	if !ok {
		return m
	}
	w, recorded := h.Window(12)
	some := recorded && dormant == 365 && w.HumanCommits > 0 || !h.LastHumanCommit.IsZero() && in.days(h.LastHumanCommit) < dormant
	if some {
		m = scoring.Measurement{Outcome: audit.PART, Interval: audit.Exactly(worth), Value: "0",
			Reason: fmt.Sprintf("no human commit in %s, but some in %s", plural(in.rule.Window, "day"), plural(dormant, "day"))}
		return in.sleeping(h, in.bounded(h, m), dormant)
	}
	last := ""
	if !h.LastHumanCommit.IsZero() {
		last = ", the last on " + day(h.LastHumanCommit)
	}
	m = failed("0", fmt.Sprintf("no human commit in %s%s", plural(dormant, "day"), last))
	b, elsewhere := in.liveBranch(dormant)
	switch age := in.days(h.FirstCommit); {
	case h.Shallow:
		return lowerBound(m, "the clone does not reach back to the first commit", "read a full clone")
	case age < in.rule.Window:
		return lowerBound(m, fmt.Sprintf("the project is younger than %s", plural(in.rule.Window, "day")), "ask again when the project is older")
	case elsewhere:
		m = lowerBound(m, fmt.Sprintf("that is the default branch; release branch %s has a commit of %s", clip(b.Name), day(b.Last)), "read the commits of the release branches")
		m.Interval = audit.Between(0, worth)
	case in.e.Releases.Value == nil || in.e.Releases.Declared:
		m = lowerBound(m, "that is the default branch; the release branches were not read", "read the release branches")
		m.Interval = audit.Between(0, worth)
	case age < dormant:
		m = lowerBound(m, fmt.Sprintf("the project is younger than %s", plural(dormant, "day")), "ask again when the project is older")
		m.Interval = audit.Between(0, worth) // the whole window is known to be empty
	}
	return m
}

// sleeping turns the answer for a project with few commits into a failure if it makes no releases any more. While its releases
// were not read, and while a release branch has a commit of the last days, it may sleep.
func (in *input) sleeping(h scoring.History, m scoring.Measurement, dormant int) scoring.Measurement {
	year, recorded := h.Window(12)
	asked := in.rule.Pass
	if m.Outcome != audit.PART || !recorded || asked == nil || year.HumanCommits >= *asked || h.Shallow {
		return m
	}
	most, unknown, ok := in.number("release_days")
	if !ok {
		return unknown
	}
	r, unread, ok := take(in, in.e.Releases, "the releases")
	switch {
	case !ok:
		unread.Outcome, unread.Interval = audit.DNF, audit.Between(0, m.Interval.High()) // something is known: people still work on it
		return unread
	case r.LastRelease.IsZero() || in.days(r.LastRelease) <= most:
		return m
	}
	reason := fmt.Sprintf("%s in 365 days, and no release for %s, the last on %s", plural(year.HumanCommits, "human commit"), plural(most, "day"), day(r.LastRelease))
	if b, live := in.liveBranch(dormant); live {
		open := untold(reason+fmt.Sprintf("; release branch %s has a commit of %s", clip(b.Name), day(b.Last)), "read the commits of the release branches")
		open.Interval = audit.Between(0, m.Interval.High())
		return open
	}
	return failed(m.Value, reason)
}

// archived answers for a repository that its forge has closed for changes. A mirror that was closed says nothing about its
// home.
func (in *input) archived() (m scoring.Measurement, ok bool) {
	h, known := in.e.Home.Get()
	closed, said := h.Archived.Get()
	of, home := h.MirrorOf.Get()
	home = home || h.Forge == "gerrit" // a review system is no mirror, and has no word for it
	elsewhere, _ := in.e.MirrorOf.Get()
	review := ""
	if t, read := in.e.Tree.Get(); read {
		review = address(t.GerritProject)
	}
	read := address(in.e.Repo)
	switch {
	case !known || !said || !closed || in.e.Home.Declared || h.Archived.Declared:
		return m, false
	case !home || of != "" || elsewhere != "", in.p.Mirror != "" && read == address(in.p.Mirror) && read != address(in.p.Repo), review != "" && domain(review) != domain(read):
		return m, false
	}
	in.rests(in.e.Home.Grade)
	in.rests(h.Archived.Grade)
	return failed("archived", clip(h.Forge)+" has archived the repository: nothing can be changed there", orOrigin(firstOrigins(in.e.Home), in.at(""))...), true
}

// humanCommits counts the human commits of the window that the rule asks for.
func (in *input) humanCommits(h scoring.History) (n int, m scoring.Measurement, ok bool) {
	if in.rule.Window == 90 {
		return h.Human90d, m, true
	}
	_, w, m, ok := in.window()
	return w.HumanCommits, m, ok
}

// liveBranch returns a release branch with a commit of the last days; of several the first by name.
func (in *input) liveBranch(days int) (live scoring.Branch, ok bool) {
	r, known := in.e.Releases.Get()
	if !known || in.e.Releases.Declared {
		return live, false
	}
	for _, b := range r.StableBranches {
		if age := in.days(b.Last); !b.Last.IsZero() && age >= 0 && age < days && (!ok || b.Name < live.Name) {
			live, ok = b, true
		}
	}
	return live, ok
}

// activeContributors (AC-02, scs-0008 AC-4) asks: how many people work on it at a time?
// Measured: distinct human authors of the last quarter (91 days), or of the window of 182, 365 or 730 days.
// Misleads: one quarter may be a holiday.
func activeContributors(in *input) scoring.Measurement {
	h, m, ok := in.history()
	if !ok {
		return m
	}
	if in.rule.Window != 91 {
		_, w, m, ok := in.window()
		if !ok {
			return m
		}
		return in.bounded(h, in.count(w.Authors, more, fmt.Sprintf("%s in %s", plural(w.Authors, "human author"), plural(in.rule.Window, "day"))))
	}
	quarters := inOrderOfTime(h.Quarters)
	if len(quarters) == 0 {
		return untold("the history has no quarters", "collect the evidence again")
	}
	n := quarters[len(quarters)-1].Authors
	return in.bounded(h, in.count(n, more, plural(n, "human author")+" in the last quarter"))
}

func inOrderOfTime(quarters []scoring.Quarter) []scoring.Quarter {
	sorted := slices.Clone(quarters)
	slices.SortStableFunc(sorted, func(a, b scoring.Quarter) int { return a.End.Compare(b.End) })
	return sorted
}

// retention (AC-03, scs-0008 AC-3) asks: do contributors stay?
// Measured: authors of months 13 to 24 who were also authors of months 1 to 12. NA if months 13 to 24 had no author.
// Misleads: people who finished a task of one change look like people who left.
func retention(in *input) scoring.Measurement {
	h, m, ok := in.history()
	switch {
	case !ok:
		return m
	case h.Shallow:
		return untold("the clone does not reach back to the first commit", "read a full clone")
	case h.AuthorsYear2 == 0:
		return notApplicable("nobody wrote a commit in months 13 to 24, so nobody could stay")
	}
	return in.bounded(h, in.ratio(h.Retained, h.AuthorsYear2, more,
		fmt.Sprintf("%d of %s of months 13 to 24 stayed", h.Retained, plural(h.AuthorsYear2, "author"))))
}

// newcomers (AC-04, scs-0008 AC-2) asks: do new people join?
// Measured: people whose first commit ever lies in the window (one year or two). NA for a project that is younger: everybody
// is new.
// Misleads: somebody with a new address looks new.
func newcomers(in *input) scoring.Measurement {
	h, m, ok := in.history()
	switch {
	case !ok:
		return m
	case h.Shallow:
		return untold("the clone does not reach back to the first commit", "read a full clone")
	case in.days(h.FirstCommit) < in.rule.Window:
		return notApplicable(fmt.Sprintf("the project is younger than %s, so everybody is new", plural(in.rule.Window, "day")))
	}
	n, m, ok := in.newcomersOf(h)
	if !ok {
		return m
	}
	return in.count(n, more, fmt.Sprintf("%s in %s", plural(n, "newcomer"), plural(in.rule.Window, "day")))
}

// newcomersOf counts the newcomers of the last year, or of the last two: nobody is new twice, so that years add up.
func (in *input) newcomersOf(h scoring.History) (n int, m scoring.Measurement, ok bool) {
	const year = 4 // quarters
	switch last := len(h.Past) - 1; {
	case in.rule.Window == 365:
		return h.Newcomers12m, m, true
	case in.rule.Window == 730 && last >= year && h.Past[last-year].Newcomers >= 0:
		return h.Newcomers12m + h.Past[last-year].Newcomers, m, true
	}
	return 0, untold(fmt.Sprintf("the newcomers of %s are not recorded", plural(in.rule.Window, "day")), "use a profile with a window of 365 or 730 days, on evidence that was collected lately"), false
}

// A quarter of the history is 365/4 days long.
const quarter = 365 * 24 * time.Hour / 4

// mostQuarters bounds the pairs that the slope is the median of.
const mostQuarters = 40

// trend (AC-05, scs-0008 AC-2, AC-3) asks: do contributors become fewer?
// Measured: the Theil-Sen slope (median slope of all pairs) of the authors per quarter, as change per year relative to the
// mean. Quarters before the project began do not count; NA if fewer than four are left.
// Misleads: a large project may shrink and still be large.
func trend(in *input) scoring.Measurement {
	h, m, ok := in.history()
	if !ok {
		return m
	}
	if h.Shallow {
		return untold("the clone does not reach back to the first commit", "read a full clone")
	}
	least, m, ok := in.number("least_quarters")
	if !ok {
		return m
	}
	var authors []int64
	for _, q := range inOrderOfTime(h.Quarters) {
		if !q.End.Add(-quarter).Before(h.FirstCommit) {
			authors = append(authors, int64(q.Authors))
		}
	}
	authors = authors[max(0, len(authors)-mostQuarters):]
	switch {
	case len(h.Quarters) == 0:
		return untold("the history has no quarters", "collect the evidence again")
	case len(authors) < max(least, 2):
		return notApplicable(fmt.Sprintf("the history covers %s, %d needed for a trend", plural(len(authors), "full quarter"), max(least, 2)))
	}
	change, some := relativeSlope(authors)
	if !some {
		return failed("-1.00", "no human author in "+plural(len(authors), "quarter"))
	}
	bp := int(math.Floor(float64(change.num) / float64(change.den)))
	return judge(change, in.rule, more).answer(decimal(bp), fmt.Sprintf("authors per quarter change by %s a year over %s%s",
		percent(bp), plural(len(authors), "quarter"), in.needed(more)))
}

// relativeSlope is the Theil-Sen slope of a series of quarters, as basis points of its mean per year; some is false if the
// series is zero throughout.
func relativeSlope(series []int64) (change value, some bool) {
	var total int64
	var slopes []value
	for i, y := range series {
		total += y
		for j := range i {
			slopes = append(slopes, value{y - series[j], int64(i - j)})
		}
	}
	if total == 0 {
		return value{0, 1}, false
	}
	slices.SortFunc(slopes, func(a, b value) int {
		return int(max(-1, min(1, a.num*b.den-b.num*a.den)))
	})
	middle := slopes[len(slopes)/2]
	if len(slopes)%2 == 0 {
		other := slopes[len(slopes)/2-1]
		middle = value{middle.num*other.den + other.num*middle.den, 2 * middle.den * other.den}
	}
	// Four quarters a year; the mean is total / len.
	return value{middle.num * 4 * int64(len(series)) * audit.Full, middle.den * total}, true
}

// adopters (AC-06, scs-0008 AC-5) asks: who uses it?
// Measured: organisations counted in a file of adopters.
// Misleads: such a file is a claim, and is seldom cleaned up.
func adopters(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	files := byPath(t.Documents["adopters"])
	if len(files) == 0 {
		return in.absent(t, missing(t, "file of adopters"), "case studies and surveys")
	}
	n, counted := markedNumber(files, "organisations")
	if !counted {
		return untold("nobody counted the organisations in "+listed(files), "count the organisations in "+clip(files[0].Path))
	}
	m = in.count(n, more, fmt.Sprintf("%s in %s", plural(n, "organisation"), listed(files)), in.files(files)...)
	if m.Outcome == audit.PASS {
		return m
	}
	return lowerBound(m, "case studies and surveys were not read", "read case studies and surveys")
}

// vendors (AC-07, scs-0008 AC-5) asks: do vendors that are independent of each other support it for money?
// Measured: nothing: no marketplace can be read by a program. The number that the project states is taken.
// Misleads: an offer says nothing of how good it is; a project counts its friends.
func vendors(in *input) scoring.Measurement {
	return in.stated("the number of vendors that support it", saying, more)
}

// visibility (AC-10, scs-0008 AC-6, AC-7) asks: is the project seen, at events, in the press, by its ambassadors?
// Measured: nothing, and nothing is judged: what the project states is shown.
// Misleads: press is no health.
func visibility(in *input) scoring.Measurement {
	return in.stated("events and press", saying+"; information only", more)
}

// sharedWork (AC-11, scs-0008 AC-8) asks: do its people work with other projects of the stack?
// Measured: other projects of the same collection with which it shares authors of twelve months, or with whose changes its
// own were tested together (Depends-On). Too few are a lower bound while fewer projects were read than would be enough.
// Misleads: work with projects that are not part of the stack is not seen; a shared author may be a mender of spelling.
func sharedWork(in *input) scoring.Measurement {
	s, m, ok := take(in, in.e.Shared, "the work shared with other projects of the stack")
	if !ok {
		if m.Outcome == audit.MISS && in.e.Failure == "" {
			m.Settle = []string{"collect all projects of the stack in one run"}
		}
		return m
	}
	others := map[string]bool{}
	for _, with := range []map[string]int{s.Authors, s.Tested} {
		for id, n := range with {
			if !plausible(n) {
				return untold("the recorded work with other projects contradicts itself", "collect the evidence again")
			}
			if n > 0 && id != in.p.ID {
				others[id] = true
			}
		}
	}
	if !plausible(s.Projects) || len(others) >= max(s.Projects, 1) {
		return untold("the recorded work with other projects contradicts itself", "collect the evidence again")
	}
	shown := ""
	if len(others) > 0 {
		shown = " (" + names(slices.Collect(maps.Keys(others))) + ")"
	}
	m = in.count(len(others), more, fmt.Sprintf("it shares authors or tests with %s%s of %d that were read together", plural(len(others), "other project"), shown, s.Projects-1), firstOrigins(in.e.Shared)...)
	if in.rule.Pass != nil && s.Projects-1 < *in.rule.Pass {
		return lowerBound(m, "too few projects were read together", "collect all projects of the stack in one run")
	}
	return m
}
