package pipeline

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
)

var truthNow = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// image writes an OCI layout with one image of one layer, named as a registry would name it, and returns its digest.
func image(t *testing.T, dir, name string, files map[string]string) string {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if err := tw.WriteHeader(&tar.Header{Name: n, Mode: 0o644, Size: int64(len(files[n])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(tw, files[n])
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{Architecture: "amd64", OS: "linux", RootFS: must(img.ConfigFile())(t).RootFS})
	if err != nil {
		t.Fatal(err)
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": name})); err != nil {
		t.Fatal(err)
	}
	return must(img.Digest())(t).String()
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func debian(pkg, version string) map[string]string {
	return map[string]string{
		"etc/os-release":                      "ID=debian\nVERSION_ID=\"12\"\n",
		"var/lib/dpkg/status":                 "Package: " + pkg + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\nMaintainer: A Team <team@example.org>\nDescription: x\n\n",
		"usr/share/doc/" + pkg + "/copyright": "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: x\nLicense: BSD-3-clause\n",
	}
}

// judge audits a stack whose sources are the given YAML lines, in a directory that prepare may fill.
func judgeStack(t *testing.T, rest string, prepare func(dir string)) reports.Report {
	t.Helper()
	dir := t.TempDir()
	prepare(dir)
	text := "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-sovereign-iaas]\nat: 2026-07-22\n" + rest
	stack, err := ParseStack([]byte(text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = dir
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: filepath.Join(t.TempDir(), "b"), TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes are the answers to one requirement about the subjects whose name begins with the prefix.
func outcomes(r reports.Report, requirement, prefix string) []audit.Outcome {
	var out []audit.Outcome
	for _, f := range r.Findings {
		if f.Requirement == requirement && strings.HasPrefix(f.Subject.Name, prefix) {
			out = append(out, f.Outcome)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func expect(t *testing.T, r reports.Report, requirement, prefix string, want ...audit.Outcome) {
	t.Helper()
	if got := outcomes(r, requirement, prefix); !slices.Equal(got, want) {
		t.Errorf("%s of %q: got %v, want %v", requirement, prefix, got, want)
	}
}

const vaultName = "docker.io/hashicorp/vault:1.19.1"

func TestARestrictedImageFailsUnderEveryName(t *testing.T) {
	for name, order := range map[string][2]string{"honest name first": {"vault", "disguise"}, "disguise first": {"disguise", "vault"}} {
		t.Run(name, func(t *testing.T) {
			r := judgeStack(t, "sources:\n  - image: {ref: 'oci:"+order[0]+"'}\n  - image: {ref: 'oci:"+order[1]+"'}\n", func(dir string) {
				contents := debian("hello", "1.0")
				image(t, filepath.Join(dir, "vault"), vaultName, contents)
				image(t, filepath.Join(dir, "disguise"), "docker.io/library/redis:7.0.15", contents)
			})
			expect(t, r, "product-licence-osi", "HashiCorp Vault", audit.FAIL)
			if r.Verdicts[len(r.Verdicts)-1].Outcome != "not-eligible" {
				t.Errorf("verdict: got %s, want not-eligible", r.Verdicts[len(r.Verdicts)-1].Outcome)
			}
		})
	}
}

func TestTheVersionInsideCountsAndNotTheOneInTheName(t *testing.T) {
	r := judgeStack(t, "sources:\n  - image: {ref: 'oci:i', tier: ops}\n", func(dir string) {
		image(t, filepath.Join(dir, "i"), "docker.io/library/redis:7.0.15", debian("redis-server", "5:7.4.2-1"))
	})
	expect(t, r, "product-licence-osi", "Redis 7.4.2", audit.FAIL)
	expect(t, r, "product-licence-osi", "Redis 7.0.15")
}

func TestAVersionThatNothingInsideShowsNeverPasses(t *testing.T) {
	r := judgeStack(t, "sources:\n  - image: {ref: 'oci:i', tier: ops}\n", func(dir string) {
		image(t, filepath.Join(dir, "i"), "docker.io/library/redis:7.0.15", debian("hello", "1.0"))
	})
	expect(t, r, "product-licence-osi", "Redis", audit.DNF)
}

func TestANameThatOnlyLooksAlikeNeitherPassesNorFails(t *testing.T) {
	r := judgeStack(t, "sources:\n  - image: {ref: 'oci:i', tier: ops}\n", func(dir string) {
		image(t, filepath.Join(dir, "i"), "registry.internal.example/acme/vault:1.19.1", debian("hello", "1.0"))
	})
	expect(t, r, "product-licence-osi", "HashiCorp Vault", audit.DNF)
	expect(t, r, "artifact-identified", "vault", audit.DNF)
}

func TestTheOperatorsCorrectionsKeepTheScopeOpen(t *testing.T) {
	for name, rule := range map[string]string{
		"another upstream": "upstream: proxysql",
		"another tier":     "tier: base",
		"not deployed":     "not-deployed: true",
	} {
		t.Run(name, func(t *testing.T) {
			r := judgeStack(t, "sources:\n  - image: {ref: 'oci:i'}\nassign:\n  - {match: 'image:*/vault', "+rule+", reason: because}\n", func(dir string) {
				image(t, filepath.Join(dir, "i"), vaultName, debian("hello", "1.0"))
			})
			expect(t, r, "corrections-accepted", "", audit.DNF)
			expect(t, r, "product-licence-osi", "ProxySQL", outcomes(r, "product-licence-osi", "ProxySQL")...)
			if slices.Contains(outcomes(r, "product-licence-osi", "ProxySQL"), audit.PASS) {
				t.Error("the operator's word alone passes")
			}
		})
	}
}

func TestContentsComeBeforeSomebodysDocumentInAnyOrder(t *testing.T) {
	for name, order := range map[string]string{
		"document first": "sources:\n  - sbom: {file: v.json}\n  - image: {ref: 'oci:i', tier: functional}\n",
		"contents first": "sources:\n  - image: {ref: 'oci:i', tier: functional}\n  - sbom: {file: v.json}\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := judgeStack(t, order, func(dir string) {
				digest := image(t, filepath.Join(dir, "i"), vaultName, debian("hello", "1.0"))
				doc := `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"container","name":"vault","version":"` + digest +
					`","bom-ref":"r","purl":"pkg:oci/vault@` + strings.Replace(digest, ":", "%3A", 1) + `?repository_url=docker.io/hashicorp/vault"}},
					"components":[{"type":"library","bom-ref":"a","name":"clean","version":"1","purl":"pkg:npm/clean@1","licenses":[{"license":{"id":"MIT"}}]}]}`
				if err := os.WriteFile(filepath.Join(dir, "v.json"), []byte(doc), 0o644); err != nil {
					t.Fatal(err)
				}
			})
			if slices.Contains(outcomes(r, "package-licence-free", "clean"), audit.PASS) {
				t.Error("a package of the document counts as seen")
			}
			if r.Coverage.Artifacts == 1 && r.Coverage.Packages != 1 {
				t.Errorf("got %d packages, want the one inside", r.Coverage.Packages)
			}
		})
	}
}

func TestAnImageInWhichNothingIsFoundHasNoSBOM(t *testing.T) {
	r := judgeStack(t, "sources:\n  - image: {ref: 'oci:i', tier: functional}\n", func(dir string) {
		image(t, filepath.Join(dir, "i"), "quay.io/coreos/etcd:v3.5.1", map[string]string{"a": "x"})
	})
	expect(t, r, "artifact-bom", "", audit.DNF)
}

func TestADayInTheFutureIsRefused(t *testing.T) {
	stack, err := ParseStack([]byte(strings.Replace(goodStack, "2026-11-24", "2035-01-01", 1)), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Gather(t.Context(), stack, Options{Now: truthNow, Offline: true, Bundle: filepath.Join(t.TempDir(), "b")})
	if err == nil || !strings.Contains(err.Error(), "2035-01-01 lies in the future") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestTheReferenceExampleShowsItsKnownFindingsByThemselves(t *testing.T) {
	stack, err := ReadStack("../../../examples/scs-reference/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "b")
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, "product-licence-osi", "Redis 7.4.2", audit.FAIL)
	expect(t, r, "product-licence-osi", "Redis 7.0.15", audit.MISS) // open source, but only declared: it cannot pass
	expect(t, r, "product-licence-osi", "HashiCorp Vault 1.19.1", audit.FAIL)
	expect(t, r, "product-licence-osi", "Sonatype Nexus", audit.FAIL)
	expect(t, r, "product-not-open-core", "Sonatype Nexus", audit.FAIL)
	expect(t, r, "artifact-pinned", "tempest", audit.FAIL)
	for _, c := range r.Components {
		if c.Project == "redis" && c.Version == "7.0.15" && c.LicenceClass != "osi" {
			t.Errorf("Redis 7.0.15: got class %s of %s, want osi", c.LicenceClass, c.Licence)
		}
	}
	want := map[string]string{"scs-open-iaas": "not-eligible", "scs-sovereign-iaas": "not-eligible"}
	for _, v := range r.Verdicts {
		if v.Outcome != want[v.Scope] {
			t.Errorf("%s: got %s, want %s", v.Scope, v.Outcome, want[v.Scope])
		}
	}
	with := 0
	for _, p := range r.Projects {
		if p.Head != "" {
			with++
		} else if p.Verdict != "undetermined" && !slices.ContainsFunc(p.Aspects, func(a reports.Aspect) bool {
			return slices.Contains(a.KnockOuts, "MA-02") // a version out of maintenance: no repository needs to be read
		}) {
			t.Errorf("%s has no evidence and is %s", p.Name, p.Verdict)
		}
	}
	if with < 12 {
		t.Errorf("%d projects with evidence, want at least 12", with)
	}
	for _, f := range r.Findings {
		if f.Subject.Kind == "artifact" && f.Outcome == audit.PASS {
			t.Errorf("%s passes %s although it was only declared", f.Subject.Name, f.Requirement)
		}
	}
}
