package statuspage

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

const form = `<!doctype html><form action="/login"><input type="password" name="p"></form>`

func TestEveryWayToFailHasItsKindAndASentence(t *testing.T) {
	everywhere := func(body string) answers {
		a := answers{"/": body}
		for _, ref := range []string{
			"/components", "/api/v2/summary.json", "/index.json", "/v3/summary.json", "/summary.json", "/api/v1/components", "/api/components",
			"/v2/components", "/api/v1/component_status", "/v1/component_status", "/api/status-page/default", "/api/v1/endpoints/statuses",
			"/history.rss", "/history.atom", "/feed", "/rss", "/feed.xml", "/index.xml", "/rss.xml", "/atom.xml",
		} {
			a[ref] = body
		}
		return a
	}
	for _, test := range []struct {
		name, adapter string
		a             answers
		kind, text    string
	}{
		{"a picture is no status page", "", answers{"/": `<!doctype html><img src="/uptime.png"><iframe src="/d/abc"></iframe>`}, audit.TroubleContent, "tried scs, statuspage"},
		{"nothing is there", "", answers{}, audit.TroubleNotFound, "no known status page software"},
		{"a login form with 200 everywhere", "", everywhere(form), audit.TroubleLogin, "login"},
		{"a login form where the API should be", "statuspage", answers{"/api/v2/summary.json": form}, audit.TroubleLogin, "login"},
		{"a page that answers every address with itself", "", everywhere(`<!doctype html><div id="app"></div>`), audit.TroubleContent, "no known status page software"},
		{"JSON of something else everywhere", "", everywhere(`{"status":"ok"}`), audit.TroubleContent, "no known status page software"},
		{"a bare list everywhere", "", everywhere(`[]`), audit.TroubleContent, "no known status page software"},
		{"empty lists of components only", "", answers{"/": "<!doctype html>", "/api/v1/components": `{"data":[]}`, "/api/v1/component_status": `[]`}, audit.TroubleContent, "no known status page software"},
		{"broken JSON", "statuspage", answers{"/api/v2/summary.json": `{"page":{"id":"x"`}, audit.TroubleContent, "cannot be read"},
		{"cut list of incidents", "scs", answers{"/components": `{"data":[{"id":"1","displayName":"A","activelyAffectedBy":[]}]}`, "/incidents": `{"data":[{"id":"1"`}, audit.TroubleContent, "cannot be read"},
		{"incidents need a login", "scs", answers{"/components": `{"data":[{"id":"1","displayName":"A","activelyAffectedBy":[]}]}`, "/incidents": form}, audit.TroubleLogin, "login"},
		{"an adapter that nobody knows", "zabbix", answers{}, audit.TroubleNotNamed, "name"},
		{"a feed that is none", "feed", answers{"/feed": `<?xml version="1.0"?><html/>`}, audit.TroubleContent, "cannot be read"},
		{"a broken feed", "feed", answers{"/feed": `<?xml version="1.0"?><rss><channel><item>`}, audit.TroubleContent, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			artifact := collect(t, test.a, "", test.adapter)
			if artifact.Trouble == nil || artifact.StatusPage != nil {
				t.Fatalf("want trouble %s, got page %+v", test.kind, artifact.StatusPage)
			}
			sentence := artifact.Trouble.Text + " " + artifact.Trouble.Settle
			if artifact.Trouble.Kind != test.kind || !strings.Contains(sentence, test.text) {
				t.Errorf("want %s %q, got %s %q", test.kind, test.text, artifact.Trouble.Kind, sentence)
			}
			if len(artifact.Seen) > mostTried {
				t.Errorf("%d requests, want at most %d", len(artifact.Seen), mostTried)
			}
		})
	}
}

func TestALookThatCannotSucceedElsewhereIsNotRepeated(t *testing.T) {
	for _, kind := range []string{
		audit.TroubleOffline, audit.TroubleRobots, audit.TroubleAddress, audit.TroublePast, audit.TroubleUnreachable, audit.TroubleTLS,
	} {
		n := 0
		world := transparency.World{At: at, Ask: func(_ context.Context, r audit.Request) audit.Answer {
			n++
			return audit.Answer{Seen: audit.Seen{URL: r.URL, At: at, Trouble: &audit.Trouble{Kind: kind, Text: "no"}}}
		}}
		for _, adapter := range []string{"", "feed", "upptime", "statuspage"} {
			n = 0
			artifact := Collect(t.Context(), transparency.Target{URL: "https://status.example.org", Adapter: adapter}, world)
			if artifact.Trouble == nil || artifact.Trouble.Kind != kind || n != 1 || len(artifact.Seen) != 1 {
				t.Errorf("%s %s: got %+v after %d requests", adapter, kind, artifact.Trouble, n)
			}
		}
	}
	if artifact := Collect(t.Context(), transparency.Target{URL: "https://status.example.org"}, transparency.World{}); artifact.Trouble == nil || artifact.Trouble.Kind != audit.TroubleOffline {
		t.Errorf("without a way to ask: %+v", artifact.Trouble)
	}
	if artifact := Collect(t.Context(), transparency.Target{URL: "::"}, transparency.World{Ask: ask(http.DefaultClient)}); artifact.Trouble == nil || artifact.Trouble.Kind != audit.TroubleAddress {
		t.Errorf("an address that is none: %+v", artifact.Trouble)
	}
}

func TestAnswersThatWereHandedOverAreReadLikeThoseOfAServer(t *testing.T) {
	for _, name := range []string{"scs", "statuspage", "betterstack", "instatus", "rss"} {
		a, _ := recorded(t, name)
		dir := t.TempDir()
		for ref, body := range a {
			path, _, _ := strings.Cut(strings.TrimPrefix(ref, "/"), "?")
			if path == "" || strings.HasSuffix(path, "/updates") {
				continue // a file cannot be a folder as well
			}
			path = filepath.Join(dir, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(body, "{{base}}", "https://status.example.org")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		artifact := Collect(t.Context(), transparency.Target{Kind: transparency.KindStatusPage, File: "answers"}, transparency.World{Ask: files(dir), At: at})
		if artifact.Trouble != nil || !artifact.Handed || artifact.StatusPage.IncidentsSeen == 0 {
			t.Errorf("%s: handed=%v trouble=%+v", name, artifact.Handed, artifact.Trouble)
			continue
		}
		for _, i := range artifact.StatusPage.Incidents {
			if i.URL == "" && !slices.Contains(i.Unread, transparency.PartURL) || strings.HasPrefix(i.URL, "file:") {
				t.Errorf("%s: %q has the address %q", name, i.Title, i.URL)
			}
		}
	}
	artifact := Collect(t.Context(), transparency.Target{Kind: transparency.KindStatusPage, File: "answers"}, transparency.World{Ask: files(t.TempDir()), At: at})
	if artifact.Trouble == nil || artifact.Trouble.Kind != audit.TroubleNotHanded || artifact.Handed {
		t.Errorf("an empty folder: %+v", artifact.Trouble)
	}
}

func TestAPartThatFailsLeavesAPageThatSaysSo(t *testing.T) {
	a, _ := recorded(t, "statuspage")
	delete(a, "/api/v2/incidents.json")
	artifact := collect(t, a, "", "")
	page := page1(t, artifact)
	if page.Complete || !strings.Contains(strings.Join(artifact.Notes, " "), "incidents.json could not be read: there is nothing (404)") {
		t.Errorf("complete=%v notes=%q", page.Complete, artifact.Notes)
	}
}

func TestTheAddressOfAnAnswerLeadsToThePage(t *testing.T) {
	a, want := recorded(t, "statuspage")
	for _, path := range []string{"/", "/api/v2/summary.json", "/api/v2", "/history.rss", "/index.json"} {
		artifact := collect(t, a, path, "statuspage")
		if got := said(artifact, strings.TrimSuffix(artifact.URL, path)); got != want {
			t.Errorf("%s: got\n%s", path, got)
		}
	}
}

func TestOddMomentsAreUnknownAndOddShapesLeftOut(t *testing.T) {
	a, _ := recorded(t, "statuspage")
	a["/api/v2/incidents.json"] = `{"incidents":[
		{"id":"a","name":"Odd","status":"resolved","created_at":"yesterday","resolved_at":17,"components":[{"name":7}],"incident_updates":{}},
		"text", null, 7, {"id":["x"],"name":"No id\u0000\u202e","status":"resolved","created_at":"2026-05-01T00:00:00Z","resolved_at":"2026-05-01T01:00:00Z"}]}`
	artifact := collect(t, a, "", "")
	var got []string
	for line := range strings.Lines(said(artifact, artifact.URL)) {
		if strings.Contains(line, "Odd") || strings.Contains(line, "No id") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		`incident "No id" 2026-05-01T00:00:00Z 2026-05-01T01:00:00Z impact="" updates=0 []  unread=[components]`,
		`incident "Odd" - - impact="" updates=0 ["7"] /incidents/a unread=[begin end]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestNothingAboutPeopleIsKept(t *testing.T) {
	for _, name := range []string{"cachet2", "upptime", "atom", "rss"} {
		a, _ := recorded(t, name)
		s := serve(t, a)
		plain := ask(s.Client())
		path := ""
		if name == "upptime" {
			path = "/repo"
		}
		world := transparency.World{At: at, Ask: func(ctx context.Context, r audit.Request) audit.Answer {
			answer := plain(ctx, r)
			for _, secret := range []string{"somebody", "Some Body", "some@", `"user_id"`, `"user"`} {
				if strings.Contains(string(answer.Body), secret) {
					t.Errorf("%s: %q was kept of %s", name, secret, r.URL)
				}
			}
			return answer
		}}
		if artifact := Collect(t.Context(), transparency.Target{URL: s.URL + path}, world); artifact.Trouble != nil {
			t.Errorf("%s: %+v", name, artifact.Trouble)
		}
	}
}
