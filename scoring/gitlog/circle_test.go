package gitlog

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// hands builds a repository in which each author wrote so many commits of the last 12 months.
func hands(commits map[string]int) *repo {
	r := newRepo()
	r.commit(testCommit{when: at(700), author: "Old Hand <old@example.org>", files: map[string]string{"a": "0"}})
	n := 0
	for _, author := range slices.Sorted(func(yield func(string) bool) {
		for a := range commits {
			if !yield(a) {
				return
			}
		}
	}) {
		for range commits[author] {
			n++
			r.commit(testCommit{when: at(20) + int64(n), author: author, files: map[string]string{"a": fmt.Sprint(n)}})
		}
	}
	return r
}

func TestTheSamePersonIsRecognisedInAnotherRepositoryOfTheRunOnly(t *testing.T) {
	const root, none = "Root <root@localhost>", "Nobody <>"
	one := hands(map[string]int{ana: 5, ben: 3, cleo: 1, root: 4, none: 1, bot: 30})
	two := hands(map[string]int{"A. Ito <ANA@redhat.com>": 1, dina: 7, root: 4, none: 1})
	c := newCollector(t, Options{Mirrors: []string{one.mirror(t)}, Offline: true})
	e := mustCollect(t, c)
	p := scoring.Project{ID: "sample", Repo: sampleURL}
	first, ok := c.Circle(context.Background(), p, e)
	if !ok || len(first.Critical) != 1 || len(first.Authors) != 3 {
		t.Fatalf("of 14 commits by people Ana wrote 5 and root 4; got %+v, %v; %s %s", first, ok, e.Failure, e.History.Failure)
	}
	if h := historyOf(t, e); h.Windows[twelveMonths].BusFactor50 != 2 {
		t.Errorf("bus factor %d: root counts there", h.Windows[twelveMonths].BusFactor50)
	}
	dir := two.build(t, t.TempDir()+"/two.git")
	other, err := c.Repository(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	second, ok := c.Circle(context.Background(), scoring.Project{}, other)
	if !ok || !slices.Contains(second.Authors, first.Critical[0]) || slices.Contains(second.Critical, first.Critical[0]) || len(second.Authors) != 2 {
		t.Errorf("Ana is no author of both, or root is the same person in both: %+v and %+v", first, second)
	}
	again := newCollector(t, Options{Mirrors: []string{one.mirror(t)}, Offline: true})
	mustCollect(t, again)
	if third, _ := again.Circle(context.Background(), p, e); slices.Equal(first.Authors, third.Authors) {
		t.Error("people have the same numbers in another run")
	}
	resumed := newCollector(t, Options{Mirrors: []string{one.mirror(t)}, Offline: true})
	if found, ok := resumed.Circle(context.Background(), p, e); !ok || len(found.Critical) != 1 || len(found.Authors) != 3 {
		t.Errorf("a project that an interrupted run had read: %+v, %v", found, ok)
	}
	elsewhere := newCollector(t, Options{Offline: true})
	if _, ok := elsewhere.Circle(context.Background(), p, e); ok {
		t.Error("people without a clone")
	}
}
