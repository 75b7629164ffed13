package indicator_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// docs/indicators.md is made of the comments above the questions, of the built-in profile, and of the code that answers them:
//
//	go test ./scoring/indicator -run Page -update
//
// These tests hold the three together.
var update = flag.Bool("update", false, "write docs/indicators.md anew")

const pageFile = "../../docs/indicators.md"

// clauses are the bullets of scs-0008 (Draft, state of 2026-06-16) by the numbers that Pegel gave them, in its words.
var clauses = []struct{ id, about string }{
	{"FO-1.1", "open source licence"}, {"FO-1.2", "no open core"}, {"FO-1.3", "licences are handled clearly"}, {"FO-1.4", "patents, trademarks, contributor terms"},
	{"FO-2.1", "diverse community"}, {"FO-3.1", "documented way to contribute"}, {"FO-3.2", "contributors are invited"}, {"FO-3.3", "discussions in the open"},
	{"FO-4.1", "process for proposals"}, {"FO-4.2", "decisions can be traced"}, {"FO-4.3", "requirements are gathered"}, {"FO-4.4", "roadmap"},
	{"MA-1", "regressions"}, {"MA-2", "maintenance policies"}, {"MA-3", "handling of security issues"}, {"MA-4", "bugs are tracked"}, {"MA-5", "review and policies"},
	{"MA-6", "CI"}, {"MA-7", "implements standards"}, {"MA-8", "defines standards"},
	{"SE-1", "supply chain, SBOM"}, {"SE-2", "security contacts"}, {"SE-3", "secure coding"}, {"SE-4", "review for security"}, {"SE-5", "security tests in CI"},
	{"AC-1", "active development"}, {"AC-2", "attracts people"}, {"AC-3", "keeps people"}, {"AC-4", "contributors"}, {"AC-5", "adoption"}, {"AC-6", "visibility"},
	{"AC-7", "events, ambassadors"}, {"AC-8", "work with others"},
	{"LR-1", "single points of failure"}, {"LR-2", "commercial interests"}, {"LR-3", "fork"}, {"LR-4", "replacement"},
}

// sources names the collector behind each fact that an answer may rest on, by the field that holds it.
var sources = map[string]string{
	"History": "gitlog: commits", "Releases": "gitlog: tags and branches", "Tree": "gitlog: files", "Licences": "gitlog: licence files", "Versions": "gitlog: files at the deployed tags",
	"LicenceHistory": "gitlog: history of the licence files", "MirrorOf": "forge: mirrors", "Home": "forge: repository", "Changes": "forge: proposed changes, or patches on a mailing list",
	"Issues": "forge: tracker", "Runs": "forge: results of CI", "Rules": "forge: rules of branches", "Team": "forge: maintainers", "Governance": "foundation: records",
	"Checks": "openssf: Scorecard on our own clone", "Scorecard": "thirdparty: precomputed Scorecard", "Cycles": "lifecycle: release calendars", "Advisories": "thirdparty: vulnerabilities",
	"Badge": "thirdparty: badges", "Packaging": "thirdparty: distributions", "Dependents": "thirdparty: dependents", "Shared": "gitlog: histories read together", "Statements": "statements",
	"Foundation": "catalogue: foundation", "Alternatives": "catalogue: alternatives", "Standards": "catalogue: standards", "Deployed": "SBOM of the stack",
}

// text is what the comment above a question says.
type text struct {
	function, file               string
	ids                          string // what stands in the parentheses behind the name
	asks, measured, misleads, na string
	facts                        []string
}

// code is the source of the package.
type code struct {
	functions map[string]*ast.FuncDecl // by name; methods by .name
	files     map[string]string        // function to file
	asked     map[string]string        // indicator id to function
}

func readCode(t testing.TB) code {
	t.Helper()
	c := code{map[string]*ast.FuncDecl{}, map[string]string{}, map[string]string{}}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, f.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				c.functions[fn.Name.Name], c.files[fn.Name.Name] = fn, f.Name()
			} else if ok {
				c.functions["."+fn.Name.Name] = fn
			}
		}
	}
	ast.Inspect(c.functions["All"], func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "ask" {
			return true
		}
		id := strings.Trim(call.Args[0].(*ast.BasicLit).Value, `"`)
		if q, ok := call.Args[1].(*ast.Ident); ok {
			c.asked[id] = q.Name
		}
		return false
	})
	return c
}

var head = regexp.MustCompile(`^(\w+) \(([A-Z]{2}-\d\d)(?:, scs-0008 ([A-Z0-9., -]+))?\) asks: ([^?]+\?)\s*(.*)$`)

// text returns the parts of the comment above the function of an indicator.
func (c code) text(id string) (t text, err error) {
	fn := c.functions[c.asked[id]]
	if fn == nil || fn.Doc == nil {
		return t, fmt.Errorf("%s: no function with a comment", id)
	}
	t.function, t.file = fn.Name.Name, c.files[fn.Name.Name]
	comment := strings.Join(strings.Fields(fn.Doc.Text()), " ")
	opening, rest, measured := strings.Cut(strings.Replace(comment, " Measured, ", " Measured: ", 1), " Measured: ")
	how, misleads, warned := strings.Cut(rest, " Misleads: ")
	m := head.FindStringSubmatch(opening)
	switch {
	case m == nil:
		return t, fmt.Errorf("%s: the comment of %s does not begin with its name, id and clauses, and \"asks: ...?\": %q", id, t.function, opening)
	case m[1] != t.function || m[2] != id:
		return t, fmt.Errorf("%s: the comment of %s names %s and %s", id, t.function, m[1], m[2])
	case !measured || strings.TrimSpace(how) == "":
		return t, fmt.Errorf("%s: the comment of %s does not say how it is measured", id, t.function)
	case !warned || strings.TrimSpace(misleads) == "":
		return t, fmt.Errorf("%s: the comment of %s does not say when it misleads", id, t.function)
	}
	t.ids, t.asks, t.na, t.measured, t.misleads = m[3], m[4], m[5], how, misleads
	t.facts = c.reads(c.asked[id])
	return t, nil
}

// reads lists the facts that a function and all that it calls take from the evidence and the project.
func (c code) reads(name string) []string {
	seen, facts := map[string]bool{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		fn := c.functions[name]
		if fn == nil || fn.Body == nil || seen[name] || name == "ask" {
			return
		}
		seen[name] = true
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if in, ok := n.X.(*ast.SelectorExpr); ok && (in.Sel.Name == "e" || in.Sel.Name == "p") {
					if sources[n.Sel.Name] != "" {
						facts[n.Sel.Name] = true
					}
					if n.Sel.Name == "Stated" {
						facts["Statements"] = true
					}
				}
				visit("." + n.Sel.Name)
			case *ast.Ident:
				visit(n.Name)
			}
			return true
		})
	}
	visit(name)
	return slices.Sorted(maps.Keys(facts))
}

func TestEveryFactThatAnswersRestOnHasASourceOnThePage(t *testing.T) {
	e := reflect.TypeOf(scoring.Evidence{})
	for i := range e.NumField() {
		f := e.Field(i)
		isFact := strings.HasPrefix(f.Type.String(), "audit.Fact[") || strings.Contains(f.Type.String(), "map[string]audit.Fact[")
		if isFact && sources[f.Name] == "" {
			t.Errorf("scoring.Evidence.%s: the page does not know which collector gathers it", f.Name)
		}
	}
}

func TestEveryIndicatorSaysWhatItAsksHowAndWhenItMisleads(t *testing.T) {
	prof, c := profile(t), readCode(t)
	if n := len(c.asked); n != len(prof.Indicators) {
		t.Errorf("%d indicators are asked, want %d", n, len(prof.Indicators))
	}
	known := map[string]bool{}
	for _, clause := range clauses {
		known[clause.id] = true
	}
	served := map[string]bool{}
	for id, rule := range prof.Indicators {
		for _, clause := range rule.Clauses {
			served[clause] = true
		}
		said, err := c.text(id)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.Join(rule.Clauses, ", "); said.ids != want {
			t.Errorf("%s: the comment of %s names clauses %q, the profile %q", id, said.function, said.ids, want)
		}
		if rule.Source == "" || !strings.Contains(rule.Source, "proposal") {
			t.Errorf("%s: source %q does not say where the numbers come from, or that they are a proposal", id, rule.Source)
		}
		for _, clause := range rule.Clauses {
			if !known[clause] {
				t.Errorf("%s: scs-0008 has no clause %s", id, clause)
			}
		}
		if len(said.facts) == 0 {
			t.Errorf("%s: %s rests on no fact", id, said.function)
		}
	}
	for _, clause := range clauses {
		if !served[clause.id] {
			t.Errorf("no indicator serves clause %s of scs-0008", clause.id)
		}
	}
}

func TestThePageOfIndicatorsIsUpToDate(t *testing.T) {
	want := page(t, profile(t), readCode(t))
	if *update {
		if err := os.WriteFile(pageFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/indicators.md is not what comments and profile say; run: go test ./scoring/indicator -run Page -update")
	}
}

// page writes docs/indicators.md.
func page(t testing.TB, prof audit.Profile, c code) []byte {
	t.Helper()
	var b bytes.Buffer
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	ids := slices.Sorted(maps.Keys(prof.Indicators))
	w("# Indicators of upstream projects")
	w("")
	w("Generated by `make generate` from the comments in `scoring/indicator` and the profile `%s` %s (%s). Do not edit.", prof.ID, prof.Version, prof.Status)
	w("")
	w("%d questions about a project, by aspect. Each serves clauses of [scs-0008](https://docs.scs.community/standards/scs-0008-v1-oss-health), a Draft without numbers: every number here is a proposal until SCS decides. The clause ids are Pegel's.", len(ids))
	w("")
	w("An answer is PASS, PART (between), FAIL, NA (does not apply), DNF (looked, could not tell) or MISS (nobody looked). Only what was read can fail. A weight of 3 belongs to a knock-out, whose FAIL fails its aspect; 2 stands for a must of a cited norm, 0 for information. The numbers are the first that count: what fails above 90 % stands as 9001 basis points. The grade of an answer is that of its worst fact: A the project's own git, B its forge, C a third party, D what the project says, E what its operator says.")
	w("")
	for _, aspect := range scoring.Aspects {
		w("## %s", strings.ToUpper(aspect[:1])+strings.ReplaceAll(aspect[1:], "-", " "))
		w("")
		for _, id := range ids {
			if rule := prof.Indicators[id]; rule.Aspect == aspect {
				entry(t, w, id, rule, c)
			}
		}
	}
	w("## Clauses of scs-0008")
	w("")
	w("| Clause | About | Indicators |")
	w("|---|---|---|")
	for _, clause := range clauses {
		var by []string
		for _, id := range ids {
			if slices.Contains(prof.Indicators[id].Clauses, clause.id) {
				by = append(by, id)
			}
		}
		w("| %s | %s | %s |", clause.id, clause.about, strings.Join(by, ", "))
	}
	var none []string
	for _, id := range ids {
		if len(prof.Indicators[id].Clauses) == 0 {
			none = append(none, id)
		}
	}
	w("")
	w("Without a clause of their own: %s.", strings.Join(none, ", "))
	return b.Bytes()
}

func entry(t testing.TB, w func(string, ...any), id string, rule audit.IndicatorRule, c code) {
	t.Helper()
	said, err := c.text(id)
	if err != nil {
		t.Error(err)
		return
	}
	knocks := ""
	if rule.KnockOut {
		knocks = " (knock-out)"
	}
	w("### %s %s%s", id, rule.Title, knocks)
	w("")
	w("%s%s", strings.ToUpper(said.asks[:1])+said.asks[1:], strings.TrimRight(" "+said.na, " "))
	w("")
	w("- Measured: %s", said.measured)
	w("- Misleads: %s", said.misleads)
	w("- Clauses: %s", cmp.Or(strings.Join(rule.Clauses, ", "), "none"))
	w("- Numbers: %s", numbers(rule))
	w("- Source of the numbers: %s", rule.Source)
	var from []string
	for _, f := range said.facts {
		from = append(from, sources[f])
	}
	slices.Sort(from)
	w("- Evidence: %s", strings.Join(slices.Compact(from), "; "))
	w("- Code: `scoring/indicator/%s`, %s", said.file, said.function)
	w("")
}

// numbers writes what a rule sets.
func numbers(rule audit.IndicatorRule) string {
	parts := []string{"scale " + rule.Scale}
	if rule.Unit != "none" && rule.Unit != rule.Scale {
		parts = append(parts, "unit "+rule.Unit)
	}
	if rule.Fail != nil {
		parts = append(parts, fmt.Sprintf("fail %d", *rule.Fail))
	}
	if rule.Pass != nil {
		parts = append(parts, fmt.Sprintf("pass %d", *rule.Pass))
	}
	for _, name := range slices.Sorted(maps.Keys(rule.Numbers)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, rule.Numbers[name]))
	}
	window := "state on the day"
	if rule.Window > 0 {
		window = fmt.Sprintf("window %d days", rule.Window)
	}
	return strings.Join(append(parts, window, fmt.Sprintf("weight %d", rule.Weight)), ", ")
}
