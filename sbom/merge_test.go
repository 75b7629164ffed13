package sbom_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

const otherDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func seen(where string) []sbom.Sighting { return []sbom.Sighting{{Source: "image", Where: where}} }
func told(where string) []sbom.Sighting {
	return []sbom.Sighting{{Source: "osism", Where: where, Declared: true}}
}

func image(digest audit.Digest, ref string, s []sbom.Sighting) sbom.Artifact {
	id := "image:" + string(digest)
	if digest == "" {
		id = "image:" + ref
	}
	return sbom.Artifact{ID: id, Kind: sbom.KindImage, Name: "x", Reference: ref, Digest: digest, Sightings: s}
}

func inventory(artifacts ...sbom.Artifact) sbom.Inventory {
	return sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: artifacts}
}

func TestMergeJoinsWhatIsTheSameAndOnlyThat(t *testing.T) {
	ids := func(inv sbom.Inventory) (out []string) {
		for _, a := range inv.Artifacts {
			out = append(out, a.ID)
		}
		return out
	}
	tests := []struct {
		name string
		in   []sbom.Inventory
		want []string
	}{
		{"the same digest seen twice is one artifact", []sbom.Inventory{
			inventory(image(someDigest, "a/x:1", seen("one"))), inventory(image(someDigest, "b/x:1", told("two")))},
			[]string{"image:" + someDigest}},
		{"a reference without digest joins the digest of exactly that reference", []sbom.Inventory{
			inventory(image("", "a/x:1", told("one"))), inventory(image(someDigest, "a/x:1", seen("two")))},
			[]string{"image:" + someDigest}},
		{"another tag stays apart", []sbom.Inventory{
			inventory(image("", "a/x:2", told("one"))), inventory(image(someDigest, "a/x:1", seen("two")))},
			[]string{"image:a/x:2", "image:" + someDigest}},
		{"a reference that two digests claim stays apart", []sbom.Inventory{inventory(
			image("", "a/x:1", told("one")), image(someDigest, "a/x:1", seen("two")), image(otherDigest, "a/x:1", seen("three")))},
			[]string{"image:a/x:1", "image:" + someDigest, "image:" + otherDigest}},
		{"a host and an image of one name stay apart", []sbom.Inventory{inventory(
			sbom.Artifact{ID: "host:x", Kind: sbom.KindHost, Sightings: seen("one")}, image("", "x", told("two")))},
			[]string{"host:x", "image:x"}},
		{"nothing gives nothing", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sbom.Merge(tt.in...)
			want := slices.Sorted(slices.Values(tt.want))
			if diff := cmp.Diff(want, ids(got)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			before, after := 0, 0
			for _, inv := range tt.in {
				for _, a := range inv.Artifacts {
					before += len(a.Sightings)
				}
			}
			for _, a := range got.Artifacts {
				after += len(a.Sightings)
			}
			if before != after {
				t.Errorf("%d sightings went in, %d came out", before, after)
			}
		})
	}
}

func TestMergeKeepsEveryReferenceHintAndFailure(t *testing.T) {
	a := image(someDigest, "a/x:1", seen("one"))
	b := image(someDigest, "b/y:1", told("two"))
	b.TierHint, b.HintRule = []string{"ops"}, "source osism base.yml"
	b.Labels = map[string]string{"name": "y"}
	left := inventory(a)
	left.Failures = []sbom.Failure{{Source: "s", Reason: "r"}}
	got := sbom.Merge(left, inventory(b), left)
	want := a
	want.Aliases = []string{"b/y:1"}
	want.TierHint, want.HintRule, want.Labels = b.TierHint, b.HintRule, b.Labels
	want.Sightings = append(seen("one"), told("two")...)
	if diff := cmp.Diff(sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{want}, Failures: left.Failures}, got); diff != "" {
		t.Errorf("Merge (-want +got):\n%s", diff)
	}
}

func TestTheOrderOfInventoriesAndArtifactsDoesNotMatter(t *testing.T) {
	var all []sbom.Artifact
	for i, ref := range []string{"a/x:1", "a/x:1", "b/y:2", "c/z:3", "b/y:2"} {
		a := image("", ref, told(string(rune('a'+i))))
		if i%2 == 0 {
			a.Digest, a.ID = audit.DigestOf([]byte(ref)), "image:"+string(audit.DigestOf([]byte(ref)))
			a.Name, a.Version = "n"+string(rune('a'+i)), string(rune('1'+i))
		}
		all = append(all, a)
	}
	want := sbom.Merge(inventory(all...))
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		mixed := slices.Clone(all)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		cut := r.IntN(len(mixed) + 1)
		got := sbom.Merge(inventory(mixed[:cut]...), inventory(mixed[cut:]...))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order gives another inventory (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(want, sbom.Merge(want)); diff != "" {
		t.Errorf("merging again changes the inventory (-want +got):\n%s", diff)
	}
}

func TestPlaceWeighsTheOperatorThenTheSourceThenTheCatalogue(t *testing.T) {
	tests := []struct {
		name       string
		hint       []string
		placement  sbom.Placement
		wantTiers  []string
		wantPlaced string
	}{
		{"the catalogue alone", nil, sbom.Placement{Tiers: []string{"iam", "functional"}, Rule: "catalogue image rule"},
			[]string{"functional", "iam"}, "catalogue image rule"},
		{"the source wins over the catalogue", []string{"ops"}, sbom.Placement{Tiers: []string{"functional"}, Rule: "catalogue image rule"},
			[]string{"ops"}, "source osism base.yml; catalogue image rule"},
		{"the operator wins over the source", []string{"ops"}, sbom.Placement{Tiers: []string{"iam"}, Assigned: true, Rule: "assign: it signs users in"},
			[]string{"iam"}, "assign: it signs users in"},
		{"an assignment without a tier leaves the tier of the source", []string{"ops"}, sbom.Placement{Assigned: true, Service: "s", Rule: "assign: renamed"},
			[]string{"ops"}, "source osism base.yml; assign: renamed"},
		{"nobody knows", nil, sbom.Placement{}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := image(someDigest, "a/x:1", seen("one"))
			a.TierHint = tt.hint
			if tt.hint != nil {
				a.HintRule = "source osism base.yml"
			}
			in := inventory(a)
			got := sbom.Place(in, func(sbom.Artifact) sbom.Placement { return tt.placement })
			if diff := cmp.Diff(tt.wantTiers, got.Artifacts[0].Tiers); diff != "" {
				t.Errorf("tiers (-want +got):\n%s", diff)
			}
			if got.Artifacts[0].Placed != tt.wantPlaced {
				t.Errorf("placed = %q, want %q", got.Artifacts[0].Placed, tt.wantPlaced)
			}
			if diff := cmp.Diff(inventory(a), in); diff != "" {
				t.Errorf("Place changed its input (-want +got):\n%s", diff)
			}
		})
	}
}
