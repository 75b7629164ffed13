package pipeline

import (
	"os"
	"path/filepath"

	"github.com/pegel-audit/pegel/policies"
)

// PolicyLint names every problem of a policy directory with file, line and column; "built-in" and no name mean the policy of
// this program.
func PolicyLint(dir string) ([]string, error) {
	files, cases, err := policyFiles(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range policies.InspectFiles(files, cases) {
		out = append(out, p.String())
	}
	return out, nil
}

// policyFiles reads the files of a policy directory and those of its cases. What is no readable policy directory has no files:
// the checks name what is missing.
func policyFiles(dir string) (files, cases []policies.File, err error) {
	if dir == "" || dir == BuiltIn {
		p, err := policies.Default()
		if err != nil {
			return nil, nil, err
		}
		cases, err := policies.DefaultCases()
		return p.Files(), cases, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, nil, usagef("a policy is a directory with policy.yaml, clauses, modules, profiles and scopes", "checking policy %q: no such directory", dir)
	}
	if files, err = policies.ReadFiles(os.DirFS(dir)); err != nil {
		return nil, nil, usagef("pegel policy lint names every problem", "reading policy %q: %w", dir, err)
	}
	if cases, err = policies.ReadCases(os.DirFS(dir)); err != nil {
		return nil, nil, usagef("cases stand in tests, tests/bases and tests/stacks", "reading policy %q: %w", dir, err)
	}
	return files, cases, nil
}

// PolicyTested is what a policy answered to its cases, with what is wrong with the cases themselves.
type PolicyTested struct {
	Policy   *policies.Policy
	Problems []policies.Problem // of the files of cases; such cases were not tried
	Result   policies.TestResult
}

// PolicyTest tries a policy on cases. Names are policy directories, files of cases, or folders of them; the cases of files and
// folders alone are tried on the policy that was asked for, or on the one built in. Without a name the built-in policy answers
// its own cases.
func PolicyTest(names []string, choice PolicyChoice) (PolicyTested, error) {
	var cases []policies.File
	dir := ""
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(name, "policy.yaml")); err == nil {
			if dir != "" || choice.Asked != "" {
				return PolicyTested{}, usagef("test one policy at a time", "testing policies: %q is a second policy", name)
			}
			dir = name
			continue
		}
		more, err := caseFiles(name)
		if err != nil {
			return PolicyTested{}, err
		}
		cases = append(cases, more...)
	}
	if dir != "" {
		choice.Asked = dir
	}
	chosen, err := choice.choose(nil)
	if err != nil {
		return PolicyTested{}, err
	}
	if len(names) == 0 || dir != "" {
		own, err := ownCases(choice.Asked, chosen)
		if err != nil {
			return PolicyTested{}, err
		}
		cases = append(own, cases...)
	}
	if len(cases) == 0 {
		return PolicyTested{}, usagef("write some: docs/policy-authors.md shows how", "testing policy %s: there are no cases", chosen.ID())
	}
	out := PolicyTested{Policy: chosen.Policy}
	parsed, problems := chosen.ParseCases(cases)
	if out.Problems = problems; len(problems) > 0 {
		return out, nil
	}
	out.Result, err = chosen.Test(parsed)
	return out, err
}

// ownCases are the cases beside a policy.
func ownCases(asked string, chosen chosenPolicy) ([]policies.File, error) {
	if info, err := os.Stat(asked); err == nil && asked != "" && asked != BuiltIn {
		if !info.IsDir() {
			asked = filepath.Dir(asked)
		}
		_, cases, err := policyFiles(asked)
		return cases, err
	}
	if chosen.origin == "" {
		return policies.DefaultCases()
	}
	return nil, nil
}

// caseFiles reads one file of cases, or a folder with some.
func caseFiles(name string) ([]policies.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, usagef("name a policy directory, a file of cases, or a folder of them", "reading cases %q: no such file", name)
	}
	if !info.IsDir() {
		data, err := readBounded(name, maxCases)
		if err != nil {
			return nil, usagef("", "reading cases %q: %w", name, plainPath(name, err))
		}
		return []policies.File{{Name: name, Data: data}}, nil
	}
	var out []policies.File
	for _, sub := range []string{".", "bases", "stacks"} {
		entries, err := os.ReadDir(filepath.Join(name, sub))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if file := filepath.Join(name, sub, e.Name()); !e.IsDir() && filepath.Ext(file) == ".yaml" {
				more, err := caseFiles(file)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
	}
	if len(out) == 0 {
		return nil, usagef("files of cases end in .yaml", "reading cases %q: the folder holds none", name)
	}
	return out, nil
}

// maxCases bounds a file of cases; policies reads no more.
const maxCases = 1 << 20
