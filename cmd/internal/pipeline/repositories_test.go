package pipeline

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/openops"
	"github.com/pegel-audit/pegel/audit/transparency/runbook"
	"github.com/pegel-audit/pegel/scoring/gitlog"
)

// givenCommit is one commit of a repository that a test makes.
type givenCommit struct {
	days   int // before judged
	author string
	files  map[string]string
}

// madeRepository makes a bare repository below a directory, by git fast-import.
func madeRepository(t *testing.T, dir string, commits []givenCommit) string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("git is not installed")
	}
	var stream strings.Builder
	for _, c := range commits {
		when := judged.AddDate(0, 0, -c.days).Unix()
		fmt.Fprintf(&stream, "commit refs/heads/main\nauthor %s %d +0000\ncommitter %s %d +0000\ndata 1\nx\n", c.author, when, c.author, when)
		for name, text := range c.files {
			fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
		}
		stream.WriteString("\n")
	}
	for _, args := range [][]string{{"init", "--quiet", "--bare", "--template=", "--initial-branch=main", dir}, {"-C", dir, "fast-import", "--quiet"}, {"-C", dir, "config", "uploadpack.allowFilter", "true"}, {"-C", dir, "config", "uploadpack.allowAnySHA1InWant", "true"}} {
		cmd := exec.Command(git, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"}
		if args[len(args)-1] == "--quiet" {
			cmd.Stdin = strings.NewReader(stream.String())
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	return dir
}

const operationsGuide = "# Upgrade of the cloud\n\nRead the notes, stop what has to stand still, upgrade one node after the other, and look at the monitor in between.\n"

func operatorCommits(t *testing.T) []givenCommit {
	text, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	return []givenCommit{
		{500, "Old One <old@operator.example>", map[string]string{"LICENSE": string(text)}},
		{300, "Ana Ito <ana@ops.operator.example>", map[string]string{"docs/upgrade.md": operationsGuide, "logo.png": "x"}},
		{200, "Ben Oku <ben@ops.operator.example>", map[string]string{"docs/upgrade.md": operationsGuide + "\n"}},
		{100, "Some One <some@gmail.com>", map[string]string{"README.md": "# Ops\n"}},
		{2, "renovate[bot] <bot@renovate.operator.example>", map[string]string{"README.md": "# Ops\n\n"}},
		{-2, "Ana Ito <ana@ops.operator.example>", map[string]string{"README.md": "# After the day that is judged\n"}},
	}
}

func TestARepositoryIsOpenedFromItsServerWithWhatIsAskedOfIt(t *testing.T) {
	root := t.TempDir()
	madeRepository(t, filepath.Join(root, "ops", "runbooks.git"), operatorCommits(t))
	git, _ := exec.LookPath("git")
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Root: "/", Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"}}
	server := httptest.NewServer(backend)
	defer server.Close()
	reader, err := gitlog.New(gitlog.Options{CacheDir: t.TempDir(), At: judged, Protocols: []string{"http"}, Classify: licence.Detect})
	if err != nil {
		t.Fatal(err)
	}
	g := &gatherer{git: reader, at: judged}
	url := server.URL + "/ops/runbooks.git"
	r, trouble := g.openRepository(t.Context(), url)
	if trouble != nil {
		t.Fatalf("trouble: %+v", trouble)
	}
	last, _ := r.LastHuman.Get()
	expression, _ := r.Licence.Get()
	if r.Local || r.URL != url || len(r.Commit) != 40 || expression != "Apache-2.0" || !last.Equal(judged.AddDate(0, 0, -100)) || !r.CommitAt.Equal(judged.AddDate(0, 0, -2)) || r.SeenUntil.After(judged) {
		t.Errorf("repository %+v: licence %q, last %v", r, expression, last)
	}
	c, err := r.Contributions(t.Context(), []string{"operator.example"})
	if want := (transparency.Contributions{Commits: 2, People: 2, Few: true, Newest: judged.AddDate(0, 0, -200), Human: 3, Unknown: 1}); err != nil || c != want {
		t.Errorf("contributions\n got %+v, %v\nwant %+v", c, err, want)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}

	world := transparency.World{Open: g.openRepository, At: judged, Operator: transparency.Operator{Name: "Example GmbH", Domains: []string{"operator.example"}}}
	a := runbook.Collect(t.Context(), transparency.Target{Kind: transparency.KindRunbooks, URL: url}, world)
	if a.Trouble != nil {
		t.Fatalf("trouble: %+v", a.Trouble)
	}
	p := a.Runbooks.Places[0]
	if public, _ := p.Public.Get(); !public || len(p.Topics) != 1 || p.Topics[0].Path != "docs/upgrade.md" || p.Documents != 2 || p.SecretsSeen.Unknown() != audit.PASS {
		t.Errorf("place %+v", p)
	}
	o := openops.Collect(t.Context(), transparency.Target{URL: url, Repositories: []string{url}}, world)
	if count, _ := o.OpenOperations.Repositories[0].Count.Get(); count.Commits != 2 {
		t.Errorf("counted %+v", o.OpenOperations)
	}
}

func TestACloneBelowAMirrorIsReadOfflineAndSaysSo(t *testing.T) {
	mirrors := t.TempDir()
	madeRepository(t, filepath.Join(mirrors, "ops", "runbooks"), operatorCommits(t))
	g := &gatherer{opt: Options{Mirrors: []string{mirrors}, Offline: true}, at: judged}
	r, trouble := g.openRepository(t.Context(), "https://git.example.org/ops/runbooks")
	if trouble != nil {
		t.Fatalf("trouble: %+v", trouble)
	}
	defer r.Close()
	if !r.Local || r.URL != "https://git.example.org/ops/runbooks" || strings.Contains(fmt.Sprint(r), mirrors) {
		t.Errorf("repository %+v", r)
	}
	_, trouble = g.openRepository(t.Context(), "https://git.example.org/ops/other")
	if trouble == nil || trouble.Kind != audit.TroubleOffline || trouble.Outcome() != audit.MISS {
		t.Errorf("offline: %+v", trouble)
	}
}

// The answers are git's own words about servers that fail in these ways.
func TestWhatKeepsARepositoryFromBeingReadIsNamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/private"):
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/forbidden"):
			w.WriteHeader(http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/broken"):
			w.WriteHeader(http.StatusBadGateway)
		case strings.HasPrefix(r.URL.Path, "/page"):
			fmt.Fprint(w, "<html>Please log in</html>")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	reader, err := gitlog.New(gitlog.Options{CacheDir: t.TempDir(), At: judged, Protocols: []string{"http", "https"}})
	if err != nil {
		t.Fatal(err)
	}
	g := &gatherer{git: reader, at: judged}
	for url, want := range map[string]string{
		server.URL + "/private/x":                       audit.TroubleLogin,
		server.URL + "/forbidden/x":                     audit.TroubleLogin,
		server.URL + "/broken/x":                        audit.TroubleServer,
		server.URL + "/gone/x":                          audit.TroubleNotFound,
		server.URL + "/page/x":                          audit.TroubleContent,
		secure.URL + "/x/y":                             audit.TroubleTLS,
		"http://" + closed.Addr().String() + "/x/y":     audit.TroubleUnreachable,
		"https://nothing.invalid/x/y":                   audit.TroubleUnreachable,
		"ext::sh -c true":                               audit.TroubleAddress,
		"file:///etc/passwd":                            audit.TroubleAddress,
		"https://user:secret-word@git.example.org/x/y":  audit.TroubleAddress,
		"https://git.example.org/--upload-pack=true/-x": audit.TroubleAddress,
	} {
		_, trouble := g.openRepository(t.Context(), url)
		if trouble == nil || trouble.Kind != want || trouble.Text == "" || trouble.Settle == "" || strings.Contains(trouble.Text+trouble.Settle, "secret-word") {
			t.Errorf("%s: got %+v, want %s", url, trouble, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, trouble := g.openRepository(ended, server.URL+"/gone/y"); trouble.Kind != audit.TroubleInterrupted {
		t.Errorf("an ended run: %+v", trouble)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, trouble := g.openRepository(late, server.URL+"/gone/z"); trouble.Kind != audit.TroubleTimeout {
		t.Errorf("too slow: %+v", trouble)
	}
}

func TestGitContactsNoServerThatTheGuardRefuses(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	way, err := guard(Stack{})
	if err != nil {
		t.Fatal(err)
	}
	g := &gatherer{at: judged, network: network(way, false)}
	g.git, err = gitlog.New(gitlog.Options{CacheDir: t.TempDir(), At: judged, Protocols: []string{"http"}, Reach: g.reach})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{server.URL + "/ops/runbooks", "http://169.254.169.254/latest/meta-data", "http://[::ffff:127.0.0.1]/x/y"} {
		_, trouble := g.openRepository(t.Context(), url)
		if trouble == nil || trouble.Kind != audit.TroubleAddress || asked > 0 {
			t.Errorf("%s: %+v, asked %d times", url, trouble, asked)
		}
	}
}

func TestLicenceFilesAreToldByTheirNames(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENCE.md": true, "LICENSE-CODE": true, "license_content.txt": true, "COPYING": true, "LICENSES/CC-BY-4.0.txt": true, "UNLICENSE": true,
		"docs/LICENSE": false, "license.py": false, "LICENSES/sub/x.txt": false, "LICENSES.yml": false, "licensing.md": false, "copyright": false,
	} {
		if got := isLicenceFile(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
