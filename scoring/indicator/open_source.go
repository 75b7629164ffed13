package indicator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// openLicence (OS-01, scs-0008 FO-1.1) asks: is the code under a licence that the OSI or the FSF approves, at each
// deployed version? Knock-out: FAIL needs a recognised licence text that is none, or where no text was read a catalogue that
// names closed licences alone for the version.
// Measured: the SPDX expression of the root licence files at the tag of each deployed version; of the evaluated revision
// for a project that is scored outside a stack. The worst version decides. What was not read and is closed in every edition
// by the catalogue, with the source of its row, fails; an open licence of the catalogue is named and passes nothing.
// Misleads: a second licence in a README or a file header is not seen.
func openLicence(in *input) scoring.Measurement {
	versions := in.versions()
	if len(versions) == 0 {
		return in.expected("", missed("the deployed version is not known, so nobody read its licence", "find out the deployed version"))
	}
	var read, expressions []string
	var origins []audit.Origin
	var unknown []scoring.Measurement
	for _, v := range versions {
		facts, m, ok := take(in, in.e.Licences[v], "the licence"+atVersion(v))
		if !ok {
			if m = in.expected(v, m); m.Outcome == audit.FAIL {
				return m
			}
			unknown = append(unknown, m)
			continue
		}
		switch in.classOf(facts.Expression) {
		case licence.Restricted:
			return failed(clip(facts.Expression), clip(facts.Expression)+atVersion(v)+" is not an open licence", in.licenceOrigins(facts)...)
		case licence.OSI, licence.FreeNotOSI:
			expressions = append(expressions, facts.Expression)
			read = append(read, clip(facts.Expression)+atVersion(v))
			origins = append(origins, in.licenceOrigins(facts)...)
		case licence.DocsData:
			unknown = append(unknown, untold(clip(facts.Expression)+atVersion(v)+" is a licence for documents or data; that of the program was not found", "read the licence of the program"))
		default:
			unknown = append(unknown, untold("the licence"+atVersion(v)+" was not recognised", "read the licence files and add the licence to the known ones"))
		}
	}
	if len(unknown) > 0 {
		return worstOf(unknown)
	}
	return passed(names(expressions), "open licence: "+inOrder(read), origins...)
}

// versions returns the deployed versions, sorted, each once; [""] stands for the evaluated revision of a project that no
// stack deploys; empty if a stack deploys it and nobody knows which version.
func (in *input) versions() []string {
	if len(in.p.Versions) == 0 && len(in.p.Links) == 0 {
		return []string{""}
	}
	sorted := slices.Clone(in.p.Versions)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func atVersion(v string) string {
	if v == "" {
		return " at the evaluated revision"
	}
	return " at version " + clip(v)
}

func (in *input) licenceOrigins(facts scoring.LicenceFacts) []audit.Origin {
	origins := in.files(byPath(facts.Files))
	if len(origins) == 0 {
		origins = []audit.Origin{in.at("")}
	}
	for i := range origins {
		origins[i].Commit = facts.Commit
		if facts.Commit != in.e.Revision {
			origins[i].At = time.Time{} // the day of another commit is not known here
		}
	}
	return origins
}

// worstOf returns the first MISS, else the first.
func worstOf(unknown []scoring.Measurement) scoring.Measurement {
	for _, m := range unknown {
		if m.Outcome == audit.MISS {
			return m
		}
	}
	return unknown[0]
}

// licenceFile (OS-02, scs-0008 FO-1.3) asks: does a licence file stand at the standard place, the root or LICENSES/?
// Measured: file names. No other place is standard, so the repository alone decides.
// Misleads: the file may be empty or say something else; OS-01 reads it.
func licenceFile(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	if len(t.LicenceFiles) == 0 {
		return failed("no", "no licence file at the root or below LICENSES/", in.at(""))
	}
	files := byPath(t.LicenceFiles)
	return passed(clip(files[0].Path), "licence file: "+listed(files), in.files(files)...)
}

// licenceOfFiles (OS-03, scs-0008 FO-1.3) asks: does each source file say its licence?
// Measured: source files whose first 2 KiB hold an SPDX line or the opening words of a well-known licence notice (Apache,
// GNU, MIT, BSD, MPL, ISC, EPL, or one that points to the licence file), or REUSE coverage of the tree, of all source files.
// Evidence that counted SPDX lines alone gives the least number: it can pass, and cannot fail.
// Misleads: generated and vendored files count; a notice in other words does not, and one that a file only quotes does.
func licenceOfFiles(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	switch {
	case !ok:
		return m
	case t.SourceFiles == 0:
		return notApplicable("the repository has no source files")
	case t.REUSE:
		return passed("1.00", "REUSE covers the tree", in.at(""))
	}
	_, noticed := t.LicenceNotices.Get()
	_, lined := t.SPDXHeaders.Get()
	if !noticed && lined {
		return in.spdxAlone(t)
	}
	said, m, ok := take(in, t.LicenceNotices, "the headers of the source files")
	if !ok {
		return m
	}
	by := ""
	if marked, known := t.SPDXHeaders.Get(); known && !t.SPDXHeaders.Declared {
		if marked < 0 || marked > said {
			return untold("the recorded file counts contradict themselves", "collect the evidence again")
		}
		by = fmt.Sprintf(", %d of them by an SPDX line", marked)
	}
	if said < 0 || said > t.SourceFiles {
		return untold("the recorded file counts contradict themselves", "collect the evidence again")
	}
	return in.ratio(said, t.SourceFiles, more, fmt.Sprintf("%d of %s name their licence (%s)%s",
		said, plural(t.SourceFiles, "source file"), percentOf(said, t.SourceFiles), by), in.at(""))
}

// spdxAlone judges evidence that says of the licences of source files only how many have an SPDX line: at least so many name
// their licence, and perhaps all.
func (in *input) spdxAlone(t scoring.Tree) scoring.Measurement {
	marked, m, ok := take(in, t.SPDXHeaders, "the headers of the source files")
	switch {
	case !ok:
		return m
	case marked < 0 || marked > t.SourceFiles:
		return untold("the recorded file counts contradict themselves", "collect the evidence again")
	}
	low := share(marked, t.SourceFiles)
	m = judgeBetween(low, whole(audit.Full), in.rule, more).answer(decimal(low.basisPoints())+"..1.00", fmt.Sprintf(
		"%d of %s name their licence by an SPDX line (%s)%s", marked, plural(t.SourceFiles, "source file"), percentOf(marked, t.SourceFiles), in.needed(more)), in.at(""))
	if m.Outcome == audit.DNF {
		m.Reason += "; notices in other words were not counted"
		m.Settle = []string{"collect the evidence again, which counts the notices in the source files"}
	}
	return m
}

// openCore (OS-04, scs-0008 FO-1.2) asks: is any part of the product under a closed licence? Knock-out.
// Measured: at each deployed version, licence files below the root, licences of further editions in the tree, SPDX lines of
// source files (of the evaluated revision; at versions those below ee/, enterprise/ and the like), and the editions that the
// catalogue tells apart. A closed licence in a product path fails, and so does a closed edition of the rights holder beside
// the open one; in vendored code, tests or documents it counts half. An unrecognised one leaves the answer open.
// Misleads: of large trees only a sample of the headers is read; a closed edition that neither the repository nor the
// catalogue names is not seen.
func openCore(in *input) scoring.Measurement {
	versions := in.versions()
	if len(versions) == 0 {
		if sold := in.soldEditions(""); len(sold) > 0 {
			return in.soldBeside(sold, nil, "", "")
		}
		return missed("the deployed version is not known, so nobody looked at its parts", "find out the deployed version")
	}
	answers := make([]scoring.Measurement, 0, len(versions))
	for _, v := range versions {
		parts, commit, m, ok := in.parts(v)
		switch sold := in.soldEditions(v); {
		case len(sold) > 0:
			m = in.soldBeside(sold, parts, commit, v)
		case ok:
			m = in.closedParts(parts, commit, v)
		}
		answers = append(answers, m)
	}
	return worstVersion(answers)
}

// restrictedEdition (OS-05, scs-0008 FO-1.2) asks: is the open version limited in favour of another edition?
// Measured: signs in the README and the documentation of the repository (an edition beside the open one, functions that only
// another edition has, a licence key, prices, a table of editions), agreements with end users in the tree, and the editions
// that the catalogue tells apart. An edition of the rights holder that the catalogue names as closed fails. Signs alone
// confirm nothing: whether needed functions are withheld has to be stated. No sign passes, and so do signs in a project that
// a foundation holds: nobody there holds all rights, so that such editions are builds of others. Where the licence of the
// repository or of a part of it is closed, or that of a part was not recognised, nothing passes.
// Misleads: pages of the vendor outside the repository are not read.
func restrictedEdition(in *input) scoring.Measurement {
	for _, v := range append(in.versions(), "") {
		if sold := in.soldEditions(v); len(sold) > 0 {
			t, _, _ := in.tree()
			m := in.soldBeside(sold, t.SubLicences, in.e.Revision, v)
			m.Value = "no"
			if signs := in.editionSigns(t); len(signs) > 0 {
				m.Reason += "; signs: " + signsListed(signs)
				m.Origins = append(m.Origins, signOrigins(signs)...)
			}
			return m
		}
	}
	return in.told(in.editionsRead(), more, "whether needed functions are kept for another edition")
}

// licenceStability (OS-06, scs-0008 FO-1.1) asks: did the licence stay open over the window? Knock-out: FAIL only if the
// evaluated revision is under a closed licence; a project that left and came back counts half.
// Measured: the licence set of the root licence files after each change, each with its day. A choice of licences one of which
// is open is open, so that a dual licence is no move; one that was closed throughout never moved and fails all the same.
// Misleads: a licence that changed in file headers alone is not seen.
func licenceStability(in *input) scoring.Measurement {
	states, m, ok := take(in, in.e.LicenceHistory, "the history of the licence")
	switch {
	case !ok:
		return m
	case len(states) == 0:
		return untold("no licence file was found in the history", "name the licence file")
	}
	states = inTime(states)
	last := states[len(states)-1]
	origin := in.at("")
	origin.Commit, origin.At = last.Commit, last.From
	switch licence.ClassOf(last.Expression) {
	case licence.Restricted:
		return failed("1", "closed licence since "+day(closedSince(states).From)+": "+clip(last.Expression)+pastOf(states), moves(in, states, origin)...)
	case licence.OSI, licence.FreeNotOSI:
	default:
		return untold("the licence since "+day(last.From)+" was not recognised", "read the licence files and add the licence to the known ones")
	}
	switch left, unsure := movedAway(states); {
	case left:
		return partly("1", "left the open licences"+wayBack(states), moves(in, states, origin)...)
	case unsure:
		m := untold("a licence of the past was not recognised", "read the licence files of the past")
		m.Interval = audit.Between(half, audit.Full)
		return m
	}
	if m, ok := in.reachesBack(states[0].From); !ok {
		m.Interval = audit.Interval{}
		return m
	}
	return passed("0", fmt.Sprintf("open licence throughout %s: %s", plural(in.rule.Window, "day"), clip(last.Expression)), origin)
}

// reachesBack reports whether a history that begins at that moment covers the window, or the whole life of the project.
func (in *input) reachesBack(from time.Time) (scoring.Measurement, bool) {
	if !in.e.AssessedAt.IsZero() && in.days(from) >= in.rule.Window {
		return scoring.Measurement{}, true
	}
	h, m, ok := in.history()
	if ok && h.Shallow {
		return untold("the clone does not reach back to the first commit", "read a full clone"), false
	}
	return m, ok
}

// inTime returns the states oldest first.
func inTime(states []scoring.LicenceState) []scoring.LicenceState {
	sorted := slices.Clone(states)
	slices.SortStableFunc(sorted, func(a, b scoring.LicenceState) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return strings.Compare(a.Commit, b.Commit)
	})
	return sorted
}

// movedAway reports whether the licence went from open to closed in states, oldest first; unsure if an unrecognised one
// might hide such a move.
func movedAway(states []scoring.LicenceState) (left, unsure bool) {
	open, hidden := false, false
	for _, s := range states {
		switch licence.ClassOf(s.Expression) {
		case licence.OSI, licence.FreeNotOSI:
			open = true
		case licence.Restricted:
			if open {
				return true, false
			}
			unsure = unsure || hidden // what was hidden may have been open
		default:
			hidden = true
			unsure = unsure || open // what was open may have become closed
		}
	}
	return false, unsure
}

// isOpen and isShut are the two sides that a licence may be on; what was not recognised is on neither. A choice that holds an open
// licence is open: offering further terms beside it is no move.
func isOpen(s scoring.LicenceState) bool {
	class := licence.ClassOf(s.Expression)
	return class == licence.OSI || class == licence.FreeNotOSI
}

func isShut(s scoring.LicenceState) bool { return licence.ClassOf(s.Expression) == licence.Restricted }

// closedSince returns the first of the closed states that last until today.
func closedSince(states []scoring.LicenceState) scoring.LicenceState {
	at := len(states) - 1
	for at > 0 && isShut(states[at-1]) {
		at--
	}
	return states[at]
}

// pastOf tells what was before a licence that is closed today: it moved away, or was never open as far as is known.
func pastOf(states []scoring.LicenceState) string {
	for _, s := range slices.Backward(states) {
		if isOpen(s) {
			return "; before that " + clip(s.Expression) + " from " + day(s.From)
		}
	}
	if slices.ContainsFunc(states, func(s scoring.LicenceState) bool { return !isShut(s) }) {
		return "; what was before was not recognised"
	}
	return "; never open since " + day(states[0].From)
}

// wayBack tells when the licence left the open ones, for what, and when it came back.
func wayBack(states []scoring.LicenceState) string {
	var b strings.Builder
	open := false
	for _, s := range states {
		switch {
		case isShut(s) && open:
			fmt.Fprintf(&b, " on %s for %s", day(s.From), clip(s.Expression))
			open = false
		case isOpen(s) && !open:
			if b.Len() > 0 {
				fmt.Fprintf(&b, " and came back on %s to %s,", day(s.From), clip(s.Expression))
			}
			open = true
		}
	}
	return strings.TrimSuffix(b.String(), ",")
}

// moves are the commits at which the licence changed sides, the newest last; at least the one given.
func moves(in *input, states []scoring.LicenceState, last audit.Origin) []audit.Origin {
	var out []audit.Origin
	for i, s := range states {
		if i > 0 && isOpen(s) != isOpen(states[i-1]) && len(out) < mostSigns {
			o := in.at("")
			o.Commit, o.At = s.Commit, s.From
			out = append(out, o)
		}
	}
	if len(out) == 0 {
		return []audit.Origin{last}
	}
	return out
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// contributorTerms (OS-07, scs-0008 FO-1.4, LR-2) asks: do the terms for contributors keep the project open?
// Measured: agreements and contribution guides in the repository, and with whom they are; what makes a machine ask for a
// signature; the share of signed-off commits; and section 5 of Apache-2.0, which takes contributions under the same licence,
// where a foundation holds the project. DCO, inbound = outbound and an agreement with a foundation pass; one with a company
// counts half unless it promises to stay open; copyright assignment to a company fails.
// Misleads: an agreement that only a bot on the forge asks for is not seen; with whom it is, is read from names.
func contributorTerms(in *input) scoring.Measurement {
	m := in.termsRead()
	if m.Interval.Known() || m.Outcome == audit.MISS && in.e.Failure != "" {
		return m
	}
	return in.toldTerms(m)
}

// signOff (OS-08, scs-0008 FO-1.4) asks: are the changes signed off, where the project demands it?
// Measured: human commits of the window with a Signed-off-by trailer. NA if the repository neither holds a certificate of
// origin nor mentions one; where a contribution guide only mentions it, nobody knows whether it is demanded, and a low
// share does not fail.
// Misleads: a squash merge may drop trailers.
func signOff(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	guides := guidesOn(t, "dco")
	claimed := len(t.Documents["dco"]) > 0
	if !claimed && len(guides) == 0 {
		return notApplicable("the repository does not claim a developer certificate of origin")
	}
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	m = in.ratio(w.SignedOff, w.HumanCommits, more, fmt.Sprintf("%s of %s in %s are signed off",
		percentOf(w.SignedOff, w.HumanCommits), plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day")))
	if !claimed && m.Outcome != audit.PASS {
		return lowerBound(m, listed(guides)+" mentions it, but whether it is demanded is not known", "find out whether the project demands it")
	}
	return in.bounded(h, m)
}

// patentGrants are the licences whose text grants patent rights from each contributor.
// Source: the licence texts, sections on patents.
func patentGrants(id string) bool {
	for _, family := range []string{"Apache-2.0", "MPL-2.0", "EPL-", "GPL-3.0", "LGPL-3.0", "AGPL-3.0", "BSD-2-Clause-Patent",
		"CDDL-", "ECL-2.0", "AFL-3.0", "OSL-3.0", "EUPL-1.2", "MS-PL", "MS-RL", "MulanPSL-2.0", "UPL-1.0", "CPL-1.0", "CAL-1.0"} {
		if strings.HasPrefix(id, family) {
			return true
		}
	}
	return false
}

// patents (OS-09, scs-0008 FO-1.4) asks: are patents and trademarks dealt with?
// Measured: a licence all of whose parts grant patent rights, or a notice, trademark or patent document.
// Misleads: a policy that the foundation holds for all its projects is not read; a notice may say nothing about either.
func patents(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	for _, topic := range []string{"patents", "trademark", "notice"} {
		if found := byPath(t.Documents[topic]); len(found) > 0 {
			return passed(clip(found[0].Path), "stated in "+listed(found), in.files(found)...)
		}
	}
	facts, m, ok := take(in, in.e.Licences[""], "the licence at the evaluated revision")
	if !ok {
		return m
	}
	expression, err := licence.Parse(facts.Expression)
	ids := expression.IDs()
	if err == nil && len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !patentGrants(id) }) {
		return passed(clip(facts.Expression), clip(facts.Expression)+" grants patent rights", in.licenceOrigins(facts)...)
	}
	return in.absent(t, missing(t, "notice, trademark or patent document")+", and no patent grant in the licence")
}

// dependencies (OS-10, scs-0008 FO-1.1) asks: are all runtime dependencies under open licences?
// Measured: the packages in the artifacts of the stack that hold the project, by the licences in their SBOMs. One under a
// restricted licence fails; one whose licence is not known leaves the answer open.
// Misleads: an image holds packages of the base system that the project does not need; a static binary hides some.
func dependencies(in *input) scoring.Measurement {
	d, m, ok := take(in, in.p.Deployed, "the packages in the artifacts that hold it")
	switch {
	case !ok:
		return m
	case !plausible(d.Dependencies, d.Unread) || len(d.Closed)+d.Unread > d.Dependencies:
		return untold("the recorded dependencies contradict themselves", "collect the stack again")
	case len(d.Closed) > 0:
		return in.count(len(d.Closed), less, fmt.Sprintf("restricted licence in %s of %s: %s", plain(len(d.Closed)), dependenciesOf(d.Dependencies), names(d.Closed)), firstOrigins(in.p.Deployed)...)
	case d.Dependencies == 0:
		return untold("no package was found in the artifacts that hold it", "give their contents as an image:, registry: or sbom: source")
	case d.Unread > 0:
		return untold(fmt.Sprintf("the licence of %d of %s is not known", d.Unread, dependenciesOf(d.Dependencies)), "find out these licences: name places under licences: in the stack file")
	}
	return in.count(0, less, "open licences in all of "+dependenciesOf(d.Dependencies), firstOrigins(in.p.Deployed)...)
}

func dependenciesOf(n int) string {
	if n == 1 {
		return "1 dependency"
	}
	return fmt.Sprintf("%d dependencies", n)
}
