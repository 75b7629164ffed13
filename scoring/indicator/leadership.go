package indicator

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// reviewers (OC-04, scs-0008 FO-2.1) asks: does one organisation decide what is merged?
// Measured: the share of the largest organisation in the approvals of the window, as an interval. Where only the newest
// changes could be seen, the others may all be of that organisation, or none.
// Misleads: as OC-01.
func reviewers(in *input) scoring.Measurement {
	_, w, m, ok := in.changes()
	if !ok {
		return m
	}
	low, m, ok := takeCount(in, w.TopApproverOrgLowBP, "the organisations of those who approve")
	if !ok {
		return m
	}
	high, m, ok := takeCount(in, w.TopApproverOrgHighBP, "the organisations of those who approve")
	switch {
	case !ok:
		return m
	case low > high || high > audit.Full:
		return untold("the recorded shares contradict themselves", "collect the evidence again")
	case w.Sample == 0:
		return untold(fmt.Sprintf("no change was merged in %s", plural(in.rule.Window, "day")), "new changes")
	}
	seen := plural(w.Sample, "change")
	if !w.Whole {
		merged, m, ok := takeCount(in, w.Merged, "the merged changes")
		if !ok {
			return m
		}
		low, high = stretched(low, high, w.Sample, max(merged, w.Sample))
		seen += fmt.Sprintf(" of %d", merged)
	}
	return in.between(low, high, less, decimal, fmt.Sprintf("the largest organisation gave %s of the approvals of %s in %s",
		endsPercent(low, high), seen, plural(in.rule.Window, "day")), "find out which organisations the approvers work for, and read all changes", firstOrigins(in.e.Changes)...)
}

// stretched is a share of a sample as a share of all: the rest may have none or all of it.
func stretched(low, high, sample, all int) (int, int) {
	rest := all - sample
	return int(int64(low) * int64(sample) / int64(all)), int((int64(high)*int64(sample) + int64(rest)*audit.Full + int64(all) - 1) / int64(all))
}

// maintainers (OC-05, scs-0008 FO-2.1) asks: do those who decide come from several organisations?
// Measured: organisations of the people with merge rights, as an interval while some are not known.
// Misleads: rights that nobody uses count.
func maintainers(in *input) scoring.Measurement {
	t, m, ok := take(in, in.e.Team, "the maintainers")
	if !ok {
		return m
	}
	both, m, ok := take(in, t.Organisations, "the organisations of the maintainers")
	switch {
	case !ok:
		return m
	case !plausible(both[0], both[1]) || both[0] > both[1]:
		return untold("the recorded organisations contradict themselves", "collect the evidence again")
	}
	return in.between(both[0], both[1], more, plain, fmt.Sprintf("the maintainers work for %s (%s)", ends(both[0], both[1], "organisation"), clip(t.Source)),
		"find out which organisations the maintainers work for", firstOrigins(in.e.Team)...)
}

// leadership (OC-08, scs-0008 LR-1) asks: is the leadership elected, and renewed?
// Measured: the records of the foundation: the months since the term of an elected leader began, or of the people who share
// the work of one; a leader who was appointed because nobody stood for election fails. How other forms of leadership, such
// as a committee that chooses its own members, are renewed is not recorded.
// Misleads: an election with one candidate is no choice.
func leadership(in *input) scoring.Measurement {
	g, m, ok := take(in, in.e.Governance, "the governance records")
	if !ok {
		return m
	}
	if in.denied() {
		return untold(unlisted(g.Foundation)+"; not read: how it is led", "find out how the leadership is chosen")
	}
	form, m, ok := take(in, g.Leadership, "how the leadership is chosen")
	if !ok {
		return m
	}
	origins := firstOrigins(g.Leadership)
	if len(origins) == 0 {
		origins = firstOrigins(in.e.Governance)
	}
	who := clip(g.Foundation)
	if g.Team != "" {
		who = "team " + clip(g.Team) + " of " + who
	}
	vacant := vacancies(g)
	switch form {
	case "appointed":
		return failed("appointed", who+" has a leader that was appointed, because nobody stood for election"+vacant, origins...)
	case "elected", "distributed":
	default:
		return untold(who+" is led in the form "+clip(form)+"; not read: how that is renewed", "find out how the leadership is renewed")
	}
	since, m, ok := take(in, g.TermSince, "when the term of the leadership ("+form+") began")
	switch {
	case !ok:
		return m
	case in.rule.Pass == nil:
		return untold("the profile sets no age", "complete the profile")
	case in.e.AssessedAt.IsZero() || since.IsZero() || since.After(in.e.AssessedAt):
		return untold("the day on which the term began is not plausible", "collect the evidence again")
	}
	how := "an elected leader"
	if form == "distributed" {
		how = "a leadership shared by people who stood for it"
	}
	return in.count(in.age(since), less, fmt.Sprintf("%s has %s, whose term began on %s%s", who, how, day(since), vacant), origins...)
}

// vacancies says for which terms nobody stood for election.
func vacancies(g scoring.Governance) string {
	terms, known := g.Vacancies.Get()
	if !known || len(terms) == 0 {
		return ""
	}
	return fmt.Sprintf("; nobody stood in %s, the last %s", plural(len(terms), "term"), clip(terms[len(terms)-1]))
}

// seats (OC-12, scs-0008 FO-2.1) asks: does one employer hold most seats of those who decide?
// Measured: the share of the largest organisation in the seats of the people who may merge, by the records of the
// foundation or the files and groups of the project, as an interval while some employers are not known. Where nobody could
// see them, what the project states is taken.
// Misleads: rights that nobody uses count; where a committee stands above those who merge, its seats are not counted.
func seats(in *input) scoring.Measurement {
	return in.told(in.measuredSeats(), less, "the largest share of one employer in the leadership")
}

func (in *input) measuredSeats() scoring.Measurement {
	t, m, ok := take(in, in.e.Team, "who sits in the leadership")
	if !ok {
		return m
	}
	both, m, ok := take(in, t.TopOrgBP, "the employers of the leadership")
	switch {
	case !ok:
		return m
	case !plausible(both[0], both[1]) || both[0] > both[1] || both[1] > audit.Full:
		return untold("the recorded shares contradict themselves", "collect the evidence again")
	}
	return in.between(both[0], both[1], less, decimal, fmt.Sprintf("the largest organisation has %s of the seats of those who may merge (%s)", endsPercent(both[0], both[1]), clip(t.Source)),
		"find out which organisations the maintainers work for", firstOrigins(in.e.Team)...)
}

// branchProtection (SE-12, scs-0008 MA-5) asks: are the main branches protected?
// Measured: rules of the forge or the review system: no force push, and review by somebody else. One that is certainly
// missing is enough to fail.
// Misleads: rules that only administrators see leave the answer open; administrators may be exempt.
func branchProtection(in *input) scoring.Measurement {
	r, m, ok := take(in, in.e.Rules, "the rules of the branches")
	if !ok {
		return m
	}
	origins := firstOrigins(in.e.Rules)
	force, unknownForce, knownForce := take(in, r.ForcePush, "whether force pushes are allowed")
	required, unknownReview, knownReview := take(in, r.ReviewRequired, "whether review is required")
	switch {
	case knownForce && force:
		return failed("no", "force pushes to the default branch are allowed", origins...)
	case knownReview && !required:
		return failed("no", "changes to the default branch need no review by somebody else", origins...)
	case !knownForce:
		return unknownForce
	case !knownReview:
		return unknownReview
	}
	return passed("yes", "no force push to the default branch, and review by somebody else is required", origins...)
}

// mergers (LR-03, scs-0008 LR-1) asks: how many people may approve or merge?
// Measured: distinct people who approved or merged changes on the forge, and human committers of others' changes in git.
// Each alone is a lower bound. Only with all changes of the window and the whole history, of a project not younger than the
// window, is there an upper one: everybody who approved plus everybody who merged.
// Misleads: a bot that merges hides who approved.
func mergers(in *input) scoring.Measurement {
	h, w, m, inGit := in.window()
	_, c, _, onForge := in.changes()
	if !inGit && !onForge {
		return m
	}
	low, high, where := 0, unbounded, ""
	if inGit {
		low, where = w.Committers, fmt.Sprintf("git shows %s who merged", people(w.Committers))
	}
	if onForge {
		approved, knowsApproved := c.Approvers.Get()
		merged, knowsMerged := c.Mergers.Get()
		if !plausible(approved, merged) {
			return untold("the recorded changes contradict themselves", "collect the evidence again")
		}
		knowsApproved, knowsMerged = knowsApproved && !c.Approvers.Declared, knowsMerged && !c.Mergers.Declared
		if knowsApproved {
			low = max(low, approved)
		}
		if knowsMerged {
			low = max(low, merged)
		}
		if knowsApproved && knowsMerged && c.Whole && inGit && !h.Shallow && in.days(h.FirstCommit) >= in.rule.Window {
			high = max(low, approved+merged, w.Committers)
		}
		if knowsApproved || knowsMerged {
			in.rests(in.e.Changes.Grade)
			place := "the forge"
			if all, ok := in.e.Changes.Get(); ok && all.Forge == "mail" {
				place = "the patches applied from the mailing list"
			}
			where += fmt.Sprintf("; "+place+" shows %s who approved, %s who merged", people(approved), people(merged))
		}
	}
	if where == "" {
		return untold("nobody could see who approves or merges", "read the approvals through the forge API")
	}
	reason := strings.TrimPrefix(where, "; ") + " in " + plural(in.rule.Window, "day")
	origins := firstOrigins(in.e.Changes)
	if high == unbounded {
		m = in.count(low, more, reason, origins...)
		if m.Outcome == audit.PASS {
			return m
		}
		return lowerBound(m, "not all approvals on the forge were read", "read the approvals through the forge API")
	}
	return in.between(low, high, more, plain, reason, "read who approved and who merged as one list", origins...)
}
