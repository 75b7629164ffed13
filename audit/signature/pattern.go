package signature

import "strings"

// matchList reports whether a name matches a list of patterns as ssh_config(5) has them: * and ?, and ! before a pattern
// excludes what it matches.
func matchList(name, list string) bool {
	matched := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !match(name, pattern) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// match compares a name with one pattern, in time that grows with the product of their lengths at most.
func match(name, pattern string) bool {
	star, mark, n, p := -1, 0, 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// printable replaces control characters, so that text of strangers cannot steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func shorten(s string) string {
	if len(s) > 64 {
		s = s[:64] + "..."
	}
	return printable(s)
}
