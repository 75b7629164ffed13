package indicator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// Open core means: the rights holder withholds functions that users need from the version under an open licence, and gives
// them out under other terms. It is not open core if others sell support, builds or additions, nor if the rights holder sells
// support for the same code. Four Opens and scs-0008 FO-1.2 rule it out.
//
// What can be read decides: a part, a source file or an edition under terms that are not open is positive evidence (OS-04).
// Words about editions are signals that are listed one by one, with path and line; whether the functions behind them are
// withheld, and needed, only a person can say (OS-05).

// soldEditions returns the editions at a version that are not open, if an open one exists beside them. Without an open one
// the licence itself is the question (OS-01).
func (in *input) soldEditions(version string) []scoring.Edition {
	editions, _ := in.p.Editions.Get()
	var sold []scoring.Edition
	open := false
	for _, e := range editions {
		switch {
		case !e.Holds(version):
		case e.Open:
			open = true
		case licence.ClassOf(e.Licence) != licence.OSI:
			sold = append(sold, e)
		}
	}
	if !open || in.p.Editions.Declared {
		return nil
	}
	return sold
}

// soldBeside fails because of closed editions; parts that are closed in the repository are named with them.
func (in *input) soldBeside(sold []scoring.Edition, parts []scoring.SubLicence, commit, version string) scoring.Measurement {
	in.rests(in.p.Editions.Grade)
	named := make([]string, len(sold))
	for i, e := range sold {
		named[i] = fmt.Sprintf("%q under %s (%s)", clip(e.Name), clip(e.Licence), clip(e.Source))
	}
	reason := "beside the open edition" + atVersion(version) + " the rights holder gives out " + inOrder(named)
	origins := slices.Clone(in.p.Editions.Origins)
	if len(origins) == 0 {
		origins = []audit.Origin{in.catalogue()}
	}
	closed, _, _, _ := sorted(parts, in.classOf)
	if len(closed) > 0 {
		reason += "; the repository holds closed terms in " + listed(byPath(closed))
		origins = append(origins, in.licenceOrigins(scoring.LicenceFacts{Commit: commit, Files: closed})...)
	}
	return failed(fmt.Sprint(len(sold)+len(closed)), reason, origins...)
}

// parts returns the licence files below the root at a version.
func (in *input) parts(version string) (parts []scoring.SubLicence, commit string, m scoring.Measurement, ok bool) {
	what := "the licences of parts" + atVersion(version)
	if facts, known := in.e.Licences[version].Get(); known && facts.Parts.Unknown() != audit.MISS {
		parts, m, ok = take(in, facts.Parts, what)
		return parts, facts.Commit, m, ok
	}
	releases, _ := in.e.Releases.Get()
	if version != "" && (in.e.Revision == "" || releases.TagOf[version].Commit != in.e.Revision) {
		unread := audit.Fact[int]{}
		if in.e.Failure == "" {
			unread.Settle = "read the tree at the tag of version " + version
		}
		_, m, _ = take(in, unread, what)
		return nil, "", m, false
	}
	t, m, ok := in.tree()
	return t.SubLicences, in.e.Revision, m, ok
}

// sorted tells parts apart: closed ones of the product, closed ones of others, and those that nobody could read; doubtful
// says that an unread one may be of the product.
func sorted(parts []scoring.SubLicence, classOf func(string) licence.Class) (closed, vendored, unread []scoring.Document, doubtful bool) {
	for _, p := range parts {
		product := p.Product || !p.Vendored
		class := classOf(p.Expression)
		shut := class == licence.Restricted || class == licence.Unknown && slices.Contains(p.Marks, "end-user-agreement")
		switch {
		case shut && product:
			closed = append(closed, p.Document)
		case shut:
			vendored = append(vendored, p.Document)
		case class == licence.Unknown:
			unread = append(unread, p.Document)
			doubtful = doubtful || product
		}
	}
	return closed, vendored, unread, doubtful
}

// closedParts judges the parts that have terms of their own.
func (in *input) closedParts(parts []scoring.SubLicence, commit, version string) scoring.Measurement {
	closed, vendored, unread, doubtful := sorted(parts, in.classOf)
	origins := func(docs []scoring.Document) []audit.Origin {
		return in.licenceOrigins(scoring.LicenceFacts{Commit: commit, Files: docs})
	}
	switch {
	case len(closed) > 0:
		return failed(fmt.Sprint(len(closed)), "closed terms"+atVersion(version)+" in "+listed(byPath(closed)), origins(closed)...)
	case doubtful, len(unread) > 0 && len(vendored) == 0:
		m := untold("licence"+atVersion(version)+" not recognised in "+listed(byPath(unread)), "read "+clip(byPath(unread)[0].Path))
		if !doubtful {
			m.Interval = audit.Between(half, audit.Full) // vendored parts can cost half at most
		}
		return m
	case len(vendored) > 0:
		return partly(fmt.Sprint(len(vendored)), "closed licence"+atVersion(version)+" in vendored code only: "+listed(byPath(vendored)), origins(vendored)...)
	}
	return passed("0", "no part under a closed licence"+atVersion(version), origins(nil)...)
}

// worstVersion joins the answers for all deployed versions of one project: the worst outcome decides. The interval of a DNF
// reaches from the worst low end to the worst high end.
func worstVersion(answers []scoring.Measurement) scoring.Measurement {
	worst, low, high := answers[0], audit.Full, audit.Full
	for _, m := range answers {
		if m.Outcome != worst.Outcome && audit.Worst(m.Outcome, worst.Outcome) == m.Outcome {
			worst = m
		}
		low, high = min(low, m.Interval.Low()), min(high, m.Interval.High())
	}
	if worst.Outcome != audit.DNF {
		return worst
	}
	if at := slices.IndexFunc(answers, func(m scoring.Measurement) bool { return m.Outcome == audit.PART }); at >= 0 && low == high {
		return answers[at] // what is not known of the others can cost no more than this
	}
	worst.Interval = audit.Between(low, high)
	return worst
}

// editionsRead judges what the repository says about editions.
func (in *input) editionsRead() scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	read, m, ok := take(in, t.Prose, "the README and the documentation")
	switch {
	case !ok:
		return m
	case !plausible(read):
		return untold("the recorded documents contradict themselves", "collect the evidence again")
	}
	signs := in.editionSigns(t)
	if facts, known := in.e.Licences[""].Get(); known && licence.ClassOf(facts.Expression) == licence.Restricted {
		m = untold("the licence of the repository itself is closed ("+clip(facts.Expression)+"), so that no open version is seen that another one could limit", "find out whether there is a version under an open licence")
		m.Origins = append(in.licenceOrigins(facts), signOrigins(signs)...)
		return m
	}
	closed, _, unread, doubtful := sorted(t.SubLicences, in.classOf)
	held := len(closed) == 0 && in.held() == yes
	_, licensed := in.e.Licences[""].Get()
	switch {
	case !licensed && len(signs) == 0:
		return untold("no sign of a restricted edition in "+plural(read, "document")+", but the licence of the repository was not read", "read the licence of the repository")
	case len(signs) == 0 && doubtful && !held:
		m = untold("no sign of a restricted edition in "+plural(read, "document")+", but the licence of parts was not recognised: "+listed(byPath(unread)), "read "+clip(byPath(unread)[0].Path))
		m.Origins = in.files(byPath(unread))
		return m
	case len(signs) == 0 && read == 0:
		return untold("the repository has no README and no documentation to read about editions", "read the pages of the project")
	case len(signs) == 0:
		return passed("yes", fmt.Sprintf("no sign of a restricted edition in %s", plural(read, "document")), in.at(""))
	case held:
		m = passed("yes", fmt.Sprintf("hosted by %s, so that editions are builds of others: %s", clip(in.p.Foundation), signsListed(signs)), in.catalogue())
		m.Origins = append(m.Origins, signOrigins(signs)...)
		return m
	}
	m = untold("signs of another edition: "+signsListed(signs)+"; nobody says whether functions that users need are kept for it",
		"state whether needed functions are missing in the open version (OS-05: true if none are), "+saying)
	m.Origins = signOrigins(signs)
	return m
}

// editionSign is one line that speaks of another edition.
type editionSign struct {
	kind   string
	origin audit.Origin
}

// signWords are the kinds of signs in words, as scoring/gitlog writes them. Paid releases are shown, and no sign: who pays
// for support gets no other functions.
var signWords = []struct{ kind, words string }{
	{"withheld", "functions of another edition"}, {"end-user-agreement", "agreement with end users"}, {"closed-licence", "parts under a closed licence"},
	{"feature-table", "table of editions"}, {"licence-key", "licence key"}, {"edition", "another edition"}, {"pricing", "prices"},
}

// editionSigns lists the signs in the repository, the gravest first, then by path and line.
func (in *input) editionSigns(t scoring.Tree) []editionSign {
	var out []editionSign
	add := func(d scoring.Document, kind string, line int) {
		o := in.at(d.Path)
		o.Digest, o.Line = d.Digest, line
		out = append(out, editionSign{kind, o})
	}
	for _, d := range t.Documents["editions"] {
		for _, mark := range d.Marks {
			kind, number, _ := strings.Cut(mark, ":")
			if line, err := strconv.Atoi(number); err == nil && line > 0 && plausible(line) && signRank(kind) >= 0 {
				add(d, kind, line)
			}
		}
	}
	for _, p := range t.SubLicences {
		switch {
		case slices.Contains(p.Marks, "end-user-agreement") && !p.Vendored:
			add(p.Document, "end-user-agreement", 0)
		case licence.ClassOf(p.Expression) == licence.Restricted && (p.Product || !p.Vendored):
			add(p.Document, "closed-licence", 0)
		}
	}
	slices.SortFunc(out, func(a, b editionSign) int {
		return cmp.Or(cmp.Compare(signRank(a.kind), signRank(b.kind)), cmp.Compare(strings.Count(a.origin.Path, "/"), strings.Count(b.origin.Path, "/")),
			cmp.Compare(a.origin.Path, b.origin.Path), cmp.Compare(a.origin.Line, b.origin.Line))
	})
	return out
}

func signRank(kind string) int {
	for i, w := range signWords {
		if w.kind == kind {
			return i
		}
	}
	return -1
}

func signsListed(signs []editionSign) string {
	texts := make([]string, len(signs))
	for i, s := range signs {
		texts[i] = s.origin.Path
		if s.origin.Line > 0 {
			texts[i] += fmt.Sprintf(":%d", s.origin.Line)
		}
		texts[i] = clip(texts[i]) + " (" + signWords[signRank(s.kind)].words + ")"
	}
	return inOrder(texts)
}

// mostSigns is how many signs are given with their places.
const mostSigns = 20

func signOrigins(signs []editionSign) []audit.Origin {
	out := make([]audit.Origin, 0, min(mostSigns, len(signs)))
	for _, s := range signs[:min(mostSigns, len(signs))] {
		out = append(out, s.origin)
	}
	return out
}
