package policies

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Strengths of what findings give to a criterion of another framework.
const (
	Direct  = "E" // a finding is direct evidence
	Part    = "P" // part of it
	Context = "C" // context only
)

// Framework is another set of criteria, whose criteria the requirements of this policy support. Nothing here says that
// anybody meets the framework: that is for whoever judges by it.
type Framework struct {
	ID       string
	Title    Text
	Version  string
	Date     string // of that version, as 2026-04-27, 2026-04 or 2026
	Status   string // law, in force, proposal, guidance, ...
	URL      string
	Verified bool // its ids and what it asks were read in the framework itself
	Note     Text // what to know before using it; nil: nothing
	Criteria []Criterion
}

// Criterion is one demand of a framework and what the requirements give to it.
type Criterion struct {
	ID           string // as the framework writes it
	Asks         Text   // in our own words
	Gives        Text   // what of this policy speaks to it
	Strength     string // Direct, Part or Context
	Requirements []string
	Note         Text
}

// Bounds of a crosswalk.
const (
	mostCriteria    = 500
	mostCriterionID = 80
)

// Crosswalk lists the frameworks, sorted by id. It names requirements and they do not name it, so that a framework is added
// without an edit of any of them.
func (p *Policy) Crosswalk() []Framework { return slices.Clone(p.crosswalk) }

// Supporting lists the criteria that a requirement supports, as "<framework>/<criterion>", in the order of the frameworks.
func (p *Policy) Supporting(requirement string) []string {
	var out []string
	for _, f := range p.crosswalk {
		for _, c := range f.Criteria {
			if slices.Contains(c.Requirements, requirement) {
				out = append(out, f.ID+"/"+c.ID)
			}
		}
	}
	return out
}

// framework reads one framework with its criteria.
func (l *loader) framework(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "id", "title", "version", "date", "status", "url", "verified", "note", "criteria")
	r.oneOf(root, m, "schema", Schema)
	f := Framework{
		ID: r.identifier(root, m, "id"), Title: r.translated(root, m, "title"), Version: r.needed(root, m, "version"), Date: r.needed(root, m, "date"),
		Status: r.needed(root, m, "status"), URL: r.address(m["url"]), Verified: r.boolean(m["verified"]),
	}
	if m != nil && m["verified"] == nil {
		r.problem(root, `"verified" is missing: true if ids and demands were read in the framework itself`)
	}
	if m["note"] != nil {
		f.Note = r.translated(root, m, "note")
	}
	if m != nil && !f.Verified && f.Note == nil {
		r.problem(root, `"note" is missing: what was read in place of the framework itself`)
	}
	if want := path.Base(r.file); f.ID != "" && f.ID+".yaml" != want {
		r.problem(m["id"], "the criteria of %q stand in crosswalk/%s.yaml", f.ID, f.ID)
	}
	list := r.entries(m["criteria"])
	if m != nil && (len(list) == 0 || len(list) > mostCriteria) {
		r.problem(root, "a framework has one to %d criteria", mostCriteria)
		return
	}
	for _, n := range list {
		if c, ok := l.criterion(r, n, f); ok {
			f.Criteria = append(f.Criteria, c)
		}
	}
	l.policy.crosswalk = append(l.policy.crosswalk, f)
}

func (l *loader) criterion(r *reader, n *yaml.Node, f Framework) (Criterion, bool) {
	m := r.mapping(n, "id", "asks", "gives", "strength", "requirements", "note")
	c := Criterion{
		ID: r.needed(n, m, "id"), Asks: r.translated(n, m, "asks"), Gives: r.translated(n, m, "gives"),
		Strength: r.oneOf(n, m, "strength", Direct, Part, Context), Requirements: r.texts(m["requirements"]),
	}
	if m["note"] != nil {
		c.Note = r.translated(n, m, "note")
	}
	switch {
	case m == nil || c.ID == "":
		return c, false
	case len(c.ID) > mostCriterionID || c.ID != clean(c.ID):
		r.problem(m["id"], "the id of a criterion has at most %d characters on one line", mostCriterionID)
	case slices.ContainsFunc(f.Criteria, func(o Criterion) bool { return o.ID == c.ID }):
		r.problem(m["id"], "criterion %q stands here twice", c.ID)
	case len(c.Requirements) == 0 && c.Strength != Context:
		r.problem(n, `"requirements" is missing: those whose findings are evidence; a criterion without any has strength %s`, Context)
	}
	l.criteria = append(l.criteria, named{spot{r.file, orNode(m["requirements"], n)}, c.Requirements})
	return c, true
}

// named is a list of requirement ids with its place.
type named struct {
	spot
	ids []string
}

// resolveCrosswalk checks that every requirement that a framework names is there.
func (l *loader) resolveCrosswalk() {
	slices.SortFunc(l.policy.crosswalk, func(a, b Framework) int { return strings.Compare(a.ID, b.ID) })
	for _, from := range l.criteria {
		for i, id := range from.ids {
			if l.where[id] == nil || l.files[id] == "" {
				place := from.node
				if i < len(place.Content) {
					place = place.Content[i]
				}
				known := sortedKeys(l.files)
				l.problem(at(from.file, place, "no requirement %q%s", clean(id), didYouMean(id, known)))
			}
		}
	}
}

// String writes a framework on one line: title, version and date.
func (f Framework) String() string {
	return fmt.Sprintf("%s, %s (%s)", f.Title["en"], f.Version, f.Date)
}
