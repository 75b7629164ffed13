package pipeline

import (
	"fmt"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// distributions are the ecosystems whose names everybody may see. Packages of the others may be an operator's own.
var distributions = map[string]bool{"deb": true, "rpm": true, "apk": true}

// unresolved counts, for each ecosystem, the packages of which nobody can tell where they come from. Artifacts without a known
// project are counted elsewhere.
func unresolved(s upstream.Survey) []reports.Unseen {
	names := map[string][]string{}
	for _, u := range s.Unresolved {
		if distributions[u.Ecosystem] && len(names[u.Ecosystem]) < mostNames {
			names[u.Ecosystem] = append(names[u.Ecosystem], u.Name)
		}
	}
	var out []reports.Unseen
	for _, share := range s.Shares {
		open := share.Units - share.Resolved
		if open == 0 || artifactKinds[share.Ecosystem] {
			continue
		}
		out = append(out, reports.Unseen{
			What:   "repositories of packages of the type " + share.Ecosystem,
			Reason: fmt.Sprintf("neither the packages nor the tables of Pegel say where %d of %d come from", open, share.Units),
			Settle: "projects.json in the bundle lists them, each with its reason; add a row to scoring/upstream/repositories.yaml",
			Count:  open, Names: names[share.Ecosystem],
		})
	}
	return out
}

// artifactKinds are what a survey calls things that are no packages.
var artifactKinds = map[string]bool{upstream.PartImage: true, upstream.PartChart: true, upstream.PartSoftware: true}
