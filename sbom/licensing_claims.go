package sbom

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pegel-audit/pegel/audit/licence"
)

// UnreadableCopyright is the claim of a copyright file, or of a stanza of one, in which no licence was recognised. It keeps
// the whole from looking better known than its parts.
const UnreadableCopyright = "LicenseRef-debian-unreadable"

// maxClaimFiles bounds the patterns of one claim, as LicenceClaim.Files says.
const maxClaimFiles = 200

// CopyrightClaims reads the copyright file of a Debian package: one claim for each licence and weight, in the order of their
// text, without those of the packaging (debian/*) and of stanzas that later ones override. path is where the file stands in
// the artifact, provenance one of the From constants that says how it was come by. A file without a recognised licence
// gives the single claim UnreadableCopyright; an empty one, or one beyond the limits of the reader, none. Nothing that looks
// like an address of a person gets into a claim.
func CopyrightClaims(data []byte, path, provenance string) []LicenceClaim {
	c, err := licence.DebianCopyright(data)
	if err != nil || len(strings.TrimSpace(string(data))) == 0 {
		return nil
	}
	type kind struct {
		value  string
		weight licence.Weight
	}
	files := map[kind][]string{}
	for _, s := range c.Stanzas {
		if s.Weight == licence.Packaging || s.Overridden {
			continue
		}
		k := kind{s.Expression.Sorted().String(), s.Weight}
		if s.Expression.IsEmpty() || hasAddress(k.value) {
			k.value = UnreadableCopyright
		}
		files[k] = append(files[k], s.Files...)
	}
	if len(files) == 0 {
		files[kind{UnreadableCopyright, licence.Main}] = nil
	}
	out := make([]LicenceClaim, 0, len(files))
	for k, patterns := range files {
		claim := LicenceClaim{Value: k.value, Provenance: provenance, Path: path, Weight: string(k.weight)}
		if k.weight != licence.Main {
			claim.Files = joinPatterns(patterns)
		}
		out = append(out, claim)
	}
	slices.SortFunc(out, func(a, b LicenceClaim) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Weight, b.Weight))
	})
	return out
}

// TextClaim recognises a licence text that lies in a package, e.g. LICENSE in a dist-info directory or in META-INF. path is
// where it stands in the artifact. ok is false where too little of it is a known licence to rely on (licence.Threshold); a
// text that restricts its users counts whatever stands beside it.
func TextClaim(data []byte, path string) (claim LicenceClaim, ok bool) {
	expression, _, ok := licence.Detect(data)
	if !ok || expression == "" {
		return LicenceClaim{}, false
	}
	return LicenceClaim{Value: expression, Provenance: FromText, Path: path}, true
}

// joinPatterns writes as many whole patterns as fit.
func joinPatterns(patterns []string) string {
	var b strings.Builder
	for _, p := range patterns {
		if b.Len()+len(p)+1 > maxClaimFiles {
			break
		}
		if hasAddress(p) || strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return b.String()
}

var addressForm = regexp.MustCompile(`[A-Za-z0-9._%+-]+(@| at | \(at\) |\[at\])[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)

// hasAddress reports whether a text holds something like an e-mail address.
func hasAddress(s string) bool { return addressForm.MatchString(s) }
