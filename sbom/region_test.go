package sbom

import (
	"reflect"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func regionOf(name string, artifacts ...Artifact) Region {
	inv := InRegion(Inventory{Artifacts: artifacts, Expected: []Expected{{Kind: ExpectedHost, Name: "ctl-01", List: "list", Where: name}}}, name)
	out, _ := Apart(Merge(inv), name)
	return Region{Name: name, Inventory: out}
}

func TestUnitedRegionsKeepApartWhatOnlyLooksAlike(t *testing.T) {
	digest := audit.DigestOf([]byte("keystone"))
	known := Artifact{ID: "image:" + string(digest), Kind: KindImage, Name: "keystone", Reference: "r.example.org/keystone:1", Digest: digest,
		Sightings: []Sighting{{Source: "containers", State: StateRunning, Reference: "r.example.org/keystone:1", Digest: digest}}}
	named := Artifact{ID: "image:r.example.org/keystone:1", Kind: KindImage, Name: "keystone", Reference: "r.example.org/keystone:1",
		Sightings: []Sighting{{Source: "containers", State: StateRunning, Reference: "r.example.org/keystone:1"}}}
	host := Artifact{ID: "host:ctl-01", Kind: KindHost, Name: "ctl-01", Sightings: []Sighting{{Source: "host", State: StatePresent, Hosts: []string{"ctl-01"}}}}
	fra, muc := regionOf("fra", known, host), regionOf("muc", named, host)
	got := Unite([]Region{fra, muc})
	var ids []string
	for _, a := range got.Artifacts {
		ids = append(ids, a.ID)
	}
	want := []string{"host:fra/ctl-01", "host:muc/ctl-01", "image:r.example.org/keystone:1", "image:" + string(digest)}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("want %q, got %q", want, ids)
	}
	if other := Unite([]Region{muc, fra}); !reflect.DeepEqual(got, other) {
		t.Error("another order gives another inventory")
	}
	both := Unite([]Region{regionOf("fra", known), regionOf("muc", known)})
	if len(both.Artifacts) != 1 || len(both.Artifacts[0].Sightings) != 2 || !both.Artifacts[0].Own("fra") || !both.Artifacts[0].Own("muc") {
		t.Errorf("want one image with two sightings, got %+v", both.Artifacts)
	}
	if c := CrossCheckRegions([]Region{fra, regionOf("muc", named)}); c.Hosts.Expected != 2 || c.Hosts.Seen != 1 {
		t.Errorf("want the host seen in fra and missing in muc, got %d of %d", c.Hosts.Seen, c.Hosts.Expected)
	}
	if known.Sightings[0].Region != "" {
		t.Error("the artifact that was given has changed")
	}
}

func TestWhatIsLeftOutInOneRegionIsJudgedInTheOther(t *testing.T) {
	image := Artifact{ID: "image:x:1", Kind: KindImage, Name: "x", Reference: "x:1", Sightings: []Sighting{{Source: "containers", State: StateRunning}}}
	left := image
	left.Excluded = "a test"
	if got := Unite([]Region{{"fra", Inventory{Artifacts: []Artifact{left}}}, {"muc", Inventory{Artifacts: []Artifact{image}}}}); got.Artifacts[0].Excluded != "" {
		t.Errorf("want it judged, got %q", got.Artifacts[0].Excluded)
	}
}
