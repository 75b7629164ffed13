package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/copyright"
)

// licenceSources is what came of asking others about licences.
type licenceSources struct {
	Asked       []copyright.Count  `json:"asked,omitempty"`
	SamePackage int                `json:"same_package,omitempty"` // components whose licence another artifact names
	Failures    []sbom.Failure     `json:"failures,omitempty"`
	Silent      []copyright.Silent `json:"silent,omitempty"` // only where somebody was to be asked
}

// licences asks for the licence of packages of which their artifact says nothing: other artifacts of the stack always,
// anybody else only if the stack file names him. Answers of recorded bundles come first. What fails is written down, and
// the packages stay as they are.
func (g *gatherer) licences(ctx context.Context, pkgs []sbom.Packages, rec recording) []sbom.Packages {
	found, _ := copyright.Collect(ctx, pkgs, copyright.Options{ // the error is that of the context, which the caller looks at
		Client: g.client, Places: g.places, Recorded: rec.licences, CacheDir: g.opt.CacheDir, TempDir: g.opt.TempDir,
		Keep: g.keep, At: g.at,
		Progress: func(place string, done, total int) { g.opt.progress("asking "+place+" for licences", done, total) },
	})
	g.licensed = licenceSources{Asked: found.Counts, SamePackage: found.SamePackage, Failures: found.Failures}
	if len(g.places) > 0 {
		g.licensed.Silent = found.Silent
	}
	return inherited(found.Packages)
}

// inherited lets packages that are part of others, or made from the same source, take over what was learnt of them since.
func inherited(pkgs []sbom.Packages) []sbom.Packages {
	out := slices.Clone(pkgs)
	for i := range out {
		if components, known := out[i].Components.Get(); known {
			components = sbom.InheritLicences(components)
			out[i].Components.Value = &components
		}
	}
	return out
}

// check refuses entries that cannot be read, with the line and the nearest known word. Addresses that the environment
// gives are looked at by places.
func (l StackLicences) check() error {
	words := shape{}
	for _, w := range copyright.Services() {
		words[w] = nil
	}
	for i := range l.Services {
		n := &l.Services[i]
		word, address, err := serviceEntry(n)
		if err != nil {
			return fmt.Errorf("line %d: licences: services: %w", n.Line, err)
		}
		if _, ok := words[word]; !ok {
			return fmt.Errorf("line %d: licences: services: unknown service %q%s", n.Line, word, didYouMean(word, words))
		}
		if address == "" {
			continue
		}
		if _, err := copyright.ParseService(word, address, nil); err != nil {
			return fmt.Errorf("line %d: licences: services: %w", n.Line, err)
		}
	}
	for i, text := range l.Mirrors {
		if _, err := copyright.ParseMirror(text, "", i+1); err != nil {
			return fmt.Errorf("licences: mirrors: entry %d: %w", i+1, err)
		}
	}
	return nil
}

// serviceEntry reads a word, or a mapping of one word to an address.
func serviceEntry(n *yaml.Node) (word, address string, err error) {
	text := func(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value != "" }
	switch {
	case text(n):
		return n.Value, "", nil
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && text(n.Content[0]) && text(n.Content[1]):
		return n.Content[0].Value, n.Content[1].Value, nil
	}
	return "", "", errors.New("want a word such as debsources, or one word and an address: {npm: https://...}")
}

// places turns the entries into places; dir is where relative paths start.
func (l StackLicences) places(dir string, getenv func(string) string) ([]copyright.Place, error) {
	var out []copyright.Place
	add := func(p copyright.Place, err error) error {
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(out, func(o copyright.Place) bool { return o.String() == p.String() }) {
			out = append(out, p)
		}
		return nil
	}
	for i := range l.Services {
		word, address, err := serviceEntry(&l.Services[i])
		if err == nil {
			err = add(copyright.ParseService(word, address, getenv))
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: licences: services: %w", l.Services[i].Line, err)
		}
	}
	for i, text := range l.Mirrors {
		if err := add(copyright.ParseMirror(text, dir, i+1)); err != nil {
			return nil, fmt.Errorf("licences: mirrors: entry %d: %w", i+1, err)
		}
	}
	if l.ModuleCache != "" {
		if err := add(copyright.ModuleCache(l.ModuleCache, dir)); err != nil {
			return nil, fmt.Errorf("licences: %w", err)
		}
	}
	return out, nil
}
