package disclosure

import (
	"path"
	"strings"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// This file reads advisories from pages for people: HTML and Markdown.

// entry is one advisory, with the page that may say more about it.
type entry struct {
	transparency.Advisory
	detail string
}

// titleIDs are the identifiers that a page is about: those of its title, or of its first heading.
func titleIDs(p page) []string {
	if ids := idsIn(p.title); len(ids) > 0 {
		return ids
	}
	for _, l := range p.lines {
		if l.heading {
			return idsIn(l.text())
		}
	}
	return nil
}

// single reports whether a page is about one advisory, not a list of several.
func single(p page) bool {
	if len(titleIDs(p)) == 0 {
		return false
	}
	about := map[string]bool{}
	for _, l := range p.lines {
		if ids := idsIn(l.text()); l.heading && len(ids) > 0 {
			about[ids[0]] = true
		}
	}
	return len(about) <= 1
}

// readDetail reads the page of one advisory. filed is the day that its name or address gives, if any: it comes after what the
// page calls its date, and before the first date in its text.
func readDetail(p page, address string, filed moment) entry {
	e := entry{Advisory: transparency.Advisory{URL: webAddress(address)}}
	addIDs(&e.Advisory, titleIDs(p)...)
	if len(e.IDs) > 0 {
		e.ID = e.IDs[0]
	}
	var loose moment
	for _, l := range p.lines {
		labelled(&e.Advisory, l)
		if m, ok := dateIn(l.text()); ok && loose.at.IsZero() {
			loose = m
		}
	}
	setPublished(&e.Advisory, filed)
	setPublished(&e.Advisory, loose)
	return e
}

// filedOn returns the day in the name of a file or in an address, as blogs have it: 2024-07-23-name, /2024/07/23/name.
func filedOn(name string) moment {
	if m := filedDay.FindStringSubmatch(name); m != nil {
		return dayOf(m[1], month2(m[2]), m[3])
	}
	return moment{}
}

// labelled takes over what a line says behind one of the known words: "Date: 2026-01-15", a row "CVE | CVE-2026-22797".
func labelled(a *transparency.Advisory, l line) {
	label, value := "", ""
	if len(l.cells) >= 2 {
		label, value = l.cells[0], strings.Join(l.cells[1:], " ")
	} else if before, after, found := strings.Cut(l.text(), ":"); found && len(before) < 60 {
		label, value = strings.Trim(before, "*_ "), after
	}
	switch {
	case affectedLabel.MatchString(l.text()):
		a.Affected = true
	case idLabel.MatchString(label):
		addIDs(a, idsIn(value)...)
	case publishedLabel.MatchString(label):
		if m, ok := dateIn(value); ok {
			setPublished(a, m)
		}
	case fixedLabel.MatchString(label):
		if m, ok := dateIn(value); ok {
			setFixed(a, m)
		}
	default:
		if loc := fixedPhrase.FindStringIndex(l.text()); loc != nil {
			if m, ok := dateIn(l.text()[loc[1]:min(len(l.text()), loc[1]+40)]); ok {
				setFixed(a, m)
			}
		}
	}
}

// readList reads a page that lists advisories: headings with text below, list entries or rows. Where no line has an
// identifier, lines with a link and a date count.
func readList(p page, address string) []entry {
	r := listReader{address: address, place: map[string]int{}}
	for _, l := range p.lines {
		r.line(l)
	}
	if len(r.entries) > 0 {
		return r.entries
	}
	for _, l := range p.lines {
		m, ok := dateIn(l.text())
		if !ok || len(l.links) == 0 || l.links[0].text == "" {
			continue
		}
		e := r.entry(l, nil)
		setPublished(&e.Advisory, m)
		r.entries = append(r.entries, e)
	}
	return r.entries
}

// listReader holds the advisories of one list.
type listReader struct {
	address string
	entries []entry
	place   map[string]int // of an entry, by its first identifier
	open    int            // 1 + place of the entry whose text follows its heading; 0: none
	columns []string       // heads of the table
}

func (r *listReader) line(l line) {
	text := l.text()
	ids := idsIn(text)
	switch {
	case l.heading && len(ids) > 0:
		r.open = r.add(r.entry(l, ids), text) + 1
	case l.heading && r.open > 0 && !affectedLabel.MatchString(text) && !fixedLabel.MatchString(text) && !publishedLabel.MatchString(text) && len(l.links) > 0:
		r.open = 0
	case r.open > 0:
		labelled(&r.entries[r.open-1].Advisory, l)
		if a := &r.entries[r.open-1].Advisory; a.Published.IsZero() {
			if m, ok := dateIn(text); ok && len(text) < 60 {
				setPublished(a, m)
			}
		}
	case len(ids) == 0 && len(l.cells) > 1:
		r.columns = l.cells
	case len(ids) > 0 && (len(l.links) > 0 || len(l.cells) > 1 || len(text) < 300):
		i := r.add(r.entry(l, ids), "")
		r.row(&r.entries[i].Advisory, l)
	}
}

// add puts an entry into the list, together with what was said of it before.
func (r *listReader) add(e entry, heading string) int {
	key := e.IDs[0]
	i, known := r.place[key]
	if !known {
		r.place[key] = len(r.entries)
		r.entries = append(r.entries, e)
		i = len(r.entries) - 1
	} else {
		addIDs(&r.entries[i].Advisory, e.IDs...)
		if r.entries[i].detail == "" {
			r.entries[i].detail, r.entries[i].URL = e.detail, e.URL
		}
	}
	if m, ok := dateIn(heading); ok {
		setPublished(&r.entries[i].Advisory, m)
	}
	return i
}

// entry begins an advisory: its own name is the first identifier, or the last part of the address that the line links to.
func (r *listReader) entry(l line, ids []string) entry {
	e := entry{Advisory: transparency.Advisory{IDs: ids[:min(len(ids), 50)]}}
	for _, k := range l.links {
		to := resolve(r.address, k.href)
		if to == "" || to == r.address || len(ids) > 0 && len(idsIn(k.text+" "+k.href)) == 0 {
			continue
		}
		e.detail, e.URL = to, webAddress(to)
		break
	}
	switch {
	case len(ids) > 0:
		e.ID = ids[0]
	case e.detail != "":
		e.ID = clean(path.Base(strings.TrimRight(e.detail, "/")))
	default:
		e.ID = clean(l.text())
	}
	return e
}

// row reads the dates of a row by the heads of its columns, and otherwise takes the first date for that of publication.
func (r *listReader) row(a *transparency.Advisory, l line) {
	for i, cell := range l.cells {
		m, ok := dateIn(cell)
		head := ""
		if i < len(r.columns) && len(r.columns) == len(l.cells) {
			head = r.columns[i]
		}
		switch {
		case affectedLabel.MatchString(head) && cell != "":
			a.Affected = true
		case !ok:
		case fixedLabel.MatchString(head) || fixedLabel.MatchString(cell):
			setFixed(a, m)
		case len(l.cells) == 1 && fixedPhrase.MatchString(cell):
			labelled(a, l)
			if loc := fixedPhrase.FindStringIndex(cell); loc != nil {
				if before, found := dateIn(cell[:loc[0]]); found {
					setPublished(a, before)
				}
			}
		case head == "" || publishedLabel.MatchString(head):
			setPublished(a, m)
		}
	}
}
