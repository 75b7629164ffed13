package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

//go:embed html/score.tmpl
var scoreSource string

// ScoreHTML writes the cards of projects as one self-contained file: no script, no request to anybody, a strict content
// security policy, light or dark as the reader likes. Everything from a project is escaped by html/template.
func ScoreHTML(projects []Project, _ Options) ([]byte, error) {
	t, err := template.New("score").Parse(scoreSource)
	if err != nil {
		return nil, fmt.Errorf("reading score template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newScorePage(shown(projects))); err != nil {
		return nil, fmt.Errorf("filling score template: %w", err)
	}
	return b.Bytes(), nil
}

// scorePage is what the template shows; every string in it is printable already.
type scorePage struct {
	Style                             template.CSS // our own style sheet, never data
	StyleHash, Title, Proposal, Tally string
	Many                              bool
	Aspects                           []string
	Cards                             []cardView
}

// cardView is the card of one project.
type cardView struct {
	Anchor, Name, Sentence, Evaluated, Link, Role, Failure, Holds string
	Sign                                                          sign
	Cells                                                         []barView
	Gates, Risks                                                  []lineView
	LockIn                                                        *axesView
	Columns                                                       []string
	Quarters                                                      []quarterView
	Facts                                                         []factValue
	Losses                                                        []lossesView
}

type lineView struct {
	Sign sign
	Text string
}

type axesView struct {
	Sign                sign
	Probability, Effect string
}

type quarterView struct {
	Day   string
	Sign  sign
	Cells []string
}

type lossesView struct {
	Head string
	Rows []lossView
}

type lossView struct {
	Sign                                                                       sign
	Title, ID, Reason, Cost, Value, Contested, Grade, Threshold, Raise, Settle string
	Reads                                                                      []read
}

func newScorePage(projects []Project) scorePage {
	sum := sha256.Sum256([]byte(styleSource))
	page := scorePage{Style: template.CSS(styleSource), StyleHash: base64.StdEncoding.EncodeToString(sum[:]),
		Title: "Health of upstream projects", Proposal: "All thresholds are a proposal; this is not an SCS certificate.", Many: len(projects) > 1}
	for _, id := range aspectOrder {
		page.Aspects = append(page.Aspects, aspectTitle(id))
	}
	for i, p := range projects {
		page.Cards = append(page.Cards, cardOf(p, fmt.Sprintf("p%d", i+1)))
	}
	switch len(projects) {
	case 0:
	case 1:
		page.Title, page.Proposal = "Health of "+projects[0].Name, scoreProposal(projects[0])
	default:
		page.Tally, page.Proposal = strings.TrimSpace(tally(projects)+" "+daysSentence(projects)), scoreProposal(projects[0])
	}
	return page
}

func cardOf(p Project, anchor string) cardView {
	plain := p
	plain.Repo = ""
	v := cardView{Anchor: anchor, Name: p.Name, Sign: projectSign(p.Verdict), Sentence: projectSentence(p), Evaluated: evaluated(plain), Link: webURL(p.Repo),
		Role: roleText(p.Role), Failure: failureText(p), Columns: aspectCodes[:], Facts: facts(p)}
	if len(p.Aspects) > 0 {
		for _, id := range aspectOrder {
			a, _ := aspectOf(p, id)
			v.Cells = append(v.Cells, barOf(p, a))
		}
	}
	for _, g := range p.Gates {
		s, words := gateLine(g)
		v.Gates = append(v.Gates, lineView{s, stop(words)})
	}
	for _, r := range p.Risks {
		v.Risks = append(v.Risks, lineView{outcomeSign(r.Outcome), riskText(r)})
	}
	if l := p.LockIn; l != nil {
		v.LockIn = &axesView{classSign(l.Risk), axisSentence(l.Probability), axisSentence(l.Effect)}
	}
	for _, q := range p.Quarters {
		v.Quarters = append(v.Quarters, quarterView{day(q.End), projectSign(q.Verdict), quarterCells(q)})
	}
	for _, a := range losses(p, nil) {
		v.Losses = append(v.Losses, lossesView{a.head(), lossViews(a.Lost)})
	}
	if g := reasonsOf(p); len(g.Pass) > 0 {
		v.Holds = sentence(plural(len(g.Pass), "question holds", "questions hold") + ": " + list(titlesOf(g.Pass)))
	}
	return v
}

func lossViews(lost []loss) []lossView {
	var out []lossView
	for _, l := range lost {
		i := l.Indicator
		out = append(out, lossView{Sign: l.Sign, Title: i.Title, ID: i.ID, Reason: sentence(i.Reason), Cost: sentence(l.Cost),
			Value: strings.TrimSpace(i.Value + " " + i.Unit), Contested: l.Contested, Grade: l.Grade, Threshold: stop(l.Threshold), Raise: stop(l.Raise),
			Settle: stop(strings.Join(l.Settle, "; ")), Reads: l.Reads})
	}
	return out
}
