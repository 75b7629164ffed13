package forge

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// mailTale is the tale as git tells it where patches come by mail: the three human changes of 12 months as commits, two of
// them with a Reviewed-by of somebody else.
func mailTale() scoring.Evidence {
	origin := audit.Origin{Source: "git", URL: "https://git.kernel.org/pub/scm/town.git", Commit: strings.Repeat("a", 40)}
	h := scoring.History{FirstCommit: daysBefore(1400), LastCommit: daysBefore(8), LastHumanCommit: daysBefore(8), CommitsEver: 40, AuthorsEver: 4}
	for _, w := range []scoring.Window{
		{Months: 3, Commits: 3, HumanCommits: 2, Authors: 2, Committers: 2, Reviewed: 2}, {Months: 6, Commits: 3, HumanCommits: 2, Authors: 2, Committers: 2, Reviewed: 2},
		{Months: 12, Commits: 4, HumanCommits: 3, Authors: 3, Committers: 2, Reviewed: 2}, {Months: 24, Commits: 5, HumanCommits: 4, Authors: 3, Committers: 3, Reviewed: 3},
	} {
		h.Windows = append(h.Windows, w)
	}
	return scoring.Evidence{History: audit.Known(h, origin).Graded(audit.GradeRecord, taleAt(), audit.Month)}
}

// TestFourKindsOfProjectsCompareLineByLine has every kind of forge tell the same history. The table shows fact by fact
// what each knows: a value, "?" with a reason where it was looked for in vain, "-" where nobody looked. Pegel's promise is
// that no "?" is ever a 0; the table is the place to see it, so that a changed line is a changed promise.
func TestFourKindsOfProjectsCompareLineByLine(t *testing.T) {
	x := tale()
	github := forgetest.NewGitHub(t, x.GitHub("example", "town"))
	github.Now = taleAt
	hosts := openDev()
	hosts["api.github.com"], hosts["github.com"] = github.Handler(), github.Handler()
	hosts["gitlab.example.org"] = &forgetest.GitLab{Tale: x, Project: "example/town", Token: "token"}
	hosts["git.example.org"] = &forgetest.Gitea{Tale: x, Project: "example/town"}
	tokens := func(o *Options) { o.Tokens = func(string) []string { return []string{"token"} } }
	openstack, known := openStack()
	kinds := []string{"Gerrit", "GitHub", "GitLab", "Gitea", "mail"}
	of := map[string]scoring.Evidence{}
	of["Gerrit"], _ = collect(t, hosts, openstack, known, tokens)
	of["GitHub"], _ = collect(t, hosts, scoring.Project{ID: "town", Repo: "https://github.com/example/town"}, scoring.Evidence{}, tokens)
	of["GitLab"], _ = collect(t, hosts, scoring.Project{ID: "town", Repo: "https://gitlab.example.org/example/town"}, scoring.Evidence{}, tokens)
	of["Gitea"], _ = collect(t, hosts, scoring.Project{ID: "town", Repo: "https://git.example.org/example/town"}, scoring.Evidence{}, tokens)
	of["mail"], _ = collect(t, hosts, scoring.Project{ID: "town", Repo: "https://git.kernel.org/pub/scm/town.git"}, mailTale(), tokens)

	lines := map[string]map[string]string{}
	var order []string
	for _, kind := range kinds {
		e := of[kind]
		for _, row := range rows(e) {
			if lines[row.name] == nil {
				lines[row.name] = map[string]string{}
				order = append(order, row.name)
			}
			lines[row.name][kind] = row.cell
			if row.unexplained {
				t.Errorf("%s: %s is not known, and nothing says why or what would settle it", kind, row.name)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-34s", "fact")
	for _, kind := range kinds {
		fmt.Fprintf(&b, " %-20s", kind)
	}
	b.WriteString("\n")
	for _, name := range order {
		fmt.Fprintf(&b, "%-34s", name)
		for _, kind := range kinds {
			cell := lines[name][kind] // empty: the fact it is part of is not known
			if whole, _, _ := strings.Cut(name, "."); cell == "" {
				if cell = lines[whole][kind]; cell == "" {
					cell = "?"
				}
			}
			fmt.Fprintf(&b, " %-20s", cell)
		}
		b.WriteString("\n")
	}
	got := strings.ReplaceAll(b.String(), " \n", "\n")
	for strings.Contains(got, " \n") {
		got = strings.ReplaceAll(got, " \n", "\n")
	}
	golden := filepath.Join("testdata", "compare.txt")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v: set UPDATE_GOLDEN=1 to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the table of facts changed (set UPDATE_GOLDEN=1 and look at the difference):\n%s", diff)
	}
}

// row is one fact of one project.
type row struct {
	name, cell  string
	unexplained bool
}

// rows are the facts that forges share. Changes are shown for 12 months, and the answers for 3.
func rows(e scoring.Evidence) (all []row) {
	all = append(all, facet("home", e.Home, "Forge", "Name")...)
	if c, ok := e.Changes.Get(); ok {
		all = append(all, row{name: "changes.Open", cell: cell(reflect.ValueOf(c.Open))})
		for _, w := range c.Windows {
			if w.Months == 12 {
				all = append(all, fields("changes."+fmt.Sprint(w.Months)+"m", reflect.ValueOf(w), "Months")...)
			}
		}
	} else {
		all = append(all, row{name: "changes.Open", cell: cell(reflect.ValueOf(e.Changes))})
	}
	all = append(all, facet("issues", e.Issues, "Tracker")...)
	all = append(all, facet("runs", e.Runs, "System", "Where")...)
	all = append(all, facet("rules", e.Rules)...)
	return append(all, facet("team", e.Team, "Source")...)
}

func facet[T any](name string, f audit.Fact[T], skip ...string) []row {
	all := []row{{name: name, cell: mark(f.Unknown()), unexplained: f.Unknown() == audit.DNF && f.Settle == ""}}
	if v, ok := f.Get(); ok {
		all = append(all, fields(name, reflect.ValueOf(v), skip...)...)
	}
	return all
}

func fields(name string, v reflect.Value, skip ...string) (all []row) {
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		if strings.Contains(" "+strings.Join(skip, " ")+" ", " "+field+" ") {
			continue
		}
		r := row{name: name + "." + field, cell: cell(v.Field(i))}
		if f := v.Field(i); strings.HasPrefix(f.Type().Name(), "Fact[") && f.FieldByName("Value").IsNil() {
			r.unexplained = f.FieldByName("Failure").String() == ""
		}
		all = append(all, r)
	}
	return all
}

func mark(o audit.Outcome) string {
	return map[audit.Outcome]string{audit.PASS: "known", audit.DNF: "?", audit.MISS: "-"}[o]
}

// cell shows a value short enough for a table.
func cell(v reflect.Value) string {
	if strings.HasPrefix(v.Type().Name(), "Fact[") {
		if p := v.FieldByName("Value"); !p.IsNil() {
			return cell(p.Elem())
		}
		if v.FieldByName("Failure").String() != "" {
			return "?"
		}
		return "-"
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.Format(time.DateOnly)
	case string:
		return fmt.Sprintf("%q", x)
	case int64:
		return (time.Duration(x) * time.Second).String()
	case []scoring.Published:
		return fmt.Sprintf("%d releases", len(x))
	}
	return strings.ReplaceAll(fmt.Sprint(v.Interface()), " ", "..")
}
