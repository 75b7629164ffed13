package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/policies"
)

// This file leads from a fact to the bytes of the bundle that show it: to a JSON pointer into the document of Pegel that holds
// the value, and to the bytes of what was read where the bundle keeps them. subjects.go says how a fact is made of them.

// mostPlaces bounds the places that are named for one fact.
const mostPlaces = 8

// placing knows where evidence lies in a bundle.
type placing struct {
	bundle   *bundle.Bundle
	entries  map[audit.Digest]bundle.Entry
	document map[string]bundle.Entry   // documents of Pegel by kind and name
	lines    map[audit.Digest][]int64  // where each line of a blob begins, and where the last one ends
	packages map[string]map[string]int // by artifact: index of a component by its reference
	index    map[string]map[string]int // by kind of subject: index in its document by id
	kinds    map[string]string         // by field of the operator: kind of the artifacts that it is read from
}

func newPlacing(b *bundle.Bundle) *placing {
	s := &placing{
		bundle: b, entries: map[audit.Digest]bundle.Entry{}, document: map[string]bundle.Entry{}, lines: map[audit.Digest][]int64{},
		packages: map[string]map[string]int{},
	}
	for _, e := range b.Evidence().Blobs {
		s.entries[e.Digest] = e
		if strings.HasPrefix(e.MediaType, "application/vnd.pegel.") {
			s.document[documentKey(e.Kind, e.Name)] = e
		}
	}
	return s
}

// documentKey names a document: there is one of each kind, but for packages and project-evidence.
func documentKey(kind, name string) string {
	if kind == "packages" || kind == "project-evidence" {
		return kind + " " + name
	}
	return kind
}

// at is a place in a document of Pegel, by the steps of a JSON pointer.
func (s *placing) at(kind, name string, steps ...any) []audit.Place {
	e, ok := s.document[documentKey(kind, name)]
	if !ok {
		return nil
	}
	p := audit.Place{Digest: e.Digest, Kind: e.Kind, Name: e.Name}
	if len(steps) == 0 {
		p.To = e.Size
		return []audit.Place{p}
	}
	var pointer strings.Builder
	for _, step := range steps {
		pointer.WriteByte('/')
		pointer.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(fmt.Sprint(step)))
	}
	p.Pointer = pointer.String()
	return []audit.Place{p}
}

// read is the place of bytes that an origin names by their digest; ok is false if the bundle does not know them. Of an origin
// with a line it is that line.
func (s *placing) read(o audit.Origin) (p audit.Place, ok bool) {
	e, known := s.entries[o.Digest]
	if o.Digest == "" || !known {
		return audit.Place{}, false
	}
	p = audit.Place{Digest: e.Digest, Kind: e.Kind, Name: e.Name, Withheld: e.Withheld, To: e.Size}
	if e.Withheld != "" {
		p.To = 0
		return p, true
	}
	if o.Line > 0 {
		if starts := s.linesOf(e); o.Line < len(starts) {
			p.From, p.To = starts[o.Line-1], starts[o.Line]
		}
	}
	return p, true
}

// linesOf returns where the lines of a blob begin, and where the last one ends; nil if it cannot be read.
func (s *placing) linesOf(e bundle.Entry) []int64 {
	if starts, known := s.lines[e.Digest]; known {
		return starts
	}
	data, err := s.bundle.Read(e.Digest)
	if err != nil {
		s.lines[e.Digest] = nil
		return nil
	}
	starts := []int64{0}
	for from := 0; ; {
		n := bytes.IndexByte(data[from:], '\n')
		if n < 0 {
			break
		}
		from += n + 1
		starts = append(starts, int64(from))
	}
	if starts[len(starts)-1] != int64(len(data)) {
		starts = append(starts, int64(len(data)))
	}
	s.lines[e.Digest] = starts
	return starts
}

// placed returns the grounds of a finding with the places in the bundle that show them.
func (d *dossier) placed(f audit.Finding) []audit.Ground {
	about := f.Subject
	if f.Example != nil {
		about = *f.Example
	}
	out := slices.Clone(f.Grounds)
	for i, g := range out {
		var places []audit.Place
		add := func(more ...audit.Place) {
			for _, p := range more {
				if len(places) < mostPlaces && !slices.Contains(places, p) {
					places = append(places, p)
				}
			}
		}
		_, field, _ := strings.Cut(g.Fact, ".")
		if g.Known {
			add(d.placesOf(about, field, f.Regions)...)
		}
		if g.Declared {
			add(d.placing.at("declaration", "")...)
		}
		for _, n := range g.Origins {
			if p, ok := d.placing.read(f.Origins[n]); ok {
				add(p)
			}
		}
		out[i].Places = places
	}
	return out
}

// placesOf is places for a finding that counts in some regions. In a what-if the documents of the bundle still tell of what was
// deployed, so that places are looked up there, and what runs only in the thought has none.
func (d *dossier) placesOf(about audit.SubjectRef, field string, regions []string) []audit.Place {
	if d.actual == nil {
		return d.places(about, field, regions)
	}
	if about.Kind == policies.KindStack || d.thought[about.ID] {
		return nil
	}
	return d.actual.places(about, field, regions)
}

// elsewhere reports whether evidence about one region says nothing about a finding that counts in others.
func elsewhere(region string, regions []string) bool {
	return region != "" && len(regions) > 0 && !slices.Contains(regions, region)
}

// places says where the documents of the bundle hold what a known fact is made of.
func (d *dossier) places(about audit.SubjectRef, field string, regions []string) []audit.Place {
	switch about.Kind {
	case policies.KindStack:
		return d.stackPlaces(field)
	case policies.KindArtifact:
		return d.artifactPlaces(about.ID, field)
	case policies.KindProduct:
		return d.productPlaces(about.ID, field)
	case policies.KindPackage:
		return d.packagePlaces(about.ID, field)
	case policies.KindProject:
		return d.projectPlaces(about.ID, field)
	case policies.KindOperator:
		return d.operatorPlaces(field, regions)
	case policies.KindPrerequisite:
		return d.levelPlaces(about.ID, regions)
	}
	return nil
}

func (d *dossier) stackPlaces(field string) []audit.Place {
	switch field {
	case "name", "kind":
		return d.placing.at("stack", "", "subject", field)
	case "bom":
		if d.stack.StackBOM != "" {
			return d.placing.at("stack", "", "stack_bom")
		}
	case "sbomBSI", "sbomShare", "sbomOpen":
		return d.qualityPlaces("", field)
	case "sourcesFailed": // the list is absent where none failed
		if len(d.inventory.Failures) > 0 {
			return d.placing.at("inventory", "", "failures")
		}
		return d.placing.at("inventory", "")
	case "corrections":
		if len(d.stack.Assign) > 0 {
			return d.placing.at("stack", "", "assign")
		}
		return d.placing.at("stack", "")
	case "hostsMissing", "servicesMissing", "missing":
		if len(d.inventory.Expected) > 0 {
			return d.placing.at("inventory", "", "expected")
		}
	}
	return d.placing.at("inventory", "", "artifacts")
}

// indexOf finds the place of a subject in the list of its document.
func (d *dossier) indexOf(kind, id string) (int, bool) {
	if d.placing.index == nil {
		d.placing.index = map[string]map[string]int{policies.KindArtifact: {}, policies.KindProduct: {}, policies.KindProject: {}}
		for i, a := range d.inventory.Artifacts {
			d.placing.index[policies.KindArtifact][a.ID] = i
		}
		for i, p := range d.projects.Products {
			d.placing.index[policies.KindProduct][productID(p)] = i
		}
		for i, p := range d.projects.Projects {
			d.placing.index[policies.KindProject][p.ID] = i
		}
	}
	i, ok := d.placing.index[kind][id]
	return i, ok
}

func (d *dossier) artifactPlaces(id, field string) []audit.Place {
	at, ok := d.indexOf(policies.KindArtifact, id)
	if !ok {
		return nil
	}
	a := d.inventory.Artifacts[at]
	one := func(key string, there bool) []audit.Place {
		if there {
			return d.placing.at("inventory", "", "artifacts", at, key)
		}
		return d.placing.at("inventory", "", "artifacts", at)
	}
	switch field {
	case "name", "kind":
		return one(field, true)
	case "reference":
		return one(field, a.Reference != "")
	case "version", "versionKnown":
		return one("version", a.Version != "")
	case "pinned":
		return one("unpinned", a.Unpinned != "")
	case "digest":
		return one(field, a.Digest != "")
	case "identified":
		return one("project", len(a.Projects) > 0)
	case "supported":
		return one("support", a.Support != nil)
	case "seen", "asDeclared", "drift":
		return one("sightings", len(a.Sightings) > 0)
	case "bom", "packages":
		if _, known := d.inside[id].Components.Get(); known {
			return d.placing.at("packages", id, "components", "value")
		}
	case "sbomBSI", "sbomShare", "sbomOpen":
		return d.qualityPlaces(id, field)
	case "attestedOnly", "builderBSI", "builderShare", "builderOpen":
		return d.builderPlaces(id)
	case "unknownRepositories", "nonFreeAreas":
		return d.repositoryPlaces(id)
	}
	return one("", false)
}

// qualityPlaces lead to what the check of an SBOM gave.
func (d *dossier) qualityPlaces(id, field string) []audit.Place {
	for i, q := range d.quality.Documents {
		if q.Artifact != id {
			continue
		}
		switch {
		case field == "sbomBSI":
			return d.placing.at("sbom-quality", "", "documents", i, "fulfilled")
		case field == "sbomShare":
			return append(d.placing.at("sbom-quality", "", "documents", i, "complete"), d.placing.at("sbom-quality", "", "documents", i, "components")...)
		case len(q.Open) > 0:
			return d.placing.at("sbom-quality", "", "documents", i, "open")
		}
		return d.placing.at("sbom-quality", "", "documents", i)
	}
	return nil
}

func (d *dossier) builderPlaces(id string) []audit.Place {
	var out []audit.Place
	for i, s := range d.inventory.Attested {
		if s.Artifact == id {
			out = append(out, d.placing.at("inventory", "", "attested", i)...)
		}
	}
	return out
}

func (d *dossier) repositoryPlaces(id string) []audit.Place {
	var out []audit.Place
	for i, r := range d.inventory.Repositories {
		if r.Host == id {
			out = append(out, d.placing.at("inventory", "", "repositories", i)...)
		}
	}
	if len(out) == 0 && len(d.inventory.Repositories) > 0 {
		return d.placing.at("inventory", "", "repositories")
	}
	return out
}

// productID names a component in its artifact; it is the id of the subject.
func productID(p product) string {
	return p.Project + "@" + orUnknown(p.Version) + " in " + p.Artifact
}

func (d *dossier) productPlaces(id, field string) []audit.Place {
	at, ok := d.indexOf(policies.KindProduct, id)
	if !ok {
		return nil
	}
	p := d.projects.Products[at]
	one := func(steps ...any) []audit.Place {
		return d.placing.at("projects", "", append([]any{"products", at}, steps...)...)
	}
	facts, read := d.evidence[p.Project].Licences[p.Version].Get()
	read = read && p.Version != "" && p.Edition == "" && facts.Expression != ""
	_, listed := p.Licence.Get()
	switch field {
	case "licence", "licenceClass", "licenceChecked":
		switch {
		case read:
			return d.placing.at("project-evidence", p.Project, "licences", p.Version, "value", "expression")
		case listed && field == "licence":
			return one("licence", "value")
		case field == "licenceClass":
			return one("class")
		case field == "licenceChecked":
			return one("checked")
		}
	case "openCore":
		_, tree := d.evidence[p.Project].Tree.Get()
		if vendor, known := p.VendorBuild.Get(); known && (vendor || !tree) {
			return one("vendor_build", "value")
		}
		if tree {
			return d.placing.at("project-evidence", p.Project, "tree", "value")
		}
	case "name", "artifact":
		return one(field)
	case "version":
		if p.Version != "" {
			return one("version")
		}
	case "edition":
		if p.Edition != "" {
			return one("edition")
		}
	}
	return one()
}

func (d *dossier) packagePlaces(id, field string) []audit.Place {
	ref, artifact, ok := cutLast(id, " in ")
	if !ok {
		return nil
	}
	components, _ := d.inside[artifact].Components.Get()
	index := d.placing.packages[artifact]
	if index == nil {
		index = make(map[string]int, len(components))
		for i, c := range components {
			index[c.Ref] = i
		}
		d.placing.packages[artifact] = index
	}
	at, ok := index[ref]
	if !ok {
		return nil
	}
	c := components[at]
	one := func(key string, there bool) []audit.Place {
		if there {
			return d.placing.at("packages", artifact, "components", "value", at, key)
		}
		return d.placing.at("packages", artifact, "components", "value", at)
	}
	switch field {
	case "licence", "licenceClass":
		return one("licences", len(c.Licences) > 0)
	case "identified":
		return one("purl", c.PURL != "")
	case "section":
		return one("section", c.Section != "")
	case "name", "version", "type":
		return one(field, true)
	}
	return one("", false)
}

// cutLast cuts around the last occurrence of a separator.
func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

func (d *dossier) projectPlaces(id, field string) []audit.Place {
	at, ok := d.indexOf(policies.KindProject, id)
	if !ok {
		return nil
	}
	switch field {
	case "name":
		return d.placing.at("projects", "", "projects", at, "name")
	case "role":
		if d.projects.Projects[at].Role != "" {
			return d.placing.at("projects", "", "projects", at, "role")
		}
		return d.placing.at("projects", "", "projects", at)
	case "maintained":
		if _, known := d.evidence[id].History.Get(); known {
			return d.placing.at("project-evidence", id, "history", "value", "last_human_commit")
		}
	}
	return d.placing.at("project-evidence", id) // scores are made of the whole document
}

// operatorPlaces lead to the artifacts that the indicator behind a field looks at.
func (d *dossier) operatorPlaces(field string, regions []string) []audit.Place {
	if d.operator == nil {
		return nil
	}
	if d.placing.kinds == nil {
		d.placing.kinds = map[string]string{}
		for _, r := range d.operatorResults() {
			d.placing.kinds[operatorFields()[r.Indicator.ID]] = r.Indicator.Kind
		}
	}
	var out []audit.Place
	for i, a := range d.operator.Artifacts {
		if kind := d.placing.kinds[field]; kind != "" && a.Kind == kind && !elsewhere(a.Region, regions) {
			out = append(out, d.placing.at("transparency", "", "artifacts", i)...)
		}
	}
	if len(out) == 0 && field == "notApplicable" {
		return d.placing.at("transparency", "")
	}
	return out
}

// levelPlaces lead to the evidence about level 2 of a layer.
func (d *dossier) levelPlaces(scope string, regions []string) []audit.Place {
	if d.levels == nil {
		return nil
	}
	var out []audit.Place
	for i, e := range d.levels.Entries {
		if e.Layer != "" && strings.HasSuffix(scope, "-"+e.Layer) && !elsewhere(e.Region, regions) {
			out = append(out, d.placing.at("conformance", "", "entries", i)...)
		}
	}
	return out
}
