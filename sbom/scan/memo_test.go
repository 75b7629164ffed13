package scan

import (
	"archive/tar"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// TestAResultServesAnotherImageOnlyIfNoAnswerChanges reads an image and then the same with one more layer: where that layer
// brings nothing that was asked for the result is taken over, and in every case it is that of a fresh scanner.
func TestAResultServesAnotherImageOnlyIfNoAnswerChanges(t *testing.T) {
	elf, err := os.ReadFile(realPath(t, "/bin/true"))
	if err != nil {
		absent(t, err.Error())
	}
	gofmt, err := exec.LookPath("gofmt")
	if err != nil {
		absent(t, "gofmt is not on PATH: it serves as a small Go program")
	}
	goProgram, err := os.ReadFile(gofmt)
	if err != nil {
		absent(t, err.Error())
	}
	base := layerOfTar(t, tarOf(t, append(debianLayer(), tarEntry{name: "lib", link: "usr/lib"}, tarEntry{name: "etc/app/config.json", text: "{}"},
		tarEntry{name: "srv/linked-1.dist-info/METADATA", link: "/srv/text"}, tarEntry{name: "srv/text", text: "Name: linked\nVersion: 1\n"},
		tarEntry{name: "srv/broken.egg-info", link: "/data/info.txt"}, tarEntry{name: "usr/bin/tool", text: string(goProgram)})))
	for name, c := range map[string]struct {
		top    []tarEntry
		depth  string
		served bool
	}{
		"configuration":          {[]tarEntry{{name: "etc", typ: tar.TypeDir}, {name: "etc/kolla/config.json", text: "{}"}, {name: "etc/app/config.json", text: "[]"}}, sbom.DepthEntries, true},
		"nothing":                {nil, sbom.DepthEntries, true},
		"a package":              {[]tarEntry{{name: "srv/app/package.json", text: `{"name":"x","version":"1.0.0"}`}}, sbom.DepthEntries, false},
		"a package below a link": {[]tarEntry{{name: "lib/python3/dist-packages/x-1.dist-info/METADATA", text: "Name: x\nVersion: 1\n"}}, sbom.DepthEntries, false},
		"the database":           {[]tarEntry{{name: "var/lib/dpkg/status", text: ""}}, sbom.DepthEntries, false},
		"a second file that says what the first did": {[]tarEntry{{name: "usr/lib/os-release", text: "ID=other\n"}}, sbom.DepthEntries, true},
		"a whiteout":                               {[]tarEntry{{name: "etc/app/.wh.config.json"}}, sbom.DepthEntries, false},
		"a whiteout of nothing":                    {[]tarEntry{{name: "etc/app/.wh.nothing"}}, sbom.DepthEntries, true},
		"a link":                                   {[]tarEntry{{name: "srv/doc", link: "/usr/share/doc"}}, sbom.DepthEntries, false},
		"a directory over a file":                  {[]tarEntry{{name: "etc/app/config.json", typ: tar.TypeDir}}, sbom.DepthEntries, false},
		"machine code":                             {[]tarEntry{{name: "usr/bin/x", text: string(elf)}}, sbom.DepthEntries, false},
		"a program in a script":                    {[]tarEntry{{name: "usr/bin/x", text: "#!/bin/sh\n"}}, sbom.DepthEntries, false},
		"a script elsewhere":                       {[]tarEntry{{name: "srv/x", text: "#!/bin/sh\n"}}, sbom.DepthEntries, true},
		"a script elsewhere, all files asked":      {[]tarEntry{{name: "srv/x", text: "#!/bin/sh\n"}}, sbom.DepthAll, false},
		"a file that a link of a package leads to": {[]tarEntry{{name: "srv/text", text: "Name: linked\nVersion: 2\n"}}, "", false},
		"what makes a broken link lead somewhere":  {[]tarEntry{{name: "data/info.txt", text: "Name: found\nVersion: 1\n"}}, "", false},
		"a program replaced by a text":             {[]tarEntry{{name: "usr/bin/tool", text: "see elsewhere"}}, "", false},
		"a module":                                 {[]tarEntry{{name: "srv/x.py", text: "pass\n"}}, "", true},
		"a copyright file that was not there":      {[]tarEntry{{name: "usr/share/doc/beta-tool", typ: tar.TypeDir}, {name: "usr/share/doc/beta-tool/copyright", text: copyrightFile}}, "", false},
		"a list of files that was not there yet":   {[]tarEntry{{name: "var/lib/dpkg/info/beta-tool.list", text: "/etc/app/config.json\n"}}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			images := []string{writeLayout(t, makeImage(t, base)), writeLayout(t, makeImage(t, base, layerOfTar(t, tarOf(t, c.top))))}
			dir := t.TempDir()
			depth := func(o *Options) { o.Depth = c.depth }
			s := storing(t, dir, depth)
			scanned(t, s, target(FormOCIDir, images[0]))
			before := len(listed(t, dir+"/results"))
			got := scanned(t, s, target(FormOCIDir, images[1]))
			if served := len(listed(t, dir+"/results")) == before; served != c.served {
				t.Errorf("the result was taken over: %v, want %v", served, c.served)
			}
			if d := cmp.Diff(scanned(t, storing(t, t.TempDir(), depth), target(FormOCIDir, images[1])), got); d != "" {
				t.Errorf("packages (-fresh +with what was known):\n%s", d)
			}
		})
	}
}

func TestTheSameImageIsReadOnce(t *testing.T) {
	layout := writeLayout(t, imageOf(t, debianLayer()))
	dir := t.TempDir()
	s := storing(t, dir)
	want := scanned(t, s, target(FormOCIDir, layout))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadDir(dir + "/layers")
	if err != nil {
		t.Fatal(err)
	}
	again := storing(t, dir)
	again.memo.store.keep = keeper{} // whatever is read now is read without syft's patterns
	if d := cmp.Diff(want, scanned(t, again, target(FormOCIDir, layout))); d != "" {
		t.Errorf("packages (-first +second):\n%s", d)
	}
	if after, err := os.ReadDir(dir + "/layers"); err != nil || len(after) != len(data) {
		t.Errorf("the store has %d files after the second scan, want %d", len(after), len(data))
	}
}

func TestAStoreOfNixIsRead(t *testing.T) {
	got := names(componentsOf(t, scanned(t, storing(t, t.TempDir()), target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
		{name: "nix/store/0000000000000000000000000000000a-hello-2.12.1", typ: tar.TypeDir},
		{name: "nix/store/0000000000000000000000000000000a-hello-2.12.1/bin/hello", text: "#!/bin/sh\n"},
	}))))))
	if d := cmp.Diff([]string{"nix hello 2.12.1"}, got); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
}
