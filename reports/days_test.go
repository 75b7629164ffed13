package reports

import (
	"strings"
	"testing"
)

func TestDifferentDaysAreSaidInEveryFormatThatSetsProjectsSideBySide(t *testing.T) {
	a, b := fullProject(), otherProject()
	for _, c := range []struct {
		days     int
		between  string // below a table
		compared bool   // with a warning
	}{
		{0, "", false},
		{31, "Judged on different days", false},
		{32, "Judged on different days", true},
	} {
		b.At = a.At.AddDate(0, 0, -c.days)
		projects := []Project{a, b}
		for _, format := range []string{"text", "markdown", "html"} {
			got := strings.Join(strings.Fields(string(renderScore(t, format, projects, Options{}))), " ")
			want := "Judged on different days, from " + day(b.At) + " to " + day(a.At) + "; --at DAY judges all on one day."
			if strings.Contains(got, want) != (c.between != "") {
				t.Errorf("%s, %d days apart: says it: %v", format, c.days, strings.Contains(got, want))
			}
		}
		for _, format := range []string{"text", "markdown"} {
			got := strings.Join(strings.Fields(string(renderScore(t, format, projects, Options{Compare: true}))), " ") // without line breaks
			if warned := strings.Contains(got, "may come from that alone"); warned != c.compared {
				t.Errorf("comparison as %s, %d days apart: warned %v, want %v", format, c.days, warned, c.compared)
			}
			if marked := strings.Contains(got, "each on its own day"); marked != c.compared {
				t.Errorf("comparison as %s, %d days apart: activity marked %v, want %v", format, c.days, marked, c.compared)
			}
		}
		index := string(siteFiles(t, siteOf(projects...))["index.html"])
		if strings.Contains(index, "Judged on different days") != (c.between != "") || !strings.Contains(index, "<td>"+day(b.At)+"</td>") {
			t.Errorf("site, %d days apart: the index does not say the days rightly", c.days)
		}
	}
}

func TestTheLargestGainsStandFirstAndKnockOutsBeforeThem(t *testing.T) {
	p := fullProject()
	for _, a := range losses(p, nil) {
		for i, l := range a.Lost[1:] {
			before := a.Lost[i]
			if l.KnockOut && !before.KnockOut || l.KnockOut == before.KnockOut && l.Certain+l.Open > before.Certain+before.Open {
				t.Errorf("%s: %s stands below %s", a.Title, l.Indicator.ID, before.Indicator.ID)
			}
		}
	}
	for _, c := range []struct{ a, b loss }{
		{loss{Open: 200}, loss{Certain: 100}},
		{loss{Certain: 100, Open: 50}, loss{Open: 150}},
		{loss{KnockOut: true, Certain: 1}, loss{Certain: 900}},
	} {
		if compareLosses(c.a, c.b) >= 0 || compareLosses(c.b, c.a) <= 0 {
			t.Errorf("%+v does not stand before %+v", c.a, c.b)
		}
	}
}

func TestAContestIsShownWithRoleDayAndPageInEveryFormat(t *testing.T) {
	p := fullProject()
	for i := range p.Indicators {
		if c := p.Indicators[i].Contested; c != nil {
			p.Indicators[i].Contested = &Contested{By: "catalogue", Role: "packager", Value: "0.5", Source: "https://example.org/why", Words: c.Words, At: c.At, Origin: c.Origin}
		}
	}
	for _, format := range []string{"text", "markdown", "html"} {
		for _, opt := range []Options{{}, {Why: true}} {
			got := strings.Join(strings.Fields(string(renderScore(t, format, []Project{p}, opt))), " ")
			_, contest, _ := strings.Cut(got, "Contested by ")
			contest = contest[:min(len(contest), 300)]
			for _, want := range []string{"(packager) on " + day(assessedAt), "holds to be right: 0.5", "source: https://example.org/why"} {
				if !strings.Contains(contest, want) {
					t.Errorf("%s (why: %v): the contest is not shown with %q", format, opt.Why, want)
				}
			}
		}
	}
}
