package upstream

import (
	"regexp"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// isExpression reports whether s is an SPDX licence expression whose names are on the SPDX lists or are LicenseRefs. The
// grammar is our own and go-spdx sees single licences only: given whole expressions it panics on an open parenthesis at
// the end, and takes exponential time on some others. The caller bounds the length.
func isExpression(s string) bool {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "(", " ( "), ")", " ) ")
	rest, ok := expressionTail(strings.Fields(s))
	return ok && len(rest) == 0
}

// expressionTail reads terms joined by AND and OR, and returns what follows them.
func expressionTail(tokens []string) (rest []string, ok bool) {
	for {
		if tokens, ok = termTail(tokens); !ok {
			return nil, false
		}
		if len(tokens) == 0 || tokens[0] != "AND" && tokens[0] != "OR" {
			return tokens, true
		}
		tokens = tokens[1:]
	}
}

// termTail reads an expression in parentheses, or a licence with or without an exception.
func termTail(tokens []string) (rest []string, ok bool) {
	switch {
	case len(tokens) == 0:
		return nil, false
	case tokens[0] == "(":
		rest, ok = expressionTail(tokens[1:])
		if !ok || len(rest) == 0 || rest[0] != ")" {
			return nil, false
		}
		return rest[1:], true
	case len(tokens) > 2 && tokens[1] == "WITH":
		return tokens[3:], isLicence(tokens[0], tokens[2])
	}
	return tokens[1:], isLicence(tokens[0])
}

var licenceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*\+?$`)

// isLicence reports whether the SPDX lists know a licence, with an exception if a second name is given.
func isLicence(names ...string) bool {
	for _, name := range names {
		if !licenceName.MatchString(name) || name == NoAssertion {
			return false
		}
	}
	valid, _ := spdxexp.ValidateLicenses([]string{strings.Join(names, " WITH ")})
	return valid
}
