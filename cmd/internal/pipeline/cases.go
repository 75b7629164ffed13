package pipeline

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// cases are what rules are tried on: the projects of an audit bundle with its scopes, or those of a recording.
type cases struct {
	projects []caseOf
	dossier  *dossier // nil: a recording, which has no scopes
	scopes   []string
	identity audit.Digest
}

// caseOf is one project with its evidence.
type caseOf struct {
	project  scoring.Project
	evidence scoring.Evidence
}

// readCases opens an audit bundle, or a bundle with recorded evidence of projects alone.
func readCases(dir string) (*cases, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, usagef("name a bundle that pegel audit or pegel collect wrote", "reading bundle %q: no such directory", dir)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, bundleError("reading", dir, err)
	}
	if len(b.Blobs("stack")) > 0 {
		return auditCases(dir)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	rec := recording{evidence: map[string]scoring.Evidence{}}
	if err := rec.read(dir); err != nil {
		return nil, err
	}
	if len(rec.evidence) == 0 {
		return nil, usagef("name a bundle that pegel audit or pegel collect wrote", "reading bundle %q: it holds no evidence about projects", dir)
	}
	c := &cases{identity: b.Identity()}
	for _, id := range slices.Sorted(maps.Keys(rec.evidence)) {
		c.projects = append(c.projects, recordedCase(catalogue, rec.evidence[id]))
	}
	return c, nil
}

// recordedCase is a project outside of any stack, with the versions that its evidence was recorded for.
func recordedCase(catalogue *upstream.Catalogue, e scoring.Evidence) caseOf {
	p := catalogueProject(catalogue, e.Project)
	if p.Name == "" {
		p.Name, p.Repo = e.Project, e.Repo
	}
	p.Versions = slices.DeleteFunc(slices.Sorted(maps.Keys(e.Licences)), func(v string) bool { return v == "" })
	return caseOf{project: p, evidence: e}
}

func auditCases(dir string) (*cases, error) {
	d, err := readDossier(dir, AssessOptions{Policy: acceptedPolicy(dir)})
	if err != nil {
		return nil, err
	}
	c := &cases{dossier: d, scopes: d.stack.Scopes, identity: d.identity}
	for _, s := range d.scores() {
		c.projects = append(c.projects, caseOf{project: s.Project, evidence: d.evidence[s.Project.ID]})
	}
	return c, nil
}

// acceptedPolicy is the digest of the policy in a bundle: trying rules on evidence certifies nothing, so that any will do.
func acceptedPolicy(dir string) string {
	files, err := bundlePolicyFiles(dir)
	if err != nil {
		return ""
	}
	p, err := policies.FromFiles(files)
	if err != nil {
		return ""
	}
	return string(p.Digest())
}

// bundlePolicyFiles are the files of the policy that a bundle brings along.
func bundlePolicyFiles(dir string) ([]policies.File, error) {
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, bundleError("reading", dir, err)
	}
	var files []policies.File
	for _, entry := range b.Blobs("policy") {
		data, err := b.Read(entry.Digest)
		if err != nil {
			return nil, fmt.Errorf("reading bundle %q: %w", dir, err)
		}
		files = append(files, policies.File{Name: entry.Name, Data: data})
	}
	return files, nil
}

// standing is one thing that rules decide, and how: a project, a gate of a project, or a scope.
type standing struct {
	kind    string // project, gate, scope
	id      string // of the project or scope
	what    string // of a gate: level and aspect; of a project: the level, empty for all levels
	verdict string
}

func (s standing) key() string { return strings.Join([]string{s.kind, s.id, s.what}, "\x00") }

// standings judges one project: its verdict over all levels and at each, and the outcome at each gate.
func (c caseOf) standings(profiles policies.Profiles) []standing {
	profile := profiles.For(c.project.Profile)
	return standingsOf(judge(c.project, c.evidence, profile), profile)
}

func standingsOf(s scoring.ProjectScore, profile audit.Profile) []standing {
	out := []standing{{kind: "project", id: s.Project.ID, verdict: scoring.Verdict(s, profile)}}
	for _, level := range sortedKeys(profile.Gates) {
		out = append(out, standing{"project", s.Project.ID, level, scoring.Verdict(s, profile, level)})
	}
	for _, level := range sortedKeys(profile.Gates) {
		gates := gatesOf(profile, level, s.Project.Role)
		for _, aspect := range scoring.Aspects {
			if gate, ok := gates[aspect]; ok {
				a, _ := s.Aspect(aspect)
				out = append(out, standing{"gate", s.Project.ID, level + " " + aspect, gateWord(a.Meets(gate))})
			}
		}
	}
	return out
}

func gateWord(o audit.Outcome) string {
	switch o {
	case audit.PASS:
		return "pass"
	case audit.FAIL:
		return "fail"
	}
	return "undetermined"
}

// scopeStandings decides the scopes of an audit bundle; nil for a recording.
func (c *cases) scopeStandings(r ruleset) ([]standing, error) {
	if c.dossier == nil {
		return nil, nil
	}
	result, err := c.evaluated(r)
	if err != nil {
		return nil, err
	}
	var out []standing
	for _, v := range result.Verdicts {
		out = append(out, standing{kind: "scope", id: v.Scope, verdict: v.Outcome})
	}
	return out, nil
}

// evaluated decides the scopes of an audit bundle that a set of rules has.
func (c *cases) evaluated(r ruleset) (policies.Result, error) {
	d := *c.dossier
	d.profiles = r.profiles
	if r.policy != nil {
		d.policy = r.policy
	}
	var scopes []string
	for _, s := range c.scopes {
		if _, ok := d.policy.Scope(s); ok {
			scopes = append(scopes, s)
		}
	}
	scores := d.scores()
	result, err := d.policy.Evaluate(policies.Input{
		Subjects: d.subjects(scores, d.operatorResults()), Scopes: scopes, Profile: d.profiles.Main(), AssessedAt: d.stack.AssessedAt,
		ReleaseWithoutOperator: d.stack.Subject.Kind == "release",
	})
	if err != nil {
		return result, fmt.Errorf("evaluating the bundle by %s: %w", r.describe(), err)
	}
	return result, nil
}

// all decides everything, in the order of projects, then scopes.
func (c *cases) all(r ruleset) ([]standing, error) {
	var out []standing
	for _, p := range c.projects {
		out = append(out, p.standings(r.profiles)...)
	}
	scopes, err := c.scopeStandings(r)
	return append(out, scopes...), err
}
