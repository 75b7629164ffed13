package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

//go:embed html/page.tmpl
var pageSource string

//go:embed html/style.css
var styleSource string

// HTML writes the report as one self-contained file: no script, no request to anybody, a strict content security policy.
// Everything from the report is escaped by html/template; links lead to http and https only.
func HTML(r Report, opt Options) ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"join": func(s []string) string { return strings.Join(s, ", ") },
		"last": func(s []string) int { return len(s) - 1 },
		"word": lexiconOf(r, opt.Lang).of,
	}).Parse(pageSource)
	if err == nil {
		_, err = t.New("parts").Parse(operatorParts)
	}
	if err != nil {
		return nil, fmt.Errorf("reading page template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", newPage(shown(translated(r, opt.Lang)), opt.Lang)); err != nil {
		return nil, fmt.Errorf("filling page template: %w", err)
	}
	return b.Bytes(), nil
}

// page is what the template shows; every string in it is printable already.
type page struct {
	Style     template.CSS // our own style sheet, never data
	StyleHash string
	R         Report

	Decisions                                             []decision
	NotCertificate, Proposal, What, Assurance, Holds, Day string
	Ladders                                               []ladderView
	Steps                                                 []stepView
	Alone, WaiversUnused, WhatIf                          []string
	Seen, DriftSentence                                   string
	RegionsSeen                                           []regionView
	Drift                                                 []driftView
	MoreDrift                                             string
	Unseen                                                []unseenView
	Tiers                                                 []tierView
	Artifacts                                             []artifactView
	Aspects                                               []string
	Scored                                                []projectView
	Silent                                                []silentView
	Register                                              *registerView
	Critical                                              []criticalLine
	CriticalScope                                         string
	Requirements                                          []requirementView
	Origins                                               []originView
	Operator                                              *operatorHTMLView
	Crosswalk                                             *crosswalkView
}

func newPage(r Report, lang string) page {
	sum := sha256.Sum256([]byte(styleSource))
	index := newIndex()
	anchors := anchorsOf(r)
	p := page{
		Alone: alone(r), WaiversUnused: unusedWaivers(r), WhatIf: r.WhatIf.Sentences(scopeTitles(r)),
		Style: template.CSS(styleSource), StyleHash: base64.StdEncoding.EncodeToString(sum[:]), R: r,
		Decisions: decisions(r), NotCertificate: notCertificate, Proposal: proposal(r), What: sentence(what(r)), Assurance: assurance(r),
		Holds: holds(r), Day: day(r.AssessedAt), Ladders: ladderViews(r), Seen: seen(r.Coverage), RegionsSeen: regionsSeen(r),
		DriftSentence: driftSentence(r),
	}
	for i, d := range p.Decisions {
		for j, l := range d.Limits {
			p.Decisions[i].Limits[j].Key = anchors.requirement(l.Key)
		}
	}
	p.Steps = stepViews(r, anchors)
	p.Unseen = unseenViews(r)
	p.Tiers = tierViews(r, anchors, index)
	p.Artifacts = artifactViews(r, anchors, index)
	p.Drift, p.MoreDrift = driftViews(r, anchors, index)
	p.Aspects = aspectTitles(r)
	p.Scored, p.Silent = projectViews(r, anchors, index)
	p.Register = registerOf(r, anchors, index)
	p.Critical, p.CriticalScope = criticalLines(r), criticalScope(r)
	p.Requirements = requirementViews(r, anchors, index)
	p.Crosswalk = crosswalkViewOf(r, lang)
	p.Origins = index.rows
	if r.Operator != nil {
		view := operatorViewOf(*r.Operator)
		p.Operator = &view
	}
	return p
}

// anchors are made from numbers, never from data.
type anchors struct{ projects, requirements, artifacts map[string]string }

func anchorsOf(r Report) anchors {
	a := anchors{map[string]string{}, map[string]string{}, map[string]string{}}
	for i, art := range r.Artifacts {
		if _, ok := a.artifacts[art.ID]; !ok {
			a.artifacts[art.ID] = fmt.Sprintf("a%d", i+1)
		}
	}
	for i, p := range r.Projects {
		a.projects[p.ID] = fmt.Sprintf("p%d", i+1)
	}
	for _, f := range r.Findings {
		id := requirementID(f)
		if _, ok := a.requirements[id]; !ok {
			a.requirements[id] = fmt.Sprintf("r%d", len(a.requirements)+1)
		}
	}
	return a
}

// requirement returns the anchor of a group's requirement.
func (a anchors) requirement(groupKey string) string {
	return a.requirements[groupKey[:strings.LastIndexByte(groupKey, '/')]]
}

// originIndex numbers the places that were read; each is listed once however often it is used.
type originIndex struct {
	numbers map[audit.Origin]int
	rows    []originView
}

type originView struct {
	Number                                  int
	Source, Link, Text, Commit, Digest, Day string
}

func newIndex() *originIndex { return &originIndex{numbers: map[audit.Origin]int{}} }

func (x *originIndex) refs(origins []audit.Origin) []int {
	var out []int
	for _, o := range origins {
		if (o == audit.Origin{}) {
			continue
		}
		n, ok := x.numbers[o]
		if !ok {
			n = len(x.rows) + 1
			x.numbers[o] = n
			x.rows = append(x.rows, originView{n, cmp.Or(o.Source, "source"), originURL(o), originText(o), o.Commit, string(o.Digest), day(o.At)})
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// stepView is a step as the page shows it.
type stepView struct {
	Verdict Verdict
	Sign    sign
	Above   string
	Sum     string
	Acts    []actView
	Regions []regionView
}

type actView struct {
	Words  string
	Groups []todoView
}

type todoView struct {
	Key, Title, Whom, OpenText, Remedy, Settled string
	Fails, Should                               bool
	Top                                         []string
}

// maxTop bounds the reasons shown before the table of all findings.
const maxTop = 8

func stepViews(r Report, a anchors) []stepView {
	var out []stepView
	for _, s := range distance(r) {
		c := s.Verdict.Counts
		v := stepView{Verdict: s.Verdict, Sign: s.Sign, Above: s.Above, Regions: s.Regions}
		v.Sum = fmt.Sprintf("Answers: %s hold, %s fail, %s were not looked at, %s were looked at without an answer, %s do not apply.",
			thousands(c.Pass), thousands(c.Fail), thousands(c.Miss), thousands(c.DNF), thousands(c.NA))
		for _, act := range s.Acts {
			view := actView{Words: act.Words}
			for _, g := range act.Groups {
				view.Groups = append(view.Groups, todoOf(g, a))
			}
			v.Acts = append(v.Acts, view)
		}
		out = append(out, v)
	}
	return out
}

func todoOf(g *group, a anchors) todoView {
	v := todoView{Key: a.requirement(g.Key), Title: g.Title, Whom: stop(g.whom(maxTop)), Fails: g.Fails, Should: g.Should, Remedy: stop(g.Remedy)}
	if !g.Fails {
		v.OpenText = sentence(g.open(maxTop))
		if reasons := g.reasons(); len(reasons) == 1 {
			v.OpenText += " " + sentence(reasons[0])
		}
		if len(g.Settle) > 0 {
			v.Settled = stop(g.Settle[0])
		}
		return v
	}
	reasons := g.reasons()
	v.Top = reasons[:min(len(reasons), maxTop)]
	if rest := len(reasons) - len(v.Top); rest > 0 {
		v.Top = append(slices.Clone(v.Top), fmt.Sprintf("and %d more", rest))
	}
	return v
}

type unseenView struct {
	Unseen
	Cut bool // Names are not all
}

func unseenViews(r Report) []unseenView {
	var out []unseenView
	for _, u := range r.NotSeen {
		u.Reason, u.Settle = stop(u.Reason), stop(u.Settle)
		out = append(out, unseenView{u, u.Count > len(u.Names)})
	}
	return out
}

// tierView is the components of one tier.
type tierView struct {
	Title string
	Rows  []componentView
}

type componentView struct {
	Name, Version, Licence, Provenance, Project, Anchor, RunsAs, Also string
	Sign, Verdict                                                     sign
	Refs                                                              []int
	rank                                                              int
}

func tierTitle(id string) string {
	switch id {
	case "functional":
		return "Functional: what users of the cloud use"
	case "iam":
		return "IAM: who may do what"
	case "ops":
		return "Operations: what operators use"
	case "base":
		return "Base: operating system and libraries"
	}
	return "Not placed"
}

// tierViews lists each product at its version once, under its first tier; worst licence first.
func tierViews(r Report, a anchors, index *originIndex) []tierView {
	artifacts := map[string]string{}
	for _, art := range r.Artifacts {
		artifacts[art.ID] = art.Name
	}
	verdicts := map[string]string{}
	for _, p := range r.Projects {
		verdicts[p.ID] = p.Verdict
	}
	var keys []string
	groups := map[string][]Component{}
	for _, c := range r.Components {
		key := strings.Join([]string{c.Project, c.Name, c.Version, c.Edition, c.Licence, c.LicenceClass, c.Provenance, strings.Join(c.Tiers, ",")}, "\x00")
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], c)
	}
	byTier := map[string][]componentView{}
	for _, key := range keys {
		tier, row := componentRow(groups[key], artifacts, verdicts, a, index)
		byTier[tier] = append(byTier[tier], row)
	}
	var out []tierView
	for _, tier := range []string{"functional", "iam", "ops", "base", ""} {
		if rows := byTier[tier]; len(rows) > 0 {
			slices.SortStableFunc(rows, func(a, b componentView) int {
				return cmp.Or(a.rank-b.rank, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
			})
			out = append(out, tierView{tierTitle(tier), rows})
		}
	}
	return out
}

func componentRow(same []Component, artifacts, verdicts map[string]string, a anchors, index *originIndex) (string, componentView) {
	c := same[0]
	var names []string
	var origins []audit.Origin
	for _, s := range same {
		names = append(names, cmp.Or(artifacts[s.Artifact], s.Artifact))
		origins = append(origins, s.Origins...)
	}
	slices.Sort(names)
	row := componentView{
		Name: c.Name, Version: strings.TrimSpace(c.Version + " " + c.Edition), Licence: c.Licence, Provenance: cmp.Or(c.Provenance, "not known"),
		Project: c.Project, Anchor: a.projects[c.Project], Sign: licenceSign(c.LicenceClass), Verdict: projectSign(verdicts[c.Project]),
		RunsAs: some(slices.Compact(names), 12, 0), Refs: index.refs(origins),
	}
	row.rank = slices.Index([]tone{bad, unsure, good}, row.Sign.Tone)
	tier := ""
	for _, t := range []string{"functional", "iam", "ops", "base"} {
		if slices.Contains(c.Tiers, t) {
			tier = t
			break
		}
	}
	var also []string
	for _, t := range c.Tiers {
		if t != tier {
			also = append(also, t)
		}
	}
	row.Also = list(also)
	return tier, row
}

type artifactView struct {
	Anchor, Name, Reference, Digest, Unpinned, Packages, Spread, More string
	State                                                             sign
	Found                                                             []string
	Refs                                                              []int
}

func artifactViews(r Report, anchor anchors, index *originIndex) []artifactView {
	var out []artifactView
	had := map[string]bool{}
	for _, a := range r.Artifacts {
		v := artifactView{Name: a.Name, Reference: a.Reference, Digest: string(a.Digest), Unpinned: a.Unpinned, Packages: "not scanned",
			State: a.state(), Spread: a.spread()}
		if !had[a.ID] { // an id is an anchor once
			v.Anchor, had[a.ID] = anchor.artifacts[a.ID], true
		}
		if a.Packages != nil {
			v.Packages = thousands(*a.Packages)
		}
		places, origins, more := a.found()
		v.Found, v.Refs = places, index.refs(origins)
		if more > 0 {
			v.More = "and " + plural(more, "more place", "more places") + "; the JSON report names all"
		}
		out = append(out, v)
	}
	return out
}

// maxRows bounds the differences that the page shows.
const maxRows = 1000

type driftView struct {
	Sign                       sign
	Name, Anchor, Detail, Open string
	Declared, Running          *sideView
	NoIntent, NoFact           string // what stands for a side that is not there
}

// sideView is one half of a difference.
type sideView struct {
	Version, Reference, Digest, Anchor, Where string
	Refs                                      []int
}

func driftViews(r Report, a anchors, index *originIndex) (out []driftView, more string) {
	rows := driftRows(r)
	if rest := len(rows) - maxRows; rest > 0 {
		more = "… and " + plural(rest, "more difference", "more differences") + "; the JSON report has all."
		rows = rows[:maxRows]
	}
	for _, d := range rows {
		out = append(out, driftView{Sign: driftSign(d), Name: d.Name, Anchor: a.artifacts[d.Artifact], Detail: stop(d.Detail), Open: stop(d.Open),
			Declared: sideOf(r, d.Declared, a, index), Running: sideOf(r, d.Running, a, index),
			NoIntent: d.none("nothing declares it"), NoFact: d.none("not seen running")})
	}
	return out, more
}

func sideOf(r Report, s *DriftSide, a anchors, index *originIndex) *sideView {
	if s == nil {
		return nil
	}
	v := &sideView{Version: s.Version, Reference: s.Reference, Digest: short(string(s.Digest)), Anchor: a.artifacts[s.Artifact],
		Where: s.where(r, 3), Refs: index.refs(s.Origins)}
	if v.Version == "" && v.Digest == "" { // a service, or what is named without version
		v.Version, v.Reference = cmp.Or(v.Reference, "version not known"), ""
	}
	v.Version = cmp.Or(v.Version, "version not known")
	return v
}

// aspectTitles are the columns of the score table: the aspects of the first project that has any.
func aspectTitles(r Report) []string {
	var out []string
	for _, id := range aspectIDs(r) {
		out = append(out, aspectTitle(id))
	}
	return out
}

func aspectIDs(r Report) []string {
	for _, p := range r.Projects {
		var ids []string
		for _, a := range p.Aspects {
			ids = append(ids, a.Aspect)
		}
		if len(ids) > 0 && p.Head != "" {
			return ids
		}
	}
	return nil
}

type projectView struct {
	Anchor, Name, Knocked, Evaluated, Link, Role string
	Sign                                         sign
	Cells                                        []barView
	Facts                                        []factValue
	Parts                                        []partView
	Missing                                      []string
}

// partView is a list of indicators with one kind of answer.
type partView struct {
	Title  string
	Folded bool
	Rows   []indicatorView
}

type indicatorView struct {
	ID, Title, Score, Reason, Settle string
	Sign                             sign
	Refs                             []int
}

type silentView struct {
	Count, Reason, Settle string
	Rows                  []silentRow
}

type silentRow struct{ Anchor, Name, Versions, Link string }

// projectViews splits projects into those with evidence, showstoppers first, and those without, by reason.
func projectViews(r Report, a anchors, index *originIndex) ([]projectView, []silentView) {
	columns := aspectIDs(r)
	var scored []projectView
	var silent []silentView
	at := map[string]int{}
	for _, p := range r.Projects {
		if p.Head != "" {
			scored = append(scored, projectOf(p, columns, a, index))
			continue
		}
		reason := cmp.Or(p.Failure, "no evidence was gathered")
		i, ok := at[reason]
		if !ok {
			i = len(silent)
			at[reason] = i
			silent = append(silent, silentView{Reason: reason, Settle: stop(p.Settle)})
		}
		silent[i].Rows = append(silent[i].Rows, silentRow{a.projects[p.ID], p.Name, some(p.Versions, 5, 0), webURL(p.Repo)})
	}
	for i := range silent {
		silent[i].Count = plural(len(silent[i].Rows), "project", "projects")
	}
	order := []tone{bad, unsure, good}
	slices.SortStableFunc(scored, func(x, y projectView) int { return slices.Index(order, x.Sign.Tone) - slices.Index(order, y.Sign.Tone) })
	return scored, silent
}

func roleText(role string) string {
	switch role {
	case "platform":
		return "A platform project: users of the cloud build on it, so all Four Opens are asked of it."
	case "building-block":
		return "A building block: asked are its licence, no open core, and life; its other scores are shown only."
	}
	return "Its role is not set, so it counts as a platform project."
}

func projectOf(p Project, columns []string, a anchors, index *originIndex) projectView {
	g := reasonsOf(p)
	plain := p
	plain.Repo = ""
	v := projectView{
		Anchor: a.projects[p.ID], Name: p.Name, Sign: projectSign(p.Verdict), Knocked: list(titlesOf(g.KnockOuts)), Evaluated: evaluated(plain),
		Link: webURL(p.Repo), Role: roleText(p.Role), Facts: facts(p),
	}
	for _, id := range columns {
		cell := barView{Title: aspectTitle(id), Text: "not known", Coverage: "none"}
		for _, aspect := range p.Aspects {
			if aspect.Aspect == id {
				cell = barOf(p, aspect)
			}
		}
		v.Cells = append(v.Cells, cell)
	}
	for _, part := range []struct {
		title  string
		folded bool
		inds   []Indicator
	}{
		{"Knock-outs", false, g.KnockOuts}, {"Fails", false, g.Fail}, {"Partly", false, g.Part}, {"Looked, could not tell", true, g.Tried},
		{"Holds", true, g.Pass}, {"Does not apply", true, g.NA},
	} {
		if len(part.inds) > 0 {
			v.Parts = append(v.Parts, partView{part.title, part.folded, indicatorViews(part.inds, index)})
		}
	}
	for _, m := range g.Missing {
		v.Missing = append(v.Missing, missingText(m, len(m.Indicators)))
	}
	return v
}

func indicatorViews(inds []Indicator, index *originIndex) []indicatorView {
	var out []indicatorView
	for _, i := range inds {
		v := indicatorView{ID: i.ID, Title: i.Title, Reason: stop(i.Reason), Sign: outcomeSign(i.Outcome), Refs: index.refs(i.Origins)}
		if i.Value != "" {
			v.Score = strings.TrimSpace(i.Value + " " + i.Unit)
		}
		if !i.Outcome.Decided() {
			v.Settle = stop(strings.Join(i.Settle, "; "))
		}
		out = append(out, v)
	}
	return out
}

// labels returns a function that names subjects: by their name, with the id where two subjects share a name.
func labels(r Report) func(audit.SubjectRef) string {
	ids := map[string]string{}
	twice := map[string]bool{}
	for _, f := range r.Findings {
		key := f.Subject.Kind + " " + f.Subject.Name
		if id, ok := ids[key]; ok && id != f.Subject.ID {
			twice[key] = true
		}
		ids[key] = f.Subject.ID
	}
	return func(s audit.SubjectRef) string {
		switch {
		case s.Name == "":
			return s.ID
		case twice[s.Kind+" "+s.Name] && s.ID != "":
			return s.Name + " (" + s.ID + ")"
		}
		return s.Name
	}
}

// requirementView is all findings of one requirement.
type requirementView struct {
	Anchor, Title, Rationale, Source, Owner, Remedy string
	Should                                          bool
	Sums                                            []sumView
	Rows                                            []findingView
	Rule                                            *ruleView
	worst                                           int
}

type sumView struct {
	Sign  sign
	Count string
}

// findingView is all findings of one requirement that share answer, reason and evidence.
type findingView struct {
	Sign                         sign
	Names, Count, Reason, Settle string
	Many, Declared               bool
	Refs                         []int
	Overruled, Warns             string
	Tree                         int    // which of the trees of its requirement, counted from 1; 0: none
	Anchor                       string // of that tree
	For                          string
	Facts                        []factView
}

func requirementID(f Finding) string { return cmp.Or(f.Requirement, f.Indicator, f.Title) }

func requirementViews(r Report, a anchors, index *originIndex) []requirementView {
	var order []string
	byID := map[string][]Finding{}
	for _, f := range r.Findings {
		id := requirementID(f)
		if byID[id] == nil {
			order = append(order, id)
		}
		byID[id] = append(byID[id], f)
	}
	label := labels(r)
	var out []requirementView
	for _, id := range order {
		fs := byID[id]
		v := requirementView{
			Anchor: a.requirements[id], Title: cmp.Or(fs[0].Title, id), Rationale: stop(fs[0].Rationale), Source: fs[0].Source,
			Owner: ownerWords(fs[0].Owner), Remedy: stop(fs[0].Remedy), Should: fs[0].Severity == "should",
		}
		v.Sums, v.worst = sums(fs)
		v.Rule = ruleViewOf(r, id)
		v.Rows = findingRows(r, fs, label, index, v.Rule)
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(x, y requirementView) int {
		return cmp.Or(rankOf(x.Should)-rankOf(y.Should), x.worst-y.worst)
	})
	return out
}

// severities is the order in which answers are shown.
var severities = [...]audit.Outcome{audit.FAIL, audit.MISS, audit.DNF, audit.PART, audit.PASS, audit.NA}

func sums(fs []Finding) (out []sumView, worst int) {
	counts := map[audit.Outcome]int{}
	for _, f := range fs {
		counts[f.Outcome] += max(1, f.Count)
	}
	worst = len(severities)
	for i, o := range severities {
		if counts[o] > 0 {
			out = append(out, sumView{outcomeSign(o), thousands(counts[o])})
			worst = min(worst, i)
		}
	}
	return out, worst
}

func findingRows(r Report, fs []Finding, label func(audit.SubjectRef) string, index *originIndex, rule *ruleView) []findingView {
	var out []findingView
	names := map[string][]string{}
	counts := map[string]int{}
	at := map[string]int{}
	for _, o := range severities {
		for _, f := range fs {
			if f.Outcome != o {
				continue
			}
			refs := index.refs(f.Origins)
			row := findingView{
				Sign: outcomeSign(o), Reason: stop(saidOf(f)), Declared: f.Declared, Refs: refs, Overruled: f.Overruled, Warns: day(f.EffectiveOn),
				Tree: rule.tree(treeOf(r, f), f.Tree),
			}
			if !o.Decided() {
				row.Settle = stop(strings.Join(f.Settle, "; "))
			}
			key := fmt.Sprint(o, "\x00", row.Reason, "\x00", row.Settle, "\x00", row.Declared, row.Overruled, row.Warns, row.Tree, refs)
			if _, ok := at[key]; !ok {
				at[key] = len(out)
				if row.Tree > 0 {
					row.Anchor = rule.treeAnchor(row.Tree)
				}
				row.Facts, row.For = factViews(f, index), exampleOf(f, label)
				out = append(out, row)
			}
			names[key] = append(names[key], label(f.Subject))
			counts[key] += max(1, f.Count)
		}
	}
	for key, i := range at {
		out[i].Names = strings.Join(names[key], ", ")
		out[i].Many = len(names[key]) > 5
		if len(names[key]) == 1 && counts[key] == 1 {
			out[i].For = "" // the only one
		}
		if out[i].Many || counts[key] > len(names[key]) {
			out[i].Count = countOf(fs[0].Subject.Kind, counts[key])
		}
	}
	return out
}
