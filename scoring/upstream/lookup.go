package upstream

import (
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Lookup is what an index that belongs to somebody else (deps.dev, ecosyste.ms, Repology) answered about a package. Such an
// answer never has more than low confidence, and only shows where nothing better is known, or as a rival.
type Lookup struct {
	PURL       string // package that was asked for; the version does not count
	Repository string // address in the answer, as it came
	Origin     audit.Origin
}

// WithLookups returns the parts with the answers of indexes added to what they say. The parts given are not changed.
func WithLookups(parts []Part, answers []Lookup) []Part {
	byName := map[string][]Claim{}
	for _, a := range answers {
		if key, ok := purlKey(a.PURL); ok {
			byName[key] = append(byName[key], Claim{Kind: ClaimLookup, Value: a.Repository, Origin: a.Origin})
		}
	}
	out := slices.Clone(parts)
	for i, p := range out {
		key, ok := purlKey(p.Name)
		if !ok || p.Kind != PartPURL || len(byName[key]) == 0 {
			continue
		}
		out[i].Claims = slices.Concat(p.Claims, byName[key])
	}
	return out
}

// Unasked lists the packages that no rule leads to a repository, as package URLs without version: what an index may be asked.
func (c *Catalogue) Unasked(parts []Part) []string {
	var out []string
	for _, p := range parts {
		if p.Kind != PartPURL {
			continue
		}
		if _, ok := c.Locate(p); ok {
			continue
		}
		if key, ok := purlKey(p.Name); ok {
			out = append(out, "pkg:"+key)
		}
	}
	return unique(out, strings.Compare)
}
