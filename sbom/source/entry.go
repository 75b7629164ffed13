package source

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// This file reads the mapping of one entry under sources:, strictly: unknown and double keys, wrong types and control
// characters are errors with line and column.

// fields are the keys that a mapping may have.
type fields map[string]field

type field int

const (
	optional field = iota // one text
	required              // one text that must be there
	list                  // a text or a list of texts, optional
	flag                  // true or false, optional
)

// values are what one entry says.
type values struct {
	node  *yaml.Node
	text  map[string]string
	lists map[string][]string
	flags map[string]bool
	at    map[string]*yaml.Node
	base  string
}

// path returns the path of a value on this machine.
func (v values) path(text string) string {
	if filepath.IsAbs(text) {
		return filepath.Clean(text)
	}
	return filepath.Join(v.base, text)
}

// has reports whether the entry names the key.
func (v values) has(key string) bool { return v.at[key] != nil }

// exactlyOne returns which of the keys the entry names; none or two of them are an error.
func (v values) exactlyOne(what string, keys ...string) (string, error) {
	found := ""
	for _, key := range keys {
		if !v.has(key) {
			continue
		}
		if found != "" {
			return "", at(v.at[key], "%s has both %s and %s; write two entries", what, found, key)
		}
		found = key
	}
	if found == "" {
		return "", at(v.node, "%s needs one of the keys %s", what, strings.Join(keys, ", "))
	}
	return found, nil
}

// readFields reads a mapping of known keys.
func readFields(node *yaml.Node, what string, known fields) (values, error) {
	v := values{node: node, text: map[string]string{}, lists: map[string][]string{}, flags: map[string]bool{}, at: map[string]*yaml.Node{}}
	names := sortedKeys(known)
	if node.Kind != yaml.MappingNode {
		return v, at(node, "%s must be a mapping with the keys %s", what, strings.Join(names, ", "))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		form, ok := known[key.Value]
		if !ok {
			return v, at(key, "unknown key %q in %s%s", key.Value, what, didYouMean(key.Value, names))
		}
		if v.has(key.Value) {
			return v, at(key, "key %q stands twice in %s", key.Value, what)
		}
		if err := v.read(key.Value, value, form, what); err != nil {
			return v, err
		}
		v.at[key.Value] = value
	}
	for _, name := range names {
		if known[name] == required && !v.has(name) {
			return v, at(node, "key %q is missing in %s", name, what)
		}
	}
	return v, nil
}

// maxList bounds a list in one entry.
const maxList = 10_000

func (v values) read(key string, value *yaml.Node, form field, what string) error {
	switch form {
	case flag:
		if value.Kind != yaml.ScalarNode || value.Tag != "!!bool" {
			return at(value, "%s of %s must be true or false", key, what)
		}
		v.flags[key] = strings.EqualFold(value.Value, "true")
	case list:
		items := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			items = value.Content
		}
		if len(items) == 0 || len(items) > maxList {
			return at(value, "%s of %s must be a list of 1 to %d texts", key, what, maxList)
		}
		for _, item := range items {
			text, err := scalar(item, key, what)
			if err != nil {
				return err
			}
			v.lists[key] = append(v.lists[key], text)
		}
	default:
		text, err := scalar(value, key, what)
		if err != nil {
			return err
		}
		v.text[key] = text
	}
	return nil
}

func scalar(value *yaml.Node, key, what string) (string, error) {
	if value.Kind != yaml.ScalarNode || value.Tag == "!!null" || value.Value == "" {
		return "", at(value, "%s of %s must be a text", key, what)
	}
	if strings.ContainsRune(value.Value, 0) {
		return "", at(value, "%s of %s holds a NUL", key, what)
	}
	return value.Value, nil
}

// tier reads the tier that an entry may name.
func (v values) tier() ([]string, error) {
	text, ok := v.text["tier"]
	if !ok {
		return nil, nil
	}
	known := []string{"functional", "iam", "ops", "base"}
	if !slices.Contains(known, text) {
		return nil, at(v.at["tier"], "unknown tier %q%s", text, didYouMean(text, known))
	}
	return []string{text}, nil
}

func at(node *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d, column %d: %s", node.Line, node.Column, withoutLogins(fmt.Sprintf(format, args...)))
}

// withoutLogins takes user and password out of addresses: an error may quote what somebody wrote in the wrong place. A tag
// before a digest, as in name:tag@sha256:..., is none.
func withoutLogins(text string) string {
	login := regexp.MustCompile(`[^\s"'/=@:,]*:[^\s"'/@]*@(sha256:)?`)
	return login.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasSuffix(found, ":") {
			return found
		}
		return "...@"
	})
}

// didYouMean returns a hint for an unknown word: the nearest known one within two edits, else all of them.
func didYouMean(got string, known []string) string {
	best, least := "", 3
	if len(got) <= 64 {
		for _, k := range known {
			if d := edits(got, k); d < least {
				best, least = k, d
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; known are " + strings.Join(known, ", ")
}

// edits is the number of single-letter changes from one word to another (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], change
		}
	}
	return row[len(b)]
}
