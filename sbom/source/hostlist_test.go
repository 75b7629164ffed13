package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const (
	ubuntu2404 = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"
	rocky9     = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.5\"\n"
	alpine3    = "ID=alpine\nVERSION_ID=3.22.1\n"
)

// listedPackages reads the packages of an exported list.
func listedPackages(t *testing.T, entry, dir string) (sbom.Packages, sbom.Inventory) {
	t.Helper()
	s, err := decode(t, entry, dir, source.Options{At: assessedAt})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range inv.Artifacts {
		if a.Kind != sbom.KindHost {
			continue
		}
		target, err := s.Open(t.Context(), a)
		if err != nil || target.Form != "packages" || target.Packages == nil {
			t.Fatalf("target %+v, %v, want packages", target, err)
		}
		return *target.Packages, inv
	}
	t.Fatal("there is no host")
	return sbom.Packages{}, inv
}

func TestAnExportedListGivesThePackagesOfTheHost(t *testing.T) {
	tests := []struct {
		name, key, text, release, tool string
		want                           []string // purl or ref, source and version of the source
		wantFailures                   []string
	}{
		{"dpkg-query with all columns", "dpkg",
			"libalpha1\t1.2-3+b1\tamd64\talpha\tinstalled\t1.2-3\nbeta\t2:0.9\tall\tbeta\tinstalled\t2:0.9\ngone\t3\tamd64\tgone\tconfig-files\t3\nnever\t\t\t\tnot-installed\t\n",
			debian12, "dpkg-query", []string{
				"pkg:deb/debian/beta@2%3A0.9?arch=all&distro=debian-12 beta 2:0.9",
				"pkg:deb/debian/libalpha1@1.2-3%2Bb1?arch=amd64&distro=debian-12&upstream=alpha%401.2-3 alpha 1.2-3"}, nil},
		{"dpkg-query with the columns the other way round, and three words of state", "dpkg",
			"libalpha1\t1.2-3\tamd64\talpha\t1.2-3\tinstall ok installed\ngone\t3\tamd64\tgone\t3\tdeinstall ok config-files\n",
			ubuntu2404, "dpkg-query", []string{"pkg:deb/ubuntu/libalpha1@1.2-3?arch=amd64&distro=ubuntu-24.04&upstream=alpha alpha 1.2-3"}, nil},
		{"dpkg-query without states", "dpkg", "beta\t1\tall\tbeta\n", debian12, "dpkg-query",
			[]string{"pkg:deb/debian/beta@1?arch=all&distro=debian-12 beta 1"}, []string{"the list does not say which packages are installed"}},
		{"dpkg -l", "dpkg", `Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
||/ Name            Version   Architecture Description
+++-===============-=========-============-===========
ii  libalpha1:amd64 1.2-3     amd64        first library
rc  gone            3         amd64        removed
hi  beta            2:0.9     all          held
iU  gamma           4         all          unpacked
`, debian12, "dpkg-query", []string{
			"pkg:deb/debian/beta@2%3A0.9?arch=all&distro=debian-12  ",
			"pkg:deb/debian/gamma@4?arch=all&distro=debian-12  ",
			"pkg:deb/debian/libalpha1@1.2-3?arch=amd64&distro=debian-12  "}, nil},
		{"rpm", "rpm", "bash\t5.1.8-9.el9\tx86_64\tbash-5.1.8-9.el9.src.rpm\tGPLv3+\ngpg-pubkey\t1-2\t(none)\t(none)\tpubkey\nopenssl-libs\t1:3.2.2-6.el9_5\tx86_64\topenssl-3.2.2-6.el9_5.src.rpm\tASL 2.0\n",
			rocky9, "rpm", []string{
				"pkg:rpm/rocky/bash@5.1.8-9.el9?arch=x86_64&distro=rocky-9.5&upstream=bash-5.1.8-9.el9.src.rpm bash 5.1.8-9.el9 GPLv3+",
				"pkg:rpm/rocky/openssl-libs@3.2.2-6.el9_5?arch=x86_64&distro=rocky-9.5&epoch=1&upstream=openssl-3.2.2-6.el9_5.src.rpm openssl 3.2.2-6.el9_5 ASL 2.0"}, nil},
		{"apk list -I", "apk", "WARNING: opening the index: No such file\n.deps-20250101.000000 noarch {.deps} () [installed]\nlibcrypto3-3.5.1-r0 x86_64 {openssl} (Apache-2.0) [installed]\nmusl-1.2.5-r10 x86_64 {musl} (MIT) [installed]\npy3-foo-bar-0.1_git20240101-r2 noarch {py3-foo-bar} (GPL-2.0-only AND MIT) [installed]\n",
			alpine3, "apk", []string{
				"pkg:apk/alpine/libcrypto3@3.5.1-r0?arch=x86_64&distro=alpine-3.22.1&upstream=openssl openssl 3.5.1-r0 Apache-2.0",
				"pkg:apk/alpine/musl@1.2.5-r10?arch=x86_64&distro=alpine-3.22.1 musl 1.2.5-r10 MIT",
				"pkg:apk/alpine/py3-foo-bar@0.1_git20240101-r2?arch=noarch&distro=alpine-3.22.1 py3-foo-bar 0.1_git20240101-r2 GPL-2.0-only AND MIT"}, nil},
		{"apk info -v", "apk", "musl-1.2.5-r10\n", alpine3, "apk", []string{"pkg:apk/alpine/musl@1.2.5-r10?distro=alpine-3.22.1  "}, nil},
		{"the distribution is not known", "dpkg", "a\t1\tamd64\ta\tinstalled\na\t1\ti386\ta\tinstalled\na\t1\tarm64\ta\tinstalled\na\t1\tarm64\ta\tinstalled\n", "", "dpkg-query",
			[]string{"deb:a@1 a 1", "deb:a@1#arm64 a 1", "deb:a@1#i386 a 1"}, []string{"os_release is not given"}},
		{"a distribution that is not made from Debian", "dpkg", "a\t1\tamd64\ta\tinstalled\n", rocky9, "dpkg-query", []string{"deb:a@1 a 1"}, nil},
		{"lines that are none", "dpkg", "a\t1\tall\ta\tinstalled\nrubbish\n../b\t1\tall\tb\tinstalled\nc\t1\tall\tc\tyes\n\x1b[31m\t1\tall\td\tinstalled\ne\t1\tall\te\tinst", debian12, "dpkg-query",
			[]string{"pkg:deb/debian/a@1?arch=all&distro=debian-12 a 1"}, []string{
				`line 2: want package, version and architecture with tabs between them, have "rubbish"`, `line 3: "../b" is no name`,
				`line 4: column "yes" is neither`, `line 5: "\x1b[31m" is no name`, "line 6: the list ends within a line"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"list": tt.text}
			entry := "host: {" + tt.key + ": list, name: ctl-1}"
			if tt.release != "" {
				files["os-release"] = tt.release
				entry = "host: {" + tt.key + ": list, os_release: os-release, name: ctl-1}"
			}
			p, inv := listedPackages(t, entry, write(t, files))
			components, _ := p.Components.Get()
			var got []string
			for _, c := range components {
				line := c.Ref + " " + c.Source + " " + c.SourceVersion
				for _, l := range c.Licences {
					line += " " + l.Value
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
			if p.Tool != tt.tool || p.Declared || p.Artifact != "host:ctl-1" || p.Components.Origins[0].Digest != audit.DigestOf([]byte(tt.text)) {
				t.Errorf("packages say %q, %v, %q, %v", p.Tool, p.Declared, p.Artifact, p.Components.Origins)
			}
			if len(inv.Failures) != len(tt.wantFailures) {
				t.Fatalf("failures %q, want %q", reasons(inv), tt.wantFailures)
			}
			for _, want := range tt.wantFailures {
				if !contains(reasons(inv), want) {
					t.Errorf("failures %q, want %q", reasons(inv), want)
				}
			}
		})
	}
}

func TestAnExportedKernelRunsOnItsHost(t *testing.T) {
	dir := write(t, map[string]string{"list": "linux-image-6.8.0-56-generic\t6.8.0-56.58\tamd64\tlinux-signed\tinstalled\n", "os-release": ubuntu2404, "kernel": "6.8.0-56-generic\n", "bad": "rm -rf /\n"})
	_, inv := listedPackages(t, "host: {dpkg: list, os_release: os-release, kernel: kernel, name: cmp-7}", dir)
	if len(inv.Artifacts) != 2 || len(inv.Failures) > 0 {
		t.Fatalf("artifacts %+v, failures %q", inv.Artifacts, reasons(inv))
	}
	k := inv.Artifacts[1]
	if k.ID != "software:linux@6.8.0-56-generic" || k.Version != "6.8.0" || !k.Running() || k.Sightings[0].Hosts[0] != "cmp-7" || k.Sightings[0].Where != "kernel: running kernel" {
		t.Errorf("kernel %+v", k)
	}
	if inv.Artifacts[0].Platform != "ubuntu 24.04" || inv.Artifacts[0].Sightings[0].Origin.Path != "list" {
		t.Errorf("host %+v", inv.Artifacts[0])
	}
	_, inv = listedPackages(t, "host: {dpkg: list, os_release: gone, kernel: bad, name: cmp-7}", write(t, map[string]string{"list": "a\t1\tall\ta\tinstalled\n", "bad": "rm -rf /\n", "gone": "ID=debian\n"}))
	if len(inv.Artifacts) != 1 || !contains(reasons(inv), `bad: "rm -rf /" is no release of a kernel`) {
		t.Errorf("artifacts %+v, failures %q, want no kernel", inv.Artifacts, reasons(inv))
	}
}

func TestAWrongHostEntryNamesTheRemedy(t *testing.T) {
	for in, want := range map[string]string{
		"host: {dpkg: list}":                       "host with dpkg needs the key name",
		"host: {dpkg: list, rpm: list, name: a}":   "host has both dpkg and rpm; write two entries",
		"host: {name: a}":                          "host needs one of the keys root, dpkg, rpm, apk",
		"host: {root: /, kernel: k}":               "kernel of host goes with dpkg, rpm or apk; a root has its own",
		"host: {root: /, os_release: k}":           "os_release of host goes with dpkg, rpm or apk; a root has its own",
		"host: {apk: list, name: 'a b'}":           "is not letters, digits",
		"host: {dpkg: list, name: a, osrelease: b": "",
	} {
		if want == "" {
			continue
		}
		if _, err := decode(t, in, ".", source.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
}

func TestAListThatNamesNoPackageIsAnError(t *testing.T) {
	dir := write(t, map[string]string{"empty": "", "html": "<html>\n", "half": "a\t1\tal", "huge": strings.Repeat("x", 33<<20), "dir/x": ""})
	for in, want := range map[string]string{
		"host: {dpkg: empty, name: a}": "it names no package; want what dpkg-query -W",
		"host: {dpkg: html, name: a}":  "this is no line of dpkg -l",
		"host: {rpm: html, name: a}":   "want name, version and architecture",
		"host: {apk: html, name: a}":   "this is no line of apk list -I",
		"host: {dpkg: half, name: a}":  "the list ends within a line",
		"host: {dpkg: huge, name: a}":  "it is larger than",
		"host: {dpkg: gone, name: a}":  `reading host list "gone": no such file or directory`,
		"host: {dpkg: dir, name: a}":   "it is a directory, want a file",
	} {
		if _, err := read(t, in, dir); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want %q without a path of this machine", in, err, want)
		}
	}
}

// FuzzHostList holds the laws that what a list gives has unique, clean names, that the order of lines does not matter, and
// that a list is never both silently empty and without a failure.
func FuzzHostList(f *testing.F) {
	f.Add("dpkg", "a\t1\tamd64\ts\tinstalled\t1\nb\t2\tall\tb\tinstalled\t2\n")
	f.Add("dpkg", "ii  a:amd64 1 amd64 text\nrc  b 2 all x\n")
	f.Add("rpm", "bash\t1:5-9\tx86_64\tbash-5-9.src.rpm\tGPL\n(none)\t\t\n")
	f.Add("apk", "musl-1.2.5-r0 x86_64 {musl} (MIT) [installed]\nzlib-1-r0\n")
	f.Fuzz(func(t *testing.T, tool, text string) {
		if tool != "dpkg" && tool != "rpm" && tool != "apk" {
			t.Skip()
		}
		dir := write(t, map[string]string{"list": text, "os": debian12})
		s, err := decode(t, "host: {"+tool+": list, os_release: os, name: a}", dir, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		inv, err := s.Inventory(t.Context())
		if err != nil {
			return
		}
		target, err := s.Open(t.Context(), inv.Artifacts[0])
		if err != nil {
			t.Fatalf("listed but not opened: %v", err)
		}
		first := *target.Packages.Components.Value
		seen := map[string]bool{}
		for _, c := range first {
			if seen[c.Ref] || c.Name == "" || c.Version == "" || strings.ContainsAny(c.Name+c.Version, " \n\t/\x00") {
				t.Fatalf("component %+v", c)
			}
			seen[c.Ref] = true
		}
		if tool == "dpkg" || strings.Contains(text, "\r") || !strings.HasSuffix(text, "\n") {
			return // the first line tells which of two forms a list of dpkg has
		}
		lines := strings.SplitAfter(text, "\n")
		lines = lines[:len(lines)-1]
		for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
			lines[i], lines[j] = lines[j], lines[i]
		}
		dir = write(t, map[string]string{"list": strings.Join(lines, ""), "os": debian12})
		s, err = decode(t, "host: {"+tool+": list, os_release: os, name: a}", dir, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Open(t.Context(), inv.Artifacts[0])
		if err != nil {
			t.Fatal(err)
		}
		var a, b []string
		for _, c := range first {
			a = append(a, c.Ref)
		}
		for _, c := range *again.Packages.Components.Value {
			b = append(b, c.Ref)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("the order of lines changes the packages:\n%s", diff)
		}
	})
}
