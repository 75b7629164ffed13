package policies

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of a policy as a whole.
const (
	mostRequirements = 1000
	mostScopes       = 64 // a finding remembers its scopes in 64 bits
	highestBudget    = 1_000_000
)

// loader gathers a policy and every problem on the way.
type loader struct {
	policy      *Policy
	problems    []Problem
	profileID   string
	profiles    []File
	compilers   map[string]*compiler
	modules     map[string][]string // requirement ids by module, in the order of the file
	where       map[string]*yaml.Node
	files       map[string]string   // of each requirement
	sourcesOf   map[string][]string // clause ids by requirement
	whereClause map[string]*spot
	lifetimes   map[string]spot // where each lifetime is named first
	scopes      []scopeFile
	criteria    []named         // requirements by criteria of other frameworks
	turned      map[string]bool // switches that stand another way than the file says
}

// spot is a place in a file.
type spot struct {
	file string
	node *yaml.Node
}

// scopeFile is a scope whose includes are resolved once all modules are known.
type scopeFile struct {
	r       *reader
	node    *yaml.Node
	keys    map[string]*yaml.Node
	scope   Scope
	include *yaml.Node
}

// load checks a list of files and makes a policy of them; problems are in the order of files and lines.
func load(files []File) (*Policy, []Problem) { return loadTurned(files, nil) }

// loadTurned is load with some switches turned.
func loadTurned(files []File, turned map[string]bool) (*Policy, []Problem) {
	l := &loader{
		policy: &Policy{moduleTitles: map[string]Text{}}, turned: turned, compilers: map[string]*compiler{},
		modules: map[string][]string{}, where: map[string]*yaml.Node{}, files: map[string]string{}, sourcesOf: map[string][]string{}, whereClause: map[string]*spot{}, lifetimes: map[string]spot{},
	}
	if !l.take(files) {
		return nil, l.problems
	}
	for _, f := range l.policy.files {
		l.file(f)
	}
	l.resolve()
	if len(l.problems) > 0 {
		sortProblems(l.problems)
		return nil, l.problems
	}
	l.finish()
	return l.policy, nil
}

// take checks the names of the files and keeps a sorted copy.
func (l *loader) take(files []File) bool {
	if len(files) > mostFiles {
		l.problem(Problem{File: ".", Text: "more files than a policy may have"})
		return false
	}
	l.policy.files = slices.Clone(files)
	slices.SortFunc(l.policy.files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	seen := map[string]bool{}
	for _, f := range l.policy.files {
		dir, name := path.Split(f.Name)
		inside := slices.Contains(folders(), strings.TrimSuffix(dir, "/")) && path.Ext(name) == ".yaml"
		switch {
		case !fs.ValidPath(f.Name) || f.Name != manifest && f.Name != glossaryFile && !inside:
			l.problem(Problem{File: clean(f.Name), Text: "no file of a policy; those are policy.yaml, glossary.yaml and *.yaml in clauses, crosswalk, modules, profiles and scopes"})
		case seen[f.Name]:
			l.problem(Problem{File: f.Name, Text: "the file stands in the list twice"})
		}
		seen[f.Name] = true
	}
	if !seen[manifest] {
		l.problem(Problem{File: manifest, Text: "no such file; it names the policy"})
	}
	return len(l.problems) == 0
}

// sortProblems puts problems in the order of files and lines.
func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

func (l *loader) problem(p Problem) {
	if len(l.problems) < mostProblems {
		l.problems = append(l.problems, p)
	}
}

// file reads one file. The manifest comes after the modules by name, so the budget is read first.
func (l *loader) file(f File) {
	if strings.HasPrefix(f.Name, "profiles/") {
		l.profiles = append(l.profiles, f) // read when the manifest has said which is the main one
		return
	}
	r := &reader{file: f.Name}
	if root := r.root(f.Data); root != nil {
		switch path.Dir(f.Name) {
		case "clauses":
			l.clauses(r, root)
		case "crosswalk":
			l.framework(r, root)
		case "modules":
			l.module(r, root)
		case "scopes":
			l.scope(r, root)
		default:
			if f.Name == glossaryFile {
				l.terms(r, root)
				break
			}
			l.manifest(r, root)
		}
	}
	for _, p := range r.problems {
		l.problem(p)
	}
}

func (l *loader) manifest(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "id", "version", "status", "title", "profile", "cost_budget", "switches", "stabilized", "timeline")
	r.oneOf(root, m, "schema", Schema)
	p := l.policy
	p.id = r.identifier(root, m, "id")
	p.version = r.needed(root, m, "version")
	p.status = r.oneOf(root, m, "status", "proposal", "adopted")
	p.title = r.translated(root, m, "title")
	p.stabilized = r.day(m["stabilized"])
	p.timeline = l.states(r, m["timeline"])
	l.profileID = r.identifier(root, m, "profile")
	l.where["profile"] = m["profile"]
	p.budget = uint64(r.integer(m["cost_budget"], 1, highestBudget))
	p.switches = l.turn(r.switchesOf(m["switches"]))
	l.where["switches"] = m["switches"]
	if m != nil && m["cost_budget"] == nil {
		r.problem(root, `"cost_budget" is missing: what one rule may cost`)
	}
}

// translated reads a text by language; English must be there.
func (r *reader) translated(parent *yaml.Node, m map[string]*yaml.Node, key string) Text {
	n := m[key]
	if n == nil {
		if m != nil {
			r.problem(parent, "%q is missing", key)
		}
		return nil
	}
	languages := r.mapping(n, "en", "de", "fr")
	out := Text{}
	for lang, value := range languages {
		out[lang] = r.text(value)
		if strings.ContainsFunc(out[lang], func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) {
			r.problem(value, "the text holds a control character")
		}
	}
	if languages != nil && out["en"] == "" {
		r.problem(n, "%s has no English text", key)
	}
	return out
}

func (l *loader) module(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "id", "title", "requirements")
	r.oneOf(root, m, "schema", Schema)
	id := r.identifier(root, m, "id")
	if title := r.translated(root, m, "title"); l.policy.moduleTitles[id] == nil {
		l.policy.moduleTitles[id] = title
	}
	if _, twice := l.modules[id]; twice {
		r.problem(m["id"], "module %q is in another file too", id)
	}
	list := r.entries(m["requirements"])
	if len(list) == 0 && m != nil {
		r.problem(root, "a module has at least one requirement")
	}
	for _, n := range list {
		q := l.requirement(r, n, id)
		if q.ID == "" {
			continue
		}
		if l.where[q.ID] != nil {
			r.problem(n, "requirement %q exists already", q.ID)
			continue
		}
		if len(l.policy.requirements) == mostRequirements {
			r.problem(n, "a policy has at most %d requirements", mostRequirements)
			return
		}
		l.where[q.ID] = n
		l.modules[id] = append(l.modules[id], q.ID)
		l.policy.requirements = append(l.policy.requirements, q)
	}
}

func (l *loader) requirement(r *reader, n *yaml.Node, module string) Requirement {
	m := r.mapping(n, "id", "severity", "for_each", "title", "rationale", "remedy", "owner", "sources", "applies", "pass",
		"because", "evidence", "lifetime", "declared_ok", "effective_on", "manual")
	if m == nil {
		return Requirement{}
	}
	q := Requirement{
		ID: r.identifier(n, m, "id"), Module: module,
		Severity: r.oneOf(n, m, "severity", Must, Should),
		ForEach:  r.oneOf(n, m, "for_each", Kinds()...),
		Title:    r.translated(n, m, "title"), Rationale: r.translated(n, m, "rationale"), Remedy: r.translated(n, m, "remedy"),
		Owner:   r.oneOf(n, m, "owner", "operator", "upstream", "distribution", "assessor"),
		Applies: r.text(m["applies"]), Pass: r.needed(n, m, "pass"),
		Lifetime: r.needed(n, m, "lifetime"), DeclaredOK: r.boolean(m["declared_ok"]),
		EffectiveOn: r.day(m["effective_on"]), Manual: r.boolean(m["manual"]),
		at: Problem{File: r.file, Line: n.Line, Column: n.Column},
	}
	if l.where[q.ID] == nil {
		l.files[q.ID], l.sourcesOf[q.ID] = r.file, r.sources(n, m)
	}
	if _, known := l.lifetimes[q.Lifetime]; !known {
		l.lifetimes[q.Lifetime] = spot{r.file, m["lifetime"]}
	}
	if schemaOf(q.ForEach) == nil {
		return q
	}
	q.rule = l.rule(r, m, q)
	q.Because = r.because(m["because"], q.rule)
	q.Evidence = r.evidence(n, m["evidence"], q)
	return q
}

func (r *reader) day(n *yaml.Node) time.Time {
	if n == nil {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		r.problem(n, "a day such as 2027-01-01 is needed here")
	}
	return day
}

// rule compiles applies and pass. Problems inside an expression name line and column of the file.
func (l *loader) rule(r *reader, m map[string]*yaml.Node, q Requirement) *rule {
	c := l.compilers[q.ForEach]
	if c == nil {
		var err error
		if c, err = newCompiler(q.ForEach, l.budget(), l.switches()); err != nil {
			r.problem(m["for_each"], "%s", clean(err.Error()))
			return nil
		}
		l.compilers[q.ForEach] = c
	}
	out := &rule{kind: q.ForEach, schema: c.schema}
	if q.Applies != "" {
		out.applies = r.expression(c, m["applies"])
	}
	if q.Pass != "" {
		out.pass = r.expression(c, m["pass"])
	}
	if out.pass == nil || q.Applies != "" && out.applies == nil {
		return nil
	}
	if reads, _ := fieldsRead(q.ForEach, c.schema, out.pass); len(reads) == 0 {
		r.problem(m["pass"], "the rule reads no fact of the %s, so its answer is always the same", q.ForEach)
		return nil
	}
	out.reads, out.aspects = fieldsRead(q.ForEach, c.schema, out.applies, out.pass)
	return out
}

// budget is what one rule may cost. The manifest is read after the modules, so its number is looked up here.
func (l *loader) budget() uint64 {
	for _, f := range l.policy.files {
		if f.Name != manifest {
			continue
		}
		quiet := &reader{file: f.Name}
		if root := quiet.root(f.Data); root != nil && root.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(root.Content); i += 2 {
				if root.Content[i].Value == "cost_budget" {
					return uint64(quiet.integer(root.Content[i+1], 1, highestBudget))
				}
			}
		}
	}
	return highestBudget
}

func (r *reader) expression(c *compiler, n *yaml.Node) *expression {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(n.Value, "\n") {
		r.problem(n, "a rule stands on one line")
		return nil
	}
	x, faults := c.compile(n.Value)
	at := place{n.Line, n.Column}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at.column++
	}
	for _, f := range faults {
		r.problem(&yaml.Node{Line: at.line + f.line - 1, Column: at.column + f.column - 1}, "%s", f.text)
	}
	return x
}

// because reads the sentences that explain an answer.
func (r *reader) because(n *yaml.Node, rule *rule) map[string]string {
	if n == nil {
		return nil
	}
	out := map[string]string{}
	for outcome, value := range r.mapping(n, "pass", "fail", "na") {
		out[outcome] = r.text(value)
		if rule == nil {
			continue
		}
		t, err := parseTemplate(out[outcome], rule.kind, rule.schema)
		if err != nil {
			r.problem(value, "%s", err)
			continue
		}
		if rule.because == nil {
			rule.because = map[string]template{}
		}
		rule.because[outcome] = t
	}
	return out
}

// evidence reads the fact paths to be shown; every field that the rule reads must be among them.
func (r *reader) evidence(parent, n *yaml.Node, q Requirement) []string {
	paths := r.texts(n)
	known := FieldsOf(q.ForEach)
	for i, p := range paths {
		short, ok := strings.CutPrefix(p, variable(q.ForEach)+".")
		if !ok || !slices.Contains(known, short) {
			r.problem(n.Content[min(i, len(n.Content)-1)], "no fact %q; facts of each %s are %s.<field>%s", clean(p), q.ForEach, variable(q.ForEach), didYouMean(short, known))
		}
	}
	if q.rule != nil {
		for _, i := range q.rule.reads {
			if p := q.rule.path(i); !slices.Contains(paths, p) {
				r.problem(orNode(n, parent), "evidence of %q does not list %s, which the rule reads", q.ID, p)
			}
		}
		q.rule.shows = shownFields(q.rule, paths)
	}
	return paths
}

// shownFields lists the fields that findings show: those that the rule reads, then the others of its evidence.
func shownFields(r *rule, evidence []string) []int {
	out := slices.Clone(r.reads)
	for _, path := range evidence {
		for i := range r.schema {
			if r.path(i) == path && !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

func (l *loader) scope(r *reader, root *yaml.Node) {
	m := r.mapping(root, "schema", "id", "title", "level", "number", "layer", "gates", "requires", "select", "include")
	r.oneOf(root, m, "schema", Schema)
	s := Scope{
		ID: r.identifier(root, m, "id"), Title: r.needed(root, m, "title"), Level: r.identifier(root, m, "level"),
		Number: r.integer(m["number"], 1, 9), Layer: r.identifier(root, m, "layer"), Gates: r.identifier(root, m, "gates"),
		Requires: r.text(m["requires"]), Select: r.selectors(m["select"]),
	}
	if m != nil && (s.Number == 0 && m["number"] == nil) {
		r.problem(root, `"number" is missing: the level as a number, 3 for SCS-open`)
	}
	if s.Requires != "" && !validID(s.Requires) {
		r.problem(m["requires"], "%q is no scope id", clean(s.Requires))
	}
	if m != nil && len(s.Select) == 0 {
		r.problem(root, `"select" is missing: which tiers and areas of the stack the scope judges`)
	}
	if slices.ContainsFunc(l.scopes, func(f scopeFile) bool { return f.scope.ID == s.ID }) {
		r.problem(root, "scope %q is in another file too", s.ID)
	}
	l.scopes = append(l.scopes, scopeFile{r: r, node: root, keys: m, scope: s, include: m["include"]})
}

func (r *reader) selectors(n *yaml.Node) []Selector {
	var out []Selector
	for _, e := range r.entries(n) {
		m := r.mapping(e, "tiers", "areas", "kinds")
		s := Selector{Tiers: r.texts(m["tiers"]), Areas: r.texts(m["areas"]), Kinds: r.texts(m["kinds"])}
		tiers := []string{"functional", "iam", "ops", "base"}
		for i, tier := range s.Tiers {
			if !slices.Contains(tiers, tier) {
				r.problem(m["tiers"].Content[min(i, len(m["tiers"].Content)-1)], "no tier %q; tiers are %s%s", clean(tier), strings.Join(tiers, ", "), didYouMean(tier, tiers))
			}
		}
		for i, kind := range s.Kinds {
			if !placed(kind) {
				r.problem(m["kinds"].Content[min(i, len(m["kinds"].Content)-1)], "no kind %q with a place in the stack; those are artifact, product, package and project", clean(kind))
			}
		}
		out = append(out, s)
	}
	return out
}

// placed reports whether subjects of the kind stand in a tier and an area of the stack.
func placed(kind string) bool {
	return slices.Contains([]string{KindArtifact, KindProduct, KindPackage, KindProject}, kind)
}

// resolve checks what one file says about others: includes, prerequisites, gates, lifetimes, the profile.
func (l *loader) resolve() {
	profiles, problems := loadProfiles(l.profiles, l.profileID)
	for _, p := range problems {
		l.problem(p)
	}
	profile, ok := profiles.get(l.profileID)
	if !ok && l.profileID != "" {
		l.problem(at(manifest, l.where["profile"], "no profile %q in profiles/", l.profileID))
	}
	l.policy.profiles = profiles
	l.resolveClauses()
	l.resolveCrosswalk()
	for _, q := range l.policy.requirements {
		_, known := profile.Lifetimes[q.Lifetime]
		if _, open := l.lifetimes[q.Lifetime]; ok && open && q.Lifetime != "" && !known {
			names := sortedKeys(profile.Lifetimes)
			first := l.lifetimes[q.Lifetime]
			l.problem(at(first.file, first.node, "no lifetime %q in profile %q; there are %s%s",
				clean(q.Lifetime), l.profileID, strings.Join(names, ", "), didYouMean(q.Lifetime, names)))
			delete(l.lifetimes, q.Lifetime)
		}
	}
	for i := range l.scopes {
		f := &l.scopes[i]
		f.r.problems = nil // those of the first pass are noted already
		l.includes(f)
		l.prerequisite(f)
		if ok {
			l.gates(f, profile)
		}
		for _, p := range f.r.problems {
			l.problem(p)
		}
	}
	if len(l.scopes) == 0 || len(l.scopes) > mostScopes {
		l.problem(Problem{File: "scopes", Text: "a policy has one to 64 scopes"})
	}
}

func at(file string, n *yaml.Node, format string, args ...any) Problem {
	r := &reader{file: file}
	r.problem(n, format, args...)
	return r.problems[0]
}

// includes resolves the modules of a scope to requirement ids, in the order of the file.
func (l *loader) includes(f *scopeFile) {
	for _, e := range f.r.entries(f.include) {
		if e.Kind == yaml.ScalarNode {
			if ids, ok := l.moduleOf(f.r, e); ok {
				f.add(e, ids)
			}
			continue
		}
		m := f.r.mapping(e, "module", "requirements")
		ids, ok := l.moduleOf(f.r, m["module"])
		chosen := f.r.texts(m["requirements"])
		if m != nil && len(chosen) == 0 {
			f.r.problem(e, "name the requirements, or include the whole module by its id")
		}
		for _, id := range chosen {
			if ok && !slices.Contains(ids, id) {
				f.r.problem(m["requirements"], "module %q has no requirement %q%s", m["module"].Value, clean(id), didYouMean(id, ids))
			}
		}
		f.add(e, chosen)
	}
	if len(f.scope.Include) == 0 {
		f.r.problem(f.node, `"include" is missing: the modules that the scope demands`)
	}
}

func (f *scopeFile) add(n *yaml.Node, ids []string) {
	for _, id := range ids {
		if slices.Contains(f.scope.Include, id) {
			f.r.problem(n, "requirement %q is included twice", clean(id))
			continue
		}
		f.scope.Include = append(f.scope.Include, id)
	}
}

func (l *loader) moduleOf(r *reader, n *yaml.Node) ([]string, bool) {
	id := r.text(n)
	ids, ok := l.modules[id]
	if !ok && n != nil {
		r.problem(n, "no module %q%s", clean(id), didYouMean(id, sortedKeys(l.modules)))
	}
	return ids, ok
}

// prerequisite checks that a required scope of this policy is a lower level of the same layer, so that chains end.
func (l *loader) prerequisite(f *scopeFile) {
	for _, other := range l.scopes {
		if other.scope.ID == f.scope.Requires && (other.scope.Number >= f.scope.Number || other.scope.Layer != f.scope.Layer) {
			f.r.problem(f.keys["requires"], "scope %q is no lower level of layer %q", f.scope.Requires, f.scope.Layer)
		}
	}
}

// gates checks that the profile has every gate that a rule of the scope reads.
func (l *loader) gates(f *scopeFile, profile audit.Profile) {
	roles, ok := profile.Gates[f.scope.Gates]
	if !ok {
		f.r.problem(f.keys["gates"], "profile %q has no gates for %q%s", profile.ID, clean(f.scope.Gates), didYouMean(f.scope.Gates, sortedKeys(profile.Gates)))
		return
	}
	for _, id := range f.scope.Include {
		q, _ := l.policy.Requirement(id)
		if q.rule == nil {
			continue
		}
		for _, aspect := range q.rule.aspects {
			if _, ok := roles[rolePlatform][aspect]; !ok {
				f.r.problem(f.keys["gates"], "profile %q has no gate for %s of %s projects at %q, which requirement %q reads", profile.ID, aspect, rolePlatform, f.scope.Gates, id)
			}
		}
	}
}

// finish sorts what was loaded and names it.
func (l *loader) finish() {
	p := l.policy
	slices.SortFunc(p.requirements, func(a, b Requirement) int { return cmp.Compare(a.ID, b.ID) })
	for _, f := range l.scopes {
		p.scopes = append(p.scopes, f.scope)
	}
	slices.SortFunc(p.scopes, func(a, b Scope) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.ID, b.ID))
	})
	p.digest = digestOf(p.files)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
