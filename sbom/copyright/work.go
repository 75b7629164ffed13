package copyright

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// work holds the packages while they are asked about.
type work struct {
	packages []sbom.Packages
	own      []bool                // whose list of components is a copy already
	open     map[identity][]site   // components without licence
	heard    map[identity][]string // places that did not name the licence
	asking   map[string][]identity // of the phase: by subject of the question
}

// site is where a component stands: packages[list].Components[at].
type site struct{ list, at int }

// identity tells packages apart: what has the same one is the same package. Purls are not compared as texts, because tools
// write them differently.
type identity struct {
	Type, Namespace, Name, Version, Arch string
}

func identify(c sbom.Component) identity {
	id := identity{Type: c.Type, Name: c.Name, Version: c.Version, Arch: c.Arch}
	if p, err := packageurl.FromString(c.PURL); err == nil {
		id.Namespace = p.Namespace
	}
	return id
}

func compareIdentities(a, b identity) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch))
}

// weak are provenances of claims that leave a component silent: they say something about a list, an archive or an image,
// not about the package itself.
var weak = []string{sbom.FromCatalogue, sbom.FromArchiveArea, sbom.FromLabel}

// speaks reports whether anything about the package itself names its licence.
func speaks(c sbom.Component) bool {
	return slices.ContainsFunc(c.Licences, func(l sbom.LicenceClaim) bool {
		return l.Value != "" && !slices.Contains(weak, l.Provenance)
	})
}

func newWork(pkgs []sbom.Packages) *work {
	w := &work{packages: slices.Clone(pkgs), own: make([]bool, len(pkgs)), open: map[identity][]site{}, heard: map[identity][]string{}}
	for i, p := range pkgs {
		components, _ := p.Components.Get()
		for j, c := range components {
			if c.Version != "" && !speaks(c) {
				w.open[identify(c)] = append(w.open[identify(c)], site{i, j})
			}
		}
	}
	return w
}

func (w *work) component(s site) sbom.Component {
	components, _ := w.packages[s.list].Components.Get()
	return components[s.at]
}

// add gives claims to every component of the identity, in lists of our own.
func (w *work) add(id identity, claims []sbom.LicenceClaim) {
	for _, s := range w.open[id] {
		if !w.own[s.list] {
			fact := w.packages[s.list].Components
			components, _ := fact.Get()
			components = slices.Clone(components)
			fact.Value = &components
			w.packages[s.list].Components, w.own[s.list] = fact, true
		}
		c := &(*w.packages[s.list].Components.Value)[s.at]
		c.Licences = tidy(append(slices.Clone(c.Licences), claims...))
	}
	delete(w.open, id)
}

// tidy sorts claims and drops repetitions.
func tidy(claims []sbom.LicenceClaim) []sbom.LicenceClaim {
	slices.SortFunc(claims, func(a, b sbom.LicenceClaim) int {
		return cmp.Or(cmp.Compare(a.Provenance, b.Provenance), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Value, b.Value),
			cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Files, b.Files), cmp.Compare(a.Origin.URL, b.Origin.URL))
	})
	return slices.Compact(claims)
}

// lent are the provenances whose claims hold for every copy of a package: they were read from the package itself.
var lent = []string{sbom.FromCopyright, sbom.FromHidden, sbom.FromMetadata, sbom.FromText}

// fromOthers takes the licence of a silent component from the same package, in the same version and architecture, in
// another artifact (reference: order of sources when an image has no copyright files, 3). The first artifact by id
// serves. It returns how many components got one.
func (w *work) fromOthers() int {
	if len(w.open) == 0 {
		return 0
	}
	found := map[identity][]sbom.LicenceClaim{}
	for _, i := range w.byArtifact() {
		components, _ := w.packages[i].Components.Get()
		for _, c := range components {
			id := identify(c)
			if _, wanted := w.open[id]; wanted && found[id] == nil {
				found[id] = lend(c, w.packages[i].Artifact)
			}
		}
	}
	n := 0
	for id, claims := range found {
		if len(claims) > 0 {
			n += len(w.open[id])
			w.add(id, claims)
		}
	}
	return n
}

func (w *work) byArtifact() []int {
	order := make([]int, len(w.packages))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w.packages[a].Artifact, w.packages[b].Artifact) })
	return order
}

func lend(c sbom.Component, artifact string) []sbom.LicenceClaim {
	var out []sbom.LicenceClaim
	for _, l := range c.Licences {
		if !slices.Contains(lent, l.Provenance) || l.Value == "" {
			continue
		}
		l.Provenance, l.Origin = sbom.FromOtherImage, audit.Origin{Source: artifact, Path: l.Path}
		out = append(out, l)
	}
	return out
}

// questions returns what a place can be asked about the components that are still silent, each question once, sorted.
func (w *work) questions(p Place) []question {
	w.asking = map[string][]identity{}
	bySubject := map[string]question{}
	for _, id := range slices.SortedFunc(maps.Keys(w.open), compareIdentities) {
		s := w.open[id][0]
		q, ok := p.kind.about(w.component(s), w.packages[s.list].OS)
		if !ok {
			continue
		}
		bySubject[q.subject()] = q
		w.asking[q.subject()] = append(w.asking[q.subject()], id)
	}
	out := make([]question, 0, len(bySubject))
	for _, subject := range slices.Sorted(maps.Keys(bySubject)) {
		out = append(out, bySubject[subject])
	}
	return out
}

// hear hands out the claims of an answer, or notes that it has none.
func (w *work) hear(q question, r Record) {
	if r.Absent != "" {
		word, _, _ := strings.Cut(r.Place, " ")
		w.note(q, word+": "+r.Absent)
		return
	}
	claims := slices.Clone(r.Claims)
	for i := range claims {
		if claims[i].Origin == (audit.Origin{}) {
			claims[i].Origin = r.Origin
		}
	}
	for _, id := range w.asking[q.subject()] {
		w.add(id, claims)
	}
}

// note remembers that a place did not name the licence.
func (w *work) note(q question, place string) {
	for _, id := range w.asking[q.subject()] {
		w.heard[id] = append(w.heard[id], place)
	}
}

// mostNames bounds the names in one Silent; the count beside it tells how many there are.
const mostNames = 50

// silent says of which packages nobody names the licence.
func (w *work) silent() []Silent {
	byType := map[string]*Silent{}
	places := map[string][]string{}
	for _, id := range slices.SortedFunc(maps.Keys(w.open), compareIdentities) {
		s := byType[id.Type]
		if s == nil {
			s = &Silent{Type: id.Type}
			byType[id.Type] = s
		}
		s.Count++
		if len(s.Names) < mostNames {
			s.Names = append(s.Names, id.Name+" "+id.Version)
		}
		places[id.Type] = append(places[id.Type], w.heard[id]...)
	}
	var out []Silent
	for _, t := range slices.Sorted(maps.Keys(byType)) {
		s := byType[t]
		s.Reason, s.Settle = whySilent(places[t])
		out = append(out, *s)
	}
	return out
}

func whySilent(places []string) (reason, settle string) {
	const most = 10 // reasons; servers that fail in many ways are listed under Failures
	slices.Sort(places)
	places = slices.Compact(places)
	places = places[:min(len(places), most)]
	if len(places) == 0 {
		return "the artifacts name no licence, and nobody else was asked", "name places to ask under licences: in the stack file"
	}
	return "neither the artifacts nor the places that were asked name a licence; " + strings.Join(places, "; "),
		"read the licence of these packages, or name further places under licences: in the stack file"
}
