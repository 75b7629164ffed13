package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of a configuration repository. The reference one has 8 environments and 3 inventory files.
const (
	maxEnvironments       = 256
	maxConfigurationFiles = 256
	maxConfigurationDepth = 4
	maxConfigurationLinks = 8
)

// configurationList is the kind of list that the switches of a configuration are.
const configurationList = "OSISM configuration"

// configuration is the repository in which an operator of OSISM writes what shall run: images.yml of the environments,
// configuration.yml of the environments manager and kolla, and the inventory. Everything in it is intent.
//
// Secrets stay closed: files named secrets*, group_vars and host_vars are never opened, of files that begin with
// $ANSIBLE_VAULT nothing is taken, nor are values with the tag !vault, variables of the inventory, and variables that
// say nothing about versions, images and switches. Of Jinja only {{ name }} and {{ name|default('x') }} are filled in,
// from the configuration.yml and images.yml of the environment and then those of all environments, in the order in which
// OSISM lets them win; variables that only group_vars or the defaults of a release set are not known here.
type configuration struct {
	repository string // as written
	dir        string // on this machine
	opt        Options
}

func decodeConfiguration(v values, opt Options) (sbom.Source, error) {
	return configuration{repository: v.text["repository"], dir: v.path(v.text["repository"]), opt: opt}, nil
}

// Name returns the kind and the directory as the stack file gives it.
func (c configuration) Name() string { return "configuration " + shown(c.repository) }

// Contacts returns the one directory that is read.
func (c configuration) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: c.repository, Right: "read",
		Purpose: "what shall run: images.yml, configuration.yml and inventory; no secrets, group_vars and host_vars"}}
}

// Open returns ErrNoContents: a configuration knows names and versions only.
func (c configuration) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads the repository. A file or an entry that cannot be read becomes a failure; the rest is returned.
func (c configuration) Inventory(ctx context.Context) (sbom.Inventory, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading configuration %q: %s; name the directory that holds environments and inventory",
			shown(c.repository), reason(err))
	}
	defer root.Close()
	r := configurationReader{configuration: c, root: root, files: map[string]ansibleVars{}, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	if err := r.environments(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	if err := r.inventory(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	if r.read == 0 {
		why := "neither environments nor inventory is there"
		if len(r.inv.Failures) > 0 {
			why = r.inv.Failures[0].Reason
		}
		return sbom.Inventory{}, fmt.Errorf("reading configuration %q: %s", shown(c.repository), why)
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

// configurationReader collects what the repository says.
type configurationReader struct {
	configuration
	root  *os.Root
	files map[string]ansibleVars // files of variables, by path in the repository
	read  int                    // files that could be read
	inv   sbom.Inventory
}

func (r *configurationReader) fail(origin audit.Origin, settle, format string, args ...any) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: r.Name(), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

func (r *configurationReader) origin(name string) audit.Origin {
	return audit.Origin{Source: "configuration", Path: name, At: r.opt.At}
}

// closed reports whether a file or folder is never opened, by its path alone: the names under which secrets are kept.
func closed(name string) bool {
	folders, file := path.Split(strings.ToLower(filepath.ToSlash(name)))
	for _, folder := range strings.Split(folders, "/") {
		if closedFolder(folder) {
			return true
		}
	}
	return closedFolder(file) || strings.HasPrefix(file, "vault") || namedSecret(file)
}

// namedSecret reports whether a file is named as secrets.yml of OSISM and passwords.yml of Kolla Ansible are. Such a file
// is not opened even if the stack file names it.
func namedSecret(name string) bool {
	base := strings.ToLower(path.Base(filepath.ToSlash(name)))
	return strings.HasPrefix(base, "secret") || strings.HasPrefix(base, "password")
}

func closedFolder(name string) bool {
	return strings.HasPrefix(name, "secret") || name == "group_vars" || name == "host_vars" ||
		strings.HasPrefix(name, ".") && strings.Trim(name, ".") != ""
}

// errClosed is the reason for a link to what is never opened.
var errClosed = errors.New("it leads to a file of secrets, which is not opened")

// data reads a file of the repository, through links inside it as long as they lead to nothing that is closed.
func (r *configurationReader) data(name string, limit int64) ([]byte, error) {
	for range maxConfigurationLinks {
		if closed(name) {
			return nil, errClosed
		}
		info, err := r.root.Lstat(name)
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return readIn(r.root, name, limit)
		}
		target, err := r.root.Readlink(name)
		if err != nil {
			return nil, err
		}
		if filepath.IsAbs(target) {
			return nil, errors.New("it is a link out of the repository")
		}
		name = path.Join(path.Dir(name), filepath.ToSlash(target))
	}
	return nil, errors.New("it is a link through too many others")
}

// environments reads what the environments say.
func (r *configurationReader) environments(ctx context.Context) error {
	names, err := r.environmentNames()
	if err != nil {
		r.fail(r.origin("environments"), "name the root of the repository, which holds environments and inventory", "environments: %s", reason(err))
	}
	for _, dir := range append([]string{"environments"}, names...) {
		for _, file := range []string{"configuration.yml", "images.yml"} {
			if err := r.variables(ctx, path.Join(dir, file)); err != nil {
				return err
			}
		}
	}
	for _, dir := range append([]string{"environments"}, names...) {
		r.images(dir)
	}
	r.versions()
	r.switches()
	return nil
}

func (r *configurationReader) environmentNames() ([]string, error) {
	entries, err := fs.ReadDir(r.root.FS(), "environments")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && !closedFolder(strings.ToLower(e.Name())) {
			out = append(out, path.Join("environments", e.Name()))
		}
	}
	if len(out) > maxEnvironments {
		r.fail(r.origin("environments"), "", "environments: %d of them, of which %d were read", len(out), maxEnvironments)
		out = out[:maxEnvironments]
	}
	return out, nil
}

// variables reads one file of variables; one that is not there is none. The error is only for evidence that could not be
// kept.
func (r *configurationReader) variables(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	origin := r.origin(name)
	data, err := r.data(name, maxVarsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.fail(origin, "", "%s: %s", name, reason(err))
		return nil
	}
	origin.Digest = audit.DigestOf(data)
	v, err := readVars(origin, data)
	if err != nil {
		r.fail(origin, "", "%s: %s", name, err)
		return nil
	}
	r.read++
	r.files[name] = v
	for _, t := range v.twice {
		r.fail(t.origin, "", "%s: line %d: %s stands twice; the last counts", name, t.origin.Line, t.text)
	}
	return v.keep(ctx, r.opt)
}

// scope returns the files that give variables to an environment, the winning one first.
func (r *configurationReader) scope(dir string) ansibleScope {
	var out ansibleScope
	for _, name := range []string{path.Join(dir, "configuration.yml"), path.Join(dir, "images.yml"), "environments/configuration.yml", "environments/images.yml"} {
		if v, ok := r.files[name]; ok {
			out = append(out, v)
		}
	}
	return out
}

// images reads the variables *_image of one images.yml.
func (r *configurationReader) images(dir string) {
	name := path.Join(dir, "images.yml")
	v, ok := r.files[name]
	if !ok {
		return
	}
	scope := r.scope(dir)
	for _, key := range v.keys {
		if strings.HasSuffix(key, "_image") {
			r.image(v, scope, key)
		}
	}
}

// image adds the artifact of one variable. What is not known of its reference stays visible in it; a registry alone that
// is not known is left out, as in release manifests.
func (r *configurationReader) image(v ansibleVars, scope ansibleScope, key string) {
	origin, value := v.at(key), v.vars[key]
	where := v.origin.Path + ": " + key
	if value.unread != "" {
		r.fail(origin, "", "%s: line %d: %s %s", v.origin.Path, origin.Line, key, value.unread)
		return
	}
	text, open := scope.resolve(value.text)
	for _, why := range open {
		r.fail(origin, "set it in configuration.yml of the environment, or give what runs: the containers of the hosts",
			"%s: line %d: %s: %s", v.origin.Path, origin.Line, key, why)
	}
	if text == "" {
		return
	}
	short := strings.ReplaceAll(strings.TrimSuffix(key, "_image"), "_", "-")
	if rest, ok := withoutRegistry(text); ok && len(open) > 0 {
		text = rest
	}
	a, err := intentImage(text, short)
	if err != nil && len(open) == 0 {
		r.fail(origin, "", "%s: line %d: %s: %s", v.origin.Path, origin.Line, key, err)
	}
	if len(open) > 0 {
		a.Unpinned = open[0]
	}
	if v.origin.Path == "environments/manager/images.yml" {
		a.TierHint, a.HintRule = []string{"ops"}, "source configuration environments/manager"
	}
	seen := sbom.Sighting{Source: "configuration", Where: where, Declared: true, State: sbom.StateDeclared, Digest: a.Digest, Origin: origin}
	if err == nil && len(open) == 0 { // else nothing names the image, and Unpinned says why
		seen.Reference = text
	}
	a.Sightings = []sbom.Sighting{seen}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}

// withoutRegistry takes "{{ name }}/" off a reference of which all else is known.
func withoutRegistry(text string) (string, bool) {
	if !strings.HasPrefix(text, "{{ ") {
		return "", false
	}
	_, rest, ok := strings.Cut(text, " }}/")
	return rest, ok && rest != "" && !strings.Contains(rest, "{{")
}

// versionNames are the versions that configuration.yml of the manager chooses, and what they are versions of.
func versionNames() [][2]string {
	return [][2]string{{"manager_version", "osism-manager"}, {"openstack_version", "openstack"}, {"ceph_version", "ceph"}}
}

// versions reads the chosen versions of manager, OpenStack and Ceph.
func (r *configurationReader) versions() {
	const file = "environments/manager/configuration.yml"
	scope := r.scope("environments/manager")
	for _, n := range versionNames() {
		i := slices.IndexFunc(scope, func(v ansibleVars) bool { _, ok := v.vars[n[0]]; return ok })
		if i < 0 {
			if n[0] == "manager_version" {
				r.fail(r.origin(file), "name the repository's root, or set manager_version", "%s: manager_version is not set: the release is not known", file)
			}
			continue
		}
		r.version(scope, scope[i], n[0], n[1])
	}
}

func (r *configurationReader) version(scope ansibleScope, v ansibleVars, key, name string) {
	origin, value := v.at(key), v.vars[key]
	text, open := scope.resolve(value.text)
	if value.unread != "" {
		open = []string{key + " " + value.unread}
	}
	if len(open) == 0 && !versionText(text) {
		open = []string{key + " is no version"}
	}
	if len(open) > 0 {
		r.fail(origin, "write the version itself", "%s: line %d: %s", v.origin.Path, origin.Line, strings.Join(open, "; "))
		return
	}
	r.inv.Artifacts = append(r.inv.Artifacts, declaredRelease("configuration", v.origin.Path+": "+key, name, text, origin))
}

// releaseOf is a release as a whole: of OSISM, OpenStack or Ceph. A series of Ceph goes by a name, which does not move.
func releaseOf(name, version string) sbom.Artifact {
	a := intentSoftware(name, version)
	if name == "ceph" && slices.Contains([]string{"nautilus", "octopus", "pacific", "quincy", "reef", "squid", "tentacle"}, version) {
		a.Unpinned = ""
	}
	return a
}

// declaredRelease is a release that a configuration chooses.
func declaredRelease(source, where, name, version string, origin audit.Origin) sbom.Artifact {
	a := releaseOf(name, version)
	a.Sightings = []sbom.Sighting{{Source: source, Where: where, Declared: true, State: sbom.StateDeclared, Reference: a.Reference, Origin: origin}}
	return a
}

// versionText accepts what versions, branches and names of releases are written with.
func versionText(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-_+:/~", c))
	})
}

// switches reads enable_* of the environment kolla.
func (r *configurationReader) switches() {
	const file = "environments/kolla/configuration.yml"
	v, ok := r.files[file]
	if !ok {
		r.fail(r.origin(file), "name the repository's root", "%s could not be read or is not there: which services are enabled is not known", file)
		return
	}
	expected, problems := serviceSwitches(v, r.scope("environments/kolla"), configurationList)
	r.inv.Expected = append(r.inv.Expected, expected...)
	for _, p := range problems {
		r.fail(p.origin, p.settle, "%s: %s", file, p.text)
	}
}

// serviceSwitches returns what enable_X says of service X. A switch that is no plain answer and leads to none is a problem.
func serviceSwitches(v ansibleVars, scope ansibleScope, list string) (out []sbom.Expected, problems []ansiblePlace) {
	for _, key := range v.keys {
		service, ok := strings.CutPrefix(key, "enable_")
		if !ok || service == "" {
			continue
		}
		origin, value := v.at(key), v.vars[key]
		text, open := scope.resolve(value.text)
		on, known := truth(text)
		if value.unread != "" {
			open = []string{key + " " + value.unread}
		}
		if !known || len(open) > 0 {
			why := cmp.Or(strings.Join(open, "; "), "the value is neither yes nor no")
			problems = append(problems, ansiblePlace{text: fmt.Sprintf("line %d: whether %s is enabled is not known: %s", origin.Line, key, why),
				settle: "write yes or no", origin: origin})
			continue
		}
		state := "disabled"
		if on {
			state = "enabled"
		}
		out = append(out, sbom.Expected{Kind: sbom.ExpectedService, Name: strings.ReplaceAll(service, "_", "-"), Groups: []string{state},
			List: list, Where: v.origin.Path + ": " + key, Origin: origin})
	}
	return out, problems
}

// inventory reads the hosts and their groups from the files of the inventory, which Ansible reads as one.
func (r *configurationReader) inventory(ctx context.Context) error {
	files, err := r.inventoryFiles("inventory", 0)
	if err == nil && len(files) == 0 {
		err = errors.New("no inventory file is there")
	}
	if err != nil {
		r.fail(r.origin("inventory"), listRemedy, "inventory: %s: the hosts are not known", reason(err))
		return nil
	}
	all := newAnsible()
	for _, name := range files[:min(len(files), maxConfigurationFiles)] {
		if err := r.inventoryFile(ctx, name, &all); err != nil {
			return err
		}
	}
	if len(files) > maxConfigurationFiles {
		r.fail(r.origin("inventory"), listRemedy, "inventory: %d files, of which %d were read", len(files), maxConfigurationFiles)
	}
	all.undeclared()
	for _, p := range all.problems {
		r.fail(p.origin, p.settle, "%s: %s", p.origin.Path, p.text)
	}
	r.inv.Expected = append(r.inv.Expected, all.expected()...)
	return nil
}

// inventoryFile adds one file to the inventory. The error is only for evidence that could not be kept.
func (r *configurationReader) inventoryFile(ctx context.Context, name string, all *ansibleInventory) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	origin := r.origin(name)
	data, err := r.data(name, maxAnsibleFile)
	if err != nil {
		r.fail(origin, "", "%s: %s", name, reason(err))
		return nil
	}
	if strings.HasPrefix(string(data[:min(len(data), 2)]), "#!") {
		r.fail(origin, listRemedy, "%s: it is a program, which is not run", name)
		return nil
	}
	origin.Digest = audit.DigestOf(data)
	one := readAnsible(origin, data)
	all.merge(one)
	if len(one.hosts)+len(one.groups) == 0 {
		return nil
	}
	r.read++
	return keepIntent(ctx, r.opt, origin, one.reduced())
}

// inventoryFiles lists what Ansible would read of an inventory directory: all files but those with an ending that it
// ignores, in the order of their names.
func (r *configurationReader) inventoryFiles(dir string, depth int) ([]string, error) {
	entries, err := fs.ReadDir(r.root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case closed(name) || ignoredInventory(name):
		case e.IsDir() && depth < maxConfigurationDepth:
			more, err := r.inventoryFiles(name, depth+1)
			if err != nil {
				r.fail(r.origin(name), "", "%s: %s", name, reason(err))
			}
			out = append(out, more...)
		case e.IsDir():
			r.fail(r.origin(name), "", "%s: folders more than %d deep are not read", name, maxConfigurationDepth)
		default:
			out = append(out, name)
		}
	}
	return out, nil
}

// ignoredInventory lists the endings that Ansible ignores (INVENTORY_IGNORE_EXTS) and those of templates and scripts.
func ignoredInventory(name string) bool {
	return strings.HasSuffix(name, "~") || slices.Contains([]string{".pyc", ".pyo", ".swp", ".bak", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg",
		".retry", ".j2", ".py", ".sh"}, path.Ext(name))
}
