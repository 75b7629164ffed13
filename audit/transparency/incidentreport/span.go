package incidentreport

import (
	"strings"
	"time"
)

// Labels, folded, that say when an incident began and ended.
var (
	beginLabels = []string{
		"start", "start time", "started", "started at", "start date", "begin", "began", "beginning", "incident start", "impact start", "outage start", "first detected", "fault occurs", "fault detected", "incident began", "incident started", "from", "detected", "time of detection", "start of incident", "time started", "detection",
		"beginn", "stoerungsbeginn", "anfang", "von", "start der stoerung", "festgestellt", "entdeckt", "eintritt", "ausfallbeginn",
		"debut", "date de debut", "debut de l incident", "heure de debut", "detecte", "de",
	}
	endLabels = []string{
		"end", "end time", "ended", "ended at", "end date", "resolved", "resolved at", "incident resolved", "incident ended", "resolution time", "repaired", "restored", "recovered", "incident end", "impact end", "outage end", "time resolved", "closed", "until", "to", "time of resolution", "end of incident",
		"ende", "stoerungsende", "behoben", "bis", "behoben um", "behoben am", "wiederhergestellt", "ausfallende", "entstoert",
		"fin", "date de fin", "fin de l incident", "heure de fin", "resolu", "resolu le", "retabli", "retablissement", "a",
	}
	spanLabels = []string{
		"date", "dates", "time", "when", "duration", "date time", "date and time", "incident date", "period", "outage period", "outage window", "time window", "window", "date of incident", "day", "timeframe", "incident window", "downtime",
		"datum", "zeit", "zeitraum", "dauer", "wann", "zeitpunkt", "uhrzeit", "zeitfenster", "ausfallzeit", "datum und uhrzeit", "stoerungszeitraum",
		"duree", "quand", "periode", "date de l incident", "horaires", "plage", "date et heure", "creneau",
	}
	endWords = []string{
		"resolved", "restored", "recovered", "back to normal", "back online", "fixed", "mitigated", "over", "closed", "healthy", "all clear", "working again", "back up", "recovers", "resolves", "recovery", "repaired", "operational", "ended", "complete",
		"behoben", "wiederhergestellt", "wieder", "entwarnung", "beendet", "ende", "abgeschlossen", "normalbetrieb", "entstoert",
		"retabli", "retablie", "retablis", "resolu", "retour a la normale", "fin", "termine", "retablissement", "operationnel",
	}
)

// incidentDay is the day that a report is about, for clock times without a date: that of a label, of the title, of the first
// date in the text, of the address, or of the day it was published.
func (t *studied) incidentDay() time.Time {
	for _, b := range t.doc.Blocks {
		if b.Kind != Heading && (hasWhole(b.Label, spanLabels) || hasWhole(b.Label, beginLabels)) {
			if day := t.firstDay(b.Text); !day.IsZero() {
				return day
			}
		}
	}
	if day := t.firstDay(t.doc.Title); !day.IsZero() {
		return day
	}
	for _, b := range t.doc.Blocks {
		if day := t.firstDay(b.Label + " " + b.Text); !day.IsZero() && !hasWhole(b.Label, []string{"author", "authors", "last updated", "published", "date of creation", "date de creation", "derniere modification"}) {
			return day
		}
	}
	if day := t.firstDay(slug(t.doc.URL)); !day.IsZero() {
		return day
	}
	return t.doc.Published.Truncate(24 * time.Hour)
}

func (t *studied) firstDay(text string) time.Time {
	for _, m := range moments(text) {
		if day := t.dated(m); !day.IsZero() {
			return day
		}
	}
	return time.Time{}
}

// dated returns the day of a moment; one without a year takes it from the publication or the address.
func (t *studied) dated(m moment) time.Time {
	if !m.hasDate() || !m.noYear {
		return m.date
	}
	near := t.doc.Published
	if near.IsZero() {
		near = t.day
	}
	if near.IsZero() {
		for _, s := range []string{t.doc.Title, slug(t.doc.URL)} {
			for _, o := range moments(s) {
				if o.hasDate() && !o.noYear {
					near = o.date
				}
			}
		}
	}
	if near.IsZero() {
		return time.Time{}
	}
	day := time.Date(near.Year(), m.date.Month(), m.date.Day(), 0, 0, 0, 0, time.UTC)
	if day.After(near.AddDate(0, 6, 0)) { // told in January of a day in December
		day = day.AddDate(-1, 0, 0)
	}
	return day
}

func hasWhole(label string, list []string) bool {
	folded := fold(label)
	for _, w := range list {
		if folded == w || folded == w+" utc" || folded == w+" cet" || folded == w+" cest" || folded == w+" uhr" {
			return true
		}
	}
	return false
}

// span returns when the incident began and ended, as far as the report says so: by labels, by a sentence that names a span,
// by the first and the last entry of the timeline. A day alone gives the begin only, as its midnight.
func (t *studied) span() (begin, end time.Time) {
	b, e := t.labelled()
	if b.IsZero() || e.IsZero() {
		tb, te := t.fromTimeline()
		if b.IsZero() {
			b = tb
		}
		if e.IsZero() && !te.IsZero() && !te.Before(b) {
			e = te
		}
	}
	if b.IsZero() || e.IsZero() {
		if sb, se := t.spanned(t.doc.Title); !se.IsZero() {
			b, e = sb, se
		}
		for _, block := range t.doc.Blocks {
			if !e.IsZero() {
				break
			}
			if sb, se := t.spanned(block.Label + " " + block.Text); !se.IsZero() && (b.IsZero() || sb.Sub(b).Abs() < 48*time.Hour) {
				b, e = sb, se
			}
		}
	}
	if b.IsZero() {
		b = t.day
	}
	if e.Before(b) {
		e = time.Time{}
	}
	if e.Sub(b) > 120*24*time.Hour { // no incident: a date from elsewhere
		e = time.Time{}
	}
	return b, e
}

// labelled reads "Start: ...", "End: ..." and "Date: ... from ... to ...".
func (t *studied) labelled() (begin, end time.Time) {
	for i, b := range t.doc.Blocks {
		text := b.Text
		if b.Kind == Heading {
			if !hasWhole(b.Text, spanLabels) || i+1 >= len(t.doc.Blocks) {
				continue
			}
			text = t.doc.Blocks[i+1].Text
		}
		switch {
		case b.Kind == Heading, hasWhole(b.Label, spanLabels):
			if sb, se := t.spanned(text); !se.IsZero() && begin.IsZero() {
				begin, end = sb, se
			}
		case hasWhole(before(b, t.moments[i]), beginLabels):
			if at := t.first(b.Label + " " + text); !at.IsZero() && (begin.IsZero() || at.Before(begin)) {
				begin = at
			}
		case hasWhole(before(b, t.moments[i]), endLabels):
			if at := t.first(b.Label + " " + text); at.After(end) {
				end = at
			}
		}
	}
	return begin, end
}

// before returns the label of a block, or what stands before its first moment: "Resolved 2020-02-12 12:07".
func before(b Block, list []moment) string {
	if b.Label != "" || len(list) == 0 {
		return b.Label
	}
	at := list[0].at - 1 // the text was measured with the space after an empty label
	if at <= 0 || at > 40 || at > len(b.Text) {
		return ""
	}
	return b.Text[:at]
}

// first returns the first moment of a text that has a clock time.
func (t *studied) first(text string) time.Time {
	for _, m := range moments(text) {
		if !m.hasClock() {
			continue
		}
		day := t.dated(m)
		if day.IsZero() {
			day = t.day
		}
		return t.point(day, m)
	}
	return time.Time{}
}

// spanned reads two moments that a text joins: from A to B, between A and B, A - B, von A bis B, de A à B, entre A et B.
func (t *studied) spanned(text string) (begin, end time.Time) {
	list := moments(text)
	day, zone := t.day, (*int)(nil)
	for i := 0; i+1 < len(list); i++ {
		a, b := list[i], list[i+1]
		if d := t.dated(a); !d.IsZero() {
			day = d
		}
		if !a.hasClock() || !b.hasClock() || b.at < a.end || !joins(text[a.end:b.at]) || day.IsZero() {
			continue
		}
		endDay := day
		if d := t.dated(b); !d.IsZero() {
			endDay = d
			if !a.hasDate() && t.dated(a).IsZero() {
				day = d
			}
		}
		if zone = b.zone; a.zone == nil {
			a.zone = zone
		}
		begin, end = t.point(day, a), t.point(endDay, b)
		if end.Before(begin) && endDay.Equal(day) {
			end = end.AddDate(0, 0, 1)
		}
		if end.Before(begin) {
			continue
		}
		return begin, end
	}
	return time.Time{}, time.Time{}
}

// joins says whether the words between two moments make a span of them.
func joins(between string) bool {
	if len(between) > 24 {
		return false
	}
	folded := fold(between)
	if folded == "" {
		return strings.ContainsAny(between, "-–—→>~")
	}
	switch folded {
	case "to", "until", "till", "and", "bis", "und", "a", "et", "jusqu a", "through", "utc to", "utc until", "utc and", "uhr bis", "uhr und", "uhr", "to about", "until about", "bis ca", "bis gegen", "to approximately", "to around", "utc":
		return true
	}
	return false
}

// fromTimeline returns the first moment of the timeline and the last that tells of the end, or simply the last.
func (t *studied) fromTimeline() (begin, end time.Time) {
	from, to := t.from, t.to
	if t.timed(from, to) < 2 && t.runTo > 0 {
		from, to = t.runFrom, t.runTo
		for i := from - 1; i >= 0 && i >= from-4; i-- { // the heading above may name the day
			if day := t.firstDay(t.doc.Blocks[i].Text); !day.IsZero() {
				t.day = day
				break
			}
		}
	}
	day, last, many := t.day, time.Time{}, t.timed(from, to) >= minRun
	for i := from; i < to; i++ {
		b := t.doc.Blocks[i]
		text := strings.TrimSpace(b.Label + " " + b.Text)
		if b.Kind == Code || many && !t.timedAt[i] && t.firstDay(cut(text, 40)).IsZero() {
			continue
		}
		for _, m := range moments(cut(text, 80)) {
			if d := t.dated(m); !d.IsZero() {
				day = d
			}
			if !m.hasClock() || day.IsZero() {
				continue
			}
			at := t.point(day, m)
			if !last.IsZero() && !m.hasDate() && last.Sub(at) > 6*time.Hour {
				day = day.AddDate(0, 0, 1)
				at = at.AddDate(0, 0, 1)
			}
			if begin.IsZero() {
				begin = at
			}
			last = at
			if hasAny(fold(text), endWords) > 0 {
				end = at
			}
			break
		}
	}
	if end.IsZero() && last.After(begin) {
		end = last
	}
	if !begin.Before(end) {
		end = time.Time{}
	}
	return begin, end
}

// point puts a clock time on a day. A time without a zone takes the only one that the document names, else UTC.
func (t *studied) point(day time.Time, m moment) time.Time {
	zone := m.zone
	if zone == nil {
		zone = t.zone
	}
	at := day.Add(time.Duration(m.clock) * time.Minute)
	if zone != nil {
		at = at.Add(-time.Duration(*zone) * time.Minute)
	}
	return at
}

// zoneNamed is the zone that the document names for all its times: in a heading or label such as "Timeline (UTC)", or the first
// one that follows a clock time.
func (t *studied) zoneNamed() *int {
	for _, b := range t.doc.Blocks {
		if b.Kind == Heading || b.Kind == Row || b.Kind == Text && len(strings.Fields(b.Text)) < 12 { // "All times in CET."
			for w := range strings.FieldsFuncSeq(b.Text+" "+b.Label, func(r rune) bool { return r < 'A' || r > 'Z' }) {
				if z, ok := zones[w]; ok && len(w) >= 3 {
					return &z
				}
			}
		}
	}
	for _, found := range t.moments {
		for _, m := range found {
			if m.zone != nil {
				return m.zone
			}
		}
	}
	return nil
}
