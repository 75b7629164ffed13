package statuspage

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// FuzzPage lets every adapter read the same bytes at every address. Whatever they are, there is a page or a trouble, the page
// is bounded, its texts are clean, and the same bytes give the same page.
func FuzzPage(f *testing.F) {
	names := Adapters()
	recordedFiles, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range recordedFiles {
		a, want := recorded(f, strings.TrimSuffix(filepath.Base(file), ".txt"))
		software, _, _ := strings.Cut(want, " ")
		for _, body := range a {
			f.Add(byte(slices.Index(names, software)), []byte(body))
			f.Add(byte(slices.Index(names, "feed")), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		name := names[int(which)%len(names)]
		asked := 0
		world := transparency.World{At: at, Ask: func(_ context.Context, r audit.Request) audit.Answer {
			asked++
			answer := audit.Answer{Seen: audit.Seen{URL: r.URL, At: at, Status: 200}}
			redacted, err := r.Redact(body)
			if err != nil {
				answer.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: err.Error()}
				return answer
			}
			answer.Body = redacted
			return answer
		}}
		target := transparency.Target{URL: "https://example.statuspal.eu/status/a", Adapter: name}
		artifact := Collect(t.Context(), target, world)
		page := artifact.StatusPage
		if (page == nil) == (artifact.Trouble == nil) {
			t.Fatalf("%s: page %v, trouble %v", name, page != nil, artifact.Trouble)
		}
		if asked > mostTried+mostAddresses || len(artifact.Seen) != asked {
			t.Fatalf("%s: %d requests, %d looks", name, asked, len(artifact.Seen))
		}
		if page == nil {
			return
		}
		if len(page.Incidents) > keptIncidents || len(page.Incidents) > page.IncidentsSeen || len(page.Components) > keptComponents {
			t.Fatalf("%s: %d of %d incidents, %d components", name, len(page.Incidents), page.IncidentsSeen, len(page.Components))
		}
		text := page.Title
		for _, c := range page.Components {
			text += c.Name + c.State
		}
		for _, i := range page.Incidents {
			text += i.ID + i.Title + i.Impact + i.URL + i.Report + strings.Join(i.Components, "")
			if i.Severity != nil && (*i.Severity < 0 || *i.Severity > 100) {
				t.Fatalf("%s: severity %d", name, *i.Severity)
			}
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Fatalf("%s: control characters in %q", name, text)
		}
		if again := Collect(t.Context(), target, world); said(again, "") != said(artifact, "") {
			t.Fatalf("%s: the same bytes give another page", name)
		}
	})
}
