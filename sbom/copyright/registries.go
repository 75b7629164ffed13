package copyright

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// This file asks registries of languages for the metadata of one package in one version. The metadata is that of the
// package itself; what counts is what it says about the licence, and nothing else of it is kept.

// metadataAnswer makes claims of the names that a registry gives. list says whose way of writing them is read.
func metadataAnswer(list licence.List, values []string, origin audit.Origin) (answer, error) {
	var claims []sbom.LicenceClaim
	for _, v := range values {
		if v = spdxForm(list, v); v != "" {
			claims = append(claims, sbom.LicenceClaim{Value: v, Provenance: sbom.FromMetadata})
		}
	}
	if len(claims) == 0 {
		return answer{}, absent("its metadata names no licence")
	}
	return answer{claims: tidy(claims), origin: origin}, nil
}

// spdxForm is a name as SPDX writes it where it is known, else as it is.
func spdxForm(list licence.List, name string) string {
	name = claimText(name)
	if e, err := licence.ParseFrom(list, name); err == nil && e.Class() != licence.Unknown {
		return e.Sorted().String()
	}
	return name
}

var pythonForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$`) // core metadata, field Name

var versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._!+-]{0,199}$`)

func aboutPython(c sbom.Component, _ string) (question, bool) {
	q := question{ecosystem: "python", name: pythonName(c.Name), version: c.Version}
	return q, c.Type == "python" && pythonForm.MatchString(c.Name) && versionForm.MatchString(q.version)
}

// pythonName is a name as it is compared (PEP 503).
func pythonName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
}

// pypiRelease is what counts of the answer to /pypi/NAME/VERSION/json. Built from github.com/pypi/warehouse,
// warehouse/legacy/api/json.py; license_expression is absent in older answers.
type pypiRelease struct {
	Info struct {
		Name        string   `json:"name"`
		Version     string   `json:"version"`
		Expression  string   `json:"license_expression"`
		License     string   `json:"license"`
		Classifiers []string `json:"classifiers"`
	} `json:"info"`
}

func askPyPI(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	at := p.url("pypi", q.name, q.version, "json")
	data, err := a.get(ctx, at, wanted{accept: "application/json"})
	if err != nil {
		return answer{}, err
	}
	var r pypiRelease
	if err := json.Unmarshal(data, &r); err != nil {
		return answer{}, useless("its answer is no JSON of the expected form")
	}
	if pythonName(r.Info.Name) != q.name || !strings.EqualFold(r.Info.Version, q.version) {
		return answer{}, useless("its answer is about something else than %s", q.what())
	}
	return metadataAnswer(licence.Python, r.licences(), a.originOf(p, at, "", data))
}

// licences are the names in the order of belief: the expression (PEP 639), a known name in the field, the classifiers, the
// field as it is.
func (r pypiRelease) licences() []string {
	if claimText(r.Info.Expression) != "" {
		return []string{r.Info.Expression}
	}
	field := claimText(r.Info.License)
	if e, err := licence.ParseFrom(licence.Python, field); err == nil && e.Class() != licence.Unknown {
		return []string{field}
	}
	var classifiers []string
	for _, c := range r.Info.Classifiers {
		rest, ok := strings.CutPrefix(c, "License ::")
		if rest = strings.TrimSpace(rest); ok && rest != "" && rest != "OSI Approved" {
			classifiers = append(classifiers, c)
		}
	}
	if len(classifiers) > 0 {
		return classifiers
	}
	return []string{field}
}

var npmForm = regexp.MustCompile(`^(?:@[A-Za-z0-9._~-]{1,100}/)?[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,213}$`)

func aboutNPM(c sbom.Component, _ string) (question, bool) {
	q := question{ecosystem: "npm", name: c.Name, version: c.Version}
	return q, c.Type == "npm" && npmForm.MatchString(q.name) && versionForm.MatchString(q.version)
}

// npmVersion is what counts of the answer to /NAME/VERSION. Built from github.com/npm/registry, docs/REGISTRY-API.md and
// docs/responses/package-metadata.md; the old forms of the licence from docs.npmjs.com, "package.json", field license.
type npmVersion struct {
	Name     string          `json:"name"`
	Version  string          `json:"version"`
	License  json.RawMessage `json:"license"`
	Licenses json.RawMessage `json:"licenses"`
}

func askNPM(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	at := p.url(q.name, q.version) // the slash of a scope is escaped
	data, err := a.get(ctx, at, wanted{accept: "application/json"})
	if err != nil {
		return answer{}, err
	}
	var v npmVersion
	if err := json.Unmarshal(data, &v); err != nil {
		return answer{}, useless("its answer is no JSON of the expected form")
	}
	if v.Name != q.name || v.Version != q.version {
		return answer{}, useless("its answer is about something else than %s", q.what())
	}
	return metadataAnswer(licence.NPM, v.licences(), a.originOf(p, at, "", data))
}

// licences reads the field license: a text, or in old packages an object with a type, or a list under licenses of which
// the user chooses one. A reference to a file is no name.
func (v npmVersion) licences() []string {
	if names := npmNames(v.License); len(names) > 0 {
		return []string{choice(licence.NPM, names)}
	}
	if names := npmNames(v.Licenses); len(names) > 0 {
		return []string{choice(licence.NPM, names)}
	}
	return nil
}

func npmNames(raw json.RawMessage) []string {
	var one string
	var object struct {
		Type string `json:"type"`
	}
	var many []json.RawMessage
	switch {
	case json.Unmarshal(raw, &one) == nil:
	case json.Unmarshal(raw, &many) == nil:
		var out []string
		for _, entry := range many[:min(len(many), 16)] {
			if entry[0] != '[' {
				out = append(out, npmNames(entry)...)
			}
		}
		return out
	case json.Unmarshal(raw, &object) == nil:
		one = object.Type
	}
	if one = claimText(one); one == "" || strings.HasPrefix(strings.ToUpper(one), "SEE LICEN") {
		return nil
	}
	return []string{one}
}

// choice joins names of which the user chooses one. Names that cannot be read stay as one text.
func choice(list licence.List, names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	parts := make([]licence.Expression, len(names))
	for i, n := range names {
		e, err := licence.ParseFrom(list, n)
		if err != nil {
			return strings.Join(names, " and ")
		}
		parts[i] = e
	}
	return licence.Or(parts...).Sorted().String()
}

var crateForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`) // doc.rust-lang.org/cargo/reference/manifest.html, name

func aboutCrate(c sbom.Component, _ string) (question, bool) {
	q := question{ecosystem: "crate", name: c.Name, version: c.Version}
	return q, c.Type == "rust-crate" && crateForm.MatchString(q.name) && versionForm.MatchString(q.version)
}

// crateVersion is what counts of the answer to /api/v1/crates/NAME/VERSION. Built from github.com/rust-lang/crates.io,
// src/views.rs (EncodableVersion).
type crateVersion struct {
	Version struct {
		Crate   string `json:"crate"`
		Num     string `json:"num"`
		License string `json:"license"`
	} `json:"version"`
}

func askCrates(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	at := p.url("api", "v1", "crates", q.name, q.version)
	data, err := a.get(ctx, at, wanted{accept: "application/json"})
	if err != nil {
		return answer{}, err
	}
	var v crateVersion
	if err := json.Unmarshal(data, &v); err != nil {
		return answer{}, useless("its answer is no JSON of the expected form")
	}
	if v.Version.Crate != q.name || v.Version.Num != q.version {
		return answer{}, useless("its answer is about something else than %s", q.what())
	}
	// Cargo once separated alternatives by a slash (cargo reference, field license).
	return metadataAnswer(licence.Any, []string{strings.ReplaceAll(v.Version.License, "/", " OR ")}, a.originOf(p, at, "", data))
}
