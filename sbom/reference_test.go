package sbom_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

const someDigest = "sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

func TestAReferenceIsSplitAsContainerToolsSplitIt(t *testing.T) {
	tests := []struct {
		name, in string
		want     sbom.Reference
	}{
		{"a bare name", "redis", sbom.Reference{Path: "redis"}},
		{"a name with a tag", "redis:7.4.2-alpine", sbom.Reference{Path: "redis", Tag: "7.4.2-alpine"}},
		{"a path without a registry", "library/redis:7", sbom.Reference{Path: "library/redis", Tag: "7"}},
		{"a registry with a dot", "registry.osism.tech/kolla/release/keystone:26.0.1.20250408",
			sbom.Reference{Registry: "registry.osism.tech", Path: "kolla/release/keystone", Tag: "26.0.1.20250408"}},
		{"a registry with a port", "mirror:5000/a/b", sbom.Reference{Registry: "mirror:5000", Path: "a/b"}},
		{"an IPv6 registry", "[::1]:5000/a", sbom.Reference{Registry: "[::1]:5000", Path: "a"}},
		{"localhost", "localhost/a:1", sbom.Reference{Registry: "localhost", Path: "a", Tag: "1"}},
		{"a digest", "quay.io/a/b@" + someDigest, sbom.Reference{Registry: "quay.io", Path: "a/b", Digest: someDigest}},
		{"a tag and a digest", "a/b:v1@" + someDigest, sbom.Reference{Path: "a/b", Tag: "v1", Digest: someDigest}},
		{"the dot in the path of kolla", "quay.io/openstack.kolla/keystone:2025.2-ubuntu-noble",
			sbom.Reference{Registry: "quay.io", Path: "openstack.kolla/keystone", Tag: "2025.2-ubuntu-noble"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sbom.ParseReference(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ParseReference(%q) (-want +got):\n%s", tt.in, diff)
			}
			if got.String() != tt.in {
				t.Errorf("String() = %q, want %q", got.String(), tt.in)
			}
		})
	}
}

func TestABadReferenceIsRefusedWithTheReason(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "empty"},
		{"upper case", "quay.io/Foo", `path part "Foo"`},
		{"a space", "a b", `path part "a b"`},
		{"a way out", "quay.io/../etc", `path part ".."`},
		{"an empty part", "quay.io//a", `path part ""`},
		{"an empty tag", "a:", `tag ""`},
		{"a short digest", "a@sha256:12", "64"},
		{"another algorithm", "a@sha512:" + strings.Repeat("0", 128), "sha256"},
		{"two digests", "a@" + someDigest + "@" + someDigest, "after @"},
		{"a line break in a tag", "a:1\n2", `tag "1\n2"`},
		{"too long", strings.Repeat("a/", 600) + "a", "longer than"},
		{"a scheme", "https://quay.io/a", "registry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := sbom.ParseReference(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseReference(%q) = %v, want an error with %q", tt.in, err, tt.want)
			}
		})
	}
}

func TestATagIsReadAsVersionBuildDateReleaseAndVariant(t *testing.T) {
	tests := []struct {
		name, in string
		want     sbom.Tag
	}{
		{"OSISM", "26.0.1.20250408", sbom.Tag{Version: "26.0.1", BuildDate: "20250408"}},
		{"OSISM with two parts", "8.0.20241206", sbom.Tag{Version: "8.0", BuildDate: "20241206"}},
		{"a date in the middle is no build date", "0.20250407.0", sbom.Tag{Version: "0.20250407.0"}},
		{"eight digits that are no date", "1.2.20259999", sbom.Tag{Version: "1.2.20259999"}},
		{"a variant", "7.4.2-alpine", sbom.Tag{Version: "7.4.2", Variant: "alpine"}},
		{"a package revision", "1.8.0-r1", sbom.Tag{Version: "1.8.0", Variant: "r1"}},
		{"a leading v", "v3.3.5", sbom.Tag{Version: "3.3.5"}},
		{"a leading zero", "v25.04.1", sbom.Tag{Version: "25.04.1"}},
		{"Ubuntu's rock", "6.1-23.10_beta", sbom.Tag{Version: "6.1", Variant: "23.10_beta"}},
		{"two numbers", "2.91", sbom.Tag{Version: "2.91"}},
		{"a pre-release stays one", "1.2.0-rc1", sbom.Tag{Version: "1.2.0-rc1"}},
		{"a pre-release with a dot", "2.0.0-beta.1", sbom.Tag{Version: "2.0.0-beta.1"}},
		{"a word that only begins like a pre-release", "1.2.0-debian", sbom.Tag{Version: "1.2.0", Variant: "debian"}},
		{"a counter of seconds", "1774452086", sbom.Tag{Version: "1774452086"}},
		{"a commit", "e77c311442cb1d1ef8caa7df9d9c00471afa75e7", sbom.Tag{Version: "e77c311442cb1d1ef8caa7df9d9c00471afa75e7"}},
		{"kolla", "2025.2-ubuntu-noble", sbom.Tag{Release: "2025.2", Variant: "ubuntu-noble",
			Unpinned: "tag 2025.2-ubuntu-noble names the OpenStack release 2025.2, which is rebuilt under the same tag"}},
		{"rolling kolla", "2025.1", sbom.Tag{Release: "2025.1",
			Unpinned: "tag 2025.1 names the OpenStack release 2025.1, which is rebuilt under the same tag"}},
		{"a calendar version is no OpenStack release", "2025.1.1", sbom.Tag{Version: "2025.1.1"}},
		{"latest", "latest", sbom.Tag{Unpinned: "latest names whatever is newest"}},
		{"a branch", "master", sbom.Tag{Unpinned: "master is a branch or a moving name, not a version"}},
		{"a stable branch", "stable-9.0", sbom.Tag{Unpinned: "stable-9.0 is a branch or a moving name, not a version"}},
		{"one number", "16-alpine", sbom.Tag{Version: "16", Variant: "alpine", Unpinned: "tag 16-alpine names a series, not one version"}},
		{"one number with v", "v2", sbom.Tag{Version: "2", Unpinned: "tag v2 names a series, not one version"}},
		{"a word", "alpine", sbom.Tag{Unpinned: "alpine names no version"}},
		{"a word with a number", "noble-20250404", sbom.Tag{Variant: "noble-20250404"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, sbom.ParseTag(tt.in)); diff != "" {
				t.Errorf("ParseTag(%q) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

func TestADigestPinsWhateverTheTagSays(t *testing.T) {
	for in, want := range map[string]string{
		"a:latest@" + someDigest: "",
		"a@" + someDigest:        "",
		"a":                      "no tag and no digest",
		"a:latest":               "latest names whatever is newest",
		"a:1.2.3":                "",
	} {
		r, err := sbom.ParseReference(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Unpinned(); got != want {
			t.Errorf("%q: Unpinned() = %q, want %q", in, got, want)
		}
	}
}

func TestAnUpstreamVersionHasNoPackaging(t *testing.T) {
	for in, want := range map[string]string{
		"5:27.5.1":       "27.5.1",
		"v1.30.10+k3s1":  "1.30.10+k3s1",
		"1.7.2":          "1.7.2",
		"1.8.0-r1":       "1.8.0",
		"1.0.0-rc.2":     "1.0.0-rc.2",
		"nothing":        "nothing",
		"":               "",
		"0.20250407.0":   "0.20250407.0",
		"2:8.39-12+deb1": "8.39+deb1",
	} {
		if got := sbom.UpstreamVersion(in); got != want {
			t.Errorf("UpstreamVersion(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzAReferenceWrittenAndReadAgainIsTheSame(f *testing.F) {
	for _, s := range []string{"redis", "library/redis:7.4.2-alpine", "registry.osism.tech/kolla/release/keystone:26.0.1.20250408",
		"mirror:5000/a/b@" + someDigest, "[::1]:5000/a:1", "localhost/a__b/c--d:x@" + someDigest, "a:b:c", "@", "::", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := sbom.ParseReference(s)
		if err != nil {
			return
		}
		again, err := sbom.ParseReference(r.String())
		if err != nil {
			t.Fatalf("ParseReference(%q) read %+v, but its text %q is refused: %v", s, r, r.String(), err)
		}
		if again != r || r.String() != s {
			t.Fatalf("ParseReference(%q) = %+v, again %+v, text %q", s, r, again, r.String())
		}
		if r.Name() == "" || strings.Contains(r.Name(), "/") {
			t.Fatalf("%q: Name() = %q, want one part", s, r.Name())
		}
		if tag := sbom.ParseTag(r.Tag); strings.HasPrefix(tag.Version, "v") {
			t.Fatalf("%q: version %q keeps its v", s, tag.Version)
		}
	})
}
