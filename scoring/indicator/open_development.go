package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// continuousHistory (OV-01) asks: is the code developed in public, month by month, or dropped now and then?
// Measured: months of the window with human commits. It never fails: a quiet project is no code drop. The share of the
// changed lines that came in the three largest commits is shown where the clone tells, and not judged, because in a quiet
// year any three commits hold most lines.
// Misleads: a large drop beside small commits passes.
func continuousHistory(in *input) scoring.Measurement {
	h, w, m, ok := in.active()
	if !ok {
		return m
	}
	lines := ""
	if d, known := h.CodeDrop.Get(); known && d.Commits > 0 && d.TopThreeBP >= 0 && d.TopThreeBP <= audit.Full {
		lines = fmt.Sprintf(", the three largest of %s hold %s of the changed lines", plural(d.Commits, "commit"), percent(d.TopThreeBP))
	}
	return in.bounded(h, in.count(w.ActiveMonths, more, fmt.Sprintf("human commits in %s of %d%s", plural(w.ActiveMonths, "month"), w.Months, lines)))
}

// review (OV-02, scs-0008 MA-5, SE-4) asks: does somebody else look at a change before it is merged?
// Measured: human commits of the window with evidence of a review in git, of all: trailers, votes in notes, and what a
// Gerrit Change-Id stands for, since Gerrit submits only what was voted on. Git cannot show that there was no review, so
// that this alone is a lower bound. Where it is not enough to pass, what the forge shows of the merged changes counts too:
// approvals by somebody else raise the low end; changes that were merged without one, and came neither around the forge nor
// with a trace in git, lower the high end.
// Misleads: a trailer is a claim; a change of one commit counts like one of twenty.
func review(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	said := fmt.Sprintf("git shows a review of %s of %s in %s", percentOf(w.Reviewed, w.HumanCommits), plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day"))
	if inferred := w.Reviewed - w.Forms.ReviewedBy - w.Forms.AckedBy - w.Forms.Note; w.ChangeID > 0 && inferred > 0 {
		said += fmt.Sprintf(" (that of %s is inferred from the Change-Id of Gerrit, which submits only what was voted on)", plural(min(inferred, w.ChangeID), "commit"))
	}
	m = in.ratio(w.Reviewed, w.HumanCommits, more, said)
	if m.Outcome == audit.PASS {
		return m
	}
	if low, high, seen, ok := in.approved(w); ok {
		shown := decimal(low.basisPoints())
		if high.basisPoints() > low.basisPoints() {
			shown += ".." + decimal(high.basisPoints())
		}
		m = judgeBetween(low, high, in.rule, more).answer(shown, said+"; "+seen+in.needed(more), firstOrigins(in.e.Changes)...)
		if m.Outcome == audit.DNF {
			m.Settle = []string{"read the reviews of all changes"}
		}
		return in.bounded(h, m)
	}
	because := "reviews on the forge were not read"
	if w.PullRequest > 0 {
		because = fmt.Sprintf("%s came by a request, whose reviews on the forge were not read", plural(w.PullRequest, "commit"))
	}
	return lowerBound(m, because, "read the reviews through the forge API")
}

// approved bounds the share of reviewed changes by what the forge shows beside git. Commits that git does not show to have
// come by a request may have gone around the forge: the low end takes them for changes without a review, the high end for
// reviewed ones.
func (in *input) approved(w scoring.Window) (low, high value, seen string, ok bool) {
	_, c, _, ok := in.changes()
	if !ok {
		return low, high, "", false
	}
	reviewed, known := c.Reviewed.Get()
	merged, counted := c.Merged.Get()
	switch {
	case !known || c.Reviewed.Declared || reviewed < 0 || reviewed > c.Sample:
		return low, high, "", false
	case c.Whole:
		merged = c.Sample
	case !counted || c.Merged.Declared || !plausible(merged) || merged < c.Sample:
		return low, high, "", false
	}
	around := max(0, w.HumanCommits-min(w.PullRequest, w.HumanCommits))
	all := merged + around
	if all == 0 {
		return low, high, "", false
	}
	in.rests(c.Reviewed.Grade)
	low = share(reviewed, all)
	if inGit := share(w.Reviewed, w.HumanCommits); low.num*inGit.den < inGit.num*low.den {
		low = inGit
	}
	// What git shows of the changes that nobody approved on the forge may come on top.
	most := ceiling(share(reviewed+merged-c.Sample+around, all)) + ceiling(share(w.Reviewed, w.HumanCommits))
	high = whole(min(audit.Full, most))
	if high.num*low.den < low.num {
		high = low
	}
	return low, high, fmt.Sprintf("the forge shows a review of %d of %s, %s may have gone around it", reviewed, plural(c.Sample, "merged change"), plural(around, "commit")), true
}

// ceiling rounds up.
func ceiling(v value) int { return int((v.num + v.den - 1) / v.den) }

// outsideContributions (OV-03, scs-0008 FO-3.2) asks: are contributions from outside accepted?
// Measured: the share of human commits of the window that the largest organisation did not write, as an interval.
// Misleads: as OC-01.
func outsideContributions(in *input) scoring.Measurement {
	h, w, m, ok := in.whole()
	if !ok {
		return m
	}
	low, high := audit.Full-w.TopOrgHighBP, audit.Full-w.TopOrgLowBP
	return in.bounded(h, in.between(low, high, more, decimal, fmt.Sprintf("%s of %s in %s came from outside the largest organisation%s",
		endsPercent(low, high), plural(w.HumanCommits, "human commit"), plural(in.rule.Window, "day"), named(w.TopOrg)), affiliations))
}

// contributionGuide (OV-04, scs-0008 FO-3.1) asks: is it written down how to contribute?
// Measured: the words of the longest contribution guide in the repository; a short one that links elsewhere
// passes too.
// Misleads: length is no quality; a link may lead to anything.
func contributionGuide(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	guides := byPath(t.Documents["contributing"])
	if len(guides) == 0 {
		return in.absent(t, missing(t, "contribution guide"))
	}
	words := 0
	for _, g := range guides {
		if slices.Contains(g.Marks, "link") {
			return passed(clip(g.Path), clip(g.Path)+" links to more", in.files([]scoring.Document{g})...)
		}
		words = max(words, min(g.Words, mostCount))
	}
	if words == 0 {
		return untold("nobody could read "+listed(guides), "read "+clip(guides[0].Path))
	}
	m = in.count(words, more, fmt.Sprintf("%s in %s", plural(words, "word"), listed(guides)), in.files(guides)...)
	if places := in.unread(t, "contribution guide"); m.Outcome == audit.FAIL && len(places) > 0 {
		return lowerBound(m, "not read: "+strings.Join(places, "; "), "read "+places[0])
	}
	return m
}

// publicCI (OV-08, scs-0008 MA-6) asks: is there CI that anybody can see?
// Measured: CI configuration in the repository, or results of CI that could be read.
// Misleads: whether what is configured runs is not seen; results that nobody could read may exist.
func publicCI(in *input) scoring.Measurement {
	return in.find(tool("ci"), "CI configuration", []place{publicRuns, foundationPages})
}

// publicRuns is the place where the results of CI are read.
func publicRuns(in *input) sight {
	r, known := in.e.Runs.Get()
	switch {
	case !known || in.e.Runs.Declared:
		return sight{unread: "the results of CI"}
	case !in.runs():
		return sight{}
	}
	return sight{answer: passed("yes", fmt.Sprintf("%s of %s could be read", plural(r.Sample, "result"), clip(r.System)), orOrigin(firstOrigins(in.e.Runs), in.at(""))...)}
}

// runs reports whether CI is seen to run.
func (in *input) runs() bool {
	r, known := in.e.Runs.Get()
	if !known || in.e.Runs.Declared || r.Sample <= 0 || !plausible(r.Sample) {
		return false
	}
	in.rests(in.e.Runs.Grade)
	return true
}

// realUpstream (OV-09) asks: was the project read where it is developed? A rule for Pegel more than for the project.
// Measured: the address of the evidence, the catalogue's authoritative and mirror addresses, .gitreview, and what the forge
// says of the repository. A mirror counts half.
// Misleads: a mirror that nobody calls one passes for the source.
func realUpstream(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	read, home := address(in.e.Repo), address(in.p.Repo)
	review := address(t.GerritProject)
	of, said := in.mirrorOf()
	switch {
	case read == "" || !strings.Contains(read, "/"):
		return untold("the address that was read is not known", "read the project from its own address")
	case in.p.Mirror != "" && read == address(in.p.Mirror) && read != home:
		return partly(clip(read), "a mirror was read: "+clip(read), in.at(""))
	case of != "" && address(of) != read:
		return partly(clip(read), clip(read)+" was read, which is a mirror of "+clip(of), said...)
	case review != "" && domain(review) != domain(read):
		return partly(clip(read), "changes are reviewed at "+clip(review)+", and "+clip(read)+" was read", in.at(".gitreview"))
	case review == "" && (in.p.ID == in.p.Repo || read != home):
		m := untold("nobody says that "+clip(read)+" is the authoritative repository", "enter the project in the catalogue")
		m.Interval = audit.Between(half, audit.Full)
		return m
	}
	return passed(clip(read), "read at its source "+clip(read), in.at(""))
}

// mirrorOf is the repository that the one that was read mirrors, by what was found on the way to it or by its forge.
func (in *input) mirrorOf() (of string, said []audit.Origin) {
	if of, ok := in.e.MirrorOf.Get(); ok {
		return of, in.e.MirrorOf.Origins
	}
	home, _ := in.e.Home.Get()
	of, _ = home.MirrorOf.Get()
	return of, home.MirrorOf.Origins
}

// address is a repository address without scheme, user, port and .git, in lower case: host/path.
func address(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	host, _, _ = strings.Cut(host, ":")
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(strings.TrimSuffix(host+"/"+path, "/"))
}

// domain is the last two labels of the host of an address.
func domain(address string) string {
	host, _, _ := strings.Cut(address, "/")
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}
