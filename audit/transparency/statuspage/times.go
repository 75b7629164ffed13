package statuspage

import (
	"strings"
	"time"
)

// layouts are the ways in which status pages write a moment, those with a zone first. Without a zone a moment is read as UTC,
// which its adapter says.
func layouts() []string {
	return []string{
		time.RFC3339Nano,
		"2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02 15:04:05.999999999 -0700 MST", // Go's own, as Hugo writes it (cState)
		"2006-01-02 15:04:05 -0700",
		"2006-01-02 15:04:05 MST",
		"2006-01-02 15:04 MST",
		"2006-01-02 15:04:05Z07:00",
		"Mon, 2 Jan 2006 15:04:05 -0700", // RFC 2822
		"Mon, 2 Jan 2006 15:04:05 MST",
		"Mon, 2 Jan 2006 15:04 -0700",
		"2 Jan 2006 15:04:05 -0700",
		"2 Jan 2006 15:04:05 MST",
		"Mon Jan 2 2006 15:04:05 GMT-0700", // JavaScript (Instatus)
		"2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04",
		"2006-01-02 15:04",
		time.DateOnly,
	}
}

// moment reads a moment, UTC and whole seconds. The zero time says that nothing stands there, or nothing that can be read; ok
// tells the two apart.
func moment(s string) (t time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || s == "null" || s == "<nil>" || strings.HasPrefix(s, "0001-01-01") {
		return time.Time{}, true
	}
	if len(s) > 80 {
		return time.Time{}, false
	}
	if i := strings.IndexByte(s, '('); i > 0 { // "... GMT+0000 (Coordinated Universal Time)"
		s = strings.TrimSpace(s[:i])
	}
	for _, layout := range layouts() {
		t, err := time.Parse(layout, s)
		if err != nil || !known(t) {
			continue
		}
		t = t.UTC().Truncate(time.Second)
		if t.Year() < 1990 || t.Year() > 2200 { // no status page is older; a counter or a placeholder stands there
			return time.Time{}, false
		}
		return t, true
	}
	return time.Time{}, false
}

// known reports whether the zone of a moment was understood: for an abbreviation that it does not know Go makes up a zone
// without offset. The few that feeds use (RFC 822) mean UTC; others are hours away from it.
func known(t time.Time) bool {
	name, offset := t.Zone()
	switch name {
	case "", "UTC", "GMT", "UT", "Z":
		return true
	}
	return offset != 0 || strings.Trim(name, "+-0123456789") == ""
}

// stamp is a moment that a JSON answer writes as text. Numbers, objects and other texts are unread, not an error.
type stamp struct {
	time.Time
	odd bool // something stands there that is no moment
}

// UnmarshalJSON never fails.
func (s *stamp) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*s = stamp{}
		return nil
	}
	if len(text) < 2 || text[0] != '"' {
		*s = stamp{odd: true}
		return nil
	}
	t, ok := moment(strings.ReplaceAll(text[1:len(text)-1], `\/`, "/"))
	*s = stamp{Time: t, odd: !ok}
	return nil
}

func (s stamp) zero() bool { return s.Time.IsZero() && !s.odd }

// firstOf returns the first stamp in which something stands.
func firstOf(stamps ...stamp) stamp {
	for _, s := range stamps {
		if !s.zero() {
			return s
		}
	}
	return stamp{}
}
