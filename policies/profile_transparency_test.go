package policies

import (
	"strings"
	"testing"
)

func TestTheRulesAboutOperatorsAreReadStrictly(t *testing.T) {
	base, err := profileFiles.ReadFile("data/" + defaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(base), "\ntransparency:\n")
	if !found {
		t.Fatal("the built-in profile asks nothing about operators")
	}
	const public = "  public: {public: [sbom], community: [], private: []}\n  source: s\n"
	cases := map[string]struct{ section, want string }{
		"complete":                          {public + "  indicators: {SP-01: {title: t, numbers: {history_months: 12}, source: s}}\n", ""},
		"an exposure is missing":            {"  public: {public: [], private: []}\n  source: s\n  indicators: {}\n", "says nothing about a cloud that is community"},
		"less exposed clouds publish more":  {"  public: {public: [], community: [sbom], private: []}\n  source: s\n  indicators: {}\n", `"sbom" must be public for a cloud that is community and need not for one that is public`},
		"an indicator without a source":     {public + "  indicators: {SP-01: {title: t}}\n", `"source" is missing`},
		"an id of another form":             {public + "  indicators: {status: {title: t, source: s}}\n", `"status" is no name here`},
		"a number that is no whole number":  {public + "  indicators: {SP-01: {title: t, numbers: {share_bp: 0.5}, source: s}}\n", "whole number"},
		"a threshold that nobody asked for": {public + "  indicators: {SP-01: {title: t, numbers: {}, source: s}}\n", "numbers is empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := LoadProfile([]byte(before+"\ntransparency:\n"+c.section), "p.yaml")
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "" && p.Transparency.Indicators["SP-01"].Numbers["history_months"] != 12:
				t.Errorf("read %+v", p.Transparency)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
