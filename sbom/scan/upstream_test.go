package scan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func TestAPackageSaysWhereItsSourceIs(t *testing.T) {
	const repository, home = sbom.UpstreamRepository, sbom.UpstreamHomepage
	npm := func(text string) []sbom.UpstreamClaim {
		var p npmUpstream
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		return p.claims()
	}
	scm := func(text string) (out []sbom.UpstreamClaim) {
		for _, a := range pomSCM([]byte(text)) {
			out = append(out, sbom.UpstreamClaim{Kind: repository, URL: a})
		}
		return out
	}
	for _, tt := range []struct {
		name string
		in   []sbom.UpstreamClaim
		want []sbom.UpstreamClaim
	}{
		{"core metadata of Python", pythonHeaders(strings.NewReader("Metadata-Version: 2.1\nName: x\nHome-page: https://example.org/x\n" +
			"Project-URL: Source Code, https://github.com/example/x\nProject-URL: Bug Tracker, https://github.com/example/x/issues\nProject-URL: Twitter, https://example.org/t\n\nHome-page: https://example.org/body\n")).upstream,
			[]sbom.UpstreamClaim{{Kind: home, URL: "https://example.org/x"}, {Kind: repository, URL: "https://github.com/example/x"}, {Kind: home, URL: "https://github.com/example/x/issues"}}},
		{"a home page that is unknown", pythonHeaders(strings.NewReader("Home-page: UNKNOWN\n")).upstream, nil},
		{"package.json with an object", npm(`{"repository":{"type":"git","url":"git+https://github.com/example/mono.git","directory":"packages/a"},"homepage":"https://example.org/a"}`),
			[]sbom.UpstreamClaim{{Kind: repository, URL: "git+https://github.com/example/mono.git", Folder: "packages/a"}, {Kind: home, URL: "https://example.org/a"}}},
		{"package.json with a text", npm(`{"repository":"example/x"}`), []sbom.UpstreamClaim{{Kind: repository, URL: "example/x"}}},
		{"package.json with anything else", npm(`{"repository":[1],"homepage":{"x":1}}`), nil},
		{"a project file of Maven", scm(`<project><scm><connection>scm:git:git@github.com:example/x.git</connection><url>https://github.com/example/x</url></scm></project>`),
			[]sbom.UpstreamClaim{{Kind: repository, URL: "https://github.com/example/x"}, {Kind: repository, URL: "scm:git:git@github.com:example/x.git"}}},
		{"one with variables", scm(`<project><scm><url>${project.url}</url></scm></project>`), nil},
		{"a copyright file", []sbom.UpstreamClaim{copyrightSource([]byte("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: https://github.com/example/x\n\nFiles: *\n"))},
			[]sbom.UpstreamClaim{{Kind: sbom.UpstreamCopyright, URL: "https://github.com/example/x"}}},
		{"one with the address in the next line", []sbom.UpstreamClaim{copyrightSource([]byte("Format: x\nSource:\n <https://github.com/example/x>\n"))},
			[]sbom.UpstreamClaim{{Kind: sbom.UpstreamCopyright, URL: "https://github.com/example/x"}}},
		{"one that tells a story", []sbom.UpstreamClaim{copyrightSource([]byte("Format: x\nSource: taken from https://github.com/example/x\n"))}, nil},
		{"one that is not machine-readable", []sbom.UpstreamClaim{copyrightSource([]byte("Source: https://github.com/example/x\n"))}, nil},
		{"one whose header is over", []sbom.UpstreamClaim{copyrightSource([]byte("Format: x\n\nFiles: *\nSource: https://github.com/example/x\n"))}, nil},
		{"addresses of persons and passwords", []sbom.UpstreamClaim{{Kind: home, URL: "mailto:someone@example.org"}, {Kind: home, URL: "https://user:secret@example.org/x"},
			{Kind: home, URL: "https://token@example.org/x"}, {Kind: home, URL: "https://example.org/a b"}, {Kind: home, URL: "https://example.org/\x1b"}, {Kind: home, URL: strings.Repeat("x", 600)},
			{Kind: repository, URL: "https://example.org/x", Folder: "a\nb"}}, nil},
	} {
		var c component
		c.upstream("/file", tt.in...)
		for i := range tt.want {
			tt.want[i].Path = "/file"
		}
		if diff := cmp.Diff(tt.want, c.Upstream); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestUpstreamAddressesOfOnePackageAreBounded(t *testing.T) {
	var c component
	for i := range 3 * sbom.MaxUpstream {
		c.upstream("/file", sbom.UpstreamClaim{Kind: sbom.UpstreamHomepage, URL: "https://example.org/" + strings.Repeat("x", i)})
		c.upstream("/file", sbom.UpstreamClaim{Kind: sbom.UpstreamHomepage, URL: "https://example.org/"})
	}
	if len(c.Upstream) != sbom.MaxUpstream {
		t.Errorf("got %d addresses, want %d", len(c.Upstream), sbom.MaxUpstream)
	}
}
