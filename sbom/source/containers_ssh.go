package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Times and sizes of the way through ssh.
const (
	sshOpenTime   = 30 * time.Second      // until the forwarded socket is there
	sshLookTime   = 10 * time.Millisecond // between looks for it
	sshEndTime    = 2 * time.Second       // between asking ssh to end and killing it
	maxSSHError   = 4 << 10               // bytes of its messages that are held
	maxSocketPath = 100                   // a path of a Unix socket has at most 107 bytes
)

// sshPlace is a socket on another machine, reached with OpenSSH.
type sshPlace struct {
	user, host, port string
	path             string // of the socket there
	config, identity string // paths of files on this machine, handed to ssh and never read here
}

// String returns the address without the user, who may be a person.
func (p sshPlace) String() string {
	host := p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.port != "" {
		host += ":" + p.port
	}
	return "ssh://" + host + p.path
}

// parseSSH reads ssh://USER@HOST:PORT/PATH. Only letters that mean nothing to ssh, its patterns and a shell are let
// through, and nothing that begins with a dash, so that no part can be taken for an option.
func parseSSH(text string) (sshPlace, error) {
	const form = "write ssh://USER@HOST/run/docker.sock"
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, "?#%") {
		return sshPlace{}, fmt.Errorf("%q is no address of a socket; %s", text, form)
	}
	if _, secret := u.User.Password(); secret {
		return sshPlace{}, errors.New("the address holds a password; use a key, by an agent or identity: FILE")
	}
	p := sshPlace{user: u.User.Username(), host: u.Hostname(), port: u.Port(), path: u.Path}
	if !sshWord(p.host, ":") {
		return sshPlace{}, fmt.Errorf("%q is no host name; %s", p.host, form)
	}
	if u.User != nil && !sshWord(p.user, "") {
		return sshPlace{}, fmt.Errorf("%q is no user name; %s", p.user, form)
	}
	if n, err := strconv.ParseUint(p.port, 10, 16); p.port != "" && (err != nil || n == 0) {
		return sshPlace{}, fmt.Errorf("%q is no port; %s", p.port, form)
	}
	if len(p.path) < 2 || p.path[0] != '/' || len(p.path) > maxSocketPath || !sshWord(p.path, "/@+") {
		return sshPlace{}, fmt.Errorf("%q is no path of a socket; %s", p.path, form)
	}
	return p, nil
}

// sshWord reports whether a text has only letters, digits, dots, dashes, underscores and the extra ones.
func sshWord(text, extra string) bool {
	return text != "" && text[0] != '-' && len(text) <= 255 &&
		strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789._-"+extra) == ""
}

// arguments returns the command line of ssh. It asks nothing, knows the host key or ends, shares no connection that would
// outlive it, and runs no command there.
func (p sshPlace) arguments(local string) []string {
	out := []string{"-N", "-T", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "ControlPath=none", "-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "PermitLocalCommand=no", "-o", "ConnectTimeout=20"}
	if p.config != "" {
		out = append(out, "-F", p.config)
	}
	if p.identity != "" {
		out = append(out, "-i", p.identity)
	}
	if p.port != "" {
		out = append(out, "-p", p.port)
	}
	host := p.host
	if p.user != "" {
		host = p.user + "@" + host
	}
	return append(out, "-L", local+":"+p.path, "--", host)
}

// connectSSH starts ssh, which forwards a socket in a folder that only this user can enter. Closing the client ends ssh
// and removes the folder.
func (s containers) connectSSH(ctx context.Context) (engineClient, error) {
	if s.opt.Network.Dial == nil {
		return engineClient{}, errOffline
	}
	program, err := exec.LookPath("ssh")
	if err != nil {
		return engineClient{}, errors.New("ssh is not installed; install the OpenSSH client, or give files: ps: docker-ps.json")
	}
	dir, err := os.MkdirTemp(s.opt.TempDir, "pegel-ssh-")
	if err != nil {
		return engineClient{}, fmt.Errorf("making a folder for the socket: %s", reason(err))
	}
	local := filepath.Join(dir, "s")
	if len(local) > maxSocketPath || strings.ContainsAny(local, ":%$") {
		_ = os.RemoveAll(dir) // it is empty
		return engineClient{}, errors.New("the folder for temporary files has a path that cannot hold a socket; set TMPDIR to a short one")
	}
	run := startSSH(ctx, program, s.ssh.arguments(local), s.sshEnvironment())
	end := sync.OnceFunc(func() {
		run.stop()
		_ = os.RemoveAll(dir) // a left-over in the folder for temporary files is no reason to fail
	})
	if err := run.wait(ctx, local); err != nil {
		end()
		return engineClient{}, errors.New(s.ssh.anonymous(err))
	}
	var dialer net.Dialer
	return newEngineClient(func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "unix", local) }, end), nil
}

// sshEnvironment hands on what ssh needs to find keys and an agent, and nothing else.
func (s containers) sshEnvironment() []string {
	out := []string{"LC_ALL=C"}
	if s.opt.Getenv == nil {
		return out
	}
	for _, name := range []string{"HOME", "USER", "PATH", "SSH_AUTH_SOCK"} {
		if value := s.opt.Getenv(name); value != "" {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// sshRun is ssh at work.
type sshRun struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when ssh has ended
	said   *boundedText
	failed error // why it did not start; read after done
}

func startSSH(ctx context.Context, program string, arguments, environment []string) *sshRun {
	ctx, cancel := context.WithCancel(ctx)
	r := &sshRun{cancel: cancel, done: make(chan struct{}), said: &boundedText{}}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Env = environment
	command.Stderr = r.said
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = sshEndTime
	go func() {
		defer close(r.done)
		r.failed = command.Run()
	}()
	return r
}

// wait returns when the forwarded socket is there, or why it will not be.
func (r *sshRun) wait(ctx context.Context, local string) error {
	ctx, cancel := context.WithTimeout(ctx, sshOpenTime)
	defer cancel()
	tick := time.NewTicker(sshLookTime)
	defer tick.Stop()
	for {
		if _, err := os.Stat(local); err == nil {
			return nil
		}
		select {
		case <-r.done:
			return fmt.Errorf("ssh ended: %s", cmp.Or(r.said.last(), "without a message"))
		case <-ctx.Done():
			return errors.New("ssh did not open the way in time")
		case <-tick.C:
		}
	}
}

func (r *sshRun) stop() {
	r.cancel()
	<-r.done
}

// boundedText holds the end of what a program says.
type boundedText struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps the last bytes.
func (b *boundedText) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p[max(0, len(p)-maxSSHError):]...)
	b.text = b.text[max(0, len(b.text)-maxSSHError):]
	return len(p), nil
}

// last returns the last line that says something, short, printable, and without paths of this machine.
func (b *boundedText) last() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(b.text), []byte("\n"))
	words := strings.Fields(enginePrintable(string(lines[len(lines)-1]), 200))
	for i, word := range words {
		if bare := strings.Trim(word, `"'():,`); strings.HasPrefix(bare, "/") {
			words[i] = strings.Replace(word, bare, shown(bare), 1)
		}
	}
	return strings.Join(words, " ")
}

// anonymous returns an error without the user, who may be a person.
func (p sshPlace) anonymous(err error) string {
	if p.user == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), p.user+"@", "")
}
