package scan

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func jarOf(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("META-INF/MANIFEST.MF")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("Manifest-Version: 1.0\nImplementation-Title: delta\nImplementation-Version: 3.1\n"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// withFiles is a layer in which a deb and a Python package own files, and some are owned by nobody.
func withFiles(t *testing.T) []tarEntry {
	t.Helper()
	elf, err := os.ReadFile(realPath(t, "/bin/true"))
	if err != nil {
		absent(t, err.Error())
	}
	return append(debianLayer(),
		tarEntry{name: "usr/bin", typ: tar.TypeDir}, tarEntry{name: "bin", link: "usr/bin"},
		tarEntry{name: "usr/bin/alpha", text: string(elf)}, tarEntry{name: "usr/bin/alpha-again", link: "usr/bin/alpha", typ: tar.TypeLink},
		tarEntry{name: "usr/bin/alpha.sh", text: "#!/bin/sh\n"}, tarEntry{name: "usr/share/alpha/inner.sh", text: "#!/bin/sh\n"},
		tarEntry{name: "usr/share/java/delta.jar", text: jarOf(t)},
		tarEntry{name: "usr/lib/python3/dist-packages/gamma/core.so", text: string(elf) + "x"}, tarEntry{name: "usr/lib/python3/dist-packages/gamma/__init__.py", text: "pass\n"},
		tarEntry{name: "opt/stray", text: string(elf) + "y"},
		tarEntry{name: "var/lib/dpkg/info/libalpha1:amd64.list", text: "/.\n/bin/alpha\n/bin/alpha.sh\n/usr/share/alpha/inner.sh\n/usr/share/java/delta.jar\n"},
		tarEntry{name: "usr/lib/python3/dist-packages/gamma-4.5.dist-info/RECORD", text: "gamma/__init__.py,,\ngamma/core.so,,\n"},
	)
}

func TestFilesAreListedWithTheirOwnersAndBothDigests(t *testing.T) {
	layer := withFiles(t)
	elf := ""
	for _, e := range layer {
		if e.name == "usr/bin/alpha" {
			elf = e.text
		}
	}
	const alpha, gamma = "pkg:deb/debian/libalpha1@1.2-3%2Bb1?arch=amd64&distro=debian-12&upstream=alpha%401.2-3", "pkg:pypi/gamma@4.5"
	type row struct{ Path, Kind, Owner string }
	entries := []row{
		{"/opt/stray", "elf", ""}, {"/usr/bin/alpha", "elf", alpha}, {"/usr/bin/alpha.sh", "script", alpha},
		{"/usr/lib/python3/dist-packages/gamma/core.so", "elf", gamma}, {"/usr/share/java/delta.jar", "archive", alpha},
	}
	for depth, want := range map[string][]row{
		"":                nil,
		sbom.DepthEntries: entries,
		sbom.DepthAll: {entries[0], entries[1], entries[2], {"/usr/lib/python3/dist-packages/gamma/__init__.py", "script", gamma},
			entries[3], {"/usr/share/alpha/inner.sh", "script", alpha}, entries[4]},
	} {
		for _, form := range []string{FormOCIDir, FormRoot} {
			t.Run(depth+" "+form, func(t *testing.T) {
				s := storing(t, t.TempDir(), func(o *Options) { o.Depth = depth })
				path := writeLayout(t, imageOf(t, layer))
				if form == FormRoot {
					path = asHost(t, layer)
				}
				p := scanned(t, s, target(form, path))
				var got []row
				for _, f := range p.Files {
					got = append(got, row{f.Path, f.Kind, f.Owner})
					if f.Path == "/usr/bin/alpha" {
						sum := sha512.Sum512([]byte(elf))
						if f.SHA512 != hex.EncodeToString(sum[:]) || len(f.SHA256) != 64 || !f.Executable || f.Archive || f.Structured || f.Size != int64(len(elf)) {
							t.Errorf("file %+v: wrong digest or properties", f)
						}
					}
					if f.Kind == "archive" && (!f.Archive || !f.Structured || !f.Executable) {
						t.Errorf("file %+v: a jar is an executable, structured archive", f)
					}
				}
				want := want
				if form == FormRoot && depth == "" {
					want = nil
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("files (-want +got):\n%s", d)
				}
				if p.Depth != depth {
					t.Errorf("depth is %q, want %q", p.Depth, depth)
				}
			})
		}
	}
}

// asHost writes a layer to a directory, as a host has it.
func asHost(t *testing.T, layer []tarEntry) string {
	t.Helper()
	root := t.TempDir()
	for _, e := range layer {
		name := filepath.Join(root, e.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case e.typ == tar.TypeDir:
			err = os.MkdirAll(name, 0o755)
		case e.typ == tar.TypeLink:
			err = os.Link(filepath.Join(root, e.link), name)
		case e.link != "":
			err = os.Symlink(e.link, name)
		default:
			mode := os.FileMode(0o644)
			if strings.Contains(e.name, "/bin/") || strings.HasPrefix(e.name, "opt/") || strings.HasSuffix(e.name, ".sh") {
				mode = 0o755
			}
			err = os.WriteFile(name, []byte(e.text), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestAJarInADebIsNestedAndNotListedTwice(t *testing.T) {
	s := storing(t, t.TempDir())
	var got []string
	for _, c := range componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, withFiles(t)))))) {
		if c.OwnedBy != "" {
			got = append(got, c.Type+" "+c.Name+" in "+c.OwnedBy)
		}
	}
	want := []string{"java-archive delta in pkg:deb/debian/libalpha1@1.2-3%2Bb1?arch=amd64&distro=debian-12&upstream=alpha%401.2-3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("nested components (-want +got):\n%s", d)
	}
}

func TestKindsOfFiles(t *testing.T) {
	pad := strings.Repeat("\x00", 300)
	for name, c := range map[string]struct {
		head string
		want kind
	}{
		"a.jar": {"PK\x03\x04", archive}, "a.tar.xz": {"\xfd7zXZ\x00", archive}, "changelog.gz": {"\x1f\x8b\x08", other}, "x.tgz": {"\x1f\x8b\x08", archive},
		"b": {"#!/bin/sh", script}, "c": {"\x7fELF" + pad, machineELF}, "d.exe": {"MZ" + pad, machinePE}, "short": {"MZ", other},
		"e": {"\xfe\xed\xfa\xcf" + pad, machineMachO}, "F.class": {"\xca\xfe\xba\xbe\x00\x00\x00\x37" + pad, other}, "fat": {"\xca\xfe\xba\xbe\x00\x00\x00\x02" + pad, machineMachO},
		"g.a": {"!<arch>\n", archive}, "h.tar": {strings.Repeat("\x00", 257) + "ustar\x00", archive}, "empty": {"", other}, "i.rpm": {"\xed\xab\xee\xdb", archive},
	} {
		if got := kindOf(name, []byte(c.head)); got != c.want {
			t.Errorf("%s: kind %d, want %d", name, got, c.want)
		}
	}
}
