package conformance

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest text of a stranger that is kept in a fact, in bytes. Names of tests and titles are shorter by far.
const longText = 512

// oneLine returns what a stranger wrote as one line for people: without control and formatting characters (they steer terminals
// and turn text around), valid UTF-8, at most longText bytes.
func oneLine(s string) string {
	if len(s) > 4*longText {
		s = s[:4*longText]
	}
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			continue
		}
		if b.Len()+utf8.RuneLen(r)+1 > longText {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// examples of a long list that are kept, to be shown; the count is kept beside them.
const mostExamples = 20

// example appends to a bounded list.
func example(list []string, s string) []string {
	if len(list) >= mostExamples {
		return list
	}
	return append(list, oneLine(s))
}

// named joins examples of n things for a sentence.
func named(list []string, n int) string {
	const shown = 3
	if len(list) > shown {
		list = list[:shown]
	}
	s := strings.Join(list, "; ")
	if n > len(list) && len(list) > 0 {
		s += "; …"
	}
	return s
}
