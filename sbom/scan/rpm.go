package scan

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	syftsbom "github.com/anchore/syft/syft/sbom"
)

// Limits of rpm databases. The largest that were seen, of desktops with everything, have 250 MB and 4,000 packages.
const (
	maxRPMDatabase = 1 << 30
	maxRPMHeader   = 256 << 20 // as rpm limits it
	maxRPMTags     = 1 << 16   // as rpm limits it
)

// rpmKey names one package of an rpm database.
type rpmKey struct{ name, version, release, arch string }

// rpmDatabases are the packages of each rpm database of a target, by path.
type rpmDatabases map[string]map[rpmKey]bool

// readRPM reads every rpm database of a target, in all three formats, before syft does. The library behind syft trusts
// lengths, counts and links between pages in it: a forged file ends the whole process or never ends, in a goroutine of its
// own where nobody can catch it, and a damaged one gives fewer packages without an error. What is not sound is refused here.
func (s *Scanner) readRPM(ctx context.Context, resolver file.Resolver) (all rpmDatabases, err error) {
	locations, err := resolver.FilesByGlob(pkg.RpmDBGlob)
	if err != nil {
		return nil, fmt.Errorf("looking for rpm databases: %w", err)
	}
	if len(locations) == 0 {
		return nil, nil
	}
	dir, err := s.work.scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	all = rpmDatabases{}
	for _, at := range locations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		packages, err := readRPMAt(ctx, resolver, at, filepath.Join(dir, "database"))
		if err != nil {
			return nil, fmt.Errorf("reading the package database %s: %w", at.RealPath, err)
		}
		all[at.RealPath] = packages
	}
	return all, nil
}

// readRPMAt copies one database to a file of this machine, because its pages are read in any order.
func readRPMAt(ctx context.Context, resolver file.Resolver, at file.Location, copyName string) (map[rpmKey]bool, error) {
	if err := noUnfinishedWrites(resolver, at); err != nil {
		return nil, err
	}
	r, err := resolver.FileContentsByLocation(at)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer r.Close()
	f, err := os.Create(copyName)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	size, err := io.Copy(f, io.LimitReader(r, maxRPMDatabase+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if size > maxRPMDatabase {
		return nil, fmt.Errorf("it is larger than %d bytes", maxRPMDatabase)
	}
	packages := map[rpmKey]bool{}
	err = eachHeader(ctx, f, size, func(header []byte) error {
		key, err := readHeader(header)
		if err != nil {
			return fmt.Errorf("header of package %d: %w", len(packages)+1, err)
		}
		packages[key] = true
		return nil
	})
	return packages, err
}

// noUnfinishedWrites refuses a database of which a part is still in SQLite's log beside it: without the log it lacks packages.
func noUnfinishedWrites(resolver file.Resolver, at file.Location) error {
	logs, err := resolver.FilesByPath(at.RealPath + "-wal")
	if err != nil || len(logs) == 0 {
		return nil //nolint:nilerr // no log
	}
	meta, err := resolver.FileMetadataByLocation(logs[0])
	if err == nil && meta.Size() > 0 {
		return errors.New("changes that are not yet in it lie in the log beside it; run rpm -qa as root there, which writes them, and scan again")
	}
	return nil
}

// eachHeader calls found with the header of each package.
func eachHeader(ctx context.Context, f *os.File, size int64, found func([]byte) error) error {
	head := make([]byte, 64)
	if n, err := f.ReadAt(head, 0); err != nil && n < 32 {
		return errors.New("it is too short for a database")
	}
	switch {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return sqliteHeaders(ctx, f.Name(), found)
	case bytes.HasPrefix(head, []byte("RpmP")):
		return ndbHeaders(f, size, found)
	}
	return berkeleyHeaders(f, size, found)
}

// rpmTable is the one form in which rpm writes the table of packages, without blanks and quotes.
const rpmTable = "createtablepackages(hnumintegerprimarykeyautoincrement,blobblobnotnull)"

// sqliteHeaders reads rpmdb.sqlite (rpm since 4.16). A view or a computed column in place of the table is refused: it is a
// program.
func sqliteHeaders(ctx context.Context, name string, found func([]byte) error) error {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: name}).EscapedPath(), RawQuery: "mode=ro&immutable=1"}).String())
	if err != nil {
		return err
	}
	defer db.Close()
	var kind, text string
	if err := db.QueryRowContext(ctx, "SELECT type, sql FROM sqlite_schema WHERE name = 'Packages'").Scan(&kind, &text); err != nil {
		return fmt.Errorf("looking for the table of packages: %w", err)
	}
	plain := strings.NewReplacer(" ", "", "\t", "", "\n", "", "'", "", `"`, "").Replace(strings.ToLower(text))
	if kind != "table" || plain != rpmTable {
		return errors.New("the table of packages is not as rpm makes it")
	}
	rows, err := db.QueryContext(ctx, "SELECT blob FROM Packages")
	if err != nil {
		return fmt.Errorf("reading the table of packages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var header sql.RawBytes
		if err := rows.Scan(&header); err != nil {
			return fmt.Errorf("reading the table of packages: %w", err)
		}
		if err := found(header); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ndbHeaders reads Packages.db (rpm of SUSE): pages of slots, each of which names a block with the header of a package.
func ndbHeaders(f *os.File, size int64, found func([]byte) error) error {
	const slotSize, pageSize, maxPages = 16, 4096, 2048
	head := make([]byte, 32)
	if _, err := f.ReadAt(head, 0); err != nil {
		return errors.New("it ends too early")
	}
	pages := binary.LittleEndian.Uint32(head[12:])
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 || pages == 0 || pages > maxPages {
		return fmt.Errorf("it has version %d and %d pages of slots, want version 0 and 1 to %d", version, pages, maxPages)
	}
	slots := make([]byte, int64(pages)*pageSize-2*slotSize)
	if _, err := f.ReadAt(slots, 2*slotSize); err != nil {
		return errors.New("it ends too early")
	}
	left := size
	for at := 0; at < len(slots); at += slotSize {
		slot := slots[at : at+slotSize]
		if string(slot[:4]) != "Slot" {
			return fmt.Errorf("slot %d is none", at/slotSize)
		}
		id := binary.LittleEndian.Uint32(slot[4:])
		if id == 0 {
			continue
		}
		header, err := ndbBlob(f, size, id, int64(binary.LittleEndian.Uint32(slot[8:]))*slotSize)
		if err != nil {
			return err
		}
		if left -= int64(len(header)); left < 0 {
			return errors.New("its packages lie one over another")
		}
		if err := found(header); err != nil {
			return err
		}
	}
	return nil
}

func ndbBlob(f *os.File, size int64, id uint32, at int64) ([]byte, error) {
	head := make([]byte, 16)
	if _, err := f.ReadAt(head, at); err != nil {
		return nil, fmt.Errorf("package %d: it ends too early", id)
	}
	length := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != "BlbS" || binary.LittleEndian.Uint32(head[4:]) != id || length > size-at-16 {
		return nil, fmt.Errorf("package %d: its block is not one", id)
	}
	header := make([]byte, length)
	if _, err := f.ReadAt(header, at+16); err != nil {
		return nil, fmt.Errorf("package %d: it ends too early", id)
	}
	return header, nil
}

// berkeley is Packages, a hash of Berkeley DB (rpm before 4.16): in hash pages stand pairs of key and value, and values of
// that size lie on chains of overflow pages.
type berkeley struct {
	f        *os.File
	order    binary.ByteOrder
	pageSize int64
	pages    uint32
	used     map[uint32]bool // overflow pages that belong to a package already
}

// Numbers of Berkeley DB (dbinc/db_page.h).
const (
	berkeleyMagic      = 0x00061561
	berkeleyMeta       = 8
	berkeleyHash       = 13
	berkeleyHashOld    = 2
	berkeleyOverflow   = 7
	berkeleyOffPage    = 3
	berkeleyPageHeader = 26
	berkeleyOffSize    = 12
)

func berkeleyHeaders(f *os.File, size int64, found func([]byte) error) error {
	meta := make([]byte, 512)
	if _, err := f.ReadAt(meta, 0); err != nil {
		return errors.New("it is no database of rpm: it ends too early")
	}
	b := berkeley{f: f, order: binary.LittleEndian, used: map[uint32]bool{}}
	if b.order.Uint32(meta[12:]) != berkeleyMagic {
		b.order = binary.BigEndian
	}
	b.pageSize = int64(b.order.Uint32(meta[20:]))
	if b.order.Uint32(meta[12:]) != berkeleyMagic || meta[24] != 0 || meta[25] != berkeleyMeta {
		return errors.New("it is no database of rpm: want SQLite, ndb or a hash of Berkeley DB without encryption")
	}
	if b.pageSize < 512 || b.pageSize > 65536 || b.pageSize&(b.pageSize-1) != 0 {
		return fmt.Errorf("it has pages of %d bytes", b.pageSize)
	}
	last := b.order.Uint32(meta[32:])
	if b.pages = uint32(size / b.pageSize); last >= b.pages {
		return fmt.Errorf("it ends too early: it has %d pages, the last should be %d", b.pages, last)
	}
	for n := uint32(0); n <= last; n++ {
		if err := b.hashPage(n, found); err != nil {
			return err
		}
	}
	return nil
}

func (b berkeley) page(n uint32) ([]byte, error) {
	data := make([]byte, b.pageSize)
	if _, err := b.f.ReadAt(data, int64(n)*b.pageSize); err != nil {
		return nil, fmt.Errorf("page %d: it ends too early", n)
	}
	return data, nil
}

func (b berkeley) hashPage(n uint32, found func([]byte) error) error {
	data, err := b.page(n)
	if err != nil {
		return err
	}
	if data[25] != berkeleyHash && data[25] != berkeleyHashOld {
		return nil
	}
	entries := int(b.order.Uint16(data[20:]))
	if entries%2 != 0 || berkeleyPageHeader+2*entries > len(data) {
		return fmt.Errorf("page %d: %d entries do not fit", n, entries)
	}
	for i := 1; i < entries; i += 2 {
		at := int(b.order.Uint16(data[berkeleyPageHeader+2*i:]))
		if at >= len(data) || data[at] == berkeleyOffPage && at+berkeleyOffSize > len(data) {
			return fmt.Errorf("page %d: entry %d lies outside of it", n, i)
		}
		if data[at] != berkeleyOffPage {
			continue // rpm's own numbers, no package
		}
		header, err := b.chain(b.order.Uint32(data[at+4:]))
		if err != nil {
			return err
		}
		if err := found(header); err != nil {
			return err
		}
	}
	return nil
}

// chain joins overflow pages. No page belongs to two packages, so that a chain has an end.
func (b berkeley) chain(n uint32) ([]byte, error) {
	var out []byte
	for n != 0 {
		if n >= b.pages || b.used[n] {
			return nil, fmt.Errorf("page %d is not there, or belongs to two packages", n)
		}
		b.used[n] = true
		data, err := b.page(n)
		if err != nil {
			return nil, err
		}
		next, content := b.order.Uint32(data[16:]), data[berkeleyPageHeader:]
		if data[25] != berkeleyOverflow {
			return nil, fmt.Errorf("page %d holds no part of a package", n)
		}
		if used := int(b.order.Uint16(data[22:])); next == 0 && used > len(content) {
			return nil, fmt.Errorf("page %d: %d bytes do not fit", n, used)
		} else if next == 0 {
			content = content[:used]
		}
		if out = append(out, content...); len(out) > maxRPMHeader {
			return nil, fmt.Errorf("a package has more than %d bytes", maxRPMHeader)
		}
		n = next
	}
	return out, nil
}

// Types and tags of rpm headers (rpmtag.h).
const (
	rpmString      = 6
	rpmStringArray = 8
	rpmI18N        = 9
	tagName        = 1000
	tagVersion     = 1001
	tagRelease     = 1002
	tagArch        = 1022
)

// readHeader checks the index of a header and returns the name of its package: every entry lies within the data, has no
// more elements than there is room for, and all entries together are not larger than the data by much.
func readHeader(header []byte) (rpmKey, error) {
	var key rpmKey
	if len(header) < 8 {
		return key, errors.New("it ends too early")
	}
	tags, length := int64(binary.BigEndian.Uint32(header)), int64(binary.BigEndian.Uint32(header[4:]))
	if tags < 1 || tags > maxRPMTags || length > maxRPMHeader || 8+16*tags+length > int64(len(header)) {
		return key, fmt.Errorf("%d tags and %d bytes do not fit into %d", tags, length, len(header))
	}
	data := header[8+16*tags:][:length]
	work := int64(0)
	for i := range tags {
		entry := header[8+16*i:][:16]
		tag, kind := binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[4:])
		offset, count := int64(int32(binary.BigEndian.Uint32(entry[8:]))), int64(binary.BigEndian.Uint32(entry[12:]))
		size, err := entrySize(data, kind, offset, count)
		if err != nil {
			return key, fmt.Errorf("tag %d: %w", tag, err)
		}
		if work += size; work > 4*length+1<<20 {
			return key, errors.New("its tags lie one over another")
		}
		if field := key.field(tag); field != nil && kind == rpmString {
			*field = string(data[offset : offset+size-1])
		}
	}
	if key.name == "" || key.version == "" {
		return key, errors.New("the package has no name or no version")
	}
	return key, nil
}

func (k *rpmKey) field(tag uint32) *string {
	switch tag {
	case tagName:
		return &k.name
	case tagVersion:
		return &k.version
	case tagRelease:
		return &k.release
	case tagArch:
		return &k.arch
	}
	return nil
}

// entrySize returns how many bytes of the data an entry has.
func entrySize(data []byte, kind uint32, offset, count int64) (int64, error) {
	if kind > rpmI18N || offset < 0 || offset > int64(len(data)) || count > int64(len(data)) {
		return 0, fmt.Errorf("type %d, offset %d and count %d do not fit", kind, offset, count)
	}
	rest := data[offset:]
	switch kind {
	case rpmString, rpmStringArray, rpmI18N:
		size := int64(0)
		for range count {
			end := bytes.IndexByte(rest[size:], 0)
			if end < 0 {
				return 0, errors.New("a text has no end")
			}
			size += int64(end) + 1
		}
		if kind == rpmString && count != 1 {
			return 0, fmt.Errorf("one text has %d elements", count)
		}
		return size, nil
	}
	size := count * [...]int64{0, 1, 1, 2, 4, 8, 0, 1}[kind]
	if size > int64(len(rest)) {
		return 0, fmt.Errorf("%d elements do not fit", count)
	}
	return size, nil
}

// complete compares what syft found with what is in the databases. Keys, which rpm lists as packages, are none.
func (all rpmDatabases) complete(found *syftsbom.SBOM) error {
	seen := map[rpmKey]bool{}
	for p := range found.Artifacts.Packages.Enumerate(pkg.RpmPkg) {
		if m, ok := p.Metadata.(pkg.RpmDBEntry); ok {
			seen[rpmKey{m.Name, m.Version, m.Release, m.Arch}] = true
		}
	}
	var lost []string
	for _, packages := range all {
		for key := range packages {
			if !seen[key] && key.name != rpmPublicKey {
				lost = append(lost, key.name+" "+key.version)
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return fmt.Errorf("reading packages: rpm lists %d packages that were not found by syft, the first is %s", len(lost), lost[0])
}

// rpmPublicKey is the name under which rpm lists keys of signers.
const rpmPublicKey = "gpg-pubkey"

// sourceOfRPM splits the file name of a source package, NAME-VERSION-RELEASE.src.rpm.
func sourceOfRPM(name string) (source, version string) {
	stem, ok := strings.CutSuffix(name, ".src.rpm")
	if !ok {
		if stem, ok = strings.CutSuffix(name, ".nosrc.rpm"); !ok {
			return "", ""
		}
	}
	parts := strings.Split(stem, "-")
	if len(parts) < 3 {
		return "", ""
	}
	n := len(parts) - 2
	return strings.Join(parts[:n], "-"), strings.Join(parts[n:], "-")
}
