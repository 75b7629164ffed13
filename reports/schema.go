package reports

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed schema/*.json
var schemaFiles embed.FS

// SchemaNames lists the kinds of files whose JSON Schema is published, sorted: "report" for pegel/report/v1.
func SchemaNames() []string {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil // the directory is embedded: it is there
	}
	var names []string
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SchemaOf returns the JSON Schema (draft 2020-12) of a file that Pegel writes. The name is the kind ("report"), with or
// without version ("report.v1"), or the value of the file's own key "schema" ("pegel/report/v1").
func SchemaOf(name string) ([]byte, error) {
	kind := strings.TrimPrefix(name, "pegel/")
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "/v1"), ".v1")
	if !slices.Contains(SchemaNames(), kind) {
		return nil, fmt.Errorf("unknown schema %q; known are %s", name, strings.Join(SchemaNames(), ", "))
	}
	data, err := schemaFiles.ReadFile("schema/" + kind + ".v1.json")
	if err != nil || kind != "explanation" {
		return data, err
	}
	return withDefinitions(data, "report")
}

// withDefinitions gives a schema the definitions of another one, so that a finding is the same in both.
func withDefinitions(data []byte, from string) ([]byte, error) {
	other, err := SchemaOf(from)
	if err != nil {
		return nil, err
	}
	var parts struct {
		Defs json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(other, &parts); err != nil {
		return nil, fmt.Errorf("reading schema %q: %w", from, err)
	}
	return bytes.Replace(data, []byte(`"$defs": {}`), append([]byte(`"$defs": `), parts.Defs...), 1), nil
}
