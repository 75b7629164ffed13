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

// singleVendor (LR-04, scs-0008 LR-2) asks: does one vendor control the project?
// Measured: three signals: the share of the largest organisation (as OC-02), maintainers from one organisation (as OC-05)
// and a home that a company owns (companyHome). A share that fails, or all three signals, fails; two of three count half;
// else it passes.
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
	one, who := in.oneEmployer()
	owned, owner := in.companyHome()
	lowest, highest := audit.Full, 0
	for _, share := range []int{w.TopOrgLowBP, w.TopOrgHighBP} {
		for _, maintainers := range one.options() {
			for _, home := range owned.options() {
				score := vendorScore(share > failAbove, share > warnAbove, maintainers, home)
				lowest, highest = min(lowest, score), max(highest, score)
			}
		}
	}
	reason := fmt.Sprintf("the largest organisation%s wrote %s of the human commits in %s; %s; %s",
		named(w.TopOrg), endsPercent(w.TopOrgLowBP, w.TopOrgHighBP), plural(in.rule.Window, "day"), owner, who)
	m = in.bounded(h, spanned(lowest, highest, reason, affiliations, "find out which organisations the maintainers work for"))
	m.Value, m.Unit = decimal(w.TopOrgLowBP), "share"
	if w.TopOrgHighBP != w.TopOrgLowBP {
		m.Value += ".." + decimal(w.TopOrgHighBP)
	}
	return m
}

// relicensingPower (LR-05, scs-0008 LR-2) asks: could one party take the project out of the open licences?
// Measured: one point each for contributor terms in favour of a company (as OS-07), a home and trademark that a company owns
// (companyHome), and a past move away from open licences (as OS-06). Points that are not known give an interval. Three
// points fail, two count half (design section 9).
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
	favour := in.companyTerms(t)
	owned, owner := in.companyHome()
	least, most := 0, 0
	for _, point := range []truth{favour, owned, past} {
		options := point.options()
		least += options[0]
		most += options[len(options)-1]
	}
	m = in.between(least, most, less, plain, fmt.Sprintf("%s of 3: terms in favour of a company %s, company owns home and name %s (%s), left open licences %s",
		ends(least, most, "point"), favour, owned, owner, past), "find out the terms for contributors, who owns home and trademark, and the past licences", in.at(""))
	for _, topic := range []string{"cla", "trademark"} {
		m.Origins = append(m.Origins, in.files(byPath(t.Documents[topic]))...)
	}
	return m
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
	class := in.classOf(facts.Expression)
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

// replaceable (LR-07, scs-0008 LR-4) asks: can something else take its place?
// Measured: open source that speaks the same interface or standard, by the catalogue. None counts half: somebody looked and
// found none.
// Misleads: an interface in common does not move the data (LR-08), and says nothing about the health of the alternative.
func replaceable(in *input) scoring.Measurement {
	found, m, ok := take(in, in.p.Alternatives, "alternatives with the same interface in the catalogue")
	if !ok {
		return m
	}
	named := make([]string, len(found))
	for i, a := range found {
		named[i] = a.Name
		if len(a.Standards) > 0 {
			named[i] += " (" + names(a.Standards) + ")"
		}
	}
	reason := "the catalogue knows no open source with the same interface"
	if len(found) > 0 {
		reason = "same interface: " + names(named)
	}
	return in.count(len(found), more, reason, documented(firstOrigins(in.p.Alternatives), found)...)
}

// documented adds the addresses that document alternatives to the origin of the catalogue.
func documented(origins []audit.Origin, found []scoring.Alternative) []audit.Origin {
	for _, a := range found[:min(mostNames, len(found))] {
		if a.Source != "" {
			origins = append(origins, audit.Origin{Source: "documentation", URL: a.Source})
		}
	}
	return origins
}

// exit (LR-08, scs-0008 LR-4) asks: can data be taken out, by a standard interface or an open format?
// Measured: standards and formats that the catalogue says it offers, each with the address that documents it; else what is
// stated. That nothing is known to the catalogue proves no lock-in.
// Misleads: a standard interface may not reach all data, such as users, rights and history.
func exit(in *input) scoring.Measurement {
	offered, m, ok := take(in, in.p.Standards, "standard interfaces and formats in the catalogue")
	switch {
	case ok && len(offered) > 0:
		named := make([]string, len(offered))
		origins := firstOrigins(in.p.Standards)
		for i, s := range offered {
			named[i] = s.ID
			if s.Name != "" {
				named[i] = s.Name
			}
			if s.Source != "" && len(origins) < mostNames+1 {
				origins = append(origins, audit.Origin{Source: "documentation", URL: s.Source})
			}
		}
		return passed("yes", "standard interface: "+names(named), origins...)
	case ok:
		m = untold("the catalogue names no standard interface or format", "state how data is exported (LR-08: true if by an open format or standard interface), "+saying)
	}
	return in.told(m, more, "how data can be taken out")
}

// blastRadius (LR-09) asks: how much of the stack hangs on it? Information for the risk matrix, without pass or fail.
// Measured: deployed components that would be hit, by the dependency graphs of the SBOMs of the stack.
// Misleads: services that talk over the network show in no SBOM.
func blastRadius(in *input) scoring.Measurement {
	d, m, ok := take(in, in.p.Deployed, "what depends on it in the stack")
	switch {
	case !ok:
		return m
	case !plausible(d.Radius, len(d.Dependants)):
		return untold("the recorded dependency graph contradicts itself", "collect the stack again")
	}
	m = notApplicable(fmt.Sprintf("for information: %s would be hit, and %s of the stack depend on it", plural(d.Radius, "deployed component"), plural(len(d.Dependants), "other project")))
	if len(d.Dependants) > 0 {
		m.Reason += ": " + names(d.Dependants)
	}
	m.Value, m.Origins = fmt.Sprint(d.Radius), firstOrigins(in.p.Deployed)
	return m
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
	apart := in.denied() && in.p.Foundation != "" && in.p.Foundation != "none" // catalogue and foundation contradict each other
	files := byPath(t.Documents["funding"])
	if len(files) == 0 && apart {
		return untold(missing(t, "funding file")+"; the catalogue names "+clip(in.p.Foundation)+", whose list of the day does not name the project", "find out when "+clip(in.p.Foundation)+" took the project in")
	}
	if len(files) == 0 {
		return in.absent(t, missing(t, "funding file")+", and no known foundation")
	}
	n, counted := markedNumber(files, "sponsors")
	if !counted {
		return untold("nobody counted the sponsors in "+listed(files), "count the sponsors in "+clip(files[0].Path))
	}
	m = in.count(n, more, fmt.Sprintf("%s in %s", plural(n, "sponsor"), listed(files)), in.files(files)...)
	if m.Outcome != audit.PASS && (in.p.Foundation == "" || apart) {
		return lowerBound(m, "the hosting foundation is not known", "enter the hosting foundation in the catalogue")
	}
	return m
}

// conflicts (LR-11, scs-0008 LR-2) asks: do the two largest organisations sell a closed or managed edition that competes?
// Measured: a statement of the operator only, who knows what he is offered; it stays tentative until an auditor accepts it.
// Misleads: as every statement.
func conflicts(in *input) scoring.Measurement {
	m := missed("nobody looked at what the largest contributors sell; needs: a declaration of the operator",
		"state whether the two largest organisations sell a competing closed or managed edition (LR-11: true if they do not), in the declarations of the stack")
	s, why := in.statement()
	switch {
	case s == nil && why != nothing:
		m.Outcome, m.Reason = audit.DNF, m.Reason+"; "+why
		return m
	case s == nil || s.By != scoring.ByOperator:
		return m
	}
	answer := untold("the statement is neither true nor false", "state true or false")
	reason := fmt.Sprintf("the operator says on %s: %s", day(s.At), clip(s.Value))
	switch s.Value {
	case "true":
		answer = passed("true", reason)
	case "false":
		answer = partly("false", reason)
	}
	return in.declare(answer, *s, m.Settle)
}
