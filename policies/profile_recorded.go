package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// recordedWindows lists, for indicators that look back over facts, the windows in days that those are recorded for. Evidence
// keeps windows of 3, 6, 12 and 24 months (design section 4, rule 11); some facts have one length only. A profile that asks
// for another would change nothing, or make the answer unknown. Indicators that are not listed take any window.
func recordedWindows() map[string][]int {
	months := []int{90, 91, 182, 183, 365, 730}
	out := map[string][]int{
		"AC-03": {730}, "AC-04": {365, 730}, "AC-05": {1095},
		"MA-01": {730}, "MA-08": {90}, "MA-09": {365}, "MA-15": {730}, "OD-02": {365},
	}
	for _, id := range []string{"AC-01", "AC-02", "LR-01", "LR-02", "LR-06", "MA-05", "OC-01", "OC-02", "OC-03", "OC-11", "OS-08", "OV-01", "OV-02", "OV-03"} {
		out[id] = months
	}
	return out
}

// windowActs says what is wrong with a window that the facts of an indicator are not recorded for; "" if nothing is.
func windowActs(id string, rule audit.IndicatorRule) string {
	windows, known := recordedWindows()[id]
	if !known || rule.Window == 0 || slices.Contains(windows, rule.Window) {
		return ""
	}
	words := make([]string, len(windows))
	for i, w := range windows {
		words[i] = fmt.Sprint(w)
	}
	return fmt.Sprintf("the facts that %s rests on are not recorded for %d days, only for %s", id, rule.Window, strings.Join(words, ", "))
}
