package sbom_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

// seenOn is an image that runs on hosts.
func seenOn(hosts ...string) sbom.Artifact {
	return sighted("containers", sbom.StateRunning, "a/x:1.0.0", "", hosts...)
}

func TestHostsOfAListAreSeenUnderShortAndFullNames(t *testing.T) {
	tests := []struct {
		name     string
		seen     []string
		list     []string
		expected int
		missing  []string
	}{
		{"the same name", []string{"node1"}, []string{"node1"}, 1, nil},
		{"another case and a final dot", []string{"Node1.Example.org"}, []string{"node1.example.org."}, 1, nil},
		{"seen under the full name, listed under the short one", []string{"node1.example.org"}, []string{"node1"}, 1, nil},
		{"seen under the short name, listed under the full one", []string{"node1"}, []string{"node1.example.org"}, 1, nil},
		{"two lists that name one machine differently", []string{"node1"}, []string{"node1", "node1.example.org"}, 1, nil},
		{"another host", []string{"node1"}, []string{"node1", "node2"}, 2, []string{"node2"}},
		{"another domain", []string{"node1.a.example"}, []string{"node1.b.example"}, 1, []string{"node1.b.example"}},
		{"a short name that stands for two machines that were seen", []string{"node1.a.example", "node1.b.example"}, []string{"node1"}, 1, []string{"node1"}},
		{"a short name that was seen and stands for two machines of the list", []string{"node1"}, []string{"node1.a.example", "node1.b.example"}, 2, []string{"node1.a.example", "node1.b.example"}},
		{"a name that begins alike", []string{"node1"}, []string{"node10", "node"}, 2, []string{"node", "node10"}},
		{"an address has no short name", []string{"10.0.0.1"}, []string{"10", "10.0.0.2"}, 2, []string{"10", "10.0.0.2"}},
		{"nothing seen", nil, []string{"node1"}, 1, []string{"node1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv := sbom.Inventory{Artifacts: []sbom.Artifact{seenOn(tt.seen...)}, Expected: hosts(tt.list...)}
			got := sbom.CrossCheck(inv).Hosts
			if diff := cmp.Diff(tt.missing, got.MissingNames()); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if got.Expected != tt.expected || got.Seen != tt.expected-len(tt.missing) {
				t.Errorf("%d of %d seen, want %d of %d", got.Seen, got.Expected, tt.expected-len(tt.missing), tt.expected)
			}
			if diff := cmp.Diff([]string{"Ansible inventory"}, got.Lists); diff != "" {
				t.Errorf("lists (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADeclarationOnAHostDoesNotShowTheHost(t *testing.T) {
	inv := sbom.Inventory{Artifacts: []sbom.Artifact{sighted("ansible", sbom.StateDeclared, "a/x:1.0.0", "", "node1")}, Expected: hosts("node1")}
	if got := sbom.CrossCheck(inv).Hosts; got.Seen != 0 {
		t.Errorf("%d hosts seen, want none", got.Seen)
	}
}

func TestServicesOfAListAreSeenByServiceProjectOrName(t *testing.T) {
	unknown := service("neutron_plugin_agent", "enabled")
	unknown.Known = false
	nova := of(seenOn("node1"), "nova")
	nova.Name = "nova-compute"
	tests := []struct {
		name     string
		in       []sbom.Artifact
		list     []sbom.Expected
		expected int
		missing  []string
		ignored  []string
	}{
		{"by project", []sbom.Artifact{nova}, []sbom.Expected{service("nova")}, 1, nil, nil},
		{"by name, with an underscore and in capitals", []sbom.Artifact{nova}, []sbom.Expected{service("NOVA_compute")}, 1, nil, nil},
		{"by the service of the catalogue", []sbom.Artifact{with(seenOn("node1"), func(a *sbom.Artifact) { a.Service = "ceph" })}, []sbom.Expected{service("ceph")}, 1, nil, nil},
		{"by a name that begins with it", []sbom.Artifact{with(seenOn("node1"), func(a *sbom.Artifact) { a.Name = "heat-api" })}, []sbom.Expected{service("heat")}, 1, nil, nil},
		{"a name that only begins alike is another one", []sbom.Artifact{nova}, []sbom.Expected{service("nov")}, 1, []string{"nov"}, nil},
		{"two lists that name one service", []sbom.Artifact{nova}, []sbom.Expected{service("glance"), service("Glance", "enabled")}, 1, []string{"Glance", "glance"}, nil},
		{"a disabled service is not expected", nil, []sbom.Expected{service("nova", "disabled")}, 0, nil, nil},
		{"what the catalogue does not know is ignored by name", nil, []sbom.Expected{unknown}, 0, nil, []string{"neutron_plugin_agent"}},
		{"what is only declared was not seen", []sbom.Artifact{of(declared("a/nova-api:1.0.0", ""), "nova")}, []sbom.Expected{service("nova")}, 1, []string{"nova"}, nil},
		{"what the operator took out does not count", []sbom.Artifact{with(nova, func(a *sbom.Artifact) { a.Excluded = "not deployed" })}, []sbom.Expected{service("nova")}, 1, []string{"nova"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sbom.CrossCheck(sbom.Inventory{Artifacts: tt.in, Expected: tt.list})
			if diff := cmp.Diff(tt.missing, got.Services.MissingNames()); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if got.Services.Expected != tt.expected || tt.missing == nil && got.Services.Seen != tt.expected {
				t.Errorf("%d of %d seen, want %d expected and %q missing", got.Services.Seen, got.Services.Expected, tt.expected, tt.missing)
			}
			if diff := cmp.Diff(tt.ignored, got.Ignored); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutAListNobodyCanSayWhatIsMissing(t *testing.T) {
	inv := sbom.Inventory{Artifacts: []sbom.Artifact{seenOn("node1", "node2")}}
	if diff := cmp.Diff(sbom.Completeness{}, sbom.CrossCheck(inv)); diff != "" {
		t.Errorf("CrossCheck (-want +got):\n%s", diff)
	}
}

func TestAServiceIsIndexedAsServesSays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		text := func() string {
			out := make([]byte, r.IntN(6))
			for i := range out {
				out[i] = "aB-_"[r.IntN(4)]
			}
			return string(out)
		}
		a := seenOn("node1")
		a.Name, a.Service, a.Projects = text(), text(), []string{text()}
		want := text()
		if want == "" {
			continue
		}
		got := sbom.CrossCheck(sbom.Inventory{Artifacts: []sbom.Artifact{a}, Expected: []sbom.Expected{service(want)}}).Services.Seen == 1
		if got != sbom.Serves(a, want) {
			t.Fatalf("service %q of name %q, service %q, project %q: seen %t, Serves says %t", want, a.Name, a.Service, a.Projects, got, !got)
		}
	}
}

func TestTheOrderOfListsDoesNotChangeWhatIsMissing(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		if diff := cmp.Diff(sbom.CrossCheck(inv), sbom.CrossCheck(shuffled(r, inv))); diff != "" {
			t.Errorf("another order gives another result (-want +got):\n%s", diff)
		}
	})
}

func TestEachMachineHasOneName(t *testing.T) {
	inv := sbom.Inventory{Artifacts: []sbom.Artifact{seenOn("node1.example.org", "node2", "Node3")}, Expected: hosts("node1", "node2", "node4")}
	if diff := cmp.Diff([]string{"node1.example.org", "node2", "node3", "node4"}, sbom.HostNames(inv)); diff != "" {
		t.Errorf("HostNames (-want +got):\n%s", diff)
	}
}

func TestASampleIsDrawnBySeedAlone(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("node%d", i))
	}
	want := sbom.Sample(names, "2026-11-25 auditor", 10)
	if len(want) != 10 {
		t.Fatalf("%d names drawn, want 10", len(want))
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		mixed := append(slices.Clone(names), names[r.IntN(100)]) // one stands twice
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, sbom.Sample(mixed, "2026-11-25 auditor", 10)); diff != "" {
			t.Fatalf("another order draws another sample (-want +got):\n%s", diff)
		}
	}
	if slices.Equal(want, sbom.Sample(names, "another seed", 10)) {
		t.Error("another seed draws the same sample")
	}
	if diff := cmp.Diff(want[:3], sbom.Sample(names, "2026-11-25 auditor", 3)); diff != "" {
		t.Errorf("a smaller sample is not the beginning of a larger one (-want +got):\n%s", diff)
	}
	all := sbom.Sample(names, "seed", 1000)
	slices.Sort(all)
	if diff := cmp.Diff(slices.Sorted(slices.Values(names)), all); diff != "" {
		t.Errorf("a sample larger than the list (-want +got):\n%s", diff)
	}
	for _, n := range []int{0, -1} {
		if got := sbom.Sample(names, "seed", n); got != nil {
			t.Errorf("Sample of %d = %q, want none", n, got)
		}
	}
}

func TestAListOfASourceAboutItselfProvesNothingAndAListThatLacksAHostDoesNotCoverTheStack(t *testing.T) {
	runs := func(host string) sbom.Artifact {
		return sbom.Artifact{ID: "host:" + host, Kind: sbom.KindHost, Name: host,
			Sightings: []sbom.Sighting{{Source: "kubernetes", Where: host, State: sbom.StateRunning, Hosts: []string{host}, Replicas: 1}}}
	}
	own := sbom.Expected{Kind: sbom.ExpectedHost, Name: "kube-01", List: "Kubernetes nodes", Where: "cluster", Self: true}
	inv := inventory(runs("kube-01"), runs("ctl-01"))
	inv.Expected = []sbom.Expected{own}
	if got := sbom.CrossCheck(inv).Hosts; len(got.Lists) != 0 || got.Expected != 1 || got.Seen != 1 || len(got.Unlisted) != 0 {
		t.Errorf("its own list alone: got %+v, want no list", got)
	}
	inv.Expected = append(inv.Expected, sbom.Expected{Kind: sbom.ExpectedHost, Name: "ctl-01.dc.example", List: "Ansible inventory", Where: "hosts"})
	got := sbom.CrossCheck(inv).Hosts
	if !slices.Equal(got.Lists, []string{"Ansible inventory"}) || !slices.Equal(got.Unlisted, []string{"kube-01"}) || len(got.Missing) != 0 {
		t.Errorf("a list without kube-01: got %+v, want it named as unlisted", got)
	}
	inv.Expected = append(inv.Expected, sbom.Expected{Kind: sbom.ExpectedHost, Name: "kube-01", List: "Ansible inventory", Where: "hosts"})
	if got := sbom.CrossCheck(inv).Hosts; len(got.Unlisted) != 0 {
		t.Errorf("a list of all: got %+v, want nothing unlisted", got)
	}
}
