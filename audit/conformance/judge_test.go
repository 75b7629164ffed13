package conformance

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// source is an entry with the given results of the fixture's version v3.
func source(t testing.TB, kind, layer, subject string, outcome audit.Outcome) Entry {
	t.Helper()
	scope := fixtureScope(t)
	uuid, _ := scopeOf(layer)
	scope.UUID = uuid
	var results []Result
	for _, id := range []string{"scs-9001-alpha", "scs-9002-daily", "scs-9003-yearly"} {
		results = append(results, Result{ID: id, Outcome: audit.PASS, CheckedAt: now.Add(-time.Hour)})
	}
	results[0].Outcome = outcome
	e := Entry{Target: Target{Kind: kind, Layer: layer, Subject: subject, URL: "https://" + kind + ".example.org/"}, Seen: []audit.Seen{{URL: "https://" + kind + ".example.org/", At: now}}}
	if kind == KindReport {
		e.Report = &Report{Scope: scope, ScopeFile: "x", Subject: subject, Signer: "SHA256:x", Results: results}
		return e
	}
	s := SubjectStatus{Subject: subject, Tests: scope.Tests, Results: results}
	for _, v := range scope.on(now) {
		s.Versions = append(s.Versions, StatusVersion{Version: v.version, Validity: v.validity, Main: v.main, Outcome: audit.MISS})
	}
	e.Status = &Status{Scope: uuid, Subjects: []SubjectStatus{s}}
	return e
}

func TestAnAnswerThatNobodySignedIsTheWordOfWhoeverHandsItOver(t *testing.T) {
	e := source(t, KindStatus, "iaas", "green", audit.PASS)
	if got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now).Tests; got.Outcome != audit.PASS || got.Declared {
		t.Errorf("asked in public: %s, declared %v", got.Outcome, got.Declared)
	}
	e.Handed, e.URL = true, ""
	if got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now).Tests; got.Outcome != audit.PASS || !got.Declared {
		t.Errorf("handed over: %s, declared %v", got.Outcome, got.Declared)
	}
}

func TestADeclarationReplacesNoCheckThatFailed(t *testing.T) {
	tests := []TestCase{{ID: "scs-9005-docs-check", Lifetime: audit.Quarter, Manual: true}}
	declared := []Result{{ID: "scs-9005-docs-check", Outcome: audit.PASS, CheckedAt: now}}
	for measured, want := range map[audit.Outcome]audit.Outcome{audit.FAIL: audit.FAIL, audit.DNF: audit.PASS} {
		results := []Result{{ID: "scs-9005-docs-check", Outcome: measured, CheckedAt: now.AddDate(0, 0, -1)}}
		if got := withDeclared(tests, results, declared)["scs-9005-docs-check"].Outcome; got != want {
			t.Errorf("measured %s: got %s, want %s", measured, got, want)
		}
	}
}

func unreadable(layer, kind string) Entry {
	return Entry{Target: Target{Kind: KindStatus, Layer: layer, Subject: "green"}, Trouble: &audit.Trouble{Kind: kind, Text: "nobody answers there", Settle: "try again"}}
}

func TestOfContradictorySourcesTheWorseCountsAndBothAreNamed(t *testing.T) {
	for _, entries := range [][]Entry{
		{source(t, KindStatus, "iaas", "green", audit.PASS), source(t, KindReport, "iaas", "green", audit.FAIL)},
		{source(t, KindReport, "iaas", "green", audit.FAIL), source(t, KindStatus, "iaas", "green", audit.PASS)},
		{source(t, KindReport, "iaas", "green", audit.PASS), source(t, KindStatus, "iaas", "green", audit.FAIL)},
	} {
		got := Judge(Evidence{Entries: entries}, "iaas", now).Tests
		if got.Outcome != audit.FAIL || !strings.Contains(got.Reason, "contradict") || !strings.Contains(got.Reason, "the report of") ||
			!strings.Contains(got.Reason, "the compliance monitor status.example.org on") || len(got.Origins) != 2 {
			t.Errorf("got %s %q, %d origins", got.Outcome, got.Reason, len(got.Origins))
		}
	}
}

func TestASourceThatCannotTellSaysNothingAgainstOneThatCan(t *testing.T) {
	for _, kind := range []string{audit.TroubleUnreachable, audit.TroubleNotFound, audit.TroubleLogin, audit.TroubleOffline} {
		got := Judge(Evidence{Entries: []Entry{unreadable("iaas", kind), source(t, KindReport, "iaas", "green", audit.PASS)}}, "iaas", now).Tests
		if got.Outcome != audit.PASS {
			t.Errorf("%s beside a report that passes: got %s %q", kind, got.Outcome, got.Reason)
		}
		got = Judge(Evidence{Entries: []Entry{unreadable("iaas", kind)}}, "iaas", now).Tests
		if got.Outcome == audit.PASS || got.Outcome == audit.FAIL || got.Reason != "nobody answers there" {
			t.Errorf("%s alone: got %s %q", kind, got.Outcome, got.Reason)
		}
	}
}

func TestALayerIsNeverServedByAnother(t *testing.T) {
	kaas := source(t, KindReport, "kaas", "green", audit.PASS)
	mislabelled := kaas
	mislabelled.Layer = "iaas" // the scope of the report is still that of kaas
	status := source(t, KindStatus, "kaas", "green", audit.PASS)
	status.Layer = "iaas"
	for name, e := range map[string]Entry{"of layer kaas": kaas, "with the scope of kaas": mislabelled, "status of the scope of kaas": status} {
		if got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now); got.Tests.Outcome != audit.MISS {
			t.Errorf("%s: got %+v", name, got.Tests)
		}
	}
	if got := Judge(Evidence{Entries: []Entry{kaas}}, "kaas", now); got.Tests.Outcome != audit.PASS {
		t.Errorf("its own layer: got %+v", got.Tests)
	}
	if got := Judge(Evidence{Entries: []Entry{{Target: Target{Kind: KindReport}}}}, "", now); got.Tests.Outcome != audit.MISS {
		t.Errorf("no layer: got %+v", got.Tests)
	}
}

func TestOnlyVersionsThatCanBeCertifiedDecide(t *testing.T) {
	results := newest([]Result{{ID: "a", Outcome: audit.PASS, CheckedAt: now}, {ID: "b", Outcome: audit.FAIL, CheckedAt: now}})
	version := func(name, validity, test string) versionTests {
		return versionTests{version: name, validity: validity, main: []string{test}}
	}
	for name, c := range map[string]struct {
		versions []versionTests
		want     string
	}{
		"a draft that passes does not help":          {[]versionTests{version("v3", ValidDraft, "a"), version("v2", ValidEffective, "b")}, "v2 FAIL"},
		"nor does one that is deprecated":            {[]versionTests{version("v2", ValidEffective, "b"), version("v1", ValidDeprecated, "a")}, "v2 FAIL"},
		"one that is about to expire does":           {[]versionTests{version("v2", ValidEffective, "b"), version("v1", ValidWarn, "a")}, "v1 PASS"},
		"of two effective ones either is enough":     {[]versionTests{version("v2", ValidEffective, "b"), version("v1", ValidEffective, "a")}, "v1 PASS"},
		"an effective one comes before one in warn":  {[]versionTests{version("v2", ValidWarn, "a"), version("v1", ValidEffective, "a")}, "v1 PASS"},
		"without any that can be certified: nothing": {[]versionTests{version("v2", ValidDraft, "a")}, " MISS"},
	} {
		if got, _ := best(c.versions, nil, results, now); got.version+" "+got.outcome.String() != c.want {
			t.Errorf("%s: got %s %s, want %s", name, got.version, got.outcome, c.want)
		}
	}
}

func TestEverySubjectOfALayerHasToPass(t *testing.T) {
	got := Judge(Evidence{Entries: []Entry{source(t, KindStatus, "iaas", "green-1", audit.PASS), source(t, KindStatus, "iaas", "green-2", audit.FAIL)}}, "iaas", now).Tests
	if got.Outcome != audit.FAIL || strings.Contains(got.Reason, "contradict") {
		t.Errorf("got %s %q", got.Outcome, got.Reason)
	}
	got = Judge(Evidence{Entries: []Entry{source(t, KindStatus, "iaas", "green-1", audit.PASS), source(t, KindStatus, "iaas", "green-2", audit.PASS)}}, "iaas", now).Tests
	if got.Outcome != audit.PASS || got.ValidUntil.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func TestAMonitorThatSaysFailIsNotOverruled(t *testing.T) {
	e := source(t, KindStatus, "iaas", "green", audit.PASS)
	for i := range e.Status.Subjects[0].Versions {
		e.Status.Subjects[0].Versions[i].Outcome = audit.FAIL
	}
	if got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now).Tests; got.Outcome != audit.DNF || !strings.Contains(got.Reason, "the monitor itself says FAIL") {
		t.Errorf("got %s %q", got.Outcome, got.Reason)
	}
}

func TestTheStandingHoldsItsLaws(t *testing.T) {
	outcomes := []audit.Outcome{audit.PASS, audit.FAIL, audit.DNF, audit.MISS}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		var entries []Entry
		for range r.IntN(4) {
			switch kind := []string{KindStatus, KindReport, "trouble"}[r.IntN(3)]; kind {
			case "trouble":
				entries = append(entries, unreadable("iaas", audit.TroubleTimeout))
			default:
				entries = append(entries, source(t, kind, "iaas", "green", outcomes[r.IntN(4)]))
			}
		}
		got := Judge(Evidence{Entries: entries}, "iaas", now)
		r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		if again := Judge(Evidence{Entries: entries}, "iaas", now); again.Tests.Outcome != got.Tests.Outcome {
			t.Fatalf("the order matters: %s and %s", got.Tests.Outcome, again.Tests.Outcome)
		}
		if got.Tests.Reason == "" || got.Tests.Outcome != audit.PASS && len(got.Tests.Settle) == 0 || got.Certificate.Outcome != audit.MISS {
			t.Fatalf("got %+v", got)
		}
		worse := Judge(Evidence{Entries: append(entries, source(t, KindStatus, "iaas", "green", audit.FAIL))}, "iaas", now)
		if worse.Tests.Outcome != audit.FAIL {
			t.Fatalf("a failed test does not count: %+v", worse.Tests)
		}
		if got.Tests.ValidUntil.IsZero() == (got.Tests.Outcome == audit.PASS) {
			t.Fatalf("%s is valid until %s", got.Tests.Outcome, got.Tests.ValidUntil)
		}
	}
}

func TestNothingKnownIsMISS(t *testing.T) {
	for _, layer := range []string{"iaas", "kaas", "paas", ""} {
		got := Judge(Evidence{}, layer, now)
		if got.Tests.Outcome != audit.MISS || got.Certificate.Outcome != audit.MISS || got.Words() != "not shown" || len(got.Tests.Settle) == 0 || len(got.Certificate.Settle) == 0 {
			t.Errorf("%q: got %+v", layer, got)
		}
	}
}

// FuzzParseStatus holds that what a monitor answers can be judged, and that only a result of 1 for each test case passes.
func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(`{"green":{"50393e6f-2ae1-4c5c-a62c-3b75f2abef3f":{"name":"x","testcases":{"a":{"lifetime":"day"}},"results":{"a":{"result":1,"checked_at":"2026-06-10T06:00:00"}},"versions":{"v1":{"_idx":0,"result":1,"validity":"effective","targets":{"main":{"testcases":["a"],"result":1}}}}}}}`))
	f.Add([]byte(`{"green":{"x":{"versions":{"v":{"validity":"warn"}}}}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := ParseStatus(data)
		if err != nil {
			return
		}
		for _, scopes := range all {
			for _, s := range scopes {
				e := Entry{Target: Target{Kind: KindStatus, Layer: "iaas"}, Status: &Status{Scope: ScopeIaaS, Subjects: []SubjectStatus{s}}}
				got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now)
				passed := 0
				for _, r := range s.Results {
					if r.Outcome == audit.PASS {
						passed++
					}
				}
				if got.Tests.Outcome == audit.PASS && passed == 0 {
					t.Fatalf("passes without a result: %+v", got.Tests)
				}
			}
		}
	})
}

func BenchmarkParseStatusOf1e5Results(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{`)
	for i := range 1_000 {
		if i > 0 {
			text.WriteString(",")
		}
		text.WriteString(`"subject-` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String() + `":{"` + ScopeIaaS + `":{"name":"x","testcases":{},"versions":{"v":{"_idx":0,"result":1,"validity":"effective","targets":{"main":{"testcases":["t0"]}}}},"results":{`)
		for j := range 100 {
			if j > 0 {
				text.WriteString(",")
			}
			text.WriteString(`"t` + time.Duration(j).String()[:len(time.Duration(j).String())-2] + `":{"result":1,"checked_at":"2026-06-10T06:12:44.103992","report":"0b1f7a1e"}`)
		}
		text.WriteString("}}}")
	}
	text.WriteString("}")
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if all, err := ParseStatus([]byte(text.String())); err != nil || len(all) != 1_000 {
			b.Fatal(len(all), err)
		}
	}
}
