package statuspage

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths of texts that are kept, in bytes.
const (
	mostTitle = 300
	mostName  = 200
	mostURL   = 2000
)

// short returns a text without control characters, on one line, cut at a length.
func short(s string, most int) string {
	if len(s) <= most && plain(s) {
		return s
	}
	if len(s) > 4*most { // no need to look at all of a huge one
		s = s[:4*most]
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// plain reports whether a text is printable ASCII on one line, without spaces at its ends or two in a row.
func plain(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && last == ' ' {
			return false
		}
		last = s[i]
	}
	return last != ' ' || s == ""
}

// text is a JSON string; numbers are read as they are written, anything else as nothing. It never fails.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	if n := len(data); n >= 2 && data[0] == '"' && bytes.IndexByte(data, '\\') < 0 && utf8.Valid(data) { // most are
		*t = text(data[1 : n-1])
		return nil
	}
	var s string
	var n json.Number
	switch {
	case len(data) > 0 && data[0] == '"' && json.Unmarshal(data, &s) == nil:
		*t = text(s)
	case json.Unmarshal(data, &n) == nil:
		*t = text(n)
	}
	return nil
}

// list is a JSON list; null and anything that is none is an empty one. Set says that a list stands there.
type list[T any] struct {
	items []T
	set   bool
}

// UnmarshalJSON never fails; elements of another shape are left out.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	*l = list[T]{}
	if len(data) == 0 || data[0] != '[' {
		return nil
	}
	l.set = true
	if json.Unmarshal(data, &l.items) == nil {
		return nil
	}
	var raw []json.RawMessage
	l.items = nil
	if json.Unmarshal(data, &raw) != nil {
		return nil
	}
	for _, r := range raw {
		var item T
		if json.Unmarshal(r, &item) == nil {
			l.items = append(l.items, item)
		}
	}
	return nil
}
