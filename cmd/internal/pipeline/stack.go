package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/sbom"
)

// StackSchema names the form of stack.yaml.
const StackSchema = "pegel/stack/v1"

// maxStackFile bounds stack.yaml; a real one has a few kilobytes.
const maxStackFile = 1 << 20

// Stack is what the operator declares: the whole stack.yaml.
type Stack struct {
	Schema       string        `yaml:"schema"`
	Subject      StackSubject  `yaml:"subject"`
	Regions      []StackRegion `yaml:"regions"`
	Scopes       []string      `yaml:"scopes"`
	Sources      []yaml.Node   `yaml:"sources"`
	Assign       []Assign      `yaml:"assign"`
	Evidence     []string      `yaml:"evidence"`
	At           string        `yaml:"at"`
	Previous     string        `yaml:"previous"`
	Transparency yaml.Node     `yaml:"transparency"`
	Conformance  yaml.Node     `yaml:"conformance"`
	Declarations string        `yaml:"declarations"`
	Network      StackNetwork  `yaml:"network"`
	Licences     StackLicences `yaml:"licences"`
	Collect      StackCollect  `yaml:"collect"`
	// Mitigations are what the operator declares to lessen the risks of upstream projects.
	Mitigations []StackMitigation `yaml:"mitigations"`

	// Dir is the directory of the file; relative paths in it start there. Name is the path as it was given.
	Dir  string `yaml:"-"`
	Name string `yaml:"-"`
	// Bytes are the file itself.
	Bytes []byte `yaml:"-"`
	// home is the address of an operator whose artifacts are searched from there; empty: only what the file names is looked at.
	home string
}

// StackSubject is what is audited.
type StackSubject struct {
	Name     string        `yaml:"name" json:"name"`
	Kind     string        `yaml:"kind" json:"kind"`         // cloud or release
	Exposure string        `yaml:"exposure" json:"exposure"` // public, community or private
	Group    string        `yaml:"group" json:"group,omitempty"`
	Operator StackOperator `yaml:"operator" json:"operator,omitzero"`
}

// StackOperator is who runs the cloud; empty for a release.
type StackOperator struct {
	Name    string   `yaml:"name" json:"name,omitempty"`
	Domains []string `yaml:"domains" json:"domains,omitempty"`
}

// StackNetwork says how servers are reached. Without it only public addresses are, directly, with the authorities of the
// system.
type StackNetwork struct {
	Allow []string `yaml:"allow"` // addresses or networks that may be reached although they are private, e.g. 10.0.0.0/8
	Proxy string   `yaml:"proxy"` // of HTTP and HTTPS, e.g. http://proxy.example:3128
	CA    string   `yaml:"ca"`    // PEM file of certificate authorities beside those of the system
}

// StackCollect says who may be asked about upstream projects, beside their git repositories.
type StackCollect struct {
	// Forges says whether forges, review systems, CI and trackers are asked; absent: yes, unless the run is offline.
	Forges *bool `yaml:"forges"`
	// Services says what runs at a host that Pegel does not know, e.g. {git.example.org: gitlab}.
	Services map[string]string `yaml:"services"`
	// Indexes are third parties that may be asked, in the words of thirdparty.Services. Absent: none.
	Indexes []string `yaml:"indexes"`
	// OSV is a directory with dumps of osv.dev, used instead of asking it.
	OSV string `yaml:"osv"`
	// Affiliations are files that say who works for whom: the operator's own, and those of gitdm and Stackalytics.
	Affiliations []StackAffiliations `yaml:"affiliations"`
}

// StackAffiliations is one file that says who works for whom: its path alone, or with the day and the public address that it
// was taken from.
type StackAffiliations struct {
	File   string `yaml:"file"`
	At     string `yaml:"at"`
	Source string `yaml:"source"`
}

// UnmarshalYAML takes a path, or a mapping.
func (a *StackAffiliations) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*a = StackAffiliations{File: n.Value}
		return nil
	}
	if err := checkShape(n, shape{"file": nil, "at": nil, "source": nil}, "affiliations"); err != nil {
		return err
	}
	type plain StackAffiliations
	return n.Decode((*plain)(a))
}

// StackLicences says who may be asked about licences of packages of which an artifact says nothing. Without it nobody is.
type StackLicences struct {
	Services    []yaml.Node `yaml:"services"`     // words such as debsources, or a word and an address: {npm: https://...}
	Mirrors     []string    `yaml:"mirrors"`      // archives of .deb packages: addresses or directories
	ModuleCache string      `yaml:"module_cache"` // directory of a Go module cache
}

// Assign is a correction by the operator: where an artifact belongs, what it is, or that it is not deployed.
type Assign struct {
	Match       string `yaml:"match" json:"match"` // "image:*/netbox" or "host:*": kind and pattern on the reference without tag
	Tier        string `yaml:"tier" json:"tier,omitempty"`
	Service     string `yaml:"service" json:"service,omitempty"`
	Upstream    string `yaml:"upstream" json:"upstream,omitempty"` // catalogue id
	NotDeployed bool   `yaml:"not-deployed" json:"not_deployed,omitempty"`
	Region      string `yaml:"region" json:"region,omitempty"` // only what is seen there; empty: everywhere
	Reason      string `yaml:"reason" json:"reason"`
}

// UsageError is wrong input by the person at the keyboard: exit code 2.
type UsageError struct {
	Err  error
	Hint string // what to do, one line; may be empty
}

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

func usagef(hint, format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...), Hint: hint}
}

// ReadStack reads and checks a stack file. Every error is a *UsageError that names file, line and remedy.
func ReadStack(name string) (Stack, error) {
	data, err := readBounded(name, maxStackFile)
	if err != nil {
		hint := "give the path of a stack.yaml; examples/scs-reference/stack.yaml is one"
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("no such file")
		}
		return Stack{}, usagef(hint, "reading stack %q: %w", name, err)
	}
	s, err := ParseStack(data, name)
	if err != nil {
		return Stack{}, err
	}
	s.Dir = filepath.Dir(name)
	return s, nil
}

// ParseStack reads the bytes of a stack file; name is used in errors only.
func ParseStack(data []byte, name string) (Stack, error) {
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return Stack{}, usagef("the least it needs: schema, subject, scopes, sources", "reading stack %q: the file is empty", name)
		}
		return Stack{}, usagef("", "reading stack %q: %s", name, yamlMessage(err))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Stack{}, usagef("keep one document per file", "reading stack %q: a second YAML document", name)
	}
	if err := checkShape(root.Content[0], stackShape, "stack"); err != nil {
		return Stack{}, usagef("", "reading stack %q: %w", name, err)
	}
	var s Stack
	if err := root.Decode(&s); err != nil {
		return Stack{}, usagef("", "reading stack %q: %s", name, yamlMessage(err))
	}
	s.Name, s.Bytes = name, data
	if err := s.check(&root); err != nil {
		return Stack{}, usagef("", "reading stack %q: %w", name, err)
	}
	return s, nil
}

func (s Stack) check(root *yaml.Node) error {
	at := func(key string) string { return place(root.Content[0], key) }
	switch {
	case s.Schema != StackSchema:
		return fmt.Errorf("%s: schema is %q, want %q", at("schema"), s.Schema, StackSchema)
	case s.Subject.Name == "":
		return fmt.Errorf("%s: subject has no name", at("subject"))
	case s.Subject.Kind != "cloud" && s.Subject.Kind != "release":
		return fmt.Errorf("%s: subject kind is %q, want cloud or release", at("subject"), s.Subject.Kind)
	case s.Subject.Exposure != "" && !slices.Contains([]string{"public", "community", "private"}, s.Subject.Exposure):
		return fmt.Errorf("%s: subject exposure is %q, want public, community or private", at("subject"), s.Subject.Exposure)
	case len(s.Scopes) == 0:
		return fmt.Errorf("%s: no scope is asked for; name at least one, e.g. scs-open-iaas", at("scopes"))
	case len(s.Sources) == 0 && !slices.ContainsFunc(s.Regions, func(r StackRegion) bool { return len(r.Sources) > 0 }):
		return fmt.Errorf("%s: no source is given; without one nothing can be seen", at("sources"))
	}
	if err := s.checkRegions(); err != nil {
		return fmt.Errorf("%s: %w", at("regions"), err)
	}
	if _, err := s.assessedAt(); err != nil {
		return fmt.Errorf("%s: %w", at("at"), err)
	}
	if err := s.Licences.check(); err != nil {
		return err
	}
	if err := checkMitigations(s.Mitigations); err != nil {
		return fmt.Errorf("%s: %w", at("mitigations"), err)
	}
	for i, a := range s.Assign {
		if a.Match == "" || a.Reason == "" {
			return fmt.Errorf("%s: entry %d needs match and reason", at("assign"), i+1)
		}
		if err := a.check(); err != nil {
			return fmt.Errorf("%s: entry %d: %w", at("assign"), i+1, err)
		}
		if a.Region != "" && !s.hasRegion(a.Region) {
			return fmt.Errorf("%s: entry %d: %w", at("assign"), i+1, s.unknownRegion(a.Region))
		}
		if a.Tier != "" && !slices.Contains(tiers, a.Tier) {
			return fmt.Errorf("%s: entry %d: tier is %q, want one of %s", at("assign"), i+1, a.Tier, strings.Join(tiers, ", "))
		}
	}
	return nil
}

// check refuses a pattern that can match nothing.
func (a Assign) check() error {
	kind, pattern, ok := strings.Cut(a.Match, ":")
	kinds := []string{sbom.KindImage, sbom.KindHost, sbom.KindSoftware, sbom.KindBOM}
	if !ok || !slices.Contains(kinds, kind) {
		return fmt.Errorf("match is %q, want a kind (%s), a colon and a pattern, e.g. image:*/netbox", a.Match, strings.Join(kinds, ", "))
	}
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return fmt.Errorf("match is %q, and %q is no pattern: * stands for any text without a slash", a.Match, pattern)
	}
	if a.Tier == "" && a.Service == "" && a.Upstream == "" && !a.NotDeployed {
		return errors.New("it changes nothing; give tier, service, upstream or not-deployed")
	}
	return nil
}

// tiers in the order of every report (design section 2).
var tiers = []string{"functional", "iam", "ops", "base"}

// assessedAt returns the day that the stack file asks for, or the zero time if it leaves that to the run.
func (s Stack) assessedAt() (time.Time, error) { return ParseDay(s.At) }

// ParseDay reads a date or a time (RFC 3339) as UTC; an empty string is the zero time.
func ParseDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if t = t.UTC(); t.Year() < 2000 || t.Year() > 2199 {
			return time.Time{}, fmt.Errorf("%q is no date of a cloud: want a year from 2000", text)
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no date; write 2026-11-24 or 2026-11-24T06:00:00Z", text)
}

// shape is what a mapping may hold: key to the shape below it, nil where anything goes that the decoder accepts.
type shape map[string]shape

var stackShape = shape{
	"schema": nil, "scopes": nil, "sources": nil, "evidence": nil, "at": nil, "previous": nil,
	"declarations": nil, "conformance": nil,
	"regions":  {"name": nil, "monitor_subject": nil, "sources": nil},
	"network":  {"allow": nil, "proxy": nil, "ca": nil},
	"licences": {"services": nil, "mirrors": nil, "module_cache": nil},
	"collect":  {"forges": nil, "services": nil, "indexes": nil, "osv": nil, "affiliations": nil},
	"subject": {
		"name": nil, "kind": nil, "exposure": nil, "group": nil,
		"operator": {"name": nil, "domains": nil},
	},
	"mitigations": {"project": nil, "kind": nil, "text": nil, "source": nil, "accepted_by": nil},
	"assign":      {"match": nil, "tier": nil, "service": nil, "upstream": nil, "not-deployed": nil, "region": nil, "reason": nil},
	"transparency": {
		"status_page": nil, "incident_reports": nil, "monitor": nil, "runbooks": nil, "configuration": nil, "open_operations": nil,
		"sbom": nil, "security_txt": nil, "advisories": nil, "imprint": nil, "certificate_page": nil,
		"patches": nil, "identity": nil,
	},
}

// checkShape refuses unknown and doubled keys, with line, column and the nearest known key. A list is checked entry by entry.
func checkShape(n *yaml.Node, want shape, what string) error {
	if want == nil {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return fmt.Errorf("line %d, column %d: aliases are not read; write the value out", n.Line, n.Column)
	case yaml.SequenceNode:
		for _, entry := range n.Content {
			if err := checkShape(entry, want, what); err != nil {
				return err
			}
		}
		return nil
	case yaml.MappingNode:
	default:
		return fmt.Errorf("line %d, column %d: %s must be a mapping of keys to values", n.Line, n.Column, what)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		below, ok := want[key.Value]
		if !ok {
			return fmt.Errorf("line %d, column %d: unknown key %q in %s%s", key.Line, key.Column, key.Value, what, didYouMean(key.Value, want))
		}
		if seen[key.Value] {
			return fmt.Errorf("line %d, column %d: key %q stands twice in %s", key.Line, key.Column, key.Value, what)
		}
		seen[key.Value] = true
		if err := checkShape(n.Content[i+1], below, key.Value); err != nil {
			return err
		}
	}
	return nil
}

func didYouMean(got string, known shape) string {
	best, at := "", 3 // more than two edits is another word
	for _, k := range slices.Sorted(keysOf(known)) {
		if d := distance(got, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(slices.Sorted(keysOf(known)), ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

func keysOf(s shape) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range s {
			if !yield(k) {
				return
			}
		}
	}
}

// distance is the number of single-letter edits between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// place returns "line N" of a key, or of the mapping if the key is missing.
func place(mapping *yaml.Node, key string) string {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return fmt.Sprintf("line %d", mapping.Content[i].Line)
		}
	}
	return fmt.Sprintf("key %q is missing", key)
}

func yamlMessage(err error) string {
	var t *yaml.TypeError
	if errors.As(err, &t) && len(t.Errors) > 0 {
		return t.Errors[0]
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if !strings.HasPrefix(text, "line ") {
		text = "line 1: " + text // the library leaves the first line out
	}
	return text
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a directory, want a file")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file") // a pipe would block
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, nil
}

// readOwnYAML reads one document of a form of ours strictly: unknown and doubled keys are errors with their place.
func readOwnYAML(name string, limit int64, want shape, what string, into any) error {
	data, err := readBounded(name, limit)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return errors.New("no such file")
		}
		return err
	}
	return parseOwnYAML(data, want, what, into)
}

func parseOwnYAML(data []byte, want shape, what string, into any) error {
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty")
		}
		return errors.New(yamlMessage(err))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("a second YAML document; keep one per file")
	}
	if err := checkShape(root.Content[0], want, what); err != nil {
		return err
	}
	if err := root.Decode(into); err != nil {
		return errors.New(yamlMessage(err))
	}
	return nil
}
