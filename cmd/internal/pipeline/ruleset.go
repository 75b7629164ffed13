package pipeline

import (
	"fmt"
	"os"

	"github.com/pegel-audit/pegel/policies"
)

// BuiltIn names the policy of this program where a command takes a policy directory or a profile.
const BuiltIn = "built-in"

// ruleset is what projects and scopes are judged by: profiles, and where whole policies are compared their requirements.
type ruleset struct {
	name     string
	profiles policies.Profiles
	policy   *policies.Policy // nil: a profile alone, which decides by the requirements of the bundle
}

// readRuleset reads a policy directory, the word built-in, the id of a built-in profile, or the file of a profile.
func readRuleset(name string) (ruleset, error) {
	var p *policies.Policy
	var err error
	switch info, statErr := os.Stat(name); {
	case name == BuiltIn:
		p, err = policies.Default()
	case statErr == nil && info.IsDir():
		p, err = policies.Load(os.DirFS(name))
	default:
		chosen, err := Profiles(name)
		return ruleset{name: name, profiles: chosen}, err
	}
	if err != nil {
		return ruleset{}, usagef("pegel policy lint names every problem", "loading policy %q: %w", name, err)
	}
	return ruleset{name: name, profiles: p.Profiles(), policy: p}, nil
}

// describe names a ruleset for a reader.
func (r ruleset) describe() string {
	if r.policy != nil {
		return fmt.Sprintf("policy %s %s", r.policy.ID(), r.policy.Version())
	}
	main := r.profiles.Main()
	return fmt.Sprintf("profile %s %s", main.ID, main.Version)
}
