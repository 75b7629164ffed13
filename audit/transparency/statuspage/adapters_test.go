package statuspage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// recorded reads the answers of one server from testdata, and what is wanted of them.
func recorded(t testing.TB, name string) (a answers, want string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	a = answers{}
	key := ""
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(line, " --\n") {
			key = strings.TrimSuffix(name, " --\n")
			continue
		}
		a[key] += line
	}
	want = a["want"]
	delete(a, "want")
	return a, want
}

// said writes a page as text, one line for each thing it shows.
func said(a transparency.Artifact, base string) string {
	p := a.StatusPage
	var b strings.Builder
	date := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("2006-01-02T15:04:05Z")
	}
	fmt.Fprintf(&b, "%s %q none=%v complete=%v seen=%d history=%s updated=%s since=%s\n", p.Software, p.Title, p.SaysNone, p.Complete, p.IncidentsSeen, date(p.HistoryFrom), date(p.UpdatedAt), date(p.Since))
	if len(p.Hides) > 0 {
		fmt.Fprintf(&b, "hides %v\n", p.Hides)
	}
	for _, c := range p.Components {
		fmt.Fprintf(&b, "component %q %s\n", c.Name, c.State)
	}
	for _, i := range p.Incidents {
		kind := "incident"
		if i.Maintenance {
			kind = "maintenance"
		}
		fmt.Fprintf(&b, "%s %q %s %s", kind, i.Title, date(i.Begin), date(i.End))
		if i.Open {
			b.WriteString(" open")
		}
		if i.Severity != nil {
			fmt.Fprintf(&b, " severity=%d", *i.Severity)
		}
		fmt.Fprintf(&b, " impact=%q updates=%d %q %s", i.Impact, i.Updates, i.Components, strings.TrimPrefix(i.URL, base))
		if !i.Announced.IsZero() {
			fmt.Fprintf(&b, " announced=%s", date(i.Announced))
		}
		if i.Report != "" {
			b.WriteString(" report")
		}
		if len(i.Unread) > 0 {
			fmt.Fprintf(&b, " unread=%v", i.Unread)
		}
		b.WriteString("\n")
	}
	for _, n := range a.Notes {
		fmt.Fprintf(&b, "note %s\n", strings.ReplaceAll(n, base, ""))
	}
	return b.String()
}

func TestEveryAdapterReadsThePagesOfItsSoftwareWithoutBeingNamed(t *testing.T) {
	paths := map[string]string{
		"statuspal": "/api/v2/status_pages/example/summary", "kuma": "/status/cloud", "upptime": "/repo", "statusio": "/1.0/status/56a807c7b62d59d808000001",
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded answers", err)
	}
	read := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			a, want := recorded(t, name)
			artifact := collect(t, a, paths[name], "")
			page := page1(t, artifact)
			read[page.Software] = true
			base := strings.TrimSuffix(artifact.URL, paths[name])
			if got := said(artifact, base); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if len(artifact.Seen) == 0 || len(artifact.Seen) > mostTried+mostAddresses {
				t.Errorf("%d looks", len(artifact.Seen))
			}
			named := collect(t, a, paths[name], page.Software)
			if got, want := said(named, strings.TrimSuffix(named.URL, paths[name])), said(artifact, base); got != want {
				t.Errorf("named as adapter it reads\n%sdetected\n%s", got, want)
			}
		})
	}
	for _, name := range Adapters() {
		if !read[name] {
			t.Errorf("no recorded page is of %s", name)
		}
	}
}
