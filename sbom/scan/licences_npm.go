package scan

import (
	"encoding/json"
	"io"
	"path"
	"strings"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// npmLicences reads the package.json of an installed npm package and the licence texts beside it. Its field license is a
// text; old packages have an object with a type, or a list under licenses of which the user chooses one
// (docs.npmjs.com, "package.json"). A reference to a file is no name: the text decides.
func (m mapping) npmLicences(t *texts, files licenceFiles, c *component) []sbom.LicenceClaim {
	file := c.path
	if path.Base(file) != "package.json" {
		return nil
	}
	var claims []sbom.LicenceClaim
	if value := m.npmMetadata(c); value != "" {
		claims = append(claims, sbom.LicenceClaim{Value: value, Provenance: sbom.FromMetadata, Path: file})
	}
	return append(claims, m.textsAt(t, files[path.Dir(file)])...)
}

func (m mapping) npmMetadata(c *component) string {
	r := m.open(c.path)
	if r == nil {
		return ""
	}
	defer r.Close()
	var p struct {
		License  json.RawMessage `json:"license"`
		Licenses json.RawMessage `json:"licenses"`
		npmUpstream
	}
	if json.NewDecoder(io.LimitReader(r, maxPackageJSON)).Decode(&p) != nil {
		return ""
	}
	c.upstream(c.path, p.claims()...)
	names := npmNames(p.License, 0)
	if len(names) == 0 {
		names = npmNames(p.Licenses, 0)
	}
	return anyOf(licence.NPM, names)
}

// npmNames reads a text, an object with a type, or a list of these.
func npmNames(raw json.RawMessage, depth int) []string {
	var name string
	var object struct {
		Type string `json:"type"`
	}
	var many []json.RawMessage
	switch {
	case json.Unmarshal(raw, &name) == nil:
	case depth == 0 && json.Unmarshal(raw, &many) == nil:
		var out []string
		for _, entry := range many[:min(len(many), maxPerUnit)] {
			out = append(out, npmNames(entry, 1)...)
		}
		return out
	case json.Unmarshal(raw, &object) == nil:
		name = object.Type
	}
	if name = claimText(name); name == "" || strings.HasPrefix(strings.ToUpper(name), "SEE LICEN") {
		return nil
	}
	return []string{name}
}

// anyOf joins names of which the user chooses one. Names that cannot be read stay as one text.
func anyOf(list licence.List, names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	parts := make([]licence.Expression, len(names))
	for i, n := range names {
		e, err := licence.ParseFrom(list, n)
		if err != nil {
			return claimText(strings.Join(names, " and "))
		}
		parts[i] = e
	}
	return licence.Or(parts...).Sorted().String()
}
