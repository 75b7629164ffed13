package gitlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxOperatorFile bounds a file of schema pegel/affiliations/v1, which is written by hand.
const maxOperatorFile = 4 << 20

// operatorFile is the schema pegel/affiliations/v1 (docs/affiliations.md).
type operatorFile struct {
	Schema string `yaml:"schema"`
	At     string `yaml:"at"` // day on which somebody last looked whether it is right
	People []struct {
		Addresses     []string       `yaml:"addresses"`
		Organisations []operatorStay `yaml:"organisations"`
	} `yaml:"people"`
	Domains []struct {
		Domain       string `yaml:"domain"`
		operatorStay `yaml:",inline"`
	} `yaml:"domains"`
	Groups []struct {
		Name   string `yaml:"name"`
		PartOf string `yaml:"part_of"`
		Since  string `yaml:"since"`
		Until  string `yaml:"until"`
		Source string `yaml:"source"`
	} `yaml:"groups"`
}

type operatorStay struct {
	Organisation string `yaml:"organisation"`
	Independent  bool   `yaml:"independent"`
	From         string `yaml:"from"`
	Until        string `yaml:"until"`
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// readOperator reads a file of our own schema, strictly.
func (a *Affiliation) readOperator(r *bufio.Reader, s *affiliationSource) error {
	data, err := io.ReadAll(io.LimitReader(r, maxOperatorFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxOperatorFile {
		return fmt.Errorf("larger than %d bytes", maxOperatorFile)
	}
	var f operatorFile
	var root yaml.Node
	if err = decodeRulesUpTo(data, maxOperatorFile, &f); err == nil {
		err = yaml.Unmarshal(data, &root)
	}
	if err != nil { // the text of the library quotes the input, which may be an address
		line, _ := strconv.Atoi(append(yamlLine.FindStringSubmatch(err.Error()), "", "1")[1])
		return fmt.Errorf("line %d: not of schema pegel/affiliations/v1; the keys are in docs/affiliations.md", max(line, 1))
	}
	if f.Schema != "pegel/affiliations/v1" {
		return fmt.Errorf("line %d: schema is not \"pegel/affiliations/v1\"", lineAt(&root, "schema", -1))
	}
	if f.At != "" {
		at, err := time.Parse(time.DateOnly, f.At)
		if err != nil {
			return fmt.Errorf("line %d: at is not YYYY-MM-DD", lineAt(&root, "at", -1))
		}
		s.file.At = at
	}
	for i, p := range f.People {
		if err := a.operatorPerson(s, p.Addresses, p.Organisations); err != nil {
			return fmt.Errorf("line %d: %w", lineAt(&root, "people", i), err)
		}
	}
	for i, d := range f.Domains {
		st, err := a.operatorStay(d.operatorStay)
		if err == nil {
			err = a.putDomain(s, d.Domain, st)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", lineAt(&root, "domains", i), err)
		}
	}
	for i, g := range f.Groups {
		if err := a.operatorGroup(g.Name, g.PartOf, g.Since, g.Until, g.Source); err != nil {
			return fmt.Errorf("line %d: %w", lineAt(&root, "groups", i), err)
		}
	}
	return nil
}

func (a *Affiliation) operatorPerson(s *affiliationSource, addresses []string, stays []operatorStay) error {
	if len(addresses) == 0 || len(stays) == 0 {
		return errors.New("a person needs addresses and organisations")
	}
	for i, text := range addresses {
		address, ok := gitdmAddress(text)
		if !ok {
			return errors.New("an address without @")
		}
		addresses[i] = address
	}
	all := make([]stay, len(stays))
	for i, o := range stays {
		var err error
		if all[i], err = a.operatorStay(o); err != nil {
			return err
		}
	}
	return a.put(s, addresses, all)
}

func (a *Affiliation) operatorStay(o operatorStay) (stay, error) {
	st := stay{from: dayMin, until: dayMax, employer: aloneEmployer}
	var ok bool
	if st.from, ok = dayOr(o.From, dayMin); !ok {
		return st, errors.New("from is not YYYY-MM-DD")
	}
	if st.until, ok = dayOr(o.Until, dayMax); !ok {
		return st, errors.New("until is not YYYY-MM-DD")
	}
	if st.until <= st.from {
		return st, errors.New("until is not after from")
	}
	if o.Independent == (o.Organisation != "") {
		return st, errors.New("give either organisation or independent: true")
	}
	if o.Independent {
		return st, nil
	}
	var err error
	if st.employer, err = a.employer(o.Organisation); err == nil && st.employer == nobodyEmployer {
		err = errors.New("organisation is not the name of an organisation; somebody who works for nobody is independent: true")
	}
	return st, err
}

func (a *Affiliation) operatorGroup(name, partOf, since, until, source string) error {
	if name == "" || partOf == "" || source == "" {
		return errors.New("a group needs name, part_of, since and source")
	}
	if addressLike(source) {
		return errors.New("source names an address; give an announcement and its date")
	}
	own := owner{Name: partOf, Since: since, Until: until, source: source}
	if err := own.check(); err != nil {
		return err
	}
	for _, n := range []*string{&name, &own.Name} {
		i, err := a.employer(*n)
		if err != nil {
			return err
		}
		if i == nobodyEmployer {
			return errors.New("name or part_of is not the name of an organisation")
		}
		*n = a.employers[i]
	}
	a.table.owners[name] = []owner{own} // instead of what the table says
	return nil
}

func dayOr(text string, without int32) (int32, bool) {
	if text == "" {
		return without, true
	}
	t, err := time.Parse(time.DateOnly, text)
	return dayOf(t.Unix()), err == nil
}

// lineAt returns the line of a key of a document, or of the i-th entry below it.
func lineAt(root *yaml.Node, key string, i int) int {
	if len(root.Content) == 0 {
		return 1
	}
	top := root.Content[0]
	for k := 0; k+1 < len(top.Content); k += 2 {
		if top.Content[k].Value != key {
			continue
		}
		if i >= 0 && i < len(top.Content[k+1].Content) {
			return top.Content[k+1].Content[i].Line
		}
		return top.Content[k].Line
	}
	return 1
}
