package indicator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// lends is a foundation that lists the project and whose records name something.
func lends(f func(*scoring.Governance)) change {
	return func(s *sample) {
		s.p.Foundation = "Example Foundation"
		records(func(g *scoring.Governance) {
			g.Listed = seen(true, "foundation")
			g.Steps = []scoring.Step{{What: "project", Name: "example"}, {What: "team", Name: "identity"}, {What: "foundation", Name: "Example Foundation"}}
			f(g)
		})(s)
	}
}

// unlisted is a foundation whose complete list does not name the project.
func unlisted(s *sample) {
	s.p.Foundation = "Example Foundation"
	records(func(g *scoring.Governance) {
		*g = scoring.Governance{Foundation: "Example Foundation", Listed: seen(false, "foundation"), Charter: seen("https://foundation.example.org", "foundation")}
	})(s)
}

// homeless is a project of which the records say that no foundation hosts it.
func homeless(s *sample) {
	s.p.Foundation = "none"
	records(func(g *scoring.Governance) {
		*g = scoring.Governance{Foundation: "none", Listed: seen(false, "foundation")}
	})(s)
}

func onGitHub(s *sample) { s.e.Repo = "https://github.com/team/example" }

// presenceCases are the cases of questions that forge, team and foundation answer beside the files of the repository.
func presenceCases(add adder) {
	const conduct, charter = "https://foundation.example.org/conduct", "https://foundation.example.org/charter"
	none := func(g *scoring.Governance) {
		g.Charter, g.CodeOfConduct, g.SecurityTeam = seen("", "foundation"), seen("", "foundation"), seen(false, "foundation")
	}
	add("OC-06", "the charter of the foundation counts for the project", audit.PASS, fullScore, charter+" (by project example, team identity, foundation Example Foundation)",
		without("governance"), lends(func(g *scoring.Governance) { g.Charter = seen(charter, "foundation") }))
	add("OC-06", "records that name none are read to the end", audit.FAIL, zeroScore, "no governance document", without("governance"), lends(none))
	add("OC-06", "a foundation that does not list the project lends it nothing", audit.FAIL, zeroScore, "no governance document", without("governance"), unlisted)
	add("OC-06", "a charter counts where the tree could not be read", audit.PASS, fullScore, charter, noTree, lends(func(g *scoring.Governance) { g.Charter = seen(charter, "foundation") }))
	add("OC-06", "a page that the README names is listed by name", audit.DNF, open, "not read: docs.example.org/governance, which the README names", without("governance"), lends(none),
		tree(func(t *scoring.Tree) {
			t.ReadmePages = []string{"docs.example.org/governance", "docs.example.org/security"}
		}))
	add("OC-06", "another repository of the owner is listed by name", audit.DNF, open, "https://git.example.org/team/governance, which the README names", without("governance"), lends(none),
		tree(func(t *scoring.Tree) {
			t.ReadmeRepos = []string{"https://git.example.org/team/governance", "https://git.example.org/team/website"}
		}))
	add("OC-07", "the list of the foundation is enough", audit.PASS, fullScore, "hosted by Example Foundation", lends(func(*scoring.Governance) {}), foundation(""))
	add("OC-07", "a list that does not name the project outweighs the catalogue", audit.PART, halfScore, "does not name the project", unlisted)
	add("OC-07", "the catalogue alone is no pass", audit.DNF, atLeastHalf(), "not read: the records", foundation("CNCF"), noRecords)
	add("OC-09", "the code of conduct of the foundation counts", audit.PASS, fullScore, conduct, without("code-of-conduct"), lends(func(g *scoring.Governance) { g.CodeOfConduct = seen(conduct, "foundation") }))
	add("OC-09", "one that the owner lends on the forge counts", audit.PASS, fullScore, "forge shows a code of conduct", without("code-of-conduct"), onGitHub, home(func(h *scoring.Home) { h.CodeOfConduct = audit.Known(true) }))
	add("OC-09", "what GitHub lends has to be read first", audit.DNF, open, "what GitHub lends", without("code-of-conduct"), onGitHub)
	add("OC-09", "what GitHub does not lend is not there", audit.FAIL, zeroScore, "no code of conduct", without("code-of-conduct"), onGitHub, home(func(h *scoring.Home) { h.CodeOfConduct = audit.Known(false) }))
	add("OC-10", "a mailing list that was read is a channel", audit.PASS, fullScore, "mailing list", readmeNames(), changed(func(e *scoring.Evidence) *audit.Fact[scoring.Changes] { return &e.Changes }, func(c *scoring.Changes) { c.Forge = "mail" }))
	add("OC-10", "the lists of the foundation are channels of the project", audit.PASS, fullScore, "https://lists.example.org/ (by project", lends(func(g *scoring.Governance) { g.Channels = seen("https://lists.example.org/", "foundation") }))
	add("SE-01", "a security team that covers the project is a contact", audit.PASS, fullScore, "a team that handles vulnerabilities (by", without("security"), lends(func(g *scoring.Governance) { g.SecurityTeam = seen(true, "foundation") }))
	add("SE-01", "a team that does not cover it leaves nothing to read", audit.FAIL, zeroScore, "no security contact", without("security"), lends(none))
	add("SE-01", "a private way to report on the forge is a contact", audit.PASS, fullScore, "forge shows a security policy", without("security"), onGitHub, home(func(h *scoring.Home) { h.Security = audit.Known(true) }))
	add("SE-06", "an SBOM attached to a release passes", audit.PASS, fullScore, "release v9", without("sbom"), home(func(h *scoring.Home) {
		h.Releases = audit.Known([]scoring.Published{{Tag: "v9", Assets: map[string]int{"sbom": 1}}})
	}))
	add("SE-06", "releases without one leave attestations", audit.DNF, open, "not read: attestations of images and packages", without("sbom"), home(func(h *scoring.Home) {
		h.Releases = audit.Known([]scoring.Published{{Tag: "v9", Assets: map[string]int{"other": 1}}})
	}))
	add("MA-03", "a calendar of the project itself is a policy", audit.PASS, fullScore, "states ends", without("maintenance-policy"), cycles(scoring.Cycle{Name: "9", Prefix: "9", EndLow: ago(-90)}),
		func(s *sample) { s.e.Cycles.Grade = audit.GradeRecord })
	add("MA-03", "the table of somebody else is none", audit.DNF, open, "not read", without("maintenance-policy"), cycles(scoring.Cycle{Name: "9", Prefix: "9", EndLow: ago(-90)}),
		func(s *sample) { s.e.Cycles.Grade = audit.GradeThirdParty })
	add("MA-06", "results of CI show that tests run", audit.PASS, fullScore, "25 % needed", without("ci"))
	add("MA-07", "checks that the forge requires are a gate", audit.PASS, fullScore, "requires checks", without("gate"))
	required := func(f audit.Fact[bool]) change {
		return rules(func(r *scoring.Rules) { r.ChecksRequired = f })
	}
	add("MA-07", "rules without one fail if every place was read", audit.FAIL, zeroScore, "no merge gate", without("gate"), required(audit.Known(false)))
	add("MA-07", "rules that nobody saw are named", audit.DNF, open, "not read: the rules of the forge", without("gate"), required(audit.Fact[bool]{}))
	add("MA-07", "a gate in the repository passes", audit.PASS, fullScore, ".zuul.yaml", required(audit.Fact[bool]{}))
	add("OV-08", "results of CI that is configured elsewhere pass", audit.PASS, fullScore, "100 results of ci", without("ci"))
	add("OV-08", "results that nobody read are named", audit.DNF, open, "the results of CI", without("ci"), noRuns)

	// Reviews on the forge beside those in git.
	unseen := windows(func(w *scoring.Window) { w.Reviewed, w.PullRequest = 0, w.HumanCommits })
	add("OV-02", "approvals on the forge pass where every commit came by a request", audit.PASS, fullScore, "the forge shows a review of 432 of 432 merged changes", unseen)
	add("OV-02", "requests that nobody approved fail", audit.FAIL, zeroScore, "a review of 0 of 432", unseen, changes(func(w *scoring.ChangeWindow) { w.Reviewed = audit.Known(0) }))
	add("OV-02", "commits around the forge leave it open", audit.DNF, audit.Between(0, 5528), "480 commits may have gone around it", windows(func(w *scoring.Window) { w.Reviewed, w.PullRequest = 0, w.HumanCommits/2 }),
		changes(func(w *scoring.ChangeWindow) { w.Reviewed = audit.Known(0) }))
	add("OV-02", "a part of the changes leaves the others open", audit.DNF, audit.Between(3640, 10000), "a review of 216 of 216", unseen,
		changes(func(w *scoring.ChangeWindow) {
			w.Sample, w.Whole, w.Reviewed, w.Merged = 216, false, audit.Known(216), audit.Known(500)
		}))
	add("OV-02", "more approvals than changes are no evidence", audit.DNF, open, "not read", unseen, changes(func(w *scoring.ChangeWindow) { w.Reviewed = audit.Known(w.Sample + 1) }))
	add("OV-02", "reviews that only a Change-Id stands for are called inferred", audit.PASS, fullScore, "that of 800 commits is inferred from the Change-Id", windows(func(w *scoring.Window) {
		w.Reviewed, w.ChangeID, w.Forms.ReviewedBy = w.HumanCommits, w.HumanCommits, w.HumanCommits-800
	}))

	// The archive flag.
	closed := func(mirror audit.Fact[string]) change {
		return home(func(h *scoring.Home) { h.Archived, h.MirrorOf = audit.Known(true), mirror })
	}
	add("AC-01", "an archived repository fails", audit.FAIL, zeroScore, "forge has archived the repository", closed(audit.Known("")))
	add("AC-01", "a review system is its own home", audit.FAIL, zeroScore, "gerrit has archived", home(func(h *scoring.Home) { h.Forge, h.Archived = "gerrit", audit.Known(true) }))
	add("AC-01", "it fails where git was not read", audit.FAIL, zeroScore, "archived", noHistory, closed(audit.Known("")))
	add("AC-01", "an archived mirror says nothing about its home", audit.PASS, fullScore, "240 human commits", closed(audit.Known("https://home.example.org/example")))
	add("AC-01", "one that may be a mirror says nothing", audit.PASS, fullScore, "240 human commits", closed(audit.Fact[string]{}))
	add("AC-01", "the mirror that the catalogue names says nothing", audit.PASS, fullScore, "240 human commits", closed(audit.Known("")), func(s *sample) {
		s.e.Repo, s.p.Mirror = "https://github.com/mirror/example", "https://github.com/mirror/example"
	})
	add("AC-01", "one that is reviewed elsewhere is a mirror", audit.PASS, fullScore, "240 human commits", closed(audit.Known("")), tree(func(t *scoring.Tree) { t.GerritProject = "review.example.net/x" }))

	// Leadership.
	add("OC-08", "a leadership that is shared counts by its term", audit.PASS, fullScore, "shared by people", records(func(g *scoring.Governance) { g.Leadership = seen("distributed", "foundation") }))
	add("OC-08", "a term that nobody knows leaves it open", audit.MISS, open, "when the term of the leadership (distributed) began", records(func(g *scoring.Governance) {
		g.Leadership, g.TermSince = seen("distributed", "foundation"), audit.Fact[time.Time]{}
	}))
	add("OC-08", "terms without a candidate are named", audit.PASS, fullScore, "nobody stood in 2 terms, the last 2025.2", records(func(g *scoring.Governance) { g.Vacancies = seen([]string{"2024.1", "2025.2"}, "foundation") }))
	add("OC-08", "a project without a foundation is on nobody's list", audit.DNF, open, "no foundation hosts the project; not read: how it is led", homeless)
	add("SE-14", "a project without a foundation is on nobody's list", audit.DNF, open, "no foundation hosts the project; not read: its security audits", homeless)
	add("OC-08", "a foundation that does not list the project says nothing about its leaders", audit.DNF, open, "does not name the project", unlisted)
	top := func(low, high int) change {
		return team(func(t *scoring.Team) { t.TopOrgBP = audit.Known([2]int{low, high}) })
	}
	add("OC-12", "more than half of the seats fail", audit.FAIL, zeroScore, "60 % to 70 % of the seats", top(6000, 7000))
	add("OC-12", "employers that are not known leave it open", audit.DNF, open, "both ends", top(3000, 7000))
	add("OC-12", "shares that cannot be are no evidence", audit.DNF, open, "contradict", top(8000, 7000))

	// Proposals.
	unruled := func(s *sample) { s.e.Rules = audit.Fact[scoring.Rules]{} }
	proposals := func(changed, reviewed int) change {
		return tree(func(t *scoring.Tree) {
			t.ProposalsChanged12m, t.ProposalsReviewed12m = audit.Known(changed), audit.Known(reviewed)
		})
	}
	add("OD-03", "four of five reviewed in git pass", audit.PASS, fullScore, "4 of 5 proposals", proposals(5, 4), unruled)
	add("OD-03", "fewer are a lower bound", audit.DNF, open, "reviews on the forge", proposals(5, 3), unruled)
	add("OD-03", "a forge that lets in nothing without a review passes", audit.PASS, fullScore, "nothing is merged without a review", proposals(5, 0))
	add("OD-03", "no proposal of the year is no evidence", audit.DNF, open, "no proposal changed", proposals(0, 0))
	add("OD-03", "more reviewed than changed is no evidence", audit.DNF, open, "contradict", proposals(5, 6), unruled)
	add("OD-03", "proposals may live elsewhere", audit.DNF, open, "beside this one", without("proposals"))
	add("OD-03", "nobody looked for reviews", audit.MISS, open, "the reviews of proposals", unruled, tree(func(t *scoring.Tree) { t.ProposalsReviewed12m = audit.Fact[int]{} }))

	// Work with others.
	with := func(projects int, authors ...string) change {
		return changed(func(e *scoring.Evidence) *audit.Fact[scoring.Shared] { return &e.Shared }, func(s *scoring.Shared) {
			s.Projects, s.Authors, s.Tested = projects, map[string]int{}, nil
			for _, id := range authors {
				s.Authors[id] = 3
			}
		})
	}
	add("AC-11", "a tested change counts like a shared author", audit.PASS, fullScore, "2 other projects (friend, neighbour) of 8", func(*sample) {})
	add("AC-11", "one of many fails", audit.FAIL, zeroScore, "1 other project (a) of 8", with(9, "a"))
	add("AC-11", "one of one is too few to tell", audit.DNF, open, "too few projects", with(2, "a"))
	add("AC-11", "more than were read are no evidence", audit.DNF, open, "contradict", with(2, "a", "b"))

	// Audits.
	listed := func(days int) change {
		return records(func(g *scoring.Governance) { g.LastAudit = seen(ago(days), "foundation") })
	}
	add("SE-14", "an old one leaves those that the foundation does not list", audit.DNF, open, "does not list", listed(1200))
	add("SE-14", "one of the future is no evidence", audit.DNF, open, "not plausible", listed(-5))
}

// presenceCannot is cannot for these questions.
var presenceCannot = map[string]map[audit.Outcome]string{
	"OD-03": {audit.FAIL: "reviews on the forge are never read one by one"},
}

func TestAnArchivedRepositoryFailsWhateverGitShows(t *testing.T) {
	prof := profile(t)
	s := sampleWith(home(func(h *scoring.Home) { h.Archived, h.MirrorOf = audit.Known(true), audit.Known("") }))
	m := measure(t, s, prof)["AC-01"]
	if m.Outcome != audit.FAIL || !m.KnockOut || m.Grade != audit.GradeForge {
		t.Errorf("got %v, knock-out %v, grade %q; want FAIL that knocks out by grade B", m.Outcome, m.KnockOut, m.Grade)
	}
}

func TestEveryPlaceThatWasNotReadIsSettledByName(t *testing.T) {
	s := sampleWith(without("security"), foundation("CNCF"), noRecords, onGitHub, readmeNames("example.org"),
		tree(func(t *scoring.Tree) { t.ReadmePages = []string{"example.org/security-policy", "example.org/roadmap"} }))
	m := measure(t, s, profile(t))["SE-01"]
	want := []string{
		"read what GitHub lends the repository from its owner", "read the pages of the foundation CNCF",
		"read example.org/security-policy, which the README names", "read places that the README names (example.org)",
	}
	if m.Outcome != audit.DNF || !slices.Equal(m.Settle, want) {
		t.Errorf("got %v, settle %q\nwant %q", m.Outcome, m.Settle, want)
	}
}

func TestTheGradeOfAnAnswerIsThatOfItsWorstFact(t *testing.T) {
	prof := profile(t)
	s := sampleWith()
	s.e.History.Grade, s.e.Tree.Grade, s.e.Badge.Grade = audit.GradeRecord, audit.GradeRecord, audit.GradeThirdParty
	for id, want := range map[string]audit.Grade{"LR-01": audit.GradeRecord, "SE-01": audit.GradeRecord, "SE-13": audit.GradeThirdParty, "OC-08": audit.GradeForge, "OV-02": audit.GradeRecord} {
		if m := measure(t, s, prof)[id]; m.Grade != want {
			t.Errorf("%s: grade %q, want %q", id, m.Grade, want)
		}
	}
	// What git leaves open the forge answers, with its own grade.
	windows(func(w *scoring.Window) { w.Reviewed, w.PullRequest = 0, w.HumanCommits })(&s)
	s.e.History.Grade = audit.GradeRecord
	if m := measure(t, s, prof)["OV-02"]; m.Outcome != audit.PASS || m.Grade != audit.GradeForge {
		t.Errorf("OV-02: %v of grade %q, want PASS of grade B", m.Outcome, m.Grade)
	}
	for _, m := range measure(t, sample{scoring.Evidence{}, scoring.Project{}}, prof) {
		if m.Grade != "" || strings.Contains(m.Reason, "says") {
			t.Errorf("%s: grade %q of nothing", m.Indicator, m.Grade)
		}
	}
}
