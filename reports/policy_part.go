package reports

import (
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// PolicyPartSchema names the JSON form of pegel policy show.
const PolicyPartSchema = "pegel/policy-part/v1"

// PolicyPart is what a reader asked to see of a policy: all of it, a scope, a requirement or a clause, with what belongs to it.
type PolicyPart struct {
	Schema       string              `json:"schema" yaml:"schema"`
	Asked        string              `json:"asked" yaml:"asked"`
	Policy       Policy              `json:"policy" yaml:"policy"`
	Title        map[string]string   `json:"title" yaml:"title"`
	Scopes       []PolicyScope       `json:"scopes,omitempty" yaml:"scopes,omitempty"`
	Requirements []PolicyRequirement `json:"requirements,omitempty" yaml:"requirements,omitempty"`
	Clauses      []PolicyClause      `json:"clauses,omitempty" yaml:"clauses,omitempty"`
	Switches     []PolicySwitch      `json:"switches,omitempty" yaml:"switches,omitempty"`
}

// PolicyScope is one scope of a policy.
type PolicyScope struct {
	ID           string       `json:"id" yaml:"id"`
	Title        string       `json:"title" yaml:"title"`
	Level        int          `json:"level" yaml:"level"`
	Layer        string       `json:"layer" yaml:"layer"`
	Requires     string       `json:"requires,omitempty" yaml:"requires,omitempty"`
	Requirements []string     `json:"requirements" yaml:"requirements"` // in order of importance
	Digest       audit.Digest `json:"digest" yaml:"digest"`             // over all that decides it
}

// PolicyRequirement is one requirement with all its texts.
type PolicyRequirement struct {
	ID          string            `json:"id" yaml:"id"`
	Module      string            `json:"module" yaml:"module"`
	Severity    string            `json:"severity" yaml:"severity"`
	Kind        string            `json:"kind" yaml:"kind"` // of subject
	Title       map[string]string `json:"title" yaml:"title"`
	Rationale   map[string]string `json:"rationale" yaml:"rationale"`
	Remedy      map[string]string `json:"remedy" yaml:"remedy"`
	Owner       string            `json:"owner" yaml:"owner"`
	Applies     string            `json:"applies,omitempty" yaml:"applies,omitempty"`
	Pass        string            `json:"pass" yaml:"pass"`
	Evidence    []string          `json:"evidence" yaml:"evidence"`
	Lifetime    string            `json:"lifetime" yaml:"lifetime"` // kind of evidence and how long it counts: "files (month)"
	DeclaredOK  bool              `json:"declared_ok,omitempty" yaml:"declared_ok,omitempty"`
	EffectiveOn string            `json:"effective_on,omitempty" yaml:"effective_on,omitempty"`
	Sources     []PolicyClause    `json:"sources" yaml:"sources"`
	Scopes      []string          `json:"scopes" yaml:"scopes"`
	Cases       []PolicyCase      `json:"cases,omitempty" yaml:"cases,omitempty"`
	Digest      audit.Digest      `json:"digest" yaml:"digest"`
}

// PolicyClause is a demand of a document.
type PolicyClause struct {
	ID       string            `json:"id" yaml:"id"`
	Document string            `json:"document" yaml:"document"`
	Status   string            `json:"status" yaml:"status"`
	At       string            `json:"at,omitempty" yaml:"at,omitempty"`
	Address  string            `json:"address,omitempty" yaml:"address,omitempty"`
	Quote    string            `json:"quote,omitempty" yaml:"quote,omitempty"`
	Says     map[string]string `json:"says" yaml:"says"`
	Refused  map[string]string `json:"refused,omitempty" yaml:"refused,omitempty"`
	Serving  []string          `json:"serving,omitempty" yaml:"serving,omitempty"` // requirements
}

// PolicyCase is one case of a requirement.
type PolicyCase struct {
	Name    string        `json:"name" yaml:"name"`
	Facts   []string      `json:"facts,omitempty" yaml:"facts,omitempty"`
	Expect  audit.Outcome `json:"expect" yaml:"expect"`
	Because []string      `json:"because,omitempty" yaml:"because,omitempty"`
	Place   string        `json:"place" yaml:"place"`
}

// PolicySwitch is an open question with the answer that the policy takes.
type PolicySwitch struct {
	Name    string            `json:"name" yaml:"name"`
	On      bool              `json:"on" yaml:"on"`
	Title   map[string]string `json:"title" yaml:"title"`
	Sources []string          `json:"sources" yaml:"sources"`
}

// RenderPolicyPart writes it as text, json or yaml.
func RenderPolicyPart(format string, p PolicyPart, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(policyPartText(p, opt)), nil
	case "json":
		return canonical(p)
	case "yaml":
		return yaml.Marshal(p)
	}
	return nil, fmt.Errorf("unknown format %q of a part of a policy; there are text, json and yaml", format)
}

func policyPartText(p PolicyPart, opt Options) string {
	p = shown(p)
	t := newTerminal(opt)
	t.para("", fmt.Sprintf("%s %s (%s)%s: %s", p.Policy.ID, p.Policy.Version, p.Policy.Status, notBuiltIn(p.Policy), p.Title["en"]))
	t.para("", "Digest "+string(p.Policy.Digest))
	for _, s := range p.Switches {
		t.para("  ", fmt.Sprintf("switch %s is %s: %s [%s]", s.Name, onOff(s.On), s.Title["en"], strings.Join(s.Sources, ", ")))
	}
	for _, s := range p.Scopes {
		t.scopePart(s)
	}
	for _, q := range p.Requirements {
		t.requirementPart(q)
	}
	for _, c := range p.Clauses {
		t.heading(c.ID)
		t.clausePart("  ", c)
		if len(c.Serving) > 0 {
			t.para("  ", "Served by "+strings.Join(c.Serving, ", "))
		}
	}
	return t.b.String()
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (t *terminal) scopePart(s PolicyScope) {
	t.heading(fmt.Sprintf("%s: %s, level %d, layer %s", s.ID, s.Title, s.Level, s.Layer))
	t.para("  ", "Requires "+cmp.Or(s.Requires, "no level below"))
	t.para("  ", fmt.Sprintf("Includes %s: %s", plural(len(s.Requirements), "requirement", "requirements"), strings.Join(s.Requirements, ", ")))
	t.para("  ", "Digest "+string(s.Digest))
}

func (t *terminal) requirementPart(q PolicyRequirement) {
	t.heading(fmt.Sprintf("%s (%s, for each %s, module %s)", q.ID, q.Severity, q.Kind, q.Module))
	for _, lang := range []string{"en", "de", "fr"} {
		for _, text := range []struct {
			name  string
			texts map[string]string
		}{{"title", q.Title}, {"rationale", q.Rationale}, {"remedy", q.Remedy}} {
			if text.texts[lang] != "" {
				t.para("  ", fmt.Sprintf("%s (%s): %s", text.name, lang, text.texts[lang]))
			}
		}
	}
	if q.Applies != "" {
		t.para("  ", "applies: "+q.Applies)
	}
	t.para("  ", "pass: "+q.Pass)
	t.para("  ", "evidence: "+strings.Join(q.Evidence, ", "))
	t.para("  ", "counts for: "+q.Lifetime)
	if q.DeclaredOK {
		t.para("  ", "The operator's word may satisfy it, tentatively, until a reviewer accepts it.")
	}
	if q.EffectiveOn != "" {
		t.para("  ", "Before "+q.EffectiveOn+" a failure warns and does not block.")
	}
	t.para("  ", "who can fix it: "+q.Owner)
	t.para("  ", "asked by: "+strings.Join(q.Scopes, ", "))
	for _, c := range q.Sources {
		t.para("  ", "source "+c.ID)
		t.clausePart("    ", c)
	}
	for _, c := range q.Cases {
		t.para("  ", fmt.Sprintf("case %s: %s (%s) gives %s", c.Place, c.Name, strings.Join(c.Facts, "; "), c.Expect))
	}
	t.para("  ", "digest "+string(q.Digest))
}

func (t *terminal) clausePart(indent string, c PolicyClause) {
	t.para(indent, strings.TrimSuffix(c.Document+" ("+c.Status+"), "+c.At, ", "))
	if c.Quote != "" {
		t.para(indent, "“"+c.Quote+"”")
	}
	t.para(indent, c.Says["en"])
	if c.Refused["en"] != "" {
		t.para(indent, "Refused: "+c.Refused["en"])
	}
	if c.Address != "" {
		t.para(indent, c.Address)
	}
}
