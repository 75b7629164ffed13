//go:build unix

package scan

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// makeRoot writes a root directory of a host with merged /usr.
func makeRoot(t *testing.T, extra ...tarEntry) string {
	t.Helper()
	dir := t.TempDir()
	all := append(slices.Clone(debianLayer()),
		tarEntry{name: "lib", link: "usr/lib"}, tarEntry{name: "bin", link: "usr/bin"}, tarEntry{name: "usr/bin/tool", text: "#!/bin/sh\n"})
	for _, e := range append(all, extra...) {
		file := filepath.Join(dir, filepath.FromSlash(e.name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if e.link != "" {
			err = os.Symlink(e.link, file)
		} else {
			err = os.WriteFile(file, []byte(e.text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestScanOfAHostFindsWhatIsInstalledInTheSystem(t *testing.T) {
	root := makeRoot(t,
		tarEntry{name: "home/erika/venv/lib/python3.11/site-packages/gamma-9.dist-info/METADATA", text: strings.Replace(metadata, "4.5", "9", 1)},
		tarEntry{name: "proc/1/root/var/lib/dpkg/status", text: status},
		tarEntry{name: "var/lib/docker/overlay2/x/diff/var/lib/dpkg/status", text: "not for us"},
		tarEntry{name: "opt/tool/lib/python3.11/site-packages/gamma-5.dist-info/METADATA", text: strings.Replace(metadata, "4.5", "5", 1)},
	)
	s, temp := newScanner(t, Limits{})
	got := scanned(t, s, target(FormRoot, root))
	want := []string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "python gamma 4.5", "python gamma 5"}
	if d := cmp.Diff(want, names(componentsOf(t, got))); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
	for _, c := range componentsOf(t, got) {
		if len(c.Licences) == 0 {
			t.Errorf("%s has no licence claim", c.Name)
		}
		if c.Layer != "" {
			t.Errorf("%s has the layer %s, a host has none", c.Name, c.Layer)
		}
	}
	if got.OS != "debian 12" {
		t.Errorf("got OS %q, want debian 12", got.OS)
	}
	if d := cmp.Diff(got, scanned(t, s, target(FormRoot, root))); d != "" {
		t.Errorf("the second scan differs (-first +second):\n%s", d)
	}
	if left := filesBelow(t, temp); len(left) > 0 {
		t.Errorf("the temporary directory has %q", left)
	}
}

// withoutPlace leaves what an image and a host must agree on.
func withoutPlace(all []sbom.Component) []sbom.Component {
	out := slices.Clone(all)
	for i := range out {
		out[i].Layer = ""
	}
	return out
}

func TestAHostAndAnImageWithTheSameFilesHaveTheSameComponents(t *testing.T) {
	s, _ := newScanner(t, Limits{})
	image := componentsOf(t, scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, debianLayer())))))
	host := componentsOf(t, scanned(t, s, target(FormRoot, makeRoot(t))))
	if d := cmp.Diff(withoutPlace(image), withoutPlace(host)); d != "" {
		t.Errorf("components (-image +host):\n%s", d)
	}
}

func TestScanOfAHostNeverLeavesItsRoot(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "gamma-66.dist-info")
	if err := os.MkdirAll(secret, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(secret, "METADATA"), []byte(strings.Replace(metadata, "4.5", "66", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "copyright"), []byte(copyrightFile), 0o644); err != nil {
		t.Fatal(err)
	}
	root := makeRoot(t,
		tarEntry{name: "opt/absolute", link: outside},
		tarEntry{name: "opt/relative", link: strings.Repeat("../", 30) + strings.TrimPrefix(outside, "/")},
		tarEntry{name: "opt/loop", link: "loop"},
		tarEntry{name: "opt/round/a", link: "b"},
		tarEntry{name: "opt/round/b", link: "a"},
		tarEntry{name: "opt/up", link: ".."},
		tarEntry{name: "opt/through", link: "/opt/absolute/gamma-66.dist-info/METADATA"},
		tarEntry{name: "opt/venv/lib/python3.11/site-packages/evil-1.dist-info", link: secret},
	)
	for _, dir := range []string{"libalpha1", "beta-tool"} {
		if err := os.RemoveAll(filepath.Join(root, "usr/share/doc", dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(root, "usr/share/doc", dir)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "usr/lib/pipe.so"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, _ := newScanner(t, Limits{})
	got := componentsOf(t, scanned(t, s, target(FormRoot, root)))
	want := []string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "python gamma 4.5"}
	if d := cmp.Diff(want, names(got)); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
	for _, c := range got {
		if c.Type == "deb" && len(c.Licences) > 0 {
			t.Errorf("%s has claims %v from outside the root", c.Name, c.Licences)
		}
	}
}

func TestScanOfAHostSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		root   func(t *testing.T) string
		limits Limits
		want   string
	}{
		"a directory that is no root":   {func(t *testing.T) string { return t.TempDir() }, Limits{}, "name the root directory of a host"},
		"a directory that is not there": {func(t *testing.T) string { return filepath.Join(t.TempDir(), "nowhere") }, Limits{}, "opening the root directory"},
		"too many files":                {func(t *testing.T) string { return makeRoot(t) }, Limits{Entries: 5}, "more than 5 files"},
		"too deep": {func(t *testing.T) string { return makeRoot(t, tarEntry{name: "opt/" + strings.Repeat("d/", 30) + "f"}) },
			Limits{PathDepth: 20}, "lies too deep"},
		"a huge database": {func(t *testing.T) string { return makeRoot(t) }, Limits{EvidenceFile: 64}, "the limit for such a file is 64"},
		"a database that cannot be understood": {func(t *testing.T) string {
			root := makeRoot(t)
			if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), []byte("Package: a\nVersion: 1\nrubbish\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return root
		}, Limits{}, "/var/lib/dpkg/status: line 3"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newScanner(t, c.limits)
			root := c.root(t)
			_, err := s.Scan(context.Background(), target(FormRoot, root))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), os.TempDir()) {
				t.Errorf("error %q names a directory of this machine", err)
			}
		})
	}
}
