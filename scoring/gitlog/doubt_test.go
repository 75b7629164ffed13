package gitlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestWhatAProgramSaysIsNoReview(t *testing.T) {
	r := newRepo()
	first := r.commit(testCommit{when: at(9), message: "Change\n\nReviewed-by: Checker[bot] <checker[bot]@users.noreply.github.com>\n", files: map[string]string{"a": "1"}})
	r.commit(testCommit{when: at(8), message: "Change\n\nAcked-by: Ben Oku <ben@suse.com>\n", files: map[string]string{"a": "2"}})
	r.stream.WriteString("commit refs/notes/review\nmark :99\ncommitter " + ana + " 1 +0000\ndata 1\nx\n")
	r.stream.WriteString("N inline :1\ndata 43\nCode-Review+2: Gate <gate-bot@example.org>\n\n\n")
	h := historyOf(t, collect(t, r))
	w, _ := h.Window(12)
	if past := h.Past[len(h.Past)-1].Reviewed; first != 1 || w.Reviewed != 1 || past != 1 {
		t.Errorf("got %d reviewed, %d in the past, want 1: that of a person", w.Reviewed, past)
	}
}

func TestWithoutItsTreeAHistoryIsUnknownAndNotWithoutReviews(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(20), message: "C\n\nChange-Id: I1\n", files: map[string]string{".gitreview": "[gerrit]\nhost=r.example.org\nproject=a/b.git\n", ".mailmap": "Ana Ito <ana@redhat.com> <ben@suse.com>\n"}})
	r.commit(testCommit{when: at(19), author: ben, message: "C\n\nChange-Id: I2\n", files: map[string]string{"a": "x"}})
	full := r.build(t, filepath.Join(t.TempDir(), "full.git"))
	runGit(t, "", "--git-dir="+full, "config", "uploadpack.allowFilter", "true")
	dir := filepath.Join(t.TempDir(), "part.git")
	runGit(t, "", "clone", "--quiet", "--bare", "--filter=tree:0", "file://"+full, dir)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if h, ok := e.History.Get(); ok {
		w, _ := h.Window(12)
		t.Errorf("got %d reviewed by %d authors, want an unknown history: .gitreview and .mailmap could not be read", w.Reviewed, w.Authors)
	}
	w, _ := historyOf(t, mustRepository(t, newCollector(t, Options{Offline: true}), full, "")).Window(12)
	if w.Reviewed != 2 || w.Authors != 1 {
		t.Errorf("got %d reviewed by %d authors of the full clone, want 2 by 1", w.Reviewed, w.Authors)
	}
}

func TestACommitWithASlowClockHidesNothingBehindIt(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(2000), files: map[string]string{"LICENSE": "MIT x", "a.go": "x"}})
	r.commit(testCommit{when: at(90), files: map[string]string{"LICENSE": "BUSL-1.1 x", "a.go": "y", "specs/a/x.md": "x"}})
	r.commit(testCommit{when: 1000, files: map[string]string{"LICENSE": "Apache-2.0 x"}})
	r.commit(testCommit{when: at(2), files: map[string]string{"README": "x"}})
	e := collect(t, r)
	if drop := historyOf(t, e).CodeDrop; drop.Unknown() != audit.DNF || !strings.Contains(drop.Failure, "1 of 2 commits") {
		t.Errorf("got code drop %+v, want unknown: git shows 1 of 2 commits", drop)
	}
	var got []string
	states, _ := e.LicenceHistory.Get()
	for _, s := range states {
		got = append(got, s.From.Format(time.DateOnly)+" "+s.Expression)
	}
	day := func(days int) string { return time.Unix(at(days), 0).UTC().Format(time.DateOnly) }
	want := day(2000) + " MIT, " + day(90) + " BUSL-1.1, " + day(2) + " Apache-2.0"
	if strings.Join(got, ", ") != want {
		t.Errorf("got licences %q, want %q", strings.Join(got, ", "), want)
	}
	if n, ok := treeOf(t, e).ProposalsChanged12m.Get(); !ok || n != 1 {
		t.Errorf("got %d proposals changed (%v), want 1", n, ok)
	}
}

func TestAFastClockDoesNotMakeAnOldCloneSpeakForToday(t *testing.T) {
	for _, row := range []struct {
		name    string
		written time.Time
		want    audit.Outcome
	}{
		{"clone of long ago", now.AddDate(-1, 0, 0), audit.DNF},
		{"clone of later", now.AddDate(0, 1, 0), audit.PASS},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRepo()
			r.commit(testCommit{when: at(900), files: map[string]string{"a.go": "x"}})
			r.commit(testCommit{when: at(-900), files: map[string]string{"a.go": "y"}})
			dir := r.build(t, filepath.Join(t.TempDir(), "x.git"))
			err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Chtimes(path, row.written, row.written))
			})
			if err != nil {
				t.Fatal(err)
			}
			e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
			if got := e.History.Unknown(); got != row.want {
				t.Errorf("got history %v, seen until %v; want %v", got, e.SeenUntil, row.want)
			}
		})
	}
}

func TestNamesOfMachinesAreNoOrganisations(t *testing.T) {
	for _, domain := range []string{"box.lan", "vm.home", "192.0.2.1", "pc.corp"} {
		r := newRepo()
		r.commit(testCommit{when: at(9), author: "Ada Bly <ada@" + domain + ">", files: map[string]string{"a": "1"}})
		r.commit(testCommit{when: at(8), author: "Carl Dow <carl@" + domain + ">", files: map[string]string{"a": "2"}})
		if w, _ := historyOf(t, collect(t, r)).Window(12); w.TopOrg != "" {
			t.Errorf("%s: got organisation %q, want none", domain, w.TopOrg)
		}
	}
}

func TestAddressesInNamesOfFilesTagsAndBranchesAreNotEvidence(t *testing.T) {
	r := newRepo()
	m := r.commit(testCommit{when: at(9), files: map[string]string{
		"SECURITY.md": "mail zoe@example.org", "LICENSE-zoe@example.org": "MIT x", "specs/zoe@example.org/a.md": "x",
		"README.md": "see https://zoe@example.org/x and <https://example.org/u/zoe@example.org>", "lib/zoe@example.org.so": "\x7fELF",
		"LICENSES/zoe@example.org.txt": "MIT x", ".github/workflows/zoe@example.org.yml": "on: push", "part/zoe@example.org/LICENSE": "MIT x",
	}})
	r.tag("v1.0", m, at(8), false)
	r.tag("zoe@example.org-1.1", m, at(8), false)
	r.tag("zoe@example.org-eol", m, at(8), false)
	r.ref("refs/heads/stable/zoe@example.org", m)
	text := asJSON(t, collect(t, r, "1.0", "1.1"))
	if i := strings.Index(text, "zoe@"); i >= 0 {
		t.Errorf("got an address in the evidence: %s", text[max(0, i-80):min(len(text), i+40)])
	}
}

func TestAPackedRefTooLongToReadIsAReasonAndNotTheEnd(t *testing.T) {
	r := newRepo()
	r.ref("refs/tags/v1.0", r.commit(testCommit{when: at(9), files: map[string]string{"a": "1"}}))
	dir := r.build(t, filepath.Join(t.TempDir(), "x.git"))
	runGit(t, "", "--git-dir="+dir, "pack-refs", "--all")
	id := strings.TrimSpace(runGit(t, "", "--git-dir="+dir, "rev-parse", "master"))
	write(t, filepath.Join(dir, "packed-refs"), id+" refs/heads/master\n"+id+" refs/heads/"+strings.Repeat("y", 70000)+"\n"+id+" refs/tags/v1.0\n", 0o644)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if r, ok := e.Releases.Get(); ok {
		t.Errorf("got %d releases, want a reason: the refs behind the long line were not read", r.Releases24m)
	}
}

func TestASeriesOfReleasesHasNoTagOfItsOwn(t *testing.T) {
	r := newRepo()
	for i, tag := range []string{"v7.0.0", "v7.0.1", "v7.4.0", "v8.0.0", "v8.1.0-rc1", "9.5", "9.5.1", "api/v8.0.1"} {
		licence := map[string]string{"LICENSE": "MIT x", "n": tag}
		if i >= 2 {
			licence["LICENSE"] = "BUSL-1.1 x"
		}
		r.tag(tag, r.commit(testCommit{when: at(20 - i), files: licence}), at(20-i), false)
	}
	e := collect(t, r, "7", "7.0", "7.4", "7.0.1", "8.0", "9.5")
	tags := releasesIn(t, e).TagOf
	for version, want := range map[string]string{"7": "", "7.0": "", "7.4": "v7.4.0", "7.0.1": "v7.0.1", "8.0": "v8.0.0", "9.5": "9.5"} {
		if got := tags[version].Name; got != want {
			t.Errorf("version %s: got tag %q, want %q", version, got, want)
		}
	}
	if f := e.Licences["7"]; f.Unknown() != audit.DNF {
		t.Errorf("got licence %+v of version 7, want unknown: 7.0 is MIT, 7.4 is not", f.Value)
	}
}
