package policies

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestEachFactAgesForItself(t *testing.T) {
	subjects := full()
	for i, s := range subjects {
		if s.Ref.Kind != KindOperator {
			continue
		}
		subjects[i].ObservedAt = map[string]time.Time{"statusPage": day(t, "2026-11-24"), "runbooks": day(t, "2026-08-03"), "manifestoSigned": day(t, "2026-11-20")}
		subjects[i].Until = map[string]time.Time{"manifestoSigned": day(t, "2026-12-31"), "imprint": day(t, "2026-11-01")}
	}
	r := evaluate(t, builtIn(t), subjects, "scs-sovereign-iaas")
	if f := findingOf(t, r, "status-page/operator"); f.Outcome != audit.PASS {
		t.Errorf("an old clone of runbooks ages the status page: %s: %s", f.Outcome, f.Reason)
	}
	if f := findingOf(t, r, "runbooks/operator"); f.Outcome != audit.DNF || !strings.Contains(f.Reason, "2026-08-03") {
		t.Errorf("runbooks that were read in August still count in November: %s: %s", f.Outcome, f.Reason)
	}
	if f := findingOf(t, r, "manifesto-signed/operator"); f.Outcome != audit.PASS || !f.ValidUntil.Equal(day(t, "2026-12-31")) {
		t.Errorf("a fact that ends on 2026-12-31 holds until %s (%s)", f.ValidUntil, f.Outcome)
	}
	if f := findingOf(t, r, "imprint/operator"); f.Outcome != audit.DNF || !strings.Contains(f.Reason, "counted until 2026-11-01") {
		t.Errorf("a fact that is over decides: %s: %s", f.Outcome, f.Reason)
	}
}
