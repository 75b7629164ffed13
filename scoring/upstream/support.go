package upstream

import (
	_ "embed"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed support.yaml
var embeddedSupport []byte

// SupportSchema names the form of the table of maintenance that is built into the program.
const SupportSchema = "pegel/support/v1"

// maxSupportRows bounds the table; the shipped one has some 700.
const maxSupportRows = 20000

// Support says until when a version is maintained by those who make it.
type Support struct {
	Cycle  string // the series that the version belongs to, e.g. "Kubernetes 1.32", "OpenStack 2024.2 Dalmatian"
	Ends   string // last day of maintenance, e.g. 2026-02-28; one that lies ahead is a plan
	Source string // address where that is said
}

// supportFile is the table as it is written. The head of support.yaml says what each field means.
type supportFile struct {
	Schema   string           `yaml:"schema"`
	Systems  []string         `yaml:"systems"`
	Products []supportProduct `yaml:"products"`
	Series   []supportSeries  `yaml:"series"`
}

type supportProduct struct {
	ID     string       `yaml:"id"`
	Name   string       `yaml:"name"`
	Source string       `yaml:"source"`
	Rows   []supportEnd `yaml:"rows"`
}

type supportEnd struct {
	Version string `yaml:"version"`
	Ends    string `yaml:"ends"`
	Source  string `yaml:"source"`
}

type supportSeries struct {
	Name     string   `yaml:"name"`
	Ends     string   `yaml:"ends"`
	Source   string   `yaml:"source"`
	Services []string `yaml:"services"`
}

// supportRow is one entry of the look-up table.
type supportRow struct {
	parts   []int // first parts of the versions it stands for; none for every version
	support Support
}

// Support returns until when a version of a component is maintained; id is that of the catalogue, or the ID of os-release
// for an operating system. ok is false if no end was published or the text names no version: nothing is known then. What
// a distribution does beyond its upstream's end, and editions under a contract, are not in the table.
func (c *Catalogue) Support(id, version string) (s Support, ok bool) {
	rows := c.support[id]
	if len(rows) == 1 && len(rows[0].parts) == 0 {
		return rows[0].support, true
	}
	v, ok := parseVersion(version)
	if !ok || v.vendor != "" {
		return Support{}, false
	}
	for _, r := range rows {
		if len(r.parts) <= len(v.parts) && slices.Equal(r.parts, v.parts[:len(r.parts)]) {
			return r.support, true
		}
	}
	return Support{}, false
}

// withSupport returns the catalogue with a table of maintenance. Like Read it accepts only what is right in full.
func (c *Catalogue) withSupport(data []byte) (*Catalogue, error) {
	rows, err := c.readSupport(data)
	if err != nil {
		return nil, fmt.Errorf("reading ends of maintenance: %w", err)
	}
	out := *c
	out.support = rows
	return &out, nil
}

func (c *Catalogue) readSupport(data []byte) (map[string][]supportRow, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	if err := checkShape(root, reflect.TypeFor[supportFile](), 0); err != nil {
		return nil, err
	}
	var f supportFile
	if err := root.Decode(&f); err != nil {
		return nil, flat(err)
	}
	if f.Schema != SupportSchema {
		return nil, fmt.Errorf("line %d: schema %q is not %q", root.Line, f.Schema, SupportSchema)
	}
	t := supportTable{catalogue: c, systems: f.Systems, rows: map[string][]supportRow{}}
	if err := t.read(f, root); err != nil {
		return nil, err
	}
	for id := range t.rows {
		slices.SortStableFunc(t.rows[id], func(a, b supportRow) int { return len(b.parts) - len(a.parts) })
	}
	return t.rows, nil
}

// supportTable fills the look-up table from the file.
type supportTable struct {
	catalogue *Catalogue
	systems   []string
	rows      map[string][]supportRow
	count     int
}

func (t *supportTable) read(f supportFile, root *yaml.Node) error {
	if err := t.checkSystems(); err != nil {
		return fmt.Errorf("line %d: %w", value(root, "systems").Line, err)
	}
	products, series := value(root, "products").Content, value(root, "series").Content
	for i, p := range f.Products {
		if i > 0 && p.ID <= f.Products[i-1].ID {
			return fmt.Errorf("line %d: product %q does not follow %q in order", products[i].Line, p.ID, f.Products[i-1].ID)
		}
		if err := t.product(p); err != nil {
			return fmt.Errorf("line %d: product %q: %w", products[i].Line, p.ID, err)
		}
	}
	for i, s := range f.Series {
		if err := t.series(s); err != nil {
			return fmt.Errorf("line %d: series %q: %w", series[i].Line, s.Name, err)
		}
	}
	return nil
}

func (t *supportTable) checkSystems() error {
	if !slices.IsSorted(t.systems) {
		return errors.New("systems are not sorted")
	}
	for i, id := range t.systems {
		_, known := t.catalogue.Get(id)
		switch {
		case i > 0 && t.systems[i-1] == id:
			return fmt.Errorf("system %q stands twice", id)
		case known:
			return fmt.Errorf("system %q is a component of the catalogue", id)
		case !idPattern.MatchString(id):
			return fmt.Errorf("system %q is not lower-case words joined by hyphens", id)
		}
	}
	return nil
}

func (t *supportTable) product(p supportProduct) error {
	if err := errors.Join(filled(p.Name), address(p.Source)); err != nil {
		return err
	}
	if len(p.Rows) == 0 {
		return errors.New("has no rows")
	}
	var last []int
	for i, r := range p.Rows {
		parts, err := supportVersion(r.Version)
		if err != nil {
			return err
		}
		if len(parts) == 0 && len(p.Rows) > 1 {
			return errors.New("* stands beside other versions")
		}
		if i > 0 && slices.Compare(parts, last) <= 0 {
			return fmt.Errorf("version %s does not follow %s in order", r.Version, p.Rows[i-1].Version)
		}
		last = parts
		s := Support{Cycle: p.Name, Ends: r.Ends, Source: p.Source}
		if len(parts) > 0 {
			s.Cycle += " " + r.Version
		}
		if r.Source != "" {
			s.Source = r.Source
		}
		if err := t.add(p.ID, parts, s); err != nil {
			return fmt.Errorf("version %s: %w", r.Version, err)
		}
	}
	return nil
}

func (t *supportTable) series(s supportSeries) error {
	if err := filled(s.Name); err != nil {
		return err
	}
	if len(s.Services) == 0 {
		return errors.New("has no services")
	}
	for _, text := range s.Services {
		id, version, _ := strings.Cut(text, " ")
		parts, err := supportVersion(version)
		if err == nil && len(parts) == 0 {
			err = errors.New("* is no version of a series")
		}
		if err == nil {
			err = t.add(id, parts, Support{Cycle: s.Name, Ends: s.Ends, Source: s.Source})
		}
		if err != nil {
			return fmt.Errorf("service %q: %w", text, err)
		}
	}
	return nil
}

// add checks one row and puts it into the table.
func (t *supportTable) add(id string, parts []int, s Support) error {
	if _, ok := t.catalogue.Get(id); !ok && !slices.Contains(t.systems, id) {
		return fmt.Errorf("id %q is neither in the catalogue nor under systems", id)
	}
	if _, err := time.Parse(time.DateOnly, s.Ends); err != nil {
		return fmt.Errorf("end %q is no day such as 2026-02-28", s.Ends)
	}
	if err := address(s.Source); err != nil {
		return err
	}
	if slices.ContainsFunc(t.rows[id], func(r supportRow) bool { return slices.Equal(r.parts, parts) }) {
		return errors.New("stands twice")
	}
	if t.count++; t.count > maxSupportRows {
		return fmt.Errorf("more than %d rows", maxSupportRows)
	}
	t.rows[id] = append(t.rows[id], supportRow{parts, s})
	return nil
}

// supportVersion reads the first parts of a version, 1.32; none for *.
func supportVersion(text string) ([]int, error) {
	if text == "*" {
		return nil, nil
	}
	parts, ok := numbers(strings.Split(text, "."))
	if numericPattern.FindString(text) != text || text == "" || !ok {
		return nil, fmt.Errorf("version %q is not numbers joined by dots", text)
	}
	return parts, nil
}
