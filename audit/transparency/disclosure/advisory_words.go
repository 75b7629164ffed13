package disclosure

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// advisoryID finds identifiers of vulnerabilities and advisories: CVE, OpenStack (OSSA, OSSN), GitHub (GHSA), Debian (DSA, DLA),
// Ubuntu (USN), Red Hat (RHSA), Xen (XSA), Go, PyPI and OSV.
var advisoryID = regexp.MustCompile(`(?i)\b(?:CVE-\d{4}-\d{4,7}|OSSA-\d{4}-\d{3}|OSSN[-/ ](?:OSSN-)?\d{4}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|D[SL]A-\d{3,5}-\d{1,2}|` +
	`USN-\d{3,5}-\d{1,2}|RHSA-\d{4}:\d{4,5}|XSA-\d{1,4}|GO-\d{4}-\d{4}|PYSEC-\d{4}-\d{1,6}|OSV-\d{4}-\d{1,6})\b`)

// idsIn returns the identifiers in a text, each once, as their makers write them.
func idsIn(text string) []string {
	var out []string
	if !strings.ContainsAny(text, "-/ ") { // which every one has inside
		return nil
	}
	for _, m := range advisoryID.FindAllString(text, 100) {
		if id := canonicalID(m); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func canonicalID(s string) string {
	up := strings.ToUpper(s)
	switch {
	case strings.HasPrefix(up, "GHSA"):
		return "GHSA" + strings.ToLower(s[4:])
	case strings.HasPrefix(up, "OSSN"):
		return "OSSN-" + up[len(up)-4:]
	}
	return up
}

// Words in front of a date, at the begin of a cell, a line or the head of a column, in English, German and French.
var (
	publishedLabel = regexp.MustCompile(`(?i)^(?:date|published|publication|release[d]?|issued|posted|initial release|veröffentlicht|erschienen|datum|publié|paru)`)
	fixedLabel     = regexp.MustCompile(`(?i)^(?:fix(?:ed)?\b|patch(?:ed)?\b|resolved|remediat|mitigated|deployed|rolled out|rollout|closed|behoben|gepatcht|geschlossen|eingespielt|ausgerollt|corrig|résolu|déployé)`)
	fixedPhrase    = regexp.MustCompile(`(?i)(?:fixed|patched|deployed|rolled out|resolved|mitigated|behoben|gepatcht|eingespielt|ausgerollt|corrigé\w*|déployé\w*)(?: (?:on|at|since|am|seit|le|depuis))(?: the)?:? `)
	affectedLabel  = regexp.MustCompile(`(?i)^(?:affected|affects|vulnerable (?:versions|products|services)|impacted|betroffen|versions? (?:affect|vuln|concern)|(?:produits|services|composants)[^.]{0,20} (?:affect|concern|touch))`)
	idLabel        = regexp.MustCompile(`(?i)^(?:cves?\b|cve[- ]ids?|ids?\b|identifiers?|alias(?:es)?|references? ids?|kennung|identifiants?|osv|ossa|ghsa|advisory)`)
)

// Ways to write a day that mean one day only. 01/02/2026 means two and is not read.
var (
	isoMoment = regexp.MustCompile(`\b(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)? ?(Z|UTC|[+-]\d{2}:?\d{2})?)?`)
	germanDay = regexp.MustCompile(`\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b`)
	dayMonth  = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th|er|\.)? (?:of )?([\p{L}]{3,9})\.?,? (\d{4})\b`)
	monthDay  = regexp.MustCompile(`(?i)\b([\p{L}]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b`)
	filedDay  = regexp.MustCompile(`(?:^|/)(\d{4})[-/](\d{2})[-/](\d{2})[-_/]`)
)

// months by the first letters of their names in three languages, longest first where one begins like another.
func month(name string) time.Month {
	name = strings.ToLower(name)
	for _, m := range []struct {
		month  time.Month
		begins []string
	}{
		{time.July, []string{"juil", "jul"}}, {time.June, []string{"juin", "jun"}}, {time.January, []string{"jan", "jän"}},
		{time.February, []string{"feb", "fév", "fev"}}, {time.March, []string{"mar", "mär", "mrz"}}, {time.April, []string{"apr", "avr"}},
		{time.May, []string{"may", "mai"}}, {time.August, []string{"aug", "aoû", "aou"}}, {time.September, []string{"sep"}},
		{time.October, []string{"oct", "okt"}}, {time.November, []string{"nov"}}, {time.December, []string{"dec", "dez", "déc"}},
	} {
		for _, b := range m.begins {
			if strings.HasPrefix(name, b) {
				return m.month
			}
		}
	}
	return 0
}

// moment is a point in time as a page gives it.
type moment struct {
	at  time.Time
	day bool // no hour or no time zone: any moment of that day somewhere on earth
}

// dateIn returns the first date in a text.
func dateIn(text string) (moment, bool) {
	text = text[:min(len(text), 4096)]
	if len(text) >= 20 && len(text) <= 35 && text[10] == 'T' { // what machines write: nothing else to look for
		if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() >= 1999 && t.Year() <= 2100 {
			return exactly(t), true
		}
	}
	best, where := moment{}, len(text)
	take := func(loc []int, m moment) {
		if loc[0] < where && m.at.Year() >= 1999 && m.at.Year() <= 2100 {
			best, where = m, loc[0]
		}
	}
	if loc := isoMoment.FindStringSubmatchIndex(text); loc != nil {
		take(loc, isoDate(text, loc))
	}
	if loc := germanDay.FindStringSubmatchIndex(text); loc != nil {
		take(loc, dayOf(text[loc[6]:loc[7]], month2(text[loc[4]:loc[5]]), text[loc[2]:loc[3]]))
	}
	if loc := dayMonth.FindStringSubmatchIndex(text); loc != nil {
		take(loc, dayOf(text[loc[6]:loc[7]], month(text[loc[4]:loc[5]]), text[loc[2]:loc[3]]))
	}
	if loc := monthDay.FindStringSubmatchIndex(text); loc != nil {
		take(loc, dayOf(text[loc[6]:loc[7]], month(text[loc[2]:loc[3]]), text[loc[4]:loc[5]]))
	}
	return best, !best.at.IsZero()
}

func month2(s string) time.Month {
	n, err := strconv.Atoi(s)
	if err != nil || n > 12 {
		return 0
	}
	return time.Month(n)
}

// dayOf returns a day, or nothing if the calendar has none such.
func dayOf(year string, m time.Month, day string) moment {
	y, errY := strconv.Atoi(year)
	d, errD := strconv.Atoi(day)
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if errY != nil || errD != nil || m == 0 || t.Day() != d || t.Month() != m {
		return moment{}
	}
	return moment{at: t, day: true}
}

// isoDate reads a date as ISO 8601 writes it; without hour or zone it is a day.
func isoDate(text string, loc []int) moment {
	part := func(i int) string {
		if loc[2*i] < 0 {
			return ""
		}
		return text[loc[2*i]:loc[2*i+1]]
	}
	m := dayOf(part(1), month2(part(2)), part(3))
	if m.at.IsZero() || part(4) == "" || part(6) == "" {
		return m
	}
	zone := strings.Replace(part(6), "UTC", "Z", 1)
	if len(zone) == 5 {
		zone = zone[:3] + ":" + zone[3:]
	}
	seconds := part(5)
	if seconds == "" {
		seconds = ":00"
	}
	exact, err := time.Parse(time.RFC3339, part(1)+"-"+part(2)+"-"+part(3)+"T"+part(4)+seconds+zone)
	if err != nil {
		return m
	}
	return exactly(exact)
}

// exactly is a moment with its time zone; midnight is how machines write a day.
func exactly(t time.Time) moment {
	t = t.UTC().Truncate(time.Second)
	return moment{at: t, day: t.Equal(t.Truncate(24 * time.Hour))}
}

// setPublished and setFixed take over a date; the first one counts, and the coarser of two decides how exact both are.
func setPublished(a *transparency.Advisory, m moment) {
	if a.Published.IsZero() && !m.at.IsZero() {
		a.Published, a.Days = m.at, a.Days || m.day
	}
}

func setFixed(a *transparency.Advisory, m moment) {
	if a.Fixed.IsZero() && !m.at.IsZero() {
		a.Fixed, a.Days = m.at, a.Days || m.day
	}
}

// addIDs takes over identifiers, each once, bounded.
func addIDs(a *transparency.Advisory, ids ...string) {
	for _, id := range ids {
		if !slices.Contains(a.IDs, id) && len(a.IDs) < 50 {
			a.IDs = append(a.IDs, id)
		}
	}
}
