package upstream

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

var (
	majorPattern  = regexp.MustCompile(`^v[0-9]+$`)
	gopkgPattern  = regexp.MustCompile(`\.v[0-9]+(-unstable)?$`)
	dottedPattern = regexp.MustCompile(`\.git$`)
)

// module returns the repository of a Go module. A path on a forge is its address; any other leads where the table says,
// and without a row nowhere: only the host of the path could tell, and it is not asked.
func (t *table) module(path string) (rule string, at place, origin audit.Origin, ok bool) {
	u, ok := cleanAddress("https://" + path)
	if !ok && path != "stdlib" {
		return "", place{}, origin, false
	}
	segments := []string{path}
	if path != "stdlib" {
		segments = append([]string{u.Host}, segmentsOf(u)...)
	}
	if form, known := t.forges[segments[0]]; known {
		at, ok := onForge(form, segments)
		return RuleGoModule, at, audit.Origin{Source: "purl", Path: path}, ok
	}
	for n := len(segments); n > 0; n-- {
		if r, filled, ok := t.vanityOf(segments[:n]); ok {
			at := place{filled, subfolder(r.Path, segments[n:])}
			return RuleVanity, at, t.origin(r.Module, r.Source), true
		}
	}
	return "", place{}, origin, false
}

// onForge divides the path of a module into repository and folder. On forges with groups within groups the second segment
// is taken for the repository, as long as none ends in .git.
func onForge(form string, segments []string) (place, bool) {
	n := 3
	if i := slices.IndexFunc(segments, dottedPattern.MatchString); i > 0 {
		n = i + 1
	} else if form != formOwnerName && form != formGroup {
		n = 2
	}
	if len(segments) < n {
		return place{}, false
	}
	name := strings.TrimSuffix(segments[n-1], ".git")
	repo := "https://" + strings.Join(segments[:n-1], "/") + "/" + name
	return place{repo, subfolder("", segments[n:])}, name != ""
}

// vanityOf looks for a row of exactly these segments; stars at its end stand for any.
func (t *table) vanityOf(segments []string) (r vanityRow, repo string, ok bool) {
	segments = slices.Clone(segments)
	if segments[0] == "gopkg.in" {
		last := len(segments) - 1
		segments[last] = gopkgPattern.ReplaceAllString(segments[last], "")
	}
	if r, ok = t.vanity[strings.Join(segments, "/")]; ok {
		return r, r.Repo, true
	}
	for fixed := len(segments) - 1; fixed > 0; fixed-- {
		stars := segments[fixed:]
		r, ok = t.vanity[strings.Join(segments[:fixed], "/")+strings.Repeat("/*", len(stars))]
		switch {
		case !ok:
		case len(stars) == 1: // may stand twice in the address: gopkg.in/tomb is github.com/go-tomb/tomb
			return r, strings.ReplaceAll(r.Repo, "*", stars[0]), true
		default:
			return r, fill(r.Repo, stars), true
		}
	}
	return vanityRow{}, "", false
}

// fill puts the segments in the places of the stars, in their order.
func fill(repo string, stars []string) string {
	for _, s := range stars {
		repo = strings.Replace(repo, "*", s, 1)
	}
	return repo
}

// subfolder joins a folder with the segments of a module path below it, without the one of the major version.
func subfolder(path string, segments []string) string {
	segments = slices.DeleteFunc(slices.Clone(segments), majorPattern.MatchString)
	return join(path, strings.Join(segments, "/"))
}
