package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// shop serves files that we wrote in the form of the named calendars.
type shop struct {
	files map[string]string // by path
	at    time.Time
	reads atomic.Int64
}

func (s *shop) read(ctx context.Context, repo, path string) ([]byte, audit.Origin, error) {
	s.reads.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, audit.Origin{}, err
	}
	text, ok := s.files[path]
	if !ok {
		return nil, audit.Origin{}, fmt.Errorf("no such file: %w", fs.ErrNotExist)
	}
	if text == "cannot be read" {
		return nil, audit.Origin{}, errors.New("the clone is broken")
	}
	return []byte(text), audit.Origin{Source: "git", URL: repo, Commit: strings.Repeat("b", 40), Path: path, Digest: audit.DigestOf([]byte(text)), At: s.at}, nil
}

func date(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

var assessed = date("2026-11-01")

// In the form of openstack/releases 02df7c9a, ceph/ceph 0edd2c56, kubernetes/website 28d3e131 and endoflife-date/endoflife.date
// a70eca33; the content is invented.
func newShop() *shop {
	return &shop{at: date("2026-10-20"), files: map[string]string{
		seriesFile: `---
- name: kelp
  release-id: 2027.10
  status: development
  initial-release: 2027-03-24
  next-phase: {status: maintained, date: 2027-03-24}
- name: juniper
  release-id: 2026.10
  status: maintained
  slurp: yes
  initial-release: 2026-09-30
  next-phase: {status: unmaintained, date: 2028-04-01}
- name: iris
  release-id: 2026.1
  status: maintained
  initial-release: 2026-04-01
  next-phase: {status: end of life, date: 2026-10-25}
- name: hazel
  release-id: 2025.2
  status: unmaintained
  slurp: yes
  initial-release: 2025-10-01
  next-phase: {status: end of life}
- name: gorse
  status: end of life
  initial-release: 2025-04-01
  eol-date: 2026-05-06
- name: fern
  status: extended maintenance
  initial-release: 2024-04-01
`,
		"deliverables/kelp/compute.yaml":    "releases:\n- {version: 34.0.0.0rc1, projects: [{repo: openstack/compute}]}\n",
		"deliverables/juniper/compute.yaml": "releases:\n- {version: 33.0.0, projects: [{repo: openstack/compute}]}\n- {version: 33.1.0, projects: [{repo: openstack/compute}]}\n",
		"deliverables/iris/compute.yaml":    "releases:\n- {version: 32.1.0, projects: [{repo: openstack/compute}]}\n- {version: iris-em, projects: [{repo: openstack/compute}]}\n- {version: 2026.1-eol, projects: [{repo: openstack/compute}]}\n- {version: 99.0.0, projects: [{repo: openstack/other}]}\n",
		"deliverables/hazel/compute.yaml":   "releases:\n- {version: 32.0.0, projects: [{repo: openstack/compute}]}\n",
		"deliverables/gorse/compute.yaml":   "releases:\n- {version: 30.0.0}\n",
		"deliverables/fern/compute.yaml":    "releases:\n- {version: 29.0.1}\n",
		cephFile: `#
# two sections
#
releases:
  vampire:
    target_eol: 2028-06-01
    releases:
      - {version: 22.2.0, released: 2026-12-01}
  urchin:
    target_eol: 2026-12-02
    releases:
      - {version: 21.2.10, released: 2026-09-01}
      - {version: 21.2.9, released: 2026-08-01}
      - {version: 21.2.0, released: 2024-08-01}
  tuna:
    target_eol: 2026-08-01
    releases:
      - version: 20.2.4
        released:  2026-10-01
        skip_ref: true        
  
  salmon:
    target_eol: 2025-08-01
    actual_eol: 2026-03-20
    releases:
      - {version: 19.2.4, released: 2026-03-01}
  early:
    actual_eol: 2016-04-01
    releases:
      - {version: 0.80, released: 2014-05-01}
      - {version: 0.80.11, released: 2015-11-01}
development:
  releases:
    - {version: 21.1.0, released: 2024-06-01}
`,
		"products/ceph.md": "---\ntitle: Ceph\nreleases:\n-   releaseCycle: \"21\"\n    releaseDate: 2024-08-05\n    eol: 2026-10-31\n    latest: \"21.2.9\"\n-   releaseCycle: \"19\"\n    releaseDate: 2022-08-05\n    eol: 2026-04-01\n---\n\n> text that is not read: [\n",
		scheduleFile:       "---\nschedules:\n- release: 1.40\n  releaseDate: 2026-08-20\n  endOfLifeDate: 2027-10-28\n  previousPatches:\n  - {release: 1.40.1, targetDate: 2026-09-10}\n  - {release: 1.40.10, targetDate: 2026-10-20}\n  - {release: 1.40.11, targetDate: 2026-11-20}\n- {release: \"1.41\", releaseDate: \"2026-12-10\", endOfLifeDate: \"2028-02-28\"}\n",
		endedFile:          "# made by a tool\n# for a page\n---\nbranches:\n- {release: \"1.4\", endOfLifeDate: \"2017-04-21\", finalPatchRelease: 1.4.12}\n- {release: \"1.36\", endOfLifeDate: \"2026-06-28\", finalPatchRelease: 1.36.14}\n",
		"products/keycloak.md": `---
title: Keycloak
releases:
  - {releaseCycle: "26.7", releaseDate: 2026-07-09, eol: false, latest: "26.7.2"}
  - {releaseCycle: "26.6", releaseDate: 2026-04-08, eol: 2026-07-09, latest: "26.6.4"}
  - {releaseCycle: "26.0", releaseDate: 2024-10-04, eol: true, lts: true}
  - {releaseCycle: "26.8", releaseDate: 2026-11-09, eol: false}
---
`,
	}}
}

func collect(t *testing.T, o Options, p scoring.Project) audit.Fact[scoring.Cycles] {
	t.Helper()
	if o.At.IsZero() {
		o.At = assessed
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Collect(t.Context(), p, scoring.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Cycles
}

func cyclesOf(t *testing.T, f audit.Fact[scoring.Cycles]) scoring.Cycles {
	t.Helper()
	c, ok := f.Get()
	if !ok {
		t.Fatalf("no cycles: %q", f.Failure)
	}
	return c
}

// shown writes what a version's cycle says.
func shown(c scoring.Cycles, version string) string {
	x, ok := c.Of(version)
	if !ok {
		return "none"
	}
	d := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format(time.DateOnly)
	}
	text := fmt.Sprintf("%s|%s|%s..%s|%s", x.Name, x.Prefix, d(x.EndLow), d(x.EndHigh), x.Status)
	for name, is := range map[string]bool{"|ended": x.Ended} {
		if is {
			text += name
		}
	}
	if x.Estimate {
		text += "|estimate"
	}
	return text
}

func check(t *testing.T, c scoring.Cycles, want map[string]string) {
	t.Helper()
	for version, w := range want {
		if got := shown(c, version); got != w {
			t.Errorf("version %s: %s, want %s", version, got, w)
		}
	}
}

func openStackProject() scoring.Project {
	return scoring.Project{ID: "compute", Repo: "https://opendev.org/openstack/compute"}
}

func TestAVersionOfAnOpenStackServiceBelongsToItsSeries(t *testing.T) {
	s := newShop()
	fact := collect(t, Options{Read: s.read}, openStackProject())
	check(t, cyclesOf(t, fact), map[string]string{
		"34.0.0.0b1": "2027.10 (kelp)|34|-..-|development",
		"33.0.0":     "2026.10 (juniper)|33|2028-04-01..2028-04-01|maintained", // 2026.10 is a text, not the number 2026.1
		"2026.10":    "2026.10 (juniper)|33|2028-04-01..2028-04-01|maintained",
		"32.1.4":     "2026.1 (iris)|32.1|2026-10-25..2026-10-25|end of life", // the phase that the file foretold has begun
		"32.0.1":     "2025.2 (hazel)|32.0|-..-|unmaintained|ended",
		"30.1.0":     "gorse|30|2026-05-06..2026-05-06|end of life",
		"29.0.0":     "fern|29|-..-|extended|ended",
		"32.2.0":     "none", // 32 is of two series, and no series lists 32.2
		"99.0.0":     "none", // another repository of the deliverable
		"train-em":   "none",
	})
	if fact.Grade != audit.GradeRecord || fact.Lifetime != audit.Month || !fact.ObservedAt.Equal(date("2026-10-20")) || len(fact.Origins) != 7 {
		t.Errorf("grade %s, %s, observed %s, %d origins; want A, a month from the commit, seven files", fact.Grade, fact.Lifetime, fact.ObservedAt, len(fact.Origins))
	}
}

func TestTheSeriesOfAPastDayAreThoseOfThatDay(t *testing.T) {
	c := cyclesOf(t, collect(t, Options{Read: newShop().read, At: date("2026-04-15")}, openStackProject()))
	check(t, c, map[string]string{
		"33.0.0": "2026.10 (juniper)|33|-..-|development",
		"32.1.0": "2026.1 (iris)|32.1|2026-10-25..2026-10-25|maintained",
		"30.0.0": "gorse|30|-..2026-05-06|", // nobody says since when it was unmaintained
		"32.0.0": "2025.2 (hazel)|32.0|-..-|",
	})
}

func TestOpenStackIsLookedUpUnderTheNameOfItsDeliverable(t *testing.T) {
	s := newShop()
	s.files["deliverables/juniper/compute-all.yaml"] = "releases:\n- {version: 7.0.0, projects: [{repo: openstack/compute}]}\n"
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	g := scoring.Governance{Deliverable: audit.Known("compute-all")}
	e, err := c.Collect(t.Context(), openStackProject(), scoring.Evidence{Governance: audit.Known(g)})
	if err != nil {
		t.Fatal(err)
	}
	check(t, cyclesOf(t, e.Cycles), map[string]string{"7.0.1": "2026.10 (juniper)|7|2028-04-01..2028-04-01|maintained", "33.0.0": "none"})
}

func TestTheEndOfACephReleaseIsAFactOrAnEstimateAndTwoSourcesSpanIt(t *testing.T) {
	fact := collect(t, Options{Read: newShop().read}, scoring.Project{ID: "ceph", Repo: cephRepo})
	c := cyclesOf(t, fact)
	check(t, c, map[string]string{
		"v21.2.3": "21 (urchin)|21|2026-10-31..2026-12-02|maintained|estimate", // index and estimate differ
		"20.2.4":  "20 (tuna)|20|2026-08-01..2026-08-01|maintained|estimate",   // the estimate has passed, and releases go on
		"19.2.0":  "19 (salmon)|19|2026-03-20..2026-04-01|end of life",
		"0.80.3":  "0.80 (early)|0.80|2016-04-01..2016-04-01|end of life", // 0.80 without quotes is no number
		"22.2.0":  "none",                                                 // released after the day of assessment
		"0.8.1":   "none",
	})
	if x, _ := c.Of("21.2.3"); x.Latest != "21.2.10" || !x.Released.Equal(date("2024-08-01")) {
		t.Errorf("latest %s, released %s; want 21.2.10, and the day of the first", x.Latest, x.Released)
	}
	if c.Source != "Ceph releases; endoflife.date" || fact.Grade != audit.GradeRecord || len(fact.Origins) != 2 {
		t.Errorf("source %q of grade %s from %d files, want both, the better grade", c.Source, fact.Grade, len(fact.Origins))
	}
	for version, want := range map[string]string{"21.2.3": "Ceph releases; endoflife.date", "20.2.4": "Ceph releases"} {
		if x, _ := c.Of(version); x.Source != want {
			t.Errorf("the end of %s is stated by %q, want %q", version, x.Source, want)
		}
	}
	if c.Cycles[0].Prefix != "21" {
		t.Errorf("first cycle %s, want the newest", c.Cycles[0].Prefix)
	}
}

func TestTheKubernetesScheduleIsReadAsText(t *testing.T) {
	c := cyclesOf(t, collect(t, Options{Read: newShop().read}, scoring.Project{ID: "kubernetes"}))
	check(t, c, map[string]string{
		"v1.40.3": "1.40|1.40|2027-10-28..2027-10-28|maintained",
		"1.36.2":  "1.36|1.36|2026-06-28..2026-06-28|end of life",
		"1.4.12":  "1.4|1.4|2017-04-21..2017-04-21|end of life",
		"1.41.0":  "none",
	})
	if x, _ := c.Of("1.40.0"); x.Latest != "1.40.10" {
		t.Errorf("latest %s, want 1.40.10: 1.40.11 is planned for later", x.Latest)
	}
}

func TestTheIndexTellsDaysAndEndsWithoutADay(t *testing.T) {
	fact := collect(t, Options{Read: newShop().read}, scoring.Project{ID: "keycloak"})
	check(t, cyclesOf(t, fact), map[string]string{
		"26.7.0": "26.7|26.7|-..-|maintained",
		"26.6.1": "26.6|26.6|2026-07-09..2026-07-09|end of life",
		"26.0.1": "26.0|26.0|-..-|end of life|ended",
		"26.8.0": "none",
	})
	if fact.Grade != audit.GradeThirdParty {
		t.Errorf("grade %s, want C", fact.Grade)
	}
}

func TestACalendarThatCannotBeReadMakesNothingKnown(t *testing.T) {
	for _, tt := range []struct{ id, path, text, want string }{
		{"keycloak", "products/keycloak.md", "cannot be read", "the clone is broken"},
		{"keycloak", "products/keycloak.md", "releases: []", "no data between lines of ---"},
		{"keycloak", "products/keycloak.md", "---\nreleases: []\n---\n", "it names no release"},
		{"keycloak", "products/keycloak.md", "---\nreleases:\n- {releaseCycle: 1, eol: soon}\n---\n", "line 2: eol is neither a day nor true nor false"},
		{"keycloak", "products/keycloak.md", "---\nreleases:\n- {eol: true}\n---\n", "has no releaseCycle"},
		{"keycloak", "products/keycloak.md", "---\na: &a [1]\nreleases: *a\n---\n", "aliases are not read"},
		{"keycloak", "products/keycloak.md", "---\nreleases: 1\nreleases: 2\n---\n", "a key stands twice"},
		{"keycloak", "products/keycloak.md", "---\na: " + strings.Repeat("x", scoring.MostYAML) + "\n---\n", "bytes of YAML"},
		{"rook", "", "", "nobody reads the tags"},
	} {
		s := newShop()
		s.files[tt.path] = tt.text
		fact := collect(t, Options{Read: s.read}, scoring.Project{ID: tt.id, Repo: "https://github.com/x/" + tt.id})
		if _, ok := fact.Get(); ok || !strings.Contains(fact.Failure, tt.want) || fact.Settle == "" {
			t.Errorf("%s: %q, want the reason %q and what settles it", tt.id, fact.Failure, tt.want)
		}
	}
	for path, text := range map[string]string{
		cephFile:   "releases:\n  x:\n    target_eol: soon\n    releases: [{version: 1.2.3, released: 2020-01-01}]\n",
		seriesFile: "- {name: ../../etc, status: maintained}\n",
	} {
		s := newShop()
		s.files[path] = text
		delete(s.files, "products/ceph.md")
		p := scoring.Project{ID: "ceph"}
		if path == seriesFile {
			p = openStackProject()
		}
		if fact := collect(t, Options{Read: s.read}, p); fact.Failure == "" || !strings.Contains(fact.Failure, "line ") {
			t.Errorf("%s: %+v, want a reason with the line", path, fact)
		}
	}
	s := newShop()
	s.files[cephFile] = "cannot be read"
	if fact := collect(t, Options{Read: s.read}, scoring.Project{ID: "ceph"}); fact.Grade != audit.GradeThirdParty || cyclesOf(t, fact).Source != "endoflife.date" {
		t.Errorf("%+v, want the index alone, at its own grade", fact)
	}
	if fact := collect(t, Options{Read: s.read}, scoring.Project{ID: "unheard-of", Repo: "https://github.com/a/b"}); fact.Unknown() != audit.MISS {
		t.Errorf("%+v, want that nobody looked: no place states it", fact)
	}
	if fact := collect(t, Options{Read: s.read}, scoring.Project{ID: "x", Repo: "https://opendev.org/openstack/unreleased"}); !strings.Contains(fact.Failure, "no series lists a version of unreleased") {
		t.Errorf("%+v, want unknown: no series lists it", fact)
	}
}

func TestTheTableOfTheCatalogueIsAskedForWhatNoOtherPlaceKnows(t *testing.T) {
	asked := ""
	support := func(id, version string) (string, string, string, bool) {
		asked += id + " " + version + ";"
		return "Keycloak 25", "2025-01-01", "https://example.org/keycloak", version == "25.0.1"
	}
	fact := collect(t, Options{Read: newShop().read, Support: support}, scoring.Project{ID: "keycloak", Versions: []string{"25.0.1", "26.7.0"}})
	check(t, cyclesOf(t, fact), map[string]string{"25.0.1": "Keycloak 25|25.0.1|2025-01-01..2025-01-01|end of life", "26.7.0": "26.7|26.7|-..-|maintained"})
	if asked != "keycloak 25.0.1;" {
		t.Errorf("the table was asked %q, want only for 25.0.1", asked)
	}
	fact = collect(t, Options{Read: newShop().read, Support: support}, scoring.Project{ID: "elsewhere", Versions: []string{"25.0.1"}})
	if c := cyclesOf(t, fact); c.Source != "table of the catalogue" || fact.Grade != audit.GradeThirdParty {
		t.Errorf("source %q, grade %s; want the table alone, C", c.Source, fact.Grade)
	}
}

func TestManyProjectsAreAskedForAtOnce(t *testing.T) {
	s := newShop()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			p := []scoring.Project{openStackProject(), {ID: "ceph"}, {ID: "kubernetes"}, {ID: "keycloak"}}[i%4]
			if e, err := c.Collect(t.Context(), p, scoring.Evidence{}); err != nil || e.Cycles.Value == nil {
				t.Errorf("%s: %v, %q", p.ID, err, e.Cycles.Failure)
			}
		})
	}
	wait.Wait()
}

func TestASharedCalendarIsReadOnce(t *testing.T) {
	s := newShop()
	c, err := New(Options{Read: s.read, At: assessed})
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := c.Collect(t.Context(), scoring.Project{ID: "kubernetes"}, scoring.Evidence{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.reads.Load(); got != 3 {
		t.Errorf("%d reads for 30 questions, want 3: schedule, ended, index", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Collect(ended, scoring.Project{ID: "ceph"}, scoring.Evidence{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	e, err := c.Collect(t.Context(), scoring.Project{ID: "ceph"}, scoring.Evidence{Project: "ceph"})
	if err != nil || e.Project != "ceph" || e.Cycles.Value == nil {
		t.Errorf("%v, %+v: a cancelled read was remembered", err, e.Cycles)
	}
}

func TestALesserPlaceAloneDoesNotEndWhatTheProjectMaintains(t *testing.T) {
	end := date("2026-03-31")
	lesser := []scoring.Cycle{{Name: "5", Prefix: "5", EndLow: end, EndHigh: end, Status: "end of life", Source: "index"}}
	maintained := join([]scoring.Cycle{{Name: "5", Prefix: "5", Status: "maintained", Source: "project"}}, lesser)[0]
	if !maintained.EndLow.Equal(end) || !maintained.EndHigh.IsZero() || maintained.Source != "index" {
		t.Errorf("got %+v, want the day as the earliest only: the project says that it maintains the cycle", maintained)
	}
	silent := join([]scoring.Cycle{{Name: "5", Prefix: "5", Source: "project"}}, lesser)[0]
	if !silent.EndHigh.Equal(end) {
		t.Errorf("got %+v, want the end: the project says nothing", silent)
	}
}
