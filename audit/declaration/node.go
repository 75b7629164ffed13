package declaration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// parseNode reads one YAML document whose top is a mapping. Errors name the line.
func parseNode(data []byte) (*yaml.Node, error) {
	if len(data) > mostBytes {
		return nil, fmt.Errorf("%d bytes; at most %d are read", len(data), mostBytes)
	}
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if !strings.HasPrefix(text, "line ") {
			text = "line 1: " + text // the library leaves the first line out
		}
		return nil, errors.New(text)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second YAML document; keep one per file")
	}
	return root.Content[0], nil
}

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d, column %d: "+format, append([]any{n.Line, n.Column}, args...)...)
}

// fields returns the values of a mapping by key. An unknown key is an error with the nearest known one, and so is one that
// stands twice.
func fields(n *yaml.Node, what string, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, at(n, "%s must be a mapping of keys to values", what)
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(known, key.Value):
			return nil, at(key, "unknown key %q in %s%s", printable(key.Value), what, didYouMean(key.Value, known))
		case out[key.Value] != nil:
			return nil, at(key, "key %q stands twice in %s", key.Value, what)
		}
		out[key.Value] = n.Content[i+1]
	}
	return out, nil
}

// list returns the entries of a list; nil where the key is missing or says nothing.
func list(n *yaml.Node, what string, most int) ([]*yaml.Node, error) {
	switch {
	case n == nil, n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, nil
	case n.Kind != yaml.SequenceNode:
		return nil, at(n, "%s must be a list", what)
	case len(n.Content) > most:
		return nil, at(n, "%s has %d entries; at most %d are read", what, len(n.Content), most)
	}
	return n.Content, nil
}

// text returns a scalar as it is written; empty where the key is missing or says nothing.
func text(n *yaml.Node, what string) (string, error) {
	switch {
	case n == nil, n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return "", nil
	case n.Kind != yaml.ScalarNode:
		return "", at(n, "%s must be text", what)
	}
	return strings.TrimSpace(n.Value), nil
}

// day returns a date; zero where the key is missing.
func day(n *yaml.Node, what string) (time.Time, error) {
	s, err := text(n, what)
	if err != nil || s == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 2000 || t.Year() > 2199 {
		return time.Time{}, at(n, "%s is %q, want a date like 2026-11-24", what, printable(s))
	}
	return t, nil
}

// digest returns a digest; empty where the key is missing.
func digest(n *yaml.Node) (audit.Digest, error) {
	s, err := text(n, "digest")
	if err != nil || s == "" {
		return "", err
	}
	d, err := audit.ParseDigest(s)
	if err != nil || !strings.HasPrefix(s, "sha256:") {
		return "", at(n, "digest is %q, want sha256: and 64 lower-case hexadecimal digits", printable(s))
	}
	return d, nil
}

func didYouMean(got string, known []string) string {
	best, nearest := "", 3 // more than two edits is another word
	for _, k := range known {
		if d := distance(got, k); d < nearest {
			best, nearest = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the number of single-letter edits between two words (Levenshtein). Of long words only the beginning is compared.
func distance(a, b string) int {
	a, b = a[:min(len(a), 40)], b[:min(len(b), 40)]
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
