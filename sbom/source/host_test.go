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

func TestAPackageDatabaseOfAnyKindIsEnough(t *testing.T) {
	for _, place := range []string{
		"var/lib/dpkg/status", "lib/apk/db/installed", "usr/lib/apk/db/installed",
		"var/lib/rpm/Packages", "var/lib/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite",
		"usr/lib/sysimage/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite",
	} {
		inv, err := read(t, "host: {root: ., name: ctl-1}", write(t, map[string]string{"etc/os-release": debian12, place: "x"}))
		if err != nil || len(inv.Failures) != 0 || len(inv.Artifacts) != 1 {
			t.Errorf("%s: failures %q, %d artifacts, %v, want one host without failure", place, reasons(inv), len(inv.Artifacts), err)
		}
	}
}

func TestALinkToADatabaseOutsideTheRootIsNoDatabase(t *testing.T) {
	dir := write(t, map[string]string{"root/etc/os-release": debian12, "root/var/lib/rpm/": "", "outside": "x"})
	if err := os.Symlink("../../../../outside", filepath.Join(dir, "root/var/lib/rpm/rpmdb.sqlite")); err != nil {
		t.Fatal(err)
	}
	inv, err := read(t, "host: {root: root}", dir)
	if err != nil || !contains(reasons(inv), "no package database is there") {
		t.Errorf("failures %q, %v, want that no database is there", reasons(inv), err)
	}
}

func TestTheNewestInstalledKernelOfAnotherRootIsPresentOnly(t *testing.T) {
	tests := []struct {
		name                string
		files               map[string]string
		wantID, wantVersion string
		wantWhere           string
	}{
		{"Debian: the version is that of the package", map[string]string{
			"lib/modules/6.1.0-9-amd64/modules.builtin":  "",
			"lib/modules/6.1.0-32-amd64/modules.builtin": "",
			"lib/modules/6.12.0-1-amd64/updates/x.ko":    "", // removed, a module built for it is left
			"var/lib/dpkg/status":                        "Package: linux-image-6.1.0-32-amd64\nStatus: install ok installed\nVersion: 6.1.129-1\n\nPackage: bash\nVersion: 5\n",
		}, "software:linux@6.1.0-32-amd64", "6.1.129", "lib/modules: newest of 2 installed kernels; which one runs is not known here"},
		{"a release that names its version", map[string]string{"usr/lib/modules/6.12.9-0-lts/modules.builtin": "", "lib/apk/db/installed": "x"},
			"software:linux@6.12.9-0-lts", "6.12.9", "usr/lib/modules: the one installed kernel; whether it runs is not known here"},
		{"a release that hides its patches", map[string]string{"usr/lib/modules/5.14.0-503.el9.x86_64/modules.builtin": "", "var/lib/rpm/rpmdb.sqlite": "x"},
			"software:linux@5.14.0-503.el9.x86_64", "", "usr/lib/modules: the one installed kernel; whether it runs is not known here"},
		{"no kernel", map[string]string{"var/lib/dpkg/status": "x"}, "", "", ""},
		{"a directory that is no release", map[string]string{"lib/modules/<b>/modules.builtin": "", "var/lib/dpkg/status": "x"}, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["etc/os-release"] = debian12
			inv, err := read(t, "host: {root: ., name: ctl-1}", write(t, tt.files))
			if err != nil || len(inv.Failures) > 0 {
				t.Fatalf("failures %q, %v", reasons(inv), err)
			}
			var got sbom.Artifact
			for _, a := range inv.Artifacts {
				if a.Kind == sbom.KindSoftware {
					got = a
				}
			}
			if got.ID != tt.wantID || got.Version != tt.wantVersion {
				t.Fatalf("kernel %q version %q, want %q version %q", got.ID, got.Version, tt.wantID, tt.wantVersion)
			}
			if tt.wantID == "" {
				return
			}
			s := got.Sightings[0]
			if s.State != sbom.StatePresent || s.Where != tt.wantWhere || len(s.Hosts) != 1 || s.Hosts[0] != "ctl-1" || s.Replicas != 0 || got.TierHint[0] != "base" {
				t.Errorf("sighting %+v, tier %v, want present on ctl-1 at %q in tier base", s, got.TierHint, tt.wantWhere)
			}
		})
	}
}

func TestThisHostHasItsNameAndItsRunningKernel(t *testing.T) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Skip("there is no /proc here: the running kernel cannot be compared")
	}
	sources, failures := source.ThisHost(source.Options{At: assessedAt})
	if len(sources) == 0 || len(failures) > 0 {
		t.Fatalf("got %d sources, failures %v", len(sources), failures)
	}
	inv, err := sources[0].Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := "software:linux@" + strings.TrimSpace(string(release))
	var host, kernel sbom.Artifact
	for _, a := range inv.Artifacts {
		if a.Kind == sbom.KindHost {
			host = a
		} else if a.ID == id {
			kernel = a
		}
	}
	name := "host"
	for _, file := range []string{"/etc/hostname", "/proc/sys/kernel/hostname"} {
		if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) != "" {
			name = strings.TrimSpace(string(text))
			break
		}
	}
	if host.Name != name || !host.Running() {
		t.Errorf("host %q running %v, want %q running", host.Name, host.Running(), name)
	}
	if !kernel.Running() || kernel.Sightings[0].Hosts[0] != name {
		t.Errorf("kernel %+v, want %s running on %s", kernel, id, name)
	}
	if _, err := sources[0].Open(t.Context(), kernel); err != sbom.ErrNoContents {
		t.Errorf("opening the kernel: %v, want ErrNoContents: the host has its files", err)
	}
}
