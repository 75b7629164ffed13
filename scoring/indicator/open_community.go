package indicator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// affiliations is what settles intervals of organisations.
const affiliations = "find out which organisations the unaffiliated authors work for"

// elephantFactor (OC-01, scs-0008 FO-2.1) asks: how many organisations stand behind half of the work?
// Measured: the fewest organisations with at least half of the human commits of the window, corporate groups folded; an
// interval while some authors have no known organisation.
// Misleads: commits differ in size; people who work in their free time count for their employer.
func elephantFactor(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	return in.bounded(h, in.between(w.ElephantLow, w.ElephantHigh, more, plain,
		fmt.Sprintf("%s wrote half of %s in %s", ends(w.ElephantLow, w.ElephantHigh, "organisation"),
			plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day")), affiliations))
}

// elsewhere says what settles a share of organisations, and of how few authors at best: those with most commits, if they
// turn out to work elsewhere (reference: health, 7.3).
func (in *input) elsewhere(resolve func(atMostBP int) (authors int, ok bool)) string {
	if in.rule.Pass == nil {
		return affiliations
	}
	n, ok := resolve(*in.rule.Pass)
	if !ok || n == 0 {
		return affiliations
	}
	return affiliations + "; " + plural(n, "author") + " with most commits would do, if they work elsewhere"
}

// ends writes "2 organisations" or "1 to 3 organisations".
func ends(low, high int, noun string) string {
	if low == high {
		return plural(low, noun)
	}
	return fmt.Sprintf("%d to %s", low, plural(high, noun))
}

// endsPercent writes "42 %" or "42 % to 61 %".
func endsPercent(low, high int) string {
	if low == high {
		return percent(low)
	}
	return percent(low) + " to " + percent(high)
}

// topOrganisation (OC-02, scs-0008 FO-2.1, LR-2) asks: does one organisation do most of the work?
// Measured: the share of the largest organisation in the human commits of the window, as an interval.
// Misleads: as OC-01.
func topOrganisation(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	return in.bounded(h, in.between(w.TopOrgLowBP, w.TopOrgHighBP, less, decimal,
		fmt.Sprintf("the largest organisation%s wrote %s of %s in %s", named(w.TopOrg), endsPercent(w.TopOrgLowBP, w.TopOrgHighBP),
			plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day")), in.elsewhere(w.Resolve)))
}

func named(organisation string) string {
	if organisation == "" {
		return ""
	}
	return " (" + clip(organisation) + ")"
}

// topTwoOrganisations (OC-03, scs-0008 FO-2.1) asks: do two organisations do most of the work?
// Measured: as OC-02, for the two largest together. It never fails.
// Misleads: as OC-01.
func topTwoOrganisations(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	return in.bounded(h, in.between(w.TopTwoLowBP, w.TopTwoHighBP, less, decimal,
		fmt.Sprintf("the two largest organisations wrote %s of %s in %s", endsPercent(w.TopTwoLowBP, w.TopTwoHighBP),
			plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day")), in.elsewhere(w.ResolveTwo)))
}

// governance (OC-06, scs-0008 FO-4.2) asks: is it written down who decides what?
// Measured: a governance document anywhere in the repository, or the charter of its team or foundation by their records.
// Misleads: the presence of a document says nothing about how it is lived.
func governance(in *input) scoring.Measurement {
	return in.find(document("governance"), "governance document", []place{
		lent("governance document", func(g scoring.Governance) audit.Fact[string] { return g.Charter }, asIs),
	})
}

// neutralHome (OC-07, scs-0008 LR-2) asks: do repository and name belong to nobody who sells the product?
// Measured: the hosting foundation by its own records, or by the catalogue where it keeps none that can be read. While
// nobody has read the records, what the catalogue says is no pass. A home without a foundation counts half: a risk, not a
// failure.
// Misleads: a foundation may be a club of one vendor; who owns the name is not read.
func neutralHome(in *input) scoring.Measurement {
	g, recorded := in.e.Governance.Get()
	recorded = recorded && !in.e.Governance.Declared
	listed, _ := g.Listed.Get()
	name := cmp.Or(in.p.Foundation, g.Foundation)
	switch {
	case recorded && listed && !g.Listed.Declared:
		in.rests(in.e.Governance.Grade)
		return passed(clip(g.Foundation), "hosted by "+clip(g.Foundation)+steps(g), orOrigin(firstOrigins(in.e.Governance), in.catalogue())...)
	case in.p.Foundation == "none":
		in.rests(audit.GradeThirdParty)
		return partly("none", "no foundation hosts the project", in.catalogue())
	case in.denied() && name != "":
		in.rests(in.e.Governance.Grade)
		return partly("none", unlisted(name), orOrigin(firstOrigins(in.e.Governance), in.catalogue())...)
	case in.p.Foundation == "":
		return missed("nobody looked at the hosting foundation", "enter the hosting foundation in the catalogue")
	case !recorded:
		in.rests(audit.GradeThirdParty)
		m := untold("hosted by "+clip(in.p.Foundation)+" by the catalogue; not read: the records of the foundation", "read the records of "+clip(in.p.Foundation))
		m.Interval, m.Value, m.Origins = audit.Between(half, audit.Full), clip(in.p.Foundation), []audit.Origin{in.catalogue()}
		return m
	}
	in.rests(in.e.Governance.Grade)
	return passed(clip(in.p.Foundation), "hosted by "+clip(in.p.Foundation), in.catalogue())
}

// codeOfConduct (OC-09, scs-0008 FO-3.1) asks: is there a code of conduct?
// Measured: a document anywhere in the repository, what the forge shows of the repository or its owner, or the code of
// conduct of its team or foundation by their records.
// Misleads: as OC-06.
func codeOfConduct(in *input) scoring.Measurement {
	return in.find(document("code-of-conduct"), "code of conduct", []place{
		ofForge("code of conduct", func(h scoring.Home) audit.Fact[bool] { return h.CodeOfConduct }),
		lent("code of conduct", func(g scoring.Governance) audit.Fact[string] { return g.CodeOfConduct }, asIs),
	})
}

// publicChannels (OC-10, scs-0008 FO-3.3) asks: does the project name public channels with an archive?
// Measured: hosts in the README that serve public archives: mailing lists, forums, discussion groups; a mailing list whose
// archive was read for the patches on it; channels that the foundation lends to its projects.
// Misleads: the channel is named, not read; chats and trackers do not count; documents beside the README are not read.
func publicChannels(in *input) scoring.Measurement {
	if c, known := in.e.Changes.Get(); known && c.Forge == "mail" && !in.e.Changes.Declared {
		in.rests(in.e.Changes.Grade)
		return in.count(1, more, "changes are discussed on a mailing list with a public archive", orOrigin(firstOrigins(in.e.Changes), in.at(""))...)
	}
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	var channels []string
	for _, host := range t.ReadmeLinks {
		if archived(host) {
			channels = append(channels, strings.ToLower(host))
		}
	}
	slices.Sort(channels)
	channels = slices.Compact(channels)
	if len(channels) == 0 {
		answer, unread := in.beside([]place{lent("public channel", func(g scoring.Governance) audit.Fact[string] { return g.Channels }, asIs)})
		if answer.Outcome == audit.PASS {
			return in.count(1, more, answer.Reason, answer.Origins...)
		}
		return in.nowhere("the README names no archived public channel", slices.Concat([]string{"the documentation"}, in.unreadPlaces(), unread, in.readmePlaces(t, "contribut")))
	}
	m = in.count(len(channels), more, "the README names "+names(channels), in.at(""))
	if m.Outcome == audit.PASS {
		return m
	}
	return lowerBound(m, "the documentation was not read", "read the documentation")
}

// archived reports whether a host serves public archives of discussions, by its name.
func archived(host string) bool {
	host = strings.ToLower(host)
	for _, prefix := range []string{"lists.", "list.", "groups.", "forum.", "forums.", "discuss.", "discourse.", "lore."} {
		if strings.HasPrefix(host, prefix) {
			return true
		}
	}
	return host == "groups.io" || strings.HasSuffix(host, ".groups.io")
}

// regions (OC-11, scs-0008 FO-2.1) asks: does the work come from more than one part of the world?
// Measured: bands of UTC offsets of author dates, at least four hours apart. It never fails.
// Misleads: offsets are what a computer is set to; one band holds Europe and Africa.
func regions(in *input) scoring.Measurement {
	h, w, m, ok := in.active()
	if !ok {
		return m
	}
	return in.bounded(h, in.count(w.OffsetBands, more, fmt.Sprintf("%s of UTC offsets in %s", plural(w.OffsetBands, "band"), plural(in.rule.Window, "day"))))
}
