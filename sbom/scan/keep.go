package scan

import (
	"path"
	"strings"

	"github.com/anchore/syft/syft/pkg/cataloger/binary"
	"github.com/bmatcuk/doublestar/v4"
)

// keeper decides which contents of a layer are worth keeping. It only saves room and time: what somebody asks for and was
// not kept is read again from the layer.
type keeper struct {
	exact    map[string]bool     // base names of files into which syft's classifiers look
	prefixed map[byte][]classify // patterns by the first letter of the base names that they match
	odd      []classify          // patterns that begin with a wildcard
	globs    map[string]bool     // the patterns as syft asks them
}

// classify is the pattern of one classifier; where it has a directory it is matched against the whole path.
type classify struct {
	prefix, pattern string
	whole           bool
}

// newKeeper collects the patterns of syft's classifiers of binaries.
func newKeeper() keeper {
	k := keeper{exact: map[string]bool{}, prefixed: map[byte][]classify{}, globs: map[string]bool{}}
	for _, c := range binary.DefaultClassifiers() {
		k.globs[c.FileGlob] = true
		for _, one := range expand(c.FileGlob) {
			k.add(strings.TrimPrefix(one, "**/"))
		}
	}
	return k
}

func (k *keeper) add(pattern string) {
	base := path.Base(pattern)
	c := classify{prefix: base, pattern: pattern, whole: strings.Contains(pattern, "/")}
	if c.whole {
		c.pattern = "/**/" + pattern
	}
	if i := strings.IndexAny(base, globMeta); i >= 0 {
		c.prefix = base[:i]
	} else if !c.whole {
		k.exact[base] = true
		return
	}
	if c.prefix == "" {
		k.odd = append(k.odd, c)
		return
	}
	k.prefixed[c.prefix[0]] = append(k.prefixed[c.prefix[0]], c)
}

// classified reports whether one of syft's classifiers looks into files of this name, whatever they are.
func (k keeper) classified(name string) bool {
	base := path.Base(name)
	if k.exact[base] {
		return true
	}
	for _, list := range [][]classify{k.prefixed[base[0]], k.odd} {
		for _, c := range list {
			target := base
			if c.whole {
				target = name
			}
			if !strings.HasPrefix(base, c.prefix) {
				continue
			}
			if ok, err := doublestar.Match(c.pattern, target); ok || err != nil {
				return true
			}
		}
	}
	return false
}

// program reports whether a cataloger looks into machine code of this name.
func (k keeper) program(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, "php") || strings.HasSuffix(base, ".ko") || strings.HasPrefix(base, "vmlinu") ||
		strings.Contains(name, "/php") || strings.HasSuffix(base, ".exe") || strings.HasSuffix(base, ".dll") || k.classified(name)
}

// bulk are the ends of names of files in which nobody looks for packages, and of which images have very many.
var bulk = map[string]bool{
	".py": true, ".pyc": true, ".pyi": true, ".mo": true, ".po": true, ".pot": true, ".h": true, ".hpp": true, ".hh": true,
	".c": true, ".cc": true, ".cpp": true, ".html": true, ".htm": true, ".css": true, ".scss": true, ".js": true, ".mjs": true,
	".ts": true, ".map": true, ".png": true, ".svg": true, ".gif": true, ".jpg": true, ".jpeg": true, ".ico": true, ".ttf": true,
	".otf": true, ".woff": true, ".woff2": true, ".eot": true, ".pm": true, ".pl": true, ".tcl": true, ".rb": true, ".erl": true,
	".beam": true, ".hrl": true, ".xsl": true, ".xsd": true, ".dtd": true, ".frm": true, ".sql": true, ".a": true, ".o": true,
	".el": true, ".elc": true, ".ps": true, ".pdf": true, ".rst": true, ".j2": true, ".tmpl": true, ".jinja": true, ".yang": true,
}

// file reports whether the contents of a file that is no machine code are kept.
func (k keeper) file(name string) bool {
	return !bulk[path.Ext(name)] || namesLicence(path.Base(name)) || k.classified(name) || namesKernel(path.Base(name))
}

// namesKernel reports whether syft's cataloger of kernels may look into a file, whatever its ending.
func namesKernel(base string) bool {
	return strings.HasPrefix(base, "kernel") || strings.HasPrefix(base, "vmlinu")
}

// namesLicence reports whether a file may hold a licence whatever its ending, e.g. LICENSE.html: syft looks into those beside
// packages.
func namesLicence(base string) bool {
	lower := strings.ToLower(base)
	for _, word := range []string{"licen", "copying", "copyright", "legal", "notice", "patents", "eula", "disclaimer", "readme"} {
		if strings.HasPrefix(lower, word) || strings.HasPrefix(lower, "un"+word) || strings.Contains(lower, "license") {
			return true
		}
	}
	return false
}
