package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// kollaList is the kind of list that the switches of globals.yml are.
const kollaList = "Kolla Ansible globals"

// kolla is the configuration of a plain Kolla Ansible: globals.yml and, if it is named, the inventory. Only what
// globals.yml states counts: what is commented out has a default of the Kolla Ansible release, which is not guessed.
// passwords.yml is not asked for and never opened.
type kolla struct {
	globals, inventory string // as written; no inventory: empty
	paths              [2]string
	opt                Options
}

func decodeKolla(v values, opt Options) (sbom.Source, error) {
	k := kolla{globals: v.text["globals"], inventory: v.text["inventory"], opt: opt}
	k.paths[0] = v.path(k.globals)
	if k.inventory != "" {
		k.paths[1] = v.path(k.inventory)
	}
	for _, name := range []string{"globals", "inventory"} {
		if v.has(name) && namedSecret(v.text[name]) {
			return nil, at(v.at[name], "%s %q is named like a file of secrets, which is not opened", name, shown(v.text[name]))
		}
	}
	return k, nil
}

// Name returns the kind and the file as the stack file gives it.
func (k kolla) Name() string { return "kolla " + shown(k.globals) }

// Contacts returns the files that are read.
func (k kolla) Contacts() []audit.Contact {
	out := []audit.Contact{{Host: "local", Address: k.globals, Right: "read", Purpose: "release and enabled services of Kolla Ansible"}}
	if k.inventory != "" {
		out = append(out, audit.Contact{Host: "local", Address: k.inventory, Right: "read", Purpose: "hosts and groups of Kolla Ansible"})
	}
	return out
}

// Open returns ErrNoContents: a configuration knows names and versions only.
func (k kolla) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads both files. If one of them cannot be read, that is a failure; an error means that none could be.
func (k kolla) Inventory(ctx context.Context) (sbom.Inventory, error) {
	r := kollaReader{kolla: k, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	if err := r.readGlobals(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	if k.inventory != "" {
		if err := r.readInventory(ctx); err != nil {
			return sbom.Inventory{}, err
		}
	}
	if r.read == 0 {
		return sbom.Inventory{}, fmt.Errorf("reading kolla %q: %s", shown(k.globals), r.inv.Failures[0].Reason)
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

type kollaReader struct {
	kolla
	read int
	inv  sbom.Inventory
}

func (r *kollaReader) fail(origin audit.Origin, settle, format string, args ...any) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: r.Name(), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

func (r *kollaReader) readGlobals(ctx context.Context) error {
	origin := audit.Origin{Source: "kolla", Path: shown(r.globals), At: r.opt.At}
	data, err := readFile(r.paths[0], maxVarsFile)
	if err != nil {
		r.fail(origin, "name globals.yml of Kolla Ansible", "%s: %s", origin.Path, reason(err))
		return nil
	}
	origin.Digest = audit.DigestOf(data)
	v, err := readVars(origin, data)
	if err != nil {
		r.fail(origin, "", "%s: %s", origin.Path, err)
		return nil
	}
	r.read++
	for _, t := range v.twice {
		r.fail(t.origin, "", "%s: line %d: %s stands twice; the last counts", origin.Path, t.origin.Line, t.text)
	}
	r.release(v)
	expected, problems := serviceSwitches(v, ansibleScope{v}, kollaList)
	r.inv.Expected = append(r.inv.Expected, expected...)
	for _, p := range problems {
		r.fail(p.origin, p.settle, "%s: %s", origin.Path, p.text)
	}
	return v.keep(ctx, r.opt)
}

// release adds the stated release of OpenStack: openstack_release, or the one that openstack_tag begins with.
func (r *kollaReader) release(v ansibleVars) {
	release, key := r.stated(v, "openstack_release"), "openstack_release"
	tag := sbom.ParseTag(r.stated(v, "openstack_tag")).Release
	if release == "" {
		release, key = tag, "openstack_tag"
	}
	if release == "" {
		r.fail(v.origin, "write openstack_release into globals.yml, or give what runs: the containers of the hosts",
			"%s states no openstack_release: the default of the Kolla Ansible release counts, which is not known here", v.origin.Path)
		return
	}
	if tag != "" && tag != release {
		r.fail(v.at("openstack_tag"), "", "%s: openstack_tag is of release %s, openstack_release says %s", v.origin.Path, tag, release)
	}
	where := v.origin.Path + ": " + key
	if also := r.imagesFrom(v); also != "" {
		where += " (" + also + ")"
	}
	r.inv.Artifacts = append(r.inv.Artifacts, declaredRelease("kolla", where, "openstack", release, v.at(key)))
}

// imagesFrom says what globals.yml states about where images come from.
func (r *kollaReader) imagesFrom(v ansibleVars) string {
	var out []string
	for _, key := range []string{"docker_registry", "docker_namespace", "kolla_base_distro", "openstack_tag"} {
		if text := r.stated(v, key); text != "" {
			out = append(out, key+" "+text)
		}
	}
	return strings.Join(out, ", ")
}

// stated returns the value of a variable; empty if the file does not state it, or not in a way that can be read.
func (r *kollaReader) stated(v ansibleVars, key string) string {
	value, ok := v.vars[key]
	if !ok || value.text == "" && (value.unread == "" || value.unread == unsetVar) {
		return ""
	}
	text, open := ansibleScope{v}.resolve(value.text)
	if value.unread != "" {
		open = []string{key + " " + value.unread}
	}
	if len(open) == 0 && !versionText(text) {
		open = []string{key + " holds what it cannot"}
	}
	if len(open) > 0 {
		r.fail(v.at(key), "write the value itself", "%s: line %d: %s: %s", v.origin.Path, value.line, key, strings.Join(open, "; "))
		return ""
	}
	return text
}

func (r *kollaReader) readInventory(ctx context.Context) error {
	origin := audit.Origin{Source: "kolla", Path: shown(r.inventory), At: r.opt.At}
	data, err := readFile(r.paths[1], maxAnsibleFile)
	if err != nil {
		r.fail(origin, "name the inventory file; for a directory or a program save the output of ansible-inventory --list", "%s: %s", origin.Path, reason(err))
		return nil
	}
	origin.Digest = audit.DigestOf(data)
	inv := readAnsible(origin, data)
	inv.undeclared()
	for _, p := range inv.problems {
		r.fail(p.origin, p.settle, "%s: %s", origin.Path, p.text)
	}
	if len(inv.hosts)+len(inv.groups) == 0 {
		return nil
	}
	r.read++
	r.inv.Expected = append(r.inv.Expected, inv.expected()...)
	return keepIntent(ctx, r.opt, origin, inv.reduced())
}
