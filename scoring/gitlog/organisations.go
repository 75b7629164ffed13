package gitlog

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

//go:embed data/organisations.yaml
var builtinOrganisations []byte

// organisations says which domain stands for which organisation on a given day.
type organisations struct {
	free     map[string]bool // providers of mail for everybody
	projects map[string]bool // communities, not employers
	byDomain map[string]organisation
	byName   map[string]organisation
	patterns *regexp.Regexp // free mail by pattern, e.g. yahoo in any country
}

type organisation struct {
	Name    string   `yaml:"name"`
	Domains []string `yaml:"domains"`
	PartOf  *struct {
		Name  string `yaml:"name"`
		Since string `yaml:"since"`
	} `yaml:"part_of"`
	Source string `yaml:"source"`
	since  time.Time
}

type organisationsFile struct {
	Schema        string         `yaml:"schema"`
	FreeMail      []string       `yaml:"free_mail"`
	FreePatterns  []string       `yaml:"free_mail_patterns"`
	Projects      []string       `yaml:"projects"`
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
	o := organisations{free: map[string]bool{}, projects: map[string]bool{}, byDomain: map[string]organisation{}, byName: map[string]organisation{}}
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
	for _, row := range f.Organisations {
		if err := row.check(); err != nil {
			return organisations{}, fmt.Errorf("reading the organisations: %w", err)
		}
		if _, ok := o.byName[row.Name]; ok {
			return organisations{}, fmt.Errorf("reading the organisations: %q occurs twice", row.Name)
		}
		o.byName[row.Name] = row
		for _, d := range row.Domains {
			if err := add(d, func() { o.byDomain[d] = row }); err != nil {
				return organisations{}, err
			}
		}
	}
	return o, nil
}

func (row *organisation) check() error {
	if row.Name == "" || len(row.Domains) == 0 {
		return fmt.Errorf("entry %q needs a name and at least one domain", row.Name)
	}
	if row.PartOf == nil {
		return nil
	}
	since, err := time.Parse(time.DateOnly, row.PartOf.Since)
	if err != nil || row.PartOf.Name == "" || row.Source == "" {
		return fmt.Errorf("entry %q: part_of needs name, since (YYYY-MM-DD) and the entry a source", row.Name)
	}
	row.since = since
	return nil
}

// kind of a domain
type domainKind int

const (
	nobody  domainKind = iota // free mail, communities, damaged addresses: says nothing about an employer
	company                   // in the table
	other                     // a registrable domain that the table does not know
)

// classify says what a domain stands for on that day: the name of the organisation, or the registrable domain.
func (o organisations) classify(domain string, at time.Time) (string, domainKind) {
	if !domainPattern.MatchString(domain) {
		return "", nobody
	}
	for d := domain; d != ""; d = parentDomain(d) {
		if o.free[d] || o.projects[d] {
			return "", nobody
		}
		if row, ok := o.byDomain[d]; ok {
			return o.nameAt(row, at), company
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

// nameAt folds an organisation into its group from the day on that the group owns it, and the group into its own.
func (o organisations) nameAt(row organisation, at time.Time) string {
	for range maxGroups {
		if row.PartOf == nil || at.Before(row.since) {
			break
		}
		group, ok := o.byName[row.PartOf.Name]
		if !ok {
			return row.PartOf.Name
		}
		row = group
	}
	return row.Name
}

func parentDomain(d string) string {
	_, rest, _ := strings.Cut(d, ".")
	return rest
}

// standing is what a domain stands for.
type standing struct {
	name string
	kind domainKind
}

// writers counts the people of a domain as none, one or several.
type writers struct {
	first   string
	several bool
}

func (w writers) with(name string) writers {
	switch {
	case name == "" || name == w.first:
	case w.first == "":
		w.first = name
	default:
		w.several = true
	}
	return w
}

// assign gives each person an organisation, or -1 for unknown, and returns the names. A domain that the table does not
// know counts as an organisation if at least two people of different names wrote from it: a domain of one person is a
// vanity domain (reference: health, 7.2).
func (o organisations) assign(all []person, at time.Time) (of []int32, names []string) {
	domains := map[string]standing{}
	people := map[string]writers{} // by registrable domain
	for _, p := range all {
		if !p.ever {
			continue
		}
		s, ok := domains[p.domain]
		if !ok {
			s.name, s.kind = o.classify(p.domain, at)
			domains[p.domain] = s
		}
		if s.kind == other {
			people[s.name] = people[s.name].with(p.name)
		}
	}
	index := map[string]int32{}
	of = make([]int32, len(all))
	for i, p := range all {
		of[i] = -1
		s := domains[p.domain]
		if !p.ever || s.kind == nobody || s.kind == other && !people[s.name].several {
			continue
		}
		k, ok := index[s.name]
		if !ok {
			k = int32(len(names))
			index[s.name] = k
			names = append(names, s.name)
		}
		of[i] = k
	}
	return of, names
}
