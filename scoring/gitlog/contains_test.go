package gitlog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

func TestACloneTellsWhichTagContainsACommit(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(300), files: map[string]string{"a": "1"}})
	r.tag("v1.0.0", one, at(299), false)
	fix := r.commit(testCommit{when: at(200), files: map[string]string{"a": "2"}})
	r.tag("v1.1.0", fix, at(199), true)
	side := r.commit(testCommit{branch: "side", from: one, when: at(100), files: map[string]string{"b": "1"}})
	r.tag("v1.0.1", side, at(99), false)

	treeless := serve(t, r)
	c := newCollector(t, Options{CacheDir: t.TempDir()})
	c.git.protocols = []string{"http", "https"}
	served, err := c.Open(t.Context(), scoring.Project{ID: "sample", Repo: treeless.url}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = served.Close() })
	asked := treeless.requests.Load()

	for name, clone := range map[string]*Clone{"local": opened(t, r, ""), "treeless": served} {
		commits := map[string]string{}
		for _, version := range []string{"1.0.0", "1.1.0", "1.0.1"} {
			tag, ok, err := clone.TagOf(t.Context(), version)
			if err != nil || !ok || tag.Name != "v"+version || tag.At.IsZero() {
				t.Fatalf("%s: tag of %s: %+v, %v, %v", name, version, tag, ok, err)
			}
			commits[version] = tag.Commit
		}
		if tag, ok, err := clone.TagOf(t.Context(), "1.2.0"); ok || err != nil {
			t.Errorf("%s: a version without a tag has %+v, %v", name, tag, err)
		}
		absent := strings.Repeat("1", 40)
		for _, tt := range []struct {
			tip, commit string
			want        bool
		}{
			{commits["1.1.0"], commits["1.1.0"], true}, {commits["1.1.0"], commits["1.0.0"], true}, {commits["1.0.0"], commits["1.1.0"], false},
			{commits["1.0.1"], commits["1.1.0"], false}, {commits["1.0.1"], commits["1.0.0"], true}, {commits["1.1.0"], absent, false},
		} {
			if got, err := clone.Contains(t.Context(), tt.tip, tt.commit); err != nil || got != tt.want {
				t.Errorf("%s: %s contains %s: %v, %v; want %v", name, tt.tip, tt.commit, got, err, tt.want)
			}
		}
		for _, hostile := range []string{"--all", "-n1", "HEAD", "", "v1.0.0", strings.Repeat("1", 40) + "\n--all"} {
			if _, err := clone.Contains(t.Context(), commits["1.1.0"], hostile); err == nil {
				t.Errorf("%s: %q was taken for a commit", name, hostile)
			}
		}
		if _, err := clone.Contains(t.Context(), absent, commits["1.0.0"]); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: an absent tip: %v", name, err)
		}
	}
	if n := treeless.requests.Load() - asked; n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

func TestAShallowCloneDoesNotSayThatATagLacksACommit(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(300), files: map[string]string{"a": "1"}})
	r.tag("v1.0.0", one, at(299), false)
	r.tag("v1.1.0", r.commit(testCommit{when: at(200), files: map[string]string{"a": "2"}}), at(199), false)
	mirror := r.mirror(t)
	whole := newCollector(t, Options{Mirrors: []string{mirror}, Offline: true})
	p := scoring.Project{ID: "sample", Repo: sampleURL}
	clone, err := whole.Open(context.Background(), p, "")
	if err != nil {
		t.Fatal(err)
	}
	tip, _, err := clone.TagOf(t.Context(), "1.1.0")
	old, _, err2 := clone.TagOf(t.Context(), "1.0.0")
	if err := errors.Join(err, err2, clone.Close()); err != nil {
		t.Fatal(err)
	}
	found, err := findClone(filepath.Join(mirror, "sample+sample", "repo"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(found.common, "shallow"), []byte(tip.Commit+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cut, err := whole.Open(context.Background(), p, "")
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	for _, commit := range []string{old.Commit, strings.Repeat("1", 40)} {
		if got, err := cut.Contains(t.Context(), tip.Commit, commit); err == nil {
			t.Errorf("%s: %v without an error", commit, got)
		}
	}
}
