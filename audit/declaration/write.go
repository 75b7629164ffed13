package declaration

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// entryYAML is an entry as it is written.
type entryYAML struct {
	ID        string         `yaml:"id"`
	Statement string         `yaml:"statement"`
	Date      *yaml.Node     `yaml:"date,omitempty"`
	Expires   *yaml.Node     `yaml:"expires,omitempty"`
	Evidence  []evidenceYAML `yaml:"evidence"`
}

type evidenceYAML struct {
	File   string       `yaml:"file,omitempty"`
	URL    string       `yaml:"url,omitempty"`
	Digest audit.Digest `yaml:"digest,omitempty"`
}

// Open is a matter for which a declaration would help, for a file that somebody fills in.
type Open struct {
	ID    string
	About []string // what is asked, and what is missing: comments in the file
}

// Write returns a new file of declarations, which Parse reads. The matters that are open follow as entries to be filled in; with
// any of them Parse says what is missing.
func Write(f File, open []Open) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# What an operator says where nobody can look. Write organisations and roles, never names or addresses of people.\n" +
		"# pegel declare check says whether it can be read, and until when each entry counts.\n")
	head := struct {
		Schema string     `yaml:"schema"`
		Who    string     `yaml:"who"`
		Role   string     `yaml:"role"`
		Date   *yaml.Node `yaml:"date"`
	}{Schema, f.Who, f.Role, dayNode(f.Date)}
	if err := encode(&b, head); err != nil {
		return nil, err
	}
	b.WriteString("entries:\n")
	for _, e := range f.Entries {
		text, err := entryText(e, f.Date, 2)
		if err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	for _, o := range open {
		for _, line := range o.About {
			fmt.Fprintf(&b, "  # %s\n", printableLine(line))
		}
		fmt.Fprintf(&b, "  - id: %s\n    statement: \"\"\n    evidence: []\n", o.ID)
	}
	data := b.Bytes()
	if len(open) > 0 {
		return data, nil
	}
	_, err := Parse(data, "new")
	return data, err
}

// Append returns the file with further entries. What stood there stays as it was, comments included; where that cannot be done
// it is an error. The new entries keep their own date where it is another than that of the file.
func Append(data []byte, name string, entries []Entry) ([]byte, error) {
	before, err := Parse(data, name)
	if err != nil {
		return nil, err
	}
	for _, way := range []func([]byte, time.Time, []Entry) ([]byte, error){appendText, appendNodes} {
		after, err := way(data, before.Date, entries)
		if err == nil && keeps(data, after, before, entries) {
			return after, nil
		}
	}
	// Say what is wrong with the new entries, if that is why.
	alone := before
	alone.Entries = append(slices.Clone(before.Entries), entries...)
	if _, err := Write(alone, nil); err != nil {
		return nil, fmt.Errorf("adding to declarations %q: %w", printable(name), unwrapped(err))
	}
	return nil, fmt.Errorf("adding to declarations %q: its form cannot be kept; write entries: as the last key, as a list of its own lines", printable(name))
}

func unwrapped(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// keeps says whether a file holds what it held before, and the new entries.
func keeps(was, is []byte, before File, added []Entry) bool {
	after, err := Parse(is, "new")
	if err != nil || after.Who != before.Who || after.Role != before.Role || !after.Date.Equal(before.Date) || len(after.Entries) != len(before.Entries)+len(added) {
		return false
	}
	for i, e := range slices.Concat(before.Entries, added) {
		if !reflect.DeepEqual(withoutLines(after.Entries[i]), withoutLines(e)) {
			return false
		}
	}
	return bytes.HasPrefix(is, was) || slices.Equal(comments(was), comments(is))
}

func withoutLines(e Entry) Entry {
	e.Line = 0
	e.Evidence = slices.Clone(e.Evidence)
	for i := range e.Evidence {
		e.Evidence[i].Line = 0
	}
	return e
}

// comments returns all comments of a document, sorted.
func comments(data []byte) []string {
	root, err := parseNode(data)
	if err != nil {
		return nil
	}
	var out []string
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		for _, c := range []string{n.HeadComment, n.LineComment, n.FootComment} {
			for line := range strings.Lines(c) {
				if line = strings.TrimSpace(line); line != "" {
					out = append(out, line)
				}
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	slices.Sort(out)
	return out
}

// appendText writes the entries behind the text, which is right where the list of entries is the last thing in it.
func appendText(data []byte, said time.Time, entries []Entry) ([]byte, error) {
	root, err := parseNode(data)
	if err != nil {
		return nil, err
	}
	last := root.Content[len(root.Content)-1]
	if root.Content[len(root.Content)-2].Value != "entries" || last.Kind != yaml.SequenceNode || last.Style&yaml.FlowStyle != 0 || root.Style&yaml.FlowStyle != 0 {
		return nil, errors.New("the entries are not the last thing in the file")
	}
	out := bytes.Clone(data)
	if !bytes.HasSuffix(out, []byte("\n")) {
		out = append(out, '\n')
	}
	for _, e := range entries {
		text, err := entryText(e, said, last.Column-1)
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return out, nil
}

// appendNodes writes the file anew from its nodes, which keeps comments but not blank lines.
func appendNodes(data []byte, said time.Time, entries []Entry) ([]byte, error) {
	root, err := parseNode(data)
	if err != nil {
		return nil, err
	}
	var key, target *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "entries" {
			key, target = root.Content[i], root.Content[i+1]
		}
	}
	if target == nil {
		key, target = &yaml.Node{Kind: yaml.ScalarNode, Value: "entries"}, &yaml.Node{}
		root.Content = append(root.Content, key, target)
	}
	if len(target.Content) == 0 { // nothing, or []: the list begins below, and a comment beside it stands above
		key.HeadComment = strings.Join(slices.DeleteFunc([]string{key.HeadComment, target.LineComment}, func(c string) bool { return c == "" }), "\n")
		*target = yaml.Node{Kind: yaml.SequenceNode, HeadComment: target.HeadComment, FootComment: target.FootComment}
	}
	for _, e := range entries {
		var n yaml.Node
		if err := n.Encode(asYAML(e, said)); err != nil {
			return nil, err
		}
		target.Content = append(target.Content, &n)
	}
	var b bytes.Buffer
	err = encode(&b, root)
	return b.Bytes(), err
}

func entryText(e Entry, said time.Time, indent int) (string, error) {
	var b bytes.Buffer
	if err := encode(&b, []entryYAML{asYAML(e, said)}); err != nil {
		return "", err
	}
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.TrimSpace(line) != "" {
			out.WriteString(strings.Repeat(" ", indent))
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

func asYAML(e Entry, said time.Time) entryYAML {
	y := entryYAML{ID: e.ID, Statement: e.Statement, Expires: dayNode(e.Expires)}
	if !e.Date.Equal(said) {
		y.Date = dayNode(e.Date)
	}
	for _, v := range e.Evidence {
		y.Evidence = append(y.Evidence, evidenceYAML{File: v.File, URL: v.URL, Digest: v.Digest})
	}
	return y
}

// dayNode writes a day without quotes.
func dayNode(t time.Time) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: t.Format(time.DateOnly)}
}

func encode(b *bytes.Buffer, v any) error {
	enc := yaml.NewEncoder(b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return enc.Close()
}

// printableLine makes text fit for a comment: one line, nothing that steers a terminal.
func printableLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, printableLong(s))), " ")
}

func printableLong(s string) string {
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && printable(string(r)) != string(r) {
			return '?'
		}
		return r
	}, s)
}
