package scoring

import "slices"

// Point is one value of a series: which step of equal length it belongs to, and the value.
type Point struct{ At, Value int }

// Slope returns how much a series changes over so many steps: the Theil-Sen slope, that is the median of the slopes of all
// pairs, so that fewer than 29 % of wild values cannot turn it. It is rounded towards zero: a change that is smaller than one
// is none. ok is false where fewer than two steps have a value. The order of the points does not matter; steps may be missing.
func Slope(points []Point, over int) (change int, ok bool) {
	points = points[:min(len(points), mostPoints)]
	var slopes []fraction
	for i, a := range points {
		for _, b := range points[:i] {
			switch {
			case a.At > b.At:
				slopes = append(slopes, fraction{int64(a.Value - b.Value), int64(a.At - b.At)})
			case a.At < b.At:
				slopes = append(slopes, fraction{int64(b.Value - a.Value), int64(b.At - a.At)})
			}
		}
	}
	if len(slopes) == 0 {
		return 0, false
	}
	slices.SortFunc(slopes, func(a, b fraction) int { return int(max(-1, min(1, a.num*b.den-b.num*a.den))) })
	middle := slopes[len(slopes)/2]
	if len(slopes)%2 == 0 {
		other := slopes[len(slopes)/2-1]
		middle = fraction{middle.num*other.den + other.num*middle.den, 2 * middle.den * other.den}
	}
	return int(middle.num * int64(over) / middle.den), true
}

// mostPoints bounds the pairs; three years have twelve quarters.
const mostPoints = 40

// fraction is num/den with den above 0. Values are basis points or counts below 10^9, so that products fit.
type fraction struct{ num, den int64 }
