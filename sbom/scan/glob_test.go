package scan

import (
	"path"
	"slices"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"
)

// slowly answers a pattern as the indexes do, but tries every name of every file.
func slowly(t testing.TB, tr *tree, pattern string) []string {
	var out []string
	var names func(n *node, p string, depth int)
	names = func(n *node, p string, depth int) {
		if ok, err := doublestar.Match(normal(pattern), p); err != nil {
			t.Fatal(err)
		} else if ok {
			if to := tr.find(n.path, true); to != nil && to.isRegular() {
				out = append(out, p+" = "+to.path)
			}
		}
		if depth == 0 {
			return
		}
		tr.walk(func(link *node) {
			if !link.isLink() {
				return
			}
			to := tr.find(link.path, true)
			if to == nil || !to.isDir() || to.path == "/" {
				return
			}
			rest, inside := cutDir(p, to.path)
			if _, loop := cutDir(link.path, to.path); inside && !loop {
				names(n, path.Join(link.path, rest), depth-1)
			}
		})
	}
	tr.walk(func(n *node) {
		if !n.isDir() {
			names(n, n.path, 2)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

func cutDir(p, dir string) (string, bool) {
	if len(p) > len(dir) && p[:len(dir)] == dir && p[len(dir)] == '/' {
		return p[len(dir)+1:], true
	}
	return "", false
}

func TestIndexesAnswerAsTryingEveryNameWould(t *testing.T) {
	tr, err := newTree(layersOf(t, []tarEntry{
		{name: "usr/lib/a.jar"}, {name: "usr/lib/b-1.2.jar", link: "a.jar"}, {name: "lib", link: "usr/lib"}, {name: "usr/share/x", link: "/lib"},
		{name: "var/lib/dpkg/status"}, {name: "var/lib/dpkg/status.d/base"}, {name: "var/lib/dpkg/info/x.list"}, {name: "loop", link: "."},
		{name: "usr/lib/python3/a.dist-info/METADATA"}, {name: "usr/lib/python3/b.egg-info"}, {name: "app/go.mod"}, {name: "app/{odd}"},
		{name: "usr/bin/python3.11"}, {name: "usr/bin/python3", link: "python3.11"}, {name: "gone", link: "nowhere"}, {name: "usr/bin/.hidden"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	g := newGlobs(tr)
	for _, pattern := range []string{
		"**/*.jar", "/lib/*.jar", "**/x/*.jar", "**/var/lib/dpkg/{status,status.d/**}", "**/dpkg/info/*.list", "**/*.dist-info/METADATA", "**/*{.egg-info,dist-info/METADATA}",
		"**/go.mod", "**/python*", "/usr/bin/python3", "usr/lib/a.jar", "**", "**/*", "/usr/**", "**/*.egg-info", "**/[pg]*", "**/?o.mod", "**/lib/*.jar", `**/\{odd\}`, "**/{a,b}*.{jar,list}",
		"**/.hidden", "nothing/**",
	} {
		var got []string
		if err := g.match(pattern, func(access string, n *node) { got = append(got, access+" = "+n.path) }); err != nil {
			t.Errorf("pattern %q: %v", pattern, err)
		}
		slices.Sort(got)
		if d := cmp.Diff(slowly(t, tr, pattern), slices.Compact(got)); d != "" {
			t.Errorf("pattern %q (-every name +indexes):\n%s", pattern, d)
		}
	}
	if err := g.match("**/[", func(string, *node) {}); err == nil {
		t.Error("a broken pattern gives no error")
	}
}

func TestAFileIsFoundUnderTheNameThatTellsMost(t *testing.T) {
	tr, err := newTree(layersOf(t, []tarEntry{
		{name: "usr/share/java/a.jar", text: "x"}, {name: "usr/share/java/a-2.18.0.jar", link: "a.jar"},
		{name: "usr/bin/python3.11", text: "y"}, {name: "usr/bin/python3", link: "python3.11"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	v := newView(tr)
	v.layerID = func(*node) string { return "" }
	for pattern, want := range map[string]string{"**/*.jar": "/usr/share/java/a-2.18.0.jar", "**/python*": "/usr/bin/python3.11"} {
		found, err := v.FilesByGlob(pattern)
		if err != nil || len(found) != 1 || found[0].AccessPath != want {
			t.Errorf("%s: got %v and error %v, want only %s", pattern, found, err, want)
		}
	}
}

func FuzzPatternsNeverFindWhatDoesNotMatch(f *testing.F) {
	tr, err := newTree([]*layer{{entries: []entry{
		{path: "/usr/lib/a.jar", typ: '0'}, {path: "/lib", link: "usr/lib", typ: '2'}, {path: "/b/{x}", typ: '0'}, {path: "/b/y.list", typ: '0'},
	}}})
	if err != nil {
		f.Fatal(err)
	}
	g := newGlobs(tr)
	for _, seed := range []string{"**/*.jar", "**/{a,b}*", "/lib/**", `\{`, "{", "[a-z]*", "{a,{b,c}}", "**/{,x}y*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if len(pattern) > 200 {
			return
		}
		_, broken := doublestar.Match(normal(pattern), "/")
		var got []string
		if err := g.match(pattern, func(access string, n *node) { got = append(got, access+" = "+n.path) }); (err != nil) != (broken != nil) {
			t.Fatalf("error %v, doublestar says %v", err, broken)
		}
		if broken != nil {
			return
		}
		slices.Sort(got)
		if d := cmp.Diff(slowly(t, tr, pattern), slices.Compact(got)); d != "" {
			t.Errorf("pattern %q (-every name +indexes):\n%s", pattern, d)
		}
	})
}
