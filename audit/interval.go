package audit

import (
	"encoding/json"
	"fmt"
)

// Full is the highest score, in basis points.
const Full = 10000

// Interval is a score in basis points, 0 to 10000, of which only the ends are known. The zero value is the unknown
// [0, 10000]: nothing was measured.
type Interval struct {
	low  uint16
	lost uint16 // what the high end lacks to 10000, so that the zero value is the unknown
}

// Between returns the interval [low, high]; the ends are put in order and cut to 0..10000.
func Between(low, high int) Interval {
	if low > high {
		low, high = high, low
	}
	return Interval{low: uint16(clamp(low)), lost: uint16(Full - clamp(high))}
}

// Exactly returns the interval [n, n].
func Exactly(n int) Interval { return Between(n, n) }

// Low returns the lower end.
func (i Interval) Low() int { return int(i.low) }

// High returns the upper end.
func (i Interval) High() int { return Full - int(i.lost) }

// Width returns High - Low.
func (i Interval) Width() int { return i.High() - i.Low() }

// Known reports whether the interval excludes anything at all.
func (i Interval) Known() bool { return i != Interval{} }

// AtLeast compares with a gate: decided is true if the whole interval lies on one side (design section 4, rule 10).
func (i Interval) AtLeast(gate int) (holds, decided bool) {
	switch {
	case i.Low() >= gate:
		return true, true
	case i.High() < gate:
		return false, true
	}
	return false, false
}

// AtMost compares with an upper gate, like AtLeast.
func (i Interval) AtMost(gate int) (holds, decided bool) {
	switch {
	case i.High() <= gate:
		return true, true
	case i.Low() > gate:
		return false, true
	}
	return false, false
}

// Within reports whether i lies inside outer: more knowledge may only narrow an interval.
func (i Interval) Within(outer Interval) bool {
	return i.Low() >= outer.Low() && i.High() <= outer.High()
}

// String writes "7200" or "5000..8300".
func (i Interval) String() string {
	if i.Width() == 0 {
		return fmt.Sprint(i.Low())
	}
	return fmt.Sprintf("%d..%d", i.Low(), i.High())
}

type intervalJSON struct {
	Low  int `json:"low"`
	High int `json:"high"`
}

// MarshalJSON writes {"low":n,"high":n}.
func (i Interval) MarshalJSON() ([]byte, error) { return json.Marshal(intervalJSON{i.Low(), i.High()}) }

// UnmarshalJSON reads what MarshalJSON wrote and refuses ends out of order or out of range.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var v intervalJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if v.Low < 0 || v.High > Full || v.Low > v.High {
		return fmt.Errorf("interval [%d, %d] is not within 0..10000 in order", v.Low, v.High)
	}
	*i = Between(v.Low, v.High)
	return nil
}

func clamp(n int) int { return max(0, min(Full, n)) }
