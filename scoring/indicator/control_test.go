package indicator_test

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// controlCannot is cannot for the questions about open core, control and replacement.
var controlCannot = map[string]map[audit.Outcome]string{
	"LR-07": {audit.FAIL: "the scale never fails"},
	"LR-08": {audit.FAIL: "that the catalogue knows no interface proves nothing; a statement that there is none has a test of its own"},
	"LR-09": {audit.PASS: "for information only", audit.FAIL: "for information only"},
	"LR-11": {audit.PASS: "what only the operator says is tentative", audit.FAIL: "the scale never fails"},
}

func editions(list ...scoring.Edition) change {
	return project(func(p *scoring.Project) { p.Editions = audit.Known(list) })
}

func openEdition() scoring.Edition {
	return scoring.Edition{Name: "core", Licence: "EPL-1.0", Open: true, Versions: "*", Source: "example/example: LICENSE"}
}

func closedEdition() scoring.Edition {
	return scoring.Edition{Name: "Pro binary", Licence: "LicenseRef-Example-EULA", Versions: "*", Source: "example/images: Containerfile"}
}

func editionMarks(marks ...string) change {
	return tree(func(t *scoring.Tree) { t.Documents["editions"] = marked("README.md", marks...) })
}

func stating(id, by, value string) change {
	return func(s *sample) {
		s.e.Statements = append(s.e.Statements, scoring.Statement{Indicator: id, By: by, Value: value, At: ago(10), Source: "https://git.example.org/team/example/security-insights.yml"})
	}
}

func endUserAgreement(path string, vendored bool) scoring.SubLicence {
	return scoring.SubLicence{Document: marked(path, "end-user-agreement")[0], Vendored: vendored}
}

func deployed(f func(*scoring.Deployed)) change {
	return project(func(p *scoring.Project) {
		d, _ := p.Deployed.Get()
		f(&d)
		p.Deployed = audit.Known(d)
	})
}

// controlCases are the cases of the questions about open core, control and replacement.
func controlCases(add adder) {
	atTag := func(list ...scoring.SubLicence) change {
		return licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Parts = audit.Known(list) })
	}
	header := func(path, expression string, vendored bool) scoring.SubLicence {
		return scoring.SubLicence{Document: marked(path, "header")[0], Expression: expression, Vendored: vendored}
	}
	add("OS-04", "a closed edition of the rights holder fails and names its source", audit.FAIL, zeroScore, `"Pro binary" under LicenseRef-Example-EULA (example/images: Containerfile)`,
		editions(openEdition(), closedEdition()))
	add("OS-04", "a closed edition fails although nobody knows the deployed version", audit.FAIL, zeroScore, "Pro binary",
		editions(openEdition(), closedEdition()), project(func(p *scoring.Project) { p.Versions = nil }))
	add("OS-04", "a closed edition of other versions does not count", audit.PASS, fullScore, "", editions(openEdition(),
		scoring.Edition{Name: "Pro", Licence: "LicenseRef-Example-EULA", Versions: ">=10", Deployed: []string{"10.1"}, Source: "example"}))
	add("OS-04", "a closed edition of the deployed version counts", audit.FAIL, zeroScore, "Pro", editions(openEdition(),
		scoring.Edition{Name: "Pro", Licence: "LicenseRef-Example-EULA", Versions: ">=9", Deployed: []string{"9.2.1"}, Source: "example"}))
	add("OS-04", "an edition without an open one beside it is no open core", audit.PASS, fullScore, "", editions(closedEdition()))
	add("OS-04", "several open editions are no open core", audit.PASS, fullScore, "", editions(openEdition(),
		scoring.Edition{Name: "build", Licence: "Apache-2.0", Open: true, Versions: "*", Source: "example"}))
	add("OS-04", "an agreement with end users in the tree fails", audit.FAIL, zeroScore, "ui/PRO-LICENSE.html", atTag(endUserAgreement("ui/PRO-LICENSE.html", false)))
	add("OS-04", "one in vendored code counts half", audit.PART, halfScore, "vendored", atTag(endUserAgreement("vendor/EULA", true)))
	add("OS-04", "a source file under a closed licence fails", audit.FAIL, zeroScore, "core/a.go", atTag(header("core/a.go", "BUSL-1.1", false)))
	add("OS-04", "a source file under a licence that only its vendor knows is open", audit.DNF, open, "core/a.go", atTag(header("core/a.go", "LicenseRef-Example", false)))

	add("OS-05", "the healthy sample passes", audit.PASS, fullScore, "no sign of a restricted edition in 12 documents")
	add("OS-05", "a closed edition of the catalogue fails", audit.FAIL, zeroScore, "Pro binary", editions(openEdition(), closedEdition()))
	add("OS-05", "words are signals, and only a person can say what they mean", audit.DNF, open, "README.md:21 (functions of another edition), README.md:12 (another edition)",
		editionMarks("edition:12", "withheld:21"))
	add("OS-05", "an agreement with end users is a sign", audit.DNF, open, "PRO-LICENSE.html (agreement with end users)",
		tree(func(t *scoring.Tree) {
			t.SubLicences = []scoring.SubLicence{endUserAgreement("PRO-LICENSE.html", false)}
		}))
	add("OS-05", "builds of others are no open core", audit.PASS, fullScore, "builds of others", editionMarks("edition:12"), foundation("CNCF"))
	add("OS-05", "a closed part is a sign that no foundation excuses", audit.DNF, open, "tsl/LICENSE (parts under a closed licence)", foundation("CNCF"),
		tree(func(t *scoring.Tree) {
			t.SubLicences = []scoring.SubLicence{{Document: marked("tsl/LICENSE")[0], Expression: "BUSL-1.1"}}
		}))
	add("OS-05", "a part whose licence was not recognised leaves it open", audit.DNF, open, "not recognised: tsl/LICENSE",
		tree(func(t *scoring.Tree) { t.SubLicences = []scoring.SubLicence{{Document: marked("tsl/LICENSE")[0]}} }))
	add("OS-05", "where all is closed there is no open version to limit", audit.DNF, open, "BUSL-1.1",
		licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "BUSL-1.1" }))
	add("LR-10", "the catalogue of today is no proof against the list of the day", audit.DNF, open, "whose list of the day does not name the project", without("funding"), foundation("CNCF"),
		records(func(g *scoring.Governance) {
			*g = scoring.Governance{Foundation: "CNCF", Listed: seen(false, "foundation")}
		}))
	add("OS-05", "paid releases hold back no function", audit.PASS, fullScore, "", editionMarks("paid-releases:12"))
	add("OS-05", "the project says that nothing is held back", audit.PASS, fullScore, "the project says", editionMarks("edition:12"), stating("OS-05", scoring.ByProject, "true"))
	add("OS-05", "the project says that something is held back", audit.FAIL, zeroScore, "the project says", editionMarks("edition:12"), stating("OS-05", scoring.ByProject, "false"))
	add("OS-05", "what only the operator says is tentative", audit.DNF, open, "tentative", editionMarks("edition:12"), stating("OS-05", scoring.ByOperator, "false"))
	add("OS-05", "a statement replaces no measured pass", audit.PASS, fullScore, "no sign", stating("OS-05", scoring.ByProject, "false"))
	add("OS-05", "documents that nobody read are MISS", audit.MISS, open, "nobody looked", tree(func(t *scoring.Tree) { t.Prose = audit.Fact[int]{} }))
	add("OS-05", "a repository without documents says nothing", audit.DNF, open, "no README", tree(func(t *scoring.Tree) { t.Prose = audit.Known(0) }))

	cla := func(marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Documents["cla"] = marked("CLA.md", marks...) })
	}
	guide := func(marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Documents["contributing"] = marked("CONTRIBUTING.md", marks...) })
	}
	bot := func(topic string, marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Tools[topic] = marked(".github/x.yml", marks...) })
	}
	unsigned := windows(func(w *scoring.Window) { w.SignedOff = 0 })
	add("OS-07", "an agreement that names a foundation is with it", audit.PASS, fullScore, "foundation", cla("holder:foundation"))
	add("OS-07", "one that names a company although a foundation hosts is open", audit.DNF, atLeastHalf(), "not known", cla("holder:company"), foundation("CNCF"))
	add("OS-07", "a company that promises to stay open passes", audit.PASS, fullScore, "promises", cla("holder:company", "stays-open"))
	add("OS-07", "assignment to a foundation passes", audit.PASS, fullScore, "", cla("assignment", "holder:foundation"), foundation("FSF"))
	add("OS-07", "a bot that asks for a signature leaves the holder open", audit.DNF, open, "who holds it", bot("cla-bot", "cla-assistant"), without("dco"))
	add("OS-07", "EasyCLA is an agreement with the Linux Foundation", audit.PASS, fullScore, "foundation", bot("cla-bot", "easycla"), without("dco"), foundation("CNCF"))
	add("OS-07", "a bot that checks sign-off is a certificate of origin", audit.PASS, fullScore, "certificate of origin", bot("dco-bot"), without("dco"), unsigned)
	add("OS-07", "a guide with the company that holds the agreement counts half", audit.PART, halfScore, "company", guide("cla", "holder:company"), without("dco"))
	add("OS-07", "a guide that takes contributions under the same licence passes", audit.PASS, fullScore, "under the licence of the project", guide("inbound-outbound"), without("dco"), unsigned)
	add("OS-07", "Apache-2.0 takes contributions under the same licence in a foundation", audit.PASS, fullScore, "section 5", without("dco", "contributing"), unsigned, foundation("OpenInfra"))
	add("OS-07", "and says nothing about the agreements of a company", audit.DNF, open, "bots of the forge", without("dco", "contributing"), unsigned)
	add("OS-07", "terms are stated where the repository has none", audit.PASS, fullScore, "the project says", without("dco", "contributing"), unsigned, stating("OS-07", scoring.ByProject, "cla-foundation"))
	add("OS-07", "terms with a company are stated", audit.PART, halfScore, "the project says", without("dco", "contributing"), unsigned, stating("OS-07", scoring.ByProject, "cla-company"))
	add("OS-07", "stated words that mean nothing leave it open", audit.DNF, open, "none of dco", without("dco", "contributing"), unsigned, stating("OS-07", scoring.ByProject, "yes"))

	add("LR-04", "several employers of the maintainers and a small share pass in a company home", audit.PASS, fullScore, "3 to 5 organisations")
	add("LR-04", "a large share, one employer and a company home fail", audit.FAIL, zeroScore, "one organisation", topShare(6000, 6000), teamOf(1, 1))
	add("LR-04", "two of the three count half", audit.PART, halfScore, "", topShare(6000, 6000), teamOf(2, 3))
	add("LR-04", "the home of a person is no company's", audit.PASS, fullScore, "belongs to a person", topShare(6000, 6000), teamOf(2, 3), owner("person"))
	add("LR-04", "a community without a foundation is no company's home", audit.PASS, fullScore, "community", topShare(6000, 6000), teamOf(2, 3),
		project(func(p *scoring.Project) { p.Model = "community" }))

	add("LR-05", "a trademark of a company makes the home a company's", audit.PART, halfScore, "TRADEMARK.md", cla("holder:company"),
		project(func(p *scoring.Project) { p.Model = "" }), tree(func(t *scoring.Tree) { t.Documents["trademark"] = marked("TRADEMARK.md", "holder:company") }))
	add("LR-05", "a foundation takes the power away", audit.PASS, fullScore, "", cla("holder:foundation"), foundation("CNCF"), states("MIT", "SSPL-1.0", "MIT"))
	add("LR-05", "a choice of licences is no move", audit.PASS, fullScore, "left open licences no", states("MIT", "MIT OR SSPL-1.0", "Apache-2.0"))
	add("LR-05", "an owner that is not known leaves a point open", audit.DNF, atLeastHalf(), "whether a company owns it is not known", cla("holder:company"),
		project(func(p *scoring.Project) { p.Model = "" }))

	add("OS-06", "a move away is told with both licences and their days", audit.FAIL, zeroScore, "closed licence since 2022-04-28: SSPL-1.0; before that BSD-3-Clause from 2021-07-02", states("BSD-3-Clause", "SSPL-1.0"))
	add("OS-06", "a licence that was never open fails and says so", audit.FAIL, zeroScore, "closed licence since 2021-07-02: BUSL-1.1; never open since 2021-07-02", states("SSPL-1.0", "BUSL-1.1"))
	add("OS-06", "a return is told with its days", audit.PART, halfScore, "left the open licences on 2022-04-28 for SSPL-1.0 and came back on 2023-02-22 to AGPL-3.0-only OR SSPL-1.0",
		states("BSD-3-Clause", "SSPL-1.0", "AGPL-3.0-only OR SSPL-1.0"))
	add("OS-06", "a dual licence is no move", audit.PASS, fullScore, "open licence throughout", states("MIT", "MIT OR SSPL-1.0", "Apache-2.0 OR MIT"))

	add("LR-06", "what would settle it is said once", audit.DNF, open, "not recognised", licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "" }))

	add("LR-07", "an alternative passes and is named", audit.PASS, fullScore, "Sample (s3)")
	add("LR-07", "looked for and not found counts half", audit.PART, halfScore, "no open source", project(func(p *scoring.Project) { p.Alternatives = audit.Known([]scoring.Alternative{}) }))
	add("LR-07", "a project that the catalogue does not know is MISS", audit.MISS, open, "nobody looked", project(func(p *scoring.Project) { p.Alternatives = audit.Fact[[]scoring.Alternative]{} }))
	add("LR-07", "looked for in vain is DNF", audit.DNF, open, "broken", project(func(p *scoring.Project) { p.Alternatives = audit.Failed[[]scoring.Alternative]("broken") }))

	add("LR-08", "a standard interface passes", audit.PASS, fullScore, "Amazon S3 API")
	noStandards := project(func(p *scoring.Project) { p.Standards = audit.Fact[[]scoring.Standard]{} })
	add("LR-08", "nobody looked", audit.MISS, open, "nobody looked", noStandards)
	add("LR-08", "the project states its export", audit.PASS, fullScore, "the project says", noStandards, stating("LR-08", scoring.ByProject, "true"))
	add("LR-08", "none in the catalogue is no proof", audit.DNF, open, "names no standard", project(func(p *scoring.Project) { p.Standards = audit.Known([]scoring.Standard{}) }))

	add("LR-09", "the radius is information", audit.NA, open, "3 deployed components would be hit, and 1 other project of the stack depend on it: other")
	add("LR-09", "outside a stack nobody looked", audit.MISS, open, "nobody looked", project(func(p *scoring.Project) { p.Deployed = audit.Fact[scoring.Deployed]{} }))
	add("LR-09", "an impossible radius is no evidence", audit.DNF, open, "contradicts", deployed(func(d *scoring.Deployed) { d.Radius = -1 }))

	add("LR-11", "nobody but the operator is asked", audit.MISS, open, "declaration of the operator", stating("LR-11", scoring.ByProject, "true"))
	add("LR-11", "what the operator says is tentative", audit.DNF, open, "tentative", stating("LR-11", scoring.ByOperator, "true"))
	add("LR-11", "words that are no answer stay open", audit.DNF, open, "neither", stating("LR-11", scoring.ByOperator, "perhaps"))

	add("OS-10", "the healthy sample passes", audit.PASS, fullScore, "all of 40 dependencies")
	add("OS-10", "a restricted licence fails and is named", audit.FAIL, zeroScore, "pkg:npm/closed@1", deployed(func(d *scoring.Deployed) { d.Closed = []string{"pkg:npm/closed@1"} }))
	add("OS-10", "an unread licence is open", audit.DNF, open, "2 of 40", deployed(func(d *scoring.Deployed) { d.Unread = 2 }))
	add("OS-10", "no packages is no answer", audit.DNF, open, "no package", deployed(func(d *scoring.Deployed) { d.Dependencies = 0 }))
	add("OS-10", "outside a stack nobody looked", audit.MISS, open, "nobody looked", project(func(p *scoring.Project) { p.Deployed = audit.Fact[scoring.Deployed]{} }))
}

func teamOf(low, high int) change {
	return func(s *sample) {
		t, _ := s.e.Team.Get()
		t.Organisations = audit.Known([2]int{low, high})
		s.e.Team = audit.Known(t)
	}
}

func owner(kind string) change {
	return func(s *sample) {
		h, _ := s.e.Home.Get()
		h.OwnerKind = audit.Known(kind)
		s.e.Home = audit.Known(h)
	}
}

func topShare(low, high int) change {
	return windows(func(w *scoring.Window) { w.TopOrgLowBP, w.TopOrgHighBP = low, high })
}

func TestEachSignOfAnEditionIsGivenWithPathLineAndCommit(t *testing.T) {
	s := sampleWith(editionMarks("edition:12", "withheld:21", "pricing:30", "feature-table:40"))
	m := byID()["OS-05"].Measure(s.e, s.p, profile(t).Indicators["OS-05"])
	if len(m.Origins) != 4 {
		t.Fatalf("got %d origins, want one for each of 4 signs: %+v", len(m.Origins), m.Origins)
	}
	for i, line := range []int{21, 40, 12, 30} {
		if o := m.Origins[i]; o.Path != "README.md" || o.Line != line || o.Commit != revision || o.Digest == "" {
			t.Errorf("origin %d: %+v, want line %d of README.md at the commit", i, o, line)
		}
	}
	if len(m.Settle) != 1 || !strings.Contains(m.Settle[0], "OS-05: true") {
		t.Errorf("settle %q: want the statement that would answer", m.Settle)
	}
}

func TestAStatementAboutAnEditionIsMarkedAsDeclared(t *testing.T) {
	s := sampleWith(editionMarks("edition:12"), stating("OS-05", scoring.ByProject, "true"))
	m := byID()["OS-05"].Measure(s.e, s.p, profile(t).Indicators["OS-05"])
	if !m.Declared || m.Grade != audit.GradeDeclared {
		t.Errorf("declared %t, grade %q", m.Declared, m.Grade)
	}
}

func TestWhatWouldSettleAForkIsNoRepetitionOfTheReason(t *testing.T) {
	s := sampleWith(licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "" }), without("ci"))
	m := byID()["LR-06"].Measure(s.e, s.p, profile(t).Indicators["LR-06"])
	if len(m.Settle) != 2 || strings.Contains(strings.Join(m.Settle, " "), "settle") || m.Settle[0] == m.Reason {
		t.Errorf("settle %q", m.Settle)
	}
}
