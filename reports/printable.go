package reports

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown bounds one string of a text or HTML report, in characters; real reasons have a few hundred.
const maxShown = 1000

// printable returns s with every character that is invisible, moves the cursor or turns the direction of writing shown as
// a marker such as ⟦U+202E⟧, and cut to maxShown characters. Line breaks count as such: a name has none.
func printable(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	shown := 0
	for i := 0; i < len(s); {
		if shown == maxShown {
			fmt.Fprintf(&b, "… (%d more characters)", utf8.RuneCountInString(s[i:]))
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "⟦byte %02X⟧", s[i])
		case hidden(r):
			fmt.Fprintf(&b, "⟦U+%04X⟧", r)
		default:
			b.WriteRune(r)
		}
		i += size
		shown++
	}
	return b.String()
}

func plain(s string) bool {
	if len(s) > maxShown {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// hidden reports whether a character cannot be seen as itself: control and format characters (bidirectional marks, zero
// width, tags), line and paragraph separators, odd spaces, private use, variation selectors and fillers.
func hidden(r rune) bool {
	switch r {
	case ' ':
		return false
	case 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800: // drawn as nothing
		return true
	}
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Zs, unicode.Variation_Selector)
}

// shown returns a copy of v in which every string is printable.
func shown[T any](v T) T {
	return copyOf(copier{text: func(_, s string) string { return printable(s) }}, v)
}
