package scan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// edges are what each component of an image depends on, by type and name, and how complete that is.
func edges(t *testing.T, layer []tarEntry) map[string][]string {
	t.Helper()
	all := componentsOf(t, scanned(t, storing(t, t.TempDir()), target(FormOCIDir, writeLayout(t, imageOf(t, layer)))))
	byRef, out := map[string]string{}, map[string][]string{}
	for _, c := range all {
		byRef[c.Ref] = c.Name
	}
	for _, c := range all {
		list := []string{c.Dependencies}
		for _, ref := range c.DependsOn {
			list = append(list, byRef[ref])
		}
		out[c.Type+" "+c.Name] = list
	}
	return out
}

func deb822(name, fields string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n" + fields + "\n"
}

func TestDependenciesOfDebs(t *testing.T) {
	got := edges(t, []tarEntry{{name: "etc/os-release", text: osRelease}, {name: "var/lib/dpkg/status", text: deb822("app",
		"Pre-Depends: base (>= 2), base:any\nDepends: missing | second, mail-transport-agent,\n third [amd64]\nRecommends: nothing\n") +
		deb822("base", "") + deb822("second", "Depends: absent\n") + deb822("third", "Depends: app, third\n") +
		deb822("postfix", "Provides: mail-transport-agent, other (= 3)\n") + deb822("exim", "Provides: mail-transport-agent\n") +
		deb822("user", "Depends: other\n")}})
	want := map[string][]string{
		"deb app":     {sbom.DependenciesComplete, "base", "exim", "postfix", "second", "third"},
		"deb base":    {sbom.DependenciesComplete},
		"deb second":  {sbom.DependenciesIncomplete},
		"deb third":   {sbom.DependenciesComplete, "app"},
		"deb postfix": {sbom.DependenciesComplete}, "deb exim": {sbom.DependenciesComplete},
		"deb user": {sbom.DependenciesComplete, "postfix"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("dependencies (-want +got):\n%s", d)
	}
}

func TestDependenciesOfNpmPackagesAreThoseThatNodeWouldLoad(t *testing.T) {
	pkg := func(dir, name, version, needs string) tarEntry {
		return tarEntry{name: dir + "/package.json", text: `{"name":"` + name + `","version":"` + version + `","dependencies":{` + needs + `}}`}
	}
	all := componentsOf(t, scanned(t, storing(t, t.TempDir()), target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
		pkg("app", "app", "1.0.0", `"a":"*","b":"^2"`), pkg("app/node_modules/a", "a", "1.0.0", `"b":"^1","../x":"1"`),
		pkg("app/node_modules/a/node_modules/b", "b", "1.0.0", ``), pkg("app/node_modules/b", "b", "2.0.0", `"gone":"1"`),
		pkg("usr/share/nodejs/c", "c", "1.0.0", `"d":"1"`), pkg("usr/share/nodejs/d", "d", "1.0.0", ``),
	})))))
	got := map[string][]string{}
	for _, c := range all {
		got[c.Ref] = append([]string{c.Dependencies}, c.DependsOn...)
	}
	want := map[string][]string{
		"pkg:npm/app@1.0.0": {sbom.DependenciesComplete, "pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0"},
		"pkg:npm/a@1.0.0":   {sbom.DependenciesComplete, "pkg:npm/b@1.0.0"},
		"pkg:npm/b@1.0.0":   {sbom.DependenciesComplete},
		"pkg:npm/b@2.0.0":   {sbom.DependenciesIncomplete},
		"pkg:npm/c@1.0.0":   {sbom.DependenciesComplete, "pkg:npm/d@1.0.0"},
		"pkg:npm/d@1.0.0":   {sbom.DependenciesComplete},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("dependencies (-want +got):\n%s", d)
	}
}

func TestClausesOfRelationFields(t *testing.T) {
	for field, want := range map[string][][]string{
		"":                             nil,
		"a":                            {{"a"}},
		"a (>= 1) | b:any, c [amd64],": {{"a", "b"}, {"c"}},
		"a(>=1),|,b":                   {{"a"}, {"b"}},
	} {
		if d := cmp.Diff(want, clauses(field)); d != "" {
			t.Errorf("%q (-want +got):\n%s", field, d)
		}
	}
}

// TestHiddenCopyrightFilesCountOnlyForTheVersionThatWasThere: the layer that removes the files comes after the package was
// replaced by a newer one, whose licence nobody saw.
func TestHiddenCopyrightFilesCountOnlyForTheVersionThatWasThere(t *testing.T) {
	status := func(version string) tarEntry {
		return tarEntry{name: "var/lib/dpkg/status", text: "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: " + version + "\n"}
	}
	base := []tarEntry{{name: "etc/os-release", text: osRelease}, status("1"), {name: "usr/share/doc/a/copyright", text: copyrightFile}}
	gone := tarEntry{name: "usr/share/doc/.wh.a"}
	for name, c := range map[string]struct {
		layers [][]tarEntry
		want   string
	}{
		"the same version":                     {[][]tarEntry{base, {gone}}, sbom.FromHidden},
		"a newer version in the layer":         {[][]tarEntry{base, {gone, status("2")}}, ""},
		"a newer version after it":             {[][]tarEntry{base, {gone}, {status("2")}}, ""},
		"a newer version before it":            {[][]tarEntry{base, {status("2"), {name: "usr/share/doc/a/copyright", text: copyrightFile + "\n"}}, {gone}}, sbom.FromHidden},
		"removed, and back in another version": {[][]tarEntry{base, {gone}, {status("2")}, {status("1")}}, sbom.FromHidden},
	} {
		t.Run(name, func(t *testing.T) {
			all := componentsOf(t, scanned(t, storing(t, t.TempDir()), target(FormOCIDir, writeLayout(t, imageOf(t, c.layers...)))))
			got := ""
			for _, claim := range all[0].Licences {
				got = claim.Provenance
				if claim.Value != "MIT" || !namesLayer(claim.Origin.Source) || claim.Origin.Path != "/usr/share/doc/a/copyright" || claim.Origin.Digest == "" {
					t.Errorf("claim %+v: want MIT with the layer and the file", claim)
				}
			}
			if got != c.want {
				t.Errorf("provenance %q, want %q", got, c.want)
			}
		})
	}
}

func namesLayer(source string) bool {
	return len(source) > len("layer sha256:") && source[:6] == "layer "
}
