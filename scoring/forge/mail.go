package forge

import (
	"context"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// mail answers for repositories at hosts that serve git and nothing else. Nobody is asked: what such a project shows of
// its changes is in its history, where patches from a mailing list carry the trailers of those who reviewed them.
type mail struct{ *services }

func (mail) name() string { return "git" }

// read fills Changes from the history, and says of the other facts why they are not known.
func (m mail) read(_ context.Context, p scoring.Project, e *scoring.Evidence) error {
	if hostedBy(m.options, p.Repo) != serviceGit {
		return nil
	}
	host, _, _ := locate(p.Repo)
	origin := audit.Origin{Source: m.name(), URL: p.Repo}
	why := host + " serves git only"
	if e.Home.Unknown() == audit.MISS {
		e.Home = notTold[scoring.Home](why+": it says nothing about the repository itself", "files of the repository, or the catalogue", origin)
	}
	if e.Changes.Unknown() == audit.MISS {
		e.Changes = mailChanges(*e)
	}
	if e.Issues.Unknown() == audit.MISS {
		e.Issues = notTold[scoring.Issues](why+" and has no tracker", "the tracker's address in the catalogue", origin)
	}
	if e.Runs.Unknown() == audit.MISS {
		e.Runs = notTold[scoring.Runs](why+" and runs no tests", "the address of the project's CI in the catalogue", origin)
	}
	if e.Rules.Unknown() == audit.MISS {
		e.Rules = notTold[scoring.Rules](why+": it shows no rules of branches", "a statement of the project", origin)
	}
	return nil
}

// mailChanges counts commits as merged changes, those of humans as the sample. Nothing else is invented: a patch that was never applied
// leaves no trace in git.
func mailChanges(e scoring.Evidence) audit.Fact[scoring.Changes] {
	h, ok := e.History.Get()
	if !ok {
		return notTold[scoring.Changes]("the history, which alone shows patches from a mailing list, was not read", "a clone of the repository", e.History.Origins...)
	}
	const list, archive = "a mailing list tells only in its archive", "a reader of the list's archive (public-inbox)"
	from := e.History.Origins
	c := scoring.Changes{Forge: "mail", Open: notTold[int]("patches on a mailing list have no state", archive, from...)}
	for _, months := range windowMonths() {
		w, ok := h.Window(months)
		if !ok {
			continue
		}
		merged := audit.Known(w.Commits, from...)
		if h.Shallow && h.FirstCommit.After(since(e.AssessedAt, months)) {
			merged = notTold[int]("the clone does not reach back to the begin of the period", "a whole clone of the repository", from...)
		}
		reviewed := audit.Known(w.Reviewed, from...)
		if w.Reviewed == 0 {
			reviewed = notTold[int]("no commit of this period has a trailer of a review: the project may not write them", archive, from...)
		}
		c.Windows = append(c.Windows, scoring.ChangeWindow{
			Months: months, Sample: w.HumanCommits, Whole: !h.Shallow,
			Opened: notTold[int](list, archive, from...), Closed: notTold[int](list, archive, from...),
			Merged: merged, Reviewed: reviewed,
			SelfMerged:    notTold[int]("git does not tell whether who applied a change had it reviewed elsewhere", archive, from...),
			Gated:         notTold[int]("git does not tell which machines tested a patch", "the address of the project's CI in the catalogue", from...),
			Answered:      notTold[int](list, archive, from...),
			Unanswered:    notTold[int](list, archive, from...),
			FirstResponse: notTold[int64](list, archive, from...),
			Approvers:     notTold[int]("the history counts reviews, not reviewers", "a reader of trailers by person", from...),
			Mergers:       audit.Known(w.Committers, from...),

			TopApproverOrgLowBP:  notTold[int]("the history counts reviews, not reviewers", "a reader of trailers by person", from...),
			TopApproverOrgHighBP: notTold[int]("the history counts reviews, not reviewers", "a reader of trailers by person", from...),
		})
	}
	return audit.Known(c, from...).Graded(audit.GradeRecord, e.History.ObservedAt, audit.Month)
}
