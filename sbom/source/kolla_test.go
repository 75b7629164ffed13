package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const kollaGlobals = `---
# openstack_release: "master"
openstack_release: 2025.2
docker_registry: quay.io
docker_namespace: openstack.kolla
kolla_base_distro: ubuntu
openstack_tag: "{{ openstack_release }}-ubuntu-noble"
#enable_heat: true
enable_cinder: "yes"
enable_cinder_backup: "{{ enable_cinder }}"
enable_haproxy: no
docker_registry_password: ` + canary + `
keystone_admin_password: ` + canary + `
`

func TestPlainKollaSaysOnlyWhatItsGlobalsState(t *testing.T) {
	dir := write(t, map[string]string{"globals.yml": kollaGlobals, "multinode": "[control]\nctl[1:2]\n[deployment]\nlocalhost ansible_connection=local\n"})
	inv, err := read(t, "kolla: {globals: ./globals.yml, inventory: ./multinode}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []sbom.Artifact{{ID: "software:openstack@2025.2", Kind: sbom.KindSoftware, Name: "openstack", Reference: "openstack@2025.2", Version: "2025.2",
		Sightings: []sbom.Sighting{{Source: "kolla", Declared: true, State: sbom.StateDeclared, Reference: "openstack@2025.2",
			Where:  "./globals.yml: openstack_release (docker_registry quay.io, docker_namespace openstack.kolla, kolla_base_distro ubuntu, openstack_tag 2025.2-ubuntu-noble)",
			Origin: audit.Origin{Source: "kolla", Path: "./globals.yml", Line: 3, Digest: audit.DigestOf([]byte(kollaGlobals)), At: assessedAt}}}}}
	if diff := cmp.Diff(want, inv.Artifacts); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cinder: enabled", "cinder-backup: enabled", "haproxy: disabled"}, members(inv, sbom.ExpectedService)); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ctl1: control", "ctl2: control"}, members(inv, sbom.ExpectedHost)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if len(inv.Failures) != 0 {
		t.Errorf("failures = %+v, want none", inv.Failures)
	}
	if out := everything(t, "kolla: {globals: ./globals.yml, inventory: ./multinode}", dir); strings.Contains(out, canary) || strings.Contains(out, "password") {
		t.Errorf("a password is let out:\n%s", out)
	}
}

func TestWhatGlobalsLeaveOpenIsSaid(t *testing.T) {
	tests := []struct{ name, text, id, reason string }{
		{"nothing stated", "---\nworkaround_ansible_issue_8743: true\n", "", "globals.yml states no openstack_release"},
		{"the tag alone", "openstack_tag: 2025.1-debian-bookworm\n", "software:openstack@2025.1", ""},
		{"a branch", "openstack_release: master\n", "software:openstack@master", ""},
		{"a key without a value", "openstack_release:\ndocker_registry: ''\n", "", "globals.yml states no openstack_release"},
		{"a tag of another release", "openstack_release: 2025.2\nopenstack_tag: 2025.1-x\n", "software:openstack@2025.2", "openstack_tag is of release 2025.1, openstack_release says 2025.2"},
		{"a tag that hangs on what is not set", "openstack_release: 2025.2\nopenstack_tag: '{{ openstack_release ~ openstack_tag_suffix }}'\n", "software:openstack@2025.2", "line 2: openstack_tag: openstack_release is more than"},
		{"a registry with a password", "openstack_release: 2025.2\ndocker_registry: u:" + canary + "@r.example\n", "software:openstack@2025.2", "docker_registry holds what stands in no version"},
		{"a switch twice", "openstack_release: 2025.2\nenable_x: yes\nenable_x: no\n", "software:openstack@2025.2", "line 3: enable_x stands twice; the last counts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "kolla: {globals: globals.yml}", write(t, map[string]string{"globals.yml": tt.text}))
			if err != nil {
				t.Fatal(err)
			}
			if tt.reason == "" && len(inv.Failures) > 0 || !contains(append(reasons(inv), ""), tt.reason) || strings.Contains(strings.Join(reasons(inv), ""), canary) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.reason)
			}
			got := ""
			for _, a := range inv.Artifacts {
				got += a.ID
			}
			if got != tt.id {
				t.Errorf("artifacts = %q, want %q", got, tt.id)
			}
		})
	}
}

func TestKollaReadsWhatIsThere(t *testing.T) {
	dir := write(t, map[string]string{"globals.yml": kollaGlobals, "multinode": "[control]\na\n", "encrypted.yml": "$ANSIBLE_VAULT;1.1;AES256\n33\n", "d/": ""})
	for in, want := range map[string]string{
		"{globals: globals.yml, inventory: gone}":        "gone: no such file or directory",
		"{globals: globals.yml, inventory: d}":           "d: it is a directory, want a file",
		"{globals: gone.yml, inventory: multinode}":      "gone.yml: no such file or directory",
		"{globals: encrypted.yml, inventory: multinode}": "encrypted.yml: the file is encrypted with Ansible Vault",
	} {
		inv, err := read(t, "kolla: "+in, dir)
		if err != nil || !contains(reasons(inv), want) || len(inv.Expected) == 0 {
			t.Errorf("%s: error %v, failures %q, expected %v, want a failure with %s and the rest", in, err, reasons(inv), inv.Expected, want)
		}
	}
	if _, err := read(t, "kolla: {globals: gone.yml, inventory: gone}", dir); err == nil || !strings.Contains(err.Error(), `reading kolla "gone.yml": gone.yml: no such file`) {
		t.Errorf("error = %v, want one that names the file", err)
	}
	if _, err := decode(t, "kolla: {globals: ./secrets.yml}", dir, source.Options{}); err == nil || !strings.Contains(err.Error(), "named like a file of secrets") {
		t.Errorf("error = %v, want a refusal", err)
	}
}

func FuzzGlobalsDeclareOnlyAndLetNoPasswordOut(f *testing.F) {
	f.Add(strings.ReplaceAll(kollaGlobals, canary, "x"))
	f.Add("enable_a: &a yes\nenable_b: *a\nopenstack_release: '{{ openstack_tag }}'\nopenstack_tag: '{{ openstack_release }}'")
	f.Fuzz(func(t *testing.T, text string) {
		dir := write(t, map[string]string{"g.yml": text + "\nadmin_password: " + canary + "\n"})
		inv, err := read(t, "kolla: {globals: g.yml}", dir)
		if err != nil {
			return
		}
		checkDeclared(t, inv)
		checkExpected(t, inv)
		if strings.Contains(everything(t, "kolla: {globals: g.yml}", dir), canary) {
			t.Fatal("a password is let out")
		}
	})
}
