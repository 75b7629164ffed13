package sbom

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Completeness compares an inventory with lists that were made for another purpose: what they name and the inventory
// lacks was not seen.
type Completeness struct {
	Hosts    CrossChecked `json:"hosts"`
	Services CrossChecked `json:"services"`
	// Ignored are names of lists that are no services of the catalogue, such as options written like services; sorted.
	Ignored []string `json:"ignored,omitempty"`
}

// CrossChecked is one kind of names. The zero value: no list was given, so nobody can say whether anything is missing.
type CrossChecked struct {
	Lists    []string  `json:"lists,omitempty"` // kinds of lists that were given, sorted
	Expected int       `json:"expected"`        // distinct names
	Seen     int       `json:"seen"`            // of these with something seen there
	Missing  []Missing `json:"missing,omitempty"`
}

// Missing is a name of a list that nothing was seen of.
type Missing struct {
	Name   string       `json:"name"`
	List   string       `json:"list"`
	Where  string       `json:"where"`
	Groups []string     `json:"groups,omitempty"`
	Origin audit.Origin `json:"origin,omitzero"`
}

// CrossCheck compares hosts and services of the lists in an inventory with what was seen. A host counts as seen if a
// source saw something run or lie there; that a list names it is not enough. Services that a list calls disabled are not
// expected, nor are names that the catalogue does not know (Recognise).
func CrossCheck(inv Inventory) Completeness {
	var out Completeness
	hosts := hostsSeen(inv)
	out.Hosts = crossCheck(inv, ExpectedHost, hostKey, func(e Expected) bool { return hosts.has(e.Name) })
	var services Inventory
	for _, e := range inv.Expected {
		switch {
		case e.Kind != ExpectedService || slices.Contains(e.Groups, "disabled"):
		case e.Known:
			services.Expected = append(services.Expected, e)
		default:
			out.Ignored = append(out.Ignored, e.Name)
		}
	}
	out.Ignored = sortedUnion(out.Ignored, nil)
	served := map[string]bool{}
	out.Services = crossCheck(services, ExpectedService, serviceKey, func(e Expected) bool {
		key := serviceKey(e.Name)
		seen, asked := served[key]
		if !asked {
			seen = slices.ContainsFunc(inv.Artifacts, func(a Artifact) bool { return a.Excluded == "" && a.Seen() && Serves(a, e.Name) })
			served[key] = seen
		}
		return seen
	})
	return out
}

func crossCheck(inv Inventory, kind string, key func(string) string, seen func(Expected) bool) CrossChecked {
	var out CrossChecked
	names := map[string]bool{}
	for _, e := range inv.Expected {
		if e.Kind != kind {
			continue
		}
		out.Lists = append(out.Lists, e.List)
		found := seen(e)
		if k := key(e.Name); !names[k] {
			names[k] = true
			out.Expected++
			if found {
				out.Seen++
			}
		}
		if !found {
			out.Missing = append(out.Missing, Missing{Name: e.Name, List: e.List, Where: e.Where, Groups: e.Groups, Origin: e.Origin})
		}
	}
	out.Lists = sortedUnion(out.Lists, nil)
	out.Missing = sortedSet(out.Missing, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.List, b.List), cmp.Compare(a.Where, b.Where), compareOrigins(a.Origin, b.Origin))
	})
	return out
}

// MissingNames are the distinct names that are missing, sorted.
func (c CrossChecked) MissingNames() []string {
	var out []string
	for _, m := range c.Missing {
		out = append(out, m.Name)
	}
	return sortedUnion(out, nil)
}

// hostKey is a host name as it is compared: in lower case, without a final dot.
func hostKey(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

func serviceKey(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// hostNames are machines on which something was seen. A short name and a full one mean the same machine where only one of
// them has a domain, and the short name stands for one machine only.
type hostNames struct {
	full  map[string]bool
	short map[string]int // first labels of full names, and how many machines share them
}

func hostsSeen(inv Inventory) hostNames {
	h := hostNames{full: map[string]bool{}, short: map[string]int{}}
	add := func(name string) {
		key := hostKey(name)
		if key == "" || h.full[key] {
			return
		}
		h.full[key] = true
		if first, _, ok := strings.Cut(key, "."); ok {
			h.short[first]++
		}
	}
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			if !s.Declared {
				for _, name := range s.Hosts {
					add(name)
				}
			}
		}
	}
	return h
}

func (h hostNames) has(name string) bool {
	key := hostKey(name)
	if h.full[key] {
		return true
	}
	first, _, hasDomain := strings.Cut(key, ".")
	if hasDomain {
		return h.full[first]
	}
	return h.short[first] == 1
}

// HostNames returns every host of an inventory, those of lists and those that were seen, sorted, each once.
func HostNames(inv Inventory) []string {
	var out []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			out = append(out, s.Hosts...)
		}
	}
	for _, e := range inv.Expected {
		if e.Kind == ExpectedHost {
			out = append(out, e.Name)
		}
	}
	return sortedUnion(out, nil)
}

// Sample draws n of the names by a seed that somebody else chose, an auditor for instance: those whose SHA-256 of seed,
// line feed and name is smallest, in that order. Anybody who knows seed and names draws the same sample, and nobody can
// know it before the seed.
func Sample(names []string, seed string, n int) []string {
	type drawn struct {
		name string
		rank [sha256.Size]byte
	}
	var list []drawn
	for _, name := range sortedUnion(names, nil) {
		list = append(list, drawn{name, sha256.Sum256([]byte(seed + "\n" + name))})
	}
	slices.SortFunc(list, func(a, b drawn) int { return slices.Compare(a.rank[:], b.rank[:]) })
	var out []string
	for _, d := range list[:min(max(n, 0), len(list))] {
		out = append(out, d.name)
	}
	return out
}
