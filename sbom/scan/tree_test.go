package scan

import (
	"archive/tar"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layersOf reads layers as a scan does.
func layersOf(t testing.TB, all ...[]tarEntry) []*layer {
	t.Helper()
	tt, ok := t.(*testing.T)
	if !ok {
		t.Fatal("layersOf needs a test")
	}
	img := imageOf(tt, all...)
	s, _ := newScanner(tt, Limits{})
	l, err := openLayoutDir(writeLayout(tt, img))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	chosen, err := selectImage(l, "")
	if err != nil {
		t.Fatal(err)
	}
	layers, release, err := s.layers(context.Background(), l, chosen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return layers
}

// shown renders a tree: one line for each path, directories with a slash, links with their target, files with their size.
func shown(tr *tree) []string {
	var out []string
	tr.walk(func(n *node) {
		switch {
		case n.isDir():
			out = append(out, n.path+"/")
		case n.isLink():
			out = append(out, n.path+" -> "+n.entry.link)
		default:
			out = append(out, fmt.Sprintf("%s %d", n.path, n.entry.size))
		}
	})
	return out
}

func TestLayersAreUnpackedAsARuntimeDoes(t *testing.T) {
	dir := func(name string) tarEntry { return tarEntry{name: name, typ: tar.TypeDir} }
	for name, c := range map[string]struct {
		layers [][]tarEntry
		want   []string
	}{
		"directories that no layer lists are there": {
			[][]tarEntry{{{name: "a/b/c", text: "x"}}}, []string{"/a/", "/a/b/", "/a/b/c 1"},
		},
		"a whiteout removes a directory with all that is in it": {
			[][]tarEntry{{{name: "a/b/c"}, {name: "a/d"}}, {{name: "a/.wh.b"}}}, []string{"/a/", "/a/d 0"},
		},
		"a whiteout takes nothing of its own layer": {
			[][]tarEntry{{{name: "a/old"}}, {{name: "a/new"}, {name: ".wh.a"}}}, []string{"/a/", "/a/new 0"},
		},
		"an opaque directory has only what its own layer brings": {
			[][]tarEntry{{{name: "a/old"}}, {{name: "a/new"}, {name: "a/.wh..wh..opq"}}}, []string{"/a/", "/a/new 0"},
		},
		"files of AUFS itself mean nothing": {
			[][]tarEntry{{{name: "a"}}, {{name: ".wh..wh.plnk/x"}, {name: ".wh..wh.aufs"}}}, []string{"/.wh..wh.plnk/", "/.wh..wh.plnk/x 0", "/a 0"},
		},
		"a file over a directory replaces all of it": {
			[][]tarEntry{{{name: "a/b/c"}}, {{name: "a/b", text: "xy"}}}, []string{"/a/", "/a/b 2"},
		},
		"a directory over a link replaces the link": {
			[][]tarEntry{{{name: "real/x"}, {name: "lib", link: "real"}}, {dir("lib"), {name: "lib/y"}}}, []string{"/lib/", "/lib/y 0", "/real/", "/real/x 0"},
		},
		"a path through a link lands where the link leads": {
			[][]tarEntry{{{name: "usr/lib/x"}, {name: "lib", link: "usr/lib"}}, {{name: "lib/y"}, {name: "lib/.wh.x"}}},
			[]string{"/lib -> usr/lib", "/usr/", "/usr/lib/", "/usr/lib/y 0"},
		},
		"a link out of the root stays inside": {
			[][]tarEntry{{{name: "out", link: "../../etc"}}, {{name: "out/passwd", text: "x"}}}, []string{"/etc/", "/etc/passwd 1", "/out -> ../../etc"},
		},
		"a hard link is the file that had the name then": {
			[][]tarEntry{{{name: "a", text: "one"}}, {{name: "b", link: "a", typ: tar.TypeLink}, {name: "a", text: "seven"}}},
			[]string{"/a 5", "/b 3"},
		},
		"names that differ in case are different": {
			[][]tarEntry{{{name: "README", text: "1"}, {name: "readme", text: "22"}}, {{name: ".wh.readme"}}}, []string{"/README 1"},
		},
		"the later of two entries of one name counts": {
			[][]tarEntry{{{name: "a", text: "1"}, {name: "./a", text: "22"}}}, []string{"/a 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := newTree(layersOf(t, c.layers...))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, shown(tr)); d != "" {
				t.Errorf("tree (-want +got):\n%s", d)
			}
		})
	}
}

func TestLayersThatNoRuntimeCouldUnpackAreAnError(t *testing.T) {
	for name, c := range map[string]struct {
		layers [][]tarEntry
		want   string
	}{
		"a path below a file":       {[][]tarEntry{{{name: "a"}}, {{name: "a/b/c"}}}, `unpacking layer 2 of 2: "/a/b/c" lies below "/a", which is no directory`},
		"a path behind a link loop": {[][]tarEntry{{{name: "a", link: "b"}, {name: "b", link: "a"}, {name: "a/x"}}}, "more than 40 links"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newTree(layersOf(t, c.layers...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
}

func TestMachineCodeIsKeptOnlyIfThereIsSomethingToReadInIt(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe") // a Go program: it has build information
	if err != nil {
		absent(t, err.Error())
	}
	plain, err := os.ReadFile(realPath(t, "/bin/ls"))
	if err != nil {
		absent(t, err.Error())
	}
	layers := layersOf(t, []tarEntry{
		{name: "bin/self", text: string(self)}, {name: "bin/ls", text: string(plain)}, {name: "usr/bin/python3.11", text: string(plain)},
		{name: "a/module.py", text: "x"}, {name: "a/python_thing.py", text: "x"}, {name: "a/package.json", text: "{}"},
	})
	want := map[string]bool{"/bin/self": true, "/bin/ls": false, "/usr/bin/python3.11": true, "/a/module.py": false, "/a/python_thing.py": true, "/a/package.json": true}
	for i := range layers[0].entries {
		e := &layers[0].entries[i]
		if kept := e.offset != notKept; kept != want[e.path] {
			t.Errorf("%s is kept: %v, want %v", e.path, kept, want[e.path])
		}
		if e.mute != (e.path == "/bin/ls") {
			t.Errorf("%s is mute: %v", e.path, e.mute)
		}
	}
}

// absent skips a test for want of a file or program, which must not happen in CI.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func realPath(t *testing.T, name string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		absent(t, err.Error())
	}
	return real
}
