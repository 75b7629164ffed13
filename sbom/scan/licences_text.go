package scan

import (
	"crypto/sha256"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of licence texts in one target.
const (
	maxTexts    = 20_000  // texts; the largest images of the reference stacks have about 2,000
	maxTextSize = 1 << 20 // bytes; collections of third-party notices have a few hundred kilobytes
	maxPerUnit  = 32      // texts of one package; pip with all that it vendors has 20
)

// texts recognises licence texts, each distinct one once: most packages share a few.
type texts struct {
	known map[[sha256.Size]byte]string
	left  int
}

func newTexts() *texts { return &texts{known: map[[sha256.Size]byte]string{}, left: maxTexts} }

// recognise returns the licence of a text, or "" if it is not one that is known for sure.
func (t *texts) recognise(r io.Reader) string {
	if t.left <= 0 {
		return ""
	}
	t.left--
	data, err := io.ReadAll(io.LimitReader(r, maxTextSize+1))
	if err != nil || len(data) > maxTextSize {
		return ""
	}
	sum := sha256.Sum256(data)
	value, seen := t.known[sum]
	if !seen {
		if found, _, ok := licence.Detect(data); ok {
			value = found
		}
		t.known[sum] = value
	}
	return value
}

// textClaim is the claim of a licence text at a path.
func textClaim(value, at string) sbom.LicenceClaim {
	return sbom.LicenceClaim{Value: value, Provenance: sbom.FromText, Path: at}
}

// textAt recognises the file at a path of the target.
func (m mapping) textAt(t *texts, file string) []sbom.LicenceClaim {
	r := m.open(file)
	if r == nil {
		return nil
	}
	defer r.Close()
	if value := t.recognise(r); value != "" {
		return []sbom.LicenceClaim{textClaim(value, file)}
	}
	return nil
}

// textsAt recognises the files at several paths.
func (m mapping) textsAt(t *texts, files []string) []sbom.LicenceClaim {
	var claims []sbom.LicenceClaim
	for _, f := range files[:min(len(files), maxPerUnit)] {
		claims = append(claims, m.textAt(t, f)...)
	}
	if len(files) > maxPerUnit { // nobody knows what the others say
		claims = append(claims, textClaim(unreadText, files[maxPerUnit]))
	}
	return claims
}

// unreadText is the claim of texts that were not read, because there are too many.
const unreadText = "LicenseRef-pegel-text-not-read"

// licenceFiles are the licence files of a target by the directory that they lie in, sorted.
type licenceFiles map[string][]string

// licenceFiles looks for licence files once, and only where there are packages whose texts lie beside them.
func (m mapping) licenceFiles(all []component) licenceFiles {
	besides := []string{string(pkg.NpmPkg), string(pkg.GoModulePkg)}
	if !slices.ContainsFunc(all, func(c component) bool { return slices.Contains(besides, c.Type) }) {
		return nil
	}
	var patterns []string
	for _, word := range []string{"license", "licence", "copying", "unlicense"} {
		patterns = append(patterns, "**/"+word+"*", "**/"+strings.ToUpper(word)+"*", "**/"+strings.ToUpper(word[:1])+word[1:]+"*")
	}
	found, err := m.view.FilesByGlob(patterns...)
	if err != nil {
		return nil // without the texts the licences stay unknown
	}
	out := licenceFiles{}
	for _, l := range found {
		if dir, base := path.Split(l.RealPath); isLicenceFile(base) {
			out[path.Clean(dir)] = append(out[path.Clean(dir)], l.RealPath)
		}
	}
	for dir, files := range out {
		slices.Sort(files)
		out[dir] = slices.Compact(files)
	}
	return out
}

var licenceName = regexp.MustCompile(`(?i)^(?:un)?(?:licen[cs]e|copying)(?:[._-][a-z0-9._-]{1,40})?$`)

// isLicenceFile recognises a licence file by its name: LICENSE, COPYING.LESSER, LICENSE-MIT, licence.md. A program or data
// file of such a name is none.
func isLicenceFile(name string) bool {
	others := []string{".go", ".py", ".pyc", ".js", ".ts", ".json", ".yaml", ".yml", ".toml", ".sh", ".class"}
	return licenceName.MatchString(name) && !slices.Contains(others, strings.ToLower(path.Ext(name)))
}

// inside reports whether a relative path written by strangers stays below where it starts.
func inside(p string) bool {
	return p != "" && p[0] != '/' && path.Clean(p) == p && p != "." && p != ".." && !strings.HasPrefix(p, "../")
}
