package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// What text and HTML both say is worked out here once: the decision, the distance to each level, and who can act.

// decision is the answer for all requested scopes that share an outcome.
type decision struct {
	Sign   sign
	Before string   // "Example is not eligible for "
	Titles []string // "SCS-open IaaS", "SCS-sovereign IaaS"
	After  string
	Why    string // "because 2 requirements fail"
	Limits []limit
	More   int // requirements that limit too and are not listed
}

// limit is one requirement that limits a verdict.
type limit struct {
	Title    string
	Subjects string // "Redis and Vault"
	Key      string // of the group of findings
}

// maxLimits bounds the requirements that one decision names.
const maxLimits = 5

// Sentence says the decision with its limiting findings in one sentence.
func (d decision) Sentence() string {
	var b strings.Builder
	b.WriteString(d.Before + list(d.Titles) + d.After)
	if d.Why != "" {
		b.WriteString(", " + d.Why)
	}
	var parts []string
	for _, l := range d.Limits {
		part := "“" + l.Title + "”"
		if l.Subjects != "" {
			part += " (" + l.Subjects + ")"
		}
		parts = append(parts, part)
	}
	if d.More > 0 {
		parts = append(parts, plural(d.More, "more requirement", "more requirements"))
	}
	if len(parts) > 0 {
		b.WriteString(": " + list(parts))
	}
	return b.String() + "."
}

// decisions answers for the requested scopes, not eligible first.
func decisions(r Report) []decision {
	var out []decision
	for _, outcome := range []string{"not-eligible", "undetermined", "eligible"} {
		var titles, scopes []string
		for _, v := range r.Verdicts {
			if v.Requested && known(v.Outcome) == outcome {
				titles, scopes = append(titles, v.Title), append(scopes, v.Scope)
			}
		}
		if len(titles) > 0 {
			out = append(out, decide(r, outcome, titles, scopes))
		}
	}
	if len(out) == 0 {
		out = append(out, decision{Sign: verdictSign(""), Before: r.Subject.Name + " was not judged: no level was asked for"})
	}
	return out
}

// known turns an outcome that is not one of the three into undetermined: what is not known never passes.
func known(outcome string) string {
	if outcome == "eligible" || outcome == "not-eligible" {
		return outcome
	}
	return "undetermined"
}

func decide(r Report, outcome string, titles, scopes []string) decision {
	d := decision{Sign: verdictSign(outcome), Titles: titles}
	var want func(audit.Outcome) bool
	switch outcome {
	case "eligible":
		d.Before, d.Why = r.Subject.Name+" is eligible for ", "because every requirement holds"
		if n := waivedIn(r, scopes); n > 0 {
			d.Why = "because every requirement holds but for " + plural(n, "failure that is", "failures that are") + " waived, which these criteria allow"
		}
		if n := probation(r, scopes); n > 0 {
			d.Why = "on probation: " + plural(n, "score lies", "scores lie") + " below a gate that the last audit found reached; below it in another audit in a row, the level is lost"
		}
		return d
	case "not-eligible":
		d.Before = r.Subject.Name + " is not eligible for "
		want = func(o audit.Outcome) bool { return o == audit.FAIL }
	default:
		d.Before, d.After = "Whether "+r.Subject.Name+" is eligible for ", " cannot be decided yet"
		want = func(o audit.Outcome) bool { return o == audit.MISS || o == audit.DNF }
	}
	groups := limiting(r, scopes, want)
	if len(groups) == 0 {
		d.After += worstWords(r, scopes)
		return d
	}
	if outcome == "not-eligible" {
		d.Why = "because " + plural(len(groups), "requirement fails", "requirements fail") + worstWords(r, scopes)
	} else {
		d.Why = "because " + plural(len(groups), "requirement is open", "requirements are open") + worstWords(r, scopes)
	}
	for i, g := range groups {
		if i == maxLimits {
			d.More = len(groups) - i
			break
		}
		d.Limits = append(d.Limits, limit{Title: g.Title, Subjects: g.named(3), Key: g.Key})
	}
	return d
}

// probation counts the findings that are held by the last audit.
func probation(r Report, scopes []string) int {
	var ids []string
	for _, v := range r.Verdicts {
		if slices.Contains(scopes, v.Scope) {
			ids = append(ids, v.Probation...)
		}
	}
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

// limiting groups the must findings that decide the scopes by requirement, in the order of the verdicts' own lists.
func limiting(r Report, scopes []string, want func(audit.Outcome) bool) []*group {
	rank := map[string]int{}
	for _, v := range r.Verdicts {
		if slices.Contains(scopes, v.Scope) {
			for _, id := range v.Limiting {
				if _, ok := rank[id]; !ok {
					rank[id] = len(rank)
				}
			}
		}
	}
	first := map[string]int{}
	groups := groupFindings(r, func(f Finding) bool {
		if f.Severity == "should" || !want(f.Outcome) || !overlap(f.Scopes, scopes) {
			return false
		}
		at, ok := rank[f.ID]
		if !ok {
			at = len(rank)
		}
		key := groupKey(f)
		if old, ok := first[key]; !ok || at < old {
			first[key] = at
		}
		return true
	})
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(first[a.Key], first[b.Key]) })
	return groups
}

func overlap(a, b []string) bool {
	for _, s := range a {
		if slices.Contains(b, s) {
			return true
		}
	}
	return false
}

// group is all findings of one requirement that fail, or all that are open.
type group struct {
	Key       string
	Title     string
	Fails     bool // else open: not looked at, or looked and could not tell
	Should    bool // recommended, does not decide
	Owner     string
	Kind      string
	Remedy    string
	Rationale string
	Source    string
	Count     int      // subjects, folded ones counted in full
	Miss, DNF int      // of these, when open
	Names     []string // of subjects, sorted, each once; several subjects may share one
	Lines     []line   // one for each finding
	Settle    []string // each once, most frequent first
}

// line is one finding of a group.
type line struct {
	Name, Reason string
	Count        int
}

func groupKey(f Finding) string {
	state := "open"
	if f.Outcome == audit.FAIL {
		state = "fails"
	}
	return cmp.Or(f.Requirement, f.Indicator, f.Title) + "/" + state
}

// groupFindings groups the findings that take accepts; order: as the findings stand in the report.
func groupFindings(r Report, take func(Finding) bool) []*group {
	var out []*group
	byKey := map[string]*group{}
	settle := map[string]map[string]int{}
	for _, f := range r.Findings {
		if !take(f) {
			continue
		}
		key := groupKey(f)
		g := byKey[key]
		if g == nil {
			g = &group{
				Key: key, Title: cmp.Or(f.Title, f.Requirement, f.Indicator), Fails: f.Outcome == audit.FAIL, Should: f.Severity == "should",
				Owner: f.Owner, Kind: f.Subject.Kind, Remedy: f.Remedy, Rationale: f.Rationale, Source: f.Source,
			}
			byKey[key], settle[key] = g, map[string]int{}
			out = append(out, g)
		}
		n := max(1, f.Count)
		g.Count += n
		switch f.Outcome {
		case audit.MISS:
			g.Miss += n
		case audit.DNF:
			g.DNF += n
		}
		g.Lines = append(g.Lines, line{cmp.Or(f.Subject.Name, f.Subject.ID), saidOf(f), n})
		for _, s := range f.Settle {
			settle[key][s] += n
		}
	}
	for _, g := range out {
		g.Names = namesOf(g.Lines)
		g.Settle = byCount(settle[g.Key])
	}
	return out
}

func namesOf(lines []line) []string {
	set := map[string]bool{}
	for _, l := range lines {
		set[l.Name] = true
	}
	return sortedKeys(set)
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
}

// named names the subjects of a group, "" where there is only one of the kind (stack, operator).
func (g *group) named(most int) string {
	if _, _, counted := noun(g.Kind); !counted && len(g.Names) <= 1 {
		return ""
	}
	return some(g.Names, most, len(g.Names))
}

// step is the distance to one level: what fails, what is open, and who can act.
type step struct {
	Verdict Verdict
	Sign    sign
	Above   string  // title of the level below whose list counts for this one too; "" if there is none
	Acts    []actor // who can act, most important first; empty: nothing more is missing
	Fails   int     // requirements in this list that fail
	Open    int     // requirements in this list that are open
	Regions []regionView
}

// actor is who can act on what.
type actor struct {
	Owner  string
	Words  string
	Groups []*group // failing before open, must before should
}

// distance lists what is missing to each judged level, lower levels first; what a lower level of the same layer lists
// already is not repeated.
func distance(r Report) []step {
	verdicts := slices.Clone(r.Verdicts)
	slices.SortStableFunc(verdicts, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Level, b.Level))
	})
	var out []step
	for i, v := range verdicts {
		var below []string
		s := step{Verdict: v, Sign: verdictSign(v.Outcome), Regions: regionViews(r, v)}
		for _, lower := range verdicts[:i] {
			if lower.Layer == v.Layer && lower.Level < v.Level {
				below = append(below, lower.Scope)
				s.Above = lower.Title
			}
		}
		groups := groupFindings(r, func(f Finding) bool {
			missing := f.Outcome == audit.FAIL || f.Outcome == audit.MISS || f.Outcome == audit.DNF
			return missing && slices.Contains(f.Scopes, v.Scope) && !overlap(f.Scopes, below)
		})
		s.Acts = byOwner(groups)
		for _, g := range groups {
			if g.Fails {
				s.Fails++
			} else {
				s.Open++
			}
		}
		out = append(out, s)
	}
	return out
}

func byOwner(groups []*group) []actor {
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(rankOf(a.Should)-rankOf(b.Should), rankOf(!a.Fails)-rankOf(!b.Fails))
	})
	var out []actor
	at := map[string]int{}
	for _, g := range groups {
		i, ok := at[g.Owner]
		if !ok {
			i = len(out)
			at[g.Owner] = i
			out = append(out, actor{Owner: g.Owner, Words: ownerWords(g.Owner)})
		}
		out[i].Groups = append(out[i].Groups, g)
	}
	slices.SortStableFunc(out, func(a, b actor) int {
		return cmp.Or(rankOf(!decides(a.Groups[0]))-rankOf(!decides(b.Groups[0])), ownerRank(a.Owner)-ownerRank(b.Owner))
	})
	return out
}

// decides reports whether a group makes a verdict "not eligible".
func decides(g *group) bool { return g.Fails && !g.Should }

func rankOf(last bool) int {
	if last {
		return 1
	}
	return 0
}

// whom names the subjects of a group: all of them if they are few, else their number and the first names.
func (g *group) whom(most int) string {
	names := g.named(most)
	if names == "" || g.Count == len(g.Names) && len(g.Names) <= most {
		return names
	}
	if g.Count != len(g.Names) && len(g.Names) <= most {
		return countOf(g.Kind, g.Count) + " (" + names + ")"
	}
	return countOf(g.Kind, g.Count) + " (" + some(g.Names, most, 0) + ")"
}

// open says in words for whom an open group is open: "not looked at for 12 artifacts (a, b, c and 9 more)".
func (g *group) open(most int) string {
	whom := g.whom(most)
	switch {
	case g.DNF > 0 && g.Miss > 0:
		return strings.TrimPrefix(fmt.Sprintf("%s: %s not looked at, %s looked at without an answer", whom, thousands(g.Miss), thousands(g.DNF)), ": ")
	case whom == "":
		return g.unknown()
	}
	return g.unknown() + " for " + whom
}

// unknown is the word for an open group of one kind.
func (g *group) unknown() string {
	if g.DNF > 0 {
		return "looked, could not tell"
	}
	return "not looked at"
}

// reasons lists the reasons of a group, each once, in the order of the findings.
func (g *group) reasons() []string {
	var out []string
	had := map[string]bool{}
	for _, l := range g.Lines {
		if l.Reason != "" && !had[l.Reason] {
			had[l.Reason] = true
			out = append(out, l.Reason)
		}
	}
	return out
}

// assurance says who stands behind the report.
func assurance(r Report) string {
	who := map[string]string{
		"self-assessed":    "Self-assessed: whoever ran this audit says so",
		"assessor-run":     "Run by an assessor",
		"auditor-reviewed": "Reviewed by an auditor",
	}[r.Assurance]
	if who == "" {
		who = "It is not recorded who assessed this"
	}
	if len(r.Signers) == 0 {
		return who + "; nobody has signed it."
	}
	return stop(who + "; signed by " + list(r.Signers))
}

// holds says until when the requested verdicts hold.
func holds(r Report) string {
	var first Verdict
	for _, v := range r.Verdicts {
		if v.Requested && !v.ValidUntil.IsZero() && (first.ValidUntil.IsZero() || v.ValidUntil.Before(first.ValidUntil)) {
			first = v
		}
	}
	if first.ValidUntil.IsZero() {
		return "No date is set until which this holds: no evidence that ends was used."
	}
	text := "Holds until " + day(first.ValidUntil)
	if first.Ends != "" {
		text += "; what ends first: " + first.Ends
	}
	return text + "."
}

// notCertificate stands on the first screen of every report (design section 4, rule 8).
const notCertificate = "This is not an SCS certificate."

// proposal says which criteria decided.
func proposal(r Report) string {
	status := cmp.Or(r.Policy.Status, "proposal")
	return fmt.Sprintf("The criteria are a %s, %s %s%s; only the Forum SCS-Standards grants SCS labels.", status, r.Policy.ID, r.Policy.Version, notBuiltIn(r.Policy))
}

// notBuiltIn says of other rules than those of the program who answers for them.
func notBuiltIn(p Policy) string {
	switch {
	case p.Origin == "":
		return ""
	case p.Signer != "":
		return " (not the policy built in; signed by " + p.Signer + ")"
	}
	return " (not the policy built in; unsigned, given by whoever ran this)"
}

// what names the subject with its kind and day: "osism-9.0.0, a software release, as of 2026-11-24".
func what(r Report) string {
	kind := map[string]string{"cloud": "a cloud", "release": "a software release"}[r.Subject.Kind]
	return strings.Join(slices.DeleteFunc([]string{r.Subject.Name, kind, "as of " + day(r.AssessedAt)}, func(s string) bool { return s == "" }), ", ")
}

// seen says in numbers how much was seen.
func seen(c Coverage) string {
	if c.Artifacts == 0 && c.Projects == 0 {
		return "Nothing was seen."
	}
	text := fmt.Sprintf("%s: %s seen themselves, %s only declared; %s scanned for packages; %s lead to a known upstream project. ",
		plural(c.Artifacts, "artifact was found", "artifacts were found"), thousands(c.Seen), thousands(c.Artifacts-c.Seen), thousands(c.Scanned), thousands(c.Identified))
	if c.Packages > 0 {
		text += fmt.Sprintf("%s, %s of them with a known licence. ", plural(c.Packages, "package", "packages"), percent(c.PackagesWithLicence, c.Packages))
	}
	text += fmt.Sprintf("%s, %s of them with evidence.", plural(c.Projects, "upstream project", "upstream projects"), thousands(c.ProjectsWithEvidence))
	text += running(c)
	if c.SourcesFailed > 0 {
		text += " " + plural(c.SourcesFailed, "source", "sources") + " could not be read in full."
	}
	return text
}

// running says what was seen of running systems, held against lists that were made for another purpose.
func running(c Coverage) string {
	var text string
	if c.Running > 0 {
		text += " " + plural(c.Running, "artifact was", "artifacts were") + " seen running."
	}
	if c.Placed > 0 {
		text += fmt.Sprintf(" %s of %s have a place in a tier.", thousands(c.Placed), thousands(c.Artifacts))
	}
	var lists []string
	for _, l := range []struct {
		what           string
		seen, expected int
	}{{"hosts", c.HostsSeen, c.HostsExpected}, {"services", c.ServicesSeen, c.ServicesExpected}} {
		switch {
		case l.expected > 0:
			text += fmt.Sprintf(" Of %s %s that other lists name, %s were seen.", thousands(l.expected), l.what, thousands(l.seen))
		case c.Running > 0:
			lists = append(lists, l.what)
		}
	}
	if len(lists) > 0 {
		text += " No list made for another purpose names the " + list(lists) + ", so that whether any is missing is not known."
	}
	if c.Omitted > 0 {
		text += " " + plural(c.Omitted, "thing was", "things were") + " left out on purpose."
	}
	return text
}

// layers lists the layers of the ladder in order of first appearance, each with its rungs, top first.
func layers(r Report) [][]Rung {
	var out [][]Rung
	at := map[string]int{}
	for _, rung := range r.Ladder {
		i, ok := at[rung.Layer]
		if !ok {
			i = len(out)
			at[rung.Layer] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], rung)
	}
	for _, rungs := range out {
		slices.SortStableFunc(rungs, func(a, b Rung) int { return b.Level - a.Level })
	}
	return out
}

func layerTitle(layer string) string {
	switch layer {
	case "iaas":
		return "IaaS"
	case "kaas":
		return "KaaS"
	case "paas":
		return "PaaS"
	}
	return layer
}
