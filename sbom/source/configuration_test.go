package source_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// repository is a small configuration repository in the form of OSISM, with secrets in every place where operators put
// them.
func repository() map[string]string {
	return map[string]string{
		"environments/configuration.yml": "docker_registry: registry.example\nmirror: other.example\n",
		"environments/secrets.yml":       "$ANSIBLE_VAULT;1.1;AES256\n" + canary + "\n",
		"environments/manager/configuration.yml": `---
# versions
ceph_version: reef
manager_version: 8.0.2
openstack_version: 2024.2
docker_registry_ansible: quay.example:5000
docker_registry_password: ` + canary + `
operator_password: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  ` + canary + `
vaulted_tag: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  ` + canary + `
listener_uri: "amqp://openstack:` + canary + `@192.0.2.1:5672"
proxy_registry: "https://user:` + canary + `@registry.example"
`,
		"environments/manager/secrets.yml": "netbox_tag: " + canary + "\n",
		"environments/manager/images.yml": `---
netbox_tag: "v4.1.3"
netbox_image: "{{ docker_registry_netbox|default('quay.io') }}/osism/netbox:{{ netbox_tag }}"
vault_tag: "1.17.6"
vault_image: "{{ docker_registry }}/hashicorp/vault:{{ vault_tag }}"
osism_ansible_tag: "{{ manager_version | default('latest') }}"
osism_ansible_image: "{{ docker_registry_ansible|default('quay.io') }}/osism/osism-ansible:{{ osism_ansible_tag }}"
kolla_ansible_tag: "{{ kolla_version|default(openstack_version) }}"
kolla_ansible_image: "{{ docker_registry_ansible }}/osism/kolla-ansible:{{ kolla_ansible_tag }}"
pinned_image: quay.io/osism/pinned:1.0.0@` + keystoneDigest + `
`,
		"environments/kolla/configuration.yml": `---
enable_skyline: "yes"
enable_heat: no
enable_ceph_rgw: true
enable_ceph_rgw_keystone: "{{ enable_ceph_rgw | bool }}"
kolla_enable_tls_external: "yes"
neutron_plugin_agent: ovn
keystone_admin_password: ` + canary + `
`,
		"environments/kolla/images.yml":      "# nothing\ndummy:\n",
		"environments/kolla/secrets.yml.old": canary,
		"inventory/10-custom":                "[nodes]\nnode[01:02] ansible_password=" + canary + "\n",
		"inventory/20-roles":                 "[control:children]\nnodes\n[compute]\nnode03\n",
		"inventory/group_vars/all.yml":       "docker_registry_netbox: " + canary + ".example\n",
		"inventory/host_vars/node01.yml":     "password: " + canary + "\n",
		"inventory/secrets":                  "[secret]\n" + canary + "\n",
		"inventory/README.md":                "not an inventory",
		"inventory/ansible.cfg":              "[defaults]\n",
	}
}

func with(files map[string]string, change map[string]string) map[string]string {
	out := maps.Clone(files)
	for name, text := range change {
		if text == "" {
			delete(out, name)
			continue
		}
		out[name] = text
	}
	return out
}

func TestAConfigurationSaysWhatShallRun(t *testing.T) {
	inv, err := read(t, "configuration: {repository: ./conf}", prefixed(t, "conf", repository()))
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ id, name, version, unpinned, hint, where string }
	var got []line
	for _, a := range inv.Artifacts {
		s := a.Sightings[0]
		if len(a.Sightings) != 1 || a.Seen() || s.State != sbom.StateDeclared || s.Source != "configuration" || s.Reference != a.Reference || s.Digest != a.Digest {
			t.Errorf("%s: sightings %+v, want one that is declared, with the reference", a.ID, a.Sightings)
		}
		got = append(got, line{a.ID, a.Name, a.Version, a.Unpinned, strings.Join(a.TierHint, " "), s.Where})
	}
	const manager, images = "environments/manager/configuration.yml: ", "environments/manager/images.yml: "
	want := []line{
		{"image:quay.example:5000/osism/kolla-ansible:2024.2", "kolla-ansible", "", "tag 2024.2 names the OpenStack release 2024.2, which is rebuilt under the same tag", "ops", images + "kolla_ansible_image"},
		{"image:quay.example:5000/osism/osism-ansible:8.0.2", "osism-ansible", "8.0.2", "", "ops", images + "osism_ansible_image"},
		{"image:quay.io/osism/netbox:v4.1.3", "netbox", "4.1.3", "", "ops", images + "netbox_image"},
		{"image:registry.example/hashicorp/vault:1.17.6", "vault", "1.17.6", "", "ops", images + "vault_image"},
		{"image:" + keystoneDigest, "pinned", "1.0.0", "", "ops", images + "pinned_image"},
		{"software:ceph@reef", "ceph", "", "", "", manager + "ceph_version"},
		{"software:openstack@2024.2", "openstack", "2024.2", "", "", manager + "openstack_version"},
		{"software:osism-manager@8.0.2", "osism-manager", "8.0.2", "", "", manager + "manager_version"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	wantNames := []string{"ceph-rgw-keystone: enabled", "ceph-rgw: enabled", "heat: disabled", "skyline: enabled"}
	services := members(inv, sbom.ExpectedService)
	slices.Sort(services)
	if diff := cmp.Diff(wantNames, services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"node01: control nodes", "node02: control nodes", "node03: compute"}, members(inv, sbom.ExpectedHost)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	if len(inv.Failures) != 0 {
		t.Errorf("failures = %+v, want none", inv.Failures)
	}
	wantOrigin := audit.Origin{Source: "configuration", Path: "environments/manager/configuration.yml", Line: 5, At: assessedAt,
		Digest: audit.DigestOf([]byte(repository()["environments/manager/configuration.yml"]))}
	if diff := cmp.Diff(wantOrigin, inv.Artifacts[6].Sightings[0].Origin); diff != "" {
		t.Errorf("origin (-want +got):\n%s", diff)
	}
}

// prefixed writes files below a folder of a new directory and returns the directory.
func prefixed(t *testing.T, folder string, files map[string]string) string {
	t.Helper()
	out := map[string]string{}
	for name, text := range files {
		out[folder+"/"+name] = text
	}
	return write(t, out)
}

func TestAVariableThatIsNotKnownIsNamedAndNotGuessed(t *testing.T) {
	images := "environments/manager/images.yml"
	tests := []struct{ name, line, id, shortName, unpinned, reason string }{
		{"a registry that is not set", `a_b_image: "{{ nowhere }}/osism/box:1.2.3"`, "image:osism/box:1.2.3", "box",
			"the variable nowhere is not set in the files that are read", images + ": line 1: a_b_image: the variable nowhere is not set"},
		{"a tag that is not set", `a_b_image: "quay.io/osism/box:{{ nowhere }}"`, "image:quay.io/osism/box:{{ nowhere }}", "a-b",
			"the variable nowhere is not set in the files that are read", "the variable nowhere is not set"},
		{"a default that is a variable that is not set", `a_b_image: "quay.io/osism/box:{{ x|default(y) }}"`, "image:quay.io/osism/box:{{ y }}", "a-b",
			"the variable y is not set in the files that are read", "the variable y is not set"},
		{"an encrypted variable", `a_b_image: "quay.io/osism/box:{{ vaulted_tag|default('1.0.0') }}"`, "image:quay.io/osism/box:{{ vaulted_tag }}", "a-b",
			"the variable vaulted_tag is encrypted with Ansible Vault", "the variable vaulted_tag is encrypted"},
		{"a variable of a kind that is not read", `a_b_image: "{{ mirror|default('quay.io') }}/osism/box:1.0.0"`, "image:osism/box:1.0.0", "box",
			"the variable mirror is set, but is none of the variables that are read", "the variable mirror is set, but"},
		{"a password", `a_b_image: "quay.io/osism/box:{{ docker_registry_password }}"`, "image:quay.io/osism/box:{{ docker_registry_password }}", "a-b",
			"the variable docker_registry_password is set, but is none of the variables that are read", "docker_registry_password is set, but"},
		{"a registry with a password", `a_b_image: "{{ proxy_registry }}/osism/box:1.0.0"`, "image:osism/box:1.0.0", "box",
			"the variable proxy_registry holds what stands in no version, image or switch", "proxy_registry holds what"},
		{"an expression", `a_b_image: "quay.io/osism/box:{{ lookup('env', 'X') }}"`, "image:quay.io/osism/box:{{ lookup }}", "a-b",
			"lookup is more than a variable with a default", "lookup is more than"},
		{"a filter", `a_b_image: "quay.io/osism/box:{{ netbox_tag | upper }}"`, "image:quay.io/osism/box:{{ netbox_tag }}", "a-b",
			"netbox_tag is more than a variable with a default", "netbox_tag is more than"},
		{"a default with two arguments", `a_b_image: "quay.io/osism/box:{{ x | default('1', true) }}"`, "image:quay.io/osism/box:{{ x }}", "a-b",
			"x is more than a variable with a default", "x is more than"},
		{"a statement", `a_b_image: "{% if x %}quay.io/osism/box:1{% endif %}"`, "image:{{ ? }}", "a-b",
			"an expression is more than a variable with a default", "an expression is more than"},
		{"a variable of itself", "a_tag: '{{ a_tag }}'\n" + `a_b_image: "quay.io/osism/box:{{ a_tag }}"`, "image:quay.io/osism/box:{{ a_tag }}", "a-b",
			"the variable a_tag leads through too many others, perhaps to itself", "line 2: a_b_image: the variable a_tag leads through"},
		{"many variables of many", "a_tag: '" + strings.Repeat("{{b_tag}}", 100) + "'\nb_tag: '" + strings.Repeat("{{a_tag}}", 100) + "'\na_b_image: '{{ a_tag }}'", "", "", "", "a_b_image: it is longer than 1024 bytes"},
		{"no reference", "a_b_image: 'quay.io/OSISM/box:1'", "image:quay.io/OSISM/box:1", "a-b", "the reference cannot be read", `line 1: a_b_image: image reference`},
		{"an empty text", "a_b_image: \"{{ x | d('') }}\"", "", "", "", "a_b_image: it is empty"},
		{"a list", "a_b_image: [a]", "", "", "", "a_b_image is no single value"},
		{"nothing", "a_b_image:", "", "", "", "a_b_image has no value"},
		{"a value that stands twice", "a_b_image: quay.io/osism/box:1.0.0\na_b_image: quay.io/osism/box:2.0.0", "image:quay.io/osism/box:2.0.0", "box", "", "line 2: a_b_image stands twice; the last counts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := with(repository(), map[string]string{images: tt.line + "\nnetbox_tag: v4.1.3\n"})
			inv, err := read(t, "configuration: {repository: .}", write(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if !contains(reasons(inv), tt.reason) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.reason)
			}
			i := slices.IndexFunc(inv.Artifacts, func(a sbom.Artifact) bool { return a.ID == tt.id })
			if tt.id != "" && i < 0 {
				t.Fatalf("artifact %q is lost", tt.id)
			}
			if a := inv.Artifacts[max(i, 0)]; tt.id != "" && (a.Name != tt.shortName || a.Unpinned != tt.unpinned) {
				t.Errorf("name %q, unpinned %q, want %q, %q", a.Name, a.Unpinned, tt.shortName, tt.unpinned)
			}
		})
	}
}

func TestABrokenPartOfAConfigurationCostsThatPartOnly(t *testing.T) {
	const manager, kolla = "environments/manager/configuration.yml", "environments/kolla/configuration.yml"
	tests := []struct {
		name   string
		change map[string]string
		reason string
	}{
		{"no configuration of the manager", map[string]string{manager: ""}, manager + ": manager_version is not set"},
		{"an encrypted configuration", map[string]string{manager: "$ANSIBLE_VAULT;1.1;AES256\n" + canary}, manager + ": the file is encrypted with Ansible Vault"},
		{"half a file", map[string]string{kolla: "enable_heat: [1,\n"}, kolla + ": line"},
		{"a file that quotes a secret in its fault", map[string]string{kolla: "x: *" + canary + "\n"}, kolla + ": this is no YAML"},
		{"a list for a file", map[string]string{kolla: "- a\n"}, kolla + ": line 1: the file is no mapping"},
		{"an empty file", map[string]string{kolla: "---\n"}, kolla + ": "},
		{"a switch that is no answer", map[string]string{kolla: "enable_heat: maybe\n"}, "line 1: whether enable_heat is enabled is not known: the value is neither yes nor no"},
		{"a switch that is an expression", map[string]string{kolla: "enable_heat: \"{{ 'yes' if x else 'no' }}\"\n"}, "whether enable_heat is enabled is not known: an expression is more than"},
		{"a switch that hangs on another", map[string]string{kolla: "enable_heat: '{{ enable_x }}'\n"}, "whether enable_heat is enabled is not known: the variable enable_x is not set"},
		{"an encrypted switch", map[string]string{kolla: "enable_heat: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  33\n"}, "whether enable_heat is enabled is not known: enable_heat is encrypted"},
		{"a version that is an expression", map[string]string{manager: "manager_version: '{{ x }}'\n"}, "line 1: the variable x is not set"},
		{"a version that is none", map[string]string{manager: "manager_version: 'a b'\n"}, "line 1: manager_version is no version"},
		{"a version that is a mapping", map[string]string{manager: "manager_version: {a: b}\n"}, "line 1: manager_version is no single value"},
		{"no kolla", map[string]string{kolla: ""}, "which services are enabled is not known"},
		{"no inventory", map[string]string{"inventory/10-custom": "", "inventory/20-roles": ""}, "inventory: no inventory file is there: the hosts are not known"},
		{"a group that is not there", map[string]string{"inventory/10-custom": ""}, "inventory/20-roles: line 2: the group nodes, which stands in control, is not there"},
		{"an inventory that is a program", map[string]string{"inventory/30-more": "#!/usr/bin/env python3\nprint()\n"}, "inventory/30-more: it is a program, which is not run"},
		{"an encrypted inventory", map[string]string{"inventory/30-more": "$ANSIBLE_VAULT;1.1;AES256\n"}, "inventory/30-more: the file is encrypted"},
		{"a deep inventory", map[string]string{"inventory/a/b/c/d/e/f": "[g]\nh\n"}, "inventory/a/b/c/d/e: folders more than 4 deep are not read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "configuration: {repository: .}", write(t, with(repository(), tt.change)))
			if err != nil {
				t.Fatal(err)
			}
			if !contains(reasons(inv), tt.reason) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.reason)
			}
			if len(inv.Artifacts) == 0 {
				t.Error("everything is lost")
			}
		})
	}
}

func TestAMovingVersionIsUnpinned(t *testing.T) {
	files := with(repository(), map[string]string{"environments/manager/configuration.yml": "manager_version: latest\nceph_version: main\nopenstack_version: master\n"})
	inv, err := read(t, "configuration: {repository: .}", write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range inv.Artifacts {
		got[a.ID] = a.Unpinned
	}
	for id, want := range map[string]string{"software:osism-manager@latest": "latest names whatever is newest", "software:ceph@main": "main is a branch or a moving name, not a version",
		"software:openstack@master": "master is a branch or a moving name, not a version"} {
		if got[id] != want {
			t.Errorf("%s: unpinned %q, want %q", id, got[id], want)
		}
	}
}

func TestAConfigurationThatIsNotThereGivesOneClearError(t *testing.T) {
	dir := write(t, map[string]string{"empty/x": "y", "file": "x"})
	for in, want := range map[string]string{
		"gone":  `reading configuration "gone": no such file or directory; name the directory that holds environments and inventory`,
		"file":  `reading configuration "file": not a directory`,
		"empty": `reading configuration "empty": environments: no such file or directory`,
	} {
		_, err := read(t, "configuration: {repository: "+in+"}", dir)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error = %v\nwant one with %s and no path of this machine", in, err, want)
		}
	}
}

func TestALinkLeadsToNoSecretsAndNotOut(t *testing.T) {
	dir := prefixed(t, "conf", with(repository(), map[string]string{"environments/kolla/configuration.yml": "", "environments/kolla/images.yml": ""}))
	outside := filepath.Join(dir, "outside.yml")
	if err := os.WriteFile(outside, []byte("enable_x: "+canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"../manager/secrets.yml":                "it leads to a file of secrets, which is not opened",
		"../../inventory/group_vars/all.yml":    "it leads to a file of secrets, which is not opened",
		"../../../outside.yml":                  "path escapes from parent",
		outside:                                 "it is a link out of the repository",
		"configuration.yml":                     "it is a link through too many others",
		"../../environments/manager/gone.yml":   "which services are enabled is not known",
		"../manager/configuration.yml":          "",
		"../manager/../manager/../../inventory": "it is a directory",
	} {
		link := filepath.Join(dir, "conf", "environments", "kolla", "configuration.yml")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		inv, err := read(t, "configuration: {repository: conf}", dir)
		if err != nil {
			t.Fatal(err)
		}
		if (want == "" && len(inv.Failures) > 0) || (want != "" && !contains(reasons(inv), want)) || strings.Contains(strings.Join(reasons(inv), " "), canary) {
			t.Errorf("link to %s: failures = %q, want one with %q", strings.ReplaceAll(target, dir, "DIR"), reasons(inv), want)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecretsOfAConfigurationAreNeverLetOut(t *testing.T) {
	out := everything(t, "configuration: {repository: .}", write(t, repository()))
	if strings.Contains(out, canary) {
		t.Errorf("the canary is let out:\n%s", out)
	}
	for _, name := range []string{"secrets", "group_vars", "host_vars", "password", "$ANSIBLE_VAULT"} {
		if strings.Contains(out, name) {
			t.Errorf("%s is let out:\n%s", name, out)
		}
	}
	for _, want := range []string{`"manager_version":"8.0.2"`, `"enable_skyline":"yes"`, `"vaulted_tag":"(is encrypted with Ansible Vault)"`, `"hosts":["node01","node02"]`} {
		if !strings.Contains(out, want) {
			t.Errorf("the kept evidence lacks %s:\n%s", want, out)
		}
	}
}

func FuzzAConfigurationDeclaresOnlyAndLetsNoPasswordOut(f *testing.F) {
	for _, name := range []string{"environments/manager/configuration.yml", "environments/manager/images.yml", "environments/kolla/configuration.yml"} {
		f.Add(strings.ReplaceAll(repository()[name], canary, "x"))
	}
	f.Add("a_image: '{{ a_image }}{{'\nenable_: yes\nenable_a: {{x}}\n")
	f.Add("a_image: \"{{ x | default('y') | default(z) }}/{#\"")
	f.Fuzz(func(t *testing.T, text string) {
		secret := text + "\nsome_password: " + canary + "\nkey: !vault " + canary + "\n"
		dir := write(t, map[string]string{"environments/manager/configuration.yml": secret, "environments/manager/images.yml": text,
			"environments/kolla/configuration.yml": secret, "inventory/a": "[g]\nh\n"})
		one, first := read(t, "configuration: {repository: .}", dir)
		two, second := read(t, "configuration: {repository: .}", dir)
		if first != nil || second != nil {
			t.Fatalf("errors %v, %v", first, second)
		}
		if diff := cmp.Diff(one, two); diff != "" {
			t.Fatalf("two runs differ:\n%s", diff)
		}
		checkDeclared(t, one)
		checkExpected(t, one)
		if strings.Contains(everything(t, "configuration: {repository: .}", dir), canary) {
			t.Fatal("a password is let out")
		}
	})
}

// checkDeclared holds what is true of every source of intent: artifacts have one ID each and sightings that are declared.
func checkDeclared(t *testing.T, inv sbom.Inventory) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range inv.Artifacts {
		if a.ID == "" || a.Kind == "" || seen[a.ID] || len(a.Sightings) == 0 || a.Seen() || a.Running() {
			t.Fatalf("artifact %+v is seen, has no id or sighting, or stands twice", a)
		}
		seen[a.ID] = true
		for _, s := range a.Sightings {
			if s.Where == "" || s.State == "" || s.Origin.Path == "" {
				t.Fatalf("sighting %+v has no place or state", s)
			}
		}
	}
}
