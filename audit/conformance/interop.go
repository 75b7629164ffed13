package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// noteRetired says what a guideline of OpenInfra is worth.
const noteRetired = "The OpenStack Powered programme was retired in September 2025 (opendev.org/openinfra/interop); SCS asks for its own list of tests since (scs-0128)."

// Guideline is what was used of a guideline of the OpenInfra Foundation (openstack/interop, doc/source/schema).
type Guideline struct {
	ID           string   `json:"id"`
	Schema       string   `json:"schema"`
	Status       string   `json:"status,omitempty"`  // draft, advisory, approved, superseded
	Components   []string `json:"components"`        // whose required capabilities were looked at
	Capabilities int      `json:"capabilities"`      // number of these
	Unnamed      []string `json:"unnamed,omitempty"` // required capabilities that the file does not describe
}

// required is one test that must pass.
type required struct {
	name    string
	ids     []string
	aliases []string
}

// requirements are the tests that results are compared with.
type requirements struct {
	name      string
	guideline *Guideline
	tests     []required
	flagged   int // tests of a guideline that do not count
}

// mostRequired is the most tests that a list may have.
const mostRequired = 50_000

// readRequirements reads a list of tests, one a line, or a guideline.
func readRequirements(data []byte) (requirements, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	if len(head) > 0 && head[0] == '{' {
		return readGuideline(head)
	}
	return readList(data)
}

// readList reads the form of scs-0128: name[id-UUID,tag,...] on each line.
func readList(data []byte) (requirements, error) {
	r := requirements{name: "list of scs-0128"}
	line, seen := 0, map[string]bool{}
	test := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+(\([^)]*\))?$`)
	for text := range bytes.Lines(data) {
		line++
		s := strings.TrimSpace(string(text))
		if s == "" || strings.HasPrefix(s, "#") || seen[s] {
			continue
		}
		seen[s] = true
		name, id := splitTest(s)
		if !test.MatchString(name) {
			return r, fmt.Errorf("line %d is no name of a test: %q", line, oneLine(s))
		}
		if len(r.tests) >= mostRequired {
			return r, fmt.Errorf("the list has more than %d tests", mostRequired)
		}
		t := required{name: name}
		if id != "" {
			t.ids = []string{id}
		}
		r.tests = append(r.tests, t)
	}
	if len(r.tests) == 0 {
		return r, errors.New("the list names no test")
	}
	return r, nil
}

// guidelineFile holds the keys of schemas 1.2 to 1.6 and 2.0 that count.
type guidelineFile struct {
	ID       string `json:"id"`
	Schema   string `json:"schema"`
	Status   string `json:"status"`
	Metadata struct {
		ID       string `json:"id"`
		Schema   string `json:"schema"`
		Approval struct {
			Status string `json:"status"`
		} `json:"os_trademark_approval"`
	} `json:"metadata"`
	Components   map[string]json.RawMessage     `json:"components"`
	Capabilities map[string]guidelineCapability `json:"capabilities"`
}

type guidelineCapability struct {
	Tests   json.RawMessage `json:"tests"`   // since 1.4 by name, before that a list of names
	Flagged []string        `json:"flagged"` // before 1.4
}

type guidelineTest struct {
	ID      string          `json:"idempotent_id"`
	Aliases []string        `json:"aliases"`
	Flagged json.RawMessage `json:"flagged"` // an object that says why, or absent
}

// readGuideline takes the required capabilities of OpenStack Powered Compute, or, where a guideline has no such component
// (add-ons, storage), of all its components. Flagged tests do not count (openstack/interop, HACKING.rst).
func readGuideline(data []byte) (requirements, error) {
	var file guidelineFile
	if err := json.Unmarshal(data, &file); err != nil {
		return requirements{}, err
	}
	g := Guideline{ID: oneLine(file.ID + file.Metadata.ID), Schema: oneLine(file.Schema + file.Metadata.Schema),
		Status: oneLine(file.Status + file.Metadata.Approval.Status)}
	if !strings.HasPrefix(g.Schema, "1.") && !strings.HasPrefix(g.Schema, "2.") {
		return requirements{}, fmt.Errorf("schema %q of guidelines is not known; 1.x and 2.x are", g.Schema)
	}
	r := requirements{name: "guideline " + g.ID, guideline: &g}
	wanted := map[string]bool{}
	for name, component := range file.components() {
		g.Components = append(g.Components, oneLine(name))
		for _, c := range capabilitiesOf(component) {
			wanted[c] = true
		}
	}
	slices.Sort(g.Components)
	for _, name := range sortedKeys(wanted) {
		capability, ok := file.Capabilities[name]
		if !ok {
			g.Unnamed = example(g.Unnamed, name)
			continue
		}
		g.Capabilities++
		if err := r.take(capability); err != nil {
			return r, fmt.Errorf("capability %q: %w", oneLine(name), err)
		}
	}
	if len(r.tests) == 0 {
		return r, errors.New("the guideline requires no test")
	}
	return r, nil
}

func (f guidelineFile) components() map[string]json.RawMessage {
	for _, name := range []string{"os_powered_compute", "compute"} {
		if c, ok := f.Components[name]; ok {
			return map[string]json.RawMessage{name: c}
		}
	}
	return f.Components
}

// capabilitiesOf returns the required capabilities of a component, by either schema.
func capabilitiesOf(component json.RawMessage) []string {
	var c struct {
		Required     []string `json:"required"`
		Capabilities struct {
			Required []string `json:"required"`
		} `json:"capabilities"`
	}
	if json.Unmarshal(component, &c) != nil {
		return nil
	}
	return append(c.Required, c.Capabilities.Required...)
}

func (r *requirements) take(c guidelineCapability) error {
	tests := map[string]guidelineTest{}
	if err := json.Unmarshal(c.Tests, &tests); err != nil {
		var names []string
		if json.Unmarshal(c.Tests, &names) != nil {
			return errors.New("the tests are neither a list nor named one by one")
		}
		for _, name := range names {
			tests[name] = guidelineTest{}
		}
	}
	for _, name := range sortedKeys(tests) {
		t := tests[name]
		if slices.Contains(c.Flagged, name) || len(t.Flagged) > 0 && string(t.Flagged) != "null" && string(t.Flagged) != "false" {
			r.flagged++
			continue
		}
		if len(r.tests) >= mostRequired {
			return fmt.Errorf("there are more than %d tests", mostRequired)
		}
		test := required{name: name}
		if id := strings.ToLower(strings.TrimPrefix(t.ID, "id-")); id != "" {
			test.ids = []string{id}
		}
		test.aliases = t.Aliases
		r.tests = append(r.tests, test)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
