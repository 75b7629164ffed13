package gitlog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// source is where the objects of a project come from.
type source struct {
	clone clone
	ours  string // git directory of our own cached clone; empty for clones of others
	url   string // address of our cached clone
}

// validateURL checks an address before it reaches a command line: an allowed scheme, a host, no credentials, no option.
func validateURL(raw string, protocols []string) error {
	if len(raw) > 2048 || raw != printable(raw) || strings.ContainsAny(raw, " \\") {
		return errors.New("the address is not a plain URL")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return errors.New("the address is not a URL such as https://host/owner/name")
	}
	switch {
	case !slices.Contains(protocols, u.Scheme):
		return fmt.Errorf("protocol %q is not allowed; allowed: %s", u.Scheme, strings.Join(protocols, ", "))
	case u.User != nil:
		return errors.New("the address contains credentials; give it without")
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return errors.New("the address of a repository has no query and no fragment")
	case u.Scheme != "file" && u.Host == "" || strings.HasPrefix(u.Host, "-") || strings.Contains(u.Path, "/-") || strings.Trim(u.Path, "/") == "":
		return errors.New("the address names no repository")
	}
	return nil
}

// publicURL returns an address without credentials, or nothing if it is a path of a machine.
func publicURL(raw string) string {
	raw = strings.TrimSpace(raw)
	if host, path, ok := strings.Cut(raw, ":"); ok && !strings.Contains(raw, "://") && !strings.ContainsAny(host, "/\\") && strings.Contains(host, ".") {
		_, host, _ = cutLast(host, "@")
		raw = "ssh://" + host + "/" + strings.TrimPrefix(path, "/") // the scp form
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || raw != printable(raw) || !slices.Contains([]string{"https", "http", "git", "ssh", "git+ssh"}, u.Scheme) {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// cutLast cuts at the last separator; without one all of s is after it.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// normalURL makes addresses of one repository equal: no scheme, user, port or .git, host in lower case.
func normalURL(raw string) string {
	u, err := url.Parse(publicURL(raw))
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	return strings.ToLower(u.Hostname()) + "/" + path
}

// cacheName names the directory of a cached clone: readable, and distinct by digest.
func cacheName(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '+'
	}, normalURL(raw))
	return orText(strings.Trim(clip(name, 80), "+.-…"), "repository") + "-" + hex.EncodeToString(sum[:6])
}

// lockPause is how long to wait before a taken lock is tried again.
const lockPause = 100 * time.Millisecond

// lock waits for the lock file, or for the end of the context.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		unlock, ok, err := lockFile(path)
		if err != nil || ok {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

const (
	partSuffix   = ".part" // a clone on its way; never read, removed at the next start
	fetchedStamp = "pegel-fetched"
)

// refspecs are fetched: branches, tags and Gerrit's review notes where the server shows them.
var refspecs = []string{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/notes/review*:refs/notes/review*"}

// cached returns our own clone of an address, made or updated as needed. A clone becomes visible by a rename when it is
// complete, so that an interrupted one is never used.
func (c *Collector) cached(ctx context.Context, address string) (source, error) {
	if c.options.CacheDir == "" {
		return source{}, errors.New("no local clone, and no cache directory to clone into")
	}
	if err := validateURL(address, c.git.protocols); err != nil {
		return source{}, err
	}
	dir := filepath.Join(c.options.CacheDir, "git")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return source{}, errors.New("the cache directory cannot be written")
	}
	final := filepath.Join(dir, cacheName(address)+".git")
	unlock, err := lock(ctx, final+".lock")
	if err != nil {
		return source{}, err
	}
	defer unlock()
	if err := os.RemoveAll(final + partSuffix); err != nil {
		return source{}, errors.New("the cache directory cannot be written")
	}
	found, ok := gitDirectory(final)
	switch {
	case !ok && c.options.Offline:
		return source{}, ErrOffline
	case !ok:
		if err := c.mayReach(ctx, address); err != nil {
			return source{}, err
		}
		if err := c.download(ctx, address, final); err != nil {
			return source{}, err
		}
		found, ok = gitDirectory(final)
	case c.stale(final):
		err := c.mayReach(ctx, address)
		if err == nil {
			err = c.update(ctx, address, final)
		}
		if err != nil {
			c.warn("updating a cached clone", "repository", address, "reason", err.Error())
		}
	}
	if !ok {
		return source{}, errors.New("the new clone is not a git repository")
	}
	return source{clone: found, ours: final, url: address}, nil
}

// mayReach asks Options.Reach about the server of an address.
func (c *Collector) mayReach(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if c.options.Reach == nil || err != nil || u.Host == "" {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80", "ssh": "22", "git": "9418"}[u.Scheme]
	}
	if err := c.options.Reach(ctx, net.JoinHostPort(u.Hostname(), port)); err != nil {
		return fmt.Errorf("contacting the server: %w", err)
	}
	return nil
}

// ErrOffline says that nobody asked a server, because the run may not, and that no clone is on this machine.
var ErrOffline = errors.New("no local clone and offline")

// download clones into a temporary name and renames at the end. No working files, no submodules, no trees, no file
// contents: these are fetched when they are needed, in few requests. A server that knows no filters sends everything; one
// that refuses the filter for trees is asked for a clone without file contents.
func (c *Collector) download(ctx context.Context, address, final string) error {
	part := final + partSuffix
	clone := func(filter string) error {
		_, err := c.git.online(ctx, "", nil, "clone", "--quiet", "--bare", "--template=", "--filter="+filter, "--no-recurse-submodules",
			"--end-of-options", address, part)
		return err
	}
	err := clone(alone)
	if refusesFilter(err) {
		_ = os.RemoveAll(part)
		err = clone(withBelow)
	}
	if err == nil {
		_, err = c.git.online(ctx, part, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "origin", refspecs[2])
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(part, fetchedStamp), nil, 0o600)
	}
	if err == nil {
		err = os.Rename(part, final)
	}
	if err != nil {
		_ = os.RemoveAll(part)
	}
	return err
}

// refusesFilter tells whether a server said that it does not give the filter for trees (uploadpackfilter.tree.allow).
func refusesFilter(err error) bool {
	var broken *gitError
	return errors.As(err, &broken) && strings.Contains(broken.message, "filter") && strings.Contains(broken.message, "not supported")
}

// stale reports whether a cached clone may lack commits of the moment of assessment.
func (c *Collector) stale(dir string) bool {
	if c.options.Offline {
		return false
	}
	info, err := os.Stat(filepath.Join(dir, fetchedStamp))
	return err != nil || c.options.At.IsZero() || c.options.At.After(info.ModTime())
}

// update fetches what is new, drops refs that the server no longer has, and follows a renamed default branch.
func (c *Collector) update(ctx context.Context, address, dir string) error {
	args := append([]string{"fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--filter=" + alone, "origin"}, refspecs...)
	_, err := c.git.online(ctx, dir, nil, args...)
	if refusesFilter(err) {
		args[slices.Index(args, "--filter="+alone)] = "--filter=" + withBelow
		_, err = c.git.online(ctx, dir, nil, args...)
	}
	if err != nil {
		return err
	}
	answer, err := c.git.online(ctx, dir, nil, "ls-remote", "--symref", "origin", "HEAD")
	if err != nil {
		return err
	}
	if branch := symbolicHead(string(answer)); branch != "" {
		if err := os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: "+branch+"\n"), 0o600); err != nil {
			return errors.New("the cached clone cannot be written")
		}
	}
	return os.WriteFile(filepath.Join(dir, fetchedStamp), nil, 0o600)
}

// symbolicHead reads "ref: refs/heads/main\tHEAD".
func symbolicHead(answer string) string {
	for line := range strings.Lines(answer) {
		name, ok := strings.CutPrefix(line, "ref: ")
		name, _, _ = strings.Cut(name, "\t")
		if ok && validRef(name) && strings.HasPrefix(name, "refs/heads/") {
			return name
		}
	}
	return ""
}

// fetchObjects asks the server of a cached clone for objects that a partial clone lacks.
func (c *Collector) fetchObjects(s source) promise {
	if s.ours == "" {
		return nil
	}
	return func(ctx context.Context, filter string, ids []string) error {
		if c.options.Offline {
			return nil // what is missing stays unknown
		}
		unlock, err := lock(ctx, s.ours+".lock")
		if err != nil {
			return err
		}
		defer unlock()
		fetch := func(filter string) error {
			_, err := c.git.online(ctx, s.ours, strings.NewReader(strings.Join(ids, "\n")+"\n"), "-c", "fetch.negotiationAlgorithm=noop",
				"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--filter="+filter, "--stdin", "origin")
			return err
		}
		err = fetch(filter)
		if refusesFilter(err) {
			err = fetch(withBelow)
		}
		if err != nil {
			c.warn("fetching files", "repository", s.url, "reason", err.Error())
		}
		return ctx.Err()
	}
}

// candidates are the directories below a mirror in which a clone of the address may be.
func candidates(mirror, address string) []string {
	u, err := url.Parse(publicURL(address))
	if err != nil || u.Host == "" {
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git"), "/")
	for _, p := range parts {
		if !plainName(p) {
			return nil
		}
	}
	name, flat, deep := parts[len(parts)-1], strings.Join(parts, "+"), filepath.Join(parts...)
	dirs := []string{flat, deep, name}
	if host := u.Hostname(); plainName(host) {
		dirs = append(dirs, filepath.Join(host, deep), host+"+"+flat)
	}
	var out []string
	for _, dir := range dirs {
		out = append(out, filepath.Join(mirror, dir, "repo"), filepath.Join(mirror, dir), filepath.Join(mirror, dir+".git"))
	}
	return append(out, mirror)
}

// plainName accepts a part of a path that cannot lead out of a directory.
func plainName(s string) bool {
	if s == "" || s[0] == '.' || s[0] == '-' || len(s) > 255 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~") == "" && !strings.Contains(s, "..")
}

// local looks for a clone of one of the addresses below the mirror directories. A clone that names another remote than
// these is not taken, unless owner and name agree: mirrors on another host are clones of the same project.
func (c *Collector) local(addresses []string) (source, bool) {
	for _, mirror := range c.options.Mirrors {
		for _, address := range addresses {
			for _, dir := range candidates(mirror, address) {
				found, err := findClone(dir)
				if err == nil && sameProject(found.remote(), addresses, dir == mirror) {
					return source{clone: found}, true
				}
			}
		}
	}
	return source{}, false
}

// sameProject compares the remote of a clone with the addresses of a project. A clone without a remote is taken at its
// directory's word, except where strict asks for proof: at the mirror directory itself, whose name says nothing.
func sameProject(remote string, addresses []string, strict bool) bool {
	have := normalURL(remote)
	if have == "" {
		return !strict
	}
	_, havePath, _ := strings.Cut(have, "/")
	for _, a := range addresses {
		want := normalURL(a)
		_, wantPath, _ := strings.Cut(want, "/")
		if have == want || strings.EqualFold(havePath, wantPath) {
			return true
		}
	}
	return false
}
