package pipeline

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/cmd/internal/answers"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge"
	"github.com/pegel-audit/pegel/scoring/gitlog"
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
		{"forge", forgeCollector},
	}
}

func gitCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	return gitlog.New(g.gitOptions())
}

func forgeCollector(_ context.Context, g *gatherer, _ []scoring.Project) (scoring.Collector, error) {
	client, err := g.answerClient()
	if err != nil {
		return nil, err
	}
	if g.stack.Collect.Forges != nil && !*g.stack.Collect.Forges {
		return nil, nil
	}
	return forge.New(forge.Options{Client: client, At: g.at, Tokens: g.tokens, Services: g.stack.Collect.Services, Log: g.opt.logger()})
}

// answersDir is where answers of servers are kept below the cache directory.
const answersDir = "http"

// answerClient is how collectors reach servers: through the guard, redacted, kept and cached. An offline run has the cache
// only. It is nil if there is neither.
func (g *gatherer) answerClient() (*http.Client, error) {
	if g.client == nil && g.opt.CacheDir == "" {
		return nil, nil
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
	host = strings.ToLower(host)
	names := []string{"PEGEL_TOKEN_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(host))}
	switch host {
	case "github.com", "api.github.com":
		names = append(names, "PEGEL_GITHUB_TOKEN")
	case "gitlab.com":
		names = append(names, "PEGEL_GITLAB_TOKEN")
	}
	var out []string
	for _, name := range names {
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
