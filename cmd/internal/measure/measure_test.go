package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/scan"
)

func TestTheSyntheticStackHasTheImagesAndPackagesThatItSays(t *testing.T) {
	layouts, err := syntheticStack(t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scan.New(scan.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, dir := range layouts {
		p, err := s.Scan(t.Context(), sbom.Target{Path: dir, Form: scan.FormOCIDir, Artifact: sbom.Artifact{ID: "image:x", Name: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		found, _ := p.Components.Get()
		if want := (layersPerImage + 1) * packagesEach; len(found) != want {
			t.Errorf("%d components were found, want %d", len(found), want)
		}
	}
	shared := map[string]int{}
	for _, dir := range layouts {
		layers, err := layersOf(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			shared[filepath.Base(l)]++
		}
	}
	if len(shared) >= 2*(layersPerImage+1) {
		t.Error("the images share no layer")
	}
}

func TestTheFloorReadsEveryLayerAndSeesDamage(t *testing.T) {
	layouts, err := syntheticStack(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, hashes := range []string{"sha512", "both"} {
		phases, err := floorJob(t.Context(), append([]string{hashes}, layouts...))
		if err != nil || len(phases) != 1 || phases[0].Wall <= 0 {
			t.Errorf("got %v, %v, want one phase", phases, err)
		}
	}
	layers, err := layersOf(layouts[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(layers[3], 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := floorJob(t.Context(), append([]string{"both"}, layouts...)); err == nil {
		t.Error("a cut layer gave no error")
	}
}

func TestTheGeneratedPartOfADocumentIsReplacedAndTheRestStays(t *testing.T) {
	name := filepath.Join(t.TempDir(), "doc.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + beginMark + "\nold\n" + endMark + "\nafter\n")
	for range 2 {
		if err := replaceBetweenMarkers(name, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(name)
	if want := "before\n" + beginMark + "\nnew\n" + endMark + "\nafter\n"; err != nil || string(raw) != want {
		t.Errorf("got %q, %v, want %q", raw, err, want)
	}
	write("no markers")
	if err := replaceBetweenMarkers(name, "new\n"); err == nil || !strings.Contains(err.Error(), beginMark) {
		t.Errorf("got error %v, want one that names the marker", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), ".measured-*")); len(left) > 0 {
		t.Errorf("%q was left behind", left)
	}
}

func TestTheTableComparesWithBothFloorsAndNamesImagesWithoutDocument(t *testing.T) {
	got := scansTable([]row{
		{What: floor512, Images: 3, usage: usage{CPU: 2}},
		{What: floorBoth, Images: 3, usage: usage{CPU: 4}},
		{What: "other program", Images: 3, usage: usage{CPU: 8, Peak: 5 << 20}, Failed: []string{"java"}},
	})
	want := "| other program (**no document** for java) | 3 | 8.00 | 4.00 | 2.00 | 5 |\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want it to end in %q", got, want)
	}
}

func TestDocumentsAreComparedFieldByFieldAndAnEmptyToolIsLeftOut(t *testing.T) {
	s := session{keep: t.TempDir()}
	dir := s.documents("syft")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const document = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[
		{"type":"library","bom-ref":"a","name":"a","version":"1"},{"type":"library","bom-ref":"b","name":"b"}]}`
	for _, name := range []string{"one.cdx.json", "two.cdx.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.checkDocuments()
	if err != nil || len(all) != 1 || all[0].tool != "syft" || all[0].documents != 2 {
		t.Fatalf("got %+v, %v, want the two documents of syft", all, err)
	}
	got := documentsTable(all)
	for _, want := range []string{"| Version of the component | required | 50 |\n", "| Component name | required | 100 |\n", "| documents with all required fields | | 0 of 2 |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "three.cdx.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err = s.checkDocuments(); err != nil || all[0].documents != 2 || len(s.notes) != 1 || !strings.Contains(s.notes[0], "three.cdx.json of syft") {
		t.Errorf("got %+v, %v, %q, want a note that names the document", all, err, s.notes)
	}
}

func TestAProgramThatFailsIsAnErrorWithWhatItSaid(t *testing.T) {
	if got := plainText("\x1b[1mTool\x1b[0m 1.2"); got != "Tool 1.2" {
		t.Errorf("got %q", got)
	}
	u, err := execute(commandThatFails(t))
	if err == nil || !strings.Contains(err.Error(), "no such subject") {
		t.Errorf("got error %v, want what the program said", err)
	}
	if u.Peak == 0 || u.Wall == 0 {
		t.Errorf("got %+v, want memory and time also of a program that fails", u)
	}
}

func commandThatFails(t *testing.T) *exec.Cmd {
	return exec.CommandContext(t.Context(), "sh", "-c", "echo no such subject >&2; exit 3")
}
