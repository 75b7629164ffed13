package indicator

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// busFactor (LR-01, scs-0008 LR-1) asks: how many people would have to leave until half of the work stops?
// Measured: the fewest authors with at least half of the human commits of the window.
// Misleads: commits differ in size; people with two addresses count twice.
func busFactor(in *input) scoring.Measurement {
	h, w, m, ok := in.window()
	switch {
	case !ok:
		return m
	case h.Shallow:
		return untold("the clone does not reach back to the first commit", "read a full clone")
	}
	return in.bounded(h, in.count(w.BusFactor50, more, fmt.Sprintf("%s wrote half of %s in %s",
		people(w.BusFactor50), plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day"))))
}

func people(n int) string {
	switch n {
	case 0:
		return "nobody"
	case 1:
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// topAuthor (LR-02, scs-0008 LR-1) asks: how much of the work hangs on one person?
// Measured: the share of the most active author in the human commits of the window.
// Misleads: as LR-01.
func topAuthor(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	return in.bounded(h, in.between(w.TopAuthorBP, w.TopAuthorBP, less, decimal, fmt.Sprintf("the most active person wrote %s of %s in %s",
		percent(w.TopAuthorBP), plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day")), ""))
}

// truth is a condition that may be unknown.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// options are what a condition may turn out to be: 0 for no, 1 for yes.
func (t truth) options() []int {
	switch t {
	case no:
		return []int{0}
	case yes:
		return []int{1}
	}
	return []int{0, 1}
}

// spanned answers with a score of which only the ends are known.
func spanned(low, high int, reason string, settle ...string) scoring.Measurement {
	m := scoring.Measurement{Interval: audit.Between(low, high), Reason: reason}
	switch {
	case low != high:
		m.Outcome, m.Settle = audit.DNF, settle
	case low == audit.Full:
		m.Outcome = audit.PASS
	case low == 0:
		m.Outcome = audit.FAIL
	default:
		m.Outcome = audit.PART
	}
	return m
}

// String is the word for a reason.
func (t truth) String() string {
	switch t {
	case no:
		return "no"
	case yes:
		return "yes"
	}
	return "unknown"
}

// forkability (LR-06, scs-0008 LR-3) asks: could others carry the project on?
// Measured: an open licence at the evaluated revision, CI configuration to build with, the full history, and enough
// authors outside the largest organisation. One condition that certainly fails is enough to fail.
// Misleads: CI may need secrets; knowledge is not in the repository.
func forkability(in *input) scoring.Measurement {
	facts, m, ok := take(in, in.e.Licences[""], "the licence at the evaluated revision")
	if !ok {
		return m
	}
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	h, w, m, ok := in.window()
	if !ok {
		return m
	}
	authors := in.between(w.OutsideAuthorsLow, w.OutsideAuthorsHigh, more, plain,
		ends(w.OutsideAuthorsLow, w.OutsideAuthorsHigh, "author")+" outside the largest organisation in "+plural(in.rule.Window, "day"), affiliations)
	if authors = in.bounded(h, authors); authors.Outcome == audit.FAIL {
		return authors
	}
	class := licence.ClassOf(facts.Expression)
	var doubts, settle []string
	doubt := func(reason, remedy string) { doubts, settle = append(doubts, reason), append(settle, remedy) }
	switch class {
	case licence.Restricted:
		return failed(authors.Value, clip(facts.Expression)+" does not allow a fork", in.licenceOrigins(facts)...)
	case licence.OSI, licence.FreeNotOSI:
	default:
		doubt("the licence was not recognised", "read the licence files and add the licence to the known ones")
	}
	if len(t.Tools["ci"]) == 0 {
		doubt("no CI configuration in the repository shows how it is built", "name the place where it is built in public")
	}
	if h.Shallow {
		doubt("the clone does not reach back to the first commit", "read a full clone")
	}
	if authors.Outcome != audit.PASS {
		doubt(authors.Reason, strings.Join(authors.Settle, "; "))
	}
	if len(doubts) > 0 {
		m = untold(strings.Join(doubts, "; "), settle...)
		m.Value = authors.Value
		return m
	}
	return passed(authors.Value, "open licence, public CI, full history, "+authors.Reason, in.licenceOrigins(facts)...)
}

// funding (LR-10) asks: does anybody pay for the work?
// Measured: the hosting foundation by the catalogue, or a funding file in the repository, whose sponsors nobody counted.
// Misleads: a foundation may host without paying; a vendor may pay without being named.
func funding(in *input) scoring.Measurement {
	if home := in.vendorHome(); home == no {
		return passed(clip(in.p.Foundation), "hosted by "+clip(in.p.Foundation), in.catalogue())
	}
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	files := byPath(t.Documents["funding"])
	if len(files) == 0 {
		return in.absent(t, missing(t, "funding file")+", and no known foundation")
	}
	n, counted := markedNumber(files, "sponsors")
	if !counted {
		return untold("nobody counted the sponsors in "+listed(files), "count the sponsors in "+clip(files[0].Path))
	}
	m = in.count(n, more, fmt.Sprintf("%s in %s", plural(n, "sponsor"), listed(files)), in.files(files)...)
	if m.Outcome != audit.PASS && in.p.Foundation == "" {
		return lowerBound(m, "the hosting foundation is not known", "enter the hosting foundation in the catalogue")
	}
	return m
}
