package sbom

import (
	"regexp"
	"slices"
	"strings"
)

// DebianArchive is the value of a claim FromArchiveArea: the source package is Debian's own, as the address of its maintainer,
// or of its original maintainer where another distribution built it, shows. Together with the section it says that the archive's own rules vouch for it. Scanners make the claim, because only
// they see the address; it is never kept.
const DebianArchive = "Debian archive"

// DebianMaintainer reports whether the Maintainer field of a package names an address of Debian's own hosts: its members,
// its lists and its package tracker. Vendors who build packages for Debian use addresses of their own. Maintainers who work
// for Debian under a private address are not told from vendors, so for them the answer is no.
func DebianMaintainer(maintainer string) bool {
	_, address, found := strings.Cut(maintainer, "<")
	address, _, closed := strings.Cut(address, ">")
	_, domain, named := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	return found && closed && named && (domain == "debian.org" || strings.HasSuffix(domain, ".debian.org") || domain == "alioth-lists.debian.net")
}

// Areas of archives, as they stand before the slash in Section; nothing stands for main (Debian policy 2.2 and 2.4).
const (
	areaMain    = "main"
	areaContrib = "contrib"
)

// closedAreas hold what the archive itself does not call free: Debian's non-free and non-free-firmware (Debian policy 2.2.3),
// Ubuntu's restricted and multiverse (Ubuntu's description of its components).
var closedAreas = []string{"non-free", "non-free-firmware", "restricted", "multiverse"}

// sections are those of Debian's archive (Debian policy 2.4). A vendor's package often has one of its own, or none.
var sections = []string{
	"admin", "cli-mono", "comm", "database", "debian-installer", "debug", "devel", "doc", "editors", "education", "electronics", "embedded", "fonts", "games", "gnome",
	"gnu-r", "gnustep", "golang", "graphics", "hamradio", "haskell", "httpd", "interpreters", "introspection", "java", "javascript", "kde", "kernel", "libdevel", "libs",
	"lisp", "localization", "mail", "math", "metapackages", "misc", "net", "news", "ocaml", "oldlibs", "otherosfs", "perl", "php", "python", "raku", "ruby", "rust",
	"science", "shells", "sound", "tasks", "tex", "text", "utils", "vcs", "video", "web", "x11", "xfce", "zope",
}

// rebuilt finds the marks that others than Debian leave in the versions of packages that they build.
var rebuilt = regexp.MustCompile(`(?i)ubuntu|ppa|~cloud|pgdg|nodesource|\+0~2|[+~]rp[ti]|pve|pmx|percona|maria~|osism|kolla|proxmox|~(?:stretch|buster|bullseye|bookworm|trixie)`)

// ownMark is what Debian's own tools put at the end of a version: binary rebuilds, updates of stable releases, uploads by
// others than the maintainer, backports (Debian developers' reference 5.8, 5.11 and 5.14; deb-version(7)); and what Ubuntu
// adds where it only builds again.
var (
	ownMark     = regexp.MustCompile(`(?:\+b\d+|[+~]deb\d+u\d+|\+nmu\d+|~bpo\d+\+\d+|build\d+)$`)
	ownRevision = regexp.MustCompile(`^\d+(?:\.\d+)*$`)
)

// ownBuild reports whether a version has the form that Debian gives: apart from its own marks a revision of digits, or none.
// Whatever else stands there is a vendor's mark, known or not.
func ownBuild(version string) bool {
	if rebuilt.MatchString(version) {
		return false
	}
	for ownMark.MatchString(version) {
		version = ownMark.ReplaceAllString(version, "")
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		return ownRevision.MatchString(version[i+1:])
	}
	return !strings.ContainsAny(version, "~+")
}

// areaOf returns the archive area that a package comes from, as far as the package shows it: main and contrib only where
// Debian made it, so that no vendor profits from Debian's rules; the closed areas whoever says so. Empty: nothing shows it.
func areaOf(c Component) string {
	if c.Type != "deb" || c.Section == "" {
		return ""
	}
	area, section, prefixed := strings.Cut(c.Section, "/")
	switch {
	case prefixed && slices.Contains(closedAreas, area):
		return area
	case !prefixed:
		area, section = areaMain, c.Section
	case area != areaContrib:
		return ""
	}
	if !fromDebian(c) || !slices.Contains(sections, section) {
		return ""
	}
	return area
}

// sectionArea is the area that a section names, whoever wrote it: main if it names none, nothing without a section.
func sectionArea(section string) string {
	if section == "" {
		return ""
	}
	area, _, prefixed := strings.Cut(section, "/")
	if !prefixed {
		return areaMain
	}
	return area
}

// fromDebian reports whether a deb was made of a source package of Debian that nobody changed: for Debian, or for Ubuntu, which
// builds most of Debian's packages as they are; by a maintainer who is Debian, and without marks of others in the version.
func fromDebian(c Component) bool {
	if !strings.HasPrefix(c.PURL, "pkg:deb/debian/") && !strings.HasPrefix(c.PURL, "pkg:deb/ubuntu/") || !ownBuild(c.Version) {
		return false
	}
	return strings.HasPrefix(c.Supplier, "Debian ") || slices.ContainsFunc(c.Licences, func(l LicenceClaim) bool {
		return l.Provenance == FromArchiveArea && l.Value == DebianArchive
	})
}

// forReading are the sections of documents and data; a licence for documents fits there.
var forReading = []string{"doc", "fonts", "localization", "sound"}

func isDocument(c Component) bool {
	_, section, prefixed := strings.Cut(c.Section, "/")
	if !prefixed {
		section = c.Section
	}
	return c.Type == "deb" && slices.Contains(forReading, section)
}
