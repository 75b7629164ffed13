package scan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func TestReadStatus(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string // name version arch source sourceVersion
		err  string
	}{
		"an empty database has no packages":  {"", nil, ""},
		"blank lines separate, however many": {"\n\nPackage: a\nVersion: 1\n\n\n\nPackage: b\nVersion: 2\n", []string{"a 1  a 1", "b 2  b 2"}, ""},
		"the source is the package where dpkg says nothing": {
			"Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-2\n", []string{"a 1-2 amd64 a 1-2"}, ""},
		"a source without version has the version of the package": {
			"Package: a\nVersion: 1-2\nSource: s\n", []string{"a 1-2  s 1-2"}, ""},
		"a binary-only rebuild names the version of its source": {
			"Package: a\nVersion: 1-2+b1\nSource: s (1-2)\n", []string{"a 1-2+b1  s 1-2"}, ""},
		"continuation lines and unknown fields are passed over": {
			"Package: a\nX-Own: y\nDescription: d\n more: than\n\tone\nVersion: 1\n", []string{"a 1  a 1"}, ""},
		"a package of which only configuration is left is not there": {
			"Package: a\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: b\nStatus: purge ok not-installed\n", nil, ""},
		"half installed packages have files": {
			"Package: a\nStatus: install reinstreq half-installed\nVersion: 1\n", []string{"a 1  a 1"}, ""},
		"carriage returns do not count":     {"Package: a\r\nVersion: 1\r\n\r\n", []string{"a 1  a 1"}, ""},
		"field names do not depend on case": {"PACKAGE: a\nversion: 1\n", []string{"a 1  a 1"}, ""},

		"a package without version":       {"Package: a\nVersion: 1\n\nPackage: b\n", nil, "line 4: the package has no name or no version"},
		"a package without name":          {"Version: 1\n", nil, "line 1: the package has no name"},
		"a field twice":                   {"Package: a\nVersion: 1\nVersion: 2\n", nil, `line 3: the field "Version" is there twice`},
		"a line that is no field":         {"Package: a\nrubbish\n", nil, `line 2: want "Field: value"`},
		"a continuation without a field":  {" text\n", nil, "line 1: it continues a field"},
		"a status with another shape":     {"Package: a\nVersion: 1\nStatus: installed\n", nil, "has not three words"},
		"a name that is a path":           {"Package: ../a\nVersion: 1\n", nil, "is no name"},
		"a line longer than any real one": {"Package: a\nDescription: " + strings.Repeat("x", maxField) + "\n", nil, "line 2: it is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readStatus(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, d := range got {
				have = append(have, strings.Join([]string{d.name, d.version, d.arch, d.source, d.sourceVersion}, " "))
			}
			if d := cmp.Diff(c.want, have); d != "" {
				t.Errorf("packages (-want +got):\n%s", d)
			}
		})
	}
}

func TestOnlyOrganisationsAreNamed(t *testing.T) {
	for maintainer, want := range map[string]string{
		"Debian Python Team <team+python@tracker.debian.org>":              "Debian Python Team",
		"Debian  Python   Team <team+python@tracker.debian.org>":           "Debian Python Team",
		"Debian OpenStack <team+openstack@tracker.debian.org>":             "Debian OpenStack",
		"Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>":        "Ubuntu Developers",
		"GNU Libc Maintainers <debian-glibc@lists.debian.org>":             "GNU Libc Maintainers",
		"Example Cloud GmbH <packages@example.org>":                        "Example Cloud GmbH",
		"Erika Mustermann <erika@example.org>":                             "",
		"Erika Mustermann for the Debian Alpha Team <erika@example.org>":   "",
		"Erika Mustermann (Debian Team) <erika@example.org>":               "",
		"Erika Mustermann, Alpha Team <erika@example.org>":                 "",
		"Erika Mustermann and Alpha Maintainers <erika@lists.example.org>": "",
		"Debian Mustermann <mustermann@example.org>":                       "",
		"erika@example.org":        "",
		"Team <erika@example.org>": "",
		"":                         "",
	} {
		if got := organisation(maintainer); got != want {
			t.Errorf("organisation(%q) = %q, want %q", maintainer, got, want)
		}
	}
}

func TestHomepagesAreAddressesOfTheWeb(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.org/a":                           "https://example.org/a",
		"http://example.org":                              "http://example.org",
		"javascript:alert(1)":                             "",
		"https://example.org/\"><script":                  "",
		"https://erika@example.org/":                      "",
		"example.org":                                     "",
		"https://example.org/" + strings.Repeat("a", 600): "",
	} {
		if got := homepage(in); got != want {
			t.Errorf("homepage(%.40q) = %q, want %q", in, got, want)
		}
	}
}

func TestAddressesOfPeopleAreRecognised(t *testing.T) {
	for in, want := range map[string]bool{
		"mail erika@example.org":                        true,
		"erika at example.org":                          true,
		"erika [at] example.org":                        false, // blanks around the bracket: no form that was seen
		"erika[at]example.org":                          true,
		"git@git.example.org:alpha/beta.git":            false,
		"registry.example.org/a@sha256:0123":            false,
		"https://git.example.org/alpha":                 false,
		"GPL-2.0-or-later WITH Classpath-exception-2.0": false,
	} {
		if got := hasAddress(in); got != want {
			t.Errorf("hasAddress(%q) = %v, want %v", in, got, want)
		}
	}
}

// render writes packages as dpkg would.
func render(debs []deb) string {
	var b strings.Builder
	for _, d := range debs {
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: %s\nSection: %s\nHomepage: %s\nMaintainer: %s\nSource: %s (%s)\n\n",
			d.name, d.arch, d.version, d.section, d.homepage, d.supplier, d.source, d.sourceVersion)
	}
	return b.String()
}

// FuzzReadStatus holds the law that what was read, written again and read again is the same, and that no address gets out.
func FuzzReadStatus(f *testing.F) {
	f.Add(status)
	f.Add("Package: a\nVersion: 1\nSource: s (2) x\n\n")
	f.Add("Package: a\nStatus: install ok unpacked\nVersion: 1:2~3\nArchitecture: all\n continuation\n")
	f.Add("\n\n\n")
	f.Add("Package: a\nVersion: 1\nMaintainer: A B Team <a@b.example>\nHomepage: https://a@b.example/\n")
	f.Fuzz(func(t *testing.T, in string) {
		first, err := readStatus(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, d := range first {
			if strings.Contains(d.supplier, "@") || hasAddress(d.homepage) {
				t.Fatalf("an address got out: %+v", d)
			}
		}
		second, err := readStatus(strings.NewReader(render(first)))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%s", err, render(first))
		}
		if len(first) != len(second) {
			t.Fatalf("read %d packages, then %d", len(first), len(second))
		}
		for i := range first {
			if first[i].debKey != second[i].debKey || first[i].source != second[i].source || first[i].section != second[i].section {
				t.Fatalf("package %d: first %+v, then %+v", i, first[i], second[i])
			}
		}
	})
}

func TestDebianVouchesForThePackagesOfItsMaintainersAndKeepsNoAddress(t *testing.T) {
	for maintainer, want := range map[string]int{
		"Debian Alpha Maintainers <alpha@lists.debian.org>": 1, "Erika Mustermann <erika@debian.org>": 1, "Erika Mustermann <erika@example.org>": 0,
		"NodeSource Support <support@example.com>": 0,
		"Ubuntu Developers <devel@lists.ubuntu.com>\nOriginal-Maintainer: Debian Alpha Maintainers <alpha@lists.debian.org>": 1,
		"Ubuntu Developers <devel@lists.ubuntu.com>": 0,
	} {
		debs, err := readStatus(strings.NewReader("Package: a\nStatus: install ok installed\nVersion: 1\nMaintainer: " + maintainer + "\n"))
		if err != nil || len(debs) != 1 {
			t.Fatalf("%d packages, %v", len(debs), err)
		}
		claims := debs[0].archiveClaims()
		if len(claims) != want || want == 1 && (claims[0].Value != sbom.DebianArchive || claims[0].Provenance != sbom.FromArchiveArea) {
			t.Errorf("%s: got %+v, want %d claims", maintainer, claims, want)
		}
		if strings.Contains(fmt.Sprintf("%+v", debs), "@") {
			t.Errorf("%s: the address is kept: %+v", maintainer, debs)
		}
	}
}
