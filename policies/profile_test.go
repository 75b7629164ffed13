package policies

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

func defaultProfileText(t testing.TB) string {
	t.Helper()
	data, err := profileFiles.ReadFile("data/" + defaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheBuiltInProfileLoads(t *testing.T) {
	p, err := DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(p.Indicators), 89; got != want {
		t.Errorf("got %d indicators, want %d", got, want)
	}
	var knockOuts []string
	for id, rule := range p.Indicators {
		if rule.KnockOut {
			knockOuts = append(knockOuts, id)
		}
		if !strings.Contains(rule.Source, "proposal") {
			t.Errorf("%s: source %q does not say that it is a proposal", id, rule.Source)
		}
	}
	slices.Sort(knockOuts)
	if want := []string{"AC-01", "MA-02", "OS-01", "OS-04", "OS-06", "SE-04"}; !slices.Equal(knockOuts, want) {
		t.Errorf("knock-outs: got %v, want %v (design section 9)", knockOuts, want)
	}
	if got := p.Indicators["AC-10"].Weight; got != 0 {
		t.Errorf("AC-10: got weight %d, want 0: information only", got)
	}
	served := map[string]bool{}
	for _, rule := range p.Indicators {
		for _, c := range rule.Clauses {
			served[c] = true
		}
	}
	for _, c := range profileClauses() {
		if !served[c] {
			t.Errorf("clause %s of scs-0008 is served by no indicator", c)
		}
	}
}

func TestTheGatesAreThoseOfTheDesign(t *testing.T) {
	p, err := DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	opens := []string{"open-source", "open-community", "open-development", "open-design"}
	want := map[string]map[string][2]int{"scs-open": {}, "scs-sovereign": {"security": {6000, 8000}, "activity": {5000, 8000}}}
	for level := range want {
		for _, aspect := range opens {
			want[level][aspect] = [2]int{6000, 6000}
		}
	}
	got := map[string]map[string][2]int{}
	for level, roles := range p.Gates {
		got[level] = map[string][2]int{}
		for aspect, g := range roles["platform"] {
			got[level][aspect] = [2]int{g.Low, g.Coverage}
		}
		if n := len(roles["building-block"]); n != 0 {
			t.Errorf("%s: building blocks have %d score gates, want none", level, n)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("low end and coverage of platform gates (-want +got):\n%s", diff)
	}
}

func TestAProfileWithAMistakeIsRefusedWithItsPlace(t *testing.T) {
	text := defaultProfileText(t)
	cut := func(from, to string) string {
		_, rest, _ := strings.Cut(text, from)
		before, _, _ := strings.Cut(text, from)
		_, after, _ := strings.Cut(rest, to)
		return before + to + after
	}
	swap := func(old, new string) string { return strings.Replace(text, old, new, 1) }
	tests := map[string]struct {
		text string
		want string // part of the error
		line string // text of the line that the error must name; empty: no place is needed
	}{
		"an unknown key is named with what was meant": {
			swap("  OS-03:\n    aspect", "  OS-03:\n    tresholds: 1\n    aspect"), `unknown key "tresholds"`, "    tresholds: 1"},
		"a misspelt key proposes the right one": {
			swap("    window_days: 1825", "    window_day: 1825"), `did you mean "window_days"?`, "    window_day: 1825"},
		"hysteresis is asked for": {
			strings.ReplaceAll(text, "\nhysteresis:\n", "\nhysterese:\n"), `unknown key "hysterese"; did you mean "hysteresis"?`, "hysterese:"},
		"hysteresis without a number": {
			swap("  audits: 2 #", "  #"), `"audits" is missing`, "OpenStack withdrew its diversity tags"},
		"hysteresis that never ends": {
			swap("  audits: 2 #", "  audits: 5 #"), "1 to 4", "  audits: 5 #"},
		"a profile that extends is no whole profile": {
			swap("id: service", "id: service\nextends: library"), `unknown key "extends"`, "extends: library"},
		"an unknown indicator is named": {
			swap("  OS-03:", "  OS-99:"), `unknown key "OS-99"`, "  OS-99:"},
		"a missing indicator is named": {
			cut("  LR-11:", "\n# Gates by level"), "indicator LR-11 is missing", "  OS-01:"},
		"an indicator under another aspect is refused": {
			swap("  AC-02:\n    aspect: activity", "  AC-02:\n    aspect: security"), "AC-02 belongs to the aspect activity", "    aspect: security"},
		"a linear scale needs both thresholds": {
			swap("    fail: 2000\n", ""), "scale linear needs both fail and pass", "    aspect: open-source"},
		"equal thresholds are refused": {
			swap("    fail: 2000\n    pass: 9000", "    fail: 9000\n    pass: 9000"), "fail and pass are both 9000", "    pass: 9000"},
		"a boolean scale takes no fail": {
			swap("    scale: boolean\n    weight: 2", "    scale: boolean\n    fail: 1\n    weight: 2"), "scale boolean takes pass only", "    fail: 1"},
		"information has no thresholds": {
			swap("    scale: information\n", "    scale: information\n    pass: 1\n"), "takes neither fail nor pass", "    aspect: activity"},
		"information weighs nothing": {
			swap("    scale: information\n    weight: 0", "    scale: information\n    weight: 1"), "scale information contradict", "    weight: 1"},
		"a knock-out weighs three": {
			swap("    weight: 3", "    weight: 2"), "weight 2 and knock_out true contradict", "    weight: 2"},
		"an unknown clause is named": {
			swap("clauses: [FO-1.1]", "clauses: [FO-1.9]"), `no clause "FO-1.9"`, "    clauses: [FO-1.9]"},
		"a threshold must be a whole number": {
			swap("    fail: 2000", "    fail: 0.2"), "a whole number from", "    fail: 0.2"},
		"an unknown scale is named": {
			swap("scale: linear", "scale: lineare"), `did you mean "linear"?`, "    scale: lineare"},
		"a level without a role is refused": {
			swap("    building-block: {}\n  scs-sovereign", "  scs-sovereign"), "no gates for the role building-block", "    platform:"},
		"a gate above the full score is refused": {
			swap("low: 6000", "low: 60000"), "a whole number from 1 to 10000", "low: 60000"},
		"a gate without coverage is refused": {
			swap("coverage: 6000, ", ""), `a gate needs "low" and "coverage"`, "low: 6000, source"},
		"an unknown licence may not pass": {
			swap("unknown: DNF", "unknown: PASS"), `unknown "PASS" is not one of DNF`, "  unknown: PASS"},
		"a class of licences may not be left out": {
			swap("  docs-data: PASS\n", ""), `"docs-data" is missing`, "  osi: PASS"},
		"a period that scs-0003 does not know is refused": {
			swap("files: month", "files: fortnight"), `files "fortnight" is not one of`, "files: fortnight"},
		"a lifetime that Pegel asks for may not be left out": {
			swap("  governance: year", "  gouvernance: year"), "the lifetime of governance is missing", ""},
		"another schema is refused": {
			swap("pegel/profile/v1", "pegel/profile/v2"), `schema "pegel/profile/v2" is not one of`, "schema: pegel/profile/v2"},
		"a second document is refused":     {text + "---\na: b\n", "exactly one YAML document", ""},
		"an anchor is refused":             {swap("title: Health", "title: &a Health"), "anchors", "title: &a Health"},
		"an empty file is refused":         {"", "the file is empty", ""},
		"a list instead of a map":          {"- a\n", "a mapping with the keys", "- a"},
		"a missing section is named":       {cut("\n# How long", "\n# What each"), `"lifetimes" is missing`, ""},
		"broken YAML is named as such":     {swap("unit: boolean", "unit: [boolean"), "no valid YAML", ""},
		"a file that is too long":          {text + strings.Repeat("#\n", 1<<20), "at most", ""},
		"a title that cannot be printed":   {swap("title: Health of", `title: "\x1b[31mof`+`"`+" #"), "cannot be printed", `title: "\x1b`},
		"a key that stands twice is named": {swap("    unit: boolean\n", "    unit: boolean\n    unit: boolean\n"), "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.text == text {
				t.Fatal("the case changes nothing")
			}
			_, err := LoadProfile([]byte(test.text), "mine.yaml")
			var bad *LoadError
			if !errors.As(err, &bad) {
				t.Fatalf("got error %v, want a *LoadError", err)
			}
			i := slices.IndexFunc(bad.Problems, func(p Problem) bool { return strings.Contains(p.Text, test.want) })
			if i < 0 {
				t.Fatalf("got %v, want a problem with %q", err, test.want)
			}
			p := bad.Problems[i]
			if p.File != "mine.yaml" {
				t.Errorf("got file %q, want mine.yaml", p.File)
			}
			if test.line == "" {
				return
			}
			if lines := strings.Split(test.text, "\n"); p.Line < 1 || p.Line > len(lines) || p.Column < 1 || !strings.Contains(lines[p.Line-1], test.line) {
				t.Errorf("got line %d, column %d, want the line with %q", p.Line, p.Column, test.line)
			}
		})
	}
}

// FuzzLoadProfile holds the law that an accepted profile, written and read again, is the same, and that it keeps the
// promises of LoadProfile.
func FuzzLoadProfile(f *testing.F) {
	text := defaultProfileText(f)
	f.Add([]byte(text))
	f.Add([]byte(strings.Replace(text, "weight: 2", "weight: 1", 5)))
	f.Add([]byte("schema: pegel/profile/v1\nindicators: {OS-01: {fail: 1}}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := LoadProfile(data, "fuzz.yaml")
		if err != nil {
			return
		}
		if len(p.Indicators) != 89 || p.Licences["unknown"] != audit.DNF {
			t.Fatalf("accepted %d indicators and unknown licences as %v", len(p.Indicators), p.Licences["unknown"])
		}
		written, err := yaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := LoadProfile(written, "again.yaml")
		if err != nil {
			t.Fatalf("written and read again: %v\n%s", err, written)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatalf("changed by writing and reading (-first +second):\n%s", diff)
		}
	})
}
