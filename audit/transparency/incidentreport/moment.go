package incidentreport

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moment is a point in time as a text names it: a date, a clock time, or both.
type moment struct {
	date   time.Time // midnight; zero: not said
	clock  int       // minutes since midnight; -1: not said
	zone   *int      // minutes east of UTC; nil: not said
	at     int       // place in the text
	end    int
	noYear bool // the date lacks the year; its year is 0
}

func (m moment) hasDate() bool  { return !m.date.IsZero() }
func (m moment) hasClock() bool { return m.clock >= 0 }

const monthNames = `jan(?:uary|uar|\.)?|j[aä]n(?:ner)?|janvier|feb(?:ruary|ruar|\.)?|f[eé]vrier|f[eé]v\.?|mar(?:ch|s|\.)?|m[aä]rz|m[aä]r\.?|apr(?:il|\.)?|avril|avr\.?|may|mai|june?|juni|juin|july?|juli|juillet|aug(?:ust|\.)?|ao[uû]t|sep(?:tember|tembre|t)?\.?|o[ck]t(?:ober|obre|\.)?|nov(?:ember|embre|\.)?|dec(?:ember|\.)?|dez(?:ember|\.)?|d[eé]c(?:embre|\.)?`

const clockForm = `(\d{1,2}):(\d{2})(?::\d{2})?(?:[.,]\d{1,9})?(?:\s*([ap]\.?m\b\.?))?|(\d{1,2})[\x{a0} ]?h[\x{a0} ]?(\d{2})\b|(\d{1,2})h\b|(\d{1,2})(?:\.(\d{2}))?\s*uhr\b|(\d{1,2})\s*([ap]\.?m\b)`

var (
	isoDate    = regexp.MustCompile(`\b((?:19|20)\d{2})[-/](\d{1,2})[-/](\d{1,2})`)
	dottedDate = regexp.MustCompile(`\b(\d{1,2})\.\s?(\d{1,2})\.\s?((?:19|20)?\d{2})?\b`)
	slashDate  = regexp.MustCompile(`\b(\d{1,2})/(\d{1,2})/((?:19|20)\d{2})\b`)
	dayMonth   = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th|er|\.)?\s*(?:of\s+)?[\s-](` + monthNames + `)\b\.?,?(?:[\s-]+((?:19|20)\d{2})\b)?`)
	monthDay   = regexp.MustCompile(`(?i)\b(` + monthNames + `)\b\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+((?:19|20)\d{2})\b)?`)
	clockTime  = regexp.MustCompile(`(?i)` + clockForm)
	zoneName   = regexp.MustCompile(`^\s*(?:Uhr\s*)?\(?(UTC|GMT|Z|BST|CEST|CET|MESZ|MEZ|EST|EDT|ET|CST|CDT|PST|PDT|PT|MST|MDT|JST)?\)?\s*(?:([+-])(\d{1,2}):?(\d{2})?\b)?`)
)

// Zones that reports name, in minutes east of UTC. ET and PT are read as standard time.
var zones = map[string]int{
	"UTC": 0, "GMT": 0, "Z": 0, "BST": 60, "CET": 60, "MEZ": 60, "CEST": 120, "MESZ": 120, "EST": -300, "ET": -300, "EDT": -240,
	"CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PT": -480, "PDT": -420, "JST": 540,
}

// moments finds the points in time of a text, in order.
func moments(text string) []moment {
	if !strings.ContainsAny(text, "0123456789") {
		return nil
	}
	text = cut(text, maxBlock)
	dates := datesOf(text)
	clocks := clocksOf(text)
	var out []moment
	for len(dates) > 0 || len(clocks) > 0 {
		switch {
		case len(dates) == 0, len(clocks) > 0 && clocks[0].end <= dates[0].at:
			c := clocks[0]
			clocks = clocks[1:]
			if len(dates) > 0 && near(text, c.end, dates[0].at) && !follows(out, c, text) { // 10:15 on 3 March 2024
				c.date, c.noYear, c.end = dates[0].date, dates[0].noYear, dates[0].end
				dates = dates[1:]
			}
			out = append(out, c)
		default:
			d := dates[0]
			dates = dates[1:]
			if len(clocks) > 0 && clocks[0].at >= d.end && near(text, d.end, clocks[0].at) {
				d.clock, d.zone, d.end = clocks[0].clock, clocks[0].zone, clocks[0].end
				clocks = clocks[1:]
			}
			if len(clocks) > 0 && clocks[0].at < d.end { // a clock time inside a date is none
				clocks = clocks[1:]
			}
			out = append(out, d)
		}
	}
	return out
}

// follows says whether the moment before a clock time already has a date that it shares: "2024-03-03 10:15 - 11:00".
func follows(out []moment, c moment, text string) bool {
	return len(out) > 0 && out[len(out)-1].hasDate() && c.at-out[len(out)-1].end < 12
}

// near says whether only small words stand between a date and its clock time.
func near(text string, from, to int) bool {
	if to < from || to-from > 16 {
		return false
	}
	for w := range strings.FieldsSeq(fold(text[from:to])) {
		switch w {
		case "t", "at", "on", "um", "gegen", "ab", "circa", "ca", "a", "vers", "around", "about", "approximately", "utc", "le", "am", "from", "von", "de", "the":
		default:
			return false
		}
	}
	return !strings.ContainsAny(text[from:to], "()|;")
}

func datesOf(text string) []moment {
	var out []moment
	add := func(span []int, year, month, day string, noYear bool) {
		y, _ := strconv.Atoi(year)
		if y > 0 && y < 100 {
			y += 2000
		}
		d, _ := strconv.Atoi(day)
		m, _ := strconv.Atoi(month)
		if m == 0 {
			m = monthOf(month)
		}
		date := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		if m < 1 || m > 12 || d < 1 || date.Day() != d && !noYear || !noYear && !plausible(date) {
			return
		}
		for _, o := range out {
			if span[0] < o.end && o.at < span[1] {
				return
			}
		}
		out = append(out, moment{date: date, clock: -1, at: span[0], end: span[1], noYear: noYear})
	}
	group := func(m []int, i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return text[m[2*i]:m[2*i+1]]
	}
	each := func(re *regexp.Regexp, year, month, day int) {
		for _, m := range re.FindAllStringSubmatchIndex(text, 200) {
			y := group(m, year)
			if y == "" && (m[1] < len(text) && text[m[1]] >= '0' && text[m[1]] <= '9' || m[0] > 0 && text[m[0]-1] == '.') { // 1.2.3 is a version
				continue
			}
			add(m[:2], y, group(m, month), group(m, day), y == "")
		}
	}
	each(isoDate, 1, 2, 3)
	each(dottedDate, 3, 2, 1)
	for _, m := range slashDate.FindAllStringSubmatchIndex(text, 200) { // 31/12/2024; 12/31/2024 where only that can be meant
		day, month := group(m, 1), group(m, 2)
		if n, _ := strconv.Atoi(month); n > 12 {
			day, month = month, day
		}
		add(m[:2], group(m, 3), month, day, false)
	}
	each(dayMonth, 3, 2, 1)
	each(monthDay, 3, 1, 2)
	sortMoments(out)
	return out
}

// monthOf reads the name of a month in English, German or French by its first letters.
func monthOf(name string) int {
	f := fold(name)
	for _, m := range []struct {
		prefix string
		month  int
	}{
		{"ja", 1}, {"f", 2}, {"mar", 3}, {"maer", 3}, {"apr", 4}, {"avr", 4}, {"may", 5}, {"mai", 5}, {"juin", 6}, {"jun", 6}, {"jui", 7}, {"jul", 7},
		{"au", 8}, {"ao", 8}, {"s", 9}, {"o", 10}, {"n", 11}, {"d", 12},
	} {
		if strings.HasPrefix(f, m.prefix) {
			return m.month
		}
	}
	return 0
}

func clocksOf(text string) []moment {
	var out []moment
	for _, m := range clockTime.FindAllStringSubmatchIndex(text, 400) {
		g := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		if m[0] > 0 && (isWord(text[m[0]-1]) && text[m[0]-1] != 'T' || text[m[0]-1] == ':' || text[m[0]-1] == '.') {
			continue
		}
		if m[1] < len(text) && (text[m[1]] == ':' || isWord(text[m[1]]) && text[m[1]] != 'Z') && g(1) != "" {
			continue
		}
		hour, minute, half := g(1)+g(4)+g(6)+g(7)+g(9), g(2)+g(5)+g(8), strings.ToLower(g(3)+g(10))
		h, _ := strconv.Atoi(hour)
		n, _ := strconv.Atoi(minute)
		switch {
		case strings.HasPrefix(half, "p") && h < 12:
			h += 12
		case strings.HasPrefix(half, "a") && h == 12:
			h = 0
		}
		if h > 23 || n > 59 || g(6) != "" && !strings.Contains(" a vers des jusqu ", " "+lastWord(text[:m[0]])+" ") {
			continue // 24h is a duration, "à 14h" is a time
		}
		c := moment{clock: h*60 + n, at: m[0], end: m[1]}
		c.zone, c.end = zoneAt(text, m[1])
		out = append(out, c)
	}
	return out
}

func isWord(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func lastWord(text string) string {
	words := strings.Fields(fold(text[max(0, len(text)-24):]))
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// zoneAt reads the zone that follows a clock time.
func zoneAt(text string, at int) (*int, int) {
	m := zoneName.FindStringSubmatch(text[at:])
	if m == nil || m[1] == "" && m[2] == "" || m[1] == "" && len(m[3])+len(m[4]) < 4 {
		return nil, at
	}
	offset := zones[m[1]]
	if m[2] != "" {
		h, _ := strconv.Atoi(m[3])
		n, _ := strconv.Atoi(m[4])
		if h > 14 || n > 59 {
			return nil, at
		}
		shift := h*60 + n
		if m[2] == "-" {
			shift = -shift
		}
		offset += shift
	}
	return &offset, at + len(m[0])
}

func sortMoments(list []moment) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].at < list[j-1].at; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// beginsWithMoment says whether a line begins with a clock time, or with a date and a clock time, as entries of timelines do.
func beginsWithMoment(line string) bool {
	head := strings.TrimLeft(cut(line, 60), "*_`[(|~ -")
	list := moments(head)
	for _, m := range list {
		if m.hasClock() && m.at < 24 {
			return true
		}
		if m.at > 2 {
			return false
		}
	}
	return false
}
