package gitlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// The lengths of scoring.Window and scoring.Quarter in seconds: a month is 365/12 days, so that 12 months are 365 days and
// a quarter is 365/4 days (reference: health, 1.5).
const (
	monthSeconds   = 365 * 86400 / 12
	yearSeconds    = 12 * monthSeconds
	quarterSeconds = 3 * monthSeconds
	quarterCount   = 12
	recentSeconds  = 90 * 86400 // scoring.History.Human90d
)

// spans are the windows of scoring.History in months.
var spans = [4]int{3, 6, 12, 24}

// gerritShare is the part of the human commits of 24 months that must carry a Change-Id before a project with a
// .gitreview file counts as one where every change passes Gerrit, in percent. The rest are imports and old branches.
const gerritShare = 80

// tally collects what one window needs while the log streams by.
type tally struct {
	w          scoring.Window
	unreviewed int // human commits with a Change-Id and no other evidence of a review
	months     uint32
	offsets    [2]uint64 // a bit per quarter of an hour from -14 h to +14 h
}

// pass is one run over a log. Memory grows with authors and with the changes of the last 24 months that came by a merged
// branch, not with the length of the history.
type pass struct {
	at       int64
	people   *people
	notes    map[string]string  // commit to review note, from refs/notes/review
	mainline map[string]bool    // first parents of the last 24 months
	branch   map[string]request // commits that a merged request brought in, not yet seen
	machines map[string]bool    // signatures of trailers and votes: whether a program gave them
	rules    rules
	past     past
	mail     approvals
	origin   audit.Origin     // of the lines of changes
	changed  *scoring.Changes // what happened to patches, if the project takes them by mail
	noted    []notedCommit
	windows  [len(spans)]tally
	h        scoring.History
	first    int64
	last     int64
	human    int64
	quarters [quarterCount]scoring.Quarter
	damaged  int
}

// notedCommit is a commit with a review note that has no other evidence of a review.
type notedCommit struct {
	note   string
	author int32
	age    int64
	change bool
}

func newPass(at time.Time, r rules) *pass {
	p := &pass{at: at.Unix(), people: newPeople(r.bots, r.employers), mainline: map[string]bool{}, branch: map[string]request{}, machines: map[string]bool{}, rules: r}
	for i, months := range spans {
		p.windows[i].w.Months = months
	}
	return p
}

// read consumes the stream of logArgs.
func (p *pass) read(r io.Reader) error {
	records := newRecordReader(newPatient(r))
	for {
		line, err := records.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
		if c, ok := parseRecord(line); ok {
			p.add(c)
		} else {
			p.damaged++
		}
	}
}

// add counts one commit. Commits after the moment of assessment are ignored.
func (p *pass) add(c record) {
	age := p.at - c.committed
	if age < 0 {
		return
	}
	root, merge := len(c.parents) == 0, bytes.IndexByte(c.parents, ' ') >= 0
	if root {
		p.h.RootCommits++
		if p.first == 0 || c.committed < p.first {
			p.first = c.committed
		}
	}
	p.last = max(p.last, c.committed)
	byRequest := p.follow(c, age, merge)
	if merge {
		p.addMerge(c, age)
		return
	}
	p.h.CommitsEver++
	author := p.people.lookup(c.author)
	if !author.bot {
		p.addPerson(author.person, c.committed, age)
	}
	quarter := quarterOf(age)
	if quarter >= pastQuarters {
		return
	}
	var f features
	var work *stint
	if !author.bot {
		f = p.features(c, author)
		work = p.people.employ(author.person, c.committed)
		work.addQuarter(quarter)
	}
	revert := isRevert(c.message)
	p.past.add(quarter, author, f, revert)
	if note := p.notes[string(c.hash)]; note != "" && !author.bot && !f.reviewed {
		p.noted = append(p.noted, notedCommit{note: note, author: author.person, age: age, change: f.changeID})
	}
	if age <= spanSeconds(len(spans)-1) {
		p.addWindows(c, age, author, work, f, revert, byRequest)
	}
}

// quarterOf returns how many quarters lie between a commit and the moment of assessment. The border belongs to the later
// quarter, so that four quarters are a window of 12 months exactly.
func quarterOf(age int64) int { return int(max(0, age-1) / quarterSeconds) }

func spanSeconds(i int) int64 { return int64(spans[i]) * monthSeconds }

// addPerson keeps what is needed of an author of any age.
func (p *pass) addPerson(index int32, committed, age int64) {
	p.human = max(p.human, committed)
	a := &p.people.all[index]
	if !a.ever || committed < a.first {
		a.first, a.ever = committed, true
	}
	switch {
	case age <= yearSeconds:
		a.year1 = true
	case age <= 2*yearSeconds:
		a.year2 = true
	}
	if age <= recentSeconds {
		p.h.Human90d++
	}
	if q := quarterOf(age); q < quarterCount {
		p.quarters[q].Commits++
		if a.quarters&(1<<q) == 0 {
			a.quarters |= 1 << q
			p.quarters[q].Authors++
		}
	}
}

// addMerge counts a merge commit and the person who made it: the committer, or the author where the forge committed.
func (p *pass) addMerge(c record, age int64) {
	if age > spanSeconds(len(spans)-1) {
		return
	}
	who := p.people.lookup(c.committer)
	if who.bot {
		who = p.people.lookup(c.author)
	}
	for i := range p.windows {
		if age <= spanSeconds(i) {
			p.windows[i].w.Merges++
			p.applied(i, who)
		}
	}
}

func (p *pass) applied(window int, who identity) {
	if a := &p.people.all[who.person]; !who.bot && a.committed&(1<<window) == 0 {
		a.committed |= 1 << window
		p.windows[window].w.Committers++
	}
}

// addWindows counts a non-merge commit of the last 24 months.
func (p *pass) addWindows(c record, age int64, author identity, work *stint, f features, revert bool, by request) {
	committer := p.people.lookup(c.committer)
	if by == 0 && !author.bot {
		by = namesRequest(c.message)
	}
	if by == 0 && f.pull {
		by = pullRequest
	}
	applied := !author.bot && !committer.bot && committer.person != author.person
	if !author.bot {
		p.mail.add(p, age, author, committer, f, applied)
	}
	for i := range p.windows {
		if age > spanSeconds(i) {
			continue
		}
		t := &p.windows[i]
		t.w.Commits++
		t.w.Reverts += one(revert)
		if committer.person != author.person {
			p.applied(i, committer)
		}
		if author.bot {
			continue
		}
		t.w.HumanCommits++
		t.w.SignedOff += one(f.signedOff)
		t.w.Reviewed += one(f.reviewed)
		t.w.ChangeID += one(f.changeID)
		t.unreviewed += one(f.changeID && !f.reviewed)
		t.w.PullRequest += one(by != 0)
		countForms(&t.w.Forms, f, by, applied)
		t.w.AIAssisted += one(f.assisted)
		t.months |= 1 << min(age/monthSeconds, int64(spans[i]-1))
		t.addOffset(c.offset)
		a := &p.people.all[author.person]
		if a.commits[i] == 0 {
			t.w.Authors++
		}
		a.commits[i]++
		work.commits[i]++
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// maxOffset is the largest offset of a real clock from UTC, in minutes; what is beyond it says nothing.
const maxOffset = 14 * 60

func (t *tally) addOffset(minutes int) {
	if minutes < -maxOffset || minutes > maxOffset {
		return
	}
	bit := (minutes + maxOffset) / 15
	t.offsets[bit/64] |= 1 << (bit % 64)
}

// bands returns how many offsets can be chosen so that any two are at least four hours apart.
func (t *tally) bands() int {
	count, last := 0, -1<<20
	for bit := range 128 {
		if t.offsets[bit/64]&(1<<(bit%64)) != 0 && bit-last >= 4*4 {
			count, last = count+1, bit
		}
	}
	return count
}

// finish turns the counts into scoring.History.
func (p *pass) finish(gerrit bool) scoring.History {
	at := time.Unix(p.at, 0).UTC()
	h := p.h
	h.FirstCommit, h.LastCommit, h.LastHumanCommit = moment(p.first), moment(p.last), moment(p.human)
	for _, a := range p.people.all {
		if !a.ever {
			continue
		}
		h.AuthorsEver++
		h.Newcomers12m += one(p.at-a.first <= yearSeconds)
		h.AuthorsYear2 += one(a.year2)
		h.Retained += one(a.year1 && a.year2)
	}
	whole := p.windows[len(spans)-1].w
	gated := gerrit && whole.ChangeID*100 >= gerritShare*whole.HumanCommits
	for person := range p.mail.people {
		p.people.employ(person, p.at)
	}
	writers := p.people.writersOf()
	names := p.people.assign(at, writers)
	h.Affiliations = p.people.provenance(at)
	for i := range p.windows {
		t := &p.windows[i]
		if gated {
			t.w.Reviewed += t.unreviewed
		}
		t.w.ActiveMonths = bits.OnesCount32(t.months)
		t.w.OffsetBands = t.bands()
		p.concentration(i, names, &t.w)
		h.Windows = append(h.Windows, t.w)
	}
	if p.byMail(gated) {
		c := p.changes(p.people.employerNow, names, p.origin)
		p.changed = &c
	}
	employer := p.people.employerIn
	for i := quarterCount - 1; i >= 0; i-- {
		q := p.quarters[i]
		q.End = endOf(at, i)
		names := p.people.assign(q.End, writers)
		p.past.organisations(&q, i, employer, names)
		h.Quarters = append(h.Quarters, q)
		h.Past = append(h.Past, p.past.year(p, i, gerrit, employer, names))
	}
	return h
}

// endOf returns the end of a quarter, counted back from the moment of assessment.
func endOf(at time.Time, quarter int) time.Time {
	return at.Add(-time.Duration(quarter) * quarterSeconds * time.Second)
}

func moment(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// concentration fills in how the work of one window is spread over people and organisations (reference: health, 7.3).
func (p *pass) concentration(window int, names []string, w *scoring.Window) {
	byPerson, byOrg := make([]int, 0, w.Authors), make([]int, len(names))
	var unknown []int // commits of each author that were written for nobody knows whom
	for _, a := range p.people.all {
		if n := int(a.commits[window]); n > 0 {
			byPerson = append(byPerson, n)
		}
		open := 0
		for _, t := range a.stints {
			if n := int(t.commits[window]); t.org >= 0 {
				byOrg[t.org] += n
			} else {
				open += n
			}
		}
		if open > 0 {
			unknown = append(unknown, open)
		}
	}
	w.BusFactor50 = fewest(byPerson, w.HumanCommits)
	if w.HumanCommits == 0 {
		return
	}
	w.TopAuthorBP = basisPoints(slices.Max(byPerson), w.HumanCommits, w.HumanCommits/2)
	top := fillOrganisations(w, names, byOrg, unknown)
	w.OutsideAuthorsLow, w.OutsideAuthorsHigh = p.people.outside(window, top)
}

// maxUnknownAuthors bounds scoring.Window.UnknownAuthors.
const maxUnknownAuthors = 20

// fillOrganisations returns the top organisation, or -1 if none is known.
func fillOrganisations(w *scoring.Window, names []string, byOrg, unknown []int) (top int) {
	open := 0
	for _, n := range unknown {
		open += n
	}
	top = topOf(names, byOrg)
	first, second := 0, 0
	for i, n := range byOrg {
		if i != top {
			second = max(second, n)
		}
	}
	if top >= 0 {
		w.TopOrg, first = names[top], byOrg[top]
	}
	total := w.HumanCommits
	w.TopOrgLowBP, w.TopOrgHighBP = basisPoints(first, total, 0), basisPoints(first+open, total, total-1)
	w.TopTwoLowBP, w.TopTwoHighBP = basisPoints(first+second, total, 0), basisPoints(first+second+open, total, total-1)
	w.UnknownOrgBP = basisPoints(open, total, total/2)
	w.TopOrgCommits, w.TopTwoCommits, w.UnknownCommits = first, first+second, open
	largest := slices.SortedFunc(slices.Values(unknown), func(a, b int) int { return b - a })
	w.UnknownAuthors = slices.Clip(largest[:min(len(largest), maxUnknownAuthors)])
	w.UnknownRest = len(largest) - len(w.UnknownAuthors)
	together := slices.Clone(byOrg)
	if top >= 0 {
		together[top] += open
	} else {
		together = append(together, open)
	}
	w.ElephantLow = fewest(together, total)
	w.ElephantHigh = fewest(append(slices.Clone(byOrg), unknown...), total)
	return top
}

// topOf returns the organisation with most commits, of equals the first by name; -1 if none has any.
func topOf(names []string, byOrg []int) int {
	top := -1
	for i, n := range byOrg {
		if n > 0 && (top < 0 || n > byOrg[top] || n == byOrg[top] && names[i] < names[top]) {
			top = i
		}
	}
	return top
}

// basisPoints returns n/total in basis points; extra is added before the division: 0 rounds down, total-1 up, total/2 to
// the nearest.
func basisPoints(n, total, extra int) int { return (n*10000 + extra) / total }

// fewest returns how many of the largest parts are needed for at least half of the total; 0 if the total is 0.
func fewest(parts []int, total int) int {
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, func(a, b int) int { return b - a })
	sum := 0
	for i, n := range sorted {
		if sum += n; sum*2 >= total && total > 0 {
			return i + 1
		}
	}
	return 0
}

// history runs the pass over the evaluated revision.
func (v *view) history(ctx context.Context, commit string, at time.Time, gerrit bool, r rules) (scoring.History, *scoring.Changes, error) {
	p := newPass(at, r)
	p.mainline, p.origin = v.mainline, v.origin
	if err := v.loadNotes(ctx, p); err != nil {
		return scoring.History{}, nil, err
	}
	if err := v.git.stream(ctx, v.dir, nil, p.read, logArgs(commit)...); err != nil {
		return scoring.History{}, nil, err
	}
	if p.last == 0 {
		return scoring.History{}, nil, errors.New("no commit before the date of assessment")
	}
	if p.damaged > 0 {
		return scoring.History{}, nil, fmt.Errorf("%d commits could not be read", p.damaged)
	}
	if err := v.readNotes(ctx, p); err != nil {
		return scoring.History{}, nil, err
	}
	h := p.finish(gerrit)
	v.authors = p.writers()
	h.Shallow = len(v.state.shallow) > 0
	return h, p.changed, nil
}

// rules are the editable lists.
type rules struct {
	bots       bots
	employers  *Affiliation
	assistants assistants
}
