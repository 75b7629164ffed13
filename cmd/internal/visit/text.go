package visit

import (
	"strings"
	"unicode"
)

// line makes text of strangers fit to be shown: one line, nothing that controls a terminal or turns the order of letters, at
// most n bytes.
func line(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "") + "..."
	}
	return strings.TrimSpace(text)
}
