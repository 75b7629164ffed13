package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/answers"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge"
	"github.com/pegel-audit/pegel/scoring/foundation"
	"github.com/pegel-audit/pegel/scoring/gitlog"
	"github.com/pegel-audit/pegel/scoring/lifecycle"
	"github.com/pegel-audit/pegel/scoring/openssf"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

// collectorOf makes one collector. It returns nil if the run has no use for it.
type collectorOf struct {
	name string // of the collector: the key of its facts
	make func(context.Context, *gatherer, []scoring.Project) (scoring.Collector, error)
}

// collectors lists who gathers evidence, in order: each may use what those before it found. Git comes first, because it
// needs no token and what it reads is the project's own.
func collectors() []collectorOf {
	return []collectorOf{
		{"git", gitCollector},
		{"foundation", foundationCollector},
		{"lifecycle", lifecycleCollector},
		{"forge", forgeCollector},
		{"thirdparty", thirdPartyCollector},
		{"openssf", openSSFCollector},
	}
}

func gitCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	git, err := g.gitReader()
	if err != nil {
		return nil, err // not the nil inside an interface
	}
	return git, nil
}

// gitReader is the collector of git; others open clones and read registries through it.
func (g *gatherer) gitReader() (*gitlog.Collector, error) {
	if g.git != nil {
		return g.git, nil
	}
	options, done, err := g.gitOptions()
	if err != nil {
		return nil, err
	}
	defer done()
	g.git, err = gitlog.New(options)
	return g.git, err
}

func foundationCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	client, err := g.answerClient()
	if err != nil {
		return nil, err
	}
	return foundation.New(foundation.Options{Read: g.registry, At: g.at, Client: client})
}

func lifecycleCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	return lifecycle.New(lifecycle.Options{Read: g.registry, At: g.at, Tags: g.tags, Support: func(id, version string) (string, string, string, bool) {
		s, ok := g.catalogue.Support(id, version)
		return s.Cycle, s.Ends, s.Source, ok
	}})
}

func forgeCollector(ctx context.Context, g *gatherer, projects []scoring.Project) (scoring.Collector, error) {
	if !g.asksForges() {
		return nil, nil
	}
	client, err := g.answerClient()
	if err != nil {
		return nil, err
	}
	options := forge.Options{
		Client: client, At: g.at, Tokens: g.tokens, Apps: g.apps, Services: g.stack.Collect.Services, Log: g.opt.logger(), Cached: g.opt.CacheDir != "",
	}
	if git, err := g.gitReader(); err == nil {
		options.Affiliate = git.Affiliation().Of
	}
	c, err := forge.New(options)
	if err != nil {
		return nil, err
	}
	if g.client != nil {
		g.opt.progress("asking forges", 0, len(projects))
		if err := c.Prefetch(ctx, projects); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func thirdPartyCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	client, err := g.answerClient()
	if err != nil {
		return nil, err
	}
	options := thirdparty.Options{Client: client, At: g.at, TagTime: g.tagTime, Includes: g.includes}
	for _, word := range g.stack.Collect.Indexes {
		options.Services = append(options.Services, thirdparty.Service(word))
	}
	if g.stack.Collect.OSV != "" {
		options.Dump = relativeTo(g.stack.Dir, g.stack.Collect.OSV)
		if info, err := os.Stat(options.Dump); err == nil {
			options.DumpAt = info.ModTime()
		}
	}
	c, err := thirdparty.New(options)
	if err != nil {
		return nil, err
	}
	g.closers = append(g.closers, c.Close)
	return c, nil
}

func openSSFCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	git, err := g.gitReader()
	if err != nil {
		return nil, err
	}
	return openssf.New(openssf.Options{Source: func(ctx context.Context, p scoring.Project, revision string) (openssf.Source, error) {
		clone, err := git.Open(ctx, p, revision)
		if err != nil {
			return nil, err
		}
		return clone, nil
	}})
}

// tags lists the tags of a project.
func (g *gatherer) tags(ctx context.Context, p scoring.Project) ([]scoring.Tag, error) {
	git, err := g.gitReader()
	if err != nil {
		return nil, err
	}
	clone, err := git.Open(ctx, p, "")
	if err != nil {
		return nil, err
	}
	defer clone.Close()
	return clone.Tags(ctx)
}

// history is the clone of a project, kept open during a run: it is asked about many tags and commits.
func (g *gatherer) history(ctx context.Context, p scoring.Project) (*gitlog.Clone, error) {
	s := g.histories.shelf(p.Repo)
	s.once.Do(func() {
		git, err := g.gitReader()
		if err == nil {
			s.clone, err = git.Open(context.WithoutCancel(ctx), p, "")
		}
		s.err = err
	})
	return s.clone, s.err
}

// tagTime is when a version was tagged, by the clone (thirdparty.Options).
func (g *gatherer) tagTime(ctx context.Context, p scoring.Project, version string) (time.Time, bool) {
	clone, err := g.history(ctx, p)
	if err != nil {
		return time.Time{}, false
	}
	tag, ok, err := clone.TagOf(ctx, version)
	return tag.At, ok && err == nil && !tag.At.IsZero()
}

// includes reports whether the tag of a version contains a commit, by the clone (thirdparty.Options).
func (g *gatherer) includes(ctx context.Context, p scoring.Project, commit, version string) (included, known bool) {
	clone, err := g.history(ctx, p)
	if err != nil {
		return false, false
	}
	tag, ok, err := clone.TagOf(ctx, version)
	if err != nil || !ok {
		return false, false
	}
	included, err = clone.Contains(ctx, tag.Commit, commit)
	return included, err == nil
}

// library keeps clones open during a run, by the address of the repository.
type library struct {
	mu     sync.Mutex
	clones map[string]*shelf
}

type shelf struct {
	once  sync.Once
	clone *gitlog.Clone
	files map[string]string // path to object id
	err   error
}

// maxRegistryFile bounds a file of a registry; the landscape of the CNCF has some 3 MB.
const maxRegistryFile = 64 << 20

// registry reads a file of a repository that holds records of a foundation or a calendar of releases (scoring.ReadFile).
func (g *gatherer) registry(ctx context.Context, repo, path string) ([]byte, audit.Origin, error) {
	origin := audit.Origin{Source: "git", URL: repo, Path: path}
	s := g.library.shelf(repo)
	s.once.Do(func() { s.open(ctx, g, repo) })
	if s.err != nil {
		return nil, origin, s.err
	}
	origin.Commit, origin.At = s.clone.Revision, s.clone.RevisionAt
	id, ok := s.files[path]
	if !ok {
		return nil, origin, fmt.Errorf("%s: %s: %w", repo, path, fs.ErrNotExist)
	}
	data, err := s.clone.Read(ctx, id, maxRegistryFile)
	if err != nil {
		return nil, origin, err
	}
	origin.Digest = audit.DigestOf(data)
	return data, origin, nil
}

func (l *library) shelf(repo string) *shelf {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.clones[repo]
	if !ok {
		if l.clones == nil {
			l.clones = map[string]*shelf{}
		}
		s = &shelf{}
		l.clones[repo] = s
	}
	return s
}

func (s *shelf) open(ctx context.Context, g *gatherer, repo string) {
	git, err := g.gitReader()
	if err != nil {
		s.err = err
		return
	}
	clone, err := git.Open(context.WithoutCancel(ctx), scoring.Project{ID: repo, Repo: repo}, "")
	if err != nil {
		s.err = err
		return
	}
	files, err := clone.Files(ctx)
	if err != nil {
		s.err = errors.Join(err, clone.Close())
		return
	}
	s.clone, s.files = clone, make(map[string]string, len(files))
	for _, f := range files {
		s.files[f.Path] = f.ID
	}
}

// close ends what the run kept open.
func (g *gatherer) close() {
	for _, c := range g.closers {
		_ = c()
	}
	g.closers = nil
	g.library.close()
	g.histories.close()
}

func (l *library) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.clones {
		if s.clone != nil {
			_ = s.clone.Close()
		}
	}
	l.clones = nil
}

// apps returns the GitHub App that may ask a host: PEGEL_GITHUB_APP_ID and PEGEL_GITHUB_APP_KEY_FILE.
func (g *gatherer) apps(host string) []forge.App {
	if g.opt.Getenv == nil || host != "api.github.com" && host != "github.com" {
		return nil
	}
	id, file := g.opt.Getenv("PEGEL_GITHUB_APP_ID"), g.opt.Getenv("PEGEL_GITHUB_APP_KEY_FILE")
	if id == "" || file == "" {
		return nil
	}
	key, err := readSmall(file)
	if err == nil {
		var app forge.App
		if app, err = forge.NewApp(id, 0, []byte(key)); err == nil {
			return []forge.App{app}
		}
	}
	g.opt.logger().Warn("the GitHub App cannot be used", "variable", "PEGEL_GITHUB_APP_KEY_FILE", "reason", err.Error())
	return nil
}

// answersDir is where answers of servers are kept below the cache directory.
const answersDir = "http"

// answerClient is how collectors reach servers: through the guard, redacted, kept and cached. An offline run has the cache
// only. It is nil if there is neither.
func (g *gatherer) answerClient() (*http.Client, error) {
	if g.client == nil {
		if _, err := os.Stat(filepath.Join(g.opt.CacheDir, answersDir, "answers")); g.opt.CacheDir == "" || err != nil {
			return nil, nil // nobody was asked before, and nobody is now
		}
	}
	if g.asking == nil {
		opt := answers.Options{Keep: g.keptBy(), Now: func() time.Time { return time.Now() }}
		if g.opt.Clock != nil {
			opt.Now = g.opt.Clock
		}
		if g.opt.CacheDir != "" {
			opt.Dir = filepath.Join(g.opt.CacheDir, answersDir)
		}
		if g.client != nil {
			opt.Next = g.client.Transport
		}
		transport, err := answers.New(opt)
		if err != nil {
			return nil, err
		}
		g.asking = transport
	}
	client := &http.Client{Transport: g.asking, Timeout: 2 * time.Minute}
	if g.client != nil {
		client.CheckRedirect = g.client.CheckRedirect
	}
	return client, nil
}

// tokens returns the access tokens for a host: PEGEL_GITHUB_TOKEN, PEGEL_GITLAB_TOKEN or PEGEL_TOKEN_<HOST> with dots and
// dashes as underscores, several separated by commas; or the same name with _FILE for a file with one per line. A token is
// sent to its host only.
func (g *gatherer) tokens(host string) []string {
	if g.opt.Getenv == nil {
		return nil
	}
	var out []string
	for _, name := range tokenNames(host) {
		text := g.opt.Getenv(name)
		if file := g.opt.Getenv(name + "_FILE"); file != "" {
			data, err := readSmall(file)
			if err != nil {
				g.opt.logger().Warn("a file of tokens cannot be read", "variable", name+"_FILE", "reason", err.Error())
			}
			text += "\n" + data
		}
		for _, token := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
			out = append(out, token)
		}
	}
	return out
}

// tokenNames are the variables that tokens for a host are taken from.
func tokenNames(host string) []string {
	host = strings.ToLower(host)
	names := []string{"PEGEL_TOKEN_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(host))}
	switch host {
	case "github.com", "api.github.com":
		names = append(names, "PEGEL_GITHUB_TOKEN")
	case "gitlab.com":
		names = append(names, "PEGEL_GITLAB_TOKEN")
	}
	return names
}

// readSmall reads a file of secrets. Errors name the file, never its contents.
func readSmall(name string) (string, error) {
	const most = 64 << 10
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	return string(data), err
}
