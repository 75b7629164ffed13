package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of a list of packages; a desktop with everything has 5,000 packages in 400 kB.
const (
	maxHostList     = 32 << 20
	maxHostPackages = 200_000
	maxPackageText  = 512 // of a name, version or licence
	maxListFailures = 20
)

// hostList is a list of packages that was exported from a host to which there is no access: what dpkg-query, rpm or apk
// printed there, with os-release and "uname -r" beside it.
type hostList struct {
	tool              string // dpkg, rpm or apk
	file, osFile      string // as written
	kernelFile        string
	path, osPath      string // on this machine
	kernelPath, named string // named is the name of the host
	opt               Options
}

func decodeHostList(v values, tool string, opt Options) (sbom.Source, error) {
	if !v.has("name") {
		return nil, at(v.node, "host with %s needs the key name: a list of packages does not say whose it is", tool)
	}
	l := hostList{tool: tool, file: v.text[tool], path: v.path(v.text[tool]), named: v.text["name"], opt: opt}
	if l.osFile = v.text["os_release"]; l.osFile != "" {
		l.osPath = v.path(l.osFile)
	}
	if l.kernelFile = v.text["kernel"]; l.kernelFile != "" {
		l.kernelPath = v.path(l.kernelFile)
	}
	return l, nil
}

// Name returns the kind and the list as the stack file gives it.
func (l hostList) Name() string { return "host " + shown(l.file) }

// Contacts returns the files that are read.
func (l hostList) Contacts() []audit.Contact {
	out := []audit.Contact{{Host: "local", Address: l.file, Right: "read", Purpose: "list of the packages of a host"}}
	for _, file := range []string{l.osFile, l.kernelFile} {
		if file != "" {
			out = append(out, audit.Contact{Host: "local", Address: file, Right: "read", Purpose: "operating system and kernel of a host"})
		}
	}
	return out
}

// program is what printed the list, as Packages.Tool names it.
func (l hostList) program() string {
	if l.tool == "dpkg" {
		return "dpkg-query"
	}
	return l.tool
}

// Inventory returns the host and, if its release was exported too, the running kernel.
func (l hostList) Inventory(ctx context.Context) (sbom.Inventory, error) {
	r := &hostReader{name: l.named, opt: l.opt, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	data, list, err := l.read()
	if err != nil {
		return sbom.Inventory{}, err
	}
	origin := l.origin(l.file, data)
	if _, err := keepInput(ctx, l.opt, shown(l.file), "text/plain", data, origin); err != nil {
		return sbom.Inventory{}, fmt.Errorf("keeping %q as evidence: %w", shown(l.file), err)
	}
	var release []byte
	if l.osFile == "" {
		r.fail(origin, "give /etc/os-release of the host: os_release: FILE", "%s: os_release is not given: from which distribution the packages are is not known", shown(l.file))
	} else if release, err = readFile(l.osPath, maxOSRelease); err != nil {
		r.fail(audit.Origin{Path: shown(l.osFile)}, "", "%s: %s", shown(l.osFile), reason(err))
	}
	if err := r.host(ctx, shown(l.osFile), release, shown(l.file)); err != nil {
		return sbom.Inventory{}, err
	}
	r.inv.Artifacts[0].Sightings[0].Origin = origin
	for _, f := range list.failures {
		o := origin
		o.Line = f.line
		r.fail(o, f.settle, "%s: %s", shown(l.file), f.text)
	}
	l.kernel(r, list)
	return sortInventory(r.inv), nil
}

func (l hostList) origin(file string, data []byte) audit.Origin {
	return audit.Origin{Source: "host", Path: shown(file), Digest: audit.DigestOf(data), At: l.opt.At}
}

// kernel adds the kernel that "uname -r" named on the host.
func (l hostList) kernel(r *hostReader, list packageList) {
	if l.kernelFile == "" {
		return
	}
	file := shown(l.kernelFile)
	data, err := readFile(l.kernelPath, maxKernelName)
	if err != nil {
		r.fail(audit.Origin{Path: file}, "", "%s: %s", file, reason(err))
		return
	}
	versions := map[string]string{}
	for _, p := range list.packages {
		if l.tool == "dpkg" && strings.HasPrefix(p.name, "linux-image-") {
			versions[p.name] = p.version
		}
	}
	release := strings.TrimSpace(string(data))
	r.kernel(release, kernelVersion(release, versions), file, data, sbom.StateRunning, file+": running kernel")
}

// Open returns the packages of the list; it is read again, so that nothing is kept in memory for many hosts.
func (l hostList) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	if !strings.HasPrefix(a.ID, "host:") {
		return sbom.Target{}, sbom.ErrNoContents
	}
	data, list, err := l.read()
	if err != nil {
		return sbom.Target{}, err
	}
	var system hostOS
	if l.osPath != "" {
		release, err := readFile(l.osPath, maxOSRelease)
		if err != nil {
			return sbom.Target{}, fmt.Errorf("reading %q: %s", shown(l.osFile), reason(err))
		}
		system = parseOSRelease(release)
	}
	p := sbom.Packages{Schema: sbom.PackagesSchema, Artifact: a.ID, OS: system.String(), Tool: l.program(),
		Components: audit.Known(list.components(system), l.origin(l.file, data))}
	return sbom.Target{Artifact: a, Path: l.path, Form: "packages", Packages: &p}, nil
}

// read reads the list. A list without any package is an error: every system has some.
func (l hostList) read() ([]byte, packageList, error) {
	data, err := readFile(l.path, maxHostList)
	if err != nil {
		return nil, packageList{}, fmt.Errorf("reading host list %q: %s", shown(l.file), reason(err))
	}
	list := readPackageList(l.tool, data)
	if len(list.packages) == 0 {
		why := "it names no package"
		if len(list.failures) > 0 {
			why = list.failures[0].text
		}
		return nil, packageList{}, fmt.Errorf("reading host list %q: %s; want what %s prints", shown(l.file), why, listCommand(l.tool))
	}
	return data, list, nil
}

// listCommand is the command whose output is wanted.
func listCommand(tool string) string {
	switch tool {
	case "rpm":
		return `rpm -qa --qf '%{NAME}\t%{EVR}\t%{ARCH}\t%{SOURCERPM}\t%{LICENSE}\n'`
	case "apk":
		return "apk list -I"
	}
	return `dpkg-query -W -f='${Package}\t${Version}\t${Architecture}\t${source:Package}\t${db:Status-Status}\t${source:Version}\n'`
}

// listed is one package of a list.
type listed struct {
	tool                  string
	name, version, arch   string
	source, sourceVersion string
	sourceFile            string // of rpm, e.g. bash-5.1-9.src.rpm
	licence               string
}

// packageList is what a list says, and what in it could not be read.
type packageList struct {
	packages []listed
	failures []listFailure
}

type listFailure struct {
	line         int
	text, settle string
}

func (p *packageList) fail(line int, settle, format string, args ...any) {
	switch n := len(p.failures); {
	case n < maxListFailures:
		p.failures = append(p.failures, listFailure{line, fmt.Sprintf(format, args...), settle})
	case n == maxListFailures:
		p.failures = append(p.failures, listFailure{line, fmt.Sprintf("line %d: more lines that cannot be read follow", line), "export the list again"})
	}
}

// errNotInstalled says that a line names something that is not installed, or no package at all.
var errNotInstalled = errors.New("not installed")

// readPackageList reads the output of a tool line by line. A line that it does not understand is a failure, and so is a
// last line without its end, which may be cut off.
func readPackageList(tool string, data []byte) packageList {
	var p packageList
	text := string(data)
	parse := lineReader(tool, text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		n := strings.Count(text, "\n") + 1
		p.fail(n, "export the list again, with the line break at its end", "line %d: the list ends within a line, which is left out", n)
		text = text[:strings.LastIndexByte(text, '\n')+1]
	}
	number, described := 0, false
	for line := range strings.Lines(text) {
		number++
		pkg, err := parse(strings.TrimRight(line, "\r\n"))
		if errors.Is(err, errNotInstalled) {
			described = true
			continue
		}
		if err == nil {
			err = pkg.check()
		}
		if err != nil {
			p.fail(number, "", "line %d: %s", number, err)
			continue
		}
		if len(p.packages) >= maxHostPackages {
			p.fail(number, "", "line %d: there are more than %d packages", number, maxHostPackages)
			break
		}
		p.packages = append(p.packages, pkg)
	}
	if tool == "dpkg" && len(p.packages) > 0 && !described && !hasStatus(text) {
		p.fail(0, "export it with "+listCommand(tool),
			"the list does not say which packages are installed: those of which only the configuration is left count as installed")
	}
	return p
}

// hasStatus reports whether a list of dpkg tells the state of each package: a column of it, or the marks of "dpkg -l".
func hasStatus(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	columns := strings.Split(strings.TrimRight(first, "\r"), "\t")
	return len(columns) == 1 || slices.ContainsFunc(columns[min(len(columns), 4):], isStatus)
}

func lineReader(tool, text string) func(string) (listed, error) {
	switch tool {
	case "rpm":
		return rpmLine
	case "apk":
		return apkLine
	}
	first, _, _ := strings.Cut(text, "\n")
	if strings.Contains(first, "\t") {
		return dpkgQueryLine
	}
	return dpkgListLine
}

// check refuses what would be no name or version anywhere.
func (p listed) check() error {
	for _, s := range []string{p.name, p.version, p.arch, p.source, p.sourceVersion, p.sourceFile} {
		if len(s) > maxPackageText || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' || c == '\\' }) {
			return fmt.Errorf("%.60q is no name, version or architecture of a package", s)
		}
	}
	if p.name == "" || p.version == "" {
		return errors.New("a package without name or version")
	}
	return nil
}

// isStatus recognises what ${db:Status-Status} and ${Status} print.
func isStatus(s string) bool {
	words := strings.Fields(s)
	if len(words) != 1 && len(words) != 3 {
		return false
	}
	switch words[len(words)-1] {
	case "not-installed", "config-files", "half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending", "installed":
		return true
	}
	return false
}

// dpkgQueryLine reads package, version, architecture and source package; further columns are known by what they hold: the
// state of the package and the version of its source.
func dpkgQueryLine(line string) (listed, error) {
	columns := strings.Split(line, "\t")
	if len(columns) < 3 {
		return listed{}, fmt.Errorf("want package, version and architecture with tabs between them, have %.60q", line)
	}
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
	}
	p := listed{tool: "dpkg", name: columns[0], version: columns[1], arch: columns[2]}
	p.name = strings.TrimSuffix(p.name, ":"+p.arch)
	if len(columns) > 3 {
		p.source = columns[3]
	}
	for _, c := range columns[min(len(columns), 4):] {
		switch {
		case isStatus(c):
			if strings.HasSuffix(c, "not-installed") || strings.HasSuffix(c, "config-files") {
				return listed{}, errNotInstalled
			}
		case c != "" && isDigit(c[0]):
			p.sourceVersion = c
		case c != "":
			return listed{}, fmt.Errorf("column %.60q is neither the state of a package nor the version of its source", c)
		}
	}
	if p.version == "" && p.name != "" {
		return listed{}, errNotInstalled
	}
	return p, nil
}

// dpkgListLine reads a line of "dpkg -l". Its first letters are what shall be and what is: "ii" is installed, "rc" has
// only its configuration left.
func dpkgListLine(line string) (listed, error) {
	columns := strings.Fields(line)
	if len(columns) == 0 || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "+++-") || strings.HasPrefix(line, "Desired=") {
		return listed{}, errNotInstalled
	}
	marks := columns[0]
	if len(columns) < 4 || len(marks) < 2 || len(marks) > 3 || !strings.Contains("uihrp", marks[:1]) || !strings.Contains("ncHUFWti", marks[1:2]) {
		return listed{}, fmt.Errorf("this is no line of dpkg -l: %.60q", line)
	}
	if marks[1] == 'n' || marks[1] == 'c' {
		return listed{}, errNotInstalled
	}
	p := listed{tool: "dpkg", name: columns[1], version: columns[2], arch: columns[3]}
	p.name = strings.TrimSuffix(p.name, ":"+p.arch)
	return p, nil
}

// rpmLine reads name, version with release, architecture, source package and licence. The keys that rpm lists as packages
// are none.
func rpmLine(line string) (listed, error) {
	columns := strings.Split(line, "\t")
	if len(columns) < 3 {
		return listed{}, fmt.Errorf("want name, version and architecture with tabs between them, have %.60q", line)
	}
	for i, c := range columns {
		if columns[i] = strings.TrimSpace(c); columns[i] == "(none)" {
			columns[i] = ""
		}
	}
	columns = append(columns, "", "")
	p := listed{tool: "rpm", name: columns[0], version: columns[1], arch: columns[2], sourceFile: columns[3], licence: columns[4]}
	if p.name == "gpg-pubkey" {
		return listed{}, errNotInstalled
	}
	p.source, p.sourceVersion = sourceOfRPM(p.sourceFile)
	return p, nil
}

// sourceOfRPM splits the file name of a source package, NAME-VERSION-RELEASE.src.rpm.
func sourceOfRPM(file string) (name, version string) {
	stem, ok := strings.CutSuffix(file, ".src.rpm")
	if !ok {
		if stem, ok = strings.CutSuffix(file, ".nosrc.rpm"); !ok {
			return "", ""
		}
	}
	release := strings.LastIndexByte(stem, '-')
	if release <= 0 {
		return "", ""
	}
	i := strings.LastIndexByte(stem[:release], '-')
	if i <= 0 {
		return "", ""
	}
	return stem[:i], stem[i+1:]
}

// apkPattern is NAME-VERSION-rBUILD, and what "apk list -I" adds: architecture, {origin} and (licence).
var apkPattern = regexp.MustCompile(`^(\S+?)-([0-9][^-\s]*-r[0-9]+)(?: (\S+) \{([^{}]*)\} \((.*)\) \[installed\])?$`)

// apkLine reads a line of "apk info -v" or "apk list -I". Virtual packages, which group others and have no files, are left
// out, as are warnings.
func apkLine(line string) (listed, error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '.' || strings.HasPrefix(line, "WARNING:") {
		return listed{}, errNotInstalled
	}
	m := apkPattern.FindStringSubmatch(line)
	if m == nil {
		return listed{}, fmt.Errorf("this is no line of apk list -I or apk info -v: %.60q", line)
	}
	return listed{tool: "apk", name: m[1], version: m[2], arch: m[3], source: m[4], licence: m[5]}, nil
}

// components returns the packages as scanning the host would: with the same purl.
func (l packageList) components(system hostOS) []sbom.Component {
	out := make([]sbom.Component, 0, len(l.packages))
	for _, p := range l.packages {
		out = append(out, p.component(system))
	}
	byRef := func(a, b sbom.Component) int {
		return cmp.Or(strings.Compare(a.Ref, b.Ref), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Source, b.Source))
	}
	slices.SortFunc(out, byRef)
	out = slices.CompactFunc(out, func(a, b sbom.Component) bool { return a.Ref == b.Ref && a.Arch == b.Arch })
	for i := len(out) - 1; i > 0; i-- { // one name and version for several architectures, the distribution unknown
		if out[i].Ref == out[i-1].Ref {
			out[i].Ref += "#" + cmp.Or(out[i].Arch, "other")
		}
	}
	slices.SortFunc(out, byRef)
	return out
}

func (p listed) component(system hostOS) sbom.Component {
	c := sbom.Component{Name: p.name, Version: p.version, Arch: p.arch, Source: p.source, SourceVersion: p.sourceVersion, PURL: p.purl(system)}
	c.Type = map[string]string{"dpkg": "deb", "rpm": "rpm", "apk": "apk"}[p.tool]
	if c.Source != "" && p.tool != "rpm" {
		c.SourceVersion = cmp.Or(c.SourceVersion, p.version)
	}
	if p.licence != "" && len(p.licence) <= maxPackageText && !strings.ContainsFunc(p.licence, func(r rune) bool { return r < ' ' || r == '@' || r == 0x7f }) {
		c.Licences = []sbom.LicenceClaim{{Value: strings.ToValidUTF8(p.licence, ""), Provenance: "metadata"}}
	}
	c.Ref = cmp.Or(c.PURL, c.Type+":"+c.Name+"@"+c.Version)
	return c
}

// purl returns the package URL, or "" where the distribution is not known: without it the name means nothing certain.
func (p listed) purl(system hostOS) string {
	kind, namespace, version := "rpm", system.id, p.version
	q := map[string]string{"arch": p.arch}
	switch {
	case system.id == "":
		return ""
	case p.tool == "dpkg":
		if system.id != "debian" && !slices.Contains(system.like, "debian") {
			return ""
		}
		kind = "deb"
		q["upstream"] = p.debSource()
	case p.tool == "apk":
		kind, namespace = "apk", strings.ToLower(system.id)
		if p.source != p.name {
			q["upstream"] = p.source
		}
	default:
		q["upstream"] = p.sourceFile
		if epoch, rest, ok := strings.Cut(version, ":"); ok {
			q["epoch"], version = epoch, rest
		}
		if namespace == "rhel" {
			namespace = "redhat"
		} else if strings.HasPrefix(namespace, "opensuse") {
			namespace = "opensuse"
		}
	}
	q["distro"] = system.id
	if system.version != "" {
		q["distro"] += "-" + system.version
	}
	return packageurl.NewPackageURL(kind, namespace, p.name, version, packageurl.QualifiersFromMap(dropEmpty(q)), "").ToString()
}

// debSource is the source of a deb as its status would have it: only what differs from the package.
func (p listed) debSource() string {
	switch {
	case p.source == "":
		return ""
	case p.sourceVersion != "" && p.sourceVersion != p.version:
		return p.source + "@" + p.sourceVersion
	case p.source != p.name:
		return p.source
	}
	return ""
}

func dropEmpty(m map[string]string) map[string]string {
	for key, value := range m {
		if value == "" {
			delete(m, key)
		}
	}
	return m
}
