package scoring

import (
	"maps"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// State says of one fact whether it is known, and if not, why.
type State struct {
	Collector  string        // who gathers it: git, forge, foundation, lifecycle, thirdparty, openssf
	Fact       string        // history, changes, licence of 1.2.3, ...
	Outcome    audit.Outcome // PASS: known; DNF: looked for in vain; MISS: nobody looked
	Reason     string
	Settle     string
	Grade      audit.Grade
	ObservedAt time.Time
}

// States lists the facts of the evidence in a fixed order. A project of which nothing could be read has the same reason
// for every fact of git.
func (e Evidence) States() []State {
	out := []State{
		state("git", "history", e.History), state("git", "releases", e.Releases), state("git", "tree", e.Tree),
		state("git", "licence history", e.LicenceHistory),
	}
	for _, version := range slices.Sorted(maps.Keys(e.Licences)) {
		name := "licence of " + version
		if version == "" {
			name = "licence"
		}
		out = append(out, state("git", name, e.Licences[version]))
	}
	for _, p := range e.Places {
		out = append(out, state("git", "place "+p.Repo, p.Tree))
	}
	for i := range out {
		if out[i].Outcome == audit.MISS && e.Failure != "" {
			out[i].Reason, out[i].Settle = e.Failure, e.Settle
			if !e.NotAsked {
				out[i].Outcome = audit.DNF
			}
		}
	}
	return append(out,
		state("forge", "home", e.Home), state("forge", "changes", e.Changes), state("forge", "issues", e.Issues),
		state("forge", "runs", e.Runs), state("forge", "rules", e.Rules), state("forge", "team", e.Team),
		state("foundation", "governance", e.Governance), state("lifecycle", "cycles", e.Cycles),
		state("thirdparty", "advisories", e.Advisories), state("thirdparty", "badge", e.Badge),
		state("thirdparty", "packaging", e.Packaging), state("thirdparty", "dependents", e.Dependents),
		state("thirdparty", "scorecard", e.Scorecard), state("openssf", "checks", e.Checks),
	)
}

func state[T any](collector, name string, f audit.Fact[T]) State {
	s := State{Collector: collector, Fact: name, Outcome: f.Unknown(), Reason: f.Failure, Settle: f.Settle, Grade: f.Grade, ObservedAt: f.ObservedAt}
	if s.Outcome == audit.MISS && s.Reason == "" {
		s.Reason = "nobody looked"
	}
	return s
}

// Without returns the evidence without the facts of one collector, so that they can be gathered anew.
func (e Evidence) Without(collector string) Evidence {
	e.Taken = maps.Clone(e.Taken)
	delete(e.Taken, collector)
	switch collector {
	case "git":
		if e.listed() {
			e.Team = audit.Fact[Team]{}
		}
		e.History, e.Releases, e.Tree = audit.Fact[History]{}, audit.Fact[Releases]{}, audit.Fact[Tree]{}
		e.LicenceHistory, e.Licences, e.Versions = audit.Fact[[]LicenceState]{}, nil, nil
		e.Places, e.Steps, e.MirrorOf = nil, nil, audit.Fact[string]{}
		e.Shared = audit.Fact[Shared]{}
		e.Revision, e.RevisionAt, e.SeenUntil, e.Failure, e.NotAsked, e.Settle = "", time.Time{}, time.Time{}, "", false, ""
	case "forge":
		e.Home, e.Changes, e.Issues = audit.Fact[Home]{}, audit.Fact[Changes]{}, audit.Fact[Issues]{}
		e.Runs, e.Rules = audit.Fact[Runs]{}, audit.Fact[Rules]{}
		if !e.listed() {
			e.Team = audit.Fact[Team]{}
		}
	case "foundation":
		e.Governance = audit.Fact[Governance]{}
	case "lifecycle":
		e.Cycles = audit.Fact[Cycles]{}
	case "thirdparty":
		e.Advisories, e.Badge, e.Packaging = audit.Fact[Advisories]{}, audit.Fact[Badge]{}, audit.Fact[Packaging]{}
		e.Dependents, e.Scorecard = audit.Fact[Dependents]{}, audit.Fact[Checks]{}
	case "openssf":
		e.Checks = audit.Fact[Checks]{}
	}
	return e
}

// MaintainersFile is the source of a team that git read from a list of maintainers.
const MaintainersFile = "maintainers-file"

// listed reports whether the team comes from git and not from a forge.
func (e Evidence) listed() bool {
	t, ok := e.Team.Get()
	return ok && t.Source == MaintainersFile
}

// Has reports whether the evidence holds a known fact of a collector.
func (e Evidence) Has(collector string) bool {
	return slices.ContainsFunc(e.States(), func(s State) bool { return s.Collector == collector && s.Outcome == audit.PASS })
}
