package sbom

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Merge joins inventories into one. Images are the same if they share their manifest digest or the digest of their
// configuration; an index digest joins the one image that is known under it, and none if several platforms are. An image
// whose digest nobody saw joins the one whose digest is known under exactly its reference, unless two digests claim the
// reference or the configurations differ: sightings say what each source saw itself. A digest under which two
// configurations were seen is that of an index and joins nothing. Everything else is the same if its ID
// is. Sightings, aliases, hints and projects are united; of differing names and versions those of an artifact that was
// seen win over declared ones, then the smaller text. The order of the arguments does not matter, and nothing is dropped.
func Merge(inventories ...Inventory) Inventory {
	out := Inventory{Schema: InventorySchema}
	n := 0
	for _, inv := range inventories {
		n += len(inv.Artifacts)
	}
	all := make([]Artifact, 0, n)
	for _, inv := range inventories {
		all = append(all, inv.Artifacts...)
		out.Expected = append(out.Expected, inv.Expected...)
		out.Omitted = append(out.Omitted, inv.Omitted...)
		out.Attested = append(out.Attested, inv.Attested...)
		out.Repositories = append(out.Repositories, inv.Repositories...)
		out.Packages = append(out.Packages, inv.Packages...)
		out.Failures = append(out.Failures, inv.Failures...)
	}
	groups := identify(weighed(all))
	for _, group := range groups {
		out.Artifacts = append(out.Artifacts, join(group))
	}
	unique(out.Artifacts)
	out.follow(groups)
	slices.SortFunc(out.Artifacts, func(a, b Artifact) int { return cmp.Compare(a.ID, b.ID) })
	out.Expected = sortedSet(out.Expected, compareExpected)
	out.Omitted = sortedSet(out.Omitted, compareOmitted)
	out.Attested = sortedSet(out.Attested, compareAttested)
	out.Repositories = sortedSet(out.Repositories, compareRepositories)
	slices.SortStableFunc(out.Packages, func(a, b Packages) int { return cmp.Compare(a.Artifact, b.Artifact) })
	out.Failures = sortedSet(out.Failures, compareFailures)
	return out
}

// follow gives what is said about an artifact the ID that the artifact got; groups are in the order of out.Artifacts.
func (out *Inventory) follow(groups [][]Artifact) {
	if len(out.Attested)+len(out.Packages) == 0 {
		return
	}
	ids := map[string]string{}
	for i, group := range groups {
		for _, a := range group {
			ids[a.ID] = out.Artifacts[i].ID
		}
	}
	out.Attested, out.Packages = slices.Clone(out.Attested), slices.Clone(out.Packages)
	for i, a := range out.Attested {
		out.Attested[i].Artifact = cmp.Or(ids[a.Artifact], a.Artifact)
	}
	for i, p := range out.Packages {
		out.Packages[i].Artifact = cmp.Or(ids[p.Artifact], p.Artifact)
	}
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

// Recognise returns the inventory with each expected service marked by whether the catalogue knows it. Other names, such
// as options that are written like services, are not compared with what runs. The inventory given is not changed.
func Recognise(inv Inventory, known func(service string) bool) Inventory {
	out := inv
	out.Expected = slices.Clone(inv.Expected)
	for i, e := range out.Expected {
		out.Expected[i].Known = e.Kind == ExpectedService && known(e.Name)
	}
	return out
}

func placed(a Artifact, p Placement) Artifact {
	a.Area, a.Service = p.Area, p.Service
	a.Excluded = cmp.Or(p.Excluded, a.Excluded)
	a.Projects = sortedUnion(nil, p.Projects)
	a.Support = p.Support
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

// join folds the artifacts of one thing, the weightiest first, into a new value.
func join(group []Artifact) Artifact {
	group = manifestFirst(group)
	a := clone(group[0])
	aliases, digests := a.Aliases, a.Digests
	n := 0
	for _, b := range group {
		n += len(b.Sightings)
	}
	a.Sightings = slices.Grow(a.Sightings, n-len(a.Sightings))
	for _, b := range group[1:] {
		a.Name = cmp.Or(a.Name, b.Name)
		a.Reference = cmp.Or(a.Reference, b.Reference)
		a.Version = cmp.Or(a.Version, b.Version)
		a.Edition = cmp.Or(a.Edition, b.Edition)
		a.Config = cmp.Or(a.Config, b.Config)
		a.Platform = cmp.Or(a.Platform, b.Platform)
		a.Area = cmp.Or(a.Area, b.Area)
		a.Service = cmp.Or(a.Service, b.Service)
		a.Placed = cmp.Or(a.Placed, b.Placed)
		a.Excluded = cmp.Or(a.Excluded, b.Excluded)
		a.Unpinned = cmp.Or(a.Unpinned, b.Unpinned)
		a.Support = cmp.Or(a.Support, b.Support)
		a.HintRule = addHint(a.HintRule, b.HintRule)
		a.Tiers = sortTiers(append(a.Tiers, b.Tiers...))
		a.TierHint = sortTiers(append(a.TierHint, b.TierHint...))
		a.Projects = append(a.Projects, b.Projects...)
		aliases = append(append(aliases, b.Aliases...), b.Reference)
		digests = append(append(digests, b.Digests...), b.Digest)
		a.Labels = addLabels(a.Labels, b.Labels)
		a.Sightings = append(a.Sightings, b.Sightings...)
	}
	a.Projects = sortedUnion(a.Projects, nil)
	a.Aliases = without(sortedUnion(aliases, nil), a.Reference)
	a.Digests = without(sortedUnion(digests, nil), a.Digest)
	a.Sightings = sortedSet(a.Sightings, compareSightings)
	a.Unpinned = looselyNamed(a)
	a.ByName = slices.ContainsFunc(group, func(b Artifact) bool {
		return b.ByName || b.Kind == KindImage && b.Running() && b.Digest == "" && b.Config == ""
	})
	a.Replicas = replicas(a.Sightings)
	return a
}

// looselyNamed says why some place names the artifact by something that means another thing tomorrow. A digest that was
// seen pins what was judged, not what the next start will fetch; where no place names a reference, the digest counts.
func looselyNamed(a Artifact) string {
	if a.Kind != KindImage {
		return a.Unpinned
	}
	named, loose, last := false, "", ""
	for _, s := range a.Sightings {
		if s.Reference == "" || s.State == StatePresent || named && s.Reference == last {
			continue
		}
		ref, err := ParseReference(s.Reference)
		if err != nil {
			continue
		}
		named, last = true, s.Reference
		if why := ref.Unpinned(); why != "" && (loose == "" || why < loose) {
			loose = why
		}
	}
	switch {
	case named:
		return loose
	case a.Digest != "":
		return ""
	}
	return a.Unpinned
}

// replicas is the number of running copies that were seen for certain. Two kinds of sources that look at the same machines
// see the same copies: for each set of machines that places share, the kind that counts most of them is taken, and of one
// kind each place once. Places without a host may be anywhere and never add to what another kind counted.
func replicas(sightings []Sighting) int {
	machines, hosts := machineGroups(sightings)
	type at struct{ group, source string }
	type place struct{ at, host, namespace, workload, reference string }
	places := map[at]map[place]int{}
	for _, s := range sightings {
		if s.State != StateRunning {
			continue
		}
		spot, where := at{source: s.Source}, place{namespace: s.Namespace, workload: s.Workload, reference: s.Reference}
		if len(s.Hosts) == 0 {
			where.at = s.Where
		} else {
			spot.group, where.host = machines(s.Hosts[0]), hosts(s.Hosts)
		}
		if places[spot] == nil {
			places[spot] = map[place]int{}
		}
		places[spot][where] = max(places[spot][where], s.Replicas, 1)
	}
	perKind, perGroup := map[string]int{}, map[string]int{}
	for spot, counts := range places {
		sum := 0
		for _, n := range counts {
			sum += n
		}
		perKind[spot.source] += sum
		if spot.group != "" {
			perGroup[spot.group] = max(perGroup[spot.group], sum)
		}
	}
	most, sum := 0, 0
	for _, n := range perGroup {
		sum += n
	}
	for _, n := range perKind {
		most = max(most, n)
	}
	return max(most, sum)
}

// machineGroups joins the machines that one running place names together, because its copies cannot be told apart. The
// first function returns the group of a machine, the second a text for a set of machines.
func machineGroups(sightings []Sighting) (group func(string) string, set func([]string) string) {
	m := machineNames{}
	for _, s := range sightings {
		if s.State == StateRunning {
			m.add(s.Hosts...)
		}
	}
	parent := map[string]string{}
	root := func(name string) string {
		for parent[name] != "" {
			name = parent[name]
		}
		return name
	}
	for _, s := range sightings {
		if s.State != StateRunning || len(s.Hosts) < 2 {
			continue
		}
		for _, host := range s.Hosts[1:] {
			if a, b := root(m.key(s.Hosts[0])), root(m.key(host)); a != b {
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	set = func(names []string) string {
		keys := make([]string, len(names))
		for i, name := range names {
			keys[i] = m.key(name)
		}
		return strings.Join(sortedUnion(keys, nil), "\x00")
	}
	return func(name string) string { return root(m.key(name)) }, set
}

func addHint(a, b string) string {
	if a == b || b == "" {
		return a
	}
	return strings.Join(sortedUnion(split(a), split(b)), ", ")
}

func addLabels(to, from map[string]string) map[string]string {
	for k, v := range from {
		if to == nil {
			to = map[string]string{}
		}
		if _, ok := to[k]; !ok {
			to[k] = v
		}
	}
	return to
}

func clone(a Artifact) Artifact {
	a.Tiers = slices.Clone(a.Tiers)
	a.TierHint = slices.Clone(a.TierHint)
	a.Projects = slices.Clone(a.Projects)
	a.Aliases = slices.Clone(a.Aliases)
	a.Digests = slices.Clone(a.Digests)
	a.Labels = maps.Clone(a.Labels)
	a.Sightings = slices.Clone(a.Sightings)
	return a
}

// weighed puts artifacts with a digest first, then those whose configuration was read, seen ones before declared ones,
// and then orders by content.
func weighed(all []Artifact) []Artifact {
	type weight struct {
		artifact *Artifact
		rank     int
	}
	list := make([]weight, len(all))
	for i := range all {
		a := &all[i]
		list[i] = weight{a, 4*flag(a.Digest == "", false) + 2*flag(a.Config == "", false) + flag(!a.Seen(), false)}
	}
	slices.SortFunc(list, func(a, b weight) int {
		if order := cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.artifact.ID, b.artifact.ID)); order != 0 {
			return order
		}
		return compareArtifacts(a.artifact, b.artifact)
	})
	out := make([]Artifact, len(all))
	for i, w := range list {
		out[i] = *w.artifact
	}
	return out
}

func compareArtifacts(a, b *Artifact) int {
	if order := cmp.Or(
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Edition, b.Edition), cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Config, b.Config), slices.Compare(a.Digests, b.Digests),
		cmp.Compare(a.Unpinned, b.Unpinned), slices.Compare(a.Tiers, b.Tiers), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.Placed, b.Placed), cmp.Compare(a.Excluded, b.Excluded), slices.Compare(a.Projects, b.Projects)); order != 0 {
		return order
	}
	return cmp.Or(
		slices.Compare(a.TierHint, b.TierHint), cmp.Compare(a.HintRule, b.HintRule), slices.Compare(a.Aliases, b.Aliases),
		cmp.Compare(a.Platform, b.Platform), flag(a.ByName, b.ByName), compareLabels(a.Labels, b.Labels), compareSupport(a.Support, b.Support),
		slices.CompareFunc(a.Sightings, b.Sightings, compareSightings))
}

func compareSupport(a, b *Support) int {
	if a == nil || b == nil {
		return flag(a == nil, b == nil)
	}
	return cmp.Or(cmp.Compare(a.Cycle, b.Cycle), cmp.Compare(a.Ends, b.Ends), cmp.Compare(a.Source, b.Source))
}

func compareLabels(a, b map[string]string) int {
	if len(a)+len(b) == 0 {
		return 0
	}
	flat := func(m map[string]string) (out []string) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, k, m[k])
		}
		return out
	}
	return slices.Compare(flat(a), flat(b))
}

func compareSightings(a, b Sighting) int {
	if order := cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Where, b.Where)); order != 0 {
		return order
	}
	return cmp.Or(
		cmp.Compare(a.State, b.State), flag(a.Declared, b.Declared), slices.Compare(a.Hosts, b.Hosts), cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Digest, b.Digest),
		cmp.Compare(a.Replicas, b.Replicas), cmp.Compare(a.Region, b.Region), compareOrigins(a.Origin, b.Origin))
}

func compareOrigins(a, b audit.Origin) int {
	return cmp.Or(
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.URL, b.URL), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.Path, b.Path),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Digest, b.Digest), a.At.Compare(b.At))
}

func compareFailures(a, b Failure) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Settle, b.Settle), cmp.Compare(a.Region, b.Region), compareOrigins(a.Origin, b.Origin))
}

func compareAttested(a, b Attested) int {
	return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Format, b.Format), cmp.Compare(a.Components, b.Components),
		compareOrigins(a.Origin, b.Origin), slices.Compare(a.PURLs, b.PURLs))
}

func compareRepositories(a, b Repository) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Suite, b.Suite),
		slices.Compare(a.Areas, b.Areas), cmp.Compare(a.Vendor, b.Vendor), compareOrigins(a.Origin, b.Origin))
}

func compareExpected(a, b Expected) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.List, b.List), cmp.Compare(a.Where, b.Where),
		slices.Compare(a.Groups, b.Groups), flag(a.Self, b.Self), flag(a.Known, b.Known), cmp.Compare(a.Region, b.Region), compareOrigins(a.Origin, b.Origin))
}

func compareOmitted(a, b Omission) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Count, b.Count), cmp.Compare(a.Region, b.Region))
}

// sortedSet sorts and drops what stands twice.
func sortedSet[T any](list []T, compare func(a, b T) int) []T {
	slices.SortFunc(list, compare)
	return slices.CompactFunc(list, func(a, b T) bool { return compare(a, b) == 0 })
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

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ", ")
}

// sortedUnion returns the texts of both lists, sorted, each once and none empty; nil if there are none.
func sortedUnion[S ~string](a, b []S) []S {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	out = slices.DeleteFunc(slices.Compact(out), func(s S) bool { return s == "" })
	if len(out) == 0 {
		return nil
	}
	return out
}

func without[S ~string](list []S, one S) []S {
	out := slices.DeleteFunc(list, func(s S) bool { return s == one })
	if len(out) == 0 {
		return nil
	}
	return out
}
