package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func correctionsIn(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "keystone.yaml"), []byte("schema: pegel/corrections/v1\nproject: keystone\ncorrections:\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const contest = "  - {indicator: IND, contests: true, value: 'true', words: This is read wrongly., source: 'https://example.org/why', at: 2026-01-05, role: maintainer}\n"

// TestAContestNeverChangesAnAnswer holds for every question: what is contested is shown beside the answer, and the answer, its
// interval and all scores stay.
func TestAContestNeverChangesAnAnswer(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, plain := catalogueProject(catalogue, "keystone"), corpus(t)["keystone"]
	plain.Statements = nil
	row := func(e scoring.Evidence) reports.Project {
		return projectRow(judge(p, e, profile), e, profile, e.AssessedAt)
	}
	before := row(plain)
	for n, was := range before.Indicators {
		all, err := corrections(catalogue, []string{correctionsIn(t, strings.Replace(contest, "IND", was.ID, 1))}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		after := row(onlyContests(stated(plain, p, all)))
		is := after.Indicators[n]
		if is.Contested == nil || is.Contested.Words != "This is read wrongly." || is.Contested.By != scoring.ByCatalogue || is.Contested.Source != "https://example.org/why" || is.Contested.Role != "maintainer" {
			t.Errorf("%s: contested is %+v", was.ID, is.Contested)
		}
		if is.Outcome != was.Outcome || is.Low != was.Low || is.High != was.High || is.Value != was.Value {
			t.Errorf("%s: the contest changed %v [%d, %d] to %v [%d, %d]", was.ID, was.Outcome, was.Low, was.High, is.Outcome, is.Low, is.High)
		}
		for i, a := range before.Aspects {
			if b := after.Aspects[i]; a.Low != b.Low || a.High != b.High || a.Coverage != b.Coverage {
				t.Errorf("%s: the contest changed %s", was.ID, a.Aspect)
			}
		}
	}
}

// onlyContests leaves out what the shipped corrections state without contesting.
func onlyContests(e scoring.Evidence) scoring.Evidence {
	e.Statements = slices.DeleteFunc(slices.Clone(e.Statements), func(s scoring.Statement) bool { return !s.Contests })
	return e
}

func TestStatementsStandBesideTheAnswerAndGrowOld(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	said := func(by, question string, day int, contests bool) scoring.Statement {
		return scoring.Statement{Indicator: question, By: by, Contests: contests, Words: by, At: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
	}
	e := scoring.Evidence{Statements: []scoring.Statement{
		said(scoring.ByOperator, "SE-01", 9, true), said(scoring.ByCatalogue, "SE-01", 3, true), said(scoring.ByProject, "SE-01", 1, true),
		said(scoring.ByProject, "SE-01", 2, true), said(scoring.ByCatalogue, "SE-01", 4, false), said(scoring.ByCatalogue, "OC-12", 4, false),
	}}
	contested, rest := statedOf(e, "SE-01", profile, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))
	if contested == nil || contested.By != scoring.ByProject || contested.At.Day() != 2 {
		t.Errorf("got %+v, want the newest words of the project itself", contested)
	}
	if len(rest) != 2 || rest[0].By != scoring.ByCatalogue || !rest[0].Over || rest[1].By != scoring.ByOperator {
		t.Errorf("got %+v, want a statement that is over, and the operator's", rest)
	}
	if _, rest = statedOf(e, "OC-12", profile, time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)); len(rest) != 1 || rest[0].Over {
		t.Errorf("got %+v: the quarter after the one it was said in is not over", rest)
	}
}

func TestCorrectionsAreTakenOnceAndFromTheirDay(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := corrections(catalogue, []string{correctionsIn(t, strings.Replace(contest, "IND", "SE-02", 1))}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	p := catalogueProject(catalogue, "keystone")
	e := scoring.Evidence{AssessedAt: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Statements: []scoring.Statement{{Indicator: "SE-14", By: scoring.ByProject}}}
	once := stated(e, p, all)
	if twice := stated(once, p, all); len(once.Statements) != 2 || len(twice.Statements) != 2 || len(e.Statements) != 1 {
		t.Errorf("got %d and %d statements of %d", len(once.Statements), len(twice.Statements), len(e.Statements))
	}
	e.AssessedAt = time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC)
	if early := stated(e, p, all); len(early.Statements) != 1 {
		t.Errorf("the day before it was said: got %+v", early.Statements)
	}
}

func TestWrongCorrectionsAreWrongUsage(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, want string }{
		"no directory":        {filepath.Join(t.TempDir(), "x"), "no such directory"},
		"an unknown question": {correctionsIn(t, strings.NewReplacer("IND", "XX-99", "2026-", "2025-").Replace(contest)), `line 4: there is no question "XX-99"`},
		"a day to come":       {correctionsIn(t, strings.Replace(contest, "IND", "SE-02", 1)), "line 4: at: 2026-01-05 lies in the future"},
		"a broken file":       {correctionsIn(t, "  - {indicator: 1}\n"), `reading corrections "keystone.yaml": line 4`},
	} {
		_, err := corrections(catalogue, []string{c.dir}, time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC))
		if _, ok := err.(*UsageError); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want wrong usage with %q", name, err, c.want)
		}
	}
}

func TestWaysToJoinAndFundComeFromTheEvidence(t *testing.T) {
	e := scoring.Evidence{
		Repo: "https://example.org/x", Revision: strings.Repeat("a", 40),
		Tree: audit.Known(scoring.Tree{GerritProject: "review.example.org/a/b", ReadmeLinks: []string{"chat.example.org"}, Documents: map[string][]scoring.Document{
			"funding": {{Path: "FUNDING.yml"}}, "contributing": {{Path: "CONTRIBUTING.md"}, {Path: "doc/a.md"}, {Path: "doc/b.md"}}, "sbom": {{Path: "bom.json"}},
		}}),
		Governance: audit.Known(scoring.Governance{Charter: audit.Known("https://example.org/charter")}),
		Statements: []scoring.Statement{{Indicator: "LR-10", Source: "https://example.org/fund"}, {Indicator: "SE-01", Source: "https://example.org/no"}},
	}
	var got []string
	for _, p := range joinOf(e) {
		got = append(got, p.Kind+" "+p.Text)
	}
	want := []string{"contributing CONTRIBUTING.md", "contributing doc/a.md", "funding FUNDING.yml", "review review.example.org/a/b", "place chat.example.org",
		"governance https://example.org/charter", "funding https://example.org/fund"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(joinOf(scoring.Evidence{})) != 0 {
		t.Error("without evidence there is a way in")
	}
}
