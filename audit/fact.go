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

// Fact is a value somebody looked for. The zero value says that nobody looked. Make facts with Known and Failed.
type Fact[T any] struct {
	Value    *T       `json:"value,omitempty"`   // nil if not known
	Failure  string   `json:"failure,omitempty"` // why the value could not be read; empty if it is known or nobody looked
	Settle   string   `json:"settle,omitempty"`  // for an unknown fact: what would settle it
	Declared bool     `json:"declared,omitempty"`
	Origins  []Origin `json:"origins,omitempty"`
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
