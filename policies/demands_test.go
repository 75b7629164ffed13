package policies

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// bullets are the lines of scs-0008-v1 at the pinned commit that hold a bullet of the health check, by its sections. The
// document is short and does not change at a commit, so the table is held against it without a network; what the lines
// say is checked by the live test of quotations.
var bullets = []struct {
	section  string
	from, to int
	skip     []int
	prefix   string
}{
	{"Four Opens", 10, 29, []int{15, 17, 19, 21, 24}, "fo"},
	{"Maturity", 33, 43, nil, "ma"},
	{"Security", 47, 51, nil, "se"},
	{"Activity", 55, 67, nil, "ac"},
	{"Lock-in risk", 71, 76, nil, "lr"},
}

func TestEveryBulletOfTheHealthCheckIsAClause(t *testing.T) {
	p := builtIn(t)
	lines := map[int]string{}
	for _, c := range p.Clauses() {
		if c.Document.ID == "scs-0008" {
			if other := lines[c.Line]; other != "" {
				t.Errorf("line %d is clause %s and %s", c.Line, other, c.ID)
			}
			lines[c.Line] = c.ID
		}
	}
	count := 0
	for _, s := range bullets {
		for n := s.from; n <= s.to; n++ {
			if slices.Contains(s.skip, n) {
				continue
			}
			count++
			if !strings.HasPrefix(lines[n], "scs-0008/"+s.prefix+"-") {
				t.Errorf("%s: line %d of scs-0008-v1 is a bullet; want a clause %s-..., got %q", s.section, n, s.prefix, lines[n])
			}
			delete(lines, n)
		}
	}
	if count != 50 {
		t.Errorf("scs-0008-v1 has 50 bullets, this test knows %d", count)
	}
	for n, id := range lines {
		t.Errorf("clause %s: line %d of scs-0008-v1 is no bullet", id, n)
	}
}

// clauseOf is the id in the table of a clause as the profiles number it: FO-1.1 is scs-0008/fo-1-1.
func clauseOf(number string) string {
	return "scs-0008/" + strings.ToLower(strings.ReplaceAll(number, ".", "-"))
}

// aspectFields are the scores of a project that rules read, by the aspect of the profile behind them.
var aspectFields = map[string]string{
	"open-source": "openSource", "open-community": "openCommunity", "open-development": "openDevelopment", "open-design": "openDesign",
	"maturity": "maturity", "security": "security", "activity": "activity", "lock-in": "lockInRisk",
}

// What a requirement claims of a bullet has to be in its score: an indicator of that aspect with weight measures it. And what an
// indicator measures has to be claimed, by a requirement that reads the aspect.
func TestTheScoresMeasureWhatTheBulletsAsk(t *testing.T) {
	p := builtIn(t)
	measured := map[string]map[string]bool{} // clause -> aspects with an indicator that has weight
	for id, i := range p.Profile().Indicators {
		for _, number := range i.Clauses {
			c, ok := p.Clause(clauseOf(number))
			if !ok {
				t.Errorf("indicator %s serves %s, which is no clause", id, number)
				continue
			}
			if i.Weight == 0 {
				continue
			}
			if measured[c.ID] == nil {
				measured[c.ID] = map[string]bool{}
			}
			measured[c.ID][i.Aspect] = true
			if c.Refused != nil {
				t.Errorf("indicator %s measures %s, which the policy refuses", id, c.ID)
			}
		}
	}
	for id, aspects := range measured {
		served := map[string]bool{}
		for _, q := range p.Serving(id) {
			for _, field := range readBy(t, p, q) {
				served[field] = true
			}
		}
		some := false
		for aspect := range aspects {
			some = some || served[aspectFields[aspect]]
		}
		if !some {
			t.Errorf("%s is measured in %v, and no requirement that serves it reads one of these scores", id, slices.Sorted(maps.Keys(aspects)))
		}
	}
	for _, c := range p.Clauses() {
		if c.Document.ID != "scs-0008" || c.Refused != nil || measured[c.ID] != nil {
			continue
		}
		// A heading, or the second half of a bullet: the bullets that it belongs to are measured.
		if parent := measuredFor(c.ID); measured[parent] == nil {
			t.Errorf("%s is served, and no indicator with weight measures it or %q", c.ID, parent)
		}
	}
}

var heading = regexp.MustCompile(`^scs-0008/(fo-[234])$`)

// measuredFor is a measured clause that stands for one which has no indicator of its own.
func measuredFor(id string) string {
	switch {
	case heading.MatchString(id):
		return id + "-1"
	case id == "scs-0008/lr-failure":
		return "scs-0008/lr-1"
	case id == "scs-0008/lr-effect":
		return "scs-0008/lr-3"
	}
	parts := strings.Split(id, "-")
	return strings.Join(parts[:min(len(parts), 3)], "-") // scs-0008/ma-1-regressions: scs-0008/ma-1
}

func readBy(t *testing.T, p *Policy, id string) []string {
	t.Helper()
	q, ok := p.Requirement(id)
	if !ok {
		t.Fatalf("no requirement %s", id)
	}
	var out []string
	for _, i := range q.rule.reads {
		out = append(out, q.rule.schema[i].name)
	}
	return out
}

// A document in a git repository is quoted wherever it makes a demand: a clause without a quotation cannot be checked by anyone.
func TestWhatCanBeQuotedIsQuoted(t *testing.T) {
	for _, c := range builtIn(t).Clauses() {
		if strings.HasPrefix(c.Document.Repository, "https://github.com/SovereignCloudStack/") && c.Quote == "" {
			t.Errorf("%s has no quotation, and %s is in a repository", c.ID, c.Document.Title)
		}
		for _, own := range []string{"Pegel propos", "proposal of Pegel"} {
			if c.Document.ID != "pegel-proposal" && strings.Contains(c.Says["en"], own) {
				t.Errorf("%s: what Pegel proposes stands in pegel-proposal, not in what others say: %s", c.ID, c.Says["en"])
			}
		}
	}
}

func TestEveryTextOfThePolicyStandsInThreeLanguages(t *testing.T) {
	p := builtIn(t)
	check := func(what string, text Text) {
		for _, lang := range []string{"en", "de", "fr"} {
			if strings.TrimSpace(text[lang]) == "" {
				t.Errorf("%s has no text in %q", what, lang)
			}
		}
		if text["de"] == text["en"] && len(text["en"]) > 40 {
			t.Errorf("%s: the German text is the English one", what)
		}
	}
	check("the policy", p.Title())
	for _, q := range p.Requirements() {
		check("title of "+q.ID, q.Title)
		check("rationale of "+q.ID, q.Rationale)
		check("remedy of "+q.ID, q.Remedy)
	}
	for _, s := range p.Switches() {
		check("switch "+s.Name, s.Title)
	}
	for _, c := range p.Clauses() {
		check("clause "+c.ID, c.Says)
		if c.Refused != nil {
			check("refusal of "+c.ID, c.Refused)
		}
	}
}

// Each switch, turned round, changes the answer to the case that it is about. A switch that changes nothing answers nothing.
func TestEverySwitchChangesAnAnswer(t *testing.T) {
	p := builtIn(t)
	cases := map[string]struct {
		requirement string
		record      any
		on, off     audit.Outcome
	}{
		"technicallyMetSuffices":    {"prerequisite-held", Prerequisite{TestsPass: true}, audit.PASS, audit.FAIL},
		"cataloguedLicenceSuffices": {"product-licence-osi", Product{Licence: "MIT", LicenceClass: "osi"}, audit.PASS, audit.FAIL},
		"freeLicencesSuffice":       {"package-licence-free", Package{Licence: "bzip2-1.0.6", LicenceClass: "free-not-osi"}, audit.PASS, audit.FAIL},
		"mitigationSuffices":        {"project-lock-in", Project{Role: "platform", LockInRisk: "mitigated"}, audit.PASS, audit.FAIL},
	}
	for _, s := range p.Switches() {
		c, ok := cases[s.Name]
		if !ok {
			if !readElsewhere(p, s.Name) {
				t.Errorf("no rule reads switch %s, and no case says what it changes", s.Name)
			}
			continue
		}
		for on, want := range map[bool]audit.Outcome{true: c.on, false: c.off} {
			turned := p
			if on != s.On {
				var err error
				from, to := fmt.Sprintf("%s:\n    on: %t", s.Name, s.On), fmt.Sprintf("%s:\n    on: %t", s.Name, on)
				if turned, err = FromFiles(swapped(t, manifest, from, to)); err != nil {
					t.Fatal(err)
				}
			}
			q, ok := turned.Requirement(c.requirement)
			if !ok {
				t.Fatalf("no requirement %s", c.requirement)
			}
			if got := judge(t, turned, q, Subject{Ref: audit.SubjectRef{Kind: q.ForEach, ID: "sample", Name: "Sample"}, Record: c.record}); got.Outcome != want {
				t.Errorf("%s %t: want %s, got %s (%s)", s.Name, on, want, got.Outcome, got.Reason)
			}
		}
	}
}

// readElsewhere tells of switches that are read by Go instead of by rules: verdicts with waivers.
func readElsewhere(p *Policy, name string) bool {
	for _, q := range p.Requirements() {
		if strings.Contains(q.Applies+q.Pass, "switch."+name) {
			return false // a rule reads it, so a case is due
		}
	}
	return name == "waivedMustBlocks"
}
