package pipeline

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/policies"
)

// PolicyList says which scopes the built-in policy has.
func PolicyList() (string, error) {
	p, err := policies.Default()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (%s) %s\n", p.ID(), p.Version(), p.Status(), p.Digest())
	ids := p.ScopeIDs()
	slices.Sort(ids)
	for _, id := range ids {
		s, _ := p.Scope(id)
		fmt.Fprintf(&b, "  %-20s %-20s %d requirements\n", id, s.Title, len(s.Include))
	}
	return b.String(), nil
}

// PolicyLint names every problem of a policy directory with file, line and column.
func PolicyLint(dir string) ([]string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usagef("a policy is a directory with modules/, scopes/ and profiles/", "checking policy %q: no such directory", dir)
	}
	var out []string
	for _, p := range policies.Lint(os.DirFS(dir)) {
		out = append(out, p.String())
	}
	return out, nil
}
