package policies

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is something that states demands on levels 3 and 4: a standard, a manifesto, minutes of a meeting, or the reasons
// that this policy gives itself. It is pinned, so that everyone who looks finds the words that were read.
type Document struct {
	ID         string // e.g. scs-0008
	Title      string
	Status     string // draft, stable, minutes, law, proposal, ...
	URL        string // where people read it; empty for our own reasons
	Repository string // https address of the git repository that holds it; empty if it is in none
	Commit     string // revision that was read, in full
	Path       string // of the file in the repository
}

// Clause is one demand that a document states. Each is served by at least one requirement, or refused with a reason.
type Clause struct {
	Document Document
	ID       string // within the policy: "<document>/<clause>", e.g. scs-0008/open-source-1
	At       string // where in the document, for people: "Four Opens, first point"
	Path     string // file in the repository, where it is another than that of the document
	Line     int    // first line of the quotation in that file, counted from 1; 0: not in a file of lines
	Quote    string // the words that carry the demand, as they stand there; empty where there is nothing to quote
	Says     Text   // in our own words: what it demands
	Refused  Text   // why no requirement serves it; nil: at least one does
}

// Bounds of a table of clauses.
const (
	mostClauses    = 2000
	mostQuoteWords = 15 // a quotation proves a demand, it does not stand for the document
)

// Address leads to the words: the file at the revision that was read, with the line, or the page of the document.
func (c Clause) Address() string {
	if c.Document.Repository == "" || c.file() == "" {
		return c.Document.URL
	}
	at := c.Document.Repository + "/blob/" + c.Document.Commit + "/" + c.file()
	if c.Line > 0 {
		at += fmt.Sprintf("#L%d", c.Line)
	}
	return at
}

func (c Clause) file() string {
	if c.Path != "" {
		return c.Path
	}
	return c.Document.Path
}

// File is the file of the document's repository that holds the words; empty if there is none.
func (c Clause) File() string { return c.file() }

// String writes the source on one line: document, place and address.
func (c Clause) String() string {
	s := c.Document.Title
	if c.At != "" {
		s += ", " + c.At
	}
	if a := c.Address(); a != "" {
		s += " (" + a + ")"
	}
	return s
}

// Clauses lists every demand of every document, sorted by id: the table that says of each which requirements serve it.
func (p *Policy) Clauses() []Clause { return slices.Clone(p.clauses) }

// Clause returns one clause by id.
func (p *Policy) Clause(id string) (Clause, bool) {
	at := slices.IndexFunc(p.clauses, func(c Clause) bool { return c.ID == id })
	if at < 0 {
		return Clause{}, false
	}
	return p.clauses[at], true
}

// Serving lists the ids of the requirements that serve a clause, sorted.
func (p *Policy) Serving(clause string) []string {
	var out []string
	for _, q := range p.requirements {
		if slices.ContainsFunc(q.Sources, func(c Clause) bool { return c.ID == clause }) {
			out = append(out, q.ID)
		}
	}
	return out
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

// clauses reads one document with its clauses.
func (l *loader) clauses(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "id", "title", "status", "url", "repository", "commit", "path", "clauses")
	r.oneOf(root, m, "schema", Schema)
	d := Document{
		ID: r.identifier(root, m, "id"), Title: r.needed(root, m, "title"), Status: r.needed(root, m, "status"),
		URL: r.address(m["url"]), Repository: strings.TrimSuffix(r.address(m["repository"]), ".git"), Commit: r.text(m["commit"]), Path: r.path(m["path"]),
	}
	if d.Repository != "" && !commitForm.MatchString(d.Commit) {
		r.problem(orNode(m["commit"], root), "a document in a repository names the commit that was read, in full: 40 hexadecimal digits")
	}
	if want := path.Base(r.file); d.ID != "" && d.ID+".yaml" != want {
		r.problem(m["id"], "the clauses of %q stand in clauses/%s.yaml", d.ID, d.ID)
	}
	list := r.entries(m["clauses"])
	if m != nil && len(list) == 0 {
		r.problem(root, "a document has at least one clause")
	}
	for _, n := range list {
		l.clause(r, n, d)
	}
}

func (l *loader) clause(r *reader, n *yaml.Node, d Document) {
	m := r.mapping(n, "id", "at", "path", "line", "quote", "says", "refused")
	id := r.identifier(n, m, "id")
	if id == "" {
		return
	}
	c := Clause{
		Document: d, ID: d.ID + "/" + id, At: r.text(m["at"]), Path: r.path(m["path"]), Line: r.integer(m["line"], 1, 1_000_000),
		Quote: r.text(m["quote"]), Says: r.translated(n, m, "says"),
	}
	if m["refused"] != nil {
		c.Refused = r.translated(n, m, "refused")
	}
	switch words := len(strings.Fields(c.Quote)); {
	case words > mostQuoteWords:
		r.problem(m["quote"], "the quotation has %d words; at most %d, those that carry the demand", words, mostQuoteWords)
	case c.Quote != "" && c.Line == 0 && d.Repository != "":
		r.problem(n, `"line" is missing: where the quotation stands in %s`, clean(c.file()))
	}
	switch {
	case l.whereClause[c.ID] != nil:
		r.problem(n, "clause %q exists already", c.ID)
	case len(l.policy.clauses) == mostClauses:
		r.problem(n, "a policy has at most %d clauses", mostClauses)
	default:
		l.whereClause[c.ID] = &spot{r.file, n}
		l.policy.clauses = append(l.policy.clauses, c)
	}
}

// address reads an address of the web; a missing one is empty.
func (r *reader) address(n *yaml.Node) string {
	v := r.text(n)
	if v != "" && !strings.HasPrefix(v, "https://") {
		r.problem(n, "an address starts with https://")
	}
	return v
}

// path reads the name of a file in a repository; a missing one is empty.
func (r *reader) path(n *yaml.Node) string {
	v := r.text(n)
	if v != "" && (path.IsAbs(v) || path.Clean(v) != v || strings.HasPrefix(v, "../")) {
		r.problem(n, "%q is no path of a file inside a repository", clean(v))
	}
	return v
}

// sources reads the ids of the clauses that a requirement or a switch rests on; they are looked up once all files are read.
func (r *reader) sources(parent *yaml.Node, m map[string]*yaml.Node) []string {
	out := r.texts(m["sources"])
	if m != nil && len(out) == 0 {
		r.problem(orNode(m["sources"], parent), `"sources" is missing: the clauses that it rests on, as <document>/<clause>`)
	}
	return out
}

// resolveClauses leads requirements and switches to their clauses and checks that no clause is left without an answer.
func (l *loader) resolveClauses() {
	p := l.policy
	slices.SortFunc(p.clauses, func(a, b Clause) int { return strings.Compare(a.ID, b.ID) })
	served := map[string]bool{}
	find := func(from spot, ids []string) (out []Clause) {
		for _, id := range ids {
			c, ok := p.Clause(id)
			if !ok {
				known := make([]string, len(p.clauses))
				for i, c := range p.clauses {
					known[i] = c.ID
				}
				l.problem(at(from.file, from.node, "no clause %q%s", clean(id), didYouMean(id, known)))
				continue
			}
			served[id] = true
			out = append(out, c)
		}
		return out
	}
	for i := range p.requirements {
		q := &p.requirements[i]
		q.Sources = find(spot{l.files[q.ID], l.where[q.ID]}, l.sourcesOf[q.ID])
	}
	for i := range p.switches {
		s := &p.switches[i]
		s.Sources = find(spot{manifest, l.where["switches"]}, s.sources)
	}
	for _, c := range p.clauses {
		where := l.whereClause[c.ID]
		switch {
		case served[c.ID] && c.Refused != nil:
			l.problem(at(where.file, where.node, "clause %q is refused, and a requirement rests on it", c.ID))
		case !served[c.ID] && c.Refused == nil:
			l.problem(at(where.file, where.node, `no requirement rests on clause %q; name it in the sources of one, or say under "refused" why none does`, c.ID))
		}
	}
}
