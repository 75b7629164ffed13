package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// writtenOnHost is the inventory of a host with its packages, as "pegel inventory --host" writes it.
func writtenOnHost(t testing.TB, name string) sbom.Inventory {
	t.Helper()
	digest := audit.DigestOf([]byte("image of " + name))
	origin := audit.Origin{Source: "host", Path: "etc/os-release", Digest: audit.DigestOf([]byte("x")), At: assessedAt.Add(-time.Hour)}
	components := []sbom.Component{
		{Ref: "pkg:deb/debian/a@1?arch=all&distro=debian-12", Type: "deb", Name: "a", Version: "1", PURL: "pkg:deb/debian/a@1?arch=all&distro=debian-12", Arch: "all",
			Source: "a", SourceVersion: "1", Supplier: "Debian Alpha Maintainers", Homepage: "https://a.example.org/@scope", Section: "non-free/libs",
			Licences:  []sbom.LicenceClaim{{Value: "Expat", Provenance: "copyright-file", Path: "/usr/share/doc/a/copyright", Line: 3, Weight: "shipped", Files: "a.c b.c"}},
			DependsOn: []string{"pkg:deb/debian/b@1"}, Locations: []string{"/var/lib/dpkg/status"}, Layer: digest},
		{Ref: "pkg:deb/debian/b@1", Type: "deb", Name: "b", Version: "1", PURL: "pkg:deb/debian/b@1"},
	}
	sighting := func(source, where, state string, replicas int) sbom.Sighting {
		return sbom.Sighting{Source: source, Where: where, State: state, Hosts: []string{name}, Replicas: replicas, Origin: origin}
	}
	image := sighting("containers", "podman.sock: keystone", sbom.StateRunning, 1)
	image.Reference, image.Digest, image.Workload = "quay.io/kolla/keystone:2025.2", digest, "keystone"
	return sbom.Inventory{
		Schema: sbom.InventorySchema,
		Artifacts: []sbom.Artifact{
			{ID: "host:" + name, Kind: sbom.KindHost, Name: name, Edition: "debian", Version: "12", Platform: "debian 12", Sightings: []sbom.Sighting{sighting("host", name, sbom.StateRunning, 1)}},
			{ID: "image:redis:latest", Kind: sbom.KindImage, Name: "redis", Reference: "redis:latest", Unpinned: "tag latest moves", Sightings: []sbom.Sighting{sighting("containers", "podman.sock: redis", sbom.StateStopped, 0)}},
			{ID: "image:" + string(digest), Kind: sbom.KindImage, Name: "keystone", Reference: "quay.io/kolla/keystone:2025.2", Digest: digest, Config: audit.DigestOf([]byte("c")),
				Digests: []audit.Digest{audit.DigestOf([]byte("i"))}, Platform: "linux/amd64", Replicas: 1, Labels: map[string]string{"name": "keystone"}, Sightings: []sbom.Sighting{image}},
			{ID: "software:linux@6.1.0-32-amd64", Kind: sbom.KindSoftware, Name: "linux", Reference: "linux@6.1.0-32-amd64", Version: "6.1.129", Edition: "debian",
				Sightings: []sbom.Sighting{sighting("host", "proc/sys/kernel/osrelease: running kernel", sbom.StateRunning, 1)}},
		},
		Failures:     []sbom.Failure{{Source: "host " + name, Reason: "etc/apt/sources.list: permission denied", Settle: "read it as root", Origin: origin}},
		Repositories: []sbom.Repository{{Host: name, Kind: "apt", Address: "https://download.docker.com/linux/debian", Suite: "bookworm", Areas: []string{"stable"}, Vendor: "Docker", Origin: origin}},
		Packages:     []sbom.Packages{{Schema: sbom.PackagesSchema, Artifact: "host:" + name, OS: "debian 12", Tool: "syft v1.40.0", Components: audit.Known(components, origin)}},
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

// asWritten takes off what reading a file adds: the name of the file, the origins, and what the kind says about the tier.
func asWritten(inv sbom.Inventory, file string) sbom.Inventory {
	inv.Artifacts = slices.Clone(inv.Artifacts)
	for i := range inv.Artifacts {
		a := &inv.Artifacts[i]
		a.TierHint, a.HintRule, a.Unpinned, a.Replicas = nil, "", "", 0
		a.Sightings = slices.Clone(a.Sightings)
		for j := range a.Sightings {
			a.Sightings[j].Where = strings.TrimPrefix(a.Sightings[j].Where, file+": ")
			a.Sightings[j].Origin = audit.Origin{At: a.Sightings[j].Origin.At}
		}
	}
	inv.Failures = slices.Clone(inv.Failures)
	for i := range inv.Failures {
		inv.Failures[i].Source = strings.TrimPrefix(inv.Failures[i].Source, file+": ")
		inv.Failures[i].Origin = audit.Origin{}
	}
	inv.Repositories = slices.Clone(inv.Repositories)
	for i := range inv.Repositories {
		inv.Repositories[i].Origin = audit.Origin{At: inv.Repositories[i].Origin.At}
	}
	inv.Packages = slices.Clone(inv.Packages)
	for i := range inv.Packages {
		inv.Packages[i].Components.Origins = nil
	}
	return inv
}

// readAll reads inventory files with the packages in them.
func readAll(t testing.TB, s sbom.Source) (sbom.Inventory, error) {
	t.Helper()
	inv, err := s.Inventory(context.Background())
	if err != nil {
		return inv, err
	}
	for _, a := range inv.Artifacts {
		target, err := s.Open(context.Background(), a)
		if errors.Is(err, sbom.ErrNoContents) {
			continue
		}
		if err != nil || target.Form != "packages" || target.Packages.Artifact != a.ID {
			return inv, fmt.Errorf("opening %s: %+v, %w", a.ID, target, err)
		}
		inv.Packages = append(inv.Packages, *target.Packages)
	}
	return inv, nil
}

func TestWhatAHostWroteIsReadBackTheSame(t *testing.T) {
	want := writtenOnHost(t, "ctl-1")
	dir := write(t, map[string]string{"hosts/ctl-1.json": asJSON(t, want)})
	s, err := decode(t, "inventory: {file: ./hosts/*.json}", dir, source.Options{At: assessedAt})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asWritten(want, ""), asWritten(got, "hosts/ctl-1.json")); diff != "" {
		t.Errorf("inventory (-written +read):\n%s", diff)
	}
	digest := audit.DigestOf([]byte(asJSON(t, want)))
	for _, a := range got.Artifacts {
		for _, sight := range a.Sightings {
			if !strings.HasPrefix(sight.Where, "hosts/ctl-1.json: ") || sight.Origin.Digest != digest || sight.Origin.Source != "inventory" || sight.Declared {
				t.Errorf("%s: sighting %+v", a.ID, sight)
			}
		}
		if tier := a.Kind == sbom.KindHost || a.Name == "linux"; tier != (len(a.TierHint) == 1) {
			t.Errorf("%s: tier hint %v", a.ID, a.TierHint)
		}
	}
	if got.Packages[0].Components.Origins[0].Digest != digest {
		t.Errorf("packages come from %+v", got.Packages[0].Components.Origins)
	}
}

func TestAHostThatIsReadHereAndWrittenThereIsTheSame(t *testing.T) {
	dir := write(t, map[string]string{"root/etc/os-release": debian12, "root/var/lib/dpkg/status": "x", "root/lib/modules/6.1.0-32-amd64/modules.builtin": "",
		"root/etc/apt/sources.list": "deb https://u:p@ftp.debian.org/debian bookworm main non-free\n"})
	here, err := read(t, "host: {root: root, name: ctl-1}", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ctl-1.json"), []byte(asJSON(t, here)), 0o644); err != nil {
		t.Fatal(err)
	}
	there, err := read(t, "inventory: {file: ctl-1.json}", dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asWritten(here, ""), asWritten(there, "ctl-1.json")); diff != "" {
		t.Errorf("inventory (-here +there):\n%s", diff)
	}
}

func TestSeveralInventoryFilesAreOneInventory(t *testing.T) {
	one, two := writtenOnHost(t, "ctl-1"), writtenOnHost(t, "ctl-2")
	dir := write(t, map[string]string{"hosts/b.json": asJSON(t, two), "hosts/a.json": asJSON(t, one), "more/c.json": asJSON(t, one), "more/half.json": asJSON(t, two)[:700], "more/twin.json": asJSON(t, one) + "\n"})
	inv, err := read(t, "inventory: {file: [./hosts/*.json, more/c.json, more/half.json, more/twin.json, more/*.txt, hosts/a.json, gone.json]}", dir)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, a := range inv.Artifacts {
		ids = append(ids, fmt.Sprintf("%s %d", strings.SplitN(a.ID, "@", 2)[0], len(a.Sightings)))
	}
	slices.Sort(ids)
	if len(inv.Artifacts) != 5 || !slices.Contains(ids, "software:linux 3") || !slices.Contains(ids, "host:ctl-2 1") {
		t.Errorf("artifacts %q", ids)
	}
	if len(inv.Repositories) != 3 {
		t.Errorf("%d repositories, want those of each file", len(inv.Repositories))
	}
	for _, want := range []string{"more/c.json: it is a copy of hosts/a.json", "more/half.json: line ", `no file is named like "more/*.txt"`,
		"gone.json: no such file", `more/twin.json: hosts/a.json describes the host "ctl-1" too`} {
		if !contains(reasons(inv), want) {
			t.Errorf("failures %q, want %q", reasons(inv), want)
		}
	}
}

func TestAnInventoryFileCannotDecideWhatIsDecidedCentrally(t *testing.T) {
	inv := writtenOnHost(t, "ctl-1")
	a := &inv.Artifacts[0]
	a.Tiers, a.Area, a.Service, a.Placed, a.Excluded, a.Projects = []string{"functional"}, "iaas", "nova", "assign", "not-deployed", []string{"nova"}
	a.Support = &sbom.Support{Cycle: "x", Ends: "2099-01-01", Source: "me"}
	inv.Artifacts[1].Unpinned = ""
	inv.Artifacts[3].Sightings[0].State = sbom.StateDeclared
	inv.Repositories[0].Vendor = "distribution (Debian)"
	inv.Expected = []sbom.Expected{{Kind: sbom.ExpectedHost, Name: "x", List: "y", Where: "z"}}
	got, err := read(t, "inventory: {file: a.json}", write(t, map[string]string{"a.json": asJSON(t, inv)}))
	if err != nil {
		t.Fatal(err)
	}
	if h := got.Artifacts[0]; h.Tiers != nil || h.Area+h.Service+h.Placed+h.Excluded != "" || h.Projects != nil || h.Support != nil {
		t.Errorf("host %+v, want nothing placed", h)
	}
	if got.Artifacts[1].Unpinned == "" {
		t.Error("an image with the tag latest counts as pinned because the file says so")
	}
	if !got.Artifacts[3].Sightings[0].Declared {
		t.Error("what is declared counts as seen")
	}
	if got.Repositories[0].Vendor != "Docker" || got.Expected != nil {
		t.Errorf("repositories %+v, expected %+v", got.Repositories, got.Expected)
	}
}

func TestAnInventoryFileThatIsNotRightIsRefusedAsAWhole(t *testing.T) {
	good := asJSON(t, writtenOnHost(t, "ctl-1"))
	change := func(f func(inv *sbom.Inventory)) string {
		inv := writtenOnHost(t, "ctl-1")
		f(&inv)
		return asJSON(t, inv)
	}
	deep := strings.Repeat(`{"artifacts":`, 40)
	tests := []struct{ name, text, want string }{
		{"nothing", "", "line 1: it ends too early"},
		{"no JSON", "<html>", "line 1: invalid character"},
		{"cut off", good[:len(good)/2], "it ends too early"},
		{"something after it", good + "{}", "something follows the JSON value"},
		{"an unknown key", strings.Replace(good, `"edition"`, `"editor"`, 1), `unknown field "editor"`},
		{"a key twice", strings.Replace(good, `"edition":`, `"edition": "x", "edition":`, 1), `the key "edition" stands twice`},
		{"a key in other letters", strings.Replace(good, `"edition":`, `"Edition":`, 1), `unknown field "Edition"`},
		{"a key with a long s", strings.Replace(good, `"schema":`, `"ſchema":`, 1), `unknown field "ſchema"`},
		{"another type", strings.Replace(good, `"name": "ctl-1"`, `"name": 7`, 1), "cannot unmarshal number"},
		{"another schema", strings.Replace(good, "inventory/v1", "inventory/v2", 1), `schema is "pegel/inventory/v2", want "pegel/inventory/v1"`},
		{"no UTF-8", strings.Replace(good, "keystone", "key\xffstone", 1), "it is not UTF-8"},
		{"deep", deep, "nested more than"},
		{"no artifact", `{"schema": "pegel/inventory/v1", "artifacts": null}`, "it lists no artifact"},
		{"an unknown kind", change(func(i *sbom.Inventory) { i.Artifacts[0].Kind = "planet" }), `artifacts[0].kind: unknown value "planet"; known are image, host, software`},
		{"a document by others", change(func(i *sbom.Inventory) { i.Artifacts[0].Kind = sbom.KindBOM }), "artifacts[0].kind"},
		{"an ID of another host", change(func(i *sbom.Inventory) { i.Artifacts[0].ID = "host:ctl-2" }), `artifacts[0].id: "host:ctl-2" is not host:`},
		{"an ID of another image", change(func(i *sbom.Inventory) { i.Artifacts[2].Digest = audit.DigestOf([]byte("other")) }), "artifacts[2].id: "},
		{"a digest that its reference contradicts", change(func(i *sbom.Inventory) {
			i.Artifacts[1].Reference += "@" + string(i.Artifacts[2].Digest)
			i.Artifacts[1].ID = "image:" + i.Artifacts[1].Reference
		}), "artifacts[1].digest: it lacks the digest"},
		{"an artifact twice", change(func(i *sbom.Inventory) { i.Artifacts[1] = i.Artifacts[2] }), "artifacts[2].id: "},
		{"a digest that is none", change(func(i *sbom.Inventory) { i.Artifacts[2].Config = "sha256:XYZ" }), "artifacts[2].config: "},
		{"a name that turns text around", change(func(i *sbom.Inventory) { i.Artifacts[2].Name = "key\u202estone" }), "artifacts[2].name: "},
		{"a name with a control character", change(func(i *sbom.Inventory) { i.Artifacts[2].Name = "key\x1b[31m" }), "artifacts[2].name: "},
		{"a name without end", change(func(i *sbom.Inventory) { i.Artifacts[2].Name = strings.Repeat("x", 5000) }), "artifacts[2].name: it is longer than 1024 bytes"},
		{"no sighting", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings = nil }), "artifacts[2].sightings: there are 0"},
		{"an unknown state", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].State = "dreamt" }), "artifacts[2].sightings.state: unknown value"},
		{"no state", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].State = "" }), "artifacts[2].sightings.state: unknown value"},
		{"a host that is none", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].Hosts = []string{"a b"} }), "artifacts[2].sightings.hosts: "},
		{"copies below zero", change(func(i *sbom.Inventory) { i.Artifacts[2].Replicas = -1 }), "artifacts[2].replicas: -1"},
		{"seen in the future", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].Origin.At = assessedAt.Add(48 * time.Hour) }), "is after the moment of the audit"},
		{"seen before all", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].Origin.At = time.Unix(0, 0) }), "the year 1970 is none of this"},
		{"seen nobody knows when", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].Origin.At = time.Time{} }), "artifacts[2].sightings.origin.at: it does not say when"},
		{"another host", change(func(i *sbom.Inventory) { i.Artifacts[2].Sightings[0].Hosts = []string{"ctl-1", "ctl-7"} }), `the file is about "ctl-1" and names "ctl-7" too`},
		{"repositories of another host", change(func(i *sbom.Inventory) { i.Repositories[0].Host = "ctl-7" }), `repositories[0].host: the file is about "ctl-1" and names "ctl-7" too`},
		{"packages of nothing", change(func(i *sbom.Inventory) { i.Packages[0].Artifact = "host:ctl-9" }), "packages[0].artifact: "},
		{"packages twice", change(func(i *sbom.Inventory) { i.Packages = append(i.Packages, i.Packages[0]) }), "packages[1].artifact: "},
		{"an address with a password", change(func(i *sbom.Inventory) { i.Repositories[0].Address = "https://a:s3cr3t@x.example.org" }), "repositories[0].address: it is no address without credentials"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, map[string]string{"a.json": tt.text, "good.json": asJSON(t, writtenOnHost(t, "ctl-0"))})
			_, err := read(t, "inventory: {file: a.json}", dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), dir) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			inv, err := read(t, "inventory: {file: '*.json'}", dir)
			if err != nil || len(inv.Artifacts) != 4 || !contains(reasons(inv), tt.want) {
				t.Errorf("%d artifacts, failures %q, %v, want those of the other file", len(inv.Artifacts), reasons(inv), err)
			}
		})
	}
}

func TestPackagesThatAreNotRightCostOnlyThosePackages(t *testing.T) {
	for name, f := range map[string]func(c []sbom.Component, p *sbom.Packages){
		"components.ref":                       func(c []sbom.Component, _ *sbom.Packages) { c[0].Ref = c[1].Ref },
		"components.depends_on":                func(c []sbom.Component, _ *sbom.Packages) { c[0].DependsOn = []string{"nothing"} },
		"components.purl":                      func(c []sbom.Component, _ *sbom.Packages) { c[0].PURL = "javascript:x" },
		"components.homepage":                  func(c []sbom.Component, _ *sbom.Packages) { c[0].Homepage = "javascript:x" },
		"components.supplier":                  func(c []sbom.Component, _ *sbom.Packages) { c[0].Supplier = "erika@example.org" },
		"components.name":                      func(c []sbom.Component, _ *sbom.Packages) { c[0].Name = "" },
		"components.licences.provenance":       func(c []sbom.Component, _ *sbom.Packages) { c[0].Licences[0].Provenance = "catalogue" },
		"components.licences.weight":           func(c []sbom.Component, _ *sbom.Packages) { c[0].Licences[0].Weight = "light" },
		"components.licences.line":             func(c []sbom.Component, _ *sbom.Packages) { c[0].Licences[0].Line = -1 },
		"components.licences.files":            func(c []sbom.Component, _ *sbom.Packages) { c[0].Licences[0].Files = "a\nb" },
		"components.layer":                     func(c []sbom.Component, _ *sbom.Packages) { c[0].Layer = "sha256:0" },
		"components.locations":                 func(c []sbom.Component, _ *sbom.Packages) { c[0].Locations = []string{"a\nb"} },
		"more licences, dependencies":          func(c []sbom.Component, _ *sbom.Packages) { c[0].Locations = make([]string, 6) },
		"schema":                               func(_ []sbom.Component, p *sbom.Packages) { p.Schema = "x" },
		"sha512":                               func(_ []sbom.Component, p *sbom.Packages) { p.SHA512 = "x" },
		"packages and a failure":               func(_ []sbom.Component, p *sbom.Packages) { p.Components.Failure = "x" },
		"holds characters that cannot be seen": func(c []sbom.Component, _ *sbom.Packages) { c[0].Version = "1\u200b" },
	} {
		inv := writtenOnHost(t, "ctl-1")
		f(*inv.Packages[0].Components.Value, &inv.Packages[0])
		s, err := decode(t, "inventory: {file: a.json}", write(t, map[string]string{"a.json": asJSON(t, inv)}), source.Options{At: assessedAt})
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, s)
		if err != nil || len(got.Artifacts) != 4 || len(got.Packages) != 1 {
			t.Fatalf("%s: %v, %d artifacts, %d packages", name, err, len(got.Artifacts), len(got.Packages))
		}
		if p := got.Packages[0].Components; p.Value != nil || !strings.Contains(p.Failure, name) {
			t.Errorf("%s: packages %+v, want a failure that names it", name, p)
		}
	}
}

func TestAFileThatChangesDuringTheRunIsNotOpened(t *testing.T) {
	dir := write(t, map[string]string{"a.json": asJSON(t, writtenOnHost(t, "ctl-1"))})
	s, err := decode(t, "inventory: {file: a.json}", dir, source.Options{At: assessedAt})
	if err != nil {
		t.Fatal(err)
	}
	a := sbom.Artifact{ID: "host:ctl-1"}
	if _, err := s.Open(t.Context(), a); !errors.Is(err, sbom.ErrNoContents) {
		t.Errorf("opened before it was listed: %v", err)
	}
	if _, err := s.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), a); err == nil || !strings.Contains(err.Error(), `reading inventory "a.json": it changed during the run`) {
		t.Errorf("error %v", err)
	}
}

func TestAWrongInventoryEntryIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		"inventory: {}":           "inventory needs one of the keys file",
		"inventory: {file: []}":   "must be a list of 1 to",
		"inventory: {file: '[a'}": `file "[a" is no name and no pattern`,
	} {
		if _, err := decode(t, in, ".", source.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	s, err := decode(t, "inventory: {file: [/srv/a/*.json, b.json, c.json, d.json]}", "/base", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Name(); got != "inventory *.json, b.json, c.json, and 1 more" || len(s.Contacts()) != 4 || s.Contacts()[0].Address != "/srv/a/*.json" {
		t.Errorf("name %q, contacts %+v", got, s.Contacts())
	}
}

// FuzzInventoryFile holds the law that what was read, written again and read again is the same, and that every artifact
// that is taken over has a sighting, a state that is known, and no place that the file chose.
func FuzzInventoryFile(f *testing.F) {
	f.Add(asJSON(f, writtenOnHost(f, "ctl-1")))
	f.Add(`{"schema":"pegel/inventory/v1","artifacts":[{"id":"host:a","kind":"host","name":"a","tiers":["ops"],"sightings":[{"source":"host","where":"a","state":"running"}]}]}`)
	f.Add(`{"schema":"pegel/inventory/v1","artifacts":[{"id":"image:a/b:1","kind":"image","name":"b","reference":"a/b:1","sightings":[{"source":"c","where":"d","state":"declared"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		first, ok := fuzzInventory(t, text)
		if !ok {
			return
		}
		for _, a := range first.Artifacts {
			if len(a.Sightings) == 0 || a.Tiers != nil || a.Excluded != "" || a.Placed != "" || a.Projects != nil {
				t.Fatalf("artifact %+v", a)
			}
			for _, s := range a.Sightings {
				if (s.State == sbom.StateDeclared || s.State == sbom.StateOffered) && !s.Declared {
					t.Fatalf("a declaration became a sighting: %+v", s)
				}
			}
		}
		second, ok := fuzzInventory(t, asJSON(t, asWritten(first, "a.json")))
		if !ok {
			t.Fatalf("what was read cannot be read again:\n%s", asJSON(t, asWritten(first, "a.json")))
		}
		if diff := cmp.Diff(asWritten(first, "a.json"), asWritten(second, "a.json")); diff != "" {
			t.Fatalf("read again it differs:\n%s", diff)
		}
	})
}

func fuzzInventory(t *testing.T, text string) (sbom.Inventory, bool) {
	t.Helper()
	s, err := decode(t, "inventory: {file: a.json}", write(t, map[string]string{"a.json": text}), source.Options{At: assessedAt})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := readAll(t, s)
	return inv, err == nil
}

func BenchmarkInventoryFile(b *testing.B) {
	inv := writtenOnHost(b, "ctl-1")
	components := make([]sbom.Component, 3000)
	for i := range components {
		ref := fmt.Sprintf("pkg:deb/debian/package-%d@1.2-3?arch=amd64&distro=debian-12", i)
		components[i] = sbom.Component{Ref: ref, Type: "deb", Name: fmt.Sprintf("package-%d", i), Version: "1.2-3", PURL: ref, Arch: "amd64", Source: "s", SourceVersion: "1.2-3",
			Licences: []sbom.LicenceClaim{{Value: "Expat", Provenance: "copyright-file", Path: "/usr/share/doc/x/copyright"}}, Locations: []string{"/var/lib/dpkg/status", "/var/lib/dpkg/info/x.list"}}
	}
	inv.Packages[0].Components = audit.Known(components)
	dir := b.TempDir()
	text := asJSON(b, inv)
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		s, err := decodeEntry("inventory: {file: a.json}", dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Inventory(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func decodeEntry(text, base string) (sbom.Source, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	return source.Decode(&doc, base, source.Options{At: assessedAt})
}

func TestTwoFilesThatSayDifferentPackagesOfOneImageAreTold(t *testing.T) {
	with := func(host, licence string) string {
		inv := writtenOnHost(t, host)
		a := writtenOnHost(t, "one").Artifacts[2]
		a.Sightings[0].Hosts = []string{host}
		inv.Artifacts[2] = a
		p := inv.Packages[0]
		p.Artifact = a.ID
		p.Components = audit.Known([]sbom.Component{{Ref: "pkg:deb/debian/b@1", Type: "deb", Name: "b", Version: "1", PURL: "pkg:deb/debian/b@1",
			Licences: []sbom.LicenceClaim{{Value: licence, Provenance: "copyright-file"}}}})
		inv.Packages = append(inv.Packages, p)
		return asJSON(t, inv)
	}
	for licence, want := range map[string]bool{"BUSL-1.1": true, "MIT": false} {
		inv, err := read(t, "inventory: {file: '*.json'}", write(t, map[string]string{"a.json": with("ctl-1", "MIT"), "b.json": with("ctl-2", licence)}))
		if err != nil {
			t.Fatal(err)
		}
		if got := contains(reasons(inv), "b.json: a.json says that other packages are in image:sha256:"); got != want {
			t.Errorf("licence %s: failures %q, told %v, want %v", licence, reasons(inv), got, want)
		}
	}
}
