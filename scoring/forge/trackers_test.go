package forge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

func TestZuulsGateIsTheCIOfAProjectOnGerrit(t *testing.T) {
	p, known := openStack()
	hosts := openDev()
	x := hosts["zuul.opendev.org"].(*forgetest.Zuul).Tale
	x.Builds = append(x.Builds, forgetest.Build{Ended: daysBefore(2), Result: "FAILURE", NonVoting: true})
	e, seen := collect(t, hosts, p, known, nil)
	r := value(t, "runs", e.Runs)
	if r.System != "zuul" || r.Where != "gate" {
		t.Errorf("runs %+v", r)
	}
	checkRuns(t, r) // the build that has no vote does not count
	noSecrets(t, e, seen)
	x.Builds = nil
	e, _ = collect(t, hosts, p, known, nil)
	if e.Runs.Unknown() != audit.DNF || e.Runs.Settle == "" {
		t.Errorf("a gate without builds: %v, want DNF: nothing says that it fails", e.Runs.Unknown())
	}
}

func TestLaunchpadCountsAreAskedForAsSuch(t *testing.T) {
	p, known := openStack()
	e, _ := collect(t, openDev(), p, known, nil)
	i := value(t, "issues", e.Issues)
	got := i.Tracker + " " + fmt.Sprint(value(t, "public", i.Public), value(t, "open", i.Open), value(t, "opened", i.Opened12m), value(t, "closed", i.Closed12m), value(t, "age", i.MedianAge)/86400)
	if want := "launchpad true 3 3 1 60"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if i.FirstResponse.Unknown() != audit.DNF || i.Answered.Unknown() != audit.DNF {
		t.Error("nobody asked what was said about bugs, which has to be unknown")
	}
}

func TestStoryBoardTellsWhatIsOpen(t *testing.T) {
	x := tale()
	hosts := forgetest.Hosts{"review.opendev.org": &forgetest.Gerrit{Tale: x, Project: "openstack/os-ken"}, "storyboard.openstack.org": &forgetest.StoryBoard{Tale: x, Project: "openstack/os-ken", Limit: 3}}
	p := scoring.Project{ID: "os-ken", Repo: "https://opendev.org/openstack/os-ken"}
	e, seen := collect(t, hosts, p, scoring.Evidence{}, nil)
	i := value(t, "issues", e.Issues)
	got := i.Tracker + " " + fmt.Sprint(value(t, "open", i.Open), value(t, "opened", i.Opened12m), value(t, "age", i.MedianAge)/86400, i.Closed12m.Unknown(), i.Answered.Unknown())
	if want := "storyboard 3 3 60 DNF DNF"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	noSecrets(t, e, seen)
}

func TestTheTrackerOfAnOpenStackProjectIsKnown(t *testing.T) {
	for project, want := range map[string]string{
		"openstack/nova": "launchpad nova", "openstack/neutron-lib": "launchpad neutron", "openstack/openstack-ansible-os_nova": "launchpad openstack-ansible",
		"openstack/heat": "storyboard 989", "openstack/os-ken": "storyboard openstack/os-ken", "zuul/zuul": " ",
	} {
		service, name, _ := trackerOf(scoring.Project{Repo: "https://opendev.org/" + project}, openDevReview, project)
		if got := service + " " + name; got != want {
			t.Errorf("%s: %q, want %q", project, got, want)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(trackerTable), "\n") {
		if f := strings.Fields(line); f[0] != "#" && (len(f) != 3 || f[1] != "launchpad" && f[1] != "storyboard") {
			t.Errorf("line %q has to be repository, service, name", line)
		}
	}
}
