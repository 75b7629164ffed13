package visit

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Limits of robots.txt.
const (
	mostRobots = 500 << 10 // bytes that are read, as RFC 9309, section 2.5 asks for at least
	robotsName = "pegel"   // product token of section 2.2.1, in lower case
)

// robots are the rules of one robots.txt that concern us. The zero value allows everything.
type robots struct {
	rules []robotsRule
	delay time.Duration
	fetched
}

type robotsRule struct {
	allow   bool
	pattern string // normalised
	line    int
	text    string // as it was written, for people
}

// parseRobots reads a robots.txt by RFC 9309: of the groups that name us all rules, otherwise those for "*". What it cannot
// read is skipped, as the RFC asks.
func parseRobots(data []byte) robots {
	if len(data) > mostRobots {
		data = data[:mostRobots]
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var own, any robots
	var forUs, forAny, named, inRules bool
	line := 0
	for text := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))) {
		line++
		text, _, _ = strings.Cut(strings.TrimSpace(text), "#")
		key, value, ok := strings.Cut(text, ":")
		if !ok {
			continue
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch key {
		case "user-agent":
			if inRules { // a new group begins
				forUs, forAny, inRules = false, false, false
			}
			forUs = forUs || productToken(value) == robotsName
			forAny = forAny || value == "*"
			named = named || forUs
		case "allow", "disallow", "crawl-delay":
			inRules = true
			if forUs {
				own.add(key, value, line)
			}
			if forAny {
				any.add(key, value, line)
			}
		}
	}
	if named {
		return own
	}
	return any
}

// productToken returns what RFC 9309 takes for the name of a program: letters, hyphens and underscores at the beginning.
func productToken(value string) string {
	end := strings.IndexFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	})
	if end >= 0 {
		value = value[:end]
	}
	return strings.ToLower(value)
}

func (r *robots) add(key, value string, line int) {
	if key == "crawl-delay" {
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
			r.delay = min(time.Duration(min(s, 1e6)*float64(time.Second)), mostDelay)
		}
		return
	}
	if value != "" {
		r.rules = append(r.rules, robotsRule{allow: key == "allow", pattern: normalised(value), line: line, text: value})
	}
}

// denied returns the rule that keeps us from a path with its query, and whether there is one: the longest match decides, and
// of equals the one that allows.
func (r *robots) denied(path string) (robotsRule, bool) {
	path = normalised(path)
	if path == "/robots.txt" {
		return robotsRule{}, false
	}
	var best robotsRule
	found := false
	for _, rule := range r.rules {
		longer := len(rule.pattern) > len(best.pattern) || len(rule.pattern) == len(best.pattern) && rule.allow
		if (!found || longer) && robotsMatch(rule.pattern, path) {
			best, found = rule, true
		}
	}
	return best, found && !best.allow
}

// robotsMatch compares from the beginning; * stands for anything, $ at the end for the end. It takes linear time.
func robotsMatch(pattern, path string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	first, rest, starred := strings.Cut(pattern, "*")
	if !strings.HasPrefix(path, first) {
		return false
	}
	path = path[len(first):]
	for starred {
		first, rest, starred = strings.Cut(rest, "*")
		if !starred && whole {
			return strings.HasSuffix(path, first)
		}
		at := strings.Index(path, first)
		if at < 0 {
			return false
		}
		path = path[at+len(first):]
	}
	return !whole || path == ""
}

// normalised writes a path so that two spellings of the same compare equal: unreserved characters plain, other octets
// outside of ASCII percent-encoded in upper case (RFC 9309, section 2.2.2).
func normalised(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				i += 2
				if unreserved(byte(n)) {
					b.WriteByte(byte(n))
				} else {
					percent(&b, byte(n))
				}
				continue
			}
		}
		if c <= ' ' || c >= 0x7f {
			percent(&b, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func percent(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
