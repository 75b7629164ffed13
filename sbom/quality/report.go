package quality

import (
	"cmp"
	"fmt"
)

const (
	defaultNames = 10     // components that a row names
	mostNames    = 50_000 // that it names at most, so that the report of a large document stays smaller than the document
)

// report measures the facts by the rules of one profile.
func (f *facts) report(p Profile, opt Options) Report {
	r := Report{Profile: p.ID, Title: p.Title, Strict: opt.Strict, Fulfilled: true}
	limit := cmp.Or(opt.Names, defaultNames)
	if limit < 0 || limit > mostNames {
		limit = mostNames
	}
	for _, rule := range p.Rules {
		if rule.until != "" && (f.doc.Format != "CycloneDX" || f.doc.SpecVersion >= rule.until) {
			continue
		}
		var row Row
		if rule.About == aboutDocument {
			row = f.documentRow(rule)
		} else {
			row = f.componentRow(rule, opt.Strict, limit)
		}
		r.Rows = append(r.Rows, row)
		r.Fulfilled = r.Fulfilled && row.settled(opt.Strict)
	}
	r.Complete, r.StrictComplete = f.complete(p.Rules)
	return r
}

// Open returns the rows that find something: a required field that some component lacks, or an additional one that is stated
// wrongly. None means that the profile is fulfilled.
func (r Report) Open() []Row {
	var open []Row
	for _, row := range r.Rows {
		if !row.settled(r.Strict) {
			open = append(open, row)
		}
	}
	return open
}

// settled reports whether a row finds nothing: a required field is stated by all, an additional one wrongly by none.
func (r Row) settled(strict bool) bool {
	applies, fulfilled := r.Applies, r.Fulfilled
	if strict {
		applies, fulfilled = r.StrictApplies, r.StrictFulfilled
	}
	switch r.Level {
	case Required:
		return fulfilled == applies
	case Additional:
		return r.Wrong == 0
	}
	return true
}

func (f *facts) documentRow(rule Rule) Row {
	row := Row{Rule: rule, Applies: 1, StrictApplies: 1}
	fulfilled, isWrong, why := true, false, ""
	if rule.faults != nil {
		faults := rule.faults(f)
		fulfilled, isWrong = faults.count == 0, faults.count > 0
		for _, text := range faults.first {
			row.Missing = append(row.Missing, Missing{Why: text})
		}
		if more := faults.count - len(faults.first); more > 0 {
			row.Missing = append(row.Missing, Missing{Why: fmt.Sprintf("and %d more", more)})
		}
	} else if fulfilled, isWrong, why = rule.document(f); !fulfilled {
		row.Missing = []Missing{{Why: why}}
	}
	if fulfilled {
		row.Fulfilled, row.StrictFulfilled = 1, 1
	} else if isWrong {
		row.Wrong = 1
	}
	return row
}

func (f *facts) componentRow(rule Rule, strict bool, limit int) Row {
	row := Row{Rule: rule}
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			c := &chunk[i]
			if !rule.holds(c, true) {
				continue
			}
			s := c.get(rule.field)
			plain := rule.holds(c, false)
			row.StrictApplies++
			row.Applies += one(plain)
			if s == given {
				row.StrictFulfilled++
				row.Fulfilled += one(plain)
				continue
			}
			row.Wrong += one(s >= wrong && (plain || strict))
			if (plain || strict) && len(row.Missing) < limit {
				row.Missing = append(row.Missing, f.missing(c, rule.field, s))
			}
		}
	}
	return row
}

// holds reports whether a rule is about a component. strictly: a logical component is judged like a file.
func (r Rule) holds(c *component, strictly bool) bool {
	switch {
	case c.kind == kindNone || r.ifGiven && c.get(r.field) == absent:
		return false
	case r.referenced:
		return c.kind == kindReferenced
	case c.kind == kindExternal || c.kind == kindReferenced || c.kind == kindHeading:
		return r.identified
	case c.kind == kindLogical:
		return strictly || r.About != aboutFile
	}
	return true
}

func (f *facts) missing(c *component, what field, s state) Missing {
	m := Missing{Component: f.labels.text(c.label), Why: "not stated"}
	if ref := f.labels.text(f.nodes.at(c.node).label); ref != m.Component {
		m.Ref = ref
	}
	if i := int(s) - int(wrong); i >= 0 && i < len(wrongs[what]) {
		m.Why = wrongs[what][i]
	} else if what == fieldReach {
		m.Why = "not reached from the root"
	}
	return m
}

// complete counts the components that state every required field, and those that do with the fields of files for logical
// components too.
func (f *facts) complete(rules []Rule) (plain, strict int) {
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			if chunk[i].kind == kindNone {
				continue
			}
			all, allStrict := true, true
			for _, rule := range rules {
				if rule.Level != Required || rule.About == aboutDocument || chunk[i].get(rule.field) == given {
					continue
				}
				if rule.until != "" && (f.doc.Format != "CycloneDX" || f.doc.SpecVersion >= rule.until) {
					continue
				}
				all = all && !rule.holds(&chunk[i], false)
				allStrict = allStrict && !rule.holds(&chunk[i], true)
			}
			plain += one(all)
			strict += one(allStrict)
		}
	}
	return plain, strict
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
