package conformance

import (
	"strings"

	"golang.org/x/net/html"
)

// pageText drops tags, scripts and styles from a page and joins blanks; text that is no HTML stays what it is.
func pageText(s string) string {
	return strings.Join(pageRows(s, false), " ")
}

// pageRows returns the text of a page: cut at the beginning of every row of a table, item of a list and paragraph, or in one
// piece.
func pageRows(s string, cut bool) []string {
	var rows []string
	var row strings.Builder
	end := func() {
		if text := strings.Join(strings.Fields(row.String()), " "); text != "" && len(rows) < maxRows {
			rows = append(rows, text)
		}
		row.Reset()
	}
	hidden := false
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			end()
			return rows
		case html.TextToken:
			if !hidden {
				row.Write(z.Text())
				row.WriteByte(' ')
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			hidden = string(name) == "script" || string(name) == "style"
			if cut && startsRow(string(name)) {
				end()
			}
		case html.EndTagToken:
			hidden = false
		}
	}
}

func startsRow(tag string) bool {
	switch tag {
	case "tr", "li", "p", "h1", "h2", "h3", "table", "ul", "ol":
		return true
	}
	return false
}
