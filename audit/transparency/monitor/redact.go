package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// deepest is how far answers may be nested: a Grafana dashboard with rows and transformations has about 15 levels.
const deepest = 64

// redact drops from a JSON answer who wrote a dashboard (createdBy, updatedBy of Grafana: pkg/api/dtos, DashboardMeta) and
// addresses of persons. What is no JSON loses its addresses only.
func redact(body []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var document any
	if err := dec.Decode(&document); err != nil {
		if !bytes.ContainsRune(body, '@') {
			return body, nil
		}
		return address().ReplaceAll(body, []byte("[address]")), nil
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("reading a monitor's answer: more than one JSON document")
	}
	pattern := address()
	if !scrub(pattern, &document, 0) {
		return nil, errors.New("reading a monitor's answer: nested too deeply")
	}
	if !suspicious(body) {
		return body, nil // byte for byte as it came
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func address() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)
}

// suspicious reports whether an answer may hold what is dropped, even where a later key hides an earlier one.
func suspicious(body []byte) bool {
	if bytes.ContainsAny(body, "@\\") {
		return true
	}
	lower := bytes.ToLower(body)
	return slices.ContainsFunc(persons(), func(key string) bool { return bytes.Contains(lower, []byte(key)) })
}

// scrub changes a document in place; it is false if the document is nested too deeply.
func scrub(pattern *regexp.Regexp, v *any, depth int) bool {
	if depth > deepest {
		return false
	}
	switch x := (*v).(type) {
	case string:
		if strings.Contains(x, "@") {
			*v = pattern.ReplaceAllString(x, "[address]")
		}
	case []any:
		for i := range x {
			if !scrub(pattern, &x[i], depth+1) {
				return false
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(x) {
			if slices.Contains(persons(), strings.ToLower(key)) || strings.Contains(key, "@") {
				delete(x, key)
				continue
			}
			value := x[key]
			if !scrub(pattern, &value, depth+1) {
				return false
			}
			x[key] = value
		}
	}
	return true
}

// persons lists fields that name a person.
func persons() []string {
	return []string{"createdby", "updatedby", "created_by", "updated_by", "author", "login", "email", "recipients", "username"}
}
