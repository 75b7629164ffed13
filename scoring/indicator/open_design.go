package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// elsewhere is where proposals may live beside the repository.
const elsewhere = "a repository of proposals beside this one"

// proposalProcess (OD-01, scs-0008 FO-4.1) asks: is there a public process for proposals?
// Measured: a directory of specifications, enhancements, RFCs or decision records in the repository, or in one beside it
// that the catalogue or the README names.
// Misleads: a sister repository that nobody names is not read.
func proposalProcess(in *input) scoring.Measurement {
	return in.present(tool("proposals"), "directory of proposals", elsewhere)
}

// proposalsAlive (OD-02, scs-0008 FO-4.1) asks: are proposals still written?
// Measured: proposal files that changed in twelve months, in the repository and those beside it. While nothing was found
// beside it, proposals elsewhere may be more, so that a low number is a lower bound.
// Misleads: a change may be a typing error put right.
func proposalsAlive(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	if len(t.Tools["proposals"]) == 0 {
		return in.absent(t, missing(t, "directory of proposals"), elsewhere)
	}
	changed, m, ok := take(in, t.ProposalsChanged12m, "the changes of proposals")
	switch {
	case !ok:
		return m
	case !plausible(changed):
		return untold("the recorded file counts contradict themselves", "collect the evidence again")
	}
	dirs := byPath(t.Tools["proposals"])
	m = in.count(changed, more, fmt.Sprintf("%s changed in %s below %s", plural(changed, "proposal"), plural(in.rule.Window, "day"), listed(dirs)), in.files(dirs)...)
	if m.Outcome == audit.PASS || in.proposalsBeside() {
		return m
	}
	return lowerBound(m, "not read: "+elsewhere, "name the repository of proposals")
}

// decisions (OD-03, scs-0008 FO-4.2) asks: can one trace how proposals were decided?
// Measured: proposals of the repository whose changes of twelve months were reviewed in git, of all that changed. Where the
// forge lets nothing in without a review by somebody else, each of them was. Git cannot show that there was no review, so
// that a low share is a lower bound, and proposals elsewhere are not read.
// Misleads: as OV-02; a review of the wording is no decision.
func decisions(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	if len(t.Tools["proposals"]) == 0 {
		return in.absent(t, missing(t, "directory of proposals"), elsewhere)
	}
	changed, m, ok := takeCount(in, t.ProposalsChanged12m, "the changes of proposals")
	switch {
	case !ok:
		return m
	case changed == 0:
		return untold(fmt.Sprintf("no proposal changed in %s", plural(in.rule.Window, "day")), "new proposals")
	}
	dirs := byPath(t.Tools["proposals"])
	origins := in.files(dirs)
	if r, known := in.e.Rules.Get(); known && !in.e.Rules.Declared {
		required, review := r.ReviewRequired.Get()
		force, pushes := r.ForcePush.Get()
		if review && required && pushes && !force && !r.ReviewRequired.Declared && !r.ForcePush.Declared {
			in.rests(in.e.Rules.Grade)
			return in.ratio(changed, changed, more, fmt.Sprintf("%s changed below %s, where nothing is merged without a review by somebody else", plural(changed, "proposal"), listed(dirs)), append(origins, firstOrigins(in.e.Rules)...)...)
		}
	}
	reviewed, m, ok := takeCount(in, t.ProposalsReviewed12m, "the reviews of proposals")
	switch {
	case !ok:
		return m
	case reviewed > changed:
		return untold("the recorded file counts contradict themselves", "collect the evidence again")
	}
	m = in.ratio(reviewed, changed, more, fmt.Sprintf("git shows a review of all changes of %d of %s that changed in %s below %s", reviewed, plural(changed, "proposal"), plural(in.rule.Window, "day"), listed(dirs)), origins...)
	if m.Outcome == audit.PASS {
		return m
	}
	return lowerBound(m, "reviews on the forge were not read", "read the reviews of the proposals through the forge API")
}

// designEvents (OD-06, scs-0008 FO-4.3, FO-3.3) asks: are meetings on the design public, with notes?
// Measured: nothing: no archive of notes can be read by a program for every project. The day of the last one that the
// project states is taken.
// Misleads: notes may leave out what was decided.
func designEvents(in *input) scoring.Measurement {
	return in.stated("the day of the last design event with public notes", saying, less)
}

// roadmap (OD-04, scs-0008 FO-4.4) asks: does a roadmap say where the project goes?
// Measured: the days since a roadmap file of the repository changed. Milestones and cycle goals elsewhere may be newer.
// Misleads: a changed file may still describe the past.
func roadmap(in *input) scoring.Measurement {
	const milestones = "milestones and goals outside the repository"
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	files := byPath(t.Documents["roadmap"])
	if len(files) == 0 {
		return in.absent(t, missing(t, "roadmap"), milestones)
	}
	changed, m, ok := take(in, t.RoadmapChanged, "the changes of the roadmap")
	switch {
	case !ok:
		return m
	case in.e.AssessedAt.IsZero() || changed.IsZero() || changed.After(in.e.AssessedAt):
		return untold("the day of the last change of "+listed(files)+" is not plausible", "collect the evidence again")
	}
	age := in.days(changed)
	m = in.count(age, less, fmt.Sprintf("%s changed %s ago", listed(files), plural(age, "day")), in.files(files)...)
	if m.Outcome == audit.PASS {
		return m
	}
	places := slices.Concat([]string{milestones}, in.unread(t, "roadmap"))
	return lowerBound(m, "not read: "+strings.Join(places, "; "), "read "+places[0])
}
