package scan

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// mitText and iscText are licence texts of the SPDX list with a made-up holder.
const mitText = `MIT License

Copyright (c) 2020 Erika Mustermann <erika@example.org>

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

const iscText = `ISC License

Copyright (c) 2020 Erika Mustermann <erika@example.org>

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

// zipped is one file of an archive.
type zipped struct{ name, text string }

func zipOf(t testing.TB, files ...zipped) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, err := w.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func pomOf(group, artifact, licences string) zipped {
	return zipped{"META-INF/maven/" + group + "/" + artifact + "/pom.xml", `<?xml version="1.0" encoding="ISO-8859-1"?><project><groupId>` + group + `</groupId><artifactId>` + artifact +
		`</artifactId><version>1.0</version>` + licences + "<developers><developer><name>Erika Mustermann \xfc</name></developer></developers></project>"}
}

func propertiesOf(group, artifact string) zipped {
	return zipped{"META-INF/maven/" + group + "/" + artifact + "/pom.properties", "groupId=" + group + "\nartifactId=" + artifact + "\nversion=1.0\n"}
}

const manifestHead = "Manifest-Version: 1.0\r\n"

// licencesIn scans an image of one layer and returns "value provenance path" of each package by name.
func licencesIn(t *testing.T, layer []tarEntry) map[string][]string {
	t.Helper()
	s, _ := newScanner(t, Limits{})
	p := scanned(t, s, target(FormOCIDir, writeLayout(t, imageOf(t, layer))))
	out := map[string][]string{}
	for _, c := range componentsOf(t, p) {
		for _, l := range c.Licences {
			out[c.Name] = append(out[c.Name], l.Value+" "+l.Provenance+" "+l.Path)
		}
	}
	if all := fmt.Sprintf("%+v", p); strings.Contains(all, "Erika") || strings.Contains(all, "erika") {
		t.Error("a person is named in the result")
	}
	return out
}

func TestLicenceTextsInsideTheImageAreReadOfPythonAndNPM(t *testing.T) {
	site := "usr/lib/python3.11/site-packages/"
	got := licencesIn(t, []tarEntry{
		{name: "etc/os-release", text: osRelease},
		{name: site + "new-1.0.dist-info/METADATA", text: "Metadata-Version: 2.4\nName: new\nVersion: 1.0\nLicense-Expression: MIT\nLicense-File: LICENSE\nLicense-File: AUTHORS\nLicense-File: ../../../../../etc/os-release\n\nLicense-File: body\n"},
		{name: site + "new-1.0.dist-info/licenses/LICENSE", text: mitText},
		{name: site + "new-1.0.dist-info/licenses/AUTHORS", text: "Erika Mustermann\n"},
		{name: site + "old-1.0.dist-info/METADATA", text: "Metadata-Version: 2.1\nName: old\nVersion: 1.0\nLicense: UNKNOWN\nLicense-File: LICENSE.txt\n"},
		{name: site + "old-1.0.dist-info/LICENSE.txt", text: iscText},
		{name: site + "listed-1.0.dist-info/METADATA", text: "Metadata-Version: 2.1\nName: listed\nVersion: 1.0\n"},
		{name: site + "listed-1.0.dist-info/RECORD", text: "listed/__init__.py,,\nlisted-1.0.dist-info/COPYING,sha256=x,1\nlisted-1.0.dist-info/../other/LICENSE,,\n"},
		{name: site + "listed-1.0.dist-info/COPYING", text: mitText},
		{name: site + "other/LICENSE", text: "Business Source License 1.1\n"},
		{name: "app/node_modules/said/package.json", text: `{"name":"said","version":"1.0.0","license":"MIT","author":"Erika Mustermann <erika@example.org>"}`},
		{name: "app/node_modules/said/LICENSE", text: mitText},
		{name: "app/node_modules/said/license.js", text: "module.exports = 1"},
		{name: "app/node_modules/choice/package.json", text: `{"name":"choice","version":"1.0.0","licenses":[{"type":"MIT"},{"type":"Apache-2.0"}]}`},
		{name: "app/node_modules/points/package.json", text: `{"name":"points","version":"1.0.0","license":"SEE LICENSE IN LICENSE.md"}`},
		{name: "app/node_modules/points/LICENSE.md", text: iscText},
		{name: "app/node_modules/closed/package.json", text: `{"name":"closed","version":"1.0.0","license":"UNLICENSED"}`},
	})
	want := map[string][]string{
		"new":    {"MIT metadata /" + site + "new-1.0.dist-info/METADATA", "MIT text /" + site + "new-1.0.dist-info/licenses/LICENSE"},
		"old":    {"ISC text /" + site + "old-1.0.dist-info/LICENSE.txt"},
		"listed": {"MIT text /" + site + "listed-1.0.dist-info/COPYING"},
		"said":   {"MIT metadata /app/node_modules/said/package.json", "MIT text /app/node_modules/said/LICENSE"},
		"choice": {"Apache-2.0 OR MIT metadata /app/node_modules/choice/package.json"},
		"points": {"ISC text /app/node_modules/points/LICENSE.md"},
		"closed": {"UNLICENSED metadata /app/node_modules/closed/package.json"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("licences (-want +got):\n%s", d)
	}
}

func TestLicencesOfJavaPackagesAreReadInArchivesWithinArchives(t *testing.T) {
	apache := `<licenses><license><name>The Apache Software License, Version 2.0</name></license></licenses>`
	inner := zipOf(t, zipped{"META-INF/MANIFEST.MF", manifestHead}, propertiesOf("org.example", "inner"), pomOf("org.example", "inner", apache), zipped{"META-INF/LICENSE", mitText})
	got := licencesIn(t, []tarEntry{
		{name: "etc/os-release", text: osRelease},
		{name: "app/outer.war", text: zipOf(t, zipped{"META-INF/MANIFEST.MF", manifestHead}, propertiesOf("org.example", "outer"),
			pomOf("org.example", "outer", `<licenses><license><name>our own words</name><url>https://www.apache.org/licenses/LICENSE-2.0.txt</url></license><license><name>${x}</name><url>http://opensource.org/licenses/mit-license.php</url></license></licenses>`),
			zipped{"WEB-INF/lib/inner-1.0.jar", inner})},
		{name: "app/shaded-1.0.jar", text: zipOf(t, zipped{"META-INF/MANIFEST.MF", manifestHead}, propertiesOf("org.example", "shaded"), pomOf("org.example", "shaded", ""), zipped{"LICENSE.txt", mitText},
			propertiesOf("org.example", "merged"), pomOf("org.example", "merged", apache))},
		{name: "app/osgi-1.0.jar", text: zipOf(t, zipped{"META-INF/MANIFEST.MF", manifestHead +
			"Bundle-License: \"EPL-2.0\";description=\"a, b; c\";link=\"https://example.org\",http://www.apac\r\n he.org/licenses/LICENSE-2.0;x=y\r\nBundle-SymbolicName: osgi\r\nImplementation-Title: osgi\r\n\r\nName: x\r\nBundle-License: GPL-2.0-only\r\n"})},
	})
	want := map[string][]string{
		"outer":  {"Apache-2.0 OR MIT metadata /app/outer.war"},
		"inner":  {"The Apache Software License, Version 2.0 metadata /app/outer.war:WEB-INF/lib/inner-1.0.jar", "MIT text /app/outer.war:WEB-INF/lib/inner-1.0.jar:META-INF/LICENSE"},
		"shaded": {"MIT text /app/shaded-1.0.jar:LICENSE.txt"},
		"merged": {"The Apache Software License, Version 2.0 metadata /app/shaded-1.0.jar"},
		"osgi":   {"Apache-2.0 metadata /app/osgi-1.0.jar", "EPL-2.0 metadata /app/osgi-1.0.jar"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("licences (-want +got):\n%s", d)
	}
}

// goBinary builds a program with one vendored module, without network.
func goBinary(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the go command is missing")
		}
		t.Skip("the go command is missing")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                            "module example.org/program\n\ngo 1.24\n\nrequire (\n\texample.org/Upper/dep v1.2.3\n\texample.org/shipped v0.1.0\n\texample.org/silent v0.2.0\n)\n",
		"main.go":                           "package main\n\nimport (\n\t_ \"example.org/Upper/dep\"\n\t_ \"example.org/shipped\"\n\t_ \"example.org/silent\"\n)\n\nfunc main() {}\n",
		"vendor/modules.txt":                "# example.org/Upper/dep v1.2.3\n## explicit\nexample.org/Upper/dep\n# example.org/shipped v0.1.0\n## explicit\nexample.org/shipped\n# example.org/silent v0.2.0\n## explicit\nexample.org/silent\n",
		"vendor/example.org/Upper/dep/a.go": "package dep\n",
		"vendor/example.org/shipped/a.go":   "package shipped\n",
		"vendor/example.org/silent/a.go":    "package silent\n",
	} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-mod=vendor", "-trimpath", "-ldflags=-s -w", "-o", "program", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLicencesOfGoModulesAreReadWhereTheImageHasThem(t *testing.T) {
	program := goBinary(t)
	for name, c := range map[string]struct {
		files []tarEntry
		want  map[string][]string
	}{
		"vendored source": {[]tarEntry{
			{name: "src/vendor/modules.txt", text: "# example.org/Upper/dep v1.2.3\n## explicit\n# example.org/shipped v9.9.9\n"},
			{name: "src/vendor/example.org/Upper/dep/LICENSE", text: mitText},
			{name: "src/vendor/example.org/shipped/LICENSE", text: mitText}, // another version
		}, map[string][]string{"example.org/Upper/dep": {"MIT text /src/vendor/example.org/Upper/dep/LICENSE"}}},
		"a module cache": {[]tarEntry{
			{name: "root/go/pkg/mod/example.org/!upper/dep@v1.2.3/COPYING", text: iscText},
			{name: "root/go/pkg/mod/example.org/shipped@v0.1.1/LICENSE", text: mitText},
		}, map[string][]string{"example.org/Upper/dep": {"ISC text /root/go/pkg/mod/example.org/!upper/dep@v1.2.3/COPYING"}}},
		"collected licences": {[]tarEntry{
			{name: "licenses/example.org/shipped/LICENSE", text: mitText},
			{name: "licenses/example.org/shipped/license.go", text: iscText},
			{name: "licenses/example.org/silent/LICENSE", text: "Ask Erika Mustermann.\n"},
		}, map[string][]string{
			"example.org/shipped": {"MIT text /licenses/example.org/shipped/LICENSE"},
			"example.org/silent":  {"LicenseRef-pegel-unrecognised-text text /licenses/example.org/silent/LICENSE"},
		}},
		"nothing": {nil, map[string][]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := licencesIn(t, append([]tarEntry{{name: "etc/os-release", text: osRelease}, {name: "usr/bin/program", text: program}}, c.files...))
			delete(got, "stdlib") // syft knows its licence
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("licences (-want +got):\n%s", d)
			}
		})
	}
}

func TestHostileArchivesGiveNoClaimAndEnd(t *testing.T) {
	bomb := strings.Repeat("\x00", 80<<20)
	deep := zipOf(t, zipped{"META-INF/LICENSE", mitText})
	for range 8 {
		deep = zipOf(t, zipped{"a.jar", deep})
	}
	read := func(place string, data string) []sbom.LicenceClaim {
		parts, own := archivesOf(place)
		if !own {
			return nil
		}
		z := openZip(strings.NewReader(data), int64(len(data)))
		for _, nested := range parts[1:] {
			if z == nil {
				return nil
			}
			inner := member(z, nested, maxNested)
			z = openZip(bytes.NewReader(inner), int64(len(inner)))
		}
		if z == nil {
			return nil
		}
		j := javaArchives{t: newTexts()}
		a := j.summary(z, place)
		return a.texts
	}
	lying := "PK\x05\x06" + strings.Repeat("\x00", 8) + "\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct{ place, data string }{
		"a text that unpacks to 80 MB":     {"a.jar", zipOf(t, zipped{"META-INF/LICENSE", mitText + bomb})},
		"an archive that unpacks to 80 MB": {"a.war:b.jar", zipOf(t, zipped{"b.jar", bomb})},
		"a directory that lies":            {"a.jar", lying},
		"no archive":                       {"a.jar", "PK"},
		"nothing":                          {"a.jar", ""},
		"a missing inner archive":          {"a.war:../../etc/passwd.jar", zipOf(t, zipped{"b.jar", deep})},
	} {
		if got := read(c.place, c.data); got != nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	j := javaArchives{t: newTexts(), read: map[string]*javaArchive{}}
	if a := j.archive([]string{"a.jar", "a.jar", "a.jar", "a.jar", "a.jar"}); a != nil {
		t.Error("archives are read deeper than allowed")
	}
}

func TestAnAddressStandsForALicenceOnlyIfItIsKnown(t *testing.T) {
	for _, c := range []struct{ name, address, want string }{
		{"Apache-2.0", "", "Apache-2.0"},
		{"", "https://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"},
		{"https://www.apache.org/licenses/LICENSE-2.0.html", "", "Apache-2.0"},
		{"", "https://opensource.org/licenses/MIT", "MIT"},
		{"${licence}", "https://opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause"},
		{"Our Terms", "https://example.org/apache-2.0", "Our Terms"},
		{"https://example.org/terms", "", ""},
		{"", "https://evil.example/apache.org/licenses/license-2.0", ""},
		{"Erika <erika@example.org>", "", ""},
	} {
		if got := nameOrAddress(c.name, c.address); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.name, c.address, got, c.want)
		}
	}
}

// manyNames is an archive of which each entry of the list of files is the same megabyte of zeros: 20,000 project files.
func manyNames(t testing.TB) string {
	t.Helper()
	one := zipOf(t, zipped{"META-INF/maven/g/a00000/pom.xml", strings.Repeat("\x00", 1<<20)})
	i := strings.Index(one, "PK\x01\x02")
	end := strings.Index(one, "PK\x05\x06")
	body, entry, tail := one[:i], one[i:end], []byte(one[end:])
	var list strings.Builder
	const n = 20_000
	for k := range n {
		list.WriteString(strings.Replace(entry, "a00000", fmt.Sprintf("a%05d", k), 1))
	}
	binary.LittleEndian.PutUint16(tail[8:], n)
	binary.LittleEndian.PutUint16(tail[10:], n)
	binary.LittleEndian.PutUint32(tail[12:], uint32(list.Len()))
	return body + list.String() + string(tail)
}

func TestAnArchiveOfOneFileUnderManyNamesCostsNoMoreThanTheLimit(t *testing.T) {
	data := manyNames(t)
	z := openZip(strings.NewReader(data), int64(len(data)))
	if z == nil || len(z.File) != 20_000 {
		t.Fatal("the archive of this test is none")
	}
	j := javaArchives{t: newTexts()}
	if a := j.summary(z, "a.jar"); len(a.poms) > maxMembers/maxMember+1 {
		t.Errorf("%d megabytes were unpacked, want at most %d", len(a.poms), maxMembers/maxMember)
	}
}

func FuzzWhatAnArchiveSaysNamesNobody(f *testing.F) {
	f.Add([]byte(zipOf(f, zipped{"META-INF/MANIFEST.MF", manifestHead + "Bundle-License: MIT;link=\"x\", a b\r\n c\r\n"}, pomOf("g", "a", "<licenses><license><name>MIT</name></license></licenses>"))))
	f.Add([]byte(manifestHead + "Bundle-License: \"a, b\";link=https://opensource.org/licenses/MIT,<<EXTERNAL>>\n\nBundle-License: x\n"))
	f.Add([]byte("<project><licenses><license><name>Erika &lt;erika@example.org></name><url>https://spdx.org/licenses/MIT</url></license></licenses></project>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found := append(bundleLicences(data), pomLicences(data)...)
		if z := openZip(bytes.NewReader(data), int64(len(data))); z != nil {
			j := javaArchives{t: newTexts()}
			a := j.summary(z, "a.jar")
			found = append(found, a.manifest...)
			for _, names := range a.poms {
				found = append(found, names...)
			}
		}
		for _, name := range found {
			if name == "" || len(name) > maxClaim || strings.ContainsAny(name, "\r\n") || hasAddress(name) {
				t.Errorf("got the licence %q", name)
			}
		}
	})
}
