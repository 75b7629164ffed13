package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// Bounds of one tree. A repository beyond them is reported as unknown, not in part.
const (
	maxFiles = 1_000_000
	maxPath  = 4096
)

// entry is one line of git ls-tree.
type entry struct {
	mode, kind, id string
	path           string // as stored, perhaps not UTF-8
	size           int64  // -1 if it was not asked for, or is not known
}

// regular reports whether the entry is a file: no symbolic link, no submodule.
func (e entry) regular() bool {
	return e.kind == "blob" && (e.mode == "100644" || e.mode == "100755" || e.mode == "100664")
}

// link reports whether the entry is a symbolic link.
func (e entry) link() bool { return e.kind == "blob" && e.mode == "120000" }

// listTree calls yield for each entry of the whole tree, in the order of git.
func (v *view) listTree(ctx context.Context, commit string, limit int, yield func(entry) error) error {
	return v.list(ctx, limit, yield, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
}

// listLong is listTree with the sizes of files.
func (v *view) listLong(ctx context.Context, commit string, limit int, yield func(entry) error) error {
	return v.list(ctx, limit, yield, "ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", commit)
}

func (v *view) list(ctx context.Context, limit int, yield func(entry) error, args ...string) error {
	return v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 64<<10), 1<<20)
		lines.Split(splitNUL)
		count := 0
		for lines.Scan() {
			e, ok := parseEntry(lines.Text())
			if !ok {
				return errors.New("reading the tree: unexpected line of git ls-tree")
			}
			if count++; count > limit {
				return fmt.Errorf("reading the tree: more than %d entries", limit)
			}
			if err := yield(e); err != nil {
				return err
			}
		}
		return lines.Err()
	}, args...)
}

func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// parseEntry reads "<mode> <type> <id>\t<path>", or the same with the size behind the id.
func parseEntry(line string) (entry, bool) {
	head, name, ok := strings.Cut(line, "\t")
	fields := strings.Fields(head)
	if !ok || len(fields) < 3 || len(fields) > 4 || name == "" || len(name) > maxPath || !isObjectID(fields[2]) {
		return entry{}, false
	}
	e := entry{mode: fields[0], kind: fields[1], id: fields[2], path: name, size: -1}
	if len(fields) == 4 {
		if n, err := strconv.ParseInt(fields[3], 10, 64); err == nil && n >= 0 {
			e.size = n // git writes "-" for what is no file, and BAD for a file that a partial clone lacks
		}
	}
	return e, true
}

// file is an entry with what topics are found by.
type file struct {
	entry
	name     string // valid UTF-8, for output
	lower    string // lower-cased path
	base     string // lower-cased last part
	stem     string // base without a documentation extension
	prose    bool   // has no extension or one of documentation
	vendored bool
}

func newFile(e entry) file {
	name := publicName(e.path)
	f := file{entry: e, name: name, lower: strings.ToLower(name)}
	f.base = path.Base(f.lower)
	f.stem, f.prose = proseStem(f.base)
	f.vendored = isVendored(f.lower)
	return f
}

// dir returns the lower-cased directory, empty for the root.
func (f file) dir() string { return strings.TrimSuffix(f.lower, f.base) }

// depth returns how many directories stand above the file.
func (f file) depth() int { return strings.Count(f.lower, "/") }

// prominent reports whether a file stands where forges and readers look first.
func (f file) prominent() bool {
	switch f.dir() {
	case "", ".github/", ".gitlab/", ".well-known/":
		return true
	}
	return false
}

// byPlace sorts the files that a reader would look at first to the front: root, .github, then by depth and name.
func byPlace(a, b file) int {
	place := func(f file) int {
		switch {
		case f.depth() == 0:
			return 0
		case f.dir() == ".github/" || f.dir() == ".gitlab/":
			return 1
		}
		return 1 + f.depth()
	}
	if n := place(a) - place(b); n != 0 {
		return n
	}
	return strings.Compare(a.path, b.path)
}

// survey is what the names of a tree say, and which files are worth reading.
type survey struct {
	tree      scoring.Tree
	documents map[string][]file
	tools     map[string][]file
	dirs      map[string]map[string]int // topic, directory, files in it
	ownDeps   bool                      // deps/ holds parts of the project itself
	licences  []file                    // at the root or below LICENSES/
	sub       []file                    // licence files elsewhere
	readme    []file
	prose     []file // documentation for users
	sources   []file
	suspects  []file // files that may be executables
	gitreview *file

	statements []scoring.Statement // of the project about itself
}

// survey lists the tree of a commit once.
func (v *view) survey(ctx context.Context, commit string) (*survey, error) {
	s := &survey{documents: map[string][]file{}, tools: map[string][]file{}, dirs: map[string]map[string]int{}}
	var files, links []file
	err := v.listTree(ctx, commit, maxFiles, func(e entry) error {
		switch f := newFile(e); {
		case e.regular():
			files = append(files, f)
		case e.link() && f.depth() == 0 && isOwnLicence(f):
			links = append(links, f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.ownDeps = ownDeps(files)
	for _, f := range files {
		f.vendored = f.vendored && !(s.ownDeps && !isVendored(strings.TrimPrefix(f.lower, "deps/")))
		s.add(f)
	}
	for dir := range s.dirs["standards"] {
		delete(s.dirs["proposals"], dir)
	}
	delete(s.dirs, "standards")
	for _, lists := range []map[string][]file{s.documents, s.tools} {
		for topic := range lists {
			slices.SortFunc(lists[topic], byPlace)
		}
	}
	if err := s.addLinks(ctx, v, links, files); err != nil {
		return nil, err
	}
	slices.SortFunc(s.licences, byPlace)
	slices.SortFunc(s.sub, byPlace)
	slices.SortStableFunc(s.sub, func(a, b file) int { return one(!telling(a)) - one(!telling(b)) })
	slices.SortFunc(s.readme, byPlace)
	slices.SortFunc(s.prose, byPlace)
	slices.SortFunc(s.sources, func(a, b file) int {
		return strings.Compare(a.id+a.path, b.id+b.path)
	})
	return s, nil
}

// addLinks adds the licences at the root that are links to files of the repository, under the name of the link.
func (s *survey) addLinks(ctx context.Context, v *view, links, files []file) error {
	ids := make([]string, len(links))
	for i, f := range links {
		ids[i] = f.id
	}
	targets, err := v.blobs(ctx, ids, maxPath)
	for _, link := range links {
		to := linked(link, targets[link.id])
		if i := slices.IndexFunc(files, func(f file) bool { return f.path == to }); i >= 0 {
			link.id = files[i].id
			s.licences = append(s.licences, link)
		}
	}
	return err
}

func (s *survey) add(f file) {
	s.tree.Files++
	s.addLicence(f)
	s.addDocument(f)
	s.addTool(f)
	s.addSource(f)
	if isProse(f) {
		s.prose = append(s.prose, f)
	}
	if mayBeBinary(f) {
		s.suspects = append(s.suspects, f)
	}
	switch {
	case f.depth() == 0 && f.prose && f.stem == "readme":
		s.readme = append(s.readme, f)
	case f.lower == "reuse.toml" || f.lower == ".reuse/dep5":
		s.tree.REUSE = true
	case f.path == ".gitreview":
		s.gitreview = &f
	}
}

func (s *survey) addLicence(f file) {
	switch {
	case isEditionLicence(f) && (!isLicenceName(f) || f.depth() > 0 || isSoldLicence(f)):
		s.sub = append(s.sub, f)
	case !isLicenceName(f) && f.dir() != "licenses/":
	case f.depth() == 0 && thirdParty.MatchString(f.stem):
		s.sub = append(s.sub, f)
	case f.depth() == 0, f.dir() == "licenses/":
		s.licences = append(s.licences, f)
	default:
		s.sub = append(s.sub, f)
	}
}

func (s *survey) addDocument(f file) {
	if f.vendored {
		return
	}
	for _, t := range documentTopics {
		if t.holds(f) {
			s.documents[t.name] = append(s.documents[t.name], f)
		}
	}
}

func (s *survey) addTool(f file) {
	if f.vendored {
		return
	}
	if dir, ok := proposalDirectory(f); ok {
		s.countIn("proposals", dir)
		if ofIETF.MatchString(f.lower) {
			s.countIn("standards", dir)
		}
	}
	for _, d := range toolDirs {
		if dir := f.directory(d.dir); dir != "" {
			s.countIn(d.topic, dir)
		}
	}
	if releaseNote.matches(f.lower) {
		s.countIn("notes", strings.TrimSuffix(f.name, "/"+path.Base(f.name)))
	}
	for _, t := range toolTopics {
		if t.holds(f) {
			s.tools[t.name] = append(s.tools[t.name], f)
		}
	}
}

func (s *survey) countIn(topic, dir string) {
	if s.dirs[topic] == nil {
		s.dirs[topic] = map[string]int{}
	}
	s.dirs[topic][dir]++
}

// ownDeps tells the two uses of a root directory "deps" apart. Most projects keep the code of others there; those built
// with erlang.mk keep their own parts there too, and then most of its directories share the beginning of their names.
func ownDeps(files []file) bool {
	const stem = 6 // bytes of a name that are compared
	seen, stems := map[string]bool{}, map[string]int{}
	for _, f := range files {
		parts := strings.SplitN(f.lower, "/", 3)
		if len(parts) < 3 || parts[0] != "deps" || seen[parts[1]] {
			continue
		}
		seen[parts[1]] = true
		stems[parts[1][:min(stem, len(parts[1]))]]++
	}
	for _, n := range stems {
		if n > 2 && n*2 > len(seen) {
			return true
		}
	}
	return false
}

func (s *survey) addSource(f file) {
	if f.vendored {
		return
	}
	s.tree.TestFiles += one(testExtensions[path.Ext(f.base)])
	if !sourceExtensions[path.Ext(f.base)] {
		return
	}
	s.tree.SourceFiles++
	if isTest(f) {
		s.tree.TestFiles++
	}
	s.sources = append(s.sources, f)
}
