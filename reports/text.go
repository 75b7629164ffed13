package reports

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// How much the text shows before it counts; everything else is in the other formats. The numbers keep the report of a
// reference stack with two requested levels near 60 lines.
const (
	maxFailing = 6 // failing requirements of one level
	maxOpen    = 3 // open requirements of one level
	maxReasons = 2 // reasons of one failing requirement
	maxUnseen  = 4
	maxDrift   = 6 // differences between intent and fact
)

// Text writes the report for a terminal. The first sentence is the decision with its limiting findings; then the ladder,
// the distance to each level by who can act, and what was not seen.
func Text(r Report, opt Options) ([]byte, error) {
	words := lexiconOf(r, opt.Lang)
	r = shown(translated(r, opt.Lang))
	t := newTerminal(opt)
	t.words = words
	if thought := r.WhatIf.Sentences(scopeTitles(r)); len(thought) > 0 {
		for _, s := range thought {
			t.para("", s)
		}
		t.b.WriteByte('\n')
	}
	t.verdicts(r)
	for _, d := range decisions(r) {
		t.signed("", d.Sign, d.Sentence())
	}
	t.b.WriteByte('\n')
	t.para("", notCertificate+" "+proposal(r))
	t.para("", sentence(what(r))+" "+assurance(r)+" "+holds(r))
	t.para("", driftSentence(r))
	t.ladder(r)
	for _, s := range distance(r) {
		t.step(s)
	}
	if lines := append(alone(r), unusedWaivers(r)...); len(lines) > 0 {
		t.heading("How far the operator gets alone")
		for _, l := range lines {
			t.para("  ", l)
		}
	}
	t.critical(r)
	t.unseen(r)
	t.risks(r)
	t.drift(r)
	if r.Operator != nil {
		t.heading("What the operator shows")
		t.para("  ", sentence(answersInWords(r.Operator.Answers))+" “pegel transparency BUNDLE” lists them; the HTML report has them too.")
	}
	t.crosswalk(r, opt.Lang)
	t.more(r)
	return []byte(t.b.String()), nil
}

// verdicts says in the words of another language what the English sentences below say at length.
func (t *terminal) verdicts(r Report) {
	if len(t.words) == 0 {
		return
	}
	for _, v := range r.Verdicts {
		if v.Requested {
			s := verdictSign(v.Outcome)
			t.signed("", s, v.Title+": "+t.words.of(s.Word))
		}
	}
	t.b.WriteByte('\n')
}

func (t *terminal) ladder(r Report) {
	for _, rungs := range layers(r) {
		t.heading("Levels, " + layerTitle(rungs[0].Layer))
		widest := 0
		for _, rung := range rungs {
			widest = max(widest, utf8.RuneCountInString(rung.Title))
		}
		for _, rung := range rungs {
			s := rungSign(rung.State)
			text := t.words.of(s.Word)
			if rung.Reason != "" {
				text += ": " + rung.Reason
			}
			if t.width < 64 { // too narrow for two columns
				t.para(fmt.Sprintf("  %d  ", rung.Level), rung.Title)
				t.signed("     ", s, text)
				continue
			}
			widest = min(widest, 28)
			t.signed(fmt.Sprintf("  %d  %s  ", rung.Level, pad(cut(rung.Title, widest), widest)), s, text)
		}
	}
}

func (t *terminal) step(s step) {
	if len(s.Acts) == 0 && s.Above == "" && len(s.Regions) == 0 {
		return
	}
	title := "What " + s.Verdict.Title + " still needs"
	if !s.Verdict.Requested {
		title += " (not asked for itself, but needed for the level above it)"
	}
	if len(s.Acts) == 0 && s.Above == "" {
		title = s.Verdict.Title + ", region by region"
	}
	t.heading(title)
	for _, line := range s.Regions {
		t.signed("  ", line.Sign, line.Name+": "+line.Sign.Word+". "+line.Text)
	}
	if s.Above != "" {
		text := "All that " + s.Above + " needs"
		if len(s.Acts) > 0 {
			text += ", and:"
		} else {
			text += "; nothing more."
		}
		t.para("  ", text)
	}
	failing, open := maxFailing, maxOpen
	left := 0
	for _, a := range s.Acts {
		var show []*group
		for _, g := range alike(a.Groups) {
			budget := &open
			if g.Fails {
				budget = &failing
			}
			if *budget == 0 {
				left++
				continue
			}
			*budget--
			show = append(show, g)
		}
		if len(show) > 0 {
			t.para("  ", a.Words+":")
		}
		for _, g := range show {
			t.group(g)
		}
	}
	if left > 0 {
		t.para("    ", "… and "+plural(left, "more point", "more points")+"; the HTML report lists them all.")
	}
}

// alike joins open groups that say the same about the same subjects into one with all their titles.
func alike(groups []*group) []*group {
	var out []*group
	at := map[string]int{}
	for _, g := range groups {
		if g.Fails {
			out = append(out, g)
			continue
		}
		key := fmt.Sprint(g.Should, g.Kind, g.Miss, g.DNF, "\x00", strings.Join(g.Names, "\x00"), "\x00", asks(g))
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, g)
			continue
		}
		joined := *out[i]
		joined.Title += "; " + g.Title
		out[i] = &joined
	}
	return out
}

// asks is what the text says after the subjects of an open group.
func asks(g *group) string {
	if len(g.Settle) > 0 {
		return g.Settle[0]
	}
	return strings.Join(g.reasons(), "\x00")
}

func (t *terminal) group(g *group) {
	title := g.Title
	if g.Should {
		title += " (recommended)"
	}
	if g.Fails {
		t.failing(title, g)
		return
	}
	text := title + ": " + g.open(3)
	if reasons := g.reasons(); len(reasons) == 1 && g.Count == 1 {
		text += ", " + reasons[0]
	}
	if len(g.Settle) > 0 {
		text = stop(text) + " Would settle it: " + g.Settle[0]
	}
	t.signed("    ", sign{"?", "", unsure}, stop(text))
}

func (t *terminal) failing(title string, g *group) {
	mark := sign{"✗", "", bad}
	reasons := g.reasons()
	if len(reasons) <= 1 {
		text := title + ": " + g.whom(3)
		if len(reasons) == 1 {
			text = strings.TrimSuffix(text, ": ") + ": " + reasons[0]
		}
		t.signed("    ", mark, stop(text))
	} else {
		t.signed("    ", mark, stop(title+": "+cmp.Or(countOf(g.Kind, g.Count), g.whom(3))))
		shown := reasons
		if len(reasons) > maxReasons+1 {
			shown = reasons[:maxReasons]
		}
		for _, reason := range shown {
			t.para("      - ", reason)
		}
		if len(shown) < len(reasons) {
			t.para("      - ", fmt.Sprintf("and %d more", len(reasons)-len(shown)))
		}
	}
	if g.Remedy != "" {
		t.para("      To do: ", stop(g.Remedy))
	}
}

func (t *terminal) unseen(r Report) {
	t.heading("What was seen, and what was not")
	t.para("  ", seen(r.Coverage))
	for _, x := range regionsSeen(r) {
		t.para("  ", sentence(x.Name+": "+x.Text))
	}
	for i, u := range r.NotSeen {
		if i == maxUnseen {
			t.para("  ", "… and "+plural(len(r.NotSeen)-i, "more thing", "more things")+" not seen; the HTML report lists them.")
			break
		}
		t.signed("  ", sign{"?", "", unsure}, unseenText(u, 3))
	}
}

// drift lists differences between intent and fact, certain ones first.
func (t *terminal) drift(r Report) {
	if len(r.Drift) == 0 {
		return
	}
	t.heading("Intent against fact")
	rows := driftRows(r)
	for i, d := range rows {
		if i == maxDrift {
			t.para("  ", "… and "+plural(len(rows)-i, "more difference", "more differences")+"; the HTML report shows them as a table.")
			break
		}
		s := driftSign(d)
		t.signed("  ", s, d.Name+": "+s.Word)
		t.side(r, "declared", d.Declared, d.none("by nothing"))
		t.side(r, "running", d.Running, d.none("not seen"))
		note := stop(d.Detail)
		if d.Open != "" {
			note += " Cannot be told yet: " + stop(d.Open)
		}
		t.para("      ", note)
	}
}

// side shows one half of a difference.
func (t *terminal) side(r Report, word string, s *DriftSide, none string) {
	text := none
	if s != nil {
		text = cmp.Or(s.version(), "version not known")
		if where := s.where(r, 1); where != "" {
			text += " – " + where
		}
	}
	t.para("      "+pad(word, 9), text)
}

func unseenText(u Unseen, most int) string {
	text := u.What
	if len(u.Names) > 0 {
		text += " (" + some(u.Names, most, u.Count) + ")"
	} else if u.Count > 1 {
		text += " (" + thousands(u.Count) + ")"
	}
	if u.Reason != "" {
		text += ": " + u.Reason
	}
	text = sentence(text)
	if u.Settle != "" {
		text += " Would settle it: " + stop(u.Settle)
	}
	return text
}

func (t *terminal) more(r Report) {
	t.heading("How to read this")
	t.para("  ", "“Not looked at”: nobody asked yet. “Looked, could not tell”: no answer was to be had. Neither counts as good or bad.")
	names := "Internal names are left out (--full shows them)."
	if r.Visibility != Public {
		names = "Internal names are shown: do not publish this."
	}
	t.para("  ", "The HTML report shows everything with its evidence, the JSON report the same for programs. "+names)
	if r.Evidence.Digest != "" {
		t.para("  ", "Evidence "+string(r.Evidence.Digest))
	}
}
