package indicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// The questions that the checks of OpenSSF Scorecard answer. Only single checks count, never the aggregate.

// noDanger is the only score of Dangerous-Workflow at which no dangerous pattern was found: each lowers it to 0.
const noDanger = 10

// carefulCI (SE-09, scs-0008 SE-3, SE-1) asks: does CI pin what it uses, and may it do no more than it must?
// Measured: Scorecard's Pinned-Dependencies and Token-Permissions against the threshold, Dangerous-Workflow against 10. NA
// where no GitHub workflow runs: other CI systems give jobs no token that could be limited.
// Misleads: a workflow that a project calls from another repository is not read.
func carefulCI(in *input) scoring.Measurement {
	c, m, ok := take(in, in.e.Checks, "the checks of OpenSSF Scorecard")
	if !ok {
		return m
	}
	if in.rule.Pass == nil {
		return untold("the profile sets no threshold", "set one in the profile")
	}
	if reason, na := inapplicable(c, "Token-Permissions", "Dangerous-Workflow"); na {
		return notApplicable(reason)
	}
	var said, open []string
	var below []scoring.Check
	lowest := noDanger
	for _, want := range []struct {
		name string
		pass int
	}{{"Pinned-Dependencies", *in.rule.Pass}, {"Token-Permissions", *in.rule.Pass}, {"Dangerous-Workflow", noDanger}} {
		r, known := result(c, want.name)
		_, na := inapplicable(c, want.name)
		switch {
		case known:
			said = append(said, fmt.Sprintf("%s %d, %d needed", r.Name, r.Score, want.pass))
			lowest = min(lowest, r.Score)
			if r.Score < want.pass {
				below = append(below, r)
			}
		case !na:
			open = append(open, want.name+": "+clip(skipped(c, want.name)))
		}
	}
	switch {
	case len(below) > 0:
		return failed(fmt.Sprint(lowest), strings.Join(said, "; "), in.places(below)...)
	case len(open) > 0:
		return untold(strings.Join(append(said, open...), "; "), "run the checks that are open")
	}
	return passed(fmt.Sprint(lowest), strings.Join(said, "; "), in.e.Checks.Origins...)
}

// result returns the result of a check; ok is false if it has none that can be.
func result(c scoring.Checks, name string) (r scoring.Check, ok bool) {
	i := slices.IndexFunc(c.Results, func(r scoring.Check) bool { return r.Name == name })
	if i < 0 || c.Results[i].Score < 0 || c.Results[i].Score > 10 {
		return r, false
	}
	return c.Results[i], true
}

func skipped(c scoring.Checks, name string) string {
	if reason := c.Skipped[name]; reason != "" {
		return reason
	}
	return "not run"
}

// inapplicable reports whether all of the checks have nothing to look at, and the reason of the first.
func inapplicable(c scoring.Checks, checks ...string) (reason string, na bool) {
	for _, name := range checks {
		if _, known := result(c, name); known || !strings.HasPrefix(c.Skipped[name], scoring.DoesNotApply) {
			return "", false
		}
	}
	return clip(strings.TrimPrefix(c.Skipped[checks[0]], scoring.DoesNotApply)), true
}

// mostPlaces is how many places an answer shows.
const mostPlaces = 5

// places are the files and lines that probes point at, those to be mended first.
func (in *input) places(results []scoring.Check) []audit.Origin {
	var out []audit.Origin
	for _, r := range results {
		for _, f := range r.Findings {
			if f.Path == "" || len(out) == mostPlaces {
				continue
			}
			o := in.at(f.Path)
			o.Line = f.Line
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	if len(out) == 0 {
		return in.e.Checks.Origins
	}
	return out
}

// confirmed answers with PASS what our own detectors leave open, if a check of Scorecard saw it. What they decided stays:
// the check may also be missing.
func (in *input) confirmed(m scoring.Measurement, check string) scoring.Measurement {
	c, known := in.e.Checks.Get()
	if !known || in.e.Checks.Declared || m.Outcome != audit.MISS && m.Outcome != audit.DNF {
		return m
	}
	if r, ok := result(c, check); ok && r.Score == 10 {
		in.grade = in.e.Checks.Grade
		return passed("yes", "Scorecard "+check+": "+clip(r.Reason), in.places([]scoring.Check{r})...)
	}
	return m
}
