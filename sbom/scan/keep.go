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
	programs []string // patterns of programs and libraries into which the catalogers look
}

// newKeeper collects the patterns of syft's classifiers of binaries.
func newKeeper() keeper {
	var k keeper
	for _, c := range binary.DefaultClassifiers() {
		k.programs = append(k.programs, strings.TrimPrefix(c.FileGlob, "**/"))
	}
	return k
}

// program reports whether a cataloger recognises machine code of this name by its contents.
func (k keeper) program(name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, "php") || strings.HasSuffix(base, ".ko") || strings.HasPrefix(base, "vmlinu") ||
		strings.Contains(name, "/php") || strings.HasSuffix(base, ".exe") || strings.HasSuffix(base, ".dll") {
		return true
	}
	for _, pattern := range k.programs {
		target := base
		if strings.Contains(pattern, "/") {
			target, pattern = name, "/**/"+pattern
		}
		if ok, err := doublestar.Match(pattern, target); ok || err != nil {
			return true
		}
	}
	return false
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
func (k keeper) file(name string) bool { return !bulk[path.Ext(name)] }
