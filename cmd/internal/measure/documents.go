package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom/quality"
)

// checked is what the checker says of all documents of one tool together.
type checked struct {
	tool      string
	documents int
	fulfilled map[string]int           // documents by profile
	rows      map[string][]quality.Row // sums by profile, in the order of its rules
}

// checkDocuments checks every document that the tools have written, with the rules by which anyone's document is checked:
// those of "pegel sbom check". A tool without documents is left out; a document that cannot be read is a note.
func (s *session) checkDocuments() ([]checked, error) {
	var all []checked
	tools := []string{"pegel"}
	for _, t := range peers {
		tools = append(tools, t.name)
	}
	for _, tool := range tools {
		files, err := filepath.Glob(filepath.Join(s.documents(tool), "*.json"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			continue
		}
		c := checked{tool: tool, fulfilled: map[string]int{}, rows: map[string][]quality.Row{}}
		for _, name := range files {
			if err := c.add(name); err != nil {
				s.notes = append(s.notes, fmt.Sprintf("The document %s of %s cannot be checked: %v", filepath.Base(name), tool, err))
			}
		}
		all = append(all, c)
	}
	return all, nil
}

func (c *checked) add(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, reports, err := quality.Check(f, quality.Options{})
	if err != nil {
		return err
	}
	c.documents++
	for _, r := range reports {
		if r.Fulfilled {
			c.fulfilled[r.Profile]++
		}
		for _, row := range r.Rows {
			i := slices.IndexFunc(c.rows[r.Profile], func(x quality.Row) bool { return x.ID == row.ID })
			if i < 0 { // which rows there are depends on format and version
				c.rows[r.Profile] = append(c.rows[r.Profile], row)
				continue
			}
			c.rows[r.Profile][i].Applies += row.Applies
			c.rows[r.Profile][i].Fulfilled += row.Fulfilled
		}
	}
	return nil
}

// documentsTable compares the tools field by field: the share of components that state it in a valid form.
func documentsTable(all []checked) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range quality.Profiles() {
		fmt.Fprintf(&b, "\n%s: share of components that state a field in a valid form, %%\n\n| Field | Level |", p.Title)
		for _, c := range all {
			fmt.Fprintf(&b, " %s |", c.tool)
		}
		b.WriteString("\n| --- | --- |" + strings.Repeat(" ---: |", len(all)) + "\n")
		for _, rule := range p.Rules {
			fmt.Fprintf(&b, "| %s | %s |", rule.Field, rule.Level)
			for _, c := range all {
				fmt.Fprintf(&b, " %s |", share(c.rows[p.ID], rule.ID))
			}
			b.WriteString("\n")
		}
		b.WriteString("| documents with all required fields | |")
		for _, c := range all {
			fmt.Fprintf(&b, " %d of %d |", c.fulfilled[p.ID], c.documents)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// share is rounded down, so that 100 means all; a field that concerns no component, or no document of this form, has none.
func share(rows []quality.Row, id string) string {
	for _, r := range rows {
		if r.ID == id && r.Applies > 0 {
			return fmt.Sprint(100 * r.Fulfilled / r.Applies)
		}
	}
	return "–"
}
