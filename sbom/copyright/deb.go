package copyright

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"github.com/pegel-audit/pegel/sbom"
)

// This file reads the copyright file out of a .deb from a mirror that the operator names. The package must be the one that
// is installed: name, version and architecture of its control file are compared.

// Limits of one .deb. Window sizes bound memory: dpkg compresses with xz -6 (8 MiB) or -9 (64 MiB), Ubuntu with zstd -19
// (8 MiB).
const (
	maxMembers   = 16        // of the outer ar archive; a .deb has three
	maxControl   = 16 << 20  // unpacked bytes of control.tar
	maxEntries   = 1_000_000 // of data.tar
	maxWindow    = 64 << 20
	maxField     = 1 << 20
	ratioFloor   = 64 << 20 // up to this size no ratio is enforced
	maxRatio     = 200      // unpacked bytes per packed byte
	debSignature = "!<arch>\n"
)

// aboutDeb is the question about a binary package.
func aboutDeb(c sbom.Component, os string) (question, bool) {
	if c.Type != "deb" || c.Arch == "" {
		return question{}, false
	}
	q := question{ecosystem: "deb", name: c.Name, version: c.Version, arch: c.Arch, source: c.Source}
	if q.source == "" {
		q.source = c.Name
	}
	q.areas = areasOf(c.Section, distributionOf(c, os))
	return q, debName.MatchString(q.name) && debName.MatchString(q.source) && debVersion.MatchString(q.version) && debArch.MatchString(q.arch)
}

// askMirror reads the copyright file of a package. Where the package refers to the documentation of another one of the
// same source (Debian policy 12.3), that one is read, once.
func askMirror(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	found, at, err := readMirror(ctx, a, p, q)
	if err != nil {
		return answer{}, err
	}
	if other := found.elsewhere; other != "" {
		if found, at, err = readSister(ctx, a, p, q, other); err != nil {
			return answer{}, err
		}
		if found.elsewhere != "" {
			return answer{}, absent("its documentation lies in the package %s, which refers to a third one", other)
		}
	}
	return readCopyright(found.data, sbom.FromMirror, "/"+found.path, a.originOf(p, at, found.path, found.data))
}

// readSister reads a package whose documentation another one refers to: in the same version, for the same architecture or
// for all.
func readSister(ctx context.Context, a *asker, p Place, q question, name string) (debCopyright, string, error) {
	if !debName.MatchString(name) {
		return debCopyright{}, "", absent("its documentation is a link that leads to no package")
	}
	q.name = name
	found, at, err := readMirror(ctx, a, p, q)
	if m, ok := asMiss(err); ok && m.absent && q.arch != "all" {
		q.arch = "all"
		return readMirror(ctx, a, p, q)
	}
	return found, at, err
}

// readMirror finds the package in the archive.
func readMirror(ctx context.Context, a *asker, p Place, q question) (found debCopyright, at string, err error) {
	read := func(r io.Reader) error {
		found, err = readDeb(ctx, r, q, a.limits)
		return err
	}
	if p.local() {
		err = openLocalDeb(p, q, read)
		return found, "", err
	}
	err = absent("it does not have the package in this version")
	for _, name := range poolNames(q, strings.HasSuffix(p.base, "-security")) {
		at = p.base + "/" + name
		if err = a.open(ctx, at, wanted{archive: true}, read); err == nil {
			return found, at, nil
		}
		if m, ok := asMiss(err); !ok || !m.absent {
			return debCopyright{}, "", err
		}
	}
	return debCopyright{}, "", err
}

// debFile is the file name of a package in an archive.
func debFile(q question) string {
	return q.name + "_" + withoutEpoch(q.version) + "_" + q.arch + ".deb"
}

// poolNames are the paths that a package can have in an archive. The archive of security updates keeps the areas below
// updates/.
func poolNames(q question, security bool) []string {
	var out []string
	for _, area := range q.areas {
		if security {
			out = append(out, "pool/updates/"+poolPath(area, q.source)+"/"+debFile(q))
		}
		out = append(out, "pool/"+poolPath(area, q.source)+"/"+debFile(q))
	}
	return out
}

// openLocalDeb looks for the package in a directory: in pool/, or beside others, with the epoch left out or written as apt
// does in its cache. No link leads out of the directory.
func openLocalDeb(p Place, q question, read func(io.Reader) error) error {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return failed("name a directory that can be read", "it cannot be opened")
	}
	defer root.Close()
	names := append(poolNames(q, false), debFile(q), q.name+"_"+strings.ReplaceAll(q.version, ":", "%3a")+"_"+q.arch+".deb")
	for _, name := range names {
		if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		f, err := root.Open(name)
		if err != nil {
			return failed("make it readable", "the file %s cannot be read", path.Base(name))
		}
		defer f.Close()
		return read(f)
	}
	return absent("it does not have the package in this version")
}

// debCopyright is the copyright file of a package, or the name of the package whose documentation holds it.
type debCopyright struct {
	data      []byte
	path      string // inside the package
	elsewhere string
}

// readDeb reads a .deb (deb(5)) up to its copyright file. The context ends long reading.
func readDeb(ctx context.Context, r io.Reader, q question, limits Limits) (debCopyright, error) {
	in := bufio.NewReader(&bounded{r: r, left: limits.Archive, ctx: ctx})
	magic := make([]byte, len(debSignature))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != debSignature {
		return debCopyright{}, notDeb(err)
	}
	checked := false
	for range maxMembers {
		name, size, err := member(in)
		if err != nil {
			return debCopyright{}, notDeb(err)
		}
		body := io.LimitReader(in, size)
		base, compression, _ := strings.Cut(name, ".tar")
		switch {
		case base == "control" && base != name:
			if err := sameDeb(ctx, body, compression, q); err != nil {
				return debCopyright{}, err
			}
			checked = true
		case base == "data" && base != name:
			if !checked {
				return debCopyright{}, useless("the package has no control file before its contents")
			}
			return findCopyright(ctx, body, compression, q, limits)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return debCopyright{}, notDeb(err)
		}
		if size%2 == 1 {
			_, _ = in.Discard(1) // members begin at even places; a missing byte shows with the next header
		}
	}
	return debCopyright{}, useless("the package has more than %d members", maxMembers)
}

// notDeb keeps connection errors, which are worth another attempt.
func notDeb(err error) error {
	var m *miss
	if errors.As(err, &m) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return failed("ask again later", "the package breaks off")
	}
	return useless("its answer is no .deb package")
}

// member reads the header of an ar member.
func member(r io.Reader) (name string, size int64, err error) {
	var header [60]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return "", 0, err
	}
	size, err = strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
	if err != nil || size < 0 || string(header[58:]) != "`\n" {
		return "", 0, errors.New("no ar header")
	}
	return strings.TrimRight(strings.TrimSpace(string(header[:16])), "/"), size, nil
}

// sameDeb compares the control file with the package that was asked for.
func sameDeb(ctx context.Context, r io.Reader, compression string, q question) error {
	unpacked, done, err := unpack(ctx, r, compression, maxControl)
	if err != nil {
		return err
	}
	defer done()
	files := tar.NewReader(unpacked)
	for range maxMembers * 64 {
		h, err := files.Next()
		if err != nil {
			return notDeb(err)
		}
		if path.Clean(h.Name) != "control" || h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(files, maxField))
		if err != nil {
			return notDeb(err)
		}
		if name, version, arch := controlFields(data); name != q.name || version != q.version || arch != q.arch {
			return useless("the package is not the one that is installed: name, version or architecture differ")
		}
		return nil
	}
	return useless("the package has no control file")
}

func controlFields(data []byte) (name, version, arch string) {
	for line := range bytes.Lines(data) {
		field, value, _ := strings.Cut(string(line), ":")
		switch value = strings.TrimSpace(value); field {
		case "Package":
			name = value
		case "Version":
			version = value
		case "Architecture":
			arch = value
		}
	}
	return name, version, arch
}

// findCopyright reads data.tar up to /usr/share/doc/NAME/copyright.
func findCopyright(ctx context.Context, r io.Reader, compression string, q question, limits Limits) (debCopyright, error) {
	unpacked, done, err := unpack(ctx, r, compression, limits.Unpacked)
	if err != nil {
		return debCopyright{}, err
	}
	defer done()
	dir := "usr/share/doc/" + q.name
	files := tar.NewReader(unpacked)
	for range maxEntries {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return debCopyright{}, absent("the package has no copyright file")
		}
		if err != nil {
			return debCopyright{}, notDeb(err)
		}
		switch name := path.Clean(strings.TrimPrefix(h.Name, "/")); {
		case name == dir && h.Typeflag == tar.TypeSymlink:
			return linked(follow("usr/share/doc", h.Linkname)), nil
		case name == dir+"/copyright" && h.Typeflag == tar.TypeSymlink:
			return linked(path.Dir(follow(dir, h.Linkname))), nil
		case name == dir+"/copyright" && h.Typeflag == tar.TypeReg:
			data, err := io.ReadAll(io.LimitReader(files, limits.Document+1))
			if err != nil {
				return debCopyright{}, notDeb(err)
			}
			if int64(len(data)) > limits.Document {
				return debCopyright{}, useless("its copyright file is longer than %d bytes", limits.Document)
			}
			return debCopyright{data: data, path: name}, nil
		}
	}
	return debCopyright{}, useless("the package has more than %d files", maxEntries)
}

// follow returns where a link in a directory leads.
func follow(dir, target string) string {
	if path.IsAbs(target) {
		return strings.TrimPrefix(path.Clean(target), "/")
	}
	return path.Join(dir, target)
}

// linked names the package in whose documentation a link leads.
func linked(target string) debCopyright {
	if path.Dir(target) != "usr/share/doc" {
		return debCopyright{elsewhere: "?"}
	}
	return debCopyright{elsewhere: path.Base(target)}
}

// unpack opens one of the compressions that dpkg writes or has written (deb(5)), bounded in bytes, ratio and memory.
func unpack(ctx context.Context, r io.Reader, compression string, limit int64) (io.Reader, func(), error) {
	packed := &counted{r: r}
	done := func() {}
	var out io.Reader
	var err error
	switch compression {
	case "":
		out = packed
	case ".gz":
		out, err = gzip.NewReader(packed)
	case ".bz2":
		out = bzip2.NewReader(packed)
	case ".xz":
		out, err = xz.NewReader(packed, maxWindow)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true)); err == nil {
			out, done = d, d.Close
		}
	default:
		return nil, nil, useless("its compression %q is not read", shorten(compression))
	}
	if err != nil {
		return nil, nil, notDeb(err)
	}
	return &bounded{r: out, left: limit, ctx: ctx, packed: packed}, done, nil
}

// counted counts what was read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded ends with an error at a limit of bytes, at a ratio that no honest archive has, and with its context.
type bounded struct {
	r      io.Reader
	left   int64
	read   int64
	packed *counted // nil: no ratio
	ctx    context.Context
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	if b.left -= int64(n); b.left < 0 {
		return 0, useless("the package is larger than allowed")
	}
	if b.packed != nil && b.read > ratioFloor && b.read > maxRatio*max(b.packed.n, 1) {
		return 0, useless("the package unpacks to more than %d times its size", maxRatio)
	}
	return n, err
}
