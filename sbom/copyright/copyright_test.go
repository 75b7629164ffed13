package copyright_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/copyright"
)

var at = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// canary stands for every name and address of a person in what others answer.
const canary = "Erika Mustermann <erika@example.org>"

// copyrightFile has the form of Debian's machine-readable copyright files; the text is made up.
const copyrightFile = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Contact: ` + canary + `
Source: https://example.org/demo

Files: *
Copyright: 2020 ` + canary + `
License: GPL-2+

Files: lib/regex.c
Copyright: 2021 ` + canary + `
License: Expat

Files: tests/*
Copyright: 2021 ` + canary + `
License: Apache-2.0

Files: debian/*
Copyright: 2022 ` + canary + `
License: GPL-3+
`

// mit is the text of the SPDX list with a made-up holder.
const mit = `MIT License

Copyright (c) 2020 ` + canary + `

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`

func deb(name, version string) sbom.Component {
	return sbom.Component{
		Ref: "pkg:deb/debian/" + name + "@" + version, Type: "deb", Name: name, Version: version, Arch: "amd64",
		PURL: "pkg:deb/debian/" + name + "@" + version + "?arch=amd64", Source: "demo", SourceVersion: "1:1.0-1", Section: "libs",
	}
}

func packagesOf(artifact string, components ...sbom.Component) sbom.Packages {
	return sbom.Packages{Schema: sbom.PackagesSchema, Artifact: artifact, OS: "debian 12", Components: audit.Known(components)}
}

func componentsOf(t *testing.T, p sbom.Packages) []sbom.Component {
	t.Helper()
	components, ok := p.Components.Get()
	if !ok {
		t.Fatalf("the components of %s are not known", p.Artifact)
	}
	return components
}

func values(c sbom.Component) []string {
	var out []string
	for _, l := range c.Licences {
		out = append(out, l.Value)
	}
	return out
}

// server answers for fixed paths and counts the questions; anything else is 404.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int
}

func serve(t *testing.T, answers map[string]string) *server {
	t.Helper()
	return serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.URL.EscapedPath()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(body))
	})
}

func serveWith(t *testing.T, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{asked: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.EscapedPath()]++
		s.mu.Unlock()
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.asked {
		n += k
	}
	return n
}

func service(t *testing.T, word, address string) copyright.Place {
	t.Helper()
	p, err := copyright.ParseService(word, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// options never wait and never reach anything but the loopback servers of the test.
func options(places ...copyright.Place) copyright.Options {
	return copyright.Options{
		Client: &http.Client{Transport: &http.Transport{Proxy: nil}}, Places: places, At: at,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func debsourcesAnswers(text string) map[string]string {
	return map[string]string{
		"/api/src/demo/1:1.0-1/debian/copyright/": `{"type":"file","file":"copyright","package":"demo","version":"1:1.0-1","raw_url":"/data/main/d/demo/1:1.0-1/debian/copyright","checksum":"` +
			audit.DigestOf([]byte(text)).Hex() + `"}`,
		"/data/main/d/demo/1:1.0-1/debian/copyright": text,
	}
}

func moduleZip(t *testing.T, prefix string, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for k := range files {
			if !yield(k) {
				return
			}
		}
	}) {
		f, err := w.Create(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(files[name]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEachServiceNamesTheLicenceOfAPackageThatSaysNothing(t *testing.T) {
	ubuntu := deb("libdemo1", "1.0-1")
	ubuntu.PURL, ubuntu.Section = "pkg:deb/ubuntu/libdemo1@1.0-1?arch=amd64", "libs"
	for word, c := range map[string]struct {
		component  sbom.Component
		answers    map[string]string
		want       []string
		provenance string
	}{
		"debsources": {deb("libdemo1", "1:1.0-1+b2"), debsourcesAnswers(copyrightFile), []string{"Apache-2.0", "GPL-2.0-or-later", "MIT"}, sbom.FromService},
		"debian-changelogs": {deb("libdemo1", "1:1.0-1"), map[string]string{"/main/d/demo/demo_1.0-1_copyright": copyrightFile},
			[]string{"Apache-2.0", "GPL-2.0-or-later", "MIT"}, sbom.FromService},
		"ubuntu-changelogs": {ubuntu, map[string]string{"/universe/d/demo/demo_1.0-1/copyright": copyrightFile},
			[]string{"Apache-2.0", "GPL-2.0-or-later", "MIT"}, sbom.FromService},
		"pypi": {sbom.Component{Type: "python", Name: "Demo_Tool", Version: "2.0"}, map[string]string{
			"/pypi/demo-tool/2.0/json": `{"info":{"name":"demo.tool","version":"2.0","license":null,"author":"` + canary + `","classifiers":["License :: OSI Approved :: MIT License"]}}`,
		}, []string{"MIT"}, sbom.FromMetadata},
		"npm": {sbom.Component{Type: "npm", Name: "@scope/demo", Version: "3.0.0"}, map[string]string{
			"/@scope%2Fdemo/3.0.0": `{"name":"@scope/demo","version":"3.0.0","licenses":[{"type":"MIT","url":"https://example.org"},{"type":"Apache-2.0"}],"_npmUser":{"name":"` + canary + `"}}`,
		}, []string{"Apache-2.0 OR MIT"}, sbom.FromMetadata},
		"maven": {sbom.Component{Type: "java-archive", Name: "demo", Version: "4.0", PURL: "pkg:maven/org.example/demo@4.0"}, map[string]string{
			"/org/example/demo/4.0/demo-4.0.pom": `<?xml version="1.0" encoding="ISO-8859-1"?><project xmlns="http://maven.apache.org/POM/4.0.0"><parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>1</version></parent><artifactId>demo</artifactId><version>4.0</version></project>`,
			"/org/example/parent/1/parent-1.pom": `<project><groupId>org.example</groupId><artifactId>parent</artifactId><version>1</version><licenses><license><name>our terms</name><url>https://www.apache.org/licenses/LICENSE-2.0.txt</url></license></licenses><developers><developer><name>` + strings.ReplaceAll(canary, "<", "&lt;") + `</name></developer></developers></project>`,
		}, []string{"Apache-2.0"}, sbom.FromMetadata},
		"go": {sbom.Component{Type: "go-module", Name: "example.org/Upper/demo", Version: "v1.2.3"}, map[string]string{
			"/example.org/!upper/demo/@v/v1.2.3.zip": moduleZip(t, "example.org/Upper/demo@v1.2.3/", map[string]string{"LICENSE": mit, "sub/LICENSE": "Business Source License 1.1", "go.mod": "module x"}),
		}, []string{"MIT"}, sbom.FromText},
		"crates": {sbom.Component{Type: "rust-crate", Name: "demo", Version: "0.1.0"}, map[string]string{
			"/api/v1/crates/demo/0.1.0": `{"version":{"crate":"demo","num":"0.1.0","license":"MIT/Apache-2.0","published_by":{"name":"` + canary + `"}}}`,
		}, []string{"Apache-2.0 OR MIT"}, sbom.FromMetadata},
	} {
		t.Run(word, func(t *testing.T) {
			s := serve(t, c.answers)
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", c.component)}, options(service(t, word, s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			got := componentsOf(t, r.Packages[0])[0]
			if d := cmp.Diff(c.want, values(got)); d != "" {
				t.Fatalf("licences (-want +got):\n%s\n%+v", d, r)
			}
			for _, l := range got.Licences {
				if l.Provenance != c.provenance || !strings.HasPrefix(l.Origin.URL, s.URL) || l.Origin.Digest == "" || !l.Origin.At.Equal(at) || l.Origin.Source != word {
					t.Errorf("claim %+v has not the provenance, address, digest and time of the answer", l)
				}
			}
			if len(r.Failures) > 0 || len(r.Silent) > 0 {
				t.Errorf("got failures %+v, silent %+v, want none", r.Failures, r.Silent)
			}
		})
	}
}

func TestAStanzaKeepsWhatItBearsOn(t *testing.T) {
	s := serve(t, debsourcesAnswers(copyrightFile))
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"))}, options(service(t, "debsources", s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range componentsOf(t, r.Packages[0])[0].Licences {
		got[l.Value] = l.Weight + " " + l.Files
	}
	want := map[string]string{"GPL-2.0-or-later": "main ", "MIT": "shipped lib/regex.c", "Apache-2.0": "side tests/*"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("weights and files (-want +got):\n%s", d)
	}
}

func TestAQuestionIsAskedOnceHoweverManyImagesHoldThePackage(t *testing.T) {
	s := serve(t, debsourcesAnswers(copyrightFile))
	var pkgs []sbom.Packages
	for i := range 20 {
		pkgs = append(pkgs, packagesOf(fmt.Sprintf("image:%02d", i), deb("libdemo1", "1:1.0-1"), deb("demo-bin", "1:1.0-1+b1")))
	}
	r, err := copyright.Collect(t.Context(), pkgs, options(service(t, "debsources", s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	if s.total() != 2 {
		t.Errorf("the service was asked %d times, want 2 (where the file is, and the file): %v", s.total(), s.asked)
	}
	for _, p := range r.Packages {
		for _, c := range componentsOf(t, p) {
			if len(c.Licences) != 3 {
				t.Fatalf("%s in %s has %d claims, want 3", c.Name, p.Artifact, len(c.Licences))
			}
		}
	}
	for _, p := range pkgs {
		for _, c := range componentsOf(t, p) {
			if c.Licences != nil {
				t.Fatal("the packages that came in were edited")
			}
		}
	}
}

func TestTheSamePackageInAnotherArtifactServesBeforeAnybodyIsAsked(t *testing.T) {
	s := serve(t, nil)
	known := deb("libdemo1", "1:1.0-1")
	known.Licences = []sbom.LicenceClaim{{Value: "MIT", Provenance: sbom.FromCopyright, Path: "/usr/share/doc/libdemo1/copyright"}}
	otherArch := deb("libdemo1", "1:1.0-1")
	otherArch.Arch = "arm64"
	labelled := deb("libdemo1", "1:1.0-1")
	labelled.Licences = []sbom.LicenceClaim{{Value: "Apache-2.0", Provenance: sbom.FromLabel}}
	for name, c := range map[string]struct {
		silent sbom.Component
		want   []string
		same   int
	}{
		"same version and architecture": {deb("libdemo1", "1:1.0-1"), []string{"MIT"}, 1},
		"a label alone says nothing":    {labelled, []string{"Apache-2.0", "MIT"}, 1},
		"another version":               {deb("libdemo1", "1:1.0-2"), nil, 0},
		"another architecture":          {otherArch, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", c.silent), packagesOf("image:b", known)}, options(service(t, "pypi", s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			got := componentsOf(t, r.Packages[0])[0]
			if d := cmp.Diff(c.want, values(got)); d != "" || r.SamePackage != c.same {
				t.Errorf("licences (-want +got):\n%s; %d from others, want %d", d, r.SamePackage, c.same)
			}
			for _, l := range got.Licences {
				if l.Value == "MIT" && (l.Provenance != sbom.FromOtherImage || l.Origin.Source != "image:b") {
					t.Errorf("claim %+v does not say from where it was taken", l)
				}
			}
		})
	}
	if s.total() != 0 {
		t.Errorf("the service was asked %d times, want never", s.total())
	}
}

func TestAnAnswerThatProvesNothingGivesNoClaimButAReason(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(copyrightFile)) }))
	t.Cleanup(other.Close)
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	page := "<!DOCTYPE html><html><form>Login</form> GPL-2+ " + canary + "</html>"
	file := func(status int, header map[string]string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	text := map[string]string{"Content-Type": "text/plain"}
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		reason string // of the failure; empty: the place knows nothing
		asked  int
	}{
		"404":                      {file(404, text, copyrightFile), "", 1},
		"410":                      {file(410, text, copyrightFile), "", 1},
		"403":                      {file(403, text, copyrightFile), "status 403", 1},
		"401":                      {file(401, text, copyrightFile), "a login or a right is missing", 1},
		"418":                      {file(418, text, copyrightFile), "status 418", 1},
		"429 until we give up":     {file(429, map[string]string{"Retry-After": "1"}, ""), "status 429", 3},
		"429 for too long":         {file(429, map[string]string{"Retry-After": "3600"}, ""), "asks to wait 1h0m0s", 1},
		"500 until we give up":     {file(500, text, copyrightFile), "status 500", 3},
		"503":                      {file(503, text, ""), "status 503", 3},
		"a login page with 200":    {file(200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, page), "web page", 1},
		"a login page called text": {file(200, text, page), "web page", 1},
		"binary garbage":           {file(200, text, "License: GPL-2+\x00\x01"), "no text", 1},
		"an empty file":            {file(200, text, ""), "", 1},
		"a file without licence":   {file(200, text, "Ask "+canary), "", 1},
		"a longer file than allowed": {func(w http.ResponseWriter, _ *http.Request) {
			chunk := bytes.Repeat([]byte("License: GPL-2+\n"), 4096)
			for range 200 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "longer than", 1},
		"a body that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(copyrightFile))
		}, "breaks off", 3},
		"a redirect to another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+"/login", http.StatusFound)
		}, "another host, perhaps a login page", 1},
		"a redirect in circles": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "redirects more than 5 times", 6},
		"a silent server": {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within the time limit", 3},
		"a drip of bytes": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
			}
		}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveWith(t, c.handle)
			opt := options(service(t, "debian-changelogs", s.URL))
			opt.Limits = copyright.Limits{Timeout: 500 * time.Millisecond, Document: 1 << 20}
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"))}, opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := componentsOf(t, r.Packages[0])[0]; got.Licences != nil {
				t.Errorf("got claims %+v, want none", got.Licences)
			}
			if len(r.Silent) != 1 || r.Silent[0].Count != 1 || r.Silent[0].Reason == "" || r.Silent[0].Settle == "" {
				t.Errorf("silent is %+v, want the package with reason and remedy", r.Silent)
			}
			if name == "a drip of bytes" {
				if len(r.Failures) != 1 {
					t.Errorf("got failures %+v, want one", r.Failures)
				}
				return
			}
			switch {
			case c.reason == "" && (len(r.Failures) > 0 || r.Counts[0].Absent != 1):
				t.Errorf("got %+v and %+v, want that the place knows nothing", r.Failures, r.Counts)
			case c.reason != "" && (len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Reason, c.reason)):
				t.Errorf("got failures %+v, want one with %q", r.Failures, c.reason)
			}
			if s.total() != c.asked {
				t.Errorf("the server was asked %d times, want %d", s.total(), c.asked)
			}
			if all := fmt.Sprintf("%+v", r); strings.Contains(all, "Erika") || strings.Contains(all, "form>") {
				t.Errorf("what the server wrote is in the result: %s", all)
			}
		})
	}
}

func TestAServiceThatAnswersAboutSomethingElseIsNotBelieved(t *testing.T) {
	good := debsourcesAnswers(copyrightFile)
	info := good["/api/src/demo/1:1.0-1/debian/copyright/"]
	for name, c := range map[string]struct {
		word      string
		component sbom.Component
		path      string
		body      string
		failed    int
	}{
		"debsources, another package":    {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", strings.Replace(info, `"demo"`, `"other"`, 1), 1},
		"debsources, another version":    {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", strings.Replace(info, `"version":"1:1.0-1"`, `"version":"2"`, 1), 1},
		"debsources, a directory":        {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", strings.Replace(info, `"file"`, `"directory"`, 1), 1},
		"debsources, another host":       {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", strings.Replace(info, `"/data`, `"//example.org/data`, 1), 1},
		"debsources, another scheme":     {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", strings.Replace(info, `"/data`, `"file:///data`, 1), 1},
		"debsources, a wrong checksum":   {"debsources", deb("a", "1"), "/data/main/d/demo/1:1.0-1/debian/copyright", copyrightFile + "\n", 1},
		"debsources, no JSON":            {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", "moved", 1},
		"debsources, an error with 200":  {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", `{"error":404}`, 0},
		"debsources, a failure with 200": {"debsources", deb("a", "1"), "/api/src/demo/1:1.0-1/debian/copyright/", `{"error":500}`, 1},
		"pypi, another version": {"pypi", sbom.Component{Type: "python", Name: "demo", Version: "2.0"}, "/pypi/demo/2.0/json",
			`{"info":{"name":"demo","version":"2.1","license":"MIT"}}`, 1},
		"pypi, no licence": {"pypi", sbom.Component{Type: "python", Name: "demo", Version: "2.0"}, "/pypi/demo/2.0/json",
			`{"info":{"name":"demo","version":"2.0","license":"UNKNOWN","classifiers":["License :: OSI Approved"]}}`, 0},
		"npm, another name": {"npm", sbom.Component{Type: "npm", Name: "demo", Version: "2.0.0"}, "/demo/2.0.0", `{"name":"omed","version":"2.0.0","license":"MIT"}`, 1},
		"npm, a reference":  {"npm", sbom.Component{Type: "npm", Name: "demo", Version: "2.0.0"}, "/demo/2.0.0", `{"name":"demo","version":"2.0.0","license":"SEE LICENSE IN LICENSE.md"}`, 0},
		"maven, another artifact": {"maven", sbom.Component{Type: "java-archive", PURL: "pkg:maven/g/demo@1", Name: "demo", Version: "1"}, "/g/demo/1/demo-1.pom",
			`<project><groupId>g</groupId><artifactId>other</artifactId><version>1</version><licenses><license><name>MIT</name></license></licenses></project>`, 1},
		"maven, its own parent": {"maven", sbom.Component{Type: "java-archive", PURL: "pkg:maven/g/demo@1", Name: "demo", Version: "1"}, "/g/demo/1/demo-1.pom",
			`<project><parent><groupId>g</groupId><artifactId>demo</artifactId><version>1</version></parent><artifactId>demo</artifactId></project>`, 1},
		"maven, a parent outside": {"maven", sbom.Component{Type: "java-archive", PURL: "pkg:maven/g/demo@1", Name: "demo", Version: "1"}, "/g/demo/1/demo-1.pom",
			`<project><parent><groupId>..</groupId><artifactId>../x</artifactId><version>1</version></parent><artifactId>demo</artifactId><version>1</version><groupId>g</groupId></project>`, 1},
		"go, another module": {"go", sbom.Component{Type: "go-module", Name: "example.org/demo", Version: "v1.0.0"}, "/example.org/demo/@v/v1.0.0.zip",
			moduleZip(t, "example.org/other@v1.0.0/", map[string]string{"LICENSE": mit}), 1},
		"go, no licence file": {"go", sbom.Component{Type: "go-module", Name: "example.org/demo", Version: "v1.0.0"}, "/example.org/demo/@v/v1.0.0.zip",
			moduleZip(t, "example.org/demo@v1.0.0/", map[string]string{"go.mod": "module"}), 0},
		"go, no zip": {"go", sbom.Component{Type: "go-module", Name: "example.org/demo", Version: "v1.0.0"}, "/example.org/demo/@v/v1.0.0.zip", "PK", 1},
		"crates, another crate": {"crates", sbom.Component{Type: "rust-crate", Name: "demo", Version: "1.0.0"}, "/api/v1/crates/demo/1.0.0",
			`{"version":{"crate":"other","num":"1.0.0","license":"MIT"}}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			answers := debsourcesAnswers(copyrightFile)
			answers[c.path] = c.body
			s := serve(t, answers)
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", c.component)}, options(service(t, c.word, s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if got := componentsOf(t, r.Packages[0])[0]; got.Licences != nil {
				t.Errorf("got claims %+v, want none", got.Licences)
			}
			if len(r.Counts) != 1 || r.Counts[0].Failed != c.failed || r.Counts[0].Absent != 1-c.failed {
				t.Errorf("got counts %+v, failures %+v, want failed %d", r.Counts, r.Failures, c.failed)
			}
		})
	}
}

func TestNamesThatAreNoNamesAreNeverPutIntoAnAddress(t *testing.T) {
	s := serve(t, nil)
	var places []copyright.Place
	for _, word := range copyright.Services() {
		places = append(places, service(t, word, s.URL))
	}
	mirror, err := copyright.ParseMirror(s.URL, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	var components []sbom.Component
	for _, name := range []string{"../../etc/passwd", "a/../b", "x?y=z", "x#y", "x y", "", ".", "..", "\x00", "a%2fb", "@", "//example.org/x"} {
		for _, kind := range []string{"deb", "python", "npm", "go-module", "rust-crate", "java-archive"} {
			components = append(components, sbom.Component{Type: kind, Name: name, Version: "1.0", Arch: "amd64", PURL: "pkg:maven/a/" + name + "@1.0"})
			components = append(components, sbom.Component{Type: kind, Name: "demo", Version: "1.0/../" + name, Arch: "../..", PURL: "pkg:deb/debian/demo"})
		}
	}
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", components...)}, options(append(places, mirror)...))
	if err != nil {
		t.Fatal(err)
	}
	for path := range s.asked {
		if strings.Contains(path, "..") || strings.Contains(path, "passwd") || strings.Contains(path, "%") || strings.Contains(path, "etc") {
			t.Errorf("the server was asked for %q", path)
		}
	}
	if len(r.Silent) == 0 {
		t.Error("packages that cannot be asked about are not listed as silent")
	}
}

func TestAServerThatKeepsFailingIsAskedNoMore(t *testing.T) {
	s := serveWith(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	var components []sbom.Component
	for i := range 200 {
		components = append(components, sbom.Component{Type: "python", Name: fmt.Sprintf("demo%d", i), Version: "1.0"})
	}
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", components...)}, options(service(t, "pypi", s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	if n := s.total(); n > 3*7 {
		t.Errorf("the server was asked %d times, want at most three times for each of about five questions", n)
	}
	if r.Counts[0].Failed != 200 || len(r.Failures) != 1 || r.Silent[0].Count != 200 || len(r.Silent[0].Names) != 50 {
		t.Errorf("got %+v, %+v", r.Counts, r.Failures)
	}
}

func TestAServerThatAsksForAPauseGetsIt(t *testing.T) {
	var n atomic.Int32
	s := serveWith(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(copyrightFile))
	})
	opt := options(service(t, "debian-changelogs", s.URL))
	var waited []time.Duration
	opt.Wait = func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"))}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]time.Duration{7 * time.Second}, waited); d != "" || r.Counts[0].Answered != 1 {
		t.Errorf("pauses (-want +got):\n%s%+v", d, r.Counts)
	}
}

// kept collects what would go into the bundle.
type kept struct {
	mu    sync.Mutex
	blobs []audit.Blob
}

func (k *kept) keep(_ context.Context, b audit.Blob) (audit.Digest, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.blobs = append(k.blobs, b)
	return audit.DigestOf(b.Data), nil
}

func (k *kept) records(t *testing.T) []copyright.Record {
	t.Helper()
	var out []copyright.Record
	for _, b := range k.blobs {
		if b.Kind != copyright.RecordKind {
			t.Errorf("a blob has the kind %q", b.Kind)
		}
		r, err := copyright.ParseRecord(b.Data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestWhatWasRecordedServesAgainWithoutAnyQuestion(t *testing.T) {
	s := serve(t, debsourcesAnswers(copyrightFile))
	absent := sbom.Component{Type: "python", Name: "internal", Version: "1.0"}
	pkgs := []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"), absent)}
	var k kept
	opt := options(service(t, "debsources", s.URL), service(t, "pypi", s.URL))
	opt.Keep = k.keep
	first, err := copyright.Collect(t.Context(), pkgs, opt)
	if err != nil {
		t.Fatal(err)
	}
	asked := s.total()
	records := k.records(t)
	for name, second := range map[string]copyright.Options{
		"offline, with the places": {Places: opt.Places, Recorded: records, At: at},
		"offline, without places":  {Recorded: records, At: at},
		"with the network":         {Client: opt.Client, Places: opt.Places, Recorded: records, At: at},
	} {
		t.Run(name, func(t *testing.T) {
			again, err := copyright.Collect(t.Context(), pkgs, second)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(first.Packages, again.Packages); d != "" {
				t.Errorf("packages (-first +again):\n%s", d)
			}
			if s.total() != asked {
				t.Errorf("the server was asked %d more times", s.total()-asked)
			}
			for _, c := range again.Counts {
				if c.Recorded != c.Asked {
					t.Errorf("counts %+v: not everything came from the record", c)
				}
			}
		})
	}
}

func TestNoNameOfAPersonReachesRecordsCacheOrClaims(t *testing.T) {
	answers := debsourcesAnswers(strings.ReplaceAll(copyrightFile, "License: Expat", "License: "+canary))
	answers["/example.org/demo/@v/v1.0.0.zip"] = moduleZip(t, "example.org/demo@v1.0.0/", map[string]string{"LICENSE": mit, "COPYING": "Written by " + canary})
	answers["/pypi/demo/1.0/json"] = `{"info":{"name":"demo","version":"1.0","license":"` + canary + `","author":"` + canary + `"}}`
	answers["/demo/1.0.0"] = `{"name":"demo","version":"1.0.0","license":{"type":"MIT","by":"` + canary + `"},"maintainers":["` + canary + `"]}`
	s := serve(t, answers)
	cache := t.TempDir()
	var k kept
	opt := options(service(t, "debsources", s.URL), service(t, "go", s.URL), service(t, "pypi", s.URL), service(t, "npm", s.URL))
	opt.Keep, opt.CacheDir = k.keep, cache
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"),
		sbom.Component{Type: "go-module", Name: "example.org/demo", Version: "v1.0.0"},
		sbom.Component{Type: "python", Name: "demo", Version: "1.0"}, sbom.Component{Type: "npm", Name: "demo", Version: "1.0.0"})}, opt)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%+v", r)
	for _, b := range k.blobs {
		all += b.Name + string(b.Data)
	}
	files := 0
	err = filepath.WalkDir(cache, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(p)
		all += p + string(data)
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files in the cache, %v", files, err)
	}
	for _, name := range []string{"Erika", "Mustermann", "erika@"} {
		if strings.Contains(all, name) {
			t.Errorf("%q is in what is kept", name)
		}
	}
	if got := len(k.blobs); got != 4 {
		t.Errorf("%d records, want 4", got)
	}
}

func TestAnInterruptedRunIsTakenUpWhereItEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int32
	handle := func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		if n.Add(1) == 5 {
			cancel()
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"info": map[string]any{"name": parts[2], "version": "1.0", "license": "MIT"}})
	}
	s := serveWith(t, handle)
	var components []sbom.Component
	for i := range 40 {
		components = append(components, sbom.Component{Type: "python", Name: fmt.Sprintf("demo%02d", i), Version: "1.0"})
	}
	pkgs := []sbom.Packages{packagesOf("image:a", components...)}
	opt := options(service(t, "pypi", s.URL))
	opt.CacheDir = t.TempDir()
	if _, err := copyright.Collect(ctx, pkgs, opt); err == nil {
		t.Fatal("the interrupted run gives no error")
	}
	before := s.total()
	if before >= 40 {
		t.Fatalf("the interrupted run asked all %d questions", before)
	}
	r, err := copyright.Collect(t.Context(), pkgs, opt)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Counts[0]; c.Answered != 40 || c.Recorded == 0 {
		t.Errorf("got %+v, want 40 answers, some of them from the first run", c)
	}
	const underWay = 2 // questions of the first run may reach the server after it ended
	if again := s.total() - before; again > 40-r.Counts[0].Recorded+underWay {
		t.Errorf("the second run asked %d times although %d answers were kept", again, r.Counts[0].Recorded)
	}
	third, err := copyright.Collect(t.Context(), pkgs, opt)
	if err != nil || third.Counts[0].Recorded != 40 {
		t.Errorf("the third run took %+v from the cache, %v", third.Counts, err)
	}
}

func TestNobodyIsAskedOffline(t *testing.T) {
	s := serve(t, debsourcesAnswers(copyrightFile))
	opt := options(service(t, "debsources", s.URL))
	opt.Client = nil
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", deb("libdemo1", "1:1.0-1"))}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if s.total() != 0 || r.Counts[0].Offline != 1 || len(r.Failures) != 0 || !strings.Contains(r.Silent[0].Reason, "offline") {
		t.Errorf("asked %d times; %+v", s.total(), r)
	}
}

func TestTheOrderOfArtifactsAndAnswersDoesNotMatter(t *testing.T) {
	s := serve(t, debsourcesAnswers(copyrightFile))
	a := packagesOf("image:a", deb("libdemo1", "1:1.0-1"), sbom.Component{Type: "npm", Name: "x", Version: "1.0.0"})
	known := deb("demo-bin", "1:1.0-1")
	known.Licences = []sbom.LicenceClaim{{Value: "MIT", Provenance: sbom.FromHidden}}
	b := packagesOf("image:b", known)
	c := packagesOf("image:c", deb("demo-bin", "1:1.0-1"))
	opt := options(service(t, "npm", s.URL), service(t, "debsources", s.URL))
	one, err := copyright.Collect(t.Context(), []sbom.Packages{a, b, c}, opt)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(opt.Places)
	two, err := copyright.Collect(t.Context(), []sbom.Packages{c, b, a}, opt)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(two.Packages)
	if d := cmp.Diff(one, two); d != "" {
		t.Errorf("(-one +two):\n%s", d)
	}
}

func TestAWrongPlaceNamesTheRemedy(t *testing.T) {
	env := func(name string) string {
		return map[string]string{"GOPROXY": "direct,https://proxy.example.org|off"}[name]
	}
	if p, err := copyright.ParseService("go", "", env); err != nil || p.Contact().Address != "https://proxy.example.org" {
		t.Errorf("got %v, %v, want the first address of GOPROXY", p, err)
	}
	for name, c := range map[string]struct{ word, address, want string }{
		"unknown word":    {"debsource", "", "known are"},
		"no address":      {"npm", "", "NPM_CONFIG_REGISTRY"},
		"no URL":          {"pypi", "pypi", "no URL such as"},
		"a file":          {"pypi", "file:///etc", "no URL such as"},
		"another scheme":  {"pypi", "ftp://example.org", `scheme "ftp"`},
		"a login":         {"pypi", "https://user:secret@example.org", "holds a login"},
		"a query":         {"pypi", "https://example.org/?token=secret", "query"},
		"mirror by name":  {"package-mirror", "https://example.org", "unknown service"},
		"empty reference": {"", "", "unknown service"},
	} {
		_, err := copyright.ParseService(c.word, c.address, env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func TestARecordIsReadStrictly(t *testing.T) {
	good := `{"schema":"pegel/copyright/v1","place":"pypi https://example.org","subject":"python demo 1.0","claims":[{"value":"MIT","provenance":"metadata","origin":{"source":""}}],"origin":{"source":"pypi"}}`
	if _, err := copyright.ParseRecord([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"unknown key":        {`"place"`, `"plaice"`},
		"another schema":     {"/v1", "/v2"},
		"no subject":         {"python demo 1.0", ""},
		"curated provenance": {`"metadata"`, `"curated"`},
		"no value":           {`"MIT"`, `""`},
		"claims and absent":  {`"origin":{"source":"pypi"}`, `"absent":"x","origin":{"source":"pypi"}`},
		"something after":    {`"pypi"}}`, `"pypi"}}{}`},
		"a long value":       {"MIT", strings.Repeat("x", 5000)},
	} {
		if _, err := copyright.ParseRecord([]byte(strings.Replace(good, c.old, c.new, 1))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
