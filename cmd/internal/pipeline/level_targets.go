package pipeline

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/policies"
)

// levelTarget is one source about level 1 or 2, with the local files that it names: paths as in the stack file by the name
// under which the source asks for them.
type levelTarget struct {
	conformance.Target
	files map[string]string
}

// stackLevel is an entry below conformance: as it is written. Exactly one of the first six keys says what it is.
type stackLevel struct {
	Monitor     string `yaml:"monitor"`
	Report      string `yaml:"report"`
	Kubernetes  string `yaml:"kubernetes"`
	Tempest     string `yaml:"tempest"`
	Certificate string `yaml:"certificate"`
	Label       string `yaml:"label"`
	Document    string `yaml:"document"`

	Layer       string `yaml:"layer"`
	Region      string `yaml:"region"`
	Subject     string `yaml:"subject"`
	Scope       string `yaml:"scope"`       // of a report: the scope YAML
	Signers     string `yaml:"signers"`     // of a report: allowed signers
	Exceptions  string `yaml:"exceptions"`  // of kubernetes: okToFail
	Tests       string `yaml:"tests"`       // of tempest: list of tests, or a guideline
	Keys        string `yaml:"keys"`        // of a label: DID document, JWK or certificate of its issuer
	Version     string `yaml:"version"`     // of a certificate: of the scope
	Revocations string `yaml:"revocations"` // of a certificate: public list of revoked ones
	Title       string `yaml:"title"`
	Sort        string `yaml:"sort"`
	Statement   string `yaml:"statement"`
	Issuer      string `yaml:"issuer"`
	Issued      string `yaml:"issued"`
	ValidUntil  string `yaml:"valid_until"`
	Digest      string `yaml:"digest"`
}

func levelShape() shape {
	return shape{
		"scs_compatible": words([]string{"monitor", "report", "kubernetes", "tempest", "certificate", "layer", "region", "subject", "scope", "signers", "exceptions",
			"tests", "version", "revocations", "issuer", "issued"}),
		"legal": words([]string{"label", "document", "keys", "title", "sort", "statement", "issuer", "issued", "valid_until", "digest"}),
	}
}

// levelTargets reads conformance: of the stack file, in its order, what concerns level 2 first.
func (s Stack) levelTargets() ([]levelTarget, error) {
	if s.Conformance.IsZero() {
		return nil, nil
	}
	if err := checkShape(&s.Conformance, levelShape(), "conformance"); err != nil {
		return nil, err
	}
	var out []levelTarget
	for _, part := range []string{"scs_compatible", "legal"} {
		for i := 0; i+1 < len(s.Conformance.Content); i += 2 {
			if s.Conformance.Content[i].Value != part {
				continue
			}
			entries := []*yaml.Node{s.Conformance.Content[i+1]}
			if entries[0].Kind == yaml.SequenceNode {
				entries = entries[0].Content
			}
			if len(entries) > mostTargets {
				return nil, fmt.Errorf("line %d: conformance: %s has %d entries; at most %d are read", s.Conformance.Content[i].Line, part, len(entries), mostTargets)
			}
			for _, n := range entries {
				t, err := readLevel(n, part == "legal")
				if err != nil {
					return nil, fmt.Errorf("line %d: conformance: %s: %w", n.Line, part, err)
				}
				for _, one := range s.perRegion(t) {
					out = append(out, s.perLayer(one)...)
				}
			}
		}
	}
	return out, nil
}

// perLayer turns a source without a layer into one for each layer that the scopes ask about. What concerns level 1 has none.
func (s Stack) perLayer(t levelTarget) []levelTarget {
	if t.Layer != "" || t.Kind == conformance.KindLabel || t.Kind == conformance.KindDocument {
		return []levelTarget{t}
	}
	var out []levelTarget
	for _, layer := range s.layers() {
		one := t
		one.Layer = layer
		out = append(out, one)
	}
	return out
}

// layers lists the layers of the scopes that are asked for, in the order of reports.
func (s Stack) layers() []string {
	var out []string
	for _, layer := range []string{"iaas", "kaas"} {
		if slices.ContainsFunc(s.Scopes, func(scope string) bool { return strings.HasSuffix(scope, "-"+layer) }) {
			out = append(out, layer)
		}
	}
	return out
}

func readLevel(n *yaml.Node, legal bool) (levelTarget, error) {
	var s stackLevel
	if err := n.Decode(&s); err != nil {
		return levelTarget{}, errors.New(yamlMessage(err))
	}
	t := levelTarget{files: map[string]string{}}
	kinds := []struct{ kind, place string }{
		{conformance.KindStatus, s.Monitor}, {conformance.KindReport, s.Report}, {conformance.KindKubernetes, s.Kubernetes},
		{conformance.KindTempest, s.Tempest}, {conformance.KindCertificate, s.Certificate}, {conformance.KindLabel, s.Label}, {conformance.KindDocument, s.Document},
	}
	for _, k := range kinds {
		if k.place == "" {
			continue
		}
		if t.Kind != "" {
			return t, fmt.Errorf("an entry is one source; %s and %s are two", t.Kind, k.kind)
		}
		t.Kind = k.kind
		if err := checkPlace(k.place); err != nil {
			return t, err
		}
		if isAddress(k.place) {
			t.URL = k.place
		} else {
			t.File = t.local(k.place)
		}
	}
	if t.Kind == "" && legal && s.Title != "" {
		t.Kind = conformance.KindDocument // a bare statement
	}
	if t.Kind == "" {
		return t, errors.New("want one of monitor, report, kubernetes, tempest, certificate (label or document under legal:)")
	}
	if s.Layer != "" && !slices.Contains([]string{"iaas", "kaas"}, s.Layer) {
		return t, fmt.Errorf("layer is %q, want iaas or kaas", s.Layer)
	}
	for _, beside := range []string{s.Scope, s.Signers, s.Revocations, s.Exceptions, s.Tests, s.Keys} {
		if err := checkPlace(beside); err != nil {
			return t, err
		}
	}
	t.Region = s.Region
	t.Layer, t.Subject, t.Version, t.Issuer = s.Layer, s.Subject, s.Version, s.Issuer
	t.Scope, t.Signers, t.Revocations = t.place(s.Scope), t.place(s.Signers), t.place(s.Revocations)
	for _, c := range []string{s.Exceptions, s.Tests, s.Keys} {
		if c != "" {
			t.Config = t.place(c)
		}
	}
	if t.Kind == conformance.KindKubernetes && t.Layer == "" {
		t.Layer = "kaas"
	}
	if t.Kind == conformance.KindTempest && t.Layer == "" {
		t.Layer = "iaas"
	}
	return t, t.declare(s)
}

// declare takes over what the operator says about a certificate or document.
func (t *levelTarget) declare(s stackLevel) error {
	issued, err1 := ParseDay(s.Issued)
	until, err2 := ParseDay(s.ValidUntil)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	t.Issued = issued
	for _, text := range []string{s.Title, s.Statement, s.Issuer, s.Subject} {
		if strings.Contains(text, "@") {
			return fmt.Errorf("%q may name a person; write an organisation", text)
		}
	}
	if t.Kind != conformance.KindDocument {
		return nil
	}
	d := &conformance.Declared{Title: s.Title, Sort: s.Sort, Issuer: s.Issuer, Statement: s.Statement, Issued: issued, ValidUntil: until}
	if s.Digest != "" {
		digest, err := audit.ParseDigest(s.Digest)
		if err != nil {
			return err
		}
		d.Digest = digest
	}
	t.Declared = d
	return nil
}

// place returns an address as it is, and of a local file the name under which it is asked for.
func (t *levelTarget) place(s string) string {
	if s == "" || isAddress(s) {
		return s
	}
	return t.local(s)
}

// local notes a local file and returns its base name; a second file of that name gets another one.
func (t *levelTarget) local(path string) string {
	name := filepath.Base(filepath.Clean(path))
	for taken, ok := t.files[name]; ok && taken != path; taken, ok = t.files[name] {
		name = "other-" + name
	}
	t.files[name] = path
	return name
}

// technicallyMet is the switch by which a policy takes passing tests without a certificate.
const technicallyMet = "technicallyMetSuffices"

func switchedOn(p *policies.Policy, name string) bool {
	return slices.ContainsFunc(p.Switches(), func(s policies.Switch) bool { return s.Name == name && s.On })
}
