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
// addresses of persons. What is no JSON, e.g. a status page in HTML, loses its addresses only.
func redact(body []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var document any
	if err := dec.Decode(&document); err != nil {
		return address().ReplaceAll(body, []byte("[address]")), nil
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("reading a monitor's answer: more than one JSON document")
	}
	pattern := address()
	changed, ok := scrub(pattern, &document, 0)
	switch {
	case !ok:
		return nil, errors.New("reading a monitor's answer: nested too deeply")
	case !changed:
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
	return regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}`)
}

// scrub changes a document in place and reports whether it did; ok is false if it is nested too deeply.
func scrub(pattern *regexp.Regexp, v *any, depth int) (changed, ok bool) {
	if depth > deepest {
		return false, false
	}
	switch x := (*v).(type) {
	case string:
		if strings.Contains(x, "@") {
			clean := pattern.ReplaceAllString(x, "[address]")
			changed = clean != x
			*v = clean
		}
	case []any:
		for i := range x {
			c, fine := scrub(pattern, &x[i], depth+1)
			if changed = changed || c; !fine {
				return changed, false
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(x) {
			if person(key) {
				delete(x, key)
				changed = true
				continue
			}
			value := x[key]
			c, fine := scrub(pattern, &value, depth+1)
			if x[key] = value; !fine {
				return changed, false
			}
			changed = changed || c
		}
	}
	return changed, true
}

// person reports whether a field names a person.
func person(key string) bool {
	return slices.Contains([]string{"createdby", "updatedby", "created_by", "updated_by", "author", "login", "email", "recipients", "username"}, strings.ToLower(key))
}
