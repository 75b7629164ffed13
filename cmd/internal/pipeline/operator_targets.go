package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of what a stack file may ask to look at.
const (
	mostTargets = 100 // of one kind
	mostLinks   = 200 // of one target
)

// operatorTarget is one artifact to look at. file is the path of evidence that was handed over, as the stack file gives it;
// empty for an address. upstreams asks to count contributions to the deployed upstream projects.
type operatorTarget struct {
	transparency.Target
	file      string
	upstreams bool
}

// stackTarget is an entry below transparency: as it is written.
type stackTarget struct {
	URL          string   `yaml:"url"`
	File         string   `yaml:"file"`
	Adapter      string   `yaml:"adapter"`
	Region       string   `yaml:"region"`
	Name         string   `yaml:"name"`
	Path         string   `yaml:"path"`
	Repositories []string `yaml:"repositories"`
	Upstreams    bool     `yaml:"upstreams"`
	Links        []struct {
		Kind  string `yaml:"kind"`
		Title string `yaml:"title"`
		URL   string `yaml:"url"`
		Date  string `yaml:"date"`
	} `yaml:"links"`
}

var stackTargetShape = shape{
	"url": nil, "file": nil, "adapter": nil, "region": nil, "name": nil, "path": nil, "repositories": nil, "upstreams": nil,
	"links": {"kind": nil, "title": nil, "url": nil, "date": nil},
}

// operatorTargets reads transparency: in the order of transparency.Kinds, then of the file. Each key takes an address, a
// mapping, or a list of these.
func (s Stack) operatorTargets() ([]operatorTarget, error) {
	if s.Transparency.IsZero() {
		return nil, nil
	}
	if s.Transparency.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: transparency must be a mapping of kinds of artifacts to addresses", s.Transparency.Line)
	}
	byKey := map[string]*yaml.Node{}
	for i := 0; i+1 < len(s.Transparency.Content); i += 2 {
		byKey[s.Transparency.Content[i].Value] = s.Transparency.Content[i+1]
	}
	var out []operatorTarget
	for _, kind := range transparency.Kinds() {
		n := byKey[transparency.Key(kind)]
		if n == nil {
			continue
		}
		entries := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			entries = n.Content
		}
		if len(entries) > mostTargets {
			return nil, fmt.Errorf("line %d: transparency: %s has %d entries; at most %d are read", n.Line, transparency.Key(kind), len(entries), mostTargets)
		}
		for _, entry := range entries {
			t, err := readOperatorTarget(kind, entry)
			if err != nil {
				return nil, fmt.Errorf("line %d: transparency: %s: %w", entry.Line, transparency.Key(kind), err)
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func readOperatorTarget(kind string, n *yaml.Node) (operatorTarget, error) {
	var s stackTarget
	switch n.Kind {
	case yaml.ScalarNode:
		s.URL = n.Value
	case yaml.MappingNode:
		if err := checkShape(n, stackTargetShape, transparency.Key(kind)); err != nil {
			return operatorTarget{}, err
		}
		if err := n.Decode(&s); err != nil {
			return operatorTarget{}, fmt.Errorf("%s", yamlMessage(err))
		}
	default:
		return operatorTarget{}, fmt.Errorf("want an address, or a mapping with url or file")
	}
	t := operatorTarget{file: s.File, Target: transparency.Target{
		Kind: kind, URL: s.URL, Adapter: s.Adapter, Region: s.Region, Name: s.Name, Path: s.Path, Repositories: s.Repositories,
	}}
	t.upstreams = s.Upstreams
	if s.File != "" {
		t.File = filepath.Base(filepath.Clean(s.File))
	}
	if len(s.Links) > mostLinks {
		return t, fmt.Errorf("%d links; at most %d are read", len(s.Links), mostLinks)
	}
	for _, l := range s.Links {
		date, err := ParseDay(l.Date)
		if err != nil {
			return t, fmt.Errorf("link %q: date: %w", withoutSecrets(l.URL), err)
		}
		t.Links = append(t.Links, transparency.Link{Kind: l.Kind, Title: l.Title, URL: l.URL, Date: date})
	}
	return t, t.check()
}

// check refuses what nobody can look at, before anything is asked.
func (t operatorTarget) check() error {
	if known := operatorAdapters()[t.Kind]; t.Adapter != "" && !slices.Contains(known, t.Adapter) {
		if len(known) == 0 {
			return fmt.Errorf("adapter is %q; this kind has none", t.Adapter)
		}
		return fmt.Errorf("adapter is %q, want one of %s, or none to find out", t.Adapter, strings.Join(known, ", "))
	}
	if t.URL == "" && t.file == "" && t.Kind != transparency.KindOpenOperations && len(t.Repositories) == 0 {
		return fmt.Errorf("want url (an address) or file (evidence that is handed over)")
	}
	if len(t.Repositories) > mostLinks {
		return fmt.Errorf("%d repositories; at most %d are read", len(t.Repositories), mostLinks)
	}
	for _, a := range t.Repositories {
		if err := checkRepository(a); err != nil {
			return err
		}
	}
	var addresses []string
	if t.URL != "" {
		addresses = append(addresses, t.URL)
	}
	for _, l := range t.Links {
		addresses = append(addresses, l.URL)
	}
	for _, a := range addresses {
		if err := checkAddress(a); err != nil {
			return err
		}
	}
	return nil
}

// handedOverExists refuses names of files that are not there: a slip would leave a question open unnoticed.
func handedOverExists(stack Stack, targets []operatorTarget, levels []levelTarget) error {
	missing := func(what, name string) error {
		if _, err := os.Stat(relativeTo(stack.Dir, name)); err != nil {
			return usagef("paths start at the stack file", "reading stack %q: %s: no such file or directory: %q", stack.Name, what, name)
		}
		return nil
	}
	for _, t := range targets {
		if t.file == "" {
			continue
		}
		if err := missing("transparency: "+transparency.Key(t.Kind), t.file); err != nil {
			return err
		}
	}
	for _, t := range levels {
		for _, name := range sortedKeys(t.files) {
			if err := missing("conformance", t.files[name]); err != nil {
				return err
			}
		}
	}
	return nil
}
