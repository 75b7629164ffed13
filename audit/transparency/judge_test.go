package transparency

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

var (
	judgedAt   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	judgeRules = audit.TransparencyRules{
		Public:     map[string][]string{"public": {KindMonitor}},
		Indicators: map[string]audit.TransparencyRule{"XX-01": {}},
	}
)

// asked is an indicator that passes whatever it is shown, and says how many artifacts that were.
func asked(contents bool) Indicator {
	return Indicator{ID: "XX-01", Kind: KindMonitor, Contents: contents, Measure: func(q Question) Measurement {
		n := int64(len(q.Artifacts))
		return Measurement{Outcome: audit.PASS, Value: &n, Reason: "seen"}
	}}
}

func lookedAt(url string, at time.Time) Artifact {
	return Artifact{Target: Target{Kind: KindMonitor, URL: url}, Seen: []audit.Seen{{URL: url, At: at, Digest: audit.DigestOf([]byte(url))}}}
}

func in(a Artifact, trouble string) Artifact {
	a.Trouble = &audit.Trouble{Kind: trouble, Text: "because of " + trouble, Settle: "mend " + trouble}
	return a
}

func handedOver(a Artifact) Artifact {
	a.Handed, a.URL, a.File = true, "", "monitor.json"
	return a
}

func judged(i Indicator, exposure string, artifacts ...Artifact) Result {
	return judgeOne(i, Evidence{Exposure: exposure, AssessedAt: judgedAt, Artifacts: artifacts}, Context{}, judgeRules)
}

func TestWhereNothingCanBeReadTheTroubleAnswers(t *testing.T) {
	a := lookedAt("https://a.example", judgedAt)
	for name, test := range map[string]struct {
		artifacts []Artifact
		contents  bool
		want      audit.Outcome
		reason    string
	}{
		"nobody named one":                {nil, false, audit.MISS, "nobody said where it is"},
		"a server says no":                {[]Artifact{in(a, audit.TroubleNotFound)}, false, audit.FAIL, "not-found"},
		"a server says no, about content": {[]Artifact{in(a, audit.TroubleLogin)}, true, audit.MISS, "there is nothing to look at"},
		"nobody could tell":               {[]Artifact{in(a, audit.TroubleTimeout)}, false, audit.DNF, "timeout"},
		"the worst of several counts":     {[]Artifact{in(a, audit.TroubleOffline), in(a, audit.TroubleNotFound), in(a, audit.TroubleTimeout)}, false, audit.FAIL, "not-found"},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(asked(test.contents), "public", test.artifacts...)
			if r.Outcome != test.want || !strings.Contains(r.Reason, test.reason) || len(r.Settle) == 0 {
				t.Errorf("got %s, %q, %v; want %s, %q and what would settle it", r.Outcome, r.Reason, r.Settle, test.want, test.reason)
			}
			if len(test.artifacts) > 0 && (len(r.Origins) == 0 || !r.Observed.Equal(judgedAt)) {
				t.Errorf("it leads to %v of %s, want the looks", r.Origins, r.Observed)
			}
		})
	}
}

func TestWhatMustBePublicDoesNotCountHandedOver(t *testing.T) {
	public, handed := lookedAt("https://a.example", judgedAt), handedOver(lookedAt("https://b.example", judgedAt.Add(-time.Hour)))
	for name, test := range map[string]struct {
		exposure  string
		artifacts []Artifact
		want      audit.Outcome
		counted   int64
		handed    bool
	}{
		"public cloud, handed over":              {"public", []Artifact{handed}, audit.MISS, 0, true},
		"public cloud, both":                     {"public", []Artifact{handed, public}, audit.PASS, 1, false},
		"private cloud, handed over":             {"private", []Artifact{handed}, audit.PASS, 1, true},
		"private cloud, both":                    {"private", []Artifact{handed, public}, audit.PASS, 2, true},
		"public cloud, public":                   {"public", []Artifact{public}, audit.PASS, 1, false},
		"public cloud, public is not to be read": {"public", []Artifact{handed, in(public, audit.TroubleTimeout)}, audit.DNF, 0, false},
		"public cloud, a saved login page":       {"public", []Artifact{in(handed, audit.TroubleLogin)}, audit.MISS, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(asked(false), test.exposure, test.artifacts...)
			if r.Outcome != test.want || r.Handed != test.handed {
				t.Errorf("got %s (handed: %v), want %s (%v): %s", r.Outcome, r.Handed, test.want, test.handed, r.Reason)
			}
			if test.counted > 0 && (r.Value == nil || *r.Value != test.counted) {
				t.Errorf("got %v artifacts, want %d", r.Value, test.counted)
			}
			if test.counted == 0 && (r.Value != nil || len(r.Settle) == 0) {
				t.Errorf("it was measured, or nothing would settle it: %+v", r)
			}
		})
	}
}

func TestAnAnswerLeadsToItsLooksAndTheirLatestMoment(t *testing.T) {
	early, late := lookedAt("https://a.example", judgedAt.Add(-time.Hour)), lookedAt("https://b.example", judgedAt)
	r := judged(asked(false), "public", early, late)
	if len(r.Origins) != 2 || !r.Observed.Equal(judgedAt) {
		t.Errorf("got %v of %s, want both looks and the later moment", r.Origins, r.Observed)
	}
	own := Indicator{ID: "XX-01", Kind: KindMonitor, Measure: func(Question) Measurement {
		return Measurement{Outcome: audit.PASS, Observed: judgedAt.Add(-2 * time.Hour), Origins: []audit.Origin{{URL: "https://own.example", Digest: audit.DigestOf(nil)}}}
	}}
	r = judged(own, "public", early, late)
	if len(r.Origins) != 1 || !r.Observed.Equal(judgedAt.Add(-2*time.Hour)) {
		t.Errorf("got %v of %s, want the origin and the moment of the measurement alone", r.Origins, r.Observed)
	}
	if r = judged(Indicator{ID: "XX-02", Kind: KindMonitor}, "public", early); r.Outcome != audit.MISS || len(r.Settle) == 0 {
		t.Errorf("without numbers in the profile: got %s, want MISS", r.Outcome)
	}
}

func TestNoTwoIndicatorsShareAnID(t *testing.T) {
	var ids []string
	for _, i := range All() {
		if slices.Contains(ids, i.ID) || !slices.Contains(Kinds(), i.Kind) || i.Question == "" || i.Measure == nil {
			t.Errorf("indicator %+v is doubled or not whole", i)
		}
		ids = append(ids, i.ID)
	}
}
