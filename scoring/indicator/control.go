package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// vendorHome reports whether the project has no foundation as its home.
func (in *input) vendorHome() truth {
	switch in.held() {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// companyHome reports whether a company owns home and name of the project, with the words for a reason. A foundation rules
// it out, and so does a home that belongs to a person. Else the trademark document tells who owns the name, and the
// catalogue who runs the project; an organisation on a forge may be a company or a group of friends.
func (in *input) companyHome() (truth, string) {
	switch in.held() {
	case unknown:
		return unknown, "the hosting foundation is not known"
	case yes:
		return no, "hosted by " + clip(in.p.Foundation)
	}
	home, _ := in.e.Home.Get()
	if kind, ok := home.OwnerKind.Get(); ok && kind == "person" {
		return no, "the home belongs to a person"
	}
	t, _ := in.e.Tree.Get()
	company, foundation := false, false
	for _, d := range t.Documents["trademark"] {
		company = company || slices.Contains(d.Marks, "holder:company")
		foundation = foundation || slices.Contains(d.Marks, "holder:foundation")
	}
	switch model := clip(in.p.Model); {
	case company && !foundation:
		return yes, "no foundation hosts it, and a company owns the trademark (" + listed(byPath(t.Documents["trademark"])) + ")"
	case strings.HasPrefix(model, "vendor"):
		return yes, "no foundation hosts it; run by: " + model
	case strings.Contains(model, "community"), strings.Contains(model, "maintainer"):
		return no, "no foundation hosts it; run by: " + model
	}
	return unknown, "no foundation hosts it, and whether a company owns it is not known"
}

// oneEmployer reports whether all maintainers work for one organisation.
func (in *input) oneEmployer() (truth, string) {
	team, ok := in.e.Team.Get()
	both, known := team.Organisations.Get()
	switch {
	case !ok || !known || in.e.Team.Declared || team.Organisations.Declared || !plausible(both[0], both[1]) || both[0] > both[1]:
		return unknown, "the maintainers' organisations are not known"
	case both[1] <= 1:
		return yes, "the maintainers work for one organisation"
	case both[0] > 1:
		return no, "the maintainers work for " + ends(both[0], both[1], "organisation")
	}
	return unknown, "the maintainers work for " + ends(both[0], both[1], "organisation")
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

// companyTerms reports whether contributors grant a company more than everybody.
func (in *input) companyTerms(t scoring.Tree) truth {
	switch kind, _, _ := in.terms(t); kind {
	case termsSold, termsGiven:
		return yes
	case termsDCO, termsSame, termsHeld, termsPromise:
		return no
	}
	return unknown
}
