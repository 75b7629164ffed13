package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge"
	"github.com/pegel-audit/pegel/scoring/foundation"
	"github.com/pegel-audit/pegel/scoring/lifecycle"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// Plan lists what a run would read and ask, and with which right. It contacts nobody: it reads the stack file and, to
// know the projects behind it, the local files that the stack file names.
func Plan(stack Stack, opt Options) ([]audit.Contact, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return nil, err
	}
	contacts := []audit.Contact{{Host: "local", Address: stack.Name, Right: "read", Purpose: "stack file"}}
	contacts = append(contacts, g.leaveOutRegistries(opt.Offline)...)
	rec, err := g.recorded(context.Background())
	if err != nil {
		return nil, err
	}
	for _, s := range g.sources {
		contacts = append(contacts, s.Contacts()...)
	}
	for _, dir := range slices.Concat(g.opt.Evidence, g.stack.Evidence) {
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
	if stack.Collect.OSV != "" {
		contacts = append(contacts, audit.Contact{Host: "local", Address: stack.Collect.OSV, Right: "read", Purpose: "dump of osv.dev"})
	}
	contacts = append(contacts, g.operatorContacts()...)
	contacts = append(contacts, audit.Contact{Host: "local", Address: opt.Bundle, Right: "write", Purpose: "evidence bundle"})
	g.network = source.Network{} // no way out: what would be asked is listed, not asked
	if g.sources, err = g.decode(nil); err != nil {
		return nil, err
	}
	projects := g.projects(g.inventory(context.Background()), nil).Projects
	if opt.Offline {
		return contacts, nil
	}
	asked, err := g.collectContacts(projects, rec)
	return append(contacts, asked...), err
}

// collectContacts lists what the collectors would ask about the projects: repositories, services around them, records of
// foundations and calendars that these projects need, and indexes. What a recording holds is not asked for.
func (g *gatherer) collectContacts(projects []scoring.Project, rec recording) ([]audit.Contact, error) {
	never := func(context.Context, string, string) ([]byte, audit.Origin, error) {
		return nil, audit.Origin{}, errors.New("a plan reads nothing")
	}
	forges, err1 := forge.New(forge.Options{At: g.at, Tokens: g.tokens, Apps: g.apps, Services: g.stack.Collect.Services})
	foundations, err2 := foundation.New(foundation.Options{Read: never, At: g.at})
	calendars, err3 := lifecycle.New(lifecycle.Options{Read: never, At: g.at})
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	var out []audit.Contact
	add := func(c audit.Contact) {
		if !slices.ContainsFunc(out, func(o audit.Contact) bool { return o.Address == c.Address && o.Purpose == c.Purpose }) {
			out = append(out, c)
		}
	}
	c := collecting{g: g, rec: rec, anew: g.opt.Anew}
	reviewed := false
	for _, p := range projects {
		e := c.taken(p)
		if !c.enough("git", p, e) {
			out = append(out, contactsOf(p, false)...)
		}
		if !c.enough("foundation", p, e) {
			for _, repo := range foundations.Needs(p) {
				add(audit.Contact{Host: hostOf(repo), Address: repo, Right: "anonymous read", Purpose: "records of a foundation"})
			}
		}
		if !c.enough("lifecycle", p, e) {
			for _, repo := range calendars.Needs(p) {
				add(audit.Contact{Host: hostOf(repo), Address: repo, Right: "anonymous read", Purpose: "calendar of releases"})
			}
		}
		if g.asksForges() && !c.enough("forge", p, e) {
			for _, contact := range forges.Contacts(p) {
				contact.Purpose += g.tokenHint(contact)
				add(contact)
			}
			reviewed = true
		}
	}
	if reviewed {
		add(audit.Contact{Host: "review servers", Address: "those that .gitreview files of these projects name, and the true homes of mirrors", Right: "anonymous read", Purpose: "known only once git was read"})
	}
	for _, word := range g.stack.Collect.Indexes {
		if word == string(thirdparty.OSV) && g.stack.Collect.OSV != "" {
			continue // the dump is read instead
		}
		address := thirdparty.Address(thirdparty.Service(word))
		add(audit.Contact{Host: hostOf(address), Address: address, Right: "anonymous read", Purpose: "index " + word + ": names of packages and repositories are sent"})
	}
	return out, nil
}

// asksForges says whether services around repositories are asked.
func (g *gatherer) asksForges() bool {
	return g.stack.Collect.Forges == nil || *g.stack.Collect.Forges
}

// tokenHint names the variable that a token is, or could be, taken from. It never shows the token.
func (g *gatherer) tokenHint(c audit.Contact) string {
	names := tokenNames(c.Host)
	if c.Right == "token" {
		return " (token from " + strings.Join(names, " or ") + ")"
	}
	if strings.HasPrefix(c.Purpose, "Git") {
		return " (no token; " + names[len(names)-1] + " would give one)"
	}
	return ""
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

// leaveOutRegistries takes recordings that a registry holds out of a plan, which contacts nobody, and says whom they would
// be asked of. What they would tell about projects is not known to the plan.
func (g *gatherer) leaveOutRegistries(offline bool) []audit.Contact {
	var out []audit.Contact
	remote := func(where string) bool {
		text, ok := strings.CutPrefix(where, registryPrefix)
		if !ok || isDirectory(text) {
			return false
		}
		if ref, err := name.ParseReference(text); err == nil && !offline {
			out = append(out, audit.Contact{Host: ref.Context().RegistryStr(), Address: where, Right: "anonymous read", Purpose: "recorded evidence"})
		}
		return true
	}
	g.opt.Evidence = slices.DeleteFunc(slices.Clone(g.opt.Evidence), remote)
	g.stack.Evidence = slices.DeleteFunc(slices.Clone(g.stack.Evidence), remote)
	return out
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// PlanCatalogue lists what recording projects of the catalogue would read and ask. It contacts nobody.
func PlanCatalogue(ids []string, opt Options) ([]audit.Contact, error) {
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	g, err := prepareProjects(Stack{Name: "catalogue"}, opt, catalogue)
	if err != nil {
		return nil, err
	}
	projects, err := catalogueProjects(catalogue, ids, nil)
	if err != nil {
		return nil, err
	}
	contacts := g.leaveOutRegistries(opt.Offline)
	for _, dir := range opt.Mirrors {
		contacts = append(contacts, audit.Contact{Host: "local", Address: dir, Right: "read", Purpose: "local clones of upstream projects"})
	}
	contacts = append(contacts, g.operatorContacts()...)
	contacts = append(contacts, audit.Contact{Host: "local", Address: opt.Bundle, Right: "write", Purpose: "evidence bundle"})
	if opt.Offline {
		return contacts, nil
	}
	for _, p := range projects {
		contacts = append(contacts, contactsOf(p, false)...)
	}
	return contacts, nil
}
