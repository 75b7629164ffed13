package policies

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// swapped returns the files of the built-in policy with a text exchanged in one of them.
func swapped(t *testing.T, name, from, to string) []File {
	t.Helper()
	var out []File
	for _, f := range builtIn(t).Files() {
		if f.Name == name {
			if !bytes.Contains(f.Data, []byte(from)) {
				t.Fatalf("%s does not hold %q", name, from)
			}
			f.Data = bytes.Replace(f.Data, []byte(from), []byte(to), 1)
		}
		out = append(out, f)
	}
	return out
}

func TestASwitchDecidesAnOpenQuestionOfPolicy(t *testing.T) {
	compatible := func(p *Policy) audit.Outcome {
		subjects := full()
		for i, s := range subjects {
			if s.Ref.Kind == KindPrerequisite {
				subjects[i].Record = Prerequisite{Scope: s.Ref.ID, TestsPass: true}
			}
		}
		for _, f := range evaluate(t, p, subjects, "scs-open-iaas").Findings {
			if f.ID == "prerequisite-held/scs-compatible-iaas" {
				return f.Outcome
			}
		}
		return audit.MISS
	}
	if got := compatible(builtIn(t)); got != audit.FAIL {
		t.Errorf("by default the tests alone are not enough: want FAIL, got %s", got)
	}
	p, err := FromFiles(swapped(t, "policy.yaml", "technicallyMetSuffices:\n    on: false", "technicallyMetSuffices:\n    on: true"))
	if err != nil {
		t.Fatal(err)
	}
	if got := compatible(p); got != audit.PASS {
		t.Errorf("switched on they are: want PASS, got %s", got)
	}
	if list := p.Switches(); len(list) == 0 || !slices.ContainsFunc(list, func(s Switch) bool {
		return s.Name == "technicallyMetSuffices" && s.On && len(s.Sources) > 0 && s.Sources[0].Document.Title != ""
	}) {
		t.Errorf("switches: %+v", list)
	}
}

func TestSwitchesAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct{ file, from, to, want string }{
		"a switch that is not there": {"modules/prerequisite.yaml", "switch.technicallyMetSuffices", "switch.technicalyMetSuffices",
			`the policy has no switch "technicalyMetSuffices"; did you mean "technicallyMetSuffices"?`},
		"no answer":     {"policy.yaml", "    on: false\n", "", `"on" is missing`},
		"another word":  {"policy.yaml", "on: false", "on: perhaps", "true or false"},
		"no name":       {"policy.yaml", "technicallyMetSuffices:", "Technically-Met:", `"Technically-Met" is no name of a switch`},
		"without words": {"policy.yaml", "    title:\n      en: Passing", "    titel:\n      en: Passing", `unknown key "titel"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromFiles(swapped(t, c.file, c.from, c.to))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
