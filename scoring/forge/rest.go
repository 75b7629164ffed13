package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// get asks by a plain GET for a JSON document and decodes its redacted form.
func (d *desk) get(ctx context.Context, what string, rule scoring.Redact, path string, into any) error {
	return d.call(ctx, what, rule, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/json")
		resp, err := d.client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return json.NewDecoder(resp.Body).Decode(into)
	})
}

// ruleOf makes the redaction rule of a shape. A success has to have all fields that are named as required, in each element
// if it is a list: what lacks one is the answer of another service, and its gaps would be read as zeros.
func ruleOf(name string, s *shape, required ...string) scoring.Redact {
	return scoring.Redact{Name: name, Do: func(status int, body []byte, person func(string) string) ([]byte, error) {
		kept, err := s.redact(status, body, person)
		if err != nil || status < 200 || status > 299 {
			return kept, err
		}
		return kept, demand(kept, required)
	}}
}

// demand checks that a redacted answer has its required fields.
func demand(answer []byte, required []string) error {
	if len(required) == 0 {
		return nil
	}
	var list []map[string]json.RawMessage
	if text := strings.TrimSpace(string(answer)); strings.HasPrefix(text, "[") {
		if err := json.Unmarshal(answer, &list); err != nil {
			return errors.New("the answer is a list of something else")
		}
	} else {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(answer, &one); err != nil || one == nil {
			return errors.New("the answer is no JSON object")
		}
		list = append(list, one)
	}
	for _, one := range list {
		for _, key := range required {
			if _, ok := one[key]; !ok {
				return fmt.Errorf("the answer lacks %q", key)
			}
		}
	}
	return nil
}
