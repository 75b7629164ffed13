package upstream

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The version arithmetic is our own because deployed versions are no semantic versions: they have two to four parts,
// epochs, Debian revisions, build dates and series ("7", "16-alpine") that name many versions at once. An answer that
// depends on what such a version leaves open is "maybe", never a guess.

// trilean is an answer that may be open.
type trilean uint8

const (
	no trilean = iota
	maybe
	yes
)

func (t trilean) not() trilean { return yes - t }

func both(a, b trilean) trilean { return min(a, b) }

// version is a deployed version as far as its text tells.
type version struct {
	parts []int
	// pre: a pre-release of parts. Projects change a licence before or with the first pre-release as they like, so it may
	// count as before parts or as parts.
	pre bool
	// series: fewer than three parts, so that any later part may follow ("7.4" may be 7.4.0 or 7.4.9).
	series bool
	// vendor: the vendor's mark for an edition of its own, e.g. "ent".
	vendor string
}

const (
	maxVersion  = 256 // characters; longer ones are not versions
	maxParts    = 8
	digitsPart  = 9 // digits that surely fit an int on any machine
	fullVersion = 3 // parts from which on a version is no series
)

var (
	epochPattern   = regexp.MustCompile(`^[0-9]+:`)
	numericPattern = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`)
	prePattern     = regexp.MustCompile(`^[-._+~]?(alpha|beta|rc|cr|preview|pre|dev|snapshot|nightly|milestone|m|a|b|c)[-.]?([0-9]|$)`)
	datePattern    = regexp.MustCompile(`^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$`)
	hashPattern    = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	vendorPattern  = regexp.MustCompile(`[-+.](enterprise|ent|ee)([-+.]|$)`)
)

// parseVersion reads a version as deployments write it: "7.0.15", "v1.19.1", "5:7.0.15-1~deb12u3", "7.4.2-alpine",
// "2.1.8.20250408" (OSISM build date), "8.0-rc1". ok is false for text that names no version, such as a branch or a hash.
func parseVersion(raw string) (v version, ok bool) {
	s := strings.ToLower(strings.TrimSpace(raw))
	if len(s) > maxVersion {
		return version{}, false
	}
	s = strings.TrimPrefix(epochPattern.ReplaceAllString(s, ""), "v")
	if looksLikeHash(s) {
		return version{}, false
	}
	number := numericPattern.FindString(s)
	if number == "" {
		return version{}, false
	}
	rest := s[len(number):]
	if strings.HasPrefix(rest, ":") {
		return version{}, false
	}
	if wholeDate.MatchString(number) {
		return version{}, false // redis:20240101 tells a day, not a version
	}
	if v.parts, ok = numbers(strings.Split(cutBuildDate(number), ".")); !ok {
		return version{}, false
	}
	if m := vendorPattern.FindStringSubmatch(rest); m != nil {
		v.vendor = m[1]
	}
	v.pre = strings.HasPrefix(rest, "~") || prePattern.MatchString(rest)
	v.series = len(v.parts) < fullVersion && !v.pre
	return v, true
}

// cutBuildDate cuts dates from the end of a dotted number, as long as two parts remain.
func cutBuildDate(number string) string {
	for i := strings.LastIndexByte(number, '.'); i > 0; i = strings.LastIndexByte(number, '.') {
		if !datePattern.MatchString(number[i+1:]) || !strings.Contains(number[:i], ".") {
			break
		}
		number = number[:i]
	}
	return number
}

// looksLikeHash tells a revision such as 77c3114 from a version: letters and digits mixed without any dot.
func looksLikeHash(s string) bool {
	return hashPattern.MatchString(s) && strings.ContainsAny(s, "abcdef")
}

func numbers(texts []string) ([]int, bool) {
	if len(texts) > maxParts {
		return nil, false
	}
	parts := make([]int, len(texts))
	for i, t := range texts {
		if t = strings.TrimLeft(t, "0"); len(t) > digitsPart {
			return nil, false
		}
		parts[i], _ = strconv.Atoi("0" + t)
	}
	return parts, true
}

// compareParts compares as if the shorter version went on with zeros.
func compareParts(a, b []int) int {
	for i := range max(len(a), len(b)) {
		if c := at(a, i) - at(b, i); c != 0 {
			return c
		}
	}
	return 0
}

func at(parts []int, i int) int {
	if i < len(parts) {
		return parts[i]
	}
	return 0
}

// before answers "is v < bound?".
func (v version) before(bound []int) trilean {
	c := compareParts(v.parts, bound)
	switch {
	case v.pre && c == 0:
		return maybe
	case c >= 0:
		return no
	case v.series && compareParts(v.next(), bound) > 0:
		return maybe
	}
	return yes
}

// upTo answers "is v <= bound?".
func (v version) upTo(bound []int) trilean {
	switch {
	case compareParts(v.parts, bound) > 0:
		return no
	case v.series && compareParts(v.next(), bound) > 0:
		return maybe
	}
	return yes
}

// next returns the first version after the series: 7.5 after 7.4.
func (v version) next() []int {
	n := slices.Clone(v.parts)
	n[len(n)-1]++
	return n
}

// constraint is a range of versions: all bounds must hold. None holds for every version.
type constraint []bound

type bound struct {
	op    string
	parts []int
}

var boundPattern = regexp.MustCompile(`^(<=|>=|<|>|=)([0-9]+(?:\.[0-9]+){0,3})$`)

// parseConstraint reads "*" or bounds joined by commas, e.g. ">=7.4,<8.0".
func parseConstraint(s string) (constraint, error) {
	if s == "*" {
		return constraint{}, nil
	}
	var c constraint
	for text := range strings.SplitSeq(s, ",") {
		m := boundPattern.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf(`version constraint %q is not * or bounds such as ">=7.4,<8.0"`, s)
		}
		parts, ok := numbers(strings.Split(m[2], "."))
		if !ok {
			return nil, fmt.Errorf("version constraint %q has a number of more than %d digits", s, digitsPart)
		}
		c = append(c, bound{m[1], parts})
	}
	return c, nil
}

// holds answers whether a version lies in the range.
func (c constraint) holds(v version) trilean {
	answer := yes
	for _, b := range c {
		answer = both(answer, b.holds(v))
	}
	return answer
}

func (b bound) holds(v version) trilean {
	switch b.op {
	case "<":
		return v.before(b.parts)
	case "<=":
		return v.upTo(b.parts)
	case ">":
		return v.upTo(b.parts).not()
	case ">=":
		return v.before(b.parts).not()
	}
	return both(v.upTo(b.parts), v.before(b.parts).not())
}

// everywhere reports whether the range holds for every version, so that the version need not be known.
func (c constraint) everywhere() bool { return len(c) == 0 }

// wholeDate is a number that can only be a day: 19xxxxxx or 20xxxxxx with a month and a day in it.
var wholeDate = regexp.MustCompile(`^(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$`)

var debianNoise = regexp.MustCompile(`[+~](dfsg|ds|deb|ubuntu|bpo|git|really|repack).*$`)

// UpstreamVersion cuts from a deployed version what packagers added: leading v, epoch, build date, and for kind "deb" the
// revision and repacking marks. It returns "" for text that names no version, such as latest or a branch.
func UpstreamVersion(kind, raw string) string {
	if _, ok := parseVersion(raw); !ok {
		return ""
	}
	s := epochPattern.ReplaceAllString(strings.TrimSpace(raw), "")
	if kind == PartDeb {
		if i := strings.LastIndexByte(s, '-'); i > 0 {
			s = s[:i]
		}
		s = debianNoise.ReplaceAllString(s, "")
	}
	s = strings.TrimLeft(s, "vV")
	number := numericPattern.FindString(s)
	return cutBuildDate(number) + s[len(number):]
}
