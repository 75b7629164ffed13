package gitlog

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// rich is a history in which every fact needs trees of the past: licences below LICENSES, proposals, a roadmap that was
// last changed long ago, a merged branch, and a directory that nobody needs.
func rich() *repo {
	r := newRepo()
	one := r.commit(testCommit{when: at(2000), files: map[string]string{
		"LICENSES/one.txt": "MIT x", "ROADMAP.md": "old", "doc/roadmap.rst": "older", "specs/a.rst": "a", ".mailmap": "Ana Ito <ana@redhat.com> <a@b.example>\n",
	}})
	for i := range 40 {
		r.commit(testCommit{when: at(1900 - i*40), files: map[string]string{fmt.Sprintf("deep/%d/x/y.c", i): "x", "main.c": fmt.Sprint(i)}})
	}
	r.commit(testCommit{when: at(290), files: map[string]string{"LICENSES/one.txt": "", "LICENSES/two.txt": "Apache-2.0 x"}})
	side := r.commit(testCommit{branch: "side", from: one, when: at(250), files: map[string]string{"specs/b.rst": "b"}})
	r.commit(testCommit{when: at(240), merge: []int{side}, files: map[string]string{"specs/b.rst": "b"}, message: "Merge side"})
	r.commit(testCommit{when: at(100), files: map[string]string{"specs/a.rst": "a2", "SECURITY.md": "Report vulnerabilities."}})
	r.commit(testCommit{when: at(5), author: "A <a@b.example>", files: map[string]string{"main.c": "last"}})
	r.tag("v1.0.0", one, at(1999), false)
	return r
}

func TestACloneWithoutTreesGivesTheSameFactsInFewRequests(t *testing.T) {
	s := serve(t, rich())
	cache := t.TempDir()
	remote := overHTTP(t, s, Options{CacheDir: cache})
	if n := s.requests.Load(); n > 40 {
		t.Errorf("got %d requests, want at most 40 for about 50 commits", n)
	}
	c := newCollector(t, Options{Offline: true})
	found, err := findClone(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.read(context.Background(), scoring.Evidence{Schema: scoring.EvidenceSchema, Project: "sample", Repo: s.url, AssessedAt: now}, source{clone: found}, "", []string{"1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	want.SeenUntil, remote.SeenUntil = now, now
	got := asJSON(t, unseen(wholeOnly(remote)))
	if want := asJSON(t, unseen(wholeOnly(want))); got != want {
		t.Errorf("facts differ:\n%s", difference(got, want))
	}
	if states, _ := remote.LicenceHistory.Get(); len(states) != 2 {
		t.Errorf("got %d licence states, want 2", len(states))
	}
	tree := treeOf(t, remote)
	if n, ok := tree.ProposalsChanged12m.Get(); !ok || n != 2 {
		t.Errorf("got %d proposals changed, %v; want 2", n, tree.ProposalsChanged12m.Failure)
	}
	if last, ok := tree.RoadmapChanged.Get(); !ok || last.Unix() != at(2000) {
		t.Errorf("got roadmap of %s, want the first commit", last)
	}
	missing := runGit(t, "", "--git-dir="+clonesIn(t, cache)[0], "rev-list", "--objects", "--missing=print", "HEAD")
	if n := strings.Count(missing, "\n?"); n < 30 {
		t.Errorf("got %d missing objects, want a clone that lacks what nobody needed", n)
	}
}

// unseen leaves out until when the clones could speak, which differs.
func unseen(e scoring.Evidence) scoring.Evidence {
	e.SeenUntil = now
	return graded(e)
}

func TestAServerThatRefusesTheFilterForTreesIsAskedForAllTrees(t *testing.T) {
	s := serve(t, rich())
	runGit(t, "", "--git-dir="+s.dir, "config", "uploadpackfilter.tree.allow", "false")
	cache := t.TempDir()
	e := overHTTP(t, s, Options{CacheDir: cache})
	if e.Failure != "" || treeOf(t, e).RoadmapChanged.Value == nil {
		t.Errorf("got %q, want all facts", e.Failure)
	}
	if states, ok := e.LicenceHistory.Get(); !ok || len(states) != 2 {
		t.Errorf("got %d licence states, %q; want 2", len(states), e.LicenceHistory.Failure)
	}
}

func TestWhatAnOfflineCloneLacksIsAReasonAndNotAZero(t *testing.T) {
	s := serve(t, rich())
	cache := t.TempDir()
	c := newCollector(t, Options{CacheDir: cache, Protocols: []string{"http"}})
	if _, err := c.cached(context.Background(), s.url); err != nil { // a clone that nobody has read yet
		t.Fatal(err)
	}
	e := overHTTP(t, s, Options{CacheDir: cache, Offline: true})
	if _, ok := e.Tree.Get(); ok || e.Tree.Failure == "" {
		t.Errorf("tree: got %+v, want a reason", e.Tree)
	}
	if e.LicenceHistory.Value != nil || e.LicenceHistory.Failure == "" {
		t.Errorf("licence history: got %+v, want a reason", e.LicenceHistory)
	}
	if e.Licences["1.0.0"].Value != nil || e.Licences["1.0.0"].Failure == "" {
		t.Errorf("licences at the tag: got %+v, want a reason", e.Licences["1.0.0"])
	}
	if e.Versions["1.0.0"].Value != nil || e.Versions["1.0.0"].Failure == "" {
		t.Errorf("files at the tag: got %+v, want a reason", e.Versions["1.0.0"])
	}
}

func TestAnOpenPartialCloneFetchesFilesInOneRequest(t *testing.T) {
	s := serve(t, rich())
	c := newCollector(t, Options{CacheDir: t.TempDir(), Protocols: []string{"http"}})
	ctx := context.Background()
	clone, err := c.Open(ctx, scoring.Project{ID: "sample", Repo: s.url}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer clone.Close()
	files, err := clone.Files(ctx)
	if err != nil || len(files) < 40 {
		t.Fatalf("Files: %d, %v", len(files), err)
	}
	var ids []string
	for _, f := range files {
		if f.Size >= 0 {
			t.Errorf("%s: size %d, want -1 for a file that the clone lacks", f.Path, f.Size)
		}
		ids = append(ids, f.ID)
	}
	if _, err := clone.Read(ctx, ids[0], 1<<20); err != nil { // starts git before the files are there
		t.Fatal(err)
	}
	before := s.requests.Load()
	if err := clone.Fetch(ctx, ids); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := clone.Read(ctx, f.ID, 1<<20); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	if n := s.requests.Load() - before; n > 3 {
		t.Errorf("got %d HTTP requests, want those of one fetch", n)
	}
	if commits, err := clone.Commits(ctx, 1); err != nil || len(commits) != 1 || commits[0].Author != "ana@redhat.com" {
		t.Errorf("got %+v, %v; want the newest commit with the mailmap applied", commits, err)
	}
}
