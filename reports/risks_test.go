package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// riskSample is a release whose projects bear risks of every kind: there, half there, lessened and not known.
func riskSample() Report {
	r := releaseSample(24, 4)
	n := func(i int) *int { return &i }
	alternative := Mitigation{Kind: "alternative", Text: "valkey, which speaks resp", Accepted: true, Origin: audit.Origin{Source: "catalogue", Path: "redis"}}
	contract := Mitigation{Kind: "support", Text: "contract with Example Support GmbH", Declared: true, Origin: audit.Origin{Source: "stack", Path: "stack.yaml"}}
	accepted := contract
	accepted.Accepted, accepted.AcceptedBy = true, "Example Audit"
	helps := []string{"alternative", "foundation", "own-maintainers"}
	one, two := scoredOf(r)
	one.Risks = []Risk{
		{Indicator: "LR-01", Title: "It hangs on one or two people", Outcome: audit.FAIL, Reason: "1 of 61 people wrote half of the changes", Radius: n(12), Helps: helps, Mitigations: []Mitigation{contract}, Source: "proposal"},
		{Indicator: "LR-04", Title: "A single vendor controls it", Outcome: audit.PART, Reason: "two of three signs", Radius: n(12), Helps: helps, Source: "proposal"},
		{Indicator: "OV-01", Title: "Its code comes in drops", Outcome: audit.DNF, Reason: "the clone is cut off", Settle: []string{"read a full clone"}, Helps: helps, Source: "proposal"},
	}
	one.LockIn = &LockIn{Probability: Axis{Low: 7000, High: 8400, Coverage: 9000, Class: "high"}, Effect: Axis{Low: 3300, High: 5000, Coverage: 6000, Class: "medium"},
		Risk: "high", Radius: n(12), Mitigations: []Mitigation{contract}, Source: "proposal"}
	two.Risks = []Risk{
		{Indicator: "LR-01", Title: "It hangs on one or two people", Outcome: audit.FAIL, Reason: "1 of 9 people wrote half of the changes", Radius: n(40), Helps: helps, Mitigations: []Mitigation{contract, alternative}, Accepted: true, Source: "proposal"},
		{Indicator: "SE-01", Title: "Nobody is named for security reports", Outcome: audit.MISS, Reason: "nobody looked", Helps: helps, Source: "proposal"},
	}
	two.LockIn = &LockIn{Probability: Axis{High: 10000, Class: "undetermined"}, Effect: Axis{Low: 1000, High: 2000, Coverage: 10000, Class: "low"}, Risk: "undetermined",
		Mitigations: []Mitigation{accepted}, Accepted: true, Source: "proposal"}
	one.Asks = []Ask{{Source: "git", Indicators: []string{"MA-05"}}, {Source: "forge", Indicators: []string{"OV-05", "OV-06"}}}
	return r
}

// scoredOf returns the first two projects with evidence.
func scoredOf(r Report) (one, two *Project) {
	for i := range r.Projects {
		switch p := &r.Projects[i]; {
		case p.Head == "":
		case one == nil:
			one = p
		case two == nil:
			two = p
		}
	}
	return one, two
}

func TestTheRiskRegisterShowsFirstWhatNothingLessens(t *testing.T) {
	rows, unknown := register(riskSample())
	var got []string
	for _, x := range rows {
		got = append(got, x.Project.ID[:3]+" "+x.Risk.Indicator+" "+riskSign(x.Risk).Word)
	}
	one, two := scoredOf(riskSample())
	want := []string{one.ID[:3] + " LR-01 there", one.ID[:3] + " LR-04 partly there", two.ID[:3] + " LR-01 lessened"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || unknown != 2 {
		t.Errorf("got %q and %d unknown, want %q and 2", got, unknown, want)
	}
}

func TestTextAndPageNameRiskRadiusAndWhatLessensIt(t *testing.T) {
	r := riskSample()
	text, err := Text(r, Options{Width: 200})
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Join(strings.Fields(string(text)), " ")) // lines are wrapped
	one, _ := scoredOf(r)
	page, err := HTML(r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"It hangs on one or two people, its end would hit 12 components. Lessens it: contract with Example Support GmbH (said by the operator, not accepted).",
		"A single vendor controls it, its end would hit 12 components. Would help: an open alternative, a foundation or own maintainers.",
		"2 lines of the risk register are not known.", "Lock-in: high and nothing lessens it for " + one.Name,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the text does not say %q", want)
		}
	}
	for _, want := range []string{
		`id="risks"`, "valkey, which speaks resp; contract with Example Support GmbH (said by the operator, not accepted)", "high (70 to 84)",
		"accepted by Example Audit", "12 components", "2 further lines of the register are not known", "an open alternative, a foundation or own maintainers",
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if page, err = HTML(emptySample(), Options{}); err != nil || bytes.Contains(page, []byte(`id="risks"`)) {
		t.Errorf("a report without risks shows a register: %v", err)
	}
}

func TestStrangeWordsInARiskStayWords(t *testing.T) {
	r := riskSample()
	script := `<script>document.title="x"</script>`
	one, _ := scoredOf(r)
	one.Risks[0].Mitigations[0].Text, one.Risks[0].Title, one.Risks[0].Reason = script, script+"\x1b[2J", script
	one.LockIn.Source = script
	page, err := HTML(r, Options{})
	if err != nil || bytes.Contains(page, []byte("<script>")) {
		t.Errorf("the page holds a script: %v", err)
	}
	text, err := Text(r, Options{Width: 200})
	if err != nil || bytes.ContainsRune(text, 0x1b) {
		t.Errorf("the text holds an escape: %v", err)
	}
}
