package policies

import (
	"cmp"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Kinds of tasks: what has to happen for a finding to stop blocking.
const (
	TaskFix    = "fix"    // it was seen and is not so: change what is deployed or done
	TaskSettle = "settle" // it is not known: let somebody look
	TaskAccept = "accept" // only the operator says so: an auditor checks and accepts it
)

// Task is one line of the way to a level: all that blocks for the same reason, in the same hands.
type Task struct {
	Requirement string
	Kind        string   // fix, settle, accept
	Owner       string   // who can do it: operator, upstream, distribution, assessor
	Scopes      []string // that wait for it, lower levels first
	Findings    []string // ids, in the order of findings
	Count       int      // subjects behind them, folded ones counted in full
	Settle      []string // what would settle it, cheapest first
}

// Outlook is the distance of one layer to its levels, as a plan of action with milestones (OSCAL: POA&M): what is to be done,
// by whom, and how far the operator gets alone.
type Outlook struct {
	Layer   string
	Reached string // highest scope whose criteria are met; empty: none of those that were judged
	Next    string // lowest scope whose criteria are not met; empty: all are
	// Own is the highest scope that nothing but the operator's own work, and facts that are not known yet, stands between;
	// empty: something in other hands blocks the lowest already.
	Own string
	// OwnOpen counts the tasks up to Own that settle or accept: Own is reached only if what they find is good.
	OwnOpen int
	Tasks   []Task // of all scopes of the layer, lower levels first, then as limiting findings are ordered
	Remains []Task // those that the scope above Own needs from others
}

// others are those whom an operator cannot make act. That an assessor has to look is no obstacle: operators choose theirs.
func others(owner string) bool { return owner == "upstream" || owner == "distribution" }

// Outlook lists for each layer that was judged what stands between it and its levels. at is the day of the audit. A level that
// only waits for the level below has no task of its own for that: the tasks of the level below are.
func (p *Policy) Outlook(r Result, at time.Time) []Outlook {
	var out []Outlook
	for _, layer := range p.layersOf(r) {
		out = append(out, p.outlook(layer, r, at))
	}
	return out
}

// layersOf lists the layers of the verdicts, sorted.
func (p *Policy) layersOf(r Result) []string {
	var out []string
	for _, v := range r.Verdicts {
		if s, ok := p.Scope(v.Scope); ok && !slices.Contains(out, s.Layer) {
			out = append(out, s.Layer)
		}
	}
	slices.Sort(out)
	return out
}

func (p *Policy) outlook(layer string, r Result, at time.Time) Outlook {
	o := Outlook{Layer: layer}
	met := true
	var ladder []string
	for _, v := range r.Verdicts { // lower levels first
		if s, _ := p.Scope(v.Scope); s.Layer != layer {
			continue
		}
		ladder = append(ladder, v.Scope)
		switch met = met && v.Outcome == Eligible; {
		case met:
			o.Reached = v.Scope
		case o.Next == "":
			o.Next = v.Scope
		}
	}
	o.Tasks = p.tasks(ladder, r, at)
	blocked := ""
	for _, scope := range ladder {
		if slices.ContainsFunc(o.Tasks, func(t Task) bool { return t.foreign(scope) }) {
			blocked = scope
			break
		}
		o.Own = scope
	}
	for _, t := range o.Tasks {
		first := slices.Index(ladder, t.Scopes[0])
		if t.Kind != TaskFix && o.Own != "" && first <= slices.Index(ladder, o.Own) {
			o.OwnOpen++
		}
		if blocked != "" && t.foreign(blocked) {
			o.Remains = append(o.Remains, t)
		}
	}
	return o
}

// foreign reports whether a scope waits for something that is known to be wrong and lies in other hands.
func (t Task) foreign(scope string) bool {
	return t.Kind == TaskFix && others(t.Owner) && slices.Contains(t.Scopes, scope)
}

// tasks groups the findings that block scopes of a layer by requirement, kind and owner.
func (p *Policy) tasks(ladder []string, r Result, at time.Time) []Task {
	type key struct{ requirement, kind, owner string }
	index := map[key]int{}
	var out []Task
	for _, f := range r.Findings {
		kind := p.blocks(f, at)
		scopes := slices.DeleteFunc(slices.Clone(ladder), func(s string) bool { return !slices.Contains(f.Scopes, s) || held(r, s, f) })
		if kind == "" || len(scopes) == 0 || f.Subject.Kind == KindPrerequisite && slices.Contains(ladder, f.Subject.ID) {
			continue
		}
		k := key{f.Requirement, kind, p.owner(f, kind)}
		i, known := index[k]
		if !known {
			i = len(out)
			index[k] = i
			out = append(out, Task{Requirement: f.Requirement, Kind: kind, Owner: k.owner})
		}
		t := &out[i]
		t.Findings = append(t.Findings, f.ID)
		t.Count += max(1, f.Count)
		t.Settle = appendNew(t.Settle, f.Settle...)
		t.Scopes = appendNew(t.Scopes, scopes...)
	}
	for i := range out {
		slices.SortFunc(out[i].Scopes, func(a, b string) int { return cmp.Compare(slices.Index(ladder, a), slices.Index(ladder, b)) })
	}
	slices.SortStableFunc(out, func(a, b Task) int {
		return cmp.Or(cmp.Compare(slices.Index(ladder, a.Scopes[0]), slices.Index(ladder, b.Scopes[0])),
			cmp.Compare(taskRank(a.Kind), taskRank(b.Kind)), cmp.Compare(ownerRank(a.Owner), ownerRank(b.Owner)),
			p.order(a, b), cmp.Compare(a.Requirement, b.Requirement))
	})
	return out
}

// held reports whether a finding is held by the last audit for a scope, or waived where waivers do not block. One that counts in
// several regions has to be held in each of them: a region that it still blocks waits for it.
func held(r Result, scope string, f audit.Finding) bool {
	for _, v := range r.Verdicts {
		if v.Scope != scope {
			continue
		}
		if len(v.Regions) == 0 {
			return heldIn(f.ID, v.Probation, v.Waived, v.Limiting)
		}
		return !slices.ContainsFunc(v.Regions, func(x RegionVerdict) bool {
			return (f.Regions == nil || slices.Contains(f.Regions, x.Region)) && !heldIn(f.ID, x.Probation, x.Waived, x.Limiting)
		})
	}
	return false
}

func heldIn(finding string, probation, waived, limiting []string) bool {
	return slices.Contains(probation, finding) || slices.Contains(waived, finding) && !slices.Contains(limiting, finding)
}

// blocks says what has to happen for a finding to stop blocking; "" if it does not block.
func (p *Policy) blocks(f audit.Finding, at time.Time) string {
	q, ok := p.Requirement(f.Requirement)
	if !ok || q.Severity != Must || q.EffectiveOn.After(at) {
		return ""
	}
	switch {
	case f.Outcome == audit.FAIL:
		return TaskFix
	case f.Outcome == audit.MISS, f.Outcome == audit.DNF:
		return TaskSettle
	case f.Outcome == audit.PASS && f.Declared:
		return TaskAccept
	}
	return ""
}

// owner is who can do a task: of what is only declared, whoever may accept it.
func (p *Policy) owner(f audit.Finding, kind string) string {
	if kind == TaskAccept {
		return "assessor"
	}
	return f.Owner
}

// order compares two tasks by the place of their requirements in the scope that waits for both.
func (p *Policy) order(a, b Task) int {
	s, _ := p.Scope(a.Scopes[0])
	return cmp.Compare(slices.Index(s.Include, a.Requirement), slices.Index(s.Include, b.Requirement))
}

func taskRank(kind string) int { return slices.Index([]string{TaskFix, TaskSettle, TaskAccept}, kind) }

func ownerRank(owner string) int {
	return slices.Index([]string{"operator", "distribution", "upstream", "assessor"}, owner)
}
