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

// vendorHome reports whether a company rather than a foundation holds the project.
func (in *input) vendorHome() truth {
	switch in.p.Foundation {
	case "":
		return unknown
	case "none":
		return yes
	}
	return no
}

// singleVendor (LR-04, scs-0008 LR-2) asks: does one vendor control the project?
// Measured: three signals: the share of the largest organisation (as OC-02), maintainers from one organisation (as OC-05,
// not collected yet) and a home without a foundation (as OC-07). A share that fails, or all three signals, fails; two of
// three count half; else it passes.
// Misleads: as its parts.
func singleVendor(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	failAbove, m, ok := in.number("share_fail_bp")
	if !ok {
		return m
	}
	warnAbove, m, ok := in.number("share_warn_bp")
	if !ok {
		return m
	}
	lowest, highest := audit.Full, 0
	for _, share := range []int{w.TopOrgLowBP, w.TopOrgHighBP} {
		for _, maintainers := range unknown.options() {
			for _, home := range in.vendorHome().options() {
				score := vendorScore(share > failAbove, share > warnAbove, maintainers, home)
				lowest, highest = min(lowest, score), max(highest, score)
			}
		}
	}
	reason := fmt.Sprintf("the largest organisation%s wrote %s of the human commits in %s; %s; the maintainers' organisations are not known",
		named(w.TopOrg), endsPercent(w.TopOrgLowBP, w.TopOrgHighBP), plural(in.rule.Window, "day"), in.home())
	m = in.bounded(h, spanned(lowest, highest, reason, affiliations, "find out which organisations the maintainers work for"))
	m.Value, m.Unit = decimal(w.TopOrgLowBP), "share"
	if w.TopOrgHighBP != w.TopOrgLowBP {
		m.Value += ".." + decimal(w.TopOrgHighBP)
	}
	return m
}

func vendorScore(failing, warning bool, maintainers, home int) int {
	signals := maintainers + home
	if warning {
		signals++
	}
	switch {
	case failing || signals == 3:
		return 0
	case signals == 2:
		return half
	}
	return audit.Full
}

func (in *input) home() string {
	switch in.p.Foundation {
	case "":
		return "the hosting foundation is not known"
	case "none":
		return "no foundation hosts it"
	}
	return "hosted by " + clip(in.p.Foundation)
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

// relicensingPower (LR-05, scs-0008 LR-2) asks: could one party take the project out of the open licences?
// Measured: one point each for contributor terms in favour of a company (as OS-07), a home without a foundation (as OC-07)
// and a past move away from open licences (as OS-06). Points that are not known give an interval.
// Misleads: whoever wrote nearly everything needs no agreement to relicense.
func relicensingPower(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	states, m, ok := take(in, in.e.LicenceHistory, "the history of the licence")
	if !ok {
		return m
	}
	past := no
	switch left, unsure := movedAway(inTime(states)); {
	case left:
		past = yes
	case unsure || len(states) == 0:
		past = unknown
	}
	least, most := 0, 0
	for _, point := range []truth{in.companyTerms(t), in.vendorHome(), past} {
		options := point.options()
		least += options[0]
		most += options[len(options)-1]
	}
	m = in.between(least, most, less, plain, fmt.Sprintf("%s of 3: terms for a company %s, home without foundation %s, left open licences %s",
		ends(least, most, "point"), in.companyTerms(t), in.vendorHome(), past), "find out the terms for contributors and the hosting foundation", in.at(""))
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

// companyTerms reports whether contributors grant a company more than everybody.
func (in *input) companyTerms(t scoring.Tree) truth {
	switch {
	case len(t.Documents["cla"]) > 0:
		return in.vendorHome()
	case len(guidesOn(t, "cla")) > 0:
		return unknown
	case len(t.Documents["dco"]) > 0:
		return no
	}
	return unknown
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
	var doubts []string
	switch class {
	case licence.Restricted:
		return failed(authors.Value, clip(facts.Expression)+" does not allow a fork", in.licenceOrigins(facts)...)
	case licence.OSI, licence.FreeNotOSI:
	default:
		doubts = append(doubts, "the licence was not recognised")
	}
	if len(t.Tools["ci"]) == 0 {
		doubts = append(doubts, "no CI configuration in the repository shows how it is built")
	}
	if h.Shallow {
		doubts = append(doubts, "the clone does not reach back to the first commit")
	}
	if authors.Outcome != audit.PASS {
		doubts = append(doubts, authors.Reason)
	}
	if len(doubts) > 0 {
		m = untold(strings.Join(doubts, "; "), "settle: "+doubts[0])
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
