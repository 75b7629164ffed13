package transparency

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Indicator is one question about an operator, answered from what was seen.
type Indicator struct {
	ID       string // e.g. SP-01; the key of its numbers in the profile
	Kind     string // of the artifacts that it reads
	Question string // in plain words
	// Contents says that it asks about what an artifact shows, not whether there is one: where nothing can be seen it stays open,
	// because nobody knows whether the contents would do.
	Contents bool
	// Measure answers it. It is called only with artifacts that were read and may count, at least one.
	Measure func(Question) Measurement
}

// Question is what an indicator is asked about.
type Question struct {
	Artifacts []Artifact // of the indicator's kind, read without trouble
	Evidence  Evidence   // all of it, for questions across kinds
	Context   Context
	Rule      audit.TransparencyRule
	Public    bool // artifacts of this kind have to be public
}

// Context is what is known beside the operator's artifacts.
type Context struct {
	// Advisories are those known to concern deployed components, at the versions deployed; nil: nobody looked.
	Advisories []KnownAdvisory
}

// KnownAdvisory is an advisory about a deployed component.
type KnownAdvisory struct {
	ID        string
	Aliases   []string
	Project   string
	Severity  string // critical, high, medium, low; empty: not known
	Published time.Time
	Origins   []audit.Origin
}

// Measurement is the answer to an indicator. The zero value is MISS.
type Measurement struct {
	Outcome  audit.Outcome
	Value    *int64 // in Unit
	Unit     string
	Reason   string   // in plain words, with the number and what was asked for
	Settle   []string // what would settle an unknown, or mend a FAIL
	Origins  []audit.Origin
	Declared bool // only the operator says so
	// Observed is when the facts were seen, UTC; zero: as the artifacts were.
	Observed time.Time
}

// Result is a measurement with its question.
type Result struct {
	Indicator Indicator
	Measurement
	Handed bool // rests on evidence that was handed over, not seen in public
}
