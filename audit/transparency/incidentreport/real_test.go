package incidentreport

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// realText is one entry of testdata/real.yaml.
type realText struct {
	Half, Language, Digest, URL, Note string
	Report, Excerpt                   bool
	Parts                             []string
}

func realTexts(t *testing.T) []realText {
	t.Helper()
	data, err := os.ReadFile("testdata/real.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Texts []realText }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Texts
}

func TestTheListOfRealTextsHoldsAsManyAsWereAskedFor(t *testing.T) {
	reports, others, languages := 0, 0, map[string]int{}
	seen := map[string]bool{}
	for _, r := range realTexts(t) {
		if len(r.Digest) != 64 || seen[r.Digest] || r.URL == "" && r.Note == "" || r.Half != "train" && r.Half != "test" {
			t.Errorf("entry %q: digest, address or half is missing or doubled", r.URL+r.Digest)
		}
		seen[r.Digest] = true
		if r.Report {
			reports++
			languages[r.Language]++
		} else {
			others++
		}
	}
	if reports < 40 || others < 60 {
		t.Errorf("got %d reports and %d others, want at least 40 and 60", reports, others)
	}
	for _, lang := range []string{"en", "de", "fr"} {
		if languages[lang] == 0 {
			t.Errorf("no report in %q", lang)
		}
	}
}

// counts are those of one question: found rightly, found wrongly, missed.
type counts struct{ right, wrong, missed int }

func (c counts) precision() int { return 100 * c.right / max(1, c.right+c.wrong) }
func (c counts) recall() int    { return 100 * c.right / max(1, c.right+c.missed) }

// TestRecogniserOnRealTexts reads the originals from the directory that PEGEL_INCIDENT_TEXTS names, each in a file named by
// its digest; docs/incident-reports.md says how to fetch them. The floors are what that page promises.
func TestRecogniserOnRealTexts(t *testing.T) {
	dir := os.Getenv("PEGEL_INCIDENT_TEXTS")
	if dir == "" {
		t.Skip("PEGEL_INCIDENT_TEXTS names no directory with the original texts")
	}
	for _, half := range []string{"train", "test"} {
		var whole counts
		single := map[string]counts{}
		begins, ends, n := 0, 0, 0
		for _, r := range realTexts(t) {
			if r.Half != half {
				continue
			}
			body, err := os.ReadFile(filepath.Join(dir, r.Digest))
			if err != nil {
				t.Fatal(err)
			}
			got := Recognise(ReadMarkdown(r.URL, body))
			whole = whole.add(r.Report, got.Report)
			if r.Report != got.Report {
				t.Logf("%s: %s: report %v, got %v (%s)", half, r.URL+r.Note, r.Report, got.Report, got.Reason)
			}
			if !r.Report {
				continue
			}
			n++
			if !got.Begin.IsZero() {
				begins++
			}
			if !got.End.IsZero() {
				ends++
			}
			for _, p := range parts() {
				single[p] = single[p].add(slices.Contains(r.Parts, p), slices.Contains(got.Parts, p))
			}
		}
		t.Logf("%s: reports: %+v precision %d %% recall %d %%; of %d a begin %d, an end %d", half, whole, whole.precision(), whole.recall(), n, begins, ends)
		for _, p := range parts() {
			t.Logf("%s: %s: %+v precision %d %% recall %d %%", half, p, single[p], single[p].precision(), single[p].recall())
		}
		if whole.precision() < 95 || whole.recall() < 85 {
			t.Errorf("%s: reports are recognised worse than docs/incident-reports.md says", half)
		}
	}
}

func (c counts) add(want, got bool) counts {
	switch {
	case want && got:
		c.right++
	case got:
		c.wrong++
	case want:
		c.missed++
	}
	return c
}
