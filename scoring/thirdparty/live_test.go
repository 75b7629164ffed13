//go:build live

package thirdparty_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// TestTheServicesAnswerInTheFormThatWeRead asks every service about one well-known project.
func TestTheServicesAnswerInTheFormThatWeRead(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := thirdparty.New(thirdparty.Options{
		Client: &http.Client{Transport: scoring.Redacting{Next: http.DefaultTransport, Names: scoring.NewPseudonymiser(nil), Now: time.Now}},
		At:     time.Now(), Services: thirdparty.Services(),
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Collect(ctx, scoring.Project{ID: "jinja", Repo: "https://github.com/pallets/jinja", Packages: []string{"pkg:pypi/jinja2"}, Versions: []string{"3.1.2"}}, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		outcome audit.Outcome
		failure string
	}{
		"advisories": {e.Advisories.Unknown(), e.Advisories.Failure}, "badge": {e.Badge.Unknown(), e.Badge.Failure}, "packaging": {e.Packaging.Unknown(), e.Packaging.Failure},
		"dependents": {e.Dependents.Unknown(), e.Dependents.Failure}, "scorecard": {e.Scorecard.Unknown(), e.Scorecard.Failure},
	} {
		if f.outcome != audit.PASS {
			t.Errorf("%s: %s", name, f.failure)
		}
	}
	if a, _ := e.Advisories.Get(); len(a.Deployed["3.1.2"]) == 0 {
		t.Error("version 3.1.2 has published vulnerabilities, and none was found")
	}
	if repo, _, ok := c.Repository(ctx, "pkg:pypi/jinja2"); !ok || repo != "https://github.com/pallets/jinja" {
		t.Errorf("got repository %q", repo)
	}
}
