package audit

// Profile is the set of thresholds and weights that turn measurements into outcomes and scores. It is data: the loader
// and the shipped profiles are in package policies. All numbers are integers; ratios and shares are basis points.
type Profile struct {
	Schema  string `yaml:"schema" json:"schema"` // pegel/profile/v1
	ID      string `yaml:"id" json:"id"`
	Version string `yaml:"version" json:"version"`
	Status  string `yaml:"status" json:"status"` // "proposal" until SCS has decided
	Title   string `yaml:"title" json:"title"`
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"` // id of the profile whose numbers hold where it states none
	// Only lists the indicators of a profile that asks nothing else; the others weigh nothing. Empty: all are asked.
	Only       []string                 `yaml:"only,omitempty" json:"only,omitempty"`
	Indicators map[string]IndicatorRule `yaml:"indicators" json:"indicators"` // by indicator id, e.g. "AC-01"
	// Gates by level ("scs-open"), then role ("platform"), then aspect ("open-source").
	Gates map[string]map[string]map[string]Gate `yaml:"gates" json:"gates"`
	// Verdicts are the rules for the word of a project's verdict, by role. Empty: a knock-out is a showstopper, a missed gate
	// almost, and otherwise it is passed.
	Verdicts map[string][]VerdictRule `yaml:"verdicts,omitempty" json:"verdicts,omitempty"`
	// Risks are the lines of the risk register, by indicator id.
	Risks  map[string]RiskRule `yaml:"risks,omitempty" json:"risks,omitempty"`
	LockIn LockInRule          `yaml:"lock_in,omitempty" json:"lock_in,omitzero"`
	// Lifetimes by kind of evidence, in the words of scs-0003: day, week, month, quarter, year.
	Lifetimes map[string]string `yaml:"lifetimes" json:"lifetimes"`
	// Licences maps verdict classes of licences (audit/licence) to outcomes of "may be part of an open stack".
	Licences map[string]Outcome `yaml:"licences" json:"licences"`
	// Hysteresis says when a level that was reached is lost again.
	Hysteresis Hysteresis `yaml:"hysteresis" json:"hysteresis,omitzero"`
	// Transparency says what is asked about the operator's public artifacts.
	Transparency TransparencyRules `yaml:"transparency,omitempty" json:"transparency,omitzero"`
}

// Hysteresis keeps one quiet quarter from flipping a level. It holds for score gates only: a knock-out counts at once.
type Hysteresis struct {
	Audits int    `yaml:"audits" json:"audits"` // consecutive audits below a score gate after which the level is lost; at least 1
	Source string `yaml:"source" json:"source"`
}

// IndicatorRule is what the profile says about one indicator.
type IndicatorRule struct {
	Aspect  string   `yaml:"aspect" json:"aspect"`
	Title   string   `yaml:"title" json:"title"`
	Clauses []string `yaml:"clauses,omitempty" json:"clauses,omitempty"` // clauses of scs-0008 it serves
	Unit    string   `yaml:"unit" json:"unit"`                           // boolean, commits, days, months, people, organisations, basis-points, ...
	Scale   string   `yaml:"scale" json:"scale"`                         // boolean, steps, linear, information
	Fail    *int     `yaml:"fail,omitempty" json:"fail,omitempty"`       // value at which the answer is FAIL (linear: 0 at or beyond)
	Pass    *int     `yaml:"pass,omitempty" json:"pass,omitempty"`       // value at which the answer is PASS (linear: 10000 at or beyond)
	Window  int      `yaml:"window_days,omitempty" json:"window_days,omitempty"`
	// Numbers are the further thresholds and values of an indicator that needs more than two, by name, in the unit that
	// the name ends with (_days, _bp), or in Unit.
	Numbers  map[string]int `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	Weight   int            `yaml:"weight" json:"weight"` // 3 knock-out, 2 a MUST of a cited norm, 1 otherwise, 0 information
	KnockOut bool           `yaml:"knock_out,omitempty" json:"knock_out,omitempty"`
	Source   string         `yaml:"source" json:"source"` // where each number comes from
}

// Gate is the least that a score must reach.
type Gate struct {
	Low      int    `yaml:"low" json:"low"`           // basis points that the low end must reach
	Coverage int    `yaml:"coverage" json:"coverage"` // basis points of weight that must be known
	Source   string `yaml:"source" json:"source"`
}
