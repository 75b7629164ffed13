package visit_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

// folder writes files below a new directory of a stack file.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func handed(t *testing.T, opt visit.HandedOptions) audit.Ask {
	t.Helper()
	ask, err := visit.Handed(opt)
	if err != nil {
		t.Fatal(err)
	}
	return ask
}

func TestADirectoryAnswersByTheEndOfTheAddress(t *testing.T) {
	dir := folder(t, map[string]string{
		"e/api/v2/summary.json": `{"v":2}`, "e/summary.json": `{"v":0}`, "e/index.html": "<p>Here", "e/history.rss": "<rss/>",
		"e/api/v1/status": `{"s":1}`, "e/components.json": `{"c":1}`, "e/query_range?query=up": `{"q":"up"}`, "e/incidents/index.json": `[]`,
		"secret.json": `{}`,
	})
	at := time.Date(2026, 11, 26, 7, 0, 0, 5, time.UTC)
	var k kept
	ask := handed(t, visit.HandedOptions{Dir: dir, Name: "e/", At: at, Keep: k.keep})
	for address, want := range map[string]string{
		"https://status.example.org/api/v2/summary.json": `e/api/v2/summary.json {"v":2}`,
		"https://status.example.org/api/v1/summary.json": `e/summary.json {"v":0}`,
		"file:///summary.json":                           `e/summary.json {"v":0}`,
		"file:summary.json":                              `e/summary.json {"v":0}`,
		"https://status.example.org":                     `e/index.html <p>Here`,
		"file:///":                                       `e/index.html <p>Here`,
		"https://h.example/history.rss":                  `e/history.rss <rss/>`,
		"https://h.example/api/v1/status":                `e/api/v1/status {"s":1}`,
		"https://h.example/api/components":               `e/components.json {"c":1}`,
		"https://h.example/incidents/":                   `e/incidents/index.json []`,
		"https://h.example/api/query_range?query=up":     `e/query_range?query=up {"q":"up"}`,
		"https://h.example/../secret.json":               ``,
		"https://h.example/%2e%2e/secret.json":           ``,
		"file:../secret.json":                            ``,
		"https://h.example/gone.json":                    ``,
		"https://h.example/query_range?query=down":       ``,
	} {
		a := ask(t.Context(), audit.Request{URL: address})
		if want == "" {
			wantTrouble(t, a, audit.TroubleNotHanded, "not among the files that were handed over (e)")
			continue
		}
		if a.Trouble != nil || a.Handed+" "+string(a.Body) != want || !a.At.Equal(at.Truncate(time.Second)) || a.Status != 0 || a.Digest == "" {
			t.Errorf("%s: trouble %+v, %s %s, want %s", address, a.Trouble, a.Handed, a.Body, want)
		}
		if o := a.Origin("x"); o.URL != "" || o.Path != a.Handed {
			t.Errorf("origin %+v", o)
		}
	}
	for _, b := range k.blobs {
		if b.Source != "" || b.Origin.URL != "" || b.Origin.Source != "handed" || !strings.HasPrefix(b.Name, "e/") || strings.Contains(b.Name, dir) {
			t.Errorf("blob %+v", b)
		}
	}
}

func TestAFileAnswersOneQueryOnly(t *testing.T) {
	dir := folder(t, map[string]string{"e/incidents.json": `[{"id":1}]`})
	ask := handed(t, visit.HandedOptions{Dir: dir, Name: "e"})
	const first = "https://h.example/incidents.json?page=1"
	for range 2 {
		if a := ask(t.Context(), audit.Request{URL: first}); a.Trouble != nil {
			t.Error(a.Trouble.Text)
		}
	}
	wantTrouble(t, ask(t.Context(), audit.Request{URL: "https://h.example/incidents.json?page=2"}), audit.TroubleNotHanded)
	wantTrouble(t, ask(t.Context(), audit.Request{Method: "POST", URL: first}), audit.TroubleNotHanded)
}

func TestASingleFileAnswersWhatIsAskedFirst(t *testing.T) {
	dir := folder(t, map[string]string{"saved page.html": "<p>Mail jane.doe@example.org or noc@example.org"})
	var k kept
	ask := handed(t, visit.HandedOptions{Dir: dir, Name: "saved page.html", Keep: k.keep})
	const want = "<p>Mail removed@example.org or noc@example.org"
	for _, address := range []string{"https://status.example.org/history", "https://other.example/x/history", "file:saved%20page.html", "file:///saved%20page.html"} {
		a := ask(t.Context(), audit.Request{URL: address, Accept: "text/html"})
		if a.Trouble != nil || string(a.Body) != want || a.Original == "" || a.Headers["content-type"] != "text/html" || a.Handed != "saved page.html" {
			t.Errorf("%s: trouble %+v, body %q, seen %+v", address, a.Trouble, a.Body, a.Seen)
		}
	}
	wantTrouble(t, ask(t.Context(), audit.Request{URL: "https://status.example.org/other"}), audit.TroubleNotHanded)
	if len(k.blobs) != 4 || string(k.blobs[0].Data) != want || k.blobs[0].MediaType != "text/html" {
		t.Errorf("kept %+v", k.blobs)
	}
}

func TestAHandedFileIsJudgedLikeAPage(t *testing.T) {
	dir := folder(t, map[string]string{
		"login.html": `<title>Sign in</title><form><input type="password"></form>`, "empty.json": " \n", "page.json": "<!doctype html><p>Oops",
		"large.json": "[" + strings.Repeat(" ", 2000) + "]",
	})
	ask := func(name string) audit.Answer {
		return handed(t, visit.HandedOptions{Dir: dir, Name: name})(t.Context(), audit.Request{URL: "https://h.example/x", Accept: "application/json", Limit: 1000})
	}
	wantTrouble(t, ask("login.html"), audit.TroubleLogin, "asks for a login")
	wantTrouble(t, ask("empty.json"), audit.TroubleContent, "empty")
	wantTrouble(t, ask("page.json"), audit.TroubleContent, "an HTML page, where JSON was asked for")
	wantTrouble(t, ask("large.json"), audit.TroubleTooLarge, "more than 1000 bytes")
}

func TestNothingOutsideOfTheDirectoryIsRead(t *testing.T) {
	dir := folder(t, map[string]string{"stack/e/a.json": "{}", "outside.json": `{"secret":1}`, "stack/e/sub/x": "{}"})
	stack := filepath.Join(dir, "stack")
	for link, target := range map[string]string{"e/out.json": "../../outside.json", "e/abs.json": filepath.Join(dir, "outside.json"), "e/in.json": "a.json", "out": "..", "one": "../outside.json"} {
		if err := os.Symlink(target, filepath.Join(stack, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(stack, "e", "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := handed(t, visit.HandedOptions{Dir: stack, Name: "e"})
	for _, name := range []string{"out.json", "abs.json"} {
		wantTrouble(t, ask(t.Context(), audit.Request{URL: "https://h.example/" + name}), audit.TroubleNotHanded)
	}
	wantTrouble(t, ask(t.Context(), audit.Request{URL: "https://h.example/pipe.json"}), audit.TroubleContent, "e/pipe.json cannot be read")
	if a := ask(t.Context(), audit.Request{URL: "https://h.example/in.json"}); a.Trouble != nil {
		t.Errorf("a link that stays inside: %s", a.Trouble.Text)
	}
	for name, want := range map[string]string{
		"": "no name below", "..": "no name below", "/etc": "no name below", "../outside.json": "no name below", "e/../../outside.json": "no name below", `..\x`: "no name below",
		"out": "leads out", "one": "leads out", "gone": "no such file", "e/pipe.json": "neither a regular file",
	} {
		if _, err := visit.Handed(visit.HandedOptions{Dir: stack, Name: name}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), dir) {
			t.Errorf("Handed(%q): error = %v, want one with %q and no path of this machine", name, err, want)
		}
	}
}
