package pipeline

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/reports"
)

func TestATargetIsWhatItsNameSays(t *testing.T) {
	dir := mirror(t, "memcached")
	opt := collectOptions(t, dir)
	for _, c := range []struct {
		name, target, id string
		versions         []string
	}{
		{"a catalogue id", "keystone", "keystone", nil},
		{"the address of a catalogue project", "https://opendev.org/openstack/keystone.git", "keystone", nil},
		{"its mirror", "https://github.com/openstack/keystone", "keystone", nil},
		{"a package of the catalogue", "pkg:pypi/keystone@26.0.1", "keystone", []string{"26.0.1"}},
		{"a package without version", "pkg:pypi/keystone", "keystone", nil},
		{"a package whose path names its repository", "pkg:golang/github.com/example/gauge@v1.0.0", "https://github.com/example/gauge", nil},
		{"an address that nobody knows", "https://git.example.org/x", "https://git.example.org/x", nil},
		{"a clone", filepath.Join(dir, "memcached"), "local clone", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := Score(context.Background(), []string{c.target}, false, opt)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 1 || rows[0].ID != c.id || !slices.Equal(rows[0].Versions, c.versions) {
				t.Errorf("got %d rows, id %q, versions %q; want %q, %q", len(rows), rows[0].ID, rows[0].Versions, c.id, c.versions)
			}
		})
	}
}

func TestAWrongTargetIsWrongUsageAndSaysWhatIsNear(t *testing.T) {
	opt := collectOptions(t)
	for target, want := range map[string]string{
		"keystonee":          `did you mean "keystone"?`,
		"no-such-project":    "the catalogue does not know the name",
		"pkg:pypi/not-known": "nothing known says which repository",
		"ssh://h.example/a":  `protocol "ssh" is not allowed`,
	} {
		_, err := Score(context.Background(), []string{target}, false, opt)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || usage.Hint == "" {
			t.Errorf("%s: got %v", target, err)
		}
	}
	opt.Indexes = []string{"depsdv"}
	_, err := Score(context.Background(), []string{"etcd"}, false, opt)
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `did you mean "depsdev"?`) {
		t.Errorf("an unknown index: %v", err)
	}
}

func TestAProjectThatIsNamedTwiceIsScoredOnceAtBothVersions(t *testing.T) {
	rows, err := Score(context.Background(), []string{"pkg:pypi/keystone@26.0.1", "nova", "pkg:pypi/keystone@25.0.0"}, false, collectOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.ID+" "+strings.Join(r.Versions, ","))
	}
	if want := []string{"keystone 25.0.0,26.0.1", "nova "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Scores rest on every collector, not on git alone: of a clone the checks of the OpenSSF are run too.
func TestScoresRestOnEveryCollector(t *testing.T) {
	dir := mirror(t, "memcached")
	for name, target := range map[string]string{"a catalogue project": "memcached", "a revision": "memcached@1.6.29"} {
		rows, err := Score(context.Background(), []string{target}, false, collectOptions(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		asked := false
		for _, i := range rows[0].Indicators {
			for _, o := range i.Origins {
				asked = asked || o.Source == "openssf"
			}
		}
		if rows[0].Head == "" || !asked && !strings.Contains(reasonOf(rows[0], "SE-09"), "workflow") {
			t.Errorf("%s: head %q, failure %q, SE-09: %s", name, rows[0].Head, rows[0].Failure, reasonOf(rows[0], "SE-09"))
		}
	}
}

func reasonOf(p reports.Project, id string) string {
	for _, i := range p.Indicators {
		if i.ID == id {
			return i.Reason
		}
	}
	return ""
}

// What a recording has is kept where the clone of a version that it lacks cannot be read.
func TestARecordingIsNotLostForAVersionThatItLacks(t *testing.T) {
	p := scoredCorpus(t, "pkg:golang/go.etcd.io/etcd/v3@v3.5.1")[0]
	if p.ID != "etcd" || p.Head == "" || p.Failure != "" || !p.At.Before(time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s: head %q, failure %q, as of %s", p.ID, p.Head, p.Failure, p.At)
	}
}

func TestEveryTierOfTheCatalogueHasItsProjectsInAlphabeticalOrder(t *testing.T) {
	all, err := CatalogueTier("all")
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range Tiers() {
		ids, err := CatalogueTier(tier)
		if tier == "base" && err != nil && strings.Contains(err.Error(), "places no project") {
			continue // packages of distributions are no projects of the catalogue yet
		}
		if err != nil || len(ids) == 0 {
			t.Fatalf("%s: %d projects, %v", tier, len(ids), err)
		}
		at := -1
		for _, id := range ids {
			i := slices.Index(all, id)
			if i <= at {
				t.Errorf("%s: %s stands out of order", tier, id)
			}
			at = i
		}
	}
	var usage *UsageError
	if _, err := CatalogueTier("functonal"); !errors.As(err, &usage) || !strings.Contains(err.Error(), `did you mean "functional"?`) {
		t.Errorf("got %v", err)
	}
}

func TestTheVersionOfAPackageIsFoundInItsURL(t *testing.T) {
	for purl, want := range map[string]string{
		"pkg:pypi/keystone@26.0.1": "26.0.1", "pkg:pypi/keystone": "", "pkg:npm/%40scope/name@1.0": "1.0", "pkg:npm/@scope/name": "",
		"pkg:deb/debian/x@1%3A2.0?arch=amd64#p@q": "1:2.0", "pkg:pypi/x@%zz": "",
	} {
		if got := packageVersion(purl); got != want {
			t.Errorf("%s: got %q, want %q", purl, got, want)
		}
	}
	if got := withoutVersion("pkg:deb/debian/x@1%3A2.0?arch=amd64"); got != "pkg:deb/debian/x" {
		t.Errorf("got %q", got)
	}
}
