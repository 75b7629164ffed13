package transparency

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Thresholds of OO-02 to OO-04 by their names in the profile.
const (
	numberCommits     = "commits"
	numberLinks       = "links"
	numberLinkAgeDays = "age_days"
)

// OO-01 finds the operator in the list of the manifesto by name, without case and legal form, or by the domain of its address. A
// group that signed under another name is not found.
//
// OO-02 and OO-03 count commits from the operator's mail domains. People who commit from private addresses, or hide theirs,
// cannot be counted: so zero is not known as long as commits of unknown origin are among those that were looked at, and
// fails only where the employer of everybody is known. Reviews, mails and issues are not counted at all.
//
// OO-04 rests on what the operator declares; what is checked is that the link answers, names the operator, and its age. Pages
// that are built by a script in the browser do not show whom they name.
func openOperationsIndicators() []Indicator {
	return []Indicator{
		{ID: "OO-01", Kind: KindOpenOperations, Question: "Did the operator sign the Open Operations manifesto?", Measure: manifestoSigned},
		{ID: "OO-02", Kind: KindOpenOperations, Contents: true, Question: "Did the operator contribute to Open Operations repositories within a year?", Measure: func(q Question) Measurement {
			return contributed(q, "Open Operations repositories", "", func(o OpenOperations) []Contributed { return o.Repositories })
		}},
		{ID: "OO-03", Kind: KindOpenOperations, Contents: true, Question: "Did the operator contribute to the projects it deploys within a year?", Measure: func(q Question) Measurement {
			return contributed(q, "repositories of deployed projects", "ask for it under transparency: open_operations: upstreams: true", func(o OpenOperations) []Contributed { return o.Upstreams })
		}},
		{ID: "OO-04", Kind: KindOpenOperations, Contents: true, Question: "Does the operator share knowledge in talks, meeting notes or articles?", Measure: knowledgeShared},
	}
}

func openOperations(artifacts []Artifact) []OpenOperations {
	var out []OpenOperations
	for _, a := range artifacts {
		if a.OpenOperations != nil {
			out = append(out, *a.OpenOperations)
		}
	}
	return out
}

func manifestoSigned(q Question) Measurement {
	m := Measurement{Reason: "nobody looked into the list of signatures", Settle: []string{"let the run read the repository of the manifesto"}}
	for _, a := range q.Artifacts {
		if a.OpenOperations == nil {
			continue
		}
		o := a.OpenOperations
		as, known := o.Signed.Get()
		switch {
		case known && as != "":
			m = Measurement{Outcome: audit.PASS, Reason: "the manifesto names the operator as " + as, Origins: o.Signed.Origins}
			if words := signedByItsWord(a, q.Evidence.Operator); words != "" {
				m.Declared, m.Reason = true, m.Reason+words
				continue
			}
			return m
		case m.Outcome == audit.PASS: // by the operator's word
		case known && stale(q, o.Signed.Origins):
			m = Measurement{Outcome: audit.DNF, Reason: "the list does not name the operator, but it was read from a clone that may be old", Origins: o.Signed.Origins,
				Settle: []string{"let the run ask the server of the manifesto"}}
		case known:
			m = Measurement{Outcome: audit.FAIL, Reason: "the list of signatures names neither the operator nor its domain", Origins: o.Signed.Origins,
				Settle: []string{"add the organisation to _data/organizations.yml of the manifesto by a pull request"}}
		case o.Signed.Failure != "":
			m = Measurement{Outcome: audit.DNF, Reason: o.Signed.Failure, Settle: settleOf(orElse(o.Signed.Settle, "name the repository of the manifesto")), Origins: o.Signed.Origins}
		case o.Signed.Settle != "":
			m.Settle = settleOf(o.Signed.Settle)
		}
	}
	return m
}

// signedByItsWord says what of a signature rests on the operator's word: that another list is the one of the manifesto, or that
// another name is its own.
func signedByItsWord(a Artifact, operator Operator) string {
	words := ""
	if address := strings.TrimSuffix(strings.TrimRight(a.URL, "/"), ".git"); address != "" && !strings.EqualFold(address, ManifestoRepository) {
		words += "; that " + a.URL + " is the list of the manifesto only the operator says"
	}
	if a.Name != "" && !strings.EqualFold(strings.TrimSpace(a.Name), strings.TrimSpace(operator.Name)) {
		words += "; that it is called " + a.Name + " only the operator says"
	}
	return words
}

func settleOf(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// stale reports whether what was read may have changed since: a clone on this machine speaks only until its newest commit.
func stale(q Question, origins []audit.Origin) bool {
	for _, o := range origins {
		if q.Evidence.AssessedAt.Sub(o.At) > cloneSpeaks {
			return true
		}
	}
	return false
}

// contributed counts over all repositories of one list.
func contributed(q Question, what, ask string, of func(OpenOperations) []Contributed) Measurement {
	want := q.Rule.Numbers[numberCommits]
	if want == 0 {
		return Measurement{Reason: "the profile does not say how many commits", Settle: []string{"set commits in the profile"}}
	}
	t := contributionTally{q: q}
	for _, o := range openOperations(q.Artifacts) {
		if len(o.Domains) == 0 {
			t.unnamed = true
			continue
		}
		for _, c := range of(o) {
			t.add(c)
		}
	}
	return t.answer(what, ask, want)
}

// contributionTally sums up what was counted, and what leaves a zero open.
type contributionTally struct {
	q        Question
	unnamed  bool // nobody named mail domains
	asked    int  // repositories
	read     int
	giving   int // repositories with commits of the operator
	commits  int
	human    int // commits of everybody
	unknown  int // of unknown origin
	cut      int // repositories whose clones are cut, or may be old
	failed   []string
	settle   []string
	origins  []audit.Origin
	followed []audit.Origin // of repositories without commits
}

func (t *contributionTally) add(c Contributed) {
	t.asked++
	count, known := c.Count.Get()
	if !known {
		if c.Count.Failure != "" {
			t.failed = append(t.failed, c.URL+": "+c.Count.Failure)
		}
		t.settle = append(t.settle, settleOf(c.Count.Settle)...)
		return
	}
	t.read++
	t.commits += count.Commits
	t.human, t.unknown = t.human+count.Human, t.unknown+count.Unknown
	if count.Commits > 0 {
		t.giving++
		t.origins = append(t.origins, c.Count.Origins...)
		return
	}
	t.followed = append(t.followed, c.Count.Origins...)
	if count.Cut || t.q.Evidence.AssessedAt.Sub(c.SeenUntil) > cloneSpeaks {
		t.cut++
	}
}

func (t *contributionTally) answer(what, ask string, want int) Measurement {
	switch {
	case t.unnamed && t.asked == 0:
		return Measurement{Reason: "nobody named the mail domains of the operator, so nobody could be counted", Settle: []string{"name them under subject: operator: domains"}}
	case t.asked == 0:
		return Measurement{Reason: "nobody asked to count in " + what, Settle: settleOf(orElse(ask, "name repositories under transparency: open_operations"))}
	case t.commits >= want:
		return Measurement{
			Outcome: audit.PASS, Value: number(t.commits), Unit: "commits", Origins: t.origins,
			Reason: fmt.Sprintf("%d commits in %d of %d %s within 365 days; asked for are %d", t.commits, t.giving, t.read, what, want),
		}
	case t.read == 0 && len(t.failed) == 0:
		return Measurement{Reason: "no repository could be read here", Settle: orElseAll(t.settle, "let the run read repositories")}
	}
	m := Measurement{Outcome: audit.DNF, Origins: append(t.origins, t.followed...)}
	m.Reason = fmt.Sprintf("%d commits from the operator's mail domains were found in %d %s within 365 days; asked for are %d", t.commits, t.read, what, want)
	var open []string
	if t.unknown > 0 {
		open = append(open, fmt.Sprintf("of %d commits by people %d are of unknown origin", t.human, t.unknown))
		m.Settle = append(m.Settle, "let people commit from an address of the operator, or name more domains under subject: operator: domains")
	}
	if t.cut > 0 {
		open = append(open, fmt.Sprintf("%d repositories were read from clones that are cut or may be old", t.cut))
		m.Settle = append(m.Settle, "let the run ask the servers of the repositories")
	}
	if missed := t.asked - t.read; missed > 0 {
		open = append(open, fmt.Sprintf("%d repositories could not be read", missed))
		m.Settle = append(m.Settle, orElseAll(t.settle, "let the run ask the servers of the repositories")...)
	}
	if len(open) == 0 {
		m.Outcome, m.Value, m.Unit = audit.FAIL, number(t.commits), "commits"
		m.Settle = []string{"contribute, from an address of the operator"}
		return m
	}
	m.Reason += "; " + strings.Join(open, "; ")
	m.Settle = orElseAll(m.Settle, "")
	return m
}

func knowledgeShared(q Question) Measurement {
	want, days := q.Rule.Numbers[numberLinks], q.Rule.Numbers[numberLinkAgeDays]
	if want == 0 || days == 0 {
		return Measurement{Reason: "the profile does not say how many links, or how old they may be", Settle: []string{"set links and age_days of OO-04 in the profile"}}
	}
	count := 0
	worst := audit.NA // of those that do not count
	var reasons, settle []string
	var origins []audit.Origin
	named := false
	for _, a := range q.Artifacts {
		if a.OpenOperations == nil {
			continue
		}
		for _, link := range a.OpenOperations.Links {
			named = true
			origin := audit.Origin{Source: KindOpenOperations, URL: link.URL}
			if link.Seen < len(a.Seen) && a.Seen[link.Seen].URL == link.URL {
				origin = a.Seen[link.Seen].Origin(KindOpenOperations)
			}
			origins = append(origins, origin)
			outcome, reason, mend := linkCounts(link, q.Evidence.AssessedAt, days)
			if outcome == audit.PASS {
				count++
				continue
			}
			reasons, settle = append(reasons, link.URL+": "+reason), append(settle, mend)
			if worst == audit.NA || worst == audit.FAIL || outcome == audit.DNF {
				worst = outcome // what is open keeps the answer open
			}
		}
	}
	m := Measurement{Declared: true, Value: number(count), Unit: "links", Origins: origins}
	switch {
	case !named:
		return Measurement{Reason: "the operator named no talk, no meeting notes and no article", Settle: []string{"name links with dates under transparency: open_operations"}}
	case count >= want:
		m.Outcome, m.Reason = audit.PASS, fmt.Sprintf("%d links that the operator declares answer, name it, and are at most %d days old; asked for are %d", count, days, want)
		return m
	}
	m.Outcome, m.Reason, m.Settle = worst, fmt.Sprintf("%d links count, asked for are %d; ", count, want)+strings.Join(reasons, "; "), orElseAll(settle, "name more links")
	if worst == audit.NA {
		m.Outcome = audit.FAIL // all links count, and they are too few
		m.Reason = strings.TrimSuffix(m.Reason, "; ")
	}
	if m.Outcome != audit.FAIL {
		m.Value = nil
	}
	return m
}

// linkCounts judges one declared link.
func linkCounts(l CheckedLink, at time.Time, days int) (outcome audit.Outcome, reason, settle string) {
	switch {
	case l.Trouble != nil:
		return l.Trouble.Outcome(), l.Trouble.Text, orElse(l.Trouble.Settle, "name a link that answers")
	case l.Date.IsZero():
		return audit.DNF, "no date is declared", "declare the date of " + l.URL
	case l.Date.After(at):
		return audit.DNF, "it is of a day to come", "declare what has taken place"
	case ageDays(at, l.Date) > days:
		return audit.FAIL, fmt.Sprintf("it is of %s, more than %d days before", l.Date.Format(time.DateOnly), days), "name something newer"
	case !l.Names:
		return audit.DNF, "the page does not name the operator, or shows it only to browsers", "name a page that names the operator"
	}
	return audit.PASS, "", ""
}
