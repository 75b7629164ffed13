package foundation

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// In the form that the description of the Eclipse projects service gives (PMI RESTful API 1.0); the content is invented.
const eclipseAnswer = `[{"nid":1,"project_id":"top.sample","name":"Sample","state":"Incubating","top_level_project":"top",
"committers":[{"username":"annex","full_name":"Ann Example","url":"https://api.example.org/annex"}],
"security_team":{"individual_members":[{"username":"benex"}],"groups":{"include_committers":true,"include_project_leads":false}}}]`

func askedAt(t *testing.T, status int, body string, now time.Time) (audit.Fact[scoring.Governance], string) {
	t.Helper()
	path := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: scoring.Redacting{Next: http.DefaultTransport, Names: scoring.NewPseudonymiser(nil), Now: func() time.Time { return now }}}
	c, err := New(Options{Read: newShop().read, At: assessed, Client: client, Eclipse: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	p := project("https://github.com/eclipse-sample/sample", "Eclipse")
	p.Registry = "top.sample"
	e, err := c.Collect(t.Context(), p, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Governance, path
}

func TestTheEclipseServiceIsAskedForOneProject(t *testing.T) {
	fact, path := askedAt(t, 200, eclipseAnswer, assessed)
	g := must(t, "governance", fact)
	if path != "/api/projects/top_sample.json" || g.Team != "Sample" || must(t, "level", g.Level) != "incubating" || !must(t, "security", g.SecurityTeam) {
		t.Errorf("asked %s: %+v, want an incubating project with a security team", path, g)
	}
	if fact.Grade != audit.GradeForge || fact.Origins[0].Digest != audit.DigestOf([]byte(eclipseAnswer)) || g.CodeOfConduct.Value == nil {
		t.Errorf("grade %s, origins %+v; want B with the digest of the answer as it came", fact.Grade, fact.Origins)
	}
	kept, err := redactEclipse(200, []byte(eclipseAnswer), nil)
	if err != nil || strings.Contains(string(kept), "nnex") || strings.Contains(string(kept), "benex") || strings.Contains(string(kept), "Example") {
		t.Errorf("kept %s, %v: it names people", kept, err)
	}
}

func TestAnAnswerOfTheEclipseServiceThatHelpsNotIsUnknown(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
	}{
		{500, "oops", "it answered 500"},
		{429, "", "it answered 429"},
		{200, "<html>", "not the JSON that is known"},
		{200, "[" + strings.Repeat(" ", mostEclipse) + "]", "too large"},
	} {
		fact, _ := askedAt(t, tt.status, tt.body, assessed)
		if _, ok := fact.Get(); ok || !strings.Contains(fact.Failure, tt.want) || fact.Settle == "" {
			t.Errorf("%d: %+v, want the reason %q", tt.status, fact, tt.want)
		}
	}
	for _, body := range []string{"[]", `[{"project_id":"top.other","state":"Regular"}]`} {
		fact, _ := askedAt(t, 200, body, assessed)
		if g := must(t, body, fact); must(t, "listed", g.Listed) {
			t.Errorf("%s: listed", body)
		}
	}
	fact, _ := askedAt(t, 404, "", assessed)
	if g := must(t, "404", fact); must(t, "listed", g.Listed) {
		t.Error("404: listed")
	}
	fact, _ = askedAt(t, 200, eclipseAnswer, assessed.AddDate(1, 0, 0))
	if g := must(t, "a year later", fact); g.Level.Failure == "" || g.CodeOfConduct.Unknown() != audit.MISS {
		t.Errorf("%+v, want that today's answer says nothing of a year ago", g)
	}
}
