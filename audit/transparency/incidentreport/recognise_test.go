package incidentreport

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readFixture reads one of our own texts in the form that its name says.
func readFixture(t *testing.T, name string) Document {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	address := "https://docs.example.org/" + filepath.Base(name)
	if strings.HasSuffix(name, ".html") {
		return ReadHTML(address, data)
	}
	return ReadMarkdown(address, data)
}

// The fixtures are written by us in the shapes of the public reports of testdata/real.yaml: headings, labels, tables, questions,
// plain text, runs of clock times; Markdown with both kinds of headings and HTML.
func TestReportsAreRecognisedWithPartsTimesAndIncident(t *testing.T) {
	for _, c := range []struct {
		name, language, parts, begin, end, incident, components string
	}{
		{"en-headings.md", "en", "summary impact timeline root-cause resolution actions lessons", "2026-03-02T07:10", "2026-03-02T09:40", "https://status.example.org/incidents/91fd8fa3", "Block storage, Compute"},
		{"en-labels.md", "en", "impact root-cause resolution actions", "2026-01-14T09:05", "2026-01-14T10:50", "LB-2026-003", ""},
		{"en-plain.txt", "en", "summary impact root-cause resolution actions", "2026-02-09T14:02", "2026-02-09T15:31", "", ""},
		{"en-setext.md", "en", "summary timeline root-cause resolution actions lessons", "2026-04-21T22:15", "2026-04-21T23:05", "", ""},
		{"en-page.html", "en", "summary impact timeline root-cause actions", "2026-05-12T06:30", "2026-05-12T07:45", "https://status.example.org/incidents/dashboard-login", ""},
		{"de-ueberschriften.md", "de", "summary impact timeline root-cause resolution actions lessons", "2026-02-17T07:12", "2026-02-17T08:55", "VORFALL-2026-07", ""},
		{"de-ascii.md", "de", "summary impact root-cause resolution actions", "2026-03-03T13:05", "2026-03-03T14:20", "", "Objektablage, Sicherung"},
		{"de-fragen.html", "de", "summary impact timeline root-cause actions", "2026-06-09T00:14", "2026-06-09T03:05", "", ""},
		{"de-ablauf.md", "de", "impact timeline root-cause resolution actions", "2026-05-04T11:02", "2026-05-04T11:58", "", ""},
		{"fr-titres.md", "fr", "summary impact timeline root-cause resolution actions lessons", "2026-04-14T07:20", "2026-04-14T09:05", "", ""},
		{"fr-etiquettes.md", "fr", "impact root-cause resolution actions", "2026-02-03T15:10", "2026-02-03T16:25", "", "Calcul, Images"},
		{"fr-questions.html", "fr", "summary impact root-cause resolution actions lessons", "2026-06-08T04:30", "2026-06-08T06:15", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Recognise(readFixture(t, "testdata/reports/"+c.name))
			if !got.Report {
				t.Fatalf("it is no report: %s", got.Reason)
			}
			form := "2006-01-02T15:04"
			have := []string{got.Language, strings.Join(got.Parts, " "), got.Begin.Format(form), got.End.Format(form), got.Incident, strings.Join(got.Components, ", ")}
			want := []string{c.language, c.parts, c.begin, c.end, c.incident, c.components}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherDocumentsAreNoReports(t *testing.T) {
	files, err := filepath.Glob("testdata/others/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("got %d documents (%v), want at least 20", len(files), err)
	}
	for _, file := range files {
		d := readFixture(t, file)
		if got := Recognise(d); got.Report {
			t.Errorf("%s is a report: %s, parts %v", file, got.Reason, got.Parts)
		}
	}
}

func TestTitleAndPublicationAreRead(t *testing.T) {
	for _, c := range []struct{ name, title, published string }{
		{"en-headings.md", "Post-mortem: block storage slow in region north", "2026-03-06T09:00:00Z"},
		{"en-page.html", "Incident report: nobody could log in to the dashboard", "2026-05-20T06:00:00Z"},
		{"de-fragen.html", "Nachbetrachtung zum Stromausfall am 9. Juni 2026", "2026-06-15T00:00:00Z"},
		{"fr-questions.html", "Retour sur l'incident du 8 juin 2026", "2026-06-11T10:00:00Z"},
		{"en-labels.md", "Incident on 2026-01-14", "0001-01-01T00:00:00Z"},
	} {
		d := readFixture(t, "testdata/reports/"+c.name)
		if d.Title != c.title || d.Published.Format(time.RFC3339) != c.published {
			t.Errorf("%s: got %q of %s, want %q of %s", c.name, d.Title, d.Published.Format(time.RFC3339), c.title, c.published)
		}
	}
}

// The same report without one of its parts has one part less: no part is made up.
func TestAPartThatIsTakenOutIsNotFound(t *testing.T) {
	data, err := os.ReadFile("testdata/reports/en-headings.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, part := range map[string]string{"## Timeline (UTC)": "timeline", "## Action items": "actions", "## Lessons learned": "lessons", "## Resolution": "resolution"} {
		before, after, ok := strings.Cut(string(data), heading)
		if !ok {
			t.Fatalf("the fixture has no %q", heading)
		}
		_, after, _ = strings.Cut(after, "\n## ")
		got := Recognise(ReadMarkdown("https://docs.example.org/x.md", []byte(before+"\n## "+after)))
		if part != "resolution" && slices.Contains(got.Parts, part) { // the timeline says "resolved"
			t.Errorf("without %q: got %v", heading, got.Parts)
		}
	}
}

func TestMomentsAreReadInThreeLanguages(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2026-03-02 07:10 UTC", "2026-03-02 07:10 UTC"},
		{"2026-03-02T07:10:11Z", "2026-03-02 07:10 UTC"},
		{"on 2 March 2026 at 7:10 am", "2026-03-02 07:10"},
		{"March 2nd, 2026, 7:10 PM", "2026-03-02 19:10"},
		{"am 2. März 2026 um 07:10 Uhr", "2026-03-02 07:10"},
		{"am 02.03.2026 gegen 7 Uhr", "2026-03-02 07:00"},
		{"le 2 mars 2026 à 07h10", "2026-03-02 07:10"},
		{"1er février 2026 à 14 h 05", "2026-02-01 14:05"},
		{"07:10 CET on 2 March 2026", "2026-03-02 07:10 +60"},
		{"it took 24h and 3.5 GB, version 1.2.3, port 10.0.0.1:8080", ""},
		{"2026-13-45", ""},
	} {
		var got []string
		for _, m := range moments(c.text) {
			s := ""
			if m.hasDate() {
				s = m.date.Format(time.DateOnly)
			}
			if m.hasClock() {
				s = strings.TrimSpace(s + " " + time.Date(0, 1, 1, 0, m.clock, 0, 0, time.UTC).Format("15:04"))
			}
			if m.zone != nil && *m.zone == 0 {
				s += " UTC"
			} else if m.zone != nil {
				s += " +60"
			}
			got = append(got, s)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: got %q, want %q", c.text, strings.Join(got, "|"), c.want)
		}
	}
}

func TestHostileDocumentsStayBounded(t *testing.T) {
	deep := strings.Repeat("<div>", 100_000) + "x" + strings.Repeat("</div>", 100_000)
	long := strings.Repeat("## Timeline\n- 10:00 outage 2026-01-01 error down\n", 40_000)
	for name, d := range map[string]Document{
		"deep":     ReadHTML("https://x.example.org/", []byte(deep)),
		"long":     ReadMarkdown("https://x.example.org/", []byte(long)),
		"brackets": ReadMarkdown("https://x.example.org/", []byte(strings.Repeat("[", 500_000))),
		"control":  ReadMarkdown("https://x.example.org/", []byte("# \x1b[31mIncident\x1b[0m \u202e report\n")),
	} {
		Recognise(d)
		if len(d.Blocks) > maxBlocks {
			t.Errorf("%s: got %d blocks", name, len(d.Blocks))
		}
		if strings.ContainsAny(d.Title, "\x1b\u202e") {
			t.Errorf("%s: the title keeps control characters: %q", name, d.Title)
		}
	}
}

// A heading without anything under it, or with the words of a template only, is no part.
func TestAnEmptySectionIsNoPart(t *testing.T) {
	text := `# Postmortem of 2026-05-02

The network of region south was down on 2026-05-02 from 10:00 to 10:40 UTC; our routers had crashed.

## Resolution

We restarted them and installed the repaired release.

## Lessons learned

## Action items

[Who does what until when]

TBD
`
	got := Recognise(ReadMarkdown("https://docs.example.org/x.md", []byte(text)))
	if want := []string{"summary", "impact", "resolution"}; !got.Report || !slices.Equal(got.Parts, want) {
		t.Errorf("got %v (%s), want %v", got.Parts, got.Reason, want)
	}
}
