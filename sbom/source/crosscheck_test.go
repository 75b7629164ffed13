package source_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// Lists as the tools write them, with values of our own; canaries stand where addresses, endpoints and annotations stand.
const (
	computeServices = `[
  {"ID": "1", "Binary": "nova-scheduler", "Host": "ctl1", "Zone": "internal", "Status": "enabled", "State": "up", "Updated At": "` + canary + `"},
  {"ID": "2", "Binary": "nova-compute", "Host": "cmp1", "Zone": "nova", "Status": "enabled", "State": "up", "Updated At": "x"},
  {"ID": "3", "Binary": "nova-compute", "Host": "cmp2", "Zone": "nova", "Status": "disabled", "State": "down", "Updated At": "x"}
]`
	networkAgents = `[
  {"ID": "a", "Agent Type": "OVN Controller agent", "Host": "cmp1", "Availability Zone": "", "Alive": true, "State": true, "Binary": "ovn-controller"},
  {"ID": "b", "Agent Type": "OVN Controller agent", "Host": "cmp2", "Availability Zone": "", "Alive": "XXX", "State": "UP", "Binary": "ovn-controller"},
  {"ID": "c", "Agent Type": "Metadata agent", "Host": "cmp2", "Availability Zone": null, "Alive": ":-)", "State": false, "Binary": "neutron-ovn-metadata-agent"}
]`
	volumeServices = `[
  {"Binary": "cinder-scheduler", "Host": "ctl1", "Zone": "nova", "Status": "enabled", "State": "up"},
  {"Binary": "cinder-volume", "Host": "ctl1@rbd-1", "Zone": "nova", "Status": "enabled", "State": "up"},
  {"Binary": "cinder-volume", "Host": "ctl2@lvm-1#pool", "Zone": "nova", "Status": "enabled", "State": "down"},
  {"Binary": "cinder-backup", "Host": "rbd:volumes@rbd-1", "Zone": "nova", "Status": "enabled", "State": "up"}
]`
	catalogList = `[
  {"Name": "nova", "Type": "compute", "Endpoints": [{"id": "x", "url": "https://` + canary + `"}]},
  {"Name": "keystone", "Type": "identity", "Endpoints": "` + canary + `"}
]`
	nodeList = `{"apiVersion": "v1", "kind": "List", "items": [
  {"kind": "Node", "metadata": {"name": "node1", "labels": {"node-role.kubernetes.io/control-plane": "", "a": "` + canary + `"}, "annotations": {"x": "` + canary + `"}},
   "spec": {"podCIDR": "` + canary + `"}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [{"address": "` + canary + `"}]}},
  {"kind": "Node", "metadata": {"name": "node2"}, "spec": {"unschedulable": true}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
]}`
	cephHostList = `[{"addr": "` + canary + `", "hostname": "stor1", "labels": ["_admin", "mon"], "status": ""}, {"addr": "x", "hostname": "stor2", "labels": [], "status": "Offline"}]`
)

func TestEveryListNamesHostsAndServices(t *testing.T) {
	tests := []struct {
		key, text       string
		hosts, services []string
		list            string
	}{
		{"compute_services", computeServices, []string{"cmp1: nova-compute", "cmp2: nova-compute nova-compute state down nova-compute status disabled", "ctl1: nova-scheduler"},
			[]string{"nova-compute: state down (1 of 2) status disabled (1 of 2)", "nova-scheduler:"}, "OpenStack compute services"},
		{"network_agents", networkAgents, []string{"cmp1: ovn-controller",
			"cmp2: neutron-ovn-metadata-agent neutron-ovn-metadata-agent state disabled ovn-controller ovn-controller state down"},
			[]string{"neutron-ovn-metadata-agent: state disabled", "ovn-controller: state down (1 of 2)"}, "OpenStack network agents"},
		{"volume_services", volumeServices, []string{"ctl1: cinder-scheduler cinder-volume", "ctl2: cinder-volume cinder-volume state down"},
			[]string{"cinder-backup:", "cinder-scheduler:", "cinder-volume: state down (1 of 2)"}, "OpenStack volume services"},
		{"catalog", catalogList, nil, []string{"keystone: identity", "nova: compute"}, "OpenStack service catalogue"},
		{"nodes", nodeList, []string{"node1: control-plane", "node2: not ready unschedulable"}, nil, "Kubernetes nodes"},
		{"nodes", "node/node1\nnode/node2\n", []string{"node1:", "node2:"}, nil, "Kubernetes nodes"},
		{"nodes", `{"kind": "Node", "metadata": {"name": "node1", "labels": {"node-role.kubernetes.io/worker": "true"}}}`, []string{"node1: worker"}, nil, "Kubernetes nodes"},
		{"ceph_hosts", cephHostList, []string{"stor1: _admin mon", "stor2: status offline"}, nil, "Ceph hosts"},
		{"hosts", "# all\na.example  # first\n\n2001:db8::1\r\na.example\n", []string{"2001:db8::1:", "a.example:"}, nil, "list of hosts"},
		{"ansible", "[g]\na\n", []string{"a: g"}, nil, "Ansible inventory"},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			entry, dir := "crosscheck: {"+tt.key+": ./list}", write(t, map[string]string{"list": tt.text})
			inv, err := read(t, entry, dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.hosts, members(inv, sbom.ExpectedHost)); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.services, members(inv, sbom.ExpectedService)); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if len(inv.Failures) != 0 || len(inv.Artifacts) != 0 {
				t.Errorf("failures %+v, artifacts %+v, want none", inv.Failures, inv.Artifacts)
			}
			for _, e := range inv.Expected {
				if e.List != tt.list || e.Origin.Line == 0 || e.Where != fmt.Sprintf("./list: line %d", e.Origin.Line) || e.Origin.Digest != audit.DigestOf([]byte(tt.text)) ||
					slices.Contains(e.Groups, "disabled") || slices.Contains(e.Groups, "enabled") {
					t.Errorf("%+v, want a line of the list %s, and no word that means a switch of a configuration", e, tt.list)
				}
			}
			if out := everything(t, entry, dir); strings.Contains(out, canary) {
				t.Errorf("the canary is let out:\n%s", out)
			}
		})
	}
}

func TestThePlaceOfANameIsItsLine(t *testing.T) {
	inv, err := read(t, "crosscheck: {compute_services: list}", write(t, map[string]string{"list": computeServices}))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range inv.Expected {
		want := map[string]int{"ctl1": 2, "nova-scheduler": 2, "cmp1": 3, "nova-compute": 3, "cmp2": 4}[e.Name]
		if e.Origin.Line != want {
			t.Errorf("%s: line %d, want %d", e.Name, e.Origin.Line, want)
		}
	}
}

func TestSeveralListsAreOneSourceAndAFaultCostsOneOfThem(t *testing.T) {
	dir := write(t, map[string]string{"hosts": "a\n", "nodes": "node/b\n", "half.json": computeServices[:300], "secrets": "[g]\na\n"})
	inv, err := read(t, "crosscheck: {hosts: hosts, nodes: ./nodes, compute_services: half.json, catalog: gone.json, ansible: secrets}", dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a:", "b:", "cmp1: nova-compute", "ctl1: nova-scheduler"}, members(inv, sbom.ExpectedHost)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	for _, want := range []string{"half.json: line 4: it ends too early", "gone.json: no such file or directory", "secrets: it is named like a file of secrets"} {
		if !contains(reasons(inv), want) {
			t.Errorf("failures = %q, want one with %s", reasons(inv), want)
		}
	}
}

func TestABrokenListSaysWhereAndHowToMakeItAgain(t *testing.T) {
	tests := []struct{ name, key, text, want string }{
		{"an object for a list", "catalog", `{"a": 1}`, "line 1: this is not a list"},
		{"a text", "catalog", "Name\nnova\n", "line 1: this is no JSON"},
		{"nothing", "hosts", "\n", "the file is empty"},
		{"an empty list", "catalog", "[]", "it names nothing"},
		{"a number for an entry", "catalog", "[\n1]", "line 2: an entry is not as openstack catalog list -f json writes it"},
		{"a list for a name", "catalog", `[{"Name": ["` + canary + `"]}]`, "line 1: an entry is not as"},
		{"an entry without a name", "catalog", `[{"Type": "compute"}]`, "line 1: a name that is neither"},
		{"an entry without a binary", "compute_services", `[{"Host": "a"}]`, "line 1: an entry names no Binary"},
		{"a name with a line break", "ceph_hosts", `[{"hostname": "a\nb"}]`, "line 1: a name that is neither"},
		{"a line with more than a name", "hosts", "a b " + canary + "\n", "line 1: a name that is neither"},
		{"a table for names", "nodes", "NAME STATUS\nnode1 Ready\n", "line 1: a name that is neither"},
		{"an object that is no list", "nodes", `{"kind": "Pod", "metadata": {"name": "x"}}`, "this is no list of nodes"},
		{"half a list of nodes", "nodes", nodeList[:60], "it ends too early"},
		{"something behind the list", "catalog", "[] []", "something follows the document"},
		{"something behind the nodes", "nodes", `{"items": []} x`, "something follows the document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(t, "crosscheck: {"+tt.key+": list}", write(t, map[string]string{"list": tt.text}))
			if err == nil || !strings.Contains(err.Error(), "reading crosscheck list: list: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("error = %v, want one with %s and without the canary", err, tt.want)
			}
		})
	}
}

func TestACrosscheckNeedsAListAndAPlanNamesAll(t *testing.T) {
	if _, err := decode(t, "crosscheck: {}", ".", source.Options{}); err == nil || !strings.Contains(err.Error(),
		"line 1, column 13: crosscheck needs at least one of the keys ansible, catalog, ceph_hosts, compute_services, hosts, network_agents, nodes, volume_services") {
		t.Errorf("error = %v, want one that lists the keys", err)
	}
	s, err := decode(t, "crosscheck: {hosts: ./h, ansible: /etc/hosts.ini}", ".", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Contact{
		{Host: "local", Address: "/etc/hosts.ini", Right: "read", Purpose: "Ansible inventory to compare with (an inventory file, or ansible-inventory --list)"},
		{Host: "local", Address: "./h", Right: "read", Purpose: "list of hosts to compare with (one name a line)"}}
	if diff := cmp.Diff(want, s.Contacts()); diff != "" || s.Name() != "crosscheck hosts.ini, ./h" {
		t.Errorf("name %q, contacts (-want +got):\n%s", s.Name(), diff)
	}
}

func TestALongListEndsAtItsLimit(t *testing.T) {
	var b strings.Builder
	for i := range 100_010 {
		fmt.Fprintf(&b, "n%d\n", i)
	}
	inv, err := read(t, "crosscheck: {hosts: h}", write(t, map[string]string{"h": b.String()}))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Expected) != 100_000 || len(inv.Failures) != 1 || !strings.Contains(inv.Failures[0].Reason, "more than 100000 names") {
		t.Errorf("%d names, failures %q, want 100,000 and one failure", len(inv.Expected), reasons(inv))
	}
}

func FuzzAListGivesEachNameOnceHoweverOftenItNamesIt(f *testing.F) {
	for _, text := range []string{computeServices, networkAgents, volumeServices, catalogList, cephHostList} {
		f.Add(text)
	}
	f.Add(`[{"Binary": "a", "Host": "b:c"}, {"Binary": "", "Host": 1}, null, {}]`)
	f.Fuzz(func(t *testing.T, text string) {
		twice := text
		if i := strings.LastIndexByte(text, ']'); i > 0 && strings.HasPrefix(text, "[") {
			twice = text[:i] + "," + text[1:i] + text[i:]
		}
		dir := write(t, map[string]string{"1": text, "2": twice})
		for _, key := range []string{"compute_services", "network_agents", "volume_services", "catalog", "ceph_hosts"} {
			one, first := read(t, "crosscheck: {"+key+": '1'}", dir)
			two, second := read(t, "crosscheck: {"+key+": '2'}", dir)
			checkExpected(t, one)
			checkExpected(t, two)
			if first != nil || second != nil || len(one.Failures)+len(two.Failures) > 0 {
				continue
			}
			names := func(inv sbom.Inventory) (out []string) {
				for _, e := range inv.Expected {
					out = append(out, e.Kind+" "+e.Name)
				}
				return out
			}
			if diff := cmp.Diff(names(one), names(two)); diff != "" {
				t.Fatalf("%s: naming all twice changes the names:\n%s", key, diff)
			}
		}
	})
}

func FuzzNodesAndPlainLists(f *testing.F) {
	for _, text := range []string{nodeList, "node/a\nb\n", `{"items": [{}], "items": [null]}`, `{"kind": "Node", "metadata": {"name": 1}}`, "\ufeff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := write(t, map[string]string{"l": text})
		for _, key := range []string{"nodes", "hosts"} {
			one, _ := read(t, "crosscheck: {"+key+": l}", dir)
			two, _ := read(t, "crosscheck: {"+key+": l}", dir)
			if diff := cmp.Diff(one, two); diff != "" {
				t.Fatalf("two runs differ:\n%s", diff)
			}
			checkExpected(t, one)
		}
	})
}
