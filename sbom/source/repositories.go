package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of the configuration of package repositories; a host has about ten.
const (
	maxRepositoryFile  = 1 << 20
	maxRepositoryFiles = 1000
	maxRepositories    = 10_000
	maxRepositoryText  = 512
)

// repositories reads which package repositories are enabled. Credentials are never taken over: user, password, query and
// fragment are cut from addresses, parts of a path that look like a token are withheld, and files of credentials such as
// apt's auth.conf are not opened. What is kept as evidence is the list made here, not the files.
func (r *hostReader) repositories(ctx context.Context, root *os.Root) error {
	for _, name := range r.repositoryFiles(root) {
		data, err := readIn(root, name, maxRepositoryFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		origin := audit.Origin{Source: "host", Path: name, At: r.opt.At}
		if err != nil {
			settle := ""
			if errors.Is(err, fs.ErrPermission) {
				settle = "read it as root"
			}
			r.fail(origin, settle, "%s: %s", name, reason(err))
			continue
		}
		origin.Digest = audit.DigestOf(data)
		found, faults := parseRepositories(root, name, string(data))
		for _, f := range faults {
			o := origin
			o.Line = f.line
			r.fail(o, "", "%s: line %d: %s", name, f.line, f.text)
		}
		for i := range found {
			found[i].Host, found[i].Origin.Source, found[i].Origin.Path = r.name, "host", name
			found[i].Origin.Digest, found[i].Origin.At = origin.Digest, r.opt.At
		}
		if err := r.keepRepositories(ctx, name, origin, found); err != nil {
			return err
		}
		if r.inv.Repositories = append(r.inv.Repositories, found...); len(r.inv.Repositories) > maxRepositories {
			r.inv.Repositories = r.inv.Repositories[:maxRepositories]
			r.fail(origin, "", "%s: more than %d package repositories; the others were not read", name, maxRepositories)
			break
		}
	}
	slices.SortFunc(r.inv.Repositories, compareRepositories)
	return nil
}

func compareRepositories(a, b sbom.Repository) int {
	return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Suite, b.Suite),
		cmp.Compare(a.Origin.Path, b.Origin.Path), cmp.Compare(a.Origin.Line, b.Origin.Line), slices.Compare(a.Areas, b.Areas))
}

func (r *hostReader) keepRepositories(ctx context.Context, name string, origin audit.Origin, found []sbom.Repository) error {
	if len(found) == 0 {
		return nil
	}
	raw, err := json.Marshal(found)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err == nil {
		_, err = keepInput(ctx, r.opt, name, "application/json", raw, origin)
	}
	if err != nil {
		return fmt.Errorf("keeping the repositories in %q as evidence: %w", name, err)
	}
	return nil
}

// repositoryFiles returns the files that the tools of a host would read, in the order of their names.
func (r *hostReader) repositoryFiles(root *os.Root) []string {
	out := []string{"etc/apt/sources.list"}
	for _, place := range []struct{ dir, suffixes string }{
		{"etc/apt/sources.list.d", ".list .sources"},
		{"etc/yum.repos.d", ".repo"},
		{"etc/zypp/repos.d", ".repo"},
		{"etc/apk/repositories.d", ".list"},
	} {
		entries, err := fs.ReadDir(root.FS(), place.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.fail(audit.Origin{Path: place.dir}, "", "%s: %s", place.dir, reason(err))
		}
		for _, e := range entries {
			if isRepositoryFile(e.Name(), strings.Fields(place.suffixes)) {
				out = append(out, place.dir+"/"+e.Name())
			}
		}
	}
	out = append(out, "etc/apk/repositories")
	if len(out) > maxRepositoryFiles {
		r.fail(audit.Origin{Path: "etc"}, "", "more than %d files of package repositories; the others were not read", maxRepositoryFiles)
		out = out[:maxRepositoryFiles]
	}
	return out
}

// isRepositoryFile passes over names that apt passes over: copies that editors and dpkg leave.
func isRepositoryFile(name string, suffixes []string) bool {
	return slices.Contains(suffixes, path.Ext(name)) && !strings.HasPrefix(name, ".") &&
		strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789.-_:+@") == ""
}

// repositoryFault is a line that cannot be read. Its text never holds the line itself, which may hold a password.
type repositoryFault struct {
	line int
	text string
}

// repositoryList collects what one file says.
type repositoryList struct {
	root   *os.Root // for lists of mirrors; nil: they are not followed
	kind   string
	found  []sbom.Repository
	faults []repositoryFault
}

func parseRepositories(root *os.Root, name, text string) ([]sbom.Repository, []repositoryFault) {
	l := repositoryList{root: root}
	switch {
	case strings.HasSuffix(name, ".sources"):
		l.deb822(text)
	case strings.HasPrefix(name, "etc/apt/"):
		l.aptLines(text)
	case strings.HasPrefix(name, "etc/apk/"):
		l.apkLines(text)
	default:
		l.repoFile(text)
	}
	return l.found, l.faults
}

func (l *repositoryList) fault(line int, format string, args ...any) {
	if len(l.faults) < maxListFailures {
		l.faults = append(l.faults, repositoryFault{line, fmt.Sprintf(format, args...)})
	}
}

// add notes one repository. An address that names a list of mirrors on the host stands for what the list holds.
func (l *repositoryList) add(line int, kind, address, suite string, areas []string) {
	if file, ok := strings.CutPrefix(address, "mirror+file:"); ok && l.root != nil {
		l.mirrors(line, kind, file, suite, areas)
		return
	}
	plain, vendor, err := plainAddress(kind, address)
	if err != nil {
		l.fault(line, "%s", err)
		return
	}
	for _, s := range append([]string{suite}, areas...) {
		if len(s) > maxRepositoryText || strings.ContainsFunc(s, isUnprintable) || strings.Contains(s, "@") {
			l.fault(line, "a suite or area that is no name")
			return
		}
	}
	l.found = append(l.found, sbom.Repository{Kind: kind, Address: plain, Suite: suite, Areas: slices.Clone(areas), Vendor: vendor,
		Origin: audit.Origin{Line: line}})
}

func isUnprintable(r rune) bool { return r <= ' ' || r > '~' }

// mirrors reads a list of mirrors, one address a line, perhaps with a tab and further words.
func (l *repositoryList) mirrors(line int, kind, file, suite string, areas []string) {
	name := strings.TrimPrefix(path.Clean("/"+strings.TrimLeft(file, "/")), "/")
	data, err := readIn(l.root, name, maxRepositoryFile)
	if err != nil || !strings.HasPrefix(name, "etc/apt/mirrors/") {
		l.fault(line, "the list of mirrors cannot be read")
		return
	}
	for text := range strings.Lines(string(data)) {
		if words := strings.Fields(text); len(words) > 0 && words[0][0] != '#' && !strings.HasPrefix(words[0], "mirror") {
			l.add(line, kind, words[0], suite, areas)
		}
	}
}

// plainAddress returns an address without anything that lets somebody in, and who publishes there.
func plainAddress(kind, text string) (address, vendor string, err error) {
	if len(text) > 4*maxRepositoryText || strings.ContainsFunc(text, isUnprintable) {
		return "", "", errors.New("an address that cannot be read")
	}
	for _, transport := range []string{"mirror+", "tor+", "snap+"} {
		text = strings.TrimPrefix(text, transport)
	}
	u, err := url.Parse(text)
	if err != nil { // its text may hold a password
		return "", "", errors.New("an address that cannot be read")
	}
	if u.Scheme == "" || u.Hostname() == "" {
		if kind == sbom.RepositoryAPK && strings.HasPrefix(text, "/") {
			return "file:", sbom.UnknownVendor, nil
		}
		if u.Scheme == "" {
			return "", "", errors.New("an address that cannot be read")
		}
		return strings.ToLower(u.Scheme) + ":", sbom.UnknownVendor, nil
	}
	parts := strings.Split(strings.TrimRight(u.Path, "/"), "/")
	for i, part := range parts {
		if isToken(part) {
			parts[i] = "withheld"
		}
	}
	plain := url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host), Path: strings.Join(parts, "/")}
	address, err = url.PathUnescape(plain.EscapedPath())
	if err != nil || strings.ContainsFunc(address, isUnprintable) || strings.Contains(address, "@") || len(address) > maxRepositoryText {
		return "", "", errors.New("an address that cannot be read")
	}
	return plain.Scheme + "://" + plain.Host + address, vendorOf(u), nil
}

// isToken recognises parts of a path that let somebody in, as services of private repositories hand them out: 20 or more
// letters and digits in a row.
func isToken(part string) bool {
	return len(part) >= 20 && strings.ContainsAny(part, "0123456789") &&
		strings.Trim(strings.ToLower(part), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// aptLines reads the one-line format of sources.list(5). Source packages (deb-src) are not installed and left out.
func (l *repositoryList) aptLines(text string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		kind, rest, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
		if kind == "" || kind == "deb-src" {
			continue
		}
		if kind != "deb" {
			l.fault(number, "it does not begin with deb or deb-src")
			continue
		}
		l.aptLine(number, strings.TrimSpace(rest))
	}
}

func (l *repositoryList) aptLine(number int, rest string) {
	if strings.HasPrefix(rest, "[") {
		_, after, ok := strings.Cut(rest, "]")
		if !ok {
			l.fault(number, "its options have no end")
			return
		}
		rest = strings.TrimSpace(after)
	}
	if strings.HasPrefix(rest, "cdrom:") {
		_, after, _ := strings.Cut(rest, "]")
		_, after, _ = strings.Cut(after, " ")
		rest = "cdrom: " + after
	}
	words := strings.Fields(rest)
	if len(words) < 2 || len(words) < 3 && !strings.HasSuffix(words[1], "/") {
		l.fault(number, "address, suite and components are not all there")
		return
	}
	l.add(number, sbom.RepositoryAPT, words[0], words[1], words[2:])
}

// deb822 reads stanzas of fields (sources.list(5)). Of a field with several lines all words count; Signed-By and the like
// are passed over.
func (l *repositoryList) deb822(text string) {
	stanza := map[string][]string{}
	number, first, last := 0, 0, ""
	for line := range strings.Lines(text + "\n\n") {
		number++
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case trimmed == "":
			l.stanza(first, stanza)
			clear(stanza)
			last = ""
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				l.fault(number, "it continues a field, but there is none above")
			} else {
				stanza[last] = append(stanza[last], strings.Fields(trimmed)...)
			}
		default:
			name, value, ok := strings.Cut(trimmed, ":")
			if !ok {
				l.fault(number, `want "Field: value"`)
				continue
			}
			if len(stanza) == 0 {
				first = number
			}
			last = strings.ToLower(name)
			stanza[last] = strings.Fields(value)
		}
	}
}

func (l *repositoryList) stanza(line int, fields map[string][]string) {
	if len(fields) == 0 || isOff(fields["enabled"]) || !slices.Contains(fields["types"], "deb") && len(fields["types"]) > 0 {
		return
	}
	if len(fields["types"]) == 0 || len(fields["uris"]) == 0 || len(fields["suites"]) == 0 {
		l.fault(line, "Types, URIs and Suites are not all there")
		return
	}
	if len(fields["uris"])*len(fields["suites"]) > maxRepositories {
		l.fault(line, "more than %d repositories in one stanza", maxRepositories)
		return
	}
	for _, address := range fields["uris"] {
		for _, suite := range fields["suites"] {
			l.add(line, sbom.RepositoryAPT, address, suite, fields["components"])
		}
	}
}

// isOff reads a switch as apt, dnf and zypper do: what does not say no is on.
func isOff(words []string) bool {
	return len(words) > 0 && slices.Contains([]string{"no", "false", "0", "off", "disable", "without"}, strings.ToLower(words[0]))
}

// repoFile reads a .repo file of yum, dnf or zypper: sections with key=value. Only addresses and the switch are looked at.
func (l *repositoryList) repoFile(text string) {
	section, first, last, number := "", 0, "", 0
	keys := map[string][]string{}
	for line := range strings.Lines(text + "\n[main]") {
		number++
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";"):
		case strings.HasPrefix(line, "["):
			l.section(first, section, keys)
			clear(keys)
			section, first, last = strings.TrimSuffix(trimmed[1:], "]"), number, ""
		case line[0] == ' ' || line[0] == '\t':
			if last != "" {
				keys[last] = append(keys[last], repoWords(trimmed)...)
			}
		default:
			key, value, ok := strings.Cut(trimmed, "=")
			if !ok || section == "" {
				l.fault(number, "want key=value in a section")
				continue
			}
			last = strings.ToLower(strings.TrimSpace(key))
			if slices.Contains([]string{"baseurl", "mirrorlist", "metalink", "enabled"}, last) { // never username and password
				keys[last] = repoWords(value)
			} else {
				last = ""
			}
		}
	}
}

func repoWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
}

func (l *repositoryList) section(line int, name string, keys map[string][]string) {
	if name == "" || name == "main" || isOff(keys["enabled"]) {
		return
	}
	for _, key := range []string{"baseurl", "mirrorlist", "metalink"} {
		for _, address := range keys[key] {
			l.add(line, sbom.RepositoryRPM, address, name, nil)
		}
		if len(keys[key]) > 0 {
			return
		}
	}
	l.fault(line, "a section without baseurl, mirrorlist or metalink")
}

// apkLines reads /etc/apk/repositories: one address a line, perhaps with a @tag before it. An address ends in the release
// and the repository, e.g. .../alpine/v3.22/community.
func (l *repositoryList) apkLines(text string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) > 0 && strings.HasPrefix(words[0], "@") {
			words = words[1:]
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		address, suite, areas := words[0], "", []string(nil)
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" && u.RawQuery == "" {
			dir, area := path.Split(strings.TrimRight(u.Path, "/"))
			above, release := path.Split(strings.TrimRight(dir, "/"))
			if release == "edge" || len(release) > 2 && release[0] == 'v' && isDigit(release[1]) {
				suite, areas, u.Path, u.RawPath = release, []string{area}, above, ""
				address = u.String()
			}
		}
		l.add(number, sbom.RepositoryAPK, address, suite, areas)
	}
}

// vendorRule says who publishes at a host, or below it; with a path only at that path.
type vendorRule struct{ host, path, vendor string }

// vendorRules are looked through in this order. Addresses are those that the vendors' own instructions give, and those in
// the repository list of kolla. What is not here is unknown: a mirror tells nobody what it mirrors.
func vendorRules() []vendorRule {
	return []vendorRule{
		{"ubuntu-cloud.archive.canonical.com", "", "Ubuntu Cloud Archive"},
		{"esm.ubuntu.com", "", "Ubuntu Pro"},
		{"archive.canonical.com", "", "Canonical partner archive"},
		{"download.docker.com", "", "Docker"},
		{"apt.grafana.com", "", "Grafana"},
		{"rpm.grafana.com", "", "Grafana"},
		{"packages.grafana.com", "", "Grafana"},
		{"rabbitmq.com", "", "RabbitMQ"},
		{"packagecloud.io", "/rabbitmq/", "RabbitMQ"},
		{"dl.cloudsmith.io", "/public/rabbitmq/", "RabbitMQ"},
		{"ppa1.novemberain.com", "", "RabbitMQ"},
		{"ppa2.novemberain.com", "", "RabbitMQ"},
		{"ppa.launchpadcontent.net", "/rabbitmq/", "RabbitMQ"},
		{"mariadb.com", "", "MariaDB"},
		{"mariadb.org", "", "MariaDB"},
		{"artifacts.opensearch.org", "", "OpenSearch"},
		{"packages.treasuredata.com", "", "Fluentd"},
		{"fluentd.cdn.cncf.io", "", "Fluentd"},
		{"repo.proxysql.com", "", "ProxySQL"},
		{"apt.releases.hashicorp.com", "", "HashiCorp"},
		{"rpm.releases.hashicorp.com", "", "HashiCorp"},
		{"download.ceph.com", "", "Ceph"},
		{"pkgs.k8s.io", "", "Kubernetes"},
		{"apt.kubernetes.io", "", "Kubernetes"},
		{"apt.postgresql.org", "", "PostgreSQL"},
		{"download.postgresql.org", "", "PostgreSQL"},
		{"artifacts.elastic.co", "", "Elastic"},
		{"developer.download.nvidia.com", "", "NVIDIA"},
		{"deb.frrouting.org", "", "FRRouting"},
		{"rpm.frrouting.org", "", "FRRouting"},
		{"repos.influxdata.com", "", "InfluxData"},
		{"debian.org", "", "distribution (Debian)"},
		{"ubuntu.com", "", "distribution (Ubuntu)"},
		{"alpinelinux.org", "", "distribution (Alpine)"},
		{"centos.org", "", "distribution (CentOS)"},
		{"almalinux.org", "", "distribution (AlmaLinux)"},
		{"rockylinux.org", "", "distribution (Rocky Linux)"},
		{"fedoraproject.org", "", "distribution (Fedora)"},
		{"download.opensuse.org", "/repositories/", "openSUSE Build Service"},
		{"opensuse.org", "", "distribution (openSUSE)"},
		{"updates.suse.com", "", "distribution (SUSE)"},
		{"cdn.redhat.com", "", "distribution (Red Hat)"},
		{"yum.oracle.com", "", "distribution (Oracle Linux)"},
	}
}

// vendorOf returns who publishes at an address.
func vendorOf(u *url.URL) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "mirrors.fedoraproject.org" && strings.HasPrefix(u.Query().Get("repo"), "epel") || strings.HasSuffix(host, ".fedoraproject.org") && strings.HasPrefix(u.Path, "/pub/epel/") {
		return "EPEL (Fedora)"
	}
	for _, rule := range vendorRules() {
		if (host == rule.host || strings.HasSuffix(host, "."+rule.host)) && strings.HasPrefix(u.Path, rule.path) {
			return rule.vendor
		}
	}
	return sbom.UnknownVendor
}
