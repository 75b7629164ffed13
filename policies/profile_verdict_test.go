package policies

import (
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestTheBuiltInProfileSaysItsVerdictsRisksAndMatrix(t *testing.T) {
	p, err := DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range profileRoles() {
		var words []string
		for _, v := range p.Verdicts[role] {
			words = append(words, v.When+": "+v.Says)
			if !strings.Contains(v.Source, "proposal") {
				t.Errorf("%s, %s: source %q does not say that it is a proposal", role, v.When, v.Source)
			}
		}
		if want := []string{"knock-out: showstopper", "missed-gate: almost", "otherwise: passed"}; !slices.Equal(words, want) {
			t.Errorf("%s: got %v, want %v (scs-0218)", role, words, want)
		}
	}
	for _, id := range []string{"LR-01", "LR-04", "SE-01", "OV-01"} { // design section 9
		if p.Risks[id].Title == "" {
			t.Errorf("%s is not in the risk register", id)
		}
	}
	for id, r := range p.Risks {
		if p.Indicators[id].KnockOut || !strings.Contains(r.Source, "proposal") {
			t.Errorf("risk %s: knock-out %v, source %q", id, p.Indicators[id].KnockOut, r.Source)
		}
	}
	l := p.LockIn
	if l.Low != 3300 || l.High != 6600 || !strings.Contains(l.Source, "proposal") {
		t.Errorf("borders %d and %d, source %q; want 3300 and 6600 (design section 9)", l.Low, l.High, l.Source)
	}
	for id, rule := range p.Indicators { // all of activity, LR-01..05 and OC-02 on one axis, LR-06..08 on the other
		want := rule.Aspect == "activity" || id == "OC-02" || strings.HasPrefix(id, "LR-") && id <= "LR-05"
		if slices.Contains(l.Probability, id) != want {
			t.Errorf("%s on the axis of probability: got %v, want %v", id, !want, want)
		}
	}
	for _, class := range profileClasses()[1:] {
		if l.Risks[audit.ClassHigh][class] != audit.ClassHigh || l.Risks[class][audit.ClassHigh] != audit.ClassHigh {
			t.Errorf("high and %s: got %s and %s, want high in either order", class, l.Risks["high"][class], l.Risks[class]["high"])
		}
	}
}

func TestABrokenRuleForVerdictsRisksOrLockInIsRefused(t *testing.T) {
	good := defaultProfileText(t)
	for name, c := range map[string]struct{ old, new, want string }{
		"an unknown condition":                    {"when: missed-gate, says", "when: missed-gates, says", `did you mean "missed-gate"?`},
		"the word that only the unknown has":      {"when: missed-gate, says: almost", "when: missed-gate, says: undetermined", "not one of passed, almost, showstopper"},
		"a knock-out that passes":                 {"when: knock-out, says: showstopper", "when: knock-out, says: passed", "a knock-out cannot say passed"},
		"a missed gate that passes":               {"when: missed-gate, says: almost", "when: missed-gate, says: passed", "a missed-gate cannot say passed"},
		"nothing for the rest":                    {"when: otherwise, says: passed, source: \"scs-0218", "when: missed-gate, says: almost, source: \"scs-0218", "the last line, and no other, is when: otherwise"},
		"knock-outs that nobody looks at":         {"{when: knock-out, says: showstopper, source: \"as for", "{when: knock-out, indicators: [AC-01], says: showstopper, source: \"as for", "no line of the role building-block looks at every knock-out"},
		"an indicator that is no knock-out":       {"{when: knock-out, says", "{when: knock-out, indicators: [AC-02], says", `"AC-02" is no knock-out`},
		"levels of a knock-out":                   {"{when: knock-out, says", "{when: knock-out, levels: [scs-open], says", "levels and aspects belong to when: missed-gate"},
		"a level without gates":                   {"{when: missed-gate, says", "{when: missed-gate, levels: [scs-opn], says", `"scs-opn" is no level with gates`},
		"no source":                               {`says: passed, source: "design`, `says: passed, sauce: "design`, `unknown key "sauce"`},
		"an unknown kind of mitigation":           {"mitigations: [alternative, foundation], source", "mitigations: [alternative, foundations], source", `did you mean "foundation"?`},
		"a risk at an answer that holds":          {"outcomes: [FAIL, PART], mitigations: [alternative, foundation], source", "outcomes: [PASS], mitigations: [alternative, foundation], source", `"PASS" is no outcome of a risk`},
		"a risk without outcome":                  {"outcomes: [FAIL, PART], mitigations: [alternative, foundation], source", "mitigations: [alternative, foundation], source", `"outcomes" is missing`},
		"borders in the wrong order":              {"  low: 3300", "  low: 6700", "low is the lower border"},
		"an indicator that is none":               {"effect: [LR-06, LR-07, LR-08]", "effect: [LR-06, LR-77]", `"LR-77" is no indicator`},
		"a radius that falls":                     {"{from: 10, factor: 10000}", "{from: 10, factor: 100}", "steps rise"},
		"a radius that begins too late":           {"{from: 1, factor: 5000}", "{from: 2, factor: 5000}", "the first step begins at 1"},
		"a matrix that falls where an axis grows": {"high: {low: medium, medium: high, high: high}", "high: {low: medium, medium: low, high: high}", "is lower than that of a smaller one"},
		"a matrix that falls along a row":         {"    low: {low: low, medium: low, high: medium}", "    low: {low: medium, medium: low, high: medium}", "probability low and effect medium is lower"},
		"an endless source":                       {`says: passed, source: "design`, `says: passed, source: "` + strings.Repeat("x", 1001), "at most 1000 are read"},
		"a source that turns the writing":         {`says: passed, source: "design`, `says: passed, source: "` + "\u202e" + `design`, "cannot be printed"},
		"a row that is missing":                   {"    low: {low: low, medium: low, high: medium}\n", "", "the row of probability low is missing"},
		"a matrix without borders":                {"  low: 3300\n", "", `"low" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := LoadProfile([]byte(text), "profile.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line ") {
				t.Errorf("got %v, want a line and %q", err, c.want)
			}
		})
	}
}

func TestAProfileMayLeaveOutVerdictsRisksAndMatrix(t *testing.T) {
	text := defaultProfileText(t)
	from, to := strings.Index(text, "verdicts:\n"), strings.Index(text, "# How long an observation counts")
	p, err := LoadProfile([]byte(text[:from]+text[to:]), "profile.yaml")
	if err != nil || len(p.Verdicts)+len(p.Risks)+len(p.LockIn.Risks) != 0 {
		t.Errorf("got %v, %+v %+v %+v", err, p.Verdicts, p.Risks, p.LockIn)
	}
}
