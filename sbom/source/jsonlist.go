package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
)

// maxJSONDepth bounds the nesting of exported lists; real ones have at most 6 levels.
const maxJSONDepth = 64

// readJSONList reads each element of one JSON list and hands it on with the line on which it begins, or with the reason
// why it is none; a key that stands twice is one, because nobody could say which value counts. What was complete before a
// file broke off has been handed on when the error says where it did.
func readJSONList[T any](data []byte, limit int, each func(element T, line int, err error)) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil {
		return jsonProblem(data, dec, err)
	} else if token != json.Delim('[') {
		return errors.New("this is no JSON list")
	}
	lines := jsonLines{data: data, line: 1}
	for n := 0; dec.More(); n++ {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return jsonProblem(data, dec, err)
		}
		if n == limit {
			return fmt.Errorf("the list has more than %d entries; the rest is not read", limit)
		}
		value, err := readJSON[T](element)
		each(value, lines.at(dec.InputOffset()-int64(len(element))), err)
	}
	if _, err := dec.Token(); err != nil {
		return jsonProblem(data, dec, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: something follows the list", lines.at(dec.InputOffset()))
	}
	return nil
}

// readJSON reads one value, and refuses what encoding/json would take in silence.
func readJSON[T any](data []byte) (T, error) {
	var value T
	if err := checkJSONKeys(data); err != nil {
		return value, err
	}
	if err := json.Unmarshal(data, &value); err != nil {
		return value, errors.New(jsonWrongType(err))
	}
	return value, nil
}

// jsonLines finds lines of rising offsets in one pass.
type jsonLines struct {
	data []byte
	seen int64
	line int
}

func (c *jsonLines) at(offset int64) int {
	c.line += bytes.Count(c.data[c.seen:offset], []byte("\n"))
	c.seen = offset
	return c.line
}

// jsonProblem says where a document is wrong.
func jsonProblem(data []byte, dec *json.Decoder, err error) error {
	offset := dec.InputOffset()
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = min(max(offset, syntax.Offset), int64(len(data)))
	}
	place := fmt.Sprintf("line %d, byte %d", 1+bytes.Count(data[:offset], []byte("\n")), offset)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the file is empty")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the file breaks off", place)
	}
	return fmt.Errorf("%s: this is no JSON: %s", place, err)
}

// checkJSONKeys refuses what encoding/json takes in silence: text that is not UTF-8, a key that stands twice in one object,
// if only in another case, and nesting without end.
func checkJSONKeys(element []byte) error {
	if !utf8.Valid(element) {
		return errors.New("the text is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(element))
	dec.UseNumber()
	var open []map[string]bool // keys of the objects around; nil for a list
	key := false               // the next token of this object is a key
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d, _ := token.(json.Delim)
		switch {
		case d == '{' || d == '[':
			if len(open) == maxJSONDepth {
				return fmt.Errorf("nested more than %d deep", maxJSONDepth)
			}
			var keys map[string]bool
			if d == '{' {
				keys = map[string]bool{}
			}
			open = append(open, keys)
		case d == '}' || d == ']':
			open = open[:len(open)-1]
		case key:
			text, _ := token.(string)
			top, name := open[len(open)-1], strings.ToLower(text)
			if top[name] {
				return fmt.Errorf("key %q stands twice", jsonShort(text))
			}
			top[name], key = true, false
			continue
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}

// keepJSONFields keeps those fields of an exported file that were read. The origin carries the digest of the whole file.
func keepJSONFields(ctx context.Context, opt Options, origin audit.Origin, fields any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		return err
	}
	_, err := keepInput(ctx, opt, origin.Path, "application/json", bytes.TrimSuffix(buf.Bytes(), []byte("\n")), origin)
	return err
}

// jsonWrongType says what encoding/json found without the names of our types.
func jsonWrongType(err error) string {
	if t := (*json.UnmarshalTypeError)(nil); errors.As(err, &t) {
		return fmt.Sprintf("%s is a %s, want %s", cmp.Or(t.Field, "it"), t.Value, jsonWant(t))
	}
	return err.Error()
}

func jsonWant(t *json.UnmarshalTypeError) string {
	switch t.Type.Kind().String() {
	case "struct", "map":
		return "an object"
	case "slice":
		return "a list"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	}
	return "a number"
}

// jsonShort bounds a text in a message.
func jsonShort(s string) string { return s[:min(len(s), 100)] }

// jsonPrintable reports whether a text may stand in an ID or a report: it is short and holds no control characters.
func jsonPrintable(s string) bool {
	return len(s) <= 1024 && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) })
}
