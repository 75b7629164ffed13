package pipeline

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// critical says which people, as counts, and which organisations several deployed projects hang on at once: if they leave, more
// than one component is hit. It is nil where neither could be told of two projects.
func (d *dossier) critical() *reports.Critical {
	c := &reports.Critical{People: d.criticalPeople(), Organisations: d.criticalOrganisations()}
	for _, p := range d.projects.Projects {
		e := d.evidence[p.ID]
		c.Projects += one(e.Shared.Value != nil)
		if h, ok := e.History.Get(); ok {
			if w, ok := h.Window(12); ok && w.HumanCommits > 0 {
				c.Attributed++
			}
		}
	}
	if c.Projects < 2 && c.Attributed < 2 {
		return nil
	}
	return c
}

// criticalPeople joins the sets that the evidence of each project counted, cut down to what is deployed. A recording may have
// counted more projects than the stack has; sets that are the same after the cut are added up.
func (d *dossier) criticalPeople() []reports.CriticalPeople {
	deployed := map[string]bool{}
	for _, p := range d.projects.Projects {
		deployed[p.ID] = true
	}
	seen := map[string]bool{}
	sums := map[string]*reports.CriticalPeople{}
	for _, p := range d.projects.Projects {
		s, _ := d.evidence[p.ID].Shared.Get()
		for _, set := range s.Critical {
			whole := strings.Join(set.Projects, "\x00")
			if seen[whole] {
				continue
			}
			seen[whole] = true
			here := slices.DeleteFunc(slices.Clone(set.Projects), func(id string) bool { return !deployed[id] })
			if len(here) < 2 {
				continue
			}
			key := strings.Join(here, "\x00")
			if sums[key] == nil {
				sums[key] = &reports.CriticalPeople{Projects: here}
			}
			sums[key].People += set.People
			sums[key].Few = sums[key].Few || set.Few
		}
	}
	out := make([]reports.CriticalPeople, 0, len(sums))
	for _, s := range sums {
		s.Few = s.Few && s.People == 0 // three people are at least three, however many more there are
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b reports.CriticalPeople) int {
		return scoring.CompareSharedBy(scoring.SharedBy{Projects: a.Projects, People: a.People}, scoring.SharedBy{Projects: b.Projects, People: b.People})
	})
	return out
}

// criticalOrganisations lists the organisations that certainly wrote more of two deployed projects or more than the profile
// lets pass (OC-02), by the recorded windows of 12 months.
func (d *dossier) criticalOrganisations() []reports.CriticalOrganisation {
	limit := d.profiles.Main().Indicators["OC-02"].Pass
	if limit == nil {
		return nil
	}
	by := map[string][]reports.CriticalShare{}
	for _, p := range d.projects.Projects {
		h, ok := d.evidence[p.ID].History.Get()
		if !ok {
			continue
		}
		if w, ok := h.Window(12); ok && w.TopOrg != "" && w.TopOrgLowBP > *limit {
			by[w.TopOrg] = append(by[w.TopOrg], reports.CriticalShare{Project: p.ID, Low: w.TopOrgLowBP, High: w.TopOrgHighBP})
		}
	}
	var out []reports.CriticalOrganisation
	for name, shares := range by {
		if len(shares) < 2 {
			continue
		}
		slices.SortFunc(shares, func(a, b reports.CriticalShare) int { return strings.Compare(a.Project, b.Project) })
		out = append(out, reports.CriticalOrganisation{Name: name, Projects: shares})
	}
	slices.SortFunc(out, func(a, b reports.CriticalOrganisation) int {
		return cmp.Or(len(b.Projects)-len(a.Projects), strings.Compare(a.Name, b.Name))
	})
	return out
}
