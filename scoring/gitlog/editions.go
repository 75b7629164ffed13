package gitlog

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// This file looks for signs that the rights holder sells more than the repository gives (indicator OS-05): words about
// editions in the README and the documentation. A sign is a kind and a line, never the text. Names of other people's
// editions are left out where the word before tells whose edition it is: GitLab Enterprise Edition is no edition of Ceph.

// Bounds on what is read for editions.
const (
	maxProse    = 300 // documents
	maxMarks    = 10  // lines reported of one document
	maxEditions = 20  // documents reported
	maxLine     = 4 << 10
)

// proseDirs hold documentation for users.
var proseDirs = map[string]bool{"doc": true, "docs": true, "documentation": true}

// isProse reports whether a file is one that users read to learn what the product can do: a README or a document at the
// root, or a page below a documentation directory there. Changelogs and licences are none.
func isProse(f file) bool {
	switch path.Ext(f.base) {
	case ".md", ".rst", ".txt", ".adoc", ".asciidoc", ".markdown":
	default:
		return f.depth() == 0 && f.prose && f.stem == "readme"
	}
	switch {
	case f.vendored, isLicenceName(f), strings.HasPrefix(f.stem, "change"), strings.Contains(f.lower, "release-notes"), strings.Contains(f.lower, "releasenotes"):
		return false
	case f.depth() == 0:
		return true
	}
	top, rest, _ := strings.Cut(f.lower, "/")
	return proseDirs[top] && !strings.Contains(rest, "changelog") && !hasPart(rest, testParts)
}

// cheap words of which every line that bears a sign holds one. Lines without are not looked at closer.
var editionWords = [][]byte{
	[]byte("edition"), []byte("enterprise"), []byte(" pro"), []byte("premium"), []byte("commercial"), []byte("ultimate"), []byte("license key"),
	[]byte("licence key"), []byte("full-featured"), []byte("fully-featured"), []byte("fully featured"), []byte("business source"), []byte("busl"),
	[]byte("elastic license"), []byte("commons clause"), []byte("sspl"), []byte("proprietary"), []byte("customers"), []byte("/pricing"),
}

// sign is a kind of line. Where the pattern has a group "whose", the word before must be the project's own name or no name.
type sign struct {
	kind    string
	pattern *regexp.Regexp
	readme  bool // believed in the README only
}

const tiers = `enterprise|professional|premium|commercial|ultimate|paid|pro`

// signs are the kinds of lines, by what they claim:
//   - withheld: functions that the open version lacks
//   - edition: an edition beside the open one
//   - licence-key: something that a key of the vendor unlocks
//   - closed-licence: directories or files under a licence that is not open
//   - pricing: a page with prices or a comparison of editions
//   - paid-releases: releases or fixes for customers only
//   - feature-table: columns for an open and a sold edition, or a page that names the tier it is for
//
// Outside the README a line about an edition must name the project too: handbooks describe the software of others.
var signs = []sign{
	{kind: "withheld", pattern: regexp.MustCompile(`(?i)\bfull(?:y)?[- ]featured (?:version|edition|product)\b|(?P<whose>\S+ )?\b(?:` + tiers + `)[- ]only (?:feature|function|version|plugin)|\b(?:only|exclusively) (?:available |included |supported )?(?:in|with|for|to|as part of) (?:the |an? |our )?(?P<whose>\S+ )?(?:` + tiers + `) (?:edition|version|licen[cs]e|subscription|plan|tier|customers|users)|\b(?:requires?|needs?) (?:an? |the |our )?(?:valid |active )?(?P<whose>\S+ )?(?:` + tiers + `) (?:licen[cs]e|edition|subscription|version|plan|tier)|\bnot (?:available|included|supported) in (?:the )?(?:open[- ]source|community|oss|free|core) (?:edition|version)`)},
	{kind: "edition", pattern: regexp.MustCompile(`(?P<whose>\S+ )?\b(?i:enterprise|community|professional|premium|commercial|open[- ]source|ultimate|pro)(?i:[ -]editions?)\b`)},
	{kind: "licence-key", pattern: regexp.MustCompile(`(?i)\b(?:enterprise|commercial|premium|pro) licen[cs]e keys?\b`), readme: true},
	{kind: "closed-licence", pattern: regexp.MustCompile(`(?i)(?:director(?:y|ies)|folders?|files? (?:in|under|below)|everything (?:in|under)|[\x60"(][\w./-]+/[\x60")]).{0,160}\b(?:business source licen[cs]e|busl|sspl|elastic licen[cs]e|commons clause|proprietary licen[cs]e|commercial licen[cs]e|enterprise licen[cs]e)`), readme: true},
	{kind: "paid-releases", pattern: regexp.MustCompile(`(?i)\b(?:releases?|patches|fixes|backports?|long[- ]term support|extended support|lts)\b.{0,60}\b(?:only|exclusively)\b.{0,30}\b(?:paying |paid |commercial |enterprise )?(?:customers|subscribers)\b`)},
}

var featureTable = regexp.MustCompile(`\|\s*\**(?:\w+ )?(?:Community|Open Source|OSS|Free|Core|CE)(?: [Ee]dition)?\**\s*\|(?:.*\|)?\s*\**(?:\w+ )?(?:Enterprise|Professional|Premium|Commercial|Pro|EE)(?: [Ee]dition)?\**\s*\||^[-*> {]*(?:Tiers?|Plans?|Editions?)\**: .*\b(?:Premium|Ultimate|Enterprise|Professional)\b`)

var pricing = regexp.MustCompile(`(?i)https?://([\w.-]+)/[\w./-]*\b(?:pricing|editions|oss-vs-enterprise|enterprise)\b`)

// ownTier matches an edition that bears the project's own name, e.g. "NetBox Enterprise"; names are put in by ownEditions.
const ownTier = `\b(?i:%s)(?: [A-Z]\w*){0,2} (?:Enterprise|Professional|Premium|Ultimate|Pro)\b`

// otherMeaning matches what makes of the word no edition: an enterprise number (RFC 9371), a distribution.
var otherMeaning = regexp.MustCompile(`^[\s-]*(?:Numbers?|Linux|Server|Java)\b`)

// editionReader looks for signs in documents of one project.
type editionReader struct {
	own   []string       // lower-cased words that name the project or its owner
	named *regexp.Regexp // an edition that bears such a name; nil without names
}

// generic are words of repository names that name nothing.
var generic = map[string]bool{
	"public": true, "server": true, "core": true, "community": true, "oss": true, "open": true, "source": true, "project": true,
	"operator": true, "client": true, "cloud": true, "enterprise": true, "main": true, "io": true, "org": true, "the": true, "labs": true,
	"linux": true, "team": true, "kubernetes": true, "python": true, "docker": true, "git": true,
}

// newEditionReader takes the names from the address of the repository.
func newEditionReader(address string) editionReader {
	var r editionReader
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return r
	}
	parts := strings.Split(strings.TrimSuffix(strings.ToLower(rest), ".git"), "/")
	for _, part := range parts[max(1, len(parts)-2):] {
		for _, word := range strings.FieldsFunc(part, func(c rune) bool { return c == '-' || c == '_' || c == '.' }) {
			if len(word) > 2 && !generic[word] && !slices.Contains(r.own, word) {
				r.own = append(r.own, word)
			}
		}
	}
	quoted := make([]string, len(r.own))
	for i, word := range r.own {
		quoted[i] = regexp.QuoteMeta(word)
	}
	if len(quoted) > 0 {
		r.named = regexp.MustCompile(fmt.Sprintf(ownTier, strings.Join(quoted, "|")))
	}
	return r
}

// marks lists the signs of a text as "kind:line", at most maxMarks, those of one kind in the order of lines.
func (r editionReader) marks(text []byte, readme bool) []string {
	var out []string
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if len(line) > maxLine || !holdsAny(bytes.ToLower(line), editionWords) {
			continue
		}
		for _, kind := range r.kinds(string(line), readme) {
			mark := fmt.Sprintf("%s:%d", kind, number)
			if !seen[mark] && len(out) < maxMarks {
				seen[mark] = true
				out = append(out, mark)
			}
		}
	}
	return out
}

func holdsAny(text []byte, words [][]byte) bool {
	return slices.ContainsFunc(words, func(w []byte) bool { return bytes.Contains(text, w) })
}

// kinds lists what one line is a sign of.
func (r editionReader) kinds(line string, readme bool) []string {
	var out []string
	for _, s := range signs {
		if s.readme && !readme {
			continue
		}
		for _, m := range s.pattern.FindAllStringSubmatchIndex(line, 10) {
			if (readme || r.owns(line)) && r.ours(s.pattern, m, line) {
				out = append(out, s.kind)
				break
			}
		}
	}
	if r.named != nil {
		if m := r.named.FindStringIndex(line); m != nil && !otherMeaning.MatchString(line[m[1]:]) {
			out = append(out, "edition")
		}
	}
	if featureTable.MatchString(line) {
		out = append(out, "feature-table")
	}
	if readme {
		for _, m := range pricing.FindAllStringSubmatch(line, 10) {
			if r.owns(m[1]) {
				out = append(out, "pricing")
				break
			}
		}
	}
	return slices.Compact(out)
}

// ours reports whether the word before an edition leaves it to this project: there is none, it is no name, or it is a name
// of the project.
func (r editionReader) ours(pattern *regexp.Regexp, m []int, line string) bool {
	if m[0] > 0 && strings.ContainsRune("-/#_", rune(line[m[0]-1])) {
		return false // the middle of an address
	}
	for i, name := range pattern.SubexpNames() {
		if name != "whose" || m[2*i] < 0 {
			continue
		}
		word := strings.Trim(line[m[2*i]:m[2*i+1]], " \t*_`\"'()[]:,;.|#>=<-")
		if word == "" || r.owns(word) || strings.EqualFold(word, "The") || strings.EqualFold(word, "An") || strings.EqualFold(word, "A") {
			continue
		}
		if first := word[0]; first >= 'A' && first <= 'Z' || first >= 0x80 {
			return false
		}
	}
	return true
}

func (r editionReader) owns(word string) bool {
	lower := strings.ToLower(word)
	return slices.ContainsFunc(r.own, func(own string) bool { return strings.Contains(lower, own) })
}

// editions reads the README and the documentation for editions.
func (t *contents) editions(ctx context.Context) error {
	reader := newEditionReader(t.origin.URL)
	read, lacking := 0, 0
	var list []scoring.Document
	files := t.s.prose[:min(maxProse, len(t.s.prose))]
	for _, f := range files {
		text, ok := t.texts[f.id]
		if !ok {
			lacking++
			continue
		}
		read++
		marks := reader.marks(text, f.depth() == 0 && f.stem == "readme")
		if len(marks) == 0 {
			continue
		}
		d := t.document(f)
		d.Marks = marks
		if err := t.keep(ctx, f); err != nil {
			return err
		}
		if list = append(list, d); len(list) == maxEditions {
			break
		}
	}
	put(&t.s.tree.Documents, "editions", list)
	if lacking > 0 && lacking*10 > len(files) {
		t.s.tree.Prose = audit.Failed[int](fmt.Sprintf("only %d of %d documents are in the clone", read, len(files)), t.origin)
		t.s.tree.Prose.Settle = "give a clone with all files of this revision"
		return nil
	}
	t.s.tree.Prose = audit.Known(read, t.origin)
	return nil
}
