//go:build unix

package scan

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

const alpineRelease = "ID=alpine\nVERSION_ID=3.22.1\n"

// apkInstalled is a database of apk: fields of one letter, packages with blank lines between them.
const apkInstalled = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:libalpha
V:1.2.3-r4
A:x86_64
S:1000
I:2000
T:a library
U:https://alpha.example.org/
L:MIT AND BSD-3-Clause
o:alpha
m:Erika Mustermann <erika@example.org>
t:1700000000
c:0123456789abcdef0123456789abcdef01234567
p:so:libalpha.so.1=1.2.3
F:usr/lib
R:libalpha.so.1
a:0:0:755
Z:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=

C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWv=
P:beta
V:0.9-r0
A:x86_64
T:a tool
L:GPL-2.0-only
o:beta
D:so:libalpha.so.1
F:usr/bin
R:beta

`

func TestAHostWithADatabaseOfAPKIsScannedInBothPlaces(t *testing.T) {
	want := []sbom.Component{
		{Ref: "pkg:apk/alpine/beta@0.9-r0?arch=x86_64&distro=alpine-3.22.1", Type: "apk", Name: "beta", Version: "0.9-r0", Arch: "x86_64", Source: "beta", SourceVersion: "0.9-r0",
			DependsOn: []string{"pkg:apk/alpine/libalpha@1.2.3-r4?arch=x86_64&distro=alpine-3.22.1&upstream=alpha"}},
		{Ref: "pkg:apk/alpine/libalpha@1.2.3-r4?arch=x86_64&distro=alpine-3.22.1&upstream=alpha", Type: "apk", Name: "libalpha", Version: "1.2.3-r4", Arch: "x86_64",
			Source: "alpha", SourceVersion: "1.2.3-r4", Homepage: "https://alpha.example.org/"},
	}
	for _, place := range []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"} {
		s, _ := newScanner(t, Limits{})
		p := scanned(t, s, target(FormRoot, hostWith(t, map[string]string{"etc/os-release": alpineRelease, place: apkInstalled})))
		var licences []string
		got := componentsOf(t, p)
		for i := range got {
			for _, l := range got[i].Licences {
				licences = append(licences, l.Value)
			}
			got[i].PURL, got[i].Licences, got[i].Locations = "", nil, nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: components (-want +got):\n%s", place, d)
		}
		if d := cmp.Diff([]string{"GPL-2.0-only", "MIT AND BSD-3-Clause"}, licences); d != "" {
			t.Errorf("%s: licences (-want +got):\n%s", place, d)
		}
	}
}

func TestAForgedDatabaseOfAPKIsAnErrorAndNothingElseHappens(t *testing.T) {
	for name, text := range map[string]string{
		"rights of a directory that is not named": "P:a\nV:1\nM:0:0:755\n\n",
		"rights of a file that is not named":      "P:a\nV:1\na:0:0:755\n\n",
		"a line that is none":                     apkInstalled + "rubbish\n",
		"a line without end":                      "P:a\nV:1\nD:" + strings.Repeat("x ", 1<<20) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newScanner(t, Limits{})
			root := hostWith(t, map[string]string{"etc/os-release": alpineRelease, "lib/apk/db/installed": text})
			if _, err := s.Scan(context.Background(), target(FormRoot, root)); err == nil {
				t.Error("it was read as if nothing were wrong")
			} else {
				t.Log(err)
			}
		})
	}
}
