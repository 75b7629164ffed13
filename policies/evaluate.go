package policies

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Outcomes of a verdict.
const (
	Eligible     = "eligible"
	NotEligible  = "not-eligible"
	Undetermined = "undetermined"
)

const rolePlatform = "platform"

// Input is everything that decides.
type Input struct {
	Subjects   []Subject     // in any order; kind and id name a subject
	Scopes     []string      // requested; those they require are judged too
	Profile    audit.Profile // the gates and lifetimes that count
	AssessedAt time.Time
	Regions    []string  // that are judged each on its own; none: the stack is judged as one
	Previous   *Previous // the last audit by the same policy; nil: there is none, and nothing is held
	Waivers    []Waiver  // failures that somebody lives with; those without a key count for nothing
	// ReleaseWithoutOperator says that the stack is a software release: what only an operator can show is MISS.
	ReleaseWithoutOperator bool
	// Explain asks for explanation trees and for the facts behind each finding.
	Explain bool
}

// Result is what was decided.
type Result struct {
	Findings []audit.Finding // worst first, then by scope, requirement and subject
	Verdicts []Verdict       // lower levels first; those that were required are among them
	Unused   []UnusedWaiver  // waivers that changed nothing, by requirement and subject
	Trees    []audit.Tree    // if explanations were asked for; findings name them by number, and those that look the same share one
}

// Verdict is the decision about one scope.
type Verdict struct {
	Scope      string
	Outcome    string   // eligible, not-eligible, undetermined
	Limiting   []string // ids of the findings that decide, most important first; none if eligible
	Probation  []string // ids of the findings that lie below a score gate and are held by the last audit
	Waived     []string // ids of the failures of a must that are waived; they block unless the policy says otherwise
	Counts     Counts
	ValidUntil time.Time // when the first evidence that counts stops to count; zero if nothing was decided
	Ends       string    // which evidence that is
	// Regions are the decisions region by region, by name; none if the input names no region. Outcome is the worst of them, and
	// Worst names those that have it, unless all are eligible.
	Regions []RegionVerdict
	Worst   []string
}

// Counts are findings by outcome, folded ones counted in full.
type Counts struct{ Pass, Fail, Miss, DNF, NA int }

func (c *Counts) add(o audit.Outcome, n int) {
	switch o {
	case audit.PASS:
		c.Pass += n
	case audit.FAIL:
		c.Fail += n
	case audit.MISS:
		c.Miss += n
	case audit.DNF:
		c.DNF += n
	case audit.NA:
		c.NA += n
	}
}

// Evaluate applies the policy. The same input gives the same result, whatever the order of subjects. An error means that
// the input contradicts itself (an unknown scope, a record of another kind, a subject given twice), never that something
// could not be decided.
func (p *Policy) Evaluate(in Input) (Result, error) {
	e, err := p.prepare(in)
	if err != nil {
		return Result{}, err
	}
	questions := e.questions()
	e.findings = make([]audit.Finding, 0, e.expected(questions))
	for _, q := range questions {
		e.ask(q)
	}
	unused := e.waive()
	var verdicts []Verdict
	for i := range e.scopes {
		e.prerequisite(i, verdicts)
		verdicts = append(verdicts, e.verdict(i))
	}
	e.sortFindings()
	return Result{Findings: e.findings, Verdicts: verdicts, Unused: unused, Trees: e.forest.trees}, nil
}

// expected is about how many findings there will be: one for each question and subject, but packages, which are folded.
func (e *evaluation) expected(questions []question) int {
	n := 64
	for _, q := range questions {
		if q.ForEach == KindPackage {
			n += 4 * len(e.subjects[KindArtifact])
			continue
		}
		n += len(e.subjects[q.ForEach])
	}
	return n
}

// evaluation is one run of Evaluate.
type evaluation struct {
	policy   *Policy
	in       Input
	scopes   []Scope // to be judged, lower levels first
	subjects map[string][]opened
	names    map[string]string // of artifacts, by id
	findings []audit.Finding
	must     []bool // by finding: an effective must
	forest   forest
	key      []byte      // of the last fact vector, to be used again
	counts   []regionSet // by finding: where it counts
	regions  []string    // sorted
	own      regionSet   // regions of which something deployed was seen that not all share
}

// opened is a subject whose facts are ready for rules.
type opened struct {
	*Subject // of the input, which is not changed
	facts    []fact
	area     uint64 // scopes that select it, as bits by index in scopes
	in       regionSet
	id       string // in findings: that of the subject, with the regions where other facts hold in others
}

// scopeSet is a set of scopes, as bits by index in evaluation.scopes.
type scopeSet = uint64

func (p *Policy) prepare(in Input) (*evaluation, error) {
	scopes, err := p.wanted(in.Scopes)
	if err != nil {
		return nil, err
	}
	e := &evaluation{policy: p, in: in, scopes: scopes, subjects: map[string][]opened{}, names: map[string]string{}, forest: forest{index: map[string]int{}}}
	if err := e.regional(in.Regions); err != nil {
		return nil, err
	}
	schemas, counts := map[string][]field{}, map[string]int{}
	for _, k := range Kinds() {
		schemas[k] = schemaOf(k)
	}
	for i := range in.Subjects {
		counts[in.Subjects[i].Ref.Kind]++
	}
	for i := range in.Subjects {
		s := &in.Subjects[i]
		values, err := facts(s, schemas[kindOf(s.Record)])
		if err != nil {
			return nil, err
		}
		if s.Ref.Kind == KindArtifact {
			e.names[s.Ref.ID] = s.Ref.Name
		}
		if s.Ref.Kind == KindPrerequisite && e.judges(s.Ref.ID) {
			return nil, fmt.Errorf("subject %q: this scope is judged here, so its verdict comes from here", s.Ref.ID)
		}
		if e.subjects[s.Ref.Kind] == nil {
			e.subjects[s.Ref.Kind] = make([]opened, 0, counts[s.Ref.Kind])
		}
		where, err := e.where(*s)
		if err != nil {
			return nil, err
		}
		if s.Regions != nil && !s.Shared && placed(s.Ref.Kind) {
			e.own |= where
		}
		e.subjects[s.Ref.Kind] = append(e.subjects[s.Ref.Kind], opened{Subject: s, facts: values, area: e.selecting(s), in: where})
	}
	for kind, list := range e.subjects {
		slices.SortFunc(list, compareOpened)
		if err := e.tellApart(kind, list); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// wanted returns the requested scopes and all that they require within the policy, lower levels first.
func (p *Policy) wanted(ids []string) ([]Scope, error) {
	want := map[string]bool{}
	for _, id := range ids {
		for id != "" && !want[id] {
			s, ok := p.Scope(id)
			if !ok && len(want) > 0 && !slices.Contains(ids, id) {
				break // required, but not ours to judge: SCS-compatible
			}
			if !ok {
				known := p.ScopeIDs()
				return nil, fmt.Errorf("unknown scope %q%s; scopes are %s", clean(id), didYouMean(id, known), strings.Join(known, ", "))
			}
			want[id] = true
			id = s.Requires
		}
	}
	var out []Scope
	for _, s := range p.scopes {
		if want[s.ID] {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no scope is requested; scopes are %s", strings.Join(p.ScopeIDs(), ", "))
	}
	return out, nil
}

func (e *evaluation) judges(scope string) bool {
	return slices.ContainsFunc(e.scopes, func(s Scope) bool { return s.ID == scope })
}

// selecting returns the scopes that a subject counts for by its place in the stack.
func (e *evaluation) selecting(s *Subject) scopeSet {
	var out scopeSet
	for i, scope := range e.scopes {
		if !placed(s.Ref.Kind) || slices.ContainsFunc(scope.Select, func(x Selector) bool { return x.takes(s) }) {
			out |= 1 << i
		}
	}
	return out
}

// takes reports whether the selector takes a subject. What has no tier or no area could stand anywhere, so it is taken.
func (x Selector) takes(s *Subject) bool {
	if len(x.Kinds) > 0 && !slices.Contains(x.Kinds, s.Ref.Kind) {
		return false
	}
	if len(x.Areas) > 0 && s.Area != "" && !slices.Contains(x.Areas, s.Area) {
		return false
	}
	if len(x.Tiers) == 0 || len(s.Ref.Tiers) == 0 {
		return true
	}
	return slices.ContainsFunc(s.Ref.Tiers, func(t string) bool { return slices.Contains(x.Tiers, t) })
}

func (e *evaluation) ids(set scopeSet) []string {
	var out []string
	for i, s := range e.scopes {
		if set&(1<<i) != 0 {
			out = append(out, s.ID)
		}
	}
	slices.Sort(out)
	return out
}

// question is a requirement with the gates that count, asked by one or more scopes. Levels with the same gates ask the same
// question, so its answers are counted once.
type question struct {
	Requirement
	id    string                   // in findings: the requirement, with "@level" if another level asks with other gates
	gates map[string]gatesByAspect // by role
	asked scopeSet
}

// questions lists what the scopes ask, each once, prerequisites apart.
func (e *evaluation) questions() []question {
	var out []question
	index := map[string]int{}
	first := map[string]bool{}
	for i, s := range e.scopes {
		for _, id := range s.Include {
			q, _ := e.policy.Requirement(id)
			if q.ForEach == KindPrerequisite {
				continue
			}
			gates := e.in.Profile.Gates[s.Gates]
			key := id + " " + gateKey(q.rule, gates)
			at, known := index[key]
			if !known {
				at = len(out)
				index[key] = at
				name := id
				if first[id] {
					name += "@" + s.Gates
				}
				first[id] = true
				out = append(out, question{Requirement: q, id: name, gates: gates})
			}
			out[at].asked |= 1 << i
		}
	}
	return out
}

// gateKey writes the gates that a rule reads; "" for a rule without gates.
func gateKey(r *rule, gates map[string]map[string]audit.Gate) string {
	var b strings.Builder
	for _, a := range r.aspects {
		for _, role := range sortedKeys(gates) {
			if g, ok := gates[role][a]; ok {
				fmt.Fprintf(&b, "%s %s %d %d;", role, a, g.Low, g.Coverage)
			}
		}
	}
	return b.String()
}

// ask answers a question for every subject that it is asked about.
func (e *evaluation) ask(q question) {
	list := e.subjects[q.ForEach]
	if q.ForEach == KindOperator && e.in.ReleaseWithoutOperator {
		e.noOperator(q, list)
		return
	}
	seen := e.newSights(q)
	memo := map[string]decision{}
	fold := newFolder(e, q)
	for i := range list {
		s := &list[i]
		asked := q.asked & s.area
		if asked == 0 {
			continue
		}
		seen.note(s, asked)
		a := e.answer(q, s, memo)
		if q.ForEach == KindPackage {
			fold.add(s, asked, a)
			continue
		}
		f := e.finding(q, s, asked, a)
		if f.Probation = e.probation(q, s, a); f.Probation > 0 {
			f.Reason += e.onProbation(f.Probation)
		}
		e.addIn(f, q.Requirement, s.in)
	}
	fold.flush()
	seen.missing(q)
}

// answered is the answer to a question about one subject, with the reason in short if the rule alone did not give it.
type answered struct {
	decision
	gates    gatesByAspect
	reason   string
	settle   []string
	declared bool
	until    time.Time
	ruled    audit.Outcome // what the rule alone says
}

// answer decides and then applies what no rule may override: only declared, only intended, too old.
func (e *evaluation) answer(q question, s *opened, memo map[string]decision) answered {
	role := roleOf(s.Subject)
	a := answered{gates: q.gates[role]}
	e.key = appendVector(e.key[:0], q.rule, s.facts, role)
	d, known := memo[string(e.key)]
	if !known {
		var steps []asked
		d, steps = q.rule.decide(s.facts, a.gates)
		if e.in.Explain {
			d.tree = e.forest.plant(q.id, q.ForEach, steps)
		}
		memo[string(e.key)] = d
	}
	a.decision, a.ruled = d, d.outcome
	if d.outcome != audit.PASS && d.outcome != audit.FAIL {
		return a
	}
	a.declared = q.rule.restsOnDeclared(s, d.outcome, a.gates)
	e.age(q, s.observed(q.rule), &a)
	e.until(q, s, &a)
	if a.outcome != audit.PASS {
		return a
	}
	switch {
	case a.declared && !q.DeclaredOK:
		a.outcome, a.reason = audit.MISS, "only the operator says so; nobody looked"
		a.settle = []string{"give a source that shows it"}
	case s.Intent:
		a.outcome, a.reason = audit.MISS, "declared, not seen running"
		a.settle = []string{"add a source that sees the running stack"}
	}
	return a
}

// roleOf is the role whose gates count: of a project without a role, those of a platform (design section 9).
func roleOf(s *Subject) string {
	if p, ok := s.Record.(Project); ok && p.Role != "" {
		return p.Role
	}
	return rolePlatform
}

// observed is when the oldest of the known facts that a rule reads was taken.
func (s *opened) observed(r *rule) time.Time {
	oldest := time.Time{}
	for _, i := range r.reads {
		at, own := s.ObservedAt[r.schema[i].name]
		if own && s.facts[i].unknown == nil && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	if oldest.IsZero() {
		return s.Observed
	}
	return oldest
}

// age sets until when an answer holds. Evidence that is too old on the day of the audit decides nothing.
func (e *evaluation) age(q question, observed time.Time, a *answered) {
	if observed.IsZero() || observed.After(e.in.AssessedAt) {
		observed = e.in.AssessedAt
	}
	until, ok := audit.Lifetime(e.in.Profile.Lifetimes[q.Lifetime]).End(observed)
	if !ok {
		a.outcome, a.fault = audit.DNF, fmt.Sprintf("the profile has no lifetime for evidence of kind %q", q.Lifetime)
		return
	}
	a.until = until
	if !until.After(e.in.AssessedAt) {
		a.outcome, a.until = audit.DNF, time.Time{}
		a.reason = fmt.Sprintf("the evidence is of %s and counted until %s", observed.UTC().Format(time.DateOnly), until.Format(time.DateOnly))
		a.settle = []string{"gather the evidence again"}
	}
}

// until shortens the time that an answer holds to that of the facts it reads. One that is over decides nothing.
func (e *evaluation) until(q question, s *opened, a *answered) {
	for _, i := range q.rule.reads {
		end := s.Until[q.rule.schema[i].name]
		if end.IsZero() || s.facts[i].unknown != nil || a.until.IsZero() || !end.Before(a.until) {
			continue
		}
		a.until = end
		if !end.After(e.in.AssessedAt) {
			a.outcome, a.until = audit.DNF, time.Time{}
			a.reason = fmt.Sprintf("%s counted until %s", words([]string{q.rule.schema[i].name}), end.Format(time.DateOnly))
			a.settle = []string{"gather the evidence again"}
			return
		}
	}
}

// restsOnDeclared says whether an answer needs what only the operator says: without that it would be another one.
func (r *rule) restsOnDeclared(s *opened, outcome audit.Outcome, gates gatesByAspect) bool {
	if len(s.Declared) == 0 {
		return false
	}
	without := slices.Clone(s.facts)
	declared := false
	for _, i := range r.reads {
		if s.Declared[r.schema[i].name] && without[i].unknown == nil {
			without[i].unknown, declared = &UnknownField{Field: r.schema[i].name}, true
		}
	}
	if !declared {
		return false
	}
	d, _ := r.decide(without, gates)
	return d.outcome != outcome
}

// appendVector writes the facts that a rule reads, so that subjects with the same facts are decided once.
func appendVector(b []byte, r *rule, values []fact, role string) []byte {
	if len(r.aspects) > 0 {
		b = append(b, role...)
	}
	for _, i := range r.reads {
		b = append(b, 0)
		switch u := values[i].unknown; {
		case u == nil:
			b = appendValue(b, values[i].value)
		case u.Looked:
			b = append(b, "\x01looked"...)
		default:
			b = append(b, 1)
		}
	}
	return b
}

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return strconv.AppendQuote(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case audit.Interval:
		return strconv.AppendInt(append(strconv.AppendInt(b, int64(v.Low()), 10), '-'), int64(v.High()), 10)
	case []string:
		for _, text := range v {
			b = append(strconv.AppendQuote(b, text), ',')
		}
		return b
	case map[string]int64:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = append(strconv.AppendInt(append(strconv.AppendQuote(b, key), ':'), v[key], 10), ',')
		}
		return b
	}
	return fmt.Appendf(b, "%q", fmt.Sprint(value))
}

// noOperator answers for a software release: nobody runs it, so nobody looked.
func (e *evaluation) noOperator(q question, list []opened) {
	ref := audit.SubjectRef{Kind: KindOperator, ID: "operator", Name: "the operator"}
	if len(list) > 0 {
		ref = list[0].Ref
	}
	e.add(e.unanswered(q, ref, q.asked, noOperatorReason, "audit a cloud that runs this release"), q.Requirement)
}

const noOperatorReason = "a release has no operator"

func (e *evaluation) unanswered(q question, ref audit.SubjectRef, scopes scopeSet, reason, settle string) audit.Finding {
	return audit.Finding{
		ID: q.id + "/" + ref.ID, Subject: ref, Requirement: q.ID, Scopes: e.ids(scopes), Severity: q.Severity, Outcome: audit.MISS,
		Reason: ref.Name + ": " + reason, Settle: []string{settle}, Remedy: q.Remedy["en"], Owner: q.Owner,
	}
}

// below answers for one region whether the level below is held: by the verdict if it was judged here, else by the subject
// that was given.
func (e *evaluation) below(ask question, scope, region int, verdicts []Verdict) audit.Finding {
	s := e.scopes[scope]
	subject, ok := e.held(s.Requires, region, verdicts)
	ref := audit.SubjectRef{Kind: KindPrerequisite, ID: s.Requires, Name: s.Requires}
	switch {
	case !e.judges(s.Requires) && e.in.ReleaseWithoutOperator:
		if ok {
			ref = subject.Ref
		}
		return e.unanswered(ask, ref, ask.asked, noOperatorReason+", so nobody can hold the certificate", "audit a cloud that runs this release")
	case !ok:
		return e.unanswered(ask, ref, ask.asked, "nobody looked whether it is held", "show the certificate to the assessor")
	}
	a := e.answer(ask, &subject, map[string]decision{})
	for _, v := range verdicts {
		if r := v.region(region); v.Scope == s.Requires && !a.until.IsZero() && !r.ValidUntil.IsZero() {
			a.until = r.ValidUntil // as long as the evidence below
		}
	}
	return e.finding(ask, &subject, ask.asked, a)
}

// held opens the subject of a required scope in one region.
func (e *evaluation) held(scope string, region int, verdicts []Verdict) (opened, bool) {
	for _, v := range verdicts {
		if v.Scope != scope {
			continue
		}
		v := v.region(region)
		below, _ := e.policy.Scope(scope)
		s := Subject{
			Ref:    audit.SubjectRef{Kind: KindPrerequisite, ID: scope, Name: below.Title},
			Record: Prerequisite{Scope: scope, Held: v.Outcome == Eligible, TestsPass: v.Outcome == Eligible},
		}
		if v.Outcome == Undetermined {
			for _, field := range []string{"held", "testsPass"} {
				s.Unknown = append(s.Unknown, UnknownField{
					Field: field, Looked: true, Reason: fmt.Sprintf("it is undetermined, %d findings are open", len(v.Limiting)),
					Settle: []string{"settle the open findings of " + below.Title},
				})
			}
		}
		values, err := facts(&s, schemaOf(KindPrerequisite))
		return opened{Subject: &s, facts: values, id: scope}, err == nil
	}
	for _, s := range e.subjects[KindPrerequisite] {
		if s.Ref.ID == scope && s.in&(1<<region) != 0 {
			s.id = scope
			return s, true
		}
	}
	return opened{}, false
}

func (e *evaluation) add(f audit.Finding, q Requirement) { e.addIn(f, q, e.everywhere()) }

// addIn notes a finding that counts in some regions.
func (e *evaluation) addIn(f audit.Finding, q Requirement, in regionSet) {
	f.Regions = e.limitedTo(in)
	if q.EffectiveOn.After(e.in.AssessedAt) {
		f.EffectiveOn = q.EffectiveOn
	}
	e.findings, e.counts = append(e.findings, f), append(e.counts, in)
	e.must = append(e.must, q.Severity == Must && !q.EffectiveOn.After(e.in.AssessedAt))
}

// sortFindings puts the worst first, then by scope, requirement and subject.
func (e *evaluation) sortFindings() {
	slices.SortFunc(e.findings, func(a, b audit.Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Outcome), rank(b.Outcome)), slices.Compare(a.Scopes, b.Scopes),
			cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.ID, b.ID))
	})
}

// rank orders outcomes for readers, worst first (scs-0003-v2: FAIL > MISS > DNF > PASS).
func rank(o audit.Outcome) int {
	return slices.Index([]audit.Outcome{audit.FAIL, audit.MISS, audit.DNF, audit.PASS, audit.NA}, o)
}
