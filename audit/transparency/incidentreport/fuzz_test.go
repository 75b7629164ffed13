package incidentreport

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// seedTexts adds our own texts to a corpus.
func seedTexts(f *testing.F, suffix string) {
	for _, pattern := range []string{"testdata/reports/*", "testdata/others/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if strings.HasSuffix(file, ".html") == (suffix == ".html") {
				f.Add(data)
			}
		}
	}
}

// lawful checks what holds for every document: bounds, no control characters, parts in their order and once, an end only after
// a begin, times and ids only of a report, and the same answer twice.
func lawful(t *testing.T, d Document) {
	t.Helper()
	if len(d.Blocks) > maxBlocks || len(d.Title) > 200 || strings.ContainsFunc(d.Title, unicode.IsControl) {
		t.Errorf("%d blocks, title %q", len(d.Blocks), d.Title)
	}
	got := Recognise(d)
	order := parts()
	last := -1
	for _, p := range got.Parts {
		i := slices.Index(order, p)
		if i <= last {
			t.Errorf("parts %v are not in order", got.Parts)
		}
		last = i
	}
	if got.End.Before(got.Begin) && !got.End.IsZero() {
		t.Errorf("it ended at %s before it began at %s", got.End, got.Begin)
	}
	if !got.Report && (!got.Begin.IsZero() || !got.End.IsZero() || got.Incident != "") {
		t.Errorf("no report, but %+v", got)
	}
	if len(got.Components) > 20 || len(got.Incident) > 300 {
		t.Errorf("%d components, incident of %d bytes", len(got.Components), len(got.Incident))
	}
	if again := Recognise(d); again.Report != got.Report || !slices.Equal(again.Parts, got.Parts) {
		t.Errorf("first %+v, then %+v", got, again)
	}
}

func FuzzMarkdown(f *testing.F) {
	seedTexts(f, ".md")
	f.Fuzz(func(t *testing.T, data []byte) { lawful(t, ReadMarkdown("https://docs.example.org/x.md", data)) })
}

func FuzzHTML(f *testing.F) {
	seedTexts(f, ".html")
	f.Fuzz(func(t *testing.T, data []byte) { lawful(t, ReadHTML("https://docs.example.org/x.html", data)) })
}

// What was dropped once has nothing left to drop.
func FuzzFeed(f *testing.F) {
	f.Add([]byte(rss))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="x"/><entry><title>x</title><content type="xhtml"><div>y</div></content></entry></feed>`))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":1,"title":"x","content_text":"y"}],"next_url":"z"}`))
	f.Add([]byte(`<rdf:RDF xmlns:rdf="x"><item><title>x</title><link>y</link></item></rdf:RDF>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parseFeed(data); err != nil {
			return
		}
		once, err := Redact(data)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Redact(once)
		if err != nil || string(once) != string(twice) {
			t.Errorf("dropping twice changes %q to %q", once, twice)
		}
	})
}
