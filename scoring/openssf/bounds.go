package openssf

import (
	"regexp"
	"strings"
	"unicode"
)

// Bounds on what strangers' repositories may cost.
const (
	maxFiles = 100_000 // in a tree; a larger one is not judged. The Linux kernel has 90,000

	// maxText is how many bytes of a file a check reads; what people write is shorter.
	maxText = 1 << 20
	// maxHead is the largest file that is unpacked to look at its first bytes.
	maxHead   = 32 << 20
	headBytes = 1024 // what the library looks at to tell binary files (checks/raw/binary_artifact.go)

	maxCache    = 64 << 20 // bytes of contents kept; each file is read about three times
	maxFindings = 20       // of one check (scoring.Check)
	maxOrigins  = 20
	maxReason   = 200   // characters
	maxSample   = 1_000 // changes that are handed to the library one by one
	recent      = 30    // commits that the library's own clients hand to checks (cmd/root.go, commit-depth)
	searched    = 300   // commits that are searched for those of an update bot
)

var (
	address = regexp.MustCompile(`[^\s"'<>()/,;:]+@[^\s"'<>()/,;:]+\.[A-Za-z]{2,}`)
	quoted  = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
)

// shown makes text of the library, of git or of a repository fit for a report: one short line without addresses.
func shown(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = address.ReplaceAllString(s, "(address)")
	if r := []rune(s); len(r) > maxReason {
		s = string(r[:maxReason]) + "..."
	}
	return strings.TrimSpace(s)
}

// complaint shortens an error of the library; what it quotes is text of the repository and is left out.
func complaint(err error) string {
	return shown(strings.TrimPrefix(quoted.ReplaceAllString(err.Error(), "(text)"), "internal error: "))
}
