package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func TestMitigationsOfAStackFileAreReadStrictly(t *testing.T) {
	good := `mitigations:
  - {project: memcached, kind: support, text: "contract with Example Support GmbH", source: "https://example.org/contract", accepted_by: Example Audit}
`
	s, err := ParseStack([]byte(goodStack+good), "stack.yaml")
	if err != nil || len(s.Mitigations) != 1 || s.Mitigations[0].AcceptedBy != "Example Audit" {
		t.Fatalf("got %+v, %v", s.Mitigations, err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":         {"kind:", "kynd:", `unknown key "kynd" in mitigations; did you mean "kind"?`},
		"no text":             {`text: "contract with Example Support GmbH", `, "", "entry 1 needs project, kind and text"},
		"a fact, no word":     {"kind: support", "kind: foundation", "want one of alternative, support, own-maintainers"},
		"a person's address":  {"Example Audit", "someone@example.org", "may name a person"},
		"no public address":   {"https://example.org/contract", "file:///etc/passwd", "begins with https://"},
		"unprintable":         {"contract with", "contract\\u001b with", "cannot be printed"},
		"too long":            {"contract with", strings.Repeat("x", 600), "at most 500 are read"},
		"a place in the file": {"kind: support", "kind: hope", "line 9"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ParseStack([]byte(goodStack+text), "stack.yaml"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := knownMitigations(s.Mitigations, catalogue); err != nil {
		t.Errorf("memcached: %v", err)
	}
	if err := knownMitigations([]StackMitigation{{Project: "memcacheed"}}, catalogue); err == nil {
		t.Error("a project that nobody knows is taken")
	}
	if got := unusedMitigations(s.Mitigations, []scoring.Project{{ID: "haproxy"}}); len(got) != 1 || !strings.Contains(got[0].Reason, "memcached") {
		t.Errorf("a project that is not deployed: got %+v", got)
	}
}

// lockedInProject judges a project that one vendor controls, one person writes and nothing replaces.
func lockedInProject(t *testing.T, change func(*scoring.Project), declared ...StackMitigation) (policies.Project, policies.Subject) {
	t.Helper()
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	p := scoring.Project{ID: "x", Name: "x", Role: "platform", Foundation: "none", Alternatives: audit.Known([]scoring.Alternative{}),
		Deployed: audit.Known(scoring.Deployed{Radius: 40})}
	change(&p)
	d := &dossier{profiles: policies.ProfilesOf(profile, nil), stack: stackEvidence{Mitigations: declared}}
	p = d.mitigated(p)
	var ms []scoring.Measurement
	for id, rule := range profile.Indicators {
		ms = append(ms, scoring.Measurement{Indicator: id, Aspect: rule.Aspect, Outcome: audit.FAIL, Interval: audit.Exactly(0)})
	}
	var r policies.Project
	sub := policies.Subject{}
	d.lockIn(scoring.Score(p, ms, profile), scoring.Evidence{}, &r, &sub)
	return r, sub
}

func TestAHighLockInRiskFailsOnlyIfItIsKnownThatNothingLessensIt(t *testing.T) {
	same := func(*scoring.Project) {}
	contract := StackMitigation{Project: "x", Kind: "support", Text: "a contract"}
	accepted := contract
	accepted.AcceptedBy = "Example Audit"
	tests := map[string]struct {
		change   func(*scoring.Project)
		declared []StackMitigation
		risk     string
		looked   bool // of a risk that is no fact
		word     bool // only the operator's word supports it
	}{
		"nothing lessens it":              {same, nil, "high", false, false},
		"nobody named alternatives":       {func(p *scoring.Project) { p.Alternatives = audit.Fact[[]scoring.Alternative]{} }, nil, "", true, false},
		"its foundation is not known":     {func(p *scoring.Project) { p.Foundation = "" }, nil, "", true, false},
		"a foundation hosts it":           {func(p *scoring.Project) { p.Foundation = "Example Foundation" }, nil, "mitigated", false, false},
		"an alternative is known":         {func(p *scoring.Project) { p.Alternatives = audit.Known([]scoring.Alternative{{Name: "y"}}) }, nil, "mitigated", false, false},
		"a contract that nobody accepted": {same, []StackMitigation{contract}, "", true, false},
		"a contract that was accepted":    {same, []StackMitigation{accepted}, "mitigated", false, true},
		"a contract for something else":   {same, []StackMitigation{{Project: "y", Kind: "support", Text: "a contract", AcceptedBy: "z"}}, "high", false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, sub := lockedInProject(t, test.change, test.declared...)
			if r.LockInRisk != test.risk || (len(sub.Unknown) > 0) != (test.risk == "") || sub.Declared["lockInRisk"] != test.word {
				t.Fatalf("got %q, unknown %+v, declared %v; want %q", r.LockInRisk, sub.Unknown, sub.Declared, test.risk)
			}
			if test.risk == "" && (sub.Unknown[0].Looked != test.looked || sub.Unknown[0].Reason == "" || len(sub.Unknown[0].Settle) == 0) {
				t.Errorf("unknown without reason or what would settle it: %+v", sub.Unknown[0])
			}
		})
	}
}

func TestAProjectOfWhichNothingIsKnownHasNoKnownLockInRisk(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	d := &dossier{profiles: policies.ProfilesOf(profile, nil)}
	var r policies.Project
	sub := policies.Subject{}
	d.lockIn(judge(scoring.Project{ID: "x"}, scoring.Evidence{}, profile), scoring.Evidence{}, &r, &sub)
	if r.LockInRisk != "" || len(sub.Unknown) != 1 || sub.Unknown[0].Looked {
		t.Errorf("got %q, %+v; want an unknown that nobody looked at", r.LockInRisk, sub.Unknown)
	}
}

// TestTheBuiltInProfileSaysTheWordsOfScs0218 gives the four container registries of scs-0218 the answers that decided there.
func TestTheBuiltInProfileSaysTheWordsOfScs0218(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	fails, unknown := scoring.Measurement{Outcome: audit.FAIL, Interval: audit.Exactly(0)}, scoring.Measurement{}
	for name, test := range map[string]struct {
		other map[string]scoring.Measurement
		want  string
	}{
		"Harbor: everything holds": {nil, scoring.Passed},
		"Project Quay: one company, and nobody knows the maintainers": {map[string]scoring.Measurement{
			"OC-01": fails, "OC-02": fails, "OC-03": unknown, "OC-04": unknown, "OC-05": unknown, "OC-08": unknown, "OC-12": unknown}, scoring.Undetermined},
		"Kraken: not maintained": {map[string]scoring.Measurement{"AC-01": fails}, scoring.Showstopper},
		"Nexus: open core":       {map[string]scoring.Measurement{"OS-04": fails}, scoring.Showstopper},
		"a point is missing":     {map[string]scoring.Measurement{"OC-01": fails, "OC-02": fails, "OC-05": fails, "OC-07": fails, "OC-06": fails, "OC-12": fails}, scoring.Almost},
	} {
		for _, role := range []string{"platform", "building-block"} {
			var ms []scoring.Measurement
			for id := range profile.Indicators {
				m, ok := test.other[id]
				if !ok {
					m = scoring.Measurement{Outcome: audit.PASS, Interval: audit.Exactly(audit.Full)}
				}
				m.Indicator = id
				ms = append(ms, m)
			}
			want := test.want
			if role == "building-block" && want != scoring.Showstopper {
				want = scoring.Passed // it has no score gates
			}
			if got := scoring.Verdict(scoring.Score(scoring.Project{Role: role}, ms, profile), profile); got != want {
				t.Errorf("%s (%s): got %s, want %s", name, role, got, want)
			}
		}
	}
}

func TestAGateNamesWhatWouldLetItPassAndWhatWouldMakeItFail(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	s := judge(scoring.Project{ID: "x"}, scoring.Evidence{}, profile)
	got := withSettlements([]reports.Gate{{Aspect: "activity", Low: 5000, Coverage: 8000, Outcome: audit.DNF}}, s)[0]
	asked := 0
	for _, a := range got.Asks {
		asked += len(a.Indicators)
	}
	if len(got.Doubt) != 1 || got.Doubt[0] != "AC-01" || !slices.Contains(got.Settle, "AC-01") || asked != len(got.Settle) || got.Asks[0].Source != scoring.FromGit {
		t.Errorf("got %+v; want the knock-out alone to fail, and what would pass by its places, git first", got)
	}
}
