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

const dangerous = "Dangerous-Workflow"

// carefulCI (SE-09, scs-0008 SE-3, SE-1) asks: does CI pin what it uses, and may it do no more than it must?
// Measured: Scorecard's Pinned-Dependencies and Token-Permissions against the threshold, Dangerous-Workflow against 10. NA
// where no GitHub workflow runs: other CI systems give jobs no token that could be limited. Where Dangerous-Workflow is low
// only because a job checks out the branch that a pull request wants to change, it is open: that is the project's own code.
// Misleads: a workflow that a project calls from another repository is not read.
func carefulCI(in *input) scoring.Measurement {
	c, m, ok := take(in, in.e.Checks, "the checks of OpenSSF Scorecard")
	if !ok {
		return m
	}
	if in.rule.Pass == nil {
		return untold("the profile sets no threshold", "set one in the profile")
	}
	if reason, na := inapplicable(c, "Token-Permissions", dangerous); na {
		return notApplicable(reason)
	}
	var said, open, needs []string
	var below []scoring.Check
	lowest := noDanger
	for _, want := range []struct {
		name string
		pass int
	}{{dangerous, noDanger}, {"Pinned-Dependencies", *in.rule.Pass}, {"Token-Permissions", *in.rule.Pass}} {
		atLeast := " at least "
		if want.pass == noDanger {
			atLeast = " "
		}
		needs = append(needs, want.name+atLeast+fmt.Sprint(want.pass))
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
		m = failed(fmt.Sprint(lowest), strings.Join(said, "; "), in.places(toMend(below))...)
		m.Settle = []string{"all three have to hold: " + strings.Join(needs, ", ")}
		return m
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

// places are the files and lines that probes point at, those to be mended first. Each result has its turn, so that none
// fills the list before another is seen.
func (in *input) places(results []scoring.Check) []audit.Origin {
	var out []audit.Origin
	for turn, more := 0, true; more && len(out) < mostPlaces; turn++ {
		more = false
		for _, r := range results {
			if turn >= len(r.Findings) || len(out) == mostPlaces {
				continue
			}
			more = true
			f := r.Findings[turn]
			o := in.at(f.Path)
			o.Line = f.Line
			if f.Path != "" && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	if len(out) == 0 {
		return in.e.Checks.Origins
	}
	return out
}

// toMend are results with only those findings that lowered the score. Dangerous-Workflow asks for something bad, the other
// two for something good (scorecard v5.5.0, probes/*/def.yml).
func toMend(results []scoring.Check) []scoring.Check {
	out := slices.Clone(results)
	for i, r := range out {
		good := "True"
		if r.Name == dangerous {
			good = "False"
		}
		out[i].Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f scoring.Finding) bool { return f.Outcome == good })
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
