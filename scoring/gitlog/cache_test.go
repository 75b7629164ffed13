package gitlog

import (
	"context"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// served is a repository behind git http-backend on the loopback, with partial clones allowed.
type served struct {
	url      string
	dir      string
	requests atomic.Int64
	fail     atomic.Bool // cut every answer with pack data in the middle
}

func serve(t testing.TB, r *repo) *served {
	t.Helper()
	needGit(t)
	root := t.TempDir()
	return serveBelow(t, root, r.build(t, filepath.Join(root, "sample", "sample.git")))
}

// serveClone serves the objects and refs of a clone on this machine, which is only read.
func serveClone(t testing.TB, dir string) *served {
	t.Helper()
	needGit(t)
	found, err := findClone(dir)
	if err != nil {
		t.Fatal(err)
	}
	state, err := found.read()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	bare := filepath.Join(root, "sample", "sample.git")
	runGit(t, "", "init", "--quiet", "--bare", "--template=", bare)
	var packed strings.Builder
	named := map[string]bool{}
	for _, r := range state.refs { // branches before remote branches of the same name
		name := strings.Replace(r.name, "refs/remotes/origin/", "refs/heads/", 1)
		if !named[name] {
			packed.WriteString(r.id + " " + name + "\n")
		}
		named[name] = true
	}
	write(t, filepath.Join(bare, "objects", "info", "alternates"), filepath.Join(found.common, "objects")+"\n", 0o600)
	write(t, filepath.Join(bare, "packed-refs"), packed.String(), 0o600)
	write(t, filepath.Join(bare, "HEAD"), "ref: "+state.head+"\n", 0o600)
	return serveBelow(t, root, bare)
}

func serveBelow(t testing.TB, root, dir string) *served {
	t.Helper()
	s := &served{dir: dir}
	for _, setting := range []string{"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.getanyfile"} {
		runGit(t, "", "--git-dir="+s.dir, "config", setting, "true")
	}
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: path, Args: []string{"http-backend"}, Root: "/",
		Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.requests.Add(1)
		if v := q.Header.Get("Git-Protocol"); v != "" {
			h := *backend
			h.Env = append(append([]string{}, backend.Env...), "GIT_PROTOCOL="+v)
			if s.fail.Load() && q.Method == http.MethodPost {
				w = &cutWriter{ResponseWriter: w, left: 600}
			}
			h.ServeHTTP(w, q)
			return
		}
		backend.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/sample/sample.git"
	return s
}

// cutWriter breaks the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(p)
}

// Flush is needed because a reverse-proxied stream is flushed on its way.
func (w *cutWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func overHTTP(t *testing.T, s *served, o Options) scoring.Evidence {
	t.Helper()
	o.Protocols = []string{"http"}
	e, err := newCollector(t, o).Collect(context.Background(), scoring.Project{ID: "sample", Repo: s.url, Versions: []string{"1.0.0"}}, scoring.Evidence{})
	if err != nil {
		t.Fatalf("Collect: %v", err)
	}
	return e
}

// licensed is a history with a licence change, a tag, and a file that nobody needs.
func licensed() *repo {
	r := newRepo()
	one := r.commit(testCommit{when: at(400), files: map[string]string{"LICENSE": "MIT old", ".mailmap": "Ana Ito <ana@redhat.com> <a@b.example>\n", "data.bin": strings.Repeat("random data ", 500)}})
	r.commit(testCommit{when: at(300), author: "A <a@b.example>", files: map[string]string{"LICENSE": "Apache-2.0 new", "SECURITY.md": "Report vulnerabilities.", "a.go": "// SPDX-License-Identifier: MIT"}})
	r.commit(testCommit{when: at(5), author: ben, files: map[string]string{"b.go": "package b"}})
	r.tag("v1.0.0", one, at(400), false)
	return r
}

func TestAPartialCloneOverHTTPGivesTheSameFactsAsAFullOne(t *testing.T) {
	s := serve(t, licensed())
	cache := t.TempDir()
	remote := overHTTP(t, s, Options{CacheDir: cache})
	if remote.Failure != "" || remote.Licences["1.0.0"].Failure != "" {
		t.Fatalf("got %q, %q", remote.Failure, remote.Licences["1.0.0"].Failure)
	}
	local := mustRepository(t, newCollector(t, Options{Offline: true}), s.dir, "")
	if got, want := asJSON(t, historyOf(t, wholeOnly(remote))), asJSON(t, historyOf(t, wholeOnly(local))); got != want {
		t.Errorf("history:\n%s", difference(got, want))
	}
	if d := historyOf(t, remote).CodeDrop; d.Value != nil || d.Failure == "" || d.Settle == "" {
		t.Errorf("lines of a partial clone: %+v, want a reason and a remedy", d)
	}
	remoteTree, localTree := treeOf(t, remote), treeOf(t, local)
	if got, want := strings.ReplaceAll(asJSON(t, remoteTree), s.url, "X"), strings.ReplaceAll(asJSON(t, localTree), "local clone", "X"); got != want {
		t.Errorf("tree:\ngot  %s\nwant %s", got, want)
	}
	facts, _ := remote.Licences["1.0.0"].Get()
	states, _ := remote.LicenceHistory.Get()
	if facts.Expression != "MIT" || len(states) != 2 {
		t.Errorf("got %q at the tag and %d states, want MIT and 2", facts.Expression, len(states))
	}
	clone := clonesIn(t, cache)[0]
	missing := runGit(t, "", "--git-dir="+clone, "rev-list", "--objects", "--missing=print", "--all")
	if !strings.Contains(missing, "\n?") {
		t.Error("the clone has every file; want a partial clone that lacks what nobody needed")
	}
}

// clonesIn lists what is visible as a clone in a cache.
func clonesIn(t *testing.T, cache string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cache, "git", "*.git"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAServerWithoutFiltersIsClonedInFull(t *testing.T) {
	s := serve(t, licensed())
	runGit(t, "", "--git-dir="+s.dir, "config", "uploadpack.allowFilter", "false")
	if e := overHTTP(t, s, Options{CacheDir: t.TempDir()}); e.Failure != "" || treeOf(t, e).Documents["security"][0].Digest == "" {
		t.Errorf("got %q, want all facts", e.Failure)
	}
}

func TestAnInterruptedCloneIsNeverUsedAndIsRedone(t *testing.T) {
	s := serve(t, random(2, 100))
	cache := t.TempDir()
	s.fail.Store(true)
	e := overHTTP(t, s, Options{CacheDir: cache})
	if e.Failure == "" || e.Revision != "" {
		t.Fatalf("from a server that breaks off: got revision %q and no failure", e.Revision)
	}
	if strings.Contains(e.Failure, cache) {
		t.Errorf("the reason shows a path of this machine: %q", e.Failure)
	}
	if got := clonesIn(t, cache); len(got) != 0 {
		t.Fatalf("a half clone is visible: %v", got)
	}
	s.fail.Store(false)
	// What a killed process leaves behind: a directory under the temporary name, with a plausible HEAD.
	part := filepath.Join(cache, "git", cacheName(s.url)+".git"+partSuffix)
	for _, dir := range []string{"objects", "refs"} {
		if err := os.MkdirAll(filepath.Join(part, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(part, "HEAD"), []byte("ref: refs/heads/wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := overHTTP(t, s, Options{CacheDir: cache, Offline: true}); e.Failure != "no local clone and offline" {
		t.Errorf("offline with a half clone: got %q", e.Failure)
	}
	if e := overHTTP(t, s, Options{CacheDir: cache}); e.Failure != "" {
		t.Errorf("at the next start: got %q, want a new clone", e.Failure)
	}
	if _, err := os.Stat(part); !os.IsNotExist(err) {
		t.Errorf("the half clone is still there: %v", err)
	}
}

func TestACachedCloneIsReadOfflineAndUpdatedWhenItIsOlderThanTheQuestion(t *testing.T) {
	r := licensed()
	s := serve(t, r)
	cache := t.TempDir()
	first := overHTTP(t, s, Options{CacheDir: cache})
	asked := s.requests.Load()
	offline := overHTTP(t, s, Options{CacheDir: cache, Offline: true})
	if s.requests.Load() != asked {
		t.Errorf("offline: the server was asked %d times", s.requests.Load()-asked)
	}
	if asJSON(t, first) != asJSON(t, offline) {
		t.Error("offline gives other facts than online")
	}
	again := overHTTP(t, s, Options{CacheDir: cache})
	if s.requests.Load() != asked || asJSON(t, first) != asJSON(t, again) {
		t.Errorf("a question about the past of the clone: the server was asked %d times", s.requests.Load()-asked)
	}
	stamp := filepath.Join(clonesIn(t, cache)[0], fetchedStamp)
	old := now.AddDate(0, 0, -3)
	if err := os.Chtimes(stamp, old, old); err != nil {
		t.Fatal(err)
	}
	runGit(t, "commit refs/heads/main\ncommitter Ben Oku <ben@suse.com> "+strconv.FormatInt(at(2), 10)+" +0000\ndata 3\nnew\nfrom refs/heads/master^0\nM 100644 inline GOVERNANCE.md\ndata 1\nx\n\n",
		"--git-dir="+s.dir, "fast-import", "--quiet", "--date-format=raw")
	runGit(t, "", "--git-dir="+s.dir, "symbolic-ref", "HEAD", "refs/heads/main")
	runGit(t, "", "--git-dir="+s.dir, "update-ref", "-d", "refs/heads/master")
	updated := overHTTP(t, s, Options{CacheDir: cache})
	if h := historyOf(t, updated); h.CommitsEver != 4 || len(treeOf(t, updated).Documents["governance"]) != 1 {
		t.Errorf("after an update and a renamed branch: got %d commits, want 4 and the new file", h.CommitsEver)
	}
}

func TestTwoRunsShareOneClone(t *testing.T) {
	s := serve(t, licensed())
	cache := t.TempDir()
	var wait sync.WaitGroup
	got := make([]string, 4)
	for i := range got {
		wait.Go(func() {
			c, err := New(Options{CacheDir: cache, At: now, Classify: classify, Protocols: []string{"http"}})
			if err != nil {
				got[i] = err.Error()
				return
			}
			e, err := c.Collect(context.Background(), scoring.Project{ID: "sample", Repo: s.url}, scoring.Evidence{})
			if err != nil || e.Failure != "" {
				got[i] = "failed: " + e.Failure
				return
			}
			got[i] = e.Revision
		})
	}
	wait.Wait()
	for i := range got {
		if got[i] != got[0] || len(got[i]) != 40 {
			t.Errorf("run %d: got %q, want the revision that run 0 has, %q", i, got[i], got[0])
		}
	}
	if clones := clonesIn(t, cache); len(clones) != 1 {
		t.Errorf("got clones %v, want one", clones)
	}
}

func TestOnlyAllowedProtocolsAreSpoken(t *testing.T) {
	s := serve(t, licensed())
	c := newCollector(t, Options{CacheDir: t.TempDir()})
	for _, address := range []string{s.url, "file://" + s.dir, "ext::sh -c 'touch canary'", "https://user:secret@h.example/a/b"} {
		e, err := c.Collect(context.Background(), scoring.Project{ID: "x", Repo: address}, scoring.Evidence{})
		if err != nil || e.Failure == "" || strings.Contains(asJSON(t, e), "secret") {
			t.Errorf("%s: got %q, %v; want a refusal that shows no password", address, e.Failure, err)
		}
	}
	if s.requests.Load() != 0 {
		t.Errorf("the server was asked %d times", s.requests.Load())
	}
	if _, err := New(Options{At: now, Protocols: []string{"ext"}}); err == nil {
		t.Error("the protocol ext was allowed")
	}
}

func TestTheMirrorAddressServesWhenTheRepositoryDoesNot(t *testing.T) {
	s := serve(t, licensed())
	dead := httptest.NewServer(http.NotFoundHandler())
	defer dead.Close()
	c := newCollector(t, Options{CacheDir: t.TempDir(), Protocols: []string{"http"}})
	e, err := c.Collect(context.Background(), scoring.Project{ID: "x", Repo: dead.URL + "/sample/sample", Mirror: s.url}, scoring.Evidence{})
	if err != nil || e.Failure != "" || e.Repo != dead.URL+"/sample/sample" {
		t.Errorf("got %q about %q, %v; want facts about the repository by way of its mirror", e.Failure, e.Repo, err)
	}
}

func TestAnEmptyRepositoryIsNamedAsSuch(t *testing.T) {
	s := serve(t, newRepo())
	if got, want := overHTTP(t, s, Options{CacheDir: t.TempDir()}).Failure, "the repository has no commits on its default branch"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNothingIsLeftBehindButTheClone(t *testing.T) {
	s := serve(t, licensed())
	cache := t.TempDir()
	overHTTP(t, s, Options{CacheDir: cache})
	views, err := os.ReadDir(filepath.Join(cache, "views"))
	if err != nil || len(views) != 0 {
		t.Errorf("got views %v, %v; want none", views, err)
	}
}
