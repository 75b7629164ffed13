package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// canonical writes a value as JSON by RFC 8785.
func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	return out, nil
}

// decodeStrict reads exactly one JSON value whose keys are those of v, each once and in the same case, and nothing else.
func decodeStrict(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	if err := checkShape(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	return sameWhenWritten(data, v)
}

// sameWhenWritten compares the input with what v says: encoding/json takes keys in any case, drops null, and reads one
// time in many spellings, and none of that may pass.
func sameWhenWritten(data []byte, v any) error {
	want, err := canonical(v)
	if err != nil {
		return err
	}
	got, err := jcs.Transform(data)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("a key or value is not written as the format demands")
	}
	return nil
}

// checkShape walks over the tokens: depth is limited, keys are unique, and nothing follows the value.
func checkShape(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := walk(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}

func walk(dec *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("JSON is nested deeper than %d", maxDepth)
	}
	t, err := dec.Token()
	if err != nil {
		return unexpectedEnd(err)
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	keys := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			if err := key(dec, keys); err != nil {
				return err
			}
		}
		if err := walk(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return unexpectedEnd(err)
}

func key(dec *json.Decoder, seen map[string]bool) error {
	t, err := dec.Token()
	if err != nil {
		return unexpectedEnd(err)
	}
	name, ok := t.(string)
	if !ok {
		return errors.New("a JSON key is not a string")
	}
	if seen[name] {
		return fmt.Errorf("JSON key %q stands twice in one object", name)
	}
	seen[name] = true
	return nil
}

func unexpectedEnd(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
