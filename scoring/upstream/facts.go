package upstream

import (
	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// This file hands what the catalogue says about a component to the indicators, each with the digest of the catalogue.

// known is a fact that the catalogue states. An empty list says nothing unless somebody looked.
func known[T any](c *Catalogue, id string, v []T, looked bool) audit.Fact[[]T] {
	switch {
	case len(v) == 0 && !looked:
		return audit.Fact[[]T]{}
	case v == nil:
		v = []T{}
	}
	f := audit.Known(v, c.Origin(id))
	f.Grade = audit.GradeThirdParty
	return f
}

// replacements are the alternatives of a component in the words of package scoring.
func (c *Catalogue) replacements(k Component) []scoring.Alternative {
	var out []scoring.Alternative
	for _, a := range c.Alternatives(k.ID) {
		out = append(out, scoring.Alternative{Name: a.Name, Repo: a.Repo, Licence: a.Licence, Standards: a.Standards, Source: a.Source})
	}
	return out
}

// offered are the standards that a component speaks, by name; the source is where that is documented.
func (c *Catalogue) offered(k Component) []scoring.Standard {
	names := make(map[string]string, len(c.standards))
	for _, s := range c.standards {
		names[s.ID] = s.Name
	}
	var out []scoring.Standard
	for _, r := range k.Standards {
		out = append(out, scoring.Standard{ID: r.ID, Name: names[r.ID], Source: r.Source})
	}
	return out
}

// editions are the rows of a component that tell editions apart, with the deployed versions that each covers. Rows without
// an edition say how the licence changed over time, which is no edition.
func (k Component) editions(deployed []string) []scoring.Edition {
	var out []scoring.Edition
	for _, r := range k.LicenceByVersion {
		if r.Edition == "" {
			continue
		}
		e := scoring.Edition{Name: r.Edition, Licence: r.Licence, Open: r.OSI, Versions: r.Versions, Source: r.Source}
		for _, text := range deployed {
			if v, ok := parseVersion(text); ok && r.constraint.holds(v) == yes {
				e.Deployed = append(e.Deployed, text)
			}
		}
		out = append(out, e)
	}
	return out
}

// expected are the rows about the licence that hold at each deployed version, and under "" those that hold at every version.
// There is no entry where the catalogue cannot tell which rows hold.
func (k Component) expected(deployed []string) map[string][]scoring.Edition {
	out := map[string][]scoring.Edition{}
	for _, version := range append([]string{""}, deployed...) {
		rows, reason := k.holding(k.LicenceByVersion, version, "")
		if reason != "" || len(rows) == 0 {
			continue
		}
		for _, r := range rows {
			out[version] = append(out[version], scoring.Edition{Name: r.Edition, Licence: r.Licence, Open: r.OSI, Versions: r.Versions, Source: r.Source})
		}
	}
	return out
}

// expectedLicences is that as a fact of the catalogue; nothing is known where no row holds.
func (c *Catalogue) expectedLicences(id string, deployed []string) audit.Fact[map[string][]scoring.Edition] {
	found := c.components[c.byID[id]].expected(deployed)
	if len(found) == 0 {
		return audit.Fact[map[string][]scoring.Edition]{}
	}
	f := audit.Known(found, c.Origin(id))
	f.Grade = audit.GradeThirdParty
	return f
}
