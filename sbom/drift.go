package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Kinds of drift: how what runs differs from what was declared to run.
const (
	DriftNotRunning  = "not-running"  // declared and not seen running
	DriftNotDeclared = "not-declared" // running, and nothing declares it
	DriftContents    = "contents"     // the same name and version, other contents
	DriftTagMoved    = "tag-moved"    // exactly the same reference names other contents than declared, or other contents in two places
	DriftVersion     = "version"      // another version than declared, not older or not comparable
	DriftOlder       = "older"        // an older version than declared
	DriftUnpinned    = "unpinned"     // named by something that means another thing tomorrow: latest, a branch
	DriftEndOfLife   = "end-of-life"  // its upstream no longer maintains the version
)

// Drift is one difference between intent and fact, with both sides.
type Drift struct {
	Kind     string   `json:"kind"`
	Artifact string   `json:"artifact"` // id of the artifact that it is about: what runs, else what was declared
	Name     string   `json:"name"`
	Tiers    []string `json:"tiers,omitempty"`
	Regions  []string `json:"regions,omitempty"` // where it differs, sorted; none: everywhere
	Detail   string   `json:"detail"`            // one sentence for people
	// Open says why the difference is not certain, e.g. that some hosts were not read; empty if it is.
	Open     string `json:"open,omitempty"`
	Declared *Side  `json:"declared,omitempty"` // nil: nothing declares it
	Running  *Side  `json:"running,omitempty"`  // nil: it was not seen running
}

// Side is what one half of the comparison says, and where.
type Side struct {
	Artifact  string         `json:"artifact,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Version   string         `json:"version,omitempty"`
	Digest    audit.Digest   `json:"digest,omitempty"`
	Where     []string       `json:"where"` // at most mostPlaces
	Origins   []audit.Origin `json:"origins,omitempty"`
}

// mostPlaces bounds the places that one side names; the artifact has them all.
const mostPlaces = 5

// Comparison is the result of Compare.
type Comparison struct {
	Drift []Drift `json:"drift"` // sorted by kind, name and artifact
	// Undecided says why intent and fact could not be compared at all: nothing was seen running, or nothing declares what
	// shall run. Empty if both halves are there.
	Undecided string `json:"undecided,omitempty"`
}

// Compare holds intent against fact in a placed inventory: what sources declare, against what sources saw running. An
// artifact is as declared if some intent source names the same contents, or, where one side knows no digest, the same path
// and tag (the registry may be a mirror, and put a path in front). Images that share no more than the last part of their
// names are one only if the catalogue knows both as one project. A release or chart offers more than shall run, so that what
// it offers and does not run is an open difference, not a certain one; a switch of a configuration says that a service
// shall run. That something does not run is certain only if a list of hosts was given and containers of each were read.
// Ends of maintenance are judged on the day of at. The order of artifacts and lists does not matter.
func Compare(inv Inventory, at time.Time) Comparison {
	c := comparer{inv: inv, today: at.UTC().Format(time.DateOnly), parsed: map[string]Reference{},
		running: newIndex(len(inv.Artifacts)), intended: newIndex(len(inv.Artifacts)), stood: map[int]bool{}, projects: map[string]bool{}, software: map[string]string{}}
	c.gather()
	c.settings()
	c.differences()
	c.switched()
	c.moved()
	for _, a := range inv.Artifacts {
		if a.Excluded == "" {
			c.loose(a)
			c.aged(a)
		}
	}
	slices.SortFunc(c.out.Drift, func(a, b Drift) int { return compareDrift(&a, &b) })
	return c.out
}

func compareDrift(a, b *Drift) int {
	if order := cmp.Or(cmp.Compare(driftRank(a.Kind), driftRank(b.Kind)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Artifact, b.Artifact)); order != 0 {
		return order
	}
	return cmp.Or(cmp.Compare(a.Detail, b.Detail), cmp.Compare(a.Open, b.Open), compareSides(a.Declared, b.Declared), compareSides(a.Running, b.Running))
}

func compareSides(a, b *Side) int {
	if a == nil || b == nil {
		return flag(a == nil, b == nil)
	}
	return cmp.Or(cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.Digest, b.Digest),
		slices.Compare(a.Where, b.Where), slices.CompareFunc(a.Origins, b.Origins, compareOrigins))
}

// Intended reports whether an intent source names it.
func (a Artifact) Intended() bool { return slices.ContainsFunc(a.Sightings, declares) }

func driftRank(kind string) int {
	return slices.Index([]string{DriftTagMoved, DriftContents, DriftOlder, DriftVersion, DriftNotDeclared, DriftNotRunning, DriftUnpinned, DriftEndOfLife}, kind)
}

type comparer struct {
	inv      Inventory
	today    string
	parsed   map[string]Reference
	running  *index
	intended *index
	stood    map[int]bool      // places in intended for which something else runs that a row names
	projects map[string]bool   // projects and names of what runs
	software map[string]string // projects and names of declared software, to one of them
	switches []switched        // sorted by name
	images   bool              // some source declares images
	unread   []string          // why something may run that nobody saw
	unlisted string            // why something may be declared that nobody read
	out      Comparison
}

// switched is a service that configurations turn on or off.
type switched struct {
	key, name string
	on, off   []Expected
}

func (c *comparer) at(i int) Artifact { return c.inv.Artifacts[i] }

// gather sorts what is compared into the two halves, in the order of IDs.
func (c *comparer) gather() {
	var places []int
	for i, a := range c.inv.Artifacts {
		if a.Excluded == "" && (a.Kind == KindImage || a.Kind == KindSoftware) {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(i, j int) int {
		if order := cmp.Compare(c.inv.Artifacts[i].ID, c.inv.Artifacts[j].ID); order != 0 {
			return order
		}
		return compareArtifacts(&c.inv.Artifacts[i], &c.inv.Artifacts[j])
	})
	for _, i := range places {
		a := c.at(i)
		if a.Running() {
			c.add(c.running, c.halfOf(i, runs))
			for _, p := range a.Projects {
				c.projects[p] = true
			}
			c.projects[a.Name] = true
		}
		if !a.Intended() {
			continue
		}
		c.add(c.intended, c.halfOf(i, declares))
		c.images = c.images || a.Kind == KindImage
		if a.Kind == KindSoftware && deployable(a) {
			for _, name := range append([]string{a.Name}, a.Projects...) {
				c.software[name] = cmp.Or(c.software[name], described(a))
			}
		}
	}
}

// settings reads what the lists and failures of the inventory say about how much is known.
func (c *comparer) settings() {
	hosts := crossCheckHosts(c.inv, func(a Artifact, s Sighting) bool {
		return a.Kind == KindImage && (s.State == StateRunning || s.State == StateStopped)
	})
	switch missing := hosts.Expected - hosts.Seen; {
	case len(hosts.Lists) == 0:
		c.unread = append(c.unread, "no list of hosts tells whether each was read")
	case missing > 0:
		c.unread = append(c.unread, fmt.Sprintf("on %s no container was seen", counted(missing, "expected host", "expected hosts")))
	}
	const unreadable = "not every source could be read"
	for _, f := range c.inv.Failures {
		switch kind, _, _ := strings.Cut(f.Source, " "); kind {
		case "osism", "scs-release", "configuration", "kolla", "chart", "cluster-stack": // these declare
			c.unlisted = unreadable
		case "containers", "ceph", "host": // these see
			if !slices.Contains(c.unread, unreadable) {
				c.unread = append(c.unread, unreadable)
			}
		default: // kubernetes, helm and inventory files hold both, and of others nobody knows
			c.unlisted = unreadable
			if !slices.Contains(c.unread, unreadable) {
				c.unread = append(c.unread, unreadable)
			}
		}
	}
	byKey := map[string]*switched{}
	for _, e := range c.inv.Expected {
		on, off := slices.Contains(e.Groups, "enabled"), slices.Contains(e.Groups, "disabled")
		if e.Kind != ExpectedService || !e.Known || on == off {
			continue
		}
		k := serviceKey(e.Name)
		if byKey[k] == nil {
			byKey[k] = &switched{key: k, name: e.Name}
		}
		byKey[k].name = min(byKey[k].name, e.Name)
		if on {
			byKey[k].on = append(byKey[k].on, e)
		} else {
			byKey[k].off = append(byKey[k].off, e)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		c.switches = append(c.switches, *byKey[k])
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func because(reasons ...string) string {
	return strings.Join(slices.DeleteFunc(reasons, func(s string) bool { return s == "" }), "; ")
}

func (c *comparer) row(kind string, about Artifact, declared, running *Side, open, format string, args ...any) {
	c.out.Drift = append(c.out.Drift, Drift{Kind: kind, Artifact: about.ID, Name: about.Name, Tiers: about.Tiers, Open: open,
		Detail: fmt.Sprintf(format, args...), Declared: declared, Running: running})
}

// differences lists what differs between the halves.
func (c *comparer) differences() {
	running, intended := slices.ContainsFunc(c.running.halves, c.tellsOfServices), len(c.intended.halves) > 0
	switches := slices.ContainsFunc(c.switches, func(s switched) bool { return len(s.on) > 0 })
	switch {
	case !running && !intended && !switches:
		c.out.Undecided = "no container, pod or service was seen running and nothing declares what shall run"
	case !running:
		c.out.Undecided = "no container, pod or service was seen running: add a source that sees the running stack, e.g. containers: or kubernetes:"
	case !intended && !switches:
		c.out.Undecided = "nothing declares what shall run: add a source of intent, e.g. osism:, configuration: or cluster-stack:"
	default:
		for _, h := range c.running.halves {
			c.runs(h)
		}
		for n, h := range c.intended.halves {
			c.rests(n, h)
		}
	}
}

// tellsOfServices reports whether something that runs shows that services were looked at: a kernel alone, which every host
// has, does not.
func (c *comparer) tellsOfServices(h half) bool {
	a := c.at(h.place)
	return a.Kind == KindImage || slices.ContainsFunc(a.Sightings, func(s Sighting) bool {
		return s.State == StateRunning && s.Source != "host" && s.Source != "inventory"
	})
}

// runs judges what runs.
func (c *comparer) runs(h half) {
	a := c.at(h.place)
	keys := h.lookupKeys(a)
	relatives := c.intended.relatives(a)
	if c.renamed(h, relatives) || c.sameTag(h, keys, relatives) || a.Intended() || len(relatives) > 0 {
		return
	}
	g, version := c.counterpart(a, keys)
	if g == nil {
		c.undeclared(a, h)
		return
	}
	c.stood[g.best] = true
	open := ""
	if g.several && !version {
		open = "several versions of it are declared"
	}
	c.versions(h, c.intended.halves[g.best], g.unknown, open)
}

// renamed judges whether what runs under a reference has other contents than were declared under exactly that reference.
func (c *comparer) renamed(h half, relatives []int) bool {
	found := false
	for _, ref := range h.references {
		g := c.intended.named[ref]
		if g == nil || len(h.digests) == 0 || slices.ContainsFunc(relatives, g.has) {
			continue
		}
		if g.known < 0 {
			continue
		}
		open := ""
		if g.unknown {
			open = "the same reference is declared without a digest too"
		}
		c.contents(DriftTagMoved, h, c.intended.halves[g.known], open, "%s runs with other contents than were declared under the same name")
		g.stood, found = true, true
	}
	return found
}

// sameTag judges what runs under the name and tag of a declared image, perhaps in another registry or below the path of a
// mirror. Without both digests nothing can be said, and then it counts as declared.
func (c *comparer) sameTag(h half, keys []key, relatives []int) bool {
	first, found, unknown := -1, false, len(h.digests) == 0
	tags := h.tagsOf(c.at(h.place), half.lookupKeys)
	for _, k := range keys {
		for _, tag := range tags(k) {
			g := c.intended.tagged(k, tag)
			if g == nil {
				continue
			}
			if slices.ContainsFunc(relatives, g.has) {
				return true
			}
			unknown = unknown || g.unknown
			if !found {
				first, found = g.members[0], true
			}
		}
	}
	if !found || unknown {
		return found
	}
	c.stood[first] = true
	c.contents(DriftContents, h, c.intended.halves[first], "", "%s runs in the declared version with other contents; it comes from another place or was built again")
	return true
}

// contents adds a row about two images with different digests.
func (c *comparer) contents(kind string, running, declared half, open, format string) {
	a, d := c.at(running.place), c.at(declared.place)
	if a.Platform != "" && d.Platform != "" && a.Platform != d.Platform {
		open = because(open, "the images are for different platforms: "+a.Platform+" and "+d.Platform)
	}
	c.row(kind, a, c.side(declared, declares), c.side(running, runs), open, format, described(a))
}

// counterpart finds the declared artifacts that a running one stands for: of the same version, which it reports, else by
// the strictest name; nil if there are none.
func (c *comparer) counterpart(a Artifact, keys []key) (g *group, version bool) {
	if a.Version != "" {
		for _, k := range keys {
			if g := c.intended.versioned(k, a.Version); g != nil {
				return g, true
			}
		}
	}
	for _, k := range keys {
		if g := c.intended.groups[k]; g != nil {
			return g, false
		}
	}
	return nil, false
}

// versions judges what runs under another tag than its declared counterpart. unknown says that the digest of some
// declaration with the same right is not known.
func (c *comparer) versions(running, declared half, unknown bool, open string) {
	a, d := c.at(running.place), c.at(declared.place)
	row := func(kind, open, format string, args ...any) {
		c.row(kind, a, c.side(declared, declares), c.side(running, runs), open, format, args...)
	}
	if a.Kind == KindSoftware && chart(a) != chart(d) {
		open = because(open, "one side is the version of a chart, the other that of what it brings")
	}
	if a.Kind == KindSoftware && ofOtherClusters(d) {
		open = because(open, "objects of Cluster API declare it for the clusters that they name, and whether this is one of them is not known")
	}
	unknown = unknown || len(running.digests) == 0
	x, y := versionOf(a), versionOf(d)
	order, known := compareVersions(x, y)
	switch {
	case (x == "" || y == "") && described(a) != described(d):
		row(DriftVersion, because(open, "one side names no version", a.Unpinned, d.Unpinned), "%s runs; %s was declared", described(a), described(d))
	case x == "" || y == "":
		if a.Kind == KindImage && !unknown {
			c.contents(DriftContents, running, declared, open, "%s runs with other contents than were declared; neither side names a version")
		}
	case known && order == 0:
		c.builds(running, declared, unknown, open)
	case known && order < 0:
		row(DriftOlder, open, "%s runs, older than the declared %s", described(a), y)
	case known:
		row(DriftVersion, open, "%s runs; version %s was declared", described(a), y)
	default:
		row(DriftVersion, because(open, cannotOrder(x, y)), "%s runs; version %s was declared", described(a), y)
	}
}

// cannotOrder says why two versions may be one; empty if they differ for certain, older or not.
func cannotOrder(x, y string) string {
	short, long := x, y
	if len(short) > len(long) {
		short, long = long, short
	}
	if isCommit(x) != isCommit(y) {
		return "one side names a commit, which may be that of the version"
	}
	if strings.HasPrefix(long, short+".") {
		return fmt.Sprintf("%s may name a series that %s belongs to", short, long)
	}
	return ""
}

// versionOf is the version of an artifact, or the OpenStack release that a kolla tag names.
func versionOf(a Artifact) string { return cmp.Or(a.Version, ParseTag(tagOf(a)).Release) }

// builds judges two builds of one version.
func (c *comparer) builds(running, declared half, unknown bool, open string) {
	a, d := c.at(running.place), c.at(declared.place)
	if a.Kind != KindImage {
		if build(a.Version) != build(d.Version) {
			c.row(DriftVersion, a, c.side(declared, declares), c.side(running, runs), open, "%s runs; version %s was declared", described(a), d.Version)
		}
		return
	}
	x, y := ParseTag(tagOf(a)), ParseTag(tagOf(d))
	differ := x.BuildDate != "" && y.BuildDate != "" && x.BuildDate != y.BuildDate || x.Variant != "" && y.Variant != "" && x.Variant != y.Variant
	if !differ && unknown {
		open = because(open, "without both digests nobody can say whether the contents differ")
	}
	c.contents(DriftContents, running, declared, open, "%s runs as another build of the declared version: "+cmp.Or(tagOf(a), "no tag")+" instead of "+cmp.Or(tagOf(d), "no tag"))
}

// build is the build metadata of a version, which tells two releases of k3s apart.
func build(version string) string {
	_, metadata, _ := strings.Cut(version, "+")
	return metadata
}

func chart(a Artifact) bool {
	return strings.HasPrefix(a.Reference, "helm:") || slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.Source == "chart" || s.Source == "helm" })
}

// ofOtherClusters reports whether only a cluster declares it: the objects of Cluster API in it are about the clusters that
// it manages, while what its nodes run is its own.
func ofOtherClusters(a Artifact) bool {
	return !slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return declares(s) && s.Source != "kubernetes" })
}

// deployable reports whether an artifact is something that runs: an image, a chart, what a cluster stack brings. The
// collections, roles and tools of a release are not.
func deployable(a Artifact) bool {
	return a.Kind == KindImage || chart(a) || slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.Source == "cluster-stack" })
}

// undeclared judges what runs and has no declared counterpart.
func (c *comparer) undeclared(a Artifact, h half) {
	if a.Kind != KindImage {
		if chart(a) {
			c.row(DriftNotDeclared, a, nil, c.side(h, runs), c.unlisted, "%s runs and nothing declares it", described(a))
		}
		return
	}
	reasons := []string{c.unlisted}
	if c.enabled(a) {
		reasons = append(reasons, "its service is enabled; which image shall serve it no source says")
	} else if !c.images {
		reasons = append(reasons, "no source lists images; what is not switched off may run by default")
	}
	for _, name := range append([]string{a.Name}, a.Projects...) {
		if brings := c.software[name]; brings != "" {
			reasons = append(reasons, brings+" is declared, which may bring it")
			break
		}
	}
	for _, name := range h.names(a) {
		if n, ok := c.intended.names[name]; ok {
			reasons = append(reasons, "an image of that name is declared from another place: "+c.called(c.intended.halves[n]))
			break
		}
	}
	c.row(DriftNotDeclared, a, nil, c.side(h, runs), because(reasons...), "%s runs and nothing declares it", described(a))
}

// called is how a half names an image, for people.
func (c *comparer) called(h half) string {
	a := c.at(h.place)
	return cmp.Or(a.Reference, a.ID)
}

// enabled reports whether a configuration turns on the service that an artifact belongs to.
func (c *comparer) enabled(a Artifact) bool {
	return slices.ContainsFunc(serviceNames(a), func(name string) bool {
		n, found := slices.BinarySearchFunc(c.switches, name, func(s switched, name string) int { return cmp.Compare(s.key, name) })
		return found && len(c.switches[n].on) > 0
	})
}

// rests judges what is declared and was not seen running.
func (c *comparer) rests(n int, h half) {
	a := c.at(h.place)
	named := func(ref string) bool { return c.intended.named[ref].stood }
	if a.Running() || c.stood[n] || slices.ContainsFunc(h.references, named) || !deployable(a) || len(c.running.relatives(a)) > 0 {
		return
	}
	if a.Kind != KindImage && slices.ContainsFunc(append([]string{a.Name}, a.Projects...), func(name string) bool { return c.projects[name] }) {
		return // what the chart brings runs
	}
	var reasons []string
	if !wanted(a) {
		reasons = append(reasons, "a release offers it; whether it shall run here is not said")
	}
	if slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.State == StateStopped }) {
		reasons = append(reasons, "a copy of it exists and is stopped; it may have ended its task")
	}
	why, satisfied := c.instead(a, h)
	if satisfied {
		return
	}
	c.row(DriftNotRunning, a, c.side(h, declares), nil, because(slices.Concat(reasons, []string{why}, c.unread)...), "%s is declared and was not seen running", described(a))
}

// instead says what runs under the name of a declared image that does not run; satisfied if that may be it.
func (c *comparer) instead(a Artifact, h half) (why string, satisfied bool) {
	if a.Kind != KindImage {
		return "", false
	}
	tags := h.tagsOf(a, half.lookupKeys)
	for _, k := range h.lookupKeys(a) {
		for _, tag := range tags(k) {
			g := c.running.tagged(k, tag)
			if g != nil && (g.unknown || len(h.digests) == 0) {
				return "", true
			} else if g != nil {
				why = "other contents run under that name and tag"
			}
		}
		if g := c.running.groups[k]; g != nil && why == "" && g.intended >= 0 {
			why = described(c.at(c.running.halves[g.intended].place)) + ", which is declared too, runs"
		}
	}
	if why != "" {
		return why, false
	}
	for _, name := range h.names(a) {
		if n, ok := c.running.names[name]; ok && !c.related(a, h, n) {
			return "an image of that name from another place runs: " + c.called(c.running.halves[n]), false
		}
	}
	return "", false
}

// related reports whether a running image is found by the names of a declared one.
func (c *comparer) related(a Artifact, h half, n int) bool {
	return slices.ContainsFunc(h.lookupKeys(a), func(k key) bool { g := c.running.groups[k]; return g != nil && g.has(n) })
}

// switched compares the services that configurations turn on or off with what runs. For the accusation that a disabled
// service runs, service, project or name must be exactly that.
func (c *comparer) switched() {
	if len(c.running.halves) == 0 {
		return
	}
	runs := newServices(c.inv, func(a Artifact) bool {
		return a.Excluded == "" && (a.Kind == KindImage || a.Kind == KindSoftware) && a.Running()
	})
	for _, s := range c.switches {
		open := ""
		if len(s.on) > 0 && len(s.off) > 0 {
			open = "configurations disagree: it is enabled in one place and disabled in another"
		}
		if len(s.on) > 0 && len(runs[s.key]) == 0 {
			about := Artifact{ID: "service:" + s.key, Name: s.name}
			c.row(DriftNotRunning, about, switchSide(s.name, s.on), nil, because(append([]string{open}, c.unread...)...), "service %s is enabled and nothing of it was seen running", s.name)
		}
		for _, i := range runs[s.key] {
			if a := c.at(i); len(s.off) > 0 && slices.Contains(serviceNames(a), s.key) {
				c.row(DriftNotDeclared, a, switchSide(s.name, s.off), runningSide(a), open, "%s runs although its service %s is disabled", described(a), s.name)
			}
		}
	}
}

func switchSide(name string, places []Expected) *Side {
	side := Side{Reference: name}
	for _, e := range slices.SortedFunc(slices.Values(places), compareExpected) {
		side.add(cmp.Or(e.Where, e.List), e.Origin)
	}
	return &side
}

// loose lists an artifact that some place names by something that moves.
func (c *comparer) loose(a Artifact) {
	if a.Unpinned == "" || a.Kind == KindHost || a.Kind == KindBOM {
		return
	}
	declared, running := declaredSide(a), runningSide(a)
	if declared == nil && running == nil {
		return
	}
	c.row(DriftUnpinned, a, declared, running, "", "%s: %s", described(a), a.Unpinned)
}

// moved lists each tag that several images run under: one place started before the tag moved, another after. Images of
// different platforms share their tag, and of an image without a digest nobody can say whether it is another one.
func (c *comparer) moved() {
	for _, ref := range slices.Sorted(maps.Keys(c.running.named)) {
		g := c.running.named[ref]
		if len(g.members) < 2 {
			continue
		}
		classes := c.classes(g)
		count, perPlatform := map[int]bool{}, map[string]map[int]bool{}
		for n, class := range classes {
			platform := c.at(c.running.halves[n].place).Platform
			if perPlatform[platform] == nil {
				perPlatform[platform] = map[int]bool{}
			}
			perPlatform[platform][class], count[class] = true, true
		}
		if len(count) < 2 {
			continue
		}
		for _, n := range g.members {
			if class, known := classes[n]; known {
				c.movedRow(ref, n, class, len(count), perPlatform)
			}
		}
	}
}

// movedRow adds the row of one image that runs under a tag with others.
func (c *comparer) movedRow(ref string, n, class, count int, perPlatform map[string]map[int]bool) {
	a := c.at(c.running.halves[n].place)
	others := func(platform string) bool {
		classes := perPlatform[platform]
		return len(classes) > 1 || len(classes) == 1 && !classes[class]
	}
	platforms := len(perPlatform)
	if perPlatform[""] != nil {
		platforms--
	}
	open := ""
	switch {
	case platforms < 2 || a.Platform != "" && others(a.Platform):
	case a.Platform == "" || others(""):
		open = "it runs on several platforms, and of some images the platform is not known"
	default:
		return
	}
	c.row(DriftTagMoved, a, nil, c.side(c.running.halves[n], runs), open, "%s names %d images that run; this is %s", ref, count, short(a))
}

// classes tells apart the images of a group that were seen under a digest: those that share one, e.g. that of their
// index, are in one class, and images without a digest in none.
func (c *comparer) classes(g *group) map[int]int {
	out, first := map[int]int{}, map[audit.Digest]int{}
	class := sameness{parent: make([]int, len(g.members))}
	for i, n := range g.members {
		class.parent[i] = i
		h := c.running.halves[n]
		if len(h.digests) == 0 {
			continue
		}
		out[n] = i
		for _, d := range digestsOf(c.at(h.place)) {
			if j, ok := first[d]; ok {
				class.join(i, j)
			} else {
				first[d] = i
			}
		}
	}
	for n, i := range out {
		out[n] = class.root(i)
	}
	return out
}

// aged lists a version that its upstream no longer maintains on the day of the audit.
func (c *comparer) aged(a Artifact) {
	if a.Support == nil || a.Support.Ends >= c.today {
		return
	}
	if _, err := time.Parse(time.DateOnly, a.Support.Ends); err != nil {
		return // when it ends is not known
	}
	declared, running := declaredSide(a), cmp.Or(runningSide(a), seenSide(a))
	if declared == nil && running == nil {
		running = sideOf(a, func(Sighting) bool { return true })
	}
	if declared == nil && running == nil {
		return
	}
	for _, side := range []*Side{declared, running} {
		if side != nil && a.Support.Source != "" {
			side.Origins = append(side.Origins, audit.Origin{Source: "maintenance table", URL: a.Support.Source})
		}
	}
	c.row(DriftEndOfLife, a, declared, running, "", "%s: maintenance of %s ended on %s", described(a), a.Support.Cycle, a.Support.Ends)
}

func described(a Artifact) string {
	switch {
	case a.Version != "":
		return a.Name + " " + a.Version
	case tagOf(a) != "":
		return a.Name + ":" + tagOf(a)
	}
	return a.Name
}

func short(a Artifact) string {
	d := cmp.Or(a.Digest, a.Config).Hex()
	return "sha256:" + d[:min(12, len(d))]
}

func tagOf(a Artifact) string {
	if a.Kind != KindImage {
		return ""
	}
	ref, err := ParseReference(a.Reference)
	if err != nil {
		return ""
	}
	return ref.Tag
}

func declaredSide(a Artifact) *Side { return sideOf(a, declares) }
func runningSide(a Artifact) *Side  { return sideOf(a, runs) }
func seenSide(a Artifact) *Side     { return sideOf(a, func(s Sighting) bool { return !s.Declared }) }

// side is what one half says, with the digest as that half knows it.
func (c *comparer) side(h half, counts func(Sighting) bool) *Side {
	side := sideOf(c.at(h.place), counts)
	if side != nil && side.Digest == "" && len(h.digests) > 0 {
		side.Digest = h.digests[0]
	}
	return side
}

// sideOf gathers the sightings of one half; nil if there are none.
func sideOf(a Artifact, counts func(Sighting) bool) *Side {
	side := Side{Artifact: a.ID, Version: a.Version}
	sightings := a.Sightings
	if !slices.IsSortedFunc(sightings, compareSightings) {
		sightings = slices.SortedFunc(slices.Values(sightings), compareSightings)
	}
	for _, s := range sightings {
		if counts(s) {
			side.Reference = cmp.Or(side.Reference, s.Reference)
			side.Digest = cmp.Or(side.Digest, s.Digest)
			side.add(cmp.Or(s.Where, s.Source), s.Origin)
		}
	}
	if len(side.Where) == 0 {
		return nil
	}
	if side.Reference == "" {
		side.Reference = ownNames(a, counts)[0]
	}
	return &side
}

// add names a place once, and no more of them than a reader can use.
func (s *Side) add(where string, origin audit.Origin) {
	if len(s.Where) >= mostPlaces || slices.Contains(s.Where, where) {
		return
	}
	s.Where = append(s.Where, where)
	if origin != (audit.Origin{}) {
		s.Origins = append(s.Origins, origin)
	}
}
