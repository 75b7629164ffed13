package scan

import (
	"slices"
	"strings"
	"testing"

	syftsbom "github.com/anchore/syft/syft/sbom"
	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func TestPythonClaims(t *testing.T) {
	text := "License: Permission is hereby granted\n        to Erika Mustermann\n"
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"an expression says all": {
			"License-Expression: MIT OR Apache-2.0\nLicense: BSD\nClassifier: License :: OSI Approved :: BSD License\n\n", []string{"MIT OR Apache-2.0"}},
		"a known name comes before classifiers": {
			"License: Apache-2.0\nClassifier: License :: OSI Approved :: Apache Software License\n", []string{"Apache-2.0"}},
		"classifiers come before a name that nobody knows": {
			"License: see file\nClassifier: License :: OSI Approved :: MIT License\n", []string{"License :: OSI Approved :: MIT License"}},
		"an unknown name stays when it is alone": {"License: see file\nClassifier: License :: OSI Approved\n", []string{"see file"}},
		"several classifiers are sorted": {
			"Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved :: BSD License\n",
			[]string{"License :: OSI Approved :: BSD License", "License :: OSI Approved :: MIT License"}},
		"UNKNOWN says nothing":           {"License: UNKNOWN\n", nil},
		"a whole text is no name":        {text, nil},
		"a text does not hide the rest":  {text + "Classifier: License :: OSI Approved :: MIT License\n", []string{"License :: OSI Approved :: MIT License"}},
		"the description is not read":    {"Name: a\n\nLicense: MIT\n", nil},
		"an address makes it no claim":   {"License: ask erika@example.org\n", nil},
		"a very long line is no name":    {"License: " + strings.Repeat("x", 300) + "\n", nil},
		"other classifiers do not count": {"Classifier: Programming Language :: Python\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, pythonHeaders(strings.NewReader(c.in)).claims()); d != "" {
				t.Errorf("claims (-want +got):\n%s", d)
			}
		})
	}
}

// FuzzPythonClaims holds the laws that a claim is one short line without an address, and that what follows the headers
// changes nothing.
func FuzzPythonClaims(f *testing.F) {
	f.Add(metadata)
	f.Add("License-Expression: MIT\n\nbody")
	f.Add("License: a\n b\nClassifier: License :: x")
	f.Add("\nLicense: MIT")
	f.Fuzz(func(t *testing.T, in string) {
		got := pythonHeaders(strings.NewReader(in)).claims()
		for _, c := range got {
			if c == "" || len(c) > maxClaim || strings.ContainsAny(c, "\r\n") || hasAddress(c) {
				t.Fatalf("%q is no claim", c)
			}
		}
		head, _, found := strings.Cut(in, "\n\n")
		if found && head != "" && head[0] != '\n' {
			if d := cmp.Diff(got, pythonHeaders(strings.NewReader(head+"\n\nLicense-Expression: MIT\n")).claims()); d != "" {
				t.Fatalf("the body changes the claims (-before +after):\n%s", d)
			}
		}
	})
}

func TestPythonPackagesDependOnWhatTheyRequireAndExtrasDoNotCount(t *testing.T) {
	make := func(ref, name string, requires ...string) component {
		return component{Component: sbom.Component{Ref: ref, Type: "python", Name: name}, requires: append([]string{}, requires...)}
	}
	all := []component{
		make("pkg:pypi/keystone@26", "keystone", "oslo.config (>=1)", "PyYAML>=5.1", "Cryptography[ssh]>=3 ; python_version >= '3.8'", "sphinx; extra == 'docs'", "gone", "keystone", "url @ https://example.org/x"),
		make("pkg:pypi/cryptography@38#/usr/lib/a", "cryptography"), make("pkg:pypi/cryptography@38#/usr/lib/b", "cryptography"),
		make("pkg:pypi/oslo-config@9", "oslo_config"), make("pkg:pypi/pyyaml@6", "pyyaml"), make("pkg:pypi/sphinx@5", "Sphinx"), make("pkg:pypi/url@1", "url"),
		{Component: sbom.Component{Ref: "pkg:npm/gone@1", Type: "npm", Name: "gone"}},
	}
	want := []string{"pkg:pypi/cryptography@38#/usr/lib/a", "pkg:pypi/oslo-config@9", "pkg:pypi/pyyaml@6", "pkg:pypi/url@1"}
	for range 3 { // in any order
		list := slices.Clone(all)
		slices.Reverse(all)
		mapping{found: &syftsbom.SBOM{}}.connect(list)
		i := slices.IndexFunc(list, func(c component) bool { return c.Name == "keystone" })
		if !slices.Equal(list[i].DependsOn, want) {
			t.Errorf("keystone depends on %q, want %q", list[i].DependsOn, want)
		}
	}
}
