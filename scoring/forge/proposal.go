package forge

import (
	"cmp"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// proposal is one proposed change as every forge has them: a Gerrit change, a merge request, a pull request. People are
// numbers or machines by name.
type proposal struct {
	number  int64
	author  string
	machine bool // the author is one
	opened  time.Time
	closed  time.Time // merged or given up; zero: it is open, or nobody knows when
	merged  bool
	open    bool

	// What only a look at the proposal itself tells.
	looked        bool
	merger        string // empty: not known
	mergerMachine bool
	approvals     []approval // by anybody, the author included
	remarks       []remark
	partial       bool // more was said than was read
	gated         bool
}

// approval is a vote for a proposal.
type approval struct {
	who          string
	organisation string // empty: not known
	machine      bool
}

// log is what a service told about proposals. The zero value told nothing.
type log struct {
	forge string
	at    time.Time
	list  []proposal
	// since is from when on all proposals that were touched are in the list; the zero time: all there ever were.
	since   time.Time
	open    audit.Fact[int]
	origins []audit.Origin

	// Why something of proposals is not known, with what would settle it; nil: it is known of those that were looked at.
	reviews, mergers, gates, answers, organisations error
}

// changes makes the facts of a log.
func (l log) changes() scoring.Changes {
	c := scoring.Changes{Forge: l.forge, Open: l.open}
	for _, months := range windowMonths() {
		c.Windows = append(c.Windows, l.window(months))
	}
	return c
}

// window makes the facts of one period.
func (l log) window(months int) scoring.ChangeWindow {
	w := scoring.ChangeWindow{Months: months}
	begin := since(l.at, months)
	var opened, merged, closed, humans int
	var sample, touched []proposal
	for _, p := range l.list {
		if within(p.opened, l.at, months) {
			opened++
		}
		if within(p.closed, l.at, months) {
			closed++
			if p.merged {
				merged++
				if !p.machine {
					if humans++; p.looked {
						sample = append(sample, p)
					}
				}
			}
		}
		if p.looked && !p.machine && within(p.opened, l.at, months) {
			touched = append(touched, p)
		}
	}
	if l.since.After(begin) {
		e := &trouble{reason: "only the proposals touched since " + l.since.Format(time.DateOnly) + " were listed",
			settle: "ask with a token, which may list more", origins: l.origins}
		w.Opened, w.Merged, w.Closed = failed[int](e), failed[int](e), failed[int](e)
	} else {
		w.Opened, w.Merged, w.Closed = known(opened, l.origins), known(merged, l.origins), known(closed, l.origins)
	}
	w.Sample, w.Whole = len(sample), len(sample) == humans && !l.since.After(begin)
	l.reviewed(&w, sample)
	l.answered(&w, touched)
	return w
}

func known[T any](v T, origins []audit.Origin) audit.Fact[T] { return audit.Known(v, origins...) }

// nothing is the trouble of shares over an empty sample.
func (l log) nothing(what string) error {
	return &trouble{reason: "no " + what + " was looked at in this period", settle: "a longer period", origins: l.origins}
}

// reviewed fills what is said about the merged changes of the sample.
func (l log) reviewed(w *scoring.ChangeWindow, sample []proposal) {
	reviews, mergers, gates, organisations := l.reviews, l.mergers, l.gates, l.organisations
	if len(sample) == 0 {
		none := l.nothing("merged change of a human")
		reviews, mergers, gates, organisations = none, none, none, none
	}
	var reviewed, self, gated int
	approvers, merging := map[string]bool{}, map[string]bool{}
	self2 := mergers // why self-merges are not known
	votes, unknownVotes := map[string]int{}, 0
	for _, p := range sample {
		ok := false
		for _, a := range p.approvals {
			if a.machine || a.who == "" || a.who == p.author {
				continue
			}
			ok, approvers[a.who] = true, true
			if a.organisation == "" {
				unknownVotes++
			} else {
				votes[a.organisation]++
			}
		}
		switch {
		case ok:
			reviewed++
		case p.merger != "" && p.merger == p.author:
			self++
		}
		if p.merger == "" && self2 == nil {
			self2 = &trouble{reason: "of some changes the service does not say who merged them", settle: "a newer version of the service", origins: l.origins}
		}
		if p.merger != "" && !p.mergerMachine {
			merging[p.merger] = true
		}
		if p.gated {
			gated++
		}
	}
	if self2 == nil {
		self2 = reviews
	}
	w.Reviewed, w.Approvers = factOf(reviewed, reviews, l.origins), factOf(len(approvers), reviews, l.origins)
	w.SelfMerged, w.Mergers = factOf(self, self2, l.origins), factOf(len(merging), mergers, l.origins)
	w.Gated = factOf(gated, gates, l.origins)
	l.shares(w, votes, unknownVotes, cmp.Or(reviews, organisations))
}

// shares fills the share of approvals of the largest organisation: what is known for certain, and what it can be if all of
// unknown organisation belong to it (health check semantics, intervals).
func (l log) shares(w *scoring.ChangeWindow, votes map[string]int, unknownVotes int, why error) {
	total, top := unknownVotes, 0
	for _, n := range votes {
		total, top = total+n, max(top, n)
	}
	if total == 0 && why == nil {
		why = &trouble{reason: "no change of the sample has an approval", settle: "a longer period", origins: l.origins}
	}
	low, high := 0, 0
	if total > 0 {
		low, high = top*10000/total, ((top+unknownVotes)*10000+total-1)/total
	}
	w.TopApproverOrgLowBP, w.TopApproverOrgHighBP = factOf(low, why, l.origins), factOf(high, why, l.origins)
}

// answered fills how long people waited for the first answer.
func (l log) answered(w *scoring.ChangeWindow, touched []proposal) {
	why := l.answers
	if len(touched) == 0 {
		why = l.nothing("change opened by a human")
	}
	var waits []int64
	silent := 0
	for _, p := range touched {
		if s, ok := firstAnswer(p.opened, p.author, until(l.at, p.remarks)); ok {
			waits = append(waits, s)
		} else if !p.partial { // where more was said than was read, nobody knows
			silent++
		}
	}
	w.Answered, w.Unanswered = factOf(len(waits), why, l.origins), factOf(silent, why, l.origins)
	m, ok := median(waits)
	if !ok && why == nil {
		why = &trouble{reason: "no change of the sample has a human answer yet", settle: "a longer period", origins: l.origins}
	}
	w.FirstResponse = factOf(m, why, l.origins)
}

// factOf is known unless there is a reason why not.
func factOf[T any](v T, why error, origins []audit.Origin) audit.Fact[T] {
	if why != nil {
		return failed[T](why)
	}
	return known(v, origins)
}

// newest sorts proposals by when they were closed, newest first; open ones come last.
func newest(list []proposal) {
	slices.SortStableFunc(list, func(a, b proposal) int {
		if c := b.closed.Compare(a.closed); c != 0 {
			return c
		}
		return cmp.Compare(b.number, a.number)
	})
}

// sampleSize is how many merged changes are looked at one by one where each costs requests of its own: enough to tell a
// share of one half from three quarters (health check reference 5.2 takes 30).
const sampleSize = 30
