package quality

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Checked is one checked file.
type Checked struct {
	File     string   `json:"file"` // as it was named; - is standard input
	Document Document `json:"document"`
	Reports  []Report `json:"profiles"`
}

// Result is the JSON form of a check.
type Result struct {
	Schema string    `json:"schema"`
	Files  []Checked `json:"files"`
}

// Fulfilled reports whether every profile that was asked for is fulfilled by every file; false if there is none.
func (r Result) Fulfilled() bool {
	for _, f := range r.Files {
		for _, p := range f.Reports {
			if !p.Fulfilled {
				return false
			}
		}
	}
	return len(r.Files) > 0
}

// Text renders a result for people: a table for each file and profile. Below each row that finds something stand the first
// named components, at most named, all if that is negative.
func Text(r Result, named int) string {
	var b strings.Builder
	for i, f := range r.Files {
		if i > 0 {
			b.WriteByte('\n')
		}
		d := f.Document
		fmt.Fprintf(&b, "%s: %s %s", oneLine(f.File), d.Format, oneLine(d.SpecVersion))
		if d.Root != "" {
			fmt.Fprintf(&b, ", about %s", oneLine(d.Root))
		}
		if len(d.Tools) > 0 {
			fmt.Fprintf(&b, ", made with %s", oneLine(strings.Join(d.Tools, ", ")))
		}
		fmt.Fprintf(&b, "\n%s (logical %d, only identified %d), %s\n", count(d.Components, "component"), d.Logical, d.Identified, count(d.Dependencies, "dependency edge"))
		for _, p := range f.Reports {
			b.WriteByte('\n')
			writeReport(&b, p, d.Components, named)
		}
	}
	return b.String()
}

func writeReport(b *strings.Builder, p Report, components, named int) {
	verdict := "NOT fulfilled"
	if p.Fulfilled {
		verdict = "fulfilled"
	}
	reading := ""
	if p.Strict {
		reading = ", strict"
	}
	fmt.Fprintf(b, "%s%s: %s\n", p.Title, reading, verdict)
	fmt.Fprintf(b, "components with every required field: %s", share(p.Complete, components))
	if p.StrictComplete != p.Complete {
		fmt.Fprintf(b, "; with the fields of files for logical ones too: %s", share(p.StrictComplete, components))
	}
	b.WriteString("\n\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tfield\tlevel\tfulfilled\tstrict\twrong\tclause")
	for _, row := range p.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.mark(p.Strict), row.Field, row.Level, row.answer(), strictShare(row), blankZero(row.Wrong), row.Clause)
	}
	w.Flush()
	writeMissing(b, p, named)
}

func writeMissing(b *strings.Builder, p Report, named int) {
	for _, row := range p.Open() {
		fmt.Fprintf(b, "\n%s: want %s\n", row.Field, row.Want)
		shown := row.Missing
		if named >= 0 && len(shown) > named {
			shown = shown[:named]
		}
		for _, m := range shown {
			what := m.Why
			if m.Component != "" {
				what = m.Component + ": " + m.Why
			}
			fmt.Fprintf(b, "  %s\n", oneLine(what))
		}
		applies, fulfilled := row.Applies, row.Fulfilled
		if p.Strict {
			applies, fulfilled = row.StrictApplies, row.StrictFulfilled
		}
		if rest := applies - fulfilled - len(shown); rest > 0 && row.About != aboutDocument {
			fmt.Fprintf(b, "  and %d more\n", rest)
		}
	}
}

// mark is what a reader looks for first.
func (r Row) mark(strict bool) string {
	applies, fulfilled := r.Applies, r.Fulfilled
	if strict {
		applies, fulfilled = r.StrictApplies, r.StrictFulfilled
	}
	switch {
	case !r.settled(strict):
		return "MISSING"
	case applies == 0:
		return "-"
	case fulfilled == applies:
		return "ok"
	}
	return "part"
}

// answer is what a row counted; of the document as a whole there is only yes and no.
func (r Row) answer() string {
	switch {
	case r.About != aboutDocument:
		return share(r.Fulfilled, r.Applies)
	case r.Fulfilled == 1:
		return "yes"
	}
	return "no"
}

// share is a count with its share, which is rounded down so that only all is 100 %.
func share(part, all int) string {
	if all == 0 {
		return "-"
	}
	tenths := part * 1000 / all
	return fmt.Sprintf("%d of %d (%d.%d %%)", part, all, tenths/10, tenths%10)
}

func strictShare(r Row) string {
	if r.StrictApplies == r.Applies {
		return ""
	}
	return share(r.StrictFulfilled, r.StrictApplies)
}

func blankZero(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// oneLine keeps foreign text on its line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// RuleTable renders the rules of all profiles as tables in Markdown, for the documentation.
func RuleTable() string {
	var b strings.Builder
	for i, p := range Profiles() {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "### %s\n\n`--profile %s`, id `%s`, <%s>\n\n", p.Title, p.Short, p.ID, p.Source)
		b.WriteString("| Rule | Field | Level | About | Fulfilled by | Source |\n| --- | --- | --- | --- | --- | --- |\n")
		for _, r := range p.Rules {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", r.ID, r.Field, r.Level, r.About, r.Want, r.Clause)
		}
	}
	return b.String()
}
