package sbom

import (
	"cmp"
	"crypto/sha256"
	"net/netip"
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
	Lists    []string  `json:"lists,omitempty"` // kinds of lists that were given, sorted; not those of a source about itself
	Expected int       `json:"expected"`        // distinct names
	Seen     int       `json:"seen"`            // of these with something seen there
	Missing  []Missing `json:"missing,omitempty"`
	// Unlisted are names that were seen and that no list names: the lists do not cover the whole. Of hosts only; sorted.
	Unlisted []string `json:"unlisted,omitempty"`
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
	var hosts, services []Expected
	for _, e := range inv.Expected {
		switch {
		case e.Kind == ExpectedHost:
			hosts = append(hosts, e)
		case e.Kind != ExpectedService || slices.Contains(e.Groups, "disabled"):
		case e.Known:
			services = append(services, e)
		default:
			out.Ignored = append(out.Ignored, e.Name)
		}
	}
	out.Ignored = sortedUnion(out.Ignored, nil)
	out.Hosts = crossCheckHosts(inv, func(_ Artifact, s Sighting) bool { return !s.Declared })
	if len(services) > 0 {
		served := newServices(inv, func(a Artifact) bool { return a.Excluded == "" && a.Seen() })
		out.Services = crossCheck(services, serviceKey, func(key string) bool { return len(served[key]) > 0 })
	}
	return out
}

// crossCheckHosts compares the hosts of the lists with those of the sightings that count.
func crossCheckHosts(inv Inventory, counts func(Artifact, Sighting) bool) CrossChecked {
	var expected []Expected
	machines := machineNames{}
	for _, e := range inv.Expected {
		if e.Kind == ExpectedHost {
			expected = append(expected, e)
			machines.add(e.Name)
		}
	}
	if len(expected) == 0 {
		return CrossChecked{}
	}
	var names []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			if counts(a, s) {
				names = append(names, s.Hosts...)
			}
		}
	}
	machines.add(names...)
	seen := map[string]bool{}
	for _, name := range names {
		seen[machines.key(name)] = true
	}
	out := crossCheck(expected, machines.key, func(key string) bool { return seen[key] })
	if len(out.Lists) == 0 {
		return out
	}
	listed := map[string]bool{}
	for _, e := range expected {
		listed[machines.key(e.Name)] = listed[machines.key(e.Name)] || !e.Self
	}
	for _, name := range names {
		if !listed[machines.key(name)] {
			out.Unlisted = append(out.Unlisted, name)
		}
	}
	out.Unlisted = sortedUnion(out.Unlisted, nil)
	return out
}

// crossCheck counts the names of lists, each key once, and those that were seen.
func crossCheck(expected []Expected, key func(name string) string, seen func(key string) bool) CrossChecked {
	var out CrossChecked
	known := map[string]bool{}
	for _, e := range expected {
		if !e.Self {
			out.Lists = append(out.Lists, e.List)
		}
		k := key(e.Name)
		found := seen(k)
		if !known[k] {
			known[k] = true
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
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.List, b.List), cmp.Compare(a.Where, b.Where),
			slices.Compare(a.Groups, b.Groups), compareOrigins(a.Origin, b.Origin))
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

// machineNames tells which names mean the same machine: a short name and a full one, where the short name stands for one
// machine only. It holds, for each first label, the full name that begins with it, or none if several do.
type machineNames map[string]string

func (m machineNames) add(names ...string) {
	for _, name := range names {
		key := hostKey(name)
		short, domain := shortName(key)
		if !domain {
			continue
		}
		if full, ok := m[short]; !ok {
			m[short] = key
		} else if full != key {
			m[short] = ""
		}
	}
}

// key is the name under which a machine is compared.
func (m machineNames) key(name string) string {
	key := hostKey(name)
	if _, domain := shortName(key); !domain && m[key] != "" {
		return m[key]
	}
	return key
}

// shortName is the first label of a name that has a domain; an address has none.
func shortName(key string) (short string, domain bool) {
	short, _, domain = strings.Cut(key, ".")
	if _, err := netip.ParseAddr(key); err == nil {
		return key, false
	}
	return short, domain
}

// newServices maps each name of a service to the artifacts, by their place in the inventory, that belong to it as Serves
// says.
func newServices(inv Inventory, counts func(Artifact) bool) map[string][]int {
	out := map[string][]int{}
	for i, a := range inv.Artifacts {
		if !counts(a) {
			continue
		}
		for _, name := range serviceNames(a) {
			for end, c := range name + "-" {
				if key := name[:end]; c == '-' && end > 0 && (len(out[key]) == 0 || out[key][len(out[key])-1] != i) {
					out[key] = append(out[key], i)
				}
			}
		}
	}
	return out
}

// Serves reports whether an artifact belongs to a service of a list: its service, one of its projects, or its name is
// that of the service, or begins with it and a dash (neutron, neutron-server). Underscores count as dashes.
func Serves(a Artifact, service string) bool {
	want := serviceKey(service)
	return want != "" && slices.ContainsFunc(serviceNames(a), func(name string) bool {
		return name == want || strings.HasPrefix(name, want+"-")
	})
}

// serviceNames are the service, the name and the projects of an artifact, as services are compared.
func serviceNames(a Artifact) []string {
	out := []string{serviceKey(a.Service), serviceKey(a.Name)}
	for _, p := range a.Projects {
		out = append(out, serviceKey(p))
	}
	return out
}

// HostNames returns every host of an inventory, those of lists and those that were seen, sorted, in lower case, each
// machine once: a short name gives way to the one full name that begins with it.
func HostNames(inv Inventory) []string {
	var names []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			names = append(names, s.Hosts...)
		}
	}
	for _, e := range inv.Expected {
		if e.Kind == ExpectedHost {
			names = append(names, e.Name)
		}
	}
	machines := machineNames{}
	machines.add(names...)
	for i, name := range names {
		names[i] = machines.key(name)
	}
	return sortedUnion(names, nil)
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
