package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const debian12 = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n"

func TestAHostIsReadFromItsRootDirectory(t *testing.T) {
	tests := []struct {
		name         string
		files        map[string]string
		wantPlatform string
		wantFailures []string
	}{
		{"Debian", map[string]string{"etc/os-release": debian12, "var/lib/dpkg/status": "Package: x\n"}, "debian 12", nil},
		{"os-release in its other place", map[string]string{"usr/lib/os-release": debian12, "var/lib/dpkg/status": "x"}, "debian 12", nil},
		{"quotes of the other kind", map[string]string{"etc/os-release": "ID='ubuntu'\n# x\n VERSION_ID='24.04' \n", "var/lib/dpkg/status": "x"}, "ubuntu 24.04", nil},
		{"hostile values are not taken over", map[string]string{"etc/os-release": "ID=\"<script>\"\nVERSION_ID=$(id)\n", "var/lib/dpkg/status": "x"}, "", nil},
		{"no dpkg", map[string]string{"etc/os-release": debian12}, "debian 12", []string{"no package database is there, neither var/lib/dpkg/status nor one of rpm or apk"}},
		{"a directory in place of dpkg", map[string]string{"etc/os-release": debian12, "var/lib/dpkg/status/x": ""}, "debian 12", []string{"var/lib/dpkg/status: it is no regular file"}},
		{"an empty root", map[string]string{"etc/": ""}, "", []string{"no package database is there", "etc/os-release: no such file"}},
		{"a huge os-release", map[string]string{"etc/os-release": strings.Repeat("x", 1<<17), "var/lib/dpkg/status": "x"}, "", []string{"etc/os-release: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "host: {root: ., name: ctl-1}", write(t, tt.files))
			if err != nil {
				t.Fatal(err)
			}
			a := inv.Artifacts[0]
			if len(inv.Artifacts) != 1 || a.ID != "host:ctl-1" || a.Kind != sbom.KindHost || !a.Seen() || a.Platform != tt.wantPlatform {
				t.Errorf("artifacts = %+v, want host:ctl-1 with %q", inv.Artifacts, tt.wantPlatform)
			}
			got := reasons(inv)
			if len(got) != len(tt.wantFailures) {
				t.Fatalf("failures = %q, want %q", got, tt.wantFailures)
			}
			for i, want := range tt.wantFailures {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("failure %d = %q, want %q", i, got[i], want)
				}
			}
		})
	}
}

func TestALinkInAHostDoesNotLeadOutOfIt(t *testing.T) {
	dir := write(t, map[string]string{"root/etc/": "", "root/var/lib/dpkg/status": "x", "outside": "ID=stolen\nVERSION_ID=1\n"})
	for _, target := range []string{"../../outside", filepath.Join(dir, "outside")} {
		link := filepath.Join(dir, "root", "etc", "os-release")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		inv, err := read(t, "host: {root: root}", dir)
		if err != nil {
			t.Fatal(err)
		}
		if inv.Artifacts[0].Platform != "" || len(inv.Failures) != 1 {
			t.Errorf("link to %q: platform %q, failures %q, want none and one", target, inv.Artifacts[0].Platform, reasons(inv))
		}
		if inv.Artifacts[0].ID != "host:host" {
			t.Errorf("id = %q, want host:host where no name is given", inv.Artifacts[0].ID)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHostIsOpenedAtItsRoot(t *testing.T) {
	s, err := decode(t, "host: {root: sub}", "/base", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := s.Open(t.Context(), sbom.Artifact{ID: "host:host"})
	if err != nil || target.Form != "root" || target.Path != "/base/sub" || target.Artifact.ID != "host:host" {
		t.Errorf("target = %+v, %v", target, err)
	}
}
