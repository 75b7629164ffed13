package forge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// shape is what is kept of the JSON answers of a service: the fields that facts are drawn from, and nothing else. Every
// name of a person in it is replaced before anything else sees the answer.
type shape struct {
	root *field
	name namer
}

// namer returns what takes the place of somebody. Value is what the answer says: a string or number, or, where the marked
// field is an object, its listed fields. Beside are the kept fields next to it, path the keys that lead to it. Person turns
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

// keep returns the redacted value of an answer.
func (s *shape) keep(body []byte, person func(string) string) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	r := &reading{shape: s, dec: dec, person: person}
	v, err := r.value(s.root, nil, 0)
	if err != nil {
		return nil, notJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer is no JSON: something follows its end")
	}
	return v, nil
}

// notJSON says what is wrong without repeating what the answer holds.
func notJSON(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTooDeep):
		return err
	case errors.As(err, &syntax):
		return fmt.Errorf("the answer is no JSON: it breaks at byte %d", syntax.Offset)
	}
	return errors.New("the answer is no JSON: it ends too early")
}

var errTooDeep = fmt.Errorf("the answer nests deeper than %d levels", maxDepth)

// reading is one answer being read.
type reading struct {
	shape  *shape
	dec    *json.Decoder
	person func(string) string
}

// value reads the next value as a field says; what the field does not list is passed over.
func (r *reading) value(f *field, path []string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return r.object(f, path, depth)
	case json.Delim('['):
		return r.list(f, path, depth)
	}
	if f.fields != nil && !f.person {
		return nil, nil // a scalar where an object was expected is not kept
	}
	return token, nil
}

// object reads the rest of an object. Nothing of one that is not listed is kept.
func (r *reading) object(f *field, path []string, depth int) (any, error) {
	kept := map[string]any{}
	var marked []string
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string)
		child := f.fields[key]
		if child == nil {
			child = f.fields["*"]
		}
		if child == nil {
			if err := r.skip(); err != nil {
				return nil, err
			}
			continue
		}
		below := append(path[:len(path):len(path)], key)
		v, err := r.value(child, below, depth+1)
		if err != nil {
			return nil, err
		}
		if kept[key] = v; child.person {
			marked = append(marked, key)
		}
	}
	_, err := r.dec.Token()
	r.replace(kept, marked, path)
	if f.fields == nil {
		return nil, err
	}
	return kept, err
}

// replace puts the names of an object out of it once all of it was read.
func (r *reading) replace(kept map[string]any, marked, path []string) {
	done := map[string]bool{}
	for _, key := range marked {
		if done[key] { // the key was there twice
			continue
		}
		done[key] = true
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

// list reads the rest of a list.
func (r *reading) list(f *field, path []string, depth int) (any, error) {
	kept := []any{}
	for r.dec.More() {
		v, err := r.value(f, path, depth+1)
		if err != nil {
			return nil, err
		}
		kept = append(kept, v)
	}
	_, err := r.dec.Token()
	return kept, err
}

// skip passes over one value.
func (r *reading) skip() error {
	for open := 0; ; {
		token, err := r.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if open == 0 {
			return nil
		}
	}
}
