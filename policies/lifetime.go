package policies

import "time"

// endOf returns the moment at which an observation stops to count, by the periods of scs-0003: until the end of the period
// after the one it was made in, at midnight UTC (standards: Tests/scs_cert_lib.py, add_period). ok is false for any other
// word.
//
//	day      two days later
//	week     Monday after next
//	month    first day of the month after next
//	quarter  first day of the quarter after next
//	year     first day of the month after next, one year on
func endOf(observed time.Time, period string) (end time.Time, ok bool) {
	observed = observed.UTC()
	year, month, day := observed.Date()
	switch period {
	case "day":
		return date(year, month, day+2), true
	case "week":
		sinceMonday := (int(observed.Weekday()) + 6) % 7
		return date(year, month, day-sinceMonday+14), true
	case "month":
		return date(year, month+2, 1), true
	case "quarter":
		first := (month-1)/3*3 + 1
		return date(year, first+6, 1), true
	case "year":
		return date(year+1, month+2, 1), true
	}
	return time.Time{}, false
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
