package indicator

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// better says which values are good.
type better bool

const (
	more better = true
	less better = false
)

// value is a number that is compared with thresholds exactly: num/den, den > 0.
type value struct{ num, den int64 }

func whole(n int) value { return value{int64(n), 1} }

// share is part of total in basis points; total > 0.
func share(part, total int) value { return value{int64(part) * audit.Full, int64(total)} }

// basisPoints is the value rounded down.
func (v value) basisPoints() int { return int(v.num / v.den) }

// compare returns -1, 0 or 1. Thresholds are cut to a million, so that nothing overflows.
func (v value) compare(threshold int) int {
	t := cut(threshold) * v.den
	switch {
	case v.num < t:
		return -1
	case v.num > t:
		return 1
	}
	return 0
}

// mostThreshold is also the bound of the profile loader.
const mostThreshold = 1_000_000

func cut(threshold int) int64 { return int64(max(-mostThreshold, min(mostThreshold, threshold))) }

// verdict is the judgement of one value.
type verdict struct {
	outcome  audit.Outcome
	interval audit.Interval
}

// judge applies the scale and the thresholds of a rule to a value. A rule that sets no threshold it needs, or whose
// thresholds point the other way, gives DNF.
func judge(v value, rule audit.IndicatorRule, good better) verdict {
	if rule.Fail != nil && rule.Pass != nil && (*rule.Pass > *rule.Fail) != bool(good) || rule.Pass == nil {
		return verdict{outcome: audit.DNF}
	}
	reaches := func(threshold, sign int) bool {
		if good == less {
			sign = -sign
		}
		return v.compare(threshold)*sign >= 0
	}
	switch {
	case reaches(*rule.Pass, 1):
		return verdict{audit.PASS, audit.Exactly(audit.Full)}
	case rule.Scale == "boolean" || rule.Fail != nil && reaches(*rule.Fail, -1):
		return verdict{audit.FAIL, audit.Exactly(0)}
	case rule.Scale == "steps":
		return verdict{audit.PART, audit.Exactly(half)}
	case rule.Scale == "linear" && rule.Fail != nil:
		return verdict{audit.PART, line(v, *rule.Fail, *rule.Pass)}
	}
	return verdict{outcome: audit.DNF}
}

// line returns where v lies between fail and pass, rounded outward; v lies strictly between them.
func line(v value, fail, pass int) audit.Interval {
	distance := magnitude(v.num - cut(fail)*v.den)
	span := magnitude((cut(pass) - cut(fail)) * v.den)
	high, low := bits.Mul64(distance, audit.Full)
	quotient, rest := bits.Div64(high, low, span)
	up := int(quotient)
	if rest > 0 {
		up++
	}
	return audit.Between(int(quotient), up)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

// judgeBetween judges a value of which only the ends are known: decided if both ends give the same outcome, else DNF with
// the interval that covers both.
func judgeBetween(low, high value, rule audit.IndicatorRule, good better) verdict {
	a, b := judge(low, rule, good), judge(high, rule, good)
	hull := audit.Between(min(a.interval.Low(), b.interval.Low()), max(a.interval.High(), b.interval.High()))
	if a.outcome != b.outcome {
		return verdict{audit.DNF, hull}
	}
	return verdict{a.outcome, hull}
}

// answer makes a measurement of a verdict.
func (v verdict) answer(shown, reason string, origins ...audit.Origin) scoring.Measurement {
	return scoring.Measurement{Outcome: v.outcome, Interval: v.interval, Value: shown, Reason: reason, Origins: origins}
}

// count judges a known number of things.
func (in *input) count(n int, good better, reason string, origins ...audit.Origin) scoring.Measurement {
	return judge(whole(n), in.rule, good).answer(fmt.Sprint(n), reason+in.needed(good), origins...)
}

// ratio judges a known share.
func (in *input) ratio(part, total int, good better, reason string, origins ...audit.Origin) scoring.Measurement {
	v := share(part, total)
	return judge(v, in.rule, good).answer(decimal(int(v.num/v.den)), reason+in.needed(good), origins...)
}

// between judges a number of which only the ends are known; settle tells what would bring them together.
func (in *input) between(low, high int, good better, show func(int) string, reason, settle string, origins ...audit.Origin) scoring.Measurement {
	shown := show(low)
	if high != low {
		shown += ".." + show(high)
	}
	m := judgeBetween(whole(low), whole(high), in.rule, good).answer(shown, reason+in.needed(good), origins...)
	if m.Outcome == audit.DNF {
		m.Reason += "; both ends must agree"
		m.Settle = []string{settle}
	}
	return m
}

// needed writes what would pass, e.g. ", 13 needed".
func (in *input) needed(good better) string {
	if in.rule.Pass == nil {
		return ""
	}
	limit := fmt.Sprint(*in.rule.Pass)
	if strings.HasPrefix(in.rule.Unit, "basis-points") {
		limit = percent(*in.rule.Pass)
	}
	if good == more {
		return ", " + limit + " needed"
	}
	return ", at most " + limit + " allowed"
}

// decimal writes basis points as a share, exactly, with at least two digits: 4200 is "0.42", 9001 is "0.9001".
func decimal(bp int) string {
	sign := ""
	if bp < 0 {
		sign, bp = "-", -bp
	}
	digits := strings.TrimRight(fmt.Sprintf("%04d", bp%audit.Full), "0")
	for len(digits) < 2 {
		digits += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, bp/audit.Full, digits)
}

// percent writes basis points as per cent, exactly: 4250 is "42.5 %".
func percent(bp int) string {
	sign := ""
	if bp < 0 {
		sign, bp = "-", -bp
	}
	text := fmt.Sprint(bp / 100)
	if rest := bp % 100; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%02d", rest), "0")
	}
	return sign + text + " %"
}

// percentOf writes part of total as whole per cent, rounded down; total > 0.
func percentOf(part, total int) string {
	return fmt.Sprintf("%d %%", int64(part)*100/int64(total))
}

func plain(n int) string { return fmt.Sprint(n) }

// unbounded stands for a value that may be as large as it likes.
const unbounded = math.MaxInt32
