package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const root = "../../../"

// recorded reads the files of the repository.
func recorded(t *testing.T) (outcomes, split) {
	t.Helper()
	o, err := readOutcomes(root + "validation/outcomes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSplit(root+"validation/split.yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	return o, s
}

func TestTheOutcomesHaveSourcesAndEnoughOfEachKind(t *testing.T) {
	o, s := recorded(t)
	counts := map[string]int{}
	for _, x := range o.Outcomes {
		counts[x.Outcome]++
		if x.Source == "" || x.Event.After(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s has no source, or an event to come", x.id())
		}
		for _, m := range o.Months {
			if at := x.before(m); !at.Before(x.Event.Time) {
				t.Errorf("%s would be judged on %s, not before %s", x.id(), at, x.Event)
			}
		}
		if h := s.half(x); h != validation && h != development {
			t.Errorf("%s is in the half %q", x.id(), h)
		}
	}
	for kind, want := range map[string]int{"archived": 25, "promoted": 30, "survived": 20, "retired": 10, "kept": 10, "relicensed": 8, "kept-licence": 8} {
		if counts[kind] < want {
			t.Errorf("%d %s, want at least %d", counts[kind], kind, want)
		}
	}
	if len(o.Comparisons) == 0 || !slices.Contains(o.Months, 12) || !slices.Contains(o.Months, 6) {
		t.Errorf("comparisons %v at %v months", o.Comparisons, o.Months)
	}
}

func TestAMonthIsATwelfthOfAYear(t *testing.T) {
	x := outcome{Event: day{time.Date(2025, 3, 25, 0, 0, 0, 0, time.UTC)}}
	if got := x.before(12).Format(time.DateOnly); got != "2024-03-25" {
		t.Errorf("12 months before: %s", got)
	}
	if got := x.before(6).Format(time.RFC3339); got != "2024-09-23T12:00:00Z" {
		t.Errorf("6 months before: %s", got)
	}
}

const sound = `schema: pegel/outcomes/v1
months: [12]
comparisons:
  - {id: c, question: "Told?", bad: gone, good: here, matched: true, aspects: [activity]}
outcomes:
  - {name: a, repo: "https://example.org/x/a", outcome: gone, event: 2020-06-01, source: minutes}
  - {name: b, repo: "https://example.org/x/b", outcome: here, event: 2020-06-01, matches: a, source: minutes}
`

func TestWrongOutcomesSayWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"sound":              {"", "", ""},
		"no source":          {"source: minutes}\n  - {name: b", "source: \"\"}\n  - {name: b", "gone/a: source is missing"},
		"no event":           {"event: 2020-06-01, source: minutes}\n  - {name: b", "source: minutes}\n  - {name: b", "gone/a: event is missing"},
		"no day":             {"event: 2020-06-01, matches", "event: June, matches", `"June" is no day`},
		"twice":              {"name: b, repo: \"https://example.org/x/b\", outcome: here", "name: a, repo: \"https://example.org/x/b\", outcome: gone", "gone/a stands there twice"},
		"no address":         {"https://example.org/x/b", "/home/b", "no https address"},
		"unknown aspect":     {"[activity]", "[charm]", `unknown aspect "charm"`},
		"no aspect":          {"[activity]", "[]", "names no aspect"},
		"unknown kind":       {"bad: gone", "bad: lost", `no project has the outcome "lost"`},
		"control of nothing": {"matches: a", "matches: z", `matches "z"`},
		"other day":          {"event: 2020-06-01, matches", "event: 2020-06-02, matches", "by the day 2020-06-02"},
		"after the event":    {"months: [12]", "months: [0]", "give 1 to 60"},
		"other schema":       {"outcomes/v1", "outcomes/v9", "schema"},
		"unknown key":        {"matches: a", "macthes: a", "macthes"},
	} {
		file := filepath.Join(t.TempDir(), "outcomes.yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(sound, c.old, c.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readOutcomes(file)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestAProjectCannotBeMovedToTheOtherHalf(t *testing.T) {
	o, s := recorded(t)
	key := splitKey(o.Outcomes[0].Repo)
	other := map[string]string{validation: development, development: validation}[s.Halves[key]]
	s.Halves[key] = other
	if err := s.check(o); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("moved: got %v, want an error that names %s", err, key)
	}
	delete(s.Halves, key)
	if err := s.check(o); err == nil || !strings.Contains(err.Error(), key+" is missing") {
		t.Errorf("left out: got %v, want an error that names %s", err, key)
	}
}

func TestOneRepositoryIsInOneHalfHoweverItIsWritten(t *testing.T) {
	for _, address := range []string{"https://GitHub.com/Example/Thing", "https://github.com/example/thing/", "http://github.com/example/thing.git"} {
		if got, want := splitKey(address), "github.com/example/thing"; got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
