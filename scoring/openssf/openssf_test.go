package openssf_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/openssf"
)

// skip is the score of a check that has none.
const skip = -1

func TestEachCheckIsScoredOnlyWithTheFactsItNeeds(t *testing.T) {
	history := commits(40, nil)
	none, all := (func(*openssf.Options))(nil), fuzzed(false)
	run := func(files map[string]string, e scoring.Evidence, options func(*openssf.Options)) scoring.Checks {
		m := &memory{files: files}
		if options != nil {
			m.commits = history
		}
		return checksOf(t, collect(t, m, e, options))
	}
	runs := []struct {
		name   string
		checks scoring.Checks
	}{
		{"tidy files on GitHub", run(tidy(), onlyGit(onGitHub), none)},
		{"tidy files on Gerrit", run(tidy(), onlyGit(onGerrit), none)},
		{"bare files on GitHub", run(bare(), onlyGit(onGitHub), none)},
		{"bare files on Gerrit", run(bare(), onlyGit(onGerrit), none)},
		{"tidy with all facts on GitHub", run(tidy(), good(onGitHub, "github"), all)},
		{"tidy with all facts on Gerrit", run(tidy(), good(onGerrit, "gerrit"), all)},
		{"bare with all facts on GitHub", run(bare(), good(onGitHub, "github"), all)},
	}
	const workflows = "does not apply: no GitHub workflows"
	for _, c := range []struct {
		name   string
		want   [7]int // in the order of the runs
		reason string // of each run without a score
	}{
		{"Binary-Artifacts", [7]int{10, 10, 10, 10, 10, 10, 10}, ""},
		{"Branch-Protection", [7]int{skip, skip, skip, skip, 8, 8, 8}, "needs the rules of the branches"},
		{"CI-Tests", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the changes"},
		{"CII-Best-Practices", [7]int{skip, skip, skip, skip, 5, 5, 5}, "needs the badge"},
		{"Code-Review", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the changes"},
		{"Contributors", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the history"},
		{"Dangerous-Workflow", [7]int{10, skip, skip, skip, 10, skip, skip}, workflows},
		{"Dependency-Update-Tool", [7]int{10, 10, skip, skip, 10, 10, 0}, "no tool in the files"},
		{"Fuzzing", [7]int{10, 10, skip, skip, 10, 10, 0}, "no fuzz target in the files"},
		{"License", [7]int{9, 9, 0, 0, 9, 9, 0}, ""},
		{"Maintained", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the record of the forge"},
		{"Packaging", [7]int{skip, skip, skip, skip, skip, skip, skip}, "no collector reads that"},
		{"Pinned-Dependencies", [7]int{10, 10, skip, skip, 10, 10, skip}, "nothing to pin"},
		{"SAST", [7]int{10, 10, skip, skip, 10, 10, skip}, "no tool in the files"},
		{"SBOM", [7]int{skip, skip, skip, skip, skip, skip, skip}, "experimental"},
		{"Security-Policy", [7]int{10, 10, skip, skip, 10, 10, 0}, "no policy in the files"},
		{"Signed-Releases", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the record of the forge"},
		{"Token-Permissions", [7]int{10, skip, skip, skip, 10, skip, skip}, workflows},
		{"Vulnerabilities", [7]int{skip, skip, skip, skip, 10, 10, 10}, "needs the advisories"},
		{"Webhooks", [7]int{skip, skip, skip, skip, skip, skip, skip}, "experimental"},
	} {
		for i, r := range runs {
			expect(t, r.name, r.checks, c.name, c.want[i])
			if reason := r.checks.Skipped[c.name]; c.want[i] == skip && (reason == "" || !strings.Contains(reason, c.reason)) {
				t.Errorf("%s: %s is skipped because %q, want %q", r.name, c.name, reason, c.reason)
			}
		}
	}
}

func TestEveryCheckIsEitherScoredOrSkipped(t *testing.T) {
	c := checksOf(t, collect(t, &memory{files: tidy(), commits: commits(40, nil)}, good(onGitHub, "github"), fuzzed(true)))
	if got := names(c); len(got) != 20 || len(slices.Compact(got)) != 20 {
		t.Errorf("%d checks are named: %v", len(got), got)
	}
	if !slices.IsSortedFunc(c.Results, func(a, b scoring.Check) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the results are not sorted by name")
	}
	if c.Version != openssf.Version || c.Commit != revision {
		t.Errorf("version %q and commit %q", c.Version, c.Commit)
	}
	for _, r := range c.Results {
		if len(r.Findings) > 20 {
			t.Errorf("%s has %d findings", r.Name, len(r.Findings))
		}
	}
}

func TestTheVersionIsThatOfTheModule(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "github.com/ossf/scorecard/v5 "+openssf.Version) {
		t.Errorf("go.mod has another version of Scorecard than %s", openssf.Version)
	}
}

// factsIn returns every fact inside a value, those in facts too.
func factsIn(v reflect.Value) []reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return factsIn(v.Elem())
	case reflect.Slice:
		var out []reflect.Value
		for i := range v.Len() {
			out = append(out, factsIn(v.Index(i))...)
		}
		return out
	case reflect.Struct:
		var out []reflect.Value
		if strings.HasPrefix(v.Type().Name(), "Fact[") && !v.FieldByName("Value").IsNil() {
			out = append(out, v)
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out = append(out, factsIn(v.Field(i))...)
			}
		}
		return out
	}
	return nil
}

func copied(t *testing.T, e scoring.Evidence) scoring.Evidence {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var out scoring.Evidence
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// anyEvidence is evidence in which every fact is known, good or bad.
func anyEvidence(r *rand.Rand) scoring.Evidence {
	pick := func() bool { return r.IntN(2) == 0 }
	repo, forge := onGitHub, "github"
	if pick() {
		repo, forge = onGerrit, "gerrit"
	}
	e := good(repo, forge)
	e.Home.Value.Archived, e.Home.Value.Security = audit.Known(r.IntN(5) == 0), audit.Known(pick())
	e.Home.Value.Created = audit.Known(at.AddDate(0, 0, -r.IntN(200)))
	sample := 1 + r.IntN(50)
	e.Changes.Value.Windows = []scoring.ChangeWindow{
		{Months: 3, Sample: sample, Reviewed: audit.Known(sample), Gated: audit.Known(sample)},
		{Months: 12, Sample: sample, Reviewed: audit.Known(r.IntN(sample + 1)), Gated: audit.Known(r.IntN(sample + 1))},
	}
	*e.Issues.Value = scoring.Issues{Answered: audit.Known(r.IntN(20)), Whole: pick()}
	*e.Rules.Value = scoring.Rules{ForcePush: audit.Known(pick()), ReviewRequired: audit.Known(pick()), ChecksRequired: audit.Known(pick())}
	e.Badge.Value.Level = []string{"in_progress", "passing", "silver", "gold", "baseline-1"}[r.IntN(5)]
	e.Badge.Value.Project = r.IntN(3)
	e.History.Value.FirstCommit = at.AddDate(0, 0, -r.IntN(200))
	e.History.Value.Windows[0].ElephantLow = r.IntN(5)
	if pick() {
		e.Advisories.Value.Deployed["1.0"] = []scoring.Advisory{{ID: "EXAMPLE-1"}, {ID: "EXAMPLE-2"}, {ID: "EXAMPLE-2"}}
	}
	return e
}

func TestAFactLessNeverMakesAScoreAndNeverRaisesOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		e := anyEvidence(r)
		m := &memory{files: bare(), commits: commits(r.IntN(40), func(i int, c *scoring.Commit) { c.Reviewed = r.IntN(8) > 0 })}
		if r.IntN(2) == 0 {
			m.files = tidy()
		}
		whole := checksOf(t, collect(t, m, copied(t, e), fuzzed(false)))
		before := scores(whole)
		n := len(factsIn(reflect.ValueOf(&e).Elem()))
		for i := range n {
			less := copied(t, e)
			gone := factsIn(reflect.ValueOf(&less).Elem())[i]
			what := gone.Type().String()
			gone.SetZero()
			c := checksOf(t, collect(t, m, less, fuzzed(false)))
			for name, score := range scores(c) {
				if was, ok := before[name]; !ok || score > was {
					t.Fatalf("round %d: without fact %d (%s), %s scores %d; before %d (%v: %s)", round, i, what, name, score, was, ok, whole.Skipped[name])
				}
			}
		}
	}
}

func TestADeclaredFactIsNoMeasurement(t *testing.T) {
	e := good(onGitHub, "github")
	e.Badge.Declared, e.Rules.Declared, e.Changes.Declared, e.Home.Declared, e.Advisories.Declared = true, true, true, true, true
	c := checksOf(t, collect(t, &memory{files: bare()}, e, nil))
	for _, name := range []string{"CII-Best-Practices", "Branch-Protection", "Code-Review", "CI-Tests", "Maintained", "Vulnerabilities"} {
		if !strings.Contains(c.Skipped[name], "only declared") {
			t.Errorf("%s: %q", name, c.Skipped[name])
		}
	}
}

func TestAFactThatIsTooOldIsNotUsed(t *testing.T) {
	e := good(onGitHub, "github")
	e.Badge = e.Badge.Graded(audit.GradeThirdParty, at.AddDate(0, -3, 0), audit.Month)
	c := checksOf(t, collect(t, &memory{files: bare()}, e, nil))
	if _, ok := c.Skipped["CII-Best-Practices"]; !ok {
		t.Error("a badge that was seen three months ago was scored")
	}
}

func TestTheChecksAreAsOldAndAsGoodAsTheWorstFactInThem(t *testing.T) {
	git := collect(t, &memory{files: tidy()}, onlyGit(onGitHub), nil).Checks
	if git.Grade != audit.GradeRecord || !git.ObservedAt.Equal(at) || git.Lifetime != audit.Month {
		t.Errorf("files only: grade %q, observed %s, lifetime %q", git.Grade, git.ObservedAt, git.Lifetime)
	}
	e := good(onGitHub, "github")
	old := at.AddDate(0, 0, -9)
	e.Badge = e.Badge.Graded(audit.GradeThirdParty, old, audit.Month)
	all := collect(t, &memory{files: tidy(), commits: commits(40, nil)}, e, nil).Checks
	if all.Grade != audit.GradeThirdParty || !all.ObservedAt.Equal(old) {
		t.Errorf("with an index: grade %q, observed %s", all.Grade, all.ObservedAt)
	}
	if len(all.Origins) < 3 || all.Origins[0].Commit != revision {
		t.Errorf("origins %v", all.Origins)
	}
}

func TestReviewsInGitCountWhereReviewIsTheRule(t *testing.T) {
	for _, c := range []struct {
		name    string
		commits []scoring.Commit
		change  func(*scoring.Evidence)
		want    int
	}{
		{"Gerrit, every commit carries its vote", commits(40, reviewed), nil, 10},
		{"bots and merges do not count", commits(40, func(i int, c *scoring.Commit) { c.Merge, c.AuthorIsBot, c.Reviewed = i%3 == 1, i%3 == 2, i%3 == 0 }), nil, 10},
		{"nine of ten", commits(30, func(i int, c *scoring.Commit) { c.Reviewed = i%10 > 0 }), nil, 9},
		{"few trailers say nothing: reviews are elsewhere", commits(40, func(i int, c *scoring.Commit) { c.Reviewed = i%4 == 0 }), nil, skip},
		{"no commit", nil, nil, skip},
		{"the forge shows that half is reviewed", commits(40, nil), func(e *scoring.Evidence) {
			e.Changes = observed(scoring.Changes{Windows: []scoring.ChangeWindow{{Months: 12, Sample: 4000, Reviewed: audit.Known(2000)}}})
		}, 5},
		{"the forge shows none", commits(40, nil), func(e *scoring.Evidence) {
			e.Changes = observed(scoring.Changes{Windows: []scoring.ChangeWindow{{Months: 12, Sample: 20, Reviewed: audit.Known(0)}}})
		}, 0},
		{"the forge could not tell", commits(40, nil), func(e *scoring.Evidence) {
			e.Changes = observed(scoring.Changes{Windows: []scoring.ChangeWindow{{Months: 12, Sample: 20, Reviewed: audit.Failed[int]("not allowed")}}})
		}, skip},
		{"numbers that do not fit", commits(40, nil), func(e *scoring.Evidence) {
			e.Changes = observed(scoring.Changes{Windows: []scoring.ChangeWindow{{Months: 12, Sample: 20, Reviewed: audit.Known(21)}}})
		}, skip},
	} {
		e := onlyGit(onGerrit)
		if c.change != nil {
			c.change(&e)
		}
		expect(t, c.name, checksOf(t, collect(t, &memory{files: bare(), commits: c.commits}, e, nil)), "Code-Review", c.want)
	}
}

func expect(t *testing.T, what string, c scoring.Checks, check string, want int) {
	t.Helper()
	got, ok := scores(c)[check]
	if !ok {
		got = skip
	}
	if got != want {
		t.Errorf("%s: %s scored %d, want %d (%s)", what, check, got, want, c.Skipped[check])
	}
}

func TestMaintainedNeedsAllFourFactsAndCountsBackFromTheAssessment(t *testing.T) {
	quiet := func(_ int, c *scoring.Commit) { c.Committed = c.Committed.AddDate(-1, 0, 0) }
	few := func(i int, c *scoring.Commit) {
		if i >= 6 {
			c.Committed = c.Committed.AddDate(-1, 0, 0)
		}
	}
	for _, c := range []struct {
		name    string
		commits []scoring.Commit
		change  func(*scoring.Evidence)
		want    int
	}{
		{"busy", commits(40, nil), nil, 10},
		{"archived", commits(40, nil), func(e *scoring.Evidence) { e.Home.Value.Archived = audit.Known(true) }, 0},
		{"made last week", commits(40, nil), func(e *scoring.Evidence) { e.Home.Value.Created = audit.Known(at.AddDate(0, 0, -7)) }, 0},
		{"quiet, and nobody answers issues", commits(40, quiet), func(e *scoring.Evidence) { e.Issues.Value.Answered = audit.Known(0) }, 0},
		{"few commits; who answers issues decides", commits(40, few), nil, skip},
		{"few commits, no issue answered", commits(40, few), func(e *scoring.Evidence) { e.Issues.Value.Answered = audit.Known(0) }, 5},
		{"a sample of issues is not all of them", commits(40, quiet), func(e *scoring.Evidence) {
			e.Issues.Value.Answered, e.Issues.Value.Whole = audit.Known(0), false
		}, skip},
		{"an old clone saw no recent commit", commits(40, quiet), func(e *scoring.Evidence) {
			e.SeenUntil = at.AddDate(-1, 0, 0)
			e.Issues.Value.Answered = audit.Known(0)
		}, skip},
		{"archived is not known", commits(40, nil), func(e *scoring.Evidence) { e.Home.Value.Archived = audit.Failed[bool]("not told") }, skip},
		{"no date of making", commits(40, nil), func(e *scoring.Evidence) { e.Home.Value.Created = audit.Fact[time.Time]{} }, skip},
		{"no issues", commits(40, nil), func(e *scoring.Evidence) { e.Issues = audit.Fact[scoring.Issues]{} }, skip},
		{"no commits", nil, nil, skip},
	} {
		e := good(onGitHub, "github")
		if c.change != nil {
			c.change(&e)
		}
		expect(t, c.name, checksOf(t, collect(t, &memory{files: bare(), commits: c.commits}, e, nil)), "Maintained", c.want)
	}
}

func TestFactsOfOtherServicesAreInjected(t *testing.T) {
	for _, c := range []struct {
		name, check string
		change      func(*scoring.Evidence)
		want        int
	}{
		{"gold", "CII-Best-Practices", func(e *scoring.Evidence) { e.Badge.Value.Level = "gold" }, 10},
		{"looked for and not there", "CII-Best-Practices", func(e *scoring.Evidence) { *e.Badge.Value = scoring.Badge{} }, 0},
		{"a level that the check does not know", "CII-Best-Practices", func(e *scoring.Evidence) { e.Badge.Value.Level = "baseline-1" }, skip},
		{"three open advisories", "Vulnerabilities", func(e *scoring.Evidence) {
			e.Advisories.Value.Deployed["1.0"] = []scoring.Advisory{{ID: "EXAMPLE-1"}, {ID: "EXAMPLE-2"}, {ID: "EXAMPLE-3"}, {ID: "EXAMPLE-3"}}
		}, 7},
		{"the deployed version was not looked up", "Vulnerabilities", func(e *scoring.Evidence) { delete(e.Advisories.Value.Deployed, "1.0") }, skip},
		{"a database was not read", "Vulnerabilities", func(e *scoring.Evidence) { e.Advisories.Value.Gaps = []string{"the advisories of the forge"} }, skip},
		{"nobody can tell whether one applies", "Vulnerabilities", func(e *scoring.Evidence) {
			e.Advisories.Value.Unclear = map[string][]scoring.Advisory{"1.0": {{ID: "EXAMPLE-1"}}}
		}, skip},
		{"the list was cut", "Vulnerabilities", func(e *scoring.Evidence) { e.Advisories.Value.Cut = map[string]int{"1.0": 4} }, skip},
		{"force pushes", "Branch-Protection", func(e *scoring.Evidence) { e.Rules.Value.ForcePush = audit.Known(true) }, 1},
		{"one rule is not known", "Branch-Protection", func(e *scoring.Evidence) { e.Rules.Value.ChecksRequired = audit.Fact[bool]{} }, skip},
		{"half of the changes were tested", "CI-Tests", func(e *scoring.Evidence) { e.Changes.Value.Windows[0].Gated = audit.Known(25) }, 5},
		{"no merged change", "CI-Tests", func(e *scoring.Evidence) { e.Changes.Value.Windows[0].Sample = 0 }, skip},
		{"two organisations are sure", "Contributors", func(e *scoring.Evidence) { e.History.Value.Windows[0].ElephantLow = 1 }, skip},
		{"releases without files", "Signed-Releases", func(e *scoring.Evidence) {
			e.Home.Value.Releases = audit.Known([]scoring.Published{{Tag: "v1"}})
		}, skip},
		{"releases without signatures", "Signed-Releases", func(e *scoring.Evidence) {
			e.Home.Value.Releases = audit.Known([]scoring.Published{{Tag: "v1", Assets: map[string]int{"other": 3, "sbom": 1}}})
		}, 0},
		{"signed releases", "Signed-Releases", func(e *scoring.Evidence) {
			e.Home.Value.Releases = audit.Known([]scoring.Published{{Tag: "v1", Assets: map[string]int{"other": 3, "signature": 1}}})
		}, 8},
		{"the forge shows a policy that lies elsewhere", "Security-Policy", func(e *scoring.Evidence) { e.Home.Value.Security = audit.Known(true) }, skip},
	} {
		e := good(onGitHub, "github")
		c.change(&e)
		expect(t, c.name, checksOf(t, collect(t, &memory{files: bare(), commits: commits(40, nil)}, e, nil)), c.check, c.want)
	}
	expect(t, "OSS-Fuzz", checksOf(t, collect(t, &memory{files: bare()}, onlyGit(onGerrit), fuzzed(true))), "Fuzzing", 10)
}

func TestABotThatUpdatesDependenciesIsSeenInTheCommits(t *testing.T) {
	bot := commits(40, func(i int, c *scoring.Commit) {
		if i == 30 {
			c.Author, c.AuthorIsBot = "49699333+dependabot[bot]@users.noreply.github.com", true
		}
	})
	expect(t, "bot", checksOf(t, collect(t, &memory{files: bare(), commits: bot}, onlyGit(onGitHub), nil)), "Dependency-Update-Tool", 10)
	broken := &memory{files: bare(), unread: errors.New("git ended early")}
	expect(t, "no commits", checksOf(t, collect(t, broken, onlyGit(onGitHub), nil)), "Dependency-Update-Tool", skip)
}

func TestBadWorkflowsOfGitHubScoreLow(t *testing.T) {
	bad := `on: pull_request_target
permissions: write-all
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: curl https://example.org/x.sh | bash
      - run: echo "${{ github.event.issue.title }}"
`
	m := &memory{files: map[string]string{".github/workflows/bad.yml": bad}}
	c := checksOf(t, collect(t, m, onlyGit(onGitHub), nil))
	expect(t, "script injection", c, "Dangerous-Workflow", 0)
	expect(t, "write-all", c, "Token-Permissions", 0)
	expect(t, "tags and curl", c, "Pinned-Dependencies", 0)
	for _, r := range c.Results {
		if r.Name == "Dangerous-Workflow" && (r.Findings[0].Path != ".github/workflows/bad.yml" || r.Findings[0].Line == 0 || r.Findings[0].Outcome != "True") {
			t.Errorf("the first finding is %+v, want the place of the mistake", r.Findings[0])
		}
	}
	mixed := map[string]string{".github/workflows/a.yml": workflow, ".github/workflows/z.yml": bad, "x.sh": "curl (\n"}
	for _, r := range checksOf(t, collect(t, &memory{files: mixed}, onlyGit(onGitHub), nil)).Results {
		want, ok := map[string]string{
			"Pinned-Dependencies": "pinsDependencies", "Token-Permissions": "topLevelPermissions",
			"Dangerous-Workflow": "hasDangerousWorkflowScriptInjection",
		}[r.Name]
		if ok && (r.Findings[0].Probe != want || r.Findings[0].Path != ".github/workflows/z.yml") {
			t.Errorf("%s begins with %+v, want what should be mended", r.Name, r.Findings[0])
		}
		if r.Name == "Pinned-Dependencies" && !strings.Contains(r.Reason, "1 could not be parsed") {
			t.Errorf("the reason %q hides a script that was not parsed", r.Reason)
		}
	}
	gerrit := checksOf(t, collect(t, m, onlyGit(onGerrit), nil))
	for _, name := range []string{"Dangerous-Workflow", "Token-Permissions", "Pinned-Dependencies"} {
		expect(t, "workflows of a mirror", gerrit, name, skip)
	}
}

// The library takes every ref of a pull request for code of strangers; the branch that one wants to change is the project's.
func TestCheckingOutTheOwnBranchIsNoDangerousWorkflow(t *testing.T) {
	flow := func(ref string) string {
		return `on: pull_request_target
permissions: {}
jobs:
  label:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ` + ref + "\n"
	}
	run := func(files map[string]string) scoring.Checks {
		return checksOf(t, collect(t, &memory{files: files}, onlyGit(onGitHub), nil))
	}
	own := map[string]string{".github/workflows/label.yml": flow("${{ github.event.pull_request.base.ref }}")}
	c := run(own)
	expect(t, "own branch", c, "Dangerous-Workflow", skip)
	if got := c.Skipped["Dangerous-Workflow"]; !strings.Contains(got, ".github/workflows/label.yml:7") || strings.HasPrefix(got, scoring.DoesNotApply) {
		t.Errorf("the reason %q does not name the place", got)
	}
	for _, ref := range []string{
		"${{ github.event.pull_request.head.sha }}", "${{ github.event.pull_request.base.ref || github.event.pull_request.head.ref }}",
		"${{ github['event'].pull_request.head.sha || github.event.pull_request.base.ref }}", "refs/pull/${{ github.event.pull_request.number }}/merge",
	} {
		expect(t, ref, run(map[string]string{".github/workflows/bad.yml": flow(ref)}), "Dangerous-Workflow", 0)
	}
	own[".github/workflows/z.yml"] = flow("${{ github.event.pull_request.head.sha }}")
	c = run(own)
	expect(t, "both", c, "Dangerous-Workflow", 0)
	for _, r := range c.Results {
		if r.Name == "Dangerous-Workflow" && r.Findings[0].Path != ".github/workflows/z.yml" {
			t.Errorf("got %+v first, want the dangerous one", r.Findings[0])
		}
	}
}

func TestAVerifiedGradleWrapperIsNotCountedAsABinary(t *testing.T) {
	jar := "PK\x03\x04" + strings.Repeat("\x00", 40)
	files := map[string]string{"gradle/wrapper/gradle-wrapper.jar": jar}
	expect(t, "wrapper", checksOf(t, collect(t, &memory{files: files}, onlyGit(onGitHub), nil)), "Binary-Artifacts", 9)
	files[".github/workflows/v.yml"] = workflow + "      - uses: gradle/actions/wrapper-validation@0723195856401067f7a2779048b490ace7a47d7c\n"
	expect(t, "verified wrapper", checksOf(t, collect(t, &memory{files: files}, onlyGit(onGitHub), nil)), "Binary-Artifacts", skip)
}

func TestALicenceFileOfAnotherNameIsNoMissingLicence(t *testing.T) {
	for name, want := range map[string]int{"README": 0, "LICENSES/Apache-2.0.txt": skip, "MYLICENSE.example": skip, "LICENSE": 9} {
		m := &memory{files: map[string]string{name: "text\n", "main.c": "int main;\n"}}
		got, ok := scores(checksOf(t, collect(t, m, onlyGit(onGerrit), nil)))["License"]
		if !ok {
			got = skip
		}
		if want == skip && got == 0 || want != skip && got != want {
			t.Errorf("%s: scored %d, want %d", name, got, want)
		}
	}
}

func TestTheSameEvidenceGivesTheSameChecks(t *testing.T) {
	e := good(onGitHub, "github")
	files := tidy()
	for i := range 30 {
		files[fmt.Sprintf(".github/workflows/w%d.yml", i)] = strings.Replace(workflow, "@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", 1)
	}
	var first []byte
	for range 8 {
		text, err := json.Marshal(collect(t, &memory{files: files, commits: commits(40, nil)}, e, fuzzed(false)).Checks)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if string(text) != string(first) {
			t.Fatalf("two runs differ:\n%s\n%s", first, text)
		}
	}
}

func TestTheEnvironmentHasNoSay(t *testing.T) {
	run := func() string {
		text, err := json.Marshal(collect(t, &memory{files: tidy(), commits: commits(40, nil)}, good(onGitHub, "github"), fuzzed(false)).Checks)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	plain := run()
	for _, name := range []string{
		"SCORECARD_EXPERIMENTAL", "SCORECARD_V6", "ENABLE_SARIF", "GITHUB_TOKEN", "GITHUB_AUTH_TOKEN", "GH_TOKEN", "GH_HOST",
		"GITLAB_AUTH_TOKEN", "CII_BEST_PRACTICES_URL", "GITHUB_API_URL",
	} {
		t.Setenv(name, "1")
	}
	if got := run(); got != plain {
		t.Errorf("the environment changed the checks:\n%s\n%s", plain, got)
	}
}

func TestTheLibraryWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	defer func() { os.Stdout, os.Stderr = stdout, stderr; log.SetOutput(stderr) }()
	os.Stdout, os.Stderr = out, out
	log.SetOutput(out)
	files := tidy()
	files["scorecard.yml"] = "annotations: []\n"
	files["broken.sh"] = "#!/bin/sh\ncurl (\n"
	collect(t, &memory{files: files, commits: commits(40, nil)}, good(onGitHub, "github"), fuzzed(false))
	out.Close()
	if text, err := os.ReadFile(path); err != nil || len(text) > 0 {
		t.Errorf("%v, %q", err, text)
	}
}

func TestARunThatCannotReadSaysSo(t *testing.T) {
	failing := func(o *openssf.Options) {
		o.Source = func(context.Context, scoring.Project, string) (openssf.Source, error) {
			return nil, errors.New("no clone of person@example.org")
		}
	}
	e := collect(t, &memory{}, onlyGit(onGitHub), failing)
	if e.Checks.Unknown() != audit.DNF || e.Checks.Settle == "" || strings.Contains(e.Checks.Failure, "@") {
		t.Errorf("%+v", e.Checks)
	}
	none := onlyGit(onGitHub)
	none.Revision, none.Failure = "", "the address answers 404"
	if e = collect(t, &memory{}, none, nil); e.Checks.Unknown() != audit.DNF || !strings.Contains(e.Checks.Failure, "404") {
		t.Errorf("%+v", e.Checks)
	}
	none.NotAsked = true
	if e = collect(t, &memory{}, none, nil); e.Checks.Unknown() != audit.MISS {
		t.Errorf("%+v", e.Checks)
	}
	if _, err := openssf.New(openssf.Options{}); err == nil {
		t.Error("a collector without a source was made")
	}
}

func TestNoOtherFactIsChangedAndTheSourceIsClosed(t *testing.T) {
	m := &memory{files: tidy(), commits: commits(40, nil)}
	before := good(onGitHub, "github")
	after := collect(t, m, before, nil)
	after.Checks = audit.Fact[scoring.Checks]{}
	if !reflect.DeepEqual(before, after) {
		t.Error("another fact was changed")
	}
	if m.open != 0 {
		t.Errorf("%d sources were left open", m.open)
	}
	for id, n := range m.reads {
		if n > 1 {
			t.Errorf("object %s was read %d times", id, n)
		}
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := openssf.New(openssf.Options{Source: func(context.Context, scoring.Project, string) (openssf.Source, error) {
		cancel()
		return &memory{files: tidy()}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Collect(ctx, scoring.Project{}, onlyGit(onGitHub)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestASubmoduleAndASymbolicLinkBreakNoCheck(t *testing.T) {
	dir := repository(t, tidy())
	git(t, dir, "update-index", "--add", "--cacheinfo", "160000,4b825dc642cb6eb9a060e54bf8d69288fbee4904,vendor/sub.jar")
	if err := os.Symlink("LICENSE", filepath.Join(dir, "link.sh")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "link.sh")
	git(t, dir, "commit", "-qm", "Add a submodule")
	source := openGit(t, dir)
	e := collect(t, nil, onlyGit(onGitHub), func(o *openssf.Options) {
		o.Source = func(context.Context, scoring.Project, string) (openssf.Source, error) { return source, nil }
	})
	want := scores(checksOf(t, collect(t, &memory{files: tidy()}, onlyGit(onGitHub), nil)))
	if got := scores(checksOf(t, e)); !maps.Equal(got, want) {
		t.Errorf("scores are %v, want %v (%v)", got, want, checksOf(t, e).Skipped)
	}
}

func git(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Example", "-c", "user.email=a@example.org"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// repository makes a work tree with one commit.
func repository(t testing.TB, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git is missing")
		}
		t.Skip("git is missing")
	}
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-qm", "Begin")
	return dir
}
