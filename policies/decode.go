package policies

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong with a policy file. Line and Column count from 1; 0 means the whole file.
type Problem struct {
	File   string
	Line   int
	Column int
	Text   string // what is wrong and what would be right
}

// String writes `"modules/licences.yaml": line 12, column 9: text`.
func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return fmt.Sprintf("%q: %s", p.File, p.Text)
	case p.Column == 0:
		return fmt.Sprintf("%q: line %d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%q: line %d, column %d: %s", p.File, p.Line, p.Column, p.Text)
}

// LoadError lists everything that is wrong with a policy, in the order of files and lines.
type LoadError struct{ Problems []Problem }

// mostShown bounds the problems in the text of a LoadError; Problems has all.
const mostShown = 10

// Error shows the first problems in one line: who prints it may show no line breaks.
func (e *LoadError) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == mostShown {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("reading policy " + p.String())
	}
	return b.String()
}

// Bounds of a policy file; more is refused.
const (
	mostBytes    = 1 << 20
	mostDepth    = 12
	mostProblems = 200
)

// reader decodes one YAML file strictly: unknown and repeated keys, anchors and tags are problems with their place.
type reader struct {
	file     string
	beside   bool // the file is given beside a policy and is no part of one
	problems []Problem
}

func (r *reader) problem(n *yaml.Node, format string, args ...any) {
	p := Problem{File: r.file, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, p)
	}
}

// root parses the one document of a file; nil if there is none, with the problem noted.
func (r *reader) root(data []byte) *yaml.Node {
	if len(data) > mostBytes {
		r.problem(nil, "the file has %d bytes; at most %d are read", len(data), mostBytes)
		return nil
	}
	if !utf8.Valid(data) {
		r.problem(nil, "the file is not UTF-8")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		r.syntax(err)
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		r.problem(nil, "a policy file holds exactly one YAML document")
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		r.problem(nil, "the file is empty")
		return nil
	}
	if bad := odd(doc.Content[0], 0); bad != nil {
		r.problem(bad, "anchors, aliases, merge keys, tags and more than %d levels are not allowed here", mostDepth)
		return nil
	}
	return doc.Content[0]
}

// syntax notes an error of the YAML parser, which writes "yaml: line 3: ...".
func (r *reader) syntax(err error) {
	p := Problem{File: r.file, Text: strings.TrimPrefix(err.Error(), "yaml: ")}
	if rest, ok := strings.CutPrefix(p.Text, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		if line, convErr := strconv.Atoi(number); convErr == nil {
			p.Line, p.Text = line, text
		}
	}
	p.Text = "no valid YAML: " + clean(p.Text)
	r.problems = append(r.problems, p)
}

// odd finds the first node that plain data does not need: an alias, an anchor, a merge key, a tag, or too much depth.
func odd(n *yaml.Node, depth int) *yaml.Node {
	if depth > mostDepth || n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!merge" {
		return n
	}
	for _, c := range n.Content {
		if bad := odd(c, depth+1); bad != nil {
			return bad
		}
	}
	return nil
}

// mapping returns the values by key. Keys that are not known, or stand twice, are problems.
func (r *reader) mapping(n *yaml.Node, known ...string) map[string]*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.problem(n, "a mapping with the keys %s is needed here", strings.Join(known, ", "))
		return nil
	}
	out := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			r.problem(key, "unknown key %q%s", clean(key.Value), didYouMean(key.Value, known))
		case out[key.Value] != nil:
			r.problem(key, "key %q stands here twice", key.Value)
		default:
			out[key.Value] = n.Content[i+1]
		}
	}
	return out
}

// entries returns the elements of a list; a missing list is empty.
func (r *reader) entries(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.problem(n, "a list is needed here")
		return nil
	}
	return n.Content
}

// text returns a string; a missing one is empty.
func (r *reader) text(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		r.problem(n, "a text is needed here; put it in quotes if it looks like a number, a date or true")
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// needed returns a string that must be there.
func (r *reader) needed(parent *yaml.Node, m map[string]*yaml.Node, key string) string {
	v := r.text(m[key])
	if v == "" && m != nil && (m[key] == nil || m[key].Tag == "!!str") {
		r.problem(orNode(m[key], parent), "%q is missing", key)
	}
	return v
}

func orNode(n, otherwise *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return otherwise
}

// oneOf returns a string that must be one of the given.
func (r *reader) oneOf(parent *yaml.Node, m map[string]*yaml.Node, key string, allowed ...string) string {
	v := r.needed(parent, m, key)
	if v != "" && !slices.Contains(allowed, v) {
		r.problem(m[key], "%s %q is not one of %s%s", key, clean(v), strings.Join(allowed, ", "), didYouMean(v, allowed))
	}
	return v
}

func (r *reader) texts(n *yaml.Node) []string {
	var out []string
	for _, e := range r.entries(n) {
		v := r.text(e)
		if v == "" {
			continue
		}
		if slices.Contains(out, v) {
			r.problem(e, "%q stands here twice", clean(v))
			continue
		}
		out = append(out, v)
	}
	return out
}

func (r *reader) integer(n *yaml.Node, low, high int) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < low || v > high {
		r.problem(n, "a whole number from %d to %d is needed here", low, high)
		return 0
	}
	return v
}

func (r *reader) boolean(n *yaml.Node) bool {
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.problem(n, "true or false is needed here")
	}
	return n.Value == "true"
}

// identifier checks the form of ids: they appear in finding ids and addresses.
func (r *reader) identifier(parent *yaml.Node, m map[string]*yaml.Node, key string) string {
	v := r.needed(parent, m, key)
	if v != "" && !validID(v) {
		r.problem(m[key], "%s %q is not made of lower-case letters, digits and single hyphens, starting with a letter", key, clean(v))
		return ""
	}
	return v
}

func validID(s string) bool {
	if len(s) > 64 || strings.HasSuffix(s, "-") || strings.Contains(s, "--") {
		return false
	}
	for i, c := range s {
		if letter := c >= 'a' && c <= 'z'; !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// clean makes foreign text fit for one line: control and format characters become spaces, and long text is cut.
func clean(s string) string {
	const most = 200
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsGraphic(c) {
			return ' '
		}
		return c
	}, s)
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// didYouMean returns `; did you mean "x"?` for the known word closest to the given one, if any is close.
func didYouMean(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, distance := "", 1+len(word)/3
	for _, k := range known {
		if d := edits(word, k); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// edits counts the letters to change, add or remove between two words (Levenshtein).
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
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
