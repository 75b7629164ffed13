package source_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const (
	cephIndex  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	cephAMD64  = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	cephConfig = "3333333333333333333333333333333333333333333333333333333333333333"
	nodeDigest = "sha256:4444444444444444444444444444444444444444444444444444444444444444"
)

// orchPS has the shape of ceph orch ps --format json, with fields that are never read.
const orchPS = `[
 {"container_image_digests": ["quay.io/ceph/ceph@` + cephAMD64 + `", "quay.io/ceph/ceph@` + cephIndex + `"], "container_image_id": "` + cephConfig + `",
  "container_image_name": "quay.io/ceph/ceph:v17", "daemon_id": "0", "daemon_type": "osd", "hostname": "store-1", "service_name": "osd.disks",
  "status": 1, "status_desc": "running", "version": "17.2.8", "ip": "192.0.2.9", "memory_usage": 4096, "events": ["2026-01-01 daemon:osd.0 [INFO] \"x\""]},
 {"container_image_digests": ["quay.io/ceph/ceph@` + cephIndex + `"], "container_image_id": "` + cephConfig + `",
  "container_image_name": "quay.io/ceph/ceph:v17", "daemon_id": "1", "daemon_type": "osd", "hostname": "store-1", "service_name": "osd.disks",
  "status": 1, "status_desc": "running", "version": "17.2.8"},
 {"container_image_digests": ["quay.io/ceph/ceph@` + cephIndex + `"], "container_image_id": "` + cephConfig + `",
  "container_image_name": "quay.io/ceph/ceph:v17", "daemon_id": "2", "daemon_type": "osd", "hostname": "store-2", "service_name": "osd.disks",
  "status": -1, "status_desc": "error", "version": "17.2.8"},
 {"container_image_digests": ["quay.io/prometheus/node-exporter@` + nodeDigest + `"], "container_image_id": "", "container_image_name": "quay.io/prometheus/node-exporter:v1.5.0",
  "daemon_id": "store-1", "daemon_type": "node-exporter", "hostname": "store-1", "status": 1, "version": null},
 {"container_image_name": "quay.io/ceph/ceph-grafana:9.4.7", "daemon_id": "store-2", "daemon_type": "grafana", "hostname": "store-2", "service_name": "grafana", "status": -1, "status_desc": "host is offline"},
 {"daemon_id": "a", "daemon_type": "mds", "hostname": "store-2", "service_name": "mds.fs", "status": 0}
]
`

const cephadmLS = `[
    {"style": "cephadm:v1", "name": "mgr.store-1.abcdef", "fsid": "0f0f0f0f-0000-11ee-9000-00000000f51d", "service_name": "mgr", "enabled": true, "state": "running",
     "container_image_name": "quay.io/ceph/ceph:v17", "container_image_id": "` + cephConfig + `", "container_image_digests": ["quay.io/ceph/ceph@` + cephIndex + `"],
     "version": "17.2.8", "deployed": "2026-01-28T06:00:43.870611Z"},
    {"style": "legacy", "name": "mon.store-1", "fsid": "0f0f0f0f-0000-11ee-9000-00000000f51d", "state": "running", "host_version": "15.2.17"}
]`

const cephHosts = `[{"addr": "192.0.2.1", "hostname": "store-1", "labels": ["osd", "_admin"], "status": ""}, {"addr": "192.0.2.2", "hostname": "store-2", "labels": [], "status": "Offline"}]`

const cephVersions = `{
    "mon": {"ceph version 17.2.8 (0000000000000000000000000000000000000000) quincy (stable)": 3},
    "osd": {"ceph version 17.2.8 (0000000000000000000000000000000000000000) quincy (stable)": 40, "ceph version 17.2.7 (1000000000000000000000000000000000000000) quincy (stable)": 2},
    "rgw": {},
    "overall": {"ceph version 17.2.8 (0000000000000000000000000000000000000000) quincy (stable)": 43, "ceph version 17.2.7 (1000000000000000000000000000000000000000) quincy (stable)": 2}
}`

// seen shows an inventory in lines that a test can compare.
func seen(inv sbom.Inventory) []string {
	var out []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			out = append(out, fmt.Sprintf("%s %s | %s %s x%d ns=%s in %s", a.ID, a.Version, s.State, strings.Join(s.Hosts, ","), s.Replicas, s.Namespace, s.Workload))
		}
	}
	slices.Sort(out)
	return out
}

func TestCephDaemonsAreCountedByImageHostAndService(t *testing.T) {
	dir := write(t, map[string]string{"orch-ps.json": orchPS})
	inv, err := read(t, "ceph: {orch_ps: orch-ps.json}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:quay.io/ceph/ceph-grafana:9.4.7 9.4.7 | declared store-2 x0 ns= in grafana",
		"image:" + cephIndex + " 17.2.8 | running store-1 x2 ns= in osd.disks",
		"image:" + cephIndex + " 17.2.8 | stopped store-2 x0 ns= in osd.disks",
		"image:" + nodeDigest + " 1.5.0 | running store-1 x1 ns= in node-exporter",
	}
	if diff := cmp.Diff(want, seen(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a := inv.Artifacts[1]
	if a.Name != "ceph" || a.Config != audit.Digest("sha256:"+cephConfig) || !slices.Equal(a.Digests, []audit.Digest{cephAMD64}) || a.TierHint != nil || a.Replicas != 2 {
		t.Errorf("artifact = %+v, want name ceph with its configuration, the other digest and no tier", a)
	}
	if a.Sightings[0].Reference != "quay.io/ceph/ceph:v17" || a.Sightings[0].Origin.Line == 0 || a.Sightings[0].Origin.Digest != audit.DigestOf([]byte(orchPS)) {
		t.Errorf("sighting = %+v, want reference, line and the digest of the file", a.Sightings[0])
	}
	for _, want := range []string{"orch-ps.json: 1 daemons name no image: mds.fs", "orch-ps.json: 1 daemons are in no state that is known: grafana"} {
		if !contains(reasons(inv), want) {
			t.Errorf("failures %q, want one with %q", reasons(inv), want)
		}
	}
}

func TestCephadmOfEachHostJoinsTheListOfTheCluster(t *testing.T) {
	dir := write(t, map[string]string{"orch-ps.json": orchPS, "ls/store-1.json": cephadmLS, "ls/cephadm-ls-store-2.json": cephadmLS})
	inv, err := read(t, "ceph: {orch_ps: orch-ps.json, ls: 'ls/*.json'}", dir)
	if err != nil {
		t.Fatal(err)
	}
	lines := seen(inv)
	for _, want := range []string{
		"image:" + cephIndex + " 17.2.8 | running store-1 x1 ns= in mgr",
		"image:" + cephIndex + " 17.2.8 | running store-2 x1 ns= in mgr",
		"software:ceph@15.2.17 15.2.17 | running store-1 x1 ns= in mon",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
	one, err := read(t, "ceph: {ls: [ls/store-1.json], host: store-9.example}", dir)
	if err != nil || len(one.Artifacts) != 2 || !slices.Equal(one.Artifacts[0].Sightings[0].Hosts, []string{"store-9.example"}) {
		t.Errorf("inventory %v, error %v, want two artifacts on store-9.example", seen(one), err)
	}
}

func TestCephHostsAreExpectedAndVersionsRun(t *testing.T) {
	dir := write(t, map[string]string{"hosts.json": cephHosts, "versions.json": cephVersions})
	inv, err := read(t, "ceph: {hosts: hosts.json, versions: versions.json}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"software:ceph@17.2.7 17.2.7 | running  x2 ns= in osd",
		"software:ceph@17.2.8 17.2.8 | running  x3 ns= in mon",
		"software:ceph@17.2.8 17.2.8 | running  x40 ns= in osd",
	}
	if diff := cmp.Diff(want, seen(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(inv.Expected) != 2 || inv.Expected[0].Name != "store-1" || inv.Expected[0].List != "Ceph hosts" || !slices.Equal(inv.Expected[0].Groups, []string{"_admin", "osd"}) {
		t.Errorf("expected = %+v, want the two hosts", inv.Expected)
	}
}

func TestFilesOfCephKeepOnlyTheFieldsThatAreRead(t *testing.T) {
	dir := write(t, map[string]string{"orch-ps.json": orchPS, "store-1.json": cephadmLS, "hosts.json": cephHosts, "versions.json": cephVersions})
	kept := map[string]audit.Blob{}
	opt := source.Options{At: assessedAt, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept[b.Name] = b
		return audit.DigestOf(b.Data), nil
	}}
	s, err := decode(t, "ceph: {orch_ps: orch-ps.json, ls: store-1.json, hosts: hosts.json, versions: versions.json}", dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range kept {
		all = append(all, b.Data...)
		if b.Withheld == "" || b.Origin.Digest == audit.DigestOf(b.Data) || !json.Valid(b.Data) {
			t.Errorf("%s: want withheld reduced JSON with the digest of the original", name)
		}
	}
	if len(kept) != 4 {
		t.Errorf("%d files kept, want 4", len(kept))
	}
	for _, never := range []string{"192.0.2.", "0f0f0f0f", "memory_usage", "INFO", dir} {
		if strings.Contains(string(all), never) {
			t.Errorf("%q is in the inventory or the evidence", never)
		}
	}
}

func TestFilesOfCephThatAreWrongCostOnlyThemselves(t *testing.T) {
	good := map[string]string{"hosts.json": cephHosts}
	tests := []struct{ name, key, text, want string }{
		{"the table for people", "orch_ps", "NAME  HOST  PORTS\nmgr.x  a\n", "this is no JSON; the table that the command prints for people is not read"},
		{"an empty file", "orch_ps", " \n", "x.json: the file is empty"},
		{"a file that breaks off", "orch_ps", orchPS[:1400], "the file breaks off"},
		{"an object for a list", "orch_ps", "{}", "this is no JSON list"},
		{"a key twice", "orch_ps", "[{\"version\": \"1\", \"Version\": \"2\"}]", `line 1: an entry is no daemon: key "Version" stands twice`},
		{"text after the list", "orch_ps", "[]\n{}", "line 2: something follows the list"},
		{"no UTF-8", "orch_ps", "[{\"version\": \"\xff\"}]", "not UTF-8"},
		{"endless nesting", "orch_ps", "[" + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "]", "nested more than 64 deep"},
		{"a wrong type", "orch_ps", `[{"daemon_type": 7}]`, "line 1: an entry is no daemon: daemon_type is a number, want a text"},
		{"a host name with a line break", "orch_ps", `[{"daemon_type": "osd", "hostname": "a\nb", "container_image_name": "a:1"}]`, "no proper name"},
		{"an image name with a line break", "orch_ps", `[{"daemon_type": "osd", "container_image_name": "a\nb"}]`, "no proper name"},
		{"a reference that is none", "orch_ps", `[{"daemon_type": "osd", "container_image_name": "A B"}]`, `image reference "A B"`},
		{"a digest that is none", "orch_ps", `[{"daemon_type": "osd", "container_image_name": "a/b:1", "container_image_digests": ["x"]}]`, `"x" of container_image_digests is no repository@sha256:digest`},
		{"a config that is none", "orch_ps", `[{"daemon_type": "osd", "container_image_name": "a/b:1", "container_image_id": "x"}]`, "container_image_id"},
		{"versions that are a list", "versions", "[]", "it is a array, want an object"},
		{"versions of something else", "versions", `{"mon": {"version one": 1}}`, "is no version of Ceph with a count"},
		{"a negative count", "versions", `{"mon": {"ceph version 17.2.8": -1}}`, "is no version of Ceph with a count"},
		{"a file that is not there", "versions", "", "no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"hosts.json": good["hosts.json"]}
			if tt.text != "" {
				files["x.json"] = tt.text
			}
			inv, err := read(t, "ceph: {hosts: hosts.json, "+tt.key+": x.json}", write(t, files))
			if err != nil || len(inv.Expected) != 2 {
				t.Fatalf("error %v, expected %d, want the hosts all the same", err, len(inv.Expected))
			}
			if !contains(reasons(inv), tt.want) {
				t.Errorf("failures %q\nwant one with %q", reasons(inv), tt.want)
			}
		})
	}
	inv, err := read(t, "ceph: {orch_ps: x.json}", write(t, map[string]string{"x.json": orchPS[:1400]}))
	if err != nil || len(inv.Artifacts) != 1 {
		t.Errorf("error %v, artifacts %v, want what was complete before the file broke off", err, seen(inv))
	}
	if _, err := read(t, "ceph: {orch_ps: x.json}", write(t, map[string]string{"y": ""})); err == nil ||
		!strings.Contains(err.Error(), "reading files of Ceph: x.json: no such file or directory; write it again: ceph orch ps --format json > orch-ps.json") {
		t.Errorf("error = %v", err)
	}
}

func TestAnEntryForCephThatIsWrongIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		"ceph: {}":                              "ceph needs one of the keys orch_ps, ls, hosts, versions",
		"ceph: {host: a}":                       "ceph needs one of the keys",
		"ceph: {ls: [a.json, b.json], host: a}": "host names the machine of one file",
		"ceph: {ls: '*.json', host: a}":         "host names the machine of one file",
		"ceph: {ls: a.json, host: 'a b'}":       `host "a b" is not letters`,
		"ceph: {orch: a.json}":                  `unknown key "orch" in ceph`,
	} {
		if _, err := decode(t, in, ".", source.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want one with %s", in, err, want)
		}
	}
	s, err := decode(t, "ceph: {orch_ps: o.json, ls: ['h/*.json'], versions: v.json}", "/nowhere", source.Options{})
	if err != nil || s.Name() != "ceph o.json" || len(s.Contacts()) != 3 || s.Contacts()[1].Address != "h/*.json" {
		t.Errorf("source %v, error %v", s, err)
	}
}

func FuzzCephDaemonsKeepTheLawsOfAnInventory(f *testing.F) {
	f.Add([]byte(orchPS))
	f.Add([]byte(cephadmLS))
	f.Add([]byte(cephHosts))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzRead(t, "ceph: {orch_ps: x.json}", data)
		fuzzOrder(t, "ceph: {orch_ps: x.json}", data)
	})
}

// fuzzOrder checks that the order of a list does not change what is read from it.
func fuzzOrder(t *testing.T, entry string, data []byte) {
	t.Helper()
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		return
	}
	var got [2][]string
	for i := range got {
		text, err := json.Marshal(list)
		if err != nil {
			return
		}
		inv, _ := fuzzRead(t, entry, text)
		got[i] = seen(inv)
		slices.Reverse(list)
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("another order of the entries gives another inventory:\n%s", diff)
	}
}

// fuzzRead writes one file, reads it and checks what holds for every inventory. It reports whether something was read.
func fuzzRead(t *testing.T, entry string, data []byte) (sbom.Inventory, bool) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	inv, err := read(t, entry, dir)
	if err != nil {
		return inv, false
	}
	ids := map[string]bool{}
	for _, a := range inv.Artifacts {
		if len(a.Sightings) == 0 || ids[a.ID] || a.Name == "" || strings.ContainsFunc(a.Name, func(r rune) bool { return r == '\n' }) {
			t.Errorf("artifact %q has no sighting, no proper name or an id that is not its own", a.ID)
		}
		ids[a.ID] = true
	}
	return inv, true
}
