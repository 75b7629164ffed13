package sbom

import (
	"slices"

	"github.com/pegel-audit/pegel/audit"
)

// identify sorts artifacts, which come in the order of byWeight, into groups that are one thing each.
func identify(all []Artifact) [][]Artifact {
	s := sameness{all: all, parent: make([]int, len(all))}
	for i := range s.parent {
		s.parent[i] = i
	}
	s.byID()
	s.byDigest()
	s.byIndex()
	s.byReference()
	groups := map[int][]Artifact{}
	for i, a := range all {
		root := s.root(i)
		groups[root] = append(groups[root], a)
	}
	out := make([][]Artifact, 0, len(groups))
	for i := range all {
		if group, ok := groups[i]; ok {
			out = append(out, group)
		}
	}
	return out
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

// joinBy joins all artifacts that have the same non-empty key.
func (s *sameness) joinBy(key func(Artifact) string) {
	first := map[string]int{}
	for i, a := range s.all {
		k := key(a)
		if k == "" {
			continue
		}
		if j, ok := first[k]; ok {
			s.join(i, j)
		} else {
			first[k] = i
		}
	}
}

// byID joins what is no image by its ID, and images without any digest too; for those with one the digest speaks.
func (s *sameness) byID() {
	s.joinBy(func(a Artifact) string {
		if a.Kind == KindImage && (a.Digest != "" || a.Config != "") {
			return ""
		}
		return a.Kind + " " + a.ID
	})
}

// byDigest joins images by the digest of their manifest and by that of their configuration, which names the same files.
func (s *sameness) byDigest() {
	s.joinBy(func(a Artifact) string { return imageKey(a, a.Digest) })
	s.joinBy(func(a Artifact) string { return imageKey(a, a.Config) })
}

func imageKey(a Artifact, d audit.Digest) string {
	if a.Kind != KindImage {
		return ""
	}
	return string(d)
}

// byIndex joins an image that is known only by the digest of an index with the one image that the index was seen to lead
// to. An index leads to several images, one for each platform; then nobody can say which is meant.
func (s *sameness) byIndex() {
	primary := map[audit.Digest]int{}
	offered := map[audit.Digest][]int{}
	for i, a := range s.all {
		if a.Kind != KindImage {
			continue
		}
		if a.Digest != "" {
			primary[a.Digest] = s.root(i)
		}
		for _, d := range a.Digests {
			if d != a.Digest && !slices.Contains(offered[d], s.root(i)) {
				offered[d] = append(offered[d], s.root(i))
			}
		}
	}
	for d, groups := range offered {
		if i, ok := primary[d]; ok && len(groups) == 1 {
			s.join(i, groups[0])
		}
	}
}

// byReference joins images whose digest nobody saw to the one that holds their reference.
func (s *sameness) byReference() {
	holders := map[string][]int{}
	claim := func(ref string, root int) {
		if ref != "" && !slices.Contains(holders[ref], root) {
			holders[ref] = append(holders[ref], root)
		}
	}
	digest, config := map[int]bool{}, map[int]audit.Digest{}
	for i, a := range s.all {
		root := s.root(i)
		digest[root] = digest[root] || a.Digest != ""
		if a.Config != "" {
			config[root] = a.Config
		}
	}
	pass := func(holds func(root int) bool) {
		clear(holders)
		for i, a := range s.all {
			if root := s.root(i); a.Kind == KindImage && holds(root) {
				claim(a.Reference, root)
				for _, ref := range a.Aliases {
					claim(ref, root)
				}
			}
		}
		joins := map[int]int{}
		for i, a := range s.all {
			root := s.root(i)
			held := holders[a.Reference]
			if a.Kind != KindImage || a.Reference == "" || holds(root) || digest[root] || len(held) != 1 {
				continue
			}
			if config[root] != "" && config[held[0]] != "" && config[root] != config[held[0]] {
				continue
			}
			if other, ok := joins[root]; ok && other != held[0] {
				held = []int{root} // its names lead to different images: it stays alone
			}
			joins[root] = held[0]
		}
		for i, j := range joins {
			s.join(i, j)
		}
	}
	pass(func(root int) bool { return digest[root] })
	pass(func(root int) bool { return config[root] != "" || digest[root] })
}

// unique gives each artifact an ID of its own: two images that nobody saw a digest of may share their name, and then the
// digest of the configuration tells them apart.
func unique(list []Artifact) {
	count := map[string]int{}
	for i, a := range list {
		if a.Kind == KindImage && a.Digest != "" {
			list[i].ID = "image:" + string(a.Digest)
		}
		count[list[i].ID]++
	}
	for i, a := range list {
		if a.Kind == KindImage && a.Digest == "" && a.Config != "" && count[a.ID] > 1 {
			list[i].ID = "image:" + string(a.Config)
		}
	}
}
