package indicator_test

import (
	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// placeReads is reads for the questions that forge, foundation and indexes answer.
var placeReads = map[string]change{
	"AC-08": noPackaging, "AC-09": noDependents, "LR-03": noMergers, "MA-08": noRuns, "MA-09": noIssues, "MA-10": noIssues,
	"OC-04": noChanges, "OC-05": noTeam, "MA-07": noGate, "OC-08": noRecords, "OC-12": noTeam, "OV-08": noCI, "SE-14": noRecords, "AC-11": noShared, "OD-05": noIssues, "OV-05": noHome, "OV-06": noAnswers, "OV-07": noChanges,
	"SE-03": noAdvisories, "SE-04": noAdvisories, "SE-05": noAdvisories, "SE-12": noRules, "SE-13": noBadge,
}

// placeCannot is cannot for the same questions.
var placeCannot = map[string]map[audit.Outcome]string{
	"AC-09": {audit.FAIL: "dependents that an index does not see are never counted"},
	"OD-05": {audit.FAIL: "other trackers are never read"},
	"OV-05": {audit.FAIL: "documents on mentoring are never read"},
	"SE-03": {audit.FAIL: "a project without advisories may not have had a vulnerability"},
}

type adder func(id, name string, o audit.Outcome, i audit.Interval, reason string, changes ...change)

// placeCases are the cases of the questions that forge, foundation and indexes answer.
func placeCases(add adder) {
	for id := range placeReads {
		add(id, "the healthy sample passes", audit.PASS, fullScore, "")
	}
	known := func(n int) audit.Fact[int] { return audit.Known(n) }
	seconds := func(days int64) audit.Fact[int64] { return audit.Known(days * daySeconds) }

	// Adoption.
	add("AC-08", "two families are not enough", audit.FAIL, zeroScore, "2 families", packaging(func(p *scoring.Packaging) { p.Current = 2 }))
	add("AC-08", "more current ones than there are is no evidence", audit.DNF, open, "contradict", packaging(func(p *scoring.Packaging) { p.Current = 20 }))
	add("AC-09", "a thousand are exactly enough", audit.PASS, fullScore, "1000 dependent packages", dependents(func(d *scoring.Dependents) { d.Count = 1000 }))
	add("AC-09", "999 are a lower bound just below", audit.DNF, audit.Between(9998, 10000), "not counted", dependents(func(d *scoring.Dependents) { d.Count = 999 }))
	add("AC-09", "ten are a third at least", audit.DNF, audit.Between(3333, 10000), "not counted", dependents(func(d *scoring.Dependents) { d.Count = 10 }))
	add("AC-09", "none prove nothing", audit.DNF, open, "not counted", dependents(func(d *scoring.Dependents) { d.Count = 0 }))

	// CI and tracker.
	add("MA-08", "half of the runs fail it", audit.FAIL, zeroScore, "50 of 100", runs(func(r *scoring.Runs) { r.Succeeded = 50 }))
	add("MA-08", "between the thresholds it is linear", audit.PART, halfScore, "75 of 100", runs(func(r *scoring.Runs) { r.Succeeded = 75 }))
	add("MA-08", "no run is no evidence", audit.DNF, open, "no run", runs(func(r *scoring.Runs) { r.Sample, r.Succeeded = 0, 0 }))
	add("MA-08", "runs of 85 of 90 days bound the rest", audit.PASS, fullScore, "85 of 90 days", runs(func(r *scoring.Runs) { r.Whole, r.Days = false, known(85) }))
	add("MA-08", "runs of 9 days leave the rest open", audit.DNF, open, "9 of 90 days", runs(func(r *scoring.Runs) { r.Whole, r.Days = false, known(9) }))
	add("MA-08", "newest runs without their time leave it open", audit.MISS, open, "days that the runs cover", runs(func(r *scoring.Runs) { r.Whole, r.Days = false, audit.Fact[int]{} }))
	add("MA-08", "more successes than runs are no evidence", audit.DNF, open, "contradict", runs(func(r *scoring.Runs) { r.Succeeded = 101 }))
	add("MA-09", "half closed fails", audit.FAIL, zeroScore, "100 closed for 200", issues(func(i *scoring.Issues) { i.Closed12m = known(100) }))
	add("MA-09", "nothing opened is no evidence", audit.DNF, open, "no issue was opened", issues(func(i *scoring.Issues) { i.Opened12m, i.Closed12m = known(0), known(0) }))
	add("MA-09", "closed issues that nobody counted", audit.MISS, open, "issues closed", issues(func(i *scoring.Issues) { i.Closed12m = audit.Fact[int]{} }))
	add("MA-10", "two years fail", audit.FAIL, zeroScore, "730 days", issues(func(i *scoring.Issues) { i.MedianAge = seconds(730) }))
	add("MA-10", "no open issue passes", audit.PASS, fullScore, "no open issue", issues(func(i *scoring.Issues) { i.Open, i.MedianAge = known(0), audit.Fact[int64]{} }))
	add("MA-10", "an age of before the tracker is no evidence", audit.DNF, open, "not plausible", issues(func(i *scoring.Issues) { i.MedianAge = seconds(-1) }))
	add("OD-05", "a closed tracker proves nothing", audit.DNF, open, "other trackers", issues(func(i *scoring.Issues) { i.Public = audit.Known(false) }))
	add("OV-05", "no label leaves documents", audit.DNF, open, "mentoring", home(func(h *scoring.Home) { h.Newcomers = known(0) }))

	// Answers.
	slow := func(s *sample) {
		changes(func(w *scoring.ChangeWindow) { w.FirstResponse = seconds(40) })(s)
		issues(func(i *scoring.Issues) { i.FirstResponse = seconds(50) })(s)
	}
	add("OV-06", "more than a month everywhere fails", audit.FAIL, zeroScore, "40 days on changes, 50 days on issues", slow)
	add("OV-06", "a slow tracker beside quick reviews leaves the median of all open", audit.DNF, open, "not known", issues(func(i *scoring.Issues) { i.FirstResponse = seconds(40) }))
	add("OV-06", "issues alone leave the changes open", audit.DNF, open, "not known", noChanges)
	add("OV-06", "where most got no answer it is not known", audit.DNF, open, "not known", issues(func(i *scoring.Issues) { i.Unanswered = known(46) }))
	add("OV-06", "the newest alone never fail", audit.DNF, open, "only the newest", slow, issues(func(i *scoring.Issues) { i.Whole = false }))
	add("OV-06", "the newest alone may pass", audit.PASS, fullScore, "", issues(func(i *scoring.Issues) { i.Whole = false }))
	add("OV-07", "half closed fails", audit.FAIL, zeroScore, "closed for 480", changes(func(w *scoring.ChangeWindow) { w.Closed = known(20 * w.Months) }))
	add("OV-07", "nothing opened is no evidence", audit.DNF, open, "no change was opened", changes(func(w *scoring.ChangeWindow) { w.Opened = known(0) }))
	add("OV-07", "another window than that of the rule is none", audit.DNF, open, "could not be seen", changes(func(w *scoring.ChangeWindow) { w.Months = 1 }))

	// People who decide.
	top := func(low, high int) change {
		return changes(func(w *scoring.ChangeWindow) { w.TopApproverOrgLowBP, w.TopApproverOrgHighBP = known(low), known(high) })
	}
	add("OC-04", "one organisation fails", audit.FAIL, zeroScore, "95 %", top(9500, 9500))
	add("OC-04", "unknown organisations leave it open", audit.DNF, audit.Between(5000, 10000), "30 % to 60 %", top(3000, 6000))
	add("OC-04", "half of the changes leave the others open", audit.DNF, open, "216 changes of 432", top(2000, 2000),
		changes(func(w *scoring.ChangeWindow) { w.Whole, w.Sample = false, 18*w.Months }), top(9500, 10000))
	add("OC-04", "nine of ten changes may be enough", audit.PASS, fullScore, "18 % to 28 %", top(2000, 2000),
		changes(func(w *scoring.ChangeWindow) { w.Whole, w.Sample, w.Merged = false, 90, known(100) }))
	add("OC-04", "nobody approved anything", audit.DNF, open, "no change was merged", changes(func(w *scoring.ChangeWindow) { w.Sample, w.Merged = 0, known(0) }))
	add("OC-05", "one organisation fails", audit.FAIL, zeroScore, "1 organisation", team(func(t *scoring.Team) { t.Organisations = audit.Known([2]int{1, 1}) }))
	add("OC-05", "two count half", audit.PART, halfScore, "", team(func(t *scoring.Team) { t.Organisations = audit.Known([2]int{2, 2}) }))
	add("OC-05", "unknown ones leave it open", audit.DNF, open, "1 to 4 organisations", team(func(t *scoring.Team) { t.Organisations = audit.Known([2]int{1, 4}) }))
	leads := func(form string, days int) change {
		return records(func(g *scoring.Governance) {
			g.Leadership = seen(form, "foundation")
			g.TermSince = seen(ago(days), "foundation")
		})
	}
	add("OC-08", "an appointed leader fails", audit.FAIL, zeroScore, "nobody stood for election", leads("appointed", 1))
	add("OC-08", "a long term fails", audit.FAIL, zeroScore, "at most 13", leads("elected", 430))
	add("OC-08", "a committee is not judged", audit.DNF, open, "committee", leads("committee", 1))
	add("LR-03", "one person who approves and merges everything fails", audit.FAIL, zeroScore, "1 person who approved, nobody who merged",
		windows(func(w *scoring.Window) { w.Committers = 1 }), changes(func(w *scoring.ChangeWindow) { w.Approvers, w.Mergers = known(1), known(0) }))
	add("LR-03", "one who approves and one who merges may be the same", audit.DNF, audit.Between(0, 5000), "both ends",
		windows(func(w *scoring.Window) { w.Committers = 1 }), changes(func(w *scoring.ChangeWindow) { w.Approvers, w.Mergers = known(1), known(1) }))
	add("LR-03", "approvals on the forge count without git", audit.PASS, fullScore, "8 people who approved", noHistory)
	add("LR-03", "a part of the changes is a lower bound", audit.DNF, open, "not all approvals",
		windows(func(w *scoring.Window) { w.Committers = 1 }), changes(func(w *scoring.ChangeWindow) { w.Approvers, w.Mergers, w.Whole = known(1), known(0), false }))
	add("SE-12", "force pushes fail", audit.FAIL, zeroScore, "force pushes", rules(func(r *scoring.Rules) { r.ForcePush, r.ReviewRequired = audit.Known(true), audit.Fact[bool]{} }))
	add("SE-12", "no review fails", audit.FAIL, zeroScore, "no review", rules(func(r *scoring.Rules) { r.ReviewRequired = audit.Known(false) }))
	add("SE-12", "rules that only administrators see leave it open", audit.DNF, open, "administrators", rules(func(r *scoring.Rules) { r.ReviewRequired = audit.Failed[bool]("only administrators may read this") }))

	// Vulnerabilities.
	has := func(version, severity string, days int) change {
		return advisories(func(a *scoring.Advisories) {
			deployed := map[string][]scoring.Advisory{"9.2.1": {}, "8.0": {}}
			deployed[version] = []scoring.Advisory{{ID: "CVE-2026-0001", Severity: severity, Published: ago(days)}}
			a.Deployed = deployed
		})
	}
	mayHave := func(severity string, days int) change {
		return advisories(func(a *scoring.Advisories) {
			a.Unclear = map[string][]scoring.Advisory{"9.2.1": {{ID: "CVE-2026-0002", Severity: severity, Published: ago(days), Why: "the advisory names commits only"}}}
		})
	}
	packaged := project(func(p *scoring.Project) {
		p.Links = append(p.Links, scoring.Link{Subject: "pkg:deb/debian/example@9.2.1-1", Rule: "package", Confidence: "high"})
	})
	add("SE-03", "no advisory proves nothing", audit.DNF, open, "does not show", advisories(func(a *scoring.Advisories) { a.Newest = audit.Origin{}.At }))
	add("SE-03", "an advisory of tomorrow is no evidence", audit.DNF, open, "contradict", advisories(func(a *scoring.Advisories) { a.Newest = ago(-1) }))
	add("SE-04", "an old critical one fails and is named", audit.FAIL, zeroScore, "CVE-2026-0001 in 9.2.1", has("9.2.1", "critical", 61))
	add("SE-04", "a new critical one does not yet", audit.PASS, fullScore, "no advisory", has("9.2.1", "critical", 60))
	add("SE-04", "an old high one counts half", audit.PART, halfScore, "high and open", has("9.2.1", "high", 90))
	add("SE-04", "an old one of unknown severity may be critical", audit.DNF, open, "may be critical", has("9.2.1", "unknown", 90))
	add("SE-04", "an old one of medium severity has no say", audit.PASS, fullScore, "", has("9.2.1", "medium", 900))
	add("SE-04", "a version that nobody deployed has no say", audit.PASS, fullScore, "", has("8.0", "critical", 900))
	add("SE-04", "one that may not apply never fails", audit.DNF, open, "may be critical and open: CVE-2026-0002", mayHave("critical", 900))
	add("SE-04", "a high one that may not apply can cost half", audit.DNF, atLeastHalf(), "may be high", mayHave("high", 900))
	add("SE-04", "a certain one fails whatever else is unclear", audit.FAIL, zeroScore, "CVE-2026-0001", has("9.2.1", "critical", 61), mayHave("critical", 900))
	add("SE-04", "a package of a distribution may hold the fix", audit.DNF, open, "distribution", has("9.2.1", "critical", 900), packaged)
	add("SE-04", "a database that was not read leaves it open", audit.DNF, open, "not read: another", advisories(func(a *scoring.Advisories) { a.Gaps = []string{"another database"} }))
	add("SE-04", "a version that was not compared leaves it open", audit.DNF, open, "was not compared", advisories(func(a *scoring.Advisories) { a.Deployed = nil }))
	add("SE-04", "an unknown deployed version is not compared", audit.MISS, open, "deployed version is not known", project(func(p *scoring.Project) { p.Versions = nil }))
	fixes := func(unknown int, days ...int) change {
		return advisories(func(a *scoring.Advisories) { a.FixDays, a.FixUnknown = days, unknown })
	}
	add("SE-05", "three months fail", audit.FAIL, zeroScore, "95 days", fixes(0, 1, 95, 200))
	add("SE-05", "between the thresholds it is linear", audit.PART, halfScore, "60 days", fixes(0, 60))
	add("SE-05", "one unknown fix of four leaves a bound", audit.DNF, atLeastHalf(), "2 to 60 days", fixes(1, 1, 2, 60))
	add("SE-05", "one unknown fix of five may not matter", audit.PASS, fullScore, "", fixes(1, 1, 2, 3, 4))
	add("SE-05", "unknown fixes leave it open", audit.DNF, open, "0 or more", fixes(3))
	add("SE-05", "no advisory is no evidence", audit.DNF, open, "no advisory", advisories(func(a *scoring.Advisories) { a.FixDays, a.MedianDays = nil, audit.Fact[int]{} }))
	add("SE-05", "a median alone is enough", audit.PASS, fullScore, "10 days", advisories(func(a *scoring.Advisories) { a.FixDays = nil }))
	level := func(level string, project, baseline int) change {
		return badges(func(b *scoring.Badge) { b.Level, b.Project, b.Baseline = level, project, baseline })
	}
	add("SE-13", "a project that is not listed has none", audit.FAIL, zeroScore, "does not take part", level("", 0, 0))
	add("SE-13", "one in progress has none", audit.FAIL, zeroScore, "no badge yet", level("in_progress", 7, 0))
	add("SE-13", "passing counts half", audit.PART, halfScore, "silver needed", level("passing", 7, 0))
	add("SE-13", "the first level of the baseline counts half", audit.PART, halfScore, "", level("baseline-1", 7, 1))
	add("SE-13", "passing with the second level of the baseline passes", audit.PASS, fullScore, "", level("passing", 7, 2))
	add("SE-13", "a new level is not guessed at", audit.DNF, open, "platinum", level("platinum", 7, 0))

	for id, knocked := range placeReads {
		add(id, "a place that nobody looked at is MISS", audit.MISS, open, "nobody looked at", knocked)
		if id == "MA-07" || id == "OV-08" {
			add(id, "a place that was read in vain is DNF", audit.DNF, open, "the log ended early", placesInVain, func(s *sample) { s.e.Tree = audit.Failed[scoring.Tree]("the log ended early") })
			continue
		}
		if id == "LR-03" {
			add(id, "a place that was read in vain is DNF", audit.DNF, open, "the log ended early", placesInVain, func(s *sample) { s.e.History = audit.Failed[scoring.History]("the log ended early") })
			continue
		}
		add(id, "a place that was read in vain is DNF", audit.DNF, open, "the log ended early", placesInVain)
	}
}
