package gitlog

import (
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Projects that take patches by mail have no forge to ask, but their git tells what happened to what was merged: trailers
// name who reviewed, acknowledged and tested a patch, and the committer is the maintainer who applied it. That gives the
// same lines as a forge's changes; what became of patches that were not merged is in the archive of the list only.

// A project counts as one that takes patches by mail if, of the human commits of 24 months, less than mailRequests percent
// came by requests of a forge, and at least mailLinks percent name the message they came by, or at least mailSigned percent
// are signed off and at least mailTrailers percent carry a reviewer's trailer. Compare Open vSwitch and OVN (signed off all,
// two thirds with a reviewer), QEMU (all name a message) with projects on GitHub (requests, or neither).
const (
	mailRequests = 20
	mailLinks    = 20
	mailSigned   = 80
	mailTrailers = 30
	mailCommits  = 10 // fewer human commits tell nothing
)

// maxApprovers bounds the people who are counted as approvers; beyond them the number stays unknown.
const maxApprovers = 100_000

// approvals counts who looked at the changes of others, per window.
type approvals struct {
	windows [len(spans)]approvalTally
	people  map[int32]*approver
	cut     bool // there were more than maxApprovers
}

type approvalTally struct {
	reviewed, trailers int // commits: approved by somebody else; with a reviewer's trailer
}

type approver struct{ given [len(spans)]int32 }

// add counts one human commit of the last 24 months.
func (a *approvals) add(p *pass, age int64, author, committer identity, f features, applied bool) {
	approvers := map[int32]bool{}
	for _, signature := range f.reviewers {
		name, address := splitSignature(strings.ToValidUTF8(signature, "\uFFFD"))
		who, ok := a.person(p, name, address)
		if ok && !who.bot && who.person != author.person {
			approvers[who.person] = true
		}
	}
	if applied {
		approvers[committer.person] = true
	}
	if a.people == nil {
		a.people = map[int32]*approver{}
	}
	for i := range a.windows {
		if age > spanSeconds(i) {
			continue
		}
		a.windows[i].reviewed += one(len(approvers) > 0)
		a.windows[i].trailers += one(f.reviewedBy || f.ackedBy || f.testedBy)
		for person := range approvers {
			if a.people[person] == nil {
				a.people[person] = &approver{}
			}
			a.people[person].given[i]++
		}
	}
}

// person finds who signed a trailer. Those who are no authors are added, until there are too many.
func (a *approvals) person(p *pass, name, address string) (identity, bool) {
	if len(a.people) >= maxApprovers {
		a.cut = true
		return identity{}, false
	}
	return p.people.lookup([]byte(address + string(rune(fieldSeparator)) + name)), name != "" || address != ""
}

// byMail reports whether the project takes patches by mail.
func (p *pass) byMail(gated bool) bool {
	last := len(spans) - 1
	w, trailers := p.windows[last].w, p.mail.windows[last].trailers
	n := w.HumanCommits
	if gated || n < mailCommits || w.PullRequest*100 >= mailRequests*n {
		return false
	}
	return w.Forms.Mail*100 >= mailLinks*n || w.SignedOff*100 >= mailSigned*n && trailers*100 >= mailTrailers*n
}

// changes gives the lines of scoring.Changes that git proves for a project that takes patches by mail.
func (p *pass) changes(employer func(person int) int32, names []string, origin audit.Origin) scoring.Changes {
	archived := func(what string) string { return "git does not show " + what + " on a mailing list" }
	c := scoring.Changes{Forge: "mail", Open: unread[int](archived("patches that wait"), origin)}
	for i, months := range spans {
		w := p.windows[i].w
		t := p.mail.windows[i]
		one := scoring.ChangeWindow{
			Months: months, Opened: unread[int](archived("patches that were sent and not merged"), origin), Merged: audit.Known(w.HumanCommits, origin),
			Closed: unread[int](archived("patches that were turned down"), origin), Sample: w.HumanCommits, Whole: true,
			Reviewed: audit.Known(t.reviewed, origin), SelfMerged: unread[int](archived("approvals without a trailer"), origin),
			Gated: unread[int](archived("tests before the merge"), origin), Answered: unread[int](archived("answers"), origin),
			Unanswered: unread[int](archived("patches without an answer"), origin), FirstResponse: unread[int64](archived("answers"), origin),
			Mergers: audit.Known(w.Committers, origin),
		}
		p.mail.fill(&one, i, employer, names, origin)
		c.Windows = append(c.Windows, one)
	}
	return c
}

// fill says who approved.
func (a *approvals) fill(w *scoring.ChangeWindow, window int, employer func(person int) int32, names []string, origin audit.Origin) {
	if a.cut {
		reason := "more people approved than are counted"
		w.Approvers = audit.Failed[int](reason, origin)
		w.TopApproverOrgLowBP, w.TopApproverOrgHighBP = audit.Failed[int](reason, origin), audit.Failed[int](reason, origin)
		return
	}
	byOrg := make([]int, len(names))
	people, total, open := 0, 0, 0
	for person, b := range a.people {
		n := int(b.given[window])
		if n == 0 {
			continue
		}
		people++
		total += n
		if org := employer(int(person)); org >= 0 {
			byOrg[org] += n
		} else {
			open += n
		}
	}
	w.Approvers = audit.Known(people, origin)
	if total == 0 {
		w.TopApproverOrgLowBP, w.TopApproverOrgHighBP = audit.Failed[int]("nobody approved a change in this time", origin), audit.Failed[int]("nobody approved a change in this time", origin)
		return
	}
	first := 0
	if top := topOf(names, byOrg); top >= 0 {
		first = byOrg[top]
	}
	w.TopApproverOrgLowBP = audit.Known(basisPoints(first, total, 0), origin)
	w.TopApproverOrgHighBP = audit.Known(basisPoints(first+open, total, total-1), origin)
}

// unread is a fact of the archive of a mailing list.
func unread[T any](reason string, origin audit.Origin) audit.Fact[T] {
	f := audit.Failed[T](reason, origin)
	f.Settle = "read the archive of the project's mailing list"
	return f
}
