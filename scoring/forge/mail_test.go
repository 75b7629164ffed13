package forge

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

func TestAHostOfGitAloneInventsNothing(t *testing.T) {
	p := scoring.Project{ID: "town", Repo: "git://git.kernel.org/pub/scm/town.git"}
	e, seen := collect(t, forgetest.Hosts{}, p, scoring.Evidence{}, nil)
	for what, f := range map[string]struct{ failure, settle string }{"home": {e.Home.Failure, e.Home.Settle}, "changes": {e.Changes.Failure, e.Changes.Settle}, "issues": {e.Issues.Failure, e.Issues.Settle},
		"runs": {e.Runs.Failure, e.Runs.Settle}, "rules": {e.Rules.Failure, e.Rules.Settle}} {
		if f.failure == "" || f.settle == "" {
			t.Errorf("%s: reason %q, settle %q", what, f.failure, f.settle)
		}
	}
	if seen != "" {
		t.Errorf("somebody was asked: %s", seen)
	}
}

func TestAShallowHistoryDoesNotCountWhatItCannotSee(t *testing.T) {
	known := mailTale()
	h := *known.History.Value
	h.Shallow, h.FirstCommit = true, daysBefore(200)
	known.History = audit.Known(h, known.History.Origins...)
	e, _ := collect(t, forgetest.Hosts{}, scoring.Project{Repo: "https://git.savannah.gnu.org/git/town.git"}, known, nil)
	c := value(t, "changes", e.Changes)
	if n := value(t, "merged in 6 months", c.Windows[1].Merged); n != 3 || c.Windows[2].Merged.Unknown() != audit.DNF || !strings.Contains(c.Windows[2].Merged.Failure, "clone") {
		t.Errorf("6 months %d, 12 months %+v", n, c.Windows[2].Merged)
	}
}

func TestAHistoryWithoutTrailersDoesNotShowThatNobodyReviews(t *testing.T) {
	known := mailTale()
	h := *known.History.Value
	h.Windows = append([]scoring.Window(nil), h.Windows...)
	for i := range h.Windows {
		h.Windows[i].Reviewed = 0
	}
	known.History = audit.Known(h, known.History.Origins...)
	e, _ := collect(t, forgetest.Hosts{}, scoring.Project{Repo: "https://git.savannah.gnu.org/git/town.git"}, known, nil)
	for _, w := range value(t, "changes", e.Changes).Windows {
		if w.Reviewed.Unknown() != audit.DNF || w.Reviewed.Settle == "" {
			t.Errorf("%d months: reviewed %v, settle %q; want DNF", w.Months, w.Reviewed.Unknown(), w.Reviewed.Settle)
		}
	}
}

func TestAddressesOfMirrorsCarryNoSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"https://ada:SECRET@git.example.org/town?private_token=SECRET": "https://git.example.org/town",
		"https://git.example.org?x#SECRET":                             "https://git.example.org",
		"git@git.example.org:town":                                     "git@git.example.org:town",
	} {
		if got := withoutUser(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestAGerritThatHostsTheRepositorySaysSo(t *testing.T) {
	hosts := forgetest.Hosts{"review.example.org": &forgetest.Gerrit{Tale: tale(), Project: "town"}}
	e, _ := collect(t, hosts, scoring.Project{Repo: "https://review.example.org/town"}, scoring.Evidence{}, nil)
	h := value(t, "home", e.Home)
	if h.Forge != "gerrit" || value(t, "archived", h.Archived) || h.Stars.Unknown() != audit.DNF {
		t.Errorf("home %+v", h)
	}
	if c := value(t, "changes", e.Changes); c.Forge != "gerrit" {
		t.Errorf("changes from %s", c.Forge)
	}
	if e.Runs.Unknown() != audit.MISS || e.Issues.Unknown() != audit.MISS {
		t.Errorf("nobody knows of a CI or a tracker there: runs %v, issues %v; want MISS", e.Runs.Unknown(), e.Issues.Unknown())
	}
}
