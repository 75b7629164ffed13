package scan

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	stereofile "github.com/anchore/stereoscope/pkg/file"
)

// entry is what a layer says about one path, with the digests of its contents.
type entry struct {
	path   string // absolute and clean; of a whiteout, the path that it removes
	link   string // target of a symbolic or hard link, as written
	mime   string // of machine code; empty for everything else, because catalogers ask for nothing else by type
	offset int64  // where the contents begin in the data of the layer, notKept if they were not kept
	size   int64
	mtime  int64 // seconds since 1970
	mode   int64 // as in a tar header: permissions, setuid, setgid, sticky
	uid    int32
	gid    int32
	typ    byte // typeflag of a tar header; hard links stay hard links
	mark   mark
	kind   kind
	mute   bool // machine code that holds no evidence of packages
	sha256 [32]byte
	sha512 [64]byte
}

const notKept = -1

// mark tells what an entry removes.
type mark byte

const (
	adds     mark = iota
	whiteout      // ".wh.NAME" removes NAME of the layers below
	opaque        // ".wh..wh..opq" empties the directory of what the layers below put there
)

// Names of OCI image layers, chapter "Whiteouts", and of AUFS, whose own files begin with ".wh..wh." and mean nothing.
const (
	whiteoutPrefix = ".wh."
	opaqueName     = ".wh..wh..opq"
	aufsPrefix     = ".wh..wh."
)

// entryOf reads a tar header; false if it means nothing.
func entryOf(h *tar.Header) (entry, bool) {
	e := entry{
		path: path.Clean("/" + h.Name), link: h.Linkname, offset: notKept, size: h.Size, mtime: h.ModTime.Unix(),
		mode: h.Mode, uid: int32(h.Uid), gid: int32(h.Gid), typ: h.Typeflag,
	}
	switch h.Typeflag {
	case tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse: //nolint:staticcheck // old archives have the first
		e.typ = tar.TypeReg
	}
	switch dir, base := path.Split(e.path); {
	case base == opaqueName:
		e.mark, e.path = opaque, path.Clean(dir)
	case strings.HasPrefix(base, aufsPrefix):
		return entry{}, false
	case strings.HasPrefix(base, whiteoutPrefix):
		e.mark, e.path = whiteout, path.Join(dir, base[len(whiteoutPrefix):])
		if rest := base[len(whiteoutPrefix):]; rest == "" || rest == "." || rest == ".." {
			return entry{}, false // container engines refuse it
		}
	case h.Typeflag == tar.TypeXGlobalHeader:
		return entry{}, false
	}
	if e.typ != tar.TypeReg {
		e.size = 0
	}
	return e, true
}

func (e *entry) isDir() bool     { return e.typ == tar.TypeDir }
func (e *entry) isRegular() bool { return e.typ == tar.TypeReg }

// fileMode is the mode in the form of package fs.
func (e *entry) fileMode() fs.FileMode {
	m := fs.FileMode(e.mode & 0o777)
	for bit, flag := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if e.mode&bit != 0 {
			m |= flag
		}
	}
	switch e.typ {
	case tar.TypeDir:
		m |= fs.ModeDir
	case tar.TypeSymlink:
		m |= fs.ModeSymlink
	case tar.TypeChar:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case tar.TypeBlock:
		m |= fs.ModeDevice
	case tar.TypeFifo:
		m |= fs.ModeNamedPipe
	}
	return m
}

// fileInfo shows an entry under one of its names as a fs.FileInfo.
type fileInfo struct {
	name string
	*entry
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return i.fileMode() }
func (i fileInfo) ModTime() time.Time { return time.Unix(i.mtime, 0).UTC() }
func (i fileInfo) IsDir() bool        { return i.isDir() }
func (i fileInfo) Sys() any           { return nil }

// kind is what the first bytes of a file, and its name, say that it is.
type kind byte

const (
	other kind = iota
	machineELF
	machinePE
	machineMachO
	script
	archive
)

// headSize is how much of a file is looked at to tell its type; stereoscope looks at as much.
const headSize = 3072

// kindOf tells the kind of a file by its first bytes; archives that are compressed need their name too, because one
// compressed file is no archive.
func kindOf(name string, head []byte) kind {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return machineELF
	case bytes.HasPrefix(head, []byte("MZ")) && len(head) > 64:
		return machinePE
	case isMachO(head):
		return machineMachO
	case bytes.HasPrefix(head, []byte("#!")):
		return script
	case isArchive(path.Base(name), head):
		return archive
	}
	return other
}

func isMachO(head []byte) bool {
	if len(head) < 32 {
		return false
	}
	switch string(head[:4]) {
	case "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		return true
	}
	return string(head[:4]) == "\xca\xfe\xba\xbe" && head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] < 20 // else a Java class
}

func isArchive(base string, head []byte) bool {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("!<arch>\n")),
		bytes.HasPrefix(head, []byte("\xed\xab\xee\xdb")), bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")),
		len(head) > 262 && string(head[257:262]) == "ustar":
		return true
	case compressionOf(head) == "" && !bytes.HasPrefix(head, []byte("BZh")) && !bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return false
	}
	return strings.Contains(base, ".tar.") || strings.HasSuffix(base, ".tgz") || strings.HasSuffix(base, ".txz") || strings.HasSuffix(base, ".tbz")
}

// mimeOf is the type of machine code by its first bytes, and nothing for other files.
func mimeOf(k kind, head []byte) string {
	if k == machineELF || k == machinePE || k == machineMachO {
		return stereofile.MIMEType(bytes.NewReader(head))
	}
	return ""
}

// isMute reports whether an ELF file holds nothing that a cataloger reads out of any ELF file: no build information of Go, no
// dependency list of cargo-auditable, no package note, no SBOM of a GraalVM native image. A file without readable sections,
// one with compressed sections of names, and one whose parts are larger than it is itself, are never mute.
func isMute(r io.ReaderAt, size int64) (mute bool) {
	defer func() {
		if recover() != nil {
			mute = false // forged: let the catalogers judge it
		}
	}()
	f, err := elf.NewFile(r)
	if err != nil || len(f.Sections) == 0 {
		return false
	}
	left := size // bytes that are looked at
	for _, s := range f.Sections {
		switch {
		case s.Name == ".go.buildinfo" || s.Name == ".dep-v0" || s.Name == ".note.package":
			return false
		case s.Type != elf.SHT_STRTAB:
			continue
		case s.Flags&elf.SHF_COMPRESSED != 0 || !holdsNo(s.ReaderAt, s.FileSize, &left, graalVM):
			return false
		}
	}
	for _, p := range f.Progs { // where Go looks if no section has the name (debug/buildinfo)
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && !holdsNo(p.ReaderAt, p.Filesz, &left, goBuildInfo) {
			return false
		}
	}
	return true
}

// What GraalVM names the version of its machine in native images, and how the build information of Go begins.
var graalVM, goBuildInfo = []byte("__svm_version_info"), []byte("\xff Go buildinf:")

// holdsNo reports whether a part of a file does certainly not hold a word.
func holdsNo(r io.ReaderAt, size uint64, left *int64, word []byte) bool {
	if size > uint64(max(*left, 0)) {
		return false
	}
	*left -= int64(size)
	data := make([]byte, size)
	if n, err := r.ReadAt(data, 0); err != nil && (!errors.Is(err, io.EOF) || uint64(n) != size) {
		return false
	}
	return !bytes.Contains(data, word)
}
