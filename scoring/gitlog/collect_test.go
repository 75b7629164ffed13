package gitlog

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// files returns a repository with one commit that holds these files.
func filesRepo(files map[string]string) *repo {
	r := newRepo()
	r.commit(testCommit{when: at(10), files: files})
	return r
}

func pathsOf(docs []scoring.Document) []string {
	var out []string
	for _, d := range docs {
		out = append(out, d.Path)
	}
	return out
}

func TestDocumentsAreFoundByTopicInTheWholeTree(t *testing.T) {
	tree := treeOf(t, collect(t, filesRepo(map[string]string{
		"GOVERNANCE.md": "who decides", "docs/Charter.rst": "x", "CODEOWNERS": "* @x", "code_of_conduct.md": "be kind", ".github/CONTRIBUTING.md": "Signed-off-by",
		"Documentation/internals/security.rst": "Report a vulnerability to security@example.org within 7 days.",
		"doc/admin/security.rst":               "How to switch on TLS.",
		"ROADMAP.md":                           "soon", "releasenotes/notes/a-1.yaml": "x", "releasenotes/notes/b-2.yaml": "x", "ADOPTERS": "a", "doc/users.rst": "how to add users",
		"NOTICE": "n", "DCO": "Developer Certificate of Origin", ".github/FUNDING.yml": "x", "sbom.spdx.json": "{}",
		"doc/release-process.rst": "A release is supported for 18 months.", "doc/support.rst": "Buttons that are nice.",
		"vendor/lib/SECURITY.md": "theirs", "pkg/security.go": "package pkg",
	})))
	got := map[string][]string{}
	for topic, docs := range tree.Documents {
		got[topic] = pathsOf(docs)
	}
	want := map[string][]string{
		"governance": {"GOVERNANCE.md", "docs/Charter.rst"}, "maintainers": {"CODEOWNERS"}, "code-of-conduct": {"code_of_conduct.md"},
		"contributing": {".github/CONTRIBUTING.md"}, "security": {"Documentation/internals/security.rst"}, "roadmap": {"ROADMAP.md"},
		"changelog": {"releasenotes/notes"}, "adopters": {"ADOPTERS"}, "notice": {"NOTICE"}, "dco": {"DCO"}, "funding": {".github/FUNDING.yml"},
		"sbom": {"sbom.spdx.json"}, "maintenance-policy": {"doc/release-process.rst"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	doc := tree.Documents["security"][0]
	if want := []string{"private-channel", "days:7"}; !slices.Equal(doc.Marks, want) || doc.Words != 8 || doc.Digest == "" {
		t.Errorf("security document: got %+v, want marks %v, 8 words and a digest", doc, want)
	}
	if tree.RoadmapChanged.Value == nil || !tree.RoadmapChanged.Value.Equal(time.Unix(at(10), 0)) {
		t.Errorf("roadmap: got %v, want the day of the commit", tree.RoadmapChanged)
	}
}

func TestToolsAreFoundByPathAndByContents(t *testing.T) {
	tree := treeOf(t, collect(t, filesRepo(map[string]string{
		".zuul.yaml": "- project:\n    gate:\n      jobs:\n        - openstack-tox-py312\n        - keystone-tempest-full\n",
		"tox.ini":    "[testenv:pep8]\ncommands = bandit -r x\n[testenv]\ndeps = -c{env:TOX_CONSTRAINTS_FILE}\n", ".gitreview": "[gerrit]\nhost=review.example.org\nproject=sample/sample.git\n",
		".github/workflows/codeql.yml": "uses: github/codeql-action/init", ".github/dependabot.yml": "version: 2", "parser_test.go": "package x\nfunc FuzzParse(f *testing.F) {}\n",
		"test/oss-fuzz/target.c": "int x;", "specs/one.rst": "A proposal", "specs/README.rst": "index", "conformance/suite.go": "package c", "vendor/x/.golangci.yml": "gosec",
	})))
	got := map[string][]string{}
	for topic, docs := range tree.Tools {
		for _, d := range docs {
			got[topic] = append(got[topic], d.Path+" "+strings.Join(d.Marks, ","))
		}
	}
	want := map[string][]string{
		"ci":                {".zuul.yaml tests", ".github/workflows/codeql.yml "},
		"gate":              {".zuul.yaml zuul-gate"},
		"sast":              {"tox.ini bandit", ".github/workflows/codeql.yml codeql"},
		"dependency-update": {"tox.ini openstack-requirements", ".github/dependabot.yml "},
		"fuzzing":           {"test/oss-fuzz files:1", "parser_test.go go-fuzz"},
		"mirror":            {".gitreview "},
		"proposals":         {"specs files:1"},
		"conformance":       {"conformance files:1", ".zuul.yaml tempest"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "review.example.org/sample/sample"; tree.GerritProject != want {
		t.Errorf("gerrit project: got %q, want %q", tree.GerritProject, want)
	}
}

func TestFilesAreCountedByKind(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(10), modes: map[string]string{"bin/tool": "100755", "bin/run": "100755"}, files: map[string]string{
		"a.go": "// SPDX-License-Identifier: MIT\npackage a", "b.py": "x = 1", "c.c": strings.Repeat("x", 5000) + "SPDX-License-Identifier: MIT",
		"tests/test_b.py": "# SPDX-License-Identifier: MIT", "a_test.go": "package a", "vendor/v.go": "package v", "README.md": "See https://docs.example.org/x and http://EXAMPLE.com.",
		"lib/x.so": "\x7fELF\x02", "lib/fake.so": "text", "bin/tool": "\x7fELF\x02", "bin/run": "#!/bin/sh\n", "x.jar": "PK\x03\x04", "REUSE.toml": "version = 1",
		"link": "->/etc/passwd", "sub": "@",
	}})
	tree := treeOf(t, collect(t, r))
	type counts struct {
		Files, Sources, Tests, Headers, BinaryCount int
		Binaries, Hosts                             []string
		REUSE                                       bool
	}
	headers, _ := tree.SPDXHeaders.Get()
	got := counts{tree.Files, tree.SourceFiles, tree.TestFiles, headers, tree.BinaryCount, tree.Binaries, tree.ReadmeLinks, tree.REUSE}
	want := counts{13, 5, 2, 2, 3, []string{"bin/tool", "lib/x.so", "x.jar"}, []string{"docs.example.org", "example.com"}, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProposalsChangedInAYearAreCountedOnce(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(500), files: map[string]string{"specs/old.rst": "1", "specs/both.rst": "1", "a": "1"}})
	r.commit(testCommit{when: at(100), files: map[string]string{"specs/both.rst": "2", "specs/\xff.rst": "1"}})
	r.commit(testCommit{when: at(50), files: map[string]string{"specs/both.rst": "3", "specs/index.rst": "x"}})
	r.commit(testCommit{when: at(5), files: map[string]string{"a": "2"}})
	if got, ok := treeOf(t, collect(t, r)).ProposalsChanged12m.Get(); !ok || got != 2 {
		t.Errorf("got %d, %v, want 2 files", got, ok)
	}
	fact := treeOf(t, collect(t, filesRepo(map[string]string{"a": "1"}))).ProposalsChanged12m
	if fact.Unknown() != audit.DNF || fact.Settle == "" {
		t.Errorf("without a directory: got %+v, want unknown with what would settle it", fact)
	}
}

func TestReleasesAreCountedPerCommit(t *testing.T) {
	r := newRepo()
	old := r.commit(testCommit{when: at(900), files: map[string]string{"a": "0"}})
	one := r.commit(testCommit{when: at(300), files: map[string]string{"a": "1"}})
	two := r.commit(testCommit{when: at(200), files: map[string]string{"a": "2"}})
	three := r.commit(testCommit{when: at(100), files: map[string]string{"a": "3"}})
	branch := r.commit(testCommit{branch: "stable/2025.1", from: one, when: at(20), files: map[string]string{"a": "1.1"}})
	r.commit(testCommit{branch: "stable/2025.1", when: at(-3), files: map[string]string{"a": "1.2"}})
	r.commit(testCommit{branch: "feature", from: one, when: at(19)})
	r.commit(testCommit{when: at(1)})
	r.tag("v1.0.0", old, at(899), true)
	r.tag("v1.1.0", one, at(299), true)
	r.ref("refs/tags/api/v1.1.0", one)
	r.ref("refs/tags/v1.1.1", branch)
	r.tag("v1.2.0-rc1", two, at(199), true)
	r.tag("v1.2.0", three, at(99), false)
	r.tag("v2.0.0", three, at(-2), false)
	r.tag("zed-eol", two, at(150), false)
	r.tag("yoga-eom", two, at(160), false)
	r.ref("refs/tags/pike-em", one)
	r.ref("refs/tags/nightly", two)
	got := releasesIn(t, collect(t, r, "1.1.0", "1.2", "2025.1", "9.9.9"))
	want := scoring.Releases{
		Releases24m: 3, Signed24m: 1, Annotated24m: 1, Lightweight24m: 1, LastVersion: "v1.1.1", LastRelease: time.Unix(at(20), 0).UTC(),
		Tags:    scoring.TagCounts{Releases: 4, Twins: 1, Prereleases: 1, EOL: 1, EOM: 1, EM: 1, Other: 1, Signed: 2, Annotated: 1, Lightweight: 2},
		Past:    []int{0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 2, 3}, // one 899 days ago, three in the last 12 months
		EOLTags: []string{"zed-eol", "yoga-eom", "pike-em"},
		Ends: []scoring.EndTag{
			{Name: "zed-eol", Kind: "eol", At: time.Unix(at(150), 0).UTC()}, {Name: "yoga-eom", Kind: "eom", At: time.Unix(at(160), 0).UTC()},
			{Name: "pike-em", Kind: "em", At: time.Unix(at(300), 0).UTC()},
		},
		StableBranches: []scoring.Branch{{Name: "stable/2025.1", Last: time.Unix(at(20), 0).UTC()}},
	}
	tags := got.TagOf
	got.TagOf = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	names := map[string]string{}
	for version, tag := range tags {
		names[version] = tag.Name
	}
	if diff := cmp.Diff(map[string]string{"1.1.0": "v1.1.0", "1.2": "v1.2.0", "2025.1": "v1.1.1"}, names); diff != "" {
		t.Errorf("tags of deployed versions (-want +got):\n%s", diff)
	}
}

func TestLicencesAreReadAtEachDeployedVersion(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(3000), files: map[string]string{"LICENSE": "Apache-2.0 text"}})
	two := r.commit(testCommit{when: at(100), files: map[string]string{"LICENSE": "BUSL-1.1 text", "ee/LICENSE": "BUSL-1.1 text", "docs/LICENSE": "MIT text", "pkg/COPYING": "strange"}})
	r.commit(testCommit{when: at(50), files: map[string]string{"LICENSE": "", "LICENSE-MIT": "MIT text", "LICENSE-APACHE": "Apache-2.0 text", "README.md": "Licensed under either of MIT or Apache-2.0 at your option."}})
	r.commit(testCommit{when: at(40), files: map[string]string{"LICENSE-MIT": "MIT text, another year"}})
	r.tag("v1.0.0", one, at(3000), false)
	r.tag("v2.0.0", two, at(100), false)
	e := collect(t, r, "1.0.0", "2.0.0", "3.0.0")
	got := map[string]string{}
	for version, fact := range e.Licences {
		if facts, ok := fact.Get(); ok {
			got[version] = facts.Expression
		} else {
			got[version] = fact.Failure
		}
	}
	want := map[string]string{"": "Apache-2.0 OR MIT", "1.0.0": "Apache-2.0", "2.0.0": "BUSL-1.1", "3.0.0": `no tag fits version "3.0.0"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var states []string
	history, _ := e.LicenceHistory.Get()
	for _, s := range history {
		states = append(states, s.From.Format(time.DateOnly)+" "+s.Expression)
	}
	wantStates := []string{time.Unix(at(3000), 0).UTC().Format(time.DateOnly) + " Apache-2.0", "2026-03-23 BUSL-1.1", "2026-05-12 Apache-2.0 OR MIT"}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states over five years (-want +got):\n%s", diff)
	}
	var sub []string
	for _, s := range treeOf(t, e).SubLicences {
		text := s.Path + " " + s.Expression
		if s.Vendored {
			text += " vendored"
		}
		if s.Product {
			text += " product"
		}
		sub = append(sub, text)
	}
	if diff := cmp.Diff([]string{"ee/LICENSE BUSL-1.1 product", "docs/LICENSE MIT vendored", "pkg/COPYING "}, sub); diff != "" {
		t.Errorf("licences below the root (-want +got):\n%s", diff)
	}
}

func TestAnUnknownLicenceTextIsMarkedAndNotGuessed(t *testing.T) {
	e := collect(t, filesRepo(map[string]string{"COPYING": "our own terms"}))
	facts, ok := e.Licences[""].Get()
	if !ok || facts.Expression != "" || len(facts.Files) != 1 || !slices.Equal(facts.Files[0].Marks, []string{"unrecognised"}) {
		t.Errorf("got %+v, %v; want one file with the mark unrecognised and no expression", facts, ok)
	}
	c := newCollector(t, Options{Mirrors: []string{filesRepo(map[string]string{"LICENSE": "MIT"}).mirror(t)}, Offline: true})
	c.options.Classify = nil
	if fact := mustCollect(t, c, "1.0").Licences[""]; fact.Unknown() != audit.DNF {
		t.Errorf("without a classifier: got %+v, want unknown", fact)
	}
}

func TestReadTextsAreKeptByDigestOnly(t *testing.T) {
	var lock sync.Mutex
	kept := map[string]audit.Blob{}
	c := newCollector(t, Options{
		Mirrors: []string{filesRepo(map[string]string{"LICENSE": "MIT x", "SECURITY.md": "Report vulnerabilities.", "a.go": "package a", "README": "x"}).mirror(t)}, Offline: true,
		Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			lock.Lock()
			defer lock.Unlock()
			kept[b.Name] = b
			return audit.DigestOf(b.Data), nil
		},
	})
	e := mustCollect(t, c)
	var names []string
	for name, b := range kept {
		names = append(names, name)
		if b.Kind != "raw" || b.Withheld != "third-party text" || b.Source != sampleURL || b.Origin.Commit != e.Revision || b.Origin.Path != name || b.Origin.Digest != audit.DigestOf(b.Data) {
			t.Errorf("%s: got %+v, want a withheld raw blob with commit, path and digest", name, b.Origin)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"LICENSE", "README", "SECURITY.md"}, names); diff != "" {
		t.Errorf("source files are no evidence (-want +got):\n%s", diff)
	}
}

func TestThePastIsCutAtTheMomentOfAssessment(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(100), files: map[string]string{"LICENSE": "MIT x"}})
	r.commit(testCommit{when: at(50), author: ben, files: map[string]string{"LICENSE": "BUSL-1.1 x", "SECURITY.md": "x"}})
	c := newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true, At: now.AddDate(0, 0, -60)})
	e := mustCollect(t, c)
	facts, _ := e.Licences[""].Get()
	h := historyOf(t, e)
	if facts.Expression != "MIT" || h.CommitsEver != 1 || len(treeOf(t, e).Documents["security"]) != 0 {
		t.Errorf("got licence %q, %d commits, documents %v; want the state of that day", facts.Expression, h.CommitsEver, treeOf(t, e).Documents)
	}
	c = newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true, At: now.AddDate(-5, 0, 0)})
	if got, want := mustCollect(t, c).Failure, "no commit before the date of assessment"; got != want {
		t.Errorf("before the first commit: got %q, want %q", got, want)
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	r := random(3, 200)
	mirrors := r.mirror(t)
	one := asJSON(t, mustCollect(t, newCollector(t, Options{Mirrors: []string{mirrors}, Offline: true}), "1", "2"))
	two := asJSON(t, mustCollect(t, newCollector(t, Options{Mirrors: []string{mirrors}, Offline: true, CacheDir: t.TempDir()}), "2", "1"))
	if one != two {
		t.Errorf("two runs differ:\n%s\n%s", one, two)
	}
}

func TestEvidenceHoldsNothingPersonalAndNoPath(t *testing.T) {
	r := counted()
	r.tag("v1.0.0", 1, at(2000), true)
	r.commit(testCommit{when: at(2), files: map[string]string{
		"MAINTAINERS": "Canary Person <canary@canary-address.example> @canarylogin", "SECURITY.md": "Write to canary@canary-address.example", "CODEOWNERS": "* @canarylogin", "README": "By Canary Person",
	}})
	mirrors := r.mirror(t)
	text := asJSON(t, mustCollect(t, newCollector(t, Options{Mirrors: []string{mirrors}, Offline: true, CacheDir: t.TempDir()}), "1.0.0"))
	for _, secret := range []string{"@", "canary-address", "Canary", "canarylogin", "Ana", "Ben Oku", "Cleo", "dina", mirrors, filepath.Dir(mirrors)} {
		if strings.Contains(text, secret) {
			t.Errorf("the evidence contains %q", secret)
		}
	}
}

func TestRepositoryReadsAPathAtARevision(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(40), files: map[string]string{"LICENSE": "MIT x"}})
	r.commit(testCommit{when: at(10), files: map[string]string{"LICENSE": "BUSL-1.1 x"}})
	r.tag("v1.0.0", one, at(40), false)
	r.commit(testCommit{branch: "topic", from: one, when: at(9)})
	dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
	work := filepath.Join(t.TempDir(), "work")
	runGit(t, "", "clone", "--quiet", "file://"+dir, work)
	c := newCollector(t, Options{Offline: true})
	full := mustRepository(t, c, dir, "").Revision
	for _, row := range []struct{ name, path, rev, want string }{
		{"a bare clone", dir, "", "BUSL-1.1"}, {"a work tree", work, "", "BUSL-1.1"}, {"its .git directory", filepath.Join(work, ".git"), "", "BUSL-1.1"},
		{"a tag", dir, "v1.0.0", "MIT"}, {"a branch", dir, "topic", "MIT"}, {"a branch of the remote", work, "topic", "MIT"}, {"a full ref", dir, "refs/heads/master", "BUSL-1.1"},
		{"HEAD", dir, "HEAD", "BUSL-1.1"}, {"a commit", dir, full, "BUSL-1.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := mustRepository(t, c, row.path, row.rev)
			facts, _ := e.Licences[""].Get()
			if facts.Expression != row.want || e.Repo != "local clone" || e.Project != "local clone" {
				t.Errorf("got %q about %q (%q), want %q about a local clone", facts.Expression, e.Repo, e.Failure, row.want)
			}
		})
	}
}

func mustRepository(t *testing.T, c *Collector, path, rev string) scoring.Evidence {
	t.Helper()
	e, err := c.Repository(context.Background(), path, rev)
	if err != nil {
		t.Fatalf("Repository: %v", err)
	}
	return e
}

func TestWrongRepositoriesAndRevisionsAreErrorsWithARemedy(t *testing.T) {
	dir := filesRepo(map[string]string{"a": "1"}).build(t, filepath.Join(t.TempDir(), "r.git"))
	empty := t.TempDir()
	c := newCollector(t, Options{Offline: true})
	for _, row := range []struct{ name, path, rev, want string }{
		{"an empty directory", empty, "", "not a git repository; give the directory of a clone, bare or not, or a URL"},
		{"no directory", filepath.Join(empty, "none"), "", "not a git repository"},
		{"an unknown revision", dir, "v9", `revision "v9" not found; give a branch, a tag or a full commit id`},
		{"a revision that looks like an option", dir, "--output=x", "not found"},
		{"a revision expression", dir, "master~1", "not found"},
		{"another protocol", "ssh://h.example/a/b", "", `protocol "ssh" is not allowed; allowed: https`},
	} {
		_, err := c.Repository(context.Background(), row.path, row.rev)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}

func TestTheRemoteOfALocalCloneIsItsOrigin(t *testing.T) {
	dir := filesRepo(map[string]string{"a": "1"}).build(t, filepath.Join(t.TempDir(), "r.git"))
	runGit(t, "", "--git-dir="+dir, "config", "remote.origin.url", "https://user:tok@git.example.org/a/b.git")
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if want := "https://git.example.org/a/b.git"; e.Repo != want || e.Project != want || strings.Contains(asJSON(t, e), "tok") {
		t.Errorf("got %q, want %q and no password", e.Repo, want)
	}
}

func TestAMirrorOfAnotherProjectIsNotTaken(t *testing.T) {
	mirrors := t.TempDir()
	dir := filesRepo(map[string]string{"a": "1"}).build(t, filepath.Join(mirrors, "sample"))
	c := newCollector(t, Options{Mirrors: []string{mirrors}, Offline: true})
	if e := mustCollect(t, c); e.Failure != "" {
		t.Errorf("a directory of the right name: got %q, want it taken", e.Failure)
	}
	runGit(t, "", "--git-dir="+dir, "config", "remote.origin.url", "https://git.example.org/other/thing")
	if got, want := mustCollect(t, c).Failure, "no local clone and offline"; got != want {
		t.Errorf("a clone of something else: got %q, want %q", got, want)
	}
	runGit(t, "", "--git-dir="+dir, "config", "remote.origin.url", "https://mirror.example.net/Sample/sample.git")
	if e := mustCollect(t, c); e.Failure != "" {
		t.Errorf("a mirror on another host: got %q, want it taken", e.Failure)
	}
}

func TestWithoutACloneTheReasonAndTheRemedyAreGiven(t *testing.T) {
	for _, row := range []struct {
		name    string
		options Options
		want    string
	}{
		{"offline", Options{Offline: true}, "no local clone and offline"},
		{"offline with an empty cache", Options{Offline: true, CacheDir: t.TempDir()}, "no local clone and offline"},
		{"without a cache", Options{}, "no local clone, and no cache directory to clone into"},
	} {
		e := mustCollect(t, newCollector(t, row.options))
		if e.Failure != row.want || e.Settle == "" || e.History.Unknown() != audit.MISS {
			t.Errorf("%s: got %q, %q; want %q and what would settle it", row.name, e.Failure, e.Settle, row.want)
		}
	}
	e, err := newCollector(t, Options{Offline: true}).Collect(context.Background(), scoring.Project{ID: "x"}, scoring.Evidence{})
	if err != nil || e.Failure != "the project has no address of a repository" {
		t.Errorf("without an address: got %q, %v", e.Failure, err)
	}
}

func TestAnEndedContextEndsTheRun(t *testing.T) {
	c := newCollector(t, Options{Mirrors: []string{random(1, 50).mirror(t)}, Offline: true})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Collect(ctx, scoring.Project{ID: "x", Repo: sampleURL}, scoring.Evidence{}); err == nil {
		t.Error("got no error from an ended context")
	}
}

func TestAShallowCloneSaysSo(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(500), author: ben})
	r.commit(testCommit{when: at(5)})
	full := r.build(t, filepath.Join(t.TempDir(), "full.git"))
	dir := filepath.Join(t.TempDir(), "shallow.git")
	runGit(t, "", "clone", "--quiet", "--bare", "--depth=1", "file://"+full, dir)
	h := historyOf(t, mustRepository(t, newCollector(t, Options{Offline: true}), dir, ""))
	if !h.Shallow || h.CommitsEver != 1 {
		t.Errorf("got shallow %v with %d commits, want true with 1", h.Shallow, h.CommitsEver)
	}
}
