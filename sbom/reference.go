package sbom

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// maxReference bounds the text of an image reference: 255 bytes of name, 128 of tag and a digest are what registries
// accept; twice that leaves room for long mirror paths.
const maxReference = 1024

// Reference is a parsed image reference, "registry/path:tag@digest". Nothing is added that the text does not say: no
// default registry, no library/ prefix, no latest tag.
type Reference struct {
	Registry string       // host and port; empty if the text names none
	Path     string       // repository path without the registry, e.g. kolla/release/keystone
	Tag      string       // empty if there is none
	Digest   audit.Digest // empty if there is none
}

// ParseReference reads an image reference. The first part of the path is a registry if it holds a dot or a colon or is
// localhost, as every container tool reads it. Digests other than SHA-256 are refused.
func ParseReference(s string) (Reference, error) {
	if s == "" {
		return Reference{}, fmt.Errorf("image reference is empty")
	}
	if len(s) > maxReference {
		return Reference{}, fmt.Errorf("image reference is longer than %d bytes", maxReference)
	}
	bad := func(format string, args ...any) (Reference, error) {
		return Reference{}, fmt.Errorf("image reference %q: %s", s, fmt.Sprintf(format, args...))
	}
	var r Reference
	rest, digest, ok := strings.Cut(s, "@")
	if ok {
		if !strings.HasPrefix(digest, "sha256:") {
			return bad("the part after @ is not sha256: and 64 hexadecimal digits")
		}
		d, err := audit.ParseDigest(digest)
		if err != nil {
			return bad("the part after @ is not sha256: and 64 lower-case hexadecimal digits")
		}
		r.Digest = d
	}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		r.Tag = rest[i+1:]
		if !validTag(r.Tag) {
			return bad("tag %q is not 1 to 128 letters, digits, dots, dashes and underscores", r.Tag)
		}
		rest = rest[:i]
	}
	if first, path, ok := strings.Cut(rest, "/"); ok && isRegistry(first) {
		if !validRegistry(first) {
			return bad("registry %q is no host name", first)
		}
		r.Registry, rest = first, path
	}
	for _, part := range strings.Split(rest, "/") {
		if !validPathPart(part) {
			return bad("path part %q is not lower-case letters, digits, and single dots, dashes or underscores between them", part)
		}
	}
	r.Path = rest
	return r, nil
}

// String writes the reference as it was read.
func (r Reference) String() string {
	s := r.Repository()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// Repository returns registry and path, without tag and digest.
func (r Reference) Repository() string {
	if r.Registry == "" {
		return r.Path
	}
	return r.Registry + "/" + r.Path
}

// Name returns the last part of the path, e.g. keystone.
func (r Reference) Name() string { return r.Path[strings.LastIndexByte(r.Path, '/')+1:] }

// Unpinned says why the reference may mean something else tomorrow, or is empty if it is pinned. A digest pins always.
func (r Reference) Unpinned() string {
	switch {
	case r.Digest != "":
		return ""
	case r.Tag == "":
		return "no tag and no digest"
	}
	return ParseTag(r.Tag).Unpinned
}

// Tag is what the tag of an image says (rules: OSISM and kolla image names, see ParseTag).
type Tag struct {
	Version   string // upstream version, e.g. 26.0.1; empty if the tag names none
	BuildDate string // of an OSISM image, YYYYMMDD
	Release   string // OpenStack release of a kolla tag, e.g. 2025.2: a series, not a version
	Variant   string // what follows the version: alpine, ubuntu-noble, 23.10_beta
	Unpinned  string // why the tag may mean something else tomorrow; empty if it names one version or one build
}

// ParseTag splits a tag:
//   - OSISM: a last dot part of 8 digits is the build date, the rest the upstream version (26.0.1.20250408).
//   - kolla: an OpenStack release, alone or before distribution and codename (2025.2-ubuntu-noble), is a series that is
//     rebuilt under the same tag; it is no version.
//   - others: leading v, a Debian epoch ("5:27.5.1") and what follows the version after -, + or _ are taken off;
//     pre-release marks (rc, alpha, beta, ...) stay, because 1.2.0-rc1 is not 1.2.0.
//
// Unpinned names latest, branches, tags without any digit, OpenStack releases, and tags of one number (16-alpine names a
// series). A tag of two numbers is not accused: 3.0 of one project is a series, 16.8 and 2.91 of others are whole
// versions, and the text alone cannot tell.
func ParseTag(tag string) Tag {
	if why := UnpinnedRevision(tag); why != "" {
		return Tag{Unpinned: why}
	}
	if release, variant, ok := kollaRelease(tag); ok {
		return Tag{Release: release, Variant: variant,
			Unpinned: fmt.Sprintf("tag %s names the OpenStack release %s, which is rebuilt under the same tag", tag, release)}
	}
	if isCommit(tag) {
		return Tag{Version: tag}
	}
	version, variant := splitVersion(tag)
	t := Tag{Version: version, Variant: variant}
	if rest, date, ok := buildDate(version); ok {
		t.Version, t.BuildDate = rest, date
	}
	if series(t.Version) {
		t.Unpinned = fmt.Sprintf("tag %s names a series, not one version", tag)
	}
	return t
}

// UpstreamVersion takes the packaging off a version: Debian epoch, leading v, and what follows after - or _ unless it
// marks a pre-release. Build metadata after + stays, because for projects such as k3s it tells two releases apart.
func UpstreamVersion(version string) string {
	v, _, plus := strings.Cut(version, "+")
	v, _ = splitVersion(v)
	if v == "" {
		return version
	}
	if plus {
		v += version[strings.IndexByte(version, '+'):]
	}
	return v
}

// UnpinnedRevision says why a revision of any kind (tag, branch, role version) names no fixed state; empty if it may.
func UnpinnedRevision(revision string) string {
	switch word := strings.ToLower(revision); {
	case revision == "":
		return "no version is given"
	case word == "latest":
		return "latest names whatever is newest"
	case isBranch(word):
		return fmt.Sprintf("%s is a branch or a moving name, not a version", revision)
	case !strings.ContainsAny(revision, "0123456789"):
		return fmt.Sprintf("%s names no version", revision)
	}
	return ""
}

func isBranch(word string) bool {
	switch word {
	case "master", "main", "stable", "trunk", "head", "devel", "develop", "dev", "edge", "nightly", "rolling", "current",
		"unstable", "testing", "next", "mainline", "lts", "snapshot", "canary":
		return true
	}
	return strings.HasPrefix(word, "stable-") || strings.HasPrefix(word, "stable/") || strings.HasPrefix(word, "master-") ||
		strings.HasPrefix(word, "main-")
}

// kollaRelease recognises an OpenStack release: a year and 1 or 2, as all releases since 2023.1 are named.
func kollaRelease(tag string) (release, variant string, ok bool) {
	release, variant, _ = strings.Cut(tag, "-")
	year, half, found := strings.Cut(release, ".")
	ok = found && len(year) == 4 && strings.HasPrefix(year, "20") && digits(year) && (half == "1" || half == "2")
	return release, variant, ok
}

// buildDate splits off a last dot part of 8 digits that reads as a day of this century.
func buildDate(version string) (rest, date string, ok bool) {
	i := strings.LastIndexByte(version, '.')
	if i < 0 {
		return version, "", false
	}
	date = version[i+1:]
	if len(date) != 8 || !digits(date) || date[:2] != "20" || date[4:6] > "12" || date[4:6] == "00" || date[6:] > "31" || date[6:] == "00" {
		return version, "", false
	}
	return version[:i], date, true
}

// splitVersion returns the version that a text begins with and what follows it. The version is empty if the text does
// not begin with one.
func splitVersion(s string) (version, variant string) {
	if epoch, rest, ok := strings.Cut(s, ":"); ok && digits(epoch) {
		s = rest
	}
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && isDigit(s[1]) {
		s = s[1:]
	}
	if s == "" || !isDigit(s[0]) {
		return "", s
	}
	end := strings.IndexAny(s, "-+_")
	if end < 0 {
		return s, ""
	}
	version, variant = s[:end], s[end+1:]
	for _, mark := range []string{"rc", "alpha", "beta", "pre", "dev"} {
		if after, ok := strings.CutPrefix(strings.ToLower(variant), mark); ok && (after == "" || isDigit(after[0]) || after[0] == '.') {
			return s, ""
		}
	}
	return version, variant
}

// series reports whether a version is one number such as 16. Longer numbers count builds or seconds and name one state.
func series(version string) bool { return version != "" && len(version) < 6 && digits(version) }

// isCommit reports whether a text is a full git commit, in SHA-1 or SHA-256.
func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

func isRegistry(part string) bool { return strings.ContainsAny(part, ".:") || part == "localhost" }

func validRegistry(s string) bool {
	host, port, hasPort := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return false
		}
		port, hasPort = strings.CutPrefix(s[i+1:], ":")
		if !hasPort && s[i+1:] != "" {
			return false
		}
		return i > 1 && strings.Trim(s[1:i], "0123456789abcdefABCDEF:.") == "" && (!hasPort || digits(port))
	}
	if host == "" || hasPort && !digits(port) {
		return false
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, func(c rune) bool {
			return c != '-' && !isLower(c) && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')
		}) {
			return false
		}
	}
	return true
}

// validPathPart follows the grammar of the distribution specification: alphanumerics, and between them one dot, one or
// two underscores, or any number of dashes.
func validPathPart(s string) bool {
	if s == "" || len(s) > 255 || !alphanumeric(s[0]) || !alphanumeric(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		if alphanumeric(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && !alphanumeric(s[end]) {
			end++
		}
		if sep := s[i:end]; sep != "." && sep != "_" && sep != "__" && strings.Trim(sep, "-") != "" {
			return false
		}
		i = end
	}
	return true
}

func validTag(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || s[0] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return !isLower(c) && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_'
	})
}

func isLower(c rune) bool      { return c >= 'a' && c <= 'z' }
func isDigit(c byte) bool      { return c >= '0' && c <= '9' }
func alphanumeric(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' }
func digits(s string) bool     { return s != "" && strings.Trim(s, "0123456789") == "" }
