package source_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// canary stands where secrets stand; it must never be seen again.
const canary = "canary-5up3r-s3cret"

// iniInventory, yamlInventory and listInventory say the same in the three forms.
const iniInventory = `# a comment
; another
localhost ansible_connection=local
[control] # with a comment
ctl[01:03].zone1   ansible_user=ops ansible_password=` + canary + `
[compute]
cmp1:2222 ansible_become_password='` + canary + `'
cmp[a:c] # three
[cloud:children]
control
compute
[cloud:vars]
ansible_password=` + canary + `
[all:vars]
secret=` + canary + `
[empty]
[site:children]
cloud
empty
`

const yamlInventory = `all:
  vars: {ansible_password: ` + canary + `}
  hosts:
    localhost: {ansible_connection: local}
  children:
    site:
      children:
        empty:
        cloud:
          vars:
            token: !vault |
              $ANSIBLE_VAULT;1.1;AES256
              ` + canary + `
          children:
            control:
              hosts:
                ctl[01:03].zone1: {ansible_password: ` + canary + `}
            compute:
              hosts:
                cmp1:2222:
                cmp[a:c]: {x: [` + canary + `]}
`

const listInventory = `{
 "_meta": {"hostvars": {"cmp1": {"ansible_password": "` + canary + `"}, "localhost": {}}},
 "all": {"children": ["ungrouped", "site"]},
 "site": {"children": ["cloud", "empty"], "vars": {"x": "` + canary + `"}},
 "cloud": {"children": ["control", "compute"]},
 "control": {"hosts": ["ctl01.zone1", "ctl02.zone1", "ctl03.zone1"]},
 "compute": ["cmp1", "cmpa", "cmpb", "cmpc"],
 "ungrouped": {"hosts": ["localhost"]}
}
`

// members are the names of an inventory with their groups.
func members(inv sbom.Inventory, kind string) []string {
	var out []string
	for _, e := range inv.Expected {
		if e.Kind == kind {
			out = append(out, strings.TrimSpace(e.Name+": "+strings.Join(e.Groups, " ")))
		}
	}
	return out
}

func TestAnInventoryNamesEveryHostWithAllGroupsItStandsIn(t *testing.T) {
	want := []string{"cmp1: cloud compute site", "cmpa: cloud compute site", "cmpb: cloud compute site", "cmpc: cloud compute site",
		"ctl01.zone1: cloud control site", "ctl02.zone1: cloud control site", "ctl03.zone1: cloud control site"}
	for name, text := range map[string]string{"hosts": iniInventory, "hosts.ini": iniInventory, "hosts.yml": yamlInventory, "hosts.json": listInventory,
		"10-yaml": yamlInventory, "20-yaml": "---\n" + yamlInventory} {
		t.Run(name, func(t *testing.T) {
			inv, err := read(t, "crosscheck: {ansible: "+name+"}", write(t, map[string]string{name: text}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, members(inv, sbom.ExpectedHost)); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
			if len(inv.Failures) != 0 || len(inv.Artifacts) != 0 {
				t.Errorf("failures %+v, artifacts %+v, want none", inv.Failures, inv.Artifacts)
			}
		})
	}
}

func TestAHostOfAnInventoryHasAPlace(t *testing.T) {
	inv, err := read(t, "crosscheck: {ansible: hosts}", write(t, map[string]string{"hosts": iniInventory}))
	if err != nil {
		t.Fatal(err)
	}
	origin := audit.Origin{Source: "crosscheck", Path: "hosts", Line: 7, Digest: audit.DigestOf([]byte(iniInventory)), At: assessedAt}
	want := sbom.Expected{Kind: sbom.ExpectedHost, Name: "cmp1", Groups: []string{"cloud", "compute", "site"}, List: "Ansible inventory", Where: "hosts: line 7", Origin: origin}
	if diff := cmp.Diff(want, inv.Expected[0]); diff != "" {
		t.Errorf("expected (-want +got):\n%s", diff)
	}
}

func TestRangesOfHostsAreCountedAsAnsibleDoes(t *testing.T) {
	tests := []struct{ in, want, reason string }{
		{"n[1:3]", "n1 n2 n3", ""},
		{"n[08:11]", "n08 n09 n10 n11", ""},
		{"n[1:9:4]", "n1 n5 n9", ""},
		{"n[:1]", "n0 n1", ""},
		{"[a:b]x", "ax bx", ""},
		{"r[1:2]n[1:2]", "r1n1 r1n2 r2n1 r2n2", ""},
		{"n[A:C]", "nA nB nC", ""},
		{"n[3:3]", "n3", ""},
		{"n[3:1]", "", "begins after its end"},
		{"n[01:100]", "", "differ in length"},
		{"n[a:C]", "", "from lower-case to upper-case"},
		{"n[a:3]", "", "neither numbers nor letters"},
		{"n[1:]", "", "neither numbers nor letters"},
		{"n[1]", "", "not begin:end"},
		{"n[1:2:0]", "", "a step that is no number from 1"},
		{"n[1:2", "", "without its closing bracket"},
		{"n[0:99999999999]", "", "more than 100000 hosts"},
		{"n[-5:1]", "", "neither numbers nor letters"},
		{"n[1:9223372036854775807:9223372036854775807]", "", "neither numbers nor letters"},
		{"2001:db8::1", "2001:db8::1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			inv, err := read(t, "crosscheck: {ansible: hosts.ini}", write(t, map[string]string{"hosts.ini": "[g]\n" + tt.in + "\n"}))
			if tt.reason != "" {
				if err == nil || !strings.Contains(err.Error(), "hosts.ini: line 2: ") || !strings.Contains(err.Error(), tt.reason) {
					t.Errorf("error = %v, want one with line 2 and %s", err, tt.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range inv.Expected {
				got = append(got, e.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("hosts = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestABrokenPartOfAnInventoryCostsThatPartOnly(t *testing.T) {
	tests := []struct{ name, file, text, reason, host string }{
		{"a variable where a host stands", "i", "[g]\nansible_password=" + canary + "\na\n", "line 2: a host name that is neither", "a: g"},
		{"a line of other white space", "i", "[g]\n\f\n\v\u0085\na\n=\n", "line 5: a host name that is neither", "a: g"},
		{"an unknown section", "i", "[g:hosts]\na\n[g:secrets]\n" + canary + "\n", "line 3: a section that is none of", "a: g"},
		{"a group that is not there", "i", "[g]\na\n[h:children]\ng\nlost\n[k:children]\nlost\n", "line 5: the group lost, which stands in h, k, is not there", "a: g h"},
		{"a group with an odd name", "i", "[g g]\n[h]\na\n", "line 1: a group name that is not", "a: h"},
		{"a child with an odd name", "i", "[h]\na\n[g:children]\nx=" + canary + "\n", "line 4: a group name that is not", "a: h"},
		{"groups in a ring", "i", "[g]\na\n[g:children]\nh\n[h:children]\ng\nlost\n", "line 7: the group lost", "a: g h"},
		{"a list for groups", "i.yml", "g: {hosts: {a: }}\nh: {children: [x]}\n", "line 2: groups that are no mapping", "a: g"},
		{"a list for hosts", "i.yml", "g: {hosts: {a: }}\nh: {hosts: [" + canary + "]}\n", "line 2: hosts that are no mapping", "a: g"},
		{"an alias", "i.yml", "g: &g {hosts: {a: }}\nh: *g\n", "line 2: a group that is no mapping", "a: g"},
		{"an unknown key of a group", "i.yml", "g: {hosts: {a: }, " + canary + ": 1}\n", "line 1: a group has only the keys", "a: g"},
		{"a list that ends too early", "i.json", "{\n\"g\": {\"hosts\": [\"a\"]},\n\"h\": {\"hosts\": [\"b", "line 3: it ends too early", "a: g"},
		{"a list with a group that is none", "i.json", "{\"g\": {\"hosts\": [\"a\"]},\n\"h\": {\"hosts\": {\"" + canary + "\": 1}}}", `line 2: "h" is no group as ansible-inventory`, "a: g"},
		{"a list that is no JSON", "i.json", "{\"g\": {\"hosts\": [\"a\"]},\n nonsense", "line 2: this is no JSON", "a: g"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "crosscheck: {ansible: "+tt.file+"}", write(t, map[string]string{tt.file: tt.text}))
			if err != nil {
				t.Fatal(err)
			}
			if got := members(inv, sbom.ExpectedHost); !slices.Contains(got, tt.host) {
				t.Errorf("hosts = %q, want %q", got, tt.host)
			}
			if !contains(reasons(inv), tt.file+": "+tt.reason) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.reason)
			}
			if strings.Contains(fmt.Sprint(inv), canary) {
				t.Errorf("the inventory shows the canary: %+v", inv)
			}
		})
	}
}

func TestAnInventoryThatIsNoneSaysWhy(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"an encrypted file":             {"$ANSIBLE_VAULT;1.1;AES256\n3533\n", "encrypted with Ansible Vault"},
		"an empty file":                 {"\n\n", "the file is empty"},
		"the configuration of a plugin": {"plugin: openstack.cloud.openstack\nauth: {password: " + canary + "}\n", "configuration of an inventory plugin"},
		"an unknown anchor":             {"---\na: *" + canary + "\n", "this is no YAML"},
		"broken YAML":                   {"---\na: [" + canary + "\n", "this is no YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, "crosscheck: {ansible: i}", write(t, map[string]string{"i": tt.text}))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("error = %v, want one with %s and without the canary", err, tt.want)
			}
		})
	}
}

func TestALargeInventoryEndsAtItsLimits(t *testing.T) {
	var many strings.Builder
	many.WriteString("[g]\nn[1:99999]\nm[1:99999]\nmore\n")
	inv, err := read(t, "crosscheck: {ansible: i}", write(t, map[string]string{"i": many.String()}))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Expected) != 100_000 || len(inv.Failures) != 1 || !strings.Contains(inv.Failures[0].Reason, "more than 100000 hosts") {
		t.Errorf("%d hosts, failures %q, want 100,000 and one", len(inv.Expected), reasons(inv))
	}
	bad := "[g]\na\n" + strings.Repeat("=\n", 10_000)
	inv, err = read(t, "crosscheck: {ansible: i}", write(t, map[string]string{"i": bad}))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Failures) != 101 {
		t.Errorf("%d failures, want 100 and one that says there are more", len(inv.Failures))
	}
	for word, want := range map[string]string{"n!" + strings.Repeat("[0:9]", 100): "more than 100 places", "n" + strings.Repeat("[0:9]", 300): "a host name of more than 1024 bytes"} {
		inv, err := read(t, "crosscheck: {ansible: i}", write(t, map[string]string{"i": "[g]\na\n" + word + "\n"}))
		if err != nil || len(inv.Expected) != 1 || !contains(reasons(inv), want) {
			t.Errorf("%.20s...: %d hosts, failures %q, %v, want one and %q", word, len(inv.Expected), reasons(inv), err, want)
		}
	}
}

// everything returns all that a source lets out: its inventory, and what it keeps, even if nothing is withheld.
func everything(t *testing.T, entry, base string) string {
	t.Helper()
	var out strings.Builder
	opt := source.Options{At: assessedAt, PublishInput: true, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		fmt.Fprintf(&out, "%s %s %s\n", b.Name, b.Source, b.Data)
		return audit.DigestOf(b.Data), nil
	}}
	s, err := decode(t, entry, base, opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	data, fault := json.Marshal(inv)
	if fault != nil {
		t.Fatal(fault)
	}
	fmt.Fprintf(&out, "%s\n%+v\n%v", data, inv, err)
	return out.String()
}

func TestVariablesOfAnInventoryStayUnread(t *testing.T) {
	for name, text := range map[string]string{"hosts": iniInventory, "hosts.yml": yamlInventory, "hosts.json": listInventory} {
		out := everything(t, "crosscheck: {ansible: "+name+"}", write(t, map[string]string{name: text}))
		if strings.Contains(out, canary) || strings.Contains(out, "ansible_") {
			t.Errorf("%s: variables are let out:\n%s", name, out)
		}
		if !strings.Contains(out, `"name":"cmp1"`) {
			t.Errorf("%s: the kept evidence lacks the hosts:\n%s", name, out)
		}
	}
}

func FuzzVariablesNeverChangeWhatAnInventoryNames(f *testing.F) {
	f.Add(iniInventory, "ansible_password=x")
	f.Add("[a]\nb[1:3]\n[c:children]\na", "[d]\nx")
	f.Add("\f", "")
	f.Add("a:22\n[::1]:22\n[]\n[:]\n", "")
	f.Fuzz(func(t *testing.T, text, variable string) {
		variable = strings.Map(func(c rune) rune {
			if c == '\n' || c == '[' {
				return -1
			}
			return c
		}, variable)
		dir := write(t, map[string]string{"a.ini": text, "b.ini": text + "\n[zz:vars]\nv=" + variable + "\n"})
		one, first := read(t, "crosscheck: {ansible: a.ini}", dir)
		two, second := read(t, "crosscheck: {ansible: b.ini}", dir)
		if (first == nil) != (second == nil) && strings.TrimSpace(text) != "" {
			t.Fatalf("first %v, then %v", first, second)
		}
		if diff := cmp.Diff(members(one, sbom.ExpectedHost), members(two, sbom.ExpectedHost)); diff != "" {
			t.Fatalf("a variable changes the hosts:\n%s", diff)
		}
		checkExpected(t, one)
	})
}

func FuzzAnInventoryInAnyFormGivesEachHostOnce(f *testing.F) {
	for _, text := range []string{iniInventory, yamlInventory, listInventory, "{\"a\": {\"hosts\": [1]}}", "a: {hosts: b, children: c}", "{\"_meta\": 1}", "plugin: x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := write(t, map[string]string{"a": text, "a.yml": text})
		for _, name := range []string{"a", "a.yml"} {
			one, _ := read(t, "crosscheck: {ansible: "+name+"}", dir)
			two, _ := read(t, "crosscheck: {ansible: "+name+"}", dir)
			if diff := cmp.Diff(one, two); diff != "" {
				t.Fatalf("two runs differ:\n%s", diff)
			}
			checkExpected(t, one)
		}
	})
}

// checkExpected holds what is true of every list: names once each, plain, with sorted groups, a list and a place.
func checkExpected(t *testing.T, inv sbom.Inventory) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range inv.Expected {
		key := e.Kind + " " + e.Name + " " + e.List
		if seen[key] || e.Name == "" || e.List == "" || e.Where == "" || e.Name == "localhost" || strings.ContainsAny(e.Name, " \x00\n=") {
			t.Fatalf("%+v stands twice or is not plain", e)
		}
		seen[key] = true
		if !slices.IsSorted(e.Groups) || len(slices.Compact(slices.Clone(e.Groups))) != len(e.Groups) {
			t.Fatalf("groups of %+v are not sorted or stand twice", e)
		}
	}
}
