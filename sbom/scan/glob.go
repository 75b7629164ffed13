package scan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bmatcuk/doublestar/v4"
)

// globs answers patterns over a tree by indexes, because a few hundred patterns come for each image and every path of an
// image against every pattern would cost as much as all cataloguing.
type globs struct {
	tree    *tree
	byBase  map[string][]*node  // everything but directories, by the last part of its path
	byExt   map[string][]string // base names by what follows their last dot
	bases   []string            // base names, sorted
	aliases map[string][]string // directories that links lead to, and the paths of these links
	broken  []string            // links that lead nowhere
	dirs    map[string][]*node  // directories, by the last part of each name that they have
	left    atomic.Int64        // names that may still be looked at
}

// mostNames is how many names of files may be looked at for one image or host. Links to directories that hold links to
// directories give every file very many names; real systems stay below a tenth of it.
const mostNames = 50_000_000

// errNames says that the bound was reached: what lies beyond was not looked at.
var errNames = fmt.Errorf("links to directories give its files more than %d names, which no real system does", mostNames)

// exhausted returns errNames if not every name could be looked at.
func (g *globs) exhausted() error {
	if g.left.Load() < 0 {
		return errNames
	}
	return nil
}

func newGlobs(t *tree) *globs {
	g := &globs{tree: t, byBase: map[string][]*node{}, byExt: map[string][]string{}, aliases: map[string][]string{}, dirs: map[string][]*node{}}
	g.left.Store(mostNames)
	t.walk(func(n *node) {
		if n.isDir() {
			g.dirs[path.Base(n.path)] = append(g.dirs[path.Base(n.path)], n)
			return
		}
		g.byBase[path.Base(n.path)] = append(g.byBase[path.Base(n.path)], n)
		if !n.isLink() {
			return
		}
		switch to := t.find(n.path, true); {
		case to == nil:
			g.broken = append(g.broken, n.path)
		case to.isDir():
			g.aliases[to.path] = append(g.aliases[to.path], n.path)
			g.dirs[path.Base(n.path)] = append(g.dirs[path.Base(n.path)], to)
		}
	})
	for base := range g.byBase {
		g.bases = append(g.bases, base)
	}
	slices.Sort(g.bases)
	for _, base := range g.bases {
		if ext := path.Ext(base); ext != "" {
			g.byExt[ext] = append(g.byExt[ext], base)
		}
	}
	return g
}

const globMeta = `*?[{\`

// normal is a pattern as it is matched here: absolute, or beginning with **.
func normal(pattern string) string {
	if !strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "**") {
		return "/" + pattern
	}
	return pattern
}

// match calls f for every regular file that the pattern matches, under the name by which it does: its own path, a link to
// it, or its path below a link to one of its directories. The order is always the same.
func (g *globs) match(pattern string, f func(access string, n *node)) error {
	pattern = normal(pattern)
	if _, err := doublestar.Match(pattern, "/"); err != nil {
		return err
	}
	for _, one := range expand(pattern) {
		g.matchOne(one, f)
	}
	return g.exhausted()
}

// matchOne is match for a pattern without alternatives, or with such that expand leaves alone.
func (g *globs) matchOne(pattern string, f func(access string, n *node)) {
	if !strings.ContainsAny(pattern, globMeta) {
		if n := g.tree.find(pattern, true); n != nil && n.isRegular() {
			f(path.Clean(pattern), n)
		}
		return
	}
	if dir := path.Dir(pattern); path.IsAbs(dir) && !strings.ContainsAny(dir, globMeta) {
		g.matchIn(dir, path.Base(pattern), f)
		return
	}
	part := literal(pattern)
	try := func(n *node) {
		g.names(n.path, 2, func(name string) {
			if !strings.Contains(name, part) {
				return
			}
			if ok, _ := doublestar.Match(pattern, name); !ok {
				return
			}
			if to := g.tree.find(n.path, true); to != nil && to.isRegular() {
				f(name, to)
			}
		})
	}
	last, above := path.Base(pattern), path.Base(path.Dir(pattern))
	if last != "**" && strings.ContainsAny(last, globMeta) && above != "." && above != "/" && !strings.ContainsAny(above, globMeta) {
		for _, dir := range g.dirs[above] { // fewer than the files whose names match
			for _, base := range slices.Sorted(maps.Keys(dir.children)) {
				if ok, _ := doublestar.Match(last, base); ok && !dir.children[base].isDir() {
					try(dir.children[base])
				}
			}
		}
		return
	}
	for _, base := range g.candidates(last) {
		for _, n := range g.byBase[base] {
			try(n)
		}
	}
}

// matchIn is matchOne for a pattern in one directory, and all that lies below it for **.
func (g *globs) matchIn(dir, last string, f func(access string, n *node)) {
	at := g.tree.find(dir, true)
	if at == nil || !at.isDir() {
		return
	}
	names := slices.Sorted(maps.Keys(at.children))
	for _, name := range names {
		n, access := at.children[name], path.Join(dir, name)
		if n.isDir() {
			if last == "**" {
				g.matchIn(access, last, f)
			}
			continue
		}
		if ok, _ := doublestar.Match(last, name); !ok {
			continue
		}
		switch to := g.tree.find(n.path, true); {
		case to != nil && to.isRegular():
			f(access, to)
		case last == "**" && to != nil && to.isDir() && !strings.HasPrefix(n.path, to.path+"/") && to.path != "/":
			g.matchBelowLink(access, to, f)
		}
	}
}

// matchBelowLink calls f for what lies below a directory under the name of a link to it; links in it are not followed again.
func (g *globs) matchBelowLink(access string, dir *node, f func(access string, n *node)) {
	dir.walk(func(n *node) {
		if to := g.tree.find(n.path, true); !n.isDir() && to != nil && to.isRegular() {
			f(access+strings.TrimPrefix(n.path, dir.path), to)
		}
	})
}

// literal is the longest part of a pattern that stands in every name that it matches.
func literal(pattern string) string {
	if strings.ContainsAny(pattern, `\{}[]`) {
		return ""
	}
	longest := ""
	for _, part := range strings.FieldsFunc(pattern, func(r rune) bool { return r == '*' || r == '?' }) {
		if part = strings.Trim(part, "/"); len(part) > len(longest) { // "**/" also matches nothing
			longest = part
		}
	}
	return longest
}

// names calls f with a path and its names below links to its directories, links to links so deep.
func (g *globs) names(p string, depth int, f func(string)) {
	if g.left.Add(-1) < 0 {
		return
	}
	f(p)
	if depth == 0 || len(g.aliases) == 0 {
		return
	}
	for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
		for _, link := range g.aliases[dir] {
			if !strings.HasPrefix(link, dir+"/") { // a link to its own parent has no end
				g.names(link+p[len(dir):], depth-1, f)
			}
		}
	}
}

// candidates are the base names that the last part of a pattern can match; all where nothing is known.
func (g *globs) candidates(last string) []string {
	switch k := strings.IndexAny(last, globMeta); {
	case strings.ContainsAny(last, `{}\`):
		return g.filtered(last, g.bases)
	case k < 0:
		return []string{last}
	case strings.HasPrefix(last, "*.") && !strings.ContainsAny(last[2:], globMeta+"."):
		return g.byExt[last[1:]]
	case k > 0:
		from, _ := slices.BinarySearch(g.bases, last[:k])
		to := from
		for to < len(g.bases) && strings.HasPrefix(g.bases[to], last[:k]) {
			to++
		}
		return g.filtered(last, g.bases[from:to])
	}
	return g.filtered(last, g.bases)
}

func (g *globs) filtered(last string, bases []string) []string {
	if last == "**" || last == "*" {
		return bases
	}
	var out []string
	for _, base := range bases {
		if ok, _ := doublestar.Match(last, base); ok {
			out = append(out, base)
		}
	}
	return out
}

// mostAlternatives bounds what a pattern expands to; beyond it, it is matched as it is.
const mostAlternatives = 64

// expand writes a pattern out for each of the alternatives in its braces. What it does not understand stays as it is.
func expand(pattern string) []string {
	if strings.Contains(pattern, `\`) {
		return []string{pattern}
	}
	all := []string{pattern}
	for i := 0; i < len(all); {
		before, rest, ok := strings.Cut(all[i], "{")
		if !ok {
			i++
			continue
		}
		inside, after, ok := strings.Cut(rest, "}")
		if !ok || strings.Contains(inside, "{") || len(all) > mostAlternatives {
			return []string{pattern}
		}
		var written []string
		for one := range strings.SplitSeq(inside, ",") {
			written = append(written, before+one+after)
		}
		all = slices.Replace(all, i, i+1, written...)
	}
	return all
}
