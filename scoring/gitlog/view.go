package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds on what is read of a clone's own files.
const (
	maxRefs       = 1_000_000
	maxPackedRefs = 128 << 20
	maxSmallFile  = 1 << 20
)

// errNoClone says that a directory is not a git repository.
var errNoClone = errors.New("not a git repository")

// clone is a git repository of somebody else on this machine, known by its directories. Its configuration and hooks are
// never used; only objects, refs, HEAD and the shallow file are read, as plain files.
type clone struct {
	dir    string // git directory: HEAD
	common string // where objects and refs are; differs from dir in a linked work tree
}

// findClone accepts a bare repository, a work tree with a .git directory, or one with a .git file that names it.
func findClone(path string) (clone, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return clone{}, errNoClone
	}
	for _, dir := range []string{path, filepath.Join(path, ".git")} {
		if c, ok := gitDirectory(dir); ok {
			return c, nil
		}
	}
	target, err := readSmall(filepath.Join(path, ".git"))
	if err != nil {
		return clone{}, errNoClone
	}
	rest, ok := strings.CutPrefix(string(target), "gitdir: ")
	if !ok {
		return clone{}, errNoClone
	}
	if c, ok := gitDirectory(resolve(path, strings.TrimSpace(rest))); ok {
		return c, nil
	}
	return clone{}, errNoClone
}

// gitDirectory checks for what every git directory has: HEAD, and objects and refs there or in the common directory.
func gitDirectory(dir string) (clone, bool) {
	if !isFile(filepath.Join(dir, "HEAD")) {
		return clone{}, false
	}
	common := dir
	if text, err := readSmall(filepath.Join(dir, "commondir")); err == nil {
		common = resolve(dir, strings.TrimSpace(string(text)))
	}
	if !isDir(filepath.Join(common, "objects")) || !isDir(filepath.Join(common, "refs")) {
		return clone{}, false
	}
	absolute, err := filepath.Abs(common)
	if err != nil || strings.ContainsAny(absolute, "\n\x00") {
		return clone{}, false
	}
	return clone{dir: dir, common: absolute}, true
}

func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readSmall reads a regular file of at most maxSmallFile bytes.
func readSmall(path string) ([]byte, error) { return readBounded(path, maxSmallFile) }

func readBounded(path string, limit int64) ([]byte, error) {
	if !isFile(path) {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("file %q is larger than %d bytes", filepath.Base(path), limit)
	}
	return data, err
}

// remote reads the address of remote "origin", or of the only remote, from the clone's configuration as plain text. It is
// a name for reports, never an address to contact. Empty if there is none.
func (c clone) remote() string {
	data, err := readSmall(filepath.Join(c.common, "config"))
	if err != nil {
		return ""
	}
	return remoteOf(data)
}

var remoteSection = regexp.MustCompile(`^\[\s*remote\s+"([^"\\]+)"\s*\]`)

// remoteOf finds the URL of remote "origin", else of the first remote, in the text of a git configuration.
func remoteOf(config []byte) string {
	first, section := "", ""
	for line := range strings.Lines(string(config)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = ""
			if m := remoteSection.FindStringSubmatch(line); m != nil {
				section = m[1]
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == "" || !strings.EqualFold(strings.TrimSpace(key), "url") {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		if section == "origin" {
			return value
		}
		if first == "" {
			first = value
		}
	}
	return first
}

// isObjectID accepts the full id of an object, SHA-1 or SHA-256, in lower case. It is asked about every file of every tree.
func isObjectID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ref is a name and the object it names.
type ref struct{ name, id string }

var (
	// A stricter form than git's own (git-check-ref-format): no part begins with a dash or a dot, so that no name can be
	// read as an option.
	refName = regexp.MustCompile(`^refs(/[^\x00-\x20\x7f~^:?*\[\\/.-][^\x00-\x20\x7f~^:?*\[\\/]*)+$`)
)

func validRef(name string) bool {
	return len(name) <= 1024 && refName.MatchString(name) && !strings.Contains(name, "..") && !strings.Contains(name, "@{") &&
		!strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, ".") &&
		!strings.Contains(name, ".lock/")
}

// state is what a clone's own files say: all refs, sorted, what HEAD names, and the borders of a shallow clone.
type state struct {
	refs    []ref
	head    string // full name of the branch, or empty if HEAD names a commit
	headID  string // commit, empty if the branch has none
	shallow []string
	skipped int // refs left out because of their names
}

// read parses HEAD, packed-refs, the loose refs and the shallow file.
func (c clone) read() (state, error) {
	if isDir(filepath.Join(c.common, "reftable")) {
		return state{}, errors.New("the clone keeps its refs in the reftable format, which is not supported; clone it anew without")
	}
	refs := map[string]string{}
	s := state{}
	if err := c.readPacked(refs, &s); err != nil {
		return state{}, err
	}
	if err := c.readLoose(refs, &s); err != nil {
		return state{}, err
	}
	for name, id := range refs {
		s.refs = append(s.refs, ref{name, id})
	}
	slices.SortFunc(s.refs, func(a, b ref) int { return strings.Compare(a.name, b.name) })
	if err := c.readHead(refs, &s); err != nil {
		return state{}, err
	}
	return s, c.readShallow(&s)
}

func (c clone) readPacked(refs map[string]string, s *state) error {
	data, err := readBounded(filepath.Join(c.common, "packed-refs"), maxPackedRefs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	err = parsePacked(data, func(name, id string) bool {
		if !validRef(name) {
			s.skipped++
			return true
		}
		refs[name] = id
		return len(refs) <= maxRefs
	})
	if err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	if len(refs) > maxRefs {
		return fmt.Errorf("reading packed refs: more than %d refs", maxRefs)
	}
	return nil
}

// parsePacked calls yield for each "<id> <name>" line; comments and peeled lines are left out, and so is what is no ref. It
// fails at a line that is longer than any name: what follows it would be lost.
func parsePacked(data []byte, yield func(name, id string) bool) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(make([]byte, 0, 4096), 1<<16)
	for lines.Scan() {
		id, name, ok := strings.Cut(lines.Text(), " ")
		if ok && isObjectID(id) && !yield(name, id) {
			return nil
		}
	}
	return lines.Err()
}

func (c clone) readLoose(refs map[string]string, s *state) error {
	root, err := os.OpenRoot(c.common)
	if err != nil {
		return fmt.Errorf("reading refs: %w", errNoClone)
	}
	defer root.Close()
	loose := 0
	err = fs.WalkDir(root.FS(), "refs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // an unreadable part leaves its refs out
		}
		if loose++; loose > maxRefs {
			return fmt.Errorf("more than %d refs", maxRefs)
		}
		if !validRef(path) {
			s.skipped++
			return nil
		}
		if id, ok := readID(root, path); ok {
			refs[path] = id
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading refs: %w", err)
	}
	return nil
}

// readID reads one loose ref; symbolic ones are left out, HEAD is read apart.
func readID(root *os.Root, path string) (string, bool) {
	f, err := root.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	id := strings.TrimSpace(string(text))
	return id, err == nil && isObjectID(id)
}

func (c clone) readHead(refs map[string]string, s *state) error {
	text, err := readSmall(filepath.Join(c.dir, "HEAD"))
	if err != nil {
		return fmt.Errorf("reading HEAD: %w", errNoClone)
	}
	head := strings.TrimSpace(string(text))
	if isObjectID(head) {
		s.headID = head
		return nil
	}
	name, ok := strings.CutPrefix(head, "ref: ")
	if name = strings.TrimSpace(name); !ok || !validRef(name) {
		return fmt.Errorf("reading HEAD: neither a commit nor a branch")
	}
	s.head, s.headID = name, refs[name]
	return nil
}

func (c clone) readShallow(s *state) error {
	data, err := readSmall(filepath.Join(c.common, "shallow"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the shallow file: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if id := strings.TrimSpace(line); isObjectID(id) {
			s.shallow = append(s.shallow, id)
		}
	}
	return nil
}

// view is a bare repository of our own, with our configuration, that borrows the objects of a clone. All git commands
// run in views; a view is removed after use.
type view struct {
	git     *git
	dir     string
	state   state
	promise promise // fetches missing objects; nil for clones that are not ours

	unlock   func()          // gives up the lock of the view; nil where there are no locks
	origin   audit.Origin    // of facts about the evaluated revision
	revision string          // the evaluated one, once it is settled
	mainline map[string]bool // first-parent line of the last 24 months, from the evaluated revision on
	spoken   time.Time       // until when the line of the evaluated revision speaks for the project
	authors  []author        // of the last pass over the log, for circle
	skewed   bool            // commits of the last 12 months lie behind one whose clock was more than clockSlack slow
}

// promise fetches objects into the clone behind a view, all in one request; the filter says what comes with them.
type promise func(ctx context.Context, filter string, ids []string) error

const (
	viewPrefix = "pegel-view-"
	lockSuffix = ".lock"
)

// openView makes a view of the clone below parent. The view is locked as long as it is used, so that sweep can tell the
// views of ended processes.
func (g *git) openView(c clone, parent string) (*view, error) {
	s, err := c.read()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(parent, viewPrefix+"*"+lockSuffix)
	if err != nil {
		return nil, errors.New("making a view of the clone: the directory for temporary files cannot be written")
	}
	lockName := f.Name()
	_ = f.Close()
	v := &view{git: g, dir: strings.TrimSuffix(lockName, lockSuffix), state: s}
	if unlock, ok, err := lockFile(lockName); err == nil && ok {
		v.unlock = unlock
	}
	if err := v.write(c); err != nil {
		v.close()
		return nil, errors.New("making a view of the clone: the directory for temporary files cannot be written")
	}
	return v, nil
}

// close removes the view.
func (v *view) close() {
	_ = os.RemoveAll(v.dir)
	_ = os.Remove(v.dir + lockSuffix)
	if v.unlock != nil {
		v.unlock()
	}
}

// sweep removes the views that processes left behind when they were killed: those whose lock nobody holds.
func sweep(parent string) {
	locks, err := filepath.Glob(filepath.Join(parent, viewPrefix+"*"+lockSuffix))
	if err != nil {
		return
	}
	for _, name := range locks {
		unlock, ok, err := lockFile(name)
		if err != nil || !ok {
			continue
		}
		_ = os.RemoveAll(strings.TrimSuffix(name, lockSuffix))
		_ = os.Remove(name)
		unlock()
	}
}

func (v *view) write(c clone) error {
	for _, dir := range []string{"objects/info", "objects/pack", "refs"} {
		if err := os.MkdirAll(filepath.Join(v.dir, dir), 0o700); err != nil {
			return err
		}
	}
	var packed strings.Builder
	packed.WriteString("# pack-refs with: sorted \n")
	for _, r := range v.state.refs {
		packed.WriteString(r.id + " " + r.name + "\n")
	}
	files := []struct{ name, text string }{
		{"config", v.config()},
		{"packed-refs", packed.String()},
		{"objects/info/alternates", filepath.Join(c.common, "objects") + "\n"},
		{"HEAD", "ref: refs/heads/none\n"},
	}
	if len(v.state.shallow) > 0 {
		files = append(files, struct{ name, text string }{"shallow", strings.Join(v.state.shallow, "\n") + "\n"})
	}
	for _, f := range files {
		if err := v.put(f.name, f.text); err != nil {
			return err
		}
	}
	return nil
}

// config is the whole configuration of a view; the object format follows from the length of the ids.
func (v *view) config() string {
	id := v.state.headID
	if id == "" && len(v.state.refs) > 0 {
		id = v.state.refs[0].id
	}
	if len(id) == 64 {
		return "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
	}
	return "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
}

func (v *view) put(name, text string) error {
	return os.WriteFile(filepath.Join(v.dir, filepath.FromSlash(name)), []byte(text), 0o600)
}

// evaluate makes a commit the HEAD of the view, so that the .mailmap of that revision counts.
func (v *view) evaluate(commit string) error {
	if !isObjectID(commit) {
		return fmt.Errorf("%q is not a commit id", clip(printable(commit), 80))
	}
	v.revision = commit
	return v.put("HEAD", commit+"\n")
}
