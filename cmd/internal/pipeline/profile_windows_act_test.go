package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring/indicator"
)

// A longer window counts at least as much work, and the answer names the window that it counted over.
func TestTheWindowsOfALibraryAct(t *testing.T) {
	profiles := defaultProfiles(t)
	for _, p := range someCases(t, "keystone", "galera", "lldpd", "memcached", "ovn").projects {
		for _, id := range []string{"AC-01", "AC-02", "AC-04"} {
			for _, profile := range []audit.Profile{profiles.Main(), profiles.For("library")} {
				rule := profile.Indicators[id]
				m := indicator.Measure(p.evidence, p.project, audit.Profile{Indicators: map[string]audit.IndicatorRule{id: rule}})[0]
				counted := fmt.Sprintf("%d days", rule.Window)
				if !m.Outcome.Decided() || !strings.Contains(m.Reason, counted) && rule.Window != 91 {
					t.Errorf("%s: %s by %s: %s %q, want an answer over %s", p.project.ID, id, profile.ID, m.Outcome, m.Reason, counted)
				}
			}
			count := func(window int) int {
				rule := profiles.Main().Indicators[id]
				rule.Window = window
				m := indicator.Measure(p.evidence, p.project, audit.Profile{Indicators: map[string]audit.IndicatorRule{id: rule}})[0]
				n := 0
				if _, err := fmt.Sscan(m.Value, &n); err != nil {
					t.Errorf("%s: %s over %d days: %v in %q, %s", p.project.ID, id, window, err, m.Value, m.Reason)
				}
				return n
			}
			windows := []int{90, 182, 365, 730}
			if id == "AC-04" {
				windows = windows[2:]
			}
			for i := 1; i < len(windows); i++ {
				if a, b := count(windows[i-1]), count(windows[i]); a > b {
					t.Errorf("%s: %s counts %d over %d days and %d over %d", p.project.ID, id, a, windows[i-1], b, windows[i])
				}
			}
		}
	}
}
