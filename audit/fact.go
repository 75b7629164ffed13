package audit

import "time"

// Origin says where a value was read, so that anyone can read it again.
type Origin struct {
	Source string    `json:"source"`           // name of the source or collector: "osism", "git", "catalogue", ...
	URL    string    `json:"url,omitempty"`    // address, without credentials; never a path of this machine
	Commit string    `json:"commit,omitempty"` // revision, in full
	Path   string    `json:"path,omitempty"`   // path inside the repository, image or release
	Line   int       `json:"line,omitempty"`   // first line, counted from 1; 0 if the whole file counts
	Digest Digest    `json:"digest,omitempty"` // of the bytes read
	At     time.Time `json:"at,omitzero"`      // what moment the value describes, UTC
}

// Grade says how close a fact is to its source (health check semantics: evidence grades). The zero value: not graded.
type Grade string

// The grades, best first.
const (
	GradeRecord     Grade = "A" // own record of git or forge, with commit or content hash
	GradeForge      Grade = "B" // answer of the forge that hosts the project
	GradeThirdParty Grade = "C" // somebody else's index: deps.dev, Repology, a precomputed score, a profile page
	GradeDeclared   Grade = "D" // declared by the project, with address
	GradeOperator   Grade = "E" // declared by the operator
)

// Lifetime says how long an observation counts, in the words of scs-0003. The zero value: nobody set an end.
type Lifetime string

// The lifetimes that scs-0003 names.
const (
	Day     Lifetime = "day"
	Week    Lifetime = "week"
	Month   Lifetime = "month"
	Quarter Lifetime = "quarter"
	Year    Lifetime = "year"
)

// End returns when an observation of that moment stops to count, by the periods of scs-0003: until the end of the period
// after the one it was made in, at midnight UTC (standards: Tests/scs_cert_lib.py, add_period). ok is false where no end
// was set and for any other word.
//
//	day      two days later
//	week     Monday after next
//	month    first day of the month after next
//	quarter  first day of the quarter after next
//	year     first day of the month after next, one year on
func (l Lifetime) End(observed time.Time) (end time.Time, ok bool) {
	if observed.IsZero() {
		return time.Time{}, false
	}
	observed = observed.UTC()
	year, month, day := observed.Date()
	switch l {
	case Day:
		return date(year, month, day+2), true
	case Week:
		sinceMonday := (int(observed.Weekday()) + 6) % 7
		return date(year, month, day-sinceMonday+14), true
	case Month:
		return date(year, month+2, 1), true
	case Quarter:
		first := (month-1)/3*3 + 1
		return date(year, first+6, 1), true
	case Year:
		return date(year+1, month+2, 1), true
	}
	return time.Time{}, false
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Fact is a value somebody looked for. The zero value says that nobody looked. Make facts with Known and Failed.
type Fact[T any] struct {
	Value    *T       `json:"value,omitempty"`   // nil if not known
	Failure  string   `json:"failure,omitempty"` // why the value could not be read; empty if it is known or nobody looked
	Settle   string   `json:"settle,omitempty"`  // for an unknown fact: what would settle it
	Declared bool     `json:"declared,omitempty"`
	Origins  []Origin `json:"origins,omitempty"`
	Grade    Grade    `json:"grade,omitempty"`
	// ObservedAt is when the source was asked, or the moment until which it could speak, UTC; Lifetime counts from here.
	ObservedAt time.Time `json:"observed_at,omitzero"`
	Lifetime   Lifetime  `json:"lifetime,omitempty"`
}

// Graded returns the fact with its grade, the moment it was observed, and how long it counts from there.
func (f Fact[T]) Graded(g Grade, observed time.Time, l Lifetime) Fact[T] {
	f.Grade, f.ObservedAt, f.Lifetime = g, observed.UTC().Truncate(time.Second), l
	return f
}

// Fresh returns the fact as it counts at a moment: one whose lifetime is over is not known any more, and says so. So does one
// of which nobody can tell: its lifetime is no word that we know, or nobody says when it was observed.
func (f Fact[T]) Fresh(at time.Time) Fact[T] {
	end, ok := f.Lifetime.End(f.ObservedAt)
	switch {
	case f.Value == nil || f.Lifetime == "" || ok && !at.After(end):
		return f
	case !ok:
		f.Value, f.Failure, f.Settle = nil, "nobody can tell how long the observation counts", "collect it again"
		return f
	}
	f.Value, f.Failure = nil, "observed "+f.ObservedAt.Format(time.DateOnly)+", which counts for a "+string(f.Lifetime)+" only"
	f.Settle = "collect it again"
	return f
}

// Known returns a fact that was read.
func Known[T any](v T, origins ...Origin) Fact[T] { return Fact[T]{Value: &v, Origins: origins} }

// Failed returns a fact that somebody looked for in vain; reason is shown to people.
func Failed[T any](reason string, origins ...Origin) Fact[T] {
	return Fact[T]{Failure: reason, Origins: origins}
}

// Get returns the value and whether it is known.
func (f Fact[T]) Get() (T, bool) {
	if f.Value == nil {
		var zero T
		return zero, false
	}
	return *f.Value, true
}

// Unknown returns MISS if nobody looked, DNF if somebody looked in vain, and PASS if the value is known.
func (f Fact[T]) Unknown() Outcome {
	switch {
	case f.Value != nil:
		return PASS
	case f.Failure != "":
		return DNF
	}
	return MISS
}
