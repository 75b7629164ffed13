package gitlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The oldest git that this package drives: 2.36 has cat-file --batch-command and --end-of-options everywhere we use it
// (reference: git release notes of 2.24 and 2.36).
const (
	minMajor = 2
	minMinor = 36
)

// maxStderr bounds what is kept of git's messages; they are only read for the reason of a failure.
const maxStderr = 4 << 10

// errStop is returned by a reader of git's output that has seen enough; git is then stopped without an error.
var errStop = errors.New("seen enough")

// git runs the git binary with an environment and flags of our own: no configuration of the machine or of the user, no
// hooks, no prompts, no lazy fetches and no protocol that was not allowed.
type git struct {
	path      string
	protocols []string
	network   []string // KEY=value pairs for commands that talk to a server: proxy and certificate settings
}

// findGit looks for git and checks its version.
func findGit(ctx context.Context, path string) (string, error) {
	if path == "" {
		found, err := exec.LookPath("git")
		if err != nil {
			return "", fmt.Errorf("looking for git: not found on PATH; install git %d.%d or newer", minMajor, minMinor)
		}
		path = found
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("looking for git: %w", err)
	}
	cmd := exec.CommandContext(ctx, absolute, "version")
	cmd.Env = []string{"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking git for its version: %w; install git %d.%d or newer", err, minMajor, minMinor)
	}
	if err := checkVersion(string(out)); err != nil {
		return "", err
	}
	return absolute, nil
}

var versionPattern = regexp.MustCompile(`^git version (\d{1,4})\.(\d{1,4})`)

// checkVersion reads the answer of "git version".
func checkVersion(answer string) error {
	m := versionPattern.FindStringSubmatch(answer)
	if m == nil {
		return fmt.Errorf("reading the version of git: unexpected answer %q", clip(answer, 80))
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < minMajor || major == minMajor && minor < minMinor {
		return fmt.Errorf("git %d.%d is too old; install git %d.%d or newer", major, minor, minMajor, minMinor)
	}
	return nil
}

// settings are given before every subcommand. The clone's own configuration is never read (see view), and these close
// what a configuration could open.
var settings = []string{
	"core.hooksPath=/dev/null", "core.fsmonitor=false", "core.commitGraph=false", "core.askPass=", "credential.helper=",
	"gc.auto=0", "maintenance.auto=false", "fetch.recurseSubmodules=false", "submodule.recurse=false", "protocol.ext.allow=never",
	"log.showSignature=false", "log.mailmap=true", "http.lowSpeedLimit=1000", "http.lowSpeedTime=60",
}

// command builds a git command. dir is the git directory, empty for commands without one; online commands may use the
// allowed protocols, all others none.
func (g *git) command(ctx context.Context, dir string, online bool, args ...string) *exec.Cmd {
	full := make([]string, 0, 2*len(settings)+len(args)+1)
	for _, s := range settings {
		full = append(full, "-c", s)
	}
	if dir != "" {
		full = append(full, "--git-dir="+dir)
	}
	cmd := exec.CommandContext(ctx, g.path, append(full, args...)...)
	cmd.Env = []string{
		"PATH=" + filepath.Dir(g.path) + ":/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1",
		"GIT_FLUSH=0", // write full buffers, not one commit at a time
	}
	if online {
		cmd.Env = append(cmd.Env, "GIT_ALLOW_PROTOCOL="+strings.Join(g.protocols, ":"))
		cmd.Env = append(cmd.Env, g.network...)
	} else {
		cmd.Env = append(cmd.Env, "GIT_ALLOW_PROTOCOL=none")
	}
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// streamWith is stream with settings for this one command.
func (g *git) streamWith(ctx context.Context, dir string, extra []string, read func(io.Reader) error, args ...string) error {
	before := make([]string, 0, 2*len(extra)+len(args))
	for _, s := range extra {
		before = append(before, "-c", s)
	}
	return g.stream(ctx, dir, nil, read, append(before, args...)...)
}

// stream runs git and hands its output to read, which may stop early with errStop. stdin may be nil.
func (g *git) stream(ctx context.Context, dir string, stdin io.Reader, read func(io.Reader) error, args ...string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := g.command(ctx, dir, false, args...)
	cmd.Stdin = stdin
	return run(ctx, cancel, cmd, dir, read)
}

// run starts the command and reads its output to the end, or until read has seen enough.
func run(ctx context.Context, cancel context.CancelFunc, cmd *exec.Cmd, dir string, read func(io.Reader) error) error {
	stderr := &bounded{limit: maxStderr}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting git: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting git: %w", err)
	}
	readErr := read(out)
	cause := ctx.Err() // before our own cancel
	if readErr != nil {
		cancel()
	}
	waitErr := cmd.Wait()
	switch {
	case cause != nil:
		return cause
	case errors.Is(readErr, errStop):
		return nil
	case waitErr != nil && ctx.Err() == nil:
		return &gitError{command: subcommand(cmd.Args), message: clean(stderr.String(), dir)}
	case readErr != nil:
		return readErr
	}
	return waitErr
}

// output returns what git prints, at most limit bytes.
func (g *git) output(ctx context.Context, dir string, limit int64, args ...string) ([]byte, error) {
	var out []byte
	err := g.stream(ctx, dir, nil, func(r io.Reader) error {
		var err error
		out, err = io.ReadAll(io.LimitReader(r, limit+1))
		if err == nil && int64(len(out)) > limit {
			err = fmt.Errorf("git %s printed more than %d bytes", args[0], limit)
		}
		return err
	}, args...)
	return out, err
}

// online runs a command that talks to a server; its output is dropped.
func (g *git) online(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := g.command(ctx, dir, true, args...)
	cmd.Stdin = stdin
	var out []byte
	err := run(ctx, cancel, cmd, dir, func(r io.Reader) error {
		var err error
		if out, err = io.ReadAll(io.LimitReader(r, 1<<20)); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r)
		return err
	})
	return out, err
}

// gitError is a git command that ended with a failure.
type gitError struct {
	command string
	message string // cleaned
}

func (e *gitError) Error() string {
	if e.message == "" {
		return "git " + e.command + " failed without a message"
	}
	return "git " + e.command + ": " + e.message
}

// subcommand finds the word after the settings.
func subcommand(args []string) string {
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == "-c":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i]
		}
	}
	return "command"
}

var (
	userInfo = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/@\s]*@`)
	address  = regexp.MustCompile(`[^\s<>"'@]*(@[^\s<>"'@]*)+`)
	hostPath = regexp.MustCompile(`(^|[\s'"(=])/[^\s'"):]+`)
)

// clean makes git's message fit for a report: the first fatal line, without credentials, addresses of people, paths of
// this machine or control characters.
func clean(message, dir string) string {
	line := ""
	for _, l := range strings.Split(message, "\n") {
		l = strings.TrimSpace(l)
		if rest, ok := strings.CutPrefix(l, "fatal: "); ok {
			line = rest
			break
		}
		if l != "" {
			line = strings.TrimPrefix(l, "error: ")
		}
	}
	if dir != "" {
		line = strings.ReplaceAll(line, dir, "(clone)")
	}
	return presentable(line)
}

// presentable makes any reason fit for a report: no credentials, no addresses of people, no paths of this machine, no
// control characters, at most 200 bytes.
func presentable(reason string) string {
	reason = userInfo.ReplaceAllString(reason, "$1")
	reason = address.ReplaceAllString(reason, "(address)")
	reason = hostPath.ReplaceAllString(reason, "$1(path)")
	return clip(printable(reason), 200)
}

// mailAddress is an address of a person in a name of a file, branch or tag; packages such as @scope/name are none.
var mailAddress = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)

// publicName makes a name of a repository fit for evidence: valid UTF-8 without addresses of people.
func publicName(raw string) string {
	name := strings.ToValidUTF8(raw, "\uFFFD")
	if !strings.Contains(name, "@") {
		return name
	}
	return mailAddress.ReplaceAllString(name, "(address)")
}

// printable replaces invalid UTF-8 and control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// clip cuts text to at most n bytes at the border of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// bounded keeps the first bytes written to it and drops the rest.
type bounded struct {
	buf   bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.buf.Len(); room > 0 {
		b.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (b *bounded) String() string { return b.buf.String() }
