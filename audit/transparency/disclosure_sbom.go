package transparency

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// sbomAvailable answers SB-01. "SBOM available" of the proposal for SCS-open means that customers can get it: a document that
// was read, where an outsider found it or somebody was handed it. A form without internal names suffices. It misleads where
// the document is old or names another cloud; SB-02 and SB-03 ask for that.
func sbomAvailable(q Question) Measurement {
	components, documents, redacted := 0, 0, false
	for _, a := range q.Artifacts {
		if a.SBOM != nil {
			components += a.SBOM.Components
			documents += max(1, a.SBOM.Documents)
			redacted = redacted || a.SBOM.Redacted
		}
	}
	if components == 0 {
		return Measurement{Outcome: audit.DNF, Reason: "nothing that was read lists a component", Settle: []string{"publish an SBOM with its components"}}
	}
	text := fmt.Sprintf("%s with %s can be had", count(documents, "document", "documents"), count(components, "component", "components"))
	if redacted {
		text += ", in a form without internal names"
	}
	return Measurement{Outcome: audit.PASS, Value: new(int64(components)), Unit: "components", Reason: text}
}

// sbomCurrent answers SB-02: the age of the document, measured from the moment it was looked at, against days, and whether all
// fields that BSI TR-03183-2 requires are stated: of the fields missing_fields may be lacking. Nobody fails by a field alone.
func sbomCurrent(q Question) Measurement {
	a, ok := newestSBOM(q.Artifacts)
	if !ok {
		return Measurement{Outcome: audit.DNF, Reason: "no SBOM says when it was made", Settle: []string{"state the time stamp in the SBOM"}}
	}
	age, days := a.Observed().Sub(a.SBOM.Created), q.Rule.Numbers["days"]
	m := Measurement{Value: new(int64(age / (24 * time.Hour))), Unit: "days", Origins: a.Origins(), Observed: a.Observed()}
	fields := sbomFields(*a.SBOM)
	switch {
	case a.Observed().IsZero():
		return Measurement{Outcome: audit.DNF, Reason: "nobody wrote down when it was looked at", Settle: []string{"look again"}}
	case age < -lookSkew:
		m.Outcome, m.Reason = audit.DNF, fmt.Sprintf("it says that it was made on %s, which is after it was read", onDay(a.SBOM.Created))
		m.Settle = []string{"set the clock of the machine that makes the SBOM"}
	case age > time.Duration(days)*24*time.Hour:
		m.Outcome, m.Reason = audit.FAIL, fmt.Sprintf("it was made on %s, more than %d days before it was read; %s", onDay(a.SBOM.Created), days, fields)
		m.Settle = []string{"publish the SBOM of what is deployed now"}
	case a.SBOM.Unmeasured != "":
		m.Outcome, m.Reason = audit.DNF, fmt.Sprintf("made on %s; %s", onDay(a.SBOM.Created), fields)
		m.Settle = []string{"publish it in JSON, as CycloneDX or SPDX"}
	case !a.SBOM.BSI && (len(a.SBOM.Open) == 0 || len(a.SBOM.Open) > q.Rule.Numbers["missing_fields"]):
		m.Outcome, m.Reason = audit.PART, fmt.Sprintf("made on %s; %s", onDay(a.SBOM.Created), fields)
		m.Settle = []string{"state the fields that are missing"}
	default:
		m.Outcome, m.Reason = audit.PASS, fmt.Sprintf("made on %s, within %d days; %s", onDay(a.SBOM.Created), days, fields)
	}
	return m
}

func sbomFields(f SBOMFacts) string {
	switch {
	case f.Unmeasured != "":
		return "whether it states the fields of BSI TR-03183-2 could not be measured: " + f.Unmeasured
	case f.BSI:
		return "every field that BSI TR-03183-2 requires is stated"
	case len(f.Open) == 0:
		return "it lacks fields that BSI TR-03183-2 requires"
	}
	return "it lacks fields that BSI TR-03183-2 requires: " + someOf(f.Open, 4)
}

// newestSBOM returns the artifact whose SBOM was made last. Where it is known what is deployed, it is asked of the one that names
// most of it, so that a new SBOM of something else makes no old one newer.
func newestSBOM(artifacts []Artifact) (Artifact, bool) {
	if best := fullestSBOM(artifacts); best != nil && best.SBOM.Named > 0 {
		return *best, !best.SBOM.Created.IsZero()
	}
	var newest Artifact
	found := false
	for _, a := range artifacts {
		if a.SBOM != nil && !a.SBOM.Created.IsZero() && (!found || a.SBOM.Created.After(newest.SBOM.Created)) {
			newest, found = a, true
		}
	}
	return newest, found
}

// sbomNames answers SB-03: the share of the deployed parts that the SBOM names, at least share_bp. Where the SBOM hides names,
// or names something without its version, the share lies between two numbers, and only both of them decide. Of several SBOMs
// the one that names most counts, because together they may not be counted without counting parts twice.
func sbomNames(q Question) Measurement {
	best := fullestSBOM(q.Artifacts)
	if best == nil {
		return Measurement{Reason: "nothing that is deployed is known, so that there is nothing to compare it with", Settle: []string{"run a whole audit of the stack"}}
	}
	f := *best.SBOM
	high := min(f.Deployed, f.Named+f.Unsure+f.Hidden)
	threshold := q.Rule.Numbers["share_bp"]
	m := Measurement{Value: new(int64(f.Named * audit.Full / f.Deployed)), Unit: "bp", Origins: best.Origins(), Observed: best.Observed()}
	m.Reason = fmt.Sprintf("it names %d of %s", f.Named, count(f.Deployed, "deployed part", "deployed parts"))
	if high > f.Named {
		m.Reason = fmt.Sprintf("it names between %d and %d of %s: it hides names or leaves out versions", f.Named, high, count(f.Deployed, "deployed part", "deployed parts"))
	}
	m.Reason += fmt.Sprintf(", and %s are asked for", inPercent(threshold))
	if len(f.Missing) > 0 {
		m.Reason += "; not named, for example: " + someOf(f.Missing, 5)
	}
	switch {
	case f.Named*audit.Full >= threshold*f.Deployed:
		m.Outcome = audit.PASS
	case high*audit.Full < threshold*f.Deployed:
		m.Outcome, m.Settle = audit.FAIL, []string{"publish an SBOM of what is deployed now"}
	default:
		m.Outcome, m.Settle = audit.DNF, []string{"state digests or versions in it, or give the full form to the auditor"}
	}
	return m
}

// fullestSBOM returns the artifact whose SBOM names the largest share of what is deployed, of equals the newest; nil if nothing
// that is deployed is known.
func fullestSBOM(artifacts []Artifact) *Artifact {
	var best *Artifact
	for i, a := range artifacts {
		if a.SBOM == nil || a.SBOM.Deployed == 0 {
			continue
		}
		if best != nil {
			share, most := a.SBOM.Named*best.SBOM.Deployed, best.SBOM.Named*a.SBOM.Deployed
			if share < most || share == most && !a.SBOM.Created.After(best.SBOM.Created) {
				continue
			}
		}
		best = &artifacts[i]
	}
	return best
}

// lookSkew is how far clocks of machines may be apart: a time that lies further in the future is wrong (common rule of all
// collectors; time servers keep machines within seconds).
const lookSkew = 5 * time.Minute

func onDay(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// inPercent writes basis points.
func inPercent(bp int) string {
	if bp%100 == 0 {
		return fmt.Sprintf("%d %%", bp/100)
	}
	return fmt.Sprintf("%d.%02d %%", bp/100, bp%100)
}

// someOf names the first few of a list.
func someOf(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
