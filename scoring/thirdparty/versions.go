package thirdparty

import (
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// numbered is what can be compared at all: a version that begins with a number. Names such as "main" or "latest" cannot,
// and the rules of most ecosystems would give them some place rather than none.
var numbered = regexp.MustCompile(`^[vV]?[0-9][0-9A-Za-z.+~:_-]{0,127}$`)

// compare compares two versions by the rules of an ecosystem; ok is false if that cannot be told.
func compare(ecosystem, a, b string) (order int, ok bool) {
	ecosystem = registryOf(ecosystem)
	if !numbered.MatchString(a) || !numbered.MatchString(b) || !hasOrder(ecosystem) {
		return 0, false
	}
	v, err := semantic.Parse(bare(a), ecosystem)
	if err != nil {
		return 0, false
	}
	order, err = v.CompareStr(bare(b))
	return order, err == nil
}

// registryOf is an ecosystem without what follows a colon: a release, or the address of another registry.
func registryOf(ecosystem string) string {
	ecosystem, _, _ = strings.Cut(ecosystem, ":")
	return ecosystem
}

// bare is a version without the leading v that tags have.
func bare(version string) string { return strings.TrimLeft(version, "vV") }

// hasOrder lists the ecosystems whose versions are those of the upstream project and can be put in order.
func hasOrder(ecosystem string) bool {
	switch ecosystem {
	case "PyPI", "Go", "npm", "crates.io", "Maven", "RubyGems", "NuGet", "Packagist", "Hex", "Pub", "CRAN", "Hackage":
		return true
	}
	return false
}

// verdict is whether a version has a vulnerability.
type verdict int

const (
	unclear verdict = iota
	spared
	hit
)

// judge tells whether the entry affects a version, by its list of versions and its ranges of versions. Ranges of commits
// need the history and are not judged here. reason says why an answer is unclear.
//
// An entry affects a version that it lists, or that a range holds. It does not affect a version only if it gives versions
// at all and each range could be compared.
func (a affected) judge(version string) (v verdict, reason string) {
	for _, listed := range a.Versions {
		if bare(listed) == bare(version) {
			return hit, ""
		}
	}
	compared, commits, doubt := false, false, ""
	for _, g := range a.Ranges {
		ecosystem := a.Package.Ecosystem
		switch g.Type {
		case "SEMVER":
			if !hasOrder(registryOf(ecosystem)) {
				ecosystem = "npm" // strict semantic versions, which is what the type says
			}
		case "ECOSYSTEM":
		case "GIT":
			commits = true
			continue
		default:
			doubt = "the versions of the advisory cannot be read"
			continue
		}
		inside, ok := g.holds(ecosystem, version)
		switch {
		case !ok:
			doubt = "version " + clip(version) + " cannot be compared with those of the advisory"
		case inside:
			return hit, ""
		default:
			compared = true
		}
	}
	switch {
	case doubt != "":
		return unclear, doubt
	case compared:
		return spared, ""
	case commits:
		return unclear, onlyCommits
	case len(a.Versions) > 0 && numbered.MatchString(version):
		return spared, ""
	}
	return unclear, "the advisory names no versions"
}

// seriesPattern matches what may stand for many releases: 7 may be 7.0.1 or 7.4.2 (upstream.parseVersion draws the same line).
var seriesPattern = regexp.MustCompile(`^[vV]?[0-9]+(\.[0-9]+)?$`)

// divides reports whether releases of a series may differ in whether the entry affects them: a range begins or ends there.
func (a affected) divides(series string) bool {
	for _, g := range a.Ranges {
		ecosystem := a.Package.Ecosystem
		switch {
		case g.Type == "GIT":
			continue
		case g.Type == "SEMVER" && !hasOrder(registryOf(ecosystem)):
			ecosystem = "npm"
		}
		for _, e := range g.Events {
			p, ok := e.point()
			if !ok {
				continue
			}
			first, ok := order(ecosystem, p.version, series)
			if !ok || first < 0 || first == 0 && !p.later {
				continue
			}
			if last, ok := order(ecosystem, p.version, series+".999999999"); ok && last <= 0 {
				return true
			}
		}
	}
	return false
}

const onlyCommits = "the advisory names commits only"

// point is a place in a range of versions from which on versions are affected, or are not any more.
type point struct {
	version string // "0" is before all versions
	later   bool   // it lies just after the version
	enters  bool
}

func (e osvEvent) point() (p point, ok bool) {
	switch {
	case e.Introduced != "":
		return point{version: e.Introduced, enters: true}, true
	case e.Fixed != "":
		return point{version: e.Fixed}, true
	case e.LastAffected != "":
		return point{version: e.LastAffected, later: true}, true
	}
	return p, false // limits bound which versions are listed, not which are affected
}

// holds reports whether a range of versions holds a version: the last point at or before it decides. ok is false if any
// point cannot be compared, or if two at one place contradict each other.
func (g osvRange) holds(ecosystem, version string) (inside, ok bool) {
	if !numbered.MatchString(version) {
		return false, false
	}
	var last *point
	for _, e := range g.Events {
		p, is := e.point()
		if !is {
			continue
		}
		n, ok := order(ecosystem, version, p.version)
		switch {
		case !ok:
			return false, false
		case n < 0 || n == 0 && p.later:
			continue
		case last == nil:
			last = &p
			continue
		}
		if n, ok = comparePoints(ecosystem, p, *last); !ok || n == 0 && p.enters != last.enters {
			return false, false
		}
		if n >= 0 {
			last = &p
		}
	}
	return last != nil && last.enters, true
}

// order compares like compare; "0" is before all versions.
func order(ecosystem, a, b string) (int, bool) {
	switch {
	case a == "0" && b == "0":
		return 0, true
	case b == "0":
		return 1, true
	case a == "0":
		return -1, true
	}
	return compare(ecosystem, a, b)
}

// comparePoints compares two points.
func comparePoints(ecosystem string, a, b point) (int, bool) {
	n, ok := order(ecosystem, a.version, b.version)
	if n == 0 && a.later != b.later {
		n = -1
		if a.later {
			n = 1
		}
	}
	return n, ok
}

// fixes returns the versions that the ranges of versions call fixed.
func (a affected) fixes() []string {
	var out []string
	for _, g := range a.Ranges {
		if g.Type == "GIT" {
			continue
		}
		for _, e := range g.Events {
			if e.Fixed != "" {
				out = append(out, e.Fixed)
			}
		}
	}
	return out
}
