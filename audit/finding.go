package audit

import "time"

// SubjectRef names what a finding is about.
type SubjectRef struct {
	Kind  string   `json:"kind"` // stack, artifact, package, component, project, operator
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Tiers []string `json:"tiers,omitempty"`
}

// Finding is one line of a verdict: the answer to one requirement or one indicator for one subject.
type Finding struct {
	ID          string     `json:"id"` // stable within a report: "<requirement>/<subject id>" or "<project>/<indicator>"
	Subject     SubjectRef `json:"subject"`
	Requirement string     `json:"requirement,omitempty"`
	Indicator   string     `json:"indicator,omitempty"`
	Scopes      []string   `json:"scopes,omitempty"`   // scopes that the line counts for, sorted: a requirement and a subject are one line, however many scopes ask
	Regions     []string   `json:"regions,omitempty"`  // regions that the line counts for, sorted; none: all
	Severity    string     `json:"severity,omitempty"` // must or should
	Outcome     Outcome    `json:"outcome"`
	Interval    Interval   `json:"interval"` // of an indicator; the unknown for requirements
	Declared    bool       `json:"declared,omitempty"`
	// Probation counts the audits in a row, this one included, that lie below a score gate which was reached before; 0: none, or
	// too many to be held.
	Probation int `json:"probation,omitempty"`
	// Waived says that somebody who may do so lives with a FAIL for a while. It stays a FAIL.
	Waived     *Waived   `json:"waived,omitempty"`
	Count      int       `json:"count,omitempty"` // subjects folded into this line, if more than one
	Reason     string    `json:"reason"`
	Missing    []string  `json:"missing,omitempty"` // facts that were not known, by path
	Settle     []string  `json:"settle,omitempty"`  // what would settle an unknown, cheapest first
	Origins    []Origin  `json:"origins,omitempty"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Remedy     string    `json:"remedy,omitempty"`
	Owner      string    `json:"owner,omitempty"` // who can fix it: operator, upstream, distribution, assessor
	// EffectiveOn is set where the requirement counts only from a day after the audit: until then the line warns and blocks nothing.
	EffectiveOn time.Time `json:"effective_on,omitzero"`
	// Overruled is what the rule alone says, where it does not count: what only the operator says, what was only declared to run,
	// and evidence that is too old decide nothing.
	Overruled string      `json:"overruled,omitempty"`
	Tree      int         `json:"tree,omitempty"`    // which explanation tree of the result it is, counted from 1; 0: no rule was asked
	Example   *SubjectRef `json:"example,omitempty"` // of a folded line: the subject that tree and grounds are about
	Grounds   []Ground    `json:"grounds,omitempty"` // the facts behind the answer
}

// Waived is who lives with a FAIL, why, and until when.
type Waived struct {
	By     string    `json:"by"` // an organisation or a role, never a person
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`         // the last moment that it counts, UTC
	Key    string    `json:"key,omitempty"` // fingerprint of the key that signed it
}
