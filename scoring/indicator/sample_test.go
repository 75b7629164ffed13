package indicator_test

import (
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// today is the day of assessment of all samples.
var today = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return today.Add(-time.Duration(days) * 24 * time.Hour) }

// profile reads the built-in profile; the strict loader is in package policies, which this package may not import.
func profile(t testing.TB) audit.Profile {
	t.Helper()
	data, err := os.ReadFile("../../policies/data/profiles/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p audit.Profile
	if err := yaml.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	revision = "1111111111111111111111111111111111111111"
	tagged   = "2222222222222222222222222222222222222222"
)

// healthyProject is a platform without a foundation to ask, deployed at one version.
func healthyProject() scoring.Project {
	return scoring.Project{
		ID: "example", Name: "Example", Repo: "https://git.example.org/team/example", Role: "platform", Foundation: "none",
		Model: "vendor (Example GmbH)", Alternatives: audit.Known([]scoring.Alternative{{Name: "Sample", Standards: []string{"s3"}, Source: "https://docs.example.org/s3"}}),
		Standards: audit.Known([]scoring.Standard{{ID: "s3", Name: "Amazon S3 API", Source: "https://docs.example.org/s3"}}),
		Deployed:  audit.Known(scoring.Deployed{Dependants: []string{"other"}, Radius: 3, Dependencies: 40}),
		Versions:  []string{"9.2.1"}, Links: []scoring.Link{{Subject: "image:example", Rule: "image", Confidence: "high"}},
	}
}

func docs(paths ...string) []scoring.Document {
	out := make([]scoring.Document, len(paths))
	for i, p := range paths {
		out[i] = scoring.Document{Path: p, Digest: audit.DigestOf([]byte(p)), Words: 400}
	}
	return out
}

func marked(path string, marks ...string) []scoring.Document {
	d := docs(path)
	d[0].Marks = marks
	return d
}

// healthy answers as many questions as it can with PASS. Its README names no other place.
func healthy() scoring.Evidence {
	window := func(months int) scoring.Window {
		return scoring.Window{
			Months: months, Commits: 100 * months, HumanCommits: 80 * months, Merges: 20 * months, Authors: 20 + months, Committers: 6,
			SignedOff: 80 * months, Reviewed: 72 * months, Reverts: 0, BusFactor50: 5, TopAuthorBP: 1200, ActiveMonths: months, OffsetBands: 3,
			TopOrg: "Example GmbH", TopOrgLowBP: 3000, TopOrgHighBP: 4500, TopTwoLowBP: 5000, TopTwoHighBP: 6500,
			ElephantLow: 3, ElephantHigh: 5, UnknownOrgBP: 1500, OutsideAuthorsLow: 12, OutsideAuthorsHigh: 15,
		}
	}
	var quarters []scoring.Quarter
	for i := range 12 {
		quarters = append(quarters, scoring.Quarter{End: today.Add(-time.Duration(11-i) * 365 * 24 * time.Hour / 4), Authors: 10 + i%2, Commits: 200})
	}
	licence := scoring.LicenceFacts{Commit: revision, Expression: "Apache-2.0", Files: docs("LICENSE"), Parts: audit.Known([]scoring.SubLicence{})}
	at := licence
	at.Version, at.Commit = "9.2.1", tagged
	e := scoring.Evidence{
		Schema: scoring.EvidenceSchema, Project: "example", Repo: "https://git.example.org/team/example",
		Revision: revision, RevisionAt: ago(1), AssessedAt: today,
		History: audit.Known(scoring.History{
			FirstCommit: ago(4000), LastCommit: ago(1), LastHumanCommit: ago(1), CommitsEver: 20000, AuthorsEver: 300, RootCommits: 1,
			Windows:  []scoring.Window{window(3), window(6), window(12), window(24)},
			Human90d: 240, Newcomers12m: 8, AuthorsYear2: 20, Retained: 12, Quarters: quarters,
		}),
		Releases: audit.Known(scoring.Releases{
			Releases24m: 6, LastRelease: ago(60), LastVersion: "9.3.0", Signed24m: 6,
			StableBranches: []scoring.Branch{{Name: "stable/9.2", Last: ago(20)}, {Name: "stable/9.1", Last: ago(300)}},
			TagOf:          map[string]scoring.Tag{"9.2.1": {Name: "v9.2.1", Commit: tagged, At: ago(200)}},
		}),
		Tree: audit.Known(scoring.Tree{
			Files: 500, SourceFiles: 300, TestFiles: 90, SPDXHeaders: audit.Known(20), LicenceNotices: audit.Known(290), LicenceFiles: docs("LICENSE"), Prose: audit.Known(12),
			Documents: map[string][]scoring.Document{
				"governance": docs("GOVERNANCE.md"), "code-of-conduct": docs("CODE_OF_CONDUCT.md"), "contributing": docs("CONTRIBUTING.md"),
				"security": marked("SECURITY.md", "private-channel", "days:90"), "roadmap": docs("ROADMAP.md"), "changelog": docs("CHANGELOG.md"),
				"adopters": marked("ADOPTERS.md", "organisations:14"), "notice": docs("NOTICE"), "dco": docs("DCO"),
				"funding": marked(".github/FUNDING.yml", "sponsors:2"), "sbom": docs("sbom.cdx.json"), "deprecation": docs("doc/deprecation.md"),
				"maintenance-policy": docs("SUPPORT.md"), "secure-coding": docs("doc/secure-coding.md"),
			},
			Tools: map[string][]scoring.Document{
				"ci": docs(".gitlab-ci.yml"), "gate": docs(".zuul.yaml"), "sast": docs(".bandit"), "dependency-update": docs("renovate.json"),
				"fuzzing": docs("fuzz/parse.c"), "conformance": docs("conformance"), "proposals": docs("proposals"),
			},
			ProposalsChanged12m: audit.Known(5), ProposalsReviewed12m: audit.Known(5), RoadmapChanged: audit.Known(ago(100)),
			ReadmeLinks: nil,
		}),
		Licences:       map[string]audit.Fact[scoring.LicenceFacts]{"": audit.Known(licence), "9.2.1": audit.Known(at)},
		LicenceHistory: audit.Known([]scoring.LicenceState{{From: ago(1825), Commit: tagged, Expression: "Apache-2.0"}}),
	}
	places(&e)
	return e
}

// Changes of a sample. Facts hold pointers, so each change writes into a copy.

type sample struct {
	e scoring.Evidence
	p scoring.Project
}

type change func(*sample)

func sampleWith(changes ...change) sample {
	s := sample{healthy(), healthyProject()}
	for _, c := range changes {
		c(&s)
	}
	return s
}

func history(f func(*scoring.History)) change {
	return func(s *sample) {
		h, _ := s.e.History.Get()
		h.Windows, h.Quarters = slices.Clone(h.Windows), slices.Clone(h.Quarters)
		f(&h)
		s.e.History.Value = &h
	}
}

func windows(f func(*scoring.Window)) change {
	return history(func(h *scoring.History) {
		for i := range h.Windows {
			f(&h.Windows[i])
		}
	})
}

func releases(f func(*scoring.Releases)) change {
	return func(s *sample) {
		r, _ := s.e.Releases.Get()
		r.TagOf = maps.Clone(r.TagOf)
		f(&r)
		s.e.Releases.Value = &r
	}
}

func tree(f func(*scoring.Tree)) change {
	return func(s *sample) {
		t, _ := s.e.Tree.Get()
		t.Documents, t.Tools = maps.Clone(t.Documents), maps.Clone(t.Tools)
		f(&t)
		s.e.Tree.Value = &t
	}
}

func licenceAt(version string, f func(*scoring.LicenceFacts)) change {
	return func(s *sample) {
		l, _ := s.e.Licences[version].Get()
		f(&l)
		s.e.Licences = maps.Clone(s.e.Licences)
		s.e.Licences[version] = audit.Known(l)
	}
}

func without(topics ...string) change {
	return tree(func(t *scoring.Tree) {
		for _, topic := range topics {
			delete(t.Documents, topic)
			delete(t.Tools, topic)
		}
	})
}

func project(f func(*scoring.Project)) change { return func(s *sample) { f(&s.p) } }

func foundation(name string) change {
	return project(func(p *scoring.Project) { p.Foundation = name })
}

func readmeNames(hosts ...string) change {
	return tree(func(t *scoring.Tree) { t.ReadmeLinks = hosts })
}

func shallow() change { return history(func(h *scoring.History) { h.Shallow = true }) }

// young makes the project that many days old.
func young(days int) change {
	return history(func(h *scoring.History) { h.FirstCommit = ago(days) })
}

func states(expressions ...string) change {
	return func(s *sample) {
		list := make([]scoring.LicenceState, len(expressions))
		for i, x := range expressions {
			list[i] = scoring.LicenceState{From: ago(1825 - 300*i), Commit: tagged, Expression: x}
		}
		s.e.LicenceHistory = audit.Known(list)
	}
}

func noHistory(s *sample)  { s.e.History = audit.Fact[scoring.History]{} }
func noReleases(s *sample) { s.e.Releases = audit.Fact[scoring.Releases]{} }
func noTree(s *sample)     { s.e.Tree = audit.Fact[scoring.Tree]{} }
func noLicences(s *sample) { s.e.Licences = nil }
func noStates(s *sample)   { s.e.LicenceHistory = audit.Fact[[]scoring.LicenceState]{} }

// cycles replaces the release cycles.
func cycles(list ...scoring.Cycle) change {
	return func(s *sample) {
		s.e.Cycles = audit.Known(scoring.Cycles{Source: "a calendar", Cycles: list}, audit.Origin{Source: "git", URL: "https://example.org/calendar", Path: "cycles.yaml"})
	}
}
