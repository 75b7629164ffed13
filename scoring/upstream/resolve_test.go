package upstream

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func parts() []Part {
	const kolla = "registry.osism.tech/kolla/release/"
	return []Part{
		{Subject: "image:1", Kind: PartImage, Name: kolla + "nova-libvirt:9.0.0.20250408", Version: "9.0.0"},
		{Subject: "image:2", Kind: PartImage, Name: kolla + "redis:7.0.15.20250408", Version: "7.0.15"},
		{Subject: "image:3", Kind: PartImage, Name: "registry.osism.tech/library/redis:7.4.2-alpine", Version: "7.4.2", Tiers: []string{"ops"}},
		{Subject: "image:4", Kind: PartImage, Name: kolla + "redis-sentinel:7.0.15.20250408", Version: "7.0.15.20250408"},
		{Subject: "image:5", Kind: PartImage, Name: "registry.osism.tech/osism/tempest:latest", Version: "latest"},
		{Subject: "image:6", Kind: PartImage, Name: "ghcr.io/cloudnull/substation/substation:1"},
		{Subject: "software:docker@5:27.5.1", Kind: PartSoftware, Name: "docker", Version: "27.5.1"},
		{Subject: "pkg:deb/debian/libvirt0@9.0.0-4", Kind: PartPURL, Name: "pkg:deb/debian/libvirt0@9.0.0-4?upstream=libvirt", Version: "9.0.0-4"},
		{Subject: "image:7", Kind: PartImage, Name: "registry.example.org/db/cache:1", Version: "1.0.0", Assign: "memcached"},
		{Subject: "image:8", Kind: PartImage, Name: kolla + "keystone:1", Assign: "no-such-project"},
		{Subject: "thing", Kind: "unheard-of", Name: "nova"},
		{Subject: "deb:1", Kind: PartDeb, Name: "openvswitch-switch", Version: "3.1.0-2+deb12u1", Area: "hosts"},
		{Subject: "chart:1", Kind: PartChart, Name: "kube-prometheus-stack", Version: "70.0.0"},
	}
}

func find(t *testing.T, r Resolution, id string) scoring.Project {
	t.Helper()
	for _, p := range r.Projects {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no project %q", id)
	return scoring.Project{}
}

func TestPartsLeadToProjectsWithTheirVersionsTiersAndLinks(t *testing.T) {
	c := load(t)
	r := c.Resolve(parts())
	want := scoring.Project{
		ID: "redis", Name: "Redis", Repo: "https://github.com/redis/redis", Role: RoleBuildingBlock, Tiers: []string{"functional", "ops"}, Area: "database",
		Foundation: "none", Model: "vendor (Redis Ltd.)", Versions: []string{"7.0.15", "7.4.2"},
		Links: []scoring.Link{
			{Subject: "image:2", Rule: "image", Confidence: "high", Origin: c.Origin("redis")},
			{Subject: "image:3", Rule: "image", Confidence: "high", Origin: c.Origin("redis")},
			{Subject: "image:4", Rule: "image", Confidence: "high", Origin: c.Origin("redis")},
		},
	}
	got := find(t, r, "redis")
	got.Alternatives, got.Standards = audit.Fact[[]scoring.Alternative]{}, audit.Fact[[]scoring.Standard]{} // see facts_test.go
	got.Expected = audit.Fact[map[string][]scoring.Edition]{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("redis (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		name, id string
		versions []string
	}{
		{"the tag of an image is the version of its main component", "libvirt", []string{"9.0.0"}},
		{"and not of the other one in it", "qemu", nil},
		{"latest is no version", "tempest", nil},
		{"an assigned part brings its version", "memcached", []string{"1.0.0"}},
		{"a Debian revision is cut", "openvswitch", []string{"3.1.0"}},
		{"a manifest name brings its version", "docker-engine", []string{"27.5.1"}},
		{"a chart's version is not the component's", "prometheus", nil},
	} {
		if got := find(t, r, tt.id).Versions; !slices.Equal(got, tt.versions) {
			t.Errorf("%s: %s: got %q, want %q", tt.name, tt.id, got, tt.versions)
		}
	}
	if got := find(t, r, "openvswitch").Area; got != "hosts" {
		t.Errorf("area of openvswitch: got %q, want that of its part", got)
	}
	if got := find(t, r, "memcached").Links[0].Rule; got != RuleAssign {
		t.Errorf("rule of memcached: got %q, want assign", got)
	}
}

func TestWhatLeadsNowhereIsListedByName(t *testing.T) {
	var got []string
	for _, p := range load(t).Resolve(parts()).Unmatched {
		got = append(got, p.Subject)
	}
	if want := []string{"image:6", "image:8", "thing"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheOrderOfThePartsDoesNotMatter(t *testing.T) {
	c := load(t)
	want := c.Resolve(parts()).Projects
	for i := range parts() {
		p := parts()
		turned := slices.Concat(p[i:], p[:i])
		slices.Reverse(turned)
		// a part that is seen twice changes nothing either
		if diff := cmp.Diff(want, c.Resolve(append(turned, turned[0])).Projects); diff != "" {
			t.Fatalf("turned by %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestVersionsAreSortedByNumber(t *testing.T) {
	var p []Part
	for _, v := range []string{"1.10.0", "1.9.0", "1.9.0", "1.9"} {
		p = append(p, Part{Subject: v, Kind: PartSoftware, Name: "k3s", Version: v})
	}
	got := find(t, load(t).Resolve(p), "k3s").Versions
	if want := []string{"1.9", "1.9.0", "1.10.0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAPartStandsWhereItsBestComponentStands(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		name string
		part Part
		want Placement
	}{
		{"an image with two components", Part{Kind: PartImage, Name: "registry.osism.tech/kolla/release/keystone:26.0.1"},
			Placement{[]string{"functional", "iam"}, "iaas", "keystone", []string{"keystone", "mod-auth-openidc"},
				"catalogue, image rule, high confidence: name keystone in kolla/release"}},
		{"an assigned part", Part{Kind: PartImage, Name: "registry.example.org/db/cache:1", Assign: "memcached"},
			Placement{[]string{"functional"}, "database", "memcached", []string{"memcached"}, "catalogue, assign rule, high confidence: assigned in the stack file"}},
		{"a part that nothing matches", Part{Kind: PartImage, Name: "registry.example.org/db/cache:1"}, Placement{}},
	} {
		got, ok := c.Place(tt.part)
		if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want.Area != "") {
			t.Errorf("%s: %t (-want +got):\n%s", tt.name, ok, diff)
		}
	}
}

func TestNothingDeployedLeadsToNothing(t *testing.T) {
	if r := load(t).Resolve(nil); r.Projects != nil || r.Unmatched != nil {
		t.Errorf("got %+v, want nothing", r)
	}
}
