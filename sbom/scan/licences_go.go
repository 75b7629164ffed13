package scan

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom"
)

// moduleTexts are the licence files of Go modules in a target, by module ("path@version", or "path" where the place names
// no version).
type moduleTexts map[string][]string

// unrecognised is the claim of a licence text that is not known.
const unrecognised = "LicenseRef-pegel-unrecognised-text"

// maxVendorList bounds a vendor/modules.txt; that of Kubernetes has 100 kB.
const maxVendorList = 4 << 20

// goTexts finds the licence files of Go modules where a target has them beside the binary: an unpacked module cache
// (pkg/mod/PATH@VERSION), vendored source (vendor/PATH, whose modules.txt names the versions), and directories that tools
// collect for shipping (licenses/PATH, third_party/PATH, LICENSES/PATH; they name no version, and hold for the image they
// lie in).
func (m mapping) goTexts(files licenceFiles) moduleTexts {
	out := moduleTexts{}
	versions := map[string]map[string]string{} // of each vendor directory
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		if module := m.moduleOf(dir, versions); module != "" {
			out[module] = append(out[module], files[dir]...)
		}
	}
	return out
}

// moduleOf tells by a directory whose licence lies in it.
func (m mapping) moduleOf(dir string, versions map[string]map[string]string) string {
	if _, rest, ok := strings.Cut(dir, "/pkg/mod/"); ok {
		return unescaped(rest)
	}
	if i := strings.LastIndex(dir, "/vendor/"); i >= 0 {
		list := dir[:i] + "/vendor/modules.txt"
		if versions[list] == nil {
			versions[list] = m.vendored(list)
		}
		module := dir[i+len("/vendor/"):]
		if v := versions[list][module]; v != "" {
			return module + "@" + v
		}
		return ""
	}
	for _, marker := range []string{"/licenses/", "/LICENSES/", "/third_party/"} {
		if i := strings.LastIndex(dir, marker); i >= 0 {
			return strings.TrimPrefix(dir[i+len(marker):], "vendor/")
		}
	}
	return ""
}

// vendored reads which versions of modules a vendor directory has: lines "# PATH VERSION" (go help vendor).
func (m mapping) vendored(list string) map[string]string {
	out := map[string]string{}
	r := m.open(list)
	if r == nil {
		return out
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, maxVendorList))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == "#" { // a replaced module has an arrow and more words
			out[words[1]] = words[2]
		}
	}
	return out
}

// unescaped undoes the way in which module caches write capitals (go.dev/ref/mod#goproxy-protocol).
func unescaped(s string) string {
	var b strings.Builder
	capital := false
	for _, r := range s {
		switch {
		case r == '!':
			capital = true
			continue
		case capital && r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		capital = false
		b.WriteRune(r)
	}
	return b.String()
}

// of returns the claims about a module: the files of its version, else those of a place that names none.
func (g moduleTexts) of(m mapping, t *texts, c component) []sbom.LicenceClaim {
	files := g[c.Name+"@"+c.Version]
	if len(files) == 0 {
		files = g[c.Name]
	}
	var claims []sbom.LicenceClaim
	for _, f := range files[:min(len(files), maxPerUnit)] {
		found := m.textAt(t, f)
		if found == nil { // nothing else says the licence: a text that nobody knows may hold anything
			found = []sbom.LicenceClaim{textClaim(unrecognised, f)}
		}
		claims = append(claims, found...)
	}
	return claims
}
