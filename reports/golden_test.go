package reports

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with testdata/NAME.golden; a changed golden file is a changed promise.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("reading golden file: %v (run the test with -update and look at what it writes)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-want +got):\n%s", file, cmp.Diff(lines(want), lines(got)))
	}
}

func lines(b []byte) []string {
	var out []string
	for _, l := range bytes.Split(b, []byte("\n")) {
		out = append(out, string(l))
	}
	return out
}

func TestEveryFormatShowsEverySampleAsItsGoldenFile(t *testing.T) {
	for _, f := range Formats() {
		for _, s := range samples() {
			t.Run(f.Name+" "+s.name, func(t *testing.T) {
				golden(t, s.name+"."+f.Name, render(t, f.Name, s.report))
			})
		}
	}
}

func TestNarrowAndColouredTextIsAsItsGoldenFile(t *testing.T) {
	for _, opt := range []Options{{Width: 60}, {Width: 120, Color: true}} {
		got, err := Render("text", releaseSample(24, 4), opt)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("release-%d.text", opt.Width), got)
	}
}

func TestScoresAreAsTheirGoldenFiles(t *testing.T) {
	for _, s := range scoreSamples() {
		for _, f := range ScoreFormats() {
			if f.Single && len(s.projects) != 1 {
				continue
			}
			golden(t, s.name+".score-"+f.Name, renderScore(t, f.Name, s.projects, Options{}))
		}
	}
}

func TestReasonsAndComparisonsOfScoresAreAsTheirGoldenFiles(t *testing.T) {
	full, hostile := fullProject(), hostileProject()
	for _, format := range []string{"text", "markdown"} {
		golden(t, "why.score-"+format, renderScore(t, format, []Project{full}, Options{Why: true}))
		golden(t, "why-one.score-"+format, renderScore(t, format, []Project{full}, Options{Why: true, Only: []string{"OC-02", "OS-01", "lock-in"}}))
		golden(t, "compare.score-"+format, renderScore(t, format, []Project{full, otherProject()}, Options{Compare: true}))
		golden(t, "compare-hostile.score-"+format, renderScore(t, format, []Project{full, hostile}, Options{Compare: true}))
	}
	golden(t, "why-60.score-text", renderScore(t, "text", []Project{full}, Options{Why: true, Width: 60}))
	golden(t, "table-60.score-text", renderScore(t, "text", releaseSample(6, 2).Projects, Options{Width: 60}))
	golden(t, "card-ascii.score-text", renderScore(t, "text", []Project{full}, Options{ASCII: true}))
}

func renderScore(t testing.TB, format string, projects []Project, opt Options) []byte {
	t.Helper()
	data, err := RenderScore(format, projects, opt)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func render(t testing.TB, format string, r Report) []byte {
	t.Helper()
	data, err := Render(format, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheSameReportGivesTheSameBytes(t *testing.T) {
	for _, f := range Formats() {
		for _, s := range samples() {
			first := render(t, f.Name, s.report)
			for range 5 {
				if !bytes.Equal(render(t, f.Name, s.report), first) {
					t.Fatalf("%s of %s differs between two runs", f.Name, s.name)
				}
			}
		}
	}
}

func TestShowingAReportDoesNotChangeIt(t *testing.T) {
	for _, s := range samples() {
		before := render(t, "json", s.report)
		for _, f := range Formats() {
			render(t, f.Name, s.report)
		}
		Redact(s.report)
		if after := render(t, "json", s.report); !bytes.Equal(before, after) {
			t.Errorf("%s: the report was changed", s.name)
		}
	}
}

func TestAnUnknownFormatIsAnErrorThatNamesTheKnownOnes(t *testing.T) {
	_, err := Render("markdown", emptySample(), Options{})
	if want := `unknown report format "markdown"; known are text, html, json, scs-report`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = RenderScore("pdf", nil, Options{})
	if want := `unknown score format "pdf"; known are text, json, markdown, html, svg, scs-0008`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
