package scan

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestAGoProgramIsFoundAlsoWhereItsSectionWasRenamed(t *testing.T) {
	gofmt, err := exec.LookPath("gofmt")
	if err != nil {
		absent(t, "gofmt is not on PATH: it serves as a small Go program")
	}
	program, err := os.ReadFile(gofmt)
	if err != nil {
		absent(t, err.Error())
	}
	renamed := bytes.Replace(program, []byte(".go.buildinfo\x00"), []byte(".xo.buildinfo\x00"), 1)
	if bytes.Equal(renamed, program) {
		t.Fatal("the program has no name of the section to change")
	}
	if isMute(bytes.NewReader(renamed), int64(len(renamed))) {
		t.Error("it counts as mute, so that no cataloger would look into it")
	}
	if ls, err := os.ReadFile(realPath(t, "/bin/ls")); err != nil {
		absent(t, err.Error())
	} else if !isMute(bytes.NewReader(ls), int64(len(ls))) {
		t.Error("a program of C does not count as mute")
	}
}

func TestLinksThatMultiplyNamesEndInAnError(t *testing.T) {
	layer := []tarEntry{{name: "d/e/package.json", text: "{}"}}
	for i := range 400 {
		layer = append(layer, tarEntry{name: fmt.Sprintf("l%d", i), link: "/d"}, tarEntry{name: fmt.Sprintf("m%d", i), link: "/d/e"}, tarEntry{name: fmt.Sprintf("d/e/f%d.json", i), text: "x"})
	}
	tr, err := newTree(layersOf(t, layer))
	if err != nil {
		t.Fatal(err)
	}
	g := newGlobs(tr)
	g.left.Store(10_000)
	if err := g.match("**/*.json", func(string, *node) {}); err == nil || !strings.Contains(err.Error(), "names") {
		t.Errorf("got error %v, want one that says that there are too many names", err)
	}
}

func TestWhatLinksMakeOfATreeIsBounded(t *testing.T) {
	deep := []tarEntry{{name: "a/" + strings.Repeat("d/", 200) + "l", link: "/" + "x/" + strings.Repeat("d/", 190)}}
	for i := range 4 {
		deep = append(deep, tarEntry{name: fmt.Sprintf("x/%sy%d/%sf", strings.Repeat("d/", 190), i, strings.Repeat("e/", 50)), text: "x"})
	}
	deep = append(deep, tarEntry{name: "b", link: "/x/" + strings.Repeat("d/", 190) + "y0/" + strings.Repeat("e/", 50)}, tarEntry{name: "b/" + strings.Repeat("g/", 240) + "c", link: "."},
		tarEntry{name: "k", link: "/x/" + strings.Repeat("d/", 190) + "y0/" + strings.Repeat("e/", 50) + strings.Repeat("g/", 240)}, tarEntry{name: "k/" + strings.Repeat("h/", 200) + "z", text: "x"})
	if _, err := newTree(layersOf(t, deep)); err == nil || !strings.Contains(err.Error(), "deeper than 512") {
		t.Errorf("got error %.200v, want that it lies too deep", err)
	}
}

func TestHostileRecordsCostLittleAndHideNothing(t *testing.T) {
	var status strings.Builder
	for i := range 2000 {
		status.WriteString(deb822(fmt.Sprintf("p%d", i), "Provides: v\nDepends: v\n"))
	}
	status.WriteString(deb822("long", "Depends: a\n"+strings.Repeat(" ,b\n", 200_000)))
	all := componentsOf(t, scanned(t, storing(t, t.TempDir()), target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
		{name: "etc/os-release", text: osRelease}, {name: "var/lib/dpkg/status", text: status.String()},
		{name: "usr/share/.wh...", text: ""}, {name: "var/lib/.wh..", text: ""}, // names that container engines refuse
	})))))
	if len(all) != 2001 {
		t.Errorf("%d components, want 2001", len(all))
	}
	edges := 0
	for _, c := range all {
		edges += len(c.DependsOn)
	}
	if edges > 2001*maxProviders {
		t.Errorf("%d dependencies", edges)
	}
}

func TestATimeThatNobodyCanWriteIsNone(t *testing.T) {
	if got := dated(1 << 55); !got.IsZero() {
		t.Errorf("got %v, want none", got)
	}
	if got := dated(0); got.Year() != 1970 {
		t.Errorf("got %v, want 1970", got)
	}
}

func TestALargeFileIsRefusedUnderTheNameOfEvidence(t *testing.T) {
	big := strings.Repeat("x", 1000)
	s, _ := newScanner(t, Limits{EvidenceFile: 600})
	p, err := s.Scan(context.Background(), target(FormOCIDir, writeLayout(t, imageOf(t, []tarEntry{
		{name: "srv/data.bin", text: big}, {name: "srv/x-1.dist-info/METADATA", link: "/srv/data.bin"},
	}))))
	if found, _ := p.Components.Get(); err == nil && len(found) > 0 {
		t.Errorf("components %v, want none or an error", found)
	}
}

func TestHoldersOfACopyrightAreNoLicences(t *testing.T) {
	for _, text := range []string{"(c) 2020 Erika Mustermann", "© Erika Mustermann", "Copyright 2020 Erika Mustermann"} {
		if got := claimText(text); got != "" {
			t.Errorf("%q is taken for the name of a licence", text)
		}
	}
	if claimText("MIT") != "MIT" {
		t.Error("MIT is none")
	}
}

func TestWithoutATemporaryDirectoryNoArchiveIsLeftOut(t *testing.T) {
	layout := writeLayout(t, imageOf(t, withFiles(t)))
	s := storing(t, t.TempDir())
	t.Setenv("TMPDIR", "/proc/nothing-here")
	if _, err := s.Scan(context.Background(), target(FormOCIDir, layout)); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("got error %v, want one that names TMPDIR", err)
	}
}
