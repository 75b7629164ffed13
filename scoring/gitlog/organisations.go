package gitlog

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

//go:embed data/organisations.yaml
var builtinOrganisations []byte

// organisations says which domain stands for which organisation, and which organisation belongs to which.
type organisations struct {
	free     map[string]bool // providers of mail for everybody
	projects map[string]bool // communities, not employers
	byDomain map[string]string
	owners   map[string][]owner // groups of an organisation, by its name
	patterns *regexp.Regexp     // free mail by pattern, e.g. yahoo in any country

	byPlainName map[string]string // name by any of its spellings, see plainOrganisation
	nobodyNames map[string]bool   // plain names that say that somebody's employer is not known
}

type organisation struct {
	Name    string   `yaml:"name"`
	Aliases []string `yaml:"aliases"`
	Domains []string `yaml:"domains"`
	PartOf  *owner   `yaml:"part_of"`
	Earlier []owner  `yaml:"earlier"` // groups it belonged to before
	Source  string   `yaml:"source"`
}

// owner is the group that an organisation belongs to: from the day Since on, and before the day Until if that is set.
type owner struct {
	Name         string `yaml:"name"`
	Since        string `yaml:"since"`
	Until        string `yaml:"until"`
	source       string
	since, until time.Time
}

type organisationsFile struct {
	Schema        string         `yaml:"schema"`
	FreeMail      []string       `yaml:"free_mail"`
	FreePatterns  []string       `yaml:"free_mail_patterns"`
	Projects      []string       `yaml:"projects"`
	NobodyNames   []string       `yaml:"nobody_names"`
	Organisations []organisation `yaml:"organisations"`
}

var domainPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// parseOrganisations reads a table of schema pegel/organisations/v1. A domain stands for all domains below it, and may
// occur once.
func parseOrganisations(data []byte) (organisations, error) {
	var f organisationsFile
	if err := decodeRules(data, &f); err != nil {
		return organisations{}, fmt.Errorf("reading the organisations: %w", err)
	}
	if f.Schema != "pegel/organisations/v1" {
		return organisations{}, fmt.Errorf("reading the organisations: schema is %q, want \"pegel/organisations/v1\"", f.Schema)
	}
	o := organisations{free: map[string]bool{}, projects: map[string]bool{}, byDomain: map[string]string{}, owners: map[string][]owner{},
		byPlainName: map[string]string{}, nobodyNames: map[string]bool{}}
	var err error
	if o.patterns, err = anyOf(f.FreePatterns); err != nil {
		return organisations{}, fmt.Errorf("reading the organisations: %w", err)
	}
	seen := map[string]bool{}
	add := func(domain string, put func()) error {
		if !domainPattern.MatchString(domain) {
			return fmt.Errorf("reading the organisations: %q is not a domain in lower case", domain)
		}
		if seen[domain] {
			return fmt.Errorf("reading the organisations: domain %q occurs twice", domain)
		}
		seen[domain] = true
		put()
		return nil
	}
	for _, d := range f.FreeMail {
		if err := add(d, func() { o.free[d] = true }); err != nil {
			return organisations{}, err
		}
	}
	for _, d := range f.Projects {
		if err := add(d, func() { o.projects[d] = true }); err != nil {
			return organisations{}, err
		}
	}
	for _, name := range f.NobodyNames {
		o.nobodyNames[plainOrganisation(name)] = true
	}
	for _, row := range f.Organisations {
		if err := o.put(row); err != nil {
			return organisations{}, fmt.Errorf("reading the organisations: %w", err)
		}
		for _, d := range row.Domains {
			if err := add(d, func() { o.byDomain[d] = row.Name }); err != nil {
				return organisations{}, err
			}
		}
	}
	return o, nil
}

// put adds the names and groups of one row.
func (o *organisations) put(row organisation) error {
	if row.Name == "" || len(row.Domains) == 0 {
		return fmt.Errorf("entry %q needs a name and at least one domain", row.Name)
	}
	for _, name := range append([]string{row.Name}, row.Aliases...) {
		plain := plainOrganisation(name)
		if other, ok := o.byPlainName[plain]; ok || plain == "" || o.nobodyNames[plain] {
			return fmt.Errorf("entry %q: %q occurs twice, also as %q, or says nothing", row.Name, name, other)
		}
		o.byPlainName[plain] = row.Name
	}
	owners := row.Earlier
	if row.PartOf != nil {
		owners = append(owners, *row.PartOf)
	}
	for _, own := range owners {
		if own.source = row.Source; own.source == "" || own.check() != nil {
			return fmt.Errorf("entry %q: part_of needs name, since (YYYY-MM-DD) and the entry a source", row.Name)
		}
		o.owners[row.Name] = append(o.owners[row.Name], own)
	}
	return nil
}

// check reads the dates.
func (o *owner) check() error {
	var err error
	if o.since, err = time.Parse(time.DateOnly, o.Since); err != nil || o.Name == "" {
		return errors.New("part_of needs name and since (YYYY-MM-DD)")
	}
	if o.Until == "" {
		return nil
	}
	if o.until, err = time.Parse(time.DateOnly, o.Until); err != nil || !o.until.After(o.since) {
		return errors.New("until is not a day (YYYY-MM-DD) after since")
	}
	return nil
}

func (o owner) at(at time.Time) bool {
	return !at.Before(o.since) && (o.until.IsZero() || at.Before(o.until))
}

// domainKind says what a domain, or somebody's standing, is worth.
type domainKind int

const (
	nobody    domainKind = iota // free mail, communities, damaged addresses: says nothing about an employer
	company                     // an organisation by its name
	other                       // a registrable domain that no table knows
	freelance                   // works for nobody: an organisation of one person
)

// says returns what the table says about a domain: other if it does not know it.
func (o organisations) says(domain string) domainKind {
	for d := domain; d != ""; d = parentDomain(d) {
		if o.free[d] || o.projects[d] {
			return nobody
		}
		if _, ok := o.byDomain[d]; ok {
			return company
		}
	}
	if o.patterns != nil && o.patterns.MatchString(domain) {
		return nobody
	}
	return other
}

// classify says what a domain stands for: the name of the organisation, or the registrable domain.
func (o organisations) classify(domain string) (string, domainKind) {
	if !domainPattern.MatchString(domain) {
		return "", nobody
	}
	for d := domain; d != ""; d = parentDomain(d) {
		if o.free[d] || o.projects[d] {
			return "", nobody
		}
		if name, ok := o.byDomain[d]; ok {
			return name, company
		}
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || o.patterns != nil && (o.patterns.MatchString(registrable) || o.patterns.MatchString(domain)) {
		return "", nobody
	}
	return registrable, other
}

// maxGroups bounds the steps from a subsidiary to the head of its group, so that a circle in the table ends.
const maxGroups = 5

// nameAt folds an organisation into the group that owns it on a day, and the group into its own.
func (o organisations) nameAt(name string, at time.Time) string {
	for _, own := range o.ownersAt(name, at) {
		name = own.Name
	}
	return name
}

// ownersAt returns the steps from an organisation to the head of its group on a day.
func (o organisations) ownersAt(name string, at time.Time) (steps []owner) {
	for range maxGroups {
		i := slices.IndexFunc(o.owners[name], func(own owner) bool { return own.at(at) })
		if i < 0 {
			break
		}
		steps = append(steps, o.owners[name][i])
		name = o.owners[name][i].Name
	}
	return steps
}

func parentDomain(d string) string {
	_, rest, _ := strings.Cut(d, ".")
	return rest
}

// standing is where somebody belongs on a day, before groups are folded.
type standing struct {
	name   string // organisation, or registrable domain
	kind   domainKind
	source int // see Affiliation; -1: nobody knows
}

// writers counts the people of a domain as none, one or several.
type writers struct {
	first   string
	several bool
}

func (w writers) with(name string) writers {
	switch {
	case name == "" || w.first != "" && samePerson(name, w.first):
	case w.first == "":
		w.first = name
	default:
		w.several = true
	}
	return w
}

// samePerson reports whether two names, in lower case, may be those of one person or one family: they share a word.
// "Ghana A. Hill" and "ghana-hill" do; in doubt a domain stays a vanity domain, and its people of unknown employer.
func samePerson(a, b string) bool {
	words := nameWords(b)
	for _, w := range nameWords(a) {
		for _, v := range words {
			if w == v || len(w) > 3 && strings.Contains(v, w) || len(v) > 3 && strings.Contains(w, v) {
				return true
			}
		}
	}
	return false
}

// nameWords are the words of a name that can tell people apart, or the whole name if it has none.
func nameWords(name string) []string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	long := slices.DeleteFunc(words, func(w string) bool { return len(w) < 3 })
	if len(long) == 0 {
		return []string{name}
	}
	return long
}

// bearsName reports whether a registrable domain is called after its writer: widely so for people and their families.
func bearsName(domain, name string) bool {
	label, _, _ := strings.Cut(domain, ".")
	for _, w := range nameWords(name) {
		if len(w) > 3 && strings.Contains(label, w) {
			return true
		}
	}
	return false
}

// unknownOrg is the organisation of work of which nobody knows for whom it was done.
const unknownOrg = -1

// lonely is the name of an employer that only one author of the project has and that is in no table: it may be a person's
// own name.
const lonely = "an organisation of one author"

// assigner numbers the organisations of one project.
type assigner struct {
	p     *people
	at    time.Time
	index map[string]int32 // by plain name
	names []string
}

// assign sets the organisation of each stint and returns the names. Organisations are folded into the groups that own
// them at a moment, the end of the period looked at: a company that was sold within it is one organisation, not two.
//
// A domain that no table knows counts as an organisation if at least two people of different names wrote from it: a domain
// of one person or one family is a vanity domain (reference: health, 7.2). If files say for whom other people of that domain work, it
// stands for that organisation if they agree and is unknown if not; so is one that bears the name of an organisation of
// the project, because it may be the same one.
func (p *people) assign(at time.Time, domains map[string]writers) []string {
	x := &assigner{p: p, at: at, index: map[string]int32{}}
	learnt := map[string]int32{} // registrable domain to organisation, by what files say about its people
	for i := range p.all {
		a := &p.all[i]
		for k := range a.stints {
			a.stints[k].org = x.named(int32(i), a.stints[k].standing)
		}
		for _, t := range a.stints {
			if name, kind := p.classify(a.domain); kind == other && t.org >= 0 && p.standings[t.standing].kind == company {
				if known, ok := learnt[name]; ok && known != t.org {
					learnt[name] = unknownOrg
				} else {
					learnt[name] = t.org
				}
			}
		}
	}
	known := maps.Clone(x.index)
	for i := range p.all {
		for k, t := range p.all[i].stints {
			if s := p.standings[t.standing]; s.kind == other {
				p.all[i].stints[k].org = x.domain(s.name, domains[s.name].several, learnt, known)
			}
		}
	}
	x.mask()
	return x.names
}

// class is what organisations.classify says about a domain.
type class struct {
	name string
	kind domainKind
}

// classify asks the table once for each domain.
func (p *people) classify(domain string) (string, domainKind) {
	c, ok := p.classes[domain]
	if !ok {
		c.name, c.kind = p.employers.table.classify(domain)
		p.classes[domain] = c
	}
	return c.name, c.kind
}

// writersOf counts who ever wrote from each domain that no table knows.
func (p *people) writersOf() map[string]writers {
	of := map[string]writers{}
	for _, a := range p.all {
		if !a.ever {
			continue
		}
		if name, kind := p.classify(a.domain); kind == other && !bearsName(name, a.name) {
			of[name] = of[name].with(a.name)
		}
	}
	return of
}

// named returns the organisation of a standing that has a name, or of a person who works for nobody.
func (x *assigner) named(person, k int32) int32 {
	switch s := x.p.standings[k]; s.kind {
	case company:
		return x.number(x.p.employers.table.nameAt(s.name, x.at), plainOrganisation)
	case freelance:
		return x.number("independent", func(string) string { return fmt.Sprintf("independent %d", person) })
	}
	return unknownOrg
}

func (x *assigner) domain(name string, several bool, learnt, known map[string]int32) int32 {
	if org, ok := learnt[name]; ok {
		return org
	}
	label, _, _ := strings.Cut(name, ".")
	if _, ok := known[plainOrganisation(label)]; ok || !several {
		return unknownOrg
	}
	return x.number(name, func(name string) string { return name })
}

func (x *assigner) number(name string, key func(string) string) int32 {
	k := key(name)
	i, ok := x.index[k]
	if !ok {
		i = int32(len(x.names))
		x.index[k] = i
		x.names = append(x.names, name)
	}
	return i
}

// mask hides names that are in no table and belong to one author only.
func (x *assigner) mask() {
	heads, last := make([]int, len(x.names)), make([]int, len(x.names))
	for i := range x.p.all {
		for _, t := range x.p.all[i].stints {
			if t.org >= 0 && last[t.org] != i+1 {
				last[t.org] = i + 1
				heads[t.org]++
			}
		}
	}
	for i, name := range x.names {
		if _, listed := x.p.employers.table.byPlainName[plainOrganisation(name)]; heads[i] < 2 && !listed && name != "independent" {
			x.names[i] = lonely
		}
	}
}
