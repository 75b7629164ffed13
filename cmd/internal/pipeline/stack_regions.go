package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/policies"
)

// StackRegion is one region of the cloud: it is judged by its own sources and by those that stand above all regions.
type StackRegion struct {
	Name string `yaml:"name"`
	// MonitorSubject is the name of the region at the compliance monitor, asked instead of the name of the cloud.
	MonitorSubject string      `yaml:"monitor_subject"`
	Sources        []yaml.Node `yaml:"sources"`
}

// regionName is how a region may be called: the name stands in ids of findings, in file names and in reports.
var regionName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkRegions refuses regions that cannot be told apart.
func (s Stack) checkRegions() error {
	if len(s.Regions) > policies.MostRegions {
		return fmt.Errorf("%d regions; at most %d are judged at once", len(s.Regions), policies.MostRegions)
	}
	if len(s.Regions) > 0 && s.Subject.Kind == "release" {
		return fmt.Errorf("a release runs nowhere and has no regions; leave regions: out, or name a cloud")
	}
	seen := map[string]bool{}
	for i, r := range s.Regions {
		switch {
		case r.Name == "":
			return fmt.Errorf("entry %d has no name", i+1)
		case !regionName.MatchString(r.Name):
			return fmt.Errorf("entry %d: name is %q, want lower-case letters, digits and dashes, e.g. muc or eu-central-1", i+1, r.Name)
		case seen[r.Name]:
			return fmt.Errorf("entry %d: region %q stands there twice", i+1, r.Name)
		case strings.Contains(r.MonitorSubject, "@"):
			return fmt.Errorf("entry %d: monitor_subject %q may name a person; write the name of the region at the monitor", i+1, r.MonitorSubject)
		}
		seen[r.Name] = true
	}
	return nil
}

func (s Stack) hasRegion(name string) bool {
	return slices.ContainsFunc(s.Regions, func(r StackRegion) bool { return r.Name == name })
}

// regionNames lists the regions as the file does.
func (s Stack) regionNames() []string {
	var out []string
	for _, r := range s.Regions {
		out = append(out, r.Name)
	}
	return out
}

func (s Stack) unknownRegion(name string) error {
	known := shape{}
	for _, r := range s.Regions {
		known[r.Name] = nil
	}
	if len(known) == 0 {
		return fmt.Errorf("unknown region %q; name it under regions:", name)
	}
	return fmt.Errorf("unknown region %q%s", name, didYouMean(name, known))
}

// checkTargets refuses targets of regions that the stack file does not list. Without a list a region is only a label.
func (s Stack) checkTargets(operator []operatorTarget, levels []levelTarget) error {
	wrong := func(key, region string) error {
		return usagef("regions under transparency: and conformance: are those under regions:", "reading stack %q: %s: %w", s.Name, key, s.unknownRegion(region))
	}
	for _, t := range operator {
		if t.Region != "" && len(s.Regions) > 0 && !s.hasRegion(t.Region) {
			return wrong("transparency: "+t.Kind, t.Region)
		}
	}
	for _, t := range levels {
		if t.Region != "" && !s.hasRegion(t.Region) {
			return wrong("conformance: "+t.Kind, t.Region)
		}
	}
	return nil
}

// sourceEntries lists the sources that count for every region, then those of each region, in the order of the file.
func (s Stack) sourceEntries() (entries []*yaml.Node, regionOf []string) {
	for i := range s.Sources {
		entries, regionOf = append(entries, &s.Sources[i]), append(regionOf, "")
	}
	for _, r := range s.Regions {
		for i := range r.Sources {
			entries, regionOf = append(entries, &r.Sources[i]), append(regionOf, r.Name)
		}
	}
	return entries, regionOf
}

// perRegion asks a monitor about each region that has a name of its own there. The name of the cloud is asked as long as some
// region has none.
func (s Stack) perRegion(t levelTarget) []levelTarget {
	if t.Kind != conformance.KindStatus || t.Region != "" {
		return []levelTarget{t}
	}
	var out []levelTarget
	named := 0
	for _, r := range s.Regions {
		if r.MonitorSubject == "" {
			continue
		}
		one := t
		one.Region, one.Subject = r.Name, r.MonitorSubject
		out = append(out, one)
		named++
	}
	if named == 0 || named < len(s.Regions) {
		out = append([]levelTarget{t}, out...)
	}
	return out
}
