package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Options say how a report is shown. The zero value is right for a file.
type Options struct {
	Width int  // columns of the terminal, for text; 0 means 100
	Color bool // text may use ANSI colours; symbols and words say the same without
}

// Format is one way to show a Report.
type Format struct {
	Name      string // as in -o NAME=FILE
	MediaType string
	Write     func(Report, Options) ([]byte, error) // pure: same report and options, same bytes
}

// Formats lists every format, the default first. A new one is a new file and a line here.
func Formats() []Format {
	return []Format{
		{"text", "text/plain; charset=utf-8", Text},
		{"html", "text/html; charset=utf-8", HTML},
		{"json", "application/json", JSON},
	}
}

// Names lists the names of the formats, the default first.
func Names() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Render shows a report in the named format. It shows what the report holds: Redact it first for the public.
func Render(format string, r Report, opt Options) ([]byte, error) {
	for _, f := range Formats() {
		if f.Name != format {
			continue
		}
		data, err := f.Write(r, opt)
		if err != nil {
			return nil, fmt.Errorf("writing report as %s: %w", format, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("unknown report format %q; known are %s", format, strings.Join(Names(), ", "))
}

// RenderScore shows the scores of projects as "text" or "json", for pegel score.
func RenderScore(format string, projects []Project, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(ScoreText(projects, opt)), nil
	case "json":
		return ScoreJSON(projects)
	}
	return nil, fmt.Errorf("unknown score format %q; known are text, json", format)
}

// PlanText shows what a run would contact or read, for pegel audit --plan. The order of the contacts does not matter, and
// one that is named twice is shown once.
func PlanText(contacts []audit.Contact) string { return planText(contacts, defaultWidth) }

// CollectedText shows what a collection found, fact by fact, and why the rest is not known.
func CollectedText(projects int, facts []CollectedFact) string {
	return collectedText(projects, facts, defaultWidth)
}
