package gitlog

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// This file looks for parts that are not open although no licence file of their own says so (indicator OS-04): source files
// whose header names a licence, and the licence of another edition that lies in the tree.

// Bounds on headers.
const (
	maxProductFiles = 300 // files below ee/, enterprise/, pro/ whose headers are read
	maxHeaderParts  = 20  // files listed because of their header
)

// editionLicence matches names of licences for another edition: CE-LICENSE, PRO-LICENSE, LICENSE_ENTERPRISE, EULA.
var editionLicence = regexp.MustCompile(`^(?:ce|ee|pro|enterprise|professional|premium|commercial|community)[-_. ]?licen[cs]e$|^licen[cs]e[-_. ](?:ce|ee|pro|enterprise|professional|premium|commercial|community)$|^eula$`)

func isEditionLicence(f file) bool {
	ext := path.Ext(f.base)
	switch ext {
	case "", ".txt", ".md", ".html", ".rst", ".rtf":
		return editionLicence.MatchString(strings.TrimSuffix(f.base, ext))
	}
	return false
}

// soldLicence matches names of licences that cover an edition beside the open one. At the root of a repository they are the
// licence of a part: adding one is no change of the project's licence.
var soldLicence = regexp.MustCompile(`^(?:ee|pro|enterprise|professional|premium|commercial)[-_. ]?licen[cs]e$|^licen[cs]e[-_. ](?:ee|pro|enterprise|professional|premium|commercial)$`)

func isSoldLicence(f file) bool {
	return isEditionLicence(f) && soldLicence.MatchString(strings.TrimSuffix(f.base, path.Ext(f.base)))
}

// ofOthers reports whether a file lists the licences of what the project uses, such as cmd/acmesolver/LICENSES of
// cert-manager: by convention the plural stands for those of others.
func ofOthers(f file) bool {
	return f.stem == "licenses" || f.stem == "licences" || thirdParty.MatchString(f.stem)
}

// thirdParty matches names of collections of the licences of others: LICENSE-THIRDPARTY, 3rd-party-licenses.
var thirdParty = regexp.MustCompile(`(?:^|[-.])(?:third|3rd)-?part(?:y|ies)(?:$|[-.])`)

// isOwnLicence reports whether a file at the root states the licence of the project itself.
func isOwnLicence(f file) bool {
	return isLicenceName(f) && !isSoldLicence(f) && !thirdParty.MatchString(f.stem)
}

// isPage reports whether a file that is named like a licence, and holds none that is known, is a page about licences, such as
// docs/common/license.rst of PowerDNS.
func isPage(f file, sub scoring.SubLicence) bool {
	switch path.Ext(f.base) {
	case ".md", ".rst", ".adoc", ".markdown", ".asciidoc":
		return sub.Expression == "" && len(sub.Marks) == 0 && hasPart(f.lower, pageParts)
	}
	return false
}

// telling reports whether a licence file stands for another edition. Those are read first where there are too many.
func telling(f file) bool { return isEditionLicence(f) || hasPart(f.lower, productParts) }

// endUser matches the title of an agreement with end users, which no open licence asks for.
var endUser = regexp.MustCompile(`(?i)end[- ]user licen[cs]e agreement|software subscription agreement|master (?:services|subscription) agreement`)

// headerTag matches the SPDX line of a source file.
var headerTag = regexp.MustCompile(`SPDX-License-Identifier:[ \t]*([^\r\n]{1,200})`)

// headerLicence returns the licence that the header of a source file names; empty if it names none.
func headerLicence(text []byte) string {
	m := headerTag.FindSubmatch(text[:min(headerBytes, len(text))])
	if m == nil {
		return ""
	}
	words := strings.TrimSpace(strings.TrimRight(string(m[1]), " \t*/->#\"';)}"))
	if strings.Count(words, "(") > strings.Count(words, ")") {
		words += ")"
	}
	e, err := licence.Parse(words)
	if err != nil || strings.Contains(e.String(), "LicenseRef-") && !strings.Contains(words, "LicenseRef-") {
		return "" // a slip of the pen is no licence of a vendor
	}
	return e.String()
}

// productFiles are source files in directories that vendors use for another edition.
func (s *survey) productFiles() []file {
	var out []file
	for _, f := range s.sources {
		if hasPart(f.lower, productParts) && !hasPart(f.lower, sideParts) {
			if out = append(out, f); len(out) == maxProductFiles {
				break
			}
		}
	}
	return out
}

// closedHeaders lists source files whose header names a licence that is not open, or one that only its vendor knows.
func closedHeaders(files []file, texts map[string][]byte) []scoring.SubLicence {
	var out []scoring.SubLicence
	for _, f := range files {
		expression := headerLicence(texts[f.id])
		if expression == "" {
			continue
		}
		class := licence.ClassOf(expression)
		if class != licence.Restricted && !(class == licence.Unknown && strings.Contains(expression, "LicenseRef-")) {
			continue
		}
		sub := scoring.SubLicence{
			Document: documentOf(f, texts), Expression: expression, Vendored: f.vendored || hasPart(f.lower, sideParts) || isTest(f),
			Product: hasPart(f.lower, productParts),
		}
		sub.Marks = []string{"header"}
		out = append(out, sub)
	}
	slices.SortFunc(out, func(a, b scoring.SubLicence) int { return strings.Compare(a.Path, b.Path) })
	out = slices.CompactFunc(out, func(a, b scoring.SubLicence) bool { return a.Path == b.Path })
	return out[:min(maxHeaderParts, len(out))]
}
