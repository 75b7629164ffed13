package pipeline

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
)

// This file judges region by region: each region is opened as a stack of its own, so that nothing of another one can enter.

func (d *dossier) regionNames() []string {
	var out []string
	for _, r := range d.regions {
		out = append(out, r.Name)
	}
	return out
}

// sides are the inventories of the regions.
func (d *dossier) sides() []sbom.Region {
	var out []sbom.Region
	for _, r := range d.regions {
		out = append(out, sbom.Region{Name: r.Name, Inventory: r.Inventory})
	}
	return out
}

// in returns the evidence of one region: its own and what all share. What it returns shares with d only what is never changed.
func (d *dossier) in(r regionDocument) *dossier {
	v := *d
	v.regions, v.region = nil, r.Name
	v.inventory = r.Inventory
	v.projects = projectsDocument{Schema: d.projects.Schema, Catalogue: d.projects.Catalogue, Projects: r.Projects, Products: r.Products}
	v.packages = nil
	here := map[string]sbom.Artifact{}
	for _, a := range r.Inventory.Artifacts {
		here[a.ID] = a
	}
	for _, p := range d.packages {
		a, ok := here[p.Artifact]
		if !ok || slices.Contains(r.Elsewhere, p.Artifact) {
			continue
		}
		p.Declared = p.Declared || a.ByName
		v.packages = append(v.packages, p)
	}
	if d.operator != nil {
		e := *d.operator
		e.Artifacts = slices.DeleteFunc(slices.Clone(e.Artifacts), func(a transparency.Artifact) bool { return a.Region != "" && a.Region != r.Name })
		v.operator = &e
	}
	if d.levels != nil {
		e := *d.levels
		e.Entries = slices.DeleteFunc(slices.Clone(e.Entries), func(x conformance.Entry) bool {
			return x.Region != "" && x.Region != r.Name || x.Region == "" && r.Subject != "" && x.Kind == conformance.KindStatus
		})
		v.levels = &e
	}
	v.index()
	v.compare()
	return &v
}

// judged lists everything that rules judge: of the whole stack, or of each region, where a subject with the same facts in
// several regions is listed once.
func (d *dossier) judged(scores []scoring.ProjectScore, seen []transparency.Result) []policies.Subject {
	if len(d.regions) == 0 {
		return d.subjects(scores, seen)
	}
	var out []policies.Subject
	type ref struct{ kind, id string }
	at := map[ref][]int{}
	for _, r := range d.regions {
		v := d.in(r)
		for _, s := range v.subjects(v.scores(), v.operatorResults()) {
			s.Regions, s.Shared = []string{r.Name}, !v.artifacts[s.Ref.ID].Own(r.Name)
			key := ref{s.Ref.Kind, s.Ref.ID}
			same := slices.IndexFunc(at[key], func(i int) bool { return sameFacts(out[i], s) })
			if same < 0 {
				at[key] = append(at[key], len(out))
				out = append(out, s)
				continue
			}
			i := at[key][same]
			out[i].Regions, out[i].Origins = append(out[i].Regions, r.Name), unite(out[i].Origins, s.Origins)
		}
	}
	for i := range out {
		if out[i].Shared && len(out[i].Regions) == len(d.regions) {
			out[i].Regions = nil
		}
	}
	return out
}

// sameFacts reports whether two subjects differ in nothing but their regions and where their facts come from.
func sameFacts(a, b policies.Subject) bool {
	a.Regions, a.Origins, b.Regions, b.Origins = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// unite adds the origins of b to those of a; neither is changed.
func unite(a, b map[string][]audit.Origin) map[string][]audit.Origin {
	out := maps.Clone(a)
	if out == nil {
		out = map[string][]audit.Origin{}
	}
	for field, list := range b {
		out[field] = slices.Clone(out[field])
		for _, o := range list {
			if !slices.Contains(out[field], o) {
				out[field] = append(out[field], o)
			}
		}
	}
	return out
}

// regionVerdicts are the decisions about one scope region by region.
func regionVerdicts(v policies.Verdict) []reports.RegionVerdict {
	var out []reports.RegionVerdict
	for _, r := range v.Regions {
		out = append(out, reports.RegionVerdict{
			Region: r.Region, Outcome: r.Outcome, Reason: r.Reason, ValidUntil: r.ValidUntil, Ends: r.Ends, Limiting: orEmpty(r.Limiting), Probation: r.Probation, Waived: r.Waived,
			Counts: reports.Counts{Pass: r.Counts.Pass, Fail: r.Counts.Fail, Miss: r.Counts.Miss, DNF: r.Counts.DNF, NA: r.Counts.NA},
		})
	}
	return out
}

// regionRows say how much was seen of each region.
func (d *dossier) regionRows() []reports.Region {
	var out []reports.Region
	for _, r := range d.regions {
		v := d.in(r)
		row := reports.Region{Name: r.Name, MonitorSubject: r.Subject, Undecided: v.comparison.Undecided, Coverage: v.coverage()}
		for _, a := range r.Inventory.Artifacts {
			row.Own += one(a.Own(r.Name))
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b reports.Region) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ownIn lists the regions that show an artifact by sources of their own; none: only sources that count for all do.
func ownIn(a sbom.Artifact) []string {
	var out []string
	for _, s := range a.Sightings {
		if s.Region != "" && !slices.Contains(out, s.Region) {
			out = append(out, s.Region)
		}
	}
	slices.Sort(out)
	return out
}

// regionSuffix names the region of a source behind it.
func regionSuffix(region string) string {
	if region == "" {
		return ""
	}
	return " of region " + region
}

// worstRung is level 2 of a layer over all regions: the worst of them, by name.
func (d *dossier) worstRung(layer string) (state, reason string) {
	order := []string{"failed", "undetermined", "not-assessed", "reached"}
	state = "reached"
	for _, r := range d.regions {
		s, why := d.in(r).levelRung(layer)
		if reason == "" || slices.Index(order, s) < slices.Index(order, state) {
			state, reason = s, "region "+r.Name+": "+why
		}
	}
	return state, reason
}
