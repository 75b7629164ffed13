package scan

import (
	"encoding/json"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"

	"github.com/pegel-audit/pegel/sbom"
)

// connect fills in DependsOn and what is known about its completeness: from the databases of dpkg, Requires-Dist of Python
// packages, dependencies of package.json, and for the rest from syft's relations. Of a Python package that is there twice
// syft takes now one copy and now the other, so these are read anew. A component never depends on itself.
func (m mapping) connect(all []component) {
	byID := map[artifact.ID]*component{}
	for i := range all {
		for _, id := range all[i].ids {
			byID[id] = &all[i]
		}
	}
	for _, r := range m.found.Relationships {
		if r.Type != artifact.DependencyOfRelationship || r.From == nil || r.To == nil {
			continue
		}
		dependency, dependent := byID[r.From.ID()], byID[r.To.ID()]
		if dependency != nil && dependent != nil && dependency != dependent && dependent.requires == nil && dependent.npm == nil {
			dependent.DependsOn = append(dependent.DependsOn, dependency.Ref)
		}
	}
	debRelations(all)
	requirements(all)
	m.nodeModules(all)
	for i := range all {
		slices.Sort(all[i].DependsOn)
		all[i].DependsOn = slices.Compact(all[i].DependsOn)
	}
}

// completeness is the word for a component of which all dependencies were found, or not.
func completeness(all bool) string {
	if all {
		return sbom.DependenciesComplete
	}
	return sbom.DependenciesIncomplete
}

// debRelations connects each deb with what satisfies its Pre-Depends and Depends: the first alternative that is installed,
// else all packages that provide the first alternative that anything provides. dpkg has made sure of the versions.
func debRelations(all []component) {
	type named struct{ root, name string }
	installed, provided := map[named][]*component{}, map[named][]*component{}
	for i := range all {
		d := all[i].deb
		if d == nil {
			continue
		}
		installed[named{d.root, d.name}] = append(installed[named{d.root, d.name}], &all[i])
		for _, name := range d.provides {
			provided[named{d.root, name}] = append(provided[named{d.root, name}], &all[i])
		}
	}
	for i := range all {
		d := all[i].deb
		if d == nil {
			continue
		}
		found := true
		for _, clause := range d.depends {
			satisfied := false
			for _, names := range []map[named][]*component{installed, provided} {
				for _, name := range clause {
					if with := names[named{d.root, name}]; !satisfied && len(with) > 0 {
						satisfied = true
						all[i].dependOn(sameArch(with[:min(len(with), maxProviders)], d.arch))
					}
				}
			}
			found = found && satisfied
		}
		all[i].Dependencies = completeness(found)
	}
}

// maxProviders is how many packages that satisfy one clause are named; mail-transport-agent has a dozen in all of Debian.
const maxProviders = 32

// sameArch returns the packages of one architecture, or all of them if it has none: "all" serves every one.
func sameArch(list []*component, arch string) []*component {
	same := slices.DeleteFunc(slices.Clone(list), func(c *component) bool { return c.Arch != arch && c.Arch != "all" })
	if len(same) == 0 {
		return list
	}
	return same
}

func (c *component) dependOn(list []*component) {
	for _, d := range list {
		if d.Ref != c.Ref {
			c.DependsOn = append(c.DependsOn, d.Ref)
		}
	}
}

// requirements fills in what Python packages depend on: the installed package of each name under Requires-Dist, extras left
// out because nothing says which were asked for. Of a package that is there twice the first by Ref is taken. A requirement
// that is not there may be one of another platform, which its marker says in words that are not evaluated: then it is not
// known whether something is missing.
func requirements(all []component) {
	byName := map[string]*component{}
	for i := range all {
		if all[i].requires == nil {
			continue
		}
		name := pythonName(all[i].Name)
		if first := byName[name]; first == nil || all[i].Ref < first.Ref {
			byName[name] = &all[i]
		}
	}
	for i := range all {
		if all[i].requires == nil {
			continue
		}
		found := true
		for _, text := range all[i].requires {
			name := requirement(text)
			switch d := byName[name]; {
			case name == "" || name == pythonName(all[i].Name):
			case d == nil:
				found = false
			default:
				all[i].dependOn([]*component{d})
			}
		}
		all[i].Dependencies = completeness(found)
	}
}

// maxPackageJSON bounds a package.json; real ones have a few kB.
const maxPackageJSON = 4 << 20

// nodeModules fills in what npm packages depend on: the package that Node.js would load for each name under dependencies,
// looked for in node_modules of the package's directory and of those above it, and beside it (Debian's /usr/share/nodejs).
func (m mapping) nodeModules(all []component) {
	byDir := map[string]*component{}
	for i := range all {
		if all[i].npm != nil && path.Base(all[i].path) == "package.json" {
			byDir[path.Dir(all[i].path)] = &all[i]
		}
	}
	for i := range all {
		c := &all[i]
		if byDir[path.Dir(c.path)] != c {
			continue
		}
		names, ok := m.packageJSON(c.path)
		for _, name := range names {
			d := loads(byDir, path.Dir(c.path), name)
			if d == nil {
				ok = false
				continue
			}
			c.dependOn([]*component{d})
		}
		c.Dependencies = completeness(ok)
	}
}

func loads(byDir map[string]*component, dir, name string) *component {
	for ; dir != "/" && dir != "."; dir = path.Dir(dir) {
		places := []string{path.Join(dir, "node_modules", name)}
		if base := path.Base(dir); base == "nodejs" || base == "node_modules" {
			places = append(places, path.Join(dir, name))
		}
		for _, place := range places {
			if d := byDir[place]; d != nil {
				return d
			}
		}
	}
	return nil
}

// packageJSON returns the names under dependencies, sorted; false if the file cannot be read.
func (m mapping) packageJSON(name string) ([]string, bool) {
	r := m.open(name)
	if r == nil {
		return nil, false
	}
	defer r.Close()
	var content struct {
		Dependencies map[string]any `json:"dependencies"`
	}
	data, err := io.ReadAll(io.LimitReader(r, maxPackageJSON))
	if err != nil || json.Unmarshal(data, &content) != nil {
		return nil, false
	}
	var names []string
	for n := range content.Dependencies {
		if n != "" && !strings.Contains(n, "..") {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, true
}
