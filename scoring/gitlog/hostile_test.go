package gitlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// write puts a file into a test directory.
func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOfAStrangersCloneIsRun(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	r := newRepo()
	r.commit(testCommit{when: at(9), files: map[string]string{
		"LICENSE": "MIT x", ".gitattributes": "* filter=evil diff=evil\n.mailmap filter=evil\n", ".mailmap": "Ana <ana@redhat.com>\n",
		".gitmodules": "[submodule \"s\"]\n\tpath = s\n\turl = ext::sh -c \"touch " + canary + "\"\n\tupdate = !touch " + canary + "\n", "s": "@",
	}})
	dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
	hook := "#!/bin/sh\ntouch " + canary + "\n"
	for _, name := range []string{"post-checkout", "pre-auto-gc", "reference-transaction", "fsmonitor-watchman", "post-index-change"} {
		write(t, filepath.Join(dir, "hooks", name), hook, 0o755)
	}
	script := filepath.Join(t.TempDir(), "evil.sh")
	write(t, script, hook, 0o755)
	write(t, filepath.Join(dir, "config"), fmt.Sprintf(`[core]
	repositoryformatversion = 0
	bare = true
	fsmonitor = %[1]s
	pager = %[1]s
	editor = %[1]s
	sshCommand = %[1]s
	hooksPath = %[2]s
	alternateRefsCommand = %[1]s
[log]
	showSignature = true
[gpg]
	program = %[1]s
[mailmap]
	file = /etc/passwd
[filter "evil"]
	smudge = %[1]s
	clean = %[1]s
	process = %[1]s
[diff "evil"]
	textconv = %[1]s
	command = %[1]s
[alias]
	log = !%[1]s
	cat-file = !%[1]s
[remote "origin"]
	url = ext::sh -c %[1]s
	promisor = true
	uploadpack = %[1]s
[extensions]
	partialClone = origin
`, script, filepath.Join(dir, "hooks")), 0o644)
	write(t, filepath.Join(dir, "info", "grafts"), strings.Repeat("1", 40)+"\n", 0o644)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if facts, _ := e.Licences[""].Get(); facts.Expression != "MIT" || historyOf(t, e).CommitsEver != 1 {
		t.Errorf("got %+v, want the facts all the same", e)
	}
	if _, err := os.Stat(canary); err == nil {
		t.Error("something of the clone was run")
	}
	if e.Repo != "local clone" {
		t.Errorf("got %q about the remote ext::, want no address", e.Repo)
	}
}

func TestHostileRefsAreLeftOutAndTheRestIsRead(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(9), files: map[string]string{"LICENSE": "MIT x"}})
	r.tag("v1.0.0", one, at(9), false)
	r.commit(testCommit{branch: "side", from: one, when: at(8)})
	dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
	runGit(t, "", "--git-dir="+dir, "pack-refs", "--all")
	side := strings.TrimSpace(runGit(t, "", "--git-dir="+dir, "rev-parse", "side"))
	head := strings.TrimSpace(runGit(t, "", "--git-dir="+dir, "rev-parse", "HEAD"))
	packed, err := os.ReadFile(filepath.Join(dir, "packed-refs"))
	if err != nil {
		t.Fatal(err)
	}
	lines := string(packed) + head + " refs/heads/--upload-pack=touch\n" + head + " refs/tags/-v2.0.0\n" + head + " refs/../../../etc/x\n" +
		head + " refs/tags/v3.0.0\x1b[31m\n" + strings.Repeat("0", 40) + " refs/tags/v4.0.0\n" + strings.Repeat("e", 40) + " refs/tags/v5.0.0\nnonsense\n" + head + "\n" +
		strings.Repeat("e", 40) + " refs/heads/stable/gone\n" + side + " refs/heads/stable/\xff\n"
	write(t, filepath.Join(dir, "packed-refs"), lines, 0o644)
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, head+"\n", 0o644)
	if err := os.Symlink(secret, filepath.Join(dir, "refs", "tags", "v6.0.0")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "refs", "tags", "v7.0.0"), "ref: refs/heads/master\n", 0o644)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	got := releasesIn(t, e)
	if got.Releases24m != 1 || got.LastVersion != "v1.0.0" {
		t.Errorf("got %d releases, the last %q; want the one real tag", got.Releases24m, got.LastVersion)
	}
	if len(got.StableBranches) != 1 || got.StableBranches[0].Name != "stable/\uFFFD" {
		t.Errorf("got branches %+v, want the one that leads to a commit, repaired to UTF-8", got.StableBranches)
	}
}

func TestAHeadThatLeadsNowhereIsAReasonAndNoPanic(t *testing.T) {
	for _, row := range []struct{ name, head, want string }{
		{"an unknown branch", "ref: refs/heads/none\n", "the repository has no commits on its default branch"},
		{"a path", "ref: ../../../etc/passwd\n", "neither a commit nor a branch"},
		{"an option", "ref: refs/heads/--all\n", "neither a commit nor a branch"},
		{"garbage", "\x00\xff", "neither a commit nor a branch"},
		{"nothing", "", "neither a commit nor a branch"},
		{"a commit that is not there", strings.Repeat("a", 40) + "\n", "git log: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := filesRepo(map[string]string{"a": "1"}).build(t, filepath.Join(t.TempDir(), "r.git"))
			write(t, filepath.Join(dir, "HEAD"), row.head, 0o644)
			e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
			if !strings.Contains(e.Failure, row.want) || e.Settle == "" {
				t.Errorf("got %q, want %q", e.Failure, row.want)
			}
		})
	}
}

func TestOddCommitsAreCountedWithoutHarm(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(400), files: map[string]string{".mailmap": "<b@x.example> <a@x.example>\n<a@x.example> <b@x.example>\n\xff\xfe <\n" + strings.Repeat("<c@x.example> <c@x.example>\n", 1000)}})
	r.commit(testCommit{when: at(40), author: "A <a@x.example>", message: strings.Repeat("huge subject ", 300_000)})
	r.commit(testCommit{when: at(39), author: "B <b@x.example>", message: "\x1f\x1e\x1f\x1e fields of our own format \x1f"})
	r.commit(testCommit{when: at(38), author: "\x1f Sep <sep@suse.com>", message: "name with a separator"})
	r.commit(testCommit{when: at(37), author: "Lat\xe9n <l@suse.com>", offset: "+9959", message: "Latin \xe9\xff"})
	r.commit(testCommit{when: 1, author: ben, message: "a clock at the epoch"})
	r.commit(testCommit{when: at(-9000), author: ben, message: "a clock in the future"})
	r.commit(testCommit{when: at(20), author: ben, message: "after the skewed ones"})
	r.commit(testCommit{when: at(19), author: " <>", message: "nobody"})
	h := historyOf(t, collect(t, r))
	w, _ := h.Window(12)
	if h.CommitsEver != 8 || w.Commits != 6 {
		t.Errorf("got %d commits, %d in 12 months; want 8 (without the future) and 6", h.CommitsEver, w.Commits)
	}
	if h.FirstCommit.Unix() != at(400) || h.LastCommit.Unix() != at(19) {
		t.Errorf("got first %s and last %s; want the root and the newest not after the moment", h.FirstCommit, h.LastCommit)
	}
}

func TestOddFilesAreNamedSafelyAndNotFollowed(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(9), files: map[string]string{
		"LICENSE": "->/etc/passwd", "COPYING": "->../../../etc/passwd", "SECURITY.md": "->/etc/hostname", "sub": "@",
		"docs/GOVERNANCE\xff.md": "x", "a\nb/MAINTAINERS": "x", "-rf/CODE_OF_CONDUCT.md": "x", "--output=x/ADOPTERS": "x", "..x/NOTICE": "x", ".github/SECURITY.md": strings.Repeat("report a vulnerability ", 100_000),
	}})
	e := collect(t, r)
	tree := treeOf(t, e)
	if len(tree.LicenceFiles) != 0 {
		t.Errorf("got licence files %+v, want none: symbolic links are not files", tree.LicenceFiles)
	}
	if got := pathsOf(tree.Documents["maintainers"]); len(got) != 1 || got[0] != "a\nb/MAINTAINERS" {
		t.Errorf("got %q, want the path as it is", got)
	}
	if got := pathsOf(tree.Documents["code-of-conduct"]); len(got) != 1 || got[0] != "-rf/CODE_OF_CONDUCT.md" {
		t.Errorf("got %q, want the path as it is", got)
	}
	docs := tree.Documents["security"]
	if len(docs) != 1 || docs[0].Digest != "" || docs[0].Words != 0 {
		t.Errorf("got %+v, want a document that was too large to read", docs)
	}
	if facts, ok := e.Licences[""].Get(); !ok || facts.Expression != "" || len(facts.Files) != 0 {
		t.Errorf("got licence %+v, want none", facts)
	}
}

func TestMissingObjectsAreReasonsAndNotZeros(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(20), files: map[string]string{"LICENSE": "MIT x"}})
	r.commit(testCommit{when: at(9), files: map[string]string{"a.go": "package a", "b.go": "package b"}})
	full := r.build(t, filepath.Join(t.TempDir(), "full.git"))
	runGit(t, "", "--git-dir="+full, "config", "uploadpack.allowFilter", "true")
	for _, row := range []struct{ name, filter string }{{"without files", "blob:none"}, {"without trees", "tree:0"}} {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "part.git")
			runGit(t, "", "clone", "--quiet", "--bare", "--filter="+row.filter, "file://"+full, dir)
			e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
			if row.filter == "tree:0" {
				if e.Tree.Unknown() != audit.DNF || e.Licences[""].Unknown() != audit.DNF || e.LicenceHistory.Unknown() != audit.DNF {
					t.Errorf("got tree %q, licence %q, history %q; want all unknown", e.Tree.Failure, e.Licences[""].Failure, e.LicenceHistory.Failure)
				}
				return
			}
			tree := treeOf(t, e)
			facts, _ := e.Licences[""].Get()
			if tree.SPDXHeaders.Unknown() != audit.DNF || tree.LicenceNotices.Unknown() != audit.DNF || tree.SourceFiles != 2 || facts.Expression != "" || facts.Files[0].Marks[0] != "unread" {
				t.Errorf("got headers %+v and licence %+v; want both unknown", tree.SPDXHeaders, facts)
			}
			if got := historyOf(t, e).CommitsEver; got != 2 {
				t.Errorf("got %d commits, want 2: history needs no files", got)
			}
		})
	}
}

func TestDamagedClonesAreReasons(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
	}{
		{"objects removed", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "objects")); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, "objects"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "git log: "},
		{"packs cut", func(t *testing.T, dir string) {
			packs, _ := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
			for _, p := range packs {
				if err := os.Chmod(p, 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(p, 40); err != nil {
					t.Fatal(err)
				}
			}
		}, "git log: "},
		{"refs in another format", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "reftable", "tables.list"), "", 0o644) }, "reftable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := random(9, 150) // enough for a pack
			dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
			runGit(t, "", "--git-dir="+dir, "repack", "-adq")
			row.damage(t, dir)
			e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
			if !strings.Contains(e.Failure, row.want) || strings.Contains(e.Failure, filepath.Dir(dir)) {
				t.Errorf("got %q, want %q and no path", e.Failure, row.want)
			}
		})
	}
}

func TestAnUnreadableFileIsAReasonWithoutItsPath(t *testing.T) {
	dir := filesRepo(map[string]string{"a": "1"}).build(t, filepath.Join(t.TempDir(), "r.git"))
	write(t, filepath.Join(dir, "HEAD"), strings.Repeat("x", maxSmallFile+1), 0o644)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if e.Failure == "" || strings.Contains(e.Failure, dir) {
		t.Errorf("got %q, want a reason without the path", e.Failure)
	}
	got := presentable("opening " + dir + "/packed-refs: permission denied for a@b.example at https://u:p@h.example/x")
	if want := "opening (path): permission denied for (address) at https://h.example/x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAWorkTreeOfAnotherDirectoryIsFollowedByItsGitFile(t *testing.T) {
	dir := filesRepo(map[string]string{"LICENSE": "MIT x"}).build(t, filepath.Join(t.TempDir(), "r.git"))
	linked := filepath.Join(t.TempDir(), "linked")
	runGit(t, "", "--git-dir="+dir, "worktree", "add", "--quiet", "--detach", linked)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), linked, "")
	if facts, _ := e.Licences[""].Get(); facts.Expression != "MIT" {
		t.Errorf("got %q %+v, want the licence", e.Failure, facts)
	}
	circle := t.TempDir()
	write(t, filepath.Join(circle, ".git"), "gitdir: .\n", 0o644)
	if _, err := findClone(circle); err == nil {
		t.Error("a .git file that names itself was taken for a clone")
	}
}

func TestViewsOfKilledProcessesAreRemovedAndOthersKept(t *testing.T) {
	cache := t.TempDir()
	views := filepath.Join(cache, "views")
	write(t, filepath.Join(views, viewPrefix+"1"+lockSuffix), "", 0o600)
	write(t, filepath.Join(views, viewPrefix+"1", "HEAD"), "x", 0o600)
	write(t, filepath.Join(views, viewPrefix+"2"+lockSuffix), "", 0o600)
	write(t, filepath.Join(views, viewPrefix+"2", "HEAD"), "x", 0o600)
	unlock, ok, err := lockFile(filepath.Join(views, viewPrefix+"2"+lockSuffix))
	if err != nil || !ok {
		t.Fatalf("lock: %v, %v", ok, err)
	}
	defer unlock()
	mustCollect(t, newCollector(t, Options{CacheDir: cache, Mirrors: []string{filesRepo(map[string]string{"a": "1"}).mirror(t)}, Offline: true}))
	left, err := filepath.Glob(filepath.Join(views, "*"))
	if err != nil || len(left) != 2 || !strings.Contains(left[0], viewPrefix+"2") {
		t.Errorf("got %v, want only the view that is in use", left)
	}
}

func TestManyTagsAreReadInOneProcess(t *testing.T) {
	r := newRepo()
	one := r.commit(testCommit{when: at(9), files: map[string]string{"a": "1"}})
	dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
	head := strings.TrimSpace(runGit(t, "", "--git-dir="+dir, "rev-parse", "HEAD"))
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, "%s refs/tags/v1.%d.%d\n", head, i/100, i%100)
	}
	write(t, filepath.Join(dir, "packed-refs"), head+" refs/heads/master\n"+lines.String(), 0o644)
	_ = one
	got := releasesIn(t, mustRepository(t, newCollector(t, Options{Offline: true}), dir, ""))
	if got.Releases24m != 1 || got.LastVersion != "v1.199.99" {
		t.Errorf("got %d releases, last %q; want one commit with the highest version", got.Releases24m, got.LastVersion)
	}
}

func TestAMillionTagsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a list of refs of 60 MB")
	}
	r := newRepo()
	r.commit(testCommit{when: at(9), files: map[string]string{"LICENSE": "MIT x"}})
	dir := r.build(t, filepath.Join(t.TempDir(), "r.git"))
	head := strings.TrimSpace(runGit(t, "", "--git-dir="+dir, "rev-parse", "HEAD"))
	list := func(tags int) {
		var lines strings.Builder
		lines.WriteString(head + " refs/heads/master\n")
		for i := range tags {
			fmt.Fprintf(&lines, "%s refs/tags/v1.%d.%d\n", head, i/1000, i%1000)
		}
		write(t, filepath.Join(dir, "packed-refs"), lines.String(), 0o644)
	}
	list(999_000)
	e := mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if historyOf(t, e).CommitsEver != 1 {
		t.Error("the history of a repository with many tags is not read")
	}
	if e.Releases.Value != nil || !strings.Contains(e.Releases.Failure, "more than 200000 tags") {
		t.Errorf("releases: got %+v, want a reason", e.Releases)
	}
	list(1_000_100)
	e = mustRepository(t, newCollector(t, Options{Offline: true}), dir, "")
	if !strings.Contains(e.Failure, "more than 1000000 refs") || e.Settle == "" {
		t.Errorf("got %q, want a reason and a remedy", e.Failure)
	}
}

func TestAThousandReviewersOfOneCommitAreBounded(t *testing.T) {
	r := newRepo()
	var message strings.Builder
	message.WriteString("Much praised\n\nSigned-off-by: Ana Ito <ana@redhat.com>\n")
	for i := range 1000 {
		fmt.Fprintf(&message, "Acked-by: R%d <r%d@example.org>\n", i, i)
	}
	for i := range 12 {
		r.commit(testCommit{when: at(20 - i), message: message.String()})
	}
	c, ok := collect(t, r).Changes.Get()
	if !ok {
		t.Fatal("got no changes, want those of a mailing list")
	}
	if n, _ := c.Windows[0].Approvers.Get(); n != maxTrailers-1 {
		t.Errorf("got %d approvers, want those of the first %d trailers", n, maxTrailers)
	}
}
