package gitlog

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rulesOfTopics are the patterns in topics.go with their words, as they are written there.
func rulesOfTopics(t *testing.T) [][]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "topics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name, ok := call.Fun.(*ast.Ident)
		if !ok || name.Name != "paths" && name.Name != "newRule" {
			return true
		}
		var words []string
		for _, a := range call.Args {
			if lit, ok := a.(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, text)
			}
		}
		if len(words) > 0 {
			out = append(out, words)
		}
		return true
	})
	return out
}

// written makes a text that a pattern matches, most of the time.
func written(re *syntax.Regexp, r *rand.Rand) string {
	var b strings.Builder
	times := func(least, most int) {
		for range least + r.IntN(most-least+1) {
			b.WriteString(written(re.Sub[0], r))
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		i := r.IntN(len(re.Rune)/2) * 2
		return string(re.Rune[i] + r.Int32N(min(re.Rune[i+1]-re.Rune[i], 30)+1))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return string(rune('a' + r.IntN(26)))
	case syntax.OpCapture:
		return written(re.Sub[0], r)
	case syntax.OpAlternate:
		return written(re.Sub[r.IntN(len(re.Sub))], r)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			b.WriteString(written(sub, r))
		}
	case syntax.OpQuest:
		times(0, 1)
	case syntax.OpStar:
		times(0, 3)
	case syntax.OpPlus:
		times(1, 3)
	case syntax.OpRepeat:
		times(re.Min, max(re.Min, re.Max))
	}
	return b.String()
}

func TestAQuickLookLosesNoMatch(t *testing.T) {
	rules := rulesOfTopics(t)
	if len(rules) < 12 {
		t.Fatalf("only %d rules were found in topics.go", len(rules))
	}
	r := rand.New(rand.NewPCG(7, 8))
	for _, words := range rules {
		q := newRule(words[0], words[1:]...)
		if !q.begins && q.within == nil {
			t.Errorf("%s: nothing is known of what it matches, so that it is tried on every file; name words that each match holds", words[0])
		}
		parsed, err := syntax.Parse(words[0], syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		matched := 0
		for range 3000 {
			text := written(parsed, r)
			if !q.re.MatchString(text) {
				continue
			}
			matched++
			if !q.possible(text) {
				t.Errorf("%s: %q matches and is not looked at", words[0], text)
				break
			}
		}
		if matched < 100 {
			t.Errorf("%s: only %d texts matched", words[0], matched)
		}
	}
}

func TestHeadsAreWhatAPatternBeginsWith(t *testing.T) {
	for pattern, want := range map[string][]string{
		`^\.?bandit(\.ya?ml|\.toml)?$`: {".bandit", ".bandit.toml", ".bandit.yaml", ".bandit.yml", "bandit", "bandit.toml", "bandit.yaml", "bandit.yml"},
		`^jenkins[^/]*$|^a/.+`:         {"a/", "jenkins"},
		`(^|/)x$`:                      nil,
		`^(?:.*/)?x/`:                  nil,
		`^[0-9]x`:                      nil,
		`^a|b`:                         nil,
		`^(?i)a`:                       nil,
	} {
		q := newRule(pattern)
		var got []string
		for _, heads := range q.heads {
			got = append(got, heads...)
		}
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), want) || q.begins != (want != nil) {
			t.Errorf("%s: heads %q, want %q", pattern, got, want)
		}
	}
}

func TestAHintHoldsForEveryNameOfALicence(t *testing.T) {
	for _, name := range []string{"LICENSE", "Licence.md", "COPYING", "copying.LESSER", "unlicense", "MIT-LICENSE", "apache-licence", "Copying"} {
		if !mayBeLicence([]byte(name)) {
			t.Errorf("%s is not looked at", name)
		}
	}
	for _, name := range []string{"", "lice", "README.md", "lisence", "copyin"} {
		if mayBeLicence([]byte(name)) {
			t.Errorf("%s is looked at", name)
		}
	}
}
