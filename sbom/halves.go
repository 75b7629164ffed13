package sbom

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// half is what one side of the comparison says about an artifact: the declarations, or what was seen running.
type half struct {
	place      int            // in the inventory
	repos      []string       // registry and path of each reference
	paths      []string       // path of each reference
	tagAt      []string       // tag of each reference, as it is compared; empty if it has none
	tags       []string       // tags, as they are compared
	references []string       // references with a tag and without a digest: names that may move
	digests    []audit.Digest // as this half saw them; empty if it did not
	version    string         // of the artifact
	revision   string         // version or tag
	wanted     bool           // something says that it shall run, not only that it may be had
	intended   bool           // some intent source names the artifact
}

func declares(s Sighting) bool {
	return s.Declared && (s.State == StateDeclared || s.State == StateOffered)
}

func runs(s Sighting) bool { return s.State == StateRunning }

// halfOf gathers one half of an artifact. What a sighting does not name is taken from the artifact, as far as no other
// source may have said it.
func (c *comparer) halfOf(place int, counts func(Sighting) bool) half {
	a := c.at(place)
	h := half{place: place, version: a.Version, revision: cmp.Or(a.Version, tagOf(a)), wanted: wanted(a), intended: a.Intended()}
	bare, anyDigest := false, false
	var names []string
	for _, s := range a.Sightings {
		anyDigest = anyDigest || s.Digest != ""
		if !counts(s) {
			continue
		}
		bare = bare || s.Reference == ""
		names = append(names, s.Reference)
		h.digests = append(h.digests, s.Digest)
	}
	if bare {
		names = append(names, ownNames(a, counts)...)
	}
	if !anyDigest {
		h.digests = append(h.digests, a.Digest)
	}
	h.digests = sortedUnion(h.digests, nil)
	if a.Kind != KindImage {
		return h
	}
	for _, text := range sortedUnion(names, nil) {
		h.add(c.parse(text))
	}
	h.tags, h.references = sortedUnion(h.tags, nil), sortedUnion(h.references, nil)
	return h
}

// ownNames are the references of an artifact that no sighting of the other half gave it, or all of them if none is left.
func ownNames(a Artifact, counts func(Sighting) bool) []string {
	all := append([]string{a.Reference}, a.Aliases...)
	own := slices.DeleteFunc(slices.Clone(all), func(ref string) bool {
		return slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return !counts(s) && s.Reference == ref })
	})
	if len(own) == 0 {
		return all
	}
	return own
}

func (h *half) add(ref Reference) {
	if ref.Path == "" {
		return
	}
	h.repos = append(h.repos, ref.Repository())
	h.paths = append(h.paths, ref.Path)
	if ref.Tag == "" {
		h.tagAt = append(h.tagAt, "")
		return
	}
	h.tagAt = append(h.tagAt, tagKey(ref.Tag))
	h.tags = append(h.tags, tagKey(ref.Tag))
	if ref.Digest == "" {
		h.references = append(h.references, ref.String())
	}
}

// parse reads a reference once; the zero value stands for one that cannot be read. Names of Docker Hub are written in
// full, because engines and files shorten them differently.
func (c *comparer) parse(text string) Reference {
	if ref, ok := c.parsed[text]; ok {
		return ref
	}
	ref, err := ParseReference(text)
	if err != nil {
		ref = Reference{}
	}
	switch ref.Registry {
	case "", "docker.io", "index.docker.io", "registry-1.docker.io":
		if ref.Path != "" && !strings.Contains(ref.Path, "/") {
			ref.Path = "library/" + ref.Path
		}
		ref.Registry = ""
	}
	c.parsed[text] = ref
	return ref
}

// tagKey is a tag as it is compared: v1.2.3 and 1.2.3 are one.
func tagKey(tag string) string {
	_, rest := cutEpoch(tag)
	return rest
}

// key is a name under which one half finds the other.
type key struct{ kind, text string }

// narrow is a key together with a tag or a version.
type narrow struct {
	of      *group
	version bool
	text    string
}

// registerKeys are the names under which an artifact can be found: its repository, its path and the ends of that of at
// least two parts, because a mirror puts registry and path in front; and the last part of its name with each project,
// because the catalogue knows two names as one. Software has its name.
func (h half) registerKeys(a Artifact) []key {
	if a.Kind != KindImage {
		return []key{{kind: "software", text: a.Name}}
	}
	var keys []key
	for n, path := range h.paths {
		keys = append(keys, key{kind: "repository", text: h.repos[n]})
		for i, end := range pathEnds(path) {
			kind := "below"
			if i == 0 {
				kind = "path"
			}
			keys = append(keys, key{kind: kind, text: end})
		}
	}
	return h.withProjects(a, keys)
}

// lookupKeys are the names under which the same thing may be registered by the other half, the strictest first. Software
// stands for what is named like it or like its project: a node's kubelet for the kubernetes that was declared.
func (h half) lookupKeys(a Artifact) []key {
	if a.Kind != KindImage {
		keys := []key{{kind: "software", text: a.Name}}
		for _, p := range a.Projects {
			keys = append(keys, key{kind: "software", text: p})
		}
		return distinct(keys)
	}
	var keys []key
	for _, repository := range h.repos {
		keys = append(keys, key{kind: "repository", text: repository})
	}
	for _, path := range h.paths {
		for _, end := range pathEnds(path) {
			keys = append(keys, key{kind: "path", text: end})
		}
		keys = append(keys, key{kind: "below", text: path})
	}
	return h.withProjects(a, keys)
}

// tagsOf returns the tags that go with each name: those of the references that lead to it. Every name with every tag of an
// image would be wrong, and millions where a hostile file gives it a thousand of each.
func (h half) tagsOf(a Artifact, keys func(half, Artifact) []key) func(key) []string {
	if len(h.paths) < 2 {
		return func(key) []string { return h.tags }
	}
	of := map[key][]string{}
	for i, tag := range h.tagAt {
		if tag == "" {
			continue
		}
		for _, k := range keys(half{repos: h.repos[i : i+1], paths: h.paths[i : i+1]}, a) {
			of[k] = append(of[k], tag)
		}
	}
	for k, tags := range of {
		of[k] = sortedUnion(tags, nil)
	}
	return func(k key) []string { return of[k] }
}

// withProjects adds the keys of name and project and drops what stands twice.
func (h half) withProjects(a Artifact, keys []key) []key {
	for _, name := range h.names(a) {
		for _, p := range a.Projects {
			keys = append(keys, key{kind: "project " + p, text: name})
		}
	}
	return distinct(keys)
}

// distinct drops what stands twice. An image of a hostile file may go by a thousand names, so that long lists are not
// compared each with each.
func distinct(keys []key) []key {
	if len(keys) > 32 {
		seen := make(map[key]bool, len(keys))
		return slices.DeleteFunc(keys, func(k key) bool {
			twice := seen[k]
			seen[k] = true
			return twice
		})
	}
	out := keys[:0]
	for _, k := range keys {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// mostEnds bounds how deep below the path of a mirror an image is found.
const mostEnds = 6

// pathEnds are a path and its ends of at least two parts, the longest first.
func pathEnds(path string) []string {
	var ends []string
	for rest, more := path, true; more && len(ends) < mostEnds && strings.Contains(rest, "/"); _, rest, more = strings.Cut(rest, "/") {
		ends = append(ends, rest)
	}
	return ends
}

// names are the last parts of the references, and the name of an artifact that has none.
func (h half) names(a Artifact) []string {
	var out []string
	for _, path := range h.paths {
		out = append(out, path[strings.LastIndexByte(path, '/')+1:])
	}
	if out == nil {
		out = []string{a.Name}
	}
	return sortedUnion(out, nil)
}

// index finds the artifacts of one half.
type index struct {
	halves  []half
	groups  map[key]*group
	narrow  map[narrow]*group
	named   map[string]*group // by a reference that may move
	digests map[audit.Digest][]int
	names   map[string]int // the first image whose path ends in a name
}

// group are the artifacts of one half under one name.
type group struct {
	members []int // places in halves, rising
	unknown bool  // of some the half does not know the digest
	best    int   // whose version stands for all
	several bool  // other versions have the same right

	known    int  // the first member whose digest the half knows; -1 if none
	intended int  // the first member that some source declares; -1 if none
	stood    bool // a row names something that runs instead of the members
}

func (g *group) join(n int, h *half) {
	g.members = append(g.members, n)
	if len(h.digests) == 0 {
		g.unknown = true
	} else if g.known < 0 {
		g.known = n
	}
	if h.intended && g.intended < 0 {
		g.intended = n
	}
}

func (g *group) has(member int) bool {
	_, found := slices.BinarySearch(g.members, member)
	return found
}

// newIndex makes an index for about n artifacts, which have some names each.
func newIndex(n int) *index {
	return &index{groups: make(map[key]*group, 4*n), narrow: make(map[narrow]*group, 8*n), named: make(map[string]*group, n),
		digests: make(map[audit.Digest][]int, n), names: make(map[string]int, n)}
}

// add registers a half. Halves come in the order of the artifacts' IDs.
func (c *comparer) add(x *index, h half) {
	n, a := len(x.halves), c.at(h.place)
	x.halves = append(x.halves, h)
	tags := h.tagsOf(a, half.registerKeys)
	for _, k := range h.registerKeys(a) {
		g := groupAt(x.groups, k, n)
		x.enter(g, n)
		for _, tag := range tags(k) {
			x.enter(groupAt(x.narrow, narrow{of: g, text: tag}, n), n)
		}
		if h.version != "" && x == c.intended {
			x.enter(groupAt(x.narrow, narrow{of: g, version: true, text: h.version}, n), n)
		}
	}
	if a.Kind != KindImage {
		return
	}
	for _, ref := range h.references {
		groupAt(x.named, ref, n).join(n, &h)
	}
	for _, d := range digestsOf(a) {
		if list := x.digests[d]; len(list) == 0 || list[len(list)-1] != n {
			x.digests[d] = append(list, n)
		}
	}
	for _, name := range h.names(a) {
		if _, ok := x.names[name]; !ok {
			x.names[name] = n
		}
	}
}

// enter adds a half to a group. What a configuration declares stands before what a release offers, then the newer
// version.
func (x *index) enter(g *group, n int) {
	h, best := &x.halves[n], &x.halves[g.best]
	switch rank := flag(!h.wanted, !best.wanted); {
	case rank < 0:
		g.best, g.several = n, false
	case rank == 0 && h.revision != best.revision:
		g.several = true
		if order, known := compareVersions(h.version, best.version); known && order > 0 {
			g.best = n
		}
	}
	g.join(n, h)
}

// tagged is the group of those under a key that have a tag; nil if there is none.
func (x *index) tagged(k key, tag string) *group { return x.narrowed(k, narrow{text: tag}) }

// versioned is the group of those under a key that have a version; nil if there is none.
func (x *index) versioned(k key, version string) *group {
	return x.narrowed(k, narrow{version: true, text: version})
}

func (x *index) narrowed(k key, to narrow) *group {
	if to.of = x.groups[k]; to.of == nil {
		return nil
	}
	return x.narrow[to]
}

// groupAt returns the group of a key, a new one with its first member if there is none.
func groupAt[K comparable](groups map[K]*group, k K, first int) *group {
	g := groups[k]
	if g == nil {
		g = &group{best: first, known: -1, intended: -1}
		groups[k] = g
	}
	return g
}

// wanted reports whether something says that the artifact shall run, not only that it may be had.
func wanted(a Artifact) bool {
	return slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.Declared && s.State == StateDeclared })
}

// relatives are the places in an index of what is known under one of the artifact's digests.
func (x *index) relatives(a Artifact) []int {
	var out []int
	for _, d := range digestsOf(a) {
		out = append(out, x.digests[d]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
