package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// aspectLosses are the points that a project lacks in one aspect, and why.
type aspectLosses struct {
	Aspect Aspect
	Title  string
	Lost   []loss
}

// loss is one indicator that has not all its points. Certain and Open count tenths of a point of its aspect, of 100 points:
// what is known to be missing, and what may be missing because it is not known.
type loss struct {
	Indicator     Indicator
	Sign          sign
	Certain, Open int
	KnockOut      bool     // it knocks out its aspect now
	Grade         string   // of the evidence, in words
	Cost          string   // of the two, in words
	Threshold     string   // by which numbers; with their source
	Raise         string   // what would give the points
	Settle        []string // what would settle it where it is not known
	Reads         []read
	Contested     string
}

// read is one place that an answer rests on.
type read struct {
	Text, Link, Note string
}

// losses lists what each aspect lacks, in the order of the aspects, the largest loss first. With only, indicators or
// aspects of these ids are listed, also those with all their points.
func losses(p Project, only []string) []aspectLosses {
	weights := map[string]int{}
	for _, i := range p.Indicators {
		if i.Outcome != audit.NA {
			weights[i.Aspect] += i.Weight
		}
	}
	byAspect := map[string][]loss{}
	for _, i := range p.Indicators {
		wanted := i.Outcome != audit.NA && i.Low < audit.Full && (i.Weight > 0 || i.Outcome == audit.FAIL)
		wanted = wanted || i.Contested != nil
		if len(only) > 0 {
			wanted = slices.Contains(only, i.ID) || wanted && slices.Contains(only, i.Aspect)
		}
		if wanted {
			byAspect[i.Aspect] = append(byAspect[i.Aspect], lossOf(p, i, weights[i.Aspect]))
		}
	}
	var out []aspectLosses
	for _, a := range p.Aspects {
		if lost := byAspect[a.Aspect]; len(lost) > 0 {
			slices.SortStableFunc(lost, compareLosses)
			out = append(out, aspectLosses{a, aspectTitle(a.Aspect), lost})
		}
	}
	return out
}

// compareLosses puts what knocks out first, then orders by the points that an answer could bring: certainly lost and not known
// together; then by those certainly lost, then by id.
func compareLosses(a, b loss) int {
	switch {
	case a.KnockOut && !b.KnockOut:
		return -1
	case b.KnockOut && !a.KnockOut:
		return 1
	}
	return cmp.Or(b.Certain+b.Open-a.Certain-a.Open, b.Certain-a.Certain, cmp.Compare(a.Indicator.ID, b.Indicator.ID))
}

func lossOf(p Project, i Indicator, weight int) loss {
	l := loss{Indicator: i, Sign: outcomeSign(i.Outcome), Threshold: thresholdText(i), Grade: gradeText(i.Grade), Contested: contestedText(i.Contested)}
	if i.Outcome == audit.NA {
		weight = 0
	}
	if weight > 0 {
		const perTenth = audit.Full / 1000
		l.Certain = i.Weight * (audit.Full - i.High) / (weight * perTenth)
		l.Open = (i.Weight*(i.High-i.Low) + weight*perTenth - 1) / (weight * perTenth)
	}
	l.KnockOut = knockedOutBy(p, i)
	l.Cost = costText(l, i)
	if i.Source != "" {
		l.Threshold = strings.TrimPrefix(l.Threshold+"; source: "+i.Source, "; ")
	}
	if i.Outcome.Decided() && i.Low < audit.Full {
		l.Raise = raiseText(i)
	}
	if i.Low < i.High || !i.Outcome.Decided() {
		l.Settle = i.Settle
	}
	for _, o := range i.Origins {
		if (o != audit.Origin{}) {
			l.Reads = append(l.Reads, readOf(o, p.Repo))
		}
	}
	return l
}

func knockedOutBy(p Project, i Indicator) bool {
	for _, a := range p.Aspects {
		if a.Aspect == i.Aspect && slices.Contains(a.KnockOuts, i.ID) {
			return true
		}
	}
	return false
}

func costText(l loss, i Indicator) string {
	title := aspectTitle(i.Aspect)
	switch {
	case l.KnockOut:
		return "knocks out " + title + ": while it fails, all of it is 0"
	case i.Outcome == audit.NA:
		return "does not count"
	case i.Weight == 0:
		return "no weight: it costs nothing"
	case l.Certain > 0 && l.Open > 0:
		return fmt.Sprintf("costs %s points of %s, and %s more may be missing", tenths(l.Certain), title, tenths(l.Open))
	case l.Certain > 0:
		return fmt.Sprintf("costs %s points of %s", tenths(l.Certain), title)
	case l.Open > 0:
		return fmt.Sprintf("%s points of %s are not known", tenths(l.Open), title)
	case i.Low == audit.Full:
		return "all its points are there"
	}
	return fmt.Sprintf("costs less than 0.1 points of %s", title)
}

func tenths(n int) string {
	if n%10 == 0 {
		return fmt.Sprint(n / 10)
	}
	return fmt.Sprintf("%d.%d", n/10, n%10)
}

// readOf names a place with the address that a browser can open, and which moment it tells of.
func readOf(o audit.Origin, repo string) read {
	r := read{Text: originText(o), Link: pageURL(o, repo)}
	var notes []string
	if o.Commit != "" {
		notes = append(notes, "at "+short(o.Commit))
	}
	if o.Source != "" {
		notes = append(notes, "by "+o.Source)
	}
	if !o.At.IsZero() {
		notes = append(notes, "of "+day(o.At))
	}
	r.Note = strings.Join(notes, ", ")
	return r
}

// contestedText gives the words of a project that disagrees, with role, day, source page and place; "" if it does not.
func contestedText(c *Contested) string {
	if c == nil {
		return ""
	}
	who := cmp.Or(map[string]string{"project": "the project", "catalogue": "a correction in the catalogue", "file": "a correction file of this run, which nobody else has looked at"}[c.By], c.By)
	if c.Role != "" && c.By != "project" {
		who += " (" + c.Role + ")"
	}
	text := "Contested by " + who
	if !c.At.IsZero() {
		text += " on " + day(c.At)
	}
	text += ": “" + c.Words + "”"
	var notes []string
	if c.Value != "" {
		notes = append(notes, "holds to be right: "+c.Value)
	}
	if page := webURL(c.Source); page != "" {
		notes = append(notes, "source: "+page)
	}
	if (c.Origin != audit.Origin{}) {
		notes = append(notes, cmp.Or(originURL(c.Origin), originText(c.Origin)))
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, "; ") + ")"
	}
	return text
}

// gradeText says what kind of evidence an answer rests on; "" if it rests on none.
func gradeText(g audit.Grade) string {
	words := map[audit.Grade]string{
		audit.GradeRecord: "a record of git or the forge itself", audit.GradeForge: "an answer of the forge", audit.GradeThirdParty: "an answer of a third party",
		audit.GradeDeclared: "what the project says of itself", audit.GradeOperator: "what the operator says",
	}[g]
	if words == "" {
		return ""
	}
	return "grade " + string(g) + ", " + words
}
