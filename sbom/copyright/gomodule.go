package copyright

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// This file reads the licence texts of Go modules: from a module cache of this machine, or from a proxy by the protocol
// that "go help goproxy" and go.dev/ref/mod#goproxy-protocol describe. A binary names its modules and versions, and
// nothing about licences.

// Limits of one module. The go command itself allows a zip of 500 MiB and a LICENSE of 16 MiB; modules that stacks contain
// stay far below.
const (
	maxModuleZip   = 128 << 20
	maxDirectory   = 16 << 20 // bytes of the zip's list of files, about 150,000 files
	maxLicenceText = 1 << 20
	maxLicences    = 16     // licence files in the root of a module
	maxRootFiles   = 10_000 // entries in the root of an unpacked module
)

var (
	modulePath    = regexp.MustCompile(`^[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~+-]+)*$`)                        // go.dev/ref/mod#go-mod-file-ident
	moduleVersion = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+incompatible)?$`) // go.dev/ref/mod#versions
	licenceFile   = regexp.MustCompile(`(?i)^(?:un)?(?:licen[cs]e|copying)(?:[.-][a-z0-9.-]{1,40})?$`)
)

// isLicenceFile recognises a licence file by its name, e.g. LICENSE, COPYING.LESSER, LICENSE-MIT, licence.md; a program
// that only has such a name is none.
func isLicenceFile(name string) bool {
	programs := []string{".go", ".py", ".js", ".ts", ".sh", ".json", ".yaml", ".yml", ".toml", ".tmpl"}
	return licenceFile.MatchString(name) && !slices.Contains(programs, strings.ToLower(path.Ext(name)))
}

// aboutGo is the question about a module in a released version. The standard library and modules that were built from a
// work tree are in no proxy.
func aboutGo(c sbom.Component, _ string) (question, bool) {
	q := question{ecosystem: "go", name: c.Name, version: c.Version}
	dotted := strings.Contains(strings.Split(c.Name, "/")[0], ".")
	return q, c.Type == "go-module" && dotted && modulePath.MatchString(q.name) && len(q.name) < 500 &&
		moduleVersion.MatchString(q.version) && len(q.version) < 200 && !strings.Contains("/"+q.name+"/", "/../") && !strings.Contains("/"+q.name+"/", "/./")
}

// escaped is a module path or version as proxies and caches write it: an exclamation mark and the small letter for each
// capital (go.dev/ref/mod#goproxy-protocol).
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// askModuleCache reads the unpacked module, else its zip.
func askModuleCache(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return answer{}, failed("name a directory that can be read", "it cannot be opened")
	}
	defer root.Close()
	texts, err := unpackedModule(root, escaped(q.name)+"@"+escaped(q.version))
	if errors.Is(err, fs.ErrNotExist) {
		texts, err = cachedZip(ctx, root, q)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return answer{}, absent("it does not have the module in this version")
	}
	if err != nil {
		return answer{}, err
	}
	return moduleAnswer(texts, q, audit.Origin{Source: p.kind.word, At: a.at})
}

// licenceText is one licence file in the root of a module.
type licenceText struct {
	name string
	data []byte
}

func unpackedModule(root *os.Root, dir string) ([]licenceText, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(maxRootFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, failed("make it readable", "the module cannot be read")
	}
	var texts []licenceText
	for _, e := range entries {
		if !e.Type().IsRegular() || !isLicenceFile(e.Name()) || len(texts) == maxLicences {
			continue
		}
		text, err := root.Open(dir + "/" + e.Name())
		if err != nil {
			return nil, failed("make it readable", "the file %s of the module cannot be read", shorten(e.Name()))
		}
		data, err := readText(text)
		if err = errors.Join(err, text.Close()); err != nil {
			return nil, err
		}
		texts = append(texts, licenceText{e.Name(), data})
	}
	return texts, nil
}

func readText(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxLicenceText+1))
	if err != nil {
		return nil, useless("a licence file cannot be read")
	}
	if len(data) > maxLicenceText {
		return nil, useless("a licence file is longer than %d bytes", maxLicenceText)
	}
	return data, nil
}

func cachedZip(ctx context.Context, root *os.Root, q question) ([]licenceText, error) {
	f, err := root.Open("cache/download/" + escaped(q.name) + "/@v/" + escaped(q.version) + ".zip")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return zippedModule(ctx, f, q)
}

// askGoProxy reads the zip of a module through a temporary file, because the list of its files stands at the end.
func askGoProxy(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	at := p.base + "/" + escaped(q.name) + "/@v/" + escaped(q.version) + ".zip"
	var texts []licenceText
	err := a.open(ctx, at, wanted{archive: true}, func(body io.Reader) error {
		f, err := os.CreateTemp(a.tempDir, "pegel-module-*")
		if err != nil {
			return failed("make room in the temporary directory", "no temporary file can be made")
		}
		defer os.Remove(f.Name())
		defer f.Close()
		n, err := io.Copy(f, io.LimitReader(body, maxModuleZip+1))
		if err != nil {
			return err
		}
		if n > maxModuleZip {
			return useless("the module is larger than %d bytes", int64(maxModuleZip))
		}
		texts, err = zippedModule(ctx, f, q)
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return moduleAnswer(texts, q, audit.Origin{Source: p.kind.word, URL: at, At: a.at})
}

// zippedModule returns the licence files in the root of a module's zip; all names in it begin with module@version
// (go.dev/ref/mod#zip-files).
func zippedModule(ctx context.Context, f *os.File, q question) ([]licenceText, error) {
	info, err := f.Stat()
	if err != nil || info.Size() > maxModuleZip || !smallDirectory(f, info.Size()) {
		return nil, useless("the module is no zip, or a larger one than allowed")
	}
	archive, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, useless("the module is no zip that can be read")
	}
	prefix := q.name + "@" + q.version + "/"
	var texts []licenceText
	for _, entry := range archive.File {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		name, ok := strings.CutPrefix(entry.Name, prefix)
		if !ok {
			return nil, useless("the zip holds another module than the one asked for")
		}
		if !isLicenceFile(name) || len(texts) == maxLicences {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			return nil, useless("a licence file cannot be read")
		}
		data, err := readText(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		texts = append(texts, licenceText{name, data})
	}
	return texts, nil
}

// smallDirectory reports whether the list of files of a zip is short enough to be read as a whole, which archive/zip does
// before anything else. Its place stands in the end record (APPNOTE.TXT 4.3.16); larger forms (zip64) are refused.
func smallDirectory(f io.ReaderAt, size int64) bool {
	const record, longest = 22, 65535
	tail := make([]byte, min(size, record+longest))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < record || bytes.Contains(tail[:i], []byte("PK\x06\x07")) {
		return false
	}
	end := size - int64(len(tail)-i)
	length, offset := int64(binary.LittleEndian.Uint32(tail[i+12:])), int64(binary.LittleEndian.Uint32(tail[i+16:]))
	return length <= maxDirectory && end-offset <= maxDirectory && end >= offset
}

// moduleAnswer recognises the texts. Each file is a claim of its own; one that is not recognised keeps the whole from
// looking better known than its parts.
func moduleAnswer(texts []licenceText, q question, origin audit.Origin) (answer, error) {
	if len(texts) == 0 {
		return answer{}, absent("the module has no licence file in its root")
	}
	slices.SortFunc(texts, func(a, b licenceText) int { return strings.Compare(a.name, b.name) })
	var claims []sbom.LicenceClaim
	for _, t := range texts {
		value, _, ok := licence.Detect(t.data)
		if !ok {
			value = "LicenseRef-pegel-unrecognised-text"
		}
		from := origin
		from.Path, from.Digest = q.name+"@"+q.version+"/"+t.name, audit.DigestOf(t.data)
		claims = append(claims, sbom.LicenceClaim{Value: value, Provenance: sbom.FromText, Path: from.Path, Origin: from})
	}
	return answer{claims: tidy(claims), origin: origin}, nil
}
