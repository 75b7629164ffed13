package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
)

func TestATableKeepsTheOrderGivenAndHasALineForEachProject(t *testing.T) {
	projects := []Project{fullProject(), otherProject(), noEvidence()}
	for range 2 {
		lines := strings.Split(ScoreText(projects, Options{Width: 120}), "\n")
		for i, p := range projects {
			if !strings.HasPrefix(lines[i+1], p.Name) || !strings.Contains(lines[i+1], projectSign(p.Verdict).Word) {
				t.Errorf("line %d is %q, want that of %s", i+1, lines[i+1], p.Name)
			}
		}
		slices.Reverse(projects)
	}
}

func TestScoreTextIsNoWiderThanTheTerminalButForAddresses(t *testing.T) {
	for _, s := range scoreSamples() {
		for _, width := range []int{40, 60, 80, 100, 140} {
			for _, opt := range []Options{{}, {Why: true}, {Compare: true}} {
				opt.Width = width
				for _, l := range strings.Split(ScoreText(s.projects, opt), "\n") {
					if n := utf8.RuneCountInString(l); n > width && !strings.HasPrefix(strings.TrimSpace(l), "https://") {
						t.Errorf("%s at %d: a line of %d: %s", s.name, width, n, l)
					}
				}
			}
		}
	}
}

func TestTextForPlainTerminalsIsASCII(t *testing.T) {
	for _, s := range scoreSamples() {
		for _, opt := range []Options{{ASCII: true}, {ASCII: true, Why: true}, {ASCII: true, Compare: true}} {
			for i, r := range ScoreText(s.projects, opt) {
				if r >= utf8.RuneSelf || r < ' ' && r != '\n' {
					t.Fatalf("%s: %U at %d", s.name, r, i)
				}
			}
		}
	}
}

// Hostile names: what a stranger writes is shown and never steers the reader's terminal, page or Markdown.
func TestNothingInScoresSteersTheReader(t *testing.T) {
	p := hostileProject()
	both := []Project{p, fullProject()}
	texts := map[string]string{
		"card": ScoreText([]Project{p}, Options{}), "why": ScoreText([]Project{p}, Options{Why: true}), "table": ScoreText(both, Options{}), "compare": ScoreText(both, Options{Compare: true}),
	}
	for _, format := range []string{"markdown", "scs-0008", "svg", "html"} {
		texts[format] = string(renderScore(t, format, []Project{p}, Options{}))
	}
	texts["markdown table"] = string(renderScore(t, "markdown", both, Options{}))
	texts["markdown compare"] = string(renderScore(t, "markdown", both, Options{Compare: true}))
	for name, text := range texts {
		for _, c := range text {
			if c != '\n' && (unicode.Is(unicode.C, c) || unicode.Is(unicode.Zl, c) || unicode.Is(unicode.Zp, c)) {
				t.Fatalf("%s: hidden %U", name, c)
			}
		}
		if strings.Contains(text, "secret@") {
			t.Errorf("%s shows a password", name)
		}
	}
}

var (
	mdOpensLink = regexp.MustCompile(`[^\\]\]\(`)
	mdOurLink   = regexp.MustCompile(`[^\\]\]\(https?://[^\s<>()]+\)`)
	mdLineStart = regexp.MustCompile(`^(#{1,2} |\| |\|-|( {2})*- |$|\d+[^\d.)]|[^ #>|\-+=\d\x60*_~!<\t])`)
)

// A law of every Markdown: data opens no tag, no link of its own, no mention and no line.
func TestNamesNeverBecomeMarkdown(t *testing.T) {
	for _, s := range scoreSamples() {
		for _, format := range []string{"markdown", "scs-0008"} {
			checkMarkdown(t, s.name+" "+format, string(renderScore(t, format, s.projects, Options{})))
		}
	}
}

func checkMarkdown(t *testing.T, name, text string) {
	t.Helper()
	if i := strings.IndexAny(text, "<>@"); i >= 0 {
		t.Errorf("%s: raw markup: %.80q", name, text[max(0, i-20):])
	}
	if opened, ours := len(mdOpensLink.FindAllString(text, -1)), len(mdOurLink.FindAllString(text, -1)); opened != ours {
		t.Errorf("%s: %d links are opened, %d of them by us to the web", name, opened, ours)
	}
	for _, l := range strings.Split(text, "\n") {
		if !mdLineStart.MatchString(l) {
			t.Errorf("%s: a line begins as no line of ours: %.80q", name, l)
		}
	}
}

func FuzzNamesNeverBecomeMarkdown(f *testing.F) {
	for _, seed := range []string{"etcd", "](https://evil.example)", "<b>", "1. x", "# x", "@everyone", "\\](x)", "a\nb", "| x |", "`x`", "&lt;", "---"} {
		f.Add(seed)
	}
	harmless := strings.Count(string(renderScore(f, "markdown", []Project{allNamed("x")}, Options{})), "\n")
	f.Fuzz(func(t *testing.T, name string) {
		text := string(renderScore(t, "markdown", []Project{allNamed(name)}, Options{}))
		if n := strings.Count(text, "\n"); n != harmless {
			t.Errorf("%d lines, want %d", n, harmless)
		}
		if strings.ContainsAny(text, "<>@") {
			t.Errorf("raw markup in %q", text)
		}
	})
}

// allNamed is a project with one string everywhere.
func allNamed(s string) Project {
	p := fullProject()
	p.Name = "n" + s
	p.Indicators = slices.Clone(p.Indicators)
	for i := range p.Indicators {
		p.Indicators[i].Reason, p.Indicators[i].Title, p.Indicators[i].Source = s, s, s
	}
	return p
}

func TestARecordHasEveryBulletInTheOrderOfTheStandard(t *testing.T) {
	for _, p := range []Project{fullProject(), noEvidence(), {Name: "bare"}} {
		text := string(renderScore(t, "scs-0008", []Project{p}, Options{}))
		at, bullets := 0, 0
		for _, g := range clauseGroups() {
			for _, c := range g.Clauses {
				i := strings.Index(text[at:], "("+c.ID+"): ")
				if i < 0 {
					t.Fatalf("%s: %s is missing or out of order", p.Name, c.ID)
				}
				line := text[strings.LastIndexByte(text[:at+i], '\n')+1 : at+i]
				if mark, _, _ := strings.Cut(strings.TrimLeft(line, " -"), " "); !slices.Contains([]string{"✔", "❓", "✘"}, mark) {
					t.Errorf("%s: %s begins with %q, want a mark of scs-0218", p.Name, c.ID, line)
				}
				at += i
				bullets++
			}
		}
		if bullets != 37 {
			t.Errorf("%d bullets, scs-0008 has 37", bullets)
		}
	}
}

func TestABulletHoldsOnlyIfAllItsAnswersDo(t *testing.T) {
	of := func(outcomes ...audit.Outcome) []Indicator {
		var out []Indicator
		for _, o := range outcomes {
			out = append(out, Indicator{Outcome: o})
		}
		return out
	}
	for _, c := range []struct {
		name string
		inds []Indicator
		mark string
		word string
	}{
		{"nothing", nil, "❓", "a person has to judge"},
		{"all hold", of(audit.PASS, audit.PASS, audit.NA), "✔", "holds"},
		{"nothing is known", of(audit.MISS, audit.DNF), "❓", "not known"},
		{"some is known", of(audit.PASS, audit.MISS), "❓", "as far as it is known"},
		{"mixed", of(audit.PASS, audit.FAIL), "❓", "partly"},
		{"all fail", of(audit.FAIL, audit.FAIL), "✘", "fails"},
		{"failed and unknown", of(audit.FAIL, audit.MISS), "❓", "partly"},
		{"nothing applies", of(audit.NA), "❓", "does not apply"},
		{"a knock-out", []Indicator{{Outcome: audit.PASS}, {Outcome: audit.FAIL, KnockOut: true}}, "✘", "showstopper"},
	} {
		if s := clauseSign(c.inds); s.Mark != c.mark || !strings.Contains(s.Word, c.word) {
			t.Errorf("%s: got %s %s, want %s %s", c.name, s.Mark, s.Word, c.mark, c.word)
		}
	}
}

func TestProjectsAreComparedOnlyWhereIntervalsAllowIt(t *testing.T) {
	for _, c := range []struct {
		lowA, highA, lowB, highB int
		want                     string
	}{
		{5000, 6000, 2000, 4999, "A is higher, by less than 1 point"},
		{6000, 6000, 2000, 4000, "A is higher, by at least 20 points"},
		{0, 0, 100, 10000, "B is higher, by at least 1 point"},
		{5000, 6000, 6000, 7000, "not comparable: the intervals overlap"},
		{0, 10000, 5000, 5000, "not comparable: one of them is not known"},
		{5000, 5000, 5000, 5000, "equal"},
		{5000, 6000, 5000, 6000, "not comparable: the intervals overlap"},
	} {
		if got := comparedTo("A", "B", c.lowA, c.highA, c.lowB, c.highB); got != c.want {
			t.Errorf("%v: got %q", c, got)
		}
	}
}

func TestABadgeSaysProposalAndIsSoundXML(t *testing.T) {
	for _, p := range []Project{fullProject(), otherProject(), noEvidence(), hostileProject(), {Verdict: "almost", Profile: "default", ProfileVersion: "0.1.0"}} {
		data := renderScore(t, "svg", []Project{p}, Options{})
		if !strings.Contains(string(data), "proposal") || strings.Contains(strings.ToLower(string(data)), "certified") || strings.Contains(string(data), "<script") {
			t.Errorf("%s: %s", p.Name, data)
		}
		d := xml.NewDecoder(strings.NewReader(string(data)))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", p.Name, err, data)
			}
		}
	}
	if got, want := badgeText(otherProject()), "meets proposal default 0.1.0, 2026-11-23"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := RenderScore("svg", []Project{fullProject(), noEvidence()}, Options{}); err == nil {
		t.Error("a badge of two projects")
	}
}

func TestNamesOfFilesAreSafeAndDistinct(t *testing.T) {
	projects := []Project{{ID: "etcd"}, {ID: "../../etc/passwd"}, {ID: "Etcd"}, {ID: ""}, {ID: "https://github.com/a/b"}, {ID: "https://github.com/a-b"}, {ID: ".."}, {ID: strings.Repeat("é/", 300)}, {ID: "local clone"}, {ID: "x-12"}, {ID: "X"}, {ID: "x"}}
	seen := map[string]bool{}
	for i, name := range FileNames(projects) {
		if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,90}$`).MatchString(name) || seen[strings.ToLower(name)] {
			t.Errorf("%q becomes %q", projects[i].ID, name)
		}
		seen[strings.ToLower(name)] = true
	}
}

func TestWhatIsLostAddsUpToTheScore(t *testing.T) {
	p := fullProject()
	for _, a := range losses(p, nil) {
		if len(a.Aspect.KnockOuts) > 0 {
			continue
		}
		certain, open := 0, 0
		for _, l := range a.Lost {
			certain, open = certain+l.Certain, open+l.Open
		}
		if high := 1000 - certain; high < (a.Aspect.High/10)-len(a.Lost) || high > a.Aspect.High/10+len(a.Lost) {
			t.Errorf("%s: %d tenths are certainly lost, and the high end is %d", a.Title, certain, a.Aspect.High)
		}
		if width := (a.Aspect.High - a.Aspect.Low) / 10; a.Aspect.Aspect != "lock-in" && (open < width-len(a.Lost) || open > width+len(a.Lost)) {
			t.Errorf("%s: %d tenths are open, and the interval is %d wide", a.Title, open, width)
		}
	}
}

func TestThresholdsAreSaidInWords(t *testing.T) {
	n := func(i int) *int { return &i }
	for _, c := range []struct {
		rule *Rule
		want string
		high string
	}{
		{nil, "", "the question would have to hold: T"},
		{&Rule{Scale: "boolean", Unit: "boolean"}, "holds or fails; there is no number", "the question would have to hold: T"},
		{&Rule{Scale: "steps", Unit: "people", Fail: n(1), Pass: n(3), Window: 365}, "holds at 3 people, fails at 1 person; over 365 days", "at least 3 people gives all points, counted over 365 days"},
		{&Rule{Scale: "steps", Unit: "basis-points", Fail: n(9000), Pass: n(5000)}, "holds at 50 %, fails at 90 %", "at most 50 % gives all points"},
		{&Rule{Scale: "linear", Unit: "days", Fail: n(30), Pass: n(7)}, "no points at 30 days, all at 7 days, a line between", "at most 7 days gives all points"},
		{&Rule{Scale: "information", Unit: "none"}, "shown for information, it does not count", "the question would have to hold: T"},
		{&Rule{Scale: "linear", Unit: "basis-points-per-year", Fail: n(-2550), Pass: n(0)}, "no points at -25.5 % a year, all at 0 % a year, a line between", "at least 0 % a year gives all points"},
	} {
		i := Indicator{Title: "T", Rule: c.rule}
		if got := thresholdText(i); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if got := raiseText(i); got != c.high {
			t.Errorf("got %q, want %q", got, c.high)
		}
	}
}

func BenchmarkScoreFormats(b *testing.B) {
	projects := make([]Project, 150)
	for i := range projects {
		projects[i] = fullProject()
		projects[i].ID = fmt.Sprintf("p%d", i)
	}
	for _, f := range ScoreFormats() {
		if f.Single {
			continue
		}
		b.Run(f.Name, func(b *testing.B) {
			for b.Loop() {
				renderScore(b, f.Name, projects, Options{})
			}
		})
	}
}
