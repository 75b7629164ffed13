package sbom

import (
	"bytes"
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

// maxClaimValue bounds the expression of one claim, in bytes; the longest of a Debian 12 system have 300.
const maxClaimValue = 1024

// maxClaimFiles bounds the patterns of one claim, as LicenceClaim.Files says.
const maxClaimFiles = 200

// maxClaims bounds the claims of one copyright file. The longest of a Debian 12 system gives 70.
const maxClaims = 500

// CopyrightClaims reads the copyright file of a Debian package: one claim for each licence and weight, in the order of their
// text, without those of the packaging (debian/*) and of stanzas that later ones override. path is where the file stands in
// the artifact, provenance one of the From constants that says how it was come by. A file without a recognised licence, or
// beyond the limits of the reader, gives the single claim UnreadableCopyright; an empty one none. Of more than 500 claims the
// worst are kept, and UnreadableCopyright stands for the rest. Nothing that looks like an address of a person gets into a
// claim.
func CopyrightClaims(data []byte, path, provenance string) []LicenceClaim {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	c, err := licence.DebianCopyright(data)
	type kind struct {
		value  string
		weight licence.Weight
	}
	files, lines := map[kind][]string{}, map[kind]int{}
	for _, s := range c.Stanzas {
		if s.Weight == licence.Packaging || s.Overridden {
			continue
		}
		k := kind{s.Expression.Sorted().String(), s.Weight}
		if s.Expression.IsEmpty() || len(k.value) > maxClaimValue || hasAddress(s.Name) || hasAddress(k.value) {
			k.value = UnreadableCopyright
		}
		files[k] = append(files[k], s.Files...)
		if lines[k] == 0 {
			lines[k] = s.Line
		}
	}
	if err != nil || len(files) == 0 {
		files[kind{UnreadableCopyright, licence.Main}] = nil
	}
	out := make([]LicenceClaim, 0, len(files))
	for k, patterns := range files {
		claim := LicenceClaim{Value: k.value, Provenance: provenance, Path: path, Line: lines[k], Weight: string(k.weight)}
		if k.weight != licence.Main {
			claim.Files = joinPatterns(patterns)
		}
		out = append(out, claim)
	}
	out = boundClaims(out)
	slices.SortFunc(out, compareCopyright)
	return out
}

func compareCopyright(a, b LicenceClaim) int {
	return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Weight, b.Weight))
}

// boundClaims keeps as many claims as a component may have.
func boundClaims(claims []LicenceClaim) []LicenceClaim {
	if len(claims) <= maxClaims {
		return claims
	}
	classes := map[string]licence.Class{}
	for _, c := range claims {
		classes[c.Value] = licence.ClassOf(c.Value)
	}
	slices.SortFunc(claims, func(a, b LicenceClaim) int {
		x, y := classes[a.Value], classes[b.Value]
		if x != y {
			if licence.Worst(x, y) == x {
				return -1
			}
			return 1
		}
		return compareCopyright(a, b)
	})
	rest := claims[0]
	rest.Value, rest.Weight, rest.Files, rest.Line = UnreadableCopyright, string(licence.Main), "", 0
	return append(claims[:maxClaims-1], rest)
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
