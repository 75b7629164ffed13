package incidentreport

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Recognised is what can be told of a document.
type Recognised struct {
	Report     bool      // it is a report about an incident that happened
	Reason     string    // what speaks for or against it, in plain words
	Language   string    // en, de, fr; "" if it cannot be told
	Parts      []string  // of the seven, in their order
	Begin, End time.Time // of the incident, UTC; zero: not said
	Incident   string    // id or address that it names
	Components []string  // that it says were affected, bounded
}

// Numbers of the recogniser. They were set on the training half of testdata/real.yaml and measured on the other half.
const (
	enough       = 5  // points that make a report
	minContent   = 4  // words under a heading, fewer are no content
	minOpening   = 12 // words of a paragraph at the begin that sums up
	minRun       = 4  // entries that begin with a clock time make a timeline
	maxGap       = 3  // other blocks between two of them
	minFailures  = 2  // different words for a failure
	minTold      = 3  // parts announced by sentences make a story without headings
	minTemplates = 3  // placeholders that make a template
)

// Recognise tells whether a document is a report about an incident, and which parts it has. It is pure; the answer depends on
// the document alone. A part is recognised by its heading or the label before a text, in English, German or French, and only
// if something stands under it; a timeline also by a run of clock times; in a document that is a report, cause, impact,
// resolution and actions also by the sentences that announce them.
func Recognise(d Document) Recognised {
	t := study(d)
	out := Recognised{Language: t.language}
	out.Report, out.Reason = t.judge()
	out.Parts = t.partsFound(out.Report)
	if out.Report {
		out.Begin, out.End = t.span()
		out.Incident = t.incident()
		out.Components = t.components()
	}
	return out
}

// studied is a document with everything that is counted in it.
type studied struct {
	doc       Document
	title     string // folded
	text      string // folded, all of it
	body      string // folded, without headings
	moments   [][]moment
	language  string
	stated    map[string]bool // parts with a heading or label and something under it
	empty     int             // headings of parts with nothing under them
	runFrom   int             // blocks of the run of clock times; runTo is 0 if there is none
	runTo     int
	from, to  int    // blocks under the heading of the timeline; to is 0 if there is none
	timedAt   []bool // of each block: it begins with a clock time
	points    int    // clock times in all blocks
	dates     int    // days named in them
	day       time.Time
	zone      *int // that the document names for its times; nil: none
	templates int
}

func study(d Document) studied {
	if d.Title == "" {
		d.Title = strings.TrimSpace(strings.ReplaceAll(slug(d.URL), "%20", " "))
	}
	t := studied{doc: d, title: fold(d.Title), stated: map[string]bool{}}
	var all, body strings.Builder
	for _, block := range d.Blocks {
		text := block.Label + " " + block.Text
		all.WriteString(text + "\n")
		if block.Kind != Heading {
			body.WriteString(text + "\n")
		}
		found := moments(text)
		t.moments = append(t.moments, found)
		t.timedAt = append(t.timedAt, len(found) > 0 && beginsWithMoment(strings.TrimSpace(text)))
		for _, m := range found {
			if m.hasClock() {
				t.points++
			}
			if m.hasDate() {
				t.dates++
			}
		}
	}
	t.templates = placeholders(all.String())
	t.text, t.body = fold(all.String()), fold(body.String())
	t.language = languageOf(t.text)
	t.run()
	t.headings()
	t.labels()
	t.day = t.incidentDay()
	t.zone = t.zoneNamed()
	return t
}

// headings looks for headings of parts and for what stands under them.
func (t *studied) headings() {
	blocks := t.doc.Blocks
	for i, b := range blocks {
		if b.Kind != Heading || fold(b.Text) == t.title && i < 3 {
			continue
		}
		found := partsOf(b.Text, maxHeadingWords)
		if len(found) == 0 {
			continue
		}
		end := sectionEnd(blocks, i)
		if words(blocks[i+1:end]) < minContent {
			t.empty++
			continue
		}
		for _, p := range found {
			t.stated[p] = true
			if p == timeline {
				t.tells(i+1, end)
			}
		}
	}
}

// sectionEnd returns the end of the blocks under a heading: the next heading of the same or a higher level.
func sectionEnd(blocks []Block, i int) int {
	for j := i + 1; j < len(blocks); j++ {
		if blocks[j].Kind == Heading && blocks[j].Level <= blocks[i].Level {
			return j
		}
	}
	return len(blocks)
}

// tells takes some blocks as the timeline, if none before begin more often with a clock time.
func (t *studied) tells(from, to int) {
	if t.to == 0 || t.timed(from, to) > t.timed(t.from, t.to) {
		t.from, t.to = from, to
	}
}

// timed counts the blocks that begin with a clock time.
func (t *studied) timed(from, to int) int {
	n := 0
	for _, timed := range t.timedAt[from:to] {
		if timed {
			n++
		}
	}
	return n
}

// words counts the words of blocks that are no heading and no placeholder.
func words(blocks []Block) int {
	n := 0
	for _, b := range blocks {
		if b.Kind != Heading && placeholders(b.Label+" "+b.Text) == 0 {
			n += len(strings.Fields(b.Label)) + len(strings.Fields(b.Text))
		}
	}
	return n
}

// labels looks for "Impact: ..." in paragraphs, lists and tables.
func (t *studied) labels() {
	for i, b := range t.doc.Blocks {
		if b.Kind == Heading || b.Kind == Code || b.Label == "" {
			continue
		}
		content := len(strings.Fields(b.Text))
		if content == 0 { // what follows in the list stands under the label
			for j := i + 1; j < len(t.doc.Blocks) && t.doc.Blocks[j].Kind != Heading && content < minContent; j++ {
				content += len(strings.Fields(t.doc.Blocks[j].Text))
			}
		}
		if content < 2 || placeholders(b.Text) > 0 {
			continue
		}
		for _, p := range partsOf(b.Label, maxLabelWords) {
			t.stated[p] = true
			if p == timeline && t.to == 0 {
				t.tells(i+1, itemsEnd(t.doc.Blocks, i))
			}
		}
	}
}

// itemsEnd returns the end of the list that follows a label.
func itemsEnd(blocks []Block, i int) int {
	j := i + 1
	for j < len(blocks) && blocks[j].Kind == Item && len(partsOf(blocks[j].Label, maxLabelWords)) == 0 {
		j++
	}
	return j
}

// run looks for the longest run of blocks that begin with a clock time.
func (t *studied) run() {
	from, last, n, most := 0, -1, 0, 0
	for i, timed := range t.timedAt {
		if !timed {
			continue
		}
		if last < 0 || i-last > maxGap+1 {
			from, n = i, 0
		}
		n++
		last = i
		if n >= minRun && n > most {
			t.runFrom, t.runTo, most = from, i+1, n
		}
	}
}

func (t *studied) partsFound(report bool) []string {
	out := []string{}
	for _, p := range parts() {
		if t.stated[p] || p == timeline && t.runTo > 0 || report && (t.told(p) || p == summary && t.opens()) {
			out = append(out, p)
		}
	}
	return out
}

// told says whether sentences announce a part.
func (t *studied) told(part string) bool { return hasAny(t.body, sentences[part]) > 0 }

// toldParts counts the parts that sentences announce.
func (t *studied) toldParts() int {
	n := 0
	for _, p := range parts() {
		if t.told(p) {
			n++
		}
	}
	return n
}

// opens says whether the document begins, before any heading but its title, with a paragraph that tells of the failure.
func (t *studied) opens() bool {
	for i, b := range t.doc.Blocks {
		switch {
		case i > 8 || b.Kind == Heading && i > 1:
			return false
		case b.Kind == Text && b.Label == "" && len(strings.Fields(b.Text)) >= minOpening && hasAny(fold(b.Text), failureWords) > 0:
			return true
		}
	}
	return false
}

// judge weighs what speaks for a report about an incident that happened, and against.
func (t *studied) judge() (bool, string) {
	if t.isTemplate() {
		return false, "it is a template: its places for facts are empty"
	}
	if t.day.IsZero() && t.dates == 0 {
		return false, "it names no day"
	}
	failures := hasAny(t.text, failureWords)
	if failures < minFailures {
		return false, "it speaks of no failure"
	}
	named := hasAny(t.title, reportWords) > 0 || hasAny(fold(slug(t.doc.URL)), reportWords) > 0
	incident := hasAny(t.title, incidentWords) > 0 || hasAny(fold(slug(t.doc.URL)), incidentWords) > 0
	other := hasAny(t.title, otherWords) > 0 || !named && hasAny(t.title, laterWords) > 0
	if other && t.points < 2 {
		return false, "its title is that of a guide, a plan or an announcement, and it names no times"
	}
	own := t.count(ownWords)
	stated := len(t.stated)
	points := min(stated, 5)
	switch {
	case named:
		points += 3
	case incident:
		points += 2
	}
	if other {
		points -= 4
	}
	if t.runTo > 0 {
		points += 2
	}
	if t.points >= 2 {
		points++
	}
	points += min(2, failures/3)
	if own >= 2 {
		points++
	}
	points -= t.against()
	told := t.toldParts()
	story := own >= 2 && told >= minTold && t.points > 0 // told without headings
	if story {
		points += 3
	}
	if !named && !incident && stated < 3 && t.runTo == 0 && !story {
		return false, "neither its title nor its parts are those of a report"
	}
	if own == 0 && stated < 3 && t.runTo == 0 {
		return false, "it tells of somebody else's incident"
	}
	reason := fmt.Sprintf("%d of %d points: %d parts, %d clock times, %d words of failure", points, enough, stated, t.points, failures)
	return points >= enough, reason
}

// against counts what other kinds of documents have: instructions, advisories, releases, advertisements, announcements.
func (t *studied) against() int {
	n := 0
	total := max(1, len(strings.Fields(t.text)))
	if instructions := t.count(instructionWords); instructions >= 4 && instructions*150 > total {
		n += 3
	}
	if hasAny(t.text, advisoryWords) >= 3 {
		n += 4
	}
	if hasAny(t.text, releaseWords) >= 3 {
		n += 3
	}
	if hasAny(t.text, salesWords) >= 2 {
		n += 3
	}
	if hasAny(t.text, announcementWords) >= 2 {
		n += 3
	}
	return n
}

// count counts every place where one of the words stands.
func (t *studied) count(list []string) int {
	n, padded := 0, " "+t.text+" "
	for _, w := range list {
		n += strings.Count(padded, " "+w+" ")
	}
	return n
}

// isTemplate says whether the places for facts are empty: more placeholders than clock times, or most parts without content.
func (t *studied) isTemplate() bool {
	if hasAny(t.title, templateWords) > 0 && t.points < minRun {
		return true
	}
	return t.templates >= minTemplates && t.templates > t.points || t.empty >= 3 && t.empty > len(t.stated)
}

// placeholders counts what a template has where a report has facts.
func placeholders(text string) int {
	n := 0
	for _, p := range []string{"YYYY-MM-DD", "JJJJ-MM-TT", "AAAA-MM-JJ", "HH:MM", "XX:XX", "hh:mm", "{{", "TBD", "TODO", "INC-XXX", "XXX-", "JJ/MM/AAAA", "TT.MM.JJJJ", "DD/MM/YYYY", "MM/DD/YYYY"} {
		n += strings.Count(text, p)
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '[' && text[i] != '<' {
			continue
		}
		end := strings.IndexByte(text[i:min(len(text), i+120)], closing(text[i]))
		if end < 3 {
			continue
		}
		inside := text[i+1 : i+end]
		if after := i + end + 1; isBlank(inside) && (after >= len(text) || text[after] != '(' && text[after] != '[') {
			n++
		}
		i += end
	}
	return n
}

func closing(b byte) byte {
	if b == '<' {
		return '>'
	}
	return ']'
}

// isBlank says whether what stands in brackets asks the writer for words: letters and spaces, beginning with a capital or
// with a verb of asking.
func isBlank(inside string) bool {
	folded := fold(inside)
	if n := len(strings.Fields(folded)); n == 0 || n > 14 || strings.ContainsAny(inside, "=\"@&0123456789") {
		return false
	}
	first := inside[0]
	if strings.Contains(inside, "://") || len(inside) < 4 {
		return false
	}
	return first >= 'A' && first <= 'Z' || hasAny(folded, []string{"insert", "describe", "fill", "your", "name", "link", "e g", "beschreiben", "einfuegen", "decrire", "indiquer"}) > 0
}

// slug is the last part of an address.
func slug(address string) string {
	address, _, _ = strings.Cut(address, "?")
	address, fragment, _ := strings.Cut(address, "#")
	address = strings.TrimRight(address, "/")
	return address[strings.LastIndexByte(address, '/')+1:] + " " + fragment[strings.LastIndexByte(fragment, '/')+1:]
}

// incident returns the id or address of the incident that the report names.
func (t *studied) incident() string {
	for _, b := range t.doc.Blocks {
		if len(b.Text) > 0 && len(b.Text) < 200 && hasAny(fold(b.Label), idLabels) > 0 {
			if id := incidentID(b.Text); id != "" {
				return id
			}
		}
	}
	for _, l := range t.doc.Links {
		if isIncidentAddress(l.URL) && l.URL != t.doc.URL {
			return cut(l.URL, 300)
		}
	}
	for _, b := range t.doc.Blocks {
		if m := ticket.FindStringSubmatch(b.Label + " " + b.Text); m != nil {
			return m[1]
		}
	}
	if m := ticket.FindStringSubmatch(t.doc.Title); m != nil {
		return m[1]
	}
	return ""
}

// components returns what the report says was affected.
func (t *studied) components() []string {
	var out []string
	add := func(text string) {
		for _, c := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;/|•", r) }) {
			c = strings.Trim(clean(c), " .-*")
			if n := len(strings.Fields(c)); n > 0 && n <= 5 && len(c) <= 60 && len(out) < 20 && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	for i, b := range t.doc.Blocks {
		switch {
		case b.Kind != Heading && hasAny(fold(b.Label), componentLabels) > 0 && b.Text != "":
			add(b.Text)
		case b.Kind == Heading && hasAny(fold(b.Text), componentLabels) > 0, b.Text == "" && hasAny(fold(b.Label), componentLabels) > 0:
			for _, item := range t.doc.Blocks[i+1:] {
				if item.Kind != Item {
					break
				}
				add(strings.TrimSpace(item.Label + " " + item.Text))
			}
		}
	}
	return out
}
