package scan

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// files lists the executable files and archives of the depth that was asked for, each once, sorted by path. Machine code and
// archives count wherever they lie; at sbom.DepthEntries scripts count in directories of programs only.
func (m mapping) files(ctx context.Context, all []component, owned ownership) ([]sbom.File, error) {
	if m.depth == "" {
		return nil, nil
	}
	listed := make(map[string]bool, len(all))
	for _, c := range all {
		listed[c.Ref] = true
	}
	var out []sbom.File
	var failed error
	seen := map[*entry]bool{}
	m.view.tree.walk(func(n *node) {
		if failed != nil || !n.isRegular() || seen[n.entry] {
			return
		}
		name := fileKind(n, m.depth)
		if name == "" {
			return
		}
		if failed = ctx.Err(); failed != nil {
			return
		}
		seen[n.entry] = true // its other names are hard links
		f, err := m.describe(n, name)
		if err != nil {
			failed = err
			return
		}
		if f.Owner = owned.of(n.entry); !listed[f.Owner] {
			f.Owner = ""
		}
		out = append(out, f)
	})
	slices.SortFunc(out, func(a, b sbom.File) int { return strings.Compare(a.Path, b.Path) })
	return out, failed
}

func (m mapping) describe(n *node, name string) (sbom.File, error) {
	e := n.entry
	f := sbom.File{
		Path: n.path, Size: e.size, Modified: dated(e.mtime), Kind: name, Layer: audit.Digest(m.view.layerID(n)),
		Archive: name == kindArchive, Structured: name == kindArchive, Executable: name != kindArchive || isJar(n.path),
	}
	short, long := e.sha256, e.sha512
	if short == ([32]byte{}) { // a file of a host
		var err error
		if short, long, err = m.sums(n); err != nil {
			return f, err
		}
	}
	f.SHA256, f.SHA512 = hex.EncodeToString(short[:]), hex.EncodeToString(long[:])
	return f, nil
}

// dated is a time that RFC 3339 can write; a file that claims another has none.
func dated(seconds int64) time.Time {
	t := time.Unix(seconds, 0).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

func (m mapping) sums(n *node) (short [32]byte, long [64]byte, err error) {
	r, err := m.view.contents(n)
	if err != nil {
		return short, long, fmt.Errorf("reading %s: %w", n.path, withoutPath(err))
	}
	h1, h2 := sha256.New(), sha512.New()
	_, err = io.Copy(io.MultiWriter(h1, h2), r)
	if err := errors.Join(err, r.Close()); err != nil {
		return short, long, fmt.Errorf("reading %s: %w", n.path, withoutPath(err))
	}
	h1.Sum(short[:0])
	h2.Sum(long[:0])
	return short, long, nil
}

// Words of sbom.File.Kind.
const (
	kindScript   = "script"
	kindBytecode = "bytecode"
	kindArchive  = "archive"
)

// fileKind returns the kind of a regular file if it counts at a depth, else nothing.
func fileKind(n *node, depth string) string {
	switch n.entry.kind {
	case machineELF:
		return "elf"
	case machinePE:
		return "pe"
	case machineMachO:
		return "mach-o"
	case archive:
		return kindArchive
	case script:
		if depth == sbom.DepthAll || inProgramDir(n.path) {
			return kindScript
		}
		return ""
	}
	if depth != sbom.DepthAll {
		return ""
	}
	return interpreted[path.Ext(n.path)]
}

// inProgramDir reports whether a file lies where programs are looked for.
func inProgramDir(name string) bool {
	switch path.Base(path.Dir(name)) {
	case "bin", "sbin", "games":
		return true
	}
	return false
}

// interpreted are the ends of names of files that an interpreter runs: they are executable files in the sense of BSI
// TR-03183-2 section 3.2.3, whether or not they have a first line that says so.
var interpreted = map[string]string{
	".py": kindScript, ".pl": kindScript, ".pm": kindScript, ".rb": kindScript, ".js": kindScript, ".mjs": kindScript, ".cjs": kindScript,
	".sh": kindScript, ".lua": kindScript, ".php": kindScript, ".tcl": kindScript, ".ps1": kindScript, ".r": kindScript, ".el": kindScript,
	".class": kindBytecode, ".beam": kindBytecode,
}

// isJar reports whether an archive is a program for the Java virtual machine.
func isJar(name string) bool {
	ext := path.Ext(name)
	return ext == ".jar" || ext == ".war" || ext == ".ear"
}
