package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
)

// ScoreText writes scores for a terminal: of one project the card, that is the aspects as intervals with coverage and then
// the reasons, most important first; of several a table with one line each. Options ask for reasons or a comparison instead.
func ScoreText(projects []Project, opt Options) string {
	t := newTerminal(opt)
	projects = shown(projects)
	switch {
	case len(projects) == 0:
		t.para("", "No project was scored.")
	case opt.Compare && len(projects) == 2:
		t.compare(projects[0], projects[1])
	case opt.Why:
		for i, p := range projects {
			if i > 0 {
				t.b.WriteByte('\n')
			}
			t.why(p, opt.Only)
		}
	case len(projects) == 1:
		t.scoreCard(projects[0])
	default:
		t.table(projects)
	}
	if opt.ASCII {
		return ascii(t.b.String())
	}
	return t.b.String()
}

func (t *terminal) scoreCard(p Project) {
	s := projectSign(p.Verdict)
	t.signed("", s, projectSentence(p))
	t.para("  ", evaluated(p))
	t.failure(p)
	t.aspects(p)
	t.gates(p)
	t.lockIn(p)
	t.register(p)
	if facts := factLine(p); facts != "" {
		t.heading("Facts from the history")
		t.para("  ", facts)
	}
	t.history(p)
	t.reasons(p)
	if len(p.Indicators) > 0 {
		t.heading("How to read this")
		t.para("  ", "A score of 40 to 70 is at least 40 and at most 70: the rest is not known. --why names for each missing point what was read, the threshold and what would raise it. "+scoreProposal(p))
	}
}

// scoreProposal says that the numbers are a proposal, and by which profile.
func scoreProposal(p Project) string {
	return stop("All thresholds are a proposal: " + profileText(p) + "; this is not an SCS certificate")
}

func profileText(p Project) string {
	return strings.TrimSpace("profile " + cmp.Or(p.Profile, "not named") + " " + p.ProfileVersion)
}

// failure says why nothing could be read.
func (t *terminal) failure(p Project) {
	if text := failureText(p); text != "" {
		t.para("  ", text)
	}
}

func failureText(p Project) string {
	if p.Failure == "" {
		return ""
	}
	text := "No evidence: " + sentence(p.Failure)
	if p.Settle != "" {
		text += " Would settle it: " + stop(p.Settle)
	}
	return text
}

// projectSentence says the verdict and what it means.
func projectSentence(p Project) string {
	meaning := map[string]string{
		"passed":      "passed: every gate of its role is met",
		"almost":      "almost: no knock-out, but a gate is missed",
		"showstopper": "showstopper: a knock-out was found",
	}[p.Verdict]
	return p.Name + " – " + cmp.Or(meaning, "undetermined: too little is known to decide") + "."
}

// evaluated says what was evaluated, and as of when.
func evaluated(p Project) string {
	var parts []string
	if p.Repo != "" {
		parts = append(parts, p.Repo)
	}
	if p.Head != "" {
		at := "at commit " + short(p.Head)
		if !p.HeadAt.IsZero() {
			at += " of " + day(p.HeadAt)
		}
		parts = append(parts, at)
	}
	if len(p.Versions) > 0 {
		parts = append(parts, "deployed: "+some(p.Versions, 5, 0))
	}
	if !p.At.IsZero() {
		parts = append(parts, "as of "+day(p.At))
	}
	return sentence(strings.Join(parts, ", "))
}

func aspectTitle(id string) string {
	switch id {
	case "open-source", "open-community", "open-development", "open-design":
		return "Open " + strings.TrimPrefix(id, "open-")
	case "lock-in":
		return "Freedom from lock-in"
	}
	if id == "" {
		return id
	}
	return strings.ToUpper(id[:1]) + id[1:]
}

func (t *terminal) aspects(p Project) {
	if len(p.Aspects) == 0 {
		return
	}
	t.heading("Scores from 0 to 100, as intervals: what is not known widens them")
	for _, a := range p.Aspects {
		text := fmt.Sprintf("%s  %s  known %s", pad(aspectTitle(a.Aspect), 22), pad(points(a.Low, a.High), 10), percent(a.Coverage, audit.Full))
		if t.width >= 80 {
			text = fmt.Sprintf("%s  %s", gauge(a.Low, a.High), text)
		}
		t.columns("  ", text)
		if len(a.KnockOuts) > 0 {
			t.para("      ", "knocked out by "+list(titled(p, a.KnockOuts)))
		}
	}
}

// columns writes one line without touching its spaces, wrapped only if it is too long.
func (t *terminal) columns(lead, text string) {
	if utf8.RuneCountInString(lead+text) <= t.width {
		t.b.WriteString(lead + text + "\n")
		return
	}
	t.para(lead, text)
}

// gauge draws an interval in 20 cells: full up to the low end, open up to the high end.
func gauge(low, high int) string {
	const cells = 20
	from, to := low*cells/audit.Full, (high*cells+audit.Full-1)/audit.Full
	from, to = max(0, min(cells, from)), max(0, min(cells, to))
	return strings.Repeat("█", from) + strings.Repeat("░", max(0, to-from)) + strings.Repeat("·", cells-max(from, to))
}

// titled writes indicators with their titles: "maintained (AC-01)".
func titled(p Project, ids []string) []string {
	var out []string
	for _, id := range ids {
		name := id
		for _, ind := range p.Indicators {
			if ind.ID == id && ind.Title != "" {
				name = ind.Title + " (" + id + ")"
			}
		}
		out = append(out, name)
	}
	return out
}

// factNames gives the words for the history facts of the published schema, in the order of reports.
var factNames = [...]struct{ id, words string }{
	{"first_commit", "first commit"},
	{"last_human_commit", "last commit by a person"},
	{"commits_12m", "commits in 12 months"},
	{"human_commits_12m", "of these by people"},
	{"authors_12m", "authors in 12 months"},
	{"authors_ever", "authors ever"},
	{"newcomers_12m", "newcomers in 12 months"},
	{"retained_authors", "authors who stayed from the year before"},
	{"bus_factor_50", "authors who made half of the commits"},
	{"elephant_factor_50", "organisations that made half of the commits"},
	{"top_org_share", "share of the top organisation"},
	{"releases_24m", "releases in 24 months"},
	{"reverts_12m", "reverts in 12 months"},
}

// factValue is one history fact as people read it.
type factValue struct{ Words, Value string }

func facts(p Project) []factValue {
	var out []factValue
	for _, f := range factNames {
		v, ok := p.Facts[f.id]
		if !ok || v == nil {
			continue
		}
		out = append(out, factValue{f.words, factText(f.id, v)})
	}
	return out
}

func factText(id string, v any) string {
	if low, high, ok := ends(v); ok {
		switch {
		case id == "top_org_share" && low <= 0 && high >= audit.Full:
			return "not known"
		case id == "top_org_share":
			return points(low, high) + " %"
		case low == high:
			return thousands(low)
		}
		return thousands(low) + " to " + thousands(high)
	}
	switch v := v.(type) {
	case string:
		date, _, _ := strings.Cut(v, "T")
		return date
	case time.Time:
		return day(v)
	}
	if n, ok := whole(v); ok {
		return thousands(n)
	}
	return fmt.Sprint(v)
}

// ends reads {low, high} as collectors give it and as JSON gives it back.
func ends(v any) (low, high int, ok bool) {
	switch v := v.(type) {
	case map[string]int:
		return v["low"], v["high"], true
	case map[string]any:
		low, okLow := whole(v["low"])
		high, okHigh := whole(v["high"])
		return low, high, okLow && okHigh
	}
	return 0, 0, false
}

func whole(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}

func factLine(p Project) string {
	var parts []string
	for _, f := range facts(p) {
		parts = append(parts, f.Words+" "+f.Value)
	}
	return sentence(strings.Join(parts, "; "))
}

// reasonGroups are the indicators of a project by what they say, most important first.
type reasonGroups struct {
	KnockOuts, Fail, Part, Tried, Pass, NA []Indicator
	Missing                                []missing
}

// missing are the indicators that nobody looked at, by what would settle them.
type missing struct {
	Settle     string
	Indicators []Indicator
}

func reasonsOf(p Project) reasonGroups {
	var g reasonGroups
	var out []string
	for _, a := range p.Aspects {
		out = append(out, a.KnockOuts...)
	}
	sorted := slices.Clone(p.Indicators)
	slices.SortStableFunc(sorted, func(a, b Indicator) int { return cmp.Or(b.Weight-a.Weight, cmp.Compare(a.ID, b.ID)) })
	bySettle := map[string]int{}
	for _, ind := range sorted {
		switch {
		case ind.Outcome == audit.FAIL && slices.Contains(out, ind.ID):
			g.KnockOuts = append(g.KnockOuts, ind)
		case ind.Outcome == audit.FAIL:
			g.Fail = append(g.Fail, ind)
		case ind.Outcome == audit.PART:
			g.Part = append(g.Part, ind)
		case ind.Outcome == audit.PASS:
			g.Pass = append(g.Pass, ind)
		case ind.Outcome == audit.NA:
			g.NA = append(g.NA, ind)
		case ind.Outcome == audit.DNF:
			g.Tried = append(g.Tried, ind)
		default:
			key := cmp.Or(strings.Join(ind.Settle, "; "), ind.Reason)
			i, ok := bySettle[key]
			if !ok {
				i = len(g.Missing)
				bySettle[key] = i
				g.Missing = append(g.Missing, missing{Settle: key})
			}
			g.Missing[i].Indicators = append(g.Missing[i].Indicators, ind)
		}
	}
	slices.SortStableFunc(g.Missing, func(a, b missing) int {
		return cmp.Or(weight(b.Indicators)-weight(a.Indicators), cmp.Compare(a.Settle, b.Settle))
	})
	return g
}

func weight(inds []Indicator) int {
	sum := 0
	for _, i := range inds {
		sum += i.Weight
	}
	return sum
}

func (t *terminal) reasons(p Project) {
	if len(p.Indicators) == 0 {
		return
	}
	g := reasonsOf(p)
	t.heading("Reasons, most important first")
	for _, i := range g.KnockOuts {
		t.signed("  ", outcomeSign(i.Outcome), "Knock-out: "+reasonText(i))
	}
	for _, i := range g.Fail {
		t.signed("  ", outcomeSign(i.Outcome), reasonText(i))
	}
	for _, i := range g.Part {
		t.signed("  ", outcomeSign(i.Outcome), reasonText(i))
	}
	for _, i := range g.Tried {
		text := "Could not tell: " + reasonText(i)
		if len(i.Settle) > 0 {
			text += " Would settle it: " + stop(strings.Join(i.Settle, "; "))
		}
		t.signed("  ", outcomeSign(i.Outcome), text)
	}
	for _, m := range g.Missing {
		t.signed("  ", outcomeSign(audit.MISS), missingText(m, 4))
	}
	if len(g.Pass) > 0 {
		t.signed("  ", outcomeSign(audit.PASS), sentence(plural(len(g.Pass), "question holds", "questions hold")+": "+list(titlesOf(g.Pass))))
	}
	if len(g.NA) > 0 {
		t.signed("  ", outcomeSign(audit.NA), sentence("Does not apply: "+list(titlesOf(g.NA))))
	}
}

// indicatorText says "title (ID): reason".
func indicatorText(i Indicator) string {
	return sentence(fmt.Sprintf("%s (%s): %s", cmp.Or(i.Title, i.ID), i.ID, i.Reason))
}

// reasonText is indicatorText with what the project says against it.
func reasonText(i Indicator) string {
	text := indicatorText(i)
	if words := contestedText(i.Contested); words != "" {
		text += " " + stop(words)
	}
	return text
}

func missingText(m missing, most int) string {
	text := "Not looked at: " + plural(len(m.Indicators), "question", "questions") + " (" + some(titlesOf(m.Indicators), most, 0) + ")."
	if m.Settle != "" {
		text += " Would settle it: " + stop(m.Settle)
	}
	return text
}

func titlesOf(inds []Indicator) []string {
	var out []string
	for _, i := range inds {
		out = append(out, cmp.Or(i.Title, i.ID))
	}
	return out
}
