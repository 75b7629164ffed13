package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// terms are what contributors agree to.
type terms string

const (
	termsUnknown terms = ""
	termsDCO     terms = "dco"              // certificate of origin: everybody keeps the rights, nobody can relicense alone
	termsSame    terms = "inbound-outbound" // contributions come in under the licence that the project goes out under
	termsHeld    terms = "cla-foundation"   // agreement with a foundation
	termsSold    terms = "cla-company"      // agreement with a company
	termsPromise terms = "cla-stays-open"   // agreement with a company that promises to keep it open
	termsGiven   terms = "assignment"       // copyright goes to a company
	termsAny     terms = "cla-somebody"     // an agreement, nobody knows with whom
)

func (in *input) termsRead() scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	kind, found, why := in.terms(t)
	switch kind {
	case termsDCO:
		return passed("DCO", "developer certificate of origin: "+listed(found), in.files(found)...)
	case termsSame:
		return passed("inbound = outbound", why, in.files(found)...)
	case termsHeld:
		return passed("CLA to a foundation", "contributor agreement with a foundation: "+why, append(in.files(found), in.catalogue())...)
	case termsPromise:
		return passed("CLA to a company", "contributor agreement with a company that promises to keep the project open: "+why, in.files(found)...)
	case termsSold:
		return partly("CLA to a company", "contributor agreement with a company: "+why, in.files(found)...)
	case termsGiven:
		return failed("assignment", "copyright assignment to a company: "+why, in.files(found)...)
	case termsAny:
		m := untold("contributor agreement, but who holds it is not known: "+why, "read with whom contributors sign: "+why)
		m.Origins = in.files(found)
		if len(t.Documents["cla"]) > 0 && !slices.ContainsFunc(found, func(d scoring.Document) bool { return slices.Contains(d.Marks, "assignment") }) {
			m.Interval = audit.Between(half, audit.Full) // an agreement that assigns nothing costs half at most
		}
		return m
	}
	enough, m, ok := in.number("sign_off_bp")
	if !ok {
		return m
	}
	_, w, m, ok := in.whole()
	if !ok {
		return m
	}
	if share(w.SignedOff, w.HumanCommits).compare(enough) >= 0 {
		return passed("DCO", fmt.Sprintf("%s of the human commits in %s are signed off, %s needed",
			percentOf(w.SignedOff, w.HumanCommits), plural(in.rule.Window, "day"), percent(enough)))
	}
	return untold(fmt.Sprintf("no contributor agreement and no certificate of origin in the repository, and %s of the human commits are signed off; not read: the bots of the forge",
		percentOf(w.SignedOff, w.HumanCommits)), "state the terms for contributors, "+saying)
}

// terms reads the terms for contributors from the tree, with the documents that show them.
func (in *input) terms(t scoring.Tree) (kind terms, found []scoring.Document, why string) {
	if cla := byPath(t.Documents["cla"]); len(cla) > 0 {
		return in.agreement(cla, true)
	}
	if asked := append(guidesOn(t, "cla"), byPath(t.Tools["cla-bot"])...); len(asked) > 0 {
		return in.agreement(asked, false)
	}
	for _, dco := range [][]scoring.Document{byPath(t.Documents["dco"]), byPath(t.Tools["dco-bot"])} {
		if len(dco) > 0 {
			return termsDCO, dco, listed(dco)
		}
	}
	if same := guidesOn(t, "inbound-outbound"); len(same) > 0 {
		return termsSame, same, "contributions come in under the licence of the project: " + listed(same)
	}
	facts, ok := in.e.Licences[""].Get()
	if ok && facts.Expression == "Apache-2.0" && in.held() == yes {
		return termsSame, facts.Files, "section 5 of Apache-2.0 takes contributions under the same licence, the repository asks for nothing else, and the foundation " +
			clip(in.p.Foundation) + " hosts it"
	}
	return termsUnknown, nil, ""
}

// held reports whether a foundation hosts the project. The catalogue tells of today: where the list of the foundation, as it
// was on the day that is judged, does not name the project, it is not known.
func (in *input) held() truth {
	switch {
	case in.p.Foundation == "none":
		return no
	case in.p.Foundation == "", in.denied():
		return unknown
	}
	return yes
}

// agreement judges an agreement by who holds it: by the names in it, where they leave no doubt, else by the foundation that
// the catalogue names. Of one whose text is not in the repository only the names in the guide count.
func (in *input) agreement(docs []scoring.Document, text bool) (terms, []scoring.Document, string) {
	marks := func(mark string) bool {
		return slices.ContainsFunc(docs, func(d scoring.Document) bool { return slices.Contains(d.Marks, mark) })
	}
	foundation, company := marks("holder:foundation") || marks("easycla"), marks("holder:company")
	if foundation == company { // neither, or both
		foundation, company = text && in.held() == yes, text && in.held() == no
	}
	switch why := listed(docs); {
	case foundation && !company, in.held() == yes && foundation:
		return termsHeld, docs, why
	case in.held() == yes || !company:
		return termsAny, docs, why
	case marks("assignment"):
		return termsGiven, docs, why
	case marks("stays-open"):
		return termsPromise, docs, why
	default:
		return termsSold, docs, why
	}
}

// toldTerms answers from a statement of the terms where nothing could be read.
func (in *input) toldTerms(measured scoring.Measurement) scoring.Measurement {
	s, why := in.statement()
	if s == nil {
		if why != nothing {
			measured.Reason += "; " + why
		}
		return measured
	}
	reason := fmt.Sprintf("%s on %s: %s", speaker(s.By), day(s.At), clip(s.Value))
	m := untold(reason+", which is none of dco, inbound-outbound, cla-foundation, cla-stays-open, cla-company, assignment", "state one of these")
	switch terms(strings.TrimSpace(s.Value)) {
	case termsDCO, termsSame, termsHeld, termsPromise:
		m = passed(clip(s.Value), reason)
	case termsSold:
		m = partly(clip(s.Value), reason)
	case termsGiven:
		m = failed(clip(s.Value), reason)
	}
	return in.declare(m, *s, measured.Settle)
}

// declare marks an answer as a statement. What only the operator says leaves it open until an auditor accepts it.
func (in *input) declare(m scoring.Measurement, s scoring.Statement, settle []string) scoring.Measurement {
	in.grade = ""
	m.Declared, m.Grade = true, audit.GradeDeclared
	origin := s.Origin
	if origin.Source == "" {
		origin.Source = "statement"
	}
	if origin.URL == "" {
		origin.URL = s.Source
	}
	if origin.At.IsZero() {
		origin.At = s.At
	}
	m.Origins = []audit.Origin{origin}
	if s.By == scoring.ByOperator {
		m.Outcome, m.Interval, m.Grade = audit.DNF, audit.Interval{}, audit.GradeOperator
		m.Reason += "; tentative: only the operator says so"
		m.Settle = append(slices.Clone(settle), "have an auditor accept it, or the project say so at a public address")
	}
	return m
}

// guidesOn returns the contribution guides that mention a topic (cla, dco). A mention is no claim: a guide may say that
// something is not needed.
func guidesOn(t scoring.Tree, topic string) []scoring.Document {
	var docs []scoring.Document
	for _, d := range t.Documents["contributing"] {
		if slices.Contains(d.Marks, topic) {
			docs = append(docs, d)
		}
	}
	return byPath(docs)
}
