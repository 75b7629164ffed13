package conformance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of a scope file. The largest of SCS has 27 KiB, 130 test cases and 4 versions (2026-08).
const (
	maxScope    = 1 << 20
	maxTests    = 5_000
	maxVersions = 200
	maxPeriods  = 1_000
)

// ParseScope reads a scope file as scs-0003-v1 describes it and SCS reads it: a key that is not known is an error (standards:
// Tests/scs_cert_lib.py, _check_keywords), and so is a name that nothing else in the file has (_resolve_spec); variables are names
// or names with one default (_resolve_spec, step 5); days of the timeline are dates to YAML and no strings, which could not be
// compared (annotate_validity); a version that the timeline lists has the target main (compliance-monitor/monitor.py,
// _evaluate_version). Stricter than SCS: a key may stand once only, and lifetimes and words of the timeline have to be known.
func ParseScope(data []byte) (Scope, error) {
	if len(data) > maxScope {
		return Scope{}, fmt.Errorf("reading scope: %d bytes, but at most %d are read", len(data), maxScope)
	}
	if !utf8.Valid(data) {
		return Scope{}, errors.New("reading scope: it is not UTF-8")
	}
	var f scopeFile
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return Scope{}, fmt.Errorf("reading scope: %s", plain(strings.TrimPrefix(err.Error(), "yaml: ")))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Scope{}, errors.New("reading scope: the file holds more than one document")
	}
	s, err := f.scope()
	if err != nil {
		return Scope{}, fmt.Errorf("reading scope %q: %w", plain(f.Name), err)
	}
	return s, nil
}

// The keys of each object; KEYWORDS in scs_cert_lib.py.
type scopeFile struct {
	UUID         string         `yaml:"uuid"`
	Name         string         `yaml:"name"`
	URL          string         `yaml:"url"`
	Versions     []versionFile  `yaml:"versions"`
	Prerequisite yaml.Node      `yaml:"prerequisite"`
	Variables    yaml.Node      `yaml:"variables"`
	Scripts      []scriptFile   `yaml:"scripts"`
	Modules      []moduleFile   `yaml:"modules"`
	Timeline     []timelineFile `yaml:"timeline"`
}

type scriptFile struct {
	Executable *string    `yaml:"executable"`
	Env        yaml.Node  `yaml:"env"`
	Args       yaml.Node  `yaml:"args"`
	TestCases  []testFile `yaml:"testcases"`
}

type testFile struct {
	ID          string `yaml:"id"`
	Lifetime    string `yaml:"lifetime"`
	Section     string `yaml:"section"`
	Description string `yaml:"description"`
	URL         string `yaml:"url"`
}

type moduleFile struct {
	ID         string              `yaml:"id"`
	Name       string              `yaml:"name"`
	URL        string              `yaml:"url"`
	Parameters yaml.Node           `yaml:"parameters"`
	Targets    map[string][]string `yaml:"targets"`
}

type versionFile struct {
	Version    string        `yaml:"version"`
	Stabilized string        `yaml:"stabilized_at"`
	Include    []includeFile `yaml:"include"`
	Targets    yaml.Node     `yaml:"targets"` // allowed and not used: the modules say it
}

// timelineFile is not checked for other keys, as in SCS.
type timelineFile struct {
	Date     string
	Versions map[string]string
}

// UnmarshalYAML reads an entry of the timeline.
func (t *timelineFile) UnmarshalYAML(n *yaml.Node) error {
	var entry struct {
		Date     yaml.Node         `yaml:"date"`
		Versions map[string]string `yaml:"versions"`
	}
	if err := n.Decode(&entry); err != nil {
		return err
	}
	if _, err := day(entry.Date.Value); err == nil && entry.Date.ShortTag() != "!!timestamp" {
		return fmt.Errorf("line %d: the day %q is no date to YAML; write it without quotes", entry.Date.Line, plain(entry.Date.Value))
	}
	t.Date, t.Versions = entry.Date.Value, entry.Versions
	return nil
}

// includeFile names a module, alone or with parameters.
type includeFile struct{ ref string }

// UnmarshalYAML reads the id of a module, or a map with ref and parameters.
func (i *includeFile) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&i.ref)
	}
	var m map[string]yaml.Node
	if err := n.Decode(&m); err != nil {
		return err
	}
	for key := range m {
		if key != "ref" && key != "parameters" {
			return fmt.Errorf("line %d: unknown key %q in include", n.Line, plain(key))
		}
	}
	ref := m["ref"]
	return ref.Decode(&i.ref)
}

func (f scopeFile) scope() (Scope, error) {
	s := Scope{UUID: strings.ToLower(plain(f.UUID)), Name: plain(f.Name), URL: plain(f.URL)}
	if s.UUID == "" || s.Name == "" || len(f.Versions) == 0 || len(f.Timeline) == 0 {
		return Scope{}, errors.New("uuid, name, versions and timeline are needed")
	}
	var err error
	if s.Tests, err = f.tests(); err != nil {
		return Scope{}, err
	}
	if s.Versions, err = f.versions(s.Tests); err != nil {
		return Scope{}, err
	}
	if s.Timeline, err = f.periods(s.Versions); err != nil {
		return Scope{}, err
	}
	if err := f.checkVariables(); err != nil {
		return Scope{}, err
	}
	return s, s.checkMain()
}

// checkMain looks for the target main in each version that the timeline lists.
func (s Scope) checkMain() error {
	for _, v := range s.Versions {
		listed := slices.ContainsFunc(s.Timeline, func(p Period) bool { _, ok := p.Versions[v.Version]; return ok })
		if _, ok := v.Targets[TargetMain]; listed && !ok {
			return fmt.Errorf("version %q stands in the timeline and has no target %q, which decides", v.Version, TargetMain)
		}
	}
	return nil
}

// checkVariables reads the names of variables: each alone, or as the only key of a mapping with its default.
func (f scopeFile) checkVariables() error {
	if f.Variables.Kind == 0 {
		return nil
	}
	if f.Variables.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: variables are a list", f.Variables.Line)
	}
	for _, n := range f.Variables.Content {
		if n.Kind != yaml.ScalarNode && (n.Kind != yaml.MappingNode || len(n.Content) != 2) {
			return fmt.Errorf("line %d: a variable is a name, or a name with its default", n.Line)
		}
	}
	return nil
}

func (f scopeFile) tests() ([]TestCase, error) {
	var out []TestCase
	for _, script := range f.Scripts {
		for _, t := range script.TestCases {
			life, err := lifetime(t.Lifetime)
			if err != nil {
				return nil, fmt.Errorf("test case %q: %w", plain(t.ID), err)
			}
			if t.ID == "" || t.ID != plain(t.ID) {
				return nil, fmt.Errorf("test case %q: its id is empty, too long or not plain text", plain(t.ID))
			}
			out = append(out, TestCase{ID: t.ID, Lifetime: life, Manual: script.Executable == nil})
		}
	}
	if len(out) > maxTests {
		return nil, fmt.Errorf("it has %d test cases, but at most %d are read", len(out), maxTests)
	}
	slices.SortFunc(out, func(a, b TestCase) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(out); i++ {
		if out[i].ID == out[i-1].ID {
			return nil, fmt.Errorf("test case %q stands twice", out[i].ID)
		}
	}
	return out, nil
}

// lifetime reads the word of a test case; a week if there is none.
func lifetime(word string) (audit.Lifetime, error) {
	switch l := audit.Lifetime(word); l {
	case "":
		return audit.Week, nil
	case audit.Day, audit.Week, audit.Month, audit.Quarter, audit.Year:
		return l, nil
	}
	return "", fmt.Errorf("unknown lifetime %q; known are day, week, month, quarter and year", plain(word))
}

func (f scopeFile) versions(tests []TestCase) ([]ScopeVersion, error) {
	if len(f.Versions) > maxVersions {
		return nil, fmt.Errorf("it has %d versions, but at most %d are read", len(f.Versions), maxVersions)
	}
	modules := map[string]moduleFile{}
	for _, m := range f.Modules {
		if _, twice := modules[m.ID]; twice {
			return nil, fmt.Errorf("module %q stands twice", plain(m.ID))
		}
		modules[m.ID] = m
	}
	var out []ScopeVersion
	for _, v := range f.Versions {
		if slices.ContainsFunc(out, func(o ScopeVersion) bool { return o.Version == v.Version }) || v.Version == "" || v.Version != plain(v.Version) {
			return nil, fmt.Errorf("version %q stands twice, or has no plain name", plain(v.Version))
		}
		version, err := v.resolve(modules, tests)
		if err != nil {
			return nil, fmt.Errorf("version %q: %w", v.Version, err)
		}
		out = append(out, version)
	}
	return out, nil
}

func (v versionFile) resolve(modules map[string]moduleFile, tests []TestCase) (ScopeVersion, error) {
	out := ScopeVersion{Version: v.Version, Targets: map[string][]string{}}
	if v.Stabilized != "" {
		day, err := day(v.Stabilized)
		if err != nil {
			return ScopeVersion{}, err
		}
		out.Stabilized = day
	}
	for _, include := range v.Include {
		m, ok := modules[include.ref]
		if !ok {
			return ScopeVersion{}, fmt.Errorf("it includes module %q, which the file does not have", plain(include.ref))
		}
		for target, ids := range m.Targets {
			for _, id := range ids {
				if _, ok := testCase(tests, id); !ok {
					return ScopeVersion{}, fmt.Errorf("module %q names test case %q, which no script has", plain(m.ID), plain(id))
				}
			}
			if len(out.Targets[target])+len(ids) > maxTests {
				return ScopeVersion{}, fmt.Errorf("target %q has more than %d test cases", plain(target), maxTests)
			}
			out.Targets[target] = append(out.Targets[target], ids...)
		}
	}
	for target, ids := range out.Targets {
		slices.Sort(ids)
		out.Targets[target] = slices.Compact(ids)
	}
	return out, nil
}

func (f scopeFile) periods(versions []ScopeVersion) ([]Period, error) {
	if len(f.Timeline) > maxPeriods {
		return nil, fmt.Errorf("its timeline has %d entries, but at most %d are read", len(f.Timeline), maxPeriods)
	}
	var out []Period
	for _, entry := range f.Timeline {
		from, err := day(entry.Date)
		if err != nil {
			return nil, fmt.Errorf("timeline: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(entry.Versions)) {
			if !slices.ContainsFunc(versions, func(v ScopeVersion) bool { return v.Version == name }) {
				return nil, fmt.Errorf("timeline of %s: there is no version %q", entry.Date, plain(name))
			}
			switch word := entry.Versions[name]; word {
			case ValidEffective, ValidWarn, ValidDraft, ValidDeprecated:
			default:
				return nil, fmt.Errorf("timeline of %s: version %q is %q; known are effective, warn, draft and deprecated", entry.Date, name, plain(word))
			}
		}
		if slices.ContainsFunc(out, func(p Period) bool { return p.From.Equal(from) }) {
			return nil, fmt.Errorf("timeline: %s stands twice", entry.Date)
		}
		out = append(out, Period{From: from, Versions: entry.Versions})
	}
	slices.SortFunc(out, func(a, b Period) int { return b.From.Compare(a.From) })
	return out, nil
}

func day(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no day of the form YYYY-MM-DD", plain(text))
	}
	return t, nil
}
