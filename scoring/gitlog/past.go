package gitlog

import (
	"cmp"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// A window of 12 months at each of 12 quarter ends reaches 15 quarters back; retention compares it with the 12 months
// before, 19 quarters back.
const (
	yearQuarters   = 4
	countedBack    = quarterCount - 1 + yearQuarters
	pastQuarters   = countedBack + yearQuarters
	maxNamedGroups = 20
	// fewPeople is how many of one organisation and quarter are counted at least (design, truth rule 7).
	fewPeople = 3
)

// past counts by quarter, so that windows at earlier quarter ends can be put together from four quarters each. Memory
// grows with the authors of the last 57 months.
type past struct {
	quarters [pastQuarters]quarterTally
	people   []*attendance // by person; nil: no commit in these quarters
}

type quarterTally struct {
	commits, human, reviewed, reverts, changeID int
	unreviewed                                  int // human commits with a Change-Id and no other evidence of a review
}

// attendance is when a person wrote, and how much.
type attendance struct {
	present uint32 // bit per quarter
	commits [countedBack]int32
}

// add counts a non-merge commit.
func (p *past) add(quarter int, author identity, f features, revert bool) {
	t := &p.quarters[quarter]
	t.commits++
	t.reverts += one(revert)
	if author.bot {
		return
	}
	t.human++
	t.reviewed += one(f.reviewed)
	t.changeID += one(f.changeID)
	t.unreviewed += one(f.changeID && !f.reviewed)
	for int(author.person) >= len(p.people) {
		p.people = append(p.people, nil)
	}
	a := p.people[author.person]
	if a == nil {
		a = &attendance{}
		p.people[author.person] = a
	}
	a.present |= 1 << quarter
	if quarter < countedBack {
		a.commits[quarter]++
	}
}

// noted adds a review that only a note shows.
func (p *past) noted(n notedCommit) {
	t := &p.quarters[quarterOf(n.age)]
	t.reviewed++
	t.unreviewed -= one(n.change)
}

// in reports whether a person wrote in some of four quarters.
func (a *attendance) in(quarter int) bool { return a.present>>quarter&(1<<yearQuarters-1) != 0 }

// organisations names the organisations of one quarter by number of authors.
func (p *past) organisations(q *scoring.Quarter, quarter int, employer func(person, quarter int) int32, names []string) {
	authors := make([]int, len(names))
	for person, a := range p.people {
		if a == nil || a.commits[quarter] == 0 {
			continue
		}
		if org := employer(person, quarter); org >= 0 {
			authors[org]++
		}
	}
	var found []int
	for org, n := range authors {
		if n > 0 {
			found = append(found, org)
		}
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(authors[b]-authors[a], cmp.Compare(names[a], names[b]))
	})
	q.Named = len(found)
	for _, org := range found {
		switch {
		case authors[org] < fewPeople && len(q.Few) < maxNamedGroups:
			q.Few = append(q.Few, names[org])
		case authors[org] >= fewPeople && len(q.Organisations) < maxNamedGroups:
			if q.Organisations == nil {
				q.Organisations = map[string]int{}
			}
			q.Organisations[names[org]] = authors[org]
		}
	}
	slices.Sort(q.Few) // not by number of authors, which would tell one from two
}

// year puts together the 12 months before the end of a quarter.
func (p *past) year(pass *pass, quarter int, gerrit bool, employer func(person, quarter int) int32, names []string) scoring.Past {
	y := scoring.Past{End: endOf(time.Unix(pass.at, 0).UTC(), quarter)}
	var whole quarterTally // 24 months, which decide whether every change passes Gerrit
	unreviewed := 0
	for i := range 2 * yearQuarters {
		t := p.quarters[quarter+i]
		whole.human, whole.changeID = whole.human+t.human, whole.changeID+t.changeID
		if i >= yearQuarters {
			continue
		}
		y.Commits, y.HumanCommits, y.Reverts = y.Commits+t.commits, y.HumanCommits+t.human, y.Reverts+t.reverts
		y.Reviewed, unreviewed = y.Reviewed+t.reviewed, unreviewed+t.unreviewed
	}
	if gerrit && whole.changeID*100 >= gerritShare*whole.human {
		y.Reviewed += unreviewed
	}
	byOrg, byPerson, unknown := make([]int, len(names)), []int{}, []int{}
	for person, a := range p.people {
		if a == nil {
			continue
		}
		now, before := a.in(quarter), a.in(quarter+yearQuarters)
		y.AuthorsYear2 += one(before)
		y.Retained += one(now && before)
		if !now {
			continue
		}
		first := quarterOf(pass.at - pass.people.all[person].first)
		y.Newcomers += one(first < quarter+yearQuarters)
		n, open := a.split(person, quarter, employer, byOrg)
		byPerson = append(byPerson, n)
		if open > 0 {
			unknown = append(unknown, open)
		}
	}
	y.Authors = len(byPerson)
	if y.HumanCommits > 0 {
		fillPast(&y, names, byPerson, byOrg, unknown)
	}
	return y
}

// split adds a person's commits of a year to the organisations they were written for; open are those for nobody knows whom.
func (a *attendance) split(person, quarter int, employer func(person, quarter int) int32, byOrg []int) (all, open int) {
	for q := quarter; q < quarter+yearQuarters; q++ {
		n := int(a.commits[q])
		all += n
		if org := employer(person, q); n > 0 && org >= 0 {
			byOrg[org] += n
		} else {
			open += n
		}
	}
	return all, open
}

// fillPast says how the work of a year is spread, like Window.
func fillPast(y *scoring.Past, names []string, byPerson, byOrg, unknown []int) {
	total, first, open := y.HumanCommits, 0, 0
	for _, n := range unknown {
		open += n
	}
	y.BusFactor50 = fewest(byPerson, total)
	y.TopAuthorBP = basisPoints(slices.Max(byPerson), total, total/2)
	together := slices.Clone(byOrg)
	if top := topOf(names, byOrg); top >= 0 {
		first = byOrg[top]
		together[top] += open
	} else {
		together = append(together, open)
	}
	y.TopOrgLowBP, y.TopOrgHighBP = basisPoints(first, total, 0), basisPoints(first+open, total, total-1)
	y.ElephantLow = fewest(together, total)
	y.ElephantHigh = fewest(append(slices.Clone(byOrg), unknown...), total)
}

// countForms counts the traces of one commit by a human.
func countForms(w *scoring.Forms, f features, by request, applied bool) {
	w.PullRequest += one(by == pullRequest)
	w.MergeRequest += one(by == mergeRequest)
	w.Gerrit += one(f.changeID)
	w.Mail += one(f.mail)
	w.ReviewedBy += one(f.reviewedBy)
	w.AckedBy += one(f.ackedBy)
	w.TestedBy += one(f.testedBy)
	w.Applied += one(applied)
	w.DependsOn += one(f.dependsOn)
}
