package indicator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const saidAt = "https://example.org/said"

// says adds a statement of that many days ago.
func says(id, by, value string, days int) change {
	return func(s *sample) {
		s.e.Statements = append(s.e.Statements[:len(s.e.Statements):len(s.e.Statements)], scoring.Statement{Indicator: id, By: by, Value: value, Source: saidAt, At: ago(days)})
	}
}

// stateCases are the cases of questions that only a statement can answer.
func stateCases(add adder) {
	unaudited := func(s *sample) { records(func(g *scoring.Governance) { g.LastAudit = lost[time.Time](true) })(s) }
	add("AC-07", "nobody says anything", audit.MISS, open, "needs: ")
	add("AC-07", "two vendors that the project names pass", audit.PASS, fullScore, "the project says of the number of vendors that support it on 2026-06-21: 2, 2 needed", says("AC-07", scoring.ByProject, "2", 10))
	byRole := func(role string) change {
		return func(s *sample) {
			says("AC-07", scoring.ByCatalogue, "1", 10)(s)
			s.e.Statements[len(s.e.Statements)-1].Role = role
		}
	}
	add("AC-07", "one is too few, by its own words", audit.FAIL, zeroScore, "correction file of the catalogue", byRole(scoring.RoleMaintainer))
	add("AC-07", "a user of the project decides nothing", audit.DNF, open, "nobody of the project", byRole("user"))
	add("AC-07", "a file that only this run has decides nothing", audit.DNF, open, "only a file of this run", says("AC-07", scoring.ByFile, "9", 10))
	add("AC-07", "the operator alone decides nothing", audit.DNF, open, "tentative", says("AC-07", scoring.ByOperator, "9", 10))
	add("AC-07", "the project comes before the operator", audit.FAIL, zeroScore, "the project says", says("AC-07", scoring.ByOperator, "9", 1), says("AC-07", scoring.ByProject, "0", 10))
	add("AC-07", "the newest statement counts", audit.PASS, fullScore, ": 3,", says("AC-07", scoring.ByProject, "0", 50), says("AC-07", scoring.ByProject, "3", 10))
	add("AC-07", "a statement ends with the next quarter", audit.DNF, open, "older than a quarter", says("AC-07", scoring.ByProject, "9", 300))
	add("AC-07", "what was said later was not said on the day", audit.DNF, open, "does not count", says("AC-07", scoring.ByProject, "9", -3))
	add("AC-07", "what is no number is open", audit.DNF, open, "no number of vendors", says("AC-07", scoring.ByProject, "many", 10))
	add("AC-07", "a statement without an address does not count", audit.DNF, open, "without a public address", says("AC-07", scoring.ByProject, "9", 10), func(s *sample) { s.e.Statements[0].Source = "" })
	add("AC-07", "words that contest are no answer", audit.MISS, open, "needs: ", says("AC-07", scoring.ByProject, "9", 10), func(s *sample) { s.e.Statements[0].Contests = true })
	add("AC-10", "nobody says anything", audit.MISS, open, "information only")
	add("AC-10", "what is said is shown and not judged", audit.DNF, open, "for information only", says("AC-10", scoring.ByProject, "twelve talks", 10))
	add("OD-06", "nobody says anything", audit.MISS, open, "needs: ")
	add("OD-06", "a day of this year passes", audit.PASS, fullScore, "2026-05-05, at most 12 allowed", says("OD-06", scoring.ByProject, "2026-05-05", 10))
	add("OD-06", "a day of years ago fails", audit.FAIL, zeroScore, "2024-05-05", says("OD-06", scoring.ByProject, "2024-05-05", 10))
	add("OD-06", "a day to come is none", audit.DNF, open, "no day of the past", says("OD-06", scoring.ByProject, "2027-05-05", 10))
	add("SE-14", "an audit that the foundation does not list is stated", audit.PASS, fullScore, "the project says", unaudited, says("SE-14", scoring.ByProject, "2025-01-01", 10))
	add("SE-14", "by its own words the last is too old", audit.FAIL, zeroScore, "at most 36 allowed", unaudited, says("SE-14", scoring.ByProject, "2021-01-01", 10))
	add("SE-14", "a statement never replaces a measured answer", audit.PASS, fullScore, "Example Foundation lists", says("SE-14", scoring.ByProject, "2021-01-01", 10))
	add("OC-12", "a share that nobody could see is stated", audit.PASS, fullScore, "the project says", noTeam, says("OC-12", scoring.ByProject, "5000", 10))
	add("OC-12", "a share of more than all is none", audit.DNF, open, "basis points", noTeam, says("OC-12", scoring.ByProject, "10001", 10))
}

// stateCannot is cannot for these questions.
var stateCannot = map[string]map[audit.Outcome]string{
	"AC-10": {audit.PASS: "it is for information only", audit.FAIL: "it is for information only"},
}

func TestAStatementIsMarkedAndNeverRaisesConfidence(t *testing.T) {
	prof := profile(t)
	m := measure(t, sampleWith(says("AC-07", scoring.ByProject, "3", 10)), prof)["AC-07"]
	if !m.Declared || m.Grade != audit.GradeDeclared || len(m.Origins) != 1 || m.Origins[0].URL != saidAt {
		t.Errorf("got declared %v, grade %q, origins %+v; want a declared answer of grade D with its address", m.Declared, m.Grade, m.Origins)
	}
	m = measure(t, sampleWith(says("AC-07", scoring.ByOperator, "3", 10)), prof)["AC-07"]
	if !m.Declared || m.Grade != audit.GradeOperator || m.Value != "3" || m.Interval.Known() || !strings.Contains(strings.Join(m.Settle, " "), "auditor") {
		t.Errorf("got %+v; want the value of the operator, shown and not counted until an auditor accepts it", m)
	}
}

func TestStatementsAnswerNoQuestionThatIsMeasured(t *testing.T) {
	prof := profile(t)
	answers := map[string]bool{"AC-07": true, "AC-10": true, "OD-06": true, "SE-14": true, "OC-12": true}
	for id, rule := range prof.Indicators {
		value := "true"
		switch rule.Unit {
		case "boolean":
		case "months", "days":
			value = "2026-06-01"
		default:
			value = "7"
		}
		s := sample{scoring.Evidence{AssessedAt: today}, healthyProject()}
		without := measure(t, s, prof)[id]
		says(id, scoring.ByProject, value, 10)(&s)
		if m := measure(t, s, prof)[id]; m.Declared && !answers[id] && without.Outcome.Decided() {
			t.Errorf("%s: a statement replaced the measured answer %v", id, without.Outcome)
		}
		says(id, scoring.ByOperator, value, 10)(&s)
		if m := measure(t, sample{scoring.Evidence{AssessedAt: today, Statements: s.e.Statements[1:]}, healthyProject()}, prof)[id]; m.Declared && (m.Outcome.Decided() || m.Interval.Known()) {
			t.Errorf("%s: the operator alone gives %v [%v]", id, m.Outcome, m.Interval)
		}
	}
}
