package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// securityContact (SE-01, scs-0008 SE-2) asks: does the project say where to report a vulnerability?
// Measured: a security document anywhere in the repository, what the forge shows of the repository or its owner, or a
// security team that covers it by the records of its foundation.
// Misleads: an address may be dead; whether anybody answers is not seen.
func securityContact(in *input) scoring.Measurement {
	return in.find(document("security"), "security contact", []place{
		ofForge("security policy, or way to report in private,", func(h scoring.Home) audit.Fact[bool] { return h.Security }),
		lent("security contact", func(g scoring.Governance) audit.Fact[bool] { return g.SecurityTeam }, theTeam),
	})
}

// privateReporting (SE-02, scs-0008 SE-2, MA-3) asks: may one report in private, and until when will one hear?
// Measured: marks of a private channel and of a number of days in the security documents.
// Misleads: a policy that the document links to is not read; the number may count something else.
func privateReporting(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	docs := byPath(t.Documents["security"])
	private, days := false, ""
	for _, d := range docs {
		private = private || slices.Contains(d.Marks, "private-channel")
		for _, mark := range d.Marks {
			if n, found := strings.CutPrefix(mark, "days:"); found && days == "" {
				days = n
			}
		}
	}
	switch {
	case len(docs) == 0:
		return in.absent(t, missing(t, "security contact"))
	case private && days != "":
		return passed("yes", fmt.Sprintf("%s: a private channel and %s days", listed(docs), clip(days)), in.files(docs)...)
	case !slices.ContainsFunc(docs, func(d scoring.Document) bool { return d.Words > 0 || len(d.Marks) > 0 }):
		return untold("nobody could read "+listed(docs), "read "+clip(docs[0].Path))
	case private:
		return in.absent(t, listed(docs)+" names a private channel, but no number of days")
	}
	return in.absent(t, listed(docs)+" names no private channel")
}

// upstreamSBOM (SE-06, scs-0008 SE-1) asks: does the project publish an SBOM?
// Measured: an SBOM in the repository, or one attached to a release on the forge.
// Misleads: an SBOM that is attached to an image, or published elsewhere, is not read.
func upstreamSBOM(in *input) scoring.Measurement {
	return in.find(document("sbom"), "SBOM", []place{releaseAssets, foundationPages}, "attestations of images and packages")
}

// releaseAssets is the place where releases on the forge have an SBOM attached.
func releaseAssets(in *input) sight {
	h, known := in.e.Home.Get()
	list, said := h.Releases.Get()
	if !known || !said || in.e.Home.Declared || h.Releases.Declared || len(list) == 0 {
		return sight{unread: "the release assets"}
	}
	for _, r := range list {
		if r.Assets["sbom"] > 0 {
			in.rests(in.e.Home.Grade)
			in.rests(h.Releases.Grade)
			return sight{answer: passed(clip(r.Tag), "release "+clip(r.Tag)+" on "+clip(h.Forge)+" has an SBOM attached", orOrigin(firstOrigins(in.e.Home), in.at(""))...)}
		}
	}
	if list[0].AssetsUnread {
		return sight{unread: "the release assets"}
	}
	return sight{}
}

// securityAudit (SE-14) asks: has somebody from outside audited its security?
// Measured: the months since the newest audit that the foundation lists. An older one, or none, leaves the answer open,
// because a project may be audited without its foundation: then the day that the project states is taken.
// Misleads: an audit covers what was paid for; whether its findings were mended is not read.
func securityAudit(in *input) scoring.Measurement {
	return in.told(in.listedAudit(), less, "the last security audit by a third party")
}

func (in *input) listedAudit() scoring.Measurement {
	g, m, ok := take(in, in.e.Governance, "security audits by third parties")
	if !ok {
		return m
	}
	if in.denied() {
		return untold(unlisted(g.Foundation)+"; not read: its security audits", "read "+saying)
	}
	last, m, ok := take(in, g.LastAudit, "security audits by third parties")
	switch {
	case !ok:
		if m.Outcome == audit.MISS {
			m.Settle = []string{"read the audit list of the foundation, or " + saying}
		}
		return m
	case in.e.AssessedAt.IsZero() || last.IsZero() || last.After(in.e.AssessedAt):
		return untold("the day of the last security audit is not plausible", "collect the evidence again")
	}
	origins := firstOrigins(g.LastAudit)
	if len(origins) == 0 {
		origins = firstOrigins(in.e.Governance)
	}
	m = in.count(in.age(last), less, "the newest audit that "+clip(g.Foundation)+" lists is of "+day(last), origins...)
	if m.Outcome == audit.PASS || m.Outcome == audit.DNF {
		return m
	}
	return lowerBound(m, "not read: audits that the foundation does not list", "read "+saying)
}

// staticAnalysis (SE-07, scs-0008 SE-5) asks: does CI look for security mistakes in the code?
// Measured: configuration of a static analyser for security in the repository, or Scorecard's check SAST where that is open.
// Misleads: whether anybody acts on its results is not seen.
func staticAnalysis(in *input) scoring.Measurement {
	return in.confirmed(in.present(tool("sast"), "static analysis"), "SAST")
}

// dependencyUpdates (SE-08, scs-0008 SE-1) asks: does a tool keep dependencies up to date?
// Measured: configuration of such a tool in the repository, or its commits by Scorecard's check where that is open.
// Misleads: a central bot, as OpenStack has one, needs no file.
func dependencyUpdates(in *input) scoring.Measurement {
	return in.confirmed(in.present(tool("dependency-update"), "dependency update tool"), "Dependency-Update-Tool")
}

// fuzzing (SE-10, scs-0008 SE-3) asks: is the code fuzzed? NA for repositories without source files.
// Measured: fuzz targets or their configuration in the repository, or Scorecard's check Fuzzing where that is open.
// Misleads: targets that live with a fuzzing service are not seen.
func fuzzing(in *input) scoring.Measurement {
	if t, known := in.e.Tree.Get(); known && !in.e.Tree.Declared && t.Files > 0 && t.SourceFiles == 0 {
		return notApplicable("the repository has no source files")
	}
	return in.confirmed(in.present(tool("fuzzing"), "fuzz target", "the lists of fuzzing services"), "Fuzzing")
}

// binaries (SE-11, scs-0008 SE-1) asks: is everything in the repository source?
// Measured: executable and library files in the tree.
// Misleads: binaries that tests read count too.
func binaries(in *input) scoring.Measurement {
	t, m, ok := in.tree()
	if !ok {
		return m
	}
	reason := plural(t.BinaryCount, "executable or library file") + " in the repository"
	if len(t.Binaries) > 0 {
		reason += " (" + names(t.Binaries) + ")"
	}
	return in.count(t.BinaryCount, less, reason, in.at(""))
}

// secureCoding (SE-15, scs-0008 SE-3) asks: is it written down how to write secure code here?
// Measured: a document in the repository.
// Misleads: guides of the foundation are not read.
func secureCoding(in *input) scoring.Measurement {
	return in.present(document("secure-coding"), "guide to secure coding", "the documentation")
}
