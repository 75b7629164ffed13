package gitlog

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed data/assistants.yaml
var builtinAssistants []byte

// assistants tells programs that help to write changes from people who wrote them together.
type assistants struct{ names *regexp.Regexp }

type assistantsFile struct {
	Schema   string   `yaml:"schema"`
	Patterns []string `yaml:"patterns"`
}

// parseAssistants reads a rule list of schema pegel/assistants/v1.
func parseAssistants(data []byte) (assistants, error) {
	var f assistantsFile
	if err := decodeRules(data, &f); err != nil {
		return assistants{}, fmt.Errorf("reading the list of assistants: %w", err)
	}
	if f.Schema != "pegel/assistants/v1" {
		return assistants{}, fmt.Errorf("reading the list of assistants: schema is %q, want \"pegel/assistants/v1\"", f.Schema)
	}
	names, err := anyOf(f.Patterns)
	if err != nil {
		return assistants{}, fmt.Errorf("reading the list of assistants: %w", err)
	}
	return assistants{names}, nil
}

// match reports whether the value of a Co-authored-by trailer names a program.
func (a assistants) match(signature string) bool {
	name, address := splitSignature(strings.ToLower(signature))
	return a.names != nil && a.names.MatchString(address+" "+name)
}
