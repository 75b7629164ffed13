package sbom

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Region is what the sources of one region show, together with those that count for every region.
type Region struct {
	Name      string
	Inventory Inventory
}

// InRegion returns what one source of a region shows, with the region written beside everything. The inventory given is not
// changed.
func InRegion(inv Inventory, region string) Inventory {
	out := inv
	out.Artifacts = slices.Clone(inv.Artifacts)
	for i, a := range out.Artifacts {
		out.Artifacts[i].Sightings = slices.Clone(a.Sightings)
		for j := range a.Sightings {
			out.Artifacts[i].Sightings[j].Region = region
		}
	}
	out.Expected = slices.Clone(inv.Expected)
	for i := range out.Expected {
		out.Expected[i].Region = region
	}
	out.Omitted = slices.Clone(inv.Omitted)
	for i := range out.Omitted {
		out.Omitted[i].Region = region
	}
	out.Failures = slices.Clone(inv.Failures)
	for i := range out.Failures {
		out.Failures[i].Region = region
	}
	return out
}

// Own reports whether a source of the region shows the artifact, not only one that counts for every region.
func (a Artifact) Own(region string) bool {
	return region != "" && slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.Region == region })
}

// Apart gives the hosts of a region ids of their own, because machines of two regions may go by one name. The inventory given
// is not changed; before is the id that a host had, by its new one.
func Apart(inv Inventory, region string) (out Inventory, before map[string]string) {
	out, before = inv, map[string]string{}
	out.Artifacts = slices.Clone(inv.Artifacts)
	for i, a := range out.Artifacts {
		if name, ok := strings.CutPrefix(a.ID, "host:"); ok && a.Kind == KindHost && a.Own(region) {
			out.Artifacts[i].ID = "host:" + region + "/" + name
			before[out.Artifacts[i].ID] = a.ID
		}
	}
	slices.SortFunc(out.Artifacts, func(a, b Artifact) int { return cmp.Compare(a.ID, b.ID) })
	return out, before
}

// Unite puts regions side by side: an id is one artifact, with the sightings of all regions. What one region knows about an
// artifact is never used to tell what another one has, so that, unlike in Merge, an image without a digest stays apart from
// an image of the same name with one. The order of the regions does not matter.
func Unite(regions []Region) Inventory {
	out := Inventory{Schema: InventorySchema}
	var all []Artifact
	for _, r := range regions {
		all = append(all, r.Inventory.Artifacts...)
		out.Expected = append(out.Expected, r.Inventory.Expected...)
		out.Omitted = append(out.Omitted, r.Inventory.Omitted...)
		out.Attested = append(out.Attested, r.Inventory.Attested...)
		out.Repositories = append(out.Repositories, r.Inventory.Repositories...)
		out.Failures = append(out.Failures, r.Inventory.Failures...)
	}
	slices.SortFunc(all, func(a, b Artifact) int { return cmp.Or(cmp.Compare(a.ID, b.ID), compareArtifacts(&a, &b)) })
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].ID == all[from].ID {
			to++
		}
		out.Artifacts = append(out.Artifacts, side(all[from:to]))
		from = to
	}
	out.Expected = sortedSet(out.Expected, compareExpected)
	out.Omitted = sortedSet(out.Omitted, compareOmitted)
	out.Attested = sortedSet(out.Attested, compareAttested)
	out.Repositories = sortedSet(out.Repositories, compareRepositories)
	out.Failures = sortedSet(out.Failures, compareFailures)
	return out
}

// side joins one artifact of several regions. It is left out, or known by its name alone, only where it is so everywhere.
func side(group []Artifact) Artifact {
	a := join(group)
	a.ID = group[0].ID
	for _, b := range group {
		a.ByName = a.ByName && b.ByName
		if b.Excluded == "" {
			a.Excluded = ""
		}
	}
	return a
}

// CompareRegions holds intent against fact within each region. A difference that all regions have is named once; of others
// the row says where. Undecided names the regions in which nothing could be compared.
func CompareRegions(regions []Region, at time.Time) Comparison {
	var out Comparison
	var open []string
	for _, r := range regions {
		c := Compare(r.Inventory, at)
		for _, row := range c.Drift {
			row.Regions = []string{r.Name}
			out.Drift = append(out.Drift, row)
		}
		if c.Undecided != "" {
			open = append(open, "region "+r.Name+": "+c.Undecided)
		}
	}
	slices.Sort(open)
	out.Undecided = strings.Join(open, "; ")
	slices.SortFunc(out.Drift, func(a, b Drift) int { return cmp.Or(compareDrift(&a, &b), slices.Compare(a.Regions, b.Regions)) })
	rows := out.Drift[:0]
	for _, row := range out.Drift {
		if n := len(rows); n > 0 && compareDrift(&rows[n-1], &row) == 0 {
			rows[n-1].Regions = append(rows[n-1].Regions, row.Regions...)
			continue
		}
		rows = append(rows, row)
	}
	for i := range rows {
		if len(rows[i].Regions) == len(regions) {
			rows[i].Regions = nil
		}
	}
	out.Drift = rows
	return out
}

// CrossCheckRegions compares the lists of each region with what was seen there. Names of a list that counts for every region
// are expected in each.
func CrossCheckRegions(regions []Region) Completeness {
	var out Completeness
	for _, r := range regions {
		c := CrossCheck(r.Inventory)
		out.Hosts = out.Hosts.and(c.Hosts)
		out.Services = out.Services.and(c.Services)
		out.Ignored = sortedUnion(out.Ignored, c.Ignored)
	}
	return out
}

func (c CrossChecked) and(o CrossChecked) CrossChecked {
	c.Lists, c.Unlisted = sortedUnion(c.Lists, o.Lists), sortedUnion(c.Unlisted, o.Unlisted)
	c.Expected, c.Seen = c.Expected+o.Expected, c.Seen+o.Seen
	c.Missing = append(slices.Clone(c.Missing), o.Missing...)
	slices.SortStableFunc(c.Missing, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.List, b.List), cmp.Compare(a.Where, b.Where))
	})
	return c
}
