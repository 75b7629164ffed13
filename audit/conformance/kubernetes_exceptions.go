package conformance

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exception is one test, or some, that may fail.
type exception struct {
	regex  *regexp.Regexp
	reason string
}

// Limits of a file of exceptions. That of SCS of August 2026 has nine.
const (
	mostRules    = 1000
	longestRegex = 512
)

// readExceptions reads the file that SCS hands to its runner of Sonobuoy (standards: Tests/kaas/scs-sonobuoy-config-v1.yaml, read by
// Tests/kaas/sonobuoy_handler/sonobuoy_handler.py): the key okToFail alone, each entry with regex and reason. It is as strict as
// that reader, because a rule that is understood otherwise lets a failure pass.
func readExceptions(data []byte) ([]exception, error) {
	var file struct {
		OkToFail []struct {
			Regex  string `yaml:"regex"`
			Reason string `yaml:"reason"`
		} `yaml:"okToFail"`
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && err != io.EOF {
		return nil, err
	}
	if len(file.OkToFail) > mostRules {
		return nil, fmt.Errorf("okToFail has %d entries; at most %d are read", len(file.OkToFail), mostRules)
	}
	var out []exception
	for i, rule := range file.OkToFail {
		if strings.TrimSpace(rule.Regex) == "" || strings.TrimSpace(rule.Reason) == "" {
			return nil, fmt.Errorf("okToFail[%d]: regex and reason must both be given", i)
		}
		if len(rule.Regex) > longestRegex {
			return nil, fmt.Errorf("okToFail[%d]: the regex has %d characters; at most %d are read", i, len(rule.Regex), longestRegex)
		}
		re, err := regexp.Compile(rule.Regex)
		if err != nil {
			return nil, fmt.Errorf("okToFail[%d]: %w; rules are read as RE2, without look-around and back-references", i, err)
		}
		out = append(out, exception{re, oneLine(rule.Reason)})
	}
	return out, nil
}

// exceptionFor returns why a test may fail. Rules match anywhere in the name, as re.search of Python does.
func exceptionFor(allowed []exception, test string) (string, bool) {
	for _, e := range allowed {
		if e.regex.MatchString(test) {
			return e.reason, true
		}
	}
	return "", false
}
