package gitlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// opened opens the sample project.
func opened(t *testing.T, r *repo, revision string) *Clone {
	t.Helper()
	c := newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true})
	clone, err := c.Open(context.Background(), scoring.Project{ID: "sample", Repo: sampleURL}, revision)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := clone.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return clone
}

func TestAnOpenCloneListsRegularFilesWithTheirSizes(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(9), files: map[string]string{
		"a.go": "package a\n", "link": "->a.go", "sub": "@", "run.sh": "#!/bin/sh\n", "empty": "\n", "bad\xff.txt": "x\n",
	}, modes: map[string]string{"run.sh": "100755"}})
	clone := opened(t, r, "")
	files, err := clone.Files(context.Background())
	if err != nil {
		t.Fatalf("Files: %v", err)
	}
	var got []string
	for _, f := range files {
		got = append(got, fmt.Sprint(f.Path, " ", f.Size, " ", f.Executable))
	}
	want := []string{"a.go 10 false", "bad\uFFFD.txt 2 false", "empty 1 false", "run.sh 10 true"}
	if !slices.Equal(got, want) {
		t.Errorf("files\n got %q\nwant %q", got, want)
	}
}

func TestFilesAreReadByManyAtOnceThroughOneProcess(t *testing.T) {
	r := newRepo()
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("f%02d", i)] = strings.Repeat(fmt.Sprintf("%d ", i), 1+i*200)
	}
	r.commit(testCommit{when: at(9), files: files})
	clone := opened(t, r, "")
	ctx := context.Background()
	list, err := clone.Files(ctx)
	if err != nil || len(list) != 60 {
		t.Fatalf("Files: %d, %v", len(list), err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, f := range list {
				data, err := clone.Read(ctx, f.ID, 1<<20)
				if want := files[f.Path]; err != nil || string(data) != want {
					t.Errorf("%s: %d bytes, %v; want %d", f.Path, len(data), err, len(want))
				}
			}
		})
	}
	group.Wait()
	if _, err := clone.Read(ctx, list[59].ID, 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large file: %v, want %v", err, ErrTooLarge)
	}
	if _, err := clone.Read(ctx, strings.Repeat("1", 40), 10); !errors.Is(err, ErrAbsent) {
		t.Errorf("a missing file: %v, want %v", err, ErrAbsent)
	}
	if _, err := clone.Read(ctx, clone.Revision, 1<<20); err == nil || !strings.Contains(err.Error(), "is a commit") {
		t.Errorf("a commit is read as a file: %v", err)
	}
	if _, err := clone.Read(ctx, "HEAD:f00\n--batch", 10); err == nil {
		t.Error("a name is read as an object id")
	}
	if data, err := clone.Read(ctx, list[0].ID, 1<<20); err != nil || string(data) != "0 " {
		t.Errorf("after refusals: %q, %v", data, err)
	}
}

func TestCommitsAreHandedOnNewestFirstWithTheirReviews(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(40), message: "One\n\nReviewed-by: Ben Oku <ben@suse.com>"})
	r.commit(testCommit{when: at(30), author: bot, committer: ana, message: "Update"})
	side := r.commit(testCommit{when: at(25), branch: "side", from: 1, author: "Cleo Pax <Cleo@Gmail.com>", message: "Two"})
	r.commit(testCommit{when: at(20), merge: []int{side}, message: "Merge side"})
	r.commit(testCommit{when: at(-3), message: "Later than the day judged"})
	clone := opened(t, r, "")
	commits, err := clone.Commits(context.Background(), 3)
	if err != nil {
		t.Fatalf("Commits: %v", err)
	}
	var got []string
	for _, c := range commits {
		got = append(got, fmt.Sprint(strings.Fields(c.Message)[0], " ", c.Author, " merge=", c.Merge, " bot=", c.AuthorIsBot, " reviewed=", c.Reviewed))
	}
	want := []string{
		"Merge ana@redhat.com merge=true bot=false reviewed=false",
		"Two cleo@gmail.com merge=false bot=false reviewed=false",
		"Update bot@renovate.example.org merge=false bot=true reviewed=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("commits\n got %q\nwant %q", got, want)
	}
	if all, err := clone.Commits(context.Background(), 100); err != nil || len(all) != 4 || !all[3].Reviewed {
		t.Errorf("all commits: %d, %v; want 4, the oldest reviewed", len(all), err)
	}
}

func TestBehindGerritEveryCommitHandedOnCountsAsReviewed(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(300), files: map[string]string{".gitreview": "[gerrit]\nhost=review.example.org\nproject=a/b\n"}, message: "A\n\nChange-Id: I1"})
	for i := range 9 {
		r.commit(testCommit{when: at(200 - i), message: "B\n\nChange-Id: I2"})
	}
	clone := opened(t, r, "")
	commits, err := clone.Commits(context.Background(), 2)
	if err != nil || len(commits) != 2 || !commits[0].Reviewed || !commits[1].Reviewed {
		t.Errorf("got %+v, %v; want two reviewed commits", commits, err)
	}
}

func TestAnOpenCloneStandsAtTheRevisionAsked(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(40), files: map[string]string{"old": "1"}})
	r.tag("v1.0", 1, at(39), false)
	r.commit(testCommit{when: at(30), files: map[string]string{"new": "2"}})
	clone := opened(t, r, "v1.0")
	files, err := clone.Files(context.Background())
	if err != nil || len(files) != 1 || files[0].Path != "old" {
		t.Errorf("files at v1.0: %v, %v", files, err)
	}
	tags, err := clone.Tags(context.Background())
	if err != nil || len(tags) != 1 || tags[0].Name != "v1.0" || tags[0].Commit != clone.Revision {
		t.Errorf("tags: %v, %v", tags, err)
	}
	c := newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true})
	if _, err := c.Open(context.Background(), scoring.Project{Repo: sampleURL}, "v9"); err == nil || !strings.Contains(err.Error(), `revision "v9" not found`) {
		t.Errorf("an unknown revision: %v", err)
	}
}

func TestAClosedCloneReadsNothingMore(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(40), files: map[string]string{"old": "1"}})
	c := newCollector(t, Options{Mirrors: []string{r.mirror(t)}, Offline: true})
	clone, err := c.Open(context.Background(), scoring.Project{Repo: sampleURL}, "")
	if err != nil {
		t.Fatal(err)
	}
	files, err := clone.Files(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := clone.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := clone.Read(context.Background(), files[0].ID, 10); err == nil {
		t.Error("a closed clone was read")
	}
}
