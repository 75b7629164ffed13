package indicator

import (
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
