package sbom

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/pegel-audit/pegel/audit"
)

// identify sorts artifacts, which come in the order of byWeight, into groups that are one thing each. What a join reveals
// may settle another one, so that it goes on until nothing changes; each step depends on the groups before it, never on
// the order of the artifacts.
func identify(all []Artifact) [][]Artifact {
	s := sameness{all: all, parent: make([]int, len(all))}
	for i := range s.parent {
		s.parent[i] = i
	}
	s.byID()
	s.byConfig()
	s.byDigest()
	for changed := true; changed; {
		changed = s.byIndex()
		changed = s.byReference(func(f facts) bool { return f.digest }) || changed
		changed = s.byReference(func(f facts) bool { return f.digest || f.config != "" }) || changed
	}
	size := make([]int, len(all))
	for i := range all {
		size[s.root(i)]++
	}
	groups := make([][]Artifact, len(all))
	for i, a := range all {
		root := s.root(i)
		if groups[root] == nil {
			groups[root] = make([]Artifact, 0, size[root])
		}
		groups[root] = append(groups[root], a)
	}
	return slices.DeleteFunc(groups, func(group []Artifact) bool { return group == nil })
}

// sameness is a forest in which artifacts with one root are one thing; the root is the weightiest.
type sameness struct {
	all    []Artifact
	parent []int
}

func (s *sameness) root(i int) int {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}

func (s *sameness) join(i, j int) {
	i, j = s.root(i), s.root(j)
	s.parent[max(i, j)] = min(i, j)
}

// byID joins what is no image by its ID, and images without any digest too; for those with one the digest speaks.
func (s *sameness) byID() {
	first := map[string]int{}
	for i, a := range s.all {
		if a.Kind == KindImage && (a.Digest != "" || configOf(a) != "") {
			continue
		}
		key := a.Kind + " " + a.ID
		if j, ok := first[key]; ok {
			s.join(i, j)
		} else {
			first[key] = i
		}
	}
}

// Configurations of no bytes and of "{}", which packages that are no container images carry; they name nothing.
const (
	noConfig    = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	emptyConfig = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
)

// configOf is the digest of an image's configuration, which names its files; empty if it is not known or names nothing.
func configOf(a Artifact) audit.Digest {
	if a.Kind != KindImage || a.Config == noConfig || a.Config == emptyConfig {
		return ""
	}
	return a.Config
}

// digestsOf are all digests by which an image is known, that of its manifest first.
func digestsOf(a Artifact) []audit.Digest {
	if a.Kind != KindImage {
		return nil
	}
	if a.Digest == "" {
		return a.Digests
	}
	return append([]audit.Digest{a.Digest}, a.Digests...)
}

func (s *sameness) byConfig() {
	first := map[audit.Digest]int{}
	for i, a := range s.all {
		config := configOf(a)
		if config == "" {
			continue
		}
		if j, ok := first[config]; ok {
			s.join(i, j)
		} else {
			first[config] = i
		}
	}
}

// byDigest joins images by the digest of their manifest. A digest under which two configurations were seen is that of an
// index, which engines of two platforms report alike: it names several images and joins none.
func (s *sameness) byDigest() {
	configs := map[audit.Digest][]audit.Digest{}
	for _, a := range s.all {
		config := configOf(a)
		for _, d := range digestsOf(a) {
			if list := configs[d]; config != "" && len(list) < 2 && !slices.Contains(list, config) { // only whether there are several matters
				configs[d] = append(list, config)
			}
		}
	}
	first := map[audit.Digest]int{}
	for i, a := range s.all {
		if a.Kind != KindImage || a.Digest == "" || len(configs[a.Digest]) > 1 {
			continue
		}
		if j, ok := first[a.Digest]; ok {
			s.join(i, j)
		} else {
			first[a.Digest] = i
		}
	}
}

// facts are what a group of artifacts is known by.
type facts struct {
	digest             bool
	config             audit.Digest
	platform           string
	configs, platforms int // how many differ
}

func (f facts) with(g facts) facts {
	f.digest = f.digest || g.digest
	if g.config != "" && g.config != f.config {
		f.configs++
		f.config = cmp.Or(f.config, g.config)
	}
	if g.platform != "" && g.platform != f.platform {
		f.platforms++
		f.platform = cmp.Or(f.platform, g.platform)
	}
	return f
}

// facts of each group, by its root.
func (s *sameness) facts() []facts {
	out := make([]facts, len(s.all))
	for i, a := range s.all {
		root := s.root(i)
		out[root] = out[root].with(facts{digest: a.Kind == KindImage && a.Digest != "", config: configOf(a), platform: a.Platform})
	}
	return out
}

// settle carries out the joins that were found, pairs of roots, and reports whether there were any. Joins that together
// would make one thing of two configurations are all left out, and so are those of two platforms if platforms is set.
func (s *sameness) settle(joins [][2]int, known []facts, platforms bool) bool {
	if len(joins) == 0 {
		return false
	}
	trial := sameness{parent: slices.Clone(s.parent)}
	var roots []int
	for _, pair := range joins {
		trial.join(pair[0], pair[1])
		roots = append(roots, pair[0], pair[1])
	}
	slices.Sort(roots)
	together := map[int]facts{}
	for _, root := range slices.Compact(roots) {
		to := trial.root(root)
		together[to] = together[to].with(known[root])
	}
	changed := false
	for _, pair := range joins {
		f := together[trial.root(pair[0])]
		if f.configs > 1 || platforms && f.platforms > 1 {
			continue
		}
		s.join(pair[0], pair[1])
		changed = true
	}
	return changed
}

// holding says which group is known under a name. Only whether there is none, one or several of them matters.
type holding struct {
	root    int
	several bool
}

func claim[K comparable](to map[K]holding, key K, root int) {
	if c, ok := to[key]; !ok {
		to[key] = holding{root: root}
	} else if c.root != root {
		to[key] = holding{root: c.root, several: true}
	}
}

// byIndex joins an image that is known only by the digest of an index with the one image that the index was seen to lead
// to. An index leads to several images, one for each platform; then nobody can say which is meant.
func (s *sameness) byIndex() bool {
	primary, offered := map[audit.Digest]holding{}, map[audit.Digest]holding{}
	for i, a := range s.all {
		if a.Kind != KindImage {
			continue
		}
		if a.Digest != "" {
			claim(primary, a.Digest, s.root(i))
		}
		for _, d := range a.Digests {
			if d != a.Digest {
				claim(offered, d, s.root(i))
			}
		}
	}
	var joins [][2]int
	for d, group := range offered {
		if p, ok := primary[d]; ok && !p.several && !group.several && p.root != group.root {
			joins = append(joins, [2]int{p.root, group.root})
		}
	}
	return s.settle(joins, s.facts(), true)
}

// byReference joins images whose digest nobody saw to the one that holds their references: holds says which groups may.
// A group whose references lead to different images, or to one that several hold, stays alone.
func (s *sameness) byReference(holds func(facts) bool) bool {
	known := s.facts()
	holders := map[string]holding{}
	for i, a := range s.all {
		if root := s.root(i); a.Kind == KindImage && holds(known[root]) {
			for _, ref := range referencesOf(a) {
				claim(holders, ref, root)
			}
		}
	}
	leads := map[int]holding{}
	for i, a := range s.all {
		root := s.root(i)
		if a.Kind != KindImage || known[root].digest || holds(known[root]) {
			continue
		}
		for _, ref := range referencesOf(a) {
			if held, ok := holders[ref]; ok {
				claim(leads, root, held.root)
				if held.several {
					leads[root] = holding{several: true}
				}
			}
		}
	}
	var joins [][2]int
	for root, to := range leads {
		if !to.several {
			joins = append(joins, [2]int{root, to.root})
		}
	}
	return s.settle(joins, known, false)
}

func referencesOf(a Artifact) []string {
	if a.Reference == "" {
		return a.Aliases
	}
	return append([]string{a.Reference}, a.Aliases...)
}

// manifestFirst moves the first artifact whose digest no other one lists as that of its index to the front, so that the
// digest of the whole is that of a manifest where one is known.
func manifestFirst(group []Artifact) []Artifact {
	listed := map[audit.Digest]bool{}
	for _, a := range group {
		for _, d := range a.Digests {
			listed[d] = listed[d] || d != a.Digest
		}
	}
	for i, a := range group {
		if a.Digest != "" && !listed[a.Digest] && i > 0 {
			return append([]Artifact{a}, slices.Delete(slices.Clone(group), i, i+1)...)
		} else if a.Digest != "" && !listed[a.Digest] {
			break
		}
	}
	return group
}

// unique gives each artifact an ID of its own: two images that nobody saw a digest of may share their name, and two of
// different platforms the digest of their index; then the digest of the configuration tells them apart. What is left is
// numbered, so that no input can hide one artifact behind another.
func unique(list []Artifact) {
	count := map[string]int{}
	for i, a := range list {
		if a.Kind == KindImage && a.Digest != "" {
			list[i].ID = "image:" + string(a.Digest)
		}
		count[list[i].ID]++
	}
	for i, a := range list {
		if config := configOf(a); config != "" && count[a.ID] > 1 {
			list[i].ID = "image:" + string(config)
		}
	}
	taken := map[string]bool{}
	for i := range list {
		id := list[i].ID
		for n := 2; taken[list[i].ID]; n++ {
			list[i].ID = id + "#" + strconv.Itoa(n)
		}
		taken[list[i].ID] = true
	}
}
