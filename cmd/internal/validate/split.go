package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// The halves of the projects. Thresholds may be looked at on the development half; the validation half only judges them.
const (
	validation  = "validation"
	development = "development"
)

// split is validation/split.yaml: which project is in which half, fixed by the hash of its address.
type split struct {
	Schema string            `yaml:"schema"`
	Rule   string            `yaml:"rule"`
	Halves map[string]string `yaml:"halves"` // by address without scheme, in lower case

	digest audit.Digest
}

const splitSchema = "pegel/split/v1"

// halfOf is the rule: the first bit of the SHA-256 of the address.
func halfOf(repo string) string {
	if sha256.Sum256([]byte(splitKey(repo)))[0] < 128 {
		return validation
	}
	return development
}

func splitKey(repo string) string {
	_, address, _ := strings.Cut(strings.ToLower(repo), "://")
	return strings.TrimSuffix(strings.TrimSuffix(address, "/"), ".git")
}

func readSplit(file string, o outcomes) (split, error) {
	data, err := readBounded(file)
	if err != nil {
		return split{}, fmt.Errorf("reading the split: %w", err)
	}
	var s split
	if err := decodeStrictly(data, &s); err != nil {
		return s, fmt.Errorf("reading the split %q: %w", file, err)
	}
	s.digest = audit.DigestOf(data)
	if err := s.check(o); err != nil {
		return s, fmt.Errorf("reading the split %q: %w", file, err)
	}
	return s, nil
}

// check holds the file against the outcomes and against the rule, so that no project can be moved to the other half.
func (s split) check(o outcomes) error {
	var wrong []error
	if s.Schema != splitSchema {
		wrong = append(wrong, fmt.Errorf("schema %q is not %s", s.Schema, splitSchema))
	}
	for _, x := range o.Outcomes {
		if s.Halves[splitKey(x.Repo)] == "" {
			wrong = append(wrong, fmt.Errorf("%s is missing; its half is %s", splitKey(x.Repo), halfOf(x.Repo)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Halves)) {
		if want := halfOf("https://" + key); s.Halves[key] != want {
			wrong = append(wrong, fmt.Errorf("%s is in the half %q, but its hash says %s", key, s.Halves[key], want))
		}
	}
	return errors.Join(wrong...)
}

// half is the half of an outcome.
func (s split) half(x outcome) string { return s.Halves[splitKey(x.Repo)] }
