// Package indicator asks 89 questions about an upstream project. In go the evidence that collectors wrote down, the
// project as the stack uses it, and the rule of a profile; out come measurements: an outcome, an interval, the value, and
// the reason in plain words. It is pure: it reads no clock, no network and no file, and the same input gives the same
// bytes. It never turns something unknown into PASS or FAIL.
//
// Four rules hold for all questions. What nobody looked for is MISS, what somebody looked for in vain is DNF, both with
// the interval [0, 10000]. Something that was searched in the repository only is never called absent while the hosting
// foundation or places that the README names were not read (presence.go). A history that is cut off, or shorter than the
// window, gives a lower bound, which may be enough to pass but never fails. What somebody says answers only what nothing
// else can answer (statement.go).
package indicator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// Indicator is one question about a project.
type Indicator struct {
	ID string // as in the profile, e.g. "AC-01"
	// Measure answers the question from evidence about a project, judged by a rule of a profile. It fills every field of
	// the measurement that applies. It changes none of its arguments.
	Measure func(scoring.Evidence, scoring.Project, audit.IndicatorRule) scoring.Measurement
	answer  question // the same from an input, which many questions can share
}

// indicators is the list of All, which never changes, made once: a stack has thousands of projects.
var indicators = sync.OnceValue(All)

// Measure asks all indicators that the profile has a rule for. The result is sorted by indicator id.
func Measure(e scoring.Evidence, p scoring.Project, profile audit.Profile) []scoring.Measurement {
	e = withPlaces(e)
	all := indicators()
	out := make([]scoring.Measurement, 0, len(all))
	in := &input{e: e, p: p}
	for _, i := range all {
		if rule, ok := profile.Indicators[i.ID]; ok {
			in.rule = rule
			m := i.answer(in)
			if m.Outcome == audit.MISS || m.Outcome == audit.DNF {
				m.From = from(i.ID, &e, &p)
			}
			out = append(out, m)
		}
	}
	return out
}

// question is one indicator on the inside: it fills outcome, interval, value, reason, settle and origins.
type question func(*input) scoring.Measurement

// input is what a question is answered from.
type input struct {
	id    string
	e     scoring.Evidence
	p     scoring.Project
	rule  audit.IndicatorRule
	grade audit.Grade // the worst of the facts that were taken so far; empty: none of them has one

	// What several questions about one project work out.
	hosts   string
	classes map[string]licence.Class
}

// classOf is licence.ClassOf, worked out once for each expression.
func (in *input) classOf(expression string) licence.Class {
	class, ok := in.classes[expression]
	if !ok {
		class = licence.ClassOf(expression)
		if in.classes == nil {
			in.classes = map[string]licence.Class{}
		}
		in.classes[expression] = class
	}
	return class
}

// rests notes that the answer rests on a fact of a grade.
func (in *input) rests(g audit.Grade) { in.grade = max(in.grade, g) } // grades are letters, the worst is the last

// ask makes an indicator of a question.
func ask(id string, q question) Indicator {
	answer := func(in *input) scoring.Measurement {
		in.id, in.grade = id, ""
		e, rule := &in.e, in.rule
		m := q(in)
		m.Indicator, m.Aspect, m.Weight = id, rule.Aspect, rule.Weight
		if m.Unit == "" {
			m.Unit = shownUnit(rule.Unit, m.Value)
		}
		m.KnockOut = rule.KnockOut && m.Outcome == audit.FAIL
		if m.Grade == "" && (m.Outcome.Decided() || m.Interval.Known()) {
			m.Grade = in.grade
		}
		if m.Outcome.Decided() && len(m.Origins) == 0 {
			m.Origins = []audit.Origin{{Source: "git", URL: e.Repo, Commit: e.Revision, At: e.AssessedAt}}
		}
		return m
	}
	return Indicator{ID: id, answer: answer, Measure: func(e scoring.Evidence, p scoring.Project, rule audit.IndicatorRule) scoring.Measurement {
		return answer(&input{e: e, p: p, rule: rule})
	}}
}

// shownUnit is the unit of a value as shown: shares are shown as decimals, and what is no number has no unit.
func shownUnit(unit, shown string) string {
	number := strings.Trim(shown, "-.0123456789") == ""
	switch {
	case !number || unit == "boolean" || unit == "terms" || unit == "none":
		return ""
	case unit == "basis-points":
		return "share"
	case unit == "basis-points-per-year":
		return "share per year"
	}
	return unit
}

// half is the value of an answer between the thresholds of scale "steps" (health check semantics: warn counts 0.5).
const half = audit.Full / 2

func missed(reason string, settle ...string) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.MISS, Reason: reason, Settle: settle}
}

func untold(reason string, settle ...string) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.DNF, Reason: reason, Settle: settle}
}

func notApplicable(reason string) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.NA, Reason: reason}
}

func passed(value, reason string, origins ...audit.Origin) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.PASS, Interval: audit.Exactly(audit.Full), Value: value, Reason: reason, Origins: origins}
}

func partly(value, reason string, origins ...audit.Origin) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.PART, Interval: audit.Exactly(half), Value: value, Reason: reason, Origins: origins}
}

func failed(value, reason string, origins ...audit.Origin) scoring.Measurement {
	return scoring.Measurement{Outcome: audit.FAIL, Interval: audit.Exactly(0), Value: value, Reason: reason, Origins: origins}
}

// take returns the value of a fact, or the measurement that says why it is not known. A fact that is only declared does
// not count as measured (design section 4, rule 5).
func take[T any](in *input, f audit.Fact[T], what string) (v T, m scoring.Measurement, ok bool) {
	v, known := f.Get()
	settle := oneOf(f.Settle, in.e.Settle, "read "+what+" again")
	switch {
	case known && f.Declared:
		return v, untold(what+" is only declared, not measured", oneOf(f.Settle, "measure it")...), false
	case known:
		in.rests(f.Grade)
		return v, m, true
	case f.Failure != "":
		return v, untold(clip(f.Failure), settle...), false
	case in.e.Failure != "":
		return v, missed(clip(in.e.Failure), settle...), false
	}
	return v, missed("nobody looked at "+what, oneOf(f.Settle, in.e.Settle, "read "+what)...), false
}

// oneOf returns the first text that is not empty, as a list; nil if all are.
func oneOf(texts ...string) []string {
	if text := cmp.Or(texts...); text != "" {
		return []string{clip(text)}
	}
	return nil
}

// Bounds of what is believed and shown.
const (
	mostCount = 100_000_000 // commits, authors, files: Linux has some 1.5 million commits
	mostShown = 160         // bytes of one foreign text in a reason
	mostNames = 3           // names listed in a reason
)

// clip cuts long foreign text at a rune.
func clip(s string) string {
	if len(s) <= mostShown {
		return s
	}
	return strings.ToValidUTF8(s[:mostShown], "") + "..."
}

// plausible reports whether all counts are such as a collector can write.
func plausible(counts ...int) bool {
	for _, n := range counts {
		if n < 0 || n > mostCount {
			return false
		}
	}
	return true
}

func plausibleHistory(h scoring.History) bool {
	if !plausible(h.CommitsEver, h.AuthorsEver, h.Human90d, h.Newcomers12m, h.AuthorsYear2, h.Retained) || h.Retained > h.AuthorsYear2 {
		return false
	}
	for _, w := range h.Windows {
		if !plausibleWindow(w) {
			return false
		}
	}
	for _, q := range h.Quarters {
		if !plausible(q.Authors, q.Commits) {
			return false
		}
	}
	return true
}

func plausibleWindow(w scoring.Window) bool {
	shares := []int{w.TopAuthorBP, w.TopOrgLowBP, w.TopOrgHighBP, w.TopTwoLowBP, w.TopTwoHighBP}
	if slices.ContainsFunc(shares, func(bp int) bool { return bp < 0 || bp > audit.Full }) {
		return false
	}
	return plausible(w.Commits, w.HumanCommits, w.Authors, w.Committers, w.SignedOff, w.Reviewed, w.Reverts, w.BusFactor50,
		w.ActiveMonths, w.OffsetBands, w.ElephantLow, w.ElephantHigh, w.OutsideAuthorsLow, w.OutsideAuthorsHigh, w.TopOrgCommits, w.TopTwoCommits,
		w.UnknownCommits, w.UnknownRest) && plausible(w.UnknownAuthors...) &&
		w.SignedOff <= w.HumanCommits && w.Reviewed <= w.HumanCommits && w.Reverts <= w.Commits &&
		w.TopOrgLowBP <= w.TopOrgHighBP && w.TopTwoLowBP <= w.TopTwoHighBP && w.ElephantLow <= w.ElephantHigh &&
		w.OutsideAuthorsLow <= w.OutsideAuthorsHigh
}

// history returns the commit history.
func (in *input) history() (h scoring.History, m scoring.Measurement, ok bool) {
	h, m, ok = take(in, in.e.History, "the commit history")
	switch {
	case !ok:
		return h, m, false
	case in.e.AssessedAt.IsZero():
		return h, untold("the evidence does not say what day it is about", "collect the evidence again"), false
	case !plausibleHistory(h):
		return h, untold("the recorded history contradicts itself", "collect the evidence again"), false
	}
	return h, m, true
}

// window returns the history and its window that the rule asks for.
func (in *input) window() (h scoring.History, w scoring.Window, m scoring.Measurement, ok bool) {
	if h, m, ok = in.history(); !ok {
		return h, w, m, false
	}
	if w, ok = h.Window(monthsOf(in.rule.Window)); !ok {
		return h, w, untold(fmt.Sprintf("the history has no window of %s", plural(in.rule.Window, "day")),
			"use a profile with windows of 90, 182, 365 or 730 days"), false
	}
	return h, w, m, true
}

// monthsOf is the recorded window for a number of days; 0 if none is recorded.
func monthsOf(days int) int {
	switch days {
	case 90, 91:
		return 3
	case 182, 183:
		return 6
	case 365:
		return 12
	case 730:
		return 24
	}
	return 0
}

// active is window for questions that have no answer without human commits.
func (in *input) active() (h scoring.History, w scoring.Window, m scoring.Measurement, ok bool) {
	if h, w, m, ok = in.window(); ok && w.HumanCommits == 0 {
		return h, w, untold(fmt.Sprintf("no human commit in %s to judge by", plural(in.rule.Window, "day")), "new commits"), false
	}
	return h, w, m, ok
}

// whole is active for questions that a cut-off history cannot even bound.
func (in *input) whole() (h scoring.History, w scoring.Window, m scoring.Measurement, ok bool) {
	if h, w, m, ok = in.active(); ok && h.Shallow {
		return h, w, untold("the clone does not reach back to the first commit", "read a full clone"), false
	}
	return h, w, m, ok
}

// days returns the whole days from t to the assessment; negative if t is later.
func (in *input) days(t time.Time) int {
	return int(math.Floor(in.e.AssessedAt.Sub(t).Hours() / 24))
}

// bounded turns the answer of a history that is cut off, or shorter than the window, into a lower bound.
func (in *input) bounded(h scoring.History, m scoring.Measurement) scoring.Measurement {
	switch {
	case !m.Outcome.Decided() || m.Outcome == audit.PASS:
		return m
	case h.Shallow:
		return lowerBound(m, "the clone does not reach back to the first commit", "read a full clone")
	case in.rule.Window > 0 && in.days(h.FirstCommit) < in.rule.Window:
		return lowerBound(m, fmt.Sprintf("the project is younger than %s", plural(in.rule.Window, "day")), "ask again when the project is older")
	}
	return m
}

// lowerBound keeps the low end of an answer that more evidence can only better. PASS stays.
func lowerBound(m scoring.Measurement, because string, settle ...string) scoring.Measurement {
	m.Interval = audit.Between(m.Interval.Low(), audit.Full)
	if m.Interval.Low() == audit.Full {
		return m
	}
	m.Outcome = audit.DNF
	m.Reason += "; " + because
	m.Settle = append(m.Settle, settle...)
	return m
}

// tree returns the facts about the files.
func (in *input) tree() (t scoring.Tree, m scoring.Measurement, ok bool) {
	t, m, ok = take(in, in.e.Tree, "the files of the repository")
	if ok && !plausible(t.Files, t.SourceFiles, t.TestFiles, t.BinaryCount) {
		return t, untold("the recorded file counts contradict themselves", "collect the evidence again"), false
	}
	return t, m, ok
}

// byPath returns the documents nearest to the root first, then by name.
func byPath(docs []scoring.Document) []scoring.Document {
	sorted := slices.Clone(docs)
	slices.SortStableFunc(sorted, func(a, b scoring.Document) int {
		return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Digest, b.Digest))
	})
	return sorted
}

func listed(docs []scoring.Document) string {
	paths := make([]string, len(docs))
	for i, d := range docs {
		paths[i] = shown(d)
	}
	return inOrder(paths)
}

// names lists a few texts in alphabetical order, each once.
func names(texts []string) string {
	sorted := slices.Clone(texts)
	slices.Sort(sorted)
	return inOrder(slices.Compact(sorted))
}

func inOrder(texts []string) string {
	shown := make([]string, 0, mostNames)
	for _, t := range texts[:min(len(texts), mostNames)] {
		shown = append(shown, clip(t))
	}
	if more := len(texts) - len(shown); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), more)
	}
	return strings.Join(shown, ", ")
}

// at is the origin of a file at the evaluated revision; of the whole tree if path is empty.
func (in *input) at(path string) audit.Origin {
	return audit.Origin{Source: "git", URL: in.e.Repo, Commit: in.e.Revision, Path: path, At: in.e.RevisionAt}
}

func (in *input) files(docs []scoring.Document) []audit.Origin {
	out := make([]audit.Origin, 0, mostNames)
	for _, d := range docs[:min(len(docs), mostNames)] {
		out = append(out, in.standing(d))
	}
	return out
}

// catalogue is the origin of what the component catalogue says about a project.
func (in *input) catalogue() audit.Origin {
	return audit.Origin{Source: "catalogue", Path: in.p.ID}
}

// number returns a further threshold of the rule.
func (in *input) number(name string) (n int, m scoring.Measurement, ok bool) {
	n, ok = in.rule.Numbers[name]
	if !ok {
		m = untold(fmt.Sprintf("the profile sets no %s", name), "complete the profile")
	}
	return n, m, ok
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// markedNumber returns the largest number in marks such as "organisations:12".
func markedNumber(docs []scoring.Document, mark string) (most int, found bool) {
	for _, d := range docs {
		for _, m := range d.Marks {
			text, ok := strings.CutPrefix(m, mark+":")
			if n, err := strconv.Atoi(text); ok && err == nil && plausible(n) {
				most, found = max(most, n), true
			}
		}
	}
	return most, found
}
