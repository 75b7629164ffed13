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

// ids and groups of what a merge made, with the number of sightings of each.
func merged(inv sbom.Inventory) map[string]int {
	out := map[string]int{}
	for _, a := range inv.Artifacts {
		out[a.ID] = len(a.Sightings)
	}
	return out
}

func TestImagesAreOneByDigestThenConfigurationThenIndexThenReference(t *testing.T) {
	d := func(name string) audit.Digest { return digestOf(name) }
	id := func(name string) string { return "image:" + string(digestOf(name)) }
	config := func(a sbom.Artifact, name string) sbom.Artifact {
		a.Config = d(name)
		if a.Digest == "" {
			a.Name = "x"
		}
		return a
	}
	index := func(a sbom.Artifact, names ...string) sbom.Artifact {
		for _, name := range names {
			a.Digests = append(a.Digests, d(name))
		}
		return a
	}
	on := func(a sbom.Artifact, platform string) sbom.Artifact { a.Platform = platform; return a }
	const empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	tests := []struct {
		name string
		in   []sbom.Artifact
		want map[string]int
	}{
		{"five sources that see one image",
			[]sbom.Artifact{offered("a/x:1.0.0", d("m")), declared("a/x:1.0.0", ""), config(running("a/x:1.0.0", d("m")), "c"),
				config(sighted("kubernetes", sbom.StateRunning, "b/x:1.0.0", "", "node2"), "c"), index(present("a/x:1.0.0", d("m")), "i")},
			map[string]int{id("m"): 5}},
		{"one configuration, packed twice", []sbom.Artifact{config(running("a/x:1", d("m")), "c"), config(present("b/x:1", d("n")), "c")},
			map[string]int{min(id("m"), id("n")): 2}},
		{"the empty configuration names nothing", []sbom.Artifact{with(running("a/x:1", d("m")), func(a *sbom.Artifact) { a.Config = empty }),
			with(running("a/y:1", d("n")), func(a *sbom.Artifact) { a.Config = empty })}, map[string]int{id("m"): 1, id("n"): 1}},
		{"an index that one image is known under", []sbom.Artifact{declared("a/x@"+string(d("i")), d("i")), index(running("a/x:1", d("m")), "i")},
			map[string]int{id("m"): 2}},
		{"an index of two platforms joins none", []sbom.Artifact{declared("a/x:1", d("i")), index(running("a/x:1", d("m")), "i"), index(running("a/x:1", d("n")), "i")},
			map[string]int{id("i"): 1, id("m"): 1, id("n"): 1}},
		{"an index joins no image of another platform", []sbom.Artifact{on(running("a/x:1", d("i")), "linux/arm64"), on(index(present("a/x:1", d("m")), "i"), "linux/amd64")},
			map[string]int{id("i"): 1, id("m"): 1}},
		{"an index joins no image of another configuration", []sbom.Artifact{config(running("a/x:1", d("i")), "c1"), config(index(present("a/x:1", d("m")), "i"), "c2")},
			map[string]int{id("i"): 1, id("m"): 1}},
		{"two engines of different platforms that report the digest of the index", []sbom.Artifact{config(running("a/x:1", d("i")), "c1"), config(running("a/x:1", d("i")), "c2"), declared("a/x:1", d("i"))},
			map[string]int{id("c1"): 1, id("c2"): 1, id("i"): 1}},
		{"an engine that reports the index, and the image behind it", []sbom.Artifact{config(running("a/x:1", d("i")), "c"), config(index(present("a/x:1", d("m")), "i"), "c")},
			map[string]int{id("m"): 2}},
		{"a reference that one digest holds", []sbom.Artifact{declared("a/x:1", ""), running("a/x:1", d("m"))}, map[string]int{id("m"): 2}},
		{"a reference that one image holds as an alias", []sbom.Artifact{declared("b/x:1", ""), with(running("a/x:1", d("m")), func(a *sbom.Artifact) { a.Aliases = []string{"b/x:1"} })},
			map[string]int{id("m"): 2}},
		{"a reference that two digests claim", []sbom.Artifact{declared("a/x:1", ""), running("a/x:1", d("m")), running("a/x:1", d("n"))},
			map[string]int{"image:a/x:1": 1, id("m"): 1, id("n"): 1}},
		{"a reference whose holder has another configuration", []sbom.Artifact{config(running("a/x:1", ""), "c1"), config(running("a/x:1", d("m")), "c2")},
			map[string]int{"image:a/x:1": 1, id("m"): 1}},
		{"two configurations that claim one digest by their reference", []sbom.Artifact{config(running("a/x:1", ""), "c1"), config(running("a/x:1", ""), "c2"), present("a/x:1", d("m"))},
			map[string]int{id("c1"): 1, id("c2"): 1, id("m"): 1}},
		{"a name that only a configuration is known under", []sbom.Artifact{declared("a/x:1", ""), config(running("a/x:1", ""), "c")}, map[string]int{"image:a/x:1": 2}},
		{"an image without a digest whose names lead to different images stays alone",
			[]sbom.Artifact{with(running("a/x:1", ""), func(a *sbom.Artifact) { a.Aliases = []string{"b/x:1"} }), present("a/x:1", d("m")), present("b/x:1", d("n"))},
			map[string]int{"image:a/x:1": 1, id("m"): 1, id("n"): 1}},
		{"an image whose one name is claimed twice stays alone, whatever the other says",
			[]sbom.Artifact{with(running("a/x:1", ""), func(a *sbom.Artifact) { a.Aliases = []string{"b/x:1"} }), present("a/x:1", d("m")), present("a/x:1", d("o")), present("b/x:1", d("n"))},
			map[string]int{"image:a/x:1": 1, id("m"): 1, id("n"): 1, id("o"): 1}},
		{"an artifact that takes the name of another's digest is kept apart",
			[]sbom.Artifact{running("a/x:1", d("m")), with(running("b/y:1", ""), func(a *sbom.Artifact) { a.ID = id("m") })},
			map[string]int{id("m"): 1, id("m") + "#2": 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, merged(sbom.Merge(inventory(tt.in...)))); diff != "" {
				t.Errorf("artifacts and their sightings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCopiesAreCountedOnceHoweverManySourcesSeeThem(t *testing.T) {
	at := func(source, where string, n int, hosts ...string) sbom.Sighting {
		return sbom.Sighting{Source: source, Where: where, State: sbom.StateRunning, Workload: "w", Replicas: n, Hosts: hosts}
	}
	stopped := at("containers", "d", 3, "node1")
	stopped.State = sbom.StateStopped
	tests := []struct {
		name string
		in   []sbom.Sighting
		want int
	}{
		{"none", nil, 0},
		{"a stopped copy does not run", []sbom.Sighting{stopped}, 0},
		{"a place that does not count runs at least one", []sbom.Sighting{at("containers", "a", 0, "node1")}, 1},
		{"two kinds of sources see one host", []sbom.Sighting{at("containers", "a", 2, "node1"), at("kubernetes", "b", 2, "node1")}, 2},
		{"two kinds of sources see one host under its short and its full name", []sbom.Sighting{at("containers", "a", 2, "node1"), at("kubernetes", "b", 2, "node1.example.org")}, 2},
		{"two kinds of sources see different hosts", []sbom.Sighting{at("containers", "a", 2, "node1"), at("kubernetes", "b", 3, "node2")}, 5},
		{"two files of one kind about one place", []sbom.Sighting{at("containers", "a", 2, "node1"), at("containers", "b", 2, "node1")}, 2},
		{"a workload on three hosts of which another source sees two", []sbom.Sighting{at("kubernetes", "a", 3, "node1", "node2", "node3"), at("containers", "b", 1, "node1"), at("containers", "c", 1, "node2")}, 3},
		{"two clusters whose hosts nobody names", []sbom.Sighting{at("kubernetes", "cluster a", 2), at("kubernetes", "cluster b", 2)}, 4},
		{"a place without a host may be that of another source", []sbom.Sighting{at("kubernetes", "a", 2), at("containers", "b", 2, "node1")}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := image(someDigest, "a/x:1", tt.in)
			b := image(someDigest, "a/x:1", nil)
			for _, list := range [][]sbom.Artifact{{a}, {a, b}} {
				if got := sbom.Merge(inventory(list...)).Artifacts[0].Replicas; got != tt.want {
					t.Errorf("replicas = %d, want %d", got, tt.want)
				}
			}
		})
	}
}

func TestAnImageIsUnpinnedWhereSomePlaceNamesItLoosely(t *testing.T) {
	named := func(refs ...string) (out []sbom.Sighting) {
		for _, ref := range refs {
			out = append(out, sbom.Sighting{Source: "containers", Where: ref, State: sbom.StateRunning, Reference: ref})
		}
		return out
	}
	const latest = "latest names whatever is newest"
	tests := []struct {
		name     string
		in       []sbom.Sighting
		digest   audit.Digest
		unpinned string
		want     string
	}{
		{"a version pins", named("a/x:1.2.3"), someDigest, "", ""},
		{"one of two places names latest", named("a/x:1.2.3", "a/x:latest"), someDigest, "", latest},
		{"a digest in the reference pins latest", named("a/x:latest@" + someDigest), someDigest, "", ""},
		{"a store that knows the image as latest does not start it", []sbom.Sighting{{Source: "image", Where: "w", State: sbom.StatePresent, Reference: "a/x:latest"}}, someDigest, "", ""},
		{"where no place names a reference the digest counts", seen("one"), someDigest, latest, ""},
		{"without a digest the source's word counts", told("one"), "", latest, latest},
		{"a reference that cannot be read stays what the source said", named("A/X"), "", "the reference cannot be read", "the reference cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := image(tt.digest, "a/x:1.2.3", tt.in)
			a.Unpinned = tt.unpinned
			if got := sbom.Merge(inventory(a)).Artifacts[0].Unpinned; got != tt.want {
				t.Errorf("unpinned = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMergingRandomInventoriesKeepsEverySightingAndItsLaws(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		want := sbom.Merge(inv)
		mixed := shuffled(r, inv)
		cut := r.IntN(len(mixed.Artifacts) + 1)
		first, second := mixed, inventory(mixed.Artifacts[cut:]...)
		first.Artifacts = mixed.Artifacts[:cut]
		if diff := cmp.Diff(want, sbom.Merge(second, first)); diff != "" {
			t.Errorf("another order gives another inventory (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, sbom.Merge(want)); diff != "" {
			t.Errorf("merging again changes the inventory (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, sbom.Merge(inv, inv)); diff != "" {
			t.Errorf("the same twice is another inventory (-want +got):\n%s", diff)
		}
		keepsAll(t, inv, want)
	})
}

// keepsAll checks that IDs are unique and that every sighting, digest, reference and configuration is still there.
func keepsAll(t *testing.T, in, out sbom.Inventory) {
	t.Helper()
	ids, facts := map[string]bool{}, map[string]bool{}
	for _, a := range out.Artifacts {
		if ids[a.ID] {
			t.Errorf("two artifacts have the id %s", a.ID)
		}
		ids[a.ID] = true
		for _, s := range a.Sightings {
			facts[s.Where+" on "+string(s.Digest)] = true
		}
		for _, d := range append([]audit.Digest{a.Digest, a.Config}, a.Digests...) {
			facts[string(d)] = true
		}
		for _, ref := range append([]string{a.Reference}, a.Aliases...) {
			facts[ref] = true
		}
	}
	for _, a := range in.Artifacts {
		for _, fact := range []string{a.Sightings[0].Where + " on " + string(a.Sightings[0].Digest), string(a.Digest), string(a.Config), a.Reference} {
			if fact != "" && !facts[fact] {
				t.Errorf("%q was dropped", fact)
			}
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	for name, in := range map[string][]sbom.Inventory{"large cloud": large(), "one name": {sameName()}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(sbom.Merge(in...).Artifacts) < 10_000 {
					b.Fatal("artifacts are missing")
				}
			}
		})
	}
}

func TestTheDigestOfAManifestNamesAnImageAndNotThatOfItsIndex(t *testing.T) {
	for i := range 20 { // either digest may be the smaller one
		manifest, index := digestOf(string(rune('a'+i))), digestOf(string(rune('A'+i)))
		behind := running("a/x:1", manifest)
		behind.Digests = []audit.Digest{index}
		got := sbom.Merge(inventory(running("b/x:1", index), behind)).Artifacts
		if len(got) != 1 || got[0].Digest != manifest || !slices.Equal(got[0].Digests, []audit.Digest{index}) {
			t.Fatalf("got %+v, want one artifact of the manifest %s with its index %s", got, manifest, index)
		}
	}
}

func TestAJoinThatSettlesAnotherOneIsFollowed(t *testing.T) {
	// Two artifacts are known under the index until their reference shows that they are one image.
	index := digestOf("index")
	behind, again := present("a/x:1", digestOf("manifest")), running("a/x:1", "")
	behind.Digests, again.Digests = []audit.Digest{index}, []audit.Digest{index}
	in := inventory(declared("b/x:1", index), behind, again)
	got := sbom.Merge(in)
	if diff := cmp.Diff(map[string]int{"image:" + string(digestOf("manifest")): 3}, merged(got)); diff != "" {
		t.Errorf("artifacts and their sightings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, sbom.Merge(got)); diff != "" {
		t.Errorf("merging again changes the inventory (-want +got):\n%s", diff)
	}
}

func TestWhatRunsUnderANameAloneIsMarkedAndOneSightOfADigestOfEachCopyTakesTheMarkAway(t *testing.T) {
	const ref = "registry.example.org/a/x:1.0.0"
	runs := func(host string, digest, config audit.Digest) sbom.Artifact {
		a := image(digest, ref, []sbom.Sighting{{Source: "containers", Where: host, State: sbom.StateRunning, Reference: ref, Digest: digest, Hosts: []string{host}, Replicas: 1}})
		a.Config = config
		return a
	}
	offered := image(someDigest, ref, []sbom.Sighting{{Source: "osism", Where: "r", Declared: true, State: sbom.StateOffered, Reference: ref, Digest: someDigest}})
	config := audit.DigestOf([]byte("configuration"))
	known := runs("h1", someDigest, config)
	for _, c := range []struct {
		name string
		in   []sbom.Artifact
		want bool
	}{
		{"a manifest names a digest, and docker ps only the name", []sbom.Artifact{offered, runs("h1", "", "")}, true},
		{"the engine tells the digest", []sbom.Artifact{offered, known}, false},
		{"the engine tells the image ID, which another source knows with the digest", []sbom.Artifact{known, runs("h2", "", config)}, false},
		{"one host tells the digest and another only the name", []sbom.Artifact{known, runs("h2", "", "")}, true},
		{"nothing runs", []sbom.Artifact{offered}, false},
	} {
		got := sbom.Merge(inventory(c.in...))
		if len(got.Artifacts) != 1 || got.Artifacts[0].ByName != c.want {
			t.Errorf("%s: got %+v, want one artifact with by_name %v", c.name, got.Artifacts, c.want)
		}
		if again := sbom.Merge(got); !cmp.Equal(got, again) {
			t.Errorf("%s: merging again changes it: %s", c.name, cmp.Diff(got, again))
		}
	}
}
