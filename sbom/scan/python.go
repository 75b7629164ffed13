package scan

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// maxMetadata bounds the part of a METADATA or PKG-INFO file that is read. Old files keep the whole description in a
// header before the classifiers; the longest seen have 200 kB.
const maxMetadata = 4 << 20

// claims returns what the metadata of a Python package says about its licence (core metadata 2.4): the
// License-Expression if there is one (PEP 639); else the License field if it names a known licence; else the classifiers,
// which syft does not read; else the License field as it is. "UNKNOWN" and whole texts are no claims.
func (h headers) claims() []string {
	field := claimText(h.license)
	switch {
	case claimText(h.expression) != "":
		return []string{claimText(h.expression)}
	case field != "" && known(field):
		return []string{field}
	case len(h.classifiers) > 0:
		return h.classifiers
	case field != "":
		return []string{field}
	}
	return nil
}

func known(name string) bool {
	e, err := licence.ParseFrom(licence.Python, name)
	return err == nil && e.Class() != licence.Unknown
}

// claimText returns the text if it can be a name or an expression, else "".
func claimText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxClaim || strings.ContainsAny(s, "\n\r") || strings.EqualFold(s, "unknown") || hasAddress(s) || namesHolder(s) {
		return ""
	}
	return s
}

// namesHolder reports whether a text says who holds the copyright, which may be a person, and is no name of a licence.
func namesHolder(s string) bool {
	lower := strings.ToLower(s)
	return strings.Contains(lower, "(c)") || strings.Contains(s, "©") || strings.HasPrefix(lower, "copyright")
}

type headers struct {
	expression, license string
	classifiers         []string // "License :: ..." with a name, sorted
	upstream            []sbom.UpstreamClaim
}

// pythonHeaders reads the header part, up to the first empty line. A field that goes on in a second line is a text.
func pythonHeaders(r io.Reader) headers {
	var h headers
	var last *string
	lines := bufio.NewScanner(io.LimitReader(r, maxMetadata))
	lines.Buffer(nil, maxField)
	for lines.Scan() && lines.Text() != "" {
		text := lines.Text()
		if text[0] != ' ' && text[0] != '\t' {
			last = h.field(text)
		} else if last != nil && len(*last) <= maxClaim { // what is longer is a text and no claim anyway
			*last += "\n" + text
		}
	}
	slices.Sort(h.classifiers)
	h.classifiers = slices.Compact(h.classifiers)
	return h
}

// field notes one header and returns where the lines that continue it go.
func (h *headers) field(line string) *string {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "license-expression":
		h.expression = value
		return &h.expression
	case "license":
		h.license = value
		return &h.license
	case "home-page":
		h.upstream = append(h.upstream, sbom.UpstreamClaim{Kind: sbom.UpstreamHomepage, URL: value})
	case "project-url":
		label, url, _ := strings.Cut(value, ",")
		if kind, ok := projectURLs[plainLabel(label)]; ok {
			h.upstream = append(h.upstream, sbom.UpstreamClaim{Kind: kind, URL: strings.TrimSpace(url)})
		}
	case "classifier":
		rest, ok := strings.CutPrefix(value, "License ::")
		if rest = strings.TrimSpace(rest); ok && rest != "OSI Approved" && claimText(value) != "" {
			h.classifiers = append(h.classifiers, value)
		}
	}
	return nil
}

// requirement is the name in a dependency specifier (PEP 508), as it is compared; empty for one of an extra.
func requirement(text string) string {
	specifier, marker, _ := strings.Cut(text, ";")
	if strings.Contains(marker, "extra") {
		return ""
	}
	specifier = strings.TrimSpace(specifier)
	if end := strings.IndexAny(specifier, " \t([<>=!~@"); end >= 0 {
		specifier = specifier[:end]
	}
	return pythonName(specifier)
}

// pythonName is a name as it is compared (PEP 503): in lower case, with runs of dots, dashes and underscores as one dash.
func pythonName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
}
