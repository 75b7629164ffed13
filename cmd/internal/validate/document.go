package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/cmd/internal/validate/separation"
	"github.com/pegel-audit/pegel/scoring"
)

// Markers of the generated part of docs/validity.md.
const (
	beginMark = "<!-- validity: begin -->"
	endMark   = "<!-- validity: end -->"
)

// writeBetweenMarkers writes the text between the markers of the file, which appears whole or not at all.
func writeBetweenMarkers(name, text string) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(raw), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !found || !ended {
		return fmt.Errorf("writing %q: it lacks the lines %q and %q", name, beginMark, endMark)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".validity-")
	if err != nil {
		return err
	}
	_, err = temp.WriteString(before + beginMark + "\n" + text + endMark + after)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// document is the generated part of docs/validity.md.
func document(o outcomes, s split, r results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Run of %s with the profile `%s` (%s).\nOutcomes %s,\nsplit %s.\n\n", r.Date, r.Profile, r.Rules, o.digest, s.digest)
	b.WriteString(reached(o, r))
	for _, c := range o.Comparisons {
		b.WriteString(c.section(o, s, r))
	}
	b.WriteString(questionsTable(o, s, r))
	return b.String()
}

// reached says how many projects could be read, and names the others.
func reached(o outcomes, r results) string {
	var b strings.Builder
	b.WriteString("## What could be read\n\n| Outcome | Projects | With a clone |")
	for _, m := range o.Months {
		fmt.Fprintf(&b, " Read %d months before |", m)
	}
	b.WriteString("\n| --- | ---: | ---: |" + strings.Repeat(" ---: |", len(o.Months)) + "\n")
	counts := map[string]map[string]int{}
	var kinds []string
	for _, x := range o.Outcomes {
		if counts[x.Outcome] == nil {
			counts[x.Outcome] = map[string]int{}
			kinds = append(kinds, x.Outcome)
		}
		counts[x.Outcome][""]++
	}
	clones := map[string]bool{}
	var unread []string
	for _, j := range r.Cases {
		kind, name, _ := strings.Cut(j.ID, "/")
		switch j.State {
		case read:
			counts[kind][fmt.Sprint(j.Months)]++
		case failed:
			unread = append(unread, fmt.Sprintf("%s (%s), %d months before: %s", name, kind, j.Months, j.Reason))
		}
		if j.State != noClone && j.Months == o.Months[0] {
			counts[kind]["clone"]++
		}
		if j.State == read {
			clones[j.ID] = true
		}
	}
	for _, kind := range kinds {
		fmt.Fprintf(&b, "| %s | %d | %d |", kind, counts[kind][""], counts[kind]["clone"])
		for _, m := range o.Months {
			fmt.Fprintf(&b, " %d |", counts[kind][fmt.Sprint(m)])
		}
		b.WriteString("\n")
	}
	revisions := 0
	for _, j := range r.Cases {
		if j.State == read {
			revisions++
		}
	}
	fmt.Fprintf(&b, "\n%d revisions of %d projects were judged.\n", revisions, len(clones))
	var missing []string
	for _, x := range r.missing(o) {
		missing = append(missing, x.Name)
	}
	if len(missing) > 0 {
		fmt.Fprintf(&b, "\nNo clone could be had of: %s.\n", strings.Join(slices.Compact(missing), ", "))
	}
	if len(unread) > 0 {
		fmt.Fprintf(&b, "\nA clone, but nothing to judge on that day: %s.\n", strings.Join(unread, "; "))
	}
	return b.String()
}

// section is one comparison.
func (c comparison) section(o outcomes, s split, r results) string {
	var b strings.Builder
	first := o.Months[0]
	all := groupsOf(c, o, s, r, first, "")
	fmt.Fprintf(&b, "\n## %s: %s against %s\n\n%s %d %s against %d %s, %d months before.\n",
		c.ID, c.Bad, c.Good, c.Question, len(all.bad), c.Bad, len(all.good), c.Good, first)
	if len(all.bad) == 0 || len(all.good) == 0 {
		b.WriteString("\nNothing to compare.\n")
		return b.String()
	}
	b.WriteString(c.lowTable(o, s, r) + c.endsTable(all) + c.gapTable(all) + verdictTable(c, all) + c.mistakesTable(all, r, s, o))
	return b.String()
}

// lowTable is the separation by the low end of each aspect and by the baselines, in both halves and at all dates.
func (c comparison) lowTable(o outcomes, s split, r results) string {
	type part struct {
		title string
		groups
	}
	var parts []part
	for _, half := range []string{"", validation, development} {
		g := groupsOf(c, o, s, r, o.Months[0], half)
		title := cmp.Or(half, "all")
		parts = append(parts, part{fmt.Sprintf("%s (%d, %d)", title, len(g.bad), len(g.good)), g})
	}
	for _, m := range o.Months[1:] {
		g := groupsOf(c, o, s, r, m, "")
		parts = append(parts, part{fmt.Sprintf("all, %d months before (%d, %d)", m, len(g.bad), len(g.good)), g})
	}
	var b strings.Builder
	b.WriteString("\nAUC of the low end:\n\n| Aspect |")
	for _, p := range parts {
		fmt.Fprintf(&b, " %s |", p.title)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(parts)) + "\n")
	var rows []measure
	for _, aspect := range scoring.Aspects {
		rows = append(rows, low(aspect))
	}
	for _, name := range baselines() {
		rows = append(rows, baseline(name))
	}
	for i, m := range rows {
		name := m.name
		switch {
		case i >= len(scoring.Aspects):
			name = "*" + name + "*"
		case slices.Contains(c.Aspects, name):
			name = "**" + name + "**"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, p := range parts {
			fmt.Fprintf(&b, " %s |", p.estimate(m))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// estimate is an area with its interval; a number that is the same for all tells nothing.
func (g groups) estimate(m measure) string {
	if len(g.bad) == 0 || len(g.good) == 0 {
		return "no case"
	}
	if e := g.separation(m); e.Low != e.High || e.BP() != 5000 {
		return fmt.Sprintf("%s [%s, %s]", hundredths(e.BP()), down(e.Low), up(e.High))
	}
	return "the same for all"
}

// endsTable compares the low end with what the rule on unknown knock-outs hides, with the high end and with the middle.
func (c comparison) endsTable(g groups) string {
	var b strings.Builder
	b.WriteString("\nAll projects, the other numbers of the interval:\n\n| Aspect | low end | low end but for unknown knock-outs | high end | middle | median coverage |\n| --- | --- | --- | --- | --- | ---: |\n")
	for _, aspect := range scoring.Aspects {
		coverage, _ := separation.Median(values(append(slices.Clone(g.bad), g.good...), measure{of: func(j judged) int { return j.Aspects[aspect].Coverage }}))
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d %% |\n", aspect, g.estimate(low(aspect)), g.estimate(measured(aspect)),
			g.estimate(high(aspect)), g.estimate(middle(aspect)), coverage/100)
	}
	return b.String()
}

// gapTable says whether the aspects that should see it coming beat the simple numbers.
func (c comparison) gapTable(g groups) string {
	var b strings.Builder
	b.WriteString("\nBy how much the low end of the aspects that should see it coming beats simple numbers (AUC of the aspect minus AUC of the number; above 0 the score is better):\n\n| Aspect |")
	for _, name := range baselines() {
		fmt.Fprintf(&b, " %s |", name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(baselines())) + "\n")
	for _, aspect := range c.Aspects {
		fmt.Fprintf(&b, "| %s |", aspect)
		for _, name := range baselines() {
			d := g.gap(low(aspect), baseline(name))
			fmt.Fprintf(&b, " %s [%s, %s] |", signed(hundredths(d.BP), d.BP), down(d.Low), up(d.High))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func verdictTable(c comparison, g groups) string {
	var b strings.Builder
	b.WriteString("\nVerdicts on that day, from git alone:\n\n| Outcome |")
	words := []string{scoring.Showstopper, scoring.Almost, scoring.Undetermined, scoring.Passed}
	for _, w := range words {
		fmt.Fprintf(&b, " %s |", w)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(words)) + "\n")
	for _, row := range []struct {
		name  string
		cases []judged
	}{{c.Bad, g.bad}, {c.Good, g.good}} {
		fmt.Fprintf(&b, "| %s |", row.name)
		for _, w := range words {
			n := 0
			for _, j := range row.cases {
				if j.Verdict == w {
					n++
				}
			}
			fmt.Fprintf(&b, " %d |", n)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// mistakesTable lists the cases that the main aspect gets wrong.
func (c comparison) mistakesTable(g groups, r results, s split, o outcomes) string {
	aspect := c.Aspects[0]
	wrong := g.mistakes(aspect, func(id string) bool { return r.Questions[id].Aspect == aspect })
	var b strings.Builder
	fmt.Fprintf(&b, "\nWrong by the low end of %s: %s that score at least the median of %s, and %s that score at most the median of %s:\n\n",
		aspect, c.Bad, c.Good, c.Good, c.Bad)
	if len(wrong) == 0 {
		b.WriteString("None.\n")
		return b.String()
	}
	halves := map[string]string{}
	for _, x := range o.Outcomes {
		halves[x.id()] = s.half(x)
	}
	b.WriteString("| Project | Outcome | Half | Judged on | Score | Because of |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, m := range wrong {
		kind, name, _ := strings.Cut(m.ID, "/")
		why := "answers well: "
		if !m.bad {
			why = "answers badly: "
		}
		if len(m.by) == 0 {
			why = "too little is known"
		}
		var named []string
		for _, id := range m.by {
			named = append(named, id+" "+r.Questions[id].Title)
		}
		a := m.Aspects[aspect]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | [%s, %s] | %s |\n", name, kind, halves[m.ID], m.At.Format(time.DateOnly), hundredths(a.Low), hundredths(a.High),
			why+strings.Join(named, ", "))
	}
	return b.String()
}

// questionsTable says which indicators tell the groups apart, in the development half alone: what it shows invites tuning.
func questionsTable(o outcomes, s split, r results) string {
	areas, ids := map[string]map[string]question{}, map[string]bool{}
	for _, c := range o.Comparisons {
		areas[c.ID] = map[string]question{}
		for _, q := range groupsOf(c, o, s, r, o.Months[0], development).questions() {
			areas[c.ID][q.id], ids[q.id] = q, true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Which questions tell them apart\n\nOnly the development half, %d months before; AUC of each indicator among the projects where it is decided, if at least %d of each\ngroup are (how many of each are in brackets). Not shown for the validation half, so that nothing is tuned on it.\n\n| Indicator |", o.Months[0], fewestDecided)
	for _, c := range o.Comparisons {
		fmt.Fprintf(&b, " %s |", c.ID)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(o.Comparisons)) + "\n")
	for _, id := range slices.SortedFunc(maps.Keys(ids), inReportOrder(r)) {
		fmt.Fprintf(&b, "| %s %s |", id, r.Questions[id].Title)
		for _, c := range o.Comparisons {
			if q, ok := areas[c.ID][id]; ok {
				fmt.Fprintf(&b, " %s (%d, %d) |", hundredths(q.area), q.bad, q.good)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// inReportOrder orders indicators by aspect, then by id.
func inReportOrder(r results) func(a, b string) int {
	return func(a, b string) int {
		at := func(id string) int { return slices.Index(scoring.Aspects, r.Questions[id].Aspect) }
		return cmp.Or(at(a)-at(b), cmp.Compare(a, b))
	}
}

// hundredths writes basis points as a number with two places, rounded to the nearest.
func hundredths(bp int) string { return decimal(floorDiv(bp+50, 100)) }

// down and up round the ends of an interval outward.
func down(bp int) string { return decimal(floorDiv(bp, 100)) }
func up(bp int) string   { return decimal(-floorDiv(-bp, 100)) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func decimal(h int) string {
	sign := ""
	if h < 0 {
		sign, h = "-", -h
	}
	return fmt.Sprintf("%s%d.%02d", sign, h/100, h%100)
}

func signed(s string, bp int) string {
	if bp > 0 {
		return "+" + s
	}
	return s
}
