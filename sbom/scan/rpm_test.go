//go:build unix

package scan

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/sbom"
)

const rpmRelease = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.5\"\n"

const rpmSpec = `Name: alpha
Epoch: 2
Version: 1.2
Release: 3.el9
Summary: a program
License: MIT and GPLv2+
Vendor: Example Cloud GmbH
BuildArch: noarch
%description
A program.
%package -n libbeta
Summary: a library
License: BSD
Requires: alpha = 2:1.2
%description -n libbeta
A library.
%files
%files -n libbeta
`

// madeByRPM is a database with two packages that the tool rpm made, once for all tests.
var madeByRPM = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "pegel-rpm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "a.spec"), []byte(rpmSpec), 0o644); err != nil {
		return nil, err
	}
	script := `rpmbuild -bb --define "_topdir $PWD/top" --define "_builddir $PWD" --define "_tmppath $PWD" a.spec >&2 &&
		rpm --dbpath "$PWD/db" -i --justdb --nodeps --noscripts top/RPMS/noarch/*.rpm`
	run := exec.Command("sh", "-c", script)
	run.Dir, run.Env = dir, append(os.Environ(), "HOME="+dir)
	if out, err := run.CombinedOutput(); err != nil {
		return out, err
	}
	return os.ReadFile(filepath.Join(dir, "db", "rpmdb.sqlite"))
})

// rpmSQLite returns the database. Without the tools the test is skipped, under CI it fails.
func rpmSQLite(t testing.TB) []byte {
	t.Helper()
	for _, tool := range []string{"rpm", "rpmbuild"} {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: install the Debian package rpm", tool)
		}
		t.Skipf("%s is missing: install the Debian package rpm to test databases of rpm", tool)
	}
	data, err := madeByRPM()
	if err != nil {
		t.Fatalf("making a database with rpm: %v\n%s", err, data)
	}
	return data
}

// rpmHeaders returns the headers of the packages in the database.
func rpmHeaders(t testing.TB) [][]byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	if err := os.WriteFile(name, rpmSQLite(t), 0o644); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	if err := sqliteHeaders(context.Background(), name, func(h []byte) error { out = append(out, bytes.Clone(h)); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// ndbOf writes headers as Packages.db of SUSE has them (lib/backend/ndb/rpmpkg.c of rpm).
func ndbOf(headers [][]byte) []byte {
	const page = 4096
	out := make([]byte, page)
	copy(out, "RpmP")
	binary.LittleEndian.PutUint32(out[12:], 1)
	for at := 32; at < page; at += 16 {
		copy(out[at:], "Slot")
	}
	for i, h := range headers {
		slot := out[32+16*i:]
		binary.LittleEndian.PutUint32(slot[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(slot[8:], uint32(len(out)/16))
		blob := append([]byte("BlbS"), make([]byte, 12)...)
		binary.LittleEndian.PutUint32(blob[4:], uint32(i+1))
		binary.LittleEndian.PutUint32(blob[12:], uint32(len(h)))
		blob = append(append(blob, h...), "tail"...)
		for len(blob)%16 != 0 {
			blob = append(blob, 0)
		}
		binary.LittleEndian.PutUint32(slot[12:], uint32(len(blob)/16))
		out = append(out, blob...)
	}
	return out
}

// berkeleyOf writes headers as Packages has them: a hash of Berkeley DB (src/dbinc/db_page.h), here with one hash page.
func berkeleyOf(headers [][]byte) []byte {
	const page = 512
	meta, hash := make([]byte, page), make([]byte, page)
	hash[25] = berkeleyHash
	binary.LittleEndian.PutUint16(hash[20:], uint16(2*len(headers)))
	free, chains := page, []byte(nil)
	for i, h := range headers {
		free -= 8
		copy(hash[free:], []byte{1, byte(i + 1)})
		binary.LittleEndian.PutUint16(hash[26+4*i:], uint16(free))
		free -= berkeleyOffSize
		hash[free] = berkeleyOffPage
		binary.LittleEndian.PutUint32(hash[free+4:], uint32(2+len(chains)/page))
		binary.LittleEndian.PutUint16(hash[28+4*i:], uint16(free))
		for len(h) > 0 {
			n := min(len(h), page-berkeleyPageHeader)
			over := make([]byte, page)
			over[25] = berkeleyOverflow
			binary.LittleEndian.PutUint16(over[22:], uint16(n))
			copy(over[berkeleyPageHeader:], h[:n])
			if h = h[n:]; len(h) > 0 {
				binary.LittleEndian.PutUint32(over[16:], uint32(2+len(chains)/page+1))
			}
			chains = append(chains, over...)
		}
	}
	meta[25] = berkeleyMeta
	binary.LittleEndian.PutUint32(meta[12:], berkeleyMagic)
	binary.LittleEndian.PutUint32(meta[20:], page)
	binary.LittleEndian.PutUint32(meta[32:], uint32(1+len(chains)/page))
	return append(append(meta, hash...), chains...)
}

// hostWith writes a root directory with these files.
func hostWith(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var wantRPM = []sbom.Component{
	{Ref: "pkg:rpm/rocky/alpha@1.2-3.el9?arch=noarch&distro=rocky-9.5&epoch=2&upstream=alpha-1.2-3.el9.src.rpm", Type: "rpm", Name: "alpha", Version: "2:1.2-3.el9",
		Arch: "noarch", Source: "alpha", SourceVersion: "1.2-3.el9", Supplier: "Example Cloud GmbH"},
	{Ref: "pkg:rpm/rocky/libbeta@1.2-3.el9?arch=noarch&distro=rocky-9.5&epoch=2&upstream=alpha-1.2-3.el9.src.rpm", Type: "rpm", Name: "libbeta", Version: "2:1.2-3.el9",
		Arch: "noarch", Source: "alpha", SourceVersion: "1.2-3.el9", Supplier: "Example Cloud GmbH"},
}

func TestAHostWithADatabaseOfRPMIsScannedInEveryFormat(t *testing.T) {
	headers := rpmHeaders(t)
	for place, data := range map[string][]byte{
		"var/lib/rpm/rpmdb.sqlite":          rpmSQLite(t),
		"usr/lib/sysimage/rpm/rpmdb.sqlite": rpmSQLite(t),
		"usr/lib/sysimage/rpm/Packages.db":  ndbOf(headers),
		"var/lib/rpm/Packages":              berkeleyOf(headers),
		"usr/share/rpm/rpmdb.sqlite":        rpmSQLite(t),
	} {
		t.Run(place, func(t *testing.T) {
			s, _ := newScanner(t, Limits{})
			p := scanned(t, s, target(FormRoot, hostWith(t, map[string]string{"etc/os-release": rpmRelease, place: string(data)})))
			var licences []string
			got := componentsOf(t, p)
			for i := range got {
				for _, l := range got[i].Licences {
					licences = append(licences, l.Value)
				}
				if got[i].PURL != got[i].Ref || len(got[i].Locations) != 1 || got[i].Locations[0] != "/"+place {
					t.Errorf("component %+v, want it shown by %s", got[i], place)
				}
				got[i].PURL, got[i].Licences, got[i].Locations, got[i].DependsOn = "", nil, nil, nil
			}
			if d := cmp.Diff(wantRPM, got); d != "" {
				t.Errorf("components (-want +got):\n%s", d)
			}
			if d := cmp.Diff([]string{"MIT and GPLv2+", "BSD"}, licences); d != "" {
				t.Errorf("licences (-want +got):\n%s", d)
			}
			if p.OS != "rocky 9.5" {
				t.Errorf("got OS %q", p.OS)
			}
		})
	}
}

func TestAnEmptyDatabaseOfRPMBesideDpkgIsNoFailure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	empty, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	root := makeRoot(t, tarEntry{name: "var/lib/rpm/rpmdb.sqlite", text: string(empty)})
	s, _ := newScanner(t, Limits{})
	want := []string{"deb beta-tool 2:0.9", "deb libalpha1 1.2-3+b1", "python gamma 4.5"}
	if d := cmp.Diff(want, names(componentsOf(t, scanned(t, s, target(FormRoot, root))))); d != "" {
		t.Errorf("components (-want +got):\n%s", d)
	}
}

// sqliteWith makes a database with these statements.
func sqliteWith(t *testing.T, statements ...string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "made.sqlite")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// changed returns a copy with a number written at a place.
func changed(data []byte, at int, number uint32) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint32(out[at:], number)
	return out
}

func changed16(data []byte, at int, number uint16) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint16(out[at:], number)
	return out
}

// headerWith changes the first header of a database: the number at a place, in the order of the network.
func headerWith(header []byte, at int, number uint32) [][]byte {
	out := bytes.Clone(header)
	binary.BigEndian.PutUint32(out[at:], number)
	return [][]byte{out}
}

func TestAForgedOrDamagedDatabaseOfRPMIsRefusedAndNothingElseHappens(t *testing.T) {
	headers := rpmHeaders(t)
	ndb, hash := ndbOf(headers), berkeleyOf(headers)
	firstOff := int(binary.LittleEndian.Uint16(hash[512+28:])) + 512 // the first value of the hash page
	const table = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"
	tests := []struct {
		name, place string
		data        []byte
		want        string
	}{
		{"nothing", "Packages", nil, "too short"},
		{"text", "Packages", bytes.Repeat([]byte("x"), 1000), "it is no database of rpm"},
		{"a view that never ends", "rpmdb.sqlite", sqliteWith(t, "CREATE VIEW Packages AS WITH RECURSIVE x(blob) AS (SELECT zeroblob(10) UNION ALL SELECT blob FROM x) SELECT blob FROM x"), "not as rpm makes it"},
		{"a column that is computed", "rpmdb.sqlite", sqliteWith(t, "CREATE TABLE Packages (hnum INTEGER, blob BLOB AS (zeroblob(1000000000)))"), "not as rpm makes it"},
		{"no table", "rpmdb.sqlite", sqliteWith(t, "CREATE TABLE x (y)"), "looking for the table of packages"},
		{"a header that is none", "rpmdb.sqlite", sqliteWith(t, table, "INSERT INTO Packages (blob) VALUES (zeroblob(100))"), "0 tags and 0 bytes"},
		{"a table that is cut off", "rpmdb.sqlite", rpmSQLite(t)[:len(rpmSQLite(t))/2], "reading the package database /var/lib/rpm/rpmdb.sqlite"},
		{"ndb: no slot", "Packages.db", changed(ndb, 48, 7), "slot 1 is none"},
		{"ndb: more pages than there are", "Packages.db", changed(ndb, 12, 2000), "it ends too early"},
		{"ndb: millions of pages", "Packages.db", changed(ndb, 12, 1<<31), "want version 0 and 1 to 2048"},
		{"ndb: a block outside", "Packages.db", changed(ndb, 32+8, 1<<30), "package 1: it ends too early"},
		{"ndb: a length of 4 GB", "Packages.db", changed(ndb, 4096+12, 1<<32-1), "package 1: its block is not one"},
		{"ndb: the block of another", "Packages.db", changed(ndb, 4096+4, 9), "package 1: its block is not one"},
		{"hash: entries that do not fit", "Packages", changed16(hash, 512+20, 65534), "65534 entries do not fit"},
		{"hash: a key without value", "Packages", changed16(hash, 512+20, 3), "3 entries do not fit"},
		{"hash: a value outside", "Packages", changed16(hash, 512+28, 60000), "entry 1 lies outside"},
		{"hash: a value at the edge", "Packages", func() []byte { d := changed16(hash, 512+28, 510); d[512+510] = berkeleyOffPage; return d }(), "entry 1 lies outside"},
		{"hash: a chain that leads to itself", "Packages", changed(hash, 2*512+16, 2), "belongs to two packages"},
		{"hash: a chain that leads nowhere", "Packages", changed(hash, firstOff+4, 1<<30), "is not there"},
		{"hash: a chain into another kind of page", "Packages", changed(hash, firstOff+4, 1), "page 1 holds no part of a package"},
		{"hash: more bytes than a page has", "Packages", func() []byte {
			d := changed(hash, 2*512+16, 0)
			return changed16(d, 2*512+22, 65535)
		}(), "65535 bytes do not fit"},
		{"hash: pages that are not there", "Packages", changed(hash, 32, 1<<31), "it ends too early"},
		{"hash: odd pages", "Packages", changed(hash, 20, 1000), "it has pages of 1000 bytes"},
		{"header: two thousand million tags", "Packages.db", ndbOf(headerWith(headers[0], 0, 1<<31-1)), "tags and"},
		{"header: negative tags", "Packages.db", ndbOf(headerWith(headers[0], 0, 1<<32-1)), "tags and"},
		{"header: data beyond its end", "Packages.db", ndbOf(headerWith(headers[0], 4, 1<<27)), "do not fit into"},
		{"header: four thousand million texts", "Packages.db", ndbOf(headerWith(headers[0], 8+16+12, 1<<32-1)), "do not fit"},
		{"header: an offset below zero", "Packages.db", ndbOf(headerWith(headers[0], 8+16+8, 1<<32-4)), "do not fit"},
		{"header: a type that is none", "Packages.db", ndbOf(headerWith(headers[0], 8+16+4, 77)), "type 77"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, temp := newScanner(t, Limits{})
			root := hostWith(t, map[string]string{"etc/os-release": rpmRelease, "var/lib/rpm/" + tt.place: string(tt.data)})
			_, err := s.Scan(context.Background(), target(FormRoot, root))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), temp) {
				t.Fatalf("got error %v, want %q", err, tt.want)
			}
			if left := filesBelow(t, temp); len(left) > 0 {
				t.Errorf("the temporary directory has %q", left)
			}
		})
	}
}

func TestADatabaseOfRPMWithUnfinishedWritesIsRefused(t *testing.T) {
	root := hostWith(t, map[string]string{"etc/os-release": rpmRelease, "var/lib/rpm/rpmdb.sqlite": string(rpmSQLite(t)), "var/lib/rpm/rpmdb.sqlite-wal": "changes"})
	s, _ := newScanner(t, Limits{})
	if _, err := s.Scan(context.Background(), target(FormRoot, root)); err == nil || !strings.Contains(err.Error(), "run rpm -qa as root there") {
		t.Errorf("got error %v, want the remedy", err)
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/rpm/rpmdb.sqlite-wal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := componentsOf(t, scanned(t, s, target(FormRoot, root))); len(got) != 2 {
		t.Errorf("%d components beside an empty log, want 2", len(got))
	}
}

func TestSourcesOfRPMPackages(t *testing.T) {
	for in, want := range map[string][2]string{
		"bash-5.1.8-9.el9.src.rpm": {"bash", "5.1.8-9.el9"}, "python-foo-bar-1-2.nosrc.rpm": {"python-foo-bar", "1-2"}, "(none)": {}, "a.src.rpm": {}, "a-1.src.rpm": {}, "": {},
	} {
		if source, version := sourceOfRPM(in); source != want[0] || version != want[1] {
			t.Errorf("sourceOfRPM(%q) = %q, %q, want %q", in, source, version, want)
		}
	}
}

// FuzzRPMDatabase holds the laws that reading ends without panic, and that what it reads is not more than what is there.
func FuzzRPMDatabase(f *testing.F) {
	headers := rpmHeaders(f)
	f.Add(ndbOf(headers))
	f.Add(berkeleyOf(headers))
	f.Add([]byte("SQLite format 3\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("SQLite")) {
			t.Skip() // the reading of pages is SQLite's own
		}
		name := filepath.Join(t.TempDir(), "database")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		total := 0
		err = eachHeader(context.Background(), file, int64(len(data)), func(h []byte) error {
			total += len(h)
			if key, err := readHeader(h); err == nil && (key.name == "" || key.version == "") {
				t.Fatalf("a package without name: %+v", key)
			}
			return nil
		})
		if total > len(data) {
			t.Fatalf("%d bytes of packages in %d bytes, %v", total, len(data), err)
		}
	})
}
