package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// day reads a date of a calendar; ok is false for anything else, and for years that nobody plans.
func day(y scoring.YAML) (t time.Time, ok bool) {
	t, err := time.Parse(time.DateOnly, y.Text())
	return t, err == nil && t.Year() >= 1990 && t.Year() < 2100
}

// mustDay reads a date that may be missing but must not be something else.
func mustDay(y scoring.YAML) (time.Time, error) {
	if y.Text() == "" && !y.Mapping() && !y.List() {
		return time.Time{}, nil
	}
	t, ok := day(y)
	if !ok {
		return t, fmt.Errorf("line %d: it gives no day such as 2026-02-28", y.Line())
	}
	return t, nil
}

func fmtPath(path string, err error) error { return fmt.Errorf("%s: %w", path, err) }

// mostName bounds names that are taken from a calendar.
const mostName = 64

// short returns a text of a calendar, cut.
func short(y scoring.YAML) string {
	text := y.Text()
	if len(text) > mostName {
		text = strings.ToValidUTF8(text[:mostName], "")
	}
	return text
}

// numbered reports whether a text is numbers joined by dots, as versions of cycles are.
func numbered(text string) bool {
	if text == "" || len(text) > mostName {
		return false
	}
	for part := range strings.SplitSeq(text, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}
