package pipeline

import (
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// joinTopics are the documents that lead newcomers and sponsors in, in the order in which they are shown.
var joinTopics = [...]string{"contributing", "code-of-conduct", "governance", "maintainers", "roadmap", "security", "funding", "adopters"}

// perJoinTopic bounds how many documents of one topic are shown: the first are the most prominent.
const perJoinTopic = 2

// joinOf lists where the evidence shows how to join or fund a project.
func joinOf(e scoring.Evidence) []reports.Pointer {
	var out []reports.Pointer
	tree, known := e.Tree.Get()
	if known {
		for _, topic := range joinTopics {
			documents := tree.Documents[topic]
			for _, d := range documents[:min(perJoinTopic, len(documents))] {
				origin := audit.Origin{Source: "git", URL: e.Repo, Commit: e.Revision, Path: d.Path, Digest: d.Digest}
				out = append(out, reports.Pointer{Kind: topic, Text: d.Path, Origin: origin})
			}
		}
		if host, project, ok := strings.Cut(tree.GerritProject, "/"); ok {
			out = append(out, reports.Pointer{Kind: "review", Text: tree.GerritProject, Origin: audit.Origin{Source: "gerrit", URL: "https://" + host + "/q/project:" + project}})
		}
		for _, host := range tree.ReadmeLinks[:min(5, len(tree.ReadmeLinks))] {
			out = append(out, reports.Pointer{Kind: "place", Text: host})
		}
	}
	if g, ok := e.Governance.Get(); ok {
		for _, fact := range []struct {
			kind string
			is   audit.Fact[string]
		}{{"governance", g.Charter}, {"code-of-conduct", g.CodeOfConduct}, {"elections", g.Elections}} {
			if address, known := fact.is.Get(); known && address != "" {
				out = append(out, reports.Pointer{Kind: fact.kind, Text: address, Origin: audit.Origin{Source: "foundation", URL: address}})
			}
		}
	}
	for _, s := range e.Statements {
		if s.Source != "" && (s.Indicator == "LR-10" || s.Indicator == "OC-10" || s.Indicator == "OV-04") {
			kind := map[string]string{"LR-10": "funding", "OC-10": "channel", "OV-04": "contributing"}[s.Indicator]
			out = append(out, reports.Pointer{Kind: kind, Text: s.Source, Origin: audit.Origin{Source: "statement", URL: s.Source, At: s.At}})
		}
	}
	return out
}
