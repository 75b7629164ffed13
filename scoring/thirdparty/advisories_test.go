package thirdparty_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

var today = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

const (
	critical = `"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`
	medium   = `"severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}]`
)

// fixtures are records of our own, built from the OSV schema 1.9.0; a test holds them against it. Each has a credit, which
// must not be kept.
func fixtures() map[string]string {
	entry := func(ecosystem, name, events string) string {
		return fmt.Sprintf(`{"package": {"ecosystem": %q, "name": %q}, "ranges": [{"type": "ECOSYSTEM", "events": [%s]}]}`, ecosystem, name, events)
	}
	git := func(repo, events, versions string) string {
		return fmt.Sprintf(`{"ranges": [{"type": "GIT", "repo": %q, "events": [%s]}], "versions": [%s]}`, repo, events, versions)
	}
	record := func(id, published, rest string, affected ...string) string {
		return fmt.Sprintf(`{"schema_version": "1.7.0", "id": %q, "modified": "2026-06-20T00:00:00Z", "published": %q, "details": "text that is not kept",
			"credits": [{"name": "Erika Mustermann", "contact": ["mailto:erika@example.org"]}], %s, "affected": [%s]}`, id, published, rest, strings.Join(affected, ", "))
	}
	return map[string]string{
		"PyPI/GHSA-aaaa-bbbb-cccc.json": record("GHSA-aaaa-bbbb-cccc", "2026-03-01T00:00:00Z", `"aliases": ["CVE-2026-0001"], "database_specific": {"severity": "CRITICAL"}`,
			entry("PyPI", "example", `{"introduced": "0"}, {"fixed": "9.2.2"}`)),
		"GIT/CVE-2026-0001.json": record("CVE-2026-0001", "2026-03-02T00:00:00Z", critical,
			git("https://git.example.org/team/example.git", `{"introduced": "0"}, {"fixed": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`, `"v9.2.1"`)),
		"PyPI/PYSEC-2026-1.json": record("PYSEC-2026-1", "2026-05-01T00:00:00Z", medium,
			entry("PyPI", "example", `{"introduced": "9.0"}, {"fixed": "9.1.0"}, {"introduced": "9.2.0"}, {"fixed": "9.2.5"}`)),
		"PyPI/PYSEC-2020-2.json": record("PYSEC-2020-2", "2020-05-01T00:00:00Z", critical, entry("PyPI", "example", `{"introduced": "0"}, {"fixed": "2.0"}`)),
		"PyPI/PYSEC-2026-3.json": record("PYSEC-2026-3", "2026-04-01T00:00:00Z", `"withdrawn": "2026-04-02T00:00:00Z"`, entry("PyPI", "example", `{"introduced": "0"}`)),
		"PyPI/PYSEC-2026-4.json": record("PYSEC-2026-4", "2026-04-01T00:00:00Z", critical, entry("PyPI", "something-else", `{"introduced": "0"}`)),
		"PyPI/PYSEC-2026-5.json": record("PYSEC-2026-5", "2026-08-01T00:00:00Z", critical, entry("PyPI", "example", `{"introduced": "0"}`)),
		"PyPI/MAL-2026-1.json":   record("MAL-2026-1", "2026-04-01T00:00:00Z", `"aliases": []`, entry("PyPI", "example", `{"introduced": "0"}`)),
		"GIT/CVE-2026-0009.json": record("CVE-2026-0009", "2026-02-01T00:00:00Z", critical,
			git("https://git.example.org/team/example", `{"introduced": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, {"fixed": "cccccccccccccccccccccccccccccccccccccccc"}`, `"v8.0.0"`)),
		"Debian/DSA-1-1.json": record("DSA-1-1", "2026-04-01T00:00:00Z", `"aliases": []`, entry("Debian:12", "example", `{"introduced": "0"}`)),
	}
}

func project() scoring.Project {
	return scoring.Project{
		ID: "example", Repo: "https://git.example.org/team/example", Packages: []string{"pkg:pypi/Example"}, Versions: []string{"9.2.1", "9.3.0"},
	}
}

// directory writes files below a new directory.
func directory(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// zipped writes files as ECOSYSTEM/all.zip, as osv.dev does.
func zipped(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	byFolder := map[string][]string{}
	for name := range files {
		folder, _, _ := strings.Cut(name, "/")
		byFolder[folder] = append(byFolder[folder], name)
	}
	for folder, names := range byFolder {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, folder, "all.zip"))
		if err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(f)
		slices.Sort(names)
		for _, name := range names {
			e, err := w.Create(filepath.Base(name))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write([]byte(files[name])); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func collect(t testing.TB, o thirdparty.Options, p scoring.Project, known scoring.Evidence) scoring.Evidence {
	t.Helper()
	o.At = today
	c, err := thirdparty.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	e, err := c.Collect(context.Background(), p, known)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func advisories(t testing.TB, e scoring.Evidence) scoring.Advisories {
	t.Helper()
	a, known := e.Advisories.Get()
	if !known {
		t.Fatalf("the advisories are not known: %s %s", e.Advisories.Failure, e.Advisories.Settle)
	}
	return a
}

// ids writes advisories as "ID severity fixed".
func ids(list []scoring.Advisory) string {
	var out []string
	for _, a := range list {
		out = append(out, strings.TrimSpace(a.ID+" "+a.Severity+" "+a.Fixed))
	}
	return strings.Join(out, ", ")
}

func TestAdvisoriesOfADump(t *testing.T) {
	for form, dump := range map[string]string{"a directory": directory(t, fixtures()), "zip files": zipped(t, fixtures())} {
		e := collect(t, thirdparty.Options{Dump: dump}, project(), scoring.Evidence{})
		a := advisories(t, e)
		if a.Feed != "osv" || a.Published24m != 3 || !a.Newest.Equal(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: got %d of %q, the newest %v; want 3: two of one vulnerability count once, one of 2020, a withdrawn one, one of tomorrow and an attack do not", form, a.Published24m, a.Feed, a.Newest)
		}
		if got, want := ids(a.Deployed["9.2.1"]), "CVE-2026-0001 critical 9.2.2, PYSEC-2026-1 medium 9.2.5"; got != want {
			t.Errorf("%s: version 9.2.1 has %q, want %q", form, got, want)
		}
		if list, compared := a.Deployed["9.3.0"]; !compared || len(list) != 0 {
			t.Errorf("%s: version 9.3.0 has %v, want a known none", form, list)
		}
		for _, version := range []string{"9.2.1", "9.3.0"} {
			if got, want := ids(a.Unclear[version]), "CVE-2026-0009 critical"; got != want || a.Unclear[version][0].Why == "" {
				t.Errorf("%s: version %s may have %q, want %q with the reason: that one names commits only", form, version, got, want)
			}
		}
		if len(a.Gaps) != 0 {
			t.Errorf("%s: gaps %q, want none", form, a.Gaps)
		}
		f := e.Advisories
		if f.Grade != audit.GradeThirdParty || f.Lifetime != audit.Week || !f.ObservedAt.Equal(time.Date(2026, 6, 20, 0, 0, 0, 0, time.UTC)) || len(f.Origins) < 4 {
			t.Errorf("%s: got grade %s for a %s from %v with %d origins, want C for a week from the last change of the dump", form, f.Grade, f.Lifetime, f.ObservedAt, len(f.Origins))
		}
		for _, o := range f.Origins {
			if o.Digest == "" || strings.Contains(fmt.Sprint(o), dump) {
				t.Errorf("%s: origin %+v, want a digest and no path of this machine", form, o)
			}
		}
		private(t, e)
	}
}

// private holds that evidence names nobody.
func private(t testing.TB, e scoring.Evidence) {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Mustermann", "erika", "@example.org", "text that is not kept"} {
		if strings.Contains(string(data), text) {
			t.Errorf("the evidence holds %q", text)
		}
	}
}

func TestAFixInTheTagSparesAVersion(t *testing.T) {
	includes := func(_ context.Context, _ scoring.Project, commit, version string) (bool, bool) {
		return commit[0] == 'b' || commit[0] == 'c' && version == "9.3.0", true
	}
	a := advisories(t, collect(t, thirdparty.Options{Dump: directory(t, fixtures()), Includes: includes}, project(), scoring.Evidence{}))
	if got := ids(a.Unclear["9.3.0"]) + ids(a.Deployed["9.3.0"]); got != "" {
		t.Errorf("version 9.3.0 holds the fix, but has %q", got)
	}
	if got := ids(a.Unclear["9.2.1"]); got != "CVE-2026-0009 critical" {
		t.Errorf("version 9.2.1 lacks the fix and may hold it as another commit: got %q unclear", got)
	}
}

func TestDatabasesThatContradictEachOtherLeaveItOpen(t *testing.T) {
	files := fixtures()
	files["PyPI/GHSA-aaaa-bbbb-cccc.json"] = strings.ReplaceAll(files["PyPI/GHSA-aaaa-bbbb-cccc.json"], `"9.2.2"`, `"9.2.0"`)
	a := advisories(t, collect(t, thirdparty.Options{Dump: directory(t, files)}, project(), scoring.Evidence{}))
	if got := ids(a.Deployed["9.2.1"]); strings.Contains(got, "CVE-2026-0001") {
		t.Errorf("one database lists 9.2.1 and the other spares it, but it is called certain: %q", got)
	}
	if got := ids(a.Unclear["9.2.1"]); !strings.Contains(got, "CVE-2026-0001") {
		t.Errorf("got %q unclear, want CVE-2026-0001 among them", got)
	}
}

func TestDaysToTheFixedTag(t *testing.T) {
	known := scoring.Evidence{Releases: audit.Known(scoring.Releases{TagOf: map[string]scoring.Tag{"9.2.2": {Name: "v9.2.2", At: time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)}}})}
	o := thirdparty.Options{Dump: directory(t, fixtures())}
	a := advisories(t, collect(t, o, project(), known))
	if _, is := a.MedianDays.Get(); is || a.FixUnknown != 2 || !slices.Equal(a.FixDays, []int{10}) {
		t.Errorf("got days %v, %d unknown, median %+v; want one of 10 days, two unknown and no median", a.FixDays, a.FixUnknown, a.MedianDays)
	}
	o.TagTime = func(_ context.Context, _ scoring.Project, version string) (time.Time, bool) {
		return time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), version == "9.1.0"
	}
	files := fixtures()
	delete(files, "GIT/CVE-2026-0009.json")
	o.Dump = directory(t, files)
	a = advisories(t, collect(t, o, project(), known))
	if m, is := a.MedianDays.Get(); !is || m != 10 || !slices.Equal(a.FixDays, []int{0, 10}) {
		t.Errorf("got days %v, median %+v; want a fix before publication to count 0 days", a.FixDays, a.MedianDays)
	}
}

func TestWhatADumpDoesNotHoldIsAGap(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		p     func(*scoring.Project)
		gap   string
	}{
		"an ecosystem":            {fixtures(), func(p *scoring.Project) { p.Packages = append(p.Packages, "pkg:maven/org.example/example") }, "advisories of Maven"},
		"a record that is broken": {with(fixtures(), "PyPI/PYSEC-2026-6.json", `{"id": 7`), nil, "1 records of the dump"},
		"an unknown project": {fixtures(), func(p *scoring.Project) {
			p.Repo, p.Packages = "https://git.example.org/other/thing", nil
		}, "knows neither"},
	} {
		p := project()
		if c.p != nil {
			c.p(&p)
		}
		a := advisories(t, collect(t, thirdparty.Options{Dump: directory(t, c.files)}, p, scoring.Evidence{}))
		if len(a.Gaps) != 1 || !strings.Contains(a.Gaps[0], c.gap) {
			t.Errorf("%s: got gaps %q, want %q", name, a.Gaps, c.gap)
		}
	}
}

func with(files map[string]string, name, text string) map[string]string {
	files[name] = text
	return files
}

func TestModulesOfGoBelongToTheirRepository(t *testing.T) {
	entry := func(id, module string) string {
		return fmt.Sprintf(`{"id": %q, "modified": "2026-06-20T00:00:00Z", "published": "2026-01-01T00:00:00Z", %s,
			"affected": [{"package": {"ecosystem": "Go", "name": %q}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "3.5.1"}]}]}]}`, id, critical, module)
	}
	p := scoring.Project{ID: "x", Repo: "https://github.com/Example/X", Versions: []string{"v3.5.0"}}
	a := advisories(t, collect(t, thirdparty.Options{Dump: directory(t, map[string]string{
		"Go/GO-2026-0001.json": entry("GO-2026-0001", "github.com/example/x/v3"), "Go/GO-2026-0002.json": entry("GO-2026-0002", "github.com/example/x/client"),
		"Go/GO-2026-0003.json": entry("GO-2026-0003", "github.com/example/xy"),
	})}, p, scoring.Evidence{}))
	if got := ids(a.Deployed["v3.5.0"]); got != "GO-2026-0001 critical 3.5.1" {
		t.Errorf("got %q, want the advisory of the module with a major version", got)
	}
	if got := ids(a.Unclear["v3.5.0"]); got != "GO-2026-0002 critical 3.5.1" {
		t.Errorf("got %q unclear, want that of the client, whose versions are its own", got)
	}
}

// ossaFixture has the shape of the files below ossa in openstack/ossa.
const ossaFixture = `date: 2026-02-01
id: OSSA-2026-001
title: Something
description: >
  Erika Mustermann found it.
affected-products:
  - product: example, python-exampleclient
    version: '<9.2.2, >=10.0.0 <10.0.1'
vulnerabilities:
  - cve-id: CVE-2026-0001
reporters:
  - name: Erika Mustermann
    affiliation: Example GmbH
    reported: [CVE-2026-0001]
`

func TestAdvisoriesOfOpenStack(t *testing.T) {
	dir := directory(t, map[string]string{"OSSA-2026-001.yaml": ossaFixture, "README.rst": "none"})
	p := scoring.Project{ID: "example", Repo: "https://opendev.org/openstack/example", Versions: []string{"9.2.1", "10.0.1"}}
	e := collect(t, thirdparty.Options{OSSA: dir}, p, scoring.Evidence{})
	a := advisories(t, e)
	if got := ids(a.Deployed["9.2.1"]); a.Feed != "ossa" || got != "OSSA-2026-001 unknown 9.2.2" {
		t.Errorf("got %q by %s, want OSSA-2026-001", got, a.Feed)
	}
	if len(a.Deployed["10.0.1"]) != 0 || !slices.Contains(a.Gaps, "OSV") {
		t.Errorf("got %v for 10.0.1, gaps %q; want none, and OSV not read", a.Deployed["10.0.1"], a.Gaps)
	}
	private(t, e)

	files := fixtures()
	p.Packages = []string{"pkg:pypi/example"}
	a = advisories(t, collect(t, thirdparty.Options{OSSA: dir, Dump: directory(t, files)}, p, scoring.Evidence{}))
	if got := ids(a.Deployed["9.2.1"]); !strings.Contains(got, "OSSA-2026-001 critical 9.2.2") || strings.Contains(got, "CVE-2026-0001") || a.Feed != "osv, ossa" {
		t.Errorf("got %q by %s, want one vulnerability under OpenStack's name with the severity of OSV", got, a.Feed)
	}
	if other := collect(t, thirdparty.Options{OSSA: dir}, project(), scoring.Evidence{}); other.Advisories.Unknown() != audit.MISS {
		t.Errorf("a project that is none of OpenStack's: got %+v, want that nobody looked", other.Advisories)
	}
}

func TestNobodyLooksWithoutADumpAndWithoutTheService(t *testing.T) {
	e := collect(t, thirdparty.Options{}, project(), scoring.Evidence{})
	for name, f := range map[string]struct {
		outcome audit.Outcome
		settle  string
	}{
		"advisories": {e.Advisories.Unknown(), e.Advisories.Settle}, "badge": {e.Badge.Unknown(), e.Badge.Settle}, "packaging": {e.Packaging.Unknown(), e.Packaging.Settle},
		"dependents": {e.Dependents.Unknown(), e.Dependents.Settle}, "scorecard": {e.Scorecard.Unknown(), e.Scorecard.Settle},
	} {
		if f.outcome != audit.MISS || !strings.HasPrefix(f.settle, "switch on the service ") {
			t.Errorf("%s: got %v, settle %q; want MISS and the name of the switch", name, f.outcome, f.settle)
		}
	}
}

func TestADumpIsReadAsFarAsIsSafe(t *testing.T) {
	large := `{"id": "PYSEC-2026-7", "details": "` + strings.Repeat("a", 17<<20) + `"}`
	dump := zipped(t, with(fixtures(), "PyPI/PYSEC-2026-7.json", large))
	secret := directory(t, map[string]string{"PYSEC-2026-8.json": fixtures()["PyPI/PYSEC-2026-5.json"]})
	if err := os.Symlink(filepath.Join(secret, "PYSEC-2026-8.json"), filepath.Join(dump, "PYSEC-2026-8.json")); err != nil {
		t.Fatal(err)
	}
	a := advisories(t, collect(t, thirdparty.Options{Dump: dump}, project(), scoring.Evidence{}))
	if a.Published24m != 3 || len(a.Gaps) != 1 || !strings.Contains(a.Gaps[0], "1 records") {
		t.Errorf("got %d advisories, gaps %q; want 3, and one record that is too large", a.Published24m, a.Gaps)
	}
}

func TestADumpThatVanishesNamesNoPathOfThisMachine(t *testing.T) {
	dump := directory(t, fixtures())
	c, err := thirdparty.New(thirdparty.Options{At: today, Dump: dump})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Collect(context.Background(), project(), scoring.Evidence{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dump); err != nil {
		t.Fatal(err)
	}
	e, err := c.Collect(context.Background(), project(), scoring.Evidence{})
	if err != nil || e.Advisories.Unknown() != audit.DNF || strings.Contains(e.Advisories.Failure, dump) {
		t.Errorf("got %v, %+v; want DNF without the path", err, e.Advisories)
	}
}

func TestADumpSpeaksUntilItWasFetched(t *testing.T) {
	fetched := today.AddDate(0, 0, -2)
	e := collect(t, thirdparty.Options{Dump: directory(t, fixtures()), DumpAt: fetched}, project(), scoring.Evidence{})
	if !e.Advisories.ObservedAt.Equal(fetched) || e.Advisories.Fresh(today).Unknown() != audit.PASS || e.Advisories.Fresh(today.AddDate(0, 0, 30)).Unknown() != audit.DNF {
		t.Errorf("got %v, want %v and the week after from there", e.Advisories.ObservedAt, fetched)
	}
}

func TestADumpThatIsNoneIsToldAtOnce(t *testing.T) {
	broken := directory(t, map[string]string{"PyPI/all.zip": "no zip"})
	for name, path := range map[string]string{"missing": filepath.Join(broken, "nowhere"), "empty": t.TempDir(), "broken": broken} {
		if _, err := thirdparty.New(thirdparty.Options{At: today, Dump: path}); err == nil || !strings.Contains(err.Error(), "opening the dump of OSV") {
			t.Errorf("%s: got %v, want an error that says what was opened", name, err)
		}
	}
	if _, err := thirdparty.New(thirdparty.Options{At: today, OSSA: broken}); err == nil || !strings.Contains(err.Error(), "openstack/ossa") {
		t.Errorf("got %v for a directory without advisories, want an error that says which to give", err)
	}
	if _, err := thirdparty.New(thirdparty.Options{}); err == nil {
		t.Error("got no error without the moment of assessment")
	}
}

func TestProjectsCanBeCollectedAtOnce(t *testing.T) {
	c, err := thirdparty.New(thirdparty.Options{At: today, Dump: zipped(t, fixtures()), OSSA: directory(t, map[string]string{"OSSA-2026-001.yaml": ossaFixture})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	results := make([]string, 16)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			p := project()
			p.Repo = "https://opendev.org/openstack/example"
			e, err := c.Collect(context.Background(), p, scoring.Evidence{})
			data, _ := json.Marshal(e)
			results[i] = fmt.Sprint(string(data), err)
		})
	}
	all.Wait()
	for _, got := range results[1:] {
		if got != results[0] {
			t.Fatalf("got\n%s\nand\n%s", results[0], got)
		}
	}
}
