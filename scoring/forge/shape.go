package forge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// shape is what is kept of the JSON answers of a service: the fields that facts are drawn from, and nothing else. Every
// name of a person in it is replaced before anything else sees the answer.
type shape struct {
	root *field
	name namer
}

// namer returns what takes the place of somebody. Value is what the answer says: a string or number, or, where the marked
// field is an object, its listed fields. Beside are the kept fields next to it, path the keys on the way to it. Person turns
// the key of a human being into a pseudonym; a machine may keep its name.
type namer func(path []string, value any, beside map[string]any, person func(string) string) any

// field is one key of a shape.
type field struct {
	fields map[string]*field // nil: the value is kept as it is if it is a scalar
	person bool
}

// maxDepth bounds how deep the kept part of an answer may nest. The deepest shape we have needs 14 levels.
const maxDepth = 32

// newShape makes a shape of paths: keys joined by dots. Lists are passed through, "*" stands for every key, and an "@" at
// the end marks somebody; the paths that go on below a marked object say what the namer is shown of it. A nil namer
// makes a pseudonym of every value in lower case.
func newShape(name namer, paths ...string) *shape {
	if name == nil {
		name = func(_ []string, value any, _ map[string]any, person func(string) string) any {
			return person(strings.ToLower(fmt.Sprint(value)))
		}
	}
	root := &field{}
	for _, path := range paths {
		at := root
		path, person := strings.CutSuffix(path, "@")
		for key := range strings.SplitSeq(path, ".") {
			if at.fields == nil {
				at.fields = map[string]*field{}
			}
			if at.fields[key] == nil {
				at.fields[key] = &field{}
			}
			at = at.fields[key]
		}
		at.person = at.person || person
	}
	return &shape{root: root, name: name}
}

// redact is a scoring.Redact.Do. A failure that is no JSON, such as the page of a proxy, is kept as null, so that its
// status can be read; a success that is no JSON is an error, for a page to log in is no answer.
func (s *shape) redact(status int, body []byte, person func(string) string) ([]byte, error) {
	kept, err := s.keep(body, person)
	if err == nil {
		return json.Marshal(kept)
	}
	if status < 200 || status > 299 {
		return []byte("null"), nil
	}
	return nil, err
}

// keep returns the redacted value of an answer. The answer is checked as a whole first; what is not listed is then passed
// over without being decoded, which is most of it.
func (s *shape) keep(body []byte, person func(string) string) (any, error) {
	if !json.Valid(body) {
		return nil, notJSON(body)
	}
	r := &reading{shape: s, data: body, person: person}
	return r.value(s.root, nil, 0)
}

// notJSON says what is wrong without repeating what the answer holds.
func notJSON(body []byte) error {
	var syntax *json.SyntaxError
	var v struct{}
	if err := json.Unmarshal(body, &v); errors.As(err, &syntax) {
		return fmt.Errorf("the answer is no JSON: it breaks at byte %d of %d", syntax.Offset, len(body))
	}
	return errors.New("the answer is no JSON")
}

var errTooDeep = fmt.Errorf("the answer nests deeper than %d levels", maxDepth)

// reading is one answer being read. It is known to be JSON.
type reading struct {
	shape  *shape
	data   []byte
	at     int
	person func(string) string
}

// next moves to the next byte that is no space and returns it.
func (r *reading) next() byte {
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

// value reads the next value as a field says; what the field does not list is passed over.
func (r *reading) value(f *field, path []string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	switch r.next() {
	case '{':
		return r.object(f, path, depth)
	case '[':
		return r.list(f, path, depth)
	}
	begin := r.at
	r.skip()
	if f.fields != nil && !f.person {
		return nil, nil // a scalar where an object was expected is not kept
	}
	return scalar(r.data[begin:r.at])
}

// scalar decodes a string, number, truth value or null.
func scalar(raw []byte) (any, error) {
	switch raw[0] {
	case '"':
		return text(raw)
	case 't', 'f':
		return raw[0] == 't', nil
	case 'n':
		return nil, nil
	}
	return json.Number(raw), nil
}

// text decodes a string.
func text(raw []byte) (string, error) {
	if plain := raw[1 : len(raw)-1]; !bytes.ContainsRune(plain, '\\') && utf8.Valid(plain) {
		return string(plain), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// object reads an object. Nothing of one that is not listed is kept.
func (r *reading) object(f *field, path []string, depth int) (any, error) {
	if f.fields == nil {
		r.skip()
		return nil, nil
	}
	kept := map[string]any{}
	var marked []string
	r.at++
	for r.next() != '}' {
		begin := r.at
		r.skip()
		key, err := text(r.data[begin:r.at])
		if err != nil {
			return nil, err
		}
		r.next()
		r.at++ // the colon
		r.next()
		child := f.fields[key]
		if child == nil {
			child = f.fields["*"]
		}
		if child == nil {
			r.skip()
		} else {
			v, err := r.value(child, append(path[:len(path):len(path)], key), depth+1)
			if err != nil {
				return nil, err
			}
			if kept[key] = v; child.person {
				marked = append(marked, key)
			}
		}
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	r.replace(kept, marked, path)
	return kept, nil
}

// replace puts the names of an object out of it once all of it was read.
func (r *reading) replace(kept map[string]any, marked, path []string) {
	slices.Sort(marked)
	for _, key := range slices.Compact(marked) { // a key may be there twice
		below := append(path[:len(path):len(path)], key)
		switch v := kept[key].(type) {
		case nil:
		case []any:
			for i := range v {
				if v[i] != nil {
					v[i] = r.shape.name(below, v[i], kept, r.person)
				}
			}
		default:
			kept[key] = r.shape.name(below, v, kept, r.person)
		}
	}
}

// list reads a list.
func (r *reading) list(f *field, path []string, depth int) (any, error) {
	kept := []any{}
	r.at++
	for r.next() != ']' {
		v, err := r.value(f, path, depth+1)
		if err != nil {
			return nil, err
		}
		kept = append(kept, v)
		if r.next() == ',' {
			r.at++
		}
	}
	r.at++
	return kept, nil
}

// skip passes over one value, however deep it is.
func (r *reading) skip() {
	r.next()
	for open := 0; r.at < len(r.data); {
		switch c := r.data[r.at]; c {
		case '"':
			for r.at++; r.data[r.at] != '"'; r.at++ {
				if r.data[r.at] == '\\' {
					r.at++
				}
			}
			r.at++
		case '{', '[':
			open++
			r.at++
		case '}', ']':
			if open == 0 {
				return // it ends a number or word
			}
			open--
			r.at++
		case ',', ':', ' ', '\t', '\n', '\r':
			if open == 0 {
				return
			}
			r.at++
			continue
		default:
			r.at++
			continue
		}
		if open == 0 {
			return
		}
	}
}
