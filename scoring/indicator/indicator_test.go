package indicator_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

func TestTheIndicatorsAreThe89OfTheProfileInOrder(t *testing.T) {
	var ids []string
	for _, i := range indicator.All() {
		ids = append(ids, i.ID)
	}
	if got, want := len(ids), 89; got != want {
		t.Errorf("got %d indicators, want %d as documented", got, want)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("the ids are not sorted: %v", ids)
	}
	prof := profile(t)
	want := make([]string, 0, len(prof.Indicators))
	for id := range prof.Indicators {
		want = append(want, id)
	}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("indicators in code and profile differ:\n got %v\nwant %v", ids, want)
	}
}

type outcomeCase struct {
	name     string
	id       string
	changes  []change
	outcome  audit.Outcome
	interval audit.Interval
	reason   string // part of the reason
}

var (
	fullScore = audit.Exactly(10000)
	halfScore = audit.Exactly(5000)
	zeroScore = audit.Exactly(0)
	open      = audit.Interval{}
)

func atLeastHalf() audit.Interval { return audit.Between(5000, 10000) }

func setWindow(f func(*scoring.Window)) []change { return []change{windows(f)} }

func cases() []outcomeCase {
	var list []outcomeCase
	add := func(id, name string, o audit.Outcome, i audit.Interval, reason string, changes ...change) {
		list = append(list, outcomeCase{name, id, changes, o, i, reason})
	}

	// The healthy sample passes every question that git can answer; MA-02 needs more than git.
	for _, id := range []string{
		"AC-01", "AC-02", "AC-03", "AC-04", "AC-05", "AC-06", "LR-01", "LR-02", "LR-06", "LR-10",
		"MA-01", "MA-03", "MA-04", "MA-05", "MA-06", "MA-07", "MA-11", "MA-12", "MA-13", "MA-14", "MA-15",
		"OC-01", "OC-02", "OC-03", "OC-06", "OC-09", "OC-11", "OD-01", "OD-02", "OD-04",
		"OS-01", "OS-02", "OS-03", "OS-04", "OS-06", "OS-07", "OS-08", "OS-09", "OV-01", "OV-02", "OV-03", "OV-04", "OV-08", "OV-09",
		"SE-01", "SE-02", "SE-06", "SE-07", "SE-08", "SE-10", "SE-11", "SE-15", "LR-05",
	} {
		add(id, "the healthy sample passes", audit.PASS, fullScore, "")
	}
	for _, id := range []string{"OC-07", "LR-04"} {
		add(id, "a home in a foundation passes", audit.PASS, fullScore, "hosted by OpenInfra", foundation("OpenInfra"))
	}

	// Open source.
	add("OS-01", "a closed licence at the deployed version fails and names it", audit.FAIL, zeroScore, "SSPL-1.0 at version 9.2.1 is not an open licence",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Expression = "SSPL-1.0" }))
	add("OS-01", "a closed licence at another revision says nothing about the deployed version", audit.PASS, fullScore, "Apache-2.0 at version 9.2.1",
		licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "SSPL-1.0" }))
	add("OS-01", "a choice with one open licence passes", audit.PASS, fullScore, "",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Expression = "SSPL-1.0 OR AGPL-3.0-only" }))
	add("OS-01", "the worst of several versions decides", audit.FAIL, zeroScore, "version 8.0",
		licenceAt("8.0", func(l *scoring.LicenceFacts) { l.Expression = "BUSL-1.1" }),
		project(func(p *scoring.Project) { p.Versions = []string{"9.2.1", "8.0"} }))
	add("OS-01", "a version whose licence nobody read is not covered by another", audit.MISS, open, "version 8.0",
		project(func(p *scoring.Project) { p.Versions = []string{"9.2.1", "8.0"} }))
	add("OS-01", "an unrecognised licence is open", audit.DNF, open, "not recognised",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Expression = "" }))
	add("OS-01", "a licence for documents is no licence for the program", audit.DNF, open, "documents or data",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Expression = "CC-BY-4.0" }))
	add("OS-01", "an unknown deployed version is not the evaluated revision", audit.MISS, open, "deployed version is not known",
		project(func(p *scoring.Project) { p.Versions = nil }))
	add("OS-01", "a project outside any stack is judged at the evaluated revision", audit.PASS, fullScore, "evaluated revision",
		project(func(p *scoring.Project) { p.Versions, p.Links = nil, nil }))
	row := func(name, expression string, open bool) scoring.Edition {
		return scoring.Edition{Name: name, Licence: expression, Open: open, Source: "example: LICENSE at v9.0"}
	}
	expects := func(version string, rows ...scoring.Edition) change {
		return project(func(p *scoring.Project) {
			p.Expected = audit.Known(map[string][]scoring.Edition{version: rows}, audit.Origin{Source: "catalogue", Path: "example"}).Graded(audit.GradeThirdParty, time.Time{}, audit.Month)
		})
	}
	unread := func(s *sample) { s.e.Licences = nil }
	add("OS-01", "the catalogue fails a version that nobody read", audit.FAIL, zeroScore, "BUSL-1.1 (example: LICENSE at v9.0)", unread, expects("9.2.1", row("", "BUSL-1.1", false)))
	add("OS-01", "so it does if the clone is missing", audit.FAIL, zeroScore, "by the catalogue", func(s *sample) { s.e = scoring.Evidence{Failure: "no clone"} }, expects("9.2.1", row("", "BUSL-1.1", false)))
	add("OS-01", "all editions closed fail", audit.FAIL, zeroScore, "by the catalogue", unread, expects("9.2.1", row("a", "BUSL-1.1", false), row("b", "LicenseRef-Example", false)))
	add("OS-01", "one open edition leaves it open", audit.MISS, open, "expects at version 9.2.1 MIT for the edition", unread, expects("9.2.1", row("a", "MIT", true), row("b", "BUSL-1.1", false)))
	add("OS-01", "an open licence of the catalogue passes nothing", audit.MISS, open, "expects at version 9.2.1 MIT", unread, expects("9.2.1", row("", "MIT", true)))
	add("OS-01", "a row without source fails nothing", audit.MISS, open, "BUSL-1.1", unread, expects("9.2.1", scoring.Edition{Licence: "BUSL-1.1"}))
	add("OS-01", "a licence that is free is not closed", audit.MISS, open, "WTFPL", unread, expects("9.2.1", row("", "WTFPL", false)))
	add("OS-01", "a row for another version says nothing", audit.MISS, open, "nobody looked", unread, expects("8.0", row("", "BUSL-1.1", false)))
	add("OS-01", "a row for all versions fails outside a stack", audit.FAIL, zeroScore, "at every version by the catalogue", unread, expects("", row("", "BUSL-1.1", false)),
		project(func(p *scoring.Project) { p.Versions, p.Links = nil, nil }))
	add("OS-01", "a row for some versions fails nothing outside a stack", audit.MISS, open, "nobody looked", unread, expects("9.2.1", row("", "BUSL-1.1", false)),
		project(func(p *scoring.Project) { p.Versions, p.Links = nil, nil }))
	add("OS-01", "the licence file that was read comes before the catalogue", audit.PASS, fullScore, "open licence", expects("9.2.1", row("", "BUSL-1.1", false)))
	add("OS-02", "no licence file fails although the README names places", audit.FAIL, zeroScore, "no licence file",
		tree(func(t *scoring.Tree) { t.LicenceFiles = nil }), readmeNames("example.org"))
	headers := func(said, spdx audit.Fact[int]) change {
		return tree(func(t *scoring.Tree) { t.LicenceNotices, t.SPDXHeaders = said, spdx })
	}
	add("OS-03", "notices count, SPDX lines are named", audit.PASS, fullScore, "290 of 300 source files name their licence (96 %), 20 of them by an SPDX line", headers(audit.Known(290), audit.Known(20)))
	add("OS-03", "no headers fail", audit.FAIL, zeroScore, "0 of 300", headers(audit.Known(0), audit.Known(0)))
	add("OS-03", "between the thresholds the score is rounded outward", audit.PART, audit.Between(4999, 5000), "(54 %)",
		headers(audit.Known(16501), audit.Known(1)), tree(func(t *scoring.Tree) { t.SourceFiles = 30003 }))
	add("OS-03", "SPDX lines alone pass where they suffice", audit.PASS, fullScore, "by an SPDX line", headers(audit.Fact[int]{}, audit.Known(290)))
	add("OS-03", "few SPDX lines alone do not fail", audit.DNF, audit.Between(0, audit.Full), "other words were not counted", headers(audit.Fact[int]{}, audit.Known(2)))
	add("OS-03", "REUSE covers the tree", audit.PASS, fullScore, "REUSE", headers(audit.Fact[int]{}, audit.Fact[int]{}), tree(func(t *scoring.Tree) { t.REUSE = true }))
	add("OS-03", "without source files it does not apply", audit.NA, open, "no source files", tree(func(t *scoring.Tree) { t.SourceFiles = 0 }))
	add("OS-03", "nobody counted", audit.MISS, open, "nobody looked", headers(audit.Fact[int]{}, audit.Fact[int]{}))
	add("OS-03", "more notices than files is no evidence", audit.DNF, open, "contradict", headers(audit.Known(301), audit.Known(20)))
	add("OS-03", "more SPDX lines than files is no evidence", audit.DNF, open, "contradict", headers(audit.Fact[int]{}, audit.Known(301)))
	add("OS-03", "more SPDX lines than notices is no evidence", audit.DNF, open, "contradict", headers(audit.Known(10), audit.Known(20)))
	part := func(path, expression string, vendored, product bool) scoring.SubLicence {
		return scoring.SubLicence{Document: docs(path)[0], Expression: expression, Vendored: vendored, Product: product}
	}
	parts := func(list ...scoring.SubLicence) change {
		return licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Parts = audit.Known(list) })
	}
	add("OS-04", "a closed product part fails and names the file", audit.FAIL, zeroScore, "ee/LICENSE", parts(part("ee/LICENSE", "Elastic-2.0", false, true)))
	add("OS-04", "a closed licence in vendored code counts half", audit.PART, halfScore, "vendored code only", parts(part("vendor/x/LICENSE", "SSPL-1.0", true, false)))
	add("OS-04", "an enterprise directory under an open licence is open", audit.PASS, fullScore, "", parts(part("ee/LICENSE", "Apache-2.0", false, true)))
	add("OS-04", "an unrecognised product part leaves the answer open", audit.DNF, open, "not recognised", parts(part("ee/LICENSE", "", false, true)))
	add("OS-04", "an unrecognised vendored part can cost half at most", audit.DNF, atLeastHalf(), "not recognised", parts(part("vendor/x/LICENSE", "", true, false)))
	add("OS-04", "the tree of another revision says nothing about the deployed version", audit.MISS, open, "version 9.2.1",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Parts = audit.Fact[[]scoring.SubLicence]{} }))
	add("OS-04", "the tree at the tag of the deployed version is its tree", audit.FAIL, zeroScore, "ee/LICENSE",
		licenceAt("9.2.1", func(l *scoring.LicenceFacts) { l.Parts = audit.Fact[[]scoring.SubLicence]{} }),
		releases(func(r *scoring.Releases) { r.TagOf["9.2.1"] = scoring.Tag{Name: "v9.2.1", Commit: revision} }),
		tree(func(t *scoring.Tree) {
			t.SubLicences = []scoring.SubLicence{part("ee/LICENSE", "BUSL-1.1", false, true)}
		}))
	add("OS-06", "a licence that is closed now fails", audit.FAIL, zeroScore, "closed licence since", states("BSD-3-Clause", "SSPL-1.0"))
	add("OS-06", "one that left and came back counts half", audit.PART, halfScore, "came back", states("BSD-3-Clause", "SSPL-1.0", "AGPL-3.0-only"))
	add("OS-06", "one that was closed first and opened never left", audit.PASS, fullScore, "", states("SSPL-1.0", "AGPL-3.0-only"))
	add("OS-06", "an unrecognised licence of the past can cost half at most", audit.DNF, atLeastHalf(), "not recognised", states("BSD-3-Clause", "", "MIT"))
	add("OS-06", "an unrecognised licence of today is open", audit.DNF, open, "not recognised", states("BSD-3-Clause", ""))
	add("OS-06", "a cut-off history proves no stability", audit.DNF, open, "does not reach back", shallow(), func(s *sample) {
		s.e.LicenceHistory = audit.Known([]scoring.LicenceState{{From: ago(300), Expression: "MIT"}})
	})
	add("OS-06", "a project younger than the window is stable since its start", audit.PASS, fullScore, "", young(300), func(s *sample) {
		s.e.LicenceHistory = audit.Known([]scoring.LicenceState{{From: ago(300), Expression: "MIT"}})
	})
	cla := func(marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Documents["cla"] = marked("CLA.md", marks...) })
	}
	add("OS-07", "assignment to a company fails", audit.FAIL, zeroScore, "copyright assignment", cla("assignment"))
	add("OS-07", "a CLA to a company counts half", audit.PART, halfScore, "with a company", cla())
	add("OS-07", "a CLA to a foundation passes", audit.PASS, fullScore, "with a foundation", cla(), foundation("OpenInfra"))
	add("OS-07", "a CLA of an unknown holder is open", audit.DNF, atLeastHalf(), "not known", cla(), foundation(""))
	add("OS-07", "signed-off commits stand for a certificate of origin", audit.PASS, fullScore, "100 %", without("dco"))
	add("OS-07", "no terms in the repository leave the bots of the forge", audit.DNF, open, "not read: the bots", without("dco"),
		windows(func(w *scoring.Window) { w.SignedOff = 0 }))
	add("OS-08", "a project that claims no DCO is not asked", audit.NA, open, "does not claim", without("dco"))
	guide := func(marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Documents["contributing"] = marked("CONTRIBUTING.md", marks...) })
	}
	add("OS-07", "a guide that mentions an agreement leaves its terms open", audit.DNF, open, "who holds it is not known", guide("cla"))
	add("LR-05", "a guide that mentions an agreement leaves its point open", audit.DNF, atLeastHalf(), "terms in favour of a company unknown", guide("cla"))
	add("OS-08", "a guide that mentions sign-off does not demand it", audit.DNF, open, "demanded", guide("dco"), without("dco"),
		windows(func(w *scoring.Window) { w.SignedOff = 0 }))
	add("OS-08", "all signed off pass where a guide mentions it", audit.PASS, fullScore, "100 %", guide("dco"), without("dco"))
	add("OS-08", "a claim without sign-offs fails", audit.FAIL, zeroScore, "0 %", windows(func(w *scoring.Window) { w.SignedOff = 0 }))
	add("OS-08", "a cut-off history has no share", audit.DNF, open, "does not reach back", shallow())
	add("OS-09", "no grant and no document fail if every place was read", audit.FAIL, zeroScore, "and no patent grant", without("notice"),
		licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "MIT" }))
	add("OS-09", "the foundation may have a policy", audit.DNF, open, "OpenInfra", without("notice"), foundation("OpenInfra"),
		licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "MIT" }))
	add("OS-09", "a licence with a grant passes without a document", audit.PASS, fullScore, "grants patent rights", without("notice"))
	add("OS-09", "a grant in one part of the licence is not enough", audit.FAIL, zeroScore, "", without("notice"),
		licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "Apache-2.0 AND MIT" }))

	// Open community.
	add("OC-01", "one organisation fails", audit.FAIL, zeroScore, "1 organisation", setWindow(func(w *scoring.Window) { w.ElephantLow, w.ElephantHigh = 1, 1 })...)
	add("OC-01", "two count half", audit.PART, halfScore, "2 organisations", setWindow(func(w *scoring.Window) { w.ElephantLow, w.ElephantHigh = 2, 2 })...)
	add("OC-01", "ends that disagree leave it open between their outcomes", audit.DNF, atLeastHalf(), "both ends must agree", setWindow(func(w *scoring.Window) { w.ElephantLow, w.ElephantHigh = 2, 3 })...)
	add("OC-01", "one organisation in a young project is no failure yet", audit.DNF, open, "younger than", young(100), windows(func(w *scoring.Window) { w.ElephantLow, w.ElephantHigh = 1, 1 }))
	share := func(low, high int) change {
		return windows(func(w *scoring.Window) {
			w.TopOrgLowBP, w.TopOrgHighBP, w.TopTwoLowBP, w.TopTwoHighBP = low, high, low, high
		})
	}
	add("OC-02", "more than 90 % fails", audit.FAIL, zeroScore, "90.01 %", share(9001, 9500))
	add("OC-02", "exactly 90 % counts half", audit.PART, halfScore, "", share(9000, 9000))
	add("OC-02", "exactly 50 % passes", audit.PASS, fullScore, "", share(5000, 5000))
	add("OC-02", "an interval over a threshold is open", audit.DNF, audit.Between(0, 10000), "both ends", share(4200, 9100))
	add("OC-02", "without human commits there is no share", audit.DNF, open, "no human commit", windows(func(w *scoring.Window) {
		*w = scoring.Window{Months: w.Months}
	}))
	add("OC-03", "it never fails", audit.PART, halfScore, "", share(10000, 10000))
	add("OC-03", "an interval over the threshold is open", audit.DNF, atLeastHalf(), "", share(7000, 9000))
	add("OC-06", "no document fails if every place was read", audit.FAIL, zeroScore, "no other place", without("governance"))
	add("OC-06", "a foundation that was not read leaves it open", audit.DNF, open, "not read: the pages of the foundation CNCF", without("governance"), foundation("CNCF"))
	add("OC-06", "an unknown foundation leaves it open", audit.DNF, open, "which is not known", without("governance"), foundation(""), noRecords)
	add("OC-06", "places that the README names leave it open", audit.DNF, open, "docs.example.org", without("governance"), readmeNames("docs.example.org"))
	add("OC-07", "no foundation counts half", audit.PART, halfScore, "no foundation")
	add("OC-07", "an unknown foundation is open", audit.MISS, open, "nobody looked", foundation(""))
	add("OC-09", "no document fails if every place was read", audit.FAIL, zeroScore, "", without("code-of-conduct"))
	add("OC-09", "places that were not read leave it open", audit.DNF, open, "not read", without("code-of-conduct"), foundation("CNCF"))
	add("OC-10", "a mailing list in the README passes", audit.PASS, fullScore, "lists.example.org", readmeNames("lists.example.org", "example.org"))
	add("OC-10", "a host that only looks like one does not count", audit.DNF, open, "documentation", readmeNames("listservice.example.org"))
	add("OC-11", "one band counts half, never less", audit.PART, halfScore, "1 band", windows(func(w *scoring.Window) { w.OffsetBands = 1 }))
	add("OC-11", "one band in a cut-off history is a lower bound", audit.DNF, atLeastHalf(), "", windows(func(w *scoring.Window) { w.OffsetBands = 1 }), shallow())

	// Open development.
	add("OV-01", "a quiet year counts half, never less", audit.PART, halfScore, "3 months of 12", windows(func(w *scoring.Window) { w.ActiveMonths = 3 }))
	add("OV-01", "a project younger than the year is not judged by it", audit.DNF, atLeastHalf(), "younger", windows(func(w *scoring.Window) { w.ActiveMonths = 3 }), young(90))
	add("OV-02", "reviews that git does not show may be on the forge", audit.DNF, open, "not read", windows(func(w *scoring.Window) { w.Reviewed = 0 }), noChanges)
	add("OV-02", "half reviewed in git is a lower bound", audit.DNF, audit.Between(5000, 10000), "not read", windows(func(w *scoring.Window) { w.Reviewed = w.HumanCommits / 2 }), noChanges)
	add("OV-03", "nothing from outside fails", audit.FAIL, zeroScore, "0 %", share(10000, 10000))
	add("OV-03", "an interval keeps the scores of its ends", audit.DNF, audit.Between(5000, 10000), "", share(6000, 8000))
	add("OV-03", "an interval between the thresholds is known in part", audit.PART, audit.Between(2500, 5000), "", share(8000, 8500))
	add("OV-04", "a short guide without a link fails if every place was read", audit.FAIL, zeroScore, "301 needed", tree(func(t *scoring.Tree) { t.Documents["contributing"][0].Words = 300 }))
	add("OV-04", "a short guide is a lower bound while places were not read", audit.DNF, open, "not read", tree(func(t *scoring.Tree) {
		t.Documents["contributing"] = []scoring.Document{{Path: "CONTRIBUTING.md", Words: 20}}
	}), foundation("CNCF"))
	add("OV-04", "a short guide that links on passes", audit.PASS, fullScore, "links", tree(func(t *scoring.Tree) {
		t.Documents["contributing"] = []scoring.Document{{Path: "CONTRIBUTING.md", Words: 20, Marks: []string{"link"}}}
	}))
	add("OV-04", "a guide that nobody could read is open", audit.DNF, open, "nobody could read", tree(func(t *scoring.Tree) {
		t.Documents["contributing"] = []scoring.Document{{Path: "CONTRIBUTING.md"}}
	}))
	add("OV-04", "no guide fails if every place was read", audit.FAIL, zeroScore, "no contribution guide", without("contributing"))
	add("OV-08", "no configuration and no run fail if every place was read", audit.FAIL, zeroScore, "", without("ci"), runs(func(r *scoring.Runs) { r.Sample, r.Succeeded = 0, 0 }))
	add("OV-08", "CI that is configured elsewhere is not denied", audit.DNF, open, "not read", without("ci"), noRuns, readmeNames("ci.example.org"))
	repo := func(url string) change { return func(s *sample) { s.e.Repo = url } }
	add("OV-09", "a mirror counts half", audit.PART, halfScore, "mirror", repo("https://forge.example.net/mirror/example"),
		project(func(p *scoring.Project) { p.Mirror = "https://forge.example.net/mirror/example.git" }))
	add("OV-09", "a repository reviewed at another home is a mirror", audit.PART, halfScore, "reviewed at", tree(func(t *scoring.Tree) { t.GerritProject = "review.example.com/team/example" }))
	add("OV-09", "a repository that its forge calls a mirror counts half", audit.PART, halfScore, "mirror of", func(s *sample) {
		s.e.Home = audit.Known(scoring.Home{Forge: "github", MirrorOf: audit.Known("https://forge.example.net/true/home")})
	})
	add("OV-09", "a mirror that could not be left counts half", audit.PART, halfScore, "mirror of", func(s *sample) {
		s.e.MirrorOf = audit.Known("https://forge.example.net/true/home")
	})
	add("OV-09", "a repository beside its review system is the source", audit.PASS, fullScore, "", tree(func(t *scoring.Tree) { t.GerritProject = "review.example.org/team/example" }))
	add("OV-09", "an address that the catalogue does not know is open", audit.DNF, atLeastHalf(), "authoritative", repo("https://elsewhere.example.com/x/y"))
	add("OV-09", "a clone without an address is open", audit.DNF, open, "not known", repo("local clone"))

	// Open design.
	add("OD-01", "proposals may live elsewhere", audit.DNF, open, "beside this one", without("proposals"))
	add("OD-02", "few changed proposals are a lower bound", audit.DNF, audit.Between(3333, 10000), "not read", tree(func(t *scoring.Tree) { t.ProposalsChanged12m = audit.Known(1) }))
	add("OD-02", "no directory leaves other repositories", audit.DNF, open, "beside this one", without("proposals"))
	add("OD-02", "nobody counted the changes", audit.MISS, open, "nobody looked", tree(func(t *scoring.Tree) { t.ProposalsChanged12m = audit.Fact[int]{} }))
	add("OD-04", "an old roadmap leaves milestones", audit.DNF, open, "366 days ago", tree(func(t *scoring.Tree) { t.RoadmapChanged = audit.Known(ago(366)) }))
	add("OD-04", "a roadmap of a year passes", audit.PASS, fullScore, "365 days ago", tree(func(t *scoring.Tree) { t.RoadmapChanged = audit.Known(ago(365)) }))
	add("OD-04", "a roadmap of the future is no evidence", audit.DNF, open, "not plausible", tree(func(t *scoring.Tree) { t.RoadmapChanged = audit.Known(ago(-2)) }))

	// Maturity.
	add("MA-01", "tags of old and none in two years fail", audit.FAIL, zeroScore, "0 releases", releases(func(r *scoring.Releases) { r.Releases24m, r.Signed24m, r.LastRelease = 0, 0, ago(900) }))
	add("MA-01", "one release counts half", audit.PART, halfScore, "1 release ", releases(func(r *scoring.Releases) { r.Releases24m, r.Signed24m = 1, 1 }))
	add("MA-01", "many releases of which the last is old count half", audit.PART, halfScore, "366 days ago", releases(func(r *scoring.Releases) { r.LastRelease = ago(366) }))
	add("MA-01", "no release tag at all is no failure", audit.DNF, open, "no tag", releases(func(r *scoring.Releases) {
		r.Releases24m, r.Signed24m, r.LastRelease = 0, 0, ago(0).AddDate(-9999, 0, 0)
	}),
		releases(func(r *scoring.Releases) { *r = scoring.Releases{} }))
	add("MA-01", "one release of a young project is a lower bound", audit.DNF, atLeastHalf(), "younger", releases(func(r *scoring.Releases) { r.Releases24m, r.Signed24m = 1, 1 }), young(300))
	add("MA-01", "one release of a project of unknown age is a lower bound", audit.DNF, atLeastHalf(), "age of the project", releases(func(r *scoring.Releases) { r.Releases24m, r.Signed24m = 1, 1 }), noHistory)
	eol := func(tags ...string) change { return releases(func(r *scoring.Releases) { r.EOLTags = tags }) }
	add("MA-02", "git alone never passes", audit.DNF, open, "until when")
	add("MA-02", "an end-of-life tag of the deployed series fails", audit.FAIL, zeroScore, "9.2-eol", eol("9.2-eol"))
	add("MA-02", "a tag of another series says nothing", audit.DNF, open, "until when", eol("9.20-eol", "9.1-eol", "9.2.10-eol", "train-eol"))
	add("MA-02", "the end of maintenance rules out a pass", audit.DNF, audit.Between(0, 5000), "maintenance", eol("stable-9-eom"))
	add("MA-02", "end of life is worse than end of maintenance", audit.FAIL, zeroScore, "v9.2-eol", eol("9.2-eom", "v9.2-eol"))
	in := func(days int) time.Time { return ago(-days) }
	ending := func(low, high int, more ...func(*scoring.Cycle)) change {
		c := scoring.Cycle{Name: "9 (nine)", Prefix: "9.2", EndLow: in(low), EndHigh: in(high), Status: "maintained"}
		for _, m := range more {
			m(&c)
		}
		return cycles(c, scoring.Cycle{Name: "9.20", Prefix: "9.20", Ended: true})
	}
	undated := func(c *scoring.Cycle) { c.EndLow, c.EndHigh = time.Time{}, time.Time{} }
	add("MA-02", "a calendar with a distant end passes", audit.PASS, fullScore, "9 (nine), whose maintenance ends on "+in(90).Format(time.DateOnly), ending(90, 90))
	add("MA-02", "an end in less than ninety days is between", audit.PART, halfScore, "in 89 days", ending(89, 89))
	add("MA-02", "the last day still counts", audit.PART, halfScore, "in 0 days", ending(0, 0))
	add("MA-02", "the day after the last one fails", audit.FAIL, zeroScore, "ended on "+in(-1).Format(time.DateOnly), ending(-1, -1))
	add("MA-02", "the earlier of two days decides whether it passes", audit.PART, halfScore, "between", ending(50, 300))
	add("MA-02", "between two days nobody knows", audit.DNF, audit.Between(0, 5000), "ends between", ending(-10, 20))
	add("MA-02", "the later of two days decides whether it fails", audit.FAIL, zeroScore, "ended on "+in(-5).Format(time.DateOnly), ending(-10, -5))
	add("MA-02", "an estimate that has passed ends nothing", audit.DNF, audit.Between(0, 5000), "is not announced", ending(-10, -5, func(c *scoring.Cycle) { c.Estimate = true }))
	add("MA-02", "a usual end that has passed ends nothing", audit.DNF, audit.Between(0, 5000), "usually ended", ending(-10, -5, func(c *scoring.Cycle) { c.EndHigh = time.Time{} }))
	add("MA-02", "a cycle that ended nobody says when fails", audit.FAIL, zeroScore, "end of life", ending(0, 0, undated, func(c *scoring.Cycle) { c.Ended, c.Status = true, "end of life" }))
	add("MA-02", "unmaintained is no end of life", audit.DNF, audit.Between(0, 5000), "full maintenance is over", ending(0, 0, undated, func(c *scoring.Cycle) { c.Ended, c.Status = true, "unmaintained" }))
	add("MA-02", "a cycle that goes on without a stated end is at least half", audit.DNF, atLeastHalf(), "no end is stated", ending(0, 0, undated))
	add("MA-02", "a cycle of which nothing is stated is open", audit.DNF, open, "no end is stated", ending(0, 0, undated, func(c *scoring.Cycle) { c.Status = "" }))
	add("MA-02", "a latest day alone may fail but not pass", audit.DNF, open, "no end is stated", ending(900, 900, func(c *scoring.Cycle) { c.EndLow = time.Time{} }))
	add("MA-02", "a latest day alone that has passed fails", audit.FAIL, zeroScore, "ended on", ending(-3, -3, func(c *scoring.Cycle) { c.EndLow = time.Time{} }))
	add("MA-02", "what is in development is no release", audit.DNF, open, "in development", ending(900, 900, func(c *scoring.Cycle) { c.Status = "development" }))
	add("MA-02", "a version of no listed cycle is open", audit.DNF, open, "belongs to no cycle", ending(900, 900, func(c *scoring.Cycle) { c.Prefix = "9.3" }))
	add("MA-02", "the worst of two versions counts", audit.FAIL, zeroScore, "version 9.20.1", ending(900, 900), project(func(p *scoring.Project) { p.Versions = []string{"9.2.1", "9.20.1"} }))
	add("MA-02", "the tag that the project set outweighs a calendar", audit.FAIL, zeroScore, "tag 9.2-eol", ending(900, 900), eol("9.2-eol"))
	add("MA-02", "a calendar that could not be read is named", audit.DNF, open, "the clone is broken", func(s *sample) { s.e.Cycles = audit.Failed[scoring.Cycles]("the clone is broken") })
	add("MA-02", "ends that contradict each other say nothing", audit.DNF, open, "contradict", ending(300, 200))
	add("MA-02", "a calendar is enough without tags", audit.PASS, fullScore, "", ending(900, 900), func(s *sample) { s.e.Releases = audit.Fact[scoring.Releases]{} })
	add("MA-02", "an unknown deployed version is not looked at", audit.MISS, open, "not known", project(func(p *scoring.Project) { p.Versions = nil }))
	for id, topic := range map[string]string{"MA-03": "maintenance-policy", "MA-11": "deprecation", "MA-13": "conformance", "SE-06": "sbom", "SE-10": "fuzzing", "SE-15": "secure-coding"} {
		add(id, "what the repository lacks may be elsewhere", audit.DNF, open, "not read", without(topic))
	}
	add("MA-04", "stale release branches fail", audit.FAIL, zeroScore, "91 days ago", releases(func(r *scoring.Releases) { r.StableBranches = []scoring.Branch{{Name: "stable/9", Last: ago(91)}} }))
	add("MA-04", "no branch in the clone is no failure", audit.DNF, open, "no release branch", releases(func(r *scoring.Releases) { r.StableBranches = nil }))
	add("MA-04", "a commit on an unmaintained branch is no maintenance", audit.DNF, open, "no release branch", releases(func(r *scoring.Releases) { r.StableBranches = []scoring.Branch{{Name: "unmaintained/9", Last: ago(2)}} }))
	add("MA-05", "every tenth commit a revert fails", audit.FAIL, zeroScore, "reverts", windows(func(w *scoring.Window) { w.Reverts = w.Commits / 10 }))
	add("MA-05", "between the thresholds the score is linear", audit.PART, halfScore, "36 of 1200", windows(func(w *scoring.Window) { w.Reverts = w.Commits * 3 / 100 }))
	add("MA-05", "a cut-off history has no share", audit.DNF, open, "does not reach back", shallow())
	add("MA-06", "no tests fail", audit.FAIL, zeroScore, "0 test files", tree(func(t *scoring.Tree) { t.TestFiles = 0 }))
	add("MA-06", "tests that no CI is seen to run are open", audit.DNF, open, "neither CI configuration", without("ci"), noRuns)
	add("MA-06", "without source files it does not apply", audit.NA, open, "no source files", tree(func(t *scoring.Tree) { t.SourceFiles, t.TestFiles = 0, 0 }))
	add("MA-12", "no changelog fails if every place was read", audit.FAIL, zeroScore, "", without("changelog"))
	add("MA-12", "a changelog may be elsewhere", audit.DNF, open, "not read", without("changelog"), foundation("CNCF"))
	add("MA-14", "a project of one year counts half", audit.PART, halfScore, "365 days", young(365))
	add("MA-14", "a project of two years counts three quarters", audit.PART, audit.Exactly(7500), "730 days", young(730))
	add("MA-14", "a new project counts half, never less", audit.PART, halfScore, "", young(10))
	add("MA-14", "a cut-off history is older than it looks", audit.DNF, atLeastHalf(), "does not reach back", young(10), shallow())
	add("MA-14", "a first commit of the future is no evidence", audit.DNF, open, "not plausible", young(-3))
	add("MA-15", "unsigned tags fail", audit.FAIL, zeroScore, "0 of 6", releases(func(r *scoring.Releases) { r.Signed24m = 0 }))
	add("MA-15", "without releases there is nothing to sign", audit.DNF, open, "no release", releases(func(r *scoring.Releases) { r.Signed24m, r.Releases24m = 0, 0 }))

	// Security.
	add("SE-01", "no contact fails if every place was read", audit.FAIL, zeroScore, "no security contact", without("security"))
	add("SE-01", "a central team is not denied", audit.DNF, open, "OpenInfra", without("security"), foundation("OpenInfra"))
	add("SE-02", "a policy without days fails if every place was read", audit.FAIL, zeroScore, "number of days", tree(func(t *scoring.Tree) { t.Documents["security"] = marked("SECURITY.md", "private-channel") }))
	add("SE-02", "a policy without a private channel fails if every place was read", audit.FAIL, zeroScore, "private channel", tree(func(t *scoring.Tree) { t.Documents["security"] = marked("SECURITY.md", "days:5") }))
	add("SE-02", "a policy that nobody could read is open", audit.DNF, open, "nobody could read", tree(func(t *scoring.Tree) { t.Documents["security"] = []scoring.Document{{Path: "SECURITY.md"}} }))
	add("SE-07", "no analyser fails if every place was read", audit.FAIL, zeroScore, "", without("sast"))
	add("SE-07", "an analyser may run elsewhere", audit.DNF, open, "not read", without("sast"), readmeNames("ci.example.org"))
	add("SE-08", "no tool fails if every place was read", audit.FAIL, zeroScore, "", without("dependency-update"))
	add("SE-08", "a central bot is not denied", audit.DNF, open, "not read", without("dependency-update"), foundation("OpenInfra"))
	add("SE-10", "without source files it does not apply", audit.NA, open, "no source files", tree(func(t *scoring.Tree) { t.SourceFiles, t.TestFiles = 0, 0 }))
	add("SE-11", "three binaries fail", audit.FAIL, zeroScore, "3 executable", tree(func(t *scoring.Tree) { t.BinaryCount = 3 }))
	add("SE-11", "two pass", audit.PASS, fullScore, "2 executable", tree(func(t *scoring.Tree) { t.BinaryCount = 2 }))
	add("SE-11", "a negative count is no evidence", audit.DNF, open, "contradict", tree(func(t *scoring.Tree) { t.BinaryCount = -1 }))

	// Activity.
	idle := func(h *scoring.History) {
		h.Human90d, h.LastHumanCommit = 0, ago(400)
		for i := range h.Windows {
			h.Windows[i] = scoring.Window{Months: h.Windows[i].Months}
		}
	}
	add("AC-01", "13 commits in 90 days pass", audit.PASS, fullScore, "13 human commits in 90 days, 13 needed", history(func(h *scoring.History) { h.Human90d = 13 }))
	add("AC-01", "12 count half", audit.PART, halfScore, "12 human commits in 90 days, 13 needed", history(func(h *scoring.History) { h.Human90d = 12 }))
	add("AC-01", "none in 90 days but some in a year count a quarter", audit.PART, audit.Exactly(2500), "but some", history(func(h *scoring.History) { h.Human90d, h.LastHumanCommit = 0, ago(200) }))
	quiet := releases(func(r *scoring.Releases) { r.StableBranches = []scoring.Branch{{Name: "stable/9.1", Last: ago(400)}} })
	asleep := func(year, sinceRelease int) []change {
		return []change{history(func(h *scoring.History) { h.Human90d, h.LastHumanCommit = 1, ago(60) }), windows(func(w *scoring.Window) { w.HumanCommits, w.SignedOff, w.Reviewed, w.Reverts = year, 0, 0, 0 }),
			releases(func(r *scoring.Releases) { r.LastRelease, r.StableBranches = ago(sinceRelease), nil })}
	}
	add("AC-01", "fewer commits in a year than 90 days ask for, and no release for years, fail", audit.FAIL, zeroScore, "no release for 730 days", asleep(12, 731)...)
	add("AC-01", "as many in a year as 90 days ask for count half", audit.PART, halfScore, "1 human commit", asleep(13, 731)...)
	add("AC-01", "a release within the years counts half", audit.PART, halfScore, "1 human commit", asleep(12, 730)...)
	add("AC-01", "few commits whose releases nobody read may sleep", audit.DNF, audit.Between(0, 5000), "releases", append(asleep(12, 731), noReleases)...)
	add("AC-01", "a project that never made a release does not sleep for it", audit.PART, halfScore, "1 human commit",
		append(asleep(12, 731), releases(func(r *scoring.Releases) { r.LastRelease = time.Time{} }))...)
	add("AC-01", "a livelier release branch keeps it open", audit.DNF, audit.Between(0, 5000), "release branch",
		append(asleep(12, 731), releases(func(r *scoring.Releases) { r.StableBranches = []scoring.Branch{{Name: "stable/9.1", Last: ago(5)}} }))...)
	add("AC-01", "none in a year fails", audit.FAIL, zeroScore, "no human commit in 365 days, the last on 2025-05-27", history(idle), quiet)
	add("AC-01", "none on the default branch is no failure while a release branch lives", audit.DNF, audit.Between(0, 2500), "release branch stable/9.1 has a commit", history(idle))
	add("AC-01", "none on the default branch is no failure while nobody read the others", audit.DNF, audit.Between(0, 2500), "release branches were not read", history(idle), noReleases)
	add("AC-01", "none in a cut-off history is no failure", audit.DNF, open, "does not reach back", history(idle), shallow())
	add("AC-01", "few in a young project are a lower bound", audit.DNF, atLeastHalf(), "younger", history(func(h *scoring.History) { h.Human90d, h.FirstCommit = 5, ago(20) }))
	add("AC-01", "a history that contradicts itself is no evidence", audit.DNF, open, "contradicts", history(func(h *scoring.History) { h.Human90d = -1 }))
	lastQuarter := func(n int) change { return history(func(h *scoring.History) { h.Quarters[11].Authors = n }) }
	add("AC-02", "one author fails", audit.FAIL, zeroScore, "1 human author", lastQuarter(1))
	add("AC-02", "four are half way", audit.PART, halfScore, "4 human authors", lastQuarter(4))
	add("AC-02", "one author in a young project is a lower bound", audit.DNF, open, "younger", lastQuarter(1), young(30))
	add("AC-02", "seven pass even in a cut-off history", audit.PASS, fullScore, "", lastQuarter(7), shallow())
	add("AC-03", "nobody who stays fails", audit.FAIL, zeroScore, "0 of 20", history(func(h *scoring.History) { h.Retained = 0 }))
	add("AC-03", "nobody who could stay is not asked", audit.NA, open, "nobody could stay", history(func(h *scoring.History) { h.Retained, h.AuthorsYear2 = 0, 0 }))
	add("AC-03", "a cut-off history has no retention", audit.DNF, open, "does not reach back", shallow())
	add("AC-04", "no newcomer fails", audit.FAIL, zeroScore, "0 newcomers", history(func(h *scoring.History) { h.Newcomers12m = 0 }))
	add("AC-04", "two of three score two thirds", audit.PART, audit.Between(6666, 6667), "2 newcomers", history(func(h *scoring.History) { h.Newcomers12m = 2 }))
	add("AC-04", "in a project younger than a year everybody is new", audit.NA, open, "everybody is new", young(300))
	add("AC-04", "a cut-off history makes everybody look new", audit.DNF, open, "does not reach back", shallow())
	series := func(authors ...int) change {
		return history(func(h *scoring.History) {
			h.Quarters = h.Quarters[12-len(authors):]
			for i, n := range authors {
				h.Quarters[i].Authors = n
			}
		})
	}
	add("AC-05", "a steady loss of more than 60 % of the mean a year fails", audit.FAIL, zeroScore, "-64 % a year", series(28, 24, 20, 16, 14, 12, 10, 8, 6, 5, 4, 3))
	add("AC-05", "a loss between the thresholds counts half", audit.PART, halfScore, "-36 % a year", series(13, 12, 11, 10, 9, 8, 8, 7, 6, 6, 5, 5))
	add("AC-05", "one bad quarter does not make a trend", audit.PASS, fullScore, "", series(10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0))
	add("AC-05", "nobody in three years fails", audit.FAIL, zeroScore, "no human author", series(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
	add("AC-05", "three quarters make no trend", audit.NA, open, "4 needed", young(300))
	add("AC-05", "a cut-off history has no trend", audit.DNF, open, "does not reach back", shallow())
	adopterFile := func(marks ...string) change {
		return tree(func(t *scoring.Tree) { t.Documents["adopters"] = marked("ADOPTERS.md", marks...) })
	}
	add("AC-06", "a file that nobody counted is open", audit.DNF, open, "nobody counted", adopterFile())
	add("AC-06", "two in the file are a lower bound", audit.DNF, open, "not read", adopterFile("organisations:2"))
	add("AC-06", "no file leaves case studies", audit.DNF, open, "case studies", without("adopters"))

	// Lock-in.
	bus := func(n int) change { return windows(func(w *scoring.Window) { w.BusFactor50 = n }) }
	add("LR-01", "one person fails", audit.FAIL, zeroScore, "1 person wrote half", bus(1))
	add("LR-01", "two count half", audit.PART, halfScore, "2 people", bus(2))
	add("LR-01", "one person in a young project is no failure yet", audit.DNF, open, "younger", bus(1), young(60))
	add("LR-01", "a cut-off history has no bus factor", audit.DNF, open, "does not reach back", shallow())
	add("LR-02", "more than half by one person fails", audit.FAIL, zeroScore, "50.01 %", windows(func(w *scoring.Window) { w.TopAuthorBP = 5001 }))
	add("LR-02", "a share between the thresholds is linear", audit.PART, audit.Exactly(4000), "40 %", windows(func(w *scoring.Window) { w.TopAuthorBP = 4000 }))
	add("LR-02", "without commits nobody has a share", audit.DNF, open, "no human commit", windows(func(w *scoring.Window) { *w = scoring.Window{Months: w.Months} }))
	add("LR-03", "one merger in git is a lower bound", audit.DNF, open, "not all approvals", noChanges, windows(func(w *scoring.Window) { w.Committers = 1 }))
	add("LR-03", "two are a better one", audit.DNF, atLeastHalf(), "not all approvals", noChanges, windows(func(w *scoring.Window) { w.Committers = 2 }))
	add("LR-04", "a share of more than 90 % fails whoever maintains", audit.FAIL, zeroScore, "", share(9500, 9500), foundation("CNCF"))
	add("LR-04", "a small share in a company home may be two signals", audit.DNF, atLeastHalf(), "maintainers", noTeam)
	add("LR-04", "a large share in a company home may be three", audit.DNF, audit.Between(0, 5000), "", share(6000, 6000), noTeam)
	add("LR-04", "an unknown home and share span everything", audit.DNF, open, "not known", share(0, 10000), foundation(""))
	add("LR-05", "company terms, company home and a past move fail", audit.FAIL, zeroScore, "3 points of 3", cla(), states("MIT", "SSPL-1.0", "MIT"))
	add("LR-05", "two of them count half", audit.PART, halfScore, "2 points", cla())
	add("LR-05", "unknown terms span two outcomes", audit.DNF, atLeastHalf(), "terms in favour of a company unknown", without("dco"), states("MIT"))
	add("LR-06", "too few authors outside fail", audit.FAIL, zeroScore, "9 authors", windows(func(w *scoring.Window) { w.OutsideAuthorsLow, w.OutsideAuthorsHigh = 5, 9 }))
	add("LR-06", "a closed licence fails", audit.FAIL, zeroScore, "does not allow a fork", licenceAt("", func(l *scoring.LicenceFacts) { l.Expression = "BUSL-1.1" }))
	add("LR-06", "unknown affiliations leave it open", audit.DNF, open, "5 to 12 authors", windows(func(w *scoring.Window) { w.OutsideAuthorsLow, w.OutsideAuthorsHigh = 5, 12 }))
	add("LR-06", "no CI in the repository leaves it open", audit.DNF, open, "how it is built", without("ci"))
	add("LR-10", "neither foundation nor funding file fails if every place was read", audit.FAIL, zeroScore, "no funding file", without("funding"))
	add("LR-10", "one sponsor is not enough", audit.FAIL, zeroScore, "1 sponsor", tree(func(t *scoring.Tree) { t.Documents["funding"] = marked("FUNDING.yml", "sponsors:1") }))
	add("LR-10", "sponsors that nobody counted are open", audit.DNF, open, "nobody counted", tree(func(t *scoring.Tree) { t.Documents["funding"] = docs("FUNDING.yml") }))
	add("LR-10", "an unknown foundation leaves it open", audit.DNF, open, "not known", without("funding"), foundation(""), noRecords)

	checkCases(add)
	presenceCases(add)
	stateCases(add)
	placeCases(add)
	controlCases(add)

	// Nobody looked, and looked in vain: each question that reads the fact.
	failing := func(s *sample) {
		s.e.History = audit.Failed[scoring.History]("the log ended early")
		s.e.Releases = audit.Failed[scoring.Releases]("the log ended early")
		s.e.Tree = audit.Failed[scoring.Tree]("the log ended early")
		s.e.LicenceHistory = audit.Failed[[]scoring.LicenceState]("the log ended early")
		s.e.Licences = map[string]audit.Fact[scoring.LicenceFacts]{
			"": audit.Failed[scoring.LicenceFacts]("the log ended early"), "9.2.1": audit.Failed[scoring.LicenceFacts]("the log ended early"),
		}
	}
	for id, knocked := range reads {
		add(id, "a fact that nobody looked for is MISS", audit.MISS, open, "nobody looked at", knocked)
		if id != "OS-04" { // its facts are inside the licence of each version
			add(id, "a fact that was read in vain is DNF", audit.DNF, open, "the log ended early", failing)
		}
	}
	return list
}

// reads is, for each question that git answers, the fact without which it cannot answer.
var reads = map[string]change{
	"AC-01": noHistory, "AC-02": noHistory, "AC-03": noHistory, "AC-04": noHistory, "AC-05": noHistory, "AC-06": noTree,
	"LR-01": noHistory, "LR-02": noHistory, "LR-04": noHistory, "LR-05": noStates, "LR-06": noLicences, "LR-10": noTree,
	"MA-01": noReleases, "MA-02": noReleases, "MA-03": noTree, "MA-04": noReleases, "MA-05": noHistory, "MA-06": noTree,
	"MA-11": noTree, "MA-12": noTree, "MA-13": noTree, "MA-14": noHistory, "MA-15": noReleases,
	"OC-01": noHistory, "OC-02": noHistory, "OC-03": noHistory, "OC-06": noTree, "OC-09": noTree, "OC-10": noTree, "OC-11": noHistory,
	"OD-01": noTree, "OD-02": noTree, "OD-04": noTree,
	"OS-01": noLicences, "OS-02": noTree, "OS-03": noTree, "OS-04": noLicences, "OS-06": noStates, "OS-07": noTree, "OS-08": noTree, "OS-09": noTree,
	"OV-01": noHistory, "OV-02": noHistory, "OV-03": noHistory, "OV-04": noTree, "OV-09": noTree,
	"SE-01": noTree, "SE-02": noTree, "SE-06": noTree, "SE-07": noTree, "SE-08": noTree, "SE-10": noTree, "SE-11": noTree, "SE-15": noTree,
}

// cannot lists the outcomes that git and the catalogue alone can never give, with the reason.
var cannot = map[string]map[audit.Outcome]string{
	"AC-06": {audit.FAIL: "case studies are never read"},
	"MA-03": {audit.FAIL: "the documentation is never read"},
	"MA-11": {audit.FAIL: "the documentation is never read"},
	"MA-13": {audit.FAIL: "suites of their own are never read"},
	"MA-14": {audit.FAIL: "the scale never fails"},
	"OC-03": {audit.FAIL: "the scale never fails"},
	"OC-07": {audit.FAIL: "the scale never fails"},
	"OC-10": {audit.FAIL: "the documentation is never read"},
	"OC-11": {audit.FAIL: "the scale never fails"},
	"OD-01": {audit.FAIL: "other repositories are never read"},
	"OD-02": {audit.FAIL: "other repositories are never read"},
	"OD-04": {audit.FAIL: "milestones are never read"},
	"OV-01": {audit.FAIL: "the scale never fails"},
	"OV-09": {audit.FAIL: "the scale never fails"},
	"SE-06": {audit.FAIL: "attestations of images are never read"},
	"SE-10": {audit.FAIL: "fuzzing services are never read"},
	"SE-15": {audit.FAIL: "the documentation is never read"},
}

func TestEachIndicatorAnswersAsDocumented(t *testing.T) {
	prof := profile(t)
	all := byID()
	seen := map[string]map[audit.Outcome]bool{}
	for _, c := range cases() {
		if seen[c.id] == nil {
			seen[c.id] = map[audit.Outcome]bool{}
		}
		seen[c.id][c.outcome] = true
		t.Run(c.id+" "+c.name, func(t *testing.T) {
			s := sampleWith(c.changes...)
			m := all[c.id].Measure(s.e, s.p, prof.Indicators[c.id])
			if m.Outcome != c.outcome || m.Interval != c.interval {
				t.Errorf("got %v [%v], want %v [%v]; reason: %s", m.Outcome, m.Interval, c.outcome, c.interval, m.Reason)
			}
			if !strings.Contains(m.Reason, c.reason) {
				t.Errorf("got reason %q, want it to contain %q", m.Reason, c.reason)
			}
			if why := incoherent(m); why != "" {
				t.Errorf("%s: %+v", why, m)
			}
		})
	}
	excuses := maps.Clone(cannot)
	for _, more := range []map[string]map[audit.Outcome]string{placeCannot, presenceCannot, stateCannot, controlCannot} {
		maps.Copy(excuses, more)
	}
	for id, outcomes := range seen {
		for _, o := range []audit.Outcome{audit.PASS, audit.FAIL, audit.MISS, audit.DNF} {
			if _, excused := excuses[id][o]; !outcomes[o] && !excused {
				t.Errorf("%s: no case gives %v, and no reason says why none can", id, o)
			}
			if why, excused := excuses[id][o]; outcomes[o] && excused {
				t.Errorf("%s: a case gives %v although %q", id, o, why)
			}
		}
	}
}

func TestEveryQuestionHasCases(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range cases() {
		tested[c.id] = true
	}
	for _, i := range indicator.All() {
		if !tested[i.ID] {
			t.Errorf("%s has no case", i.ID)
		}
	}
}

func TestAnOpenShareNamesHowFewAuthorsCouldSettleIt(t *testing.T) {
	prof := profile(t)
	for _, i := range indicator.All() {
		want := map[string]string{"OC-02": "2 authors with most commits", "OC-03": "1 author with most commits"}[i.ID]
		if want == "" {
			continue
		}
		s := sampleWith(windows(func(w *scoring.Window) {
			w.Commits, w.SignedOff, w.Reviewed, w.Reverts = 100, 0, 0, 0
			w.HumanCommits, w.TopOrgCommits, w.TopTwoCommits, w.UnknownCommits, w.UnknownAuthors = 100, 30, 60, 40, []int{18, 12, 10}
			w.TopOrgLowBP, w.TopOrgHighBP, w.TopTwoLowBP, w.TopTwoHighBP = 3000, 7000, 6000, 9000
			if i.ID == "OC-03" {
				w.UnknownCommits, w.TopTwoHighBP = 30, 9000
			}
		}))
		m := i.Measure(s.e, s.p, prof.Indicators[i.ID])
		if m.Outcome != audit.DNF || len(m.Settle) != 1 || !strings.Contains(m.Settle[0], want) {
			t.Errorf("%s: got %v, settle %q, want %q: half of 100 commits needs 20 fewer", i.ID, m.Outcome, m.Settle, want)
		}
	}
}

func TestEvidenceThatNobodyCouldGatherGivesItsReason(t *testing.T) {
	e := scoring.Evidence{Project: "example", AssessedAt: today, Failure: "no local clone and offline", Settle: "run without --offline"}
	for _, m := range indicator.Measure(e, scoring.Project{ID: "example", Versions: []string{"1.0"}}, profile(t)) {
		if m.Outcome != audit.MISS {
			t.Errorf("%s: got %v, want MISS", m.Indicator, m.Outcome)
		}
		if (reads[m.Indicator] != nil || placeReads[m.Indicator] != nil) && (!strings.Contains(m.Reason, "no local clone") || !slices.Equal(m.Settle, []string{"run without --offline"})) {
			t.Errorf("%s: got reason %q and settle %q, want those of the evidence", m.Indicator, m.Reason, m.Settle)
		}
	}
}

func TestADeclaredFactIsNotMeasured(t *testing.T) {
	s := sampleWith()
	s.e.Home.Declared, s.e.Changes.Declared, s.e.Issues.Declared, s.e.Runs.Declared, s.e.Rules.Declared, s.e.Team.Declared = true, true, true, true, true, true
	s.e.Shared.Declared = true
	s.e.Governance.Declared, s.e.Advisories.Declared, s.e.Badge.Declared, s.e.Packaging.Declared, s.e.Dependents.Declared = true, true, true, true, true
	s.p.Alternatives.Declared, s.p.Standards.Declared, s.p.Deployed.Declared = true, true, true
	s.e.History.Declared, s.e.Tree.Declared, s.e.Releases.Declared, s.e.LicenceHistory.Declared = true, true, true, true
	for _, m := range indicator.Measure(s.e, s.p, profile(t)) {
		if m.Outcome.Decided() && m.Indicator != "OS-01" && m.Indicator != "OS-04" && m.Indicator != "OC-07" { // of licences and catalogue
			t.Errorf("%s: got %v from declared facts: %s", m.Indicator, m.Outcome, m.Reason)
		}
	}
}

func TestARuleWithoutItsThresholdsDecidesNothing(t *testing.T) {
	prof := profile(t)
	s := sampleWith()
	for _, i := range indicator.All() {
		rule := prof.Indicators[i.ID]
		if rule.Pass == nil && rule.Numbers == nil || i.ID == "OS-04" || i.ID == "OS-06" || i.ID == "OS-07" || i.ID == "OV-04" {
			continue
		}
		rule.Pass, rule.Fail, rule.Numbers = nil, nil, nil
		if m := i.Measure(s.e, s.p, rule); m.Outcome.Decided() {
			t.Errorf("%s: got %v without thresholds: %s", i.ID, m.Outcome, m.Reason)
		}
	}
}

func TestThresholdsThatPointTheOtherWayDecideNothing(t *testing.T) {
	low, high := 1, 3
	rule := profile(t).Indicators["LR-01"]
	rule.Fail, rule.Pass = &high, &low
	s := sampleWith()
	if m := byID()["LR-01"].Measure(s.e, s.p, rule); m.Outcome != audit.DNF {
		t.Errorf("got %v for a bus factor where less is better, want DNF", m.Outcome)
	}
}

func TestReasonsAndOriginsNameTheFiles(t *testing.T) {
	s := sampleWith(tree(func(t *scoring.Tree) {
		t.Documents["security"] = append(docs("doc/deep/security.rst", "b/SECURITY.md", "a/SECURITY.md"), docs("SECURITY.md")...)
	}))
	m := byID()["SE-01"].Measure(s.e, s.p, profile(t).Indicators["SE-01"])
	if want := "security contact: SECURITY.md, a/SECURITY.md, b/SECURITY.md and 1 more"; m.Reason != want {
		t.Errorf("got reason %q, want %q", m.Reason, want)
	}
	if len(m.Origins) != 3 || m.Origins[0].Path != "SECURITY.md" || m.Origins[0].Commit != revision || m.Origins[0].Digest == "" {
		t.Errorf("got origins %+v, want the three nearest files at the evaluated revision", m.Origins)
	}
}

func byID() map[string]indicator.Indicator {
	all := map[string]indicator.Indicator{}
	for _, i := range indicator.All() {
		all[i.ID] = i
	}
	return all
}

// incoherent says what is wrong with a measurement whatever it is about; "" if nothing is.
func incoherent(m scoring.Measurement) string {
	i := m.Interval
	switch {
	case m.Reason == "":
		return "no reason"
	case m.Indicator == "" || m.Aspect == "":
		return "no indicator or aspect"
	case m.KnockOut && m.Outcome != audit.FAIL:
		return "a knock-out that does not fail"
	}
	switch m.Outcome {
	case audit.PASS:
		if i != fullScore {
			return "PASS with less than the full score"
		}
	case audit.FAIL:
		if i != zeroScore {
			return "FAIL with more than nothing"
		}
	case audit.PART:
		if i.Low() == 10000 || i.High() == 0 {
			return "PART that is a pass or a fail"
		}
	case audit.MISS:
		if i.Known() {
			return "MISS that knows something"
		}
	case audit.NA:
		if i.Known() {
			return "NA with a score"
		}
	case audit.DNF:
		if i.Width() == 0 {
			return "DNF that is certain"
		}
	}
	if m.Outcome.Decided() && len(m.Origins) == 0 {
		return "an answer without origin"
	}
	if !m.Outcome.Decided() && m.Outcome != audit.NA && len(m.Settle) == 0 {
		return "an unknown without what would settle it"
	}
	return ""
}

func ExampleMeasure() {
	e := scoring.Evidence{Project: "example", Failure: "no local clone and offline"}
	rules := audit.Profile{Indicators: map[string]audit.IndicatorRule{"OS-02": {Aspect: "open-source", Unit: "boolean", Scale: "boolean", Weight: 2}}}
	for _, m := range indicator.Measure(e, scoring.Project{ID: "example"}, rules) {
		fmt.Println(m.Indicator, m.Outcome, m.Interval, m.Reason)
	}
	// Output: OS-02 MISS 0..10000 no local clone and offline
}
