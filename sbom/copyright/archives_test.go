package copyright_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/copyright"
)

// file is one entry of a tar archive; link makes it a symbolic link.
type file struct{ name, body, link string }

func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body)), Typeflag: tar.TypeReg}
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(f.body))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// member is one member of an ar archive; size overrides the size in its header.
type member struct {
	name string
	body []byte
	size string
}

func ar(members ...member) string {
	var b strings.Builder
	b.WriteString("!<arch>\n")
	for _, m := range members {
		size := m.size
		if size == "" {
			size = fmt.Sprint(len(m.body))
		}
		fmt.Fprintf(&b, "%-16s%-12s%-6s%-6s%-8s%-10s`\n", m.name, "0", "0", "0", "100644", size)
		b.Write(m.body)
		if len(m.body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

const control = "Package: libdemo1\nVersion: 1:1.0-1+b2\nArchitecture: amd64\nMaintainer: " + canary + "\n"

// debOf is a package with the given data, in the form of deb(5).
func debOf(t testing.TB, control string, files ...file) string {
	t.Helper()
	return ar(member{name: "debian-binary", body: []byte("2.0\n")},
		member{name: "control.tar.gz", body: gzipped(t, tarOf(t, file{name: "./md5sums", body: "x"}, file{name: "./control", body: control}))},
		member{name: "data.tar.gz", body: gzipped(t, tarOf(t, files...))})
}

func installed() sbom.Component { return deb("libdemo1", "1:1.0-1+b2") }

const poolFile = "/pool/main/d/demo/libdemo1_1.0-1+b2_amd64.deb"

func mirror(t *testing.T, text string) copyright.Place {
	t.Helper()
	p, err := copyright.ParseMirror(text, t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPackagesThatDpkgDebBuildsAreReadInEveryCompression(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dpkg-deb is missing")
		}
		t.Skip("dpkg-deb is missing")
	}
	tree := t.TempDir()
	write := func(name, body string) {
		full := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("DEBIAN/control", control+"Description: made for a test\n")
	write("usr/share/doc/libdemo1/copyright", copyrightFile)
	write("usr/lib/filler", strings.Repeat("filler ", 100_000))
	if err := os.Chmod(filepath.Join(tree, "DEBIAN"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "a.deb")
			if text, err := exec.Command("dpkg-deb", "--root-owner-group", "-Z"+compression, "--build", tree, out).CombinedOutput(); err != nil {
				t.Fatalf("dpkg-deb: %v: %s", err, text)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, map[string]string{poolFile: string(data)})
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, options(mirror(t, s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			c := componentsOf(t, r.Packages[0])[0]
			if d := cmp.Diff([]string{"Apache-2.0", "GPL-2.0-or-later", "MIT"}, values(c)); d != "" {
				t.Fatalf("licences (-want +got):\n%s%+v", d, r)
			}
			l := c.Licences[0]
			if l.Provenance != sbom.FromMirror || l.Origin.URL != s.URL+poolFile || l.Origin.Path != "usr/share/doc/libdemo1/copyright" {
				t.Errorf("claim %+v does not say where it was read", l)
			}
		})
	}
}

func TestALocalDirectoryServesAsMirrorWithoutShowingItsPath(t *testing.T) {
	body := debOf(t, control, file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile})
	for name, at := range map[string]string{
		"a pool":             "pool/main/d/demo/libdemo1_1.0-1+b2_amd64.deb",
		"packages":           "libdemo1_1.0-1+b2_amd64.deb",
		"the cache of apt":   "libdemo1_1%3a1.0-1+b2_amd64.deb",
		"a link that leaves": "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if at == "" {
				outside := filepath.Join(t.TempDir(), "x.deb")
				if err := os.WriteFile(outside, []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(outside, filepath.Join(dir, "libdemo1_1.0-1+b2_amd64.deb")); err != nil {
					t.Fatal(err)
				}
			} else {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, at)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, at), []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var k kept
			opt := options(mirror(t, dir))
			opt.Client, opt.Keep = nil, k.keep // no network is needed
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(componentsOf(t, r.Packages[0])[0].Licences); (got == 3) != (at != "") {
				t.Errorf("got %d claims: %+v", got, r)
			}
			if all := fmt.Sprintf("%+v%+v", r, k.blobs); strings.Contains(all, dir) {
				t.Errorf("the path of this machine is in the result: %s", all)
			}
		})
	}
}

func TestAPackageThatRefersToItsSisterIsReadThere(t *testing.T) {
	sister := strings.ReplaceAll(control, "libdemo1", "demo-common")
	for name, c := range map[string]struct {
		links []file
		pool  string
		want  int
	}{
		"the directory is a link": {[]file{{name: "./usr/share/doc/libdemo1", link: "demo-common"}}, "demo-common_1.0-1+b2_amd64.deb", 3},
		"the file is a link":      {[]file{{name: "./usr/share/doc/libdemo1/copyright", link: "../demo-common/copyright"}}, "demo-common_1.0-1+b2_amd64.deb", 3},
		"an absolute link":        {[]file{{name: "./usr/share/doc/libdemo1", link: "/usr/share/doc/demo-common"}}, "demo-common_1.0-1+b2_amd64.deb", 3},
		"for all architectures":   {[]file{{name: "./usr/share/doc/libdemo1", link: "demo-common"}}, "demo-common_1.0-1+b2_all.deb", 3},
		"a link to elsewhere":     {[]file{{name: "./usr/share/doc/libdemo1", link: "../../../etc"}}, "demo-common_1.0-1+b2_amd64.deb", 0},
		"a link to itself":        {[]file{{name: "./usr/share/doc/libdemo1", link: "libdemo1"}}, "demo-common_1.0-1+b2_amd64.deb", 0},
	} {
		t.Run(name, func(t *testing.T) {
			of := sister
			if strings.Contains(c.pool, "_all") {
				of = strings.Replace(sister, "amd64", "all", 1)
			}
			s := serve(t, map[string]string{
				poolFile:                      debOf(t, control, c.links...),
				"/pool/main/d/demo/" + c.pool: debOf(t, of, file{name: "./usr/share/doc/demo-common/copyright", body: copyrightFile}),
			})
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, options(mirror(t, s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(componentsOf(t, r.Packages[0])[0].Licences); got != c.want {
				t.Errorf("got %d claims, want %d: %+v", got, c.want, r)
			}
		})
	}
}

// zeros is an endless stream of zeros with a tar header before them that promises n bytes.
func zeros(t testing.TB, name string, n int64) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: n, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	return io.MultiReader(&b, io.LimitReader(zero{}, n))
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func fastGzip(w io.Writer) io.WriteCloser {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return z
}

func TestAHostilePackageEndsAtALimitWithoutAClaim(t *testing.T) {
	bomb := func(compress func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := compress(&b)
		if _, err := io.Copy(w, zeros(t, "./usr/share/filler", 68<<20)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	head := func(rest ...member) string {
		return ar(append([]member{{name: "debian-binary", body: []byte("2.0\n")},
			{name: "control.tar.gz", body: gzipped(t, tarOf(t, file{name: "./control", body: control}))}}, rest...)...)
	}
	data := gzipped(t, tarOf(t, file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile}))
	many := []member{}
	for range 40 {
		many = append(many, member{name: "x", body: []byte("x")})
	}
	for name, c := range map[string]struct{ body, reason string }{
		"a bomb of gzip": {head(member{name: "data.tar.gz", body: bomb(fastGzip)}), "times its size"},
		"a bomb of zstd": {head(member{name: "data.tar.zst", body: bomb(func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		})}), "times its size"},
		"a bomb as control":          {ar(member{name: "control.tar.gz", body: bomb(fastGzip)}), "larger than allowed"},
		"another package":            {debOf(t, strings.Replace(control, "libdemo1", "other", 1), file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile}), "not the one that is installed"},
		"another version":            {debOf(t, strings.Replace(control, "+b2", "+b3", 1), file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile}), "not the one that is installed"},
		"another architecture":       {debOf(t, strings.Replace(control, "amd64", "arm64", 1), file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile}), "not the one that is installed"},
		"no control file":            {ar(member{name: "control.tar.gz", body: gzipped(t, tarOf(t))}), "no .deb"},
		"contents before control":    {ar(member{name: "data.tar.gz", body: data}), "no control file before"},
		"a size below zero":          {head(member{name: "data.tar.gz", body: data, size: "-1"}), "no .deb"},
		"a size that lies":           {head(member{name: "data.tar.gz", body: data, size: "20"}), "breaks off"},
		"too many members":           {ar(many...), "more than 16 members"},
		"another compression":        {head(member{name: "data.tar.lz4", body: data}), "is not read"},
		"no archive at all":          {"<html>Login " + canary + "</html>", "no .deb"},
		"nothing":                    {"", "no .deb"},
		"an xz of 4 GiB window":      {head(member{name: "data.tar.xz", body: xzWithWindow(40)}), "no .deb"},
		"a copyright file too large": {debOf(t, control, file{name: "./usr/share/doc/libdemo1/copyright", body: strings.Repeat("x", 9<<20)}), "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string]string{poolFile: c.body})
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, options(mirror(t, s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if got := componentsOf(t, r.Packages[0])[0].Licences; got != nil {
				t.Errorf("got claims %+v", got)
			}
			if len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Reason, c.reason) {
				t.Errorf("got %+v, want a failure with %q", r.Failures, c.reason)
			}
		})
	}
}

// xzWithWindow is the beginning of an xz stream whose block asks for a dictionary of the given size code
// (the .xz file format, 5.3.1: 40 is 4 GiB - 1).
func xzWithWindow(code byte) []byte {
	header := []byte{0xFD, '7', 'z', 'X', 'Z', 0, 0, 0}
	header = binary.LittleEndian.AppendUint32(header, crc32.ChecksumIEEE(header[6:8]))
	block := []byte{2, 0, 0x21, 1, code, 0, 0, 0}
	block = binary.LittleEndian.AppendUint32(block, crc32.ChecksumIEEE(block))
	return append(append(header, block...), make([]byte, 64)...)
}

func TestAMirrorMayRedirectToAnotherHost(t *testing.T) {
	body := debOf(t, control, file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile})
	far := serve(t, map[string]string{poolFile: body})
	near := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(far.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusFound)
	})
	r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, options(mirror(t, near.URL)))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(componentsOf(t, r.Packages[0])[0].Licences); got != 3 {
		t.Errorf("got %d claims: %+v", got, r)
	}
}

func TestOnlyTheMostBelievedPlaceThatKnowsThePackageIsAsked(t *testing.T) {
	answers := debsourcesAnswers(strings.ReplaceAll(copyrightFile, "GPL-2+", "GPL-3+"))
	answers["/main/d/demo/demo_1.0-1_copyright"] = strings.ReplaceAll(copyrightFile, "GPL-2+", "AGPL-3+")
	services := serve(t, answers)
	full := serve(t, map[string]string{poolFile: debOf(t, control, file{name: "./usr/share/doc/libdemo1/copyright", body: copyrightFile})})
	empty := serve(t, nil)
	ask := func(places ...copyright.Place) []string {
		r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", installed())}, options(places...))
		if err != nil {
			t.Fatal(err)
		}
		return values(componentsOf(t, r.Packages[0])[0])
	}
	changelogs, debsources := service(t, "debian-changelogs", services.URL), service(t, "debsources", services.URL)
	for name, c := range map[string]struct {
		places []copyright.Place
		want   string
	}{
		"the package itself":           {[]copyright.Place{changelogs, debsources, mirror(t, full.URL)}, "GPL-2.0-or-later"},
		"then Debsources":              {[]copyright.Place{changelogs, debsources, mirror(t, empty.URL)}, "GPL-3.0-or-later"},
		"then the host that apt knows": {[]copyright.Place{changelogs, service(t, "debsources", empty.URL), mirror(t, empty.URL)}, "AGPL-3.0-or-later"},
	} {
		got := ask(c.places...)
		if len(got) != 3 || !slices.Contains(got, c.want) {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
	if services.asked["/main/d/demo/demo_1.0-1_copyright"] != 1 {
		t.Errorf("the last place was asked %d times, want once: %v", services.asked["/main/d/demo/demo_1.0-1_copyright"], services.asked)
	}
}

func TestTheModuleCacheOfThisMachineServesWithoutNetwork(t *testing.T) {
	module := sbom.Component{Type: "go-module", Name: "example.org/Upper/demo", Version: "v1.2.3"}
	zipped := moduleZip(t, "example.org/Upper/demo@v1.2.3/", map[string]string{"LICENSE": mit})
	for name, files := range map[string]map[string]string{
		"unpacked": {"example.org/!upper/demo@v1.2.3/LICENSE": mit, "example.org/!upper/demo@v1.2.3/license.go": "package demo"},
		"zipped":   {"cache/download/example.org/!upper/demo/@v/v1.2.3.zip": zipped},
		"missing":  {"example.org/!upper/demo@v1.2.4/LICENSE": mit},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, body := range files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p, err := copyright.ModuleCache(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			opt := options(p)
			opt.Client = nil
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", module)}, opt)
			if err != nil {
				t.Fatal(err)
			}
			c := componentsOf(t, r.Packages[0])[0]
			if name == "missing" {
				if c.Licences != nil || r.Counts[0].Absent != 1 {
					t.Errorf("got %+v", r)
				}
				return
			}
			if d := cmp.Diff([]string{"MIT"}, values(c)); d != "" {
				t.Fatalf("licences (-want +got):\n%s%+v", d, r)
			}
			if l := c.Licences[0]; l.Provenance != sbom.FromText || l.Path != "example.org/Upper/demo@v1.2.3/LICENSE" || strings.Contains(fmt.Sprintf("%+v", r), dir) {
				t.Errorf("claim %+v", l)
			}
		})
	}
}

func TestAHostileModuleEndsAtALimitWithoutAClaim(t *testing.T) {
	for name, c := range map[string]struct{ body, reason string }{
		"a licence of 2 MB":     {moduleZip(t, "example.org/demo@v1.0.0/", map[string]string{"LICENSE": strings.Repeat("x ", 1<<20)}), "longer than"},
		"a name that leaves":    {moduleZip(t, "example.org/demo@v1.0.0/", map[string]string{"../../LICENSE": mit}), ""},
		"a directory that lies": {strings.Repeat("x", 100) + "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00", "no zip"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string]string{"/example.org/demo/@v/v1.0.0.zip": c.body})
			r, err := copyright.Collect(t.Context(), []sbom.Packages{packagesOf("image:a", sbom.Component{Type: "go-module", Name: "example.org/demo", Version: "v1.0.0"})}, options(service(t, "go", s.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if got := componentsOf(t, r.Packages[0])[0].Licences; got != nil {
				t.Errorf("got claims %+v", got)
			}
			if c.reason != "" && (len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Reason, c.reason)) {
				t.Errorf("got %+v, want a failure with %q", r.Failures, c.reason)
			}
		})
	}
}
