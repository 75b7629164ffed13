package gitlog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/scoring"
)

// tale is a project that goes on for years, told until a moment. Each thing that happens has its time, so that a clone cut at
// a moment is the same tale told until then.
type tale struct {
	*repo
	until int64
}

// commit adds a commit if its time has come; 0 says that it has not.
func (s *tale) commit(c testCommit) int {
	if c.when > s.until {
		return 0
	}
	return s.repo.commit(c)
}

func (s *tale) tag(name string, mark int, when int64, signed bool) {
	if when <= s.until {
		s.repo.tag(name, mark, when, signed)
	}
}

// note writes a vote about a commit as Gerrit keeps it.
func (s *tale) note(mark int, when int64, vote string) {
	if when > s.until || mark == 0 {
		return
	}
	s.marks++
	fmt.Fprintf(&s.stream, "commit refs/notes/review\nmark :%d\ncommitter gerrit <gerrit@example.org> %d +0000\ndata 4\nnote\n", s.marks, when)
	fmt.Fprintf(&s.stream, "N inline :%d\ndata %d\n%s\n\n", mark, len(vote), vote)
}

// told builds the tale until a moment: four years of a project that moves to another licence, gets a review system, cuts
// release branches, tags late and merges old work.
func told(until int64) *repo {
	s := &tale{newRepo(), until}
	people := []string{ana, ben, cleo, dina, bot}
	var marks []int
	for week := 200; week >= 0; week-- {
		when := at(7*week) - 3600
		c := testCommit{when: when, author: people[week%len(people)], files: map[string]string{fmt.Sprintf("src/f%d.go", week%9): fmt.Sprintf("package f // %d\n", week)}}
		switch week {
		case 200:
			c.files["LICENSE"], c.files["README.md"] = "Apache-2.0 text", "A sample, see https://docs.example.org."
		case 150:
			c.files["specs/one.rst"] = "A proposal\n"
		case 120:
			c.files[".gitreview"] = "[gerrit]\nhost=review.example.org\nproject=sample/sample.git\n"
		case 100:
			c.files["SECURITY.md"] = "Report to security@example.org within 7 days.\n"
		case 70:
			c.files["LICENSE"] = "BUSL-1.1 text"
		case 50:
			c.files[".mailmap"] = "Ana Ito <ana@redhat.com> <ben@suse.com>\n"
		case 40:
			c.files["SECURITY.md"], c.files["ROADMAP.md"] = "", "soon\n"
		}
		if week%3 == 0 {
			c.message = fmt.Sprintf("Change %d\n\nChange-Id: I%040d\n", week, week)
		}
		if week%10 == 4 && week < 190 { // work of half a year before, merged now
			side := s.commit(testCommit{branch: fmt.Sprintf("side/%d", week), from: marks[len(marks)-5], when: when - 86400, author: ben})
			if side != 0 {
				c.merge = []int{side}
			}
		}
		mark := s.commit(c)
		if mark == 0 {
			break
		}
		marks = append(marks, mark)
		s.note(mark, when+40*86400, "Code-Review+2: Cleo Pax <cleo@gmail.com>\n")
		if week%13 == 0 {
			version := fmt.Sprintf("v1.%d.0", (200-week)/13)
			s.tag(version, mark, when+20*86400, week%2 == 0) // three weeks after the commit
			branch := fmt.Sprintf("stable/1.%d", (200-week)/13)
			first := s.commit(testCommit{branch: branch, from: mark, when: when + 60*86400, author: ben})
			if first != 0 {
				s.tag(version[:len(version)-1]+"1", first, when+61*86400, false)
				s.commit(testCommit{branch: branch, when: when + 300*86400, author: dina})
			} else if when+60*86400 > s.until && when+25*86400 <= s.until {
				s.ref("refs/heads/"+branch, mark) // it is there, without a commit of its own
			}
		}
		if week%52 == 0 {
			s.tag(fmt.Sprintf("1.%d-eol", (200-week)/13), mark, when+200*86400, false)
		}
	}
	return s.repo
}

// cloned writes a clone of the tale into a cache, as if it had been fetched at a moment.
func cloned(t testing.TB, r *repo, fetched int64) (cache string) {
	t.Helper()
	cache = t.TempDir()
	dir := filepath.Join(cache, "git", cacheName(sampleURL)+".git")
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	r.build(t, dir)
	stamp := filepath.Join(dir, fetchedStamp)
	if err := os.WriteFile(stamp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Unix(fetched, 0)
	if err := os.Chtimes(stamp, when, when); err != nil {
		t.Fatal(err)
	}
	return cache
}

func evaluated(t testing.TB, cache string, moment int64) scoring.Evidence {
	t.Helper()
	c := newCollector(t, Options{CacheDir: cache, Offline: true, At: time.Unix(moment, 0).UTC()})
	return mustCollect(t, c, "1.3.0", "1.5.1", "1.9.0", "1.4", "2.0")
}

func TestTheEvaluationOfAPastDayDoesNotKnowWhatCameAfter(t *testing.T) {
	whole := cloned(t, told(at(0)), at(0))
	for days := 730; days >= 28; days -= 117 {
		moment := at(days)
		want := evaluated(t, cloned(t, told(moment), moment), moment)
		got := evaluated(t, whole, moment)
		if h := historyOf(t, want); h.Human90d == 0 || want.Failure != "" {
			t.Fatalf("%d days ago: the sample shows nothing: %+v", days, want)
		}
		if a, b := asJSON(t, want), asJSON(t, got); a != b {
			t.Errorf("%d days ago: a clone that goes on says something else than one cut there (-cut +whole):\n%s", days, cmp.Diff(want, got))
		}
	}
}

func TestAnOldRevisionDoesNotLookAbandonedOnALaterDay(t *testing.T) {
	r := newRepo()
	old := r.commit(testCommit{when: at(900), files: map[string]string{"LICENSE": "MIT text"}})
	r.tag("v1.0", old, at(899), false)
	for days := 890; days >= 10; days -= 20 {
		r.commit(testCommit{when: at(days)})
	}
	r.commit(testCommit{branch: "stable/1", from: old, when: at(15)})
	r.ref("refs/tags/v2.0", r.tips["master"])
	dir := r.build(t, filepath.Join(t.TempDir(), "sample.git"))
	for rev, known := range map[string]bool{"": true, "master": true, "v2.0": true, "stable/1": true, "v1.0": false} {
		e, err := newCollector(t, Options{Offline: true}).Repository(context.Background(), dir, rev)
		if err != nil || e.Tree.Value == nil {
			t.Fatalf("%q: %v, tree %+v", rev, err, e.Tree)
		}
		if _, ok := e.History.Get(); ok != known {
			t.Errorf("%q: history known %v, want %v: %s", rev, ok, known, e.History.Failure)
		}
		if !known && (!strings.Contains(e.History.Failure, "the line of the revision ends on 2024-01-13") || e.History.Settle == "") {
			t.Errorf("%q: got the reason %q and the way out %q", rev, e.History.Failure, e.History.Settle)
		}
	}
	own := newCollector(t, Options{Offline: true, AtHead: true})
	if e, err := own.Repository(context.Background(), dir, "v1.0"); err != nil || historyOf(t, e).Human90d != 1 {
		t.Errorf("on its own day the revision is judged by its line: %v %+v", err, e.History)
	}
}

func TestARevisionFromAfterTheDayJudgedIsRefused(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(900)})
	r.tag("v1.0", r.commit(testCommit{when: at(100)}), at(99), false)
	dir := r.build(t, filepath.Join(t.TempDir(), "sample.git"))
	c := newCollector(t, Options{Offline: true, At: time.Unix(at(500), 0).UTC()})
	_, err := c.Repository(context.Background(), dir, "v1.0")
	if want := `revision "v1.0" was made on 2026-03-23, after 2025-02-16`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if e, err := c.Repository(context.Background(), dir, "master"); err != nil || e.RevisionAt.Unix() != at(900) {
		t.Errorf("a branch is cut at the day: %v, %v", e.RevisionAt, err)
	}
}

func TestTagsHandedToOthersAreThoseOfTheDay(t *testing.T) {
	r := newRepo()
	first := r.commit(testCommit{when: at(900)})
	r.tag("v1.0", first, at(899), false)
	r.tag("v1.1", first, at(100), false)
	r.tag("v2.0", r.commit(testCommit{when: at(90)}), at(950), false) // a tag with a slow clock
	open := func(o Options) *Clone {
		o.Mirrors, o.Offline = []string{r.mirror(t)}, true
		clone, err := newCollector(t, o).Open(context.Background(), scoring.Project{Repo: sampleURL}, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = clone.Close() })
		return clone
	}
	then := open(Options{At: time.Unix(at(500), 0).UTC()})
	if tags, err := then.Tags(context.Background()); err != nil || len(tags) != 1 || tags[0].Name != "v1.0" {
		t.Errorf("500 days ago: %v, %v; want v1.0 alone", tags, err)
	}
	for version, want := range map[string]bool{"1.0": true, "1.1": false, "2.0": false} {
		if _, ok, err := then.TagOf(context.Background(), version); ok != want || err != nil {
			t.Errorf("500 days ago: tag of %s is known: %v, %v; want %v", version, ok, err, want)
		}
	}
	if tags, err := open(Options{}).Tags(context.Background()); err != nil || len(tags) != 3 {
		t.Errorf("now: %v, %v; want all three", tags, err)
	}
}
