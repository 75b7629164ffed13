package indicator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// releases returns what tags and branches say.
func (in *input) releases() (r scoring.Releases, m scoring.Measurement, ok bool) {
	r, m, ok = take(in, in.e.Releases, "the tags and branches")
	switch {
	case !ok:
		return r, m, false
	case in.e.AssessedAt.IsZero():
		return r, untold("the evidence does not say what day it is about", "collect the evidence again"), false
	case !plausible(r.Releases24m, r.Signed24m) || r.Signed24m > r.Releases24m:
		return r, untold("the recorded releases contradict themselves", "collect the evidence again"), false
	}
	return r, m, true
}

// releaseCadence (MA-01, scs-0008 AC-1) asks: does the project release?
// Measured: commits with a version tag in the window, and the age of the last. Without any version tag ever the answer is
// open: the project may release elsewhere.
// Misleads: tags are not releases; projects that deliver from a branch need none; patch releases count like major ones.
func releaseCadence(in *input) scoring.Measurement {
	r, m, ok := in.releases()
	if !ok {
		return m
	}
	if r.Releases24m == 0 && r.LastRelease.IsZero() {
		return untold("no tag of the clone looks like a release", "read a clone with all tags, or a declaration of where the releases are")
	}
	longest, m, ok := in.number("last_release_days")
	if !ok {
		return m
	}
	age := in.days(r.LastRelease)
	m = in.count(r.Releases24m, more, fmt.Sprintf("%s in %s, the last %s ago", plural(r.Releases24m, "release"), plural(in.rule.Window, "day"), plural(age, "day")))
	if m.Outcome == audit.PASS && age > longest {
		m = partly(m.Value, m.Reason+fmt.Sprintf(", at most %s ago", plural(longest, "day")))
	}
	if !m.Outcome.Decided() || m.Outcome == audit.PASS {
		return m
	}
	h, _, known := in.history()
	switch {
	case !known:
		return lowerBound(m, "the age of the project is not known", "read the commit history")
	}
	return in.bounded(h, m)
}

// endOfLife returns the tag that ends the series of a version, and its marker (eol, eom, em); the worst marker counts.
func endOfLife(version string, tags []string) (tag, marker string) {
	sorted := slices.Clone(tags)
	slices.Sort(sorted)
	for _, want := range []string{"eol", "eom", "em"} {
		for _, t := range sorted {
			if series, ok := strings.CutSuffix(strings.ToLower(t), "-"+want); ok && leads(series, version) {
				return t, want
			}
		}
	}
	return "", ""
}

// leads reports whether a series such as v9.2 or stable-9.2 is a leading part of a version such as 9.2.1.
func leads(series, version string) bool {
	for _, prefix := range []string{"stable-", "stable/", "release-", "release/", "branch-", "v"} {
		series = strings.TrimPrefix(series, prefix)
	}
	version = strings.TrimPrefix(strings.ToLower(version), "v")
	if series == "" || series[0] < '0' || series[0] > '9' {
		return false
	}
	rest, ok := strings.CutPrefix(version, series)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '-' || rest[0] == '+')
}

// maintenancePolicy (MA-03, scs-0008 MA-2) asks: is it written down how long a version is supported?
// Measured: a document in the repository, or a release calendar that the project keeps itself and that states ends.
// Misleads: a table of versions elsewhere is not read.
func maintenancePolicy(in *input) scoring.Measurement {
	return in.find(document("maintenance-policy"), "maintenance policy", []place{statedEnds, foundationPages}, "the documentation")
}

// statedEnds is the release calendar of the project itself as the place where it says how long a version is supported.
func statedEnds(in *input) sight {
	c, known := in.e.Cycles.Get()
	own := in.e.Cycles.Grade == audit.GradeRecord || in.e.Cycles.Grade == audit.GradeDeclared // not a third party's table
	if !known || in.e.Cycles.Declared || !own || !slices.ContainsFunc(c.Cycles, func(c scoring.Cycle) bool { return !c.EndLow.IsZero() || !c.EndHigh.IsZero() }) {
		return sight{}
	}
	in.rests(in.e.Cycles.Grade)
	return sight{answer: passed("yes", "the release calendar of the project states ends ("+clip(c.Source)+")", orOrigin(in.calendar(), in.at(""))...)}
}

// stableBranches (MA-04, scs-0008 MA-2) asks: do old releases still get fixes?
// Measured: the days since the newest commit on any release branch. Without release branches the answer is open: the clone
// may hold only one branch.
// Branches that are named unmaintained do not count.
// Misleads: a branch without need for a fix looks neglected.
func stableBranches(in *input) scoring.Measurement {
	r, m, ok := in.releases()
	if !ok {
		return m
	}
	var newest scoring.Branch
	for _, b := range r.StableBranches {
		if strings.HasPrefix(b.Name, "unmaintained") {
			continue
		}
		if !b.Last.After(in.e.AssessedAt) && (b.Last.After(newest.Last) || b.Last.Equal(newest.Last) && b.Name < newest.Name) {
			newest = b
		}
	}
	if newest.Last.IsZero() {
		return untold("no release branch in the clone", "read a clone with all branches, or a declaration that releases come from the default branch")
	}
	age := in.days(newest.Last)
	return in.count(age, less, fmt.Sprintf("%s ago on release branch %s", plural(age, "day"), clip(newest.Name)))
}

// reverts (MA-05, scs-0008 MA-1) asks: how often is a change taken back?
// Measured: revert commits of the window, of all commits.
// Misleads: a project that reverts quickly looks worse than one that leaves mistakes in.
func reverts(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	if w.Commits == 0 {
		return untold("the recorded history contradicts itself", "collect the evidence again")
	}
	return in.bounded(h, in.ratio(w.Reverts, w.Commits, less, fmt.Sprintf("%d of %s in %s are reverts", w.Reverts, plural(w.Commits, "commit"), plural(in.rule.Window, "day"))))
}

// tests (MA-06, scs-0008 MA-6) asks: do tests come with the code, and does CI run them?
// Measured: test files by source files. Without CI configuration in the repository, and without results of CI that could be
// read, nobody knows whether they run.
// Misleads: few large test files look worse than many small ones; tests in another repository are not seen.
func tests(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	switch {
	case !ok:
		return m
	case t.SourceFiles == 0:
		return notApplicable("the repository has no source files")
	}
	m = in.ratio(t.TestFiles, t.SourceFiles, more, fmt.Sprintf("%s for %s", plural(t.TestFiles, "test file"), plural(t.SourceFiles, "source file")), in.at(""))
	if len(t.Tools["ci"]) == 0 && m.Outcome.Decided() && m.Outcome != audit.FAIL && !in.runs() {
		m.Outcome, m.Interval = audit.DNF, audit.Between(0, m.Interval.High())
		m.Reason += "; neither CI configuration in the repository nor results of CI show that they run"
		m.Settle = []string{"find out where CI is configured"}
	}
	return m
}

// mergeGate (MA-07, scs-0008 MA-5, MA-6) asks: does CI stop a change that breaks tests?
// Measured: a gate configured in the repository, or checks that the forge requires before a merge.
// Misleads: rules that only administrators see leave the answer open; administrators may be exempt.
func mergeGate(in *input) scoring.Measurement {
	return in.find(tool("gate"), "merge gate", []place{requiredChecks, foundationPages})
}

// requiredChecks is the place where the forge says what must succeed before a merge.
func requiredChecks(in *input) sight {
	r, known := in.e.Rules.Get()
	required, said := r.ChecksRequired.Get()
	switch {
	case !known || !said || in.e.Rules.Declared || r.ChecksRequired.Declared:
		return sight{unread: "the rules of the forge"}
	case !required:
		return sight{}
	}
	in.rests(in.e.Rules.Grade)
	in.rests(r.ChecksRequired.Grade)
	return sight{answer: passed("yes", "the forge requires checks to succeed before a merge", orOrigin(firstOrigins(in.e.Rules), in.at(""))...)}
}

// deprecationPolicy (MA-11, scs-0008 MA-2) asks: is it written down how features are retired?
// Measured: a document in the repository.
// Misleads: whether the policy grants a release and three months is not read.
func deprecationPolicy(in *input) scoring.Measurement {
	return in.present(document("deprecation"), "deprecation policy", "the documentation")
}

// changelog (MA-12) asks: do releases say what changed?
// Measured: a changelog or release notes in the repository.
// Misleads: whether each release has an entry is not read.
func changelog(in *input) scoring.Measurement {
	return in.present(document("changelog"), "changelog or release notes")
}

// conformanceTests (MA-13, scs-0008 MA-7, MA-8) asks: are interfaces and standards tested for conformance?
// Measured: a conformance suite or its plugin in the repository.
// Misleads: suites are often repositories of their own.
func conformanceTests(in *input) scoring.Measurement {
	return in.present(tool("conformance"), "conformance tests", "a suite of its own")
}

// age (MA-14) asks: has the project lasted?
// Measured: the days since the first commit. Young projects count half, never less.
// Misleads: a rewrite or an import begins a new history.
func age(in *input) scoring.Measurement {
	h, m, ok := in.history()
	switch {
	case !ok:
		return m
	case h.FirstCommit.IsZero() || h.FirstCommit.After(in.e.AssessedAt):
		return untold("the day of the first commit is not plausible", "collect the evidence again")
	}
	young, m, ok := in.number("young_days")
	if !ok {
		return m
	}
	least, m, ok := in.number("young_value_bp")
	if !ok {
		return m
	}
	days := in.days(h.FirstCommit)
	m = in.count(days, more, "first commit on "+day(h.FirstCommit)+", "+plural(days, "day")+" ago")
	if days < young && m.Outcome.Decided() && m.Outcome != audit.PASS {
		m.Outcome, m.Interval = audit.PART, audit.Exactly(least)
	}
	return in.bounded(scoring.History{Shallow: h.Shallow, FirstCommit: time.Time{}}, m)
}

// signedReleases (MA-15, scs-0008 SE-1) asks: are releases signed?
// Measured: releases of the window whose tag is annotated and carries a signature. The signature is not verified.
// Misleads: artefacts may be signed instead of tags.
func signedReleases(in *input) scoring.Measurement {
	r, m, ok := in.releases()
	switch {
	case !ok:
		return m
	case r.Releases24m == 0:
		return untold(fmt.Sprintf("no release in %s to judge by", plural(in.rule.Window, "day")), "read a clone with all tags")
	}
	return in.ratio(r.Signed24m, r.Releases24m, more, fmt.Sprintf("%d of %s in %s carry a signature", r.Signed24m, plural(r.Releases24m, "release"), plural(in.rule.Window, "day")))
}
