package indicator_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// seen is a fact of somewhere else than git, as a collector makes it.
func seen[T any](v T, source string) audit.Fact[T] {
	return audit.Known(v, audit.Origin{Source: source, URL: "https://" + source + ".example.org", At: today}).Graded(audit.GradeForge, today, audit.Month)
}

const daySeconds = 24 * 60 * 60

// places adds what forge, foundation and indexes say about the healthy project.
func places(e *scoring.Evidence) {
	window := func(months int) scoring.ChangeWindow {
		return scoring.ChangeWindow{
			Months: months, Opened: audit.Known(40 * months), Merged: audit.Known(36 * months), Closed: audit.Known(39 * months),
			Sample: 36 * months, Whole: true, Reviewed: audit.Known(36 * months), SelfMerged: audit.Known(0), Gated: audit.Known(36 * months),
			Answered: audit.Known(38 * months), Unanswered: audit.Known(months), FirstResponse: audit.Known(int64(2 * daySeconds)),
			Approvers: audit.Known(8), Mergers: audit.Known(4), TopApproverOrgLowBP: audit.Known(3000), TopApproverOrgHighBP: audit.Known(4000),
		}
	}
	e.Home = seen(scoring.Home{Forge: "forge", Newcomers: audit.Known(5)}, "forge")
	e.Changes = seen(scoring.Changes{Forge: "forge", Open: audit.Known(12), Windows: []scoring.ChangeWindow{window(3), window(6), window(12), window(24)}}, "forge")
	e.Issues = seen(scoring.Issues{
		Tracker: "tracker", Public: audit.Known(true), Open: audit.Known(90), Opened12m: audit.Known(200), Closed12m: audit.Known(190),
		MedianAge: audit.Known(int64(100 * daySeconds)), Sample: 50, Whole: true, FirstResponse: audit.Known(int64(3 * daySeconds)),
		Answered: audit.Known(45), Unanswered: audit.Known(5),
	}, "tracker")
	e.Runs = seen(scoring.Runs{System: "ci", Where: "main", Sample: 100, Succeeded: 97, Whole: true, Days: audit.Known(90)}, "ci")
	e.Rules = seen(scoring.Rules{ForcePush: audit.Known(false), ReviewRequired: audit.Known(true), ChecksRequired: audit.Known(true)}, "forge")
	e.Team = seen(scoring.Team{Source: "owners-file", Members: audit.Known(9), Organisations: audit.Known([2]int{3, 5}), TopOrgBP: audit.Known([2]int{3000, 5000})}, "forge")
	e.Governance = seen(scoring.Governance{Foundation: "Example Foundation", Team: "example", Leadership: seen("elected", "foundation"), TermSince: seen(ago(100), "foundation"), LastAudit: seen(ago(300), "foundation")}, "foundation")
	e.Advisories = seen(scoring.Advisories{
		Feed: "osv", Published24m: 3, Newest: ago(100), MedianDays: audit.Known(10), FixDays: []int{0, 10, 20},
		Deployed: map[string][]scoring.Advisory{"9.2.1": {}, "8.0": {}},
	}, "osv")
	e.Shared = seen(scoring.Shared{Projects: 9, Authors: map[string]int{"neighbour": 4, "friend": 2}, Tested: map[string]int{"friend": 7}}, "histories")
	e.Badge = seen(scoring.Badge{Level: "gold", Percent: 300, Project: 7}, "badges")
	e.Packaging = seen(scoring.Packaging{Families: 9, Current: 5, Newest: "9.3.0", Project: "example"}, "repology")
	e.Dependents = seen(scoring.Dependents{Index: "depsdev", Packages: 1, Count: 5000}, "depsdev")
}

// Changes of the facts of these places.

func changed[T any](at func(*scoring.Evidence) *audit.Fact[T], f func(*T)) change {
	return func(s *sample) {
		fact := at(&s.e)
		v, known := fact.Get()
		if !known {
			return
		}
		f(&v)
		fact.Value = &v
	}
}

func changes(f func(*scoring.ChangeWindow)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Changes] { return &e.Changes }, func(c *scoring.Changes) {
		c.Windows = slices.Clone(c.Windows)
		for i := range c.Windows {
			f(&c.Windows[i])
		}
	})
}

func home(f func(*scoring.Home)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Home] { return &e.Home }, f)
}

func issues(f func(*scoring.Issues)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Issues] { return &e.Issues }, f)
}

func runs(f func(*scoring.Runs)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Runs] { return &e.Runs }, f)
}

func rules(f func(*scoring.Rules)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Rules] { return &e.Rules }, f)
}

func team(f func(*scoring.Team)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Team] { return &e.Team }, f)
}

func records(f func(*scoring.Governance)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Governance] { return &e.Governance }, f)
}

func advisories(f func(*scoring.Advisories)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Advisories] { return &e.Advisories }, f)
}

func badges(f func(*scoring.Badge)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Badge] { return &e.Badge }, f)
}

func packaging(f func(*scoring.Packaging)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Packaging] { return &e.Packaging }, f)
}

func dependents(f func(*scoring.Dependents)) change {
	return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Dependents] { return &e.Dependents }, f)
}

func noHome(s *sample)       { s.e.Home = audit.Fact[scoring.Home]{} }
func noChanges(s *sample)    { s.e.Changes = audit.Fact[scoring.Changes]{} }
func noIssues(s *sample)     { s.e.Issues = audit.Fact[scoring.Issues]{} }
func noRuns(s *sample)       { s.e.Runs = audit.Fact[scoring.Runs]{} }
func noRules(s *sample)      { s.e.Rules = audit.Fact[scoring.Rules]{} }
func noTeam(s *sample)       { s.e.Team = audit.Fact[scoring.Team]{} }
func noRecords(s *sample)    { s.e.Governance = audit.Fact[scoring.Governance]{} }
func noAdvisories(s *sample) { s.e.Advisories = audit.Fact[scoring.Advisories]{} }
func noBadge(s *sample)      { s.e.Badge = audit.Fact[scoring.Badge]{} }
func noPackaging(s *sample)  { s.e.Packaging = audit.Fact[scoring.Packaging]{} }
func noDependents(s *sample) { s.e.Dependents = audit.Fact[scoring.Dependents]{} }

func noShared(s *sample) { s.e.Shared = audit.Fact[scoring.Shared]{} }

// noGate and noCI take away both places where a gate is configured, and where CI is seen.
func noGate(s *sample) { noTree(s); s.e.Rules = audit.Fact[scoring.Rules]{} }
func noCI(s *sample)   { noTree(s); noRuns(s) }

// noAnswers takes away both places where answers are seen, noMergers both where people who merge are.
func noAnswers(s *sample) { noChanges(s); noIssues(s) }
func noMergers(s *sample) { noChanges(s); noHistory(s) }

// placesInVain is a project of which no place but git could be read.
func placesInVain(s *sample) {
	const why = "the log ended early"
	s.e.Home, s.e.Changes, s.e.Issues = audit.Failed[scoring.Home](why), audit.Failed[scoring.Changes](why), audit.Failed[scoring.Issues](why)
	s.e.Runs, s.e.Rules, s.e.Team = audit.Failed[scoring.Runs](why), audit.Failed[scoring.Rules](why), audit.Failed[scoring.Team](why)
	s.e.Governance, s.e.Advisories = audit.Failed[scoring.Governance](why), audit.Failed[scoring.Advisories](why)
	s.e.Shared = audit.Failed[scoring.Shared](why)
	s.e.Badge, s.e.Packaging, s.e.Dependents = audit.Failed[scoring.Badge](why), audit.Failed[scoring.Packaging](why), audit.Failed[scoring.Dependents](why)
}

// randomPlaces makes facts of other places of any kind; each is known.
func randomPlaces(r *rand.Rand, s *sample) {
	chance := func(percent int) bool { return r.IntN(100) < percent }
	maybe := func(n int) audit.Fact[int] { return audit.Known(r.IntN(n)) }
	seconds := func(days int) audit.Fact[int64] { return audit.Known(int64(r.IntN(days * daySeconds))) }
	home(func(h *scoring.Home) {
		h.Newcomers = maybe(3)
		h.CodeOfConduct, h.Security, h.MirrorOf = audit.Known(chance(50)), audit.Known(chance(50)), audit.Known("")
		h.Releases = audit.Known([]scoring.Published{{Tag: "v9", Assets: map[string]int{"sbom": r.IntN(2)}, AssetsUnread: chance(30)}})
		// A repository is archived when its work has ended: commits of the year would contradict the flag (see
		// TestAnArchivedRepositoryFailsWhateverGitShows).
		history, _ := s.e.History.Get()
		year, _ := history.Window(12)
		h.Archived = audit.Known(chance(50) && history.Human90d == 0 && year.HumanCommits == 0 && !history.LastHumanCommit.After(ago(366)))
	})(s)
	if chance(30) {
		s.e.Repo = "https://github.com/team/example"
	}
	changes(func(w *scoring.ChangeWindow) {
		merged := r.IntN(60)
		w.Reviewed = audit.Known(0)
		w.Merged, w.Opened, w.Closed = audit.Known(merged), maybe(90), audit.Known(merged+r.IntN(20))
		if w.Sample, w.Whole = merged, chance(60); !w.Whole {
			w.Sample = r.IntN(merged + 1)
		}
		w.Reviewed = maybe(w.Sample + 1)
		w.Approvers, w.Mergers, w.FirstResponse = maybe(5), maybe(5), seconds(50)
		w.Answered, w.Unanswered = maybe(30), maybe(30)
		low := r.IntN(audit.Full + 1)
		w.TopApproverOrgLowBP, w.TopApproverOrgHighBP = audit.Known(low), audit.Known(low+r.IntN(audit.Full+1-low))
	})(s)
	issues(func(i *scoring.Issues) {
		i.Public, i.Open, i.Opened12m, i.Closed12m = audit.Known(chance(50)), maybe(4), maybe(50), maybe(50)
		i.MedianAge, i.FirstResponse, i.Whole = seconds(1000), seconds(50), chance(60)
		if open, _ := i.Open.Get(); open == 0 {
			i.MedianAge = audit.Failed[int64]("no open issue")
		}
		i.Answered, i.Unanswered = maybe(30), maybe(30)
	})(s)
	runs(func(v *scoring.Runs) {
		v.Sample = r.IntN(50)
		v.Succeeded, v.Whole, v.Days = r.IntN(v.Sample+1), chance(50), maybe(91)
	})(s)
	rules(func(v *scoring.Rules) {
		v.ForcePush, v.ReviewRequired, v.ChecksRequired = audit.Known(chance(40)), audit.Known(chance(60)), audit.Known(chance(50))
	})(s)
	team(func(t *scoring.Team) {
		low := r.IntN(5)
		t.Organisations = audit.Known([2]int{low, low + r.IntN(4)})
		least := r.IntN(audit.Full + 1)
		t.TopOrgBP = audit.Known([2]int{least, least + r.IntN(audit.Full+1-least)})
	})(s)
	records(func(g *scoring.Governance) {
		g.Leadership = seen([]string{"elected", "appointed", "committee", "distributed"}[r.IntN(4)], "foundation")
		g.TermSince, g.LastAudit = seen(ago(r.IntN(600)), "foundation"), seen(ago(r.IntN(2000)), "foundation")
		switch {
		case s.p.Foundation != "none": // what a foundation lends to a project that has none would be a contradiction
			g.Listed, g.SecurityTeam = seen(true, "foundation"), seen(chance(50), "foundation")
			g.Charter = seen([]string{"", "https://foundation.example.org/charter"}[r.IntN(2)], "foundation")
			g.CodeOfConduct = seen([]string{"", "https://foundation.example.org/conduct"}[r.IntN(2)], "foundation")
		case chance(50):
			*g = scoring.Governance{Foundation: "none", Listed: seen(false, "foundation")}
		}
	})(s)
	s.e.Shared = seen(scoring.Shared{Projects: 1 + r.IntN(5)}, "histories")
	changed(func(e *scoring.Evidence) *audit.Fact[scoring.Shared] { return &e.Shared }, func(v *scoring.Shared) {
		v.Authors = map[string]int{}
		for i := range r.IntN(v.Projects) {
			v.Authors["p"+string(rune('a'+i))] = 2 + r.IntN(4)
		}
	})(s)
	for _, id := range []string{"AC-07", "AC-10", "OD-06"} {
		for range r.IntN(3) {
			s.e.Statements = append(s.e.Statements, scoring.Statement{Indicator: id, By: []string{scoring.ByProject, scoring.ByCatalogue, scoring.ByOperator}[r.IntN(3)],
				Value: []string{"", "0", "3", "2026-05-01", "2024-01-01", "never"}[r.IntN(6)], Source: []string{"", "https://example.org/said"}[r.IntN(2)], At: ago(r.IntN(300))})
		}
	}
	advisories(func(a *scoring.Advisories) {
		if chance(30) {
			*a = scoring.Advisories{Feed: "osv", Deployed: map[string][]scoring.Advisory{}}
		}
		a.FixDays, a.FixUnknown = nil, r.IntN(3)
		for range r.IntN(5) {
			a.FixDays = append(a.FixDays, r.IntN(150))
		}
		a.Deployed, a.Unclear = map[string][]scoring.Advisory{}, map[string][]scoring.Advisory{}
		list := func() (out []scoring.Advisory) {
			out = []scoring.Advisory{}
			for range r.IntN(3) {
				out = append(out, scoring.Advisory{ID: "CVE-2026-" + string(rune('a'+r.IntN(20))), Published: ago(r.IntN(120)),
					Severity: []string{"critical", "high", "medium", "low", "unknown"}[r.IntN(5)]})
			}
			return out
		}
		for _, v := range []string{"9.2.1", "8.0"} {
			if chance(80) {
				a.Deployed[v] = list()
			}
			if chance(30) {
				a.Unclear[v] = list()
			}
		}
		if chance(20) {
			a.Gaps = []string{"another database"}
		}
	})(s)
	badges(func(b *scoring.Badge) {
		b.Level, b.Project = []string{"in_progress", "passing", "silver", "gold", "baseline-1", "baseline-2"}[r.IntN(6)], r.IntN(3)
	})(s)
	packaging(func(p *scoring.Packaging) { p.Families = r.IntN(9); p.Current = r.IntN(p.Families + 1) })(s)
	dependents(func(d *scoring.Dependents) { d.Count = []int{0, 1, 10, 999, 1000, 40000}[r.IntN(6)] })(s)
}

// placeKnockOuts are the facts of these places that can be taken away, and the facts within.
func placeKnockOuts() []knockOut {
	inner := func(name string, f func(vain bool) change) knockOut {
		return knockOut{name, func(s *sample, vain bool) { f(vain)(s) }}
	}
	return []knockOut{
		{"home", func(s *sample, vain bool) { s.e.Home = lost[scoring.Home](vain) }},
		{"changes", func(s *sample, vain bool) { s.e.Changes = lost[scoring.Changes](vain) }},
		{"issues", func(s *sample, vain bool) { s.e.Issues = lost[scoring.Issues](vain) }},
		{"runs", func(s *sample, vain bool) { s.e.Runs = lost[scoring.Runs](vain) }},
		{"rules", func(s *sample, vain bool) { s.e.Rules = lost[scoring.Rules](vain) }},
		{"team", func(s *sample, vain bool) { s.e.Team = lost[scoring.Team](vain) }},
		{"governance records", func(s *sample, vain bool) { s.e.Governance = lost[scoring.Governance](vain) }},
		{"advisories", func(s *sample, vain bool) { s.e.Advisories = lost[scoring.Advisories](vain) }},
		{"badge", func(s *sample, vain bool) { s.e.Badge = lost[scoring.Badge](vain) }},
		{"packaging", func(s *sample, vain bool) { s.e.Packaging = lost[scoring.Packaging](vain) }},
		{"shared work", func(s *sample, vain bool) { s.e.Shared = lost[scoring.Shared](vain) }},
		{"what is said about one indicator", func(s *sample, _ bool) {
			if len(s.e.Statements) > 0 {
				about := s.e.Statements[0].Indicator
				s.e.Statements = slices.DeleteFunc(slices.Clone(s.e.Statements), func(st scoring.Statement) bool { return st.Indicator == about })
			}
		}},
		{"dependents", func(s *sample, vain bool) { s.e.Dependents = lost[scoring.Dependents](vain) }},
		inner("labels", func(vain bool) change { return home(func(h *scoring.Home) { h.Newcomers = lost[int](vain) }) }),
		inner("conduct on the forge", func(vain bool) change {
			return home(func(h *scoring.Home) { h.CodeOfConduct = lost[bool](vain) })
		}),
		inner("security on the forge", func(vain bool) change { return home(func(h *scoring.Home) { h.Security = lost[bool](vain) }) }),
		inner("archive flag", func(vain bool) change { return home(func(h *scoring.Home) { h.Archived = lost[bool](vain) }) }),
		inner("whether it is a mirror", func(vain bool) change { return home(func(h *scoring.Home) { h.MirrorOf = lost[string](vain) }) }),
		inner("releases on the forge", func(vain bool) change {
			return home(func(h *scoring.Home) { h.Releases = lost[[]scoring.Published](vain) })
		}),
		inner("reviewed changes", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Reviewed = lost[int](vain) })
		}),
		inner("required checks", func(vain bool) change {
			return rules(func(v *scoring.Rules) { v.ChecksRequired = lost[bool](vain) })
		}),
		inner("seats", func(vain bool) change { return team(func(t *scoring.Team) { t.TopOrgBP = lost[[2]int](vain) }) }),
		inner("term", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.TermSince = lost[time.Time](vain) })
		}),
		inner("charter", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.Charter = lost[string](vain) })
		}),
		inner("conduct of the foundation", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.CodeOfConduct = lost[string](vain) })
		}),
		inner("security team", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.SecurityTeam = lost[bool](vain) })
		}),
		inner("list of the foundation", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.Listed = lost[bool](vain) })
		}),
		inner("last audit", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.LastAudit = lost[time.Time](vain) })
		}),
		inner("approvers", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Approvers = lost[int](vain) })
		}),
		inner("mergers", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Mergers = lost[int](vain) })
		}),
		inner("closed changes", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Closed = lost[int](vain) })
		}),
		inner("merged changes", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Merged = lost[int](vain) })
		}),
		inner("answers on changes", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.FirstResponse = lost[int64](vain) })
		}),
		inner("unanswered changes", func(vain bool) change {
			return changes(func(w *scoring.ChangeWindow) { w.Unanswered = lost[int](vain) })
		}),
		inner("answers on issues", func(vain bool) change {
			return issues(func(i *scoring.Issues) { i.FirstResponse = lost[int64](vain) })
		}),
		inner("open issues", func(vain bool) change { return issues(func(i *scoring.Issues) { i.Open = lost[int](vain) }) }),
		inner("age of issues", func(vain bool) change {
			return issues(func(i *scoring.Issues) { i.MedianAge = lost[int64](vain) })
		}),
		inner("closed issues", func(vain bool) change {
			return issues(func(i *scoring.Issues) { i.Closed12m = lost[int](vain) })
		}),
		inner("days of runs", func(vain bool) change { return runs(func(v *scoring.Runs) { v.Days = lost[int](vain) }) }),
		inner("force push", func(vain bool) change {
			return rules(func(v *scoring.Rules) { v.ForcePush = lost[bool](vain) })
		}),
		inner("required review", func(vain bool) change {
			return rules(func(v *scoring.Rules) { v.ReviewRequired = lost[bool](vain) })
		}),
		inner("organisations", func(vain bool) change {
			return team(func(t *scoring.Team) { t.Organisations = lost[[2]int](vain) })
		}),
		inner("leadership", func(vain bool) change {
			return records(func(g *scoring.Governance) { g.Leadership = lost[string](vain) })
		}),
		inner("one comparison", func(bool) change {
			return advisories(func(a *scoring.Advisories) {
				deployed := map[string][]scoring.Advisory{}
				for v, list := range a.Deployed {
					if v != "9.2.1" {
						deployed[v] = list
					}
				}
				a.Deployed = deployed
			})
		}),
		inner("what is certain about vulnerabilities", func(bool) change {
			return advisories(func(a *scoring.Advisories) {
				unclear := map[string][]scoring.Advisory{}
				for _, m := range []map[string][]scoring.Advisory{a.Unclear, a.Deployed} {
					for v, list := range m {
						unclear[v] = append(slices.Clone(unclear[v]), list...)
					}
				}
				deployed := map[string][]scoring.Advisory{}
				for v := range a.Deployed {
					deployed[v] = []scoring.Advisory{}
				}
				a.Deployed, a.Unclear = deployed, unclear
			})
		}),
		inner("a fixed tag", func(bool) change {
			return advisories(func(a *scoring.Advisories) {
				if n := len(a.FixDays); n > 0 {
					a.FixDays, a.FixUnknown = slices.Clone(a.FixDays)[:n-1], a.FixUnknown+1
				}
			})
		}),
	}
}

// placeImprovements make one fact of these places better.
func placeImprovements() []improvement {
	plus := func(f *audit.Fact[int], n int) {
		if v, known := f.Get(); known {
			*f = audit.Known(v + n)
		}
	}
	sooner := func(f *audit.Fact[int64]) {
		if v, known := f.Get(); known {
			*f = audit.Known(v / 2)
		}
	}
	return []improvement{
		{"more labels for newcomers", home(func(h *scoring.Home) { plus(&h.Newcomers, 3) })},
		{"more reviewed changes", changes(func(w *scoring.ChangeWindow) { w.Reviewed = audit.Known(w.Sample) })},
		{"a code of conduct and a policy on the forge", home(func(h *scoring.Home) { h.CodeOfConduct, h.Security = audit.Known(true), audit.Known(true) })},
		{"an SBOM at a release", home(func(h *scoring.Home) {
			h.Releases = audit.Known([]scoring.Published{{Tag: "v9", Assets: map[string]int{"sbom": 1}}})
		})},
		{"required checks", rules(func(v *scoring.Rules) { v.ChecksRequired = audit.Known(true) })},
		{"fewer seats of one employer", team(func(t *scoring.Team) {
			if b, known := t.TopOrgBP.Get(); known {
				t.TopOrgBP = audit.Known([2]int{b[0] / 2, b[1] / 2})
			}
		})},
		{"an audit and a term of today", records(func(g *scoring.Governance) {
			if _, known := g.LastAudit.Get(); known {
				g.LastAudit, g.TermSince = seen(today, "foundation"), seen(today, "foundation")
			}
		})},
		{"more closed changes", changes(func(w *scoring.ChangeWindow) { plus(&w.Closed, 9) })},
		{"another approver", changes(func(w *scoring.ChangeWindow) { plus(&w.Approvers, 1) })},
		{"another merger on the forge", changes(func(w *scoring.ChangeWindow) { plus(&w.Mergers, 1) })},
		{"sooner answers on changes", changes(func(w *scoring.ChangeWindow) { sooner(&w.FirstResponse) })},
		{"no change without an answer", changes(func(w *scoring.ChangeWindow) { w.Unanswered = audit.Known(0) })},
		{"sooner answers on issues", issues(func(i *scoring.Issues) { sooner(&i.FirstResponse) })},
		{"more closed issues", issues(func(i *scoring.Issues) { plus(&i.Closed12m, 9) })},
		{"younger issues", issues(func(i *scoring.Issues) { sooner(&i.MedianAge) })},
		{"a public tracker", issues(func(i *scoring.Issues) { i.Public = audit.Known(true) })},
		{"more good runs", runs(func(v *scoring.Runs) { v.Succeeded = v.Sample })},
		{"better rules", rules(func(v *scoring.Rules) { v.ForcePush, v.ReviewRequired = audit.Known(false), audit.Known(true) })},
		{"more organisations", team(func(t *scoring.Team) {
			if o, known := t.Organisations.Get(); known {
				t.Organisations = audit.Known([2]int{o[0] + 1, o[1] + 1})
			}
		})},
		{"an election", records(func(g *scoring.Governance) {
			g.Leadership, g.TermSince = seen("elected", "foundation"), seen(today, "foundation")
		})},
		{"no open vulnerability", advisories(func(a *scoring.Advisories) { a.Deployed = map[string][]scoring.Advisory{"9.2.1": {}, "8.0": {}} })},
		{"nothing unclear about vulnerabilities", advisories(func(a *scoring.Advisories) { a.Unclear = nil })},
		{"every database read", advisories(func(a *scoring.Advisories) { a.Gaps = nil })},
		{"a sooner fix", advisories(func(a *scoring.Advisories) {
			a.FixDays = slices.Clone(a.FixDays)
			for i := range a.FixDays {
				a.FixDays[i] /= 2
			}
		})},
		{"a gold badge", badges(func(b *scoring.Badge) { b.Level, b.Project = "gold", 1 })},
		{"another distribution", packaging(func(p *scoring.Packaging) { p.Families++; p.Current++ })},
		{"more dependents", dependents(func(d *scoring.Dependents) { d.Count *= 10 })},
	}
}
