package policies

import (
	"strings"
	"testing"
)

func TestATimelineSaysWhatAVersionIsGoodForNewestFirst(t *testing.T) {
	p, err := FromFiles(swapped(t, "policy.yaml", "- {date: 2026-11-26, state: draft}", "- {date: 2026-11-26, state: draft}\n- {date: 2027-01-01, state: deprecated}"))
	if err != nil {
		t.Fatal(err)
	}
	got := p.Timeline()
	if len(got) != 2 || got[0].State != StateDeprecated || got[1].State != StateDraft || !got[0].From.After(got[1].From) {
		t.Errorf("got %v, want deprecated and before it draft", got)
	}
	if p.ModuleTitle("licences")["en"] == "" || p.ModuleTitle("nothing") != nil {
		t.Error("a module has no title, or one that does not exist has")
	}
}

func TestAProposalIsNeverInEffectAndWhatIsInEffectIsStable(t *testing.T) {
	for _, c := range []struct{ name, status, timeline, want string }{
		{"a proposal in effect", "proposal", "timeline: [{date: 2026-11-26, state: effective}]", "a proposal is draft or deprecated"},
		{"in effect, never stable", "adopted", "timeline: [{date: 2026-11-26, state: effective}]", "has to be stable"},
		{"in effect before it is stable", "adopted", "stabilized: 2027-01-01\ntimeline: [{date: 2026-11-26, state: warn}]", "has to be stable"},
		{"a day twice", "proposal", "timeline: [{date: 2026-11-26, state: draft}, {date: 2026-11-26, state: deprecated}]", "stands here twice"},
		{"no day", "proposal", "timeline: [{state: draft}]", `"date" is missing`},
		{"another word", "proposal", "timeline: [{date: 2026-11-26, state: drafty}]", "is not one of"},
		{"another key", "proposal", "timeline: [{date: 2026-11-26, state: draft, until: x}]", "until"},
		{"in effect and stable", "adopted", "stabilized: 2026-11-26\ntimeline: [{date: 2026-11-26, state: effective}]", ""},
	} {
		var files []File
		for _, f := range swapped(t, "policy.yaml", "timeline:\n- {date: 2026-11-26, state: draft}", c.timeline) {
			if f.Name == "policy.yaml" {
				f.Data = []byte(strings.Replace(string(f.Data), "status: proposal", "status: "+c.status, 1))
			}
			files = append(files, f)
		}
		switch _, err := FromFiles(files); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
