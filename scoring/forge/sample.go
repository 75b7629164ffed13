package forge

import (
	"slices"
	"time"
)

// windowMonths are the windows of design section 4, rule 11.
func windowMonths() [4]int { return [...]int{3, 6, 12, 24} }

// since returns where a window of so many months begins that ends at a moment. A month is 365/12 days, as in histories.
func since(at time.Time, months int) time.Time {
	return at.Add(-time.Duration(months) * 365 * 24 * time.Hour / 12)
}

// within says whether something happened in the window of so many months that ends at a moment: after its begin, and not
// later than its end. A moment that is not known lies in no window.
func within(t, at time.Time, months int) bool {
	return !t.IsZero() && t.After(since(at, months)) && !t.After(at)
}

// median returns the middle value, of two middle ones the mean; ok is false without values. It leaves values as they are.
func median(values []int64) (m int64, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return low + (high-low)/2, true
}

// remark is something somebody said about an issue or a change: a comment, a vote, a review.
type remark struct {
	at      time.Time
	who     string // as redacted; empty: nobody knows, e.g. the account was deleted
	machine bool
}

// until leaves out what was said after a moment.
func until(at time.Time, remarks []remark) []remark {
	return slices.DeleteFunc(slices.Clone(remarks), func(r remark) bool { return r.at.After(at) })
}

// firstAnswer returns how many seconds after it was opened somebody else, and no machine, said something; ok is false if
// nobody did. An answer of nobody known does not count: it might be the author's.
func firstAnswer(opened time.Time, author string, remarks []remark) (seconds int64, ok bool) {
	for _, r := range remarks {
		if r.machine || r.who == "" || r.who == author || r.at.Before(opened) {
			continue
		}
		if s := int64(r.at.Sub(opened) / time.Second); !ok || s < seconds {
			seconds, ok = s, true
		}
	}
	return seconds, ok
}
