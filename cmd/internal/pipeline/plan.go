package pipeline

import (
	"context"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// Plan lists what a run would read and ask, and with which right. It contacts nobody: it reads the stack file and, to
// know the projects behind it, the local files that the stack file names.
func Plan(stack Stack, opt Options) ([]audit.Contact, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return nil, err
	}
	rec, err := g.recorded(context.Background())
	if err != nil {
		return nil, err
	}
	contacts := []audit.Contact{{Host: "local", Address: stack.Name, Right: "read", Purpose: "stack file"}}
	for _, s := range g.sources {
		contacts = append(contacts, s.Contacts()...)
	}
	for _, dir := range append(opt.Evidence, stack.Evidence...) {
		contacts = append(contacts, audit.Contact{Host: "local", Address: dir, Right: "read", Purpose: "recorded evidence"})
	}
	for _, dir := range opt.Mirrors {
		contacts = append(contacts, audit.Contact{Host: "local", Address: dir, Right: "read", Purpose: "local clones of upstream projects"})
	}
	for _, p := range g.places {
		if c := p.Contact(); !opt.Offline || c.Host == "local" {
			contacts = append(contacts, c)
		}
	}
	contacts = append(contacts, audit.Contact{Host: "local", Address: opt.Bundle, Right: "write", Purpose: "evidence bundle"})
	g.network = source.Network{} // no way out: what would be asked is listed, not asked
	if g.sources, err = g.decode(nil); err != nil {
		return nil, err
	}
	projects := g.projects(g.inventory(context.Background()), nil).Projects
	for _, p := range projects {
		if _, ok := rec.of(p); !ok {
			contacts = append(contacts, contactsOf(p, opt.Offline)...)
		}
	}
	return contacts, nil
}

// targetSource makes a source from a target of the sbom command.
func targetSource(name string, g *gatherer) (sbom.Source, error) {
	entry := map[string]any{}
	if dir, ok := cutHost(name); ok {
		entry["host"] = map[string]string{"root": dir}
	} else {
		form, err := kindOfTarget(name)
		if err != nil {
			return nil, err
		}
		entry["image"] = map[string]string{"ref": form + ":" + name}
	}
	var node yaml.Node
	if err := node.Encode(entry); err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return source.Decode(&node, here, source.Options{At: g.at})
}

func cutHost(name string) (dir string, ok bool) {
	const prefix = "host:"
	if len(name) <= len(prefix) || name[:len(prefix)] != prefix {
		return "", false
	}
	return name[len(prefix):], true
}

// relativeTo resolves a path of the stack file, which starts where the stack file is.
func relativeTo(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
