package policies

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Inspect lists everything that is wrong or missing in a policy directory with its cases, in the order of files and lines; nil
// if nothing is. What Lint lists keeps a policy from being used; the rest keeps readers from understanding it, or its author
// from knowing that it says what he means: texts in all languages, a passing and a failing case for each requirement, no
// requirement in no scope, no switch that nothing reads.
func Inspect(fsys fs.FS) []Problem {
	if problems := Lint(fsys); problems != nil {
		return problems
	}
	files, err := ReadFiles(fsys)
	if err != nil {
		return []Problem{{File: ".", Text: err.Error()}}
	}
	cases, err := ReadCases(fsys)
	if err != nil {
		return []Problem{{File: "tests", Text: err.Error()}}
	}
	return InspectFiles(files, cases)
}

// InspectFiles is Inspect of files that were read before: those of a policy, and those of its cases.
func InspectFiles(files, cases []File) []Problem {
	p, problems := load(files)
	if len(problems) > 0 {
		return problems
	}
	problems = append(problems, languagesOf(p.files)...)
	problems = append(problems, p.unread()...)
	c, wrong := p.ParseCases(cases)
	problems = append(problems, wrong...)
	if len(wrong) == 0 {
		problems = append(problems, p.uncased(c)...)
	}
	sortProblems(problems)
	return problems
}

// languagesOf finds texts that lack a language: mappings with an English text and not all of the others.
func languagesOf(files []File) []Problem {
	var out []Problem
	for _, f := range files {
		r := &reader{file: f.Name}
		if root := r.root(f.Data); root != nil {
			r.languages(root)
		}
		out = append(out, r.problems...)
	}
	return out
}

func (r *reader) languages(n *yaml.Node) {
	if n.Kind == yaml.MappingNode && hasKey(n, "en") && value(n, "en") != "" { // of words of the glossary the loader asks for each language
		var lacking []string
		for _, lang := range Languages() {
			if !hasKey(n, lang) || value(n, lang) == "" {
				lacking = append(lacking, lang)
			}
		}
		if lacking != nil {
			r.problem(n, "the text %q lacks %s", shortened(value(n, "en")), strings.Join(lacking, ", "))
		}
		return
	}
	for _, c := range n.Content {
		r.languages(c)
	}
}

// value is the text of a key; empty if there is none.
func value(n *yaml.Node, key string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return strings.TrimSpace(n.Content[i+1].Value)
		}
	}
	return ""
}

func shortened(s string) string {
	const most = 40
	if r := []rune(clean(s)); len(r) > most {
		return string(r[:most]) + "..."
	}
	return clean(s)
}

// engineSwitches are switches that no rule reads because evaluation itself does.
func engineSwitches() []string { return []string{switchWaivedMustBlocks} }

var readsSwitch = regexp.MustCompile(`\bswitch\.([A-Za-z0-9]+)`)

// unread finds requirements that no scope includes and switches that nothing reads.
func (p *Policy) unread() []Problem {
	var out []Problem
	read := engineSwitches()
	for _, q := range p.requirements {
		for _, m := range readsSwitch.FindAllStringSubmatch(q.Applies+" "+q.Pass, -1) {
			read = append(read, m[1])
		}
		if _, asked := p.asking(q.ID); !asked {
			at := q.at
			at.Text = fmt.Sprintf("requirement %q is in no scope, so nothing asks for it; include it in one, or take it out", q.ID)
			out = append(out, at)
		}
	}
	for _, s := range p.switches {
		if !slices.Contains(read, s.Name) {
			out = append(out, Problem{File: manifest, Line: p.lineOf(s.Name), Text: fmt.Sprintf("no rule reads switch.%s, so turning it changes nothing", s.Name)})
		}
	}
	return out
}

// lineOf is where the manifest has a key first; 0 if nowhere.
func (p *Policy) lineOf(key string) int {
	for _, f := range p.files {
		if f.Name != manifest {
			continue
		}
		n := 0
		for line := range strings.Lines(string(f.Data)) {
			n++
			if strings.HasPrefix(strings.TrimSpace(line), key+":") {
				return n
			}
		}
	}
	return 0
}

// uncased finds requirements without a passing or a failing case and without a reason for that.
func (p *Policy) uncased(c Cases) []Problem {
	seen := map[string]map[audit.Outcome]bool{}
	for _, one := range c.rules {
		if seen[one.requirement] == nil {
			seen[one.requirement] = map[audit.Outcome]bool{}
		}
		seen[one.requirement][one.expect] = true
	}
	var out []Problem
	for _, q := range p.requirements {
		for _, o := range []audit.Outcome{audit.PASS, audit.FAIL} {
			if !seen[q.ID][o] && c.exceptions[q.ID][o] == "" {
				at := q.at
				at.Text = fmt.Sprintf("requirement %q has no case with outcome %s; add one to tests/%s.yaml, or say under exceptions why there is none", q.ID, o, q.Module)
				out = append(out, at)
			}
		}
	}
	return out
}
