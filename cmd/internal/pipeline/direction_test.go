package pipeline

import (
	"testing"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

// The two ends of a rule show which way it points; LessIsBetter has to say the same, and for rules with one end it is known
// from their questions.
func TestLessIsBetterPointsAsTheRules(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	for id, rule := range profile.Indicators {
		if rule.Pass != nil && rule.Fail != nil && indicator.LessIsBetter(id) != (*rule.Fail > *rule.Pass) {
			t.Errorf("%s: fails at %d and passes at %d, and LessIsBetter says %v", id, *rule.Fail, *rule.Pass, indicator.LessIsBetter(id))
		}
	}
	for id, want := range map[string]bool{"OC-03": true, "OC-08": true, "OC-12": true, "OD-04": true, "OD-06": true, "MA-04": true, "SE-11": true, "SE-14": true,
		"AC-06": false, "AC-07": false, "AC-08": false, "LR-07": false, "OC-11": false, "OV-01": false, "SE-09": false} {
		if indicator.LessIsBetter(id) != want || profile.Indicators[id].Pass == nil {
			t.Errorf("%s: less is better: %v, want %v, and a rule with a number", id, indicator.LessIsBetter(id), want)
		}
	}
	if r := ruleOf("OC-12", profile.Indicators["OC-12"]); !r.Less {
		t.Error("OC-12: the report does not say that less is better")
	}
}
