package sbom

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Merge joins inventories into one. The same digest is one artifact, as is the same ID; an artifact known only by its
// reference joins the one whose digest is known under exactly that reference, unless two digests claim the reference.
// Sightings, aliases, hints and projects are united; of differing names and versions those of an artifact that was seen
// win over declared ones, then the smaller text. The order of the arguments does not matter, and nothing is dropped.
func Merge(inventories ...Inventory) Inventory {
	out := Inventory{Schema: InventorySchema}
	var all []Artifact
	for _, inv := range inventories {
		all = append(all, inv.Artifacts...)
		out.Failures = append(out.Failures, inv.Failures...)
	}
	slices.SortFunc(all, byWeight)
	groups := map[string][]Artifact{}
	holder := holders(all)
	for _, a := range all {
		key := identity(a, holder)
		groups[key] = append(groups[key], a)
	}
	for _, group := range groups {
		out.Artifacts = append(out.Artifacts, join(group))
	}
	slices.SortFunc(out.Artifacts, func(a, b Artifact) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(out.Failures, func(a, b Failure) int { return cmp.Compare(text(a), text(b)) })
	out.Failures = slices.CompactFunc(out.Failures, func(a, b Failure) bool { return text(a) == text(b) })
	return out
}

// Place returns the inventory with tier, area, service and projects as place decides for each artifact. What the source
// knows about the tier (TierHint) wins over a rule of the catalogue, and the operator's word (Placement.Assigned) over
// both; Placed says which it was. The inventory given is not changed.
func Place(inv Inventory, place func(Artifact) Placement) Inventory {
	out := inv
	out.Artifacts = make([]Artifact, len(inv.Artifacts))
	for i, a := range inv.Artifacts {
		out.Artifacts[i] = placed(a, place(a))
	}
	return out
}

func placed(a Artifact, p Placement) Artifact {
	a.Area, a.Service = p.Area, p.Service
	a.Excluded = cmp.Or(p.Excluded, a.Excluded)
	a.Projects = sortedUnion(nil, p.Projects)
	a.Tiers, a.Placed = sortTiers(p.Tiers), p.Rule
	if len(a.TierHint) > 0 && (!p.Assigned || len(p.Tiers) == 0) {
		a.Tiers = sortTiers(a.TierHint)
		rules := slices.DeleteFunc([]string{a.HintRule, p.Rule}, func(s string) bool { return s == "" })
		a.Placed = strings.Join(rules, "; ")
	}
	return a
}

// sortTiers returns the tiers, each once, in the order of every report; others follow by name.
func sortTiers(tiers []string) []string {
	out := sortedUnion(nil, tiers)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(tierRank(a), tierRank(b)) })
	return out
}

func tierRank(tier string) int {
	switch tier {
	case "functional":
		return 0
	case "iam":
		return 1
	case "ops":
		return 2
	case "base":
		return 3
	}
	return 4
}

// holders maps each reference to the one digest it was found with, or to the empty digest if two claim it.
func holders(all []Artifact) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		if a.Digest == "" || a.Kind != KindImage {
			continue
		}
		for _, ref := range append([]string{a.Reference}, a.Aliases...) {
			if known, ok := out[ref]; ok && known != string(a.Digest) {
				out[ref] = ""
			} else if ref != "" {
				out[ref] = string(a.Digest)
			}
		}
	}
	return out
}

func identity(a Artifact, holder map[string]string) string {
	if a.Digest != "" {
		return a.Kind + ":" + string(a.Digest)
	}
	if digest := holder[a.Reference]; digest != "" && a.Kind == KindImage {
		return a.Kind + ":" + digest
	}
	return a.Kind + " " + a.ID
}

// join folds the artifacts of one thing, the weightiest first, into a new value.
func join(group []Artifact) Artifact {
	a := clone(group[0])
	for _, b := range group[1:] {
		a.Name = cmp.Or(a.Name, b.Name)
		a.Reference = cmp.Or(a.Reference, b.Reference)
		a.Version = cmp.Or(a.Version, b.Version)
		a.Edition = cmp.Or(a.Edition, b.Edition)
		a.Platform = cmp.Or(a.Platform, b.Platform)
		a.Area = cmp.Or(a.Area, b.Area)
		a.Service = cmp.Or(a.Service, b.Service)
		a.Placed = cmp.Or(a.Placed, b.Placed)
		a.Excluded = cmp.Or(a.Excluded, b.Excluded)
		a.HintRule = strings.Join(sortedUnion(split(a.HintRule), split(b.HintRule)), ", ")
		a.Tiers = sortTiers(append(a.Tiers, b.Tiers...))
		a.TierHint = sortTiers(append(a.TierHint, b.TierHint...))
		a.Projects = sortedUnion(a.Projects, b.Projects)
		a.Aliases = sortedUnion(a.Aliases, append(slices.Clone(b.Aliases), b.Reference))
		for k, v := range b.Labels {
			if a.Labels == nil {
				a.Labels = map[string]string{}
			}
			if _, ok := a.Labels[k]; !ok {
				a.Labels[k] = v
			}
		}
		a.Sightings = append(a.Sightings, b.Sightings...)
	}
	a.Aliases = slices.DeleteFunc(a.Aliases, func(s string) bool { return s == "" || s == a.Reference })
	if len(a.Aliases) == 0 {
		a.Aliases = nil
	}
	if a.Digest != "" {
		a.Unpinned = ""
	}
	slices.SortFunc(a.Sightings, func(x, y Sighting) int { return cmp.Compare(text(x), text(y)) })
	a.Sightings = slices.CompactFunc(a.Sightings, func(x, y Sighting) bool { return text(x) == text(y) })
	return a
}

func clone(a Artifact) Artifact {
	a.Tiers = slices.Clone(a.Tiers)
	a.TierHint = slices.Clone(a.TierHint)
	a.Projects = slices.Clone(a.Projects)
	a.Aliases = slices.Clone(a.Aliases)
	a.Labels = maps.Clone(a.Labels)
	a.Sightings = slices.Clone(a.Sightings)
	return a
}

// byWeight puts artifacts with a digest first, seen ones before declared ones, and then orders by content.
func byWeight(a, b Artifact) int {
	if c := cmp.Or(flag(a.Digest == "", b.Digest == ""), flag(!a.Seen(), !b.Seen()), cmp.Compare(a.ID, b.ID)); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(text(a), text(b)), slices.Compare(a.TierHint, b.TierHint), cmp.Compare(a.HintRule, b.HintRule))
}

func flag(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// text is the canonical text of a value that holds only strings, numbers and times, to order by.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ", ")
}

func sortedUnion(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	out = slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
	if len(out) == 0 {
		return nil
	}
	return out
}
