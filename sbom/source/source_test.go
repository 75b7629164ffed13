package source_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

var assessedAt = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

// decode reads one entry of sources: as stack.yaml holds it.
func decode(t *testing.T, text, base string, opt source.Options) (sbom.Source, error) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return source.Decode(&doc, base, opt)
}

// read decodes an entry and reads its inventory.
func read(t *testing.T, text, base string) (sbom.Inventory, error) {
	t.Helper()
	s, err := decode(t, text, base, source.Options{At: assessedAt})
	if err != nil {
		t.Fatal(err)
	}
	return s.Inventory(t.Context())
}

// write makes files below a new directory; a name that ends in / is a directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		folder := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			folder = path
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if folder == path {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func reasons(inv sbom.Inventory) []string {
	var out []string
	for _, f := range inv.Failures {
		out = append(out, f.Reason)
	}
	return out
}

func contains(list []string, part string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, part) })
}

func TestAnEntryThatIsWrongNamesPlaceAndRemedy(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"an unknown source", "osim: {release: x}", `line 1, column 1: unknown source "osim"; did you mean "osism"?`},
		{"a source far from all", "mainframe: {x: y}", `unknown source "mainframe"; known are ` + strings.Join(source.Kinds(), ", ")},
		{"an unknown key", "osism:\n  relase: x", `line 2, column 3: unknown key "relase" in osism; did you mean "release"?`},
		{"a key far from all", "host: {root: /, address: x}", `unknown key "address" in host; known are `},
		{"a missing key", "osism: {images: x}", `line 1, column 8: key "release" is missing in osism`},
		{"a list for a text", "sbom: {file: [a, b]}", `line 1, column 14: file of sbom must be a text`},
		{"nothing for a text", "sbom: {file: }", `file of sbom must be a text`},
		{"a text for a mapping", "sbom: vendor.json", `line 1, column 7: sbom must be a mapping with the keys `},
		{"two keys", "{osism: {release: a}, host: {root: /}}", `a source is a mapping with one key, one of ` + strings.Join(source.Kinds(), ", ")},
		{"a text alone", "osism", `a source is a mapping with one key`},
		{"a reference without a registry", "image: {ref: a/b:1}", `ref "a/b:1" names no registry and is none of oci:DIRECTORY, oci-archive:FILE, docker-archive:FILE; for Docker Hub write docker.io/a/b:1`},
		{"a reference that is none", "image: {ref: 'quay.io/A b'}", `is none of REGISTRY/PATH:TAG, oci:DIRECTORY`},
		{"a mirror for a file", "image: {ref: 'oci:x', mirror: registry.example}", `mirror is for images in registries; "oci:x" is a file`},
		{"a mirror that is a tag", "image: {ref: quay.io/a/b:1, mirror: registry.example/x:1}", `mirror "registry.example/x:1" is no mirror`},
		{"a platform that is a word", "image: {ref: quay.io/a/b:1, platform: arm64}", `platform "arm64" is no platform; write OS/ARCHITECTURE`},
		{"another word for pull", "registry: {pull: some}", `pull "some" is neither seen`},
		{"a mirror of nothing", "registry: {pull: seen, mirrors: [registry.example]}", `mirror "registry.example" is not REGISTRY=MIRROR`},
		{"two mirrors of one", "registry: {pull: seen, mirrors: [quay.io=a.example, quay.io=b.example]}", `registry "quay.io" has two mirrors`},
		{"an insecure URL", "registry: {pull: seen, insecure: ['http://a.example']}", `insecure "http://a.example" is no registry`},
		{"no path", "image: {ref: 'oci:'}", `names no path`},
		{"an unknown tier", "image: {ref: 'oci:x', tier: functonal}", `unknown tier "functonal"; did you mean "functional"?`},
		{"a host name with a line break", `host: {root: /, name: "a\nb"}`, `is not letters, digits`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(t, tt.in, ".", source.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v\nwant one with %s", err, tt.want)
			}
		})
	}
	if _, err := source.Decode(nil, ".", source.Options{}); err == nil {
		t.Error("an entry that is missing gives no error")
	}
}

func TestAPlanNamesWhatIsReadAsItIsWritten(t *testing.T) {
	for in, want := range map[string]string{
		"osism: {release: ./release/9.0.0}":        "osism ./release/9.0.0",
		"image: {ref: 'oci-archive:./x.tar'}":      "image oci-archive:./x.tar",
		"host: {root: /}":                          "host /",
		"sbom: {file: vendor.cdx.json, tier: ops}": "sbom vendor.cdx.json",
	} {
		s, err := decode(t, in, "/nowhere", source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := s.Contacts()
		if s.Name() != want || len(c) != 1 || c[0].Host != "local" || c[0].Right != "read" || !strings.HasSuffix(want, " "+c[0].Address) {
			t.Errorf("%s: name %q, contacts %+v, want %q on local with right read", in, s.Name(), c, want)
		}
	}
}

func TestASourceThatIsNotThereGivesOneClearErrorWithoutPathsOfThisMachine(t *testing.T) {
	dir := write(t, map[string]string{"file": "x"})
	for in, want := range map[string]string{
		"osism: {release: ./gone}":          `reading OSISM release "./gone": no such file or directory; name the directory that holds base.yml`,
		"image: {ref: 'oci:./gone'}":        `reading image "oci:./gone": no such file or directory`,
		"image: {ref: 'oci-archive:gone'}":  `reading image "oci-archive:gone": no such file or directory`,
		"host: {root: gone}":                `reading host "gone": no such file or directory; name the root directory of the host, e.g. /`,
		"sbom: {file: gone.json}":           `reading SBOM "gone.json": no such file or directory`,
		"sbom: {file: .}":                   `reading SBOM ".": it is a directory, want a file`,
		"image: {ref: 'oci:./file'}":        `reading image "oci:./file": it is a file; for an archive write oci-archive:FILE`,
		"image: {ref: 'oci-archive:.'}":     `reading image "oci-archive:.": it is a directory; for a layout directory write oci:DIRECTORY`,
		"image: {ref: 'oci:.'}":             `reading image "oci:.": oci-layout: no such file or directory; this is no OCI image layout`,
		"image: {ref: 'oci-archive:file'}":  `reading image "oci-archive:file": the archive is cut off or damaged`,
		"sbom: {file: file}":                `reading SBOM "file": reading CycloneDX: this is no JSON object`,
		"osism: {release: .}":               `no base.yml, openstack-*.yml, ceph-*.yml or sbom-openstack-*.yml is there`,
		"osism: {release: ., images: file}": `no base.yml`,
	} {
		_, err := read(t, in, dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v\nwant one with %s", in, err, want)
		} else if strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %q names a path of this machine", in, err)
		}
	}
}

func TestInputFilesAreWithheldUnlessTheyMayBePublished(t *testing.T) {
	dir := write(t, map[string]string{"r/base.yml": "docker_images:\n  redis: 7.4.2-alpine\n", "etc/images.yml": "redis: library/redis\n"})
	for _, publish := range []bool{false, true} {
		var got []string
		opt := source.Options{At: assessedAt, PublishInput: publish, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			got = append(got, b.Kind+" "+b.Name+" "+b.Withheld)
			if b.Origin.Path != b.Name || len(b.Data) == 0 {
				t.Errorf("blob %+v, want origin and bytes", b)
			}
			return audit.DigestOf(b.Data), nil
		}}
		s, err := decode(t, "osism: {release: r}", dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Inventory(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"raw etc/images.yml input file of the operator", "raw r/base.yml input file of the operator"}
		if publish {
			want = []string{"raw etc/images.yml ", "raw r/base.yml "}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("publish %v (-want +got):\n%s", publish, diff)
		}
	}
}

func TestASourceOfSeveralFilesThatCanReadNoneNamesEach(t *testing.T) {
	dir := write(t, map[string]string{"a.json": "{", "b.json": "{"})
	for _, in := range []string{"containers: {ps: [a.json, b.json]}", "ceph: {orch_ps: a.json, hosts: b.json}", "inventory: {file: [a.json, b.json]}",
		"crosscheck: {nodes: a.json, catalog: b.json}", "kubernetes: {pods: [a.json, b.json]}"} {
		inv, err := read(t, in, dir)
		if err == nil || !strings.Contains(err.Error(), "a.json") || !contains(reasons(inv), "b.json") && !slices.ContainsFunc(inv.Failures, func(f sbom.Failure) bool { return strings.Contains(f.Source, "b.json") }) {
			t.Errorf("%s: error %v, failures %+v, want one for each file", in, err, inv.Failures)
		}
		if len(inv.Artifacts)+len(inv.Expected) > 0 || slices.ContainsFunc(inv.Failures, func(f sbom.Failure) bool {
			return strings.Contains(err.Error(), f.Reason) && strings.Contains(f.Reason, "a.json")
		}) {
			t.Errorf("%s: inventory %+v beside error %v, want the other failures only", in, inv, err)
		}
	}
}

func TestAnErrorAboutAnEntryRepeatsNoLogin(t *testing.T) {
	for in, want := range map[string]string{
		"image: {ref: 'https://u:canary@registry.example/a/b:1'}":  `ref "https://...@registry.example/a/b:1" is none of`,
		"image: {ref: 'u:canary@registry.example/a/b:1'}":          `ref "...@registry.example/a/b:1" is none of`,
		"image: {ref: 'u:canary:x@registry.example/a'}":            `ref "...@registry.example/a" is none of`,
		"image: {ref: 'redis:7.2.4@sha256:12'}":                    `ref "redis:7.2.4@sha256:12" is none of`,
		"containers: {socket: 'tcp://:canary@ctl-1:2375'}":         `socket "tcp://...@ctl-1:2375" is neither`,
		"registry: {pull: all, mirrors: ['docker.io=u:canary@x']}": `mirror "docker.io=...@x" is not REGISTRY=MIRROR`,
	} {
		_, err := decode(t, in, ".", source.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant one with %s", in, err, want)
		}
	}
}
