package indicator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// firstOrigins are the origins of a fact that an answer shows.
func firstOrigins[T any](f audit.Fact[T]) []audit.Origin {
	return slices.Clone(f.Origins[:min(len(f.Origins), mostNames)])
}

// advisories returns what is published about vulnerabilities.
func (in *input) advisories() (a scoring.Advisories, m scoring.Measurement, ok bool) {
	a, m, ok = take(in, in.e.Advisories, "the published advisories")
	switch {
	case !ok:
		return a, m, false
	case in.e.AssessedAt.IsZero():
		return a, untold("the evidence does not say what day it is about", "collect the evidence again"), false
	case !plausible(a.Published24m, a.FixUnknown, len(a.FixDays)) || !plausible(a.FixDays...) || a.Newest.After(in.e.AssessedAt):
		return a, untold("the recorded advisories contradict themselves", "collect the evidence again"), false
	}
	return a, m, true
}

// advisoriesPublished (SE-03, scs-0008 MA-3) asks: does the project publish its vulnerabilities?
// Measured: advisories about the project in databases. It never fails: a project without any may not have had one.
// Misleads: databases also hold what others found and published.
func advisoriesPublished(in *input) scoring.Measurement {
	a, m, ok := in.advisories()
	switch {
	case !ok:
		return m
	case a.Newest.IsZero():
		reason := "no advisory in " + clip(a.Feed) + ", which does not show that the project would publish one"
		if len(a.Gaps) > 0 {
			reason += "; not read: " + names(a.Gaps)
		}
		return untold(reason, "find out where the project publishes advisories")
	}
	return passed("yes", fmt.Sprintf("%s in 24 months, the newest on %s (%s)", plurals(a.Published24m, "advisory", "advisories"), day(a.Newest), clip(a.Feed)),
		firstOrigins(in.e.Advisories)...)
}

// plurals writes a number with a noun whose plural is its own word.
func plurals(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// exposure is what the advisories about all deployed versions add up to.
type exposure struct {
	critical, high []string // certain and old; young critical ones that are too old to pass count as high
	maybeCritical  []string // what may turn out to be critical
	maybeHigh      []string // what may turn out to be high, not critical
	oldest         int      // days, of the certain ones
	distribution   string   // why the certain ones may be fixed all the same
}

// openVulnerabilities (SE-04, scs-0008 MA-3) asks: does a deployed version have an old critical vulnerability? Knock-out:
// FAIL needs an advisory that certainly applies to the version, is certainly critical, and is older than the threshold.
// Measured: the days since publication of advisories that the deployed versions have. High ones count half, and so do critical
// ones whose age lies between the two thresholds of the profile. Advisories of unknown severity, or of which nobody can tell whether they apply, leave the answer open, and so does a version that comes
// from a package of a distribution, which may hold the fix under the same number. PASS needs every database read.
// Misleads: whether the flaw can be reached in this deployment is not known.
func openVulnerabilities(in *input) scoring.Measurement {
	if len(in.p.Versions) == 0 {
		return missed("the deployed version is not known", "find out the deployed version")
	}
	a, m, ok := in.advisories()
	if !ok {
		return m
	}
	if in.rule.Pass == nil {
		return untold("the profile sets no age", "complete the profile")
	}
	x := in.exposed(a)
	high, low := audit.Full, audit.Full
	settle := "find out whether the advisories apply, e.g. from a VEX statement"
	var reason []string
	if x.distribution != "" && len(x.critical)+len(x.high) > 0 {
		reason = append(reason, x.distribution)
		x.maybeCritical, x.critical = append(x.maybeCritical, x.critical...), nil
		x.maybeHigh, x.high = append(x.maybeHigh, x.high...), nil
	}
	limit := plural(*in.rule.Pass, "day")
	switch {
	case len(x.critical) > 0:
		return failed(fmt.Sprint(x.oldest), fmt.Sprintf("%d critical and open for more than %s: %s%s", len(x.critical), plural(in.worst()-1, "day"), names(x.critical), in.cut(a)), firstOrigins(in.e.Advisories)...)
	case len(x.high) > 0:
		reason = append(reason, fmt.Sprintf("%d high and open for more than %s: %s%s", len(x.high), limit, names(x.high), in.cut(a)))
		high, low = half, half
	}
	if len(x.maybeCritical) > 0 {
		reason = append(reason, "may be critical and open: "+names(x.maybeCritical))
		low = 0
	}
	if len(x.maybeHigh) > 0 {
		reason = append(reason, "may be high and open: "+names(x.maybeHigh))
		low = min(low, half)
	}
	if len(a.Gaps) > 0 {
		reason = append(reason, "not read: "+names(a.Gaps))
		low, settle = 0, "read "+clip(slices.Min(a.Gaps))
	}
	if len(reason) == 0 {
		reason = append(reason, fmt.Sprintf("no advisory of high severity older than %s for version %s (%s)", limit, names(in.versions()), clip(a.Feed)))
	}
	m = spanned(low, high, strings.Join(reason, "; "), settle)
	m.Value, m.Origins = fmt.Sprint(x.oldest), firstOrigins(in.e.Advisories)
	return m
}

// worst is the age in days from which a critical advisory fails.
func (in *input) worst() int {
	if in.rule.Fail != nil {
		return *in.rule.Fail
	}
	return *in.rule.Pass + 1
}

// cut says how many advisories of the deployed versions the evidence only counts; those that count most are listed.
func (in *input) cut(a scoring.Advisories) string {
	n := 0
	for _, version := range in.versions() {
		if left := a.Cut[version]; plausible(left) {
			n = min(mostCount, n+left)
		}
	}
	if n == 0 {
		return ""
	}
	return ", and " + plurals(n, "advisory", "advisories") + " of less weight that are not listed"
}

// exposed sorts the advisories of the deployed versions by what they may mean.
func (in *input) exposed(a scoring.Advisories) exposure {
	var x exposure
	old := func(published time.Time) bool { return in.days(published) > *in.rule.Pass }
	label := func(v scoring.Advisory, version string) string { return clip(v.ID) + " in " + clip(version) }
	for _, version := range in.versions() {
		list, compared := a.Deployed[version]
		if !compared {
			x.maybeCritical = append(x.maybeCritical, "any advisory, because version "+clip(version)+" was not compared")
		}
		for _, v := range list {
			// One of low or medium severity has no say, one without a day may be old.
			if !v.Published.IsZero() && !old(v.Published) {
				continue
			}
			switch {
			case v.Published.IsZero() && v.Severity != "medium" && v.Severity != "low", v.Severity == "unknown", v.Severity == "":
				x.maybeCritical = append(x.maybeCritical, label(v, version))
				continue
			case v.Severity == "critical" && in.days(v.Published) >= in.worst():
				x.critical = append(x.critical, label(v, version))
			case v.Severity == "high", v.Severity == "critical":
				x.high = append(x.high, label(v, version))
			default:
				continue
			}
			x.oldest = max(x.oldest, in.days(v.Published))
		}
		for _, v := range a.Unclear[version] {
			switch {
			case !v.Published.IsZero() && !old(v.Published), v.Severity == "medium", v.Severity == "low":
			case v.Severity == "high":
				x.maybeHigh = append(x.maybeHigh, label(v, version))
			default:
				x.maybeCritical = append(x.maybeCritical, label(v, version))
			}
		}
	}
	for _, l := range in.p.Links {
		for _, kind := range []string{"pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/"} {
			if strings.HasPrefix(l.Subject, kind) {
				x.distribution = "the version comes from a package of a distribution, which may hold the fix"
			}
		}
	}
	return x
}

// remediation (SE-05, scs-0008 MA-3) asks: how soon is a vulnerability fixed?
// Measured: the median days from the publication of an advisory of the last 24 months to the first release with the fix; a
// fix before publication counts 0 days. Advisories whose fixed release is not known may be anything from 0 days on.
// Misleads: fixes for older branches may come later than the first; an advisory may be published late.
func remediation(in *input) scoring.Measurement {
	a, m, ok := in.advisories()
	if !ok {
		return m
	}
	days := slices.Sorted(slices.Values(a.FixDays))
	n := len(days) + a.FixUnknown
	if n == 0 {
		if median, known := a.MedianDays.Get(); known && plausible(median) {
			days, n = []int{median}, 1
		} else {
			return untold("no advisory in 24 months to judge by", "new advisories")
		}
	}
	// The median is at n/2, the later one of two.
	best, worst, shown := 0, unbounded, "0 or more"
	if at := n/2 - a.FixUnknown; at >= 0 {
		best = days[at]
		shown = fmt.Sprintf("%d or more", best)
	}
	if n/2 < len(days) {
		worst = days[n/2]
		shown = fmt.Sprintf("%d..%d", best, worst)
	}
	if best == worst {
		shown = fmt.Sprint(best)
	}
	reason := fmt.Sprintf("the median of %s of 24 months is %s days", plurals(n, "advisory", "advisories"), strings.ReplaceAll(shown, "..", " to "))
	if a.FixUnknown > 0 {
		reason += fmt.Sprintf(", the fixed release of %d is not known", a.FixUnknown)
	}
	m = judgeBetween(whole(best), whole(worst), in.rule, less).answer(shown, reason+in.needed(less), firstOrigins(in.e.Advisories)...)
	if m.Outcome == audit.DNF {
		m.Settle = []string{"read the tags of the project"}
	}
	return m
}

// badge (SE-13, scs-0008 SE-3) asks: does the project hold a badge of the OpenSSF?
// Measured: its level in the Best Practices programme, or of the OSPS Baseline. Silver, or the second level of the
// baseline, passes; passing, or the first level, counts half. The programme lists all that take part, so that a project
// that it does not list has none.
// Misleads: projects fill in the badge themselves.
func badge(in *input) scoring.Measurement {
	b, m, ok := take(in, in.e.Badge, "the badge of the OpenSSF")
	if !ok {
		return m
	}
	origins := firstOrigins(in.e.Badge)
	level := strings.ToLower(b.Level)
	if b.Project == 0 {
		return failed("none", "the project does not take part in the OpenSSF Best Practices programme", origins...)
	}
	switch {
	case level == "gold" || level == "silver" || level == "baseline-2" || level == "baseline-3" || b.Baseline >= 2:
		return passed(level, fmt.Sprintf("project %d of the OpenSSF Best Practices programme: %s", b.Project, level), origins...)
	case level == "passing" || level == "baseline-1" || b.Baseline == 1:
		return partly(level, fmt.Sprintf("project %d of the OpenSSF Best Practices programme: %s, silver needed", b.Project, level), origins...)
	case level == "in_progress":
		return failed(level, fmt.Sprintf("project %d of the OpenSSF Best Practices programme takes part, but holds no badge yet", b.Project), origins...)
	}
	return untold("a level of the badge that is not known: "+clip(b.Level), "read the badge again")
}
