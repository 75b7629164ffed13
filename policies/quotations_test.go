package policies

import (
	"fmt"
	"strings"
	"testing"
)

// quoted reports whether a quotation stands in a text and begins on a line, counted from 1. Space counts as one blank, and the
// quotation may go on in the lines that follow.
func quoted(text string, line int, quote string) error {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return fmt.Errorf("there is no line %d, the file has %d", line, len(lines))
	}
	normal := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	words := normal(quote)
	// The quotation ends within a few lines: it has at most 15 words.
	from := normal(strings.Join(lines[line-1:min(line+mostQuoteWords, len(lines))], "\n"))
	at := strings.Index(from, words)
	if at >= 0 && at < len(normal(lines[line-1])) {
		return nil
	}
	for i := range lines {
		rest := normal(strings.Join(lines[i:min(i+mostQuoteWords, len(lines))], "\n"))
		if at := strings.Index(rest, words); at >= 0 && at < len(normal(lines[i])) {
			return fmt.Errorf("it stands on line %d, not on line %d: %q", i+1, line, quote)
		}
	}
	return fmt.Errorf("it does not stand there: %q; line %d is %q", quote, line, clean(lines[line-1]))
}

func TestAQuotationIsFoundOnItsLineOnly(t *testing.T) {
	const text = "# Title\n\nWe require a complete stack\n  that is open.\nA complete\tstack.\n"
	for name, c := range map[string]struct {
		line  int
		quote string
		want  string
	}{
		"on its line":              {3, "a complete stack", ""},
		"over two lines":           {3, "complete stack that is open", ""},
		"other space":              {5, "A complete stack.", ""},
		"on another line":          {3, "that is open", "line 4, not on line 3"},
		"one word was changed":     {3, "a whole stack", "does not stand there"},
		"no such line":             {70, "a complete stack", "there is no line 70"},
		"an empty line before it":  {2, "We require", "line 3, not on line 2"},
		"letters of another case":  {3, "WE REQUIRE", "does not stand there"},
		"part of it in the middle": {4, "that is open. A complete stack.", ""},
	} {
		err := quoted(text, c.line, c.quote)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}
