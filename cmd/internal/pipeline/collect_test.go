package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/scoring"
)

var judged = time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC)

// mirror makes small clones of catalogue projects below a directory, each with a licence file and a tag.
func mirror(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		repo := filepath.Join(dir, n)
		if err := os.MkdirAll(repo, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repo, "LICENSE"), []byte("made up\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"init", "--quiet", "--initial-branch=main"}, {"add", "."}, {"commit", "--quiet", "--message=first"}, {"tag", "1.6.29"},
		} {
			cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.org"}, args...)...)
			cmd.Dir = repo
			cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-08-20T10:00:00Z", "GIT_COMMITTER_DATE=2026-08-20T10:00:00Z", "GIT_CONFIG_GLOBAL=/dev/null")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
		}
	}
	return dir
}

func collectOptions(t *testing.T, mirrors ...string) Options {
	return Options{
		Version: "test", Now: judged.Add(time.Hour), At: judged, Offline: true, Bundle: filepath.Join(t.TempDir(), "bundle"), Mirrors: mirrors,
		CacheDir: t.TempDir(), Getenv: func(string) string { return "" },
	}
}

func evidenceIn(t testing.TB, dir string) map[string]scoring.Evidence {
	t.Helper()
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]scoring.Evidence{}
	for _, entry := range b.Blobs("project-evidence") {
		data, err := b.Read(entry.Digest)
		if err != nil {
			t.Fatal(err)
		}
		var e scoring.Evidence
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatal(err)
		}
		out[e.Project] = e
	}
	return out
}

func TestFactsAreTakenFromARecordingAndCollectedAnewOneByOne(t *testing.T) {
	recorded := collectOptions(t, mirror(t, "memcached", "haproxy"))
	found, err := CollectCatalogue(t.Context(), []string{"memcached", "haproxy", "chrony"}, map[string][]string{"memcached": {"1.6.29"}}, recorded)
	if err != nil {
		t.Fatal(err)
	}
	if found.Projects != 3 || len(found.Facts) == 0 || found.Facts[0].Known != 2 || found.Facts[0].NotLooked != 1 || len(found.Facts[0].Reasons) != 1 {
		t.Errorf("collected %+v", found.Facts[:1])
	}
	first := evidenceIn(t, recorded.Bundle)
	if len(first) != 2 {
		t.Errorf("%d documents: a project of which nothing is known has none", len(first))
	}

	// Taken: no clone is there, and everything of git is known, with its recording.
	opt := collectOptions(t)
	opt.Evidence = []string{recorded.Bundle}
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.29")})
	if _, err := Collect(t.Context(), stack, opt); err != nil {
		t.Fatal(err)
	}
	taken := evidenceIn(t, opt.Bundle)["memcached"]
	if !taken.Has("git") || taken.Taken["git"].Bundle != found.Identity || !taken.Taken["git"].RecordedAt.Equal(judged) {
		t.Errorf("taken: %v, %+v", taken.Has("git"), taken.Taken)
	}

	// Anew: without a clone the facts are gone, and said to be.
	opt = collectOptions(t)
	opt.Evidence, opt.Anew = []string{recorded.Bundle}, map[string][]string{"memcached": {"git"}}
	if _, err := Collect(t.Context(), stack, opt); err != nil {
		t.Fatal(err)
	}
	if e := evidenceIn(t, opt.Bundle)["memcached"]; e.Has("git") || e.Failure == "" || e.Taken["git"].Bundle != "" {
		t.Errorf("anew: known %v, failure %q, taken %v", e.Has("git"), e.Failure, e.Taken)
	}

	// A recording that lacks the deployed version is not enough where a clone is at hand, and better than nothing where not.
	other := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.30")})
	for _, withClone := range []bool{true, false} {
		opt = collectOptions(t)
		opt.Evidence = []string{recorded.Bundle}
		if withClone {
			opt.Mirrors = recorded.Mirrors
		}
		if _, err := Collect(t.Context(), other, opt); err != nil {
			t.Fatal(err)
		}
		e := evidenceIn(t, opt.Bundle)["memcached"]
		if _, ok := e.Licences["1.6.30"]; ok != withClone || !e.Has("git") {
			t.Errorf("with a clone %v: version looked at %v, git known %v", withClone, ok, e.Has("git"))
		}
	}
}

func TestARecordingInARegistryIsTheSameRecording(t *testing.T) {
	recorded := collectOptions(t, mirror(t, "memcached"))
	found, err := CollectCatalogue(t.Context(), []string{"memcached"}, map[string][]string{"memcached": {"1.6.29"}}, recorded)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	where := strings.TrimPrefix(server.URL, "http://") + "/evidence:2026-08"
	push(t, recorded.Bundle, where)

	opt := collectOptions(t)
	opt.Offline, opt.Evidence = false, []string{"oci:" + where}
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.29")})
	stack.Network.Allow = []string{"127.0.0.1"}
	no := false
	stack.Collect.Forges = &no
	for _, offline := range []bool{false, true} {
		opt.Bundle = filepath.Join(t.TempDir(), "b")
		if _, err := Collect(t.Context(), stack, opt); offline == (err == nil) {
			t.Fatalf("offline %v: %v", offline, err)
		} else if offline {
			break // a tag says nothing to who may not ask
		}
		if e := evidenceIn(t, opt.Bundle)["memcached"]; e.Taken["git"].Bundle != found.Identity {
			t.Errorf("taken from %+v, want %s", e.Taken, found.Identity)
		}
		opt.Offline = true
	}
	opt.Evidence = []string{"oci:" + strings.TrimPrefix(server.URL, "http://") + "/evidence@" + digestAt(t, where)}
	if _, err := Collect(t.Context(), stack, opt); err != nil {
		t.Errorf("by digest, offline: %v", err)
	}
	var usage *UsageError
	opt.Evidence = []string{"oci:not a reference"}
	if _, err := Collect(t.Context(), stack, opt); !errors.As(err, &usage) {
		t.Errorf("a broken reference: %v", err)
	}
}

// push copies the inputs of a bundle to a registry, as oras or skopeo do.
func push(t *testing.T, dir, where string) {
	t.Helper()
	ref, err := name.ParseReference(where)
	if err != nil {
		t.Fatal(err)
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
}

func digestAt(t *testing.T, where string) string {
	t.Helper()
	ref, err := name.ParseReference(where)
	if err != nil {
		t.Fatal(err)
	}
	d, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest.String()
}

// stopping is a collector that counts, and ends the run at a project.
type stopping struct {
	mu   sync.Mutex
	seen []string
	at   string
	stop context.CancelFunc
}

func (s *stopping) Name() string { return "git" }

func (s *stopping) Collect(ctx context.Context, p scoring.Project, _ scoring.Evidence) (scoring.Evidence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return scoring.Evidence{}, err
	}
	if p.ID == s.at {
		s.stop()
		return scoring.Evidence{}, context.Canceled
	}
	s.seen = append(s.seen, p.ID)
	return scoring.Evidence{Schema: scoring.EvidenceSchema, Project: p.ID, Revision: "1", History: audit.Known(scoring.History{})}, nil
}

func TestAnInterruptedRunGoesOn(t *testing.T) {
	projects := []scoring.Project{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}
	opt := collectOptions(t)
	run := func(s *stopping, now time.Time) (*gatherer, []scoring.Evidence) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.stop = cancel
		opt := opt
		opt.At, opt.Now = time.Time{}, now
		g := &gatherer{opt: opt, at: now}
		g.resume()
		c := &collecting{g: g, chain: []scoring.Collector{s}, journal: g.journal}
		var out []scoring.Evidence
		for _, p := range projects {
			out = append(out, c.project(ctx, p, func(string) {}))
		}
		return g, out
	}
	first := &stopping{at: "c"}
	run(first, judged)
	if !slices.Equal(first.seen, []string{"a", "b"}) {
		t.Fatalf("the first run read %v", first.seen)
	}
	second := &stopping{}
	g, out := run(second, judged.Add(time.Hour))
	if !slices.Equal(second.seen, []string{"c", "d"}) || g.journal.resumed != 2 || !g.at.Equal(judged) {
		t.Errorf("the second run read %v, resumed %d, judges %s", second.seen, g.journal.resumed, g.at)
	}
	for i, e := range out {
		if e.Project != projects[i].ID || !e.Has("git") {
			t.Errorf("evidence %d: %+v", i, e.Project)
		}
	}

	// Another day, another input or a damaged note: nothing of it counts.
	late := &stopping{}
	if g, _ := run(late, judged.Add(25*time.Hour)); len(late.seen) != 4 || g.journal.resumed != 0 {
		t.Errorf("a day later: read %v", late.seen)
	}
	opt.Mirrors = []string{"other"}
	if g, _ := run(&stopping{}, judged.Add(25*time.Hour)); g.journal.resumed != 0 {
		t.Error("notes of another input were used")
	}
	if err := os.WriteFile(g.journal.file(projects[0]), []byte(`{"evidence":`), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := &stopping{}
	if run(damaged, judged.Add(26*time.Hour)); !slices.Equal(damaged.seen, []string{"a"}) {
		t.Errorf("with a damaged note: read %v", damaged.seen)
	}
	g.journal.done()
	if _, err := os.Stat(g.journal.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the notes are still there: %v", err)
	}
}

func TestTheNotesOfARunHoldNoTextOfOthers(t *testing.T) {
	ctx, seen := recordKept(t.Context())
	noteKept(ctx, audit.Blob{Kind: "raw", Name: "MAINTAINERS", Data: []byte("ann@example.org"), Withheld: "third-party text"})
	noteKept(ctx, audit.Blob{Kind: "raw", Name: "answers/x", Data: []byte(`{"author":"p1"}`)})
	data, err := json.Marshal(seen.blobs())
	if err != nil || strings.Contains(string(data), "YW5uQGV4YW1wbGUub3Jn") || strings.Contains(string(data), "ann@") || !strings.Contains(string(data), "eyJhdXRob3") {
		t.Errorf("notes: %s, %v", data, err)
	}
}

func TestATokenGoesToItsHostOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("three\nfour\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"PEGEL_GITHUB_TOKEN": "one,two", "PEGEL_GITHUB_TOKEN_FILE": file, "PEGEL_TOKEN_GIT_EXAMPLE_ORG": "five"}
	g := &gatherer{opt: Options{Getenv: func(k string) string { return env[k] }}}
	for host, want := range map[string][]string{
		"api.github.com": {"one", "two", "three", "four"}, "git.example.org": {"five"}, "gitlab.com": nil, "github.com.example.org": nil,
	} {
		if got := g.tokens(host); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", host, got, want)
		}
	}
}

func TestParseAnew(t *testing.T) {
	got, err := ParseAnew([]string{"keystone:git", "nova", ":forge"})
	if err != nil || !slices.Equal(got["keystone"], []string{"git"}) || !slices.Contains(got["nova"], "git") || !slices.Equal(got[""], []string{"forge"}) {
		t.Errorf("%v, %v", got, err)
	}
	var usage *UsageError
	if _, err := ParseAnew([]string{"keystone:svn"}); !errors.As(err, &usage) {
		t.Errorf("an unknown collector: %v", err)
	}
}

// testStack reads a stack file with one source and the files beside it.
func testStack(t *testing.T, source string, files map[string]string) Stack {
	t.Helper()
	all := map[string]string{"stack.yaml": "schema: pegel/stack/v1\nsubject: {name: small, kind: cloud}\nscopes: [scs-open-iaas]\nsources:\n  - " + source + "\n"}
	for n, text := range files {
		all[n] = text
	}
	stack, err := ReadStack(filepath.Join(tree(t, all), "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// psOf is what docker ps prints for one container.
func psOf(image string) string {
	return `{"ID": "2faa0d95194ce35e01e1f5700e853e52975a1c80caa1b8c996fa083d9f605007", "Image": "` + image + `", "Names": "memcached", "State": "running", "Status": "Up 3 weeks"}` + "\n"
}

func TestAPlanOfTheCatalogueAndOfARegistryContactsNobody(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	where := "oci:" + strings.TrimPrefix(server.URL, "http://") + "/evidence:1"
	opt := collectOptions(t)
	opt.Offline, opt.Evidence = false, []string{where}
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.29")})
	stack.Network.Allow = []string{"127.0.0.1"}
	for name, plan := range map[string]func() ([]audit.Contact, error){
		"stack":     func() ([]audit.Contact, error) { return Plan(stack, opt) },
		"catalogue": func() ([]audit.Contact, error) { return PlanCatalogue([]string{"memcached"}, opt) },
	} {
		contacts, err := plan()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		named := func(address string) bool {
			return slices.ContainsFunc(contacts, func(c audit.Contact) bool { return c.Address == address })
		}
		if !named(where) || !named("https://github.com/memcached/memcached") {
			t.Errorf("%s: the plan is %+v", name, contacts)
		}
	}
	if asked != 0 {
		t.Errorf("a plan asked %d times", asked)
	}
	if _, err := os.Stat(opt.Bundle); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a plan wrote a bundle: %v", err)
	}
}

func TestWordsOfACollectionAreChecked(t *testing.T) {
	var usage *UsageError
	opt := collectOptions(t)
	opt.Anew = map[string][]string{"nosuch": {"git"}}
	if _, err := CollectCatalogue(t.Context(), []string{"memcached"}, nil, opt); !errors.As(err, &usage) || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("an unknown project to collect anew: %v", err)
	}
	opt = collectOptions(t, filepath.Join(t.TempDir(), "absent"))
	if _, err := CollectCatalogue(t.Context(), []string{"memcached"}, nil, opt); !errors.As(err, &usage) {
		t.Errorf("a mirror that is not there: %v", err)
	}
}

func TestAReportSaysThatFactsWereTaken(t *testing.T) {
	taken := scoring.Taken{Bundle: "sha256:1", RecordedAt: judged}
	words := takenWords([]scoring.Evidence{
		{Project: "a", Taken: map[string]scoring.Taken{"git": taken, "openssf": taken}}, {Project: "b", Taken: map[string]scoring.Taken{"git": taken}}, {Project: "c"},
	})
	if len(words) != 1 || !strings.Contains(words[0].Reason, "2 projects") || !strings.Contains(words[0].Reason, "nobody signed it") {
		t.Errorf("%+v", words)
	}
}
