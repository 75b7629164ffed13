package scoring

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Who makes a statement. It decides the grade: the project's own words are D, the operator's E (audit.Grade).
const (
	ByProject   = "project"   // its security-insights.yml or another file of its repository
	ByCatalogue = "catalogue" // a correction file of the catalogue, which maintainers or users sent in and others have looked at
	ByFile      = "file"      // a correction file that only this run was given; nobody else has looked at it
	ByOperator  = "operator"  // the declarations of the stack
)

// Statement is what somebody says about one indicator of a project. It never replaces a measurement: a question that can be
// measured shows it beside the measured answer (Contests), and only a question that nothing but a statement can answer takes
// its value from here, marked as declared.
type Statement struct {
	Indicator string `json:"indicator"` // as in the profile, e.g. "SE-14"
	By        string `json:"by"`        // project, catalogue, file or operator
	// Role is that of the speaker where the file names one: maintainer, foundation, packager, user. Never a name.
	Role string `json:"role,omitempty"`
	// Contests: the speaker holds the measured answer to be wrong. The words are shown beside it.
	Contests bool `json:"contests,omitempty"`
	// Value is the answer in the unit of the indicator's rule: "true", "false", a number, or a date (2026-03-01) where the unit
	// is an age. Empty if only words are given.
	Value  string       `json:"value,omitempty"`
	Words  string       `json:"words,omitempty"`  // the reasons, without personal data, at most 1000 bytes
	Source string       `json:"source,omitempty"` // public address that shows it
	At     time.Time    `json:"at,omitzero"`      // when it was said, UTC
	Origin audit.Origin `json:"origin,omitzero"`
}

// Tentative says that a statement is shown and decides nothing until somebody else accepts it: what only the operator, a file of
// this run, or somebody who speaks for neither the project nor its foundation says.
func (s Statement) Tentative() bool {
	return s.By == ByOperator || s.By == ByFile || s.By == ByCatalogue && s.Role != RoleMaintainer && s.Role != RoleFoundation
}

// Roles of those who speak for a project.
const (
	RoleMaintainer = "maintainer"
	RoleFoundation = "foundation"
)

// Stated returns the statements about one indicator, those of the project first, then the catalogue's, then those of a file of
// this run, then the operator's.
func (e Evidence) Stated(indicator string) []Statement {
	var out []Statement
	for _, by := range []string{ByProject, ByCatalogue, ByFile, ByOperator} {
		for _, s := range e.Statements {
			if s.Indicator == indicator && s.By == by {
				out = append(out, s)
			}
		}
	}
	return out
}

// Shared says what a project shares with others of the same collection. People are counted in memory while collecting and
// never stored: groups of fewer than three are given as Few.
type Shared struct {
	Projects int `json:"projects"` // projects whose histories were read together, this one included
	// Critical are the sets of projects, this one among them, that hang on the same people: each of these people belongs in every
	// project of the set to the fewest who wrote half of the human commits of 12 months (LR-01).
	Critical []SharedBy `json:"critical,omitempty"`
	// Authors counts, by project id, the people who wrote commits of 12 months in both; Tested the projects that changes were
	// tested together with (Depends-On), by id, with the number of such commits.
	Authors map[string]int `json:"authors,omitempty"` // 2 stands for one or two
	Tested  map[string]int `json:"tested,omitempty"`
}

// SharedBy is a set of projects and how many people are critical in all of them.
type SharedBy struct {
	Projects []string `json:"projects"`      // ids, sorted
	People   int      `json:"people"`        // 3 or more; 0 with Few
	Few      bool     `json:"few,omitempty"` // one or two people
}
