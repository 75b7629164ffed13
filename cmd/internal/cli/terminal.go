package cli

import (
	"os"
	"strconv"
	"strings"
)

// terminalWidth is the width of a terminal in columns: COLUMNS if somebody set it, else what the terminal says; 0 if
// neither is known.
func terminalWidth(f *os.File, columns string) int {
	if !isTerminal(f) {
		return 0
	}
	if n, err := strconv.Atoi(columns); err == nil && n > 0 && n < 10_000 {
		return n
	}
	return windowWidth(f)
}

// asciiLocale says that the locale names a character set other than UTF-8. A locale that is not set says nothing: terminals
// of today show UTF-8.
func asciiLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return false
}
