package reports

import (
	"strings"
	"testing"
)

func policyDiffSample() PolicyDiff {
	return PolicyDiff{
		Schema: PolicyDiffSchema, From: "profile service 0.1.0", To: "profile \x1b[31mmine 1.0.0", Evidence: "sha256:0", Projects: 1, Scopes: 1,
		Settings: []PolicyChange{{Path: "AC-01.pass", From: "13", To: "4", Profiles: []string{"service"}}, {Path: "AC-02.pass", From: "7"}, {Path: "AC-03.pass", To: "1"}},
		Verdicts: []VerdictMove{{Kind: "project", ID: "example", What: "scs-open", From: "undetermined", To: "passed", Alone: []int{0}}},
		Gates:    []VerdictMove{{Kind: "gate", ID: "example", What: "scs-open activity", From: "undetermined", To: "pass", Together: []int{0, 1}}},
		Idle:     []int{2}, Combined: true,
	}
}

func calibrationSample() Calibration {
	return Calibration{
		Schema: CalibrationSchema, Profile: "service 0.1.0", Evidence: "sha256:0", Projects: 2, Platforms: 1,
		Profiles: map[string][]string{"library": {"b"}},
		Verdicts: []CalibrationVerdict{{Level: "scs-open", Role: "platform", Verdict: "passed", Projects: []string{"a|<script>"}}},
		Gates: []CalibrationGate{{Levels: []string{"scs-open"}, Role: "platform", Aspect: "activity", Low: 5000, Coverage: 8000, Source: "proposal",
			Passed: []string{"a|<script>"}, Failed: []string{}, Undetermined: []string{}, Remark: "Everybody passes: the gate tells nobody apart."}},
		KnockOuts:  []CalibrationKnockOut{{Indicator: "AC-01", Title: "Maintained", Out: []string{}, Open: []string{}, Clear: 2, Remark: "Nobody is knocked out."}},
		Indicators: []CalibrationIndicator{{ID: "AC-01", Aspect: "activity", Title: "Maintained", Pass: 2}},
		Margins:    []CalibrationMargin{{Project: "a|<script>", Gates: []GateMargin{{Outcome: "pass", Margin: 17}}}},
		Settings: []Sensitivity{{Path: "AC-01.pass", Value: 13, Source: "proposal", Up: &Flip{Value: 20, Moves: []string{"a: passed → undetermined", "b", "c", "d"}}},
			{Path: "AC-02.pass", Value: 7, Source: "proposal"}},
	}
}

func TestComparisonsAndCalibrationsMatchTheirSchemas(t *testing.T) {
	diff, err := RenderPolicyDiff("json", policyDiffSample(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t, "policy-diff").Validate(parsed(t, diff)); err != nil {
		t.Errorf("policy-diff: %v", err)
	}
	page, err := RenderCalibration("json", calibrationSample(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t, "calibration").Validate(parsed(t, page)); err != nil {
		t.Errorf("calibration: %v", err)
	}
}

func TestAComparisonReadsFromTheVerdictToTheNumber(t *testing.T) {
	data, err := RenderPolicyDiff("text", policyDiffSample(), Options{Width: 140})
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	at := -1
	for _, want := range []string{"3 settings differ, tried on 1 project and 1 scope", "project example, scs-open: undetermined → passed", "by AC-01.pass 13 → 4 (service)",
		"gate example, scs-open activity", "only by all of these together", "AC-02.pass 7 → not set", "change nothing here", "AC-03.pass not set → 1"} {
		next := strings.Index(text, want)
		if next <= at {
			t.Errorf("got\n%s\nwant %q after what stands before it", text, want)
		}
		at = next
	}
	if strings.Contains(text, "\x1b") {
		t.Error("a name moves the cursor")
	}
}

func TestACalibrationNamesGatesThatTellNobodyApartAndTrustsNoName(t *testing.T) {
	data, err := RenderCalibration("markdown", calibrationSample(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{"Everybody passes: the gate tells nobody apart.", `a\|&lt;script>`, "+17", "and 1 more", "Whoever is decided passes: AC-01", "library instead"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "<script") {
		t.Error("a name is markup")
	}
	short, err := RenderCalibration("text", calibrationSample(), Options{})
	if err != nil || !strings.Contains(string(short), "pass, 17 from another outcome") || !strings.Contains(string(short), "at 20: ") {
		t.Errorf("got %v:\n%s", err, short)
	}
	for _, f := range []string{"", "html"} {
		if _, err := RenderCalibration(f, Calibration{}, Options{}); err == nil {
			t.Errorf("format %q is taken", f)
		}
		if _, err := RenderPolicyDiff(f, PolicyDiff{}, Options{}); err == nil {
			t.Errorf("format %q is taken", f)
		}
	}
}
