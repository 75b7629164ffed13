package reports

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// siteProject is the page of one project.
type siteProject struct {
	siteFrame
	Slug, Meaning, Evaluated, Link, Role, Failure, Settle string
	Sign                                                  sign
	Weak                                                  bool // it lacks something that others could help with
	Bars                                                  []siteBar
	Helps                                                 []siteHelp
	Open                                                  string
	Join                                                  []siteJoin
	Questions                                             []siteAspect
	Gates                                                 []siteGate
	LockIn                                                *siteLockIn
	Risks                                                 []siteRisk
	History                                               *siteHistory
	Facts                                                 []factValue
	Origins                                               []originView
}

type siteBar struct {
	barView
	Confidence string
}

// siteHelp is what would raise one aspect, the largest gain first.
type siteHelp struct {
	Title string
	Lost  []siteLoss
	More  int
}

type siteLoss struct{ Anchor, Title, Cost, Raise string }

// mostHelps is how many lost questions of an aspect are listed; the table below has all.
const mostHelps = 5

type siteJoin struct{ Kind, Text, Link string }

type siteAspect struct {
	Anchor, Title string
	Rows          []siteQuestion
}

type siteQuestion struct {
	Anchor, ID, Title, Value, Reason, Settle, Threshold, Grade, Clauses string
	Sign                                                                sign
	Refs                                                                []int
	Contested                                                           *siteSaid
	Stated                                                              []siteSaid
}

// siteSaid is what somebody says about a question.
type siteSaid struct {
	Who, Value, Words, Day, Link, Place string
	Over                                bool
}

type siteGate struct {
	Sign                                sign
	Level, Aspect, Need, Margin, Settle string
	Source                              string
}

type siteRisk struct {
	Sign                  sign
	Title, Anchor, Reason string
	Radius                int
	Known, Accepted       bool
	Mitigations           []string
	Refs                  []int
}

func (b *siteBuilder) project(r *siteRow) (SiteFile, error) {
	p := shown(*r.project)
	index := newIndex()
	v := siteProject{
		siteFrame: b.frame(r.Name, "../", "project"), Slug: r.Slug, Sign: projectSign(p.Verdict), Meaning: b.meaning(p.Verdict),
		Link: webURL(p.Repo), Role: roleText(p.Role), Failure: sentence(p.Failure), Settle: stop(p.Settle), Weak: p.Verdict != "passed",
		Facts: facts(p),
	}
	plain := p
	plain.Repo = ""
	v.Evaluated = evaluated(plain)
	anchors := siteAnchors(p)
	for _, a := range p.Aspects {
		v.Bars = append(v.Bars, siteBar{barOf(p, a), percent(a.Confidence, audit.Full)})
	}
	v.Helps = b.helps(p, anchors)
	v.Open = openText(p)
	for _, j := range p.Join {
		v.Join = append(v.Join, siteJoin{b.joinKind(j.Kind), j.Text, originURL(j.Origin)})
	}
	v.Questions = b.questions(p, anchors, index)
	for _, g := range p.Gates {
		v.Gates = append(v.Gates, b.gate(g))
	}
	v.LockIn = lockInOf(p.LockIn)
	for _, k := range p.Risks {
		v.Risks = append(v.Risks, siteRiskOf(k, anchors, index))
	}
	v.History = historyOf(p)
	v.Origins = index.rows
	return b.page("p/"+r.Slug+".html", "site-project.tmpl", v)
}

// meaning says what a verdict word of scs-0218 means here.
func (b *siteBuilder) meaning(verdict string) string {
	switch verdict {
	case "passed", "almost", "showstopper":
		return b.words.text("verdict." + verdict)
	}
	return b.words.text("verdict.undetermined")
}

func (b *siteBuilder) joinKind(kind string) string {
	switch kind {
	case "contributing", "code-of-conduct", "governance", "maintainers", "roadmap", "security", "funding", "adopters", "review", "place", "elections", "channel":
		return b.words.text("join." + kind)
	}
	return kind
}

var anchorID = regexp.MustCompile(`^[A-Za-z]{2,10}-[0-9]{1,3}$`)

// siteAnchors gives every question the anchor by which others can link to it: its id where that is plain.
func siteAnchors(p Project) map[string]string {
	out := map[string]string{}
	for n, i := range p.Indicators {
		if _, ok := out[i.ID]; ok {
			continue
		}
		out[i.ID] = "q" + thousands(n+1)
		if anchorID.MatchString(i.ID) {
			out[i.ID] = i.ID
		}
	}
	return out
}

// helps lists what would raise each aspect that has something to raise.
func (b *siteBuilder) helps(p Project, anchors map[string]string) []siteHelp {
	var out []siteHelp
	for _, a := range losses(p, nil) {
		h := siteHelp{Title: a.Title}
		for _, l := range a.Lost {
			if len(h.Lost) == mostHelps {
				h.More = len(a.Lost) - mostHelps
				break
			}
			h.Lost = append(h.Lost, siteLoss{anchors[l.Indicator.ID], cmp.Or(l.Indicator.Title, l.Indicator.ID), l.Cost,
				sentence(cmp.Or(l.Raise, strings.Join(l.Settle, "; ")))})
		}
		out = append(out, h)
	}
	return out
}

// openText counts the questions that nobody could answer.
func openText(p Project) string {
	n := 0
	for _, i := range p.Indicators {
		if i.Outcome == audit.MISS || i.Outcome == audit.DNF {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return plural(n, "question", "questions")
}

func (b *siteBuilder) questions(p Project, anchors map[string]string, index *originIndex) []siteAspect {
	var out []siteAspect
	at := map[string]int{}
	had := map[string]bool{}
	for _, i := range p.Indicators {
		n, ok := at[i.Aspect]
		if !ok {
			n = len(out)
			at[i.Aspect] = n
			out = append(out, siteAspect{Anchor: "aspect" + thousands(n+1), Title: cmp.Or(aspectTitle(i.Aspect), "–")})
		}
		q := siteQuestion{
			ID: i.ID, Title: cmp.Or(i.Title, i.ID), Value: strings.TrimSpace(i.Value + " " + i.Unit), Reason: sentence(i.Reason), Sign: outcomeSign(i.Outcome),
			Threshold: sentence(thresholdAndSource(i)), Grade: string(i.Grade), Clauses: strings.Join(i.Clauses, ", "), Refs: index.refs(i.Origins),
		}
		if !had[i.ID] { // an anchor stands once
			had[i.ID], q.Anchor = true, anchors[i.ID]
		}
		if i.Low < i.High || !i.Outcome.Decided() {
			q.Settle = sentence(strings.Join(i.Settle, "; "))
		}
		if c := i.Contested; c != nil {
			said := b.said(Stated{By: c.By, Role: c.Role, Value: c.Value, Source: c.Source, Words: c.Words, At: c.At, Origin: c.Origin})
			q.Contested = &said
		}
		for _, s := range i.Stated {
			q.Stated = append(q.Stated, b.said(s))
		}
		out[n].Rows = append(out[n].Rows, q)
	}
	return out
}

func thresholdAndSource(i Indicator) string {
	var parts []string
	if text := thresholdText(i); text != "" {
		parts = append(parts, text)
	}
	if i.Source != "" {
		parts = append(parts, "source: "+i.Source)
	}
	return strings.Join(parts, "; ")
}

func (b *siteBuilder) said(s Stated) siteSaid {
	who := s.By
	switch s.By {
	case "project", "catalogue", "file", "operator":
		who = b.words.text("by." + s.By)
	}
	if s.Role != "" && s.By != "project" {
		who += ", " + s.Role
	}
	out := siteSaid{Who: who, Value: s.Value, Words: s.Words, Day: day(s.At), Over: s.Over, Link: cmp.Or(webURL(s.Source), originURL(s.Origin))}
	if (s.Origin != audit.Origin{}) {
		out.Place = originText(s.Origin)
	}
	return out
}

func (b *siteBuilder) gate(g Gate) siteGate {
	s := sign{"?", b.words.text("gate.open"), unsure}
	switch g.Outcome {
	case audit.PASS:
		s = sign{"✓", b.words.text("gate.met"), good}
	case audit.FAIL:
		s = sign{"✗", b.words.text("gate.missed"), bad}
	}
	out := siteGate{Sign: s, Level: g.Level, Aspect: aspectTitle(g.Aspect), Need: b.words.text("gate.need", share(g.Low), share(g.Coverage)),
		Settle: sentence(strings.Join(g.Settle, "; ")), Source: g.Source}
	if g.Margin != 0 {
		out.Margin = b.words.text("gate.margin", share(max(g.Margin, -g.Margin)))
	}
	return out
}

func siteRiskOf(r Risk, anchors map[string]string, index *originIndex) siteRisk {
	out := siteRisk{Sign: outcomeSign(r.Outcome), Title: cmp.Or(r.Title, r.Indicator), Anchor: anchors[r.Indicator], Reason: sentence(r.Reason),
		Accepted: r.Accepted, Refs: index.refs(r.Origins)}
	if r.Radius != nil {
		out.Radius, out.Known = *r.Radius, true
	}
	for _, m := range r.Mitigations {
		text := strings.TrimSpace(m.Kind + ": " + m.Text)
		if m.Declared {
			text += " (declared)"
		}
		out.Mitigations = append(out.Mitigations, text)
	}
	return out
}

// aspectsOfQuarters are the aspects that any quarter has, in the order of the first that has most.
func aspectsOfQuarters(quarters []Quarter) []string {
	var out []string
	for _, q := range quarters {
		for _, a := range q.Aspects {
			if !slices.Contains(out, a.Aspect) {
				out = append(out, a.Aspect)
			}
		}
	}
	return out
}
