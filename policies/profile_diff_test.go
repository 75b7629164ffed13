package policies

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
)

func TestChangesOfTwoProfilesNameEachSettingThatDecides(t *testing.T) {
	p := profilesBuiltIn(t)
	got, err := Changes(p.Main(), p.For("feature-complete"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{
		{"AC-01.pass", "13", "4"}, {"AC-02.fail", "1", "0"}, {"AC-02.pass", "7", "2"}, {"AC-03.fail", "1000", "250"},
		{"AC-03.pass", "3500", "875"}, {"AC-04.pass", "3", "1"}, {"AC-11.pass", "2", "1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// The law: a profile that takes all that differs from another decides as the other does, in both directions.
func TestTakingAllThatDiffersLeavesNoDifference(t *testing.T) {
	p := profilesBuiltIn(t)
	whole := p.Main()
	bare := copied(whole)
	delete(bare.Gates, "scs-open")
	delete(bare.Lifetimes, "operation")
	rule := bare.Indicators["AC-01"]
	rule.KnockOut, rule.Pass, rule.Numbers = false, nil, nil
	bare.Indicators["AC-01"] = rule
	bare.Hysteresis.Audits = 1
	for _, pair := range [][2]string{{"service", "library"}, {"library", "feature-complete"}} {
		a, b := p.For(pair[0]), p.For(pair[1])
		checkTake(t, pair[0]+" to "+pair[1], func() (int, error) { return leftAfterTaking(a, b) })
	}
	checkTake(t, "to a profile with less", func() (int, error) { return leftAfterTaking(whole, bare) })
	checkTake(t, "to a profile with more", func() (int, error) { return leftAfterTaking(bare, whole) })
}

func checkTake(t *testing.T, name string, left func() (int, error)) {
	t.Helper()
	if n, err := left(); err != nil || n != 0 {
		t.Errorf("%s: %d settings still differ, %v", name, n, err)
	}
}

func leftAfterTaking(a, b audit.Profile) (int, error) {
	changes, err := Changes(a, b)
	if err != nil || len(changes) == 0 {
		return len(changes) - 1, err
	}
	var paths []string
	for _, c := range changes {
		paths = append(paths, c.Path)
	}
	taken, err := Take(a, b, paths)
	if err != nil {
		return 0, err
	}
	left, err := Changes(taken, b)
	return len(left), err
}
