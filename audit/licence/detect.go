package licence

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// maxText is the longest text that Detect reads; the longest licence of the SPDX list has about 60 KiB, and collections
// of third-party notices a few hundred.
const maxText = 2 << 20

// Threshold is the share of a text in percent that must be known licences for Detect to be sure. pkg.go.dev, which uses
// the same matcher, demands 75.
const Threshold = 75

// Detect recognises the licence texts in a file, e.g. LICENSE or COPYING. The expression demands all texts that were
// found, unless the words before the first one leave the choice; coverage is the share of the file's words that they make
// up, in percent; ok says that the answer may be relied on: the coverage reaches Threshold, or a text that restricts its
// users was found, which no amount of other text undoes. Without ok the expression is what was found nevertheless, and
// may be empty. GNU texts alone do not say "or later" and give -only.
func Detect(text []byte) (expression string, coverage int, ok bool) {
	if len(text) == 0 || len(text) > maxText {
		return "", 0, false
	}
	doc := newDocument(text)
	spans := doc.spans(text)
	if len(spans) == 0 {
		if id, ok := doc.stated(); ok {
			return id, 100, true
		}
		return doc.tagged(text)
	}
	parts := make([]Expression, len(spans))
	for i, s := range spans {
		parts[i] = s.licence
	}
	e := And(parts...).Sorted()
	if doc.leavesChoice(spans[0].start) {
		e = Or(parts...).Sorted()
	}
	coverage = doc.coverage(spans)
	return e.String(), coverage, coverage >= Threshold || restrictive(spans)
}

// restrictive reports a text of class Restricted that the choice of another text does not cancel: And of all decides.
func restrictive(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.signature && s.licence.Class() == Restricted })
}

// span is a recognised text at [start, end) of the file.
type span struct {
	start, end int
	licence    Expression
	signature  bool // known by its phrases, not by every word
}

// document is a text as words: lower case, without punctuation, with the place of each in the file.
type document struct {
	words  string // joined by single spaces
	starts []int  // offset in the file, by word
	at     []int  // offset in words, by word
}

var wordForm = regexp.MustCompile(`[\p{L}\p{N}]+`)

func newDocument(text []byte) document {
	var d document
	var b strings.Builder
	for _, loc := range wordForm.FindAllIndex(text, -1) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		d.starts, d.at = append(d.starts, loc[0]), append(d.at, b.Len())
		b.WriteString(strings.ToLower(string(text[loc[0]:loc[1]])))
	}
	d.words = b.String()
	return d
}

// find returns the first place of a phrase at or after offset from of d.words, or -1.
func (d document) find(phrase string, from int) int {
	padded := " " + d.words + " "
	if from > len(d.words) {
		return -1
	}
	i := strings.Index(padded[from:], " "+phrase+" ")
	if i < 0 {
		return -1
	}
	return from + i
}

// offset turns a place in d.words into one in the file.
func (d document) offset(at int) int {
	i, _ := slices.BinarySearch(d.at, at)
	if i >= len(d.starts) {
		return d.starts[len(d.starts)-1] + 1
	}
	return d.starts[i]
}

// spans finds all texts, in the order of the file and without overlap.
func (d document) spans(text []byte) []span {
	known := d.signatures()
	for _, m := range licensecheck.Scan(text).Match {
		if m.IsURL || patents[m.ID] {
			continue // a link or a patent grant is no licence of the work
		}
		known = append(known, span{start: m.Start, end: m.End, licence: textID(m.ID)})
	}
	slices.SortStableFunc(known, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	return d.bounded(known, len(text))
}

// patents are texts that licensecheck knows beside licences.
var patents = map[string]bool{"GooglePatentClause": true, "GooglePatentsFile": true}

// bounded gives each text known by its phrases the words up to the next text, and takes short mentions of other licences
// out of it: a change licence is none yet.
func (d document) bounded(spans []span, size int) []span {
	const mention = 120 // words; the shortest licence texts of their own after a restricted one are longer
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].signature {
			if !s.signature && d.count(s.start, s.end) < mention {
				continue
			}
			out[n-1].end = s.start
		}
		if s.signature {
			s.end = size
		}
		out = append(out, s)
	}
	return out
}

// count returns the number of words that start in [start, end) of the file.
func (d document) count(start, end int) int {
	i, _ := slices.BinarySearch(d.starts, start)
	j, _ := slices.BinarySearch(d.starts, end)
	return max(0, j-i)
}

func (d document) coverage(spans []span) int {
	known, reached := 0, 0
	for _, s := range spans {
		known += d.count(max(s.start, reached), s.end)
		reached = max(reached, s.end)
	}
	if len(d.starts) == 0 {
		return 0
	}
	return known * 100 / len(d.starts)
}

// signature is a licence that licensecheck does not know, by phrases that stand in its text in this order.
type signature struct {
	id      string
	phrases []string
}

// signatures are facts about texts: short phrases by which each can be told from all others.
var signatures = []signature{
	{"BUSL-1.1", []string{"business source license", "licensed work", "change date", "change license", "make non production use of the licensed work"}},
	{"Elastic-2.0", []string{"elastic license", "provide the software to third parties as a hosted or managed service", "license key"}},
	{"LicenseRef-RSALv2", []string{"redis source available license 2 0", "make the functionality of the software or a modified version available to third parties as a service"}},
	{"LicenseRef-Confluent-Community-1.0", []string{"confluent community license agreement", "excluded purpose"}},
	{"LicenseRef-Timescale", []string{"timescale license agreement", "value added products or services", "database as a service"}},
	{"FSL-1.1-ALv2", []string{"functional source license version 1 1", "competing use", "grant of future license", "apache license version 2 0"}},
	{"FSL-1.1-MIT", []string{"functional source license version 1 1", "competing use", "grant of future license", "mit license"}},
	{"SUL-1.0", []string{"sustainable use license", "internal business purposes"}},
}

// signatures returns where each signature begins; its end is not known.
func (d document) signatures() []span {
	var out []span
	for _, s := range signatures {
		from, begin := 0, -1
		for i, phrase := range s.phrases {
			at := d.find(phrase, from)
			if at < 0 {
				begin = -1
				break
			}
			if i == 0 {
				begin = at
			}
			from = at + len(phrase)
		}
		if begin >= 0 {
			start := d.offset(begin)
			out = append(out, span{start: start, end: start + 1, licence: must(s.id), signature: true})
		}
	}
	return out
}

// textID turns the name of licensecheck into an expression.
func textID(id string) Expression {
	if target, ok := textNames[id]; ok {
		return must(target)
	}
	if e, ok := spdxID(id); ok {
		return e
	}
	return reference(Any, id)
}

var textNames = map[string]string{
	"CommonsClause": "LicenseRef-Commons-Clause", "Aladdin-9": "Aladdin", "MIT-NoAd": "X11", "GPL-2.0-or-3.0": "GPL-2.0-only OR GPL-3.0-only",
	"BSD-3-Clause-NoTrademark": "BSD-3-Clause", "BSD-1-Clause-Clear": "BSD-1-Clause", "CC-BY-NC-SA-3.0-US": "CC-BY-NC-SA-3.0",
}

// choices are the ways to say, before the texts, that the user may choose among them.
var choices = []string{
	"user s choice of", "users choice of", "your choice of", "choice of either", "dual licensed", "dual licensing", "tri licensed", "tri licensing",
	"triple licensed", "either of the following licenses", "any one of the following licenses", "at your option under", "choose one of",
}

// leavesChoice looks at the words before the first text only: what stands later speaks about parts.
func (d document) leavesChoice(firstText int) bool {
	i, _ := slices.BinarySearch(d.starts, firstText)
	intro := " " + d.words + " "
	if i < len(d.at) {
		intro = " " + d.words[:d.at[i]] + " "
	}
	return slices.ContainsFunc(choices, func(c string) bool { return strings.Contains(intro, " "+c+" ") })
}

// statements are files in which a project says in words of its own under which licence it stands, and keeps the texts
// elsewhere. All phrases must stand there, in this order.
var statements = []struct {
	id      string
	phrases []string
}{
	// RabbitMQ, deps/amqp_client/LICENSE and 51 more: each part points to the text at the root.
	{"MPL-2.0", []string{"is licensed under the mpl 2 0", "please see license mpl rabbitmq"}},
	// HAProxy, LICENSE: the texts lie in doc/; that headers are under the LGPL adds rights and takes none.
	{"GPL-2.0-only", []string{"haproxy has been covered by gpl version 2", "lgpl license to the exportable include", "are covered by the gpl unless expressly stated otherwise"}},
}

// stated recognises a file that only says under which licence the project stands.
func (d document) stated() (id string, ok bool) {
	for _, s := range statements {
		from := 0
		for _, phrase := range s.phrases {
			at := d.find(phrase, from)
			if at < 0 {
				from = -1
				break
			}
			from = at + len(phrase)
		}
		if from > 0 {
			return s.id, true
		}
	}
	return "", false
}

var tagForm = regexp.MustCompile(`SPDX-License-Identifier:[ \t]*([^\r\n]+)`)

// tagged reads a file that names its licence by an SPDX tag instead of giving the text, e.g. the COPYING of Linux. Tags
// that differ leave it open.
func (d document) tagged(text []byte) (string, int, bool) {
	var found Expression
	for _, m := range tagForm.FindAllSubmatch(text, 64) {
		e, err := Parse(strings.TrimRight(string(m[1]), " \t*/->#"))
		if err != nil || !found.IsEmpty() && found.String() != e.String() {
			return "", 0, false
		}
		found = e
	}
	if found.IsEmpty() {
		return "", 0, false
	}
	return found.String(), 100, found.Class() != Unknown
}
