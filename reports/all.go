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
	ASCII bool // text of scores has no other characters: the terminal shows none

	Lang string // one of Languages, for what a report says in several; empty: English

	// Why shows of scores for each missing point what was read, the threshold and what would raise it; Only names the
	// indicators or aspects that are asked about, none means all. Compare shows two projects side by side. All three are for
	// text and Markdown.
	Why     bool
	Only    []string
	Compare bool

	Subject string // name of the subject at SCS's compliance monitor, for scs-report; empty: its name in the report
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
		{"scs-report", "application/yaml", SCSReport},
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

// ScoreFormat is one way to show scores of projects.
type ScoreFormat struct {
	Name      string // as in -o NAME=FILE
	MediaType string
	Suffix    string // of a file that holds one project
	Single    bool   // shows exactly one project
	Write     func([]Project, Options) ([]byte, error)
}

// ScoreFormats lists every format of scores, the default first. A new one is a new file and a line here.
func ScoreFormats() []ScoreFormat {
	return []ScoreFormat{
		{"text", "text/plain; charset=utf-8", ".txt", false, func(p []Project, opt Options) ([]byte, error) { return []byte(ScoreText(p, opt)), nil }},
		{"json", "application/json", ".json", false, func(p []Project, _ Options) ([]byte, error) { return ScoreJSON(p) }},
		{"markdown", "text/markdown; charset=utf-8", ".md", false, ScoreMarkdown},
		{"html", "text/html; charset=utf-8", ".html", false, ScoreHTML},
		{"svg", "image/svg+xml", ".svg", true, Badge},
		{"scs-0008", "text/markdown; charset=utf-8", ".md", false, HealthCheck},
	}
}

// ScoreFormatNames lists the names of the formats of scores, the default first.
func ScoreFormatNames() []string {
	var names []string
	for _, f := range ScoreFormats() {
		names = append(names, f.Name)
	}
	return names
}

// RenderScore shows the scores of projects in a format of pegel score.
func RenderScore(format string, projects []Project, opt Options) ([]byte, error) {
	for _, f := range ScoreFormats() {
		if f.Name != format {
			continue
		}
		if f.Single && len(projects) != 1 {
			return nil, fmt.Errorf("writing scores as %s: it shows one project, not %d; name a directory to write one file for each", format, len(projects))
		}
		data, err := f.Write(projects, opt)
		if err != nil {
			return nil, fmt.Errorf("writing scores as %s: %w", format, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("unknown score format %q; known are %s", format, strings.Join(ScoreFormatNames(), ", "))
}

// PlanText shows what a run would contact or read, for pegel audit --plan. The order of the contacts does not matter, and
// one that is named twice is shown once.
func PlanText(contacts []audit.Contact) string { return planText(contacts, defaultWidth) }

// CollectedText shows what a collection found, fact by fact, and why the rest is not known.
func CollectedText(projects int, facts []CollectedFact) string {
	return collectedText(projects, facts, defaultWidth)
}
