package forge

import (
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// noOrganisations is why approvals have no organisation.
const (
	noOrganisations     = "GitHub shows no organisations of reviewers, only accounts"
	noOrganisationsFrom = "join the accounts with the project's own affiliation data"
)

// takeChanges begins the tally of changes and makes the facts of samples.
func (r *repository) takeChanges(n *graphRepository, at time.Time) {
	r.changeFacts = scoring.Changes{Forge: r.service}
	var open *int
	if n.OpenChanges != nil {
		open = n.OpenChanges.TotalCount
	}
	r.changeFacts.Open = state(r, at, "openChanges", open)
	if n.Changes != nil {
		r.changes.add(listChanges, *n.Changes, at)
	}
	for _, months := range windowMonths() {
		w := scoring.ChangeWindow{Months: months}
		r.sampleMerged(&w, n.Merged, at)
		r.sampleOpened(&w, n.Opened, at)
		w.TopApproverOrgLowBP = unread[int](r, noOrganisations, noOrganisationsFrom)
		w.TopApproverOrgHighBP = unread[int](r, noOrganisations, noOrganisationsFrom)
		r.changeFacts.Windows = append(r.changeFacts.Windows, w)
	}
}

// finishChanges fills in the counts of windows. Only the windows up to 12 months are read to their end; that of 24 is
// kept where it happens to be complete.
func (r *repository) finishChanges(at time.Time) {
	kept := r.changeFacts.Windows[:0]
	for i, w := range r.changeFacts.Windows {
		whole := r.changes.started && r.changes.covers(at, w.Months)
		if w.Months > 12 && !whole {
			continue
		}
		if whole {
			w.Opened, w.Merged, w.Closed = fact(r, r.changes.opened[i]), fact(r, r.changes.merged[i]), fact(r, r.changes.closed[i])
		} else {
			reason := r.changes.trouble
			if kind, ok := r.trouble.of("changes"); ok || reason == "" {
				reason = because(kind)
			}
			w.Opened, w.Merged, w.Closed = unread[int](r, reason, "run again"), unread[int](r, reason, "run again"), unread[int](r, reason, "run again")
		}
		kept = append(kept, w)
	}
	r.changeFacts.Windows = kept
}

// sampleMerged looks at the newest merged changes one by one. GitHub sorts by the last touch, so the sample is what was
// merged since the least recent touch that was seen: of that span it holds every merge.
func (r *repository) sampleMerged(w *scoring.ChangeWindow, l *graphList[graphMerged], at time.Time) {
	kind, broken := r.trouble.of("merged", "statusCheckRollup")
	if l == nil || broken {
		r.blankMerged(w, because(kind), "run again")
		return
	}
	nodes := l.all()
	var cut time.Time
	if l.TotalCount == nil || *l.TotalCount > len(l.Nodes) {
		for _, n := range nodes {
			if cut.IsZero() || n.UpdatedAt.Before(cut) {
				cut = n.UpdatedAt
			}
		}
		w.Whole = !cut.IsZero() && !cut.After(since(at, w.Months))
	} else {
		w.Whole = true
	}
	s := mergedSum{approvers: map[string]bool{}, mergers: map[string]bool{}}
	for _, n := range nodes {
		if within(n.MergedAt, at, w.Months) && !n.MergedAt.Before(cut) && !n.Author.machine() {
			s.add(n)
		}
	}
	w.Sample, w.Whole = s.sample, w.Whole && !s.overflow
	if s.sample == 0 && !w.Whole {
		r.blankMerged(w, fmt.Sprintf("none of the %d merged changes that were touched last is a person's of this window", len(nodes)), "")
		return
	}
	w.Reviewed, w.Approvers, w.Mergers = fact(r, s.reviewed), fact(r, len(s.approvers)), fact(r, len(s.mergers))
	w.SelfMerged = fact(r, s.selfMerged)
	if s.unknownMerger > 0 {
		w.SelfMerged = unread[int](r, fmt.Sprintf("of %d changes without approval GitHub does not say who wrote or merged them", s.unknownMerger), "")
	}
	w.Gated = fact(r, s.gated)
	if kind, ok := r.trouble.of("merged.nodes.statusCheckRollup"); ok {
		w.Gated = unread[int](r, because(kind), "run again")
	}
}

// blankMerged says of all facts about merged changes why they are not known.
func (r *repository) blankMerged(w *scoring.ChangeWindow, reason, settle string) {
	w.Sample, w.Whole = 0, false
	for _, f := range []*audit.Fact[int]{&w.Reviewed, &w.SelfMerged, &w.Gated, &w.Approvers, &w.Mergers} {
		*f = unread[int](r, reason, settle)
	}
}

// mergedSum adds up merged changes.
type mergedSum struct {
	sample, reviewed, selfMerged, gated, unknownMerger int
	approvers, mergers                                 map[string]bool
	overflow                                           bool // a change has more approvals than were read
}

// add counts a merged change of a person. An approval counts if it is a person's who is not the author. A machine tested
// the change if GitHub shows that the checks of its last commit passed, whatever they are.
func (s *mergedSum) add(n graphMerged) {
	approved := false
	for _, review := range n.Reviews.all() {
		if who := review.Author; who.person() && who.name() != n.Author.name() {
			approved = true
			s.approvers[who.name()] = true
		}
	}
	more := n.Reviews.TotalCount == nil || *n.Reviews.TotalCount > len(n.Reviews.Nodes)
	s.overflow = s.overflow || more
	if more && !approved {
		return // all that was read is by machines: the rest may not be
	}
	s.sample++
	s.reviewed += one(approved)
	s.gated += one(n.StatusCheckRollup != nil && n.StatusCheckRollup.State == "SUCCESS")
	if n.MergedBy.person() {
		s.mergers[n.MergedBy.name()] = true
	}
	switch {
	case approved, n.MergedBy.machine():
	case n.MergedBy.name() == "" || n.Author.name() == "":
		s.unknownMerger++
	default:
		s.selfMerged += one(n.MergedBy.name() == n.Author.name())
	}
}

// sampleOpened looks at the newest changes, merged or not, for the first answer of a person who is not the author. A merge
// by somebody else is an answer.
func (r *repository) sampleOpened(w *scoring.ChangeWindow, l *graphList[graphOpened], at time.Time) {
	if kind, broken := r.trouble.of("opened"); l == nil || broken {
		w.Answered, w.Unanswered, w.FirstResponse = r.silent(because(kind), "run again")
		return
	}
	s := responses{}
	oldest := time.Time{}
	for _, n := range l.all() {
		oldest = n.CreatedAt
		if !within(n.CreatedAt, at, w.Months) || n.Author.machine() {
			continue
		}
		remarks := []remark{{at: n.MergedAt, who: n.MergedBy.name(), machine: n.MergedBy.machine()}}
		for _, node := range n.TimelineItems.Nodes {
			if node != nil {
				remarks = append(remarks, node.remark())
			}
		}
		s.add(n.CreatedAt, at, n.Author.name(), remarks, n.TimelineItems.FilteredCount > len(n.TimelineItems.Nodes))
	}
	whole := len(l.Nodes) < openedSample || !oldest.After(since(at, w.Months))
	w.Answered, w.Unanswered, w.FirstResponse = r.responses(s, whole, "changes")
}

// responses adds up first answers.
type responses struct {
	waits      []int64
	unanswered int
}

// add counts something that was opened, as it stood at the moment of assessment. If more was said than was read, and nothing
// of that is an answer, nobody knows.
func (s *responses) add(opened, at time.Time, author string, remarks []remark, more bool) {
	seen := remarks[:0]
	for _, r := range remarks {
		if !r.at.IsZero() && !r.at.After(at) {
			seen = append(seen, r)
		}
	}
	if wait, ok := firstAnswer(opened, author, seen); ok {
		s.waits = append(s.waits, wait)
	} else if !more {
		s.unanswered++
	}
}

// responses makes the three facts about answers to changes or issues.
func (r *repository) responses(s responses, whole bool, what string) (answered, unanswered audit.Fact[int], first audit.Fact[int64]) {
	if len(s.waits)+s.unanswered == 0 && !whole {
		return r.silent("none of the newest "+what+" is a person's of this window", "")
	}
	answered, unanswered = fact(r, len(s.waits)), fact(r, s.unanswered)
	if m, ok := median(s.waits); ok {
		return answered, unanswered, fact(r, m)
	}
	reason := fmt.Sprintf("none of %d %s was answered", s.unanswered, what)
	if s.unanswered == 0 {
		reason = "no " + what + " of people were opened in this window"
	}
	return answered, unanswered, unread[int64](r, reason, "")
}

// silent says of the facts about answers why they are not known.
func (r *repository) silent(reason, settle string) (answered, unanswered audit.Fact[int], first audit.Fact[int64]) {
	return unread[int](r, reason, settle), unread[int](r, reason, settle), unread[int64](r, reason, settle)
}
