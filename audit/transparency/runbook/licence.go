package runbook

import (
	"regexp"
	"strings"
)

// licenceLinks are the addresses by which pages and READMEs name a licence, and what they stand for.
var licenceLinks = []struct {
	link *regexp.Regexp
	id   func(m []string) string
}{
	{regexp.MustCompile(`creativecommons\.org/licenses/(by(?:-nc)?(?:-nd|-sa)?)/([1-4]\.[0-9])`), func(m []string) string { return "CC-" + strings.ToUpper(m[1]) + "-" + m[2] }},
	{regexp.MustCompile(`creativecommons\.org/publicdomain/zero/1\.0`), func([]string) string { return "CC0-1.0" }},
	{regexp.MustCompile(`apache\.org/licenses/license-2\.0`), func([]string) string { return "Apache-2.0" }},
	{regexp.MustCompile(`opensource\.org/licenses?/(mit|isc|zlib)\b`), func(m []string) string { return strings.ToUpper(m[1]) }},
	{regexp.MustCompile(`opensource\.org/licenses?/(?:apache-2\.0|apache2\.0)`), func([]string) string { return "Apache-2.0" }},
	{regexp.MustCompile(`opensource\.org/licenses?/(bsd-[23]-clause)`), func(m []string) string { return "BSD-" + m[1][4:5] + "-Clause" }},
	{regexp.MustCompile(`gnu\.org/licenses/(gpl|lgpl|agpl|fdl)-([0-9]\.[0-9])`), func(m []string) string {
		if m[1] == "fdl" {
			return "GFDL-" + m[2] + "-only"
		}
		return strings.ToUpper(m[1]) + "-" + m[2] + "-only"
	}},
	{regexp.MustCompile(`(?:eupl\.eu/|eupl[ -]v?)1\.2`), func([]string) string { return "EUPL-1.2" }},
}

// licenceWords are sentences that name a licence; text is in lower case with single spaces. They count only behind a word such as
// licensed, so that a mention of the licence of something else says nothing.
var licenceWords = regexp.MustCompile(`(?:licen[cs]ed? (?:[a-z]+ ){0,6}|lizenz(?:iert)? (?:[a-zäöü]+ ){0,6}|lizenz: ?|licence ?:? ?|license ?:? ?|sous (?:la )?licence )` +
	`(?:the |der |des |la )?(cc[ -]by(?:[ -](?:sa|nc|nd|nc[ -]sa|nc[ -]nd))?[ -]?[1-4]\.0|creative commons attribution(?: share ?alike|-sharealike)?(?: international)? 4\.0|apache(?: software)?(?: license| licence| lizenz)?(?:,? version|[ -])? ?v?2(?:\.0)?|mit\b|cc0|agpl[ -]?v?3|gpl[ -]?v?3|gpl[ -]?v?2|eupl[ -]?v?1\.2)`)

var spdxTag = regexp.MustCompile(`spdx-license-identifier: ?([a-z0-9.+-]+)`)

// licenceSpace joins what markup and line ends part.
var licenceSpace = regexp.MustCompile(`[\s*_\x60\[\]()#>"]+`)

// statedLicence finds the licence that a text in lower case says it stands under; empty if it names none, or several.
func statedLicence(text string) string {
	found := map[string]bool{}
	for _, l := range licenceLinks {
		for _, m := range l.link.FindAllStringSubmatch(text, 20) {
			found[l.id(m)] = true
		}
	}
	plain := licenceSpace.ReplaceAllString(text, " ")
	for _, m := range licenceWords.FindAllStringSubmatch(plain, 20) {
		if id := licenceNamed(m[1]); id != "" {
			found[id] = true
		}
	}
	for _, m := range spdxTag.FindAllStringSubmatch(text, 20) {
		found[m[1]] = true
	}
	if len(found) != 1 {
		return ""
	}
	for id := range found {
		return id
	}
	return ""
}

// licenceNamed turns the words of licenceWords into an identifier.
func licenceNamed(words string) string {
	words = strings.NewReplacer(" ", "-", "_", "-").Replace(words)
	switch {
	case strings.HasPrefix(words, "cc-by"):
		return strings.ToUpper(words)
	case strings.HasPrefix(words, "creative-commons-attribution-share"), strings.HasPrefix(words, "creative-commons-attribution-sharealike"):
		return "CC-BY-SA-4.0"
	case strings.HasPrefix(words, "creative-commons-attribution"):
		return "CC-BY-4.0"
	case strings.HasPrefix(words, "apache"):
		return "Apache-2.0"
	case words == "mit":
		return "MIT"
	case words == "cc0":
		return "CC0-1.0"
	case strings.HasPrefix(words, "agpl"):
		return "AGPL-3.0-only"
	case strings.HasPrefix(words, "gpl"):
		return "GPL-" + words[len(words)-1:] + ".0-only"
	case strings.HasPrefix(words, "eupl"):
		return "EUPL-1.2"
	}
	return ""
}
