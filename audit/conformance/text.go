package conformance

import (
	"strconv"
	"strings"
	"unicode"
)

// mostText bounds a name or sentence of strangers.
const mostText = 200

// plain drops from text of strangers what could steer a terminal or hide what is written, and bounds it.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > mostText {
		return string(r[:mostText-3]) + "..."
	}
	return s
}

// some joins the first names of a list, and says how many more there are.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:shown], ", ") + " and " + strconv.Itoa(len(names)-shown) + " more"
}
