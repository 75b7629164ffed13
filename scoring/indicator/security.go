package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// securityContact (SE-01, scs-0008 SE-2) asks: does the project say where to report a vulnerability?
// Measured: a security document anywhere in the repository.
// Misleads: projects that a central team covers often have none; its list is not read.
func securityContact(in *input) scoring.Measurement {
	return in.present(document("security"), "security contact")
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
// Measured: an SBOM in the repository.
// Misleads: most SBOMs are release assets, which git does not show.
func upstreamSBOM(in *input) scoring.Measurement {
	return in.present(document("sbom"), "SBOM", "the release assets")
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
