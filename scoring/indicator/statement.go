package indicator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// This file is the one way from a statement to an answer. It is taken only by questions that nothing but a statement can
// answer, or where what was measured leaves everything open: a statement never replaces a measurement.
//
// What the project says, in its own repository or by a maintainer or its foundation in a correction file of the catalogue, with a public address
// that shows it, decides: anybody can read it again, and contest it. The answer is marked as declared, has grade D, which counts for
// coverage but not for confidence, and ends with the quarter after the one it was made in. What others say in such a
// file, what a file says that only this run was given, and what the operator says of the projects he runs is tentative until an auditor accepts it: it is shown with its value and leaves the interval as wide as
// it was, because a score that rose by it could pass a gate on his word alone (design section 4, rules 1 and 5).

// told answers a question from what is said about it, where what was measured leaves everything open.
func (in *input) told(measured scoring.Measurement, good better, what string) scoring.Measurement {
	if measured.Outcome.Decided() || measured.Outcome == audit.NA || measured.Interval.Known() {
		return measured
	}
	s, why := in.statement()
	switch {
	case why == "":
	case s == nil && why == nothing:
		return measured
	default:
		measured.Outcome = audit.DNF
		measured.Reason += "; " + why
		return measured
	}
	in.grade = ""
	m := in.worth(*s, good, fmt.Sprintf("%s of %s on %s: %s", speaker(s.By), what, day(s.At), clip(s.Value)))
	m.Declared, m.Grade = true, audit.GradeDeclared
	origin := s.Origin
	origin.Source, origin.URL = cmp.Or(origin.Source, "statement"), cmp.Or(origin.URL, s.Source)
	if origin.At.IsZero() {
		origin.At = s.At
	}
	m.Origins = []audit.Origin{origin}
	if s.Tentative() {
		m.Outcome, m.Interval, m.Grade = audit.DNF, audit.Interval{}, audit.GradeOperator
		m.Reason += "; tentative: " + map[string]string{scoring.ByOperator: "only the operator says so", scoring.ByFile: "only a file of this run says so"}[s.By]
		if s.By == scoring.ByCatalogue {
			m.Reason += "nobody of the project or its foundation says so"
		}
		m.Settle = append(measured.Settle, "have an auditor accept it, or the project say so at a public address")
	}
	return m
}

const nothing = "nobody says anything"

// statement returns the newest statement that counts, those of the project before those of the operator; else why there is
// none.
func (in *input) statement() (s *scoring.Statement, why string) {
	why = nothing
	list := in.e.Stated(in.id)
	slices.SortStableFunc(list, func(a, b scoring.Statement) int {
		return cmp.Or(cmp.Compare(rank(a.By), rank(b.By)), b.At.Compare(a.At), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Source, b.Source))
	})
	for _, s := range list {
		end, dated := audit.Quarter.End(s.At)
		switch {
		case s.Contests || s.Value == "":
			continue
		case in.e.AssessedAt.IsZero() || !dated || s.At.After(in.e.AssessedAt):
			why = "a statement without a day, or of a later one, does not count"
		case in.e.AssessedAt.After(end):
			why = "the statement of " + day(s.At) + " is older than a quarter"
		case s.By != scoring.ByOperator && !strings.HasPrefix(s.Source, "https://"):
			why = "a statement without a public address does not count"
		default:
			return &s, ""
		}
	}
	return nil, why
}

func speaker(by string) string {
	switch by {
	case scoring.ByProject:
		return "the project says"
	case scoring.ByCatalogue:
		return "a correction file of the catalogue says"
	case scoring.ByFile:
		return "a correction file of this run says"
	}
	return "the operator says"
}

func rank(by string) int {
	return slices.Index([]string{scoring.ByProject, scoring.ByCatalogue, scoring.ByFile, scoring.ByOperator}, by)
}

// worth judges the value of a statement by the unit of the rule.
func (in *input) worth(s scoring.Statement, good better, reason string) scoring.Measurement {
	text := strings.TrimSpace(s.Value)
	switch in.rule.Unit {
	case "boolean":
		switch {
		case text == "true" && bool(good), text == "false" && !bool(good):
			return passed(text, reason)
		case text == "true" || text == "false":
			return failed(text, reason)
		}
	case "none":
		return scoring.Measurement{Outcome: audit.DNF, Value: clip(text), Reason: reason + "; for information only", Settle: []string{"nothing: the answer is shown and never judged"}}
	case "months", "days":
		if t, err := time.Parse(time.DateOnly, text); err == nil && !t.After(in.e.AssessedAt) {
			return in.count(in.age(t), good, reason)
		}
	default:
		if n, err := strconv.Atoi(text); err == nil && plausible(n) && (in.rule.Unit != "basis-points" || n <= audit.Full) {
			m := judge(whole(n), in.rule, good).answer(fmt.Sprint(n), reason+in.needed(good))
			if in.rule.Unit == "basis-points" {
				m.Value = decimal(n)
			}
			return m
		}
	}
	return untold(reason+", which is no "+form(in.rule.Unit), "state a "+form(in.rule.Unit))
}

// form names the form of a value by its unit.
func form(unit string) string {
	switch unit {
	case "boolean":
		return "true or false"
	case "months", "days":
		return "day of the past such as 2026-02-28"
	case "basis-points":
		return "number of basis points from 0 to 10000"
	}
	return "number of " + unit
}

// age is the time since a day in the unit of the rule; a month is a twelfth of 365 days.
func (in *input) age(t time.Time) int {
	if in.rule.Unit == "months" {
		return max(0, in.days(t)) * 12 / 365
	}
	return max(0, in.days(t))
}

// stated answers a question that no collector can: from a statement, or as one that nobody looked at, with what would
// answer it.
func (in *input) stated(what, source string, good better) scoring.Measurement {
	return in.told(missed("nobody looked at "+what+"; needs: "+source, "read "+source), good, what)
}

// saying is the source that every project has for what no collector reads.
const saying = "a statement in its security-insights.yml or in a correction file of the catalogue"
