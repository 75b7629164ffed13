package reports

import (
	"fmt"
	"time"
)

// spanOfDays are the first and the last day that projects were judged on; ok is false if it is one day, or none is known.
func spanOfDays(projects []Project) (first, last time.Time, ok bool) {
	for _, p := range projects {
		if p.At.IsZero() {
			continue
		}
		if first.IsZero() || p.At.Before(first) {
			first = p.At
		}
		if p.At.After(last) {
			last = p.At
		}
	}
	return first, last, day(first) != day(last)
}

// daysSentence warns below a table whose projects were judged on different days; "" if they were not.
func daysSentence(projects []Project) string {
	first, last, ok := spanOfDays(projects)
	if !ok {
		return ""
	}
	return fmt.Sprintf("Judged on different days, from %s to %s; --at DAY judges all on one day.", day(first), day(last))
}

// mostApart is how far apart two projects may be judged before a comparison warns: about a month, a third of the shortest
// window that activity is counted over.
const mostApart = 31 * 24 * time.Hour

// apartText warns that two projects were judged so far apart that what they did lately cannot be compared; "" if they were not.
func apartText(a, b Project) string {
	if a.At.IsZero() || b.At.IsZero() || a.At.Sub(b.At).Abs() <= mostApart {
		return ""
	}
	return fmt.Sprintf("Judged on different days: %s on %s, %s on %s. Differences in activity, and in all that is counted over time, may come from that alone; --at DAY judges both on one day.",
		a.Name, day(a.At), b.Name, day(b.At))
}
