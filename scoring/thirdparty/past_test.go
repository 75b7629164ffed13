package thirdparty_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// everyService answers every question with one text, and is asked about a project that all indexes could know.
func everyService(t *testing.T, text string, at time.Time) scoring.Evidence {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) }))
	t.Cleanup(s.Close)
	o := (&fake{Server: s}).options(thirdparty.Services()...)
	o.At = at
	c, err := thirdparty.New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := scoring.Project{ID: "example", Repo: "https://github.com/example/example", Packages: []string{"pkg:pypi/example"}, Versions: []string{"1.0"}}
	e, err := c.Collect(t.Context(), p, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAMessageInsteadOfAnAnswerIsNoZero(t *testing.T) {
	for _, text := range []string{`{"error":"Jane Doe is blocked"}`, `null`, `{"message":"sign in","updated_at":"Jane Doe"}`, `[{"name":"x","updated_at":"Jane Doe"}]`, `[{"name":"x"}]`} {
		e := everyService(t, text, today)
		for what, f := range map[string]struct {
			outcome audit.Outcome
			reason  string
		}{
			"advisories": {e.Advisories.Unknown(), e.Advisories.Failure}, "badge": {e.Badge.Unknown(), e.Badge.Failure},
			"dependents": {e.Dependents.Unknown(), e.Dependents.Failure}, "scorecard": {e.Scorecard.Unknown(), e.Scorecard.Failure},
		} {
			if f.outcome != audit.DNF {
				t.Errorf("%s from %s: %v, want DNF", what, text, f.outcome)
			}
			if strings.Contains(f.reason, "Jane") {
				t.Errorf("%s from %s: the reason repeats it: %s", what, text, f.reason)
			}
		}
	}
}

func TestIndexesDoNotTellOfThePastWhatTheyShowToday(t *testing.T) {
	long := today.AddDate(0, 0, -200)
	badge := everyService(t, `[{"id":7,"repo_url":"https://github.com/example/example","badge_level":"gold"}]`, long).Badge
	dependents := everyService(t, `{"versions":[{"versionKey":{"version":"1"}}],"dependentCount":4}`, long).Dependents
	scorecard := everyService(t, `{"date":"`+today.Format(time.DateOnly)+`","checks":[{"name":"Packaging","score":9,"reason":"x"}]}`, long).Scorecard
	for what, f := range map[string]struct {
		outcome audit.Outcome
		reason  string
	}{"badge": {badge.Unknown(), badge.Failure}, "dependents": {dependents.Unknown(), dependents.Failure}, "scorecard": {scorecard.Unknown(), scorecard.Failure}} {
		if f.outcome != audit.DNF || !strings.Contains(f.reason, "not how it was") {
			t.Errorf("%s of 200 days ago: %v %q, want DNF", what, f.outcome, f.reason)
		}
	}
}
