package forge

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// TestNoForgeTellsOfThePastWhatItShowsToday judges a day 200 days before the forges were asked.
func TestNoForgeTellsOfThePastWhatItShowsToday(t *testing.T) {
	x := tale()
	github := forgetest.NewGitHub(t, x.GitHub("example", "town"))
	github.Now = taleAt
	hosts := openDev()
	hosts["api.github.com"] = github.Handler()
	hosts["gitlab.example.org"] = &forgetest.GitLab{Tale: x, Project: "example/town", Token: "token"}
	hosts["git.example.org"] = &forgetest.Gitea{Tale: x, Project: "example/town"}
	hosts["review.example.org"] = &forgetest.Gerrit{Tale: x, Project: "town", Limit: 100, Expression: "label:Code-Review=MAX,user=non_uploader"}
	at := taleAt().AddDate(0, 0, -200)
	change := func(o *Options) { o.At, o.Tokens = at, func(string) []string { return []string{"token"} } }
	openstack, gitreview := openStack()
	for name, p := range map[string]struct {
		project scoring.Project
		known   scoring.Evidence
	}{
		"OpenDev": {openstack, gitreview},
		"Gerrit":  {scoring.Project{ID: "town", Repo: "https://review.example.org/town"}, scoring.Evidence{}},
		"GitHub":  {scoring.Project{ID: "town", Repo: "https://github.com/example/town"}, scoring.Evidence{}},
		"GitLab":  {scoring.Project{ID: "town", Repo: "https://gitlab.example.org/example/town"}, scoring.Evidence{}},
		"Gitea":   {scoring.Project{ID: "town", Repo: "https://git.example.org/example/town"}, scoring.Evidence{}},
	} {
		e, _ := collect(t, hosts, p.project, p.known, change)
		home, changes := value(t, name+": home", e.Home), value(t, name+": changes", e.Changes)
		for what, o := range map[string]audit.Outcome{"archived": home.Archived.Unknown(), "fork": home.Fork.Unknown(), "mirror": home.MirrorOf.Unknown(), "stars": home.Stars.Unknown(),
			"default branch": home.DefaultBranch.Unknown(), "open changes": changes.Open.Unknown(), "rules": e.Rules.Unknown()} {
			if o != audit.DNF {
				t.Errorf("%s: %s of 200 days ago: %v, want DNF", name, what, o)
			}
		}
		if e.Team.Unknown() == audit.PASS {
			t.Errorf("%s: the team of today stands for that of 200 days ago", name)
		}
		if i, ok := e.Issues.Get(); ok && (i.Open.Unknown() == audit.PASS || i.MedianAge.Unknown() == audit.PASS || i.Public.Unknown() == audit.PASS) {
			t.Errorf("%s: issues of today stand for those of 200 days ago: %+v", name, i)
		}
		if releases, ok := home.Releases.Get(); ok {
			for _, r := range releases {
				if r.At.After(at) {
					t.Errorf("%s: release %s was made after the day that is judged", name, r.Tag)
				}
			}
			if len(releases) == 0 {
				t.Errorf("%s: that no release of the newest is older does not show that there was none", name)
			}
		}
	}
}

func TestAFactThatWasTakenIsLeftAsItIs(t *testing.T) {
	known := scoring.Evidence{Rules: audit.Known(scoring.Rules{}).Graded(audit.GradeForge, taleAt(), audit.Month)}
	if e := asOf(taleAt().AddDate(0, 0, -200), known, known); e.Rules.Value == nil {
		t.Error("what other collectors or a recording told was changed")
	}
}

func TestTheGitreviewFileOfAnotherProjectBorrowsNothing(t *testing.T) {
	hosts := openDev()
	hosts["gitlab.example.org"] = &forgetest.GitLab{Tale: tale(), Project: "mallory/town"}
	p, known := scoring.Project{ID: "copy", Repo: "https://gitlab.example.org/mallory/town"}, scoring.Evidence{}
	known.Tree = audit.Known(scoring.Tree{GerritProject: "review.opendev.org/openstack/town.git"})
	h := scoring.History{Windows: []scoring.Window{{Months: 24, Commits: 9, HumanCommits: 9}}}
	known.History = audit.Known(h)
	e, _ := collect(t, hosts, p, known, nil)
	if c := value(t, "changes", e.Changes); c.Forge != "gitlab" {
		t.Errorf("no commit came through Gerrit, but changes are those of %s", c.Forge)
	}
	if r := value(t, "runs", e.Runs); r.System != "gitlab-ci" {
		t.Errorf("runs are those of %s", r.System)
	}
	if i := value(t, "issues", e.Issues); i.Tracker != "gitlab" {
		t.Errorf("issues are those of %s", i.Tracker)
	}
	h.Windows[0].ChangeID = 9
	known.History = audit.Known(h)
	if e, _ = collect(t, hosts, p, known, nil); value(t, "changes", e.Changes).Forge != "gerrit" {
		t.Error("commits carry a Change-Id, but Gerrit was not asked")
	}
}

func TestPatternsOfAccessRulesThatMeanBranches(t *testing.T) {
	for ref, want := range map[string]bool{
		"refs/heads/*": true, "refs/heads/main": true, "refs/*": true, "^refs/heads/.*": true, "^refs/.*": true, "^refs/heads/(main|stable/.*)": true,
		"^.*": true, "refs/tags/*": false, "refs/for/refs/heads/*": false, "^refs/tags/.*": false, "refs/meta/config": false, "refs/h": false,
	} {
		if got := mayBeBranch(ref); got != want {
			t.Errorf("%s: %v, want %v", ref, got, want)
		}
	}
}

func TestWhatNoSubmitRequirementNamesMayBeRequiredByALabel(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	hosts["review.opendev.org"].(*forgetest.Gerrit).Expression = "label:Legal=MAX"
	e, _ := collect(t, hosts, p, known, nil)
	if f := value(t, "rules", e.Rules).ReviewRequired; f.Unknown() != audit.DNF || !strings.Contains(f.Failure, "settings of a label") {
		t.Errorf("whether review is required: %v %q, want DNF", f.Unknown(), f.Failure)
	}
}
