package sbom_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

func twoImages() (sbom.Inventory, []sbom.Packages) {
	first, second := keystone(), keystone()
	second.ID, second.Digest, second.Name, second.Reference = "image:"+otherDigest, otherDigest, "glance", "quay.io/kolla/glance:1"
	p, q := keystonePackages(), keystonePackages()
	p.Artifact, q.Artifact = first.ID, second.ID
	list := *q.Components.Value
	list = slices.DeleteFunc(list, func(c sbom.Component) bool { return c.Name == "keystone" })
	for i := range list {
		list[i].Dependencies = sbom.DependenciesIncomplete
	}
	q.Components = audit.Known(list)
	return inventory(first, second), []sbom.Packages{p, q}
}

func flatBOM(t *testing.T, inv sbom.Inventory, pkgs []sbom.Packages) []byte {
	t.Helper()
	var out strings.Builder
	if _, err := sbom.WriteFlatBOM(&out, inv, pkgs, sbom.StackOptions{BOMOptions: options(), Name: "s"}); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

func TestTheFlatDocumentListsEachPackageOnceAndSaysWhereItOccurs(t *testing.T) {
	inv, pkgs := twoImages()
	data := flatBOM(t, inv, pkgs)
	validate(t, data)
	if got := unreachable(t, data); len(got) > 0 {
		t.Errorf("not reachable from the root: %v", got)
	}
	s := shape(t, data)
	var names []string
	for _, c := range s.Components {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"functional", "iam", "x", "bash", "libc6", "libgcc-s1", "keystone"}, names); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	var evidence struct {
		Components []struct {
			Name     string `json:"name"`
			Evidence struct {
				Occurrences []struct{ Location, AdditionalContext string } `json:"occurrences"`
			} `json:"evidence"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &evidence); err != nil {
		t.Fatal(err)
	}
	where := map[string][]string{}
	for _, c := range evidence.Components {
		for _, o := range c.Evidence.Occurrences {
			where[c.Name] = append(where[c.Name], strings.TrimSpace(o.Location+" "+o.AdditionalContext))
		}
	}
	if diff := cmp.Diff([]string{"image:" + someDigest + " /var/lib/dpkg/status", "image:" + otherDigest + " /var/lib/dpkg/status"}, where["bash"]); diff != "" {
		t.Errorf("bash occurs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"image:" + someDigest}, where["keystone"]); diff != "" {
		t.Errorf("keystone occurs (-want +got):\n%s", diff)
	}
	edges := map[string]int{}
	for _, d := range s.Dependencies {
		edges[d.Ref] = len(d.DependsOn)
	}
	if edges["image:"+someDigest] != 5 || edges["image:"+otherDigest] != 4 {
		t.Errorf("the images depend on %d and %d packages, want 5 and 4", edges["image:"+someDigest], edges["image:"+otherDigest])
	}
}

func TestTheFlatDocumentDescribesTheImagesItself(t *testing.T) {
	inv, pkgs := twoImages()
	var d bsiDocument
	if err := json.Unmarshal(flatBOM(t, inv, pkgs), &d); err != nil {
		t.Fatal(err)
	}
	image := find(t, d.Components[0].Components[0].Components, "image:"+someDigest)
	if image.property("bsi:component:archive") != "archive" || image.references()["distribution"] != imageAddress+" SHA-512 abab" || image.references()["bom"] != "" {
		t.Errorf("image = %+v", image)
	}
}

func TestTheFlatDocumentDoesNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	first, second := randomPackages(r), randomPackages(r)
	inv, _ := twoImages()
	first.Artifact, second.Artifact = inv.Artifacts[0].ID, inv.Artifacts[1].ID
	want := flatBOM(t, inv, []sbom.Packages{first, second})
	validate(t, want)
	slices.Reverse(inv.Artifacts)
	for _, p := range []sbom.Packages{first, second} {
		slices.Reverse(*p.Components.Value)
	}
	if diff := cmp.Diff(string(want), string(flatBOM(t, inv, []sbom.Packages{second, first}))); diff != "" {
		t.Errorf("another order gives other bytes (-want +got):\n%s", diff)
	}
}

func TestPackagesOfNoArtifactAreRefused(t *testing.T) {
	inv, pkgs := twoImages()
	for _, broken := range [][]sbom.Packages{{{Artifact: "image:gone"}}, {pkgs[0], pkgs[0]}} {
		if _, err := sbom.WriteFlatBOM(&strings.Builder{}, inv, broken, sbom.StackOptions{}); err == nil {
			t.Error("no error")
		}
	}
}

func TestAStackOfAHundredThousandOccurrencesIsWrittenInLessThan500MB(t *testing.T) {
	inv, pkgs := manyArtifacts(200, 500)
	w := &heapWatcher{}
	written, err := sbom.WriteFlatBOM(w, inv, pkgs, sbom.StackOptions{BOMOptions: options()})
	if err != nil {
		t.Fatal(err)
	}
	if w.peak > 500_000_000 {
		t.Errorf("the heap grew to %d MB, want less than 500", w.peak/1_000_000)
	}
	if want := 450 + 200*50 + 200 + 90 + 1; written.Components != want { // shared and own packages, images, services, one tier
		t.Errorf("%d components, want %d", written.Components, want)
	}
}
