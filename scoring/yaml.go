package scoring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Collectors read YAML that strangers wrote: registries of foundations, calendars of releases. YAML gives them the text of
// every value as it stands in the file, so that the release 2025.10 does not become the number 2025.1, and refuses what
// only an attacker writes.

// MostYAML is how many bytes of YAML are read; the largest registry that is read, the CNCF landscape, has 1.1 MB.
const MostYAML = 16 << 20

const (
	mostNodes  = 2_000_000 // the landscape has some 70,000
	mostLevels = 32        // the landscape has 9
)

// YAML is one value of a YAML document: a mapping, a list, a text, or nothing. The zero value is nothing, and what is
// asked of it is nothing too, so that a path can be followed without a question at every step.
type YAML struct{ node *yaml.Node }

// ReadYAML reads the one YAML document in data. Anchors, aliases, repeated keys, keys that are no text, tags of its own, a
// second document and anything too large or too deep are errors that name the line.
func ReadYAML(data []byte) (YAML, error) { return readYAML(data, false) }

// ReadRepeatingYAML is ReadYAML for files whose writers repeat keys: OpenStack's list of former teams does so. Pairs gives
// every one of them, Get the first.
func ReadRepeatingYAML(data []byte) (YAML, error) { return readYAML(data, true) }

func readYAML(data []byte, repeating bool) (YAML, error) {
	if len(data) > MostYAML {
		return YAML{}, fmt.Errorf("%d bytes of YAML, at most %d are read", len(data), MostYAML)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, rest yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return YAML{}, errors.New("the file is empty")
	} else if err != nil {
		return YAML{}, oneLine(err)
	}
	if err := d.Decode(&rest); !errors.Is(err, io.EOF) {
		return YAML{}, errors.New("want exactly one YAML document")
	}
	if len(doc.Content) != 1 {
		return YAML{}, errors.New("the file is empty")
	}
	c := checker{left: mostNodes, repeating: repeating}
	if err := c.check(doc.Content[0], 0); err != nil {
		return YAML{}, err
	}
	return YAML{doc.Content[0]}, nil
}

// oneLine writes an error of the YAML library in one line without its prefix. It holds line numbers, never text of the file.
func oneLine(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if i := strings.IndexAny(text, "\n'\"`"); i >= 0 { // what follows quotes the file
		text = strings.TrimSpace(text[:i])
	}
	return errors.New("no YAML: " + text)
}

// checker checks values before they are used.
type checker struct {
	left      int // how many more values may come
	repeating bool
}

// check checks a value and all below it.
func (c *checker) check(n *yaml.Node, level int) error {
	c.left--
	switch {
	case c.left < 0:
		return fmt.Errorf("line %d: more than %d values", n.Line, mostNodes)
	case level > mostLevels:
		return fmt.Errorf("line %d: more than %d levels", n.Line, mostLevels)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are not read", n.Line)
	case !strings.HasPrefix(n.Tag, "!!"):
		return fmt.Errorf("line %d: values with a tag of their own are not read", n.Line)
	}
	if n.Kind == yaml.MappingNode {
		if err := c.keys(n); err != nil {
			return err
		}
	}
	for _, child := range n.Content {
		if err := c.check(child, level+1); err != nil {
			return err
		}
	}
	return nil
}

// keys checks that no key of a mapping stands twice. The library does so too, but in quadratic time.
func (c *checker) keys(n *yaml.Node) error {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a key is no text", key.Line)
		}
		if first, ok := seen[key.Value]; ok && !c.repeating {
			return fmt.Errorf("line %d: a key stands twice, first in line %d", key.Line, first)
		}
		seen[key.Value] = key.Line
	}
	return nil
}

// Get returns the value of a key; nothing if there is none.
func (y YAML) Get(key string) YAML {
	for k, v := range y.Pairs() {
		if k == key {
			return v
		}
	}
	return YAML{}
}

// Pairs goes over the keys and values of a mapping in the order of the file.
func (y YAML) Pairs() iter.Seq2[string, YAML] {
	return func(yield func(string, YAML) bool) {
		if !y.Mapping() {
			return
		}
		for i := 0; i+1 < len(y.node.Content); i += 2 {
			if !yield(y.node.Content[i].Value, YAML{y.node.Content[i+1]}) {
				return
			}
		}
	}
}

// Items goes over the values of a list.
func (y YAML) Items() iter.Seq[YAML] {
	return func(yield func(YAML) bool) {
		if !y.List() {
			return
		}
		for _, n := range y.node.Content {
			if !yield(YAML{n}) {
				return
			}
		}
	}
}

// Text returns a single value as it is written, without quotes: 2025.10 and "2025.10" are both 2025.10. It is empty for anything
// else, and for null.
func (y YAML) Text() string {
	if y.node == nil || y.node.Kind != yaml.ScalarNode || y.node.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(y.node.Value)
}

// Mapping reports whether the value has keys; List, whether it is a list.
func (y YAML) Mapping() bool { return y.node != nil && y.node.Kind == yaml.MappingNode }

// List reports whether the value is a list.
func (y YAML) List() bool { return y.node != nil && y.node.Kind == yaml.SequenceNode }

// Line is the line where the value begins; 0 for nothing.
func (y YAML) Line() int {
	if y.node == nil {
		return 0
	}
	return y.node.Line
}
