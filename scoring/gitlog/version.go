package gitlog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// version is what a tag or a deployed version says as numbers.
type version struct {
	prefix string // what stands before the numbers, without a leading v: "", "rabbitmq", "api/"
	parts  []int
	pre    bool   // a pre-release: rc, beta, dev and the like
	rest   string // what follows the numbers, lower-cased
}

var (
	versionTag = regexp.MustCompile(`^(?:(.*?)([-_/ ]))??([vV]?)(\d{1,9}(?:[._]\d{1,9}){1,6}|\d{1,9})([-+~._]?[A-Za-z].*|[-+~]\d.*)?$`)
	endOfLife  = regexp.MustCompile(`(?i)-(eol|eom|em)$`)
	// finalRest are suffixes of releases: later builds, and the words that projects use for "final".
	finalRest = regexp.MustCompile(`^([-+~._]?(final|stable|lts|ga|release|post\.?\d*|p\d+|r\d+|sp\d+)|\+[0-9a-z.-]+|-\d{1,3})$`)
	// minioTag is the one well-known form of a release named by its moment.
	minioTag = regexp.MustCompile(`^RELEASE\.(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)Z$`)
)

// parseVersion reads the name of a tag, without refs/tags/. ok is false if it names no version. A single number counts
// only behind a v.
func parseVersion(tag string) (v version, ok bool) {
	if m := minioTag.FindStringSubmatch(tag); m != nil {
		return version{parts: numbersOf(m[1:])}, true
	}
	if len(tag) > 200 || endOfLife.MatchString(tag) {
		return version{}, false
	}
	m := versionTag.FindStringSubmatch(tag)
	if m == nil {
		return version{}, false
	}
	fields := strings.FieldsFunc(m[4], func(r rune) bool { return r == '.' || r == '_' })
	if len(fields) == 1 && m[3] == "" {
		return version{}, false
	}
	v = version{prefix: m[1] + strings.Trim(m[2], "-_ "), parts: numbersOf(fields), rest: strings.ToLower(m[5])}
	v.pre = v.rest != "" && !finalRest.MatchString(v.rest)
	return v, true
}

func numbersOf(fields []string) []int {
	parts := make([]int, len(fields))
	for i, f := range fields {
		parts[i], _ = strconv.Atoi(f)
	}
	return parts
}

// release reports whether the version is a release of the repository.
func (v version) release() bool { return !v.pre }

// compare orders by numbers; missing ones count as 0.
func (v version) compare(o version) int {
	for i := range max(len(v.parts), len(o.parts)) {
		a, b := 0, 0
		if i < len(v.parts) {
			a = v.parts[i]
		}
		if i < len(o.parts) {
			b = o.parts[i]
		}
		if a != b {
			return a - b
		}
	}
	return 0
}

// holds reports whether a series holds another release beside the first.
func (v version) holds(first, other version) bool {
	return other.release() && other.prefix == first.prefix && len(other.parts) > len(v.parts) && slices.Equal(other.parts[:len(v.parts)], v.parts) && other.compare(first) != 0
}

// deployedVersion reads a version as a package or image gives it: without epoch, and without a leading v.
func deployedVersion(s string) (version, bool) {
	s = strings.TrimSpace(s)
	if epoch, rest, ok := strings.Cut(s, ":"); ok && len(epoch) <= 2 {
		s = rest
	}
	v, ok := parseVersion(s)
	if !ok {
		v, ok = parseVersion("v" + s)
	}
	return v, ok && v.prefix == ""
}

// closeness ranks how well a tag fits a deployed version; 0 does not fit.
func closeness(deployed string, want version, tag string, have version) int {
	switch {
	case tag == deployed:
		return 6
	case tag == "v"+deployed:
		return 5
	case want.compare(have) != 0 || want.pre != have.pre || want.pre && want.rest != have.rest:
		return 0
	case have.prefix == "" && slices.Equal(want.parts, have.parts):
		return 4
	case have.prefix == "":
		return 3
	case !strings.Contains(have.prefix, "/"):
		return 2
	}
	return 1
}
