package gitlog

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed data/bots.yaml
var builtinBots []byte

// bounds of rule files
const (
	maxRuleFile = 1 << 20
	maxPatterns = 500
	maxPattern  = 500
)

// bots tells programs from people.
type bots struct{ deny, allow *regexp.Regexp }

type botsFile struct {
	Schema   string   `yaml:"schema"`
	Patterns []string `yaml:"patterns"`
	Allow    []string `yaml:"allow"`
}

// parseBots reads a rule list of schema pegel/bots/v1.
func parseBots(data []byte) (bots, error) {
	var f botsFile
	if err := decodeRules(data, &f); err != nil {
		return bots{}, fmt.Errorf("reading the bot rules: %w", err)
	}
	if f.Schema != "pegel/bots/v1" {
		return bots{}, fmt.Errorf("reading the bot rules: schema is %q, want \"pegel/bots/v1\"", f.Schema)
	}
	var b bots
	var err error
	if b.deny, err = anyOf(f.Patterns); err == nil {
		b.allow, err = anyOf(f.Allow)
	}
	if err != nil {
		return bots{}, fmt.Errorf("reading the bot rules: %w", err)
	}
	return b, nil
}

// decodeRules decodes one strict YAML document of bounded size.
func decodeRules(data []byte, into any) error { return decodeRulesUpTo(data, maxRuleFile, into) }

func decodeRulesUpTo(data []byte, limit int, into any) error {
	if len(data) > limit {
		return fmt.Errorf("larger than %d bytes", limit)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	return d.Decode(into)
}

// anyOf compiles patterns into one; nil if there are none.
func anyOf(patterns []string) (*regexp.Regexp, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	if len(patterns) > maxPatterns {
		return nil, fmt.Errorf("more than %d patterns", maxPatterns)
	}
	for _, p := range patterns {
		if len(p) > maxPattern {
			return nil, fmt.Errorf("a pattern is longer than %d bytes", maxPattern)
		}
		if _, err := regexp.Compile(p); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", p, err)
		}
	}
	return regexp.Compile("(?:" + strings.Join(patterns, ")|(?:") + ")")
}

// match reports whether an author is a program; both parts are lower-cased.
func (b bots) match(address, name string) bool {
	text := address + " " + name
	return b.deny != nil && b.deny.MatchString(text) && (b.allow == nil || !b.allow.MatchString(text))
}

// person is what one pass keeps of one human being: counts and marks, keyed in memory by the lower-cased address.
// Nothing of name or address leaves the package.
type person struct {
	name      string // lower-cased, to tell one person with two addresses from two people of one domain
	domain    string
	first     int64             // committer time of the first commit
	commits   [len(spans)]int32 // per window
	quarters  uint16            // bit per quarter
	year1     bool              // wrote in months 1-12
	year2     bool              // wrote in months 13-24
	committed uint8             // bit per window: applied a change by somebody else, or merged
	stints    []stint           // the work of the windows, by employer
	current   int32             // stint of the last commit looked at, valid from..until
	from      int32             // days since 1970
	until     int32
	address   string // only in memory, to ask for the employer
	ever      bool   // wrote any non-merge commit
}

// identity is one spelling of a person or program: address and name as the log gives them.
type identity struct {
	person int32 // index into people.all
	bot    bool
}

// stint is what one person wrote for one employer.
type stint struct {
	standing int32              // index into people.standings
	org      int32              // set by assign: index into the names, or unknownOrg
	commits  [len(spans)]int32  // per window
	quarters [countedBack]int32 // commits by quarter, see past
}

func (t *stint) addQuarter(quarter int) {
	if quarter < len(t.quarters) {
		t.quarters[quarter]++
	}
}

// employerIn returns the organisation that somebody wrote most for in a quarter.
func (p *people) employerIn(person, quarter int) int32 {
	org, most := int32(unknownOrg), int32(0)
	for _, t := range p.all[person].stints {
		if n := t.quarters[quarter]; n > most {
			org, most = t.org, n
		}
	}
	return org
}

// employerNow returns the organisation of somebody who was looked at with employ last.
func (p *people) employerNow(person int) int32 {
	a := p.all[person]
	if len(a.stints) == 0 {
		return unknownOrg
	}
	return a.stints[a.current].org
}

// people finds the person behind each spelling. Memory grows with authors, not with commits.
type people struct {
	bots       bots
	employers  *Affiliation
	standings  []standing
	standingOf map[standing]int32
	classes    map[string]class // of domains
	all        []person
	byAddress  map[string]int32
	identities map[string]identity
}

func newPeople(b bots, employers *Affiliation) *people {
	return &people{bots: b, employers: employers, standingOf: map[standing]int32{}, classes: map[string]class{}, byAddress: map[string]int32{}, identities: map[string]identity{}}
}

// employ returns the stint of a person that a commit belongs to.
func (p *people) employ(index int32, committed int64) *stint {
	a, day := &p.all[index], dayOf(committed)
	if len(a.stints) > 0 && day >= a.from && day < a.until {
		return &a.stints[a.current]
	}
	var s standing
	s, a.from, a.until = p.employers.lookup(a.address, a.domain, day)
	k, ok := p.standingOf[s]
	if !ok {
		k = int32(len(p.standings))
		p.standingOf[s] = k
		p.standings = append(p.standings, s)
	}
	a.current = int32(slices.IndexFunc(a.stints, func(t stint) bool { return t.standing == k }))
	if a.current < 0 {
		a.current = int32(len(a.stints))
		a.stints = append(a.stints, stint{standing: k})
	}
	return &a.stints[a.current]
}

// lookup resolves "address, separator, name".
func (p *people) lookup(spelling []byte) identity {
	if id, ok := p.identities[string(spelling)]; ok {
		return id
	}
	rawAddress, rawName, _ := bytes.Cut(spelling, []byte{fieldSeparator})
	address := strings.ToLower(strings.ToValidUTF8(string(rawAddress), "\uFFFD"))
	name := strings.ToLower(strings.ToValidUTF8(string(rawName), "\uFFFD"))
	index, ok := p.byAddress[address] // all commits without an address are one person, as in the reference, 6.4
	if !ok {
		index = int32(len(p.all))
		p.byAddress[address] = index
		p.all = append(p.all, person{name: name, domain: domainOf(address), address: address})
	}
	id := identity{person: index, bot: p.bots.match(address, name)}
	p.identities[string(spelling)] = id
	return id
}

// domainOf returns what stands behind the last @ of an address.
func domainOf(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return strings.Trim(address[i+1:], ". >\t")
}
