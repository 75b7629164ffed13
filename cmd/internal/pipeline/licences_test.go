package pipeline

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/sbom"
)

// copyrightService answers as Debsources does for the source package hello 1.0 (built from github.com/Debian/debsources,
// lib/debsources/app/sources/views.py) and counts the questions.
func copyrightService(t *testing.T) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	const text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: Erika Mustermann <erika@example.org>\nLicense: BSD-3-clause\n"
	var n atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		switch r.URL.Path {
		case "/api/src/hello/1.0/debian/copyright/":
			_ = json.NewEncoder(w).Encode(map[string]any{
				"type": "file", "package": "hello", "version": "1.0", "raw_url": "/data/hello", "checksum": audit.DigestOf([]byte(text)).Hex(),
			})
		case "/data/hello":
			_, _ = w.Write([]byte(text))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s, &n
}

// withoutCopyright is an image whose last layer removed what says the licence, as OSISM builds them.
func withoutCopyright(pkg, version string) map[string]string {
	files := debian(pkg, version)
	delete(files, "usr/share/doc/"+pkg+"/copyright")
	return files
}

// gathered runs Gather and returns the packages of the bundle.
func gathered(t *testing.T, text, dir, out string, opt Options) ([]sbom.Packages, *bundle.Bundle) {
	t.Helper()
	stack, err := ParseStack([]byte("schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nat: 2026-07-22\n"+text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = dir
	opt.Version, opt.Now, opt.Bundle, opt.TempDir = "test", truthNow, out, t.TempDir()
	if _, err := Gather(t.Context(), stack, opt); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []sbom.Packages
	for _, e := range b.Blobs("packages") {
		var p sbom.Packages
		if err := json.Unmarshal(must(b.Read(e.Digest))(t), &p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs, b
}

func claimsIn(t *testing.T, pkgs []sbom.Packages) []sbom.LicenceClaim {
	t.Helper()
	if len(pkgs) != 1 {
		t.Fatalf("got packages of %d artifacts, want 1", len(pkgs))
	}
	components, _ := pkgs[0].Components.Get()
	if len(components) != 1 {
		t.Fatalf("got %d components, want 1: %+v", len(components), pkgs[0])
	}
	return components[0].Licences
}

func TestALicenceThatTheImageDeletedIsAskedForOnceAndReplayedFromTheBundle(t *testing.T) {
	s, asked := copyrightService(t)
	dir := t.TempDir()
	image(t, filepath.Join(dir, "image"), "registry.example.org/hello:1", withoutCopyright("hello", "1.0"))
	sources := "sources:\n- image: {ref: 'oci:image'}\n"
	place := "licences: {services: [{debsources: '" + s.URL + "'}]}\n"
	allow := "network: {allow: [127.0.0.0/8]}\n"

	first := filepath.Join(t.TempDir(), "first")
	pkgs, b := gathered(t, sources+place+allow, dir, first, Options{})
	claims := claimsIn(t, pkgs)
	if len(claims) != 1 || claims[0].Value != "BSD-3-Clause" || claims[0].Provenance != sbom.FromService || claims[0].Origin.URL != s.URL+"/data/hello" {
		t.Fatalf("got claims %+v, want the one of the service", claims)
	}
	judge, err := sbom.CuratedJudge(truthNow)
	if err != nil {
		t.Fatal(err)
	}
	components, _ := pkgs[0].Components.Get()
	if l := judge.Of(components[0]); l.Class != "osi" || l.Provenance != sbom.FromService {
		t.Errorf("got %+v, want that the service decides", l)
	}
	records := b.Blobs("copyright")
	if len(records) != 1 || asked.Load() != 2 {
		t.Errorf("got %d records after %d questions, want 1 after 2", len(records), asked.Load())
	}
	if data := string(must(b.Read(records[0].Digest))(t)); strings.Contains(data, "Erika") || strings.Contains(data, "erika") {
		t.Errorf("a person is named in the bundle: %s", data)
	}

	for name, c := range map[string]struct {
		text string
		opt  Options
		want []sbom.LicenceClaim
	}{
		"offline with the first bundle":     {sources + place + allow, Options{Offline: true, Evidence: []string{first}}, claims},
		"online with the first bundle":      {sources + place + allow, Options{Evidence: []string{first}}, claims},
		"the bundle without any place":      {sources, Options{Evidence: []string{first}}, claims},
		"offline without recorded evidence": {sources + place + allow, Options{Offline: true}, nil},
		"nobody is named":                   {sources + allow, Options{}, nil},
		"a private address is not allowed":  {sources + place, Options{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "b")
			pkgs, b := gathered(t, c.text, dir, out, c.opt)
			if d := cmp.Diff(c.want, claimsIn(t, pkgs)); d != "" {
				t.Errorf("claims (-want +got):\n%s", d)
			}
			if c.want != nil && len(b.Blobs("copyright")) != 1 {
				t.Error("the record is not in the new bundle")
			}
			if asked.Load() != 2 {
				t.Errorf("the service was asked %d more times", asked.Load()-2)
			}
			if name != "a private address is not allowed" {
				return
			}
			r, err := Assess(out, AssessOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if text := string(must(json.Marshal(r.NotSeen))(t)); !strings.Contains(text, "network: allow:") || !strings.Contains(text, "hello 1.0") {
				t.Errorf("the report does not say what to do: %s", text)
			}
		})
	}
}

func TestAnotherImageOfTheStackNamesTheLicenceWithoutAnyNetwork(t *testing.T) {
	dir := t.TempDir()
	image(t, filepath.Join(dir, "bare"), "registry.example.org/bare:1", withoutCopyright("hello", "1.0"))
	image(t, filepath.Join(dir, "whole"), "registry.example.org/whole:1", debian("hello", "1.0"))
	pkgs, _ := gathered(t, "sources:\n- image: {ref: 'oci:bare'}\n- image: {ref: 'oci:whole'}\n", dir, filepath.Join(t.TempDir(), "b"), Options{Offline: true})
	provenances := map[string]bool{}
	for _, p := range pkgs {
		components, _ := p.Components.Get()
		for _, c := range components {
			for _, l := range c.Licences {
				provenances[l.Provenance] = true
			}
		}
	}
	if d := cmp.Diff(map[string]bool{sbom.FromCopyright: true, sbom.FromOtherImage: true}, provenances); d != "" {
		t.Errorf("provenances (-want +got):\n%s", d)
	}
}

func TestAPlanNamesWhomItWouldAskAboutLicences(t *testing.T) {
	s, asked := copyrightService(t)
	text := "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nsources:\n- image: {ref: 'oci:image'}\nnetwork: {allow: [127.0.0.0/8]}\nlicences: {services: [pypi, npm, {debsources: '" +
		s.URL + "'}], mirrors: [./debs], module_cache: /cache}\n"
	stack, err := ParseStack([]byte(text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = t.TempDir()
	env := func(name string) string {
		return map[string]string{"NPM_CONFIG_REGISTRY": "https://npm.example.org/"}[name]
	}
	for offline, want := range map[bool][]string{false: {"https://pypi.org", "https://npm.example.org", s.URL, "debs", "/cache"}, true: {"debs", "/cache"}} {
		contacts, err := Plan(stack, Options{Now: truthNow, Bundle: "b", Offline: offline, Getenv: env})
		if err != nil {
			t.Fatal(err)
		}
		list := string(must(json.Marshal(contacts))(t))
		for _, w := range want {
			if !strings.Contains(list, w) {
				t.Errorf("offline %v: the plan names no %q: %s", offline, w, list)
			}
		}
		if offline && strings.Contains(list, "http") {
			t.Errorf("the plan of an offline run names a server: %s", list)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the plan asked %d times", asked.Load())
	}
}

func TestABrokenListOfLicencePlacesNamesPlaceAndRemedy(t *testing.T) {
	head := "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nsources: [{host: {root: /}}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":     {"licences: {service: [pypi]}", `unknown key "service" in licences; did you mean "services"?`},
		"unknown word":    {"licences:\n  services:\n  - debsource", `line 7: licences: services: unknown service "debsource"; did you mean "debsources"?`},
		"two words":       {"licences: {services: [{npm: 'https://example.org', go: 'https://example.org'}]}", "line 5: licences: services: want a word"},
		"no address":      {"licences: {services: [{npm: ''}]}", "want a word"},
		"a login":         {"licences: {services: [{npm: 'https://u:secret@example.org'}]}", "holds a login"},
		"a list":          {"licences: {services: [[npm]]}", "want a word"},
		"an empty mirror": {"licences: {mirrors: ['']}", "licences: mirrors: entry 1: mirror is empty"},
		"a mirror by ftp": {"licences: {mirrors: ['ftp://ftp.debian.org/debian']}", `scheme "ftp"`},
	} {
		_, err := ParseStack([]byte(head+c.text+"\n"), "stack.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
	stack, err := ParseStack([]byte(head+"licences: {services: [npm]}\n"), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = Gather(t.Context(), stack, Options{Now: truthNow, Bundle: filepath.Join(t.TempDir(), "b")}); err == nil || !strings.Contains(err.Error(), "NPM_CONFIG_REGISTRY") {
		t.Errorf("got %v, want the variable that names the registry", err)
	}
}
