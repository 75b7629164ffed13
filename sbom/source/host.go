package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of what is read of a host.
const (
	maxOSRelease  = 64 << 10 // a real one has half a kilobyte
	maxKernelName = 4 << 10
	maxHostName   = 255
	maxDpkgStatus = 64 << 20 // as package scan limits it
	maxKernels    = 1000
)

// dpkgStatus is where Debian and Ubuntu keep the list of installed packages.
const dpkgStatus = "var/lib/dpkg/status"

// packageDatabases are the places of package databases: dpkg; apk, before and since the merge of /usr; rpm in its three
// formats (Berkeley DB, ndb, SQLite) at the three places that distributions use.
func packageDatabases() []string {
	out := []string{dpkgStatus, "lib/apk/db/installed", "usr/lib/apk/db/installed"}
	for _, dir := range []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"} {
		for _, file := range []string{"Packages", "Packages.db", "rpmdb.sqlite"} {
			out = append(out, dir+"/"+file)
		}
	}
	return out
}

// host is a root directory: of this machine, or of another one that is mounted or copied here. Symbolic links inside it
// are followed inside it only.
type host struct {
	root string // as written
	dir  string // on this machine
	name string // empty: it is found where the root is read
	live bool   // the root of this machine: what the kernel says about itself is about it
	opt  Options
}

func decodeHost(v values, opt Options) (sbom.Source, error) {
	form, err := v.exactlyOne("host", "root", "dpkg", "rpm", "apk")
	if err != nil {
		return nil, err
	}
	if v.has("name") && !isHostName(v.text["name"]) {
		return nil, at(v.at["name"], "name %q is not letters, digits, dots, dashes and underscores", v.text["name"])
	}
	if form != "root" {
		return decodeHostList(v, form, opt)
	}
	for _, key := range []string{"os_release", "kernel"} {
		if v.has(key) {
			return nil, at(v.at[key], "%s of host goes with dpkg, rpm or apk; a root has its own", key)
		}
	}
	dir := v.path(v.text["root"])
	return host{root: v.text["root"], dir: dir, name: v.text["name"], live: dir == "/", opt: opt}, nil
}

// isHostName accepts what host names are made of, and underscores, which inventories of Ansible have.
func isHostName(s string) bool {
	return s != "" && len(s) <= maxHostName && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// Name returns the kind and the directory as the stack file gives it.
func (h host) Name() string { return "host " + shown(h.root) }

// Contacts returns the one directory that is read.
func (h host) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: h.root, Right: "read", Purpose: "operating system, kernel, package repositories and packages of a host"}}
}

// Open returns the root directory for the host itself; the kernel is one of the packages in it.
func (h host) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	if !strings.HasPrefix(a.ID, "host:") {
		return sbom.Target{}, sbom.ErrNoContents
	}
	return sbom.Target{Artifact: a, Path: h.dir, Form: "root"}, nil
}

// Inventory returns the host, its kernel, and the repositories that it installs from. Without a package database the host
// is listed all the same, with a failure: its packages stay unknown.
func (h host) Inventory(ctx context.Context) (sbom.Inventory, error) {
	root, err := os.OpenRoot(h.dir)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading host %q: %s; name the root directory of the host, e.g. /", shown(h.root), reason(err))
	}
	defer root.Close()
	if h.name == "" {
		h.name = h.foundName(root)
	}
	r := &hostReader{name: h.name, opt: h.opt, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	name, data, err := osRelease(root)
	if err != nil {
		r.fail(audit.Origin{Path: "etc/os-release"}, "", "etc/os-release: %s", reason(err))
	}
	if err := r.host(ctx, name, data, h.name); err != nil {
		return sbom.Inventory{}, err
	}
	r.databases(root)
	if h.live {
		r.runningKernel(root)
	} else {
		r.installedKernel(root)
	}
	if err := r.repositories(ctx, root); err != nil {
		return sbom.Inventory{}, err
	}
	return sortInventory(r.inv), nil
}

// foundName returns the name that this machine has, or "host": the name in a copied root may be that of its template.
func (h host) foundName(root *os.Root) string {
	if h.live {
		for _, file := range []string{"etc/hostname", "proc/sys/kernel/hostname"} {
			data, err := readIn(root, file, maxKernelName)
			if name := strings.TrimSpace(string(data)); err == nil && isHostName(name) {
				return name
			}
		}
	}
	return "host"
}

// hostReader collects what is known about one host.
type hostReader struct {
	name string
	opt  Options
	os   hostOS
	inv  sbom.Inventory
}

// fail notes what could not be read. The origin needs its path only.
func (r *hostReader) fail(origin audit.Origin, settle, format string, args ...any) {
	origin.Source, origin.At = "host", r.opt.At
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: "host " + r.name, Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

// host adds the host itself; data is its os-release, or nil if that cannot be read.
func (r *hostReader) host(ctx context.Context, file string, data []byte, where string) error {
	origin := audit.Origin{Source: "host", At: r.opt.At}
	if data != nil {
		origin.Path, origin.Digest = file, audit.DigestOf(data)
		if _, err := keepInput(ctx, r.opt, file, "text/plain", data, origin); err != nil {
			return fmt.Errorf("keeping %q as evidence: %w", file, err)
		}
		r.os = parseOSRelease(data)
	}
	r.inv.Artifacts = append(r.inv.Artifacts, sbom.Artifact{
		ID: "host:" + r.name, Kind: sbom.KindHost, Name: r.name, Edition: r.os.id, Version: r.os.version, Platform: r.os.String(),
		TierHint: []string{"base"}, HintRule: "source host",
		Sightings: []sbom.Sighting{{Source: "host", Where: where, State: sbom.StateRunning, Hosts: []string{r.name}, Replicas: 1, Origin: origin}},
	})
	return nil
}

// databases notes what keeps the packages of the host from being read. A database that is not there is no failure if
// another one is.
func (r *hostReader) databases(root *os.Root) {
	found := 0
	for _, place := range packageDatabases() {
		info, err := root.Stat(place)
		switch {
		case errors.Is(err, fs.ErrPermission):
			r.fail(audit.Origin{Path: place}, "read it as root", "%s: %s", place, reason(err))
		case err != nil: // not there, or a link out of the root: then it is none of this host
		case !info.Mode().IsRegular():
			r.fail(audit.Origin{Path: place}, "", "%s: it is no regular file", place)
			found++
		default:
			found++
		}
	}
	if found == 0 {
		r.fail(audit.Origin{}, "give an SBOM of the host: sbom: {file: host.cdx.json}",
			"no package database is there, neither %s nor one of rpm or apk: its packages are not known", dpkgStatus)
	}
}

// runningKernel asks the kernel of this machine for its release.
func (r *hostReader) runningKernel(root *os.Root) {
	const file = "proc/sys/kernel/osrelease"
	data, err := readIn(root, file, maxKernelName)
	if err != nil {
		r.fail(audit.Origin{Path: file}, "", "%s: %s", file, reason(err))
		return
	}
	release := strings.TrimSpace(string(data))
	status, err := readIn(root, dpkgStatus, maxDpkgStatus)
	if err != nil {
		status = nil // not Debian: the release itself holds the version
	}
	r.kernel(release, kernelVersion(release, dpkgVersions(status)), file, data, sbom.StateRunning, file+": running kernel")
}

// installedKernel lists the newest kernel whose modules are there. Whether it runs is not written in a root directory.
func (r *hostReader) installedKernel(root *os.Root) {
	dir, releases := kernelReleases(root)
	if len(releases) == 0 {
		return // a container, or a root without a kernel of its own
	}
	newest := releases[len(releases)-1]
	status, err := readIn(root, dpkgStatus, maxDpkgStatus)
	if err != nil {
		status = nil
	}
	where := fmt.Sprintf("%s: newest of %d installed kernels; which one runs is not known here", dir, len(releases))
	if len(releases) == 1 {
		where = dir + ": the one installed kernel; whether it runs is not known here"
	}
	r.kernel(newest, kernelVersion(newest, dpkgVersions(status)), dir+"/"+newest, nil, sbom.StatePresent, where)
}

// kernelReleases returns the releases of the installed kernels, oldest first, and the directory that holds their modules.
// A directory without the list of built-in modules is what a removed kernel left behind.
func kernelReleases(root *os.Root) (dir string, releases []string) {
	for _, dir = range []string{"lib/modules", "usr/lib/modules"} {
		entries, err := fs.ReadDir(root.FS(), dir)
		if err != nil || len(entries) > maxKernels {
			continue
		}
		for _, e := range entries {
			if info, err := root.Stat(dir + "/" + e.Name() + "/modules.builtin"); err == nil && info.Mode().IsRegular() && isKernelRelease(e.Name()) {
				releases = append(releases, e.Name())
			}
		}
		if len(releases) > 0 {
			slices.SortFunc(releases, compareReleases)
			return dir, releases
		}
	}
	return "", nil
}

// isKernelRelease accepts what "uname -r" prints.
func isKernelRelease(s string) bool {
	return s != "" && len(s) <= 64 && isDigit(s[0]) && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_+~") == ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// compareReleases orders kernel releases: numbers in them by value, the rest by text.
func compareReleases(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a = firstRun(a)
		y, b = firstRun(b)
		c := strings.Compare(x, y)
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			c = cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// firstRun cuts the digits, or what is none, off the start of a text that is not empty.
func firstRun(s string) (run, rest string) {
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

// kernelVersion returns the upstream version of a kernel. Debian and Ubuntu name it in the package only: their releases
// end in .0 for every patch, so that without the package the version stays unknown.
func kernelVersion(release string, packages map[string]string) string {
	for _, name := range []string{"linux-image-" + release, "linux-image-unsigned-" + release, "linux-image-" + release + "-unsigned"} {
		if v := packages[name]; v != "" {
			return sbom.UpstreamVersion(v)
		}
	}
	version := sbom.UpstreamVersion(release)
	if strings.HasSuffix(version, ".0") && strings.HasPrefix(release, version+"-") {
		return ""
	}
	return version
}

// dpkgVersions returns the versions of the kernel packages in a dpkg status file. Its other faults are found by the scan.
func dpkgVersions(status []byte) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range bytes.Lines(status) {
		text := strings.TrimSpace(string(line[:min(len(line), 256)]))
		if value, ok := strings.CutPrefix(text, "Package: linux-image-"); ok {
			name = "linux-image-" + value
		} else if text == "" {
			name = ""
		} else if value, ok := strings.CutPrefix(text, "Version: "); ok && name != "" {
			out[name] = value
		}
	}
	return out
}

// kernel adds a kernel; data is the file that names it, if there is one.
func (r *hostReader) kernel(release, version, path string, data []byte, state, where string) {
	origin := audit.Origin{Source: "host", Path: path, At: r.opt.At}
	if data != nil {
		origin.Digest = audit.DigestOf(data)
	}
	if !isKernelRelease(release) {
		r.fail(origin, "", "%s: %.80q is no release of a kernel", path, release)
		return
	}
	s := sbom.Sighting{Source: "host", Where: where, State: state, Hosts: []string{r.name}, Origin: origin}
	if state == sbom.StateRunning {
		s.Replicas = 1
	}
	r.inv.Artifacts = append(r.inv.Artifacts, sbom.Artifact{
		ID: "software:linux@" + release, Kind: sbom.KindSoftware, Name: "linux", Reference: "linux@" + release, Version: version,
		Edition: r.os.id, TierHint: []string{"base"}, HintRule: "source host", Sightings: []sbom.Sighting{s},
	})
}

// osRelease reads os-release from the first of its two places (os-release(5)). The one in /etc is mostly a link to the
// other, which may be absolute and then leads out of the root, so that the second is asked.
func osRelease(root *os.Root) (name string, data []byte, err error) {
	for _, name = range []string{"etc/os-release", "usr/lib/os-release"} {
		if data, err = readIn(root, name, maxOSRelease); err == nil {
			return name, data, nil
		}
	}
	return name, nil, err
}

// hostOS is what os-release says; what it does not say is empty.
type hostOS struct {
	id, version string
	like        []string // distributions that it is made from
}

// String returns ID and VERSION_ID, e.g. "debian 12".
func (o hostOS) String() string { return strings.TrimSpace(o.id + " " + o.version) }

// parseOSRelease returns ID, VERSION_ID and ID_LIKE (os-release(5)): lines of KEY=value, the value perhaps in quotes.
func parseOSRelease(data []byte) hostOS {
	var o hostOS
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			value = value[1 : len(value)-1]
		}
		if len(value) > 64 || strings.Trim(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz0123456789._- ") != "" {
			continue
		}
		words := strings.Fields(value)
		switch {
		case key == "ID_LIKE":
			o.like = words
		case len(words) != 1:
		case key == "ID":
			o.id = words[0]
		case key == "VERSION_ID":
			o.version = words[0]
		}
	}
	return o
}
