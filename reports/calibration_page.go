package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mostMoves bounds the consequences of one change that are spelled out.
const mostMoves = 3

// sensitivityText writes how far each gate is from flipping, and which numbers flip something soonest.
func sensitivityText(c Calibration, opt Options) string {
	t := newTerminal(opt)
	t.para("", fmt.Sprintf("Profile %s, tried on %s: how far each gate is from deciding otherwise.", c.Profile, plural(c.Projects, "project", "projects")))
	for _, g := range c.Gates {
		t.heading(fmt.Sprintf("%s, %s at least %d with coverage %d", strings.Join(g.Levels, " and "), g.Aspect, g.Low, g.Coverage))
		t.para("  ", fmt.Sprintf("%d pass, %d fail, %d undetermined. %s", len(g.Passed), len(g.Failed), len(g.Undetermined), g.Remark))
		for _, m := range c.closest(g) {
			t.para("  ", m)
		}
	}
	t.heading("Numbers, by the smallest change that decides anything otherwise")
	quiet := 0
	for _, s := range c.Settings {
		if s.Down == nil && s.Up == nil {
			quiet++
			continue
		}
		t.para("  ", fmt.Sprintf("%s = %d", s.Path, s.Value))
		for _, f := range []*Flip{s.Down, s.Up} {
			if f != nil {
				t.para("    ", fmt.Sprintf("at %d: %s", f.Value, f.summary()))
			}
		}
	}
	t.para("  ", fmt.Sprintf("%s decide the same for every value that was tried.", plural(quiet, "other number", "other numbers")))
	return t.b.String()
}

// mostClosest is how many projects are named that are nearest to another outcome at a gate.
const mostClosest = 5

// closest names the projects nearest to another outcome at a gate.
func (c Calibration) closest(g CalibrationGate) []string {
	type near struct {
		project string
		GateMargin
	}
	var all []near
	at := c.column(g)
	for _, m := range c.Margins {
		if at < len(m.Gates) && slices.Contains(slices.Concat(g.Passed, g.Failed, g.Undetermined), m.Project) {
			all = append(all, near{m.Project, m.Gates[at]})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.Margin, b.Margin) })
	var out []string
	for _, n := range all[:min(len(all), mostClosest)] {
		out = append(out, fmt.Sprintf("%s: %s, %d from another outcome", n.project, n.Outcome, n.Margin))
	}
	return out
}

// column is the place of a gate among those of its role.
func (c Calibration) column(g CalibrationGate) int {
	at := 0
	for _, other := range c.Gates {
		switch {
		case other.Role != g.Role:
		case other.Aspect == g.Aspect && slices.Equal(other.Levels, g.Levels):
			return at
		default:
			at++
		}
	}
	return at
}

// summary names the first consequences and counts the rest.
func (f Flip) summary() string {
	text := strings.Join(f.Moves[:min(len(f.Moves), mostMoves)], "; ")
	if more := len(f.Moves) - mostMoves; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// calibrationPage writes all of it as a page for people, in Markdown.
func calibrationPage(c Calibration) string {
	p := &calibrationSheet{}
	p.f("This page shows what the profile %s does with %s, %d of them platforms, on the evidence `%s`.", inCell(c.Profile),
		plural(c.Projects, "project", "projects"), c.Platforms, inCell(c.Evidence))
	p.f("It is for those who set the numbers. Where the evidence names versions that a stack deploys, a project is judged at these: one whose deployed version is out of maintenance is a showstopper (MA-02) however healthy the project is. A gate that nobody can pass, or that everybody passes, is a wrong gate, and is named as such below. Where the evidence names versions that a stack deploys, a project is judged at these: one whose deployed version is out of maintenance is a showstopper (MA-02), however healthy the project is. " +
		"Undetermined means that too little is known, never that a project is bad; names are in alphabetical order and no ranking.")
	for _, id := range slices.Sorted(maps.Keys(c.Profiles)) {
		p.f("Judged by the profile %s instead, by their catalogue entries: %s.", inCell(id), nameList(c.Profiles[id]))
	}
	p.verdicts(c)
	p.gates(c)
	p.knockOuts(c)
	p.indicators(c)
	p.margins(c)
	p.settings(c)
	return p.b.String()
}

// calibrationSheet writes Markdown.
type calibrationSheet struct{ b strings.Builder }

func (p *calibrationSheet) f(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n\n", args...) }

func (p *calibrationSheet) head(title string) { fmt.Fprintf(&p.b, "## %s\n\n", title) }

func (p *calibrationSheet) row(cells ...any) {
	p.b.WriteByte('|')
	for _, c := range cells {
		fmt.Fprintf(&p.b, " %v |", c)
	}
	p.b.WriteByte('\n')
}

// table writes the head of a table; align holds one of l, r per column.
func (p *calibrationSheet) table(align string, titles ...any) {
	p.row(titles...)
	p.b.WriteByte('|')
	for _, a := range align {
		if a == 'r' {
			p.b.WriteString("---:|")
		} else {
			p.b.WriteString("---|")
		}
	}
	p.b.WriteByte('\n')
}

func (p *calibrationSheet) end() { p.b.WriteByte('\n') }

// inCell makes foreign text harmless in a cell of a table.
func inCell(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "`", "'", "[", "\\[", "*", "\\*", "_", "\\_").Replace(s)
}

func nameList(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	safe := make([]string, len(list))
	for i, n := range list {
		safe[i] = inCell(n)
	}
	return strings.Join(safe, ", ")
}

func (p *calibrationSheet) verdicts(c Calibration) {
	p.head("Verdicts")
	p.f("The verdict of each project, in the words of scs-0218, at each level and over all of them.")
	p.table("lllrl", "level", "role", "verdict", "projects", "which")
	for _, v := range c.Verdicts {
		p.row(cmp.Or(v.Level, "all"), v.Role, v.Verdict, len(v.Projects), nameList(v.Projects))
	}
	p.end()
}

func (p *calibrationSheet) gates(c Calibration) {
	p.head("Gates")
	p.f("A gate passes where the low end of a score and the share of weight that is known reach it, fails where the high end does not, and is " +
		"undetermined otherwise. All numbers are basis points.")
	p.table("llrrrrrl", "levels", "aspect", "low end", "coverage", "pass", "fail", "undetermined", "remark")
	for _, g := range c.Gates {
		p.row(strings.Join(g.Levels, ", "), g.Aspect, g.Low, g.Coverage, len(g.Passed), len(g.Failed), len(g.Undetermined), cmp.Or(g.Remark, "–"))
	}
	p.end()
	for _, g := range c.Gates {
		p.f("**%s, %s** (%s)", strings.Join(g.Levels, ", "), g.Aspect, inCell(g.Source))
		p.f("- pass: %s\n- fail: %s\n- undetermined: %s", nameList(g.Passed), nameList(g.Failed), nameList(g.Undetermined))
	}
	p.f("Building blocks have no score gates: knock-outs decide about them.")
}

func (p *calibrationSheet) knockOuts(c Calibration) {
	p.head("Knock-outs")
	p.table("llrrrll", "indicator", "asks", "out", "open", "clear", "who is out", "remark")
	for _, k := range c.KnockOuts {
		p.row(k.Indicator, inCell(k.Title), len(k.Out), len(k.Open), k.Clear, nameList(k.Out), cmp.Or(k.Remark, "–"))
	}
	p.end()
	p.f("Open: may still be knocked out by what is not known yet.")
	p.f("MA-02 and SE-04 are about the versions that the stack of this evidence deploys. Who is out by them alone may be in good health: it is the deployed version that is too old, not the project.")
	p.f("Each project is judged on the day of its own evidence. Evidence of a project's newest commit never sees a year without commits, so that AC-01 knocks nobody out for silence there.")
}

func (p *calibrationSheet) indicators(c Calibration) {
	p.head("Indicators")
	p.f("Outcomes of each indicator. DNF: somebody looked and could not tell; MISS: nobody looked; NA: does not apply.")
	p.table("lllrrrrrr", "indicator", "aspect", "asks", "pass", "part", "fail", "DNF", "MISS", "NA")
	for _, i := range c.Indicators {
		p.row(i.ID, i.Aspect, inCell(i.Title), i.Pass, i.Part, i.Fail, i.DNF, i.Miss, i.NA)
	}
	p.end()
	p.telling(c)
}

// telling names the indicators that tell no two projects apart.
func (p *calibrationSheet) telling(c Calibration) {
	var silent, pass, fail []string
	for _, i := range c.Indicators {
		switch known := i.Pass + i.Part + i.Fail; {
		case known == 0:
			silent = append(silent, i.ID)
		case i.Pass == known:
			pass = append(pass, i.ID)
		case i.Fail == known:
			fail = append(fail, i.ID)
		}
	}
	p.f("No project is decided by: %s.", nameList(silent))
	p.f("Whoever is decided passes: %s.", nameList(pass))
	p.f("Whoever is decided fails: %s.", nameList(fail))
}

func (p *calibrationSheet) margins(c Calibration) {
	p.head("How far each gate is from flipping")
	p.f("For each platform and gate the outcome and, in basis points, how far low end, high end or coverage would have to move for another " +
		"outcome. + passes, - fails, ? is undetermined.")
	var gates []CalibrationGate
	titles, align := []any{"project"}, "l"
	for _, g := range c.Gates {
		if g.Role == "platform" {
			gates = append(gates, g)
			titles, align = append(titles, fmt.Sprintf("%s (%s)", g.Aspect, strings.Join(g.Levels, ", "))), align+"r"
		}
	}
	p.table(align, titles...)
	for _, m := range c.Margins {
		if len(m.Gates) != len(gates) {
			continue
		}
		cells := []any{inCell(m.Project)}
		for _, g := range m.Gates {
			cells = append(cells, fmt.Sprintf("%s%d", marginSign(g.Outcome), g.Margin))
		}
		p.row(cells...)
	}
	p.end()
}

func marginSign(outcome string) string {
	switch outcome {
	case "pass":
		return "+"
	case "fail":
		return "-"
	}
	return "?"
}

func (p *calibrationSheet) settings(c Calibration) {
	p.head("The smallest change of each number that decides anything otherwise")
	p.f("Each number is turned alone, down and up, until the first verdict or gate of any project changes: shares between 0 and 10000, others by up to four " +
		"times their size and sixteen, weights between 1 and 2, and never beyond the other threshold of the same indicator. A variant turns along where it has " +
		"the same number.")
	p.table("lrrlrl", "number", "value", "lower", "changes", "higher", "changes")
	var quiet []string
	for _, s := range c.Settings {
		if s.Down == nil && s.Up == nil {
			quiet = append(quiet, s.Path)
			continue
		}
		cells := []any{"`" + strings.ReplaceAll(s.Path, "`", "") + "`", s.Value}
		for _, f := range []*Flip{s.Down, s.Up} {
			if f == nil {
				cells = append(cells, "–", "nothing")
			} else {
				cells = append(cells, f.Value, inCell(f.summary()))
			}
		}
		p.row(cells...)
	}
	p.end()
	p.f("These decide the same for every value that was tried: %s.", nameList(quiet))
}
