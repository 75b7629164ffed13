package gitlog

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// rule is a pattern over lower-cased paths that is asked about every file of a tree. Most files cannot match, and comparing
// a few literal words says so at a tenth of the cost of the pattern.
type rule struct {
	re     *regexp.Regexp
	heads  [256][]string // how a matching path begins, by first byte; used if anchored
	within []string      // a matching path holds one of these; nil: says nothing
	begins bool          // heads are known
}

// newRule compiles a pattern. What a path begins with is derived from it where all of it is anchored at the start; of
// other patterns within says what every match holds.
func newRule(pattern string, within ...string) *rule {
	r := &rule{re: regexp.MustCompile(pattern), within: within}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || !anchored(parsed) {
		return r
	}
	heads, _ := headsOf(parsed)
	for _, h := range heads {
		if h == "" {
			return r // anything may follow the anchor
		}
	}
	for _, h := range heads {
		r.heads[h[0]] = append(r.heads[h[0]], h)
	}
	r.begins = true
	return r
}

// possible reports whether a path can match.
func (r *rule) possible(lower string) bool {
	if r.begins {
		if lower == "" {
			return false
		}
		found := false
		for _, h := range r.heads[lower[0]] {
			found = found || strings.HasPrefix(lower, h)
		}
		return found
	}
	for _, word := range r.within {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return len(r.within) == 0
}

func (r *rule) matches(lower string) bool { return r.possible(lower) && r.re.MatchString(lower) }

// find returns what the pattern matches, empty if nothing.
func (r *rule) find(lower string) string {
	if !r.possible(lower) {
		return ""
	}
	return r.re.FindString(lower)
}

// anchored reports whether a pattern matches at the start of a text only.
func anchored(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpConcat, syntax.OpCapture:
		return anchored(re.Sub[0])
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !anchored(sub) {
				return false
			}
		}
		return true
	}
	return false
}

// maxHeads bounds the beginnings of one rule; what is longer than them is left to the pattern.
const maxHeads = 256

// headsOf returns literals of which one stands at the beginning of everything that a pattern matches; whole says that they
// are all that it matches.
func headsOf(re *syntax.Regexp) (heads []string, whole bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText:
		return []string{""}, true
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}, true
		}
	case syntax.OpCapture:
		return headsOf(re.Sub[0])
	case syntax.OpQuest:
		heads, whole = headsOf(re.Sub[0])
		return append(heads, ""), whole
	case syntax.OpAlternate:
		whole = true
		for _, sub := range re.Sub {
			more, all := headsOf(sub)
			heads, whole = append(heads, more...), whole && all
		}
		return heads, whole
	case syntax.OpConcat:
		return headsOfAll(re.Sub)
	}
	return []string{""}, false
}

func headsOfAll(subs []*syntax.Regexp) (heads []string, whole bool) {
	heads = []string{""}
	for _, sub := range subs {
		next, all := headsOf(sub)
		if len(heads)*len(next) > maxHeads {
			return heads, false
		}
		var longer []string
		for _, h := range heads {
			for _, n := range next {
				longer = append(longer, h+n)
			}
		}
		heads = longer
		if !all {
			return heads, false
		}
	}
	return heads, true
}
