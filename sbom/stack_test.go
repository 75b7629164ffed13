package sbom_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

func exampleStack(t *testing.T) (sbom.Inventory, map[string]sbom.BOMRef) {
	t.Helper()
	doc, err := sbom.ImageBOM(keystone(), keystonePackages(), options())
	if err != nil {
		t.Fatal(err)
	}
	redis := sbom.Artifact{ID: "image:library/redis:7.4.2-alpine", Kind: sbom.KindImage, Name: "redis", Reference: "library/redis:7.4.2-alpine",
		Version: "7.4.2", Tiers: []string{"ops"}, Service: "redis", Placed: "source osism base.yml", Sightings: told("9.0.0/base.yml")}
	odd := sbom.Artifact{ID: "image:odd:latest", Kind: sbom.KindImage, Name: "odd", Unpinned: "latest names whatever is newest", Sightings: told("x")}
	gone := sbom.Artifact{ID: "image:gone:1", Kind: sbom.KindImage, Name: "gone", Tiers: []string{"ops"}, Service: "redis", Excluded: "not used here", Sightings: told("y")}
	host := sbom.Artifact{ID: "host:host-1", Kind: sbom.KindHost, Name: "host-1", Tiers: []string{"base"}, Sightings: seen("host-1")}
	inv := inventory(keystone(), redis, odd, gone, host)
	inv.Failures = []sbom.Failure{{Source: "osism ./release", Reason: "ceph-reef.yml: line 3: not a mapping"}}
	return inv, map[string]sbom.BOMRef{keystone().ID: doc.Ref()}
}

func TestTheStackDocumentNestsTierServiceAndImage(t *testing.T) {
	inv, boms := exampleStack(t)
	doc, err := sbom.StackBOM(inv, boms, sbom.StackOptions{BOMOptions: options(), Name: "example-cloud", Operator: "Example GmbH"})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, doc.Data)
	if got := unreachable(t, doc.Data); len(got) > 0 {
		t.Errorf("not reachable from the root: %v", got)
	}
	s := shape(t, doc.Data)
	var paths []string
	var walk func(string, []bomComponent)
	walk = func(above string, list []bomComponent) {
		for _, c := range list {
			paths = append(paths, above+" > "+c.Ref)
			walk(above+" > "+c.Ref, c.Components)
		}
	}
	walk(s.Metadata.Component.Name, s.Components)
	want := []string{
		"example-cloud at Example GmbH > layer:functional",
		"example-cloud at Example GmbH > layer:functional > service:functional/keystone",
		"example-cloud at Example GmbH > layer:functional > service:functional/keystone > image:" + someDigest,
		"example-cloud at Example GmbH > layer:iam",
		"example-cloud at Example GmbH > layer:iam > service:iam/keystone",
		"example-cloud at Example GmbH > layer:ops",
		"example-cloud at Example GmbH > layer:ops > service:ops/redis",
		"example-cloud at Example GmbH > layer:ops > service:ops/redis > image:gone:1",
		"example-cloud at Example GmbH > layer:ops > service:ops/redis > image:library/redis:7.4.2-alpine",
		"example-cloud at Example GmbH > layer:base",
		"example-cloud at Example GmbH > layer:base > host:host-1",
		"example-cloud at Example GmbH > layer:unplaced",
		"example-cloud at Example GmbH > layer:unplaced > image:odd:latest",
		"example-cloud at Example GmbH > unseen:1",
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	edges := map[string][]string{}
	for _, d := range s.Dependencies {
		edges[d.Ref] = d.DependsOn
	}
	if diff := cmp.Diff([]string{"image:" + someDigest}, edges["service:iam/keystone"]); diff != "" {
		t.Errorf("the service of the second tier does not lead to the image (-want +got):\n%s", diff)
	}
	if got := s.Compositions[0].Aggregate; got != "incomplete" {
		t.Errorf("the list of the stack is called %q, want incomplete: it came from manifests", got)
	}
	if got := s.Compositions[1]; got.Aggregate != "unknown" || slices.Contains(got.Assemblies, keystone().ID) || !slices.Contains(got.Assemblies, "unseen:1") {
		t.Errorf("unknown parts = %+v, want all without a document and what was not seen", got)
	}
}

func TestAnImageInTheStackPointsToItsOwnDocument(t *testing.T) {
	inv, boms := exampleStack(t)
	doc, err := sbom.StackBOM(inv, boms, sbom.StackOptions{BOMOptions: options(), Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	refs := shape(t, doc.Data).Components[0].Components[0].Components[0].ExternalReferences
	want := "urn:cdx:" + strings.TrimPrefix(boms[keystone().ID].SerialNumber, "urn:uuid:") + "/1"
	if len(refs) != 1 || refs[0].Type != "bom" || refs[0].URL != want || len(refs[0].Hashes) != 2 {
		t.Errorf("references = %+v, want one of type bom to %s with SHA-256 and SHA-512", refs, want)
	}
}

func TestTheStackDocumentDoesNotDependOnOrderOrClock(t *testing.T) {
	inv, boms := exampleStack(t)
	opt := sbom.StackOptions{BOMOptions: options(), Name: "s"}
	want, err := sbom.StackBOM(inv, boms, opt)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		mixed := inv
		mixed.Artifacts = slices.Clone(inv.Artifacts)
		r.Shuffle(len(mixed.Artifacts), func(i, j int) {
			mixed.Artifacts[i], mixed.Artifacts[j] = mixed.Artifacts[j], mixed.Artifacts[i]
		})
		got, err := sbom.StackBOM(mixed, boms, opt)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want.Data), string(got.Data)); diff != "" {
			t.Fatalf("another order gives other bytes (-want +got):\n%s", diff)
		}
	}
	opt.At = opt.At.AddDate(1, 0, 0)
	ref := boms[keystone().ID]
	ref.SHA256 = strings.Repeat("0", 64) // the same contents, written on another day
	later, err := sbom.StackBOM(inv, map[string]sbom.BOMRef{keystone().ID: ref}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if later.SerialNumber != want.SerialNumber {
		t.Errorf("another day gives serial number %s, want %s", later.SerialNumber, want.SerialNumber)
	}
}

func TestAStackIsCompleteOnlyIfSaidSoAndNothingFailed(t *testing.T) {
	inv, boms := exampleStack(t)
	whole := inv
	whole.Failures = nil
	tests := []struct {
		name string
		inv  sbom.Inventory
		said bool
		want string
	}{
		{"nobody said so", whole, false, "incomplete"},
		{"said so", whole, true, "complete"},
		{"said so, but a source failed", inv, true, "incomplete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := sbom.StackBOM(tt.inv, boms, sbom.StackOptions{BOMOptions: options(), Complete: tt.said})
			if err != nil {
				t.Fatal(err)
			}
			validate(t, doc.Data)
			if got := shape(t, doc.Data).Compositions[0].Aggregate; got != tt.want {
				t.Errorf("aggregate = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnEmptyStackIsAValidDocument(t *testing.T) {
	doc, err := sbom.StackBOM(sbom.Inventory{}, nil, sbom.StackOptions{BOMOptions: options()})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, doc.Data)
}

func TestAnArtifactThatOccursTwiceIsRefused(t *testing.T) {
	_, err := sbom.StackBOM(inventory(keystone(), keystone()), nil, sbom.StackOptions{BOMOptions: options()})
	if err == nil || !strings.Contains(err.Error(), "occurs twice") {
		t.Errorf("error = %v, want one that says occurs twice", err)
	}
}

// manyArtifacts makes a stack of images that share packages, as kolla images do: of each thousand packages in an image,
// nine in ten are in every other image too.
func manyArtifacts(images, each int) (sbom.Inventory, []sbom.Packages) {
	var list []sbom.Artifact
	var pkgs []sbom.Packages
	for i := range images {
		a := image("", fmt.Sprintf("r.example/p%d:1.0", i), told("m"))
		a.Tiers, a.Service = []string{"functional"}, fmt.Sprintf("s%d", i%90)
		p := manyPackages(each)
		p.Artifact = a.ID
		own := *p.Components.Value
		for j := each * 9 / 10; j < each; j++ {
			own[j].Ref = fmt.Sprintf("pkg:pypi/own-%d-%d@1", i, j)
			own[j].PURL, own[j].DependsOn = own[j].Ref, nil
		}
		list, pkgs = append(list, a), append(pkgs, p)
	}
	return inventory(list...), pkgs
}

func BenchmarkStackBOM(b *testing.B) {
	b.Run("1000 images with links", func(b *testing.B) {
		inv, _ := manyArtifacts(1000, 0)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sbom.WriteStackBOM(io.Discard, inv, nil, sbom.StackOptions{BOMOptions: options()}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, share := range []struct {
		name         string
		images, each int
	}{{"100000 occurrences in 200 images, flat", 200, 500}, {"100000 occurrences in 10 images, flat", 10, 10_000}} {
		b.Run(share.name, func(b *testing.B) {
			inv, pkgs := manyArtifacts(share.images, share.each)
			b.ReportAllocs()
			for b.Loop() {
				w := &heapWatcher{}
				if _, err := sbom.WriteFlatBOM(w, inv, pkgs, sbom.StackOptions{BOMOptions: options()}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(w.peak)/1e6, "peak-heap-MB")
				b.ReportMetric(float64(w.written)/1e6, "written-MB")
			}
		})
	}
}

// heapWatcher takes what is written and looks how large the heap is meanwhile.
type heapWatcher struct {
	written, next int64
	peak          uint64
}

func (w *heapWatcher) Write(p []byte) (int, error) {
	w.written += int64(len(p))
	if w.written >= w.next {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak, w.next = max(w.peak, m.HeapInuse+m.StackInuse), w.written+1<<20
	}
	return len(p), nil
}
