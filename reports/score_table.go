package reports

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
)

// aspectOrder is the order in which tables show the aspects, aspectCodes their short names: the letters that the ids of
// their indicators begin with.
var (
	aspectOrder = [...]string{"open-source", "open-community", "open-development", "open-design", "maturity", "security", "activity", "lock-in"}
	aspectCodes = [...]string{"OS", "OC", "OV", "OD", "MA", "SE", "AC", "LR"}
)

const aspectLegend = "OS open source, OC open community, OV open development, OD open design, MA maturity, SE security, AC activity, LR freedom from lock-in."

// inShort writes a score in at most seven characters: "60-84", "75", "?", "0!" where it is knocked out.
func inShort(a Aspect) string {
	switch {
	case len(a.KnockOuts) > 0:
		return "0!"
	case a.Low <= 0 && a.High >= audit.Full:
		return "?"
	}
	return strings.ReplaceAll(points(a.Low, a.High), " to ", "-")
}

// twoLines is the width from which the scores of a project fit below its name in columns.
const twoLines = 4 + len(aspectOrder)*7

// table writes one line for each project, in the order given: never a ranking.
func (t *terminal) table(projects []Project) {
	widest := len("project")
	for _, p := range projects {
		widest = max(widest, utf8.RuneCountInString(p.Name))
	}
	const verdict, cell = 15, 7
	widest = min(widest, 24)
	one := widest+1+verdict+len(aspectOrder)*cell+len("AC-01") <= t.width
	head := strings.Repeat(" ", 4)
	if one {
		head = pad("Project", widest+1) + pad("Verdict", verdict)
	}
	for _, code := range aspectCodes {
		head += pad(code, cell)
	}
	if one {
		head += "Out by"
	}
	if t.width >= twoLines {
		t.b.WriteString(t.paint("1", strings.TrimRight(head, " ")) + "\n")
	}
	for _, p := range projects {
		t.row(p, widest, one)
	}
	t.b.WriteByte('\n')
	t.para("", aspectLegend)
	out := ""
	if one {
		out = " by what stands under Out by"
	}
	t.para("", "Points of 100: 60-84 is at least 60 and at most 84, ? is not known, 0! is knocked out"+out+". The order says nothing about quality.")
	t.para("", daysSentence(projects))
	t.para("", tally(projects)+" "+scoreProposal(projects[0]))
}

func (t *terminal) row(p Project, widest int, one bool) {
	const cell = 7
	s := projectSign(p.Verdict)
	line, out := "", ""
	var narrow []string
	for n, id := range aspectOrder {
		text := "–"
		for _, a := range p.Aspects {
			if a.Aspect == id {
				text = inShort(a)
				out = strings.TrimSpace(out + " " + strings.Join(a.KnockOuts, " "))
			}
		}
		line += pad(text, cell)
		narrow = append(narrow, aspectCodes[n]+" "+text)
	}
	line = strings.TrimRight(line, " ")
	verdict := t.tinted(s, s.Mark) + " " + pad(s.Word, 13)
	if one {
		line = strings.TrimRight(pad(line, len(aspectOrder)*cell)+out, " ")
		t.b.WriteString(pad(cut(p.Name, widest), widest+1) + verdict + cut(line, max(10, t.width-widest-16)) + "\n")
		return
	}
	t.b.WriteString(pad(cut(p.Name, min(t.width-18, 60)), min(t.width-17, 61)) + strings.TrimRight(verdict, " ") + "\n")
	if t.width < twoLines {
		t.para("    ", strings.Join(narrow, ", "))
	} else {
		t.columns("    ", line)
	}
	if out != "" {
		t.para("    ", "knocked out by "+out)
	}
}

// tally counts the verdicts.
func tally(projects []Project) string {
	counts := map[string]int{}
	for _, p := range projects {
		counts[cmp.Or(p.Verdict, "undetermined")]++
	}
	var parts []string
	for _, v := range []string{"passed", "almost", "undetermined", "showstopper"} {
		if counts[v] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", thousands(counts[v]), v))
		}
	}
	return fmt.Sprintf("%s: %s.", plural(len(projects), "project", "projects"), strings.Join(parts, ", "))
}

// ascii replaces our marks by letters of ASCII, each by one, and every other foreign character by a question mark: for
// terminals that show nothing else.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return r
		}
		if i := strings.IndexRune("✓✗✔✘❓–█░·…“”≈", r); i >= 0 {
			return rune("+x+x?-#=.~\"\"~"[utf8.RuneCountInString("✓✗✔✘❓–█░·…“”≈"[:i])])
		}
		return '?'
	}, s)
}
