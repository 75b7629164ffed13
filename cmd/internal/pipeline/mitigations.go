package pipeline

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// StackMitigation is what the operator declares to lessen the risks of one upstream project.
type StackMitigation struct {
	Project    string `yaml:"project" json:"project"` // catalogue id
	Kind       string `yaml:"kind" json:"kind"`       // support, own-maintainers or alternative
	Text       string `yaml:"text" json:"text"`       // what it is, without names of people
	Source     string `yaml:"source" json:"source,omitempty"`
	AcceptedBy string `yaml:"accepted_by" json:"accepted_by,omitempty"` // who accepted it: an organisation or a role
}

// Bounds of what an operator may declare.
const (
	mostMitigations    = 500
	mostMitigationText = 500 // bytes
)

// declarable are the kinds of mitigations that an operator can state. That a foundation hosts a project is read, never said.
func declarable() []string {
	return []string{audit.MitigationAlternative, audit.MitigationSupport, audit.MitigationOwnMaintainers}
}

// checkMitigations refuses entries that say nothing, say it twice or may hold personal data.
func checkMitigations(entries []StackMitigation) error {
	if len(entries) > mostMitigations {
		return fmt.Errorf("%d entries; at most %d are read", len(entries), mostMitigations)
	}
	for i, m := range entries {
		switch {
		case m.Project == "" || m.Text == "":
			return fmt.Errorf("entry %d needs project, kind and text", i+1)
		case !slices.Contains(declarable(), m.Kind):
			return fmt.Errorf("entry %d: kind is %q, want one of %s", i+1, m.Kind, strings.Join(declarable(), ", "))
		case slices.Contains(entries[:i], m):
			return fmt.Errorf("entry %d stands there twice", i+1)
		}
		for _, text := range []string{m.Text, m.AcceptedBy, m.Source} {
			switch {
			case len(text) > mostMitigationText:
				return fmt.Errorf("entry %d: a text has %d bytes; at most %d are read", i+1, len(text), mostMitigationText)
			case strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }):
				return fmt.Errorf("entry %d: a text holds a character that cannot be printed", i+1)
			case strings.Contains(text, "@"):
				return fmt.Errorf("entry %d: %q may name a person; write an organisation or a role", i+1, text)
			}
		}
		if u, err := url.Parse(m.Source); m.Source != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			return fmt.Errorf("entry %d: source is %q, want a public address that begins with https://", i+1, m.Source)
		}
	}
	return nil
}

// knownMitigations refuses projects that the catalogue does not know, so that a mistyped name is not taken for silence.
func knownMitigations(entries []StackMitigation, catalogue *upstream.Catalogue) error {
	for i, m := range entries {
		if _, ok := catalogue.Get(m.Project); !ok {
			return fmt.Errorf("mitigations entry %d: unknown project %q", i+1, m.Project)
		}
	}
	return nil
}

// unusedMitigations names the entries about projects that the stack does not deploy.
func unusedMitigations(entries []StackMitigation, projects []scoring.Project) (out []unread) {
	for i, m := range entries {
		if !slices.ContainsFunc(projects, func(p scoring.Project) bool { return p.ID == m.Project }) {
			out = append(out, unread{
				fmt.Sprintf("mitigations, entry %d", i+1), fmt.Sprintf("nothing of %q was found deployed", m.Project), "pegel sbom lists the projects",
			})
		}
	}
	return out
}

// mitigated returns the project with what the operator declares about it.
func (d *dossier) mitigated(p scoring.Project) scoring.Project {
	p.Mitigations = nil
	for _, m := range d.stack.Mitigations {
		if m.Project == p.ID {
			p.Mitigations = append(p.Mitigations, scoring.Mitigation{
				Kind: m.Kind, Text: m.Text, Source: m.Source, Declared: true, AcceptedBy: m.AcceptedBy,
				Origin: audit.Origin{Source: "stack", URL: m.Source, Path: "stack.yaml", At: d.stack.AssessedAt},
			})
		}
	}
	return p
}
