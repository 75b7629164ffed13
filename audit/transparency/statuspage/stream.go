package statuspage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var errNoList = errors.New("no list stands where one is expected")

// elements calls f with a decoder before each element of the list under key of a JSON object, or of the document itself if key
// is empty. It holds one element at a time, whatever the length of the list. f has to read exactly one value.
func elements(body []byte, key string, f func(*json.Decoder) error) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if key != "" {
		if err := enter(d, key); err != nil {
			return err
		}
	}
	first, err := d.Token()
	switch {
	case err != nil:
		return fmt.Errorf("reading list %q: %w", key, err)
	case first == nil: // null: incident.io writes it for an empty list
		return nil
	case first != json.Delim('['):
		return errNoList
	}
	for d.More() {
		if err := f(d); err != nil {
			return fmt.Errorf("reading list %q: %w", key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("reading list %q: %w", key, err)
	}
	return nil
}

// enter moves a decoder to the value of a key of the object it stands before.
func enter(d *json.Decoder, key string) error {
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return errNoList
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("reading keys: %w", err)
		}
		if name == key {
			return nil
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return fmt.Errorf("reading keys: %w", err)
		}
	}
	return errNoList
}

// each reads every element of a list as a T. Elements of another shape are counted and left out.
func each[T any](body []byte, key string, f func(T)) (odd int, err error) {
	err = elements(body, key, func(d *json.Decoder) error {
		var item T
		err := d.Decode(&item)
		var shape *json.UnmarshalTypeError
		if errors.As(err, &shape) {
			odd++
			return nil
		}
		if err == nil {
			f(item)
		}
		return err
	})
	return odd, err
}
