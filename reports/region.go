package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// This file puts into words what each region shows and decides.

// regionView is the decision about one scope in one region.
type regionView struct {
	Sign sign
	Name string // "region muc"
	Text string
}

// maxRegionLimits bounds the requirements that one region names.
const maxRegionLimits = 3

// regionViews are the lines below a verdict, one for each region.
func regionViews(r Report, v Verdict) []regionView {
	var out []regionView
	for _, d := range v.Regions {
		out = append(out, regionView{Sign: verdictSign(known(d.Outcome)), Name: "region " + d.Region, Text: regionText(r, v, d)})
	}
	return out
}

func regionText(r Report, v Verdict, d RegionVerdict) string {
	var parts []string
	if d.Reason != "" {
		parts = append(parts, d.Reason)
	}
	groups := groupFindings(r, func(f Finding) bool {
		return slices.Contains(d.Limiting, f.ID) && (known(d.Outcome) != "not-eligible" || f.Outcome == audit.FAIL)
	})
	for i, g := range groups {
		if i == maxRegionLimits {
			parts = append(parts, plural(len(groups)-i, "more requirement", "more requirements"))
			break
		}
		part := "“" + g.Title + "”"
		if names := g.named(3); names != "" {
			part += " (" + names + ")"
		}
		parts = append(parts, part)
	}
	text := ""
	if len(parts) > 0 {
		text = stop(list(parts)) + " "
	}
	text += fmt.Sprintf("Answers: %s hold, %s fail, %s open.", thousands(d.Counts.Pass), thousands(d.Counts.Fail), thousands(d.Counts.Miss+d.Counts.DNF))
	if !d.ValidUntil.IsZero() && d.Outcome == "eligible" {
		text += " Holds until " + day(d.ValidUntil) + "."
	}
	return text
}

// regionsSeen says how much was seen of each region.
func regionsSeen(r Report) []regionView {
	var out []regionView
	for _, x := range r.Regions {
		text := seen(x.Coverage)
		if x.Coverage.Artifacts > 0 {
			text = plural(x.Own, "artifact of its own", "artifacts of its own") + ", the others all regions share. " + text
		}
		if x.Undecided != "" {
			text += " " + sentence(x.Undecided)
		}
		out = append(out, regionView{Name: "region " + x.Name, Text: text})
	}
	return out
}

// worstWords names the regions that decide scopes, "" if all do or there are none.
func worstWords(r Report, scopes []string) string {
	var names []string
	for _, v := range r.Verdicts {
		if !slices.Contains(scopes, v.Scope) || len(v.Worst) == len(v.Regions) {
			continue
		}
		for _, name := range v.Worst {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return inRegions(names)
}

// inRegions is " in region muc", or nothing for none.
func inRegions(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return " in region " + names[0]
	}
	return " in regions " + list(names)
}

// reasonOf is the reason of a finding with the regions in which it counts.
func reasonOf(f Finding) string {
	if len(f.Regions) == 0 {
		return f.Reason
	}
	return strings.TrimSuffix(f.Reason, ".") + " (only" + inRegions(f.Regions) + ")"
}
